#ifndef _KZ_JSON_LEX_H_INCLUDED_
#define _KZ_JSON_LEX_H_INCLUDED_

/*
 * Private to kz_json_*.c: what all passes over JSON text share.
 *
 * Strings are most of any JSON text, so their bytes are tested eight at a
 * time in a register: a byte of (x - 0x01..01) gets its high bit when the
 * byte of x was zero, and xor makes the byte that is looked for zero.  A
 * borrow can only spoil bytes after the first hit, which is the one used.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "util/kz_json_scan.h"


#define KZ_JSON_BYTES(c)   (0x0101010101010101ULL * (c))
#define KZ_JSON_HIGH_BITS  KZ_JSON_BYTES(0x80)

/* tab, line feed, carriage return, space: one bit each */
#define KZ_JSON_SPACES     0x100002600ULL

#define kz_json_is_space(c)                                                   \
    ((c) <= ' ' && ((KZ_JSON_SPACES >> (c)) & 1))

#define kz_json_is_digit(c)                                                   \
    ((u_char) ((c) - '0') < 10)


/* Whether the inside of a string with escapes means these bytes. */
ngx_int_t kz_json_text_is(const ngx_str_t *text, const u_char *s, size_t len);


/* What starts with this byte, in valid text. */
static ngx_inline kz_json_type_e
kz_json_type(u_char c)
{
    switch (c) {
    case '"':
        return KZ_JSON_STRING;
    case '{':
        return KZ_JSON_OBJECT;
    case '[':
        return KZ_JSON_ARRAY;
    case 't':
        return KZ_JSON_TRUE;
    case 'f':
        return KZ_JSON_FALSE;
    case 'n':
        return KZ_JSON_NULL;
    default:
        return KZ_JSON_NUMBER;
    }
}


static ngx_inline uint64_t
kz_json_load8(const u_char *p)
{
    uint64_t  x;

    /* the bytes may lie on any address; compiles to one load */
    ngx_memcpy(&x, p, sizeof(uint64_t));

    return x;
}


static ngx_inline u_char *
kz_json_space(u_char *p, u_char *end)
{
    while (p < end && kz_json_is_space(*p)) {
        p++;
    }

    return p;
}


/*
 * From inside a string to the first byte that is not plain: a quote, a
 * backslash, a control character or a byte of a multibyte sequence.
 */
static ngx_inline u_char *
kz_json_plain(u_char *p, u_char *end)
{
#if (NGX_HAVE_LITTLE_ENDIAN)
    uint64_t  x, hit;

    while (end - p >= 8) {
        x = kz_json_load8(p);

        hit = ((x - KZ_JSON_BYTES(' '))
               | ((x ^ KZ_JSON_BYTES('"')) - KZ_JSON_BYTES(1))
               | ((x ^ KZ_JSON_BYTES('\\')) - KZ_JSON_BYTES(1))
               | x)
              & KZ_JSON_HIGH_BITS;

        if (hit != 0) {
            return p + (__builtin_ctzll(hit) >> 3);
        }

        p += 8;
    }
#endif

    while (p < end
           && *p >= ' ' && *p < 0x80 && *p != '"' && *p != '\\')
    {
        p++;
    }

    return p;
}


/* The same in text that is known to be valid: to a quote or a backslash. */
static ngx_inline u_char *
kz_json_quote(u_char *p, u_char *end)
{
#if (NGX_HAVE_LITTLE_ENDIAN)
    uint64_t  x, hit;

    while (end - p >= 8) {
        x = kz_json_load8(p);

        hit = (((x ^ KZ_JSON_BYTES('"')) - KZ_JSON_BYTES(1))
               | ((x ^ KZ_JSON_BYTES('\\')) - KZ_JSON_BYTES(1)))
              & ~x & KZ_JSON_HIGH_BITS;

        if (hit != 0) {
            return p + (__builtin_ctzll(hit) >> 3);
        }

        p += 8;
    }
#endif

    while (p < end && *p != '"' && *p != '\\') {
        p++;
    }

    return p;
}


/*
 * p is the first byte inside a string of valid text; returns its closing
 * quote, or end.  *escaped is set when a backslash was passed.
 */
static ngx_inline u_char *
kz_json_string_end(u_char *p, u_char *end, ngx_uint_t *escaped)
{
    for ( ;; ) {
        p = kz_json_quote(p, end);

        if (p == end || *p == '"') {
            return p;
        }

        *escaped = 1;

        if (end - p < 2) {
            return end;
        }

        p += 2;
    }
}


#endif /* _KZ_JSON_LEX_H_INCLUDED_ */
