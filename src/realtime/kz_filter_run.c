
/*
 * A set of filters meets a document.
 *
 * The document is walked once; then each path that has a value is looked at
 * once: the entry of its value is remembered (field->hit), the entries of
 * its elements are marked, its number is read.  Only then are the lists gone
 * through.  Verifying compares pointers and numbers, never text, and nothing
 * is allocated.
 */

#include "realtime/kz_filter_set.h"


/* The document that is being matched. */

typedef struct {
    kz_filter_set_t         *set;
    kz_filter_entry_t       *hits;     /* elements of arrays */
    kz_filter_hit_pt         hit;
    void                    *data;
} kz_filter_run_t;


static ngx_inline ngx_uint_t
kz_filter_test_holds(const kz_filter_trie_t *t, const kz_filter_test_t *test)
{
    ngx_uint_t               live;
    kz_filter_truth_e        truth;
    const kz_filter_node_t  *node;

    node = test->node;
    live = kz_filter_node_live(t, node);

    switch (test->kind) {

    case KZ_FILTER_EQUALS:
        return (live && node->field->hit == test->u.entry) != test->negated;

    case KZ_FILTER_CONTAINS:
        return (test->u.entry->hit == t->document) != test->negated;

    case KZ_FILTER_RANGE:
        return (live && node->value.val.type == KZ_JSON_NUMBER
                && kz_filter_in_range(&test->u.clause->u.range,
                                      node->value.num))
               != test->negated;

    case KZ_FILTER_EXISTS:
        return live != test->negated;

    default:
        truth = test->u.clause->kind->match(test->u.clause,
                                            live ? &node->value : NULL);
        return truth == (test->negated ? KZ_FILTER_NO : KZ_FILTER_YES);
    }
}


/* first: 1 when the test it is filed under was found to hold */
static ngx_inline void
kz_filter_run_item(kz_filter_run_t *run, kz_filter_item_t *item,
    uint32_t first)
{
    uint32_t                 i;
    const kz_filter_trie_t  *t;

    t = &run->set->trie;

    if (item->ref->reported == t->document) {
        return;
    }

    for (i = first; i < item->n; i++) {
        if (!kz_filter_test_holds(t, &item->tests[i])) {
            return;
        }
    }

    item->ref->reported = t->document;

    run->hit(item->ref->owner, run->data);
}


static void
kz_filter_run_list(kz_filter_run_t *run, const kz_filter_list_t *list,
    uint32_t first)
{
    uint32_t  i;

    for (i = 0; i < list->n; i++) {
        kz_filter_run_item(run, list->items[i], first);
    }
}


static void
kz_filter_run_span(kz_filter_span_t *span, void *data)
{
    kz_filter_run_item(data, (kz_filter_item_t *) span, 1);
}


/* The entry that has this value at this path, or NULL. */
static ngx_inline kz_filter_entry_t *
kz_filter_run_find(kz_filter_run_t *run, const kz_filter_node_t *node,
    kz_filter_kind_e kind, const kz_filter_value_t *value)
{
    kz_filter_trie_t    *t;
    kz_filter_scalar_t   scalar;

    if (!kz_json_is_scalar(&value->val)) {
        return NULL;
    }

    t = &run->set->trie;

    scalar.type = value->val.type;
    scalar.num = 0;
    ngx_str_null(&scalar.str);

    if (scalar.type == KZ_JSON_NUMBER) {
        scalar.num = value->num;

    } else if (scalar.type == KZ_JSON_STRING) {
        scalar.str = value->str;

        if (value->val.escaped) {

            if (scalar.str.len > t->scratch_size) {
                /* longer than every string we have */
                return NULL;
            }

            scalar.str.data = t->scratch;
            scalar.str.len = kz_json_unescape(t->scratch, value->str.data,
                                              value->str.len)
                             - t->scratch;
        }
    }

    return kz_filter_entry_find(run->set, node, kind, &scalar,
                                kz_filter_entry_hash(run->set, node, kind,
                                                     &scalar));
}


/* Marks the entries of the elements of an array. */
static void
kz_filter_run_elements(kz_filter_run_t *run, const kz_filter_node_t *node)
{
    kz_json_val_t       v;
    kz_json_iter_t      it;
    kz_filter_value_t   value;
    kz_filter_entry_t  *entry;

    kz_json_iter(&it, &node->value.val);

    while (kz_json_next(&it, &v) == NGX_OK) {
        kz_filter_element(&value, &v);

        entry = kz_filter_run_find(run, node, KZ_FILTER_CONTAINS, &value);

        if (entry != NULL && entry->hit != run->set->trie.document) {
            entry->hit = run->set->trie.document;
            entry->next_hit = run->hits;
            run->hits = entry;
        }
    }
}


/* Everything tests may ask about the value of this path. */
static ngx_inline void
kz_filter_run_read(kz_filter_run_t *run, kz_filter_node_t *node)
{
    kz_filter_field_t  *field;

    field = node->field;

    if (field->numbers != 0 && node->value.val.type == KZ_JSON_NUMBER) {
        node->value.num = kz_filter_number(&node->value.val);
    }

    field->hit = NULL;

    if (field->equals != 0
        && (field->numbers != 0 || node->value.val.type != KZ_JSON_NUMBER))
    {
        field->hit = kz_filter_run_find(run, node, KZ_FILTER_EQUALS,
                                        &node->value);
    }

    if (field->contains != 0 && node->value.val.type == KZ_JSON_ARRAY) {
        kz_filter_run_elements(run, node);
    }
}


static ngx_inline void
kz_filter_run_field(kz_filter_run_t *run, const kz_filter_node_t *node)
{
    const kz_filter_field_t  *field;

    field = node->field;

    if (field->hit != NULL) {
        kz_filter_run_list(run, &field->hit->list, 1);
    }

    if (field->ranges != NULL && node->value.val.type == KZ_JSON_NUMBER) {
        kz_filter_span_find(field->ranges, node->value.num,
                            kz_filter_run_span, run);
    }

    /* what is filed here may be of a kind that says more than "exists" */

    kz_filter_run_list(run, &field->exists, 0);
}


void
kz_filter_set_match(kz_filter_set_t *s, const kz_json_val_t *doc,
    const ngx_str_t *id, kz_filter_hit_pt hit, void *data)
{
    kz_filter_run_t     run;
    kz_filter_node_t   *node;
    kz_filter_entry_t  *entry;

    run.set = s;
    run.hits = NULL;
    run.hit = hit;
    run.data = data;

    kz_filter_trie_walk(&s->trie, doc, id);

    for (node = s->trie.listed; node != NULL; node = node->next_listed) {
        if (node->field != NULL && kz_filter_node_live(&s->trie, node)) {
            kz_filter_run_read(&run, node);
        }
    }

    kz_filter_run_list(&run, &s->all, 0);
    kz_filter_run_list(&run, &s->rest, 0);

    for (node = s->trie.listed; node != NULL; node = node->next_listed) {
        if (node->field != NULL && kz_filter_node_live(&s->trie, node)) {
            kz_filter_run_field(&run, node);
        }
    }

    for (entry = run.hits; entry != NULL; entry = entry->next_hit) {
        kz_filter_run_list(&run, &entry->list, 1);
    }
}
