#ifndef _KZ_SQLITE_SEARCH_H_INCLUDED_
#define _KZ_SQLITE_SEARCH_H_INCLUDED_

/*
 * One search over one collection, on a thread, with a connection of its own.
 *
 *   plan      the cheapest clause that the postings can answer, by bounded
 *             counting, drives; none: every document is looked at
 *   collect   row numbers of the driver, sorted: order of insertion
 *   match     the rest of the query over the stored text (kz_match)
 *   order     the best from + size of them
 *   fetch     those of the page, into the pool
 *
 * Totals are exact.  The whole search is one read transaction.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_match.h"
#include "store/kz_store.h"
#include "store/sqlite/kz_sqlite_db.h"


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
    ngx_msec_t            budget;     /* ms */
    volatile ngx_uint_t  *stop;       /* set by another thread: give up */

    /* out */
    kz_store_status_e     status;
    kz_sqlite_err_t       err;        /* FAILED, BAD_QUERY: the text */
    uint64_t              total;
    kz_doc_t             *docs;
    ngx_uint_t            ndocs;
} kz_search_t;


void kz_sqlite_search_thread(kz_sqlite_db_t *db, kz_search_t *s);


#endif /* _KZ_SQLITE_SEARCH_H_INCLUDED_ */
