
/*
 * From an HTTP request to a WebSocket: RFC 6455, 4.2, then the connection is
 * taken away from the request, which costs ten times what a socket needs.
 *
 *     content handler   checks, 101, one more count on the request
 *     (write events)    only when the 101 did not leave at once
 *     posted event      the request is logged and freed, the connection
 *                       stays and gets handlers of its own
 *
 * The posted event is needed because nginx still looks at the request after
 * its content handler has returned.
 */

#include "proto/ws/kz_ws_session.h"


#define KZ_WS_VERSION       "13"

#define KZ_WS_UPGRADE_REQUIRED  426   /* nginx has no name for it */


/* What the headers said. */

typedef struct {
    ngx_str_t            key;
    ngx_str_t            version;
    ngx_str_t            protocol;
    ngx_str_t            origin;
    ngx_uint_t           nkeys;
    unsigned             upgrade:1;
    unsigned             connection:1;
} kz_ws_headers_t;


/* A handshake on its way; lives in the request's pool. */

typedef struct kz_ws_sub_s  kz_ws_sub_t;

typedef struct {
    ngx_event_t          event;
    ngx_http_request_t  *request;
    kz_ws_t             *session;
    kz_ws_sub_t         *subs;
} kz_ws_handshake_t;


/* A subrequest in the background, which the request has to wait for. */

struct kz_ws_sub_s {
    ngx_http_post_subrequest_t   post;
    ngx_http_post_subrequest_t  *was;
    ngx_http_request_t          *request;
    kz_ws_handshake_t           *handshake;
    kz_ws_sub_t                 *next;
};


static void kz_ws_headers(ngx_http_request_t *r, kz_ws_headers_t *h);
static ngx_uint_t kz_ws_has_token(ngx_str_t *value, const char *token);
static void kz_ws_first_token(ngx_str_t *value, ngx_str_t *token);
static const char *kz_ws_check(ngx_http_request_t *r, kz_ws_headers_t *h,
    ngx_uint_t *status);
static ngx_int_t kz_ws_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *text);
static ngx_table_elt_t *kz_ws_header(ngx_http_request_t *r, const char *name,
    size_t len);
static ngx_int_t kz_ws_switch(ngx_http_request_t *r, kz_ws_headers_t *h);
static ngx_int_t kz_ws_watch_subs(kz_ws_handshake_t *hs);
static ngx_int_t kz_ws_sub_done(ngx_http_request_t *r, void *data,
    ngx_int_t rc);
static ngx_uint_t kz_ws_subs_left(kz_ws_handshake_t *hs);
static void kz_ws_handshake_cleanup(void *data);
static void kz_ws_handshake_write(ngx_http_request_t *r);
static void kz_ws_detach(ngx_event_t *ev);
static void kz_ws_free_buffers(ngx_connection_t *c,
    ngx_http_connection_t *hc);


ngx_int_t
kz_ws_handshake(ngx_http_request_t *r, kz_loc_conf_t *conf)
{
    ngx_int_t            rc;
    ngx_uint_t           status;
    const char          *text;
    kz_ws_headers_t      h;
    kz_ws_handshake_t   *hs;
    ngx_http_cleanup_t  *cln;

    if (r != r->main) {
        return NGX_HTTP_BAD_REQUEST;
    }

    kz_ws_headers(r, &h);

    text = kz_ws_check(r, &h, &status);
    if (text) {
        return kz_ws_refuse(r, status, text);
    }

    /* 4.2.2: browsers do not ask before they open one from another site */

    if (h.origin.data && !kz_conf_origin(conf, &h.origin)) {
        return kz_ws_refuse(r, NGX_HTTP_FORBIDDEN,
                            "this origin is not allowed");
    }

    if (ngx_exiting || ngx_terminate) {
        return kz_ws_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                            "the server is going away");
    }

    if (conf->max_connections && kz_ws_sessions() >= conf->max_connections) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "kuzzle: no more than %ui websockets",
                      conf->max_connections);

        return kz_ws_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                            "too many connections");
    }

    hs = ngx_pcalloc(r->pool, sizeof(kz_ws_handshake_t));
    if (hs == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    hs->session = kz_ws_create(r->connection, conf);
    if (hs->session == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    hs->request = r;
    hs->event.handler = kz_ws_detach;
    hs->event.data = hs;
    hs->event.log = ngx_cycle->log;

    cln->handler = kz_ws_handshake_cleanup;
    cln->data = hs;

    if (kz_ws_watch_subs(hs) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = kz_ws_switch(r, &h);
    if (rc != NGX_OK) {
        return rc;
    }

    r->main->count++;
    r->read_event_handler = ngx_http_block_reading;

    r->write_event_handler = kz_ws_handshake_write;

    kz_ws_handshake_write(r);

    return NGX_DONE;
}


static void
kz_ws_headers(ngx_http_request_t *r, kz_ws_headers_t *h)
{
    ngx_str_t        *name;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *e;

#define kz_ws_header_is(s)                                                    \
    (name->len == sizeof(s) - 1                                               \
     && ngx_strncasecmp(name->data, (u_char *) s, sizeof(s) - 1) == 0)

    ngx_memzero(h, sizeof(kz_ws_headers_t));

    part = &r->headers_in.headers.part;
    e = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return;
            }

            part = part->next;
            e = part->elts;
            i = 0;
        }

        name = &e[i].key;

        if (kz_ws_header_is("Upgrade")) {
            h->upgrade |= kz_ws_has_token(&e[i].value, "websocket");

        } else if (kz_ws_header_is("Connection")) {
            h->connection |= kz_ws_has_token(&e[i].value, "upgrade");

        } else if (kz_ws_header_is("Sec-WebSocket-Key")) {
            h->key = e[i].value;
            h->nkeys++;

        } else if (kz_ws_header_is("Sec-WebSocket-Version")) {
            h->version = e[i].value;

        } else if (kz_ws_header_is("Origin")) {
            h->origin = e[i].value;

        } else if (kz_ws_header_is("Sec-WebSocket-Protocol")
                   && h->protocol.len == 0)
        {
            kz_ws_first_token(&e[i].value, &h->protocol);
        }
    }

#undef kz_ws_header_is
}


/* Whether a comma-separated list has the word, in whatever case. */

static ngx_uint_t
kz_ws_has_token(ngx_str_t *value, const char *token)
{
    size_t   len;
    u_char  *p, *last, *start, *end;

    len = ngx_strlen(token);
    p = value->data;
    last = p + value->len;

    while (p < last) {
        while (p < last && (*p == ' ' || *p == '\t' || *p == ',')) {
            p++;
        }

        start = p;

        while (p < last && *p != ',') {
            p++;
        }

        end = p;

        while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
            end--;
        }

        if ((size_t) (end - start) == len
            && ngx_strncasecmp(start, (u_char *) token, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* The first of a list of tokens (RFC 9110, 5.6.2); empty if it is none. */

static void
kz_ws_first_token(ngx_str_t *value, ngx_str_t *token)
{
    u_char  *p, *last;

    p = value->data;
    last = p + value->len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    token->data = p;

    while (p < last && *p > ' ' && *p < 0x7f
           && ngx_strchr("()<>@,;:\\\"/[]?={}", *p) == NULL)
    {
        p++;
    }

    token->len = p - token->data;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (p < last && *p != ',') {
        token->len = 0;
    }
}


/* 4.2.1; what is wrong with the handshake, NULL: nothing */

static const char *
kz_ws_check(ngx_http_request_t *r, kz_ws_headers_t *h, ngx_uint_t *status)
{
    *status = NGX_HTTP_BAD_REQUEST;

    if (r->method != NGX_HTTP_GET) {
        return "a websocket handshake is a GET";
    }

    /* HTTP/2 has a handshake of its own (RFC 8441) */

    if (r->http_version != NGX_HTTP_VERSION_11) {
        return "a websocket handshake needs HTTP/1.1";
    }

    if (!h->upgrade || !h->connection) {
        return "a websocket handshake needs \"Upgrade: websocket\" "
               "and \"Connection: upgrade\"";
    }

    if (r->headers_in.content_length_n > 0 || r->headers_in.chunked) {
        return "a websocket handshake has no body";
    }

    if (h->version.len != sizeof(KZ_WS_VERSION) - 1
        || ngx_strncmp(h->version.data, KZ_WS_VERSION,
                       sizeof(KZ_WS_VERSION) - 1) != 0)
    {
        if (h->version.len) {
            *status = KZ_WS_UPGRADE_REQUIRED;
        }

        return "Sec-WebSocket-Version must be " KZ_WS_VERSION;
    }

    if (h->nkeys != 1 || kz_ws_key_valid(&h->key) != NGX_OK) {
        return "Sec-WebSocket-Key must be 16 bytes of base64";
    }

    return NULL;
}


static ngx_int_t
kz_ws_refuse(ngx_http_request_t *r, ngx_uint_t status, const char *text)
{
    size_t            len;
    ngx_buf_t        *b;
    ngx_int_t         rc;
    ngx_chain_t       out;
    ngx_table_elt_t  *h;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    len = ngx_strlen(text);

    b = ngx_create_temp_buf(r->pool, len + 1);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = ngx_cpymem(b->pos, text, len);
    *b->last++ = LF;
    b->last_buf = 1;

    /* 4.4: says which version would do */

    h = kz_ws_header(r, "Sec-WebSocket-Version",
                     sizeof("Sec-WebSocket-Version") - 1);
    if (h == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&h->value, KZ_WS_VERSION);

    r->headers_out.status = status;
    r->headers_out.content_length_n = b->last - b->pos;
    ngx_str_set(&r->headers_out.content_type, "text/plain");
    r->headers_out.content_type_len = sizeof("text/plain") - 1;

    if (status == KZ_WS_UPGRADE_REQUIRED) {

        /* RFC 9110, 15.5.22: says what to upgrade to */

        h = kz_ws_header(r, "Upgrade", sizeof("Upgrade") - 1);
        if (h == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_str_set(&h->value, "websocket");
        ngx_str_set(&r->headers_out.status_line, "426 Upgrade Required");
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_table_elt_t *
kz_ws_header(ngx_http_request_t *r, const char *name, size_t len)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.len = len;
    h->key.data = (u_char *) name;

    return h;
}


/* The 101. */

static ngx_int_t
kz_ws_switch(ngx_http_request_t *r, kz_ws_headers_t *h)
{
    u_char           *accept;
    ngx_int_t         rc;
    ngx_table_elt_t  *e;

    accept = ngx_pnalloc(r->pool, KZ_WS_ACCEPT_LEN);

    if (accept == NULL || kz_ws_accept(accept, &h->key) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    e = kz_ws_header(r, "Upgrade", sizeof("Upgrade") - 1);
    if (e == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&e->value, "websocket");

    e = kz_ws_header(r, "Sec-WebSocket-Accept",
                     sizeof("Sec-WebSocket-Accept") - 1);
    if (e == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    e->value.len = KZ_WS_ACCEPT_LEN;
    e->value.data = accept;

    if (h->protocol.len) {

        /* Kuzzle: whatever the client names first is fine */

        e = kz_ws_header(r, "Sec-WebSocket-Protocol",
                         sizeof("Sec-WebSocket-Protocol") - 1);
        if (e == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        e->value = h->protocol;
    }

    /* the header filter has no text for 1xx; "Connection" it adds itself */

    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    ngx_str_set(&r->headers_out.status_line, "101 Switching Protocols");

    r->keepalive = 0;
    r->lingering_close = 0;
    r->limit_rate = 0;
    r->limit_rate_set = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    rc = ngx_http_send_special(r, NGX_HTTP_FLUSH);

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/*
 * Subrequests in the background (mirror) need the request and its connection
 * until they end, and there may be a server behind them that takes its time.
 * nginx lets the next request of a keep-alive connection wait for them; so
 * waits the WebSocket, with its 101 already sent.
 */

static ngx_int_t
kz_ws_watch_subs(kz_ws_handshake_t *hs)
{
    kz_ws_sub_t                *sub;
    ngx_http_posted_request_t  *pr;

    /* they were made in this turn, none of them has run yet */

    for (pr = hs->request->posted_requests; pr; pr = pr->next) {

        if (!pr->request->background) {
            continue;
        }

        sub = ngx_palloc(hs->request->pool, sizeof(kz_ws_sub_t));
        if (sub == NULL) {
            return NGX_ERROR;
        }

        sub->post.handler = kz_ws_sub_done;
        sub->post.data = sub;
        sub->was = pr->request->post_subrequest;
        sub->request = pr->request;
        sub->handshake = hs;

        sub->next = hs->subs;
        hs->subs = sub;

        pr->request->post_subrequest = &sub->post;
    }

    return NGX_OK;
}


/* May be called more than once; the request is done a little later. */

static ngx_int_t
kz_ws_sub_done(ngx_http_request_t *r, void *data, ngx_int_t rc)
{
    kz_ws_sub_t        *sub = data;
    kz_ws_handshake_t  *hs;

    hs = sub->handshake;

    /* not before the 101 has left */

    if (hs->request->write_event_handler == ngx_http_request_empty_handler
        && !hs->event.posted)
    {
        ngx_post_event(&hs->event, &ngx_posted_events);
    }

    if (sub->was) {
        return sub->was->handler(r, sub->was->data, rc);
    }

    return rc;
}


static ngx_uint_t
kz_ws_subs_left(kz_ws_handshake_t *hs)
{
    kz_ws_sub_t  *sub;

    for (sub = hs->subs; sub; sub = sub->next) {
        if (!sub->request->done) {
            return 1;
        }
    }

    return 0;
}


/* The request ends without having become a WebSocket. */

static void
kz_ws_handshake_cleanup(void *data)
{
    kz_ws_handshake_t *hs = data;

    if (hs->event.posted) {
        ngx_delete_posted_event(&hs->event);
    }

    if (hs->session) {
        kz_ws_discard(hs->session);
        hs->session = NULL;
    }
}


/*
 * Nothing of the 101 may be left in nginx when the connection changes hands.
 * Called at once, then by the events of a socket that did not take it.
 */

static void
kz_ws_handshake_write(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_connection_t          *c;
    kz_ws_handshake_t         *hs;
    ngx_http_cleanup_t        *cln;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;
    wev = c->write;

    if (r->out || c->buffered) {

        if (wev->timedout
            || ngx_http_output_filter(r, NULL) == NGX_ERROR)
        {
            ngx_http_finalize_request(r, NGX_ERROR);
            return;
        }
    }

    if (r->out || c->buffered) {
        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

        if (!wev->timer_set) {
            ngx_add_timer(wev, clcf->send_timeout);
        }

        if (ngx_handle_write_event(wev, 0) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
        }

        return;
    }

    if (wev->timer_set) {
        ngx_del_timer(wev);
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    for (cln = r->cleanup; cln; cln = cln->next) {

        if (cln->handler == kz_ws_handshake_cleanup) {
            hs = cln->data;
            ngx_post_event(&hs->event, &ngx_posted_events);
            return;
        }
    }
}


static void
kz_ws_detach(ngx_event_t *ev)
{
    kz_ws_handshake_t *hs = ev->data;

    size_t                  n;
    kz_ws_t                *s;
    ngx_buf_t              *b;
    ngx_connection_t       *c;
    ngx_http_request_t     *r;
    ngx_http_connection_t  *hc;

    r = hs->request;
    s = hs->session;
    c = r->connection;
    hc = r->http_connection;
    b = r->header_in;

    if (kz_ws_subs_left(hs)) {
        return;
    }

    if (r->count != 1 || r->blocked) {

        /* somebody else still works on the request */

        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "kuzzle: a websocket request cannot have subrequests");

        ngx_http_finalize_request(r, NGX_ERROR);
        ngx_http_run_posted_requests(c);
        return;
    }

    n = b->last - b->pos;

    if (n && kz_ws_bytes_add(&s->input, b->pos, n, n, c->log) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
        ngx_http_run_posted_requests(c);
        return;
    }

    hs->session = NULL;

    /* writes the access log; hs is gone with the request's pool */

    ngx_http_free_request(r, 0);

    c->data = s;
    c->sent = 0;
    c->destroyed = 0;

    kz_ws_free_buffers(c, hc);

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    kz_ws_open(s);
}


/* What nginx gives back too when a connection becomes idle. */

static void
kz_ws_free_buffers(ngx_connection_t *c, ngx_http_connection_t *hc)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *next;

    b = c->buffer;

    if (b && b->start && ngx_pfree(c->pool, b->start) == NGX_OK) {
        b->start = NULL;
        b->pos = NULL;
        b->last = NULL;
        b->end = NULL;
    }

    for (cl = hc->free; cl; cl = next) {
        next = cl->next;
        ngx_pfree(c->pool, cl->buf->start);
        ngx_free_chain(c->pool, cl);
    }

    hc->free = NULL;

    for (cl = hc->busy; cl; cl = next) {
        next = cl->next;
        ngx_pfree(c->pool, cl->buf->start);
        ngx_free_chain(c->pool, cl);
    }

    hc->busy = NULL;
    hc->nbusy = 0;

#if (NGX_HTTP_SSL)
    if (c->ssl) {
        ngx_ssl_free_buffer(c);
    }
#endif
}
