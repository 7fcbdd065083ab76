
/*
 * Koncorde filters: from JSON to the canonical form.
 *
 * Filters that mean the same share a text as far as these rules go:
 *
 *   - "in" and "ids" are equalities, "missing" is not "exists", "bool" is
 *     and, or, not; order, nesting and repetition do not matter;
 *   - numbers are compared by value (1, 1.0, 1e0), strings by their decoded
 *     text;
 *   - negations stand at clauses (De Morgan), ands are distributed over ors;
 *   - what cannot match is dropped, and what is said by other clauses of the
 *     same conjunction (kz_filter_simplify.c);
 *   - conjunctions that others cover are dropped, "a or (not a and b)" is
 *     "a or b" (in filters of ordinary size).
 *
 * The text is a filter again: {"or":[{"and":[{"equals":...},...]},...]}, {}
 * for everything, {"nothing":true}.  It compiles to itself.
 *
 *     kz_filter_parse.c      JSON to expressions (also _leaf.c, _check.c)
 *     kz_filter_canon.c      expressions to a sorted or of ands
 *     kz_filter_simplify.c   what clauses of one path say of each other
 *     kz_filter_kind.c       clauses: text, order, test
 *     kz_filter_trie.c       the values of a document at given paths
 *     kz_filter_match.c      one filter
 *     kz_filter_set.c        many filters: filing (ranges: kz_filter_span.c)
 *     kz_filter_run.c        many filters: matching
 */

#include "realtime/kz_filter_int.h"


#define KZ_FILTER_TEMP_SIZE  4096
#define KZ_FILTER_ERROR_LEN  160


static ngx_int_t kz_filter_build(kz_filter_ctx_t *c,
    const kz_json_val_t *body, kz_filter_t *f);
static ngx_int_t kz_filter_print(kz_filter_ctx_t *c, kz_filter_t *f);
static ngx_int_t kz_filter_keep(kz_filter_ctx_t *c, kz_filter_t *f);


ngx_int_t
kz_filter_compile(ngx_pool_t *pool, const kz_json_val_t *body,
    const kz_filter_limits_t *limits, kz_filter_t **filter,
    kz_filter_err_t *err)
{
    ngx_int_t         rc;
    kz_filter_t      *f;
    kz_filter_ctx_t   c;

    ngx_memzero(err, sizeof(kz_filter_err_t));

    /* whoever fails for another reason says so */
    err->fault = KZ_FILTER_NO_MEMORY;

    ngx_memzero(&c, sizeof(kz_filter_ctx_t));

    c.pool = pool;
    c.err = err;
    c.max_conditions = limits->max_conditions;
    c.max_terms = limits->max_minterms;
    c.max_depth = limits->max_depth
                  ? ngx_min(limits->max_depth, KZ_FILTER_MAX_DEPTH)
                  : KZ_FILTER_MAX_DEPTH;

    f = ngx_pcalloc(pool, sizeof(kz_filter_t));
    c.temp = (f != NULL) ? ngx_create_pool(KZ_FILTER_TEMP_SIZE, pool->log)
                         : NULL;
    rc = NGX_ERROR;

    if (c.temp != NULL) {
        rc = kz_filter_build(&c, body, f);
        ngx_destroy_pool(c.temp);
    }

    if (rc != NGX_OK) {

        if (err->fault == KZ_FILTER_NO_MEMORY) {
            ngx_str_set(&err->message1, "Not enough memory");
            err->message2 = err->message1;
        }

        return NGX_ERROR;
    }

    *filter = f;

    return NGX_OK;
}


static ngx_int_t
kz_filter_build(kz_filter_ctx_t *c, const kz_json_val_t *body, kz_filter_t *f)
{
    kz_filter_expr_t  *e;

    e = kz_filter_parse(c, body);

    if (e == NULL) {
        return NGX_ERROR;
    }

    if (c->max_conditions != 0 && c->conditions > c->max_conditions) {
        return kz_filter_too_complex(c, "conditions", c->max_conditions,
                                     c->conditions);
    }

    if (kz_filter_canon(c, e, f) != NGX_OK
        || kz_filter_print(c, f) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_filter_keep(c, f);
}


/* what: "conditions", "minterms", ... */
ngx_int_t
kz_filter_too_complex(kz_filter_ctx_t *c, const char *what, ngx_uint_t limit,
    ngx_uint_t received)
{
    u_char           *p;
    kz_filter_err_t  *err;

    err = c->err;

    err->fault = KZ_FILTER_TOO_COMPLEX;
    err->limit = limit;
    err->received = received;

    ngx_str_set(&err->message1, "Maximum number of sub conditions reached.");
    ngx_str_null(&err->message2);

    p = ngx_pnalloc(c->pool, KZ_FILTER_ERROR_LEN);

    if (p == NULL) {
        err->fault = KZ_FILTER_NO_MEMORY;
        return NGX_ERROR;
    }

    err->message2.data = p;
    err->message2.len = ngx_snprintf(p, KZ_FILTER_ERROR_LEN,
                                     "Filter too complex: exceeds the "
                                     "configured maximum number of %s "
                                     "(%s: %ui, max: %ui)",
                                     what, what, received, limit)
                        - p;

    return NGX_ERROR;
}


/* A new clause of the compilation, in c->temp. */
kz_filter_clause_t *
kz_filter_clause(kz_filter_ctx_t *c, kz_filter_kind_e kind,
    const ngx_str_t *path)
{
    kz_filter_clause_t  *clause;

    clause = ngx_pcalloc(c->temp, sizeof(kz_filter_clause_t));

    if (clause == NULL) {
        return NULL;
    }

    clause->kind = &kz_filter_kinds[kind];
    clause->path = *path;

    clause->next = c->clauses;
    c->clauses = clause;

    return clause;
}


static void
kz_filter_print_conj(kz_out_t *o, const kz_filter_conj_t *conj)
{
    ngx_uint_t            i;
    kz_filter_literal_t  *lit;

    if (conj->n > 1) {
        kz_out_lit(o, "{\"and\":[");
    }

    for (i = 0; i < conj->n; i++) {
        lit = &conj->literals[i];

        if (i > 0) {
            kz_out_char(o, ',');
        }

        if (lit->negated) {
            kz_out_lit(o, "{\"not\":");
        }

        lit->clause->kind->print(o, lit->clause);

        if (lit->negated) {
            kz_out_char(o, '}');
        }
    }

    if (conj->n > 1) {
        kz_out_lit(o, "]}");
    }
}


static ngx_int_t
kz_filter_print(kz_filter_ctx_t *c, kz_filter_t *f)
{
    kz_out_t    o;
    ngx_uint_t  i;

    kz_out_init(&o, c->temp, 256);

    if (f->n == 0) {
        kz_out_lit(&o, "{\"nothing\":true}");

    } else if (f->conjs[0].n == 0) {
        kz_out_lit(&o, "{}");

    } else {

        if (f->n > 1) {
            kz_out_lit(&o, "{\"or\":[");
        }

        for (i = 0; i < f->n; i++) {
            if (i > 0) {
                kz_out_char(&o, ',');
            }

            kz_filter_print_conj(&o, &f->conjs[i]);
        }

        if (f->n > 1) {
            kz_out_lit(&o, "]}");
        }
    }

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    f->text.len = kz_out_len(&o);
    f->text.data = ngx_pnalloc(c->pool, f->text.len);

    if (f->text.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(f->text.data, o.start, f->text.len);

    return NGX_OK;
}


static ngx_int_t
kz_filter_str_dup(ngx_pool_t *pool, ngx_str_t *s)
{
    u_char  *p;

    if (s->len == 0) {
        /* memcmp() and friends want a pointer all the same */
        s->data = (u_char *) "";
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, s->len);

    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, s->data, s->len);
    s->data = p;

    return NGX_OK;
}


/* A copy of a clause in the caller's pool, made when it is first met. */
static kz_filter_clause_t *
kz_filter_clause_dup(kz_filter_ctx_t *c, kz_filter_t *f,
    kz_filter_clause_t **copies, const kz_filter_clause_t *clause)
{
    ngx_str_t            path;
    kz_filter_clause_t  *copy;

    copy = copies[clause->id];

    if (copy != NULL) {
        return copy;
    }

    copy = ngx_palloc(c->pool, sizeof(kz_filter_clause_t));

    if (copy == NULL) {
        return NULL;
    }

    *copy = *clause;
    copy->next = NULL;
    copies[clause->id] = copy;

    path = clause->path;

    copy->node = kz_filter_node_get(&f->trie, &path);

    if (copy->node == NULL
        || kz_filter_str_dup(c->pool, &copy->path) != NGX_OK)
    {
        return NULL;
    }

    if ((copy->kind->kind == KZ_FILTER_EQUALS
         || copy->kind->kind == KZ_FILTER_CONTAINS)
        && kz_filter_str_dup(c->pool, &copy->u.scalar.str) != NGX_OK)
    {
        return NULL;
    }

    return copy;
}


/* Moves what is left of the compilation into the caller's pool. */
static ngx_int_t
kz_filter_keep(kz_filter_ctx_t *c, kz_filter_t *f)
{
    ngx_uint_t             i, j;
    kz_filter_conj_t      *conjs, *conj;
    kz_filter_clause_t   **copies;
    kz_filter_literal_t   *lits;

    if (kz_filter_trie_init(&f->trie, c->pool, c->pool->log) != NGX_OK) {
        return NGX_ERROR;
    }

    copies = ngx_pcalloc(c->temp, (c->nclauses + 1)
                                  * sizeof(kz_filter_clause_t *));
    conjs = ngx_palloc(c->pool, (f->n + 1) * sizeof(kz_filter_conj_t));

    if (copies == NULL || conjs == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < f->n; i++) {
        conj = &f->conjs[i];

        lits = ngx_palloc(c->pool,
                          (conj->n + 1) * sizeof(kz_filter_literal_t));

        if (lits == NULL) {
            return NGX_ERROR;
        }

        for (j = 0; j < conj->n; j++) {
            lits[j] = conj->literals[j];
            lits[j].clause = kz_filter_clause_dup(c, f, copies,
                                                  lits[j].clause);

            if (lits[j].clause == NULL) {
                return NGX_ERROR;
            }
        }

        conjs[i].n = conj->n;
        conjs[i].literals = lits;
    }

    f->conjs = conjs;

    return NGX_OK;
}


ngx_str_t *
kz_filter_text(kz_filter_t *f)
{
    return &f->text;
}
