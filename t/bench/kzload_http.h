#ifndef _KZLOAD_HTTP_H_INCLUDED_
#define _KZLOAD_HTTP_H_INCLUDED_

/*
 * The HTTP client of kzload_http.c, for it and kzload_open.c.  Who opens a
 * connection sets fd and out (h->max bytes) and adds it to the epoll set
 * with itself as data.
 */

#include "kzload.h"


#define KZ_HTTP_BUF  16384


typedef struct kz_http_s       kz_http_t;
typedef struct kz_http_conn_s  kz_http_conn_t;

typedef void (*kz_http_end_pt)(kz_http_t *h, kz_http_conn_t *c);


typedef enum {
    KZ_HTTP_HEAD = 0,
    KZ_HTTP_BODY,
    KZ_HTTP_CHUNK_SIZE,
    KZ_HTTP_CHUNK_EXT,
    KZ_HTTP_CHUNK_DATA,
    KZ_HTTP_CHUNK_END,
    KZ_HTTP_TRAILER,
    KZ_HTTP_EOF                           /* a body without a length */
} kz_http_state_e;


typedef struct {
    kz_tmpl_t         head;               /* request line and fixed headers */
    kz_tmpl_t         body;
    int               has_body;
} kz_http_req_t;


struct kz_http_conn_s {
    int               fd;
    kz_http_state_e   state;
    unsigned          close:1;
    unsigned          armed:1;
    unsigned          blank:1;            /* trailer: the line is empty */
    int               status;
    uint64_t          sent;               /* when */
    uint64_t          left;               /* bytes of the body or chunk */
    size_t            len;                /* bytes in buf */
    size_t            out_pos;
    size_t            out_len;
    char             *out;
    char              buf[KZ_HTTP_BUF];
    kz_http_conn_t   *next;               /* the owner's */
    int               phase;              /* the owner's */
};


struct kz_http_s {
    kz_opt_t         *opt;
    int               ep;
    kz_http_req_t    *reqs;
    size_t            nreqs;
    char             *scratch;            /* a rendered body */
    size_t            max;                /* no request is longer */
    uint64_t          next;               /* number of the next request */
    uint64_t          done;
    uint64_t          non2xx;
    uint64_t          broken;             /* closed before the answer ended */
    uint64_t          reconnects;
    uint64_t          bytes;
    kz_hist_t         hist;
    int               expected;           /* a status to keep quiet about */
    kz_http_end_pt    answered;           /* the whole answer is there */
    kz_http_end_pt    lost;               /* counted as broken already */
};


/* the requests to send in turn: a file of them, of bodies, or just one */
void kz_http_requests(kz_http_t *h);

/* puts request number n into the output buffer */
void kz_http_render(kz_http_t *h, kz_http_conn_t *c, uint64_t n);

/* sends what it can; the rest when the socket has room */
void kz_http_write(kz_http_t *h, kz_http_conn_t *c);

/* what epoll said about a connection; calls answered() or lost() */
void kz_http_event(kz_http_t *h, kz_http_conn_t *c, uint32_t events);


#endif /* _KZLOAD_HTTP_H_INCLUDED_ */
