
/*
 * The WebSocket client of kzload (RFC 6455), and ws-rtt: how many round
 * trips a server makes.
 *
 * Frames are walked over, not copied: the header says how much to skip.  A
 * message that came in one piece is handed to its handler for a look.
 */


#include "kzload.h"


#define KZ_WS_BUF      65536
#define KZ_WS_FIN      0x80
#define KZ_WS_TEXT     1
#define KZ_WS_CLOSE    8
#define KZ_WS_PING     9
#define KZ_WS_PONG     10

/* any key does for a test (RFC 6455, 5.3 asks for unpredictable ones) */

static const u_char  kz_ws_mask[4] = { 0x37, 0xfa, 0x21, 0x3d };

/* the key of RFC 6455, 1.3, and the answer it must get */

#define KZ_WS_KEY      "dGhlIHNhbXBsZSBub25jZQ=="
#define KZ_WS_ACCEPT   "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


typedef struct {
    kz_opt_t    *opt;
    kz_tmpl_t    query;
    char        *scratch;
    uint64_t     next;
    uint64_t     done;
    uint64_t     errors;
    uint64_t     now;                     /* when the last read returned */
    kz_hist_t    hist;
} kz_rtt_t;


static size_t kz_ws_shake(kz_ws_t *ws, kz_opt_t *opt, u_char *buf,
    size_t size);
static void kz_ws_feed(kz_ws_t *ws, const u_char *p, const u_char *end);
static const u_char *kz_ws_header(kz_ws_t *ws, const u_char *p,
    const u_char *end);
static unsigned kz_ws_header_len(const u_char *head, unsigned n);
static void kz_ws_frame_end(kz_ws_t *ws, const u_char *payload);
static void kz_ws_frame(kz_ws_t *ws, unsigned op, const u_char *text,
    size_t len);
static void kz_rtt_message(kz_ws_t *ws, const u_char *p, uint64_t len);
static void kz_rtt_fill(kz_ws_t *ws);
static int kz_rtt_print(kz_ws_t *wss, kz_meter_t *m);


/* one byte more than is ever read: a number at the end stays terminated */

static u_char    kz_ws_buf[KZ_WS_BUF + 1];
static kz_rtt_t  kz_rtt;


void
kz_ws_open(kz_ws_t *ws, kz_opt_t *opt, int ep, kz_ws_message_pt handler)
{
    size_t  n;
    u_char  buf[4096];

    ws->ep = ep;
    ws->handler = handler;

    ws->fd = kz_net_connect(opt);
    if (ws->fd == -1) {
        kz_net_die("connect to %s:%d: %s", opt->host, opt->port,
                   strerror(errno));
    }

    n = kz_ws_shake(ws, opt, buf, sizeof(buf));

    kz_net_epoll(ep, EPOLL_CTL_ADD, ws->fd, EPOLLIN, ws);

    /* what came together with the 101 */

    kz_ws_feed(ws, buf, buf + n);
}


/* leaves the bytes behind the handshake in buf, returns their number */

static size_t
kz_ws_shake(kz_ws_t *ws, kz_opt_t *opt, u_char *buf, size_t size)
{
    int         len;
    u_char     *end;
    size_t      n;
    ssize_t     rc;
    uint64_t    until;

    len = snprintf((char *) buf, size,
                   "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: " KZ_WS_KEY "\r\n\r\n",
                   opt->path, opt->host, opt->port);

    if (len < 0 || (size_t) len >= size
        || send(ws->fd, buf, (size_t) len, MSG_NOSIGNAL) != len)
    {
        kz_net_die("cannot send the handshake");
    }

    n = 0;
    until = kz_clock() + 2 * KZ_SEC;

    for ( ;; ) {
        rc = recv(ws->fd, buf + n, size - n, 0);

        if (rc == -1 && errno == EAGAIN && kz_clock() < until) {
            usleep(50);
            continue;
        }

        if (rc <= 0) {
            kz_net_die("no answer to the handshake");
        }

        n += (size_t) rc;

        end = memmem(buf, n, "\r\n\r\n", 4);
        if (end != NULL) {
            break;
        }

        if (n == size) {
            kz_net_die("the answer to the handshake is too long");
        }
    }

    if (n < 12 || memcmp(buf, "HTTP/1.1 101", 12) != 0
        || memmem(buf, n, KZ_WS_ACCEPT, sizeof(KZ_WS_ACCEPT) - 1) == NULL)
    {
        kz_net_die("the handshake was refused:\n%.*s", (int) n, buf);
    }

    n -= (size_t) (end + 4 - buf);
    memmove(buf, end + 4, n);

    return n;
}


void
kz_ws_read(kz_ws_t *ws)
{
    ssize_t  n;

    n = recv(ws->fd, kz_ws_buf, KZ_WS_BUF, 0);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n <= 0) {
        ws->closed = 1;
        kz_net_epoll(ws->ep, EPOLL_CTL_DEL, ws->fd, 0, NULL);
        return;
    }

    ws->bytes += (uint64_t) n;

    kz_ws_feed(ws, kz_ws_buf, kz_ws_buf + n);
}


static void
kz_ws_feed(kz_ws_t *ws, const u_char *p, const u_char *end)
{
    uint64_t       n;
    const u_char  *payload;

    while (p < end) {

        if (ws->left == 0) {
            p = kz_ws_header(ws, p, end);
            if (p == NULL) {
                return;
            }

            if (ws->len == 0) {
                kz_ws_frame_end(ws, p);
                continue;
            }

            ws->left = ws->len;
        }

        n = (uint64_t) (end - p);

        if (n < ws->left) {
            ws->left -= n;
            return;
        }

        /* in one piece, if nothing of it came before */

        payload = (ws->left == ws->len) ? p : NULL;

        p += ws->left;
        ws->left = 0;

        kz_ws_frame_end(ws, payload);
    }
}


/* reads a frame's header, maybe in parts; NULL: more bytes are needed */

static const u_char *
kz_ws_header(kz_ws_t *ws, const u_char *p, const u_char *end)
{
    unsigned  i, len;

    do {
        ws->head[ws->nhead++] = *p++;
        len = kz_ws_header_len(ws->head, ws->nhead);
    } while (ws->nhead < len && p < end);

    if (ws->nhead < len) {
        return NULL;
    }

    if (ws->head[1] & 0x80) {
        kz_net_die("the server sent a masked frame");
    }

    ws->op = ws->head[0];
    ws->nhead = 0;
    ws->len = ws->head[1];

    if (len > 2) {
        ws->len = 0;

        for (i = 2; i < len; i++) {
            ws->len = (ws->len << 8) | ws->head[i];
        }
    }

    return p;
}


static unsigned
kz_ws_header_len(const u_char *head, unsigned n)
{
    if (n < 2 || (head[1] & 0x7f) < 126) {
        return 2;
    }

    return ((head[1] & 0x7f) == 126) ? 4 : 10;
}


static void
kz_ws_frame_end(kz_ws_t *ws, const u_char *payload)
{
    switch (ws->op & 0x0f) {

    case KZ_WS_PING:
        if (payload != NULL && ws->len < 126) {
            kz_ws_frame(ws, KZ_WS_PONG, payload, ws->len);
            kz_ws_flush(ws);
        }

        break;

    case KZ_WS_PONG:
        break;

    case KZ_WS_CLOSE:
        fprintf(stderr, "kzload: the server closes a socket, code %d\n",
                (payload != NULL && ws->len >= 2)
                ? payload[0] * 256 + payload[1] : 0);
        break;

    default:
        if (ws->op & KZ_WS_FIN) {
            ws->handler(ws, payload, ws->len);
            ws->received++;
        }

        break;
    }
}


void
kz_ws_text(kz_ws_t *ws, const char *text, size_t len)
{
    kz_ws_frame(ws, KZ_WS_TEXT, (const u_char *) text, len);
}


static void
kz_ws_frame(kz_ws_t *ws, unsigned op, const u_char *text, size_t len)
{
    u_char  *p;
    size_t   i, need;

    need = ws->out_len + len + 14;

    if (need > ws->out_size) {
        need += need / 2;

        ws->out = realloc(ws->out, need);
        if (ws->out == NULL) {
            kz_net_die("no memory for %zu bytes to send", need);
        }

        ws->out_size = need;
    }

    p = ws->out + ws->out_len;
    *p++ = (u_char) (KZ_WS_FIN | op);

    if (len < 126) {
        *p++ = (u_char) (0x80 | len);

    } else if (len < 65536) {
        *p++ = 0x80 | 126;
        *p++ = (u_char) (len >> 8);
        *p++ = (u_char) len;

    } else {
        *p++ = 0x80 | 127;

        for (i = 0; i < 8; i++) {
            *p++ = (u_char) ((uint64_t) len >> (56 - i * 8));
        }
    }

    memcpy(p, kz_ws_mask, 4);
    p += 4;

    for (i = 0; i < len; i++) {
        *p++ = text[i] ^ kz_ws_mask[i & 3];
    }

    ws->out_len = (size_t) (p - ws->out);
}


void
kz_ws_flush(kz_ws_t *ws)
{
    ssize_t  n;

    if (ws->out_pos == ws->out_len || ws->closed) {
        return;
    }

    n = send(ws->fd, ws->out + ws->out_pos, ws->out_len - ws->out_pos,
             MSG_NOSIGNAL);

    if (n > 0) {
        ws->out_pos += (size_t) n;
    }

    if (ws->out_pos == ws->out_len) {
        ws->out_pos = 0;
        ws->out_len = 0;

        if (ws->armed) {
            ws->armed = 0;
            kz_net_epoll(ws->ep, EPOLL_CTL_MOD, ws->fd, EPOLLIN, ws);
        }

    } else if (!ws->armed) {
        ws->armed = 1;
        kz_net_epoll(ws->ep, EPOLL_CTL_MOD, ws->fd, EPOLLIN|EPOLLOUT, ws);
    }
}


int
kz_load_ws_rtt(kz_opt_t *opt)
{
    int                  i, n, ep;
    kz_ws_t             *wss, *ws;
    uint64_t             begin, end;
    kz_meter_t           meter;
    struct epoll_event   events[KZ_MAX_EVENTS];

    ep = epoll_create1(EPOLL_CLOEXEC);

    if (opt->query == NULL) {
        opt->query = "{\"controller\":\"server\",\"action\":\"now\","
                     "\"requestId\":\"{n}\"}";
    }

    kz_rtt.opt = opt;
    kz_tmpl_init(&kz_rtt.query, opt->query, strlen(opt->query));
    kz_rtt.scratch = kz_net_alloc(kz_rtt.query.max);

    kz_net_need_files(opt->connections);

    wss = kz_net_alloc((size_t) opt->connections * sizeof(kz_ws_t));

    for (i = 0; i < opt->connections; i++) {
        wss[i].times = kz_net_alloc((size_t) opt->window * sizeof(uint64_t));
        kz_ws_open(&wss[i], opt, ep, kz_rtt_message);
    }

    kz_meter_start(&meter, opt);

    begin = meter.start + (uint64_t) (opt->warmup * KZ_SEC);
    end = begin + (uint64_t) (opt->duration * KZ_SEC);

    kz_rtt.now = meter.start;

    for (i = 0; i < opt->connections; i++) {
        kz_rtt_fill(&wss[i]);
    }

    for ( ;; ) {
        n = epoll_wait(ep, events, KZ_MAX_EVENTS, 50);
        kz_rtt.now = kz_clock();

        for (i = 0; i < n; i++) {
            ws = events[i].data.ptr;

            if (events[i].events & EPOLLOUT) {
                kz_ws_flush(ws);
            }

            if (events[i].events & (EPOLLIN|EPOLLHUP|EPOLLERR)) {
                kz_rtt.now = kz_clock();
                kz_ws_read(ws);
                kz_rtt_fill(ws);
            }
        }

        if (kz_rtt.now >= end) {
            break;
        }

        if (begin != 0 && kz_rtt.now >= begin) {
            kz_rtt.done = 0;
            memset(&kz_rtt.hist, 0, sizeof(kz_hist_t));
            kz_meter_start(&meter, opt);
            begin = 0;
        }
    }

    kz_meter_stop(&meter, opt);

    return kz_rtt_print(wss, &meter);
}


static int
kz_rtt_print(kz_ws_t *wss, kz_meter_t *m)
{
    int          i;
    kz_field_t   fields[4];
    uint64_t     bytes, closed;

    bytes = 0;
    closed = 0;

    for (i = 0; i < kz_rtt.opt->connections; i++) {
        bytes += wss[i].bytes;
        closed += wss[i].closed;
    }

    memset(fields, 0, sizeof(fields));

    fields[0].name = "errors";
    fields[0].value = (double) kz_rtt.errors;
    fields[1].name = "closed";
    fields[1].value = (double) closed;
    fields[2].name = "bytes_in";
    fields[2].value = (double) bytes;

    kz_report(kz_rtt.opt, "ws-rtt", m, kz_rtt.done, &kz_rtt.hist, fields);

    return (kz_rtt.done != 0) ? 0 : 1;
}


/* keeps the window full: all queries that are due leave in one send */

static void
kz_rtt_fill(kz_ws_t *ws)
{
    size_t    len;
    uint64_t  window = (uint64_t) kz_rtt.opt->window;

    if (ws->number - ws->received == window || ws->closed) {
        return;
    }

    while (ws->number - ws->received < window) {
        len = kz_tmpl_render(&kz_rtt.query, kz_rtt.next++, kz_rtt.scratch);
        kz_ws_text(ws, kz_rtt.scratch, len);

        ws->times[ws->number++ % window] = kz_rtt.now;
    }

    kz_ws_flush(ws);
}


/* the k-th answer of a socket is taken for that of its k-th query */

static void
kz_rtt_message(kz_ws_t *ws, const u_char *p, uint64_t len)
{
    uint64_t  window = (uint64_t) kz_rtt.opt->window;

    if (ws->received == ws->number) {
        kz_net_die("a message that nobody asked for: %.*s", (int) len,
                   p ? (const char *) p : "");
    }

    if (p != NULL && memmem(p, len, "\"status\":200", 12) == NULL) {
        if (kz_rtt.errors++ == 0) {
            fprintf(stderr, "kzload: an answer without status 200: %.*s\n",
                    (len < 500) ? (int) len : 500, p);
        }
    }

    kz_rtt.done++;
    kz_hist_add(&kz_rtt.hist, kz_rtt.now - ws->times[ws->received % window]);
}
