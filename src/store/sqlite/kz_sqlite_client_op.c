
/*
 * An operation as the writer gets it, and what it answers as the operation's
 * results.
 */

#include "store/sqlite/kz_sqlite_client.h"

#include "core/kz_conf.h"


/* the writer gives an operation up this much before we do */
#define KZ_CLIENT_MARGIN  200


static ngx_int_t kz_client_items(kz_store_op_t *op, ngx_str_t *body);
static ngx_int_t kz_client_items_done(kz_store_op_t *op);
static ngx_int_t kz_client_take(ngx_pool_t *pool, ngx_str_t *dst,
    const ngx_str_t *src);
static int64_t kz_client_ms(void);


ngx_uint_t
kz_client_refuses(kz_store_op_t *op)
{
    ngx_uint_t  ddl;

    ddl = (op->kind == KZ_STORE_INDEX_CREATE
           || op->kind == KZ_STORE_COLLECTION_CREATE);

    if (op->index.len > KZ_WIRE_NAME_MAX) {
        op->status = ddl ? KZ_STORE_BAD_NAME : KZ_STORE_NO_INDEX;

        if (ddl) {
            ngx_str_set(&op->detail, "index\nInvalid index name, index name "
                        "is too long");
        }

        return 1;
    }

    if (op->collection.len > KZ_WIRE_NAME_MAX) {
        op->status = ddl ? KZ_STORE_BAD_NAME : KZ_STORE_NO_COLLECTION;

        if (ddl) {
            ngx_str_set(&op->detail, "collection\nInvalid collection name, "
                        "the name is too long");
        }

        return 1;
    }

    if (op->id.len > KZ_WIRE_ID_MAX) {
        op->status = KZ_STORE_BAD_ID;
        return 1;
    }

    return 0;
}


u_char *
kz_client_frame(kz_store_op_t *op, uint64_t seq, size_t *len)
{
    u_char        *frame;
    kz_req_t      *req;
    ngx_msec_t     margin;
    kz_wire_op_t   w;

    req = op->req;
    margin = ngx_min(kz_conf->store_timeout / 8, KZ_CLIENT_MARGIN);

    ngx_memzero(&w, sizeof(kz_wire_op_t));

    w.seq = seq;
    w.deadline = kz_client_ms()
                 + (int64_t) (kz_conf->store_timeout - margin);
    w.timestamp = req->timestamp;
    w.kind = op->kind;
    w.dialect = (op->dialect == KZ_DIALECT_2) ? KZ_DIALECT_2 : KZ_DIALECT_1;
    w.flags = (op->silent ? KZ_WIRE_SILENT : 0)
              | (op->raw ? KZ_WIRE_RAW : 0)
              | (op->brief ? KZ_WIRE_BRIEF : 0)
              | (op->flag ? KZ_WIRE_FLAG : 0);
    w.if_version = op->if_version;

    if (op->kind == KZ_STORE_COLLECTION_INFER) {
        w.if_version = (uint64_t) op->cursor;
    }

    w.index = op->index;
    w.collection = op->collection;
    w.id = op->id;

    if (op->kind == KZ_STORE_DOC_ITEMS) {

        if (kz_client_items(op, &w.body) != NGX_OK) {
            return NULL;
        }

    } else if (op->body.type != KZ_JSON_NONE) {
        w.body = op->body.raw;
    }

    if (op->settings.type != KZ_JSON_NONE) {
        w.settings = op->settings.raw;
    }

    w.request_id = req->request_id;

    if (req->volatile_.type != KZ_JSON_NONE) {
        w.volatile_ = req->volatile_.raw;
    }

    w.controller = req->controller;
    w.action = req->action_name;
    w.protocol = req->proto->name;

    if (!op->nobody) {
        w.user = req->user;
    }

    if (w.controller.len > KZ_WIRE_WORD_MAX || w.action.len > KZ_WIRE_WORD_MAX
        || w.user.len > KZ_WIRE_WORD_MAX)
    {
        return NULL;
    }

    *len = kz_wire_op_len(&w);

    if (*len - KZ_WIRE_HEAD > KZ_WIRE_FRAME_MAX) {
        return NULL;
    }

    frame = ngx_pnalloc(req->pool, *len);
    if (frame == NULL) {
        return NULL;
    }

    (void) kz_wire_op_write(frame, &w);

    if (op->kind == KZ_STORE_DOC_ITEMS) {
        (void) ngx_pfree(req->pool, w.body.data);
    }

    return frame;
}


kz_store_status_e
kz_client_decode(kz_store_op_t *op, const kz_wire_result_t *r)
{
    ngx_pool_t  *pool;

    pool = op->req->pool;

    op->doc.version = r->version;
    op->doc.created = (r->flags & KZ_WIRE_CREATED) ? 1 : 0;
    op->doc.info = (r->flags & KZ_WIRE_INFO) ? 1 : 0;

    if (op->kind == KZ_STORE_COLLECTION_UPDATE) {
        op->found = (r->version != 0);

    } else if (op->kind == KZ_STORE_COLLECTION_INFER) {
        op->cursor = (int64_t) r->version;
    }

    if (kz_client_take(pool, &op->detail, &r->detail) != NGX_OK
        || kz_client_take(pool, &op->doc.id, &r->id) != NGX_OK
        || kz_client_take(pool, &op->doc.source, &r->source) != NGX_OK
        || kz_client_take(pool, &op->changes, &r->changes) != NGX_OK)
    {
        return KZ_STORE_NO_ANSWER;
    }

    if (op->kind == KZ_STORE_DOC_ITEMS && r->status == KZ_STORE_OK
        && kz_client_items_done(op) != NGX_OK)
    {
        return KZ_STORE_NO_ANSWER;
    }

    return r->status;
}


/* The items, one behind the other. */

static ngx_int_t
kz_client_items(kz_store_op_t *op, ngx_str_t *body)
{
    u_char           *p;
    ngx_uint_t        i;
    kz_wire_item_t    w;
    kz_store_item_t  *item;

    for (p = NULL; /* void */ ; p = body->data) {
        body->len = 0;

        for (i = 0; i < op->nitems; i++) {
            item = &op->items[i];

            w.kind = item->kind;
            w.flags = item->plain ? KZ_WIRE_PLAIN : 0;
            w.id = item->id;
            w.body = item->body;
            w.fallback = item->fallback;

            if (p) {
                p = kz_wire_item_write(p, &w);
            }

            body->len += kz_wire_item_len(&w);
        }

        if (p) {
            return NGX_OK;
        }

        if (body->len > KZ_WIRE_FRAME_MAX) {
            return NGX_ERROR;
        }

        body->data = ngx_pnalloc(op->req->pool, body->len + 1);

        if (body->data == NULL) {
            return NGX_ERROR;
        }
    }
}


/* The strings are slices of the result, which is the operation's by now. */

static ngx_int_t
kz_client_items_done(kz_store_op_t *op)
{
    u_char               *p, *end;
    ngx_uint_t            i, needed;
    kz_store_item_t      *item;
    kz_wire_item_done_t   r;

    needed = !op->brief;
    p = op->doc.source.data;
    end = p + op->doc.source.len;

    for (i = 0; i < op->nitems; i++) {
        item = &op->items[i];

        if (kz_wire_item_done_read(&r, &p, end) != NGX_OK) {
            return NGX_ERROR;
        }

        item->status = r.status;
        item->detail = r.detail;
        item->doc.id = item->id.len ? item->id : r.id;
        item->doc.source = r.source;
        item->doc.version = r.version;
        item->doc.created = (r.flags & KZ_WIRE_CREATED) ? 1 : 0;
        item->doc.info = (r.flags & KZ_WIRE_INFO) ? 1 : 0;

        needed |= (item->id.len == 0 || r.detail.len != 0);
    }

    if (!needed) {
        (void) ngx_pfree(op->req->pool, op->doc.source.data);
    }

    ngx_str_null(&op->doc.source);

    return p == end ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
kz_client_take(ngx_pool_t *pool, ngx_str_t *dst, const ngx_str_t *src)
{
    if (src->len == 0) {
        ngx_str_null(dst);
        return NGX_OK;
    }

    dst->data = ngx_pnalloc(pool, src->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, src->data, src->len);
    dst->len = src->len;

    return NGX_OK;
}


static int64_t
kz_client_ms(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
