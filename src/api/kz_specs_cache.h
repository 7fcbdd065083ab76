#ifndef _KZ_SPECS_CACHE_H_INCLUDED_
#define _KZ_SPECS_CACHE_H_INCLUDED_

/*
 * Private to kz_specs*.c: compiled specifications by collection, also that
 * there is none; bounded, the one not used for longest goes first.  An entry
 * is good until the next call that may remove it.
 */

#include "api/kz_specs.h"


typedef struct kz_specs_entry_s  kz_specs_entry_t;

struct kz_specs_entry_s {
    kz_specs_entry_t  *next;
    ngx_queue_t        lru;
    uint64_t           version;        /* of the internal documents */
    kz_spec_t         *spec;           /* NULL: there is none */
    ngx_pool_t        *pool;
    size_t             size;
    uint32_t           hash;
    ngx_str_t          name;           /* "<index>#<collection>" */
};


/* Of any age; NULL: never read, or removed. */
kz_specs_entry_t *kz_specs_entry(const ngx_str_t *index,
    const ngx_str_t *collection);

/*
 * The specification of the request's collection.  NGX_OK: *spec, NULL when
 * there is none; NGX_DECLINED: it has to be read.
 */
ngx_int_t kz_specs_find(kz_req_t *req, kz_spec_t **spec);

/*
 * Keeps what a KZ_STORE_DOC_GET found, begun at that version.  NGX_ERROR: no
 * memory, or the request was refused.
 */
ngx_int_t kz_specs_keep(kz_req_t *req, kz_store_op_t *op, uint64_t version);


#endif /* _KZ_SPECS_CACHE_H_INCLUDED_ */
