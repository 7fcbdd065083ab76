
/*
 * Segments of postings: see the header.
 */

#include "store/sqlite/kz_sqlite_segment.h"
#include "store/kz_mapping_node.h"


#define KZ_SEGMENT_SQL  192


static ngx_int_t kz_cursor_load(kz_cursor_t *c, const char *fmt,
    const kz_value_t *v, int64_t r);
static ngx_int_t kz_cursor_take(kz_cursor_t *c, sqlite3_stmt *stmt);


int
kz_segments_read(kz_sqlite_db_t *db, int64_t col, kz_segment_t **segs,
    ngx_uint_t *n)
{
    int            rc;
    int64_t        version;
    ngx_uint_t     room;
    kz_segment_t  *seg, *list;
    sqlite3_stmt  *stmt;

    *segs = NULL;
    *n = 0;

    stmt = kz_sqlite_stmt_lit(db, "SELECT s, lo, hi, docs, level FROM seg"
                                  " WHERE col = ?1 AND state = 1"
                                  " ORDER BY lo");
    if (stmt == NULL) {
        rc = sqlite3_extended_errcode(db->db);

        if (rc == SQLITE_ERROR
            && kz_sqlite_int(db, "PRAGMA user_version", &version)
               == SQLITE_OK
            && version < KZ_SQLITE_SEGMENTS)
        {
            return SQLITE_OK;
        }

        return (rc == SQLITE_OK) ? SQLITE_NOMEM : rc;
    }

    (void) sqlite3_bind_int64(stmt, 1, col);

    list = NULL;
    room = 0;

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {

        if (*n == room) {
            room = room ? room * 2 : 32;

            seg = realloc(list, room * sizeof(kz_segment_t));
            if (seg == NULL) {
                rc = SQLITE_NOMEM;
                break;
            }

            list = seg;
        }

        seg = &list[(*n)++];
        ngx_memzero(seg, sizeof(kz_segment_t));

        seg->s = sqlite3_column_int64(stmt, 0);
        seg->lo = sqlite3_column_int64(stmt, 1);
        seg->hi = sqlite3_column_int64(stmt, 2);
        seg->docs = sqlite3_column_int64(stmt, 3);
        seg->level = sqlite3_column_int(stmt, 4);
    }

    kz_sqlite_done(stmt);

    if (rc != SQLITE_DONE) {
        free(list);
        *n = 0;
        return rc;
    }

    *segs = list;

    return SQLITE_OK;
}


void
kz_cursor_init(kz_cursor_t *c, kz_sqlite_db_t *db, int64_t col,
    const kz_segment_t *seg)
{
    ngx_memzero(c, sizeof(kz_cursor_t));

    c->db = db;
    c->col = col;
    c->s = seg->s;
    c->base = seg->lo;
}


ngx_int_t
kz_cursor_seek(kz_cursor_t *c, int64_t f, const kz_value_t *v)
{
    ngx_int_t  rc;

    c->f = f;

    if (v == NULL) {
        rc = kz_cursor_load(c, "SELECT v, r, p FROM t%L WHERE s = ?1"
                               " AND f = ?2 ORDER BY v, r LIMIT 1", NULL, 0);

        return (rc == NGX_OK) ? kz_cursor_next(c) : rc;
    }

    /* the block that begins below it may go on beyond it */

    rc = kz_cursor_load(c, "SELECT v, r, p FROM t%L WHERE s = ?1"
                           " AND f = ?2 AND v < ?3"
                           " ORDER BY v DESC, r DESC LIMIT 1", v, 0);

    if (rc == NGX_OK) {

        while ((rc = kz_block_next(&c->it)) == NGX_OK) {

            if (c->it.fresh && kz_value_cmp(&c->it.v, v) >= 0) {
                return NGX_OK;
            }
        }
    }

    if (rc != NGX_DONE) {
        return rc;
    }

    rc = kz_cursor_load(c, "SELECT v, r, p FROM t%L WHERE s = ?1"
                           " AND f = ?2 AND v >= ?3"
                           " ORDER BY v, r LIMIT 1", v, 0);

    return (rc == NGX_OK) ? kz_cursor_next(c) : rc;
}


ngx_int_t
kz_cursor_next(kz_cursor_t *c)
{
    ngx_int_t  rc;

    rc = kz_block_next(&c->it);

    if (rc != NGX_DONE) {
        return rc;
    }

    rc = kz_cursor_load(c, "SELECT v, r, p FROM t%L WHERE s = ?1"
                           " AND f = ?2 AND (v, r) > (?3, ?4)"
                           " ORDER BY v, r LIMIT 1", &c->key, c->key_r);

    return (rc == NGX_OK) ? kz_block_next(&c->it) : rc;
}


ngx_int_t
kz_cursor_skip(kz_cursor_t *c, const kz_value_t *v)
{
    ngx_int_t  rc;

    while ((rc = kz_block_next(&c->it)) == NGX_OK) {

        if (c->it.fresh && kz_value_cmp(&c->it.v, v) >= 0) {
            return NGX_OK;
        }
    }

    return (rc == NGX_DONE) ? kz_cursor_seek(c, c->f, v) : rc;
}


ngx_int_t
kz_cursor_after(kz_cursor_t *c, int64_t f, const kz_value_t *v, int64_t r)
{
    ngx_int_t  rc, cmp;

    c->f = f;

    rc = kz_cursor_load(c, "SELECT v, r, p FROM t%L WHERE s = ?1"
                           " AND f = ?2 AND (v, r) <= (?3, ?4)"
                           " ORDER BY v DESC, r DESC LIMIT 1", v, r);

    if (rc == NGX_DONE) {
        return kz_cursor_seek(c, f, NULL);
    }

    while (rc == NGX_OK) {
        rc = kz_cursor_next(c);

        if (rc == NGX_OK) {
            cmp = kz_value_cmp(&c->it.v, v);

            if (cmp > 0 || (cmp == 0 && c->it.r > r)) {
                return NGX_OK;
            }
        }
    }

    return rc;
}


/* One block, by a statement that takes the collection's number. */

static ngx_int_t
kz_cursor_load(kz_cursor_t *c, const char *fmt, const kz_value_t *v,
    int64_t r)
{
    int            rc;
    u_char         sql[KZ_SEGMENT_SQL], *p;
    ngx_int_t      taken;
    sqlite3_stmt  *stmt;

    p = ngx_snprintf(sql, sizeof(sql), fmt, c->col);

    stmt = kz_sqlite_stmt(c->db, (char *) sql, p - sql);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, c->s);
    (void) sqlite3_bind_int64(stmt, 2, c->f);

    if (v != NULL) {
        kz_segment_bind(stmt, 3, v);
    }

    if (r != 0) {
        (void) sqlite3_bind_int64(stmt, 4, r);
    }

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        taken = kz_cursor_take(c, stmt);

    } else {
        taken = (rc == SQLITE_DONE) ? NGX_DONE : NGX_ERROR;
    }

    kz_sqlite_done(stmt);

    return taken;
}


static ngx_int_t
kz_cursor_take(kz_cursor_t *c, sqlite3_stmt *stmt)
{
    size_t         len;
    u_char        *p;
    kz_value_t     v;
    const u_char  *blob;

    kz_segment_column(stmt, 0, &v);

    blob = sqlite3_column_blob(stmt, 2);
    len = sqlite3_column_bytes(stmt, 2);

    if (blob == NULL || (v.type == KZ_VALUE_TEXT && v.text.data == NULL)) {
        return NGX_ERROR;
    }

    if (len > c->size) {
        p = realloc(c->block, ngx_max(len, KZ_BLOCK_ROOM));
        if (p == NULL) {
            return NGX_ERROR;
        }

        c->block = p;
        c->size = ngx_max(len, KZ_BLOCK_ROOM);
    }

    ngx_memcpy(c->block, blob, len);

    c->key_r = sqlite3_column_int64(stmt, 1);

    if (kz_block_copy(&c->text, &c->key, &v) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_block_iter(&c->it, c->base, &c->key, c->block, len);
}


void
kz_cursor_free(kz_cursor_t *c)
{
    kz_block_iter_free(&c->it);
    free(c->text.data);
    free(c->block);

    ngx_memzero(c, sizeof(kz_cursor_t));
}


void
kz_segment_bind(sqlite3_stmt *stmt, int i, const kz_value_t *v)
{
    switch (v->type) {

    case KZ_VALUE_INT:
        (void) sqlite3_bind_int64(stmt, i, v->i);
        break;

    case KZ_VALUE_REAL:
        (void) sqlite3_bind_double(stmt, i, v->d);
        break;

    default:
        (void) sqlite3_bind_text(stmt, i,
                                 v->text.len ? (char *) v->text.data : "",
                                 (int) v->text.len, SQLITE_STATIC);
    }
}


void
kz_segment_column(sqlite3_stmt *stmt, int i, kz_value_t *v)
{
    switch (sqlite3_column_type(stmt, i)) {

    case SQLITE_INTEGER:
        v->type = KZ_VALUE_INT;
        v->i = sqlite3_column_int64(stmt, i);
        break;

    case SQLITE_FLOAT:
        v->type = KZ_VALUE_REAL;
        v->d = sqlite3_column_double(stmt, i);
        break;

    default:
        v->type = KZ_VALUE_TEXT;
        v->text.data = (u_char *) sqlite3_column_text(stmt, i);
        v->text.len = sqlite3_column_bytes(stmt, i);
    }
}
