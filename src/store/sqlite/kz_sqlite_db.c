
/*
 * Connections to SQLite: opening, schema, prepared statements, errors.
 */

#include "store/sqlite/kz_sqlite_db.h"


/* milliseconds the writer waits while a reader recovers the shared index */
#define KZ_SQLITE_PATIENCE  5000


struct kz_sqlite_stmt_s {
    sqlite3_stmt      *stmt;
    kz_sqlite_stmt_t  *next;
    ngx_queue_t        queue;
    uint32_t           hash;
    size_t             len;
    u_char             sql[];
};


static kz_sqlite_db_t *kz_sqlite_open(const char *path, int flags,
    const char *vfs, ngx_log_t *log, kz_sqlite_err_t *err);
static ngx_int_t kz_sqlite_create_schema(kz_sqlite_db_t *db,
    kz_sqlite_file_e type, kz_sqlite_err_t *err);
static ngx_int_t kz_sqlite_convert(kz_sqlite_db_t *db,
    kz_sqlite_file_e type, kz_sqlite_err_t *err);
static int kz_sqlite_convert_tables(kz_sqlite_db_t *db);
static int kz_sqlite_drop_postings(kz_sqlite_db_t *db, int64_t col);
static void kz_sqlite_evict(kz_sqlite_db_t *db);
static void kz_sqlite_say(kz_sqlite_err_t *err, int code, const char *text);


static const char  kz_sqlite_private_schema[] =
    "CREATE TABLE idx(file INTEGER PRIMARY KEY AUTOINCREMENT,"
        " name TEXT NOT NULL UNIQUE, dialect INTEGER NOT NULL);"
    "CREATE TABLE done(session INTEGER, first INTEGER, last INTEGER,"
        " at INTEGER, results BLOB, PRIMARY KEY(session, first))"
        " WITHOUT ROWID;"
    "CREATE TABLE meta(k TEXT PRIMARY KEY, v);"
    "INSERT INTO meta VALUES('version', 1);";

#define KZ_SQLITE_SEG                                                         \
    "CREATE TABLE seg(col INTEGER NOT NULL, s INTEGER NOT NULL,"              \
        " state INTEGER NOT NULL, level INTEGER NOT NULL,"                    \
        " lo INTEGER NOT NULL, hi INTEGER NOT NULL, docs INTEGER NOT NULL,"   \
        " PRIMARY KEY(col, s)) WITHOUT ROWID;"

static const char  kz_sqlite_index_schema[] =
    "CREATE TABLE col(id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " name TEXT NOT NULL UNIQUE, mapping TEXT NOT NULL,"
        " dialect INTEGER NOT NULL, settings TEXT);"
    "CREATE TABLE fld(id INTEGER PRIMARY KEY, col INTEGER NOT NULL,"
        " path TEXT NOT NULL, type TEXT NOT NULL, UNIQUE(col, path));"
    "CREATE TABLE commits(one INTEGER PRIMARY KEY CHECK(one = 1),"
        " seq INTEGER NOT NULL);"
    "INSERT INTO commits VALUES(1, 0);"
    KZ_SQLITE_SEG
    "CREATE TABLE done(session INTEGER, first INTEGER, last INTEGER,"
        " at INTEGER, results BLOB, PRIMARY KEY(session, first))"
        " WITHOUT ROWID;";


ngx_int_t
kz_sqlite_path(char *path, const ngx_str_t *dir, kz_sqlite_file_e type,
    uint64_t file)
{
    u_char  *p, *last;

    last = (u_char *) path + KZ_SQLITE_PATH_LEN - 1;

    if (type == KZ_SQLITE_PRIVATE) {
        p = ngx_slprintf((u_char *) path, last, "%V/kuzzle.db", dir);

    } else {
        p = ngx_slprintf((u_char *) path, last, "%V/i%uL.db", dir, file);
    }

    if (p == last) {
        return NGX_ERROR;
    }

    *p = '\0';

    return NGX_OK;
}


static kz_sqlite_db_t *
kz_sqlite_open(const char *path, int flags, const char *vfs, ngx_log_t *log,
    kz_sqlite_err_t *err)
{
    int              rc;
    kz_sqlite_db_t  *db;

    db = ngx_calloc(sizeof(kz_sqlite_db_t), log);
    if (db == NULL) {
        kz_sqlite_say(err, SQLITE_NOMEM, "out of memory");
        return NULL;
    }

    db->log = log;
    ngx_queue_init(&db->lru);

    /* NOMUTEX: a connection belongs to one thread at a time */

    rc = sqlite3_open_v2(path, &db->db,
                         flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                         vfs);

    if (rc != SQLITE_OK) {
        if (db->db) {
            kz_sqlite_error(db, err);

        } else {
            kz_sqlite_say(err, rc, "out of memory");
        }

        kz_sqlite_close(db);
        return NULL;
    }

    return db;
}


kz_sqlite_db_t *
kz_sqlite_open_writer(const char *path, kz_sqlite_file_e type,
    ngx_log_t *log, kz_sqlite_err_t *err)
{
    ngx_int_t        rc;
    kz_sqlite_db_t  *db;

    db = kz_sqlite_open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                        NULL, log, err);
    if (db == NULL) {
        return NULL;
    }

    (void) sqlite3_busy_timeout(db->db, KZ_SQLITE_PATIENCE);

    /*
     * Whose file this is comes first: nothing may be written to one that is
     * foreign, or newer than we are.
     */

    rc = kz_sqlite_check(db, err);

    if (rc == NGX_ERROR) {
        goto failed;
    }

    if (kz_sqlite_exec(db, "PRAGMA journal_mode=WAL;"
                           "PRAGMA synchronous=FULL;"
                           "PRAGMA wal_autocheckpoint=0;"
                           "PRAGMA secure_delete=0;"
                           "PRAGMA temp_store=MEMORY;"
                           "PRAGMA cache_size=-16384;"
                           "PRAGMA journal_size_limit=67108864;")
        != SQLITE_OK)
    {
        kz_sqlite_error(db, err);
        goto failed;
    }

    if (rc == NGX_DECLINED) {
        rc = kz_sqlite_create_schema(db, type, err);

    } else {
        rc = kz_sqlite_convert(db, type, err);
    }

    if (rc != NGX_OK) {
        goto failed;
    }

    return db;

failed:

    kz_sqlite_close(db);

    return NULL;
}


kz_sqlite_db_t *
kz_sqlite_open_reader(const char *path, const char *vfs, int64_t mmap,
    ngx_log_t *log, kz_sqlite_err_t *err)
{
    char             sql[64];
    kz_sqlite_db_t  *db;

    db = kz_sqlite_open(path, SQLITE_OPEN_READWRITE, vfs, log, err);
    if (db == NULL) {
        return NULL;
    }

    (void) sqlite3_busy_timeout(db->db, 0);

    if (sqlite3_db_config(db->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL)
        != SQLITE_OK
        || kz_sqlite_exec(db, "PRAGMA query_only=1;"
                              "PRAGMA wal_autocheckpoint=0;"
                              "PRAGMA temp_store=MEMORY;")
           != SQLITE_OK)
    {
        kz_sqlite_error(db, err);
        goto failed;
    }

    *ngx_snprintf((u_char *) sql, sizeof(sql) - 1, "PRAGMA mmap_size=%L;",
                  mmap) = '\0';

    if (kz_sqlite_exec(db, sql) != SQLITE_OK) {
        kz_sqlite_error(db, err);
        goto failed;
    }

    return db;

failed:

    kz_sqlite_close(db);

    return NULL;
}


ngx_int_t
kz_sqlite_check(kz_sqlite_db_t *db, kz_sqlite_err_t *err)
{
    int64_t  id, version, tables;

    /* one read transaction, so that the three belong together */

    if (kz_sqlite_exec(db, "BEGIN") != SQLITE_OK) {
        kz_sqlite_error(db, err);
        return NGX_ERROR;
    }

    if (kz_sqlite_int(db, "PRAGMA application_id", &id) != SQLITE_OK
        || kz_sqlite_int(db, "PRAGMA user_version", &version) != SQLITE_OK
        || kz_sqlite_int(db, "SELECT count(*) FROM sqlite_schema", &tables)
           != SQLITE_OK)
    {
        kz_sqlite_error(db, err);
        (void) kz_sqlite_exec(db, "ROLLBACK");
        return NGX_ERROR;
    }

    if (kz_sqlite_exec(db, "COMMIT") != SQLITE_OK) {
        kz_sqlite_error(db, err);
        return NGX_ERROR;
    }

    if (id == 0 && version == 0 && tables == 0) {
        return NGX_DECLINED;
    }

    if (id != KZ_SQLITE_APP_ID || version < 1) {
        kz_sqlite_say(err, SQLITE_NOTADB, "not a file of this server");
        return NGX_ERROR;
    }

    if (version > KZ_SQLITE_SCHEMA) {
        err->code = SQLITE_SCHEMA;
        err->sys = 0;
        *ngx_snprintf(err->text, KZ_SQLITE_ERR_LEN - 1,
                      "written by a newer version (schema %L, "
                      "this one knows %d)", version, KZ_SQLITE_SCHEMA) = '\0';
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
kz_sqlite_create_schema(kz_sqlite_db_t *db, kz_sqlite_file_e type,
    kz_sqlite_err_t *err)
{
    char         sql[128];
    const char  *schema;

    schema = (type == KZ_SQLITE_PRIVATE) ? kz_sqlite_private_schema
                                         : kz_sqlite_index_schema;

    *ngx_snprintf((u_char *) sql, sizeof(sql) - 1,
                  "PRAGMA application_id=%d;PRAGMA user_version=%d;",
                  KZ_SQLITE_APP_ID, KZ_SQLITE_SCHEMA) = '\0';

    if (kz_sqlite_exec(db, "BEGIN IMMEDIATE") != SQLITE_OK
        || kz_sqlite_exec(db, schema) != SQLITE_OK
        || kz_sqlite_exec(db, sql) != SQLITE_OK
        || kz_sqlite_exec(db, "COMMIT") != SQLITE_OK)
    {
        kz_sqlite_error(db, err);
        (void) kz_sqlite_exec(db, "ROLLBACK");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A file of the first schema, which had a row for each posting: they go, and
 * are made again bit by bit, as the tail that all documents are now.
 */

static ngx_int_t
kz_sqlite_convert(kz_sqlite_db_t *db, kz_sqlite_file_e type,
    kz_sqlite_err_t *err)
{
    char     sql[64];
    int64_t  version;

    if (kz_sqlite_int(db, "PRAGMA user_version", &version) == SQLITE_OK
        && version == KZ_SQLITE_SCHEMA)
    {
        return NGX_OK;
    }

    *ngx_snprintf((u_char *) sql, sizeof(sql) - 1, "PRAGMA user_version=%d",
                  KZ_SQLITE_SCHEMA) = '\0';

    /* another connection may have been here first */

    if (kz_sqlite_exec(db, "BEGIN IMMEDIATE") == SQLITE_OK
        && kz_sqlite_int(db, "PRAGMA user_version", &version) == SQLITE_OK
        && (version >= KZ_SQLITE_SEGMENTS || type == KZ_SQLITE_PRIVATE
            || kz_sqlite_convert_tables(db) == SQLITE_OK)
        && kz_sqlite_exec(db, sql) == SQLITE_OK
        && kz_sqlite_exec(db, "COMMIT") == SQLITE_OK)
    {
        return NGX_OK;
    }

    kz_sqlite_error(db, err);
    (void) kz_sqlite_exec(db, "ROLLBACK");

    return NGX_ERROR;
}


static int
kz_sqlite_convert_tables(kz_sqlite_db_t *db)
{
    int            rc;
    int64_t        id;
    sqlite3_stmt  *stmt;

    rc = kz_sqlite_exec(db, KZ_SQLITE_SEG);

    id = 0;

    while (rc == SQLITE_OK) {

        stmt = kz_sqlite_stmt_lit(db, "SELECT id FROM col WHERE id > ?1"
                                      " ORDER BY id LIMIT 1");
        if (stmt == NULL) {
            return SQLITE_ERROR;
        }

        (void) sqlite3_bind_int64(stmt, 1, id);

        rc = sqlite3_step(stmt);
        id = sqlite3_column_int64(stmt, 0);

        kz_sqlite_done(stmt);

        if (rc == SQLITE_DONE) {
            return SQLITE_OK;
        }

        if (rc == SQLITE_ROW) {
            rc = kz_sqlite_drop_postings(db, id);
        }
    }

    return rc;
}


static int
kz_sqlite_drop_postings(kz_sqlite_db_t *db, int64_t col)
{
    char  sql[64];
    int   rc;

    *ngx_snprintf((u_char *) sql, sizeof(sql) - 1, "DROP TABLE t%L", col)
        = '\0';

    rc = kz_sqlite_exec(db, sql);

    return (rc == SQLITE_OK) ? kz_sqlite_create_postings(db, col) : rc;
}


int
kz_sqlite_create_postings(kz_sqlite_db_t *db, int64_t col)
{
    char  sql[256];

    *ngx_snprintf((u_char *) sql, sizeof(sql) - 1,
                  "CREATE TABLE t%L(s INTEGER NOT NULL, f INTEGER NOT NULL,"
                  " v NOT NULL, r INTEGER NOT NULL, n INTEGER NOT NULL,"
                  " p BLOB NOT NULL, PRIMARY KEY(s, f, v, r)) WITHOUT ROWID;"
                  "CREATE TABLE x%L(r INTEGER PRIMARY KEY);",
                  col, col) = '\0';

    return kz_sqlite_exec(db, sql);
}


sqlite3_stmt *
kz_sqlite_stmt(kz_sqlite_db_t *db, const char *sql, size_t len)
{
    size_t             i;
    uint32_t           hash;
    sqlite3_stmt      *stmt;
    kz_sqlite_stmt_t  *s;

    hash = 2166136261u;                                     /* FNV-1a */

    for (i = 0; i < len; i++) {
        hash = (hash ^ (u_char) sql[i]) * 16777619u;
    }

    for (s = db->buckets[hash % KZ_SQLITE_BUCKETS]; s; s = s->next) {

        if (s->hash == hash && s->len == len
            && ngx_memcmp(s->sql, sql, len) == 0)
        {
            ngx_queue_remove(&s->queue);
            ngx_queue_insert_head(&db->lru, &s->queue);

            return s->stmt;
        }
    }

    if (sqlite3_prepare_v3(db->db, sql, (int) len, SQLITE_PREPARE_PERSISTENT,
                           &stmt, NULL)
        != SQLITE_OK)
    {
        return NULL;
    }

    s = ngx_alloc(sizeof(kz_sqlite_stmt_t) + len, db->log);
    if (s == NULL) {
        (void) sqlite3_finalize(stmt);
        return NULL;
    }

    if (db->nstmts >= KZ_SQLITE_STMTS) {
        kz_sqlite_evict(db);
    }

    s->stmt = stmt;
    s->hash = hash;
    s->len = len;
    ngx_memcpy(s->sql, sql, len);

    s->next = db->buckets[hash % KZ_SQLITE_BUCKETS];
    db->buckets[hash % KZ_SQLITE_BUCKETS] = s;

    ngx_queue_insert_head(&db->lru, &s->queue);
    db->nstmts++;

    return stmt;
}


/* Drops the least recently used statement that is not being stepped. */

static void
kz_sqlite_evict(kz_sqlite_db_t *db)
{
    ngx_queue_t        *q;
    kz_sqlite_stmt_t   *s, **p;

    for (q = ngx_queue_last(&db->lru);
         q != ngx_queue_sentinel(&db->lru);
         q = ngx_queue_prev(q))
    {
        s = ngx_queue_data(q, kz_sqlite_stmt_t, queue);

        if (sqlite3_stmt_busy(s->stmt)) {
            continue;
        }

        p = &db->buckets[s->hash % KZ_SQLITE_BUCKETS];

        while (*p != s) {
            p = &(*p)->next;
        }

        *p = s->next;

        ngx_queue_remove(&s->queue);
        (void) sqlite3_finalize(s->stmt);
        ngx_free(s);
        db->nstmts--;

        return;
    }
}


void
kz_sqlite_done(sqlite3_stmt *stmt)
{
    (void) sqlite3_reset(stmt);
    (void) sqlite3_clear_bindings(stmt);
}


int
kz_sqlite_exec(kz_sqlite_db_t *db, const char *sql)
{
    return sqlite3_exec(db->db, sql, NULL, NULL, NULL);
}


int
kz_sqlite_int(kz_sqlite_db_t *db, const char *sql, int64_t *n)
{
    int            rc;
    sqlite3_stmt  *stmt;

    rc = sqlite3_prepare_v2(db->db, sql, -1, &stmt, NULL);
    if (rc != SQLITE_OK) {
        return rc;
    }

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *n = sqlite3_column_int64(stmt, 0);
        (void) sqlite3_finalize(stmt);
        return SQLITE_OK;
    }

    (void) sqlite3_finalize(stmt);

    return rc == SQLITE_DONE ? SQLITE_NOTFOUND : rc;
}


void
kz_sqlite_error(kz_sqlite_db_t *db, kz_sqlite_err_t *err)
{
    kz_sqlite_say(err, sqlite3_extended_errcode(db->db),
                  sqlite3_errmsg(db->db));
    err->sys = sqlite3_system_errno(db->db);
}


static void
kz_sqlite_say(kz_sqlite_err_t *err, int code, const char *text)
{
    err->code = code;
    err->sys = 0;
    (void) ngx_cpystrn(err->text, (u_char *) text, KZ_SQLITE_ERR_LEN);
}


void
kz_sqlite_close(kz_sqlite_db_t *db)
{
    ngx_queue_t       *q;
    kz_sqlite_stmt_t  *s;

    if (db == NULL) {
        return;
    }

    while (!ngx_queue_empty(&db->lru)) {
        q = ngx_queue_head(&db->lru);
        ngx_queue_remove(q);

        s = ngx_queue_data(q, kz_sqlite_stmt_t, queue);

        (void) sqlite3_finalize(s->stmt);
        ngx_free(s);
    }

    if (db->db && sqlite3_close(db->db) != SQLITE_OK) {
        ngx_log_error(NGX_LOG_ALERT, db->log, 0,
                      "kuzzle: a statement was open on a closed file");
        (void) sqlite3_close_v2(db->db);
    }

    ngx_free(db);
}
