
/*
 * Many documents in one operation: each is applied, or refused, by itself,
 * as if it had come alone, but all of them in one transaction.  What fails
 * all of them is the engine.
 *
 *   op->in.body      items              (kz_sqlite_wire_items.c)
 *   op->out.source   what became of them, in their order
 *   op->brief        the same as it is kept for a repetition: without the
 *                    sources that the items tell again
 *   op->changes      a record for the bus for each that was written
 */

#include "store/sqlite/kz_sqlite_writer.h"


/* texts read and written by one operation; its result stays below a frame */
#define KZ_ITEMS_BYTES  (64 * 1024 * 1024)


static ngx_int_t kz_items_count(kz_wop_t *op, ngx_uint_t *n);
static void kz_items_one(kz_wop_t *sub, const kz_wop_t *op,
    const kz_wire_item_t *item);
static void kz_items_large(kz_group_t *g, kz_wop_t *sub);
static void kz_items_result(kz_wire_item_done_t *r, const kz_wop_t *sub);
static ngx_int_t kz_items_write(kz_group_t *g, kz_wire_item_done_t *r,
    ngx_uint_t n, ngx_str_t *out);
static ngx_uint_t kz_items_derived(uint32_t kind);


ngx_int_t
kz_items_apply(kz_group_t *g, kz_wop_t *op)
{
    size_t                bytes;
    u_char               *p, *end;
    kz_wop_t              sub;
    ngx_uint_t            i, n;
    kz_wire_item_t        item;
    kz_wire_item_done_t  *r;

    static u_char  broken[] = "items that make no sense";

    if (kz_items_count(op, &n) != NGX_OK) {
        kz_group_detail(g, op, KZ_STORE_FAILED, broken, sizeof(broken) - 1);
        return NGX_OK;
    }

    r = ngx_pcalloc(g->pool, (n + 1) * sizeof(kz_wire_item_done_t));
    op->changes = ngx_palloc(g->pool, (n + 1) * sizeof(ngx_str_t));

    if (r == NULL || op->changes == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    bytes = 0;
    p = op->in.body.data;
    end = p + op->in.body.len;

    for (i = 0; kz_wire_item_read(&item, &p, end) == NGX_OK; i++) {
        kz_items_one(&sub, op, &item);

        if (bytes > KZ_ITEMS_BYTES) {
            kz_items_large(g, &sub);

        } else if (kz_apply_document(g, &sub) != NGX_OK) {
            return NGX_ERROR;
        }

        if (sub.out.status == KZ_STORE_NO_COLLECTION) {
            op->out.status = KZ_STORE_NO_COLLECTION;
            return NGX_OK;
        }

        bytes += sub.in.body.len + 2 * sub.out.source.len;

        kz_items_result(&r[i], &sub);

        if (sub.change.len) {
            op->changes[op->nchanges++] = sub.change;
        }

        op->applied |= sub.applied;
    }

    if (kz_items_write(g, r, n, &op->out.source) != NGX_OK) {
        return NGX_ERROR;
    }

    op->brief = op->out.source;

    if (!op->applied || (op->in.flags & KZ_WIRE_BRIEF)) {
        return NGX_OK;
    }

    p = op->in.body.data;

    for (i = 0; kz_wire_item_read(&item, &p, end) == NGX_OK; i++) {

        if (r[i].status == KZ_STORE_OK && kz_items_derived(item.kind)) {
            r[i].flags |= KZ_WIRE_DERIVED;
            ngx_str_null(&r[i].source);
        }
    }

    return kz_items_write(g, r, n, &op->brief);
}


/* Puts back into a kept result what it was kept without. */

ngx_int_t
kz_items_derive(kz_group_t *g, kz_wop_t *op)
{
    u_char               *p, *end, *q, *last;
    kz_row_t              row;
    kz_wop_t              sub;
    ngx_uint_t            i, n;
    kz_wire_item_t        item;
    kz_wire_item_done_t  *r;

    if (kz_items_count(op, &n) != NGX_OK) {
        return NGX_OK;
    }

    r = ngx_pcalloc(g->pool, (n + 1) * sizeof(kz_wire_item_done_t));
    if (r == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    p = op->in.body.data;
    end = p + op->in.body.len;
    q = op->out.source.data;
    last = q + op->out.source.len;

    for (i = 0; kz_wire_item_read(&item, &p, end) == NGX_OK; i++) {

        if (kz_wire_item_done_read(&r[i], &q, last) != NGX_OK) {
            return NGX_OK;
        }

        if ((r[i].flags & KZ_WIRE_DERIVED) == 0) {
            continue;
        }

        r[i].flags &= ~KZ_WIRE_DERIVED;

        ngx_memzero(&row, sizeof(kz_row_t));
        kz_items_one(&sub, op, &item);

        if (kz_apply_compose(g, &sub, &row) != NGX_OK) {
            kz_apply_no_memory(g);
            return NGX_ERROR;
        }

        r[i].source = sub.out.source;
    }

    return kz_items_write(g, r, n, &op->out.source);
}


static ngx_int_t
kz_items_count(kz_wop_t *op, ngx_uint_t *n)
{
    u_char          *p, *end;
    ngx_int_t        rc;
    kz_wire_item_t   item;

    *n = 0;
    p = op->in.body.data;
    end = p + op->in.body.len;

    while ((rc = kz_wire_item_read(&item, &p, end)) == NGX_OK) {

        switch (item.kind) {

        case KZ_STORE_DOC_CREATE:
        case KZ_STORE_DOC_PUT:
        case KZ_STORE_DOC_REPLACE:
        case KZ_STORE_DOC_UPDATE:
        case KZ_STORE_DOC_DELETE:
        case KZ_STORE_DOC_UPSERT:
        case KZ_STORE_DOC_FIELDS:
            (*n)++;
            break;

        default:
            return NGX_ERROR;
        }
    }

    return rc == NGX_DONE ? NGX_OK : NGX_ERROR;
}


/* The item as an operation of its own. */

static void
kz_items_one(kz_wop_t *sub, const kz_wop_t *op, const kz_wire_item_t *item)
{
    ngx_memzero(sub, sizeof(kz_wop_t));

    sub->conn = op->conn;
    sub->in = op->in;
    sub->in.kind = item->kind;
    sub->in.flags |= KZ_WIRE_ITEM;
    sub->in.id = item->id;
    sub->in.body = item->body;
    sub->fallback = item->fallback;
    sub->plain = (item->flags & KZ_WIRE_PLAIN) ? 1 : 0;
}


static void
kz_items_large(kz_group_t *g, kz_wop_t *sub)
{
    u_char  text[96], *p;

    p = ngx_slprintf(text, text + sizeof(text), "the documents of this "
                     "request are larger than %d bytes, send fewer of them",
                     KZ_ITEMS_BYTES);

    sub->out.id = sub->in.id;
    kz_group_detail(g, sub, KZ_STORE_BAD_DOCUMENT, text, p - text);
}


static void
kz_items_result(kz_wire_item_done_t *r, const kz_wop_t *sub)
{
    r->version = sub->out.version;
    r->status = sub->out.status;
    r->flags = sub->out.flags;
    r->detail = sub->out.detail;
    r->id = sub->out.id;

    if (sub->out.status == KZ_STORE_OK
        && (sub->in.flags & KZ_WIRE_BRIEF) == 0)
    {
        r->source = sub->out.source;
    }
}


static ngx_int_t
kz_items_write(kz_group_t *g, kz_wire_item_done_t *r, ngx_uint_t n,
    ngx_str_t *out)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   i;

    len = 0;

    for (i = 0; i < n; i++) {
        len += kz_wire_item_done_len(&r[i]);
    }

    p = ngx_pnalloc(g->pool, len + 1);
    if (p == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    out->data = p;
    out->len = len;

    for (i = 0; i < n; i++) {
        p = kz_wire_item_done_write(p, &r[i]);
    }

    return NGX_OK;
}


/* Whether the item says all that its document holds. */

static ngx_uint_t
kz_items_derived(uint32_t kind)
{
    return kind == KZ_STORE_DOC_CREATE || kind == KZ_STORE_DOC_PUT
           || kind == KZ_STORE_DOC_REPLACE;
}
