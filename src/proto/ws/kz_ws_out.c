
/*
 * What a WebSocket is due, and how it is written.
 *
 * A message is queued as a reference; a notification to a thousand sockets
 * exists once.  Everything a socket is due at the end of a turn leaves in one
 * system call: a gathering write, or, with TLS, one record (frames are small,
 * a record and a system call for each would cost more than copying them).
 */

#include "proto/ws/kz_ws_session.h"
#include "core/kz_stat.h"


#define KZ_WS_IOVS        64
#define KZ_WS_TLS_RECORD  16384
#define KZ_WS_SPARE_MAX   4096


struct kz_ws_out_s {
    kz_message_t  *message;
    kz_ws_out_t   *next;
    ngx_uint_t     answer;           /* to a query of this client */
};


static ssize_t kz_ws_out_writev(kz_ws_t *s, size_t *size);
#if (NGX_HTTP_SSL)
static ssize_t kz_ws_out_tls(kz_ws_t *s, size_t *size);
#endif
static void kz_ws_out_sent(kz_ws_t *s, size_t n);
static void kz_ws_out_release(kz_ws_out_t *o);


static kz_ws_out_t  *kz_ws_spare;
static ngx_uint_t    kz_ws_nspare;


kz_message_t *
kz_ws_message(ngx_uint_t opcode, const u_char *payload, size_t len,
    ngx_log_t *log)
{
    u_char        *p;
    kz_message_t  *m;

    m = kz_message_create(kz_ws_frame_header_len(len) + len, log);
    if (m == NULL) {
        return NULL;
    }

    p = kz_ws_frame_header(m->data, opcode, len);

    if (len) {
        ngx_memcpy(p, payload, len);
    }

    return m;
}


ngx_int_t
kz_ws_out_add(kz_ws_t *s, kz_message_t *m, ngx_uint_t answer)
{
    kz_ws_out_t  *o;

    o = kz_ws_spare;

    if (o) {
        kz_ws_spare = o->next;
        kz_ws_nspare--;

    } else {
        o = ngx_alloc(sizeof(kz_ws_out_t), s->connection->log);
        if (o == NULL) {
            return NGX_ERROR;
        }
    }

    o->message = kz_message_retain(m);
    o->answer = answer;
    o->next = NULL;

    if (s->out) {
        s->out_last->next = o;

    } else {
        s->out = o;
    }

    s->out_last = o;
    s->owed += m->len + sizeof(kz_ws_out_t);

    if (answer) {
        s->answers += m->len + sizeof(kz_ws_out_t);
    }

    return NGX_OK;
}


ngx_int_t
kz_ws_out_write(kz_ws_t *s)
{
    size_t             size;
    ssize_t            n;
    ngx_connection_t  *c;

    c = s->connection;

    while (s->out) {

        if (!c->write->ready) {
            return NGX_AGAIN;
        }

#if (NGX_HTTP_SSL)
        if (c->ssl) {
            n = kz_ws_out_tls(s, &size);

        } else
#endif
        {
            n = kz_ws_out_writev(s, &size);
        }

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == NGX_AGAIN) {
            c->write->ready = 0;
            return NGX_AGAIN;
        }

        kz_stat->bytes_out[KZ_STAT_WEBSOCKET] += n;

        kz_ws_out_sent(s, n);

#if (NGX_HTTP_SSL)
        if (c->ssl) {
            continue;
        }
#endif

        c->sent += n;

        if ((size_t) n < size) {
            c->write->ready = 0;
            return NGX_AGAIN;
        }
    }

    return NGX_OK;
}


static ssize_t
kz_ws_out_writev(kz_ws_t *s, size_t *size)
{
    size_t         skip;
    kz_ws_out_t   *o;
    ngx_iovec_t    vec;
    struct iovec   iovs[KZ_WS_IOVS];

    vec.iovs = iovs;
    vec.count = 0;
    vec.size = 0;
    vec.nalloc = KZ_WS_IOVS;

    skip = s->sent;

    for (o = s->out; o && vec.count < vec.nalloc; o = o->next) {
        iovs[vec.count].iov_base = o->message->data + skip;
        iovs[vec.count].iov_len = o->message->len - skip;

        vec.size += o->message->len - skip;
        vec.count++;

        skip = 0;
    }

    *size = vec.size;

    return ngx_writev(s->connection, &vec);
}


#if (NGX_HTTP_SSL)

/*
 * After SSL_ERROR_WANT_WRITE OpenSSL insists on seeing the same bytes at the
 * same address again, or more of them (SSL_write(3)): hence one buffer for
 * all, refilled from the same position, since nothing was taken off.
 */

static ssize_t
kz_ws_out_tls(kz_ws_t *s, size_t *size)
{
    size_t        n, skip;
    u_char       *p, *last;
    kz_ws_out_t  *o;

    static u_char  buf[KZ_WS_TLS_RECORD];

    p = buf;
    last = buf + sizeof(buf);
    skip = s->sent;

    for (o = s->out; o && p < last; o = o->next) {
        n = ngx_min(o->message->len - skip, (size_t) (last - p));
        p = ngx_cpymem(p, o->message->data + skip, n);
        skip = 0;
    }

    *size = p - buf;

    return s->connection->send(s->connection, buf, *size);
}

#endif


static void
kz_ws_out_sent(kz_ws_t *s, size_t n)
{
    size_t        left;
    kz_ws_out_t  *o;

    while (n) {
        o = s->out;
        left = o->message->len - s->sent;

        if (n < left) {
            s->sent += n;
            s->owed -= n;
            return;
        }

        n -= left;
        s->owed -= left + sizeof(kz_ws_out_t);

        if (o->answer) {
            s->answers -= o->message->len + sizeof(kz_ws_out_t);
        }

        s->out = o->next;
        s->sent = 0;

        kz_ws_out_release(o);
    }
}


void
kz_ws_out_drop(kz_ws_t *s, ngx_uint_t all)
{
    size_t        keep, n;
    kz_ws_out_t  *o, *next, *last;

    /*
     * Half a frame on the wire must be followed by its other half, and what
     * OpenSSL was given must be offered to it again.
     */

    keep = s->sent;

#if (NGX_HTTP_SSL)
    if (s->connection->ssl) {
        keep = s->sent + KZ_WS_TLS_RECORD;
    }
#endif

    if (all) {
        keep = 0;
    }

    last = NULL;
    n = 0;

    for (o = s->out; o && n < keep; o = o->next) {
        n += o->message->len;
        last = o;
    }

    if (last) {
        last->next = NULL;

    } else {
        s->out = NULL;
        s->sent = 0;
    }

    s->out_last = last;

    for ( /* void */ ; o; o = next) {
        next = o->next;

        if (!all) {
            s->owed -= o->message->len + sizeof(kz_ws_out_t);

            if (o->answer) {
                s->answers -= o->message->len + sizeof(kz_ws_out_t);
            }
        }

        kz_ws_out_release(o);
    }

    if (all) {
        s->owed = 0;
        s->answers = 0;
    }
}


static void
kz_ws_out_release(kz_ws_out_t *o)
{
    kz_message_release(o->message);

    if (kz_ws_nspare == KZ_WS_SPARE_MAX) {
        ngx_free(o);
        return;
    }

    o->next = kz_ws_spare;
    kz_ws_spare = o;
    kz_ws_nspare++;
}


void
kz_ws_out_cleanup(void *data)
{
    kz_ws_out_t  *o;

    while (kz_ws_spare) {
        o = kz_ws_spare;
        kz_ws_spare = o->next;
        ngx_free(o);
    }

    kz_ws_nspare = 0;
}
