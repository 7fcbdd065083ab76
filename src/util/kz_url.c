/*
 * Paths and query strings.  See kz_url.h.
 */

#include "util/kz_url.h"
#include "util/kz_utf8.h"


static ngx_uint_t kz_url_dots(const ngx_str_t *part);


ngx_int_t
kz_url_unescape(u_char *dst, const ngx_str_t *src, ngx_uint_t plus,
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

    return kz_url_utf8(out);
}


ngx_int_t
kz_url_utf8(const ngx_str_t *s)
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


ngx_int_t
kz_url_next_arg(kz_url_t *u, u_char **dst, ngx_str_t *name, ngx_str_t *value)
{
    u_char     *last, *eq;
    ngx_str_t   raw;

    while (u->pos < u->end && *u->pos == '&') {
        u->pos++;
    }

    if (u->pos == u->end) {
        return NGX_DONE;
    }

    last = ngx_strlchr(u->pos, u->end, '&');
    if (last == NULL) {
        last = u->end;
    }

    eq = ngx_strlchr(u->pos, last, '=');

    raw.data = u->pos;
    raw.len = (eq ? eq : last) - u->pos;

    if (kz_url_unescape(*dst, &raw, 1, name) != NGX_OK) {
        return NGX_ERROR;
    }

    *dst += name->len;

    raw.data = eq ? eq + 1 : last;
    raw.len = last - raw.data;

    if (kz_url_unescape(*dst, &raw, 1, value) != NGX_OK) {
        return NGX_ERROR;
    }

    *dst += value->len;
    u->pos = last;

    return NGX_OK;
}


ngx_int_t
kz_url_next_part(kz_url_t *u, u_char **dst, ngx_uint_t raw, ngx_str_t *part)
{
    u_char      *last;
    ngx_str_t    text;
    ngx_uint_t   bits, escaped;

    while (u->pos < u->end && *u->pos == '/') {
        u->pos++;
    }

    if (u->pos == u->end) {
        return NGX_DONE;
    }

    bits = 0;
    escaped = 0;

    for (last = u->pos; last < u->end && *last != '/'; last++) {
        bits |= *last;
        escaped |= (*last == '%');
    }

    text.data = u->pos;
    text.len = last - u->pos;

    u->pos = last;

    if (raw || !escaped) {
        part->data = *dst;
        part->len = text.len;
        ngx_memcpy(*dst, text.data, text.len);

        if ((bits & 0x80) && kz_url_utf8(part) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (kz_url_unescape(*dst, &text, 0, part) != NGX_OK) {
        return NGX_ERROR;
    }

    *dst += part->len;

    return kz_url_dots(part) ? NGX_ERROR : NGX_OK;
}


/* Whether "." or ".." stands alone in it, between slashes if it has any. */

static ngx_uint_t
kz_url_dots(const ngx_str_t *part)
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
