#ifndef _KZ_SQLITE_WRITER_H_INCLUDED_
#define _KZ_SQLITE_WRITER_H_INCLUDED_

/*
 * The writer process.  Everything here runs on threads of its own, without
 * nginx's event loop; its door is kz_sqlite_writer_start().
 *
 *   workers --sockets--> IO thread --lanes--> 2 commit threads --> files
 *                            ^                       |
 *                            +------- results -------+       checkpointer
 *
 * A lane holds everything that concerns one index name, in the order it
 * came; it is served by one thread at a time, and so is its file.  What
 * arrived while a commit was being synced is the next commit: no timer.
 *
 * Ownership is an flock on <dir>/writer.lock.  A process that finds it taken
 * asks the owner for it (TAKEOVER), one that gave it away waits (STANDBY)
 * until the new owner is gone.
 *
 *   kz_sqlite_writer.c      threads' life, ownership, recovery
 *   kz_sqlite_writer_io.c   sockets
 *   kz_sqlite_lanes.c       lanes, commit threads, open files
 *   kz_sqlite_checkpoint.c  the checkpointer
 *   kz_sqlite_commit.c      a batch: one transaction, its results
 *   kz_sqlite_done.c        results kept for operations that are sent again
 *   kz_sqlite_catalog.c     kuzzle.db: indexes
 *   kz_sqlite_columns.c     collections and their mappings
 *   kz_sqlite_settings.c    what is changed about a collection that exists
 *   kz_sqlite_drop.c        what is left of deleted ones
 *   kz_sqlite_apply.c       documents
 *   kz_sqlite_items.c       many of them in one operation
 *   kz_sqlite_tombs.c       versions of deleted ones
 *   kz_sqlite_source.c      their text
 *   kz_sqlite_index.c       what makes them searchable: when, and what with
 *   kz_sqlite_postings.c    a segment from the documents of the tail
 *   kz_sqlite_merge.c       a segment from other ones
 *
 * Locks: w->lock guards lanes' queues, connections' list and counts; a
 * connection's lock its output; w->cat_lock kuzzle.db.  A lane that is busy
 * belongs to the thread that made it so.  Order: cat_lock, lock, a
 * connection's.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <pthread.h>

#include "core/kz_bus.h"
#include "core/kz_change.h"
#include "store/kz_mapping.h"
#include "store/kz_settings.h"
#include "store/kz_store.h"
#include "store/sqlite/kz_sqlite_db.h"
#include "store/sqlite/kz_sqlite_segment.h"
#include "store/sqlite/kz_sqlite_wire.h"


#define KZ_WRITER_THREADS       2
#define KZ_WRITER_BATCH         1024               /* operations */
#define KZ_WRITER_BATCH_BYTES   (8 * 1024 * 1024)
#define KZ_WRITER_GROUP_BYTES   (32 * 1024 * 1024) /* old and new sources */
#define KZ_WRITER_CONN_BYTES    (64 * 1024 * 1024) /* queued, or unsent */
#define KZ_WRITER_LANES         1024               /* hash buckets */
#define KZ_WRITER_COLS          64                 /* hash buckets, a lane */
#define KZ_WRITER_LOG_PAGES     16000              /* of a log, wanted */
#define KZ_WRITER_LEFT_PAGES    1500
#define KZ_WRITER_KEEP          600                /* results, seconds */

#define KZ_STORE_MAX_ID         512
#define KZ_STORE_MAX_SOURCE     (16 * 1024 * 1024)


typedef struct kz_writer_s    kz_writer_t;
typedef struct kz_lane_s      kz_lane_t;
typedef struct kz_wconn_s     kz_wconn_t;
typedef struct kz_wop_s       kz_wop_t;
typedef struct kz_wcol_s      kz_wcol_t;
typedef struct kz_group_s     kz_group_t;
typedef struct kz_merge_s     kz_merge_t;


/* A connection of a worker, or of another writer. */

struct kz_wconn_s {
    ngx_queue_t        queue;
    int                fd;
    ngx_uint_t         refs;         /* w->lock; 1 while in the list */
    uint64_t           session;      /* 0: no HELLO yet */
    uint64_t           last;         /* seq of the last operation read */
    size_t             queued;       /* w->lock: bytes of its operations */

    u_char            *in;           /* IO thread only */
    size_t             in_len;
    size_t             in_size;
    uint32_t           events;

    pthread_mutex_t    lock;
    u_char            *out;
    size_t             out_pos;
    size_t             out_len;
    size_t             out_size;

    /* no bit fields: each has another guard */

    ngx_uint_t         closed;       /* lock */
    ngx_uint_t         standby;      /* IO thread only */
    ngx_uint_t         paused;       /* w->lock */
};


/* An operation on its way through the writer; one allocation. */

struct kz_wop_s {
    kz_wop_t          *next;
    kz_wconn_t        *conn;
    size_t             size;
    kz_wire_op_t       in;           /* slices of frame */
    kz_wire_result_t   out;          /* strings: pool of the batch */
    ngx_str_t          change;       /* record for the bus, if any */
    ngx_str_t         *changes;      /* of items: theirs */
    ngx_uint_t         nchanges;
    ngx_str_t          brief;        /* of items: results that are kept */
    ngx_str_t          fallback;     /* an item's own: upsert */
    ngx_uint_t         plain;
    unsigned           retry:1;
    unsigned           applied:1;    /* its result goes to "done" */
    unsigned           kept:1;       /* it is there */
    u_char             frame[];
};


/* A collection of an open file. */

#define KZ_TOMBS_UNKNOWN  0
#define KZ_TOMBS_NONE     1
#define KZ_TOMBS_KEPT     2

struct kz_wcol_s {
    kz_wcol_t         *next;
    ngx_str_t          name;
    int64_t            id;
    kz_dialect_e       dialect;      /* of its creator */
    kz_mapping_t      *mapping;

    /* kz_sqlite_index.c: the postings; nothing is known unless loaded */
    int64_t            hi;           /* the last row that has them */
    int64_t            row;          /* the next one, never used before */
    size_t             bytes;        /* of texts above hi, about */
    int64_t            last_s;       /* segment number */
    kz_segment_t      *segs;         /* live, by rows; malloc's */
    ngx_uint_t         nsegs;
    kz_merge_t        *merges;
    unsigned           loaded:1;
    unsigned           drops:1;      /* there may be old segments */

    time_t             buried;       /* old versions, last purged */
    unsigned           tombs:2;      /* their table: KZ_TOMBS_... */

    unsigned           blocked:1;    /* its settings refuse documents */
};


#define KZ_DROPS_UNKNOWN  0
#define KZ_DROPS_NONE     1
#define KZ_DROPS_LEFT     2

struct kz_lane_s {
    kz_lane_t         *next;         /* in its bucket */
    uint32_t           hash;
    ngx_str_t          name;

    /* w->lock */
    kz_wop_t          *first;
    kz_wop_t         **last;
    ngx_queue_t        ready;        /* in w->ready */
    ngx_queue_t        lru;          /* in w->open, when db is open */
    unsigned           queued:1;     /* is in w->ready */
    unsigned           busy:1;       /* some thread has it */
    unsigned           opened:1;     /* is in w->open */
    unsigned           work:1;       /* at the postings, between batches */
    unsigned           rest:1;       /* nothing else to do for a while */

    /* the thread that made it busy */
    uint64_t           file;         /* 0: no such index */
    kz_sqlite_db_t    *db;
    uint64_t           seq;          /* of the last commit */
    time_t             purged;       /* old results */
    kz_wcol_t         *cols[KZ_WRITER_COLS];
    ngx_uint_t         hook;         /* pages in the log, says SQLite */
    ngx_uint_t         turn;         /* of its collections' postings */
    int64_t            failed;       /* ms, working at them */
    unsigned           looked:1;     /* for work left over in the file */
    unsigned           drops:2;      /* deleted collections: KZ_DROPS_... */
    int64_t            dropped;      /* ms, the last one */

    /* w->lock: shared with the checkpointer */
    ngx_uint_t         pages;        /* in the log, after the last commit */
    ngx_uint_t         left;         /* of them not yet in the file */
    int64_t            written;      /* ms of the last commit */
    int64_t            tried;        /* ms, emptying the log */
    unsigned           dirty:1;      /* the log is not empty */
    unsigned           rested:1;     /* was told so since the last batch */
    unsigned           checking:1;   /* the checkpointer uses ck_db */

    kz_sqlite_db_t    *ck_db;        /* the checkpointer's own */
};


struct kz_writer_s {
    ngx_str_t          dir;          /* in path */
    u_char             path[KZ_SQLITE_PATH_LEN];
    ngx_uint_t         open_files;

    pthread_t          io;
    pthread_t          commit[KZ_WRITER_THREADS];
    pthread_t          checkpointer;
    ngx_uint_t         ncommit;
    ngx_uint_t         started;
    ngx_uint_t         checkpoints;
    ngx_uint_t         fast;         /* leave the logs as they are */

    pthread_mutex_t    lock;
    pthread_cond_t     work;         /* lanes became ready, or stop */
    pthread_cond_t     idle;         /* a lane is free again */
    ngx_queue_t        ready;
    ngx_queue_t        open;         /* lanes with an open file, LRU first */
    ngx_uint_t         nopen;
    ngx_uint_t         nbusy;
    pthread_cond_t     dirt;         /* a log is not empty any more, or quit */
    ngx_uint_t         ndirty;
    kz_lane_t         *lanes[KZ_WRITER_LANES];
    ngx_uint_t         quit;         /* threads: leave */
    ngx_uint_t         closing;      /* checkpointer: keep off */
    ngx_uint_t         draining;     /* only what is queued, no other work */

    ngx_uint_t         stop;         /* the process wants to end */

    int                lock_fd;
    int                wake_fd;      /* eventfd of the IO thread */
    int                epoll_fd;
    int                listen_fd;
    ngx_queue_t        conns;        /* IO thread; refs under lock */
    ngx_uint_t         nconns;
    ngx_uint_t         nstandby;
    int64_t            stopped;      /* IO thread: ms when it saw stop */
    ngx_uint_t         takeover;     /* IO thread */
    ngx_uint_t         seen;         /* a worker has connected */

    pthread_mutex_t    cat_lock;
    kz_sqlite_db_t    *cat;
    ngx_uint_t         cat_writes;
    int64_t            cat_tried;    /* ms */
    kz_sqlite_err_t    cat_err;
};


/* One transaction of a lane. */

struct kz_group_s {
    kz_writer_t       *w;
    kz_lane_t         *lane;
    ngx_pool_t        *pool;
    kz_sqlite_err_t    err;          /* the engine's, when it failed */
    size_t             bytes;        /* sources handled */
    ngx_uint_t         catalog;      /* collections or mappings changed */
    kz_bus_group_t     bus;          /* committed, to be published: */
    ngx_uint_t         nbus;         /* so many changes */
};


/* A document as it is stored. */

typedef struct {
    int64_t            r;
    uint64_t           version;
    ngx_uint_t         found;
    ngx_uint_t         info;
    ngx_str_t          source;
} kz_row_t;


/* Postings of several documents; p is malloc's. */

typedef struct {
    int64_t            f;
    int64_t            r;
    kz_value_t         value;        /* its text lies behind */
} kz_posting_t;

typedef struct {
    ngx_pool_t        *pool;
    kz_posting_t     **p;
    ngx_uint_t         n;
    ngx_uint_t         room;
} kz_postings_t;


/*
 * The door.  Starts the threads; the process has one writer.  NGX_OK (also
 * when it runs already) or NGX_ERROR.
 */
ngx_int_t kz_sqlite_writer_start(const ngx_str_t *dir,
    ngx_uint_t open_files);

/*
 * Asks it to leave and waits: as the owner it serves until its workers are
 * gone or another writer wants to take over.  Does nothing when there is
 * none.
 */
void kz_sqlite_writer_stop(void);


#define kz_writer_stopping(w)                                                 \
    __atomic_load_n(&(w)->stop, __ATOMIC_ACQUIRE)

/* kz_sqlite_writer.c */
int64_t kz_writer_ms(void);          /* CLOCK_MONOTONIC */
void kz_writer_wake(kz_writer_t *w);

/* kz_sqlite_writer_io.c */
ngx_int_t kz_writer_listen(kz_writer_t *w);
void kz_writer_serve(kz_writer_t *w);
void kz_writer_unlisten(kz_writer_t *w);
int kz_writer_connect(kz_writer_t *w, kz_wire_type_e word);
void kz_wconn_send(kz_writer_t *w, kz_wconn_t *c, u_char *p, size_t len);
void kz_wconn_release(kz_writer_t *w, kz_wconn_t *c, size_t queued);

/* kz_sqlite_lanes.c */
ngx_int_t kz_lane_push(kz_writer_t *w, kz_wop_t *op);
kz_lane_t *kz_lane_get(kz_writer_t *w, const ngx_str_t *name);
ngx_int_t kz_lane_open(kz_writer_t *w, kz_lane_t *lane,
    kz_sqlite_err_t *err);
ngx_int_t kz_lane_adopt_new(kz_writer_t *w, kz_lane_t *lane,
    kz_sqlite_db_t *db, kz_sqlite_err_t *err);
void kz_lane_free(kz_writer_t *w, kz_lane_t *lane);
void kz_lane_ready(kz_writer_t *w, kz_lane_t *lane);
void kz_lane_close(kz_writer_t *w, kz_lane_t *lane);
void kz_lane_forget(kz_lane_t *lane);
void kz_lanes_drain(kz_writer_t *w, int64_t until);
void kz_lanes_free(kz_writer_t *w);
void *kz_writer_commit_thread(void *data);

/* kz_sqlite_checkpoint.c */
void *kz_writer_checkpoint_thread(void *data);
void kz_writer_committed(kz_writer_t *w, kz_lane_t *lane,
    ngx_uint_t batch);

/* kz_sqlite_commit.c */
void kz_batch_run(kz_writer_t *w, kz_lane_t *lane, kz_wop_t *ops);
ngx_uint_t kz_group_late(kz_wop_t *op);
void kz_group_failed(kz_group_t *g, kz_sqlite_db_t *db);
void kz_group_detail(kz_group_t *g, kz_wop_t *op, kz_store_status_e status,
    const void *text, size_t len);

/* kz_sqlite_done.c */
ngx_int_t kz_done_find(kz_group_t *g, kz_sqlite_db_t *db, kz_wop_t *op);
ngx_int_t kz_done_store(kz_group_t *g, kz_sqlite_db_t *db, kz_wop_t *ops,
    ngx_uint_t n);

/* kz_sqlite_catalog.c */
ngx_int_t kz_catalog_ready(kz_writer_t *w, kz_sqlite_err_t *err);
void kz_catalog_close(kz_writer_t *w);
ngx_int_t kz_catalog_apply(kz_group_t *g, kz_wop_t *op);
ngx_int_t kz_catalog_create(kz_group_t *g, kz_wop_t *op);

/* kz_sqlite_names.c: NULL, or what is wrong, in the words of generation 1 */
/*
 * Whether an index is the server's own, and the mappings of its collections
 * (NULL: no such one).
 */
ngx_uint_t kz_store_internal(const ngx_str_t *index);
const char *kz_store_internal_mapping(const ngx_str_t *collection);

const char *kz_store_bad_index(const ngx_str_t *name, kz_dialect_e dialect);
const char *kz_store_bad_collection(const ngx_str_t *name,
    kz_dialect_e dialect);

/* kz_sqlite_columns.c */
ngx_int_t kz_wcol_get(kz_group_t *g, const ngx_str_t *name,
    kz_wcol_t **col);
ngx_int_t kz_wcol_mapping_new(kz_group_t *g, kz_wcol_t *col,
    kz_mapping_t *mapping);
ngx_int_t kz_wcol_new(kz_group_t *g, kz_wop_t *op);
ngx_int_t kz_wcol_insert(kz_group_t *g, const ngx_str_t *name,
    kz_dialect_e dialect, const ngx_str_t *settings, int64_t *id);
kz_wcol_t *kz_wcol_keep(kz_group_t *g, const ngx_str_t *name, int64_t id,
    kz_dialect_e dialect);
void kz_wcol_forget(kz_lane_t *lane, kz_wcol_t *col);
void kz_wcol_refuse(kz_group_t *g, kz_wop_t *op, kz_mapping_err_t *err);
ngx_int_t kz_wcol_internal(kz_group_t *g, kz_wop_t *op, kz_wcol_t **col);

/*
 * kz_sqlite_settings.c: KZ_STORE_COLLECTION_*.  NGX_OK: op->out is the
 * answer; NGX_ERROR: the engine failed, g->err.
 *
 * kz_wcol_settings() gives the settings of a new collection (col is NULL), or
 * what those of col become.  NGX_OK; NGX_DECLINED: they stay; NGX_ABORT:
 * refused, op->out says so; NGX_ERROR: the engine.
 */
ngx_int_t kz_wcol_apply(kz_group_t *g, kz_wop_t *op);
ngx_int_t kz_wcol_settings(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col,
    ngx_str_t *out);

#define kz_op_of_collection(op)                                               \
    ((op)->in.kind >= KZ_STORE_COLLECTION_CREATE                              \
     && (op)->in.kind <= KZ_STORE_COLLECTION_TRUNCATE)

/*
 * kz_sqlite_drop.c.  kz_drop_later(): the tables of that collection, whose
 * row has gone, are removed bit by bit; in the group's transaction.
 * kz_drop_turn(): some milliseconds of that; whether there is more.
 */
ngx_int_t kz_drop_later(kz_group_t *g, int64_t id);
ngx_uint_t kz_drop_turn(kz_writer_t *w, kz_lane_t *lane, ngx_uint_t rest);

/*
 * kz_sqlite_apply.c.  NGX_OK: op->out is the answer, and op->applied says
 * whether something was written; NGX_ERROR: the engine failed, g->err.
 */
ngx_int_t kz_apply_document(kz_group_t *g, kz_wop_t *op);
sqlite3_stmt *kz_apply_stmt(kz_group_t *g, const char *fmt, int64_t id);
ngx_int_t kz_apply_step(kz_group_t *g, sqlite3_stmt *stmt);
void kz_apply_no_memory(kz_group_t *g);

/*
 * Adds the fields of the document to the mapping.  NGX_DECLINED: the engine
 * failed; NGX_ERROR, *err: refused.
 */
ngx_int_t kz_apply_infer(kz_group_t *g, kz_wcol_t *col, kz_json_val_t *doc,
    kz_mapping_err_t *err);

/* kz_sqlite_items.c.  The same for KZ_STORE_DOC_ITEMS. */
ngx_int_t kz_items_apply(kz_group_t *g, kz_wop_t *op);
ngx_int_t kz_items_derive(kz_group_t *g, kz_wop_t *op);

/*
 * kz_sqlite_tombs.c: the version of a deleted document, for generation 1.
 * kz_tomb_take() gives 0 when there is none; both NGX_ERROR: the engine.
 */
ngx_int_t kz_tomb_put(kz_group_t *g, kz_wcol_t *col, const ngx_str_t *id,
    uint64_t version);
ngx_int_t kz_tomb_take(kz_group_t *g, kz_wcol_t *col, const ngx_str_t *id,
    uint64_t *version);

/* kz_sqlite_source.c.  NGX_ERROR: no memory */
ngx_int_t kz_apply_compose(kz_group_t *g, kz_wop_t *op, kz_row_t *row);
ngx_int_t kz_apply_derive(kz_group_t *g, kz_wop_t *op);

/*
 * kz_sqlite_index.c
 *
 * kz_index_load() must come before the collection's documents are touched;
 * kz_index_gone() tells it that a row was left; kz_index_reset() makes all
 * documents the tail again.  In the group's transaction; NGX_ERROR: the
 * engine.
 */
ngx_int_t kz_index_load(kz_group_t *g, kz_wcol_t *col);
ngx_int_t kz_index_gone(kz_group_t *g, kz_wcol_t *col, int64_t r);
ngx_int_t kz_index_reset(kz_group_t *g, kz_wcol_t *col);
void kz_index_forget(kz_wcol_t *col);

/*
 * Some milliseconds of work at the postings, by the lane's thread, in
 * transactions of its own.  rest: also what is not pressing.  Returns
 * whether there is more.
 */
ngx_uint_t kz_index_turn(kz_writer_t *w, kz_lane_t *lane, ngx_uint_t rest);

/* kz_sqlite_postings.c; NGX_ERROR: the engine, or no memory, g->err */
ngx_int_t kz_postings_collect(kz_group_t *g, kz_wcol_t *col,
    kz_postings_t *list, int64_t r, const ngx_str_t *source);
ngx_int_t kz_postings_store(kz_group_t *g, kz_wcol_t *col, int64_t s,
    int64_t base, kz_postings_t *list);
ngx_int_t kz_postings_pair(kz_group_t *g, kz_wcol_t *col, int64_t s,
    int64_t f, kz_block_writer_t *w, const kz_value_t *v, int64_t r);
ngx_int_t kz_postings_put(kz_group_t *g, kz_wcol_t *col, int64_t s,
    int64_t f, kz_block_writer_t *w);

/*
 * kz_sqlite_merge.c.  kz_merge_begin() starts one when segments are due;
 * kz_merge_slice() goes on until a point in time, kz_merge_drop() removes a
 * part of a segment that was replaced.  *did: there was something to do.
 */
ngx_int_t kz_merge_begin(kz_group_t *g, kz_wcol_t *col);
ngx_int_t kz_merge_slice(kz_group_t *g, kz_wcol_t *col, int64_t until,
    ngx_uint_t *did);
ngx_int_t kz_merge_drop(kz_group_t *g, kz_wcol_t *col, ngx_uint_t *did);
void kz_merge_free(kz_merge_t *m);
kz_merge_t *kz_merge_next(kz_merge_t *m);
ngx_uint_t kz_merge_due(kz_wcol_t *col);


#endif /* _KZ_SQLITE_WRITER_H_INCLUDED_ */
