
/*
 * simple_query_string.  Its text is never wrong: what makes no sense is left
 * out (Lucene's SimpleQueryParser, which this follows character by
 * character).
 *
 *   a + b    both           a | b    one of them      -a     not
 *   "a b"~2  phrase         a*       prefix           a~1    like it
 *   ( )      grouping       \        the next character as it is
 *
 * Operators bind from the left: "a | b + c" is (a | b) + c.  A "-" is a
 * clause like any other: with "or", "a -b" finds what has a, and what has
 * not b.
 */

#include "store/kz_query_string.h"


typedef struct {
    kz_qs_t             *s;
    u_char              *data;      /* of the whole text */
    uint32_t            *close;     /* of a "(": where its ")" is; NULL: there
                                       is no "(" */
    u_char              *end;
    u_char              *out;       /* words without their escapes; all of
                                       them have room */
    ngx_uint_t           depth;     /* of the clause itself */
    ngx_uint_t           scored;
} kz_simple_t;


/* A level of parentheses. */

typedef struct {
    kz_simple_t         *x;
    u_char              *p;
    u_char              *end;
    kz_query_node_t     *top;
    kz_query_node_t    **last;      /* of top's list, when it is open */
    ngx_uint_t           levels;    /* of clauses in top */
    ngx_uint_t           depth;
    ngx_uint_t           nots;
    u_char               op;        /* '+', '|', 0: not given */
    u_char               before;
} kz_simple_level_t;


static ngx_int_t kz_query_simple_option(kz_qs_t *s,
    const kz_query_member_t *m);
static ngx_int_t kz_query_simple_flags(kz_qs_t *s,
    const kz_query_member_t *m);
static ngx_int_t kz_simple_pairs(kz_simple_t *x);
static ngx_int_t kz_simple_parse(kz_simple_level_t *l);
static ngx_int_t kz_simple_group(kz_simple_level_t *l);
static ngx_int_t kz_simple_phrase(kz_simple_level_t *l);
static ngx_int_t kz_simple_word(kz_simple_level_t *l);
static ngx_uint_t kz_simple_number(kz_simple_level_t *l);
static ngx_uint_t kz_simple_ends(kz_simple_level_t *l);
static ngx_int_t kz_simple_leaf(kz_simple_level_t *l,
    const kz_query_node_t *leaf);
static ngx_int_t kz_simple_add(kz_simple_level_t *l, kz_query_node_t *node,
    ngx_uint_t levels);
static kz_query_node_t *kz_simple_group_node(kz_simple_level_t *l,
    ngx_uint_t levels);


ngx_int_t
kz_query_simple(kz_query_parse_t *x, const kz_query_place_t *at,
    kz_query_node_t *node, const kz_json_val_t *v, ngx_uint_t depth)
{
    kz_qs_t              s;
    ngx_uint_t           i, n;
    kz_query_node_t     *found;
    kz_query_member_t   *m;

    if (kz_query_members(x, at, v, &m, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_qs_init(&s, x, at, "simple_query_string");

    s.tie = 1;

    for (i = 0; i < n; i++) {
        if (kz_query_simple_option(&s, &m[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (kz_qs_ready(&s) != NGX_OK) {
        return NGX_ERROR;
    }

    found = kz_query_simple_text(&s, node->scored, depth);

    if (found == NULL || kz_qs_minimum(&s, found) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_qs_finish(&s, node, found);

    return NGX_OK;
}


static ngx_int_t
kz_query_simple_option(kz_qs_t *s, const kz_query_member_t *m)
{
    ngx_int_t  rc;

    if (kz_query_is(&m->key, "flags")) {
        return kz_query_simple_flags(s, m);
    }

    /* multi_match's own */

    if (kz_query_is(&m->key, "operator")
        || kz_query_is(&m->key, "prefix_length")
        || kz_query_is(&m->key, "max_expansions"))
    {
        return kz_qs_unknown(s, m);
    }

    rc = kz_qs_option(s, m);

    return (rc == NGX_DECLINED) ? kz_qs_unknown(s, m) : rc;
}


/* "OR|AND|PREFIX", or a number */
static ngx_int_t
kz_query_simple_flags(kz_qs_t *s, const kz_query_member_t *m)
{
    u_char      *p, *end, *bar;
    size_t       len;
    int64_t      n;
    ngx_str_t    text;
    ngx_uint_t   i;

    static const struct {
        const char  *name;
        ngx_uint_t   flag;
        int64_t      bit;         /* in the original's numbers */
    } names[] = {
        { "ALL", KZ_QS_ALL, -1 },
        { "NONE", 0, 0 },
        { "AND", KZ_QS_AND, 1 },
        { "NOT", KZ_QS_NOT, 2 },
        { "OR", KZ_QS_OR, 4 },
        { "PREFIX", KZ_QS_PREFIX, 8 },
        { "PHRASE", KZ_QS_QUOTES, 16 },
        { "PRECEDENCE", KZ_QS_PRECEDENCE, 32 },
        { "ESCAPE", KZ_QS_ESCAPE, 64 },
        { "WHITESPACE", KZ_QS_WHITESPACE, 128 },
        { "FUZZY", KZ_QS_FUZZY, 256 },
        { "NEAR", KZ_QS_NEAR, 512 },
        { "SLOP", KZ_QS_NEAR, 512 },
        { NULL, 0, 0 }
    };

    s->flags = 0;

    if (m->val.type == KZ_JSON_NUMBER
        && kz_json_int(&m->val, &n) == NGX_OK)
    {
        for (i = 2; names[i].name != NULL; i++) {
            s->flags |= (n & names[i].bit) ? names[i].flag : 0;
        }

        return NGX_OK;
    }

    if (m->val.type != KZ_JSON_STRING
        || kz_json_string(s->x->pool, &m->val, &text) != NGX_OK)
    {
        return kz_query_bad(s->x, s->at, "[flags] must be a text");
    }

    end = text.data + text.len;

    for (p = text.data; p < end; p = bar + 1) {

        for (bar = p; bar < end && *bar != '|'; bar++) { /* void */ }

        while (p < bar && *p == ' ') {
            p++;
        }

        for (len = bar - p; len > 0 && p[len - 1] == ' '; len--) {
            /* void */
        }

        for (i = 0; names[i].name != NULL; i++) {
            if (len == ngx_strlen(names[i].name)
                && ngx_strncasecmp(p, (u_char *) names[i].name, len) == 0)
            {
                break;
            }
        }

        if (names[i].name == NULL) {
            text.data = p;
            text.len = ngx_min(len, 64);

            return kz_query_bad(s->x, s->at, "[flags] [%V] is not known",
                                &text);
        }

        s->flags |= names[i].flag;
    }

    return NGX_OK;
}


kz_query_node_t *
kz_query_simple_text(kz_qs_t *s, ngx_uint_t scored, ngx_uint_t depth)
{
    u_char             *p;
    ngx_str_t           text;
    kz_simple_t         x;
    kz_query_node_t    *node;
    kz_simple_level_t   level;

    text = s->query;

    while (text.len > 0 && text.data[0] == ' ') {
        text.data++;
        text.len--;
    }

    while (text.len > 0 && text.data[text.len - 1] == ' ') {
        text.len--;
    }

    if (kz_query_is(&text, "*")) {
        node = kz_query_node(s->x, s->at, KZ_QUERY_ALL, scored);

        if (node != NULL) {
            node->boost = s->boost;
        }

        return node;
    }

    x.s = s;
    x.data = s->query.data;
    x.end = x.data + s->query.len;
    x.scored = scored;
    x.depth = depth;
    x.close = NULL;

    x.out = ngx_pnalloc(s->x->pool, s->query.len + 1);
    if (x.out == NULL) {
        return NULL;
    }

    for (p = x.data; p < x.end; p++) {
        if (*p == '(') {
            if (kz_simple_pairs(&x) != NGX_OK) {
                return NULL;
            }

            break;
        }
    }

    ngx_memzero(&level, sizeof(kz_simple_level_t));

    level.x = &x;
    level.p = x.data;
    level.end = x.end;
    level.depth = depth;

    if (kz_simple_parse(&level) != NGX_OK) {
        return NULL;
    }

    return (level.top != NULL)
           ? level.top : kz_query_node(s->x, s->at, KZ_QUERY_NONE, 0);
}


/*
 * Where the ")" of each "(" is: looking for it again and again would take
 * the square of the text's length.
 */
static ngx_int_t
kz_simple_pairs(kz_simple_t *x)
{
    size_t      i, n, len;
    uint32_t   *open;

    len = x->end - x->data;

    x->close = ngx_pcalloc(x->s->x->pool, len * sizeof(uint32_t));
    open = ngx_palloc(x->s->x->pool, len * sizeof(uint32_t));

    if (x->close == NULL || open == NULL) {
        return NGX_ERROR;
    }

    for (i = 0, n = 0; i < len; i++) {

        if (x->data[i] == '\\' && (x->s->flags & KZ_QS_ESCAPE)) {
            i++;

        } else if (x->data[i] == '(') {
            open[n++] = i;

        } else if (x->data[i] == ')' && n > 0) {
            x->close[open[--n]] = i;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_simple_parse(kz_simple_level_t *l)
{
    u_char      c;
    ngx_int_t   rc;
    ngx_uint_t  flags;

    flags = l->x->s->flags;

    while (l->p < l->end) {
        c = *l->p;
        rc = NGX_OK;

        if (c == '(' && (flags & KZ_QS_PRECEDENCE)) {
            rc = kz_simple_group(l);

        } else if (c == ')' && (flags & KZ_QS_PRECEDENCE)) {
            l->p++;

        } else if (c == '"' && (flags & KZ_QS_QUOTES)) {
            rc = kz_simple_phrase(l);

        } else if ((c == '+' && (flags & KZ_QS_AND))
                   || (c == '|' && (flags & KZ_QS_OR)))
        {
            if (l->op == 0 && l->top != NULL) {
                l->op = c;
            }

            l->p++;

        } else if (c == '-' && (flags & KZ_QS_NOT)) {

            /* two of them are none; a space behind it, and it is nothing */

            l->nots++;
            l->p++;
            continue;

        } else if ((c == ' ' || c == '\t' || c == '\n' || c == '\r')
                   && (flags & KZ_QS_WHITESPACE))
        {
            l->p++;

        } else {
            rc = kz_simple_word(l);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        l->nots = 0;
    }

    return NGX_OK;
}


static ngx_int_t
kz_simple_group(kz_simple_level_t *l)
{
    u_char             *close;
    uint32_t            at;
    ngx_uint_t          scored;
    kz_simple_level_t   inner;

    at = l->x->close[l->p - l->x->data];
    close = l->x->data + at;

    if (at == 0 || close >= l->end) {
        l->p++;
        return NGX_OK;
    }

    if (close == l->p + 1) {
        l->op = 0;
        l->p += 2;
        return NGX_OK;
    }

    if (l->depth >= KZ_QUERY_MAX_DEPTH) {
        return kz_query_bad(l->x->s->x, l->x->s->at, "too many clauses in one"
                            " another: at most %d are allowed",
                            KZ_QUERY_MAX_DEPTH);
    }

    ngx_memzero(&inner, sizeof(kz_simple_level_t));

    inner.x = l->x;
    inner.p = l->p + 1;
    inner.end = close;
    inner.depth = l->depth + 1;

    scored = l->x->scored;
    l->x->scored = (scored && l->nots % 2 == 0);

    if (kz_simple_parse(&inner) != NGX_OK) {
        return NGX_ERROR;
    }

    l->x->scored = scored;
    l->p = close + 1;

    if (inner.top == NULL) {
        l->op = 0;
        return NGX_OK;
    }

    return kz_simple_add(l, inner.top, inner.levels);
}


static ngx_int_t
kz_simple_phrase(kz_simple_level_t *l)
{
    u_char           *p, *begin;
    ngx_str_t         phrase;
    ngx_uint_t        escape;
    kz_query_node_t   leaf;

    escape = l->x->s->flags & KZ_QS_ESCAPE;
    begin = l->p + 1;

    for (p = begin; p < l->end && *p != '"'; p++) {
        if (*p == '\\' && escape && p + 1 < l->end) {
            p++;
        }
    }

    if (p == l->end) {
        l->p = begin;
        return NGX_OK;
    }

    l->p = p + 1;

    if (p == begin) {
        l->op = 0;
        return NGX_OK;
    }

    phrase.data = l->x->out;

    for (p = begin; p < l->p - 1; p++) {
        if (*p == '\\' && escape) {
            p++;
        }

        *l->x->out++ = *p;
    }

    phrase.len = l->x->out - phrase.data;

    kz_qs_leaf(l->x->s, &leaf, KZ_QUERY_PHRASE);

    leaf.text = phrase;

    if (l->p < l->end && *l->p == '~' && (l->x->s->flags & KZ_QS_NEAR)) {
        leaf.slop = kz_simple_number(l);
    }

    return kz_simple_leaf(l, &leaf);
}


static ngx_int_t
kz_simple_word(kz_simple_level_t *l)
{
    u_char            c;
    ngx_str_t         word;
    ngx_uint_t        flags, escaped, prefix, edits;
    kz_query_node_t   leaf;

    flags = l->x->s->flags;
    escaped = 0;
    prefix = 0;
    edits = 0;

    word.data = l->x->out;
    word.len = 0;

    for ( /* void */ ; l->p < l->end; l->p++) {
        c = *l->p;

        if (!escaped) {

            if (c == '\\' && (flags & KZ_QS_ESCAPE)) {
                escaped = 1;
                prefix = 0;
                continue;
            }

            if (kz_simple_ends(l)) {
                break;
            }

            if (c == '~' && word.len > 0 && (flags & KZ_QS_FUZZY)) {
                edits = kz_simple_number(l);
                edits = ngx_min(edits, 2);
                prefix = 0;
                break;
            }

            prefix = (c == '*' && word.len > 0 && (flags & KZ_QS_PREFIX));
        }

        escaped = 0;
        word.data[word.len++] = c;
    }

    l->x->out += word.len;

    if (word.len == 0) {
        return NGX_OK;
    }

    if (word.len > KZ_QS_MAX_TERM) {
        return kz_query_bad(l->x->s->x, l->x->s->at, "a word of the query is"
                            " too long: at most %d bytes are allowed",
                            KZ_QS_MAX_TERM);
    }

    if (edits != 0) {
        kz_qs_leaf(l->x->s, &leaf, KZ_QUERY_FUZZY);
        leaf.text = word;
        leaf.fuzziness = edits;

    } else if (prefix) {
        kz_qs_leaf(l->x->s, &leaf, KZ_QUERY_PREFIX);
        leaf.text = word;
        leaf.text.len--;

    } else {
        kz_qs_word(l->x->s, &leaf, &word);
    }

    return kz_simple_leaf(l, &leaf);
}


/* "~2": what is no number is 0. */
static ngx_uint_t
kz_simple_number(kz_simple_level_t *l)
{
    u_char     *begin;
    ngx_int_t   n;

    begin = ++l->p;

    while (l->p < l->end && !kz_simple_ends(l)) {
        l->p++;
    }

    n = (l->p - begin < 7) ? ngx_atoi(begin, l->p - begin) : NGX_ERROR;

    return (n == NGX_ERROR) ? 0 : n;
}


static ngx_uint_t
kz_simple_ends(kz_simple_level_t *l)
{
    ngx_uint_t  flags;

    flags = l->x->s->flags;

    switch (*l->p) {

    case '"':
        return flags & KZ_QS_QUOTES;

    case '|':
        return flags & KZ_QS_OR;

    case '+':
        return flags & KZ_QS_AND;

    case '(':
    case ')':
        return flags & KZ_QS_PRECEDENCE;

    case ' ':
    case '\t':
    case '\n':
    case '\r':
        return flags & KZ_QS_WHITESPACE;

    default:
        return 0;
    }
}


static ngx_int_t
kz_simple_leaf(kz_simple_level_t *l, const kz_query_node_t *leaf)
{
    ngx_uint_t        scored;
    kz_query_node_t  *node;

    scored = (l->x->scored && l->nots % 2 == 0);

    node = kz_qs_spread(l->x->s, leaf, NULL, scored);

    return (node == NULL) ? NGX_ERROR : kz_simple_add(l, node, 1);
}


/* levels: of clauses in one another, in the node */
static ngx_int_t
kz_simple_add(kz_simple_level_t *l, kz_query_node_t *node, ngx_uint_t levels)
{
    u_char             op;
    kz_qs_t           *s;
    kz_query_node_t   *group;

    s = l->x->s;
    op = l->op ? l->op : (s->model.every ? '+' : '|');

    l->op = 0;

    if (l->nots % 2 != 0) {
        group = kz_simple_group_node(l, ++levels);
        if (group == NULL) {
            return NGX_ERROR;
        }

        group->none = node;
        node = group;

        /* what it finds scores as everything does */

        group->all = kz_query_node(s->x, s->at, KZ_QUERY_ALL, l->x->scored);
        if (group->all == NULL) {
            return NGX_ERROR;
        }
    }

    if (l->top == NULL) {
        l->top = node;
        l->levels = levels;
        return NGX_OK;
    }

    l->levels = ngx_max(l->levels, levels + (l->before == op));

    if (l->before != op) {
        group = kz_simple_group_node(l, ++l->levels);
        if (group == NULL) {
            return NGX_ERROR;
        }

        if (op == '+') {
            group->all = l->top;

        } else {
            group->any = l->top;
            group->nany = 1;
            group->minimum = 1;
        }

        l->last = &l->top->next;
        l->top = group;
        l->before = op;
    }

    *l->last = node;
    l->last = &node->next;

    if (op == '|') {
        l->top->nany++;
    }

    return NGX_OK;
}


static kz_query_node_t *
kz_simple_group_node(kz_simple_level_t *l, ngx_uint_t levels)
{
    kz_qs_t          *s;
    kz_query_node_t  *node;

    s = l->x->s;

    if (l->x->depth + levels > KZ_QUERY_MAX_DEPTH) {
        (void) kz_query_bad(s->x, s->at, "too many clauses in one another:"
                            " at most %d are allowed", KZ_QUERY_MAX_DEPTH);
        return NULL;
    }

    node = kz_query_node(s->x, s->at, KZ_QUERY_BOOL, 0);

    if (node != NULL) {
        node->word = s->word;
    }

    return node;
}
