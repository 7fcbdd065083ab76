/*
 * The body of an HTTP request, read unbuffered, straight into the query's
 * pool: bounded before memory is taken, never through a temporary file of
 * ours.
 *
 * An encoded body is decoded as it comes.  A few bytes of it may be a lot of
 * work: a turn of the event loop gets no more than KZ_HTTP_BODY_TURN of it,
 * what is left is taken up by a posted event of the next turn.  Until then
 * nothing more is read.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"
#include "api/kz_router.h"
#include "util/kz_inflate.h"


#define KZ_HTTP_BODY_MIN   4096
#define KZ_HTTP_BODY_TURN  (256 * 1024)
#define KZ_HTTP_BODY_FILE  16384


struct kz_http_decode_s {
    kz_http_ctx_t       *ctx;
    kz_inflate_t        *inflate;
    ngx_event_t          event;       /* posted: goes on in the next turn */
    ngx_chain_t         *cl;          /* where it stands; NULL: before all */
    off_t                taken;       /* bytes of cl's buffer */
    off_t                raw;         /* bytes of the body so far */
    u_char              *file;        /* room for a piece of a file */
    unsigned             done:1;
};


static ngx_uint_t kz_http_has_body(ngx_http_request_t *r);
static void kz_http_body_handler(ngx_http_request_t *r);
static void kz_http_body_read(ngx_http_request_t *r);
static ngx_int_t kz_http_body_take(kz_http_ctx_t *ctx);
static void kz_http_body_taken(ngx_http_request_t *r);
static ngx_int_t kz_http_body_room(kz_http_ctx_t *ctx, off_t n);
static ngx_int_t kz_http_body_grow(kz_http_ctx_t *ctx, size_t size);

static ngx_int_t kz_http_encoding(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_encodings(kz_http_ctx_t *ctx, ngx_str_t *list);
static ngx_int_t kz_http_decode_start(kz_http_ctx_t *ctx,
    kz_inflate_list_t *list);
static void kz_http_decode_cleanup(void *data);
static void kz_http_decode_next(ngx_event_t *ev);
static ngx_int_t kz_http_decode(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_decode_piece(kz_http_decode_t *d,
    kz_inflate_io_t *io);
static ngx_int_t kz_http_decode_run(kz_http_decode_t *d,
    kz_inflate_io_t *io);

static void kz_http_body_failed(kz_http_ctx_t *ctx);
static void kz_http_body_refuse(kz_http_ctx_t *ctx, kz_error_e e,
    ngx_str_t *arg);


ngx_int_t
kz_http_body_start(kz_http_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r = ctx->r;

    if (!kz_http_has_body(r)) {

        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }

        r->main->count++;
        kz_http_run(ctx);
        ctx->event = 1;

        return NGX_DONE;
    }

    if (r->headers_in.content_length_n > (off_t) ctx->client.conf->body_max) {

        r->main->count++;
        kz_http_body_refuse(ctx, KZ_E_HTTP_REQUEST_TOO_LARGE, NULL);

        return NGX_DONE;
    }

    if (!kz_http_content_known(ctx)) {

        r->main->count++;
        kz_http_body_refuse(ctx, KZ_E_NONE, NULL);

        return NGX_DONE;
    }

    rc = kz_http_encoding(ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    r->request_body_no_buffering = 1;

    rc = ngx_http_read_client_request_body(r, kz_http_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ctx->event = 1;

    return NGX_DONE;
}


/*
 * Behind an error page the body is thrown away already, and the headers of a
 * subrequest are those of its parent, whose body nobody may have read.
 */

static ngx_uint_t
kz_http_has_body(ngx_http_request_t *r)
{
    if (r->discard_body || (r != r->main && r->request_body == NULL)) {
        return 0;
    }

    return r->headers_in.content_length_n > 0 || r->headers_in.chunked;
}


static void
kz_http_body_handler(ngx_http_request_t *r)
{
    kz_http_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_kuzzle_module);

    /* of a chunked body this is what has been read so far */

    if (ctx->decode == NULL
        && !r->headers_in.chunked
        && kz_http_body_room(ctx, r->headers_in.content_length_n) != NGX_OK)
    {
        ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    r->read_event_handler = kz_http_body_read;

    kz_http_body_read(r);
}


static void
kz_http_body_read(ngx_http_request_t *r)
{
    ngx_int_t       rc;
    kz_http_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_kuzzle_module);

    if (ctx->decode) {

        if (ctx->decode->event.posted) {
            return;
        }

        ctx->decode->inflate->budget = KZ_HTTP_BODY_TURN;
    }

    for ( ;; ) {
        rc = ctx->decode ? kz_http_decode(ctx) : kz_http_body_take(ctx);

        switch (rc) {

        case NGX_OK:
            break;

        case NGX_BUSY:
            ngx_post_event(&ctx->decode->event, &ngx_posted_next_events);
            return;

        case NGX_DECLINED:
            kz_http_body_refuse(ctx, KZ_E_HTTP_REQUEST_TOO_LARGE, NULL);
            return;

        default: /* NGX_ERROR */

            if (ctx->decode && ctx->decode->inflate->what) {
                kz_http_body_failed(ctx);
                return;
            }

            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        if (!r->reading_body) {

            if (ctx->decode) {
                kz_inflate_free(ctx->decode->inflate);
            }

            r->read_event_handler = ngx_http_test_reading;
            kz_http_run(ctx);
            return;
        }

        rc = ngx_http_read_unbuffered_request_body(r);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            ngx_http_finalize_request(r, rc);
            return;
        }

        if (rc == NGX_AGAIN && r->request_body->bufs == NULL) {
            return;
        }
    }
}


/*
 * Copies what was read to the query's memory.  Another module (mirror, say)
 * may have read the body before: then it may lie in a temporary file, and
 * others may still want it.
 */

static ngx_int_t
kz_http_body_take(kz_http_ctx_t *ctx)
{
    off_t                 n;
    u_char               *p;
    ngx_buf_t            *b;
    ngx_int_t             rc;
    ngx_chain_t          *cl;
    ngx_http_request_t   *r = ctx->r;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;
        n = ngx_buf_size(b);

        rc = kz_http_body_room(ctx, n);
        if (rc != NGX_OK) {
            return rc;
        }

        p = ctx->body + ctx->body_len;
        ctx->body_len += n;

        if (ngx_buf_in_memory(b)) {
            (void) ngx_cpymem(p, b->pos, n);

        } else if (n && ngx_read_file(b->file, p, n, b->file_pos) != n) {
            return NGX_ERROR;
        }
    }

    kz_http_body_taken(r);

    return NGX_OK;
}


/* Unbuffered: the memory is used again for what comes next. */

static void
kz_http_body_taken(ngx_http_request_t *r)
{
    ngx_chain_t  *cl;

    if (!r->reading_body) {
        return;
    }

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
    }

    r->request_body->bufs = NULL;
}


static ngx_int_t
kz_http_body_room(kz_http_ctx_t *ctx, off_t n)
{
    size_t  size;

    if (n > (off_t) (ctx->client.conf->body_max - ctx->body_len)) {
        return NGX_DECLINED;
    }

    size = ctx->body_len + n;

    if (size <= ctx->body_size) {
        return NGX_OK;
    }

    if (ctx->body_size) {
        size = ngx_max(size, 2 * ctx->body_size);

    } else if (ctx->r->headers_in.chunked) {
        size = ngx_max(size, KZ_HTTP_BODY_MIN);
    }

    return kz_http_body_grow(ctx, size);
}


static ngx_int_t
kz_http_body_grow(kz_http_ctx_t *ctx, size_t size)
{
    u_char  *p;

    p = ngx_palloc(ctx->req->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (ctx->body) {
        ngx_memcpy(p, ctx->body, ctx->body_len);
        (void) ngx_pfree(ctx->req->pool, ctx->body);
    }

    ctx->body = p;
    ctx->body_size = size;

    return NGX_OK;
}


/*
 * Looks at Content-Encoding before anything is read.  NGX_OK: the body may
 * be read; anything else is what the content handler returns.
 */

static ngx_int_t
kz_http_encoding(kz_http_ctx_t *ctx)
{
    u_char             *p;
    kz_error_e          e;
    ngx_int_t           rc;
    ngx_str_t           text, *arg;
    kz_loc_conf_t      *conf = ctx->client.conf;
    kz_inflate_list_t   list;

    if (ctx->in.encoding.data == NULL) {
        return NGX_OK;
    }

    if (kz_http_encodings(ctx, &text) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    arg = NULL;
    rc = kz_inflate_list(&list, &text, conf->encoding_layers);

    if (rc == NGX_DECLINED) {
        e = KZ_E_HTTP_TOO_MANY_ENCODINGS;

    } else if (list.n && !conf->compression) {
        e = KZ_E_HTTP_COMPRESSION_DISABLED;

    } else if (rc == NGX_ERROR) {
        e = KZ_E_HTTP_UNSUPPORTED_COMPRESSION;

        p = list.unknown.data;
        ngx_strlow(p, p, list.unknown.len);

        list.unknown = kz_http_echo(&list.unknown);
        arg = &list.unknown;

    } else {
        return list.n ? kz_http_decode_start(ctx, &list) : NGX_OK;
    }

    ctx->r->main->count++;
    kz_http_body_refuse(ctx, e, arg);

    return NGX_DONE;
}


/* All headers of that name are one list (RFC 9110, 5.3). */

static ngx_int_t
kz_http_encodings(kz_http_ctx_t *ctx, ngx_str_t *list)
{
    kz_out_t          o;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    kz_out_init(&o, ctx->req->pool, 64);

    for (part = &ctx->r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != sizeof("Content-Encoding") - 1
                || ngx_strncasecmp(h[i].key.data,
                                   (u_char *) "Content-Encoding",
                                   sizeof("Content-Encoding") - 1)
                   != 0)
            {
                continue;
            }

            kz_out_str(&o, &h[i].value);
            kz_out_char(&o, ',');
        }
    }

    list->data = o.start;
    list->len = kz_out_len(&o);

    return kz_out_failed(&o) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
kz_http_decode_start(kz_http_ctx_t *ctx, kz_inflate_list_t *list)
{
    kz_http_decode_t    *d;
    ngx_http_cleanup_t  *cln;

    d = ngx_pcalloc(ctx->r->pool, sizeof(kz_http_decode_t));
    if (d == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    d->ctx = ctx;
    d->event.data = d;
    d->event.handler = kz_http_decode_next;
    d->event.log = ctx->r->connection->log;

    d->inflate = kz_inflate_create(ctx->req->pool, list,
                                   ctx->client.conf->body_max);

    /* the client may leave while the event is posted */

    cln = ngx_http_cleanup_add(ctx->r, 0);

    if (d->inflate == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = kz_http_decode_cleanup;
    cln->data = d;

    ctx->decode = d;

    return NGX_OK;
}


static void
kz_http_decode_cleanup(void *data)
{
    kz_http_decode_t  *d = data;

    if (d->event.posted) {
        ngx_delete_posted_event(&d->event);
    }
}


static void
kz_http_decode_next(ngx_event_t *ev)
{
    kz_http_decode_t    *d = ev->data;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = d->ctx->r;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    kz_http_body_read(r);

    ngx_http_run_posted_requests(c);
}


/* Decodes what was read, as kz_http_body_take() copies it. */

static ngx_int_t
kz_http_decode(kz_http_ctx_t *ctx)
{
    ngx_int_t            rc;
    kz_inflate_io_t      io;
    kz_http_decode_t    *d = ctx->decode;
    ngx_http_request_t  *r = ctx->r;

    ngx_memzero(&io, sizeof(kz_inflate_io_t));

    if (d->cl == NULL) {
        d->cl = r->request_body->bufs;
        d->taken = 0;
    }

    while (d->cl) {

        if (d->taken == ngx_buf_size(d->cl->buf)) {

            if (d->cl->next == NULL) {
                break;
            }

            d->cl = d->cl->next;
            d->taken = 0;
            continue;
        }

        rc = kz_http_decode_piece(d, &io);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (!r->reading_body) {

        /* nothing comes any more: the streams have to end here */

        io.pos = NULL;
        io.end = NULL;
        io.last = 1;

        return kz_http_decode_run(d, &io);
    }

    d->cl = NULL;
    kz_http_body_taken(r);

    return NGX_OK;
}


static ngx_int_t
kz_http_decode_piece(kz_http_decode_t *d, kz_inflate_io_t *io)
{
    off_t           n;
    u_char         *p;
    ngx_buf_t      *b;
    ngx_int_t       rc;
    kz_http_ctx_t  *ctx = d->ctx;

    b = d->cl->buf;
    n = ngx_buf_size(b) - d->taken;

    if (ngx_buf_in_memory(b)) {
        p = b->pos + d->taken;

    } else {

        if (d->file == NULL) {
            d->file = ngx_palloc(ctx->req->pool, KZ_HTTP_BODY_FILE);
            if (d->file == NULL) {
                return NGX_ERROR;
            }
        }

        p = d->file;
        n = ngx_min(n, KZ_HTTP_BODY_FILE);

        if (ngx_read_file(b->file, p, n, b->file_pos + d->taken) != n) {
            return NGX_ERROR;
        }
    }

    io->pos = p;
    io->end = p + n;

    rc = kz_http_decode_run(d, io);

    d->taken += io->pos - p;
    d->raw += io->pos - p;

    if (rc == NGX_OK && d->raw > (off_t) ctx->client.conf->body_max) {
        return NGX_DECLINED;
    }

    return rc;
}


/* NGX_OK: the input was taken; NGX_BUSY: not all of it, in this turn. */

static ngx_int_t
kz_http_decode_run(kz_http_decode_t *d, kz_inflate_io_t *io)
{
    size_t          size, max;
    ngx_int_t       rc;
    kz_http_ctx_t  *ctx = d->ctx;

    /* the byte beyond the limit tells that there is one */

    max = ctx->client.conf->body_max + 1;

    for ( ;; ) {

        if (ctx->body_len == ctx->body_size) {
            size = ngx_max(2 * ctx->body_size, KZ_HTTP_BODY_MIN);

            if (kz_http_body_grow(ctx, ngx_min(size, max)) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        io->out = ctx->body + ctx->body_len;
        io->out_end = ctx->body + ctx->body_size;

        rc = kz_inflate_run(d->inflate, io);

        ctx->body_len = io->out - ctx->body;

        switch (rc) {

        case NGX_AGAIN:
            return NGX_OK;

        case NGX_BUSY:
            if (d->inflate->budget <= 0) {
                return NGX_BUSY;
            }

            break;

        default: /* NGX_OK, NGX_DECLINED, NGX_ERROR */
            return rc;
        }
    }
}


/* Kuzzle: 1.x loses the reason, its message keeps the "%s". */

static void
kz_http_body_failed(kz_http_ctx_t *ctx)
{
    ngx_str_t  what;

    what.data = (u_char *) ctx->decode->inflate->what;
    what.len = ngx_strlen(what.data);

    ngx_log_error(NGX_LOG_INFO, ctx->r->connection->log, 0,
                  "kuzzle: malformed encoded body: %V", &what);

    kz_http_body_refuse(ctx, KZ_E_HTTP_UNEXPECTED_ERROR, &what);
}


/*
 * Refuses a body before it is there as a whole.  What is left of it is
 * thrown away by nginx, up to its own limits.  KZ_E_NONE: for its type.
 */

static void
kz_http_body_refuse(kz_http_ctx_t *ctx, kz_error_e e, ngx_str_t *arg)
{
    kz_req_t            *req = ctx->req;
    ngx_http_request_t  *r = ctx->r;

    if (r->request_body == NULL || r->reading_body) {
        r->keepalive = 0;
        r->lingering_close = 1;
    }

    r->read_event_handler = ngx_http_block_reading;

    /* who asks, and for what, decides in which generation */

    ctx->body_len = 0;
    (void) kz_http_query(ctx);

    req->bare = 1;

    if (e == KZ_E_NONE) {
        (void) kz_http_content_refuse(ctx);

    } else if (arg == NULL
               || (e == KZ_E_HTTP_UNEXPECTED_ERROR
                   && req->dialect == KZ_DIALECT_1))
    {
        (void) kz_fail(req, e, 0);

    } else {
        (void) kz_fail(req, e, 1, arg);
    }

    kz_query_refuse(req);
}
