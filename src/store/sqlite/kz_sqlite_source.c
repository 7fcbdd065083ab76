
/*
 * The text of a document as it is stored: the client's object with the
 * metadata as its last member.
 *
 *     {"name":"x","_kuzzle_info":{"author":"-1","createdAt":N,
 *                                 "updatedAt":null,"updater":null}}
 */

#include "store/sqlite/kz_sqlite_writer.h"
#include "util/kz_json_drop.h"


/* What the metadata of a new version says. */

typedef enum {
    KZ_INFO_CREATED = 1,       /* by the caller, never updated */
    KZ_INFO_PUT,               /* by the caller, created and updated */
    KZ_INFO_UPDATED,           /* by the caller, created as it was */
    KZ_INFO_UPSERTED,          /* by the caller, says no more than that */
    KZ_INFO_IMPORTED           /* updated by the caller, created by nobody */
} kz_info_e;


static ngx_int_t kz_apply_kept(kz_group_t *g, kz_wop_t *op, kz_row_t *row);
static ngx_int_t kz_apply_changed(kz_group_t *g, kz_wop_t *op, kz_row_t *row,
    ngx_str_t *text, kz_json_val_t *info);
static ngx_int_t kz_apply_initial(kz_group_t *g, kz_wop_t *op,
    ngx_str_t *text);
static kz_info_e kz_apply_info_kind(const kz_wop_t *op, const kz_row_t *row);
static ngx_int_t kz_apply_finish(kz_group_t *g, kz_wop_t *op,
    const ngx_str_t *text, kz_info_e kind, const kz_json_val_t *info,
    ngx_str_t *out);
static ngx_int_t kz_apply_strip(ngx_pool_t *pool, const ngx_str_t *text,
    ngx_str_t *out);
static void kz_apply_join(kz_out_t *o, const ngx_str_t *text);
static void kz_apply_info(kz_out_t *o, const kz_wop_t *op, kz_info_e kind,
    const kz_json_val_t *old);


/*
 * The new source, and for an update the changes, with the metadata as last
 * member.  One given by the client is dropped, unless it is a raw write.
 * KZ_WIRE_INFO of op->out.flags says whether the source ends with it.
 * NGX_ERROR: no memory.
 */

ngx_int_t
kz_apply_compose(kz_group_t *g, kz_wop_t *op, kz_row_t *row)
{
    kz_info_e      kind;
    ngx_str_t      text, body;
    kz_json_val_t  info;

    if (op->in.flags & KZ_WIRE_RAW) {
        return kz_apply_kept(g, op, row);
    }

    info.type = KZ_JSON_NONE;
    kind = kz_apply_info_kind(op, row);

    if (kind == KZ_INFO_UPDATED) {

        if (kz_apply_changed(g, op, row, &text, &info) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (op->in.kind == KZ_STORE_DOC_UPSERT) {

        if (kz_apply_initial(g, op, &text) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (kz_apply_strip(g->pool, &op->in.body, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kind == KZ_INFO_UPDATED && op->in.kind != KZ_STORE_DOC_FIELDS) {

        if (kz_apply_strip(g->pool, &op->in.body, &body) != NGX_OK
            || kz_apply_finish(g, op, &body, kind, &info, &op->out.changes)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    op->out.flags |= KZ_WIRE_INFO;

    return kz_apply_finish(g, op, &text, kind, &info, &op->out.source);
}


/*
 * A raw write: what is in the body, and nothing else.  Metadata of the usual
 * form is moved to the end, where everybody looks for it.
 */

static ngx_int_t
kz_apply_kept(kz_group_t *g, kz_wop_t *op, kz_row_t *row)
{
    kz_out_t       o;
    ngx_str_t      text, bare;
    kz_json_val_t  was, now, doc, info, v;

    text = op->in.body;

    if (op->in.kind == KZ_STORE_DOC_UPDATE) {
        kz_json_value(row->source.data, row->source.data + row->source.len,
                      &was);
        kz_json_value(text.data, text.data + text.len, &now);

        op->out.changes = text;

        if (kz_json_merge(g->pool, &was, &now, &text) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    op->out.source = text;

    kz_json_value(text.data, text.data + text.len, &doc);

    if (kz_json_get(&doc, "_kuzzle_info", 12, &info) != NGX_OK
        || info.type != KZ_JSON_OBJECT || info.raw.len <= 2
        || kz_json_get(&info, "active", 6, &v) == NGX_OK
        || kz_json_get(&info, "deletedAt", 9, &v) == NGX_OK)
    {
        return NGX_OK;
    }

    if (kz_apply_strip(g->pool, &text, &bare) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_out_init(&o, g->pool, text.len + 32);
    kz_apply_join(&o, &bare);
    kz_out_lit(&o, "\"_kuzzle_info\":");
    kz_out_str(&o, &info.raw);
    kz_out_char(&o, '}');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    op->out.source.data = o.start;
    op->out.source.len = kz_out_len(&o);
    op->out.flags |= KZ_WIRE_INFO;

    return NGX_OK;
}


/* The stored document as changed, without its metadata, and that one. */

static ngx_int_t
kz_apply_changed(kz_group_t *g, kz_wop_t *op, kz_row_t *row, ngx_str_t *text,
    kz_json_val_t *info)
{
    ngx_str_t      old, body;
    kz_json_val_t  was, now, src;

    if (kz_apply_strip(g->pool, &row->source, &old) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_json_value(row->source.data, row->source.data + row->source.len,
                  &src);
    (void) kz_json_get(&src, "_kuzzle_info", 12, info);

    kz_json_value(old.data, old.data + old.len, &was);

    if (op->in.kind == KZ_STORE_DOC_FIELDS) {
        kz_json_value(op->in.body.data, op->in.body.data + op->in.body.len,
                      &now);

        return kz_json_drop(g->pool, &was, &now, text);
    }

    if (kz_apply_strip(g->pool, &op->in.body, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_json_value(body.data, body.data + body.len, &now);

    return kz_json_merge(g->pool, &was, &now, text);
}


/*
 * A document made by an upsert.  Kuzzle: root members of the changes replace
 * those of the default, nothing is merged.
 */

static ngx_int_t
kz_apply_initial(kz_group_t *g, kz_wop_t *op, ngx_str_t *text)
{
    kz_out_t       o;
    ngx_str_t      body, fallback, both;
    kz_json_val_t  none, now;

    ngx_str_set(&fallback, "{}");

    if (op->fallback.len
        && kz_apply_strip(g->pool, &op->fallback, &fallback) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (op->plain) {
        *text = fallback;
        return NGX_OK;
    }

    if (kz_apply_strip(g->pool, &op->in.body, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    if (fallback.len <= 2 || body.len <= 2) {
        *text = body.len <= 2 ? fallback : body;
        return NGX_OK;
    }

    kz_out_init(&o, g->pool, fallback.len + body.len);
    kz_apply_join(&o, &fallback);
    kz_out_bytes(&o, body.data + 1, body.len - 1);

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    both.data = o.start;
    both.len = kz_out_len(&o);

    /* of repeated keys the last one survives a merge */

    none.type = KZ_JSON_OBJECT;
    none.escaped = 0;
    ngx_str_set(&none.raw, "{}");

    kz_json_value(both.data, both.data + both.len, &now);

    return kz_json_merge(g->pool, &none, &now, text);
}


static kz_info_e
kz_apply_info_kind(const kz_wop_t *op, const kz_row_t *row)
{
    switch (op->in.kind) {

    case KZ_STORE_DOC_UPDATE:
    case KZ_STORE_DOC_FIELDS:
        return KZ_INFO_UPDATED;

    case KZ_STORE_DOC_UPSERT:

        if (row->found) {
            return KZ_INFO_UPDATED;
        }

        return op->plain ? KZ_INFO_IMPORTED : KZ_INFO_UPSERTED;

    case KZ_STORE_DOC_CREATE:
        return KZ_INFO_CREATED;

    default:

        /* Kuzzle: one of many is always a creation */

        return (op->in.flags & KZ_WIRE_ITEM) ? KZ_INFO_CREATED : KZ_INFO_PUT;
    }
}


static ngx_int_t
kz_apply_finish(kz_group_t *g, kz_wop_t *op, const ngx_str_t *text,
    kz_info_e kind, const kz_json_val_t *info, ngx_str_t *out)
{
    kz_out_t  o;

    kz_out_init(&o, g->pool, text->len + 160);
    kz_apply_join(&o, text);
    kz_apply_info(&o, op, kind, info);

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    out->data = o.start;
    out->len = kz_out_len(&o);

    return NGX_OK;
}


/*
 * What a stored result leaves out because the operation, sent again, gives
 * it: the source of a creation or replacement, the changes of an update.
 */

ngx_int_t
kz_apply_derive(kz_group_t *g, kz_wop_t *op)
{
    kz_row_t   row;
    ngx_str_t  source;

    if ((op->out.flags & KZ_WIRE_DERIVED) == 0) {
        return NGX_OK;
    }

    op->out.flags &= ~KZ_WIRE_DERIVED;

    if (op->in.kind == KZ_STORE_DOC_ITEMS) {
        return kz_items_derive(g, op);
    }

    ngx_memzero(&row, sizeof(kz_row_t));
    source = op->out.source;

    if (op->in.kind == KZ_STORE_DOC_UPDATE) {

        /* merging twice changes nothing, and author and date are in there */

        row.source = source;
    }

    if (kz_apply_compose(g, op, &row) != NGX_OK) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    if (op->in.kind == KZ_STORE_DOC_UPDATE) {
        op->out.source = source;
    }

    return NGX_OK;
}


/* The object without its member _kuzzle_info: the same text, or a new one. */

static ngx_int_t
kz_apply_strip(ngx_pool_t *pool, const ngx_str_t *text, ngx_str_t *out)
{
    kz_out_t          o;
    ngx_uint_t        found;
    kz_json_val_t     obj;
    kz_json_iter_t    it;
    kz_json_member_t  m;

    *out = *text;
    found = 0;

    kz_json_value(text->data, text->data + text->len, &obj);
    kz_json_iter(&it, &obj);

    while (kz_json_next_member(&it, &m) == NGX_OK) {
        if (kz_json_key_is(&m, "_kuzzle_info", 12) == NGX_OK) {
            found = 1;
            break;
        }
    }

    if (!found) {
        return NGX_OK;
    }

    kz_out_init(&o, pool, text->len);
    kz_out_char(&o, '{');
    kz_json_iter(&it, &obj);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (kz_json_key_is(&m, "_kuzzle_info", 12) == NGX_OK) {
            continue;
        }

        if (kz_out_len(&o) > 1) {
            kz_out_char(&o, ',');
        }

        kz_out_char(&o, '"');
        kz_out_str(&o, &m.key);
        kz_out_lit(&o, "\":");
        kz_out_str(&o, &m.val.raw);
    }

    kz_out_char(&o, '}');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    out->data = o.start;
    out->len = kz_out_len(&o);

    return NGX_OK;
}


/* Begins a copy of the object that another member will follow. */

static void
kz_apply_join(kz_out_t *o, const ngx_str_t *text)
{
    kz_out_bytes(o, text->data, text->len - 1);

    if (text->len > 2) {
        kz_out_char(o, ',');
    }
}


/* The metadata as last member, and the end of the object. */

static void
kz_apply_info(kz_out_t *o, const kz_wop_t *op, kz_info_e kind,
    const kz_json_val_t *old)
{
    kz_json_val_t  author, created;

    kz_out_lit(o, "\"_kuzzle_info\":{");

    author.type = KZ_JSON_NONE;
    created.type = KZ_JSON_NONE;

    if (kind == KZ_INFO_UPDATED && old->type == KZ_JSON_OBJECT) {
        (void) kz_json_get(old, "author", 6, &author);
        (void) kz_json_get(old, "createdAt", 9, &created);
    }

    if (kind != KZ_INFO_IMPORTED) {
        kz_out_lit(o, "\"author\":");

        if (kind != KZ_INFO_UPDATED && op->in.user.len) {
            kz_out_json_str(o, &op->in.user);

        } else if (author.type != KZ_JSON_NONE) {
            kz_out_str(o, &author.raw);

        } else {
            kz_out_lit(o, "null");
        }

        kz_out_lit(o, ",\"createdAt\":");

        if (kind != KZ_INFO_UPDATED) {
            kz_out_int(o, op->in.timestamp);

        } else if (created.type != KZ_JSON_NONE) {
            kz_out_str(o, &created.raw);

        } else {
            kz_out_lit(o, "null");
        }

        if (kind == KZ_INFO_UPSERTED) {
            kz_out_lit(o, "}}");
            return;
        }

        if (kind == KZ_INFO_CREATED) {
            kz_out_lit(o, ",\"updatedAt\":null,\"updater\":null}}");
            return;
        }

        kz_out_char(o, ',');
    }

    kz_out_lit(o, "\"updatedAt\":");
    kz_out_int(o, op->in.timestamp);
    kz_out_lit(o, ",\"updater\":");

    if (op->in.user.len) {
        kz_out_json_str(o, &op->in.user);

    } else {
        kz_out_lit(o, "null");
    }

    kz_out_lit(o, "}}");
}
