
/*
 * Scrolls, as the event loop sees them: the work is done on the pool.
 */

#include "store/sqlite/kz_sqlite_reader_run.h"


static void kz_reader_scroll_thread(kz_job_t *j);
static void kz_reader_scroll_done(kz_job_t *j);
static ngx_int_t kz_reader_scroll_dup(ngx_pool_t *pool, ngx_str_t *dst,
    const ngx_str_t *src);


ngx_int_t
kz_reader_scroll_shape(kz_store_op_t *op, const kz_query_t *q,
    kz_search_t *s, kz_mapping_err_t *err)
{
    kz_out_t       o;
    kz_scroll_t   *scroll;

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    scroll = ngx_pcalloc(s->pool, sizeof(kz_scroll_t));
    if (scroll == NULL) {
        return NGX_ERROR;
    }

    scroll->pool = s->pool;
    scroll->ttl = op->scroll;
    scroll->size = s->size;

    if (kz_reader_scroll_dup(s->pool, &scroll->index, &op->index) != NGX_OK
        || kz_reader_scroll_dup(s->pool, &scroll->collection,
                                &op->collection)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the pages to come show the same parts of their documents */

    kz_out_init(&o, s->pool, 64);

    kz_out_char(&o, '{');

    if (q->source.type != KZ_JSON_NONE) {
        kz_out_lit(&o, "\"_source\":");
        kz_out_str(&o, &q->source.raw);
        kz_out_char(&o, ',');
    }

    if (q->includes.type != KZ_JSON_NONE) {
        kz_out_lit(&o, "\"_source_includes\":");
        kz_out_str(&o, &q->includes.raw);
        kz_out_char(&o, ',');
    }

    if (q->excludes.type != KZ_JSON_NONE) {
        kz_out_lit(&o, "\"_source_excludes\":");
        kz_out_str(&o, &q->excludes.raw);
        kz_out_char(&o, ',');
    }

    kz_out_lit(&o, "\"version\":true}");

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    scroll->body.data = o.start;
    scroll->body.len = kz_out_len(&o);

    s->scroll = scroll;

    return NGX_OK;
}


static ngx_int_t
kz_reader_scroll_dup(ngx_pool_t *pool, ngx_str_t *dst, const ngx_str_t *src)
{
    dst->len = src->len;
    dst->data = ngx_pnalloc(pool, src->len + 1);

    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, src->data, src->len);

    return NGX_OK;
}


ngx_int_t
kz_reader_scroll(kz_store_op_t *op)
{
    kz_rjob_t    *job;
    kz_park_t    *park;
    kz_scroll_t  *s;

    if (!kz_gate_admits(&kz_reader.gate, ngx_current_msec)) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    job = kz_reader_job(KZ_RJOB_SCROLL, NULL, kz_reader_scroll_thread,
                        kz_reader_scroll_done);
    if (job == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    s = &job->scroll;

    job->pool = ngx_create_pool(4096, kz_reader.log);

    park = (job->pool == NULL
            || kz_reader_scroll_dup(job->pool, &s->id, &op->id) != NGX_OK)
           ? NULL : kz_reader_park(op);

    if (park == NULL) {
        kz_reader_job_free(job);
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    s->pool = job->pool;
    s->ttl = op->scroll;
    s->once = (op->req->dialect == KZ_DIALECT_2);
    s->patience = job->patience;

    job->park = park;
    park->job = job;

    if (kz_reader_post(job) != NGX_OK) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    return NGX_AGAIN;
}


static void
kz_reader_scroll_thread(kz_job_t *j)
{
    kz_rjob_t  *job = j->data;

    kz_scroll_next_thread(&job->scroll);
}


static void
kz_reader_scroll_done(kz_job_t *j)
{
    kz_park_t      *park;
    kz_rjob_t      *job = j->data;
    kz_scroll_t    *s;
    kz_store_op_t  *op;

    kz_gate_leave(&kz_reader.gate, ngx_current_msec, !job->stop);

    park = job->park;

    if (park == NULL) {
        kz_reader_job_free(job);
        return;
    }

    op = park->op;
    s = &job->scroll;

    if (s->status == KZ_STORE_FAILED || s->status == KZ_STORE_BAD_QUERY) {
        (void) kz_reader_status(op, s->status, s->err.text,
                                ngx_strlen(s->err.text));

    } else if (s->status != KZ_STORE_OK) {
        (void) kz_reader_status(op, s->status, NULL, 0);

    } else {
        op->total = s->total;
        op->remaining = s->remaining;
        op->docs = s->docs;
        op->ndocs = s->ndocs;
        op->index = s->index;
        op->collection = s->collection;
        op->scroll_id = op->id;

        if (kz_reader_keep(op, job) != NGX_OK) {
            (void) kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
        }
    }

    park->job = NULL;

    kz_reader_job_free(job);
    kz_reader_finish(park);
}
