#ifndef _KZ_SPECS_H_INCLUDED_
#define _KZ_SPECS_H_INCLUDED_

/*
 * The specifications of collections: stored as the server's own documents
 * ("%kuzzle", "validations", id "<index>#<collection>"), compiled copies kept
 * by every worker, applied to what is written and published.
 *
 * A copy is good as long as no internal document has changed anywhere; that
 * a collection has no specification is remembered, too: an ordinary write
 * costs one lookup.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"
#include "store/kz_store.h"
#include "api/kz_spec.h"


#define KZ_SPECS_COLLECTION  "validations"


/*
 * Writes req->body as a document if the collection has a specification:
 * checked, with default values, and (update) only over the version that was
 * checked.  step runs when it is written.  NGX_DECLINED: no specification,
 * nothing was done; otherwise what a step returns.
 */
ngx_int_t kz_specs_write(kz_req_t *req, kz_store_kind_e kind,
    ngx_uint_t silent, kz_step_pt step);

/*
 * Checks req->body as a message and gives it its default values; step runs
 * afterwards, perhaps before this returns.
 */
ngx_int_t kz_specs_message(kz_req_t *req, kz_step_pt step);

/* document:validate: the result says what is wrong with req->body. */
ngx_int_t kz_specs_validate(kz_req_t *req);

/*
 * Removes the specification of a collection that was deleted, or of all
 * collections of an index (collection NULL); step runs afterwards.  Both are
 * borrowed until then; req->op is used, req->ctx stays.
 */
ngx_int_t kz_specs_drop(kz_req_t *req, ngx_str_t *index,
    ngx_str_t *collection, kz_step_pt step);

/* An operation for a specification; NULL: no memory. */
kz_store_op_t *kz_specs_op(kz_req_t *req, kz_store_kind_e kind,
    ngx_str_t *index, ngx_str_t *collection, kz_step_pt step);

/* Whether the operation found that there is no such specification. */
ngx_uint_t kz_specs_absent(kz_store_op_t *op);


#endif /* _KZ_SPECS_H_INCLUDED_ */
