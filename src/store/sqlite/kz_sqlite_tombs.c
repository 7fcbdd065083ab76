
/*
 * Versions of deleted documents.
 *
 * Kuzzle: generation 1 deletes by marking, so a document that is created
 * again goes on with its version.  Here a deletion is one, and the version is
 * kept beside for a day, for those who delete and create in that generation;
 * generation 2 begins at 1 again.
 *
 * One table for each collection, made with its first deletion.  Rows are
 * numbered in the order of time, so the oldest ones come first.
 */

#include "store/sqlite/kz_sqlite_writer.h"


#define KZ_TOMB_KEEP   86400           /* seconds */
#define KZ_TOMB_PURGE  60              /* seconds between two looks */
#define KZ_TOMB_BATCH  10000           /* removed by one */


static ngx_int_t kz_tomb_table(kz_group_t *g, kz_wcol_t *col);
static ngx_int_t kz_tomb_look(kz_group_t *g, kz_wcol_t *col);
static ngx_int_t kz_tomb_purge(kz_group_t *g, kz_wcol_t *col);


ngx_int_t
kz_tomb_put(kz_group_t *g, kz_wcol_t *col, const ngx_str_t *id,
    uint64_t version)
{
    sqlite3_stmt  *stmt;

    if (kz_tomb_table(g, col) != NGX_OK) {
        return NGX_ERROR;
    }

    stmt = kz_apply_stmt(g, "INSERT OR REPLACE INTO b%L(id, ver, at)"
                         " VALUES(?1, ?2, ?3)", col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, (char *) id->data, (int) id->len,
                             SQLITE_STATIC);
    (void) sqlite3_bind_int64(stmt, 2, (int64_t) version);
    (void) sqlite3_bind_int64(stmt, 3, (int64_t) time(NULL));

    if (kz_apply_step(g, stmt) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_tomb_purge(g, col);
}


ngx_int_t
kz_tomb_take(kz_group_t *g, kz_wcol_t *col, const ngx_str_t *id,
    uint64_t *version)
{
    int            rc;
    sqlite3_stmt  *stmt;

    if (kz_tomb_look(g, col) != NGX_OK) {
        return NGX_ERROR;
    }

    if (col->tombs != KZ_TOMBS_KEPT) {
        return NGX_OK;
    }

    stmt = kz_apply_stmt(g, "SELECT ver FROM b%L WHERE id = ?1 AND at > ?2",
                         col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, (char *) id->data, (int) id->len,
                             SQLITE_STATIC);
    (void) sqlite3_bind_int64(stmt, 2, (int64_t) time(NULL) - KZ_TOMB_KEEP);

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *version = (uint64_t) sqlite3_column_int64(stmt, 0);

    } else if (rc != SQLITE_DONE) {
        kz_group_failed(g, g->lane->db);
    }

    kz_sqlite_done(stmt);

    if (rc != SQLITE_ROW) {
        return rc == SQLITE_DONE ? NGX_OK : NGX_ERROR;
    }

    stmt = kz_apply_stmt(g, "DELETE FROM b%L WHERE id = ?1", col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, (char *) id->data, (int) id->len,
                             SQLITE_STATIC);

    return kz_apply_step(g, stmt);
}


static ngx_int_t
kz_tomb_table(kz_group_t *g, kz_wcol_t *col)
{
    u_char  sql[128];

    if (col->tombs == KZ_TOMBS_KEPT) {
        return NGX_OK;
    }

    *ngx_snprintf(sql, sizeof(sql) - 1,
                  "CREATE TABLE IF NOT EXISTS b%L(n INTEGER PRIMARY KEY,"
                  " id TEXT NOT NULL UNIQUE, ver INTEGER NOT NULL,"
                  " at INTEGER NOT NULL)", col->id) = '\0';

    if (kz_sqlite_exec(g->lane->db, (char *) sql) != SQLITE_OK) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    /*
     * Of this transaction: should it fail, the table may not be there though
     * the collection says so.
     */

    g->catalog = 1;
    col->tombs = KZ_TOMBS_KEPT;

    return NGX_OK;
}


/* Whether there is a table at all. */

static ngx_int_t
kz_tomb_look(kz_group_t *g, kz_wcol_t *col)
{
    int            rc;
    u_char         name[NGX_INT64_LEN + 1], *p;
    sqlite3_stmt  *stmt;

    if (col->tombs != KZ_TOMBS_UNKNOWN) {
        return NGX_OK;
    }

    stmt = kz_sqlite_stmt_lit(g->lane->db, "SELECT 1 FROM sqlite_master"
                              " WHERE type = 'table' AND name = ?1");
    if (stmt == NULL) {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    p = ngx_sprintf(name, "b%L", col->id);

    (void) sqlite3_bind_text(stmt, 1, (char *) name, (int) (p - name),
                             SQLITE_STATIC);

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
        col->tombs = (rc == SQLITE_ROW) ? KZ_TOMBS_KEPT : KZ_TOMBS_NONE;

    } else {
        kz_group_failed(g, g->lane->db);
    }

    kz_sqlite_done(stmt);

    return col->tombs == KZ_TOMBS_UNKNOWN ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
kz_tomb_purge(kz_group_t *g, kz_wcol_t *col)
{
    int            rc;
    time_t         now;
    int64_t        first;
    sqlite3_stmt  *stmt;

    now = time(NULL);

    if (now - col->buried < KZ_TOMB_PURGE && now >= col->buried) {
        return NGX_OK;
    }

    col->buried = now;

    stmt = kz_apply_stmt(g, "SELECT min(n) FROM b%L", col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    rc = sqlite3_step(stmt);

    if (rc != SQLITE_ROW) {
        kz_group_failed(g, g->lane->db);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    first = sqlite3_column_int64(stmt, 0);
    kz_sqlite_done(stmt);

    stmt = kz_apply_stmt(g, "DELETE FROM b%L WHERE n < ?1 AND at <= ?2",
                         col->id);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, first + KZ_TOMB_BATCH);
    (void) sqlite3_bind_int64(stmt, 2, (int64_t) now - KZ_TOMB_KEEP);

    return kz_apply_step(g, stmt);
}
