
/*
 * Fields removed from JSON text (src/util/kz_json_drop.c).
 */

#include "util/kz_json_drop.h"
#include "kz_shim.h"
#include "tap.h"


static void
drop(const char *obj, const char *paths, const char *want, const char *name)
{
    ngx_str_t       out;
    ngx_pool_t     *pool;
    kz_json_val_t   o, p;

    pool = ngx_create_pool(4096, NULL);

    kz_json_value((u_char *) obj, (u_char *) obj + strlen(obj), &o);
    kz_json_value((u_char *) paths, (u_char *) paths + strlen(paths), &p);

    is_int(kz_json_drop(pool, &o, &p, &out), NGX_OK, name);
    is_text(out.data, out.len, want, name);

    ngx_destroy_pool(pool);
}


/* As many paths as members, and more keys than there may be. */

static void
test_many(void)
{
    char  *obj, *paths, *p, *q;
    int    i;

    obj = malloc(1 << 22);
    paths = malloc(1 << 22);

    p = obj + sprintf(obj, "{");
    q = paths + sprintf(paths, "[");

    for (i = 0; i < 50000; i++) {
        p += sprintf(p, "%s\"k%d\":{\"a\":%d}", i ? "," : "", i, i);
        q += sprintf(q, "%s\"k%d%s\"", i ? "," : "", i,
                     i == 49999 ? ".b" : "");
    }

    (void) sprintf(p, "}");
    (void) sprintf(q, "]");

    drop(obj, paths, "{\"k49999\":{\"a\":49999}}", "50000 paths");

    q = paths + sprintf(paths, "[\"a");

    for (i = 0; i < 10000; i++) {
        q += sprintf(q, ".a[0]");
    }

    (void) sprintf(q, "\",\"b\"]");

    drop("{\"a\":1,\"b\":2}", paths, "{\"a\":1}", "a path that is too deep");

    free(obj);
    free(paths);
}


int
main(void)
{
    drop("{\"a\":1,\"b\":2}", "[\"a\"]", "{\"b\":2}", "a member");
    drop("{\"a\":1}", "[\"a\"]", "{}", "the only one");
    drop("{\"a\":1}", "[]", "{\"a\":1}", "no path");
    drop("{}", "[\"a\"]", "{}", "nothing there");
    drop("{\"a\":1}", "[3,null,{\"a\":1}]", "{\"a\":1}", "no paths");

    drop("{\"a\":{\"b\":{\"c\":1,\"d\":2}},\"b\":3}", "[\"a.b.c\"]",
         "{\"a\":{\"b\":{\"d\":2}},\"b\":3}", "a nested one");
    drop("{\"a\":{\"b\":1}}", "[\"a.c\",\"a.b.c\",\"b\"]",
         "{\"a\":{\"b\":1}}", "paths that lead nowhere");
    drop("{\"a\":{\"b\":1,\"c\":2}}", "[\"a.b\",\"a\"]", "{}",
         "one above another");
    drop("{\"a\":1,\"a\":2,\"b\":3}", "[\"a\"]", "{\"b\":3}",
         "a repeated key");

    drop("{\"a\":[1,{\"b\":2,\"c\":3},4]}", "[\"a[1].b\",\"a[2]\"]",
         "{\"a\":[1,{\"c\":3},null]}", "elements");
    drop("{\"a\":[1,2]}", "[\"a.0\"]", "{\"a\":[null,2]}", "with a dot");
    drop("{\"a\":[1,2]}", "[\"a[2]\",\"a[-1]\",\"a[x]\",\"a.length\"]",
         "{\"a\":[1,2]}", "no such element");
    drop("{\"a\":[[1,2],[3]]}", "[\"a[0][1]\"]",
         "{\"a\":[[1,null],[3]]}", "of an element");

    drop("{\"a.b\":1,\"a\":{\"b\":2}}", "[\"a.b\"]", "{\"a\":{\"b\":2}}",
         "a key with a dot comes first");
    drop("{\"x\":{\"a.b\":1,\"a\":{\"b\":2}}}", "[\"x['a.b']\"]",
         "{\"x\":{\"a\":{\"b\":2}}}", "and is quoted below");
    drop("{\"x\":{\"a.b\":1}}", "[\"[\\\"x\\\"][\\\"a.b\\\"]\"]",
         "{\"x\":{}}", "all quoted");
    drop("{\"\\u0061\":1,\"\\u00e9\":2}", "[\"a\",\"\\u00e9\"]", "{}",
         "escaped keys");
    drop("{\"\":1,\"a\":{\"\":2}}", "[\"\",\"a.\"]", "{\"a\":{}}",
         "empty keys");

    drop("{\"a\":1}", "[\"a[\",\"[\",\"]\",\".\",\"a..\",\"a['\"]",
         "{\"a\":1}", "paths that are none");
    drop("{\"a\":1.10,\"b\":123456789012345678901234567890,\"c\":0}",
         "[\"c\"]", "{\"a\":1.10,\"b\":123456789012345678901234567890}",
         "the rest stays as it is");

    test_many();

    return tap_done();
}
