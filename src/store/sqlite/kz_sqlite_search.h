#ifndef _KZ_SQLITE_SEARCH_H_INCLUDED_
#define _KZ_SQLITE_SEARCH_H_INCLUDED_

/*
 * One search over one collection, on a thread, with a connection of its own.
 *
 *   plan      the cheapest clause that the postings can answer, by bounded
 *             counting, drives; none: every document is looked at
 *   collect   row numbers of the driver, sorted: order of insertion
 *   match     the rest of the query over the stored text (kz_match)
 *   aggregate, post_filter, search_after, collapse
 *   order     the best from + size of them
 *   fetch     those of the page, into the pool
 *
 * Totals are exact.  The whole search is one read transaction.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_agg.h"
#include "store/kz_highlight.h"
#include "store/kz_match.h"
#include "store/kz_source.h"
#include "store/kz_store.h"
#include "store/sqlite/kz_sqlite_db.h"
#include "store/sqlite/kz_sqlite_scroll.h"


#define KZ_SEARCH_WINDOW  10000       /* from + size, as in the original */
#define KZ_SEARCH_PAGE    (64 * 1024 * 1024)    /* bytes of its documents */


typedef struct {
    /* in */
    ngx_pool_t           *pool;       /* the thread's during the search */
    kz_match_t           *match;
    int64_t               col;
    ngx_uint_t            from;
    ngx_uint_t            size;
    ngx_uint_t            count;      /* only the total is wanted */
    ngx_uint_t            pick;       /* only ids, by rows: up to size of
                                         those in (cursor, bound] */
    kz_aggs_t            *aggs;       /* bound, or NULL */
    kz_highlight_t       *highlight;  /* bound, or NULL */
    kz_source_t          *source;     /* NULL: whole documents */
    const kz_json_val_t  *after;      /* search_after, or NULL */
    double                min_score;
    ngx_uint_t            collapse;   /* by the key behind the sort keys */
    kz_scroll_t          *scroll;     /* to be kept for more pages, or NULL */
    uint64_t              file;       /* of the index */
    const ngx_str_t      *names;      /* of index and collection */
    ngx_uint_t            several;    /* one of several searches: its hits
                                         are kept, aggregations go on */
    ngx_msec_t            budget;     /* ms */
    volatile ngx_uint_t  *stop;       /* set by another thread: give up */

    /* in and out; pick: 0 at first */
    int64_t               cursor;
    int64_t               bound;
    size_t                bytes;      /* of the documents on the page */

    /* out */
    kz_store_status_e     status;
    kz_sqlite_err_t       err;        /* FAILED, BAD_QUERY: the text */
    uint64_t              total;
    double                max_score;
    ngx_uint_t            scored;     /* max_score is one */
    kz_doc_t             *docs;
    ngx_uint_t            ndocs;
    ngx_str_t             aggregations;    /* JSON */
    struct kz_hit_s     **hits;       /* several: of the documents; malloc's,
                                         NULL when order has no keys */
    size_t                nhits;
} kz_search_t;


void kz_sqlite_search_thread(kz_sqlite_db_t *db, kz_search_t *s);

/* Frees the hits that were kept. */
void kz_sqlite_search_forget(kz_search_t *s);

/*
 * Which hit of two comes first, of searches with the same sort: negative, 0,
 * positive.  kz_sqlite_top.c
 */
ngx_int_t kz_hit_cmp(const kz_match_t *m, const struct kz_hit_s *a,
    const struct kz_hit_s *b);


#endif /* _KZ_SQLITE_SEARCH_H_INCLUDED_ */
