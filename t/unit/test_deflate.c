
/*
 * Content codings of a reply (src/util/kz_deflate.c): what is chosen, what
 * zlib makes of the result; indented JSON (src/util/kz_json_pretty.c).
 *
 * libs: -lz
 */

#include "util/kz_deflate.h"
#include "util/kz_json_pretty.h"
#include "kz_shim.h"
#include "tap.h"


#define SIZE  300000


static u_char  plain[SIZE], packed[SIZE + SIZE / 7 + 256], again[SIZE];


typedef struct {
    const char   *header;           /* "|": a second header */
    kz_coding_e   coding;
    ngx_uint_t    must;
} accept_t;


static const accept_t  accepts[] = {
    { NULL, KZ_CODING_IDENTITY, 0 },
    { "", KZ_CODING_IDENTITY, 0 },
    { "gzip", KZ_CODING_GZIP, 0 },
    { "GZip", KZ_CODING_GZIP, 0 },
    { "x-gzip", KZ_CODING_GZIP, 0 },
    { "deflate", KZ_CODING_DEFLATE, 0 },
    { "br", KZ_CODING_IDENTITY, 0 },
    { "gzipped", KZ_CODING_IDENTITY, 0 },
    { "xgzip", KZ_CODING_IDENTITY, 0 },
    { "deflate, gzip", KZ_CODING_GZIP, 0 },
    { "identity, deflate, gzip", KZ_CODING_GZIP, 0 },
    { "identity, deflate", KZ_CODING_DEFLATE, 0 },
    { "identity", KZ_CODING_IDENTITY, 0 },
    { "gzip, deflate, br, zstd", KZ_CODING_GZIP, 0 },
    { "br;q=1.0, gzip;q=0.8, *;q=0.1", KZ_CODING_GZIP, 0 },
    { "gzip;q=0.5", KZ_CODING_GZIP, 0 },
    { "gzip;q=0.001", KZ_CODING_GZIP, 0 },
    { "gzip;q=0", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=0.000", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=0.5, deflate;q=0.6", KZ_CODING_DEFLATE, 0 },
    { "gzip;q=0.5, deflate", KZ_CODING_DEFLATE, 0 },
    { "gzip;q=0.5, identity", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=0.5, identity;q=0.5", KZ_CODING_GZIP, 0 },
    { "deflate;q=0.5, identity;q=0.6", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=0, deflate", KZ_CODING_DEFLATE, 0 },
    { "gzip ; q=0.2 , deflate\t;\tq=0.3", KZ_CODING_DEFLATE, 0 },
    { "gzip;Q=0.2,deflate;Q=0.1", KZ_CODING_GZIP, 0 },
    { "*", KZ_CODING_GZIP, 0 },
    { "*;q=0.1", KZ_CODING_GZIP, 0 },
    { "*;q=0", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=0, *", KZ_CODING_DEFLATE, 0 },
    { "gzip;q=0, deflate;q=0, *", KZ_CODING_IDENTITY, 0 },
    { "identity;q=0", KZ_CODING_IDENTITY, 0 },
    { "identity;q=0, gzip", KZ_CODING_GZIP, 1 },
    { "*;q=0, gzip;q=0.1", KZ_CODING_GZIP, 1 },
    { "identity, *;q=0", KZ_CODING_IDENTITY, 0 },
    { "gzip, gzip;q=0", KZ_CODING_IDENTITY, 0 },
    { "deflate|gzip", KZ_CODING_GZIP, 0 },
    { "gzip|gzip;q=0", KZ_CODING_IDENTITY, 0 },
    { ",, ,gzip,,", KZ_CODING_GZIP, 0 },
    { "  gzip  ", KZ_CODING_GZIP, 0 },

    /* what is malformed says nothing */
    { "gzip;q=", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=2", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=1.001", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=0.1234", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=-1", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=.5", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=x", KZ_CODING_IDENTITY, 0 },
    { "gzip;level=9", KZ_CODING_IDENTITY, 0 },
    { "gzip;", KZ_CODING_IDENTITY, 0 },
    { "gzip deflate", KZ_CODING_IDENTITY, 0 },
    { "gzip;q=99999999999999999999, deflate", KZ_CODING_DEFLATE, 0 },
    { "gzip;q=1., deflate;q=0.", KZ_CODING_GZIP, 0 },
    { ";q=1", KZ_CODING_IDENTITY, 0 },
    { ";", KZ_CODING_IDENTITY, 0 }
};


static void
test_accept(void)
{
    char         *copy, *bar;
    ngx_str_t     s;
    ngx_uint_t    i, must;
    kz_coding_e   coding;
    kz_accept_t   a;

    for (i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {

        ngx_memzero(&a, sizeof(a));

        if (accepts[i].header) {

            /* no byte behind it may be looked at: the copy has none */

            s.len = strlen(accepts[i].header);
            copy = malloc(s.len ? s.len : 1);
            memcpy(copy, accepts[i].header, s.len);

            bar = memchr(copy, '|', s.len);

            s.data = (u_char *) copy;

            if (bar) {
                s.len = bar - copy;
                kz_accept_add(&a, &s);

                s.data = (u_char *) bar + 1;
                s.len = strlen(accepts[i].header) - s.len - 1;
            }

            kz_accept_add(&a, &s);
            free(copy);
        }

        coding = kz_accept_coding(&a, &must);

        ok(coding == accepts[i].coding && must == accepts[i].must,
           "Accept-Encoding: %s", accepts[i].header ? accepts[i].header
                                                    : "(none)");
    }
}


/* zlib's own opinion, strictly of this one format. */

static ngx_uint_t
unpacks(kz_coding_e coding, size_t len, size_t size)
{
    int       rc;
    z_stream  z;

    memset(&z, 0, sizeof(z));

    inflateInit2(&z, coding == KZ_CODING_GZIP ? 15 + 16 : 15);

    z.next_in = packed;
    z.avail_in = len;
    z.next_out = again;
    z.avail_out = sizeof(again);

    rc = inflate(&z, Z_FINISH);
    inflateEnd(&z);

    return rc == Z_STREAM_END && z.total_out == size && z.avail_in == 0
           && memcmp(plain, again, size) == 0;
}


/* in and out in steps of so many bytes */

static ngx_uint_t
round_trip(kz_coding_e coding, ngx_int_t level, size_t size, size_t step_in,
    size_t step_out)
{
    u_char        *in, *last, *out, *end;
    ngx_int_t      rc;
    ngx_uint_t     turns;
    kz_deflate_t  *d;

    d = kz_deflate_get(coding, level, size);

    if (d == NULL) {
        return 0;
    }

    in = plain;
    out = packed;
    last = plain;
    rc = NGX_OK;

    for (turns = 0; turns < 10 * SIZE; turns++) {

        if (rc == NGX_OK) {
            last = (size_t) (plain + size - in) > step_in ? in + step_in
                                                          : plain + size;
        }

        end = out + step_out;

        if (end > packed + sizeof(packed)) {
            end = packed + sizeof(packed);
        }

        rc = kz_deflate_run(d, &in, last, &out, end, last == plain + size);

        if (rc == NGX_ERROR || (rc == NGX_OK && last == plain + size)) {
            break;
        }
    }

    kz_deflate_put(d);

    return rc == NGX_OK && unpacks(coding, out - packed, size);
}


static void
test_deflate(void)
{
    size_t        n;
    ngx_int_t     level;
    ngx_uint_t    good;
    kz_coding_e   coding;

    static size_t  sizes[] = { 0, 1, 100, 762, 763, 1786, 1787, 4000, 8000,
                               16000, 40000, 65536, 65537, SIZE };

    for (coding = KZ_CODING_GZIP; coding <= KZ_CODING_DEFLATE; coding++) {

        for (n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {

            good = 1;

            for (level = 1; level <= 9; level++) {
                good &= round_trip(coding, level, sizes[n], SIZE, SIZE);
                good &= round_trip(coding, 10 - level, sizes[n], SIZE, SIZE);
            }

            ok(good, "coding %d: %d bytes, every level, after every other",
               (int) coding, (int) sizes[n]);
        }

        ok(round_trip(coding, 1, 2000, 1, SIZE), "byte after byte in");
        ok(round_trip(coding, 6, 2000, SIZE, 1), "byte after byte out");
        ok(round_trip(coding, 6, 2000, 1, 1), "both");
        ok(round_trip(coding, 1, SIZE, 16384, 1000), "slices");
    }
}


/* A compressor that was given back in the middle is as good as new. */

static void
test_abandoned(void)
{
    u_char        *in, *out;
    ngx_uint_t     i;
    kz_deflate_t  *d[20];

    for (i = 0; i < 20; i++) {
        d[i] = kz_deflate_get(KZ_CODING_GZIP, 6, SIZE);

        in = plain;
        out = packed;

        kz_deflate_run(d[i], &in, plain + 1000 * i, &out,
                       packed + sizeof(packed), 0);
    }

    for (i = 0; i < 20; i++) {
        kz_deflate_put(d[i]);
    }

    for (i = 0; i < 6; i++) {
        ok(round_trip(KZ_CODING_DEFLATE, 1 + i, SIZE, SIZE, SIZE),
           "used again");
    }

    kz_deflate_exit();
    kz_deflate_exit();

    ok(round_trip(KZ_CODING_GZIP, 1, 100, SIZE, SIZE), "after the exit");
    kz_deflate_exit();
}


typedef struct {
    const char   *text;
    const char   *pretty;
} pretty_t;


static const pretty_t  pretties[] = {
    { "{}", "{}" },
    { "[]", "[]" },
    { "null", "null" },
    { "-1.50e+3", "-1.50e+3" },
    { "\"a\"", "\"a\"" },
    { "[1]", "[\n  1\n]" },
    { "[[],{}]", "[\n  [],\n  {}\n]" },
    { "{\"a\":{}}", "{\n  \"a\": {}\n}" },
    { "{\"a\":[1,true,null],\"b\":{\"c\":\"d\"}}",
      "{\n  \"a\": [\n    1,\n    true,\n    null\n  ],\n  \"b\": {\n"
      "    \"c\": \"d\"\n  }\n}" },
    { "[\"{,:[]}\"]", "[\n  \"{,:[]}\"\n]" },
    { "[\"a\\\"b\",\"\\\\\",\"\\\\\\\"\"]",
      "[\n  \"a\\\"b\",\n  \"\\\\\",\n  \"\\\\\\\"\"\n]" },
    { " { \"a\" : [ ] , \"b\" : [ 1 , 2 ] } ",
      "{\n  \"a\": [],\n  \"b\": [\n    1,\n    2\n  ]\n}" },
    { "[[[1]]]", "[\n  [\n    [\n      1\n    ]\n  ]\n]" },
    { "[\"\xc3\xa9\"]", "[\n  \"\xc3\xa9\"\n]" }
};


static void
test_pretty(void)
{
    size_t       n, len;
    u_char      *p;
    ngx_uint_t   i;

    for (i = 0; i < sizeof(pretties) / sizeof(pretties[0]); i++) {
        n = strlen(pretties[i].text);

        len = kz_json_pretty_len((u_char *) pretties[i].text, n, 1000);

        p = kz_json_pretty(again, (u_char *) pretties[i].text, n);

        is_text(again, p - again, pretties[i].pretty, pretties[i].text);
        ok(len == (size_t) (p - again), "its length");

        ok(kz_json_pretty_len((u_char *) pretties[i].text, n, len) == len
           && kz_json_pretty_len((u_char *) pretties[i].text, n, len - 1)
              == 0, "a limit");
    }

    /* what is not JSON may come out as anything, but of the length said */

    for (i = 0; i < 200000; i++) {

        for (n = 0; n < 12; n++) {
            packed[n] = (u_char) "[]{},:\"\\ a1\n"[random() % 12];
        }

        len = kz_json_pretty_len(packed, n, 1000);

        if ((size_t) (kz_json_pretty(again, packed, n) - again) != len) {
            break;
        }
    }

    ok(i == 200000, "no JSON at all: never more than was said");
}


int
main(void)
{
    size_t  i;

    /* neither noise nor all the same */

    for (i = 0; i < SIZE; i++) {
        plain[i] = (i / 1000) % 3 ? "{\"name\":\"value\",17}"[i % 19]
                                  : (u_char) random();
    }

    test_accept();
    test_deflate();
    test_abandoned();
    test_pretty();

    return tap_done();
}
