/*
 * Controller admin: collections and documents from one body, in its order.
 *
 *     loadMappings   {index: {collection: mapping, or {mappings, settings}}}
 *     loadFixtures   {index: {collection: [lines as in bulk:import]}}
 *
 * The first failure ends it; what was done before stays.
 */

#include "api/kz_router.h"
#include "api/kz_admin.h"
#include "api/kz_multi.h"


typedef struct {
    ngx_str_t        index;
    ngx_str_t        collection;       /* empty: the index alone */
    kz_json_val_t    val;
} kz_load_entry_t;


typedef struct {
    ngx_array_t      entries;          /* of kz_load_entry_t */
    ngx_uint_t       next;
} kz_load_t;


static kz_load_t *kz_load_body(kz_req_t *req, kz_json_type_e type);
static ngx_int_t kz_load_index(kz_req_t *req, kz_load_t *load,
    kz_json_member_t *m, kz_json_type_e type);
static ngx_int_t kz_load_type(kz_req_t *req, const ngx_str_t *index,
    const ngx_str_t *collection, const char *type);
static ngx_int_t kz_load_mapping_next(kz_req_t *req);
static ngx_int_t kz_load_mapping_index(kz_req_t *req);
static ngx_int_t kz_load_mapping_done(kz_req_t *req);
static ngx_int_t kz_load_fixture_next(kz_req_t *req, kz_load_t *load);
static ngx_int_t kz_load_fixture_done(kz_req_t *req);


/* Every pair of names in the body; NULL: refused, or no memory. */

static kz_load_t *
kz_load_body(kz_req_t *req, kz_json_type_e type)
{
    kz_load_t         *load;
    ngx_str_t          name, object;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    if (req->body.type != KZ_JSON_OBJECT) {
        ngx_str_set(&name, "body");
        ngx_str_set(&object, "object");
        (void) kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &name, &object);
        return NULL;
    }

    load = ngx_pcalloc(req->pool, sizeof(kz_load_t));

    if (load == NULL
        || ngx_array_init(&load->entries, req->pool, 8,
                          sizeof(kz_load_entry_t))
           != NGX_OK)
    {
        return NULL;
    }

    kz_json_iter(&it, &req->body);

    while (kz_json_next_member(&it, &m) == NGX_OK) {
        if (kz_load_index(req, load, &m, type) != NGX_OK) {
            return NULL;
        }
    }

    return load;
}


static ngx_int_t
kz_load_index(kz_req_t *req, kz_load_t *load, kz_json_member_t *m,
    kz_json_type_e type)
{
    ngx_str_t          index;
    kz_json_iter_t     it;
    kz_load_entry_t   *e;
    kz_json_member_t   col;

    if (kz_json_key(req->pool, m, &index) != NGX_OK) {
        return NGX_ERROR;
    }

    if (m->val.type != KZ_JSON_OBJECT) {
        return kz_load_type(req, &index, NULL, "object");
    }

    if (type == KZ_JSON_OBJECT) {
        e = ngx_array_push(&load->entries);
        if (e == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(e, sizeof(kz_load_entry_t));
        e->index = index;
    }

    kz_json_iter(&it, &m->val);

    while (kz_json_next_member(&it, &col) == NGX_OK) {
        e = ngx_array_push(&load->entries);

        if (e == NULL
            || kz_json_key(req->pool, &col, &e->collection) != NGX_OK)
        {
            return NGX_ERROR;
        }

        e->index = index;
        e->val = col.val;

        if (col.val.type != type) {
            return kz_load_type(req, &index, &e->collection,
                                type == KZ_JSON_ARRAY ? "array" : "object");
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_load_type(kz_req_t *req, const ngx_str_t *index,
    const ngx_str_t *collection, const char *type)
{
    u_char     *p;
    ngx_str_t   name, text;

    name.len = 6 + index->len + (collection ? collection->len : 0);
    name.data = ngx_pnalloc(req->pool, name.len);

    if (name.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(name.data, "body.%V", index);

    if (collection) {
        p = ngx_sprintf(p, ".%V", collection);
    }

    name.len = p - name.data;
    text.data = (u_char *) type;
    text.len = ngx_strlen(type);

    return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &name, &text);
}


ngx_int_t
kz_admin_load_mappings(kz_req_t *req)
{
    req->ctx = kz_load_body(req, KZ_JSON_OBJECT);

    return req->ctx ? kz_load_mapping_next(req) : NGX_ERROR;
}


static ngx_int_t
kz_load_mapping_next(kz_req_t *req)
{
    kz_load_t        *load = req->ctx;
    kz_store_op_t    *op;
    kz_load_entry_t  *e;

    if (load->next == load->entries.nelts) {
        req->result.type = KZ_RESULT_JSON;
        ngx_str_set(&req->result.json, "{\"acknowledge\":true}");

        return NGX_OK;
    }

    e = (kz_load_entry_t *) load->entries.elts + load->next++;

    if (e->val.type == KZ_JSON_NONE) {
        op = kz_store_op(req, KZ_STORE_INDEX_CREATE, kz_load_mapping_index);

    } else {
        op = kz_store_op(req, KZ_STORE_COLLECTION_CREATE,
                         kz_load_mapping_done);
    }

    if (op == NULL) {
        return NGX_ERROR;
    }

    op->index = e->index;
    op->collection = e->collection;

    if (e->val.type != KZ_JSON_NONE) {
        kz_collection_given(op, &e->val);
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_load_mapping_index(kz_req_t *req)
{
    if (req->op->status == KZ_STORE_EXISTS) {
        return kz_load_mapping_next(req);
    }

    return kz_load_mapping_done(req);
}


static ngx_int_t
kz_load_mapping_done(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    return kz_load_mapping_next(req);
}


ngx_int_t
kz_admin_load_fixtures(kz_req_t *req)
{
    kz_load_t  *load;

    load = kz_load_body(req, KZ_JSON_ARRAY);

    return load ? kz_load_fixture_next(req, load) : NGX_ERROR;
}


/* As bulk:import would do it, by nobody. */

static ngx_int_t
kz_load_fixture_next(kz_req_t *req, kz_load_t *load)
{
    ngx_int_t         rc;
    ngx_str_t         index, collection;
    kz_multi_t       *m;
    kz_load_entry_t  *e;

    if (load->next == load->entries.nelts) {

        if (req->dialect == KZ_DIALECT_2) {
            req->result.type = KZ_RESULT_ABSENT;
            return NGX_OK;
        }

        req->result.type = KZ_RESULT_JSON;
        ngx_str_set(&req->result.json, "{\"acknowledge\":true}");

        return NGX_OK;
    }

    e = (kz_load_entry_t *) load->entries.elts + load->next++;

    /* what the lines are completed with; the reply does not tell it */

    index = req->index;
    collection = req->collection;
    req->index = e->index;
    req->collection = e->collection;

    m = kz_multi_create(req, KZ_STORE_DOC_PUT);

    rc = m ? kz_bulk_parse(req, m, &e->val) : NGX_ERROR;

    req->index = index;
    req->collection = collection;

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    m->data = load;
    m->finish = kz_load_fixture_done;
    m->silent = 1;
    m->brief = 1;
    m->nobody = 1;

    return kz_multi_write(req);
}


static ngx_int_t
kz_load_fixture_done(kz_req_t *req)
{
    kz_out_t     o;
    ngx_uint_t   n;
    kz_multi_t  *m = req->ctx;

    kz_out_init(&o, req->pool, 256);
    kz_out_char(&o, '[');
    n = kz_dialect_multi_errors(req, m, &o);
    kz_out_char(&o, ']');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    if (n == 0) {
        return kz_load_fixture_next(req, m->data);
    }

    req->errors.data = o.start;
    req->errors.len = kz_out_len(&o);
    req->nerrors = n;

    return kz_fail(req, KZ_E_STORAGE_IMPORT_FAILED, 0);
}
