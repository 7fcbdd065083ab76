/*
 * Compressing replies.  A small one is done at once.  A large one would keep
 * the event loop from its work: in every turn of the loop a bounded piece is
 * done.  The first of a turn begins at once, while what was rendered is still
 * in the processor's cache; what has to wait is served in turn.
 *
 *     kz_http_deflate_start()  -> waiting -> active -> kz_http_send()
 *
 * Only those that are active have a compressor, so that many large replies
 * at a time do not take its memory as many times.
 */

#include "proto/http/kz_http.h"


#define KZ_HTTP_DEFLATE_ACTIVE  8          /* compressors in use */
#define KZ_HTTP_DEFLATE_SLICE   (64 * 1024)
#define KZ_HTTP_DEFLATE_SLICES  4          /* in a turn of the loop */
#define KZ_HTTP_DEFLATE_NOW     2          /* make a small reply */
#define KZ_HTTP_DEFLATE_TURNS   4          /* until the next one's turn */
#define KZ_HTTP_DEFLATE_BUF     (32 * 1024)
#define KZ_HTTP_DEFLATE_GUARD   60000

/* what incompressible bytes may come to, deflateBound() would not say more */

#define KZ_HTTP_DEFLATE_ROOM                                                  \
    (KZ_HTTP_DEFLATE_NOW * KZ_HTTP_DEFLATE_SLICE * 8 / 7 + 256)


typedef struct {
    ngx_queue_t          queue;            /* waiting or active */
    kz_http_ctx_t       *ctx;
    ngx_http_cleanup_t  *cleanup;
    kz_coding_e          coding;
    kz_deflate_t        *deflate;          /* NULL: it waits */

    ngx_str_t            body;
    u_char              *pos;              /* up to here it is compressed */
    ngx_uint_t           turns;

    ngx_chain_t         *out;
    ngx_chain_t        **last;
    ngx_buf_t           *buf;              /* the one being filled */
    off_t                len;
} kz_http_deflate_t;


static off_t kz_http_deflate_size(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_deflate_now(kz_http_deflate_t *job);
static ngx_int_t kz_http_deflate_wait(kz_http_deflate_t *job);
static void kz_http_deflate_post(void);
static void kz_http_deflate_event(ngx_event_t *ev);
static void kz_http_deflate_activate(void);
static ngx_int_t kz_http_deflate_slice(kz_http_deflate_t *job);
static ngx_int_t kz_http_deflate_buf(kz_http_deflate_t *job);
static void kz_http_deflate_done(kz_http_deflate_t *job, ngx_int_t rc);
static void kz_http_deflate_cleanup(void *data);
static void kz_http_deflate_remove(kz_http_deflate_t *job);


static ngx_queue_t       kz_http_deflate_waiting;
static ngx_queue_t       kz_http_deflate_active;
static ngx_uint_t        kz_http_deflate_nactive;
static ngx_uint_t        kz_http_deflate_used;     /* slices of this turn */
static ngx_event_t       kz_http_deflate_ev;
static ngx_connection_t  kz_http_deflate_c;    /* nginx logs its number */


ngx_uint_t
kz_http_deflate_small(kz_http_ctx_t *ctx, size_t len)
{
    return (off_t) len <= KZ_HTTP_DEFLATE_NOW * kz_http_deflate_size(ctx);
}


/* A slice: half a millisecond or so; how far one gets depends on the level. */

static off_t
kz_http_deflate_size(kz_http_ctx_t *ctx)
{
    ngx_int_t  level;

    level = ctx->client.conf->compression_level;

    return level < 4 ? KZ_HTTP_DEFLATE_SLICE
                     : level < 7 ? KZ_HTTP_DEFLATE_SLICE / 2
                                 : KZ_HTTP_DEFLATE_SLICE / 4;
}


ngx_int_t
kz_http_deflate(kz_http_ctx_t *ctx, kz_coding_e coding, ngx_str_t *body)
{
    u_char        *in, *out;
    size_t         len;
    ngx_int_t      rc;
    kz_deflate_t  *d;

    static u_char  room[KZ_HTTP_DEFLATE_ROOM];

    d = kz_deflate_get(coding, ctx->client.conf->compression_level,
                       body->len);
    if (d == NULL) {
        return NGX_ERROR;
    }

    in = body->data;
    out = room;

    rc = kz_deflate_run(d, &in, in + body->len, &out, room + sizeof(room), 1);

    kz_deflate_put(d);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    len = out - room;

    out = ngx_pnalloc(ctx->r->pool, len);
    if (out == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(out, room, len);

    /* gives back what is not a part of a pool's block */
    (void) ngx_pfree(ctx->r->pool, body->data);

    body->data = out;
    body->len = len;

    return NGX_OK;
}


ngx_int_t
kz_http_deflate_start(kz_http_ctx_t *ctx, kz_coding_e coding,
    const ngx_str_t *body, ngx_chain_t **out, off_t *len)
{
    ngx_int_t           rc;
    kz_http_deflate_t  *job;

    job = ngx_pcalloc(ctx->r->pool, sizeof(kz_http_deflate_t));
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->ctx = ctx;
    job->coding = coding;
    job->body = *body;
    job->pos = body->data;
    job->last = &job->out;

    kz_http_deflate_post();

    rc = kz_http_deflate_now(job);

    if (rc == NGX_OK) {
        (void) ngx_pfree(ctx->r->pool, job->body.data);

        *out = job->out;
        *len = job->len;

    } else if (rc == NGX_AGAIN) {
        rc = kz_http_deflate_wait(job);
    }

    if (rc != NGX_AGAIN && job->deflate) {
        kz_deflate_put(job->deflate);
    }

    return rc;
}


/* As far as one gets in this turn, if it is free. */

static ngx_int_t
kz_http_deflate_now(kz_http_deflate_t *job)
{
    ngx_int_t  rc;

    if (kz_http_deflate_used == KZ_HTTP_DEFLATE_SLICES
        || !ngx_queue_empty(&kz_http_deflate_active)
        || !ngx_queue_empty(&kz_http_deflate_waiting))
    {
        return NGX_AGAIN;
    }

    job->deflate = kz_deflate_get(job->coding,
                                  job->ctx->client.conf->compression_level,
                                  job->body.len);
    if (job->deflate == NULL) {
        return NGX_ERROR;
    }

    do {
        kz_http_deflate_used++;
        rc = kz_http_deflate_slice(job);
    } while (rc == NGX_AGAIN
             && kz_http_deflate_used < KZ_HTTP_DEFLATE_SLICES);

    return rc;
}


static ngx_int_t
kz_http_deflate_wait(kz_http_deflate_t *job)
{
    ngx_http_request_t  *r = job->ctx->r;

    job->cleanup = ngx_http_cleanup_add(r, 0);
    if (job->cleanup == NULL) {
        return NGX_ERROR;
    }

    job->cleanup->handler = kz_http_deflate_cleanup;
    job->cleanup->data = job;

    if (job->deflate) {
        ngx_queue_insert_tail(&kz_http_deflate_active, &job->queue);
        kz_http_deflate_nactive++;

    } else {
        ngx_queue_insert_tail(&kz_http_deflate_waiting, &job->queue);
    }

    /* a worker that shuts down looks at timers only */

    if (!kz_http_deflate_ev.timer_set) {
        ngx_add_timer(&kz_http_deflate_ev, KZ_HTTP_DEFLATE_GUARD);
    }

    /* a client that leaves is noticed */

    if (r->read_event_handler == ngx_http_block_reading) {
        r->read_event_handler = ngx_http_test_reading;
    }

    return NGX_AGAIN;
}


/* The next turn begins with kz_http_deflate_event(). */

static void
kz_http_deflate_post(void)
{
    ngx_event_t  *ev = &kz_http_deflate_ev;

    if (ev->handler == NULL) {
        ngx_queue_init(&kz_http_deflate_waiting);
        ngx_queue_init(&kz_http_deflate_active);

        kz_http_deflate_c.fd = (ngx_socket_t) -1;

        ev->handler = kz_http_deflate_event;
        ev->data = &kz_http_deflate_c;
        ev->log = ngx_cycle->log;
    }

    ngx_post_event(ev, &ngx_posted_next_events);
}


static void
kz_http_deflate_event(ngx_event_t *ev)
{
    ngx_int_t           rc;
    ngx_queue_t        *q;
    kz_http_deflate_t  *job;

    rc = NGX_OK;
    job = NULL;

    for (kz_http_deflate_used = 0;
         kz_http_deflate_used < KZ_HTTP_DEFLATE_SLICES;
         kz_http_deflate_used++)
    {
        kz_http_deflate_activate();

        if (ngx_queue_empty(&kz_http_deflate_active)) {

            /* the one that was served before may have gone meanwhile */

            rc = NGX_OK;
            break;
        }

        q = ngx_queue_head(&kz_http_deflate_active);
        job = ngx_queue_data(q, kz_http_deflate_t, queue);

        rc = kz_http_deflate_slice(job);

        if (rc != NGX_AGAIN) {
            kz_http_deflate_done(job, rc);
        }
    }

    /* changing often would cost what is in the cache */

    if (rc == NGX_AGAIN && ++job->turns % KZ_HTTP_DEFLATE_TURNS == 0) {
        ngx_queue_remove(&job->queue);
        ngx_queue_insert_tail(&kz_http_deflate_active, &job->queue);
    }

    ev->timedout = 0;

    if (ngx_queue_empty(&kz_http_deflate_active)
        && ngx_queue_empty(&kz_http_deflate_waiting))
    {
        kz_http_deflate_used = 0;

        if (ev->timer_set) {
            ngx_del_timer(ev);
        }

        return;
    }

    kz_http_deflate_post();

    if (!ev->timer_set) {
        ngx_add_timer(ev, KZ_HTTP_DEFLATE_GUARD);
    }
}


/* Who waits gets a compressor, as long as there are some to be given. */

static void
kz_http_deflate_activate(void)
{
    ngx_queue_t        *q;
    kz_http_deflate_t  *job;

    while (kz_http_deflate_nactive < KZ_HTTP_DEFLATE_ACTIVE
           && !ngx_queue_empty(&kz_http_deflate_waiting))
    {
        q = ngx_queue_head(&kz_http_deflate_waiting);
        job = ngx_queue_data(q, kz_http_deflate_t, queue);

        job->deflate = kz_deflate_get(job->coding,
                                  job->ctx->client.conf->compression_level,
                                  job->body.len);
        if (job->deflate == NULL) {
            kz_http_deflate_done(job, NGX_ERROR);
            continue;
        }

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&kz_http_deflate_active, q);
        kz_http_deflate_nactive++;
    }
}


static ngx_int_t
kz_http_deflate_slice(kz_http_deflate_t *job)
{
    off_t       n;
    u_char     *end, *last, *start;
    ngx_int_t   rc;

    n = kz_http_deflate_size(job->ctx);
    end = job->body.data + job->body.len;
    last = end - job->pos > n ? job->pos + n : end;

    do {
        if (kz_http_deflate_buf(job) != NGX_OK) {
            return NGX_ERROR;
        }

        start = job->buf->last;

        rc = kz_deflate_run(job->deflate, &job->pos, last, &job->buf->last,
                            job->buf->end, last == end);

        job->len += job->buf->last - start;

    } while (rc == NGX_AGAIN);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    return last == end ? NGX_OK : NGX_AGAIN;
}


/* A buffer with room in it. */

static ngx_int_t
kz_http_deflate_buf(kz_http_deflate_t *job)
{
    size_t        size;
    ngx_pool_t   *pool;
    ngx_chain_t  *cl;

    if (job->buf && job->buf->last < job->buf->end) {
        return NGX_OK;
    }

    pool = job->ctx->r->pool;

    cl = ngx_alloc_chain_link(pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    /* JSON gets four to ten times smaller: most need one buffer */

    size = ngx_min(job->body.len / 4, KZ_HTTP_DEFLATE_BUF);

    cl->buf = ngx_create_temp_buf(pool, size);
    if (cl->buf == NULL) {
        return NGX_ERROR;
    }

    cl->next = NULL;
    *job->last = cl;
    job->last = &cl->next;
    job->buf = cl->buf;

    return NGX_OK;
}


static void
kz_http_deflate_done(kz_http_deflate_t *job, ngx_int_t rc)
{
    ngx_chain_t        one, *out;
    ngx_connection_t  *c;
    kz_http_ctx_t     *ctx;

    ctx = job->ctx;
    c = ctx->r->connection;

    kz_http_deflate_remove(job);
    job->cleanup->handler = NULL;

    if (rc == NGX_OK) {
        (void) ngx_pfree(ctx->r->pool, job->body.data);

        rc = kz_http_send(ctx, job->coding, job->out, job->len);

    } else {
        /* it can still go as it is */

        out = kz_http_chain(ctx, &one, &job->body);
        rc = out ? kz_http_send(ctx, KZ_CODING_IDENTITY, out, job->body.len)
                 : NGX_ERROR;
    }

    ngx_http_finalize_request(ctx->r, rc);
    ngx_http_run_posted_requests(c);
}


/* The client left before the reply was ready. */

static void
kz_http_deflate_cleanup(void *data)
{
    kz_http_deflate_remove(data);
}


static void
kz_http_deflate_remove(kz_http_deflate_t *job)
{
    ngx_queue_remove(&job->queue);

    if (job->deflate) {
        kz_deflate_put(job->deflate);
        kz_http_deflate_nactive--;
    }
}
