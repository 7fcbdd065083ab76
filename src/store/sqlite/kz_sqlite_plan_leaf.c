
/*
 * The postings of one leaf: counted, or collected.  See kz_sqlite_plan.c.
 */

#include "store/sqlite/kz_sqlite_search_run.h"


#define KZ_PLAN_BLOCKS  1024          /* looked at to guess a cost */
#define KZ_PLAN_VALUES  64            /* of a list, to guess its cost */


/* Of values; NULL, or of type 0: open. */

typedef struct {
    const kz_value_t     *lower;
    const kz_value_t     *upper;
    ngx_uint_t            lower_in;
    ngx_uint_t            upper_in;
} kz_range_t;


static ngx_int_t kz_plan_head(kz_run_t *run, const kz_leaf_t *leaf,
    const ngx_str_t *head, kz_plan_e what, uint64_t *n);
static ngx_int_t kz_plan_blocks(kz_run_t *run, const kz_leaf_t *leaf,
    const kz_value_t *lower, const kz_value_t *upper, uint64_t *n);
static ngx_int_t kz_plan_range(kz_run_t *run, const kz_leaf_t *leaf,
    const kz_range_t *range, kz_plan_e what, uint64_t *n);
static ngx_int_t kz_plan_walk(kz_run_t *run, kz_cursor_t *c,
    const kz_leaf_t *leaf, const kz_range_t *range, kz_plan_e what,
    uint64_t *n);
static ngx_int_t kz_plan_values(kz_run_t *run, const kz_leaf_t *leaf,
    kz_plan_e what, uint64_t *n);
static ngx_int_t kz_plan_some(kz_run_t *run, kz_cursor_t *c,
    const kz_leaf_t *leaf, kz_plan_e what, uint64_t *n);


ngx_int_t
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
        return kz_plan_head(run, leaf, &leaf->values[0].text, what, n);

    default:
        return kz_plan_values(run, leaf, what, n);
    }
}


ngx_int_t
kz_plan_test(kz_run_t *run, const kz_leaf_t *leaf, kz_plan_e what,
    uint64_t *n)
{
    ngx_uint_t  i;
    kz_range_t  range;

    if (leaf->nspans == 0) {
        return kz_plan_head(run, leaf, &leaf->head, what, n);
    }

    range.lower_in = 1;
    range.upper_in = 1;

    for (i = 0; i < leaf->nspans; i++) {
        range.lower = &leaf->spans[2 * i];
        range.upper = &leaf->spans[2 * i + 1];

        if (kz_plan_range(run, leaf, &range, what, n) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Texts that start with it: up to, not including, its successor. */
static ngx_int_t
kz_plan_head(kz_run_t *run, const kz_leaf_t *leaf, const ngx_str_t *prefix,
    kz_plan_e what, uint64_t *n)
{
    kz_value_t    end, begin;
    kz_range_t    range;

    ngx_memzero(&range, sizeof(kz_range_t));

    begin.type = KZ_VALUE_TEXT;
    begin.text = *prefix;

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

        range.lower = &begin;
        range.lower_in = 1;
        range.upper = &end;
    }

    return kz_plan_range(run, leaf, &range, what, n);
}


static ngx_int_t
kz_plan_range(kz_run_t *run, const kz_leaf_t *leaf, const kz_range_t *range,
    kz_plan_e what, uint64_t *n)
{
    uint64_t      count;
    ngx_int_t     rc;
    ngx_uint_t    i;
    kz_cursor_t   c;

    count = 0;

    for (i = 0; i < run->nsegs; i++) {

        if (what == KZ_PLAN_COUNT && count > KZ_PLAN_PROBE) {
            break;
        }

        kz_cursor_init(&c, run->db, run->s->col, &run->segs[i]);
        rc = kz_plan_walk(run, &c, leaf, range, what, &count);
        kz_cursor_free(&c);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (what == KZ_PLAN_COLLECT) {
        return NGX_OK;
    }

    if (count > KZ_PLAN_PROBE
        && kz_plan_blocks(run, leaf, range->lower, range->upper, &count)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    *n += count;

    return NGX_OK;
}


/* What is between the two, by the blocks that begin there. */
static ngx_int_t
kz_plan_blocks(kz_run_t *run, const kz_leaf_t *leaf, const kz_value_t *lower,
    const kz_value_t *upper, uint64_t *n)
{
    int            rc;
    u_char         sql[192], *p;
    int64_t        sum, blocks, left;
    ngx_uint_t     i;
    sqlite3_stmt  *stmt;

    if (run->s->match->root->type != KZ_COND_BOOL) {

        /* nothing to choose from */

        return NGX_OK;
    }

    lower = (lower && lower->type) ? lower : NULL;
    upper = (upper && upper->type) ? upper : NULL;

    p = ngx_snprintf(sql, sizeof(sql), "SELECT sum(n), count(*) FROM (SELECT"
                     " n FROM t%L WHERE s = ?1 AND f = ?2%s%s LIMIT ?5)",
                     run->s->col, lower ? " AND v >= ?3" : "",
                     upper ? " AND v <= ?4" : "");

    stmt = kz_sqlite_stmt(run->db, (char *) sql, p - sql);
    if (stmt == NULL) {
        return kz_run_failed(run);
    }

    sum = 0;
    left = KZ_PLAN_BLOCKS;

    for (i = 0; i < run->nsegs && left > 0; i++) {

        (void) sqlite3_bind_int64(stmt, 1, run->segs[i].s);
        (void) sqlite3_bind_int64(stmt, 2, leaf->field->id);

        if (lower != NULL) {
            kz_segment_bind(stmt, 3, lower);
        }

        if (upper != NULL) {
            kz_segment_bind(stmt, 4, upper);
        }

        (void) sqlite3_bind_int64(stmt, 5, left);

        rc = sqlite3_step(stmt);

        if (rc != SQLITE_ROW) {
            (void) kz_run_failed(run);
            kz_sqlite_done(stmt);
            return NGX_ERROR;
        }

        sum += sqlite3_column_int64(stmt, 0);
        blocks = sqlite3_column_int64(stmt, 1);
        left -= blocks;

        (void) sqlite3_reset(stmt);
    }

    kz_sqlite_done(stmt);

    if (left <= 0) {

        /* and who knows how many more */

        sum *= 2;
    }

    *n = ngx_max(*n, (uint64_t) ngx_max(sum, 0));

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
    uint64_t      count, sum, one;
    ngx_int_t     rc;
    ngx_uint_t    i, max;
    kz_cursor_t   c;

    count = 0;

    for (i = 0; i < run->nsegs; i++) {

        if (what == KZ_PLAN_COUNT && count > KZ_PLAN_PROBE) {
            break;
        }

        kz_cursor_init(&c, run->db, run->s->col, &run->segs[i]);
        rc = kz_plan_some(run, &c, leaf, what, &count);
        kz_cursor_free(&c);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (what == KZ_PLAN_COLLECT) {
        return NGX_OK;
    }

    if (count > KZ_PLAN_PROBE) {
        max = ngx_min(leaf->nvalues, KZ_PLAN_VALUES);
        sum = 0;

        for (i = 0; i < max; i++) {
            one = 0;

            if (kz_plan_blocks(run, leaf, &leaf->values[i], &leaf->values[i],
                               &one)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            sum += one;
        }

        count = ngx_max(count, sum / max * leaf->nvalues);
    }

    *n += count;

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
