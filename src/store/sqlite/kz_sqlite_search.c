
/*
 * Running a search: see the header.  Which clause drives is decided in
 * kz_sqlite_plan.c, which documents make the page in kz_sqlite_top.c.
 */

#include "store/sqlite/kz_sqlite_search_run.h"

#include <time.h>


#define KZ_SEARCH_STEPS  2000         /* of SQLite's machine, a look */
#define KZ_SEARCH_ROW    256          /* bytes a row counts for, at least */
#define KZ_SEARCH_WORK   65536        /* bytes between looks at the clock */


static ngx_int_t kz_search_run(kz_run_t *run);
static ngx_int_t kz_search_exact(kz_run_t *run);
static ngx_int_t kz_search_alive(kz_run_t *run);
static ngx_int_t kz_search_aggregations(kz_run_t *run);
static ngx_int_t kz_search_scroll(kz_run_t *run);
static ngx_int_t kz_search_hit(kz_run_t *run, int64_t r, const ngx_str_t *id,
    const ngx_str_t *src, double score);
static ngx_int_t kz_search_seen(kz_run_t *run, kz_doc_t *doc);
static ngx_int_t kz_search_scan(kz_run_t *run, int64_t above);
static ngx_int_t kz_search_rows(kz_run_t *run);
static ngx_int_t kz_search_all(kz_run_t *run);
static ngx_int_t kz_search_row(kz_run_t *run, sqlite3_stmt *stmt);
static ngx_int_t kz_search_fetch(kz_run_t *run);
static ngx_int_t kz_search_fetch_one(kz_run_t *run, sqlite3_stmt *stmt,
    int64_t r, kz_hit_t *hit);
static ngx_int_t kz_search_dup(kz_run_t *run, ngx_str_t *dst,
    sqlite3_stmt *stmt, int column);
static sqlite3_stmt *kz_search_stmt(kz_run_t *run, const char *fmt);
static int kz_search_progress(void *data);


void
kz_sqlite_search_thread(kz_sqlite_db_t *db, kz_search_t *s)
{
    kz_run_t  run;

    ngx_memzero(&run, sizeof(kz_run_t));

    run.s = s;
    run.db = db;
    run.deadline = kz_run_now() + s->budget;
    run.bytes = s->bytes;
    run.max = s->from + s->size;
    run.ranked = (s->match->nsort != 0 || s->match->scored);
    run.nkeys = s->match->nsort + (s->collapse ? 1 : 0);
    run.plain = (s->aggs == NULL && s->match->post == NULL
                 && s->after == NULL && s->min_score == 0 && !s->collapse
                 && s->scroll == NULL);

    if (s->scroll) {
        run.max = KZ_SCROLL_HITS;
    }

    s->status = KZ_STORE_OK;
    s->total = 0;
    s->ndocs = 0;

    sqlite3_progress_handler(db->db, KZ_SEARCH_STEPS, kz_search_progress,
                             &run);

    if (kz_sqlite_exec(db, "BEGIN") != SQLITE_OK) {
        (void) kz_run_failed(&run);

    } else {

        if (kz_search_run(&run) != NGX_OK && s->status == KZ_STORE_OK) {
            s->status = KZ_STORE_FAILED;
        }

        /* it must end whatever happened */

        sqlite3_progress_handler(db->db, 0, NULL, NULL);

        if (!sqlite3_get_autocommit(db->db)) {
            (void) kz_sqlite_exec(db, "COMMIT");
        }
    }

    sqlite3_progress_handler(db->db, 0, NULL, NULL);

    s->bytes = run.bytes;

    if (s->several) {
        s->hits = run.hits;
        s->nhits = run.nhits;
        run.hits = NULL;
        run.nhits = 0;
    }

    kz_top_free(&run);
    free(run.rows);
    free(run.segs);
}


void
kz_sqlite_search_forget(kz_search_t *s)
{
    size_t  i;

    for (i = 0; i < s->nhits; i++) {
        free(s->hits[i]);
    }

    free(s->hits);

    s->hits = NULL;
    s->nhits = 0;
}


uint64_t
kz_run_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static int
kz_search_progress(void *data)
{
    kz_run_t  *run = data;

    return *run->s->stop || kz_run_now() >= run->deadline;
}


ngx_int_t
kz_run_check(kz_run_t *run, size_t bytes)
{
    /* by bytes, not by rows: a few large documents are work too */

    run->work += KZ_SEARCH_ROW + bytes;

    if (run->work < KZ_SEARCH_WORK) {
        return NGX_OK;
    }

    run->work = 0;

    if (!kz_search_progress(run)) {
        return NGX_OK;
    }

    run->s->status = KZ_STORE_QUERY_TIMEOUT;

    return NGX_ERROR;
}


ngx_int_t
kz_run_failed(kz_run_t *run)
{
    kz_sqlite_error(run->db, &run->s->err);

    run->s->status = ((run->s->err.code & 0xff) == SQLITE_INTERRUPT)
                     ? KZ_STORE_QUERY_TIMEOUT : KZ_STORE_FAILED;

    return NGX_ERROR;
}


ngx_int_t
kz_run_memory(kz_run_t *run)
{
    run->s->status = KZ_STORE_FAILED;
    run->s->err.code = SQLITE_NOMEM;
    ngx_memcpy(run->s->err.text, "out of memory", sizeof("out of memory"));

    return NGX_ERROR;
}


ngx_int_t
kz_run_too_large(kz_run_t *run)
{
    run->s->status = KZ_STORE_BAD_QUERY;
    run->s->err.code = SQLITE_TOOBIG;
    *ngx_snprintf(run->s->err.text, KZ_SQLITE_ERR_LEN - 1,
                  "the documents of this page are larger than %d bytes,"
                  " ask for fewer of them", KZ_SEARCH_PAGE) = '\0';

    return NGX_ERROR;
}


static ngx_int_t
kz_search_run(kz_run_t *run)
{
    ngx_int_t     rc;
    ngx_uint_t    exact;
    kz_search_t  *s;

    s = run->s;

    if (s->pick) {
        return kz_pick_run(run);
    }

    if (s->after && kz_top_after(run, s->after) != NGX_OK) {
        return NGX_ERROR;
    }

    if (run->plain && s->match->root->type == KZ_COND_ALL
        && s->match->nsort == 0)
    {
        return kz_search_all(run);
    }

    if (kz_words_weigh(run) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = kz_ranked_run(run);

    if (rc == NGX_OK) {

        if (kz_search_scan(run, run->hi) != NGX_OK) {
            return NGX_ERROR;
        }

        kz_top_sort(run);

        return kz_search_fetch(run);
    }

    if (rc == NGX_DECLINED) {
        rc = kz_plan_rows(run, &exact);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK && exact && run->plain && (s->count || !run->ranked)) {
        return kz_search_exact(run);
    }

    if (rc == NGX_DECLINED) {
        rc = kz_search_scan(run, 0);

    } else {
        rc = kz_search_rows(run);

        if (rc == NGX_OK && run->posted) {
            rc = kz_search_scan(run, run->hi);
        }
    }

    if (rc != NGX_OK || s->count) {
        return rc;
    }

    if (s->collapse && kz_top_groups(run) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_top_sort(run);

    if (s->scroll && kz_search_scroll(run) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_search_fetch(run) != NGX_OK) {
        return NGX_ERROR;
    }

    return (s->aggs && !s->several) ? kz_search_aggregations(run) : NGX_OK;
}


/* All that was found goes to a file, the first page as shown. */
static ngx_int_t
kz_search_scroll(kz_run_t *run)
{
    int                rc;
    size_t             i;
    ngx_str_t          id, sort;
    ngx_int_t          done;
    kz_search_t       *s;
    sqlite3_stmt      *stmt;
    kz_scroll_file_t  *f;

    s = run->s;

    if (s->total > run->nhits && !s->collapse) {
        s->status = KZ_STORE_BAD_QUERY;
        s->err.code = SQLITE_TOOBIG;
        *ngx_snprintf(s->err.text, KZ_SQLITE_ERR_LEN - 1, "a scroll cannot"
                      " hold more than %d documents", KZ_SCROLL_HITS)
            = '\0';
        return NGX_ERROR;
    }

    f = kz_scroll_open(s->scroll, s->file, s->col);

    if (f == NULL) {
        s->status = s->scroll->status;
        s->err = s->scroll->err;
        return NGX_ERROR;
    }

    stmt = kz_search_stmt(run, "SELECT id FROM d%L WHERE r = ?1");
    done = (stmt == NULL) ? NGX_ERROR : NGX_OK;

    for (i = 0; i < run->nhits && done == NGX_OK; i++) {

        if (kz_run_check(run, 0) != NGX_OK) {
            done = NGX_ERROR;
            break;
        }

        ngx_str_null(&sort);

        if (s->match->nsort
            && kz_top_json(run, run->hits[i], &sort) != NGX_OK)
        {
            done = kz_run_memory(run);
            break;
        }

        (void) sqlite3_bind_int64(stmt, 1, run->hits[i]->r);
        rc = sqlite3_step(stmt);

        if (rc == SQLITE_ROW) {
            id.data = (u_char *) sqlite3_column_text(stmt, 0);
            id.len = sqlite3_column_bytes(stmt, 0);

            done = kz_scroll_add(f, &id, &sort, run->hits[i]->score,
                                 i < s->size);

            if (done != NGX_OK) {
                s->status = s->scroll->status;
                s->err = s->scroll->err;
            }

        } else if (rc != SQLITE_DONE) {
            done = kz_run_failed(run);
        }

        (void) sqlite3_reset(stmt);

        if (sort.data) {
            (void) ngx_pfree(s->pool, sort.data);
        }
    }

    if (stmt != NULL) {
        kz_sqlite_done(stmt);
    }

    if (kz_scroll_close(f, done == NGX_OK) != NGX_OK && done == NGX_OK) {
        s->status = s->scroll->status;
        s->err = s->scroll->err;
        return NGX_ERROR;
    }

    return done;
}


static ngx_int_t
kz_search_aggregations(kz_run_t *run)
{
    kz_out_t  o;

    kz_out_init(&o, run->s->pool, 1024);
    kz_agg_print(run->s->aggs, &o);

    if (kz_out_failed(&o)) {
        return kz_run_memory(run);
    }

    run->s->aggregations.data = o.start;
    run->s->aggregations.len = kz_out_len(&o);

    return NGX_OK;
}


/* The candidates that are there, and those of the tail, are the hits. */
static ngx_int_t
kz_search_exact(kz_run_t *run)
{
    size_t        first;
    kz_search_t  *s;

    s = run->s;

    if (run->posted) {
        run->listing = 1;

        if (kz_search_alive(run) != NGX_OK
            || kz_search_scan(run, run->hi) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    s->total = run->nrows;

    if (s->count) {
        return NGX_OK;
    }

    first = ngx_min(s->from, run->nrows);

    if (first == run->nrows) {
        return NGX_OK;
    }

    run->nrows = ngx_min(run->nrows, run->max) - first;
    ngx_memmove(run->rows, run->rows + first, run->nrows * sizeof(int64_t));
    run->picked = 1;

    return kz_search_fetch(run);
}


/* Leaves out the rows that are gone; both lists are sorted. */
static ngx_int_t
kz_search_alive(kz_run_t *run)
{
    int            rc;
    size_t         i, n;
    int64_t        gone;
    ngx_uint_t     last;
    sqlite3_stmt  *stmt;

    if (run->nrows == 0) {
        return NGX_OK;
    }

    stmt = kz_search_stmt(run, "SELECT r FROM x%L WHERE r >= ?1 ORDER BY r");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    gone = 0;
    last = 0;

    for (i = 0, n = 0; i < run->nrows; i++) {

        if (run->rows[i] > gone && !last) {
            (void) sqlite3_reset(stmt);
            (void) sqlite3_bind_int64(stmt, 1, run->rows[i]);

            rc = sqlite3_step(stmt);

            if (rc == SQLITE_ROW) {
                gone = sqlite3_column_int64(stmt, 0);

            } else if (rc == SQLITE_DONE) {
                last = 1;

            } else {
                (void) kz_run_failed(run);
                kz_sqlite_done(stmt);
                return NGX_ERROR;
            }
        }

        if (last || run->rows[i] != gone) {
            run->rows[n++] = run->rows[i];
        }
    }

    run->nrows = n;
    kz_sqlite_done(stmt);

    return NGX_OK;
}


/* match_all in the order of insertion: nothing to evaluate. */
static ngx_int_t
kz_search_all(kz_run_t *run)
{
    int            rc;
    ngx_int_t      done;
    kz_search_t   *s;
    sqlite3_stmt  *stmt;

    s = run->s;

    stmt = kz_search_stmt(run, "SELECT count(*) FROM d%L");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    rc = sqlite3_step(stmt);
    s->total = (rc == SQLITE_ROW) ? sqlite3_column_int64(stmt, 0) : 0;

    if (rc != SQLITE_ROW) {
        (void) kz_run_failed(run);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    kz_sqlite_done(stmt);

    if (s->count || s->size == 0 || s->from >= s->total) {
        return NGX_OK;
    }

    stmt = kz_search_stmt(run, "SELECT r FROM d%L ORDER BY r"
                               " LIMIT ?1 OFFSET ?2");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, s->size);
    (void) sqlite3_bind_int64(stmt, 2, s->from);

    run->picked = 1;
    run->room = ngx_min(s->size, s->total);
    run->rows = malloc(run->room * sizeof(int64_t));

    if (run->rows == NULL) {
        kz_sqlite_done(stmt);
        return kz_run_memory(run);
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW
           && run->nrows < run->room)
    {
        run->rows[run->nrows++] = sqlite3_column_int64(stmt, 0);
    }

    done = (rc == SQLITE_DONE || rc == SQLITE_ROW) ? NGX_OK
                                                   : kz_run_failed(run);
    kz_sqlite_done(stmt);

    return (done == NGX_OK) ? kz_search_fetch(run) : NGX_ERROR;
}


static ngx_int_t
kz_search_scan(kz_run_t *run, int64_t above)
{
    int            rc;
    ngx_int_t      done;
    sqlite3_stmt  *stmt;

    stmt = kz_search_stmt(run, "SELECT id, ver, info, src, r FROM d%L"
                               " WHERE r > ?1 ORDER BY r");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, above);

    done = NGX_OK;

    while (done == NGX_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        done = kz_search_row(run, stmt);
    }

    if (done == NGX_OK && rc != SQLITE_DONE) {
        done = kz_run_failed(run);
    }

    kz_sqlite_done(stmt);

    return done;
}


/* The candidates of the driver; some may not match. */
static ngx_int_t
kz_search_rows(kz_run_t *run)
{
    int            rc;
    size_t         i;
    ngx_int_t      done;
    sqlite3_stmt  *stmt;

    stmt = kz_search_stmt(run, "SELECT id, ver, info, src, r FROM d%L"
                               " WHERE r = ?1");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    done = NGX_OK;

    for (i = 0; i < run->nrows && done == NGX_OK; i++) {

        (void) sqlite3_bind_int64(stmt, 1, run->rows[i]);

        rc = sqlite3_step(stmt);

        if (rc == SQLITE_ROW) {
            done = kz_search_row(run, stmt);

        } else if (rc != SQLITE_DONE) {
            done = kz_run_failed(run);
        }

        (void) sqlite3_reset(stmt);
    }

    kz_sqlite_done(stmt);

    return done;
}


/* One document: does it match, and does it belong to the best? */
static ngx_int_t
kz_search_row(kz_run_t *run, sqlite3_stmt *stmt)
{
    double      score;
    ngx_int_t   rc;
    ngx_str_t   id, src;

    id.data = (u_char *) sqlite3_column_text(stmt, 0);
    id.len = sqlite3_column_bytes(stmt, 0);
    src.data = (u_char *) sqlite3_column_text(stmt, 3);
    src.len = sqlite3_column_bytes(stmt, 3);

    if (id.data == NULL || src.data == NULL) {
        return kz_run_memory(run);
    }

    if (kz_run_check(run, src.len) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = kz_match_doc(run->s->match, &id, &src, &score);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return kz_run_memory(run);
    }

    if (run->listing) {
        return kz_plan_add(run, sqlite3_column_int64(stmt, 4));
    }

    return kz_search_hit(run, sqlite3_column_int64(stmt, 4), &id, &src,
                         score);
}


/* It matches: what comes of it. */
static ngx_int_t
kz_search_hit(kz_run_t *run, int64_t r, const ngx_str_t *id,
    const ngx_str_t *src, double score)
{
    kz_search_t       *s;
    kz_mapping_err_t   err;

    s = run->s;

    if (score < s->min_score) {
        return NGX_OK;
    }

    if (s->aggs && kz_agg_doc(s->aggs, id, src, score, &err) != NGX_OK) {
        s->status = err.status;
        s->err.code = SQLITE_ERROR;
        *ngx_snprintf(s->err.text, KZ_SQLITE_ERR_LEN - 1, "%V", &err.detail)
            = '\0';
        return NGX_ERROR;
    }

    if (s->match->post && !kz_match_post(s->match, id)) {
        return NGX_OK;
    }

    s->total++;

    if (s->count) {
        return NGX_OK;
    }

    if (!s->scored || score > s->max_score) {
        s->scored = 1;
        s->max_score = score;
    }

    return kz_top_add(run, r, id, score);
}


/* The page: run->rows when they were picked, or run->hits from s->from on. */
static ngx_int_t
kz_search_fetch(kz_run_t *run)
{
    size_t         i, n;
    ngx_int_t      rc;
    kz_search_t   *s;
    sqlite3_stmt  *stmt;

    s = run->s;

    i = run->picked ? 0 : s->from;
    n = run->picked ? run->nrows : ngx_min(run->nhits, s->from + s->size);

    if (i >= n) {
        return NGX_OK;
    }

    s->docs = ngx_pcalloc(s->pool, (n - i) * sizeof(kz_doc_t));
    if (s->docs == NULL) {
        return kz_run_memory(run);
    }

    stmt = kz_search_stmt(run, "SELECT id, ver, info, src FROM d%L"
                               " WHERE r = ?1");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    for ( /* void */ ; i < n && rc == NGX_OK; i++) {
        rc = run->picked
             ? kz_search_fetch_one(run, stmt, run->rows[i], NULL)
             : kz_search_fetch_one(run, stmt, run->hits[i]->r, run->hits[i]);
    }

    kz_sqlite_done(stmt);

    return rc;
}


static ngx_int_t
kz_search_fetch_one(kz_run_t *run, sqlite3_stmt *stmt, int64_t r,
    kz_hit_t *hit)
{
    int            rc;
    double         score;
    kz_doc_t      *doc;
    ngx_int_t      done;
    ngx_uint_t     i;
    kz_search_t   *s;

    s = run->s;
    doc = &s->docs[s->ndocs];

    (void) sqlite3_bind_int64(stmt, 1, r);

    rc = sqlite3_step(stmt);

    if (rc != SQLITE_ROW) {
        done = (rc == SQLITE_DONE) ? NGX_OK : kz_run_failed(run);
        (void) sqlite3_reset(stmt);
        return done;
    }

    run->bytes += sqlite3_column_bytes(stmt, 3);

    if (run->bytes > KZ_SEARCH_PAGE && s->ndocs > 0) {
        (void) sqlite3_reset(stmt);
        return kz_run_too_large(run);
    }

    done = (kz_search_dup(run, &doc->id, stmt, 0) == NGX_OK
            && kz_search_dup(run, &doc->source, stmt, 3) == NGX_OK)
           ? NGX_OK : NGX_ERROR;

    doc->version = sqlite3_column_int64(stmt, 1);
    doc->info = (sqlite3_column_int(stmt, 2) != 0);

    (void) sqlite3_reset(stmt);

    if (done != NGX_OK) {
        return kz_run_memory(run);
    }

    doc->scored = (s->match->nsort == 0);

    for (i = 0; i < s->match->nsort; i++) {
        if (s->match->keys[i].type == KZ_SORT_SCORE) {
            doc->scored = 1;
        }
    }

    if (hit != NULL) {
        doc->score = hit->score;

        if (s->match->nsort != 0
            && kz_top_json(run, hit, &doc->sort) != NGX_OK)
        {
            return kz_run_memory(run);
        }

    } else {

        if (kz_match_doc(s->match, &doc->id, &doc->source, &score)
            == NGX_ERROR)
        {
            return kz_run_memory(run);
        }

        doc->score = score;
    }

    if (s->highlight != NULL
        && kz_highlight_doc(s->highlight, s->pool, &doc->source,
                            &doc->highlight)
           != NGX_OK)
    {
        return kz_run_memory(run);
    }

    if (s->source && kz_search_seen(run, doc) != NGX_OK) {
        return kz_run_memory(run);
    }

    s->ndocs++;

    return NGX_OK;
}


/* The parts of a document that were asked for. */
static ngx_int_t
kz_search_seen(kz_run_t *run, kz_doc_t *doc)
{
    kz_out_t    o;
    ngx_uint_t  info;

    info = doc->info;

    kz_out_init(&o, run->s->pool, 256);

    if (kz_source_filter(run->s->source, &doc->source, &o, &info) != NGX_OK)
    {
        return NGX_ERROR;
    }

    doc->source.data = o.start;
    doc->source.len = kz_out_len(&o);
    doc->info = info;
    doc->hidden = run->s->source->none;

    return NGX_OK;
}


static ngx_int_t
kz_search_dup(kz_run_t *run, ngx_str_t *dst, sqlite3_stmt *stmt, int column)
{
    const u_char  *p;

    p = sqlite3_column_text(stmt, column);
    dst->len = sqlite3_column_bytes(stmt, column);

    if (p == NULL) {
        return NGX_ERROR;
    }

    dst->data = ngx_pnalloc(run->s->pool, dst->len + 1);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, p, dst->len);

    return NGX_OK;
}


/* The format takes the collection's number. */
static sqlite3_stmt *
kz_search_stmt(kz_run_t *run, const char *fmt)
{
    u_char         sql[160], *p;
    sqlite3_stmt  *stmt;

    p = ngx_snprintf(sql, sizeof(sql), fmt, run->s->col);

    stmt = kz_sqlite_stmt(run->db, (char *) sql, p - sql);

    if (stmt == NULL) {
        (void) kz_run_failed(run);
    }

    return stmt;
}
