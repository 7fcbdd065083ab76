
/*
 * Headers of a response that an action sets (src/core/kz_header.c).
 *
 * sources: core/kz_header.c
 */

#include "core/kz_req.h"
#include "kz_shim.h"
#include "tap.h"


static kz_req_t  req;


static ngx_int_t
set(const char *name, const char *value)
{
    ngx_str_t  n, v;

    n.data = (u_char *) name;
    n.len = strlen(name);
    v.data = (u_char *) value;
    v.len = strlen(value);

    return kz_req_header(&req, &n, &v);
}


static void
test_refused(void)
{
    ngx_uint_t  i;

    static const char  *names[] = {
        "", "a b", "a:", "a\r\nb", "\xc3\xa9", "a\x7f", "a(b)",
        "Content-Length", "transfer-encoding", "CONNECTION",
        "Content-Encoding", "content-type"
    };

    static const char  *values[] = {
        "a\r\nX-Evil: 1", "a\n", "\x01", "\x7f", "\xff", "\xc3"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ok(set(names[i], "x") == NGX_ERROR, "refused: name %d", (int) i);
    }

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        ok(set("X-Name", values[i]) == NGX_ERROR, "refused: value %d",
           (int) i);
    }

    ok(req.headers == NULL, "nothing of it is kept");
}


static void
test_set(void)
{
    char          name[] = "X-One", value[] = "1";
    kz_header_t  *h;

    ok(set(name, value) == NGX_OK, "a header");

    name[0] = 'Y';
    value[0] = '9';

    ok(set("X-Two", "\xc3\xa9\t\"") == NGX_OK, "another");
    ok(set("x-one", "") == NGX_OK, "the first again");
    ok(set("Set-Cookie", "a=1") == NGX_OK, "a cookie");
    ok(set("set-cookie", "b=2") == NGX_OK, "and another");

    h = req.headers->elts;

    is_int(req.headers->nelts, 4, "four of them");
    is_str(&h[0].name, "X-One", "a copy, as it was written first");
    is_str(&h[0].value, "", "the last value");
    is_str(&h[1].value, "\xc3\xa9\t\"", "text");
    is_str(&h[2].value, "a=1", "cookies do not replace");
    is_str(&h[3].value, "b=2", "each other");

    ok(!kz_req_header_hidden(&h[0]) && !kz_req_header_hidden(&h[1])
       && kz_req_header_hidden(&h[2]) && kz_req_header_hidden(&h[3]),
       "cookies are not shown");
}


int
main(void)
{
    req.pool = kz_shim_pool();

    test_refused();
    test_set();

    ngx_destroy_pool(req.pool);

    return tap_done();
}
