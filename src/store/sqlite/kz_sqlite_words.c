
/*
 * How rare the words of a query are, for its scores: see kz_match_text.h.
 *
 * In segments by counting postings, common words by whole blocks; what has
 * no postings yet, and how long texts are, by a sample of documents.  What a
 * sample of a large collection said is kept until the collection has grown
 * by an eighth or so.
 */

#include "store/sqlite/kz_sqlite_search_run.h"
#include "store/kz_match_text.h"

#include <pthread.h>


#define KZ_WORDS_PROBE   1000         /* postings counted one by one */
#define KZ_WORDS_TAIL    1000         /* documents without postings */
#define KZ_WORDS_SAMPLE  200          /* documents of segments */
#define KZ_WORDS_LARGE   4096         /* rows whose sample is kept */
#define KZ_WORDS_FEW     10           /* the tail is less than one in so many */
#define KZ_WORDS_KEPT    256          /* samples */


/* Sums over documents that were looked at. */

typedef struct {
    kz_run_t             *run;
    uint64_t              docs;
    uint64_t             *dfs;        /* by term */
    uint64_t             *lengths;    /* by scan: words, documents */
} kz_words_sum_t;


/* How long the texts of a field are. */

typedef struct {
    uint64_t              file;
    int64_t               col;
    int64_t               f;
    int64_t               hi;         /* rows it was taken from */
    uint32_t              settings;
    uint64_t              docs;       /* looked at */
    uint64_t              words;
    uint64_t              have;       /* documents with a text */
} kz_words_kept_t;


static ngx_uint_t kz_words_recall(kz_words_sum_t *sum, int64_t hi);
static void kz_words_remember(kz_words_sum_t *sum, int64_t hi);
static kz_words_kept_t *kz_words_key(kz_words_sum_t *sum,
    const kz_text_scan_t *s, int64_t hi, kz_words_kept_t *key);
static int64_t kz_words_round(int64_t hi);
static ngx_int_t kz_words_segments(kz_run_t *run, kz_segment_t *segs,
    ngx_uint_t n);
static ngx_int_t kz_words_count(kz_run_t *run, kz_segment_t *segs,
    ngx_uint_t n, kz_text_term_t *t);
static ngx_int_t kz_words_blocks(kz_run_t *run, const kz_segment_t *seg,
    const kz_text_term_t *t, uint64_t *df);
static ngx_int_t kz_words_tail(kz_words_sum_t *sum, int64_t hi);
static ngx_int_t kz_words_sample(kz_words_sum_t *sum, int64_t hi);
static ngx_int_t kz_words_doc(kz_words_sum_t *sum, sqlite3_stmt *stmt);
static sqlite3_stmt *kz_words_stmt(kz_run_t *run, const char *fmt);


static pthread_mutex_t   kz_words_mutex = PTHREAD_MUTEX_INITIALIZER;
static kz_words_kept_t   kz_words_kept[KZ_WORDS_KEPT];


ngx_int_t
kz_words_weigh(kz_run_t *run)
{
    int                rc;
    int64_t            hi;
    ngx_int_t          done;
    ngx_uint_t         i, n, nsegs;
    kz_match_t        *m;
    kz_segment_t      *segs;
    kz_words_sum_t     sum;
    kz_text_term_t    *t;
    kz_text_scan_t    *s;

    m = run->s->match;

    if (m->terms == NULL || run->s->count) {
        return NGX_OK;
    }

    rc = kz_segments_read(run->db, run->s->col, &segs, &nsegs);

    if (rc != SQLITE_OK) {
        return kz_run_failed(run);
    }

    hi = nsegs ? segs[nsegs - 1].hi : 0;

    done = kz_words_segments(run, segs, nsegs);
    free(segs);

    if (done != NGX_OK) {
        return NGX_ERROR;
    }

    for (n = 0, t = m->terms; t != NULL; t = t->next) {
        n++;
    }

    for (i = 0, s = m->scans; s != NULL; s = s->next) {
        i++;
    }

    sum.run = run;
    sum.docs = 0;
    sum.dfs = ngx_pcalloc(run->s->pool, (n + 1) * sizeof(uint64_t));
    sum.lengths = ngx_pcalloc(run->s->pool, (i * 2 + 1) * sizeof(uint64_t));

    if (sum.dfs == NULL || sum.lengths == NULL) {
        return kz_run_memory(run);
    }

    if (kz_words_tail(&sum, hi) != NGX_OK) {
        return NGX_ERROR;
    }

    hi = kz_words_round(hi);

    if (hi <= KZ_WORDS_LARGE || sum.docs != 0) {

        if (kz_words_sample(&sum, hi) != NGX_OK) {
            return NGX_ERROR;
        }

    } else if (!kz_words_recall(&sum, hi)) {

        if (kz_words_sample(&sum, hi) != NGX_OK) {
            return NGX_ERROR;
        }

        kz_words_remember(&sum, hi);
    }

    for (i = 0, s = m->scans; s != NULL; s = s->next, i += 2) {

        if (sum.lengths[i + 1] != 0 && sum.docs != 0) {
            s->average = (double) sum.lengths[i] / sum.lengths[i + 1];
            s->docs = (uint64_t) ((double) m->ndocs * sum.lengths[i + 1]
                                  / sum.docs + 0.5);
        }
    }

    kz_text_weigh(m);

    return NGX_OK;
}


/* All of the scans, or none. */
static ngx_uint_t
kz_words_recall(kz_words_sum_t *sum, int64_t hi)
{
    ngx_uint_t        i, found;
    kz_text_scan_t   *s;
    kz_words_kept_t   key, *kept;

    found = 1;

    (void) pthread_mutex_lock(&kz_words_mutex);

    for (i = 0, s = sum->run->s->match->scans; s != NULL;
         s = s->next, i += 2)
    {
        kept = kz_words_key(sum, s, hi, &key);

        if (kept == NULL || kept->docs == 0 || kept->file != key.file
            || kept->col != key.col || kept->f != key.f
            || kept->hi != key.hi || kept->settings != key.settings)
        {
            found = 0;
            break;
        }

        sum->docs = kept->docs;
        sum->lengths[i] = kept->words;
        sum->lengths[i + 1] = kept->have;
    }

    (void) pthread_mutex_unlock(&kz_words_mutex);

    if (!found) {
        sum->docs = 0;

        while (i > 0) {
            sum->lengths[--i] = 0;
        }
    }

    return found;
}


static void
kz_words_remember(kz_words_sum_t *sum, int64_t hi)
{
    ngx_uint_t        i;
    kz_text_scan_t   *s;
    kz_words_kept_t   key, *kept;

    (void) pthread_mutex_lock(&kz_words_mutex);

    for (i = 0, s = sum->run->s->match->scans; s != NULL;
         s = s->next, i += 2)
    {
        kept = kz_words_key(sum, s, hi, &key);

        if (kept != NULL) {
            key.docs = sum->docs;
            key.words = sum->lengths[i];
            key.have = sum->lengths[i + 1];

            *kept = key;
        }
    }

    (void) pthread_mutex_unlock(&kz_words_mutex);
}


/* Its place; NULL: there is none. */
static kz_words_kept_t *
kz_words_key(kz_words_sum_t *sum, const kz_text_scan_t *s, int64_t hi,
    kz_words_kept_t *key)
{
    uint64_t          h;
    kz_search_t      *search;
    const ngx_str_t  *settings;

    search = sum->run->s;

    if (s->field == NULL || s->field->id <= 0 || search->file == 0) {
        return NULL;
    }

    settings = &search->match->mapping->settings;

    key->file = search->file;
    key->col = search->col;
    key->f = s->field->id;
    key->hi = hi;
    key->settings = settings->len ? ngx_crc32_long(settings->data,
                                                   settings->len)
                                  : 0;

    h = key->file * 31 + (uint64_t) key->col * 131 + (uint64_t) key->f;

    return &kz_words_kept[h % KZ_WORDS_KEPT];
}


/* Large ones to their first four bits: the same sample for some time. */
static int64_t
kz_words_round(int64_t hi)
{
    ngx_uint_t  bits;

    if (hi <= KZ_WORDS_LARGE) {
        return hi;
    }

    for (bits = 0; (hi >> bits) >= 16; bits++) {
        /* void */
    }

    return (hi >> bits) << bits;
}


static ngx_int_t
kz_words_segments(kz_run_t *run, kz_segment_t *segs, ngx_uint_t n)
{
    ngx_uint_t       i;
    kz_match_t      *m;
    kz_text_term_t  *t;

    m = run->s->match;
    m->ndocs = 0;

    for (i = 0; i < n; i++) {
        m->ndocs += segs[i].docs;
    }

    for (t = m->terms; t != NULL; t = t->next) {
        t->df = 0;

        if (t->scan->field != NULL && t->scan->field->indexed
            && t->scan->field->id > 0
            && kz_words_count(run, segs, n, t) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_words_count(kz_run_t *run, kz_segment_t *segs, ngx_uint_t n,
    kz_text_term_t *t)
{
    uint64_t      df;
    ngx_int_t     rc;
    ngx_uint_t    i;
    kz_cursor_t   c;

    for (i = 0; i < n; i++) {
        df = 0;

        kz_cursor_init(&c, run->db, run->s->col, &segs[i]);

        for (rc = kz_cursor_seek(&c, t->scan->field->id, &t->value);
             rc == NGX_OK && df < KZ_WORDS_PROBE;
             rc = kz_cursor_next(&c))
        {
            if (c.it.fresh && kz_value_cmp(&c.it.v, &t->value) != 0) {
                rc = NGX_DONE;
                break;
            }

            df++;
        }

        kz_cursor_free(&c);

        if (rc == NGX_ERROR) {
            return kz_run_failed(run);
        }

        if (rc == NGX_OK
            && kz_words_blocks(run, &segs[i], t, &df) != NGX_OK)
        {
            return NGX_ERROR;
        }

        t->df += df;

        if (kz_run_check(run, df) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A common word: what the blocks hold that begin with it. */
static ngx_int_t
kz_words_blocks(kz_run_t *run, const kz_segment_t *seg,
    const kz_text_term_t *t, uint64_t *df)
{
    int            rc;
    int64_t        n;
    sqlite3_stmt  *stmt;

    stmt = kz_words_stmt(run, "SELECT sum(n) FROM t%L WHERE s = ?1"
                              " AND f = ?2 AND v = ?3");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, seg->s);
    (void) sqlite3_bind_int64(stmt, 2, t->scan->field->id);
    kz_segment_bind(stmt, 3, &t->value);

    rc = sqlite3_step(stmt);
    n = (rc == SQLITE_ROW) ? sqlite3_column_int64(stmt, 0) : 0;

    if (rc != SQLITE_ROW) {
        (void) kz_run_failed(run);
        kz_sqlite_done(stmt);
        return NGX_ERROR;
    }

    kz_sqlite_done(stmt);

    *df = ngx_max(*df, (uint64_t) ngx_max(n, 0));

    return NGX_OK;
}


/* Documents without postings: the first of them stand for the rest. */
static ngx_int_t
kz_words_tail(kz_words_sum_t *sum, int64_t hi)
{
    int              rc;
    double           scale;
    int64_t          total;
    ngx_int_t        done;
    ngx_uint_t       i;
    kz_match_t      *m;
    sqlite3_stmt    *stmt;
    kz_text_term_t  *t;

    m = sum->run->s->match;

    stmt = kz_words_stmt(sum->run, "SELECT count(*) FROM d%L WHERE r > ?1");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, hi);

    rc = sqlite3_step(stmt);
    total = (rc == SQLITE_ROW) ? sqlite3_column_int64(stmt, 0) : -1;

    if (total < 0) {
        (void) kz_run_failed(sum->run);
    }

    kz_sqlite_done(stmt);

    if (total <= 0) {
        return (total == 0) ? NGX_OK : NGX_ERROR;
    }

    if (m->ndocs > KZ_WORDS_LARGE
        && (uint64_t) total * KZ_WORDS_FEW < m->ndocs)
    {
        /* too few to matter */

        scale = (double) total / m->ndocs;

        for (t = m->terms; t != NULL; t = t->next) {
            t->df += (uint64_t) (t->df * scale + 0.5);
        }

        m->ndocs += total;

        return NGX_OK;
    }

    m->ndocs += total;

    stmt = kz_words_stmt(sum->run, "SELECT id, src FROM d%L WHERE r > ?1"
                                   " ORDER BY r LIMIT ?2");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    (void) sqlite3_bind_int64(stmt, 1, hi);
    (void) sqlite3_bind_int64(stmt, 2, KZ_WORDS_TAIL);

    done = NGX_OK;

    while (done == NGX_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        done = kz_words_doc(sum, stmt);
    }

    if (done == NGX_OK && rc != SQLITE_DONE) {
        done = kz_run_failed(sum->run);
    }

    kz_sqlite_done(stmt);

    if (done != NGX_OK || sum->docs == 0) {
        return done;
    }

    scale = (double) total / sum->docs;

    for (i = 0, t = m->terms; t != NULL; t = t->next, i++) {
        t->df += (uint64_t) (sum->dfs[i] * scale + 0.5);
    }

    return NGX_OK;
}


/* Some documents all over the segments. */
static ngx_int_t
kz_words_sample(kz_words_sum_t *sum, int64_t hi)
{
    int            rc;
    int64_t        i, step;
    ngx_int_t      done;
    sqlite3_stmt  *stmt;

    if (hi == 0) {
        return NGX_OK;
    }

    stmt = kz_words_stmt(sum->run, "SELECT id, src FROM d%L WHERE r >= ?1"
                                   " ORDER BY r LIMIT 1");
    if (stmt == NULL) {
        return NGX_ERROR;
    }

    step = hi / KZ_WORDS_SAMPLE + 1;
    done = NGX_OK;

    for (i = 1; i <= hi && done == NGX_OK; i += step) {

        (void) sqlite3_bind_int64(stmt, 1, i);

        rc = sqlite3_step(stmt);

        if (rc == SQLITE_ROW) {
            done = kz_words_doc(sum, stmt);

        } else if (rc != SQLITE_DONE) {
            done = kz_run_failed(sum->run);
        }

        (void) sqlite3_reset(stmt);
    }

    kz_sqlite_done(stmt);

    return done;
}


static ngx_int_t
kz_words_doc(kz_words_sum_t *sum, sqlite3_stmt *stmt)
{
    double           score;
    ngx_str_t        id, src;
    ngx_uint_t       i;
    kz_match_t      *m;
    kz_text_term_t  *t;
    kz_text_scan_t  *s;

    m = sum->run->s->match;

    id.data = (u_char *) sqlite3_column_text(stmt, 0);
    id.len = sqlite3_column_bytes(stmt, 0);
    src.data = (u_char *) sqlite3_column_text(stmt, 1);
    src.len = sqlite3_column_bytes(stmt, 1);

    if (id.data == NULL || src.data == NULL) {
        return kz_run_memory(sum->run);
    }

    if (kz_run_check(sum->run, src.len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_match_doc(m, &id, &src, &score) == NGX_ERROR) {
        return kz_run_memory(sum->run);
    }

    sum->docs++;

    for (i = 0, t = m->terms; t != NULL; t = t->next, i++) {
        sum->dfs[i] += (t->tf != 0);
    }

    for (i = 0, s = m->scans; s != NULL; s = s->next, i += 2) {
        sum->lengths[i] += s->length;
        sum->lengths[i + 1] += (s->length != 0);
    }

    return NGX_OK;
}


/* The format takes the collection's number. */
static sqlite3_stmt *
kz_words_stmt(kz_run_t *run, const char *fmt)
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
