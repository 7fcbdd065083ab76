/*
 * Headers of a response that an action sets.
 */

#include "core/kz_req.h"
#include "util/kz_utf8.h"


static ngx_int_t kz_header_check(const ngx_str_t *name,
    const ngx_str_t *value);
static ngx_uint_t kz_header_is(const ngx_str_t *name, const ngx_str_t *other);
static ngx_int_t kz_header_dup(kz_req_t *req, ngx_str_t *dst,
    const ngx_str_t *src);


static ngx_str_t  kz_header_cookie = ngx_string("Set-Cookie");


/* What the protocol says itself. */

static ngx_str_t  kz_header_own[] = {
    ngx_string("Connection"),
    ngx_string("Content-Encoding"),
    ngx_string("Content-Length"),
    ngx_string("Content-Type"),
    ngx_string("Transfer-Encoding"),
    ngx_null_string
};


ngx_int_t
kz_req_header(kz_req_t *req, const ngx_str_t *name, const ngx_str_t *value)
{
    ngx_uint_t    i;
    kz_header_t  *h;

    if (kz_header_check(name, value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (req->headers == NULL) {
        req->headers = ngx_array_create(req->pool, 4, sizeof(kz_header_t));
        if (req->headers == NULL) {
            return NGX_ERROR;
        }
    }

    h = req->headers->elts;

    if (!kz_header_is(name, &kz_header_cookie)) {

        for (i = 0; i < req->headers->nelts; i++) {
            if (kz_header_is(name, &h[i].name)) {
                return kz_header_dup(req, &h[i].value, value);
            }
        }
    }

    h = ngx_array_push(req->headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    if (kz_header_dup(req, &h->name, name) != NGX_OK
        || kz_header_dup(req, &h->value, value) != NGX_OK)
    {
        req->headers->nelts--;
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_uint_t
kz_req_header_hidden(const kz_header_t *h)
{
    return kz_header_is(&h->name, &kz_header_cookie);
}


static ngx_int_t
kz_header_check(const ngx_str_t *name, const ngx_str_t *value)
{
    u_char      c;
    size_t      i;
    uint32_t    state;
    ngx_str_t  *own;

    if (name->len == 0) {
        return NGX_ERROR;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c)) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return NGX_ERROR;
        }
    }

    /* it is shown in JSON */

    state = KZ_UTF8_START;

    if (kz_utf8_check(&state, value->data, value->len) != NGX_OK
        || state != KZ_UTF8_START)
    {
        return NGX_ERROR;
    }

    for (own = kz_header_own; own->len; own++) {
        if (kz_header_is(name, own)) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
kz_header_is(const ngx_str_t *name, const ngx_str_t *other)
{
    return name->len == other->len
           && ngx_strncasecmp(name->data, other->data, name->len) == 0;
}


static ngx_int_t
kz_header_dup(kz_req_t *req, ngx_str_t *dst, const ngx_str_t *src)
{
    u_char  *p;

    p = ngx_pnalloc(req->pool, src->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, src->data, src->len);

    dst->data = p;
    dst->len = src->len;

    return NGX_OK;
}
