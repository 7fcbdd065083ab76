
/*
 * One search over several collections of several indexes: each is searched
 * like one alone, for its best from + size documents, one after the other on
 * one thread; those are put in order, and the page is cut out.  Aggregations
 * are shown the documents of all.
 *
 * Scores come from the words of each collection, as those of shards do.
 */

#include "store/sqlite/kz_sqlite_reader_run.h"
#include "store/sqlite/kz_sqlite_search_run.h"

#include <stdlib.h>


/* A document of a part, to be put in order. */

typedef struct {
    const kz_match_t       *match;
    const struct kz_hit_s  *hit;       /* NULL: by score alone */
    kz_doc_t               *doc;
    ngx_uint_t              n;
} kz_targets_doc_t;


static ngx_int_t kz_reader_targets_find(kz_store_op_t *op, kz_rjob_t *job);
static ngx_int_t kz_reader_targets_parts(kz_store_op_t *op, kz_rjob_t *job,
    kz_mapping_err_t *err);
static ngx_int_t kz_reader_targets_part(kz_store_op_t *op, kz_rjob_t *job,
    ngx_uint_t i, kz_mapping_err_t *err);
static ngx_int_t kz_reader_targets_alone(kz_query_t *q, kz_store_op_t *op,
    kz_mapping_err_t *err);
static void kz_reader_targets_thread(kz_job_t *j);
static ngx_int_t kz_reader_targets_run(kz_rjob_t *job, kz_search_t *s,
    ngx_uint_t i, uint64_t deadline);
static ngx_int_t kz_reader_targets_merge(kz_rjob_t *job);
static int kz_reader_targets_cmp(const void *one, const void *two);
static void kz_reader_targets_done(kz_job_t *j);
static void kz_reader_targets_result(kz_store_op_t *op, kz_rjob_t *job);


ngx_int_t
kz_reader_targets(kz_store_op_t *op)
{
    ngx_int_t          rc;
    kz_rjob_t         *job;
    kz_mapping_err_t   err;

    if (!kz_gate_admits(&kz_reader.gate, ngx_current_msec)) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    job = kz_reader_job(KZ_RJOB_TARGETS, NULL, kz_reader_targets_thread,
                        kz_reader_targets_done);
    if (job == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    job->pool = ngx_create_pool(4096, kz_reader.log);

    if (job->pool != NULL) {
        job->parts = ngx_pcalloc(job->pool,
                                 op->ntargets * sizeof(kz_search_t));
        job->cols_of = ngx_pcalloc(job->pool,
                                   op->ntargets * sizeof(kz_view_col_t *));
    }

    if (job->pool == NULL || job->parts == NULL || job->cols_of == NULL) {
        kz_reader_job_free(job);
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    rc = kz_reader_targets_find(op, job);

    if (rc != NGX_OK) {
        kz_reader_job_free(job);
        return (rc == NGX_AGAIN) ? NGX_AGAIN : NGX_OK;
    }

    rc = kz_reader_targets_parts(op, job, &err);

    if (rc != NGX_OK) {

        if (rc == NGX_ERROR) {
            (void) kz_reader_status(op, err.status, err.detail.data,
                                    err.detail.len);
        }

        kz_reader_job_free(job);
        return NGX_OK;
    }

    return kz_reader_send(op, job);
}


/*
 * Files and mappings.  NGX_AGAIN: the catalogue is read first; NGX_DECLINED:
 * the operation says why not.
 */

static ngx_int_t
kz_reader_targets_find(kz_store_op_t *op, kz_rjob_t *job)
{
    ngx_int_t           rc;
    ngx_uint_t          i;
    kz_park_t          *park;
    kz_rindex_t        *index;
    kz_view_col_t      *col;
    kz_view_index_t    *view;
    kz_store_target_t  *t;

    for (i = 0; i < op->ntargets; i++) {
        t = &op->targets[i];

        op->index = t->index;
        op->collection = t->collection;

        view = kz_view_find_index(&kz_reader.list, &t->index);

        if (view == NULL) {
            (void) kz_reader_status(op, KZ_STORE_NO_INDEX, NULL, 0);
            return NGX_DECLINED;
        }

        index = kz_reader_index(view->file);

        if (index == NULL) {
            (void) kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
            return NGX_DECLINED;
        }

        park = op->engine;

        if (!kz_reader_fresh(&index->load, park != NULL && park->fresh_cols
                                           && park->index == index))
        {
            rc = kz_reader_wait(op, &index->load, index);
            return (rc == NGX_AGAIN) ? NGX_AGAIN : NGX_DECLINED;
        }

        col = kz_view_find_col(&index->cols, &t->collection);

        if (col == NULL) {
            (void) kz_reader_status(op, KZ_STORE_NO_COLLECTION, NULL, 0);
            return NGX_DECLINED;
        }

        col->refs++;
        job->cols_of[i] = col;
        job->parts[i].file = view->file;
        job->parts[i].col = col->id;
        job->nparts++;
    }

    return NGX_OK;
}


static ngx_int_t
kz_reader_targets_parts(kz_store_op_t *op, kz_rjob_t *job,
    kz_mapping_err_t *err)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < job->nparts; i++) {
        rc = kz_reader_targets_part(op, job, i, err);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* NGX_ERROR: *err; NGX_DECLINED: the operation says why not. */

static ngx_int_t
kz_reader_targets_part(kz_store_op_t *op, kz_rjob_t *job, ngx_uint_t i,
    kz_mapping_err_t *err)
{
    kz_query_t     *q;
    kz_search_t    *s;
    kz_json_val_t   body;

    s = &job->parts[i];
    body = op->body;

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    /* the thread must not depend on the request's memory */

    if (body.type != KZ_JSON_NONE) {
        body.raw.data = ngx_pstrdup(job->pool, &op->body.raw);

        if (body.raw.data == NULL) {
            return NGX_ERROR;
        }
    }

    q = kz_query_parse(job->pool, &body,
                       op->koncorde ? KZ_QUERY_KONCORDE : 0, err);

    if (q == NULL || kz_reader_targets_alone(q, op, err) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_reader_window(op, q, s) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (i == 0) {
        job->search.from = s->from;
        job->search.size = s->size;
        job->search.pool = job->pool;
    }

    s->pool = job->pool;
    s->size += s->from;
    s->from = 0;
    s->several = 1;
    s->aggs = job->parts[0].aggs;
    s->stop = &job->stop;

    op->index = op->targets[i].index;
    op->collection = op->targets[i].collection;

    return kz_reader_shape(s, job->cols_of[i], q, op, err);
}


/* What is not done over more than one collection. */

static ngx_int_t
kz_reader_targets_alone(kz_query_t *q, kz_store_op_t *op,
    kz_mapping_err_t *err)
{
    if (q->collapse.type == KZ_JSON_NONE && op->scroll == 0) {
        return NGX_OK;
    }

    err->status = KZ_STORE_BAD_QUERY;

    if (op->scroll) {
        ngx_str_set(&err->detail, "[scroll] is not supported with [targets]");

    } else {
        ngx_str_set(&err->detail, "[collapse] is not supported with"
                                  " [targets]");
    }

    return NGX_ERROR;
}


static void
kz_reader_targets_thread(kz_job_t *j)
{
    uint64_t      deadline;
    ngx_uint_t    i;
    kz_rjob_t    *job = j->data;
    kz_search_t  *s;

    job->rc = NGX_ERROR;
    job->search.status = KZ_STORE_OK;
    deadline = kz_run_now() + kz_conf->query_timeout;

    for (i = 0; i < job->nparts; i++) {
        s = &job->parts[i];

        job->rc = kz_reader_targets_run(job, s, i, deadline);

        if (job->rc != NGX_OK) {
            return;
        }

        if (s->status != KZ_STORE_OK) {
            job->search.status = s->status;
            job->search.err = s->err;
            return;
        }

        job->search.bytes = s->bytes;
        job->search.total += s->total;
    }

    job->rc = kz_reader_targets_merge(job);
}


/* NGX_ABORT: its index is gone; NGX_ERROR: job->err. */

static ngx_int_t
kz_reader_targets_run(kz_rjob_t *job, kz_search_t *s, ngx_uint_t i,
    uint64_t deadline)
{
    uint64_t           now;
    kz_conn_t         *conn;
    kz_mapping_err_t   err;

    now = kz_run_now();

    if (now >= deadline) {
        s->status = KZ_STORE_QUERY_TIMEOUT;
        return NGX_OK;
    }

    s->budget = deadline - now;
    s->bytes = job->search.bytes;

    if (i > 0 && s->aggs != NULL
        && kz_agg_bind(s->aggs, job->cols_of[i]->mapping, &s->names[0],
                       &s->names[1], &err)
           != NGX_OK)
    {
        s->status = err.status;
        *ngx_snprintf(s->err.text, KZ_SQLITE_ERR_LEN - 1, "%V", &err.detail)
            = '\0';
        return NGX_OK;
    }

    conn = kz_conns_take(s->file, job->patience, &job->err);

    if (conn == NULL) {
        job->search.cursor = i;
        return kz_sqlite_absent(&job->err) ? NGX_ABORT : NGX_ERROR;
    }

    kz_sqlite_search_thread(conn->db, s);
    kz_conns_put(conn, s->status == KZ_STORE_FAILED);

    return NGX_OK;
}


static ngx_int_t
kz_reader_targets_merge(kz_rjob_t *job)
{
    kz_out_t           o;
    ngx_uint_t         i, k, n;
    kz_search_t       *s, *all;
    kz_targets_doc_t  *docs, *d;

    all = &job->search;
    n = 0;

    for (i = 0; i < job->nparts; i++) {
        n += job->parts[i].ndocs;
    }

    docs = ngx_palloc(job->pool, (n + 1) * sizeof(kz_targets_doc_t));
    all->docs = ngx_palloc(job->pool,
                           (ngx_min(n, all->size) + 1) * sizeof(kz_doc_t));

    if (docs == NULL || all->docs == NULL) {
        all->status = KZ_STORE_FAILED;
        return NGX_OK;
    }

    n = 0;

    for (i = 0; i < job->nparts; i++) {
        s = &job->parts[i];

        for (k = 0; k < s->ndocs; k++) {
            d = &docs[n];

            d->match = s->match;
            d->hit = (k < s->nhits) ? s->hits[k] : NULL;
            d->doc = &s->docs[k];
            d->doc->target = i;
            d->n = n++;
        }
    }

    qsort(docs, n, sizeof(kz_targets_doc_t), kz_reader_targets_cmp);

    for (i = all->from; i < n && all->ndocs < all->size; i++) {
        all->docs[all->ndocs++] = *docs[i].doc;
    }

    if (job->parts[0].aggs != NULL) {
        kz_out_init(&o, job->pool, 1024);
        kz_agg_print(job->parts[0].aggs, &o);

        if (kz_out_failed(&o)) {
            all->status = KZ_STORE_FAILED;
        }

        all->aggregations.data = o.start;
        all->aggregations.len = kz_out_len(&o);
    }

    return NGX_OK;
}


/* Equal ones in the order of the targets. */

static int
kz_reader_targets_cmp(const void *one, const void *two)
{
    ngx_int_t                rc;
    const kz_targets_doc_t  *a = one, *b = two;

    rc = 0;

    if (a->match->nsort != 0 && a->hit != NULL && b->hit != NULL) {
        rc = kz_hit_cmp(a->match, a->hit, b->hit);

    } else if (a->doc->score != b->doc->score) {
        rc = (a->doc->score > b->doc->score) ? -1 : 1;
    }

    return rc ? (int) rc : (a->n > b->n) - (a->n < b->n);
}


static void
kz_reader_targets_done(kz_job_t *j)
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

    kz_reader_targets_result(op, job);

    park->job = NULL;

    kz_reader_job_free(job);
    kz_reader_finish(park);
}


static void
kz_reader_targets_result(kz_store_op_t *op, kz_rjob_t *job)
{
    u_char        text[NGX_INT_T_LEN], *p;
    kz_search_t  *s;

    s = &job->search;

    if (job->rc == NGX_ABORT) {
        op->index = op->targets[s->cursor].index;
        op->collection = op->targets[s->cursor].collection;
        op->status = KZ_STORE_NO_INDEX;
        return;
    }

    if (job->rc != NGX_OK) {
        (void) kz_reader_error(op, &job->err);
        return;
    }

    if (s->status == KZ_STORE_QUERY_TIMEOUT) {
        p = ngx_slprintf(text, text + sizeof(text), "%M",
                         kz_conf->query_timeout);

        (void) kz_reader_status(op, s->status, text, p - text);
        return;
    }

    if (s->status != KZ_STORE_OK) {
        (void) kz_reader_status(op, s->status, s->err.text,
                                ngx_strlen(s->err.text));
        return;
    }

    op->total = s->total;
    op->aggregations = s->aggregations;
    op->docs = s->docs;
    op->ndocs = s->ndocs;

    /* the queries' own memory goes first: it points into the pool */

    kz_reader_targets_free(job);

    if (kz_reader_keep(op, job) != NGX_OK) {
        (void) kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }
}


void
kz_reader_targets_free(kz_rjob_t *job)
{
    ngx_uint_t  i;

    for (i = 0; i < job->nparts; i++) {

        if (i > 0) {
            job->parts[i].aggs = NULL;         /* all have those of the first */
        }

        kz_reader_search_free(&job->parts[i]);
        kz_view_col_release(job->cols_of[i]);
    }

    job->nparts = 0;
}
