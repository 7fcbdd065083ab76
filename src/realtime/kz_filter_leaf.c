
/*
 * A filter's JSON to expressions: the operators that test a document.  "in"
 * and "ids" become equalities, "missing" a negated "exists".
 */

#include "realtime/kz_filter_parse.h"

#include <math.h>


static ngx_int_t
kz_filter_scalar(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_scalar_t *s)
{
    s->type = v->type;
    ngx_str_null(&s->str);
    s->num = 0;

    if (v->type == KZ_JSON_NUMBER) {
        s->num = kz_filter_number(v);
    }

    if (v->type == KZ_JSON_STRING) {
        return kz_json_string(c->temp, v, &s->str);
    }

    return NGX_OK;
}


static kz_filter_expr_t *
kz_filter_leaf(kz_filter_ctx_t *c, kz_filter_kind_e kind,
    const ngx_str_t *path, ngx_uint_t negated)
{
    kz_filter_expr_t  *e;

    if (kz_filter_count(c) != NGX_OK) {
        return NULL;
    }

    e = kz_filter_expr(c, KZ_FILTER_LEAF);

    if (e == NULL) {
        return NULL;
    }

    e->negated = negated;
    e->clause = kz_filter_clause(c, kind, path);

    return (e->clause != NULL) ? e : NULL;
}


static kz_filter_expr_t *
kz_filter_equality(kz_filter_ctx_t *c, const ngx_str_t *path,
    const kz_json_val_t *v, ngx_uint_t negated)
{
    kz_filter_expr_t  *e;

    e = kz_filter_leaf(c, KZ_FILTER_EQUALS, path, negated);

    if (e == NULL
        || kz_filter_scalar(c, v, &e->clause->u.scalar) != NGX_OK)
    {
        return NULL;
    }

    return e;
}


kz_filter_expr_t *
kz_filter_parse_equals(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    ngx_str_t       path;
    kz_json_val_t   value;
    kz_filter_at_t  field;

    if (kz_filter_property(c, v, at, &path, &value) != NGX_OK) {
        return NULL;
    }

    if (!kz_json_is_scalar(&value)) {
        kz_filter_down(&field, at, &path);
        kz_filter_old(c, "\"%V\" in \"%V\" must be either a string, a number, "
                         "a boolean or null", &path, &at->name);
        return kz_filter_new(c, &field, "must either be a string, a number, "
                                        "a boolean, or null");
    }

    return kz_filter_equality(c, &path, &value, negated);
}


/* An array of strings: any of them. */
static kz_filter_expr_t *
kz_filter_any_of(kz_filter_ctx_t *c, const ngx_str_t *path,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated)
{
    kz_json_val_t      item;
    kz_json_iter_t     it;
    kz_filter_expr_t  *e, **last;

    if (kz_filter_array(c, v, at, &at->up->name) != NGX_OK) {
        return NULL;
    }

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (item.type != KZ_JSON_STRING) {
            kz_filter_old(c, "Array \"%V\" in keyword \"%V\" can only "
                             "contain strings", &at->name, &at->up->name);
            return kz_filter_new(c, at,
                                 "must hold only values of type \"string\"");
        }
    }

    e = kz_filter_group(c, KZ_FILTER_OR, negated);

    if (e == NULL) {
        return NULL;
    }

    last = &e->first;

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        *last = kz_filter_equality(c, path, &item, negated);

        if (*last == NULL) {
            return NULL;
        }

        last = &(*last)->next;
    }

    return e;
}


kz_filter_expr_t *
kz_filter_parse_in(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    ngx_str_t       path;
    kz_json_val_t   values;
    kz_filter_at_t  field;

    if (kz_filter_property(c, v, at, &path, &values) != NGX_OK) {
        return NULL;
    }

    kz_filter_down(&field, at, &path);

    return kz_filter_any_of(c, &path, &values, &field, negated);
}


kz_filter_expr_t *
kz_filter_parse_ids(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    ngx_str_t       name;
    kz_json_val_t   values;
    kz_filter_at_t  field;

    static const ngx_str_t  id = ngx_string("_id");
    static const ngx_str_t  attribute = ngx_string("values");

    if (kz_filter_property(c, v, at, &name, &values) != NGX_OK) {
        return NULL;
    }

    if (kz_filter_str_cmp(&name, &attribute) != 0) {
        kz_filter_old(c, "\"ids\" requires the following attribute: values");
        return kz_filter_new(c, at, "the property \"values\" is missing");
    }

    kz_filter_down(&field, at, &attribute);

    return kz_filter_any_of(c, &id, &values, &field, negated);
}


/*
 * The path of "exists" may end in the array form: path["value"].  Its
 * bracket is the first that has no backslash before it and is not the first
 * byte; brackets that belong to names are escaped.
 */
static kz_filter_expr_t *
kz_filter_field(kz_filter_ctx_t *c, const ngx_str_t *field,
    kz_filter_at_t *at, const ngx_str_t *keyword, ngx_uint_t negated)
{
    size_t             i, len;
    u_char            *p;
    ngx_str_t          path, raw;
    kz_json_err_t      err;
    kz_json_val_t      value;
    kz_filter_expr_t  *e;

    len = field->len;
    ngx_str_null(&raw);

    if (field->data[len - 1] == ']') {
        for (i = 1; i < len - 1; i++) {
            if (field->data[i] == '[' && field->data[i - 1] != '\\') {
                raw.data = field->data + i + 1;
                raw.len = len - i - 2;
                len = i;
                break;
            }
        }
    }

    path.data = ngx_pnalloc(c->temp, len);

    if (path.data == NULL) {
        return NULL;
    }

    for (i = 0, p = path.data; i < len; i++) {
        if (field->data[i] == '\\' && i + 1 < len
            && (field->data[i + 1] == '[' || field->data[i + 1] == ']'))
        {
            i++;
        }

        *p++ = field->data[i];
    }

    path.len = p - path.data;

    if (raw.data == NULL) {
        return kz_filter_leaf(c, KZ_FILTER_EXISTS, &path, negated);
    }

    /* depth 0: neither an array nor an object */

    if (kz_json_scan(raw.data, raw.len, 0, &value, &err) != NGX_OK) {
        kz_filter_old(c, "[%V] Invalid array value \"%V\"", keyword, &raw);
        return kz_filter_new(c, at, "contains an invalid array value (\"%V\")",
                             &raw);
    }

    e = kz_filter_leaf(c, KZ_FILTER_CONTAINS, &path, negated);

    if (e == NULL
        || kz_filter_scalar(c, &value, &e->clause->u.scalar) != NGX_OK)
    {
        return NULL;
    }

    return e;
}


kz_filter_expr_t *
kz_filter_parse_exists(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    ngx_str_t        name, field;
    kz_json_val_t    value;
    kz_filter_at_t   sub, *where;

    static const ngx_str_t  attribute = ngx_string("field");

    where = at;
    value = *v;

    if (v->type != KZ_JSON_STRING) {

        if (kz_filter_property(c, v, at, &name, &value) != NGX_OK) {
            return NULL;
        }

        if (kz_filter_str_cmp(&name, &attribute) != 0) {
            kz_filter_old(c, "Attribute \"field\" in \"%V\" must be a string",
                          &at->name);
            return kz_filter_new(c, at, "the property \"field\" is missing");
        }

        kz_filter_down(&sub, at, &attribute);
        where = &sub;

        if (value.type != KZ_JSON_STRING) {
            kz_filter_old(c, "Attribute \"field\" in \"%V\" must be a string",
                          &at->name);
            return kz_filter_new(c, where, "must be a string");
        }
    }

    if (kz_json_string(c->temp, &value, &field) != NGX_OK) {
        return NULL;
    }

    if (field.len == 0) {
        kz_filter_old(c, "%V: cannot test empty field name", &at->name);
        return kz_filter_new(c, where,
                             (where == at) ? "cannot test empty field name"
                                           : "cannot be empty");
    }

    return kz_filter_field(c, &field, where, &at->name, negated);
}


kz_filter_expr_t *
kz_filter_parse_missing(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    return kz_filter_parse_exists(c, v, at, !negated);
}


/*
 * One of gt, gte, lt, lte: NGX_DECLINED when it is not there.  at is the
 * field's.
 */
static ngx_int_t
kz_filter_bound(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, const char *name, double *num)
{
    kz_json_val_t   bound;
    kz_filter_at_t  sub;

    if (kz_json_get(v, name, ngx_strlen(name), &bound) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (bound.type != KZ_JSON_NUMBER) {
        kz_filter_down_to(&sub, at, name);
        kz_filter_old(c, "\"range.%V.%s\" must be a number", &at->name, name);
        kz_filter_new(c, &sub, "must be a number");
        return NGX_ERROR;
    }

    *num = kz_filter_number(&bound);

    return NGX_OK;
}


static ngx_int_t
kz_filter_range_names(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at)
{
    ngx_int_t  rc;
    ngx_str_t  name;

    static const char  *allowed[] = { "gt", "gte", "lt", "lte", NULL };

    rc = kz_filter_attributes(c, v, at, allowed, &name);

    if (rc == NGX_ERROR) {
        kz_filter_old(c, "\"range.%V\" must be a non-empty object",
                      &at->name);
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        kz_filter_old(c, "\"range.%V\" accepts only the following attributes "
                         ": gt, gte, lt, lte", &at->name);
        kz_filter_new(c, at, "\"%V\" is not an allowed attribute "
                             "(allowed: gt,gte,lt,lte)", &name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static kz_filter_expr_t *
kz_filter_range_refused(kz_filter_ctx_t *c, kz_filter_at_t *at,
    const char *why)
{
    kz_filter_old(c, "\"range.%V:\" %s", &at->name, why);

    return kz_filter_new(c, at, "%s", why);
}


kz_filter_expr_t *
kz_filter_parse_range(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    ngx_int_t           gt, gte, lt, lte;
    ngx_str_t           path;
    kz_json_val_t       bounds;
    kz_filter_at_t      field;
    kz_filter_expr_t   *e;
    kz_filter_range_t   r;

    if (kz_filter_property(c, v, at, &path, &bounds) != NGX_OK) {
        return NULL;
    }

    kz_filter_down(&field, at, &path);

    if (kz_filter_range_names(c, &bounds, &field) != NGX_OK) {
        return NULL;
    }

    r.low = -INFINITY;
    r.high = INFINITY;

    gt = kz_filter_bound(c, &bounds, &field, "gt", &r.low);
    gte = (gt == NGX_ERROR) ? NGX_ERROR
          : kz_filter_bound(c, &bounds, &field, "gte", &r.low);
    lt = (gte == NGX_ERROR) ? NGX_ERROR
         : kz_filter_bound(c, &bounds, &field, "lt", &r.high);
    lte = (lt == NGX_ERROR) ? NGX_ERROR
          : kz_filter_bound(c, &bounds, &field, "lte", &r.high);

    if (lte == NGX_ERROR) {
        return NULL;
    }

    if (lt == NGX_OK && lte == NGX_OK) {
        return kz_filter_range_refused(c, &field,
                                       "only 1 upper boundary allowed");
    }

    if (gt == NGX_OK && gte == NGX_OK) {
        return kz_filter_range_refused(c, &field,
                                       "only 1 lower boundary allowed");
    }

    /* Kuzzle: {gte: 5, lte: 5} is refused as well */

    if (r.high <= r.low) {
        return kz_filter_range_refused(c, &field,
                                       "lower boundary must be strictly "
                                       "inferior to the upper one");
    }

    r.above = (gt == NGX_OK);
    r.below = (lt == NGX_OK);

    e = kz_filter_leaf(c, KZ_FILTER_RANGE, &path, negated);

    if (e != NULL) {
        e->clause->u.range = r;
    }

    return e;
}
