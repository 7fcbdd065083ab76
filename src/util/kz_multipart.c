/*
 * Multipart bodies, see kz_multipart.h.  The body lies in memory as a whole;
 * each byte is looked at a bounded number of times.
 */

#include "util/kz_multipart.h"


typedef struct {
    kz_form_t   *form;
    u_char      *pos;
    u_char      *end;
    size_t       file_max;
    size_t       len;                  /* of the delimiter */
    unsigned     final:1;
    u_char       delimiter[4 + KZ_MULTIPART_MAX_BOUNDARY];
} kz_multipart_t;


static u_char *kz_multipart_find(kz_multipart_t *m, u_char *p);
static ngx_uint_t kz_multipart_line(kz_multipart_t *m, u_char *p);
static ngx_int_t kz_multipart_part(kz_multipart_t *m);
static ngx_int_t kz_multipart_headers(kz_multipart_t *m, u_char *p,
    u_char *end, kz_form_field_t *field);
static ngx_int_t kz_multipart_header(kz_multipart_t *m, ngx_str_t *name,
    ngx_str_t *value, kz_form_field_t *field);
static ngx_int_t kz_multipart_disposition(kz_multipart_t *m,
    ngx_str_t *value, kz_form_field_t *field);
static ngx_int_t kz_multipart_kind(kz_multipart_t *m,
    kz_form_field_t *field);
static ngx_int_t kz_multipart_lower(kz_form_t *f, ngx_str_t *s);
static void kz_multipart_basename(ngx_str_t *name);
static ngx_int_t kz_multipart_param(kz_form_t *f, ngx_str_t *header,
    const char *name, ngx_str_t *value);
static u_char *kz_multipart_quoted(u_char *p, u_char *end);
static ngx_int_t kz_multipart_unquote(kz_form_t *f, ngx_str_t *value);
static void kz_multipart_trim(ngx_str_t *s);
static ngx_int_t kz_multipart_failed(kz_form_t *f, const char *what);


#define kz_multipart_is(s, text)                                              \
    ((s)->len == sizeof(text) - 1                                             \
     && ngx_strncasecmp((s)->data, (u_char *) text, sizeof(text) - 1) == 0)

#define kz_multipart_blank(c)                                                 \
    ((c) == ' ' || (c) == '\t' || (c) == CR || (c) == LF)


ngx_int_t
kz_multipart_boundary(kz_form_t *f, ngx_str_t *type, ngx_str_t *boundary)
{
    ngx_int_t  rc;

    rc = kz_multipart_param(f, type, "boundary", boundary);

    if (rc == NGX_DECLINED || (rc == NGX_OK && boundary->len == 0)) {
        return kz_multipart_failed(f, "Multipart: Boundary not found");
    }

    if (rc == NGX_OK && boundary->len > KZ_MULTIPART_MAX_BOUNDARY) {
        return kz_multipart_failed(f, "Multipart: Boundary too long");
    }

    return rc;
}


ngx_int_t
kz_multipart_parse(kz_form_t *f, ngx_str_t *boundary, u_char *body,
    size_t len, size_t file_max)
{
    u_char          *p;
    ngx_int_t        rc;
    kz_multipart_t   m;

    m.form = f;
    m.pos = body;
    m.end = body + len;
    m.file_max = file_max;
    m.len = 4 + boundary->len;
    m.final = 0;

    p = ngx_cpymem(m.delimiter, CRLF "--", 4);
    ngx_memcpy(p, boundary->data, boundary->len);

    /* the first delimiter may be at the very beginning, without a CRLF */

    if (len < m.len - 2
        || ngx_memcmp(body, m.delimiter + 2, m.len - 2) != 0
        || !kz_multipart_line(&m, body + m.len - 2))
    {
        if (kz_multipart_find(&m, body) == NULL) {
            return kz_multipart_failed(f, "Unexpected end of multipart data");
        }
    }

    while (!m.final) {
        rc = kz_multipart_part(&m);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* The next delimiter; m->pos is set behind its line. */

static u_char *
kz_multipart_find(kz_multipart_t *m, u_char *p)
{
    for ( ;; ) {
        p = memmem(p, m->end - p, m->delimiter, m->len);

        if (p == NULL || kz_multipart_line(m, p + m->len)) {
            return p;
        }

        p++;
    }
}


/* Whether the line of a delimiter ends as one does; another may begin so. */

static ngx_uint_t
kz_multipart_line(kz_multipart_t *m, u_char *p)
{
    if (m->end - p >= 2 && p[0] == '-' && p[1] == '-') {
        m->final = 1;
        return 1;
    }

    while (p < m->end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (m->end - p < 2 || p[0] != CR || p[1] != LF) {
        return 0;
    }

    m->pos = p + 2;

    return 1;
}


static ngx_int_t
kz_multipart_part(kz_multipart_t *m)
{
    u_char           *p, *start, *headers;
    size_t            left;
    ngx_int_t         rc;
    kz_form_field_t   field;

    ngx_memzero(&field, sizeof(kz_form_field_t));

    /* a part without headers begins with the CRLF that ends its delimiter */

    headers = m->pos;
    left = ngx_min(m->end - headers + 2, KZ_MULTIPART_MAX_HEADERS);

    p = memmem(headers - 2, left, CRLF CRLF, 4);

    if (p == NULL) {
        return kz_multipart_failed(m->form,
                                   left == KZ_MULTIPART_MAX_HEADERS
                                   ? "Multipart: part header too long"
                                   : "Unexpected end of multipart data");
    }

    rc = kz_multipart_headers(m, headers, p, &field);
    if (rc != NGX_OK) {
        return rc;
    }

    start = p + 4;

    /* nothing at all may lie between the headers and the delimiter */

    p = kz_multipart_find(m, p + 2);

    if (p == NULL) {
        return kz_multipart_failed(m->form,
                                   "Unexpected end of multipart data");
    }

    field.value.data = start;
    field.value.len = p > start ? p - start : 0;

    if (field.file && field.value.len > m->file_max) {
        m->form->file_too_large = 1;
        return NGX_DECLINED;
    }

    return kz_form_add(m->form, &field);
}


static ngx_int_t
kz_multipart_headers(kz_multipart_t *m, u_char *p, u_char *end,
    kz_form_field_t *field)
{
    u_char     *last, *colon;
    ngx_int_t   rc;
    ngx_str_t   name, value;

    for ( /* void */ ; p < end; p = last + 2) {

        /* a line that begins with a blank continues the one before */

        for (last = p; last < end; last++) {
            last = memmem(last, end - last, CRLF, 2);

            if (last == NULL) {
                last = end;
                break;
            }

            if (last + 2 == end || (last[2] != ' ' && last[2] != '\t')) {
                break;
            }
        }

        colon = memchr(p, ':', last - p);

        if (colon == NULL) {
            return kz_multipart_failed(m->form,
                                       "Multipart: malformed part header");
        }

        name.data = p;
        name.len = colon - p;

        value.data = colon + 1;
        value.len = last - value.data;

        kz_multipart_trim(&value);

        rc = kz_multipart_header(m, &name, &value, field);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (field->name.data == NULL) {
        return kz_multipart_failed(m->form, "Multipart: part without a name");
    }

    return kz_multipart_kind(m, field);
}


/* Of repeated headers the first one counts. */

static ngx_int_t
kz_multipart_header(kz_multipart_t *m, ngx_str_t *name, ngx_str_t *value,
    kz_form_field_t *field)
{
    if (kz_multipart_is(name, "Content-Disposition")) {

        return field->name.data
               ? NGX_OK : kz_multipart_disposition(m, value, field);
    }

    if (kz_multipart_is(name, "Content-Type")
        && field->mimetype.data == NULL)
    {
        field->mimetype = *value;

    } else if (kz_multipart_is(name, "Content-Transfer-Encoding")
               && field->encoding.data == NULL)
    {
        field->encoding = *value;
    }

    return NGX_OK;
}


static ngx_int_t
kz_multipart_disposition(kz_multipart_t *m, ngx_str_t *value,
    kz_form_field_t *field)
{
    u_char     *p;
    ngx_str_t   type;

    type = *value;

    p = memchr(type.data, ';', type.len);
    if (p) {
        type.len = p - type.data;
    }

    kz_multipart_trim(&type);

    if (!kz_multipart_is(&type, "form-data")) {
        return kz_multipart_failed(m->form, "Multipart: part is no form-data");
    }

    if (kz_multipart_param(m->form, value, "name", &field->name)
        == NGX_ERROR
        || kz_multipart_param(m->form, value, "filename", &field->filename)
           == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
kz_multipart_kind(kz_multipart_t *m, kz_form_field_t *field)
{
    u_char     *p;
    ngx_str_t   type;

    if (m->form->generation == 2) {
        field->file = (field->filename.len != 0);
        field->encoding = field->mimetype;

        return NGX_OK;
    }

    type = field->mimetype;

    p = type.len ? memchr(type.data, ';', type.len) : NULL;
    if (p) {
        type.len = p - type.data;
    }

    kz_multipart_trim(&type);

    field->file = (field->filename.data != NULL
                   || kz_multipart_is(&type, "application/octet-stream"));

    if (!field->file) {
        return NGX_OK;
    }

    if (type.len == 0) {
        ngx_str_set(&type, "text/plain");
    }

    if (field->encoding.data == NULL) {
        ngx_str_set(&field->encoding, "7bit");
    }

    field->mimetype = type;
    kz_multipart_basename(&field->filename);

    if (kz_multipart_lower(m->form, &field->mimetype) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_multipart_lower(m->form, &field->encoding);
}


static ngx_int_t
kz_multipart_lower(kz_form_t *f, ngx_str_t *s)
{
    u_char  *p;

    p = ngx_pnalloc(f->pool, s->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_strlow(p, s->data, s->len);
    s->data = p;

    return NGX_OK;
}


/* Some browsers send the path of their file system. */

static void
kz_multipart_basename(ngx_str_t *name)
{
    size_t  i;

    for (i = name->len; i > 0; i--) {

        if (name->data[i - 1] == '/' || name->data[i - 1] == '\\') {
            name->data += i;
            name->len -= i;
            return;
        }
    }
}


/*
 * A parameter of a header, the first of that name: "type; a=1; b="x;y"".
 * NGX_DECLINED: there is none.
 */

static ngx_int_t
kz_multipart_param(kz_form_t *f, ngx_str_t *header, const char *name,
    ngx_str_t *value)
{
    u_char     *p, *end, *start, *last;
    size_t      len;
    ngx_str_t   key;

    len = ngx_strlen(name);
    end = header->data + header->len;
    p = header->len ? memchr(header->data, ';', header->len) : NULL;

    while (p && p < end) {
        p++;

        key.data = p;

        while (p < end && *p != '=' && *p != ';') {
            p++;
        }

        key.len = p - key.data;
        kz_multipart_trim(&key);

        if (p == end || *p == ';') {
            continue;
        }

        p++;

        while (p < end && kz_multipart_blank(*p)) {
            p++;
        }

        start = p;

        last = (p < end && *p == '"') ? kz_multipart_quoted(p, end) : p;
        p = last < end ? memchr(last, ';', end - last) : NULL;

        if (key.len != len
            || ngx_strncasecmp(key.data, (u_char *) name, len) != 0)
        {
            continue;
        }

        value->data = start;

        if (last > start) {
            value->len = last - start;
            return kz_multipart_unquote(f, value);
        }

        value->len = (p ? p : end) - start;
        kz_multipart_trim(value);

        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* Behind the closing quote, or the end. */

static u_char *
kz_multipart_quoted(u_char *p, u_char *end)
{
    for (p++; p < end; p++) {

        if (*p == '\\' && end - p > 1) {
            p++;

        } else if (*p == '"') {
            return p + 1;
        }
    }

    return end;
}


/*
 * Only a quote and a backslash are escaped: a path may be sent with single
 * backslashes in it.
 */

static ngx_int_t
kz_multipart_unquote(kz_form_t *f, ngx_str_t *value)
{
    u_char  *p, *end, *dst;

    p = value->data + 1;
    end = value->data + value->len;

    if (end > p && end[-1] == '"') {
        end--;
    }

    value->data = p;
    value->len = end - p;

    if (value->len == 0 || memchr(p, '\\', value->len) == NULL) {
        return NGX_OK;
    }

    dst = ngx_pnalloc(f->pool, value->len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    value->data = dst;

    while (p < end) {

        if (*p == '\\' && end - p > 1 && (p[1] == '"' || p[1] == '\\')) {
            p++;
        }

        *dst++ = *p++;
    }

    value->len = dst - value->data;

    return NGX_OK;
}


static void
kz_multipart_trim(ngx_str_t *s)
{
    while (s->len && kz_multipart_blank(s->data[0])) {
        s->data++;
        s->len--;
    }

    while (s->len && kz_multipart_blank(s->data[s->len - 1])) {
        s->len--;
    }
}


static ngx_int_t
kz_multipart_failed(kz_form_t *f, const char *what)
{
    f->what = what;

    return NGX_ERROR;
}
