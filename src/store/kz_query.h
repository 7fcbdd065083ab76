#ifndef _KZ_QUERY_H_INCLUDED_
#define _KZ_QUERY_H_INCLUDED_

/*
 * The search DSL as a neutral tree.  Pure: the body's text in, structs out;
 * no mapping, no engine, no clock.
 *
 * What is not understood is refused with its name and its place: a search never
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
#include "util/kz_geo.h"


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
    KZ_QUERY_MATCH,           /* text is analysed, its words looked for */
    KZ_QUERY_PHRASE,          /* one after the other */
    KZ_QUERY_WILDCARD,
    KZ_QUERY_REGEXP,
    KZ_QUERY_FUZZY,
    KZ_QUERY_NESTED,          /* field: the path; all: the clause */
    KZ_QUERY_GEO_BOX,
    KZ_QUERY_GEO_DISTANCE,
    KZ_QUERY_GEO_POLYGON,
    KZ_QUERY_BOOSTING,        /* all: positive; none: negative; factor */
    KZ_QUERY_DIS_MAX,         /* any; factor: tie_breaker */
    KZ_QUERY_BOOL
} kz_query_type_e;


#define KZ_QUERY_FUZZY_AUTO  3


/* What else a regexp may hold. */

#define KZ_REGEXP_INTERVAL    1       /* <1-5> */
#define KZ_REGEXP_ANY         2       /* @ */
#define KZ_REGEXP_EMPTY       4       /* # */
#define KZ_REGEXP_COMPLEMENT  8       /* ~ */
#define KZ_REGEXP_INTERSECT   16      /* & */
#define KZ_REGEXP_ALL         31


typedef struct kz_query_node_s  kz_query_node_t;


/* Of several values: of a sort key, of the scores of nested objects. */

typedef enum {
    KZ_MODE_MIN = 1,          /* NESTED: "min" */
    KZ_MODE_MAX,
    KZ_MODE_AVG,
    KZ_MODE_SUM,
    KZ_MODE_MEDIAN,
    KZ_MODE_NONE              /* NESTED: does not score */
} kz_sort_mode_e;


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

    ngx_str_t             text;        /* MATCH, PHRASE, WILDCARD, REGEXP,
                                          FUZZY: decoded */
    ngx_str_t             analyzer;    /* instead of the field's */
    ngx_str_t             minimum_text;     /* minimum_should_match, when it
                                          depends on the number of words */
    ngx_str_t             format;      /* RANGE: of its dates */
    ngx_int_t             zone;        /* RANGE: time_zone, minutes */
    ngx_uint_t            fuzziness;   /* 0, 1, 2, KZ_QUERY_FUZZY_AUTO */
    ngx_uint_t            fuzzy_low;   /* AUTO: characters from which on one */
    ngx_uint_t            fuzzy_high;  /* edit is allowed, and two (3, 6) */
    ngx_uint_t            prefix_length;
    ngx_uint_t            max_expansions;
    ngx_uint_t            slop;        /* PHRASE */
    ngx_uint_t            flags;       /* REGEXP */
    double                factor;

    kz_geo_point_t       *points;      /* GEO_POLYGON; GEO_DISTANCE: one */
    ngx_uint_t            npoints;
    kz_geo_box_t          box;
    double                metres;
    kz_sort_mode_e        mode;        /* NESTED: score_mode */

    double                boost;
    ngx_uint_t            n;           /* number of this clause */

    unsigned              lower_in:1;  /* bounds included */
    unsigned              upper_in:1;
    unsigned              scored:1;    /* adds its boost when it matches */
    unsigned              every:1;     /* MATCH: operator and */
    unsigned              prefix:1;    /* PHRASE, MATCH: the last word is the
                                          beginning of one */
    unsigned              pattern:1;   /* field has wildcards, or is "*": all
                                          it stands for, best one scores */
    unsigned              nocase:1;    /* case_insensitive */
    unsigned              lenient:1;   /* values of a wrong type match not */
    unsigned              transpose:1; /* FUZZY: "ab" to "ba" is one edit */
    unsigned              ignore:1;    /* ignore_unmapped */
    unsigned              normal:1;    /* PREFIX, WILDCARD, FUZZY, RANGE: in a
                                          text field, in the form its words
                                          have (lower case) */
    unsigned              zero:1;      /* MATCH, PHRASE: without any word it is
                                          everything */
};


typedef enum {
    KZ_SORT_FIELD = 1,
    KZ_SORT_SCORE,
    KZ_SORT_ID,
    KZ_SORT_DOC,              /* order of insertion */
    KZ_SORT_GEO               /* distance of field to the nearest point */
} kz_sort_type_e;


typedef struct {
    kz_sort_type_e        type;
    ngx_str_t             field;
    kz_json_val_t         missing;     /* NONE, or a value */
    kz_sort_mode_e        mode;        /* 0: as max says */
    ngx_str_t             nested;      /* path of nested objects, or empty */
    kz_query_node_t      *filter;      /* of those; NULL: all of them */
    kz_geo_point_t       *points;      /* GEO: from the nearest of them */
    ngx_uint_t            npoints;
    double                unit;        /* GEO: metres in one */
    unsigned              desc:1;
    unsigned              first:1;     /* missing: "_first" */
    unsigned              max:1;       /* of several values the greatest */
    unsigned              lenient:1;   /* unmapped_type was given */
} kz_query_sort_t;


typedef struct {
    kz_query_node_t      *root;
    kz_query_node_t      *post;        /* post_filter: hits only */
    kz_query_sort_t      *sort;
    ngx_uint_t            nsort;
    int64_t               from;        /* -1: not given */
    int64_t               size;
    ngx_uint_t            nclauses;

    /* parts of the body that others compile; type NONE: not given */
    kz_json_val_t         source;      /* _source */
    kz_json_val_t         includes;    /* _source_includes, _source_excludes */
    kz_json_val_t         excludes;
    kz_json_val_t         after;       /* search_after */
    kz_json_val_t         aggs;        /* kz_agg.h */
    kz_json_val_t         highlight;   /* kz_highlight.h */
    kz_json_val_t         collapse;
    double                min_score;
} kz_query_t;


/*
 * body: a search body (an object, validated text), or NONE: everything.
 * Everything is allocated from the pool, values are slices of the body.
 *
 * NULL: *err says why (BAD_QUERY, BAD_ROOT_KEY, FAILED; BAD_FILTER,
 * FILTER_KEYWORD, FILTER_UNTRANSLATABLE).
 */
#define KZ_QUERY_COUNT     1      /* of a count: only a query may be in it */
#define KZ_QUERY_KONCORDE  2      /* the query is a filter */

kz_query_t *kz_query_parse(ngx_pool_t *pool, const kz_json_val_t *body,
    ngx_uint_t flags, kz_mapping_err_t *err);


/*
 * Adds the field of q->collapse behind the sort keys, as one of them.
 * NGX_ERROR: *err.
 */
ngx_int_t kz_query_collapse(ngx_pool_t *pool, kz_query_t *q,
    kz_mapping_err_t *err);


#endif /* _KZ_QUERY_H_INCLUDED_ */
