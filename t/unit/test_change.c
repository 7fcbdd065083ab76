/*
 * core/kz_change.c: a change as it travels over the bus, and what comes of
 * bytes that are none.
 *
 * sources: core/kz_change.c core/kz_message.c
 */

#include "core/kz_change.h"
#include "core/kz_message.h"
#include "kz_shim.h"
#include "tap.h"


static void
test_round_trip(void)
{
    size_t       len;
    u_char      *p, *end;
    kz_change_t  c, d;

    ngx_memzero(&c, sizeof(kz_change_t));
    ngx_memset(&d, 0xa5, sizeof(kz_change_t));

    c.file = 7;
    c.seq = ((uint64_t) 1 << 40) + 3;
    c.version = 12;
    c.timestamp = -1;
    c.kind = KZ_CHANGE_UPDATE;
    c.flags = 5;
    ngx_str_set(&c.index, "nyc");
    ngx_str_set(&c.collection, "taxi");
    ngx_str_set(&c.id, "a\0b");
    ngx_str_set(&c.old_source, "{\"a\":1}");
    ngx_str_set(&c.new_source, "{\"a\":2}");
    ngx_str_set(&c.changes, "{}");
    ngx_str_set(&c.request_id, "r");
    ngx_str_set(&c.controller, "document");
    ngx_str_set(&c.action, "mUpdate");
    ngx_str_set(&c.protocol, "websocket");
    ngx_str_set(&c.user, "-1");

    len = kz_change_len(&c);
    p = malloc(len);
    end = kz_change_write(p, &c);

    is_int(end - p, (long long) len, "as long as announced");
    is_int(kz_change_read(&d, p, len), NGX_OK, "read");

    ok(d.file == 7 && d.seq == c.seq && d.version == 12
       && d.timestamp == -1 && d.kind == KZ_CHANGE_UPDATE && d.flags == 5,
       "numbers");

    is_str(&d.index, "nyc", "index");
    is_str(&d.collection, "taxi", "collection");
    is_bytes(d.id.data, d.id.len, "a\0b", 3, "id with a NUL");
    is_str(&d.old_source, "{\"a\":1}", "old source");
    is_str(&d.new_source, "{\"a\":2}", "new source");
    is_str(&d.changes, "{}", "changes");
    is_str(&d.request_id, "r", "requestId");
    is_int(d.volatile_.len, 0, "no volatile");
    is_str(&d.controller, "document", "controller");
    is_str(&d.action, "mUpdate", "action");
    is_str(&d.protocol, "websocket", "protocol");
    is_str(&d.user, "-1", "user");

    free(p);
}


static void
test_refused(void)
{
    size_t       len, i;
    u_char      *p, *q;
    ngx_uint_t   taken;
    kz_change_t  c, d;

    ngx_memzero(&c, sizeof(kz_change_t));

    c.kind = KZ_CHANGE_DELETE;
    ngx_str_set(&c.index, "i");
    ngx_str_set(&c.user, "somebody");

    len = kz_change_len(&c);
    p = malloc(len + 1);
    kz_change_write(p, &c);
    p[len] = 0;

    taken = 0;

    for (i = 0; i < len; i++) {
        q = kz_shim_copy(p, i);
        taken += (kz_change_read(&d, q, i) == NGX_OK);
        free(q);
    }

    is_int(taken, 0, "cut short anywhere");
    is_int(kz_change_read(&d, p, len + 1), NGX_ERROR, "a byte too many");
    is_int(kz_change_read(&d, p, len), NGX_OK, "as it was");

    /* every length in turn as large as it can be */

    taken = 0;

    for (i = 40; i < 40 + 4 * KZ_CHANGE_STRINGS; i += 4) {
        q = kz_shim_copy(p, len);
        ngx_memset(q + i, 0xff, 4);
        taken += (kz_change_read(&d, q, len) == NGX_OK);
        free(q);
    }

    is_int(taken, 0, "lengths that lie");

    q = kz_shim_copy(p, len);
    q[32] = 0;
    is_int(kz_change_read(&d, q, len), NGX_ERROR, "kind 0");
    q[32] = KZ_CHANGE_PUBLISH + 1;
    is_int(kz_change_read(&d, q, len), NGX_ERROR, "unknown kind");
    free(q);

    free(p);
}


static void
test_message(void)
{
    kz_message_t  *m;

    m = kz_message_create(5, &kz_shim_log);

    ok(m != NULL && m->refs == 1 && m->len == 5, "a message");
    ngx_memcpy(m->data, "hello", 5);

    ok(kz_message_retain(m) == m && m->refs == 2, "retained");

    kz_message_release(m);
    is_text(m->data, m->len, "hello", "there until the last one goes");
    kz_message_release(m);

    kz_shim_allocations = 0;
    ok(kz_message_create(5, &kz_shim_log) == NULL, "no memory");
    kz_shim_allocations = -1;
}


int
main(void)
{
    test_round_trip();
    test_refused();
    test_message();

    return tap_done();
}
