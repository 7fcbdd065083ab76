
/*
 * A worker's reading connections: see the header.
 */

#include "store/sqlite/kz_sqlite_conns.h"

#include <pthread.h>


static kz_conn_t *kz_conns_idle(uint64_t file);
static void kz_conns_free(kz_conn_t *c);


static struct {
    pthread_mutex_t       mutex;
    ngx_queue_t           conns;       /* most recently used first */
    ngx_uint_t            n;
    ngx_uint_t            max;
    ngx_str_t             dir;
    ngx_log_t            *log;
} kz_conns;


ngx_int_t
kz_conns_init(const ngx_str_t *dir, ngx_uint_t max, ngx_log_t *log)
{
    if (pthread_mutex_init(&kz_conns.mutex, NULL) != 0) {
        return NGX_ERROR;
    }

    ngx_queue_init(&kz_conns.conns);

    kz_conns.n = 0;
    kz_conns.max = max;
    kz_conns.dir = *dir;
    kz_conns.log = log;

    return NGX_OK;
}


void
kz_conns_exit(void)
{
    ngx_queue_t  *q;

    if (kz_conns.log == NULL) {
        return;
    }

    while (!ngx_queue_empty(&kz_conns.conns)) {
        q = ngx_queue_head(&kz_conns.conns);
        ngx_queue_remove(q);
        kz_conns_free(ngx_queue_data(q, kz_conn_t, queue));
    }

    (void) pthread_mutex_destroy(&kz_conns.mutex);

    kz_conns.log = NULL;
}


kz_conn_t *
kz_conns_take(uint64_t file, ngx_uint_t patience, kz_sqlite_err_t *err)
{
    kz_conn_t  *c;

    (void) pthread_mutex_lock(&kz_conns.mutex);
    c = kz_conns_idle(file);
    (void) pthread_mutex_unlock(&kz_conns.mutex);

    if (c != NULL) {
        (void) sqlite3_busy_timeout(c->db->db, (int) patience);
        return c;
    }

    c = ngx_calloc(sizeof(kz_conn_t), kz_conns.log);
    if (c == NULL) {
        err->code = SQLITE_NOMEM;
        ngx_memcpy(err->text, "out of memory", sizeof("out of memory"));
        return NULL;
    }

    c->file = file;
    c->used = 1;

    c->db = kz_conns_open(file, patience, err);
    if (c->db == NULL) {
        ngx_free(c);
        return NULL;
    }

    (void) pthread_mutex_lock(&kz_conns.mutex);
    ngx_queue_insert_head(&kz_conns.conns, &c->queue);
    kz_conns.n++;
    (void) pthread_mutex_unlock(&kz_conns.mutex);

    return c;
}


static kz_conn_t *
kz_conns_idle(uint64_t file)
{
    kz_conn_t    *c;
    ngx_queue_t  *q;

    for (q = ngx_queue_head(&kz_conns.conns);
         q != ngx_queue_sentinel(&kz_conns.conns);
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, kz_conn_t, queue);

        if (c->file == file && !c->used && !c->dead) {
            c->used = 1;

            ngx_queue_remove(q);
            ngx_queue_insert_head(&kz_conns.conns, q);

            return c;
        }
    }

    return NULL;
}


void
kz_conns_put(kz_conn_t *c, ngx_uint_t failed)
{
    kz_conn_t    *old;
    ngx_queue_t  *q;

    old = NULL;

    (void) pthread_mutex_lock(&kz_conns.mutex);

    c->used = 0;

    if (c->dead || failed) {
        old = c;

    } else if (kz_conns.n > kz_conns.max) {

        for (q = ngx_queue_last(&kz_conns.conns);
             q != ngx_queue_sentinel(&kz_conns.conns);
             q = ngx_queue_prev(q))
        {
            old = ngx_queue_data(q, kz_conn_t, queue);

            if (!old->used) {
                break;
            }
        }
    }

    if (old != NULL) {
        ngx_queue_remove(&old->queue);
        kz_conns.n--;
    }

    (void) pthread_mutex_unlock(&kz_conns.mutex);

    if (old != NULL) {
        kz_conns_free(old);
    }
}


kz_sqlite_db_t *
kz_conns_open(uint64_t file, ngx_uint_t patience, kz_sqlite_err_t *err)
{
    char              path[KZ_SQLITE_PATH_LEN];
    kz_sqlite_db_t   *db;

    if (kz_sqlite_path(path, &kz_conns.dir,
                       file ? KZ_SQLITE_INDEX : KZ_SQLITE_PRIVATE, file)
        != NGX_OK)
    {
        err->code = SQLITE_CANTOPEN;
        err->sys = 0;
        ngx_memcpy(err->text, "path too long", sizeof("path too long"));
        return NULL;
    }

    db = kz_sqlite_open_reader(path, NULL, 0, kz_conns.log, err);
    if (db == NULL) {
        return NULL;
    }

    (void) sqlite3_busy_timeout(db->db, (int) patience);

    switch (kz_sqlite_check(db, err)) {

    case NGX_OK:
        return db;

    case NGX_DECLINED:

        /* its writer is about to give it a schema */

        err->code = SQLITE_CANTOPEN;
        err->sys = NGX_ENOENT;
        ngx_memcpy(err->text, "empty file", sizeof("empty file"));
        break;

    default:
        break;
    }

    kz_sqlite_close(db);

    return NULL;
}


ngx_uint_t
kz_conns_sweep(ngx_uint_t (*alive)(void *data, uint64_t file), void *data)
{
    kz_conn_t    *c;
    ngx_uint_t    n;
    ngx_queue_t  *q;

    n = 0;

    (void) pthread_mutex_lock(&kz_conns.mutex);

    for (q = ngx_queue_head(&kz_conns.conns);
         q != ngx_queue_sentinel(&kz_conns.conns);
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, kz_conn_t, queue);

        if (c->file == 0 || alive(data, c->file)) {
            continue;
        }

        c->dead = 1;

        if (!c->used) {
            n++;
        }
    }

    (void) pthread_mutex_unlock(&kz_conns.mutex);

    return n;
}


void
kz_conns_reap(void)
{
    kz_conn_t    *c;
    ngx_queue_t  *q, *next, gone;

    ngx_queue_init(&gone);

    (void) pthread_mutex_lock(&kz_conns.mutex);

    for (q = ngx_queue_head(&kz_conns.conns);
         q != ngx_queue_sentinel(&kz_conns.conns);
         q = next)
    {
        next = ngx_queue_next(q);
        c = ngx_queue_data(q, kz_conn_t, queue);

        if (!c->dead || c->used) {
            continue;
        }

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&gone, q);
        kz_conns.n--;
    }

    (void) pthread_mutex_unlock(&kz_conns.mutex);

    while (!ngx_queue_empty(&gone)) {
        q = ngx_queue_head(&gone);
        ngx_queue_remove(q);
        kz_conns_free(ngx_queue_data(q, kz_conn_t, queue));
    }
}


static void
kz_conns_free(kz_conn_t *c)
{
    kz_sqlite_close(c->db);
    ngx_free(c);
}
