
/*
 * Filters: operators and their negations, refusals in the words of both
 * generations, bounds.
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
#include "util/kz_utf8.h"

#include <time.h>


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


static int
matches(kz_filter_t *f, const char *text, const char *id)
{
    int             rc;
    u_char         *copy;
    ngx_str_t       s;
    kz_json_val_t   v;

    v = json(text, &copy);

    s.data = (u_char *) id;
    s.len = id ? strlen(id) : 0;

    rc = kz_filter_match(f, &v, id ? &s : NULL);
    free(copy);

    return rc;
}


/* Operators.  Each line is tried negated, and twice: also in a set. */

typedef struct {
    const char  *filter;
    const char  *doc;
    int          expected;
} op_t;


static const op_t  ops[] = {
    { "{}", "{\"a\":1}", 1 },
    { "{}", "{}", 1 },
    { "{\"nothing\":true}", "{\"a\":1}", 0 },
    { "{\"nothing\":{\"any\":[1]}}", "{}", 0 },

    { "{\"equals\":{\"a\":1}}", "{\"a\":1}", 1 },
    { "{\"equals\":{\"a\":1}}", "{\"a\":1.0}", 1 },
    { "{\"equals\":{\"a\":1}}", "{\"a\":10e-1}", 1 },
    { "{\"equals\":{\"a\":0}}", "{\"a\":-0.0}", 1 },
    { "{\"equals\":{\"a\":1}}", "{\"a\":2}", 0 },
    { "{\"equals\":{\"a\":1}}", "{\"a\":\"1\"}", 0 },
    { "{\"equals\":{\"a\":\"1\"}}", "{\"a\":1}", 0 },
    { "{\"equals\":{\"a\":1}}", "{\"a\":true}", 0 },
    { "{\"equals\":{\"a\":1}}", "{}", 0 },
    { "{\"equals\":{\"a\":1}}", "{\"a\":[1]}", 0 },
    { "{\"equals\":{\"a\":1}}", "{\"a\":{\"a\":1}}", 0 },
    { "{\"equals\":{\"a\":null}}", "{\"a\":null}", 1 },
    { "{\"equals\":{\"a\":null}}", "{\"b\":null}", 0 },
    { "{\"equals\":{\"a\":null}}", "{\"a\":false}", 0 },
    { "{\"equals\":{\"a\":true}}", "{\"a\":true}", 1 },
    { "{\"equals\":{\"a\":true}}", "{\"a\":false}", 0 },
    { "{\"equals\":{\"a\":false}}", "{\"a\":false}", 1 },
    { "{\"equals\":{\"a\":\"\"}}", "{\"a\":\"\"}", 1 },
    { "{\"equals\":{\"a\":\"x\\\"y\"}}", "{\"a\":\"\\u0078\\u0022y\"}", 1 },
    { "{\"equals\":{\"a\":\"\\u00e9\"}}", "{\"a\":\"\xc3\xa9\"}", 1 },
    { "{\"equals\":{\"a\":\"\xc3\xa9\"}}", "{\"a\":\"\\u00E9\"}", 1 },
    { "{\"equals\":{\"a\":\"x\"}}", "{\"a\":\"\\u0078\\u0078\"}", 0 },
    { "{\"equals\":{\"a\":\"a long string, longer than a word\"}}",
      "{\"a\":\"a long string, longer than a word\"}", 1 },
    { "{\"equals\":{\"a\":\"a long string, longer than a word\"}}",
      "{\"a\":\"a long string, longer than a Word\"}", 0 },
    { "{\"equals\":{\"a\":1e400}}", "{\"a\":1e500}", 1 },
    { "{\"equals\":{\"a\":1e400}}", "{\"a\":-1e500}", 0 },

    { "{\"equals\":{\"a.b\":1}}", "{\"a\":{\"b\":1}}", 1 },
    { "{\"equals\":{\"a.b\":1}}", " {\n\"a\" : { \"b\" :\t1 } } ", 1 },
    { "{\"equals\":{\"a.b\":1}}", "{\"a.b\":1}", 1 },
    { "{\"equals\":{\"a.b\":1}}", "{\"a\\u002eb\":1}", 1 },
    { "{\"equals\":{\"a.b\":1}}", "{\"\\u0061\":{\"b\":1}}", 1 },
    { "{\"equals\":{\"a.b\":1}}", "{\"a.b\":1,\"a\":{\"c\":2}}", 1 },
    { "{\"equals\":{\"a.b\":1}}", "{\"a\":{\"b\":2},\"a.b\":1}", 1 },
    { "{\"equals\":{\"a.b\":1}}", "{\"a.b\":1,\"a\":{\"b\":2}}", 0 },
    { "{\"equals\":{\"a.b\":1}}", "{\"a\":[{\"b\":1}]}", 0 },
    { "{\"equals\":{\"a.b\":1}}", "{\"a\":{\"c\":{\"b\":1}}}", 0 },
    { "{\"equals\":{\"a.b.c\":1}}", "{\"a.b\":{\"c\":1}}", 1 },
    { "{\"equals\":{\"a.b.c\":1}}", "{\"a\":{\"b.c\":1}}", 1 },
    { "{\"equals\":{\"a.b.c\":1}}",
      "{\"x\":[1,{\"a\":{}}],\"a\":{\"x\":{},\"b\":{\"c\":1}},\"y\":2}", 1 },
    { "{\"equals\":{\"\":1}}", "{\"\":1}", 1 },
    { "{\"equals\":{\"a..b\":1}}", "{\"a\":{\"\":{\"b\":1}}}", 1 },
    { "{\"equals\":{\"a\":1}}", "{\"a\":2,\"a\":1}", 1 },
    { "{\"equals\":{\"a\":1}}", "{\"a\":1,\"a\":2}", 0 },
    { "{\"equals\":{\"a.b\":1}}", "{\"a\":{\"b\":1},\"a\":{\"c\":1}}", 0 },
    { "{\"equals\":{\"a.b\":1}}", "{\"a\":{\"b\":1},\"a\":5}", 0 },
    { "{\"equals\":{\"a.b\":1}}",
      "{\"a\":{\"b\":1},\"a\":0,\"a\":{\"c\":2,\"b\":1}}", 1 },

    { "{\"in\":{\"a\":[\"x\",\"y\"]}}", "{\"a\":\"y\"}", 1 },
    { "{\"in\":{\"a\":[\"x\",\"y\"]}}", "{\"a\":\"z\"}", 0 },
    { "{\"in\":{\"a\":[\"x\",\"y\"]}}", "{}", 0 },
    { "{\"in\":{\"a\":[\"x\",\"x\"]}}", "{\"a\":\"x\"}", 1 },

    { "{\"exists\":\"a\"}", "{\"a\":null}", 1 },
    { "{\"exists\":\"a\"}", "{\"a\":{}}", 1 },
    { "{\"exists\":\"a\"}", "{\"a\":{\"b\":1}}", 1 },
    { "{\"exists\":\"a\"}", "{\"b\":1}", 0 },
    { "{\"exists\":{\"field\":\"a\"}}", "{\"a\":0}", 1 },
    { "{\"exists\":\"a.b\"}", "{\"a\":{\"b\":[]}}", 1 },
    { "{\"exists\":\"a\"}", "{\"a.b\":1}", 0 },
    { "{\"exists\":\"a[\\\"x\\\"]\"}", "{\"a\":[1,\"x\"]}", 1 },
    { "{\"exists\":\"a[\\\"x\\\"]\"}", "{\"a\":[\"\\u0078\"]}", 1 },
    { "{\"exists\":\"a[\\\"x\\\"]\"}", "{\"a\":\"x\"}", 0 },
    { "{\"exists\":\"a[\\\"x\\\"]\"}", "{\"a\":[[\"x\"]]}", 0 },
    { "{\"exists\":\"a[3]\"}", "{\"a\":[1,3.0,5]}", 1 },
    { "{\"exists\":\"a[3]\"}", "{\"a\":[\"3\"]}", 0 },
    { "{\"exists\":\"a[null]\"}", "{\"a\":[null]}", 1 },
    { "{\"exists\":\"a[null]\"}", "{\"a\":[]}", 0 },
    { "{\"exists\":\"a.b[true]\"}", "{\"a\":{\"b\":[{},true]}}", 1 },
    { "{\"exists\":\"a\\\\[1\\\\]\"}", "{\"a[1]\":0}", 1 },
    { "{\"exists\":\"a\\\\[1\\\\]\"}", "{\"a\":[1]}", 0 },
    { "{\"exists\":\"a\\\\[1\\\\][2]\"}", "{\"a[1]\":[2]}", 1 },
    { "{\"exists\":\"a[\\\"[\\\"]\"}", "{\"a\":[\"[\"]}", 1 },
    { "{\"exists\":\"[1]\"}", "{\"[1]\":0}", 1 },

    { "{\"missing\":\"a\"}", "{\"a\":null}", 0 },
    { "{\"missing\":\"a\"}", "{}", 1 },
    { "{\"missing\":{\"field\":\"a\"}}", "{\"b\":1}", 1 },
    { "{\"missing\":\"a[1]\"}", "{\"a\":[1]}", 0 },
    { "{\"missing\":\"a[1]\"}", "{\"a\":[2]}", 1 },
    { "{\"missing\":\"a[1]\"}", "{\"a\":1}", 1 },
    { "{\"missing\":\"a[1]\"}", "{}", 1 },

    { "{\"range\":{\"a\":{\"gte\":1,\"lte\":5}}}", "{\"a\":1}", 1 },
    { "{\"range\":{\"a\":{\"gte\":1,\"lte\":5}}}", "{\"a\":5}", 1 },
    { "{\"range\":{\"a\":{\"gte\":1,\"lte\":5}}}", "{\"a\":0.9999999999}", 0 },
    { "{\"range\":{\"a\":{\"gte\":1,\"lte\":5}}}", "{\"a\":\"3\"}", 0 },
    { "{\"range\":{\"a\":{\"gte\":1,\"lte\":5}}}", "{}", 0 },
    { "{\"range\":{\"a\":{\"gte\":1,\"lte\":5}}}", "{\"a\":[3]}", 0 },
    { "{\"range\":{\"a\":{\"gt\":1}}}", "{\"a\":1}", 0 },
    { "{\"range\":{\"a\":{\"gt\":1}}}", "{\"a\":1.00000000005}", 1 },
    { "{\"range\":{\"a\":{\"gt\":1e9}}}", "{\"a\":1000000000}", 0 },
    { "{\"range\":{\"a\":{\"lt\":1}}}", "{\"a\":1}", 0 },
    { "{\"range\":{\"a\":{\"lt\":1}}}", "{\"a\":-5e300}", 1 },
    { "{\"range\":{\"a\":{\"lte\":-1}}}", "{\"a\":-1}", 1 },
    { "{\"range\":{\"a.b\":{\"gt\":0}}}", "{\"a\":{\"b\":7}}", 1 },

    { "{\"ids\":{\"values\":[\"i\",\"j\"]}}", "{}", 1 },
    { "{\"ids\":{\"values\":[\"j\"]}}", "{}", 0 },
    { "{\"ids\":{\"values\":[\"j\"]}}", "{\"_id\":\"j\"}", 0 },
    { "{\"equals\":{\"_id\":\"i\"}}", "{\"\\u005fid\":\"j\"}", 1 },
    { "{\"exists\":\"_id\"}", "{}", 1 },
    { "{\"exists\":\"_id.x\"}", "{\"_id\":{\"x\":1}}", 0 },

    { "{\"and\":[{\"equals\":{\"a\":1}},{\"exists\":\"b\"}]}",
      "{\"a\":1,\"b\":0}", 1 },
    { "{\"and\":[{\"equals\":{\"a\":1}},{\"exists\":\"b\"}]}",
      "{\"a\":1}", 0 },
    { "{\"or\":[{\"equals\":{\"a\":1}},{\"exists\":\"b\"}]}",
      "{\"b\":0}", 1 },
    { "{\"or\":[{\"equals\":{\"a\":1}},{\"exists\":\"b\"}]}",
      "{\"c\":0}", 0 },
    { "{\"and\":[{\"or\":[{\"equals\":{\"a\":1}},{\"equals\":{\"a\":2}}]},"
      "{\"or\":[{\"equals\":{\"b\":1}},{\"equals\":{\"b\":2}}]}]}",
      "{\"a\":2,\"b\":1}", 1 },
    { "{\"not\":{\"equals\":{\"a\":1}}}", "{}", 1 },
    { "{\"not\":{\"not\":{\"equals\":{\"a\":1}}}}", "{\"a\":1}", 1 },
    { "{\"not\":{\"range\":{\"a\":{\"gt\":1}}}}", "{\"a\":\"x\"}", 1 },
    { "{\"not\":{\"nothing\":1}}", "{}", 1 },

    { "{\"bool\":{\"must\":[{\"equals\":{\"a\":1}}],"
      "\"must_not\":[{\"equals\":{\"b\":1}},{\"equals\":{\"c\":1}}]}}",
      "{\"a\":1}", 1 },
    { "{\"bool\":{\"must\":[{\"equals\":{\"a\":1}}],"
      "\"must_not\":[{\"equals\":{\"b\":1}},{\"equals\":{\"c\":1}}]}}",
      "{\"a\":1,\"c\":1}", 0 },
    { "{\"bool\":{\"should\":[{\"equals\":{\"b\":1}},{\"exists\":\"c\"}]}}",
      "{\"c\":1}", 1 },
    { "{\"bool\":{\"should\":[{\"equals\":{\"b\":1}},{\"exists\":\"c\"}]}}",
      "{}", 0 },
    { "{\"bool\":{\"should_not\":[{\"exists\":\"b\"},{\"exists\":\"c\"}]}}",
      "{\"b\":1}", 1 },
    { "{\"bool\":{\"should_not\":[{\"exists\":\"b\"},{\"exists\":\"c\"}]}}",
      "{\"b\":1,\"c\":1}", 0 },
    { "{\"bool\":{\"must\":{\"exists\":\"a\"}}}", "{\"a\":1}", 1 },
    { "{\"bool\":{\"must\":[],\"should\":[{\"exists\":\"a\"}]}}",
      "{\"a\":1}", 1 },
    { "{\"bool\":{\"must\":[{\"exists\":\"a\"}],\"should\":null}}",
      "{\"a\":1}", 1 },
};


static void
count_hit(void *owner, void *data)
{
    (void) owner;

    (*(ngx_uint_t *) data)++;
}


/* How often a set of only this filter reports it. */
static ngx_uint_t
set_matches(kz_filter_t *f, const char *text, const char *id)
{
    u_char           *copy;
    ngx_str_t         s;
    ngx_uint_t        n;
    kz_json_val_t     v;
    kz_filter_set_t  *set;

    v = json(text, &copy);
    s.data = (u_char *) id;
    s.len = id ? strlen(id) : 0;
    n = 0;

    set = kz_filter_set_create(&kz_shim_log);
    kz_filter_set_add(set, f, NULL);
    kz_filter_set_match(set, &v, id ? &s : NULL, count_hit, &n);
    kz_filter_set_destroy(set);
    free(copy);

    return n;
}


static void
test_operators(void)
{
    char          text[1024];
    ngx_pool_t   *pool;
    ngx_uint_t    i;
    const op_t   *op;
    kz_filter_t  *f, *n;

    for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        op = &ops[i];
        pool = kz_shim_pool();

        f = compile(pool, op->filter, &no_limits);

        ok(f != NULL
           && matches(f, op->doc, "i") == op->expected
           && set_matches(f, op->doc, "i") == (ngx_uint_t) op->expected,
           "%s %s %s", op->filter, op->expected ? "matches" : "spares",
           op->doc);

        if (strcmp(op->filter, "{}") != 0) {
            snprintf(text, sizeof(text), "{\"not\":%s}", op->filter);
            n = compile(pool, text, &no_limits);

            ok(n != NULL
               && matches(n, op->doc, "i") == !op->expected
               && set_matches(n, op->doc, "i") == !op->expected,
               "its negation does not");
        }

        ngx_destroy_pool(pool);
    }
}


static void
test_id(void)
{
    ngx_pool_t   *pool;
    kz_filter_t  *f;

    pool = kz_shim_pool();
    f = compile(pool, "{\"ids\":{\"values\":[\"i\"]}}", &no_limits);

    ok(matches(f, "{\"_id\":\"i\"}", NULL), "without an id _id is a field");
    ok(!matches(f, "{\"_id\":\"i\"}", "j"), "an id overrides it");
    ok(!matches(f, "{}", NULL), "no id at all");

    ngx_destroy_pool(pool);
}


/* Refusals. */

typedef struct {
    const char  *filter;
    const char  *v1;
    const char  *v2;
} refusal_t;


#define EMPTY1  "must be a non-empty object"
#define RANGE1  "lower boundary must be strictly inferior to the upper one"

static const refusal_t  refusals[] = {
    { "{\"nothere\":{\"a\":1}}",
      "Unknown DSL keyword: nothere", "\"nothere\": unknown keyword" },
    { "{\"and\":[{\"nothere\":{\"a\":1}}]}",
      "Unknown DSL keyword: nothere", "\"and.nothere\": unknown keyword" },
    { "{\"Equals\":{\"a\":1}}",
      "Unknown DSL keyword: Equals", "\"Equals\": unknown keyword" },
    { "{\"equals\":{\"a\":1},\"exists\":\"a\"}",
      "Invalid filter syntax. Filters must have one keyword only",
      "Invalid filter syntax. Filters must have one keyword only" },
    { "{\"and\":[{\"equals\":{\"a\":1},\"exists\":\"a\"}]}",
      "Invalid filter syntax. Filters must have one keyword only",
      "\"and\": Invalid filter syntax. Filters must have one keyword only" },

    { "{\"equals\":1}", "\"equals\" " EMPTY1, "\"equals\": must be an object" },
    { "{\"equals\":[]}", "\"equals\" " EMPTY1,
      "\"equals\": must be an object" },
    { "{\"equals\":{}}", "\"equals\" " EMPTY1,
      "\"equals\": expected object to have exactly 1 property, got 0" },
    { "{\"equals\":{\"a\":1,\"b\":2}}",
      "\"equals\" can contain only one attribute",
      "\"equals\": expected object to have exactly 1 property, got 2" },
    { "{\"and\":[{\"not\":{\"equals\":{\"f\":[1]}}}]}",
      "\"f\" in \"equals\" must be either a string, a number, a boolean or "
      "null",
      "\"and.not.equals.f\": must either be a string, a number, a boolean, or "
      "null" },

    { "{\"in\":{\"a\":\"x\"}}", "Attribute \"a\" in \"in\" must be an array",
      "\"in.a\": must be an array" },
    { "{\"in\":{\"a\":[]}}", "Attribute \"a\" in  \"in\" cannot be empty",
      "\"in.a\": cannot be empty" },
    { "{\"in\":{\"a\":[1]}}",
      "Array \"a\" in keyword \"in\" can only contain strings",
      "\"in.a\": must hold only values of type \"string\"" },

    { "{\"ids\":{\"vals\":[]}}",
      "\"ids\" requires the following attribute: values",
      "\"ids\": the property \"values\" is missing" },
    { "{\"ids\":{\"values\":[]}}",
      "Attribute \"values\" in  \"ids\" cannot be empty",
      "\"ids.values\": cannot be empty" },
    { "{\"ids\":{\"values\":[null]}}",
      "Array \"values\" in keyword \"ids\" can only contain strings",
      "\"ids.values\": must hold only values of type \"string\"" },

    { "{\"exists\":\"\"}", "exists: cannot test empty field name",
      "\"exists\": cannot test empty field name" },
    { "{\"missing\":\"\"}", "missing: cannot test empty field name",
      "\"missing\": cannot test empty field name" },
    { "{\"exists\":1}", "\"exists\" " EMPTY1,
      "\"exists\": must be an object" },
    { "{\"exists\":{\"f\":\"a\"}}",
      "Attribute \"field\" in \"exists\" must be a string",
      "\"exists\": the property \"field\" is missing" },
    { "{\"exists\":{\"field\":\"\"}}",
      "exists: cannot test empty field name",
      "\"exists.field\": cannot be empty" },
    { "{\"exists\":{\"field\":1}}",
      "Attribute \"field\" in \"exists\" must be a string",
      "\"exists.field\": must be a string" },
    { "{\"missing\":\"a[x]\"}", "[missing] Invalid array value \"x\"",
      "\"missing\": contains an invalid array value (\"x\")" },
    { "{\"exists\":\"a[]\"}", "[exists] Invalid array value \"\"",
      "\"exists\": contains an invalid array value (\"\")" },
    { "{\"exists\":\"a[[1]]\"}", "[exists] Invalid array value \"[1]\"",
      "\"exists\": contains an invalid array value (\"[1]\")" },

    { "{\"range\":{\"age\":{\"gte\":10,\"lte\":1}}}",
      "\"range.age:\" " RANGE1, "\"range.age\": " RANGE1 },
    { "{\"range\":{\"age\":{\"gte\":5,\"lte\":5}}}",
      "\"range.age:\" " RANGE1, "\"range.age\": " RANGE1 },
    { "{\"range\":{\"a\":{}}}", "\"range.a\" " EMPTY1,
      "\"range.a\": must be a non-empty object" },
    { "{\"range\":{\"a\":5}}", "\"range.a\" " EMPTY1,
      "\"range.a\": must be an object" },
    { "{\"range\":{\"a\":{\"eq\":1}}}",
      "\"range.a\" accepts only the following attributes : gt, gte, lt, lte",
      "\"range.a\": \"eq\" is not an allowed attribute "
      "(allowed: gt,gte,lt,lte)" },
    { "{\"range\":{\"a\":{\"gt\":\"1\"}}}",
      "\"range.a.gt\" must be a number", "\"range.a.gt\": must be a number" },
    { "{\"range\":{\"a\":{\"gt\":1,\"gte\":1}}}",
      "\"range.a:\" only 1 lower boundary allowed",
      "\"range.a\": only 1 lower boundary allowed" },
    { "{\"range\":{\"a\":{\"lt\":1,\"lte\":1}}}",
      "\"range.a:\" only 1 upper boundary allowed",
      "\"range.a\": only 1 upper boundary allowed" },

    { "{\"and\":{}}", "Attribute \"and\" in \"and\" must be an array",
      "\"and\": must be an array" },
    { "{\"or\":[]}", "Attribute \"or\" in  \"or\" cannot be empty",
      "\"or\": cannot be empty" },
    { "{\"or\":[1]}", "\"or\" operand can only contain non-empty objects",
      "\"or\": can only contain non-empty objects" },
    { "{\"and\":[{\"exists\":\"a\"},{}]}",
      "\"and\" operand can only contain non-empty objects",
      "\"and\": can only contain non-empty objects" },
    { "{\"not\":[]}", "\"not\" " EMPTY1, "\"not\": must be an object" },
    { "{\"not\":{}}", "\"not\" " EMPTY1,
      "\"not\": expected object to have exactly 1 property, got 0" },

    { "{\"bool\":{}}", "\"bool\" " EMPTY1,
      "\"bool\": must be a non-empty object" },
    { "{\"bool\":{\"must\":[{\"exists\":\"a\"}],\"minimum_should_match\":1}}",
      "\"bool\" operand accepts only the following attributes: must, must_not,"
      " should, should_not",
      "\"bool\": \"minimum_should_match\" is not an allowed attribute "
      "(allowed: must,must_not,should,should_not)" },
    { "{\"bool\":{\"should\":[]}}",
      "Attribute \"or\" in  \"or\" cannot be empty",
      "\"bool.and.or\": cannot be empty" },
    { "{\"bool\":{\"must_not\":{\"exists\":\"a\"}}}",
      "Attribute \"or\" in \"or\" must be an array",
      "\"bool.and.not.or\": must be an array" },
    { "{\"bool\":{\"must\":[{\"foo\":1}]}}",
      "Unknown DSL keyword: foo", "\"bool.and.foo\": unknown keyword" },

    { "{\"regexp\":{\"a\":\"^x\"}}",
      "The keyword \"regexp\" is not supported by this server yet",
      "\"regexp\": the keyword \"regexp\" is not supported by this server "
      "yet" },
    { "{\"or\":[{\"geoDistance\":{}}]}",
      "The keyword \"geoDistance\" is not supported by this server yet",
      "\"or.geoDistance\": the keyword \"geoDistance\" is not supported by "
      "this server yet" },
    { "[]", "Invalid filter syntax. Filters must be objects",
      "Invalid filter syntax. Filters must be objects" }
};


static int
is_utf8(const ngx_str_t *s)
{
    uint32_t  state;

    state = KZ_UTF8_START;

    return kz_utf8_check(&state, s->data, s->len) == NGX_OK
           && state == KZ_UTF8_START;
}


static void
test_refusals(void)
{
    char                *text;
    size_t               len;
    ngx_pool_t          *pool;
    ngx_uint_t           i;
    const refusal_t     *r;

    static const char  *later[] = {
        "geoBoundingBox", "geoDistanceRange", "geoPolygon", "match", "select"
    };

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        r = &refusals[i];
        pool = kz_shim_pool();

        ok(compile(pool, r->filter, &no_limits) == NULL
           && err.fault == KZ_FILTER_SYNTAX, "%s is refused", r->filter);

        is_str(&err.message1, r->v1, "in old words");
        is_str(&err.message2, r->v2, "in new words");

        ngx_destroy_pool(pool);
    }

    text = malloc(5000);

    for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        pool = kz_shim_pool();
        sprintf(text, "{\"%s\":{}}", later[i]);

        ok(compile(pool, text, &no_limits) == NULL
           && err.fault == KZ_FILTER_SYNTAX
           && memmem(err.message2.data, err.message2.len, later[i],
                     strlen(later[i])) != NULL
           && memmem(err.message1.data, err.message1.len, "not supported", 13)
              != NULL,
           "%s is known, and not supported yet", later[i]);

        ngx_destroy_pool(pool);
    }

    /* e acute, often: cut between characters */

    for (i = 1500; i < 1504; i++) {
        pool = kz_shim_pool();
        strcpy(text, "{\"equals\":{\"");
        text += strlen(text);

        for (len = 0; len < i; len++) {
            strcpy(text + 2 * len, "\xc3\xa9");
        }

        memmove(text + (i & 1), text, 2 * len + 1);
        memset(text, 'x', i & 1);
        strcat(text, "\":[]}}");
        text -= strlen("{\"equals\":{\"");

        ok(compile(pool, text, &no_limits) == NULL
           && err.message1.len > 900 && err.message2.len > 450,
           "a long name is cut");
        ok(is_utf8(&err.message1) && is_utf8(&err.message2),
           "between two characters");

        ngx_destroy_pool(pool);
    }

    free(text);
}


/* Bounds. */

#define A1      "{\"equals\":{\"a\":1}}"
#define NO(f)   "{\"not\":" f "}"
#define OR(f)   "{\"or\":[" f "]}"


static char *
repeat(char *p, const char *text, ngx_uint_t n)
{
    while (n--) {
        p = stpcpy(p, text);
    }

    return p;
}


static double
seconds(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static char  words1[256], words2[256];


static void
too_complex(const char *text, const kz_filter_limits_t *limits,
    ngx_uint_t limit, ngx_uint_t received, const char *name)
{
    int          refused;
    double       start, took;
    ngx_pool_t  *pool;

    pool = kz_shim_pool();
    start = seconds();

    refused = (compile(pool, text, limits) == NULL);
    took = seconds() - start;

    ok(refused && err.fault == KZ_FILTER_TOO_COMPLEX, "%s", name);
    ok(err.limit == limit && (received == 0 || err.received == received),
       "limit %d, received %d", (int) err.limit, (int) err.received);
    ok(took < 2, "it took %.3f s", took);

    snprintf(words1, sizeof(words1), "%.*s", (int) err.message1.len,
             err.message1.data);
    snprintf(words2, sizeof(words2), "%.*s", (int) err.message2.len,
             err.message2.data);

    ngx_destroy_pool(pool);
}


static void
test_bounds(void)
{
    char                *text, *p;
    ngx_pool_t          *pool;
    ngx_uint_t           i;
    kz_filter_t         *f;
    kz_filter_limits_t   limits;

    text = malloc(8 * 1024 * 1024);
    ngx_memzero(&limits, sizeof(kz_filter_limits_t));

    /* 2^40 terms */

    p = stpcpy(text, "{\"and\":[");

    for (i = 0; i < 40; i++) {
        p += sprintf(p, "%s{\"or\":[{\"equals\":{\"a%d\":1}},"
                        "{\"equals\":{\"b%d\":1}}]}", i ? "," : "",
                     (int) i, (int) i);
    }

    strcpy(p, "]}");
    too_complex(text, &no_limits, 4096, 0, "an and of 40 ors");

    limits.max_conditions = 79;
    too_complex(text, &limits, 79, 80, "more conditions than configured");
    is_text(words2, strlen(words2),
            "Filter too complex: exceeds the configured maximum number of "
            "conditions (conditions: 80, max: 79)", "in new words");
    is_text(words1, strlen(words1),
            "Maximum number of sub conditions reached.", "in old words");

    /* a nest of alternating operators */

    for (p = text, i = 0; i < 30; i++) {
        p += sprintf(p, "{\"not\":{\"and\":[{\"not\":{\"exists\":\"x%d\"}},"
                        "{\"or\":[{\"exists\":\"y%d\"},", (int) i, (int) i);
    }

    p = stpcpy(p, "{\"exists\":\"z\"}");
    p = repeat(p, "]}]}}", 30);

    pool = kz_shim_pool();
    f = compile(pool, text, &no_limits);
    ok(f != NULL || err.fault == KZ_FILTER_TOO_COMPLEX, "an alternating nest");
    ngx_destroy_pool(pool);

    /* products that stay large but never too large */

    p = stpcpy(text, "{\"and\":[");

    for (i = 0; i < 2500; i++) {
        int  j;

        p = stpcpy(p, i ? ",{\"or\":[" : "{\"or\":[");

        for (j = 0; j < 12; j++) {
            p += sprintf(p, "%s{\"and\":[{\"exists\":\"a%d\"},"
                            "{\"exists\":\"b%d\"}]}", j ? "," : "",
                         (int) ((i + j) % 14), j);
        }

        p = stpcpy(p, "]}");
    }

    strcpy(p, "]}");
    too_complex(text, &no_limits, 4096, 0, "an and of 2500 wide ors");

    /* many values */

    p = stpcpy(text, "{\"in\":{\"a\":[\"v\"");

    for (i = 0; i < 70000; i++) {
        p += sprintf(p, ",\"%d\"", (int) i);
    }

    strcpy(p, "]}}");
    too_complex(text, &no_limits, 65536, 65537, "70001 values");

    p = stpcpy(text, "{\"not\":{\"in\":{\"a\":[\"v\"");

    for (i = 0; i < 60000; i++) {
        p += sprintf(p, ",\"%d\"", (int) i);
    }

    strcpy(p, "]}}}");
    pool = kz_shim_pool();
    f = compile(pool, text, &no_limits);
    ok(f != NULL && matches(f, "{\"a\":\"x\"}", NULL)
       && !matches(f, "{\"a\":\"777\"}", NULL),
       "none of 60001 values is one conjunction");
    ngx_destroy_pool(pool);
    free(text);
}


static void
test_limits(void)
{
    char                *p, text[4096];
    ngx_pool_t          *pool;
    kz_filter_limits_t   limits;

    ngx_memzero(&limits, sizeof(kz_filter_limits_t));

    limits.max_minterms = 2;
    too_complex("{\"in\":{\"a\":[\"1\",\"2\",\"3\"]}}", &limits, 2, 3,
                "more minterms than configured");

    p = repeat(text, "{\"not\":", 200);
    p = stpcpy(p, A1);
    repeat(p, "}", 200);
    too_complex(text, &no_limits, 100, 101, "too deep");

    limits.max_minterms = 0;
    limits.max_depth = 3;
    too_complex(NO(NO(NO(A1))), &limits, 3, 4, "deeper than configured");

    pool = kz_shim_pool();
    ok(compile(pool, NO(NO(A1)), &limits) != NULL, "as deep as configured");

    limits.max_depth = 0;
    limits.max_conditions = 3;
    ok(compile(pool, OR(A1 "," A1 "," NO(A1)), &limits) != NULL,
       "as many conditions as configured");
    ok(compile(pool, OR(A1 "," "{\"in\":{\"a\":[\"x\",\"x\",\"x\"]}}"),
               &limits) == NULL && err.received == 4,
       "every value of in counts, also when it is repeated");
    ngx_destroy_pool(pool);
}


int
main(void)
{
    test_operators();
    test_id();
    test_refusals();
    test_bounds();
    test_limits();

    return tap_done();
}
