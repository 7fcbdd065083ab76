
/*
 * How many documents each collection has, and what it takes.
 *
 * The size of an index is that of its file.  What of it belongs to which
 * collection is an estimate: by the number of documents and the mean length
 * of some of them.  To count pages would mean to read the whole file.
 */

#include "store/sqlite/kz_sqlite_reader_run.h"

#include <sys/stat.h>


#define KZ_USAGE_SAMPLE  256           /* documents */


static void kz_reader_usage_thread(kz_job_t *j);
static ngx_int_t kz_reader_usage_index(kz_rjob_t *job,
    kz_view_index_t *view, kz_store_usage_t *index);
static ngx_int_t kz_reader_usage_cols(kz_rjob_t *job, kz_sqlite_db_t *db,
    kz_store_usage_t *index);
static ngx_int_t kz_reader_usage_col(kz_rjob_t *job, kz_sqlite_db_t *db,
    kz_store_usage_t *col, int64_t id);
static uint64_t kz_reader_usage_file(uint64_t file);
static void kz_reader_usage_share(kz_store_usage_t *index);
static void kz_reader_usage_done(kz_job_t *j);


ngx_int_t
kz_reader_usage(kz_store_op_t *op)
{
    kz_rjob_t  *job;

    if (!kz_gate_admits(&kz_reader.gate, ngx_current_msec)) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    job = kz_reader_job(KZ_RJOB_USAGE, NULL, kz_reader_usage_thread,
                        kz_reader_usage_done);
    if (job == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    job->pool = ngx_create_pool(4096, kz_reader.log);
    if (job->pool == NULL) {
        kz_reader_job_free(job);
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    job->brief = op->brief;

    return kz_reader_send(op, job);
}


static void
kz_reader_usage_thread(kz_job_t *j)
{
    ngx_int_t         rc;
    ngx_uint_t        i;
    kz_rjob_t        *job = j->data;
    kz_view_index_t  *view;

    if (kz_view_indexes(&job->indexes, &job->err) != NGX_OK) {
        return;
    }

    job->usage = ngx_pcalloc(job->pool, (job->indexes.n + 1)
                                        * sizeof(kz_store_usage_t));
    if (job->usage == NULL) {
        return;
    }

    for (i = 0; i < job->indexes.n && !job->stop; i++) {
        view = &job->indexes.indexes[i];

        if (view->name.len && view->name.data[0] == '%') {
            continue;
        }

        rc = kz_reader_usage_index(job, view, &job->usage[job->nusage]);

        if (rc == NGX_ERROR) {
            return;
        }

        job->nusage += (rc == NGX_OK);
    }

    job->rc = NGX_OK;
}


/* NGX_DECLINED: it has just gone. */

static ngx_int_t
kz_reader_usage_index(kz_rjob_t *job, kz_view_index_t *view,
    kz_store_usage_t *index)
{
    ngx_int_t   rc;
    kz_conn_t  *conn;

    index->name.len = view->name.len;
    index->name.data = ngx_pstrdup(job->pool, &view->name);

    if (index->name.data == NULL) {
        return NGX_ERROR;
    }

    conn = kz_conns_take(view->file, job->patience, &job->err);

    if (conn == NULL) {
        return kz_sqlite_absent(&job->err) ? NGX_DECLINED : NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (kz_sqlite_exec(conn->db, "BEGIN") == SQLITE_OK) {
        rc = kz_reader_usage_cols(job, conn->db, index);

        if (rc != NGX_OK) {
            kz_sqlite_error(conn->db, &job->err);
        }

        (void) kz_sqlite_exec(conn->db, "COMMIT");

    } else {
        kz_sqlite_error(conn->db, &job->err);
    }

    kz_conns_put(conn, rc != NGX_OK);

    if (rc != NGX_OK || job->brief) {
        return rc;
    }

    index->bytes = kz_reader_usage_file(view->file);
    kz_reader_usage_share(index);

    return NGX_OK;
}


static ngx_int_t
kz_reader_usage_cols(kz_rjob_t *job, kz_sqlite_db_t *db,
    kz_store_usage_t *index)
{
    int                rc;
    int64_t            n;
    sqlite3_stmt      *stmt;
    kz_store_usage_t  *col;

    if (kz_sqlite_int(db, "SELECT count(*) FROM col", &n) != SQLITE_OK) {
        return NGX_ERROR;
    }

    index->collections = ngx_pcalloc(job->pool,
                                     (n + 1) * sizeof(kz_store_usage_t));
    if (index->collections == NULL) {
        return NGX_ERROR;
    }

    stmt = kz_sqlite_stmt_lit(db, "SELECT name, id FROM col ORDER BY name");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW
           && index->ncollections < (ngx_uint_t) n)
    {
        col = &index->collections[index->ncollections++];

        col->name.len = sqlite3_column_bytes(stmt, 0);
        col->name.data = ngx_pnalloc(job->pool, col->name.len + 1);

        if (col->name.data == NULL || sqlite3_column_text(stmt, 0) == NULL) {
            break;
        }

        ngx_memcpy(col->name.data, sqlite3_column_text(stmt, 0),
                   col->name.len);

        if (!job->brief
            && kz_reader_usage_col(job, db, col,
                                   sqlite3_column_int64(stmt, 1))
               != NGX_OK)
        {
            break;
        }
    }

    kz_sqlite_done(stmt);

    return rc == SQLITE_DONE ? NGX_OK : NGX_ERROR;
}


/* bytes: of the texts, until kz_reader_usage_share() */

static ngx_int_t
kz_reader_usage_col(kz_rjob_t *job, kz_sqlite_db_t *db,
    kz_store_usage_t *col, int64_t id)
{
    u_char   sql[160];
    int64_t  n, mean;

    if (job->stop) {
        return NGX_ERROR;
    }

    *ngx_snprintf(sql, sizeof(sql) - 1, "SELECT count(*) FROM d%L", id)
        = '\0';

    if (kz_sqlite_int(db, (char *) sql, &n) != SQLITE_OK) {
        return NGX_ERROR;
    }

    *ngx_snprintf(sql, sizeof(sql) - 1, "SELECT avg(length(src)) FROM"
                  " (SELECT src FROM d%L LIMIT %d)", id, KZ_USAGE_SAMPLE)
        = '\0';

    if (kz_sqlite_int(db, (char *) sql, &mean) != SQLITE_OK) {
        return NGX_ERROR;
    }

    col->documents = (uint64_t) n;
    col->bytes = (uint64_t) n * (uint64_t) (mean + 32);

    return NGX_OK;
}


static uint64_t
kz_reader_usage_file(uint64_t file)
{
    char         path[KZ_SQLITE_PATH_LEN];
    struct stat  st;

    if (kz_sqlite_path(path, &kz_conf->data, KZ_SQLITE_INDEX, file)
        != NGX_OK
        || stat(path, &st) == -1)
    {
        return 0;
    }

    return (uint64_t) st.st_size;
}


static void
kz_reader_usage_share(kz_store_usage_t *index)
{
    double             part;
    uint64_t           sum;
    ngx_uint_t         i;
    kz_store_usage_t  *col;

    sum = 0;

    for (i = 0; i < index->ncollections; i++) {
        sum += index->collections[i].bytes;
    }

    for (i = 0; i < index->ncollections; i++) {
        col = &index->collections[i];

        part = sum ? (double) col->bytes / (double) sum
                   : 1.0 / (double) index->ncollections;

        col->bytes = (uint64_t) (part * (double) index->bytes);
    }
}


static void
kz_reader_usage_done(kz_job_t *j)
{
    kz_park_t      *park;
    kz_rjob_t      *job = j->data;
    kz_store_op_t  *op;

    kz_gate_leave(&kz_reader.gate, ngx_current_msec, !job->stop);
    kz_view_indexes_free(&job->indexes);

    park = job->park;

    if (park == NULL) {
        kz_reader_job_free(job);
        return;
    }

    op = park->op;

    if (job->rc != NGX_OK) {
        (void) kz_reader_error(op, &job->err);

    } else {
        op->usage = job->usage;
        op->nusage = job->nusage;

        if (kz_reader_keep(op, job) != NGX_OK) {
            (void) kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
        }
    }

    park->job = NULL;

    kz_reader_job_free(job);
    kz_reader_finish(park);
}
