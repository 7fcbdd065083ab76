/*
 * Aggregations: binding to a mapping, collecting documents.
 */

#include "store/kz_agg_int.h"

#include <math.h>


#define KZ_AGG_BLOCK   ((size_t) 64 * 1024)
#define KZ_AGG_TABLE   16



static ngx_int_t kz_agg_collect(kz_aggs_t *a, kz_agg_t *list,
    kz_state_t **states, const kz_agg_doc_t *doc);
static ngx_int_t kz_agg_one(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc);
static ngx_int_t kz_agg_terms(kz_aggs_t *a, kz_agg_t *agg,
    kz_state_t *state, const kz_agg_doc_t *doc);
static ngx_uint_t kz_agg_wanted(kz_aggs_t *a, kz_agg_t *agg,
    const kz_value_t *v);
static ngx_uint_t kz_agg_among(kz_aggs_t *a, kz_agg_t *agg,
    kz_json_val_t *list, ngx_uint_t n, const kz_value_t *v);
static ngx_int_t kz_agg_histogram(kz_aggs_t *a, kz_agg_t *agg,
    kz_state_t *state, const kz_agg_doc_t *doc);
static ngx_int_t kz_agg_ranged(kz_aggs_t *a, kz_agg_t *agg,
    kz_state_t *state, const kz_agg_doc_t *doc);
static ngx_int_t kz_agg_filtered(kz_aggs_t *a, kz_agg_t *agg,
    kz_state_t *state, const kz_agg_doc_t *doc);
static ngx_int_t kz_agg_single(kz_aggs_t *a, kz_agg_t *agg,
    kz_state_t *state, const kz_agg_doc_t *doc);
static kz_bucket_t *kz_agg_bucket(kz_aggs_t *a, kz_agg_t *agg,
    kz_state_t *state, const kz_value_t *key);
static ngx_int_t kz_agg_grow(kz_aggs_t *a, kz_state_t *state);
static kz_bucket_t *kz_agg_slot(kz_aggs_t *a, kz_agg_t *agg,
    kz_state_t *state, ngx_uint_t i);
static ngx_int_t kz_agg_into(kz_aggs_t *a, kz_agg_t *agg, kz_bucket_t *b,
    const kz_agg_doc_t *doc);
static void kz_agg_free_list(kz_agg_t *agg);
static void kz_agg_forget(kz_aggs_t *a);


void
kz_agg_free(kz_aggs_t *a)
{
    kz_agg_block_t  *b;

    if (a == NULL) {
        return;
    }

    kz_agg_forget(a);
    free(a->text);
    a->text = NULL;

    while (a->blocks) {
        b = a->blocks;
        a->blocks = b->next;
        free(b);
    }

    kz_scratch_free(&a->scratch);
    kz_agg_free_list(a->root);
    a->root = NULL;
}


static void
kz_agg_free_list(kz_agg_t *agg)
{
    ngx_uint_t  i;

    for ( /* void */ ; agg; agg = agg->next) {
        free(agg->values);
        agg->values = NULL;

        for (i = 0; i < agg->nranges; i++) {
            if (agg->ranges[i].match) {
                kz_match_free(agg->ranges[i].match);
                agg->ranges[i].match = NULL;
            }
        }

        kz_agg_free_list(agg->subs);
    }
}


void *
kz_agg_alloc(kz_aggs_t *a, size_t size)
{
    size_t           n;
    u_char          *p;
    kz_agg_block_t  *b;

    size = ngx_align(size, sizeof(uint64_t));

    if (size > a->left) {
        n = ngx_max(size, KZ_AGG_BLOCK);

        if (n > KZ_AGG_MEMORY - a->memory) {
            kz_mapping_refuse(a->err, KZ_STORE_BAD_QUERY, "the aggregations"
                              " need too much memory");
            return NULL;
        }

        b = malloc(sizeof(kz_agg_block_t) + n);
        if (b == NULL) {
            return NULL;
        }

        b->next = a->blocks;
        a->blocks = b;
        a->memory += n;
        a->at = (u_char *) b + sizeof(kz_agg_block_t);
        a->left = n;
    }

    p = a->at;
    a->at += size;
    a->left -= size;

    ngx_memzero(p, size);

    return p;
}


kz_state_t **
kz_agg_states(kz_aggs_t *a, ngx_uint_t n)
{
    ngx_uint_t    i;
    kz_state_t  **states;

    states = kz_agg_alloc(a, (n + 1) * sizeof(kz_state_t *));
    if (states == NULL) {
        return NULL;
    }

    for (i = 0; i < n; i++) {
        states[i] = kz_agg_alloc(a, sizeof(kz_state_t));
        if (states[i] == NULL) {
            return NULL;
        }
    }

    return states;
}


ngx_int_t
kz_agg_doc(kz_aggs_t *a, const ngx_str_t *id, const ngx_str_t *src,
    double score, kz_mapping_err_t *err)
{
    ngx_int_t     rc;
    kz_agg_doc_t  doc;

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    a->err = err;

    doc.id = id;
    doc.src = src;
    doc.prefix = 0;
    doc.score = score;

    kz_json_value(src->data, src->data + src->len, &doc.object);

    rc = kz_agg_collect(a, a->root, a->states, &doc);

    kz_agg_forget(a);

    return rc;
}


/* Texts of the document that is done; the last block stays. */

static void
kz_agg_forget(kz_aggs_t *a)
{
    kz_agg_block_t  *b, *next;

    if (a->text == NULL) {
        return;
    }

    b = (kz_agg_block_t *) a->text;

    for (next = b->next; next; next = b->next) {
        b->next = next->next;
        free(next);
    }

    a->text_len = 0;
}


static ngx_int_t
kz_agg_collect(kz_aggs_t *a, kz_agg_t *list, kz_state_t **states,
    const kz_agg_doc_t *doc)
{
    for ( /* void */ ; list; list = list->next) {
        if (kz_agg_one(a, list, states[list->n], doc) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_one(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc)
{
    switch (agg->type) {

    case KZ_AGG_TERMS:
        return kz_agg_terms(a, agg, state, doc);

    case KZ_AGG_HISTOGRAM:
    case KZ_AGG_DATE_HISTOGRAM:
        return kz_agg_histogram(a, agg, state, doc);

    case KZ_AGG_RANGE:
    case KZ_AGG_DATE_RANGE:
    case KZ_AGG_GEO_DISTANCE:
        return kz_agg_ranged(a, agg, state, doc);

    case KZ_AGG_FILTER:
    case KZ_AGG_FILTERS:
        return kz_agg_filtered(a, agg, state, doc);

    case KZ_AGG_MISSING:
        if (kz_agg_values(a, agg, doc, 1) != NGX_OK) {
            return NGX_ERROR;
        }

        return agg->nvalues ? NGX_OK : kz_agg_single(a, agg, state, doc);

    case KZ_AGG_NESTED:
        return kz_agg_objects(a, agg, state, doc, kz_agg_single);

    case KZ_AGG_TOP_HITS:
        return kz_agg_top(a, agg, state, doc);

    default:
        return kz_agg_metric(a, agg, state, doc);
    }
}


static ngx_int_t
kz_agg_terms(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc)
{
    ngx_uint_t    i;
    kz_bucket_t  *b;

    if (kz_agg_values(a, agg, doc, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < agg->nvalues; i++) {

        if (!kz_agg_wanted(a, agg, &agg->values[i])) {
            continue;
        }

        b = kz_agg_bucket(a, agg, state, &agg->values[i]);

        if (b == NULL || kz_agg_into(a, agg, b, doc) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
kz_agg_wanted(kz_aggs_t *a, kz_agg_t *agg, const kz_value_t *v)
{
    if (agg->include
        && !kz_agg_among(a, agg, agg->include, agg->ninclude, v))
    {
        return 0;
    }

    return agg->exclude == NULL
           || !kz_agg_among(a, agg, agg->exclude, agg->nexclude, v);
}


static ngx_uint_t
kz_agg_among(kz_aggs_t *a, kz_agg_t *agg, kz_json_val_t *list,
    ngx_uint_t n, const kz_value_t *v)
{
    ngx_str_t   text;
    ngx_uint_t  i;
    kz_value_t  one;

    for (i = 0; i < n; i++) {

        if (v->type == KZ_VALUE_TEXT) {
            if (kz_value_text(&list[i], &a->scratch, &text) == NGX_OK
                && kz_text_cmp(&text, &v->text) == 0)
            {
                return 1;
            }

            continue;
        }

        if (agg->f) {
            if (kz_value_read(agg->f, &list[i], &a->scratch, &one, NULL)
                != NGX_OK)
            {
                continue;
            }

        } else if (list[i].type == KZ_JSON_NUMBER) {
            one.type = KZ_VALUE_REAL;
            one.d = kz_json_double(&list[i]);

        } else {
            continue;
        }

        if (kz_value_cmp(&one, v) == 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
kz_agg_histogram(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc)
{
    double        d, last;
    int64_t       ms, offset, shift;
    ngx_uint_t    i, n;
    kz_value_t    key;
    kz_bucket_t  *b;

    if (kz_agg_values(a, agg, doc, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    last = 0;
    n = 0;

    for (i = 0; i < agg->nvalues; i++) {

        if (agg->values[i].type == KZ_VALUE_TEXT) {
            continue;
        }

        d = kz_agg_double(&agg->values[i]);
        key.type = KZ_VALUE_REAL;

        if (agg->calendar) {
            offset = (int64_t) agg->offset;
            ms = agg->values[i].type == KZ_VALUE_INT ? agg->values[i].i
                                                     : (int64_t) d;

            key.type = KZ_VALUE_INT;
            key.i = kz_date_floor(ms - offset, agg->unit, agg->zone)
                    + offset;
            key.d = (double) key.i;

        } else {
            shift = agg->date ? (int64_t) agg->zone * 60000 : 0;

            key.d = floor((d + shift - agg->offset) / agg->interval)
                    * agg->interval + agg->offset - shift;

            if (agg->date) {
                key.type = KZ_VALUE_INT;
                key.i = (int64_t) key.d;
            }
        }

        /* several values in one bucket are one document */

        if (n++ && key.d == last) {
            continue;
        }

        last = key.d;

        b = kz_agg_bucket(a, agg, state, &key);

        if (b == NULL || kz_agg_into(a, agg, b, doc) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A bucket per range, in their order. */

static ngx_int_t
kz_agg_ranged(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc)
{
    double           d;
    ngx_uint_t       i, j, n;
    kz_bucket_t     *b;
    kz_agg_range_t  *r;

    n = 1;
    d = 0;

    if (agg->type == KZ_AGG_GEO_DISTANCE) {

        if (kz_agg_nearest(a, agg, doc, &d) != NGX_OK) {
            return NGX_OK;
        }

        d /= agg->metres;

    } else {
        if (kz_agg_values(a, agg, doc, 1) != NGX_OK) {
            return NGX_ERROR;
        }

        n = agg->nvalues;
    }

    for (i = 0; i < agg->nranges; i++) {
        r = &agg->ranges[i];

        for (j = 0; j < n; j++) {

            if (agg->type != KZ_AGG_GEO_DISTANCE) {
                if (agg->values[j].type == KZ_VALUE_TEXT) {
                    continue;
                }

                d = kz_agg_double(&agg->values[j]);
            }

            if (d >= r->low && d < r->high) {
                break;
            }
        }

        if (j == n) {
            continue;
        }

        b = kz_agg_slot(a, agg, state, i);

        if (b == NULL || kz_agg_into(a, agg, b, doc) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_filtered(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc)
{
    double        score;
    ngx_int_t     rc;
    ngx_uint_t    i, found;
    kz_bucket_t  *b;

    found = 0;

    for (i = 0; i <= agg->nranges; i++) {

        if (i < agg->nranges) {
            rc = kz_match_doc(agg->ranges[i].match, doc->id, doc->src,
                              &score);

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc != NGX_OK) {
                continue;
            }

            found = 1;

        } else if (found || !agg->other) {
            break;
        }

        b = kz_agg_slot(a, agg, state, i);

        if (b == NULL || kz_agg_into(a, agg, b, doc) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* missing, nested: one bucket */

static ngx_int_t
kz_agg_single(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc)
{
    kz_bucket_t  *b;

    b = kz_agg_slot(a, agg, state, 0);

    return b ? kz_agg_into(a, agg, b, doc) : NGX_ERROR;
}


static ngx_int_t
kz_agg_into(kz_aggs_t *a, kz_agg_t *agg, kz_bucket_t *b,
    const kz_agg_doc_t *doc)
{
    b->count++;

    if (agg->nsubs == 0) {
        return NGX_OK;
    }

    if (b->subs == NULL) {
        b->subs = kz_agg_states(a, agg->nsubs);

        if (b->subs == NULL) {
            return NGX_ERROR;
        }
    }

    return kz_agg_collect(a, agg->subs, b->subs, doc);
}


/* The bucket of a key, made when it is new; NULL: *err is set. */

static kz_bucket_t *
kz_agg_bucket(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_value_t *key)
{
    uint32_t      h;
    kz_bucket_t  *b;

    h = kz_agg_hash(key);

    if (state->table) {
        for (b = state->table[h & state->mask]; b; b = b->chain) {
            if (b->hash == h && kz_value_cmp(&b->key, key) == 0) {
                return b;
            }
        }
    }

    if (++a->buckets > KZ_AGG_BUCKETS && agg->type != KZ_AGG_TERMS) {
        kz_mapping_refuse(a->err, KZ_STORE_BAD_QUERY, "Trying to create too"
                          " many buckets. Must be less than or equal to:"
                          " [%d]", KZ_AGG_BUCKETS);
        return NULL;
    }

    if (state->n == state->room && kz_agg_grow(a, state) != NGX_OK) {
        return NULL;
    }

    b = kz_agg_alloc(a, sizeof(kz_bucket_t));
    if (b == NULL) {
        return NULL;
    }

    b->hash = h;
    b->key = *key;

    if (key->type == KZ_VALUE_TEXT
        && kz_agg_dup(a, &b->key.text, &key->text) != NGX_OK)
    {
        return NULL;
    }

    b->chain = state->table[h & state->mask];
    state->table[h & state->mask] = b;
    state->list[state->n++] = b;

    return b;
}


static ngx_int_t
kz_agg_grow(kz_aggs_t *a, kz_state_t *state)
{
    ngx_uint_t     i, room;
    kz_bucket_t  **table, **list, *b;

    room = state->room ? state->room * 2 : KZ_AGG_TABLE;

    table = kz_agg_alloc(a, room * sizeof(kz_bucket_t *));
    list = kz_agg_alloc(a, room * sizeof(kz_bucket_t *));

    if (table == NULL || list == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < state->n; i++) {
        b = state->list[i];
        list[i] = b;
        b->chain = table[b->hash & (room - 1)];
        table[b->hash & (room - 1)] = b;
    }

    state->table = table;
    state->list = list;
    state->mask = room - 1;
    state->room = room;

    return NGX_OK;
}


/* The bucket of a place; all are made with the first. */

static kz_bucket_t *
kz_agg_slot(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state, ngx_uint_t i)
{
    ngx_uint_t  n;

    if (state->list == NULL) {
        n = agg->nranges + 1;

        state->list = kz_agg_alloc(a, n * sizeof(kz_bucket_t *));
        if (state->list == NULL) {
            return NULL;
        }

        state->room = n;
    }

    if (state->list[i] == NULL) {
        state->list[i] = kz_agg_alloc(a, sizeof(kz_bucket_t));
        state->n = ngx_max(state->n, i + 1);
    }

    return state->list[i];
}


ngx_int_t
kz_agg_dup(kz_aggs_t *a, ngx_str_t *dst, const ngx_str_t *src)
{
    u_char  *p;

    p = kz_agg_alloc(a, src->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, src->data, src->len);

    dst->data = p;
    dst->len = src->len;

    return NGX_OK;
}


const kz_field_t *
kz_agg_fed_by(const kz_aggs_t *a)
{
    const kz_agg_t    *agg;
    const kz_field_t  *f;

    f = NULL;

    for (agg = a->root; agg; agg = agg->next) {

        if ((agg->type != KZ_AGG_TERMS && agg->type != KZ_AGG_CARDINALITY)
            || agg->nsubs || agg->f == NULL || !agg->f->indexed
            || agg->missing.type != KZ_JSON_NONE
            || (f != NULL && f != agg->f))
        {
            return NULL;
        }

        f = agg->f;
    }

    return f;
}


ngx_int_t
kz_agg_feed(kz_aggs_t *a, const kz_value_t *v, uint64_t ndocs,
    kz_mapping_err_t *err)
{
    kz_agg_t     *agg;
    kz_bucket_t  *b;

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    a->err = err;

    for (agg = a->root; agg; agg = agg->next) {

        if (agg->type == KZ_AGG_CARDINALITY) {
            if (kz_agg_seen(a, a->states[agg->n], kz_agg_hash64(v))
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;
        }

        if (!kz_agg_wanted(a, agg, v)) {
            continue;
        }

        b = kz_agg_bucket(a, agg, a->states[agg->n], v);
        if (b == NULL) {
            return NGX_ERROR;
        }

        b->count += ndocs;
    }

    return NGX_OK;
}
