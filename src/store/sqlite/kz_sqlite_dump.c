
/*
 * A copy of all files while they are written to, below the data directory:
 *
 *     dump/<name>.part/     while it is made
 *     dump/<name>/          complete, on disk; a data directory by itself
 *
 * The catalogue comes first: an index that is made later is not in it.  One
 * that is deleted meanwhile is taken out of the copy.  Each file is copied
 * within one read transaction, so it is as it was at one moment, but the
 * files need not be of the same one.
 */

#include "store/sqlite/kz_sqlite_reader_run.h"
#include "core/kz_bus.h"

#include <sys/stat.h>


#define KZ_DUMP_OPS   10000            /* of SQLite, between looks at stop */
#define KZ_DUMP_WAIT  (24 * 3600 * 1000)


static void kz_dump_thread(kz_job_t *j);
static ngx_int_t kz_dump_all(kz_rjob_t *job, const char *dir);
static ngx_int_t kz_dump_indexes(kz_rjob_t *job, const char *dir);
static ngx_int_t kz_dump_index(kz_rjob_t *job, const char *dir,
    kz_sqlite_db_t *copy, uint64_t file);
static ngx_int_t kz_dump_file(kz_rjob_t *job, const char *dir,
    uint64_t file);
static int kz_dump_stopped(void *data);
static ngx_int_t kz_dump_path(kz_rjob_t *job, char *path, const char *fmt,
    const ngx_str_t *name);
static ngx_int_t kz_dump_sync(kz_rjob_t *job, const char *path);
static ngx_int_t kz_dump_failed(kz_rjob_t *job, const char *what);
static void kz_dump_remove(const char *dir);
static void kz_dump_done(kz_job_t *j);


ngx_int_t
kz_reader_dump(kz_store_op_t *op)
{
    ngx_int_t   rc;
    kz_rjob_t  *job;
    kz_park_t  *park;

    rc = kz_bus_lock(KZ_BUS_LOCK_DUMP);

    if (rc != NGX_OK) {
        return kz_reader_status(op, rc == NGX_DECLINED ? KZ_STORE_LOCKED
                                                       : KZ_STORE_BUSY,
                                NULL, 0);
    }

    park = NULL;

    job = kz_reader_job(KZ_RJOB_DUMP, NULL, kz_dump_thread, kz_dump_done);
    if (job == NULL) {
        goto failed;
    }

    job->pool = ngx_create_pool(1024, kz_reader.log);

    if (job->pool != NULL) {
        job->id.len = op->id.len;
        job->id.data = ngx_pstrdup(job->pool, &op->id);
    }

    if (job->id.data == NULL) {
        kz_reader_job_free(job);
        goto failed;
    }

    if (!op->flag) {
        park = kz_reader_park(op);

        if (park == NULL) {
            kz_reader_job_free(job);
            goto failed;
        }

        park->deadline = ngx_current_msec + KZ_DUMP_WAIT;
    }

    if (kz_reader_post(job) != NGX_OK) {
        goto failed;
    }

    /* not one of the reads the gate counts: they are short */

    job->park = park;

    if (park == NULL) {
        return NGX_OK;
    }

    park->job = job;

    return NGX_AGAIN;

failed:

    kz_bus_unlock(KZ_BUS_LOCK_DUMP);

    return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
}


static void
kz_dump_thread(kz_job_t *j)
{
    char        part[KZ_SQLITE_PATH_LEN], path[KZ_SQLITE_PATH_LEN];
    ngx_str_t   none;
    kz_rjob_t  *job = j->data;

    ngx_str_null(&none);

    if (kz_dump_path(job, path, "%V/dump%V", &none) != NGX_OK) {
        return;
    }

    if (mkdir(path, 0700) == -1 && ngx_errno != NGX_EEXIST) {
        (void) kz_dump_failed(job, path);
        return;
    }

    if (kz_dump_path(job, part, "%V/dump/%V.part", &job->id) != NGX_OK) {
        return;
    }

    if (mkdir(part, 0700) == -1) {
        (void) kz_dump_failed(job, part);
        return;
    }

    if (kz_dump_all(job, part) == NGX_OK
        && kz_dump_path(job, path, "%V/dump/%V", &job->id) == NGX_OK)
    {
        if (rename(part, path) == 0) {

            if (kz_dump_path(job, path, "%V/dump%V", &none) == NGX_OK) {
                job->rc = kz_dump_sync(job, path);
            }

            return;
        }

        (void) kz_dump_failed(job, path);
    }

    kz_dump_remove(part);
}


static ngx_int_t
kz_dump_all(kz_rjob_t *job, const char *dir)
{
    if (kz_dump_file(job, dir, 0) != NGX_OK
        || kz_dump_indexes(job, dir) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_dump_sync(job, dir);
}


/* Those in the catalogue as it was copied. */

static ngx_int_t
kz_dump_indexes(kz_rjob_t *job, const char *dir)
{
    char             path[KZ_SQLITE_PATH_LEN];
    int              rc;
    int64_t          file;
    ngx_int_t        done;
    ngx_str_t        where;
    sqlite3_stmt    *stmt;
    kz_sqlite_db_t  *copy;

    where.data = (u_char *) dir;
    where.len = ngx_strlen(dir);

    if (kz_sqlite_path(path, &where, KZ_SQLITE_PRIVATE, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    copy = kz_sqlite_open_writer(path, KZ_SQLITE_PRIVATE, kz_reader.log,
                                 &job->err);
    if (copy == NULL) {
        return NGX_ERROR;
    }

    file = 0;
    done = NGX_OK;

    while (done == NGX_OK) {
        stmt = kz_sqlite_stmt_lit(copy, "SELECT file FROM idx WHERE file > ?1"
                                        " ORDER BY file LIMIT 1");
        if (stmt == NULL) {
            done = NGX_ERROR;
            break;
        }

        (void) sqlite3_bind_int64(stmt, 1, file);

        rc = sqlite3_step(stmt);
        file = sqlite3_column_int64(stmt, 0);
        kz_sqlite_done(stmt);

        if (rc == SQLITE_DONE) {
            break;
        }

        done = (rc == SQLITE_ROW) ? kz_dump_index(job, dir, copy, file)
                                  : NGX_ERROR;
    }

    if (done != NGX_OK && job->err.code == SQLITE_OK) {
        kz_sqlite_error(copy, &job->err);
    }

    /* closing it empties its log */

    kz_sqlite_close(copy);

    return done == NGX_OK ? kz_dump_sync(job, path) : NGX_ERROR;
}


static ngx_int_t
kz_dump_index(kz_rjob_t *job, const char *dir, kz_sqlite_db_t *copy,
    uint64_t file)
{
    int            rc;
    ngx_int_t      done;
    sqlite3_stmt  *stmt;

    done = kz_dump_file(job, dir, file);

    if (done != NGX_DECLINED) {
        return done;
    }

    job->err.code = SQLITE_OK;

    stmt = kz_sqlite_stmt_lit(copy, "DELETE FROM idx WHERE file = ?1");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, (int64_t) file);

    rc = sqlite3_step(stmt);
    kz_sqlite_done(stmt);

    return rc == SQLITE_DONE ? NGX_OK : NGX_ERROR;
}


/* NGX_DECLINED: there is no such file any more. */

static ngx_int_t
kz_dump_file(kz_rjob_t *job, const char *dir, uint64_t file)
{
    int              rc;
    char             path[KZ_SQLITE_PATH_LEN];
    ngx_str_t        where;
    sqlite3_stmt    *stmt;
    kz_sqlite_db_t  *db;

    where.data = (u_char *) dir;
    where.len = ngx_strlen(dir);

    if (kz_sqlite_path(path, &where,
                       file ? KZ_SQLITE_INDEX : KZ_SQLITE_PRIVATE, file)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    db = kz_conns_open(file, job->patience, &job->err);

    if (db == NULL) {
        return kz_sqlite_absent(&job->err) ? NGX_DECLINED : NGX_ERROR;
    }

    (void) sqlite3_busy_timeout(db->db, (int) job->patience);
    sqlite3_progress_handler(db->db, KZ_DUMP_OPS, kz_dump_stopped, job);

    /* the copy is what it writes to */

    rc = kz_sqlite_exec(db, "PRAGMA query_only=0");
    stmt = NULL;

    if (rc == SQLITE_OK) {
        stmt = kz_sqlite_stmt_lit(db, "VACUUM INTO ?1");
    }

    if (stmt != NULL) {
        (void) sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
        rc = sqlite3_step(stmt);
    }

    if (stmt == NULL || rc != SQLITE_DONE) {
        kz_sqlite_error(db, &job->err);
        rc = SQLITE_ERROR;
    }

    if (stmt != NULL) {
        kz_sqlite_done(stmt);
    }

    kz_sqlite_close(db);

    if (rc != SQLITE_DONE) {
        return NGX_ERROR;
    }

    if (chmod(path, 0600) == -1) {
        return kz_dump_failed(job, path);
    }

    return kz_dump_sync(job, path);
}


static int
kz_dump_stopped(void *data)
{
    kz_rjob_t *job = data;

    return job->stop != 0;
}


static ngx_int_t
kz_dump_path(kz_rjob_t *job, char *path, const char *fmt,
    const ngx_str_t *name)
{
    u_char  *p, *last;

    last = (u_char *) path + KZ_SQLITE_PATH_LEN - 1;
    p = ngx_slprintf((u_char *) path, last, fmt, &kz_conf->data, name);
    *p = '\0';

    if (p != last) {
        return NGX_OK;
    }

    ngx_set_errno(ENAMETOOLONG);

    return kz_dump_failed(job, "the path");
}


static ngx_int_t
kz_dump_sync(kz_rjob_t *job, const char *path)
{
    int  fd, rc;

    fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd == -1) {
        return kz_dump_failed(job, path);
    }

    rc = fsync(fd);

    if (rc == -1) {
        (void) kz_dump_failed(job, path);
    }

    (void) close(fd);

    return rc == 0 ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
kz_dump_failed(kz_rjob_t *job, const char *what)
{
    job->err.sys = ngx_errno;
    job->err.code = SQLITE_IOERR;
    *ngx_snprintf(job->err.text, KZ_SQLITE_ERR_LEN - 1, "%s: %s", what,
                  strerror(job->err.sys)) = '\0';

    return NGX_ERROR;
}


/* A copy that was not finished. */

static void
kz_dump_remove(const char *dir)
{
    DIR            *d;
    struct dirent  *de;

    d = opendir(dir);

    if (d == NULL) {
        return;
    }

    while ((de = readdir(d)) != NULL) {
        if (de->d_name[0] != '.') {
            (void) unlinkat(dirfd(d), de->d_name, 0);
        }
    }

    (void) closedir(d);
    (void) rmdir(dir);
}


static void
kz_dump_done(kz_job_t *j)
{
    kz_park_t  *park;
    kz_rjob_t  *job = j->data;

    kz_bus_unlock(KZ_BUS_LOCK_DUMP);

    if (job->rc == NGX_OK) {
        ngx_log_error(NGX_LOG_NOTICE, kz_reader.log, 0,
                      "kuzzle: dump \"%V\" is complete", &job->id);

    } else {
        ngx_log_error(NGX_LOG_ERR, kz_reader.log, 0,
                      "kuzzle: dump \"%V\" failed: %s", &job->id,
                      job->err.text);
    }

    park = job->park;

    if (park == NULL) {
        kz_reader_job_free(job);
        return;
    }

    if (job->rc != NGX_OK) {
        (void) kz_reader_error(park->op, &job->err);
    }

    park->job = NULL;

    kz_reader_job_free(job);
    kz_reader_finish(park);
}
