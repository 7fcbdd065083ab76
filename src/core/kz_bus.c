/*
 * The bus as a worker sees it: a slot of its own, reading all rings, sending
 * on its own one.
 *
 * Sleeping and waking.  A reader that has nothing left sets "armed", then
 * looks at all rings once more; a producer publishes, then looks at "armed".
 * With a full fence between the two steps on both sides at least one of them
 * sees the other, so no wake-up is lost, and a burst costs one.
 *
 * Reading.  A record is copied out and its place given back before its
 * handler runs: what a handler reads cannot be overwritten below it, however
 * long it takes.  A turn of the loop reads a bounded number of records.
 *
 * Sending.  What does not fit waits in a queue of this process, bounded by
 * kuzzle's bus_queue, and is tried again after every turn and by a timer.
 * The timer keeps a quitting worker alive: at most KZ_BUS_STUCK ms, after
 * which whoever blocks the ring has lost its place.
 */

#include "core/kz_bus_shm.h"
#include "core/kz_stat.h"

#include <ngx_event.h>


#define KZ_BUS_TURN    256           /* records a turn of the loop */
#define KZ_BUS_FLUSH   5             /* ms */
#define KZ_BUS_RETRY   1000          /* ms, for a slot when none was free */
#define KZ_BUS_KEEP    65536         /* bytes of buffer to keep */
#define KZ_BUS_RINGS   (KZ_BUS_SLOTS + 1)


/* A record on its way in: pieces seen so far. */

typedef struct {
    u_char           *data;
    size_t            size;
    size_t            len;
    unsigned          open:1;        /* the first piece was seen */
} kz_bus_part_t;


/* A record, or the rest of one, that did not fit. */

typedef struct {
    ngx_queue_t       queue;
    size_t            len;
    size_t            sent;
    uint16_t          type;
    u_char            data[];
} kz_bus_held_t;


static ngx_int_t kz_bus_attach(ngx_cycle_t *cycle);
static void kz_bus_event(ngx_event_t *ev);
static ngx_uint_t kz_bus_turn(void);
static ngx_int_t kz_bus_take(ngx_uint_t n, ngx_uint_t *lost);
static ngx_int_t kz_bus_collect(kz_bus_part_t *part, u_char *p, size_t len,
    ngx_uint_t flags);
static void kz_bus_deliver(kz_bus_part_t *part, ngx_uint_t type,
    ngx_uint_t *lost);
static ngx_uint_t kz_bus_waiting(void);
static ngx_int_t kz_bus_push(uint16_t type, u_char *p, size_t len,
    size_t *sent);
static ngx_int_t kz_bus_hold(uint16_t type, u_char *p, size_t len,
    size_t sent);
static void kz_bus_flush(void);
static void kz_bus_timer(ngx_event_t *ev);


void                     (*kz_bus_lost)(void);

static kz_bus_handler_pt  kz_bus_handlers[KZ_BUS_MAX];
static kz_bus_part_t      kz_bus_parts[KZ_BUS_RINGS];
static ngx_connection_t  *kz_bus_connection;
static ngx_event_t        kz_bus_flush_event;
static ngx_queue_t        kz_bus_queue;
static size_t             kz_bus_queued;
static kz_bus_wait_t      kz_bus_wait;
static ngx_uint_t         kz_bus_next;        /* ring a turn starts with */
static uint64_t           kz_bus_gaps;
static ngx_msec_t         kz_bus_tried;
static ngx_uint_t         kz_bus_foreign;     /* the writer is not ours */


static ngx_inline kz_ring_t *
kz_bus_ring(ngx_uint_t n)
{
    return n ? kz_bus_shm->slots[n - 1].ring : kz_bus_shm->writer;
}


ngx_int_t
kz_bus_init_process(ngx_cycle_t *cycle)
{
    if (kz_conf == NULL || kz_bus_shm == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ngx_queue_init(&kz_bus_queue);

    kz_bus_flush_event.handler = kz_bus_timer;
    kz_bus_flush_event.log = cycle->log;
    kz_bus_flush_event.data = &kz_bus_flush_event;

    return kz_bus_attach(cycle);
}


/* NGX_ERROR is fatal; without a slot the worker runs, but not in realtime. */

static ngx_int_t
kz_bus_attach(ngx_cycle_t *cycle)
{
    ngx_connection_t  *c;

    kz_bus_tried = ngx_current_msec;

    if (kz_bus_claim(cycle->log) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "kuzzle: more than %d workers at once: this one has no "
                      "realtime until others have gone", KZ_BUS_SLOTS);
        return NGX_OK;
    }

    kz_bus_gaps = kz_bus_shm->gaps;

    c = ngx_get_connection(kz_bus_fd(), cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->log = cycle->log;
    c->read->log = cycle->log;
    c->write->log = cycle->log;
    c->read->handler = kz_bus_event;

    /* no client: a quitting worker neither waits for it nor reports it */

    c->read->channel = 1;
    c->write->channel = 1;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        return NGX_ERROR;
    }

    kz_bus_connection = c;

    /* a predecessor may have died between publishing and waking */

    kz_bus_wake(1);
    ngx_post_event(c->read, &ngx_posted_events);

    return NGX_OK;
}


ngx_int_t
kz_bus_attached(void)
{
    if (kz_bus_slot != -1) {
        return NGX_OK;
    }

    if (kz_bus_shm == NULL || kz_bus_queue.next == NULL
        || ngx_current_msec - kz_bus_tried < KZ_BUS_RETRY
        || kz_bus_attach((ngx_cycle_t *) ngx_cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_bus_slot == -1 ? NGX_ERROR : NGX_OK;
}


ngx_int_t
kz_bus_memory(size_t *used, size_t *peak)
{
    uint64_t    seen;
    ngx_uint_t  pages;

    if (kz_bus_attached() != NGX_OK) {
        return NGX_ERROR;
    }

    pages = kz_bus_pool->last - kz_bus_pool->pages;
    *used = (pages - kz_bus_pool->pfree) * ngx_pagesize;

    do {
        seen = kz_bus_shm->peak;
    } while (seen < *used && !kz_bus_cas(&kz_bus_shm->peak, seen, *used));

    *peak = ngx_max(seen, *used);

    return NGX_OK;
}


void
kz_bus_exit_process(void)
{
    ngx_uint_t      i;
    ngx_queue_t    *q;

    if (kz_bus_slot == -1) {
        return;
    }

    kz_bus_flush();

    if (kz_bus_queued) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "kuzzle: %uz bytes of realtime messages were not sent "
                      "before the worker had to exit", kz_bus_queued);
    }

    while (!ngx_queue_empty(&kz_bus_queue)) {
        q = ngx_queue_head(&kz_bus_queue);
        ngx_queue_remove(q);
        ngx_free(ngx_queue_data(q, kz_bus_held_t, queue));
    }

    kz_bus_queued = 0;

    if (kz_bus_flush_event.timer_set) {
        ngx_del_timer(&kz_bus_flush_event);
    }

    for (i = 0; i < KZ_BUS_RINGS; i++) {
        ngx_free(kz_bus_parts[i].data);
        ngx_memzero(&kz_bus_parts[i], sizeof(kz_bus_part_t));
    }

    kz_bus_release();
}


void
kz_bus_announcer(uint64_t id)
{
    ngx_uint_t  foreign;

    foreign = (id != kz_bus_id());

    if (foreign == kz_bus_foreign) {
        return;
    }

    kz_bus_foreign = foreign;

    if (!foreign) {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "kuzzle: the data directory belongs to another nginx: "
                  "documents are stored by its writer, changes are not "
                  "heard here and subscriptions refused");

    if (kz_bus_lost) {
        kz_bus_lost();
    }
}


ngx_uint_t
kz_bus_deaf(void)
{
    return kz_bus_foreign;
}


void
kz_bus_handler(kz_bus_type_e type, kz_bus_handler_pt handler)
{
    kz_bus_handlers[type] = handler;
}


void
kz_bus_wake_self(void)
{
    if (kz_bus_connection) {
        ngx_post_event(kz_bus_connection->read, &ngx_posted_next_events);
    }
}


static void
kz_bus_event(ngx_event_t *ev)
{
    uint64_t           n;
    kz_bus_slot_t     *slot;
    ngx_connection_t  *c;

    c = ev->data;

    if (kz_bus_slot == -1) {
        return;
    }

    slot = &kz_bus_shm->slots[kz_bus_slot];
    slot->armed = 0;

    /* what is read here only says that there is something to read */

    while (read(c->fd, &n, sizeof(uint64_t)) > 0) { /* void */ }

    if (kz_bus_turn() == KZ_BUS_TURN) {
        kz_bus_flush();
        kz_bus_wake_self();
        return;
    }

    kz_bus_flush();

    __atomic_store_n(&slot->armed, 1, __ATOMIC_RELAXED);

    /* pairs with the one in kz_bus_wake() */

    kz_bus_fence();

    if (kz_bus_waiting() && kz_bus_cas(&slot->armed, 1, 0)) {
        kz_bus_wake_self();
    }
}


/* Handles up to KZ_BUS_TURN records, from all rings in turn. */

static ngx_uint_t
kz_bus_turn(void)
{
    uint64_t    gaps;
    ngx_int_t   rc;
    ngx_uint_t  n, i, nrings, done, idle, lost;

    done = 0;
    idle = 0;
    lost = 0;
    nrings = kz_bus_shm->nslots + 1;

    gaps = kz_bus_shm->gaps;

    if (gaps != kz_bus_gaps) {
        kz_bus_gaps = gaps;
        lost = 1;
    }

    n = kz_bus_next++;

    while (done < KZ_BUS_TURN && idle < nrings) {

        n = n % nrings;

        for (i = 0, rc = NGX_OK; i < 16 && rc == NGX_OK; i++) {
            rc = kz_bus_take(n, &lost);
            done += (rc == NGX_OK);

            if (done == KZ_BUS_TURN) {
                break;
            }
        }

        idle = (rc == NGX_OK) ? 0 : idle + 1;
        n++;
    }

    if (lost && kz_bus_lost) {
        kz_bus_lost();
    }

    return done;
}


/*
 * One record, or piece of one, of a ring: NGX_OK, or NGX_DONE when there is
 * none.  *lost is set when something that was sent cannot be delivered.
 */

static ngx_int_t
kz_bus_take(ngx_uint_t n, ngx_uint_t *lost)
{
    u_char         *payload;
    size_t          len;
    ngx_int_t       rc;
    kz_ring_t      *r;
    ngx_uint_t      flags, type;
    kz_bus_part_t  *part;
    kz_ring_rec_t  *rec;

    r = kz_bus_ring(n);
    part = &kz_bus_parts[n];

    rc = kz_ring_next(r, kz_bus_slot, &rec, &payload);

    if (rc == NGX_DONE) {
        return NGX_DONE;
    }

    if (rc == NGX_OK) {

        /* read once: when the record was overrun just now, it may change */

        len = *(volatile uint32_t *) &rec->len;
        type = rec->type;
        flags = n ? rec->flags : KZ_BUS_FIRST|KZ_BUS_LAST;

        if (len <= (size_t) (r->data + r->size - payload)) {
            rc = kz_bus_collect(part, payload, len, flags);

            if (kz_ring_intact(r, kz_bus_slot) == NGX_OK) {
                kz_ring_consume(r, kz_bus_slot);

                if (rc == NGX_ERROR) {
                    *lost = 1;

                } else if (rc == NGX_OK) {
                    kz_bus_deliver(part, type, lost);
                }

                return NGX_OK;
            }
        }
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "kuzzle: this worker was too slow and lost messages of "
                  "the bus");

    part->open = 0;
    *lost = 1;
    kz_stat->bus_lost++;

    kz_ring_join(r, kz_bus_slot);

    return NGX_OK;
}


/*
 * Copies a piece.  NGX_OK: the record is complete; NGX_AGAIN: more to come;
 * NGX_DECLINED: a piece of a record whose beginning this worker did not see,
 * or whose sender died; NGX_ERROR: no memory.
 */

static ngx_int_t
kz_bus_collect(kz_bus_part_t *part, u_char *p, size_t len, ngx_uint_t flags)
{
    u_char  *data;
    size_t   size;

    if (flags & KZ_BUS_FIRST) {
        part->open = 1;
        part->len = 0;
    }

    if (!part->open) {
        return NGX_DECLINED;
    }

    if (part->size - part->len < len || part->data == NULL) {
        size = ngx_max(2 * part->size, part->len + len);
        size = ngx_max(size, 4096);

        data = ngx_alloc(size, ngx_cycle->log);
        if (data == NULL) {
            part->open = 0;
            return NGX_ERROR;
        }

        if (part->data) {
            ngx_memcpy(data, part->data, part->len);
            ngx_free(part->data);
        }

        part->data = data;
        part->size = size;
    }

    ngx_memcpy(part->data + part->len, p, len);
    part->len += len;

    return (flags & KZ_BUS_LAST) ? NGX_OK : NGX_AGAIN;
}


static void
kz_bus_deliver(kz_bus_part_t *part, ngx_uint_t type, ngx_uint_t *lost)
{
    part->open = 0;

    if (type == KZ_BUS_GAP) {
        *lost = 1;

    } else if (type < KZ_BUS_MAX && kz_bus_handlers[type]) {
        kz_bus_handlers[type](part->data, part->len);
    }

    if (part->size > KZ_BUS_KEEP) {
        ngx_free(part->data);
        part->data = NULL;
        part->size = 0;
    }
}


static ngx_uint_t
kz_bus_waiting(void)
{
    kz_ring_t   *r;
    ngx_uint_t   n;

    for (n = 0; n <= kz_bus_shm->nslots; n++) {
        r = kz_bus_ring(n);

        if (r->cursor[kz_bus_slot] != r->head) {
            return 1;
        }
    }

    return kz_bus_gaps != kz_bus_shm->gaps;
}


ngx_int_t
kz_bus_send(kz_bus_type_e type, u_char *payload, size_t len)
{
    size_t     sent;
    ngx_int_t  rc;

    if (kz_bus_attached() != NGX_OK) {
        return NGX_ERROR;
    }

    sent = 0;
    kz_stat->bus_records++;
    kz_stat->bus_bytes += len;

    if (ngx_queue_empty(&kz_bus_queue)) {

        rc = kz_bus_push(type, payload, len, &sent);

        if (sent || rc == NGX_OK) {
            kz_bus_wake(1);
        }

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    /* receivers drop what they have of a record that is not continued */

    return kz_bus_hold(type, payload, len, sent);
}


/*
 * Writes what is left of a record, from *sent on, to this worker's ring.
 * NGX_OK; NGX_AGAIN: the ring is full.
 */

static ngx_int_t
kz_bus_push(uint16_t type, u_char *p, size_t len, size_t *sent)
{
    size_t      n;
    u_char     *dst;
    uint16_t    flags;
    ngx_int_t   rc;
    kz_ring_t  *r;
    ngx_uint_t  reader;

    r = kz_bus_shm->slots[kz_bus_slot].ring;

    do {
        n = ngx_min(len - *sent, KZ_BUS_PIECE);

        flags = (*sent == 0) ? KZ_BUS_FIRST : 0;
        flags |= (*sent + n == len) ? KZ_BUS_LAST : 0;

        for ( ;; ) {
            rc = kz_ring_reserve(r, n, type, flags, &dst, &reader);

            if (rc != NGX_AGAIN) {
                break;
            }

            rc = kz_bus_blocked(&kz_bus_wait, r, reader, ngx_current_msec,
                                ngx_cycle->log);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_memcpy(dst, p + *sent, n);
        kz_ring_publish(r, 0);

        *sent += n;

    } while (*sent < len);

    return NGX_OK;
}


static ngx_int_t
kz_bus_hold(uint16_t type, u_char *p, size_t len, size_t sent)
{
    kz_bus_held_t  *held;

    if (len > kz_conf->bus_queue || kz_bus_queued > kz_conf->bus_queue - len)
    {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "kuzzle: realtime queue is full (%uz bytes), "
                      "a message of %uz bytes is refused",
                      kz_bus_queued, len);

        kz_stat->bus_refused++;
        return NGX_ERROR;
    }

    held = ngx_alloc(sizeof(kz_bus_held_t) + len, ngx_cycle->log);
    if (held == NULL) {
        return NGX_ERROR;
    }

    held->len = len;
    held->sent = sent;
    held->type = type;
    ngx_memcpy(held->data, p, len);

    ngx_queue_insert_tail(&kz_bus_queue, &held->queue);
    kz_bus_queued += len;
    kz_stat->gauges.bus_queued = kz_bus_queued;

    if (!kz_bus_flush_event.timer_set) {
        ngx_add_timer(&kz_bus_flush_event, KZ_BUS_FLUSH);
    }

    return NGX_OK;
}


/* Sends what is held back, as far as the ring takes it. */

static void
kz_bus_flush(void)
{
    size_t          sent;
    ngx_int_t       rc;
    ngx_uint_t      wake;
    ngx_queue_t    *q;
    kz_bus_held_t  *held;

    if (ngx_queue_empty(&kz_bus_queue)) {
        return;
    }

    wake = 0;

    do {
        q = ngx_queue_head(&kz_bus_queue);
        held = ngx_queue_data(q, kz_bus_held_t, queue);

        sent = held->sent;
        rc = kz_bus_push(held->type, held->data, held->len, &held->sent);

        if (rc == NGX_OK || held->sent > sent) {
            wake = 1;
        }

        if (rc == NGX_AGAIN) {
            break;
        }

        ngx_queue_remove(q);
        kz_bus_queued -= held->len;
        kz_stat->gauges.bus_queued = kz_bus_queued;
        ngx_free(held);

    } while (!ngx_queue_empty(&kz_bus_queue));

    if (wake) {
        kz_bus_wake(1);
    }

    if (!ngx_queue_empty(&kz_bus_queue) && !kz_bus_flush_event.timer_set) {
        ngx_add_timer(&kz_bus_flush_event, KZ_BUS_FLUSH);
    }
}


static void
kz_bus_timer(ngx_event_t *ev)
{
    (void) ev;

    if (kz_bus_slot != -1) {
        kz_bus_flush();
    }
}
