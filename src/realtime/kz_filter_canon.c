
/*
 * The canonical form: an or of ands of literals.
 *
 * Clauses are sorted and numbered first, equal ones alike.  A literal is
 * then an integer (twice the number, plus one when it is negated), a term (a
 * conjunction) a sorted array of them: merging two terms is merging two
 * arrays, x and not x end up side by side.
 *
 *     distribute   ands over ors, from the leaves up; contradictions fall
 *                  away at once, repeated and absorbed terms at every level
 *     simplify     every term by what its clauses mean, which makes some
 *                  new clauses: number again
 *     resolve      a or (not a and b)  =  a or b
 *
 * Distribution explodes by nature: 40 ors of two are 2^40 terms.  Bounds on
 * terms, on literals and on work done hold whatever the configuration says;
 * no truth table is built.
 */

#include "realtime/kz_filter_int.h"

#include <stdlib.h>


/* Beyond this, resolving costs more than a shared room saves. */
#define KZ_FILTER_RESOLVE_TERMS     256
#define KZ_FILTER_RESOLVE_LITERALS  4096
#define KZ_FILTER_RESOLVE_ROUNDS    8


typedef struct {
    uint64_t            mask;          /* one bit a literal, of 64 */
    uint32_t            n;
    uint32_t            lits[];
} kz_filter_term_t;


typedef struct {
    kz_filter_term_t  **terms;
    ngx_uint_t          n;
    ngx_uint_t          allocated;
    ngx_uint_t          literals;      /* in all of them */
} kz_filter_terms_t;


#define kz_filter_lit(clause, negated)  ((clause)->id * 2 + (negated))
#define kz_filter_bit(lit)              ((uint64_t) 1 << ((lit) & 63))


static ngx_int_t kz_filter_distribute(kz_filter_ctx_t *c,
    const kz_filter_expr_t *e, kz_filter_terms_t *list);


static ngx_int_t
kz_filter_work(kz_filter_ctx_t *c, ngx_uint_t n)
{
    c->work += n;

    if (c->work > KZ_FILTER_MAX_WORK) {
        return kz_filter_too_complex(c, "minterms", KZ_FILTER_MAX_TERMS,
                                     KZ_FILTER_MAX_TERMS + 1);
    }

    return NGX_OK;
}


static int
kz_filter_clause_sort(const void *one, const void *two)
{
    return (int) kz_filter_clause_cmp(*(kz_filter_clause_t * const *) one,
                                      *(kz_filter_clause_t * const *) two);
}


/* Numbers all clauses; c->table holds one of each. */
static ngx_int_t
kz_filter_enumerate(kz_filter_ctx_t *c)
{
    uint32_t              i, n, group;
    kz_filter_clause_t   *clause, *last, **all;

    for (n = 0, clause = c->clauses; clause != NULL; clause = clause->next) {
        n++;
    }

    all = ngx_palloc(c->temp, (n + 1) * sizeof(kz_filter_clause_t *));
    c->scratch = ngx_palloc(c->temp, (n + 1) * sizeof(uint32_t));

    if (all == NULL || c->scratch == NULL) {
        return NGX_ERROR;
    }

    for (n = 0, clause = c->clauses; clause != NULL; clause = clause->next) {
        all[n++] = clause;
    }

    qsort(all, n, sizeof(kz_filter_clause_t *), kz_filter_clause_sort);

    c->table = all;
    c->nclauses = 0;
    last = NULL;
    group = 0;

    for (i = 0; i < n; i++) {
        clause = all[i];

        if (last != NULL
            && kz_filter_str_cmp(&last->path, &clause->path) != 0)
        {
            group++;
        }

        clause->group = group;

        if (last == NULL || kz_filter_clause_cmp(last, clause) != 0) {
            c->table[c->nclauses++] = clause;
        }

        clause->id = c->nclauses - 1;
        last = clause;
    }

    return NGX_OK;
}


/* Terms. */

static kz_filter_term_t *
kz_filter_term(kz_filter_ctx_t *c, const uint32_t *lits, uint32_t n)
{
    uint32_t           i;
    kz_filter_term_t  *t;

    t = ngx_palloc(c->temp, sizeof(kz_filter_term_t) + n * sizeof(uint32_t));

    if (t == NULL) {
        return NULL;
    }

    t->n = n;
    t->mask = 0;

    for (i = 0; i < n; i++) {
        t->lits[i] = lits[i];
        t->mask |= kz_filter_bit(lits[i]);
    }

    return t;
}


static ngx_int_t
kz_filter_terms_push(kz_filter_ctx_t *c, kz_filter_terms_t *list,
    kz_filter_term_t *t)
{
    ngx_uint_t          n;
    kz_filter_term_t  **terms;

    if (t == NULL) {
        return NGX_ERROR;
    }

    if (list->n == KZ_FILTER_MAX_TERMS) {
        return kz_filter_too_complex(c, "minterms", KZ_FILTER_MAX_TERMS,
                                     list->n + 1);
    }

    if (list->literals + t->n > KZ_FILTER_MAX_LITERALS) {
        return kz_filter_too_complex(c, "clauses", KZ_FILTER_MAX_LITERALS,
                                     list->literals + t->n);
    }

    if (list->n == list->allocated) {
        n = list->n ? 2 * list->n : 4;

        terms = ngx_palloc(c->temp, n * sizeof(kz_filter_term_t *));

        if (terms == NULL) {
            return NGX_ERROR;
        }

        if (list->n != 0) {
            ngx_memcpy(terms, list->terms,
                       list->n * sizeof(kz_filter_term_t *));
            (void) ngx_pfree(c->temp, list->terms);
        }

        list->terms = terms;
        list->allocated = n;
    }

    list->terms[list->n++] = t;
    list->literals += t->n;

    return NGX_OK;
}


/*
 * Whether a literal may stand behind those before it: NGX_DECLINED when it
 * contradicts one.  *equals is the last positive equality seen.
 */
static ngx_int_t
kz_filter_follows(kz_filter_ctx_t *c, uint32_t last, uint32_t lit,
    kz_filter_clause_t **equals)
{
    kz_filter_clause_t  *clause;

    if ((last ^ lit) == 1) {
        return NGX_DECLINED;
    }

    if (lit & 1) {
        return NGX_OK;
    }

    clause = c->table[lit / 2];

    if (clause->kind->kind != KZ_FILTER_EQUALS) {
        return NGX_OK;
    }

    if (*equals != NULL && (*equals)->group == clause->group) {
        return NGX_DECLINED;
    }

    *equals = clause;

    return NGX_OK;
}


/* Both, as a term in c->scratch; NGX_DECLINED: a contradiction. */
static ngx_int_t
kz_filter_merge(kz_filter_ctx_t *c, const kz_filter_term_t *one,
    const kz_filter_term_t *two, uint32_t *n)
{
    uint32_t             i, j, lit;
    kz_filter_clause_t  *equals;

    if (kz_filter_work(c, 16 + 8 * (one->n + two->n)) != NGX_OK) {
        return NGX_ERROR;
    }

    equals = NULL;
    *n = 0;

    for (i = 0, j = 0; i < one->n || j < two->n; /* void */) {

        if (j == two->n || (i < one->n && one->lits[i] <= two->lits[j])) {
            lit = one->lits[i++];

            if (j < two->n && two->lits[j] == lit) {
                j++;
            }

        } else {
            lit = two->lits[j++];
        }

        if (kz_filter_follows(c, *n ? c->scratch[*n - 1] : lit, lit, &equals)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        c->scratch[(*n)++] = lit;
    }

    return NGX_OK;
}


static int
kz_filter_lit_sort(const void *one, const void *two)
{
    uint32_t  a, b;

    a = *(const uint32_t *) one;
    b = *(const uint32_t *) two;

    return (a > b) - (a < b);
}


/*
 * A term of n literals in any order, which are overwritten; pushed unless
 * it is a contradiction.
 */
static ngx_int_t
kz_filter_term_of(kz_filter_ctx_t *c, kz_filter_terms_t *list,
    uint32_t *lits, uint32_t n)
{
    uint32_t             i, k;
    kz_filter_clause_t  *equals;

    qsort(lits, n, sizeof(uint32_t), kz_filter_lit_sort);

    equals = NULL;

    for (i = 0, k = 0; i < n; i++) {
        if (k > 0 && lits[k - 1] == lits[i]) {
            continue;
        }

        if (kz_filter_follows(c, k ? lits[k - 1] : lits[i], lits[i], &equals)
            != NGX_OK)
        {
            return NGX_OK;
        }

        lits[k++] = lits[i];
    }

    return kz_filter_terms_push(c, list, kz_filter_term(c, lits, k));
}


/* Lists of terms. */

/* Shorter ones first: only they can absorb others. */
static int
kz_filter_term_sort(const void *one, const void *two)
{
    uint32_t                 i;
    const kz_filter_term_t  *a, *b;

    a = *(kz_filter_term_t * const *) one;
    b = *(kz_filter_term_t * const *) two;

    if (a->n != b->n) {
        return (a->n > b->n) ? 1 : -1;
    }

    for (i = 0; i < a->n; i++) {
        if (a->lits[i] != b->lits[i]) {
            return (a->lits[i] > b->lits[i]) ? 1 : -1;
        }
    }

    return 0;
}


/* Whether all literals of one are in two. */
static ngx_uint_t
kz_filter_subset(const kz_filter_term_t *one, const kz_filter_term_t *two)
{
    uint32_t  i, j;

    if ((one->mask & ~two->mask) != 0) {
        return 0;
    }

    for (i = 0, j = 0; i < one->n; i++, j++) {

        while (j < two->n && two->lits[j] < one->lits[i]) {
            j++;
        }

        if (j == two->n || two->lits[j] != one->lits[i]) {
            return 0;
        }
    }

    return 1;
}


/* Sorts, drops what is there twice and what a shorter term covers. */
static ngx_int_t
kz_filter_reduce(kz_filter_ctx_t *c, kz_filter_terms_t *list)
{
    ngx_uint_t          i, j, k;
    kz_filter_term_t   *t, **terms;

    terms = list->terms;

    if (list->n < 2) {
        return NGX_OK;
    }

    if (kz_filter_work(c, 16 * list->n) != NGX_OK) {
        return NGX_ERROR;
    }

    qsort(terms, list->n, sizeof(kz_filter_term_t *), kz_filter_term_sort);

    list->literals = 0;

    for (i = 0, k = 0; i < list->n; i++) {
        t = terms[i];

        if (k > 0 && kz_filter_term_sort(&terms[k - 1], &terms[i]) == 0) {
            continue;
        }

        for (j = 0; j < k && terms[j]->n < t->n; j++) {
            if (kz_filter_subset(terms[j], t)) {
                break;
            }
        }

        if (kz_filter_work(c, j + 1) != NGX_OK) {
            return NGX_ERROR;
        }

        if (j < k && terms[j]->n < t->n) {
            continue;
        }

        terms[k++] = t;
        list->literals += t->n;
    }

    list->n = k;

    return NGX_OK;
}


/* Every term of one with every term of two; the result replaces one. */
static ngx_int_t
kz_filter_product(kz_filter_ctx_t *c, kz_filter_terms_t *one,
    const kz_filter_terms_t *two)
{
    uint32_t            n;
    ngx_int_t           rc;
    ngx_uint_t          i, j;
    kz_filter_terms_t   list;

    ngx_memzero(&list, sizeof(kz_filter_terms_t));

    for (i = 0; i < one->n; i++) {
        for (j = 0; j < two->n; j++) {
            rc = kz_filter_merge(c, one->terms[i], two->terms[j], &n);

            if (rc == NGX_DECLINED) {
                continue;
            }

            /* many may cover each other, as in the product with itself */

            if (list.n == KZ_FILTER_MAX_TERMS
                && kz_filter_reduce(c, &list) != NGX_OK)
            {
                return NGX_ERROR;
            }

            if (rc != NGX_OK
                || kz_filter_terms_push(c, &list,
                                        kz_filter_term(c, c->scratch, n))
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    *one = list;

    return kz_filter_reduce(c, one);
}


/*
 * An and: its leaves at once, which are one term, then the other operands
 * one after the other.
 */
static ngx_int_t
kz_filter_conjunction(kz_filter_ctx_t *c, const kz_filter_expr_t *e,
    kz_filter_terms_t *list)
{
    uint32_t                 n, *lits;
    ngx_uint_t               i;
    kz_filter_terms_t        all, sub;
    const kz_filter_expr_t  *op;

    for (n = 0, op = e->first; op != NULL; op = op->next) {
        n += (op->op == KZ_FILTER_LEAF);
    }

    lits = ngx_palloc(c->temp, (n + 1) * sizeof(uint32_t));

    if (lits == NULL) {
        return NGX_ERROR;
    }

    for (n = 0, op = e->first; op != NULL; op = op->next) {
        if (op->op == KZ_FILTER_LEAF) {
            lits[n++] = kz_filter_lit(op->clause, op->negated);
        }
    }

    ngx_memzero(&all, sizeof(kz_filter_terms_t));

    if (kz_filter_term_of(c, &all, lits, n) != NGX_OK) {
        return NGX_ERROR;
    }

    for (op = e->first; op != NULL && all.n != 0; op = op->next) {

        if (op->op == KZ_FILTER_LEAF) {
            continue;
        }

        ngx_memzero(&sub, sizeof(kz_filter_terms_t));

        if (kz_filter_distribute(c, op, &sub) != NGX_OK
            || kz_filter_product(c, &all, &sub) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < all.n; i++) {
        if (kz_filter_terms_push(c, list, all.terms[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* An or, and those right below it. */
static ngx_int_t
kz_filter_disjunction(kz_filter_ctx_t *c, const kz_filter_expr_t *e,
    kz_filter_terms_t *list)
{
    ngx_int_t                rc;
    const kz_filter_expr_t  *op;

    for (op = e->first; op != NULL; op = op->next) {
        rc = (op->op == KZ_FILTER_OR) ? kz_filter_disjunction(c, op, list)
                                      : kz_filter_distribute(c, op, list);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Appends the terms of an expression; as deep as the parser allowed. */
static ngx_int_t
kz_filter_distribute(kz_filter_ctx_t *c, const kz_filter_expr_t *e,
    kz_filter_terms_t *list)
{
    uint32_t  lit;

    switch (e->op) {

    case KZ_FILTER_TRUE:
        return kz_filter_terms_push(c, list, kz_filter_term(c, NULL, 0));

    case KZ_FILTER_FALSE:
        return NGX_OK;

    case KZ_FILTER_LEAF:
        lit = kz_filter_lit(e->clause, e->negated);
        return kz_filter_terms_push(c, list, kz_filter_term(c, &lit, 1));

    case KZ_FILTER_AND:
        return kz_filter_conjunction(c, e, list);

    default: /* KZ_FILTER_OR */
        if (kz_filter_disjunction(c, e, list) != NGX_OK) {
            return NGX_ERROR;
        }

        return kz_filter_reduce(c, list);
    }
}


/*
 * If all literals of one but x are in two, and not x is, then two needs no
 * "not x": where x holds, one matches.  Returns the literal that two can do
 * without, or -1.
 */
static int64_t
kz_filter_needless(kz_filter_ctx_t *c, const kz_filter_term_t *one,
    const kz_filter_term_t *two)
{
    int64_t   found;
    uint32_t  i, j;

    found = -1;

    for (i = 0, j = 0; i < one->n; i++, j++) {

        while (j < two->n && two->lits[j] / 2 < one->lits[i] / 2) {
            j++;
        }

        if (j == two->n || two->lits[j] / 2 != one->lits[i] / 2) {
            return -1;
        }

        if (two->lits[j] == one->lits[i]) {
            continue;
        }

        if (found != -1 || c->table[two->lits[j] / 2]->kind->partial) {
            return -1;
        }

        found = two->lits[j];
    }

    return found;
}


static kz_filter_term_t *
kz_filter_without(kz_filter_ctx_t *c, const kz_filter_term_t *t, uint32_t lit)
{
    uint32_t  i, n;

    for (i = 0, n = 0; i < t->n; i++) {
        if (t->lits[i] != lit) {
            c->scratch[n++] = t->lits[i];
        }
    }

    return kz_filter_term(c, c->scratch, n);
}


/*
 * The rounds start from a sorted list, so that what comes out depends on
 * the terms only.
 */
static ngx_int_t
kz_filter_resolve(kz_filter_ctx_t *c, kz_filter_terms_t *list)
{
    int64_t             lit;
    ngx_uint_t          i, j, round, changed;
    kz_filter_term_t   *t;

    if (list->n > KZ_FILTER_RESOLVE_TERMS
        || list->literals > KZ_FILTER_RESOLVE_LITERALS)
    {
        return NGX_OK;
    }

    for (round = 0; round < KZ_FILTER_RESOLVE_ROUNDS; round++) {
        changed = 0;

        for (i = 0; i < list->n; i++) {
            for (j = 0; j < list->n; j++) {

                if (i == j || list->terms[i]->n > list->terms[j]->n) {
                    continue;
                }

                lit = kz_filter_needless(c, list->terms[i], list->terms[j]);

                if (lit == -1) {
                    continue;
                }

                t = kz_filter_without(c, list->terms[j], (uint32_t) lit);

                if (t == NULL) {
                    return NGX_ERROR;
                }

                list->terms[j] = t;
                changed = 1;
            }
        }

        if (!changed) {
            break;
        }

        if (kz_filter_reduce(c, list) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Terms to conjunctions, in c->temp. */
static ngx_int_t
kz_filter_conjs(kz_filter_ctx_t *c, const kz_filter_terms_t *list,
    kz_filter_t *f)
{
    uint32_t           j;
    ngx_uint_t         i;
    kz_filter_conj_t  *conj;
    kz_filter_term_t  *t;

    f->n = list->n;
    f->conjs = ngx_palloc(c->temp, (list->n + 1) * sizeof(kz_filter_conj_t));

    if (f->conjs == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < list->n; i++) {
        t = list->terms[i];
        conj = &f->conjs[i];

        conj->n = t->n;
        conj->literals = ngx_palloc(c->temp,
                                    (t->n + 1) * sizeof(kz_filter_literal_t));

        if (conj->literals == NULL) {
            return NGX_ERROR;
        }

        for (j = 0; j < t->n; j++) {
            conj->literals[j].clause = c->table[t->lits[j] / 2];
            conj->literals[j].negated = t->lits[j] & 1;
        }
    }

    return NGX_OK;
}


/*
 * Simplifies the conjunctions; those that are left are numbered anew and
 * made terms again.
 */
static ngx_int_t
kz_filter_meaning(kz_filter_ctx_t *c, kz_filter_t *f,
    kz_filter_terms_t *list)
{
    uint32_t          *lits;
    ngx_int_t          rc;
    ngx_uint_t         i, j, k;
    kz_filter_conj_t  *conj;

    for (i = 0, k = 0; i < f->n; i++) {
        rc = kz_filter_simplify(c, &f->conjs[i]);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK) {
            f->conjs[k++] = f->conjs[i];
        }
    }

    f->n = k;

    if (kz_filter_enumerate(c) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(list, sizeof(kz_filter_terms_t));

    for (i = 0; i < f->n; i++) {
        conj = &f->conjs[i];

        lits = ngx_palloc(c->temp, (conj->n + 1) * sizeof(uint32_t));

        if (lits == NULL) {
            return NGX_ERROR;
        }

        for (j = 0; j < conj->n; j++) {
            lits[j] = kz_filter_lit(conj->literals[j].clause,
                                    conj->literals[j].negated);
        }

        if (kz_filter_term_of(c, list, lits, conj->n) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return kz_filter_reduce(c, list);
}


ngx_int_t
kz_filter_canon(kz_filter_ctx_t *c, kz_filter_expr_t *e, kz_filter_t *f)
{
    kz_filter_terms_t  list;

    ngx_memzero(&list, sizeof(kz_filter_terms_t));

    if (kz_filter_enumerate(c) != NGX_OK
        || kz_filter_distribute(c, e, &list) != NGX_OK
        || kz_filter_reduce(c, &list) != NGX_OK
        || kz_filter_conjs(c, &list, f) != NGX_OK
        || kz_filter_meaning(c, f, &list) != NGX_OK
        || kz_filter_resolve(c, &list) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (c->max_terms != 0 && list.n > c->max_terms) {
        return kz_filter_too_complex(c, "minterms", c->max_terms, list.n);
    }

    return kz_filter_conjs(c, &list, f);
}
