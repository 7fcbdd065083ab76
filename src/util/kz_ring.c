
/*
 * The ring of kz_ring.h.  What makes it safe without locks:
 *
 * - head and tail are written by the producer alone, a cursor by its reader
 *   (forwards) or by the producer (KZ_RING_IDLE); each is one aligned word.
 *
 * - A record's header is written before tail moves over it.  Whoever dies
 *   before has changed nothing, whoever dies after has left a whole header,
 *   so a successor can walk from head to tail.
 *
 * - head moves (release) after the payload was written; a reader loads it
 *   (acquire) before it looks.
 *
 * - The producer looks at all cursors after it published; a reader that
 *   joins looks at head after it wrote its cursor.  Both in one total order
 *   (sequentially consistent), so that one of the two sees the other.
 *
 * - A reader goes on by compare-and-swap, so that it cannot come back to
 *   life when the producer dropped it in the meantime.
 */

#include "util/kz_ring.h"


#define KZ_RING_ALIGN  8

#define kz_ring_need(len)                                                     \
    (sizeof(kz_ring_rec_t) + (((uint64_t) (len) + KZ_RING_ALIGN - 1)          \
                              & ~((uint64_t) KZ_RING_ALIGN - 1)))

#define kz_ring_rec(r, pos)                                                   \
    ((kz_ring_rec_t *) &(r)->data[(pos) & ((r)->size - 1)])

#define kz_ring_load(p)                                                       \
    __atomic_load_n(p, __ATOMIC_ACQUIRE)


static ngx_int_t kz_ring_fits(kz_ring_t *r, uint64_t tail,
    ngx_uint_t *reader);
static void kz_ring_header(kz_ring_t *r, uint64_t pos, uint64_t len,
    uint16_t type, uint16_t flags);
static ngx_int_t kz_ring_extent(kz_ring_t *r, uint64_t pos, uint16_t *type,
    uint64_t *next);


size_t
kz_ring_bytes(size_t size)
{
    return offsetof(kz_ring_t, data) + size;
}


void
kz_ring_init(kz_ring_t *r, size_t size)
{
    ngx_uint_t  i;

    ngx_memzero(r, offsetof(kz_ring_t, data));

    r->size = size;

    for (i = 0; i < KZ_RING_READERS; i++) {
        r->cursor[i] = KZ_RING_IDLE;
    }

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}


ngx_int_t
kz_ring_reserve(kz_ring_t *r, size_t len, uint16_t type, uint16_t flags,
    u_char **payload, ngx_uint_t *reader)
{
    uint64_t  pos, tail, need, left;

    /*
     * A filler may be needed before the record; up to half the ring the two
     * together always fit into an empty one.
     */

    if (len > r->size / 2 || kz_ring_need(len) > r->size / 2
        || len > NGX_MAX_UINT32_VALUE)
    {
        return NGX_DECLINED;
    }

    need = kz_ring_need(len);
    tail = r->tail;
    left = r->size - (tail & (r->size - 1));
    pos = (need > left) ? tail + left : tail;

    if (kz_ring_fits(r, pos + need, reader) != NGX_OK) {
        return NGX_AGAIN;
    }

    if (pos != tail) {
        kz_ring_header(r, tail, left - sizeof(kz_ring_rec_t), 0, 0);
    }

    kz_ring_header(r, pos, len, type, flags);

    *payload = (u_char *) (kz_ring_rec(r, pos) + 1);

    __atomic_store_n(&r->tail, pos + need, __ATOMIC_RELEASE);

    return NGX_OK;
}


/* Whether the ring may be written up to this position. */
static ngx_int_t
kz_ring_fits(kz_ring_t *r, uint64_t tail, ngx_uint_t *reader)
{
    uint64_t    cursor, slowest;
    ngx_uint_t  i;

    if (tail - r->head > r->size) {
        *reader = KZ_RING_READERS;
        return NGX_AGAIN;
    }

    slowest = tail;

    for (i = 0; i < KZ_RING_READERS; i++) {
        cursor = __atomic_load_n(&r->cursor[i], __ATOMIC_SEQ_CST);

        if (cursor != KZ_RING_IDLE && cursor < slowest) {
            slowest = cursor;
            *reader = i;
        }
    }

    return (tail - slowest > r->size) ? NGX_AGAIN : NGX_OK;
}


void
kz_ring_publish(kz_ring_t *r, uint64_t position)
{
    if (position == 0) {
        position = r->tail;
    }

    if (position > r->head && position <= r->tail) {
        __atomic_store_n(&r->head, position, __ATOMIC_SEQ_CST);
    }
}


ngx_int_t
kz_ring_pending(kz_ring_t *r, uint64_t *pos, kz_ring_rec_t **rec,
    u_char **payload)
{
    uint16_t  type;
    uint64_t  next, tail;

    tail = kz_ring_load(&r->tail);

    while (*pos < tail) {
        *rec = kz_ring_rec(r, *pos);
        *payload = (u_char *) (*rec + 1);

        if (kz_ring_extent(r, *pos, &type, &next) != NGX_OK || next > tail) {
            return NGX_ERROR;
        }

        *pos = next;

        if (type != 0) {
            return NGX_OK;
        }
    }

    return NGX_DONE;
}


void
kz_ring_void(kz_ring_rec_t *rec)
{
    __atomic_store_n(&rec->type, 0, __ATOMIC_RELEASE);
}


void
kz_ring_join(kz_ring_t *r, ngx_uint_t reader)
{
    uint64_t  head;

    /*
     * Between the look at head and the cursor becoming visible the producer
     * may have gone round; when head stands still, it has not.
     */

    head = kz_ring_load(&r->head);

    for ( ;; ) {
        __atomic_store_n(&r->cursor[reader], head, __ATOMIC_SEQ_CST);

        if (__atomic_load_n(&r->head, __ATOMIC_SEQ_CST) == head) {
            return;
        }

        head = kz_ring_load(&r->head);
    }
}


void
kz_ring_leave(kz_ring_t *r, ngx_uint_t reader)
{
    __atomic_store_n(&r->cursor[reader], KZ_RING_IDLE, __ATOMIC_SEQ_CST);

    /* visible before anything is overwritten: see kz_ring_intact() */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}


ngx_int_t
kz_ring_next(kz_ring_t *r, ngx_uint_t reader, kz_ring_rec_t **rec,
    u_char **payload)
{
    uint16_t   type;
    uint64_t   cursor, next;
    ngx_int_t  rc;

    cursor = kz_ring_load(&r->cursor[reader]);

    for ( ;; ) {

        if (cursor == KZ_RING_IDLE) {
            return NGX_ERROR;
        }

        if (cursor >= kz_ring_load(&r->head)) {
            return NGX_DONE;
        }

        *rec = kz_ring_rec(r, cursor);
        *payload = (u_char *) (*rec + 1);

        rc = kz_ring_extent(r, cursor, &type, &next);

        /* was it a record at all, or was it overwritten already? */

        if (rc != NGX_OK || kz_ring_intact(r, reader) != NGX_OK) {
            return NGX_ERROR;
        }

        if (type != 0) {
            return NGX_OK;
        }

        if (__atomic_compare_exchange_n(&r->cursor[reader], &cursor, next, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE))
        {
            cursor = next;
        }
    }
}


ngx_int_t
kz_ring_intact(kz_ring_t *r, ngx_uint_t reader)
{
    uint64_t  cursor;

    /* what was read before must not be read after the cursor */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    cursor = __atomic_load_n(&r->cursor[reader], __ATOMIC_RELAXED);

    return (cursor != KZ_RING_IDLE) ? NGX_OK : NGX_ERROR;
}


void
kz_ring_consume(kz_ring_t *r, ngx_uint_t reader)
{
    uint16_t  type;
    uint64_t  cursor, next;

    cursor = kz_ring_load(&r->cursor[reader]);

    if (cursor == KZ_RING_IDLE || cursor >= kz_ring_load(&r->head)
        || kz_ring_extent(r, cursor, &type, &next) != NGX_OK)
    {
        return;
    }

    /* fails when the reader was dropped: then the record was garbage, too */

    (void) __atomic_compare_exchange_n(&r->cursor[reader], &cursor, next, 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}


static void
kz_ring_header(kz_ring_t *r, uint64_t pos, uint64_t len, uint16_t type,
    uint16_t flags)
{
    kz_ring_rec_t  *rec;

    rec = kz_ring_rec(r, pos);

    rec->len = (uint32_t) len;
    rec->type = type;
    rec->flags = flags;
}


/* Where the record at pos ends.  A record that would wrap is none. */
static ngx_int_t
kz_ring_extent(kz_ring_t *r, uint64_t pos, uint16_t *type, uint64_t *next)
{
    uint64_t        need, left;
    kz_ring_rec_t  *rec;

    rec = kz_ring_rec(r, pos);
    left = r->size - (pos & (r->size - 1));
    need = kz_ring_need(__atomic_load_n(&rec->len, __ATOMIC_RELAXED));

    if (need > left) {
        return NGX_ERROR;
    }

    *type = __atomic_load_n(&rec->type, __ATOMIC_ACQUIRE);
    *next = pos + need;

    return NGX_OK;
}
