
/*
 * Forms and what they become (src/util/kz_form.c).
 */

#include "util/kz_form.h"
#include "util/kz_json_scan.h"
#include "kz_shim.h"
#include "tap.h"


#define MAX  65536


static ngx_pool_t  *pool;
static kz_form_t    form;


static ngx_int_t
read_form(const char *text, size_t len, ngx_uint_t lists)
{
    u_char  *copy;

    /* of its own length exactly, and as long-lived as the form */

    copy = ngx_pnalloc(pool, len);
    ngx_memcpy(copy, text, len);

    kz_form_init(&form, pool, 1, MAX);
    form.lists = lists;

    return kz_form_urlencoded(&form, copy, len);
}


static void
check(const char *text, size_t len, ngx_uint_t lists, const char *want)
{
    kz_out_t       o;
    kz_json_err_t  err;
    kz_json_val_t  v;

    if (read_form(text, len, lists) != NGX_OK) {
        ok(0, "%s", text);
        return;
    }

    kz_out_init(&o, pool, 0);
    kz_form_json(&form, &o);

    is_text(o.start, kz_out_len(&o), want, text);

    ok(kz_out_len(&o) <= form.size
       && kz_json_scan(o.start, kz_out_len(&o), 4, &v, &err) == NGX_OK,
       "is JSON, of the length announced");
}


#define is_form(text, want)   check(text, sizeof(text) - 1, 0, want)
#define is_lists(text, want)  check(text, sizeof(text) - 1, 1, want)


static void
test_urlencoded(void)
{
    is_form("a=1", "{\"a\":\"1\"}");
    is_form("a=1&b=2", "{\"a\":\"1\",\"b\":\"2\"}");
    is_form("", "{}");
    is_form("&&", "{}");
    is_form("a", "{\"a\":\"\"}");
    is_form("a=", "{\"a\":\"\"}");
    is_form("=1", "{\"\":\"1\"}");
    is_form("=", "{\"\":\"\"}");
    is_form("a=b=c", "{\"a\":\"b=c\"}");
    is_form("a+b=c+d%2B", "{\"a b\":\"c d+\"}");
    is_form("%61%3d=%26", "{\"a=\":\"&\"}");
    is_form("a=%22%5C%0a", "{\"a\":\"\\\"\\\\\\n\"}");

    is_form("a=1&b=2&a=3", "{\"a\":\"3\",\"b\":\"2\"}");
    is_lists("a=1&b=2&a=3", "{\"a\":[\"1\",\"3\"],\"b\":\"2\"}");
    is_lists("a=1&a=2&a=3", "{\"a\":[\"1\",\"2\",\"3\"]}");
    is_lists("__proto__=1&constructor=2&toString",
             "{\"__proto__\":\"1\",\"constructor\":\"2\",\"toString\":\"\"}");

    /* no escape is left alone */

    is_form("a=%", "{\"a\":\"%\"}");
    is_form("a=%4", "{\"a\":\"%4\"}");
    is_form("a=%zz%41", "{\"a\":\"%zzA\"}");
    is_form("%=%&b=%", "{\"%\":\"%\",\"b\":\"%\"}");

    is_form("a=%00b", "{\"a\":\"\\u0000b\"}");
    is_form("a\0=\0", "{\"a\\u0000\":\"\\u0000\"}");
}


static void
test_utf8(void)
{
    is_form("a=\xc3\xa9", "{\"a\":\"\xc3\xa9\"}");
    is_form("a=%c3%a9", "{\"a\":\"\xc3\xa9\"}");

    /* overlong, cut, surrogate, beyond: one for each maximal part */

#define U  "\xef\xbf\xbd"

    is_form("a=%c0%80", "{\"a\":\"" U U "\"}");
    is_form("a=%e0%80%80", "{\"a\":\"" U U U "\"}");
    is_form("a=%e2%82x", "{\"a\":\"" U "x\"}");
    is_form("a=%f0%9f%98", "{\"a\":\"" U "\"}");
    is_form("a=%ed%a0%80", "{\"a\":\"" U U U "\"}");
    is_form("a=%f4%90%80%80", "{\"a\":\"" U U U U "\"}");
    is_form("a=x%ffy%e2%82%ac", "{\"a\":\"x" U "y\xe2\x82\xac\"}");
    is_form("a=%e2%c3%a9", "{\"a\":\"" U "\xc3\xa9\"}");

    /* names that become the same are the same */

    is_lists("%ff=1&%fe=2", "{\"" U "\":[\"1\",\"2\"]}");
}


static void
test_limits(void)
{
    char       *text;
    size_t      i, n;
    kz_form_t   small;
    u_char      a[64];

    text = malloc(16 * (KZ_FORM_MAX_FIELDS + 1));

    for (n = 0, i = 0; i < KZ_FORM_MAX_FIELDS; i++) {
        n += sprintf(text + n, "f%zu=1&", i);
    }

    is_int(read_form(text, n, 0), NGX_OK, "as many fields as allowed");

    n += sprintf(text + n, "one");
    is_int(read_form(text, n, 0), NGX_ERROR, "one more");
    is_text(form.what, strlen(form.what), "too many form fields", "says so");

    /* the same name counts, too */

    for (n = 0, i = 0; i <= KZ_FORM_MAX_FIELDS; i++) {
        n += sprintf(text + n, "f=1&");
    }

    is_int(read_form(text, n, 1), NGX_ERROR, "of one name");
    free(text);

    memset(a, 0, sizeof(a));
    a[0] = 'a';
    a[1] = '=';

    kz_form_init(&small, pool, 1, 380);
    is_int(kz_form_urlencoded(&small, a, sizeof(a)), NGX_DECLINED,
           "zeros are six bytes each");

    memset(a + 2, 0xff, sizeof(a) - 2);
    kz_form_init(&small, pool, 1, 180);
    is_int(kz_form_urlencoded(&small, a, sizeof(a)), NGX_DECLINED,
           "what is not UTF-8 is three");

    memset(a + 2, 'x', sizeof(a) - 2);
    kz_form_init(&small, pool, 1, 180);
    is_int(kz_form_urlencoded(&small, a, sizeof(a)), NGX_OK, "text is one");
}


static void
test_no_memory(void)
{
    kz_out_t    o;
    ngx_int_t   i, rc;
    u_char      text[] = "a=%ff&b=1";

    for (i = 0; i < 20; i++) {
        ngx_memcpy(text, "a=%ff&b=1", 9);

        kz_shim_allocations = i;
        kz_form_init(&form, pool, 1, MAX);
        rc = kz_form_urlencoded(&form, text, 9);

        if (rc == NGX_OK) {
            kz_out_init(&o, pool, 0);
            kz_form_json(&form, &o);

            if (!kz_out_failed(&o)) {
                break;
            }

        } else if (rc != NGX_ERROR || form.what != NULL) {
            break;
        }
    }

    kz_shim_allocations = -1;

    is_int(i, 4, "memory that ends is an error, not a form");
}


int
main(void)
{
    pool = kz_shim_pool();

    test_urlencoded();
    test_utf8();
    test_limits();
    test_no_memory();

    ngx_destroy_pool(pool);

    return tap_done();
}
