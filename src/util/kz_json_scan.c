
/*
 * The validating pass: one look at every byte of a JSON text that a client
 * sent.  It checks the grammar (RFC 8259), UTF-8 (RFC 3629) and the depth of
 * nesting, writes nothing and allocates nothing.
 *
 * There is no recursion: the closing bracket that is due at each level lies
 * in an array on the stack, so the cost of depth is one byte a level and
 * KZ_JSON_MAX_DEPTH bounds it whatever the caller allows.
 *
 * Texts of errors are those of JSON.parse() in V8 up to Node 18, the engine
 * behind the original server, as far as they exist there.
 *
 * Walking validated text: kz_json_walk.c.  Values: kz_json_text.c.
 */

#include "util/kz_json_scan.h"
#include "util/kz_json_lex.h"


#define KZ_JSON_MAX_DEPTH  1024


typedef struct {
    u_char          *start;
    u_char          *end;
    ngx_uint_t       max_depth;
    ngx_uint_t       escaped;    /* set when a string has a backslash */
    kz_json_err_t   *err;
} kz_json_pass_t;


static u_char *kz_json_pass_value(kz_json_pass_t *s, u_char *p,
    ngx_uint_t base);
static u_char *kz_json_pass_utf8(kz_json_pass_t *s, u_char *p);
static u_char *kz_json_pass_escape(kz_json_pass_t *s, u_char *p);
static u_char *kz_json_pass_digits(kz_json_pass_t *s, u_char *p);
static u_char *kz_json_pass_literal(kz_json_pass_t *s, u_char *p,
    const char *literal);
static void *kz_json_fail(kz_json_pass_t *s, const char *what, u_char *at);
static ngx_int_t kz_json_pass_end(kz_json_pass_t *s, u_char *p);
static void *kz_json_unexpected(kz_json_pass_t *s, u_char *at);


static const char  kz_json_end[] = "Unexpected end of JSON input";
static const char  kz_json_token[] = "Unexpected token in JSON";
static const char  kz_json_number[] = "Unexpected number in JSON";
static const char  kz_json_utf8[] = "Invalid UTF-8 in JSON";
static const char  kz_json_string_token[] = "Unexpected string in JSON";


static ngx_inline u_char *
kz_json_pass_string(kz_json_pass_t *s, u_char *p)
{
    for ( ;; ) {
        p = kz_json_plain(p, s->end);

        if (p == s->end) {
            return kz_json_fail(s, kz_json_end, p);
        }

        if (*p == '"') {
            return p + 1;
        }

        if (*p == '\\') {
            p = kz_json_pass_escape(s, p);

        } else if (*p >= 0x80) {
            p = kz_json_pass_utf8(s, p);

        } else {
            p = kz_json_fail(s, kz_json_token, p);
        }

        if (p == NULL) {
            return NULL;
        }
    }
}


/* A key and the colon after it. */
static ngx_inline u_char *
kz_json_pass_key(kz_json_pass_t *s, u_char *p)
{
    p = kz_json_space(p, s->end);

    if (p == s->end || *p != '"') {
        return kz_json_unexpected(s, p);
    }

    p = kz_json_pass_string(s, p + 1);

    if (p == NULL) {
        return NULL;
    }

    p = kz_json_space(p, s->end);

    if (p == s->end || *p != ':') {
        return kz_json_unexpected(s, p);
    }

    return p + 1;
}


static ngx_inline u_char *
kz_json_pass_number(kz_json_pass_t *s, u_char *p)
{
    if (*p == '-') {
        p++;
    }

    if (p < s->end && *p == '0') {
        p++;

    } else {
        p = kz_json_pass_digits(s, p);

        if (p == NULL) {
            return NULL;
        }
    }

    if (p < s->end && *p == '.') {
        p = kz_json_pass_digits(s, p + 1);

        if (p == NULL) {
            return NULL;
        }
    }

    if (p < s->end && (*p | 0x20) == 'e') {
        p++;

        if (p < s->end && (*p == '+' || *p == '-')) {
            p++;
        }

        p = kz_json_pass_digits(s, p);
    }

    return p;
}


/* A member of the root object; p is where its key is due. */
static ngx_inline u_char *
kz_json_pass_member(kz_json_pass_t *s, u_char *p, kz_json_member_t *m)
{
    u_char  *quote;

    s->escaped = 0;

    p = kz_json_space(p, s->end);

    m->key.data = p + 1;

    p = kz_json_pass_key(s, p);

    if (p == NULL) {
        return NULL;
    }

    /* between the key's last quote and p: white space and the colon */

    for (quote = p - 1; *quote != '"'; quote--) { /* void */ }

    m->key.len = quote - m->key.data;
    m->escaped = s->escaped;

    s->escaped = 0;

    p = kz_json_space(p, s->end);

    m->val.raw.data = p;

    p = kz_json_pass_value(s, p, 1);

    if (p == NULL) {
        return NULL;
    }

    m->val.raw.len = p - m->val.raw.data;
    m->val.type = kz_json_type(*m->val.raw.data);
    m->val.escaped = (s->escaped && m->val.type == KZ_JSON_STRING);

    return p;
}


ngx_int_t
kz_json_scan(u_char *text, size_t len, ngx_uint_t max_depth,
    kz_json_val_t *v, kz_json_err_t *err)
{
    u_char          *p;
    kz_json_pass_t   s;

    s.start = text;
    s.end = text + len;
    s.max_depth = ngx_min(max_depth, KZ_JSON_MAX_DEPTH);
    s.escaped = 0;
    s.err = err;

    p = kz_json_space(text, s.end);

    v->raw.data = p;

    p = kz_json_pass_value(&s, p, 0);

    if (p == NULL) {
        return NGX_ERROR;
    }

    v->raw.len = p - v->raw.data;
    v->type = kz_json_type(*v->raw.data);
    v->escaped = (s.escaped && v->type == KZ_JSON_STRING);

    return kz_json_pass_end(&s, p);
}


ngx_int_t
kz_json_scan_object(u_char *text, size_t len, ngx_uint_t max_depth,
    kz_json_member_t *m, ngx_uint_t *n, kz_json_err_t *err)
{
    u_char          *p;
    ngx_uint_t       more, room;
    kz_json_val_t    v;
    kz_json_pass_t   s;

    room = *n;
    *n = 0;

    s.start = text;
    s.end = text + len;
    s.max_depth = ngx_min(max_depth, KZ_JSON_MAX_DEPTH);
    s.err = err;

    p = kz_json_space(text, s.end);

    if (p == s.end || *p != '{' || s.max_depth == 0) {
        return kz_json_scan(text, len, max_depth, &v, err) == NGX_OK
               ? NGX_DECLINED : NGX_ERROR;
    }

    p = kz_json_space(p + 1, s.end);

    more = (p == s.end || *p != '}');

    while (more) {
        if (*n == room) {
            (void) kz_json_fail(&s, "Too many members in JSON object", p);
            return NGX_ERROR;
        }

        p = kz_json_pass_member(&s, p, &m[*n]);

        if (p == NULL) {
            return NGX_ERROR;
        }

        (*n)++;

        p = kz_json_space(p, s.end);

        more = (p < s.end && *p == ',');

        if (more) {
            p++;
        }
    }

    if (p == s.end || *p != '}') {
        (void) kz_json_unexpected(&s, p);
        return NGX_ERROR;
    }

    return kz_json_pass_end(&s, p + 1);
}


/* Only white space may follow the root. */
static ngx_int_t
kz_json_pass_end(kz_json_pass_t *s, u_char *p)
{
    p = kz_json_space(p, s->end);

    if (p != s->end) {
        (void) kz_json_unexpected(s, p);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * One value with everything in it; base is the number of brackets that are
 * open around it.  Returns the byte after it, NULL when it is not valid.
 */
static u_char *
kz_json_pass_value(kz_json_pass_t *s, u_char *p, ngx_uint_t base)
{
    u_char      *end;
    u_char       closing[KZ_JSON_MAX_DEPTH + 1];
    ngx_uint_t   depth;

    end = s->end;
    depth = base;

    for ( ;; ) {

        /* a value is due */

        p = kz_json_space(p, end);

        if (p == end) {
            return kz_json_unexpected(s, p);
        }

        switch (*p) {

        case '"':
            p = kz_json_pass_string(s, p + 1);
            break;

        case '{':
        case '[':
            if (depth == s->max_depth) {
                return kz_json_fail(s, "Too many levels of nesting in JSON",
                                    p);
            }

            /* in ASCII each closing bracket is the opening one plus two */
            closing[++depth] = *p + 2;

            p = kz_json_space(p + 1, end);

            if (p < end && *p == closing[depth]) {
                p++;
                depth--;
                break;
            }

            if (closing[depth] == '}') {
                p = kz_json_pass_key(s, p);

                if (p == NULL) {
                    return NULL;
                }
            }

            continue;

        case '-':
        case '0': case '1': case '2': case '3': case '4':
        case '5': case '6': case '7': case '8': case '9':
            p = kz_json_pass_number(s, p);
            break;

        case 't':
            p = kz_json_pass_literal(s, p, "true");
            break;

        case 'f':
            p = kz_json_pass_literal(s, p, "false");
            break;

        case 'n':
            p = kz_json_pass_literal(s, p, "null");
            break;

        default:
            return kz_json_unexpected(s, p);
        }

        if (p == NULL) {
            return NULL;
        }

        /* a value ended: close what ends with it */

        for ( ;; ) {
            if (depth == base) {
                return p;
            }

            p = kz_json_space(p, end);

            if (p == end || *p != closing[depth]) {
                break;
            }

            p++;
            depth--;
        }

        if (p == end || *p != ',') {
            return kz_json_unexpected(s, p);
        }

        p++;

        if (closing[depth] == '}') {
            p = kz_json_pass_key(s, p);

            if (p == NULL) {
                return NULL;
            }
        }
    }
}


/*
 * A run of multibyte sequences, well-formed by table 3-7 of the Unicode
 * standard: the first byte narrows the range of the second.
 */
static u_char *
kz_json_pass_utf8(kz_json_pass_t *s, u_char *p)
{
    u_char      c, low, high;
    ngx_uint_t  i, n;

    do {
        c = *p;

        low = 0x80;
        high = 0xbf;

        if (c < 0xe0) {
            n = (c < 0xc2) ? 0 : 1;

        } else if (c < 0xf0) {
            n = 2;

            if (c == 0xe0) {
                low = 0xa0;

            } else if (c == 0xed) {
                high = 0x9f;
            }

        } else {
            n = (c > 0xf4) ? 0 : 3;

            if (c == 0xf0) {
                low = 0x90;

            } else if (c == 0xf4) {
                high = 0x8f;
            }
        }

        if (n == 0) {
            return kz_json_fail(s, kz_json_utf8, p);
        }

        for (i = 1; i <= n; i++) {
            if (s->end - p <= (ssize_t) i) {
                return kz_json_fail(s, kz_json_end, s->end);
            }

            if (p[i] < low || p[i] > high) {
                return kz_json_fail(s, kz_json_utf8, p);
            }

            low = 0x80;
            high = 0xbf;
        }

        p += n + 1;

    } while (p < s->end && *p >= 0x80);

    return p;
}


/* p is the backslash. */
static u_char *
kz_json_pass_escape(kz_json_pass_t *s, u_char *p)
{
    ngx_uint_t  i;

    s->escaped = 1;

    if (++p == s->end) {
        return kz_json_fail(s, kz_json_end, p);
    }

    switch (*p++) {

    case '"': case '\\': case '/': case 'b':
    case 'f': case 'n': case 'r': case 't':
        return p;

    case 'u':
        for (i = 0; i < 4; i++, p++) {
            if (p == s->end) {
                return kz_json_fail(s, kz_json_end, p);
            }

            if (!kz_json_is_digit(*p)
                && ((*p | 0x20) < 'a' || (*p | 0x20) > 'f'))
            {
                return kz_json_unexpected(s, p);
            }
        }

        return p;

    default:
        return kz_json_unexpected(s, p - 1);
    }
}


/* At least one digit. */
static u_char *
kz_json_pass_digits(kz_json_pass_t *s, u_char *p)
{
    if (p == s->end || !kz_json_is_digit(*p)) {
        return kz_json_unexpected(s, p);
    }

    do {
        p++;
    } while (p < s->end && kz_json_is_digit(*p));

    return p;
}


static u_char *
kz_json_pass_literal(kz_json_pass_t *s, u_char *p, const char *literal)
{
    while (*literal) {
        if (p == s->end || *p != (u_char) *literal) {
            return kz_json_unexpected(s, p);
        }

        p++;
        literal++;
    }

    return p;
}


u_char *
kz_json_err_text(u_char *dst, const kz_json_err_t *err)
{
    u_char      *p;
    u_char       digits[NGX_SIZE_T_LEN];
    size_t       n;
    const char  *s;

    for (s = err->what; *s; s++) {

        /* "Unexpected token } in JSON", when that is a visible character */

        if (err->token > ' ' && err->token < 0x7f
            && err->what == kz_json_token
            && ngx_strcmp(s, " in JSON") == 0)
        {
            *dst++ = ' ';
            *dst++ = err->token;
        }

        *dst++ = *s;
    }

    if (err->what == kz_json_end) {
        return dst;
    }

    dst = ngx_cpymem(dst, " at position ", sizeof(" at position ") - 1);

    n = err->offset;
    p = digits + sizeof(digits);

    do {
        *--p = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    return ngx_cpymem(dst, p, digits + sizeof(digits) - p);
}


static void *
kz_json_unexpected(kz_json_pass_t *s, u_char *at)
{
    if (at == s->end) {
        return kz_json_fail(s, kz_json_end, at);
    }

    if (*at == '"') {
        return kz_json_fail(s, kz_json_string_token, at);
    }

    if (*at == '-' || kz_json_is_digit(*at)) {
        return kz_json_fail(s, kz_json_number, at);
    }

    return kz_json_fail(s, kz_json_token, at);
}


static void *
kz_json_fail(kz_json_pass_t *s, const char *what, u_char *at)
{
    s->err->what = what;
    s->err->offset = at - s->start;
    s->err->token = (at < s->end) ? *at : 0;

    return NULL;
}
