
/*
 * WebSocket frames, RFC 6455: every input is fed whole, byte by byte and in
 * two pieces cut at every place; the events must be the same.
 *
 * sources: proto/ws/kz_ws_frame.c
 * libs: -lcrypto
 */

#include "proto/ws/kz_ws_frame.h"
#include "kz_shim.h"
#include "tap.h"


#define MAX   1000           /* bytes a message may have in most tests */


static u_char  events[1 << 20];
static size_t  nevents;


/* One line per event: "text:Hello ", "close:1000:bye ", "!1002 " */

static void
event_put(const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    nevents += vsnprintf((char *) events + nevents, sizeof(events) - nevents,
                         fmt, args);
    va_end(args);
}


static void
event_note(ngx_int_t rc, kz_ws_event_t *ev)
{
    static const char  *names[] = {
        "0", "text", "binary", "3", "4", "5", "6", "7", "close", "ping",
        "pong"
    };

    if (rc == NGX_ERROR) {
        event_put("!%d ", (int) ev->code);
        return;
    }

    event_put("%s", names[ev->type]);

    if (ev->type == KZ_WS_CLOSE) {
        event_put(":%d", (int) ev->code);
    }

    event_put(":%.*s", (int) ev->len, ev->data);

    if (ev->len > 40) {
        event_put("(%d)", (int) ev->len);
    }

    event_put(" ");
}


static void
feed(kz_ws_parser_t *p, const u_char *in, size_t len)
{
    u_char         *copy, *pos;
    ngx_int_t       rc;
    kz_ws_event_t   ev;

    copy = kz_shim_copy(in, len);
    pos = copy;

    do {
        rc = kz_ws_parse(p, &pos, copy + len, &ev, &kz_shim_log);

        if (rc == NGX_OK || rc == NGX_ERROR) {
            event_note(rc, &ev);
        }
    } while (rc == NGX_OK || rc == NGX_ERROR);

    if (rc == NGX_AGAIN && pos != copy + len) {
        event_put("<not all was read> ");
    }

    free(copy);
}


static int
same(const char *want)
{
    if (nevents == strlen(want) && memcmp(events, want, nevents) == 0) {
        return 1;
    }

    printf("# got:  %.*s\n# want: %s\n", (int) nevents, events, want);

    return 0;
}


static void
check_max(const char *name, const void *bytes, size_t len, size_t max,
    const char *want)
{
    int              good;
    size_t           i;
    const u_char    *in = bytes;
    kz_ws_parser_t   p;

    nevents = 0;
    kz_ws_parser_init(&p, max);
    feed(&p, in, len);
    kz_ws_parser_free(&p);
    ok(same(want), "%s", name);

    nevents = 0;
    kz_ws_parser_init(&p, max);

    for (i = 0; i < len; i++) {
        feed(&p, in + i, 1);
    }

    kz_ws_parser_free(&p);
    ok(same(want), "%s, byte by byte", name);

    good = 1;

    for (i = 0; i <= len && i < 400; i++) {
        nevents = 0;
        kz_ws_parser_init(&p, max);
        feed(&p, in, i);
        feed(&p, in + i, len - i);
        kz_ws_parser_free(&p);

        if (!same(want)) {
            printf("# cut at %d\n", (int) i);
            good = 0;
        }
    }

    ok(good, "%s, in two pieces", name);
}


#define check(name, bytes, want)                                              \
    check_max(name, bytes, sizeof(bytes) - 1, MAX, want)


/* A masked frame; flags is its first byte.  Returns its length. */

static size_t
frame(u_char *dst, u_char flags, const void *payload, size_t len)
{
    u_char        *p;
    size_t         i;
    const u_char  *s = payload;

    static const u_char  mask[] = { 0x12, 0xef, 0x00, 0x77 };

    p = kz_ws_frame_header(dst, flags & 0x0f, len);
    dst[0] = flags;
    dst[1] |= 0x80;

    memcpy(p, mask, 4);
    p += 4;

    for (i = 0; i < len; i++) {
        *p++ = s[i] ^ mask[i & 3];
    }

    return p - dst;
}


/* Frames from a list: flags, payload, flags, payload, ..., -1 */

static void
check_frames(const char *name, const char *want, ...)
{
    int          flags;
    size_t       len;
    u_char       in[4096];
    va_list      args;
    const char  *payload;

    len = 0;
    va_start(args, want);

    for ( ;; ) {
        flags = va_arg(args, int);

        if (flags == -1) {
            break;
        }

        payload = va_arg(args, const char *);
        len += frame(in + len, (u_char) flags, payload, strlen(payload));
    }

    va_end(args);

    check_max(name, in, len, MAX, want);
}


static void
test_rfc_examples(void)
{
    u_char   in[70000], *p;
    u_char   data[65536];
    size_t   n;
    ngx_str_t key = ngx_string("dGhlIHNhbXBsZSBub25jZQ==");
    u_char   accept[KZ_WS_ACCEPT_LEN];

    /* 5.7 */

    check("unmasked text message is refused",
          "\x81\x05\x48\x65\x6c\x6c\x6f", "!1002 ");

    check("masked text message",
          "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "text:Hello ");

    check_frames("fragmented message", "text:Hello ",
                 0x01, "Hel", 0x80, "lo", -1);

    check("masked pong",
          "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "pong:Hello ");

    check_frames("ping", "ping:Hello ", 0x89, "Hello", -1);

    memset(data, 'x', sizeof(data));

    n = frame(in, 0x82, data, 256);
    ok(in[1] == 0xfe && in[2] == 0x01 && in[3] == 0x00,
       "256 bytes take a 16-bit length");
    nevents = 0;
    check_max("256 bytes", in, n, MAX,
              "binary:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
              "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
              "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
              "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
              "xxxxxxxxxxxxxx(256) ");

    p = kz_ws_frame_header(in, KZ_WS_BINARY, 65536);
    is_bytes(in, p - in, "\x82\x7f\0\0\0\0\0\1\0\0", 10,
             "64 KB take a 64-bit length");

    p = kz_ws_frame_header(in, KZ_WS_TEXT, 5);
    is_bytes(in, p - in, "\x81\x05", 2, "header of a small frame");

    p = kz_ws_frame_header(in, KZ_WS_TEXT, 126);
    is_bytes(in, p - in, "\x81\x7e\x00\x7e", 4, "header of 126 bytes");

    p = kz_ws_frame_header(in, KZ_WS_TEXT, 65535);
    is_bytes(in, p - in, "\x81\x7e\xff\xff", 4, "header of 65535 bytes");

    for (n = 0; n < 70000; n++) {
        p = kz_ws_frame_header(in, KZ_WS_TEXT, n);

        if ((size_t) (p - in) != kz_ws_frame_header_len(n)) {
            break;
        }
    }

    is_int(n, 70000, "the announced header lengths are right");

    /* 1.3 */

    ok(kz_ws_key_valid(&key) == NGX_OK, "the key of the RFC is valid");
    ok(kz_ws_accept(accept, &key) == NGX_OK, "it is accepted");
    is_text(accept, KZ_WS_ACCEPT_LEN, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "with the answer of the RFC");
}


static void
test_keys(void)
{
    static ngx_str_t  bad[] = {
        ngx_string(""),
        ngx_string("dGhlIHNhbXBsZSBub25jZQ="),
        ngx_string("dGhlIHNhbXBsZSBub25jZQ==="),
        ngx_string("dGhlIHNhbXBsZSBub25jZQAA"),
        ngx_string("dGhlIHNhbXBsZSBub25jZQA="),
        ngx_string("dGhlIHNhbXBsZSBub25j Q=="),
        ngx_string("dGhlIHNhbXBsZSBub25j_Q=="),
        ngx_null_string
    };

    ngx_uint_t  i;

    for (i = 0; bad[i].data; i++) {
        ok(kz_ws_key_valid(&bad[i]) == NGX_ERROR, "key \"%s\" is refused",
           bad[i].data);
    }
}


static void
test_frames(void)
{
    /* 5.2 */

    check("reserved bit 1", "\xc1\x80\1\2\3\4", "!1002 ");
    check("reserved bit 2", "\xa1\x80\1\2\3\4", "!1002 ");
    check("reserved bit 3", "\x91\x80\1\2\3\4", "!1002 ");
    check("opcode 3", "\x83\x80\1\2\3\4", "!1002 ");
    check("opcode 7", "\x87\x80\1\2\3\4", "!1002 ");
    check("opcode 11", "\x8b\x80\1\2\3\4", "!1002 ");
    check("opcode 15", "\x8f\x80\1\2\3\4", "!1002 ");

    check("16-bit length that fits into 7 bits",
          "\x81\xfe\x00\x05\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "!1002 ");
    check("64-bit length that fits into 16 bits",
          "\x81\xff\0\0\0\0\0\0\xff\xff\1\2\3\4", "!1002 ");
    check("64-bit length with the highest bit set",
          "\x81\xff\x80\0\0\0\0\1\0\0\1\2\3\4", "!1002 ");

    check_frames("empty messages", "text: binary: ", 0x81, "", 0x82, "", -1);
    check_frames("several messages", "text:a binary:b text:c ",
                 0x81, "a", 0x82, "b", 0x81, "c", -1);
    check("nothing", "", "");
    check("half a header", "\x81", "");
    check("half a message", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f", "");

    check_frames("nothing is read after a violation", "text:a !1002 ",
                 0x81, "a", 0x83, "", 0x81, "b", -1);
}


static void
test_fragments(void)
{
    /* 5.4 */

    check_frames("many fragments, some empty", "text:abcdef ",
                 0x01, "", 0x00, "ab", 0x00, "", 0x00, "cdef", 0x80, "", -1);
    check_frames("fragments, all empty", "text: ",
                 0x01, "", 0x00, "", 0x80, "", -1);
    check_frames("fragmented binary", "binary:abc ",
                 0x02, "a", 0x80, "bc", -1);
    check_frames("control frames between fragments",
                 "ping:p1 pong:p2 ping: text:Hello text:x ",
                 0x01, "Hel", 0x89, "p1", 0x8a, "p2", 0x89, "", 0x80, "lo",
                 0x81, "x", -1);
    check_frames("close between fragments", "close:1000: ",
                 0x01, "Hel", 0x88, "\x03\xe8", 0x80, "lo", -1);
    check_frames("continuation without a message", "!1002 ",
                 0x80, "lo", -1);
    check_frames("unfinished continuation without a message", "!1002 ",
                 0x00, "lo", -1);
    check_frames("continuation after a whole message", "text:a !1002 ",
                 0x81, "a", 0x80, "b", -1);
    check_frames("text inside a fragmented message", "!1002 ",
                 0x01, "Hel", 0x81, "lo", -1);
    check_frames("binary inside a fragmented message", "!1002 ",
                 0x01, "Hel", 0x02, "lo", -1);
    check_frames("a message after a fragmented one", "text:ab text:cd ",
                 0x01, "a", 0x80, "b", 0x01, "c", 0x80, "d", -1);
}


static void
test_control(void)
{
    size_t   n;
    u_char   in[512], want[512];
    char     data[200];

    /* 5.5 */

    check_frames("fragmented ping", "!1002 ", 0x09, "a", -1);
    check_frames("fragmented close", "!1002 ", 0x08, "", -1);

    memset(data, 'y', sizeof(data));

    n = frame(in, 0x89, data, 125);
    sprintf((char *) want, "ping:%.125s(125) ", data);
    check_max("ping of 125 bytes", in, n, MAX, (char *) want);
    check_max("the limit is not that of messages", in, n, 10,
              (char *) want);

    n = frame(in, 0x89, data, 126);
    check_max("ping of 126 bytes", in, n, MAX, "!1002 ");

    check("close of 64-bit length", "\x88\xff\0\0\0\0\0\1\0\0\1\2\3\4",
          "!1002 ");
}


static void
test_close(void)
{
    char        name[64], want[64];
    u_char      in[16], code[2], out[KZ_WS_CONTROL_MAX + 2], *p;
    size_t      n;
    char        reason[200];
    ngx_uint_t  i;

    static const int  good[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009,
                                 1010, 1011, 1012, 1013, 1014, 3000, 3999,
                                 4000, 4999, 0 };
    static const int  bad[] = { 0xffff, 1, 999, 1004, 1005, 1006, 1015, 1016,
                                1100, 2000, 2999, 5000, 65535, 0 };

    check_frames("close without a code", "close:1005: ", 0x88, "", -1);
    check_frames("close with half a code", "!1002 ", 0x88, "\x03", -1);
    check_frames("close with a reason", "close:1000:bye ",
                 0x88, "\x03\xe8" "bye", -1);
    check_frames("nothing is read after it", "close:1000:bye ",
                 0x88, "\x03\xe8" "bye", 0x81, "a", 0x83, "", -1);
    check_frames("reason that is not UTF-8", "!1007 ",
                 0x88, "\x03\xe8" "a\xff", -1);
    check_frames("reason that ends inside a character", "!1007 ",
                 0x88, "\x03\xe8" "a\xe2\x82", -1);

    for (i = 0; good[i]; i++) {
        code[0] = (u_char) (good[i] >> 8);
        code[1] = (u_char) good[i];
        n = frame(in, 0x88, code, 2);
        sprintf(name, "close code %d", good[i]);
        sprintf(want, "close:%d: ", good[i]);
        check_max(name, in, n, MAX, want);
    }

    for (i = 0; bad[i]; i++) {
        code[0] = (u_char) (bad[i] >> 8);
        code[1] = (u_char) bad[i];
        n = frame(in, 0x88, code, 2);
        sprintf(name, "close code %d is refused", bad[i]);
        check_max(name, in, n, MAX, "!1002 ");
    }

    p = kz_ws_close_frame(out, 1001, "bye");
    is_bytes(out, p - out, "\x88\x05\x03\xe9" "bye", 7,
             "a close frame is written");

    p = kz_ws_close_frame(out, KZ_WS_NO_CODE, "bye");
    is_bytes(out, p - out, "\x88\x00", 2, "an empty one too");

    memset(reason, 'r', sizeof(reason) - 1);
    reason[sizeof(reason) - 1] = '\0';
    p = kz_ws_close_frame(out, 1011, reason);
    ok(p - out == KZ_WS_CONTROL_MAX + 2 && out[1] == KZ_WS_CONTROL_MAX,
       "a long reason is cut");
}


static void
test_size(void)
{
    u_char          in[4096], data[1001];
    size_t          n;
    kz_ws_parser_t  p;

    memset(data, 'z', sizeof(data));

    n = frame(in, 0x82, data, 10);
    check_max("as long as allowed", in, n, 10, "binary:zzzzzzzzzz ");
    check_max("one byte too long", in, n, 9, "!1009 ");
    check_max("nothing is allowed", in, n, 0, "!1009 ");

    check("refused by its header alone", "\x82\xfe\x03\xe9", "!1009 ");
    check("a huge one too", "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
          "!1009 ");

    n = frame(in, 0x02, data, 6);
    n += frame(in + n, 0x80, data, 4);
    check_max("fragments as long as allowed", in, n, 10,
              "binary:zzzzzzzzzz ");
    check_max("the last fragment is too much", in, n, 9, "!1009 ");

    n += frame(in + n, 0x82, data, 10);
    check_max("every message counts for itself", in, n, 10,
              "binary:zzzzzzzzzz binary:zzzzzzzzzz ");

    /* an announced megabyte costs nothing yet */

    nevents = 0;
    kz_ws_parser_init(&p, 1 << 20);
    feed(&p, (u_char *) "\x82\xff\0\0\0\0\0\x10\0\0\1\2\3\4", 14);
    ok(p.message.size == 0, "a header takes no memory");
    feed(&p, (u_char *) "abc", 3);
    ok(p.message.size > 0 && p.message.size < 4096,
       "a little takes a little");
    kz_ws_parser_free(&p);
}


static void
test_utf8(void)
{
    u_char          in[64];
    size_t          n;
    kz_ws_parser_t  p;

    /* 8.1 */

    check_frames("text in UTF-8", "text:\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9 ",
                 0x81, "\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa9", -1);
    check_frames("a character over two fragments", "text:a\xe2\x82\xac ",
                 0x01, "a\xe2", 0x80, "\x82\xac", -1);
    check_frames("a ping inside a character", "ping:\xff text:\xe2\x82\xac ",
                 0x01, "\xe2", 0x89, "\xff", 0x80, "\x82\xac", -1);
    check_frames("text that is not UTF-8", "!1007 ", 0x81, "ab\xff", -1);
    check_frames("overlong form", "!1007 ", 0x81, "\xc0\xaf", -1);
    check_frames("surrogate", "!1007 ", 0x81, "\xed\xa0\x80", -1);
    check_frames("above U+10FFFF", "!1007 ", 0x81, "\xf4\x90\x80\x80", -1);
    check_frames("text that ends inside a character", "!1007 ",
                 0x81, "ab\xe2\x82", -1);
    check_frames("fragmented text that does so", "!1007 ",
                 0x01, "ab", 0x80, "\xe2\x82", -1);
    check_frames("binary may hold anything", "binary:\xff\xfe ",
                 0x82, "\xff\xfe", -1);
    check_frames("fragmented binary too", "binary:\xff\xfe text:a ",
                 0x02, "\xff", 0x80, "\xfe", 0x81, "a", -1);
    check_frames("text after an invalid one is not read", "!1007 ",
                 0x81, "\xff", 0x81, "a", -1);

    /* no need to wait for the rest */

    n = frame(in, 0x01, "ab\xff" "cdefgh", 9);
    nevents = 0;
    kz_ws_parser_init(&p, MAX);
    feed(&p, in, n - 6);
    ok(same("!1007 "), "refused at the first bad byte");
    kz_ws_parser_free(&p);
}


static void
test_unmask(void)
{
    u_char      data[64], mask[4], want;
    size_t      off, len, i;
    ngx_uint_t  bad;

    static const u_char  key[4] = { 0xa1, 0x02, 0xf3, 0x54 };

    bad = 0;

    for (off = 0; off < 8; off++) {
        for (len = 0; len <= 40; len++) {
            memset(data, 0x5a, sizeof(data));
            memcpy(mask, key, 4);

            kz_ws_unmask(data + off, len, mask);

            for (i = 0; i < sizeof(data); i++) {
                want = (i >= off && i < off + len)
                           ? (u_char) (0x5a ^ key[(i - off) & 3]) : 0x5a;
                bad += (data[i] != want);
            }

            for (i = 0; i < 4; i++) {
                bad += (mask[i] != key[(len + i) & 3]);
            }
        }
    }

    is_int(bad, 0, "unmasking at every alignment and length");
}


static void
test_memory(void)
{
    u_char          in[64];
    size_t          n;
    kz_ws_parser_t  p;

    n = frame(in, 0x81, "Hello", 5);

    nevents = 0;
    kz_ws_parser_init(&p, MAX);
    kz_shim_allocations = 0;
    feed(&p, in, n);
    ok(same("text:Hello "), "a message in one piece needs no memory");

    nevents = 0;
    feed(&p, in, n - 1);
    kz_shim_allocations = -1;
    ok(same("!1011 "), "no memory for an incomplete one");
    kz_ws_parser_free(&p);

    nevents = 0;
    kz_ws_parser_init(&p, MAX);
    feed(&p, in, n - 1);
    feed(&p, in + n - 1, 1);
    feed(&p, in, 0);
    ok(p.message.data == NULL, "the memory of a message is given back");
    kz_ws_parser_free(&p);
}


int
main(void)
{
    test_rfc_examples();
    test_keys();
    test_frames();
    test_fragments();
    test_control();
    test_close();
    test_size();
    test_utf8();
    test_unmask();
    test_memory();

    return tap_done();
}
