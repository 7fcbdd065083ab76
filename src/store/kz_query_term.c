
/*
 * Clauses about a field's values: term, terms, range, exists, ids, prefix,
 * wildcard, regexp, fuzzy.
 */

#include "store/kz_query_parse.h"
#include "store/kz_date.h"


static ngx_int_t kz_query_term_option(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m);
static ngx_int_t kz_query_fuzzy_option(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m);
static ngx_int_t kz_query_regexp_flags(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m);
static ngx_int_t kz_query_range_option(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m);


/* match_all, match_none */
ngx_int_t
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


/* {"field": value} or {"field": {"value": ..., "boost": 1}} */
ngx_int_t
kz_query_term(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n;
    kz_query_member_t   *m;

    (void) depth;

    if (node->type == KZ_QUERY_FUZZY) {
        node->fuzziness = KZ_QUERY_FUZZY_AUTO;
    }

    node->flags = KZ_REGEXP_ALL;

    if (kz_query_field(x, at, node, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (kz_query_term_option(x, at, node, &m[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (node->nvalues != 1) {
        return kz_query_bad(x, at, "one value was expected");
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_term_option(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    ngx_uint_t        flag;
    const ngx_str_t  *key;

    key = &m->key;

    if (kz_query_is(key, "value")
        || (key->len == ngx_strlen(node->word)
            && ngx_memcmp(key->data, node->word, key->len) == 0))
    {
        return kz_query_values(x, at, node, &m->val);
    }

    if (kz_query_is(key, "case_insensitive")
        && node->type != KZ_QUERY_FUZZY)
    {
        if (kz_query_flag(x, at, m, &flag) != NGX_OK) {
            return NGX_ERROR;
        }

        node->nocase = flag;
        return NGX_OK;
    }

    if (node->type == KZ_QUERY_TERMS || !kz_query_ignored(key)) {

        if (node->type == KZ_QUERY_REGEXP && kz_query_is(key, "flags")) {
            return kz_query_regexp_flags(x, at, node, m);
        }

        if (node->type == KZ_QUERY_REGEXP
            && kz_query_is(key, "flags_value"))
        {
            return kz_query_count(x, at, m, &node->flags);
        }

        if (node->type == KZ_QUERY_FUZZY) {
            return kz_query_fuzzy_option(x, at, node, m);
        }

        return kz_query_option(x, at, node, m);
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_fuzzy_option(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    ngx_uint_t  flag;

    if (kz_query_is(&m->key, "fuzziness")) {
        return kz_query_fuzziness(x, at, node, m);
    }

    if (kz_query_is(&m->key, "prefix_length")) {
        return kz_query_count(x, at, m, &node->prefix_length);
    }

    if (kz_query_is(&m->key, "max_expansions")) {
        return kz_query_count(x, at, m, &node->max_expansions);
    }

    if (kz_query_is(&m->key, "transpositions")
        || kz_query_is(&m->key, "fuzzy_transpositions"))
    {
        if (kz_query_flag(x, at, m, &flag) != NGX_OK) {
            return NGX_ERROR;
        }

        node->transpose = flag;
        return NGX_OK;
    }

    return kz_query_option(x, at, node, m);
}


/* "INTERVAL|ANYSTRING" */
static ngx_int_t
kz_query_regexp_flags(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    u_char      *p, *bar, *end;
    ngx_str_t    text;
    ngx_uint_t   i;

    static const struct {
        const char  *name;
        ngx_uint_t   flags;
    } names[] = {
        { "ALL", KZ_REGEXP_ALL },
        { "NONE", 0 },
        { "INTERVAL", KZ_REGEXP_INTERVAL },
        { "ANYSTRING", KZ_REGEXP_ANY },
        { "EMPTY", KZ_REGEXP_EMPTY },
        { "COMPLEMENT", KZ_REGEXP_COMPLEMENT },
        { "INTERSECTION", KZ_REGEXP_INTERSECT },
        { "AUTOMATON", 0 },
        { NULL, 0 }
    };

    if (kz_query_text(x, at, m, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.len == 0) {
        return NGX_OK;
    }

    node->flags = 0;
    end = text.data + text.len;

    for (p = text.data; p <= end; p = bar + 1) {
        bar = ngx_strlchr(p, end, '|');

        if (bar == NULL) {
            bar = end;
        }

        for (i = 0; names[i].name != NULL; i++) {
            if (ngx_strlen(names[i].name) == (size_t) (bar - p)
                && ngx_strncasecmp(p, (u_char *) names[i].name, bar - p) == 0)
            {
                break;
            }
        }

        if (names[i].name == NULL) {
            text.len = ngx_min(text.len, 64);
            return kz_query_bad(x, at, "Unknown regexp flag [%V]", &text);
        }

        node->flags |= names[i].flags;
    }

    return NGX_OK;
}


ngx_int_t
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

        if (m[i].val.type == KZ_JSON_OBJECT) {
            return kz_query_bad(x, at, "[terms] query: looking terms up in"
                                " a document is not supported, an array of"
                                " values is needed for [%V]", &node->field);
        }

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


ngx_int_t
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

    /* of "from" and "to" */

    node->lower_in = 1;
    node->upper_in = 1;

    for (i = 0; i < n; i++) {
        key = &m[i].key;

        in = (key->len == 3);

        if (kz_query_is(key, "from") || kz_query_is(key, "to")) {
            bound = (key->len == 2) ? &node->upper : &node->lower;

        } else if (kz_query_is(key, "gte") || kz_query_is(key, "gt")) {
            bound = &node->lower;
            node->lower_in = in;

        } else if (kz_query_is(key, "lte") || kz_query_is(key, "lt")) {
            bound = &node->upper;
            node->upper_in = in;

        } else if (kz_query_range_option(x, at, node, &m[i]) != NGX_OK) {
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


/*
 * What is not one of the four bounds.  The old from, to, include_lower,
 * include_upper are understood: they come with the bounds included.
 */
static ngx_int_t
kz_query_range_option(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    ngx_str_t         text;
    ngx_uint_t        flag;
    const ngx_str_t  *key;

    key = &m->key;

    if (kz_query_is(key, "format")) {
        return kz_query_text(x, at, m, &node->format);
    }

    if (kz_query_is(key, "time_zone")) {

        if (kz_query_text(x, at, m, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_date_offset(text.data, text.len, &node->zone) != NGX_OK) {
            text.len = ngx_min(text.len, 64);
            return kz_query_bad(x, at, "[time_zone] [%V] is not supported:"
                                " an offset is needed, \"+01:00\"", &text);
        }

        return NGX_OK;
    }

    if (kz_query_is(key, "relation")) {

        if (kz_query_text(x, at, m, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        /* of ranges to ranges: of single values they are all the same */

        if (ngx_strncasecmp(text.data, (u_char *) "disjoint", text.len) == 0) {
            return kz_query_bad(x, at, "[range] query does not support"
                                " relation [DISJOINT]");
        }

        return NGX_OK;
    }

    if (kz_query_is(key, "include_lower")
        || kz_query_is(key, "include_upper"))
    {
        if (kz_query_flag(x, at, m, &flag) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_query_is(key, "include_lower")) {
            node->lower_in = flag;

        } else {
            node->upper_in = flag;
        }

        return NGX_OK;
    }

    return kz_query_option(x, at, node, m);
}


ngx_int_t
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


ngx_int_t
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
