#ifndef _KZ_STORE_H_INCLUDED_
#define _KZ_STORE_H_INCLUDED_

/*
 * The only door to storage.  An action fills in an operation (plain data:
 * what, where, with what, and what to do next) and submits it; which engine
 * carries it out, when, and in which process, it cannot tell.
 *
 * One pending operation a request.  Everything an operation points to lives
 * as long as its request's pool; results are allocated there.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"


typedef enum {
    KZ_STORE_INDEX_CREATE = 1,
    KZ_STORE_INDEX_DELETE,
    KZ_STORE_INDEX_EXISTS,
    KZ_STORE_INDEX_LIST,          /* names, sorted */
    KZ_STORE_INDEX_REFRESH_GET,   /* found: 1.x's setting "autoRefresh" */
    KZ_STORE_INDEX_REFRESH_SET,   /* flag */
    KZ_STORE_INDEX_STATS,         /* usage; brief: collections' names only */
    KZ_STORE_COLLECTION_CREATE,   /* body: mapping object, or none; settings;
                                     one that exists is updated */
    KZ_STORE_COLLECTION_UPDATE,   /* the same; flag: index all documents
                                     again; found: COLLECTION_INFER is due */
    KZ_STORE_COLLECTION_INFER,    /* adds to the mapping what is in stored
                                     documents: some of them, from cursor on;
                                     cursor: 0: that was all */
    KZ_STORE_COLLECTION_DELETE,
    KZ_STORE_COLLECTION_TRUNCATE, /* mapping and settings stay */
    KZ_STORE_SETTINGS_GET,        /* text */
    KZ_STORE_COLLECTION_EXISTS,
    KZ_STORE_COLLECTION_LIST,     /* names, sorted */
    KZ_STORE_MAPPING_GET,         /* mapping */

    KZ_STORE_DOC_GET,             /* doc */
    KZ_STORE_DOC_EXISTS,
    KZ_STORE_DOC_COUNT,           /* body: {query}, or none; total */
    KZ_STORE_DOC_SEARCH,          /* body: search body; docs, total */

    KZ_STORE_DOC_CREATE,          /* body: document; id may be empty */
    KZ_STORE_DOC_PUT,             /* createOrReplace */
    KZ_STORE_DOC_REPLACE,
    KZ_STORE_DOC_UPDATE,          /* body: changes */
    KZ_STORE_DOC_DELETE,
    KZ_STORE_DOC_UPSERT,          /* items only: update, or create it from
                                     fallback and body */
    KZ_STORE_DOC_FIELDS,          /* items only; body: array of paths that
                                     are removed */
    KZ_STORE_DOC_ITEMS,           /* items: each written, or refused, by
                                     itself, in their order */
    KZ_STORE_DOC_MGET,            /* items: ids; status, doc of each */
    KZ_STORE_DOC_MEXISTS,         /* items: ids; status of each */
    KZ_STORE_SCROLL,              /* id: the scroll's; docs, total,
                                     remaining, index, collection */
    KZ_STORE_DOC_PICK,            /* body: {query}, or none; docs: the ids of
                                     up to size documents, in the order of
                                     their rows, from cursor on */

    KZ_STORE_DUMP,                /* id: the name of the copy of all files,
                                     below "dump"; flag: do not wait for it */
    KZ_STORE_PING,                /* whether the writer answers; give it a
                                     timeout */
    KZ_STORE_SPACE                /* total: bytes of all files, not older
                                     than some seconds */
} kz_store_kind_e;


typedef enum {
    KZ_STORE_OK = 0,
    KZ_STORE_NO_INDEX,
    KZ_STORE_NO_COLLECTION,
    KZ_STORE_NOT_FOUND,           /* the document */
    KZ_STORE_EXISTS,              /* index or document, already */
    KZ_STORE_BAD_NAME,            /* index or collection name refused */
    KZ_STORE_BAD_MAPPING,         /* detail: what is wrong with it */
    KZ_STORE_BAD_TYPE,            /* detail: unknown field type */
    KZ_STORE_MAPPING_CONFLICT,    /* detail: the field that cannot change */
    KZ_STORE_BAD_DOCUMENT,        /* detail: engine-like text for a 400 */
    KZ_STORE_STRICT,              /* detail: the field strict refuses */
    KZ_STORE_BAD_QUERY,           /* detail: the key and its place */
    KZ_STORE_BAD_ROOT_KEY,        /* detail: a key unknown at the root */
    KZ_STORE_BAD_FILTER,          /* detail: what koncorde says of it */
    KZ_STORE_FILTER_KEYWORD,      /* detail: one a search does not know */
    KZ_STORE_FILTER_UNTRANSLATABLE,  /* detail: what a search cannot find */
    KZ_STORE_FETCH_LIMIT,         /* detail: the limit */
    KZ_STORE_BAD_ID,              /* too long */
    KZ_STORE_BUSY,                /* too many in flight: 503 at once */
    KZ_STORE_UNAVAILABLE,         /* not taken in time: nothing was written */
    KZ_STORE_NO_ANSWER,           /* taken, not answered in time */
    KZ_STORE_QUERY_TIMEOUT,
    KZ_STORE_NO_SCROLL,           /* unknown, or its time is over */
    KZ_STORE_CONFLICT,            /* the document has not if_version */
    KZ_STORE_BLOCKED,             /* by index.blocks.write */
    KZ_STORE_LOCKED,              /* the same is going on already */
    KZ_STORE_FAILED               /* detail: the engine's words */
} kz_store_status_e;


typedef struct {
    ngx_str_t            id;
    ngx_str_t            source;       /* JSON text with _kuzzle_info last */
    uint64_t             version;
    double               score;
    ngx_str_t            sort;         /* JSON array text; empty: no sort */
    ngx_str_t            highlight;    /* JSON object text; empty: none */
    unsigned             created:1;
    unsigned             info:1;       /* the source ends with the object
                                          _kuzzle_info: ..."}}" */
    unsigned             scored:1;     /* score is a number, not null */
    unsigned             hidden:1;     /* "_source": false */
    ngx_uint_t           target;       /* the number of the one it is from */
} kz_doc_t;


/* One of the collections that are searched together. */

typedef struct {
    ngx_str_t            index;
    ngx_str_t            collection;
} kz_store_target_t;


#define KZ_STORE_TARGETS_MAX  64


/* One of many documents in one operation. */

typedef struct {
    kz_store_kind_e      kind;         /* CREATE, PUT, REPLACE, UPDATE, DELETE,
                                          UPSERT, FIELDS */
    ngx_str_t            id;           /* empty: one is made */
    ngx_str_t            body;         /* compact JSON */
    ngx_str_t            fallback;     /* UPSERT: an object, or empty */
    unsigned             plain:1;      /* UPSERT: created from fallback alone */

    kz_store_status_e    status;
    ngx_str_t            detail;
    kz_doc_t             doc;          /* as in an operation of its own; brief:
                                          without a source */
} kz_store_item_t;


/* What a collection, or an index, takes. */

typedef struct kz_store_usage_s  kz_store_usage_t;

struct kz_store_usage_s {
    ngx_str_t            name;
    uint64_t             bytes;        /* of a collection: about */
    uint64_t             documents;
    kz_store_usage_t    *collections;  /* of an index */
    ngx_uint_t           ncollections;
};


#define KZ_STORE_ITEMS_MAX  1000       /* of an operation; and bytes of their */
#define KZ_STORE_ITEMS_SIZE (8 * 1024 * 1024)     /* bodies, about */


struct kz_store_op_s {
    kz_store_kind_e      kind;
    kz_req_t            *req;
    kz_step_pt           step;

    /* in */
    ngx_str_t            index;
    ngx_str_t            collection;
    ngx_str_t            id;
    kz_json_val_t        body;         /* compact */
    ngx_int_t            from;         /* search; -1: not given */
    ngx_int_t            size;
    int64_t              scroll;       /* search: keep it open so long, ms;
                                          SCROLL: 0: as long as before */
    kz_store_target_t   *targets;      /* search: all of them, in place of */
    ngx_uint_t           ntargets;     /* index and collection */
    kz_dialect_e         dialect;      /* rules that follow the creator's */
    ngx_msec_t           timeout;      /* a writer's; 0: store_timeout */
    uint64_t             if_version;   /* a write: only over this version;
                                          0: over any */
    kz_store_item_t     *items;        /* in and out */
    ngx_uint_t           nitems;
    kz_json_val_t        settings;     /* COLLECTION_*: an object, or NONE */
    int64_t              cursor;       /* PICK, in and out: 0, then as it was
                                          left, done when there are no docs */
    int64_t              bound;        /* PICK, in and out: 0 at first */
    unsigned             flag:1;       /* see the kinds */
    unsigned             silent:1;     /* no notification */
    unsigned             koncorde:1;   /* the query is a filter */
    unsigned             raw:1;        /* a write: _kuzzle_info is left as the
                                          body has it */
    unsigned             brief:1;      /* items: no sources in the result */
    unsigned             nobody:1;     /* nobody is the author */
    unsigned             internal:1;   /* the index may be one of the
                                          server's own: "%..." */

    /* out */
    kz_store_status_e    status;
    ngx_str_t            detail;
    kz_doc_t             doc;          /* single document; a write: as it is
                                          now; delete: as it was, with the
                                          version the deletion counts as */
    ngx_str_t            changes;      /* update: the body as merged, with
                                          the whole new _kuzzle_info last */
    kz_doc_t            *docs;         /* search */
    ngx_uint_t           ndocs;
    uint64_t             total;        /* search, count */
    ngx_str_t            aggregations; /* search: JSON, or empty */
    ngx_str_t            scroll_id;    /* search with scroll, SCROLL */
    uint64_t             remaining;    /* the same: not shown yet */
    ngx_str_t           *names;        /* list */
    ngx_uint_t           nnames;
    ngx_str_t            mapping;      /* JSON: {dynamic, _meta, properties}
                                          with _kuzzle_info's properties */
    ngx_str_t            text;         /* settings: JSON, values as text */
    kz_store_usage_t    *usage;        /* of the indexes, by name */
    ngx_uint_t           nusage;
    ngx_uint_t           found;        /* exists */

    ngx_pool_cleanup_t  *kept;         /* of the memory of docs, or NULL */
    void                *engine;       /* the engine's own, while parked */
    uint64_t             started;      /* of the monotonic clock, us */
};


/*
 * The server's own documents are those of the index "%kuzzle".  It and its
 * collections come with their first document; clients can neither name nor
 * list it.
 */
#define KZ_STORE_INTERNAL  "%kuzzle"

/* An operation for the request's index, collection and id; NULL: no memory. */
kz_store_op_t *kz_store_op(kz_req_t *req, kz_store_kind_e kind,
    kz_step_pt step);

/*
 * Hands it over.  Sets req->step; NGX_OK: op->status and the results are
 * there already; NGX_AGAIN: parked, kz_req_resume() will be called by an
 * event; NGX_ERROR: refused, the reply says why.  Never runs the step.
 */
ngx_int_t kz_store_submit(kz_store_op_t *op);

/*
 * Frees the memory of op->docs before its time: for requests that ask for
 * many pages.
 */
void kz_store_forget(kz_store_op_t *op);

/* For engines: a parked operation has its status and results. */
void kz_store_done(kz_store_op_t *op);

/* What kinds and statuses are called in statistics; NULL: no such one. */
const char *kz_store_kind_name(ngx_uint_t kind);
const char *kz_store_status_name(ngx_uint_t status);

/* Refuses the request with the error of a failed operation: NGX_ERROR. */
ngx_int_t kz_store_fail(kz_req_t *req, kz_store_op_t *op);

/* Configuration and life cycle, called by the module. */
char *kz_store_configure(ngx_conf_t *cf, kz_main_conf_t *conf);
ngx_int_t kz_store_init_process(ngx_cycle_t *cycle);
void kz_store_exit_process(ngx_cycle_t *cycle);

/* What the engine calls itself. */
const char *kz_store_engine(void);
const char *kz_store_engine_version(void);

/*
 * Whether this worker refused an operation for lack of room within the last
 * second: it should not be sent more.
 */
ngx_uint_t kz_store_overloaded(void);


#endif /* _KZ_STORE_H_INCLUDED_ */
