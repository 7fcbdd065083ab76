
/*
 * kuzzle.db: which indexes there are, and in which files.
 *
 * An index file is complete before its row is committed, and its row is gone
 * before its file is removed; so a file without a row is a leftover of a
 * process that died in between, and is cleared away at the next start.
 */

#include "store/sqlite/kz_sqlite_writer.h"

#include <dirent.h>


static ngx_int_t kz_catalog_load(kz_writer_t *w, kz_sqlite_err_t *err);
static ngx_int_t kz_catalog_max(kz_sqlite_db_t *db, uint64_t *max,
    kz_sqlite_err_t *err);
static void kz_catalog_leftovers(kz_writer_t *w, uint64_t max);
static uint64_t kz_catalog_file(const char *name);
static ngx_uint_t kz_catalog_knows(kz_writer_t *w, uint64_t file);
static ngx_uint_t kz_catalog_empty(const char *path);
static void kz_catalog_unlink(kz_writer_t *w, uint64_t file);
static ngx_int_t kz_catalog_begin(kz_group_t *g);
static ngx_int_t kz_catalog_commit(kz_group_t *g, kz_wop_t *op);
static void kz_catalog_rollback(kz_group_t *g);
static ngx_int_t kz_catalog_insert(kz_group_t *g, kz_wop_t *op,
    uint64_t *file);
static ngx_int_t kz_catalog_delete(kz_group_t *g, kz_wop_t *op);
static ngx_int_t kz_catalog_remove(kz_group_t *g);
static ngx_int_t kz_catalog_refresh(kz_group_t *g, kz_wop_t *op);
static ngx_int_t kz_catalog_run(kz_group_t *g, const char *sql,
    int64_t value);


/*
 * Opens the catalogue if it is not open, and learns the indexes.  A file
 * that cannot be opened is tried again once a second.
 */

ngx_int_t
kz_catalog_ready(kz_writer_t *w, kz_sqlite_err_t *err)
{
    char       path[KZ_SQLITE_PATH_LEN];
    int64_t    now;
    ngx_int_t  rc;

    (void) pthread_mutex_lock(&w->cat_lock);

    rc = NGX_OK;

    if (w->cat == NULL) {
        now = kz_writer_ms();

        if (w->cat_tried == 0 || now - w->cat_tried >= 1000) {
            w->cat_tried = now;

            if (kz_sqlite_path(path, &w->dir, KZ_SQLITE_PRIVATE, 0)
                == NGX_OK)
            {
                w->cat = kz_sqlite_open_writer(path, KZ_SQLITE_PRIVATE,
                                               ngx_cycle->log, &w->cat_err);
            }

            if (w->cat && kz_catalog_load(w, &w->cat_err) != NGX_OK) {
                kz_sqlite_close(w->cat);
                w->cat = NULL;
            }

            if (w->cat == NULL) {
                ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                              "kuzzle: the catalogue \"%s\" cannot be used: "
                              "%s", path, w->cat_err.text);
            }
        }

        if (w->cat == NULL) {
            *err = w->cat_err;
            rc = NGX_ERROR;
        }
    }

    (void) pthread_mutex_unlock(&w->cat_lock);

    return rc;
}


static ngx_int_t
kz_catalog_load(kz_writer_t *w, kz_sqlite_err_t *err)
{
    int            rc;
    uint64_t       max;
    ngx_str_t      name;
    kz_lane_t     *lane;
    sqlite3_stmt  *stmt;

    if (kz_catalog_max(w->cat, &max, err) != NGX_OK) {
        return NGX_ERROR;
    }

    stmt = kz_sqlite_stmt_lit(w->cat, "SELECT file, name FROM idx");
    if (stmt == NULL) {
        kz_sqlite_error(w->cat, err);
        return NGX_ERROR;
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        name.data = (u_char *) sqlite3_column_text(stmt, 1);
        name.len = sqlite3_column_bytes(stmt, 1);

        (void) pthread_mutex_lock(&w->lock);

        lane = kz_lane_get(w, &name);
        if (lane) {
            lane->file = (uint64_t) sqlite3_column_int64(stmt, 0);
        }

        (void) pthread_mutex_unlock(&w->lock);

        if (lane == NULL) {
            err->code = SQLITE_NOMEM;
            (void) ngx_cpystrn(err->text, (u_char *) "out of memory",
                               KZ_SQLITE_ERR_LEN);
            kz_sqlite_done(stmt);
            return NGX_ERROR;
        }
    }

    if (rc != SQLITE_DONE) {
        kz_sqlite_error(w->cat, err);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    kz_sqlite_done(stmt);
    kz_catalog_leftovers(w, max);

    return NGX_OK;
}


/* The highest file number ever given out. */

static ngx_int_t
kz_catalog_max(kz_sqlite_db_t *db, uint64_t *max, kz_sqlite_err_t *err)
{
    int      rc;
    int64_t  n;

    rc = kz_sqlite_int(db, "SELECT seq FROM sqlite_sequence"
                           " WHERE name = 'idx'", &n);

    if (rc != SQLITE_OK && rc != SQLITE_NOTFOUND) {
        kz_sqlite_error(db, err);
        return NGX_ERROR;
    }

    *max = (rc == SQLITE_OK) ? (uint64_t) n : 0;

    return NGX_OK;
}


/*
 * Files without a row.  One that was given out is a deleted index.  One that
 * was not is an unfinished creation, unless it has collections: then the
 * catalogue is not the one it belongs to, and it is not ours to remove.
 */

static void
kz_catalog_leftovers(kz_writer_t *w, uint64_t max)
{
    DIR            *dir;
    char            path[KZ_SQLITE_PATH_LEN];
    uint64_t        file, top;
    sqlite3_stmt   *stmt;
    struct dirent  *de;

    if (w->dir.len >= KZ_SQLITE_PATH_LEN) {
        return;
    }

    ngx_memcpy(path, w->dir.data, w->dir.len);
    path[w->dir.len] = '\0';

    dir = opendir(path);
    if (dir == NULL) {
        return;
    }

    top = max;

    while ((de = readdir(dir)) != NULL) {

        file = kz_catalog_file(de->d_name);

        if (file == 0 || kz_catalog_knows(w, file)
            || kz_sqlite_path(path, &w->dir, KZ_SQLITE_INDEX, file)
               != NGX_OK)
        {
            continue;
        }

        if (file <= max || kz_catalog_empty(path)) {
            ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                          "kuzzle: \"%s\" belongs to no index, removed",
                          path);
            kz_catalog_unlink(w, file);
            continue;
        }

        ngx_log_error(NGX_LOG_CRIT, ngx_cycle->log, 0,
                      "kuzzle: \"%s\" is not in the catalogue but has data, "
                      "left alone", path);

        top = ngx_max(top, file);
    }

    (void) closedir(dir);

    if (top == max) {
        return;
    }

    /* numbers are never used again, foreign ones neither */

    if (max == 0) {
        (void) kz_sqlite_exec(w->cat, "INSERT INTO sqlite_sequence(name, seq)"
                                      " SELECT 'idx', 0 WHERE NOT EXISTS"
                                      " (SELECT 1 FROM sqlite_sequence"
                                      " WHERE name = 'idx')");
    }

    stmt = kz_sqlite_stmt_lit(w->cat, "UPDATE sqlite_sequence SET seq = ?1"
                                      " WHERE name = 'idx'");
    if (stmt == NULL) {
        return;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) top);
    (void) sqlite3_step(stmt);
    kz_sqlite_done(stmt);
}


/* "i17.db" -> 17; 0: not such a name. */

static uint64_t
kz_catalog_file(const char *name)
{
    uint64_t  n;

    if (*name++ != 'i') {
        return 0;
    }

    n = 0;

    while (*name >= '0' && *name <= '9') {

        if (n > (uint64_t) 1 << 56) {
            return 0;
        }

        n = n * 10 + (*name++ - '0');
    }

    return ngx_strcmp(name, ".db") == 0 ? n : 0;
}


static ngx_uint_t
kz_catalog_knows(kz_writer_t *w, uint64_t file)
{
    ngx_uint_t     found;
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt_lit(w->cat, "SELECT 1 FROM idx WHERE file = ?1");
    if (stmt == NULL) {
        return 1;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) file);

    found = (sqlite3_step(stmt) != SQLITE_DONE);

    kz_sqlite_done(stmt);

    return found;
}


static ngx_uint_t
kz_catalog_empty(const char *path)
{
    int               rc;
    int64_t           n;
    sqlite3          *db;
    kz_sqlite_db_t    file;

    /* as it is: neither made a log file nor given a schema */

    n = 1;
    db = NULL;
    rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);

    if (rc == SQLITE_OK) {
        file.db = db;
        rc = kz_sqlite_int(&file, "SELECT count(*) FROM sqlite_schema"
                           " WHERE name = 'col'", &n);

        if (rc == SQLITE_OK && n != 0) {
            rc = kz_sqlite_int(&file, "SELECT count(*) FROM col", &n);
        }
    }

    (void) sqlite3_close(db);

    return rc == SQLITE_OK && n == 0;
}


static void
kz_catalog_unlink(kz_writer_t *w, uint64_t file)
{
    char         path[KZ_SQLITE_PATH_LEN], side[KZ_SQLITE_PATH_LEN + 8];
    ngx_uint_t   i;

    static const char  *suffixes[] = { "-wal", "-shm", "-journal" };

    if (kz_sqlite_path(path, &w->dir, KZ_SQLITE_INDEX, file) != NGX_OK) {
        return;
    }

    if (unlink(path) == -1 && ngx_errno != NGX_ENOENT) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "kuzzle: unlink(\"%s\") failed", path);
    }

    for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        *ngx_snprintf((u_char *) side, sizeof(side) - 1, "%s%s", path,
                      suffixes[i]) = '\0';
        (void) unlink(side);
    }
}


void
kz_catalog_close(kz_writer_t *w)
{
    (void) pthread_mutex_lock(&w->cat_lock);

    kz_sqlite_close(w->cat);

    w->cat = NULL;
    w->cat_tried = 0;

    (void) pthread_mutex_unlock(&w->cat_lock);
}


/*
 * KZ_STORE_INDEX_CREATE, _DELETE, _REFRESH_SET.  NGX_OK: answered and
 * committed; NGX_ERROR: the engine failed, g->err.
 */

ngx_int_t
kz_catalog_apply(kz_group_t *g, kz_wop_t *op)
{
    ngx_int_t  rc;

    if (op->retry) {
        (void) pthread_mutex_lock(&g->w->cat_lock);
        rc = kz_done_find(g, g->w->cat, op);
        (void) pthread_mutex_unlock(&g->w->cat_lock);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (kz_group_late(op)) {
        return NGX_OK;
    }

    if (op->in.kind == KZ_STORE_INDEX_CREATE) {
        return kz_catalog_create(g, op);
    }

    if (op->in.kind == KZ_STORE_INDEX_REFRESH_SET) {
        return kz_catalog_refresh(g, op);
    }

    return kz_catalog_delete(g, op);
}


/*
 * The index of the lane: made for its own sake, or because generation 2
 * creates a collection in it (then its result is not kept).
 */

ngx_int_t
kz_catalog_create(kz_group_t *g, kz_wop_t *op)
{
    char             path[KZ_SQLITE_PATH_LEN];
    u_char          *p;
    size_t           len;
    uint64_t         file;
    const char      *bad;
    kz_lane_t       *lane;
    kz_sqlite_db_t  *db;

    lane = g->lane;

    if (lane->file) {
        op->out.status = KZ_STORE_EXISTS;
        return NGX_OK;
    }

    bad = kz_store_internal(&op->in.index)
          ? NULL : kz_store_bad_index(&op->in.index, op->in.dialect);

    if (bad) {
        len = sizeof("index\nInvalid index name [], ") - 1
              + op->in.index.len + ngx_strlen(bad);

        p = ngx_pnalloc(g->pool, len);
        if (p == NULL) {
            kz_apply_no_memory(g);
            return NGX_ERROR;
        }

        len = ngx_snprintf(p, len, "index\nInvalid index name [%V], %s",
                           &op->in.index, bad) - p;
        kz_group_detail(g, op, KZ_STORE_BAD_NAME, p, len);

        return NGX_OK;
    }

    (void) pthread_mutex_lock(&g->w->cat_lock);

    if (kz_catalog_begin(g) != NGX_OK) {
        (void) pthread_mutex_unlock(&g->w->cat_lock);
        return NGX_ERROR;
    }

    db = NULL;
    file = 0;

    if (kz_catalog_insert(g, op, &file) != NGX_OK
        || kz_sqlite_path(path, &g->w->dir, KZ_SQLITE_INDEX, file) != NGX_OK)
    {
        goto failed;
    }

    kz_catalog_unlink(g->w, file);

    db = kz_sqlite_open_writer(path, KZ_SQLITE_INDEX, ngx_cycle->log,
                               &g->err);

    if (db == NULL || kz_catalog_commit(g, op) != NGX_OK) {
        goto failed;
    }

    (void) pthread_mutex_unlock(&g->w->cat_lock);

    lane->file = file;

    /* a failure here is found again when the file is next used */

    (void) kz_lane_adopt_new(g->w, lane, db, &g->err);
    g->err.code = SQLITE_OK;

    kz_bus_catalog_changed();

    return NGX_OK;

failed:

    kz_sqlite_close(db);

    if (file) {
        kz_catalog_unlink(g->w, file);
    }

    kz_catalog_rollback(g);

    (void) pthread_mutex_unlock(&g->w->cat_lock);

    return NGX_ERROR;
}


static ngx_int_t
kz_catalog_insert(kz_group_t *g, kz_wop_t *op, uint64_t *file)
{
    int            rc;
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt_lit(g->w->cat,
               "INSERT INTO idx(name, dialect) VALUES(?1, ?2)");
    if (stmt == NULL) {
        kz_group_failed(g, g->w->cat);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, (char *) op->in.index.data,
                             (int) op->in.index.len, SQLITE_STATIC);
    (void) sqlite3_bind_int(stmt, 2, op->in.dialect);

    rc = sqlite3_step(stmt);

    if (rc != SQLITE_DONE) {
        kz_group_failed(g, g->w->cat);
    }

    kz_sqlite_done(stmt);

    if (rc != SQLITE_DONE) {
        return NGX_ERROR;
    }

    *file = (uint64_t) sqlite3_last_insert_rowid(g->w->cat->db);
    op->applied = (op->in.kind == KZ_STORE_INDEX_CREATE);

    return NGX_OK;
}


static ngx_int_t
kz_catalog_delete(kz_group_t *g, kz_wop_t *op)
{
    uint64_t    file;
    kz_lane_t  *lane;

    lane = g->lane;

    if (lane->file == 0) {
        op->out.status = KZ_STORE_NO_INDEX;
        return NGX_OK;
    }

    (void) pthread_mutex_lock(&g->w->cat_lock);

    if (kz_catalog_begin(g) != NGX_OK) {
        (void) pthread_mutex_unlock(&g->w->cat_lock);
        return NGX_ERROR;
    }

    op->applied = 1;

    if (kz_catalog_remove(g) != NGX_OK || kz_catalog_commit(g, op) != NGX_OK)
    {
        op->applied = 0;
        kz_catalog_rollback(g);
        (void) pthread_mutex_unlock(&g->w->cat_lock);
        return NGX_ERROR;
    }

    (void) pthread_mutex_unlock(&g->w->cat_lock);

    kz_bus_catalog_changed();

    if (kz_store_internal(&lane->name)) {
        kz_bus_internal_changed();
    }

    /* the log need not be copied into a file that goes */

    if (lane->db) {
        (void) sqlite3_db_config(lane->db->db,
                                 SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }

    /* the checkpointer, which this waits for, may be about to open it */

    kz_lane_close(g->w, lane);

    file = lane->file;
    lane->file = 0;

    kz_catalog_unlink(g->w, file);

    return NGX_OK;
}


static ngx_int_t
kz_catalog_remove(kz_group_t *g)
{
    if (kz_catalog_run(g, "DELETE FROM idx WHERE file = ?1", 0) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_catalog_run(g, "DELETE FROM meta WHERE k = 'refresh:' || ?1",
                          0);
}


/* 1.x's setting of an index; it has no effect beyond being told. */

static ngx_int_t
kz_catalog_refresh(kz_group_t *g, kz_wop_t *op)
{
    ngx_int_t  rc;

    if (g->lane->file == 0) {
        op->out.status = KZ_STORE_NO_INDEX;
        return NGX_OK;
    }

    (void) pthread_mutex_lock(&g->w->cat_lock);

    op->applied = 1;
    rc = kz_catalog_begin(g);

    if (rc == NGX_OK) {
        rc = kz_catalog_run(g, "INSERT OR REPLACE INTO meta(k, v)"
                               " VALUES('refresh:' || ?1, ?2)",
                            (op->in.flags & KZ_WIRE_FLAG) != 0);
    }

    if (rc == NGX_OK) {
        rc = kz_catalog_commit(g, op);
    }

    if (rc != NGX_OK) {
        op->applied = 0;
        kz_catalog_rollback(g);
    }

    (void) pthread_mutex_unlock(&g->w->cat_lock);

    if (rc == NGX_OK) {
        kz_bus_catalog_changed();
    }

    return rc;
}


/* The rest: under cat_lock. */

static ngx_int_t
kz_catalog_run(kz_group_t *g, const char *sql, int64_t value)
{
    int            rc;
    sqlite3_stmt  *stmt;

    stmt = kz_sqlite_stmt(g->w->cat, sql, ngx_strlen(sql));

    if (stmt == NULL) {
        kz_group_failed(g, g->w->cat);
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) g->lane->file);

    if (sqlite3_bind_parameter_count(stmt) > 1) {
        (void) sqlite3_bind_int64(stmt, 2, value);
    }

    rc = sqlite3_step(stmt);

    if (rc != SQLITE_DONE) {
        kz_group_failed(g, g->w->cat);
    }

    kz_sqlite_done(stmt);

    return rc == SQLITE_DONE ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
kz_catalog_begin(kz_group_t *g)
{
    if (g->w->cat == NULL
        || kz_sqlite_exec(g->w->cat, "BEGIN IMMEDIATE") == SQLITE_OK)
    {
        return g->w->cat ? NGX_OK : NGX_ERROR;
    }

    kz_group_failed(g, g->w->cat);

    return NGX_ERROR;
}


static ngx_int_t
kz_catalog_commit(kz_group_t *g, kz_wop_t *op)
{
    if (op->applied && kz_done_store(g, g->w->cat, op, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_sqlite_exec(g->w->cat, "UPDATE meta SET v = v + 1"
                                  " WHERE k = 'version'")
        != SQLITE_OK
        || kz_sqlite_exec(g->w->cat, "COMMIT") != SQLITE_OK)
    {
        kz_group_failed(g, g->w->cat);
        return NGX_ERROR;
    }

    /* nobody else checkpoints this file; it is small and seldom written */

    if (++g->w->cat_writes % 64 == 0) {
        (void) sqlite3_wal_checkpoint_v2(g->w->cat->db, NULL,
                                         SQLITE_CHECKPOINT_PASSIVE, NULL,
                                         NULL);
    }

    return NGX_OK;
}


static void
kz_catalog_rollback(kz_group_t *g)
{
    if (g->w->cat && !sqlite3_get_autocommit(g->w->cat->db)) {
        (void) kz_sqlite_exec(g->w->cat, "ROLLBACK");
    }
}
