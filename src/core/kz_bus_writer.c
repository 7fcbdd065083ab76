/*
 * The bus as the writer process sees it: the changes of a commit enter its
 * ring before COMMIT, unseen, and become visible after it.
 *
 *        head                                     tail
 *   ------|[g1: unfinished][g2: ended][g3: unfini...|------
 *
 * Groups become visible in the order they began in: g2 ended and left what
 * is to be published to g1 (until); both become visible when g1 ends.  A
 * record carries type 0 (a filler to everybody) until its payload is
 * written: a writer that dies while it copies leaves nothing that could be
 * taken for a change.
 *
 * Two locks, both of this process: kz_bus_begin_lock makes one group after
 * the other, and may be held for long while a reader is waited for;
 * kz_bus_group_lock guards the queue of groups and the ring's ends.
 */

#include "core/kz_bus_shm.h"
#include "core/kz_change.h"

#include <pthread.h>
#include <time.h>


#define KZ_BUS_NAP      500            /* us, while the ring is full */
#define KZ_BUS_LOSTGAP  KZ_RING_IDLE   /* group.first: could not be written */


static void kz_bus_writer_init(void);
static size_t kz_bus_group_bytes(ngx_str_t *records, ngx_uint_t n,
    size_t *largest);
static ngx_int_t kz_bus_group_put(ngx_str_t *record, uint16_t type);
static ngx_int_t kz_bus_group_gap(ngx_str_t *record);
static void kz_bus_group_void(uint64_t first, uint64_t last);
static uint64_t kz_bus_now(void);


static pthread_mutex_t  kz_bus_begin_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t  kz_bus_group_lock = PTHREAD_MUTEX_INITIALIZER;
static ngx_queue_t      kz_bus_groups;      /* begun, in order */
static kz_bus_wait_t    kz_bus_wait;        /* under kz_bus_begin_lock */


/* Under kz_bus_group_lock. */

static void
kz_bus_writer_init(void)
{
    if (kz_bus_groups.next == NULL) {
        ngx_queue_init(&kz_bus_groups);
    }
}


void
kz_bus_group_begin(kz_bus_group_t *g, ngx_str_t *records, ngx_uint_t n)
{
    size_t      bytes, largest;
    ngx_int_t   rc;
    kz_ring_t  *r;
    ngx_uint_t  i;

    r = kz_bus_shm->writer;

    pthread_mutex_lock(&kz_bus_begin_lock);

    /* its place among the groups; nothing before its records is unwritten */

    pthread_mutex_lock(&kz_bus_group_lock);

    kz_bus_writer_init();

    g->first = r->tail;
    g->last = r->tail;
    ngx_queue_insert_tail(&kz_bus_groups, &g->queue);

    pthread_mutex_unlock(&kz_bus_group_lock);

    bytes = kz_bus_group_bytes(records, n, &largest);
    rc = NGX_OK;

    if (bytes + largest > r->size || largest > r->size / 2) {
        rc = kz_bus_group_gap(&records[0]);

    } else {
        for (i = 0; i < n && rc == NGX_OK; i++) {
            rc = kz_bus_group_put(&records[i], KZ_BUS_CHANGE);
        }
    }

    pthread_mutex_lock(&kz_bus_group_lock);

    g->last = r->tail;
    g->until = r->tail;

    if (rc != NGX_OK) {
        kz_bus_group_void(g->first, g->last);
        g->first = KZ_BUS_LOSTGAP;
    }

    pthread_mutex_unlock(&kz_bus_group_lock);

    pthread_mutex_unlock(&kz_bus_begin_lock);
}


static size_t
kz_bus_group_bytes(ngx_str_t *records, ngx_uint_t n, size_t *largest)
{
    size_t      len, bytes;
    ngx_uint_t  i;

    bytes = 0;
    *largest = 0;

    for (i = 0; i < n; i++) {
        len = sizeof(kz_ring_rec_t) + ngx_align(records[i].len, 8);
        bytes += len;
        *largest = ngx_max(*largest, len);
    }

    return bytes;
}


/*
 * Writes one record, waiting for room.  NGX_ERROR: gave up on other threads'
 * groups, which fill the ring and do not end.
 */

static ngx_int_t
kz_bus_group_put(ngx_str_t *record, uint16_t type)
{
    u_char         *dst;
    uint64_t        now, since;
    ngx_int_t       rc;
    kz_ring_t      *r;
    ngx_uint_t      reader;
    kz_ring_rec_t  *rec;

    r = kz_bus_shm->writer;
    since = 0;

    for ( ;; ) {

        pthread_mutex_lock(&kz_bus_group_lock);
        rc = kz_ring_reserve(r, record->len, 0, 0, &dst, &reader);
        pthread_mutex_unlock(&kz_bus_group_lock);

        if (rc != NGX_AGAIN) {
            break;
        }

        now = kz_bus_now();

        if (reader < KZ_BUS_SLOTS) {
            since = 0;

        } else if (since == 0) {
            since = now;

        } else if (now - since > 10 * KZ_BUS_STUCK) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                          "kuzzle: commits do not end, "
                          "no room for %uz bytes of changes", record->len);
            return NGX_ERROR;
        }

        /* the reader may sleep since before its wake-up was lost */

        kz_bus_wake(0);

        if (kz_bus_blocked(&kz_bus_wait, r, reader, now, ngx_cycle->log)
            != NGX_OK)
        {
            (void) usleep(KZ_BUS_NAP);
        }
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst, record->data, record->len);

    rec = (kz_ring_rec_t *) dst - 1;
    __atomic_store_n(&rec->type, type, __ATOMIC_RELEASE);

    return NGX_OK;
}


/*
 * Instead of changes that do not fit into the ring: one record that says so,
 * a change without its texts (a successor must be able to tell whether it
 * was committed).
 */

static ngx_int_t
kz_bus_group_gap(ngx_str_t *record)
{
    u_char       head[256];
    ngx_str_t    gap;
    kz_change_t  c, small;

    if (kz_change_read(&c, record->data, record->len) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "kuzzle: the changes of one commit do not fit into the "
                  "bus, realtime clients will have to reconnect; "
                  "consider a larger bus_size");

    ngx_memzero(&small, sizeof(kz_change_t));

    small.file = c.file;
    small.seq = c.seq;
    small.version = c.version;
    small.timestamp = c.timestamp;
    small.kind = c.kind;
    small.flags = c.flags;

    gap.data = head;
    gap.len = kz_change_write(head, &small) - head;

    return kz_bus_group_put(&gap, KZ_BUS_GAP);
}


/* Under kz_bus_group_lock. */

static void
kz_bus_group_void(uint64_t first, uint64_t last)
{
    u_char         *payload;
    uint64_t        pos;
    kz_ring_rec_t  *rec;

    pos = first;

    while (pos < last
           && kz_ring_pending(kz_bus_shm->writer, &pos, &rec, &payload)
              == NGX_OK
           && pos <= last)
    {
        kz_ring_void(rec);
    }
}


void
kz_bus_group_end(kz_bus_group_t *g, ngx_uint_t published)
{
    uint64_t         until;
    ngx_uint_t       gap;
    ngx_queue_t     *q;
    kz_bus_group_t  *prev;

    until = 0;
    gap = 0;

    pthread_mutex_lock(&kz_bus_group_lock);

    if (g->first == KZ_BUS_LOSTGAP) {
        gap = published;

    } else if (!published) {
        kz_bus_group_void(g->first, g->last);
    }

    q = ngx_queue_prev(&g->queue);

    if (q == ngx_queue_sentinel(&kz_bus_groups)) {
        until = g->until;

        if (until) {
            kz_ring_publish(kz_bus_shm->writer, until);
        }

    } else {

        /* the one before takes it along when its turn comes */

        prev = ngx_queue_data(q, kz_bus_group_t, queue);
        prev->until = g->until;
    }

    ngx_queue_remove(&g->queue);

    pthread_mutex_unlock(&kz_bus_group_lock);

    if (gap) {
        (void) __atomic_add_fetch(&kz_bus_shm->gaps, 1, __ATOMIC_SEQ_CST);
    }

    if (until || gap) {
        kz_bus_wake(0);
    }
}


void
kz_bus_writer_recover(ngx_uint_t (*keep)(void *data, u_char *payload,
    size_t len), void *data)
{
    u_char         *payload;
    uint64_t        pos;
    ngx_int_t       rc;
    kz_ring_t      *r;
    ngx_uint_t      kept, dropped;
    kz_ring_rec_t  *rec;

    if (kz_bus_shm == NULL) {
        return;
    }

    r = kz_bus_shm->writer;
    kept = 0;
    dropped = 0;

    pos = r->head;

    for ( ;; ) {
        rc = kz_ring_pending(r, &pos, &rec, &payload);

        if (rc != NGX_OK) {
            break;
        }

        if (keep(data, payload, rec->len)) {
            kept++;

        } else {
            kz_ring_void(rec);
            dropped++;
        }
    }

    if (rc == NGX_ERROR) {

        /* cannot be: the header is written before the tail moves over it */

        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "kuzzle: the change ring is damaged");

        (void) __atomic_add_fetch(&kz_bus_shm->gaps, 1, __ATOMIC_SEQ_CST);
        r->tail = pos;
    }

    if (kept || dropped) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "kuzzle: the last writer left %ui changes to announce "
                      "and %ui that were not committed", kept, dropped);
    }

    kz_ring_publish(r, 0);
    kz_bus_wake(0);
}


static uint64_t
kz_bus_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
