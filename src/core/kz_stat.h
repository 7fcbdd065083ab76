#ifndef _KZ_STAT_H_INCLUDED_
#define _KZ_STAT_H_INCLUDED_

/*
 * What the server counts about itself.
 *
 *   area    one per slot of the bus, in shared memory: all counters of the
 *           worker that owns the slot, written by it alone, with plain
 *           stores; the last area is the writer process's, whose threads add
 *           atomically
 *   total   the sum of a cell over all areas
 *   frame   what server:getStats answers: cut every stats_interval by
 *           whichever worker comes first, kept in a ring
 *
 * Counters stay in an area when its worker ends, however it ends; the next
 * owner of the slot goes on from there.  So totals never go down, over
 * reloads and kills, and nothing is counted twice.  Gauges are what a worker
 * has at the moment: they are forgotten with their worker.
 *
 * The number of cells is fixed: protocol, action and status are indexes into
 * tables of known ones, with one place for all others.  A client cannot make
 * new ones.
 *
 * A process without a slot counts in memory of its own, and brings that along
 * when it gets one.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_bus.h"
#include "core/kz_client.h"
#include "core/kz_conf.h"


/* Protocols: http, websocket, ... */
#define KZ_STAT_HTTP         0
#define KZ_STAT_WEBSOCKET    1
#define KZ_STAT_PROTOS       7

#define KZ_STAT_ACTIONS      512       /* 0: unknown */
#define KZ_STAT_CONTROLLERS  32
#define KZ_STAT_STATUSES     24        /* 0: any other */
#define KZ_STAT_KINDS        64        /* of store operations */
#define KZ_STAT_RESULTS      32
#define KZ_STAT_BUCKETS      16
#define KZ_STAT_FRAMES       4096

#define KZ_STAT_AREAS        (KZ_BUS_SLOTS + 1)
#define KZ_STAT_WRITER       KZ_BUS_SLOTS


/*
 * A latency histogram: how many took no longer than kz_stat_bounds[i]; the
 * last one has no bound.  Microseconds.
 */

typedef struct {
    uint64_t         count[KZ_STAT_BUCKETS];
    uint64_t         sum;
} kz_stat_hist_t;

/* Requests are measured by the event loop's clock: below 1 ms is nothing. */
#define KZ_STAT_FIRST_MS  3


typedef struct {
    uint64_t         ongoing[KZ_STAT_PROTOS];        /* requests */
    uint64_t         connections[KZ_STAT_PROTOS];    /* http: none */
    uint64_t         subscriptions;                  /* of clients to rooms */
    uint64_t         filters;
    uint64_t         bus_queued;                     /* bytes held back */
    uint64_t         store_pending[2];               /* reads, writes */
    uint64_t         writer_queue;                   /* operations */
} kz_stat_gauges_t;


typedef struct {
    kz_stat_gauges_t gauges;

    /* counters from here on */

    uint64_t         done[KZ_STAT_PROTOS][2];        /* completed, failed */
    uint64_t         accepted[KZ_STAT_PROTOS];       /* connections */
    uint64_t         slow[KZ_STAT_PROTOS];           /* closed for it */
    uint64_t         bytes_in[KZ_STAT_PROTOS];
    uint64_t         bytes_out[KZ_STAT_PROTOS];
    uint64_t         messages_in[KZ_STAT_PROTOS];
    uint64_t         messages_out[KZ_STAT_PROTOS];
    uint64_t         notifications;                  /* handed to clients */

    uint64_t         bus_records;
    uint64_t         bus_bytes;
    uint64_t         bus_refused;                    /* the queue was full */
    uint64_t         bus_lost;                       /* places lost */

    uint64_t         store_lost;                     /* writer connections */
    uint64_t         writer_commits;
    uint64_t         writer_operations;
    kz_stat_hist_t   writer_commit;

    uint64_t         store[KZ_STAT_KINDS][KZ_STAT_RESULTS];
    kz_stat_hist_t   store_time[KZ_STAT_KINDS];
    kz_stat_hist_t   time[KZ_STAT_PROTOS][KZ_STAT_CONTROLLERS];

    /* an action's cells were never touched: readers leave them alone */
    u_char           used[KZ_STAT_ACTIONS];
    uint64_t         requests[KZ_STAT_ACTIONS][KZ_STAT_PROTOS]
                             [KZ_STAT_STATUSES];
} kz_stat_area_t;


/* What happened between two moments, and how things were at the second. */

typedef struct {
    uint64_t         timestamp;                      /* epoch, ms */
    uint64_t         done[KZ_STAT_PROTOS][2];
    uint64_t         connections[KZ_STAT_PROTOS];
    uint64_t         ongoing[KZ_STAT_PROTOS];
    uint64_t         totals[KZ_STAT_PROTOS][2];      /* of all times */
} kz_stat_frame_t;


/* In its zone; private to kz_stat*.c. */

typedef struct {
    uint64_t          started;                       /* epoch, ms */
    volatile uint64_t nslots;                        /* ever attached */
    volatile uint64_t due;                           /* monotonic, ms */
    volatile uint64_t nframes;                       /* ever cut */
    kz_stat_frame_t   frames[KZ_STAT_FRAMES];
    kz_stat_area_t    areas[KZ_STAT_AREAS];
} kz_stat_shm_t;


/* This process's area; never NULL. */
extern kz_stat_area_t  *kz_stat;

/* NULL: no zone yet. */
extern kz_stat_shm_t   *kz_stat_shm;

extern const uint64_t     kz_stat_bounds[KZ_STAT_BUCKETS - 1];
extern const char *const  kz_stat_protos[KZ_STAT_PROTOS];
extern const ngx_uint_t   kz_stat_statuses[KZ_STAT_STATUSES];

extern const kz_proto_t  *kz_stat_known[KZ_STAT_PROTOS];


/* Names */

typedef struct {
    const char       *controller;
    const char       *action;
    ngx_uint_t        controller_id;
} kz_stat_name_t;

/*
 * Makes an action known (init_module); key is its row.  Rows that are known
 * already, or too many, change nothing.  The order decides the place in
 * shared memory and has to be that of the rows.
 */
void kz_stat_action(const void *key, const char *controller,
    const char *action);

/* The name of an action's place, NULL: beyond the last. */
const kz_stat_name_t *kz_stat_name(ngx_uint_t id);
const char *kz_stat_controller(ngx_uint_t id);


/* Counting */

ngx_uint_t kz_stat_proto_new(const kz_proto_t *proto);

static ngx_inline ngx_uint_t
kz_stat_proto(const kz_proto_t *proto)
{
    if (kz_stat_known[0] == proto) {
        return 0;
    }

    if (kz_stat_known[1] == proto) {
        return 1;
    }

    return kz_stat_proto_new(proto);
}

/* A request was answered; action is its row or NULL. */
void kz_stat_request(ngx_uint_t proto, const void *action, ngx_uint_t status,
    ngx_uint_t failed, ngx_msec_t ms);

/* A store operation ended; started is from kz_stat_us(). */
void kz_stat_store(ngx_uint_t kind, ngx_uint_t result, uint64_t started);

void kz_stat_hist(kz_stat_hist_t *h, uint64_t us);

/* CLOCK_MONOTONIC, microseconds */
uint64_t kz_stat_us(void);

/* The writer process, any thread. */
void kz_stat_writer_start(void);
void kz_stat_writer_queue(ngx_int_t delta);
void kz_stat_writer_commit(ngx_uint_t operations, uint64_t started);


/* Called by the bus: this worker's slot; whoever had it has gone. */
void kz_stat_attach(ngx_uint_t slot);
void kz_stat_detach(void);
void kz_stat_forget(ngx_uint_t slot);


/* Reading: over all processes.  kz_stat_sum(member of an area) */

uint64_t kz_stat_total(size_t offset);

#define kz_stat_sum(member)  kz_stat_total(offsetof(kz_stat_area_t, member))

ngx_uint_t kz_stat_used(ngx_uint_t action);


/* kz_stat_frame.c */

/* Configuration time: asks for the zone; refuses impossible settings. */
char *kz_stat_configure(ngx_conf_t *cf, kz_main_conf_t *conf);

/* init_process of a worker: the timer that cuts frames. */
void kz_stat_init_process(ngx_cycle_t *cycle);
void kz_stat_exit_process(void);

/* The frame that has not been cut yet: since the last one. */
void kz_stat_running(kz_stat_frame_t *f);

/*
 * Frames that are kept are numbered; *first is the oldest, the result one
 * more than the newest.  NGX_DECLINED: this one is not there any more.
 */
uint64_t kz_stat_frames(uint64_t *first);
ngx_int_t kz_stat_frame(uint64_t n, kz_stat_frame_t *f);


#endif /* _KZ_STAT_H_INCLUDED_ */
