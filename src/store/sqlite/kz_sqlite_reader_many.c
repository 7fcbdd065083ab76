
/*
 * Many documents by their ids, on the pool, in one read transaction.
 */

#include "store/sqlite/kz_sqlite_reader_run.h"


static void kz_reader_many_thread(kz_job_t *j);
static ngx_int_t kz_reader_many_run(kz_rjob_t *job, kz_sqlite_db_t *db);
static void kz_reader_many_done(kz_job_t *j);
static void kz_reader_many_result(kz_store_op_t *op, kz_rjob_t *job);


ngx_int_t
kz_reader_many(kz_store_op_t *op, kz_rindex_t *index, kz_view_col_t *col)
{
    ngx_uint_t        i;
    kz_rjob_t        *job;
    kz_store_item_t  *item;

    if (!kz_gate_admits(&kz_reader.gate, ngx_current_msec)) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    job = kz_reader_job(KZ_RJOB_MANY, index, kz_reader_many_thread,
                        kz_reader_many_done);
    if (job == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    job->col_id = col->id;
    job->nitems = op->nitems;
    job->search.count = (op->kind == KZ_STORE_DOC_MEXISTS);
    job->pool = ngx_create_pool(4096, kz_reader.log);

    if (job->pool != NULL) {
        job->items = ngx_pcalloc(job->pool,
                                 (op->nitems + 1) * sizeof(kz_store_item_t));
    }

    if (job->items == NULL) {
        kz_reader_job_free(job);
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    /* the thread must not depend on the request's memory */

    for (i = 0; i < op->nitems; i++) {
        item = &job->items[i];

        item->id.len = op->items[i].id.len;
        item->id.data = ngx_pnalloc(job->pool, item->id.len + 1);

        if (item->id.data == NULL) {
            kz_reader_job_free(job);
            return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
        }

        ngx_memcpy(item->id.data, op->items[i].id.data, item->id.len);
    }

    return kz_reader_send(op, job);
}


static void
kz_reader_many_thread(kz_job_t *j)
{
    kz_conn_t  *conn;
    kz_rjob_t  *job = j->data;

    conn = kz_conns_take(job->file, job->patience, &job->err);

    if (conn == NULL) {
        job->rc = kz_sqlite_absent(&job->err) ? NGX_ABORT : NGX_ERROR;
        return;
    }

    job->rc = NGX_ERROR;

    if (kz_sqlite_exec(conn->db, "BEGIN") == SQLITE_OK) {
        job->rc = kz_reader_many_run(job, conn->db);
    }

    if (job->rc == NGX_ERROR) {
        kz_sqlite_error(conn->db, &job->err);
    }

    if (!sqlite3_get_autocommit(conn->db->db)) {
        (void) kz_sqlite_exec(conn->db, "COMMIT");
    }

    kz_conns_put(conn, job->rc == NGX_ERROR);
}


/* NGX_DECLINED: the documents are too large, all together. */

static ngx_int_t
kz_reader_many_run(kz_rjob_t *job, kz_sqlite_db_t *db)
{
    size_t            bytes;
    ngx_int_t         rc;
    ngx_uint_t        i;
    kz_store_item_t  *item;

    bytes = 0;

    for (i = 0; i < job->nitems && !job->stop; i++) {
        item = &job->items[i];

        rc = kz_reader_get_row(db, job->col_id, &item->id, job->pool,
                               job->search.count, &item->doc);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        item->status = (rc == NGX_OK) ? KZ_STORE_OK : KZ_STORE_NOT_FOUND;

        bytes += item->doc.source.len;

        if (bytes > KZ_SEARCH_PAGE && i) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static void
kz_reader_many_done(kz_job_t *j)
{
    kz_park_t      *park;
    kz_rjob_t      *job = j->data;
    kz_store_op_t  *op;

    kz_gate_leave(&kz_reader.gate, ngx_current_msec, !job->stop);

    park = job->park;

    if (park == NULL) {
        kz_reader_job_free(job);
        return;
    }

    op = park->op;

    kz_reader_many_result(op, job);

    park->job = NULL;

    kz_reader_job_free(job);
    kz_reader_finish(park);
}


static void
kz_reader_many_result(kz_store_op_t *op, kz_rjob_t *job)
{
    u_char      text[128], *p;
    ngx_uint_t  i;

    switch (job->rc) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        p = ngx_slprintf(text, text + sizeof(text), "these documents are "
                         "larger than %d bytes, ask for fewer of them",
                         KZ_SEARCH_PAGE);
        (void) kz_reader_status(op, KZ_STORE_BAD_QUERY, text, p - text);
        return;

    case NGX_ABORT:
        op->status = KZ_STORE_NO_INDEX;
        return;

    default:
        (void) kz_reader_error(op, &job->err);
        return;
    }

    for (i = 0; i < op->nitems; i++) {
        op->items[i].status = job->items[i].status;
        op->items[i].doc = job->items[i].doc;
        op->items[i].doc.id = op->items[i].id;
    }

    if (kz_reader_keep(op, job) != NGX_OK) {
        (void) kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }
}
