
/*
 * Token filters: each gets one token and hands none, one or several to the
 * next.  A filter that drops a token leaves a gap in the positions, but for
 * "unique", which closes it (as the original's do).
 */

#include "store/kz_analysis_int.h"
#include "util/kz_utf8.h"
#include "util/kz_word.h"


static ngx_int_t kz_token_stop(kz_analysis_run_t *run, ngx_uint_t i,
    kz_token_t *token);
static ngx_int_t kz_token_trim(kz_analysis_run_t *run, ngx_uint_t i,
    kz_token_t *token);
static ngx_int_t kz_token_fold(kz_analysis_run_t *run, ngx_uint_t i,
    kz_token_t *token);
static ngx_int_t kz_token_unique(kz_analysis_run_t *run, ngx_uint_t i,
    kz_token_t *token);
static ngx_int_t kz_token_seen(kz_analysis_run_t *run, ngx_uint_t i,
    uint64_t hash);
static ngx_int_t kz_token_grams(kz_analysis_run_t *run, ngx_uint_t i,
    kz_token_t *token);
static ngx_uint_t kz_token_chars(const ngx_str_t *text);
static u_char *kz_token_upper(u_char *dst, const u_char *p, size_t len);
static u_char *kz_token_reverse(u_char *dst, const u_char *p, size_t len);


ngx_int_t
kz_token_push(kz_analysis_run_t *run, ngx_uint_t i, kz_token_t *token)
{
    size_t                    n;
    u_char                   *p, *end;
    const kz_token_filter_t  *f;

    if (i == run->a->nfilters) {
        run->position += token->step;
        token->position = run->position - 1;

        return run->emit(run->ctx, token);
    }

    f = &run->a->filters[i];

    switch (f->type) {

    case KZ_TOKEN_STOP:
        return kz_token_stop(run, i, token);

    case KZ_TOKEN_TRIM:
        return kz_token_trim(run, i, token);

    case KZ_TOKEN_LENGTH:
        n = kz_token_chars(&token->text);

        if (n < f->min || n > f->max) {
            run->skipped[i] += token->step;
            return NGX_OK;
        }

        token->step += run->skipped[i];
        run->skipped[i] = 0;

        return kz_token_push(run, i + 1, token);

    case KZ_TOKEN_TRUNCATE:
        p = token->text.data;
        end = p + token->text.len;

        for (n = 0; p < end && n < f->max; n++) {
            (void) kz_utf8_next((const u_char **) &p, end);
        }

        token->text.len = p - token->text.data;

        return kz_token_push(run, i + 1, token);

    case KZ_TOKEN_UNIQUE:
        return kz_token_unique(run, i, token);

    case KZ_TOKEN_NGRAM:
    case KZ_TOKEN_EDGE_NGRAM:
        return kz_token_grams(run, i, token);

    case KZ_TOKEN_FOLD:
        return kz_token_fold(run, i, token);

    default:
        break;
    }

    p = kz_analyze_room(&run->mem->bufs[i], KZ_LOWER_ROOM(token->text.len));
    if (p == NULL) {
        return NGX_ERROR;
    }

    n = token->text.len;

    end = (f->type == KZ_TOKEN_LOWER) ? kz_lower(p, token->text.data, n)
          : (f->type == KZ_TOKEN_UPPER)
            ? kz_token_upper(p, token->text.data, n)
            : kz_token_reverse(p, token->text.data, n);

    token->text.data = p;
    token->text.len = end - p;

    return kz_token_push(run, i + 1, token);
}


static ngx_int_t
kz_token_stop(kz_analysis_run_t *run, ngx_uint_t i, kz_token_t *token)
{
    u_char                   *p;
    ngx_int_t                 rc;
    ngx_str_t                 text;
    ngx_uint_t                a, b, n;
    const kz_token_filter_t  *f;

    f = &run->a->filters[i];
    text = token->text;

    if (f->nocase) {
        p = kz_analyze_room(&run->mem->bufs[i], KZ_LOWER_ROOM(text.len));
        if (p == NULL) {
            return NGX_ERROR;
        }

        text.len = kz_lower(p, text.data, text.len) - p;
        text.data = p;
    }

    a = 0;
    b = f->nwords;

    while (a < b) {
        n = (a + b) / 2;

        rc = ngx_memn2cmp(text.data, f->words[n].data, text.len,
                          f->words[n].len);
        if (rc == 0) {
            run->skipped[i] += token->step;
            return NGX_OK;
        }

        if (rc < 0) {
            b = n;

        } else {
            a = n + 1;
        }
    }

    token->step += run->skipped[i];
    run->skipped[i] = 0;

    return kz_token_push(run, i + 1, token);
}


/* Java's String.trim(): blanks and control characters. */
static ngx_int_t
kz_token_trim(kz_analysis_run_t *run, ngx_uint_t i, kz_token_t *token)
{
    ngx_str_t  *text;

    text = &token->text;

    while (text->len > 0 && text->data[0] <= ' ') {
        text->data++;
        text->len--;
    }

    while (text->len > 0 && text->data[text->len - 1] <= ' ') {
        text->len--;
    }

    return kz_token_push(run, i + 1, token);
}


static ngx_int_t
kz_token_fold(kz_analysis_run_t *run, ngx_uint_t i, kz_token_t *token)
{
    u_char      *p;
    ngx_int_t    rc;
    kz_token_t   folded;

    p = kz_analyze_room(&run->mem->bufs[i], KZ_FOLD_ROOM(token->text.len));
    if (p == NULL) {
        return NGX_ERROR;
    }

    folded = *token;
    folded.text.data = p;
    folded.text.len = kz_fold(p, token->text.data, token->text.len) - p;

    if (run->a->filters[i].keep
        && (folded.text.len != token->text.len
            || ngx_memcmp(folded.text.data, token->text.data,
                          token->text.len)
               != 0))
    {
        rc = kz_token_push(run, i + 1, &folded);

        if (rc != NGX_OK) {
            return rc;
        }

        token->step = 0;

        return kz_token_push(run, i + 1, token);
    }

    return kz_token_push(run, i + 1, &folded);
}


/* Known by their hashes, 64 bits of them. */
static ngx_int_t
kz_token_unique(kz_analysis_run_t *run, ngx_uint_t i, kz_token_t *token)
{
    size_t      n;
    uint64_t    hash;
    ngx_int_t   rc;

    hash = 14695981039346656037ull;

    for (n = 0; n < token->text.len; n++) {
        hash = (hash ^ token->text.data[n]) * 1099511628211ull;
    }

    rc = kz_token_seen(run, i, hash ? hash : 1);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    return kz_token_push(run, i + 1, token);
}


/* NGX_DECLINED: not before this. */
static ngx_int_t
kz_token_seen(kz_analysis_run_t *run, ngx_uint_t i, uint64_t hash)
{
    size_t              mask, n, old;
    uint64_t           *slots, *was;
    kz_analyze_buf_t   *b;

    b = &run->mem->seen[i];

    if (run->seen[i] == 0 && b->size != 0) {
        ngx_memzero(b->data, b->size);
    }

    old = b->size / sizeof(uint64_t);

    if (run->seen[i] * 2 >= old) {
        mask = (old == 0) ? 63 : old * 2 - 1;

        slots = calloc(mask + 1, sizeof(uint64_t));
        if (slots == NULL) {
            return NGX_ERROR;
        }

        was = (uint64_t *) b->data;

        while (old-- > 0) {
            if (was[old] == 0) {
                continue;
            }

            for (n = was[old]; slots[n & mask] != 0; n++) { /* void */ }

            slots[n & mask] = was[old];
        }

        free(b->data);

        b->data = (u_char *) slots;
        b->size = (mask + 1) * sizeof(uint64_t);
    }

    slots = (uint64_t *) b->data;
    mask = b->size / sizeof(uint64_t) - 1;

    for (n = hash; slots[n & mask] != 0; n++) {
        if (slots[n & mask] == hash) {
            return NGX_OK;
        }
    }

    slots[n & mask] = hash;
    run->seen[i]++;

    return NGX_DECLINED;
}


/* All of them stand where the token stood. */
static ngx_int_t
kz_token_grams(kz_analysis_run_t *run, ngx_uint_t i, kz_token_t *token)
{
    uint32_t                  step;
    ngx_int_t                 rc;
    ngx_uint_t                n, whole;
    kz_token_t                gram;
    const u_char             *p, *q, *end;
    const kz_token_filter_t  *f;

    f = &run->a->filters[i];

    whole = 0;
    step = token->step + run->skipped[i];
    gram = *token;

    p = token->text.data;
    end = p + token->text.len;

    while (p < end) {

        for (q = p, n = 0; q < end && n < f->max; /* void */ ) {
            (void) kz_utf8_next(&q, end);

            if (++n < f->min) {
                continue;
            }

            /* later filters may have changed the copy */

            gram.text.data = (u_char *) p;
            gram.text.len = q - p;
            gram.step = step;
            step = 0;
            whole |= (gram.text.len == token->text.len);

            rc = kz_token_push(run, i + 1, &gram);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        if (f->type == KZ_TOKEN_EDGE_NGRAM) {
            break;
        }

        (void) kz_utf8_next(&p, end);
    }

    if (f->keep && !whole) {
        token->step = step;
        step = 0;

        rc = kz_token_push(run, i + 1, token);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    run->skipped[i] = step;

    return NGX_OK;
}


static ngx_uint_t
kz_token_chars(const ngx_str_t *text)
{
    size_t      i;
    ngx_uint_t  n;

    for (n = 0, i = 0; i < text->len; i++) {
        n += (text->data[i] & 0xc0) != 0x80;
    }

    return n;
}


/* The upper case of a letter lies at one of these distances. */
static u_char *
kz_token_upper(u_char *dst, const u_char *p, size_t len)
{
    uint32_t       c, up;
    ngx_uint_t     i;
    const u_char  *end;

    static const int32_t  away[] = {
        -32, -1, -80, -48, -38, -37, -64, -63, -40, -28, -26, -16, -15, 8,
        74, 86, 100, 112, 128, 126, 9, 121, -7264, -2, -79, -210, -206, -205,
        -203, -207, -211, -209, -213, -214, -218, -217, -219, -202, -34
    };

    for (end = p + len; p < end; /* void */ ) {

        if (*p < 0x80) {
            *dst++ = (*p >= 'a' && *p <= 'z') ? *p & ~0x20 : *p;
            p++;
            continue;
        }

        c = kz_utf8_next(&p, end);

        for (i = 0; i < sizeof(away) / sizeof(away[0]); i++) {
            up = c + away[i];

            if (kz_char_to_lower(up) == c) {
                c = up;
                break;
            }
        }

        dst = kz_utf8_put(dst, c);
    }

    return dst;
}


static u_char *
kz_token_reverse(u_char *dst, const u_char *p, size_t len)
{
    size_t         n;
    u_char        *at;
    const u_char  *q, *end;

    at = dst + len;

    for (end = p + len; p < end; p = q) {
        q = p;
        (void) kz_utf8_next(&q, end);

        n = q - p;
        at -= n;
        ngx_memcpy(at, p, n);
    }

    return dst + len;
}
