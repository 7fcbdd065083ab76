#ifndef _KZ_AGG_INT_H_INCLUDED_
#define _KZ_AGG_INT_H_INCLUDED_

/*
 * Private to kz_agg*.c.
 *
 *   kz_agg_t      what is asked for: one node of the tree
 *   kz_state_t    what was collected for it in one bucket of its parent
 *   kz_bucket_t   a bucket of such a state, with the states of the nodes
 *                 below
 */

#include "store/kz_agg.h"
#include "store/kz_date.h"
#include "store/kz_mapping_node.h"
#include "store/kz_query_parse.h"
#include "util/kz_geo.h"


typedef struct kz_agg_s     kz_agg_t;
typedef struct kz_state_s   kz_state_t;
typedef struct kz_bucket_s  kz_bucket_t;


typedef enum {
    KZ_AGG_TERMS = 1,
    KZ_AGG_RANGE,
    KZ_AGG_DATE_RANGE,
    KZ_AGG_HISTOGRAM,
    KZ_AGG_DATE_HISTOGRAM,
    KZ_AGG_FILTER,
    KZ_AGG_FILTERS,
    KZ_AGG_MISSING,
    KZ_AGG_NESTED,
    KZ_AGG_GEO_DISTANCE,
    KZ_AGG_CARDINALITY,
    KZ_AGG_MIN,
    KZ_AGG_MAX,
    KZ_AGG_AVG,
    KZ_AGG_SUM,
    KZ_AGG_STATS,
    KZ_AGG_EXTENDED_STATS,
    KZ_AGG_VALUE_COUNT,
    KZ_AGG_PERCENTILES,
    KZ_AGG_TOP_HITS
} kz_agg_type_e;

#define kz_agg_is_bucket(a)  ((a)->type < KZ_AGG_CARDINALITY)


typedef enum {
    KZ_ORDER_COUNT = 0,
    KZ_ORDER_KEY,
    KZ_ORDER_METRIC
} kz_agg_order_e;


typedef struct {
    kz_agg_order_e       by;
    kz_agg_t            *sub;
    ngx_str_t            part;         /* "std_deviation" */
    unsigned             desc:1;
} kz_agg_sort_t;

#define KZ_AGG_MAX_SORT  4


typedef struct {
    ngx_str_t            key;          /* given, or data == NULL */
    kz_json_val_t        from;         /* date_range: as written */
    kz_json_val_t        to;
    double               low;          /* bound; -inf: open */
    double               high;
    kz_json_val_t        filter;       /* filters, filter */
    kz_query_t          *query;
    kz_match_t          *match;        /* of the mapping at hand */
} kz_agg_range_t;


struct kz_agg_s {
    kz_agg_type_e        type;
    kz_agg_t            *next;
    kz_agg_t            *subs;
    ngx_uint_t           nsubs;
    ngx_uint_t           n;            /* place among its siblings */
    const char          *word;         /* "terms" */
    ngx_str_t            name;
    kz_json_val_t        meta;

    /* parameters */
    ngx_str_t            field;        /* nested: the path */
    int64_t              size;
    int64_t              from;
    int64_t              min_count;
    double               interval;     /* ms, or units */
    double               offset;
    kz_date_unit_e       unit;         /* when calendar */
    ngx_int_t            zone;
    ngx_str_t            format;
    ngx_array_t         *formats;
    kz_json_val_t        missing;
    kz_json_val_t        bounds;       /* extended_bounds */
    double               bound_min;
    double               bound_max;
    kz_agg_sort_t        sort[KZ_AGG_MAX_SORT];
    ngx_uint_t           nsort;
    kz_json_val_t       *include;      /* of terms: exact ones */
    ngx_uint_t           ninclude;
    kz_json_val_t       *exclude;
    ngx_uint_t           nexclude;
    kz_agg_range_t      *ranges;
    ngx_uint_t           nranges;
    kz_geo_point_t       origin;
    double               metres;       /* of its unit */
    double              *percents;
    ngx_uint_t           npercents;
    double               sigma;
    kz_json_val_t        source;       /* top_hits: _source */

    unsigned             calendar:1;
    unsigned             keyed:1;
    unsigned             bounded:1;
    unsigned             other:1;      /* filters: other_bucket */
    ngx_str_t            other_key;

    /* bound to a mapping */
    const kz_field_t    *f;            /* NULL: not mapped, or none */
    unsigned             raw:1;        /* look at the text */
    unsigned             boolean:1;    /* its values are */
    unsigned             date:1;
    unsigned             whole:1;      /* keys print as whole numbers */

    /* the values of the document at hand */
    kz_value_t          *values;
    ngx_uint_t           nvalues;
    ngx_uint_t           room;
};


struct kz_bucket_s {
    kz_bucket_t         *chain;
    uint32_t             hash;
    kz_value_t           key;
    uint64_t             count;
    kz_state_t         **subs;         /* NULL: no document yet */
};


typedef struct {
    double               score;
    ngx_str_t            id;
    ngx_str_t            source;
    ngx_str_t            index;
    ngx_str_t            collection;
} kz_top_hit_t;


struct kz_state_s {
    /* buckets: a hash by key, or an array by range */
    kz_bucket_t        **table;
    ngx_uint_t           mask;
    kz_bucket_t        **list;         /* in order of appearance */
    ngx_uint_t           n;
    ngx_uint_t           room;

    /* metrics */
    uint64_t             count;
    double               sum;
    double               lost;         /* of the sum (Kahan) */
    double               squares;
    double               squares_lost;
    double               min;
    double               max;
    double              *all;          /* percentiles */
    uint64_t            *set;          /* cardinality: hashes */
    size_t               all_room;

    kz_top_hit_t        *hits;         /* top_hits */
    ngx_uint_t           nhits;
};


typedef struct kz_agg_block_s  kz_agg_block_t;

struct kz_agg_block_s {
    kz_agg_block_t      *next;
    size_t               size;
};


struct kz_aggs_s {
    ngx_pool_t          *pool;
    kz_agg_t            *root;         /* a list */
    ngx_uint_t           n;
    kz_state_t         **states;
    kz_dialect_e         dialect;
    int64_t              now;
    const kz_mapping_t  *mapping;
    const ngx_str_t     *index;
    const ngx_str_t     *collection;
    kz_mapping_err_t    *err;

    ngx_uint_t           total;        /* aggregations */
    ngx_uint_t           buckets;
    size_t               memory;
    kz_agg_block_t      *blocks;       /* malloc's, until the end */
    u_char              *at;           /* in the first of them */
    size_t               left;

    kz_scratch_t         scratch;
    u_char              *text;         /* values of the document at hand */
    size_t               text_len;
    size_t               text_room;
};


/* A document, or an object inside it (nested). */

typedef struct {
    const ngx_str_t     *id;
    const ngx_str_t     *src;
    kz_json_val_t        object;
    size_t               prefix;       /* of paths: up to this object */
    double               score;
} kz_agg_doc_t;


/* kz_agg.c */

/* Memory until kz_agg_free(), zeroed; NULL: *err is set. */
void *kz_agg_alloc(kz_aggs_t *a, size_t size);
kz_state_t **kz_agg_states(kz_aggs_t *a, ngx_uint_t n);

/* A copy until kz_agg_free(). */
ngx_int_t kz_agg_dup(kz_aggs_t *a, ngx_str_t *dst,
    const ngx_str_t *src);


/* kz_agg_bind.c */

/* BAD_QUERY; fmt takes one "%V".  NGX_ERROR. */
ngx_int_t kz_agg_refuse(kz_aggs_t *a, const char *fmt,
    const ngx_str_t *name);


/* kz_agg_metric.c */

/* One more document for a metric, or for the top hits. */
ngx_int_t kz_agg_metric(kz_aggs_t *a, kz_agg_t *agg,
    kz_state_t *state, const kz_agg_doc_t *doc);

/* Adds a hash to the set of those seen. */
ngx_int_t kz_agg_seen(kz_aggs_t *a, kz_state_t *state, uint64_t h);

uint64_t kz_agg_hash64(const kz_value_t *v);

ngx_int_t kz_agg_top(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc);


/* kz_agg_order.c */

/* Sorts buckets as agg->sort says; spare has room for n of them. */
void kz_agg_order_list(kz_agg_t *agg, kz_bucket_t **list,
    kz_bucket_t **spare, ngx_uint_t n);


/* kz_agg_value.c */

/*
 * Fills agg->values with those of the document, sorted, each once when
 * distinct.  NGX_ERROR: no memory.
 */
ngx_int_t kz_agg_values(kz_aggs_t *a, kz_agg_t *agg,
    const kz_agg_doc_t *doc, ngx_uint_t distinct);

/* The points of a geo field; the same. */
ngx_int_t kz_agg_nearest(kz_aggs_t *a, kz_agg_t *agg,
    const kz_agg_doc_t *doc, double *metres);

/* Calls for each object below the path. */
typedef ngx_int_t (*kz_agg_object_pt)(kz_aggs_t *a, kz_agg_t *agg,
    kz_state_t *state, const kz_agg_doc_t *doc);
ngx_int_t kz_agg_objects(kz_aggs_t *a, kz_agg_t *agg, kz_state_t *state,
    const kz_agg_doc_t *doc, kz_agg_object_pt handler);

double kz_agg_double(const kz_value_t *v);
uint32_t kz_agg_hash(const kz_value_t *v);


#endif /* _KZ_AGG_INT_H_INCLUDED_ */
