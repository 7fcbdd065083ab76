
/*
 * WebSocket frames.  See kz_ws_frame.h.
 *
 * A frame (RFC 6455, 5.2) is read field by field; payload is taken in as
 * large pieces as the input has:
 *
 *     FLAGS  fin, rsv, opcode       LENGTH  mask bit, length or its escape
 *     EXTEND 2 or 8 bytes of it     MASK    4 bytes     PAYLOAD
 *
 * Every rule is checked at the byte that breaks it, so that the result does
 * not depend on how the input was cut.
 */

#include "proto/ws/kz_ws_frame.h"
#include "util/kz_utf8.h"

#include <openssl/evp.h>
#include <openssl/sha.h>


#define KZ_WS_FIN        0x80
#define KZ_WS_RSV        0x70
#define KZ_WS_OPCODE     0x0f
#define KZ_WS_MASKED     0x80
#define KZ_WS_KEY_LEN    24
#define KZ_WS_FIRST      512        /* what is kept at first of a message */

#define kz_ws_is_control(opcode)  ((opcode) & 0x08)


enum {
    KZ_WS_ST_FLAGS = 0,
    KZ_WS_ST_LENGTH,
    KZ_WS_ST_EXTEND,
    KZ_WS_ST_MASK,
    KZ_WS_ST_PAYLOAD,
    KZ_WS_ST_DONE
};


static ngx_int_t kz_ws_parse_byte(kz_ws_parser_t *p, u_char c,
    kz_ws_event_t *ev);
static ngx_int_t kz_ws_parse_flags(kz_ws_parser_t *p, u_char c,
    kz_ws_event_t *ev);
static ngx_int_t kz_ws_parse_length(kz_ws_parser_t *p, u_char c,
    kz_ws_event_t *ev);
static ngx_int_t kz_ws_check_length(kz_ws_parser_t *p, kz_ws_event_t *ev);
static ngx_int_t kz_ws_parse_payload(kz_ws_parser_t *p, u_char **pos,
    u_char *last, kz_ws_event_t *ev, ngx_log_t *log);
static ngx_int_t kz_ws_frame_end(kz_ws_parser_t *p, u_char *data, size_t len,
    kz_ws_event_t *ev);
static ngx_int_t kz_ws_close_payload(kz_ws_parser_t *p, kz_ws_event_t *ev);
static ngx_int_t kz_ws_violation(kz_ws_parser_t *p, kz_ws_event_t *ev,
    ngx_uint_t code, const char *what);


void
kz_ws_parser_init(kz_ws_parser_t *p, size_t max)
{
    ngx_memzero(p, sizeof(kz_ws_parser_t));

    p->max = max;
    p->utf8 = KZ_UTF8_START;
}


void
kz_ws_parser_free(kz_ws_parser_t *p)
{
    kz_ws_bytes_free(&p->message);
    kz_ws_bytes_free(&p->control);
}


ngx_int_t
kz_ws_parse(kz_ws_parser_t *p, u_char **pos, u_char *last, kz_ws_event_t *ev,
    ngx_log_t *log)
{
    ngx_int_t  rc;

    if (p->used) {

        /* the bytes of the previous event; a message may still be open */

        kz_ws_bytes_free(&p->control);

        if (p->kind == 0) {
            kz_ws_bytes_free(&p->message);
        }

        p->used = 0;
    }

    while (p->state != KZ_WS_ST_DONE) {

        if (p->state == KZ_WS_ST_PAYLOAD) {
            rc = kz_ws_parse_payload(p, pos, last, ev, log);

        } else if (*pos == last) {
            return NGX_AGAIN;

        } else {
            rc = kz_ws_parse_byte(p, *(*pos)++, ev);
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DONE;
}


/* NGX_DECLINED: go on. */

static ngx_int_t
kz_ws_parse_byte(kz_ws_parser_t *p, u_char c, kz_ws_event_t *ev)
{
    switch (p->state) {

    case KZ_WS_ST_FLAGS:
        return kz_ws_parse_flags(p, c, ev);

    case KZ_WS_ST_LENGTH:
        return kz_ws_parse_length(p, c, ev);

    case KZ_WS_ST_EXTEND:
        p->left = p->left << 8 | c;

        if (--p->need) {
            return NGX_DECLINED;
        }

        /* 5.2: the highest bit is 0, the shortest form must be used */

        if (p->left >> 63) {
            return kz_ws_violation(p, ev, KZ_WS_PROTOCOL,
                                   "length with the highest bit set");
        }

        if (p->left < (p->wide ? 65536 : 126)) {
            return kz_ws_violation(p, ev, KZ_WS_PROTOCOL,
                                   "length is not in its shortest form");
        }

        return kz_ws_check_length(p, ev);

    default: /* KZ_WS_ST_MASK */
        p->mask[4 - p->need] = c;

        if (--p->need == 0) {
            p->state = KZ_WS_ST_PAYLOAD;
        }

        return NGX_DECLINED;
    }
}


static ngx_int_t
kz_ws_parse_flags(kz_ws_parser_t *p, u_char c, kz_ws_event_t *ev)
{
    p->fin = (c & KZ_WS_FIN) ? 1 : 0;
    p->opcode = c & KZ_WS_OPCODE;
    p->state = KZ_WS_ST_LENGTH;

    if (c & KZ_WS_RSV) {
        return kz_ws_violation(p, ev, KZ_WS_PROTOCOL, "reserved bit set");
    }

    switch (p->opcode) {

    case KZ_WS_CONTINUATION:

        if (p->kind == 0) {
            return kz_ws_violation(p, ev, KZ_WS_PROTOCOL,
                                   "continuation without a message");
        }

        break;

    case KZ_WS_TEXT:
    case KZ_WS_BINARY:

        if (p->kind != 0) {
            return kz_ws_violation(p, ev, KZ_WS_PROTOCOL,
                                   "message inside a fragmented message");
        }

        p->kind = p->opcode;
        break;

    case KZ_WS_CLOSE:
    case KZ_WS_PING:
    case KZ_WS_PONG:

        if (!p->fin) {
            return kz_ws_violation(p, ev, KZ_WS_PROTOCOL,
                                   "fragmented control frame");
        }

        break;

    default:
        return kz_ws_violation(p, ev, KZ_WS_PROTOCOL, "unknown opcode");
    }

    return NGX_DECLINED;
}


static ngx_int_t
kz_ws_parse_length(kz_ws_parser_t *p, u_char c, kz_ws_event_t *ev)
{
    ngx_uint_t  len;

    len = c & ~KZ_WS_MASKED;

    if (!(c & KZ_WS_MASKED)) {

        /* 5.1: the server must close the connection upon such a frame */

        return kz_ws_violation(p, ev, KZ_WS_PROTOCOL, "frame is not masked");
    }

    if (kz_ws_is_control(p->opcode) && len > KZ_WS_CONTROL_MAX) {
        return kz_ws_violation(p, ev, KZ_WS_PROTOCOL,
                               "control frame is too long");
    }

    if (len > 125) {
        p->left = 0;
        p->wide = (len == 127);
        p->need = p->wide ? 8 : 2;
        p->state = KZ_WS_ST_EXTEND;

        return NGX_DECLINED;
    }

    p->left = len;

    return kz_ws_check_length(p, ev);
}


/* The length is known: may the message be that big? */

static ngx_int_t
kz_ws_check_length(kz_ws_parser_t *p, kz_ws_event_t *ev)
{
    p->need = 4;
    p->state = KZ_WS_ST_MASK;

    if (kz_ws_is_control(p->opcode)) {
        return NGX_DECLINED;
    }

    /* message.len never exceeds max */

    if (p->left > p->max - p->message.len) {
        return kz_ws_violation(p, ev, KZ_WS_TOO_BIG, "message is too big");
    }

    return NGX_DECLINED;
}


static ngx_int_t
kz_ws_parse_payload(kz_ws_parser_t *p, u_char **pos, u_char *last,
    kz_ws_event_t *ev, ngx_log_t *log)
{
    size_t          n, max;
    u_char         *data;
    kz_ws_bytes_t  *b;

    data = *pos;
    n = last - data;

    if (n > p->left) {
        n = (size_t) p->left;
    }

    kz_ws_unmask(data, n, p->mask);

    *pos += n;
    p->left -= n;

    if (kz_ws_is_control(p->opcode)) {
        b = &p->control;
        max = KZ_WS_CONTROL_MAX;

    } else {
        b = &p->message;
        max = b->len + n + (size_t) p->left;

        if (!p->fin) {
            max = p->max;
        }

        /* 8.1; the text need not be complete to be wrong */

        if (p->kind == KZ_WS_TEXT
            && kz_utf8_check(&p->utf8, data, n) != NGX_OK)
        {
            return kz_ws_violation(p, ev, KZ_WS_BAD_DATA,
                                   "text is not UTF-8");
        }
    }

    if (p->left == 0 && p->fin && b->len == 0) {
        return kz_ws_frame_end(p, data, n, ev);
    }

    if (n && kz_ws_bytes_add(b, data, n, max, log) != NGX_OK) {
        return kz_ws_violation(p, ev, KZ_WS_INTERNAL, "no memory");
    }

    if (p->left != 0) {
        return NGX_AGAIN;
    }

    return kz_ws_frame_end(p, b->data, b->len, ev);
}


/* data: the whole payload of a control frame, or the message so far. */

static ngx_int_t
kz_ws_frame_end(kz_ws_parser_t *p, u_char *data, size_t len,
    kz_ws_event_t *ev)
{
    p->state = KZ_WS_ST_FLAGS;

    if (!p->fin) {
        return NGX_DECLINED;
    }

    ev->data = data;
    ev->len = len;
    ev->code = 0;
    ev->what = NULL;

    p->used = 1;

    if (kz_ws_is_control(p->opcode)) {
        ev->type = p->opcode;

        return (p->opcode == KZ_WS_CLOSE) ? kz_ws_close_payload(p, ev)
                                          : NGX_OK;
    }

    if (p->utf8 != KZ_UTF8_START) {
        return kz_ws_violation(p, ev, KZ_WS_BAD_DATA,
                               "text ends inside a character");
    }

    ev->type = p->kind;
    p->kind = 0;

    return NGX_OK;
}


/* 5.5.1, 7.4: nothing, or a code a peer may send and a reason in UTF-8 */

static ngx_int_t
kz_ws_close_payload(kz_ws_parser_t *p, kz_ws_event_t *ev)
{
    uint32_t    utf8;
    ngx_uint_t  code;

    p->state = KZ_WS_ST_DONE;

    if (ev->len == 0) {
        ev->code = KZ_WS_NO_CODE;
        return NGX_OK;
    }

    if (ev->len == 1) {
        return kz_ws_violation(p, ev, KZ_WS_PROTOCOL,
                               "close frame with half a code");
    }

    code = ev->data[0] << 8 | ev->data[1];

    /* 1012 to 1014: registered with IANA after the RFC */

    if (code < 1000 || code > 4999
        || (code > 1003 && code < 1007)
        || (code > 1014 && code < 3000))
    {
        return kz_ws_violation(p, ev, KZ_WS_PROTOCOL, "invalid close code");
    }

    ev->code = code;
    ev->data += 2;
    ev->len -= 2;

    utf8 = KZ_UTF8_START;

    if (kz_utf8_check(&utf8, ev->data, ev->len) != NGX_OK
        || utf8 != KZ_UTF8_START)
    {
        return kz_ws_violation(p, ev, KZ_WS_BAD_DATA,
                               "close reason is not UTF-8");
    }

    return NGX_OK;
}


static ngx_int_t
kz_ws_violation(kz_ws_parser_t *p, kz_ws_event_t *ev, ngx_uint_t code,
    const char *what)
{
    p->state = KZ_WS_ST_DONE;
    kz_ws_parser_free(p);

    ev->type = 0;
    ev->data = NULL;
    ev->len = 0;
    ev->code = code;
    ev->what = what;

    return NGX_ERROR;
}


ngx_int_t
kz_ws_bytes_add(kz_ws_bytes_t *b, const u_char *p, size_t len, size_t max,
    ngx_log_t *log)
{
    size_t   size;
    u_char  *data;

    if (len > b->size - b->len) {

        /* twice what has arrived, not what was announced */

        size = 2 * (b->len + len);

        if (size < KZ_WS_FIRST) {
            size = KZ_WS_FIRST;
        }

        if (size > max) {
            size = max;
        }

        if (size < b->len + len) {
            return NGX_ERROR;
        }

        data = ngx_alloc(size, log);
        if (data == NULL) {
            return NGX_ERROR;
        }

        if (b->len) {
            ngx_memcpy(data, b->data, b->len);
        }

        if (b->data) {
            ngx_free(b->data);
        }

        b->data = data;
        b->size = size;
    }

    ngx_memcpy(b->data + b->len, p, len);
    b->len += len;

    return NGX_OK;
}


void
kz_ws_bytes_free(kz_ws_bytes_t *b)
{
    if (b->data) {
        ngx_free(b->data);
    }

    b->data = NULL;
    b->len = 0;
    b->size = 0;
}


void
kz_ws_unmask(u_char *p, size_t len, u_char mask[4])
{
    u_char      turned[4];
    size_t      n;
    uint32_t    m;
    uint64_t    x, wide;
    ngx_uint_t  i;

    /* in memory order, so that it works whatever the byte order is */

    ngx_memcpy(&m, mask, 4);
    wide = (uint64_t) m << 32 | m;

    for (n = len; n >= 8; n -= 8, p += 8) {
        ngx_memcpy(&x, p, 8);
        x ^= wide;
        ngx_memcpy(p, &x, 8);
    }

    for (i = 0; i < n; i++) {
        p[i] ^= mask[i & 3];
    }

    for (i = 0; i < 4; i++) {
        turned[i] = mask[(len + i) & 3];
    }

    ngx_memcpy(mask, turned, 4);
}


u_char *
kz_ws_frame_header(u_char *dst, ngx_uint_t opcode, size_t len)
{
    ngx_uint_t  shift;

    *dst++ = (u_char) (KZ_WS_FIN | opcode);

    if (len < 126) {
        *dst++ = (u_char) len;
        return dst;
    }

    if (len < 65536) {
        *dst++ = 126;
        shift = 16;

    } else {
        *dst++ = 127;
        shift = 64;
    }

    do {
        shift -= 8;
        *dst++ = (u_char) ((uint64_t) len >> shift);
    } while (shift);

    return dst;
}


u_char *
kz_ws_close_frame(u_char *dst, ngx_uint_t code, const char *reason)
{
    size_t  len;

    if (code == KZ_WS_NO_CODE) {
        return kz_ws_frame_header(dst, KZ_WS_CLOSE, 0);
    }

    len = ngx_strlen(reason);

    if (len > KZ_WS_CONTROL_MAX - 2) {
        len = KZ_WS_CONTROL_MAX - 2;
    }

    dst = kz_ws_frame_header(dst, KZ_WS_CLOSE, 2 + len);

    *dst++ = (u_char) (code >> 8);
    *dst++ = (u_char) code;

    return ngx_cpymem(dst, reason, len);
}


ngx_int_t
kz_ws_key_valid(const ngx_str_t *key)
{
    u_char      c;
    ngx_uint_t  i;

    /* 16 bytes are 22 characters and two of padding */

    if (key->len != KZ_WS_KEY_LEN) {
        return NGX_ERROR;
    }

    for (i = 0; i < KZ_WS_KEY_LEN - 2; i++) {
        c = key->data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9') && c != '+' && c != '/')
        {
            return NGX_ERROR;
        }
    }

    return (key->data[i] == '=' && key->data[i + 1] == '=') ? NGX_OK
                                                            : NGX_ERROR;
}


ngx_int_t
kz_ws_accept(u_char *dst, const ngx_str_t *key)
{
    u_char  digest[SHA_DIGEST_LENGTH], text[KZ_WS_KEY_LEN + 36];
    u_char  base64[KZ_WS_ACCEPT_LEN + 1];

    static const char  guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    if (key->len != KZ_WS_KEY_LEN) {
        return NGX_ERROR;
    }

    ngx_memcpy(text, key->data, KZ_WS_KEY_LEN);
    ngx_memcpy(text + KZ_WS_KEY_LEN, guid, 36);

    if (SHA1(text, sizeof(text), digest) == NULL) {
        return NGX_ERROR;
    }

    EVP_EncodeBlock(base64, digest, SHA_DIGEST_LENGTH);
    ngx_memcpy(dst, base64, KZ_WS_ACCEPT_LEN);

    return NGX_OK;
}
