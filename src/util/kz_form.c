/*
 * Forms, see kz_form.h.
 */

#include "util/kz_form.h"
#include "util/kz_utf8.h"


/* U+FFFD */
#define KZ_FORM_UNKNOWN  "\xef\xbf\xbd"

/* Braces, quotes and member names of a file. */
#define KZ_FORM_FILE     64


static ngx_int_t kz_form_text(kz_form_t *f, ngx_str_t *s);
static size_t kz_form_repair(u_char *dst, const u_char *p, size_t len);
static ngx_int_t kz_form_count(kz_form_t *f, size_t n);
static size_t kz_form_json_len(const ngx_str_t *s);
static void kz_form_link(kz_form_t *f, kz_form_field_t *field);
static size_t kz_form_unescape(u_char *dst, u_char *p, u_char *end);
static void kz_form_value(kz_form_t *f, kz_form_field_t *field, kz_out_t *o);
static void kz_form_list(kz_form_t *f, kz_form_field_t *field, kz_out_t *o);
static void kz_form_member(kz_out_t *o, const char *name, ngx_str_t *value);
static void kz_form_base64(kz_out_t *o, ngx_str_t *s);


void
kz_form_init(kz_form_t *f, ngx_pool_t *pool, ngx_uint_t generation,
    size_t max)
{
    ngx_memzero(f, sizeof(kz_form_t));

    f->pool = pool;
    f->generation = generation;
    f->max = max;
    f->size = 2;
    f->last = &f->first;
}


ngx_int_t
kz_form_add(kz_form_t *f, const kz_form_field_t *field)
{
    ngx_int_t         rc;
    ngx_uint_t        i, n;
    ngx_str_t        *texts[4];
    kz_form_field_t  *copy;

    if (f->n == KZ_FORM_MAX_FIELDS) {
        f->what = "too many form fields";
        return NGX_ERROR;
    }

    copy = ngx_palloc(f->pool, sizeof(kz_form_field_t));
    if (copy == NULL) {
        return NGX_ERROR;
    }

    *copy = *field;

    texts[0] = &copy->name;
    texts[1] = copy->file ? &copy->filename : &copy->value;
    texts[2] = &copy->encoding;
    texts[3] = &copy->mimetype;

    n = copy->file ? 4 : 2;

    for (i = 0; i < n; i++) {
        rc = kz_form_text(f, texts[i]);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (copy->file
        && (copy->value.len > f->max
            || kz_form_count(f, (copy->value.len + 2) / 3 * 4 + KZ_FORM_FILE)
               != NGX_OK))
    {
        return NGX_DECLINED;
    }

    kz_form_link(f, copy);

    return NGX_OK;
}


/* Makes it UTF-8 and counts what it will be in JSON. */

static ngx_int_t
kz_form_text(kz_form_t *f, ngx_str_t *s)
{
    u_char    *p;
    size_t     len;
    uint32_t   state;

    state = KZ_UTF8_START;

    if (s->len == 0) {
        return kz_form_count(f, kz_form_json_len(s));
    }

    if (kz_utf8_check(&state, s->data, s->len) != NGX_OK
        || state != KZ_UTF8_START)
    {
        len = kz_form_repair(NULL, s->data, s->len);

        if (len > f->max) {
            return NGX_DECLINED;
        }

        p = ngx_pnalloc(f->pool, len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        (void) kz_form_repair(p, s->data, s->len);

        s->data = p;
        s->len = len;
    }

    return kz_form_count(f, kz_form_json_len(s));
}


/* dst is NULL: only the length. */

static size_t
kz_form_repair(u_char *dst, const u_char *p, size_t len)
{
    size_t         n;
    uint32_t       state;
    ngx_int_t      rc;
    const u_char  *start, *end;

    n = 0;
    end = p + len;
    start = p;
    state = KZ_UTF8_START;

    while (p < end) {
        rc = kz_utf8_check(&state, p, 1);

        if (rc == NGX_OK) {
            p++;

            if (state == KZ_UTF8_START) {
                if (dst) {
                    dst = ngx_cpymem(dst, start, p - start);
                }

                n += p - start;
                start = p;
            }

            continue;
        }

        /* the byte may begin a sequence, unless it was the first */

        if (p == start) {
            p++;
        }

        if (dst) {
            dst = ngx_cpymem(dst, KZ_FORM_UNKNOWN, 3);
        }

        n += 3;
        start = p;
        state = KZ_UTF8_START;
    }

    if (start < end) {
        if (dst) {
            ngx_memcpy(dst, KZ_FORM_UNKNOWN, 3);
        }

        n += 3;
    }

    return n;
}


static ngx_int_t
kz_form_count(kz_form_t *f, size_t n)
{
    if (n > f->max || f->size > f->max - n) {
        return NGX_DECLINED;
    }

    f->size += n;

    return NGX_OK;
}


/* With its quotes and what separates it from the next; kz_out_json(). */

static size_t
kz_form_json_len(const ngx_str_t *s)
{
    u_char   c;
    size_t   i, n;

    n = s->len + 4;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (c < 0x20) {
            n += 5;

        } else if (c == '"' || c == '\\') {
            n++;
        }
    }

    return n;
}


static void
kz_form_link(kz_form_t *f, kz_form_field_t *field)
{
    size_t             i;
    uint32_t           hash;
    kz_form_field_t   *first, **bucket;

    hash = 0x811c9dc5;

    for (i = 0; i < field->name.len; i++) {
        hash = (hash ^ field->name.data[i]) * 0x01000193;
    }

    f->n++;

    field->hash = hash;
    field->next = NULL;
    field->same = NULL;
    field->newest = field;

    bucket = &f->buckets[hash % KZ_FORM_BUCKETS];

    for (first = *bucket; first; first = first->bucket) {

        if (first->hash == hash
            && first->name.len == field->name.len
            && ngx_memcmp(first->name.data, field->name.data,
                          field->name.len)
               == 0)
        {
            first->newest->same = field;
            first->newest = field;

            return;
        }
    }

    field->bucket = *bucket;
    *bucket = field;

    *f->last = field;
    f->last = &field->next;
}


ngx_int_t
kz_form_urlencoded(kz_form_t *f, u_char *p, size_t len)
{
    u_char           *end, *last, *eq;
    ngx_int_t         rc;
    kz_form_field_t   field;

    ngx_memzero(&field, sizeof(kz_form_field_t));

    end = p + len;

    for ( /* void */ ; p < end; p = last + 1) {

        last = memchr(p, '&', end - p);
        if (last == NULL) {
            last = end;
        }

        if (last == p) {
            continue;
        }

        eq = memchr(p, '=', last - p);

        field.name.data = p;
        field.name.len = kz_form_unescape(p, p, eq ? eq : last);

        p = eq ? eq + 1 : last;

        field.value.data = p;
        field.value.len = kz_form_unescape(p, p, last);

        rc = kz_form_add(f, &field);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* Returns the length of what it wrote; dst may be p. */

static size_t
kz_form_unescape(u_char *dst, u_char *p, u_char *end)
{
    u_char     *start;
    ngx_int_t   c;

    start = dst;

    while (p < end) {

        if (*p == '+') {
            *dst++ = ' ';
            p++;
            continue;
        }

        if (*p == '%' && end - p >= 3) {
            c = ngx_hextoi(p + 1, 2);

            if (c != NGX_ERROR) {
                *dst++ = (u_char) c;
                p += 3;
                continue;
            }
        }

        *dst++ = *p++;
    }

    return dst - start;
}


void
kz_form_json(kz_form_t *f, kz_out_t *o)
{
    kz_form_field_t  *field;

    kz_out_char(o, '{');

    for (field = f->first; field; field = field->next) {

        if (field != f->first) {
            kz_out_char(o, ',');
        }

        kz_out_json_str(o, &field->name);
        kz_out_char(o, ':');

        if (f->lists && field->same) {
            kz_form_list(f, field, o);

        } else {
            kz_form_value(f, field->newest, o);
        }
    }

    kz_out_char(o, '}');
}


static void
kz_form_list(kz_form_t *f, kz_form_field_t *field, kz_out_t *o)
{
    kz_out_char(o, '[');

    for ( ;; ) {
        kz_form_value(f, field, o);

        field = field->same;
        if (field == NULL) {
            break;
        }

        kz_out_char(o, ',');
    }

    kz_out_char(o, ']');
}


static void
kz_form_value(kz_form_t *f, kz_form_field_t *field, kz_out_t *o)
{
    if (!field->file) {
        kz_out_json_str(o, &field->value);
        return;
    }

    kz_out_char(o, '{');

    if (f->generation == 1) {
        kz_form_member(o, "\"filename\":", &field->filename);
    }

    kz_form_member(o, "\"encoding\":", &field->encoding);

    if (f->generation == 1) {
        kz_form_member(o, "\"mimetype\":", &field->mimetype);
    }

    kz_out_lit(o, "\"file\":\"");
    kz_form_base64(o, &field->value);
    kz_out_char(o, '"');

    if (f->generation == 2 && field->filename.data) {
        kz_out_lit(o, ",\"filename\":");
        kz_out_json_str(o, &field->filename);
    }

    kz_out_char(o, '}');
}


static void
kz_form_member(kz_out_t *o, const char *name, ngx_str_t *value)
{
    if (value->data) {
        kz_out_bytes(o, name, ngx_strlen(name));
        kz_out_json_str(o, value);
        kz_out_char(o, ',');
    }
}


static void
kz_form_base64(kz_out_t *o, ngx_str_t *s)
{
    u_char        *d;
    size_t         left;
    uint32_t       v;
    const u_char  *p;

    static const u_char  digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    if (kz_out_room(o, (s->len + 2) / 3 * 4) != NGX_OK) {
        return;
    }

    p = s->data;
    d = o->pos;

    for (left = s->len; left > 0; /* void */ ) {

        v = (uint32_t) p[0] << 16;
        v |= left > 1 ? (uint32_t) p[1] << 8 : 0;
        v |= left > 2 ? p[2] : 0;

        d[0] = digits[v >> 18];
        d[1] = digits[v >> 12 & 0x3f];
        d[2] = left > 1 ? digits[v >> 6 & 0x3f] : '=';
        d[3] = left > 2 ? digits[v & 0x3f] : '=';

        d += 4;

        if (left <= 3) {
            break;
        }

        p += 3;
        left -= 3;
    }

    o->pos = d;
}
