#ifndef _KZ_SQLITE_READER_H_INCLUDED_
#define _KZ_SQLITE_READER_H_INCLUDED_

/*
 * The read side of the embedded store, in each worker.
 *
 *   exists, list, mapping   from the cached catalogue
 *   get                     in the event loop, unless it would block: a page
 *                           not in memory, a busy file, one not yet open
 *   search, count           on the pool, with a time budget
 *   space                   on the pool, kept for some seconds
 *
 * Anything else goes to the writer and is none of this file's business.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_store.h"


/* init_process and exit_process of a worker. */
ngx_int_t kz_sqlite_reader_init(ngx_cycle_t *cycle);
void kz_sqlite_reader_exit(ngx_cycle_t *cycle);

/*
 * Carries out a reading operation.  NGX_OK: op->status and the results are
 * there; NGX_AGAIN: parked, kz_req_resume(op->req) will be called by an
 * event, within kz_conf->store_timeout.  Never anything else: trouble is a
 * status.  A search whose client has gone is stopped before its time.
 */
ngx_int_t kz_sqlite_read(kz_store_op_t *op);

/* SQLite's version, as text. */
const char *kz_sqlite_reader_version(void);

/* Operations parked here. */
ngx_uint_t kz_sqlite_reader_pending(void);


#endif /* _KZ_SQLITE_READER_H_INCLUDED_ */
