
/*
 * Running an analyzer: the tokenizers.  The filters: kz_analysis_filter.c.
 */

#include "store/kz_analysis_int.h"
#include "util/kz_utf8.h"
#include "util/kz_word.h"


static ngx_int_t kz_tokens_words(kz_analysis_run_t *run);
static ngx_int_t kz_tokens_runs(kz_analysis_run_t *run, ngx_uint_t chars);
static ngx_int_t kz_tokens_grams(kz_analysis_run_t *run);
static ngx_int_t kz_tokens_gram_run(kz_analysis_run_t *run, const u_char *p,
    const u_char *end);
static ngx_int_t kz_tokens_cut(kz_analysis_run_t *run, const u_char *p,
    const u_char *end);
static ngx_int_t kz_tokens_one(kz_analysis_run_t *run, const u_char *p,
    const u_char *end);
static ngx_uint_t kz_tokens_char(uint32_t c, ngx_uint_t chars);
static ngx_int_t kz_normalized(void *ctx, const kz_token_t *token);


static const kz_analyzer_t  kz_analyzer_standard = {
    ngx_string("standard"), NULL,
    { KZ_TOKENIZER_STANDARD, KZ_WORD_MAX_CHARS, 0, 0, 0 },
    { { .type = KZ_TOKEN_LOWER } }, 1
};

static const kz_analyzer_t  kz_analyzer_lowercase = {
    ngx_string("lowercase"), NULL,
    { KZ_TOKENIZER_KEYWORD, 0, 0, 0, 0 },
    { { .type = KZ_TOKEN_LOWER } }, 1
};


const kz_analyzer_t *
kz_analysis_standard(void)
{
    return &kz_analyzer_standard;
}


const kz_analyzer_t *
kz_analysis_lowercase(void)
{
    return &kz_analyzer_lowercase;
}


ngx_int_t
kz_analyze(const kz_analyzer_t *a, kz_analyze_t *mem, const ngx_str_t *text,
    kz_token_pt emit, void *ctx)
{
    kz_analysis_run_t  run;

    ngx_memzero(&run, sizeof(kz_analysis_run_t));

    run.a = a;
    run.mem = mem;
    run.emit = emit;
    run.ctx = ctx;
    run.text = text;

    switch (a->tokenizer.type) {

    case KZ_TOKENIZER_LETTER:
        return kz_tokens_runs(&run, KZ_CHARS_LETTER);

    case KZ_TOKENIZER_WHITESPACE:
        return kz_tokens_runs(&run, 0);

    case KZ_TOKENIZER_KEYWORD:
        return (text->len == 0)
               ? NGX_OK
               : kz_tokens_one(&run, text->data, text->data + text->len);

    case KZ_TOKENIZER_NGRAM:
    case KZ_TOKENIZER_EDGE_NGRAM:
        return kz_tokens_grams(&run);

    default:  /* KZ_TOKENIZER_STANDARD */
        return kz_tokens_words(&run);
    }
}


static ngx_int_t
kz_normalized(void *ctx, const kz_token_t *token)
{
    ngx_str_t  *out = ctx;

    *out = token->text;

    return NGX_OK;
}


ngx_int_t
kz_normalize(const kz_analyzer_t *a, kz_analyze_t *run, const ngx_str_t *text,
    ngx_str_t *out)
{
    ngx_str_set(out, "");

    return kz_analyze(a, run, text, kz_normalized, out);
}


void
kz_analyze_free(kz_analyze_t *run)
{
    ngx_uint_t  i;

    for (i = 0; i < KZ_ANALYSIS_MAX_FILTERS; i++) {
        free(run->bufs[i].data);
        free(run->seen[i].data);
    }

    ngx_memzero(run, sizeof(kz_analyze_t));
}


u_char *
kz_analyze_room(kz_analyze_buf_t *b, size_t n)
{
    size_t   size;
    u_char  *p;

    if (n <= b->size) {
        return b->data;
    }

    size = ngx_max(n + n / 2, 256);

    p = malloc(size);
    if (p == NULL) {
        return NULL;
    }

    free(b->data);

    b->data = p;
    b->size = size;

    return p;
}


static ngx_int_t
kz_tokens_words(kz_analysis_run_t *run)
{
    ngx_int_t        rc;
    kz_word_iter_t   it;

    kz_word_init(&it, run->text->data, run->text->len);

    while (kz_word_next(&it) == NGX_OK) {

        rc = (run->a->tokenizer.max >= it.word.len
              || run->a->tokenizer.max == KZ_WORD_MAX_CHARS)
             ? kz_tokens_one(run, it.word.data, it.word.data + it.word.len)
             : kz_tokens_cut(run, it.word.data, it.word.data + it.word.len);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* Runs of such characters; 0: of anything but white space. */
static ngx_int_t
kz_tokens_runs(kz_analysis_run_t *run, ngx_uint_t chars)
{
    uint32_t       c;
    ngx_int_t      rc;
    ngx_uint_t     in;
    const u_char  *p, *at, *end, *start;

    p = run->text->data;
    end = p + run->text->len;
    start = NULL;

    while (p < end) {
        at = p;
        c = kz_utf8_next(&p, end);

        in = (chars == 0) ? !kz_char_is_space(c) : kz_tokens_char(c, chars);

        if (in) {
            if (start == NULL) {
                start = at;
            }

            continue;
        }

        if (start != NULL) {
            rc = kz_tokens_cut(run, start, at);

            if (rc != NGX_OK) {
                return rc;
            }

            start = NULL;
        }
    }

    return (start == NULL) ? NGX_OK : kz_tokens_cut(run, start, end);
}


static ngx_uint_t
kz_tokens_char(uint32_t c, ngx_uint_t chars)
{
    return ((chars & KZ_CHARS_LETTER) && kz_char_is_letter(c))
           || ((chars & KZ_CHARS_DIGIT) && kz_char_is_digit(c))
           || ((chars & KZ_CHARS_SPACE) && kz_char_is_space(c));
}


static ngx_int_t
kz_tokens_grams(kz_analysis_run_t *run)
{
    ngx_int_t      rc;
    ngx_uint_t     chars;
    const u_char  *p, *at, *end, *start;

    chars = run->a->tokenizer.chars;

    p = run->text->data;
    end = p + run->text->len;

    if (chars == 0) {
        return kz_tokens_gram_run(run, p, end);
    }

    start = NULL;

    while (p < end) {
        at = p;

        if (kz_tokens_char(kz_utf8_next(&p, end), chars)) {
            if (start == NULL) {
                start = at;
            }

            continue;
        }

        if (start != NULL) {
            rc = kz_tokens_gram_run(run, start, at);

            if (rc != NGX_OK) {
                return rc;
            }

            start = NULL;
        }
    }

    return (start == NULL) ? NGX_OK : kz_tokens_gram_run(run, start, end);
}


static ngx_int_t
kz_tokens_gram_run(kz_analysis_run_t *run, const u_char *p,
    const u_char *end)
{
    ngx_int_t              rc;
    ngx_uint_t             n;
    const u_char          *q;
    const kz_tokenizer_t  *t;

    t = &run->a->tokenizer;

    while (p < end) {

        for (q = p, n = 0; q < end && n < t->max_gram; /* void */ ) {
            (void) kz_utf8_next(&q, end);

            if (++n < t->min_gram) {
                continue;
            }

            rc = kz_tokens_one(run, p, q);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        if (t->type == KZ_TOKENIZER_EDGE_NGRAM) {
            break;
        }

        (void) kz_utf8_next(&p, end);
    }

    return NGX_OK;
}


/* A token that may be too long comes in pieces. */
static ngx_int_t
kz_tokens_cut(kz_analysis_run_t *run, const u_char *p, const u_char *end)
{
    ngx_int_t      rc;
    ngx_uint_t     n;
    const u_char  *q;

    while (p < end) {

        for (q = p, n = 0; q < end && n < run->a->tokenizer.max; n++) {
            (void) kz_utf8_next(&q, end);
        }

        rc = kz_tokens_one(run, p, q);

        if (rc != NGX_OK) {
            return rc;
        }

        p = q;
    }

    return NGX_OK;
}


static ngx_int_t
kz_tokens_one(kz_analysis_run_t *run, const u_char *p, const u_char *end)
{
    kz_token_t  token;

    token.text.data = (u_char *) p;
    token.text.len = end - p;
    token.start = p - run->text->data;
    token.end = end - run->text->data;
    token.position = 0;
    token.step = 1;

    return kz_token_push(run, 0, &token);
}
