#ifndef _KZ_NAIVE_CLAUSE_H_INCLUDED_
#define _KZ_NAIVE_CLAUSE_H_INCLUDED_

/*
 * Random clauses, their text, and whether a document matches one; see
 * naive.h.
 */

#include "naive.h"


static clause_t *clause_random(const variant_t *v, int depth, int inner);
static void clause_text(const variant_t *v, const clause_t *c);
static int clause_match(const variant_t *v, const clause_t *c,
    const doc_t *d, int number, int object);


static field_e
field_random(const variant_t *v, int inner)
{
    if (inner) {
        return rnd(2) ? IN_WHO : IN_STARS;
    }

    return rnd(v->rule == RAW ? IN_D : IN_T);
}


static field_e
text_field(int inner)
{
    return inner ? IN_WHO : rnd(4) == 0 ? IN_OK : IN_K;
}


/* A word, with a mistake. */

static void
word_random(char *p)
{
    int  n;

    strcpy(p, naive_words[rnd(WORDS)]);
    n = rnd((int) strlen(p));

    switch (rnd(4)) {
    case 0:
        p[n] = 'x';
        break;
    case 1:
        memmove(p + n, p + n + 1, strlen(p + n));
        break;
    case 2:
        if (p[n + 1]) {
            char  c = p[n];
            p[n] = p[n + 1];
            p[n + 1] = c;
        }
        break;
    }
}


static void
value_random(const variant_t *v, clause_t *c, int i)
{
    switch (c->field) {
    case IN_I:
        c->d[i] = rnd(45) - 5;
        break;
    case IN_F:
        c->d[i] = rnd(160) / 4.0;
        break;
    case IN_B:
        c->d[i] = rnd(2);
        break;
    case IN_D:
        c->d[i] = 1 + rnd(28);
        break;
    case IN_STARS:
        c->d[i] = 1 + rnd(5);
        break;
    case IN_G:
        sprintf(c->s[i], "g%d", rnd(6));
        break;
    case IN_WHO:
        sprintf(c->s[i], "w%d", rnd(4));
        break;
    case IN_T:
        strcpy(c->s[i], naive_words[rnd(WORDS)]);
        break;
    default:
        random_text(v, c->s[i], c->field == IN_OK ? 2 : rnd(3) ? 2 : 4);
    }
}


/* Fuzzy, wildcard, regexp, prefix. */

static void
pattern_random(const variant_t *v, clause_t *c, int inner)
{
    int  i, n;

    c->n = 1;
    c->field = text_field(inner);

    if (!inner && v->rule != RAW && c->kind != C_REGEXP && rnd(3) == 0) {
        c->field = IN_T;
        word_random(c->s[0]);

    } else {
        value_random(v, c, 0);
    }

    switch (c->kind) {
    case C_PREFIX:
        n = 1 + rnd(3);
        if (n < (int) strlen(c->s[0])) {
            c->s[0][n] = '\0';
        }
        break;
    case C_WILDCARD:
        n = (int) strlen(c->s[0]);
        for (i = 0; i < n; i++) {
            if (rnd(3) == 0) {
                c->s[0][i] = rnd(2) ? '*' : '?';
            }
        }
        break;
    case C_REGEXP:
        c->re = re_random(0);
        break;
    default:
        c->edits = rnd(4);                           /* 3: AUTO */
        c->prefix = rnd(3) ? 0 : rnd(3);
        c->swaps = rnd(3) != 0;
    }
}


static void
words_random(const variant_t *v, clause_t *c)
{
    int  i;

    static const char  *msm[] = { "1", "2", "-1", "50%", "-30%", "75%" };

    c->field = IN_T;
    c->n = 1 + rnd(3);

    for (i = 0; i < c->n; i++) {
        value_random(v, c, i);
    }

    c->every = rnd(3) == 0;

    if (c->kind == C_MATCH && !c->every && c->n > 1 && rnd(2)) {
        strcpy(c->msm, msm[rnd(6)]);
    }
}


static void
bool_random(const variant_t *v, clause_t *c, int depth, int inner)
{
    int  i, n;

    static const char  *msm[] = {
        "1", "2", "3", "-1", "-2", "50%", "-50%", "100%"
    };

    n = 1 + rnd(4);

    for (i = 0; i < n; i++) {
        clause_t  *sub = clause_random(v, depth + 1, inner);

        switch (rnd(5)) {
        case 0:
            c->must[c->nmust++] = sub;
            break;
        case 1:
            c->filter[c->nfilter++] = sub;
            break;
        case 2:
            c->not[c->nnot++] = sub;
            break;
        default:
            c->should[c->nshould++] = sub;
        }
    }

    if (c->nshould && rnd(2)) {
        strcpy(c->msm, msm[rnd(8)]);

        if (c->msm[0] <= '9' && !c->msm[1] && atoi(c->msm) > c->nshould) {
            strcpy(c->msm, msm[c->nshould - 1]);
        }
    }
}


/* inner: of the objects of c. */

static clause_t *
clause_random(const variant_t *v, int depth, int inner)
{
    int        i;
    clause_t  *c = arena(sizeof(clause_t));

    static const int  kinds[] = {
        C_TERM, C_TERM, C_TERMS, C_TERMS, C_RANGE, C_RANGE, C_RANGE,
        C_EXISTS, C_IDS, C_PREFIX, C_WILDCARD, C_REGEXP, C_FUZZY, C_MATCH,
        C_PHRASE, C_NESTED, C_ALL, C_NONE, C_BOOL, C_BOOL, C_BOOL, C_BOOL,
        C_DIS_MAX, C_CONSTANT
    };

    do {
        c->kind = kinds[rnd(depth < 2 ? 24 : 18)];

    } while ((inner && (c->kind == C_IDS || c->kind == C_NESTED
                        || c->kind == C_MATCH || c->kind == C_PHRASE))
             || (v->rule != MAPPED && c->kind == C_NESTED)
             || (v->rule == RAW
                 && (c->kind == C_MATCH || c->kind == C_PHRASE
                     || c->kind == C_REGEXP || c->kind == C_FUZZY
                     || c->kind == C_WILDCARD)));

    switch (c->kind) {
    case C_TERM:
    case C_TERMS:
    case C_RANGE:
        c->field = field_random(v, inner);

        if (c->kind == C_TERM && !inner && v->rule != RAW && rnd(6) == 0) {
            c->field = IN_T;
        }

        while (c->kind == C_RANGE && c->field == IN_B) {
            c->field = field_random(v, inner);
        }

        if (c->kind == C_TERMS && c->field == IN_D) {
            c->field = IN_I;
        }

        c->n = (c->kind == C_TERM) ? 1 : 2;
        c->n += (c->kind == C_TERMS) * rnd(2);

        for (i = 0; i < c->n; i++) {
            value_random(v, c, i);
        }

        if (c->field == IN_I && rnd(6) == 0) {
            c->d[0] += 0.5;
        }

        if (c->kind == C_RANGE) {
            c->lower = rnd(4) ? 1 + rnd(2) : 0;
            c->upper = (rnd(4) || !c->lower) ? 1 + rnd(2) : 0;
        }
        break;

    case C_EXISTS:
        c->field = inner ? field_random(v, 1)
                         : (field_e) (v->rule == RAW ? rnd(IN_D)
                                      : rnd(8) ? rnd(IN_WHO) : IN_NONE);
        break;

    case C_IDS:
        c->n = 1 + rnd(3);
        for (i = 0; i < c->n; i++) {
            sprintf(c->s[i], "d%03d", rnd(500));
        }
        break;

    case C_PREFIX:
    case C_WILDCARD:
    case C_REGEXP:
    case C_FUZZY:
        pattern_random(v, c, inner);
        break;

    case C_MATCH:
    case C_PHRASE:
        words_random(v, c);
        break;

    case C_BOOL:
        bool_random(v, c, depth, inner);
        break;

    case C_DIS_MAX:
    case C_CONSTANT:
        c->nshould = (c->kind == C_DIS_MAX) ? 1 + rnd(3) : 1;
        for (i = 0; i < c->nshould; i++) {
            c->should[i] = clause_random(v, depth + 1, inner);
        }
        break;

    case C_NESTED:
        c->should[0] = clause_random(v, depth, 1);
        break;

    default:
        break;
    }

    return c;
}


static void
value_text(const clause_t *c, int i)
{
    switch (c->field) {
    case IN_B:
        put("%s", c->d[i] ? "true" : "false");
        break;
    case IN_D:
        put("\"2020-01-%02d\"", (int) c->d[i]);
        break;
    case IN_I:
    case IN_F:
    case IN_STARS:
        put("%.15g", c->d[i]);
        break;
    default:
        put("\"%s\"", c->s[i]);
    }
}


static void
list_text(const variant_t *v, const char *name, clause_t *const *list, int n)
{
    int  i;

    if (n == 0) {
        return;
    }

    put("%s\"%s\":", naive_out[-1] == '{' ? "" : ",", name);

    if (n == 1) {
        clause_text(v, list[0]);
        return;
    }

    for (i = 0; i < n; i++) {
        put("%s", i ? "," : "[");
        clause_text(v, list[i]);
    }

    put("]");
}


static void
clause_text(const variant_t *v, const clause_t *c)
{
    int          i;
    const char  *field = field_name(v, c->field);

    switch (c->kind) {
    case C_ALL:
        put("{\"match_all\":{}}");
        return;
    case C_NONE:
        put("{\"match_none\":{}}");
        return;
    case C_TERM:
        put("{\"term\":{\"%s\":", field);
        value_text(c, 0);
        break;
    case C_TERMS:
        put("{\"terms\":{\"%s\":[", field);
        for (i = 0; i < c->n; i++) {
            put("%s", i ? "," : "");
            value_text(c, i);
        }
        put("]");
        break;
    case C_RANGE:
        put("{\"range\":{\"%s\":{", field);
        if (c->lower) {
            put("\"%s\":", c->lower == 2 ? "gte" : "gt");
            value_text(c, 0);
        }
        if (c->upper) {
            put("%s\"%s\":", c->lower ? "," : "",
                c->upper == 2 ? "lte" : "lt");
            value_text(c, 1);
        }
        put("}");
        break;
    case C_EXISTS:
        put("{\"exists\":{\"field\":\"%s\"", field);
        break;
    case C_IDS:
        put("{\"ids\":{\"values\":[");
        for (i = 0; i < c->n; i++) {
            put("%s\"%s\"", i ? "," : "", c->s[i]);
        }
        put("]");
        break;
    case C_PREFIX:
        put("{\"prefix\":{\"%s\":\"%s\"", field, c->s[0]);
        break;
    case C_WILDCARD:
        put("{\"wildcard\":{\"%s\":{\"value\":\"%s\"}", field, c->s[0]);
        break;
    case C_REGEXP:
        put("{\"regexp\":{\"%s\":\"", field);
        re_text(c->re);
        put("\"");
        break;
    case C_FUZZY:
        put("{\"fuzzy\":{\"%s\":{\"value\":\"%s\",\"fuzziness\":", field,
            c->s[0]);
        if (c->edits == 3) {
            put("\"AUTO\"");
        } else {
            put("%d", c->edits);
        }
        put(",\"prefix_length\":%d,\"transpositions\":%s}", c->prefix,
            c->swaps ? "true" : "false");
        break;
    case C_MATCH:
    case C_PHRASE:
        put("{\"%s\":{\"%s\":{\"query\":\"",
            c->kind == C_MATCH ? "match" : "match_phrase", field);
        for (i = 0; i < c->n; i++) {
            put("%s%s", i ? " " : "", c->s[i]);
        }
        put("\"");
        if (c->msm[0]) {
            put(",\"minimum_should_match\":\"%s\"", c->msm);
        } else if (c->kind == C_MATCH && c->every) {
            put(",\"operator\":\"and\"");
        }
        put("}");
        break;
    case C_BOOL:
        put("{\"bool\":{");
        list_text(v, "must", c->must, c->nmust);
        list_text(v, "filter", c->filter, c->nfilter);
        list_text(v, "should", c->should, c->nshould);
        list_text(v, "must_not", c->not, c->nnot);
        if (c->msm[0]) {
            put(",\"minimum_should_match\":\"%s\"", c->msm);
        }
        break;
    case C_DIS_MAX:
        put("{\"dis_max\":{");
        list_text(v, "queries", c->should, c->nshould);
        break;
    case C_CONSTANT:
        put("{\"constant_score\":{");
        list_text(v, "filter", c->should, 1);
        break;
    case C_NESTED:
        put("{\"nested\":{\"path\":\"c\",\"query\":");
        clause_text(v, c->should[0]);
        break;
    }

    put("}}");
}


/* Of one value. */

static int
value_match(const clause_t *c, const vals_t *x, int i)
{
    int     j, less, len, edits;
    double  lo, hi, d = x->d[i];

    switch (c->kind) {
    case C_TERM:
    case C_TERMS:
        for (j = 0; j < c->n; j++) {
            if (x->texts ? strcmp(x->s[i], c->s[j]) == 0
                : c->field == IN_D ? (int) d / 2 == c->d[j]
                : d == c->d[j])
            {
                return 1;
            }
        }
        return 0;

    case C_RANGE:
        if (x->texts) {
            less = strcmp(x->s[i], c->s[0]);
            if (c->lower && (less < 0 || (less == 0 && c->lower == 1))) {
                return 0;
            }
            less = strcmp(x->s[i], c->s[1]);
            return !c->upper || less < 0 || (less == 0 && c->upper == 2);
        }

        lo = c->d[0];
        hi = c->d[1];

        if (c->field == IN_D) {           /* a day has two halves */
            lo = 2 * lo + (c->lower == 1);
            hi = 2 * hi + (c->upper == 2);
        }

        return !(c->lower && (d < lo || (d == lo && c->lower == 1)))
               && !(c->upper && (d > hi || (d == hi && c->upper == 1)));

    case C_PREFIX:
        return strncmp(x->s[i], c->s[0], strlen(c->s[0])) == 0;

    case C_WILDCARD:
        return wildcard(c->s[0], x->s[i]);

    case C_REGEXP:
        return (re_step(c->re, x->s[i], 1) >> strlen(x->s[i])) & 1;

    case C_FUZZY:
        len = (int) strlen(c->s[0]);
        edits = c->edits < 3 ? c->edits : len < 3 ? 0 : len < 6 ? 1 : 2;
        j = distance(c->s[0], x->s[i], c->swaps);

        if (strncmp(c->s[0], x->s[i], c->prefix < len ? c->prefix : len)
            != 0)
        {
            return 0;
        }

        return j == 0 || (j <= edits && c->prefix < len);

    default:
        return 1;                                    /* exists */
    }
}


static int
words_match(const clause_t *c, const doc_t *d)
{
    int  i, j, k, n, found, want;

    for (n = 0, i = 0; c->kind == C_MATCH && i < c->n; i++) {
        for (found = 0, j = 0; j < d->ntexts; j++) {
            for (k = 0; k < d->nwords[j]; k++) {
                found |= !strcmp(naive_words[d->words[j][k]], c->s[i]);
            }
        }
        n += found;
    }

    if (c->kind == C_MATCH) {
        want = minimum(c, c->n);
        return n >= (want ? want : 1);
    }

    for (j = 0; j < d->ntexts; j++) {
        for (k = 0; k + c->n <= d->nwords[j]; k++) {
            for (i = 0; i < c->n; i++) {
                if (strcmp(naive_words[d->words[j][k + i]], c->s[i])) {
                    break;
                }
            }
            if (i == c->n) {
                return 1;
            }
        }
    }

    return 0;
}


/* number: of the document; object: of its nested ones, or -1. */

static int
clause_match(const variant_t *v, const clause_t *c, const doc_t *d,
    int number, int object)
{
    int     i, n, want;
    char    id[16];
    vals_t  x;

    switch (c->kind) {
    case C_ALL:
        return 1;
    case C_NONE:
        return 0;

    case C_IDS:
        sprintf(id, "d%03d", number);
        for (i = 0; i < c->n; i++) {
            if (strcmp(id, c->s[i]) == 0) {
                return 1;
            }
        }
        return 0;

    case C_MATCH:
    case C_PHRASE:
        return words_match(c, d);

    case C_BOOL:
        for (i = 0; i < c->nmust; i++) {
            if (!clause_match(v, c->must[i], d, number, object)) {
                return 0;
            }
        }
        for (i = 0; i < c->nfilter; i++) {
            if (!clause_match(v, c->filter[i], d, number, object)) {
                return 0;
            }
        }
        for (i = 0; i < c->nnot; i++) {
            if (clause_match(v, c->not[i], d, number, object)) {
                return 0;
            }
        }
        for (n = 0, i = 0; i < c->nshould; i++) {
            n += clause_match(v, c->should[i], d, number, object);
        }
        want = minimum(c, c->nshould);
        if (want == 0 && c->nshould && c->nmust + c->nfilter == 0) {
            want = 1;
        }
        return n >= want;

    case C_DIS_MAX:
    case C_CONSTANT:
        for (i = 0; i < c->nshould; i++) {
            if (clause_match(v, c->should[i], d, number, object)) {
                return 1;
            }
        }
        return 0;

    case C_NESTED:
        for (i = 0; i < d->nc; i++) {
            if (clause_match(v, c->should[0], d, number, i)) {
                return 1;
            }
        }
        return 0;

    default:
        values(v, d, c->field, object, &x);
        for (i = 0; i < x.n; i++) {
            if (value_match(c, &x, i)) {
                return 1;
            }
        }
        return 0;
    }
}


#endif /* _KZ_NAIVE_CLAUSE_H_INCLUDED_ */
