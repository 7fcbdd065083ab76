
/*
 * The catalogue of a worker: who waits for it, how it is read again.  See
 * kz_sqlite_reader.c.
 */

#include "store/sqlite/kz_sqlite_reader_run.h"
#include "core/kz_bus.h"


static ngx_int_t kz_reader_load(kz_load_t *load, kz_rindex_t *index);
static void kz_reader_indexes_thread(kz_job_t *j);
static void kz_reader_indexes_done(kz_job_t *j);
static void kz_reader_cols_thread(kz_job_t *j);
static void kz_reader_cols_done(kz_job_t *j);
static ngx_int_t kz_reader_old_cols(kz_rjob_t *job);
static void kz_reader_loaded(kz_load_t *load, kz_rindex_t *index,
    kz_rjob_t *job);
static void kz_reader_serve(ngx_queue_t *queue, kz_load_t *load,
    kz_store_status_e status, kz_sqlite_err_t *err);
static void kz_reader_sweep(void);
static ngx_uint_t kz_reader_alive(void *data, uint64_t file);


ngx_uint_t
kz_reader_fresh(kz_load_t *load, ngx_uint_t waited)
{
    return load->loaded
           && (waited || load->version == kz_bus_catalog_version());
}


void
kz_reader_load_init(kz_load_t *load)
{
    ngx_queue_init(&load->waiting);
    ngx_queue_init(&load->covered);
}


ngx_int_t
kz_reader_wait(kz_store_op_t *op, kz_load_t *load, kz_rindex_t *index)
{
    kz_park_t  *park;

    if (op->engine == NULL && kz_reader.pending >= kz_conf->store_pending) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    park = kz_reader_park(op);
    if (park == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    ngx_queue_insert_tail(&load->waiting, &park->queue);
    park->queued = 1;
    park->index = index;

    if (load->running || kz_reader_load(load, index) == NGX_OK) {
        return NGX_AGAIN;
    }

    ngx_queue_remove(&park->queue);
    park->queued = 0;

    return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
}


/* Starts to read for all that wait. */
static ngx_int_t
kz_reader_load(kz_load_t *load, kz_rindex_t *index)
{
    kz_rjob_t  *job;

    job = (index == NULL)
          ? kz_reader_job(KZ_RJOB_INDEXES, NULL, kz_reader_indexes_thread,
                          kz_reader_indexes_done)
          : kz_reader_job(KZ_RJOB_COLS, index, kz_reader_cols_thread,
                          kz_reader_cols_done);
    if (job == NULL) {
        return NGX_ERROR;
    }

    if (index != NULL && kz_reader_old_cols(job) != NGX_OK) {
        kz_reader_job_free(job);
        return NGX_ERROR;
    }

    /* the version first: what changes while it is read is read again */

    load->reading = kz_bus_catalog_version();

    if (kz_reader_post(job) != NGX_OK) {
        return NGX_ERROR;
    }

    load->running = 1;

    if (!ngx_queue_empty(&load->waiting)) {
        ngx_queue_add(&load->covered, &load->waiting);
        ngx_queue_init(&load->waiting);
    }

    return NGX_OK;
}


/* The collections known so far, for the thread to compare with. */
static ngx_int_t
kz_reader_old_cols(kz_rjob_t *job)
{
    ngx_uint_t       i;
    kz_view_cols_t  *cols;

    cols = &job->index->cols;

    if (cols->n == 0) {
        return NGX_OK;
    }

    job->old.cols = malloc(cols->n * sizeof(kz_view_col_t *));
    if (job->old.cols == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < cols->n; i++) {
        job->old.cols[i] = cols->cols[i];
        job->old.cols[i]->refs++;
    }

    job->old.n = cols->n;

    return NGX_OK;
}


static void
kz_reader_indexes_thread(kz_job_t *j)
{
    kz_rjob_t  *job = j->data;

    job->rc = kz_view_indexes(&job->indexes, &job->err);
}


static void
kz_reader_indexes_done(kz_job_t *j)
{
    kz_rjob_t  *job = j->data;

    if (job->rc == NGX_OK) {
        kz_view_indexes_free(&kz_reader.list);
        kz_reader.list = job->indexes;

        kz_reader_sweep();
    }

    kz_reader_loaded(&kz_reader.load, NULL, job);
}


static void
kz_reader_cols_thread(kz_job_t *j)
{
    kz_rjob_t  *job = j->data;

    job->rc = kz_view_cols(job->file, &job->old, &job->cols,
                           kz_reader.log, &job->err);
}


static void
kz_reader_cols_done(kz_job_t *j)
{
    ngx_uint_t    i;
    kz_rjob_t    *job = j->data;
    kz_rindex_t  *index;

    index = job->index;

    if (job->rc == NGX_OK) {

        for (i = 0; i < job->cols.n; i++) {
            job->cols.cols[i]->refs++;
        }

        kz_view_cols_free(&index->cols);
        index->cols = job->cols;
    }

    kz_view_cols_free(&job->old);

    kz_reader_loaded(&index->load, index, job);
}


/* What was read is in place, or could not be read; the job ends here. */
static void
kz_reader_loaded(kz_load_t *load, kz_rindex_t *index, kz_rjob_t *job)
{
    ngx_queue_t         queue;
    kz_sqlite_err_t     err;
    kz_store_status_e   status;

    err = job->err;
    status = KZ_STORE_OK;

    if (job->rc == NGX_OK) {
        load->loaded = 1;
        load->version = load->reading;

    } else if (job->rc == NGX_DECLINED || (index != NULL && index->dead)) {
        status = KZ_STORE_NO_INDEX;

    } else {
        status = KZ_STORE_FAILED;
        ngx_log_error(NGX_LOG_ERR, kz_reader.log, 0,
                      "kuzzle: cannot read the catalogue: %s", err.text);
    }

    /* the index must not go while its queues are worked off */

    if (index != NULL) {
        index->jobs++;
    }

    kz_reader_job_free(job);

    load->running = 0;

    ngx_queue_init(&queue);

    if (!ngx_queue_empty(&load->covered)) {
        ngx_queue_add(&queue, &load->covered);
        ngx_queue_init(&load->covered);
    }

    if (status == KZ_STORE_NO_INDEX || kz_reader_fresh(load, 0)) {

        if (!ngx_queue_empty(&load->waiting)) {
            ngx_queue_add(&queue, &load->waiting);
            ngx_queue_init(&load->waiting);
        }

    } else if (!ngx_queue_empty(&load->waiting)
               && kz_reader_load(load, index) != NGX_OK)
    {
        kz_reader_serve(&load->waiting, load, KZ_STORE_BUSY, NULL);
    }

    kz_reader_serve(&queue, load, status, &err);

    if (index != NULL && --index->jobs == 0 && index->dead) {
        kz_reader_index_free(index);
    }
}


static void
kz_reader_serve(ngx_queue_t *queue, kz_load_t *load,
    kz_store_status_e status, kz_sqlite_err_t *err)
{
    ngx_int_t       rc;
    kz_park_t      *park;
    ngx_queue_t    *q;
    kz_store_op_t  *op;

    while (!ngx_queue_empty(queue)) {
        q = ngx_queue_head(queue);
        ngx_queue_remove(q);

        park = ngx_queue_data(q, kz_park_t, queue);
        park->queued = 0;

        op = park->op;

        if (status == KZ_STORE_OK) {

            if (load == &kz_reader.load) {
                park->fresh = 1;

            } else {
                park->fresh_cols = 1;
            }

            rc = kz_reader_advance(op);

        } else if (status == KZ_STORE_FAILED) {
            rc = kz_reader_error(op, err);

        } else if (op->kind == KZ_STORE_COLLECTION_EXISTS
                   && status == KZ_STORE_NO_INDEX)
        {
            op->found = 0;
            rc = NGX_OK;

        } else {
            rc = kz_reader_status(op, status, NULL, 0);
        }

        if (rc != NGX_AGAIN) {
            kz_reader_finish(park);
        }
    }
}


/* After a new list of indexes: what is not in it any more is let go. */
static void
kz_reader_sweep(void)
{
    ngx_queue_t  *q, *next;
    kz_rindex_t  *index;

    for (q = ngx_queue_head(&kz_reader.indexes);
         q != ngx_queue_sentinel(&kz_reader.indexes);
         q = next)
    {
        next = ngx_queue_next(q);
        index = ngx_queue_data(q, kz_rindex_t, queue);

        if (kz_reader_alive(NULL, index->file)) {
            continue;
        }

        index->dead = 1;

        if (index->db != NULL) {
            kz_reader_close_inline(index);
        }

        if (index->jobs == 0) {
            kz_reader_index_free(index);
        }
    }

    if (kz_conns_sweep(kz_reader_alive, NULL) != 0) {
        kz_reader_close(NULL);
    }
}


static ngx_uint_t
kz_reader_alive(void *data, uint64_t file)
{
    ngx_uint_t  i;

    (void) data;

    for (i = 0; i < kz_reader.list.n; i++) {
        if (kz_reader.list.indexes[i].file == file) {
            return 1;
        }
    }

    return 0;
}


kz_rindex_t *
kz_reader_index(uint64_t file)
{
    ngx_queue_t  *q;
    kz_rindex_t  *index;

    for (q = ngx_queue_head(&kz_reader.indexes);
         q != ngx_queue_sentinel(&kz_reader.indexes);
         q = ngx_queue_next(q))
    {
        index = ngx_queue_data(q, kz_rindex_t, queue);

        if (index->file == file && !index->dead) {

            /* those in use stay in front */

            if (q != ngx_queue_head(&kz_reader.indexes)) {
                ngx_queue_remove(q);
                ngx_queue_insert_head(&kz_reader.indexes, q);
            }

            return index;
        }
    }

    index = ngx_calloc(sizeof(kz_rindex_t), kz_reader.log);

    if (index != NULL) {
        index->file = file;
        kz_reader_load_init(&index->load);
        ngx_queue_insert_head(&kz_reader.indexes, &index->queue);
    }

    return index;
}


void
kz_reader_index_free(kz_rindex_t *index)
{
    ngx_queue_remove(&index->queue);

    if (index->db != NULL) {
        kz_reader_close_inline(index);
    }

    kz_view_cols_free(&index->cols);
    ngx_free(index);
}
