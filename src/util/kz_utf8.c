
/*
 * UTF-8 by table 3-7 of the Unicode standard, which is RFC 3629 section 4:
 * the first byte of a sequence says how many follow and narrows the range
 * of the second one; that is what keeps out overlong forms, surrogates and
 * everything above U+10FFFF.
 *
 * The state of an unfinished sequence: how many bytes are missing, and the
 * range of the next one.
 *
 *      31       24 23      16 15       8 7        0
 *     |           |   high   |   low    |  missing |
 */

#include "util/kz_utf8.h"


#define kz_utf8_state(missing, low, high)                                     \
    ((uint32_t) (missing) | (uint32_t) (low) << 8 | (uint32_t) (high) << 16)


/* The state after the first byte of a sequence, KZ_UTF8_START: cannot be. */
static ngx_inline uint32_t
kz_utf8_first(u_char c)
{
    if (c < 0xc2 || c > 0xf4) {
        return KZ_UTF8_START;
    }

    if (c < 0xe0) {
        return kz_utf8_state(1, 0x80, 0xbf);
    }

    if (c < 0xf0) {
        return kz_utf8_state(2, (c == 0xe0) ? 0xa0 : 0x80,
                             (c == 0xed) ? 0x9f : 0xbf);
    }

    return kz_utf8_state(3, (c == 0xf0) ? 0x90 : 0x80,
                         (c == 0xf4) ? 0x8f : 0xbf);
}


ngx_int_t
kz_utf8_check(uint32_t *state, const u_char *p, size_t len)
{
    uint32_t       s, missing;
    uint64_t       x;
    const u_char  *last;

    s = *state;
    last = p + len;

    while (p < last) {

        if (s == KZ_UTF8_START) {

            while (last - p >= 8) {
                ngx_memcpy(&x, p, sizeof(uint64_t));

                if (x & 0x8080808080808080ULL) {
                    break;
                }

                p += 8;
            }

            while (p < last && *p < 0x80) {
                p++;
            }

            if (p == last) {
                break;
            }

            s = kz_utf8_first(*p++);

            if (s == KZ_UTF8_START) {
                return NGX_ERROR;
            }

            continue;
        }

        if (*p < (s >> 8 & 0xff) || *p > (s >> 16)) {
            return NGX_ERROR;
        }

        p++;

        missing = (s & 0xff) - 1;

        s = (missing == 0) ? KZ_UTF8_START
                           : kz_utf8_state(missing, 0x80, 0xbf);
    }

    *state = s;

    return NGX_OK;
}


uint32_t
kz_utf8_next(const u_char **p, const u_char *end)
{
    u_char         c;
    uint32_t       cp;
    ngx_uint_t     n;
    const u_char  *s;

    s = *p;
    c = *s++;

    if (c < 0x80) {
        *p = s;
        return c;
    }

    if (c < 0xe0) {
        cp = c & 0x1f;
        n = 1;

    } else if (c < 0xf0) {
        cp = c & 0x0f;
        n = 2;

    } else {
        cp = c & 0x07;
        n = 3;
    }

    while (n-- && s < end) {
        cp = cp << 6 | (*s++ & 0x3f);
    }

    *p = s;

    return cp;
}


u_char *
kz_utf8_put(u_char *dst, uint32_t cp)
{
    if (cp < 0x80) {
        *dst++ = (u_char) cp;
        return dst;
    }

    if (cp < 0x800) {
        *dst++ = (u_char) (0xc0 | cp >> 6);

    } else {

        if (cp < 0x10000) {
            *dst++ = (u_char) (0xe0 | cp >> 12);

        } else {
            *dst++ = (u_char) (0xf0 | (cp >> 18 & 0x07));
            *dst++ = (u_char) (0x80 | (cp >> 12 & 0x3f));
        }

        *dst++ = (u_char) (0x80 | (cp >> 6 & 0x3f));
    }

    *dst++ = (u_char) (0x80 | (cp & 0x3f));

    return dst;
}
