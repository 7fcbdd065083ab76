
/*
 * Reading documents: one by its id, in the event loop when that does not
 * wait; searches and counts on the pool.
 *
 * The connection a get uses in the event loop is opened by the first get of
 * its index, on the pool, and handed over with that get's result.
 */

#include "store/sqlite/kz_sqlite_reader_run.h"
#include "store/sqlite/kz_sqlite_nowait.h"


static ngx_int_t kz_reader_get_inline(kz_store_op_t *op, kz_rindex_t *index,
    int64_t col);
static void kz_reader_get_thread(kz_job_t *j);
static void kz_reader_get_done(kz_job_t *j);
static void kz_reader_adopt(kz_rindex_t *index, kz_sqlite_db_t *db);
static void kz_reader_close_thread(kz_job_t *j);
static void kz_reader_close_done(kz_job_t *j);
static ngx_int_t kz_reader_refuse(kz_store_op_t *op, kz_rjob_t *job,
    kz_mapping_err_t *err);
static void kz_reader_search_thread(kz_job_t *j);
static void kz_reader_search_done(kz_job_t *j);


ngx_int_t
kz_reader_get(kz_store_op_t *op, kz_rindex_t *index, kz_view_col_t *col)
{
    ngx_int_t    rc;
    kz_rjob_t   *job;
    ngx_uint_t   open;

    if (index->db != NULL) {
        rc = kz_reader_get_inline(op, index, col->id);

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    if (!kz_gate_admits(&kz_reader.gate, ngx_current_msec)) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    job = kz_reader_job(KZ_RJOB_GET, index, kz_reader_get_thread,
                        kz_reader_get_done);
    if (job == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    job->pool = ngx_create_pool(1024, kz_reader.log);

    if (job->pool != NULL) {
        job->id.len = op->id.len;
        job->id.data = ngx_pstrdup(job->pool, &op->id);
    }

    if (job->id.data == NULL) {
        kz_reader_job_free(job);
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    job->col_id = col->id;
    job->search.count = (op->kind == KZ_STORE_DOC_EXISTS);

    open = (index->db == NULL && !index->opening && kz_sqlite_nowait_works());

    if (open) {
        index->opening = 1;
        job->open = 1;
    }

    rc = kz_reader_send(op, job);

    if (rc != NGX_AGAIN && open) {
        index->opening = 0;
    }

    return rc;
}


ngx_int_t
kz_reader_send(kz_store_op_t *op, kz_rjob_t *job)
{
    kz_park_t  *park;

    park = kz_reader_park(op);

    if (park == NULL) {
        kz_reader_job_free(job);
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    job->park = park;
    park->job = job;

    if (kz_reader_post(job) != NGX_OK) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    return NGX_AGAIN;
}


/* NGX_AGAIN: it would wait, or did not work here. */
static ngx_int_t
kz_reader_get_inline(kz_store_op_t *op, kz_rindex_t *index, int64_t col)
{
    ngx_int_t  rc;

    if (ngx_queue_head(&kz_reader.inlined) != &index->lru) {
        ngx_queue_remove(&index->lru);
        ngx_queue_insert_head(&kz_reader.inlined, &index->lru);
    }

    kz_sqlite_nowait_begin();

    rc = kz_reader_get_row(index->db, col, &op->id, op->req->pool,
                           op->kind == KZ_STORE_DOC_EXISTS, &op->doc);

    (void) kz_sqlite_nowait_end();

    switch (rc) {

    case NGX_OK:
        op->found = 1;
        return NGX_OK;

    case NGX_DECLINED:
        op->found = 0;

        if (op->kind == KZ_STORE_DOC_GET) {
            op->status = KZ_STORE_NOT_FOUND;
        }

        return NGX_OK;

    default:
        return NGX_AGAIN;
    }
}


ngx_int_t
kz_reader_get_row(kz_sqlite_db_t *db, int64_t col, const ngx_str_t *id,
    ngx_pool_t *pool, ngx_uint_t exists, kz_doc_t *doc)
{
    int            code;
    u_char         sql[96], *p;
    ngx_int_t      rc;
    const u_char  *text;
    sqlite3_stmt  *stmt;

    p = ngx_slprintf(sql, sql + sizeof(sql), exists
                     ? "SELECT 1 FROM d%L WHERE id = ?1"
                     : "SELECT ver, info, src FROM d%L WHERE id = ?1", col);

    stmt = kz_sqlite_stmt(db, (char *) sql, p - sql);
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_text(stmt, 1, id->len ? (char *) id->data : "",
                             (int) id->len, SQLITE_STATIC);

    code = sqlite3_step(stmt);

    rc = (code == SQLITE_DONE) ? NGX_DECLINED : NGX_ERROR;

    if (code == SQLITE_ROW) {
        rc = NGX_OK;

        if (!exists) {
            text = sqlite3_column_text(stmt, 2);

            doc->id = *id;
            doc->version = sqlite3_column_int64(stmt, 0);
            doc->info = (sqlite3_column_int(stmt, 1) != 0);
            doc->source.len = sqlite3_column_bytes(stmt, 2);
            doc->source.data = ngx_pnalloc(pool, doc->source.len + 1);

            if (text == NULL || doc->source.data == NULL) {
                rc = NGX_ERROR;

            } else {
                ngx_memcpy(doc->source.data, text, doc->source.len);
            }
        }
    }

    kz_sqlite_done(stmt);

    return rc;
}


static void
kz_reader_get_thread(kz_job_t *j)
{
    kz_conn_t       *conn;
    kz_rjob_t       *job = j->data;
    kz_sqlite_db_t  *db;

    conn = NULL;

    if (job->open) {
        job->db = kz_conns_open(job->file, job->patience, &job->err);
        db = job->db;

    } else {
        conn = kz_conns_take(job->file, job->patience, &job->err);
        db = (conn != NULL) ? conn->db : NULL;
    }

    if (db == NULL) {
        job->rc = kz_sqlite_absent(&job->err) ? NGX_ABORT : NGX_ERROR;
        return;
    }

    job->rc = kz_reader_get_row(db, job->col_id, &job->id, job->pool,
                                job->search.count, &job->doc);

    if (job->rc == NGX_ERROR) {
        kz_sqlite_error(db, &job->err);
    }

    if (conn != NULL) {
        kz_conns_put(conn, job->rc == NGX_ERROR);

    } else {

        /* the event loop never waits for a lock */

        (void) sqlite3_busy_timeout(db->db, 0);
    }
}


static void
kz_reader_get_done(kz_job_t *j)
{
    kz_park_t      *park;
    kz_rjob_t      *job = j->data;
    kz_store_op_t  *op;

    kz_gate_leave(&kz_reader.gate, ngx_current_msec, !job->stop);

    if (job->open) {
        job->index->opening = 0;

        if (job->db != NULL && job->rc != NGX_ERROR) {
            kz_reader_adopt(job->index, job->db);

        } else {
            kz_reader_close(job->db);
        }

        job->db = NULL;
    }

    park = job->park;

    if (park == NULL) {
        kz_reader_job_free(job);
        return;
    }

    op = park->op;
    op->found = (job->rc == NGX_OK);

    switch (job->rc) {

    case NGX_OK:
        if (op->kind == KZ_STORE_DOC_EXISTS) {
            break;
        }

        op->doc = job->doc;
        op->doc.id = op->id;

        if (kz_reader_keep(op, job) != NGX_OK) {
            (void) kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
        }

        break;

    case NGX_DECLINED:
        if (op->kind == KZ_STORE_DOC_GET) {
            op->status = KZ_STORE_NOT_FOUND;
        }

        break;

    case NGX_ABORT:
        op->status = KZ_STORE_NO_INDEX;
        break;

    default:
        (void) kz_reader_error(op, &job->err);
    }

    park->job = NULL;

    kz_reader_job_free(job);
    kz_reader_finish(park);
}


/* A connection for the event loop; the least used one makes room. */
static void
kz_reader_adopt(kz_rindex_t *index, kz_sqlite_db_t *db)
{
    ngx_queue_t  *q;

    if (index->dead || index->db != NULL) {
        kz_reader_close(db);
        return;
    }

    if (kz_reader.ninlined >= kz_reader.max_inlined) {
        q = ngx_queue_last(&kz_reader.inlined);
        kz_reader_close_inline(ngx_queue_data(q, kz_rindex_t, lru));
    }

    index->db = db;

    ngx_queue_insert_head(&kz_reader.inlined, &index->lru);
    kz_reader.ninlined++;
}


void
kz_reader_close_inline(kz_rindex_t *index)
{
    ngx_queue_remove(&index->lru);
    kz_reader.ninlined--;

    kz_reader_close(index->db);
    index->db = NULL;
}


void
kz_reader_close(kz_sqlite_db_t *db)
{
    kz_rjob_t  *job;

    job = (kz_reader.threads == NULL)
          ? NULL
          : kz_reader_job(KZ_RJOB_CLOSE, NULL, kz_reader_close_thread,
                          kz_reader_close_done);

    if (job != NULL) {
        job->db = db;

        if (kz_reader_post(job) == NGX_OK) {
            return;
        }
    }

    /* the process ends, or has no room for more work */

    kz_sqlite_close(db);
}


static void
kz_reader_close_thread(kz_job_t *j)
{
    kz_rjob_t  *job = j->data;

    kz_sqlite_close(job->db);
    job->db = NULL;

    kz_conns_reap();
}


static void
kz_reader_close_done(kz_job_t *j)
{
    kz_reader_job_free(j->data);
}


ngx_int_t
kz_reader_keep(kz_store_op_t *op, kz_rjob_t *job)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(op->req->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = (ngx_pool_cleanup_pt) ngx_destroy_pool;
    cln->data = job->pool;

    op->kept = cln;
    job->pool = NULL;

    return NGX_OK;
}


ngx_int_t
kz_reader_search(kz_store_op_t *op, kz_rindex_t *index, kz_view_col_t *col)
{
    kz_rjob_t          *job;
    kz_query_t         *q;
    kz_search_t        *s;
    kz_json_val_t       body;
    kz_mapping_err_t    err;

    /* before the query is compiled: that is work as well */

    if (!kz_gate_admits(&kz_reader.gate, ngx_current_msec)) {
        return kz_reader_status(op, KZ_STORE_BUSY, NULL, 0);
    }

    job = kz_reader_job(KZ_RJOB_SEARCH, index, kz_reader_search_thread,
                        kz_reader_search_done);
    if (job == NULL) {
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    job->col = col;
    col->refs++;

    s = &job->search;

    job->pool = ngx_create_pool(4096, kz_reader.log);
    if (job->pool == NULL) {
        kz_reader_job_free(job);
        return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
    }

    /* the thread must not depend on the request's memory */

    body = op->body;

    if (body.type != KZ_JSON_NONE) {
        body.raw.data = ngx_pnalloc(job->pool, op->body.raw.len);

        if (body.raw.data == NULL) {
            kz_reader_job_free(job);
            return kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
        }

        ngx_memcpy(body.raw.data, op->body.raw.data, op->body.raw.len);
    }

    s->count = (op->kind == KZ_STORE_DOC_COUNT);

    q = kz_query_parse(job->pool, &body,
                       (s->count ? KZ_QUERY_COUNT : 0)
                       | (op->koncorde ? KZ_QUERY_KONCORDE : 0), &err);
    if (q == NULL) {
        return kz_reader_refuse(op, job, &err);
    }

    if (op->kind == KZ_STORE_DOC_PICK) {
        s->pick = 1;
        s->size = op->size;
        s->cursor = op->cursor;
        s->bound = op->bound;

    } else if (!s->count && kz_reader_window(op, q, s) != NGX_OK) {
        kz_reader_job_free(job);
        return NGX_OK;
    }

    s->pool = job->pool;

    if (kz_reader_shape(s, col, q, op, &err) != NGX_OK) {
        return kz_reader_refuse(op, job, &err);
    }

    s->col = col->id;
    s->file = index->file;
    s->budget = kz_conf->query_timeout;
    s->stop = &job->stop;

    return kz_reader_send(op, job);
}


/* The query and what stands around it, bound to the collection. */
ngx_int_t
kz_reader_shape(kz_search_t *s, kz_view_col_t *col, kz_query_t *q,
    kz_store_op_t *op, kz_mapping_err_t *err)
{
    ngx_uint_t        collapse;
    ngx_str_t         *names;
    kz_json_val_t     *after;

    collapse = (q->collapse.type != KZ_JSON_NONE);

    if (collapse && kz_query_collapse(s->pool, q, err) != NGX_OK) {
        return NGX_ERROR;
    }

    s->match = kz_match_create(s->pool, q, col->mapping, err);
    if (s->match == NULL) {
        return NGX_ERROR;
    }

    if (collapse) {

        /* the last key says which documents go together, not their order */

        s->match->nsort--;
        s->collapse = 1;
    }

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    s->min_score = q->min_score;
    s->source = ngx_palloc(s->pool, sizeof(kz_source_t));
    after = ngx_palloc(s->pool, sizeof(kz_json_val_t));
    names = ngx_palloc(s->pool, 2 * sizeof(ngx_str_t));

    if (s->source == NULL || after == NULL || names == NULL
        || kz_source_parse(s->source, s->pool, q, err) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (s->source->all) {
        s->source = NULL;
    }

    if (q->after.type != KZ_JSON_NONE) {
        *after = q->after;
        s->after = after;
    }

    if (q->highlight.type != KZ_JSON_NONE) {
        s->highlight = kz_highlight_create(s->pool, &q->highlight,
                                           s->match, err);
        if (s->highlight == NULL) {
            return NGX_ERROR;
        }
    }

    if (op->scroll && kz_reader_scroll_shape(op, q, s, err) != NGX_OK) {
        return NGX_ERROR;
    }

    if (q->aggs.type == KZ_JSON_NONE) {
        return NGX_OK;
    }

    /* the thread must not depend on the request's memory */

    names[0].len = op->index.len;
    names[0].data = ngx_pstrdup(s->pool, &op->index);
    names[1].len = op->collection.len;
    names[1].data = ngx_pstrdup(s->pool, &op->collection);

    if (names[0].data == NULL || names[1].data == NULL) {
        err->status = KZ_STORE_FAILED;
        ngx_str_set(&err->detail, "no memory");
        return NGX_ERROR;
    }

    s->names = names;

    if (s->aggs != NULL) {
        return NGX_OK;
    }

    s->aggs = kz_agg_parse(s->pool, &q->aggs, op->req->dialect,
                           op->req->timestamp, err);
    if (s->aggs == NULL) {
        return NGX_ERROR;
    }

    return kz_agg_bind(s->aggs, col->mapping, &names[0], &names[1], err);
}


static ngx_int_t
kz_reader_refuse(kz_store_op_t *op, kz_rjob_t *job, kz_mapping_err_t *err)
{
    (void) kz_reader_status(op, err->status, err->detail.data,
                            err->detail.len);
    kz_reader_job_free(job);

    return NGX_OK;
}


/*
 * Kuzzle: "from" is subtracted before "size" is compared with the limit.
 * The engine's own limit on the sum of both comes on top.
 */
ngx_int_t
kz_reader_window(kz_store_op_t *op, const kz_query_t *q, kz_search_t *s)
{
    int64_t   from, size;
    u_char    text[128], *p;

    from = (op->from >= 0) ? op->from : q->from;
    size = (op->size >= 0) ? op->size : q->size;

    from = ngx_min(from, (ngx_int_t) NGX_MAX_INT32_VALUE);
    size = ngx_min(size, (ngx_int_t) NGX_MAX_INT32_VALUE);

    from = (from < 0) ? 0 : from;
    size = (size < 0) ? 10 : size;

    if (size - from > (int64_t) kz_conf->fetch_count) {
        p = ngx_slprintf(text, text + sizeof(text), "%ui",
                         kz_conf->fetch_count);

        (void) kz_reader_status(op, KZ_STORE_FETCH_LIMIT, text, p - text);
        return NGX_DECLINED;
    }

    if (from > KZ_SEARCH_WINDOW || size > KZ_SEARCH_WINDOW
        || from + size > KZ_SEARCH_WINDOW)
    {
        p = ngx_slprintf(text, text + sizeof(text), "Result window is too"
                         " large, from + size must be less than or equal to:"
                         " [%d] but was [%L]", KZ_SEARCH_WINDOW, from + size);

        (void) kz_reader_status(op, KZ_STORE_BAD_QUERY, text, p - text);
        return NGX_DECLINED;
    }

    s->from = from;
    s->size = size;

    return NGX_OK;
}


static void
kz_reader_search_thread(kz_job_t *j)
{
    kz_conn_t  *conn;
    kz_rjob_t  *job = j->data;

    conn = kz_conns_take(job->file, job->patience, &job->err);

    if (conn == NULL) {
        job->rc = kz_sqlite_absent(&job->err) ? NGX_ABORT : NGX_ERROR;
        return;
    }

    kz_sqlite_search_thread(conn->db, &job->search);

    job->rc = NGX_OK;

    kz_conns_put(conn, job->search.status == KZ_STORE_FAILED);
}


static void
kz_reader_search_done(kz_job_t *j)
{
    u_char          text[NGX_INT_T_LEN], *p;
    kz_park_t      *park;
    kz_rjob_t      *job = j->data;
    kz_search_t    *s;
    kz_store_op_t  *op;

    kz_gate_leave(&kz_reader.gate, ngx_current_msec, !job->stop);

    park = job->park;

    if (park == NULL) {
        kz_reader_job_free(job);
        return;
    }

    op = park->op;
    s = &job->search;

    if (job->rc == NGX_ABORT) {
        op->status = KZ_STORE_NO_INDEX;

    } else if (job->rc != NGX_OK) {
        (void) kz_reader_error(op, &job->err);

    } else if (s->status == KZ_STORE_FAILED
               || s->status == KZ_STORE_BAD_QUERY)
    {
        (void) kz_reader_status(op, s->status, s->err.text,
                                ngx_strlen(s->err.text));

    } else if (s->status != KZ_STORE_OK) {
        p = ngx_slprintf(text, text + sizeof(text), "%M",
                         kz_conf->query_timeout);

        (void) kz_reader_status(op, s->status, text, p - text);

    } else {
        op->total = s->total;

        if (s->scroll) {
            op->scroll_id = s->scroll->id;
            op->remaining = s->scroll->remaining;
        }

        op->aggregations = s->aggregations;
        op->docs = s->docs;
        op->ndocs = s->ndocs;
        op->cursor = s->cursor;
        op->bound = s->bound;

        /* the query's own memory goes first */

        kz_reader_search_free(s);

        if (kz_reader_keep(op, job) != NGX_OK) {
            (void) kz_reader_status(op, KZ_STORE_FAILED, "no memory", 9);
        }
    }

    park->job = NULL;

    kz_reader_job_free(job);
    kz_reader_finish(park);
}


void
kz_reader_search_free(kz_search_t *s)
{
    if (s->highlight != NULL) {
        kz_highlight_free(s->highlight);
        s->highlight = NULL;
    }

    if (s->match != NULL) {
        kz_match_free(s->match);
        s->match = NULL;
    }

    kz_agg_free(s->aggs);
    s->aggs = NULL;

    kz_sqlite_search_forget(s);
}
