#ifndef _KZ_WS_FRAME_H_INCLUDED_
#define _KZ_WS_FRAME_H_INCLUDED_

/*
 * WebSocket frames (RFC 6455), the server's side: bytes to events, and the
 * headers of what is sent.  Pure: no connection, no clock.
 *
 * The parser can stop after any byte.  A message that lies in the input as
 * one frame is unmasked in place and never copied; only what is incomplete
 * when the input ends is kept, in memory that grows with the bytes that have
 * really arrived.  What a frame header announces is compared with the limit
 * before anything is kept.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#define KZ_WS_CONTINUATION   0x0
#define KZ_WS_TEXT           0x1
#define KZ_WS_BINARY         0x2
#define KZ_WS_CLOSE          0x8
#define KZ_WS_PING           0x9
#define KZ_WS_PONG           0xa

/* Close codes, 7.4.1 */

#define KZ_WS_NORMAL         1000
#define KZ_WS_GOING_AWAY     1001
#define KZ_WS_PROTOCOL       1002
#define KZ_WS_NO_CODE        1005       /* a close frame without a code */
#define KZ_WS_ABNORMAL       1006       /* no close frame at all */
#define KZ_WS_BAD_DATA       1007
#define KZ_WS_TOO_BIG        1009
#define KZ_WS_INTERNAL       1011

#define KZ_WS_HEADER_MAX     10         /* server frames are not masked */
#define KZ_WS_CONTROL_MAX    125
#define KZ_WS_ACCEPT_LEN     28


typedef struct {
    u_char        *data;
    size_t         len;
    size_t         size;
} kz_ws_bytes_t;


typedef struct {
    size_t         max;                 /* bytes a message may have */
    uint64_t       left;                /* payload bytes still to come */
    kz_ws_bytes_t  message;             /* what there is of it so far */
    kz_ws_bytes_t  control;             /* the same of a control frame */
    uint32_t       utf8;
    u_char         mask[4];             /* turned to the next byte */
    u_char         state;
    u_char         need;                /* bytes left of a header field */
    unsigned       opcode:4;            /* of the current frame */
    unsigned       fin:1;
    unsigned       wide:1;              /* its length took 8 bytes */
    unsigned       kind:4;              /* of the message; 0: none is open */
    unsigned       used:1;              /* its bytes were handed out */
} kz_ws_parser_t;


typedef struct {
    ngx_uint_t     type;                /* TEXT, BINARY, CLOSE, PING, PONG */
    u_char        *data;                /* payload; of CLOSE: the reason */
    size_t         len;
    ngx_uint_t     code;                /* CLOSE, or what was violated */
    const char    *what;                /* violation, for the log */
} kz_ws_event_t;


void kz_ws_parser_init(kz_ws_parser_t *p, size_t max);

/* Frees what the parser keeps. */
void kz_ws_parser_free(kz_ws_parser_t *p);

/*
 * Reads from *pos (which moves) to the next event.
 *
 * NGX_OK     *ev is a whole message or control frame; its data is valid
 *            until the next call, or as long as the input is
 * NGX_AGAIN  the input is used up
 * NGX_ERROR  violation: ev->code is what to close with, ev->what says why
 *            (KZ_WS_INTERNAL: no memory)
 * NGX_DONE   after a close frame or a violation: nothing is read any more
 *
 * The input is changed (unmasked).
 */
ngx_int_t kz_ws_parse(kz_ws_parser_t *p, u_char **pos, u_char *last,
    kz_ws_event_t *ev, ngx_log_t *log);

/* Appends, growing up to max bytes at most; NGX_ERROR: no memory. */
ngx_int_t kz_ws_bytes_add(kz_ws_bytes_t *b, const u_char *p, size_t len,
    size_t max, ngx_log_t *log);
void kz_ws_bytes_free(kz_ws_bytes_t *b);

/* Unmasks len bytes in place and turns the mask to the byte after them. */
void kz_ws_unmask(u_char *p, size_t len, u_char mask[4]);

/* The header of an unmasked, unfragmented frame; returns its end. */
u_char *kz_ws_frame_header(u_char *dst, ngx_uint_t opcode, size_t len);

static ngx_inline size_t
kz_ws_frame_header_len(size_t len)
{
    return (len < 126) ? 2 : (len < 65536) ? 4 : 10;
}

/*
 * A whole close frame (at most KZ_WS_CONTROL_MAX + 2 bytes); the reason is
 * cut to fit.  KZ_WS_NO_CODE: an empty one.
 */
u_char *kz_ws_close_frame(u_char *dst, ngx_uint_t code, const char *reason);

/* Whether a Sec-WebSocket-Key is 16 bytes of base64 (4.2.1). */
ngx_int_t kz_ws_key_valid(const ngx_str_t *key);

/* Sec-WebSocket-Accept (4.2.2), KZ_WS_ACCEPT_LEN bytes. */
ngx_int_t kz_ws_accept(u_char *dst, const ngx_str_t *key);


#endif /* _KZ_WS_FRAME_H_INCLUDED_ */
