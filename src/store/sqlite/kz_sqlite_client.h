#ifndef _KZ_SQLITE_CLIENT_H_INCLUDED_
#define _KZ_SQLITE_CLIENT_H_INCLUDED_

/*
 * A worker's end of the line to the writer process: one connection, made
 * again whenever it is lost, and the operations that wait for an answer.
 *
 *   waiting   not sent yet: no connection, or the socket is full
 *   sent      the writer may have it; after a lost connection it is sent
 *             once more, marked as a repetition
 *
 * Each operation has a timer.  When it fires the request gets its answer: it
 * was never sent (nothing was written), or it was and nobody knows.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_store.h"
#include "store/sqlite/kz_sqlite_wire.h"


/* init_process and exit_process of a worker. */
ngx_int_t kz_sqlite_client_init(ngx_cycle_t *cycle);
void kz_sqlite_client_exit(void);

/*
 * Hands a writing operation over.  NGX_OK: op->status says why not;
 * NGX_AGAIN: parked, kz_req_resume(op->req) will be called by an event.
 */
ngx_int_t kz_sqlite_write(kz_store_op_t *op);

/* Operations parked here. */
ngx_uint_t kz_sqlite_client_pending(void);


/* kz_sqlite_client_op.c, for kz_sqlite_client.c */

/* Whether it cannot even be asked: a name longer than the wire takes. */
ngx_uint_t kz_client_refuses(kz_store_op_t *op);

/* The operation as a frame, in its request's pool; NULL: it has none. */
u_char *kz_client_frame(kz_store_op_t *op, uint64_t seq, size_t *len);

/* The results, copied into the request's pool; returns the status. */
kz_store_status_e kz_client_decode(kz_store_op_t *op,
    const kz_wire_result_t *r);


#endif /* _KZ_SQLITE_CLIENT_H_INCLUDED_ */
