/*
 * The response: the rendered reply, its coding, status and headers.
 *
 *     render -> indent (?pretty) -> compress -> headers -> nginx
 *
 * nginx's own gzip filter leaves alone what has a Content-Encoding.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"
#include "util/kz_json_pretty.h"


/* Indented text may be many times as long; what is longer stays as it is. */

#define KZ_HTTP_PRETTY_MAX  (4 * 1024 * 1024)


typedef struct {
    ngx_str_t    key;
    ngx_str_t    value;
} kz_http_header_t;


static ngx_int_t kz_http_render(kz_http_ctx_t *ctx, kz_req_t *req,
    ngx_str_t *body);
static ngx_uint_t kz_http_wants_pretty(kz_http_ctx_t *ctx);
static void kz_http_pretty(kz_http_ctx_t *ctx, ngx_str_t *body);
static ngx_int_t kz_http_encode(kz_http_ctx_t *ctx, ngx_str_t *body);
static kz_coding_e kz_http_coding(kz_http_ctx_t *ctx, ngx_str_t *body);
static ngx_int_t kz_http_cors(kz_http_ctx_t *ctx, kz_req_t *req);
static ngx_int_t kz_http_headers_of_2(kz_http_ctx_t *ctx, kz_req_t *req);
static ngx_int_t kz_http_headers_of_action(kz_http_ctx_t *ctx,
    kz_req_t *req);
static ngx_int_t kz_http_content_encoding(kz_http_ctx_t *ctx,
    kz_coding_e coding);
static ngx_uint_t kz_http_printable(ngx_str_t *s);
static ngx_table_elt_t *kz_http_header(ngx_http_request_t *r,
    const ngx_str_t *key, const ngx_str_t *value);


/* The headers of every reply, and of bare errors; by generation. */

#define KZ_HTTP_ALLOW_HEADERS                                                 \
    "Content-Type, Access-Control-Allow-Headers, Authorization, "             \
    "X-Requested-With, Content-Encoding, Content-Length, X-Kuzzle-Volatile"

#define KZ_HTTP_ALLOW_HEADERS_BARE                                            \
    "Content-Type,Access-Control-Allow-Headers,Authorization,"                \
    "X-Requested-With,Content-Length,Content-Encoding,X-Kuzzle-Volatile"

#define KZ_HTTP_METHODS  "Access-Control-Allow-Methods"
#define KZ_HTTP_HEADERS  "Access-Control-Allow-Headers"

static const kz_http_header_t  kz_http_headers_1[] = {
    { ngx_string("Accept-Encoding"), ngx_string("gzip,deflate,identity") },
    { ngx_string(KZ_HTTP_METHODS),
      ngx_string("GET,POST,PUT,DELETE,OPTIONS,HEAD") },
    { ngx_string(KZ_HTTP_HEADERS), ngx_string(KZ_HTTP_ALLOW_HEADERS) },
    { ngx_null_string, ngx_null_string }
};

static const kz_http_header_t  kz_http_headers_1_bare[] = {
    { ngx_string(KZ_HTTP_METHODS),
      ngx_string("GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS") },
    { ngx_string(KZ_HTTP_HEADERS), ngx_string(KZ_HTTP_ALLOW_HEADERS_BARE) },
    { ngx_null_string, ngx_null_string }
};

static const kz_http_header_t  kz_http_headers_2[] = {
    { ngx_string("Accept-Encoding"), ngx_string("gzip,deflate,identity") },
    { ngx_string(KZ_HTTP_HEADERS), ngx_string(KZ_HTTP_ALLOW_HEADERS) },
    { ngx_string(KZ_HTTP_METHODS),
      ngx_string("GET,POST,PUT,PATCH,DELETE,OPTIONS,HEAD") },
    { ngx_null_string, ngx_null_string }
};

static const kz_http_header_t  kz_http_headers_2_bare[] = {
    { ngx_string(KZ_HTTP_HEADERS), ngx_string(KZ_HTTP_ALLOW_HEADERS) },
    { ngx_string(KZ_HTTP_METHODS),
      ngx_string("GET,POST,PUT,PATCH,DELETE,OPTIONS,HEAD") },
    { ngx_null_string, ngx_null_string }
};


/* By kz_coding_e. */

static ngx_str_t  kz_http_codings[] = {
    ngx_string("identity"),
    ngx_string("gzip"),
    ngx_string("deflate")
};


void
kz_http_reply(kz_req_t *req)
{
    ngx_int_t          rc;
    ngx_str_t          body;
    ngx_uint_t         event;
    kz_http_ctx_t     *ctx;
    ngx_connection_t  *c;

    ctx = req->client->session;
    c = ctx->r->connection;
    event = ctx->event;

    ctx->req = NULL;

    kz_http_vars_set(ctx, req);

    if (ctx->streams) {
        rc = kz_http_stream_end(ctx);
        goto done;
    }

    rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (kz_http_render(ctx, req, &body) != NGX_OK
        || kz_http_headers(ctx, req) != NGX_OK)
    {
        goto done;
    }

    ctx->r->headers_out.status = req->status;

    rc = kz_http_encode(ctx, &body);

    if (rc == NGX_DONE) {

        /* it will be sent, and the request finalized, when it is ready */

        return;
    }

done:

    ngx_http_finalize_request(ctx->r, rc);

    if (event) {
        ngx_http_run_posted_requests(c);
    }
}


/* The reply outlives the query: it goes to the HTTP request's pool. */

static ngx_int_t
kz_http_render(kz_http_ctx_t *ctx, kz_req_t *req, ngx_str_t *body)
{
    kz_out_t  o;

    if (ctx->head) {
        ngx_str_null(body);
        return NGX_OK;
    }

    kz_out_init(&o, ctx->r->pool, 512 + req->result.json.len);
    kz_dialect_render(req, &o, 0);

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    body->data = o.start;
    body->len = kz_out_len(&o);

    if (kz_http_wants_pretty(ctx)
        && (req->failed || req->result.type != KZ_RESULT_RAW))
    {
        kz_http_pretty(ctx, body);
    }

    return NGX_OK;
}


/*
 * "pretty" in the query string, whatever its value.  It is looked for there
 * because a request may be refused before its arguments were read.
 */

static ngx_uint_t
kz_http_wants_pretty(kz_http_ctx_t *ctx)
{
    u_char     *p, *end, *last, *eq;
    ngx_str_t   name;
    u_char      text[3 * (sizeof("pretty") - 1)];

    p = ctx->r->args.data;
    end = p + ctx->r->args.len;

    for ( /* void */ ; p < end; p = last + 1) {

        last = ngx_strlchr(p, end, '&');
        if (last == NULL) {
            last = end;
        }

        eq = ngx_strlchr(p, last, '=');

        name.data = p;
        name.len = (eq ? eq : last) - p;

        if (name.len <= sizeof(text)
            && kz_url_unescape(text, &name, 1, &name) == NGX_OK
            && name.len == sizeof("pretty") - 1
            && ngx_memcmp(name.data, "pretty", name.len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
kz_http_pretty(kz_http_ctx_t *ctx, ngx_str_t *body)
{
    u_char  *p;
    size_t   len;

    if (body->len > KZ_HTTP_PRETTY_MAX) {
        return;
    }

    len = kz_json_pretty_len(body->data, body->len, KZ_HTTP_PRETTY_MAX);
    if (len == 0) {
        return;
    }

    p = ngx_pnalloc(ctx->r->pool, len);
    if (p == NULL) {
        return;
    }

    (void) kz_json_pretty(p, body->data, body->len);
    (void) ngx_pfree(ctx->r->pool, body->data);

    body->data = p;
    body->len = len;
}


/* NGX_DONE: later; else what ngx_http_finalize_request() is to be told. */

static ngx_int_t
kz_http_encode(kz_http_ctx_t *ctx, ngx_str_t *body)
{
    off_t         len;
    ngx_int_t     rc;
    ngx_chain_t   one, *out;
    kz_coding_e   coding;

    coding = kz_http_coding(ctx, body);

    if (coding != KZ_CODING_IDENTITY
        && !kz_http_deflate_small(ctx, body->len))
    {
        rc = kz_http_deflate_start(ctx, coding, body, &out, &len);

        if (rc == NGX_AGAIN) {
            return NGX_DONE;
        }

        if (rc == NGX_OK) {
            return kz_http_send(ctx, coding, out, len);
        }

        coding = KZ_CODING_IDENTITY;
    }

    if (coding != KZ_CODING_IDENTITY
        && kz_http_deflate(ctx, coding, body) != NGX_OK)
    {
        coding = KZ_CODING_IDENTITY;
    }

    out = kz_http_chain(ctx, &one, body);

    if (out == NULL && body->len) {
        return NGX_ERROR;
    }

    return kz_http_send(ctx, coding, out, body->len);
}


/* A subrequest's reply goes into another one, whose coding is its own. */

static kz_coding_e
kz_http_coding(kz_http_ctx_t *ctx, ngx_str_t *body)
{
    ngx_uint_t      must;
    kz_coding_e     coding;
    kz_loc_conf_t  *conf = ctx->client.conf;

    if (!conf->compression || body->len == 0 || ctx->r != ctx->r->main) {
        return KZ_CODING_IDENTITY;
    }

    coding = kz_accept_coding(&ctx->in.accept, &must);

    return body->len >= conf->compression_min || must ? coding
                                                      : KZ_CODING_IDENTITY;
}


ngx_chain_t *
kz_http_chain(kz_http_ctx_t *ctx, ngx_chain_t *cl, ngx_str_t *body)
{
    ngx_buf_t  *b;

    if (body->len == 0) {
        return NULL;
    }

    b = ngx_calloc_buf(ctx->r->pool);
    if (b == NULL) {
        return NULL;
    }

    b->start = body->data;
    b->pos = b->start;
    b->last = b->start + body->len;
    b->end = b->last;
    b->memory = 1;

    cl->buf = b;
    cl->next = NULL;

    return cl;
}


ngx_int_t
kz_http_send(kz_http_ctx_t *ctx, kz_coding_e coding, ngx_chain_t *out,
    off_t len)
{
    ngx_int_t            rc;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r = ctx->r;

    if (kz_http_content_encoding(ctx, coding) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_out.content_length_n = len;

    /* If-Match and the like: what was done cannot be answered 412, or 304 */

    r->disable_not_modified = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (out == NULL) {
        return ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    for (cl = out; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = (r == r->main);
    cl->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, out);
}


/*
 * Content-Encoding, and Vary: a cache must not give what is compressed to
 * who cannot read it.  Kuzzle: 2.x says "identity" as well.  Not so where
 * compressing was left to nginx: its filter would think it has been done.
 */

static ngx_int_t
kz_http_content_encoding(kz_http_ctx_t *ctx, kz_coding_e coding)
{
    ngx_str_t            value;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r = ctx->r;

    static const ngx_str_t  key = ngx_string("Content-Encoding");
    static const ngx_str_t  vary = ngx_string("Vary");

    if (coding != KZ_CODING_IDENTITY
        || (ctx->says_identity && ctx->client.conf->compression))
    {
        h = kz_http_header(r, &key, &kz_http_codings[coding]);
        if (h == NULL) {
            return NGX_ERROR;
        }

        r->headers_out.content_encoding = h;
    }

    if (coding == KZ_CODING_IDENTITY) {

        if (!ctx->vary_origin) {
            return NGX_OK;
        }

        ngx_str_set(&value, "Origin");

    } else if (ctx->vary_origin) {
        ngx_str_set(&value, "Origin, Accept-Encoding");

    } else {
        ngx_str_set(&value, "Accept-Encoding");
    }

    return kz_http_header(r, &vary, &value) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
kz_http_headers(kz_http_ctx_t *ctx, kz_req_t *req)
{
    ngx_uint_t               bare;
    ngx_http_request_t      *r = ctx->r;
    const kz_http_header_t  *h;

    bare = req->bare && req->failed;

    ngx_str_set(&r->headers_out.content_type, "application/json");

    if (req->raw_type.len && !req->failed) {
        r->headers_out.content_type.data = ngx_pstrdup(r->pool,
                                                       &req->raw_type);
        if (r->headers_out.content_type.data == NULL) {
            return NGX_ERROR;
        }

        r->headers_out.content_type.len = req->raw_type.len;
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (req->dialect == KZ_DIALECT_2) {
        h = bare ? kz_http_headers_2_bare : kz_http_headers_2;

    } else {
        h = bare ? kz_http_headers_1_bare : kz_http_headers_1;
    }

    for ( /* void */ ; h->key.len; h++) {
        if (kz_http_header(r, &h->key, &h->value) == NULL) {
            return NGX_ERROR;
        }
    }

    if (kz_http_cors(ctx, req) != NGX_OK) {
        return NGX_ERROR;
    }

    if (bare) {
        return NGX_OK;
    }

    if (req->dialect == KZ_DIALECT_2
        && kz_http_headers_of_2(ctx, req) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return req->headers ? kz_http_headers_of_action(ctx, req) : NGX_OK;
}


/*
 * Kuzzle: 1.x answers anybody, 2.x the origin that asks, if one does.  Where
 * origins are configured, only those, in both.
 */

static ngx_int_t
kz_http_cors(kz_http_ctx_t *ctx, kz_req_t *req)
{
    const ngx_str_t  *value;
    kz_loc_conf_t    *conf = ctx->client.conf;

    static const ngx_str_t  key = ngx_string("Access-Control-Allow-Origin");
    static const ngx_str_t  any = ngx_string("*");

    value = NULL;

    if (req->dialect != KZ_DIALECT_2 && conf->origins == NULL) {
        value = &any;

    } else if (ctx->in.origin.data
               && kz_conf_origin(conf, &ctx->in.origin))
    {
        value = &ctx->in.origin;
    }

    ctx->vary_origin = (conf->origins || value == &ctx->in.origin);

    if (value && kz_http_header(ctx->r, &key, value) == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
kz_http_origin(kz_http_ctx_t *ctx)
{
    ngx_str_t  origin;

    if (ctx->req->dialect != KZ_DIALECT_2 || ctx->in.origin.data == NULL
        || kz_conf_origin(ctx->client.conf, &ctx->in.origin))
    {
        return NGX_OK;
    }

    origin = kz_http_echo(&ctx->in.origin);

    return kz_fail(ctx->req, KZ_E_PROCESS_UNAUTHORIZED_ORIGIN, 1, &origin);
}


static ngx_int_t
kz_http_headers_of_2(kz_http_ctx_t *ctx, kz_req_t *req)
{
    ngx_str_t            v;
    ngx_http_request_t  *r = ctx->r;

    static const ngx_str_t  credentials =
        ngx_string("Access-Control-Allow-Credentials");
    static const ngx_str_t  yes = ngx_string("true");
    static const ngx_str_t  request_id = ngx_string("X-Kuzzle-Request-Id");
    static const ngx_str_t  node = ngx_string("X-Kuzzle-Node");

    ctx->says_identity = 1;

    if (ctx->client.conf->cookies
        && kz_http_header(r, &credentials, &yes) == NULL)
    {
        return NGX_ERROR;
    }

    /* one that came in the query string may hold anything */

    if (req->request_id.data && kz_http_printable(&req->request_id)) {
        v.len = req->request_id.len;
        v.data = ngx_pstrdup(r->pool, &req->request_id);

        if (v.data == NULL || kz_http_header(r, &request_id, &v) == NULL) {
            return NGX_ERROR;
        }
    }

    return kz_http_header(r, &node, &kz_conf->node) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
kz_http_headers_of_action(kz_http_ctx_t *ctx, kz_req_t *req)
{
    ngx_uint_t           i;
    ngx_str_t            name, value;
    kz_header_t         *h;
    ngx_http_request_t  *r = ctx->r;

    h = req->headers->elts;

    for (i = 0; i < req->headers->nelts; i++) {

        name.len = h[i].name.len;
        name.data = ngx_pstrdup(r->pool, &h[i].name);

        value.len = h[i].value.len;
        value.data = ngx_pstrdup(r->pool, &h[i].value);

        if (name.data == NULL || value.data == NULL
            || kz_http_header(r, &name, &value) == NULL)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
kz_http_printable(ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < ' ' || s->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


static ngx_table_elt_t *
kz_http_header(ngx_http_request_t *r, const ngx_str_t *key,
    const ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    h->hash = 1;
    h->key = *key;
    h->value = *value;
    h->lowcase_key = NULL;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return h;
}
