
/*
 * The writer's life: its threads, and who owns the store.
 *
 *     NEW ----lock----> OWNER ----takeover----> WAITING ----lock----> OWNER
 *      |                  |                        |
 *      +-- asks the       +-- stop: leaves when    +-- stop: leaves at once
 *          owner              nobody needs it
 *
 * A NEW one that is to stop takes over first what it has asked for.
 */

#include "store/sqlite/kz_sqlite_writer.h"
#include "core/kz_stat.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>


#define KZ_WRITER_NEW_POLL      3        /* ms between two tries */
#define KZ_WRITER_NEW_SLOW      25       /* ms, after */
#define KZ_WRITER_EAGER         2000     /* ms */
#define KZ_WRITER_NEW_ASK       300      /* ms between two requests */
#define KZ_WRITER_WAIT_POLL     100
#define KZ_WRITER_OWED          2000     /* ms to wait for what it asked for */
#define KZ_WRITER_YIELD         50       /* ms after giving it away */
#define KZ_WRITER_RETRY         1000     /* ms, when the directory is bad */


static void kz_writer_init(kz_writer_t *w);
static ngx_int_t kz_writer_descriptors(kz_writer_t *w);
static ngx_int_t kz_writer_thread(pthread_t *t, void *(*run)(void *),
    void *data, const char *name);
static void kz_writer_end(kz_writer_t *w);
static void *kz_writer_io_thread(void *data);
static ngx_int_t kz_writer_lock(kz_writer_t *w, ngx_uint_t *asks);
static ngx_uint_t kz_writer_owed(int64_t asked, int64_t *stopped);
static ngx_int_t kz_writer_open_lock(kz_writer_t *w);
static void kz_writer_own(kz_writer_t *w);
static ngx_uint_t kz_writer_keep(void *data, u_char *payload, size_t len);
static void kz_writer_pause(kz_writer_t *w, int peer, ngx_msec_t ms);


static kz_writer_t  kz_writer;


/* What a recovering writer knows about a file. */

typedef struct {
    kz_writer_t  *w;
    uint64_t      file;
    uint64_t      seq;
    ngx_uint_t    kept;
    ngx_uint_t    dropped;
} kz_writer_recover_t;


int64_t
kz_writer_ms(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


void
kz_writer_wake(kz_writer_t *w)
{
    uint64_t  one;

    one = 1;

    if (write(w->wake_fd, &one, sizeof(uint64_t)) == -1) {

        /* the counter is full: it is awake already */

        return;
    }
}


ngx_int_t
kz_sqlite_writer_start(const ngx_str_t *dir, ngx_uint_t open_files)
{
    ngx_uint_t    i;
    kz_writer_t  *w;

    w = &kz_writer;

    if (w->started) {
        return NGX_OK;
    }

    kz_writer_init(w);

    if (dir->len >= KZ_SQLITE_PATH_LEN) {
        return NGX_ERROR;
    }

    /* the configuration it comes from may go before the writer does */

    w->dir.len = dir->len;
    w->dir.data = w->path;
    ngx_memcpy(w->path, dir->data, dir->len);

    w->open_files = ngx_max(open_files, KZ_WRITER_THREADS);

    if (kz_writer_descriptors(w) != NGX_OK) {
        return NGX_ERROR;
    }

    w->started = 1;

    for (i = 0; i < KZ_WRITER_THREADS; i++) {
        if (kz_writer_thread(&w->commit[i], kz_writer_commit_thread, w,
                             "kuzzle commit")
            != NGX_OK)
        {
            goto failed;
        }

        w->ncommit++;
    }

    if (kz_writer_thread(&w->checkpointer, kz_writer_checkpoint_thread, w,
                         "kuzzle ckpt")
        != NGX_OK)
    {
        goto failed;
    }

    w->checkpoints = 1;

    if (kz_writer_thread(&w->io, kz_writer_io_thread, w, "kuzzle io")
        == NGX_OK)
    {
        return NGX_OK;
    }

failed:

    kz_writer_end(w);

    return NGX_ERROR;
}


static void
kz_writer_init(kz_writer_t *w)
{
    pthread_condattr_t  attr;

    ngx_memzero(w, sizeof(kz_writer_t));

    w->lock_fd = -1;
    w->wake_fd = -1;
    w->epoll_fd = -1;
    w->listen_fd = -1;

    ngx_queue_init(&w->ready);
    ngx_queue_init(&w->open);
    ngx_queue_init(&w->conns);

    (void) pthread_mutex_init(&w->lock, NULL);
    (void) pthread_mutex_init(&w->cat_lock, NULL);

    (void) pthread_condattr_init(&attr);
    (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);

    (void) pthread_cond_init(&w->work, &attr);
    (void) pthread_cond_init(&w->idle, &attr);
    (void) pthread_cond_init(&w->dirt, &attr);

    (void) pthread_condattr_destroy(&attr);
}


static ngx_int_t
kz_writer_descriptors(kz_writer_t *w)
{
    struct epoll_event  ee;

    ngx_memzero(&ee, sizeof(struct epoll_event));
    ee.events = EPOLLIN;
    ee.data.ptr = &w->wake_fd;

    w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);

    if (w->wake_fd != -1 && w->epoll_fd != -1
        && epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->wake_fd, &ee) == 0)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, ngx_errno,
                  "kuzzle: the writer has no descriptors");

    if (w->wake_fd != -1) {
        (void) close(w->wake_fd);
    }

    if (w->epoll_fd != -1) {
        (void) close(w->epoll_fd);
    }

    return NGX_ERROR;
}


/* A signal must reach nginx's loop, never one of these. */

static ngx_int_t
kz_writer_thread(pthread_t *t, void *(*run)(void *), void *data,
    const char *name)
{
    int       err;
    sigset_t  all, old;

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &old);

    err = pthread_create(t, NULL, run, data);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);

    if (err) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, err,
                      "kuzzle: pthread_create() of the writer failed");
        return NGX_ERROR;
    }

    (void) pthread_setname_np(*t, name);

    return NGX_OK;
}


void
kz_sqlite_writer_stop(void)
{
    kz_writer_t  *w;

    w = &kz_writer;

    if (!w->started) {
        return;
    }

    __atomic_store_n(&w->stop, 1, __ATOMIC_RELEASE);
    kz_writer_wake(w);

    (void) pthread_join(w->io, NULL);

    kz_writer_end(w);
}


/* Ends the other threads; the IO thread has gone. */

static void
kz_writer_end(kz_writer_t *w)
{
    ngx_uint_t  i;

    (void) pthread_mutex_lock(&w->lock);

    w->quit = 1;
    (void) pthread_cond_broadcast(&w->work);
    (void) pthread_cond_broadcast(&w->dirt);

    (void) pthread_mutex_unlock(&w->lock);

    for (i = 0; i < w->ncommit; i++) {
        (void) pthread_join(w->commit[i], NULL);
    }

    if (w->checkpoints) {
        (void) pthread_join(w->checkpointer, NULL);
    }

    if (w->lock_fd != -1) {
        (void) close(w->lock_fd);
    }

    (void) close(w->wake_fd);
    (void) close(w->epoll_fd);

    w->started = 0;
}


static void *
kz_writer_io_thread(void *data)
{
    kz_writer_t *w = data;

    ngx_uint_t  asks;

    asks = 1;

    while (!kz_writer_stopping(w)) {

        if (kz_writer_lock(w, &asks) != NGX_OK) {
            continue;
        }

        kz_writer_own(w);

        /* given away: no asking for it back */

        asks = 0;
    }

    return NULL;
}


/*
 * Waits for the store.  *asks: whether the owner is asked to leave; one that
 * gave it away only waits, connected, to see at once when the owner goes.
 * NGX_OK: it is ours; NGX_AGAIN: the process ends.
 */

static ngx_int_t
kz_writer_lock(kz_writer_t *w, ngx_uint_t *asks)
{
    int         peer, gone;
    char        c;
    int64_t     now, asked, began, stopped;
    ngx_uint_t  said;

    began = kz_writer_ms();
    stopped = 0;
    peer = -1;
    gone = 0;
    asked = 0;
    said = 0;

    if (!*asks) {

        /* whom it was given to comes first */

        kz_writer_pause(w, -1, KZ_WRITER_YIELD);
    }

    while (!kz_writer_stopping(w)
           || (*asks && kz_writer_owed(asked, &stopped)))
    {

        if (kz_writer_open_lock(w) != NGX_OK) {
            kz_writer_pause(w, -1, KZ_WRITER_RETRY);
            continue;
        }

        if (flock(w->lock_fd, LOCK_EX | LOCK_NB) == 0) {

            if (peer != -1) {
                (void) close(peer);
            }

            return NGX_OK;
        }

        if (!said) {
            said = 1;
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "kuzzle: the store has a writer, %s",
                          *asks ? "asking it to leave" : "waiting");
        }

        now = kz_writer_ms();

        if (peer != -1 && recv(peer, &c, 1, MSG_DONTWAIT) == 0) {
            (void) close(peer);
            peer = -1;
            gone = 1;
            asked = now;
            began = now;
        }

        if (peer != -1 && *asks && now - asked >= KZ_WRITER_NEW_ASK) {
            (void) close(peer);
            peer = -1;
        }

        if (peer == -1
            && (asked == 0 || now - asked >= KZ_WRITER_NEW_ASK))
        {
            peer = kz_writer_connect(w, *asks ? KZ_WIRE_TAKEOVER
                                              : KZ_WIRE_STANDBY);
            asked = now;
            gone = 0;
        }

        if ((*asks || gone) && now - began < KZ_WRITER_EAGER) {
            kz_writer_pause(w, -1, KZ_WRITER_NEW_POLL);

        } else {
            kz_writer_pause(w, peer, *asks ? KZ_WRITER_NEW_SLOW
                                           : KZ_WRITER_WAIT_POLL);
        }
    }

    if (peer != -1) {
        (void) close(peer);
    }

    return NGX_AGAIN;
}


/*
 * The process ends, but the owner was asked to leave and does: workers that
 * drain (the master was killed during a reload) would be without a writer.
 */

static ngx_uint_t
kz_writer_owed(int64_t asked, int64_t *stopped)
{
    int64_t  now;

    if (asked == 0) {
        return 0;
    }

    now = kz_writer_ms();

    if (*stopped == 0) {
        *stopped = now;
    }

    return now - *stopped < KZ_WRITER_OWED;
}


static ngx_int_t
kz_writer_open_lock(kz_writer_t *w)
{
    u_char  *p;
    char     path[KZ_SQLITE_PATH_LEN];

    if (w->lock_fd != -1) {
        return NGX_OK;
    }

    p = ngx_snprintf((u_char *) path, KZ_SQLITE_PATH_LEN - 1,
                     "%V/writer.lock", &w->dir);
    *p = '\0';

    w->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (w->lock_fd == -1) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, ngx_errno,
                      "kuzzle: open(\"%s\") failed, nothing can be stored",
                      path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* From lock to unlock. */

static void
kz_writer_own(kz_writer_t *w)
{
    kz_sqlite_err_t      err;
    kz_writer_recover_t  r;

    (void) pthread_mutex_lock(&w->lock);
    w->closing = 0;
    w->draining = 0;
    (void) pthread_mutex_unlock(&w->lock);

    /*
     * A catalogue that cannot be used is not a reason to leave: operations
     * are told so, and it is tried again.
     */

    (void) kz_catalog_ready(w, &err);

    ngx_memzero(&r, sizeof(kz_writer_recover_t));
    r.w = w;

    kz_stat_writer_start();
    kz_bus_writer_recover(kz_writer_keep, &r);

    if (r.kept || r.dropped) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "kuzzle: of the previous writer's pending changes "
                      "%ui were committed, %ui were not",
                      r.kept, r.dropped);
    }

    /* the predecessor may have died between a COMMIT and saying so */

    kz_bus_catalog_changed();
    kz_bus_internal_changed();

    if (kz_writer_listen(w) == NGX_OK) {
        w->fast = 0;

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "kuzzle: writer owns \"%V\"", &w->dir);

        kz_writer_serve(w);

        w->fast = w->takeover || !kz_writer_stopping(w);

    } else {
        kz_writer_pause(w, -1, KZ_WRITER_RETRY);
    }

    kz_lanes_free(w);
    kz_catalog_close(w);

    (void) flock(w->lock_fd, LOCK_UN);

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "kuzzle: writer leaves \"%V\"", &w->dir);
}


/*
 * A change whose commit the predecessor did not live to announce: whether
 * the file has that commit.
 */

static ngx_uint_t
kz_writer_keep(void *data, u_char *payload, size_t len)
{
    kz_writer_recover_t *r = data;

    char              path[KZ_SQLITE_PATH_LEN];
    int64_t           seq;
    kz_change_t       change;
    kz_sqlite_db_t   *db;
    kz_sqlite_err_t   err;

    if (kz_change_read(&change, payload, len) != NGX_OK) {
        r->dropped++;
        return 0;
    }

    if (change.file != r->file) {
        r->file = change.file;
        r->seq = 0;

        if (kz_sqlite_path(path, &r->w->dir, KZ_SQLITE_INDEX, change.file)
            == NGX_OK
            && access(path, F_OK) == 0)
        {
            db = kz_sqlite_open_writer(path, KZ_SQLITE_INDEX,
                                       ngx_cycle->log, &err);

            if (db && kz_sqlite_int(db, "SELECT seq FROM commits", &seq)
                      == SQLITE_OK)
            {
                r->seq = (uint64_t) seq;
            }

            kz_sqlite_close(db);
        }
    }

    if (change.seq <= r->seq) {
        r->kept++;
        return 1;
    }

    r->dropped++;

    return 0;
}


/* Sleeps, unless the process ends or the peer goes away. */

static void
kz_writer_pause(kz_writer_t *w, int peer, ngx_msec_t ms)
{
    uint64_t       n;
    struct pollfd  fds[2];

    fds[0].fd = w->wake_fd;
    fds[0].events = POLLIN;
    fds[1].fd = peer;
    fds[1].events = POLLIN;

    if (poll(fds, peer == -1 ? 1 : 2, (int) ms) > 0
        && (fds[0].revents & POLLIN)
        && read(w->wake_fd, &n, sizeof(uint64_t)) == -1)
    {
        return;
    }
}
