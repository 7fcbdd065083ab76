#ifndef _KZ_BUS_H_INCLUDED_
#define _KZ_BUS_H_INCLUDED_

/*
 * What runs between the processes, in shared memory.
 *
 *   slot    one per worker (two generations of them during a reload), claimed
 *           by pid in init_process; the writer process has a ring, no slot
 *   ring    one broadcast ring per producer (util/kz_ring.h): the writer's
 *           for document changes, one per slot for published messages
 *   wake    an eventfd per slot with an "armed" flag: a burst costs one
 *   hint    per slot, how many rooms it has per hash of (index, collection):
 *           lets a producer skip what nobody listens to
 *   rooms   room id -> connections per slot, under the zone's slab mutex
 *           (the only lock, freed by the master when its owner dies)
 *
 * Slots and eventfds are made once in the master and kept in static storage,
 * so that both generations of a reload hear each other.
 *
 * A full ring makes the sender wait (the writer) or queue (a worker).  A
 * reader that does not move for KZ_BUS_STUCK ms loses its place; it finds out
 * on its next turn and repairs itself by closing its realtime clients with a
 * reason: they subscribe again, nothing is missing silently.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_conf.h"


#define KZ_BUS_SLOTS      128
#define KZ_BUS_HINTS      1024
#define KZ_BUS_STUCK      2000
#define KZ_ROOM_ID_LEN    32      /* hex characters */


/* Record types */

typedef enum {
    KZ_BUS_CHANGE = 1,      /* a document changed: core/kz_change.h */
    KZ_BUS_PUBLISH,         /* realtime:publish */
    KZ_BUS_USER,            /* somebody entered or left a room */
    KZ_BUS_GAP,             /* a change too large for the ring: all repair */
    KZ_BUS_MAX
} kz_bus_type_e;


/*
 * A record arrived from any process, this one included.  The payload is
 * valid during the call only.
 */
typedef void (*kz_bus_handler_pt)(u_char *payload, size_t len);


/* Configuration time: asks for the shared zone. */
char *kz_bus_configure(ngx_conf_t *cf, kz_main_conf_t *conf);

/* init_module: the eventfds, once. */
ngx_int_t kz_bus_init_module(ngx_cycle_t *cycle);

/* init_process of a worker: claims a slot, joins all rings. */
ngx_int_t kz_bus_init_process(ngx_cycle_t *cycle);
void kz_bus_exit_process(void);

void kz_bus_handler(kz_bus_type_e type, kz_bus_handler_pt handler);

/* This worker lost records of some ring: called before reading goes on. */
extern void (*kz_bus_lost)(void);

/*
 * Worker: queues a record for all workers, itself included (delivered by a
 * later turn of the loop, never inside the call).  NGX_ERROR: the queue is
 * full or there is no memory; nothing was sent.
 */
ngx_int_t kz_bus_send(kz_bus_type_e type, u_char *payload, size_t len);

/*
 * Hints.  kz_bus_listen(): this worker got (1) or lost (-1) a room on the
 * collection.  kz_bus_listened(): whether any live worker has one; any
 * process, any thread.
 */
void kz_bus_listen(ngx_str_t *index, ngx_str_t *collection, ngx_int_t delta);
ngx_uint_t kz_bus_listened(ngx_str_t *index, ngx_str_t *collection);

/*
 * Rooms: adds delta connections of this worker to the room (created with its
 * first, removed with its last) and returns the count over all live workers
 * afterwards in *count.  NGX_DECLINED: the limit of rooms is reached;
 * NGX_ERROR: the zone is full.
 */
ngx_int_t kz_bus_room(const u_char *room, ngx_int_t delta,
    ngx_uint_t *count);

/* The same for a key that only looks like a room: not counted as one. */
ngx_int_t kz_bus_watch(const u_char *key, ngx_int_t delta,
    ngx_uint_t *count);

/*
 * A lock over all workers, freed when its holder dies.  kz_bus_lock():
 * NGX_OK; NGX_DECLINED: somebody has it; NGX_ERROR: the zone is full.
 */
typedef enum {
    KZ_BUS_LOCK_DUMP = 0,
    KZ_BUS_LOCK_RESET,
    KZ_BUS_LOCK_RESET_INTERNAL,
    KZ_BUS_LOCK_SHUTDOWN
} kz_bus_lock_e;

ngx_int_t kz_bus_lock(kz_bus_lock_e lock);
void kz_bus_unlock(kz_bus_lock_e lock);

/* Rooms that exist, over all workers. */
ngx_uint_t kz_bus_rooms(void);

/*
 * Slots that were ever owned; whether this one has an owner, which may have
 * died just now.
 */
ngx_uint_t kz_bus_nslots(void);
ngx_uint_t kz_bus_alive(ngx_uint_t slot);

/* Connections over all live workers; 0: no such room. */
ngx_uint_t kz_bus_room_count(const u_char *room);

/*
 * The writer process (one at a time; any of its threads).  The changes of a
 * commit are written to its ring first (invisible), and published after
 * COMMIT: a writer that dies in between leaves them for its successor to
 * decide about.
 *
 *   begin    takes room for all n records of one commit and writes them; a
 *            full ring makes the caller wait, up to KZ_BUS_STUCK ms for a
 *            reader that does not move.  What can never fit is replaced by a
 *            record that makes every worker repair itself (kz_bus_lost)
 *   end      published = 1 after COMMIT, 0 when it was rolled back
 *
 * Groups become visible in the order of their begin; an unfinished group
 * holds back those after it.  A thread has at most one unfinished group.
 * The group is the caller's memory, from begin to the return of end.
 */
typedef struct {
    uint64_t     first;      /* ring positions: of its own records */
    uint64_t     last;
    uint64_t     until;      /* what becomes visible with it */
    ngx_queue_t  queue;
} kz_bus_group_t;

void kz_bus_group_begin(kz_bus_group_t *g, ngx_str_t *records, ngx_uint_t n);
void kz_bus_group_end(kz_bus_group_t *g, ngx_uint_t published);

/*
 * A new writer: calls keep() for every record its predecessor wrote but did
 * not publish; what is kept is published, the rest discarded.
 */
void kz_bus_writer_recover(ngx_uint_t (*keep)(void *data, u_char *payload,
    size_t len), void *data);

/*
 * The zone has a random id: a writer that belongs to another nginx (a second
 * one on the same data directory, the next one of a binary upgrade) announces
 * changes where this worker cannot hear them.  The store's client tells whose
 * writer it is connected to; while it is a foreign one kz_bus_deaf() says so,
 * and when it becomes one kz_bus_lost() is called.
 */
uint64_t kz_bus_id(void);
void kz_bus_announcer(uint64_t id);
ngx_uint_t kz_bus_deaf(void);

/*
 * Bytes of the zone that are taken, and the most that any worker has seen
 * taken when it asked.  NGX_ERROR: this worker has no place in it.
 */
ngx_int_t kz_bus_memory(size_t *used, size_t *peak);

/* Version of the catalogue (indexes, collections, mappings). */
uint64_t kz_bus_catalog_version(void);
void kz_bus_catalog_changed(void);

/* The same for the server's own documents, which workers keep copies of. */
uint64_t kz_bus_internal_version(void);
void kz_bus_internal_changed(void);


#endif /* _KZ_BUS_H_INCLUDED_ */
