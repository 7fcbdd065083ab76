
/*
 * The gate (src/util/kz_gate.c) in front of simulated queues: servers that
 * take some time, one after the other or in batches, and clients that do not
 * wait for answers.
 */

#include "util/kz_gate.h"
#include "kz_shim.h"
#include "tap.h"


#define MAX_QUEUE  200000


/* A queue with a number of servers; times in microseconds. */

typedef struct {
    kz_gate_t    gate;
    ngx_uint_t   servers;
    ngx_uint_t   batch;          /* leave together, per server; or 1 */
    uint64_t     service;        /* of an operation or of a batch */
    uint64_t     stop;           /* nothing is served before that time */

    uint64_t     came[MAX_QUEUE];
    ngx_uint_t   head, tail;     /* queue: not begun */
    uint64_t     until[64];      /* a server's, 0: idle */
    ngx_uint_t   count[64];      /* what it works on */
    ngx_uint_t   begun[64];      /* the first of them */

    uint64_t     now;
    double       due;
    ngx_uint_t   accepted;
    ngx_uint_t   refused;
    ngx_uint_t   served;
    ngx_uint_t   most;           /* inside at once */
    uint64_t     worst;          /* latency of an accepted one */
} sim_t;


static sim_t  s;


static void
sim_init(ngx_uint_t servers, ngx_uint_t batch, uint64_t service,
    ngx_uint_t floor, ngx_msec_t limit)
{
    ngx_memzero(&s, sizeof(sim_t));

    kz_gate_init(&s.gate, floor, limit);

    s.servers = servers;
    s.batch = batch;
    s.service = service;
    s.now = 1000000;
    s.due = 1000000;
}


static void
sim_reset(void)
{
    s.accepted = 0;
    s.refused = 0;
    s.served = 0;
    s.most = 0;
    s.worst = 0;
}


static ngx_msec_t
sim_ms(void)
{
    return (ngx_msec_t) (s.now / 1000);
}


/* One turn: who is done leaves, who waits is begun. */

static void
sim_serve(void)
{
    uint64_t    latency;
    ngx_uint_t  i, j;

    for (i = 0; i < s.servers; i++) {

        if (s.until[i] && s.until[i] <= s.now) {
            for (j = 0; j < s.count[i]; j++) {
                latency = s.now - s.came[(s.begun[i] + j) % MAX_QUEUE];
                s.worst = ngx_max(s.worst, latency);
                kz_gate_leave(&s.gate, sim_ms(), 1);
                s.served++;
            }

            s.until[i] = 0;
        }

        if (s.until[i] == 0 && s.head != s.tail && s.now >= s.stop) {
            s.begun[i] = s.head;
            s.count[i] = ngx_min(s.batch, s.tail - s.head);
            s.head += s.count[i];
            s.until[i] = s.now + s.service;
        }
    }
}


/* The time goes on; rate: arrivals per second. */

static void
sim_run(ngx_uint_t ms, double rate)
{
    uint64_t  end;

    for (end = s.now + (uint64_t) ms * 1000; s.now < end; s.now += 250) {

        sim_serve();

        if (rate == 0) {
            s.due = (double) s.now;
            continue;
        }

        for ( /* void */ ; s.due <= (double) s.now; s.due += 1e6 / rate) {

            if (!kz_gate_admits(&s.gate, sim_ms())) {
                s.refused++;
                continue;
            }

            kz_gate_enter(&s.gate, sim_ms());
            s.accepted++;

            s.came[s.tail++ % MAX_QUEUE] = s.now;
            s.most = ngx_max(s.most, s.gate.pending);
        }
    }
}


static void
test_floor(void)
{
    ngx_uint_t  i, in;
    kz_gate_t   g;

    kz_gate_init(&g, 8, 1000);

    ok(kz_gate_wait(&g, 5) == 0, "nothing waits");

    for (i = 0; i < 8; i++) {
        in = kz_gate_admits(&g, 5);
        kz_gate_enter(&g, 5);
    }

    ok(in, "up to the floor all are let in");
    ok(kz_gate_admits(&g, 5), "the ninth as well: nothing is known yet");
    kz_gate_enter(&g, 5);

    ok(!kz_gate_admits(&g, 2000), "nothing moved for two seconds: no");

    kz_gate_leave(&g, 2000, 0);
    kz_gate_enter(&g, 2000);
    ok(!kz_gate_admits(&g, 2000), "one that was given up is no movement");

    kz_gate_leave(&g, 2000, 1);
    kz_gate_leave(&g, 2000, 1);
    ok(kz_gate_admits(&g, 2001), "below the floor again: yes");

    kz_gate_init(&g, 0, 1000);
    ok(kz_gate_admits(&g, 1), "a floor of none is one");
}


static void
test_below(void)
{
    ngx_uint_t  i;

    sim_init(4, 1, 4000, 8, 1000);

    /* four servers of 4 ms: 1000 per second */

    sim_run(5000, 900);
    is_int(s.refused, 0, "90 % of the capacity: none is refused");
    is_int(s.gate.pending, s.accepted - s.served, "it counts right");

    sim_run(5000, 0);
    sim_reset();

    for (i = 0; i < 10; i++) {
        sim_run(1, 500000);
        sim_run(999, 0);
    }

    is_int(s.refused, 0, "bursts that are served within the time come in");
    ok(s.accepted >= 4900, "5 of 500 (%d)", (int) s.accepted);
}


static void
test_above(void)
{
    ngx_uint_t  first;

    sim_init(4, 1, 4000, 8, 1000);
    sim_run(1000, 10000);

    first = s.worst;
    ok(first < 1500000, "from the start no wait over 1.5 s (%d ms)",
       (int) (first / 1000));

    sim_reset();
    sim_run(10000, 10000);

    ok(s.served > 9500, "ten times too much: as many are served as can be"
       " (%d of 10000)", (int) s.served);
    ok(s.worst < 1200000 && s.worst > 700000,
       "they wait about the limit (%d ms)", (int) (s.worst / 1000));
    ok(s.most < 1200, "the queue is bounded (%d)", (int) s.most);

    sim_run(1100, 0);
    is_int(s.gate.pending, 0, "it empties");

    sim_reset();
    sim_run(2000, 900);
    is_int(s.refused, 0, "after the load all are let in at once");
}


static void
test_slow(void)
{
    /* two servers of 400 ms, 5 per second */

    sim_init(2, 1, 400000, 4, 1000);
    sim_run(20000, 50);

    ok(s.served >= 90, "slow operations: the servers are kept busy (%d)",
       (int) s.served);
    ok(s.worst < 4000000, "the wait is bounded soon (%d ms)",
       (int) (s.worst / 1000));
    ok(s.most <= 20, "the queue is bounded (%d)", (int) s.most);

    /* then quick ones */

    s.service = 500;
    sim_run(2000, 50000);
    sim_reset();
    sim_run(2000, 50000);

    ok(s.served > 7500, "quick ones afterwards: full speed (%d)",
       (int) s.served);

    /* and slow ones again, in the middle of the load */

    s.service = 40000;
    sim_run(3000, 50000);
    sim_run(200000, 0);
    sim_reset();
    sim_run(10000, 500);

    ok(s.worst < 1500000, "slow ones again: bounded (%d ms)",
       (int) (s.worst / 1000));
    ok(s.served > 450, "... and busy (%d)", (int) s.served);
}


static void
test_batches(void)
{
    /* whatever waits leaves together after 5 ms, at most 500 */

    sim_init(1, 500, 5000, 64, 200);
    sim_run(1000, 1000000);
    sim_reset();
    sim_run(2000, 1000000);

    ok(s.served > 190000, "batches: full ones (%d)", (int) s.served);
    ok(s.worst < 300000, "the wait is bounded (%d ms)",
       (int) (s.worst / 1000));

    /* within the capacity */

    sim_run(500, 0);
    sim_reset();
    sim_run(2000, 50000);
    is_int(s.refused, 0, "half of it: none is refused");

    /* a disk that hangs, for less than the limit and for more */

    s.stop = s.now + 50000;
    sim_run(3000, 50000);
    is_int(s.refused, 0, "a pause far below the limit: none is refused");

    sim_run(500, 0);
    sim_reset();
    s.stop = s.now + 3000000;
    sim_run(1500, 50000);
    sim_reset();
    sim_run(1000, 50000);
    is_int(s.accepted, 0, "a pause above the limit: nobody comes in");

    sim_run(1000, 50000);
    sim_reset();
    sim_run(1000, 50000);
    ok(s.refused == 0 && s.served > 49000,
       "half a second after it all are let in (%d refused, %d served)",
       (int) s.refused, (int) s.served);
}


static void
test_clock(void)
{
    ngx_uint_t  i;
    kz_gate_t   g;

    kz_gate_init(&g, 1, 100);

    for (i = 0; i < 50; i++) {
        (void) kz_gate_admits(&g, 1000 - i);
        kz_gate_enter(&g, 1000 - i);
    }

    ok(kz_gate_admits(&g, 900), "a clock that is set back does no harm");

    for (i = 0; i < 50; i++) {
        kz_gate_leave(&g, 900, 1);
    }

    is_int(g.pending, 0, "and all leave");
    ok(kz_gate_admits(&g, (ngx_msec_t) -1), "nor does a great leap");
}


int
main(void)
{
    test_floor();
    test_below();
    test_above();
    test_slow();
    test_batches();
    test_clock();

    return tap_done();
}
