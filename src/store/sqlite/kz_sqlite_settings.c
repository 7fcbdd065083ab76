
/*
 * Operations on a collection: created, or, when it exists, its settings and
 * its mapping changed; emptied; deleted.
 *
 * To empty a collection is to put a new one in its place: that takes one
 * short transaction however large it was.  The tables of the old one are
 * removed later, see kz_sqlite_drop.c.
 */

#include "store/sqlite/kz_sqlite_writer.h"

#include <sys/random.h>


#define KZ_SETTINGS_UUID    22
#define KZ_INFER_ROWS       256        /* looked at by one operation */
#define KZ_INFER_BYTES      (4 * 1024 * 1024)


static ngx_int_t kz_wcol_first(kz_group_t *g, kz_wop_t *op, ngx_str_t *out);
static ngx_int_t kz_wcol_change(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col);
static ngx_int_t kz_wcol_changed(kz_group_t *g, kz_wop_t *op,
    kz_wcol_t *col, const ngx_str_t *settings, ngx_str_t *text,
    kz_mapping_t **mapping);
static ngx_uint_t kz_wcol_gains(kz_wcol_t *col, kz_mapping_t *mapping);
static ngx_int_t kz_wcol_store(kz_group_t *g, kz_wcol_t *col,
    const ngx_str_t *settings);
static ngx_int_t kz_wcol_infer(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col);
static ngx_int_t kz_wcol_infer_one(kz_group_t *g, kz_wcol_t *col,
    kz_json_val_t *doc, ngx_uint_t *any);
static ngx_int_t kz_wcol_delete(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col);
static ngx_int_t kz_wcol_truncate(kz_group_t *g, kz_wop_t *op,
    kz_wcol_t *col);


ngx_int_t
kz_wcol_apply(kz_group_t *g, kz_wop_t *op)
{
    ngx_int_t   rc;
    kz_wcol_t  *col;

    rc = kz_wcol_get(g, &op->in.collection, &col);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {

        if (op->in.kind == KZ_STORE_COLLECTION_CREATE) {
            return kz_wcol_new(g, op);
        }

        op->out.status = KZ_STORE_NO_COLLECTION;
        return NGX_OK;
    }

    switch (op->in.kind) {

    case KZ_STORE_COLLECTION_INFER:
        return kz_wcol_infer(g, op, col);

    case KZ_STORE_COLLECTION_DELETE:
        return kz_wcol_delete(g, op, col);

    case KZ_STORE_COLLECTION_TRUNCATE:
        return kz_wcol_truncate(g, op, col);

    default:
        return kz_wcol_change(g, op, col);
    }
}


ngx_int_t
kz_wcol_settings(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col,
    ngx_str_t *out)
{
    u_char         err[KZ_SETTINGS_ERR_LEN];
    ngx_int_t      rc;
    ngx_str_t      stored;
    kz_json_val_t  given;

    given.type = KZ_JSON_NONE;

    if (op->in.settings.len) {
        kz_json_value(op->in.settings.data,
                      op->in.settings.data + op->in.settings.len, &given);
    }

    if (col && given.type == KZ_JSON_NONE) {
        *out = col->mapping->settings;
        return NGX_DECLINED;
    }

    if (col && col->mapping->settings.len) {
        stored = col->mapping->settings;

    } else if (kz_wcol_first(g, op, &stored) != NGX_OK) {
        return NGX_ERROR;
    }

    if (given.type == KZ_JSON_NONE) {
        *out = stored;
        return NGX_OK;
    }

    rc = kz_settings_merge(g->pool, &stored, &given, col == NULL, out, err);

    if (rc == NGX_DECLINED) {
        *out = stored;
        return col ? NGX_DECLINED : NGX_OK;
    }

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (err[0] == '\0') {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    kz_group_detail(g, op, KZ_STORE_BAD_DOCUMENT, err, ngx_strlen(err));

    return NGX_ABORT;
}


/* The settings a collection begins with. */

static ngx_int_t
kz_wcol_first(kz_group_t *g, kz_wop_t *op, ngx_str_t *out)
{
    u_char      uuid[KZ_SETTINGS_UUID];
    kz_out_t    o;
    ngx_str_t   name;
    ngx_uint_t  i;

    static const u_char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    if (getrandom(uuid, KZ_SETTINGS_UUID, 0) != KZ_SETTINGS_UUID) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    for (i = 0; i < KZ_SETTINGS_UUID; i++) {
        uuid[i] = alphabet[uuid[i] & 63];
    }

    name.len = op->in.index.len + op->in.collection.len + 2;
    name.data = ngx_pnalloc(g->pool, name.len);

    if (name.data == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    (void) ngx_sprintf(name.data, "&%V.%V", &op->in.index,
                       &op->in.collection);

    kz_out_init(&o, g->pool, 256);
    kz_out_lit(&o, "{\"creation_date\":\"");
    kz_out_int(&o, op->in.timestamp);
    kz_out_lit(&o, "\",\"number_of_replicas\":\"1\","
                   "\"number_of_shards\":\"1\",\"provided_name\":");
    kz_out_json_str(&o, &name);
    kz_out_lit(&o, ",\"uuid\":\"");
    kz_out_bytes(&o, uuid, KZ_SETTINGS_UUID);
    kz_out_lit(&o, "\"}");

    if (kz_out_failed(&o)) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    out->data = o.start;
    out->len = kz_out_len(&o);

    return NGX_OK;
}


/*
 * Settings and mapping: both change or none of them.  Documents that are
 * there may have the new fields: all of them are indexed again, later.
 */

static ngx_int_t
kz_wcol_change(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col)
{
    ngx_int_t      rc;
    ngx_str_t      settings, text;
    ngx_uint_t     set, again;
    kz_dynamic_e   was;
    kz_mapping_t  *mapping;

    rc = kz_wcol_settings(g, op, col, &settings);

    if (rc == NGX_ERROR || rc == NGX_ABORT) {
        return rc == NGX_ABORT ? NGX_OK : NGX_ERROR;
    }

    set = (rc == NGX_OK);
    again = (op->in.flags & KZ_WIRE_FLAG) != 0;
    was = col->mapping->dynamic;
    mapping = NULL;

    rc = kz_wcol_changed(g, op, col, set ? &settings : NULL, &text, &mapping);

    if (rc != NGX_OK) {
        return rc == NGX_ABORT ? NGX_OK : NGX_ERROR;
    }

    if (mapping) {

        if (was == KZ_DYNAMIC_FALSE && mapping->dynamic != KZ_DYNAMIC_FALSE) {
            again = 1;
        }

        rc = again || set || kz_wcol_gains(col, mapping);

        if (kz_wcol_mapping_new(g, col, mapping) != NGX_OK
            || (set && kz_wcol_store(g, col, &settings) != NGX_OK))
        {
            return NGX_ERROR;
        }

        op->applied = 1;

    } else {
        rc = again;
    }

    if (rc) {
        op->applied = 1;

        if (kz_index_reset(g, col) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    op->out.version = again;

    return NGX_OK;
}


/*
 * *mapping: what the collection's becomes, NULL: it stays.  NGX_ABORT:
 * refused, op->out says so.
 */

static ngx_int_t
kz_wcol_changed(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col,
    const ngx_str_t *settings, ngx_str_t *text, kz_mapping_t **mapping)
{
    kz_out_t           o;
    ngx_int_t          rc;
    kz_mapping_t      *base;
    kz_mapping_err_t   err;

    base = NULL;

    if (settings) {

        /* analyzers that the new mapping names may come with it */

        kz_out_init(&o, g->pool, 1024);
        kz_mapping_print(col->mapping, KZ_MAPPING_STORED, &o);

        if (kz_out_failed(&o)) {
            kz_apply_no_memory(g);
            return NGX_ERROR;
        }

        text->data = o.start;
        text->len = kz_out_len(&o);

        base = kz_mapping_compile_with(text->data, text->len, settings,
                                       col->dialect, ngx_cycle->log, &err);
        if (base == NULL) {
            kz_wcol_refuse(g, op, &err);
            return NGX_ABORT;
        }
    }

    rc = NGX_DECLINED;

    if (op->in.body.len) {
        rc = kz_mapping_merge(base ? base : col->mapping, op->in.body.data,
                              op->in.body.len, g->pool, text, &err);
    }

    if (rc == NGX_DECLINED) {
        *mapping = base;
        return NGX_OK;
    }

    if (rc == NGX_OK) {
        *mapping = kz_mapping_compile_with(text->data, text->len,
                                           base ? settings
                                                : &col->mapping->settings,
                                           col->dialect, ngx_cycle->log,
                                           &err);
    }

    if (base) {
        kz_mapping_free(base);
    }

    if (*mapping == NULL) {
        kz_wcol_refuse(g, op, &err);
        return NGX_ABORT;
    }

    return NGX_OK;
}


/* Whether some field becomes searchable. */

static ngx_uint_t
kz_wcol_gains(kz_wcol_t *col, kz_mapping_t *mapping)
{
    ngx_uint_t   i;
    kz_field_t  *f, *was;

    for (i = 0; i < mapping->nfields; i++) {
        f = &mapping->fields[i];
        was = kz_mapping_field(col->mapping, &f->path);

        if (f->indexed && (was == NULL || !was->indexed)) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
kz_wcol_store(kz_group_t *g, kz_wcol_t *col, const ngx_str_t *settings)
{
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt_lit(g->lane->db,
                              "UPDATE col SET settings = ?1 WHERE id = ?2");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, (char *) settings->data,
                             (int) settings->len, SQLITE_STATIC);
    (void) sqlite3_bind_int64(stmt, 2, col->id);

    return kz_apply_step(g, stmt);
}


/*
 * Some of the documents stored while the mapping was not dynamic: what it
 * would have learnt from them.
 */

static ngx_int_t
kz_wcol_infer(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col)
{
    int             rc;
    size_t          bytes;
    int64_t         r;
    ngx_str_t       src;
    ngx_uint_t      n, any;
    sqlite3_stmt   *stmt;
    kz_json_val_t   doc;

    stmt = kz_apply_stmt(g, "SELECT r, src FROM d%L WHERE r > ?1 ORDER BY r",
                         col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) op->in.if_version);

    n = 0;
    r = 0;
    any = 0;
    bytes = 0;

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW
           && n < KZ_INFER_ROWS && bytes < KZ_INFER_BYTES)
    {
        r = sqlite3_column_int64(stmt, 0);
        src.data = (u_char *) sqlite3_column_text(stmt, 1);
        src.len = sqlite3_column_bytes(stmt, 1);

        if (src.data == NULL) {
            kz_apply_no_memory(g);
            break;
        }

        kz_json_value(src.data, src.data + src.len, &doc);

        if (doc.type == KZ_JSON_OBJECT
            && kz_wcol_infer_one(g, col, &doc, &any) != NGX_OK)
        {
            break;
        }

        n++;
        bytes += src.len;
    }

    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        kz_group_failed(g, g->lane->db);
    }

    kz_sqlite_done(stmt);

    if (g->err.code != SQLITE_OK || (any && kz_index_reset(g, col) != NGX_OK))
    {
        return NGX_ERROR;
    }

    op->applied = (any != 0);
    op->out.version = (rc == SQLITE_DONE) ? 0 : (uint64_t) r;

    return NGX_OK;
}


/* A document the mapping refuses is left as it is. */

static ngx_int_t
kz_wcol_infer_one(kz_group_t *g, kz_wcol_t *col, kz_json_val_t *doc,
    ngx_uint_t *any)
{
    kz_mapping_err_t  err;

    if (kz_mapping_walk(col->mapping, doc, 0, NULL, NULL, &err)
        != NGX_DECLINED)
    {
        return NGX_OK;
    }

    switch (kz_apply_infer(g, col, doc, &err)) {

    case NGX_OK:
        *any = 1;
        return NGX_OK;

    case NGX_DECLINED:
        return g->err.code == SQLITE_OK ? NGX_OK : NGX_ERROR;

    default:
        return NGX_OK;
    }
}


static ngx_int_t
kz_wcol_delete(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col)
{
    int64_t        id;
    sqlite3_stmt  *stmt;

    id = col->id;

    stmt = kz_sqlite_stmt_lit(g->lane->db, "DELETE FROM col WHERE id = ?1");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, id);

    if (kz_apply_step(g, stmt) != NGX_OK || kz_drop_later(g, id) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_wcol_forget(g->lane, col);

    g->catalog = 1;
    op->applied = 1;

    return NGX_OK;
}


/* The new collection has its own tables, and its own numbers of fields. */

static ngx_int_t
kz_wcol_truncate(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col)
{
    int64_t            id;
    kz_out_t           o;
    ngx_str_t          settings;
    kz_wcol_t         *empty;
    kz_dialect_e       dialect;
    kz_mapping_t      *mapping;
    kz_mapping_err_t   err;

    kz_out_init(&o, g->pool, 1024);
    kz_mapping_print(col->mapping, KZ_MAPPING_STORED, &o);
    kz_out_str(&o, &col->mapping->settings);

    if (kz_out_failed(&o)) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    settings.len = col->mapping->settings.len;
    settings.data = o.pos - settings.len;
    dialect = col->dialect;

    mapping = kz_mapping_compile_with(o.start, kz_out_len(&o) - settings.len,
                                      &settings, dialect, ngx_cycle->log,
                                      &err);
    if (mapping == NULL) {
        kz_wcol_refuse(g, op, &err);
        return NGX_OK;
    }

    if (kz_wcol_delete(g, op, col) != NGX_OK
        || kz_wcol_insert(g, &op->in.collection, dialect, &settings, &id)
           != NGX_OK)
    {
        kz_mapping_free(mapping);
        return NGX_ERROR;
    }

    empty = kz_wcol_keep(g, &op->in.collection, id, dialect);

    if (empty == NULL) {
        kz_mapping_free(mapping);
        return NGX_ERROR;
    }

    return kz_wcol_mapping_new(g, empty, mapping);
}
