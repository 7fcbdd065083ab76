/*
 * The body of an HTTP request, read unbuffered, straight into the query's
 * pool: bounded before memory is taken, never through a temporary file of
 * ours.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"
#include "api/kz_router.h"


#define KZ_HTTP_BODY_MIN  4096


static ngx_uint_t kz_http_has_body(ngx_http_request_t *r);
static void kz_http_body_handler(ngx_http_request_t *r);
static void kz_http_body_read(ngx_http_request_t *r);
static ngx_int_t kz_http_body_take(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_body_room(kz_http_ctx_t *ctx, off_t n);
static void kz_http_too_large(kz_http_ctx_t *ctx);


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
        kz_http_too_large(ctx);

        return NGX_DONE;
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

    if (!r->headers_in.chunked
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

    for ( ;; ) {
        rc = kz_http_body_take(ctx);

        if (rc == NGX_DECLINED) {
            kz_http_too_large(ctx);
            return;
        }

        if (rc == NGX_ERROR) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
            return;
        }

        if (!r->reading_body) {
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

        if (r->reading_body) {
            b->pos = b->last;
        }
    }

    if (r->reading_body) {

        /* unbuffered: its memory is used again for what comes next */

        r->request_body->bufs = NULL;
    }

    return NGX_OK;
}


static ngx_int_t
kz_http_body_room(kz_http_ctx_t *ctx, off_t n)
{
    u_char  *p;
    size_t   size;

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


/* What is left of the body is thrown away by nginx, up to its own limits. */

static void
kz_http_too_large(kz_http_ctx_t *ctx)
{
    kz_req_t            *req = ctx->req;
    ngx_http_request_t  *r = ctx->r;

    r->read_event_handler = ngx_http_block_reading;
    r->keepalive = 0;
    r->lingering_close = 1;

    kz_dialect_detect(req);
    req->bare = 1;
    (void) kz_fail(req, KZ_E_HTTP_REQUEST_TOO_LARGE, 0);

    kz_query_refuse(req);
}
