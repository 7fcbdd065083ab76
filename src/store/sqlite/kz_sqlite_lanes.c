
/*
 * Lanes: a queue of operations for each index name, the threads that serve
 * them, and the files they have open.
 */

#include "store/sqlite/kz_sqlite_writer.h"
#include "core/kz_stat.h"


static uint32_t kz_lane_hash(const ngx_str_t *name);
static kz_wop_t *kz_lane_take(kz_lane_t *lane);
static void kz_lane_spare(kz_writer_t *w);
static int kz_lane_log_grew(void *data, sqlite3 *db, const char *name,
    int pages);


static uint32_t
kz_lane_hash(const ngx_str_t *name)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;                                     /* FNV-1a */

    for (i = 0; i < name->len; i++) {
        hash = (hash ^ name->data[i]) * 16777619u;
    }

    return hash;
}


/* The lane of that name, a new one if need be; under w->lock. */

kz_lane_t *
kz_lane_get(kz_writer_t *w, const ngx_str_t *name)
{
    uint32_t    hash;
    kz_lane_t  *lane;

    hash = kz_lane_hash(name);

    for (lane = w->lanes[hash % KZ_WRITER_LANES]; lane; lane = lane->next) {

        if (lane->hash == hash && lane->name.len == name->len
            && ngx_memcmp(lane->name.data, name->data, name->len) == 0)
        {
            return lane;
        }
    }

    lane = ngx_calloc(sizeof(kz_lane_t) + name->len, ngx_cycle->log);
    if (lane == NULL) {
        return NULL;
    }

    lane->hash = hash;
    lane->name.len = name->len;
    lane->name.data = (u_char *) lane + sizeof(kz_lane_t);
    ngx_memcpy(lane->name.data, name->data, name->len);

    lane->last = &lane->first;

    lane->next = w->lanes[hash % KZ_WRITER_LANES];
    w->lanes[hash % KZ_WRITER_LANES] = lane;

    return lane;
}


/* Under w->lock; nothing is open or queued in it. */

void
kz_lane_free(kz_writer_t *w, kz_lane_t *lane)
{
    kz_lane_t  **p;

    p = &w->lanes[lane->hash % KZ_WRITER_LANES];

    while (*p != lane) {
        p = &(*p)->next;
    }

    *p = lane->next;

    ngx_free(lane);
}


/* Under w->lock. */

void
kz_lane_ready(kz_writer_t *w, kz_lane_t *lane)
{
    if ((lane->first || lane->work) && !lane->busy && !lane->queued) {
        lane->queued = 1;
        ngx_queue_insert_tail(&w->ready, &lane->ready);
        (void) pthread_cond_signal(&w->work);
    }
}


/* Takes over the operation; NGX_ERROR: no memory, it is still the caller's. */

ngx_int_t
kz_lane_push(kz_writer_t *w, kz_wop_t *op)
{
    kz_lane_t  *lane;

    (void) pthread_mutex_lock(&w->lock);

    lane = kz_lane_get(w, &op->in.index);

    if (lane == NULL) {
        (void) pthread_mutex_unlock(&w->lock);
        return NGX_ERROR;
    }

    op->next = NULL;
    op->conn->refs++;
    op->conn->queued += op->size;

    *lane->last = op;
    lane->last = &op->next;

    kz_lane_ready(w, lane);

    (void) pthread_mutex_unlock(&w->lock);

    kz_stat_writer_queue(1);

    return NGX_OK;
}


/* A batch from the head of the queue; under w->lock. */

static kz_wop_t *
kz_lane_take(kz_lane_t *lane)
{
    size_t       bytes;
    kz_wop_t    *op, *ops;
    ngx_uint_t   n;

    ops = lane->first;
    bytes = ops->size;

    for (op = ops, n = 1; op->next && n < KZ_WRITER_BATCH; op = op->next) {

        bytes += op->next->size;

        if (bytes > KZ_WRITER_BATCH_BYTES) {
            break;
        }

        n++;
    }

    lane->first = op->next;
    op->next = NULL;

    if (lane->first == NULL) {
        lane->last = &lane->first;
    }

    return ops;
}


void *
kz_writer_commit_thread(void *data)
{
    kz_writer_t *w = data;

    kz_wop_t     *ops;
    kz_lane_t    *lane;
    ngx_uint_t    rest, more;
    ngx_queue_t  *q;

    (void) pthread_mutex_lock(&w->lock);

    for ( ;; ) {

        while (ngx_queue_empty(&w->ready) && !w->quit) {
            (void) pthread_cond_wait(&w->work, &w->lock);
        }

        if (w->quit) {
            break;
        }

        q = ngx_queue_head(&w->ready);
        ngx_queue_remove(q);

        lane = ngx_queue_data(q, kz_lane_t, ready);
        lane->queued = 0;

        if (lane->busy || (lane->first == NULL && !lane->work)) {
            continue;
        }

        lane->busy = 1;
        w->nbusy++;

        ops = lane->first ? kz_lane_take(lane) : NULL;
        rest = lane->rest;
        more = !w->draining;

        (void) pthread_mutex_unlock(&w->lock);

        if (ops) {
            kz_batch_run(w, lane, ops);
        }

        if (more) {
            more = kz_index_turn(w, lane, rest);
            more |= kz_drop_turn(w, lane, rest);
        }

        (void) pthread_mutex_lock(&w->lock);

        lane->busy = 0;
        lane->work = (more && lane->db && !w->draining);
        lane->rest = (rest && more);
        w->nbusy--;

        if (lane->first || lane->work) {
            kz_lane_ready(w, lane);

        } else if (lane->file == 0 && lane->db == NULL) {

            /* an index that does not exist, or no more */

            kz_lane_free(w, lane);
        }

        (void) pthread_cond_broadcast(&w->idle);
    }

    (void) pthread_mutex_unlock(&w->lock);

    return NULL;
}


/* Opens the lane's file unless it is open. */

ngx_int_t
kz_lane_open(kz_writer_t *w, kz_lane_t *lane, kz_sqlite_err_t *err)
{
    char             path[KZ_SQLITE_PATH_LEN];
    kz_sqlite_db_t  *db;

    if (lane->db) {

        (void) pthread_mutex_lock(&w->lock);

        ngx_queue_remove(&lane->lru);
        ngx_queue_insert_tail(&w->open, &lane->lru);

        (void) pthread_mutex_unlock(&w->lock);

        return NGX_OK;
    }

    if (kz_sqlite_path(path, &w->dir, KZ_SQLITE_INDEX, lane->file)
        != NGX_OK)
    {
        err->code = SQLITE_CANTOPEN;
        (void) ngx_cpystrn(err->text, (u_char *) "the path is too long",
                           KZ_SQLITE_ERR_LEN);
        return NGX_ERROR;
    }

    if (access(path, F_OK) == -1) {

        /* an empty one in its place would hide the loss */

        err->code = SQLITE_CANTOPEN;
        *ngx_snprintf(err->text, KZ_SQLITE_ERR_LEN - 1,
                      "the file i%uL.db of the index is missing",
                      lane->file) = '\0';
        return NGX_ERROR;
    }

    db = kz_sqlite_open_writer(path, KZ_SQLITE_INDEX, ngx_cycle->log, err);
    if (db == NULL) {
        return NGX_ERROR;
    }

    return kz_lane_adopt_new(w, lane, db, err);
}


/*
 * Makes an open file the lane's; it is closed when that fails.  Another file
 * is closed for it when there are too many.
 */

ngx_int_t
kz_lane_adopt_new(kz_writer_t *w, kz_lane_t *lane, kz_sqlite_db_t *db,
    kz_sqlite_err_t *err)
{
    int64_t  seq;

    if (kz_sqlite_int(db, "SELECT seq FROM commits WHERE one = 1", &seq)
        != SQLITE_OK)
    {
        kz_sqlite_error(db, err);

        if (err->code == SQLITE_OK || err->code == SQLITE_DONE) {
            err->code = SQLITE_CORRUPT;
            (void) ngx_cpystrn(err->text,
                               (u_char *) "it has no commit number",
                               KZ_SQLITE_ERR_LEN);
        }

        kz_sqlite_close(db);
        return NGX_ERROR;
    }

    (void) sqlite3_wal_hook(db->db, kz_lane_log_grew, lane);

    lane->db = db;
    lane->seq = (uint64_t) seq;
    lane->hook = 0;
    lane->purged = 0;
    lane->failed = 0;
    lane->looked = 0;
    lane->drops = KZ_DROPS_UNKNOWN;

    (void) pthread_mutex_lock(&w->lock);

    lane->opened = 1;
    lane->pages = 0;
    lane->left = 0;
    ngx_queue_insert_tail(&w->open, &lane->lru);
    w->nopen++;

    while (w->nopen > w->open_files) {
        seq = (int64_t) w->nopen;
        kz_lane_spare(w);

        if (seq == (int64_t) w->nopen) {
            break;
        }
    }

    (void) pthread_mutex_unlock(&w->lock);

    return NGX_OK;
}


/* Closes the file that was not used for longest; under w->lock. */

static void
kz_lane_spare(kz_writer_t *w)
{
    kz_lane_t    *lane;
    ngx_queue_t  *q;

    for (q = ngx_queue_head(&w->open);
         q != ngx_queue_sentinel(&w->open);
         q = ngx_queue_next(q))
    {
        lane = ngx_queue_data(q, kz_lane_t, lru);

        if (lane->busy || lane->checking || lane->first) {
            continue;
        }

        lane->busy = 1;
        w->nbusy++;

        (void) pthread_mutex_unlock(&w->lock);

        kz_lane_close(w, lane);

        (void) pthread_mutex_lock(&w->lock);

        lane->busy = 0;
        w->nbusy--;

        kz_lane_ready(w, lane);
        (void) pthread_cond_broadcast(&w->idle);

        return;
    }
}


/* Its owner closes the lane's file; the log stays when w->fast says so. */

void
kz_lane_close(kz_writer_t *w, kz_lane_t *lane)
{
    kz_lane_forget(lane);

    (void) pthread_mutex_lock(&w->lock);

    while (lane->checking) {
        (void) pthread_cond_wait(&w->idle, &w->lock);
    }

    if (lane->dirty) {
        lane->dirty = 0;
        w->ndirty--;
    }

    lane->work = 0;
    lane->rest = 0;

    if (lane->opened) {
        lane->opened = 0;
        ngx_queue_remove(&lane->lru);
        w->nopen--;
    }

    (void) pthread_mutex_unlock(&w->lock);

    if (lane->db && w->fast) {
        (void) sqlite3_db_config(lane->db->db,
                                 SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }

    if (lane->ck_db && w->fast) {
        (void) sqlite3_db_config(lane->ck_db->db,
                                 SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }

    kz_sqlite_close(lane->ck_db);
    kz_sqlite_close(lane->db);

    lane->ck_db = NULL;
    lane->db = NULL;
}


/* Drops the collections that are kept in memory. */

void
kz_lane_forget(kz_lane_t *lane)
{
    kz_wcol_t   *col, *next;
    ngx_uint_t   i;

    for (i = 0; i < KZ_WRITER_COLS; i++) {

        for (col = lane->cols[i]; col; col = next) {
            next = col->next;

            if (col->mapping) {
                kz_mapping_free(col->mapping);
            }

            kz_index_forget(col);
            ngx_free(col);
        }

        lane->cols[i] = NULL;
    }
}


/* SQLite's commit hook: how long the log is now. */

static int
kz_lane_log_grew(void *data, sqlite3 *db, const char *name, int pages)
{
    kz_lane_t *lane = data;

    (void) db;
    (void) name;

    lane->hook = pages;

    return SQLITE_OK;
}


/*
 * Nothing is pushed any more: waits for what is queued, up to a point in
 * time, then for what is running, and drops the rest.
 */

void
kz_lanes_drain(kz_writer_t *w, int64_t until)
{
    kz_wop_t         *op, *next, *drop;
    kz_lane_t        *lane;
    ngx_uint_t        i;
    struct timespec   ts;

    drop = NULL;

    ts.tv_sec = until / 1000;
    ts.tv_nsec = (until % 1000) * 1000000;

    (void) pthread_mutex_lock(&w->lock);

    w->draining = 1;

    while ((!ngx_queue_empty(&w->ready) || w->nbusy)
           && pthread_cond_timedwait(&w->idle, &w->lock, &ts) == 0)
    {
        /* void */
    }

    for (i = 0; i < KZ_WRITER_LANES; i++) {

        for (lane = w->lanes[i]; lane; lane = lane->next) {

            if (lane->first == NULL) {
                continue;
            }

            *lane->last = drop;
            drop = lane->first;
            lane->first = NULL;
            lane->last = &lane->first;
        }
    }

    while (w->nbusy) {
        (void) pthread_cond_wait(&w->idle, &w->lock);
    }

    (void) pthread_mutex_unlock(&w->lock);

    for (op = drop; op; op = next) {
        next = op->next;
        kz_wconn_release(w, op->conn, op->size);
        ngx_free(op);
    }
}


/* Nothing is queued any more: closes every file and frees every lane. */

void
kz_lanes_free(kz_writer_t *w)
{
    kz_lane_t   *lane, *next;
    ngx_uint_t   i;

    (void) pthread_mutex_lock(&w->lock);

    w->closing = 1;

    while (w->nbusy) {
        (void) pthread_cond_wait(&w->idle, &w->lock);
    }

    (void) pthread_mutex_unlock(&w->lock);

    for (i = 0; i < KZ_WRITER_LANES; i++) {

        (void) pthread_mutex_lock(&w->lock);
        lane = w->lanes[i];
        (void) pthread_mutex_unlock(&w->lock);

        for ( /* void */ ; lane; lane = next) {
            next = lane->next;

            kz_lane_close(w, lane);

            (void) pthread_mutex_lock(&w->lock);

            if (lane->queued) {
                lane->queued = 0;
                ngx_queue_remove(&lane->ready);
            }

            kz_lane_free(w, lane);

            (void) pthread_mutex_unlock(&w->lock);
        }
    }
}
