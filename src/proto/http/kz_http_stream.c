/*
 * A reply in parts: headers and each part are handed to nginx, the next part
 * is asked for when the client has taken the one before.  Without a length,
 * so nginx sends it in chunks, or (HTTP/1.0) up to the end of the connection.
 *
 *     stream(part) -> output filter -> all gone: NGX_OK
 *                          |
 *                          v  the socket is full
 *                     write event ... -> kz_req_resume()
 */

#include "proto/http/kz_http.h"


static ngx_int_t kz_http_stream_start(kz_http_ctx_t *ctx, kz_req_t *req);
static ngx_int_t kz_http_stream_rest(kz_http_ctx_t *ctx);
static void kz_http_stream_write(ngx_http_request_t *r);


ngx_int_t
kz_http_stream(kz_req_t *req, ngx_str_t *part)
{
    ngx_int_t            rc;
    kz_http_ctx_t       *ctx;
    ngx_http_request_t  *r;

    ctx = req->client->session;
    r = ctx->r;

    if (!ctx->streams && kz_http_stream_start(ctx, req) != NGX_OK) {
        return NGX_ERROR;
    }

    if (part->len == 0) {
        return NGX_OK;
    }

    ngx_memzero(&ctx->stream_buf, sizeof(ngx_buf_t));

    ctx->stream_buf.start = part->data;
    ctx->stream_buf.pos = part->data;
    ctx->stream_buf.last = part->data + part->len;
    ctx->stream_buf.end = ctx->stream_buf.last;
    ctx->stream_buf.memory = 1;
    ctx->stream_buf.flush = 1;

    ctx->stream_out.buf = &ctx->stream_buf;
    ctx->stream_out.next = NULL;

    rc = ngx_http_output_filter(r, &ctx->stream_out);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK && !r->buffered && !r->connection->buffered) {
        return NGX_OK;
    }

    if (kz_http_stream_rest(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->stream_wait = 1;

    return NGX_AGAIN;
}


/* A part of another reply cannot wait for the client. */

static ngx_int_t
kz_http_stream_start(kz_http_ctx_t *ctx, kz_req_t *req)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r = ctx->r;

    if (r != r->main) {
        return kz_fail_text(req, 500, "A reply in parts cannot be included in"
                            " another one");
    }

    kz_http_vars_set(ctx, req);

    if (kz_http_headers(ctx, req) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->streams = 1;

    r->headers_out.status = req->status;
    r->headers_out.content_length_n = -1;
    r->disable_not_modified = 1;

    rc = ngx_http_send_header(r);

    return (rc == NGX_ERROR || rc > NGX_OK || r->header_only) ? NGX_ERROR
                                                              : NGX_OK;
}


static ngx_int_t
kz_http_stream_rest(kz_http_ctx_t *ctx)
{
    ngx_event_t               *wev;
    ngx_http_request_t        *r = ctx->r;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    wev = r->connection->write;

    r->write_event_handler = kz_http_stream_write;

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


static void
kz_http_stream_write(ngx_http_request_t *r)
{
    kz_req_t       *req;
    ngx_int_t       rc;
    ngx_event_t    *wev;
    kz_http_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_kuzzle_module);
    wev = r->connection->write;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, NGX_ETIMEDOUT,
                      "client timed out");
        r->connection->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = ngx_http_output_filter(r, NULL);

    if (rc == NGX_ERROR) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (rc == NGX_AGAIN || r->buffered || r->connection->buffered) {

        if (kz_http_stream_rest(ctx) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    req = ctx->req;
    ctx->stream_wait = 0;

    kz_req_resume(req);
}


ngx_int_t
kz_http_stream_end(kz_http_ctx_t *ctx)
{
    if (ctx->r->header_only) {
        return NGX_OK;
    }

    return ngx_http_send_special(ctx->r, NGX_HTTP_LAST);
}
