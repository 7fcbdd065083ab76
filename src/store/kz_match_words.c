
/*
 * Leaves about words, over documents: one analysis of a field's text serves
 * all of them.  See kz_match_text.h.
 */

#include "store/kz_match_text.h"
#include "store/kz_match_phrase.h"
#include <math.h>


static ngx_int_t kz_text_take(kz_bind_t *b, kz_match_path_t *root,
    kz_match_path_t *path);
static kz_text_scan_t *kz_text_scan(kz_bind_t *b, kz_match_path_t *root,
    kz_match_path_t *path, const kz_field_t *f);
static ngx_int_t kz_text_hang(kz_bind_t *b, kz_text_scan_t *scan,
    kz_leaf_t *leaf);
static kz_text_term_t *kz_text_term(kz_bind_t *b, kz_text_scan_t *scan,
    const ngx_str_t *text);
static void kz_text_wanted(kz_match_t *m, kz_cond_t *c);
static void kz_text_want(kz_match_t *m, kz_text_term_t *t);
static ngx_int_t kz_text_token(void *ctx, const kz_token_t *token);
static double kz_text_score(const kz_text_scan_t *scan, double idf,
    double tf);


ngx_int_t
kz_text_prepare(kz_bind_t *b, kz_match_path_t *paths)
{
    if (paths != NULL && kz_text_take(b, paths, paths) != NGX_OK) {
        return NGX_ERROR;
    }

    if (b->nested == NULL) {
        kz_text_wanted(b->m, b->m->root);
        kz_text_weigh(b->m);
    }

    return NGX_OK;
}


/* Leaves about words leave the path. */
static ngx_int_t
kz_text_take(kz_bind_t *b, kz_match_path_t *root, kz_match_path_t *path)
{
    kz_leaf_t         *leaf;
    kz_leaf_ref_t     *ref, **at;
    kz_text_scan_t    *scan;
    kz_match_path_t   *child;

    at = &path->leaves;

    while ((ref = *at) != NULL) {
        leaf = ref->leaf;

        if (leaf->type == KZ_LEAF_SORT || leaf->type == KZ_LEAF_NESTED
            || (leaf->field != NULL ? leaf->field->type != KZ_FIELD_TEXT
                                    : !leaf->analysed))
        {
            at = &ref->next;
            continue;
        }

        *at = ref->next;

        scan = kz_text_scan(b, root, path, leaf->field);

        if (scan == NULL || kz_text_hang(b, scan, leaf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    for (child = path->first; child != NULL; child = child->next) {
        if (kz_text_take(b, root, child) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* The field's scan, which is at this path now; not mapped: the path's. */
static kz_text_scan_t *
kz_text_scan(kz_bind_t *b, kz_match_path_t *root, kz_match_path_t *path,
    const kz_field_t *f)
{
    kz_text_ref_t   *ref;
    kz_text_scan_t  *scan;

    for (ref = path->texts; ref != NULL; ref = ref->next) {
        if (ref->scan->field == f) {
            return ref->scan;
        }
    }

    scan = NULL;

    for (ref = root->texts; ref != NULL && f != NULL; ref = ref->next) {
        if (ref->scan->field == f) {
            scan = ref->scan;
            break;
        }
    }

    if (scan == NULL) {
        scan = ngx_pcalloc(b->pool, sizeof(kz_text_scan_t));
        ref = ngx_palloc(b->pool, sizeof(kz_text_ref_t));

        if (scan == NULL || ref == NULL) {
            return NULL;
        }

        scan->field = f;
        scan->analyzer = (f != NULL) ? f->analyzer : kz_analysis_standard();

        scan->next = b->m->scans;
        b->m->scans = scan;

        ref->scan = scan;
        ref->next = root->texts;
        root->texts = ref;
    }

    ref = ngx_palloc(b->pool, sizeof(kz_text_ref_t));
    if (ref == NULL) {
        return NULL;
    }

    ref->scan = scan;
    ref->next = path->texts;
    path->texts = ref;

    return scan;
}


static ngx_int_t
kz_text_hang(kz_bind_t *b, kz_text_scan_t *scan, kz_leaf_t *leaf)
{
    ngx_uint_t        i;
    kz_leaf_ref_t    *ref;
    kz_text_leaf_t   *words;

    /* copy_to: a leaf is at several paths, and on one scan */

    for (ref = scan->asked; ref != NULL; ref = ref->next) {
        if (ref->leaf == leaf) {
            return NGX_OK;
        }
    }

    for (ref = scan->leaves; ref != NULL; ref = ref->next) {
        if (ref->leaf == leaf) {
            return NGX_OK;
        }
    }

    ref = ngx_palloc(b->pool, sizeof(kz_leaf_ref_t));
    if (ref == NULL) {
        return NGX_ERROR;
    }

    ref->leaf = leaf;
    words = leaf->words;

    if (leaf->type == KZ_LEAF_VALUES && leaf->nvalues == 1 && !leaf->nocase)
    {
        words = ngx_pcalloc(b->pool, sizeof(kz_text_leaf_t));
        if (words == NULL) {
            return NGX_ERROR;
        }

        words->terms = ngx_palloc(b->pool, sizeof(kz_text_term_t *));
        words->words = &leaf->values[0].text;

        if (words->terms == NULL) {
            return NGX_ERROR;
        }

        words->nterms = 1;
        leaf->words = words;

    } else if (leaf->type == KZ_LEAF_FUZZY && words != NULL) {
        words->terms = ngx_palloc(b->pool, sizeof(kz_text_term_t *));
        words->words = &leaf->values[0].text;

        if (words->terms == NULL) {
            return NGX_ERROR;
        }

        words->nterms = 1;

    } else if (leaf->type != KZ_LEAF_PHRASE) {
        ref->next = scan->asked;
        scan->asked = ref;
        return NGX_OK;
    }

    ref->next = scan->leaves;
    scan->leaves = ref;
    words->scan = scan;

    for (i = 0; i < words->nterms; i++) {
        words->terms[i] = kz_text_term(b, scan, &words->words[i]);
        if (words->terms[i] == NULL) {
            return NGX_ERROR;
        }

        if (leaf->type == KZ_LEAF_PHRASE) {
            words->terms[i]->placed = 1;
        }
    }

    return NGX_OK;
}


/* The scan's term of that text, in its place in the order. */
static kz_text_term_t *
kz_text_term(kz_bind_t *b, kz_text_scan_t *scan, const ngx_str_t *text)
{
    ngx_int_t         rc;
    ngx_uint_t        i;
    kz_text_term_t   *t, **terms;

    for (i = 0; i < scan->nterms; i++) {
        rc = kz_text_cmp(text, &scan->terms[i]->value.text);

        if (rc == 0) {
            return scan->terms[i];
        }

        if (rc < 0) {
            break;
        }
    }

    if (scan->nterms == scan->room) {
        terms = ngx_palloc(b->pool, (scan->room * 2 + 8)
                                    * sizeof(kz_text_term_t *));
        if (terms == NULL) {
            return NULL;
        }

        if (scan->nterms != 0) {
            ngx_memcpy(terms, scan->terms,
                       scan->nterms * sizeof(kz_text_term_t *));
        }

        scan->terms = terms;
        scan->room = scan->room * 2 + 8;
    }

    t = ngx_pcalloc(b->pool, sizeof(kz_text_term_t));
    if (t == NULL) {
        return NULL;
    }

    t->scan = scan;
    t->value.type = KZ_VALUE_TEXT;
    t->value.text = *text;

    ngx_memmove(&scan->terms[i + 1], &scan->terms[i],
                (scan->nterms - i) * sizeof(kz_text_term_t *));

    scan->terms[i] = t;
    scan->nterms++;

    if (text->len != 0) {
        scan->first[text->data[0] / 8] |= 1 << text->data[0] % 8;
    }

    return t;
}


/* Which leaves' scores count: those of conditions that score. */
static void
kz_text_wanted(kz_match_t *m, kz_cond_t *c)
{
    kz_leaf_t   *leaf;
    kz_cond_t   *child;
    ngx_uint_t   i;

    if (c->type == KZ_COND_LEAF || c->type == KZ_COND_TEST) {
        leaf = c->leaf;

        if (c->boost == 0 || leaf->words == NULL || leaf->words->scan == NULL)
        {
            return;
        }

        leaf->weighs = 1;
        m->scored = 1;

        for (i = 0; i < leaf->words->nterms; i++) {
            kz_text_want(m, leaf->words->terms[i]);
        }

        return;
    }

    if (c->type == KZ_COND_NESTED) {
        if (c->leaf->nested->root != NULL
            && c->leaf->nested->mode != KZ_MODE_NONE)
        {
            kz_text_wanted(m, c->leaf->nested->root);
        }

        return;
    }

    if (c->type != KZ_COND_BOOL) {
        return;
    }

    for (child = c->all; child != NULL; child = child->next) {
        kz_text_wanted(m, child);
    }

    for (child = c->any; child != NULL; child = child->next) {
        kz_text_wanted(m, child);
    }
}


static void
kz_text_want(kz_match_t *m, kz_text_term_t *t)
{
    if (t->wanted) {
        return;
    }

    t->wanted = 1;
    t->next = m->terms;
    m->terms = t;
}


void
kz_text_weigh(kz_match_t *m)
{
    double           n, df;
    kz_text_term_t  *t;

    for (t = m->terms; t != NULL; t = t->next) {

        n = (double) (t->scan->docs ? t->scan->docs : m->ndocs);

        if (n == 0) {
            t->idf = 1;
            continue;
        }

        df = (double) ngx_max(t->df, 1);
        n = ngx_max(n, df);

        t->idf = log(1 + (n - df + 0.5) / (df + 0.5));
    }
}


void
kz_text_begin(kz_match_t *m, kz_match_path_t *paths)
{
    kz_text_ref_t  *ref;

    (void) m;

    if (paths == NULL) {
        return;
    }

    for (ref = paths->texts; ref != NULL; ref = ref->next) {
        kz_text_reset(ref->scan);
    }
}


void
kz_text_reset(kz_text_scan_t *scan)
{
    ngx_uint_t      i;
    kz_leaf_ref_t  *l;

    scan->length = 0;
    scan->base = 0;

    for (i = 0; i < scan->nterms; i++) {
        scan->terms[i]->tf = 0;
    }

    for (l = scan->leaves; l != NULL; l = l->next) {
        ngx_memzero(l->leaf->words->met, sizeof(l->leaf->words->met));

        if (l->leaf->words->begun != NULL) {
            l->leaf->words->begun->tf = 0;
        }
    }
}


ngx_int_t
kz_text_value(kz_match_t *m, kz_match_path_t *path, const kz_json_val_t *v)
{
    ngx_int_t        rc;
    ngx_str_t        text;
    kz_value_t       value;
    kz_text_ref_t   *ref;
    kz_text_scan_t  *scan;

    for (ref = path->texts; ref != NULL; ref = ref->next) {
        scan = ref->scan;

        if (scan->field != NULL) {
            rc = kz_value_read(scan->field, v, &m->scratch, &value, NULL);

            if (rc == NGX_ABORT) {
                return NGX_ERROR;
            }

            if (rc != NGX_OK) {
                continue;
            }

            text = value.text;

        } else {

            if (v->type != KZ_JSON_STRING) {
                continue;
            }

            if (kz_value_text(v, &m->scratch, &text) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        if (kz_text_run(scan, &m->analyze, &text) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
kz_text_run(kz_text_scan_t *scan, kz_analyze_t *run, const ngx_str_t *text)
{
    scan->last = scan->base;

    if (kz_analyze(scan->analyzer, run, text, kz_text_token, scan) != NGX_OK)
    {
        return NGX_ERROR;
    }

    scan->base = scan->last + ((scan->field != NULL) ? scan->field->gap
                                                     : 100);

    return NGX_OK;
}


static ngx_int_t
kz_text_token(void *ctx, const kz_token_t *token)
{
    uint32_t          at;
    ngx_int_t         rc;
    kz_value_t        value;
    ngx_uint_t        a, b, i;
    kz_leaf_ref_t    *ref;
    kz_text_term_t   *t;
    kz_text_scan_t   *scan = ctx;

    at = scan->base + token->position;

    scan->last = at + 1;
    scan->length += (token->step != 0);

    if (token->text.len == 0
        || (scan->first[token->text.data[0] / 8]
            & (1 << token->text.data[0] % 8)))
    {
        a = 0;
        b = scan->nterms;

        while (a < b) {
            i = (a + b) / 2;
            t = scan->terms[i];
            rc = kz_text_cmp(&token->text, &t->value.text);

            if (rc == 0) {
                if (kz_phrase_place(t, at) != NGX_OK) {
                    return NGX_ERROR;
                }

                break;
            }

            if (rc < 0) {
                b = i;

            } else {
                a = i + 1;
            }
        }
    }

    for (ref = scan->leaves; ref != NULL; ref = ref->next) {

        if (ref->leaf->type == KZ_LEAF_FUZZY) {
            i = kz_text_distance(ref->leaf, &token->text);

            if (i <= ref->leaf->distance) {
                ref->leaf->words->met[i]++;
            }

        } else if (ref->leaf->type == KZ_LEAF_PHRASE
                   && ref->leaf->words->begun != NULL
                   && kz_phrase_begun(ref->leaf->words, &token->text, at)
                      != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    value.type = KZ_VALUE_TEXT;
    value.text = token->text;

    for (ref = scan->asked; ref != NULL; ref = ref->next) {
        if (!ref->leaf->hit && kz_match_test(ref->leaf, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
kz_text_end(kz_match_t *m, kz_match_path_t *paths)
{
    double            tf, idf;
    kz_leaf_t        *leaf;
    ngx_uint_t        i;
    kz_text_ref_t    *ref;
    kz_leaf_ref_t    *l;
    kz_text_leaf_t   *w;

    (void) m;

    if (paths == NULL) {
        return NGX_OK;
    }

    for (ref = paths->texts; ref != NULL; ref = ref->next) {
        for (l = ref->scan->leaves; l != NULL; l = l->next) {

            leaf = l->leaf;
            w = leaf->words;
            idf = 0;

            for (i = 0; i < w->nterms; i++) {
                idf += w->terms[i]->idf;
            }

            if (leaf->type == KZ_LEAF_FUZZY) {
                leaf->score = 0;
                leaf->hit = (w->met[0] || w->met[1] || w->met[2]);

                for (i = 0; i < 3; i++) {
                    leaf->score += kz_text_score(ref->scan, idf, w->met[i])
                                   * ngx_max(0, 1 - (double) i / w->nchars);
                }

                continue;
            }

            tf = w->terms[0]->tf;

            if (leaf->type == KZ_LEAF_PHRASE
                && kz_phrase_frequency(w, leaf->weighs, NULL, &tf) != NGX_OK)
            {
                return NGX_ERROR;
            }

            leaf->hit = (tf > 0);
            leaf->score = kz_text_score(ref->scan, idf, tf);
        }
    }

    return NGX_OK;
}


/* BM25 as the original computes it, its constant factor included. */
static double
kz_text_score(const kz_text_scan_t *scan, double idf, double tf)
{
    double  average;

    if (tf == 0) {
        return 0;
    }

    average = (scan->average > 0) ? scan->average : KZ_TEXT_AVERAGE;

    return (KZ_TEXT_K1 + 1) * idf * tf
           / (tf + KZ_TEXT_K1 * (1 - KZ_TEXT_B
                                 + KZ_TEXT_B * scan->length / average));
}


void
kz_text_free(kz_match_t *m)
{
    ngx_uint_t       i;
    kz_leaf_ref_t   *l;
    kz_text_term_t  *t;
    kz_text_scan_t  *scan;

    for (scan = m->scans; scan != NULL; scan = scan->next) {

        for (i = 0; i < scan->nterms; i++) {
            t = scan->terms[i];
            free(t->at);
            t->at = NULL;
            t->room = 0;
        }

        for (l = scan->leaves; l != NULL; l = l->next) {
            t = l->leaf->words->begun;

            if (t != NULL) {
                free(t->at);
                t->at = NULL;
                t->room = 0;
            }
        }
    }

    kz_analyze_free(&m->analyze);
}
