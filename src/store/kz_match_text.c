
/*
 * Clauses about the words of a text: see the header.  Their evaluation:
 * kz_match_words.c; phrases and likeness: kz_match_phrase.c.
 *
 *   match             a LEAF for each word, in a BOOL
 *   fuzzy             a TEST
 *   phrase            BOOL all: a LEAF for each word (they drive), a TEST
 */

#include "store/kz_match_text.h"
#include "store/kz_match_phrase.h"
#include "util/kz_utf8.h"


typedef struct {
    ngx_str_t             text;
    uint32_t              position;
} kz_text_word_t;


typedef struct {
    kz_bind_t            *b;
    kz_text_word_t       *words;
    ngx_uint_t            n;
    ngx_uint_t            over;       /* there are too many */
} kz_text_words_t;


static ngx_int_t kz_text_collect(void *ctx, const kz_token_t *token);
static ngx_int_t kz_text_analyzer(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, const kz_analyzer_t **z);
static kz_cond_t *kz_text_match(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, const ngx_str_t *path, kz_text_words_t *w);
static kz_cond_t *kz_text_word(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, const ngx_str_t *path, const ngx_str_t *text,
    ngx_uint_t prefix);
static kz_cond_t *kz_text_like(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, const ngx_str_t *path, const ngx_str_t *text,
    ngx_uint_t distance);
static kz_cond_t *kz_text_phrase(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, const ngx_str_t *path, kz_text_words_t *w);
static kz_text_leaf_t *kz_text_places(kz_bind_t *b,
    const kz_query_node_t *node, kz_text_words_t *w);
static kz_cond_t *kz_text_test(kz_bind_t *b, kz_leaf_type_e type,
    const kz_field_t *f, const ngx_str_t *path, const ngx_str_t *text);


kz_cond_t *
kz_text_bind(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f,
    const ngx_str_t *path)
{
    ngx_int_t             rc;
    ngx_str_t             text;
    kz_analyze_t          run;
    kz_text_words_t       w;
    const kz_analyzer_t  *z;

    text = node->text;

    if (text.data == NULL
        && (node->nvalues == 0
            || kz_bind_text(b, &node->values[0], &text) != NGX_OK))
    {
        return NULL;
    }

    if (node->type == KZ_QUERY_FUZZY) {
        return kz_text_like(b, node, f, path, &text,
                            kz_text_edits(node, &text));
    }

    if (kz_text_analyzer(b, node, f, &z) != NGX_OK) {
        return NULL;
    }

    w.b = b;
    w.n = 0;
    w.over = 0;

    w.words = ngx_palloc(b->pool, KZ_TEXT_TOKENS * sizeof(kz_text_word_t));
    if (w.words == NULL) {
        return NULL;
    }

    ngx_memzero(&run, sizeof(kz_analyze_t));

    rc = kz_analyze(z, &run, &text, kz_text_collect, &w);

    kz_analyze_free(&run);

    if (w.over) {
        kz_bind_bad(b, "too many words to match with field [%V]",
                    &node->field, NULL);
        return NULL;
    }

    if (rc != NGX_OK) {
        return NULL;
    }

    if (w.n == 0) {
        return kz_bind_cond(b, node->zero ? KZ_COND_ALL : KZ_COND_NONE);
    }

    if (node->type == KZ_QUERY_PHRASE && w.n > 1) {
        return kz_text_phrase(b, node, f, path, &w);
    }

    return kz_text_match(b, node, f, path, &w);
}


static ngx_int_t
kz_text_collect(void *ctx, const kz_token_t *token)
{
    kz_text_word_t   *word;
    kz_text_words_t  *w = ctx;

    if (w->n == KZ_TEXT_TOKENS) {
        w->over = 1;
        return NGX_ERROR;
    }

    word = &w->words[w->n++];

    word->position = token->position;
    word->text.len = token->text.len;
    word->text.data = ngx_pnalloc(w->b->pool, token->text.len + 1);

    if (word->text.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(word->text.data, token->text.data, token->text.len);

    return NGX_OK;
}


static ngx_int_t
kz_text_analyzer(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, const kz_analyzer_t **z)
{
    u_char     why[KZ_ANALYSIS_ERR_LEN];
    ngx_str_t  name;

    *z = (f != NULL) ? f->search_analyzer : kz_analysis_standard();

    if (node->analyzer.len == 0) {
        return NGX_OK;
    }

    *z = kz_analysis_analyzer(b->m->mapping->analysis, b->pool,
                              &node->analyzer, why);

    if (*z != NULL) {
        return NGX_OK;
    }

    if (why[0] != '\0') {
        name = node->analyzer;
        name.len = ngx_min(name.len, 64);

        kz_mapping_refuse(b->err, KZ_STORE_BAD_QUERY, "[%s] analyzer [%V]"
                          " not found", node->word ? node->word : "match",
                          &name);
    }

    return NGX_ERROR;
}


/* Words of one place in the text (grams, folded forms) are one word. */
static kz_cond_t *
kz_text_match(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f,
    const ngx_str_t *path, kz_text_words_t *w)
{
    ngx_uint_t    i, n, places;
    kz_cond_t    *c, *word, *same, **last;

    c = kz_bind_cond(b, KZ_COND_BOOL);
    if (c == NULL) {
        return NULL;
    }

    c->factor = 1;
    places = 0;
    last = node->every ? &c->all : &c->any;

    for (i = 0; i < w->n; i = n) {

        for (n = i + 1; n < w->n; n++) {
            if (w->words[n].position != w->words[i].position) {
                break;
            }
        }

        word = kz_text_word(b, node, f, path, &w->words[i].text,
                            node->prefix && n == w->n);

        if (word != NULL && n - i > 1) {
            same = kz_bind_cond(b, KZ_COND_BOOL);
            if (same == NULL) {
                return NULL;
            }

            same->minimum = 1;
            same->best = 1;
            same->factor = 1;
            same->any = word;

            while (word != NULL && ++i < n) {
                word->next = kz_text_word(b, node, f, path,
                                          &w->words[i].text,
                                          node->prefix && n == w->n);
                word = word->next;
            }

            if (word != NULL) {
                word = same;
            }
        }

        if (word == NULL) {
            return NULL;
        }

        *last = word;
        last = &word->next;
        places++;
    }

    if (places == 1) {
        return (c->all != NULL) ? c->all : c->any;
    }

    if (node->every) {
        return c;
    }

    c->minimum = 1;

    if (node->minimum_text.len != 0) {

        if (kz_text_minimum(&node->minimum_text, places, &c->minimum)
            != NGX_OK)
        {
            kz_bind_bad(b, "[minimum_should_match] [%V] is not understood",
                        &node->minimum_text, NULL);
            return NULL;
        }

        c->minimum = ngx_max(c->minimum, 1);
    }

    return c;
}


static kz_cond_t *
kz_text_word(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f,
    const ngx_str_t *path, const ngx_str_t *text, ngx_uint_t prefix)
{
    kz_cond_t   *c;
    ngx_uint_t   edits;

    edits = (prefix || node->type == KZ_QUERY_PHRASE)
            ? 0 : kz_text_edits(node, text);

    if (edits != 0) {
        return kz_text_like(b, node, f, path, text, edits);
    }

    c = kz_text_test(b, prefix ? KZ_LEAF_PREFIX : KZ_LEAF_VALUES, f, path,
                     text);

    if (c != NULL && node->scored) {
        c->boost = node->boost;
    }

    return c;
}


/* A leaf with one text as its value. */
static kz_cond_t *
kz_text_test(kz_bind_t *b, kz_leaf_type_e type, const kz_field_t *f,
    const ngx_str_t *path, const ngx_str_t *text)
{
    kz_cond_t   *c;
    kz_value_t  *v;

    c = kz_bind_test(b, type, f, path);
    v = ngx_pcalloc(b->pool, sizeof(kz_value_t));

    if (c == NULL || v == NULL) {
        return NULL;
    }

    v->type = KZ_VALUE_TEXT;
    v->text = *text;

    c->leaf->values = v;
    c->leaf->nvalues = 1;
    c->leaf->analysed = (f == NULL);

    return c;
}


static kz_cond_t *
kz_text_like(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f,
    const ngx_str_t *path, const ngx_str_t *text, ngx_uint_t distance)
{
    kz_cond_t        *c;
    ngx_uint_t        n;
    kz_text_leaf_t   *words;
    const u_char     *p, *end;

    c = kz_text_test(b, distance ? KZ_LEAF_FUZZY : KZ_LEAF_VALUES, f, path,
                     text);
    if (c == NULL) {
        return NULL;
    }

    if (node->scored) {
        c->boost = node->boost;
    }

    if (distance == 0) {
        return c;
    }

    c->type = KZ_COND_TEST;

    words = ngx_pcalloc(b->pool, sizeof(kz_text_leaf_t));
    if (words == NULL) {
        return NULL;
    }

    words->chars = ngx_palloc(b->pool, (text->len + 1) * sizeof(uint32_t));
    if (words->chars == NULL) {
        return NULL;
    }

    c->leaf->words = words;
    c->leaf->distance = distance;
    c->leaf->prefix_length = node->prefix_length;
    c->leaf->transpose = node->transpose;

    end = text->data + text->len;
    n = 0;

    for (p = text->data; p < end; /* void */ ) {
        words->chars[n++] = kz_utf8_next(&p, end);

        if (n == node->prefix_length) {
            c->leaf->head.data = text->data;
            c->leaf->head.len = p - text->data;
        }
    }

    words->nchars = n;

    if (n > KZ_TEXT_FUZZY) {
        kz_bind_bad(b, "the text that a value of field [%V] shall be like is"
                    " too long", &node->field, NULL);
        return NULL;
    }

    return c;
}


static kz_cond_t *
kz_text_phrase(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, const ngx_str_t *path, kz_text_words_t *w)
{
    ngx_uint_t    i, n;
    kz_cond_t    *c, *test, *word, *same, **last;

    c = kz_bind_cond(b, KZ_COND_BOOL);
    test = kz_bind_test(b, KZ_LEAF_PHRASE, f, path);

    if (c == NULL || test == NULL) {
        return NULL;
    }

    c->factor = 1;

    test->type = KZ_COND_TEST;
    test->leaf->analysed = (f == NULL);
    test->leaf->words = kz_text_places(b, node, w);

    if (test->leaf->words == NULL) {
        return NULL;
    }

    if (node->scored) {
        test->boost = node->boost;
    }

    /* the words by themselves: postings know them */

    last = &c->all;

    for (i = 0; i < w->n; i = n) {

        same = NULL;
        word = NULL;

        for (n = i; n < w->n; n++) {
            if (w->words[n].position != w->words[i].position) {
                break;
            }

            word = kz_text_test(b, (node->prefix
                                    && w->words[n].position
                                       == w->words[w->n - 1].position)
                                   ? KZ_LEAF_PREFIX : KZ_LEAF_VALUES,
                                f, path, &w->words[n].text);
            if (word == NULL) {
                return NULL;
            }

            word->leaf->part = 1;
            word->next = same;
            same = word;
        }

        if (n - i > 1) {
            word = kz_bind_cond(b, KZ_COND_BOOL);
            if (word == NULL) {
                return NULL;
            }

            word->minimum = 1;
            word->factor = 1;
            word->any = same;
        }

        *last = word;
        last = &word->next;
    }

    *last = test;

    return c;
}


static kz_text_leaf_t *
kz_text_places(kz_bind_t *b, const kz_query_node_t *node, kz_text_words_t *w)
{
    ngx_uint_t        i;
    kz_text_leaf_t   *words;

    words = ngx_pcalloc(b->pool, sizeof(kz_text_leaf_t));
    if (words == NULL) {
        return NULL;
    }

    words->slop = node->slop;
    words->places = ngx_palloc(b->pool, w->n * sizeof(uint32_t));
    words->terms = ngx_pcalloc(b->pool, w->n * sizeof(kz_text_term_t *));
    words->words = ngx_palloc(b->pool, w->n * sizeof(ngx_str_t));

    if (words->places == NULL || words->terms == NULL
        || words->words == NULL)
    {
        return NULL;
    }

    words->nterms = w->n;

    for (i = 0; i < w->n; i++) {
        words->places[i] = w->words[i].position - w->words[0].position;
        words->words[i] = w->words[i].text;
    }

    if (node->prefix) {
        words->nterms--;
        words->prefix = words->words[words->nterms];
        words->prefix_place = words->places[words->nterms];

        if (words->nterms > 0
            && words->places[words->nterms - 1] == words->prefix_place)
        {
            kz_bind_bad(b, "[%V]: the beginning of a word that has several"
                        " forms is not supported", &node->field, NULL);
            return NULL;
        }

        words->begun = ngx_pcalloc(b->pool, sizeof(kz_text_term_t));
        if (words->begun == NULL) {
            return NULL;
        }

        words->begun->placed = 1;
    }

    if (words->slop != 0 && w->n > KZ_PHRASE_SLOPPY) {
        kz_bind_bad(b, "a phrase with [slop] for field [%V] has too many"
                    " words", &node->field, NULL);
        return NULL;
    }

    return words;
}
