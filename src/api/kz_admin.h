#ifndef _KZ_ADMIN_H_INCLUDED_
#define _KZ_ADMIN_H_INCLUDED_

/*
 * What the controllers index, collection and admin share.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"
#include "store/kz_store.h"


/*
 * Deletes indexes, and the specifications of their collections; then runs
 * step, with req->ctx not the caller's any more.  Who has gone meanwhile is
 * none of it.
 */
ngx_int_t kz_index_erase(kz_req_t *req, ngx_str_t *names, ngx_uint_t n,
    kz_step_pt step);

/*
 * The two members of what a collection is made from: {mappings, settings},
 * or the mapping alone (1.x), into op->body and op->settings.
 */
void kz_collection_given(kz_store_op_t *op, const kz_json_val_t *body);


/* kz_api_admin_load.c */
ngx_int_t kz_admin_load_mappings(kz_req_t *req);
ngx_int_t kz_admin_load_fixtures(kz_req_t *req);


#endif /* _KZ_ADMIN_H_INCLUDED_ */
