#ifndef _KZ_SQLITE_DB_H_INCLUDED_
#define _KZ_SQLITE_DB_H_INCLUDED_

/*
 * One connection to one SQLite file: how it is opened (pragmas, schema), its
 * prepared statements, what went wrong in words.
 *
 *     kuzzle.db     the private data: which index lives in which file
 *     i<file>.db    one for each index
 *
 * A connection belongs to one thread at a time; there is no lock in it.
 * Only the writer process writes.  Readers open the file for writing too,
 * because a reader of a WAL file may have to create or recover its shared
 * index; query_only keeps them honest.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <sqlite3.h>


#define KZ_SQLITE_SCHEMA     2
#define KZ_SQLITE_SEGMENTS   2               /* the schema that began them */
#define KZ_SQLITE_APP_ID     0x4b757a7a      /* "Kuzz" */

#define KZ_SQLITE_ERR_LEN    256
#define KZ_SQLITE_STMTS      128             /* prepared, a connection */
#define KZ_SQLITE_BUCKETS    64
#define KZ_SQLITE_PATH_LEN   1024            /* a file of the data directory */


typedef enum {
    KZ_SQLITE_PRIVATE = 0,                   /* kuzzle.db */
    KZ_SQLITE_INDEX                          /* i<file>.db */
} kz_sqlite_file_e;


typedef struct {
    int                   code;              /* of SQLite, extended */
    int                   sys;               /* of the system, or 0 */
    u_char                text[KZ_SQLITE_ERR_LEN];      /* zero-terminated */
} kz_sqlite_err_t;


typedef struct kz_sqlite_stmt_s  kz_sqlite_stmt_t;

typedef struct {
    sqlite3              *db;
    ngx_log_t            *log;
    kz_sqlite_stmt_t     *buckets[KZ_SQLITE_BUCKETS];
    ngx_queue_t           lru;
    ngx_uint_t            nstmts;
} kz_sqlite_db_t;


/*
 * Writes "<dir>/kuzzle.db" or "<dir>/i<file>.db", zero-terminated, to
 * path[KZ_SQLITE_PATH_LEN].  NGX_ERROR: does not fit.
 */
ngx_int_t kz_sqlite_path(char *path, const ngx_str_t *dir,
    kz_sqlite_file_e type, uint64_t file);

/*
 * Opens for writing; creates the file and its schema when there is none.
 * NULL: *err says why (a newer schema, a foreign or damaged file, a full or
 * read-only disk, no memory).
 */
kz_sqlite_db_t *kz_sqlite_open_writer(const char *path,
    kz_sqlite_file_e type, ngx_log_t *log, kz_sqlite_err_t *err);

/*
 * Opens for reading: query_only, never waits for a lock, leaves checkpoints
 * to the writer.  Does not touch the file yet: kz_sqlite_check() does.
 * vfs: name of the VFS, NULL for the default; mmap: bytes, 0 for none.
 */
kz_sqlite_db_t *kz_sqlite_open_reader(const char *path, const char *vfs,
    int64_t mmap, ngx_log_t *log, kz_sqlite_err_t *err);

/*
 * Whether the file is ours and of a schema we know.  NGX_OK; NGX_DECLINED:
 * an empty file; NGX_ERROR: *err says why (the code is SQLITE_BUSY when it
 * could not be read right now).
 */
ngx_int_t kz_sqlite_check(kz_sqlite_db_t *db, kz_sqlite_err_t *err);

/* The two tables of a collection's postings; SQLite's code. */
int kz_sqlite_create_postings(kz_sqlite_db_t *db, int64_t col);

/*
 * The prepared statement of this text, reset and without bindings.  It stays
 * the connection's: use it, then kz_sqlite_done() it.  NULL: see
 * kz_sqlite_error().  At most KZ_SQLITE_STMTS are kept, those that are not
 * in use go first.
 */
sqlite3_stmt *kz_sqlite_stmt(kz_sqlite_db_t *db, const char *sql,
    size_t len);

#define kz_sqlite_stmt_lit(db, sql)                                           \
    kz_sqlite_stmt(db, sql, sizeof(sql) - 1)

/* Resets it and drops its bindings: ends its read transaction. */
void kz_sqlite_done(sqlite3_stmt *stmt);

/* Runs statements that give no rows; SQLite's code. */
int kz_sqlite_exec(kz_sqlite_db_t *db, const char *sql);

/* The first column of the first row of a statement without parameters. */
int kz_sqlite_int(kz_sqlite_db_t *db, const char *sql, int64_t *n);

/* Describes the connection's last error. */
void kz_sqlite_error(kz_sqlite_db_t *db, kz_sqlite_err_t *err);

/* A code that means this file is damaged, not that the moment is bad. */
#define kz_sqlite_damaged(code)                                               \
    (((code) & 0xff) == SQLITE_CORRUPT || ((code) & 0xff) == SQLITE_NOTADB)

/* There is no such file: not that it could not be opened just now. */
#define kz_sqlite_absent(err)                                                 \
    (((err)->code & 0xff) == SQLITE_CANTOPEN && (err)->sys == NGX_ENOENT)

/* Closes; takes NULL. */
void kz_sqlite_close(kz_sqlite_db_t *db);


#endif /* _KZ_SQLITE_DB_H_INCLUDED_ */
