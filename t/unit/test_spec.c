/*
 * Validation specifications (src/api/kz_spec*.c).
 *
 * sources: api/kz_spec.c api/kz_spec_check.c api/kz_spec_date.c
 * sources: api/kz_spec_geo.c api/kz_spec_net.c api/kz_spec_options.c
 * sources: api/kz_spec_type.c core/kz_error.c
 * sources: realtime/kz_filter.c realtime/kz_filter_canon.c
 * sources: realtime/kz_filter_check.c realtime/kz_filter_kind.c
 * sources: realtime/kz_filter_leaf.c realtime/kz_filter_match.c
 * sources: realtime/kz_filter_parse.c realtime/kz_filter_simplify.c
 * sources: realtime/kz_filter_trie.c
 */

#include "kz_shim.h"
#include "tap.h"
#include "api/kz_spec.h"


/* 2018-03-01T10:20:30.123Z, a Thursday */
#define NOW  1519899630123LL


static ngx_pool_t  *pool;


/* Reads a text that is freed behind: nothing may refer to it. */

static ngx_int_t
compile(const char *text, kz_spec_t **spec, ngx_array_t *errors)
{
    u_char           *copy;
    ngx_int_t         rc;
    kz_json_val_t     v;
    kz_json_err_t     err;

    static ngx_str_t  name = ngx_string("i.c");

    copy = kz_shim_copy(text, strlen(text));

    if (kz_json_scan(copy, strlen(text), 128, &v, &err) != NGX_OK) {
        ok(0, "%s is JSON", text);
        free(copy);
        return NGX_ABORT;
    }

    (void) ngx_array_init(errors, pool, 4, sizeof(ngx_str_t));
    rc = kz_spec_compile(pool, &name, &v, spec, errors);
    free(copy);

    return rc;
}


/* want: the errors, joined by "|"; "": none */

static void
refused(const char *text, const char *want)
{
    char          got[4096];
    kz_spec_t    *spec;
    ngx_int_t     rc;
    ngx_str_t    *e;
    ngx_uint_t    i;
    ngx_array_t   errors;

    rc = compile(text, &spec, &errors);

    got[0] = '\0';
    e = errors.elts;

    for (i = 0; i < errors.nelts; i++) {
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%.*s",
                 i ? "|" : "", (int) e[i].len, e[i].data);
    }

    is_text(got, strlen(got), want, text);
    is_int(rc, *want ? NGX_DECLINED : NGX_OK, "and says so");
}


/*
 * A document against a specification.  want: NULL: fine; otherwise
 * "path: begin of the message"
 */

static void
doc(const char *text, const char *document, const char *want)
{
    char                got[1024];
    u_char             *copy;
    ngx_int_t           rc;
    kz_spec_t          *spec;
    ngx_array_t         errors;
    kz_json_val_t       v;
    kz_json_err_t       err;
    kz_spec_failure_t   f;

    static ngx_str_t    id = ngx_string("id");

    if (compile(text, &spec, &errors) != NGX_OK) {
        ok(0, "%s compiles: %.*s", text,
           (int) ((ngx_str_t *) errors.elts)->len,
           ((ngx_str_t *) errors.elts)->data);
        return;
    }

    copy = kz_shim_copy(document, strlen(document));

    if (kz_json_scan(copy, strlen(document), 128, &v, &err) != NGX_OK) {
        ok(0, "%s is JSON", document);
        free(copy);
        return;
    }

    rc = kz_spec_check(spec, pool, &v, NOW, &f);

    if (rc == NGX_OK) {
        rc = kz_spec_check_filter(spec, &v, &id, &f);
    }

    if (rc == NGX_OK) {
        ok(want == NULL, "%s is fine", document);

    } else if (want == NULL) {
        ok(0, "%s is fine: %.*s %.*s", document, (int) f.path.len,
           f.path.data, (int) f.message.len, f.message.data);

    } else {
        snprintf(got, sizeof(got), "%.*s: %.*s", (int) f.path.len,
                 f.path.data, (int) f.message.len, f.message.data);
        got[ngx_min(strlen(got), strlen(want))] = '\0';
        is_text(got, strlen(got), want, document);
    }

    free(copy);
}


/* One field "f" of a type with options. */

static void
field(const char *type, const char *options, const char *value,
    ngx_uint_t fine)
{
    char  spec[1024], document[2048];

    snprintf(spec, sizeof(spec), "{\"fields\":{\"f\":{\"type\":\"%s\"%s%s}}}",
             type, *options ? ",\"typeOptions\":" : "", options);
    snprintf(document, sizeof(document), "{\"f\":%s}", value);

    doc(spec, document, fine ? NULL : "f: ");
}


static void
date(const char *format, const char *value, ngx_uint_t fine)
{
    char  options[256], text[256];

    snprintf(options, sizeof(options), "{\"formats\":[\"%s\"]}", format);
    snprintf(text, sizeof(text), "\"%s\"", value);

    field("date", options, text, fine);
}


static void
range(const char *format, const char *bounds, const char *value,
    ngx_uint_t fine)
{
    char  options[256], text[256];

    snprintf(options, sizeof(options), "{\"formats\":[\"%s\"],\"range\":%s}",
             format, bounds);
    snprintf(text, sizeof(text), "\"%s\"", value);

    field("date", options, text, fine);
}


static void
fill(const char *text, const char *document, ngx_uint_t update,
    const char *want)
{
    u_char         *copy;
    ngx_int_t       rc;
    kz_spec_t      *spec;
    ngx_array_t     errors;
    kz_json_val_t   v, filled;
    kz_json_err_t   err;

    if (compile(text, &spec, &errors) != NGX_OK) {
        ok(0, "%s compiles", text);
        return;
    }

    copy = kz_shim_copy(document, strlen(document));
    (void) kz_json_scan(copy, strlen(document), 128, &v, &err);

    rc = kz_spec_fill(spec, pool, &v, update, &filled);

    if (want == NULL) {
        is_int(rc, NGX_DECLINED, document);

    } else if (rc != NGX_OK) {
        is_int(rc, NGX_OK, document);

    } else {
        is_text(filled.raw.data, filled.raw.len, want, document);
    }

    free(copy);
}


static void
report(const char *text, const char *document, const char *want)
{
    u_char         *copy;
    kz_out_t        o;
    kz_spec_t      *spec;
    ngx_array_t     errors;
    kz_json_val_t   v;
    kz_json_err_t   err;

    static ngx_str_t  id = ngx_string("id");

    if (compile(text, &spec, &errors) != NGX_OK) {
        ok(0, "%s compiles", text);
        return;
    }

    copy = kz_shim_copy(document, strlen(document));
    (void) kz_json_scan(copy, strlen(document), 128, &v, &err);

    kz_out_init(&o, pool, 64);
    is_int(kz_spec_report(spec, pool, &v, &id, NOW, &o), NGX_OK, "a report");
    is_text(o.start, kz_out_len(&o), want, document);

    free(copy);
}


static void
grammar(void)
{
    refused("{}", "");
    refused("[]", "Wrong type for parameter \"i.c\" (expected: object).");
    refused("{\"x\":1}", "The object \"i.c\" contains unexpected properties "
            "(allowed: strict,fields,validators).");
    refused("{\"strict\":1}",
            "Wrong type for parameter \"i.c.strict\" (expected: boolean).");
    refused("{\"fields\":[]}",
            "Wrong type for parameter \"i.c.fields\" (expected: object).");
    refused("{\"fields\":{\"a\":1,\"b\":{}}}",
            "Wrong type for parameter \"i.c.a\" (expected: object).|"
            "Missing property \"type\" in field \"i.c.b\".");
    refused("{\"fields\":{\"a\":{\"type\":\"no\"}}}",
            "In \"i.c.a\": unknown type \"no\".");
    refused("{\"fields\":{\"a\":{\"type\":\"anything\",\"x\":1}}}",
            "The object \"i.c.a\" contains unexpected properties (allowed: "
            "mandatory,type,defaultValue,description,multivalued,"
            "typeOptions).");
    refused("{\"fields\":{\"a/b\":{\"type\":\"string\"}}}",
            "All levels of an object have to be defined in the "
            "specification.");
    refused("{\"fields\":{\"x\":{\"type\":\"string\"},"
            "\"a/b\":{\"type\":\"string\"}}}",
            "The parent field of the field \"i.c.a/b\" is not defined.");
    refused("{\"fields\":{\"a\":{\"type\":\"string\"},"
            "\"a/b\":{\"type\":\"string\"}}}",
            "The field type \"string\" is not allowed to have children "
            "fields.");
    refused("{\"fields\":{\"a/b\":{\"type\":\"string\"},"
            "\"a\":{\"type\":\"object\"}}}", "");
    refused("{\"fields\":{\"a\":{\"type\":\"no\",\"type\":\"url\"},"
            "\"a\":{\"type\":\"email\",\"mandatory\":true,"
            "\"description\":\"x\"}}}", "");

    refused("{\"fields\":{\"a\":{\"type\":\"string\",\"multivalued\":{}}}}",
            "Missing property \"value\" in field \"i.c.a.multivalued\".");
    refused("{\"fields\":{\"a\":{\"type\":\"string\",\"multivalued\":"
            "{\"value\":false,\"minCount\":1}}}}",
            "Field \"i.c.a\": cannot set a property \"minCount\" if the "
            "field is not multivalued.");
    refused("{\"fields\":{\"a\":{\"type\":\"string\",\"multivalued\":"
            "{\"value\":true,\"minCount\":2,\"maxCount\":1}}}}",
            "Property \"i.c.a.multivalued\": invalid range (minCount > "
            "maxCount).");

    refused("{\"fields\":{\"a\":{\"type\":\"integer\",\"typeOptions\":"
            "{\"range\":{\"min\":2,\"max\":1}}}}}",
            "Property \"i.c.a.typeOptions.range\": invalid range (2 > 1).");
    refused("{\"fields\":{\"a\":{\"type\":\"integer\",\"typeOptions\":"
            "{\"length\":{}}}}}",
            "The object \"i.c.a.typeOptions\" contains unexpected "
            "properties (allowed: range).");
    refused("{\"fields\":{\"a\":{\"type\":\"enum\"}}}",
            "The \"enum\" type requires a \"values\" property holding the "
            "list of the enum values.");
    refused("{\"fields\":{\"a\":{\"type\":\"enum\",\"typeOptions\":"
            "{\"values\":[\"a\",1]}}}}",
            "Wrong type for parameter \"i.c.a.typeOptions.values\" "
            "(expected: string[]).");
    refused("{\"fields\":{\"a\":{\"type\":\"date\",\"typeOptions\":"
            "{\"formats\":[\"year\",\"nope\",\"strict_basic_date\"]}}}}",
            "The following date types are invalid: nope, "
            "strict_basic_date.");
    refused("{\"fields\":{\"a\":{\"type\":\"date\",\"typeOptions\":"
            "{\"range\":{\"min\":\"soon\"}}}}}",
            "Cannot parse the date value: \"soon\".");
    refused("{\"fields\":{\"a\":{\"type\":\"geo_shape\",\"typeOptions\":"
            "{\"shapeTypes\":[\"point\",\"Point\"]}}}}",
            "The following shapes are invalid: Point.");
    refused("{\"validators\":[]}", "Invalid filters validator: "
            "\"and\": cannot be empty");
}


static void
structure(void)
{
    const char  *s;

    s = "{\"strict\":true,\"fields\":{\"a\":{\"type\":\"object\"},"
        "\"a/b\":{\"type\":\"integer\",\"mandatory\":true},"
        "\"o\":{\"type\":\"object\",\"typeOptions\":{\"strict\":false}}}}";

    doc(s, "{}", NULL);
    doc(s, "{\"a\":{\"b\":1},\"o\":{\"x\":1},\"_kuzzle_info\":{}}", NULL);
    doc(s, "{\"z\":1}", ": The document validation is strict");
    doc(s, "{\"a\":{}}", "a.b: The field is mandatory.");
    doc(s, "{\"a\":{\"b\":null}}", "a.b: The field is mandatory.");
    doc(s, "{\"a\":{\"b\":1,\"c\":1}}", "a: The field is set to \"strict\"");
    doc(s, "{\"a\":{\"b\":1,\"_kuzzle_info\":1}}", "a: The field is set");
    doc(s, "{\"a\":1}", "a: The field must be an object.");
    doc(s, "{\"a\":null}", NULL);
    doc(s, "{\"a\":{\"b\":\"x\",\"b\":2}}", NULL);
    doc(s, "{\"a\":{\"b\":2,\"\\u0062\":\"x\"}}", "a.b: ");
    doc("{\"strict\":true}", "{\"a\":1}", ": ");

    s = "{\"fields\":{\"m\":{\"type\":\"object\",\"multivalued\":"
        "{\"value\":true,\"minCount\":1,\"maxCount\":2}},"
        "\"m/x\":{\"type\":\"string\",\"mandatory\":true},"
        "\"u\":{\"type\":\"anything\",\"multivalued\":{\"value\":false}}}}";

    doc(s, "{\"m\":{\"x\":\"a\"}}", "m: The field must be multivalued");
    doc(s, "{\"m\":[]}", "m: Not enough elements. Minimum count is set to 1");
    doc(s, "{\"m\":[{\"x\":\"\"},{\"x\":\"\"},{\"x\":\"\"}]}", "m: Too many");
    doc(s, "{\"m\":[{\"x\":\"a\"},{}]}", "m.x: The field is mandatory.");
    doc(s, "{\"m\":[{\"x\":\"a\"},{\"x\":\"b\"}]}", NULL);
    doc(s, "{\"m\":[null]}", "m: ");

    /* first failure: in the order of declaration */

    s = "{\"fields\":{\"a\":{\"type\":\"string\",\"mandatory\":true},"
        "\"b\":{\"type\":\"integer\"},\"c\":{\"type\":\"boolean\"}}}";

    doc(s, "{\"c\":1,\"b\":\"x\"}", "a: ");
    doc(s, "{\"c\":1,\"b\":\"x\",\"a\":\"\"}", "b: ");

    s = "{\"validators\":[{\"exists\":{\"field\":\"a\"}},"
        "{\"range\":{\"b\":{\"gt\":1}}}]}";

    doc(s, "{\"a\":1,\"b\":2}", NULL);
    doc(s, "{\"a\":1}", ": The document does not match");
    doc(s, "{\"b\":2}", ": The document does not match");

    s = "{\"fields\":{\"a\":{\"type\":\"string\",\"mandatory\":true,"
        "\"defaultValue\":0}}}";

    doc(s, "{}", NULL);
    doc(s, "{\"a\":1}", "a: ");
}


static void
types(void)
{
    field("boolean", "", "true", 1);
    field("boolean", "", "\"true\"", 0);
    field("anything", "", "[1,{}]", 1);
    field("integer", "", "5", 1);
    field("integer", "", "5.0", 1);
    field("integer", "", "1e3", 1);
    field("integer", "", "5.5", 0);
    field("integer", "", "1e999", 0);
    field("integer", "", "[1]", 0);
    field("integer", "{\"range\":{\"min\":1,\"max\":2}}", "1", 1);
    field("integer", "{\"range\":{\"min\":1,\"max\":2}}", "0", 0);
    field("integer", "{\"range\":{\"min\":1,\"max\":2}}", "2", 1);
    field("integer", "{\"range\":{\"min\":1,\"max\":2}}", "3", 0);
    field("numeric", "", "5.5", 1);
    field("numeric", "", "\"5\"", 0);
    field("numeric", "{\"range\":{\"min\":-0.5}}", "-0.6", 0);
    field("string", "", "\"\"", 1);
    field("string", "", "1", 0);
    field("string", "{\"length\":{\"min\":2,\"max\":3}}", "\"a\"", 0);
    field("string", "{\"length\":{\"min\":2,\"max\":3}}", "\"\xc3\xa9x\"", 1);
    field("string", "{\"length\":{\"min\":2,\"max\":3}}",
          "\"\xf0\x9f\x98\x80\"", 1);
    field("string", "{\"length\":{\"min\":2,\"max\":3}}",
          "\"\\ud83d\\ude00\\ud83d\\ude00\"", 0);
    field("enum", "{\"values\":[\"a\",\"\\u00e9\"]}", "\"\xc3\xa9\"", 1);
    field("enum", "{\"values\":[\"a\",\"b\"]}", "\"c\"", 0);
    field("enum", "{\"values\":[\"a\",\"b\"]}", "1", 0);
    field("geo_point", "", "{\"lat\":1,\"lon\":2}", 1);
    field("geo_point", "", "[1,2]", 1);
    field("geo_point", "", "\"1,2\"", 1);
    field("geo_point", "", "[100,2]", 0);

    field("ip_address", "", "\"\"", 1);
    field("ip_address", "{\"notEmpty\":true}", "\"\"", 0);
    field("ip_address", "", "\"10.0.0.255\"", 1);
    field("ip_address", "", "\"10.0.0.256\"", 0);
    field("ip_address", "", "\"10.0.0\"", 0);
    field("ip_address", "", "\"10.0.0.1.\"", 0);
    field("ip_address", "", "\"10.0.0.01\"", 0);
    field("ip_address", "", "\"::1\"", 1);
    field("ip_address", "", "\"fe80::1%eth0\"", 1);
    field("ip_address", "", "\"fe80::1%\"", 0);
    field("ip_address", "", "\"::1\\u0000\"", 0);
    field("ip_address", "", "\"1:2\"", 0);

    field("email", "", "\"\"", 1);
    field("email", "{\"notEmpty\":true}", "\"\"", 0);
    field("email", "", "\"foo@bar.com\"", 1);
    field("email", "", "\"foo+x.y@bar.co.uk\"", 1);
    field("email", "", "\"h\xc3\xa9llo@b\xc3\xbc" "cher.de\"", 1);
    field("email", "", "\"\\\"a b\\\"@x.org\"", 1);
    field("email", "", "\"foo@bar\"", 0);
    field("email", "", "\"foo..x@bar.com\"", 0);
    field("email", "", "\".foo@bar.com\"", 0);
    field("email", "", "\"@bar.com\"", 0);
    field("email", "", "\"foo\"", 0);
    field("email", "", "\"a b@x.org\"", 0);
    field("email", "", "\"foo@-bar.com\"", 0);
    field("email", "", "\"foo@bar.c0m\"", 0);

    field("url", "", "\"\"", 1);
    field("url", "", "\"http://www.foobar.com/\"", 1);
    field("url", "", "\"www.foobar.com\"", 1);
    field("url", "", "\"ftp://u:p@foobar.com:23/a?b=http://x#y\"", 1);
    field("url", "", "\"http://[::1]:80/\"", 1);
    field("url", "", "\"http://127.0.0.1/\"", 1);
    field("url", "", "\"http://localhost/\"", 0);
    field("url", "", "\"xyz://foobar.com\"", 0);
    field("url", "", "\"http://foobar.com:65536/\"", 0);
    field("url", "", "\"http://foobar.com:0/\"", 0);
    field("url", "", "\"http://foo bar.com\"", 0);
    field("url", "", "\"http://foo_bar.com\"", 0);
    field("url", "", "\"//foobar.com\"", 0);
    field("url", "", "\"mailto:foo@bar.com\"", 0);
    field("url", "", "\"http://\"", 0);
    field("url", "", "\"http://a:b:c@foobar.com\"", 0);
}


static void
dates(void)
{
    field("date", "", "1519899630123", 1);
    field("date", "", "\"1519899630123\"", 1);
    field("date", "", "-1", 1);
    field("date", "", "1.5", 0);
    field("date", "", "\"2018-03-01\"", 0);
    field("date", "", "true", 0);

    date("epoch_second", "1519899630.5", 1);
    date("date_optional_time", "2018", 1);
    date("date_optional_time", "2018-3-1T1:2", 1);
    date("date_optional_time", "2018-03-01T10:20:30.123+02:00", 1);
    date("date_optional_time", "2018-060", 1);
    date("date_optional_time", "2018-W09-4", 1);
    date("date_optional_time", "2018-02-29", 0);
    date("date_optional_time", "2016-02-29", 1);
    date("date_optional_time", "2018-13-01", 0);
    date("date_optional_time", "2018-1", 1);
    date("ordinal_date", "2018-1", 0);
    date("date_optional_time", "2018-03-01T24:00", 0);
    date("strict_date_optional_time", "2018-3-1", 0);
    date("strict_date_optional_time", "2018-03-01", 1);
    date("basic_date", "20180301", 1);
    date("basic_date", "2018031", 0);
    date("basic_date_time", "20180301T102030.123Z", 1);
    date("basic_date_time_no_millis", "20180301T102030+0200", 1);
    date("basic_ordinal_date", "2018365", 1);
    date("basic_ordinal_date", "2018366", 0);
    date("basic_ordinal_date", "2018000", 0);
    date("basic_time", "102030.123Z", 1);
    date("basic_t_time_no_millis", "T102030Z", 1);
    date("basic_week_date", "2018W094", 1);
    date("strict_basic_week_date", "2018W094", 1);
    date("strict_basic_week_date_time", "2018W094T102030.123Z", 1);
    date("date_hour_minute", "2018-03-01T10:20", 1);
    date("date_hour_minute", "2018-03-01T10", 0);
    date("date_hour_minute_second_fraction", "2018-03-01T10:20:30.1", 1);
    date("date_time", "2018-03-01T10:20:30.123Z", 1);
    date("date_time", "2018-03-01T10:20:30Z", 0);
    date("date_time_no_millis", "2018-03-01T10:20:30-03:30", 1);
    date("hour_minute_second_millis", "10:20:30.123", 1);
    date("strict_hour", "9", 0);
    date("hour", "9", 1);
    date("ordinal_date_time", "2018-060T10:20:30.1Z", 1);
    date("t_time", "T10:20:30.123Z", 1);
    date("week_date_time_no_millis", "2018-W09-4T10:20:30Z", 1);
    date("weekyear_week", "2018-W53", 0);
    date("weekyear_week", "2020-W53", 1);
    date("weekyear_week_day", "2018-W09-8", 0);
    date("strict_year_month", "2018-03", 1);
    date("year", "20180", 0);

    range("strict_date_optional_time", "{\"min\":\"2018-03-01\"}",
          "2018-03-01", 1);
    range("strict_date_optional_time", "{\"min\":\"2018-03-01\"}",
          "2018-02-28T23:59:59.999Z", 0);
    range("strict_date_optional_time", "{\"max\":\"NOW\"}",
          "2018-03-01T10:20:30.123Z", 1);
    range("strict_date_optional_time", "{\"max\":\"NOW\"}",
          "2018-03-01T10:20:30.124Z", 0);
    range("strict_date_optional_time", "{\"min\":\"NOW\",\"max\":"
          "4102444800000}", "2018-03-01T11:20:30.122+01:00", 0);
    range("week_date", "{\"min\":\"2018-03-01\",\"max\":\"2018-03-01\"}",
          "2018-W09-4", 1);
    range("basic_ordinal_date", "{\"min\":\"2018-03-01\",\"max\":"
          "1519862400000}", "2018060", 1);
    range("hour", "{\"min\":\"2018-03-01T09:00\",\"max\":"
          "\"2018-03-01T09:00\"}", "9", 1);
}


static void
shapes(void)
{
    const char  *circles;

    circles = "{\"shapeTypes\":[\"circle\"]}";

    field("geo_shape", "", "{\"type\":\"point\",\"coordinates\":[1,2]}", 1);
    field("geo_shape", "", "{\"type\":\"Point\",\"coordinates\":[1,2]}", 0);
    field("geo_shape", "", "{\"type\":\"point\",\"coordinates\":[181,2]}", 0);
    field("geo_shape", "", "{\"type\":\"point\",\"coordinates\":[1,91]}", 0);
    field("geo_shape", "", "{\"type\":\"point\",\"coordinates\":[1,2,3]}", 0);
    field("geo_shape", "", "{\"type\":\"point\"}", 0);
    field("geo_shape", "", "{\"coordinates\":[1,2]}", 0);
    field("geo_shape", "", "[1,2]", 0);
    field("geo_shape", circles, "{\"type\":\"point\",\"coordinates\":[1,2]}",
          0);
    field("geo_shape", circles, "{\"type\":\"circle\",\"coordinates\":[1,2],"
          "\"radius\":\"10km\"}", 1);
    field("geo_shape", "", "{\"type\":\"circle\",\"coordinates\":[1,2],"
          "\"radius\":10}", 1);
    field("geo_shape", "", "{\"type\":\"circle\",\"coordinates\":[1,2],"
          "\"radius\":\"far\"}", 0);
    field("geo_shape", "", "{\"type\":\"circle\",\"coordinates\":[1,2]}", 0);
    field("geo_shape", "", "{\"type\":\"point\",\"coordinates\":[1,2],"
          "\"radius\":1}", 0);
    field("geo_shape", "", "{\"type\":\"linestring\",\"coordinates\":"
          "[[1,2],[3,4]]}", 1);
    field("geo_shape", "", "{\"type\":\"linestring\",\"coordinates\":"
          "[[1,2]]}", 0);
    field("geo_shape", "", "{\"type\":\"polygon\",\"coordinates\":"
          "[[[0,0],[1,0],[1,1],[0,0]]],\"orientation\":\"cw\"}", 1);
    field("geo_shape", "", "{\"type\":\"polygon\",\"coordinates\":"
          "[[[0,0],[1,0],[1,1],[0,1]]]}", 0);
    field("geo_shape", "", "{\"type\":\"polygon\",\"coordinates\":"
          "[[[0,0],[1,0],[0,0]]]}", 0);
    field("geo_shape", "", "{\"type\":\"polygon\",\"coordinates\":"
          "[[[0,0],[1,0],[1,1],[0,0]]],\"orientation\":\"up\"}", 0);
    field("geo_shape", "", "{\"type\":\"multipolygon\",\"coordinates\":"
          "[[[[0,0],[1,0],[1,1],[0,0]]]]}", 1);
    field("geo_shape", "", "{\"type\":\"envelope\",\"coordinates\":"
          "[[0,1],[1,0]]}", 1);
    field("geo_shape", "", "{\"type\":\"multipoint\",\"coordinates\":[]}", 0);
    field("geo_shape", "", "{\"type\":\"geometrycollection\",\"geometries\":"
          "[{\"type\":\"point\",\"coordinates\":[1,2]}]}", 1);
    field("geo_shape", "", "{\"type\":\"geometrycollection\",\"geometries\":"
          "[{\"type\":\"point\",\"coordinates\":[1]}]}", 0);
    field("geo_shape", "", "{\"type\":\"geometrycollection\","
          "\"coordinates\":[]}", 0);
}


static void
filling(void)
{
    const char  *s;

    s = "{\"fields\":{\"a\":{\"type\":\"string\",\"defaultValue\":\"x\"},"
        "\"z\":{\"type\":\"integer\",\"defaultValue\":0},"
        "\"o\":{\"type\":\"object\"},"
        "\"o/b\":{\"type\":\"anything\",\"defaultValue\":[1, 2]},"
        "\"m\":{\"type\":\"object\",\"multivalued\":{\"value\":true}},"
        "\"m/c\":{\"type\":\"boolean\",\"defaultValue\":true}}}";

    fill(s, "{}", 0, "{\"a\":\"x\"}");
    fill(s, "{\"n\":1.10}", 0, "{\"n\":1.10,\"a\":\"x\"}");
    fill(s, "{\"a\":\"y\",\"o\":{}}", 0, "{\"a\":\"y\",\"o\":{\"b\":[1, 2]}}");
    fill(s, "{\"a\":null,\"z\":null}", 0, "{\"a\":\"x\",\"z\":null}");
    fill(s, "{\"a\":null,\"a\":\"q\",\"o\":{\"b\":1}}", 0,
         "{\"a\":\"q\",\"o\":{\"b\":1}}");
    fill(s, "{\"m\":[{},{\"c\":false},1]}", 0,
         "{\"m\":[{\"c\":true},{\"c\":false},1],\"a\":\"x\"}");
    fill(s, "{}", 1, "{}");
    fill(s, "{\"a\":null,\"o\":{},\"m\":[{\"c\":null}]}", 1,
         "{\"a\":\"x\",\"o\":{},\"m\":[{\"c\":true}]}");
    fill("{\"fields\":{\"a\":{\"type\":\"string\",\"defaultValue\":\"\"}}}",
         "{}", 0, NULL);
}


static void
reports(void)
{
    const char  *s;

    s = "{\"fields\":{\"a\":{\"type\":\"integer\"},"
        "\"o\":{\"type\":\"object\"},\"o/b\":{\"type\":\"boolean\"},"
        "\"s\":{\"type\":\"object\",\"typeOptions\":{\"strict\":true}}},"
        "\"validators\":[{\"exists\":{\"field\":\"z\"}}]}";

    report(s, "{\"z\":1}", "{\"errorMessages\":{},\"valid\":true}");
    report(s, "{\"a\":\"x\",\"o\":{\"b\":1},\"s\":{\"q\":1}}",
           "{\"errorMessages\":{\"documentScope\":[\"The document does not "
           "match validation filters.\"],\"fieldScope\":{\"children\":{"
           "\"a\":{\"messages\":[\"The field must be a number.\"]},"
           "\"o\":{\"children\":{\"b\":{\"messages\":[\"The field must be of "
           "type boolean.\"]}}},"
           "\"s\":{\"messages\":[\"The field is set to \\\"strict\\\"; "
           "cannot add unspecified sub-fields.\"]}}}},\"valid\":false}");
}


/* Memory may run out anywhere. */

static void
memory(void)
{
    ngx_int_t           rc, n;
    kz_spec_t          *spec;
    ngx_array_t         errors;
    kz_json_val_t       v, filled;
    kz_json_err_t       err;
    kz_spec_failure_t   f;

    static u_char  text[] = "{\"a\":null,\"\\u006f\":{\"d\":\"2018\"}}";
    static char    spec_text[] =
        "{\"fields\":{\"a\":{\"type\":\"string\",\"defaultValue\":\"x\"},"
        "\"o\":{\"type\":\"object\"},\"o/d\":{\"type\":\"date\","
        "\"typeOptions\":{\"formats\":[\"year\"]}}},"
        "\"validators\":[{\"exists\":{\"field\":\"a\"}}]}";

    (void) kz_json_scan(text, sizeof(text) - 1, 8, &v, &err);

    for (n = 0; n < 1000; n++) {
        (void) ngx_array_init(&errors, pool, 4, sizeof(ngx_str_t));

        {
            kz_json_val_t     s;

            static ngx_str_t  name = ngx_string("i.c");

            (void) kz_json_scan((u_char *) spec_text, sizeof(spec_text) - 1,
                                32, &s, &err);

            kz_shim_allocations = n;
            rc = kz_spec_compile(pool, &name, &s, &spec, &errors);
        }

        if (rc == NGX_OK) {
            rc = kz_spec_check(spec, pool, &v, NOW, &f);
        }

        if (rc == NGX_OK) {
            rc = kz_spec_fill(spec, pool, &v, 0, &filled);
        }

        kz_shim_allocations = -1;

        if (rc != NGX_ERROR) {
            break;
        }
    }

    is_int(rc, NGX_OK, "memory runs out everywhere");
    ok(n > 20 && n < 1000, "after %d times", (int) n);
}


int
main(void)
{
    pool = kz_shim_pool();

    grammar();
    structure();
    types();
    dates();
    shapes();
    filling();
    reports();
    memory();

    ngx_destroy_pool(pool);

    return tap_done();
}
