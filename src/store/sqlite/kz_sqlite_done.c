
/*
 * Exactly once: the results of the last batches, kept beside the data in the
 * same transaction, for workers that lost their answer and ask again.
 *
 * One row for each batch and session: the frames of its results, after a
 * version number.  A row goes when the session says it has the answers, or
 * after KZ_WRITER_KEEP seconds.
 */

#include "store/sqlite/kz_sqlite_writer.h"


static ngx_int_t kz_done_scan(kz_group_t *g, kz_wop_t *op, u_char *p,
    size_t len);
static ngx_int_t kz_done_session(kz_group_t *g, kz_sqlite_db_t *db,
    kz_wop_t *first, ngx_uint_t n);
static size_t kz_done_short(const kz_wop_t *op, kz_wire_result_t *r);
static ngx_int_t kz_done_drop(kz_group_t *g, kz_sqlite_db_t *db,
    uint64_t session, uint64_t acked);
static ngx_int_t kz_done_purge(kz_group_t *g, kz_sqlite_db_t *db);


/*
 * The result of an operation that comes for the second time.  NGX_OK:
 * op->out has it; NGX_DECLINED: it was never applied; NGX_ERROR: the engine.
 */

ngx_int_t
kz_done_find(kz_group_t *g, kz_sqlite_db_t *db, kz_wop_t *op)
{
    int            rc;
    ngx_int_t      found;
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt_lit(db, "SELECT results FROM done"
                              " WHERE session = ?1 AND first <= ?2"
                              " AND last >= ?2");
    if (stmt == NULL) {
        kz_group_failed(g, db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) op->conn->session);
    (void) sqlite3_bind_int64(stmt, 2, (int64_t) op->in.seq);

    found = NGX_DECLINED;

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {

        found = kz_done_scan(g, op, (u_char *) sqlite3_column_blob(stmt, 0),
                             sqlite3_column_bytes(stmt, 0));

        if (found != NGX_DECLINED) {
            break;
        }
    }

    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        kz_group_failed(g, db);
        found = NGX_ERROR;
    }

    kz_sqlite_done(stmt);

    return found;
}


static ngx_int_t
kz_done_scan(kz_group_t *g, kz_wop_t *op, u_char *p, size_t len)
{
    u_char           *copy;
    uint32_t          version;
    kz_wire_frame_t   f;

    if (p == NULL || len < sizeof(uint32_t)) {
        return NGX_DECLINED;
    }

    ngx_memcpy(&version, p, sizeof(uint32_t));

    if (version != KZ_WIRE_VERSION) {
        return NGX_DECLINED;
    }

    p += sizeof(uint32_t);
    len -= sizeof(uint32_t);

    while (kz_wire_frame(p, len, &f) == NGX_OK) {

        if (kz_wire_result_read(&op->out, f.payload, f.len) != NGX_OK) {
            break;
        }

        if (op->out.seq == op->in.seq) {
            copy = ngx_pnalloc(g->pool, f.len);
            if (copy == NULL) {
                kz_apply_no_memory(g);
                return NGX_ERROR;
            }

            ngx_memcpy(copy, f.payload, f.len);

            return kz_wire_result_read(&op->out, copy, f.len);
        }

        p += f.total;
        len -= f.total;
    }

    ngx_memzero(&op->out, sizeof(kz_wire_result_t));
    op->out.seq = op->in.seq;

    return NGX_DECLINED;
}


/*
 * Keeps the results of the n operations that were applied, forgets those
 * their sessions have seen.  NGX_ERROR: the engine.
 */

ngx_int_t
kz_done_store(kz_group_t *g, kz_sqlite_db_t *db, kz_wop_t *ops, ngx_uint_t n)
{
    kz_wop_t    *op;
    ngx_uint_t   i;

    for (op = ops, i = 0; i < n; op = op->next, i++) {

        if (op->applied && !op->kept
            && kz_done_session(g, db, op, n - i) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return kz_done_purge(g, db);
}


static ngx_int_t
kz_done_session(kz_group_t *g, kz_sqlite_db_t *db, kz_wop_t *first,
    ngx_uint_t n)
{
    u_char            *blob, *p;
    size_t             len;
    uint32_t           version;
    uint64_t           low, high, acked, session;
    kz_wop_t          *op;
    ngx_uint_t         i;
    sqlite3_stmt      *stmt;
    kz_wire_result_t   r;

    session = first->conn->session;
    len = sizeof(uint32_t);
    low = first->in.seq;
    high = first->in.seq;
    acked = 0;

    for (op = first, i = 0; i < n; op = op->next, i++) {

        if (op->conn->session != session) {
            continue;
        }

        acked = ngx_max(acked, op->in.acked);

        if (op->applied && !op->kept) {
            len += kz_done_short(op, &r);
            low = ngx_min(low, op->in.seq);
            high = ngx_max(high, op->in.seq);
        }
    }

    blob = ngx_pnalloc(g->pool, len);
    if (blob == NULL) {
        kz_apply_no_memory(g);
        return NGX_ERROR;
    }

    version = KZ_WIRE_VERSION;
    p = ngx_cpymem(blob, &version, sizeof(uint32_t));

    for (op = first, i = 0; i < n; op = op->next, i++) {

        if (op->conn->session == session && op->applied && !op->kept) {
            (void) kz_done_short(op, &r);
            p = kz_wire_result_write(p, &r);
            op->kept = 1;
        }
    }

    if (kz_done_drop(g, db, session, acked) != NGX_OK) {
        return NGX_ERROR;
    }

    stmt = kz_sqlite_stmt_lit(db, "INSERT OR REPLACE INTO"
                              " done(session, first, last, at, results)"
                              " VALUES(?1, ?2, ?3, ?4, ?5)");
    if (stmt == NULL) {
        kz_group_failed(g, db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) session);
    (void) sqlite3_bind_int64(stmt, 2, (int64_t) low);
    (void) sqlite3_bind_int64(stmt, 3, (int64_t) high);
    (void) sqlite3_bind_int64(stmt, 4, (int64_t) time(NULL));
    (void) sqlite3_bind_blob(stmt, 5, blob, (int) len, SQLITE_STATIC);

    if (sqlite3_step(stmt) != SQLITE_DONE) {
        kz_group_failed(g, db);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    kz_sqlite_done(stmt);

    return NGX_OK;
}


/*
 * The result without what the operation itself tells again (see
 * kz_apply_derive()): the log need not carry each document twice.
 */

static size_t
kz_done_short(const kz_wop_t *op, kz_wire_result_t *r)
{
    *r = op->out;
    r->seq = op->in.seq;

    switch (op->in.kind) {

    case KZ_STORE_DOC_CREATE:
    case KZ_STORE_DOC_PUT:
    case KZ_STORE_DOC_REPLACE:
        ngx_str_null(&r->source);
        r->flags |= KZ_WIRE_DERIVED;
        break;

    case KZ_STORE_DOC_UPDATE:
        ngx_str_null(&r->changes);
        r->flags |= KZ_WIRE_DERIVED;
        break;

    case KZ_STORE_DOC_ITEMS:
        r->source = op->brief;
        r->flags |= KZ_WIRE_DERIVED;
        break;
    }

    return kz_wire_result_len(r);
}


static ngx_int_t
kz_done_drop(kz_group_t *g, kz_sqlite_db_t *db, uint64_t session,
    uint64_t acked)
{
    int            rc;
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt_lit(db, "DELETE FROM done"
                              " WHERE session = ?1 AND first <= ?2"
                              " AND last <= ?2");
    if (stmt == NULL) {
        kz_group_failed(g, db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) session);
    (void) sqlite3_bind_int64(stmt, 2, (int64_t) acked);

    rc = sqlite3_step(stmt);

    if (rc != SQLITE_DONE) {
        kz_group_failed(g, db);
    }

    kz_sqlite_done(stmt);

    return rc == SQLITE_DONE ? NGX_OK : NGX_ERROR;
}


/* Results whose sessions are gone, once a minute. */

static ngx_int_t
kz_done_purge(kz_group_t *g, kz_sqlite_db_t *db)
{
    int            rc;
    time_t         now;
    sqlite3_stmt  *stmt;

    now = time(NULL);

    if (now - g->lane->purged < 60 && now >= g->lane->purged) {
        return NGX_OK;
    }

    stmt = kz_sqlite_stmt_lit(db, "DELETE FROM done WHERE at < ?1");
    if (stmt == NULL) {
        kz_group_failed(g, db);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) now - KZ_WRITER_KEEP);

    rc = sqlite3_step(stmt);

    if (rc != SQLITE_DONE) {
        kz_group_failed(g, db);

    } else {
        g->lane->purged = now;
    }

    kz_sqlite_done(stmt);

    return rc == SQLITE_DONE ? NGX_OK : NGX_ERROR;
}
