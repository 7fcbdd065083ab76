/*
 * The HTTP side: the content handler and the life of a request.
 *
 * An HTTP request is a client for the time it takes.  When the client leaves
 * early the operation runs on, and its result is dropped.
 */

#include "proto/http/kz_http.h"
#include "proto/ws/kz_ws.h"
#include "api/kz_router.h"


static ngx_int_t kz_http_start(ngx_http_request_t *r, kz_loc_conf_t *conf);
static void kz_http_cleanup(void *data);
static void kz_http_close(kz_client_t *c, kz_close_e reason);
static void kz_http_peer(const kz_client_t *c, ngx_str_t *addr);


const kz_proto_t  kz_http_proto = {
    ngx_string("http"),
    kz_http_reply,
    NULL,
    NULL,
    kz_http_close,
    kz_http_peer,
    0,
    kz_http_stream
};


ngx_int_t
ngx_http_kuzzle_handler(ngx_http_request_t *r)
{
    kz_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_kuzzle_module);

    if (kz_http_upgrades(r)) {
        return kz_ws_handshake(r, conf);
    }

    return kz_http_start(r, conf);
}


/* A subrequest has the headers of its parent, but no connection. */

ngx_uint_t
kz_http_upgrades(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = r->headers_in.upgrade;

    return h
           && r == r->main
           && r->method == NGX_HTTP_GET
           && ngx_strlcasestrn(h->value.data, h->value.data + h->value.len,
                               (u_char *) "websocket",
                               sizeof("websocket") - 2);
}


static ngx_int_t
kz_http_start(ngx_http_request_t *r, kz_loc_conf_t *conf)
{
    kz_http_ctx_t       *ctx;
    ngx_http_cleanup_t  *cln;

    ctx = ngx_pcalloc(r->pool, sizeof(kz_http_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->r = r;
    kz_client_init(&ctx->client, &kz_http_proto, ctx, conf,
                   r->connection->log);

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = kz_http_cleanup;
    cln->data = ctx;

    ctx->req = kz_req_create(&ctx->client);
    if (ctx->req == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_kuzzle_module);

    kz_http_headers_in(ctx);

    return kz_http_body_start(ctx);
}


/* The request ends, answered or not; ctx dies with it. */

static void
kz_http_cleanup(void *data)
{
    kz_req_t       *req;
    kz_http_ctx_t  *ctx = data;

    req = ctx->req;
    kz_client_close(&ctx->client);

    if (req && ctx->stream_wait) {

        /* it waited for this client, and for nothing else */

        ctx->stream_wait = 0;
        ctx->req = NULL;
        kz_req_resume(req);
        return;
    }

    if (req && !req->parked && !req->running) {

        /* its body was never read to the end: nothing else refers to it */

        kz_req_discard(req);
    }
}


void
kz_http_run(kz_http_ctx_t *ctx)
{
    kz_req_t  *req = ctx->req;

    switch (kz_http_query(ctx)) {

    case NGX_OK:
        kz_query_req(req);
        return;

    case NGX_DONE:
        kz_query_answer(req);
        return;

    default: /* NGX_ERROR */
        kz_query_refuse(req);
    }
}


/* Nothing but a reply is ever sent to an HTTP client. */

static void
kz_http_close(kz_client_t *c, kz_close_e reason)
{
    kz_http_ctx_t  *ctx = c->session;

    ngx_http_finalize_request(ctx->r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
}


static void
kz_http_peer(const kz_client_t *c, ngx_str_t *addr)
{
    kz_http_ctx_t  *ctx = c->session;

    *addr = ctx->r->connection->addr_text;
}
