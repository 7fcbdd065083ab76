
/*
 * multipart/form-data: what comes out is JSON, of no more bytes than
 * announced and allowed.  What a first run made of the parts is written as a
 * multipart again, and read again: nothing may change.
 *
 *     byte 0     bit 0: generation 2; 1 to 3: the limit of a file, 0 is none,
 *                1 is 4, 2 is 8, ... bytes; 4 to 7: when memory ends, 0 is
 *                never
 *     a line     what stands in Content-Type
 *     the rest   what a client sent; the boundary is "B" if none was named
 */

#include "util/kz_json_scan.h"
#include "util/kz_multipart.h"
#include "kz_shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define FUZZ_MAX  65536

#define check(cond)                                                           \
    if (!(cond)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);            \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_pool_t  *pool;


static void
fuzz_json(kz_form_t *f, kz_out_t *o)
{
    kz_json_err_t  err;
    kz_json_val_t  v;

    kz_out_init(o, pool, 0);
    kz_form_json(f, o);
    check(!kz_out_failed(o));

    check(kz_out_len(o) <= f->size && f->size <= f->max);
    check(kz_json_scan(o->start, kz_out_len(o), 4, &v, &err) == NGX_OK);
    check(v.type == KZ_JSON_OBJECT && v.raw.len == kz_out_len(o));
    check(f->n <= KZ_FORM_MAX_FIELDS);
}


static void
fuzz_param(kz_out_t *o, const char *name, ngx_str_t *s)
{
    size_t  i;

    if (s->data == NULL) {
        return;
    }

    kz_out_bytes(o, name, strlen(name));
    kz_out_char(o, '"');

    for (i = 0; i < s->len; i++) {
        if (s->data[i] == '"' || s->data[i] == '\\') {
            kz_out_char(o, '\\');
        }

        kz_out_char(o, s->data[i]);
    }

    kz_out_char(o, '"');
}


/* Whether nothing in it would be taken for something else. */

static ngx_uint_t
fuzz_plain(ngx_str_t *s)
{
    return s->len == 0 || (memchr(s->data, CR, s->len) == NULL
                           && memchr(s->data, LF, s->len) == NULL);
}


static ngx_uint_t
fuzz_write(kz_form_t *f, kz_out_t *o)
{
    kz_form_field_t  *first, *field;

    kz_out_init(o, pool, 0);

    for (first = f->first; first; first = first->next) {
        field = first->newest;

        if (!fuzz_plain(&field->name) || !fuzz_plain(&field->filename)
            || !fuzz_plain(&field->mimetype) || !fuzz_plain(&field->encoding)
            || (field->value.len
                && memmem(field->value.data, field->value.len, "\r\n--~", 5))
            || (field->value.len > 2
                && memcmp(field->value.data, "--~", 3) == 0)
            || 2 * (field->name.len + field->filename.len)
               + field->mimetype.len + field->encoding.len > 8000)
        {
            return 0;
        }

        kz_out_lit(o, "--~\r\nContent-Disposition: form-data");

        if (field->file) {
            fuzz_param(o, "; filename=", &field->filename);
        }

        fuzz_param(o, "; name=", &field->name);
        kz_out_lit(o, CRLF);

        if (field->file && field->mimetype.data) {
            kz_out_lit(o, "Content-Type: ");
            kz_out_str(o, &field->mimetype);
            kz_out_lit(o, CRLF);
        }

        if (field->file && field->encoding.data && f->generation == 1) {
            kz_out_lit(o, "Content-Transfer-Encoding: ");
            kz_out_str(o, &field->encoding);
            kz_out_lit(o, CRLF);
        }

        kz_out_lit(o, CRLF);
        kz_out_str(o, &field->value);
        kz_out_lit(o, CRLF);
    }

    kz_out_lit(o, "--~--\r\n");

    check(!kz_out_failed(o));

    return 1;
}


static void
fuzz_again(kz_form_t *f)
{
    kz_out_t    o, first, second;
    kz_form_t   form;
    ngx_str_t   boundary = ngx_string("~");

    fuzz_json(f, &first);

    if (!fuzz_write(f, &o)) {
        return;
    }

    kz_form_init(&form, pool, f->generation, f->max);

    check(kz_multipart_parse(&form, &boundary, o.start, kz_out_len(&o),
                             FUZZ_MAX)
          == NGX_OK);

    fuzz_json(&form, &second);

    check(kz_out_len(&first) == kz_out_len(&second)
          && memcmp(first.start, second.start, kz_out_len(&first)) == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char         *type, *body;
    size_t          len, file_max, i;
    ngx_int_t       rc;
    ngx_str_t       header, boundary;
    kz_form_t       form;
    const uint8_t  *line;

    if (size < 2 || size > FUZZ_MAX) {
        return 0;
    }

    if (pool == NULL) {
        pool = kz_shim_pool();
    }

    line = memchr(data + 1, LF, size - 1);
    if (line == NULL) {
        return 0;
    }

    file_max = data[0] >> 1 & 7;
    file_max = file_max ? (size_t) 2 << file_max : FUZZ_MAX;

    header.len = line - data - 1;
    header.data = type = kz_shim_copy(data + 1, header.len);

    len = size - header.len - 2;
    body = kz_shim_copy(line + 1, len);

    kz_form_init(&form, pool, 1 + (data[0] & 1), 2 * FUZZ_MAX);

    kz_shim_allocations = data[0] >> 4 ? data[0] >> 4 : -1;

    rc = kz_multipart_boundary(&form, &header, &boundary);

    if (rc == NGX_ERROR && form.what) {
        ngx_str_set(&boundary, "B");
        form.what = NULL;
        rc = NGX_OK;
    }

    if (rc == NGX_OK) {
        check(boundary.len > 0 && boundary.len <= KZ_MULTIPART_MAX_BOUNDARY);

        rc = kz_multipart_parse(&form, &boundary, body, len, file_max);
    }

    check(rc != NGX_ERROR || form.what || kz_shim_allocations == 0);
    check(!form.file_too_large || rc == NGX_DECLINED);

    kz_shim_allocations = -1;

    if (rc == NGX_OK) {
        fuzz_again(&form);

    } else if (rc == NGX_ERROR && form.what) {
        for (i = 0; form.what[i]; i++) {
            check(form.what[i] >= ' ' && form.what[i] <= '~');
        }
    }

    free(type);
    free(body);
    ngx_reset_pool(pool);

    return 0;
}
