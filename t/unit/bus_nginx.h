/*
 * Part of test_bus.c: nginx's slab allocator, its mutex, its shared zones and
 * its event loop, as far as the bus uses them.
 */

kz_main_conf_t       *kz_conf = &conf;
ngx_uint_t            ngx_process;
ngx_event_actions_t   ngx_event_actions;
ngx_queue_t           ngx_posted_events;
ngx_queue_t           ngx_posted_next_events;
ngx_rbtree_t          ngx_event_timer_rbtree;


ngx_shm_zone_t *
ngx_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    (void) cf;
    (void) tag;

    zone.shm.name = *name;
    zone.shm.size = size;

    return &zone;
}


void ngx_cdecl
ngx_conf_log_error(ngx_uint_t level, ngx_conf_t *cf, ngx_err_t err,
    const char *fmt, ...)
{
    (void) level;
    (void) cf;
    (void) err;
    (void) fmt;

    kz_shim_logged++;
}


void
ngx_shmtx_lock(ngx_shmtx_t *mtx)
{
    (void) mtx;

    while (__sync_lock_test_and_set(&shared->lock, 1)) {
        sched_yield();
    }
}


void
ngx_shmtx_unlock(ngx_shmtx_t *mtx)
{
    (void) mtx;

    __sync_lock_release(&shared->lock);
}


void *
ngx_slab_alloc_locked(ngx_slab_pool_t *pool, size_t size)
{
    void  *p;

    if (size == sizeof(kz_bus_share_t) && shared->free) {
        p = shared->free;
        shared->free = *(void **) p;
        return p;
    }

    size = ngx_align(size, 64);

    if (shared->used + size > zone.shm.size) {
        return NULL;
    }

    p = (u_char *) pool + shared->used;
    shared->used += size;

    return p;
}


void *
ngx_slab_alloc(ngx_slab_pool_t *pool, size_t size)
{
    return ngx_slab_alloc_locked(pool, size);
}


void *
ngx_slab_calloc(ngx_slab_pool_t *pool, size_t size)
{
    void  *p;

    p = ngx_slab_alloc(pool, size);

    return p ? memset(p, 0, size) : NULL;
}


void
ngx_slab_free_locked(ngx_slab_pool_t *pool, void *p)
{
    (void) pool;

    *(void **) p = shared->free;
    shared->free = p;
}


ngx_connection_t *
ngx_get_connection(ngx_socket_t s, ngx_log_t *log)
{
    static ngx_event_t       read, write;
    static ngx_connection_t  c;

    c.fd = s;
    c.log = log;
    c.read = &read;
    c.write = &write;
    read.data = &c;
    write.data = &c;

    return &c;
}


void
ngx_free_connection(ngx_connection_t *c)
{
    (void) c;
}


static ngx_connection_t  *polled;

static ngx_int_t
add_event(ngx_event_t *ev, ngx_int_t event, ngx_uint_t flags)
{
    (void) event;
    (void) flags;

    polled = ev->data;

    return NGX_OK;
}


void
ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    (void) tree;

    timer = ngx_rbtree_data(node, ngx_event_t, timer);
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    (void) tree;
    (void) node;

    timer = NULL;
}


static ngx_msec_t
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
run_posted(ngx_queue_t *posted)
{
    ngx_queue_t  *q;
    ngx_event_t  *ev;

    while (!ngx_queue_empty(posted)) {
        q = ngx_queue_head(posted);
        ev = ngx_queue_data(q, ngx_event_t, queue);
        ngx_delete_posted_event(ev);
        ev->handler(ev);
    }
}


static void
turn(int timeout)
{
    ngx_event_t    *ev;
    struct pollfd   p;

    if (!ngx_queue_empty(&ngx_posted_next_events)) {
        ngx_queue_add(&ngx_posted_events, &ngx_posted_next_events);
        ngx_queue_init(&ngx_posted_next_events);
        timeout = 0;
    }

    p.fd = polled ? polled->fd : -1;
    p.events = POLLIN;

    if (poll(&p, 1, timeout) == 1) {
        ngx_current_msec = now();
        polled->read->handler(polled->read);
    }

    ngx_current_msec = now();
    run_posted(&ngx_posted_events);

    if (timer && (ngx_msec_int_t) (timer->timer.key - ngx_current_msec) <= 0)
    {
        ev = timer;
        timer = NULL;
        ev->timer_set = 0;
        ev->handler(ev);
    }
}
