/*
 * What a body says: its type, its charset, the document in it.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"


static ngx_int_t kz_http_type(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_json(kz_http_ctx_t *ctx);


ngx_int_t
kz_http_content(kz_http_ctx_t *ctx)
{
    if (kz_http_type(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_http_json(ctx);
}


/* application/json, in UTF-8, or nothing said. */

static ngx_int_t
kz_http_type(kz_http_ctx_t *ctx)
{
    u_char           *p;
    ngx_str_t         type, text;
    ngx_table_elt_t  *h;
    kz_req_t         *req = ctx->req;

    h = ctx->r->headers_in.content_type;

    if (h == NULL || h->value.len == 0) {
        return NGX_OK;
    }

    type = h->value;

    p = ngx_strlchr(type.data, type.data + type.len, ';');
    if (p) {
        type.len = p - type.data;
    }

    while (type.len && type.data[type.len - 1] == ' ') {
        type.len--;
    }

    if (type.len != sizeof("application/json") - 1
        || ngx_strncasecmp(type.data, (u_char *) "application/json",
                           type.len)
           != 0)
    {
        req->bare = 1;
        type = kz_http_echo(&type);

        if (req->dialect == KZ_DIALECT_2) {
            return kz_fail(req, KZ_E_HTTP_UNSUPPORTED_CONTENT, 1, &type);
        }

        text.data = ngx_pnalloc(req->pool, type.len + 64);
        if (text.data == NULL) {
            return NGX_ERROR;
        }

        text.len = ngx_sprintf(text.data, "Unsupported content type: %V",
                               &type)
                   - text.data;

        return kz_fail(req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &text);
    }

    if (p == NULL || req->dialect == KZ_DIALECT_1) {
        return NGX_OK;
    }

    type.data = p;
    type.len = h->value.data + h->value.len - p;

    p = ngx_strlcasestrn(type.data, type.data + type.len,
                         (u_char *) "charset=", sizeof("charset=") - 2);
    if (p == NULL) {
        return NGX_OK;
    }

    p += sizeof("charset=") - 1;

    text.data = p;
    text.len = type.data + type.len - p;

    p = ngx_strlchr(text.data, text.data + text.len, ';');
    if (p) {
        text.len = p - text.data;
    }

    if (text.len > 2 && text.data[0] == '"'
        && text.data[text.len - 1] == '"')
    {
        text.data++;
        text.len -= 2;
    }

    if (text.len == 5
        && ngx_strncasecmp(text.data, (u_char *) "utf-8", 5) == 0)
    {
        return NGX_OK;
    }

    req->bare = 1;
    text = kz_http_echo(&text);

    return kz_fail(req, KZ_E_HTTP_UNSUPPORTED_CHARSET, 1, &text);
}


static ngx_int_t
kz_http_json(kz_http_ctx_t *ctx)
{
    ngx_str_t        what, *encoding;
    kz_json_err_t    err;
    kz_json_val_t    v;
    kz_req_t        *req = ctx->req;

    encoding = &ctx->in.encoding;

    if (encoding->len
        && (encoding->len != 8
            || ngx_strncasecmp(encoding->data, (u_char *) "identity", 8)
               != 0))
    {
        req->bare = 1;
        what = kz_http_echo(encoding);

        return kz_fail(req, KZ_E_HTTP_UNSUPPORTED_COMPRESSION, 1, &what);
    }

    if (kz_json_scan(ctx->body, ctx->body_len, req->conf->json_depth, &v,
                     &err)
        != NGX_OK)
    {
        /* Kuzzle: 2.x refuses it before there is an envelope */

        req->bare = (req->dialect == KZ_DIALECT_2);

        return kz_fail(req, KZ_E_HTTP_BODY_PARSE_FAILED, 1,
                       kz_req_json_error(req, &err));
    }

    switch (v.type) {

    case KZ_JSON_NULL:
        return NGX_OK;

    case KZ_JSON_OBJECT:
        break;

    case KZ_JSON_ARRAY:
        if (req->dialect == KZ_DIALECT_2) {
            break;
        }

        /* fall through */

    default:
        ngx_str_set(&what, "Attribute body must be of type \"object\"");
        return kz_fail(req, KZ_E_HTTP_BODY_PARSE_FAILED, 1, &what);
    }

    v.raw.len = kz_json_compact(v.raw.data, v.raw.data, v.raw.len)
                - v.raw.data;
    req->body = v;

    return NGX_OK;
}
