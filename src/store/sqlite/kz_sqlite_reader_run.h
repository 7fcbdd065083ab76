#ifndef _KZ_SQLITE_READER_RUN_H_INCLUDED_
#define _KZ_SQLITE_READER_RUN_H_INCLUDED_

/*
 * Private to kz_sqlite_reader.c (life, parking, catalogue),
 * kz_sqlite_reader_jobs.c (documents, searches), kz_sqlite_reader_scroll.c
 * (their next pages) and
 * kz_sqlite_reader_space.c (what the files take).
 *
 * The event loop owns everything here but a job's "thread" part while the
 * job is on the pool.  A job outlives the operation it was made for when
 * that one's deadline comes first: then job->park is NULL and its results
 * are dropped.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include "store/kz_store.h"
#include "store/sqlite/kz_sqlite_conns.h"
#include "store/sqlite/kz_sqlite_search.h"
#include "store/sqlite/kz_sqlite_view.h"
#include "util/kz_gate.h"
#include "util/kz_thread.h"


typedef struct kz_park_s    kz_park_t;
typedef struct kz_rjob_s    kz_rjob_t;
typedef struct kz_rindex_s  kz_rindex_t;


/* Something of the catalogue that is read again when the version moved on. */

typedef struct {
    uint64_t              version;     /* what is in place */
    uint64_t              reading;     /* what is being read */
    ngx_queue_t           waiting;     /* came after reading began */
    ngx_queue_t           covered;     /* will be served by what is read */
    unsigned              loaded:1;
    unsigned              running:1;
} kz_load_t;


/* An index that was asked for. */

struct kz_rindex_s {
    ngx_queue_t           queue;       /* in reader->indexes */
    ngx_queue_t           lru;         /* in reader->inlined, when db */
    uint64_t              file;
    kz_view_cols_t        cols;
    kz_load_t             load;
    kz_sqlite_db_t       *db;          /* the event loop's own */
    ngx_uint_t            jobs;        /* that point here */
    unsigned              opening:1;   /* a job opens one */
    unsigned              dead:1;      /* no longer in the catalogue */
};


/* A waiting operation; in its request's pool. */

struct kz_park_s {
    kz_store_op_t        *op;
    ngx_queue_t           queue;       /* in a load's, when queued */
    ngx_event_t           timer;
    ngx_msec_t            deadline;
    kz_rjob_t            *job;
    kz_rindex_t          *index;       /* that was waited for; not to be
                                          looked into */
    unsigned              queued:1;
    unsigned              fresh:1;     /* the list of indexes was read for it */
    unsigned              fresh_cols:1;
};


typedef enum {
    KZ_RJOB_INDEXES = 1,
    KZ_RJOB_COLS,
    KZ_RJOB_GET,
    KZ_RJOB_MANY,
    KZ_RJOB_SEARCH,
    KZ_RJOB_CLOSE,
    KZ_RJOB_SPACE,
    KZ_RJOB_SCROLL,
    KZ_RJOB_TARGETS,
    KZ_RJOB_USAGE,
    KZ_RJOB_DUMP
} kz_rjob_e;


struct kz_rjob_s {
    kz_job_t              job;
    kz_rjob_e             type;
    ngx_queue_t           queue;       /* in reader->jobs */
    kz_park_t            *park;        /* GET, SEARCH */
    kz_rindex_t          *index;
    kz_view_col_t        *col;         /* a reference */
    ngx_pool_t           *pool;
    volatile ngx_uint_t   stop;

    /* thread */
    uint64_t              file;
    kz_sqlite_err_t       err;
    ngx_int_t             rc;
    ngx_uint_t            patience;

    kz_view_indexes_t     indexes;
    kz_view_cols_t        cols;
    kz_view_cols_t        old;         /* with references */

    ngx_uint_t            open;        /* GET: a connection for the loop */
    kz_sqlite_db_t       *db;          /* that one; CLOSE: to be closed */
    int64_t               col_id;
    ngx_str_t             id;
    kz_doc_t              doc;

    kz_store_item_t      *items;       /* MANY */
    ngx_uint_t            nitems;

    uint64_t              space;
    kz_store_usage_t     *usage;
    ngx_uint_t            nusage;
    ngx_uint_t            brief;

    kz_search_t           search;
    kz_scroll_t           scroll;

    kz_search_t          *parts;       /* TARGETS: one each; search: what they
                                          come to */
    kz_view_col_t       **cols_of;     /* references */
    ngx_uint_t            nparts;
};


typedef struct {
    ngx_log_t            *log;
    kz_threads_t         *threads;
    kz_gate_t             gate;        /* GET and SEARCH on the threads */
    ngx_connection_t     *notify;
    int                   fd;          /* the notification's eventfd */

    kz_view_indexes_t     list;
    kz_load_t             load;
    ngx_queue_t           indexes;
    ngx_queue_t           inlined;     /* most recently used first */
    ngx_uint_t            ninlined;
    ngx_uint_t            max_inlined;
    ngx_queue_t           jobs;        /* all on the pool */
    ngx_uint_t            pending;
} kz_reader_t;


extern kz_reader_t  kz_reader;


/* kz_sqlite_reader.c */

/* A job, posted by kz_reader_post(); NULL: no memory. */
kz_rjob_t *kz_reader_job(kz_rjob_e type, kz_rindex_t *index,
    kz_job_pt thread, kz_job_pt done);

/* NGX_OK, or NGX_DECLINED: the queue is full, the job is gone. */
ngx_int_t kz_reader_post(kz_rjob_t *job);

/* Takes the job from the lists; what it points to is the caller's. */
void kz_reader_job_free(kz_rjob_t *job);

/* The operation's parking place, made when there is none; NULL: no memory. */
kz_park_t *kz_reader_park(kz_store_op_t *op);

/* Ends a parked operation: its request goes on. */
void kz_reader_finish(kz_park_t *park);

/* A status with a detail that lives elsewhere; NGX_OK. */
ngx_int_t kz_reader_status(kz_store_op_t *op, kz_store_status_e status,
    const void *detail, size_t len);

/* From the start to an answer (NGX_OK), or parked (NGX_AGAIN). */
ngx_int_t kz_reader_advance(kz_store_op_t *op);

#define kz_reader_error(op, err)                                              \
    kz_reader_status(op, KZ_STORE_FAILED, (err)->text,                        \
                     ngx_strlen((err)->text))


/* kz_sqlite_reader_load.c */

void kz_reader_load_init(kz_load_t *load);

/* Whether what is in place will do; waited: it was read for this one. */
ngx_uint_t kz_reader_fresh(kz_load_t *load, ngx_uint_t waited);

/* NGX_AGAIN: parked; NGX_OK: the status says why not.  index: NULL for the
 * list of indexes. */
ngx_int_t kz_reader_wait(kz_store_op_t *op, kz_load_t *load,
    kz_rindex_t *index);

/* By its file, made when it is new; NULL: no memory. */
kz_rindex_t *kz_reader_index(uint64_t file);
void kz_reader_index_free(kz_rindex_t *index);


/* kz_sqlite_reader_jobs.c: NGX_OK, or NGX_AGAIN: a job was posted. */

ngx_int_t kz_reader_get(kz_store_op_t *op, kz_rindex_t *index,
    kz_view_col_t *col);
ngx_int_t kz_reader_search(kz_store_op_t *op, kz_rindex_t *index,
    kz_view_col_t *col);
void kz_reader_close_inline(kz_rindex_t *index);

/* Hands a job to the pool; the operation waits for it. */
ngx_int_t kz_reader_send(kz_store_op_t *op, kz_rjob_t *job);

/* The job's pool, with the results in it, goes with the request's from now. */
ngx_int_t kz_reader_keep(kz_store_op_t *op, kz_rjob_t *job);

/* NGX_OK, NGX_DECLINED: there is none, NGX_ERROR: see SQLite's error. */
ngx_int_t kz_reader_get_row(kz_sqlite_db_t *db, int64_t col,
    const ngx_str_t *id, ngx_pool_t *pool, ngx_uint_t exists,
    kz_doc_t *doc);

/*
 * Closes a connection (or NULL), and those kz_conns_sweep() gave up, on the
 * pool: the event loop does not wait for a removed file to go.
 */
void kz_reader_close(kz_sqlite_db_t *db);


/* kz_sqlite_reader_many.c: NGX_OK, or NGX_AGAIN: a job was posted. */

ngx_int_t kz_reader_many(kz_store_op_t *op, kz_rindex_t *index,
    kz_view_col_t *col);


/* Where the page is, in s; NGX_DECLINED: refused, the operation says why. */
ngx_int_t kz_reader_window(kz_store_op_t *op, const kz_query_t *q,
    kz_search_t *s);

/* The query and what stands around it, bound to a collection. */
ngx_int_t kz_reader_shape(kz_search_t *s, kz_view_col_t *col, kz_query_t *q,
    kz_store_op_t *op, kz_mapping_err_t *err);

/* Frees what a search has outside of its pool. */
void kz_reader_search_free(kz_search_t *s);


/* kz_sqlite_reader_targets.c: NGX_OK, or NGX_AGAIN: a job was posted. */

ngx_int_t kz_reader_targets(kz_store_op_t *op);
void kz_reader_targets_free(kz_rjob_t *job);


/* kz_sqlite_reader_scroll.c */

/* The next page of a scroll: NGX_OK, or NGX_AGAIN. */
ngx_int_t kz_reader_scroll(kz_store_op_t *op);

/* What a search that is to be kept needs; NGX_ERROR: *err. */
ngx_int_t kz_reader_scroll_shape(kz_store_op_t *op, const kz_query_t *q,
    kz_search_t *s, kz_mapping_err_t *err);


/* kz_sqlite_reader_space.c: NGX_OK, or NGX_AGAIN: a job was posted. */

ngx_int_t kz_reader_space(kz_store_op_t *op);


/* kz_sqlite_reader_usage.c: NGX_OK, or NGX_AGAIN: a job was posted. */

ngx_int_t kz_reader_usage(kz_store_op_t *op);


/* kz_sqlite_dump.c: NGX_OK, or NGX_AGAIN: a job was posted. */

ngx_int_t kz_reader_dump(kz_store_op_t *op);


#endif /* _KZ_SQLITE_READER_RUN_H_INCLUDED_ */
