
/*
 * The text of a document as it is stored: the client's object with the
 * metadata as its last member.
 *
 *     {"name":"x","_kuzzle_info":{"author":"-1","createdAt":N,
 *                                 "updatedAt":null,"updater":null}}
 */

#include "store/sqlite/kz_sqlite_writer.h"


static ngx_int_t kz_apply_strip(ngx_pool_t *pool, const ngx_str_t *text,
    ngx_str_t *out);
static void kz_apply_join(kz_out_t *o, const ngx_str_t *text);
static void kz_apply_info(kz_out_t *o, const kz_wop_t *op,
    const kz_json_val_t *old);


/*
 * The new source, and for an update the changes, with the metadata as last
 * member.  One given by the client is dropped.  NGX_ERROR: no memory.
 */

ngx_int_t
kz_apply_compose(kz_group_t *g, kz_wop_t *op, kz_row_t *row)
{
    kz_out_t       o, c;
    ngx_str_t      body, old, merged;
    kz_json_val_t  was, now, src, info;

    if (kz_apply_strip(g->pool, &op->in.body, &body) != NGX_OK) {
        return NGX_ERROR;
    }

    merged = body;
    info.type = KZ_JSON_NONE;

    if (op->in.kind == KZ_STORE_DOC_UPDATE) {

        if (kz_apply_strip(g->pool, &row->source, &old) != NGX_OK) {
            return NGX_ERROR;
        }

        kz_json_value(old.data, old.data + old.len, &was);
        kz_json_value(body.data, body.data + body.len, &now);

        if (kz_json_merge(g->pool, &was, &now, &merged) != NGX_OK) {
            return NGX_ERROR;
        }

        kz_json_value(row->source.data, row->source.data + row->source.len,
                      &src);
        (void) kz_json_get(&src, "_kuzzle_info", 12, &info);

        kz_out_init(&c, g->pool, body.len + 160);
        kz_apply_join(&c, &body);
        kz_apply_info(&c, op, &info);

        if (kz_out_failed(&c)) {
            return NGX_ERROR;
        }

        op->out.changes.data = c.start;
        op->out.changes.len = kz_out_len(&c);
    }

    kz_out_init(&o, g->pool, merged.len + 160);
    kz_apply_join(&o, &merged);
    kz_apply_info(&o, op, &info);

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    op->out.source.data = o.start;
    op->out.source.len = kz_out_len(&o);

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
kz_apply_info(kz_out_t *o, const kz_wop_t *op, const kz_json_val_t *old)
{
    ngx_uint_t     update, create;
    kz_json_val_t  author, created;

    create = (op->in.kind == KZ_STORE_DOC_CREATE);
    update = (op->in.kind == KZ_STORE_DOC_UPDATE);

    author.type = KZ_JSON_NONE;
    created.type = KZ_JSON_NONE;

    if (update && old->type == KZ_JSON_OBJECT) {
        (void) kz_json_get(old, "author", 6, &author);
        (void) kz_json_get(old, "createdAt", 9, &created);
    }

    kz_out_lit(o, "\"_kuzzle_info\":{\"author\":");

    if (!update && op->in.user.len) {
        kz_out_json_str(o, &op->in.user);

    } else if (author.type != KZ_JSON_NONE) {
        kz_out_str(o, &author.raw);

    } else {
        kz_out_lit(o, "null");
    }

    kz_out_lit(o, ",\"createdAt\":");

    if (!update) {
        kz_out_int(o, op->in.timestamp);

    } else if (created.type != KZ_JSON_NONE) {
        kz_out_str(o, &created.raw);

    } else {
        kz_out_lit(o, "null");
    }

    kz_out_lit(o, ",\"updatedAt\":");

    if (create) {
        kz_out_lit(o, "null,\"updater\":null}}");
        return;
    }

    kz_out_int(o, op->in.timestamp);
    kz_out_lit(o, ",\"updater\":");

    if (op->in.user.len) {
        kz_out_json_str(o, &op->in.user);

    } else {
        kz_out_lit(o, "null");
    }

    kz_out_lit(o, "}}");
}
