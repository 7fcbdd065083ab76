#ifndef _KZ_SQLITE_SEARCH_RUN_H_INCLUDED_
#define _KZ_SQLITE_SEARCH_RUN_H_INCLUDED_

/*
 * Private to kz_sqlite_search.c (the run), kz_sqlite_plan.c (driver and
 * candidates) and kz_sqlite_top.c (order).
 */

#include "store/sqlite/kz_sqlite_search.h"
#include "store/sqlite/kz_sqlite_segment.h"


#define KZ_PLAN_PROBE  2000           /* postings counted of one clause */
#define KZ_PLAN_NEVER  ((uint64_t) -1)


typedef enum {
    KZ_PLAN_COUNT = 0,
    KZ_PLAN_COLLECT
} kz_plan_e;


/* A document that may be on the page. */

typedef struct kz_hit_s  kz_hit_t;

struct kz_hit_s {
    kz_hit_t             *next;       /* collapse: in its bucket */
    int64_t               r;
    double                score;
    kz_value_t            keys[];     /* type 0: missing; texts behind them */
};


typedef struct {
    kz_search_t          *s;
    kz_sqlite_db_t       *db;
    uint64_t              deadline;   /* monotonic, ms */
    size_t                work;       /* since the clock was looked at */

    kz_segment_t         *segs;       /* malloc's */
    ngx_uint_t            nsegs;
    ngx_uint_t            known;      /* the segments are */
    int64_t               hi;         /* rows above it have no postings */
    ngx_uint_t            posted;     /* postings drive, not ids alone */
    ngx_uint_t            listing;    /* what matches goes to the rows */

    int64_t              *rows;       /* candidates: malloc's */
    size_t                nrows;
    size_t                room;
    ngx_uint_t            picked;     /* the rows are those of the page */
    size_t                bytes;      /* of the page's documents */

    kz_hit_t            **hits;       /* malloc's; a heap, worst on top */
    size_t                nhits;
    size_t                hits_room;
    size_t                max;        /* from + size */
    ngx_uint_t            ranked;     /* order differs from insertion */
    ngx_uint_t            plain;      /* what matches is a hit: no more to it */
    ngx_uint_t            nkeys;      /* of a hit: sort keys, and collapse */
    kz_hit_t             *after;
    kz_hit_t            **groups;     /* collapse: a hash, malloc's */
    size_t                ngroups;
    size_t                groups_room;
} kz_run_t;


uint64_t kz_run_now(void);

/*
 * To be asked in loops, with the bytes that are to be gone through next:
 * NGX_ERROR, with the status set, when it is over.
 */
ngx_int_t kz_run_check(kz_run_t *run, size_t bytes);

/* Takes the status from what SQLite says; NGX_ERROR. */
ngx_int_t kz_run_failed(kz_run_t *run);
ngx_int_t kz_run_memory(kz_run_t *run);

/* The page is too large to be held in memory; NGX_ERROR. */
ngx_int_t kz_run_too_large(kz_run_t *run);

/*
 * kz_sqlite_plan.c: fills run->rows, sorted, each once.  *exact is set when
 * each of them matches, unless it is gone, with nothing left to look at.
 * With run->posted they are those up to run->hi, and the tail is to be looked
 * at.  NGX_DECLINED: nothing drives, look at all; NGX_ERROR: the status is
 * set.
 */
ngx_int_t kz_plan_rows(kz_run_t *run, ngx_uint_t *exact);
ngx_int_t kz_plan_add(kz_run_t *run, int64_t r);

/*
 * kz_sqlite_plan_leaf.c: adds to *n how many postings the leaf has, about;
 * or adds their rows.  kz_plan_test(): what a leaf that looks at documents is
 * narrowed down to.
 */
ngx_int_t kz_plan_leaf(kz_run_t *run, const kz_leaf_t *leaf, kz_plan_e what,
    uint64_t *n);
ngx_int_t kz_plan_test(kz_run_t *run, const kz_leaf_t *leaf, kz_plan_e what,
    uint64_t *n);

/* The rows of one leaf, sorted, up to run->hi; malloc's. */
ngx_int_t kz_plan_leaf_rows(kz_run_t *run, const kz_leaf_t *leaf,
    int64_t **rows, size_t *n);

/* Fills run->segs and run->hi, once; NGX_ERROR: the status is set. */
ngx_int_t kz_plan_segments(kz_run_t *run);

/*
 * kz_sqlite_words.c: before documents are scored, what the words of the query
 * are worth.
 */
ngx_int_t kz_words_weigh(kz_run_t *run);

/*
 * kz_sqlite_ranked.c: the hits and the total of a query about words alone, as
 * far as segments go.  NGX_DECLINED: it is not one.
 */
ngx_int_t kz_ranked_run(kz_run_t *run);

/* kz_sqlite_pick.c: ids by rows; NGX_ERROR: the status is set */
ngx_int_t kz_pick_run(kz_run_t *run);

/* kz_sqlite_top.c */
ngx_int_t kz_top_add(kz_run_t *run, int64_t r, const ngx_str_t *id,
    double score);
void kz_top_sort(kz_run_t *run);

/* The values of search_after; NGX_ERROR: the status is set. */
ngx_int_t kz_top_after(kz_run_t *run, const kz_json_val_t *values);

/* Collapsed groups become hits. */
ngx_int_t kz_top_groups(kz_run_t *run);
void kz_top_free(kz_run_t *run);

/* The sort keys of a hit as JSON, from the pool. */
ngx_int_t kz_top_json(kz_run_t *run, const kz_hit_t *hit, ngx_str_t *out);


#endif /* _KZ_SQLITE_SEARCH_RUN_H_INCLUDED_ */
