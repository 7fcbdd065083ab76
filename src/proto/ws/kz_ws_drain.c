
/*
 * The WebSockets of a worker as a whole, and what happens to them when it
 * shuts down.
 *
 * nginx calls the read handler of idle connections with c->close set.  A
 * timer that is not cancelable keeps the worker alive for the time of
 * kuzzle_drain; then every socket gets 1001, in shares spread over a second,
 * since all of them will be back at once.  What does not answer is cut by the
 * timer of its close frame.
 */

#include "proto/ws/kz_ws_session.h"


#define KZ_WS_DRAIN_TICKS     20
#define KZ_WS_DRAIN_TICK      50        /* on average */


static void kz_ws_drain_handler(ngx_event_t *ev);


kz_ws_worker_t           kz_ws_worker;
static ngx_connection_t  kz_ws_dumb;    /* what debug logs of events want */


ngx_uint_t
kz_ws_sessions(void)
{
    return kz_ws_worker.n;
}


void
kz_ws_worker_left(void)
{
    kz_ws_worker.n--;

    /* the last one lets the worker go */

    if (kz_ws_worker.n == 0 && kz_ws_worker.drain.timer_set) {
        ngx_del_timer(&kz_ws_worker.drain);
    }
}


void
kz_ws_asked_to_close(kz_ws_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;
    c->close = 0;

    if (c->error) {

        /* worker_shutdown_timeout is over: now or never */

        if (s->state == KZ_WS_OPEN) {
            kz_ws_end(s, KZ_WS_CLOSING, KZ_WS_GOING_AWAY,
                      "server is going away");
        }

        (void) kz_ws_out_write(s);

        kz_ws_destroy(s);
        return;
    }

    kz_ws_drain();
}


void
kz_ws_drain(void)
{
    ngx_msec_t  wait;

    if (kz_ws_worker.drain.timer_set) {
        return;
    }

    /* later: the time has passed, a late handshake came */

    wait = kz_ws_worker.draining ? 0 : kz_conf->drain;

    if (!kz_ws_worker.draining) {
        kz_ws_worker.draining = 1;
        kz_ws_worker.ticks = wait ? KZ_WS_DRAIN_TICKS : 1;
    }

    ngx_add_timer(&kz_ws_worker.drain, wait);
}


static void
kz_ws_drain_handler(ngx_event_t *ev)
{
    kz_ws_t      *s;
    ngx_uint_t    n;
    ngx_queue_t  *q;

    n = (kz_ws_worker.open + kz_ws_worker.ticks - 1) / kz_ws_worker.ticks;

    if (kz_ws_worker.ticks > 1) {
        kz_ws_worker.ticks--;
    }

    while (n-- && kz_ws_worker.open) {
        q = ngx_queue_head(&kz_ws_worker.sessions);
        s = ngx_queue_data(q, kz_ws_t, client.queue);

        kz_ws_end(s, KZ_WS_CLOSING, KZ_WS_GOING_AWAY, "server is going away");
    }

    if (kz_ws_worker.open) {
        ngx_add_timer(ev, KZ_WS_DRAIN_TICK / 2
                          + ngx_random() % KZ_WS_DRAIN_TICK);
    }
}


ngx_int_t
kz_ws_worker_init(void)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(ngx_cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = kz_ws_out_cleanup;

    ngx_queue_init(&kz_ws_worker.sessions);
    ngx_queue_init(&kz_ws_worker.dirty);

    kz_ws_dumb.fd = (ngx_socket_t) -1;

    kz_ws_worker.flush.handler = kz_ws_flush_handler;
    kz_ws_worker.flush.data = &kz_ws_dumb;
    kz_ws_worker.flush.log = ngx_cycle->log;

    kz_ws_worker.drain.handler = kz_ws_drain_handler;
    kz_ws_worker.drain.data = &kz_ws_dumb;
    kz_ws_worker.drain.log = ngx_cycle->log;

    kz_ws_worker.ready = 1;

    return NGX_OK;
}
