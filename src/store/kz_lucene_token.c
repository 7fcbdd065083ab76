
/*
 * The tokens of query_string's syntax, as Lucene's grammar cuts them: the
 * longest one that fits.
 */

#include "store/kz_query_lucene.h"


static ngx_uint_t kz_lucene_is_space(const u_char *p, const u_char *end);
static void kz_lucene_token(kz_lucene_t *l, kz_lucene_e type, u_char *begin,
    u_char *end);
static void kz_lucene_next_word(kz_lucene_t *l);


ngx_int_t
kz_lucene_goop(kz_lucene_t *l, ngx_str_t *text, ngx_uint_t *quoted)
{
    u_char  *p;

    kz_lucene_space(l);

    *quoted = 0;

    if (l->p < l->end && *l->p == '"') {

        for (p = l->p + 1; p < l->end && *p != '"'; p++) {
            if (*p == '\\' && p + 1 < l->end) {
                p++;
            }
        }

        if (p < l->end && p > l->p + 1) {
            *quoted = 1;
            text->data = l->p + 1;
            text->len = p - text->data;
            l->p = p + 1;

            return NGX_OK;
        }
    }

    for (p = l->p; p < l->end && *p != ' ' && *p != ']' && *p != '}'; p++) {
        /* void */
    }

    text->data = l->p;
    text->len = p - l->p;
    l->p = p;

    return (text->len > 0) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
kz_lucene_json(kz_lucene_t *l, const ngx_str_t *text, kz_json_val_t *v)
{
    kz_out_t  out;

    kz_out_init(&out, l->s->x->pool, text->len + 2);
    kz_out_json_str(&out, text);

    if (kz_out_failed(&out)) {
        return NGX_ERROR;
    }

    kz_json_value(out.start, out.pos, v);

    return NGX_OK;
}


/* "\:" is ":", "\u0041" is "A"; dst may be src. */
ngx_int_t
kz_lucene_unescape(kz_lucene_t *l, const ngx_str_t *src, ngx_str_t *dst)
{
    size_t      i;
    u_char     *p, *text;
    uint32_t    c;
    ngx_int_t   n;

    if (src->len == 0 || memchr(src->data, '\\', src->len) == NULL) {
        *dst = *src;
        return NGX_OK;
    }

    text = ngx_pnalloc(l->s->x->pool, src->len);
    if (text == NULL) {
        return NGX_ERROR;
    }

    p = text;

    for (i = 0; i < src->len; i++) {

        if (src->data[i] != '\\') {
            *p++ = src->data[i];
            continue;
        }

        if (++i == src->len) {
            return kz_lucene_bad(l, "Term can not end with escape"
                                 " character.");
        }

        if (src->data[i] != 'u') {
            *p++ = src->data[i];
            continue;
        }

        n = (src->len - i > 4) ? ngx_hextoi(src->data + i + 1, 4) : NGX_ERROR;

        if (n == NGX_ERROR) {
            return kz_lucene_bad(l, "Truncated unicode escape sequence.");
        }

        i += 4;
        c = (n >= 0xd800 && n < 0xe000) ? 0xfffd : (uint32_t) n;

        /* three bytes at most, in the place of six */

        if (c < 0x80) {
            *p++ = c;

        } else if (c < 0x800) {
            *p++ = 0xc0 | (c >> 6);
            *p++ = 0x80 | (c & 0x3f);

        } else {
            *p++ = 0xe0 | (c >> 12);
            *p++ = 0x80 | ((c >> 6) & 0x3f);
            *p++ = 0x80 | (c & 0x3f);
        }
    }

    dst->data = text;
    dst->len = p - text;

    return NGX_OK;
}


/* Length of the white space at p, 0: something else */
static ngx_uint_t
kz_lucene_is_space(const u_char *p, const u_char *end)
{
    if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r') {
        return 1;
    }

    return (end - p >= 3 && p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80)
           ? 3 : 0;
}


void
kz_lucene_space(kz_lucene_t *l)
{
    ngx_uint_t  n;

    while (l->p < l->end) {
        n = kz_lucene_is_space(l->p, l->end);

        if (n == 0) {
            return;
        }

        l->p += n;
    }
}


static void
kz_lucene_token(kz_lucene_t *l, kz_lucene_e type, u_char *begin, u_char *end)
{
    l->token.type = type;
    l->token.text.data = begin;
    l->token.text.len = end - begin;
}


void
kz_lucene_next(kz_lucene_t *l)
{
    u_char       c, *p;
    ngx_uint_t   n;

    kz_lucene_space(l);

    p = l->p;
    l->token.begin = p;

    kz_lucene_token(l, KZ_LUCENE_END, p, p);

    if (p == l->end) {
        return;
    }

    c = *p++;

    switch (c) {

    case '(':
        l->token.type = KZ_LUCENE_OPEN;
        break;

    case ')':
        l->token.type = KZ_LUCENE_CLOSE;
        break;

    case ':':
        l->token.type = KZ_LUCENE_COLON;
        break;

    case '^':
        l->token.type = KZ_LUCENE_CARET;
        break;

    case '[':
    case '{':
        l->token.type = KZ_LUCENE_RANGE;
        break;

    case '+':
    case '-':
    case '!':
        n = (p < l->end) ? kz_lucene_is_space(p, l->end) : 0;

        l->token.type = (n != 0) ? KZ_LUCENE_BARE
                        : (c == '+') ? KZ_LUCENE_PLUS
                        : (c == '-') ? KZ_LUCENE_MINUS : KZ_LUCENE_NOT;
        p += n;
        break;

    case '~':
        while (p < l->end && *p >= '0' && *p <= '9') {
            p++;
        }

        if (p > l->p + 1 && l->end - p >= 2 && *p == '.'
            && p[1] >= '0' && p[1] <= '9')
        {
            for (p++; p < l->end && *p >= '0' && *p <= '9'; p++) {
                /* void */
            }
        }

        kz_lucene_token(l, KZ_LUCENE_TILDE, l->p + 1, p);
        break;

    case '"':
        while (p < l->end && *p != '"') {
            p += (*p == '\\' && l->end - p > 1) ? 2 : 1;
        }

        kz_lucene_token(l, (p < l->end) ? KZ_LUCENE_QUOTED : KZ_LUCENE_BAD,
                        l->p + 1, p);
        p += (p < l->end);
        break;

    case '/':
        while (p < l->end && (*p != '/' || p[-1] == '\\')) {
            p++;
        }

        kz_lucene_token(l, (p < l->end) ? KZ_LUCENE_REGEXP : KZ_LUCENE_BAD,
                        l->p + 1, p);
        p += (p < l->end);
        break;

    case ']':
    case '}':
        l->token.type = KZ_LUCENE_BAD;
        break;

    default:
        kz_lucene_next_word(l);
        return;
    }

    l->p = p;
}


static void
kz_lucene_next_word(kz_lucene_t *l)
{
    u_char             *p, *begin, *wild;
    kz_lucene_token_t  *t;

    begin = l->p;
    wild = NULL;

    for (p = begin; p < l->end; p++) {

        if (*p == '\\') {

            if (p + 1 == l->end) {
                kz_lucene_token(l, KZ_LUCENE_BAD, begin, p);
                l->p = l->end;
                return;
            }

            p++;
            continue;
        }

        if (*p == '*' || *p == '?') {
            wild = (wild == NULL && *p == '*') ? p : begin;
            continue;
        }

        if (kz_lucene_is_space(p, l->end) != 0
            || strchr("!():^[]\"{}~/", *p) != NULL)
        {
            /* strchr() finds the end of its string as well */

            if (*p != '\0') {
                break;
            }
        }
    }

    l->p = p;
    kz_lucene_token(l, KZ_LUCENE_TERM, begin, p);

    t = &l->token;

    if (wild != NULL) {
        t->type = (t->text.len == 1 && *begin == '*') ? KZ_LUCENE_STAR
                  : (wild == p - 1 && wild != begin) ? KZ_LUCENE_PREFIX
                  : KZ_LUCENE_WILD;

    } else if (kz_query_is(&t->text, "AND") || kz_query_is(&t->text, "&&")) {
        t->type = KZ_LUCENE_AND;

    } else if (kz_query_is(&t->text, "OR") || kz_query_is(&t->text, "||")) {
        t->type = KZ_LUCENE_OR;

    } else if (kz_query_is(&t->text, "NOT")) {
        t->type = KZ_LUCENE_NOT;
    }
}


/* "Failed to parse query [...]" is what the original says. */
ngx_int_t
kz_lucene_bad(kz_lucene_t *l, const char *why)
{
    ngx_str_t  text;

    text = l->s->query;

    if (text.len > 128) {
        text.len = 128;

        while (text.len > 0 && (text.data[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }

    if (why != NULL) {
        return kz_query_bad(l->s->x, l->s->at, "Failed to parse query [%V]:"
                            " %s", &text, why);
    }

    if (l->token.type == KZ_LUCENE_END) {
        return kz_query_bad(l->s->x, l->s->at, "Failed to parse query [%V]:"
                            " it ends too early", &text);
    }

    return kz_query_bad(l->s->x, l->s->at, "Failed to parse query [%V]: not"
                        " understood from byte %uz on", &text,
                        (size_t) (l->token.begin - l->s->query.data));
}
