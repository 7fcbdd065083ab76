
/*
 * kzload http-open: requests at a fixed rate, whatever the answers do.
 *
 * Request number k is due k / rate seconds after the start and its latency
 * counts from then, also when it was sent late: a server that stops answering
 * does not stop the clients.  Connections are opened as they are needed; with
 * all of them waiting for an answer requests wait here, for a second at most,
 * and are then counted as unsent.
 *
 *     warmup        the rate is kept, nothing counts
 *     duration      what the figures are about
 *     two seconds   at the rate of --then: how soon are all accepted again
 *
 * An operation is a 2xx that arrived within the duration, latency is that of
 * the 2xx that were due within it.  A 503 is a refusal, not an error.
 */


#include "kzload_http.h"


#define KZ_OPEN_THEN   (2 * KZ_SEC)
#define KZ_OPEN_GIVE   KZ_SEC             /* due for longer: unsent */
#define KZ_OPEN_SLOW   (KZ_SEC / 10)
#define KZ_OPEN_DRAIN  (15 * KZ_SEC)
#define KZ_OPEN_TURN   256                /* sent between two looks */

#define KZ_OPEN_WARM   0
#define KZ_OPEN_MAIN   1
#define KZ_OPEN_AFTER  2
#define KZ_OPEN_END    3

#define KZ_OPEN_IDLE   -1


typedef struct {
    uint64_t         ok;
    uint64_t         refused;
    uint64_t         other;
    uint64_t         unsent;
    kz_hist_t        hist;                /* of the 2xx */
} kz_open_phase_t;


typedef struct {
    kz_http_t        http;
    kz_http_conn_t  *conns;
    kz_http_conn_t  *idle;                /* the last one used first */
    int              used;                /* of conns, since the start */
    uint64_t         inflight;
    uint64_t         now;
    int              phase;               /* of what is due next */
    double           due;                 /* when that is */
    double           end;                 /* of the phase */
    uint64_t         begun;               /* the last phase, when */
    uint64_t         arrived;             /* 2xx within the duration */
    uint64_t         refused;             /* 503 likewise */
    uint64_t         refused_until;       /* after that: the last one due */
    uint64_t         slow_until;
    kz_hist_t        lag;                 /* sent after it was due */
    kz_hist_t        quick;               /* latency of the 503 */
    kz_open_phase_t  phases[KZ_OPEN_END];
} kz_open_t;


static void kz_open_turn(int timeout);
static void kz_open_phase(kz_meter_t *m);
static void kz_open_send(void);
static kz_http_conn_t *kz_open_conn(void);
static void kz_open_answered(kz_http_t *h, kz_http_conn_t *c);
static void kz_open_count(kz_http_conn_t *c, kz_open_phase_t *p);
static void kz_open_lost(kz_http_t *h, kz_http_conn_t *c);
static void kz_open_free(kz_http_conn_t *c);
static double kz_open_rate(void);
static int kz_open_print(kz_meter_t *m);


static kz_open_t  kz_open;


int
kz_load_open(kz_opt_t *opt)
{
    uint64_t     until;
    kz_http_t   *h = &kz_open.http;
    kz_meter_t   meter;

    if (!(opt->rate > 0)) {
        kz_net_die("http-open needs a --rate");
    }

    h->opt = opt;
    h->ep = epoll_create1(EPOLL_CLOEXEC);
    h->expected = 503;
    h->answered = kz_open_answered;
    h->lost = kz_open_lost;

    kz_net_need_files(opt->connections);
    kz_http_requests(h);

    kz_open.conns = kz_net_alloc((size_t) opt->connections
                                 * sizeof(kz_http_conn_t));

    kz_open.now = kz_clock();
    kz_open.due = (double) kz_open.now;
    kz_open.end = kz_open.due + opt->warmup * KZ_SEC;
    kz_open.phase = KZ_OPEN_WARM;

    kz_meter_start(&meter, opt);

    while (kz_open.phase != KZ_OPEN_END) {
        kz_open_turn((double) kz_open.now < kz_open.due);
        kz_open_phase(&meter);
        kz_open_send();
    }

    until = kz_open.now + KZ_OPEN_DRAIN;

    while (kz_open.inflight != 0 && kz_open.now < until) {
        kz_open_turn(50);
    }

    return kz_open_print(&meter);
}


/* Events, then the time; late by 1 ms at most when there is little to do. */

static void
kz_open_turn(int timeout)
{
    int                  i, n;
    struct epoll_event   events[KZ_MAX_EVENTS];

    n = epoll_wait(kz_open.http.ep, events, KZ_MAX_EVENTS, timeout);

    kz_open.now = kz_clock();

    for (i = 0; i < n; i++) {
        kz_http_event(&kz_open.http, events[i].data.ptr, events[i].events);
    }

    kz_open.now = kz_clock();
}


static void
kz_open_phase(kz_meter_t *m)
{
    kz_opt_t  *opt = kz_open.http.opt;

    if ((double) kz_open.now < kz_open.end) {
        return;
    }

    switch (kz_open.phase++) {

    case KZ_OPEN_WARM:
        kz_meter_start(m, opt);
        kz_open.end += opt->duration * KZ_SEC;
        break;

    case KZ_OPEN_MAIN:
        kz_meter_stop(m, opt);

        /* what is overdue is not asked for any more */

        kz_open.due = (double) kz_open.now;
        kz_open.begun = kz_open.now;

        if (opt->then > 0) {
            kz_open.end = kz_open.due + KZ_OPEN_THEN;
            break;
        }

        kz_open.phase = KZ_OPEN_END;
        break;
    }
}


static double
kz_open_rate(void)
{
    kz_opt_t  *opt = kz_open.http.opt;

    return (kz_open.phase == KZ_OPEN_AFTER) ? opt->then : opt->rate;
}


/* Sends what is due, as far as there are connections. */

static void
kz_open_send(void)
{
    int              n;
    uint64_t         due;
    kz_http_t       *h = &kz_open.http;
    kz_http_conn_t  *c;

    for (n = 0; n < KZ_OPEN_TURN; n++) {

        if (kz_open.phase == KZ_OPEN_END
            || (double) kz_open.now < kz_open.due)
        {
            return;
        }

        due = (uint64_t) kz_open.due;

        c = kz_open_conn();

        if (c == NULL && kz_open.now - due < KZ_OPEN_GIVE) {
            return;
        }

        kz_open.due += KZ_SEC / kz_open_rate();

        if (c == NULL) {
            kz_open.phases[kz_open.phase].unsent++;
            continue;
        }

        c->sent = due;
        c->phase = kz_open.phase;
        kz_open.inflight++;

        if (c->phase == KZ_OPEN_MAIN) {
            kz_hist_add(&kz_open.lag, kz_open.now - due);
        }

        kz_http_render(h, c, h->next++);
        kz_http_write(h, c);
    }
}


/* A connection without a request in flight; NULL: there is none. */

static kz_http_conn_t *
kz_open_conn(void)
{
    kz_opt_t        *opt = kz_open.http.opt;
    kz_http_conn_t  *c;

    c = kz_open.idle;

    if (c == NULL) {

        if (kz_open.used == opt->connections) {
            return NULL;
        }

        c = &kz_open.conns[kz_open.used++];
        c->out = kz_net_alloc(kz_open.http.max);
        c->fd = -1;
        c->next = NULL;
    }

    if (c->fd == -1) {
        c->fd = kz_net_connect_start(opt);

        if (c->fd == -1) {
            kz_net_die("connect to %s:%d: %s", opt->host, opt->port,
                       strerror(errno));
        }

        c->armed = 0;
        kz_net_epoll(kz_open.http.ep, EPOLL_CTL_ADD, c->fd, EPOLLIN, c);
    }

    kz_open.idle = c->next;

    return c;
}


static void
kz_open_answered(kz_http_t *h, kz_http_conn_t *c)
{
    (void) h;

    if (c->phase == KZ_OPEN_IDLE) {
        kz_net_die("an answer that nobody asked for");
    }

    kz_open_count(c, &kz_open.phases[c->phase]);
    kz_open_free(c);

    if (c->close) {
        close(c->fd);
        c->fd = -1;
    }
}


static void
kz_open_count(kz_http_conn_t *c, kz_open_phase_t *p)
{
    int       ok;
    uint64_t  ns;

    kz_open.now = kz_clock();

    ok = (c->status >= 200 && c->status <= 299);
    ns = kz_open.now - c->sent;

    if (kz_open.phase == KZ_OPEN_MAIN) {
        kz_open.arrived += (ok != 0);
        kz_open.refused += (c->status == 503);
    }

    if (ok) {
        p->ok++;
        kz_hist_add(&p->hist, ns);

    } else if (c->status == 503) {
        p->refused++;

        if (c->phase == KZ_OPEN_MAIN) {
            kz_hist_add(&kz_open.quick, ns);
        }

    } else {
        p->other++;
    }

    if (c->phase != KZ_OPEN_AFTER) {
        return;
    }

    if (!ok && c->sent > kz_open.refused_until) {
        kz_open.refused_until = c->sent;
    }

    if ((!ok || ns > KZ_OPEN_SLOW) && c->sent > kz_open.slow_until) {
        kz_open.slow_until = c->sent;
    }
}


/* An idle one that the server closes is opened again when it is needed. */

static void
kz_open_lost(kz_http_t *h, kz_http_conn_t *c)
{
    close(c->fd);
    c->fd = -1;

    if (c->phase == KZ_OPEN_IDLE) {
        h->broken--;
        return;
    }

    kz_open_free(c);
}


static void
kz_open_free(kz_http_conn_t *c)
{
    c->phase = KZ_OPEN_IDLE;
    c->next = kz_open.idle;

    kz_open.idle = c;
    kz_open.inflight--;
}


static int
kz_open_print(kz_meter_t *m)
{
    int               n;
    double            s;
    kz_field_t        fields[16];
    kz_open_phase_t  *main, *then;

    main = &kz_open.phases[KZ_OPEN_MAIN];
    then = &kz_open.phases[KZ_OPEN_AFTER];

    memset(fields, 0, sizeof(fields));
    s = (double) m->elapsed / KZ_SEC;
    n = 0;

#define KZ_OPEN_FIELD(key, number)                                            \
    fields[n].name = key;                                                     \
    fields[n++].value = (number)

    KZ_OPEN_FIELD("offered", kz_open.http.opt->rate);
    KZ_OPEN_FIELD("refused_rate", (double) kz_open.refused / s);
    KZ_OPEN_FIELD("refused_p99_us",
                  kz_hist_quantile(&kz_open.quick, 0.99) / 1000);
    KZ_OPEN_FIELD("other", (double) (main->other + then->other));
    KZ_OPEN_FIELD("unsent", (double) main->unsent);
    KZ_OPEN_FIELD("broken", (double) kz_open.http.broken);
    KZ_OPEN_FIELD("lost", (double) kz_open.inflight);
    KZ_OPEN_FIELD("sockets", kz_open.used);
    KZ_OPEN_FIELD("lag_p99_us", kz_hist_quantile(&kz_open.lag, 0.99) / 1000);

    if (kz_open.http.opt->then > 0) {
        KZ_OPEN_FIELD("then_ok", (double) then->ok);
        KZ_OPEN_FIELD("then_refused",
                      (double) (then->refused + then->unsent));
        KZ_OPEN_FIELD("then_p99_us",
                      kz_hist_quantile(&then->hist, 0.99) / 1000);
        KZ_OPEN_FIELD("refused_until_ms", kz_open.refused_until
                      ? (double) (kz_open.refused_until - kz_open.begun) / 1e6
                      : 0);
        KZ_OPEN_FIELD("slow_until_ms", kz_open.slow_until
                      ? (double) (kz_open.slow_until - kz_open.begun) / 1e6
                      : 0);
    }

    kz_report(kz_open.http.opt, "http-open", m, kz_open.arrived, &main->hist,
              fields);

    return (main->ok != 0) ? 0 : 1;
}
