
/*
 * The output buffer of kz_out.h: doubles when it is full.  Copying the old
 * bytes costs less, on the whole, than chains of small buffers do later.
 */

#include "util/kz_out.h"


#define KZ_OUT_MIN   64

#define KZ_OUT_ONES  0x0101010101010101ULL
#define KZ_OUT_HIGH  0x8080808080808080ULL

/* the high bit of the lowest byte that is zero, below that nothing */
#define kz_out_zero(w)  (((w) - KZ_OUT_ONES) & ~(w) & KZ_OUT_HIGH)


/* What a byte needs in a JSON string: 0 nothing, 'u' \u00XX, else \c. */

static const u_char  kz_out_escape[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
    'b', 't', 'n', 'u', 'f', 'r', 'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
    ['"'] = '"', ['\\'] = '\\'
};


static const u_char  kz_out_digits[] =
    "00010203040506070809101112131415161718192021222324"
    "25262728293031323334353637383940414243444546474849"
    "50515253545556575859606162636465666768697071727374"
    "75767778798081828384858687888990919293949596979899";


static const u_char *kz_out_plain(const u_char *p, const u_char *last);


void
kz_out_init(kz_out_t *o, ngx_pool_t *pool, size_t size)
{
    o->pool = pool;
    o->failed = 0;

    o->start = ngx_pnalloc(pool, ngx_max(size, KZ_OUT_MIN));

    if (o->start == NULL) {
        o->failed = 1;
        size = 0;

    } else {
        size = ngx_max(size, KZ_OUT_MIN);
    }

    o->pos = o->start;
    o->end = o->start + size;
}


ngx_int_t
kz_out_room(kz_out_t *o, size_t n)
{
    u_char  *p;
    size_t   len, size;

    if (o->failed) {
        return NGX_ERROR;
    }

    if ((size_t) (o->end - o->pos) >= n) {
        return NGX_OK;
    }

    len = o->pos - o->start;
    size = 2 * (o->end - o->start);

    if (n > NGX_MAX_SIZE_T_VALUE / 2 - len) {
        goto failed;
    }

    size = ngx_max(size, len + n);

    p = ngx_pnalloc(o->pool, size);

    if (p == NULL) {
        goto failed;
    }

    ngx_memcpy(p, o->start, len);

    /* gives back what is not a part of a pool's block */
    (void) ngx_pfree(o->pool, o->start);

    o->start = p;
    o->pos = p + len;
    o->end = p + size;

    return NGX_OK;

failed:

    o->failed = 1;

    /* so that even what would fit is refused from now on */
    o->end = o->pos;

    return NGX_ERROR;
}


void
kz_out_bytes(kz_out_t *o, const void *p, size_t n)
{
    if ((size_t) (o->end - o->pos) < n && kz_out_room(o, n) != NGX_OK) {
        return;
    }

    if (n != 0) {
        o->pos = ngx_cpymem(o->pos, p, n);
    }
}


void
kz_out_int(kz_out_t *o, int64_t n)
{
    u_char    *p;
    u_char     digits[NGX_INT64_LEN];
    uint64_t   u;

    /* the lowest number has no positive twin in int64_t */
    u = (n < 0) ? 0 - (uint64_t) n : (uint64_t) n;

    p = digits + sizeof(digits);

    /* two digits a division: most numbers are times */

    while (u >= 100) {
        p -= 2;
        ngx_memcpy(p, &kz_out_digits[u % 100 * 2], 2);
        u /= 100;
    }

    if (u >= 10) {
        p -= 2;
        ngx_memcpy(p, &kz_out_digits[u * 2], 2);

    } else {
        *--p = (u_char) ('0' + u);
    }

    if (n < 0) {
        *--p = '-';
    }

    kz_out_bytes(o, p, digits + sizeof(digits) - p);
}


void
kz_out_json(kz_out_t *o, const u_char *p, size_t n)
{
    u_char         c;
    u_char         text[6];
    const u_char  *run, *last;

    static const u_char  hex[] = "0123456789abcdef";

    /* most strings need no escape: room for the whole at once */

    if (kz_out_room(o, n + 2) != NGX_OK) {
        return;
    }

    *o->pos++ = '"';

    run = p;
    last = p + n;

    for ( ;; ) {
        p = kz_out_plain(p, last);

        if (p == last) {
            break;
        }

        c = kz_out_escape[*p];

        kz_out_bytes(o, run, p - run);

        text[0] = '\\';
        text[1] = c;

        if (c == 'u') {
            text[2] = '0';
            text[3] = '0';
            text[4] = hex[*p >> 4];
            text[5] = hex[*p & 0xf];
        }

        kz_out_bytes(o, text, (c == 'u') ? 6 : 2);

        run = ++p;
    }

    kz_out_bytes(o, run, p - run);
    kz_out_char(o, '"');
}


/* Skips what needs no escape, eight bytes at a time. */

static const u_char *
kz_out_plain(const u_char *p, const u_char *last)
{
    uint64_t  w, special;

    while (last - p >= 8) {
        ngx_memcpy(&w, p, 8);

        special = ((w - KZ_OUT_ONES * 0x20) & ~w & KZ_OUT_HIGH)
                  | kz_out_zero(w ^ (KZ_OUT_ONES * '"'))
                  | kz_out_zero(w ^ (KZ_OUT_ONES * '\\'));

        if (special) {
            break;
        }

        p += 8;
    }

    while (p < last && kz_out_escape[*p] == 0) {
        p++;
    }

    return p;
}
