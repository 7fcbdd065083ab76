
/*
 * Content codings undone (src/util/kz_inflate.c).
 *
 * libs: -lz
 */

#include "util/kz_inflate.h"
#include "kz_shim.h"
#include "tap.h"

#include <zlib.h>


#define ROOM  (4 * 1024 * 1024)


static ngx_pool_t  *pool;
static u_char      *room;
static const char  *what;
static ngx_uint_t   turns;


/* Encodes; window 31: gzip, 15: zlib.  To be given back with free(). */

static u_char *
encode(int window, const void *text, size_t len, size_t *size)
{
    u_char    *dst;
    z_stream   zs;

    memset(&zs, 0, sizeof(zs));

    if (deflateInit2(&zs, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        abort();
    }

    *size = deflateBound(&zs, len) + 32;
    dst = malloc(*size);

    zs.next_in = (u_char *) text;
    zs.avail_in = len;
    zs.next_out = dst;
    zs.avail_out = *size;

    if (deflate(&zs, Z_FINISH) != Z_STREAM_END) {
        abort();
    }

    *size = zs.total_out;
    deflateEnd(&zs);

    return dst;
}


/*
 * Decodes into room, giving step bytes of input and of room at a time; 0:
 * all at once.  The length, or the negative return code.
 */

static ssize_t
decode(const char *codings, const u_char *text, size_t len, size_t max,
    size_t step)
{
    size_t               n;
    u_char              *copy, *out;
    ngx_int_t            rc;
    ngx_str_t            s;
    kz_inflate_t        *z;
    kz_inflate_io_t      io;
    kz_inflate_list_t    list;

    s.data = (u_char *) codings;
    s.len = strlen(codings);

    if (kz_inflate_list(&list, &s, KZ_INFLATE_MAX_LAYERS) != NGX_OK) {
        abort();
    }

    z = kz_inflate_create(pool, &list, max);
    if (z == NULL) {
        return NGX_ERROR;
    }

    turns = 0;
    what = NULL;
    out = room;
    copy = NULL;
    rc = NGX_AGAIN;
    memset(&io, 0, sizeof(io));

    for ( ;; ) {

        if (rc == NGX_AGAIN) {
            free(copy);

            n = step && step < len ? step : len;

            copy = kz_shim_copy(text, n);
            io.pos = copy;
            io.end = copy + n;
            text += n;
            len -= n;
            io.last = (len == 0);
        }

        io.out = out;
        io.out_end = step && out + step < room + ROOM ? out + step
                                                      : room + ROOM;

        if (z->budget <= 0) {
            z->budget = 64 * 1024;
            turns++;
        }

        rc = kz_inflate_run(z, &io);
        out = io.out;

        if (rc != NGX_AGAIN && rc != NGX_BUSY) {
            break;
        }

        if (rc == NGX_AGAIN && io.last) {
            abort();
        }
    }

    free(copy);
    what = z->what;
    kz_inflate_free(z);

    return rc == NGX_OK ? out - room : rc;
}


static void
test_list(void)
{
    ngx_int_t           rc;
    ngx_str_t           s;
    ngx_uint_t          i, j;
    kz_inflate_list_t   list;
    char                got[32];

    static const struct {
        const char  *text;
        ngx_int_t    rc;
        const char  *codings;
        const char  *unknown;
    } lists[] = {
        { "", NGX_OK, "", NULL },
        { "gzip", NGX_OK, "g", NULL },
        { " GZip\t", NGX_OK, "g", NULL },
        { "deflate", NGX_OK, "z", NULL },
        { "identity", NGX_OK, "", NULL },
        { "gzip, deflate", NGX_OK, "zg", NULL },
        { "gzip,identity,deflate", NGX_OK, "zg", NULL },
        { ",, gzip,\t,", NGX_OK, "g", NULL },
        { "gzip,gzip,gzip", NGX_OK, "ggg", NULL },
        { "gzip,gzip,gzip,gzip", NGX_DECLINED, NULL, NULL },
        { "identity,identity,gzip,br", NGX_DECLINED, NULL, NULL },
        { "br", NGX_ERROR, "", "br" },
        { "br, gzip", NGX_ERROR, "g", "br" },
        { "br, x-gzip", NGX_ERROR, "", "x-gzip" },
        { "gzip deflate", NGX_ERROR, "", "gzip deflate" },
        { "gzipp", NGX_ERROR, "", "gzipp" }
    };

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        s.len = strlen(lists[i].text);
        s.data = kz_shim_copy(lists[i].text, s.len);

        rc = kz_inflate_list(&list, &s, 3);

        is_int(rc, lists[i].rc, lists[i].text);

        if (lists[i].codings) {
            for (j = 0; j < list.n; j++) {
                got[j] = list.codings[j] == KZ_INFLATE_GZIP ? 'g' : 'z';
            }

            is_text(got, j, lists[i].codings, "in the order of decoding");
        }

        if (lists[i].unknown) {
            is_str(&list.unknown, lists[i].unknown, "the unknown one");
        }

        free(s.data);
    }

    s.data = (u_char *) "gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,gzip,"
                        "gzip,gzip,gzip,gzip,gzip,gzip,gzip";
    s.len = strlen((char *) s.data);

    is_int(kz_inflate_list(&list, &s, 100), NGX_ERROR,
           "never more layers than there is room for");
}


static void
test_chains(void)
{
    size_t       n, i;
    u_char      *one, *two, *three;
    size_t       len1, len2, len3;

    static u_char        text[100000];
    static const size_t  steps[] = { 0, 1, 2, 3, 7, 100, 8191, 8192, 8193 };

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (u_char) (i % 251 ^ (i >> 9));
    }

    one = encode(31, text, sizeof(text), &len1);
    two = encode(15, one, len1, &len2);
    three = encode(31, two, len2, &len3);

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        n = decode("gzip", one, len1, ROOM, steps[i]);
        is_bytes(room, n, text, sizeof(text), "one layer");

        n = decode("gzip,deflate", two, len2, ROOM, steps[i]);
        is_bytes(room, n, text, sizeof(text), "two layers");

        n = decode("gzip,deflate,gzip", three, len3, ROOM, steps[i]);
        is_bytes(room, n, text, sizeof(text), "three layers");
    }

    is_int(decode("deflate", one, len1, ROOM, 0), NGX_ERROR, "not a zlib");
    is_text(what, strlen(what), "incorrect header check", "says zlib");

    for (i = 0; i < len3; i++) {
        if (decode("gzip,deflate,gzip", three, i, ROOM, i % 2)
            != (i ? NGX_ERROR : 0))
        {
            break;
        }

        if (i && strcmp(what, "unexpected end of file") != 0) {
            break;
        }
    }

    is_int(i, len3, "cut anywhere, it is an error");

    free(one);
    free(two);
    free(three);
}


static void
test_ends(void)
{
    size_t    len, n;
    u_char   *abc, *z;
    u_char    text[256];

    abc = encode(31, "abc", 3, &len);
    memset(text, 0, sizeof(text));
    memcpy(text, abc, len);
    memcpy(text + len, abc, len);

    is_int(decode("gzip", text, 2 * len, ROOM, 0), 6, "two members");
    is_bytes(room, 6, "abcabc", 6, "follow one another");
    is_int(decode("gzip", text, 2 * len, ROOM, 1), 6, "byte by byte");
    is_int(decode("gzip", text, 2 * len - 1, ROOM, 0), NGX_ERROR,
           "the second one is cut");
    is_int(decode("gzip", text, 2 * len + 9, ROOM, 0), 6, "padded");
    is_int(decode("gzip", text, 2 * len + 9, ROOM, 1), 6, "byte by byte");

    text[2 * len] = 'x';
    is_int(decode("gzip", text, 2 * len + 1, ROOM, 0), NGX_ERROR,
           "one byte of garbage");
    is_text(what, strlen(what), "unexpected end of file", "half a header");
    is_int(decode("gzip", text, 2 * len + 9, ROOM, 0), NGX_ERROR,
           "more garbage");
    is_text(what, strlen(what), "incorrect header check", "says zlib");

    text[len - 5] ^= 1;
    is_int(decode("gzip", text, len, ROOM, 0), NGX_ERROR, "a wrong sum");
    is_text(what, strlen(what), "incorrect data check", "of the bytes");

    z = encode(15, "abc", 3, &n);
    memset(text, 0, sizeof(text));
    memcpy(text, z, n);
    is_int(decode("deflate", text, n, ROOM, 0), 3, "a zlib stream");
    is_int(decode("deflate", text, n + 3, ROOM, 1), 3, "padded");
    text[n] = 'x';
    is_int(decode("deflate", text, n + 3, ROOM, 1), NGX_ERROR, "garbage");
    is_text(what, strlen(what), "data after the end of the stream",
            "behind it");

    /* a preset dictionary */

    is_int(decode("deflate", (u_char *) "\x78\xbb\0\0\0\1\0\0", 8, ROOM, 0),
           NGX_ERROR, "wants a dictionary");
    is_text(what, strlen(what), "Missing dictionary", "and says so");

    is_int(decode("gzip", (u_char *) "", 0, ROOM, 0), 0, "nothing at all");

    free(z);
    z = encode(31, "", 0, &n);
    is_int(decode("gzip", z, n, ROOM, 0), 0, "gzip of nothing");
    is_int(decode("gzip,gzip", z, n, ROOM, 0), NGX_ERROR,
           "an inner layer of nothing");

    free(z);
    free(abc);
}


static void
test_limits(void)
{
    size_t    len, n, i;
    u_char   *bomb, *twice, *many;

    static u_char  zeros[2 * 1024 * 1024];

    bomb = encode(31, zeros, sizeof(zeros), &len);

    is_int(decode("gzip", bomb, len, sizeof(zeros), 0), sizeof(zeros),
           "as much as allowed");
    ok(turns > 30, "in many turns: %u", (unsigned) turns);
    is_int(decode("gzip", bomb, len, sizeof(zeros) - 1, 0), NGX_DECLINED,
           "one byte too much");
    is_int(decode("gzip", bomb, len, 1000, 0), NGX_DECLINED, "far too much");

    /* the layer in between is the one that explodes */

    many = malloc(300000);
    for (n = 0, i = 0; i < 15000; i++) {
        memcpy(many + n, "\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0",
               20);
        n += 20;
    }

    is_int(decode("gzip", many, n, 1000, 0), 0, "members of nothing");
    ok(turns > 100, "are work all the same: %u", (unsigned) turns);

    twice = encode(31, many, n, &len);
    is_int(decode("gzip,gzip", twice, len, n, 0), 0, "and inside another");
    is_int(decode("gzip,gzip", twice, len, n - 1, 0), NGX_DECLINED,
           "count there too");

    free(bomb);
    free(twice);
    free(many);
}


static void
test_no_memory(void)
{
    size_t     len;
    u_char    *abc;
    ssize_t    n;
    ngx_int_t  i;

    abc = encode(31, "abc", 3, &len);

    for (i = 0; i < 40; i++) {
        kz_shim_allocations = i;
        n = decode("identity,gzip", abc, len, ROOM, 1);
        kz_shim_allocations = -1;

        if (n == 3) {
            break;
        }

        if (n != NGX_ERROR || what != NULL) {
            break;
        }
    }

    ok(i > 2 && i < 40, "memory that ends is an error, %d times", (int) i);

    free(abc);
}


int
main(void)
{
    pool = kz_shim_pool();
    room = malloc(ROOM);

    test_list();
    test_chains();
    test_ends();
    test_limits();
    test_no_memory();

    free(room);
    ngx_destroy_pool(pool);

    return tap_done();
}
