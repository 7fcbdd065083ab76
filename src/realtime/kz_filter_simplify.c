
/*
 * What the clauses of a conjunction say of each other, path by path:
 *
 *     equals a 1, equals a 2              nothing can match
 *     equals a 1, range a [0, 9]          equals a 1
 *     range a [0, 9], range a [5, ...]    range a [5, 9]
 *     range a [5, ...], range a [..., 5]  equals a 5
 *     equals a 1, exists a                equals a 1
 *     equals a 1, not equals a 2          equals a 1
 *     not exists a, not range a [0, 9]    not exists a
 *
 * So that filters that differ only in what they say twice share a text, and
 * that what nothing can match costs nothing.
 *
 * Paths do not know of each other: "a" may be a number and "a.b" exist, in
 * a document with the literal key "a.b".
 */

#include "realtime/kz_filter_int.h"

#include <math.h>


/* What the positive clauses and "not exists" of one path demand. */

typedef struct {
    kz_filter_clause_t  *equals;
    kz_filter_clause_t  *range;
    kz_filter_range_t    bounds;       /* of all ranges together */
    unsigned             contains:1;
    unsigned             exists:1;     /* some other way */
    unsigned             absent:1;
} kz_filter_facts_t;


/* The common part of two ranges. */
static void
kz_filter_range_and(kz_filter_range_t *r, const kz_filter_range_t *with)
{
    if (with->low > r->low) {
        r->low = with->low;
        r->above = with->above;

    } else if (with->low == r->low) {
        r->above |= with->above;
    }

    if (with->high < r->high) {
        r->high = with->high;
        r->below = with->below;

    } else if (with->high == r->high) {
        r->below |= with->below;
    }
}


static ngx_uint_t
kz_filter_range_empty(const kz_filter_range_t *r)
{
    return r->low > r->high || (r->low == r->high && (r->above || r->below));
}


static ngx_uint_t
kz_filter_range_same(const kz_filter_range_t *one,
    const kz_filter_range_t *two)
{
    return one->low == two->low && one->above == two->above
           && one->high == two->high && one->below == two->below;
}


static ngx_uint_t
kz_filter_number_in(const kz_filter_clause_t *equals,
    const kz_filter_range_t *r)
{
    return equals->u.scalar.type == KZ_JSON_NUMBER
           && kz_filter_in_range(r, equals->u.scalar.num);
}


/* NGX_DECLINED: two equalities. */
static ngx_int_t
kz_filter_fact(kz_filter_facts_t *facts, const kz_filter_literal_t *lit)
{
    kz_filter_clause_t  *clause;

    clause = lit->clause;

    if (lit->negated) {
        if (clause->kind->kind == KZ_FILTER_EXISTS) {
            facts->absent = 1;
        }

        return NGX_OK;
    }

    switch (clause->kind->kind) {

    case KZ_FILTER_EQUALS:
        if (facts->equals != NULL && facts->equals->id != clause->id) {
            return NGX_DECLINED;
        }

        facts->equals = clause;
        break;

    case KZ_FILTER_CONTAINS:
        facts->contains = 1;
        break;

    case KZ_FILTER_RANGE:
        facts->range = clause;
        kz_filter_range_and(&facts->bounds, &clause->u.range);
        break;

    case KZ_FILTER_EXISTS:
        break;

    default:
        facts->exists |= clause->kind->present;
    }

    return NGX_OK;
}


/*
 * Checks the facts against each other and draws the ranges together, into a
 * clause of their own when it is not one of them.
 */
static ngx_int_t
kz_filter_facts_check(kz_filter_ctx_t *c, kz_filter_facts_t *facts)
{
    kz_filter_clause_t  *clause;

    if (facts->absent && (facts->equals != NULL || facts->range != NULL
                          || facts->contains || facts->exists))
    {
        return NGX_DECLINED;
    }

    if (facts->contains && (facts->equals != NULL || facts->range != NULL)) {
        /* an array is neither a scalar nor a number */
        return NGX_DECLINED;
    }

    if (facts->range == NULL) {
        return NGX_OK;
    }

    if (kz_filter_range_empty(&facts->bounds)) {
        return NGX_DECLINED;
    }

    if (facts->equals != NULL) {
        return kz_filter_number_in(facts->equals, &facts->bounds)
               ? NGX_OK : NGX_DECLINED;
    }

    if (facts->bounds.low == facts->bounds.high) {
        clause = kz_filter_clause(c, KZ_FILTER_EQUALS, &facts->range->path);

        if (clause == NULL) {
            return NGX_ERROR;
        }

        clause->u.scalar.type = KZ_JSON_NUMBER;
        clause->u.scalar.num = facts->bounds.low;
        facts->equals = clause;

        return NGX_OK;
    }

    if (!kz_filter_range_same(&facts->bounds, &facts->range->u.range)) {
        clause = kz_filter_clause(c, KZ_FILTER_RANGE, &facts->range->path);

        if (clause == NULL) {
            return NGX_ERROR;
        }

        clause->u.range = facts->bounds;
        facts->range = clause;
    }

    return NGX_OK;
}


/* NGX_OK: keep it, NGX_DONE: implied, NGX_DECLINED: contradicted. */
static ngx_int_t
kz_filter_negative(const kz_filter_facts_t *facts,
    const kz_filter_clause_t *clause)
{
    kz_filter_range_t  both;

    switch (clause->kind->kind) {

    case KZ_FILTER_EQUALS:
        if (facts->equals != NULL || facts->contains || facts->absent) {
            return NGX_DONE;
        }

        return (facts->range == NULL
                || kz_filter_number_in(clause, &facts->bounds))
               ? NGX_OK : NGX_DONE;

    case KZ_FILTER_CONTAINS:
        return (facts->equals != NULL || facts->range != NULL
                || facts->absent)
               ? NGX_DONE : NGX_OK;

    case KZ_FILTER_RANGE:
        if (facts->contains || facts->absent) {
            return NGX_DONE;
        }

        if (facts->equals != NULL) {
            return kz_filter_number_in(facts->equals, &clause->u.range)
                   ? NGX_DECLINED : NGX_DONE;
        }

        if (facts->range == NULL) {
            return NGX_OK;
        }

        both = facts->bounds;
        kz_filter_range_and(&both, &clause->u.range);

        if (kz_filter_range_empty(&both)) {
            return NGX_DONE;
        }

        return kz_filter_range_same(&both, &facts->bounds) ? NGX_DECLINED
                                                           : NGX_OK;

    case KZ_FILTER_EXISTS:
        return NGX_OK;

    default:
        return (facts->absent && clause->kind->present) ? NGX_DONE : NGX_OK;
    }
}


static ngx_int_t
kz_filter_positive(const kz_filter_facts_t *facts,
    const kz_filter_clause_t *clause)
{
    switch (clause->kind->kind) {

    case KZ_FILTER_EQUALS:
    case KZ_FILTER_RANGE:
        /* what is left of them is in the facts */
        return NGX_DONE;

    case KZ_FILTER_EXISTS:
        return (facts->equals != NULL || facts->range != NULL
                || facts->contains || facts->exists)
               ? NGX_DONE : NGX_OK;

    default:
        return NGX_OK;
    }
}


/*
 * The literals of one path, from[0 .. n - 1], to to[]; the number of those
 * that are left, which is not more, in *left.
 */
static ngx_int_t
kz_filter_simplify_path(kz_filter_ctx_t *c, kz_filter_literal_t *to,
    const kz_filter_literal_t *from, ngx_uint_t n, ngx_uint_t *left)
{
    ngx_int_t            rc;
    ngx_uint_t           i, k;
    kz_filter_facts_t    facts;
    kz_filter_literal_t  lit;

    ngx_memzero(&facts, sizeof(kz_filter_facts_t));
    facts.bounds.low = -INFINITY;
    facts.bounds.high = INFINITY;

    for (i = 0; i < n; i++) {
        if (kz_filter_fact(&facts, &from[i]) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    rc = kz_filter_facts_check(c, &facts);

    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0, k = 0; i < n; i++) {
        lit = from[i];

        rc = lit.negated ? kz_filter_negative(&facts, lit.clause)
                         : kz_filter_positive(&facts, lit.clause);

        if (rc == NGX_DECLINED) {
            return rc;
        }

        if (rc == NGX_OK) {
            to[k++] = lit;
        }
    }

    /* at least one literal made room for it */

    if (facts.equals != NULL || facts.range != NULL) {
        to[k].clause = facts.equals ? facts.equals : facts.range;
        to[k].negated = 0;
        k++;
    }

    *left = k;

    return NGX_OK;
}


ngx_int_t
kz_filter_simplify(kz_filter_ctx_t *c, kz_filter_conj_t *conj)
{
    uint32_t              group;
    ngx_int_t             rc;
    ngx_uint_t            i, j, k, left;
    kz_filter_literal_t  *lits;

    lits = conj->literals;

    for (i = 0, k = 0; i < conj->n; i = j) {
        group = lits[i].clause->group;

        for (j = i + 1; j < conj->n && lits[j].clause->group == group; j++) {
            /* void */
        }

        rc = kz_filter_simplify_path(c, lits + k, lits + i, j - i, &left);

        if (rc != NGX_OK) {
            return rc;
        }

        k += left;
    }

    conj->n = k;

    return NGX_OK;
}
