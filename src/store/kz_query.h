#ifndef _KZ_QUERY_H_INCLUDED_
#define _KZ_QUERY_H_INCLUDED_

/*
 * The search DSL as a neutral tree.  Pure: the body's text in, structs out;
 * no mapping, no engine, no clock.
 *
 * Understood: match_all, match_none, term, terms, range, exists, ids,
 * prefix, match, constant_score, bool; sort, from, size, post_filter.  What
 * is not understood is refused with its name and its place: a search never
 * answers another question than the one that was asked.
 *
 *     {"bool": {"filter": [{"term": {"a": 1}}], "must_not": {...}}}
 *
 *     BOOL --all------> TERMS a [1]       (scored: 0)
 *          --none-----> ...
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_mapping.h"


#define KZ_QUERY_MAX_CLAUSES  1024
#define KZ_QUERY_MAX_DEPTH    32
#define KZ_QUERY_MAX_VALUES   65536
#define KZ_QUERY_MAX_SORT     16


typedef enum {
    KZ_QUERY_ALL = 1,
    KZ_QUERY_NONE,
    KZ_QUERY_TERMS,           /* any of the values */
    KZ_QUERY_RANGE,
    KZ_QUERY_EXISTS,
    KZ_QUERY_IDS,             /* values are texts */
    KZ_QUERY_PREFIX,
    KZ_QUERY_MATCH,
    KZ_QUERY_BOOL
} kz_query_type_e;


typedef struct kz_query_node_s  kz_query_node_t;

struct kz_query_node_s {
    kz_query_type_e       type;
    kz_query_node_t      *next;        /* in the list it is in */
    ngx_str_t             field;       /* decoded */
    const char           *word;        /* "term": for error texts */

    kz_json_val_t        *values;      /* scalars: TERMS, IDS; one: PREFIX,
                                          MATCH */
    ngx_uint_t            nvalues;

    kz_json_val_t         lower;       /* RANGE; NONE: open */
    kz_json_val_t         upper;

    kz_query_node_t      *all;         /* BOOL: must, filter */
    kz_query_node_t      *any;         /* should */
    kz_query_node_t      *none;        /* must_not */
    ngx_uint_t            nany;
    ngx_uint_t            minimum;     /* of any that have to match */

    double                boost;
    ngx_uint_t            n;           /* number of this clause */

    unsigned              lower_in:1;  /* bounds included */
    unsigned              upper_in:1;
    unsigned              scored:1;    /* adds its boost when it matches */
    unsigned              every:1;     /* MATCH: operator and */
};


typedef enum {
    KZ_SORT_FIELD = 1,
    KZ_SORT_SCORE,
    KZ_SORT_ID,
    KZ_SORT_DOC               /* order of insertion */
} kz_sort_type_e;


typedef struct {
    kz_sort_type_e        type;
    ngx_str_t             field;
    kz_json_val_t         missing;     /* NONE, or a value */
    unsigned              desc:1;
    unsigned              first:1;     /* missing: "_first" */
    unsigned              max:1;       /* of several values the greatest */
    unsigned              lenient:1;   /* unmapped_type was given */
} kz_query_sort_t;


typedef struct {
    kz_query_node_t      *root;
    kz_query_sort_t      *sort;
    ngx_uint_t            nsort;
    int64_t               from;        /* -1: not given */
    int64_t               size;
    ngx_uint_t            nclauses;
} kz_query_t;


/*
 * body: a search body (an object, validated text), or NONE: everything.
 * count is set when it comes from a count: then only a query may be in it.
 * Everything is allocated from the pool, values are slices of the body.
 *
 * NULL: *err says why (BAD_QUERY, BAD_ROOT_KEY, FAILED).
 */
kz_query_t *kz_query_parse(ngx_pool_t *pool, const kz_json_val_t *body,
    ngx_uint_t count, kz_mapping_err_t *err);


#endif /* _KZ_QUERY_H_INCLUDED_ */
