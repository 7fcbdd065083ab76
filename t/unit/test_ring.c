
/*
 * The broadcast ring (src/util/kz_ring.c): alone, then between processes on
 * one shared mapping, with readers that are too slow and producers that are
 * killed at any instruction.
 */

#include "util/kz_ring.h"
#include "kz_shim.h"
#include "tap.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>


#define SIZE     4096
#define RECORDS  100000
#define ROUNDS   60

#define MESSAGE  1
#define LAST     2


/* What the processes of a test write about each other. */

typedef struct {
    volatile uint64_t  reserved;      /* the next number to be written */
    volatile uint64_t  published;     /* at least up to here */
    volatile uint64_t  seen;
    volatile uint64_t  bad;
    volatile uint64_t  dropped;
    volatile uint64_t  stop;
} notes_t;


static kz_ring_t  *ring;
static notes_t    *notes;
static uint64_t    seed = 88172645463325252ULL;


static uint64_t
rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed;
}


static void *
shared(size_t size)
{
    void  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
             -1, 0);

    if (p == MAP_FAILED) {
        printf("Bail out! no memory\n");
        exit(1);
    }

    return p;
}


/* A payload that can be told from half a payload: number, filling, number. */
static void
fill(u_char *p, size_t len, uint64_t n)
{
    memset(p + 8, (u_char) n, len - 16);
    memcpy(p, &n, 8);

    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    memcpy(p + len - 8, &n, 8);
}


static ngx_int_t
whole(const u_char *p, size_t len, uint64_t *n)
{
    size_t    i;
    uint64_t  last;

    if (len < 16) {
        return 0;
    }

    memcpy(n, p, 8);
    memcpy(&last, p + len - 8, 8);

    for (i = 8; i < len - 8; i++) {
        if (p[i] != (u_char) *n) {
            return 0;
        }
    }

    return *n == last;
}


static ngx_int_t
put(const char *s, ngx_uint_t *reader)
{
    u_char     *payload;
    ngx_int_t   rc;

    rc = kz_ring_reserve(ring, strlen(s), MESSAGE, 7, &payload, reader);

    if (rc == NGX_OK) {
        memcpy(payload, s, strlen(s));
    }

    return rc;
}


static ngx_int_t
next_is(ngx_uint_t reader, const char *s)
{
    u_char         *payload;
    kz_ring_rec_t  *rec;

    return kz_ring_next(ring, reader, &rec, &payload) == NGX_OK
           && rec->type == MESSAGE && rec->flags == 7
           && rec->len == strlen(s)
           && memcmp(payload, s, rec->len) == 0;
}


static void
test_one(void)
{
    u_char         *payload;
    ngx_uint_t      reader, i;
    kz_ring_rec_t  *rec;

    kz_ring_init(ring, SIZE);
    is_int(kz_ring_bytes(SIZE) - SIZE, sizeof(kz_ring_t), "its size");

    is_int(kz_ring_next(ring, 3, &rec, &payload), NGX_ERROR,
           "who did not join cannot read");

    put("before", &reader);
    kz_ring_publish(ring, 0);
    kz_ring_join(ring, 3);
    is_int(kz_ring_next(ring, 3, &rec, &payload), NGX_DONE,
           "a reader begins at the public end");

    put("one", &reader);
    is_int(kz_ring_next(ring, 3, &rec, &payload), NGX_DONE,
           "reserved is not public");
    kz_ring_publish(ring, 0);
    ok(next_is(3, "one"), "public now");
    ok(next_is(3, "one"), "stays until it is consumed");
    kz_ring_consume(ring, 3);
    is_int(kz_ring_next(ring, 3, &rec, &payload), NGX_DONE, "consumed");
    kz_ring_consume(ring, 3);
    is_int(kz_ring_next(ring, 3, &rec, &payload), NGX_DONE,
           "nothing to consume");

    put("", &reader);
    kz_ring_publish(ring, 0);
    ok(next_is(3, ""), "an empty record");
    kz_ring_consume(ring, 3);

    is_int(kz_ring_reserve(ring, SIZE / 2 - 7, 1, 0, &payload, &reader),
           NGX_DECLINED, "longer than half the ring");
    is_int(kz_ring_reserve(ring, (size_t) -1, 1, 0, &payload, &reader),
           NGX_DECLINED, "absurdly long");

    for (i = 0; i < 100; i++) {
        if (kz_ring_reserve(ring, SIZE / 2 - 8, MESSAGE, 0, &payload,
                            &reader)
            != NGX_OK)
        {
            break;
        }

        memset(payload, (u_char) i, SIZE / 2 - 8);
        kz_ring_publish(ring, 0);

        if (kz_ring_next(ring, 3, &rec, &payload) != NGX_OK
            || rec->len != SIZE / 2 - 8 || payload[0] != (u_char) i
            || payload[rec->len - 1] != (u_char) i)
        {
            break;
        }

        kz_ring_consume(ring, 3);
    }

    is_int(i, 100, "the longest record fits at every offset");
}


static void
test_full(void)
{
    u_char         *payload;
    uint64_t        tail;
    ngx_uint_t      reader, n;
    kz_ring_rec_t  *rec;

    kz_ring_init(ring, SIZE);
    kz_ring_join(ring, 5);
    kz_ring_join(ring, 9);

    put("0123456789abcdef", &reader);
    kz_ring_publish(ring, 0);
    kz_ring_consume(ring, 9);

    for (n = 1; put("0123456789abcdef", &reader) == NGX_OK; n++) {
        kz_ring_publish(ring, 0);
    }

    is_int(n, SIZE / 24, "filled to the brim");
    is_int(reader, 5, "names the slowest reader");

    tail = ring->tail;
    is_int(put("x", &reader), NGX_OK, "a short one still fits");
    is_int(put("x", &reader), NGX_AGAIN, "no more");
    ok(ring->tail == tail + 16, "a refused record leaves no trace");
    kz_ring_publish(ring, 0);

    is_int(kz_ring_next(ring, 5, &rec, &payload), NGX_OK, "it reads on");
    is_int(kz_ring_intact(ring, 5), NGX_OK, "undisturbed");
    kz_ring_leave(ring, 5);
    is_int(kz_ring_intact(ring, 5), NGX_ERROR, "dropped while reading");
    kz_ring_consume(ring, 5);
    ok(ring->cursor[5] == KZ_RING_IDLE, "consuming does not revive it");
    is_int(kz_ring_next(ring, 5, &rec, &payload), NGX_ERROR,
           "and it is told");
    is_int(put("0123456789abcdef", &reader), NGX_OK,
           "the others have room again");

    is_int(put("0123456789abcdef", &reader), NGX_AGAIN, "until");
    is_int(reader, 9, "the next one is slowest");

    kz_ring_leave(ring, 9);

    for (n = 0; put("0123456789abcdef", &reader) == NGX_OK; n++) {
        if (n > SIZE) {
            break;
        }
    }

    ok(n > 100 && n < SIZE / 24 && reader == KZ_RING_READERS,
       "without readers what is not public is still not overwritten");
}


static void
test_pending(void)
{
    u_char         *payload;
    uint64_t        pos;
    ngx_uint_t      reader, i;
    kz_ring_rec_t  *rec;

    kz_ring_init(ring, SIZE);
    kz_ring_join(ring, 0);

    /* so that a filler lies among the pending ones */

    for (i = 0; i < SIZE / 32 - 2; i++) {
        put("0123456789abcdefghij", &reader);
        kz_ring_publish(ring, 0);
        kz_ring_consume(ring, 0);
    }

    put("keep", &reader);
    put("void", &reader);
    put("too long for what is left of the lap", &reader);
    put("last", &reader);

    pos = ring->head;
    ok(kz_ring_pending(ring, &pos, &rec, &payload) == NGX_OK
       && memcmp(payload, "keep", 4) == 0, "first pending record");
    kz_ring_publish(ring, pos);
    ok(next_is(0, "keep"), "published alone");
    kz_ring_consume(ring, 0);
    is_int(kz_ring_next(ring, 0, &rec, &payload), NGX_DONE, "the rest not");

    ok(kz_ring_pending(ring, &pos, &rec, &payload) == NGX_OK
       && memcmp(payload, "void", 4) == 0, "second");
    kz_ring_void(rec);

    ok(kz_ring_pending(ring, &pos, &rec, &payload) == NGX_OK
       && memcmp(payload, "too long", 8) == 0, "third, after a filler");
    ok(kz_ring_pending(ring, &pos, &rec, &payload) == NGX_OK
       && memcmp(payload, "last", 4) == 0, "fourth");
    is_int(kz_ring_pending(ring, &pos, &rec, &payload), NGX_DONE, "all");

    pos = ring->head;
    ok(kz_ring_pending(ring, &pos, &rec, &payload) == NGX_OK
       && memcmp(payload, "too long", 8) == 0,
       "a successor sees what was not voided");

    kz_ring_publish(ring, 0);
    ok(next_is(0, "too long for what is left of the lap"),
       "a reader skips the void and the filler");
    kz_ring_consume(ring, 0);
    ok(next_is(0, "last"), "goes on");
    kz_ring_consume(ring, 0);

    kz_ring_publish(ring, 8);
    ok(ring->head == ring->tail, "head never goes back");
    kz_ring_publish(ring, ring->tail + 1000);
    ok(ring->head == ring->tail, "nor beyond tail");

    /* the header of nonsense is not followed */

    put("abc", &reader);
    rec = (kz_ring_rec_t *) &ring->data[ring->head & (SIZE - 1)];
    rec->len = 1000000;
    pos = ring->head;
    is_int(kz_ring_pending(ring, &pos, &rec, &payload), NGX_ERROR,
           "a record longer than the ring");
}


/* A reader in a process of its own; how many records it is to see. */
static void
child_read(ngx_uint_t reader)
{
    u_char         *payload;
    uint64_t        n, want;
    ngx_int_t       rc;
    kz_ring_rec_t  *rec;

    for (want = 0; /* void */ ; /* void */ ) {
        rc = kz_ring_next(ring, reader, &rec, &payload);

        if (rc == NGX_DONE) {
            sched_yield();
            continue;
        }

        if (rc == NGX_ERROR) {
            _exit(2);
        }

        if (rec->type == LAST) {
            _exit(want == RECORDS ? 0 : 3);
        }

        if (!whole(payload, rec->len, &n) || n != want) {
            _exit(4);
        }

        want++;
        kz_ring_consume(ring, reader);
    }
}


static int
child_result(pid_t pid)
{
    int  status;

    if (waitpid(pid, &status, 0) != pid) {
        return -1;
    }

    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}


static void
write_record(size_t len, uint16_t type, uint64_t n)
{
    u_char      *payload;
    ngx_uint_t   reader;

    while (kz_ring_reserve(ring, len, type, 0, &payload, &reader) != NGX_OK)
    {
        sched_yield();
    }

    fill(payload, len, n);
}


static void
test_processes(void)
{
    pid_t       pid[3];
    uint64_t    n;
    ngx_uint_t  i;

    kz_ring_init(ring, SIZE);

    for (i = 0; i < 3; i++) {
        kz_ring_join(ring, 40 * i);

        pid[i] = fork();

        if (pid[i] == 0) {
            child_read(40 * i);
        }
    }

    for (n = 0; n < RECORDS; n++) {
        write_record(16 + rnd() % 300, MESSAGE, n);

        /* in bursts now and then */
        if (rnd() % 4 != 0 || n % 8 == 0) {
            kz_ring_publish(ring, 0);
        }

        if (ring->tail - ring->head > SIZE / 4) {
            kz_ring_publish(ring, 0);
        }
    }

    write_record(16, LAST, n);
    kz_ring_publish(ring, 0);

    for (i = 0; i < 3; i++) {
        is_int(child_result(pid[i]), 0,
               "a process sees every record, whole and in order");
    }
}


/* Reads slowly, is dropped, joins again; must never take half a record. */
static void
child_slow(void)
{
    u_char          copy[SIZE], *payload;
    uint64_t        n, last;
    uint32_t        len;
    ngx_int_t       rc;
    kz_ring_rec_t  *rec;

    last = 0;

    for ( ;; ) {
        rc = kz_ring_next(ring, 1, &rec, &payload);

        if (rc == NGX_ERROR) {
            if (notes->stop) {
                _exit(0);
            }

            notes->dropped++;
            kz_ring_join(ring, 1);
            continue;
        }

        if (rc == NGX_DONE) {
            if (notes->stop) {
                _exit(0);
            }

            sched_yield();
            continue;
        }

        len = rec->len;

        if (len > SIZE) {
            len = 0;
        }

        memcpy(copy, payload, len);

        if (rnd() % 64 == 0) {
            sched_yield();
            memcpy(copy, payload, len);
        }

        if (kz_ring_intact(ring, 1) == NGX_OK) {
            if (!whole(copy, len, &n) || n < last) {
                notes->bad++;
            }

            last = n;
            notes->seen++;
        }

        kz_ring_consume(ring, 1);
    }
}


static void
test_overrun(void)
{
    pid_t        pid;
    u_char      *payload;
    size_t       len;
    uint64_t     n;
    ngx_uint_t   reader;

    kz_ring_init(ring, SIZE);
    memset(notes, 0, sizeof(notes_t));
    kz_ring_join(ring, 1);

    pid = fork();

    if (pid == 0) {
        child_slow();
    }

    for (n = 1; n < 5000000; n++) {
        len = 16 + rnd() % 1000;

        while (kz_ring_reserve(ring, len, MESSAGE, 0, &payload, &reader)
               != NGX_OK)
        {
            kz_ring_leave(ring, reader);
        }

        fill(payload, len, n);
        kz_ring_publish(ring, 0);

        if (rnd() % 16 == 0) {
            sched_yield();
        }

        if (notes->dropped > 100 && notes->seen > 1000) {
            break;
        }
    }

    notes->stop = 1;

    is_int(child_result(pid), 0, "a slow reader comes and goes");
    ok(notes->dropped > 0, "dropped more than once");
    ok(notes->seen > 0, "read something in between");
    is_int(notes->bad, 0, "never took an overwritten record for whole");
}


static void
child_produce(void)
{
    size_t    len;
    uint64_t  n;

    for (n = notes->reserved; /* void */ ; n++) {
        len = 16 + rnd() % 500;
        write_record(len, MESSAGE, n);
        notes->reserved = n + 1;

        if (rnd() % 3 == 0 || ring->tail - ring->head > SIZE / 4) {
            kz_ring_publish(ring, 0);
            notes->published = n;
        }
    }
}


/* Numbers grow by one: nothing is lost, nothing comes twice. */
static void
child_follow(void)
{
    u_char         *payload;
    uint64_t        n, last;
    ngx_int_t       rc;
    kz_ring_rec_t  *rec;

    for (last = 0; /* void */ ; /* void */ ) {
        rc = kz_ring_next(ring, 2, &rec, &payload);

        if (rc == NGX_ERROR) {
            _exit(2);
        }

        if (rc == NGX_DONE) {
            sched_yield();
            continue;
        }

        if (rec->type == LAST) {
            _exit(0);
        }

        if (!whole(payload, rec->len, &n)) {
            _exit(3);
        }

        if (n != last + 1) {
            _exit(4);
        }

        last = n;
        notes->seen = n;
        kz_ring_consume(ring, 2);
    }
}


/* What a respawned producer does; 0 when the ring does not make sense. */
static int
succeed(uint64_t *voided, uint64_t *kept)
{
    u_char         *payload;
    uint64_t        pos, n, last;
    ngx_int_t       rc;
    ngx_uint_t      half;
    kz_ring_rec_t  *rec;

    half = 0;
    last = 0;

    if (ring->head > ring->tail || ring->tail - ring->head > SIZE) {
        return 0;
    }

    for (pos = ring->head; /* void */ ; /* void */ ) {
        rc = kz_ring_pending(ring, &pos, &rec, &payload);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc != NGX_OK || rec->type != MESSAGE || half) {
            return 0;
        }

        /*
         * Only the last one may have been in the making: half of it, or
         * still the bytes of an earlier lap, which may look whole.
         */

        if (!whole(payload, rec->len, &n)
            || n <= notes->published || n > notes->reserved)
        {
            half = 1;
            kz_ring_void(rec);
            (*voided)++;
            continue;
        }

        if (last != 0 && n != last + 1) {
            return 0;
        }

        last = n;
        (*kept)++;
        notes->reserved = n + 1;
    }

    kz_ring_publish(ring, 0);
    notes->published = notes->reserved - 1;

    return 1;
}


static void
test_kill(void)
{
    int          sane;
    pid_t        pid, follower;
    uint64_t     voided, kept, tail;
    ngx_uint_t   i;

    kz_ring_init(ring, SIZE);
    memset(notes, 0, sizeof(notes_t));
    notes->reserved = 1;
    kz_ring_join(ring, 2);

    follower = fork();

    if (follower == 0) {
        child_follow();
    }

    sane = 1;
    voided = 0;
    kept = 0;

    for (i = 0; sane && i < ROUNDS; i++) {
        tail = ring->tail;
        pid = fork();

        if (pid == 0) {
            seed += i;
            child_produce();
        }

        while (ring->tail == tail) {
            sched_yield();
        }

        usleep(rnd() % 2000);
        kill(pid, SIGKILL);
        (void) child_result(pid);

        sane = succeed(&voided, &kept);
    }

    ok(sane, "%d producers killed, the ring always made sense", ROUNDS);
    printf("# %d records seen, %d kept by a successor, %d voided\n",
           (int) notes->seen, (int) kept, (int) voided);

    write_record(16, LAST, 0);
    kz_ring_publish(ring, 0);

    is_int(child_result(follower), 0, "a reader missed nothing, saw no half");
    is_int(notes->seen, notes->reserved - 1, "up to the last record");
    ok(kept > 0, "successors had something to decide about");
}


int
main(void)
{
    ring = shared(kz_ring_bytes(SIZE));
    notes = shared(sizeof(notes_t));

    test_one();
    test_full();
    test_pending();
    test_processes();
    test_overrun();
    test_kill();

    return tap_done();
}
