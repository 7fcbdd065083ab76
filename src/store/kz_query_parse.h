#ifndef _KZ_QUERY_PARSE_H_INCLUDED_
#define _KZ_QUERY_PARSE_H_INCLUDED_

/*
 * Private to kz_query.c (clauses) and kz_query_body.c (the body around them).
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


#endif /* _KZ_QUERY_PARSE_H_INCLUDED_ */
