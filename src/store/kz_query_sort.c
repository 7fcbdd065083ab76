/*
 * Sort keys: "field", {"field": "desc"}, {"field": {...}}, or distances:
 * {"_geo_distance": {"field": point, ...}}.
 */

#include "store/kz_query_parse.h"


static ngx_int_t kz_query_sort_one(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v);
static ngx_int_t kz_query_sort_key(kz_query_parse_t *x,
    const kz_query_place_t *at, const ngx_str_t *field,
    const kz_json_val_t *v);
static ngx_int_t kz_query_sort_option(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_sort_t *s,
    const kz_query_member_t *m);
static ngx_int_t kz_query_sort_mode(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_sort_t *s, const ngx_str_t *mode);
static ngx_int_t kz_query_sort_nested(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_sort_t *s, const kz_json_val_t *v);
static ngx_int_t kz_query_sort_geo(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_sort_t *s, const kz_json_val_t *v);
static ngx_int_t kz_query_sort_points(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_sort_t *s, const kz_json_val_t *v);
static ngx_int_t kz_query_order(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_sort_t *s, const ngx_str_t *text);


ngx_int_t
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
    kz_query_place_t     here;
    kz_query_sort_t     *s;
    kz_query_member_t   *m;

    if (x->q->nsort == KZ_QUERY_MAX_SORT) {
        return kz_query_bad(x, at, "too many sort keys: at most %d are"
                            " allowed", KZ_QUERY_MAX_SORT);
    }

    s = &x->q->sort[x->q->nsort++];

    s->field = *field;
    s->type = KZ_SORT_FIELD;

    here.up = at;
    here.name = *field;

    if (kz_query_is(field, "_score")) {
        s->type = KZ_SORT_SCORE;
        s->desc = 1;

    } else if (kz_query_is(field, "_id") || kz_query_is(field, "_uid")) {
        s->type = KZ_SORT_ID;

    } else if (kz_query_is(field, "_doc")) {
        s->type = KZ_SORT_DOC;

    } else if (kz_query_is(field, "_geo_distance")) {
        s->type = KZ_SORT_GEO;
        return kz_query_sort_geo(x, &here, s, v);

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

    if (v->type == KZ_JSON_STRING) {
        if (kz_json_string(x->pool, v, &text) != NGX_OK
            || kz_query_order(x, &here, s, &text) != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (v->type != KZ_JSON_NONE) {

        if (kz_query_members(x, &here, v, &m, &n) != NGX_OK) {
            return NGX_ERROR;
        }

        for (i = 0; i < n; i++) {
            if (kz_query_sort_option(x, &here, s, &m[i]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    s->max = (s->mode == 0) ? s->desc : (s->mode == KZ_MODE_MAX);

    return NGX_OK;
}


static ngx_int_t
kz_query_sort_option(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_sort_t *s, const kz_query_member_t *m)
{
    ngx_str_t  text, key;

    text.len = 0;

    if (m->val.type == KZ_JSON_STRING
        && kz_json_string(x->pool, &m->val, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_query_is(&m->key, "order") || kz_query_is(&m->key, "reverse")) {

        if (m->key.len == 7) {
            s->desc = (m->val.type == KZ_JSON_TRUE);
            return NGX_OK;
        }

        return kz_query_order(x, at, s, &text);
    }

    if (kz_query_is(&m->key, "mode")) {
        return kz_query_sort_mode(x, at, s, &text);
    }

    if (kz_query_is(&m->key, "nested_path")) {
        s->nested = text;
        return NGX_OK;
    }

    if (kz_query_is(&m->key, "nested")) {
        return kz_query_sort_nested(x, at, s, &m->val);
    }

    if (s->type == KZ_SORT_FIELD) {

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

        if (kz_query_is(&m->key, "unmapped_type")
            || kz_query_is(&m->key, "ignore_unmapped"))
        {
            s->lenient = 1;
            return NGX_OK;
        }

        /* the number's type changes nothing here */

        if (kz_query_is(&m->key, "numeric_type")) {
            return NGX_OK;
        }
    }

    key = m->key;
    key.len = ngx_min(key.len, 64);

    return kz_query_bad(x, at, "[%V] is not supported in a sort key", &key);
}


static ngx_int_t
kz_query_sort_mode(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_sort_t *s, const ngx_str_t *mode)
{
    ngx_uint_t  i;

    static const struct {
        ngx_str_t        name;
        kz_sort_mode_e   mode;
    } modes[] = {
        { ngx_string("min"), KZ_MODE_MIN },
        { ngx_string("max"), KZ_MODE_MAX },
        { ngx_string("avg"), KZ_MODE_AVG },
        { ngx_string("sum"), KZ_MODE_SUM },
        { ngx_string("median"), KZ_MODE_MEDIAN },
        { ngx_null_string, 0 }
    };

    for (i = 0; modes[i].name.len; i++) {
        if (mode->len == modes[i].name.len
            && ngx_strncasecmp(mode->data, modes[i].name.data, mode->len)
               == 0)
        {
            s->mode = modes[i].mode;
            return NGX_OK;
        }
    }

    return kz_query_bad(x, at, "[mode] must be \"min\", \"max\", \"avg\","
                        " \"sum\" or \"median\"");
}


/* {"path": "lines", "filter": {...}} */
static ngx_int_t
kz_query_sort_nested(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_sort_t *s, const kz_json_val_t *v)
{
    ngx_str_t            key;
    ngx_uint_t           i, n;
    kz_query_place_t     here, filter;
    kz_query_member_t   *m;

    static ngx_str_t  nested = ngx_string("nested");

    here.up = at;
    here.name = nested;

    if (kz_query_members(x, &here, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "path")) {
            if (kz_query_text(x, &here, &m[i], &s->nested) != NGX_OK) {
                return NGX_ERROR;
            }

        } else if (kz_query_is(&m[i].key, "filter")) {
            filter.up = &here;
            filter.name = m[i].key;

            s->filter = kz_query_clause(x, &filter, &m[i].val, 0, 1);

            if (s->filter == NULL) {
                return NGX_ERROR;
            }

        } else {
            key = m[i].key;
            key.len = ngx_min(key.len, 64);

            return kz_query_bad(x, &here, "[%V] is not supported", &key);
        }
    }

    if (s->nested.len == 0) {
        return kz_query_bad(x, &here, "[path] is needed");
    }

    return NGX_OK;
}


/* {"field": point or points, "order": "asc", "unit": "km", ...} */
static ngx_int_t
kz_query_sort_geo(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_sort_t *s, const kz_json_val_t *v)
{
    ngx_str_t            text;
    ngx_uint_t           i, n;
    kz_query_member_t   *m;

    if (v->type != KZ_JSON_OBJECT) {
        return kz_query_bad(x, at, "an object was expected");
    }

    ngx_str_null(&s->field);
    s->unit = 1;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "unit")) {

            if (kz_query_text(x, at, &m[i], &text) != NGX_OK) {
                return NGX_ERROR;
            }

            if (kz_geo_unit(text.data, text.len, &s->unit) != NGX_OK) {
                return kz_query_bad(x, at, "[unit]: no such unit");
            }

            continue;
        }

        if (kz_query_is(&m[i].key, "distance_type")
            || kz_query_is(&m[i].key, "validation_method"))
        {
            continue;
        }

        if (kz_query_is(&m[i].key, "ignore_unmapped")) {
            s->lenient = 1;
            continue;
        }

        if (kz_query_is(&m[i].key, "order") || kz_query_is(&m[i].key, "mode")
            || kz_query_is(&m[i].key, "nested")
            || kz_query_is(&m[i].key, "nested_path"))
        {
            if (kz_query_sort_option(x, at, s, &m[i]) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (s->field.data != NULL) {
            return kz_query_bad(x, at, "there are two fields, [%V] and"
                                " [%V]", &s->field, &m[i].key);
        }

        s->field = m[i].key;

        if (kz_query_sort_points(x, at, s, &m[i].val) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (s->npoints == 0) {
        return kz_query_bad(x, at, "a field with a point is needed");
    }

    s->max = (s->mode == 0) ? s->desc : (s->mode == KZ_MODE_MAX);

    return NGX_OK;
}


/* One point, or an array of them: [1, 2] is one. */
static ngx_int_t
kz_query_sort_points(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_sort_t *s, const kz_json_val_t *v)
{
    ngx_uint_t        n;
    kz_json_iter_t    it;
    kz_json_val_t     item;

    n = 1;

    if (v->type == KZ_JSON_ARRAY) {
        kz_json_iter(&it, v);

        for (n = 0; kz_json_next(&it, &item) == NGX_OK; n++) {
            /* void */
        }
    }

    if (n > 1000) {
        return kz_query_bad(x, at, "at most 1000 points are allowed");
    }

    s->points = ngx_palloc(x->pool, (n + 1) * sizeof(kz_geo_point_t));
    if (s->points == NULL) {
        return NGX_ERROR;
    }

    if (kz_geo_point(v, KZ_GEO_ENGINE, &s->points[0]) == NGX_OK) {
        s->npoints = 1;
        return NGX_OK;
    }

    if (v->type == KZ_JSON_ARRAY) {
        kz_json_iter(&it, v);

        while (kz_json_next(&it, &item) == NGX_OK) {
            if (kz_geo_point(&item, KZ_GEO_ENGINE, &s->points[s->npoints++])
                != NGX_OK)
            {
                break;
            }
        }

        if (n && s->npoints == n
            && kz_geo_point(&item, KZ_GEO_ENGINE, &s->points[n]) == NGX_OK)
        {
            return NGX_OK;
        }
    }

    return kz_query_bad(x, at, "failed to parse the point of [%V]",
                        &s->field);
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


ngx_int_t
kz_query_collapse(ngx_pool_t *pool, kz_query_t *q, kz_mapping_err_t *err)
{
    ngx_uint_t           i, n;
    kz_query_place_t     at;
    kz_query_parse_t     x;
    kz_query_sort_t     *sort, *s;
    kz_query_member_t   *m;

    static ngx_str_t  name = ngx_string("collapse");

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    x.pool = pool;
    x.err = err;
    x.q = q;

    at.up = NULL;
    at.name = name;

    if (kz_query_members(&x, &at, &q->collapse, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    sort = ngx_pcalloc(pool, (q->nsort + 1) * sizeof(kz_query_sort_t));
    if (sort == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < q->nsort; i++) {
        sort[i] = q->sort[i];
    }

    s = &sort[q->nsort++];
    q->sort = sort;

    s->type = KZ_SORT_FIELD;
    s->lenient = 1;

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "max_concurrent_group_searches")) {
            continue;
        }

        if (!kz_query_is(&m[i].key, "field")) {
            m[i].key.len = ngx_min(m[i].key.len, 64);

            return kz_query_bad(&x, &at, "[%V] is not supported",
                                &m[i].key);
        }

        if (kz_query_text(&x, &at, &m[i], &s->field) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (s->field.len == 0) {
        return kz_query_bad(&x, &at, "[field] is needed");
    }

    return NGX_OK;
}
