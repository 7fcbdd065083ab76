
/*
 * The life of a WebSocket: how it begins, what is sent to it, how it ends.
 *
 * Whoever has something for a socket queues it and marks the socket; one
 * posted event at the end of the turn writes to all that are marked.  That
 * event, the timers and the socket's own events are the only places where a
 * session may be freed, so that nobody loses it in the middle of a query.
 */

#include "proto/ws/kz_ws_session.h"
#include "core/kz_stat.h"
#include "api/kz_dialect.h"
#include "core/kz_log.h"


#define KZ_WS_CLOSE_TIMEOUT   2000      /* for the peer's close frame */
#define KZ_WS_ANSWERS         16        /* times send_queue, for answers */


static void kz_ws_reply(kz_req_t *req);
static kz_message_t *kz_ws_encode(const u_char *payload, size_t len,
    ngx_log_t *log);
static void kz_ws_send(kz_client_t *client, kz_message_t *m);
static ngx_uint_t kz_ws_slow(kz_ws_t *s, ngx_uint_t answer);
static void kz_ws_queue(kz_ws_t *s, kz_message_t *m, ngx_uint_t answer);
static void kz_ws_write_handler(ngx_event_t *wev);
static void kz_ws_push(kz_ws_t *s);
static void kz_ws_stuck(kz_ws_t *s, off_t before);
static void kz_ws_end_reason(kz_ws_t *s);
static void kz_ws_peer(const kz_client_t *c, ngx_str_t *addr);
static void kz_ws_log(kz_ws_t *s);
static void kz_ws_forget(kz_ws_t *s);
static ngx_int_t kz_ws_half_close(kz_ws_t *s);
static u_char *kz_ws_log_error(ngx_log_t *log, u_char *buf, size_t len);


const kz_proto_t  kz_ws_proto = {
    ngx_string("websocket"),
    kz_ws_reply,
    kz_ws_encode,
    kz_ws_send,
    kz_ws_close,
    kz_ws_peer,
    KZ_PROTO_REALTIME|KZ_PROTO_SESSION,
    NULL
};


kz_ws_t *
kz_ws_create(ngx_connection_t *c, kz_loc_conf_t *conf)
{
    size_t    len;
    kz_ws_t  *s;

    if (!kz_ws_worker.ready && kz_ws_worker_init() != NGX_OK) {
        return NULL;
    }

    /* the text may belong to the request (realip) */

    len = ngx_min(c->addr_text.len, 255);

    s = ngx_calloc(sizeof(kz_ws_t) + len, c->log);
    if (s == NULL) {
        return NULL;
    }

    s->connection = c;
    s->addr_len = (u_char) len;
    ngx_memcpy(s->addr, c->addr_text.data, len);

    kz_client_init(&s->client, &kz_ws_proto, s, conf, c->log);
    kz_ws_parser_init(&s->parser, conf->body_max);

    kz_ws_worker.n++;

    return s;
}


void
kz_ws_discard(kz_ws_t *s)
{
    kz_ws_bytes_free(&s->input);
    ngx_free(s);

    kz_ws_worker_left();
}


void
kz_ws_open(kz_ws_t *s)
{
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    c = s->connection;
    rev = c->read;

    c->data = s;
    c->log->data = s;
    c->log->handler = kz_ws_log_error;
    c->log->action = "serving a websocket";

    rev->handler = kz_ws_read_handler;
    c->write->handler = kz_ws_write_handler;

    ngx_queue_insert_tail(&kz_ws_worker.sessions, &s->client.queue);
    kz_ws_worker.open++;

    kz_stat->gauges.connections[KZ_STAT_WEBSOCKET]++;
    kz_stat->accepted[KZ_STAT_WEBSOCKET]++;

    c->idle = 1;
    s->heard = ngx_current_msec;
    s->opened = ngx_current_msec;
    s->received = s->input.len;

    if (ngx_tcp_nodelay(c) != NGX_OK) {
        s->broken = 1;
        kz_ws_mark(s);
    }

    if (s->client.conf->heartbeat) {

        /* the drain timer keeps a worker alive, not this one */

        rev->cancelable = 1;
        ngx_add_timer(rev, s->client.conf->heartbeat);
    }

    if (ngx_exiting) {
        kz_ws_drain();
    }

    /* there may be bytes in s->input, or inside OpenSSL */

    ngx_post_event(rev, &ngx_posted_events);
}


static void
kz_ws_reply(kz_req_t *req)
{
    kz_out_t       out;
    kz_client_t   *client;
    kz_message_t  *m;

    client = req->client;

    kz_out_init(&out, req->pool, 1024);
    kz_dialect_render(req, &out, 1);

    m = NULL;

    if (!kz_out_failed(&out)) {
        m = kz_ws_message(KZ_WS_TEXT, out.start, kz_out_len(&out),
                          client->log);
    }

    if (m == NULL) {
        kz_ws_close(client, KZ_CLOSE_ERROR);
        return;
    }

    kz_ws_queue(client->session, m, 1);
    kz_message_release(m);
}


static kz_message_t *
kz_ws_encode(const u_char *payload, size_t len, ngx_log_t *log)
{
    return kz_ws_message(KZ_WS_TEXT, payload, len, log);
}


static void
kz_ws_send(kz_client_t *client, kz_message_t *m)
{
    kz_ws_queue(client->session, m, 0);
}


/*
 * Whether the client owes too much for one more message.  Answers are what it
 * asked for, and bounded by the number of queries it may have in flight: they
 * do not count against notifications, and have a bound of their own.
 */

static ngx_uint_t
kz_ws_slow(kz_ws_t *s, ngx_uint_t answer)
{
    size_t  limit;

    limit = s->client.conf->send_queue;

    if (answer) {
        return s->answers / KZ_WS_ANSWERS > limit;
    }

    return s->owed > s->answers && s->owed - s->answers > limit;
}


static void
kz_ws_queue(kz_ws_t *s, kz_message_t *m, ngx_uint_t answer)
{
    kz_client_t  *client;

    client = &s->client;

    if (s->state != KZ_WS_OPEN) {
        return;
    }

    /* what is due in the turn of an orderly end is still delivered */

    if (s->ending && s->reason == KZ_CLOSE_TOO_SLOW) {
        return;
    }

    if (kz_ws_slow(s, answer)) {

        /*
         * Too slow is who does not read, not who is due a lot in one turn:
         * before judging, offer it to the socket.
         */

        if (kz_ws_out_write(s) == NGX_ERROR) {
            s->broken = 1;
            kz_ws_mark(s);
            return;
        }

        if (kz_ws_slow(s, answer)) {
            kz_ws_close(client, KZ_CLOSE_TOO_SLOW);
            return;
        }
    }

    if (kz_ws_out_add(s, m, answer) != NGX_OK) {
        kz_ws_close(client, KZ_CLOSE_ERROR);
        return;
    }

    kz_stat->messages_out[KZ_STAT_WEBSOCKET]++;

    kz_ws_mark(s);
}


void
kz_ws_send_frame(kz_ws_t *s, ngx_uint_t opcode, const u_char *payload,
    size_t len)
{
    kz_message_t  *m;

    m = kz_ws_message(opcode, payload, len, s->connection->log);

    if (m == NULL) {
        kz_ws_close(&s->client, KZ_CLOSE_ERROR);
        return;
    }

    kz_ws_queue(s, m, 0);
    kz_message_release(m);
}


void
kz_ws_close(kz_client_t *client, kz_close_e reason)
{
    kz_ws_t  *s;

    s = client->session;

    if (s->state != KZ_WS_OPEN || s->ending) {
        return;
    }

    s->ending = 1;
    s->reason = reason;

    kz_ws_mark(s);
}


void
kz_ws_mark(kz_ws_t *s)
{
    if (s->marked) {
        return;
    }

    s->marked = 1;
    ngx_queue_insert_tail(&kz_ws_worker.dirty, &s->dirty);

    ngx_post_event(&kz_ws_worker.flush, &ngx_posted_events);
}


void
kz_ws_flush_handler(ngx_event_t *ev)
{
    kz_ws_t      *s;
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&kz_ws_worker.dirty)) {
        q = ngx_queue_head(&kz_ws_worker.dirty);
        ngx_queue_remove(q);

        s = ngx_queue_data(q, kz_ws_t, dirty);
        s->marked = 0;

        if (s->ending && s->state == KZ_WS_OPEN) {
            kz_ws_end_reason(s);
        }

        kz_ws_push(s);
    }
}


static void
kz_ws_write_handler(ngx_event_t *wev)
{
    kz_ws_t           *s;
    ngx_connection_t  *c;

    c = wev->data;
    s = c->data;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "kuzzle: websocket peer takes nothing, %uz bytes owed",
                      s->owed);

        s->why = "takes nothing";
        c->timedout = 1;
        kz_ws_destroy(s);
        return;
    }

    kz_ws_push(s);
}


/* Writes what is owed, and what follows from that; s may be gone then. */

static void
kz_ws_push(kz_ws_t *s)
{
    off_t              before;
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = s->connection;
    before = c->sent;

    rc = s->broken ? NGX_ERROR : kz_ws_out_write(s);

    if (rc == NGX_ERROR) {
        kz_ws_destroy(s);
        return;
    }

    if (rc == NGX_AGAIN) {
        kz_ws_stuck(s, before);

        if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
            kz_ws_destroy(s);
            return;
        }

    } else {

        if (c->write->timer_set) {
            ngx_del_timer(c->write);
        }

        if (s->state == KZ_WS_FINISHING) {
            kz_ws_destroy(s);
            return;
        }

        if (s->state == KZ_WS_LEAVING && kz_ws_half_close(s) != NGX_OK) {
            kz_ws_destroy(s);
            return;
        }
    }

    if (s->paused && !kz_ws_blocked(s)) {
        s->paused = 0;
        ngx_post_event(c->read, &ngx_posted_next_events);
    }
}


/* The time a peer may take nothing starts anew with every byte it takes. */

static void
kz_ws_stuck(kz_ws_t *s, off_t before)
{
    ngx_msec_t         timeout;
    ngx_connection_t  *c;

    c = s->connection;
    timeout = s->client.conf->send_timeout;

    if (timeout && (!c->write->timer_set || c->sent != before)) {
        c->write->cancelable = 1;
        ngx_add_timer(c->write, timeout);
    }
}


static void
kz_ws_end_reason(kz_ws_t *s)
{
    ngx_uint_t   code;
    const char  *text;

    switch (s->reason) {

    case KZ_CLOSE_NORMAL:
        code = KZ_WS_NORMAL;
        text = "";
        break;

    case KZ_CLOSE_GOING_AWAY:
        code = KZ_WS_GOING_AWAY;
        text = "server is going away";
        break;

    case KZ_CLOSE_TOO_SLOW:
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "kuzzle: websocket client is too slow, "
                      "%uz bytes owed", s->owed);

        kz_stat->slow[KZ_STAT_WEBSOCKET]++;
        code = KZ_WS_INTERNAL;
        text = "too much backpressure: client is too slow";
        kz_ws_out_drop(s, 0);
        break;

    case KZ_CLOSE_LOST:
        code = KZ_WS_INTERNAL;
        text = "notifications were lost: subscribe again";
        break;

    default: /* KZ_CLOSE_ERROR */
        code = KZ_WS_INTERNAL;
        text = "internal error";
        break;
    }

    kz_ws_end(s, KZ_WS_CLOSING, code, text);
}


/* Out of state OPEN: our close frame is the last thing that is queued. */

void
kz_ws_end(kz_ws_t *s, kz_ws_state_e state, ngx_uint_t code,
    const char *reason)
{
    u_char             frame[KZ_WS_CONTROL_MAX + 2];
    ngx_event_t       *rev;
    kz_message_t      *m;
    ngx_connection_t  *c;

    c = s->connection;
    rev = c->read;

    kz_ws_forget(s);
    s->state = state;
    s->code = (uint16_t) code;
    s->why = reason;

    m = kz_message_create(kz_ws_close_frame(frame, code, reason) - frame,
                          c->log);

    if (m) {
        ngx_memcpy(m->data, frame, m->len);

        if (kz_ws_out_add(s, m, 0) != NGX_OK) {
            s->broken = 1;
        }

        kz_message_release(m);

    } else {
        s->broken = 1;
    }

    /* bounds everything that can follow, and keeps the worker for it */

    if (rev->timer_set) {
        ngx_del_timer(rev);
    }

    rev->cancelable = 0;
    ngx_add_timer(rev, KZ_WS_CLOSE_TIMEOUT);

    kz_ws_mark(s);
}


static void
kz_ws_forget(kz_ws_t *s)
{
    if (s->client.closed) {
        return;
    }

    ngx_queue_remove(&s->client.queue);
    kz_ws_worker.open--;
    kz_stat->gauges.connections[KZ_STAT_WEBSOCKET]--;

    kz_client_close(&s->client);
}


/*
 * The peer broke the protocol; what it goes on sending is read and dropped,
 * since closing the socket with unread bytes in it resets the connection,
 * and a reset may overtake the close frame.
 */

static ngx_int_t
kz_ws_half_close(kz_ws_t *s)
{
    ngx_connection_t  *c;

    if (s->shut) {
        return NGX_OK;
    }

    s->shut = 1;
    c = s->connection;

#if (NGX_HTTP_SSL)
    if (c->ssl) {
        (void) SSL_shutdown(c->ssl->connection);

        /* nginx reports what is left in OpenSSL's queue as its own error */
        ERR_clear_error();
    }
#endif

    if (ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1) {
        ngx_connection_error(c, ngx_socket_errno,
                             ngx_shutdown_socket_n " failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
kz_ws_destroy(kz_ws_t *s)
{
    ngx_connection_t  *c;

    c = s->connection;

    /* the queries it leaves behind are logged before its own end */

    kz_ws_forget(s);
    kz_ws_log(s);

    if (s->marked) {
        ngx_queue_remove(&s->dirty);
    }

    kz_ws_out_drop(s, 1);
    kz_ws_bytes_free(&s->input);
    kz_ws_parser_free(&s->parser);
    ngx_free(s);

    kz_ws_worker_left();

    /* TLS may take a while to close: nothing of ours is in use then */

    c->data = NULL;
    c->log->data = NULL;
    c->log->handler = NULL;
    c->log->action = "closing a websocket";
    c->idle = 0;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    c->read->cancelable = 0;
    c->write->cancelable = 0;

    ngx_http_close_connection(c);
}


static u_char *
kz_ws_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char     *p;
    kz_ws_t    *s;
    ngx_str_t   addr;

    p = buf;

    if (log->action) {
        p = ngx_snprintf(buf, len, " while %s", log->action);
        len -= p - buf;
        buf = p;
    }

    s = log->data;

    if (s == NULL) {
        return p;
    }

    addr.len = s->addr_len;
    addr.data = s->addr;

    return ngx_snprintf(buf, len, ", client: %V, server: %V", &addr,
                        &s->connection->listening->addr_text);
}


static void
kz_ws_peer(const kz_client_t *c, ngx_str_t *addr)
{
    kz_ws_t  *s = c->session;

    addr->len = s->addr_len;
    addr->data = s->addr;
}


/* A socket that ends without a close frame has one code: 7.1.5. */

static void
kz_ws_log(kz_ws_t *s)
{
    kz_log_end_t  end;

    if (s->client.conf->logs == NULL) {
        return;
    }

    end.lasted = ngx_current_msec - s->opened;
    end.received = s->received;
    end.sent = s->connection->sent;
    end.code = s->code ? s->code : KZ_WS_ABNORMAL;
    end.reason = s->why ? s->why : "connection lost";

    kz_log_session(&s->client, &end);
}
