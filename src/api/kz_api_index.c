/*
 * Controller index.
 */

#include "api/kz_router.h"
#include "api/kz_admin.h"
#include "api/kz_args.h"
#include "api/kz_multi.h"
#include "api/kz_specs.h"
#include "store/kz_store.h"


static ngx_int_t kz_index_create(kz_req_t *req);
static ngx_int_t kz_index_created(kz_req_t *req);
static ngx_int_t kz_index_delete(kz_req_t *req);
static ngx_int_t kz_index_deleted(kz_req_t *req);
static ngx_int_t kz_index_dropped(kz_req_t *req);
static ngx_int_t kz_index_exists(kz_req_t *req);
static ngx_int_t kz_index_exists_read(kz_req_t *req);
static ngx_int_t kz_index_list(kz_req_t *req);
static ngx_int_t kz_index_list_read(kz_req_t *req);
static ngx_int_t kz_index_refresh(kz_req_t *req);
static ngx_int_t kz_index_refresh_read(kz_req_t *req);
static ngx_int_t kz_index_acknowledge(kz_req_t *req);
static ngx_int_t kz_index_get_refresh(kz_req_t *req);
static ngx_int_t kz_index_set_refresh(kz_req_t *req);
static ngx_int_t kz_index_refresh_set(kz_req_t *req);
static ngx_int_t kz_index_mdelete(kz_req_t *req);
static ngx_int_t kz_index_mdelete_listed(kz_req_t *req);
static ngx_int_t kz_index_mdeleted(kz_req_t *req);
static ngx_int_t kz_index_erase_next(kz_req_t *req);
static ngx_int_t kz_index_erased(kz_req_t *req);
static ngx_int_t kz_index_stats(kz_req_t *req);
static ngx_int_t kz_index_stats_read(kz_req_t *req);
static void kz_index_stats_one(kz_out_t *o, kz_store_usage_t *index);
static ngx_int_t kz_index_submit(kz_req_t *req, kz_store_kind_e kind,
    kz_step_pt step);


typedef struct {
    ngx_str_t   *names;
    ngx_uint_t   n;
    ngx_uint_t   next;
    ngx_str_t   *deleted;
    ngx_uint_t   ndeleted;
    kz_step_pt   step;
} kz_index_erase_t;


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

    { "getAutoRefresh", kz_index_get_refresh, "i", "i",
      "GET /:index/_autoRefresh",
      KZ_V1 },

    { "list", kz_index_list, "", "",
      "GET /_list",
      KZ_V1|KZ_V2 },

    { "mDelete", kz_index_mdelete, "", "",
      "2DELETE /_mDelete,"
      "-DELETE /_mdelete",
      KZ_V1|KZ_V2 },

    { "refresh", kz_index_refresh, "i", "i",
      "1POST /:index/_refresh",
      KZ_V1 },

    { "refreshInternal", kz_index_acknowledge, "", "",
      "1POST /_refreshInternal",
      KZ_V1 },

    { "setAutoRefresh", kz_index_set_refresh, "bi", "ib",
      "1POST /:index/_autoRefresh",
      KZ_V1 },

    { "stats", kz_index_stats, "", "",
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

    return kz_specs_drop(req, &req->index, NULL, kz_index_dropped);
}


static ngx_int_t
kz_index_dropped(kz_req_t *req)
{
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
    ngx_uint_t      count;
    kz_store_op_t  *op;

    if (kz_arg_flag(req, "countCollection", &count) == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (!count || req->dialect != KZ_DIALECT_2) {
        return kz_index_submit(req, KZ_STORE_INDEX_LIST, kz_index_list_read);
    }

    op = kz_store_op(req, KZ_STORE_INDEX_STATS, kz_index_list_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->brief = 1;

    return kz_store_submit(op);
}


static ngx_int_t
kz_index_list_read(kz_req_t *req)
{
    kz_out_t        o;
    ngx_uint_t      i, n, count;
    kz_store_op_t  *op = req->op;

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    count = (op->kind == KZ_STORE_INDEX_STATS);
    n = count ? op->nusage : op->nnames;

    kz_out_init(&o, req->pool, 256);
    kz_out_lit(&o, "{\"indexes\":[");

    for (i = 0; i < n; i++) {
        if (i) {
            kz_out_char(&o, ',');
        }

        kz_out_json_str(&o, count ? &op->usage[i].name : &op->names[i]);
    }

    kz_out_char(&o, ']');

    if (count) {
        kz_out_lit(&o, ",\"collections\":{");

        for (i = 0; i < n; i++) {
            if (i) {
                kz_out_char(&o, ',');
            }

            kz_out_json_str(&o, &op->usage[i].name);
            kz_out_char(&o, ':');
            kz_out_int(&o, op->usage[i].ncollections);
        }

        kz_out_char(&o, '}');
    }

    kz_out_char(&o, '}');

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


/* The same for the server's own documents. */

static ngx_int_t
kz_index_acknowledge(kz_req_t *req)
{
    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "{\"acknowledged\":true}");

    return NGX_OK;
}


static ngx_int_t
kz_index_get_refresh(kz_req_t *req)
{
    return kz_index_submit(req, KZ_STORE_INDEX_REFRESH_GET,
                           kz_index_exists_read);
}


static ngx_int_t
kz_index_set_refresh(kz_req_t *req)
{
    ngx_str_t       name, type;
    kz_json_val_t   v;
    kz_store_op_t  *op;

    ngx_str_set(&name, "body.autoRefresh");

    if (req->body.type != KZ_JSON_OBJECT
        || kz_json_get(&req->body, "autoRefresh", 11, &v) != NGX_OK
        || v.type == KZ_JSON_NULL)
    {
        return kz_fail(req, KZ_E_ASSERT_MISSING_ARGUMENT, 1, &name);
    }

    if (v.type != KZ_JSON_TRUE && v.type != KZ_JSON_FALSE) {
        ngx_str_set(&type, "boolean");

        return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &name, &type);
    }

    op = kz_store_op(req, KZ_STORE_INDEX_REFRESH_SET, kz_index_refresh_set);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->flag = (v.type == KZ_JSON_TRUE);

    return kz_store_submit(op);
}


static ngx_int_t
kz_index_refresh_set(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    req->result.type = KZ_RESULT_JSON;

    if (req->op->flag) {
        ngx_str_set(&req->result.json, "{\"response\":true}");

    } else {
        ngx_str_set(&req->result.json, "{\"response\":false}");
    }

    return NGX_OK;
}


static ngx_int_t
kz_index_mdelete(kz_req_t *req)
{
    kz_json_val_t  v;

    if (req->dialect == KZ_DIALECT_2
        && (req->body.type != KZ_JSON_OBJECT
            || kz_json_get(&req->body, "indexes", 7, &v) != NGX_OK))
    {
        req->result.type = KZ_RESULT_JSON;
        ngx_str_set(&req->result.json, "{\"deleted\":[]}");

        return NGX_OK;
    }

    if (kz_multi_array(req, "indexes", &v) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_index_submit(req, KZ_STORE_INDEX_LIST,
                           kz_index_mdelete_listed);
}


/* Those that exist, in the order of the list. */

static ngx_int_t
kz_index_mdelete_listed(kz_req_t *req)
{
    ngx_str_t       *names;
    ngx_uint_t       i, n;
    kz_json_val_t    v, el;
    kz_store_op_t   *op = req->op;
    kz_json_iter_t   it;

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    if (kz_multi_array(req, "indexes", &v) != NGX_OK) {
        return NGX_ERROR;
    }

    names = ngx_palloc(req->pool, (op->nnames + 1) * sizeof(ngx_str_t));
    if (names == NULL) {
        return NGX_ERROR;
    }

    n = 0;

    for (i = 0; i < op->nnames; i++) {
        kz_json_iter(&it, &v);

        while (kz_json_next(&it, &el) == NGX_OK) {

            if (el.type == KZ_JSON_STRING
                && kz_json_string_is(&el, op->names[i].data,
                                     op->names[i].len)
                   == NGX_OK)
            {
                names[n++] = op->names[i];
                break;
            }
        }
    }

    return kz_index_erase(req, names, n, kz_index_mdeleted);
}


static ngx_int_t
kz_index_mdeleted(kz_req_t *req)
{
    kz_out_t           o;
    ngx_uint_t         i;
    kz_index_erase_t  *e = req->ctx;

    kz_out_init(&o, req->pool, 256);
    kz_out_lit(&o, "{\"deleted\":[");

    for (i = 0; i < e->ndeleted; i++) {
        if (i) {
            kz_out_char(&o, ',');
        }

        kz_out_json_str(&o, &e->deleted[i]);
    }

    kz_out_lit(&o, "]}");

    return kz_result_json(req, &o);
}


ngx_int_t
kz_index_erase(kz_req_t *req, ngx_str_t *names, ngx_uint_t n,
    kz_step_pt step)
{
    kz_index_erase_t  *e;

    e = ngx_pcalloc(req->pool, sizeof(kz_index_erase_t));
    if (e == NULL) {
        return NGX_ERROR;
    }

    e->deleted = ngx_palloc(req->pool, (n + 1) * sizeof(ngx_str_t));
    if (e->deleted == NULL) {
        return NGX_ERROR;
    }

    e->names = names;
    e->n = n;
    e->step = step;

    req->ctx = e;

    return kz_index_erase_next(req);
}


static ngx_int_t
kz_index_erase_next(kz_req_t *req)
{
    kz_store_op_t     *op;
    kz_index_erase_t  *e = req->ctx;

    if (e->next == e->n) {
        return e->step(req);
    }

    op = kz_store_op(req, KZ_STORE_INDEX_DELETE, kz_index_erased);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->index = e->names[e->next];
    op->internal = (op->index.len && op->index.data[0] == '%');

    return kz_store_submit(op);
}


/* One that has just gone was deleted by somebody else. */

static ngx_int_t
kz_index_erased(kz_req_t *req)
{
    kz_store_op_t     *op = req->op;
    kz_index_erase_t  *e = req->ctx;

    if (op->status != KZ_STORE_OK && op->status != KZ_STORE_NO_INDEX) {
        return kz_store_fail(req, op);
    }

    if (op->status == KZ_STORE_OK) {
        e->deleted[e->ndeleted++] = op->index;
    }

    e->next++;

    if (op->status != KZ_STORE_OK || op->internal) {
        return kz_index_erase_next(req);
    }

    return kz_specs_drop(req, &e->names[e->next - 1], NULL,
                         kz_index_erase_next);
}


static ngx_int_t
kz_index_stats(kz_req_t *req)
{
    return kz_index_submit(req, KZ_STORE_INDEX_STATS, kz_index_stats_read);
}


/* Kuzzle: indexes without collections are left out */

static ngx_int_t
kz_index_stats_read(kz_req_t *req)
{
    uint64_t        size;
    kz_out_t        o;
    ngx_uint_t      i, n;
    kz_store_op_t  *op = req->op;

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    kz_out_init(&o, req->pool, 512);
    kz_out_lit(&o, "{\"indexes\":[");

    size = 0;
    n = 0;

    for (i = 0; i < op->nusage; i++) {

        if (op->usage[i].ncollections == 0) {
            continue;
        }

        if (n++) {
            kz_out_char(&o, ',');
        }

        kz_index_stats_one(&o, &op->usage[i]);
        size += op->usage[i].bytes;
    }

    kz_out_lit(&o, "],\"size\":");
    kz_out_int(&o, size);
    kz_out_char(&o, '}');

    return kz_result_json(req, &o);
}


static void
kz_index_stats_one(kz_out_t *o, kz_store_usage_t *index)
{
    ngx_uint_t         i;
    kz_store_usage_t  *col;

    kz_out_lit(o, "{\"name\":");
    kz_out_json_str(o, &index->name);
    kz_out_lit(o, ",\"size\":");
    kz_out_int(o, index->bytes);
    kz_out_lit(o, ",\"collections\":[");

    for (i = 0; i < index->ncollections; i++) {
        col = &index->collections[i];

        if (i) {
            kz_out_char(o, ',');
        }

        kz_out_lit(o, "{\"name\":");
        kz_out_json_str(o, &col->name);
        kz_out_lit(o, ",\"documentCount\":");
        kz_out_int(o, col->documents);
        kz_out_lit(o, ",\"size\":");
        kz_out_int(o, col->bytes);
        kz_out_char(o, '}');
    }

    kz_out_lit(o, "]}");
}
