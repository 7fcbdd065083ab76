
/*
 * Many filters, one document.
 *
 * Every conjunction is filed once, under one clause that has to hold:
 *
 *     equals     entries by hash of path and value, each with a list
 *     contains   the same, for elements of arrays
 *     range      an interval tree for each path
 *     exists     a list for each path
 *     (none)     "rest": only negations; "all": no clause at all
 *
 * and is verified when that clause is found to hold (kz_filter_run.c).
 *
 * Entries are shared between filters, so that "equals a 1" is one pointer in
 * all of them.
 */

#include "realtime/kz_filter_set.h"

#include <math.h>


#define KZ_FILTER_ENTRIES     64

/*
 * What filing under a clause costs, in conjunctions that have to be verified
 * for nothing: for lists that is their length, for these a guess.
 */
#define KZ_FILTER_COST_RANGE  32
#define KZ_FILTER_COST_HALF   64       /* a range without an end */
#define KZ_FILTER_COST_FEW    16       /* a value one of few: true, null */
#define KZ_FILTER_COST_FIELD  128


static void kz_filter_item_free(kz_filter_set_t *s, kz_filter_item_t *item);


kz_filter_set_t *
kz_filter_set_create(ngx_log_t *log)
{
    kz_filter_set_t  *s;

    s = ngx_calloc(sizeof(kz_filter_set_t), log);

    if (s == NULL) {
        return NULL;
    }

    s->log = log;
    ngx_queue_init(&s->refs);

    s->entries = ngx_calloc(KZ_FILTER_ENTRIES * sizeof(kz_filter_entry_t *),
                            log);

    if (s->entries == NULL) {
        ngx_free(s);
        return NULL;
    }

    s->nbuckets = KZ_FILTER_ENTRIES;

    if (kz_filter_trie_init(&s->trie, NULL, log) != NGX_OK) {
        ngx_free(s->entries);
        ngx_free(s);
        return NULL;
    }

    return s;
}


void
kz_filter_set_destroy(kz_filter_set_t *s)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&s->refs)) {
        q = ngx_queue_head(&s->refs);

        kz_filter_set_remove(s, ngx_queue_data(q, kz_filter_ref_t, queue));
    }

    kz_filter_trie_done(&s->trie);

    if (s->all.items != NULL) {
        ngx_free(s->all.items);
    }

    if (s->rest.items != NULL) {
        ngx_free(s->rest.items);
    }

    ngx_free(s->entries);
    ngx_free(s);
}


/* Lists. */

static ngx_int_t
kz_filter_list_add(kz_filter_set_t *s, kz_filter_list_t *list,
    kz_filter_item_t *item)
{
    uint32_t            n;
    kz_filter_item_t  **items;

    if (list->n == list->allocated) {
        n = list->n ? 2 * list->n : 2;

        items = ngx_alloc(n * sizeof(kz_filter_item_t *), s->log);

        if (items == NULL) {
            return NGX_ERROR;
        }

        if (list->items != NULL) {
            ngx_memcpy(items, list->items,
                       list->n * sizeof(kz_filter_item_t *));
            ngx_free(list->items);
        }

        list->items = items;
        list->allocated = n;
    }

    item->list = list;
    item->place = list->n;
    list->items[list->n++] = item;

    return NGX_OK;
}


static void
kz_filter_list_remove(kz_filter_item_t *item)
{
    kz_filter_list_t  *list;

    list = item->list;

    list->items[item->place] = list->items[--list->n];
    list->items[item->place]->place = item->place;

    if (list->n == 0) {
        ngx_free(list->items);
        list->items = NULL;
        list->allocated = 0;
    }

    item->list = NULL;
}


/* Entries. */

/* Doubles the hash table; without memory it stays as it is, and works. */
static void
kz_filter_entries_grow(kz_filter_set_t *s)
{
    ngx_uint_t           i, n;
    kz_filter_entry_t   *entry, *next, **buckets, **bucket;

    n = 2 * s->nbuckets;

    buckets = ngx_calloc(n * sizeof(kz_filter_entry_t *), s->log);

    if (buckets == NULL) {
        return;
    }

    for (i = 0; i < s->nbuckets; i++) {
        for (entry = s->entries[i]; entry != NULL; entry = next) {
            next = entry->next;
            bucket = &buckets[entry->hash & (n - 1)];
            entry->next = *bucket;
            *bucket = entry;
        }
    }

    ngx_free(s->entries);

    s->entries = buckets;
    s->nbuckets = n;
}


/* The entry of a clause, made if need be, with a reference taken. */
static kz_filter_entry_t *
kz_filter_entry_get(kz_filter_set_t *s, kz_filter_node_t *node,
    const kz_filter_clause_t *clause)
{
    uint64_t                    hash;
    kz_filter_entry_t          *entry, **bucket;
    const kz_filter_scalar_t   *scalar;

    scalar = &clause->u.scalar;

    hash = kz_filter_entry_hash(s, node, clause->kind->kind, scalar);
    entry = kz_filter_entry_find(s, node, clause->kind->kind, scalar, hash);

    if (entry != NULL) {
        entry->refs++;
        return entry;
    }

    /* to hash a string of a document that is written with escapes */

    if (kz_filter_trie_scratch(&s->trie, 6 * scalar->str.len) != NGX_OK) {
        return NULL;
    }

    entry = ngx_calloc(sizeof(kz_filter_entry_t) + scalar->str.len, s->log);

    if (entry == NULL) {
        return NULL;
    }

    entry->node = node;
    entry->kind = clause->kind->kind;
    entry->refs = 1;
    entry->hash = hash;
    entry->scalar = *scalar;
    entry->scalar.str.data = (u_char *) entry + sizeof(kz_filter_entry_t);

    if (scalar->str.len != 0) {
        ngx_memcpy(entry->scalar.str.data, scalar->str.data,
                   scalar->str.len);
    }

    if (s->nentries >= s->nbuckets) {
        kz_filter_entries_grow(s);
    }

    bucket = &s->entries[hash & (s->nbuckets - 1)];
    entry->next = *bucket;
    *bucket = entry;
    s->nentries++;

    if (entry->kind == KZ_FILTER_EQUALS) {
        node->field->equals++;

    } else {
        node->field->contains++;
    }

    return entry;
}


static void
kz_filter_entry_put(kz_filter_set_t *s, kz_filter_entry_t *entry)
{
    kz_filter_entry_t  **link;

    if (--entry->refs != 0) {
        return;
    }

    link = &s->entries[entry->hash & (s->nbuckets - 1)];

    while (*link != entry) {
        link = &(*link)->next;
    }

    *link = entry->next;
    s->nentries--;

    if (entry->kind == KZ_FILTER_EQUALS) {
        entry->node->field->equals--;

    } else {
        entry->node->field->contains--;
    }

    ngx_free(entry);
}


/* Tests. */

/* Whether the test looks at the number of its field. */
static ngx_uint_t
kz_filter_test_number(const kz_filter_test_t *test)
{
    switch (test->kind) {
    case KZ_FILTER_EQUALS:
        return test->u.entry->scalar.type == KZ_JSON_NUMBER;
    case KZ_FILTER_CONTAINS:
    case KZ_FILTER_EXISTS:
        return 0;
    default:
        return 1;
    }
}


static ngx_int_t
kz_filter_test_init(kz_filter_set_t *s, kz_filter_test_t *test,
    const kz_filter_literal_t *lit)
{
    kz_filter_node_t    *node;
    kz_filter_field_t   *field;

    node = kz_filter_node_get(&s->trie, &lit->clause->path);

    if (node == NULL) {
        return NGX_ERROR;
    }

    field = node->field;

    if (field == NULL) {
        field = ngx_calloc(sizeof(kz_filter_field_t), s->log);

        if (field == NULL) {
            kz_filter_node_put(&s->trie, node);
            return NGX_ERROR;
        }

        node->field = field;
    }

    field->refs++;

    test->kind = lit->clause->kind->kind;
    test->negated = lit->negated;
    test->node = node;
    test->u.clause = lit->clause;

    if (test->kind == KZ_FILTER_EQUALS || test->kind == KZ_FILTER_CONTAINS) {
        test->u.entry = kz_filter_entry_get(s, node, lit->clause);

        if (test->u.entry == NULL) {

            if (--field->refs == 0) {
                ngx_free(field);
                node->field = NULL;
            }

            kz_filter_node_put(&s->trie, node);
            return NGX_ERROR;
        }
    }

    field->numbers += kz_filter_test_number(test);

    return NGX_OK;
}


static void
kz_filter_test_done(kz_filter_set_t *s, kz_filter_test_t *test)
{
    kz_filter_node_t   *node;
    kz_filter_field_t  *field;

    node = test->node;
    field = node->field;

    field->numbers -= kz_filter_test_number(test);

    if (test->kind == KZ_FILTER_EQUALS || test->kind == KZ_FILTER_CONTAINS) {
        kz_filter_entry_put(s, test->u.entry);
    }

    if (--field->refs == 0) {
        ngx_free(field);
        node->field = NULL;
    }

    kz_filter_node_put(&s->trie, node);
}


/* Filing. */

/* What it costs to file under this test; 0: impossible. */
static ngx_uint_t
kz_filter_test_cost(const kz_filter_test_t *test)
{
    ngx_uint_t                cost;
    const kz_filter_range_t  *r;

    if (test->negated) {
        return 0;
    }

    switch (test->kind) {

    case KZ_FILTER_EQUALS:
    case KZ_FILTER_CONTAINS:
        cost = 1 + test->u.entry->list.n;

        if (test->u.entry->scalar.type > KZ_JSON_NUMBER) {
            cost += KZ_FILTER_COST_FEW;
        }

        return cost;

    case KZ_FILTER_RANGE:
        r = &test->u.clause->u.range;

        return (isinf(r->low) || isinf(r->high)) ? KZ_FILTER_COST_HALF
                                                 : KZ_FILTER_COST_RANGE;

    default:
        return test->u.clause->kind->present
               ? KZ_FILTER_COST_FIELD + test->node->field->exists.n : 0;
    }
}


static ngx_int_t
kz_filter_item_file(kz_filter_set_t *s, kz_filter_item_t *item)
{
    uint32_t            i, best;
    ngx_uint_t          cost, lowest;
    kz_filter_test_t    test;

    best = 0;
    lowest = 0;

    for (i = 0; i < item->n; i++) {
        cost = kz_filter_test_cost(&item->tests[i]);

        if (cost != 0 && (lowest == 0 || cost < lowest)) {
            best = i;
            lowest = cost;
        }
    }

    if (lowest == 0) {
        return kz_filter_list_add(s, item->n ? &s->rest : &s->all, item);
    }

    test = item->tests[best];
    item->tests[best] = item->tests[0];
    item->tests[0] = test;

    switch (test.kind) {

    case KZ_FILTER_EQUALS:
    case KZ_FILTER_CONTAINS:
        return kz_filter_list_add(s, &test.u.entry->list, item);

    case KZ_FILTER_RANGE:
        item->field = test.node->field;
        item->span.range = test.u.clause->u.range;
        kz_filter_span_insert(&item->field->ranges, &item->span);
        return NGX_OK;

    default:
        return kz_filter_list_add(s, &test.node->field->exists, item);
    }
}


static kz_filter_item_t *
kz_filter_item(kz_filter_set_t *s, kz_filter_ref_t *ref,
    const kz_filter_conj_t *conj)
{
    ngx_uint_t          i;
    kz_filter_item_t   *item;

    item = ngx_calloc(sizeof(kz_filter_item_t)
                      + conj->n * sizeof(kz_filter_test_t), s->log);

    if (item == NULL) {
        return NULL;
    }

    item->ref = ref;

    for (i = 0; i < conj->n; i++) {
        if (kz_filter_test_init(s, &item->tests[i], &conj->literals[i])
            != NGX_OK)
        {
            break;
        }

        item->n++;
    }

    if (i == conj->n && kz_filter_item_file(s, item) == NGX_OK) {
        return item;
    }

    kz_filter_item_free(s, item);

    return NULL;
}


static void
kz_filter_item_free(kz_filter_set_t *s, kz_filter_item_t *item)
{
    uint32_t  i;

    if (item->list != NULL) {
        kz_filter_list_remove(item);

    } else if (item->field != NULL) {
        kz_filter_span_remove(&item->field->ranges, &item->span);
    }

    for (i = 0; i < item->n; i++) {
        kz_filter_test_done(s, &item->tests[i]);
    }

    ngx_free(item);
}


kz_filter_ref_t *
kz_filter_set_add(kz_filter_set_t *s, kz_filter_t *f, void *owner)
{
    ngx_uint_t        i;
    kz_filter_ref_t  *ref;

    ref = ngx_alloc(sizeof(kz_filter_ref_t)
                    + f->n * sizeof(kz_filter_item_t *), s->log);

    if (ref == NULL) {
        return NULL;
    }

    ref->owner = owner;
    ref->reported = 0;
    ref->n = 0;

    ngx_queue_insert_tail(&s->refs, &ref->queue);

    for (i = 0; i < f->n; i++) {
        ref->items[i] = kz_filter_item(s, ref, &f->conjs[i]);

        if (ref->items[i] == NULL) {
            kz_filter_set_remove(s, ref);
            return NULL;
        }

        ref->n++;
    }

    return ref;
}


void
kz_filter_set_remove(kz_filter_set_t *s, kz_filter_ref_t *ref)
{
    ngx_uint_t  i;

    for (i = 0; i < ref->n; i++) {
        kz_filter_item_free(s, ref->items[i]);
    }

    ngx_queue_remove(&ref->queue);
    ngx_free(ref);
}
