
/*
 * Patterns: Lucene's regular expressions, and those with "*" and "?".
 *
 * There is nothing to look back at in them, so they are run as an automaton:
 * all states at once, each character looked at once.  No text makes that
 * slow, which cannot be said of a matcher that tries one way after another.
 */

#include "store/kz_match_regexp.h"
#include "util/kz_utf8.h"
#include "util/kz_word.h"


static uint32_t kz_re_build(kz_re_parse_t *x, const kz_re_node_t *node,
    uint32_t next);
static uint32_t kz_re_build_many(kz_re_parse_t *x, const kz_re_node_t *node,
    uint32_t next);
static uint32_t kz_re_state(kz_re_parse_t *x, kz_re_state_e type,
    uint32_t next, uint32_t other);
static ngx_uint_t kz_re_in(const kz_regexp_t *re, const kz_re_node_t *set,
    uint32_t c);
static uint32_t kz_re_add(kz_regexp_t *re, uint32_t *list, uint32_t n,
    uint32_t s);


kz_regexp_t *
kz_regexp_compile(ngx_pool_t *pool, const ngx_str_t *pattern,
    ngx_uint_t flags, ngx_uint_t nocase, kz_mapping_err_t *err)
{
    ngx_str_t        shown;
    kz_regexp_t     *re;
    kz_re_node_t    *root;
    kz_re_parse_t    x;

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    ngx_memzero(&x, sizeof(kz_re_parse_t));

    re = ngx_pcalloc(pool, sizeof(kz_regexp_t));
    if (re == NULL) {
        return NULL;
    }

    x.pool = pool;
    x.p = pattern->data;
    x.end = pattern->data + pattern->len;
    x.flags = flags;
    x.re = re;

    re->nocase = nocase;
    re->states = ngx_pcalloc(pool,
                             KZ_RE_MAX_STATES * sizeof(kz_re_state_t));
    if (re->states == NULL) {
        return NULL;
    }

    root = kz_re_union(&x);

    if (root != NULL && x.p < x.end) {
        (void) kz_re_bad(&x, "end-of-string expected");
    }

    if (root != NULL && x.why == NULL) {
        re->start = kz_re_state(&x, KZ_RE_STATE_ACCEPT, 0, 0);
        re->start = kz_re_build(&x, root, re->start);
    }

    if (x.why != NULL) {
        shown = *pattern;
        shown.len = ngx_min(shown.len, 128);

        kz_mapping_refuse(err, KZ_STORE_BAD_QUERY, "failed to create query:"
                          " regexp [%V]: %s at position %z", &shown, x.why,
                          x.p - pattern->data);
        return NULL;
    }

    if (root == NULL) {
        return NULL;
    }

    re->now = ngx_palloc(pool, re->n * sizeof(uint32_t));
    re->then = ngx_palloc(pool, re->n * sizeof(uint32_t));
    re->stack = ngx_palloc(pool, 2 * re->n * sizeof(uint32_t));
    re->mark = ngx_pcalloc(pool, re->n * sizeof(uint32_t));

    return (re->now == NULL || re->then == NULL || re->stack == NULL
            || re->mark == NULL)
           ? NULL : re;
}


/* The state from which the node's texts lead to next. */
static uint32_t
kz_re_build(kz_re_parse_t *x, const kz_re_node_t *node, uint32_t next)
{
    uint32_t  s, other;

    if (next == KZ_RE_NONE || ++x->work > KZ_RE_MAX_WORK) {
        (void) kz_re_bad(x, "it is too complex");
        return KZ_RE_NONE;
    }

    switch (node->type) {

    case KZ_RE_EMPTY:
        return next;

    case KZ_RE_FAIL:
        return kz_re_state(x, KZ_RE_STATE_FAIL, 0, 0);

    case KZ_RE_SET:
        s = kz_re_state(x, KZ_RE_STATE_SET, next, 0);

        if (s != KZ_RE_NONE) {
            x->re->states[s].set = (kz_re_node_t *) node;
        }

        return s;

    case KZ_RE_CAT:

        /* long texts lean to the left: no call for each of their letters */

        while (node->type == KZ_RE_CAT) {
            next = kz_re_build(x, node->b, next);

            if (next == KZ_RE_NONE) {
                return KZ_RE_NONE;
            }

            node = node->a;
        }

        return kz_re_build(x, node, next);

    case KZ_RE_ALT:
        s = KZ_RE_NONE;

        while (node->type == KZ_RE_ALT) {
            other = kz_re_build(x, node->b, next);

            if (other == KZ_RE_NONE) {
                return KZ_RE_NONE;
            }

            s = (s == KZ_RE_NONE)
                ? other : kz_re_state(x, KZ_RE_STATE_SPLIT, other, s);

            if (s == KZ_RE_NONE) {
                return KZ_RE_NONE;
            }

            node = node->a;
        }

        other = kz_re_build(x, node, next);

        return (other == KZ_RE_NONE)
               ? other : kz_re_state(x, KZ_RE_STATE_SPLIT, other, s);

    default:  /* KZ_RE_REPEAT */
        return kz_re_build_many(x, node, next);
    }
}


static uint32_t
kz_re_build_many(kz_re_parse_t *x, const kz_re_node_t *node, uint32_t next)
{
    uint32_t     s, body, after;
    ngx_uint_t   i;

    after = next;

    if (node->max == NGX_MAX_INT_T_VALUE) {
        s = kz_re_state(x, KZ_RE_STATE_SPLIT, after, after);
        body = kz_re_build(x, node->a, s);

        if (body == KZ_RE_NONE) {
            return KZ_RE_NONE;
        }

        x->re->states[s].next = body;
        next = s;

    } else {

        for (i = node->min; i < node->max; i++) {
            body = kz_re_build(x, node->a, next);

            if (body == KZ_RE_NONE) {
                return KZ_RE_NONE;
            }

            next = kz_re_state(x, KZ_RE_STATE_SPLIT, body, after);
        }
    }

    for (i = 0; i < node->min; i++) {
        next = kz_re_build(x, node->a, next);

        if (next == KZ_RE_NONE) {
            return KZ_RE_NONE;
        }
    }

    return next;
}


static uint32_t
kz_re_state(kz_re_parse_t *x, kz_re_state_e type, uint32_t next,
    uint32_t other)
{
    kz_re_state_t  *s;

    if (x->re->n == KZ_RE_MAX_STATES) {
        (void) kz_re_bad(x, "it is too complex");
        return KZ_RE_NONE;
    }

    s = &x->re->states[x->re->n];

    s->type = type;
    s->next = next;
    s->other = other;

    return x->re->n++;
}


ngx_uint_t
kz_regexp_match(kz_regexp_t *re, const ngx_str_t *text)
{
    uint32_t               c, i, n, count, *list;
    const u_char          *p, *end;
    const kz_re_state_t   *s;

    p = text->data;
    end = p + text->len;

    re->round++;
    n = kz_re_add(re, re->now, 0, re->start);

    while (p < end && n > 0) {
        c = kz_utf8_next(&p, end);

        re->round++;
        count = 0;

        for (i = 0; i < n; i++) {
            s = &re->states[re->now[i]];

            if (s->type == KZ_RE_STATE_SET && kz_re_in(re, s->set, c)) {
                count = kz_re_add(re, re->then, count, s->next);
            }
        }

        list = re->now;
        re->now = re->then;
        re->then = list;
        n = count;
    }

    for (i = 0; i < n; i++) {
        if (re->states[re->now[i]].type == KZ_RE_STATE_ACCEPT) {
            return 1;
        }
    }

    return 0;
}


/* A case_insensitive one gets lower case. */
static ngx_uint_t
kz_re_in(const kz_regexp_t *re, const kz_re_node_t *set, uint32_t c)
{
    uint32_t     lo, hi, upper;
    ngx_uint_t   i;

    upper = (re->nocase && c >= 'a' && c <= 'z') ? c - 0x20 : c;

    for (i = 0; i < set->n; i++) {
        lo = set->ranges[i].lo;
        hi = set->ranges[i].hi;

        if ((c >= lo && c <= hi) || (upper >= lo && upper <= hi)
            || (re->nocase && lo == hi && c == kz_char_to_lower(lo)))
        {
            return !set->negated;
        }
    }

    return set->negated;
}


/* The state and those that are reached from it without a character. */
static uint32_t
kz_re_add(kz_regexp_t *re, uint32_t *list, uint32_t n, uint32_t s)
{
    uint32_t   top;

    /* a state puts at most two on the stack, and does so once a round */

    top = 0;

    for ( ;; ) {

        if (re->mark[s] != re->round) {
            re->mark[s] = re->round;

            if (re->states[s].type == KZ_RE_STATE_SPLIT) {
                re->stack[top++] = re->states[s].other;
                s = re->states[s].next;
                continue;
            }

            list[n++] = s;
        }

        if (top == 0) {
            return n;
        }

        s = re->stack[--top];
    }
}


ngx_uint_t
kz_wildcard_match(const ngx_str_t *pattern, const ngx_str_t *text)
{
    const u_char  *p, *end, *t, *tend, *star, *from;

    p = pattern->data;
    end = p + pattern->len;
    t = text->data;
    tend = t + text->len;
    star = NULL;
    from = NULL;

    /* only the last star ever has to give way */

    while (t < tend) {

        if (p < end && *p == '*') {
            star = ++p;
            from = t;
            continue;
        }

        if (p < end && *p == '?') {
            p++;
            (void) kz_utf8_next(&t, tend);
            continue;
        }

        if (p < end) {
            p += (*p == '\\' && end - p > 1);

            if (*p == *t) {
                p++;
                t++;
                continue;
            }
        }

        if (star == NULL) {
            return 0;
        }

        /* of whole characters: "?" behind it must not meet half of one */

        (void) kz_utf8_next(&from, tend);

        p = star;
        t = from;
    }

    while (p < end && *p == '*') {
        p++;
    }

    return p == end;
}


ngx_int_t
kz_wildcard_head(ngx_pool_t *pool, const ngx_str_t *pattern, ngx_str_t *head)
{
    u_char        *dst;
    const u_char  *p, *end;

    head->data = ngx_pnalloc(pool, pattern->len + 1);
    if (head->data == NULL) {
        return NGX_ERROR;
    }

    dst = head->data;
    p = pattern->data;
    end = p + pattern->len;

    while (p < end && *p != '*' && *p != '?') {
        p += (*p == '\\' && end - p > 1);
        *dst++ = *p++;
    }

    head->len = dst - head->data;

    return NGX_OK;
}
