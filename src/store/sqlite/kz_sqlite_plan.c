
/*
 * Which clause of a query drives, and its rows.
 *
 * A leaf about an indexed field is one or more ranges of the field's postings
 * in each segment.  Its cost is their number, counted up to KZ_PLAN_PROBE.
 * Of clauses that must all hold the cheapest one is enough; of clauses of
 * which one must hold all are needed.  must_not never drives.
 */

#include "store/sqlite/kz_sqlite_search_run.h"


typedef enum {
    KZ_PLAN_COUNT = 0,
    KZ_PLAN_COLLECT
} kz_plan_e;


/* Of values; NULL, or of type 0: open. */

typedef struct {
    const kz_value_t     *lower;
    const kz_value_t     *upper;
    ngx_uint_t            lower_in;
    ngx_uint_t            upper_in;
} kz_range_t;


static uint64_t kz_plan_cost(kz_run_t *run, const kz_cond_t *c);
static const kz_cond_t *kz_plan_best(kz_run_t *run, const kz_cond_t *c,
    uint64_t *cost, ngx_uint_t *any);
static ngx_uint_t kz_plan_exact(const kz_cond_t *c);
static ngx_int_t kz_plan_collect(kz_run_t *run, const kz_cond_t *c);
static ngx_int_t kz_plan_leaf(kz_run_t *run, const kz_leaf_t *leaf,
    kz_plan_e what, uint64_t *n);
static ngx_int_t kz_plan_range(kz_run_t *run, const kz_leaf_t *leaf,
    const kz_range_t *range, kz_plan_e what, uint64_t *n);
static ngx_int_t kz_plan_walk(kz_run_t *run, kz_cursor_t *c,
    const kz_leaf_t *leaf, const kz_range_t *range, kz_plan_e what,
    uint64_t *n);
static ngx_int_t kz_plan_values(kz_run_t *run, const kz_leaf_t *leaf,
    kz_plan_e what, uint64_t *n);
static ngx_int_t kz_plan_some(kz_run_t *run, kz_cursor_t *c,
    const kz_leaf_t *leaf, kz_plan_e what, uint64_t *n);
static ngx_int_t kz_plan_prefix(kz_run_t *run, const kz_leaf_t *leaf,
    kz_plan_e what, uint64_t *n);
static ngx_int_t kz_plan_ids(kz_run_t *run, const kz_cond_t *c);
static int kz_plan_cmp(const void *one, const void *two);


ngx_int_t
kz_plan_rows(kz_run_t *run, ngx_uint_t *exact)
{
    int               rc;
    size_t            i, n;
    uint64_t          cost;
    const kz_cond_t  *root;

    rc = kz_segments_read(run->db, run->s->col, &run->segs, &run->nsegs);

    if (rc != SQLITE_OK) {
        return kz_run_failed(run);
    }

    run->hi = run->nsegs ? run->segs[run->nsegs - 1].hi : 0;

    root = run->s->match->root;

    cost = kz_plan_cost(run, root);

    if (run->s->status != KZ_STORE_OK) {
        return NGX_ERROR;
    }

    if (cost == KZ_PLAN_NEVER) {
        return NGX_DECLINED;
    }

    *exact = kz_plan_exact(root);

    if (kz_plan_collect(run, root) != NGX_OK) {
        return NGX_ERROR;
    }

    if (run->nrows == 0) {
        return NGX_OK;
    }

    qsort(run->rows, run->nrows, sizeof(int64_t), kz_plan_cmp);

    n = 1;

    for (i = 1; i < run->nrows; i++) {
        if (run->rows[i] != run->rows[n - 1]) {
            run->rows[n++] = run->rows[i];
        }
    }

    /* ids know rows of the tail, too */

    while (run->posted && n > 0 && run->rows[n - 1] > run->hi) {
        n--;
    }

    run->nrows = n;

    return NGX_OK;
}


/* How many postings it takes to know all documents that may match. */
static uint64_t
kz_plan_cost(kz_run_t *run, const kz_cond_t *c)
{
    uint64_t     cost;
    ngx_uint_t   any;

    switch (c->type) {

    case KZ_COND_NONE:
        return 0;

    case KZ_COND_IDS:
        return c->nids;

    case KZ_COND_LEAF:
        cost = 0;

        if (c->leaf->field == NULL || !c->leaf->field->indexed
            || c->leaf->field->id <= 0)
        {
            return KZ_PLAN_NEVER;
        }

        return (kz_plan_leaf(run, c->leaf, KZ_PLAN_COUNT, &cost) == NGX_OK)
               ? cost : KZ_PLAN_NEVER;

    case KZ_COND_BOOL:
        (void) kz_plan_best(run, c, &cost, &any);
        return cost;

    default:
        return KZ_PLAN_NEVER;
    }
}


/* The child that drives; *any: all of c->any do, together. */
static const kz_cond_t *
kz_plan_best(kz_run_t *run, const kz_cond_t *c, uint64_t *cost,
    ngx_uint_t *any)
{
    uint64_t           n, sum;
    const kz_cond_t   *child, *best;

    best = NULL;
    *cost = KZ_PLAN_NEVER;
    *any = 0;

    for (child = c->all; child != NULL; child = child->next) {
        n = kz_plan_cost(run, child);

        if (n < *cost) {
            *cost = n;
            best = child;
        }
    }

    if (c->minimum == 0) {
        return best;
    }

    sum = 0;

    for (child = c->any; child != NULL; child = child->next) {
        n = kz_plan_cost(run, child);

        if (n == KZ_PLAN_NEVER) {
            return best;
        }

        sum += n;
    }

    if (sum < *cost) {
        *cost = sum;
        *any = 1;
    }

    return best;
}


/*
 * Whether the rows collected for it are those that match, no more.  One
 * child, whichever way it is reached, or any one of several.
 */
static ngx_uint_t
kz_plan_exact(const kz_cond_t *c)
{
    const kz_cond_t  *child;

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

    default:
        break;
    }

    child = kz_plan_best(run, c, &cost, &any);

    if (!any) {
        return (child == NULL) ? NGX_OK : kz_plan_collect(run, child);
    }

    for (child = c->any; child != NULL; child = child->next) {
        if (kz_plan_collect(run, child) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_plan_leaf(kz_run_t *run, const kz_leaf_t *leaf, kz_plan_e what,
    uint64_t *n)
{
    kz_range_t  range;

    ngx_memzero(&range, sizeof(kz_range_t));

    switch (leaf->type) {

    case KZ_LEAF_RANGE:
        range.lower = &leaf->lower;
        range.lower_in = leaf->lower_in;
        range.upper = &leaf->upper;
        range.upper_in = leaf->upper_in;

        return kz_plan_range(run, leaf, &range, what, n);

    case KZ_LEAF_EXISTS:
        return kz_plan_range(run, leaf, &range, what, n);

    case KZ_LEAF_PREFIX:
        return kz_plan_prefix(run, leaf, what, n);

    default:
        return kz_plan_values(run, leaf, what, n);
    }
}


/* Texts that start with it: up to, not including, its successor. */
static ngx_int_t
kz_plan_prefix(kz_run_t *run, const kz_leaf_t *leaf, kz_plan_e what,
    uint64_t *n)
{
    ngx_str_t    *prefix;
    kz_value_t    end;
    kz_range_t    range;

    ngx_memzero(&range, sizeof(kz_range_t));

    prefix = &leaf->values[0].text;

    end.type = KZ_VALUE_TEXT;
    end.text.len = prefix->len;
    end.text.data = ngx_pnalloc(run->s->pool, prefix->len + 1);

    if (end.text.data == NULL) {
        return kz_run_memory(run);
    }

    ngx_memcpy(end.text.data, prefix->data, prefix->len);

    while (end.text.len > 0 && end.text.data[end.text.len - 1] == 0xff) {
        end.text.len--;
    }

    if (end.text.len != 0) {
        end.text.data[end.text.len - 1]++;

        range.lower = &leaf->values[0];
        range.lower_in = 1;
        range.upper = &end;
    }

    return kz_plan_range(run, leaf, &range, what, n);
}


static ngx_int_t
kz_plan_range(kz_run_t *run, const kz_leaf_t *leaf, const kz_range_t *range,
    kz_plan_e what, uint64_t *n)
{
    ngx_int_t     rc;
    ngx_uint_t    i;
    kz_cursor_t   c;

    for (i = 0; i < run->nsegs; i++) {

        if (what == KZ_PLAN_COUNT && *n > KZ_PLAN_PROBE) {
            break;
        }

        kz_cursor_init(&c, run->db, run->s->col, &run->segs[i]);
        rc = kz_plan_walk(run, &c, leaf, range, what, n);
        kz_cursor_free(&c);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_plan_walk(kz_run_t *run, kz_cursor_t *c, const kz_leaf_t *leaf,
    const kz_range_t *range, kz_plan_e what, uint64_t *n)
{
    ngx_int_t          rc, cmp;
    const kz_value_t  *lower, *upper;

    lower = (range->lower && range->lower->type) ? range->lower : NULL;
    upper = (range->upper && range->upper->type) ? range->upper : NULL;

    for (rc = kz_cursor_seek(c, leaf->field->id, lower);
         rc == NGX_OK;
         rc = kz_cursor_next(c))
    {
        if (lower != NULL && !range->lower_in
            && kz_value_cmp(&c->it.v, lower) == 0)
        {
            continue;
        }

        if (upper != NULL && c->it.fresh) {
            cmp = kz_value_cmp(&c->it.v, upper);

            if (cmp > 0 || (cmp == 0 && !range->upper_in)) {
                return NGX_OK;
            }
        }

        if (what == KZ_PLAN_COUNT) {

            if (++*n > KZ_PLAN_PROBE) {
                return NGX_OK;
            }

        } else if (kz_plan_add(run, c->it.r) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return (rc == NGX_DONE) ? NGX_OK : kz_run_failed(run);
}


static ngx_int_t
kz_plan_values(kz_run_t *run, const kz_leaf_t *leaf, kz_plan_e what,
    uint64_t *n)
{
    ngx_int_t     rc;
    ngx_uint_t    i;
    kz_cursor_t   c;

    for (i = 0; i < run->nsegs; i++) {

        if (what == KZ_PLAN_COUNT && *n > KZ_PLAN_PROBE) {
            break;
        }

        kz_cursor_init(&c, run->db, run->s->col, &run->segs[i]);
        rc = kz_plan_some(run, &c, leaf, what, n);
        kz_cursor_free(&c);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * The values, which are sorted, in one segment: a long list looks at each
 * block once.
 */
static ngx_int_t
kz_plan_some(kz_run_t *run, kz_cursor_t *c, const kz_leaf_t *leaf,
    kz_plan_e what, uint64_t *n)
{
    ngx_int_t          rc, cmp;
    ngx_uint_t         i;
    const kz_value_t  *v;

    if (leaf->nvalues == 0) {
        return NGX_OK;
    }

    i = 0;
    rc = kz_cursor_seek(c, leaf->field->id, &leaf->values[0]);

    while (rc == NGX_OK) {
        v = &leaf->values[i];
        cmp = c->it.fresh ? kz_value_cmp(&c->it.v, v) : 0;

        if (cmp > 0) {

            if (++i == leaf->nvalues) {
                return NGX_OK;
            }

            c->it.fresh = 1;
            continue;
        }

        if (cmp < 0) {
            rc = kz_cursor_skip(c, v);
            continue;
        }

        if (what == KZ_PLAN_COUNT) {

            if (++*n > KZ_PLAN_PROBE) {
                return NGX_OK;
            }

        } else if (kz_plan_add(run, c->it.r) != NGX_OK) {
            return NGX_ERROR;
        }

        rc = kz_cursor_next(c);
    }

    return (rc == NGX_DONE) ? NGX_OK : kz_run_failed(run);
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
