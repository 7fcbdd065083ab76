/*
 * libFuzzer: a path and, after the first "?", a query string; whatever they
 * hold, taking them apart ends, stays within the text and yields UTF-8.
 *
 *     clang -fsanitize=fuzzer,address,undefined ... fuzz_url.c
 */

#include "kz_shim.h"
#include "util/kz_url.h"

#include <stdlib.h>
#include <string.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_check(ngx_str_t *s, u_char *start, u_char *end)
{
    if (s->data < start || s->data + s->len > end
        || kz_url_utf8(s) != NGX_OK)
    {
        abort();
    }
}


/* Parts have no dot segments: a file system would go elsewhere. */

static void
fuzz_part(ngx_str_t *s, u_char *start, u_char *end)
{
    u_char  *p;

    fuzz_check(s, start, end);

    for (p = s->data; p < s->data + s->len; p++) {
        if (*p == '.'
            && (p == s->data || p[-1] == '/')
            && (p + 1 == s->data + s->len || p[1] == '/'))
        {
            abort();
        }
    }

    if (s->len == 0) {
        abort();
    }
}


static void
fuzz_path(const uint8_t *data, size_t size, ngx_uint_t raw)
{
    u_char     *text, *out, *dst;
    kz_url_t    u;
    ngx_str_t   part;

    text = kz_shim_copy(data, size);
    out = malloc(size + 1);
    dst = out;
    u.pos = text;
    u.end = text + size;

    while (kz_url_next_part(&u, &dst, raw, &part) == NGX_OK) {
        fuzz_part(&part, out, out + size);
    }

    free(out);
    free(text);
}


static void
fuzz_args(const uint8_t *data, size_t size)
{
    u_char     *text, *out, *dst;
    kz_url_t    u;
    ngx_int_t   rc;
    ngx_str_t   name, value;

    text = kz_shim_copy(data, size);
    out = malloc(size + 1);
    dst = out;
    u.pos = text;
    u.end = text + size;

    while ((rc = kz_url_next_arg(&u, &dst, &name, &value)) == NGX_OK) {
        fuzz_check(&name, out, out + size);
        fuzz_check(&value, out, out + size);
    }

    if (rc == NGX_DONE && u.pos != u.end) {
        abort();
    }

    free(out);
    free(text);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t  *q;

    q = memchr(data, '?', size);

    fuzz_path(data, q ? (size_t) (q - data) : size, 0);
    fuzz_path(data, q ? (size_t) (q - data) : size, 1);

    if (q) {
        fuzz_args(q + 1, data + size - q - 1);
    }

    return 0;
}
