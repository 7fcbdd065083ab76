/*
 * The response: status, headers, the rendered reply.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"


static ngx_int_t kz_http_send(kz_http_ctx_t *ctx, kz_out_t *o);
static ngx_int_t kz_http_headers(kz_http_ctx_t *ctx, kz_req_t *req);
static ngx_int_t kz_http_header(ngx_http_request_t *r, ngx_str_t *key,
    ngx_str_t *value);


/* The headers of every reply; generation 1, then generation 2. */

typedef struct {
    ngx_str_t    key;
    ngx_str_t    value;
} kz_http_header_t;

#define KZ_HTTP_ALLOW_HEADERS                                                 \
    "Content-Type, Access-Control-Allow-Headers, Authorization, "             \
    "X-Requested-With, Content-Encoding, Content-Length, X-Kuzzle-Volatile"

static kz_http_header_t  kz_http_headers_1[] = {
    { ngx_string("Accept-Encoding"), ngx_string("gzip,deflate,identity") },
    { ngx_string("Access-Control-Allow-Origin"), ngx_string("*") },
    { ngx_string("Access-Control-Allow-Methods"),
      ngx_string("GET,POST,PUT,DELETE,OPTIONS,HEAD") },
    { ngx_string("Access-Control-Allow-Headers"),
      ngx_string(KZ_HTTP_ALLOW_HEADERS) },
    { ngx_null_string, ngx_null_string }
};

static kz_http_header_t  kz_http_headers_2[] = {
    { ngx_string("Accept-Encoding"), ngx_string("gzip,deflate,identity") },
    { ngx_string("Access-Control-Allow-Methods"),
      ngx_string("GET,POST,PUT,PATCH,DELETE,OPTIONS,HEAD") },
    { ngx_string("Access-Control-Allow-Headers"),
      ngx_string(KZ_HTTP_ALLOW_HEADERS) },
    { ngx_null_string, ngx_null_string }
};


void
kz_http_reply(kz_req_t *req)
{
    kz_out_t           o;
    ngx_int_t          rc;
    ngx_uint_t         event;
    kz_http_ctx_t     *ctx;
    ngx_connection_t  *c;

    ctx = req->client->session;
    c = ctx->r->connection;
    event = ctx->event;

    ctx->req = NULL;
    ctx->status = req->status;

    if (req->action && req->controller.data) {
        ctx->action.data = (u_char *) req->action->name;
        ctx->action.len = ngx_strlen(req->action->name);
        ctx->controller.data = ngx_pnalloc(ctx->r->pool,
                                           req->controller.len);

        if (ctx->controller.data) {
            ngx_memcpy(ctx->controller.data, req->controller.data,
                       req->controller.len);
            ctx->controller.len = req->controller.len;
        }
    }

    /* the reply outlives the query: it goes to the request's pool */

    kz_out_init(&o, ctx->r->pool, 512 + req->result.json.len);

    if (!ctx->head) {
        kz_dialect_render(req, &o, 0);
    }

    if (kz_out_failed(&o) || kz_http_headers(ctx, req) != NGX_OK) {
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else {
        ctx->r->headers_out.status = req->status;
        rc = kz_http_send(ctx, &o);
    }

    ngx_http_finalize_request(ctx->r, rc);

    if (event) {
        ngx_http_run_posted_requests(c);
    }
}


static ngx_int_t
kz_http_send(kz_http_ctx_t *ctx, kz_out_t *o)
{
    ngx_buf_t            *b;
    ngx_int_t             rc;
    ngx_chain_t           out;
    ngx_http_request_t   *r = ctx->r;

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.content_length_n = kz_out_len(o);

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (kz_out_len(o) == 0) {
        return ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->start = o->start;
    b->pos = o->start;
    b->last = o->pos;
    b->end = o->pos;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
kz_http_headers(kz_http_ctx_t *ctx, kz_req_t *req)
{
    ngx_str_t             v;
    kz_http_header_t     *h;
    ngx_http_request_t   *r = ctx->r;

    static ngx_str_t  origin = ngx_string("Access-Control-Allow-Origin");
    static ngx_str_t  credentials =
        ngx_string("Access-Control-Allow-Credentials");
    static ngx_str_t  yes = ngx_string("true");
    static ngx_str_t  vary = ngx_string("Vary");
    static ngx_str_t  vary_origin = ngx_string("Origin");
    static ngx_str_t  request_id = ngx_string("X-Kuzzle-Request-Id");
    static ngx_str_t  node = ngx_string("X-Kuzzle-Node");

    h = req->dialect == KZ_DIALECT_2 ? kz_http_headers_2 : kz_http_headers_1;

    for ( /* void */ ; h->key.len; h++) {
        if (kz_http_header(r, &h->key, &h->value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (req->dialect == KZ_DIALECT_1) {
        return NGX_OK;
    }

    /* Kuzzle: 2.x answers the origin that asks, and only if one asks */

    if (ctx->in.origin.data
        && (kz_http_header(r, &origin, &ctx->in.origin) != NGX_OK
            || kz_http_header(r, &vary, &vary_origin) != NGX_OK))
    {
        return NGX_ERROR;
    }

    if (kz_http_header(r, &credentials, &yes) != NGX_OK) {
        return NGX_ERROR;
    }

    if (req->request_id.data) {
        v.len = req->request_id.len;
        v.data = ngx_pstrdup(r->pool, &req->request_id);

        if (v.data == NULL
            || kz_http_header(r, &request_id, &v) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return kz_http_header(r, &node, &kz_conf->node);
}


static ngx_int_t
kz_http_header(ngx_http_request_t *r, ngx_str_t *key, ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key = *key;
    h->value = *value;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}
