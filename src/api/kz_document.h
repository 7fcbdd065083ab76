#ifndef _KZ_DOCUMENT_H_INCLUDED_
#define _KZ_DOCUMENT_H_INCLUDED_

/*
 * Private to kz_api_document*.c, which share a controller, and kz_api_bulk.c,
 * which writes the same documents.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "api/kz_multi.h"


/* kz_api_document.c: arguments of writes.  NGX_ERROR: refused. */
ngx_int_t kz_document_refresh(kz_req_t *req);

/* Whether the argument "lang" says koncorde.  NGX_ERROR: refused. */
ngx_int_t kz_document_lang(kz_req_t *req, ngx_uint_t *koncorde);

/* kz_api_document.c: lang and query of a search or count.  NGX_ERROR. */
ngx_int_t kz_document_search_body(kz_req_t *req, kz_store_op_t *op);

/*
 * kz_api_document_search.c: where a search looks: index and collection, or
 * (2.x) the argument "targets".  NGX_ERROR: refused.
 */
ngx_int_t kz_document_scope(kz_req_t *req, kz_store_op_t *op);

/* kz_api_document_export.c */
ngx_int_t kz_document_export(kz_req_t *req);

/* kz_api_document_multi.c */
ngx_int_t kz_document_mcreate(kz_req_t *req);
ngx_int_t kz_document_mcreate_or_replace(kz_req_t *req);
ngx_int_t kz_document_mreplace(kz_req_t *req);
ngx_int_t kz_document_mupdate(kz_req_t *req);
ngx_int_t kz_document_mupsert(kz_req_t *req);
ngx_int_t kz_document_mdelete(kz_req_t *req);
ngx_int_t kz_document_mget(kz_req_t *req);
ngx_int_t kz_document_mexists(kz_req_t *req);

/* Entries and items of an array [{_id, body}].  NGX_ERROR: refused. */
ngx_int_t kz_document_many_given(kz_req_t *req, kz_multi_t *m,
    kz_json_val_t *docs);

/* kz_api_document_query.c */
ngx_int_t kz_document_upsert(kz_req_t *req);
ngx_int_t kz_document_delete_fields(kz_req_t *req);
ngx_int_t kz_document_update_by_query(kz_req_t *req);
ngx_int_t kz_document_delete_by_query(kz_req_t *req);
ngx_int_t kz_document_bulk_update(kz_req_t *req);
ngx_int_t kz_document_bulk_delete(kz_req_t *req);


#endif /* _KZ_DOCUMENT_H_INCLUDED_ */
