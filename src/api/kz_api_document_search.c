/*
 * Controller document: where a search looks.
 *
 *     index and collection, or (2.x, never over a route)
 *     "targets": [{"index": "a", "collections": ["b", "c"]}, ...]
 */

#include "api/kz_document.h"
#include "api/kz_args.h"


static ngx_int_t kz_document_targets(kz_req_t *req, kz_store_op_t *op,
    kz_json_val_t *list);
static ngx_int_t kz_document_target(kz_req_t *req, kz_store_op_t *op,
    kz_json_val_t *v, ngx_uint_t n);
static ngx_int_t kz_document_target_add(kz_req_t *req, kz_store_op_t *op,
    ngx_str_t *index, kz_json_val_t *name);
static ngx_uint_t kz_document_several(const ngx_str_t *name);
static ngx_int_t kz_document_target_place(kz_req_t *req, ngx_uint_t n,
    const char *member, ngx_str_t *place);
static ngx_int_t kz_document_target_type(kz_req_t *req, ngx_str_t *place,
    const char *type);


ngx_int_t
kz_document_scope(kz_req_t *req, kz_store_op_t *op)
{
    kz_arg_t   *arg;
    ngx_str_t   place;

    arg = kz_req_arg(req, "targets", 7);

    if (req->dialect == KZ_DIALECT_2 && arg != NULL
        && arg->val.type != KZ_JSON_NULL)
    {
        if (arg->val.type != KZ_JSON_ARRAY) {
            ngx_str_set(&place, "targets");
            return kz_document_target_type(req, &place, "array");
        }

        return kz_document_targets(req, op, &arg->val);
    }

    if (req->index.len == 0 && req->collection.len == 0) {
        return kz_arg_missing(req, "index, collection, targets");
    }

    if (req->index.len == 0) {
        return kz_arg_missing(req, "index");
    }

    if (req->collection.len == 0) {
        return kz_arg_missing(req, "collection");
    }

    if (kz_document_several(&req->index)) {
        return kz_fail(req, req->dialect == KZ_DIALECT_2
                            ? KZ_E_STORAGE_INVALID_MULTI_INDEX_COLLECTION_USAGE
                            : KZ_E_STORAGE_NO_MULTI_INDEXES, 0);
    }

    if (kz_document_several(&req->collection)) {
        return kz_fail(req, req->dialect == KZ_DIALECT_2
                            ? KZ_E_STORAGE_INVALID_MULTI_INDEX_COLLECTION_USAGE
                            : KZ_E_STORAGE_NO_MULTI_COLLECTIONS, 0);
    }

    return NGX_OK;
}


/* Names that would mean many. */

static ngx_uint_t
kz_document_several(const ngx_str_t *name)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {
        if (name->data[i] == ',' || name->data[i] == '*'
            || name->data[i] == '+')
        {
            return 1;
        }
    }

    return name->len == 4 && ngx_memcmp(name->data, "_all", 4) == 0;
}


static ngx_int_t
kz_document_targets(kz_req_t *req, kz_store_op_t *op, kz_json_val_t *list)
{
    ngx_str_t        name;
    ngx_uint_t       n;
    kz_json_val_t    v;
    kz_json_iter_t   it;

    op->targets = ngx_palloc(req->pool, KZ_STORE_TARGETS_MAX
                                        * sizeof(kz_store_target_t));
    if (op->targets == NULL) {
        return NGX_ERROR;
    }

    kz_json_iter(&it, list);

    for (n = 0; kz_json_next(&it, &v) == NGX_OK; n++) {
        if (kz_document_target(req, op, &v, n) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (n == 0) {
        ngx_str_set(&name, "targets");
        return kz_fail(req, KZ_E_ASSERT_EMPTY_ARGUMENT, 1, &name);
    }

    return NGX_OK;
}


static ngx_int_t
kz_document_target(kz_req_t *req, kz_store_op_t *op, kz_json_val_t *v,
    ngx_uint_t n)
{
    ngx_str_t        place, index, name;
    ngx_uint_t       count;
    kz_json_val_t    list, item;
    kz_json_iter_t   it;

    if (kz_document_target_place(req, n, "", &place) != NGX_OK) {
        return NGX_ERROR;
    }

    if (v->type != KZ_JSON_OBJECT) {
        return kz_document_target_type(req, &place, "object");
    }

    if (kz_document_target_place(req, n, ".index", &place) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_json_get(v, "index", 5, &item) != NGX_OK
        || item.type == KZ_JSON_NULL)
    {
        return kz_fail(req, KZ_E_ASSERT_MISSING_ARGUMENT, 1, &place);
    }

    if (item.type != KZ_JSON_STRING) {
        return kz_document_target_type(req, &place, "string");
    }

    if (kz_json_string(req->pool, &item, &index) != NGX_OK) {
        return NGX_ERROR;
    }

    if (index.len == 0) {
        return kz_fail(req, KZ_E_ASSERT_EMPTY_ARGUMENT, 1, &place);
    }

    if (kz_document_several(&index)) {
        ngx_str_set(&name, "index");
        return kz_fail(req, KZ_E_STORAGE_INVALID_TARGET_FORMAT, 2, &name,
                       &index);
    }

    if (kz_document_target_place(req, n, ".collections", &place) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_json_get(v, "collections", 11, &list) != NGX_OK
        || list.type == KZ_JSON_NULL)
    {
        return kz_fail(req, KZ_E_ASSERT_MISSING_ARGUMENT, 1, &place);
    }

    if (list.type != KZ_JSON_ARRAY) {
        return kz_document_target_type(req, &place, "array");
    }

    count = 0;
    kz_json_iter(&it, &list);

    while (kz_json_next(&it, &item) == NGX_OK) {

        if (item.type != KZ_JSON_STRING) {
            return kz_document_target_type(req, &place, "array of strings");
        }

        if (kz_document_target_add(req, op, &index, &item) != NGX_OK) {
            return NGX_ERROR;
        }

        count++;
    }

    return count ? NGX_OK
                 : kz_fail(req, KZ_E_ASSERT_EMPTY_ARGUMENT, 1, &place);
}


/* One that is given twice is searched once. */

static ngx_int_t
kz_document_target_add(kz_req_t *req, kz_store_op_t *op, ngx_str_t *index,
    kz_json_val_t *name)
{
    ngx_str_t           text, what;
    ngx_uint_t          i;
    kz_store_target_t  *t;

    if (kz_json_string(req->pool, name, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.len == 0 || kz_document_several(&text)) {
        ngx_str_set(&what, "collection");

        return kz_fail(req, KZ_E_STORAGE_INVALID_TARGET_FORMAT, 2, &what,
                       &text);
    }

    for (i = 0; i < op->ntargets; i++) {
        t = &op->targets[i];

        if (t->index.len == index->len && t->collection.len == text.len
            && ngx_memcmp(t->index.data, index->data, index->len) == 0
            && ngx_memcmp(t->collection.data, text.data, text.len) == 0)
        {
            return NGX_OK;
        }
    }

    if (op->ntargets == KZ_STORE_TARGETS_MAX) {
        ngx_str_set(&text, "targets");
        return kz_fail(req, KZ_E_ASSERT_TOO_MANY_ARGUMENTS, 1, &text);
    }

    t = &op->targets[op->ntargets++];
    t->index = *index;
    t->collection = text;

    return NGX_OK;
}


static ngx_int_t
kz_document_target_place(kz_req_t *req, ngx_uint_t n, const char *member,
    ngx_str_t *place)
{
    size_t  len;

    len = sizeof("targets[].collections") + NGX_INT_T_LEN;

    place->data = ngx_pnalloc(req->pool, len);
    if (place->data == NULL) {
        return NGX_ERROR;
    }

    place->len = ngx_snprintf(place->data, len, "targets[%ui]%s", n, member)
                 - place->data;

    return NGX_OK;
}


static ngx_int_t
kz_document_target_type(kz_req_t *req, ngx_str_t *place, const char *type)
{
    ngx_str_t  t;

    t.data = (u_char *) type;
    t.len = ngx_strlen(type);

    return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, place, &t);
}
