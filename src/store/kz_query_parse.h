#ifndef _KZ_QUERY_PARSE_H_INCLUDED_
#define _KZ_QUERY_PARSE_H_INCLUDED_

/*
 * Private to the parsers of searches:
 *
 *   kz_query_body.c    the body around the query
 *   kz_query_sort.c    its sort keys
 *   kz_query.c         clauses by their name; those that hold others
 *   kz_query_term.c    clauses about a field's values
 *   kz_query_match.c   clauses about the words of a text
 *   kz_query_geo.c     clauses about points
 *   kz_query_parse.c   what they share
 */

#include "store/kz_query.h"


/* Where the parser stands: "query", ".bool", ".must", "[3]". */

typedef struct kz_query_place_s  kz_query_place_t;

struct kz_query_place_s {
    const kz_query_place_t  *up;
    ngx_str_t                name;     /* data == NULL: an index */
    ngx_uint_t               index;
};


typedef struct {
    ngx_pool_t              *pool;
    kz_mapping_err_t        *err;
    kz_query_t              *q;
} kz_query_parse_t;


#define kz_query_is(s, l)                                                     \
    ((s)->len == sizeof(l) - 1 && ngx_memcmp((s)->data, l, sizeof(l) - 1) == 0)


/* Refuses with "<text> (at <place>)"; the text's arguments before it. */
ngx_int_t kz_query_bad(kz_query_parse_t *x, const kz_query_place_t *at,
    const char *fmt, ...);

/* A decoded copy or slice of a member's key. */
ngx_int_t kz_query_key(kz_query_parse_t *x, const kz_json_member_t *m,
    ngx_str_t *key);

/*
 * The members of an object without repetitions: of each key the last value,
 * keys decoded.  NGX_ERROR: the reason is set.
 */
typedef struct {
    ngx_str_t                key;
    kz_json_val_t            val;
} kz_query_member_t;

#define KZ_QUERY_MAX_MEMBERS  64

ngx_int_t kz_query_members(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, kz_query_member_t **members, ngx_uint_t *n);

/* One clause: {"term": {...}}.  NULL: the reason is set. */
kz_query_node_t *kz_query_clause(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t scored,
    ngx_uint_t depth);

kz_query_node_t *kz_query_node(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_type_e type, ngx_uint_t scored);

/*
 * {"field": value} or {"field": {...}}: sets node->field, and node->values
 * or the members of the inner object (*n of them).
 */
ngx_int_t kz_query_field(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, kz_query_member_t **inner,
    ngx_uint_t *n);

/* A scalar, or an array of them, into node->values. */
ngx_int_t kz_query_values(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v);

/* What every clause may hold; any other key is refused. */
ngx_int_t kz_query_option(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m);

/* The same for an option of a type; the reason names it. */
ngx_int_t kz_query_flag(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, ngx_uint_t *flag);
ngx_int_t kz_query_count(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, ngx_uint_t *n);
ngx_int_t kz_query_real(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, double *d);
ngx_int_t kz_query_text(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_query_member_t *m, ngx_str_t *text);

/* "rewrite" and others that change how, not what: accepted. */
ngx_uint_t kz_query_ignored(const ngx_str_t *key);

/* fuzziness: 0, "1", "AUTO", "AUTO:3,6" */
ngx_int_t kz_query_fuzziness(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_query_member_t *m);

/*
 * What stands behind a clause's name, into its node.  NGX_ERROR: the reason
 * is set.
 */
typedef ngx_int_t kz_query_clause_pt(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node, const kz_json_val_t *v,
    ngx_uint_t depth);

/* kz_query_sort.c */
ngx_int_t kz_query_sort(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v);

/* kz_query_body.c: null, false, {}, [] */
ngx_uint_t kz_query_empty(const kz_json_val_t *v);

/* kz_query_term.c */
kz_query_clause_pt  kz_query_all;
kz_query_clause_pt  kz_query_term;           /* prefix, wildcard, ... too */
kz_query_clause_pt  kz_query_terms;
kz_query_clause_pt  kz_query_range;
kz_query_clause_pt  kz_query_exists;
kz_query_clause_pt  kz_query_ids;

/* kz_query_match.c */
kz_query_clause_pt  kz_query_match;
kz_query_clause_pt  kz_query_phrase;

/* kz_query_geo.c */
kz_query_clause_pt  kz_query_geo_box;
kz_query_clause_pt  kz_query_geo_distance;
kz_query_clause_pt  kz_query_geo_polygon;


#endif /* _KZ_QUERY_PARSE_H_INCLUDED_ */
