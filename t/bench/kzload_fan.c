
/*
 * kzload ws-fanout: one publisher, many subscribers.
 *
 * Each subscriber sends one subscribe query and waits for its answer; from
 * then on the k-th message of a socket is taken for the k-th publish, which
 * holds because a server keeps the order on a socket.  One socket of 64
 * looks into the message: the number behind "seq": must be k.
 *
 * A publish is done when every subscriber has it.  Either a window of them
 * is kept in flight, or they leave at a fixed rate (--rate).  Latency is
 * counted from the moment a publish is sent to the moment the subscriber's
 * read returns, over all deliveries.
 */


#include "kzload.h"

#include <math.h>
#include <sys/timerfd.h>


#define KZ_FAN_RING   8192                /* publishes in flight at most */
#define KZ_FAN_STALL  (2 * KZ_SEC)
#define KZ_FAN_SETUP  (10 * KZ_SEC)


typedef struct {
    kz_opt_t    *opt;
    int          ep;
    int          timer;                   /* -1: not paced */
    int          draining;                /* the measured time is over */
    kz_ws_t     *subs;
    kz_ws_t      pub;
    kz_tmpl_t    publish;
    char        *scratch;
    uint64_t     ready;                   /* subscribers that have an answer */
    uint64_t     sent;                    /* publishes */
    uint64_t     done;
    uint64_t     deliveries;              /* all, never reset */
    uint64_t     counted;                 /* those in the measured time */
    uint64_t     checked;
    uint64_t     errors;
    uint64_t     closed;
    uint64_t     overrun;                 /* paced publishes not made */
    uint64_t     now;
    uint64_t     last;                    /* when the last delivery came */
    uint64_t     epoch;                   /* paced: when number 0 is due */
    uint64_t     ticks;
    uint64_t     times[KZ_FAN_RING];
    uint32_t     arrived[KZ_FAN_RING];
    kz_hist_t    hist;
    kz_hist_t    late;                    /* paced: sent after it was due */
} kz_fan_t;


static void kz_fan_setup(void);
static void kz_fan_run(kz_meter_t *m);
static void kz_fan_pace(void);
static void kz_fan_turn(int timeout);
static void kz_fan_event(kz_ws_t *ws, uint32_t events);
static void kz_fan_answer(kz_ws_t *ws, const u_char *p, uint64_t len);
static void kz_fan_delivery(kz_ws_t *ws, const u_char *p, uint64_t len);
static void kz_fan_check(kz_ws_t *ws, const u_char *p, uint64_t len,
    uint64_t k);
static void kz_fan_published(kz_ws_t *ws, const u_char *p, uint64_t len);
static void kz_fan_status(const u_char *p, uint64_t len);
static void kz_fan_publish(void);
static void kz_fan_tick(void);
static void kz_fan_drain(void);
static int kz_fan_print(kz_meter_t *m);


static kz_fan_t  kz_fan;


int
kz_load_ws_fanout(kz_opt_t *opt)
{
    kz_meter_t  meter;

    kz_fan.opt = opt;
    kz_fan_setup();

    kz_fan_run(&meter);

    /* what is still under way counts only as arrived or lost */

    kz_fan_drain();

    return kz_fan_print(&meter);
}


static void
kz_fan_setup(void)
{
    int        i;
    kz_tmpl_t  query;
    uint64_t   until;
    kz_opt_t  *opt = kz_fan.opt;

    if (opt->subscribe == NULL) {
        opt->subscribe = "{\"controller\":\"realtime\","
                         "\"action\":\"subscribe\",\"index\":\"nyc\","
                         "\"collection\":\"taxi\",\"body\":{},"
                         "\"requestId\":\"s\"}";
    }

    if (opt->publish == NULL) {
        opt->publish = "{\"controller\":\"realtime\","
                       "\"action\":\"publish\",\"index\":\"nyc\","
                       "\"collection\":\"taxi\",\"body\":{\"seq\":{n}},"
                       "\"requestId\":\"p{n}\"}";
    }

    if (opt->window > KZ_FAN_RING) {
        kz_net_die("at most %d publishes in flight", KZ_FAN_RING);
    }

    kz_net_need_files(opt->subscribers);

    kz_fan.timer = -1;
    kz_fan.ep = epoll_create1(EPOLL_CLOEXEC);
    kz_fan.subs = kz_net_alloc((size_t) opt->subscribers * sizeof(kz_ws_t));

    kz_tmpl_init(&kz_fan.publish, opt->publish, strlen(opt->publish));
    kz_tmpl_init(&query, opt->subscribe, strlen(opt->subscribe));

    kz_fan.scratch = kz_net_alloc(kz_fan.publish.max + query.max);

    kz_ws_open(&kz_fan.pub, opt, kz_fan.ep, kz_fan_published);

    for (i = 0; i < opt->subscribers; i++) {
        kz_fan.subs[i].number = (uint64_t) i;

        kz_ws_open(&kz_fan.subs[i], opt, kz_fan.ep, kz_fan_answer);
        kz_ws_text(&kz_fan.subs[i], kz_fan.scratch,
                   kz_tmpl_render(&query, (uint64_t) i, kz_fan.scratch));
        kz_ws_flush(&kz_fan.subs[i]);
    }

    until = kz_clock() + KZ_FAN_SETUP;

    while (kz_fan.ready < (uint64_t) opt->subscribers) {
        kz_fan_turn(50);

        if (kz_fan.now > until || kz_fan.closed != 0) {
            kz_net_die("%d of %d subscriptions were answered, %d sockets"
                       " closed", (int) kz_fan.ready, opt->subscribers,
                       (int) kz_fan.closed);
        }
    }

    if (kz_fan.errors != 0) {
        kz_net_die("%d of %d subscriptions were refused",
                   (int) kz_fan.errors, opt->subscribers);
    }
}


static void
kz_fan_run(kz_meter_t *m)
{
    uint64_t   begin, end;
    kz_opt_t  *opt = kz_fan.opt;

    kz_meter_start(m, opt);

    kz_fan.now = m->start;
    kz_fan.last = m->start;
    begin = m->start + (uint64_t) (opt->warmup * KZ_SEC);
    end = begin + (uint64_t) (opt->duration * KZ_SEC);

    if (opt->rate > 0) {
        kz_fan_pace();
    }

    for ( ;; ) {
        if (kz_fan.timer == -1) {
            kz_fan_publish();
        }

        kz_fan_turn(50);

        if (kz_fan.now >= end || kz_fan.closed != 0) {
            break;
        }

        if (kz_fan.now - kz_fan.last > KZ_FAN_STALL
            && kz_fan.sent > kz_fan.done)
        {
            fprintf(stderr, "kzload: no delivery for two seconds\n");
            break;
        }

        if (begin != 0 && kz_fan.now >= begin) {
            kz_fan.counted = 0;
            memset(&kz_fan.hist, 0, sizeof(kz_hist_t));
            memset(&kz_fan.late, 0, sizeof(kz_hist_t));
            kz_meter_start(m, opt);
            begin = 0;
        }
    }

    kz_meter_stop(m, opt);

    kz_fan.draining = 1;
}


/* waits for what is in flight, a second at most */

static void
kz_fan_drain(void)
{
    uint64_t  until;

    until = kz_clock() + KZ_SEC;

    while (kz_fan.done < kz_fan.sent && kz_fan.now < until) {
        kz_fan_turn(50);
    }
}


static int
kz_fan_print(kz_meter_t *m)
{
    int         i;
    uint64_t    bytes, lost;
    kz_opt_t   *opt = kz_fan.opt;
    kz_field_t  fields[10];

    bytes = 0;

    for (i = 0; i < opt->subscribers; i++) {
        bytes += kz_fan.subs[i].bytes;
    }

    lost = kz_fan.sent * (uint64_t) opt->subscribers - kz_fan.deliveries;

    memset(fields, 0, sizeof(fields));

    fields[0].name = "publishes";
    fields[0].value = (double) kz_fan.sent;
    fields[1].name = "lost";
    fields[1].value = (double) lost;
    fields[2].name = "errors";
    fields[2].value = (double) kz_fan.errors;
    fields[3].name = "closed";
    fields[3].value = (double) kz_fan.closed;
    fields[4].name = "checked";
    fields[4].value = (double) kz_fan.checked;
    fields[5].name = "bytes_per_delivery";
    fields[5].value = kz_fan.deliveries
                      ? (double) bytes / kz_fan.deliveries : 0;

    if (kz_fan.timer != -1) {
        fields[6].name = "late_p99_us";
        fields[6].value = kz_hist_quantile(&kz_fan.late, 0.99) / 1000;
        fields[7].name = "overrun";
        fields[7].value = (double) kz_fan.overrun;
    }

    kz_report(opt, "ws-fanout", m, kz_fan.counted, &kz_fan.hist, fields);

    return (kz_fan.counted != 0 && lost == 0) ? 0 : 1;
}


/* one turn of the event loop */

static void
kz_fan_turn(int timeout)
{
    int                 i, n;
    struct epoll_event  events[KZ_MAX_EVENTS];

    n = epoll_wait(kz_fan.ep, events, KZ_MAX_EVENTS, timeout);

    kz_fan.now = kz_clock();

    for (i = 0; i < n; i++) {

        if (events[i].data.ptr == NULL) {
            kz_fan_tick();

        } else {
            kz_fan_event(events[i].data.ptr, events[i].events);
        }
    }
}


static void
kz_fan_event(kz_ws_t *ws, uint32_t events)
{
    if (events & EPOLLOUT) {
        kz_ws_flush(ws);
    }

    if (events & (EPOLLIN|EPOLLHUP|EPOLLERR)) {
        kz_fan.now = kz_clock();
        kz_ws_read(ws);

        if (ws->closed && kz_fan.closed++ == 0) {
            fprintf(stderr, "kzload: a socket was closed\n");
        }
    }
}


/* the answer to a subscribe query; what follows are deliveries */

static void
kz_fan_answer(kz_ws_t *ws, const u_char *p, uint64_t len)
{
    kz_fan_status(p, len);

    kz_fan.ready++;

    /* received is counted up behind the handler: the next message is 0 */

    ws->received = (uint64_t) -1;
    ws->handler = kz_fan_delivery;
}


static void
kz_fan_delivery(kz_ws_t *ws, const u_char *p, uint64_t len)
{
    uint64_t  k;
    unsigned  slot;

    k = ws->received;
    slot = (unsigned) (k % KZ_FAN_RING);

    if (k >= kz_fan.sent) {
        kz_net_die("a subscriber got more than was published: %.*s",
                   p ? (int) len : 0, p ? (const char *) p : "");
    }

    kz_fan.deliveries++;
    kz_fan.last = kz_fan.now;

    if (!kz_fan.draining) {
        kz_fan.counted++;
        kz_hist_add(&kz_fan.hist, kz_fan.now - kz_fan.times[slot]);
    }

    /* in order on each socket, so publishes end in order, too */

    if (++kz_fan.arrived[slot] == (uint32_t) kz_fan.opt->subscribers) {
        kz_fan.done++;
    }

    if ((ws->number & 63) == 0 && p != NULL) {
        kz_fan_check(ws, p, len, k);
    }
}


static void
kz_fan_check(kz_ws_t *ws, const u_char *p, uint64_t len, uint64_t k)
{
    const u_char  *seq;
    unsigned long  n;

    seq = memmem(p, len, "\"seq\":", 6);
    if (seq == NULL) {
        return;
    }

    /* a JSON text ends with a bracket: the number ends within the frame */

    n = strtoul((const char *) seq + 6, NULL, 10);

    if (n != k) {
        kz_net_die("subscriber %d got message %lu in place of %lu",
                   (int) ws->number, n, (unsigned long) k);
    }

    kz_fan.checked++;
}


static void
kz_fan_published(kz_ws_t *ws, const u_char *p, uint64_t len)
{
    (void) ws;

    kz_fan_status(p, len);
}


static void
kz_fan_status(const u_char *p, uint64_t len)
{
    if (p != NULL && memmem(p, len, "\"status\":200", 12) == NULL) {
        if (kz_fan.errors++ == 0) {
            fprintf(stderr, "kzload: an answer without status 200: %.*s\n",
                    (len < 500) ? (int) len : 500, p);
        }
    }
}


/* fills the window; all publishes that are due leave in one send */

static void
kz_fan_publish(void)
{
    unsigned  slot;
    uint64_t  window;

    window = (kz_fan.timer == -1) ? (uint64_t) kz_fan.opt->window
                                  : kz_fan.ticks - kz_fan.overrun;

    kz_fan.now = kz_clock();

    for ( ;; ) {
        if (kz_fan.timer == -1) {
            if (kz_fan.sent - kz_fan.done >= window) {
                break;
            }

        } else if (kz_fan.sent >= window) {
            break;
        }

        slot = (unsigned) (kz_fan.sent % KZ_FAN_RING);
        kz_fan.times[slot] = kz_fan.now;
        kz_fan.arrived[slot] = 0;

        kz_ws_text(&kz_fan.pub, kz_fan.scratch,
                   kz_tmpl_render(&kz_fan.publish, kz_fan.sent,
                                  kz_fan.scratch));
        kz_fan.sent++;
    }

    kz_ws_flush(&kz_fan.pub);
}


static void
kz_fan_pace(void)
{
    double             interval;
    struct itimerspec  its;

    kz_fan.timer = timerfd_create(CLOCK_MONOTONIC,
                                  TFD_NONBLOCK|TFD_CLOEXEC);
    if (kz_fan.timer == -1) {
        kz_net_die("timerfd_create: %s", strerror(errno));
    }

    interval = 1 / kz_fan.opt->rate;

    its.it_interval.tv_sec = (time_t) floor(interval);
    its.it_interval.tv_nsec = (long) ((interval - floor(interval)) * KZ_SEC);
    its.it_value = its.it_interval;

    kz_fan.epoch = kz_clock() + (uint64_t) (interval * KZ_SEC);

    if (timerfd_settime(kz_fan.timer, 0, &its, NULL) != 0) {
        kz_net_die("timerfd_settime: %s", strerror(errno));
    }

    kz_net_epoll(kz_fan.ep, EPOLL_CTL_ADD, kz_fan.timer, EPOLLIN, NULL);
}


/* the publishes that are due by now; those beyond the ring are left out */

static void
kz_fan_tick(void)
{
    uint64_t  n, due;

    if (read(kz_fan.timer, &n, sizeof(n)) != sizeof(n) || kz_fan.draining) {
        return;
    }

    for ( /* void */ ; n > 0; n--) {
        due = kz_fan.epoch
              + (uint64_t) (kz_fan.ticks++ / kz_fan.opt->rate * KZ_SEC);

        if (kz_fan.ticks - kz_fan.overrun - kz_fan.done > KZ_FAN_RING) {
            kz_fan.overrun++;
            continue;
        }

        kz_fan_publish();

        kz_hist_add(&kz_fan.late,
                    kz_fan.now > due ? kz_fan.now - due : 0);
    }
}
