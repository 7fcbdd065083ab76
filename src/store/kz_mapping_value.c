
/*
 * One JSON value as a field's type has it: coerced numbers, booleans, dates,
 * exact texts, and the words of a text.
 *
 * Words: runs of letters, digits and underscores, lower-cased; an apostrophe
 * or a full stop between two letters and a comma or a full stop between two
 * digits belong to the word (Unicode annex 29, rules 6 to 12); an ideograph
 * is a word.  Lower case is known for Latin, Greek, Cyrillic and Armenian.
 */

#include "store/kz_mapping_node.h"
#include "util/kz_utf8.h"
#include <math.h>


typedef enum {
    KZ_CHAR_OTHER = 0,
    KZ_CHAR_LETTER,
    KZ_CHAR_DIGIT,
    KZ_CHAR_ALONE             /* an ideograph */
} kz_char_e;


static ngx_int_t kz_value_number(const kz_field_t *f,
    const kz_json_val_t *json, kz_scratch_t *scratch, kz_value_t *v);
static ngx_int_t kz_value_whole(const kz_field_t *f, kz_value_t *v,
    const ngx_str_t *text);
static ngx_int_t kz_value_real(const kz_field_t *f, kz_value_t *v);
static ngx_int_t kz_value_boolean(const kz_json_val_t *json,
    kz_scratch_t *scratch, kz_value_t *v);
static ngx_int_t kz_value_date(const kz_field_t *f,
    const kz_json_val_t *json, kz_scratch_t *scratch, kz_value_t *v,
    int64_t *last);
static uint32_t kz_char_lower(uint32_t c);
static kz_char_e kz_char_class(uint32_t c);


/* Code points from 0x80 that neither are letters nor digits, as ranges. */

static const uint32_t  kz_char_others[][2] = {
    { 0x80, 0xa9 },      { 0xab, 0xb4 },      { 0xb6, 0xb9 },
    { 0xbb, 0xbf },      { 0xd7, 0xd7 },      { 0xf7, 0xf7 },
    { 0x2c2, 0x2c5 },    { 0x2d2, 0x2df },    { 0x37e, 0x37e },
    { 0x387, 0x387 },    { 0x55a, 0x55f },    { 0x589, 0x58f },
    { 0x5be, 0x5be },    { 0x5c0, 0x5c0 },    { 0x5c3, 0x5c3 },
    { 0x5c6, 0x5c6 },    { 0x5f3, 0x5f4 },    { 0x600, 0x60f },
    { 0x61b, 0x61f },    { 0x66a, 0x66d },    { 0x6d4, 0x6d4 },
    { 0x964, 0x965 },    { 0xe3f, 0xe3f },    { 0x1680, 0x1680 },
    { 0x2000, 0x2070 },  { 0x2074, 0x207e },  { 0x2080, 0x208e },
    { 0x20a0, 0x20cf },  { 0x2190, 0x2bff },  { 0x2e00, 0x2fff },
    { 0x3000, 0x3004 },  { 0x3008, 0x3020 },  { 0x3030, 0x3030 },
    { 0x303d, 0x303f },  { 0x30a0, 0x30a0 },  { 0x30fb, 0x30fb },
    { 0xe000, 0xf8ff },  { 0xfe10, 0xfe1f },  { 0xfe30, 0xfe6f },
    { 0xfeff, 0xff0f },  { 0xff1a, 0xff20 },  { 0xff3b, 0xff40 },
    { 0xff5b, 0xff65 },  { 0xffe0, 0xffff },  { 0x1d000, 0x1d3ff },
    { 0x1f000, 0x1fbff }, { 0xe0000, 0x10ffff }
};


/* Upper case: first, last, step between them, distance to lower case. */

static const struct {
    uint16_t  first;
    uint16_t  last;
    uint16_t  step;
    int16_t   add;
} kz_char_uppers[] = {
    { 0xc0, 0xd6, 1, 32 },      { 0xd8, 0xde, 1, 32 },
    { 0x100, 0x12e, 2, 1 },     { 0x130, 0x130, 1, -199 },
    { 0x132, 0x136, 2, 1 },     { 0x139, 0x147, 2, 1 },
    { 0x14a, 0x176, 2, 1 },     { 0x178, 0x178, 1, -121 },
    { 0x179, 0x17d, 2, 1 },     { 0x1cd, 0x1db, 2, 1 },
    { 0x1de, 0x1ee, 2, 1 },     { 0x1f8, 0x21e, 2, 1 },
    { 0x222, 0x232, 2, 1 },     { 0x386, 0x386, 1, 38 },
    { 0x388, 0x38a, 1, 37 },    { 0x38c, 0x38c, 1, 64 },
    { 0x38e, 0x38f, 1, 63 },    { 0x391, 0x3a1, 1, 32 },
    { 0x3a3, 0x3ab, 1, 32 },    { 0x400, 0x40f, 1, 80 },
    { 0x410, 0x42f, 1, 32 },    { 0x460, 0x480, 2, 1 },
    { 0x48a, 0x4be, 2, 1 },     { 0x4c0, 0x4c0, 1, 15 },
    { 0x4c1, 0x4cd, 2, 1 },     { 0x4d0, 0x52e, 2, 1 },
    { 0x531, 0x556, 1, 48 },    { 0x1e00, 0x1e94, 2, 1 },
    { 0x1ea0, 0x1efe, 2, 1 },   { 0xff21, 0xff3a, 1, 32 }
};


u_char *
kz_scratch_room(kz_scratch_t *s, size_t n)
{
    size_t   size;
    u_char  *p;

    if (n <= s->size) {
        return s->data;
    }

    size = ngx_max(n, 512);

    p = malloc(size);
    if (p == NULL) {
        return NULL;
    }

    free(s->data);

    s->data = p;
    s->size = size;

    return p;
}


void
kz_scratch_free(kz_scratch_t *s)
{
    free(s->data);

    s->data = NULL;
    s->size = 0;
}


ngx_int_t
kz_value_read(const kz_field_t *f, const kz_json_val_t *json,
    kz_scratch_t *scratch, kz_value_t *v, int64_t *last)
{
    u_char     *p;
    int64_t     end;
    ngx_int_t   rc;
    ngx_str_t   text;

    if (json->type == KZ_JSON_NULL) {
        if (f->null_value.type == KZ_JSON_NONE
            || f->null_value.type == KZ_JSON_NULL)
        {
            return NGX_DECLINED;
        }

        json = &f->null_value;
    }

    if (!kz_json_is_scalar(json)) {
        return NGX_ERROR;
    }

    switch (f->type) {

    case KZ_FIELD_TEXT:
    case KZ_FIELD_KEYWORD:

        v->type = KZ_VALUE_TEXT;

        if (kz_value_text(json, scratch, &v->text) != NGX_OK) {
            return NGX_ABORT;
        }

        if (!f->lower) {
            return NGX_OK;
        }

        /* the text may lie in the scratch that must grow */

        text = v->text;

        p = malloc(text.len * 2 + 1);
        if (p == NULL) {
            return NGX_ABORT;
        }

        v->text.len = kz_value_lower(p, text.data, text.len) - p;

        v->text.data = kz_scratch_room(scratch, v->text.len + 1);
        if (v->text.data == NULL) {
            free(p);
            return NGX_ABORT;
        }

        ngx_memcpy(v->text.data, p, v->text.len);
        free(p);

        return NGX_OK;

    case KZ_FIELD_BOOLEAN:
        return kz_value_boolean(json, scratch, v);

    case KZ_FIELD_DATE:
        rc = kz_value_date(f, json, scratch, v, &end);

        if (last != NULL) {
            *last = end;
        }

        return rc;

    case KZ_FIELD_OBJECT:
    case KZ_FIELD_NESTED:
    case KZ_FIELD_OPAQUE:
        return NGX_DECLINED;

    default:
        return kz_value_number(f, json, scratch, v);
    }
}


ngx_int_t
kz_value_text(const kz_json_val_t *json, kz_scratch_t *scratch,
    ngx_str_t *text)
{
    u_char  *p;

    *text = json->raw;

    if (json->type != KZ_JSON_STRING) {
        return NGX_OK;
    }

    text->data++;
    text->len -= 2;

    if (!json->escaped) {
        return NGX_OK;
    }

    p = kz_scratch_room(scratch, text->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->len = kz_json_unescape(p, text->data, text->len) - p;
    text->data = p;

    return NGX_OK;
}


ngx_uint_t
kz_value_indexed(const kz_field_t *f, const ngx_str_t *text)
{
    size_t      i;
    ngx_uint_t  n;

    if (f->ignore_above == 0 || text->len <= f->ignore_above) {
        return 1;
    }

    for (n = 0, i = 0; i < text->len; i++) {
        n += (text->data[i] & 0xc0) != 0x80;
    }

    return n <= f->ignore_above;
}


/* A whole number and a real one, without rounding the former. */
static ngx_int_t
kz_value_cmp_mixed(int64_t i, double d)
{
    int64_t  whole;

    if (d >= 9223372036854775808.0) {
        return -1;
    }

    if (d < -9223372036854775808.0) {
        return 1;
    }

    whole = (int64_t) d;

    if (i != whole) {
        return (i < whole) ? -1 : 1;
    }

    d -= (double) whole;

    return (d < 0) - (d > 0);
}


ngx_int_t
kz_value_cmp(const kz_value_t *a, const kz_value_t *b)
{
    if (a->type == KZ_VALUE_TEXT || b->type == KZ_VALUE_TEXT) {

        if (a->type != b->type) {
            return (a->type == KZ_VALUE_TEXT) ? 1 : -1;
        }

        return kz_text_cmp(&a->text, &b->text);
    }

    if (a->type == KZ_VALUE_INT && b->type == KZ_VALUE_INT) {
        return (a->i > b->i) - (a->i < b->i);
    }

    if (a->type == KZ_VALUE_INT) {
        return kz_value_cmp_mixed(a->i, b->d);
    }

    if (b->type == KZ_VALUE_INT) {
        return -kz_value_cmp_mixed(b->i, a->d);
    }

    return (a->d > b->d) - (a->d < b->d);
}


ngx_int_t
kz_text_cmp(const ngx_str_t *a, const ngx_str_t *b)
{
    size_t     n;
    ngx_int_t  rc;

    n = ngx_min(a->len, b->len);

    rc = (n == 0) ? 0 : ngx_memcmp(a->data, b->data, n);

    return (rc != 0) ? rc : (a->len > b->len) - (a->len < b->len);
}


static ngx_int_t
kz_value_number(const kz_field_t *f, const kz_json_val_t *json,
    kz_scratch_t *scratch, kz_value_t *v)
{
    char        buf[64], *end;
    ngx_str_t   text;

    if (json->type != KZ_JSON_NUMBER && json->type != KZ_JSON_STRING) {
        return NGX_ERROR;
    }

    if (kz_value_text(json, scratch, &text) != NGX_OK) {
        return NGX_ABORT;
    }

    if (json->type == KZ_JSON_STRING) {

        if (text.len == 0) {
            return NGX_DECLINED;
        }

        if (text.len >= sizeof(buf)
            || ((text.data[0] < '0' || text.data[0] > '9')
                && text.data[0] != '-' && text.data[0] != '+'
                && text.data[0] != '.'))
        {
            return NGX_ERROR;
        }

        ngx_memcpy(buf, text.data, text.len);
        buf[text.len] = '\0';

        /* nan, inf and hexadecimal are strtod's own idea */

        if (strspn(buf, "0123456789+-.eE") != text.len) {
            return NGX_ERROR;
        }

        v->d = strtod(buf, &end);

        if (end != buf + text.len) {
            return NGX_ERROR;
        }

    } else {
        v->d = kz_json_double(json);
    }

    if (!isfinite(v->d)) {
        return NGX_ERROR;
    }

    switch (f->type) {

    case KZ_FIELD_LONG:
    case KZ_FIELD_INTEGER:
    case KZ_FIELD_SHORT:
    case KZ_FIELD_BYTE:
        return kz_value_whole(f, v, &text);

    default:
        return kz_value_real(f, v);
    }
}


/* A fraction is cut off, as in the original (coerce). */
static ngx_int_t
kz_value_whole(const kz_field_t *f, kz_value_t *v, const ngx_str_t *text)
{
    size_t          i;
    int64_t         min, max;
    kz_json_val_t   number;

    switch (f->type) {

    case KZ_FIELD_INTEGER:
        max = 2147483647;
        break;

    case KZ_FIELD_SHORT:
        max = 32767;
        break;

    case KZ_FIELD_BYTE:
        max = 127;
        break;

    default:
        max = INT64_MAX;
        break;
    }

    min = -max - 1;

    v->type = KZ_VALUE_INT;

    number.type = KZ_JSON_NUMBER;
    number.escaped = 0;
    number.raw = *text;

    /* more digits than a double holds, from JSON or from text */

    i = (text->data[0] == '-');

    while (i < text->len && text->data[i] >= '0' && text->data[i] <= '9') {
        i++;
    }

    if (i < text->len || kz_json_int(&number, &v->i) != NGX_OK) {

        /* 2^63 itself is the first double that does not fit */

        if (v->d >= 9223372036854775808.0 || v->d < -9223372036854775808.0) {
            return NGX_ERROR;
        }

        v->i = (int64_t) v->d;
    }

    return (v->i < min || v->i > max) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
kz_value_real(const kz_field_t *f, kz_value_t *v)
{
    v->type = KZ_VALUE_REAL;

    switch (f->type) {

    case KZ_FIELD_FLOAT:
    case KZ_FIELD_HALF_FLOAT:
        if (v->d > 3.4028234663852886e38 || v->d < -3.4028234663852886e38) {
            return NGX_ERROR;
        }

        v->d = (float) v->d;
        break;

    case KZ_FIELD_SCALED_FLOAT:
        v->d = round(v->d * f->scaling) / f->scaling;

        if (!isfinite(v->d)) {
            return NGX_ERROR;
        }

        break;

    default:
        break;
    }

    /* -0 and 0 must be one key */

    if (v->d == 0) {
        v->d = 0;
    }

    return NGX_OK;
}


static ngx_int_t
kz_value_boolean(const kz_json_val_t *json, kz_scratch_t *scratch,
    kz_value_t *v)
{
    ngx_str_t  text;

    v->type = KZ_VALUE_INT;

    if (json->type == KZ_JSON_NUMBER) {
        return NGX_ERROR;
    }

    if (kz_value_text(json, scratch, &text) != NGX_OK) {
        return NGX_ABORT;
    }

    if (text.len == 4 && ngx_memcmp(text.data, "true", 4) == 0) {
        v->i = 1;
        return NGX_OK;
    }

    if (text.len == 0
        || (text.len == 5 && ngx_memcmp(text.data, "false", 5) == 0))
    {
        v->i = 0;
        return NGX_OK;
    }

    return NGX_ERROR;
}


static ngx_int_t
kz_value_date(const kz_field_t *f, const kz_json_val_t *json,
    kz_scratch_t *scratch, kz_value_t *v, int64_t *last)
{
    double      d;
    ngx_str_t   text;

    v->type = KZ_VALUE_INT;
    *last = 0;

    if (json->type == KZ_JSON_NUMBER && f->formats == NULL) {

        if (kz_json_int(json, &v->i) != NGX_OK) {
            d = kz_json_double(json);

            if (!(d > -9.2e18 && d < 9.2e18)) {
                return NGX_ERROR;
            }

            v->i = (int64_t) d;
        }

        *last = v->i;
        return NGX_OK;
    }

    if (json->type != KZ_JSON_STRING && json->type != KZ_JSON_NUMBER) {
        return NGX_ERROR;
    }

    if (kz_value_text(json, scratch, &text) != NGX_OK) {
        return NGX_ABORT;
    }

    return kz_date_parse(f->formats, text.data, text.len, &v->i, last);
}


static uint32_t
kz_char_lower(uint32_t c)
{
    ngx_uint_t  i;

    if (c < 0x80) {
        return (c >= 'A' && c <= 'Z') ? c | 0x20 : c;
    }

    for (i = 0; i < sizeof(kz_char_uppers) / sizeof(kz_char_uppers[0]); i++) {

        if (c < kz_char_uppers[i].first) {
            break;
        }

        if (c <= kz_char_uppers[i].last) {
            return ((c - kz_char_uppers[i].first) % kz_char_uppers[i].step)
                   ? c : c + kz_char_uppers[i].add;
        }
    }

    return c;
}


u_char *
kz_value_lower(u_char *dst, const u_char *p, size_t len)
{
    const u_char  *end;

    for (end = p + len; p < end; /* void */ ) {

        if (*p < 0x80) {
            *dst++ = (u_char) kz_char_lower(*p++);
            continue;
        }

        dst = kz_utf8_put(dst, kz_char_lower(kz_utf8_next(&p, end)));
    }

    return dst;
}


static kz_char_e
kz_char_class(uint32_t c)
{
    ngx_uint_t  a, b, i;

    if (c < 0x80) {
        if (c >= '0' && c <= '9') {
            return KZ_CHAR_DIGIT;
        }

        return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_'
               ? KZ_CHAR_LETTER : KZ_CHAR_OTHER;
    }

    a = 0;
    b = sizeof(kz_char_others) / sizeof(kz_char_others[0]);

    while (a < b) {
        i = (a + b) / 2;

        if (c > kz_char_others[i][1]) {
            a = i + 1;

        } else if (c < kz_char_others[i][0]) {
            b = i;

        } else {
            return KZ_CHAR_OTHER;
        }
    }

    if ((c >= 0x3040 && c <= 0x309f) || (c >= 0x3400 && c <= 0x9fff)
        || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff))
    {
        return KZ_CHAR_ALONE;
    }

    return KZ_CHAR_LETTER;
}


void
kz_words_init(kz_words_t *w, const ngx_str_t *text)
{
    w->p = text->data;
    w->end = text->data + text->len;
}


ngx_int_t
kz_words_next(kz_words_t *w)
{
    u_char        *dst;
    uint32_t       c;
    ngx_uint_t     n;
    kz_char_e      class, before, after;
    const u_char  *p, *q;

    dst = w->buf;
    n = 0;
    before = KZ_CHAR_OTHER;

    while (w->p < w->end && n < KZ_MAPPING_MAX_TOKEN) {
        p = w->p;
        c = kz_utf8_next(&p, w->end);
        class = kz_char_class(c);

        if (class == KZ_CHAR_OTHER && n > 0 && p < w->end
            && (c == '.' || c == '\'' || c == ',' || c == 0x2019))
        {
            q = p;
            after = kz_char_class(kz_utf8_next(&q, w->end));

            if (after == before
                && (before == KZ_CHAR_DIGIT
                    || (before == KZ_CHAR_LETTER && c != ',')))
            {
                class = before;
            }
        }

        if (class == KZ_CHAR_OTHER || (class == KZ_CHAR_ALONE && n > 0)) {
            if (n > 0) {
                break;
            }

            w->p = p;
            continue;
        }

        dst = kz_utf8_put(dst, kz_char_lower(c));
        n++;
        before = class;
        w->p = p;

        if (class == KZ_CHAR_ALONE) {
            break;
        }
    }

    w->word.data = w->buf;
    w->word.len = dst - w->buf;

    return (n > 0) ? NGX_OK : NGX_DONE;
}
