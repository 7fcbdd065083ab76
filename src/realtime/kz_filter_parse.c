
/*
 * A filter's JSON to expressions: the operators that combine others.
 * Negations are pushed down on the way (De Morgan), so that what comes out
 * is and, or, leaves.
 *
 * The functions are mutually recursive; max_depth bounds that.
 */

#include "realtime/kz_filter_parse.h"


typedef struct {
    ngx_str_t            keyword;
    kz_filter_parse_pt   parse;
} kz_filter_keyword_t;


static kz_filter_expr_t *kz_filter_parse_one(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *up, ngx_uint_t negated);
static kz_filter_expr_t *kz_filter_parse_and(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);
static kz_filter_expr_t *kz_filter_parse_bool(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);
static kz_filter_expr_t *kz_filter_parse_not(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);
static kz_filter_expr_t *kz_filter_parse_nothing(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);
static kz_filter_expr_t *kz_filter_parse_or(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);
static kz_filter_expr_t *kz_filter_parse_unsupported(kz_filter_ctx_t *c,
    const kz_json_val_t *v, kz_filter_at_t *at, ngx_uint_t negated);


static const kz_filter_keyword_t  kz_filter_keywords[] = {
    { ngx_string("and"), kz_filter_parse_and },
    { ngx_string("bool"), kz_filter_parse_bool },
    { ngx_string("equals"), kz_filter_parse_equals },
    { ngx_string("exists"), kz_filter_parse_exists },
    { ngx_string("geoBoundingBox"), kz_filter_parse_unsupported },
    { ngx_string("geoDistance"), kz_filter_parse_unsupported },
    { ngx_string("geoDistanceRange"), kz_filter_parse_unsupported },
    { ngx_string("geoPolygon"), kz_filter_parse_unsupported },
    { ngx_string("ids"), kz_filter_parse_ids },
    { ngx_string("in"), kz_filter_parse_in },
    { ngx_string("match"), kz_filter_parse_unsupported },
    { ngx_string("missing"), kz_filter_parse_missing },
    { ngx_string("not"), kz_filter_parse_not },
    { ngx_string("nothing"), kz_filter_parse_nothing },
    { ngx_string("or"), kz_filter_parse_or },
    { ngx_string("range"), kz_filter_parse_range },
    { ngx_string("regexp"), kz_filter_parse_unsupported },
    { ngx_string("select"), kz_filter_parse_unsupported },
    { ngx_null_string, NULL }
};


/* Building expressions. */

kz_filter_expr_t *
kz_filter_expr(kz_filter_ctx_t *c, kz_filter_op_e op)
{
    kz_filter_expr_t  *e;

    e = ngx_pcalloc(c->temp, sizeof(kz_filter_expr_t));

    if (e != NULL) {
        e->op = op;
    }

    return e;
}


/* De Morgan: a negated "and" is the "or" of what is negated in it. */
kz_filter_expr_t *
kz_filter_group(kz_filter_ctx_t *c, kz_filter_op_e op, ngx_uint_t negated)
{
    if (negated) {
        op = (op == KZ_FILTER_AND) ? KZ_FILTER_OR : KZ_FILTER_AND;
    }

    return kz_filter_expr(c, op);
}


/* Kuzzle: what koncorde 4 counts against its limit are leaves. */
ngx_int_t
kz_filter_count(kz_filter_ctx_t *c)
{
    if (++c->conditions > KZ_FILTER_MAX_CONDITIONS) {
        return kz_filter_too_complex(c, "conditions",
                                     KZ_FILTER_MAX_CONDITIONS, c->conditions);
    }

    return NGX_OK;
}


/* Keywords. */

kz_filter_expr_t *
kz_filter_parse(kz_filter_ctx_t *c, const kz_json_val_t *body)
{
    if (body == NULL
        || body->type == KZ_JSON_NONE || body->type == KZ_JSON_NULL)
    {
        return kz_filter_expr(c, KZ_FILTER_TRUE);
    }

    if (body->type != KZ_JSON_OBJECT) {
        kz_filter_old(c, "Invalid filter syntax. Filters must be objects");
        return kz_filter_new(c, NULL,
                             "Invalid filter syntax. Filters must be objects");
    }

    return kz_filter_parse_one(c, body, NULL, 0);
}


static kz_filter_expr_t *
kz_filter_parse_one(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *up, ngx_uint_t negated)
{
    ngx_str_t                   name;
    ngx_uint_t                  n;
    kz_json_val_t               arg;
    kz_filter_at_t              at;
    const kz_filter_keyword_t  *kw;

    if (kz_filter_members(c, v, &name, &arg, &n) != NGX_OK) {
        return NULL;
    }

    if (n == 0) {
        return kz_filter_expr(c, negated ? KZ_FILTER_FALSE : KZ_FILTER_TRUE);
    }

    if (n > 1) {
        kz_filter_old(c, "Invalid filter syntax. "
                         "Filters must have one keyword only");
        return kz_filter_new(c, up, "Invalid filter syntax. "
                                    "Filters must have one keyword only");
    }

    kz_filter_down(&at, up, &name);

    if (++at.depth > c->max_depth) {
        (void) kz_filter_too_complex(c, "levels", c->max_depth, at.depth);
        return NULL;
    }

    for (kw = kz_filter_keywords; kw->parse != NULL; kw++) {
        if (kz_filter_str_cmp(&kw->keyword, &name) == 0) {
            return kw->parse(c, &arg, &at, negated);
        }
    }

    kz_filter_old(c, "Unknown DSL keyword: %V", &name);

    return kz_filter_new(c, &at, "unknown keyword");
}


static kz_filter_expr_t *
kz_filter_parse_unsupported(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    (void) v;
    (void) negated;

    kz_filter_old(c, "The keyword \"%V\" is not supported by this server yet",
                  &at->name);

    return kz_filter_new(c, at,
                         "the keyword \"%V\" is not supported by this server "
                         "yet", &at->name);
}


static kz_filter_expr_t *
kz_filter_parse_nothing(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    (void) v;
    (void) at;

    if (kz_filter_count(c) != NGX_OK) {
        return NULL;
    }

    return kz_filter_expr(c, negated ? KZ_FILTER_TRUE : KZ_FILTER_FALSE);
}


static kz_filter_expr_t *
kz_filter_parse_not(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    ngx_str_t      name;
    kz_json_val_t  arg;

    if (kz_filter_property(c, v, at, &name, &arg) != NGX_OK) {
        return NULL;
    }

    return kz_filter_parse_one(c, v, at, !negated);
}


/* An operand of and, or: NGX_ERROR when it is not a filter. */
static ngx_int_t
kz_filter_operand(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at)
{
    if (v->type == KZ_JSON_OBJECT && !kz_filter_is_empty(v)) {
        return NGX_OK;
    }

    kz_filter_old(c, "\"%V\" operand can only contain non-empty objects",
                  &at->name);
    kz_filter_new(c, at, "can only contain non-empty objects");

    return NGX_ERROR;
}


/*
 * Appends the filters of an array (or a single one, where that is allowed)
 * to a group.  at is that of the operator.
 */
static ngx_int_t
kz_filter_operands(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated, kz_filter_expr_t ***last)
{
    kz_json_val_t       item;
    kz_json_iter_t      it;
    kz_filter_expr_t  **link;

    link = *last;

    if (v->type != KZ_JSON_ARRAY) {
        if (kz_filter_operand(c, v, at) != NGX_OK) {
            return NGX_ERROR;
        }

        *link = kz_filter_parse_one(c, v, at, negated);

        if (*link == NULL) {
            return NGX_ERROR;
        }

        *last = &(*link)->next;

        return NGX_OK;
    }

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        if (kz_filter_operand(c, &item, at) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        *link = kz_filter_parse_one(c, &item, at, negated);

        if (*link == NULL) {
            return NGX_ERROR;
        }

        link = &(*link)->next;
    }

    *last = link;

    return NGX_OK;
}


static kz_filter_expr_t *
kz_filter_parse_group(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, kz_filter_op_e op, ngx_uint_t negated)
{
    kz_filter_expr_t  *e, **last;

    if (kz_filter_array(c, v, at, &at->name) != NGX_OK) {
        return NULL;
    }

    e = kz_filter_group(c, op, negated);

    if (e == NULL) {
        return NULL;
    }

    last = &e->first;

    if (kz_filter_operands(c, v, at, negated, &last) != NGX_OK) {
        return NULL;
    }

    return (e->first->next != NULL) ? e : e->first;
}


static kz_filter_expr_t *
kz_filter_parse_and(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    return kz_filter_parse_group(c, v, at, KZ_FILTER_AND, negated);
}


static kz_filter_expr_t *
kz_filter_parse_or(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    return kz_filter_parse_group(c, v, at, KZ_FILTER_OR, negated);
}


/* The attributes of "bool"; there is at least one. */
static ngx_int_t
kz_filter_bool_names(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at)
{
    ngx_int_t  rc;
    ngx_str_t  name;

    static const char  *allowed[] = {
        "must", "must_not", "should", "should_not", NULL
    };

    rc = kz_filter_attributes(c, v, at, allowed, &name);

    if (rc == NGX_ERROR) {
        kz_filter_old(c, "\"bool\" must be a non-empty object");
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        kz_filter_old(c, "\"bool\" operand accepts only the following "
                         "attributes: must, must_not, should, should_not");
        kz_filter_new(c, at, "\"%V\" is not an allowed attribute "
                             "(allowed: must,must_not,should,should_not)",
                      &name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Kuzzle: an attribute that JavaScript takes for false is not there. */
static ngx_int_t
kz_filter_bool_get(const kz_json_val_t *v, const char *name,
    kz_json_val_t *arg)
{
    if (kz_json_get(v, name, ngx_strlen(name), arg) != NGX_OK) {
        return NGX_DECLINED;
    }

    switch (arg->type) {
    case KZ_JSON_NULL:
    case KZ_JSON_FALSE:
        return NGX_DECLINED;
    case KZ_JSON_STRING:
        return (arg->raw.len > 2) ? NGX_OK : NGX_DECLINED;
    case KZ_JSON_NUMBER:
        return (kz_json_double(arg) != 0) ? NGX_OK : NGX_DECLINED;
    default:
        return NGX_OK;
    }
}


/*
 * Kuzzle: "bool" is rewritten as {and: [must..., {not: {or: must_not}},
 * {or: should}, {not: {and: should_not}}]}, and the paths in messages are
 * those of that.  A "must" need not be an array.
 */
static kz_filter_expr_t *
kz_filter_parse_bool(kz_filter_ctx_t *c, const kz_json_val_t *v,
    kz_filter_at_t *at, ngx_uint_t negated)
{
    kz_json_val_t       arg;
    kz_filter_at_t      and, not, sub;
    kz_filter_expr_t   *e, **last;

    if (kz_filter_bool_names(c, v, at) != NGX_OK) {
        return NULL;
    }

    e = kz_filter_group(c, KZ_FILTER_AND, negated);

    if (e == NULL) {
        return NULL;
    }

    last = &e->first;

    kz_filter_down_to(&and, at, "and");
    kz_filter_down_to(&not, &and, "not");

    if (kz_filter_bool_get(v, "must", &arg) == NGX_OK
        && kz_filter_operands(c, &arg, &and, negated, &last) != NGX_OK)
    {
        return NULL;
    }

    if (kz_filter_bool_get(v, "must_not", &arg) == NGX_OK) {
        kz_filter_down_to(&sub, &not, "or");
        *last = kz_filter_parse_or(c, &arg, &sub, !negated);

        if (*last == NULL) {
            return NULL;
        }

        last = &(*last)->next;
    }

    if (kz_filter_bool_get(v, "should", &arg) == NGX_OK) {
        kz_filter_down_to(&sub, &and, "or");
        *last = kz_filter_parse_or(c, &arg, &sub, negated);

        if (*last == NULL) {
            return NULL;
        }

        last = &(*last)->next;
    }

    if (kz_filter_bool_get(v, "should_not", &arg) == NGX_OK) {
        kz_filter_down_to(&sub, &not, "and");
        *last = kz_filter_parse_and(c, &arg, &sub, !negated);

        if (*last == NULL) {
            return NULL;
        }
    }

    if (e->first == NULL) {
        kz_filter_old(c, "Attribute \"and\" in  \"and\" cannot be empty");
        return kz_filter_new(c, &and, "cannot be empty");
    }

    return e;
}
