#ifndef _KZ_SQLITE_CONNS_H_INCLUDED_
#define _KZ_SQLITE_CONNS_H_INCLUDED_

/*
 * Reading connections of a worker's pool threads: taken for one job, put
 * back, kept open while they are among the most recently used.
 *
 * Any thread; one mutex, held for list work only.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/sqlite/kz_sqlite_db.h"


typedef struct {
    ngx_queue_t           queue;
    uint64_t              file;        /* 0: kuzzle.db */
    kz_sqlite_db_t       *db;
    unsigned              dead:1;      /* its index is gone */
    unsigned              used:1;
} kz_conn_t;


ngx_int_t kz_conns_init(const ngx_str_t *dir, ngx_uint_t max,
    ngx_log_t *log);
void kz_conns_exit(void);

/*
 * A connection to the file, opened and checked when none is idle.  It waits
 * up to patience ms for a busy file.  NULL: *err, kz_sqlite_absent() when
 * there is no such file.
 */
kz_conn_t *kz_conns_take(uint64_t file, ngx_uint_t patience,
    kz_sqlite_err_t *err);

/* failed: closes it rather than keeping it. */
void kz_conns_put(kz_conn_t *c, ngx_uint_t failed);

/* A connection that belongs to the caller alone: not among those counted. */
kz_sqlite_db_t *kz_conns_open(uint64_t file, ngx_uint_t patience,
    kz_sqlite_err_t *err);

/*
 * Gives up the connections to files alive() does not know; whether there are
 * some for kz_conns_reap() to close.
 */
ngx_uint_t kz_conns_sweep(ngx_uint_t (*alive)(void *data, uint64_t file),
    void *data);

/*
 * Closes what was given up.  On a thread: the last one to close a removed
 * file waits until its blocks are free.
 */
void kz_conns_reap(void);


#endif /* _KZ_SQLITE_CONNS_H_INCLUDED_ */
