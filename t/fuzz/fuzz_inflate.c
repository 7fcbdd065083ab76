
/*
 * Content codings undone: however the input is cut into pieces, and however
 * small the room is, the outcome is the same.
 *
 *     byte 0     bits 0, 1: layers less one; 2 to 5: which are gzip;
 *                6: the rest is encoded with these layers first, and must
 *                come back as it was; 7: the rest is a list of codings
 *     byte 1     the limit: 1 is 64, 2 is 128, ... bytes, 0 is none
 *     the rest   what a client sent
 *
 * libs: -lz
 */

#include "util/kz_inflate.h"
#include "kz_shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>


#define FUZZ_MAX   16384
#define FUZZ_ROOM  65536

#define check(cond)                                                           \
    if (!(cond)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);            \
        abort();                                                              \
    }


typedef struct {
    ngx_int_t    rc;
    const char  *what;
    size_t       len;
    u_char      *data;
} fuzz_result_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_pool_t  *pool;


static u_char *
fuzz_encode(int window, const u_char *text, size_t len, size_t *size)
{
    u_char    *dst;
    z_stream   zs;

    memset(&zs, 0, sizeof(zs));

    check(deflateInit2(&zs, 1, Z_DEFLATED, window, 1, Z_DEFAULT_STRATEGY)
          == Z_OK);

    *size = deflateBound(&zs, len) + 32;
    dst = malloc(*size);
    check(dst);

    zs.next_in = (u_char *) text;
    zs.avail_in = len;
    zs.next_out = dst;
    zs.avail_out = *size;

    check(deflate(&zs, Z_FINISH) == Z_STREAM_END);

    *size = zs.total_out;
    deflateEnd(&zs);

    return dst;
}


/* step 0: all at once, else pieces and room of random size up to it */

static void
fuzz_decode(fuzz_result_t *res, const kz_inflate_list_t *list, size_t max,
    const u_char *text, size_t len, size_t step, uint32_t seed)
{
    size_t            n, room;
    u_char           *copy;
    ngx_int_t         rc;
    kz_inflate_t     *z;
    kz_inflate_io_t   io;

    z = kz_inflate_create(pool, list, max);
    check(z);

    memset(&io, 0, sizeof(io));

    copy = NULL;
    rc = NGX_AGAIN;
    res->len = 0;

    for ( ;; ) {

        if (rc == NGX_AGAIN) {
            check(io.pos == io.end && !io.last);

            free(copy);
            n = len;

            if (step) {
                seed = seed * 1103515245 + 12345;
                n = 1 + (seed >> 16) % step;

                if (n > len) {
                    n = len;
                }
            }

            copy = kz_shim_copy(text, n);
            text += n;
            len -= n;

            io.pos = copy;
            io.end = copy + n;
            io.last = (len == 0);
        }

        room = max + 1 - res->len;

        if (step) {
            seed = seed * 1103515245 + 12345;
            n = 1 + (seed >> 16) % step;
            room = n < room ? n : room;
        }

        io.out = res->data + res->len;
        io.out_end = io.out + room;

        if (z->budget <= 0) {
            z->budget = step ? 1 + seed % 5000 : 65536;
        }

        rc = kz_inflate_run(z, &io);

        check(io.pos <= io.end && io.out <= io.out_end);

        res->len = io.out - res->data;

        if (rc == NGX_BUSY) {
            check(io.out == io.out_end || z->budget <= 0);
            continue;
        }

        if (rc != NGX_AGAIN) {
            break;
        }
    }

    free(copy);

    check(rc == NGX_OK || rc == NGX_DECLINED || rc == NGX_ERROR);
    check(rc != NGX_OK || (io.last && io.pos == io.end && res->len <= max));
    check(rc != NGX_ERROR || z->what);

    res->rc = rc;
    res->what = z->what;

    kz_inflate_free(z);
}


static void
fuzz_list(const u_char *data, size_t size)
{
    u_char             *copy;
    ngx_int_t           rc;
    ngx_str_t           s;
    kz_inflate_list_t   list;

    copy = kz_shim_copy(data, size);
    s.data = copy;
    s.len = size;

    rc = kz_inflate_list(&list, &s, 3);

    check(list.n <= 3);
    check((rc == NGX_ERROR) == (rc != NGX_DECLINED && list.unknown.data));

    if (list.unknown.data) {
        check(list.unknown.data >= copy && list.unknown.len
              && list.unknown.data + list.unknown.len <= copy + size);
    }

    free(copy);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t              max, len, step;
    u_char             *text, *next;
    ngx_uint_t          i, mode;
    fuzz_result_t       pieces;
    kz_inflate_list_t   list;

    static u_char         *room;
    static fuzz_result_t   whole;
    static const size_t    steps[] = { 1, 5, 100, 9000 };

    if (size < 2 || size > FUZZ_MAX) {
        return 0;
    }

    if (pool == NULL) {
        pool = kz_shim_pool();
        whole.data = malloc(FUZZ_ROOM + 1);
        room = malloc(FUZZ_ROOM + 1);
        check(pool && whole.data && room);
    }

    mode = data[0];
    max = data[1] % 12 ? (size_t) 32 << data[1] % 12 : FUZZ_ROOM;

    data += 2;
    size -= 2;

    if (mode & 0x80) {
        fuzz_list(data, size);
        return 0;
    }

    memset(&list, 0, sizeof(list));
    list.n = 1 + (mode & 0x03);

    for (i = 0; i < list.n; i++) {
        list.codings[i] = mode & 0x04 << i ? KZ_INFLATE_GZIP
                                           : KZ_INFLATE_ZLIB;
    }

    text = kz_shim_copy(data, size);
    len = size;

    if (mode & 0x40) {
        for (i = list.n; i-- > 0; /* void */ ) {
            next = fuzz_encode(list.codings[i] == KZ_INFLATE_GZIP ? 31 : 15,
                               text, len, &len);
            free(text);
            text = next;
        }
    }

    fuzz_decode(&whole, &list, max, text, len, 0, 0);

    if (mode & 0x40 && whole.rc != NGX_DECLINED) {
        check(whole.rc == NGX_OK && whole.len == size
              && memcmp(whole.data, data, size) == 0);
    }

    pieces.data = room;

    /* byte by byte only what does not take for ever */

    step = steps[whole.len > 2000 ? 2 + len % 2 : len % 4];

    fuzz_decode(&pieces, &list, max, text, len, step, mode + len);

    /* two layers may fail at once: which one is seen is all the same */

    if (list.n == 1) {
        check(pieces.rc == whole.rc);
        check(pieces.what == whole.what
              || strcmp(pieces.what, whole.what) == 0);
    }

    check((pieces.rc == NGX_OK) == (whole.rc == NGX_OK));

    if (whole.rc == NGX_OK) {
        check(pieces.len == whole.len
              && memcmp(pieces.data, whole.data, whole.len) == 0);
    }

    free(text);
    ngx_reset_pool(pool);

    return 0;
}
