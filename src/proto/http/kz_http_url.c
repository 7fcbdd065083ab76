/*
 * The path and the query string of an HTTP request.
 *
 * The path is taken undecoded from the request line and split before it is
 * decoded, so that "%2F" stays inside an id.  nginx chose the location by
 * the decoded path: what would make the two differ (dot segments, also
 * encoded ones) is refused.  After a rewrite, and in a subrequest, the path
 * is the one nginx has come to, not the client's.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"


static ngx_int_t kz_http_malformed(kz_http_ctx_t *ctx, const char *what);


/* A message is JSON: what it echoes of a header or a URL must be UTF-8. */

ngx_str_t
kz_http_echo(ngx_str_t *s)
{
    static ngx_str_t  unknown = ngx_string("(not UTF-8)");

    return kz_url_utf8(s) == NGX_OK ? *s : unknown;
}


/* At most one more than any route has. */

ngx_int_t
kz_http_parts(ngx_http_request_t *r, ngx_pool_t *pool, ngx_str_t *parts,
    ngx_uint_t *n)
{
    u_char     *last, *dst;
    kz_url_t    u;
    ngx_int_t   rc;

    u.pos = r->uri.data;
    u.end = u.pos + r->uri.len;

    if (r->valid_unparsed_uri) {
        u.pos = r->unparsed_uri.data;
        u.end = u.pos + r->unparsed_uri.len;

        last = u.pos;

        while (last < u.end && *last != '?' && *last != '#') {
            last++;
        }

        u.end = last;
    }

    dst = ngx_pnalloc(pool, u.end - u.pos + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    for (*n = 0; *n < KZ_HTTP_MAX_PARTS; (*n)++) {

        /* what nginx made of the path is decoded already */

        rc = kz_url_next_part(&u, &dst, !r->valid_unparsed_uri, &parts[*n]);

        if (rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_int_t
kz_http_path(kz_http_ctx_t *ctx, ngx_str_t *parts, ngx_uint_t *n)
{
    ngx_int_t  rc;

    rc = kz_http_parts(ctx->r, ctx->req->pool, parts, n);

    return rc == NGX_DECLINED ? kz_http_malformed(ctx, "malformed URI") : rc;
}


ngx_int_t
kz_http_args(kz_http_ctx_t *ctx)
{
    u_char     *dst;
    kz_url_t    u;
    ngx_int_t   rc;
    ngx_str_t   name, text;

    if (ctx->r->args.len == 0) {
        return NGX_OK;
    }

    u.pos = ctx->r->args.data;
    u.end = u.pos + ctx->r->args.len;

    dst = ngx_pnalloc(ctx->req->pool, ctx->r->args.len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    while ((rc = kz_url_next_arg(&u, &dst, &name, &text)) == NGX_OK) {

        if (kz_http_arg(ctx, &name, &text) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (rc == NGX_ERROR) {
        return kz_http_malformed(ctx, "malformed query string");
    }

    return NGX_OK;
}


static ngx_int_t
kz_http_malformed(kz_http_ctx_t *ctx, const char *what)
{
    ngx_str_t  text;

    kz_dialect_detect(ctx->req);

    text.data = (u_char *) what;
    text.len = ngx_strlen(what);

    return kz_fail(ctx->req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &text);
}


/*
 * Controller and action come from the route only, the request's id from its
 * header only, whatever the query string says.
 */

ngx_int_t
kz_http_arg(kz_http_ctx_t *ctx, const ngx_str_t *name, ngx_str_t *text)
{
    kz_arg_t  *arg;
    kz_req_t  *req = ctx->req;

#define kz_http_name_is(s)                                                    \
    (name->len == sizeof(s) - 1                                               \
     && ngx_memcmp(name->data, s, sizeof(s) - 1) == 0)

    if (kz_http_name_is("controller") || kz_http_name_is("action")
        || kz_http_name_is("requestId") || kz_http_name_is("body")
        || kz_http_name_is("volatile"))
    {
        return NGX_OK;
    }

    if (kz_http_name_is("index")) {
        req->index = *text;
        return NGX_OK;
    }

    if (kz_http_name_is("collection")) {
        req->collection = *text;
        return NGX_OK;
    }

    if (kz_http_name_is("_id")) {
        req->id = *text;
        return NGX_OK;
    }

    if (kz_http_name_is("jwt")) {
        req->jwt = *text;
        return NGX_OK;
    }

    if (req->nargs == KZ_REQ_MAX_ARGS) {
        return kz_http_malformed(ctx,
                                 "too many arguments in the query string");
    }

    arg = kz_req_arg_push(req);
    if (arg == NULL) {
        return NGX_ERROR;
    }

    arg->name = *name;
    arg->text = *text;

    return NGX_OK;
}
