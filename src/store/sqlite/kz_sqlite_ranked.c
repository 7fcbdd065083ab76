
/*
 * The best documents for words, without reading all that have them.
 *
 * Postings tell which documents have which words, hence how many match, and
 * exactly.  How well: from what is known of the words (kz_sqlite_impacts.h),
 * by the same code that scores a document; otherwise a bound, as if the text
 * were nothing but its words.  Documents are then read in the order of their
 * bounds, until no other can be better than the page's last one.
 *
 *     rows of "fox"     3  7  9        3: score 2.1, known
 *     rows of "common"  3  4  7  8     7: at most 5.0; 9: 4.2; 4, 8: 0.8
 */

#include "store/sqlite/kz_sqlite_search_run.h"
#include "store/sqlite/kz_sqlite_impacts.h"
#include "store/kz_match_text.h"


#define KZ_RANKED_TERMS  16
#define KZ_RANKED_MEMO   4096         /* scores remembered */
#define KZ_RANKED_MOST   65535        /* a tf no text of a few words has */


typedef struct {
    uint16_t              length;
    uint16_t              tf;
} kz_ranked_pair_t;


typedef struct {
    kz_text_term_t       *term;
    const kz_leaf_t      *leaf;
    kz_impacts_key_t      key;
    kz_impacts_t         *impacts;    /* or NULL */
    size_t                known;      /* where in it */
    int64_t              *rows;       /* malloc's */
    size_t                nrows;
    size_t                at;
    kz_impact_t          *more;       /* learned: malloc's */
    size_t                nmore;
    size_t                room;
} kz_ranked_term_t;


typedef struct {
    int64_t               r;
    double                bound;
} kz_ranked_row_t;


typedef struct {
    kz_ranked_pair_t      pairs[KZ_RANKED_TERMS];
    double                score;
    unsigned              set:1;
    unsigned              match:1;
} kz_ranked_memo_t;


typedef struct {
    kz_run_t             *run;
    kz_ranked_term_t      terms[KZ_RANKED_TERMS];
    ngx_uint_t            n;
    kz_ranked_memo_t     *memo;
    kz_ranked_row_t      *rows;       /* to be read */
    size_t                nrows;
    size_t                room;
    sqlite3_stmt         *stmt;       /* of gone rows, then of documents */
    int64_t               gone;
    unsigned              last:1;     /* no gone row is greater */
} kz_ranked_t;


static ngx_uint_t kz_ranked_fits(kz_ranked_t *k, const kz_cond_t *c);
static ngx_uint_t kz_ranked_leaf(kz_ranked_t *k, const kz_leaf_t *leaf);
static ngx_int_t kz_ranked_load(kz_ranked_t *k);
static ngx_int_t kz_ranked_merge(kz_ranked_t *k);
static int64_t kz_ranked_next(kz_ranked_t *k, kz_ranked_pair_t *pairs,
    ngx_uint_t *known);
static ngx_int_t kz_ranked_gone(kz_ranked_t *k, int64_t r);
static ngx_uint_t kz_ranked_score(kz_ranked_t *k,
    const kz_ranked_pair_t *pairs, double *score);
static ngx_int_t kz_ranked_pending(kz_ranked_t *k, int64_t r, double bound);
static ngx_int_t kz_ranked_read(kz_ranked_t *k);
static ngx_int_t kz_ranked_doc(kz_ranked_t *k, int64_t r);
static ngx_int_t kz_ranked_learn(kz_ranked_t *k, int64_t r);
static ngx_int_t kz_ranked_hit(kz_run_t *run, int64_t r, const ngx_str_t *id,
    double score);
static void kz_ranked_free(kz_ranked_t *k);
static int kz_ranked_cmp(const void *one, const void *two);
static int kz_ranked_cmp_row(const void *one, const void *two);
static sqlite3_stmt *kz_ranked_stmt(kz_run_t *run, const char *fmt);


ngx_int_t
kz_ranked_run(kz_run_t *run)
{
    ngx_int_t     rc;
    kz_match_t   *m;
    kz_ranked_t   k;

    m = run->s->match;

    if (!run->plain || run->s->count || run->max == 0 || m->nsort != 0
        || !m->scored || run->s->file == 0)
    {
        return NGX_DECLINED;
    }

    if (kz_plan_segments(run) != NGX_OK) {
        return NGX_ERROR;
    }

    if (run->nsegs == 0 || run->hi > NGX_MAX_UINT32_VALUE) {
        return NGX_DECLINED;
    }

    ngx_memzero(&k, sizeof(kz_ranked_t));

    k.run = run;

    if (!kz_ranked_fits(&k, m->root) || k.n == 0) {
        return NGX_DECLINED;
    }

    rc = kz_ranked_load(&k);

    if (rc == NGX_OK) {
        rc = kz_ranked_merge(&k);
    }

    if (rc == NGX_OK) {
        rc = kz_ranked_read(&k);
    }

    kz_ranked_free(&k);

    return rc;
}


/*
 * Whether the query is about words alone, and more of one never makes a
 * score less.
 */
static ngx_uint_t
kz_ranked_fits(kz_ranked_t *k, const kz_cond_t *c)
{
    const kz_cond_t  *child;

    if (c->boost < 0) {
        return 0;
    }

    if (c->type == KZ_COND_LEAF) {
        return kz_ranked_leaf(k, c->leaf);
    }

    if (c->type != KZ_COND_BOOL || c->less != NULL || c->factor < 0
        || c->tie < 0 || c->tie > 1 || (c->all == NULL && c->minimum == 0))
    {
        return 0;
    }

    for (child = c->all; child != NULL; child = child->next) {
        if (!kz_ranked_fits(k, child)) {
            return 0;
        }
    }

    for (child = c->any; child != NULL; child = child->next) {
        if (!kz_ranked_fits(k, child)) {
            return 0;
        }
    }

    for (child = c->none; child != NULL; child = child->next) {
        if (!kz_ranked_fits(k, child)) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
kz_ranked_leaf(kz_ranked_t *k, const kz_leaf_t *leaf)
{
    ngx_uint_t         i;
    kz_ranked_term_t  *t;

    if (leaf->type != KZ_LEAF_VALUES || leaf->nvalues != 1
        || leaf->field == NULL || !leaf->field->indexed
        || leaf->field->id <= 0 || leaf->words == NULL
        || leaf->words->scan == NULL || leaf->words->nterms != 1)
    {
        return 0;
    }

    for (i = 0; i < k->n; i++) {
        if (k->terms[i].term == leaf->words->terms[0]) {
            return 1;
        }
    }

    if (k->n == KZ_RANKED_TERMS) {
        return 0;
    }

    t = &k->terms[k->n++];

    t->term = leaf->words->terms[0];
    t->leaf = leaf;

    return 1;
}


static ngx_int_t
kz_ranked_load(kz_ranked_t *k)
{
    kz_run_t          *run;
    ngx_int_t          rc;
    ngx_uint_t         i;
    const ngx_str_t   *settings;
    kz_ranked_term_t  *t;

    run = k->run;
    settings = &run->s->match->mapping->settings;

    k->memo = calloc(KZ_RANKED_MEMO, sizeof(kz_ranked_memo_t));
    if (k->memo == NULL) {
        return kz_run_memory(run);
    }

    for (i = 0; i < k->n; i++) {
        t = &k->terms[i];

        t->key.file = run->s->file;
        t->key.col = run->s->col;
        t->key.f = t->leaf->field->id;
        t->key.settings = settings->len ? ngx_crc32_long(settings->data,
                                                         settings->len)
                                        : 0;
        t->key.word = t->term->value.text;

        rc = kz_plan_leaf_rows(run, t->leaf, &t->rows, &t->nrows);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        t->impacts = kz_impacts_take(&t->key, run->hi);
    }

    return NGX_OK;
}


/* All rows that have one of the words, in order. */
static ngx_int_t
kz_ranked_merge(kz_ranked_t *k)
{
    double             score;
    int64_t            r;
    ngx_int_t          rc;
    ngx_str_t          id;
    ngx_uint_t         known;
    kz_ranked_pair_t   pairs[KZ_RANKED_TERMS];

    ngx_str_null(&id);

    k->stmt = kz_ranked_stmt(k->run, "SELECT r FROM x%L WHERE r >= ?1"
                                     " ORDER BY r LIMIT 1");
    if (k->stmt == NULL) {
        return NGX_ERROR;
    }

    while ((r = kz_ranked_next(k, pairs, &known)) != 0) {

        if (kz_run_check(k->run, 0) != NGX_OK) {
            return NGX_ERROR;
        }

        if (!kz_ranked_score(k, pairs, &score)) {
            continue;
        }

        rc = kz_ranked_gone(k, r);

        if (rc == NGX_DECLINED) {
            continue;
        }

        if (rc == NGX_OK) {
            rc = known ? kz_ranked_hit(k->run, r, &id, score)
                       : kz_ranked_pending(k, r, score);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    kz_sqlite_done(k->stmt);
    k->stmt = NULL;

    return NGX_OK;
}


/* The next row and what is known of its words; 0: there is none. */
static int64_t
kz_ranked_next(kz_ranked_t *k, kz_ranked_pair_t *pairs, ngx_uint_t *known)
{
    int64_t            r;
    ngx_uint_t         i;
    kz_impact_t       *impact;
    kz_ranked_term_t  *t;

    r = 0;

    for (i = 0; i < k->n; i++) {
        t = &k->terms[i];

        if (t->at < t->nrows && (r == 0 || t->rows[t->at] < r)) {
            r = t->rows[t->at];
        }
    }

    *known = 1;

    for (i = 0; i < k->n; i++) {
        t = &k->terms[i];

        pairs[i].tf = 0;
        pairs[i].length = 0;

        if (r == 0 || t->at == t->nrows || t->rows[t->at] != r) {
            continue;
        }

        t->at++;

        pairs[i].tf = KZ_RANKED_MOST;
        pairs[i].length = 1;

        if (t->impacts == NULL) {
            *known = 0;
            continue;
        }

        while (t->known < t->impacts->n
               && t->impacts->list[t->known].r < r)
        {
            t->known++;
        }

        impact = &t->impacts->list[t->known];

        if (t->known < t->impacts->n && impact->r == r) {
            pairs[i].tf = impact->tf;
            pairs[i].length = impact->length;

        } else {
            *known = 0;
        }
    }

    return r;
}


/* NGX_DECLINED: the document has left this row. */
static ngx_int_t
kz_ranked_gone(kz_ranked_t *k, int64_t r)
{
    int  rc;

    if (r > k->gone && !k->last) {
        (void) sqlite3_bind_int64(k->stmt, 1, r);

        rc = sqlite3_step(k->stmt);

        if (rc == SQLITE_ROW) {
            k->gone = sqlite3_column_int64(k->stmt, 0);

        } else if (rc == SQLITE_DONE) {
            k->last = 1;
        }

        (void) sqlite3_reset(k->stmt);

        if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
            return kz_run_failed(k->run);
        }
    }

    return (r == k->gone) ? NGX_DECLINED : NGX_OK;
}


/* Whether a document with these words matches, and what it is worth. */
static ngx_uint_t
kz_ranked_score(kz_ranked_t *k, const kz_ranked_pair_t *pairs,
    double *score)
{
    uint32_t           h;
    ngx_str_t          id;
    ngx_uint_t         i;
    kz_match_t        *m;
    kz_text_term_t    *t;
    kz_ranked_memo_t  *memo;

    h = 0;

    for (i = 0; i < k->n; i++) {
        h = (h ^ (((uint32_t) pairs[i].tf << 16) | pairs[i].length))
            * 2654435761u;
        h ^= h >> 15;
    }

    memo = &k->memo[h % KZ_RANKED_MEMO];

    if (!memo->set
        || ngx_memcmp(memo->pairs, pairs, k->n * sizeof(kz_ranked_pair_t))
           != 0)
    {
        m = k->run->s->match;
        ngx_str_null(&id);

        kz_match_reset(m->leaves);
        kz_text_begin(m, m->paths);

        for (i = 0; i < k->n; i++) {

            if (pairs[i].tf != 0) {
                t = k->terms[i].term;
                t->tf = pairs[i].tf;
                t->scan->length = pairs[i].length;
            }
        }

        /* leaves of words alone: nothing here takes memory */

        (void) kz_text_end(m, m->paths);

        memo->score = 0;
        memo->match = kz_match_cond(m->root, &id, &memo->score);
        memo->set = 1;

        ngx_memcpy(memo->pairs, pairs, k->n * sizeof(kz_ranked_pair_t));
    }

    *score = memo->score;

    return memo->match;
}


static ngx_int_t
kz_ranked_pending(kz_ranked_t *k, int64_t r, double bound)
{
    size_t            room;
    kz_ranked_row_t  *rows;

    if (k->nrows == k->room) {
        room = k->room ? k->room * 2 : 256;

        rows = realloc(k->rows, room * sizeof(kz_ranked_row_t));
        if (rows == NULL) {
            return kz_run_memory(k->run);
        }

        k->rows = rows;
        k->room = room;
    }

    k->rows[k->nrows].r = r;
    k->rows[k->nrows++].bound = bound;

    return NGX_OK;
}


static ngx_int_t
kz_ranked_read(kz_ranked_t *k)
{
    size_t            i;
    kz_run_t         *run;
    ngx_int_t         rc;
    kz_ranked_row_t  *row;

    run = k->run;

    if (k->nrows == 0) {
        return NGX_OK;
    }

    qsort(k->rows, k->nrows, sizeof(kz_ranked_row_t), kz_ranked_cmp);

    k->stmt = kz_ranked_stmt(run, "SELECT id, src FROM d%L WHERE r = ?1");
    if (k->stmt == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    for (i = 0; i < k->nrows && rc == NGX_OK; i++) {
        row = &k->rows[i];

        if (run->nhits == run->max && row->bound < run->hits[0]->score) {
            break;
        }

        rc = kz_ranked_doc(k, row->r);
    }

    /* they match, the postings say: worse than what was found */

    run->s->total += k->nrows - i;

    return rc;
}


static ngx_int_t
kz_ranked_doc(kz_ranked_t *k, int64_t r)
{
    int         rc;
    double      score;
    kz_run_t   *run;
    ngx_int_t   done;
    ngx_str_t   id, src;

    run = k->run;

    (void) sqlite3_bind_int64(k->stmt, 1, r);

    rc = sqlite3_step(k->stmt);

    if (rc != SQLITE_ROW) {
        done = (rc == SQLITE_DONE) ? NGX_OK : kz_run_failed(run);
        (void) sqlite3_reset(k->stmt);
        return done;
    }

    id.data = (u_char *) sqlite3_column_text(k->stmt, 0);
    id.len = sqlite3_column_bytes(k->stmt, 0);
    src.data = (u_char *) sqlite3_column_text(k->stmt, 1);
    src.len = sqlite3_column_bytes(k->stmt, 1);

    if (id.data == NULL || src.data == NULL) {
        done = kz_run_memory(run);

    } else {
        done = kz_run_check(run, src.len);
    }

    if (done == NGX_OK) {
        done = kz_match_doc(run->s->match, &id, &src, &score);

        if (done == NGX_OK) {
            done = kz_ranked_learn(k, r);

            if (done == NGX_OK) {
                done = kz_ranked_hit(run, r, &id, score);
            }

        } else if (done == NGX_DECLINED) {
            done = NGX_OK;

        } else {
            done = kz_run_memory(run);
        }
    }

    (void) sqlite3_reset(k->stmt);

    return done;
}


/* The document at hand was looked at. */
static ngx_int_t
kz_ranked_learn(kz_ranked_t *k, int64_t r)
{
    size_t             room;
    ngx_uint_t         i;
    kz_impact_t       *more;
    kz_text_term_t    *term;
    kz_ranked_term_t  *t;

    for (i = 0; i < k->n; i++) {
        t = &k->terms[i];
        term = t->term;

        if (term->tf == 0 || term->tf >= KZ_RANKED_MOST
            || term->scan->length > KZ_RANKED_MOST)
        {
            continue;
        }

        if (t->nmore == t->room) {
            room = t->room ? t->room * 2 : 256;

            more = realloc(t->more, room * sizeof(kz_impact_t));
            if (more == NULL) {
                return kz_run_memory(k->run);
            }

            t->more = more;
            t->room = room;
        }

        more = &t->more[t->nmore++];

        more->r = (uint32_t) r;
        more->tf = (uint16_t) term->tf;
        more->length = (uint16_t) term->scan->length;
    }

    return NGX_OK;
}


static ngx_int_t
kz_ranked_hit(kz_run_t *run, int64_t r, const ngx_str_t *id, double score)
{
    kz_search_t  *s;

    s = run->s;

    s->total++;

    if (!s->scored || score > s->max_score) {
        s->scored = 1;
        s->max_score = score;
    }

    if (run->nhits == run->max
        && (score < run->hits[0]->score
            || (score == run->hits[0]->score && r > run->hits[0]->r)))
    {
        return NGX_OK;
    }

    return kz_top_add(run, r, id, score);
}


/* What was learned is kept, whatever became of the search. */
static void
kz_ranked_free(kz_ranked_t *k)
{
    size_t             i, j, n;
    kz_ranked_term_t  *t;

    if (k->stmt != NULL) {
        kz_sqlite_done(k->stmt);
    }

    for (i = 0; i < k->n; i++) {
        t = &k->terms[i];

        if (t->nmore != 0) {
            qsort(t->more, t->nmore, sizeof(kz_impact_t), kz_ranked_cmp_row);

            /* known already: another word of the row was not */

            for (j = 0, n = 0, t->known = 0; j < t->nmore; j++) {

                while (t->impacts != NULL && t->known < t->impacts->n
                       && t->impacts->list[t->known].r < t->more[j].r)
                {
                    t->known++;
                }

                if (t->impacts == NULL || t->known == t->impacts->n
                    || t->impacts->list[t->known].r != t->more[j].r)
                {
                    t->more[n++] = t->more[j];
                }
            }

            kz_impacts_add(&t->key, t->impacts, t->more, n, k->run->hi);
        }

        if (t->impacts != NULL) {
            kz_impacts_release(t->impacts);
        }

        free(t->more);
        free(t->rows);
    }

    free(k->memo);
    free(k->rows);
}


/* The greatest bound first, then in the order of insertion. */
static int
kz_ranked_cmp(const void *one, const void *two)
{
    const kz_ranked_row_t  *a = one;
    const kz_ranked_row_t  *b = two;

    if (a->bound != b->bound) {
        return (a->bound > b->bound) ? -1 : 1;
    }

    return (a->r > b->r) - (a->r < b->r);
}


static int
kz_ranked_cmp_row(const void *one, const void *two)
{
    const kz_impact_t  *a = one;
    const kz_impact_t  *b = two;

    return (a->r > b->r) - (a->r < b->r);
}


/* The format takes the collection's number. */
static sqlite3_stmt *
kz_ranked_stmt(kz_run_t *run, const char *fmt)
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
