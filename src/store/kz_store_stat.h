#ifndef _KZ_STORE_STAT_H_INCLUDED_
#define _KZ_STORE_STAT_H_INCLUDED_

/* Private to store: kinds of operations, and operations in the statistics. */

#include "core/kz_stat.h"
#include "store/kz_store.h"


/* It was parked; kz_store_done() will follow. */
void kz_store_parked(kz_store_op_t *op);

/* It has its status without having been parked. */
void kz_store_answered(kz_store_op_t *op);

/* Whether the writer does it; the others are a reader's. */
ngx_uint_t kz_store_writes(kz_store_kind_e kind);


#endif /* _KZ_STORE_STAT_H_INCLUDED_ */
