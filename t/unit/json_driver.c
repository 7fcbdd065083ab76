
/*
 * For comparisons with another parser: reads texts, each as "LEN\n" and LEN
 * bytes, and answers one line each: "E" with the error when it is refused,
 * else "A" and the value printed again from what the walk sees: repeated
 * keys gone, strings decoded and escaped in one way, numbers as %.17g.
 */

#include "util/kz_json_scan.h"
#include "util/kz_out.h"
#include "kz_shim.h"

#include <math.h>


static void print(kz_out_t *o, const kz_json_val_t *v);


static void
print_object(kz_out_t *o, const kz_json_val_t *v)
{
    ngx_uint_t        n;
    ngx_str_t         key;
    kz_json_val_t     val;
    kz_json_iter_t    it, before;
    kz_json_member_t  m, b;

    kz_out_char(o, '{');
    kz_json_iter(&it, v);

    for (n = 0; kz_json_next_member(&it, &m) == NGX_OK; /* void */ ) {

        val.type = KZ_JSON_STRING;
        val.escaped = m.escaped;
        val.raw.data = m.key.data - 1;
        val.raw.len = m.key.len + 2;

        if (kz_json_string(o->pool, &val, &key) != NGX_OK) {
            exit(2);
        }

        /* only at the first place of a repeated key */

        kz_json_iter(&before, v);

        while (kz_json_next_member(&before, &b) == NGX_OK
               && b.key.data < m.key.data
               && kz_json_key_is(&b, (char *) key.data, key.len) != NGX_OK)
        {
            /* void */
        }

        if (b.key.data != m.key.data) {
            continue;
        }

        if (kz_json_get(v, (char *) key.data, key.len, &val) != NGX_OK) {
            exit(2);
        }

        if (n++ > 0) {
            kz_out_char(o, ',');
        }

        kz_out_json_str(o, &key);
        kz_out_char(o, ':');
        print(o, &val);
    }

    kz_out_char(o, '}');
}


static void
print(kz_out_t *o, const kz_json_val_t *v)
{
    int              len;
    char             number[64];
    double           d;
    ngx_str_t        s;
    ngx_uint_t       n;
    kz_json_val_t    e;
    kz_json_iter_t   it;

    switch (v->type) {

    case KZ_JSON_OBJECT:
        print_object(o, v);
        break;

    case KZ_JSON_ARRAY:
        kz_out_char(o, '[');
        kz_json_iter(&it, v);

        for (n = 0; kz_json_next(&it, &e) == NGX_OK; n++) {
            if (n > 0) {
                kz_out_char(o, ',');
            }

            print(o, &e);
        }

        kz_out_char(o, ']');
        break;

    case KZ_JSON_STRING:
        if (kz_json_string(o->pool, v, &s) != NGX_OK) {
            exit(2);
        }

        kz_out_json_str(o, &s);
        break;

    case KZ_JSON_NUMBER:
        d = kz_json_double(v);

        /* the bits, so that nobody's way of printing is compared */

        len = snprintf(number, sizeof(number), "\"%016llx\"",
                       ((union { double d; unsigned long long u; })
                        { .d = d }).u);
        kz_out_bytes(o, number, len);
        break;

    default:
        kz_out_str(o, &v->raw);
    }
}


int
main(void)
{
    char           *text;
    u_char          message[KZ_JSON_ERR_LEN], *last;
    size_t          len;
    kz_out_t        o;
    kz_json_val_t   v;
    kz_json_err_t   err;

    while (scanf("%zu", &len) == 1) {

        if (getchar() != '\n' || len > 100 * 1024 * 1024) {
            return 2;
        }

        text = malloc(len + 1);

        if (text == NULL || fread(text, 1, len, stdin) != len) {
            return 2;
        }

        kz_out_init(&o, kz_shim_pool(), 1024);

        if (kz_json_scan((u_char *) text, len, 1024, &v, &err) == NGX_OK) {
            kz_out_lit(&o, "A ");
            print(&o, &v);

        } else {
            kz_out_lit(&o, "E ");
            last = kz_json_err_text(message, &err);
            kz_out_bytes(&o, message, last - message);
        }

        kz_out_char(&o, '\n');

        if (kz_out_failed(&o)) {
            return 2;
        }

        fwrite(o.start, 1, kz_out_len(&o), stdout);

        ngx_destroy_pool(o.pool);
        free(text);
    }

    return 0;
}
