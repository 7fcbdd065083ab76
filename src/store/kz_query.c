
/*
 * Clauses of the search DSL.  One function a clause, found by name in a
 * table; each gets what stands behind its name and its place in the body,
 * for the error texts.
 *
 * The body around the query (sort, from, size): kz_query_body.c.
 */

#include "store/kz_query_parse.h"


typedef ngx_int_t (*kz_query_pt)(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);


typedef struct {
    const char        *name;
    kz_query_type_e    type;
    kz_query_pt        parse;
} kz_query_word_t;


static ngx_int_t kz_query_all(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);
static ngx_int_t kz_query_term(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);
static ngx_int_t kz_query_terms(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);
static ngx_int_t kz_query_range(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);
static ngx_int_t kz_query_exists(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);
static ngx_int_t kz_query_ids(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);
static ngx_int_t kz_query_match(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);
static ngx_int_t kz_query_constant(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);
static ngx_int_t kz_query_bool(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);

static ngx_int_t kz_query_list(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t scored,
    ngx_uint_t depth, kz_query_node_t **list, ngx_uint_t *n);
static ngx_int_t kz_query_minimum(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_json_val_t *v);


static const kz_query_word_t  kz_query_words[] = {
    { "match_all", KZ_QUERY_ALL, kz_query_all },
    { "match_none", KZ_QUERY_NONE, kz_query_all },
    { "term", KZ_QUERY_TERMS, kz_query_term },
    { "terms", KZ_QUERY_TERMS, kz_query_terms },
    { "range", KZ_QUERY_RANGE, kz_query_range },
    { "exists", KZ_QUERY_EXISTS, kz_query_exists },
    { "ids", KZ_QUERY_IDS, kz_query_ids },
    { "prefix", KZ_QUERY_PREFIX, kz_query_term },
    { "match", KZ_QUERY_MATCH, kz_query_match },
    { "constant_score", KZ_QUERY_BOOL, kz_query_constant },
    { "bool", KZ_QUERY_BOOL, kz_query_bool },
    { NULL, 0, NULL }
};


kz_query_node_t *
kz_query_clause(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t scored, ngx_uint_t depth)
{
    ngx_uint_t              i, n;
    kz_query_node_t        *node;
    kz_query_place_t        here;
    kz_query_member_t      *m;
    const kz_query_word_t  *w;

    if (depth > KZ_QUERY_MAX_DEPTH) {
        (void) kz_query_bad(x, at->up, "too many clauses in one another: at"
                            " most %d are allowed", KZ_QUERY_MAX_DEPTH);
        return NULL;
    }

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NULL;
    }

    if (n != 1) {
        (void) kz_query_bad(x, at, (n == 0)
                            ? "query malformed, empty clause found"
                            : "a query clause holds one key, two are [%V]"
                              " and [%V]", &m[0].key, &m[n > 1].key);
        return NULL;
    }

    for (i = 0; kz_query_words[i].name != NULL; i++) {
        if (m->key.len == ngx_strlen(kz_query_words[i].name)
            && ngx_memcmp(m->key.data, kz_query_words[i].name, m->key.len)
               == 0)
        {
            break;
        }
    }

    w = &kz_query_words[i];

    if (w->name == NULL) {
        m->key.len = ngx_min(m->key.len, 64);
        (void) kz_query_bad(x, at, "[%V] query is not supported", &m->key);
        return NULL;
    }

    here.up = at;
    here.name = m->key;

    node = kz_query_node(x, at, w->type, scored);
    if (node == NULL) {
        return NULL;
    }

    node->word = w->name;

    return (w->parse(x, &here, node, &m->val, depth) == NGX_OK) ? node : NULL;
}


/* match_all, match_none */
static ngx_int_t
kz_query_all(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n;
    kz_query_member_t   *m;

    (void) depth;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (kz_query_option(x, at, node, &m[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* term, prefix: {"field": value} or {"field": {"value": ..., "boost": 1}} */
static ngx_int_t
kz_query_term(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n;
    kz_query_member_t   *m;

    (void) depth;

    if (kz_query_field(x, at, node, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "value")
            || (node->type == KZ_QUERY_TERMS
                && kz_query_is(&m[i].key, "term"))
            || (node->type == KZ_QUERY_PREFIX
                && kz_query_is(&m[i].key, "prefix")))
        {
            if (kz_query_values(x, at, node, &m[i].val) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (kz_query_option(x, at, node, &m[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (node->nvalues != 1) {
        return kz_query_bad(x, at, "one value was expected");
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_terms(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n;
    kz_query_member_t   *m;

    (void) depth;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "boost")
            || kz_query_is(&m[i].key, "_name"))
        {
            if (kz_query_option(x, at, node, &m[i]) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (node->field.data != NULL) {
            return kz_query_bad(x, at, "[terms] query does not support"
                                " multiple fields, found [%V] and [%V]",
                                &node->field, &m[i].key);
        }

        node->field = m[i].key;

        if (m[i].val.type != KZ_JSON_ARRAY) {
            return kz_query_bad(x, at, "[terms] query needs an array of"
                                " values for [%V]", &node->field);
        }

        if (kz_query_values(x, at, node, &m[i].val) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (node->field.data == NULL) {
        return kz_query_bad(x, at, "[terms] query needs a field");
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_range(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n, in;
    ngx_str_t           *key;
    kz_json_val_t       *bound;
    kz_query_member_t   *m;

    (void) depth;

    if (kz_query_field(x, at, node, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (node->nvalues != 0) {
        return kz_query_bad(x, at, "[range] query needs an object for [%V]",
                            &node->field);
    }

    for (i = 0; i < n; i++) {
        key = &m[i].key;

        in = (key->len == 3);

        if (kz_query_is(key, "gte") || kz_query_is(key, "gt")) {
            bound = &node->lower;
            node->lower_in = in;

        } else if (kz_query_is(key, "lte") || kz_query_is(key, "lt")) {
            bound = &node->upper;
            node->upper_in = in;

        } else if (kz_query_option(x, at, node, &m[i]) != NGX_OK) {
            return NGX_ERROR;

        } else {
            continue;
        }

        if (bound->type != KZ_JSON_NONE) {
            return kz_query_bad(x, at, "[range] query has two bounds on one"
                                " side for [%V]", &node->field);
        }

        if (m[i].val.type == KZ_JSON_NULL) {
            continue;
        }

        if (!kz_json_is_scalar(&m[i].val)) {
            return kz_query_bad(x, at, "[range] query: [%V] needs a single"
                                " value", key);
        }

        *bound = m[i].val;
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_exists(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n;
    kz_query_member_t   *m;

    (void) depth;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (!kz_query_is(&m[i].key, "field")) {
            if (kz_query_option(x, at, node, &m[i]) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (m[i].val.type != KZ_JSON_STRING) {
            return kz_query_bad(x, at, "[exists] query: [field] must be a"
                                " text");
        }

        if (kz_json_string(x->pool, &m[i].val, &node->field) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (node->field.len == 0) {
        return kz_query_bad(x, at, "[exists] query needs a [field]");
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_ids(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n, found;
    kz_query_member_t   *m;

    (void) depth;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    found = 0;

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "values")) {
            found = 1;

            if (kz_query_values(x, at, node, &m[i].val) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        /* 1.x knows types of documents; there is one in a collection */

        if (!kz_query_is(&m[i].key, "type")
            && kz_query_option(x, at, node, &m[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < node->nvalues; i++) {
        if (node->values[i].type != KZ_JSON_STRING
            && node->values[i].type != KZ_JSON_NUMBER)
        {
            return kz_query_bad(x, at, "[ids] query: an id is a text");
        }
    }

    if (!found) {
        return kz_query_bad(x, at, "[ids] query needs [values]");
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_match(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_str_t            op;
    ngx_uint_t           i, n;
    kz_query_member_t   *m;

    (void) depth;

    if (kz_query_field(x, at, node, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "query")) {
            if (kz_query_values(x, at, node, &m[i].val) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (!kz_query_is(&m[i].key, "operator")) {
            if (kz_query_option(x, at, node, &m[i]) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        op = m[i].val.raw;

        if (op.len == 5 && ngx_strncasecmp(op.data, (u_char *) "\"and\"", 5)
                           == 0)
        {
            node->every = 1;

        } else if (op.len != 4
                   || ngx_strncasecmp(op.data, (u_char *) "\"or\"", 4) != 0)
        {
            return kz_query_bad(x, at, "[operator] must be \"and\" or"
                                " \"or\"");
        }
    }

    if (node->nvalues != 1) {
        return kz_query_bad(x, at, "[match] query needs one text");
    }

    return NGX_OK;
}


/* {"filter": clause, "boost": 1} */
static ngx_int_t
kz_query_constant(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n;
    kz_query_place_t     here;
    kz_query_member_t   *m;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (!kz_query_is(&m[i].key, "filter")) {
            if (kz_query_option(x, at, node, &m[i]) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        here.up = at;
        here.name = m[i].key;

        node->all = kz_query_clause(x, &here, &m[i].val, 0, depth + 1);

        if (node->all == NULL) {
            return NGX_ERROR;
        }
    }

    if (node->all == NULL) {
        return kz_query_bad(x, at, "[constant_score] query needs a"
                            " [filter]");
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_bool(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_int_t            rc;
    ngx_str_t           *key;
    ngx_uint_t           i, n, count, scored;
    kz_json_val_t        minimum;
    kz_query_place_t     here;
    kz_query_member_t   *m;

    /* it is its clauses that score */

    scored = node->scored;
    node->scored = 0;

    minimum.type = KZ_JSON_NONE;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        key = &m[i].key;

        here.up = at;
        here.name = *key;

        if (kz_query_is(key, "must")) {
            rc = kz_query_list(x, &here, &m[i].val, scored, depth,
                               &node->all, &count);

        } else if (kz_query_is(key, "filter")) {
            rc = kz_query_list(x, &here, &m[i].val, 0, depth, &node->all,
                               &count);

        } else if (kz_query_is(key, "should")) {
            rc = kz_query_list(x, &here, &m[i].val, scored, depth,
                               &node->any, &node->nany);

        } else if (kz_query_is(key, "must_not")) {
            rc = kz_query_list(x, &here, &m[i].val, 0, depth, &node->none,
                               &count);

        } else if (kz_query_is(key, "minimum_should_match")) {
            minimum = m[i].val;
            continue;

        } else if (kz_query_is(key, "adjust_pure_negative")) {
            continue;

        } else {
            rc = kz_query_option(x, at, node, &m[i]);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (node->boost != 1) {
        return kz_query_bad(x, at, "[boost] of a [bool] query is not"
                            " supported");
    }

    node->minimum = (node->nany != 0 && node->all == NULL);

    return (minimum.type == KZ_JSON_NONE)
           ? NGX_OK : kz_query_minimum(x, at, node, &minimum);
}


/* 2, -1, "2", "75%", "-25%": of the should clauses. */
static ngx_int_t
kz_query_minimum(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v)
{
    int64_t     n;
    ngx_int_t   value;
    ngx_str_t   text;
    ngx_uint_t  negative, percent;

    text = v->raw;

    if (v->type == KZ_JSON_STRING) {
        text.data++;
        text.len -= 2;
    }

    negative = (text.len > 0 && text.data[0] == '-');
    text.data += negative;
    text.len -= negative;

    percent = (text.len > 0 && text.data[text.len - 1] == '%');
    text.len -= percent;

    value = (text.len < 6) ? ngx_atoi(text.data, text.len) : NGX_ERROR;

    if (value == NGX_ERROR
        || (v->type != KZ_JSON_STRING && v->type != KZ_JSON_NUMBER))
    {
        return kz_query_bad(x, at, "this form of [minimum_should_match] is"
                            " not supported");
    }

    n = percent ? (int64_t) node->nany * value / 100 : value;

    if (negative) {
        n = (int64_t) node->nany - n;
    }

    node->minimum = (n < 0) ? 0 : n;

    return NGX_OK;
}


/* A clause or an array of them, put in front of a list. */
static ngx_int_t
kz_query_list(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t scored, ngx_uint_t depth,
    kz_query_node_t **list, ngx_uint_t *n)
{
    kz_json_val_t      item;
    kz_json_iter_t     it;
    kz_query_node_t   *node, **last;
    kz_query_place_t   here;

    *n = 0;

    for (last = list; *last != NULL; last = &(*last)->next) { /* void */ }

    if (v->type != KZ_JSON_ARRAY) {
        node = kz_query_clause(x, at, v, scored, depth + 1);
        if (node == NULL) {
            return NGX_ERROR;
        }

        *last = node;
        *n = 1;

        return NGX_OK;
    }

    here.up = at;
    here.name.data = NULL;
    here.name.len = 0;
    here.index = 0;

    kz_json_iter(&it, v);

    while (kz_json_next(&it, &item) == NGX_OK) {
        node = kz_query_clause(x, &here, &item, scored, depth + 1);
        if (node == NULL) {
            return NGX_ERROR;
        }

        *last = node;
        last = &node->next;

        here.index++;
        (*n)++;
    }

    return NGX_OK;
}
