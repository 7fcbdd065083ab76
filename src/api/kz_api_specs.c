
/*
 * Controller collection: validation specifications.  Stored and applied:
 * kz_specs.c.
 */

#include "api/kz_router.h"
#include "api/kz_api_specs.h"
#include "api/kz_args.h"
#include "api/kz_specs.h"


/* One specification of a body. */

typedef struct {
    ngx_str_t      index;
    ngx_str_t      collection;
    kz_json_val_t  spec;
} kz_specs_item_t;


typedef struct {
    ngx_array_t    items;              /* of kz_specs_item_t */
    ngx_array_t    errors;             /* of ngx_str_t */
    ngx_uint_t     next;               /* to be written */
} kz_specs_list_t;


static ngx_int_t kz_specs_get_read(kz_req_t *req);
static ngx_int_t kz_specs_deleted(kz_req_t *req);
static kz_specs_list_t *kz_specs_list(kz_req_t *req);
static ngx_int_t kz_specs_list_all(kz_req_t *req, kz_specs_list_t *list);
static ngx_int_t kz_specs_list_index(kz_req_t *req, kz_specs_list_t *list,
    ngx_str_t *index, kz_json_val_t *collections);
static ngx_int_t kz_specs_list_add(kz_specs_list_t *list, ngx_str_t *index,
    ngx_str_t *collection, kz_json_val_t *spec);
static ngx_int_t kz_specs_list_compile(kz_req_t *req, kz_specs_list_t *list);
static ngx_int_t kz_specs_key(kz_req_t *req, const kz_json_member_t *m,
    ngx_str_t *s);
static ngx_int_t kz_specs_update_next(kz_req_t *req);
static ngx_int_t kz_specs_updated(kz_req_t *req);
static ngx_int_t kz_specs_no_object(kz_req_t *req, ngx_str_t *name);
static ngx_int_t kz_specs_search_read(kz_req_t *req);
static ngx_int_t kz_specs_scroll_read(kz_req_t *req);
static void kz_specs_put(kz_out_t *o, ngx_str_t *source);


ngx_int_t
kz_collection_get_specifications(kz_req_t *req)
{
    kz_store_op_t  *op;

    op = kz_specs_op(req, KZ_STORE_DOC_GET, &req->index, &req->collection,
                     kz_specs_get_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_specs_get_read(kz_req_t *req)
{
    kz_out_t        o;
    kz_store_op_t  *op = req->op;

    if (kz_specs_absent(op)) {
        return kz_fail(req, KZ_E_VALIDATION_ASSERT_NOT_FOUND, 2, &req->index,
                       &req->collection);
    }

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    kz_out_init(&o, req->pool, op->doc.source.len);
    kz_specs_put(&o, &op->doc.source);

    return kz_result_json(req, &o);
}


/* As it was given: without the metadata of its document. */

static void
kz_specs_put(kz_out_t *o, ngx_str_t *source)
{
    ngx_uint_t      i, any;
    kz_json_val_t   src, v;

    static ngx_str_t  names[] = {
        ngx_string("index"),
        ngx_string("collection"),
        ngx_string("validation")
    };

    kz_json_value(source->data, source->data + source->len, &src);

    kz_out_char(o, '{');
    any = 0;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {

        if (kz_json_get(&src, (char *) names[i].data, names[i].len, &v)
            != NGX_OK)
        {
            continue;
        }

        if (any++) {
            kz_out_char(o, ',');
        }

        kz_out_json_str(o, &names[i]);
        kz_out_char(o, ':');
        kz_out_str(o, &v.raw);
    }

    kz_out_char(o, '}');
}


ngx_int_t
kz_collection_delete_specifications(kz_req_t *req)
{
    return kz_specs_drop(req, &req->index, &req->collection,
                         kz_specs_deleted);
}


/* Kuzzle: also when there was none */

static ngx_int_t
kz_specs_deleted(kz_req_t *req)
{
    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "{\"acknowledged\":true}");

    return NGX_OK;
}


/*
 * The specifications of the body: of one collection, or, in generation 1
 * without index and collection, {index: {collection: specification}}.
 * NULL: refused.
 */

static kz_specs_list_t *
kz_specs_list(kz_req_t *req)
{
    ngx_int_t         rc;
    kz_specs_list_t  *list;

    static ngx_str_t  body = ngx_string("body");

    if (req->body.type != KZ_JSON_OBJECT) {
        (void) kz_specs_no_object(req, &body);
        return NULL;
    }

    list = ngx_pcalloc(req->pool, sizeof(kz_specs_list_t));

    if (list == NULL
        || ngx_array_init(&list->items, req->pool, 4,
                          sizeof(kz_specs_item_t))
           != NGX_OK
        || ngx_array_init(&list->errors, req->pool, 4, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NULL;
    }

    if (req->index.len && req->collection.len) {
        rc = kz_specs_list_add(list, &req->index, &req->collection,
                               &req->body);
    } else {
        rc = kz_specs_list_all(req, list);
    }

    if (rc != NGX_OK || kz_specs_list_compile(req, list) != NGX_OK) {
        return NULL;
    }

    return list;
}


static ngx_int_t
kz_specs_list_all(kz_req_t *req, kz_specs_list_t *list)
{
    ngx_str_t          index;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    kz_json_iter(&it, &req->body);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (kz_specs_key(req, &m, &index) != NGX_OK) {
            return NGX_ERROR;
        }

        if (m.val.type != KZ_JSON_OBJECT) {
            return kz_specs_no_object(req, &index);
        }

        if (kz_specs_list_index(req, list, &index, &m.val) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_specs_list_index(kz_req_t *req, kz_specs_list_t *list, ngx_str_t *index,
    kz_json_val_t *collections)
{
    ngx_str_t          collection;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    kz_json_iter(&it, collections);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (kz_specs_key(req, &m, &collection) != NGX_OK
            || kz_specs_list_add(list, index, &collection, &m.val) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_specs_list_add(kz_specs_list_t *list, ngx_str_t *index,
    ngx_str_t *collection, kz_json_val_t *spec)
{
    kz_specs_item_t  *item;

    item = ngx_array_push(&list->items);
    if (item == NULL) {
        return NGX_ERROR;
    }

    item->index = *index;
    item->collection = *collection;
    item->spec = *spec;

    return NGX_OK;
}


static ngx_int_t
kz_specs_key(kz_req_t *req, const kz_json_member_t *m, ngx_str_t *s)
{
    *s = m->key;

    if (!m->escaped) {
        return NGX_OK;
    }

    s->data = ngx_pnalloc(req->pool, m->key.len);
    if (s->data == NULL) {
        return NGX_ERROR;
    }

    s->len = kz_json_unescape(s->data, m->key.data, m->key.len) - s->data;

    return NGX_OK;
}


static ngx_int_t
kz_specs_no_object(kz_req_t *req, ngx_str_t *name)
{
    static ngx_str_t  object = ngx_string("object");

    return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, name, &object);
}


static ngx_int_t
kz_specs_list_compile(kz_req_t *req, kz_specs_list_t *list)
{
    ngx_str_t         name;
    ngx_uint_t        i;
    kz_spec_t        *spec;
    kz_specs_item_t  *item;

    item = list->items.elts;

    for (i = 0; i < list->items.nelts; i++) {
        name.len = item[i].index.len + item[i].collection.len + 1;
        name.data = ngx_pnalloc(req->pool, name.len);
        if (name.data == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_sprintf(name.data, "%V.%V", &item[i].index,
                           &item[i].collection);

        if (kz_spec_compile(req->pool, &name, &item[i].spec, &spec,
                            &list->errors)
            == NGX_ERROR)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
kz_collection_validate_specifications(kz_req_t *req)
{
    kz_out_t          o;
    ngx_str_t        *error;
    ngx_uint_t        i;
    kz_specs_list_t  *list;

    list = kz_specs_list(req);
    if (list == NULL) {
        return NGX_ERROR;
    }

    kz_out_init(&o, req->pool, 256);

    if (list->errors.nelts == 0) {
        kz_out_lit(&o, "{\"valid\":true}");
        return kz_result_json(req, &o);
    }

    error = list->errors.elts;

    kz_out_lit(&o, "{\"valid\":false,\"details\":[");

    for (i = 0; i < list->errors.nelts; i++) {
        if (i) {
            kz_out_char(&o, ',');
        }

        kz_out_json_str(&o, &error[i]);
    }

    kz_out_lit(&o, "],\"description\":\"Some errors with provided "
               "specifications.\"}");

    return kz_result_json(req, &o);
}


ngx_int_t
kz_collection_update_specifications(kz_req_t *req)
{
    kz_out_t          o;
    ngx_str_t        *error, text, name, expected;
    ngx_uint_t        i;
    kz_specs_item_t  *item;
    kz_specs_list_t  *list;

    list = kz_specs_list(req);
    if (list == NULL) {
        return NGX_ERROR;
    }

    if (list->errors.nelts) {
        kz_out_init(&o, req->pool, 256);
        error = list->errors.elts;

        for (i = 0; i < list->errors.nelts; i++) {
            if (i) {
                kz_out_lit(&o, "\n\t- ");
            }

            kz_out_str(&o, &error[i]);
        }

        if (kz_out_failed(&o)) {
            return NGX_ERROR;
        }

        text.data = o.start;
        text.len = kz_out_len(&o);

        return kz_fail(req, KZ_E_VALIDATION_ASSERT_INVALID_SPECIFICATIONS, 1,
                       &text);
    }

    /* "#" is what separates the names in the document's id */

    item = list->items.elts;

    for (i = 0; i < list->items.nelts; i++) {
        if (ngx_strlchr(item[i].index.data,
                        item[i].index.data + item[i].index.len, '#')
            != NULL)
        {
            ngx_str_set(&name, "index");
            ngx_str_set(&expected, "the name of an index");

            return kz_fail(req, KZ_E_ASSERT_INVALID_ARGUMENT, 2, &name,
                           &expected);
        }
    }

    req->ctx = list;

    return kz_specs_update_next(req);
}


static ngx_int_t
kz_specs_update_next(kz_req_t *req)
{
    kz_out_t          o;
    kz_store_op_t    *op;
    kz_specs_item_t  *item;
    kz_specs_list_t  *list = req->ctx;

    kz_out_init(&o, req->pool, req->body.raw.len + 64);

    if (list->next == list->items.nelts) {
        kz_out_str(&o, &req->body.raw);
        return kz_result_json(req, &o);
    }

    item = list->items.elts;
    item += list->next++;

    op = kz_specs_op(req, KZ_STORE_DOC_PUT, &item->index, &item->collection,
                     kz_specs_updated);
    if (op == NULL) {
        return NGX_ERROR;
    }

    kz_out_lit(&o, "{\"index\":");
    kz_out_json_str(&o, &item->index);
    kz_out_lit(&o, ",\"collection\":");
    kz_out_json_str(&o, &item->collection);
    kz_out_lit(&o, ",\"validation\":");
    kz_out_str(&o, &item->spec.raw);
    kz_out_char(&o, '}');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    kz_json_value(o.start, o.pos, &op->body);

    return kz_store_submit(op);
}


static ngx_int_t
kz_specs_updated(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    return kz_specs_update_next(req);
}


ngx_int_t
kz_collection_search_specifications(kz_req_t *req)
{
    int64_t         n;
    ngx_int_t       rc;
    ngx_str_t       text;
    kz_json_val_t   query;
    kz_store_op_t  *op;

    if (req->dialect == KZ_DIALECT_1) {

        /* Kuzzle: generation 1 searches with an empty query if there is none,
           and its engine takes that for an error */

        if (req->body.type != KZ_JSON_OBJECT
            || kz_json_get(&req->body, "query", 5, &query) != NGX_OK)
        {
            query.type = KZ_JSON_NONE;
        }

        if (query.type == KZ_JSON_NONE || query.raw.len == 2) {
            ngx_str_set(&text, "query malformed, empty clause found");
            return kz_fail(req, KZ_E_STORAGE_UNEXPECTED_BAD_REQUEST, 1,
                           &text);
        }
    }

    op = kz_specs_op(req, KZ_STORE_DOC_SEARCH, NULL, NULL,
                     kz_specs_search_read);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->body = req->body;

    if (kz_arg_scroll(req, &op->scroll) == NGX_ERROR) {
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


static ngx_int_t
kz_specs_search_read(kz_req_t *req)
{
    char            score[32];
    kz_out_t        o;
    ngx_uint_t      i;
    kz_store_op_t  *op = req->op;

    if (kz_specs_absent(op)) {
        op->ndocs = 0;
        op->total = 0;

    } else if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    kz_out_init(&o, req->pool, 1024);
    kz_out_lit(&o, "{\"hits\":[");

    for (i = 0; i < op->ndocs; i++) {
        if (i) {
            kz_out_char(&o, ',');
        }

        kz_out_lit(&o, "{\"_id\":");
        kz_out_json_str(&o, &op->docs[i].id);
        kz_out_lit(&o, ",\"_source\":");
        kz_specs_put(&o, &op->docs[i].source);

        kz_out_lit(&o, ",\"_score\":");

        if (op->docs[i].scored) {
            kz_out_bytes(&o, score, snprintf(score, sizeof(score), "%.9g",
                                             op->docs[i].score));
        } else {
            kz_out_lit(&o, "null");
        }

        kz_out_char(&o, '}');
    }

    kz_out_lit(&o, "],\"total\":");
    kz_out_int(&o, op->total);

    if (op->scroll_id.len) {
        kz_out_lit(&o, ",\"scrollId\":");
        kz_out_json_str(&o, &op->scroll_id);
    }

    kz_out_char(&o, '}');

    return kz_result_json(req, &o);
}


ngx_int_t
kz_collection_scroll_specifications(kz_req_t *req)
{
    ngx_int_t       rc;
    ngx_str_t       id;
    kz_store_op_t  *op;

    rc = kz_arg_string(req, "scrollId", &id);

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? kz_arg_missing(req, "scrollId")
                                  : NGX_ERROR;
    }

    op = kz_store_op(req, KZ_STORE_SCROLL, kz_specs_scroll_read);

    if (op == NULL || kz_arg_scroll(req, &op->scroll) == NGX_ERROR) {
        return NGX_ERROR;
    }

    op->id = id;

    return kz_store_submit(op);
}


/* A scroll of documents is none of specifications. */

static ngx_int_t
kz_specs_scroll_read(kz_req_t *req)
{
    kz_store_op_t  *op = req->op;

    if (op->status == KZ_STORE_OK
        && (op->index.len != sizeof(KZ_STORE_INTERNAL) - 1
            || ngx_memcmp(op->index.data, KZ_STORE_INTERNAL, op->index.len)
               != 0))
    {
        op->status = KZ_STORE_NO_SCROLL;
    }

    return kz_specs_search_read(req);
}
