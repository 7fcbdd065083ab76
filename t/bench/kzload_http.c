
/*
 * kzload http: keep-alive connections with one request in flight on each.
 *
 * A connection is in one of three states: it reads a head, a body of known
 * length, or chunks.  What a body says is not looked at: the status line
 * tells success from failure.  An answer with "Connection: close" is counted
 * and followed by a new connection.
 */


#include "kzload_http.h"


static void kz_http_request(kz_http_t *h, kz_http_req_t *req,
    const char *method, const char *path, const char *body);
static void kz_http_request_line(kz_http_t *h, kz_http_req_t *req,
    char *line);
static void kz_http_open(kz_http_t *h, kz_http_conn_t *c);
static void kz_http_send(kz_http_t *h, kz_http_conn_t *c);
static void kz_http_read(kz_http_t *h, kz_http_conn_t *c);
static int kz_http_head(kz_http_conn_t *c, char **rest);
static int kz_http_body(kz_http_conn_t *c, const char *p, const char *end);
static int kz_http_chunk(kz_http_conn_t *c, char ch);
static void kz_http_done(kz_http_t *h, kz_http_conn_t *c);
static void kz_http_lost(kz_http_t *h, kz_http_conn_t *c);
static void kz_http_again(kz_http_t *h, kz_http_conn_t *c);
static void kz_http_complain(kz_http_conn_t *c);
static int kz_http_print(kz_http_t *h, kz_meter_t *m);


int
kz_load_http(kz_opt_t *opt)
{
    int                  i, n;
    uint64_t             now, begin, end;
    kz_http_t            h;
    kz_meter_t           meter;
    kz_http_conn_t      *conns;
    struct epoll_event   events[KZ_MAX_EVENTS];

    memset(&h, 0, sizeof(h));

    h.opt = opt;
    h.ep = epoll_create1(EPOLL_CLOEXEC);
    h.answered = kz_http_done;
    h.lost = kz_http_lost;

    kz_net_need_files(opt->connections);
    kz_http_requests(&h);

    conns = kz_net_alloc((size_t) opt->connections * sizeof(kz_http_conn_t));

    if (opt->count != 0) {
        opt->warmup = 0;
    }

    for (i = 0; i < opt->connections; i++) {
        conns[i].out = kz_net_alloc(h.max);
        kz_http_open(&h, &conns[i]);
    }

    kz_meter_start(&meter, opt);

    begin = meter.start + (uint64_t) (opt->warmup * KZ_SEC);
    end = begin + (uint64_t) (opt->duration * KZ_SEC);

    for (i = 0; i < opt->connections; i++) {
        kz_http_send(&h, &conns[i]);
    }

    for ( ;; ) {
        n = epoll_wait(h.ep, events, KZ_MAX_EVENTS, 50);

        for (i = 0; i < n; i++) {
            kz_http_event(&h, events[i].data.ptr, events[i].events);
        }

        now = kz_clock();

        if (now >= end || (opt->count != 0 && h.done >= opt->count)) {
            break;
        }

        if (begin != 0 && now >= begin && opt->warmup > 0) {
            h.done = 0;
            h.bytes = 0;
            memset(&h.hist, 0, sizeof(kz_hist_t));
            kz_meter_start(&meter, opt);
            begin = 0;
        }
    }

    kz_meter_stop(&meter, opt);

    return kz_http_print(&h, &meter);
}


static int
kz_http_print(kz_http_t *h, kz_meter_t *m)
{
    kz_field_t  fields[6];

    memset(fields, 0, sizeof(fields));

    fields[0].name = "non2xx";
    fields[0].value = (double) h->non2xx;
    fields[1].name = "broken";
    fields[1].value = (double) h->broken;
    fields[2].name = "reconnects";
    fields[2].value = (double) h->reconnects;
    fields[3].name = "bytes_in";
    fields[3].value = (double) h->bytes;
    fields[4].name = "bytes_per_op";
    fields[4].value = h->done ? (double) h->bytes / h->done : 0;

    kz_report(h->opt, "http", m, h->done, &h->hist, fields);

    return (h->done != 0) ? 0 : 1;
}


void
kz_http_requests(kz_http_t *h)
{
    char      **lines;
    size_t      i;
    kz_opt_t   *opt = h->opt;

    lines = NULL;
    h->nreqs = 1;

    if (opt->requests != NULL) {
        lines = kz_net_lines(opt->requests, &h->nreqs);

    } else if (opt->body_lines != NULL) {
        lines = kz_net_lines(opt->body_lines, &h->nreqs);
    }

    h->reqs = kz_net_alloc(h->nreqs * sizeof(kz_http_req_t));

    for (i = 0; i < h->nreqs; i++) {

        if (opt->requests != NULL) {
            kz_http_request_line(h, &h->reqs[i], lines[i]);

        } else {
            kz_http_request(h, &h->reqs[i], opt->method, opt->path,
                            (lines != NULL) ? lines[i] : opt->body);
        }
    }

    h->scratch = kz_net_alloc(h->max);
}


static void
kz_http_request_line(kz_http_t *h, kz_http_req_t *req, char *line)
{
    char  *path, *body;

    path = strchr(line, ' ');
    if (path == NULL) {
        kz_net_die("%s: \"%s\" is not METHOD PATH [BODY]", h->opt->requests,
                   line);
    }

    *path++ = '\0';

    body = strchr(path, ' ');
    if (body != NULL) {
        *body++ = '\0';
    }

    kz_http_request(h, req, line, path, body);
}


static void
kz_http_request(kz_http_t *h, kz_http_req_t *req, const char *method,
    const char *path, const char *body)
{
    int      i;
    FILE    *f;
    char    *head;
    size_t   len;

    req->has_body = (body != NULL);

    if (method == NULL) {
        method = req->has_body ? "POST" : "GET";
    }

    f = open_memstream(&head, &len);
    if (f == NULL) {
        kz_net_die("no memory for a request");
    }

    fprintf(f, "%s %s HTTP/1.1\r\nHost: %s:%d\r\n", method, path,
            h->opt->host, h->opt->port);

    for (i = 0; i < h->opt->nheaders; i++) {
        fprintf(f, "%s\r\n", h->opt->headers[i]);
    }

    if (req->has_body) {
        fprintf(f, "Content-Type: application/json\r\nContent-Length: ");
        kz_tmpl_init(&req->body, body, strlen(body));

    } else {
        fprintf(f, "\r\n");
    }

    if (fclose(f) != 0) {
        kz_net_die("no memory for a request");
    }

    kz_tmpl_init(&req->head, head, len);
    free(head);

    /* 24: the digits of the length and the end of the head */

    len = req->head.max + req->body.max + 24;

    if (len > h->max) {
        h->max = len;
    }
}


static void
kz_http_open(kz_http_t *h, kz_http_conn_t *c)
{
    c->fd = kz_net_connect(h->opt);
    if (c->fd == -1) {
        kz_net_die("connect to %s:%d: %s", h->opt->host, h->opt->port,
                   strerror(errno));
    }

    c->armed = 0;

    kz_net_epoll(h->ep, EPOLL_CTL_ADD, c->fd, EPOLLIN, c);
}


static void
kz_http_send(kz_http_t *h, kz_http_conn_t *c)
{
    uint64_t  n;

    n = h->next++;

    if (h->opt->count != 0 && n >= h->opt->count) {
        return;
    }

    kz_http_render(h, c, n);
    c->sent = kz_clock();

    kz_http_write(h, c);
}


void
kz_http_render(kz_http_t *h, kz_http_conn_t *c, uint64_t n)
{
    char           *p;
    size_t          len;
    kz_http_req_t  *req;

    req = &h->reqs[n % h->nreqs];
    p = c->out + kz_tmpl_render(&req->head, n, c->out);

    if (req->has_body) {
        len = kz_tmpl_render(&req->body, n, h->scratch);

        p += kz_net_number(p, len);
        memcpy(p, "\r\n\r\n", 4);
        memcpy(p + 4, h->scratch, len);
        p += 4 + len;
    }

    c->out_pos = 0;
    c->out_len = (size_t) (p - c->out);
    c->state = KZ_HTTP_HEAD;
    c->close = 0;
    c->len = 0;
}


void
kz_http_write(kz_http_t *h, kz_http_conn_t *c)
{
    ssize_t  n;

    n = send(c->fd, c->out + c->out_pos, c->out_len - c->out_pos,
             MSG_NOSIGNAL);

    if (n > 0) {
        c->out_pos += (size_t) n;
    }

    /* an error will be seen by the read, together with an early answer */

    if (c->out_pos < c->out_len && !c->armed) {
        c->armed = 1;
        kz_net_epoll(h->ep, EPOLL_CTL_MOD, c->fd, EPOLLIN|EPOLLOUT, c);

    } else if (c->out_pos == c->out_len && c->armed) {
        c->armed = 0;
        kz_net_epoll(h->ep, EPOLL_CTL_MOD, c->fd, EPOLLIN, c);
    }
}


void
kz_http_event(kz_http_t *h, kz_http_conn_t *c, uint32_t events)
{
    if ((events & EPOLLOUT) && c->out_pos < c->out_len) {
        kz_http_write(h, c);
    }

    if (events & (EPOLLIN|EPOLLHUP|EPOLLERR)) {
        kz_http_read(h, c);
    }
}


static void
kz_http_read(kz_http_t *h, kz_http_conn_t *c)
{
    int      rc;
    char    *p, *end;
    ssize_t  n;

    n = recv(c->fd, c->buf + c->len, sizeof(c->buf) - c->len, 0);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n <= 0) {
        if (n == 0 && c->state == KZ_HTTP_EOF) {
            c->close = 1;
            h->answered(h, c);
            return;
        }

        h->broken++;
        h->lost(h, c);
        return;
    }

    h->bytes += (uint64_t) n;

    p = c->buf + c->len;
    end = p + n;

    if (c->state == KZ_HTTP_HEAD) {
        c->len += (size_t) n;

        rc = kz_http_head(c, &p);

        if (rc == 0) {
            if (c->len == sizeof(c->buf)) {
                kz_net_die("the head of an answer is over %d bytes long",
                           KZ_HTTP_BUF);
            }

            return;
        }

        /* here, while the bytes are still at hand */

        if ((c->status < 200 || c->status > 299)
            && c->status != h->expected)
        {
            if (h->non2xx++ == 0) {
                kz_http_complain(c);
            }
        }
    }

    c->len = 0;

    if (kz_http_body(c, p, end)) {
        h->answered(h, c);
    }
}


/*
 * Looks for a whole head in the buffer: 1 when it was there, with the state
 * set for what follows and *rest behind it.
 */

static int
kz_http_head(kz_http_conn_t *c, char **rest)
{
    char  *p, *end, *eol;

    end = memmem(c->buf, c->len, "\r\n\r\n", 4);
    if (end == NULL) {
        return 0;
    }

    if (c->len < 12 || memcmp(c->buf, "HTTP/1.", 7) != 0) {
        kz_net_die("that is not an HTTP server");
    }

    *rest = end + 4;

    c->status = atoi(c->buf + 9);
    c->state = KZ_HTTP_EOF;

    for (p = c->buf; p < end; p = eol + 2) {
        eol = memmem(p, (size_t) (end + 2 - p), "\r\n", 2);

        switch (*p | 0x20) {

        case 'c':
            if (strncasecmp(p, "content-length:", 15) == 0) {
                c->state = KZ_HTTP_BODY;
                c->left = strtoull(p + 15, NULL, 10);

            } else if (strncasecmp(p, "connection: close", 17) == 0) {
                c->close = 1;
            }

            break;

        case 't':
            if (strncasecmp(p, "transfer-encoding: chunked", 26) == 0) {
                c->state = KZ_HTTP_CHUNK_SIZE;
                c->left = 0;
            }

            break;
        }
    }

    if (c->status == 204 || c->status == 304) {
        c->state = KZ_HTTP_BODY;
        c->left = 0;
    }

    return 1;
}


/* takes a piece of the body: 1 when it was the last one */

static int
kz_http_body(kz_http_conn_t *c, const char *p, const char *end)
{
    uint64_t  n;

    if (c->state == KZ_HTTP_EOF) {
        return 0;
    }

    if (c->state == KZ_HTTP_BODY) {
        n = (uint64_t) (end - p);
        c->left -= (n < c->left) ? n : c->left;

        return (c->left == 0);
    }

    while (p < end) {

        if (c->state == KZ_HTTP_CHUNK_DATA) {
            n = (uint64_t) (end - p);
            n = (n < c->left) ? n : c->left;

            p += n;
            c->left -= n;

            if (c->left == 0) {
                c->state = KZ_HTTP_CHUNK_END;
            }

            continue;
        }

        if (kz_http_chunk(c, *p++)) {
            return 1;
        }
    }

    return 0;
}


/* one byte between chunks (RFC 9112, 7.1): 1 when it was the very last */

static int
kz_http_chunk(kz_http_conn_t *c, char ch)
{
    switch (c->state) {

    case KZ_HTTP_CHUNK_SIZE:
        if (ch >= '0' && ch <= '9') {
            c->left = c->left * 16 + (uint64_t) (ch - '0');
            return 0;
        }

        if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f') {
            c->left = c->left * 16 + (uint64_t) ((ch | 0x20) - 'a' + 10);
            return 0;
        }

        c->state = KZ_HTTP_CHUNK_EXT;

        /* fall through */

    case KZ_HTTP_CHUNK_EXT:
        if (ch == '\n') {
            c->state = c->left ? KZ_HTTP_CHUNK_DATA : KZ_HTTP_TRAILER;
            c->blank = 1;
        }

        return 0;

    case KZ_HTTP_CHUNK_END:
        if (ch == '\n') {
            c->state = KZ_HTTP_CHUNK_SIZE;
            c->left = 0;
        }

        return 0;

    default: /* KZ_HTTP_TRAILER */
        if (ch == '\n') {
            if (c->blank) {
                return 1;
            }

            c->blank = 1;

        } else if (ch != '\r') {
            c->blank = 0;
        }

        return 0;
    }
}


static void
kz_http_done(kz_http_t *h, kz_http_conn_t *c)
{
    h->done++;
    kz_hist_add(&h->hist, kz_clock() - c->sent);

    if (c->close) {
        h->reconnects++;
        kz_http_again(h, c);
        return;
    }

    kz_http_send(h, c);
}


/* closed before the answer ended */

static void
kz_http_lost(kz_http_t *h, kz_http_conn_t *c)
{
    kz_http_again(h, c);
}


/* goes on with a new connection */

static void
kz_http_again(kz_http_t *h, kz_http_conn_t *c)
{
    close(c->fd);
    kz_http_open(h, c);
    kz_http_send(h, c);
}


/* the first answer that is not a 2xx is shown: it says what went wrong */

static void
kz_http_complain(kz_http_conn_t *c)
{
    int  len = (c->len < 1000) ? (int) c->len : 1000;

    fprintf(stderr, "kzload: an answer was not 2xx:\n%.*s\n", len, c->buf);
}
