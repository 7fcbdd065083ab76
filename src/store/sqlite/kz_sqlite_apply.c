
/*
 * Documents: what an operation does to the two tables of its collection.
 *
 * Everything that can refuse an operation is decided before the first write,
 * so that one that fails never takes its neighbours in the transaction with
 * it.  What fails after that is the engine, and the whole group with it.
 */

#include "store/sqlite/kz_sqlite_writer.h"

#include <sys/random.h>


#define KZ_APPLY_SQL      96
#define KZ_APPLY_ID_LEN   20
#define KZ_APPLY_ID_TIME  7


static ngx_int_t kz_apply_id(kz_group_t *g, kz_wop_t *op,
    ngx_uint_t *generated);
static ngx_int_t kz_apply_read(kz_group_t *g, kz_wcol_t *col,
    const ngx_str_t *id, kz_row_t *row);
static ngx_uint_t kz_apply_refused(kz_group_t *g, kz_wop_t *op,
    kz_row_t *row);
static ngx_int_t kz_apply_delete(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col,
    kz_row_t *row);
static ngx_int_t kz_apply_write(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col,
    kz_row_t *row);
static ngx_uint_t kz_apply_too_large(kz_group_t *g, kz_wop_t *op);
static ngx_int_t kz_apply_walk(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col);
static sqlite3_stmt *kz_apply_place(kz_group_t *g, kz_wop_t *op,
    kz_wcol_t *col, kz_row_t *row);
static ngx_int_t kz_apply_announce(kz_group_t *g, kz_wop_t *op,
    kz_row_t *row);


ngx_int_t
kz_apply_document(kz_group_t *g, kz_wop_t *op)
{
    kz_row_t     row;
    ngx_int_t    rc;
    kz_wcol_t   *col;
    ngx_uint_t   generated;

    rc = kz_wcol_get(g, &op->in.collection, &col);

    if (rc == NGX_DECLINED && kz_store_internal(&op->in.index)) {
        rc = kz_wcol_internal(g, op, &col);
    }

    if (rc == NGX_DECLINED) {
        op->out.status = KZ_STORE_NO_COLLECTION;
        return NGX_OK;
    }

    if (rc == NGX_OK && col->blocked) {
        op->out.id = op->in.id;
        op->out.status = KZ_STORE_BLOCKED;
        return NGX_OK;
    }

    if (rc != NGX_OK || kz_index_load(g, col) != NGX_OK
        || kz_apply_id(g, op, &generated) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (op->out.id.len > KZ_STORE_MAX_ID) {
        op->out.id.len = 0;
        op->out.status = KZ_STORE_BAD_ID;
        return NGX_OK;
    }

    ngx_memzero(&row, sizeof(kz_row_t));

    if (!generated
        && kz_apply_read(g, col, &op->out.id, &row) != NGX_OK)
    {
        return NGX_ERROR;
    }

    g->bytes += row.source.len + op->in.body.len;

    if (kz_apply_refused(g, op, &row)) {
        return NGX_OK;
    }

    if (op->in.kind == KZ_STORE_DOC_DELETE) {
        rc = kz_apply_delete(g, op, col, &row);

    } else {
        rc = kz_apply_write(g, op, col, &row);
    }

    if (rc != NGX_OK || !op->applied) {
        return rc;
    }

    return kz_apply_announce(g, op, &row);
}


/*
 * Gives the operation its id: the client's, or one that is made up, as in
 * the original: 20 characters that are fine in a URL.  They start with the
 * time, in an alphabet in the order of ASCII, which keeps the index of ids
 * growing at its end.
 */

static ngx_int_t
kz_apply_id(kz_group_t *g, kz_wop_t *op, ngx_uint_t *generated)
{
    u_char           *p, rnd[KZ_APPLY_ID_LEN];
    uint64_t          ms;
    ngx_uint_t        i;
    struct timespec   ts;

    static const u_char  alphabet[] =
        "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

    *generated = 0;
    op->out.id = op->in.id;

    if (op->in.id.len
        || (op->in.kind != KZ_STORE_DOC_CREATE
            && op->in.kind != KZ_STORE_DOC_PUT))
    {
        return NGX_OK;
    }

    p = ngx_pnalloc(g->pool, KZ_APPLY_ID_LEN);

    if (p == NULL
        || getrandom(rnd, KZ_APPLY_ID_LEN, 0) != KZ_APPLY_ID_LEN)
    {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    ms = (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;

    for (i = KZ_APPLY_ID_TIME; i > 0; i--) {
        p[i - 1] = alphabet[ms & 63];
        ms >>= 6;
    }

    for (i = KZ_APPLY_ID_TIME; i < KZ_APPLY_ID_LEN; i++) {
        p[i] = alphabet[rnd[i] & 63];
    }

    op->out.id.data = p;
    op->out.id.len = KZ_APPLY_ID_LEN;
    *generated = 1;

    return NGX_OK;
}


static ngx_int_t
kz_apply_read(kz_group_t *g, kz_wcol_t *col, const ngx_str_t *id,
    kz_row_t *row)
{
    int            rc;
    ngx_str_t      src;
    sqlite3_stmt  *stmt;

    stmt = kz_apply_stmt(g, "SELECT r, ver, info, src FROM d%L WHERE id = ?1",
                         col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, (char *) id->data, (int) id->len,
                             SQLITE_STATIC);

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_DONE) {
        kz_sqlite_done(stmt);
        return NGX_OK;
    }

    if (rc != SQLITE_ROW) {
        kz_group_failed(g, g->lane->db);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    row->found = 1;
    row->r = sqlite3_column_int64(stmt, 0);
    row->version = (uint64_t) sqlite3_column_int64(stmt, 1);
    row->info = (sqlite3_column_int(stmt, 2) != 0);

    src.data = (u_char *) sqlite3_column_text(stmt, 3);
    src.len = (size_t) sqlite3_column_bytes(stmt, 3);

    row->source.len = src.len;
    row->source.data = src.data ? ngx_pnalloc(g->pool, src.len) : NULL;

    if (row->source.data == NULL) {
        kz_sqlite_done(stmt);
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    ngx_memcpy(row->source.data, src.data, src.len);

    kz_sqlite_done(stmt);

    return NGX_OK;
}


static ngx_uint_t
kz_apply_refused(kz_group_t *g, kz_wop_t *op, kz_row_t *row)
{
    kz_json_val_t  body;

    static u_char  not_object[] = "the document must be an object";

    if (row->found) {
        if (op->in.kind == KZ_STORE_DOC_CREATE) {
            op->out.status = KZ_STORE_EXISTS;
            return 1;
        }

    } else if (op->in.kind != KZ_STORE_DOC_CREATE
               && op->in.kind != KZ_STORE_DOC_PUT
               && op->in.kind != KZ_STORE_DOC_UPSERT)
    {
        op->out.status = KZ_STORE_NOT_FOUND;
        return 1;
    }

    if (op->in.if_version && row->version != op->in.if_version) {
        op->out.status = KZ_STORE_CONFLICT;
        return 1;
    }

    if (op->in.kind == KZ_STORE_DOC_DELETE) {
        return 0;
    }

    body.type = KZ_JSON_NONE;

    if (op->in.body.len) {
        kz_json_value(op->in.body.data, op->in.body.data + op->in.body.len,
                      &body);
    }

    if (body.type != (op->in.kind == KZ_STORE_DOC_FIELDS ? KZ_JSON_ARRAY
                                                         : KZ_JSON_OBJECT))
    {
        kz_group_detail(g, op, KZ_STORE_BAD_DOCUMENT, not_object,
                        sizeof(not_object) - 1);
        return 1;
    }

    return 0;
}


static ngx_int_t
kz_apply_delete(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col, kz_row_t *row)
{
    sqlite3_stmt  *stmt;

    stmt = kz_apply_stmt(g, "DELETE FROM d%L WHERE r = ?1", col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, row->r);

    if (kz_apply_step(g, stmt) != NGX_OK
        || kz_index_gone(g, col, row->r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (op->in.dialect == KZ_DIALECT_1
        && kz_tomb_put(g, col, &op->out.id, row->version + 1) != NGX_OK)
    {
        return NGX_ERROR;
    }

    op->applied = 1;
    op->out.status = KZ_STORE_OK;
    op->out.version = row->version + 1;
    op->out.source = row->source;
    op->out.flags = row->info ? KZ_WIRE_INFO : 0;

    return NGX_OK;
}


static ngx_int_t
kz_apply_write(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col, kz_row_t *row)
{
    ngx_int_t      rc;
    sqlite3_stmt  *stmt;

    if (kz_apply_compose(g, op, row) != NGX_OK) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    if (kz_apply_too_large(g, op)) {
        return NGX_OK;
    }

    rc = kz_apply_walk(g, op, col);

    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? NGX_OK : NGX_ERROR;
    }

    /* Kuzzle: to 1.x a deleted document is there, with its version */

    if (!row->found && op->in.dialect == KZ_DIALECT_1
        && op->out.id.data == op->in.id.data
        && kz_tomb_take(g, col, &op->out.id, &row->version) != NGX_OK)
    {
        return NGX_ERROR;
    }

    stmt = kz_apply_place(g, op, col, row);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) row->version + 1);
    (void) sqlite3_bind_int(stmt, 5, (op->out.flags & KZ_WIRE_INFO) != 0);
    (void) sqlite3_bind_text(stmt, 2, (char *) op->out.source.data,
                             (int) op->out.source.len, SQLITE_STATIC);

    if (kz_apply_step(g, stmt) != NGX_OK) {
        return NGX_ERROR;
    }

    col->bytes += op->out.source.len;

    op->applied = 1;
    op->out.status = KZ_STORE_OK;
    op->out.version = row->version + 1;
    op->out.flags |= row->found ? 0 : KZ_WIRE_CREATED;

    return NGX_OK;
}


/*
 * The statement that stores the document, and its row: a new one, or the one
 * it has.  A row that has postings is never changed: the document moves.
 */

static sqlite3_stmt *
kz_apply_place(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col, kz_row_t *row)
{
    sqlite3_stmt  *stmt;

    if (!row->found) {
        stmt = kz_apply_stmt(g, "INSERT INTO d%L(ver, info, src, id, r)"
                             " VALUES(?1, ?5, ?2, ?3, ?4)", col->id);
        if (stmt == NULL) {
            return NULL;
        }

        (void) sqlite3_bind_text(stmt, 3, (char *) op->out.id.data,
                                 (int) op->out.id.len, SQLITE_STATIC);
        (void) sqlite3_bind_int64(stmt, 4, col->row++);

        return stmt;
    }

    if (row->r > col->hi) {
        stmt = kz_apply_stmt(g, "UPDATE d%L SET ver = ?1, info = ?5, src = ?2"
                             " WHERE r = ?3", col->id);
        if (stmt == NULL) {
            return NULL;
        }

        (void) sqlite3_bind_int64(stmt, 3, row->r);

        return stmt;
    }

    if (kz_index_gone(g, col, row->r) != NGX_OK) {
        return NULL;
    }

    stmt = kz_apply_stmt(g, "UPDATE d%L SET ver = ?1, info = ?5, src = ?2,"
                         " r = ?4 WHERE r = ?3", col->id);
    if (stmt == NULL) {
        return NULL;
    }

    (void) sqlite3_bind_int64(stmt, 3, row->r);
    (void) sqlite3_bind_int64(stmt, 4, col->row++);

    return stmt;
}


/*
 * Updates can make a document grow for ever; one that does not fit into a
 * frame would take the worker's connection with it.
 */

static ngx_uint_t
kz_apply_too_large(kz_group_t *g, kz_wop_t *op)
{
    u_char  text[96], *p;

    if (op->out.source.len <= KZ_STORE_MAX_SOURCE
        && op->out.changes.len <= KZ_STORE_MAX_SOURCE)
    {
        return 0;
    }

    ngx_str_null(&op->out.source);
    ngx_str_null(&op->out.changes);

    p = ngx_slprintf(text, text + sizeof(text), "the document is larger than"
                     " %d bytes", KZ_STORE_MAX_SOURCE);
    kz_group_detail(g, op, KZ_STORE_BAD_DOCUMENT, text, p - text);

    return 1;
}


/*
 * Checks op->out.source.  NGX_DECLINED: the mapping refuses the document, the
 * operation has its answer; NGX_ERROR: the engine failed.
 */

static ngx_int_t
kz_apply_walk(kz_group_t *g, kz_wop_t *op, kz_wcol_t *col)
{
    ngx_int_t         rc;
    kz_json_val_t     doc;
    kz_mapping_err_t  err;

    kz_json_value(op->out.source.data,
                  op->out.source.data + op->out.source.len, &doc);

    rc = kz_mapping_walk(col->mapping, &doc, 0, NULL, NULL, &err);

    if (rc == NGX_DECLINED) {
        rc = kz_apply_infer(g, col, &doc, &err);

        if (rc == NGX_DECLINED) {

            /* the walk and the inference do not agree, or the engine failed */

            kz_apply_no_memory(g);
            return NGX_ERROR;
        }
    }

    if (rc == NGX_ABORT) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    if (rc != NGX_OK) {
        ngx_str_null(&op->out.source);
        ngx_str_null(&op->out.changes);
        kz_group_detail(g, op, err.status, err.detail.data, err.detail.len);

        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * Adds the fields of the document to the mapping, and walks again.  The new
 * mapping is stored only when it takes the document.  NGX_DECLINED: the
 * engine failed; NGX_ERROR, *err: refused.
 */

ngx_int_t
kz_apply_infer(kz_group_t *g, kz_wcol_t *col, kz_json_val_t *doc,
    kz_mapping_err_t *err)
{
    ngx_int_t      rc;
    ngx_str_t      text;
    kz_mapping_t  *mapping;

    rc = kz_mapping_infer(col->mapping, doc, g->pool, &text, err);

    if (rc != NGX_OK) {
        return rc;
    }

    mapping = kz_mapping_compile_with(text.data, text.len,
                                      &col->mapping->settings, col->dialect,
                                      ngx_cycle->log, err);
    if (mapping == NULL) {
        return NGX_ERROR;
    }

    rc = kz_mapping_walk(mapping, doc, 0, NULL, NULL, err);

    if (rc != NGX_OK) {
        kz_mapping_free(mapping);

        if (rc == NGX_DECLINED) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                          "kuzzle: a mapping does not know the fields it "
                          "was inferred from in \"%V\"", &col->name);
        }

        return rc;
    }

    if (kz_wcol_mapping_new(g, col, mapping) != NGX_OK) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* A statement on a collection's table. */

sqlite3_stmt *
kz_apply_stmt(kz_group_t *g, const char *fmt, int64_t id)
{
    u_char        *p, sql[KZ_APPLY_SQL];
    sqlite3_stmt  *stmt;

    p = ngx_snprintf(sql, KZ_APPLY_SQL, fmt, id);

    stmt = kz_sqlite_stmt(g->lane->db, (char *) sql, p - sql);
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
    }

    return stmt;
}


ngx_int_t
kz_apply_step(kz_group_t *g, sqlite3_stmt *stmt)
{
    if (sqlite3_step(stmt) != SQLITE_DONE) {
        kz_group_failed(g, g->lane->db);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    kz_sqlite_done(stmt);

    return NGX_OK;
}


/* The change as the workers' rooms will see it, if any worker has a room. */

static ngx_int_t
kz_apply_announce(kz_group_t *g, kz_wop_t *op, kz_row_t *row)
{
    kz_change_t  change;

    if ((op->in.flags & KZ_WIRE_SILENT)
        || !kz_bus_listened(&op->in.index, &op->in.collection))
    {
        return NGX_OK;
    }

    ngx_memzero(&change, sizeof(kz_change_t));

    switch (op->in.kind) {

    case KZ_STORE_DOC_UPDATE:
    case KZ_STORE_DOC_FIELDS:
        change.kind = KZ_CHANGE_UPDATE;
        break;

    case KZ_STORE_DOC_UPSERT:
        change.kind = row->found ? KZ_CHANGE_UPDATE : KZ_CHANGE_CREATE;
        break;

    case KZ_STORE_DOC_DELETE:
        change.kind = KZ_CHANGE_DELETE;
        break;

    default:
        change.kind = row->found ? KZ_CHANGE_REPLACE : KZ_CHANGE_CREATE;
        break;
    }

    change.file = g->lane->file;
    change.seq = g->lane->seq + 1;
    change.version = op->out.version;
    change.timestamp = op->in.timestamp;
    change.index = op->in.index;
    change.collection = op->in.collection;
    change.id = op->out.id;
    change.old_source = row->source;
    change.request_id = op->in.request_id;
    change.volatile_ = op->in.volatile_;
    change.controller = op->in.controller;
    change.action = op->in.action;
    change.protocol = op->in.protocol;
    change.user = op->in.user;

    if (change.kind != KZ_CHANGE_DELETE) {
        change.new_source = op->out.source;
        change.changes = op->out.changes;
    }

    op->change.len = kz_change_len(&change);
    op->change.data = ngx_pnalloc(g->pool, op->change.len);

    if (op->change.data == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    (void) kz_change_write(op->change.data, &change);

    return NGX_OK;
}


void
kz_apply_no_memory(kz_group_t *g)
{
    if (g->err.code != SQLITE_OK) {
        return;
    }

    g->err.code = SQLITE_NOMEM;
    (void) ngx_cpystrn(g->err.text, (u_char *) "out of memory",
                       KZ_SQLITE_ERR_LEN);
}
