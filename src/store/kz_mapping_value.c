
/*
 * One JSON value as a field's type has it: coerced numbers, booleans, dates,
 * exact texts, and the words of a text that has no field.
 */

#include "store/kz_mapping_node.h"
#include "util/kz_word.h"
#include <math.h>


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
static ngx_int_t kz_value_normal(const kz_field_t *f, kz_scratch_t *scratch,
    kz_value_t *v);
static ngx_int_t kz_value_ip(const kz_json_val_t *json,
    kz_scratch_t *scratch, kz_value_t *v);


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
    int64_t    end;
    ngx_int_t  rc;

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

        return (f->normalizer == NULL) ? NGX_OK
                                       : kz_value_normal(f, scratch, v);

    case KZ_FIELD_BOOLEAN:
        return kz_value_boolean(json, scratch, v);

    case KZ_FIELD_DATE:
        rc = kz_value_date(f, json, scratch, v, &end);

        if (last != NULL) {
            *last = end;
        }

        return rc;

    case KZ_FIELD_IP:
        return kz_value_ip(json, scratch, v);

    case KZ_FIELD_OBJECT:
    case KZ_FIELD_NESTED:
    case KZ_FIELD_GEO_POINT:
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


/* The text may lie in the scratch that must grow. */
static ngx_int_t
kz_value_normal(const kz_field_t *f, kz_scratch_t *scratch, kz_value_t *v)
{
    ngx_int_t      rc;
    ngx_str_t      text;
    kz_analyze_t   run;

    ngx_memzero(&run, sizeof(kz_analyze_t));

    rc = NGX_ABORT;

    if (kz_normalize(f->normalizer, &run, &v->text, &text) == NGX_OK) {

        if (text.len == 0
            || (text.data >= v->text.data
                && text.data < v->text.data + v->text.len))
        {
            v->text = text;
            rc = NGX_OK;

        } else {
            v->text.len = text.len;
            v->text.data = kz_scratch_room(scratch, text.len);

            if (v->text.data != NULL) {
                ngx_memcpy(v->text.data, text.data, text.len);
                rc = NGX_OK;
            }
        }
    }

    kz_analyze_free(&run);

    return rc;
}


static ngx_int_t
kz_value_ip(const kz_json_val_t *json, kz_scratch_t *scratch, kz_value_t *v)
{
    u_char      hex[KZ_IP_LEN];
    ngx_str_t   text;

    if (json->type != KZ_JSON_STRING) {
        return NGX_ERROR;
    }

    if (kz_value_text(json, scratch, &text) != NGX_OK) {
        return NGX_ABORT;
    }

    if (kz_ip_read(text.data, text.len, hex, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    /* what was written is not needed any more */

    v->type = KZ_VALUE_TEXT;
    v->text.len = KZ_IP_LEN;
    v->text.data = kz_scratch_room(scratch, KZ_IP_LEN);

    if (v->text.data == NULL) {
        return NGX_ABORT;
    }

    ngx_memcpy(v->text.data, hex, KZ_IP_LEN);

    return NGX_OK;
}


void
kz_words_init(kz_words_t *w, const ngx_str_t *text)
{
    kz_word_init(&w->it, text->data, text->len);
}


ngx_int_t
kz_words_next(kz_words_t *w)
{
    if (kz_word_next(&w->it) != NGX_OK) {
        return NGX_DONE;
    }

    w->word.data = w->buf;
    w->word.len = kz_lower(w->buf, w->it.word.data, w->it.word.len) - w->buf;

    return NGX_OK;
}
