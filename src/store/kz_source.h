#ifndef _KZ_SOURCE_H_INCLUDED_
#define _KZ_SOURCE_H_INCLUDED_

/*
 * Which parts of a document a search shows: "_source".  Pure.
 *
 *     false | true | "a.*" | ["a", "b.c"] | {"includes": ..., "excludes": ...}
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_query.h"
#include "util/kz_out.h"


#define KZ_SOURCE_MAX  1024         /* patterns */


typedef struct {
    ngx_str_t        *includes;     /* patterns with "*" */
    ngx_uint_t        nincludes;
    ngx_str_t        *excludes;
    ngx_uint_t        nexcludes;
    unsigned          none:1;       /* nothing at all */
    unsigned          all:1;        /* nothing is left out */
} kz_source_t;


/* NGX_ERROR: *err says why.  Slices of the query's text are kept. */
ngx_int_t kz_source_parse(kz_source_t *s, ngx_pool_t *pool,
    const kz_query_t *q, kz_mapping_err_t *err);

/*
 * Appends what is to be seen of a document; "{}" when that is nothing.
 * Sets *info when _kuzzle_info is whole and last, as it was.
 */
ngx_int_t kz_source_filter(const kz_source_t *s, const ngx_str_t *src,
    kz_out_t *o, ngx_uint_t *info);


#endif /* _KZ_SOURCE_H_INCLUDED_ */
