/*
 * Controller bulk: writes that take documents as they are.
 */

#include "api/kz_router.h"
#include "api/kz_args.h"
#include "api/kz_document.h"


static ngx_int_t kz_bulk_write(kz_req_t *req);
static ngx_int_t kz_bulk_written(kz_req_t *req);
static ngx_int_t kz_bulk_mwrite(kz_req_t *req);
static ngx_int_t kz_bulk_import(kz_req_t *req);
static ngx_int_t kz_bulk_lines(kz_req_t *req, kz_multi_t *m,
    kz_json_val_t *data);
static ngx_int_t kz_bulk_line(kz_req_t *req, kz_multi_t *m,
    kz_json_val_t *line, ngx_uint_t number);
static ngx_int_t kz_bulk_target(kz_req_t *req, kz_multi_t *m,
    kz_multi_entry_t *e, kz_json_val_t *target);
static ngx_int_t kz_bulk_pair(kz_req_t *req, kz_multi_t *m,
    kz_multi_entry_t *e, ngx_str_t *index, ngx_str_t *collection);
static ngx_int_t kz_bulk_document(kz_req_t *req, kz_multi_t *m,
    kz_json_val_t *line);
static ngx_int_t kz_bulk_items(kz_req_t *req, kz_multi_t *m);
static ngx_int_t kz_bulk_look(kz_req_t *req);
static ngx_int_t kz_bulk_looked(kz_req_t *req);
static ngx_int_t kz_bulk_bad(kz_req_t *req, const char *fmt, ngx_uint_t line,
    ngx_str_t *key);


typedef struct {
    const char       *name;
    kz_store_kind_e   kind;
} kz_bulk_verb_t;


static const kz_bulk_verb_t  kz_bulk_verbs[] = {
    { "create", KZ_STORE_DOC_CREATE },
    { "delete", KZ_STORE_DOC_DELETE },
    { "index", KZ_STORE_DOC_PUT },
    { "update", KZ_STORE_DOC_UPDATE },
    { NULL, 0 }
};


#define KZ_BULK_PAIRS  1000            /* collections in one import */


const kz_action_t  kz_bulk_actions[] = {

    { "deleteByQuery", kz_document_bulk_delete, "", "icb",
      "2DELETE /:index/:collection/_bulk/_query",
      KZ_V2 },

    { "import", kz_bulk_import, "", "ic",
      "POST /:index/:collection/_bulk,"
      "1-POST /_bulk,"
      "1-POST /:index/_bulk",
      KZ_V1|KZ_V2 },

    { "mWrite", kz_bulk_mwrite, "bic", "ic",
      "POST /:index/:collection/_mWrite",
      KZ_V1|KZ_V2 },

    { "updateByQuery", kz_document_bulk_update, "", "icb",
      "2PATCH /:index/:collection/_bulk/_query",
      KZ_V2 },

    { "write", kz_bulk_write, "bic", "icb",
      "POST /:index/:collection/_write",
      KZ_V1|KZ_V2 },

      kz_null_action
};


/* Kuzzle: the id is an argument, it is not in the route. */

static ngx_int_t
kz_bulk_write(kz_req_t *req)
{
    ngx_str_t       name, type;
    ngx_uint_t      notify;
    kz_store_op_t  *op;

    if (req->dialect == KZ_DIALECT_1 && req->id.len
        && req->id.data[0] == '_')
    {
        return kz_fail(req, KZ_E_ASSERT_INVALID_ID, 0);
    }

    if (req->body.type != KZ_JSON_OBJECT) {
        ngx_str_set(&name, "body");
        ngx_str_set(&type, "object");

        return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &name, &type);
    }

    if (kz_document_refresh(req) != NGX_OK
        || kz_arg_flag(req, "notify", &notify) == NGX_ERROR
        || kz_multi_routing(req, &req->body) != NGX_OK)
    {
        return NGX_ERROR;
    }

    op = kz_store_op(req, KZ_STORE_DOC_PUT, kz_bulk_written);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->body = req->body;
    op->raw = 1;
    op->silent = !notify;

    return kz_store_submit(op);
}


static ngx_int_t
kz_bulk_written(kz_req_t *req)
{
    if (req->op->status != KZ_STORE_OK) {
        return kz_store_fail(req, req->op);
    }

    req->result.type = KZ_RESULT_WRITTEN;

    return NGX_OK;
}


static ngx_int_t
kz_bulk_mwrite(kz_req_t *req)
{
    ngx_uint_t      notify;
    kz_multi_t     *m;
    kz_json_val_t   docs;

    m = kz_multi_create(req, KZ_STORE_DOC_PUT);
    if (m == NULL) {
        return NGX_ERROR;
    }

    if (kz_multi_flags(req, m) != NGX_OK
        || kz_document_refresh(req) != NGX_OK
        || kz_arg_flag(req, "notify", &notify) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    m->type = KZ_RESULT_MULTI;
    m->error = KZ_E_STORAGE_IMPORT_FAILED;
    m->raw = 1;
    m->silent = !notify;

    if (kz_multi_array(req, "documents", &docs) != NGX_OK
        || kz_document_many_given(req, m, &docs) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (req->dialect == KZ_DIALECT_1
        && kz_multi_limit(req, KZ_E_STORAGE_WRITE_LIMIT_EXCEEDED, m->nitems,
                          kz_conf->write_count)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_multi_write(req);
}


/*
 * The lines of an import: one that says what to do, and where, followed by
 * what to do it with (but for a deletion).
 */

static ngx_int_t
kz_bulk_import(kz_req_t *req)
{
    kz_multi_t     *m;
    kz_json_val_t   data;

    m = kz_multi_create(req, KZ_STORE_DOC_PUT);
    if (m == NULL) {
        return NGX_ERROR;
    }

    if (kz_multi_flags(req, m) != NGX_OK
        || kz_multi_array(req, "bulkData", &data) != NGX_OK
        || kz_bulk_parse(req, m, &data) != NGX_OK)
    {
        return NGX_ERROR;
    }

    m->type = KZ_RESULT_IMPORTED;
    m->error = KZ_E_STORAGE_IMPORT_FAILED;
    m->silent = 1;
    m->brief = 1;

    if (req->dialect == KZ_DIALECT_1) {

        /* Kuzzle: all of them must be there before anything is written */

        return kz_bulk_look(req);
    }

    return kz_multi_write(req);
}


ngx_int_t
kz_bulk_parse(kz_req_t *req, kz_multi_t *m, kz_json_val_t *data)
{
    if (kz_bulk_lines(req, m, data) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_bulk_items(req, m);
}


static ngx_int_t
kz_bulk_lines(kz_req_t *req, kz_multi_t *m, kz_json_val_t *data)
{
    ngx_uint_t      n, wanted;
    kz_json_val_t   v;
    kz_json_iter_t  it;

    n = 0;
    wanted = 0;

    /* the first pair is the request's own, and may be none */

    kz_json_iter(&it, data);

    while (kz_json_next(&it, &v) == NGX_OK) {
        n++;

        if (v.type != KZ_JSON_OBJECT) {
            return kz_bulk_bad(req, "Malformed action/metadata line [%ui], "
                               "expected START_OBJECT", n, NULL);
        }

        if (wanted) {

            if (kz_bulk_document(req, m, &v) != NGX_OK) {
                return NGX_ERROR;
            }

            wanted = 0;
            continue;
        }

        if (kz_bulk_line(req, m, &v, n) != NGX_OK) {
            return NGX_ERROR;
        }

        wanted = (m->entries[m->nentries - 1].kind != KZ_STORE_DOC_DELETE);
    }

    if (wanted) {
        return kz_bulk_bad(req, "Validation Failed: %ui: source is missing;",
                           1, NULL);
    }

    return NGX_OK;
}


static ngx_int_t
kz_bulk_line(kz_req_t *req, kz_multi_t *m, kz_json_val_t *line,
    ngx_uint_t number)
{
    ngx_str_t              key;
    kz_json_iter_t         it;
    kz_json_member_t       mem;
    kz_multi_entry_t      *e;
    const kz_bulk_verb_t  *verb;

    kz_json_iter(&it, line);

    if (kz_json_next_member(&it, &mem) != NGX_OK) {
        return kz_bulk_bad(req, "Malformed action/metadata line [%ui], "
                           "expected FIELD_NAME but found [END_OBJECT]",
                           number, NULL);
    }

    for (verb = kz_bulk_verbs; verb->name; verb++) {
        if (kz_json_key_is(&mem, verb->name, ngx_strlen(verb->name))
            == NGX_OK)
        {
            break;
        }
    }

    if (verb->name == NULL) {
        key = mem.key;

        return kz_bulk_bad(req, "Malformed action/metadata line [%ui], "
                           "expected one of [create, delete, index, update] "
                           "but found [%V]", number, &key);
    }

    if (mem.val.type != KZ_JSON_OBJECT) {
        return kz_bulk_bad(req, "Malformed action/metadata line [%ui], "
                           "expected START_OBJECT", number, NULL);
    }

    e = kz_multi_entry(req, m);
    if (e == NULL) {
        return NGX_ERROR;
    }

    e->given = *line;
    e->verb = verb->name;
    e->kind = verb->kind;

    return kz_bulk_target(req, m, e, &mem.val);
}


static ngx_int_t
kz_bulk_target(kz_req_t *req, kz_multi_t *m, kz_multi_entry_t *e,
    kz_json_val_t *target)
{
    ngx_str_t      index, collection;
    kz_json_val_t  v;

    if (kz_json_get(target, "_id", 3, &v) == NGX_OK) {

        if (v.type == KZ_JSON_STRING) {
            if (kz_json_string(req->pool, &v, &e->id) != NGX_OK) {
                return NGX_ERROR;
            }

        } else if (v.type == KZ_JSON_NUMBER) {
            e->id = v.raw;
        }
    }

    if (e->id.len == 0
        && (e->kind == KZ_STORE_DOC_UPDATE || e->kind == KZ_STORE_DOC_DELETE))
    {
        return kz_bulk_bad(req, "Validation Failed: %ui: id is missing;", 1,
                           NULL);
    }

    if (req->dialect == KZ_DIALECT_2) {
        return NGX_OK;
    }

    index = req->index;
    collection = req->collection;

    if (kz_json_get(target, "_index", 6, &v) == NGX_OK
        && v.type == KZ_JSON_STRING
        && kz_json_string(req->pool, &v, &index) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_json_get(target, "_type", 5, &v) == NGX_OK
        && v.type == KZ_JSON_STRING
        && kz_json_string(req->pool, &v, &collection) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (index.len == 0) {
        return kz_arg_missing(req, "index");
    }

    if (collection.len == 0) {
        return kz_arg_missing(req, "collection");
    }

    if (index.data[0] == '%') {
        return kz_fail(req, KZ_E_STORAGE_INDEX_PROTECTED, 1, &index);
    }

    return kz_bulk_pair(req, m, e, &index, &collection);
}


/* Lines of one collection mostly come together: the last one is tried first. */

static ngx_int_t
kz_bulk_pair(kz_req_t *req, kz_multi_t *m, kz_multi_entry_t *e,
    ngx_str_t *index, ngx_str_t *collection)
{
    ngx_uint_t        i;
    kz_multi_pair_t  *p;

    for (i = m->npairs; i > 0; i--) {
        p = &m->pairs[i - 1];

        if (p->index.len == index->len
            && p->collection.len == collection->len
            && ngx_memcmp(p->index.data, index->data, index->len) == 0
            && ngx_memcmp(p->collection.data, collection->data,
                          collection->len)
               == 0)
        {
            e->pair = i - 1;
            return NGX_OK;
        }
    }

    if (m->npairs == KZ_BULK_PAIRS) {
        return kz_bulk_bad(req, "an import may have documents of at most %ui "
                           "collections", KZ_BULK_PAIRS, NULL);
    }

    if (m->npairs == 1) {
        p = ngx_pcalloc(req->pool, KZ_BULK_PAIRS * sizeof(kz_multi_pair_t));

        if (p == NULL) {
            return NGX_ERROR;
        }

        p[0] = m->pairs[0];
        m->pairs = p;
    }

    p = &m->pairs[m->npairs];
    p->index = *index;
    p->collection = *collection;

    e->pair = m->npairs++;

    return NGX_OK;
}


/* The line that follows; for an update {doc, upsert, doc_as_upsert}. */

static ngx_int_t
kz_bulk_document(kz_req_t *req, kz_multi_t *m, kz_json_val_t *line)
{
    ngx_str_t          name;
    kz_json_val_t      v;
    kz_multi_entry_t  *e;

    e = &m->entries[m->nentries - 1];
    e->body = line->raw;

    if (e->kind != KZ_STORE_DOC_UPDATE) {
        return kz_multi_routing(req, line);
    }

    if (kz_json_get(line, "script", 6, &v) == NGX_OK) {
        ngx_str_set(&name, "script");

        return kz_fail(req, KZ_E_STORAGE_INVALID_QUERY_KEYWORD, 1, &name);
    }

    if (kz_json_get(line, "doc", 3, &v) != NGX_OK
        || v.type != KZ_JSON_OBJECT)
    {
        return kz_bulk_bad(req, "Validation Failed: %ui: script or doc is "
                           "missing;", 1, NULL);
    }

    e->body = v.raw;

    if (kz_json_get(line, "upsert", 6, &v) == NGX_OK
        && v.type == KZ_JSON_OBJECT)
    {
        e->kind = KZ_STORE_DOC_UPSERT;
        e->fallback = v.raw;

    } else if (kz_json_get(line, "doc_as_upsert", 13, &v) == NGX_OK
               && v.type == KZ_JSON_TRUE)
    {
        e->kind = KZ_STORE_DOC_UPSERT;
        e->fallback = e->body;
    }

    return NGX_OK;
}


static ngx_int_t
kz_bulk_items(kz_req_t *req, kz_multi_t *m)
{
    ngx_uint_t         i;
    kz_multi_entry_t  *e;

    if (kz_multi_items(req, m) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < m->nentries; i++) {
        e = &m->entries[i];

        e->item->kind = e->kind;
        e->item->id = e->id;
        e->item->fallback = e->fallback;
        e->item->plain = 1;

        if (e->kind == KZ_STORE_DOC_DELETE) {
            ngx_str_null(&e->item->body);
        }
    }

    return NGX_OK;
}


/* Whether the collections are there, one after the other. */

static ngx_int_t
kz_bulk_look(kz_req_t *req)
{
    kz_multi_t       *m = req->ctx;
    kz_store_op_t    *op;
    kz_multi_pair_t  *p;

    for ( ;; ) {

        if (m->looked == m->npairs) {
            return kz_multi_write(req);
        }

        p = &m->pairs[m->looked];

        if (p->last != (m->looked ? p[-1].last : 0)) {
            break;
        }

        /* the request's own, without a line */

        m->looked++;
    }

    op = kz_store_op(req, KZ_STORE_COLLECTION_EXISTS, kz_bulk_looked);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->index = p->index;
    op->collection = p->collection;

    return kz_store_submit(op);
}


static ngx_int_t
kz_bulk_looked(kz_req_t *req)
{
    kz_multi_t     *m = req->ctx;
    kz_store_op_t  *op = req->op;

    if (op->status != KZ_STORE_OK) {
        return kz_store_fail(req, op);
    }

    if (!op->found) {
        return kz_fail(req, KZ_E_STORAGE_UNKNOWN_INDEX_COLLECTION, 2,
                       &op->index, &op->collection);
    }

    m->looked++;

    return kz_bulk_look(req);
}


static ngx_int_t
kz_bulk_bad(kz_req_t *req, const char *fmt, ngx_uint_t line, ngx_str_t *key)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   text;

    len = ngx_strlen(fmt) + NGX_INT_T_LEN + (key ? key->len : 0);

    p = ngx_pnalloc(req->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text.data = p;
    text.len = ngx_snprintf(p, len, fmt, line, key) - p;

    return kz_fail(req, KZ_E_STORAGE_UNEXPECTED_BAD_REQUEST, 1, &text);
}
