
/*
 * The frames between workers and writer.
 *
 * sources: store/sqlite/kz_sqlite_wire.c
 */

#include "kz_shim.h"
#include "tap.h"

#include "store/sqlite/kz_sqlite_wire.h"


#define str(s)  { sizeof(s) - 1, (u_char *) s }


static kz_wire_op_t  sample = {
    42, 40, 123456789, 1795353619981, 7, 13, 2, KZ_WIRE_SILENT,
    str("nyc"), str("yellow-taxi"), str("id/1"), str("{\"a\":1}"),
    str("req"), str("{}"), str("document"), str("create"), str("http"),
    str("-1"), str("{\"b\":2}")
};


static void
test_op(void)
{
    u_char           *buf, *piece, *end;
    size_t            len, i, wrong;
    ngx_int_t         rc;
    kz_wire_op_t      op;
    kz_wire_frame_t   f;

    len = kz_wire_op_len(&sample);
    buf = malloc(len);
    end = kz_wire_op_write(buf, &sample);

    ok(end == buf + len, "an operation is as long as announced");

    wrong = 0;

    for (i = 0; i < len; i++) {

        /* memory that ends where the bytes end, for the sanitizer */

        piece = kz_shim_copy(buf, i);
        wrong += (kz_wire_frame(piece, i, &f) != NGX_AGAIN);
        free(piece);
    }

    is_int(wrong, 0, "byte by byte: again until the last one is there");

    rc = kz_wire_frame(buf, len, &f);
    is_int(rc, NGX_OK, "the whole frame");
    is_int(f.type, KZ_WIRE_OP, "its type");
    is_int(f.total, (long long) len, "its length");
    is_int(kz_wire_op_read(&op, f.payload, f.len), NGX_OK, "it is read");

    is_int(op.seq, 42, "seq");
    is_int(op.acked, 40, "acked");
    is_int(op.deadline, 123456789, "deadline");
    is_int(op.timestamp, 1795353619981, "timestamp");
    is_int(op.if_version, 7, "version");
    is_int(op.kind, 13, "kind");
    is_int(op.dialect, 2, "dialect");
    is_int(op.flags, KZ_WIRE_SILENT, "flags");
    is_str(&op.index, "nyc", "index");
    is_str(&op.collection, "yellow-taxi", "collection");
    is_str(&op.id, "id/1", "id");
    is_str(&op.body, "{\"a\":1}", "body");
    is_str(&op.request_id, "req", "request id");
    is_str(&op.volatile_, "{}", "volatile");
    is_str(&op.controller, "document", "controller");
    is_str(&op.action, "create", "action");
    is_str(&op.protocol, "http", "protocol");
    is_str(&op.user, "-1", "user");
    is_str(&op.settings, "{\"b\":2}", "settings");

    kz_wire_op_stamp(buf, 41, 1);
    is_int(kz_wire_op_read(&op, f.payload, f.len), NGX_OK, "stamped");
    is_int(op.acked, 41, "with what was acknowledged since");
    is_int(op.flags, KZ_WIRE_SILENT | KZ_WIRE_RETRY, "and as a repetition");

    wrong = 0;

    for (i = 0; i < f.len; i++) {
        piece = kz_shim_copy(f.payload, i);
        wrong += (kz_wire_op_read(&op, piece, i) != NGX_ERROR);
        free(piece);
    }

    is_int(wrong, 0, "a payload cut anywhere is refused");

    free(buf);
}


/* Any byte of a frame may be anything: never past the end of the memory. */

static void
test_noise(void)
{
    u_char           *buf, *copy;
    size_t            len, i;
    ngx_uint_t        bit, bad;
    ngx_str_t        *s;
    kz_wire_op_t      op;
    kz_wire_frame_t   f;

    len = kz_wire_op_len(&sample);
    buf = malloc(len);
    (void) kz_wire_op_write(buf, &sample);
    bad = 0;

    for (i = 0; i < len; i++) {
        for (bit = 0; bit < 8; bit++) {

            copy = kz_shim_copy(buf, len);
            copy[i] ^= (u_char) (1 << bit);

            if (kz_wire_frame(copy, len, &f) == NGX_OK
                && kz_wire_op_read(&op, f.payload, f.len) == NGX_OK)
            {
                for (s = &op.index; s <= &op.settings; s++) {
                    bad += (s->data < copy || s->data + s->len > copy + len);
                }
            }

            free(copy);
        }
    }

    is_int(bad, 0, "each bit flipped: all strings stay inside");

    free(buf);
}


static void
test_bounds(void)
{
    u_char             buf[KZ_WIRE_HEAD], *p;
    uint32_t           head[2];
    ngx_str_t          name;
    kz_wire_op_t       op;
    kz_wire_frame_t    f;

    head[0] = KZ_WIRE_FRAME_MAX + 1;
    head[1] = KZ_WIRE_OP;
    memcpy(buf, head, sizeof(head));
    is_int(kz_wire_frame(buf, sizeof(buf), &f), NGX_ERROR,
           "a frame that announces too much");

    head[0] = KZ_WIRE_FRAME_MAX;
    memcpy(buf, head, sizeof(head));
    is_int(kz_wire_frame(buf, sizeof(buf), &f), NGX_AGAIN,
           "the longest one is waited for");

    head[0] = 0;
    head[1] = 0;
    memcpy(buf, head, sizeof(head));
    is_int(kz_wire_frame(buf, sizeof(buf), &f), NGX_ERROR, "type 0");

    head[1] = KZ_WIRE_MAX;
    memcpy(buf, head, sizeof(head));
    is_int(kz_wire_frame(buf, sizeof(buf), &f), NGX_ERROR,
           "a type after the last one");

    op = sample;
    name.len = KZ_WIRE_NAME_MAX + 1;
    name.data = malloc(name.len);
    memset(name.data, 'x', name.len);
    op.index = name;

    p = malloc(kz_wire_op_len(&op));
    (void) kz_wire_op_write(p, &op);
    is_int(kz_wire_frame(p, kz_wire_op_len(&op), &f), NGX_OK,
           "an operation with a long name is a frame");
    is_int(kz_wire_op_read(&op, f.payload, f.len), NGX_ERROR,
           "but is refused");
    free(p);

    op = sample;
    op.index.len = 0;
    op.seq = 0;
    op.acked = 0;
    p = malloc(kz_wire_op_len(&op));
    (void) kz_wire_op_write(p, &op);
    (void) kz_wire_frame(p, kz_wire_op_len(&op), &f);
    is_int(kz_wire_op_read(&op, f.payload, f.len), NGX_ERROR,
           "sequence numbers start at 1");
    free(p);

    op = sample;
    op.acked = op.seq;
    p = malloc(kz_wire_op_len(&op));
    (void) kz_wire_op_write(p, &op);
    (void) kz_wire_frame(p, kz_wire_op_len(&op), &f);
    is_int(kz_wire_op_read(&op, f.payload, f.len), NGX_ERROR,
           "nobody has the answer to what is asked");
    free(p);
    free(name.data);
}


static void
test_result(void)
{
    u_char             *buf;
    size_t              len;
    kz_wire_frame_t     f;
    kz_wire_result_t    r, back;

    memset(&r, 0, sizeof(r));
    r.seq = 7;
    r.version = 3;
    r.status = 5;
    r.flags = KZ_WIRE_CREATED | KZ_WIRE_INFO;
    r.id.data = (u_char *) "abc";
    r.id.len = 3;
    r.source.data = (u_char *) "{\"x\":[]}";
    r.source.len = 8;

    len = kz_wire_result_len(&r);
    buf = malloc(len);

    ok(kz_wire_result_write(buf, &r) == buf + len, "a result is written");
    is_int(kz_wire_frame(buf, len, &f), NGX_OK, "is a frame");
    is_int(kz_wire_result_read(&back, f.payload, f.len), NGX_OK, "is read");
    is_int(back.seq, 7, "seq");
    is_int(back.version, 3, "version");
    is_int(back.status, 5, "status");
    is_int(back.flags, KZ_WIRE_CREATED | KZ_WIRE_INFO, "flags");
    is_str(&back.id, "abc", "id");
    is_str(&back.source, "{\"x\":[]}", "source");
    is_int(back.detail.len, 0, "no detail");
    is_int(kz_wire_result_read(&back, f.payload, f.len - 1), NGX_ERROR,
           "a byte short");

    free(buf);
}


static void
test_words(void)
{
    u_char              buf[64];
    kz_wire_frame_t     f;
    kz_wire_hello_t     hello, h;
    kz_wire_leaving_t   leaving, l;

    hello.version = KZ_WIRE_VERSION;
    hello.pid = 1;
    hello.session = 0x1234567890abcdefULL;

    (void) kz_wire_hello_write(buf, &hello);
    is_int(kz_wire_frame(buf, KZ_WIRE_HELLO_LEN, &f), NGX_OK, "HELLO");
    is_int(kz_wire_hello_read(&h, f.payload, f.len), NGX_OK, "is read");
    ok(h.session == hello.session, "with its session");

    hello.version++;
    (void) kz_wire_hello_write(buf, &hello);
    is_int(kz_wire_hello_read(&h, f.payload, f.len), NGX_ERROR,
           "another version is refused");

    leaving.last = 99;
    (void) kz_wire_leaving_write(buf, &leaving);
    is_int(kz_wire_frame(buf, KZ_WIRE_LEAVING_LEN, &f), NGX_OK, "LEAVING");
    is_int(kz_wire_leaving_read(&l, f.payload, f.len), NGX_OK, "is read");
    is_int(l.last, 99, "with the last one");

    (void) kz_wire_word_write(buf, KZ_WIRE_TAKEOVER);
    is_int(kz_wire_frame(buf, KZ_WIRE_HEAD, &f), NGX_OK, "TAKEOVER");
    is_int(f.type, KZ_WIRE_TAKEOVER, "is just that");
}


int
main(void)
{
    test_op();
    test_noise();
    test_bounds();
    test_result();
    test_words();

    return tap_done();
}
