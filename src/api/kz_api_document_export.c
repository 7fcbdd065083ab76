/*
 * Controller document: export, as JSON lines or CSV.
 *
 *     arguments -> first part (heading) -> search -> page -> part -> scroll
 *                                                     ^                |
 *                                                     +----------------+
 *
 * The reply goes out page by page; the next one is read when the client has
 * taken the one before.  Kuzzle: an error after the arguments is a text at
 * the end of what has been sent.
 */

#include "api/kz_document.h"
#include "api/kz_args.h"
#include "api/kz_dialect.h"


#define KZ_EXPORT_SCROLL  60000        /* ms, from page to page */
#define KZ_EXPORT_PAGE    100          /* documents */
#define KZ_EXPORT_FIELDS  1024
#define KZ_EXPORT_DEPTH   32


typedef struct {
    kz_out_t         out;              /* of one part */
    ngx_str_t        separator;
    ngx_array_t      fields;           /* of ngx_str_t */
    kz_json_val_t    names;            /* fieldsName, or NONE */
    ngx_str_t        scroll;           /* its id */
    kz_json_val_t    body;             /* of the search */
    int64_t          size;
    unsigned         csv:1;
    unsigned         once:1;           /* a page and no more */
    unsigned         last:1;
    unsigned         koncorde:1;
} kz_export_t;


static ngx_int_t kz_export_format(kz_req_t *req, kz_export_t *x);
static ngx_int_t kz_export_member(kz_req_t *req, const char *name,
    kz_json_type_e type, kz_json_val_t *v);
static ngx_int_t kz_export_fields(kz_req_t *req, kz_export_t *x,
    kz_json_val_t *list);
static ngx_int_t kz_export_body(kz_req_t *req, kz_export_t *x);
static ngx_int_t kz_export_headers(kz_req_t *req, kz_export_t *x);
static ngx_int_t kz_export_mapped(kz_req_t *req);
static ngx_int_t kz_export_leaves(kz_req_t *req, kz_export_t *x,
    const kz_json_val_t *properties, const ngx_str_t *prefix,
    ngx_uint_t depth);
static ngx_int_t kz_export_begin(kz_req_t *req);
static ngx_int_t kz_export_search(kz_req_t *req);
static ngx_int_t kz_export_next(kz_req_t *req);
static ngx_int_t kz_export_page(kz_req_t *req);
static ngx_int_t kz_export_send(kz_req_t *req, kz_step_pt step);
static ngx_int_t kz_export_end(kz_req_t *req);
static ngx_int_t kz_export_failed(kz_req_t *req);
static void kz_export_heading(kz_req_t *req, kz_export_t *x);
static void kz_export_doc(kz_req_t *req, kz_export_t *x, kz_doc_t *doc);
static void kz_export_cell(kz_req_t *req, kz_export_t *x,
    const kz_json_val_t *v);
static void kz_export_text(kz_export_t *x, const ngx_str_t *text);


ngx_int_t
kz_document_export(kz_req_t *req)
{
    ngx_int_t       rc;
    ngx_str_t       action;
    ngx_uint_t      koncorde;
    kz_export_t    *x;
    kz_json_val_t   fields;
    kz_store_op_t  *op;

    if (req->proto->stream == NULL) {
        ngx_str_set(&action, "document:export");
        return kz_fail(req, KZ_E_ASSERT_UNSUPPORTED_PROTOCOL, 2,
                       &req->proto->name, &action);
    }

    x = ngx_pcalloc(req->pool, sizeof(kz_export_t));
    if (x == NULL
        || ngx_array_init(&x->fields, req->pool, 16, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    req->ctx = x;
    kz_out_init(&x->out, req->pool, 65536);

    if (kz_export_format(req, x) != NGX_OK
        || kz_document_lang(req, &koncorde) != NGX_OK
        || kz_export_body(req, x) != NGX_OK)
    {
        return NGX_ERROR;
    }

    x->koncorde = koncorde;

    if (kz_export_member(req, "fieldsName", KZ_JSON_OBJECT, &x->names)
        == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    rc = kz_export_member(req, "fields", KZ_JSON_ARRAY, &fields);

    if (rc == NGX_ERROR
        || (rc == NGX_OK && kz_export_fields(req, x, &fields) != NGX_OK)
        || kz_export_headers(req, x) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!x->csv || x->fields.nelts) {
        return kz_export_begin(req);
    }

    op = kz_store_op(req, KZ_STORE_MAPPING_GET, kz_export_mapped);

    return op ? kz_store_submit(op) : NGX_ERROR;
}


static ngx_int_t
kz_export_format(kz_req_t *req, kz_export_t *x)
{
    ngx_int_t   rc;
    ngx_str_t   format, name, allowed;

    ngx_str_set(&format, "jsonl");

    if (kz_arg_string(req, "format", &format) == NGX_ERROR) {
        return NGX_ERROR;
    }

    x->csv = (format.len == 3 && ngx_memcmp(format.data, "csv", 3) == 0);

    if (!x->csv
        && (format.len != 5 || ngx_memcmp(format.data, "jsonl", 5) != 0))
    {
        ngx_str_set(&name, "format");
        ngx_str_set(&allowed, "\"jsonl\" or \"csv\"");

        return kz_fail(req, KZ_E_ASSERT_INVALID_ARGUMENT, 2, &name,
                       &allowed);
    }

    ngx_str_set(&x->separator, ",");

    if (kz_arg_string(req, "separator", &x->separator) == NGX_ERROR) {
        return NGX_ERROR;
    }

    rc = kz_arg_int(req, "size", &x->size);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED || x->size <= 0) {
        x->size = KZ_EXPORT_PAGE;
    }

    x->size = ngx_min(x->size, (int64_t) kz_conf->fetch_count);

    return NGX_OK;
}


/* Of the body, or an argument with its JSON.  NGX_DECLINED: absent. */

static ngx_int_t
kz_export_member(kz_req_t *req, const char *name, kz_json_type_e type,
    kz_json_val_t *v)
{
    size_t          len;
    kz_arg_t       *arg;
    ngx_str_t       n, t;
    kz_json_err_t   err;

    len = ngx_strlen(name);
    v->type = KZ_JSON_NONE;

    if (req->body.type != KZ_JSON_OBJECT
        || kz_json_get(&req->body, name, len, v) != NGX_OK
        || v->type == KZ_JSON_NULL)
    {
        v->type = KZ_JSON_NONE;
        arg = kz_req_arg(req, name, len);

        if (arg == NULL || arg->val.type == KZ_JSON_NULL) {
            return NGX_DECLINED;
        }

        *v = arg->val;

        if (v->type == KZ_JSON_NONE
            && kz_json_scan(arg->text.data, arg->text.len,
                            req->conf->json_depth, v, &err)
               != NGX_OK)
        {
            v->type = KZ_JSON_NULL;
        }
    }

    if (v->type == type) {
        return NGX_OK;
    }

    n.data = (u_char *) name;
    n.len = len;
    ngx_str_set(&t, "object");

    if (type == KZ_JSON_ARRAY) {
        ngx_str_set(&t, "array");
    }

    return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &n, &t);
}


static ngx_int_t
kz_export_fields(kz_req_t *req, kz_export_t *x, kz_json_val_t *list)
{
    ngx_str_t       *field, name, type;
    kz_json_val_t    v;
    kz_json_iter_t   it;

    kz_json_iter(&it, list);

    while (kz_json_next(&it, &v) == NGX_OK) {

        if (v.type != KZ_JSON_STRING || x->fields.nelts == KZ_EXPORT_FIELDS) {
            ngx_str_set(&name, "fields");
            ngx_str_set(&type, "array of at most 1024 strings");
            return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &name, &type);
        }

        if (kz_json_string_is(&v, (u_char *) "_id", 3) == NGX_OK) {
            continue;                         /* is there in any case */
        }

        field = ngx_array_push(&x->fields);

        if (field == NULL || kz_json_string(req->pool, &v, field) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_export_body(kz_req_t *req, kz_export_t *x)
{
    kz_out_t        o;
    ngx_int_t       query, collapse;
    kz_json_val_t   v, c;

    query = kz_export_member(req, "query", KZ_JSON_OBJECT, &v);

    if (query == NGX_ERROR) {
        return NGX_ERROR;
    }

    collapse = kz_export_member(req, "collapse", KZ_JSON_OBJECT, &c);

    if (collapse == NGX_ERROR) {
        return NGX_ERROR;
    }

    x->once = (collapse == NGX_OK && c.raw.len > 2);

    kz_out_init(&o, req->pool, 256);
    kz_out_char(&o, '{');

    if (query == NGX_OK) {
        kz_out_lit(&o, "\"query\":");
        kz_out_str(&o, &v.raw);
        kz_out_char(&o, ',');
    }

    if (x->once) {
        kz_out_lit(&o, "\"collapse\":");
        kz_out_str(&o, &c.raw);
        kz_out_char(&o, ',');
    }

    kz_out_lit(&o, "\"version\":true}");

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    kz_json_value(o.start, o.pos, &x->body);

    return NGX_OK;
}


static ngx_int_t
kz_export_headers(kz_req_t *req, kz_export_t *x)
{
    u_char     *p;
    kz_out_t    o;
    ngx_str_t   name, value;

    req->result.type = KZ_RESULT_RAW;

    if (x->csv) {
        ngx_str_set(&req->raw_type, "text/csv");

    } else {
        ngx_str_set(&req->raw_type, "html/text");
    }

    kz_out_init(&o, req->pool, 128);
    kz_out_str(&o, &req->index);
    kz_out_char(&o, '-');
    kz_out_str(&o, &req->collection);

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    for (p = o.start; p < o.pos; p++) {
        if (*p == '"' || *p == '\\' || *p < ' ' || *p == 0x7f) {
            *p = '_';
        }
    }

    value.data = o.start;
    value.len = kz_out_len(&o);

    kz_out_init(&o, req->pool, 128);
    kz_out_lit(&o, "attachment; filename=\"");
    kz_out_str(&o, &value);

    if (x->csv) {
        kz_out_lit(&o, ".csv\"");

    } else {
        kz_out_lit(&o, ".jsonl\"");
    }

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    value.data = o.start;
    value.len = kz_out_len(&o);
    ngx_str_set(&name, "Content-Disposition");

    return kz_req_header(req, &name, &value);
}


static ngx_int_t
kz_export_mapped(kz_req_t *req)
{
    ngx_str_t       none;
    kz_export_t    *x = req->ctx;
    kz_json_val_t   m, v;

    if (req->op->status == KZ_STORE_OK) {
        m.type = KZ_JSON_OBJECT;
        m.raw = req->op->mapping;
        ngx_str_null(&none);

        if (kz_json_get(&m, "properties", 10, &v) == NGX_OK
            && kz_export_leaves(req, x, &v, &none, 0) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* what is wrong the search will find as well */

    return kz_export_begin(req);
}


static ngx_int_t
kz_export_leaves(kz_req_t *req, kz_export_t *x,
    const kz_json_val_t *properties, const ngx_str_t *prefix,
    ngx_uint_t depth)
{
    kz_out_t           o;
    ngx_str_t          key, *field;
    kz_json_val_t      v;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    if (depth == KZ_EXPORT_DEPTH || properties->type != KZ_JSON_OBJECT) {
        return NGX_OK;
    }

    kz_json_iter(&it, properties);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (depth == 0 && kz_json_key_is(&m, "_kuzzle_info", 12) == NGX_OK) {
            continue;
        }

        if (kz_json_key(req->pool, &m, &key) != NGX_OK) {
            return NGX_ERROR;
        }

        kz_out_init(&o, req->pool, prefix->len + key.len + 1);

        if (prefix->len) {
            kz_out_str(&o, prefix);
            kz_out_char(&o, '.');
        }

        kz_out_str(&o, &key);

        if (kz_out_failed(&o)) {
            return NGX_ERROR;
        }

        key.data = o.start;
        key.len = kz_out_len(&o);

        if (m.val.type == KZ_JSON_OBJECT
            && kz_json_get(&m.val, "properties", 10, &v) == NGX_OK)
        {
            if (kz_export_leaves(req, x, &v, &key, depth + 1) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        field = ngx_array_push(&x->fields);
        if (field == NULL) {
            return NGX_ERROR;
        }

        *field = key;
    }

    return NGX_OK;
}


static ngx_int_t
kz_export_begin(kz_req_t *req)
{
    kz_export_heading(req, req->ctx);

    return kz_export_send(req, kz_export_search);
}


static ngx_int_t
kz_export_search(kz_req_t *req)
{
    kz_export_t    *x = req->ctx;
    kz_store_op_t  *op;

    if (req->client == NULL) {
        return NGX_OK;
    }

    op = kz_store_op(req, KZ_STORE_DOC_SEARCH, kz_export_page);
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->body = x->body;
    op->koncorde = x->koncorde;
    op->from = 0;
    op->size = x->size;
    op->scroll = x->once ? 0 : KZ_EXPORT_SCROLL;

    return kz_store_submit(op);
}


/* The operation is used again: there may be many pages. */

static ngx_int_t
kz_export_next(kz_req_t *req)
{
    kz_export_t    *x = req->ctx;
    kz_store_op_t  *op = req->op;

    if (req->client == NULL || x->last) {
        return kz_export_end(req);
    }

    /* the names of the page before went with its memory */

    op->index = req->index;
    op->collection = req->collection;

    op->kind = KZ_STORE_SCROLL;
    op->id = x->scroll;
    op->scroll = 0;
    op->step = kz_export_page;

    return kz_store_submit(op);
}


static ngx_int_t
kz_export_page(kz_req_t *req)
{
    ngx_uint_t      i;
    kz_export_t    *x = req->ctx;
    kz_store_op_t  *op = req->op;

    if (req->client == NULL) {
        return NGX_OK;
    }

    if (op->status != KZ_STORE_OK) {
        return kz_export_failed(req);
    }

    for (i = 0; i < op->ndocs; i++) {
        kz_export_doc(req, x, &op->docs[i]);
    }

    if (kz_out_failed(&x->out)) {
        return NGX_ERROR;
    }

    if (op->kind == KZ_STORE_DOC_SEARCH && op->scroll_id.len) {
        x->scroll.len = op->scroll_id.len;
        x->scroll.data = ngx_pstrdup(req->pool, &op->scroll_id);

        if (x->scroll.data == NULL) {
            return NGX_ERROR;
        }
    }

    x->last = (x->once || x->scroll.len == 0 || op->remaining == 0);

    kz_store_forget(op);

    return kz_export_send(req, kz_export_next);
}


/* The part that is ready, then that step. */

static ngx_int_t
kz_export_send(kz_req_t *req, kz_step_pt step)
{
    ngx_int_t     rc;
    ngx_str_t     part;
    kz_export_t  *x = req->ctx;

    if (kz_out_failed(&x->out)) {
        return NGX_ERROR;
    }

    if (req->client == NULL) {
        return NGX_OK;
    }

    part.data = x->out.start;
    part.len = kz_out_len(&x->out);

    rc = req->proto->stream(req, &part);

    if (rc == NGX_ERROR) {
        return req->failed ? NGX_ERROR : NGX_OK;
    }

    /* written again when it has gone, and not before */

    x->out.pos = x->out.start;
    req->step = step;

    return rc;
}


static ngx_int_t
kz_export_end(kz_req_t *req)
{
    req->step = NULL;

    return NGX_OK;
}


/* "PreconditionError: The collection ... does not exist." */

static ngx_int_t
kz_export_failed(kz_req_t *req)
{
    kz_out_t        o;
    ngx_uint_t      i;
    ngx_str_t       text;
    kz_export_t    *x = req->ctx;
    kz_json_val_t   v, message;

    static const struct {
        ngx_uint_t  status;
        ngx_str_t   name;
    } names[] = {
        { 400, ngx_string("BadRequestError: ") },
        { 404, ngx_string("NotFoundError: ") },
        { 412, ngx_string("PreconditionError: ") },
        { 413, ngx_string("SizeLimitError: ") },
        { 503, ngx_string("ServiceUnavailableError: ") },
        { 504, ngx_string("GatewayTimeoutError: ") },
        { 0, ngx_string("InternalError: ") }
    };

    (void) kz_store_fail(req, req->op);

    for (i = 0; names[i].status && names[i].status != req->status; i++) {
        /* void */
    }

    kz_out_str(&x->out, &names[i].name);

    kz_out_init(&o, req->pool, 256);
    kz_dialect_error(req, &o);

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    kz_json_value(o.start, o.pos, &v);

    if (kz_json_get(&v, "message", 7, &message) == NGX_OK
        && kz_json_string(req->pool, &message, &text) == NGX_OK)
    {
        kz_out_str(&x->out, &text);
    }

    return kz_export_send(req, kz_export_end);
}


static void
kz_export_heading(kz_req_t *req, kz_export_t *x)
{
    ngx_uint_t      i;
    ngx_str_t       name, *field;
    kz_json_val_t   v;

    if (!x->csv) {
        kz_out_lit(&x->out, "{\"collection\":");
        kz_out_json_str(&x->out, &req->collection);
        kz_out_lit(&x->out, ",\"index\":");
        kz_out_json_str(&x->out, &req->index);
        kz_out_lit(&x->out, ",\"type\":\"collection\"}\n");
        return;
    }

    field = x->fields.elts;

    for (i = 0; i <= x->fields.nelts; i++) {

        if (i) {
            name = field[i - 1];
            kz_out_str(&x->out, &x->separator);

        } else {
            ngx_str_set(&name, "_id");
        }

        if (x->names.type == KZ_JSON_OBJECT
            && kz_json_get(&x->names, (char *) name.data, name.len, &v)
               == NGX_OK
            && v.type == KZ_JSON_STRING
            && kz_json_string(req->pool, &v, &name) != NGX_OK)
        {
            x->out.failed = 1;
        }

        kz_export_text(x, &name);
    }

    kz_out_char(&x->out, '\n');
}


static void
kz_export_doc(kz_req_t *req, kz_export_t *x, kz_doc_t *doc)
{
    ngx_uint_t      i;
    ngx_str_t      *field;
    kz_json_val_t   src, v;

    if (!x->csv) {
        kz_out_lit(&x->out, "{\"_id\":");
        kz_out_json_str(&x->out, &doc->id);
        kz_out_lit(&x->out, ",\"body\":");
        kz_out_str(&x->out, &doc->source);
        kz_out_lit(&x->out, "}\n");
        return;
    }

    src.type = KZ_JSON_OBJECT;
    src.raw = doc->source;

    kz_export_text(x, &doc->id);

    field = x->fields.elts;

    for (i = 0; i < x->fields.nelts; i++) {
        kz_out_str(&x->out, &x->separator);

        if (kz_json_path(&src, &field[i], &v) == NGX_OK) {
            kz_export_cell(req, x, &v);
        }
    }

    kz_out_char(&x->out, '\n');
}


/* Kuzzle: objects, and arrays, are not shown. */

static void
kz_export_cell(kz_req_t *req, kz_export_t *x, const kz_json_val_t *v)
{
    u_char     *p;
    ngx_str_t   text;

    switch (v->type) {

    case KZ_JSON_NULL:
        return;

    case KZ_JSON_OBJECT:
    case KZ_JSON_ARRAY:
        kz_out_lit(&x->out, "[OBJECT]");
        return;

    case KZ_JSON_STRING:

        if (v->escaped) {

            /* not from the pool: there may be a million of them */

            p = ngx_alloc(v->raw.len, req->log);
            if (p == NULL) {
                x->out.failed = 1;
                return;
            }

            text.data = p;
            text.len = kz_json_unescape(p, v->raw.data + 1, v->raw.len - 2)
                       - p;

            kz_export_text(x, &text);
            ngx_free(p);
            return;
        }

        text.data = v->raw.data + 1;
        text.len = v->raw.len - 2;

        kz_export_text(x, &text);
        return;

    default:
        kz_export_text(x, &v->raw);
    }
}


/* RFC 4180, 2: in quotes when it must be. */

static void
kz_export_text(kz_export_t *x, const ngx_str_t *text)
{
    size_t      i;
    ngx_uint_t  quote;

    quote = 0;

    for (i = 0; i < text->len && !quote; i++) {
        quote = (text->data[i] == '"' || text->data[i] == '\n'
                 || text->data[i] == '\r'
                 || (x->separator.len
                     && text->len - i >= x->separator.len
                     && ngx_memcmp(text->data + i, x->separator.data,
                                   x->separator.len)
                        == 0));
    }

    if (!quote) {
        kz_out_str(&x->out, text);
        return;
    }

    kz_out_char(&x->out, '"');

    for (i = 0; i < text->len; i++) {

        if (text->data[i] == '"') {
            kz_out_char(&x->out, '"');
        }

        kz_out_char(&x->out, text->data[i]);
    }

    kz_out_char(&x->out, '"');
}
