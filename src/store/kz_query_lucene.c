
/*
 * The syntax of query_string: Lucene's classic query parser.
 *
 *   query   := [mods] clause ( [conj] [mods] clause )*
 *   conj    := AND | && | OR | ||
 *   mods    := + | - | ! | NOT
 *   clause  := [field :] ( term | "(" query ")" [^ n] )
 *   term    := ( word | word* | w?rd | /regexp/ | "words" | range )
 *              [~ [n]] [^ n]
 *   range   := ( "[" | "{" ) from [TO] to ( "]" | "}" )
 *
 * AND and OR say something about the clauses at their left and right, they
 * do not group: "a OR b AND c" is "a +b +c".  Users of the original rely on
 * exactly that (QueryParserBase.addClause).
 */

#include "store/kz_query_lucene.h"


/* An operand of a query before its operators are known. */

typedef struct {
    kz_query_node_t   *first[3];  /* must, should, must not */
    kz_query_node_t  **last[3];
    ngx_uint_t         n;
    ngx_uint_t         nshould;
    kz_query_node_t   *open;      /* the clause at the left */
    ngx_uint_t         occur;     /* what it is so far */
} kz_lucene_clauses_t;

#define KZ_LUCENE_MUST      0
#define KZ_LUCENE_SHOULD    1
#define KZ_LUCENE_MUST_NOT  2


static kz_query_node_t *kz_lucene_query(kz_lucene_t *l,
    const ngx_str_t *field, ngx_uint_t scored, ngx_uint_t depth);
static void kz_lucene_add(kz_lucene_t *l, kz_lucene_clauses_t *c,
    ngx_uint_t conj, ngx_uint_t mods, kz_query_node_t *node);
static void kz_lucene_close(kz_lucene_clauses_t *c);
static ngx_int_t kz_lucene_clause(kz_lucene_t *l, const ngx_str_t *field,
    ngx_uint_t scored, ngx_uint_t depth, kz_query_node_t **node);
static ngx_int_t kz_lucene_term(kz_lucene_t *l, const ngx_str_t *field,
    ngx_uint_t scored, kz_query_node_t **node);
static ngx_int_t kz_lucene_suffixes(kz_lucene_t *l, ngx_str_t *fuzzy,
    double *boost);
static kz_query_node_t *kz_lucene_make(kz_lucene_t *l,
    const kz_lucene_token_t *t, const ngx_str_t *field,
    const ngx_str_t *fuzzy, ngx_uint_t scored);
static kz_query_node_t *kz_lucene_word(kz_lucene_t *l,
    const ngx_str_t *text, const ngx_str_t *field, ngx_uint_t scored);
static kz_query_node_t *kz_lucene_exists(kz_lucene_t *l,
    const ngx_str_t *field, ngx_uint_t scored);
static kz_query_node_t *kz_lucene_wild(kz_lucene_t *l,
    const kz_lucene_token_t *t, const ngx_str_t *field, ngx_uint_t scored);
static kz_query_node_t *kz_lucene_fuzzy(kz_lucene_t *l,
    const ngx_str_t *text, const ngx_str_t *field, const ngx_str_t *fuzzy,
    ngx_uint_t scored);
static kz_query_node_t *kz_lucene_range(kz_lucene_t *l,
    const ngx_str_t *field, ngx_uint_t open_in, ngx_uint_t scored);


kz_query_node_t *
kz_query_lucene(kz_qs_t *s, ngx_uint_t scored, ngx_uint_t depth)
{
    kz_lucene_t       l;
    kz_query_node_t  *node;

    l.s = s;
    l.p = s->query.data;
    l.end = l.p + s->query.len;

    kz_lucene_next(&l);

    if (l.token.type == KZ_LUCENE_END) {
        return kz_query_node(s->x, s->at, KZ_QUERY_NONE, 0);
    }

    node = kz_lucene_query(&l, NULL, scored, depth);

    if (node != NULL && l.token.type != KZ_LUCENE_END) {
        (void) kz_lucene_bad(&l, NULL);
        return NULL;
    }

    return node;
}


static kz_query_node_t *
kz_lucene_query(kz_lucene_t *l, const ngx_str_t *field, ngx_uint_t scored,
    ngx_uint_t depth)
{
    ngx_uint_t            conj, mods, first;
    kz_query_node_t      *node;
    kz_lucene_clauses_t   c;

    if (depth > KZ_QUERY_MAX_DEPTH) {
        (void) kz_query_bad(l->s->x, l->s->at, "too many clauses in one"
                            " another: at most %d are allowed",
                            KZ_QUERY_MAX_DEPTH);
        return NULL;
    }

    ngx_memzero(&c, sizeof(kz_lucene_clauses_t));

    c.last[0] = &c.first[0];
    c.last[1] = &c.first[1];
    c.last[2] = &c.first[2];

    for (first = 1; /* void */; first = 0) {

        if (!first && (l->token.type == KZ_LUCENE_END
                       || l->token.type == KZ_LUCENE_CLOSE))
        {
            break;
        }

        conj = 0;
        mods = 0;

        if (!first && (l->token.type == KZ_LUCENE_AND
                       || l->token.type == KZ_LUCENE_OR))
        {
            conj = l->token.type;
            kz_lucene_next(l);
        }

        if (l->token.type == KZ_LUCENE_PLUS
            || l->token.type == KZ_LUCENE_MINUS
            || l->token.type == KZ_LUCENE_NOT)
        {
            mods = (l->token.type == KZ_LUCENE_PLUS) ? KZ_LUCENE_PLUS
                                                     : KZ_LUCENE_NOT;
            kz_lucene_next(l);
        }

        if (kz_lucene_clause(l, field, scored && mods != KZ_LUCENE_NOT,
                             depth, &node)
            != NGX_OK)
        {
            return NULL;
        }

        kz_lucene_add(l, &c, conj, mods, node);
    }

    kz_lucene_close(&c);

    if (c.n == 0) {
        return kz_query_node(l->s->x, l->s->at, KZ_QUERY_NONE, 0);
    }

    if (c.n == 1 && c.first[KZ_LUCENE_MUST_NOT] == NULL) {
        return (c.first[KZ_LUCENE_MUST] != NULL)
               ? c.first[KZ_LUCENE_MUST] : c.first[KZ_LUCENE_SHOULD];
    }

    node = kz_query_node(l->s->x, l->s->at, KZ_QUERY_BOOL, 0);

    if (node != NULL) {
        node->word = l->s->word;
        node->all = c.first[KZ_LUCENE_MUST];
        node->any = c.first[KZ_LUCENE_SHOULD];
        node->none = c.first[KZ_LUCENE_MUST_NOT];
        node->nany = c.nshould;
        node->minimum = (node->all == NULL && node->any != NULL);
    }

    return node;
}


/*
 * One more clause; node NULL: a word without letters, which only leaves its
 * operator behind.
 */
static void
kz_lucene_add(kz_lucene_t *l, kz_lucene_clauses_t *c, ngx_uint_t conj,
    ngx_uint_t mods, kz_query_node_t *node)
{
    if (c->open != NULL && c->occur != KZ_LUCENE_MUST_NOT) {

        if (conj == KZ_LUCENE_AND) {
            c->occur = KZ_LUCENE_MUST;

        } else if (conj == KZ_LUCENE_OR && l->s->model.every) {
            c->occur = KZ_LUCENE_SHOULD;
        }
    }

    if (node == NULL) {
        return;
    }

    kz_lucene_close(c);

    c->open = node;
    c->n++;

    if (mods == KZ_LUCENE_NOT) {
        c->occur = KZ_LUCENE_MUST_NOT;

    } else if (l->s->model.every) {
        c->occur = (conj == KZ_LUCENE_OR) ? KZ_LUCENE_SHOULD
                                          : KZ_LUCENE_MUST;

    } else {
        c->occur = (mods == KZ_LUCENE_PLUS || conj == KZ_LUCENE_AND)
                   ? KZ_LUCENE_MUST : KZ_LUCENE_SHOULD;
    }
}


/* What the clause at the left is, is known now. */
static void
kz_lucene_close(kz_lucene_clauses_t *c)
{
    kz_query_node_t  *node;

    node = c->open;

    if (node == NULL) {
        return;
    }

    /* of one field, a word without letters is left out */

    if (c->occur == KZ_LUCENE_MUST && !node->pattern
        && (node->type == KZ_QUERY_MATCH || node->type == KZ_QUERY_PHRASE))
    {
        node->zero = 1;
    }

    c->nshould += (c->occur == KZ_LUCENE_SHOULD);

    *c->last[c->occur] = node;
    c->last[c->occur] = &node->next;
    c->open = NULL;
}


/* NGX_OK with *node NULL: there is nothing to look for. */
static ngx_int_t
kz_lucene_clause(kz_lucene_t *l, const ngx_str_t *field, ngx_uint_t scored,
    ngx_uint_t depth, kz_query_node_t **node)
{
    double              boost;
    ngx_str_t           name, fuzzy;
    kz_lucene_t         ahead;

    static ngx_str_t  all = ngx_string("*");

    if (l->token.type == KZ_LUCENE_TERM || l->token.type == KZ_LUCENE_STAR) {
        ahead = *l;
        kz_lucene_next(&ahead);

        if (ahead.token.type == KZ_LUCENE_COLON) {

            if (l->token.type == KZ_LUCENE_STAR) {
                name = all;

            } else if (kz_lucene_unescape(l, &l->token.text, &name)
                       != NGX_OK)
            {
                return NGX_ERROR;
            }

            kz_lucene_next(&ahead);
            *l = ahead;
            field = &name;
        }
    }

    if (l->token.type != KZ_LUCENE_OPEN) {
        return kz_lucene_term(l, field, scored, node);
    }

    kz_lucene_next(l);

    *node = kz_lucene_query(l, field, scored, depth + 1);

    if (*node == NULL) {
        return NGX_ERROR;
    }

    if (l->token.type != KZ_LUCENE_CLOSE) {
        return kz_lucene_bad(l, "a \")\" is missing");
    }

    kz_lucene_next(l);

    if (l->token.type != KZ_LUCENE_CARET) {
        return NGX_OK;
    }

    if (kz_lucene_suffixes(l, &fuzzy, &boost) != NGX_OK) {
        return NGX_ERROR;
    }

    if (fuzzy.data != NULL) {
        return kz_lucene_bad(l, NULL);
    }

    kz_qs_boost(*node, boost);

    return NGX_OK;
}


static ngx_int_t
kz_lucene_term(kz_lucene_t *l, const ngx_str_t *field, ngx_uint_t scored,
    kz_query_node_t **node)
{
    double             boost;
    ngx_str_t          fuzzy;
    kz_lucene_token_t  t;

    t = l->token;
    *node = NULL;

    switch (t.type) {

    case KZ_LUCENE_BARE:
    case KZ_LUCENE_STAR:
    case KZ_LUCENE_QUOTED:
    case KZ_LUCENE_TERM:
    case KZ_LUCENE_PREFIX:
    case KZ_LUCENE_WILD:
    case KZ_LUCENE_REGEXP:
        if (t.text.len > KZ_QS_MAX_TERM && t.type != KZ_LUCENE_QUOTED) {
            return kz_query_bad(l->s->x, l->s->at, "a word of the query is"
                                " too long: at most %d bytes are allowed",
                                KZ_QS_MAX_TERM);
        }

        break;

    case KZ_LUCENE_RANGE:
        *node = kz_lucene_range(l, field, *t.begin == '[', scored);

        if (*node == NULL) {
            return NGX_ERROR;
        }

        break;

    default:
        return kz_lucene_bad(l, NULL);
    }

    kz_lucene_next(l);

    if (kz_lucene_suffixes(l, &fuzzy, &boost) != NGX_OK) {
        return NGX_ERROR;
    }

    if (t.type == KZ_LUCENE_RANGE) {

        if (fuzzy.data != NULL) {
            return kz_lucene_bad(l, "a range cannot be fuzzy");
        }

    } else if (t.type != KZ_LUCENE_BARE) {
        *node = kz_lucene_make(l, &t, field, &fuzzy, scored);

        if (*node == NULL) {
            return NGX_ERROR;
        }
    }

    if (*node != NULL) {
        kz_qs_boost(*node, boost);
    }

    return NGX_OK;
}


/* "~2" and "^1.5", in either order */
static ngx_int_t
kz_lucene_suffixes(kz_lucene_t *l, ngx_str_t *fuzzy, double *boost)
{
    u_char         *p;
    ngx_uint_t      boosted;
    kz_json_val_t   v;

    boosted = 0;
    *boost = 1;
    ngx_str_null(fuzzy);

    for ( ;; ) {

        if (l->token.type == KZ_LUCENE_TILDE && fuzzy->data == NULL) {
            *fuzzy = l->token.text;
            kz_lucene_next(l);
            continue;
        }

        if (l->token.type != KZ_LUCENE_CARET || boosted) {
            return NGX_OK;
        }

        kz_lucene_space(l);

        for (p = l->p; p < l->end && *p >= '0' && *p <= '9'; p++) {
            /* void */
        }

        if (p > l->p && l->end - p >= 2 && *p == '.'
            && p[1] >= '0' && p[1] <= '9')
        {
            for (p++; p < l->end && *p >= '0' && *p <= '9'; p++) {
                /* void */
            }
        }

        if (p == l->p || p - l->p > 40) {
            return kz_lucene_bad(l, "a number was expected after \"^\"");
        }

        v.type = KZ_JSON_NUMBER;
        v.escaped = 0;
        v.raw.data = l->p;
        v.raw.len = p - l->p;

        *boost = kz_json_double(&v);

        if (!(*boost < 1e30)) {
            return kz_lucene_bad(l, "a boost is too large");
        }

        boosted = 1;
        l->p = p;
        kz_lucene_next(l);
    }
}


static kz_query_node_t *
kz_lucene_make(kz_lucene_t *l, const kz_lucene_token_t *t,
    const ngx_str_t *field, const ngx_str_t *fuzzy, ngx_uint_t scored)
{
    ngx_int_t         slop;
    ngx_str_t         text;
    kz_query_node_t   leaf;

    if (t->type == KZ_LUCENE_WILD || t->type == KZ_LUCENE_STAR
        || t->type == KZ_LUCENE_PREFIX)
    {
        return kz_lucene_wild(l, t, field, scored);
    }

    if (t->type == KZ_LUCENE_REGEXP) {
        kz_qs_leaf(l->s, &leaf, KZ_QUERY_REGEXP);

        leaf.text = t->text;
        leaf.normal = 0;
        leaf.flags = KZ_REGEXP_ALL;

        return kz_qs_spread(l->s, &leaf, field, scored);
    }

    if (kz_lucene_unescape(l, &t->text, &text) != NGX_OK) {
        return NULL;
    }

    if (field != NULL && kz_query_is(field, "_exists_")) {
        return kz_lucene_exists(l, &text, scored);
    }

    if (t->type == KZ_LUCENE_QUOTED) {
        kz_qs_leaf(l->s, &leaf, KZ_QUERY_PHRASE);

        leaf.text = text;
        leaf.slop = l->s->model.slop;

        if (fuzzy->data != NULL && fuzzy->len > 0) {
            slop = (fuzzy->len < 7) ? ngx_atoi(fuzzy->data, fuzzy->len)
                                    : NGX_ERROR;

            if (slop == NGX_ERROR) {
                (void) kz_lucene_bad(l, "the slop of a phrase must be a"
                                     " whole number below 1000000");
                return NULL;
            }

            leaf.slop = slop;
        }

        return kz_qs_spread(l->s, &leaf, field, scored);
    }

    if (fuzzy->data != NULL) {
        return kz_lucene_fuzzy(l, &text, field, fuzzy, scored);
    }

    return kz_lucene_word(l, &text, field, scored);
}


/* A word; with a field also ">10", ">=10", "<10", "<=10". */
static kz_query_node_t *
kz_lucene_word(kz_lucene_t *l, const ngx_str_t *text, const ngx_str_t *field,
    ngx_uint_t scored)
{
    ngx_str_t         rest;
    ngx_uint_t        in;
    kz_json_val_t     v;
    kz_query_node_t   leaf;

    if (field == NULL || text->len < 2
        || (text->data[0] != '<' && text->data[0] != '>'))
    {
        kz_qs_word(l->s, &leaf, text);

        return kz_qs_spread(l->s, &leaf, field, scored);
    }

    in = (text->len > 2 && text->data[1] == '=');

    rest.data = text->data + 1 + in;
    rest.len = text->len - 1 - in;

    if (kz_lucene_json(l, &rest, &v) != NGX_OK) {
        return NULL;
    }

    kz_qs_leaf(l->s, &leaf, KZ_QUERY_RANGE);

    if (text->data[0] == '>') {
        leaf.lower = v;
        leaf.lower_in = in;

    } else {
        leaf.upper = v;
        leaf.upper_in = in;
    }

    return kz_qs_spread(l->s, &leaf, field, scored);
}


static kz_query_node_t *
kz_lucene_exists(kz_lucene_t *l, const ngx_str_t *field, ngx_uint_t scored)
{
    kz_query_node_t  leaf;

    if (field->len == 0) {
        (void) kz_lucene_bad(l, "\"_exists_:\" needs the name of a field");
        return NULL;
    }

    kz_qs_leaf(l->s, &leaf, KZ_QUERY_EXISTS);

    return kz_qs_spread(l->s, &leaf, field, scored);
}


/* "*", "jo*", "j?n": the escapes of a pattern are the pattern's own. */
static kz_query_node_t *
kz_lucene_wild(kz_lucene_t *l, const kz_lucene_token_t *t,
    const ngx_str_t *field, ngx_uint_t scored)
{
    ngx_str_t         text;
    kz_query_node_t   leaf;

    if (field != NULL && kz_query_is(field, "_exists_")) {

        if (kz_lucene_unescape(l, &t->text, &text) != NGX_OK) {
            return NULL;
        }

        return kz_lucene_exists(l, &text, scored);
    }

    if (t->type == KZ_LUCENE_STAR) {

        if ((field == NULL) ? l->s->everywhere : kz_query_is(field, "*")) {
            kz_query_node_t  *node;

            node = kz_query_node(l->s->x, l->s->at, KZ_QUERY_ALL, scored);

            if (node != NULL) {
                node->boost = l->s->boost;
            }

            return node;
        }

        kz_qs_leaf(l->s, &leaf, KZ_QUERY_EXISTS);

        return kz_qs_spread(l->s, &leaf, field, scored);
    }

    if (t->type == KZ_LUCENE_PREFIX) {
        text = t->text;
        text.len--;

        if (kz_lucene_unescape(l, &text, &text) != NGX_OK) {
            return NULL;
        }

        kz_qs_leaf(l->s, &leaf, KZ_QUERY_PREFIX);
        leaf.text = text;

        return kz_qs_spread(l->s, &leaf, field, scored);
    }

    if (l->s->no_leading
        && (t->text.data[0] == '*' || t->text.data[0] == '?'))
    {
        (void) kz_lucene_bad(l, "'*' or '?' not allowed as first character"
                             " in WildcardQuery");
        return NULL;
    }

    kz_qs_leaf(l->s, &leaf, KZ_QUERY_WILDCARD);
    leaf.text = t->text;

    return kz_qs_spread(l->s, &leaf, field, scored);
}


/* "jon~", "jon~1", and what it was before: a similarity, "jon~0.8". */
static kz_query_node_t *
kz_lucene_fuzzy(kz_lucene_t *l, const ngx_str_t *text, const ngx_str_t *field,
    const ngx_str_t *fuzzy, ngx_uint_t scored)
{
    double            n;
    size_t            i, chars;
    ngx_uint_t        edits;
    kz_json_val_t     v;
    kz_query_node_t   leaf;

    kz_qs_leaf(l->s, &leaf, KZ_QUERY_FUZZY);

    leaf.text = *text;
    leaf.fuzziness = l->s->model.fuzziness;

    if (fuzzy->len > 0) {

        for (i = 0, chars = 0; i < text->len; i++) {
            chars += ((text->data[i] & 0xc0) != 0x80);
        }

        v.type = KZ_JSON_NUMBER;
        v.escaped = 0;
        v.raw = *fuzzy;
        v.raw.len = ngx_min(v.raw.len, 40);

        n = kz_json_double(&v);
        edits = (n < 1) ? (ngx_uint_t) ((1 - n) * chars)
                        : (ngx_uint_t) ngx_min(n, 3);

        if (n >= 1 && n < 3 && n != (double) edits) {
            (void) kz_lucene_bad(l, "Fractional edit distances are not"
                                 " allowed!");
            return NULL;
        }

        if (n == 0) {
            edits = 0;
        }

        leaf.fuzziness = ngx_min(edits, 2);
    }

    return kz_qs_spread(l->s, &leaf, field, scored);
}


/* The token was its bracket; l->p is behind it. */
static kz_query_node_t *
kz_lucene_range(kz_lucene_t *l, const ngx_str_t *field, ngx_uint_t open_in,
    ngx_uint_t scored)
{
    ngx_str_t         text[2];
    ngx_uint_t        i, quoted[2];
    kz_query_node_t   leaf;

    if (kz_lucene_goop(l, &text[0], &quoted[0]) != NGX_OK) {
        goto bad;
    }

    if (kz_lucene_goop(l, &text[1], &quoted[1]) != NGX_OK) {
        goto bad;
    }

    /* "TO" may be left out, and it may be a bound: "[TO TO TO]" */

    if (!quoted[1] && kz_query_is(&text[1], "TO")
        && kz_lucene_goop(l, &text[1], &quoted[1]) != NGX_OK)
    {
        goto bad;
    }

    kz_lucene_space(l);

    if (l->p == l->end || (*l->p != ']' && *l->p != '}')) {
        goto bad;
    }

    kz_qs_leaf(l->s, &leaf, KZ_QUERY_RANGE);

    leaf.lower_in = open_in;
    leaf.upper_in = (*l->p++ == ']');

    for (i = 0; i < 2; i++) {

        if (!quoted[i] && kz_query_is(&text[i], "*")) {
            continue;
        }

        if (text[i].len > KZ_QS_MAX_TERM) {
            (void) kz_lucene_bad(l, "a bound of a range is too long");
            return NULL;
        }

        if (kz_lucene_unescape(l, &text[i], &text[i]) != NGX_OK
            || kz_lucene_json(l, &text[i], i ? &leaf.upper : &leaf.lower)
               != NGX_OK)
        {
            return NULL;
        }
    }

    return kz_qs_spread(l->s, &leaf, field, scored);

bad:

    (void) kz_lucene_bad(l, "a range is \"[from TO to]\"");

    return NULL;
}
