/*
 * Counters of several processes (src/core/kz_stat.c): totals over processes
 * that come, end and are killed, gauges that go with their process, names
 * and places.
 *
 * sources: core/kz_stat.c
 */

#include "core/kz_stat.h"
#include "kz_shim.h"
#include "tap.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>


#define ROWS  600


static kz_proto_t  http = { .name = ngx_string("http") };
static kz_proto_t  websocket = { .name = ngx_string("websocket") };
static kz_proto_t  stomp = { .name = ngx_string("stomp") };
static kz_proto_t  pigeon = { .name = ngx_string("pigeon") };

static struct {
    const char      *name;
    void            *pad[5];
} rows[ROWS];

static char          names[ROWS][16];

static volatile uint64_t  *counted;


static void
test_names(void)
{
    ngx_uint_t             i, wrong;
    const kz_stat_name_t  *name;

    for (i = 0; i < ROWS; i++) {
        snprintf(names[i], sizeof(names[i]), "action%lu", (u_long) i);
        rows[i].name = names[i];

        kz_stat_action(&rows[i], i < 300 ? "document" : "server",
                       rows[i].name);
    }

    /* known already: a second name of the same row */

    kz_stat_action(&rows[3], "other", "name");

    name = kz_stat_name(0);
    ok(strcmp(name->action, "unknown") == 0, "the first place is unknown");

    for (i = 1, wrong = 0; (name = kz_stat_name(i)) != NULL; i++) {
        wrong += (strcmp(name->action, names[i - 1]) != 0
                  || strcmp(name->controller,
                            i <= 300 ? "document" : "server") != 0);
    }

    ok(i == KZ_STAT_ACTIONS, "as many as there is room for: %lu", (u_long) i);
    ok(wrong == 0, "in the order of the rows");
    ok(kz_stat_controller(1) && strcmp(kz_stat_controller(2), "server") == 0
       && kz_stat_controller(3) == NULL, "each controller once");

    for (i = 0, wrong = 0; i < ROWS; i++) {
        kz_stat_request(0, &rows[i], 200, 0, 0);
    }

    for (i = 1; i < KZ_STAT_ACTIONS; i++) {
        wrong += (kz_stat_sum(requests[i][0][1]) != 1);
    }

    ok(wrong == 0, "every row has a place of its own");
    ok(kz_stat_sum(requests[0][0][1]) == ROWS - (KZ_STAT_ACTIONS - 1),
       "those that found none count as unknown");

    kz_stat_request(0, &wrong, 404, 1, 0);
    kz_stat_request(0, NULL, 404, 1, 0);
    ok(kz_stat_sum(requests[0][0][10]) == 2, "no row: unknown");
    ok(kz_stat_sum(done[0][0]) == ROWS && kz_stat_sum(done[0][1]) == 2,
       "completed and failed");
}


static void
test_protos(void)
{
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {
        ok(kz_stat_proto(&stomp) == 5, "stomp");
        ok(kz_stat_proto(&pigeon) == KZ_STAT_PROTOS - 1, "one nobody knows");
        ok(kz_stat_proto(&websocket) == KZ_STAT_WEBSOCKET, "websocket");
        ok(kz_stat_proto(&http) == KZ_STAT_HTTP, "http");
    }
}


static void
test_statuses(void)
{
    ngx_uint_t  i, wrong;

    for (i = 1, wrong = 0; i < KZ_STAT_STATUSES; i++) {
        kz_stat_request(3, NULL, kz_stat_statuses[i], 0, 0);
        wrong += (kz_stat_sum(requests[0][3][i]) != 1);
    }

    ok(wrong == 0, "every status has its place");

    kz_stat_request(3, NULL, 299, 0, 0);
    kz_stat_request(3, NULL, 600, 0, 0);
    kz_stat_request(3, NULL, 0, 0, 0);
    kz_stat_request(3, NULL, NGX_MAX_UINT32_VALUE, 0, 0);

    ok(kz_stat_sum(requests[0][3][0]) == 4, "all others share one");
}


static void
test_histogram(void)
{
    ngx_uint_t       i, wrong;
    kz_stat_hist_t   h;
    kz_stat_area_t  *a;

    ngx_memzero(&h, sizeof(kz_stat_hist_t));

    for (i = 0; i < KZ_STAT_BUCKETS - 1; i++) {
        kz_stat_hist(&h, kz_stat_bounds[i]);
        kz_stat_hist(&h, kz_stat_bounds[i] + 1);
    }

    for (i = 1, wrong = 0; i < KZ_STAT_BUCKETS - 1; i++) {
        wrong += (h.count[i] != 2);
    }

    ok(wrong == 0 && h.count[0] == 1 && h.count[KZ_STAT_BUCKETS - 1] == 1,
       "a bound belongs to its bucket, what is above to the next");

    a = kz_stat;

    kz_stat_request(4, NULL, 200, 0, 0);
    kz_stat_request(4, NULL, 200, 0, 1);
    kz_stat_request(4, NULL, 200, 0, 2);
    kz_stat_request(4, NULL, 200, 0, 100000);

    ok(a->time[4][0].count[KZ_STAT_FIRST_MS] == 2
       && a->time[4][0].count[KZ_STAT_FIRST_MS + 1] == 1
       && a->time[4][0].count[KZ_STAT_BUCKETS - 1] == 1,
       "requests are counted in milliseconds");
    ok(a->time[4][0].sum == 100003000, "and summed in microseconds");

    kz_stat_store(1, 0, kz_stat_us());
    kz_stat_store(KZ_STAT_KINDS, 5, kz_stat_us());
    kz_stat_store(2, KZ_STAT_RESULTS, kz_stat_us());

    ok(a->store[1][0] == 1 && a->store[0][5] == 1
       && a->store[2][KZ_STAT_RESULTS - 1] == 1,
       "kinds and results beyond the last stay within bounds");
}


/* A worker in a slot: counts until it is told to end, or is killed. */

static pid_t
worker(ngx_uint_t slot, ngx_uint_t n)
{
    pid_t       pid;
    uint64_t    before;

    before = *counted;
    pid = fork();

    if (pid == 0) {
        kz_stat_attach(slot);
        kz_stat->gauges.ongoing[0] += 5;

        while (n--) {
            kz_stat_request(0, &rows[1], 200, 0, 3);
        }

        (void) __atomic_add_fetch(counted, 1, __ATOMIC_SEQ_CST);

        for ( ;; ) {
            pause();
        }
    }

    while (*counted == before) {
        usleep(1000);
    }

    return pid;
}


static void
killed(pid_t pid)
{
    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);
}


static void
test_processes(void)
{
    pid_t           pids[3];
    uint64_t        base;
    ngx_uint_t      i;

    kz_stat_shm = mmap(NULL, sizeof(kz_stat_shm_t), PROT_READ|PROT_WRITE,
                       MAP_ANON|MAP_SHARED, -1, 0);
    counted = mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1,
                   0);

    base = kz_stat_sum(done[0][0]);
    ok(base > 0, "what was counted without a slot is seen");

    kz_stat->gauges.connections[1] = 7;
    kz_stat_attach(2);

    ok(kz_stat == &kz_stat_shm->areas[2], "a slot was taken");
    ok(kz_stat_sum(done[0][0]) == base, "and brought along, once");
    ok(kz_stat_used(0) && kz_stat_used(1), "names included");
    ok(kz_stat_sum(gauges.connections[1]) == 7, "gauges too");

    kz_stat_detach();

    /* in children all of it is inherited: they start from nothing */

    base = kz_stat_total(offsetof(kz_stat_area_t, done[0][0]));

    for (i = 0; i < 3; i++) {
        pids[i] = worker(i, 1000 * (i + 1));
    }

    ok(kz_stat_sum(done[0][0]) == base + 6000, "three workers add up");
    ok(kz_stat_sum(gauges.ongoing[0]) == 15, "so do their gauges");
    ok(kz_stat_sum(gauges.connections[1]) == 0,
       "those of the last owner have gone");

    killed(pids[1]);
    ok(kz_stat_sum(done[0][0]) == base + 6000, "one is killed: nothing lost");

    kz_stat_forget(1);
    ok(kz_stat_sum(gauges.ongoing[0]) == 10, "its gauges are");

    pids[1] = worker(1, 10);
    ok(kz_stat_sum(done[0][0]) == base + 6010,
       "its successor goes on in the same slot, nothing counts twice");

    for (i = 0; i < 3; i++) {
        killed(pids[i]);
        kz_stat_forget(i);
    }

    ok(kz_stat_sum(done[0][0]) == base + 6010
       && kz_stat_sum(gauges.ongoing[0]) == 0, "all are gone");
}


static void
test_writer(void)
{
    pid_t       pids[2];
    ngx_uint_t  i, n;

    kz_stat_writer_queue(3);
    kz_stat_writer_start();
    ok(kz_stat_sum(gauges.writer_queue) == 0, "a new writer has no queue");

    for (i = 0; i < 2; i++) {
        pids[i] = fork();

        if (pids[i] == 0) {
            for (n = 0; n < 20000; n++) {
                kz_stat_writer_queue(1);
                kz_stat_writer_commit(2, kz_stat_us());
                kz_stat_writer_queue(-1);
            }

            _exit(0);
        }
    }

    for (i = 0; i < 2; i++) {
        (void) waitpid(pids[i], NULL, 0);
    }

    ok(kz_stat_sum(writer_commits) == 40000
       && kz_stat_sum(writer_operations) == 80000,
       "two at once: every commit is counted");
    ok(kz_stat_sum(gauges.writer_queue) == 0, "what came has gone");
}


int
main(void)
{
    test_protos();
    test_names();
    test_statuses();
    test_histogram();
    test_processes();
    test_writer();

    return tap_done();
}
