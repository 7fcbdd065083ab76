
/*
 * Which clause of a query drives, and its rows.
 *
 * A leaf about an indexed field is one or more ranges of the field's postings
 * in each segment.  Its cost is their number, counted up to KZ_PLAN_PROBE,
 * beyond that by whole blocks.  A leaf that has to look at the document is
 * the ranges it is narrowed down to.
 *
 * Of clauses that must all hold the cheapest one is enough, and the others
 * leave out of its rows what they do not have, when reading their postings
 * is cheaper than looking at those documents.  Of n clauses of which m must
 * hold the n - m + 1 cheapest are needed.  must_not never drives.
 */

#include "store/sqlite/kz_sqlite_search_run.h"


#define KZ_PLAN_READ   30             /* postings read in a document's time */
#define KZ_PLAN_DENSE  16             /* bytes of a bitmap a row is worth */


static uint64_t kz_plan_cost(kz_run_t *run, kz_cond_t *c);
static uint64_t kz_plan_guess(kz_run_t *run, kz_cond_t *c);
static const kz_cond_t *kz_plan_best(const kz_cond_t *c, uint64_t *cost,
    ngx_uint_t *any);
static uint64_t kz_plan_any(const kz_cond_t *c);
static ngx_uint_t kz_plan_kept(const kz_cond_t *c, const kz_cond_t *child);
static ngx_uint_t kz_plan_exact(const kz_cond_t *c);
static ngx_uint_t kz_plan_exact_any(const kz_cond_t *c);
static ngx_int_t kz_plan_collect(kz_run_t *run, const kz_cond_t *c);
static ngx_int_t kz_plan_collect_any(kz_run_t *run, const kz_cond_t *c);
static ngx_int_t kz_plan_narrow(kz_run_t *run, const kz_cond_t *c,
    ngx_uint_t *exact);
static ngx_int_t kz_plan_both(kz_run_t *run, const kz_cond_t *c,
    ngx_uint_t any, ngx_uint_t *exact);
static ngx_int_t kz_plan_sort(kz_run_t *run);
static ngx_int_t kz_plan_bitmap(kz_run_t *run, int64_t min, size_t size);
static ngx_int_t kz_plan_ids(kz_run_t *run, const kz_cond_t *c);
static int kz_plan_cmp(const void *one, const void *two);


ngx_int_t
kz_plan_rows(kz_run_t *run, ngx_uint_t *exact)
{
    uint64_t    cost;
    kz_cond_t  *root;

    if (kz_plan_segments(run) != NGX_OK) {
        return NGX_ERROR;
    }

    root = run->s->match->root;

    cost = kz_plan_cost(run, root);

    if (run->s->status != KZ_STORE_OK) {
        return NGX_ERROR;
    }

    if (cost == KZ_PLAN_NEVER) {
        return NGX_DECLINED;
    }

    if (kz_plan_collect(run, root) != NGX_OK || kz_plan_sort(run) != NGX_OK) {
        return NGX_ERROR;
    }

    if (run->posted && root->type == KZ_COND_BOOL) {
        return kz_plan_narrow(run, root, exact);
    }

    *exact = kz_plan_exact(root);

    return NGX_OK;
}


ngx_int_t
kz_plan_segments(kz_run_t *run)
{
    int  rc;

    if (run->known) {
        return NGX_OK;
    }

    rc = kz_segments_read(run->db, run->s->col, &run->segs, &run->nsegs);

    if (rc != SQLITE_OK) {
        return kz_run_failed(run);
    }

    run->known = 1;
    run->hi = run->nsegs ? run->segs[run->nsegs - 1].hi : 0;

    return NGX_OK;
}


/* How many postings it takes to know all documents that may match. */
static uint64_t
kz_plan_cost(kz_run_t *run, kz_cond_t *c)
{
    c->cost = kz_plan_guess(run, c);

    return c->cost;
}


static uint64_t
kz_plan_guess(kz_run_t *run, kz_cond_t *c)
{
    uint64_t     cost;
    kz_leaf_t   *leaf;
    ngx_uint_t   any;
    kz_cond_t   *child;

    switch (c->type) {

    case KZ_COND_NONE:
        return 0;

    case KZ_COND_IDS:
        return c->nids;

    case KZ_COND_LEAF:
    case KZ_COND_TEST:
        leaf = c->leaf;
        cost = 0;

        if (leaf->field == NULL || !leaf->field->indexed
            || leaf->field->id <= 0
            || (c->type == KZ_COND_TEST && leaf->head.len == 0
                && leaf->nspans == 0))
        {
            return KZ_PLAN_NEVER;
        }

        return ((c->type == KZ_COND_LEAF)
                ? kz_plan_leaf(run, leaf, KZ_PLAN_COUNT, &cost)
                : kz_plan_test(run, leaf, KZ_PLAN_COUNT, &cost))
               == NGX_OK ? cost : KZ_PLAN_NEVER;

    case KZ_COND_NESTED:
        return (c->leaf->nested->root != NULL)
               ? kz_plan_cost(run, c->leaf->nested->root) : KZ_PLAN_NEVER;

    case KZ_COND_BOOL:

        for (child = c->all; child != NULL; child = child->next) {
            (void) kz_plan_cost(run, child);
        }

        for (child = c->any; child != NULL; child = child->next) {
            (void) kz_plan_cost(run, child);
        }

        (void) kz_plan_best(c, &cost, &any);

        return cost;

    default:
        return KZ_PLAN_NEVER;
    }
}


/* The child that drives; *any: those of c->any do that are kept. */
static const kz_cond_t *
kz_plan_best(const kz_cond_t *c, uint64_t *cost, ngx_uint_t *any)
{
    uint64_t           sum;
    const kz_cond_t   *child, *best;

    best = NULL;
    *cost = KZ_PLAN_NEVER;
    *any = 0;

    for (child = c->all; child != NULL; child = child->next) {

        if (child->cost < *cost) {
            *cost = child->cost;
            best = child;
        }
    }

    sum = kz_plan_any(c);

    if (sum < *cost) {
        *cost = sum;
        *any = 1;
    }

    return best;
}


static uint64_t
kz_plan_any(const kz_cond_t *c)
{
    uint64_t           sum;
    const kz_cond_t   *child;

    if (c->minimum == 0) {
        return KZ_PLAN_NEVER;
    }

    sum = 0;

    for (child = c->any; child != NULL; child = child->next) {

        if (!kz_plan_kept(c, child)) {
            continue;
        }

        if (child->cost == KZ_PLAN_NEVER) {
            return KZ_PLAN_NEVER;
        }

        sum += child->cost;
    }

    return sum;
}


/*
 * Of n clauses m must hold: one of any n - m + 1 does.  Whether it is one of
 * the cheapest so many.
 */
static ngx_uint_t
kz_plan_kept(const kz_cond_t *c, const kz_cond_t *child)
{
    ngx_uint_t         dearer, before;
    const kz_cond_t   *other;

    if (c->minimum <= 1) {
        return 1;
    }

    dearer = 0;
    before = 1;

    for (other = c->any; other != NULL; other = other->next) {

        if (other == child) {
            before = 0;
            continue;
        }

        dearer += (other->cost > child->cost
                   || (other->cost == child->cost && !before));
    }

    return dearer >= c->minimum - 1;
}


/*
 * Whether the rows collected for it are those that match, no more.  One
 * child, whichever way it is reached, or any one of several.
 */
static ngx_uint_t
kz_plan_exact(const kz_cond_t *c)
{
    switch (c->type) {

    case KZ_COND_NONE:
    case KZ_COND_IDS:
    case KZ_COND_LEAF:
        return 1;

    case KZ_COND_BOOL:
        break;

    default:
        return 0;
    }

    if (c->none != NULL) {
        return 0;
    }

    if (c->all != NULL) {
        return c->all->next == NULL && c->minimum == 0
               && kz_plan_exact(c->all);
    }

    return kz_plan_exact_any(c);
}


static ngx_uint_t
kz_plan_exact_any(const kz_cond_t *c)
{
    const kz_cond_t  *child;

    if (c->minimum != 1) {
        return 0;
    }

    for (child = c->any; child != NULL; child = child->next) {
        if (!kz_plan_exact(child)) {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
kz_plan_collect(kz_run_t *run, const kz_cond_t *c)
{
    uint64_t           cost;
    ngx_uint_t         any;
    const kz_cond_t   *child;

    switch (c->type) {

    case KZ_COND_NONE:
        return NGX_OK;

    case KZ_COND_IDS:
        return kz_plan_ids(run, c);

    case KZ_COND_LEAF:
        run->posted = 1;
        return kz_plan_leaf(run, c->leaf, KZ_PLAN_COLLECT, NULL);

    case KZ_COND_TEST:
        run->posted = 1;
        return kz_plan_test(run, c->leaf, KZ_PLAN_COLLECT, NULL);

    case KZ_COND_NESTED:
        return kz_plan_collect(run, c->leaf->nested->root);

    default:
        break;
    }

    child = kz_plan_best(c, &cost, &any);

    if (any) {
        return kz_plan_collect_any(run, c);
    }

    return (child == NULL) ? NGX_OK : kz_plan_collect(run, child);
}


static ngx_int_t
kz_plan_collect_any(kz_run_t *run, const kz_cond_t *c)
{
    const kz_cond_t  *child;

    for (child = c->any; child != NULL; child = child->next) {

        if (kz_plan_kept(c, child) && kz_plan_collect(run, child) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
kz_plan_leaf_rows(kz_run_t *run, const kz_leaf_t *leaf, int64_t **rows,
    size_t *n)
{
    ngx_int_t  rc;

    run->posted = 1;

    rc = kz_plan_leaf(run, leaf, KZ_PLAN_COLLECT, NULL);

    if (rc == NGX_OK) {
        rc = kz_plan_sort(run);
    }

    *rows = run->rows;
    *n = run->nrows;

    run->rows = NULL;
    run->nrows = 0;
    run->room = 0;

    return rc;
}


/* The driver's rows are there: those that its neighbours have, too. */
static ngx_int_t
kz_plan_narrow(kz_run_t *run, const kz_cond_t *c, ngx_uint_t *exact)
{
    uint64_t           cost;
    ngx_uint_t         any;
    const kz_cond_t   *child, *best;

    best = kz_plan_best(c, &cost, &any);

    *exact = (c->none == NULL);

    if (any) {
        best = NULL;
        *exact &= kz_plan_exact_any(c);

    } else if (best != NULL) {
        *exact &= kz_plan_exact(best);
    }

    for (child = c->all; child != NULL; child = child->next) {

        if (child != best && kz_plan_both(run, child, 0, exact) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (c->minimum == 0 || any) {
        return NGX_OK;
    }

    return kz_plan_both(run, c, 1, exact);
}


/* any: the children of which some must hold. */
static ngx_int_t
kz_plan_both(kz_run_t *run, const kz_cond_t *c, ngx_uint_t any,
    ngx_uint_t *exact)
{
    size_t      i, j, n, count, room;
    int64_t    *rows;
    uint64_t    cost;
    ngx_int_t   rc;

    cost = any ? kz_plan_any(c) : c->cost;

    if (cost == KZ_PLAN_NEVER || cost > run->nrows * KZ_PLAN_READ) {
        *exact = 0;
        return NGX_OK;
    }

    *exact &= any ? kz_plan_exact_any(c) : kz_plan_exact(c);

    rows = run->rows;
    count = run->nrows;
    room = run->room;

    run->rows = NULL;
    run->nrows = 0;
    run->room = 0;

    rc = any ? kz_plan_collect_any(run, c) : kz_plan_collect(run, c);

    if (rc == NGX_OK) {
        rc = kz_plan_sort(run);
    }

    n = 0;
    j = 0;

    for (i = 0; i < count && rc == NGX_OK; i++) {

        while (j < run->nrows && run->rows[j] < rows[i]) {
            j++;
        }

        if (j < run->nrows && run->rows[j] == rows[i]) {
            rows[n++] = rows[i];
        }
    }

    free(run->rows);

    run->rows = rows;
    run->nrows = n;
    run->room = room;

    return rc;
}


/* Ascending, each row once, those of the tail left to whoever scans it. */
static ngx_int_t
kz_plan_sort(kz_run_t *run)
{
    size_t    i, n;
    int64_t   min, max;
    uint64_t  size;

    if (run->nrows == 0) {
        return NGX_OK;
    }

    min = run->rows[0];
    max = run->rows[0];

    for (i = 1; i < run->nrows; i++) {
        min = ngx_min(min, run->rows[i]);
        max = ngx_max(max, run->rows[i]);
    }

    size = ((uint64_t) max - (uint64_t) min) / 64 + 1;

    if (size <= run->nrows / 8 * KZ_PLAN_DENSE) {

        if (kz_plan_bitmap(run, min, (size_t) size) != NGX_OK) {
            return NGX_ERROR;
        }

        n = run->nrows;

    } else {
        qsort(run->rows, run->nrows, sizeof(int64_t), kz_plan_cmp);

        n = 1;

        for (i = 1; i < run->nrows; i++) {
            if (run->rows[i] != run->rows[n - 1]) {
                run->rows[n++] = run->rows[i];
            }
        }
    }

    /* ids know rows of the tail, too */

    while (run->posted && n > 0 && run->rows[n - 1] > run->hi) {
        n--;
    }

    run->nrows = n;

    return NGX_OK;
}


/* Many rows that lie close together. */
static ngx_int_t
kz_plan_bitmap(kz_run_t *run, int64_t min, size_t size)
{
    size_t     i, n;
    uint64_t  *bits, word, at;

    bits = calloc(size, sizeof(uint64_t));
    if (bits == NULL) {
        return kz_run_memory(run);
    }

    for (i = 0; i < run->nrows; i++) {
        at = (uint64_t) (run->rows[i] - min);
        bits[at / 64] |= (uint64_t) 1 << (at % 64);
    }

    n = 0;

    for (i = 0; i < size; i++) {

        for (word = bits[i]; word != 0; word &= word - 1) {
            run->rows[n++] = min + (int64_t) (i * 64)
                             + __builtin_ctzll(word);
        }
    }

    run->nrows = n;

    free(bits);

    return NGX_OK;
}


static ngx_int_t
kz_plan_ids(kz_run_t *run, const kz_cond_t *c)
{
    int            rc;
    u_char         sql[64], *p;
    ngx_int_t      done;
    ngx_uint_t     i;
    sqlite3_stmt  *stmt;

    p = ngx_slprintf(sql, sql + sizeof(sql),
                     "SELECT r FROM d%L WHERE id = ?1", run->s->col);

    stmt = kz_sqlite_stmt(run->db, (char *) sql, p - sql);
    if (stmt == NULL) {
        return kz_run_failed(run);
    }

    done = NGX_OK;

    for (i = 0; i < c->nids && done == NGX_OK; i++) {

        (void) sqlite3_bind_text(stmt, 1, c->ids[i].len
                                          ? (char *) c->ids[i].data : "",
                                 (int) c->ids[i].len, SQLITE_STATIC);

        rc = sqlite3_step(stmt);

        if (rc == SQLITE_ROW) {
            done = kz_plan_add(run, sqlite3_column_int64(stmt, 0));

        } else if (rc != SQLITE_DONE) {
            done = kz_run_failed(run);
        }

        (void) sqlite3_reset(stmt);
    }

    kz_sqlite_done(stmt);

    return done;
}


ngx_int_t
kz_plan_add(kz_run_t *run, int64_t r)
{
    size_t    room;
    int64_t  *rows;

    if (run->nrows == run->room) {
        room = run->room ? run->room * 2 : 256;

        rows = realloc(run->rows, room * sizeof(int64_t));
        if (rows == NULL) {
            return kz_run_memory(run);
        }

        run->rows = rows;
        run->room = room;
    }

    run->rows[run->nrows++] = r;

    return kz_run_check(run, 0);
}


static int
kz_plan_cmp(const void *one, const void *two)
{
    const int64_t  *a = one;
    const int64_t  *b = two;

    return (*a > *b) - (*a < *b);
}
