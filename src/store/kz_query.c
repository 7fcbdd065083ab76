
/*
 * Clauses of the search DSL.  One function a clause, found by name in a
 * table; each gets what stands behind its name and its place in the body,
 * for the error texts.  Here are those that hold other clauses.
 *
 * The body around the query (sort, from, size): kz_query_body.c.
 */

#include "store/kz_query_parse.h"
#include "store/kz_query_string.h"
#include "store/kz_match_text.h"


typedef struct {
    const char           *name;
    kz_query_type_e       type;
    kz_query_clause_pt   *parse;
} kz_query_word_t;


static kz_query_clause_pt  kz_query_constant;
static kz_query_clause_pt  kz_query_bool;
static kz_query_clause_pt  kz_query_dis_max;
static kz_query_clause_pt  kz_query_boosting;
static kz_query_clause_pt  kz_query_nested;
static kz_query_clause_pt  kz_query_type;
static kz_query_clause_pt  kz_query_refused;

static ngx_int_t kz_query_list(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t scored,
    ngx_uint_t depth, kz_query_node_t **list, ngx_uint_t *n);
static ngx_int_t kz_query_minimum(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_json_val_t *v);
static ngx_int_t kz_query_mode(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const kz_query_member_t *m);


static const kz_query_word_t  kz_query_words[] = {
    { "match_all", KZ_QUERY_ALL, kz_query_all },
    { "match_none", KZ_QUERY_NONE, kz_query_all },
    { "term", KZ_QUERY_TERMS, kz_query_term },
    { "terms", KZ_QUERY_TERMS, kz_query_terms },
    { "range", KZ_QUERY_RANGE, kz_query_range },
    { "exists", KZ_QUERY_EXISTS, kz_query_exists },
    { "ids", KZ_QUERY_IDS, kz_query_ids },
    { "prefix", KZ_QUERY_PREFIX, kz_query_term },
    { "wildcard", KZ_QUERY_WILDCARD, kz_query_term },
    { "regexp", KZ_QUERY_REGEXP, kz_query_term },
    { "fuzzy", KZ_QUERY_FUZZY, kz_query_term },
    { "match", KZ_QUERY_MATCH, kz_query_match },
    { "match_bool_prefix", KZ_QUERY_MATCH, kz_query_match },
    { "match_phrase", KZ_QUERY_PHRASE, kz_query_phrase },
    { "match_phrase_prefix", KZ_QUERY_PHRASE, kz_query_phrase },
    { "multi_match", KZ_QUERY_BOOL, kz_query_multi },
    { "query_string", KZ_QUERY_BOOL, kz_query_string },
    { "simple_query_string", KZ_QUERY_BOOL, kz_query_simple },
    { "bool", KZ_QUERY_BOOL, kz_query_bool },
    { "constant_score", KZ_QUERY_BOOL, kz_query_constant },
    { "dis_max", KZ_QUERY_DIS_MAX, kz_query_dis_max },
    { "boosting", KZ_QUERY_BOOSTING, kz_query_boosting },
    { "nested", KZ_QUERY_NESTED, kz_query_nested },
    { "geo_bounding_box", KZ_QUERY_GEO_BOX, kz_query_geo_box },
    { "geo_distance", KZ_QUERY_GEO_DISTANCE, kz_query_geo_distance },
    { "geo_polygon", KZ_QUERY_GEO_POLYGON, kz_query_geo_polygon },
    { "type", KZ_QUERY_ALL, kz_query_type },

    /* known, and not answered here */

    { "terms_set", KZ_QUERY_NONE, kz_query_refused },
    { "function_score", KZ_QUERY_NONE, kz_query_refused },
    { "script", KZ_QUERY_NONE, kz_query_refused },
    { "script_score", KZ_QUERY_NONE, kz_query_refused },
    { "more_like_this", KZ_QUERY_NONE, kz_query_refused },
    { "percolate", KZ_QUERY_NONE, kz_query_refused },
    { "geo_shape", KZ_QUERY_NONE, kz_query_refused },
    { "shape", KZ_QUERY_NONE, kz_query_refused },
    { "has_child", KZ_QUERY_NONE, kz_query_refused },
    { "has_parent", KZ_QUERY_NONE, kz_query_refused },
    { "parent_id", KZ_QUERY_NONE, kz_query_refused },
    { "common", KZ_QUERY_NONE, kz_query_refused },
    { "intervals", KZ_QUERY_NONE, kz_query_refused },
    { "distance_feature", KZ_QUERY_NONE, kz_query_refused },
    { "rank_feature", KZ_QUERY_NONE, kz_query_refused },
    { "pinned", KZ_QUERY_NONE, kz_query_refused },
    { "wrapper", KZ_QUERY_NONE, kz_query_refused },
    { "span_term", KZ_QUERY_NONE, kz_query_refused },
    { "span_near", KZ_QUERY_NONE, kz_query_refused },
    { "span_or", KZ_QUERY_NONE, kz_query_refused },
    { "span_not", KZ_QUERY_NONE, kz_query_refused },
    { "span_first", KZ_QUERY_NONE, kz_query_refused },
    { "span_multi", KZ_QUERY_NONE, kz_query_refused },
    { "span_containing", KZ_QUERY_NONE, kz_query_refused },
    { "span_within", KZ_QUERY_NONE, kz_query_refused },
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

    if (minimum.type != KZ_JSON_NONE
        && kz_query_minimum(x, at, node, &minimum) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* of what is nothing but should clauses, one, whatever was said */

    if (node->nany != 0 && node->all == NULL) {
        node->minimum = ngx_max(node->minimum, 1);
    }

    return NGX_OK;
}


/* 2, -1, "2", "75%", "-25%", "2<75%": of the should clauses. */
static ngx_int_t
kz_query_minimum(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v)
{
    ngx_str_t  text;

    text = v->raw;

    if (v->type == KZ_JSON_STRING
        && kz_json_string(x->pool, v, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if ((v->type != KZ_JSON_STRING && v->type != KZ_JSON_NUMBER)
        || kz_text_minimum(&text, node->nany, &node->minimum) != NGX_OK)
    {
        return kz_query_bad(x, at, "this form of [minimum_should_match] is"
                            " not supported");
    }

    return NGX_OK;
}


/* {"queries": [clause, clause], "tie_breaker": 0.5} */
static ngx_int_t
kz_query_dis_max(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_int_t            rc;
    ngx_uint_t           i, n, scored;
    kz_query_place_t     here;
    kz_query_member_t   *m;

    scored = node->scored;
    node->scored = 0;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        here.up = at;
        here.name = m[i].key;

        if (kz_query_is(&m[i].key, "queries")) {
            rc = kz_query_list(x, &here, &m[i].val, scored, depth,
                               &node->any, &node->nany);

        } else if (kz_query_is(&m[i].key, "tie_breaker")) {
            rc = kz_query_real(x, at, &m[i], &node->factor);

        } else {
            rc = kz_query_option(x, at, node, &m[i]);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (node->nany == 0) {
        return kz_query_bad(x, at, "[dis_max] requires 'queries' field with"
                            " at least one clause");
    }

    return NGX_OK;
}


/* {"positive": clause, "negative": clause, "negative_boost": 0.5} */
static ngx_int_t
kz_query_boosting(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_int_t            rc;
    ngx_uint_t           i, n, scored, count, seen;
    kz_query_place_t     here;
    kz_query_member_t   *m;

    scored = node->scored;
    node->scored = 0;
    seen = 0;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        here.up = at;
        here.name = m[i].key;

        if (kz_query_is(&m[i].key, "positive")) {
            rc = kz_query_list(x, &here, &m[i].val, scored, depth,
                               &node->all, &count);

        } else if (kz_query_is(&m[i].key, "negative")) {
            rc = kz_query_list(x, &here, &m[i].val, 0, depth, &node->none,
                               &count);

        } else if (kz_query_is(&m[i].key, "negative_boost")) {
            rc = kz_query_real(x, at, &m[i], &node->factor);
            seen = 1;

        } else {
            rc = kz_query_option(x, at, node, &m[i]);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (node->all == NULL || node->none == NULL || !seen) {
        return kz_query_bad(x, at, "[boosting] query requires 'positive',"
                            " 'negative' and 'negative_boost' to be set");
    }

    return NGX_OK;
}


/* {"path": "comments", "query": clause, "score_mode": "avg"} */
static ngx_int_t
kz_query_nested(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_int_t            rc;
    ngx_uint_t           i, n, flag, scored;
    kz_query_place_t     here;
    kz_query_member_t   *m;

    scored = node->scored;
    node->mode = KZ_MODE_AVG;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        rc = NGX_OK;

        if (kz_query_is(&m[i].key, "path")) {
            rc = kz_query_text(x, at, &m[i], &node->field);

        } else if (kz_query_is(&m[i].key, "score_mode")) {
            rc = kz_query_mode(x, at, node, &m[i]);

        } else if (kz_query_is(&m[i].key, "ignore_unmapped")) {
            rc = kz_query_flag(x, at, &m[i], &flag);
            node->ignore = (rc == NGX_OK && flag);

        } else if (!kz_query_is(&m[i].key, "query")) {
            rc = kz_query_option(x, at, node, &m[i]);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (node->mode == KZ_MODE_NONE) {
        scored = 0;
    }

    for (i = 0; i < n; i++) {

        if (!kz_query_is(&m[i].key, "query")) {
            continue;
        }

        here.up = at;
        here.name = m[i].key;

        node->all = kz_query_clause(x, &here, &m[i].val, scored, depth + 1);

        if (node->all == NULL) {
            return NGX_ERROR;
        }
    }

    if (node->all == NULL || node->field.len == 0) {
        return kz_query_bad(x, at, "[nested] requires 'path' and 'query'"
                            " fields");
    }

    return NGX_OK;
}


static ngx_int_t
kz_query_mode(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    static const struct {
        const char       *name;
        kz_sort_mode_e    mode;
    } modes[] = {
        { "avg", KZ_MODE_AVG },
        { "sum", KZ_MODE_SUM },
        { "min", KZ_MODE_MIN },
        { "max", KZ_MODE_MAX },
        { "none", KZ_MODE_NONE },
        { NULL, 0 }
    };

    if (kz_query_text(x, at, m, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; modes[i].name != NULL; i++) {
        if (text.len == ngx_strlen(modes[i].name)
            && ngx_strncmp(text.data, modes[i].name, text.len) == 0)
        {
            node->mode = modes[i].mode;
            return NGX_OK;
        }
    }

    text.len = ngx_min(text.len, 64);

    return kz_query_bad(x, at, "No score mode for child query [%V] found",
                        &text);
}


/* 1.x: there is one type of documents in a collection. */
static ngx_int_t
kz_query_type(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    (void) node;
    (void) v;
    (void) depth;

    return kz_query_bad(x, at, "[type] query is not supported: a collection"
                        " has documents of one type");
}


static ngx_int_t
kz_query_refused(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    (void) v;
    (void) depth;

    return kz_query_bad(x, at->up, "[%s] query is not supported",
                        node->word);
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
