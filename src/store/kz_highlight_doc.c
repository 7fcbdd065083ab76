
/*
 * The words of a document that a query marks.
 */

#include "store/kz_highlight_text.h"
#include "store/kz_match_phrase.h"


#define KZ_HIGHLIGHT_VALUES  65536


/* One field of one document. */

typedef struct {
    kz_highlight_field_t  *f;
    ngx_pool_t            *pool;
    kz_highlight_value_t  *values;     /* malloc's */
    ngx_uint_t             n;
    ngx_uint_t             room;
    kz_highlight_mark_t   *marks;      /* of all values; malloc's */
    size_t                 nmarks;
    size_t                 marks_room;
    uint32_t              *phrase;     /* positions; malloc's, sorted */
    size_t                 nphrase;
    size_t                 phrase_room;
    uint32_t               base;
    uint32_t               last;
    ngx_uint_t             failed;
} kz_highlight_run_t;


static ngx_int_t kz_highlight_values(kz_highlight_run_t *run,
    const kz_json_val_t *v, const u_char *p, const u_char *end);
static ngx_int_t kz_highlight_value(kz_highlight_run_t *run,
    const kz_json_val_t *v);
static ngx_int_t kz_highlight_mark(kz_highlight_run_t *run);
static ngx_int_t kz_highlight_phrases(kz_highlight_run_t *run);
static void kz_highlight_position(void *ctx, uint32_t at);
static ngx_int_t kz_highlight_token(void *ctx, const kz_token_t *token);
static ngx_uint_t kz_highlight_holds(kz_leaf_t *leaf, const ngx_str_t *text);
static int kz_highlight_cmp(const void *one, const void *two);


ngx_int_t
kz_highlight_doc(kz_highlight_t *h, ngx_pool_t *pool, const ngx_str_t *src,
    ngx_str_t *out)
{
    size_t                  before;
    kz_out_t                text;
    ngx_int_t               rc;
    ngx_str_t               path;
    ngx_uint_t              n, fields;
    kz_json_val_t           doc;
    kz_highlight_run_t      run;
    kz_highlight_field_t   *f;

    ngx_str_null(out);

    kz_json_value(src->data, src->data + src->len, &doc);
    kz_out_init(&text, pool, 256);
    kz_out_char(&text, '{');

    fields = 0;
    rc = NGX_OK;

    for (f = h->fields; f != NULL && rc == NGX_OK; f = f->next) {

        if (f->n == 0 && f->opt.no_match == 0) {
            continue;
        }

        ngx_memzero(&run, sizeof(kz_highlight_run_t));
        run.f = f;
        run.pool = pool;

        path = (f->field != NULL) ? f->field->source : f->name;

        before = kz_out_len(&text);
        n = 0;

        rc = kz_highlight_values(&run, &doc, path.data,
                                 path.data + path.len);

        if (rc == NGX_OK) {
            rc = kz_highlight_mark(&run);
        }

        if (rc == NGX_OK) {
            if (fields > 0) {
                kz_out_char(&text, ',');
            }

            kz_out_json_str(&text, &f->name);
            kz_out_lit(&text, ":[");

            rc = kz_highlight_print(&f->opt, run.values, run.n, &text, &n);
            kz_out_char(&text, ']');
        }

        if (rc == NGX_OK && n == 0 && !kz_out_failed(&text)) {
            text.pos = text.start + before;
        }

        fields += (n != 0);

        free(run.values);
        free(run.marks);
        free(run.phrase);
    }

    kz_out_char(&text, '}');

    if (rc != NGX_OK || kz_out_failed(&text)) {
        return NGX_ERROR;
    }

    if (fields != 0) {
        out->data = text.start;
        out->len = kz_out_len(&text);
    }

    return NGX_OK;
}


/* All values at a dotted path, through arrays. */
static ngx_int_t
kz_highlight_values(kz_highlight_run_t *run, const kz_json_val_t *v,
    const u_char *p, const u_char *end)
{
    ngx_int_t        rc;
    const u_char    *dot;
    kz_json_val_t    item;
    kz_json_iter_t   it;

    if (v->type == KZ_JSON_ARRAY) {
        kz_json_iter(&it, v);

        while (kz_json_next(&it, &item) == NGX_OK) {
            rc = kz_highlight_values(run, &item, p, end);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        return NGX_OK;
    }

    if (p > end) {
        return kz_highlight_value(run, v);
    }

    if (v->type != KZ_JSON_OBJECT) {
        return NGX_OK;
    }

    /* {"a.b": 1} is {"a": {"b": 1}} */

    for (dot = p; dot <= end; dot++) {

        if (dot < end && *dot != '.') {
            continue;
        }

        if (kz_json_get(v, (char *) p, dot - p, &item) == NGX_OK) {
            rc = kz_highlight_values(run, &item, dot + 1, end);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_highlight_value(kz_highlight_run_t *run, const kz_json_val_t *v)
{
    ngx_uint_t             room;
    kz_highlight_value_t  *values;

    if (!kz_json_is_scalar(v) || v->type == KZ_JSON_NULL
        || run->n == KZ_HIGHLIGHT_VALUES)
    {
        return NGX_OK;
    }

    if (run->n == run->room) {
        room = run->room ? run->room * 2 : 4;

        values = realloc(run->values, room * sizeof(kz_highlight_value_t));
        if (values == NULL) {
            return NGX_ERROR;
        }

        run->values = values;
        run->room = room;
    }

    values = &run->values[run->n++];
    values->marks = NULL;
    values->n = 0;

    if (v->type != KZ_JSON_STRING) {
        values->text = v->raw;
        return NGX_OK;
    }

    return kz_json_string(run->pool, v, &values->text);
}


static ngx_int_t
kz_highlight_mark(kz_highlight_run_t *run)
{
    size_t                  at, first;
    ngx_str_t               text;
    kz_token_t              token;
    ngx_uint_t              i;
    kz_analyze_t           *mem;
    const kz_field_t       *field;
    const kz_analyzer_t    *z;
    kz_highlight_value_t   *v;

    if (run->f->n == 0) {
        return NGX_OK;
    }

    if (kz_highlight_phrases(run) != NGX_OK) {
        return NGX_ERROR;
    }

    field = run->f->field;
    mem = &run->f->m->analyze;

    for (i = 0; i < run->n; i++) {
        v = &run->values[i];
        first = run->nmarks;

        if (field != NULL && field->type == KZ_FIELD_KEYWORD) {

            text = v->text;

            if (!kz_value_indexed(field, &text) || text.len == 0) {
                continue;
            }

            if (field->normalizer != NULL
                && kz_normalize(field->normalizer, mem, &v->text, &text)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }

            token.text = text;
            token.start = 0;
            token.end = v->text.len;
            token.position = 0;

            if (kz_highlight_token(run, &token) != NGX_OK) {
                return NGX_ERROR;
            }

        } else {
            z = (field != NULL) ? field->analyzer : kz_analysis_standard();
            run->last = run->base;

            if (kz_analyze(z, mem, &v->text, kz_highlight_token, run)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            run->base = run->last + ((field != NULL) ? field->gap : 100);
        }

        v->n = run->nmarks - first;
    }

    for (i = 0, at = 0; i < run->n; i++) {
        run->values[i].marks = run->marks + at;
        at += run->values[i].n;
    }

    return NGX_OK;
}


/* Where words of phrases stand that are in the field. */
static ngx_int_t
kz_highlight_phrases(kz_highlight_run_t *run)
{
    double             tf;
    ngx_uint_t         i, k;
    kz_text_leaf_t    *w;
    kz_text_scan_t    *scan;
    kz_phrase_mark_t   mark;

    mark.mark = kz_highlight_position;
    mark.ctx = run;

    for (i = 0; i < run->f->n; i++) {

        if (run->f->leaves[i]->type != KZ_LEAF_PHRASE) {
            continue;
        }

        w = run->f->leaves[i]->words;
        scan = w->scan;

        kz_text_reset(scan);

        for (k = 0; k < run->n; k++) {
            if (kz_text_run(scan, &run->f->m->analyze, &run->values[k].text)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (kz_phrase_frequency(w, 1, &mark, &tf) != NGX_OK || run->failed) {
            return NGX_ERROR;
        }
    }

    if (run->nphrase > 1) {
        qsort(run->phrase, run->nphrase, sizeof(uint32_t), kz_highlight_cmp);
    }

    return NGX_OK;
}


static void
kz_highlight_position(void *ctx, uint32_t at)
{
    size_t               room;
    uint32_t            *p;
    kz_highlight_run_t  *run = ctx;

    if (run->nphrase == run->phrase_room) {
        room = run->phrase_room ? run->phrase_room * 2 : 64;

        p = realloc(run->phrase, room * sizeof(uint32_t));
        if (p == NULL) {
            run->failed = 1;
            return;
        }

        run->phrase = p;
        run->phrase_room = room;
    }

    run->phrase[run->nphrase++] = at;
}


static ngx_int_t
kz_highlight_token(void *ctx, const kz_token_t *token)
{
    size_t                 i, room;
    uint32_t               at;
    uint64_t               hash;
    ngx_uint_t             n, found;
    kz_highlight_run_t    *run = ctx;
    kz_highlight_mark_t   *m;

    at = run->base + token->position;
    run->last = at + 1;

    found = (run->nphrase != 0
             && bsearch(&at, run->phrase, run->nphrase, sizeof(uint32_t),
                        kz_highlight_cmp)
                != NULL);

    for (n = 0; n < run->f->n && !found; n++) {
        found = kz_highlight_holds(run->f->leaves[n], &token->text);
    }

    if (!found) {
        return NGX_OK;
    }

    if (run->nmarks == run->marks_room) {
        room = run->marks_room ? run->marks_room * 2 : 64;

        m = realloc(run->marks, room * sizeof(kz_highlight_mark_t));
        if (m == NULL) {
            return NGX_ERROR;
        }

        run->marks = m;
        run->marks_room = room;
    }

    hash = 14695981039346656037ull;

    for (i = 0; i < token->text.len; i++) {
        hash = (hash ^ token->text.data[i]) * 1099511628211ull;
    }

    m = &run->marks[run->nmarks++];
    m->start = token->start;
    m->end = token->end;
    m->hash = hash;

    return NGX_OK;
}


static ngx_uint_t
kz_highlight_holds(kz_leaf_t *leaf, const ngx_str_t *text)
{
    ngx_uint_t   hit, was;
    kz_value_t   v;

    if (leaf->type == KZ_LEAF_PHRASE) {
        return 0;
    }

    if (leaf->type == KZ_LEAF_FUZZY) {
        return kz_text_fuzzy(leaf, text);
    }

    v.type = KZ_VALUE_TEXT;
    v.text = *text;

    was = leaf->hit;
    leaf->hit = 0;

    hit = (kz_match_test(leaf, &v) == NGX_OK && leaf->hit);

    leaf->hit = was;

    return hit;
}


static int
kz_highlight_cmp(const void *one, const void *two)
{
    const uint32_t  *a = one;
    const uint32_t  *b = two;

    return (*a > *b) - (*a < *b);
}
