
/*
 * The body of a search: what stands around the query.
 */

#include "store/kz_query_parse.h"


static ngx_int_t kz_query_root(kz_query_parse_t *x, ngx_uint_t count,
    const kz_query_member_t *m);
static ngx_int_t kz_query_post(kz_query_parse_t *x,
    const kz_json_val_t *v);
static ngx_int_t kz_query_number(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, int64_t *n);
static ngx_int_t kz_query_sort(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v);
static ngx_int_t kz_query_sort_one(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v);
static ngx_int_t kz_query_sort_key(kz_query_parse_t *x,
    const kz_query_place_t *at, const ngx_str_t *field,
    const kz_json_val_t *v);
static ngx_int_t kz_query_sort_option(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_sort_t *s,
    const kz_query_member_t *m, ngx_str_t *mode);
static ngx_int_t kz_query_order(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_sort_t *s, const ngx_str_t *text);
static ngx_uint_t kz_query_empty(const kz_json_val_t *v);


/* Allowed at the root by Kuzzle (2.x); not understood here unless empty. */

static const char  *kz_query_known[] = {
    "aggregations", "aggs", "collapse", "explain", "fields", "highlight",
    "search_after", "search_timeout", "suggest", "_name", "_source",
    "_source_excludes", "_source_includes", NULL
};


kz_query_t *
kz_query_parse(ngx_pool_t *pool, const kz_json_val_t *body, ngx_uint_t count,
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

        /* the query goes first: post_filter is put around it */

        for (i = 0; i < n; i++) {
            if (kz_query_is(&m[i].key, "query")
                && kz_query_root(&x, count, &m[i]) != NGX_OK)
            {
                return NULL;
            }
        }

        for (i = 0; i < n; i++) {
            if (!kz_query_is(&m[i].key, "query")
                && kz_query_root(&x, count, &m[i]) != NGX_OK)
            {
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
kz_query_root(kz_query_parse_t *x, ngx_uint_t count,
    const kz_query_member_t *m)
{
    ngx_str_t          key;
    ngx_uint_t         i;
    kz_query_place_t   here;

    static kz_query_place_t  body = { NULL, ngx_string("body"), 0 };

    key = m->key;
    key.len = ngx_min(key.len, 128);

    here.up = NULL;
    here.name = key;

    if (kz_query_is(&key, "query")) {

        if (m->val.type == KZ_JSON_NULL
            || (m->val.type == KZ_JSON_OBJECT && kz_query_empty(&m->val)))
        {
            return NGX_OK;
        }

        x->q->root = kz_query_clause(x, &here, &m->val, 1, 0);

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
        return kz_query_empty(&m->val) ? NGX_OK : kz_query_post(x, &m->val);
    }

    for (i = 0; kz_query_known[i] != NULL; i++) {

        if (key.len == ngx_strlen(kz_query_known[i])
            && ngx_memcmp(key.data, kz_query_known[i], key.len) == 0)
        {
            if (kz_query_is(&key, "_source")) {
                if (m->val.type == KZ_JSON_TRUE
                    || m->val.type == KZ_JSON_NULL)
                {
                    return NGX_OK;
                }

            } else if (kz_query_empty(&m->val)
                       || kz_query_is(&key, "_name"))
            {
                return NGX_OK;
            }

            return kz_query_bad(x, &body, "[%V] is not supported", &key);
        }
    }

    x->err->status = KZ_STORE_BAD_ROOT_KEY;
    x->err->detail.data = x->err->text;
    x->err->detail.len = key.len;

    ngx_memcpy(x->err->text, key.data, key.len);

    return NGX_ERROR;
}


/* Without aggregations it is a filter like any other. */
static ngx_int_t
kz_query_post(kz_query_parse_t *x, const kz_json_val_t *v)
{
    kz_query_node_t   *node;
    kz_query_place_t   here;

    static ngx_str_t  name = ngx_string("post_filter");

    here.up = NULL;
    here.name = name;

    node = kz_query_node(x, &here, KZ_QUERY_BOOL, 0);
    if (node == NULL) {
        return NGX_ERROR;
    }

    node->all = kz_query_clause(x, &here, v, 0, 0);

    if (node->all == NULL) {
        return NGX_ERROR;
    }

    if (x->q->root == NULL) {
        x->q->root = kz_query_node(x, &here, KZ_QUERY_ALL, 1);

        if (x->q->root == NULL) {
            return NGX_ERROR;
        }
    }

    node->all->next = x->q->root;
    x->q->root = node;

    return NGX_OK;
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


static ngx_int_t
kz_query_sort(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v)
{
    kz_json_val_t      item;
    kz_json_iter_t     it;
    kz_query_place_t   here;

    if (kz_query_empty(v)) {
        return NGX_OK;
    }

    x->q->sort = ngx_pcalloc(x->pool,
                             KZ_QUERY_MAX_SORT * sizeof(kz_query_sort_t));
    if (x->q->sort == NULL) {
        return NGX_ERROR;
    }

    if (v->type != KZ_JSON_ARRAY) {
        return kz_query_sort_one(x, at, v);
    }

    here.up = at;
    here.name.data = NULL;
    here.name.len = 0;
    here.index = 0;

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (kz_query_sort_one(x, &here, &item) != NGX_OK) {
            return NGX_ERROR;
        }

        here.index++;
    }

    return NGX_OK;
}


/* "field", {"field": "asc"}, {"field": {...}}, several in one object. */
static ngx_int_t
kz_query_sort_one(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v)
{
    ngx_str_t            field;
    ngx_uint_t           i, n;
    kz_json_val_t        none;
    kz_query_member_t   *m;

    none.type = KZ_JSON_NONE;

    if (v->type == KZ_JSON_STRING) {
        if (kz_json_string(x->pool, v, &field) != NGX_OK) {
            return NGX_ERROR;
        }

        return kz_query_sort_key(x, at, &field, &none);
    }

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (kz_query_sort_key(x, at, &m[i].key, &m[i].val) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_sort_key(kz_query_parse_t *x, const kz_query_place_t *at,
    const ngx_str_t *field, const kz_json_val_t *v)
{
    ngx_str_t            text;
    ngx_uint_t           i, n;
    kz_query_sort_t     *s;
    kz_query_member_t   *m;

    if (x->q->nsort == KZ_QUERY_MAX_SORT) {
        return kz_query_bad(x, at, "too many sort keys: at most %d are"
                            " allowed", KZ_QUERY_MAX_SORT);
    }

    s = &x->q->sort[x->q->nsort++];

    s->field = *field;
    s->type = KZ_SORT_FIELD;

    if (kz_query_is(field, "_score")) {
        s->type = KZ_SORT_SCORE;
        s->desc = 1;

    } else if (kz_query_is(field, "_id") || kz_query_is(field, "_uid")) {
        s->type = KZ_SORT_ID;

    } else if (kz_query_is(field, "_doc")) {
        s->type = KZ_SORT_DOC;

    } else if (field->len == 0 || field->data[0] == '_') {

        if (field->len < sizeof("_kuzzle_info.") - 1
            || ngx_memcmp(field->data, "_kuzzle_info.",
                          sizeof("_kuzzle_info.") - 1)
               != 0)
        {
            text = *field;
            text.len = ngx_min(text.len, 64);

            return kz_query_bad(x, at, "sorting by [%V] is not supported",
                                &text);
        }
    }

    text.len = 0;

    if (v->type == KZ_JSON_STRING) {
        if (kz_json_string(x->pool, v, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_query_order(x, at, s, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        text.len = 0;

    } else if (v->type != KZ_JSON_NONE) {

        if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
            return NGX_ERROR;
        }

        for (i = 0; i < n; i++) {
            if (kz_query_sort_option(x, at, s, &m[i], &text) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    s->max = (text.len == 0) ? s->desc : kz_query_is(&text, "max");

    return NGX_OK;
}


static ngx_int_t
kz_query_sort_option(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_sort_t *s, const kz_query_member_t *m, ngx_str_t *mode)
{
    ngx_str_t  text, key;

    text.len = 0;

    if (m->val.type == KZ_JSON_STRING
        && kz_json_string(x->pool, &m->val, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_query_is(&m->key, "order")) {
        return kz_query_order(x, at, s, &text);
    }

    if (kz_query_is(&m->key, "mode")) {

        if (!kz_query_is(&text, "min") && !kz_query_is(&text, "max")) {
            return kz_query_bad(x, at, "[mode] must be \"min\" or \"max\"");
        }

        *mode = text;
        return NGX_OK;
    }

    if (kz_query_is(&m->key, "missing")
        && kz_json_is_scalar(&m->val) && m->val.type != KZ_JSON_NULL)
    {
        if (kz_query_is(&text, "_first")) {
            s->first = 1;

        } else if (!kz_query_is(&text, "_last")) {
            s->missing = m->val;
        }

        return NGX_OK;
    }

    if (kz_query_is(&m->key, "unmapped_type")) {
        s->lenient = 1;
        return NGX_OK;
    }

    key = m->key;
    key.len = ngx_min(key.len, 64);

    return kz_query_bad(x, at, "[%V] is not supported in a sort key", &key);
}


static ngx_int_t
kz_query_order(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_sort_t *s, const ngx_str_t *text)
{
    if (text->len == 3
        && ngx_strncasecmp(text->data, (u_char *) "asc", 3) == 0)
    {
        s->desc = 0;
        return NGX_OK;
    }

    if (text->len == 4
        && ngx_strncasecmp(text->data, (u_char *) "desc", 4) == 0)
    {
        s->desc = 1;
        return NGX_OK;
    }

    return kz_query_bad(x, at, "a sort order is \"asc\" or \"desc\"");
}


/* null, false, {}, [] */
static ngx_uint_t
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
