/*
 * Counting, and adding up.  See kz_stat.h.
 *
 * A worker's own counts are plain additions to memory that nobody else
 * writes: a request costs a few dozen instructions.  Readers see every cell
 * whole (aligned words), different cells at slightly different moments.
 */

#include "core/kz_stat.h"


#define KZ_STAT_KEYS  (2 * KZ_STAT_ACTIONS)      /* a power of two */

#define kz_stat_add(cell, n)                                                  \
    (void) __atomic_add_fetch(cell, n, __ATOMIC_RELAXED)


typedef struct {
    const void      *key;
    ngx_uint_t       id;
} kz_stat_key_t;


static ngx_uint_t kz_stat_find(const void *key);
static kz_stat_area_t *kz_stat_writer(void);


const uint64_t  kz_stat_bounds[KZ_STAT_BUCKETS - 1] = {
    100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
    500000, 1000000, 2500000, 10000000
};


const char *const  kz_stat_protos[KZ_STAT_PROTOS] = {
    "http", "websocket", "mqtt", "socketio", "amqp", "stomp", "other"
};


const ngx_uint_t  kz_stat_statuses[KZ_STAT_STATUSES] = {
    0, 200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405, 409, 412, 413,
    415, 422, 429, 499, 500, 501, 502, 503, 504
};


static const u_char  kz_stat_status[600] = {
    [200] = 1, [201] = 2, [202] = 3, [204] = 4, [206] = 5, [304] = 6,
    [400] = 7, [401] = 8, [403] = 9, [404] = 10, [405] = 11, [409] = 12,
    [412] = 13, [413] = 14, [415] = 15, [422] = 16, [429] = 17, [499] = 18,
    [500] = 19, [501] = 20, [502] = 21, [503] = 22, [504] = 23
};


static kz_stat_area_t   kz_stat_private;

kz_stat_area_t         *kz_stat = &kz_stat_private;
kz_stat_shm_t          *kz_stat_shm;
const kz_proto_t       *kz_stat_known[KZ_STAT_PROTOS];

static kz_stat_key_t    kz_stat_keys[KZ_STAT_KEYS];
static kz_stat_name_t   kz_stat_names[KZ_STAT_ACTIONS] = {
    { "unknown", "unknown", 0 }
};
static ngx_uint_t       kz_stat_nnames = 1;
static const char      *kz_stat_controllers[KZ_STAT_CONTROLLERS] = {
    "unknown"
};


/* Rows lie next to each other, some 48 bytes apart. */

static ngx_inline ngx_uint_t
kz_stat_hash(const void *key)
{
    uintptr_t  n;

    n = (uintptr_t) key >> 4;

    return (n ^ (n >> 10)) & (KZ_STAT_KEYS - 1);
}


static ngx_uint_t
kz_stat_find(const void *key)
{
    ngx_uint_t  i;

    for (i = kz_stat_hash(key); kz_stat_keys[i].key != key;
         i = (i + 1) & (KZ_STAT_KEYS - 1))
    {
        if (kz_stat_keys[i].key == NULL) {
            return 0;
        }
    }

    return kz_stat_keys[i].id;
}


void
kz_stat_action(const void *key, const char *controller, const char *action)
{
    ngx_uint_t       i, c;
    kz_stat_name_t  *name;

    if (kz_stat_find(key) || kz_stat_nnames == KZ_STAT_ACTIONS) {
        return;
    }

    for (c = 1; c < KZ_STAT_CONTROLLERS && kz_stat_controllers[c]; c++) {
        if (ngx_strcmp(kz_stat_controllers[c], controller) == 0) {
            break;
        }
    }

    if (c == KZ_STAT_CONTROLLERS) {
        return;
    }

    kz_stat_controllers[c] = controller;

    name = &kz_stat_names[kz_stat_nnames];
    name->controller = controller;
    name->action = action;
    name->controller_id = c;

    for (i = kz_stat_hash(key); kz_stat_keys[i].key; /* void */ ) {
        i = (i + 1) & (KZ_STAT_KEYS - 1);
    }

    kz_stat_keys[i].key = key;
    kz_stat_keys[i].id = kz_stat_nnames++;
}


const kz_stat_name_t *
kz_stat_name(ngx_uint_t id)
{
    return id < kz_stat_nnames ? &kz_stat_names[id] : NULL;
}


const char *
kz_stat_controller(ngx_uint_t id)
{
    return id < KZ_STAT_CONTROLLERS ? kz_stat_controllers[id] : NULL;
}


ngx_uint_t
kz_stat_proto_new(const kz_proto_t *proto)
{
    ngx_uint_t  i;

    for (i = 0; i < KZ_STAT_PROTOS; i++) {
        if (kz_stat_known[i] == proto) {
            return i;
        }
    }

    for (i = 0; i < KZ_STAT_PROTOS - 1; i++) {
        if (ngx_strlen(kz_stat_protos[i]) == proto->name.len
            && ngx_memcmp(kz_stat_protos[i], proto->name.data,
                          proto->name.len) == 0)
        {
            kz_stat_known[i] = proto;
            break;
        }
    }

    return i;
}


void
kz_stat_request(ngx_uint_t proto, const void *action, ngx_uint_t status,
    ngx_uint_t failed, ngx_msec_t ms)
{
    ngx_uint_t       id, i;
    kz_stat_area_t  *area;
    kz_stat_hist_t  *h;

    area = kz_stat;
    id = action ? kz_stat_find(action) : 0;

    area->done[proto][failed]++;
    area->used[id] = 1;
    area->requests[id][proto][status < 600 ? kz_stat_status[status] : 0]++;

    h = &area->time[proto][kz_stat_names[id].controller_id];

    if (ms <= 1) {
        h->count[KZ_STAT_FIRST_MS]++;
        h->sum += ms * 1000;
        return;
    }

    for (i = KZ_STAT_FIRST_MS; i < KZ_STAT_BUCKETS - 1; i++) {
        if ((uint64_t) ms * 1000 <= kz_stat_bounds[i]) {
            break;
        }
    }

    h->count[i]++;
    h->sum += (uint64_t) ms * 1000;
}


void
kz_stat_hist(kz_stat_hist_t *h, uint64_t us)
{
    ngx_uint_t  i;

    for (i = 0; i < KZ_STAT_BUCKETS - 1; i++) {
        if (us <= kz_stat_bounds[i]) {
            break;
        }
    }

    h->count[i]++;
    h->sum += us;
}


void
kz_stat_store(ngx_uint_t kind, ngx_uint_t result, uint64_t started)
{
    kind = kind < KZ_STAT_KINDS ? kind : 0;
    result = result < KZ_STAT_RESULTS ? result : KZ_STAT_RESULTS - 1;

    kz_stat->store[kind][result]++;
    kz_stat_hist(&kz_stat->store_time[kind], kz_stat_us() - started);
}


uint64_t
kz_stat_us(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


/* The threads of two writers may count here while one hands over. */

static kz_stat_area_t *
kz_stat_writer(void)
{
    return kz_stat_shm ? &kz_stat_shm->areas[KZ_STAT_WRITER]
                       : &kz_stat_private;
}


void
kz_stat_writer_start(void)
{
    __atomic_store_n(&kz_stat_writer()->gauges.writer_queue, 0,
                     __ATOMIC_RELAXED);
}


void
kz_stat_writer_queue(ngx_int_t delta)
{
    kz_stat_add(&kz_stat_writer()->gauges.writer_queue, (uint64_t) delta);
}


void
kz_stat_writer_commit(ngx_uint_t operations, uint64_t started)
{
    uint64_t         us;
    ngx_uint_t       i;
    kz_stat_area_t  *area;

    area = kz_stat_writer();
    us = kz_stat_us() - started;

    for (i = 0; i < KZ_STAT_BUCKETS - 1; i++) {
        if (us <= kz_stat_bounds[i]) {
            break;
        }
    }

    kz_stat_add(&area->writer_commits, 1);
    kz_stat_add(&area->writer_operations, operations);
    kz_stat_add(&area->writer_commit.count[i], 1);
    kz_stat_add(&area->writer_commit.sum, us);
}


/* All cells are words, but for the bytes of used. */

void
kz_stat_attach(ngx_uint_t slot)
{
    size_t           i, n;
    uint64_t         nslots, *from, *to;
    kz_stat_area_t  *area;

    if (kz_stat_shm == NULL) {
        return;
    }

    kz_stat_forget(slot);

    nslots = kz_stat_shm->nslots;

    while (nslots < slot + 1
           && !__atomic_compare_exchange_n(&kz_stat_shm->nslots, &nslots,
                                           slot + 1, 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST))
    {
        /* void */
    }

    area = &kz_stat_shm->areas[slot];

    from = (uint64_t *) &kz_stat_private;
    to = (uint64_t *) area;
    n = offsetof(kz_stat_area_t, used) / sizeof(uint64_t);

    for (i = 0; i < n; i++) {
        if (from[i]) {
            to[i] += from[i];
        }
    }

    from = &kz_stat_private.requests[0][0][0];
    to = &area->requests[0][0][0];
    n = sizeof(kz_stat_private.requests) / sizeof(uint64_t);

    for (i = 0; i < n; i++) {
        if (from[i]) {
            to[i] += from[i];
        }
    }

    for (i = 0; i < KZ_STAT_ACTIONS; i++) {
        area->used[i] |= kz_stat_private.used[i];
    }

    kz_stat = area;
}


void
kz_stat_detach(void)
{
    ngx_memzero(&kz_stat_private, sizeof(kz_stat_area_t));
    kz_stat = &kz_stat_private;
}


void
kz_stat_forget(ngx_uint_t slot)
{
    if (kz_stat_shm) {
        ngx_memzero(&kz_stat_shm->areas[slot].gauges,
                    sizeof(kz_stat_gauges_t));
    }
}


uint64_t
kz_stat_total(size_t offset)
{
    u_char      *area;
    uint64_t     total;
    ngx_uint_t   i, n;

    total = 0;

    if (kz_stat == &kz_stat_private) {
        total = *(uint64_t *) ((u_char *) kz_stat + offset);
    }

    if (kz_stat_shm == NULL) {
        return total;
    }

    n = kz_stat_shm->nslots;

    for (i = 0; i < n; i++) {
        area = (u_char *) &kz_stat_shm->areas[i];
        total += __atomic_load_n((uint64_t *) (area + offset),
                                 __ATOMIC_RELAXED);
    }

    area = (u_char *) &kz_stat_shm->areas[KZ_STAT_WRITER];

    return total + __atomic_load_n((uint64_t *) (area + offset),
                                   __ATOMIC_RELAXED);
}


ngx_uint_t
kz_stat_used(ngx_uint_t action)
{
    ngx_uint_t  i, n;

    if (kz_stat->used[action]) {
        return 1;
    }

    n = kz_stat_shm ? kz_stat_shm->nslots : 0;

    for (i = 0; i < n; i++) {
        if (kz_stat_shm->areas[i].used[action]) {
            return 1;
        }
    }

    return 0;
}
