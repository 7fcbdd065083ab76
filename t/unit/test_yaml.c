
/*
 * JSON as YAML (src/util/kz_yaml.c).  What real readers of YAML make of it:
 * t/clients/openapi.js.
 */

#include "util/kz_yaml.h"
#include "kz_shim.h"
#include "tap.h"


static ngx_pool_t  *pool;


static void
test_yaml(const char *json, const char *yaml, const char *name)
{
    kz_out_t       o;
    kz_json_err_t  err;
    kz_json_val_t  v;

    if (!ok(kz_json_scan((u_char *) json, strlen(json), 32, &v, &err)
            == NGX_OK, "%s: is JSON", name))
    {
        return;
    }

    kz_out_init(&o, pool, 0);
    kz_yaml(&o, &v);

    is_text(o.start, kz_out_len(&o), yaml, name);
}


int
main(void)
{
    pool = kz_shim_pool();

    test_yaml("{}", "{}\n", "an empty object");
    test_yaml("[]", "[]\n", "an empty array");
    test_yaml("7", "7\n", "a scalar");

    test_yaml("{\"a\":1,\"b\":\"x: #y\",\"c\":null,\"d\":true}",
              "a: 1\nb: \"x: #y\"\nc: null\nd: true\n", "scalars");

    test_yaml("{\"a\":{\"b\":{\"c\":1}},\"d\":{},\"e\":[ ]}",
              "a:\n  b:\n    c: 1\nd: {}\ne: []\n", "objects");

    test_yaml("[1,[2,[3,4]],{\"a\":1,\"b\":[5,{\"c\":6,\"d\":7}]},{}]",
              "- 1\n- - 2\n  - - 3\n    - 4\n- a: 1\n  b:\n    - 5\n"
              "    - c: 6\n      d: 7\n- {}\n", "arrays");

    test_yaml("{\"200\":1,\"on\":1,\"No\":1,\"NULL\":1,\"y\":1,\"\":1,"
              "\"a b\":1,\"-x\":1,\"/p/{q}\":1,\"$ref\":1,\"a:\":1,"
              "\"x-y/z_9\":1,\"one\":1,\"\\u0061\":1,\"\303\251\":1}",
              "\"200\": 1\n\"on\": 1\n\"No\": 1\n\"NULL\": 1\n\"y\": 1\n"
              "\"\": 1\n\"a b\": 1\n\"-x\": 1\n\"/p/{q}\": 1\n\"$ref\": 1\n"
              "\"a:\": 1\nx-y/z_9: 1\none: 1\n\"\\u0061\": 1\n"
              "\"\303\251\": 1\n",
              "keys keep their quotes where they need them");

    ngx_destroy_pool(pool);

    return tap_done();
}
