
/*
 * The read side of the store in a worker: its life, the catalogue it knows,
 * operations that wait.
 *
 * Every operation first needs a catalogue that is not older than itself.
 * The version in shared memory says whether the one in place is; if not, the
 * operation waits in the queue of what has to be read again:
 *
 *     op -> list of indexes fresh? -> collections fresh? -> done here, or
 *              | no                     | no                 inline get, or
 *              v                        v                    a job
 *           job INDEXES              job COLS
 *
 * One job reads for all that wait.  Who comes while it runs is served by the
 * next one, unless the version did not move meanwhile.
 */

#include "store/sqlite/kz_sqlite_reader.h"
#include "store/kz_settings.h"
#include "store/sqlite/kz_sqlite_nowait.h"
#include "store/sqlite/kz_sqlite_reader_run.h"

#include <sys/eventfd.h>


#define KZ_READER_LOOK  200           /* ms: has the client gone? */
#define KZ_READER_NICE  5             /* below the event loop */


static ngx_int_t kz_reader_notify_init(ngx_cycle_t *cycle);
static void kz_reader_notify_thread(void *data);
static void kz_reader_notify_handler(ngx_event_t *ev);
static void kz_reader_drop(kz_rjob_t *job);
static void kz_reader_unpark(kz_park_t *park);
static ngx_int_t kz_reader_of_index(kz_store_op_t *op,
    kz_view_index_t *view);
static ngx_int_t kz_reader_of_col(kz_store_op_t *op, kz_rindex_t *index);
static void kz_reader_timer(ngx_event_t *ev);
static ngx_int_t kz_reader_names(kz_store_op_t *op, kz_rindex_t *index);
static ngx_int_t kz_reader_mapping(kz_store_op_t *op, kz_view_col_t *col);
static ngx_int_t kz_reader_settings(kz_store_op_t *op, kz_view_col_t *col);


kz_reader_t  kz_reader;


ngx_int_t
kz_sqlite_reader_init(ngx_cycle_t *cycle)
{
    ngx_uint_t  max;

    ngx_memzero(&kz_reader, sizeof(kz_reader_t));

    kz_reader.fd = -1;

    ngx_queue_init(&kz_reader.indexes);
    ngx_queue_init(&kz_reader.inlined);
    ngx_queue_init(&kz_reader.jobs);

    if (kz_conf == NULL) {
        return NGX_OK;
    }

    kz_reader.log = cycle->log;
    kz_reader_load_init(&kz_reader.load);

    if (kz_sqlite_nowait_init() != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "kuzzle: this SQLite cannot read without waiting, "
                      "all reads go to threads");
    }

    /* half of the descriptors for the event loop, half for the threads */

    max = ngx_max(kz_conf->open_files / 2, 1);
    kz_reader.max_inlined = max;

    if (kz_conns_init(&kz_conf->data, max, cycle->log) != NGX_OK
        || kz_reader_notify_init(cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    kz_reader.threads = kz_threads_create(ngx_max(kz_conf->threads, 1),
                                          ngx_max(kz_conf->store_pending, 16),
                                          "kz-read", kz_reader_notify_thread,
                                          NULL, cycle->log);
    if (kz_reader.threads == NULL) {
        return NGX_ERROR;
    }

    kz_threads_nice(kz_reader.threads, KZ_READER_NICE);

    /* one at work and one at hand for every thread */

    kz_gate_init(&kz_reader.gate, 2 * ngx_max(kz_conf->threads, 1),
                 kz_conf->store_wait);

    return NGX_OK;
}


static ngx_int_t
kz_reader_notify_init(ngx_cycle_t *cycle)
{
    ngx_connection_t  *c;

    kz_reader.fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (kz_reader.fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "eventfd() failed");
        return NGX_ERROR;
    }

    c = ngx_get_connection(kz_reader.fd, cycle->log);

    if (c == NULL) {
        (void) close(kz_reader.fd);
        kz_reader.fd = -1;
        return NGX_ERROR;
    }

    kz_reader.notify = c;

    c->read->handler = kz_reader_notify_handler;
    c->read->log = cycle->log;
    c->read->channel = 1;
    c->write->log = cycle->log;
    c->write->channel = 1;

    return ngx_add_event(c->read, NGX_READ_EVENT, 0);
}


void
kz_sqlite_reader_exit(ngx_cycle_t *cycle)
{
    kz_rjob_t    *job;
    ngx_queue_t  *q;

    (void) cycle;

    if (kz_reader.log == NULL) {
        return;
    }

    /* what runs is told to hurry; nobody waits for it any more */

    for (q = ngx_queue_head(&kz_reader.jobs);
         q != ngx_queue_sentinel(&kz_reader.jobs);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, kz_rjob_t, queue);
        job->stop = 1;
    }

    if (kz_reader.threads != NULL) {
        kz_threads_destroy(kz_reader.threads);
        kz_reader.threads = NULL;
    }

    while (!ngx_queue_empty(&kz_reader.jobs)) {
        q = ngx_queue_head(&kz_reader.jobs);
        kz_reader_drop(ngx_queue_data(q, kz_rjob_t, queue));
    }

    while (!ngx_queue_empty(&kz_reader.indexes)) {
        q = ngx_queue_head(&kz_reader.indexes);
        kz_reader_index_free(ngx_queue_data(q, kz_rindex_t, queue));
    }

    kz_view_indexes_free(&kz_reader.list);
    kz_conns_exit();

    if (kz_reader.notify != NULL) {
        ngx_close_connection(kz_reader.notify);
        kz_reader.notify = NULL;
    }

    kz_reader.log = NULL;
}


/* A job that nobody will collect. */
static void
kz_reader_drop(kz_rjob_t *job)
{
    ngx_uint_t  i;

    kz_view_indexes_free(&job->indexes);

    for (i = 0; i < job->cols.n; i++) {
        job->cols.cols[i]->refs++;
    }

    kz_view_cols_free(&job->cols);
    kz_view_cols_free(&job->old);

    kz_sqlite_close(job->db);
    kz_reader_job_free(job);
}


ngx_uint_t
kz_sqlite_reader_pending(void)
{
    return kz_reader.pending;
}


const char *
kz_sqlite_reader_version(void)
{
    return sqlite3_libversion();
}


static void
kz_reader_notify_thread(void *data)
{
    uint64_t  one;

    (void) data;

    one = 1;

    /* a full counter wakes as well */

    if (write(kz_reader.fd, &one, sizeof(uint64_t)) == -1) {
        return;
    }
}


static void
kz_reader_notify_handler(ngx_event_t *ev)
{
    uint64_t  n;

    (void) ev;

    if (read(kz_reader.fd, &n, sizeof(uint64_t)) == -1
        && ngx_errno != NGX_EAGAIN)
    {
        ngx_log_error(NGX_LOG_ALERT, kz_reader.log, ngx_errno,
                      "read() from eventfd failed");
    }

    kz_threads_collect(kz_reader.threads);
}


ngx_int_t
kz_sqlite_read(kz_store_op_t *op)
{
    ngx_int_t  rc;

    op->status = KZ_STORE_OK;
    op->engine = NULL;

    if (kz_reader.threads == NULL) {
        return kz_reader_status(op, KZ_STORE_UNAVAILABLE, NULL, 0);
    }

    rc = kz_reader_advance(op);

    /* it may have been parked and then refused: the pool is full */

    if (rc == NGX_OK && op->engine != NULL) {
        kz_reader_unpark(op->engine);
    }

    return rc;
}


/* From the start to an answer, or as far as it goes now. */
ngx_int_t
kz_reader_advance(kz_store_op_t *op)
{
    kz_park_t        *park;
    kz_view_index_t  *view;

    park = op->engine;

    if (op->kind == KZ_STORE_SPACE) {
        return kz_reader_space(op);
    }

    if (op->kind == KZ_STORE_SCROLL) {
        return kz_reader_scroll(op);
    }

    if (op->kind == KZ_STORE_DUMP) {
        return kz_reader_dump(op);
    }

    if (!kz_reader_fresh(&kz_reader.load, park != NULL && park->fresh)) {
        return kz_reader_wait(op, &kz_reader.load, NULL);
    }

    if (op->kind == KZ_STORE_INDEX_LIST) {
        return kz_reader_names(op, NULL);
    }

    if (op->kind == KZ_STORE_DOC_SEARCH && op->ntargets) {
        return kz_reader_targets(op);
    }

    if (op->kind == KZ_STORE_INDEX_STATS) {
        return kz_reader_usage(op);
    }

    view = kz_view_find_index(&kz_reader.list, &op->index);

    if (op->kind == KZ_STORE_INDEX_EXISTS) {
        op->found = (view != NULL);
        return NGX_OK;
    }

    if (op->kind == KZ_STORE_INDEX_REFRESH_GET) {
        op->found = (view != NULL && view->refresh);
        return NGX_OK;
    }

    if (view != NULL) {
        return kz_reader_of_index(op, view);
    }

    if (op->kind == KZ_STORE_COLLECTION_EXISTS) {
        op->found = 0;
        return NGX_OK;
    }

    return kz_reader_status(op, KZ_STORE_NO_INDEX, NULL, 0);
}


static ngx_int_t
kz_reader_of_index(kz_store_op_t *op, kz_view_index_t *view)
{
    kz_park_t    *park;
    kz_rindex_t  *index;

    park = op->engine;

    index = kz_reader_index(view->file);
    if (index == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    if (!kz_reader_fresh(&index->load, park != NULL && park->fresh_cols)) {
        return kz_reader_wait(op, &index->load, index);
    }

    if (op->kind == KZ_STORE_COLLECTION_LIST) {
        return kz_reader_names(op, index);
    }

    return kz_reader_of_col(op, index);
}


static ngx_int_t
kz_reader_of_col(kz_store_op_t *op, kz_rindex_t *index)
{
    kz_view_col_t  *col;

    col = kz_view_find_col(&index->cols, &op->collection);

    if (op->kind == KZ_STORE_COLLECTION_EXISTS) {
        op->found = (col != NULL);
        return NGX_OK;
    }

    if (col == NULL) {
        return kz_reader_status(op, KZ_STORE_NO_COLLECTION, NULL, 0);
    }

    switch (op->kind) {

    case KZ_STORE_MAPPING_GET:
        return kz_reader_mapping(op, col);

    case KZ_STORE_SETTINGS_GET:
        return kz_reader_settings(op, col);

    case KZ_STORE_DOC_GET:
    case KZ_STORE_DOC_EXISTS:
        return kz_reader_get(op, index, col);

    case KZ_STORE_DOC_MGET:
    case KZ_STORE_DOC_MEXISTS:
        return kz_reader_many(op, index, col);

    case KZ_STORE_DOC_COUNT:
    case KZ_STORE_DOC_SEARCH:
    case KZ_STORE_DOC_PICK:
        return kz_reader_search(op, index, col);

    default:
        return kz_reader_status(op, KZ_STORE_FAILED, "not a read", 10);
    }
}


kz_rjob_t *
kz_reader_job(kz_rjob_e type, kz_rindex_t *index, kz_job_pt thread,
    kz_job_pt done)
{
    kz_rjob_t  *job;

    job = ngx_calloc(sizeof(kz_rjob_t), kz_reader.log);
    if (job == NULL) {
        return NULL;
    }

    job->type = type;
    job->rc = NGX_ERROR;
    job->patience = ngx_max(kz_conf->store_timeout / 2, 100);

    job->job.run_thread = thread;
    job->job.done = done;
    job->job.data = job;

    if (index != NULL) {
        job->index = index;
        job->file = index->file;
        index->jobs++;
    }

    ngx_queue_insert_tail(&kz_reader.jobs, &job->queue);

    return job;
}


ngx_int_t
kz_reader_post(kz_rjob_t *job)
{
    ngx_int_t  rc;

    if (job->type == KZ_RJOB_INDEXES || job->type == KZ_RJOB_COLS) {

        /* everybody waits for it: not behind a queue of searches */

        rc = kz_threads_post_first(kz_reader.threads, &job->job);

    } else {
        rc = kz_threads_post(kz_reader.threads, &job->job);
    }

    if (rc == NGX_OK) {

        if (job->park != NULL) {
            kz_gate_enter(&kz_reader.gate, ngx_current_msec);
        }

        return NGX_OK;
    }

    if (job->park != NULL) {
        job->park->job = NULL;
    }

    kz_view_cols_free(&job->old);
    kz_reader_job_free(job);

    return NGX_DECLINED;
}


void
kz_reader_job_free(kz_rjob_t *job)
{
    if (job->type == KZ_RJOB_SEARCH) {
        kz_reader_search_free(&job->search);

    } else if (job->type == KZ_RJOB_TARGETS) {
        kz_reader_targets_free(job);
    }

    if (job->col != NULL) {
        kz_view_col_release(job->col);
    }

    if (job->pool != NULL) {
        ngx_destroy_pool(job->pool);
    }

    ngx_queue_remove(&job->queue);

    if (job->index != NULL && --job->index->jobs == 0 && job->index->dead) {
        kz_reader_index_free(job->index);
    }

    ngx_free(job);
}


kz_park_t *
kz_reader_park(kz_store_op_t *op)
{
    kz_park_t  *park;

    if (op->engine != NULL) {
        return op->engine;
    }

    park = ngx_pcalloc(op->req->pool, sizeof(kz_park_t));
    if (park == NULL) {
        return NULL;
    }

    park->op = op;
    park->deadline = ngx_current_msec + kz_conf->store_timeout;

    park->timer.handler = kz_reader_timer;
    park->timer.data = park;
    park->timer.log = kz_reader.log;

    ngx_add_timer(&park->timer,
                  ngx_min(kz_conf->store_timeout, KZ_READER_LOOK));

    op->engine = park;
    kz_reader.pending++;

    return park;
}


void
kz_reader_finish(kz_park_t *park)
{
    kz_store_op_t  *op;

    op = park->op;

    kz_reader_unpark(park);
    kz_store_done(op);
    kz_req_resume(op->req);
}


static void
kz_reader_unpark(kz_park_t *park)
{
    if (park->timer.timer_set) {
        ngx_del_timer(&park->timer);
    }

    if (park->queued) {
        ngx_queue_remove(&park->queue);
        park->queued = 0;
    }

    park->op->engine = NULL;
    kz_reader.pending--;
}


/*
 * The deadline of an operation, in steps that are short enough to notice a
 * client that has gone.  It is a timer that keeps a draining worker alive.
 */
static void
kz_reader_timer(ngx_event_t *ev)
{
    ngx_msec_int_t   left;
    kz_park_t       *park = ev->data;
    kz_store_op_t   *op;

    op = park->op;

    if (park->job != NULL && op->req->client == NULL
        && op->kind != KZ_STORE_DUMP)
    {
        park->job->stop = 1;
    }

    left = (ngx_msec_int_t) (park->deadline - ngx_current_msec);

    if (left > 0) {
        ngx_add_timer(ev, ngx_min((ngx_msec_t) left, KZ_READER_LOOK));
        return;
    }

    if (park->job != NULL) {
        park->job->stop = 1;
        park->job->park = NULL;
        park->job = NULL;
    }

    (void) kz_reader_status(op, KZ_STORE_UNAVAILABLE, NULL, 0);

    kz_reader_finish(park);
}


ngx_int_t
kz_reader_status(kz_store_op_t *op, kz_store_status_e status,
    const void *detail, size_t len)
{
    op->status = status;
    op->detail.len = 0;

    if (len != 0) {
        op->detail.data = ngx_pnalloc(op->req->pool, len);

        if (op->detail.data != NULL) {
            ngx_memcpy(op->detail.data, detail, len);
            op->detail.len = len;
        }
    }

    return NGX_OK;
}


/* Names, sorted: of the clients' indexes, or of an index's collections. */
static ngx_int_t
kz_reader_names(kz_store_op_t *op, kz_rindex_t *index)
{
    ngx_str_t   *name, *copy;
    ngx_uint_t   i, n;

    n = (index == NULL) ? kz_reader.list.n : index->cols.n;

    op->names = ngx_palloc(op->req->pool, (n + 1) * sizeof(ngx_str_t));
    if (op->names == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    op->nnames = 0;

    /* copied: the catalogue may be read again while the reply is written */

    for (i = 0; i < n; i++) {
        name = (index == NULL) ? &kz_reader.list.indexes[i].name
                               : &index->cols.cols[i]->name;

        if (index == NULL && name->len && name->data[0] == '%') {
            continue;
        }

        copy = &op->names[op->nnames++];
        copy->len = name->len;
        copy->data = ngx_pstrdup(op->req->pool, name);

        if (copy->data == NULL) {
            return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_reader_mapping(kz_store_op_t *op, kz_view_col_t *col)
{
    kz_out_t  out;

    kz_out_init(&out, op->req->pool, col->text.len + 512);
    kz_mapping_print(col->mapping, KZ_MAPPING_SHOWN, &out);

    if (kz_out_failed(&out)) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    op->mapping.data = out.start;
    op->mapping.len = kz_out_len(&out);

    return NGX_OK;
}


static ngx_int_t
kz_reader_settings(kz_store_op_t *op, kz_view_col_t *col)
{
    kz_out_t  out;

    kz_out_init(&out, op->req->pool, 512);
    kz_settings_print(&col->mapping->settings, &out);

    if (kz_out_failed(&out)) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    op->text.data = out.start;
    op->text.len = kz_out_len(&out);

    return NGX_OK;
}
