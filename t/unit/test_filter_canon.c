
/*
 * The canonical form of filters: which share a text and which must not.
 *
 * sources: realtime/kz_filter.c realtime/kz_filter_canon.c
 * sources: realtime/kz_filter_check.c realtime/kz_filter_kind.c
 * sources: realtime/kz_filter_leaf.c realtime/kz_filter_match.c
 * sources: realtime/kz_filter_parse.c realtime/kz_filter_run.c
 * sources: realtime/kz_filter_set.c realtime/kz_filter_simplify.c
 * sources: realtime/kz_filter_span.c realtime/kz_filter_trie.c
 */

#include "kz_shim.h"
#include "tap.h"
#include "realtime/kz_filter.h"


#define DEPTH  256


static kz_filter_limits_t  no_limits = { 0, 0, 0 };
static kz_filter_err_t     err;


/* *copy has to be given back with free() */
static kz_json_val_t
json(const char *text, u_char **copy)
{
    size_t          len;
    kz_json_val_t   v;
    kz_json_err_t   e;

    len = strlen(text);
    *copy = kz_shim_copy(text, len);

    if (kz_json_scan(*copy, len, DEPTH, &v, &e) != NGX_OK) {
        printf("Bail out! not JSON: %s\n", text);
        exit(1);
    }

    return v;
}


/* The text is gone before the filter is used: it must not refer to it. */
static kz_filter_t *
compile(ngx_pool_t *pool, const char *text, const kz_filter_limits_t *limits)
{
    u_char         *copy;
    ngx_int_t       rc;
    kz_filter_t    *f;
    kz_json_val_t   v;

    v = json(text, &copy);
    f = NULL;
    rc = kz_filter_compile(pool, &v, limits, &f, &err);
    free(copy);

    return (rc == NGX_OK) ? f : NULL;
}


typedef struct {
    const char  *filter;
    const char  *text;
} canon_t;


#define A1      "{\"equals\":{\"a\":1}}"
#define A2      "{\"equals\":{\"a\":2}}"
#define B1      "{\"equals\":{\"b\":1}}"
#define EA      "{\"exists\":\"a\"}"
#define EB      "{\"exists\":\"b\"}"
#define NO(f)   "{\"not\":" f "}"
#define AND(f)  "{\"and\":[" f "]}"
#define OR(f)   "{\"or\":[" f "]}"
#define R(r)    "{\"range\":{\"a\":{" r "}}}"

static const canon_t  canons[] = {
    { "{}", "{}" },
    { "null", "{}" },
    { "{\"nothing\":1}", "{\"nothing\":true}" },
    { NO("{\"nothing\":1}"), "{}" },
    { "{\"equals\":{\"a\":1.0}}", A1 },
    { "{\"equals\":{\"a\":1e0}}", A1 },
    { "{\"equals\":{\"a\":0.1}}", "{\"equals\":{\"a\":0.1}}" },
    { "{\"equals\":{\"a\":-0}}", "{\"equals\":{\"a\":0}}" },
    { "{\"equals\":{\"a\":123456789012}}",
      "{\"equals\":{\"a\":123456789012}}" },
    { "{\"equals\":{\"a\":1e400}}", "{\"equals\":{\"a\":1e999}}" },
    { "{\"equals\":{\"\\u0061\":\"\\u0078\"}}", "{\"equals\":{\"a\":\"x\"}}" },
    { "{\"equals\":{\"a\":5},\"equals\":{\"a\":1}}", A1 },
    { AND(B1 "," A1), AND(A1 "," B1) },
    { AND(A1 "," B1 "," A1), AND(A1 "," B1) },
    { AND(EB "," A1), AND(A1 "," EB) },
    { AND(A1), A1 },
    { OR(AND(B1 "," A1) "," AND(A1 "," B1)), AND(A1 "," B1) },
    { AND(A1 "," AND(B1 "," EB)), AND(A1 "," B1) },
    { "{\"in\":{\"a\":[\"y\",\"x\"]}}",
      OR("{\"equals\":{\"a\":\"x\"}},{\"equals\":{\"a\":\"y\"}}") },
    { "{\"in\":{\"a\":[\"x\"]}}", "{\"equals\":{\"a\":\"x\"}}" },
    { "{\"ids\":{\"values\":[\"x\"]}}", "{\"equals\":{\"_id\":\"x\"}}" },
    { "{\"missing\":\"a\"}", NO(EA) },
    { NO("{\"missing\":\"a\"}"), EA },
    { "{\"exists\":{\"field\":\"a\"}}", EA },
    { "{\"exists\":\"a[ 1.0 ]\"}", "{\"exists\":\"a[1]\"}" },
    { "{\"exists\":\"[\"}", "{\"exists\":\"\\\\[\"}" },
    { "{\"exists\":\"a\\\\[b\"}", "{\"exists\":\"a\\\\[b\"}" },
    { "{\"exists\":\"a[\\\"\\u0078]\\\"]\"}",
      "{\"exists\":\"a[\\\"x]\\\"]\"}" },
    { "{\"bool\":{\"must\":[" B1 "],\"should\":[" A1 "]}}",
      AND(A1 "," B1) },
    { NO(AND(A1 "," B1)), OR(NO(A1) "," NO(B1)) },
    { NO(OR(A1 "," B1)), AND(NO(A1) "," NO(B1)) },
    { AND(B1 "," OR(A1 "," A2)),
      OR(AND(A1 "," B1) "," AND(A2 "," B1)) },

    /* contradictions */
    { AND(A1 "," A2), "{\"nothing\":true}" },
    { AND(A1 "," NO(A1)), "{\"nothing\":true}" },
    { AND(EA "," "{\"missing\":\"a\"}"), "{\"nothing\":true}" },
    { AND(A1 "," "{\"missing\":\"a\"}"), "{\"nothing\":true}" },
    { AND(A1 "," R("\"gt\":1")), "{\"nothing\":true}" },
    { AND(A1 "," "{\"exists\":\"a[1]\"}"), "{\"nothing\":true}" },
    { AND(R("\"gt\":5") "," R("\"lt\":5")), "{\"nothing\":true}" },
    { AND(R("\"gt\":5") "," NO(R("\"gt\":4"))), "{\"nothing\":true}" },
    { OR(AND(A1 "," A2) "," B1), B1 },

    /* implications */
    { AND(A1 "," EA), A1 },
    { AND(A1 "," NO(A2)), A1 },
    { AND(A1 "," R("\"gte\":1")), A1 },
    { AND(NO(EA) "," NO(A1) "," NO(R("\"gt\":1"))), NO(EA) },
    { AND(R("\"gt\":1") "," R("\"lte\":5")), R("\"gt\":1,\"lte\":5") },
    { AND(R("\"gte\":5") "," R("\"lte\":5")), "{\"equals\":{\"a\":5}}" },
    { AND(R("\"gt\":5") "," NO(A1)), R("\"gt\":5") },
    { AND(R("\"gt\":5") "," NO(R("\"lt\":2"))), R("\"gt\":5") },
    { R("\"lte\":1e400"), R("\"lte\":1e999") },

    /* what others cover */
    { OR(A1 "," AND(A1 "," B1)), A1 },
    { OR(A1 "," NO(A1)), "{}" },
    { OR(A1 "," AND(NO(A1) "," B1)), OR(A1 "," B1) },
    { OR(AND(A1 "," B1) "," AND(A1 "," NO(B1))), A1 },
    { OR(EB "," NO(EB) "," A1), "{}" },
    { OR(AND(A1 "," B1) "," AND(NO(A1) "," NO(B1))),
      OR(AND(A1 "," B1) "," AND(NO(A1) "," NO(B1))) },
    { OR(AND(A1 "," B1) "," AND(NO(A1) "," EB)),
      OR(AND(A1 "," B1) "," AND(NO(A1) "," EB)) },
};


/* Filters that must not share a text. */

static const char  *different[] = {
    "{}", "{\"nothing\":1}", A1, A2, B1, EA, EB, NO(A1), NO(EA),
    "{\"equals\":{\"a\":\"1\"}}", "{\"equals\":{\"a\":true}}",
    "{\"equals\":{\"a\":null}}", "{\"equals\":{\"a\":false}}",
    "{\"equals\":{\"a\":\"true\"}}", "{\"equals\":{\"a.b\":1}}",
    "{\"equals\":{\"\":1}}", "{\"equals\":{\"a\":\"\"}}",
    "{\"equals\":{\"a\":9007199254740993}}",
    "{\"equals\":{\"a\":9007199254740994}}",
    "{\"equals\":{\"a\":0.1}}", "{\"equals\":{\"a\":0.10000000000000002}}",
    "{\"exists\":\"a[1]\"}", "{\"exists\":\"a\\\\[1\\\\]\"}",
    "{\"exists\":\"a[\\\"1\\\"]\"}", AND(A1 "," B1), OR(A1 "," B1),
    AND(A1 "," NO(B1)), R("\"gt\":1"), R("\"gte\":1"), R("\"lt\":1"),
    R("\"lte\":1"), R("\"gt\":1,\"lt\":2"), NO(R("\"gt\":1")),
    AND(R("\"gt\":1") "," B1), AND(NO(A1) "," NO(A2)),
    "{\"equals\":{\"a\":1e400}}", "{\"equals\":{\"a\":-1e400}}"
};


static void
test_canon(void)
{
    char           text[1024];
    int            same;
    ngx_pool_t    *pool;
    ngx_uint_t     i, j, n;
    kz_filter_t   *f, *g, *fs[64];

    for (i = 0; i < sizeof(canons) / sizeof(canons[0]); i++) {
        pool = kz_shim_pool();

        f = compile(pool, canons[i].filter, &no_limits);

        if (f == NULL) {
            ok(0, "%s compiles", canons[i].filter);
            continue;
        }

        is_str(kz_filter_text(f), canons[i].text, canons[i].filter);

        snprintf(text, sizeof(text), "%.*s", (int) kz_filter_text(f)->len,
                 kz_filter_text(f)->data);
        g = compile(pool, text, &no_limits);

        ok(g != NULL && kz_filter_text(g)->len == kz_filter_text(f)->len
           && strcmp(text, canons[i].text) == 0, "and that is canonical");

        ngx_destroy_pool(pool);
    }

    pool = kz_shim_pool();
    n = sizeof(different) / sizeof(different[0]);

    for (i = 0; i < n; i++) {
        fs[i] = compile(pool, different[i], &no_limits);
    }

    for (i = 0; i < n; i++) {
        same = 0;

        for (j = 0; j < n; j++) {
            same += (kz_filter_text(fs[i])->len == kz_filter_text(fs[j])->len
                     && memcmp(kz_filter_text(fs[i])->data,
                               kz_filter_text(fs[j])->data,
                               kz_filter_text(fs[i])->len) == 0);
        }

        ok(same == 1, "%s is like no other", different[i]);
    }

    ngx_destroy_pool(pool);
}


int
main(void)
{
    test_canon();

    return tap_done();
}
