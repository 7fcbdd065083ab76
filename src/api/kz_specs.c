
/*
 * Specifications at work: see the header.
 *
 *     write -> known? -> (load) -> check, fill -> submit
 *                            update: read -> merge, check -> submit over the
 *                                    version that was read; lost: again
 */

#include "api/kz_specs.h"
#include "api/kz_specs_cache.h"

#include "core/kz_bus.h"


#define KZ_SPECS_TRIES     64          /* lost races of one update */
#define KZ_SPECS_PAGE      100


/* What a request that meets a specification remembers. */

typedef struct {
    kz_step_pt         step;           /* the caller's */
    kz_step_pt         loaded;
    kz_store_kind_e    kind;
    ngx_uint_t         silent;
    ngx_uint_t         tries;
    uint64_t           version;        /* when the reading began */

    void              *caller;         /* drop: its req->ctx */
    ngx_str_t          index;
    kz_doc_t          *docs;
    ngx_uint_t         ndocs;
} kz_specs_ctx_t;


static ngx_int_t kz_specs_load(kz_req_t *req, kz_step_pt loaded);
static ngx_int_t kz_specs_loaded(kz_req_t *req);
static ngx_int_t kz_specs_write_loaded(kz_req_t *req);
static ngx_int_t kz_specs_apply(kz_req_t *req, kz_spec_t *spec);
static ngx_int_t kz_specs_submit(kz_req_t *req, kz_json_val_t *body,
    uint64_t version);
static ngx_int_t kz_specs_update_read(kz_req_t *req);
static ngx_int_t kz_specs_update(kz_req_t *req, kz_spec_t *spec,
    kz_doc_t *doc);
static ngx_int_t kz_specs_written(kz_req_t *req);
static ngx_int_t kz_specs_again(kz_req_t *req);
static ngx_int_t kz_specs_fields(kz_req_t *req, kz_spec_t *spec,
    kz_json_val_t *doc);
static ngx_int_t kz_specs_filter(kz_req_t *req, kz_spec_t *spec,
    kz_json_val_t *doc);
static ngx_int_t kz_specs_fill(kz_req_t *req, kz_spec_t *spec,
    ngx_uint_t update, kz_json_val_t *body);
static ngx_int_t kz_specs_merge(kz_req_t *req, kz_doc_t *doc,
    kz_json_val_t *changes, kz_json_val_t *merged);
static ngx_int_t kz_specs_refuse(kz_req_t *req, kz_spec_failure_t *f);
static ngx_int_t kz_specs_message_loaded(kz_req_t *req);
static ngx_int_t kz_specs_validate_loaded(kz_req_t *req);
static ngx_int_t kz_specs_report(kz_req_t *req, kz_spec_t *spec);
static ngx_int_t kz_specs_drop_page(kz_req_t *req);
static ngx_int_t kz_specs_drop_found(kz_req_t *req);
static ngx_int_t kz_specs_dropped(kz_req_t *req);
static ngx_int_t kz_specs_drop_end(kz_req_t *req);
static ngx_int_t kz_specs_body(kz_req_t *req);


kz_store_op_t *
kz_specs_op(kz_req_t *req, kz_store_kind_e kind, ngx_str_t *index,
    ngx_str_t *collection, kz_step_pt step)
{
    u_char         *p;
    kz_store_op_t  *op;

    op = kz_store_op(req, kind, step);
    if (op == NULL) {
        return NULL;
    }

    ngx_str_set(&op->index, KZ_STORE_INTERNAL);
    ngx_str_set(&op->collection, KZ_SPECS_COLLECTION);
    ngx_str_null(&op->id);

    op->internal = 1;
    op->silent = 1;

    if (collection == NULL) {
        return op;
    }

    op->id.len = index->len + collection->len + 1;
    op->id.data = ngx_pnalloc(req->pool, op->id.len);
    if (op->id.data == NULL) {
        return NULL;
    }

    p = ngx_cpymem(op->id.data, index->data, index->len);
    *p++ = '#';
    ngx_memcpy(p, collection->data, collection->len);

    return op;
}


ngx_uint_t
kz_specs_absent(kz_store_op_t *op)
{
    return op->status == KZ_STORE_NO_INDEX
           || op->status == KZ_STORE_NO_COLLECTION
           || op->status == KZ_STORE_NOT_FOUND;
}


static ngx_int_t
kz_specs_load(kz_req_t *req, kz_step_pt loaded)
{
    kz_store_op_t   *op;
    kz_specs_ctx_t  *ctx = req->ctx;

    op = kz_specs_op(req, KZ_STORE_DOC_GET, &req->index, &req->collection,
                     kz_specs_loaded);
    if (op == NULL) {
        return NGX_ERROR;
    }

    ctx->loaded = loaded;
    ctx->version = kz_bus_internal_version();

    return kz_store_submit(op);
}


/*
 * The copy goes into the cache as of when the reading began: ctx->loaded,
 * which finds it there, may find it stale and begin again.
 */

static ngx_int_t
kz_specs_loaded(kz_req_t *req)
{
    kz_store_op_t   *op = req->op;
    kz_specs_ctx_t  *ctx = req->ctx;

    if (op->status != KZ_STORE_OK && !kz_specs_absent(op)) {
        return kz_store_fail(req, op);
    }

    if (kz_specs_keep(req, op, ctx->version) != NGX_OK) {
        return NGX_ERROR;
    }

    return ctx->loaded(req);
}


ngx_int_t
kz_specs_write(kz_req_t *req, kz_store_kind_e kind, ngx_uint_t silent,
    kz_step_pt step)
{
    ngx_int_t        rc;
    kz_spec_t       *spec;
    kz_specs_ctx_t  *ctx;

    rc = kz_specs_find(req, &spec);

    if (rc == NGX_OK && spec == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_pcalloc(req->pool, sizeof(kz_specs_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->step = step;
    ctx->kind = kind;
    ctx->silent = silent;

    req->ctx = ctx;

    if (rc == NGX_OK) {
        return kz_specs_apply(req, spec);
    }

    return kz_specs_load(req, kz_specs_write_loaded);
}


static ngx_int_t
kz_specs_write_loaded(kz_req_t *req)
{
    kz_specs_entry_t  *e;

    /*
     * As read, even if other specifications have changed since: this one was
     * read after the request came.
     */

    e = kz_specs_entry(&req->index, &req->collection);

    if (e == NULL || e->spec == NULL) {
        return kz_specs_submit(req, &req->body, 0);
    }

    return kz_specs_apply(req, e->spec);
}


static ngx_int_t
kz_specs_apply(kz_req_t *req, kz_spec_t *spec)
{
    kz_json_val_t    body;
    kz_store_op_t   *op;
    kz_specs_ctx_t  *ctx = req->ctx;

    if (kz_specs_body(req) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->kind == KZ_STORE_DOC_UPDATE) {
        op = kz_store_op(req, KZ_STORE_DOC_GET, kz_specs_update_read);
        if (op == NULL) {
            return NGX_ERROR;
        }

        ctx->version = kz_bus_internal_version();

        return kz_store_submit(op);
    }

    body = req->body;

    if (kz_specs_fields(req, spec, &body) != NGX_OK
        || kz_specs_fill(req, spec, 0, &body) != NGX_OK
        || kz_specs_filter(req, spec, &body) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_specs_submit(req, &body, 0);
}


static ngx_int_t
kz_specs_body(kz_req_t *req)
{
    static ngx_str_t  body = ngx_string("body");
    static ngx_str_t  object = ngx_string("object");

    if (req->body.type == KZ_JSON_OBJECT) {
        return NGX_OK;
    }

    return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &body, &object);
}


static ngx_int_t
kz_specs_submit(kz_req_t *req, kz_json_val_t *body, uint64_t version)
{
    kz_store_op_t   *op;
    kz_specs_ctx_t  *ctx = req->ctx;

    op = kz_store_op(req, ctx->kind, version ? kz_specs_written : ctx->step);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->body = *body;
    op->silent = ctx->silent;
    op->if_version = version;

    return kz_store_submit(op);
}


static ngx_int_t
kz_specs_update_read(kz_req_t *req)
{
    kz_store_op_t     *op = req->op;
    kz_specs_ctx_t    *ctx = req->ctx;
    kz_specs_entry_t  *e;

    if (op->status != KZ_STORE_OK) {

        /* refused as the update it is */

        op->kind = KZ_STORE_DOC_UPDATE;
        return kz_store_fail(req, op);
    }

    e = kz_specs_entry(&req->index, &req->collection);

    if (e == NULL || ctx->version != kz_bus_internal_version()) {
        return kz_specs_again(req);
    }

    if (e->spec == NULL) {
        return kz_specs_submit(req, &req->body, 0);
    }

    return kz_specs_update(req, e->spec, &op->doc);
}


/* From the start; too often: the document, or its rules, change too fast. */

static ngx_int_t
kz_specs_again(kz_req_t *req)
{
    kz_specs_ctx_t  *ctx = req->ctx;

    if (++ctx->tries < KZ_SPECS_TRIES) {
        return kz_specs_load(req, kz_specs_write_loaded);
    }

    return kz_fail(req, KZ_E_STORAGE_TOO_MANY_CHANGES, 1, &req->id);
}


static ngx_int_t
kz_specs_update(kz_req_t *req, kz_spec_t *spec, kz_doc_t *doc)
{
    kz_json_val_t  changes, merged;

    changes = req->body;

    if (kz_specs_merge(req, doc, &changes, &merged) != NGX_OK
        || kz_specs_fields(req, spec, &merged) != NGX_OK
        || kz_specs_fill(req, spec, 1, &changes) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (changes.raw.data != req->body.raw.data
        && kz_specs_merge(req, doc, &changes, &merged) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_specs_filter(req, spec, &merged) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_specs_submit(req, &changes, doc->version);
}


static ngx_int_t
kz_specs_merge(kz_req_t *req, kz_doc_t *doc, kz_json_val_t *changes,
    kz_json_val_t *merged)
{
    ngx_str_t      text;
    kz_json_val_t  old;

    kz_json_value(doc->source.data, doc->source.data + doc->source.len,
                  &old);

    if (kz_json_merge(req->pool, &old, changes, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_json_value(text.data, text.data + text.len, merged);

    return NGX_OK;
}


static ngx_int_t
kz_specs_written(kz_req_t *req)
{
    kz_specs_ctx_t  *ctx = req->ctx;

    if (req->op->status == KZ_STORE_CONFLICT) {
        return kz_specs_again(req);
    }

    return ctx->step(req);
}


static ngx_int_t
kz_specs_fields(kz_req_t *req, kz_spec_t *spec, kz_json_val_t *doc)
{
    ngx_int_t          rc;
    kz_spec_failure_t  f;

    rc = kz_spec_check(spec, req->pool, doc, req->timestamp, &f);

    return rc == NGX_DECLINED ? kz_specs_refuse(req, &f) : rc;
}


static ngx_int_t
kz_specs_filter(kz_req_t *req, kz_spec_t *spec, kz_json_val_t *doc)
{
    ngx_int_t          rc;
    kz_spec_failure_t  f;

    rc = kz_spec_check_filter(spec, doc, &req->id, &f);

    return rc == NGX_DECLINED ? kz_specs_refuse(req, &f) : rc;
}


static ngx_int_t
kz_specs_fill(kz_req_t *req, kz_spec_t *spec, ngx_uint_t update,
    kz_json_val_t *body)
{
    kz_json_val_t  filled;

    static ngx_str_t  large =
        ngx_string("too large with its default values.");

    switch (kz_spec_fill(spec, req->pool, body, update, &filled)) {

    case NGX_OK:
        *body = filled;
        return NGX_OK;

    case NGX_DECLINED:
        return NGX_OK;

    case NGX_ABORT:
        return kz_fail(req, KZ_E_VALIDATION_CHECK_FAILED_DOCUMENT, 1,
                       &large);

    default:
        return NGX_ERROR;
    }
}


static ngx_int_t
kz_specs_refuse(kz_req_t *req, kz_spec_failure_t *f)
{
    if (f->path.len == 0) {
        return kz_fail(req, KZ_E_VALIDATION_CHECK_FAILED_DOCUMENT, 1,
                       &f->message);
    }

    /* the copy may go before the reply is written */

    f->path.data = ngx_pstrdup(req->pool, &f->path);
    if (f->path.data == NULL) {
        return NGX_ERROR;
    }

    return kz_fail(req, KZ_E_VALIDATION_CHECK_FAILED_FIELD, 2, &f->path,
                   &f->message);
}


ngx_int_t
kz_specs_message(kz_req_t *req, kz_step_pt step)
{
    ngx_int_t        rc;
    kz_spec_t       *spec;
    kz_specs_ctx_t  *ctx;

    rc = kz_specs_find(req, &spec);

    if (rc == NGX_OK && spec == NULL) {
        return step(req);
    }

    ctx = ngx_pcalloc(req->pool, sizeof(kz_specs_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->step = step;
    req->ctx = ctx;

    if (rc == NGX_OK) {
        return kz_specs_message_loaded(req);
    }

    return kz_specs_load(req, kz_specs_message_loaded);
}


static ngx_int_t
kz_specs_message_loaded(kz_req_t *req)
{
    kz_specs_ctx_t    *ctx = req->ctx;
    kz_specs_entry_t  *e;

    e = kz_specs_entry(&req->index, &req->collection);

    if (e != NULL && e->spec != NULL
        && (kz_specs_body(req) != NGX_OK
            || kz_specs_fields(req, e->spec, &req->body) != NGX_OK
            || kz_specs_fill(req, e->spec, 0, &req->body) != NGX_OK
            || kz_specs_filter(req, e->spec, &req->body) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ctx->step(req);
}


ngx_int_t
kz_specs_validate(kz_req_t *req)
{
    kz_spec_t       *spec;
    kz_specs_ctx_t  *ctx;

    if (kz_specs_body(req) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_specs_find(req, &spec) == NGX_OK) {
        return kz_specs_report(req, spec);
    }

    ctx = ngx_pcalloc(req->pool, sizeof(kz_specs_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    req->ctx = ctx;

    return kz_specs_load(req, kz_specs_validate_loaded);
}


static ngx_int_t
kz_specs_validate_loaded(kz_req_t *req)
{
    kz_specs_entry_t  *e;

    e = kz_specs_entry(&req->index, &req->collection);

    return kz_specs_report(req, e ? e->spec : NULL);
}


static ngx_int_t
kz_specs_report(kz_req_t *req, kz_spec_t *spec)
{
    kz_out_t  o;

    kz_out_init(&o, req->pool, 256);

    if (spec == NULL) {
        kz_out_lit(&o, "{\"errorMessages\":{},\"valid\":true}");

    } else if (kz_spec_report(spec, req->pool, &req->body, &req->id,
                              req->timestamp, &o)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_result_json(req, &o);
}


ngx_int_t
kz_specs_drop(kz_req_t *req, ngx_str_t *index, ngx_str_t *collection,
    kz_step_pt step)
{
    kz_store_op_t   *op;
    kz_specs_ctx_t  *ctx;

    ctx = ngx_pcalloc(req->pool, sizeof(kz_specs_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->step = step;
    ctx->index = *index;
    ctx->caller = req->ctx;
    req->ctx = ctx;

    if (collection == NULL) {
        return kz_specs_drop_page(req);
    }

    op = kz_specs_op(req, KZ_STORE_DOC_DELETE, index, collection,
                     kz_specs_dropped);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_specs_drop_page(kz_req_t *req)
{
    kz_out_t         o;
    kz_json_err_t    err;
    kz_store_op_t   *op;
    kz_specs_ctx_t  *ctx = req->ctx;

    op = kz_specs_op(req, KZ_STORE_DOC_SEARCH, NULL, NULL,
                     kz_specs_drop_found);

    kz_out_init(&o, req->pool, 128);
    kz_out_lit(&o, "{\"query\":{\"term\":{\"index\":");
    kz_out_json_str(&o, &ctx->index);
    kz_out_lit(&o, "}}}");

    if (op == NULL || kz_out_failed(&o)
        || kz_json_scan(o.start, kz_out_len(&o), 8, &op->body, &err)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    op->size = KZ_SPECS_PAGE;

    return kz_store_submit(op);
}


static ngx_int_t
kz_specs_drop_found(kz_req_t *req)
{
    kz_store_op_t   *op = req->op;
    kz_specs_ctx_t  *ctx = req->ctx;

    if (op->status != KZ_STORE_OK && !kz_specs_absent(op)) {
        return kz_store_fail(req, op);
    }

    if (op->status != KZ_STORE_OK || op->ndocs == 0) {
        return kz_specs_drop_end(req);
    }

    ctx->docs = op->docs;
    ctx->ndocs = op->ndocs;

    return kz_specs_dropped(req);
}


/* The next one of the page; after the page, the next page. */

static ngx_int_t
kz_specs_dropped(kz_req_t *req)
{
    kz_store_op_t   *op = req->op;
    kz_specs_ctx_t  *ctx = req->ctx;

    if (op->status != KZ_STORE_OK && !kz_specs_absent(op)) {
        return kz_store_fail(req, op);
    }

    if (ctx->ndocs == 0) {
        return ctx->docs ? kz_specs_drop_page(req) : kz_specs_drop_end(req);
    }

    op = kz_specs_op(req, KZ_STORE_DOC_DELETE, NULL, NULL, kz_specs_dropped);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->id = ctx->docs[--ctx->ndocs].id;

    return kz_store_submit(op);
}


static ngx_int_t
kz_specs_drop_end(kz_req_t *req)
{
    kz_specs_ctx_t  *ctx = req->ctx;

    req->ctx = ctx->caller;

    return ctx->step(req);
}
