/*
 * core/kz_bus*.c with real processes: a parent that plays the master, forked
 * workers with a small event loop, a forked writer with threads.  The
 * parts of nginx they need are played by bus_nginx.h.
 *
 * sources: core/kz_bus.c core/kz_bus_rooms.c core/kz_bus_slot.c
 * sources: core/kz_bus_writer.c core/kz_change.c
 * sources: core/kz_stat.c
 */

#include "core/kz_bus_shm.h"
#include "core/kz_change.h"
#include "kz_shim.h"
#include "tap.h"

#include <ngx_event.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


#define WORKERS   4
#define SENDERS   16


/* What the processes tell the parent, and it tells them. */

typedef struct {
    volatile int        ready;
    volatile int        lost;          /* kz_bus_lost() calls */
    volatile int        errors;        /* wrong order, wrong bytes */
    volatile unsigned   got[SENDERS];
    volatile unsigned   sent;
    volatile unsigned   send;          /* how many to send */
    volatile unsigned   size;          /* of every one, 0: all sorts */
    volatile unsigned   reply;         /* so often, each with one message */
    volatile int        quit;
    volatile int        rooms;         /* memberships to have */
    int                 joined;
} worker_t;


typedef struct {
    worker_t            workers[WORKERS];
    volatile int        lock;
    volatile unsigned   used;          /* of the zone */
    void *volatile      free;
} shared_t;


static shared_t        *shared;
static worker_t        *me;
static kz_main_conf_t   conf;
static ngx_shm_zone_t   zone;
static ngx_event_t     *timer;
static unsigned         last[SENDERS];
static unsigned         my_number;

static ngx_str_t  index_name = ngx_string("nyc");
static ngx_str_t  coll_name = ngx_string("taxi");


#include "bus_nginx.h"


/* A worker */

static void
on_message(u_char *p, size_t len)
{
    size_t    i;
    uint32_t  sender, seq;

    ngx_memcpy(&sender, p, 4);
    ngx_memcpy(&seq, p + 4, 4);

    if (sender >= SENDERS || seq <= last[sender]) {
        me->errors++;
        return;
    }

    last[sender] = seq;
    me->got[sender]++;

    if (sender != my_number && me->reply) {
        me->reply--;
        me->send++;
    }

    for (i = 8; i < len; i++) {
        if (p[i] != (u_char) (seq + i)) {
            me->errors++;
            return;
        }
    }
}


static void
on_change(u_char *p, size_t len)
{
    kz_change_t  c;

    if (kz_change_read(&c, p, len) != NGX_OK || c.file >= SENDERS
        || c.seq <= last[c.file] || (c.flags & 1))
    {
        me->errors++;
        return;
    }

    last[c.file] = (unsigned) c.seq;
    me->got[c.file]++;
}


static void
on_lost(void)
{
    me->lost++;
}


static void
send_some(void)
{
    size_t    i, len;
    uint32_t  seq;

    static u_char  buf[200000];

    for (i = 0; i < 64 && me->sent < me->send; i++) {

        seq = me->sent + 1;
        len = me->size ? me->size : 8 + seq % 300;

        if (me->size == 0 && seq % 500 == 0) {
            len = 100000 + seq;
        }

        ngx_memcpy(buf, &my_number, 4);
        ngx_memcpy(buf + 4, &seq, 4);

        for (size_t j = 8; j < len; j++) {
            buf[j] = (u_char) (seq + j);
        }

        if (kz_bus_send(KZ_BUS_PUBLISH, buf, len) != NGX_OK) {
            return;
        }

        me->sent++;
    }
}


static const u_char  room[] = "0123456789abcdef0123456789abcdef";

static void
worker(unsigned n)
{
    ngx_uint_t   count;
    ngx_cycle_t  cycle;

    my_number = n;
    me = &shared->workers[n];
    ngx_pid = getpid();
    ngx_process = NGX_PROCESS_WORKER;
    ngx_current_msec = now();
    ngx_event_actions.add = add_event;

    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);

    kz_bus_handler(KZ_BUS_PUBLISH, on_message);
    kz_bus_handler(KZ_BUS_CHANGE, on_change);
    kz_bus_lost = on_lost;

    ngx_memzero(&cycle, sizeof(ngx_cycle_t));
    cycle.log = &kz_shim_log;

    if (kz_bus_init_process(&cycle) != NGX_OK || kz_bus_slot == -1) {
        _exit(1);
    }

    me->ready = 1;

    while (!me->quit) {

        while (me->joined < me->rooms) {
            kz_bus_listen(&index_name, &coll_name, 1);
            kz_bus_room(room, 1, &count);
            me->joined++;
        }

        while (me->joined > me->rooms) {
            kz_bus_listen(&index_name, &coll_name, -1);
            kz_bus_room(room, -1, &count);
            me->joined--;
        }

        send_some();

        turn(me->sent < me->send ? 0 : 10);
    }

    kz_bus_exit_process();
    _exit(0);
}


/* The parent */

static pid_t  pids[WORKERS];


static void
start(unsigned n)
{
    ngx_memzero(&shared->workers[n], sizeof(worker_t));

    pids[n] = fork();

    if (pids[n] == 0) {
        worker(n);
    }

    while (!shared->workers[n].ready) {
        usleep(1000);
    }
}


static void
stop(unsigned n)
{
    int  status;

    shared->workers[n].quit = 1;
    waitpid(pids[n], &status, 0);
}


static void
murder(unsigned n)
{
    int  status;

    kill(pids[n], SIGKILL);
    waitpid(pids[n], &status, 0);
}


/* Waits up to 10 s for a number to reach a value. */

static int
reaches(volatile unsigned *n, unsigned want)
{
    int  i;

    for (i = 0; i < 2000 && *n < want; i++) {
        usleep(5000);
    }

    usleep(20000);

    return *n == want;
}


static void
test_configure(void)
{
    size_t       size;
    ngx_conf_t   cf;
    ngx_cycle_t  cycle;

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    ngx_memzero(&cycle, sizeof(ngx_cycle_t));
    cycle.log = &kz_shim_log;

    conf.bus_size = 1000000;
    conf.bus_queue = 1024 * 1024;
    conf.rooms = 2;

    is_int(kz_bus_listened(&index_name, &coll_name), 0, "no zone yet");

    ok(kz_bus_configure(&cf, &conf) == NGX_CONF_OK, "configured");

    size = zone.shm.size;
    zone.shm.addr = mmap(NULL, size, PROT_READ|PROT_WRITE,
                         MAP_ANON|MAP_SHARED|MAP_NORESERVE, -1, 0);
    zone.shm.log = &kz_shim_log;
    shared->used = 4096;

    is_int(zone.init(&zone, NULL), NGX_OK, "zone made");
    is_int(kz_bus_shm->writer->size, 1048576, "rounded to a power of two");
    is_int(kz_bus_init_module(&cycle), NGX_OK, "eventfds made");

    /* a reload */

    conf.bus_size = 5000000;
    kz_shim_logged = 0;
    ok(kz_bus_configure(&cf, &conf) == NGX_CONF_OK && zone.shm.size == size,
       "another size waits for a restart");
    is_int(kz_shim_logged, 1, "and says so");

    is_int(zone.init(&zone, kz_bus_shm), NGX_OK, "zone kept");
    is_int(kz_bus_shm->writer->size, 1048576, "as it was");
    is_int(kz_bus_init_module(&cycle), NGX_OK, "eventfds kept");
}


static void
test_messages(void)
{
    unsigned  i;

    start(0);
    start(1);

    for (i = 0; i < 2; i++) {
        shared->workers[i].send = 20000;
    }

    for (i = 0; i < 2; i++) {
        ok(reaches(&shared->workers[i].got[0], 20000)
           && reaches(&shared->workers[i].got[1], 20000),
           "worker %u got everything of both", i);
        is_int(shared->workers[i].errors, 0, "in order, whole");
        is_int(shared->workers[i].lost, 0, "nothing lost");
    }
}


/* One message at a time: a lost wake-up ends it. */

static void
test_ping_pong(void)
{
    unsigned  i;

    for (i = 0; i < 2; i++) {
        shared->workers[i].size = 16;
        shared->workers[i].reply = 4000;
    }

    shared->workers[0].send++;

    ok(reaches(&shared->workers[0].sent, 24001)
       && reaches(&shared->workers[1].sent, 24000),
       "nobody oversleeps");

    for (i = 0; i < 2; i++) {
        shared->workers[i].size = 0;
    }
}


static void
test_rooms(void)
{
    ngx_uint_t  i;

    shared->workers[0].rooms = 2;
    shared->workers[1].rooms = 3;

    for (i = 0; i < 400 && kz_bus_room_count(room) != 5; i++) {
        usleep(5000);
    }

    is_int(kz_bus_room_count(room), 5, "connections over both workers");
    is_int(kz_bus_shm->nrooms, 1, "one room");
    ok(kz_bus_listened(&index_name, &coll_name), "somebody listens");

    murder(1);
    start(1);

    is_int(kz_bus_room_count(room), 2, "a dead worker's share is gone");

    shared->workers[0].rooms = 0;

    for (i = 0; i < 400 && kz_bus_room_count(room) != 0; i++) {
        usleep(5000);
    }

    is_int(kz_bus_room_count(room), 0, "all left");
    is_int(kz_bus_shm->nrooms, 0, "no room");
    ok(!kz_bus_listened(&index_name, &coll_name), "nobody listens");
    is_int(kz_bus_shm->nslots, 2, "the slot was used again");

    shared->workers[1].rooms = 1;

    for (i = 0; i < 400 && kz_bus_room_count(room) != 1; i++) {
        usleep(5000);
    }

    stop(1);
    is_int(kz_bus_room_count(room), 0, "a worker that quits leaves nothing");
    start(1);
}


/* A worker dies in the middle of it; its successor is heard. */

static void
test_killed_sender(void)
{
    shared->workers[1].send = 1000000;

    usleep(100000);
    murder(1);
    last[1] = 0;
    start(1);

    is_int(shared->workers[0].lost, 0, "a dead sender harms nobody");

    /* worker 0 has seen numbers of the first one up to here */

    shared->workers[0].errors = 0;
    shared->workers[0].send += 5000;

    ok(reaches(&shared->workers[1].got[0], 5000), "the new one listens");
    is_int(shared->workers[1].errors, 0, "and sees whole messages only");
}


static void
test_stuck_reader(void)
{
    kill(pids[1], SIGSTOP);

    shared->workers[0].size = 1000;
    shared->workers[0].send += 4000;

    ok(reaches(&shared->workers[0].sent, shared->workers[0].send),
       "a stopped reader holds up the sender for a while only");
    is_int(shared->workers[0].lost, 0, "who has lost nothing");

    kill(pids[1], SIGCONT);

    ok(reaches((volatile unsigned *) &shared->workers[1].lost, 1),
       "the reader finds out");

    shared->workers[1].got[0] = 0;
    shared->workers[0].send += 1000;
    ok(reaches(&shared->workers[1].got[0], 1000), "and goes on from there");
}


/* The writer */

static u_char *
write_change(ngx_str_t *s, unsigned file, unsigned seq, unsigned flags,
    size_t size)
{
    u_char       *source;
    kz_change_t   c;

    ngx_memzero(&c, sizeof(kz_change_t));

    source = calloc(1, size + 1);

    c.file = file;
    c.seq = seq;
    c.kind = KZ_CHANGE_CREATE;
    c.flags = flags;
    c.new_source.data = source;
    c.new_source.len = size;

    s->len = kz_change_len(&c);
    s->data = malloc(s->len);
    kz_change_write(s->data, &c);
    free(source);

    return s->data;
}


/* commits of 1 to 4 changes, every 7th rolled back */

static void *
writer_thread(void *data)
{
    unsigned         i, j, n, seq, undo;
    ngx_str_t        records[4];
    kz_bus_group_t   g;

    seq = 0;

    for (i = 1; i <= 3000; i++) {
        n = 1 + i % 4;
        undo = (i % 7 == 0);

        for (j = 0; j < n; j++) {
            write_change(&records[j], (unsigned) (uintptr_t) data,
                         ++seq, undo, (i * 37) % 2000);
        }

        kz_bus_group_begin(&g, records, n);
        sched_yield();
        kz_bus_group_end(&g, !undo);

        for (j = 0; j < n; j++) {
            free(records[j].data);
        }
    }

    return NULL;
}


static unsigned
writer_total(void)
{
    unsigned  i, n;

    for (n = 0, i = 1; i <= 3000; i++) {
        n += (i % 7) ? 1 + i % 4 : 0;
    }

    return n;
}


static void
test_writer(void)
{
    int         status;
    pid_t       pid;
    unsigned    i, j;
    pthread_t   t[3];

    for (i = 0; i < 2; i++) {
        stop(i);
        start(i);
    }

    pid = fork();

    if (pid == 0) {
        ngx_pid = getpid();

        for (i = 0; i < 3; i++) {
            pthread_create(&t[i], NULL, writer_thread,
                           (void *) (uintptr_t) (10 + i));
        }

        for (i = 0; i < 3; i++) {
            pthread_join(t[i], NULL);
        }

        _exit(0);
    }

    waitpid(pid, &status, 0);

    for (i = 0; i < 2; i++) {
        for (j = 10; j < 13; j++) {
            ok(reaches(&shared->workers[i].got[j], writer_total()),
               "worker %u has all commits of file %u", i, j);
        }

        is_int(shared->workers[i].errors, 0,
               "in order, none that was rolled back");
        is_int(shared->workers[i].lost, 0, "nothing lost");
    }

    is_int(kz_bus_shm->writer->tail - kz_bus_shm->writer->head, 0,
           "nothing is left unpublished");
}


/* Commits that end in another order than they began in. */

static void
test_group_order(void)
{
    int              status;
    pid_t            pid;
    unsigned         i, before;
    ngx_str_t        record[4];
    kz_bus_group_t   g[4];

    before = shared->workers[0].got[13];

    pid = fork();

    if (pid == 0) {
        for (i = 0; i < 4; i++) {
            write_change(&record[i], 13, 1 + i, i == 2, 10);
            kz_bus_group_begin(&g[i], &record[i], 1);
        }

        kz_bus_group_end(&g[1], 1);
        kz_bus_group_end(&g[2], 0);
        usleep(50000);

        /* not seen before the first one has ended */

        if (shared->workers[0].got[13] != before) {
            _exit(1);
        }

        kz_bus_group_end(&g[0], 1);
        usleep(50000);

        if (shared->workers[0].got[13] != before + 2) {
            _exit(2);
        }

        kz_bus_group_end(&g[3], 1);
        _exit(0);
    }

    waitpid(pid, &status, 0);

    is_int(WEXITSTATUS(status), 0, "commits are seen in the order they began");
    ok(reaches(&shared->workers[0].got[13], before + 3)
       && shared->workers[0].errors == 0, "all but the one rolled back");
}


static ngx_uint_t
keep(void *data, u_char *payload, size_t len)
{
    unsigned     *committed = data;
    kz_change_t   c;

    return kz_change_read(&c, payload, len) == NGX_OK
           && c.seq <= *committed;
}


static void
test_writer_dies(void)
{
    int              status;
    pid_t            pid;
    unsigned         i, committed, before;
    ngx_str_t        record;
    kz_bus_group_t   g[3];

    before = shared->workers[0].got[10];

    pid = fork();

    if (pid == 0) {
        for (i = 0; i < 3; i++) {
            write_change(&record, 10, 1000001 + i, 0, 10);
            kz_bus_group_begin(&g[i], &record, 1);
        }

        _exit(0);
    }

    waitpid(pid, &status, 0);
    usleep(50000);

    is_int(shared->workers[0].got[10], before, "what is begun is not seen");

    pid = fork();

    if (pid == 0) {
        committed = 1000002;
        kz_bus_writer_recover(keep, &committed);
        _exit(0);
    }

    waitpid(pid, &status, 0);

    ok(reaches(&shared->workers[0].got[10], before + 2),
       "a successor announces what was committed");
    is_int(shared->workers[0].errors, 0, "in order");
    is_int(kz_bus_shm->writer->tail - kz_bus_shm->writer->head, 0,
           "and nothing is left");
}


static void
test_too_large(void)
{
    int              status;
    pid_t            pid;
    ngx_str_t        record;
    kz_bus_group_t   g;

    pid = fork();

    if (pid == 0) {
        write_change(&record, 10, 2000001, 0, 2000000);
        kz_bus_group_begin(&g, &record, 1);
        kz_bus_group_end(&g, 0);
        _exit(0);
    }

    waitpid(pid, &status, 0);
    usleep(50000);
    is_int(shared->workers[0].lost, 0, "too large, but rolled back");

    pid = fork();

    if (pid == 0) {
        write_change(&record, 10, 2000002, 0, 2000000);
        kz_bus_group_begin(&g, &record, 1);
        kz_bus_group_end(&g, 1);
        _exit(0);
    }

    waitpid(pid, &status, 0);

    ok(reaches((volatile unsigned *) &shared->workers[0].lost, 1)
       && reaches((volatile unsigned *) &shared->workers[1].lost, 1),
       "a change that cannot be told makes all workers repair");
}


int
main(void)
{
    shared = mmap(NULL, sizeof(shared_t), PROT_READ|PROT_WRITE,
                  MAP_ANON|MAP_SHARED, -1, 0);

    ngx_pid = getpid();

    test_configure();
    test_messages();
    test_ping_pong();
    test_rooms();
    test_killed_sender();
    test_stuck_reader();
    test_writer();
    test_group_order();
    test_writer_dies();
    test_too_large();

    stop(0);
    stop(1);

    return tap_done();
}
