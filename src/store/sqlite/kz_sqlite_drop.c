
/*
 * The tables of deleted collections.
 *
 * To drop a large table takes as long as reading it, and nobody could write
 * meanwhile.  So a deletion only notes the collection's number, in a table
 * of its own, and the lane's thread empties the tables when there is nothing
 * else to do, some milliseconds at a time; empty ones are dropped.
 *
 * It does not begin at once: a reader may just have looked up the number.
 */

#include "store/sqlite/kz_sqlite_writer.h"


#define KZ_DROP_TURN   4               /* ms */
#define KZ_DROP_ROWS   128             /* deleted between looks at the clock */
#define KZ_DROP_DELAY  5000            /* ms, in a lane that is busy */
#define KZ_DROP_SQL    256


static ngx_int_t kz_drop_look(kz_lane_t *lane);
static ngx_int_t kz_drop_some(kz_sqlite_db_t *db, int64_t until);
static int kz_drop_table(kz_sqlite_db_t *db, const char *table,
    int64_t until, ngx_uint_t *gone);
static int kz_drop_next(kz_sqlite_db_t *db, int64_t *id, char *table,
    size_t size);


/* What a collection has, but for the postings, by rowid. */

static const char  kz_drop_tables[] = "dxb";


ngx_int_t
kz_drop_later(kz_group_t *g, int64_t id)
{
    ngx_uint_t     i;
    sqlite3_stmt  *stmt;

    static const char  *sql[] = {
        "INSERT INTO gone(col) VALUES(?1)",
        "DELETE FROM fld WHERE col = ?1",
        "DELETE FROM seg WHERE col = ?1"
    };

    if (kz_sqlite_exec(g->lane->db, "CREATE TABLE IF NOT EXISTS"
                                    " gone(col INTEGER PRIMARY KEY)")
        != SQLITE_OK)
    {
        kz_group_failed(g, g->lane->db);
        return NGX_ERROR;
    }

    for (i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {

        stmt = kz_sqlite_stmt(g->lane->db, sql[i], ngx_strlen(sql[i]));
        if (stmt == NULL) {
            kz_group_failed(g, g->lane->db);
            return NGX_ERROR;
        }

        (void) sqlite3_bind_int64(stmt, 1, id);

        if (kz_apply_step(g, stmt) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    g->lane->drops = KZ_DROPS_LEFT;
    g->lane->dropped = kz_writer_ms();

    return NGX_OK;
}


ngx_uint_t
kz_drop_turn(kz_writer_t *w, kz_lane_t *lane, ngx_uint_t rest)
{
    int64_t    now;
    ngx_int_t  rc;

    now = kz_writer_ms();

    if (lane->db == NULL || lane->drops == KZ_DROPS_NONE
        || (!rest && now - lane->dropped < KZ_DROP_DELAY))
    {
        return 0;
    }

    if (lane->drops == KZ_DROPS_UNKNOWN && kz_drop_look(lane) != NGX_OK) {
        return 0;
    }

    if (lane->drops == KZ_DROPS_NONE) {
        return 0;
    }

    /* derived from what is committed: need not be synced */

    rc = NGX_ERROR;

    if (kz_sqlite_exec(lane->db, "PRAGMA synchronous=NORMAL") == SQLITE_OK
        && kz_sqlite_exec(lane->db, "BEGIN IMMEDIATE") == SQLITE_OK)
    {
        rc = kz_drop_some(lane->db, now + KZ_DROP_TURN);

        if (rc != NGX_ERROR
            && kz_sqlite_exec(lane->db, "COMMIT") != SQLITE_OK)
        {
            rc = NGX_ERROR;
        }
    }

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "kuzzle: removing a deleted collection of \"%V\" "
                      "failed: %s", &lane->name,
                      sqlite3_errmsg(lane->db->db));
    }

    if (!sqlite3_get_autocommit(lane->db->db)) {
        (void) kz_sqlite_exec(lane->db, "ROLLBACK");
    }

    /* never a batch that is not synced */

    if (kz_sqlite_exec(lane->db, "PRAGMA synchronous=FULL") != SQLITE_OK) {
        kz_lane_close(w, lane);
        return 0;
    }

    kz_writer_committed(w, lane, 0);

    if (rc == NGX_AGAIN) {
        return 1;
    }

    /* what failed is tried again when the file is opened next */

    lane->drops = KZ_DROPS_NONE;

    return 0;
}


static ngx_int_t
kz_drop_look(kz_lane_t *lane)
{
    int      rc;
    int64_t  n;

    rc = kz_sqlite_int(lane->db, "SELECT count(*) FROM sqlite_schema"
                                 " WHERE name = 'gone'", &n);

    if (rc == SQLITE_OK && n != 0) {
        rc = kz_sqlite_int(lane->db, "SELECT count(*) FROM gone", &n);
    }

    if (rc != SQLITE_OK) {
        return NGX_ERROR;
    }

    lane->drops = n ? KZ_DROPS_LEFT : KZ_DROPS_NONE;

    return NGX_OK;
}


/* NGX_OK: nothing is left; NGX_AGAIN: there is more; NGX_ERROR. */

static ngx_int_t
kz_drop_some(kz_sqlite_db_t *db, int64_t until)
{
    int         rc;
    char        table[NGX_INT64_LEN + 2], sql[KZ_DROP_SQL];
    int64_t     id;
    ngx_uint_t  gone;

    id = 0;

    do {
        rc = kz_drop_next(db, &id, table, sizeof(table));

        if (rc == SQLITE_DONE) {
            return NGX_OK;
        }

        if (rc != SQLITE_ROW) {
            return NGX_ERROR;
        }

        if (table[0] != '\0') {
            gone = 0;

            if (kz_drop_table(db, table, until, &gone) != SQLITE_OK) {
                return NGX_ERROR;
            }

            if (!gone) {
                return NGX_AGAIN;
            }

            continue;
        }

        *ngx_snprintf((u_char *) sql, sizeof(sql) - 1,
                      "DELETE FROM gone WHERE col = %L", id) = '\0';

        if (kz_sqlite_exec(db, sql) != SQLITE_OK) {
            return NGX_ERROR;
        }

    } while (kz_writer_ms() < until);

    return NGX_AGAIN;
}


/* Until the time is over, or the table empty, and then dropped. */

static int
kz_drop_table(kz_sqlite_db_t *db, const char *table, int64_t until,
    ngx_uint_t *gone)
{
    int   rc;
    char  sql[KZ_DROP_SQL];

    if (table[0] == 't') {
        *ngx_snprintf((u_char *) sql, sizeof(sql) - 1,
                      "DELETE FROM %s WHERE (s, f, v, r) IN"
                      " (SELECT s, f, v, r FROM %s LIMIT %d)",
                      table, table, KZ_DROP_ROWS) = '\0';

    } else {
        *ngx_snprintf((u_char *) sql, sizeof(sql) - 1,
                      "DELETE FROM %s WHERE rowid IN"
                      " (SELECT rowid FROM %s LIMIT %d)",
                      table, table, KZ_DROP_ROWS) = '\0';
    }

    do {
        rc = kz_sqlite_exec(db, sql);

        if (rc != SQLITE_OK) {
            return rc;
        }

        if (sqlite3_changes(db->db) < KZ_DROP_ROWS) {
            *gone = 1;
            *ngx_snprintf((u_char *) sql, sizeof(sql) - 1, "DROP TABLE %s",
                          table) = '\0';

            return kz_sqlite_exec(db, sql);
        }

    } while (kz_writer_ms() < until);

    return SQLITE_OK;
}


/*
 * A deleted collection, and one of the tables it still has (or an empty
 * name).  SQLITE_ROW, SQLITE_DONE: there is none.
 */

static int
kz_drop_next(kz_sqlite_db_t *db, int64_t *id, char *table, size_t size)
{
    int            rc;
    sqlite3_stmt  *stmt;

    *id = 0;
    table[0] = '\0';

    stmt = kz_sqlite_stmt_lit(db,
               "SELECT g.col, (SELECT name FROM sqlite_schema"
               " WHERE type = 'table' AND length(name) > 1"
               " AND instr(?1 || 't', substr(name, 1, 1)) > 0"
               " AND substr(name, 2) = CAST(g.col AS TEXT) LIMIT 1)"
               " FROM gone g LIMIT 1");
    if (stmt == NULL) {
        return SQLITE_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, kz_drop_tables, -1, SQLITE_STATIC);

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *id = sqlite3_column_int64(stmt, 0);

        if (sqlite3_column_type(stmt, 1) == SQLITE_TEXT) {
            (void) ngx_cpystrn((u_char *) table,
                               (u_char *) sqlite3_column_text(stmt, 1), size);
        }
    }

    kz_sqlite_done(stmt);

    return rc;
}
