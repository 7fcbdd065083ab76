
/*
 * Patterns of filters (JavaScript's, found anywhere in a text) as patterns of
 * searches (Lucene's, which fit the whole text).
 *
 *   ab+c        .*(ab+c).*         \d \w \s    [0-9] ...
 *   ^ab         (ab).*             .*? +?      .* +
 *   a|^b        .*(a).*|(b).*      (?:a)       (a)
 *
 * The operators that only Lucene has are switched off, or escaped.  What it
 * has not (\b, back references, looking around, anchors in the middle) is
 * refused.
 */

#include "store/kz_query_koncorde.h"


#define KZ_KONCORDE_MAX_PATTERN  1000


typedef struct {
    kz_query_parse_t        *x;
    const kz_query_place_t  *at;
    const ngx_str_t         *pattern;
    const ngx_str_t         *flags;
    u_char                  *p;
    u_char                  *end;
    kz_out_t                 out;
    kz_out_t                 branch;     /* of the outermost alternatives */
    ngx_uint_t               depth;
    unsigned                 head:1;     /* the branch began with "^" */
    unsigned                 tail:1;     /* and ended with "$" */
    unsigned                 multiline:1;
    unsigned                 atom:1;     /* there is what can be repeated */
} kz_koncorde_re_t;


static ngx_int_t kz_koncorde_pattern(kz_query_parse_t *x,
    const kz_query_place_t *at, kz_query_node_t *node,
    const ngx_str_t *pattern, const ngx_str_t *flags);
static ngx_int_t kz_koncorde_re_next(kz_koncorde_re_t *r);
static void kz_koncorde_re_close(kz_koncorde_re_t *r, ngx_uint_t first);
static ngx_int_t kz_koncorde_re_repeat(kz_koncorde_re_t *r, u_char c);
static ngx_int_t kz_koncorde_re_escape(kz_koncorde_re_t *r,
    ngx_uint_t in_class);
static ngx_int_t kz_koncorde_re_class(kz_koncorde_re_t *r);
static void kz_koncorde_re_char(kz_koncorde_re_t *r, uint32_t c);
static ngx_int_t kz_koncorde_re_bad(kz_koncorde_re_t *r, const char *why);


/* "pattern" or {"value": "pattern", "flags": "i"} */
kz_query_node_t *
kz_koncorde_regexp(kz_query_parse_t *x, const kz_query_place_t *at,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_str_t            pattern, flags;
    ngx_uint_t           i, n;
    kz_query_node_t     *node;
    kz_query_place_t     here;
    kz_query_member_t   *m, *inner;

    static const char  *allowed[] = { "flags", "value", NULL };

    (void) depth;

    m = kz_koncorde_property(x, at, v);

    if (m == NULL) {
        return NULL;
    }

    here.up = at;
    here.name = m->key;

    ngx_str_null(&pattern);
    ngx_str_null(&flags);

    if (m->val.type == KZ_JSON_STRING) {

        if (kz_json_string(x->pool, &m->val, &pattern) != NGX_OK) {
            return NULL;
        }

    } else if (m->val.type != KZ_JSON_OBJECT || kz_koncorde_empty(&m->val)) {
        (void) kz_koncorde_bad(x, &here, "must be either a string or a"
                               " non-empty object");
        return NULL;

    } else {

        if (kz_koncorde_attributes(x, &here, &m->val, allowed, &inner, &n)
            != NGX_OK)
        {
            return NULL;
        }

        for (i = 0; i < n; i++) {
            kz_query_place_t  attribute = { &here, inner[i].key, 0 };

            if (inner[i].val.type != KZ_JSON_STRING) {
                (void) kz_koncorde_bad(x, &attribute, "must be a string");
                return NULL;
            }

            if (kz_json_string(x->pool, &inner[i].val,
                               kz_query_is(&inner[i].key, "value")
                               ? &pattern : &flags)
                != NGX_OK)
            {
                return NULL;
            }
        }

        if (pattern.data == NULL) {
            (void) kz_koncorde_bad(x, &here, "the property \"value\" is"
                                   " missing");
            return NULL;
        }
    }

    node = kz_koncorde_node(x, &here, KZ_QUERY_REGEXP);

    if (node == NULL
        || kz_koncorde_pattern(x, &here, node, &pattern, &flags) != NGX_OK)
    {
        return NULL;
    }

    node->field = m->key;

    return node;
}


static ngx_int_t
kz_koncorde_pattern(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const ngx_str_t *pattern, const ngx_str_t *flags)
{
    size_t             i;
    ngx_uint_t         first;
    kz_koncorde_re_t   r;

    ngx_memzero(&r, sizeof(kz_koncorde_re_t));

    r.x = x;
    r.at = at;
    r.pattern = pattern;
    r.flags = flags;
    r.p = pattern->data;
    r.end = r.p + pattern->len;

    if (pattern->len > KZ_KONCORDE_MAX_PATTERN) {
        return kz_koncorde_cannot(x, at, "the regular expression is too long:"
                                  " at most 1000 bytes are allowed");
    }

    /* flags that are not known are ignored, as in the original */

    for (i = 0; i < flags->len; i++) {

        if (flags->data[i] == 'i') {
            node->nocase = 1;
        }

        if (flags->data[i] == 'm') {
            r.multiline = 1;
        }
    }

    kz_out_init(&r.out, x->pool, pattern->len + 32);
    kz_out_init(&r.branch, x->pool, pattern->len + 32);

    first = 1;

    while (r.p < r.end) {

        if (*r.p == '|' && r.depth == 0) {
            kz_koncorde_re_close(&r, first);
            first = 0;
            r.p++;
            continue;
        }

        if (kz_koncorde_re_next(&r) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (r.depth != 0) {
        return kz_koncorde_re_bad(&r, "missing )");
    }

    kz_koncorde_re_close(&r, first);

    if (kz_out_failed(&r.out) || kz_out_failed(&r.branch)) {
        return NGX_ERROR;
    }

    node->text.data = r.out.start;
    node->text.len = kz_out_len(&r.out);
    node->flags = 0;

    return NGX_OK;
}


/* An alternative is complete. */
static void
kz_koncorde_re_close(kz_koncorde_re_t *r, ngx_uint_t first)
{
    if (!first) {
        kz_out_char(&r->out, '|');
    }

    if (!r->head) {
        kz_out_lit(&r->out, ".*");
    }

    kz_out_char(&r->out, '(');
    kz_out_bytes(&r->out, r->branch.start, kz_out_len(&r->branch));
    kz_out_char(&r->out, ')');

    if (!r->tail) {
        kz_out_lit(&r->out, ".*");
    }

    r->branch.pos = r->branch.start;
    r->head = 0;
    r->tail = 0;
    r->atom = 0;
}


static ngx_int_t
kz_koncorde_re_next(kz_koncorde_re_t *r)
{
    u_char  c;

    c = *r->p;

    if (r->tail) {
        return kz_koncorde_cannot(r->x, r->at, "a \"$\" in the middle of a"
                                  " regular expression is not supported");
    }

    switch (c) {

    case '^':
    case '$':
        if (r->multiline || r->depth != 0
            || (c == '^' && (r->head || kz_out_len(&r->branch) != 0)))
        {
            return kz_koncorde_cannot(r->x, r->at, "an anchor in the middle"
                                      " of a regular expression, or of its"
                                      " lines, is not supported");
        }

        r->head |= (c == '^');
        r->tail |= (c == '$');
        r->atom = 0;
        r->p++;

        return NGX_OK;

    case '(':
        r->p++;

        if (r->p < r->end && *r->p == '?') {

            if (r->end - r->p < 2 || r->p[1] != ':') {
                return kz_koncorde_re_bad(r, "invalid perl operator: (?");
            }

            r->p += 2;
        }

        r->depth++;
        r->atom = 0;
        kz_out_char(&r->branch, '(');

        return NGX_OK;

    case ')':
        if (r->depth == 0) {
            return kz_koncorde_re_bad(r, "unexpected )");
        }

        r->depth--;
        r->p++;
        r->atom = 1;
        kz_out_char(&r->branch, ')');

        return NGX_OK;

    case '|':
        r->p++;
        r->atom = 0;
        kz_out_char(&r->branch, '|');

        return NGX_OK;

    case '*':
    case '+':
    case '?':
    case '{':
        return kz_koncorde_re_repeat(r, c);

    case '[':
        r->atom = 1;
        return kz_koncorde_re_class(r);

    case '\\':
        r->atom = 1;
        return kz_koncorde_re_escape(r, 0);

    case '.':
        r->p++;
        r->atom = 1;
        kz_out_char(&r->branch, '.');

        return NGX_OK;

    default:
        r->p++;
        r->atom = 1;

        /* bytes of longer characters are what they are */

        if (c >= 0x80) {
            kz_out_char(&r->branch, c);

        } else {
            kz_koncorde_re_char(r, c);
        }

        return NGX_OK;
    }
}


/* "*", "+", "?", "{2}", "{2,}", "{2,5}", and the lazy ones */
static ngx_int_t
kz_koncorde_re_repeat(kz_koncorde_re_t *r, u_char c)
{
    u_char      *p, *comma;
    ngx_int_t    low, high;

    p = r->p + 1;

    if (c == '{') {

        comma = NULL;

        for ( /* void */ ; p < r->end && ((*p >= '0' && *p <= '9')
                                          || *p == ','); p++)
        {
            if (*p == ',') {

                if (comma != NULL) {
                    break;
                }

                comma = p;
            }
        }

        /* else the brace is a character like others */

        if (p == r->end || *p != '}' || p == r->p + 1 || comma == r->p + 1) {
            r->p++;
            r->atom = 1;
            kz_koncorde_re_char(r, '{');

            return NGX_OK;
        }

        low = ngx_atoi(r->p + 1, (comma ? comma : p) - r->p - 1);
        high = low;

        if (comma != NULL && comma + 1 != p) {
            high = ngx_atoi(comma + 1, p - comma - 1);
        }

        if (low < 0 || high < low || high > 1000) {
            return kz_koncorde_re_bad(r, "invalid repetition size");
        }

        p++;
    }

    if (!r->atom) {
        return kz_koncorde_re_bad(r, "no argument for repetition operator");
    }

    kz_out_bytes(&r->branch, r->p, p - r->p);

    if (p < r->end && *p == '?') {
        p++;
    }

    r->p = p;
    r->atom = 0;

    return NGX_OK;
}


static ngx_int_t
kz_koncorde_re_class(kz_koncorde_re_t *r)
{
    u_char  c;

    r->p++;
    kz_out_char(&r->branch, '[');

    if (r->p < r->end && *r->p == '^') {
        r->p++;
        kz_out_char(&r->branch, '^');
    }

    if (r->p < r->end && *r->p == ']') {
        return kz_koncorde_re_bad(r, "missing ]");
    }

    while (r->p < r->end) {
        c = *r->p;

        if (c == ']') {
            r->p++;
            kz_out_char(&r->branch, ']');

            return NGX_OK;
        }

        if (c == '\\') {

            if (kz_koncorde_re_escape(r, 1) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        r->p++;

        if (c >= 0x80 || c == '-') {
            kz_out_char(&r->branch, c);

        } else {
            kz_koncorde_re_char(r, c);
        }
    }

    return kz_koncorde_re_bad(r, "missing ]");
}


static ngx_int_t
kz_koncorde_re_escape(kz_koncorde_re_t *r, ngx_uint_t in_class)
{
    u_char       c;
    ngx_int_t    n;
    ngx_uint_t   i, digits;

    static const struct {
        u_char       name;
        const char  *in;          /* of a class; NULL: cannot be in one */
        const char  *out;
    } sets[] = {
        { 'd', "0-9", "[0-9]" },
        { 'w', "A-Za-z0-9_", "[A-Za-z0-9_]" },
        { 's', " \t\n\r\f\v", "[ \t\n\r\f\v]" },
        { 'D', NULL, "[^0-9]" },
        { 'W', NULL, "[^A-Za-z0-9_]" },
        { 'S', NULL, "[^ \t\n\r\f\v]" },
        { 't', "\t", "\t" },
        { 'n', "\n", "\n" },
        { 'r', "\r", "\r" },
        { 'f', "\f", "\f" },
        { 'v', "\v", "\v" },
        { 0, NULL, NULL }
    };

    if (r->end - r->p < 2) {
        return kz_koncorde_re_bad(r, "trailing \\ at end of expression");
    }

    c = r->p[1];
    r->p += 2;

    for (i = 0; sets[i].name != 0; i++) {

        if (c != sets[i].name) {
            continue;
        }

        if (in_class && sets[i].in == NULL) {
            return kz_koncorde_cannot(r->x, r->at, "\\D, \\W and \\S within"
                                      " brackets are not supported");
        }

        kz_out_bytes(&r->branch, in_class ? sets[i].in : sets[i].out,
                     ngx_strlen(in_class ? sets[i].in : sets[i].out));

        return NGX_OK;
    }

    if (c == 'x' || c == 'u') {
        digits = (c == 'x') ? 2 : 4;
        n = ((ngx_uint_t) (r->end - r->p) >= digits)
            ? ngx_hextoi(r->p, digits) : NGX_ERROR;

        if (n == NGX_ERROR || (n >= 0xd800 && n < 0xe000)) {
            return kz_koncorde_re_bad(r, "invalid escape sequence");
        }

        r->p += digits;
        kz_koncorde_re_char(r, n);

        return NGX_OK;
    }

    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9'))
    {
        return kz_koncorde_re_bad(r, "invalid escape sequence");
    }

    if (c >= 0x80) {
        kz_out_char(&r->branch, c);

    } else {
        kz_koncorde_re_char(r, c);
    }

    return NGX_OK;
}


/* A character that means itself. */
static void
kz_koncorde_re_char(kz_koncorde_re_t *r, uint32_t c)
{
    if (c < 0x80) {

        if (c > ' ' && c != 0x7f && !(c >= '0' && c <= '9')
            && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
        {
            kz_out_char(&r->branch, '\\');
        }

        kz_out_char(&r->branch, c);

    } else if (c < 0x800) {
        kz_out_char(&r->branch, 0xc0 | (c >> 6));
        kz_out_char(&r->branch, 0x80 | (c & 0x3f));

    } else {
        kz_out_char(&r->branch, 0xe0 | (c >> 12));
        kz_out_char(&r->branch, 0x80 | ((c >> 6) & 0x3f));
        kz_out_char(&r->branch, 0x80 | (c & 0x3f));
    }
}


static ngx_int_t
kz_koncorde_re_bad(kz_koncorde_re_t *r, const char *why)
{
    ngx_str_t  pattern, flags;

    pattern = *r->pattern;
    pattern.len = ngx_min(pattern.len, 100);
    flags = *r->flags;
    flags.len = ngx_min(flags.len, 16);

    if (flags.data == NULL) {
        ngx_str_set(&flags, "undefined");
    }

    return kz_koncorde_bad(r->x, r->at, "cannot parse regexp expression"
                           " \"/%V/%V\" (%s: %V)", &pattern, &flags, why,
                           &pattern);
}
