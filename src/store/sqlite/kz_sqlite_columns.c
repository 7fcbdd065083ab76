
/*
 * The collections of an index file: their tables, their mappings.
 *
 * A lane keeps those it has used, compiled; when a transaction fails they
 * are forgotten, because the mapping in memory may be ahead of the file.
 */

#include "store/sqlite/kz_sqlite_writer.h"


static kz_wcol_t **kz_wcol_bucket(kz_lane_t *lane, const ngx_str_t *name);
static ngx_int_t kz_wcol_load(kz_group_t *g, const ngx_str_t *name,
    kz_wcol_t **col);
static ngx_int_t kz_wcol_fields(kz_group_t *g, kz_wcol_t *col);
static ngx_int_t kz_wcol_tables(kz_group_t *g, int64_t id);
static ngx_int_t kz_wcol_field(kz_group_t *g, kz_wcol_t *col,
    kz_field_t *f);


static kz_wcol_t **
kz_wcol_bucket(kz_lane_t *lane, const ngx_str_t *name)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261u;                                     /* FNV-1a */

    for (i = 0; i < name->len; i++) {
        hash = (hash ^ name->data[i]) * 16777619u;
    }

    return &lane->cols[hash % KZ_WRITER_COLS];
}


/* NGX_OK, NGX_DECLINED: there is none, NGX_ERROR: the engine failed. */

ngx_int_t
kz_wcol_get(kz_group_t *g, const ngx_str_t *name, kz_wcol_t **col)
{
    kz_wcol_t  *c;

    for (c = *kz_wcol_bucket(g->lane, name); c; c = c->next) {

        if (c->name.len == name->len
            && ngx_memcmp(c->name.data, name->data, name->len) == 0)
        {
            *col = c;
            return NGX_OK;
        }
    }

    return kz_wcol_load(g, name, col);
}


static ngx_int_t
kz_wcol_load(kz_group_t *g, const ngx_str_t *name, kz_wcol_t **col)
{
    int                rc;
    kz_wcol_t         *c;
    ngx_str_t          settings;
    kz_mapping_t      *mapping;
    kz_dialect_e       dialect;
    sqlite3_stmt      *stmt;
    kz_mapping_err_t   err;

    stmt = kz_sqlite_stmt_lit(g->lane->db,
               "SELECT id, mapping, dialect, settings FROM col"
               " WHERE name = ?1");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, (char *) name->data, (int) name->len,
                             SQLITE_STATIC);

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_DONE) {
        kz_sqlite_done(stmt);
        return NGX_DECLINED;
    }

    if (rc != SQLITE_ROW) {
        kz_group_failed(g, g->lane->db);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    dialect = sqlite3_column_int(stmt, 2);

    settings.data = (u_char *) sqlite3_column_text(stmt, 3);
    settings.len = sqlite3_column_bytes(stmt, 3);

    mapping = kz_mapping_compile_with((u_char *) sqlite3_column_text(stmt, 1),
                                      sqlite3_column_bytes(stmt, 1),
                                      &settings, dialect, ngx_cycle->log,
                                      &err);
    if (mapping == NULL) {
        g->err.code = SQLITE_CORRUPT;
        *ngx_snprintf(g->err.text, KZ_SQLITE_ERR_LEN - 1,
                      "the stored mapping of \"%V\" is not valid: %V",
                      name, &err.detail) = '\0';
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    c = kz_wcol_keep(g, name, sqlite3_column_int64(stmt, 0), dialect);

    kz_sqlite_done(stmt);

    if (c == NULL) {
        kz_mapping_free(mapping);
        return NGX_ERROR;
    }

    c->mapping = mapping;
    c->blocked = kz_settings_blocked(&mapping->settings);
    *col = c;

    return kz_wcol_fields(g, c);
}


/* The ids of a loaded mapping's fields. */

static ngx_int_t
kz_wcol_fields(kz_group_t *g, kz_wcol_t *col)
{
    int            rc;
    ngx_str_t      path;
    kz_field_t    *f;
    ngx_uint_t     i, any;
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt_lit(g->lane->db,
                              "SELECT id, path FROM fld WHERE col = ?1");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, col->id);

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        path.data = (u_char *) sqlite3_column_text(stmt, 1);
        path.len = sqlite3_column_bytes(stmt, 1);

        f = kz_mapping_field(col->mapping, &path);
        if (f) {
            f->id = sqlite3_column_int64(stmt, 0);
        }
    }

    if (rc != SQLITE_DONE) {
        kz_group_failed(g, g->lane->db);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    kz_sqlite_done(stmt);

    /* one that was not searchable in the version that wrote the file */

    any = 0;

    for (i = 0; i < col->mapping->nfields; i++) {
        f = &col->mapping->fields[i];

        if (f->indexed && f->id == 0) {

            if (kz_wcol_field(g, col, f) != NGX_OK) {
                return NGX_ERROR;
            }

            g->catalog = 1;
            any = 1;
        }
    }

    return any ? kz_index_reset(g, col) : NGX_OK;
}


kz_wcol_t *
kz_wcol_keep(kz_group_t *g, const ngx_str_t *name, int64_t id,
    kz_dialect_e dialect)
{
    kz_wcol_t  *c, **bucket;

    c = ngx_calloc(sizeof(kz_wcol_t) + name->len, ngx_cycle->log);
    if (c == NULL) {
        kz_apply_no_memory(g);
        return NULL;
    }

    c->name.data = (u_char *) c + sizeof(kz_wcol_t);
    c->name.len = name->len;
    ngx_memcpy(c->name.data, name->data, name->len);

    c->id = id;
    c->dialect = dialect;

    bucket = kz_wcol_bucket(g->lane, name);
    c->next = *bucket;
    *bucket = c;

    return c;
}


/* A collection is no longer one of the lane's. */

void
kz_wcol_forget(kz_lane_t *lane, kz_wcol_t *col)
{
    kz_wcol_t  **p;

    for (p = kz_wcol_bucket(lane, &col->name); *p != col; p = &(*p)->next) {
        /* void */
    }

    *p = col->next;

    if (col->mapping) {
        kz_mapping_free(col->mapping);
    }

    kz_index_forget(col);
    ngx_free(col);
}


/* One of the server's own comes into being with its first document. */

ngx_int_t
kz_wcol_internal(kz_group_t *g, kz_wop_t *op, kz_wcol_t **col)
{
    kz_wop_t     create;
    const char  *mapping;

    mapping = kz_store_internal_mapping(&op->in.collection);

    if (mapping == NULL || op->in.kind == KZ_STORE_DOC_DELETE) {
        return NGX_DECLINED;
    }

    create = *op;
    create.in.dialect = KZ_DIALECT_2;
    create.in.body.data = (u_char *) mapping;
    create.in.body.len = ngx_strlen(mapping);

    if (kz_wcol_new(g, &create) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_wcol_get(g, &op->in.collection, col);
}


ngx_int_t
kz_wcol_new(kz_group_t *g, kz_wop_t *op)
{
    u_char            *p;
    size_t             len;
    int64_t            id;
    ngx_int_t          rc;
    ngx_str_t          settings;
    kz_wcol_t         *col;
    const char        *bad;
    kz_mapping_t      *mapping;
    kz_mapping_err_t   err;

    bad = kz_store_bad_collection(&op->in.collection, op->in.dialect);

    if (bad) {
        len = sizeof("collection\nInvalid collection name [], ") - 1
              + op->in.collection.len + ngx_strlen(bad);

        p = ngx_pnalloc(g->pool, len);
        if (p == NULL) {
            kz_apply_no_memory(g);
            return NGX_ERROR;
        }

        len = ngx_snprintf(p, len, "collection\nInvalid collection name [%V]"
                           ", %s", &op->in.collection, bad) - p;
        kz_group_detail(g, op, KZ_STORE_BAD_NAME, p, len);

        return NGX_OK;
    }

    rc = kz_wcol_settings(g, op, NULL, &settings);

    if (rc != NGX_OK) {
        return rc == NGX_ABORT ? NGX_OK : NGX_ERROR;
    }

    mapping = kz_mapping_compile_with(op->in.body.data, op->in.body.len,
                                      &settings, op->in.dialect,
                                      ngx_cycle->log, &err);
    if (mapping == NULL) {
        kz_wcol_refuse(g, op, &err);
        return NGX_OK;
    }

    if (kz_wcol_insert(g, &op->in.collection, op->in.dialect, &settings, &id)
        != NGX_OK)
    {
        kz_mapping_free(mapping);
        return NGX_ERROR;
    }

    col = kz_wcol_keep(g, &op->in.collection, id, op->in.dialect);

    if (col == NULL) {
        kz_mapping_free(mapping);
        return NGX_ERROR;
    }

    if (kz_wcol_mapping_new(g, col, mapping) != NGX_OK) {
        return NGX_ERROR;
    }

    op->applied = 1;
    op->out.flags = KZ_WIRE_CREATED;

    return NGX_OK;
}


/* The row of a collection, and its tables. */

ngx_int_t
kz_wcol_insert(kz_group_t *g, const ngx_str_t *name, kz_dialect_e dialect,
    const ngx_str_t *settings, int64_t *id)
{
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt_lit(g->lane->db,
               "INSERT INTO col(name, mapping, dialect, settings)"
               " VALUES(?1, '{}', ?2, ?3)");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, (char *) name->data, (int) name->len,
                             SQLITE_STATIC);
    (void) sqlite3_bind_int(stmt, 2, dialect);

    if (settings->len) {
        (void) sqlite3_bind_text(stmt, 3, (char *) settings->data,
                                 (int) settings->len, SQLITE_STATIC);
    }

    if (kz_apply_step(g, stmt) != NGX_OK) {
        return NGX_ERROR;
    }

    *id = sqlite3_last_insert_rowid(g->lane->db->db);

    return kz_wcol_tables(g, *id);
}


static ngx_int_t
kz_wcol_tables(kz_group_t *g, int64_t id)
{
    u_char  sql[256];

    *ngx_snprintf(sql, sizeof(sql) - 1,
                  "CREATE TABLE d%L(r INTEGER PRIMARY KEY,"
                  " id TEXT NOT NULL UNIQUE, ver INTEGER NOT NULL,"
                  " info INTEGER NOT NULL, src TEXT NOT NULL);", id) = '\0';

    if (kz_sqlite_exec(g->lane->db, (char *) sql) != SQLITE_OK
        || kz_sqlite_create_postings(g->lane->db, id) != SQLITE_OK)
    {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Stores a mapping and makes it the collection's; it is freed when that
 * fails.  Fields it shares with the old one keep their ids.
 */

ngx_int_t
kz_wcol_mapping_new(kz_group_t *g, kz_wcol_t *col, kz_mapping_t *mapping)
{
    kz_out_t       o;
    kz_field_t    *f, *was;
    ngx_uint_t     i;
    sqlite3_stmt  *stmt;

    for (i = 0; i < mapping->nfields; i++) {
        f = &mapping->fields[i];

        if (!f->indexed) {
            continue;
        }

        was = col->mapping ? kz_mapping_field(col->mapping, &f->path) : NULL;

        if (was && was->id) {
            f->id = was->id;

        } else if (kz_wcol_field(g, col, f) != NGX_OK) {
            goto failed;
        }
    }

    kz_out_init(&o, g->pool, 1024);
    kz_mapping_print(mapping, KZ_MAPPING_STORED, &o);

    if (kz_out_failed(&o)) {
        kz_apply_no_memory(g);
        goto failed;
    }

    stmt = kz_sqlite_stmt_lit(g->lane->db,
                              "UPDATE col SET mapping = ?1 WHERE id = ?2");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        goto failed;
    }

    (void) sqlite3_bind_text(stmt, 1, (char *) o.start, (int) kz_out_len(&o),
                             SQLITE_STATIC);
    (void) sqlite3_bind_int64(stmt, 2, col->id);

    if (kz_apply_step(g, stmt) != NGX_OK) {
        goto failed;
    }

    if (col->mapping) {
        kz_mapping_free(col->mapping);
    }

    col->mapping = mapping;
    col->blocked = kz_settings_blocked(&mapping->settings);
    g->catalog = 1;

    return NGX_OK;

failed:

    kz_mapping_free(mapping);

    return NGX_ERROR;
}


static ngx_int_t
kz_wcol_field(kz_group_t *g, kz_wcol_t *col, kz_field_t *f)
{
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt_lit(g->lane->db,
               "INSERT INTO fld(col, path, type) VALUES(?1, ?2, ?3)"
               " ON CONFLICT(col, path) DO UPDATE SET type = ?3"
               " RETURNING id");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, col->id);
    (void) sqlite3_bind_text(stmt, 2, (char *) f->path.data,
                             (int) f->path.len, SQLITE_STATIC);
    (void) sqlite3_bind_text(stmt, 3, (char *) f->type_name.data,
                             (int) f->type_name.len, SQLITE_STATIC);

    if (sqlite3_step(stmt) != SQLITE_ROW) {
        kz_group_failed(g, g->lane->db);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    f->id = sqlite3_column_int64(stmt, 0);

    return kz_apply_step(g, stmt);
}


void
kz_wcol_refuse(kz_group_t *g, kz_wop_t *op, kz_mapping_err_t *err)
{
    kz_group_detail(g, op, err->status, err->detail.data, err->detail.len);
}
