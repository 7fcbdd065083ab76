
/*
 * Checkpoints: copying committed pages from the log into the file.
 *
 * SQLite's automatic ones would happen on the write path.  Here a thread
 * copies in the background while there is something to copy, on connections
 * of its own; when a log has become long and little of it is left to copy,
 * the commit thread does that rest itself between two batches, so that the
 * next one starts the log from its beginning.  A log at rest is emptied.
 */

#include "store/sqlite/kz_sqlite_writer.h"


#define KZ_CHECKPOINT_PAUSE   50       /* ms between two rounds */
#define KZ_CHECKPOINT_LEAST   4000       /* pages that are worth one */
#define KZ_CHECKPOINT_REST    1000     /* ms without a commit */


static void kz_checkpoint_round(kz_writer_t *w);
static void kz_checkpoint_copy(kz_writer_t *w, kz_lane_t *lane);
static void kz_checkpoint_empty(kz_writer_t *w, kz_lane_t *lane,
    int64_t now);
static ngx_int_t kz_checkpoint_connect(kz_writer_t *w, kz_lane_t *lane);


void *
kz_writer_checkpoint_thread(void *data)
{
    kz_writer_t *w = data;

    int64_t          ms;
    struct timespec  ts;

    (void) pthread_mutex_lock(&w->lock);

    while (!w->quit) {

        if (w->ndirty == 0) {
            (void) pthread_cond_wait(&w->dirt, &w->lock);
            continue;
        }

        kz_checkpoint_round(w);

        ms = kz_writer_ms() + KZ_CHECKPOINT_PAUSE;
        ts.tv_sec = ms / 1000;
        ts.tv_nsec = (ms % 1000) * 1000000;

        while (!w->quit
               && pthread_cond_timedwait(&w->dirt, &w->lock, &ts) == 0)
        {
            /* void */
        }
    }

    (void) pthread_mutex_unlock(&w->lock);

    return NULL;
}


/* Under w->lock, which it gives up in between: the list may change then. */

static void
kz_checkpoint_round(kz_writer_t *w)
{
    int64_t       now;
    kz_lane_t    *lane;
    ngx_uint_t    n;
    ngx_queue_t  *q;

    n = w->nopen;
    now = kz_writer_ms();
    q = ngx_queue_head(&w->open);

    while (n-- && q != ngx_queue_sentinel(&w->open)
           && !w->quit && !w->closing)
    {

        lane = ngx_queue_data(q, kz_lane_t, lru);
        q = ngx_queue_next(q);

        if (!lane->dirty) {
            continue;
        }

        if (!lane->busy && lane->first == NULL && !lane->work
            && now - lane->written >= KZ_CHECKPOINT_REST
            && now - lane->tried >= KZ_CHECKPOINT_REST)
        {
            if (!lane->rested) {

                /* first what the postings still need */

                lane->rested = 1;
                lane->rest = 1;
                lane->work = 1;
                kz_lane_ready(w, lane);
                continue;
            }

            kz_checkpoint_empty(w, lane, now);

        } else if (lane->left >= KZ_CHECKPOINT_LEAST) {
            kz_checkpoint_copy(w, lane);

        } else {
            continue;
        }

        q = ngx_queue_head(&w->open);

        /*
         * From the start again, since the lock was given up.  Lanes that
         * were served have nothing to do in this round any more.
         */
    }
}


/* Copies what no reader needs in the log; neither side waits for it. */

static void
kz_checkpoint_copy(kz_writer_t *w, kz_lane_t *lane)
{
    int  rc, log, copied;

    lane->checking = 1;

    (void) pthread_mutex_unlock(&w->lock);

    log = -1;
    copied = -1;
    rc = SQLITE_ERROR;

    if (kz_checkpoint_connect(w, lane) == NGX_OK) {
        rc = sqlite3_wal_checkpoint_v2(lane->ck_db->db, NULL,
                                       SQLITE_CHECKPOINT_PASSIVE, &log,
                                       &copied);

        if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY) {
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "kuzzle: checkpoint of index \"%V\" failed: %s",
                          &lane->name, sqlite3_errmsg(lane->ck_db->db));
        }
    }

    (void) pthread_mutex_lock(&w->lock);

    /* commits since then are added by the next one's count */

    if (rc == SQLITE_OK && log >= 0 && copied >= 0) {
        lane->left = (ngx_uint_t) (log - copied);

    } else {
        lane->left = 0;
    }

    if (lane->left >= KZ_CHECKPOINT_LEAST) {

        /* held back by a reader: the next commit asks again */

        lane->left = KZ_CHECKPOINT_LEAST - 1;
    }

    lane->checking = 0;
    (void) pthread_cond_broadcast(&w->idle);
}


static ngx_int_t
kz_checkpoint_connect(kz_writer_t *w, kz_lane_t *lane)
{
    char             path[KZ_SQLITE_PATH_LEN];
    kz_sqlite_err_t  err;

    if (lane->ck_db) {
        return NGX_OK;
    }

    if (kz_sqlite_path(path, &w->dir, KZ_SQLITE_INDEX, lane->file)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    lane->ck_db = kz_sqlite_open_writer(path, KZ_SQLITE_INDEX,
                                        ngx_cycle->log, &err);
    if (lane->ck_db == NULL) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "kuzzle: the checkpointer cannot open \"%s\": %s",
                      path, err.text);
        return NGX_ERROR;
    }

    (void) sqlite3_busy_timeout(lane->ck_db->db, 0);

    return NGX_OK;
}


/*
 * Nothing was written for a while: empties the log, as the owner of the
 * lane.  A reader in the middle of something makes it fail; tried again.
 */

static void
kz_checkpoint_empty(kz_writer_t *w, kz_lane_t *lane, int64_t now)
{
    int  rc;

    lane->busy = 1;
    lane->tried = now;
    w->nbusy++;

    (void) pthread_mutex_unlock(&w->lock);

    rc = SQLITE_ERROR;

    if (lane->db) {
        (void) sqlite3_busy_timeout(lane->db->db, 0);

        rc = sqlite3_wal_checkpoint_v2(lane->db->db, NULL,
                                       SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                       NULL);

        (void) sqlite3_busy_timeout(lane->db->db, 5000);
    }

    if (rc == SQLITE_OK) {
        kz_sqlite_close(lane->ck_db);
        lane->ck_db = NULL;
        lane->hook = 0;
    }

    (void) pthread_mutex_lock(&w->lock);

    lane->busy = 0;
    w->nbusy--;

    if (rc == SQLITE_OK && lane->dirty) {
        lane->dirty = 0;
        lane->pages = 0;
        lane->left = 0;
        w->ndirty--;
    }

    kz_lane_ready(w, lane);

    (void) pthread_cond_broadcast(&w->idle);
}


/*
 * The commit thread, after a batch or other work: tells the checkpointer, and
 * finishes a long log that is nearly copied.
 */

void
kz_writer_committed(kz_writer_t *w, kz_lane_t *lane, ngx_uint_t batch)
{
    int         log, copied;
    ngx_uint_t  finish;

    if (lane->db == NULL || lane->hook == 0) {
        return;
    }

    (void) pthread_mutex_lock(&w->lock);

    if (lane->hook >= lane->pages) {
        lane->left += lane->hook - lane->pages;

    } else {
        lane->left = lane->hook;       /* the log was begun again */
    }

    lane->pages = lane->hook;

    if (batch) {
        lane->written = kz_writer_ms();
        lane->rested = 0;
    }

    if (!lane->dirty) {
        lane->dirty = 1;

        if (w->ndirty++ == 0) {
            (void) pthread_cond_signal(&w->dirt);
        }
    }

    finish = (lane->pages > KZ_WRITER_LOG_PAGES
              && lane->left < KZ_WRITER_LEFT_PAGES
              && !lane->checking);

    (void) pthread_mutex_unlock(&w->lock);

    if (!finish) {
        return;
    }

    log = -1;
    copied = -1;

    if (sqlite3_wal_checkpoint_v2(lane->db->db, NULL,
                                  SQLITE_CHECKPOINT_PASSIVE, &log, &copied)
        != SQLITE_OK)
    {
        return;
    }

    (void) pthread_mutex_lock(&w->lock);

    lane->left = (log > copied) ? (ngx_uint_t) (log - copied) : 0;

    (void) pthread_mutex_unlock(&w->lock);
}
