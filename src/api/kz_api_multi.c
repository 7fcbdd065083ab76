/*
 * What actions on many documents have in common.  See kz_multi.h.
 */

#include "api/kz_multi.h"
#include "api/kz_args.h"


static ngx_int_t kz_multi_written(kz_req_t *req);
static kz_json_val_t *kz_multi_member(kz_req_t *req, const char *name,
    ngx_str_t *full, kz_json_val_t *v);


kz_multi_t *
kz_multi_create(kz_req_t *req, kz_store_kind_e kind)
{
    kz_multi_t  *m;

    m = ngx_pcalloc(req->pool, sizeof(kz_multi_t));
    if (m == NULL) {
        return NULL;
    }

    m->pairs = ngx_pcalloc(req->pool, sizeof(kz_multi_pair_t));
    if (m->pairs == NULL) {
        return NULL;
    }

    m->npairs = 1;
    m->pairs[0].index = req->index;
    m->pairs[0].collection = req->collection;

    m->kind = kind;
    m->finish = kz_multi_finish;

    req->ctx = m;

    return m;
}


ngx_int_t
kz_multi_flags(kz_req_t *req, kz_multi_t *m)
{
    ngx_uint_t  silent, strict, source;

    if (kz_arg_flag(req, "silent", &silent) == NGX_ERROR
        || kz_arg_flag(req, "strict", &strict) == NGX_ERROR
        || kz_arg_flag(req, "source", &source) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    m->silent = silent;
    m->strict = strict && req->dialect == KZ_DIALECT_2;
    m->source = source;

    return NGX_OK;
}


kz_multi_entry_t *
kz_multi_entry(kz_req_t *req, kz_multi_t *m)
{
    ngx_uint_t         size;
    kz_multi_entry_t  *e;

    if (m->nentries == m->size) {
        size = m->size ? 2 * m->size : 32;

        e = ngx_palloc(req->pool, size * sizeof(kz_multi_entry_t));
        if (e == NULL) {
            return NULL;
        }

        if (m->size) {
            ngx_memcpy(e, m->entries, m->size * sizeof(kz_multi_entry_t));
        }

        m->entries = e;
        m->size = size;
    }

    e = &m->entries[m->nentries++];
    ngx_memzero(e, sizeof(kz_multi_entry_t));

    return e;
}


ngx_int_t
kz_multi_items(kz_req_t *req, kz_multi_t *m)
{
    ngx_uint_t         i, first, *at;
    kz_multi_entry_t  *e;

    at = ngx_pcalloc(req->pool, m->npairs * sizeof(ngx_uint_t));
    if (at == NULL) {
        return NGX_ERROR;
    }

    m->nitems = 0;

    for (i = 0; i < m->nentries; i++) {
        e = &m->entries[i];

        if (e->reason == NULL) {
            at[e->pair]++;
            m->nitems++;
        }
    }

    for (i = 0, first = 0; i < m->npairs; i++) {
        m->pairs[i].last = first + at[i];
        at[i] = first;
        first = m->pairs[i].last;
    }

    m->items = ngx_pcalloc(req->pool,
                           (m->nitems + 1) * sizeof(kz_store_item_t));
    if (m->items == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < m->nentries; i++) {
        e = &m->entries[i];

        if (e->reason == NULL) {
            e->item = &m->items[at[e->pair]++];
            e->item->kind = m->kind;
            e->item->body = e->body;
        }
    }

    return NGX_OK;
}


ngx_int_t
kz_multi_write(kz_req_t *req)
{
    size_t            bytes;
    ngx_uint_t        n;
    kz_multi_t       *m = req->ctx;
    kz_store_op_t    *op;
    kz_multi_pair_t  *pair;

    if (m->next == m->nitems) {
        return m->finish(req);
    }

    while (m->next == m->pairs[m->pair].last) {
        m->pair++;
    }

    pair = &m->pairs[m->pair];

    op = kz_store_op(req, KZ_STORE_DOC_ITEMS, kz_multi_written);
    if (op == NULL) {
        return NGX_ERROR;
    }

    bytes = 0;

    for (n = m->next; n < pair->last; n++) {

        if (n - m->next == KZ_STORE_ITEMS_MAX
            || bytes > KZ_STORE_ITEMS_SIZE)
        {
            break;
        }

        bytes += m->items[n].body.len + m->items[n].fallback.len;
    }

    op->index = pair->index;
    op->collection = pair->collection;
    op->items = &m->items[m->next];
    op->nitems = n - m->next;
    op->silent = m->silent;
    op->raw = m->raw;
    op->brief = m->brief;
    op->nobody = m->nobody;

    if (!m->sent) {

        /* its memory counts once */

        op->body = req->body;
        m->sent = 1;
    }

    return kz_store_submit(op);
}


static ngx_int_t
kz_multi_written(kz_req_t *req)
{
    ngx_uint_t      i;
    kz_multi_t     *m = req->ctx;
    kz_store_op_t  *op = req->op;

    if (op->status == KZ_STORE_OK) {
        m->next += op->nitems;

        return kz_multi_write(req);
    }

    if (m->next == 0) {
        return kz_store_fail(req, op);
    }

    for (i = m->next; i < m->nitems; i++) {
        m->items[i].status = op->status;
        m->items[i].detail = op->detail;
        m->items[i].doc.id = m->items[i].id;
    }

    m->next = m->nitems;

    return m->finish(req);
}


ngx_int_t
kz_multi_finish(kz_req_t *req)
{
    kz_out_t     o;
    ngx_str_t    errors;
    ngx_uint_t   n;
    kz_multi_t  *m = req->ctx;

    kz_out_init(&o, req->pool, 256);
    kz_out_char(&o, '[');
    n = kz_dialect_multi_errors(req, m, &o);
    kz_out_char(&o, ']');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    errors.data = o.start;
    errors.len = kz_out_len(&o);

    req->result.type = m->type;
    req->result.json = errors;

    if (n == 0) {
        return NGX_OK;
    }

    if (req->dialect == KZ_DIALECT_2 && !m->strict) {
        return NGX_OK;
    }

    req->errors = errors;
    req->nerrors = n;

    if (req->dialect == KZ_DIALECT_2) {
        return kz_fail(req, KZ_E_PROCESS_INCOMPLETE_MULTIPLE_REQUEST, 1,
                       &req->action_name);
    }

    /* Kuzzle: the place for the argument stays as it is */

    (void) kz_fail(req, m->error, 0);
    req->partial = 1;

    return NGX_OK;
}


static kz_json_val_t *
kz_multi_member(kz_req_t *req, const char *name, ngx_str_t *full,
    kz_json_val_t *v)
{
    u_char  *p;

    full->len = sizeof("body.") - 1 + ngx_strlen(name);
    full->data = ngx_pnalloc(req->pool, full->len);

    if (full->data == NULL) {
        full->len = 0;
        return NULL;
    }

    p = ngx_cpymem(full->data, "body.", sizeof("body.") - 1);
    ngx_memcpy(p, name, ngx_strlen(name));

    if (req->body.type != KZ_JSON_OBJECT
        || kz_json_get(&req->body, name, ngx_strlen(name), v) != NGX_OK
        || v->type == KZ_JSON_NULL)
    {
        return NULL;
    }

    return v;
}


ngx_int_t
kz_multi_array(kz_req_t *req, const char *name, kz_json_val_t *v)
{
    ngx_str_t  full, type;

    if (req->body.type == KZ_JSON_NONE) {
        return kz_fail(req, KZ_E_ASSERT_BODY_REQUIRED, 0);
    }

    if (kz_multi_member(req, name, &full, v) == NULL) {
        return kz_fail(req, KZ_E_ASSERT_MISSING_ARGUMENT, 1, &full);
    }

    if (v->type != KZ_JSON_ARRAY) {
        ngx_str_set(&type, "array");

        return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &full, &type);
    }

    return NGX_OK;
}


ngx_int_t
kz_multi_object(kz_req_t *req, const char *name, kz_json_val_t *v,
    ngx_uint_t needs)
{
    ngx_str_t  full, type;

    if (kz_multi_member(req, name, &full, v) == NULL) {

        if (!needs) {
            v->type = KZ_JSON_NONE;
            return NGX_DECLINED;
        }

        return kz_fail(req, KZ_E_ASSERT_MISSING_ARGUMENT, 1, &full);
    }

    if (v->type != KZ_JSON_OBJECT) {
        ngx_str_set(&type, "object");

        return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &full, &type);
    }

    return NGX_OK;
}


ngx_int_t
kz_multi_routing(kz_req_t *req, const kz_json_val_t *doc)
{
    kz_json_val_t  v;

    if (kz_json_get(doc, "_routing", 8, &v) == NGX_OK) {
        return kz_fail(req, KZ_E_STORAGE_NO_ROUTING, 0);
    }

    return NGX_OK;
}


ngx_int_t
kz_multi_limit(kz_req_t *req, kz_error_e e, ngx_uint_t n, ngx_uint_t limit)
{
    u_char     *p;
    ngx_str_t   text;

    if (limit == 0 || n <= limit) {
        return NGX_OK;
    }

    p = ngx_pnalloc(req->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text.data = p;
    text.len = ngx_sprintf(p, "%ui", limit) - p;

    return kz_fail(req, e, 1, &text);
}
