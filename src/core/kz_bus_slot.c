/*
 * The shared zone and its slots: who takes part in the bus, who died, who is
 * to be woken.
 *
 * The eventfds are made once, in the master, and kept in static storage; so
 * is the size of the zone.  nginx keeps a zone over a reload only when name,
 * tag and size are the same; with another size the generations would not
 * hear each other, so a changed setting waits for the next start.
 */

#include "core/kz_bus_shm.h"
#include "core/kz_stat.h"

#include <ngx_channel.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/random.h>


#define KZ_BUS_ROOMS_MIN  16384
#define KZ_BUS_ROOMS_MAX  1048576


static size_t kz_bus_ring_size(kz_main_conf_t *conf);
static size_t kz_bus_zone_size(kz_main_conf_t *conf);
static ngx_int_t kz_bus_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_int_t kz_bus_create(kz_bus_shm_t *shm, kz_main_conf_t *conf);
static void kz_bus_clean(ngx_uint_t i);
static ngx_uint_t kz_bus_dead(kz_bus_slot_t *slot);
static uint64_t kz_bus_birth(uint64_t pid);


kz_bus_shm_t           *kz_bus_shm;
ngx_slab_pool_t        *kz_bus_pool;
ngx_int_t               kz_bus_slot = -1;

/* of this master, over all its configurations */
static size_t           kz_bus_asked;      /* by the last configuration read */
static size_t           kz_bus_size;       /* in use */
static ngx_uint_t       kz_bus_tag;
static ngx_uint_t       kz_bus_nfds;
static int              kz_bus_fds[KZ_BUS_SLOTS];


char *
kz_bus_configure(ngx_conf_t *cf, kz_main_conf_t *conf)
{
    size_t           size;
    ngx_shm_zone_t  *zone;

    static ngx_str_t  name = ngx_string("kuzzle");

    size = kz_bus_zone_size(conf);

    if (kz_bus_size && size != kz_bus_size) {
        ngx_conf_log_error(NGX_LOG_NOTICE, cf, 0,
                           "kuzzle: another size of the bus or number of "
                           "rooms takes effect at the next start, "
                           "not at a reload");
        size = kz_bus_size;
    }

    zone = ngx_shared_memory_add(cf, &name, size, &kz_bus_tag);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->init = kz_bus_init_zone;
    zone->data = conf;

    kz_bus_asked = size;

    return NGX_CONF_OK;
}


static size_t
kz_bus_ring_size(kz_main_conf_t *conf)
{
    size_t  size;

    for (size = KZ_BUS_RING_MIN; size < conf->bus_size; size *= 2) {
        /* void */
    }

    return size;
}


/* Address space: only what is used becomes memory. */

static size_t
kz_bus_zone_size(kz_main_conf_t *conf)
{
    size_t  size, rooms;

    rooms = conf->rooms;

    if (rooms == 0 || rooms > KZ_BUS_ROOMS_MAX) {
        rooms = KZ_BUS_ROOMS_MAX;
    }

    if (rooms < KZ_BUS_ROOMS_MIN) {
        rooms = KZ_BUS_ROOMS_MIN;
    }

    size = sizeof(kz_bus_shm_t)
           + kz_ring_bytes(kz_bus_ring_size(conf))
           + KZ_BUS_SLOTS * (kz_ring_bytes(KZ_BUS_RING) + ngx_pagesize)
           + KZ_BUS_BUCKETS * sizeof(kz_bus_share_t *)
           + 2 * rooms * sizeof(kz_bus_share_t);

    /* the slab's own pages table, and rounding */

    size += size / 64 + 16 * ngx_pagesize;

    return ngx_align(size, ngx_pagesize);
}


static ngx_int_t
kz_bus_init_zone(ngx_shm_zone_t *zone, void *data)
{
    kz_main_conf_t  *conf;

    conf = zone->data;
    kz_bus_pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data) {
        kz_bus_shm = data;
        zone->data = data;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        kz_bus_shm = kz_bus_pool->data;
        zone->data = kz_bus_shm;
        return NGX_OK;
    }

    kz_bus_shm = ngx_slab_calloc(kz_bus_pool, sizeof(kz_bus_shm_t));

    if (kz_bus_shm == NULL || kz_bus_create(kz_bus_shm, conf) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "kuzzle: shared zone of %uz bytes is too small",
                      zone->shm.size);
        return NGX_ERROR;
    }

    kz_bus_pool->data = kz_bus_shm;
    kz_bus_pool->log_nomem = 0;
    zone->data = kz_bus_shm;

    return NGX_OK;
}


static ngx_int_t
kz_bus_create(kz_bus_shm_t *shm, kz_main_conf_t *conf)
{
    size_t      size;
    ngx_uint_t  i;

    if (getrandom(&shm->id, sizeof(uint64_t), 0) != sizeof(uint64_t)) {
        return NGX_ERROR;
    }

    size = kz_bus_ring_size(conf);

    shm->writer = ngx_slab_alloc(kz_bus_pool, kz_ring_bytes(size));
    if (shm->writer == NULL) {
        return NGX_ERROR;
    }

    kz_ring_init(shm->writer, size);

    for (i = 0; i < KZ_BUS_SLOTS; i++) {
        shm->slots[i].ring = ngx_slab_alloc(kz_bus_pool,
                                            kz_ring_bytes(KZ_BUS_RING));
        if (shm->slots[i].ring == NULL) {
            return NGX_ERROR;
        }

        kz_ring_init(shm->slots[i].ring, KZ_BUS_RING);
    }

    shm->buckets = ngx_slab_calloc(kz_bus_pool,
                                   KZ_BUS_BUCKETS * sizeof(kz_bus_share_t *));

    return shm->buckets ? NGX_OK : NGX_ERROR;
}


uint64_t
kz_bus_id(void)
{
    return kz_bus_shm ? kz_bus_shm->id : 0;
}


ngx_int_t
kz_bus_init_module(ngx_cycle_t *cycle)
{
    int  fd;

    if (kz_bus_shm == NULL) {
        return NGX_OK;
    }

    /* the configuration this zone came with has been accepted */

    kz_bus_size = kz_bus_asked;

    while (kz_bus_nfds < KZ_BUS_SLOTS) {

        fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

        if (fd == -1) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                          "kuzzle: eventfd() failed");
            return NGX_ERROR;
        }

        kz_bus_fds[kz_bus_nfds++] = fd;
    }

    return NGX_OK;
}


ngx_socket_t
kz_bus_fd(void)
{
    return kz_bus_fds[kz_bus_slot];
}


ngx_int_t
kz_bus_claim(ngx_log_t *log)
{
    ngx_uint_t      i, j;
    kz_bus_slot_t  *slot;

    kz_bus_reap(log);

    ngx_shmtx_lock(&kz_bus_pool->mutex);

    for (i = 0; i < KZ_BUS_SLOTS; i++) {
        if (kz_bus_shm->slots[i].pid == 0) {
            break;
        }
    }

    if (i == KZ_BUS_SLOTS) {
        ngx_shmtx_unlock(&kz_bus_pool->mutex);
        return NGX_ERROR;
    }

    slot = &kz_bus_shm->slots[i];
    slot->birth = kz_bus_birth(ngx_pid);
    slot->armed = 0;
    slot->pid = ngx_pid;

    if (kz_bus_shm->nslots < i + 1) {
        kz_bus_shm->nslots = i + 1;
    }

    ngx_shmtx_unlock(&kz_bus_pool->mutex);

    /* what the last owner wrote and did not publish was never sent */

    slot->ring->tail = slot->ring->head;

    kz_ring_join(kz_bus_shm->writer, i);

    for (j = 0; j < KZ_BUS_SLOTS; j++) {
        kz_ring_join(kz_bus_shm->slots[j].ring, i);
    }

    kz_bus_slot = i;
    kz_stat_attach(i);

    return NGX_OK;
}


ngx_uint_t
kz_bus_nslots(void)
{
    return kz_bus_shm ? (ngx_uint_t) kz_bus_shm->nslots : 0;
}


ngx_uint_t
kz_bus_alive(ngx_uint_t slot)
{
    return kz_bus_shm->slots[slot].pid != 0;
}


void
kz_bus_release(void)
{
    kz_stat_detach();
    kz_bus_clean(kz_bus_slot);

    kz_bus_shm->slots[kz_bus_slot].pid = 0;
    kz_bus_slot = -1;
}


void
kz_bus_reap(ngx_log_t *log)
{
    uint64_t        pid;
    ngx_uint_t      i;
    kz_bus_slot_t  *slot;

    for (i = 0; i < kz_bus_shm->nslots; i++) {

        slot = &kz_bus_shm->slots[i];
        pid = slot->pid;

        if (pid == 0 || (ngx_int_t) i == kz_bus_slot
            || !kz_bus_dead(slot))
        {
            continue;
        }

        /*
         * Whoever cleans owns the slot meanwhile: should it die as well, the
         * next one starts over.
         */

        if (!kz_bus_cas(&slot->pid, pid, ngx_pid)) {
            continue;
        }

        slot->birth = kz_bus_birth(ngx_pid);

        ngx_log_error(NGX_LOG_NOTICE, log, 0,
                      "kuzzle: slot %ui of process %uL, which died, is free",
                      i, pid);

        kz_bus_clean(i);

        slot->pid = 0;
    }
}


static void
kz_bus_clean(ngx_uint_t i)
{
    ngx_uint_t  j;

    kz_bus_shm->slots[i].armed = 0;

    kz_ring_leave(kz_bus_shm->writer, i);

    for (j = 0; j < KZ_BUS_SLOTS; j++) {
        kz_ring_leave(kz_bus_shm->slots[j].ring, i);
    }

    kz_bus_rooms_forget(i);
    kz_stat_forget(i);
}


/*
 * A process that has no slot yet but finds its own pid in one got a used
 * number: the slot belonged to another.
 */

static ngx_uint_t
kz_bus_dead(kz_bus_slot_t *slot)
{
    uint64_t  pid, birth, now;

    pid = slot->pid;
    birth = slot->birth;

    if (pid == (uint64_t) ngx_pid) {
        return 1;
    }

    if (kill((pid_t) pid, 0) == -1 && ngx_errno == ESRCH) {
        return 1;
    }

    now = kz_bus_birth(pid);

    return (now && birth && now != birth && slot->pid == pid);
}


/*
 * When a process was started (proc(5), field 22 of stat): a pid is used
 * again, the pair is not.  0: unknown.
 */

static uint64_t
kz_bus_birth(uint64_t pid)
{
    u_char      *p, *last;
    ssize_t      n;
    ngx_fd_t     fd;
    uint64_t     birth;
    ngx_uint_t   field;
    u_char       buf[512];

    ngx_sprintf(buf, "/proc/%uL/stat%Z", pid);

    fd = ngx_open_file(buf, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);
    if (fd == NGX_INVALID_FILE) {
        return 0;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    ngx_close_file(fd);

    if (n <= 0) {
        return 0;
    }

    /* the second field is a name in parentheses and may hold anything */

    last = buf + n;

    for (p = last; p > buf && p[-1] != ')'; p--) {
        /* void */
    }

    for (field = 2; p < last && field < 22; p++) {
        if (*p == ' ') {
            field++;
        }
    }

    birth = 0;

    while (p < last && *p >= '0' && *p <= '9') {
        birth = birth * 10 + (*p++ - '0');
    }

    return birth;
}


void
kz_bus_wake(ngx_uint_t loop)
{
    uint64_t        one;
    ngx_uint_t      i;
    kz_bus_slot_t  *slot;

    if (kz_bus_shm == NULL) {
        return;
    }

    one = 1;

    /* after what was published: pairs with the one in kz_bus_event() */

    kz_bus_fence();

    for (i = 0; i < kz_bus_shm->nslots; i++) {

        slot = &kz_bus_shm->slots[i];

        if (__atomic_load_n(&slot->armed, __ATOMIC_RELAXED) == 0
            || !kz_bus_cas(&slot->armed, 1, 0))
        {
            continue;
        }

        if (loop && (ngx_int_t) i == kz_bus_slot) {
            kz_bus_wake_self();
            continue;
        }

        /* a full counter (EAGAIN) wakes as well */

        if (write(kz_bus_fds[i], &one, sizeof(uint64_t)) == -1
            && ngx_errno != NGX_EAGAIN)
        {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                          "kuzzle: write() to eventfd of slot %ui failed",
                          i);
        }
    }
}


ngx_int_t
kz_bus_blocked(kz_bus_wait_t *w, kz_ring_t *r, ngx_uint_t reader,
    uint64_t now, ngx_log_t *log)
{
    uint64_t        cursor;
    ngx_uint_t      dead;
    kz_bus_slot_t  *slot;

    if (reader >= KZ_BUS_SLOTS || (ngx_int_t) reader == kz_bus_slot) {

        /* nothing but this process itself can make room */

        return NGX_AGAIN;
    }

    slot = &kz_bus_shm->slots[reader];
    cursor = r->cursor[reader];

    if (cursor == KZ_RING_IDLE) {
        return NGX_OK;
    }

    if (w->ring != r || w->reader != reader || w->cursor != cursor) {
        w->ring = r;
        w->reader = reader;
        w->cursor = cursor;
        w->since = now;

    } else if (now - w->since >= KZ_BUS_STUCK) {

        /* a reader that moved just now is not stuck: the swap fails */

        if (kz_bus_cas(&r->cursor[reader], cursor, KZ_RING_IDLE)) {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "kuzzle: process %uL did not read for %d ms, "
                          "its realtime clients will have to reconnect",
                          slot->pid, KZ_BUS_STUCK);
        }

        return NGX_OK;
    }

    dead = (slot->pid == 0
            || (kill((pid_t) slot->pid, 0) == -1 && ngx_errno == ESRCH));

    if (dead && kz_bus_cas(&r->cursor[reader], cursor, KZ_RING_IDLE)) {
        return NGX_OK;
    }

    return NGX_AGAIN;
}
