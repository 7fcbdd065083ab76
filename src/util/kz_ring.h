#ifndef _KZ_RING_H_INCLUDED_
#define _KZ_RING_H_INCLUDED_

/*
 * A broadcast ring in shared memory: one producer, up to KZ_RING_READERS
 * readers, each with a cursor of its own.  No locks: a process killed at any
 * instruction leaves nothing locked.
 *
 *      tail (bytes written, not yet public)
 *       |
 *   ----[record][record]....................[record][record]----
 *                           |                               |
 *                     slowest reader's cursor             head (public)
 *
 * Positions are 64-bit byte counts that never wrap; the offset in the ring
 * is the position modulo its size (a power of two).  A record never wraps:
 * a filler record closes the lap.  Records are written first, published
 * later by moving head, so a reader never sees half a record.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#define KZ_RING_READERS  128
#define KZ_RING_IDLE     ((uint64_t) -1)   /* cursor of an absent reader */


typedef struct {
    uint32_t           len;        /* of the payload */
    uint16_t           type;       /* 0: filler; else the user's */
    uint16_t           flags;      /* the user's */
} kz_ring_rec_t;                   /* payload follows, 8-byte aligned */


typedef struct {
    uint64_t           size;       /* power of two */
    uint64_t           pad0[7];
    volatile uint64_t  head;
    volatile uint64_t  tail;
    uint64_t           pad1[6];
    volatile uint64_t  cursor[KZ_RING_READERS];
    u_char             data[];
} kz_ring_t;


/* Bytes of shared memory a ring of this many data bytes takes. */
size_t kz_ring_bytes(size_t size);

/* size: power of two.  All readers absent. */
void kz_ring_init(kz_ring_t *r, size_t size);

/*
 * Producer: room for one record of len payload bytes at the tail, given that
 * the readers in the live set (one bit each) must not be overrun; the
 * record's header is filled, its payload is returned in *payload.  It is not
 * public before kz_ring_publish().
 *
 * NGX_OK; NGX_AGAIN: *reader (the slowest one) has to move first, or, when
 * it is KZ_RING_READERS, nobody: what is not public yet fills the ring;
 * NGX_DECLINED: such a record never fits, it is longer than half the ring.
 */
ngx_int_t kz_ring_reserve(kz_ring_t *r, size_t len, uint16_t type,
    uint16_t flags, u_char **payload, ngx_uint_t *reader);

/* Makes everything up to position visible (tail when 0 is given). */
void kz_ring_publish(kz_ring_t *r, uint64_t position);

/*
 * Producer: the records that were reserved and are not public.  A successor
 * of a producer that died starts with *pos = r->head and decides about each:
 * the header is always whole, the payload perhaps not.  *pos moves behind
 * the record, so kz_ring_publish(r, *pos) publishes it with all before it.
 *
 * NGX_OK, NGX_DONE when there are no more, NGX_ERROR when the ring does not
 * make sense.  Voided records and fillers are not shown.
 */
ngx_int_t kz_ring_pending(kz_ring_t *r, uint64_t *pos, kz_ring_rec_t **rec,
    u_char **payload);

/* Producer: a record that is not public yet becomes filler. */
void kz_ring_void(kz_ring_rec_t *rec);

/*
 * Reader: joins at the public end, leaves.  The producer calls leave, too,
 * to drop a reader that is dead or too slow.
 */
void kz_ring_join(kz_ring_t *r, ngx_uint_t reader);
void kz_ring_leave(kz_ring_t *r, ngx_uint_t reader);

/*
 * Reader: the next public record, fillers skipped.  It stays valid until
 * kz_ring_consume().  NGX_OK, NGX_DONE when there is none, NGX_ERROR when
 * the producer took this reader's cursor away (it was overrun).
 *
 * The producer may take it away at any time.  kz_ring_intact() after the
 * payload was copied or looked at says whether it was still there: NGX_OK,
 * or NGX_ERROR when it may have been overwritten meanwhile.
 */
ngx_int_t kz_ring_next(kz_ring_t *r, ngx_uint_t reader,
    kz_ring_rec_t **rec, u_char **payload);
ngx_int_t kz_ring_intact(kz_ring_t *r, ngx_uint_t reader);
void kz_ring_consume(kz_ring_t *r, ngx_uint_t reader);


#endif /* _KZ_RING_H_INCLUDED_ */
