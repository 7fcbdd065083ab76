
/*
 * The scanner of src/util/kz_json_*.c.  Every text lies in memory of exactly
 * its length, and every text is tried cut at every byte, too.
 */

#include "util/kz_json_scan.h"
#include "kz_shim.h"
#include "tap.h"

#include <math.h>


#define DEPTH  64

#define lit(s)  (u_char *) (s), sizeof(s) - 1


typedef struct {
    const char  *text;
    size_t       len;
} text_t;


static const text_t  good[] = {
#define T(s)  { s, sizeof(s) - 1 }
    T("{}"), T("[]"), T("\"\""), T("0"), T("true"), T("false"), T("null"),
    T(" \t\r\n{ \t\r\n} \t\r\n"), T("[ ]"), T("-0"), T("-0.0e-0"),
    T("1E400"), T("-123.456e+7"), T("10"), T("0.1"), T("1e1"),
    T("123456789012345678901234567890"),
    T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFFff\\ud800\""),
    T("\"\\ud83d\\ude00\""), T("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""),
    T("\"\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xf0\x90\x80\x80\""),
    T("\"\xef\xbb\xbf\""), T("\"\x7f\""),
    T("[1,2,[3,[4,{\"a\":[]}]],\"x\"]"),
    T("{\"a\":{\"b\":{\"c\":[{},{}]}},\"d\":null}"),
    T("{\"a\":1,\"a\":2}"), T("{\"\":0}"), T("{\"a\\u0062\":0}"),
    T("[\"0123456789abcdef0123456789abcdef\", \"0123456\", \"01234567\"]"),
    T("{ \"a\" : 1 , \"b\" : [ 1 , 2 ] }"),
    T("\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\""),
    T("\"[]{},:\""), T("[\"}\",\"]\",\"\\\"]\"]")
};


static const struct {
    text_t       t;
    const char  *error;
} bad[] = {
#define END  "Unexpected end of JSON input"
    { T(""), END },
    { T(" "), END },
    { T("{"), END },
    { T("[1,"), END },
    { T("\"abc"), END },
    { T("-"), END },
    { T("1."), END },
    { T("1e+"), END },
    { T("nul"), END },
    { T("{\"a\":}"), "Unexpected token } in JSON at position 5" },
    { T("{\"a\"}"), "Unexpected token } in JSON at position 4" },
    { T("{\"a\":1,}"), "Unexpected token } in JSON at position 7" },
    { T("{a:1}"), "Unexpected token a in JSON at position 1" },
    { T("{1:1}"), "Unexpected number in JSON at position 1" },
    { T("{,}"), "Unexpected token , in JSON at position 1" },
    { T("[1,]"), "Unexpected token ] in JSON at position 3" },
    { T("[,1]"), "Unexpected token , in JSON at position 1" },
    { T("[1 2]"), "Unexpected number in JSON at position 3" },
    { T("[1}"), "Unexpected token } in JSON at position 2" },
    { T("{\"a\":1]"), "Unexpected token ] in JSON at position 6" },
    { T("[\"a\" \"b\"]"), "Unexpected string in JSON at position 5" },
    { T("{\"a\" 1}"), "Unexpected number in JSON at position 5" },
    { T("{\"a\":1 \"b\":2}"), "Unexpected string in JSON at position 7" },
    { T("]"), "Unexpected token ] in JSON at position 0" },
    { T("}"), "Unexpected token } in JSON at position 0" },
    { T("{}}"), "Unexpected token } in JSON at position 2" },
    { T("[]]"), "Unexpected token ] in JSON at position 2" },
    { T("{} x"), "Unexpected token x in JSON at position 3" },
    { T("1 2"), "Unexpected number in JSON at position 2" },
    { T("01"), "Unexpected number in JSON at position 1" },
    { T("-01"), "Unexpected number in JSON at position 2" },
    { T("+1"), "Unexpected token + in JSON at position 0" },
    { T(".5"), "Unexpected token . in JSON at position 0" },
    { T("1.e5"), "Unexpected token e in JSON at position 2" },
    { T("1e"), END },
    { T("1ex"), "Unexpected token x in JSON at position 2" },
    { T("--1"), "Unexpected number in JSON at position 1" },
    { T("0x10"), "Unexpected token x in JSON at position 1" },
    { T("NaN"), "Unexpected token N in JSON at position 0" },
    { T("Infinity"), "Unexpected token I in JSON at position 0" },
    { T("tRue"), "Unexpected token R in JSON at position 1" },
    { T("truex"), "Unexpected token x in JSON at position 4" },
    { T("'a'"), "Unexpected token ' in JSON at position 0" },
    { T("\"\\x\""), "Unexpected token x in JSON at position 2" },
    { T("\"\\u12g4\""), "Unexpected token g in JSON at position 5" },
    { T("\"\\u123g\""), "Unexpected token g in JSON at position 6" },
    { T("\"\\u123\""), "Unexpected string in JSON at position 6" },
    { T("\"\\u12\""), "Unexpected string in JSON at position 5" },
    { T("\"a\tb\""), "Unexpected token in JSON at position 2" },
    { T("\"a\0b\""), "Unexpected token in JSON at position 2" },
    { T("\"0123456789\x1f\""), "Unexpected token in JSON at position 11" },
    { T("\0"), "Unexpected token in JSON at position 0" },
    { T("{}\0"), "Unexpected token in JSON at position 2" },
    { T("[1]\f"), "Unexpected token in JSON at position 3" },
    { T("\xef\xbb\xbf{}"), "Unexpected token in JSON at position 0" },
    { T("\xc2\xa0{}"), "Unexpected token in JSON at position 0" },
    { T("\"\x80\""), "Invalid UTF-8 in JSON at position 1" },
    { T("\"\xc0\x80\""), "Invalid UTF-8 in JSON at position 1" },
    { T("\"\xc1\xbf\""), "Invalid UTF-8 in JSON at position 1" },
    { T("\"\xc3\""), "Invalid UTF-8 in JSON at position 1" },
    { T("\"\xe0\x9f\xbf\""), "Invalid UTF-8 in JSON at position 1" },
    { T("\"\xed\xa0\x80\""), "Invalid UTF-8 in JSON at position 1" },
    { T("\"\xf0\x8f\xbf\xbf\""), "Invalid UTF-8 in JSON at position 1" },
    { T("\"\xf4\x90\x80\x80\""), "Invalid UTF-8 in JSON at position 1" },
    { T("\"\xf5\x80\x80\x80\""), "Invalid UTF-8 in JSON at position 1" },
    { T("\"\xff\""), "Invalid UTF-8 in JSON at position 1" },
    { T("\"0123456\xe2\x82\""), "Invalid UTF-8 in JSON at position 8" },
    { T("\"\xe2\x82"), END },
    { T("// x\n1"), "Unexpected token / in JSON at position 0" }
};


static ngx_pool_t  *pool;


/* Scans a copy that ends where its memory ends. */
static ngx_int_t
scan(const void *text, size_t len, kz_json_val_t *v, kz_json_err_t *err)
{
    u_char  *copy;

    copy = ngx_pnalloc(pool, len ? len : 1);
    ngx_memcpy(copy, text, len);

    return kz_json_scan(copy + (len ? 0 : 1), len, DEPTH, v, err);
}


static void
parse(const char *text, kz_json_val_t *v)
{
    kz_json_err_t  err;

    if (scan(text, strlen(text), v, &err) != NGX_OK) {
        ok(0, "%s: %s at %zu", text, err.what, err.offset);
        exit(1);
    }
}


/* Walks everything below a value; returns how many values there are. */
static ngx_uint_t
walk(const kz_json_val_t *v)
{
    ngx_str_t         s;
    ngx_uint_t        n;
    kz_json_iter_t    it;
    kz_json_val_t     e;
    kz_json_member_t  m;

    n = 1;
    kz_json_iter(&it, v);

    switch (v->type) {

    case KZ_JSON_OBJECT:
        while (kz_json_next_member(&it, &m) == NGX_OK) {
            n += walk(&m.val);
        }

        break;

    case KZ_JSON_ARRAY:
        while (kz_json_next(&it, &e) == NGX_OK) {
            n += walk(&e);
        }

        break;

    case KZ_JSON_STRING:
        kz_json_string(pool, v, &s);
        break;

    default:
        break;
    }

    return n;
}


static void
test_good(void)
{
    size_t         cut;
    ngx_int_t      rc, whole;
    ngx_uint_t     i;
    kz_json_val_t  v, again;
    kz_json_err_t  err;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        rc = scan(good[i].text, good[i].len, &v, &err);

        ok(rc == NGX_OK && v.type != KZ_JSON_NONE, "accepts good text %d",
           (int) i);

        (void) walk(&v);

        kz_json_value(v.raw.data, v.raw.data + v.raw.len, &again);

        ok(again.type == v.type && again.escaped == v.escaped
           && again.raw.len == v.raw.len, "the walk sees what the pass saw");

        whole = 1;

        for (cut = 0; cut < good[i].len; cut++) {
            rc = scan(good[i].text, cut, &v, &err);

            if (rc == NGX_OK) {
                (void) walk(&v);

                if (good[i].text[0] == '[' || good[i].text[0] == '{'
                    || good[i].text[0] == '"')
                {
                    whole = 0;
                }

            } else if (err.offset > cut) {
                whole = 0;
            }
        }

        ok(whole, "and refuses it cut at any byte");
    }
}


static void
test_bad(void)
{
    size_t         cut;
    u_char         text[KZ_JSON_ERR_LEN], *last;
    ngx_int_t      rc;
    ngx_uint_t     i;
    kz_json_val_t  v;
    kz_json_err_t  err;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err.what = "none";
        err.offset = 0;
        err.token = 0;

        rc = scan(bad[i].t.text, bad[i].t.len, &v, &err);
        last = kz_json_err_text(text, &err);

        ok(rc == NGX_ERROR, "refuses a bad text");
        is_text(text, last - text, bad[i].error, bad[i].error);

        for (cut = 0; cut < bad[i].t.len; cut++) {
            if (scan(bad[i].t.text, cut, &v, &err) == NGX_OK) {
                (void) walk(&v);
            }
        }
    }
}


/* Every byte at every offset of a string, so that no test width hides it. */
static void
test_bytes(void)
{
    int            byte, plain;
    u_char         text[34];
    ngx_int_t      rc;
    ngx_uint_t     i, passed;
    kz_json_val_t  v, again;
    kz_json_err_t  err;

    passed = 1;

    for (byte = 0; byte < 256; byte++) {
        plain = (byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\');

        for (i = 1; i < 33; i++) {
            memset(text, 'n', sizeof(text));
            text[0] = '"';
            text[33] = '"';
            text[i] = (u_char) byte;

            rc = kz_json_scan(text, sizeof(text), DEPTH, &v, &err);

            /* a backslash escapes the n or the last quote */

            if (rc != ((plain || (byte == '\\' && i < 32)) ? NGX_OK
                                                            : NGX_ERROR))
            {
                passed = 0;
            }

            if (byte == '"') {
                kz_json_value(text, text + sizeof(text), &again);
                passed &= (again.raw.len == i + 1);
            }
        }
    }

    ok(passed, "every byte at every offset");

    /* brackets in strings are none */

    parse("[{\"x\":[\"ab]\",\"cd]\",\"\\\"ef]\"]},7]", &v);
    is_int(walk(&v), 7, "brackets, also in strings");
}


static void
test_depth(void)
{
    u_char           *p;
    ngx_uint_t        n;
    kz_json_val_t     v;
    kz_json_err_t     err;
    kz_json_member_t  m[2];

    p = ngx_pnalloc(pool, 20000);

    memset(p, '[', 10000);
    memset(p + 10000, ']', 10000);

    is_int(kz_json_scan(p + 9990, 20, 10, &v, &err), NGX_OK,
           "ten levels when ten are allowed");
    is_int(kz_json_scan(p + 9989, 22, 10, &v, &err), NGX_ERROR,
           "eleven are refused");
    is_int(err.offset, 10, "at the bracket that is too much");
    is_int(kz_json_scan(p + 10000 - 1024, 2048, 1 << 30, &v, &err), NGX_OK,
           "1024 levels");
    is_int(kz_json_scan(p + 10000 - 1025, 2050, 1 << 30, &v, &err),
           NGX_ERROR, "never more");
    is_int(kz_json_scan(p, 20000, 1 << 30, &v, &err), NGX_ERROR,
           "10000 brackets");
    is_int(kz_json_scan(p, 10000, 100, &v, &err), NGX_ERROR,
           "10000 brackets, none closed");
    is_int(kz_json_scan(lit("1"), 0, &v, &err), NGX_OK,
           "a scalar has no depth");
    is_int(kz_json_scan(lit("{}"), 0, &v, &err), NGX_ERROR,
           "an object has");

    n = 2;
    is_int(kz_json_scan_object(lit("{\"a\":[]}"), 1, m, &n, &err), NGX_ERROR,
           "members count from depth two");
    n = 2;
    is_int(kz_json_scan_object(lit("{\"a\":[]}"), 2, m, &n, &err), NGX_OK,
           "and fit there");
    n = 2;
    is_int(kz_json_scan_object(lit("{}"), 0, m, &n, &err), NGX_ERROR,
           "no depth, no object");
}


static void
test_object(void)
{
    u_char            *copy;
    size_t             cut;
    ngx_int_t          rc;
    ngx_uint_t         n, passed;
    kz_json_val_t      v;
    kz_json_err_t      err;
    kz_json_member_t   m[4];

    static const char  text[] = " { \"a\" : 1 ,\"b\\n\":\"x\\\"y\" , "
                                "\"a\":{\"c\":[true, \"}\"]} } ";

    n = 4;
    copy = kz_shim_copy(text, sizeof(text) - 1);
    rc = kz_json_scan_object(copy, sizeof(text) - 1, DEPTH, m, &n, &err);

    is_int(rc, NGX_OK, "an object's members");
    is_int(n, 3, "all three of them");
    is_str(&m[0].key, "a", "key");
    is_str(&m[0].val.raw, "1", "value");
    is_int(m[0].val.type, KZ_JSON_NUMBER, "type");
    is_str(&m[1].key, "b\\n", "an escaped key as written");
    ok(m[1].escaped && !m[0].escaped, "is marked");
    is_int(kz_json_key_is(&m[1], "b\n", 2), NGX_OK, "and compared decoded");
    is_int(kz_json_key_is(&m[1], "b\\n", 3), NGX_DECLINED, "only so");
    is_str(&m[1].val.raw, "\"x\\\"y\"", "a string as written");
    ok(m[1].val.escaped && !m[0].val.escaped, "is marked, too");
    is_str(&m[2].val.raw, "{\"c\":[true, \"}\"]}", "a nested value");
    ok(!m[2].val.escaped && m[2].val.type == KZ_JSON_OBJECT, "its type");
    free(copy);

    passed = 1;

    for (cut = 0; cut < sizeof(text) - 2; cut++) {
        n = 4;
        copy = kz_shim_copy(text, cut);
        rc = kz_json_scan_object(copy, cut, DEPTH, m, &n, &err);

        if (rc != NGX_ERROR || strcmp(err.what, END) != 0) {
            passed = 0;
        }

        free(copy);
    }

    ok(passed, "cut anywhere it ends too early");

    n = 2;
    is_int(kz_json_scan_object(lit(text), DEPTH, m, &n, &err), NGX_ERROR,
           "more members than room");
    is_text(err.what, strlen(err.what), "Too many members in JSON object",
            "says so");
    n = 0;
    is_int(kz_json_scan_object(lit("{}"), DEPTH, m, &n, &err), NGX_OK,
           "an empty object needs no room");
    n = 4;
    is_int(kz_json_scan_object(lit(" [1]"), DEPTH, m, &n, &err),
           NGX_DECLINED, "an array is no object");
    is_int(n, 0, "without members");
    n = 4;
    is_int(kz_json_scan_object(lit("[1"), DEPTH, m, &n, &err), NGX_ERROR,
           "half an array is an error");
    n = 4;
    is_int(kz_json_scan_object(lit("{} ,"), DEPTH, m, &n, &err), NGX_ERROR,
           "something after it");
    n = 4;
    is_int(kz_json_scan_object(lit("{\"a\":1,}"), DEPTH, m, &n, &err),
           NGX_ERROR, "a comma too much");
    n = 4;
    is_int(kz_json_scan_object(lit("{\"a\":1;"), DEPTH, m, &n, &err),
           NGX_ERROR, "no comma");
    n = 4;
    is_int(kz_json_scan_object(lit("{\"a\":tru}"), DEPTH, m, &n, &err),
           NGX_ERROR, "a bad value");

    is_int(kz_json_scan(lit(" \"a\\u0041\" "), 9, &v, &err), NGX_OK,
           "a string as root");
    is_str(&v.raw, "\"a\\u0041\"", "without the space around it");
    ok(v.escaped, "and marked");
}


static void
test_lookup(void)
{
    ngx_str_t         path;
    ngx_uint_t        n;
    kz_json_val_t     root, v;
    kz_json_iter_t    it;
    kz_json_member_t  m;

#define lookup(p)                                                             \
    (path.data = (u_char *) (p), path.len = sizeof(p) - 1,                    \
     kz_json_path(&root, &path, &v))

    parse("{\"a\":1, \"\\u0061\": 2 ,\"b\":{\"c\":{\"d\":[1,{\"e\":0}]}, "
          "\"c.d\":\"lit\", \"x.y\":true},\"b.c.d\":8,\"q\":{\"a\":1},"
          "\"q\":3,\"\":{\"\":5}, \"n\":{\"c\":1,\"n.c\":2}}", &root);

    is_int(kz_json_get(&root, "a", 1, &v), NGX_OK, "finds a member");
    is_str(&v.raw, "2", "the last one of that name, however written");
    is_int(kz_json_get(&root, "z", 1, &v), NGX_DECLINED, "or none");
    is_int(kz_json_get(&root, "d", 1, &v), NGX_DECLINED,
           "not one further down");
    is_int(kz_json_get(&v, "a", 1, &v), NGX_DECLINED,
           "not in a number");

    is_int(lookup("b.c.d"), NGX_OK, "a path");
    is_str(&v.raw, "[1,{\"e\":0}]", "nested before literal");
    is_int(lookup("b.x.y"), NGX_OK, "a literal key at the end of a path");
    is_str(&v.raw, "true", "found");
    is_int(lookup("b.c.z"), NGX_DECLINED, "absent at the end");
    is_int(lookup("a.b"), NGX_DECLINED, "not through a number");
    is_int(lookup("b.c.d.0"), NGX_DECLINED, "not through an array");
    is_int(lookup("q.a"), NGX_DECLINED,
           "not through an object that was overwritten");
    is_int(lookup("q"), NGX_OK, "one name");
    is_str(&v.raw, "3", "the last one");
    is_int(lookup("."), NGX_OK, "empty names");
    is_str(&v.raw, "5", "are names");
    is_int(lookup("n.c"), NGX_OK, "nested");
    is_str(&v.raw, "1", "is found");
    is_int(lookup(""), NGX_OK, "the empty path is the empty name");

    parse("[ 1 , \"a\" ,[],{ } , null]", &root);

    kz_json_iter(&it, &root);

    for (n = 0; kz_json_next(&it, &v) == NGX_OK; n++) { /* void */ }

    is_int(n, 5, "elements of an array");
    is_int(v.type, KZ_JSON_NULL, "the last is null");
    is_int(kz_json_next(&it, &v), NGX_DONE, "done stays done");

    kz_json_iter(&it, &v);
    is_int(kz_json_next(&it, &v), NGX_DONE, "null has no elements");
    is_int(kz_json_next_member(&it, &m), NGX_DONE, "nor members");

    kz_json_value(root.raw.data, root.raw.data, &v);
    is_int(v.type, KZ_JSON_NONE, "no bytes, no value");
    ok(kz_json_is_scalar(&(kz_json_val_t) { .type = KZ_JSON_NULL })
       && !kz_json_is_scalar(&root), "scalars");
}


static void
test_walk_hostile(void)
{
    size_t             cut;
    u_char            *copy;
    kz_json_val_t      v;

    static const char  text[] = "{\"a\\\\\":[1,\"]\\\"\",{\"b\":-1.5e3}],"
                                "\"\\ud83d\\ude00\\u00e9\\ud800\":true}";

    /* not valid, yet nothing may be read behind it: for the sanitizer */

    for (cut = 0; cut < sizeof(text); cut++) {
        copy = kz_shim_copy(text, cut);
        kz_json_value(copy, copy + cut, &v);
        (void) walk(&v);
        (void) kz_json_get(&v, "b", 1, &v);
        (void) kz_json_compact(copy, copy, cut);
        free(copy);

        if (cut == 0) {
            continue;
        }

        v.type = KZ_JSON_STRING;
        v.escaped = 1;
        v.raw.data = kz_shim_copy(text + sizeof(text) - 1 - cut, cut);
        v.raw.len = cut;
        (void) walk(&v);
        (void) kz_json_string_is(&v, lit("\xf0\x9f\x98\x80"));
        v.type = KZ_JSON_OBJECT;
        (void) walk(&v);
        free(v.raw.data);
    }

    ok(1, "walking half a text stays inside");
}


static void
test_string(void)
{
    ngx_str_t      s;
    ngx_uint_t     i;
    kz_json_val_t  v;

    static const struct {
        const char  *json;
        const char  *text;
    } strings[] = {
        { "\"\"", "" },
        { "\"abc\"", "abc" },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"x\\u0041y\\u00e9\\u20AC\"", "xAy\xc3\xa9\xe2\x82\xac" },
        { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
        { "\"\\uDBFF\\uDFFF\"", "\xf4\x8f\xbf\xbf" },
        { "\"\\ud800\"", "\xef\xbf\xbd" },
        { "\"\\udc00\"", "\xef\xbf\xbd" },
        { "\"\\ud800x\"", "\xef\xbf\xbdx" },
        { "\"\\ud800\\uffff\"", "\xef\xbf\xbd\xef\xbf\xbf" },
        { "\"\\udc00\\udc00\"", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\"\\ud800\\n\"", "\xef\xbf\xbd\n" },
        { "\"\\ud800\\u0041\"", "\xef\xbf\xbd" "A" },
        { "\"\\ud800\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
        { "\"\\udc00\\ud800\"", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\"\xe2\x82\xac\\u20ac\"", "\xe2\x82\xac\xe2\x82\xac" }
    };

    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        parse(strings[i].json, &v);

        ok(kz_json_string(pool, &v, &s) == NGX_OK, "decodes");
        is_str(&s, strings[i].text, strings[i].json);

        is_int(kz_json_string_is(&v, (u_char *) strings[i].text,
                                 strlen(strings[i].text)),
               NGX_OK, "compares equal without decoding");

        s.len += 1;
        is_int(kz_json_string_is(&v, (u_char *) strings[i].text, s.len),
               NGX_DECLINED, "but not with a byte more");

        if (s.len > 1) {
            is_int(kz_json_string_is(&v, (u_char *) strings[i].text,
                                     s.len - 2),
                   NGX_DECLINED, "nor with one less");
        }
    }

    parse("\"a\\u0000b\"", &v);
    (void) kz_json_string(pool, &v, &s);
    is_bytes(s.data, s.len, "a\0b", 3, "a zero is a character");

    parse("\"plain\"", &v);
    (void) kz_json_string(pool, &v, &s);
    ok(s.data == v.raw.data + 1, "without escapes nothing is copied");

    parse("\"\\n\"", &v);
    kz_shim_allocations = 0;
    is_int(kz_json_string(pool, &v, &s), NGX_ERROR, "no memory");
    kz_shim_allocations = -1;

    s.data = kz_shim_copy("a\\u0041\\n", 9);
    s.len = kz_json_unescape(s.data, s.data, 9) - s.data;
    is_str(&s, "aA\n", "decodes in place");
    free(s.data);
}


static void
test_number(void)
{
    char          *text;
    double         want;
    int64_t        n;
    ngx_uint_t     i;
    kz_json_val_t  v;

    static const char  *doubles[] = {
        "0", "1", "-1", "12.5", "-0.1", "0.30000000000000004", "1e22",
        "1e23", "123456789012345", "123456789012345678", "1.5e-7", "5e-324",
        "2.4703282292062327208e-324", "2.4703282292062328e-324", "1e308",
        "1.7976931348623157e308", "1.7976931348623159e308", "1e400",
        "-1e400", "1e-400", "0e999999999999999999999", "0.000001e6",
        "9007199254740993", "9007199254740992.999999999999999999",
        "1e99999999999999999999999999", "1e-99999999999999999999999999",
        "806031015877463607e-21", "127568478591052136e-19",
        "100000000000000000000000000000", "3.141592653589793238462643383279"
    };

    static const struct {
        const char  *text;
        int64_t      n;
        ngx_int_t    rc;
    } ints[] = {
        { "0", 0, NGX_OK }, { "-0", 0, NGX_OK }, { "42", 42, NGX_OK },
        { "-42", -42, NGX_OK }, { "1e3", 1000, NGX_OK },
        { "1.50e1", 15, NGX_OK }, { "1000e-3", 1, NGX_OK },
        { "9223372036854775807", INT64_MAX, NGX_OK },
        { "-9223372036854775808", INT64_MIN, NGX_OK },
        { "9223372036854775808", 0, NGX_DECLINED },
        { "-9223372036854775809", 0, NGX_DECLINED },
        { "9223372036854775807.0", INT64_MAX, NGX_OK },
        { "18446744073709551616", 0, NGX_DECLINED },
        { "1e18", 1000000000000000000, NGX_OK },
        { "1e19", 0, NGX_DECLINED }, { "1e400", 0, NGX_DECLINED },
        { "1.5", 0, NGX_DECLINED }, { "1e-1", 0, NGX_DECLINED },
        { "0.0e5", 0, NGX_OK }, { "true", 0, NGX_DECLINED },
        { "\"1\"", 0, NGX_DECLINED }
    };

    for (i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
        parse(doubles[i], &v);
        want = strtod(doubles[i], NULL);
        ok(kz_json_double(&v) == want, "%s is %.17g", doubles[i], want);
    }

    parse("-0", &v);
    ok(signbit(kz_json_double(&v)), "minus zero");
    parse("true", &v);
    ok(isnan(kz_json_double(&v)), "true is not a number");

    /* between 1 and the next double; only the last digit says where */

    text = malloc(100002);
    memset(text, '0', 100001);
    text[100001] = '\0';
    memcpy(text, "1.00000000000000011102230246251565404236316680908203125",
           55);
    parse(text, &v);
    ok(kz_json_double(&v) == 1.0, "a tie goes to the even one");
    text[100000] = '1';
    parse(text, &v);
    ok(kz_json_double(&v) > 1.0, "unless the 100000th digit is not zero");
    is_int(kz_json_int(&v, &n), NGX_DECLINED, "no integer");
    text[1] = '0';
    parse(text, &v);
    ok(isinf(kz_json_double(&v)), "100001 digits are infinite");
    memcpy(text, "0.", 2);
    memset(text + 2, '0', 99990);
    strcpy(text + 99992, "15e99992");
    parse(text, &v);
    ok(kz_json_double(&v) == 15.0, "a long way to 15");
    is_int(kz_json_int(&v, &n), NGX_OK, "as an integer, too");
    is_int(n, 15, "fifteen");
    free(text);

    for (i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
        parse(ints[i].text, &v);
        n = 0;
        ok(kz_json_int(&v, &n) == ints[i].rc && n == ints[i].n,
           "integer %s", ints[i].text);
    }
}


static void
test_compact(void)
{
    size_t         len;
    u_char        *last, out[200];

    static const char  text[] = " { \"a b\" : [ 1 , \"x \\\" y\" ,\n\ttrue ] "
                                ",\r\n\"c\":{ }, \"d\\\\\" : null } ";
    static const char  want[] = "{\"a b\":[1,\"x \\\" y\",true],"
                                "\"c\":{},\"d\\\\\":null}";

    last = kz_json_compact(out, lit(text));
    is_text(out, last - out, want, "without the white space");

    memcpy(out, text, sizeof(text));
    last = kz_json_compact(out, out, sizeof(text) - 1);
    is_text(out, last - out, want, "in place");

    len = last - out;
    last = kz_json_compact(out, out, len);
    is_text(out, last - out, want, "again: nothing to do");

    last = kz_json_compact(out, lit(" "));
    is_int(last - out, 0, "nothing");
}


static void
test_merge(void)
{
    u_char         *big, *p;
    ngx_int_t       i, rc;
    ngx_str_t       out;
    kz_json_val_t   old, changes;

    static const struct {
        const char  *old;
        const char  *changes;
        const char  *want;
    } merges[] = {
        { "{}", "{}", "{}" },
        { "{\"a\":1}", "{}", "{\"a\":1}" },
        { "{}", "{\"a\":1}", "{\"a\":1}" },
        { "{\"a\":1,\"b\":2}", "{\"c\":3,\"a\":null}",
          "{\"a\":null,\"b\":2,\"c\":3}" },
        { "{\"a\":{\"x\":1,\"y\":{\"z\":1}}}", "{\"a\":{\"y\":{\"w\":2}}}",
          "{\"a\":{\"x\":1,\"y\":{\"z\":1,\"w\":2}}}" },
        { "{\"a\":[1,2]}", "{\"a\":[3]}", "{\"a\":[3]}" },
        { "{\"a\":{\"b\":1}}", "{\"a\":[]}", "{\"a\":[]}" },
        { "{\"a\":1}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}" },
        { "{\"a\":1,\"a\":2}", "{\"b\":1,\"b\":{\"c\":1,\"c\":2}}",
          "{\"a\":2,\"b\":{\"c\":2}}" },
        { "{\"a\":{\"x\":1},\"a\":{\"y\":1}}", "{\"a\":{\"z\":1}}",
          "{\"a\":{\"y\":1,\"z\":1}}" },
        { "{\"a\":{\"x\":1}}", "{\"a\":1,\"\\u0061\":{\"z\":1}}",
          "{\"a\":{\"x\":1,\"z\":1}}" },
        { "{ \"a\" : [ 1 , { \"b\" : 1, \"b\" : 2 } ] }", "{ \"c\" : [ ] }",
          "{\"a\":[1,{\"b\":2}],\"c\":[]}" },
        { "{\"a\\n\":1}", "{\"a\\u000a\":2}", "{\"a\\n\":2}" },
        { "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,"
          "\"i\":9,\"j\":10,\"k\":11,\"l\":12,\"m\":13}",
          "{\"n\":14,\"a\":0,\"o\":{\"p\":1},\"m\":0,\"n\":15}",
          "{\"a\":0,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,"
          "\"i\":9,\"j\":10,\"k\":11,\"l\":12,\"m\":0,\"n\":15,"
          "\"o\":{\"p\":1}}" }
    };

    for (i = 0; i < (ngx_int_t) (sizeof(merges) / sizeof(merges[0])); i++) {
        parse(merges[i].old, &old);
        parse(merges[i].changes, &changes);

        rc = kz_json_merge(pool, &old, &changes, &out);

        ok(rc == NGX_OK, "merges");
        is_str(&out, merges[i].want, merges[i].want);
    }

    for (i = 0; i < 7; i++) {
        kz_shim_allocations = i;
        rc = kz_json_merge(pool, &old, &changes, &out);
        kz_shim_allocations = -1;

        if (rc == NGX_OK) {
            break;
        }
    }

    ok(i >= 4 && rc == NGX_OK, "fails cleanly when memory ends anywhere");

    /* 60000 members of one name: would take minutes comparing each pair */

    big = ngx_pnalloc(pool, 60000 * 12 + 2);
    p = big;
    *p++ = '{';

    for (i = 0; i < 60000; i++) {
        p = ngx_sprintf(p, "\"%05i\":%i,", i / 2, i % 10);
    }

    p[-1] = '}';
    kz_json_value(big, p, &old);
    parse("{\"00000\":{}}", &changes);
    rc = kz_json_merge(pool, &old, &changes, &out);
    ok(rc == NGX_OK, "a large object");
    is_text(out.data, 30, "{\"00000\":{},\"00001\":3,\"00002\":",
            "the place of the first, the value of the last");
    is_int(out.len, 30000 * 10 + 2, "repeated keys are gone");
}


int
main(void)
{
    pool = kz_shim_pool();

    test_good();
    test_bad();
    test_bytes();
    test_depth();
    test_object();
    test_lookup();
    test_walk_hostile();
    test_string();
    test_number();
    test_compact();
    test_merge();

    ngx_destroy_pool(pool);

    return tap_done();
}
