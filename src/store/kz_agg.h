#ifndef _KZ_AGG_H_INCLUDED_
#define _KZ_AGG_H_INCLUDED_

/*
 * Aggregations: what is asked for is a tree, each document that matches is
 * shown to it once, the answer is JSON.  Pure: text in, text out; one thread
 * at a time.
 *
 *     {"cities": {"terms": {"field": "city"},
 *                 "aggs": {"mean": {"avg": {"field": "price"}}}}}
 *
 *   kz_agg_parse.c   the tree and its parameters
 *   kz_agg.c         binding, collecting
 *   kz_agg_value.c   values of a field in a document
 *   kz_agg_print.c   the answer
 *
 * What is not known is refused with its name and its place.  Counts are
 * exact, cardinality and percentiles too; what would take more memory than
 * KZ_AGG_MEMORY, or more buckets than KZ_AGG_BUCKETS, is refused.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_match.h"
#include "util/kz_out.h"


#define KZ_AGG_MEMORY   ((size_t) 256 * 1024 * 1024)
#define KZ_AGG_BUCKETS  65536
#define KZ_AGG_LIMIT      256           /* aggregations of one search */
#define KZ_AGG_DEPTH    16


typedef struct kz_aggs_s  kz_aggs_t;


/*
 * aggs: the object behind "aggs", validated text; it and the pool outlive
 * the result.  now: epoch ms, for date math.  NULL: *err says why.
 */
kz_aggs_t *kz_agg_parse(ngx_pool_t *pool, const kz_json_val_t *aggs,
    kz_dialect_e dialect, int64_t now, kz_mapping_err_t *err);

/*
 * Before the documents of a collection; again before those of another one.
 * The mapping and the names outlive what follows.  NGX_ERROR: *err.
 */
ngx_int_t kz_agg_bind(kz_aggs_t *a, const kz_mapping_t *mapping,
    const ngx_str_t *index, const ngx_str_t *collection,
    kz_mapping_err_t *err);

/*
 * One more document.  NGX_OK; NGX_ERROR: *err (BAD_QUERY: too many buckets,
 * too much memory; FAILED).
 */
ngx_int_t kz_agg_doc(kz_aggs_t *a, const ngx_str_t *id,
    const ngx_str_t *src, double score, kz_mapping_err_t *err);

/*
 * The one field whose values are all that is needed, when every one of the
 * aggregations can be fed (value, number of documents) pairs instead of
 * documents; NULL: they cannot.
 */
const kz_field_t *kz_agg_fed_by(const kz_aggs_t *a);
ngx_int_t kz_agg_feed(kz_aggs_t *a, const kz_value_t *v, uint64_t ndocs,
    kz_mapping_err_t *err);

/* Appends the object of results. */
void kz_agg_print(kz_aggs_t *a, kz_out_t *o);

/* Frees what is not the pool's; a may be NULL. */
void kz_agg_free(kz_aggs_t *a);


#endif /* _KZ_AGG_H_INCLUDED_ */
