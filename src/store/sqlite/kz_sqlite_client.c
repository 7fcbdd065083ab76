
/*
 * The worker's side of the writer's socket.
 */

#include "store/sqlite/kz_sqlite_client.h"

#include <ngx_event.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/kz_bus.h"
#include "core/kz_conf.h"
#include "core/kz_stat.h"
#include "store/sqlite/kz_sqlite_wire.h"
#include "util/kz_gate.h"


#define KZ_CLIENT_BUFFER    65536
#define KZ_CLIENT_BACKLOG   262144     /* bytes copied ahead of the socket */
#define KZ_CLIENT_BUCKETS   1024
#define KZ_CLIENT_LOSSES    4          /* writers one operation may outlive */
#define KZ_CLIENT_RETRY     5          /* ms, doubled up to */
#define KZ_CLIENT_RETRY_MAX 80
#define KZ_CLIENT_FLOOR     64         /* operations: a batch worth its fsync */


/* A parked operation, in its request's pool. */

typedef struct {
    ngx_queue_t         all;        /* in pending */
    ngx_queue_t         hash;       /* in its bucket */
    ngx_queue_t         out;        /* in waiting */
    ngx_event_t         timer;
    kz_store_op_t      *op;
    uint64_t            seq;
    u_char             *frame;
    size_t              len;
    unsigned            waiting:1;
    unsigned            sent:1;     /* the writer may have it */
    unsigned            retry:1;    /* ... or its predecessor had it */
    unsigned            losses:4;   /* writers that went with it */
} kz_pending_t;


typedef struct {
    ngx_log_t          *log;
    ngx_connection_t   *connection;
    ngx_event_t         reconnect;
    ngx_event_t         flush;
    ngx_msec_t          delay;

    uint64_t            session;
    uint64_t            seq;        /* the last one given out */

    ngx_queue_t         pending;    /* not answered, by seq */
    ngx_queue_t         waiting;    /* not sent, by seq */
    ngx_uint_t          npending;
    kz_gate_t           gate;
    ngx_queue_t         buckets[KZ_CLIENT_BUCKETS];

    u_char             *in;
    size_t              in_len;
    size_t              in_size;

    u_char             *out;
    size_t              out_pos;
    size_t              out_len;
    size_t              out_size;

    unsigned            ready:1;
} kz_sqlite_client_t;


static void kz_client_connect(ngx_event_t *ev);
static ngx_int_t kz_client_open(ngx_socket_t s);
static void kz_client_retry(void);
static void kz_client_read(ngx_event_t *rev);
static ngx_int_t kz_client_room(void);
static ngx_int_t kz_client_frames(void);
static void kz_client_result(kz_wire_result_t *r);
static void kz_client_leaving(uint64_t last);
static void kz_client_write(ngx_event_t *wev);
static void kz_client_flush(ngx_event_t *ev);
static ngx_int_t kz_client_fill(void);
static ngx_int_t kz_client_reserve(size_t len);
static void kz_client_lost(void);
static void kz_client_expired(ngx_event_t *ev);
static void kz_client_unlink(kz_pending_t *p, ngx_uint_t served);
static void kz_client_complete(kz_pending_t *p, kz_store_status_e status);


static kz_sqlite_client_t  kz_sqlite_client;


ngx_int_t
kz_sqlite_client_init(ngx_cycle_t *cycle)
{
    ngx_uint_t           i;
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;

    ngx_memzero(cl, sizeof(kz_sqlite_client_t));

    cl->log = cycle->log;
    cl->delay = KZ_CLIENT_RETRY;

    kz_gate_init(&cl->gate, KZ_CLIENT_FLOOR, kz_conf->store_wait);

    ngx_queue_init(&cl->pending);
    ngx_queue_init(&cl->waiting);

    for (i = 0; i < KZ_CLIENT_BUCKETS; i++) {
        ngx_queue_init(&cl->buckets[i]);
    }

    do {
        if (getrandom(&cl->session, sizeof(uint64_t), 0)
            != sizeof(uint64_t))
        {
            ngx_log_error(NGX_LOG_ALERT, cl->log, ngx_errno,
                          "kuzzle: getrandom() failed");
            return NGX_ERROR;
        }

    } while (cl->session == 0);

    /* must not keep a worker that has nothing to do from leaving */

    cl->reconnect.handler = kz_client_connect;
    cl->reconnect.data = cl;
    cl->reconnect.log = cl->log;
    cl->reconnect.cancelable = 1;

    cl->flush.handler = kz_client_flush;
    cl->flush.data = cl;
    cl->flush.log = cl->log;

    cl->ready = 1;

    kz_client_connect(&cl->reconnect);

    return NGX_OK;
}


void
kz_sqlite_client_exit(void)
{
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;

    if (!cl->ready) {
        return;
    }

    cl->ready = 0;

    if (cl->reconnect.timer_set) {
        ngx_del_timer(&cl->reconnect);
    }

    if (cl->connection) {
        ngx_close_connection(cl->connection);
        cl->connection = NULL;
    }

    ngx_free(cl->in);
    ngx_free(cl->out);

    cl->in = NULL;
    cl->out = NULL;
}


ngx_uint_t
kz_sqlite_client_pending(void)
{
    return kz_sqlite_client.npending;
}


ngx_int_t
kz_sqlite_write(kz_store_op_t *op)
{
    kz_pending_t        *p;
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;

    if (!cl->ready) {
        op->status = KZ_STORE_UNAVAILABLE;
        return NGX_OK;
    }

    if (cl->npending >= kz_conf->store_pending
        || (op->kind != KZ_STORE_PING
            && !kz_gate_admits(&cl->gate, ngx_current_msec)))
    {
        op->status = KZ_STORE_BUSY;
        return NGX_OK;
    }

    if (kz_client_refuses(op)) {
        return NGX_OK;
    }

    p = ngx_pcalloc(op->req->pool, sizeof(kz_pending_t));

    if (p) {
        p->frame = kz_client_frame(op, cl->seq + 1, &p->len);
    }

    if (p == NULL || p->frame == NULL) {
        op->status = KZ_STORE_FAILED;
        ngx_str_set(&op->detail, "out of memory");
        return NGX_OK;
    }

    p->op = op;
    p->seq = ++cl->seq;
    p->waiting = 1;

    ngx_queue_insert_tail(&cl->pending, &p->all);
    ngx_queue_insert_tail(&cl->waiting, &p->out);
    ngx_queue_insert_tail(&cl->buckets[p->seq % KZ_CLIENT_BUCKETS],
                          &p->hash);
    cl->npending++;

    if (op->kind != KZ_STORE_PING) {

        /* that one says nothing about how long writes take */

        kz_gate_enter(&cl->gate, ngx_current_msec);
    }

    op->engine = p;

    /*
     * Not cancelable: it keeps a worker that drains alive until the request
     * has its answer.
     */

    p->timer.handler = kz_client_expired;
    p->timer.data = p;
    p->timer.log = cl->log;

    ngx_add_timer(&p->timer,
                  op->timeout ? op->timeout : kz_conf->store_timeout);

    if (!cl->flush.posted) {
        ngx_post_event(&cl->flush, &ngx_posted_events);
    }

    return NGX_AGAIN;
}


static void
kz_client_connect(ngx_event_t *ev)
{
    u_char              *p;
    ngx_socket_t         s;
    struct sockaddr_un   sun;
    kz_sqlite_client_t  *cl;

    cl = ev->data;

    if (cl->connection) {
        return;
    }

    ngx_memzero(&sun, sizeof(struct sockaddr_un));
    sun.sun_family = AF_UNIX;

    p = ngx_snprintf((u_char *) sun.sun_path, sizeof(sun.sun_path) - 1,
                     "%V/writer.sock", &kz_conf->data);
    *p = '\0';

    s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (s == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ALERT, cl->log, ngx_socket_errno,
                      "kuzzle: socket() to the writer failed");
        kz_client_retry();
        return;
    }

    /* of a unix socket this is immediate, or it is not the time */

    if (connect(s, (struct sockaddr *) &sun, sizeof(sun)) == -1
        || kz_client_open(s) != NGX_OK)
    {
        ngx_log_debug1(NGX_LOG_DEBUG_CORE, cl->log, ngx_socket_errno,
                       "kuzzle: no writer at \"%s\"", sun.sun_path);

        if (cl->connection) {
            ngx_close_connection(cl->connection);
            cl->connection = NULL;

        } else {
            (void) ngx_close_socket(s);
        }

        kz_client_retry();
        return;
    }

    cl->delay = KZ_CLIENT_RETRY;

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, cl->log, 0,
                   "kuzzle: connected to the writer, %ui operations wait",
                   cl->npending);

    kz_client_flush(&cl->flush);
}


/* cl->connection is set as soon as it owns the socket. */

static ngx_int_t
kz_client_open(ngx_socket_t s)
{
    ngx_connection_t    *c;
    kz_wire_hello_t      hello;
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;

    cl->in_len = 0;
    cl->out_pos = 0;
    cl->out_len = 0;

    if (kz_client_reserve(KZ_WIRE_HELLO_LEN) != NGX_OK) {
        return NGX_ERROR;
    }

    c = ngx_get_connection(s, cl->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    cl->connection = c;

    c->data = cl;
    c->log = cl->log;
    c->recv = ngx_recv;
    c->send = ngx_send;
    c->log_error = NGX_ERROR_INFO;

    c->read->handler = kz_client_read;
    c->read->log = cl->log;
    c->write->handler = kz_client_write;
    c->write->log = cl->log;
    c->write->ready = 1;

    /* our own descriptor: a worker that stops does not complain about it */

    c->read->channel = 1;
    c->write->channel = 1;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    hello.version = KZ_WIRE_VERSION;
    hello.pid = (uint32_t) ngx_pid;
    hello.session = cl->session;

    (void) kz_wire_hello_write(cl->out, &hello);
    cl->out_len = KZ_WIRE_HELLO_LEN;

    return NGX_OK;
}


static void
kz_client_retry(void)
{
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;

    if (!cl->reconnect.timer_set) {
        ngx_add_timer(&cl->reconnect, cl->delay);
        cl->delay = ngx_min(cl->delay * 2, KZ_CLIENT_RETRY_MAX);
    }
}


static void
kz_client_read(ngx_event_t *rev)
{
    ssize_t              n;
    ngx_connection_t    *c;
    kz_sqlite_client_t  *cl;

    c = rev->data;
    cl = c->data;

    for ( ;; ) {

        if (kz_client_room() != NGX_OK) {
            kz_client_lost();
            return;
        }

        n = c->recv(c, cl->in + cl->in_len, cl->in_size - cl->in_len);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0) {
            kz_client_lost();
            return;
        }

        cl->in_len += n;

        if (kz_client_frames() != NGX_OK) {
            ngx_log_error(NGX_LOG_ALERT, cl->log, 0,
                          "kuzzle: the writer sent a bad frame");
            kz_client_lost();
            return;
        }
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        kz_client_lost();
    }
}


/* Grows with what has arrived, not with what a length announces. */

static ngx_int_t
kz_client_room(void)
{
    u_char              *p;
    size_t               size;
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;

    if (cl->in_len < cl->in_size) {
        return NGX_OK;
    }

    size = cl->in_size ? cl->in_size * 2 : KZ_CLIENT_BUFFER;
    size = ngx_min(size, KZ_WIRE_HEAD + KZ_WIRE_FRAME_MAX);

    if (size <= cl->in_size) {
        return NGX_ERROR;
    }

    p = ngx_alloc(size, cl->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, cl->in, cl->in_len);
    ngx_free(cl->in);

    cl->in = p;
    cl->in_size = size;

    return NGX_OK;
}


static ngx_int_t
kz_client_frames(void)
{
    size_t               pos;
    uint64_t             bus;
    ngx_int_t            rc;
    kz_wire_frame_t      f;
    kz_wire_result_t     result;
    kz_wire_leaving_t    leaving;
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;
    pos = 0;

    for ( ;; ) {
        rc = kz_wire_frame(cl->in + pos, cl->in_len - pos, &f);

        if (rc != NGX_OK) {
            break;
        }

        pos += f.total;
        rc = NGX_ERROR;

        if (f.type == KZ_WIRE_RESULT) {
            rc = kz_wire_result_read(&result, f.payload, f.len);

            if (rc == NGX_OK) {
                kz_client_result(&result);
            }

        } else if (f.type == KZ_WIRE_WELCOME) {
            rc = kz_wire_bus_read(&bus, f.payload, f.len);

            if (rc == NGX_OK) {
                kz_bus_announcer(bus);
            }

        } else if (f.type == KZ_WIRE_LEAVING) {
            rc = kz_wire_leaving_read(&leaving, f.payload, f.len);

            if (rc == NGX_OK) {
                kz_client_leaving(leaving.last);
            }
        }

        if (rc != NGX_OK) {
            break;
        }
    }

    ngx_memmove(cl->in, cl->in + pos, cl->in_len - pos);
    cl->in_len -= pos;

    if (cl->in_len == 0 && cl->in_size > 16 * KZ_CLIENT_BUFFER) {
        ngx_free(cl->in);
        cl->in = NULL;
        cl->in_size = 0;
    }

    return rc == NGX_AGAIN ? NGX_OK : NGX_ERROR;
}


/* One that nobody waits for any more has met its deadline. */

static void
kz_client_result(kz_wire_result_t *r)
{
    ngx_queue_t         *q, *bucket;
    kz_pending_t        *p;
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;
    bucket = &cl->buckets[r->seq % KZ_CLIENT_BUCKETS];

    for (q = ngx_queue_head(bucket);
         q != ngx_queue_sentinel(bucket);
         q = ngx_queue_next(q))
    {
        p = ngx_queue_data(q, kz_pending_t, hash);

        if (p->seq != r->seq) {
            continue;
        }

        kz_client_complete(p, kz_client_decode(p->op, r));

        return;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, cl->log, 0,
                   "kuzzle: a result for operation %uL, which has gone",
                   r->seq);
}


/* The writer goes: what it had not read yet is as good as not sent. */

static void
kz_client_leaving(uint64_t last)
{
    ngx_queue_t         *q;
    kz_pending_t        *p;
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;

    for (q = ngx_queue_last(&cl->pending);
         q != ngx_queue_sentinel(&cl->pending);
         q = ngx_queue_prev(q))
    {
        p = ngx_queue_data(q, kz_pending_t, all);

        if (p->seq <= last) {
            break;
        }

        p->sent = 0;
    }
}


static void
kz_client_write(ngx_event_t *wev)
{
    ngx_connection_t  *c;

    c = wev->data;

    kz_client_flush(&((kz_sqlite_client_t *) c->data)->flush);
}


/*
 * Everything submitted in a turn of the loop leaves in one piece, as far as
 * the socket takes it.
 */

static void
kz_client_flush(ngx_event_t *ev)
{
    ssize_t              n;
    ngx_connection_t    *c;
    kz_sqlite_client_t  *cl;

    cl = ev->data;
    c = cl->connection;

    if (c == NULL) {
        return;
    }

    while (c->write->ready) {

        if (kz_client_fill() != NGX_OK) {
            kz_client_lost();
            return;
        }

        if (cl->out_len == 0) {
            return;
        }

        n = c->send(c, cl->out + cl->out_pos, cl->out_len);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n < 0) {
            kz_client_lost();
            return;
        }

        cl->out_pos += n;
        cl->out_len -= n;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        kz_client_lost();
    }
}


/* Copies waiting operations behind what is on its way out. */

static ngx_int_t
kz_client_fill(void)
{
    uint64_t             acked;
    ngx_queue_t         *q;
    kz_pending_t        *p, *first;
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;

    if (ngx_queue_empty(&cl->waiting)) {
        return NGX_OK;
    }

    first = ngx_queue_data(ngx_queue_head(&cl->pending), kz_pending_t, all);
    acked = first->seq - 1;

    while (!ngx_queue_empty(&cl->waiting)
           && cl->out_len < KZ_CLIENT_BACKLOG)
    {
        q = ngx_queue_head(&cl->waiting);
        p = ngx_queue_data(q, kz_pending_t, out);

        if (kz_client_reserve(p->len) != NGX_OK) {
            return NGX_ERROR;
        }

        kz_wire_op_stamp(p->frame, acked, p->retry);

        ngx_memcpy(cl->out + cl->out_pos + cl->out_len, p->frame, p->len);
        cl->out_len += p->len;

        ngx_queue_remove(q);
        p->waiting = 0;
        p->sent = 1;
    }

    return NGX_OK;
}


static ngx_int_t
kz_client_reserve(size_t len)
{
    u_char              *p;
    size_t               size;
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;

    if (cl->out_pos) {
        ngx_memmove(cl->out, cl->out + cl->out_pos, cl->out_len);
        cl->out_pos = 0;
    }

    size = cl->out_len + len;

    if (size <= cl->out_size) {

        if (cl->out_size <= 16 * KZ_CLIENT_BUFFER || cl->out_len) {
            return NGX_OK;
        }

        /* after a large one: not for ever */
    }

    size = ngx_max(size, KZ_CLIENT_BUFFER);

    p = ngx_alloc(size, cl->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, cl->out, cl->out_len);
    ngx_free(cl->out);

    cl->out = p;
    cl->out_size = size;

    return NGX_OK;
}


/*
 * The connection has gone.  What was not answered is sent again, which does
 * no harm: the writer knows what it has applied.  But several losses may mean
 * that the operation itself kills writers.
 */

static void
kz_client_lost(void)
{
    ngx_queue_t          given_up, *q, *next;
    kz_pending_t        *p;
    kz_sqlite_client_t  *cl;

    cl = &kz_sqlite_client;

    ngx_log_error(NGX_LOG_INFO, cl->log, 0,
                  "kuzzle: the writer has gone, %ui operations not answered",
                  cl->npending);

    ngx_close_connection(cl->connection);
    cl->connection = NULL;
    kz_stat->store_lost++;

    ngx_queue_init(&given_up);
    ngx_queue_init(&cl->waiting);

    for (q = ngx_queue_head(&cl->pending);
         q != ngx_queue_sentinel(&cl->pending);
         q = next)
    {
        next = ngx_queue_next(q);
        p = ngx_queue_data(q, kz_pending_t, all);

        if (!p->waiting && p->sent && ++p->losses == KZ_CLIENT_LOSSES) {
            ngx_queue_insert_tail(&given_up, &p->out);
            p->waiting = 1;
            continue;
        }

        p->retry |= p->sent;
        p->waiting = 1;
        ngx_queue_insert_tail(&cl->waiting, &p->out);
    }

    kz_client_retry();

    while (!ngx_queue_empty(&given_up)) {
        p = ngx_queue_data(ngx_queue_head(&given_up), kz_pending_t, out);
        kz_client_complete(p, KZ_STORE_NO_ANSWER);
    }
}


static void
kz_client_expired(ngx_event_t *ev)
{
    kz_pending_t  *p;

    p = ev->data;

    kz_client_complete(p, (p->sent || p->retry) ? KZ_STORE_NO_ANSWER
                                                : KZ_STORE_UNAVAILABLE);
}


static void
kz_client_unlink(kz_pending_t *p, ngx_uint_t served)
{
    ngx_queue_remove(&p->all);
    ngx_queue_remove(&p->hash);

    if (p->waiting) {
        ngx_queue_remove(&p->out);
        p->waiting = 0;
    }

    if (p->timer.timer_set) {
        ngx_del_timer(&p->timer);
    }

    kz_sqlite_client.npending--;

    if (p->op->kind != KZ_STORE_PING) {
        kz_gate_leave(&kz_sqlite_client.gate, ngx_current_msec, served);
    }
}


/* The request goes on; p and its operation may be gone afterwards. */

static void
kz_client_complete(kz_pending_t *p, kz_store_status_e status)
{
    kz_store_op_t  *op;

    kz_client_unlink(p, status != KZ_STORE_UNAVAILABLE
                        && status != KZ_STORE_NO_ANSWER);

    op = p->op;
    op->status = status;
    op->engine = NULL;

    /* one request may write a million documents, by and by */

    (void) ngx_pfree(op->req->pool, p->frame);

    kz_store_done(op);
    kz_req_resume(op->req);
}
