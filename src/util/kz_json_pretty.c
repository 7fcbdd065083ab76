
/*
 * Indented JSON of kz_json_pretty.h.
 */

#include "util/kz_json_pretty.h"


#define KZ_JSON_PRETTY_STEP  2


/* One piece of text, and the line that may have to begin behind it. */

typedef struct {
    const u_char    *p;
    const u_char    *last;
    const u_char    *text;
    size_t           len;
    size_t           depth;
    unsigned         before:1;         /* a new line, then the text */
    unsigned         after:1;          /* the text, then a new line */
    unsigned         blank:1;          /* the text, then a blank */
} kz_json_pretty_t;


static ngx_int_t kz_json_pretty_next(kz_json_pretty_t *t);
static void kz_json_pretty_open(kz_json_pretty_t *t);
static const u_char *kz_json_pretty_string(const u_char *p,
    const u_char *last);
static u_char *kz_json_pretty_line(u_char *dst, size_t depth);


#define kz_json_pretty_white(c)                                               \
    ((c) == ' ' || (c) == '\t' || (c) == '\n' || (c) == '\r')


size_t
kz_json_pretty_len(const u_char *p, size_t n, size_t max)
{
    size_t            len;
    kz_json_pretty_t  t;

    ngx_memzero(&t, sizeof(kz_json_pretty_t));

    t.p = p;
    t.last = p + n;

    len = 0;

    while (kz_json_pretty_next(&t) == NGX_OK) {
        len += t.len + t.blank;

        if (t.before || t.after) {
            len += 1 + KZ_JSON_PRETTY_STEP * t.depth;
        }

        if (len > max) {
            return 0;
        }
    }

    return len;
}


u_char *
kz_json_pretty(u_char *dst, const u_char *p, size_t n)
{
    kz_json_pretty_t  t;

    ngx_memzero(&t, sizeof(kz_json_pretty_t));

    t.p = p;
    t.last = p + n;

    while (kz_json_pretty_next(&t) == NGX_OK) {

        if (t.before) {
            dst = kz_json_pretty_line(dst, t.depth);
        }

        dst = ngx_cpymem(dst, t.text, t.len);

        if (t.blank) {
            *dst++ = ' ';

        } else if (t.after) {
            dst = kz_json_pretty_line(dst, t.depth);
        }
    }

    return dst;
}


static ngx_int_t
kz_json_pretty_next(kz_json_pretty_t *t)
{
    while (t->p < t->last && kz_json_pretty_white(*t->p)) {
        t->p++;
    }

    if (t->p == t->last) {
        return NGX_DONE;
    }

    t->text = t->p;
    t->before = 0;
    t->after = 0;
    t->blank = 0;

    switch (*t->p++) {

    case '{':
    case '[':
        kz_json_pretty_open(t);
        return NGX_OK;

    case '}':
    case ']':
        t->before = 1;
        t->depth -= (t->depth != 0);
        break;

    case ',':
        t->after = 1;
        break;

    case ':':
        t->blank = 1;
        break;

    case '"':
        t->p = kz_json_pretty_string(t->p, t->last);
        break;

    default:
        /* a number, true, false, null */

        while (t->p < t->last && *t->p != ',' && *t->p != '}' && *t->p != ']'
               && !kz_json_pretty_white(*t->p))
        {
            t->p++;
        }
    }

    t->len = t->p - t->text;

    return NGX_OK;
}


/* What is empty stays in one piece. */

static void
kz_json_pretty_open(kz_json_pretty_t *t)
{
    while (t->p < t->last && kz_json_pretty_white(*t->p)) {
        t->p++;
    }

    if (t->p < t->last && (*t->p == '}' || *t->p == ']')) {
        t->p++;
        t->text = *t->text == '{' ? (u_char *) "{}" : (u_char *) "[]";
        t->len = 2;

        return;
    }

    t->len = 1;
    t->after = 1;
    t->depth++;
}


/* The end of a string; p is behind the opening quote. */

static const u_char *
kz_json_pretty_string(const u_char *p, const u_char *last)
{
    const u_char  *quote, *q;

    for ( ;; ) {
        quote = memchr(p, '"', last - p);

        if (quote == NULL) {
            return last;
        }

        /* an odd number of backslashes makes the quote one of the text */

        for (q = quote; q > p && q[-1] == '\\'; q--) { /* void */ }

        p = quote + 1;

        if (((quote - q) & 1) == 0) {
            return p;
        }
    }
}


static u_char *
kz_json_pretty_line(u_char *dst, size_t depth)
{
    *dst++ = '\n';
    ngx_memset(dst, ' ', KZ_JSON_PRETTY_STEP * depth);

    return dst + KZ_JSON_PRETTY_STEP * depth;
}
