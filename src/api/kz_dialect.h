#ifndef _KZ_DIALECT_H_INCLUDED_
#define _KZ_DIALECT_H_INCLUDED_

/*
 * The last step of every request: the neutral result becomes the reply of
 * one API generation.  Also finds out which generation a query belongs to.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"
#include "store/kz_store.h"


/*
 * Appends the whole reply to o: envelope, error or result.  room: append the
 * member "room" (protocols other than HTTP).
 */
void kz_dialect_render(kz_req_t *req, kz_out_t *o, ngx_uint_t room);

/* Sets req->dialect from the query, the client's memory, the settings. */
void kz_dialect_detect(kz_req_t *req);

/* Puts an error object ({message, status, id, code}) of the dialect. */
void kz_dialect_error(kz_req_t *req, kz_out_t *o);

/* Appends the whole reply to a client of before 1.0: kz_dialect_legacy.c */
void kz_dialect_legacy(kz_req_t *req, kz_out_t *o, ngx_uint_t room);

/* Appends the result alone: kz_dialect_result.c */
void kz_dialect_result(kz_req_t *req, kz_out_t *o);

/*
 * A document's source as the dialect shows it: generation 1 has active and
 * deletedAt in _kuzzle_info.
 */
void kz_dialect_source(kz_dialect_e dialect, kz_out_t *o, ngx_str_t *source,
    ngx_uint_t info);

/*
 * Parts of generation 1's results, left open: {"_index", "_type", "_id",
 * "_version"; ,"_source", "_meta"; ,"_meta" alone.
 */
void kz_dialect_head_1(kz_req_t *req, kz_out_t *o, kz_doc_t *doc,
    uint64_t version);
void kz_dialect_source_1(kz_out_t *o, kz_doc_t *doc);
void kz_dialect_meta(kz_out_t *o, kz_doc_t *doc);

#define kz_dialect_shards(o)                                                  \
    kz_out_lit(o, ",\"_shards\":{\"total\":1,\"successful\":1,\"failed\":0}")


#endif /* _KZ_DIALECT_H_INCLUDED_ */
