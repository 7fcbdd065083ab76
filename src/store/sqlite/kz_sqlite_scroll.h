#ifndef _KZ_SQLITE_SCROLL_H_INCLUDED_
#define _KZ_SQLITE_SCROLL_H_INCLUDED_

/*
 * Scrolls: the ids of everything a search found, in its order, in a file of
 * their own below the data directory.  Whichever worker is asked for the
 * next page finds it there; a page is the documents as they are then, those
 * that are gone left out.
 *
 *     head | index | collection | body ("_source") | entry | entry | ...
 *     entry: length of id, length of sort, score | id | sort
 *
 * A file lives until its time is over; each new scroll removes those whose
 * time is.  Threads only; a file is locked while it is used.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_store.h"
#include "store/sqlite/kz_sqlite_db.h"


#define KZ_SCROLL_ID      32
#define KZ_SCROLL_HITS    2000000      /* of one scroll */
#define KZ_SCROLL_FILES   500          /* at a time */


typedef struct {
    /* in */
    ngx_pool_t           *pool;
    ngx_str_t             id;          /* KZ_SCROLL_ID; create: to be filled */
    int64_t               ttl;         /* ms; next: 0, as it was given */
    ngx_uint_t            size;        /* create: of a page */
    ngx_str_t             index;       /* create; next: out */
    ngx_str_t             collection;
    ngx_str_t             body;        /* create: what "_source" it has */
    ngx_uint_t            once;        /* next: gone with its last page */
    ngx_uint_t            patience;    /* ms, for a busy file */

    /* out */
    kz_store_status_e     status;
    kz_sqlite_err_t       err;
    uint64_t              total;
    uint64_t              remaining;
    kz_doc_t             *docs;
    ngx_uint_t            ndocs;
} kz_scroll_t;


typedef struct kz_scroll_file_s  kz_scroll_file_t;


/*
 * Writing: open, an entry a hit, close (with what the first page has shown).
 * NULL and NGX_ERROR: s->status and s->err say why, nothing is left behind.
 */
kz_scroll_file_t *kz_scroll_open(kz_scroll_t *s, uint64_t file,
    int64_t col);
ngx_int_t kz_scroll_add(kz_scroll_file_t *f, const ngx_str_t *id,
    const ngx_str_t *sort, double score, ngx_uint_t shown);
ngx_int_t kz_scroll_close(kz_scroll_file_t *f, ngx_uint_t keep);

/* The next page. */
void kz_scroll_next_thread(kz_scroll_t *s);


#endif /* _KZ_SQLITE_SCROLL_H_INCLUDED_ */
