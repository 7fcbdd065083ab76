#ifndef _KZ_MULTI_H_INCLUDED_
#define _KZ_MULTI_H_INCLUDED_

/*
 * Actions on many documents: the entries of a request, the items of the
 * store made of them, and what is answered.
 *
 *     entries   one for each document given, in their order; refused at once
 *               (reason), or with an item
 *     items     what the store is asked for, some at a time
 *
 *   kz_api_multi.c           entries, writing, the end of it
 *   kz_api_document_multi.c  document:m*
 *   kz_api_document_query.c  document:*ByQuery
 *   kz_api_bulk.c            bulk:*
 *   kz_dialect_multi.c       the replies
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_conf.h"
#include "core/kz_req.h"
#include "store/kz_store.h"


typedef struct {
    kz_json_val_t        given;        /* NONE: nobody gave it */
    ngx_str_t            id;
    ngx_str_t            body;         /* the document's text */
    kz_store_item_t     *item;         /* NULL: refused */
    const char          *reason;       /* why */
    const char          *verb;         /* of a bulk line: "index", ... */
    kz_store_kind_e      kind;         /* and what it means */
    ngx_str_t            fallback;
    ngx_uint_t           pair;         /* its collection: m->pairs */
} kz_multi_entry_t;


typedef struct {
    ngx_str_t            index;
    ngx_str_t            collection;
    ngx_uint_t           last;         /* behind its last item */
} kz_multi_pair_t;


typedef struct {
    kz_store_kind_e      kind;
    kz_error_e           error;        /* 1.x: of a partial success */
    kz_step_pt           finish;       /* when all was written */
    void                *data;         /* finish's own */
    kz_result_e          type;

    kz_multi_entry_t    *entries;
    ngx_uint_t           nentries;
    ngx_uint_t           size;         /* there is room for */
    kz_store_item_t     *items;        /* by pairs */
    ngx_uint_t           nitems;
    ngx_uint_t           next;         /* item to be sent */
    ngx_uint_t           sent;
    kz_multi_pair_t     *pairs;
    ngx_uint_t           npairs;
    ngx_uint_t           pair;         /* that one is at */
    ngx_uint_t           looked;       /* bulk: so many of them are there */

    /* byQuery */
    kz_json_val_t        query;        /* {query}, or NONE */
    ngx_str_t            changes;      /* of each */
    ngx_uint_t           limit;        /* of matches; 0: none */
    int64_t              cursor;
    int64_t              bound;
    uint64_t             total;
    kz_store_op_t       *page;         /* the ids that are worked on */
    ngx_array_t         *ids;          /* of ngx_str_t: deleted; NULL: they are
                                          not told */

    unsigned             silent:1;
    unsigned             raw:1;
    unsigned             brief:1;
    unsigned             nobody:1;
    unsigned             strict:1;
    unsigned             source:1;
    unsigned             koncorde:1;
    unsigned             by_query:1;
} kz_multi_t;


/* A new one, req->ctx, for the request's collection.  NULL: no memory. */
kz_multi_t *kz_multi_create(kz_req_t *req, kz_store_kind_e kind);

/* The flags silent, strict and source.  NGX_ERROR: refused. */
ngx_int_t kz_multi_flags(kz_req_t *req, kz_multi_t *m);

/* A new entry, of the first collection.  NULL: no memory. */
kz_multi_entry_t *kz_multi_entry(kz_req_t *req, kz_multi_t *m);

/*
 * The items: n of them, one for each entry without a reason, in their order.
 * NGX_ERROR: no memory.
 */
ngx_int_t kz_multi_items(kz_req_t *req, kz_multi_t *m);

/*
 * A step: writes the items and runs m->finish.  What fails as a whole fails
 * the request, or, when some were written already, the items left.
 */
ngx_int_t kz_multi_write(kz_req_t *req);

/* A finish: m->type is the result, with the errors as the dialect has it. */
ngx_int_t kz_multi_finish(kz_req_t *req);

/*
 * The array body.<name>.  NGX_ERROR: refused; with "needs" a request without
 * one is.
 */
ngx_int_t kz_multi_array(kz_req_t *req, const char *name, kz_json_val_t *v);

/* An object of the body; NGX_DECLINED: it is not there, needs is not set. */
ngx_int_t kz_multi_object(kz_req_t *req, const char *name, kz_json_val_t *v,
    ngx_uint_t needs);

/* Refuses documents with the member "_routing": NGX_ERROR. */
ngx_int_t kz_multi_routing(kz_req_t *req, const kz_json_val_t *doc);

/* The limit of documents in one request; 0: none.  NGX_ERROR: refused. */
ngx_int_t kz_multi_limit(kz_req_t *req, kz_error_e e, ngx_uint_t n,
    ngx_uint_t limit);

/*
 * kz_dialect_multi_error.c: appends the errors, one JSON value each, with
 * commas between them, and returns their number.
 */
ngx_uint_t kz_dialect_multi_errors(kz_req_t *req, kz_multi_t *m, kz_out_t *o);

/* One of them, for an item. */
void kz_dialect_multi_error(kz_req_t *req, kz_multi_t *m,
    kz_store_item_t *item, kz_out_t *o);

/* Parts of it: a status, ,"error":{...}, the metadata it was written with. */
ngx_uint_t kz_dialect_multi_status(kz_store_item_t *item);
void kz_dialect_multi_cause(kz_req_t *req, kz_store_item_t *item,
    kz_multi_pair_t *pair, kz_out_t *o);
void kz_dialect_multi_info(kz_req_t *req, kz_multi_t *m, kz_out_t *o);

/* A line of an import, done or refused. */
void kz_dialect_line(kz_req_t *req, kz_multi_t *m, kz_multi_entry_t *e,
    kz_out_t *o);

#define kz_multi_text(o, s)                                                   \
    kz_out_bytes(o, s, strlen(s))

#define kz_multi_ok(e)                                                        \
    ((e)->item && (e)->item->status == KZ_STORE_OK)

/*
 * kz_api_bulk.c: the entries and items of the lines of an import, of the
 * request's collection.  NGX_ERROR: refused.
 */
ngx_int_t kz_bulk_parse(kz_req_t *req, kz_multi_t *m, kz_json_val_t *data);

/* Renderers. */
void kz_dialect_multi(kz_req_t *req, kz_out_t *o);
void kz_dialect_fetched(kz_req_t *req, kz_out_t *o);
void kz_dialect_present(kz_req_t *req, kz_out_t *o);
void kz_dialect_erased(kz_req_t *req, kz_out_t *o);
void kz_dialect_imported(kz_req_t *req, kz_out_t *o);
void kz_dialect_upserted(kz_req_t *req, kz_out_t *o);
void kz_dialect_queried(kz_req_t *req, kz_out_t *o);


#endif /* _KZ_MULTI_H_INCLUDED_ */
