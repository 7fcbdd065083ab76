
/*
 * Admission by expected wait.  See kz_gate.h.
 */

#include "util/kz_gate.h"


#define KZ_GATE_WINDOW  50            /* ms: a measurement, at least */
#define KZ_GATE_MEMORY  100           /* ms: the weight of what is known */
#define KZ_GATE_FORGET  1000          /* ms of calm: load will be different */
#define KZ_GATE_LONG    10000         /* ms: a measurement, in the average */

#define KZ_GATE_MS      1000000       /* ns */


static ngx_msec_t kz_gate_busy(const kz_gate_t *g, ngx_msec_t now);
static ngx_uint_t kz_gate_measured(const kz_gate_t *g, ngx_msec_t now);
static void kz_gate_window(kz_gate_t *g, ngx_msec_t now);
static void kz_gate_measure(kz_gate_t *g, ngx_msec_t busy);
static ngx_msec_t kz_gate_elapsed(ngx_msec_t from, ngx_msec_t now);


void
kz_gate_init(kz_gate_t *g, ngx_uint_t floor, ngx_msec_t limit)
{
    ngx_memzero(g, sizeof(kz_gate_t));

    g->floor = ngx_max(floor, 1);
    g->limit = limit;
}


ngx_uint_t
kz_gate_admits(kz_gate_t *g, ngx_msec_t now)
{
    if (g->pending < g->floor) {
        return 1;
    }

    if (!g->seen || kz_gate_elapsed(g->full, now) > KZ_GATE_FORGET) {
        g->seen = 1;
        g->interval = 0;
        kz_gate_window(g, now);

    } else if (kz_gate_measured(g, now)) {

        /*
         * Only here, not when one leaves: several leave in one turn of the
         * event loop, and a window must not end between them.
         */

        kz_gate_measure(g, kz_gate_busy(g, now));
        kz_gate_window(g, now);
    }

    g->full = now;

    return kz_gate_wait(g, now) <= g->limit;
}


void
kz_gate_enter(kz_gate_t *g, ngx_msec_t now)
{
    if (g->pending++ == 0) {
        g->since = now;
        g->last = now;
    }
}


void
kz_gate_leave(kz_gate_t *g, ngx_msec_t now, ngx_uint_t served)
{
    if (--g->pending == 0) {
        g->busy += kz_gate_elapsed(g->since, now);
    }

    if (served) {
        g->last = now;
        g->served++;
    }
}


ngx_msec_t
kz_gate_wait(const kz_gate_t *g, ngx_msec_t now)
{
    uint64_t    interval;
    ngx_msec_t  wait, stalled;

    if (g->pending == 0) {
        return 0;
    }

    interval = g->interval;

    if (interval == 0 && g->seen) {

        /* at best as many as the floor holds are about to leave */

        interval = (uint64_t) kz_gate_busy(g, now) * KZ_GATE_MS
                   / (g->served + g->floor);
    }

    wait = (ngx_msec_t) (g->pending * interval / KZ_GATE_MS);

    /* a queue that stands still is as long as it has been standing */

    stalled = kz_gate_elapsed(g->last, now);

    return ngx_max(wait, stalled);
}


/* How long there was something to do since the window began. */

static ngx_msec_t
kz_gate_busy(const kz_gate_t *g, ngx_msec_t now)
{
    return g->busy + (g->pending ? kz_gate_elapsed(g->since, now) : 0);
}


/*
 * Whether the window says something.  A few that leave do not, as they may
 * have been a small batch before a large one; unless they took so long that
 * a floor of such ones would be too much.
 */

static ngx_uint_t
kz_gate_measured(const kz_gate_t *g, ngx_msec_t now)
{
    if (kz_gate_elapsed(g->start, now) < KZ_GATE_WINDOW) {
        return 0;
    }

    return g->served >= g->floor
           || (g->served && kz_gate_busy(g, now) >= g->limit);
}


static void
kz_gate_window(kz_gate_t *g, ngx_msec_t now)
{
    g->start = now;
    g->since = now;
    g->busy = 0;
    g->served = 0;
}


/*
 * The mean of intervals, not of rates: it believes bad news at once, good
 * news within a few windows.  The floor makes that cheap.
 */

static void
kz_gate_measure(kz_gate_t *g, ngx_msec_t busy)
{
    uint64_t    sample;
    ngx_msec_t  weight;

    sample = (uint64_t) busy * KZ_GATE_MS / g->served;
    weight = ngx_min(busy, KZ_GATE_LONG);

    if (g->interval) {
        sample = (g->interval * KZ_GATE_MEMORY + sample * weight)
                 / (KZ_GATE_MEMORY + weight);
    }

    /* 0 would mean that nothing is known */

    g->interval = ngx_max(sample, 1);
}


/* The clock of an event loop may be set back by a tick. */

static ngx_msec_t
kz_gate_elapsed(ngx_msec_t from, ngx_msec_t now)
{
    ngx_msec_int_t  n;

    n = (ngx_msec_int_t) (now - from);

    return (n > 0) ? (ngx_msec_t) n : 0;
}
