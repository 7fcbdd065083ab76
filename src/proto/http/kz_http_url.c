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
#include "util/kz_utf8.h"


static ngx_int_t kz_http_part(kz_http_ctx_t *ctx, u_char *dst,
    ngx_str_t *raw, ngx_str_t *out);
static ngx_uint_t kz_http_dots(ngx_str_t *part);


ngx_int_t
kz_http_unescape(u_char *dst, ngx_str_t *src, ngx_uint_t plus,
    ngx_str_t *out)
{
    u_char     *p, *d, *end;
    ngx_int_t   n;

    d = dst;
    end = src->data + src->len;

    for (p = src->data; p < end; p++) {

        if (*p == '%') {

            if (end - p < 3) {
                return NGX_ERROR;
            }

            n = ngx_hextoi(p + 1, 2);

            if (n == NGX_ERROR) {
                return NGX_ERROR;
            }

            *d++ = (u_char) n;
            p += 2;

        } else if (*p == '+' && plus) {
            *d++ = ' ';

        } else {
            *d++ = *p;
        }
    }

    out->data = dst;
    out->len = d - dst;

    return kz_http_utf8(out);
}


ngx_int_t
kz_http_utf8(ngx_str_t *s)
{
    uint32_t  state;

    state = KZ_UTF8_START;

    if (kz_utf8_check(&state, s->data, s->len) != NGX_OK
        || state != KZ_UTF8_START)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* A message is JSON: what it echoes of a header or a URL must be UTF-8. */

ngx_str_t
kz_http_echo(ngx_str_t *s)
{
    static ngx_str_t  unknown = ngx_string("(not UTF-8)");

    return kz_http_utf8(s) == NGX_OK ? *s : unknown;
}


/* The decoded parts of the path; at most one more than any route has. */

ngx_int_t
kz_http_path(kz_http_ctx_t *ctx, ngx_str_t *parts, ngx_uint_t *n)
{
    u_char              *p, *end, *last, *dst;
    ngx_str_t            raw, what;
    kz_req_t            *req = ctx->req;
    ngx_http_request_t  *r = ctx->r;

    p = r->uri.data;
    end = p + r->uri.len;

    if (r->valid_unparsed_uri) {
        p = r->unparsed_uri.data;
        end = p + r->unparsed_uri.len;

        last = ngx_strlchr(p, end, '?');
        if (last) {
            end = last;
        }

        last = ngx_strlchr(p, end, '#');
        if (last) {
            end = last;
        }
    }

    dst = ngx_pnalloc(req->pool, end - p + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    *n = 0;

    while (p < end) {

        if (*p == '/') {
            p++;
            continue;
        }

        last = ngx_strlchr(p, end, '/');
        if (last == NULL) {
            last = end;
        }

        if (*n == KZ_HTTP_MAX_PARTS) {
            return NGX_OK;
        }

        raw.data = p;
        raw.len = last - p;

        if (kz_http_part(ctx, dst, &raw, &parts[*n]) != NGX_OK
            || kz_http_dots(&parts[*n]))
        {
            kz_dialect_detect(req);
            ngx_str_set(&what, "malformed URI");

            return kz_fail(req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &what);
        }

        dst += parts[*n].len;
        (*n)++;
        p = last;
    }

    return NGX_OK;
}


/* What nginx made of the path is decoded already. */

static ngx_int_t
kz_http_part(kz_http_ctx_t *ctx, u_char *dst, ngx_str_t *raw, ngx_str_t *out)
{
    if (ctx->r->valid_unparsed_uri) {
        return kz_http_unescape(dst, raw, 0, out);
    }

    out->data = dst;
    out->len = raw->len;
    ngx_memcpy(dst, raw->data, raw->len);

    return kz_http_utf8(out);
}


/* Whether "." or ".." stands alone in it, between slashes if it has any. */

static ngx_uint_t
kz_http_dots(ngx_str_t *part)
{
    u_char  *p, *end, *last;

    end = part->data + part->len;

    for (p = part->data; p < end; p = last + 1) {
        last = ngx_strlchr(p, end, '/');
        if (last == NULL) {
            last = end;
        }

        if (last - p <= 2 && last > p && p[0] == '.'
            && (last - p == 1 || p[1] == '.'))
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
kz_http_args(kz_http_ctx_t *ctx)
{
    u_char     *p, *end, *last, *eq, *dst;
    ngx_str_t   name, text, raw, what;
    kz_req_t   *req = ctx->req;

    p = ctx->r->args.data;
    end = p + ctx->r->args.len;

    if (ctx->r->args.len == 0) {
        return NGX_OK;
    }

    dst = ngx_pnalloc(req->pool, ctx->r->args.len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    for ( /* void */ ; p < end; p = last + 1) {

        last = ngx_strlchr(p, end, '&');
        if (last == NULL) {
            last = end;
        }

        if (last == p) {
            continue;
        }

        eq = ngx_strlchr(p, last, '=');

        raw.data = p;
        raw.len = (eq ? eq : last) - p;

        if (kz_http_unescape(dst, &raw, 1, &name) != NGX_OK) {
            goto malformed;
        }

        dst += name.len;

        raw.data = eq ? eq + 1 : last;
        raw.len = last - raw.data;

        if (kz_http_unescape(dst, &raw, 1, &text) != NGX_OK) {
            goto malformed;
        }

        dst += text.len;

        if (kz_http_arg(ctx, &name, &text) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;

malformed:

    kz_dialect_detect(req);
    ngx_str_set(&what, "malformed query string");

    return kz_fail(req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &what);
}


/*
 * Controller and action come from the route only, the request's id from its
 * header only, whatever the query string says.
 */

ngx_int_t
kz_http_arg(kz_http_ctx_t *ctx, ngx_str_t *name, ngx_str_t *text)
{
    kz_arg_t  *arg;
    ngx_str_t  what;
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
        kz_dialect_detect(req);
        ngx_str_set(&what, "too many arguments in the query string");

        return kz_fail(req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &what);
    }

    arg = kz_req_arg_push(req);
    if (arg == NULL) {
        return NGX_ERROR;
    }

    arg->name = *name;
    arg->text = *text;

    return NGX_OK;
}
