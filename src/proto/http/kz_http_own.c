/*
 * Routes that are no actions: a whole query in a body, questions about the
 * server's health, descriptions of the API in the old place.
 */

#include "proto/http/kz_http.h"
#include "api/kz_router.h"
#include "api/kz_server.h"
#include "store/kz_store.h"


static ngx_int_t kz_http_ready(kz_req_t *req);
static ngx_int_t kz_http_ready_known(kz_req_t *req);


/*
 * POST /_query.  A token in the body counts more than one in the header.
 * That the body is JSON was found out as with all bodies.
 */

ngx_int_t
kz_http_whole_query(kz_http_ctx_t *ctx)
{
    kz_json_val_t   body;
    kz_req_t       *req = ctx->req;

    body = req->body;
    req->body.type = KZ_JSON_NONE;
    req->from_url = 0;

    if (body.type == KZ_JSON_NONE) {
        ngx_str_set(&body.raw, "{}");
    }

    ngx_str_null(&req->jwt);
    ngx_str_null(&req->index);
    ngx_str_null(&req->collection);
    ngx_str_null(&req->id);
    req->nargs = 0;

    if (kz_query_read(req, body.raw.data, body.raw.len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (req->jwt.data) {
        ngx_str_null(&ctx->in.bearer);

    } else {
        req->jwt = ctx->in.bearer;
    }

    ngx_str_null(&ctx->in.query_jwt);

    ctx->own = KZ_ROUTE_ACTION;

    return NGX_OK;
}


ngx_int_t
kz_http_own(kz_http_ctx_t *ctx)
{
    kz_req_t  *req = ctx->req;

    switch (ctx->own) {

    case KZ_ROUTE_READY:
        req->step = kz_http_ready;
        return NGX_DONE;

    case KZ_ROUTE_SWAGGER_JSON:
        req->step = kz_server_swagger_json;
        return NGX_DONE;

    case KZ_ROUTE_SWAGGER_YAML:
        req->step = kz_server_swagger_yaml;
        return NGX_DONE;

    default: /* KZ_ROUTE_ALIVE */
        return kz_http_answer(ctx);
    }
}


static ngx_int_t
kz_http_ready(kz_req_t *req)
{
    if (kz_store_overloaded()) {
        return kz_fail(req, KZ_E_PROCESS_OVERLOADED, 0);
    }

    return kz_server_ping(req, kz_http_ready_known);
}


static ngx_int_t
kz_http_ready_known(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "{}");

    return NGX_OK;
}
