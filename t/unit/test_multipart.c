
/*
 * multipart/form-data (src/util/kz_multipart.c).
 */

#include "util/kz_json_scan.h"
#include "util/kz_multipart.h"
#include "kz_shim.h"
#include "tap.h"


#define MAX  (1024 * 1024)

#define FIELD(name, value)                                                    \
    "--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"        \
    value "\r\n"

#define FILE_(headers, value)                                                 \
    "--B\r\nContent-Disposition: form-data; name=f; " headers "\r\n\r\n"      \
    value "\r\n"

#define END  "--B--\r\n"


static ngx_pool_t  *pool;
static kz_form_t    form;


static ngx_int_t
read_parts(ngx_uint_t generation, const void *text, size_t len,
    size_t file_max)
{
    u_char     *copy;
    ngx_str_t   boundary = ngx_string("B");

    /* of its own length exactly, and as long-lived as the form */

    copy = ngx_pnalloc(pool, len);
    ngx_memcpy(copy, text, len);

    kz_form_init(&form, pool, generation, MAX);

    return kz_multipart_parse(&form, &boundary, copy, len, file_max);
}


static void
check(ngx_uint_t generation, const char *text, size_t len, const char *want)
{
    ngx_int_t      rc;
    kz_out_t       o;
    kz_json_err_t  err;
    kz_json_val_t  v;

    rc = read_parts(generation, text, len, MAX);

    if (rc != NGX_OK) {
        is_text(form.what ? form.what : "?", strlen(form.what), want,
                "is refused");
        return;
    }

    kz_out_init(&o, pool, 0);
    kz_form_json(&form, &o);

    is_text(o.start, kz_out_len(&o), want, want);

    ok(kz_out_len(&o) <= form.size
       && kz_json_scan(o.start, kz_out_len(&o), 4, &v, &err) == NGX_OK,
       "is JSON, of the length announced");
}


#define is_parts(n, text, want)  check(n, text, sizeof(text) - 1, want)


static void
test_fields(void)
{
    is_parts(1, FIELD("a", "1") FIELD("b", "two") END,
             "{\"a\":\"1\",\"b\":\"two\"}");
    is_parts(1, END, "{}");
    is_parts(1, "--B--", "{}");
    is_parts(1, "hello\r\n" FIELD("a", "1") END "bye\r\n--B\r\n",
             "{\"a\":\"1\"}");
    is_parts(1, FIELD("a", "") END, "{\"a\":\"\"}");
    is_parts(1, FIELD("a", "1") FIELD("a", "2") END, "{\"a\":\"2\"}");
    is_parts(2, FIELD("a", "1") FIELD("a", "2") END, "{\"a\":\"2\"}");
    is_parts(2, FIELD("__proto__", "1") END, "{\"__proto__\":\"1\"}");
    is_parts(1, FIELD("\xff", "\xc0\x80") END,
             "{\"\xef\xbf\xbd\":\"\xef\xbf\xbd\xef\xbf\xbd\"}");
    is_parts(1, FIELD("a", "x\0y") END, "{\"a\":\"x\\u0000y\"}");

    /* a delimiter is a line of its own, whole */

    is_parts(1, FIELD("a", "x--B\r\n-B--\r\n--BB\r\n--B x\r\n--B -\r\nz") END,
             "{\"a\":\"x--B\\r\\n-B--\\r\\n--BB\\r\\n--B x\\r\\n--B -\\r\\nz\""
             "}");
    is_parts(1, "--B \t\r\nContent-Disposition: form-data; name=a\r\n\r\n1"
                "\r\n--B--",
             "{\"a\":\"1\"}");

    /* nothing at all between the headers and the next delimiter */

    is_parts(1, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n--B--",
             "{\"a\":\"\"}");
}


static void
test_headers(void)
{
    is_parts(1, "--B\r\ncontent-DISPOSITION:form-data;NAME=a\r\n\r\n1\r\n" END,
             "{\"a\":\"1\"}");
    is_parts(1, "--B\r\nX: y\r\nContent-Disposition: form-data;\r\n"
                " name=\"a\"\r\nZ:\r\n\r\n1\r\n" END,
             "{\"a\":\"1\"}");
    is_parts(1, "--B\r\nContent-Disposition: form-data; name=a\r\n"
                "Content-Disposition: form-data; name=b\r\n\r\n1\r\n" END,
             "{\"a\":\"1\"}");
    is_parts(1, "--B\r\nContent-Disposition: form-data; x; y=\"name=z\"; "
                "name=\"a;\\\"b\\\\c\\d\"; name=e\r\n\r\n1\r\n" END,
             "{\"a;\\\"b\\\\c\\\\d\":\"1\"}");
    is_parts(1, "--B\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n1"
                "\r\n" END,
             "{\"\":\"1\"}");
    is_parts(1, "--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1"
                "\r\n" END,
             "{\"a\":\"1\"}");
}


static void
test_files(void)
{
    is_parts(1, FILE_("filename=\"a.txt\"\r\nContent-Type: text/plain",
                      "hello file") END,
             "{\"f\":{\"filename\":\"a.txt\",\"encoding\":\"7bit\","
             "\"mimetype\":\"text/plain\",\"file\":\"aGVsbG8gZmlsZQ==\"}}");
    is_parts(2, FILE_("filename=\"a.txt\"\r\nContent-Type: text/plain",
                      "hello file") END,
             "{\"f\":{\"encoding\":\"text/plain\","
             "\"file\":\"aGVsbG8gZmlsZQ==\",\"filename\":\"a.txt\"}}");
    is_parts(1, FILE_("filename=\"C:\\dir\\a.b\"\r\nContent-Transfer-Encoding"
                      ": BINARY\r\nContent-Type: Image/PNG; x=y",
                      "\xff\0\xfe") END,
             "{\"f\":{\"filename\":\"a.b\",\"encoding\":\"binary\","
             "\"mimetype\":\"image/png\",\"file\":\"/wD+\"}}");
    is_parts(1, FILE_("filename=\"\"", "ab") END,
             "{\"f\":{\"filename\":\"\",\"encoding\":\"7bit\","
             "\"mimetype\":\"text/plain\",\"file\":\"YWI=\"}}");
    is_parts(1, FILE_("x=y\r\nContent-Type: application/octet-stream", "a")
                END,
             "{\"f\":{\"encoding\":\"7bit\",\"mimetype\":"
             "\"application/octet-stream\",\"file\":\"YQ==\"}}");
    is_parts(2, FILE_("filename=\"\"\r\nContent-Type: a/b", "ab") END,
             "{\"f\":\"ab\"}");
    is_parts(2, FILE_("filename=\"../a\"", "") END,
             "{\"f\":{\"file\":\"\",\"filename\":\"../a\"}}");
    is_parts(2, FILE_("filename=x\r\nContent-Type: a/b; c=d", "a") FIELD("f",
             "later") END,
             "{\"f\":\"later\"}");

    is_int(read_parts(1, FILE_("filename=a", "1234") END,
                      sizeof(FILE_("filename=a", "1234") END) - 1, 4),
           NGX_OK, "a file of the size allowed");
    is_int(read_parts(1, FILE_("filename=a", "12345") END,
                      sizeof(FILE_("filename=a", "12345") END) - 1, 4),
           NGX_DECLINED, "one byte more");
    ok(form.file_too_large, "and it is the file");
    is_int(read_parts(1, FIELD("a", "12345") END,
                      sizeof(FIELD("a", "12345") END) - 1, 4),
           NGX_OK, "a field is no file");
}


static void
test_malformed(void)
{
    is_parts(1, "", "Unexpected end of multipart data");
    is_parts(1, "--B", "Unexpected end of multipart data");
    is_parts(1, "--B\r\n", "Unexpected end of multipart data");
    is_parts(1, "no boundary", "Unexpected end of multipart data");
    is_parts(1, FIELD("a", "1"), "Unexpected end of multipart data");
    is_parts(1, FIELD("a", "1") "--B", "Unexpected end of multipart data");
    is_parts(1, FIELD("a", "1") "--B-", "Unexpected end of multipart data");
    is_parts(1, "--B\r\n\r\n1\r\n" END, "Multipart: part without a name");
    is_parts(1, "--B\r\nX: y\r\n\r\n1\r\n" END,
             "Multipart: part without a name");
    is_parts(1, "--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n" END,
             "Multipart: part without a name");
    is_parts(1, "--B\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n"
                END,
             "Multipart: part is no form-data");
    is_parts(1, "--B\r\nContent-Disposition: form-data; name=a\r\n--B\r\n\r\n"
                END,
             "Multipart: malformed part header");
}


static void
test_limits(void)
{
    char    *text;
    size_t   i, n;

    text = malloc(200 * (KZ_FORM_MAX_FIELDS + 1));

    n = sprintf(text, "--B\r\nX: ");
    memset(text + n, 'x', KZ_MULTIPART_MAX_HEADERS);
    n += KZ_MULTIPART_MAX_HEADERS;
    n += sprintf(text + n, "\r\n\r\n");

    is_int(read_parts(1, text, n, MAX), NGX_ERROR, "long headers");
    is_text(form.what, strlen(form.what), "Multipart: part header too long",
            "say so");

    for (n = 0, i = 0; i <= KZ_FORM_MAX_FIELDS; i++) {
        n += sprintf(text + n, FIELD("f%zu", "%zu"), i, i);
    }

    n += sprintf(text + n, END);

    is_int(read_parts(1, text, n, MAX), NGX_ERROR, "many parts");
    is_text(form.what, strlen(form.what), "too many form fields", "say so");

    free(text);
}


static void
test_boundary(void)
{
    ngx_int_t   rc;
    ngx_str_t   type, boundary;
    ngx_uint_t  i;
    char        longer[KZ_MULTIPART_MAX_BOUNDARY + 40];

    static const char  *types[][2] = {
        { "multipart/form-data; boundary=BB", "BB" },
        { "multipart/form-data;boundary=\"a b\"; charset=utf-8", "a b" },
        { "multipart/form-data; charset=utf-8; BOUNDARY=x ; y", "x" },
        { "multipart/form-data; a=\";boundary=1\"; boundary=2", "2" },
        { "multipart/form-data", NULL },
        { "multipart/form-data; boundary", NULL },
        { "multipart/form-data; boundary=", NULL },
        { "multipart/form-data; boundary=\"\"", NULL },
        { "multipart/form-data; boundary=\"", NULL },
        { "multipart/form-data; xboundary=a", NULL }
    };

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        type.len = strlen(types[i][0]);
        type.data = kz_shim_copy(types[i][0], type.len);

        kz_form_init(&form, pool, 1, MAX);
        rc = kz_multipart_boundary(&form, &type, &boundary);

        if (types[i][1] == NULL) {
            is_int(rc, NGX_ERROR, types[i][0]);
            is_text(form.what, strlen(form.what),
                    "Multipart: Boundary not found", "says so");

        } else {
            is_int(rc, NGX_OK, types[i][0]);
            is_str(&boundary, types[i][1], "the boundary");
        }

        free(type.data);
    }

    memset(longer, 'x', sizeof(longer));
    memcpy(longer, "multipart/form-data; boundary=", 30);

    type.data = (u_char *) longer;
    type.len = 30 + KZ_MULTIPART_MAX_BOUNDARY;

    is_int(kz_multipart_boundary(&form, &type, &boundary), NGX_OK,
           "the longest boundary");

    type.len++;

    is_int(kz_multipart_boundary(&form, &type, &boundary), NGX_ERROR,
           "a longer one");
}


int
main(void)
{
    pool = kz_shim_pool();

    test_fields();
    test_headers();
    test_files();
    test_malformed();
    test_limits();
    test_boundary();

    ngx_destroy_pool(pool);

    return tap_done();
}
