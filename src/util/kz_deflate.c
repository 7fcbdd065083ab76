
/*
 * Content codings of kz_deflate.h.
 */

#include "util/kz_deflate.h"


#define KZ_DEFLATE_MIN_BITS  10
#define KZ_DEFLATE_MAX_BITS  15
#define KZ_DEFLATE_KEEP      4         /* of each size of window */

#define KZ_DEFLATE_GZIP_HEAD  10
#define KZ_DEFLATE_GZIP_TAIL  8
#define KZ_DEFLATE_ZLIB_HEAD  2
#define KZ_DEFLATE_ZLIB_TAIL  4


struct kz_deflate_s {
    z_stream            z;
    kz_deflate_t       *next;          /* in the list of those kept */
    ngx_uint_t          bits;          /* log2 of its window */
    ngx_int_t           level;
    kz_coding_e         coding;
    uLong               check;         /* of what came in */
    uint32_t            total;
    u_char              wrap[KZ_DEFLATE_GZIP_HEAD];
    ngx_uint_t          wrap_pos;      /* header or trailer: yet to be */
    ngx_uint_t          wrap_len;      /* written */
    unsigned            ended:1;
};


static const u_char *kz_accept_weight(const u_char *p, const u_char *last,
    ngx_uint_t *weight);
static ngx_uint_t *kz_accept_slot(kz_accept_t *a, const u_char *p,
    size_t len);
static ngx_uint_t kz_deflate_bits(size_t size);
static kz_deflate_t *kz_deflate_new(ngx_uint_t bits, ngx_int_t level);
static void kz_deflate_head(kz_deflate_t *d);
static void kz_deflate_tail(kz_deflate_t *d);
static void kz_deflate_free(kz_deflate_t *d);


static struct {
    kz_deflate_t       *list;
    ngx_uint_t          n;
} kz_deflate_kept[KZ_DEFLATE_MAX_BITS - KZ_DEFLATE_MIN_BITS + 1];


#define kz_accept_blank(c)  ((c) == ' ' || (c) == '\t')


void
kz_accept_add(kz_accept_t *a, const ngx_str_t *value)
{
    size_t         len;
    ngx_uint_t     weight, *slot;
    const u_char  *p, *last, *name;

    p = value->data;
    last = p + value->len;

    while (p < last) {

        if (kz_accept_blank(*p) || *p == ',') {
            p++;
            continue;
        }

        name = p;

        while (p < last && *p != ',' && *p != ';' && !kz_accept_blank(*p)) {
            p++;
        }

        len = p - name;

        p = kz_accept_weight(p, last, &weight);

        if (weight == 0) {
            continue;
        }

        slot = kz_accept_slot(a, name, len);

        if (slot) {
            *slot = weight;
        }
    }
}


/*
 * What follows a name, up to the next comma: nothing, or ";q=" and a weight
 * (RFC 9110, 12.4.2).  0: neither.
 */

static const u_char *
kz_accept_weight(const u_char *p, const u_char *last, ngx_uint_t *weight)
{
    ngx_uint_t     q, unit;
    const u_char  *end;

    end = p;

    while (end < last && *end != ',') {
        end++;
    }

    last = end;

    while (last > p && kz_accept_blank(last[-1])) {
        last--;
    }

    *weight = 1001;

    if (p == last) {
        return end;
    }

    *weight = 0;

    while (p < last && kz_accept_blank(*p)) {
        p++;
    }

    if (p == last || *p++ != ';') {
        return end;
    }

    while (p < last && kz_accept_blank(*p)) {
        p++;
    }

    if (last - p < 3 || (p[0] | 0x20) != 'q' || p[1] != '='
        || (p[2] != '0' && p[2] != '1'))
    {
        return end;
    }

    q = (p[2] - '0') * 1000;
    p += 3;

    if (p < last && *p++ != '.') {
        return end;
    }

    for (unit = 100; p < last; p++, unit /= 10) {

        if (*p < '0' || *p > '9' || unit == 0) {
            return end;
        }

        q += (*p - '0') * unit;
    }

    if (q <= 1000) {
        *weight = q + 1;
    }

    return end;
}


static ngx_uint_t *
kz_accept_slot(kz_accept_t *a, const u_char *p, size_t len)
{
    u_char  *name = (u_char *) p;

    switch (len) {

    case 1:
        return *name == '*' ? &a->any : NULL;

    case 4:
        return ngx_strncasecmp(name, (u_char *) "gzip", 4) == 0 ? &a->gzip
                                                                : NULL;

    case 6:
        /* RFC 9110, 8.4.1.3 */
        return ngx_strncasecmp(name, (u_char *) "x-gzip", 6) == 0 ? &a->gzip
                                                                  : NULL;

    case 7:
        return ngx_strncasecmp(name, (u_char *) "deflate", 7) == 0
               ? &a->deflate : NULL;

    case 8:
        return ngx_strncasecmp(name, (u_char *) "identity", 8) == 0
               ? &a->identity : NULL;
    }

    return NULL;
}


kz_coding_e
kz_accept_coding(const kz_accept_t *a, ngx_uint_t *must)
{
    ngx_uint_t  gzip, deflate, identity;

    gzip = a->gzip ? a->gzip : a->any;
    deflate = a->deflate ? a->deflate : a->any;
    identity = a->identity ? a->identity : a->any;

    *must = 0;

    /* both 0, not named, and 1, a weight of 0, are refusals */

    if (gzip <= 1 && deflate <= 1) {
        return KZ_CODING_IDENTITY;
    }

    /* identity, when nobody speaks of it, does; but less than any other */

    *must = (identity == 1);

    if (gzip >= deflate) {
        return gzip >= identity ? KZ_CODING_GZIP : KZ_CODING_IDENTITY;
    }

    return deflate >= identity ? KZ_CODING_DEFLATE : KZ_CODING_IDENTITY;
}


kz_deflate_t *
kz_deflate_get(kz_coding_e coding, ngx_int_t level, size_t size)
{
    ngx_uint_t     bits, i;
    kz_deflate_t  *d;

    bits = kz_deflate_bits(size);
    i = bits - KZ_DEFLATE_MIN_BITS;

    d = kz_deflate_kept[i].list;

    if (d) {
        kz_deflate_kept[i].list = d->next;
        kz_deflate_kept[i].n--;

        if (deflateReset(&d->z) != Z_OK
            || (d->level != level
                && deflateParams(&d->z, (int) level, Z_DEFAULT_STRATEGY)
                   != Z_OK))
        {
            kz_deflate_free(d);
            return NULL;
        }

        d->level = level;

    } else {
        d = kz_deflate_new(bits, level);
        if (d == NULL) {
            return NULL;
        }
    }

    d->coding = coding;
    d->total = 0;
    d->ended = 0;

    kz_deflate_head(d);

    return d;
}


/*
 * A window no larger than what goes in: clearing the tables of the largest
 * costs more than compressing a small reply.
 */

static ngx_uint_t
kz_deflate_bits(size_t size)
{
    ngx_uint_t  bits;

    bits = KZ_DEFLATE_MAX_BITS;

    /* zlib looks 262 bytes ahead */

    while (bits > KZ_DEFLATE_MIN_BITS
           && size < ((size_t) 1 << (bits - 1)) - 262)
    {
        bits--;
    }

    return bits;
}


static kz_deflate_t *
kz_deflate_new(ngx_uint_t bits, ngx_int_t level)
{
    kz_deflate_t  *d;

    d = calloc(1, sizeof(kz_deflate_t));
    if (d == NULL) {
        return NULL;
    }

    d->bits = bits;
    d->level = level;

    /* raw; the memory level goes down with the window */

    if (deflateInit2(&d->z, (int) level, Z_DEFLATED, - (int) bits,
                     (int) bits - 7, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        free(d);
        return NULL;
    }

    return d;
}


static void
kz_deflate_head(kz_deflate_t *d)
{
    ngx_uint_t  head;

    d->wrap_pos = 0;

    if (d->coding == KZ_CODING_GZIP) {
        d->check = crc32(0, NULL, 0);

        /* RFC 1952, 2.3: no flags, no time; made on Unix */

        ngx_memzero(d->wrap, KZ_DEFLATE_GZIP_HEAD);
        d->wrap[0] = 0x1f;
        d->wrap[1] = 0x8b;
        d->wrap[2] = Z_DEFLATED;
        d->wrap[8] = d->level == 9 ? 2 : d->level == 1 ? 4 : 0;
        d->wrap[9] = 3;
        d->wrap_len = KZ_DEFLATE_GZIP_HEAD;

        return;
    }

    d->check = adler32(0, NULL, 0);

    /* RFC 1950, 2.2: window, level; a multiple of 31 */

    head = (Z_DEFLATED + ((d->bits - 8) << 4)) << 8;
    head |= (d->level < 2 ? 0 : d->level < 6 ? 1 : d->level == 6 ? 2 : 3) << 6;
    head += 31 - head % 31;

    d->wrap[0] = (u_char) (head >> 8);
    d->wrap[1] = (u_char) head;
    d->wrap_len = KZ_DEFLATE_ZLIB_HEAD;
}


static void
kz_deflate_tail(kz_deflate_t *d)
{
    ngx_uint_t  i;

    d->wrap_pos = 0;

    if (d->coding == KZ_CODING_GZIP) {
        d->wrap_len = KZ_DEFLATE_GZIP_TAIL;

        for (i = 0; i < 4; i++) {
            d->wrap[i] = (u_char) (d->check >> (8 * i));
            d->wrap[4 + i] = (u_char) (d->total >> (8 * i));
        }

        return;
    }

    d->wrap_len = KZ_DEFLATE_ZLIB_TAIL;

    for (i = 0; i < 4; i++) {
        d->wrap[i] = (u_char) (d->check >> (24 - 8 * i));
    }
}


ngx_int_t
kz_deflate_run(kz_deflate_t *d, u_char **in, u_char *last, u_char **out,
    u_char *end, ngx_uint_t finish)
{
    int     rc;
    uInt    taken;
    size_t  n;

    for ( ;; ) {
        n = ngx_min(d->wrap_len - d->wrap_pos, (size_t) (end - *out));

        *out = ngx_cpymem(*out, d->wrap + d->wrap_pos, n);
        d->wrap_pos += n;

        if (d->wrap_pos < d->wrap_len) {
            return NGX_AGAIN;
        }

        if (d->ended || (*in == last && !finish)) {
            return NGX_OK;
        }

        if (*out == end) {
            return NGX_AGAIN;
        }

        taken = (uInt) ngx_min((size_t) (last - *in), 1 << 30);

        d->z.next_in = *in;
        d->z.avail_in = taken;
        d->z.next_out = *out;
        d->z.avail_out = (uInt) ngx_min((size_t) (end - *out), 1 << 30);

        rc = deflate(&d->z, finish && *in + taken == last ? Z_FINISH
                                                          : Z_NO_FLUSH);

        /* Z_BUF_ERROR: there was nothing it could do, which is no harm */

        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
            return NGX_ERROR;
        }

        taken -= d->z.avail_in;

        d->check = d->coding == KZ_CODING_GZIP
                   ? crc32(d->check, *in, taken)
                   : adler32(d->check, *in, taken);
        d->total += taken;

        *in += taken;
        *out = d->z.next_out;

        if (rc == Z_STREAM_END) {
            d->ended = 1;
            kz_deflate_tail(d);
        }
    }
}


void
kz_deflate_put(kz_deflate_t *d)
{
    ngx_uint_t  i;

    i = d->bits - KZ_DEFLATE_MIN_BITS;

    if (kz_deflate_kept[i].n == KZ_DEFLATE_KEEP) {
        kz_deflate_free(d);
        return;
    }

    d->next = kz_deflate_kept[i].list;
    kz_deflate_kept[i].list = d;
    kz_deflate_kept[i].n++;
}


static void
kz_deflate_free(kz_deflate_t *d)
{
    (void) deflateEnd(&d->z);
    free(d);
}


void
kz_deflate_exit(void)
{
    ngx_uint_t     i;
    kz_deflate_t  *d;

    for (i = 0; i <= KZ_DEFLATE_MAX_BITS - KZ_DEFLATE_MIN_BITS; i++) {

        while (kz_deflate_kept[i].list) {
            d = kz_deflate_kept[i].list;
            kz_deflate_kept[i].list = d->next;
            kz_deflate_free(d);
        }

        kz_deflate_kept[i].n = 0;
    }
}
