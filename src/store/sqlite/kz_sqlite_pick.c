
/*
 * The ids of what matches, some at a time, in the order of rows: what a write
 * by query works on.
 *
 * Rows move to the end of the table when documents change.  The last row
 * there is when it begins is the bound, so what it changed itself is not met
 * again; what others change meanwhile may be left out.
 */

#include "store/sqlite/kz_sqlite_search_run.h"


static ngx_int_t kz_pick_bound(kz_run_t *run);
static ngx_int_t kz_pick_rows(kz_run_t *run);
static ngx_int_t kz_pick_scan(kz_run_t *run, int64_t above);
static ngx_int_t kz_pick_row(kz_run_t *run, sqlite3_stmt *stmt);
static sqlite3_stmt *kz_pick_stmt(kz_run_t *run, const char *fmt);


ngx_int_t
kz_pick_run(kz_run_t *run)
{
    ngx_int_t     rc;
    ngx_uint_t    exact;
    kz_search_t  *s;

    s = run->s;

    if (s->bound == 0 && kz_pick_bound(run) != NGX_OK) {
        return NGX_ERROR;
    }

    if (s->cursor >= s->bound || s->size == 0) {
        return NGX_OK;
    }

    s->docs = ngx_pcalloc(s->pool, s->size * sizeof(kz_doc_t));
    if (s->docs == NULL) {
        return kz_run_memory(run);
    }

    rc = kz_plan_rows(run, &exact);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        rc = kz_pick_scan(run, s->cursor);

    } else {
        rc = kz_pick_rows(run);

        if (rc == NGX_OK && run->posted) {
            rc = kz_pick_scan(run, ngx_max(s->cursor, run->hi));
        }
    }

    if (rc == NGX_OK) {

        /* went through to the end */

        s->cursor = s->bound;
    }

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
kz_pick_bound(kz_run_t *run)
{
    int            rc;
    sqlite3_stmt  *stmt;

    stmt = kz_pick_stmt(run, "SELECT max(r) FROM d%L");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        run->s->bound = sqlite3_column_int64(stmt, 0);

    } else {
        (void) kz_run_failed(run);
    }

    kz_sqlite_done(stmt);

    return rc == SQLITE_ROW ? NGX_OK : NGX_ERROR;
}


/* The driver's candidates.  NGX_DONE: the page is full. */

static ngx_int_t
kz_pick_rows(kz_run_t *run)
{
    int            rc;
    size_t         i;
    ngx_int_t      done;
    sqlite3_stmt  *stmt;

    stmt = kz_pick_stmt(run, "SELECT id, src, r FROM d%L WHERE r = ?1");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    done = NGX_OK;

    for (i = 0; i < run->nrows && done == NGX_OK; i++) {

        if (run->rows[i] <= run->s->cursor || run->rows[i] > run->s->bound) {
            continue;
        }

        (void) sqlite3_bind_int64(stmt, 1, run->rows[i]);

        rc = sqlite3_step(stmt);

        if (rc == SQLITE_ROW) {
            done = kz_pick_row(run, stmt);

        } else if (rc != SQLITE_DONE) {
            done = kz_run_failed(run);
        }

        (void) sqlite3_reset(stmt);
    }

    kz_sqlite_done(stmt);

    return done;
}


static ngx_int_t
kz_pick_scan(kz_run_t *run, int64_t above)
{
    int            rc;
    ngx_int_t      done;
    sqlite3_stmt  *stmt;

    stmt = kz_pick_stmt(run, "SELECT id, src, r FROM d%L"
                             " WHERE r > ?1 AND r <= ?2 ORDER BY r");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, above);
    (void) sqlite3_bind_int64(stmt, 2, run->s->bound);

    done = NGX_OK;

    while (done == NGX_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        done = kz_pick_row(run, stmt);
    }

    if (done == NGX_OK && rc != SQLITE_DONE) {
        done = kz_run_failed(run);
    }

    kz_sqlite_done(stmt);

    return done;
}


static ngx_int_t
kz_pick_row(kz_run_t *run, sqlite3_stmt *stmt)
{
    double        score;
    kz_doc_t     *doc;
    ngx_int_t     rc;
    ngx_str_t     id, src;
    kz_search_t  *s;

    s = run->s;

    id.data = (u_char *) sqlite3_column_text(stmt, 0);
    id.len = sqlite3_column_bytes(stmt, 0);
    src.data = (u_char *) sqlite3_column_text(stmt, 1);
    src.len = sqlite3_column_bytes(stmt, 1);

    if (id.data == NULL || src.data == NULL) {
        return kz_run_memory(run);
    }

    if (kz_run_check(run, src.len) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = kz_match_doc(s->match, &id, &src, &score);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return kz_run_memory(run);
    }

    doc = &s->docs[s->ndocs];

    doc->id.len = id.len;
    doc->id.data = ngx_pnalloc(s->pool, id.len + 1);

    if (doc->id.data == NULL) {
        return kz_run_memory(run);
    }

    ngx_memcpy(doc->id.data, id.data, id.len);

    s->ndocs++;
    s->cursor = sqlite3_column_int64(stmt, 2);

    return s->ndocs == s->size ? NGX_DONE : NGX_OK;
}


static sqlite3_stmt *
kz_pick_stmt(kz_run_t *run, const char *fmt)
{
    u_char         sql[160], *p;
    sqlite3_stmt  *stmt;

    p = ngx_snprintf(sql, sizeof(sql), fmt, run->s->col);

    stmt = kz_sqlite_stmt(run->db, (char *) sql, p - sql);

    if (stmt == NULL) {
        (void) kz_run_failed(run);
    }

    return stmt;
}
