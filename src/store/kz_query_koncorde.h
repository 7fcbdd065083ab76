#ifndef _KZ_QUERY_KONCORDE_H_INCLUDED_
#define _KZ_QUERY_KONCORDE_H_INCLUDED_

/*
 * Private to the translation of Koncorde filters:
 *
 *   kz_query_koncorde.c  keywords
 *   kz_koncorde_check.c  what they ask of their JSON, and refusals
 *   kz_koncorde_geo.c    points
 *   kz_koncorde_regexp.c patterns
 */

#include "store/kz_query_string.h"


/* kz_koncorde_check.c */

/*
 * Refuses with "path": reason, NULL: without a path (KZ_STORE_BAD_FILTER).
 * The second says that a search cannot do it (.._FILTER_UNTRANSLATABLE).
 */
ngx_int_t kz_koncorde_bad(kz_query_parse_t *x, const kz_query_place_t *at,
    const char *fmt, ...);
ngx_int_t kz_koncorde_cannot(kz_query_parse_t *x, const kz_query_place_t *at,
    const char *why);

/* A clause without a score. */
kz_query_node_t *kz_koncorde_node(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_type_e type);

/* The only member of an object; NULL: refused. */
kz_query_member_t *kz_koncorde_property(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v);

/* Exactly that many members. */
ngx_int_t kz_koncorde_properties(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t count,
    kz_query_member_t **m);

/* An object that is not empty, of these attributes (sorted; NULL ends). */
ngx_int_t kz_koncorde_attributes(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, const char **allowed,
    kz_query_member_t **m, ngx_uint_t *n);

/* An array that is not empty. */
ngx_int_t kz_koncorde_array(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v);

ngx_uint_t kz_koncorde_empty(const kz_json_val_t *v);


/* kz_koncorde_geo.c */

kz_query_node_t *kz_koncorde_box(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
kz_query_node_t *kz_koncorde_distance(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
kz_query_node_t *kz_koncorde_ring(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);
kz_query_node_t *kz_koncorde_polygon(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);


/* kz_koncorde_regexp.c */

/*
 * A pattern of JavaScript's, found anywhere in the text, as one of the
 * engine's, which have to fit the whole of it.
 */
kz_query_node_t *kz_koncorde_regexp(kz_query_parse_t *x,
    const kz_query_place_t *at, const kz_json_val_t *v, ngx_uint_t depth);


#endif /* _KZ_QUERY_KONCORDE_H_INCLUDED_ */
