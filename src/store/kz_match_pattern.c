
/*
 * The syntax of Lucene's regular expressions:
 *
 *     union    = inter *("|" inter)
 *     inter    = *repeat
 *     repeat   = simple *("?" / "*" / "+" / "{n}" / "{n,}" / "{n,m}")
 *     simple   = "." / "[a-z^]" / "(" union ")" / "()" / "#" / "@" /
 *                "<1-5>" / DQUOTE text DQUOTE / "\" char / char
 */

#include "store/kz_match_regexp.h"
#include "util/kz_utf8.h"


static kz_re_node_t *kz_re_concat(kz_re_parse_t *x);
static kz_re_node_t *kz_re_repeat(kz_re_parse_t *x);
static ngx_int_t kz_re_count(kz_re_parse_t *x, ngx_uint_t *n);
static kz_re_node_t *kz_re_simple(kz_re_parse_t *x);
static kz_re_node_t *kz_re_group(kz_re_parse_t *x);
static kz_re_node_t *kz_re_class(kz_re_parse_t *x);
static kz_re_node_t *kz_re_escape(kz_re_parse_t *x);
static kz_re_node_t *kz_re_quoted(kz_re_parse_t *x);
static kz_re_node_t *kz_re_interval(kz_re_parse_t *x);
static kz_re_node_t *kz_re_between(kz_re_parse_t *x, const u_char *lo,
    const u_char *hi, size_t len);
static kz_re_node_t *kz_re_node(kz_re_parse_t *x, kz_re_type_e type,
    kz_re_node_t *a, kz_re_node_t *b);
static kz_re_node_t *kz_re_char(kz_re_parse_t *x, uint32_t lo, uint32_t hi);
static kz_re_node_t *kz_re_any(kz_re_parse_t *x);
static kz_re_node_t *kz_re_many(kz_re_parse_t *x, kz_re_node_t *a,
    ngx_uint_t min, ngx_uint_t max);


kz_re_node_t *
kz_re_union(kz_re_parse_t *x)
{
    kz_re_node_t  *node, *other;

    if (++x->depth > KZ_RE_MAX_DEPTH) {
        return kz_re_bad(x, "too many groups in one another");
    }

    node = kz_re_concat(x);

    while (node != NULL && x->p < x->end && *x->p == '|') {
        x->p++;

        other = kz_re_concat(x);
        if (other == NULL) {
            return NULL;
        }

        node = kz_re_node(x, KZ_RE_ALT, node, other);
    }

    x->depth--;

    return node;
}


static kz_re_node_t *
kz_re_concat(kz_re_parse_t *x)
{
    kz_re_node_t  *node, *next;

    node = NULL;

    while (x->p < x->end && *x->p != '|' && *x->p != ')') {

        next = kz_re_repeat(x);
        if (next == NULL) {
            return NULL;
        }

        node = (node == NULL) ? next : kz_re_node(x, KZ_RE_CAT, node, next);

        if (node == NULL) {
            return NULL;
        }
    }

    return (node != NULL) ? node : kz_re_node(x, KZ_RE_EMPTY, NULL, NULL);
}


static kz_re_node_t *
kz_re_repeat(kz_re_parse_t *x)
{
    ngx_uint_t      min, max, open;
    kz_re_node_t   *node;

    node = kz_re_simple(x);

    while (node != NULL && x->p < x->end) {

        switch (*x->p) {

        case '?':
            min = 0;
            max = 1;
            break;

        case '*':
            min = 0;
            max = NGX_MAX_INT_T_VALUE;
            break;

        case '+':
            min = 1;
            max = NGX_MAX_INT_T_VALUE;
            break;

        case '{':
            x->p++;

            if (kz_re_count(x, &min) != NGX_OK) {
                return NULL;
            }

            max = min;

            if (x->p < x->end && *x->p == ',') {
                x->p++;

                open = (x->p < x->end && *x->p == '}');
                max = NGX_MAX_INT_T_VALUE;

                if (!open && kz_re_count(x, &max) != NGX_OK) {
                    return NULL;
                }
            }

            if (x->p == x->end || *x->p != '}' || max < min) {
                return kz_re_bad(x, "expected '}'");
            }

            break;

        default:
            return node;
        }

        x->p++;
        node = kz_re_many(x, node, min, max);
    }

    return node;
}


static ngx_int_t
kz_re_count(kz_re_parse_t *x, ngx_uint_t *n)
{
    const u_char  *start;

    *n = 0;

    for (start = x->p; x->p < x->end && *x->p >= '0' && *x->p <= '9'; x->p++)
    {
        *n = *n * 10 + (*x->p - '0');

        if (*n > KZ_RE_MAX_COUNT) {
            (void) kz_re_bad(x, "too many repetitions");
            return NGX_ERROR;
        }
    }

    if (x->p == start) {
        (void) kz_re_bad(x, "integer expected");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static kz_re_node_t *
kz_re_simple(kz_re_parse_t *x)
{
    uint32_t  c;

    switch (*x->p) {

    case '.':
        x->p++;
        return kz_re_any(x);

    case '(':
        return kz_re_group(x);

    case '[':
        return kz_re_class(x);

    case '\\':
        return kz_re_escape(x);

    case '"':
        return kz_re_quoted(x);

    case '?':
    case '*':
    case '+':
    case '{':
        return kz_re_bad(x, "nothing to repeat");

    case '#':

        if (x->flags & KZ_REGEXP_EMPTY) {
            x->p++;
            return kz_re_node(x, KZ_RE_FAIL, NULL, NULL);
        }

        break;

    case '@':

        if (x->flags & KZ_REGEXP_ANY) {
            x->p++;
            return kz_re_many(x, kz_re_any(x), 0, NGX_MAX_INT_T_VALUE);
        }

        break;

    case '<':

        if (x->flags & KZ_REGEXP_INTERVAL) {
            return kz_re_interval(x);
        }

        break;

    case '~':

        if (x->flags & KZ_REGEXP_COMPLEMENT) {
            return kz_re_bad(x, "the operator [~] is not supported");
        }

        break;

    case '&':

        if (x->flags & KZ_REGEXP_INTERSECT) {
            return kz_re_bad(x, "the operator [&] is not supported");
        }

        break;

    default:
        break;
    }

    c = kz_utf8_next(&x->p, x->end);

    return kz_re_char(x, c, c);
}


static kz_re_node_t *
kz_re_group(kz_re_parse_t *x)
{
    kz_re_node_t  *node;

    x->p++;

    node = kz_re_union(x);
    if (node == NULL) {
        return NULL;
    }

    if (x->p == x->end || *x->p != ')') {
        return kz_re_bad(x, "expected ')'");
    }

    x->p++;

    return node;
}


static kz_re_node_t *
kz_re_class(kz_re_parse_t *x)
{
    uint32_t        c, to;
    ngx_uint_t      n;
    kz_re_node_t   *node;
    const u_char   *p;

    x->p++;

    /* as many ranges as there are bytes at most */

    for (p = x->p; p < x->end && *p != ']'; p++) {
        p += (*p == '\\' && p + 1 < x->end);
    }

    node = kz_re_node(x, KZ_RE_SET, NULL, NULL);
    if (node == NULL) {
        return NULL;
    }

    node->ranges = ngx_palloc(x->pool,
                              (p - x->p + 1) * sizeof(kz_re_range_t));
    if (node->ranges == NULL) {
        return NULL;
    }

    if (x->p < x->end && *x->p == '^') {
        node->negated = 1;
        x->p++;
    }

    for (n = 0; x->p < x->end && *x->p != ']'; n++) {

        if (*x->p == '\\' && ++x->p == x->end) {
            break;
        }

        c = kz_utf8_next(&x->p, x->end);
        to = c;

        if (x->end - x->p > 1 && x->p[0] == '-' && x->p[1] != ']') {
            x->p++;

            if (*x->p == '\\' && ++x->p == x->end) {
                break;
            }

            to = kz_utf8_next(&x->p, x->end);

            if (to < c) {
                return kz_re_bad(x, "invalid range in []");
            }
        }

        node->ranges[n].lo = c;
        node->ranges[n].hi = to;
    }

    if (x->p == x->end || n == 0) {
        return kz_re_bad(x, (n == 0) ? "[] is empty" : "expected ']'");
    }

    x->p++;
    node->n = n;

    return node;
}


/* A character, or one of Lucene's classes. */
static kz_re_node_t *
kz_re_escape(kz_re_parse_t *x)
{
    uint32_t        c;
    kz_re_node_t   *node;

    static kz_re_range_t  digits[] = { { '0', '9' } };
    static kz_re_range_t  spaces[] = { { '\t', '\n' }, { '\r', '\r' },
                                       { ' ', ' ' } };
    static kz_re_range_t  words[] = { { '0', '9' }, { 'A', 'Z' },
                                      { '_', '_' }, { 'a', 'z' } };

    if (++x->p == x->end) {
        return kz_re_bad(x, "unexpected end-of-string");
    }

    c = kz_utf8_next(&x->p, x->end);

    node = kz_re_char(x, c, c);
    if (node == NULL) {
        return NULL;
    }

    switch (c | 0x20) {

    case 'd':
        node->ranges = digits;
        node->n = 1;
        break;

    case 's':
        node->ranges = spaces;
        node->n = 3;
        break;

    case 'w':
        node->ranges = words;
        node->n = 4;
        break;

    default:
        return node;
    }

    node->negated = (c < 'a');

    return node;
}


static kz_re_node_t *
kz_re_quoted(kz_re_parse_t *x)
{
    uint32_t        c;
    kz_re_node_t   *node, *next;

    x->p++;

    node = kz_re_node(x, KZ_RE_EMPTY, NULL, NULL);

    while (node != NULL && x->p < x->end && *x->p != '"') {
        c = kz_utf8_next(&x->p, x->end);

        next = kz_re_char(x, c, c);
        node = (next == NULL) ? NULL : kz_re_node(x, KZ_RE_CAT, node, next);
    }

    if (x->p == x->end) {
        return kz_re_bad(x, "expected '\"'");
    }

    x->p++;

    return node;
}


/*
 * <1-15>: decimal numbers.  With bounds of one length numbers have it, too;
 * otherwise noughts may lead.
 */
static kz_re_node_t *
kz_re_interval(kz_re_parse_t *x)
{
    size_t          len, n[2];
    u_char          lo[20], hi[20], from[20], to[20];
    ngx_uint_t      i;
    kz_re_node_t   *node, *one;
    const u_char   *s[2];

    for (i = 0; i < 2; i++) {
        s[i] = ++x->p;

        while (x->p < x->end && *x->p >= '0' && *x->p <= '9') {
            x->p++;
        }

        n[i] = x->p - s[i];

        if (n[i] == 0 || n[i] > 18 || x->p == x->end
            || *x->p != (i ? '>' : '-'))
        {
            return kz_re_bad(x, "an interval <n-m> was expected");
        }
    }

    x->p++;

    if (n[0] == n[1]) {
        return (ngx_memcmp(s[0], s[1], n[0]) <= 0)
               ? kz_re_between(x, s[0], s[1], n[0])
               : kz_re_between(x, s[1], s[0], n[0]);
    }

    /* without their noughts, the shorter one is the lesser */

    for (i = 0; i < 2; i++) {
        while (n[i] > 1 && *s[i] == '0') {
            s[i]++;
            n[i]--;
        }
    }

    i = (n[0] > n[1] || (n[0] == n[1] && ngx_memcmp(s[0], s[1], n[0]) > 0));

    ngx_memcpy(from, s[i], n[i]);
    ngx_memcpy(to, s[!i], n[!i]);

    node = kz_re_node(x, KZ_RE_FAIL, NULL, NULL);

    for (len = n[i]; node != NULL && len <= n[!i]; len++) {

        ngx_memset(lo, '0', len);
        lo[0] = (len == 1) ? '0' : '1';
        ngx_memset(hi, '9', len);

        one = kz_re_between(x, (len == n[i]) ? from : lo,
                            (len == n[!i]) ? to : hi, len);

        node = (one == NULL) ? NULL : kz_re_node(x, KZ_RE_ALT, node, one);
    }

    one = kz_re_char(x, '0', '0');

    if (node == NULL || one == NULL) {
        return NULL;
    }

    one = kz_re_many(x, one, 0, NGX_MAX_INT_T_VALUE);

    return (one == NULL) ? NULL : kz_re_node(x, KZ_RE_CAT, one, node);
}


/* Of len digits each, lo not above hi. */
static kz_re_node_t *
kz_re_between(kz_re_parse_t *x, const u_char *lo, const u_char *hi,
    size_t len)
{
    size_t          i;
    u_char          low[20], high[20];
    kz_re_node_t   *node, *part;

    if (len == 0) {
        return kz_re_node(x, KZ_RE_EMPTY, NULL, NULL);
    }

    if (lo[0] == hi[0]) {
        node = kz_re_char(x, lo[0], lo[0]);
        part = kz_re_between(x, lo + 1, hi + 1, len - 1);

        return (node == NULL || part == NULL)
               ? NULL : kz_re_node(x, KZ_RE_CAT, node, part);
    }

    ngx_memset(low, '0', sizeof(low));
    ngx_memset(high, '9', sizeof(high));

    /* the least first digit, those between, the greatest */

    node = NULL;

    for (i = 0; i < 3; i++) {

        if (i == 0) {
            part = kz_re_between(x, lo + 1, high, len - 1);

        } else if (i == 1) {

            if (hi[0] - lo[0] < 2) {
                continue;
            }

            part = kz_re_between(x, low, high, len - 1);

        } else {
            part = kz_re_between(x, low, hi + 1, len - 1);
        }

        if (part == NULL) {
            return NULL;
        }

        part = kz_re_node(x, KZ_RE_CAT,
                          (i == 0) ? kz_re_char(x, lo[0], lo[0])
                          : (i == 1) ? kz_re_char(x, lo[0] + 1, hi[0] - 1)
                          : kz_re_char(x, hi[0], hi[0]), part);

        if (part == NULL || part->a == NULL) {
            return NULL;
        }

        node = (node == NULL) ? part
                              : kz_re_node(x, KZ_RE_ALT, node, part);
        if (node == NULL) {
            return NULL;
        }
    }

    return node;
}


static kz_re_node_t *
kz_re_node(kz_re_parse_t *x, kz_re_type_e type, kz_re_node_t *a,
    kz_re_node_t *b)
{
    kz_re_node_t  *node;

    if (++x->work > KZ_RE_MAX_WORK) {
        return kz_re_bad(x, "it is too complex");
    }

    node = ngx_pcalloc(x->pool, sizeof(kz_re_node_t));

    if (node != NULL) {
        node->type = type;
        node->a = a;
        node->b = b;
    }

    return node;
}


static kz_re_node_t *
kz_re_char(kz_re_parse_t *x, uint32_t lo, uint32_t hi)
{
    kz_re_node_t  *node;

    node = kz_re_node(x, KZ_RE_SET, NULL, NULL);
    if (node == NULL) {
        return NULL;
    }

    node->n = 1;
    node->ranges = ngx_palloc(x->pool, sizeof(kz_re_range_t));

    if (node->ranges == NULL) {
        return NULL;
    }

    node->ranges[0].lo = lo;
    node->ranges[0].hi = hi;

    return node;
}


static kz_re_node_t *
kz_re_any(kz_re_parse_t *x)
{
    return kz_re_char(x, 0, 0x10ffff);
}


static kz_re_node_t *
kz_re_many(kz_re_parse_t *x, kz_re_node_t *a, ngx_uint_t min, ngx_uint_t max)
{
    kz_re_node_t  *node;

    if (a == NULL) {
        return NULL;
    }

    node = kz_re_node(x, KZ_RE_REPEAT, a, NULL);

    if (node != NULL) {
        node->min = min;
        node->max = max;
    }

    return node;
}


void *
kz_re_bad(kz_re_parse_t *x, const char *why)
{
    if (x->why == NULL) {
        x->why = why;
    }

    return NULL;
}
