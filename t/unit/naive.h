#ifndef _KZ_NAIVE_H_INCLUDED_
#define _KZ_NAIVE_H_INCLUDED_

/*
 * Random mappings, documents and queries, and what matches, by the plainest
 * means: documents are structs, a clause is a function of one of them.
 * Nothing here knows the code under test.
 *
 *   variant_t   a mapping
 *   doc_t       a document; doc_text() writes it down
 *   clause_t    clause_random(), clause_text(), clause_match(), in
 *               naive_clause.h
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


typedef enum { MAPPED, DYNAMIC, RAW } rule_e;

typedef enum {
    IN_K, IN_OK, IN_G, IN_I, IN_F, IN_B, IN_D, IN_T, IN_WHO, IN_STARS, IN_NONE
} field_e;


typedef struct {
    rule_e        rule;
    int           ignore_above;        /* of k; 0: none */
    int           null_value;          /* k: null is "nil" */
    const char   *itype;
    const char   *ftype;
} variant_t;


typedef struct {
    int           live;
    int           nk, ni, nf, nok, ntexts, nc;
    int           knull;
    char          k[3][8];
    int           i[2];
    int           itext;               /* i is a text: "12" */
    double        f;
    int           b;                   /* -1: none */
    int           day, noon;           /* 0: none */
    char          ok[8];
    int           g;                   /* 0: none */
    int           words[2][8];
    int           nwords[2];
    int           who[3], stars[3];
} doc_t;


/* The values of a field. */

typedef struct {
    int           n;
    int           texts;               /* s, not d */
    char          s[16][8];
    double        d[16];
} vals_t;


typedef enum {
    RE_CHAR, RE_ANY, RE_SET, RE_CAT, RE_OR, RE_REPEAT
} re_e;

typedef struct re_s  re_t;

struct re_s {
    re_e          kind;
    int           c, not, min, max;    /* max -1: any number */
    re_t         *a, *b;
};


typedef enum {
    C_ALL, C_NONE, C_TERM, C_TERMS, C_RANGE, C_EXISTS, C_IDS, C_PREFIX,
    C_WILDCARD, C_REGEXP, C_FUZZY, C_MATCH, C_PHRASE, C_BOOL, C_DIS_MAX,
    C_CONSTANT, C_NESTED
} clause_e;

typedef struct clause_s  clause_t;

struct clause_s {
    clause_e      kind;
    field_e       field;
    char          s[3][16];
    double        d[3];
    int           n;
    int           lower, upper;        /* 0 none, 1 exclusive, 2 inclusive */
    int           edits, prefix, swaps;
    int           every;               /* operator and */
    char          msm[8];              /* minimum_should_match, or empty */
    re_t         *re;
    clause_t     *must[4], *filter[4], *should[4], *not[4];
    int           nmust, nfilter, nshould, nnot;
};


static unsigned long long   naive_seed = 20240501;
static char                *naive_out;
static char                 naive_arena[1 << 18];
static size_t               naive_used;

static const char  *naive_words[] = {
    "red", "green", "blue", "river", "rivers", "stone", "moss", "bird",
    "birch", "sand"
};

#define WORDS  10


static int
rnd(int n)
{
    naive_seed = naive_seed * 6364136223846793005ULL
                 + 1442695040888963407ULL;

    return (int) ((naive_seed >> 33) % (unsigned) n);
}


static void __attribute__((format(printf, 1, 2)))
put(const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    naive_out += vsprintf(naive_out, fmt, args);
    va_end(args);
}


static void *
arena(size_t size)
{
    void  *p = naive_arena + naive_used;

    naive_used += (size + 15) & ~(size_t) 15;

    if (naive_used > sizeof(naive_arena)) {
        printf("Bail out! the arena is full\n");
        exit(1);
    }

    memset(p, 0, size);

    return p;
}


/* Without a mapping a value is also found by its words: here it is one. */

static void
random_text(const variant_t *v, char *p, int max)
{
    int  n = 1 + rnd(max);

    while (n--) {
        *p++ = "aaabbc-"[rnd(v->rule == RAW ? 6 : 7)];
    }

    *p = '\0';
}


static void
doc_random(doc_t *d, const variant_t *v)
{
    int  i, j;

    memset(d, 0, sizeof(*d));
    d->live = 1;
    d->nk = rnd(4) ? 1 + rnd(3) * rnd(2) : 0;
    d->knull = rnd(2);

    for (i = 0; i < d->nk; i++) {
        random_text(v, d->k[i], 5);
    }

    d->ni = rnd(6) ? 1 + (rnd(4) == 0) : 0;
    d->i[0] = rnd(45) - 5;
    d->i[1] = rnd(45) - 5;
    d->itext = (v->rule == MAPPED && rnd(9) == 0);
    d->nf = rnd(6) != 0;
    d->f = rnd(160) / 4.0;
    d->b = rnd(3) - 1;
    d->day = rnd(5) ? 1 + rnd(28) : 0;
    d->noon = rnd(2);
    d->nok = rnd(3) != 0;
    random_text(v, d->ok, 2);
    d->g = rnd(6);
    d->ntexts = rnd(5) ? 1 + (rnd(4) == 0) : 0;

    for (i = 0; i < d->ntexts; i++) {
        d->nwords[i] = 1 + rnd(7);

        for (j = 0; j < d->nwords[i]; j++) {
            d->words[i][j] = rnd(WORDS);
        }
    }

    d->nc = (v->rule == MAPPED) ? rnd(4) : 0;

    for (i = 0; i < 3; i++) {
        d->who[i] = rnd(4);
        d->stars[i] = 1 + rnd(5);
    }
}


static void
doc_text(const doc_t *d, char *p)
{
    int  i, j;

    naive_out = p;
    put("{\"b\":%s", d->b < 0 ? "null" : d->b ? "true" : "false");

    if (d->nk == 1 && d->knull) {
        put(",\"k\":\"%s\"", d->k[0]);

    } else if (d->nk) {
        put(",\"k\":[");
        for (i = 0; i < d->nk; i++) {
            put("%s\"%s\"", i ? "," : "", d->k[i]);
        }
        put("]");

    } else if (d->knull) {
        put(",\"k\":null");
    }

    if (d->ni == 1) {
        put(d->itext ? ",\"i\":\"%d\"" : ",\"i\":%d", d->i[0]);

    } else if (d->ni) {
        put(",\"i\":[%d,%d]", d->i[0], d->i[1]);
    }

    if (d->nf) {
        put(",\"f\":%.2f", d->f);
    }

    if (d->day) {
        put(",\"d\":\"2020-01-%02d%s\"", d->day,
            d->noon ? "T12:00:00Z" : "");
    }

    if (d->nok) {
        put(",\"o\":{\"k\":\"%s\"}", d->ok);
    }

    if (d->g) {
        put(",\"g\":\"g%d\"", d->g);
    }

    for (i = 0; i < d->ntexts; i++) {
        put("%s", i ? "," : ",\"t\":[");
        for (j = 0; j < d->nwords[i]; j++) {
            put("%s%s", j ? (j & 1) ? " " : ", " : "\"",
                naive_words[d->words[i][j]]);
        }
        put("\"");
    }

    put("%s", d->ntexts ? "]" : "");

    for (i = 0; i < d->nc; i++) {
        put("%s{\"who\":\"w%d\",\"stars\":%d}", i ? "," : ",\"c\":[",
            d->who[i], d->stars[i]);
    }

    put("%s}", d->nc ? "]" : "");
}


static void
vals_text(vals_t *x, const char *s)
{
    x->texts = 1;
    strcpy(x->s[x->n++], s);
}


static void
vals_number(vals_t *x, double d)
{
    x->d[x->n++] = d;
}


/* c: which of the nested objects. */

static void
values(const variant_t *v, const doc_t *d, field_e f, int c, vals_t *x)
{
    int   i, j;
    char  s[8];

    x->n = 0;
    x->texts = 0;

    switch (f) {
    case IN_K:
        for (i = 0; i < d->nk; i++) {
            if (!v->ignore_above
                || (int) strlen(d->k[i]) <= v->ignore_above)
            {
                vals_text(x, d->k[i]);
            }
        }
        if (v->null_value && d->nk == 0 && d->knull) {
            vals_text(x, "nil");
        }
        break;
    case IN_OK:
        if (d->nok) {
            vals_text(x, d->ok);
        }
        break;
    case IN_G:
        if (d->g) {
            sprintf(s, "g%d", d->g % 10);
            vals_text(x, s);
        }
        break;
    case IN_I:
        for (i = 0; i < d->ni; i++) {
            vals_number(x, d->i[i]);
        }
        break;
    case IN_F:
        if (d->nf) {
            vals_number(x, d->f);
        }
        break;
    case IN_B:
        if (d->b >= 0) {
            vals_number(x, d->b);
        }
        break;
    case IN_D:                                        /* half days */
        if (d->day) {
            vals_number(x, 2 * d->day + d->noon);
        }
        break;
    case IN_T:
        for (i = 0; i < d->ntexts; i++) {
            for (j = 0; j < d->nwords[i]; j++) {
                vals_text(x, naive_words[d->words[i][j]]);
            }
        }
        break;
    case IN_WHO:
        if (c >= 0) {
            sprintf(s, "w%d", d->who[c] % 10);
            vals_text(x, s);
        }
        break;
    case IN_STARS:
        if (c >= 0) {
            vals_number(x, d->stars[c]);
        }
        break;
    default:
        break;
    }
}


static const char *
field_name(const variant_t *v, field_e f)
{
    static const char  *names[] = {
        "k", "o.k", "g", "i", "f", "b", "d", "t", "c.who", "c.stars", "nope"
    };
    static const char  *inferred[] = {
        "k.keyword", "o.k.keyword", "g.keyword"
    };

    return (v->rule == DYNAMIC && f <= IN_G) ? inferred[f] : names[f];
}


/* Regular expressions: a set of places goes in, another one comes out. */

static re_t *
re_random(int depth)
{
    re_t  *r = arena(sizeof(re_t));

    r->kind = rnd(depth > 2 ? 3 : 6);
    r->c = rnd(3);

    switch (r->kind) {
    case RE_SET:
        r->c = 1 + rnd(7);
        r->not = rnd(3) == 0;
        break;
    case RE_CAT:
    case RE_OR:
        r->a = re_random(depth + 1);
        r->b = re_random(depth + 1);
        break;
    case RE_REPEAT:
        r->a = re_random(depth + 1);
        r->min = rnd(3);
        r->max = rnd(2) ? -1 : r->min + rnd(3);
        if (r->max == 0) {
            r->max = 1;
        }
        break;
    default:
        break;
    }

    return r;
}


static void
re_text(const re_t *r)
{
    int  i;

    switch (r->kind) {
    case RE_CHAR:
        put("%c", 'a' + r->c);
        break;
    case RE_ANY:
        put(".");
        break;
    case RE_SET:
        put("[%s", r->not ? "^" : "");
        for (i = 0; i < 3; i++) {
            if (r->c & (1 << i)) {
                put("%c", 'a' + i);
            }
        }
        put("]");
        break;
    case RE_CAT:
        re_text(r->a);
        re_text(r->b);
        break;
    case RE_OR:
        put("(");
        re_text(r->a);
        put("|");
        re_text(r->b);
        put(")");
        break;
    case RE_REPEAT:
        put("(");
        re_text(r->a);
        put(")");
        if (r->max == -1 && r->min < 2) {
            put("%c", r->min ? '+' : '*');
        } else if (r->max == -1) {
            put("{%d,}", r->min);
        } else if (r->min == 0 && r->max == 1) {
            put("?");
        } else {
            put("{%d,%d}", r->min, r->max);
        }
        break;
    }
}


static unsigned
re_step(const re_t *r, const char *s, unsigned from)
{
    int       i, n = (int) strlen(s);
    unsigned  to = 0, now, next;

    switch (r->kind) {
    case RE_CHAR:
    case RE_ANY:
    case RE_SET:
        for (i = 0; i < n; i++) {
            if (!(from & (1u << i))) {
                continue;
            }
            if (r->kind == RE_ANY
                || (r->kind == RE_CHAR && s[i] == 'a' + r->c)
                || (r->kind == RE_SET
                    && (s[i] >= 'a' && (r->c & (1 << (s[i] - 'a'))) != 0)
                       != r->not))
            {
                to |= 1u << (i + 1);
            }
        }
        return to;
    case RE_CAT:
        return re_step(r->b, s, re_step(r->a, s, from));
    case RE_OR:
        return re_step(r->a, s, from) | re_step(r->b, s, from);
    default:
        for (i = 0, now = from; i < r->min; i++) {
            now = re_step(r->a, s, now);
        }
        for (to = now; r->max == -1 || i < r->max; i++) {
            now = re_step(r->a, s, now);
            next = to | now;
            if (next == to && r->max == -1) {
                break;
            }
            to = next;
        }
        return to;
    }
}


static int
wildcard(const char *p, const char *s)
{
    if (*p == '*') {
        return wildcard(p + 1, s) || (*s && wildcard(p, s + 1));
    }

    if (*p == '\0' || *s == '\0') {
        return *p == *s;
    }

    return (*p == '?' || *p == *s) && wildcard(p + 1, s + 1);
}


/* Optimal string alignment. */

static int
distance(const char *a, const char *b, int swaps)
{
    int  i, j, n, t[16][16];

    for (i = 0; i <= (int) strlen(a); i++) {
        for (j = 0; j <= (int) strlen(b); j++) {
            if (i == 0 || j == 0) {
                t[i][j] = i + j;
                continue;
            }

            n = t[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            n = n < t[i - 1][j] + 1 ? n : t[i - 1][j] + 1;
            n = n < t[i][j - 1] + 1 ? n : t[i][j - 1] + 1;

            if (swaps && i > 1 && j > 1 && a[i - 1] == b[j - 2]
                && a[i - 2] == b[j - 1] && t[i - 2][j - 2] + 1 < n)
            {
                n = t[i - 2][j - 2] + 1;
            }

            t[i][j] = n;
        }
    }

    return t[strlen(a)][strlen(b)];
}


static int
minimum(const clause_t *c, int n)
{
    int  want;

    if (c->msm[0] == '\0') {
        return (c->kind == C_BOOL) ? !(c->nmust + c->nfilter) && n
                                   : c->every ? n : 1;
    }

    want = atoi(c->msm);

    if (strchr(c->msm, '%')) {
        want = n * want / 100;
    }

    want = (c->msm[0] == '-') ? n + want : want;

    return want < 0 ? 0 : want;
}


#endif /* _KZ_NAIVE_H_INCLUDED_ */
