/*
 * What a body says: its type, its charset, the document in it.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"
#include "util/kz_multipart.h"


/* JSON of a form may be longer than the form, but not beyond all measure. */

#define KZ_HTTP_FORM_JSON  2


typedef enum {
    KZ_HTTP_JSON = 0,
    KZ_HTTP_FORM,
    KZ_HTTP_MULTIPART,
    KZ_HTTP_OTHER
} kz_http_type_e;


static kz_http_type_e kz_http_type(kz_http_ctx_t *ctx, kz_dialect_e dialect);
static ngx_uint_t kz_http_type_is(ngx_str_t *header, const char *type,
    kz_dialect_e dialect);
static ngx_int_t kz_http_charset(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_json(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_form(kz_http_ctx_t *ctx, kz_http_type_e type);


ngx_int_t
kz_http_content(kz_http_ctx_t *ctx)
{
    kz_http_type_e  type;

    type = kz_http_type(ctx, ctx->req->dialect);

    if (type == KZ_HTTP_OTHER) {
        return kz_http_content_refuse(ctx);
    }

    if (kz_http_charset(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (type == KZ_HTTP_JSON) {
        return kz_http_json(ctx);
    }

    return kz_http_form(ctx, type);
}


ngx_uint_t
kz_http_content_known(kz_http_ctx_t *ctx)
{
    return kz_http_type(ctx, KZ_DIALECT_1) != KZ_HTTP_OTHER
           || kz_http_type(ctx, KZ_DIALECT_2) != KZ_HTTP_OTHER;
}


ngx_int_t
kz_http_content_refuse(kz_http_ctx_t *ctx)
{
    ngx_str_t         type, text;
    kz_req_t         *req = ctx->req;
    ngx_table_elt_t  *h;

    h = ctx->r->headers_in.content_type;

    req->bare = 1;
    type = kz_http_echo(&h->value);

    if (req->dialect == KZ_DIALECT_2) {
        return kz_fail(req, KZ_E_HTTP_UNSUPPORTED_CONTENT, 1, &type);
    }

    text.data = ngx_pnalloc(req->pool, type.len + 64);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    text.len = ngx_sprintf(text.data, "Unsupported content type: %V", &type)
               - text.data;

    return kz_fail(req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &text);
}


/* Nothing said: JSON. */

static kz_http_type_e
kz_http_type(kz_http_ctx_t *ctx, kz_dialect_e dialect)
{
    ngx_str_t        *value;
    ngx_table_elt_t  *h;

    h = ctx->r->headers_in.content_type;

    if (h == NULL || h->value.len == 0) {
        return KZ_HTTP_JSON;
    }

    value = &h->value;

    /* Kuzzle: 1.x takes whatever is multipart for a form */

    if (kz_http_type_is(value, dialect == KZ_DIALECT_1
                               ? "multipart/" : "multipart/form-data",
                        dialect))
    {
        return KZ_HTTP_MULTIPART;
    }

    if (kz_http_type_is(value, "application/x-www-form-urlencoded", dialect))
    {
        return KZ_HTTP_FORM;
    }

    if (kz_http_type_is(value, "application/json", dialect)) {
        return KZ_HTTP_JSON;
    }

    return KZ_HTTP_OTHER;
}


/* Kuzzle: 1.x wants the type in front, 2.x finds it anywhere. */

static ngx_uint_t
kz_http_type_is(ngx_str_t *header, const char *type, kz_dialect_e dialect)
{
    size_t  len;

    len = ngx_strlen(type);

    if (dialect == KZ_DIALECT_1) {
        return header->len >= len
               && ngx_strncasecmp(header->data, (u_char *) type, len) == 0;
    }

    return ngx_strlcasestrn(header->data, header->data + header->len,
                            (u_char *) type, len - 1)
           != NULL;
}


/* Kuzzle: 1.x never looks. */

static ngx_int_t
kz_http_charset(kz_http_ctx_t *ctx)
{
    u_char           *p, *end;
    ngx_str_t         text;
    kz_req_t         *req = ctx->req;
    ngx_table_elt_t  *h;

    h = ctx->r->headers_in.content_type;

    if (h == NULL || req->dialect == KZ_DIALECT_1) {
        return NGX_OK;
    }

    end = h->value.data + h->value.len;

    p = ngx_strlcasestrn(h->value.data, end, (u_char *) "charset=",
                         sizeof("charset=") - 2);
    if (p == NULL) {
        return NGX_OK;
    }

    p += sizeof("charset=") - 1;

    text.data = p;
    text.len = end - p;

    p = ngx_strlchr(text.data, end, ';');
    if (p) {
        text.len = p - text.data;
    }

    while (text.len && text.data[text.len - 1] == ' ') {
        text.len--;
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

    ngx_strlow(text.data, text.data, text.len);
    text = kz_http_echo(&text);

    return kz_fail(req, KZ_E_HTTP_UNSUPPORTED_CHARSET, 1, &text);
}


static ngx_int_t
kz_http_json(kz_http_ctx_t *ctx)
{
    ngx_str_t        what;
    kz_json_err_t    err;
    kz_json_val_t    v;
    kz_req_t        *req = ctx->req;

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


/* Kuzzle: a repeated field of a 2.x form is a list, unless multipart. */

static ngx_int_t
kz_http_form(kz_http_ctx_t *ctx, kz_http_type_e type)
{
    kz_out_t         o;
    kz_form_t        form;
    ngx_int_t        rc;
    ngx_str_t        boundary, what;
    kz_req_t        *req = ctx->req;
    kz_loc_conf_t   *conf = req->conf;

    kz_form_init(&form, req->pool, req->dialect == KZ_DIALECT_2 ? 2 : 1,
                 KZ_HTTP_FORM_JSON * conf->body_max);

    if (type == KZ_HTTP_FORM) {
        form.lists = (req->dialect == KZ_DIALECT_2);
        rc = kz_form_urlencoded(&form, ctx->body, ctx->body_len);

    } else {
        rc = kz_multipart_boundary(&form,
                                   &ctx->r->headers_in.content_type->value,
                                   &boundary);
        if (rc == NGX_OK) {
            rc = kz_multipart_parse(&form, &boundary, ctx->body,
                                    ctx->body_len, conf->form_file_max);
        }
    }

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        req->bare = 1;

        return kz_fail(req, form.file_too_large
                            ? KZ_E_HTTP_FILE_TOO_LARGE
                            : KZ_E_HTTP_REQUEST_TOO_LARGE, 0);

    default: /* NGX_ERROR */

        if (form.what == NULL) {
            return NGX_ERROR;
        }

        req->bare = 1;
        what.data = (u_char *) form.what;
        what.len = ngx_strlen(form.what);

        return kz_fail(req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &what);
    }

    kz_out_init(&o, req->pool, form.size);
    kz_form_json(&form, &o);

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    req->body.raw.data = o.start;
    req->body.raw.len = kz_out_len(&o);
    req->body.type = KZ_JSON_OBJECT;

    return NGX_OK;
}
