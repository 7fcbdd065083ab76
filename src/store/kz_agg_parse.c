/*
 * Aggregations: what is asked for.
 */

#include "store/kz_agg_parse.h"


static ngx_int_t kz_agg_list(kz_agg_parse_t *p, const kz_query_place_t *at,
    const kz_json_val_t *v, kz_agg_t **list, ngx_uint_t *n);
static kz_agg_t *kz_agg_one(kz_agg_parse_t *p, const kz_query_place_t *at,
    const ngx_str_t *name, const kz_json_val_t *v);
static ngx_int_t kz_agg_body(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_agg_word_t *w, const kz_json_val_t *v);
static ngx_int_t kz_agg_finish(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg);

static ngx_int_t kz_agg_order_one(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg, const kz_json_val_t *v);
static ngx_int_t kz_agg_order_subs(kz_agg_parse_t *p,
    const kz_query_place_t *at, kz_agg_t *agg);


kz_aggs_t *
kz_agg_parse(ngx_pool_t *pool, const kz_json_val_t *aggs,
    kz_dialect_e dialect, int64_t now, kz_mapping_err_t *err)
{
    kz_aggs_t         *a;
    kz_query_t        *q;
    kz_agg_parse_t     p;

    static kz_query_place_t  root = { NULL, ngx_string("aggs"), 0 };

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    a = ngx_pcalloc(pool, sizeof(kz_aggs_t));
    q = ngx_pcalloc(pool, sizeof(kz_query_t));

    if (a == NULL || q == NULL) {
        return NULL;
    }

    a->pool = pool;
    a->dialect = dialect;
    a->now = now;

    ngx_memzero(&p, sizeof(kz_agg_parse_t));

    p.a = a;
    p.x.pool = pool;
    p.x.err = err;
    p.x.q = q;

    if (kz_agg_list(&p, &root, aggs, &a->root, &a->n) != NGX_OK) {
        return NULL;
    }

    return a;
}


/* {"name": {"terms": {...}, "aggs": {...}}, ...} */

static ngx_int_t
kz_agg_list(kz_agg_parse_t *p, const kz_query_place_t *at,
    const kz_json_val_t *v, kz_agg_t **list, ngx_uint_t *n)
{
    kz_agg_t            *agg;
    ngx_uint_t           i, count;
    kz_query_place_t     here;
    kz_query_member_t   *m;

    if (p->depth == KZ_AGG_DEPTH) {
        return kz_query_bad(&p->x, at, "too many aggregations in one another:"
                            " at most %d are allowed", KZ_AGG_DEPTH);
    }

    if (kz_query_members(&p->x, at, v, &m, &count) != NGX_OK) {
        return NGX_ERROR;
    }

    p->depth++;

    for (i = 0; i < count; i++) {

        if (++p->a->total > KZ_AGG_LIMIT) {
            return kz_query_bad(&p->x, at, "too many aggregations: at most"
                                " %d are allowed", KZ_AGG_LIMIT);
        }

        here.up = at;
        here.name = m[i].key;

        agg = kz_agg_one(p, &here, &m[i].key, &m[i].val);
        if (agg == NULL) {
            return NGX_ERROR;
        }

        agg->n = i;
        *list = agg;
        list = &agg->next;
    }

    p->depth--;
    *n = count;

    return NGX_OK;
}


static kz_agg_t *
kz_agg_one(kz_agg_parse_t *p, const kz_query_place_t *at,
    const ngx_str_t *name, const kz_json_val_t *v)
{
    kz_agg_t             *agg;
    ngx_str_t             key;
    ngx_uint_t            i, n;
    kz_query_place_t      here;
    kz_query_member_t    *m, *body, *subs;
    const kz_agg_word_t  *w, *word;

    if (ngx_strlchr(name->data, name->data + name->len, '[')
        || ngx_strlchr(name->data, name->data + name->len, ']')
        || ngx_strlchr(name->data, name->data + name->len, '>')
        || name->len == 0)
    {
        (void) kz_query_bad(&p->x, at->up, "Invalid aggregation name [%V]",
                            name);
        return NULL;
    }

    agg = ngx_pcalloc(p->x.pool, sizeof(kz_agg_t));

    if (agg == NULL || kz_query_members(&p->x, at, v, &m, &n) != NGX_OK) {
        return NULL;
    }

    agg->name = *name;
    agg->size = -1;
    agg->min_count = -1;
    agg->metres = 1;
    agg->sigma = 2;

    body = subs = NULL;
    word = NULL;

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "aggs")
            || kz_query_is(&m[i].key, "aggregations"))
        {
            subs = &m[i];
            continue;
        }

        if (kz_query_is(&m[i].key, "meta")) {
            agg->meta = m[i].val;
            continue;
        }

        for (w = kz_agg_words; w->name; w++) {
            if (m[i].key.len == ngx_strlen(w->name)
                && ngx_memcmp(m[i].key.data, w->name, m[i].key.len) == 0)
            {
                break;
            }
        }

        if (w->name == NULL) {
            key = m[i].key;
            key.len = ngx_min(key.len, 64);
            (void) kz_query_bad(&p->x, at, "the aggregation [%V] is not"
                                " supported", &key);
            return NULL;
        }

        if (word) {
            (void) kz_query_bad(&p->x, at, "Found two aggregation type"
                                " definitions in [%V]", name);
            return NULL;
        }

        word = w;
        body = &m[i];
    }

    if (word == NULL) {
        (void) kz_query_bad(&p->x, at, "Missing definition for aggregation"
                            " [%V]", name);
        return NULL;
    }

    agg->type = word->type;
    agg->word = word->name;

    here.up = at;
    here.name = body->key;

    if (subs && !kz_agg_is_bucket(agg)) {
        (void) kz_query_bad(&p->x, at, "Aggregator [%V] cannot accept"
                            " sub-aggregations", name);
        return NULL;
    }

    if (kz_agg_body(p, &here, agg, word, &body->val) != NGX_OK) {
        return NULL;
    }

    if (subs) {
        here.name = subs->key;

        if (kz_agg_list(p, &here, &subs->val, &agg->subs, &agg->nsubs)
            != NGX_OK)
        {
            return NULL;
        }

        here.name = body->key;
    }

    return kz_agg_finish(p, &here, agg) == NGX_OK ? agg : NULL;
}


static ngx_int_t
kz_agg_body(kz_agg_parse_t *p, const kz_query_place_t *at, kz_agg_t *agg,
    const kz_agg_word_t *w, const kz_json_val_t *v)
{
    ngx_int_t            rc;
    ngx_str_t            key;
    ngx_uint_t           i, n;
    kz_query_place_t     here;
    kz_query_member_t   *m;

    if (agg->type == KZ_AGG_FILTER) {
        agg->ranges = ngx_pcalloc(p->x.pool, sizeof(kz_agg_range_t));
        if (agg->ranges == NULL) {
            return NGX_ERROR;
        }

        agg->nranges = 1;

        return kz_agg_filter(p, at, agg->ranges, v);
    }

    if (kz_query_members(&p->x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        here.up = at;
        here.name = m[i].key;

        rc = w->param(p, &here, agg, &m[i]);

        if (rc == NGX_DECLINED) {
            key = m[i].key;
            key.len = ngx_min(key.len, 64);

            return kz_query_bad(&p->x, at, "[%s] aggregation does not"
                                " support [%V]", w->name, &key);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* What must be there, what has to do with each other. */

static ngx_int_t
kz_agg_finish(kz_agg_parse_t *p, const kz_query_place_t *at, kz_agg_t *agg)
{
    ngx_uint_t  i;

    static double  percents[] = { 1, 5, 25, 50, 75, 95, 99 };

    switch (agg->type) {

    case KZ_AGG_FILTER:
        return NGX_OK;

    case KZ_AGG_FILTERS:
        if (agg->nranges == 0) {
            return kz_query_bad(&p->x, at, "[filters] is needed");
        }
        return NGX_OK;

    case KZ_AGG_TOP_HITS:
        agg->size = (agg->size < 0) ? 3 : agg->size;

        if (agg->size + agg->from > 100) {
            return kz_query_bad(&p->x, at, "Top hits result window is too"
                                " large, from + size must be less than or"
                                " equal to: [100]");
        }
        return NGX_OK;

    default:
        break;
    }

    if (agg->field.len == 0) {
        return kz_query_bad(&p->x, at, (agg->type == KZ_AGG_NESTED)
                            ? "[path] is needed" : "[field] is needed");
    }

    switch (agg->type) {

    case KZ_AGG_RANGE:
    case KZ_AGG_DATE_RANGE:
    case KZ_AGG_GEO_DISTANCE:
        if (agg->nranges == 0) {
            return kz_query_bad(&p->x, at, "No [ranges] specified");
        }

        if (agg->type == KZ_AGG_GEO_DISTANCE && !agg->bounded) {
            return kz_query_bad(&p->x, at, "[origin] must be specified");
        }
        break;

    case KZ_AGG_HISTOGRAM:
    case KZ_AGG_DATE_HISTOGRAM:
        if (agg->interval == 0 && !agg->calendar) {
            return kz_query_bad(&p->x, at, "[interval] must be specified");
        }

        agg->min_count = (agg->min_count < 0) ? 0 : agg->min_count;
        break;

    case KZ_AGG_TERMS:
        agg->size = (agg->size < 0) ? 10 : agg->size;
        agg->min_count = (agg->min_count < 0) ? 1 : agg->min_count;

        if (agg->min_count == 0) {
            return kz_query_bad(&p->x, at, "[min_doc_count] of 0 is not"
                                " supported here");
        }

        if (agg->size == 0) {
            return kz_query_bad(&p->x, at, "[size] must be greater than 0");
        }
        break;

    case KZ_AGG_PERCENTILES:
        if (agg->npercents == 0) {
            agg->percents = percents;
            agg->npercents = 7;
        }

        for (i = 0; i < agg->npercents; i++) {
            if (!(agg->percents[i] >= 0 && agg->percents[i] <= 100)) {
                return kz_query_bad(&p->x, at, "percent must be in [0,100]");
            }
        }
        break;

    default:
        break;
    }

    return kz_agg_order_subs(p, at, agg);
}


/* {"_count": "desc"}, or an array of such */

ngx_int_t
kz_agg_order(kz_agg_parse_t *p, const kz_query_place_t *at, kz_agg_t *agg,
    const kz_json_val_t *v)
{
    kz_json_iter_t  it;
    kz_json_val_t   item;

    if (v->type != KZ_JSON_ARRAY) {
        return kz_agg_order_one(p, at, agg, v);
    }

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (kz_agg_order_one(p, at, agg, &item) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_agg_order_one(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg, const kz_json_val_t *v)
{
    ngx_uint_t           n;
    kz_agg_sort_t       *s;
    kz_query_member_t   *m;

    if (kz_query_members(&p->x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (n != 1) {
        return kz_query_bad(&p->x, at, "Must specify at least one field for"
                            " [order], and not more in one object");
    }

    if (agg->nsort == KZ_AGG_MAX_SORT) {
        return kz_query_bad(&p->x, at, "at most %d keys are allowed",
                            KZ_AGG_MAX_SORT);
    }

    s = &agg->sort[agg->nsort++];

    if (kz_json_string_is(&m->val, (u_char *) "desc", 4) == NGX_OK) {
        s->desc = 1;

    } else if (kz_json_string_is(&m->val, (u_char *) "asc", 3) != NGX_OK) {
        return kz_query_bad(&p->x, at, "an order is \"asc\" or \"desc\"");
    }

    if (kz_query_is(&m->key, "_count")) {
        s->by = KZ_ORDER_COUNT;

    } else if (kz_query_is(&m->key, "_key") || kz_query_is(&m->key, "_term")
               || kz_query_is(&m->key, "_time"))
    {
        s->by = KZ_ORDER_KEY;

    } else {
        s->by = KZ_ORDER_METRIC;
        s->part = m->key;
    }

    return NGX_OK;
}


/* Orders by a metric below: "mean", "spread.std_deviation". */

static ngx_int_t
kz_agg_order_subs(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_t *agg)
{
    u_char          *dot;
    ngx_str_t        name, part;
    kz_agg_t        *sub;
    ngx_uint_t       i;
    kz_agg_sort_t   *s;

    for (i = 0; i < agg->nsort; i++) {
        s = &agg->sort[i];

        if (s->by != KZ_ORDER_METRIC) {
            continue;
        }

        name = s->part;
        ngx_str_null(&part);

        dot = ngx_strlchr(name.data, name.data + name.len, '.');

        if (dot) {
            part.data = dot + 1;
            part.len = name.data + name.len - part.data;
            name.len = dot - name.data;
        }

        for (sub = agg->subs; sub; sub = sub->next) {
            if (sub->name.len == name.len
                && ngx_memcmp(sub->name.data, name.data, name.len) == 0)
            {
                break;
            }
        }

        if (sub == NULL) {
            name.len = ngx_min(name.len, 64);
            return kz_query_bad(&p->x, at, "Invalid aggregation order path"
                                " [%V]: there is no such aggregation",
                                &name);
        }

        if (sub->type == KZ_AGG_PERCENTILES || sub->type == KZ_AGG_TOP_HITS
            || (kz_agg_is_bucket(sub) && sub->type != KZ_AGG_FILTER
                && sub->type != KZ_AGG_MISSING
                && sub->type != KZ_AGG_NESTED))
        {
            name.len = ngx_min(name.len, 64);
            return kz_query_bad(&p->x, at, "Invalid aggregation order path"
                                " [%V]: it has no single value", &name);
        }

        if ((sub->type == KZ_AGG_STATS
             || sub->type == KZ_AGG_EXTENDED_STATS)
            ? !(kz_query_is(&part, "count") || kz_query_is(&part, "min")
                || kz_query_is(&part, "max") || kz_query_is(&part, "avg")
                || kz_query_is(&part, "sum")
                || (sub->type == KZ_AGG_EXTENDED_STATS
                    && (kz_query_is(&part, "variance")
                        || kz_query_is(&part, "std_deviation")
                        || kz_query_is(&part, "sum_of_squares"))))
            : (part.len && !kz_query_is(&part, "value")
               && !kz_query_is(&part, "_count")
               && !kz_query_is(&part, "doc_count")))
        {
            part.len = ngx_min(part.len, 64);
            return kz_query_bad(&p->x, at, "Invalid aggregation order path:"
                                " there is no value [%V]", &part);
        }

        s->sub = sub;
        s->part = part;
    }

    return NGX_OK;
}


ngx_int_t
kz_agg_filter(kz_agg_parse_t *p, const kz_query_place_t *at,
    kz_agg_range_t *r, const kz_json_val_t *v)
{
    kz_query_parse_t  x;

    r->filter = *v;

    r->query = ngx_pcalloc(p->x.pool, sizeof(kz_query_t));
    if (r->query == NULL) {
        return NGX_ERROR;
    }

    r->query->from = -1;
    r->query->size = -1;

    x = p->x;
    x.q = r->query;

    r->query->root = kz_query_clause(&x, at, v, 0, 0);

    return r->query->root ? NGX_OK : NGX_ERROR;
}
