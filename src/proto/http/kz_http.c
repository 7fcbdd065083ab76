/*
 * The HTTP side: content handler, request body, response.
 *
 * An HTTP request is a client for the time it takes.  The body is read
 * unbuffered, straight into the query's pool: bounded before memory is
 * taken, never through a temporary file.  When the client leaves early the
 * operation runs on, and its result is dropped.
 */

#include "proto/http/kz_http.h"
#include "proto/ws/kz_ws.h"
#include "api/kz_dialect.h"


#define KZ_HTTP_BODY_MIN  4096


static ngx_int_t kz_http_start(ngx_http_request_t *r, kz_loc_conf_t *conf);
static ngx_uint_t kz_http_has_body(ngx_http_request_t *r);
static void kz_http_cleanup(void *data);
static void kz_http_body_handler(ngx_http_request_t *r);
static void kz_http_body_read(ngx_http_request_t *r);
static ngx_int_t kz_http_body_take(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_body_room(kz_http_ctx_t *ctx, off_t n);
static void kz_http_too_large(kz_http_ctx_t *ctx);
static void kz_http_run(kz_http_ctx_t *ctx);
static void kz_http_reply(kz_req_t *req);
static ngx_int_t kz_http_send(kz_http_ctx_t *ctx, kz_out_t *o);
static ngx_int_t kz_http_headers(kz_http_ctx_t *ctx, kz_req_t *req);
static ngx_int_t kz_http_header(ngx_http_request_t *r, ngx_str_t *key,
    ngx_str_t *value);
static void kz_http_close(kz_client_t *c, kz_close_e reason);


const kz_proto_t  kz_http_proto = {
    ngx_string("http"),
    kz_http_reply,
    NULL,
    NULL,
    kz_http_close,
    0
};


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


ngx_int_t
ngx_http_kuzzle_handler(ngx_http_request_t *r)
{
    kz_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_kuzzle_module);

    /* a subrequest has the headers of its parent, but no connection */

    if (r->headers_in.upgrade
        && r == r->main
        && r->method == NGX_HTTP_GET
        && ngx_strlcasestrn(r->headers_in.upgrade->value.data,
                            r->headers_in.upgrade->value.data
                            + r->headers_in.upgrade->value.len,
                            (u_char *) "websocket", sizeof("websocket") - 2))
    {
        return kz_ws_handshake(r, conf);
    }

    return kz_http_start(r, conf);
}


static ngx_int_t
kz_http_start(ngx_http_request_t *r, kz_loc_conf_t *conf)
{
    ngx_int_t            rc;
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

    if (r->headers_in.content_length_n > (off_t) conf->body_max) {

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


/* The request ends, answered or not; ctx dies with it. */

static void
kz_http_cleanup(void *data)
{
    kz_req_t       *req;
    kz_http_ctx_t  *ctx = data;

    req = ctx->req;
    kz_client_close(&ctx->client);

    if (req && !req->parked && !req->running) {

        /* its body was never read to the end: nothing else refers to it */

        ngx_destroy_pool(req->pool);
    }
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


static void
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


static void
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

    if (ctx->origin.data
        && (kz_http_header(r, &origin, &ctx->origin) != NGX_OK
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


/* Nothing but a reply is ever sent to an HTTP client. */

static void
kz_http_close(kz_client_t *c, kz_close_e reason)
{
    kz_http_ctx_t  *ctx = c->session;

    ngx_http_finalize_request(ctx->r, NGX_HTTP_CLIENT_CLOSED_REQUEST);
}
