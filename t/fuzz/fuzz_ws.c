
/*
 * The WebSocket frame parser: however the input is cut into pieces, the
 * events must be the same.
 *
 *     byte 0     what the pieces depend on
 *     byte 1     the size limit: 0 is 64, 1 is 128, ... bytes
 *     the rest   what a client sent
 *
 * sources: proto/ws/kz_ws_frame.c
 * libs: -lcrypto
 */

#include "proto/ws/kz_ws_frame.h"
#include "util/kz_utf8.h"
#include "kz_shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define FUZZ_MAX  65536


typedef struct {
    u_char  *data;
    size_t   len;
    size_t   size;
} fuzz_log_t;


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
fuzz_die(const char *why)
{
    fprintf(stderr, "fuzz_ws: %s\n", why);
    abort();
}


static void
fuzz_put(fuzz_log_t *log, const void *p, size_t len)
{
    if (log->size - log->len < len) {
        log->size = 2 * (log->len + len) + 256;
        log->data = realloc(log->data, log->size);

        if (log->data == NULL) {
            abort();
        }
    }

    if (len) {
        memcpy(log->data + log->len, p, len);
    }

    log->len += len;
}


/* What holds for every event, whatever the input. */

static void
fuzz_event(fuzz_log_t *log, ngx_int_t rc, kz_ws_event_t *ev, size_t max)
{
    uint32_t  utf8, head[4];

    utf8 = KZ_UTF8_START;

    if (rc == NGX_ERROR) {
        if (ev->code != KZ_WS_PROTOCOL && ev->code != KZ_WS_BAD_DATA
            && ev->code != KZ_WS_TOO_BIG)
        {
            fuzz_die("strange code of a violation");
        }

        if (ev->what == NULL || ev->type != 0 || ev->len != 0) {
            fuzz_die("a violation with something in it");
        }

    } else if (ev->type == KZ_WS_TEXT || ev->type == KZ_WS_BINARY) {
        if (ev->len > max) {
            fuzz_die("a message beyond the limit");
        }

    } else if (ev->len > KZ_WS_CONTROL_MAX) {
        fuzz_die("a control frame beyond the limit");
    }

    if ((ev->type == KZ_WS_TEXT || ev->type == KZ_WS_CLOSE)
        && (kz_utf8_check(&utf8, ev->data, ev->len) != NGX_OK
            || utf8 != KZ_UTF8_START))
    {
        fuzz_die("text that is not UTF-8");
    }

    head[0] = (uint32_t) rc;
    head[1] = (uint32_t) ev->type;
    head[2] = (uint32_t) ev->code;
    head[3] = (uint32_t) ev->len;

    fuzz_put(log, head, sizeof(head));
    fuzz_put(log, ev->data, ev->len);
}


/* step 0: whole; 1: byte by byte; else pieces of random length below it */

static void
fuzz_run(fuzz_log_t *log, const uint8_t *data, size_t size, size_t max,
    size_t step, uint32_t seed)
{
    size_t           n;
    u_char          *copy, *pos;
    ngx_int_t        rc;
    ngx_uint_t       done;
    kz_ws_event_t    ev;
    kz_ws_parser_t   p;

    log->len = 0;
    done = 0;

    kz_ws_parser_init(&p, max);

    do {
        n = size;

        if (step) {
            seed = seed * 1103515245 + 12345;
            n = 1 + (seed >> 16) % step;

            if (n > size) {
                n = size;
            }
        }

        copy = kz_shim_copy(data, n);
        pos = copy;

        do {
            rc = kz_ws_parse(&p, &pos, copy + n, &ev, &kz_shim_log);

            if (rc == NGX_OK || rc == NGX_ERROR) {
                if (done) {
                    fuzz_die("an event after the end");
                }

                done = (rc == NGX_ERROR || ev.type == KZ_WS_CLOSE);
                fuzz_event(log, rc, &ev, max);
            }
        } while (rc == NGX_OK || rc == NGX_ERROR);

        if (rc == NGX_AGAIN && pos != copy + n) {
            fuzz_die("not all of the input was read");
        }

        if ((rc == NGX_DONE) != done) {
            fuzz_die("the end is not where it was announced");
        }

        if (p.message.size > max || p.control.size > 2 * KZ_WS_CONTROL_MAX) {
            fuzz_die("more memory than allowed");
        }

        free(copy);

        data += n;
        size -= n;

    } while (size);

    kz_ws_parser_free(&p);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      max;
    uint32_t    seed;
    ngx_uint_t  i;

    static fuzz_log_t    whole, pieces;
    static const size_t  steps[] = { 1, 4, 20, 300 };

    if (size < 2 || size > FUZZ_MAX) {
        return 0;
    }

    seed = data[0];
    max = (size_t) 64 << (data[1] & 0x0f);

    data += 2;
    size -= 2;

    fuzz_run(&whole, data, size, max, 0, 0);

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        fuzz_run(&pieces, data, size, max, steps[i], seed + i);

        if (pieces.len != whole.len
            || (whole.len
                && memcmp(pieces.data, whole.data, whole.len) != 0))
        {
            fuzz_die("the pieces say something else than the whole");
        }
    }

    return 0;
}
