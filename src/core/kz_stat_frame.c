/*
 * The zone the counters live in, and the frames of server:getStats.
 *
 * Every worker has a timer; the first one to come after a frame is due cuts
 * it, under the zone's mutex (which the master frees when its owner dies) and
 * without waiting for it.  The number of frames goes up last: a worker killed
 * before that leaves nothing, the next one cuts the whole frame.  A frame
 * holds the totals too, so that the next one is a difference and nothing
 * falls in between.
 */

#include "core/kz_stat.h"

#include <ngx_event.h>


#define KZ_STAT_MIN_INTERVAL  100      /* ms */


static ngx_int_t kz_stat_init_zone(ngx_shm_zone_t *zone, void *data);
static void kz_stat_timer(ngx_event_t *ev);
static void kz_stat_cut(void);


static ngx_slab_pool_t  *kz_stat_pool;
static ngx_uint_t        kz_stat_tag;
static ngx_event_t       kz_stat_event;


/* Only what is used becomes memory. */

char *
kz_stat_configure(ngx_conf_t *cf, kz_main_conf_t *conf)
{
    size_t           size;
    ngx_shm_zone_t  *zone;

    static ngx_str_t  name = ngx_string("kuzzle_stat");

    if (conf->stats_interval < KZ_STAT_MIN_INTERVAL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"stats_interval\" must be at least %dms",
                           KZ_STAT_MIN_INTERVAL);
        return NGX_CONF_ERROR;
    }

    if (conf->stats_ttl / conf->stats_interval >= KZ_STAT_FRAMES) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"stats_ttl\" is longer than %d times "
                           "\"stats_interval\": older frames are not kept",
                           KZ_STAT_FRAMES - 1);
    }

    size = sizeof(kz_stat_shm_t);
    size += size / 64 + 16 * ngx_pagesize;

    zone = ngx_shared_memory_add(cf, &name, ngx_align(size, ngx_pagesize),
                                 &kz_stat_tag);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->init = kz_stat_init_zone;
    zone->data = conf;

    return NGX_CONF_OK;
}


static ngx_int_t
kz_stat_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_time_t  *tp;

    kz_stat_pool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data) {
        kz_stat_shm = data;
        zone->data = data;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        kz_stat_shm = kz_stat_pool->data;
        zone->data = kz_stat_shm;
        return NGX_OK;
    }

    /* fresh shared memory is zero; writing that would make all of it real */

    kz_stat_shm = ngx_slab_alloc(kz_stat_pool, sizeof(kz_stat_shm_t));

    if (kz_stat_shm == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "kuzzle: shared zone of %uz bytes is too small",
                      zone->shm.size);
        return NGX_ERROR;
    }

    tp = ngx_timeofday();
    kz_stat_shm->started = (uint64_t) tp->sec * 1000 + tp->msec;

    kz_stat_pool->data = kz_stat_shm;
    zone->data = kz_stat_shm;

    return NGX_OK;
}


void
kz_stat_init_process(ngx_cycle_t *cycle)
{
    if (kz_stat_shm == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return;
    }

    ngx_memzero(&kz_stat_event, sizeof(ngx_event_t));

    kz_stat_event.handler = kz_stat_timer;
    kz_stat_event.data = &kz_stat_event;
    kz_stat_event.log = cycle->log;
    kz_stat_event.cancelable = 1;

    kz_stat_timer(&kz_stat_event);
}


void
kz_stat_exit_process(void)
{
    if (kz_stat_event.timer_set) {
        ngx_del_timer(&kz_stat_event);
    }
}


static void
kz_stat_timer(ngx_event_t *ev)
{
    uint64_t    now, due;
    ngx_msec_t  wait;

    if (ngx_shmtx_trylock(&kz_stat_pool->mutex)) {
        kz_stat_cut();
        ngx_shmtx_unlock(&kz_stat_pool->mutex);
    }

    if (ngx_exiting) {
        return;
    }

    now = ngx_current_msec;
    due = kz_stat_shm->due;

    wait = due > now ? (ngx_msec_t) (due - now) : 1;

    ngx_add_timer(ev, ngx_min(wait, kz_conf->stats_interval));
}


/* Under the mutex. */

static void
kz_stat_cut(void)
{
    uint64_t          now, n;
    ngx_msec_t        interval;
    kz_stat_frame_t  *f;

    now = ngx_current_msec;
    interval = kz_conf->stats_interval;

    if (kz_stat_shm->due == 0 || kz_stat_shm->due > now + interval) {

        /* the first, or a reload made it shorter */

        kz_stat_shm->due = now + interval;
        return;
    }

    if (now < kz_stat_shm->due) {
        return;
    }

    n = kz_stat_shm->nframes;
    f = &kz_stat_shm->frames[n % KZ_STAT_FRAMES];

    kz_stat_running(f);

    __atomic_store_n(&kz_stat_shm->nframes, n + 1, __ATOMIC_RELEASE);

    kz_stat_shm->due += interval;

    if (kz_stat_shm->due <= now) {
        kz_stat_shm->due = now + interval;
    }
}


void
kz_stat_running(kz_stat_frame_t *f)
{
    uint64_t          n, total;
    ngx_uint_t        p, i;
    ngx_time_t       *tp;
    kz_stat_frame_t   last;

    tp = ngx_timeofday();
    f->timestamp = (uint64_t) tp->sec * 1000 + tp->msec;

    n = kz_stat_shm ? __atomic_load_n(&kz_stat_shm->nframes,
                                      __ATOMIC_ACQUIRE)
                    : 0;

    if (n) {
        last = kz_stat_shm->frames[(n - 1) % KZ_STAT_FRAMES];

    } else {
        ngx_memzero(&last, sizeof(kz_stat_frame_t));
    }

    for (p = 0; p < KZ_STAT_PROTOS; p++) {

        for (i = 0; i < 2; i++) {
            total = kz_stat_sum(done[p][i]);

            f->totals[p][i] = total;
            f->done[p][i] = total > last.totals[p][i]
                            ? total - last.totals[p][i] : 0;
        }

        f->ongoing[p] = kz_stat_sum(gauges.ongoing[p]);
        f->connections[p] = p ? kz_stat_sum(gauges.connections[p])
                              : f->ongoing[p];
    }
}


uint64_t
kz_stat_frames(uint64_t *first)
{
    uint64_t    n;

    n = kz_stat_shm ? __atomic_load_n(&kz_stat_shm->nframes,
                                      __ATOMIC_ACQUIRE)
                    : 0;

    /* the place of the oldest is the one that is written next */

    *first = n < KZ_STAT_FRAMES ? 0 : n - (KZ_STAT_FRAMES - 1);

    return n;
}


ngx_int_t
kz_stat_frame(uint64_t n, kz_stat_frame_t *f)
{
    uint64_t     first, now;
    ngx_time_t  *tp;

    *f = kz_stat_shm->frames[n % KZ_STAT_FRAMES];

    /* after the copy: it may have been overwritten meanwhile */

    __atomic_thread_fence(__ATOMIC_ACQUIRE);

    if (n >= kz_stat_frames(&first) || n < first) {
        return NGX_DECLINED;
    }

    tp = ngx_timeofday();
    now = (uint64_t) tp->sec * 1000 + tp->msec;

    return f->timestamp + kz_conf->stats_ttl < now ? NGX_DECLINED : NGX_OK;
}
