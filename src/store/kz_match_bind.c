
/*
 * Binding a query to a mapping: what each clause means for the type of its
 * field.  Evaluation: kz_match.c.
 *
 * Differences between a clause and what is tested:
 *
 *   a date given as a day          is a range of milliseconds
 *   match on a text field          is one test for each word
 *   exists on an object            is any of its fields
 *   a value of an unmapped field   is tried as number and as text
 */

#include "store/kz_match_bind.h"


static kz_cond_t *kz_bind_node(kz_bind_t *b, const kz_query_node_t *node);
static kz_cond_t *kz_bind_bool(kz_bind_t *b, const kz_query_node_t *node);
static kz_cond_t *kz_bind_list(kz_bind_t *b, const kz_query_node_t *node,
    ngx_int_t *rc);
static kz_cond_t *kz_bind_ids(kz_bind_t *b, const kz_query_node_t *node);
static kz_cond_t *kz_bind_leaf(kz_bind_t *b, const kz_query_node_t *node);
static kz_cond_t *kz_bind_field(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);
static kz_cond_t *kz_bind_terms(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);
static kz_cond_t *kz_bind_range(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f);
static kz_cond_t *kz_bind_words(kz_bind_t *b, const kz_query_node_t *node,
    const kz_field_t *f, const ngx_str_t *path);
static kz_cond_t *kz_bind_raw(kz_bind_t *b, const kz_query_node_t *node,
    const ngx_str_t *path, ngx_uint_t exact);
static kz_cond_t *kz_bind_raw_range(kz_bind_t *b,
    const kz_query_node_t *node, const ngx_str_t *path);
static kz_cond_t *kz_bind_object(kz_bind_t *b, const kz_query_node_t *node);
static ngx_int_t kz_bind_sort(kz_bind_t *b, ngx_uint_t i);


kz_match_t *
kz_match_create(ngx_pool_t *pool, const kz_query_t *q,
    const kz_mapping_t *mapping, kz_mapping_err_t *err)
{
    kz_bind_t    b;
    ngx_uint_t   i;
    kz_match_t  *m;

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    m = ngx_pcalloc(pool, sizeof(kz_match_t));
    if (m == NULL) {
        return NULL;
    }

    b.pool = pool;
    b.m = m;
    b.err = err;

    m->mapping = mapping;
    m->nclauses = q->nclauses;
    m->keys = q->sort;
    m->nsort = q->nsort;

    m->root = kz_bind_node(&b, q->root);
    if (m->root == NULL) {
        goto failed;
    }

    m->sort = ngx_pcalloc(pool, (m->nsort + 1) * sizeof(kz_leaf_t *));
    m->missing = ngx_pcalloc(pool, (m->nsort + 1) * sizeof(kz_value_t));

    if (m->sort == NULL || m->missing == NULL) {
        goto failed;
    }

    for (i = 0; i < m->nsort; i++) {
        if (kz_bind_sort(&b, i) != NGX_OK) {
            goto failed;
        }
    }

    return m;

failed:

    kz_match_free(m);

    return NULL;
}


static kz_cond_t *
kz_bind_node(kz_bind_t *b, const kz_query_node_t *node)
{
    kz_cond_t  *c;

    static ngx_str_t  id = ngx_string("_id");

    switch (node->type) {

    case KZ_QUERY_ALL:
        c = kz_bind_cond(b, KZ_COND_ALL);
        break;

    case KZ_QUERY_NONE:
        c = kz_bind_cond(b, KZ_COND_NONE);
        break;

    case KZ_QUERY_BOOL:
        c = kz_bind_bool(b, node);
        break;

    case KZ_QUERY_IDS:
        c = kz_bind_ids(b, node);
        break;

    default:
        if (kz_text_cmp(&node->field, &id) != 0) {
            c = kz_bind_leaf(b, node);
            break;
        }

        if (node->type == KZ_QUERY_TERMS || node->type == KZ_QUERY_MATCH) {
            c = kz_bind_ids(b, node);
            break;
        }

        if (node->type == KZ_QUERY_EXISTS) {
            c = kz_bind_cond(b, KZ_COND_ALL);
            break;
        }

        kz_bind_bad(b, "field [%V] does not support this kind of query",
                    &node->field, NULL);
        return NULL;
    }

    if (c != NULL && node->scored) {
        c->boost = node->boost;
    }

    return c;
}


static kz_cond_t *
kz_bind_bool(kz_bind_t *b, const kz_query_node_t *node)
{
    ngx_int_t               rc;
    kz_cond_t              *c;
    const kz_query_node_t  *any;

    c = kz_bind_cond(b, KZ_COND_BOOL);
    if (c == NULL) {
        return NULL;
    }

    rc = NGX_OK;

    c->all = kz_bind_list(b, node->all, &rc);
    c->any = kz_bind_list(b, node->any, &rc);
    c->none = kz_bind_list(b, node->none, &rc);
    c->minimum = node->minimum;

    /* documents score differently when some may miss what others have */

    for (any = node->any; any != NULL; any = any->next) {
        if (node->minimum < node->nany) {
            b->m->scored = 1;
        }
    }

    return (rc == NGX_OK) ? c : NULL;
}


static kz_cond_t *
kz_bind_list(kz_bind_t *b, const kz_query_node_t *node, ngx_int_t *rc)
{
    kz_cond_t  *first, **last;

    first = NULL;
    last = &first;

    for ( /* void */ ; node != NULL && *rc == NGX_OK; node = node->next) {

        *last = kz_bind_node(b, node);

        if (*last == NULL) {
            *rc = NGX_ERROR;
            break;
        }

        last = &(*last)->next;
    }

    return first;
}


static kz_cond_t *
kz_bind_ids(kz_bind_t *b, const kz_query_node_t *node)
{
    kz_cond_t   *c;
    ngx_uint_t   i;

    c = kz_bind_cond(b, KZ_COND_IDS);
    if (c == NULL) {
        return NULL;
    }

    c->ids = ngx_palloc(b->pool, (node->nvalues + 1) * sizeof(ngx_str_t));
    if (c->ids == NULL) {
        return NULL;
    }

    for (i = 0; i < node->nvalues; i++) {
        if (kz_bind_text(b, &node->values[i], &c->ids[i]) != NGX_OK) {
            return NULL;
        }
    }

    c->nids = node->nvalues;
    qsort(c->ids, c->nids, sizeof(ngx_str_t), kz_bind_text_cmp);

    return c;
}


/* A clause about a field. */
static kz_cond_t *
kz_bind_leaf(kz_bind_t *b, const kz_query_node_t *node)
{
    ngx_str_t    source;
    kz_cond_t   *one, *two;
    kz_field_t  *f;

    switch (kz_bind_find(b, &node->field, &f)) {

    case KZ_BIND_FIELD:
        if (node->type == KZ_QUERY_EXISTS && !f->indexed) {
            return kz_bind_test(b, KZ_LEAF_EXISTS, NULL, &f->source);
        }

        if (f->type == KZ_FIELD_OPAQUE) {
            kz_bind_bad(b, "searching by field [%V] of type [%V] is not"
                        " supported with these parameters or this type",
                        &f->path, &f->type_name);
            return NULL;
        }

        if (!f->indexed) {
            kz_bind_bad(b, "Cannot search on field [%V] since it is not"
                        " indexed.", &f->path, NULL);
            return NULL;
        }

        return kz_bind_field(b, node, f);

    case KZ_BIND_NOTHING:
        return (node->type == KZ_QUERY_EXISTS)
               ? kz_bind_object(b, node)
               : kz_bind_cond(b, KZ_COND_NONE);

    default:
        break;
    }

    one = kz_bind_raw(b, node, &node->field, 0);

    if (one == NULL || !kz_bind_alias(&node->field, &source)) {
        return one;
    }

    two = kz_bind_raw(b, node, &source, 1);

    return (two == NULL) ? NULL : kz_bind_either(b, one, two);
}


static kz_cond_t *
kz_bind_field(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    ngx_str_t    text;
    kz_cond_t   *c;

    switch (node->type) {

    case KZ_QUERY_EXISTS:
        return kz_bind_test(b, KZ_LEAF_EXISTS, f, NULL);

    case KZ_QUERY_RANGE:
        return kz_bind_range(b, node, f);

    case KZ_QUERY_MATCH:
        return (f->type == KZ_FIELD_TEXT) ? kz_bind_words(b, node, f, NULL)
                                          : kz_bind_terms(b, node, f);

    case KZ_QUERY_TERMS:
        return kz_bind_terms(b, node, f);

    default:  /* KZ_QUERY_PREFIX */
        break;
    }

    if (f->type != KZ_FIELD_TEXT && f->type != KZ_FIELD_KEYWORD) {
        kz_bind_bad(b, "Can only use prefix queries on keyword and text"
                    " fields - not on [%V] which is of type [%V]", &f->path,
                    &f->type_name);
        return NULL;
    }

    c = kz_bind_test(b, KZ_LEAF_PREFIX, f, NULL);

    if (c == NULL || kz_bind_text(b, &node->values[0], &text) != NGX_OK) {
        return NULL;
    }

    c->leaf->values = ngx_pcalloc(b->pool, sizeof(kz_value_t));
    if (c->leaf->values == NULL) {
        return NULL;
    }

    c->leaf->nvalues = 1;
    c->leaf->values[0].type = KZ_VALUE_TEXT;
    c->leaf->values[0].text = text;

    return c;
}


static kz_cond_t *
kz_bind_terms(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    int64_t      last;
    kz_cond_t   *c, *span;
    kz_leaf_t   *leaf;
    ngx_uint_t   i;
    kz_value_t  *v;

    c = kz_bind_test(b, KZ_LEAF_VALUES, f, NULL);
    if (c == NULL) {
        return NULL;
    }

    leaf = c->leaf;

    leaf->values = ngx_pcalloc(b->pool,
                               (node->nvalues + 1) * sizeof(kz_value_t));
    if (leaf->values == NULL) {
        return NULL;
    }

    for (i = 0; i < node->nvalues; i++) {
        v = &leaf->values[leaf->nvalues];

        if (kz_bind_value(b, f, &node->values[i], v, &last) != NGX_OK) {
            return NULL;
        }

        if (f->type != KZ_FIELD_DATE || v->i == last) {
            leaf->nvalues++;
            continue;
        }

        /* a day, an hour, ... */

        span = kz_bind_test(b, KZ_LEAF_RANGE, f, NULL);
        if (span == NULL) {
            return NULL;
        }

        span->leaf->lower = *v;
        span->leaf->upper.type = KZ_VALUE_INT;
        span->leaf->upper.i = last;
        span->leaf->lower_in = 1;
        span->leaf->upper_in = 1;

        c = kz_bind_either(b, c, span);
        if (c == NULL) {
            return NULL;
        }
    }

    qsort(leaf->values, leaf->nvalues, sizeof(kz_value_t), kz_bind_cmp);

    return c;
}


static kz_cond_t *
kz_bind_range(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f)
{
    int64_t      last;
    kz_cond_t   *c;
    kz_leaf_t   *leaf;

    c = kz_bind_test(b, KZ_LEAF_RANGE, f, NULL);
    if (c == NULL) {
        return NULL;
    }

    leaf = c->leaf;

    leaf->lower_in = node->lower_in;
    leaf->upper_in = node->upper_in;

    if (node->lower.type != KZ_JSON_NONE) {
        if (kz_bind_value(b, f, &node->lower, &leaf->lower, &last)
            != NGX_OK)
        {
            return NULL;
        }

        if (f->type == KZ_FIELD_DATE && !node->lower_in) {
            leaf->lower.i = last;
        }
    }

    if (node->upper.type != KZ_JSON_NONE) {
        if (kz_bind_value(b, f, &node->upper, &leaf->upper, &last)
            != NGX_OK)
        {
            return NULL;
        }

        if (f->type == KZ_FIELD_DATE && node->upper_in) {
            leaf->upper.i = last;
        }
    }

    return c;
}


/* match: any or every word; f == NULL: an unmapped field. */
static kz_cond_t *
kz_bind_words(kz_bind_t *b, const kz_query_node_t *node, const kz_field_t *f,
    const ngx_str_t *path)
{
    kz_cond_t     *c, *word;
    ngx_str_t      text;
    ngx_uint_t     n;
    kz_words_t     words;
    kz_value_t    *v;

    if (kz_bind_text(b, &node->values[0], &text) != NGX_OK) {
        return NULL;
    }

    c = kz_bind_cond(b, KZ_COND_BOOL);
    if (c == NULL) {
        return NULL;
    }

    n = 0;
    kz_words_init(&words, &text);

    while (kz_words_next(&words) == NGX_OK) {

        if (++n > KZ_QUERY_MAX_CLAUSES) {
            kz_bind_bad(b, "too many words to match with field [%V]",
                        &node->field, NULL);
            return NULL;
        }

        word = kz_bind_test(b, KZ_LEAF_VALUES, f, path);
        v = ngx_pcalloc(b->pool, sizeof(kz_value_t));

        if (word == NULL || v == NULL) {
            return NULL;
        }

        v->type = KZ_VALUE_TEXT;
        v->text.len = words.word.len;
        v->text.data = ngx_pstrdup(b->pool, &words.word);

        if (v->text.data == NULL) {
            return NULL;
        }

        word->leaf->values = v;
        word->leaf->nvalues = 1;

        if (node->scored) {
            word->boost = node->boost;
        }

        if (node->every) {
            word->next = c->all;
            c->all = word;

        } else {
            word->next = c->any;
            c->any = word;
        }
    }

    if (n == 0) {
        c->type = KZ_COND_NONE;
    }

    if (!node->every) {
        c->minimum = 1;
        b->m->scored |= (n > 1);
    }

    return c;
}


/* A field that is not mapped; exact: its texts as a whole only. */
static kz_cond_t *
kz_bind_raw(kz_bind_t *b, const kz_query_node_t *node, const ngx_str_t *path,
    ngx_uint_t exact)
{
    kz_cond_t     *c, *words;
    ngx_uint_t     i;
    kz_value_t    *v, number;
    kz_leaf_t     *leaf;

    if (node->type == KZ_QUERY_RANGE) {
        return kz_bind_raw_range(b, node, path);
    }

    if (node->type == KZ_QUERY_EXISTS) {
        return kz_bind_test(b, KZ_LEAF_EXISTS, NULL, path);
    }

    c = kz_bind_test(b, (node->type == KZ_QUERY_PREFIX) ? KZ_LEAF_PREFIX
                                                        : KZ_LEAF_VALUES,
                     NULL, path);
    if (c == NULL) {
        return NULL;
    }

    leaf = c->leaf;
    leaf->exact = exact;

    v = ngx_pcalloc(b->pool, (node->nvalues * 2 + 1) * sizeof(kz_value_t));
    if (v == NULL) {
        return NULL;
    }

    leaf->values = v;

    for (i = 0; i < node->nvalues; i++) {

        if (kz_bind_raw_value(b, &node->values[i], &number, v++) != NGX_OK) {
            return NULL;
        }

        if (number.type != 0 && node->type != KZ_QUERY_PREFIX) {
            *v++ = number;
        }
    }

    leaf->nvalues = v - leaf->values;
    qsort(leaf->values, leaf->nvalues, sizeof(kz_value_t), kz_bind_cmp);

    if (node->type != KZ_QUERY_MATCH || exact
        || node->values[0].type != KZ_JSON_STRING)
    {
        return c;
    }

    words = kz_bind_words(b, node, NULL, path);

    return (words == NULL) ? NULL : kz_bind_either(b, c, words);
}


/* Numbers against numbers, texts against texts. */
static kz_cond_t *
kz_bind_raw_range(kz_bind_t *b, const kz_query_node_t *node,
    const ngx_str_t *path)
{
    ngx_uint_t   i, numbers, texts;
    kz_cond_t   *c[2];
    kz_value_t   number[2], text[2];

    numbers = 1;
    texts = 1;

    for (i = 0; i < 2; i++) {
        number[i].type = 0;
        text[i].type = 0;

        if ((i ? node->upper.type : node->lower.type) == KZ_JSON_NONE) {
            continue;
        }

        if (kz_bind_raw_value(b, i ? &node->upper : &node->lower, &number[i],
                              &text[i])
            != NGX_OK)
        {
            return NULL;
        }

        if (number[i].type == 0) {
            numbers = 0;
        }

        if ((i ? node->upper.type : node->lower.type) == KZ_JSON_NUMBER) {
            texts = 0;
        }
    }

    for (i = 0; i < 2; i++) {
        c[i] = kz_bind_test(b, KZ_LEAF_RANGE, NULL, path);
        if (c[i] == NULL) {
            return NULL;
        }

        c[i]->leaf->exact = 1;
        c[i]->leaf->lower = i ? text[0] : number[0];
        c[i]->leaf->upper = i ? text[1] : number[1];
        c[i]->leaf->lower_in = node->lower_in;
        c[i]->leaf->upper_in = node->upper_in;
    }

    if (!numbers) {
        c[0]->type = KZ_COND_NONE;
    }

    if (!texts) {
        c[1]->type = KZ_COND_NONE;
    }

    return kz_bind_either(b, c[0], c[1]);
}


/* exists on what may be an object: any field below it. */
static kz_cond_t *
kz_bind_object(kz_bind_t *b, const kz_query_node_t *node)
{
    ngx_uint_t         i;
    kz_cond_t         *c, *test;
    const kz_field_t  *f;

    c = kz_bind_cond(b, KZ_COND_BOOL);
    if (c == NULL) {
        return NULL;
    }

    c->minimum = 1;

    for (i = 0; i < b->m->mapping->nfields; i++) {
        f = &b->m->mapping->fields[i];

        if (f->multi || f->path.len <= node->field.len
            || f->path.data[node->field.len] != '.'
            || ngx_memcmp(f->path.data, node->field.data, node->field.len)
               != 0)
        {
            continue;
        }

        test = f->indexed ? kz_bind_test(b, KZ_LEAF_EXISTS, f, NULL)
                          : kz_bind_test(b, KZ_LEAF_EXISTS, NULL, &f->source);
        if (test == NULL) {
            return NULL;
        }

        test->next = c->any;
        c->any = test;
    }

    return c;
}


static ngx_int_t
kz_bind_sort(kz_bind_t *b, ngx_uint_t i)
{
    ngx_str_t          source;
    kz_bind_e          found;
    kz_leaf_t         *leaf;
    kz_field_t        *f;
    kz_value_t         text, *missing;
    kz_query_sort_t   *key;

    key = &b->m->keys[i];
    missing = &b->m->missing[i];

    if (key->type == KZ_SORT_SCORE) {
        b->m->scored = 1;
    }

    if (key->type != KZ_SORT_FIELD) {
        return NGX_OK;
    }

    found = kz_bind_find(b, &key->field, &f);

    if (found == KZ_BIND_NOTHING) {

        if (key->lenient) {
            return NGX_OK;
        }

        kz_bind_bad(b, "No mapping found for [%V] in order to sort on",
                    &key->field, NULL);
        return NGX_ERROR;
    }

    if (found == KZ_BIND_FIELD) {

        if (f->type == KZ_FIELD_TEXT || f->type == KZ_FIELD_OPAQUE) {
            kz_bind_bad(b, "sorting by field [%V] of type [%V] is not"
                        " supported: use a keyword field instead", &f->path,
                        &f->type_name);
            return NGX_ERROR;
        }

        leaf = kz_bind_new_leaf(b, KZ_LEAF_SORT, f, &f->source);

    } else {
        source = key->field;
        (void) kz_bind_alias(&key->field, &source);

        leaf = kz_bind_new_leaf(b, KZ_LEAF_SORT, NULL, &source);
    }

    if (leaf == NULL) {
        return NGX_ERROR;
    }

    leaf->exact = 1;
    leaf->max = key->max;

    b->m->sort[i] = leaf;

    if (key->missing.type == KZ_JSON_NONE) {
        return NGX_OK;
    }

    if (leaf->field != NULL) {
        return kz_bind_value(b, leaf->field, &key->missing, missing, NULL);
    }

    if (kz_bind_raw_value(b, &key->missing, missing, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (missing->type == 0) {
        *missing = text;
    }

    return NGX_OK;
}
