
/*
 * What comes in on a WebSocket.
 *
 * All sockets of the worker share one buffer; a message becomes a query at
 * once.  A socket with too many queries in flight, or too much output, is not
 * read until that changes: the rest waits in the kernel.  No socket may read
 * more than its share in one turn of the loop.
 */

#include "proto/ws/kz_ws_session.h"
#include "core/kz_stat.h"
#include "api/kz_router.h"


#define KZ_WS_READ_SIZE       16384
#define KZ_WS_TURN_READS      8
#define KZ_WS_TURN_MESSAGES   64


static void kz_ws_read(kz_ws_t *s);
static ngx_int_t kz_ws_read_input(kz_ws_t *s, ngx_uint_t *n);
static ngx_int_t kz_ws_feed(kz_ws_t *s, u_char **pos, u_char *last,
    ngx_uint_t *n);
static void kz_ws_violated(kz_ws_t *s, kz_ws_event_t *ev);
static void kz_ws_event(kz_ws_t *s, kz_ws_event_t *ev);
static void kz_ws_query(kz_ws_t *s, u_char *data, size_t len);
static ngx_uint_t kz_ws_is_ping(u_char *p, size_t len);
static void kz_ws_silence(kz_ws_t *s);


static u_char  kz_ws_buf[KZ_WS_READ_SIZE];


void
kz_ws_read_handler(ngx_event_t *rev)
{
    kz_ws_t           *s;
    ngx_connection_t  *c;

    c = rev->data;
    s = c->data;

    if (c->close) {
        kz_ws_asked_to_close(s);
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;
        kz_ws_silence(s);
        return;
    }

    kz_ws_read(s);
}


static void
kz_ws_read(kz_ws_t *s)
{
    u_char            *pos, *last;
    ssize_t            size;
    ngx_int_t          rc;
    ngx_uint_t         n, reads;
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    c = s->connection;
    rev = c->read;
    n = 0;
    reads = 0;

    rc = kz_ws_read_input(s, &n);

    while (rc == NGX_OK && rev->ready) {

        if (n >= KZ_WS_TURN_MESSAGES || reads++ == KZ_WS_TURN_READS) {

            /* the others' turn */

            ngx_post_event(rev, &ngx_posted_next_events);
            break;
        }

        size = c->recv(c, kz_ws_buf, KZ_WS_READ_SIZE);

        if (size == NGX_AGAIN) {
            break;
        }

        if (size == NGX_ERROR || size == 0) {
            kz_ws_destroy(s);
            return;
        }

        kz_stat->bytes_in[KZ_STAT_WEBSOCKET] += size;

        s->heard = ngx_current_msec;
        s->received += size;
        s->pinged = 0;

        pos = kz_ws_buf;
        last = pos + size;

        rc = kz_ws_feed(s, &pos, last, &n);

        if (pos < last
            && kz_ws_bytes_add(&s->input, pos, last - pos, last - pos, c->log)
               != NGX_OK)
        {
            kz_ws_destroy(s);
            return;
        }
    }

    s->paused = (rc == NGX_AGAIN);

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        kz_ws_destroy(s);
    }
}


/* What was left by an earlier turn, or came with the handshake. */

static ngx_int_t
kz_ws_read_input(kz_ws_t *s, ngx_uint_t *n)
{
    u_char     *pos, *last;
    ngx_int_t   rc;

    if (kz_ws_blocked(s)) {
        return NGX_AGAIN;
    }

    if (s->input.data == NULL) {
        return NGX_OK;
    }

    pos = s->input.data + s->taken;
    last = s->input.data + s->input.len;

    rc = kz_ws_feed(s, &pos, last, n);

    s->taken = pos - s->input.data;

    if (pos == last) {
        kz_ws_bytes_free(&s->input);
        s->taken = 0;
    }

    return rc;
}


/* NGX_OK: all of it was taken; NGX_AGAIN: stopped, to go on later. */

static ngx_int_t
kz_ws_feed(kz_ws_t *s, u_char **pos, u_char *last, ngx_uint_t *n)
{
    ngx_int_t      rc;
    kz_ws_event_t  ev;

    for ( ;; ) {
        rc = kz_ws_parse(&s->parser, pos, last, &ev, s->connection->log);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc == NGX_DONE) {
            *pos = last;
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            kz_ws_violated(s, &ev);
            continue;
        }

        (*n)++;

        kz_ws_event(s, &ev);

        if (kz_ws_blocked(s)) {
            return NGX_AGAIN;
        }
    }
}


static void
kz_ws_violated(kz_ws_t *s, kz_ws_event_t *ev)
{
    if (s->state == KZ_WS_OPEN) {
        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "kuzzle: websocket closed with %ui: %s",
                      ev->code, ev->what);

        kz_ws_end(s, KZ_WS_LEAVING, ev->code, ev->what);
        return;
    }

    /* our close frame is on its way, there is nothing to add to it */

    s->state = KZ_WS_LEAVING;
    kz_ws_mark(s);
}


static void
kz_ws_event(kz_ws_t *s, kz_ws_event_t *ev)
{
    if (ev->type == KZ_WS_CLOSE) {

        if (s->state == KZ_WS_OPEN) {

            /* 5.5.1: answered with the code received */

            kz_ws_end(s, KZ_WS_FINISHING, ev->code, "");
            s->why = "closed by the client";

        } else {
            s->state = KZ_WS_FINISHING;
            kz_ws_mark(s);
        }

        return;
    }

    if (s->state != KZ_WS_OPEN || s->ending) {
        return;
    }

    switch (ev->type) {

    case KZ_WS_TEXT:
    case KZ_WS_BINARY:
        kz_stat->messages_in[KZ_STAT_WEBSOCKET]++;
        kz_ws_query(s, ev->data, ev->len);
        return;

    case KZ_WS_PING:
        kz_ws_send_frame(s, KZ_WS_PONG, ev->data, ev->len);
        return;

    default: /* KZ_WS_PONG: that something came was noted already */
        return;
    }
}


static void
kz_ws_query(kz_ws_t *s, u_char *data, size_t len)
{
    if (len == 0) {
        return;
    }

    /* Kuzzle: the ping of 2.x clients; accepted from all of them */

    if (kz_ws_is_ping(data, len)) {
        kz_ws_send_frame(s, KZ_WS_TEXT, (u_char *) "{\"p\":2}", 7);
        return;
    }

    if (kz_query(&s->client, data, len) != NGX_OK) {
        kz_ws_close(&s->client, KZ_CLOSE_ERROR);
    }
}


/* {"p":1} and nothing else, white space aside */

static ngx_uint_t
kz_ws_is_ping(u_char *p, size_t len)
{
    size_t       n;
    u_char      *last;
    ngx_uint_t   i;

    static const char  *tokens[] = { "{", "\"p\"", ":", "1", "}" };

    last = p + len;

    for (i = 0; /* void */ ; i++) {

        while (p < last
               && (*p == ' ' || *p == '\t' || *p == CR || *p == LF))
        {
            p++;
        }

        if (i == sizeof(tokens) / sizeof(tokens[0])) {
            return (p == last);
        }

        n = ngx_strlen(tokens[i]);

        if ((size_t) (last - p) < n || ngx_memcmp(p, tokens[i], n) != 0) {
            return 0;
        }

        p += n;
    }
}


ngx_uint_t
kz_ws_blocked(kz_ws_t *s)
{
    kz_loc_conf_t  *conf;

    if (s->state != KZ_WS_OPEN || s->ending) {
        return 0;
    }

    conf = s->client.conf;

    return ((conf->pending && s->client.pending >= conf->pending)
            || s->owed > conf->send_queue / 2);
}


/* The read timer: time to look after the peer, or to give up. */

static void
kz_ws_silence(kz_ws_t *s)
{
    ngx_msec_t         silence, heartbeat;
    ngx_connection_t  *c;

    c = s->connection;

    if (s->state != KZ_WS_OPEN) {
        c->timedout = 1;
        kz_ws_destroy(s);
        return;
    }

    heartbeat = s->client.conf->heartbeat;

    if (s->paused) {
        /* it is we who do not listen */
        s->heard = ngx_current_msec;
    }

    silence = ngx_current_msec - s->heard;

    if (silence < heartbeat) {
        ngx_add_timer(c->read, heartbeat - silence);
        return;
    }

    if (s->pinged) {
        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "kuzzle: websocket peer has been silent for %M ms",
                      silence);

        s->why = "silent";
        c->timedout = 1;
        kz_ws_destroy(s);
        return;
    }

    s->pinged = 1;
    ngx_add_timer(c->read, heartbeat);

    kz_ws_send_frame(s, KZ_WS_PING, NULL, 0);
}
