
/*
 * The body of a search: what stands around the query.
 */

#include "store/kz_query_parse.h"
#include "store/kz_query_string.h"


static ngx_int_t kz_query_root(kz_query_parse_t *x, ngx_uint_t flags,
    const kz_query_member_t *m);
static ngx_int_t kz_query_post(kz_query_parse_t *x,
    const kz_json_val_t *v);
static ngx_int_t kz_query_part(kz_query_parse_t *x, ngx_uint_t count,
    const kz_query_member_t *m, size_t part);
static ngx_uint_t kz_query_listed(const char **list, const ngx_str_t *key);
static ngx_int_t kz_query_number(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, int64_t *n);


/* Parts of the body that others compile. */

static const struct {
    ngx_str_t   name;
    size_t      part;             /* offset in kz_query_t */
} kz_query_parts[] = {
    { ngx_string("aggregations"), offsetof(kz_query_t, aggs) },
    { ngx_string("aggs"), offsetof(kz_query_t, aggs) },
    { ngx_string("collapse"), offsetof(kz_query_t, collapse) },
    { ngx_string("highlight"), offsetof(kz_query_t, highlight) },
    { ngx_string("search_after"), offsetof(kz_query_t, after) },
    { ngx_string("_source"), offsetof(kz_query_t, source) },
    { ngx_string("_source_excludes"), offsetof(kz_query_t, excludes) },
    { ngx_string("_source_exclude"), offsetof(kz_query_t, excludes) },
    { ngx_string("_source_includes"), offsetof(kz_query_t, includes) },
    { ngx_string("_source_include"), offsetof(kz_query_t, includes) },
    { ngx_null_string, 0 }
};


/* Known, and not understood here unless empty. */

static const char  *kz_query_known[] = {
    "docvalue_fields", "explain", "fields", "indices_boost", "rescore",
    "script_fields", "stored_fields", "suggest", "slice", NULL
};


/* Known, and without an effect here. */

static const char  *kz_query_idle[] = {
    "_name", "preference", "profile", "request_cache", "search_timeout",
    "seq_no_primary_term", "timeout", "track_scores", "track_total_hits",
    "version", NULL
};

kz_query_t *
kz_query_parse(ngx_pool_t *pool, const kz_json_val_t *body, ngx_uint_t flags,
    kz_mapping_err_t *err)
{
    ngx_uint_t           i, n;
    kz_query_parse_t     x;
    kz_query_member_t   *m;

    static kz_query_place_t  root = { NULL, ngx_string("body"), 0 };

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    x.pool = pool;
    x.err = err;

    x.q = ngx_pcalloc(pool, sizeof(kz_query_t));
    if (x.q == NULL) {
        return NULL;
    }

    x.q->from = -1;
    x.q->size = -1;

    if (body->type != KZ_JSON_NONE && body->type != KZ_JSON_NULL) {

        if (kz_query_members(&x, &root, body, &m, &n) != NGX_OK) {
            return NULL;
        }

        for (i = 0; i < n; i++) {
            if (kz_query_root(&x, flags, &m[i]) != NGX_OK) {
                return NULL;
            }
        }
    }

    if (x.q->root == NULL) {
        x.q->root = kz_query_node(&x, &root, KZ_QUERY_ALL, 1);

        if (x.q->root == NULL) {
            return NULL;
        }
    }

    return x.q;
}


static ngx_int_t
kz_query_root(kz_query_parse_t *x, ngx_uint_t flags,
    const kz_query_member_t *m)
{
    ngx_str_t          key;
    ngx_uint_t         i, count;
    kz_query_place_t   here;

    static kz_query_place_t  body = { NULL, ngx_string("body"), 0 };

    key = m->key;
    key.len = ngx_min(key.len, 128);

    here.up = NULL;
    here.name = key;

    count = flags & KZ_QUERY_COUNT;

    if (kz_query_is(&key, "query")) {

        if (m->val.type == KZ_JSON_NULL
            || (m->val.type == KZ_JSON_OBJECT && kz_query_empty(&m->val)))
        {
            return NGX_OK;
        }

        x->q->root = (flags & KZ_QUERY_KONCORDE)
                     ? kz_query_koncorde(x, &m->val, 0)
                     : kz_query_clause(x, &here, &m->val, 1, 0);

        return (x->q->root == NULL) ? NGX_ERROR : NGX_OK;
    }

    if (kz_query_is(&key, "from")) {
        return kz_query_number(x, &here, &m->val, &x->q->from);
    }

    if (kz_query_is(&key, "size")) {
        return kz_query_number(x, &here, &m->val, &x->q->size);
    }

    if (kz_query_is(&key, "sort")) {
        if (count && !kz_query_empty(&m->val)) {
            return kz_query_bad(x, &body, "[sort] is not supported in a"
                                " count");
        }

        return kz_query_sort(x, &here, &m->val);
    }

    if (kz_query_is(&key, "post_filter")) {
        if (kz_query_empty(&m->val)) {
            return NGX_OK;
        }

        if (count) {
            return kz_query_bad(x, &body, "[post_filter] is not supported in"
                                " a count");
        }

        return kz_query_post(x, &m->val);
    }

    if (kz_query_is(&key, "min_score")) {
        return kz_query_real(x, &body, m, &x->q->min_score);
    }

    for (i = 0; kz_query_parts[i].name.len; i++) {
        if (key.len == kz_query_parts[i].name.len
            && ngx_memcmp(key.data, kz_query_parts[i].name.data, key.len)
               == 0)
        {
            return kz_query_part(x, count, m, kz_query_parts[i].part);
        }
    }

    if (kz_query_listed(kz_query_idle, &key)) {
        return NGX_OK;
    }

    if (kz_query_listed(kz_query_known, &key)) {

        if (kz_query_empty(&m->val)) {
            return NGX_OK;
        }

        return kz_query_bad(x, &body, "[%V] is not supported", &key);
    }

    x->err->status = KZ_STORE_BAD_ROOT_KEY;
    x->err->detail.data = x->err->text;
    x->err->detail.len = key.len;

    ngx_memcpy(x->err->text, key.data, key.len);

    return NGX_ERROR;
}


static ngx_uint_t
kz_query_listed(const char **list, const ngx_str_t *key)
{
    for ( /* void */ ; *list; list++) {
        if (key->len == ngx_strlen(*list)
            && ngx_memcmp(key->data, *list, key->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* An empty one is none. */
static ngx_int_t
kz_query_part(kz_query_parse_t *x, ngx_uint_t count,
    const kz_query_member_t *m, size_t part)
{
    kz_json_val_t     *v;
    kz_query_place_t   here;

    here.up = NULL;
    here.name = m->key;

    v = (kz_json_val_t *) ((u_char *) x->q + part);

    if (m->val.type == KZ_JSON_NULL
        || (kz_query_empty(&m->val)
            && part != offsetof(kz_query_t, source)
            && part != offsetof(kz_query_t, includes)))
    {
        return NGX_OK;
    }

    if (count) {
        return kz_query_bad(x, &here, "this is not supported in a count");
    }

    if (v->type != KZ_JSON_NONE) {
        return kz_query_bad(x, &here, "it is given twice");
    }

    *v = m->val;

    return NGX_OK;
}


/* What aggregations do not see: it is kept beside the query. */
static ngx_int_t
kz_query_post(kz_query_parse_t *x, const kz_json_val_t *v)
{
    kz_query_place_t   here;

    static ngx_str_t  name = ngx_string("post_filter");

    here.up = NULL;
    here.name = name;

    x->q->post = kz_query_clause(x, &here, v, 0, 0);

    return (x->q->post == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
kz_query_number(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, int64_t *n)
{
    if (v->type != KZ_JSON_NUMBER || kz_json_int(v, n) != NGX_OK || *n < 0
        || *n > 2147483647)
    {
        return kz_query_bad(x, at, "a whole number from 0 on was expected");
    }

    return NGX_OK;
}


/* null, false, {}, [] */
ngx_uint_t
kz_query_empty(const kz_json_val_t *v)
{
    kz_json_val_t      item;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    switch (v->type) {

    case KZ_JSON_NULL:
    case KZ_JSON_FALSE:
        return 1;

    case KZ_JSON_OBJECT:
        kz_json_iter(&it, v);
        return kz_json_next_member(&it, &m) != NGX_OK;

    case KZ_JSON_ARRAY:
        kz_json_iter(&it, v);
        return kz_json_next(&it, &item) != NGX_OK;

    default:
        return 0;
    }
}
