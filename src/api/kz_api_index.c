/*
 * Controller index.
 */

#include "api/kz_router.h"
#include "store/kz_store.h"


static ngx_int_t kz_index_create(kz_req_t *req);
static ngx_int_t kz_index_created(kz_req_t *req);
static ngx_int_t kz_index_delete(kz_req_t *req);
static ngx_int_t kz_index_deleted(kz_req_t *req);
static ngx_int_t kz_index_exists(kz_req_t *req);
static ngx_int_t kz_index_exists_read(kz_req_t *req);
static ngx_int_t kz_index_list(kz_req_t *req);
static ngx_int_t kz_index_list_read(kz_req_t *req);
static ngx_int_t kz_index_refresh(kz_req_t *req);
static ngx_int_t kz_index_refresh_read(kz_req_t *req);
static ngx_int_t kz_index_submit(kz_req_t *req, kz_store_kind_e kind,
    kz_step_pt step);


const kz_action_t  kz_index_actions[] = {

    { "create", kz_index_create, "i", "i",
      "POST /:index/_create",
      KZ_V1|KZ_V2 },

    { "delete", kz_index_delete, "i", "i",
      "DELETE /:index",
      KZ_V1|KZ_V2 },

    { "exists", kz_index_exists, "i", "i",
      "GET /:index/_exists",
      KZ_V1|KZ_V2 },

    { "getAutoRefresh", NULL, "", "",
      "GET /:index/_autoRefresh",
      KZ_V1 },

    { "list", kz_index_list, "", "",
      "GET /_list",
      KZ_V1|KZ_V2 },

    { "mDelete", NULL, "", "",
      "2DELETE /_mDelete,"
      "-DELETE /_mdelete",
      KZ_V1|KZ_V2 },

    { "refresh", kz_index_refresh, "i", "i",
      "1POST /:index/_refresh",
      KZ_V1 },

    { "refreshInternal", NULL, "", "",
      "1POST /_refreshInternal",
      KZ_V1 },

    { "setAutoRefresh", NULL, "", "",
      "1POST /:index/_autoRefresh",
      KZ_V1 },

    { "stats", NULL, "", "",
      "2GET /_storageStats",
      KZ_V2 },

      kz_null_action
};


static ngx_int_t
kz_index_submit(kz_req_t *req, kz_store_kind_e kind, kz_step_pt step)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, kind, step);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_index_create(kz_req_t *req)
{
    return kz_index_submit(req, KZ_STORE_INDEX_CREATE, kz_index_created);
}


static ngx_int_t
kz_index_created(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    req->result.type = KZ_RESULT_INDEX_CREATED;

    return NGX_OK;
}


static ngx_int_t
kz_index_delete(kz_req_t *req)
{
    return kz_index_submit(req, KZ_STORE_INDEX_DELETE, kz_index_deleted);
}


static ngx_int_t
kz_index_deleted(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "{\"acknowledged\":true}");

    return NGX_OK;
}


static ngx_int_t
kz_index_exists(kz_req_t *req)
{
    return kz_index_submit(req, KZ_STORE_INDEX_EXISTS, kz_index_exists_read);
}


static ngx_int_t
kz_index_exists_read(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    return kz_result_bool(req, req->op->found);
}


static ngx_int_t
kz_index_list(kz_req_t *req)
{
    return kz_index_submit(req, KZ_STORE_INDEX_LIST, kz_index_list_read);
}


static ngx_int_t
kz_index_list_read(kz_req_t *req)
{
    kz_out_t        o;
    ngx_uint_t      i;
    kz_store_op_t  *op = req->op;

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    kz_out_init(&o, req->pool, 256);
    kz_out_lit(&o, "{\"indexes\":[");

    for (i = 0; i < op->nnames; i++) {
        if (i) {
            kz_out_char(&o, ',');
        }

        kz_out_json_str(&o, &op->names[i]);
    }

    kz_out_lit(&o, "]}");

    return kz_result_json(req, &o);
}


/* Nothing to do: what was acknowledged is visible to every search. */

static ngx_int_t
kz_index_refresh(kz_req_t *req)
{
    return kz_index_submit(req, KZ_STORE_INDEX_EXISTS, kz_index_refresh_read);
}


static ngx_int_t
kz_index_refresh_read(kz_req_t *req)
{
    kz_store_op_t  *op = req->op;

    if (op->status == KZ_STORE_OK && !op->found) {
        op->status = KZ_STORE_NO_INDEX;
    }

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "{\"_shards\":{\"total\":1,"
                "\"successful\":1,\"failed\":0}}");

    return NGX_OK;
}
