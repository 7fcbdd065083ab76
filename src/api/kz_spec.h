#ifndef _KZ_SPEC_H_INCLUDED_
#define _KZ_SPEC_H_INCLUDED_

/*
 * Validation specifications: what the documents of a collection have to look
 * like.  Compiled from JSON once, then documents are checked against it.
 * Pure: JSON in, structs or JSON out.
 *
 *     { "strict": bool, "fields": { "a/b": { "type": ..., ... } },
 *       "validators": [ filter, ... ] }
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "util/kz_json_scan.h"
#include "util/kz_out.h"


#define KZ_SPEC_MAX_FIELDS  1000
#define KZ_SPEC_MAX_DEPTH   64                    /* of a field's path */
#define KZ_SPEC_MAX_FILLED  (16 * 1024 * 1024)    /* bytes */


typedef struct kz_spec_s  kz_spec_t;


/* Why a document was refused, first reason only. */

typedef struct {
    ngx_str_t        path;         /* with dots; empty: the document */
    ngx_str_t        message;
} kz_spec_failure_t;


/*
 * name is "index.collection", for messages.  The specification is allocated
 * from the pool and refers to nothing else.
 *
 * NGX_OK; NGX_DECLINED: it is wrong, texts (ngx_str_t) were added to errors;
 * NGX_ERROR: no memory.
 */
ngx_int_t kz_spec_compile(ngx_pool_t *pool, const ngx_str_t *name,
    const kz_json_val_t *v, kz_spec_t **spec, ngx_array_t *errors);

/*
 * The fields of a document (an object, validated text); now is epoch ms.
 * NGX_OK; NGX_DECLINED: *failure, texts from the pool; NGX_ERROR: no memory.
 */
ngx_int_t kz_spec_check(kz_spec_t *spec, ngx_pool_t *pool,
    const kz_json_val_t *doc, int64_t now, kz_spec_failure_t *failure);

/* The same for its validators, to be asked last. */
ngx_int_t kz_spec_check_filter(kz_spec_t *spec, const kz_json_val_t *doc,
    const ngx_str_t *id, kz_spec_failure_t *failure);

/*
 * Everything that is wrong with a document, as {"errorMessages":{...},
 * "valid":bool}.  NGX_ERROR: no memory.
 */
ngx_int_t kz_spec_report(kz_spec_t *spec, ngx_pool_t *pool,
    const kz_json_val_t *doc, const ngx_str_t *id, int64_t now, kz_out_t *o);

/*
 * Writes default values into a document: where a field is absent (not in an
 * update) or null.  NGX_OK: *filled is the new text, from the pool;
 * NGX_DECLINED: nothing to write; NGX_ABORT: it would become larger than
 * KZ_SPEC_MAX_FILLED; NGX_ERROR: no memory.
 */
ngx_int_t kz_spec_fill(kz_spec_t *spec, ngx_pool_t *pool,
    const kz_json_val_t *doc, ngx_uint_t update, kz_json_val_t *filled);


#endif /* _KZ_SPEC_H_INCLUDED_ */
