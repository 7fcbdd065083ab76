#ifndef _KZ_WS_SESSION_H_INCLUDED_
#define _KZ_WS_SESSION_H_INCLUDED_

/*
 * Private to kz_ws*.c: one WebSocket.
 *
 *     OPEN --- we close ------> CLOSING --- peer's close frame --+
 *      |  \                        |                             |
 *      |   peer's close frame -----|-----------------------------+
 *      |                           |                             v
 *    violation                  timeout                      FINISHING
 *      |                           |                             |
 *      v                           v                      all is written
 *    LEAVING --- end of file, timeout ---> gone <----------------+
 *
 * Leaving OPEN queues our close frame and ends the kz_client_t: it is
 * the last thing that is written.
 *
 * A session is private memory that exists ten thousand times: what it does
 * not need while it is idle (receive buffer, partial message, output) is
 * not in it.
 */

#include "proto/ws/kz_ws.h"
#include "proto/ws/kz_ws_frame.h"


typedef struct kz_ws_out_s  kz_ws_out_t;


typedef enum {
    KZ_WS_OPEN = 0,
    KZ_WS_CLOSING,            /* waits for the peer's close frame */
    KZ_WS_LEAVING,            /* reads nothing more, waits for its end */
    KZ_WS_FINISHING           /* ends when everything is written */
} kz_ws_state_e;


typedef struct {
    kz_client_t        client;       /* its queue: the worker's sessions */
    ngx_connection_t  *connection;
    kz_ws_parser_t     parser;

    kz_ws_bytes_t      input;        /* read, but not parsed yet */
    size_t             taken;        /* parsed of that */

    kz_ws_out_t       *out;          /* to be written */
    kz_ws_out_t       *out_last;
    size_t             sent;         /* of the first of them */
    size_t             owed;         /* bytes, bookkeeping included */
    size_t             answers;      /* of that, whole answers to queries */

    ngx_queue_t        dirty;
    ngx_msec_t         heard;        /* when the peer sent something */
    ngx_msec_t         opened;
    off_t              received;
    const char        *why;          /* it ends, for the log; NULL: not yet */

    unsigned           state:2;
    unsigned           reason:3;     /* kz_close_e */
    unsigned           ending:1;     /* closed by the inner layers */
    unsigned           marked:1;     /* in the queue of the dirty */
    unsigned           paused:1;     /* does not read */
    unsigned           pinged:1;
    unsigned           broken:1;     /* a write failed */
    unsigned           shut:1;       /* our half is closed */

    uint16_t           code;         /* of the close frame; 0: none */
    u_char             addr_len;
    u_char             addr[];       /* the peer's, for the log */
} kz_ws_t;


typedef struct {
    ngx_queue_t        sessions;     /* those in state OPEN */
    ngx_uint_t         open;         /* their number */
    ngx_uint_t         n;            /* all, handshakes included */
    ngx_queue_t        dirty;
    ngx_event_t        flush;
    ngx_event_t        drain;
    ngx_uint_t         ticks;        /* left to send 1001 in */
    unsigned           ready:1;
    unsigned           draining:1;
} kz_ws_worker_t;


extern kz_ws_worker_t  kz_ws_worker;


/* kz_ws.c */

/*
 * A session for a connection that still belongs to an HTTP request; NULL: no
 * memory.  kz_ws_discard() undoes it, kz_ws_open() takes the connection over
 * (log, handlers, timers), with what was read behind the handshake already
 * in s->input.
 */
kz_ws_t *kz_ws_create(ngx_connection_t *c, kz_loc_conf_t *conf);
void kz_ws_discard(kz_ws_t *s);
void kz_ws_open(kz_ws_t *s);

/* Queues a control frame or a small text of ours. */
void kz_ws_send_frame(kz_ws_t *s, ngx_uint_t opcode, const u_char *payload,
    size_t len);

/* kz_proto_t's close: at the end of the turn. */
void kz_ws_close(kz_client_t *client, kz_close_e reason);

/*
 * Out of state OPEN, now: the client ends, the close frame is the last thing
 * that is queued.  The session itself lives until it is written.
 */
void kz_ws_end(kz_ws_t *s, kz_ws_state_e state, ngx_uint_t code,
    const char *reason);

/* Closes the socket and frees the session; only from events of its own. */
void kz_ws_destroy(kz_ws_t *s);

/* To be looked at when the turn ends. */
void kz_ws_mark(kz_ws_t *s);
void kz_ws_flush_handler(ngx_event_t *ev);


/* kz_ws_read.c */

void kz_ws_read_handler(ngx_event_t *rev);

/* Whether reading has to wait: for answers, or for the peer to read them. */
ngx_uint_t kz_ws_blocked(kz_ws_t *s);


/* kz_ws_drain.c */

ngx_int_t kz_ws_worker_init(void);

/* A session less. */
void kz_ws_worker_left(void);

/* nginx wants the connection closed: the worker shuts down. */
void kz_ws_asked_to_close(kz_ws_t *s);

/* Starts the time that is left to the sockets of this worker. */
void kz_ws_drain(void);


/* kz_ws_out.c */

/* A frame around the payload; NULL: no memory. */
kz_message_t *kz_ws_message(ngx_uint_t opcode, const u_char *payload,
    size_t len, ngx_log_t *log);

/* Queues a message, takes a reference of its own; NGX_ERROR: no memory. */
ngx_int_t kz_ws_out_add(kz_ws_t *s, kz_message_t *m, ngx_uint_t answer);

/*
 * Writes what the socket takes: NGX_OK everything, NGX_AGAIN not everything,
 * NGX_ERROR the connection is broken.
 */
ngx_int_t kz_ws_out_write(kz_ws_t *s);

/* Drops what was not begun; all: that too. */
void kz_ws_out_drop(kz_ws_t *s, ngx_uint_t all);

/* Frees what is kept for reuse. */
void kz_ws_out_cleanup(void *data);


#endif /* _KZ_WS_SESSION_H_INCLUDED_ */
