#ifndef _KZ_CLIENT_H_INCLUDED_
#define _KZ_CLIENT_H_INCLUDED_

/*
 * A client is a connected party, whatever it speaks: a WebSocket for its
 * whole life, an HTTP request for the time of that request.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_conf.h"
#include "core/kz_message.h"


typedef struct kz_req_s     kz_req_t;
typedef struct kz_client_s  kz_client_t;


typedef enum {
    KZ_CLOSE_NORMAL = 0,
    KZ_CLOSE_GOING_AWAY,        /* the worker drains or stops */
    KZ_CLOSE_TOO_SLOW,          /* owes more than its send queue holds */
    KZ_CLOSE_LOST,              /* notifications were lost: reconnect */
    KZ_CLOSE_ERROR
} kz_close_e;


/* What the inner layers may ask of a protocol. */

typedef struct {
    ngx_str_t       name;       /* "http", "websocket": as in notifications */

    /*
     * The reply of a finished request is ready to be rendered and sent.
     * Never called after kz_client_close().  The request is freed by the
     * caller afterwards: what is needed later must be copied.
     */
    void          (*reply)(kz_req_t *req);

    /*
     * Wraps a payload (JSON text) once for all clients of this protocol;
     * NULL: no memory.  Absent in protocols without KZ_PROTO_REALTIME.
     */
    kz_message_t *(*encode)(const u_char *payload, size_t len,
                      ngx_log_t *log);

    /*
     * Queues a message for one client, which takes its own reference.
     * Nothing is written before the event loop's turn ends.  May close the
     * client, later, when it is too slow.
     */
    void          (*send)(kz_client_t *c, kz_message_t *m);

    /* Orderly end; asynchronous: the client is gone after this turn. */
    void          (*close)(kz_client_t *c, kz_close_e reason);

    /* The address of a client, for logs; as long-lived as the client. */
    void          (*peer)(const kz_client_t *c, ngx_str_t *addr);

    ngx_uint_t      flags;
#define KZ_PROTO_REALTIME  0x01     /* can be sent notifications */
#define KZ_PROTO_SESSION   0x02     /* remembers the dialect it was seen in */

    /*
     * A part of a reply that is too long to be held: with the first one go
     * status, type and headers as they are then.  NULL: a protocol without.
     * The reply itself is then only the end of it.
     *
     * NGX_OK     gone: the memory may be used again
     * NGX_AGAIN  the client takes its time; the request is parked, and the
     *            memory in use, until it is resumed
     * NGX_ERROR  it will take no more
     */
    ngx_int_t     (*stream)(kz_req_t *req, ngx_str_t *part);
} kz_proto_t;


struct kz_client_s {
    const kz_proto_t   *proto;
    void               *session;      /* the protocol's own */
    kz_loc_conf_t      *conf;
    ngx_log_t          *log;
    ngx_queue_t         requests;     /* kz_req_t.queue: not yet answered */
    ngx_uint_t          pending;      /* their number */
    ngx_queue_t         rooms;        /* realtime's membership records */
    ngx_uint_t          nrooms;
    ngx_queue_t         queue;        /* in the worker's list of sessions */
    kz_dialect_e        dialect;      /* remembered; AUTO: not seen yet */
    u_char              id[36];       /* connection id, a uuid as text */
    uint32_t            queries;      /* all of them so far */
    unsigned            id_set:1;     /* made on first use */
    unsigned            closed:1;
};


/* Fills in an empty client; the memory is the caller's. */
void kz_client_init(kz_client_t *c, const kz_proto_t *proto, void *session,
    kz_loc_conf_t *conf, ngx_log_t *log);

/*
 * The socket is gone: leaves all rooms, marks its requests aborted (their
 * operations run to the end, the results are dropped).  Afterwards nothing
 * refers to the client, its memory may be freed.
 */
void kz_client_close(kz_client_t *c);

/* The connection id, made on first use. */
u_char *kz_client_id(kz_client_t *c);

/*
 * Called by kz_client_close() for a client with rooms; realtime sets it
 * (this layer may not call up).
 */
extern void (*kz_client_gone)(kz_client_t *c);

/*
 * Called for a query that was answered, or whose client has gone before
 * (status 499); only where kuzzle_log is on.  kuzzle_log sets it: a client
 * does not need it to be linked.
 */
extern void (*kz_client_log)(kz_req_t *req, ngx_uint_t status);


#endif /* _KZ_CLIENT_H_INCLUDED_ */
