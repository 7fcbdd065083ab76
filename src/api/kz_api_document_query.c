/*
 * Controller document: writes by query, and the single writes that the store
 * knows as items only.
 *
 * A write by query asks for the ids of what matches, a page at a time, and
 * writes those: no transaction is longer than another one's, and what has
 * changed in between is judged by the writer.
 */

#include "api/kz_document.h"
#include "api/kz_args.h"


#define KZ_QUERY_PAGE  10000           /* ids, when there is no limit */


static ngx_int_t kz_document_one(kz_req_t *req, kz_multi_t *m,
    ngx_str_t *body, ngx_str_t *fallback);
static ngx_int_t kz_document_one_written(kz_req_t *req);
static ngx_int_t kz_document_query(kz_req_t *req, kz_multi_t *m,
    ngx_uint_t needs);
static ngx_int_t kz_document_query_lang(kz_req_t *req, kz_multi_t *m);
static ngx_int_t kz_document_query_next(kz_req_t *req);
static ngx_int_t kz_document_query_found(kz_req_t *req);
static ngx_int_t kz_document_query_items(kz_req_t *req, kz_multi_t *m);
static ngx_int_t kz_document_query_written(kz_req_t *req);
static ngx_int_t kz_document_query_done(kz_req_t *req, kz_multi_t *m);
static ngx_int_t kz_document_query_broken(kz_req_t *req, kz_multi_t *m);


ngx_int_t
kz_document_upsert(kz_req_t *req)
{
    ngx_int_t       rc;
    ngx_str_t       none;
    kz_multi_t     *m;
    kz_json_val_t   changes, initial;

    ngx_str_null(&none);

    m = kz_multi_create(req, KZ_STORE_DOC_UPSERT);
    if (m == NULL) {
        return NGX_ERROR;
    }

    if (kz_multi_flags(req, m) != NGX_OK
        || kz_multi_object(req, "changes", &changes, 1) != NGX_OK
        || kz_multi_routing(req, &changes) != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = kz_multi_object(req, "default", &initial, 0);

    if (rc == NGX_ERROR
        || (rc == NGX_OK && kz_multi_routing(req, &initial) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return kz_document_one(req, m, &changes.raw,
                           rc == NGX_OK ? &initial.raw : &none);
}


ngx_int_t
kz_document_delete_fields(kz_req_t *req)
{
    ngx_str_t       none;
    kz_multi_t     *m;
    kz_json_val_t   fields;

    ngx_str_null(&none);

    m = kz_multi_create(req, KZ_STORE_DOC_FIELDS);
    if (m == NULL) {
        return NGX_ERROR;
    }

    if (kz_multi_flags(req, m) != NGX_OK
        || kz_multi_array(req, "fields", &fields) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_document_one(req, m, &fields.raw, &none);
}


static ngx_int_t
kz_document_one(kz_req_t *req, kz_multi_t *m, ngx_str_t *body,
    ngx_str_t *fallback)
{
    kz_multi_entry_t  *e;

    e = kz_multi_entry(req, m);

    if (e == NULL) {
        return NGX_ERROR;
    }

    e->body = *body;

    if (kz_multi_items(req, m) != NGX_OK) {
        return NGX_ERROR;
    }

    m->items[0].id = req->id;
    m->items[0].fallback = *fallback;
    m->brief = !m->source;
    m->finish = kz_document_one_written;

    return kz_multi_write(req);
}


static ngx_int_t
kz_document_one_written(kz_req_t *req)
{
    kz_multi_t     *m = req->ctx;
    kz_store_op_t  *op = req->op;

    if (m->items[0].status != KZ_STORE_OK) {
        op->status = m->items[0].status;
        op->detail = m->items[0].detail;
        op->id = req->id;

        return kz_store_fail(req, op);
    }

    req->result.type = KZ_RESULT_UPSERTED;

    return NGX_OK;
}


ngx_int_t
kz_document_update_by_query(kz_req_t *req)
{
    kz_multi_t     *m;
    kz_json_val_t   changes;

    m = kz_multi_create(req, KZ_STORE_DOC_UPDATE);
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->type = KZ_RESULT_QUERIED;

    if (kz_multi_flags(req, m) != NGX_OK
        || kz_document_query(req, m, 1) != NGX_OK
        || kz_multi_object(req, "changes", &changes, 1) != NGX_OK
        || kz_multi_routing(req, &changes) != NGX_OK)
    {
        return NGX_ERROR;
    }

    m->changes = changes.raw;
    m->brief = !m->source;
    m->limit = kz_conf->write_count;

    return kz_document_query_next(req);
}


ngx_int_t
kz_document_delete_by_query(kz_req_t *req)
{
    kz_multi_t  *m;

    m = kz_multi_create(req, KZ_STORE_DOC_DELETE);
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->type = KZ_RESULT_ERASED;

    if (kz_multi_flags(req, m) != NGX_OK
        || kz_document_refresh(req) != NGX_OK
        || kz_document_query(req, m, req->dialect == KZ_DIALECT_1) != NGX_OK)
    {
        return NGX_ERROR;
    }

    m->brief = !m->source;

    if (req->dialect == KZ_DIALECT_2) {
        m->limit = kz_conf->write_count;
    }

    return kz_document_query_next(req);
}


/* bulk: without a limit, and nobody is told; Kuzzle: no metadata either. */

ngx_int_t
kz_document_bulk_update(kz_req_t *req)
{
    kz_multi_t     *m;
    kz_json_val_t   changes;

    m = kz_multi_create(req, KZ_STORE_DOC_UPDATE);
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->type = KZ_RESULT_JSON;

    if (kz_document_query(req, m, 1) != NGX_OK
        || kz_multi_object(req, "changes", &changes, 1) != NGX_OK
        || kz_multi_routing(req, &changes) != NGX_OK)
    {
        return NGX_ERROR;
    }

    m->changes = changes.raw;
    m->brief = 1;
    m->silent = 1;
    m->raw = 1;

    return kz_document_query_next(req);
}


ngx_int_t
kz_document_bulk_delete(kz_req_t *req)
{
    kz_multi_t  *m;

    m = kz_multi_create(req, KZ_STORE_DOC_DELETE);
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->type = KZ_RESULT_JSON;

    if (kz_document_query(req, m, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    m->brief = 1;
    m->silent = 1;

    return kz_document_query_next(req);
}


static ngx_int_t
kz_document_query(kz_req_t *req, kz_multi_t *m, ngx_uint_t needs)
{
    kz_out_t        o;
    ngx_int_t       rc;
    kz_json_val_t   query;

    rc = kz_multi_object(req, "query", &query, needs);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    m->query.type = KZ_JSON_NONE;
    m->by_query = 1;

    if (rc == NGX_OK && query.raw.len > 2) {
        kz_out_init(&o, req->pool, query.raw.len + 16);
        kz_out_lit(&o, "{\"query\":");
        kz_out_str(&o, &query.raw);
        kz_out_char(&o, '}');

        if (kz_out_failed(&o)) {
            return NGX_ERROR;
        }

        kz_json_value(o.start, o.pos, &m->query);
    }

    return kz_document_query_lang(req, m);
}


static ngx_int_t
kz_document_query_lang(kz_req_t *req, kz_multi_t *m)
{
    ngx_uint_t  koncorde;

    if (kz_document_lang(req, &koncorde) != NGX_OK) {
        return NGX_ERROR;
    }

    m->koncorde = koncorde;

    return NGX_OK;
}


/* The next ids, one more than allowed. */

static ngx_int_t
kz_document_query_next(kz_req_t *req)
{
    kz_multi_t     *m = req->ctx;
    kz_store_op_t  *op;

    if (m->page && m->ids == NULL) {
        kz_store_forget(m->page);
    }

    op = kz_store_op(req, KZ_STORE_DOC_PICK, kz_document_query_found);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->body = m->query;
    op->size = m->limit ? m->limit + 1 : KZ_QUERY_PAGE;
    op->cursor = m->cursor;
    op->bound = m->bound;
    op->koncorde = m->koncorde;

    return kz_store_submit(op);
}


static ngx_int_t
kz_document_query_found(kz_req_t *req)
{
    kz_multi_t     *m = req->ctx;
    kz_store_op_t  *op = req->op;

    if (op->status != KZ_STORE_OK) {

        if (m->total && m->kind == KZ_STORE_DOC_UPDATE) {
            return kz_document_query_broken(req, m);
        }

        return kz_store_fail(req, op);
    }

    if (kz_multi_limit(req, KZ_E_STORAGE_WRITE_LIMIT_EXCEEDED, op->ndocs,
                       m->limit)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (op->ndocs == 0) {
        return kz_document_query_done(req, m);
    }

    m->page = op;
    m->cursor = op->cursor;
    m->bound = op->bound;

    if (kz_document_query_items(req, m) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_multi_write(req);
}


/* The memory of a page is used again for the next one. */

static ngx_int_t
kz_document_query_items(kz_req_t *req, kz_multi_t *m)
{
    ngx_uint_t       i;
    kz_store_op_t   *op = req->op;
    kz_store_item_t *item;

    if (m->items == NULL) {
        m->items = ngx_palloc(req->pool, op->size * sizeof(kz_store_item_t));

        if (m->items == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memzero(m->items, op->ndocs * sizeof(kz_store_item_t));

    for (i = 0; i < op->ndocs; i++) {
        item = &m->items[i];

        item->kind = m->kind;
        item->id = op->docs[i].id;
        item->body = m->changes;
    }

    m->nitems = op->ndocs;
    m->next = 0;
    m->pair = 0;
    m->pairs[0].last = m->nitems;
    m->finish = kz_document_query_written;

    return NGX_OK;
}


static ngx_int_t
kz_document_query_written(kz_req_t *req)
{
    ngx_str_t        *id;
    ngx_uint_t        i, refused;
    kz_multi_t       *m = req->ctx;
    kz_store_item_t  *item;

    refused = 0;

    if (m->ids == NULL && m->type == KZ_RESULT_ERASED) {
        m->ids = ngx_array_create(req->pool, m->nitems, sizeof(ngx_str_t));

        if (m->ids == NULL) {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < m->nitems; i++) {
        item = &m->items[i];

        if (item->status == KZ_STORE_NOT_FOUND) {

            /* gone by now: it does not match any more */

            continue;
        }

        if (item->status != KZ_STORE_OK) {
            refused = 1;
            continue;
        }

        m->total++;

        if (m->ids) {
            id = ngx_array_push(m->ids);

            if (id == NULL) {
                return NGX_ERROR;
            }

            *id = item->id;
        }
    }

    if (refused && m->type == KZ_RESULT_JSON) {
        return kz_document_query_broken(req, m);
    }

    if (m->limit || m->cursor >= m->bound) {
        return kz_document_query_done(req, m);
    }

    return kz_document_query_next(req);
}


static ngx_int_t
kz_document_query_done(kz_req_t *req, kz_multi_t *m)
{
    kz_out_t  o;

    if (m->type != KZ_RESULT_JSON) {
        req->result.type = m->type;

        return m->type == KZ_RESULT_QUERIED ? kz_multi_finish(req) : NGX_OK;
    }

    kz_out_init(&o, req->pool, 64);

    if (m->kind == KZ_STORE_DOC_UPDATE) {
        kz_out_lit(&o, "{\"updated\":");

    } else {
        kz_out_lit(&o, "{\"deleted\":");
    }

    kz_out_int(&o, m->total);
    kz_out_char(&o, '}');

    return kz_result_json(req, &o);
}


static ngx_int_t
kz_document_query_broken(kz_req_t *req, kz_multi_t *m)
{
    u_char           *p;
    kz_out_t          o;
    ngx_str_t         text;
    kz_store_item_t  *item;

    p = ngx_pnalloc(req->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text.data = p;
    text.len = ngx_sprintf(p, "%uL", m->total) - p;

    kz_out_init(&o, req->pool, 256);
    kz_out_char(&o, '[');
    req->nerrors = 0;

    for (item = m->items; item < m->items + m->nitems; item++) {

        if (item->status != KZ_STORE_OK
            && item->status != KZ_STORE_NOT_FOUND)
        {
            if (req->nerrors++) {
                kz_out_char(&o, ',');
            }

            kz_dialect_multi_error(req, m, item, &o);
        }
    }

    kz_out_char(&o, ']');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    req->errors.data = o.start;
    req->errors.len = kz_out_len(&o);

    return kz_fail(req, KZ_E_STORAGE_INCOMPLETE_UPDATE, 1, &text);
}
