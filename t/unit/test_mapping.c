
/*
 * Mappings: what is accepted, what a document gives to the index, what
 * dynamic "true" infers, what a later mapping may change.
 *
 * sources: store/kz_mapping.c store/kz_mapping_tree.c
 * sources: store/kz_mapping_field.c store/kz_mapping_text.c
 * sources: store/kz_mapping_walk.c store/kz_mapping_value.c
 * sources: store/kz_mapping_infer.c
 * sources: store/kz_mapping_date.c
 * sources: store/kz_mapping_geo.c store/kz_mapping_copy.c
 * sources: store/kz_analysis.c store/kz_analysis_conf.c
 * sources: store/kz_analysis_part.c store/kz_analysis_filter.c
 */

#include "tap.h"
#include "kz_shim.h"
#include "store/kz_mapping_node.h"


static kz_mapping_err_t  err;
static ngx_pool_t       *pool;
static char              emitted[65536];


static kz_mapping_t *
compile_as(const char *text, kz_dialect_e dialect)
{
    u_char        *p;
    kz_mapping_t  *m;

    p = kz_shim_copy(text, strlen(text));
    m = kz_mapping_compile(p, strlen(text), dialect, &kz_shim_log, &err);
    free(p);

    return m;
}


static kz_mapping_t *
compile(const char *text)
{
    return compile_as(text, KZ_DIALECT_2);
}


static kz_json_val_t
json(const char *text)
{
    kz_json_err_t   e;
    kz_json_val_t   v;

    if (kz_json_scan((u_char *) text, strlen(text), 1024, &v, &e) != NGX_OK) {
        printf("# not JSON: %s\n", text);
        exit(2);
    }

    return v;
}


static ngx_int_t
emit(void *ctx, const kz_field_t *f, const kz_value_t *v)
{
    char  *p = emitted + strlen(emitted);

    (void) ctx;

    p += sprintf(p, "%.*s=", (int) f->path.len, f->path.data);

    switch (v->type) {
    case KZ_VALUE_INT:
        p += sprintf(p, "%lld", (long long) v->i);
        break;
    case KZ_VALUE_REAL:
        p += sprintf(p, "%.9gr", v->d);
        break;
    default:
        p += sprintf(p, "'%.*s'", (int) v->text.len, v->text.data);
    }

    strcpy(p, " ");

    return NGX_OK;
}


/* The emitted values, or how the walk ended. */
static const char *
walk_with(const char *mapping, const char *doc, ngx_uint_t flags)
{
    ngx_int_t      rc;
    kz_mapping_t  *m;
    kz_json_val_t  v;

    static char    text[1024];

    emitted[0] = '\0';

    m = compile(mapping);

    if (m == NULL) {
        sprintf(text, "mapping: %.*s", (int) err.detail.len,
                err.detail.data);
        return text;
    }

    v = json(doc);
    rc = kz_mapping_walk(m, &v, flags, emit, NULL, &err);

    kz_mapping_free(m);

    if (rc == NGX_OK) {
        return emitted;
    }

    if (rc == NGX_DECLINED) {
        return "infer";
    }

    sprintf(text, "%s: %.*s",
            err.status == KZ_STORE_STRICT ? "strict"
            : err.status == KZ_STORE_BAD_DOCUMENT ? "bad" : "other",
            (int) err.detail.len, err.detail.data);

    return text;
}


static void
walk(const char *mapping, const char *doc, const char *want)
{
    const char  *got = walk_with(mapping, doc, 0);

    is_text(got, strlen(got), want, doc);
}


static void
refused(const char *mapping, kz_store_status_e status, const char *want)
{
    kz_mapping_t  *m = compile(mapping);

    if (m != NULL) {
        ok(0, "refused: %s", mapping);
        kz_mapping_free(m);
        return;
    }

    ok(err.status == status, "status of %s", mapping);
    is_str(&err.detail, want, "its detail");
}


static void
printed(const char *mapping, const char *want)
{
    kz_out_t       out;
    kz_mapping_t  *m = compile(mapping);

    if (m == NULL) {
        ok(0, "compiles: %s: %.*s", mapping, (int) err.detail.len,
           err.detail.data);
        return;
    }

    kz_out_init(&out, pool, 16);
    kz_mapping_print(m, KZ_MAPPING_STORED, &out);
    is_text(out.start, kz_out_len(&out), want, mapping);

    kz_mapping_free(m);
}


static void
inferred(const char *mapping, const char *doc, const char *want)
{
    ngx_int_t      rc;
    ngx_str_t      out;
    kz_json_val_t  v = json(doc);
    kz_mapping_t  *m = compile(mapping), *again;

    out.len = 0;
    rc = kz_mapping_infer(m, &v, pool, &out, &err);

    if (rc != NGX_OK) {
        out.data = (u_char *) (rc == NGX_DECLINED ? "nothing"
                               : (char *) err.detail.data);
        out.len = rc == NGX_DECLINED ? 7 : err.detail.len;
    }

    is_str(&out, want, doc);

    if (rc == NGX_OK) {
        again = kz_mapping_compile(out.data, out.len, KZ_DIALECT_1,
                                   &kz_shim_log, &err);
        ok(again != NULL, "it compiles");

        if (again != NULL) {
            ok(kz_mapping_walk(again, &v, 0, NULL, NULL, &err) == NGX_OK,
               "the document fits what was inferred from it");
            ok(kz_mapping_infer(again, &v, pool, &out, &err)
               == NGX_DECLINED, "and adds nothing more");
            kz_mapping_free(again);
        }
    }

    kz_mapping_free(m);
}


static void
merged(const char *mapping, const char *change, const char *want)
{
    ngx_int_t      rc;
    ngx_str_t      out;
    kz_mapping_t  *m = compile(mapping);

    rc = kz_mapping_merge(m, (u_char *) change, strlen(change), pool, &out,
                          &err);

    if (rc == NGX_DECLINED) {
        out.data = (u_char *) "same";
        out.len = 4;

    } else if (rc == NGX_ERROR) {
        out = err.detail;
    }

    is_str(&out, want, change);

    kz_mapping_free(m);
}


static void
test_compile(void)
{
    printed("{}", "{\"properties\":{}}");
    printed("{\"dynamic\":true}", "{\"dynamic\":\"true\",\"properties\":{}}");
    printed("{ \"properties\" : {\"b\":{\"type\":\"keyword\",\"ignore_above\":"
            "3},\"a\":{\"properties\":{\"x\":{\"type\":\"date\"}},"
            "\"dynamic\":false}},\"_meta\":{\"v\":1.10},"
            "\"dynamic\":\"strict\"}",
            "{\"dynamic\":\"strict\",\"_meta\":{\"v\":1.10},\"properties\":{"
            "\"b\":{\"type\":\"keyword\",\"ignore_above\":3},"
            "\"a\":{\"dynamic\":\"false\",\"properties\":{\"x\":{\"type\":"
            "\"date\"}}}}}");
    printed("{\"properties\":{\"t\":{\"type\":\"text\",\"fields\":{\"raw\":"
            "{\"type\":\"keyword\"}}}}}",
            "{\"properties\":{\"t\":{\"type\":\"text\",\"fields\":{\"raw\":"
            "{\"type\":\"keyword\"}}}}}");
    printed("{\"properties\":{\"a\":{\"type\":\"long\"},\"a\":{\"type\":"
            "\"text\"}}}", "{\"properties\":{\"a\":{\"type\":\"text\"}}}");
    printed("{\"properties\":{\"_kuzzle_info\":{\"type\":\"text\"}}}",
            "{\"properties\":{}}");
    printed("{\"properties\":{\"\\u0061\\\"\":{\"type\":\"text\"}}}",
            "{\"properties\":{\"a\\\"\":{\"type\":\"text\"}}}");
    printed("{\"properties\":{\"where\":{\"type\":\"geo_shape\","
            "\"whatever\":1}}}",
            "{\"properties\":{\"where\":{\"type\":\"geo_shape\","
            "\"whatever\":1}}}");

    refused("[]", KZ_STORE_BAD_MAPPING, "\n It must be an object.");
    refused("{\"propertys\":{}}", KZ_STORE_BAD_MAPPING, "propertys\n");
    refused("{\"dynamic\":1}", KZ_STORE_BAD_MAPPING, "dynamic\n It should be"
            " one of \"true\", \"false\", \"strict\".");
    refused("{\"properties\":{\"a\":{\"type\":\"key\"}}}",
            KZ_STORE_BAD_TYPE, "a\nkey");
    refused("{\"properties\":{\"o\":{\"properties\":{\"a\":{\"type\":7}}}}}",
            KZ_STORE_BAD_TYPE, "o.a\n7");
    refused("{\"properties\":{\"o\":{\"foo\":1,\"properties\":{}}}}",
            KZ_STORE_BAD_MAPPING, "properties.o.foo\n");
    refused("{\"properties\":{\"a\":{\"type\":\"keyword\",\"foo\":1}}}",
            KZ_STORE_BAD_DOCUMENT, "Mapping definition for [a] has"
            " unsupported parameters:  [foo : 1]");
    refused("{\"properties\":{\"a\":{}}}", KZ_STORE_BAD_MAPPING,
            "properties.a\n No type is specified.");
    refused("{\"properties\":{\"a\":3}}", KZ_STORE_BAD_MAPPING,
            "properties.a\n It must be an object.");
    refused("{\"properties\":{\"a.b\":{\"type\":\"text\"}}}",
            KZ_STORE_BAD_MAPPING, "a.b\n A field's name may neither be empty"
            " nor hold a full stop.");
    refused("{\"properties\":{\"a\":{\"type\":\"text\",\"copy_to\":\"b\"}}}",
            KZ_STORE_BAD_MAPPING,
            "properties.a.copy_to\n [b] must be another field of the mapping,"
            " and not in other nested objects.");
    refused("{\"properties\":{\"a\":{\"type\":\"scaled_float\"}}}",
            KZ_STORE_BAD_MAPPING,
            "properties.a.scaling_factor\n It is required.");
}


static void
test_shown(void)
{
    kz_out_t       out;
    kz_mapping_t  *m = compile_as("", KZ_DIALECT_1);

    kz_out_init(&out, pool, 16);
    kz_mapping_print(m, KZ_MAPPING_SHOWN, &out);

    is_text(out.start, kz_out_len(&out),
            "{\"dynamic\":\"true\",\"properties\":{\"_kuzzle_info\":{"
            "\"dynamic\":\"false\",\"properties\":{\"author\":{\"type\":"
            "\"keyword\"},\"createdAt\":{\"type\":\"date\"},\"updatedAt\":"
            "{\"type\":\"date\"},\"updater\":{\"type\":\"keyword\"}}}}}",
            "the common fields and the default dynamic are shown");
    ok(!m->given && m->dynamic == KZ_DYNAMIC_TRUE, "default of 1.x");
    is_int(m->nfields, 4, "four fields");
    kz_mapping_free(m);

    m = compile_as("{\"dynamic\":\"false\"}", KZ_DIALECT_1);
    ok(m->given && m->dynamic == KZ_DYNAMIC_FALSE, "dynamic was given");
    kz_mapping_free(m);
}


#define P(s)  "{\"properties\":{" s "}}"
#define T     "{\"dynamic\":\"true\",\"properties\":{"

static void
test_walk(void)
{
    walk(P("\"k\":{\"type\":\"keyword\"}"), "{\"k\":\"A b\"}", "k='A b' ");
    walk(P("\"k\":{\"type\":\"keyword\"}"), "{\"k\":[\"a\",null,[\"\\u0062\"]"
         ",1.50,true]}", "k='a' k='b' k='1.50' k='true' ");
    walk(P("\"k\":{\"type\":\"keyword\"}"), "{\"k\":\"1\",\"k\":\"2\"}",
         "k='2' ");
    walk(P("\"k\":{\"type\":\"keyword\",\"ignore_above\":2}"),
         "{\"k\":[\"abc\",\"\xc3\xa9\xc3\xa9\"]}", "k='\xc3\xa9\xc3\xa9' ");
    walk(P("\"k\":{\"type\":\"keyword\",\"normalizer\":\"lowercase\"}"),
         "{\"k\":[\"ABC\",\"\\u00c9\"]}", "k='abc' k='\xc3\xa9' ");
    walk(P("\"k\":{\"type\":\"keyword\",\"null_value\":\"none\"}"),
         "{\"k\":null}", "k='none' ");
    walk(P("\"k\":{\"type\":\"keyword\"}"), "{\"k\":{}}",
         "bad: failed to parse field [k] of type [keyword]");
    walk(P("\"k\":{\"type\":\"keyword\",\"index\":false}"), "{\"k\":1}", "");

    walk(P("\"i\":{\"type\":\"integer\"}"), "{\"i\":[1,\"12\",\"-7\",3.9,"
         "1e3,\"\",2147483647]}",
         "i=1 i=12 i=-7 i=3 i=1000 i=2147483647 ");
    walk(P("\"age\":{\"type\":\"integer\"}"), "{\"age\":2147483648}",
         "bad: failed to parse field [age] of type [integer]");
    walk(P("\"age\":{\"type\":\"integer\"}"), "{\"age\":\"x\"}",
         "bad: failed to parse field [age] of type [integer]");
    walk(P("\"age\":{\"type\":\"integer\"}"), "{\"age\":true}",
         "bad: failed to parse field [age] of type [integer]");
    walk(P("\"age\":{\"type\":\"integer\",\"ignore_malformed\":true}"),
         "{\"age\":[true,4]}", "age=4 ");
    walk(P("\"l\":{\"type\":\"long\"}"),
         "{\"l\":[9223372036854775807,\"9007199254740993\"]}",
         "l=9223372036854775807 l=9007199254740993 ");
    walk(P("\"l\":{\"type\":\"long\"}"), "{\"l\":9223372036854775808}",
         "bad: failed to parse field [l] of type [long]");
    walk(P("\"l\":{\"type\":\"long\"}"), "{\"l\":\"nan\"}",
         "bad: failed to parse field [l] of type [long]");
    walk(P("\"d\":{\"type\":\"double\"}"), "{\"d\":[1,0.1,\"2.5\",-0.0]}",
         "d=1r d=0.1r d=2.5r d=0r ");
    walk(P("\"f\":{\"type\":\"float\"}"), "{\"f\":0.1}", "f=0.100000001r ");
    walk(P("\"f\":{\"type\":\"scaled_float\",\"scaling_factor\":10}"),
         "{\"f\":1.26}", "f=1.3r ");
    walk(P("\"b\":{\"type\":\"boolean\"}"),
         "{\"b\":[true,false,\"true\",\"false\"]}", "b=1 b=0 b=1 b=0 ");
    walk(P("\"b\":{\"type\":\"boolean\"}"), "{\"b\":1}",
         "bad: failed to parse field [b] of type [boolean]");

    walk(P("\"t\":{\"type\":\"text\"}"),
         "{\"t\":\"Hello, W\xc3\x96RLD! don't 3.14 x.y a_b\"}",
         "t='hello' t='w\xc3\xb6rld' t='don't' t='3.14' t='x.y' t='a_b' ");
    walk(P("\"t\":{\"type\":\"text\"}"), "{\"t\":\"\xce\x91\xce\x92 "
         "\xd0\x9c\xd0\xb8\xd1\x80 \xe6\x97\xa5\xe6\x9c\xac\"}",
         "t='\xce\xb1\xce\xb2' t='\xd0\xbc\xd0\xb8\xd1\x80' "
         "t='\xe6\x97\xa5' t='\xe6\x9c\xac' ");
    walk(P("\"t\":{\"type\":\"text\",\"fields\":{\"keyword\":{\"type\":"
         "\"keyword\"}}}"), "{\"t\":\"A b\"}",
         "t='a' t='b' t.keyword='A b' ");

    walk(P("\"o\":{\"properties\":{\"x\":{\"type\":\"long\"},\"y\":{\"type\":"
         "\"long\"}}}"), "{\"o\":[{\"y\":1,\"x\":2},{\"x\":3},null]}",
         "o.x=2 o.y=1 o.x=3 ");
    walk(P("\"o\":{\"properties\":{\"x\":{\"type\":\"long\"}}}"),
         "{\"o.x\":5}", "o.x=5 ");
    walk(P("\"o\":{\"properties\":{\"x\":{\"type\":\"long\"}}}"),
         "{\"o\":5}", "bad: object mapping for [o] tried to parse field [o]"
         " as object, but found a concrete value");
    walk(P("\"o\":{\"type\":\"object\",\"enabled\":false}"), "{\"o\":5}", "");
    walk(P("\"g\":{\"type\":\"geo_point\"}"),
         "{\"g\":{\"lat\":1,\"lon\":2}}", "g=3458992370439109632 ");
    walk(P("\"g\":{\"type\":\"geo_point\"}"),
         "{\"g\":[[2,1],\"1,2\",null]}",
         "g=3458992370439109632 g=3458992370439109632 ");
    walk(P("\"g\":{\"type\":\"geo_point\"}"), "{\"g\":[2,1]}",
         "g=3458992370439109632 ");
    walk(P("\"i\":{\"type\":\"ip\"}"), "{\"i\":[\"10.0.0.1\",\"::1\"]}",
         "i='00000000000000000000ffff0a000001' "
         "i='00000000000000000000000000000001' ");
    walk(P("\"c\":{\"type\":\"nested\",\"properties\":{\"k\":{\"type\":"
           "\"keyword\"}}}"), "{\"c\":[{\"k\":\"a\"},{\"k\":\"b\"}]}",
         "c.k='a' c.k='b' ");
    walk(P("\"a\":{\"type\":\"keyword\",\"copy_to\":[\"b\"]},\"b\":{"
           "\"type\":\"keyword\"}"), "{\"a\":\"x\",\"b\":\"y\"}",
         "a='x' b='x' b='y' ");
    walk(P(""), "{\"_kuzzle_info\":{\"author\":\"-1\",\"createdAt\":5,"
         "\"updatedAt\":null,\"updater\":null}}",
         "_kuzzle_info.author='-1' _kuzzle_info.createdAt=5 ");
    walk(P(""), "{\"x\":1}", "");
    walk("{\"dynamic\":\"strict\",\"properties\":{}}", "{\"x\":1}",
         "strict: x");
    walk("{\"dynamic\":\"strict\",\"properties\":{\"o\":{\"type\":\"object\""
         "}}}", "{\"o\":{\"x\":1}}", "strict: o.x");
    walk("{\"dynamic\":\"true\"}", "{\"x\":1}", "infer");
    walk("{\"dynamic\":\"true\"}", "{\"x\":null,\"y\":[],\"z\":[null]}", "");
    walk("{\"dynamic\":\"true\"}", "{\"x\":1,\"x\":null}", "");

    (void) walk_with(P("\"i\":{\"type\":\"long\"},\"k\":{\"type\":"
                       "\"keyword\",\"ignore_above\":1}"),
                     "{\"i\":[\"x\",2],\"k\":\"abc\"}", KZ_WALK_LENIENT);
    is_text(emitted, strlen(emitted), "i=2 k='abc' ", "lenient");
}


static void
test_dates(void)
{
#define D  P("\"d\":{\"type\":\"date\"}")

    walk(D, "{\"d\":1531232400000}", "d=1531232400000 ");
    walk(D, "{\"d\":\"1531232400000\"}", "d=1531232400000 ");
    walk(D, "{\"d\":\"2018-07-10\"}", "d=1531180800000 ");
    walk(D, "{\"d\":\"2018-07-10T14:20:00Z\"}", "d=1531232400000 ");
    walk(D, "{\"d\":\"2018-07-10T16:20:00.123+02:00\"}",
         "d=1531232400123 ");
    walk(D, "{\"d\":\"2018/07/10 14:20:00\"}", "d=1531232400000 ");
    walk(D, "{\"d\":\"2018/07/10\"}", "d=1531180800000 ");
    walk(D, "{\"d\":\"1969-12-31T23:59:59.999Z\"}", "d=-1 ");
    walk(D, "{\"d\":\"2000-02-29\"}", "d=951782400000 ");
    walk(D, "{\"d\":\"1900-03-01\"}", "d=-2203891200000 ");
    walk(D, "{\"d\":\"2018-02-29\"}",
         "bad: failed to parse field [d] of type [date]");
    walk(D, "{\"d\":\"soon\"}",
         "bad: failed to parse field [d] of type [date]");
    walk(D, "{\"d\":true}",
         "bad: failed to parse field [d] of type [date]");
    walk(P("\"d\":{\"type\":\"date\",\"format\":\"epoch_second||dd/MM/yyyy\"}"
           ), "{\"d\":[10,\"10/07/2018\"]}", "d=10000 d=1531180800000 ");
}


static void
test_infer(void)
{
    inferred("{\"dynamic\":\"true\"}", "{\"a\":1,\"b\":1.5,\"c\":true,"
             "\"d\":\"2018-07-10\",\"e\":\"x\",\"f\":null,\"g\":[null,2],"
             "\"h\":{\"i\":\"2018/01/01\"},\"_kuzzle_info\":{\"author\":"
             "\"-1\"}}",
             T "\"a\":{\"type\":\"long\"},\"b\":{\"type\":\"float\"},"
             "\"c\":{\"type\":\"boolean\"},\"d\":{\"type\":\"date\"},"
             "\"e\":{\"type\":\"text\",\"fields\":{\"keyword\":{\"type\":"
             "\"keyword\",\"ignore_above\":256}}},\"g\":{\"type\":\"long\"},"
             "\"h\":{\"properties\":{\"i\":{\"type\":\"date\"}}}}}");
    inferred("{\"dynamic\":\"true\"}", "{\"a\":[{\"x\":null},{\"x\":1},"
             "{\"y\":2}]}", T "\"a\":{\"properties\":{\"x\":{\"type\":"
             "\"long\"},\"y\":{\"type\":\"long\"}}}}}");
    inferred("{\"dynamic\":\"true\"}", "{\"a.b\":1,\"a\":{\"c\":\"2018\"}}",
             T "\"a\":{\"properties\":{\"b\":{\"type\":\"long\"},"
             "\"c\":{\"type\":\"text\",\"fields\":{\"keyword\":{\"type\":"
             "\"keyword\",\"ignore_above\":256}}}}}}}");
    inferred(T "\"a\":{\"type\":\"keyword\"}}}", "{\"a\":\"x\"}", "nothing");
    inferred(T "\"a\":{\"dynamic\":\"false\",\"properties\":{}}}}",
             "{\"a\":{\"b\":1}}", "nothing");
    inferred("{\"dynamic\":\"true\"}", "{\"\":1}",
             "field name cannot be an empty string");
    inferred("{\"dynamic\":\"false\"}", "{\"x\":1}", "nothing");
}


static void
test_merge(void)
{
    merged(P("\"a\":{\"type\":\"long\"}"), P("\"b\":{\"type\":\"text\"}"),
           P("\"a\":{\"type\":\"long\"},\"b\":{\"type\":\"text\"}"));
    merged(P("\"a\":{\"type\":\"long\"}"), P("\"a\":{\"type\":\"long\"}"),
           "same");
    merged(P("\"a\":{\"type\":\"long\"}"), "{}", "same");
    merged(P("\"a\":{\"type\":\"long\"}"), P("\"a\":{\"type\":\"text\"}"),
           "a");
    merged(P("\"o\":{\"properties\":{\"a\":{\"type\":\"long\"}}}"),
           P("\"o\":{\"properties\":{\"a\":{\"type\":\"date\"}}}"), "o.a");
    merged(P("\"o\":{\"properties\":{\"a\":{\"type\":\"long\"}}}"),
           P("\"o\":{\"type\":\"text\"}"), "o");
    merged(P("\"o\":{\"properties\":{\"a\":{\"type\":\"long\"}}}"),
           P("\"o\":{\"dynamic\":\"strict\",\"properties\":{\"b\":{\"type\":"
             "\"long\"}}}"),
           P("\"o\":{\"dynamic\":\"strict\",\"properties\":{\"a\":{\"type\":"
             "\"long\"},\"b\":{\"type\":\"long\"}}}"));
    merged(P("\"a\":{\"type\":\"text\"}"), P("\"a\":{\"type\":\"text\","
           "\"fields\":{\"k\":{\"type\":\"keyword\"}}}"),
           P("\"a\":{\"type\":\"text\",\"fields\":{\"k\":{\"type\":"
             "\"keyword\"}}}"));
    merged("{}", "{\"_meta\":{\"a\":1},\"dynamic\":\"strict\"}",
           "{\"dynamic\":\"strict\",\"_meta\":{\"a\":1},\"properties\":{}}");
    merged("{}", "{\"nope\":1}", "nope\n");
}


static void
test_limits(void)
{
    int            i;
    char          *p, *text;
    ngx_str_t      out;
    kz_mapping_t  *m;
    kz_json_val_t  v;

    text = malloc(200000);

    p = text + sprintf(text, "{\"properties\":{\"f\":{\"type\":\"long\"}");

    for (i = 0; i < 1000; i++) {
        p += sprintf(p, ",\"f%d\":{\"type\":\"long\"}", i);
    }

    strcpy(p, "}}");

    m = compile(text);
    ok(m == NULL && err.status == KZ_STORE_BAD_MAPPING, "1001 fields");

    p = text + sprintf(text, "{\"f\":1");

    for (i = 0; i < 1000; i++) {
        p += sprintf(p, ",\"f%d\":1", i);
    }

    strcpy(p, "}");

    v = json(text);
    m = compile("{\"dynamic\":true}");
    ok(kz_mapping_walk(m, &v, 0, NULL, NULL, &err) == NGX_ERROR
       && err.status == KZ_STORE_BAD_DOCUMENT, "1001 inferred ones");

    p = text;

    for (i = 0; i < 30; i++) {
        p += sprintf(p, "{\"o\":");
    }

    p += sprintf(p, "1");

    for (i = 0; i < 30; i++) {
        *p++ = '}';
    }

    *p = '\0';

    v = json(text);
    ok(kz_mapping_infer(m, &v, pool, &out, &err) == NGX_ERROR,
       "objects too deep to be inferred");
    kz_mapping_free(m);

    /* arrays as deep as the scanner lets them be */

    memset(text, '[', 1020);
    memset(text + 1020, ']', 1020);
    memmove(text + 5, text, 2040);
    memcpy(text, "{\"a\":", 5);
    strcpy(text + 2045, "}");

    v = json(text);
    m = compile(P("\"a\":{\"type\":\"long\"}"));
    ok(kz_mapping_walk(m, &v, 0, NULL, NULL, &err) == NGX_OK,
       "1020 arrays in one another");
    kz_mapping_free(m);

    free(text);
}


int
main(void)
{
    pool = kz_shim_pool();

    test_compile();
    test_shown();
    test_walk();
    test_dates();
    test_infer();
    test_merge();
    test_limits();

    ngx_destroy_pool(pool);

    return tap_done();
}
