/*
 * Controller collection.
 */

#include "api/kz_router.h"
#include "api/kz_admin.h"
#include "api/kz_args.h"
#include "api/kz_api_specs.h"
#include "api/kz_specs.h"
#include "store/kz_store.h"


static ngx_int_t kz_collection_create(kz_req_t *req);
static ngx_int_t kz_collection_created(kz_req_t *req);
static ngx_int_t kz_collection_exists(kz_req_t *req);
static ngx_int_t kz_collection_exists_read(kz_req_t *req);
static ngx_int_t kz_collection_list(kz_req_t *req);
static ngx_int_t kz_collection_list_read(kz_req_t *req);
static ngx_int_t kz_collection_get_mapping(kz_req_t *req);
static ngx_int_t kz_collection_mapping_read(kz_req_t *req);
static ngx_int_t kz_collection_change(kz_req_t *req, kz_store_kind_e kind,
    kz_step_pt step);
static ngx_int_t kz_collection_update(kz_req_t *req);
static ngx_int_t kz_collection_update_mapping(kz_req_t *req);
static ngx_int_t kz_collection_updated(kz_req_t *req);
static ngx_int_t kz_collection_infer(kz_req_t *req, int64_t cursor);
static ngx_int_t kz_collection_infer_done(kz_req_t *req);
static ngx_int_t kz_collection_update_end(kz_req_t *req);
static ngx_int_t kz_collection_delete(kz_req_t *req);
static ngx_int_t kz_collection_deleted(kz_req_t *req);
static ngx_int_t kz_collection_null(kz_req_t *req);
static ngx_int_t kz_collection_truncate(kz_req_t *req);
static ngx_int_t kz_collection_refresh(kz_req_t *req);
static ngx_int_t kz_collection_refreshed(kz_req_t *req);
static ngx_int_t kz_collection_get_settings(kz_req_t *req);
static ngx_int_t kz_collection_settings_read(kz_req_t *req);


const kz_action_t  kz_collection_actions[] = {

    { "create", kz_collection_create, "ic", "ic",
      "PUT /:index/:collection",
      KZ_V1|KZ_V2 },

    { "delete", kz_collection_delete, "ic", "ic",
      "2DELETE /:index/:collection",
      KZ_V2 },

    { "deleteSpecifications", kz_collection_delete_specifications,
      "ic", "ic",
      "DELETE /:index/:collection/_specifications",
      KZ_V1|KZ_V2 },

    { "exists", kz_collection_exists, "ic", "ic",
      "GET /:index/:collection/_exists",
      KZ_V1|KZ_V2 },

    { "getMapping", kz_collection_get_mapping, "ic", "ic",
      "GET /:index/:collection/_mapping",
      KZ_V1|KZ_V2 },

    { "getSettings", kz_collection_get_settings, "ic", "ic",
      "2GET /:index/:collection/_settings",
      KZ_V2 },

    { "getSpecifications", kz_collection_get_specifications,
      "ic", "ic",
      "GET /:index/:collection/_specifications",
      KZ_V1|KZ_V2 },

    { "list", kz_collection_list, "i", "i",
      "GET /:index/_list,"
      "1-GET /:index/_list/:type",
      KZ_V1|KZ_V2 },

    { "refresh", kz_collection_refresh, "ic", "ic",
      "2POST /:index/:collection/_refresh",
      KZ_V2 },

    { "scrollSpecifications", kz_collection_scroll_specifications, "", "",
      "GET /validations/_scroll/:scrollId",
      KZ_V1|KZ_V2 },

    { "searchSpecifications", kz_collection_search_specifications,
      "", "",
      "POST /validations/_search",
      KZ_V1|KZ_V2 },

    { "truncate", kz_collection_truncate, "ic", "ic",
      "DELETE /:index/:collection/_truncate",
      KZ_V1|KZ_V2 },

    { "update", kz_collection_update, "ic", "ic",
      "2POST /:index/:collection",
      KZ_V2 },

    { "updateMapping", kz_collection_update_mapping, "bic", "icb",
      "PUT /:index/:collection/_mapping",
      KZ_V1|KZ_V2 },

    { "updateSpecifications", kz_collection_update_specifications,
      "b", "icb",
      "PUT /:index/:collection/_specifications,"
      "1-PUT /_specifications",
      KZ_V1|KZ_V2 },

    { "validateSpecifications", kz_collection_validate_specifications,
      "b", "icb",
      "POST /:index/:collection/_validateSpecifications,"
      "1-POST /_validateSpecifications",
      KZ_V1|KZ_V2 },

      kz_null_action
};


/*
 * The mapping is the body (1.x), or its member "mappings" (2.x); either is
 * understood from anybody.
 */

void
kz_collection_given(kz_store_op_t *op, const kz_json_val_t *body)
{
    kz_json_val_t  v;

    op->body = *body;

    if (body->type != KZ_JSON_OBJECT) {
        return;
    }

    if (kz_json_get(body, "settings", 8, &v) == NGX_OK
        && v.type != KZ_JSON_NULL)
    {
        op->settings = v;
        op->body.type = KZ_JSON_NONE;
    }

    if (kz_json_get(body, "mappings", 8, &v) == NGX_OK) {
        op->body = v;

        if (v.type == KZ_JSON_NULL) {
            op->body.type = KZ_JSON_NONE;
        }
    }
}


static ngx_int_t
kz_collection_create(kz_req_t *req)
{
    return kz_collection_change(req, KZ_STORE_COLLECTION_CREATE,
                                kz_collection_created);
}


static ngx_int_t
kz_collection_change(kz_req_t *req, kz_store_kind_e kind, kz_step_pt step)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, kind, step);
    if (op == NULL) {
        return NGX_ERROR;
    }

    kz_collection_given(op, &req->body);

    return kz_store_submit(op);
}


static ngx_int_t
kz_collection_created(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "{\"acknowledged\":true}");

    return NGX_OK;
}


static ngx_int_t
kz_collection_exists(kz_req_t *req)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, KZ_STORE_COLLECTION_EXISTS,
                     kz_collection_exists_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_collection_exists_read(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    return kz_result_bool(req, req->op->found);
}


static ngx_int_t
kz_collection_list(kz_req_t *req)
{
    ngx_int_t       rc;
    ngx_str_t       type, name, allowed;
    kz_store_op_t  *op;

    rc = kz_arg_string(req, "type", &type);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK
        && !(type.len == 3 && ngx_strncmp(type.data, "all", 3) == 0)
        && !(type.len == 6 && ngx_strncmp(type.data, "stored", 6) == 0))
    {
        ngx_str_set(&name, "type");
        ngx_str_set(&allowed, "all, stored");

        return kz_fail(req, KZ_E_ASSERT_INVALID_ARGUMENT, 2, &name,
                       &allowed);
    }

    op = kz_store_op(req, KZ_STORE_COLLECTION_LIST, kz_collection_list_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


/* from and size appear in the result when one of them was given */

static ngx_int_t
kz_collection_list_read(kz_req_t *req)
{
    int64_t         from, size;
    kz_out_t        o;
    ngx_str_t       type;
    ngx_uint_t      i, n;
    kz_store_op_t  *op = req->op;

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    from = 0;
    size = 0;
    ngx_str_set(&type, "all");

    if (kz_arg_int(req, "from", &from) == NGX_ERROR
        || kz_arg_int(req, "size", &size) == NGX_ERROR
        || kz_arg_string(req, "type", &type) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    kz_out_init(&o, req->pool, 256);
    kz_out_lit(&o, "{\"type\":");
    kz_out_json_str(&o, &type);
    kz_out_lit(&o, ",\"collections\":[");

    n = 0;

    for (i = ngx_max(from, 0); i < op->nnames; i++) {

        if (size > 0 && n == (ngx_uint_t) size) {
            break;
        }

        if (n++) {
            kz_out_char(&o, ',');
        }

        kz_out_lit(&o, "{\"name\":");
        kz_out_json_str(&o, &op->names[i]);
        kz_out_lit(&o, ",\"type\":\"stored\"}");
    }

    kz_out_char(&o, ']');

    if (from || size) {
        kz_out_lit(&o, ",\"from\":");
        kz_out_int(&o, from);
    }

    if (size) {
        kz_out_lit(&o, ",\"size\":");
        kz_out_int(&o, size);
    }

    kz_out_char(&o, '}');

    return kz_result_json(req, &o);
}


static ngx_int_t
kz_collection_get_mapping(kz_req_t *req)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, KZ_STORE_MAPPING_GET, kz_collection_mapping_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_collection_mapping_read(kz_req_t *req)
{
    ngx_uint_t  meta;

    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    /* the renderer reads it again: refused here, where it can be */

    if (kz_arg_flag(req, "includeKuzzleMeta", &meta) == NGX_ERROR) {
        return NGX_ERROR;
    }

    req->result.type = KZ_RESULT_MAPPING;

    return NGX_OK;
}


/*
 * Settings first, then the mapping: both or none.  What was stored while the
 * mapping did not learn is looked at again, page by page, before the answer.
 */

static ngx_int_t
kz_collection_update(kz_req_t *req)
{
    ngx_uint_t      again;
    kz_store_op_t  *op;

    if (kz_arg_flag(req, "reindexCollection", &again) == NGX_ERROR) {
        return NGX_ERROR;
    }

    op = kz_store_op(req, KZ_STORE_COLLECTION_UPDATE, kz_collection_updated);
    if (op == NULL) {
        return NGX_ERROR;
    }

    kz_collection_given(op, &req->body);
    op->flag = again;

    return kz_store_submit(op);
}


static ngx_int_t
kz_collection_update_mapping(kz_req_t *req)
{
    return kz_collection_change(req, KZ_STORE_COLLECTION_UPDATE,
                                kz_collection_updated);
}


static ngx_int_t
kz_collection_updated(kz_req_t *req)
{
    kz_store_op_t  *op = req->op;

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    if (op->found) {
        return kz_collection_infer(req, 0);
    }

    return kz_collection_update_end(req);
}


static ngx_int_t
kz_collection_infer(kz_req_t *req, int64_t cursor)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, KZ_STORE_COLLECTION_INFER,
                     kz_collection_infer_done);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->cursor = cursor;

    return kz_store_submit(op);
}


static ngx_int_t
kz_collection_infer_done(kz_req_t *req)
{
    kz_store_op_t  *op = req->op;

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    if (op->cursor) {
        return kz_collection_infer(req, op->cursor);
    }

    return kz_collection_update_end(req);
}


/* Kuzzle: updateMapping of generation 2 answers the mapping */

static ngx_int_t
kz_collection_update_end(kz_req_t *req)
{
    if (req->action->run == kz_collection_update) {
        return NGX_OK;
    }

    if (req->dialect == KZ_DIALECT_2) {
        return kz_collection_get_mapping(req);
    }

    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "{\"acknowledged\":true}");

    return NGX_OK;
}


static ngx_int_t
kz_collection_delete(kz_req_t *req)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, KZ_STORE_COLLECTION_DELETE, kz_collection_deleted);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_collection_deleted(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    return kz_specs_drop(req, &req->index, &req->collection,
                         kz_collection_null);
}


static ngx_int_t
kz_collection_null(kz_req_t *req)
{
    req->result.type = KZ_RESULT_NULL;

    return NGX_OK;
}


static ngx_int_t
kz_collection_truncate(kz_req_t *req)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, KZ_STORE_COLLECTION_TRUNCATE,
                     kz_collection_created);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


/* Nothing to do: what was acknowledged is visible to every search. */

static ngx_int_t
kz_collection_refresh(kz_req_t *req)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, KZ_STORE_SETTINGS_GET, kz_collection_refreshed);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_collection_refreshed(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    return kz_collection_null(req);
}


static ngx_int_t
kz_collection_get_settings(kz_req_t *req)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, KZ_STORE_SETTINGS_GET,
                     kz_collection_settings_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_collection_settings_read(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    req->result.type = KZ_RESULT_JSON;
    req->result.json = req->op->text;

    return NGX_OK;
}
