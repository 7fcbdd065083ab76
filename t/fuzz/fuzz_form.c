
/*
 * application/x-www-form-urlencoded: what comes out is JSON, of no more
 * bytes than announced and allowed, each name once.  And it is what a second,
 * simple-minded reader makes of the same text.
 *
 *     byte 0     bit 0: repeated names are lists; 1 to 3: the limit, 0 is
 *                none, 1 is 16, 2 is 32, ... bytes; 4 to 7: when memory ends,
 *                0 is never
 *     the rest   what a client sent
 */

#include "util/kz_form.h"
#include "util/kz_json_scan.h"
#include "util/kz_utf8.h"
#include "kz_shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define FUZZ_MAX    65536
#define FUZZ_NAMES  32

#define check(cond)                                                           \
    if (!(cond)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);            \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_pool_t  *pool;


/* Decoded, then made UTF-8; both into the same static room. */

static size_t
fuzz_decode(u_char *dst, const u_char *p, const u_char *end)
{
    size_t      i, j, n, len;
    uint32_t    state;
    unsigned    byte;
    char        hex[3];

    static u_char  raw[FUZZ_MAX];

    for (len = 0; p < end; p++) {
        raw[len] = *p == '+' ? ' ' : *p;

        if (*p == '%' && end - p > 2 && memchr("0123456789abcdefABCDEF",
                                               p[1], 22)
            && memchr("0123456789abcdefABCDEF", p[2], 22))
        {
            hex[0] = p[1];
            hex[1] = p[2];
            hex[2] = 0;
            sscanf(hex, "%x", &byte);
            raw[len] = byte;
            p += 2;
        }

        len++;
    }

    /* the longest valid sequence, or the longest beginning of one */

    for (i = 0, n = 0; i < len; i += j) {
        state = KZ_UTF8_START;

        for (j = 0; i + j < len; j++) {
            if (kz_utf8_check(&state, raw + i + j, 1) != NGX_OK) {
                state = 1;
                break;
            }

            if (state == KZ_UTF8_START) {
                j++;
                break;
            }
        }

        if (state == KZ_UTF8_START) {
            memcpy(dst + n, raw + i, j);
            n += j;

        } else {
            memcpy(dst + n, "\xef\xbf\xbd", 3);
            n += 3;
            j = j ? j : 1;
        }
    }

    return n;
}


static void
fuzz_value(const kz_json_val_t *v, const u_char *want, size_t len)
{
    check(v->type == KZ_JSON_STRING);
    check(kz_json_string_is(v, want, len) == NGX_OK);
}


/* Every pair is where it has to be; returns how many there are. */

static size_t
fuzz_compare(const kz_json_val_t *obj, ngx_uint_t lists, const u_char *p,
    size_t len)
{
    size_t           n, k, name_len, value_len;
    kz_json_val_t    v, item;
    kz_json_iter_t   it;
    const u_char    *end, *last, *eq;
    ngx_uint_t       found;

    static u_char  name[3 * FUZZ_MAX], value[3 * FUZZ_MAX];

    end = p + len;

    for (n = 0; p < end; p = last + 1) {
        last = memchr(p, '&', end - p);
        last = last ? last : end;

        if (last == p) {
            continue;
        }

        eq = memchr(p, '=', last - p);
        name_len = fuzz_decode(name, p, eq ? eq : last);
        value_len = fuzz_decode(value, eq ? eq + 1 : last, last);

        check(kz_json_get(obj, (char *) name, name_len, &v) == NGX_OK);

        n++;

        if (v.type == KZ_JSON_ARRAY) {
            check(lists);
            kz_json_iter(&it, &v);

            for (k = 0, found = 0; kz_json_next(&it, &item) == NGX_OK; k++) {
                found |= (kz_json_string_is(&item, value, value_len)
                          == NGX_OK);
            }

            check(found && k > 1);

        } else if (lists) {
            fuzz_value(&v, value, value_len);
        }
    }

    return n;
}


static void
fuzz_check(kz_form_t *f, const u_char *data, size_t size)
{
    size_t             fields, i, n;
    kz_out_t           o;
    kz_json_err_t      err;
    kz_json_val_t      v, item;
    kz_json_iter_t     it, list;
    kz_json_member_t   m;
    ngx_str_t          names[FUZZ_NAMES];

    kz_out_init(&o, pool, 0);
    kz_form_json(f, &o);
    check(!kz_out_failed(&o));

    check(kz_out_len(&o) <= f->size && f->size <= ngx_max(f->max, 2));
    check(kz_json_scan(o.start, kz_out_len(&o), 4, &v, &err) == NGX_OK);
    check(v.type == KZ_JSON_OBJECT && v.raw.len == kz_out_len(&o));

    kz_json_iter(&it, &v);

    fields = 0;

    for (n = 0; kz_json_next_member(&it, &m) == NGX_OK; n++) {
        fields++;

        if (m.val.type == KZ_JSON_ARRAY) {
            kz_json_iter(&list, &m.val);

            for (i = 0; kz_json_next(&list, &item) == NGX_OK; i++) {
                /* void */
            }

            fields += i - 1;
        }

        for (i = 0; i < n && i < FUZZ_NAMES; i++) {
            check(names[i].len != m.key.len
                  || memcmp(names[i].data, m.key.data, m.key.len) != 0);
        }

        if (n < FUZZ_NAMES) {
            names[n] = m.key;
        }
    }

    check(f->n <= KZ_FORM_MAX_FIELDS && (!f->lists || fields == f->n));

    if (f->n <= FUZZ_NAMES) {
        check(fuzz_compare(&v, f->lists, data, size) == f->n);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char     *copy;
    size_t      max;
    ngx_int_t   rc;
    kz_form_t   form;

    if (size < 1 || size > FUZZ_MAX) {
        return 0;
    }

    if (pool == NULL) {
        pool = kz_shim_pool();
    }

    max = data[0] >> 1 & 7;
    max = max ? (size_t) 8 << max : 1024 * 1024;

    copy = kz_shim_copy(data + 1, size - 1);

    kz_form_init(&form, pool, 1, max);
    form.lists = data[0] & 1;

    kz_shim_allocations = data[0] >> 4 ? data[0] >> 4 : -1;

    rc = kz_form_urlencoded(&form, copy, size - 1);

    check(rc != NGX_ERROR || form.what || kz_shim_allocations == 0);
    kz_shim_allocations = -1;

    if (rc == NGX_OK) {
        fuzz_check(&form, data + 1, size - 1);

    } else if (rc == NGX_ERROR && form.what) {
        check(form.n == KZ_FORM_MAX_FIELDS);

    } else if (rc == NGX_DECLINED) {
        check(max < 1024 * 1024);
    }

    free(copy);
    ngx_reset_pool(pool);

    return 0;
}
