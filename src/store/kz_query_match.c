
/*
 * Clauses about the words of a text: match, match_phrase,
 * match_phrase_prefix, match_bool_prefix.
 */

#include "store/kz_query_parse.h"


static ngx_int_t kz_query_match_option(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m);
static ngx_int_t kz_query_operator(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m);
static ngx_int_t kz_query_zero(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m);


/* {"field": text} or {"field": {"query": text, "operator": "and"}} */
ngx_int_t
kz_query_match(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_uint_t           i, n;
    kz_query_member_t   *m;

    (void) depth;

    node->prefix = (ngx_strcmp(node->word, "match_bool_prefix") == 0);

    if (kz_query_field(x, at, node, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        if (kz_query_match_option(x, at, node, &m[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (node->nvalues != 1) {
        return kz_query_bad(x, at, "[%s] query needs one text", node->word);
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_match_option(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    ngx_uint_t        flag;
    const ngx_str_t  *key;

    key = &m->key;

    if (kz_query_is(key, "query")) {
        return kz_query_values(x, at, node, &m->val);
    }

    if (kz_query_is(key, "operator")) {
        return kz_query_operator(x, at, node, m);
    }

    if (kz_query_is(key, "minimum_should_match")) {

        if (!kz_json_is_scalar(&m->val)) {
            return kz_query_bad(x, at, "[minimum_should_match] must be a"
                                " number or a text");
        }

        if (m->val.type == KZ_JSON_STRING) {
            return kz_json_string(x->pool, &m->val, &node->minimum_text);
        }

        node->minimum_text = m->val.raw;
        return NGX_OK;
    }

    if (kz_query_is(key, "analyzer")) {
        return kz_query_text(x, at, m, &node->analyzer);
    }

    if (kz_query_is(key, "zero_terms_query")) {
        return kz_query_zero(x, at, node, m);
    }

    if (kz_query_is(key, "fuzziness")) {
        return kz_query_fuzziness(x, at, node, m);
    }

    if (kz_query_is(key, "prefix_length")) {
        return kz_query_count(x, at, m, &node->prefix_length);
    }

    if (kz_query_is(key, "max_expansions")) {
        return kz_query_count(x, at, m, &node->max_expansions);
    }

    if (kz_query_is(key, "fuzzy_transpositions")
        || kz_query_is(key, "lenient"))
    {
        if (kz_query_flag(x, at, m, &flag) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_query_is(key, "lenient")) {
            node->lenient = flag;

        } else {
            node->transpose = flag;
        }

        return NGX_OK;
    }

    return kz_query_ignored(key) ? NGX_OK : kz_query_option(x, at, node, m);
}


static ngx_int_t
kz_query_operator(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    ngx_str_t  op;

    op = m->val.raw;

    if (op.len == 5
        && ngx_strncasecmp(op.data, (u_char *) "\"and\"", 5) == 0)
    {
        node->every = 1;
        return NGX_OK;
    }

    if (op.len == 4 && ngx_strncasecmp(op.data, (u_char *) "\"or\"", 4) == 0)
    {
        node->every = 0;
        return NGX_OK;
    }

    return kz_query_bad(x, at, "[operator] must be \"and\" or \"or\"");
}


static ngx_int_t
kz_query_zero(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    ngx_str_t  text;

    if (kz_query_text(x, at, m, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.len == 3
        && ngx_strncasecmp(text.data, (u_char *) "all", 3) == 0)
    {
        node->zero = 1;
        return NGX_OK;
    }

    if (text.len == 4
        && ngx_strncasecmp(text.data, (u_char *) "none", 4) == 0)
    {
        node->zero = 0;
        return NGX_OK;
    }

    return kz_query_bad(x, at, "[zero_terms_query] must be \"none\" or"
                        " \"all\"");
}


/* match_phrase, match_phrase_prefix */
ngx_int_t
kz_query_phrase(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_int_t            rc;
    ngx_uint_t           i, n;
    kz_query_member_t   *m;

    (void) depth;

    node->prefix = (ngx_strcmp(node->word, "match_phrase_prefix") == 0);

    if (kz_query_field(x, at, node, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (kz_query_is(&m[i].key, "query")) {
            rc = kz_query_values(x, at, node, &m[i].val);

        } else if (kz_query_is(&m[i].key, "slop")) {
            rc = kz_query_count(x, at, &m[i], &node->slop);

        } else if (kz_query_is(&m[i].key, "analyzer")) {
            rc = kz_query_text(x, at, &m[i], &node->analyzer);

        } else if (kz_query_is(&m[i].key, "zero_terms_query")) {
            rc = kz_query_zero(x, at, node, &m[i]);

        } else if (node->prefix && kz_query_is(&m[i].key, "max_expansions")) {
            rc = kz_query_count(x, at, &m[i], &node->max_expansions);

        } else {
            rc = kz_query_option(x, at, node, &m[i]);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (node->nvalues != 1) {
        return kz_query_bad(x, at, "[%s] query needs one text", node->word);
    }

    return NGX_OK;
}
