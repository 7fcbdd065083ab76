#ifndef _KZ_BUS_SHM_H_INCLUDED_
#define _KZ_BUS_SHM_H_INCLUDED_

/*
 * Private to kz_bus*.c: what lies in the shared zone.
 *
 *   kz_bus_shm_t ── writer ──> ring of the writer process
 *     slot[0 ..]  ── ring ───> ring of the worker that owns the slot
 *     buckets ──> (room, slot, connections) ──> ...
 *
 * The zone is mapped before the first fork and never remapped, so pointers
 * into it hold in every process.
 *
 * A slot is free (pid 0), owned by a worker, or dead: its pid is gone, or
 * belongs to another process by now (birth tells).  A reader's number in all
 * rings is its slot.  The owner of a new slot joins every ring, those of free
 * slots included: a worker that comes later finds its listeners in place.
 */

#include "core/kz_bus.h"
#include "util/kz_ring.h"


/*
 * The ring of a worker; a longer record travels in pieces, which the reader
 * puts together again.
 */
#define KZ_BUS_RING       (512 * 1024)
#define KZ_BUS_PIECE      (32 * 1024)
#define KZ_BUS_FIRST      0x01         /* kz_ring_rec_t.flags */
#define KZ_BUS_LAST       0x02

#define KZ_BUS_RING_MIN   (256 * 1024)
#define KZ_BUS_BUCKETS    65536        /* power of two */


typedef struct kz_bus_share_s  kz_bus_share_t;


/* The connections one slot has in one room. */

struct kz_bus_share_s {
    kz_bus_share_t    *next;
    u_char             room[KZ_ROOM_ID_LEN / 2];
    uint16_t           slot;
    uint16_t           watch;          /* a key of kz_bus_watch() */
    uint32_t           count;
};


typedef struct {
    volatile uint64_t  pid;
    volatile uint64_t  birth;
    volatile uint64_t  armed;          /* asleep: an eventfd will wake it */
    kz_ring_t         *ring;
    uint64_t           pad[4];
    uint32_t           hints[KZ_BUS_HINTS];
} kz_bus_slot_t;


typedef struct {
    uint64_t           id;             /* random */
    volatile uint64_t  catalog;
    volatile uint64_t  internal;       /* version of the server's own data */
    volatile uint64_t  gaps;           /* changes nobody could be told of */
    volatile uint64_t  peak;           /* bytes of the zone in use, seen */
    volatile uint64_t  nslots;         /* highest slot ever owned, plus 1 */
    uint64_t           nrooms;         /* under the mutex */
    uint64_t           nwatches;       /* those of them that are keys */
    kz_bus_share_t   **buckets;        /* under the mutex */
    kz_ring_t         *writer;
    kz_bus_slot_t      slots[KZ_BUS_SLOTS];
} kz_bus_shm_t;


/* A producer's memory of the reader it waits for. */

typedef struct {
    kz_ring_t         *ring;
    ngx_uint_t         reader;
    uint64_t           cursor;
    uint64_t           since;
} kz_bus_wait_t;


extern kz_bus_shm_t     *kz_bus_shm;
extern ngx_slab_pool_t  *kz_bus_pool;

/* This worker's slot; -1: none. */
extern ngx_int_t  kz_bus_slot;


#define kz_bus_fence()  __atomic_thread_fence(__ATOMIC_SEQ_CST)

static ngx_inline ngx_uint_t
kz_bus_cas(volatile uint64_t *p, uint64_t old, uint64_t set)
{
    return __atomic_compare_exchange_n(p, &old, set, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}


/* kz_bus_slot.c */

/* Takes a slot for this process; NGX_ERROR: there is none. */
ngx_int_t kz_bus_claim(ngx_log_t *log);

/* Gives it back, with its share of hints and rooms. */
void kz_bus_release(void);

/* Frees the slots of processes that are gone. */
void kz_bus_reap(ngx_log_t *log);

/*
 * Wakes every worker that sleeps.  loop: called by this worker's event loop,
 * which need not wake itself through the kernel; 0 on any other thread.
 */
void kz_bus_wake(ngx_uint_t loop);

/* This worker's eventfd. */
ngx_socket_t kz_bus_fd(void);

/*
 * A producer found the ring full because of a reader; now is in ms.  NGX_OK:
 * the reader lost its place, try again; NGX_AGAIN: wait.
 */
ngx_int_t kz_bus_blocked(kz_bus_wait_t *w, kz_ring_t *r, ngx_uint_t reader,
    uint64_t now, ngx_log_t *log);


/* kz_bus_rooms.c */

/* Forgets a slot's share of hints and rooms. */
void kz_bus_rooms_forget(ngx_uint_t slot);


/* kz_bus.c */

/*
 * Whether this worker has a slot; one that found none tries again from time
 * to time.
 */
ngx_int_t kz_bus_attached(void);

/* Asked for by kz_bus_wake() when the one to wake is this worker. */
void kz_bus_wake_self(void);


#endif /* _KZ_BUS_SHM_H_INCLUDED_ */
