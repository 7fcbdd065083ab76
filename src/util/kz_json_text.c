
/*
 * What JSON values mean: the decoded text of strings, the value of numbers.
 * The text was validated before (kz_json_scan.c).
 */

#include "util/kz_json_scan.h"
#include "util/kz_json_lex.h"
#include "util/kz_utf8.h"

#include <stdlib.h>
#include <float.h>
#include <math.h>


/*
 * A double has at most 767 significant decimal digits, and so has the middle
 * between two of them: with one digit more to stand for all that follow, the
 * rounding is exact for a number of any length.
 */
#define KZ_JSON_DIGITS     800

/* an exponent beyond this is zero or infinity for any text we can hold */
#define KZ_JSON_EXP_LIMIT  ((int64_t) 1 << 60)

#define KZ_JSON_NO_CHAR    0xfffd

/* for text that is not valid: one byte, so that decoding never grows */
#define KZ_JSON_NO_ESCAPE  '?'


/* A number taken apart: digits * 10 ^ exp, neither zeros before nor after. */

typedef struct {
    u_char      digit[KZ_JSON_DIGITS];
    ngx_uint_t  n;
    int64_t     exp;
    unsigned    negative:1;
} kz_json_decimal_t;


static ngx_int_t kz_json_decoded(ngx_pool_t *pool, ngx_uint_t escaped,
    ngx_str_t *text);
static uint32_t kz_json_escape(const u_char **src, const u_char *end);
static void kz_json_decimal(const kz_json_val_t *v, kz_json_decimal_t *d);


ngx_int_t
kz_json_string(ngx_pool_t *pool, const kz_json_val_t *v, ngx_str_t *out)
{
    if (v->type != KZ_JSON_STRING || v->raw.len < 2) {
        ngx_str_null(out);
        return NGX_OK;
    }

    out->data = v->raw.data + 1;
    out->len = v->raw.len - 2;

    return kz_json_decoded(pool, v->escaped, out);
}


ngx_int_t
kz_json_key(ngx_pool_t *pool, const kz_json_member_t *m, ngx_str_t *out)
{
    *out = m->key;

    return kz_json_decoded(pool, m->escaped, out);
}


static ngx_int_t
kz_json_decoded(ngx_pool_t *pool, ngx_uint_t escaped, ngx_str_t *text)
{
    u_char  *p;

    if (!escaped) {
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, text->len);

    if (p == NULL) {
        return NGX_ERROR;
    }

    text->len = kz_json_unescape(p, text->data, text->len) - p;
    text->data = p;

    return NGX_OK;
}


u_char *
kz_json_unescape(u_char *dst, const u_char *src, size_t len)
{
    const u_char  *p, *end;

    end = src + len;

    while (src < end) {
        p = ngx_strlchr((u_char *) src, (u_char *) end, '\\');

        if (p == NULL) {
            p = end;
        }

        /* the two may be the same memory */
        dst = ngx_movemem(dst, src, p - src);
        src = p;

        if (src < end) {
            dst = kz_utf8_put(dst, kz_json_escape(&src, end));
        }
    }

    return dst;
}


ngx_int_t
kz_json_string_is(const kz_json_val_t *v, const u_char *s, size_t len)
{
    ngx_str_t  text;

    if (v->type != KZ_JSON_STRING || v->raw.len < 2) {
        return NGX_DECLINED;
    }

    text.data = v->raw.data + 1;
    text.len = v->raw.len - 2;

    if (v->escaped) {
        return kz_json_text_is(&text, s, len);
    }

    return (text.len == len && ngx_memcmp(text.data, s, len) == 0)
           ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
kz_json_text_is(const ngx_str_t *text, const u_char *s, size_t len)
{
    size_t         n;
    u_char         c[4];
    const u_char  *src, *end;

    src = text->data;
    end = src + text->len;

    while (src < end) {

        if (*src != '\\') {
            if (len == 0 || *s != *src) {
                return NGX_DECLINED;
            }

            src++;
            s++;
            len--;

            continue;
        }

        n = kz_utf8_put(c, kz_json_escape(&src, end)) - c;

        if (len < n || ngx_memcmp(s, c, n) != 0) {
            return NGX_DECLINED;
        }

        s += n;
        len -= n;
    }

    return (len == 0) ? NGX_OK : NGX_DECLINED;
}


/* Four hexadecimal digits at p, or -1 when there are fewer. */
static ngx_inline int32_t
kz_json_hex4(const u_char *p, const u_char *end)
{
    if (end - p < 4) {
        return -1;
    }

    return (int32_t) ngx_hextoi((u_char *) p, 4);
}


/*
 * The code point of the escape at *src, which is advanced.  Half of a
 * surrogate pair is no character: U+FFFD, as Buffer.from() makes of it.
 */
static uint32_t
kz_json_escape(const u_char **src, const u_char *end)
{
    u_char         c;
    int32_t        unit, low;
    const u_char  *p;

    p = *src + 1;

    if (p == end) {
        *src = end;
        return KZ_JSON_NO_ESCAPE;
    }

    c = *p++;
    *src = p;

    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        break;
    default:
        return c;
    }

    unit = kz_json_hex4(p, end);

    if (unit < 0) {
        *src = end;
        return KZ_JSON_NO_ESCAPE;
    }

    p += 4;
    *src = p;

    if (unit < 0xd800 || unit > 0xdfff) {
        return unit;
    }

    if (unit < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        low = kz_json_hex4(p + 2, end);

        if (low >= 0xdc00 && low <= 0xdfff) {
            *src = p + 6;
            return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        }
    }

    return KZ_JSON_NO_CHAR;
}


/*
 * What nearly all numbers are: up to 15 digits and a small power of ten are
 * both exact as doubles, so that one operation rounds once, correctly.
 */
static ngx_int_t
kz_json_exact(const kz_json_decimal_t *dec, double *d)
{
    uint64_t    u;
    ngx_uint_t  i;

    static const double  power[] = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22
    };

#if (FLT_EVAL_METHOD != 0)
    return NGX_DECLINED;
#endif

    if (dec->n > 15 || dec->exp > 22 || dec->exp < -22) {
        return NGX_DECLINED;
    }

    u = 0;

    for (i = 0; i < dec->n; i++) {
        u = u * 10 + (dec->digit[i] - '0');
    }

    *d = (dec->exp < 0) ? (double) u / power[-dec->exp]
                        : (double) u * power[dec->exp];

    return NGX_OK;
}


double
kz_json_double(const kz_json_val_t *v)
{
    double             d;
    u_char            *p;
    kz_json_decimal_t  dec;
    u_char             text[KZ_JSON_DIGITS + NGX_INT64_LEN + 4];

    if (v->type != KZ_JSON_NUMBER) {
        return NAN;
    }

    kz_json_decimal(v, &dec);

    if (dec.n == 0) {
        return dec.negative ? -0.0 : 0.0;
    }

    if (kz_json_exact(&dec, &d) == NGX_OK) {
        return dec.negative ? -d : d;
    }

    /* 10^400 is beyond every double, with 800 digits on either side */
    dec.exp = ngx_max(ngx_min(dec.exp, 2000), -2000);

    /* without a point the text means the same in every locale */

    p = ngx_cpymem(text, dec.digit, dec.n);
    p = ngx_sprintf(p, "e%L", dec.exp);
    *p = '\0';

    d = strtod((char *) text, NULL);

    return dec.negative ? -d : d;
}


ngx_int_t
kz_json_int(const kz_json_val_t *v, int64_t *n)
{
    u_char             digit;
    uint64_t           u, max;
    ngx_uint_t         i;
    kz_json_decimal_t  d;

    if (v->type != KZ_JSON_NUMBER) {
        return NGX_DECLINED;
    }

    kz_json_decimal(v, &d);

    if (d.n == 0) {
        *n = 0;
        return NGX_OK;
    }

    if (d.exp < 0 || d.exp > 18 || d.n > 19) {
        return NGX_DECLINED;
    }

    max = (uint64_t) INT64_MAX + d.negative;
    u = 0;

    for (i = 0; i < d.n + d.exp; i++) {
        digit = (i < d.n) ? d.digit[i] - '0' : 0;

        if (u > (max - digit) / 10) {
            return NGX_DECLINED;
        }

        u = u * 10 + digit;
    }

    *n = (int64_t) (d.negative ? 0 - u : u);

    return NGX_OK;
}


static void
kz_json_decimal(const kz_json_val_t *v, kz_json_decimal_t *d)
{
    u_char      *p, *end;
    int64_t      exp;
    ngx_uint_t   point, minus, lost;

    p = v->raw.data;
    end = p + v->raw.len;

    d->n = 0;
    d->exp = 0;
    d->negative = 0;

    if (p < end && *p == '-') {
        d->negative = 1;
        p++;
    }

    point = 0;
    lost = 0;

    for ( /* void */ ; p < end; p++) {

        if (*p == '.') {
            point = 1;
            continue;
        }

        if (!kz_json_is_digit(*p)) {
            break;
        }

        d->exp -= point;

        if (*p == '0' && d->n == 0) {
            continue;
        }

        if (d->n < KZ_JSON_DIGITS - 1) {
            d->digit[d->n++] = *p;
            continue;
        }

        d->exp++;
        lost |= (*p != '0');
    }

    if (lost) {
        d->digit[d->n++] = '1';
        d->exp--;
    }

    while (d->n > 0 && d->digit[d->n - 1] == '0') {
        d->n--;
        d->exp++;
    }

    if (p == end) {
        return;
    }

    /* p is the e */

    p++;
    minus = 0;

    if (p < end && (*p == '+' || *p == '-')) {
        minus = (*p++ == '-');
    }

    for (exp = 0; p < end && kz_json_is_digit(*p); p++) {
        if (exp < KZ_JSON_EXP_LIMIT / 10) {
            exp = exp * 10 + (*p - '0');
        }
    }

    d->exp += minus ? -exp : exp;
}
