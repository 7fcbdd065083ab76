/*
 * The token in a cookie: "authToken=<token>" among others (RFC 6265, 5.4).
 */

#include "proto/http/kz_http.h"


#define KZ_COOKIE  "authToken"


static void kz_http_cookie_pair(ngx_str_t *pair, kz_http_in_t *in);
static ngx_str_t kz_http_trim(u_char *p, u_char *end);


void
kz_http_cookie(const ngx_str_t *header, kz_http_in_t *in)
{
    u_char     *p, *end, *last;
    ngx_str_t   pair;

    end = header->data + header->len;

    for (p = header->data; p < end; p = last + 1) {

        last = ngx_strlchr(p, end, ';');
        if (last == NULL) {
            last = end;
        }

        pair = kz_http_trim(p, last);

        if (in->cookie.data == NULL) {

            /* of several the first counts */

            kz_http_cookie_pair(&pair, in);
        }
    }
}


/* What cannot be a token is refused rather than overlooked. */

static void
kz_http_cookie_pair(ngx_str_t *pair, kz_http_in_t *in)
{
    u_char     *p, *eq, *end;
    ngx_str_t   name, value;

    end = pair->data + pair->len;

    eq = ngx_strlchr(pair->data, end, '=');
    if (eq == NULL) {
        return;
    }

    name = kz_http_trim(pair->data, eq);

    if (name.len != sizeof(KZ_COOKIE) - 1
        || ngx_memcmp(name.data, KZ_COOKIE, sizeof(KZ_COOKIE) - 1) != 0)
    {
        return;
    }

    value = kz_http_trim(eq + 1, end);

    if (value.len >= 2 && value.data[0] == '"'
        && value.data[value.len - 1] == '"')
    {
        value.data++;
        value.len -= 2;
    }

    for (p = value.data; p < value.data + value.len; p++) {

        /* RFC 6265, 4.1.1: cookie-octet */

        if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == ',' || *p == '\\') {
            in->bad_cookie = 1;
            return;
        }
    }

    in->cookie = value;
}


static ngx_str_t
kz_http_trim(u_char *p, u_char *end)
{
    ngx_str_t  s;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (p < end && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }

    s.data = p;
    s.len = end - p;

    return s;
}
