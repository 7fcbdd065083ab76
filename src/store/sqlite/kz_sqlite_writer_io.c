
/*
 * The writer's sockets: one thread that accepts workers, cuts what they send
 * into operations for the lanes, and sends what the commit threads could not
 * send at once.
 */

#include "store/sqlite/kz_sqlite_writer.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>


#define KZ_IO_EVENTS    64
#define KZ_IO_BUFFER    65536
#define KZ_IO_GRACE     100      /* ms for the first worker to show up */
#define KZ_IO_ORPHAN    200      /* ms for workers, after the master's death */
#define KZ_IO_DRAIN     1000     /* ms for what is queued when it leaves */
#define KZ_IO_FLUSH     500      /* ms for the last results */
#define KZ_IO_SCARCE    20       /* ms until descriptors may be free again */
#define KZ_IO_PONG      256      /* bytes: a result without strings */


static ngx_int_t kz_io_address(kz_writer_t *w, struct sockaddr_un *sun,
    ngx_uint_t temporary);
static ngx_uint_t kz_io_ends(kz_writer_t *w, int64_t began);
static void kz_io_accept(kz_writer_t *w);
static void kz_io_read(kz_writer_t *w, kz_wconn_t *c);
static ngx_int_t kz_io_room(kz_wconn_t *c);
static ngx_int_t kz_io_frames(kz_writer_t *w, kz_wconn_t *c);
static ngx_int_t kz_io_frame(kz_writer_t *w, kz_wconn_t *c,
    kz_wire_frame_t *f);
static ngx_int_t kz_io_op(kz_writer_t *w, kz_wconn_t *c,
    kz_wire_frame_t *f);
static void kz_io_pong(kz_writer_t *w, kz_wconn_t *c);
static void kz_io_event(kz_writer_t *w, kz_wconn_t *c, uint32_t events);
static ngx_int_t kz_io_write(kz_writer_t *w, kz_wconn_t *c);
static ssize_t kz_io_flush(kz_wconn_t *c);
static void kz_io_interest(kz_writer_t *w, kz_wconn_t *c);
static void kz_io_woken(kz_writer_t *w);
static void kz_io_close(kz_writer_t *w, kz_wconn_t *c);
static void kz_io_leave(kz_writer_t *w);


static ngx_int_t
kz_io_address(kz_writer_t *w, struct sockaddr_un *sun, ngx_uint_t temporary)
{
    u_char  *p, *last;

    ngx_memzero(sun, sizeof(struct sockaddr_un));
    sun->sun_family = AF_UNIX;

    p = (u_char *) sun->sun_path;
    last = p + sizeof(sun->sun_path) - 1;

    p = ngx_slprintf(p, last, "%V/writer.sock", &w->dir);

    if (temporary) {
        p = ngx_slprintf(p, last, ".%ul", (ngx_uint_t) getpid());
    }

    return p < last ? NGX_OK : NGX_ERROR;
}


/* Binds under a temporary name and renames: the name never leads nowhere. */

ngx_int_t
kz_writer_listen(kz_writer_t *w)
{
    struct sockaddr_un  tmp, sun;
    struct epoll_event  ee;

    if (kz_io_address(w, &tmp, 1) != NGX_OK
        || kz_io_address(w, &sun, 0) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                      "kuzzle: \"%V\" is too long for a socket's name",
                      &w->dir);
        return NGX_ERROR;
    }

    w->listen_fd = socket(AF_UNIX,
                          SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->listen_fd == -1) {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, ngx_socket_errno,
                      "kuzzle: socket() of the writer failed");
        return NGX_ERROR;
    }

    (void) unlink(tmp.sun_path);

    ngx_memzero(&ee, sizeof(struct epoll_event));
    ee.events = EPOLLIN;
    ee.data.ptr = &w->listen_fd;

    if (bind(w->listen_fd, (struct sockaddr *) &tmp, sizeof(tmp)) == -1
        || chmod(tmp.sun_path, 0600) == -1
        || listen(w->listen_fd, 512) == -1
        || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->listen_fd, &ee) == -1
        || rename(tmp.sun_path, sun.sun_path) == -1)
    {
        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, ngx_socket_errno,
                      "kuzzle: the writer cannot listen on \"%s\"",
                      sun.sun_path);

        (void) unlink(tmp.sun_path);
        (void) close(w->listen_fd);
        w->listen_fd = -1;

        return NGX_ERROR;
    }

    return NGX_OK;
}


void
kz_writer_unlisten(kz_writer_t *w)
{
    struct sockaddr_un  sun;

    if (w->listen_fd == -1) {
        return;
    }

    /* ours still: whoever comes next binds when it has the lock */

    if (kz_io_address(w, &sun, 0) == NGX_OK) {
        (void) unlink(sun.sun_path);
    }

    (void) close(w->listen_fd);
    w->listen_fd = -1;
}


/* Says one word to the owner; the connected socket, or -1. */

int
kz_writer_connect(kz_writer_t *w, kz_wire_type_e word)
{
    int                 fd;
    size_t              len;
    u_char              frame[KZ_WIRE_BUS_LEN];
    struct sockaddr_un  sun;

    if (kz_io_address(w, &sun, 0) != NGX_OK) {
        return -1;
    }

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1) {
        return -1;
    }

    if (word == KZ_WIRE_TAKEOVER) {
        len = kz_wire_bus_write(frame, word, kz_bus_id()) - frame;

    } else {
        len = kz_wire_word_write(frame, word) - frame;
    }

    if (connect(fd, (struct sockaddr *) &sun, sizeof(sun)) == -1
        || send(fd, frame, len, MSG_NOSIGNAL) != (ssize_t) len)
    {
        (void) close(fd);
        return -1;
    }

    return fd;
}


/* The owner's life, until it has to give the store away. */

void
kz_writer_serve(kz_writer_t *w)
{
    int                  i, n;
    void                *data;
    int64_t              began;
    struct epoll_event   events[KZ_IO_EVENTS];

    w->takeover = 0;
    w->seen = 0;
    began = kz_writer_ms();

    while (!kz_io_ends(w, began)) {

        n = epoll_wait(w->epoll_fd, events, KZ_IO_EVENTS,
                       kz_writer_stopping(w) ? 20 : -1);

        if (n == -1 && ngx_errno != NGX_EINTR) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                          "kuzzle: epoll_wait() of the writer failed");
            break;
        }

        for (i = 0; i < n; i++) {
            data = events[i].data.ptr;

            if (data == &w->wake_fd) {
                kz_io_woken(w);

            } else if (data == &w->listen_fd) {
                kz_io_accept(w);

            } else {
                kz_io_event(w, data, events[i].events);
            }
        }
    }

    kz_io_leave(w);
}


/*
 * Another writer asked; or this process ends and no worker needs it, or
 * somebody else waits to go on.
 */

static ngx_uint_t
kz_io_ends(kz_writer_t *w, int64_t began)
{
    if (w->takeover) {
        return 1;
    }

    if (!kz_writer_stopping(w)) {
        return 0;
    }

    if (w->stopped == 0) {
        w->stopped = kz_writer_ms();
    }

    /* who waits may be told to stop as well, in this very moment */

    if (w->nstandby && kz_writer_ms() - w->stopped > KZ_IO_GRACE) {
        return 1;
    }

    if (w->nconns || (!w->seen && kz_writer_ms() - began <= KZ_IO_GRACE)) {
        return 0;
    }

    /*
     * A master that was killed did not wait for the workers it had just
     * started: they may have clients already, and no connection yet.
     */

    if (getppid() != ngx_parent
        && kz_writer_ms() - w->stopped <= KZ_IO_ORPHAN)
    {
        return 0;
    }

    kz_io_accept(w);

    return w->nconns == 0;
}


/* One that always has something to read must not wait for its answers. */

static void
kz_io_event(kz_writer_t *w, kz_wconn_t *c, uint32_t events)
{
    if ((events & EPOLLOUT) && kz_io_write(w, c) != NGX_OK) {
        return;
    }

    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        kz_io_read(w, c);
    }
}


static void
kz_io_accept(kz_writer_t *w)
{
    int                  fd;
    kz_wconn_t          *c;
    struct epoll_event   ee;

    for ( ;; ) {
        fd = accept4(w->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd == -1) {
            if (ngx_socket_errno != NGX_EAGAIN) {
                ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log,
                              ngx_socket_errno,
                              "kuzzle: accept4() of the writer failed");

                /* who waits there makes epoll_wait() return at once */

                ngx_msleep(KZ_IO_SCARCE);
            }

            return;
        }

        c = ngx_calloc(sizeof(kz_wconn_t), ngx_cycle->log);
        if (c == NULL) {
            (void) close(fd);
            return;
        }

        c->fd = fd;
        c->refs = 1;
        c->events = EPOLLIN;
        (void) pthread_mutex_init(&c->lock, NULL);

        ngx_memzero(&ee, sizeof(struct epoll_event));
        ee.events = c->events;
        ee.data.ptr = c;

        ngx_queue_insert_tail(&w->conns, &c->queue);
        w->nconns++;

        if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &ee) == -1) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                          "kuzzle: epoll_ctl() of the writer failed");
            kz_io_close(w, c);
        }
    }
}


static void
kz_io_read(kz_writer_t *w, kz_wconn_t *c)
{
    ssize_t     n;
    ngx_uint_t  paused;

    if (kz_io_room(c) != NGX_OK) {
        kz_io_close(w, c);
        return;
    }

    n = recv(c->fd, c->in + c->in_len, c->in_size - c->in_len, 0);

    if (n == -1 && (ngx_socket_errno == NGX_EAGAIN
                    || ngx_socket_errno == NGX_EINTR))
    {
        return;
    }

    if (n <= 0) {
        kz_io_close(w, c);
        return;
    }

    c->in_len += n;

    if (kz_io_frames(w, c) != NGX_OK) {
        kz_io_close(w, c);
        return;
    }

    (void) pthread_mutex_lock(&w->lock);

    if (c->queued > KZ_WRITER_CONN_BYTES) {
        c->paused = 1;
    }

    paused = c->paused;

    (void) pthread_mutex_unlock(&w->lock);

    if (paused) {
        kz_io_interest(w, c);
    }
}


/* Grows with what has arrived, not with what a length announces. */

static ngx_int_t
kz_io_room(kz_wconn_t *c)
{
    u_char  *p;
    size_t   size;

    if (c->in_len < c->in_size) {
        return NGX_OK;
    }

    size = c->in_size ? c->in_size * 2 : KZ_IO_BUFFER;
    size = ngx_min(size, KZ_WIRE_HEAD + KZ_WIRE_FRAME_MAX);

    if (size <= c->in_size) {
        return NGX_ERROR;
    }

    p = realloc(c->in, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    c->in = p;
    c->in_size = size;

    return NGX_OK;
}


static ngx_int_t
kz_io_frames(kz_writer_t *w, kz_wconn_t *c)
{
    size_t            pos;
    ngx_int_t         rc;
    kz_wire_frame_t   f;

    pos = 0;

    for ( ;; ) {
        rc = kz_wire_frame(c->in + pos, c->in_len - pos, &f);

        if (rc == NGX_OK) {
            rc = kz_io_frame(w, c, &f);
            pos += f.total;
        }

        if (rc == NGX_ERROR) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                          "kuzzle: the writer was sent a bad frame");
            return NGX_ERROR;
        }

        if (rc == NGX_AGAIN) {
            break;
        }
    }

    ngx_memmove(c->in, c->in + pos, c->in_len - pos);
    c->in_len -= pos;

    if (c->in_len == 0 && c->in_size > 16 * KZ_IO_BUFFER) {
        free(c->in);
        c->in = NULL;
        c->in_size = 0;
    }

    return NGX_OK;
}


static ngx_int_t
kz_io_frame(kz_writer_t *w, kz_wconn_t *c, kz_wire_frame_t *f)
{
    u_char           welcome[KZ_WIRE_BUS_LEN];
    uint64_t         bus;
    kz_wire_hello_t  hello;

    switch (f->type) {

    case KZ_WIRE_HELLO:

        if (c->session
            || kz_wire_hello_read(&hello, f->payload, f->len) != NGX_OK)
        {
            return NGX_ERROR;
        }

        c->session = hello.session;
        w->seen = 1;

        (void) kz_wire_bus_write(welcome, KZ_WIRE_WELCOME, kz_bus_id());
        kz_wconn_send(w, c, welcome, KZ_WIRE_BUS_LEN);

        return NGX_OK;

    case KZ_WIRE_OP:
        return kz_io_op(w, c, f);

    case KZ_WIRE_TAKEOVER:

        if (kz_wire_bus_read(&bus, f->payload, f->len) != NGX_OK) {
            return NGX_ERROR;
        }

        if (bus == kz_bus_id()) {
            w->takeover = 1;
            return NGX_OK;
        }

        /*
         * Another nginx on the same directory, or the next one of a binary
         * upgrade: our workers would not hear what it announces.  It gets
         * the store when this one ends.
         */

        /* fall through */

    case KZ_WIRE_STANDBY:

        if (!c->standby) {
            c->standby = 1;
            w->nstandby++;
        }

        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


static ngx_int_t
kz_io_op(kz_writer_t *w, kz_wconn_t *c, kz_wire_frame_t *f)
{
    kz_wop_t  *op;

    if (c->session == 0) {
        return NGX_ERROR;
    }

    op = ngx_alloc(sizeof(kz_wop_t) + f->len, ngx_cycle->log);
    if (op == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(op, sizeof(kz_wop_t));
    ngx_memcpy(op->frame, f->payload, f->len);

    op->conn = c;
    op->size = sizeof(kz_wop_t) + f->len;

    if (kz_wire_op_read(&op->in, op->frame, f->len) != NGX_OK
        || op->in.seq <= c->last
        || (op->in.dialect != KZ_DIALECT_1 && op->in.dialect != KZ_DIALECT_2))
    {
        ngx_free(op);
        return NGX_ERROR;
    }

    switch (op->in.kind) {

    case KZ_STORE_INDEX_CREATE:
    case KZ_STORE_INDEX_DELETE:
    case KZ_STORE_INDEX_REFRESH_SET:
    case KZ_STORE_COLLECTION_CREATE:
    case KZ_STORE_COLLECTION_UPDATE:
    case KZ_STORE_COLLECTION_INFER:
    case KZ_STORE_COLLECTION_DELETE:
    case KZ_STORE_COLLECTION_TRUNCATE:
    case KZ_STORE_DOC_CREATE:
    case KZ_STORE_DOC_PUT:
    case KZ_STORE_DOC_REPLACE:
    case KZ_STORE_DOC_UPDATE:
    case KZ_STORE_DOC_DELETE:
    case KZ_STORE_DOC_ITEMS:
        break;

    case KZ_STORE_PING:
        c->last = op->in.seq;
        kz_io_pong(w, c);
        ngx_free(op);
        return NGX_OK;

    default:
        ngx_free(op);
        return NGX_ERROR;
    }

    c->last = op->in.seq;

    if (kz_lane_push(w, op) != NGX_OK) {
        ngx_free(op);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * The writer is there.  Nothing is stored and nothing remembered: asked
 * again, it is answered again.
 */

static void
kz_io_pong(kz_writer_t *w, kz_wconn_t *c)
{
    size_t            len;
    u_char            frame[KZ_IO_PONG];
    kz_wire_result_t  result;

    ngx_memzero(&result, sizeof(kz_wire_result_t));
    result.seq = c->last;
    result.status = KZ_STORE_OK;

    len = kz_wire_result_len(&result);

    if (len <= sizeof(frame)) {
        (void) kz_wire_result_write(frame, &result);
        kz_wconn_send(w, c, frame, len);
    }
}


/*
 * Any thread: sends, and keeps what the socket does not take.  A worker that
 * does not read what it asked for loses the connection.
 */

void
kz_wconn_send(kz_writer_t *w, kz_wconn_t *c, u_char *p, size_t len)
{
    u_char      *out;
    size_t       size;
    ssize_t      n;
    ngx_uint_t   wake;

    wake = 0;

    (void) pthread_mutex_lock(&c->lock);

    if (c->closed) {
        goto done;
    }

    if (c->out_len == 0) {
        n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n > 0) {
            p += n;
            len -= n;
        }
    }

    if (len == 0) {
        goto done;
    }

    wake = 1;

    if (c->out_pos) {
        ngx_memmove(c->out, c->out + c->out_pos, c->out_len);
        c->out_pos = 0;
    }

    if (c->out_len + len > c->out_size) {
        size = c->out_len + len + KZ_IO_BUFFER;
        out = (c->out_len > KZ_WRITER_CONN_BYTES) ? NULL
                                                  : realloc(c->out, size);
        if (out == NULL) {

            /* the IO thread will see its end */

            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                          "kuzzle: a worker does not take its results");
            (void) shutdown(c->fd, SHUT_RDWR);
            goto done;
        }

        c->out = out;
        c->out_size = size;
    }

    ngx_memcpy(c->out + c->out_len, p, len);
    c->out_len += len;

done:

    (void) pthread_mutex_unlock(&c->lock);

    if (wake) {
        kz_writer_wake(w);
    }
}


/* Any thread: gives a reference back, and the bytes of an operation. */

void
kz_wconn_release(kz_writer_t *w, kz_wconn_t *c, size_t queued)
{
    ngx_uint_t  wake, refs;

    (void) pthread_mutex_lock(&w->lock);

    c->queued -= queued;
    refs = --c->refs;
    wake = (c->paused && c->queued <= KZ_WRITER_CONN_BYTES / 2);

    (void) pthread_mutex_unlock(&w->lock);

    if (refs == 0) {
        (void) pthread_mutex_destroy(&c->lock);
        free(c->in);
        free(c->out);
        ngx_free(c);
        return;
    }

    if (wake) {
        kz_writer_wake(w);
    }
}


/* NGX_ERROR: the connection is gone. */

static ngx_int_t
kz_io_write(kz_writer_t *w, kz_wconn_t *c)
{
    ssize_t  n;

    (void) pthread_mutex_lock(&c->lock);
    n = kz_io_flush(c);
    (void) pthread_mutex_unlock(&c->lock);

    if (n == NGX_ERROR) {
        kz_io_close(w, c);
        return NGX_ERROR;
    }

    kz_io_interest(w, c);

    return NGX_OK;
}


/* Under c->lock. */

static ssize_t
kz_io_flush(kz_wconn_t *c)
{
    ssize_t  n;

    while (c->out_len) {
        n = send(c->fd, c->out + c->out_pos, c->out_len,
                 MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n == -1) {
            return (ngx_socket_errno == NGX_EAGAIN) ? NGX_AGAIN : NGX_ERROR;
        }

        c->out_pos += n;
        c->out_len -= n;
    }

    c->out_pos = 0;

    if (c->out_size > 16 * KZ_IO_BUFFER) {
        free(c->out);
        c->out = NULL;
        c->out_size = 0;
    }

    return NGX_OK;
}


static void
kz_io_interest(kz_writer_t *w, kz_wconn_t *c)
{
    uint32_t             events;
    struct epoll_event   ee;

    (void) pthread_mutex_lock(&c->lock);
    events = c->out_len ? EPOLLOUT : 0;
    (void) pthread_mutex_unlock(&c->lock);

    (void) pthread_mutex_lock(&w->lock);

    if (c->paused && c->queued <= KZ_WRITER_CONN_BYTES / 2) {
        c->paused = 0;
    }

    if (!c->paused) {
        events |= EPOLLIN;
    }

    (void) pthread_mutex_unlock(&w->lock);

    if (events == c->events) {
        return;
    }

    c->events = events;

    ngx_memzero(&ee, sizeof(struct epoll_event));
    ee.events = events;
    ee.data.ptr = c;

    (void) epoll_ctl(w->epoll_fd, EPOLL_CTL_MOD, c->fd, &ee);
}


static void
kz_io_woken(kz_writer_t *w)
{
    uint64_t      n;
    kz_wconn_t   *c;
    ngx_queue_t  *q;

    if (read(w->wake_fd, &n, sizeof(uint64_t)) == -1) {
        return;
    }

    for (q = ngx_queue_head(&w->conns);
         q != ngx_queue_sentinel(&w->conns);
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, kz_wconn_t, queue);
        kz_io_interest(w, c);
    }
}


/* What it sent is carried out; what it would have been told is dropped. */

static void
kz_io_close(kz_writer_t *w, kz_wconn_t *c)
{
    ngx_queue_remove(&c->queue);
    w->nconns--;

    if (c->standby) {
        w->nstandby--;
    }

    (void) pthread_mutex_lock(&c->lock);

    c->closed = 1;
    (void) close(c->fd);

    (void) pthread_mutex_unlock(&c->lock);

    kz_wconn_release(w, c, 0);
}


/*
 * Reads no more, lets the commit threads finish what was read, says how far
 * that was, and sends what is left to be sent.
 */

static void
kz_io_leave(kz_writer_t *w)
{
    int64_t             until;
    u_char              frame[KZ_WIRE_LEAVING_LEN];
    ssize_t             n;
    kz_wconn_t         *c;
    ngx_queue_t        *q;
    kz_wire_leaving_t   leaving;

    kz_writer_unlisten(w);
    kz_lanes_drain(w, kz_writer_ms() + KZ_IO_DRAIN);

    until = kz_writer_ms() + KZ_IO_FLUSH;

    while (!ngx_queue_empty(&w->conns)) {
        q = ngx_queue_head(&w->conns);
        c = ngx_queue_data(q, kz_wconn_t, queue);

        if (c->session) {
            leaving.last = c->last;
            (void) kz_wire_leaving_write(frame, &leaving);
            kz_wconn_send(w, c, frame, KZ_WIRE_LEAVING_LEN);
        }

        do {
            (void) pthread_mutex_lock(&c->lock);
            n = kz_io_flush(c);
            (void) pthread_mutex_unlock(&c->lock);

            if (n == NGX_AGAIN) {
                ngx_msleep(5);
            }

        } while (n == NGX_AGAIN && kz_writer_ms() < until);

        kz_io_close(w, c);
    }
}
