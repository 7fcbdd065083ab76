/*
 * Words, lower case, ASCII forms.  See kz_word.h.
 */

#include "util/kz_word.h"
#include "util/kz_utf8.h"


typedef enum {
    KZ_WORD_OTHER = 0,
    KZ_WORD_LETTER,
    KZ_WORD_HEBREW,
    KZ_WORD_NUMERIC,
    KZ_WORD_KATAKANA,
    KZ_WORD_EXTENDNUMLET,
    KZ_WORD_EXTEND,
    KZ_WORD_ZWJ,
    KZ_WORD_MIDLETTER,
    KZ_WORD_MIDNUM,
    KZ_WORD_MIDNUMLET,
    KZ_WORD_SINGLE,
    KZ_WORD_DOUBLE,
    KZ_WORD_REGIONAL,
    KZ_WORD_PICTURE,
    KZ_WORD_HIRAGANA,
    KZ_WORD_IDEOGRAPH,
    KZ_WORD_COMPLEX
} kz_word_class_e;


typedef struct {
    uint32_t          first;
    uint32_t          last;
    kz_word_class_e   class;
} kz_word_range_t;


typedef struct {
    uint32_t          first;
    uint32_t          last;
    uint32_t          step;
    int32_t           distance;
} kz_lower_range_t;


typedef struct {
    uint32_t          c;
    char              text[4];
} kz_fold_t;


#include "util/kz_unicode_table.h"


#define kz_array_size(a)  (sizeof(a) / sizeof((a)[0]))

#define KZ_WORD_VS16  0xfe0f


static kz_word_class_e kz_word_class(uint32_t c);
static kz_word_class_e kz_word_peek(const u_char *p, const u_char *end,
    const u_char **next);
static const u_char *kz_word_extend(const u_char *p, const u_char *end,
    ngx_uint_t *joined);
static ngx_uint_t kz_word_joins(kz_word_class_e a, kz_word_class_e b);
static ngx_uint_t kz_word_bridge(kz_word_class_e a, kz_word_class_e middle,
    kz_word_class_e b);
static const u_char *kz_word_run(kz_word_iter_t *it, kz_word_class_e class,
    ngx_uint_t *found);
static const u_char *kz_word_picture(kz_word_iter_t *it,
    kz_word_class_e class);


static kz_word_class_e
kz_word_class(uint32_t c)
{
    ngx_uint_t  low, high, mid;

    if (c < 0x80) {

        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') {
            return KZ_WORD_LETTER;
        }

        if (c >= '0' && c <= '9') {
            return KZ_WORD_NUMERIC;
        }

        if (c <= ' ') {
            return KZ_WORD_OTHER;
        }
    }

    low = 0;
    high = kz_array_size(kz_word_ranges);

    while (low < high) {
        mid = (low + high) / 2;

        if (c < kz_word_ranges[mid].first) {
            high = mid;

        } else if (c > kz_word_ranges[mid].last) {
            low = mid + 1;

        } else {
            return kz_word_ranges[mid].class;
        }
    }

    return KZ_WORD_OTHER;
}


static kz_word_class_e
kz_word_peek(const u_char *p, const u_char *end, const u_char **next)
{
    if (p == end) {
        *next = p;
        return KZ_WORD_OTHER;
    }

    *next = p;

    return kz_word_class(kz_utf8_next(next, end));
}


/* WB4: what extends a character belongs to it. */

static const u_char *
kz_word_extend(const u_char *p, const u_char *end, ngx_uint_t *joined)
{
    const u_char     *next;
    kz_word_class_e   class;

    *joined = 0;

    for ( ;; ) {
        class = kz_word_peek(p, end, &next);

        if (class != KZ_WORD_EXTEND && class != KZ_WORD_ZWJ) {
            return p;
        }

        *joined = (class == KZ_WORD_ZWJ);
        p = next;
    }
}


#define kz_word_is_letter(c)  ((c) == KZ_WORD_LETTER || (c) == KZ_WORD_HEBREW)


/* WB5, WB8 to WB10, WB13 to WB13b */

static ngx_uint_t
kz_word_joins(kz_word_class_e a, kz_word_class_e b)
{
    if (a == KZ_WORD_KATAKANA && b == KZ_WORD_KATAKANA) {
        return 1;
    }

    if (b == KZ_WORD_EXTENDNUMLET || a == KZ_WORD_EXTENDNUMLET) {
        return kz_word_is_letter(a == KZ_WORD_EXTENDNUMLET ? b : a)
               || a == KZ_WORD_NUMERIC || b == KZ_WORD_NUMERIC
               || a == KZ_WORD_KATAKANA || b == KZ_WORD_KATAKANA
               || a == b;
    }

    return (kz_word_is_letter(a) || a == KZ_WORD_NUMERIC)
           && (kz_word_is_letter(b) || b == KZ_WORD_NUMERIC);
}


/* WB6, WB7, WB7b, WB7c, WB11, WB12 */

static ngx_uint_t
kz_word_bridge(kz_word_class_e a, kz_word_class_e middle, kz_word_class_e b)
{
    switch (middle) {

    case KZ_WORD_MIDLETTER:
        return kz_word_is_letter(a) && kz_word_is_letter(b);

    case KZ_WORD_MIDNUM:
        return a == KZ_WORD_NUMERIC && b == KZ_WORD_NUMERIC;

    case KZ_WORD_MIDNUMLET:
    case KZ_WORD_SINGLE:
        return (kz_word_is_letter(a) && kz_word_is_letter(b))
               || (a == KZ_WORD_NUMERIC && b == KZ_WORD_NUMERIC);

    case KZ_WORD_DOUBLE:
        return a == KZ_WORD_HEBREW && b == KZ_WORD_HEBREW;

    default:
        return 0;
    }
}


void
kz_word_init(kz_word_iter_t *it, const u_char *text, size_t len)
{
    it->p = text;
    it->end = text + len;
    it->position = (ngx_uint_t) -1;
}


ngx_int_t
kz_word_next(kz_word_iter_t *it)
{
    ngx_uint_t        found, joined;
    const u_char     *p, *next;
    kz_word_class_e   class;

    while (it->p < it->end) {

        p = it->p;
        class = kz_word_peek(p, it->end, &next);
        found = 1;

        switch (class) {

        case KZ_WORD_LETTER:
        case KZ_WORD_HEBREW:
        case KZ_WORD_NUMERIC:
        case KZ_WORD_KATAKANA:
        case KZ_WORD_EXTENDNUMLET:
            next = kz_word_run(it, class, &found);
            break;

        case KZ_WORD_IDEOGRAPH:
        case KZ_WORD_HIRAGANA:
            next = kz_word_extend(next, it->end, &joined);
            break;

        case KZ_WORD_COMPLEX:
            next = kz_word_run(it, class, &found);
            break;

        case KZ_WORD_PICTURE:
        case KZ_WORD_REGIONAL:
            next = kz_word_picture(it, class);
            break;

        default:
            it->p = next;
            continue;
        }

        it->p = next;

        if (found) {
            it->word.data = (u_char *) p;
            it->word.len = next - p;
            it->position++;

            return NGX_OK;
        }
    }

    return NGX_DONE;
}


/* To the end of a word; *found: it is one. */

static const u_char *
kz_word_run(kz_word_iter_t *it, kz_word_class_e class, ngx_uint_t *found)
{
    ngx_uint_t        n, joined;
    const u_char     *p, *next, *after;
    kz_word_class_e   b, c;

    *found = (class != KZ_WORD_EXTENDNUMLET);

    (void) kz_word_peek(it->p, it->end, &p);

    for (n = 1; n < KZ_WORD_MAX_CHARS; n++) {

        p = kz_word_extend(p, it->end, &joined);
        b = kz_word_peek(p, it->end, &next);

        if (class == KZ_WORD_COMPLEX) {

            if (b != KZ_WORD_COMPLEX) {
                break;
            }

        } else if (!kz_word_joins(class, b)) {

            if (class == KZ_WORD_HEBREW && b == KZ_WORD_SINGLE) {

                /* WB7a: it stays, whatever follows */

                after = kz_word_extend(next, it->end, &joined);
                c = kz_word_peek(after, it->end, &next);

                if (!kz_word_is_letter(c)) {
                    return after;
                }

                b = c;

            } else {
                after = kz_word_extend(next, it->end, &joined);
                c = kz_word_peek(after, it->end, &after);

                if (!kz_word_bridge(class, b, c)) {
                    break;
                }

                b = c;
                next = after;
                n++;
            }
        }

        if (b != KZ_WORD_EXTENDNUMLET) {
            *found = 1;
        }

        class = b;
        p = next;
    }

    return p;
}


/* A picture with its modifiers and what is joined to it; a flag. */

static const u_char *
kz_word_picture(kz_word_iter_t *it, kz_word_class_e class)
{
    ngx_uint_t        n, joined;
    const u_char     *p, *next;
    kz_word_class_e   b;

    (void) kz_word_peek(it->p, it->end, &p);

    if (class == KZ_WORD_REGIONAL) {
        b = kz_word_peek(p, it->end, &next);

        if (b == KZ_WORD_REGIONAL) {
            p = next;
        }

        return kz_word_extend(p, it->end, &joined);
    }

    for (n = 1; n < KZ_WORD_MAX_CHARS; n++) {
        p = kz_word_extend(p, it->end, &joined);

        if (!joined) {
            break;
        }

        b = kz_word_peek(p, it->end, &next);

        if (b != KZ_WORD_PICTURE) {
            break;
        }

        p = next;
    }

    return p;
}


uint32_t
kz_char_to_lower(uint32_t c)
{
    ngx_uint_t               low, high, mid;
    const kz_lower_range_t  *r;

    if (c < 0x80) {
        return (c >= 'A' && c <= 'Z') ? c | 0x20 : c;
    }

    low = 0;
    high = kz_array_size(kz_lower_ranges);

    while (low < high) {
        mid = (low + high) / 2;
        r = &kz_lower_ranges[mid];

        if (c < r->first) {
            high = mid;

        } else if (c > r->last) {
            low = mid + 1;

        } else {
            return ((c - r->first) % r->step == 0) ? c + r->distance : c;
        }
    }

    return c;
}


u_char *
kz_lower(u_char *dst, const u_char *p, size_t len)
{
    const u_char  *end;

    end = p + len;

    while (p < end) {

        if (*p < 0x80) {
            *dst++ = (*p >= 'A' && *p <= 'Z') ? *p | 0x20 : *p;
            p++;
            continue;
        }

        dst = kz_utf8_put(dst, kz_char_to_lower(kz_utf8_next(&p, end)));
    }

    return dst;
}


u_char *
kz_fold(u_char *dst, const u_char *p, size_t len)
{
    uint32_t       c;
    ngx_uint_t     low, high, mid;
    const char    *s;
    const u_char  *end;

    end = p + len;

    while (p < end) {

        if (*p < 0x80) {
            *dst++ = *p++;
            continue;
        }

        c = kz_utf8_next(&p, end);
        low = 0;
        high = kz_array_size(kz_folds);

        while (low < high) {
            mid = (low + high) / 2;

            if (kz_folds[mid].c == c) {
                break;
            }

            if (c < kz_folds[mid].c) {
                high = mid;

            } else {
                low = mid + 1;
            }
        }

        if (low == high) {
            dst = kz_utf8_put(dst, c);
            continue;
        }

        for (s = kz_folds[mid].text; *s; s++) {
            *dst++ = (u_char) *s;
        }
    }

    return dst;
}


ngx_uint_t
kz_char_is_letter(uint32_t c)
{
    switch (kz_word_class(c)) {

    case KZ_WORD_LETTER:
    case KZ_WORD_HEBREW:
    case KZ_WORD_KATAKANA:
    case KZ_WORD_HIRAGANA:
    case KZ_WORD_IDEOGRAPH:
    case KZ_WORD_COMPLEX:
        return 1;

    default:
        return 0;
    }
}


ngx_uint_t
kz_char_is_digit(uint32_t c)
{
    return kz_word_class(c) == KZ_WORD_NUMERIC;
}


/* White_Space of the Unicode character database */

ngx_uint_t
kz_char_is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == 0x20 || c == 0x85 || c == 0xa0
           || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028
           || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}
