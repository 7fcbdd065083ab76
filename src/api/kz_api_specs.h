#ifndef _KZ_API_SPECS_H_INCLUDED_
#define _KZ_API_SPECS_H_INCLUDED_

/*
 * Actions of the controller collection that have a file of their own.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"


ngx_int_t kz_collection_get_specifications(kz_req_t *req);
ngx_int_t kz_collection_delete_specifications(kz_req_t *req);
ngx_int_t kz_collection_update_specifications(kz_req_t *req);
ngx_int_t kz_collection_validate_specifications(kz_req_t *req);
ngx_int_t kz_collection_search_specifications(kz_req_t *req);
ngx_int_t kz_collection_scroll_specifications(kz_req_t *req);


#endif /* _KZ_API_SPECS_H_INCLUDED_ */
