/*
 * Controller document.
 */

#include "api/kz_router.h"
#include "api/kz_args.h"
#include "api/kz_document.h"
#include "api/kz_specs.h"
#include "store/kz_store.h"


static ngx_int_t kz_document_create(kz_req_t *req);
static ngx_int_t kz_document_create_written(kz_req_t *req);
static ngx_int_t kz_document_create_or_replace(kz_req_t *req);
static ngx_int_t kz_document_replace(kz_req_t *req);
static ngx_int_t kz_document_put_written(kz_req_t *req);
static ngx_int_t kz_document_update(kz_req_t *req);
static ngx_int_t kz_document_update_written(kz_req_t *req);
static ngx_int_t kz_document_delete(kz_req_t *req);
static ngx_int_t kz_document_delete_written(kz_req_t *req);
static ngx_int_t kz_document_get(kz_req_t *req);
static ngx_int_t kz_document_get_read(kz_req_t *req);
static ngx_int_t kz_document_exists(kz_req_t *req);
static ngx_int_t kz_document_exists_read(kz_req_t *req);
static ngx_int_t kz_document_count(kz_req_t *req);
static ngx_int_t kz_document_count_read(kz_req_t *req);
static ngx_int_t kz_document_search(kz_req_t *req);
static ngx_int_t kz_document_search_read(kz_req_t *req);
static ngx_int_t kz_document_scroll(kz_req_t *req);
static ngx_int_t kz_document_scroll_read(kz_req_t *req);
static void kz_document_nothing(kz_req_t *req);
static ngx_int_t kz_document_write(kz_req_t *req, kz_store_kind_e kind,
    kz_step_pt step);
static ngx_int_t kz_document_new_id(kz_req_t *req);
static ngx_int_t kz_document_result(kz_req_t *req, kz_result_e type);


const kz_action_t  kz_document_actions[] = {

    { "count", kz_document_count, "", "ic",
      "POST /:index/:collection/_count",
      KZ_V1|KZ_V2 },

    { "create", kz_document_create, "bic", "icb",
      "POST /:index/:collection/_create,"
      "POST /:index/:collection/:_id/_create",
      KZ_V1|KZ_V2 },

    { "createOrReplace", kz_document_create_or_replace, "bicd", "dicb",
      "PUT /:index/:collection/:_id",
      KZ_V1|KZ_V2 },

    { "delete", kz_document_delete, "icd", "icd",
      "DELETE /:index/:collection/:_id",
      KZ_V1|KZ_V2 },

    { "deleteByQuery", kz_document_delete_by_query, "bic", "ic",
      "DELETE /:index/:collection/_query",
      KZ_V1|KZ_V2 },

    { "deleteFields", kz_document_delete_fields, "", "icd",
      "2DELETE /:index/:collection/:_id/_fields",
      KZ_V2 },

    { "exists", kz_document_exists, "icd", "icd",
      "GET /:index/:collection/:_id/_exists",
      KZ_V1|KZ_V2 },

    { "export", kz_document_export, "", "ic",
      "2GET /:index/:collection/_export,"
      "2POST /:index/:collection/_export",
      KZ_V2 },

    { "get", kz_document_get, "icd", "icd",
      "GET /:index/:collection/:_id",
      KZ_V1|KZ_V2 },

    { "mCreate", kz_document_mcreate, "bic", "icb",
      "POST /:index/:collection/_mCreate",
      KZ_V1|KZ_V2 },

    { "mCreateOrReplace", kz_document_mcreate_or_replace, "bic", "icb",
      "PUT /:index/:collection/_mCreateOrReplace",
      KZ_V1|KZ_V2 },

    { "mDelete", kz_document_mdelete, "bic", "icb",
      "DELETE /:index/:collection/_mDelete",
      KZ_V1|KZ_V2 },

    { "mExists", kz_document_mexists, "", "ic",
      "2POST /:index/:collection/_mExists",
      KZ_V2 },

    { "mGet", kz_document_mget, "bic", "ic",
      "2-GET /:index/:collection/_mGet,"
      "POST /:index/:collection/_mGet",
      KZ_V1|KZ_V2 },

    { "mReplace", kz_document_mreplace, "bic", "icb",
      "PUT /:index/:collection/_mReplace",
      KZ_V1|KZ_V2 },

    { "mUpdate", kz_document_mupdate, "bic", "icb",
      "PUT /:index/:collection/_mUpdate,"
      "2-PATCH /:index/:collection/_mUpdate",
      KZ_V1|KZ_V2 },

    { "mUpsert", kz_document_mupsert, "", "icb",
      "2POST /:index/:collection/_mUpsert",
      KZ_V2 },

    { "replace", kz_document_replace, "bicd", "dicb",
      "PUT /:index/:collection/:_id/_replace",
      KZ_V1|KZ_V2 },

    { "scroll", kz_document_scroll, "", "",
      "GET /_scroll/:scrollId",
      KZ_V1|KZ_V2 },

    { "search", kz_document_search, "ic", "",
      "2GET /:index/:collection/_search,"
      "POST /:index/:collection/_search,"
      "1-GET /:index/:collection",
      KZ_V1|KZ_V2 },

    { "update", kz_document_update, "bicd", "dicb",
      "PUT /:index/:collection/:_id/_update,"
      "2-PATCH /:index/:collection/:_id/_update",
      KZ_V1|KZ_V2 },

    { "updateByQuery", kz_document_update_by_query, "", "bic",
      "2PUT /:index/:collection/_query",
      KZ_V2 },

    { "upsert", kz_document_upsert, "", "icdb",
      "2POST /:index/:collection/:_id/_upsert,"
      "2-PUT /:index/:collection/:_id/_upsert",
      KZ_V2 },

    { "validate", kz_specs_validate, "bic", "icb",
      "POST /:index/:collection/_validate",
      KZ_V1|KZ_V2 },

      kz_null_action
};


/* What all writes have in common. */

static ngx_int_t
kz_document_write(kz_req_t *req, kz_store_kind_e kind, kz_step_pt step)
{
    ngx_str_t       name, type;
    ngx_uint_t      flag;
    ngx_int_t       rc;
    kz_store_op_t  *op;

    if (req->body.type == KZ_JSON_ARRAY) {
        ngx_str_set(&name, "body");
        ngx_str_set(&type, "object");

        return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &name, &type);
    }

    if (kz_document_refresh(req) != NGX_OK
        || kz_arg_flag(req, "source", &flag) == NGX_ERROR
        || kz_arg_flag(req, "silent", &flag) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if (kind != KZ_STORE_DOC_DELETE) {
        rc = kz_specs_write(req, kind, flag, step);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    op = kz_store_op(req, kind, step);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->body = req->body;
    op->silent = flag;

    return kz_store_submit(op);
}


/*
 * A write is visible to every search once it is acknowledged, so refresh has
 * no effect.  Kuzzle: 1.x refuses values it does not know.
 */

ngx_int_t
kz_document_refresh(kz_req_t *req)
{
    kz_arg_t   *arg;
    ngx_str_t   name, allowed;

    if (req->dialect == KZ_DIALECT_2) {
        return NGX_OK;
    }

    arg = kz_req_arg(req, "refresh", 7);

    if (arg == NULL
        || arg->val.type == KZ_JSON_NULL
        || arg->val.type == KZ_JSON_FALSE
        || (arg->val.type == KZ_JSON_STRING
            && (kz_json_string_is(&arg->val, (u_char *) "wait_for", 8) == NGX_OK
                || kz_json_string_is(&arg->val, (u_char *) "false", 5)
                   == NGX_OK))
        || (arg->val.type == KZ_JSON_NONE
            && ((arg->text.len == 8
                 && ngx_strncmp(arg->text.data, "wait_for", 8) == 0)
                || (arg->text.len == 5
                    && ngx_strncmp(arg->text.data, "false", 5) == 0))))
    {
        return NGX_OK;
    }

    ngx_str_set(&name, "refresh");
    ngx_str_set(&allowed, "\"wait_for\", false");

    return kz_fail(req, KZ_E_STORAGE_INVALID_ARGUMENT, 2, &name, &allowed);
}


/* Kuzzle: 1.x refuses new ids that start with an underscore. */

static ngx_int_t
kz_document_new_id(kz_req_t *req)
{
    if (req->dialect == KZ_DIALECT_1 && req->id.len
        && req->id.data[0] == '_')
    {
        return kz_fail(req, KZ_E_ASSERT_INVALID_ID, 0);
    }

    return NGX_OK;
}


static ngx_int_t
kz_document_result(kz_req_t *req, kz_result_e type)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    req->result.type = type;

    return NGX_OK;
}


static ngx_int_t
kz_document_create(kz_req_t *req)
{
    if (kz_document_new_id(req) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_document_write(req, KZ_STORE_DOC_CREATE,
                             kz_document_create_written);
}


static ngx_int_t
kz_document_create_written(kz_req_t *req)
{
    return kz_document_result(req, KZ_RESULT_CREATED);
}


static ngx_int_t
kz_document_create_or_replace(kz_req_t *req)
{
    if (kz_document_new_id(req) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_document_write(req, KZ_STORE_DOC_PUT, kz_document_put_written);
}


static ngx_int_t
kz_document_replace(kz_req_t *req)
{
    return kz_document_write(req, KZ_STORE_DOC_REPLACE,
                             kz_document_put_written);
}


static ngx_int_t
kz_document_put_written(kz_req_t *req)
{
    return kz_document_result(req, KZ_RESULT_WRITTEN);
}


static ngx_int_t
kz_document_update(kz_req_t *req)
{
    return kz_document_write(req, KZ_STORE_DOC_UPDATE,
                             kz_document_update_written);
}


static ngx_int_t
kz_document_update_written(kz_req_t *req)
{
    return kz_document_result(req, KZ_RESULT_UPDATED);
}


static ngx_int_t
kz_document_delete(kz_req_t *req)
{
    req->body.type = KZ_JSON_NONE;

    return kz_document_write(req, KZ_STORE_DOC_DELETE,
                             kz_document_delete_written);
}


static ngx_int_t
kz_document_delete_written(kz_req_t *req)
{
    return kz_document_result(req, KZ_RESULT_DELETED);
}


static ngx_int_t
kz_document_get(kz_req_t *req)
{
    kz_store_op_t  *op;

    if (req->dialect == KZ_DIALECT_1 && req->id.len == 7
        && ngx_strncmp(req->id.data, "_search", 7) == 0)
    {
        return kz_fail(req, KZ_E_STORAGE_SEARCH_AS_AN_ID, 0);
    }

    op = kz_store_op(req, KZ_STORE_DOC_GET, kz_document_get_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_document_get_read(kz_req_t *req)
{
    return kz_document_result(req, KZ_RESULT_GOT);
}


static ngx_int_t
kz_document_exists(kz_req_t *req)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, KZ_STORE_DOC_EXISTS, kz_document_exists_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_document_exists_read(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    return kz_result_bool(req, req->op->found);
}


static ngx_int_t
kz_document_count(kz_req_t *req)
{
    kz_store_op_t  *op;

    if (req->index.len == 0) {
        return kz_arg_missing(req, "index");
    }

    if (req->collection.len == 0) {
        return kz_arg_missing(req, "collection");
    }

    op = kz_store_op(req, KZ_STORE_DOC_COUNT, kz_document_count_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    if (kz_document_search_body(req, op) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_document_count_read(kz_req_t *req)
{
    kz_document_nothing(req);

    return kz_document_result(req, KZ_RESULT_COUNT);
}


static ngx_int_t
kz_document_search(kz_req_t *req)
{
    int64_t         n;
    ngx_int_t       rc;
    kz_store_op_t  *op;

    op = kz_store_op(req, KZ_STORE_DOC_SEARCH, kz_document_search_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    if (kz_document_scope(req, op) != NGX_OK
        || kz_arg_scroll(req, &op->scroll) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if (kz_document_search_body(req, op) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = kz_arg_int(req, "from", &n);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    op->from = rc == NGX_OK ? n : -1;

    rc = kz_arg_int(req, "size", &n);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    op->size = rc == NGX_OK ? n : -1;

    return kz_store_submit(op);
}


ngx_int_t
kz_document_lang(kz_req_t *req, ngx_uint_t *koncorde)
{
    ngx_int_t  rc;
    ngx_str_t  text, name, allowed;

    *koncorde = 0;
    rc = kz_arg_string(req, "lang", &text);

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
    }

    if (text.len == 13 && ngx_strncmp(text.data, "elasticsearch", 13) == 0) {
        return NGX_OK;
    }

    if (text.len == 8 && ngx_strncmp(text.data, "koncorde", 8) == 0) {
        *koncorde = 1;
        return NGX_OK;
    }

    ngx_str_set(&name, "lang");
    ngx_str_set(&allowed, "\"elasticsearch\" or \"koncorde\"");

    return kz_fail(req, KZ_E_ASSERT_INVALID_ARGUMENT, 2, &name, &allowed);
}


/*
 * The query is the body, or (GET) the argument searchBody with its text.
 */

ngx_int_t
kz_document_search_body(kz_req_t *req, kz_store_op_t *op)
{
    ngx_int_t       rc;
    ngx_str_t       text, name, allowed;
    ngx_uint_t      koncorde;
    kz_json_err_t   err;

    if (kz_document_lang(req, &koncorde) != NGX_OK) {
        return NGX_ERROR;
    }

    op->koncorde = koncorde;
    op->body = req->body;

    if (req->body.type != KZ_JSON_NONE) {
        return NGX_OK;
    }

    rc = kz_arg_string(req, "searchBody", &text);

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
    }

    if (kz_json_scan(text.data, text.len, req->conf->json_depth, &op->body,
                     &err)
        != NGX_OK
        || op->body.type != KZ_JSON_OBJECT)
    {
        ngx_str_set(&name, "searchBody");
        ngx_str_set(&allowed, "a JSON object");

        return kz_fail(req, KZ_E_ASSERT_INVALID_ARGUMENT, 2, &name,
                       &allowed);
    }

    return NGX_OK;
}


static ngx_int_t
kz_document_search_read(kz_req_t *req)
{
    kz_document_nothing(req);

    return kz_document_result(req, KZ_RESULT_HITS);
}


static ngx_int_t
kz_document_scroll(kz_req_t *req)
{
    ngx_int_t       rc;
    ngx_str_t       id;
    kz_store_op_t  *op;

    rc = kz_arg_string(req, "scrollId", &id);

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? kz_arg_missing(req, "scrollId")
                                  : NGX_ERROR;
    }

    op = kz_store_op(req, KZ_STORE_SCROLL, kz_document_scroll_read);

    if (op == NULL || kz_arg_scroll(req, &op->scroll) == NGX_ERROR) {
        return NGX_ERROR;
    }

    op->id = id;

    return kz_store_submit(op);
}


static ngx_int_t
kz_document_scroll_read(kz_req_t *req)
{
    kz_store_op_t  *op = req->op;

    /* the server's own documents are not shown this way */

    if (op->status == KZ_STORE_OK && op->index.len
        && op->index.data[0] == '%')
    {
        op->status = KZ_STORE_NO_SCROLL;
    }

    return kz_document_result(req, KZ_RESULT_HITS);
}


/* Kuzzle: 1.x finds nothing in a collection that is not there. */

static void
kz_document_nothing(kz_req_t *req)
{
    if (req->dialect == KZ_DIALECT_1
        && req->op->status == KZ_STORE_NO_COLLECTION)
    {
        req->op->status = KZ_STORE_OK;
        req->op->ndocs = 0;
        req->op->total = 0;
    }
}
