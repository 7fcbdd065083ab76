/*
 * Controller document: the actions on many documents at once.
 */

#include "api/kz_document.h"
#include "api/kz_multi.h"
#include "api/kz_args.h"


static ngx_int_t kz_document_many(kz_req_t *req, kz_store_kind_e kind);
static ngx_int_t kz_document_given(kz_req_t *req, kz_multi_t *m,
    kz_json_val_t *v);
static ngx_int_t kz_document_given_body(kz_req_t *req, kz_multi_t *m,
    kz_multi_entry_t *e);
static ngx_int_t kz_document_given_id(kz_req_t *req, kz_multi_t *m,
    kz_multi_entry_t *e, kz_json_val_t *id);
static ngx_int_t kz_document_given_default(kz_req_t *req, kz_multi_t *m);
static ngx_int_t kz_document_ids(kz_req_t *req, kz_multi_t *m);
static ngx_int_t kz_document_ids_text(kz_req_t *req, ngx_str_t *text,
    kz_json_val_t *v);
static ngx_int_t kz_document_fetch(kz_req_t *req, kz_store_kind_e kind,
    kz_result_e type);
static ngx_int_t kz_document_fetched(kz_req_t *req);


ngx_int_t
kz_document_mcreate(kz_req_t *req)
{
    return kz_document_many(req, KZ_STORE_DOC_CREATE);
}


ngx_int_t
kz_document_mcreate_or_replace(kz_req_t *req)
{
    return kz_document_many(req, KZ_STORE_DOC_PUT);
}


ngx_int_t
kz_document_mreplace(kz_req_t *req)
{
    return kz_document_many(req, KZ_STORE_DOC_REPLACE);
}


ngx_int_t
kz_document_mupdate(kz_req_t *req)
{
    return kz_document_many(req, KZ_STORE_DOC_UPDATE);
}


ngx_int_t
kz_document_mupsert(kz_req_t *req)
{
    return kz_document_many(req, KZ_STORE_DOC_UPSERT);
}


static ngx_int_t
kz_document_many(kz_req_t *req, kz_store_kind_e kind)
{
    kz_multi_t     *m;
    kz_json_val_t   docs;

    m = kz_multi_create(req, kind);
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->type = KZ_RESULT_MULTI;
    m->error = KZ_E_STORAGE_INCOMPLETE_CREATE;

    if (kz_multi_flags(req, m) != NGX_OK
        || kz_document_refresh(req) != NGX_OK
        || kz_multi_array(req, "documents", &docs) != NGX_OK
        || kz_document_many_given(req, m, &docs) != NGX_OK
        || kz_multi_limit(req, KZ_E_STORAGE_WRITE_LIMIT_EXCEEDED,
                          req->dialect == KZ_DIALECT_2 ? m->nentries
                                                       : m->nitems,
                          kz_conf->write_count)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_multi_write(req);
}


ngx_int_t
kz_document_many_given(kz_req_t *req, kz_multi_t *m, kz_json_val_t *docs)
{
    kz_json_val_t    v;
    kz_json_iter_t   it;

    kz_json_iter(&it, docs);

    while (kz_json_next(&it, &v) == NGX_OK) {

        if (kz_document_given(req, m, &v) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (kz_multi_items(req, m) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_document_given_default(req, m);
}


/* One entry: {_id, body}, of mUpsert {_id, changes, default}. */

static ngx_int_t
kz_document_given(kz_req_t *req, kz_multi_t *m, kz_json_val_t *v)
{
    ngx_str_t          name, allowed;
    kz_json_val_t      id;
    kz_multi_entry_t  *e;

    e = kz_multi_entry(req, m);
    if (e == NULL) {
        return NGX_ERROR;
    }

    e->given = *v;
    id.type = KZ_JSON_NONE;

    if (v->type == KZ_JSON_OBJECT) {

        if (req->dialect == KZ_DIALECT_2
            && kz_json_get(v, "_source", 7, &id) == NGX_OK)
        {
            ngx_str_set(&name, "_source");
            ngx_str_set(&allowed, "body");

            return kz_fail(req, KZ_E_ASSERT_UNEXPECTED_ARGUMENT, 2, &name,
                           &allowed);
        }

        id.type = KZ_JSON_NONE;
        (void) kz_json_get(v, "_id", 3, &id);
    }

    if (kz_document_given_body(req, m, e) != NGX_OK) {
        return NGX_ERROR;
    }

    if (e->reason) {
        return NGX_OK;
    }

    return kz_document_given_id(req, m, e, &id);
}


static ngx_int_t
kz_document_given_body(kz_req_t *req, kz_multi_t *m, kz_multi_entry_t *e)
{
    size_t          len;
    const char     *name;
    kz_json_val_t   body, other;

    body.type = KZ_JSON_NONE;
    name = (m->kind == KZ_STORE_DOC_UPSERT) ? "changes" : "body";
    len = ngx_strlen(name);

    if (e->given.type == KZ_JSON_OBJECT) {
        (void) kz_json_get(&e->given, name, len, &body);
    }

    if (body.type != KZ_JSON_OBJECT) {

        if (m->kind == KZ_STORE_DOC_UPSERT) {
            e->reason = "document changes must be an object";

        } else if (req->dialect == KZ_DIALECT_2) {
            e->reason = "document body must be an object";

        } else {
            e->reason = "bad format";
        }

        return NGX_OK;
    }

    e->body = body.raw;

    if (m->kind == KZ_STORE_DOC_UPSERT
        && kz_json_get(&e->given, "default", 7, &other) == NGX_OK
        && other.type != KZ_JSON_NULL && other.type != KZ_JSON_OBJECT)
    {
        e->reason = "document default must be an object";
        return NGX_OK;
    }

    return kz_multi_routing(req, &body);
}



static ngx_int_t
kz_document_given_id(kz_req_t *req, kz_multi_t *m, kz_multi_entry_t *e,
    kz_json_val_t *id)
{
    ngx_uint_t  needs;

    needs = (m->kind == KZ_STORE_DOC_UPDATE
             || m->kind == KZ_STORE_DOC_REPLACE
             || m->kind == KZ_STORE_DOC_UPSERT);

    switch (id->type) {

    case KZ_JSON_STRING:
        if (kz_json_string(req->pool, id, &e->id) != NGX_OK) {
            return NGX_ERROR;
        }

        break;

    case KZ_JSON_NUMBER:

        /* Kuzzle: the engine makes a text of it */

        if (!needs) {
            e->id = id->raw;
        }

        break;

    case KZ_JSON_NONE:
    case KZ_JSON_NULL:
    case KZ_JSON_FALSE:
        break;

    default:
        needs = 1;
        break;
    }

    if (needs && e->id.len == 0) {
        e->reason = (req->dialect == KZ_DIALECT_2)
                    ? "document _id must be a string"
                    : "a document ID is required";
    }

    return NGX_OK;
}


/* What the items have beside their bodies. */

static ngx_int_t
kz_document_given_default(kz_req_t *req, kz_multi_t *m)
{
    ngx_uint_t         i;
    kz_json_val_t      v;
    kz_multi_entry_t  *e;

    for (i = 0; i < m->nentries; i++) {
        e = &m->entries[i];

        if (e->item == NULL) {
            continue;
        }

        e->item->id = e->id;

        if (m->kind != KZ_STORE_DOC_UPSERT
            || kz_json_get(&e->given, "default", 7, &v) != NGX_OK
            || v.type != KZ_JSON_OBJECT)
        {
            continue;
        }

        if (kz_multi_routing(req, &v) != NGX_OK) {
            return NGX_ERROR;
        }

        e->item->fallback = v.raw;
    }

    return NGX_OK;
}


ngx_int_t
kz_document_mdelete(kz_req_t *req)
{
    kz_multi_t  *m;

    m = kz_multi_create(req, KZ_STORE_DOC_DELETE);
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->type = KZ_RESULT_ERASED;
    m->error = KZ_E_STORAGE_INCOMPLETE_DELETE;
    m->brief = 1;

    if (kz_multi_flags(req, m) != NGX_OK
        || kz_document_refresh(req) != NGX_OK
        || kz_document_ids(req, m) != NGX_OK
        || kz_multi_limit(req, KZ_E_STORAGE_WRITE_LIMIT_EXCEEDED, m->nentries,
                          kz_conf->write_count)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_multi_write(req);
}


/* Entries of ids: in the body, or (2.x, the ones that read) in the URL. */

static ngx_int_t
kz_document_ids(kz_req_t *req, kz_multi_t *m)
{
    kz_arg_t          *arg;
    ngx_uint_t         i;
    kz_json_val_t      ids, v;
    kz_json_iter_t     it;
    kz_multi_entry_t  *e;

    arg = NULL;

    if (req->dialect == KZ_DIALECT_2 && m->kind != KZ_STORE_DOC_DELETE) {
        arg = kz_req_arg(req, "ids", 3);
    }

    if (arg == NULL) {

        if (kz_multi_array(req, "ids", &ids) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (arg->val.type == KZ_JSON_ARRAY) {
        ids = arg->val;

    } else if (kz_document_ids_text(req, &arg->text, &ids) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_json_iter(&it, &ids);

    while (kz_json_next(&it, &v) == NGX_OK) {

        e = kz_multi_entry(req, m);
        if (e == NULL) {
            return NGX_ERROR;
        }

        e->given = v;

        if (v.type != KZ_JSON_STRING) {
            e->reason = (req->dialect == KZ_DIALECT_2)
                        ? "document _id must be a string"
                        : "the document ID must be a string";

        } else if (kz_json_string(req->pool, &v, &e->id) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (kz_multi_items(req, m) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < m->nentries; i++) {
        if (m->entries[i].item) {
            m->entries[i].item->id = m->entries[i].id;
        }
    }

    return NGX_OK;
}


/* A JSON array as text, or ids with commas between them. */

static ngx_int_t
kz_document_ids_text(kz_req_t *req, ngx_str_t *text, kz_json_val_t *v)
{
    u_char         *p, *end, *start;
    kz_out_t        o;
    ngx_str_t       name, type;
    kz_json_err_t   err;

    if (text->len && text->data[0] == '[') {

        if (kz_json_scan(text->data, text->len, 2, v, &err) != NGX_OK
            || v->type != KZ_JSON_ARRAY)
        {
            ngx_str_set(&name, "ids");
            ngx_str_set(&type, "array");

            return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &name, &type);
        }

        return NGX_OK;
    }

    kz_out_init(&o, req->pool, text->len + 64);
    kz_out_char(&o, '[');

    p = text->data;
    end = p + text->len;

    for (start = p; start < end; start = p + 1) {

        for (p = start; p < end && *p != ','; p++) { /* void */ }

        if (start > text->data) {
            kz_out_char(&o, ',');
        }

        kz_out_json(&o, start, p - start);
    }

    kz_out_char(&o, ']');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    kz_json_value(o.start, o.pos, v);

    return NGX_OK;
}


ngx_int_t
kz_document_mget(kz_req_t *req)
{
    return kz_document_fetch(req, KZ_STORE_DOC_MGET, KZ_RESULT_FETCHED);
}


ngx_int_t
kz_document_mexists(kz_req_t *req)
{
    return kz_document_fetch(req, KZ_STORE_DOC_MEXISTS, KZ_RESULT_PRESENT);
}


static ngx_int_t
kz_document_fetch(kz_req_t *req, kz_store_kind_e kind, kz_result_e type)
{
    kz_multi_t     *m;
    kz_store_op_t  *op;

    m = kz_multi_create(req, kind);
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->type = type;
    m->error = KZ_E_STORAGE_INCOMPLETE_FETCH;

    if (kz_multi_flags(req, m) != NGX_OK
        || kz_document_ids(req, m) != NGX_OK
        || kz_multi_limit(req, KZ_E_STORAGE_GET_LIMIT_EXCEEDED, m->nentries,
                          kz_conf->fetch_count)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    op = kz_store_op(req, kind, kz_document_fetched);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->items = m->items;
    op->nitems = m->nitems;

    return kz_store_submit(op);
}


static ngx_int_t
kz_document_fetched(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    return kz_multi_finish(req);
}
