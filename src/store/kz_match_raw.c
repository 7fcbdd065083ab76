
/*
 * Clauses about fields the mapping does not know, and their evaluation: the
 * type of the document's JSON decides.
 */

#include "store/kz_match_bind.h"
#include "store/kz_match_text.h"


static kz_cond_t *kz_bind_raw(kz_bind_t *b, const kz_query_node_t *node,
    const ngx_str_t *path, ngx_uint_t exact);
static kz_cond_t *kz_bind_raw_values(kz_bind_t *b,
    const kz_query_node_t *node, const ngx_str_t *path, ngx_uint_t exact);
static kz_cond_t *kz_bind_raw_string(kz_bind_t *b,
    const kz_query_node_t *node, const ngx_str_t *path, ngx_uint_t exact);
static kz_cond_t *kz_bind_raw_range(kz_bind_t *b,
    const kz_query_node_t *node, const ngx_str_t *path);
static ngx_int_t kz_match_words(kz_leaf_t *leaf, const ngx_str_t *text);
static ngx_uint_t kz_match_some(const kz_json_val_t *v);


kz_cond_t *
kz_bind_unmapped(kz_bind_t *b, const kz_query_node_t *node)
{
    ngx_str_t    source;
    kz_cond_t   *one, *two;

    switch (node->type) {

    case KZ_QUERY_GEO_BOX:
    case KZ_QUERY_GEO_DISTANCE:
    case KZ_QUERY_GEO_POLYGON:

        if (node->ignore) {
            return kz_bind_cond(b, KZ_COND_NONE);
        }

        kz_bind_bad(b, "failed to find geo field [%V]", &node->field, NULL);
        return NULL;

    default:
        break;
    }

    one = kz_bind_raw(b, node, &node->field, 0);

    if (one == NULL) {
        return NULL;
    }

    if (kz_bind_alias(&node->field, &source)
        && source.len >= b->strip)
    {
        two = kz_bind_raw(b, node, &source, 1);

        one = (two == NULL) ? NULL : kz_bind_either(b, one, two);
    }

    if (one != NULL && node->scored && one->boost == 0
        && node->type != KZ_QUERY_FUZZY)
    {
        one->boost = node->boost;
    }

    return one;
}


/* exact: the field's texts as a whole only. */
static kz_cond_t *
kz_bind_raw(kz_bind_t *b, const kz_query_node_t *node, const ngx_str_t *path,
    ngx_uint_t exact)
{
    kz_cond_t        *c, *words;
    kz_json_val_t     json;
    kz_query_node_t   single;

    switch (node->type) {

    case KZ_QUERY_RANGE:
        return kz_bind_raw_range(b, node, path);

    case KZ_QUERY_EXISTS:
        return kz_bind_test(b, KZ_LEAF_EXISTS, NULL, path);

    case KZ_QUERY_PREFIX:
    case KZ_QUERY_WILDCARD:
    case KZ_QUERY_REGEXP:
        return kz_bind_raw_string(b, node, path, exact);

    case KZ_QUERY_FUZZY:
        return kz_text_bind(b, node, NULL, path);

    case KZ_QUERY_MATCH:
    case KZ_QUERY_PHRASE:
        break;

    default:  /* KZ_QUERY_TERMS */
        return kz_bind_raw_values(b, node, path, exact);
    }

    if (kz_bind_operand(b, node, &json) != NGX_OK) {
        return NULL;
    }

    single = *node;
    single.type = KZ_QUERY_TERMS;
    single.values = &json;
    single.nvalues = 1;
    single.nocase = 0;

    /* as a whole; numbers and booleans, too */

    c = kz_bind_raw_values(b, &single, path, 1);

    if (c == NULL || exact || json.type != KZ_JSON_STRING) {
        return c;
    }

    words = kz_text_bind(b, node, NULL, path);

    if (words == NULL) {
        return NULL;
    }

    c = kz_bind_either(b, c, words);

    if (c != NULL) {
        c->best = 1;
        b->m->scored |= node->scored;
    }

    return c;
}


static kz_cond_t *
kz_bind_raw_values(kz_bind_t *b, const kz_query_node_t *node,
    const ngx_str_t *path, ngx_uint_t exact)
{
    kz_cond_t    *c;
    kz_leaf_t    *leaf;
    ngx_uint_t    i;
    kz_value_t   *v, number;

    c = kz_bind_test(b, KZ_LEAF_VALUES, NULL, path);

    if (c == NULL
        || kz_bind_room(b, c->leaf, node->nvalues * 2) != NGX_OK)
    {
        return NULL;
    }

    leaf = c->leaf;
    leaf->exact = exact;
    leaf->nocase = node->nocase;

    v = leaf->values;

    for (i = 0; i < node->nvalues; i++) {

        if (kz_bind_raw_value(b, &node->values[i], &number, v) != NGX_OK) {
            return NULL;
        }

        if (leaf->nocase && kz_bind_lower(b, &v->text) != NGX_OK) {
            return NULL;
        }

        v++;

        if (number.type != 0) {
            *v++ = number;
        }
    }

    leaf->nvalues = v - leaf->values;
    qsort(leaf->values, leaf->nvalues, sizeof(kz_value_t), kz_bind_cmp);

    return c;
}


static kz_cond_t *
kz_bind_raw_string(kz_bind_t *b, const kz_query_node_t *node,
    const ngx_str_t *path, ngx_uint_t exact)
{
    kz_cond_t       *c;
    ngx_str_t       *text;
    kz_leaf_t       *leaf;
    kz_json_val_t    json;

    c = kz_bind_test(b, KZ_LEAF_PREFIX, NULL, path);

    if (c == NULL || kz_bind_room(b, c->leaf, 1) != NGX_OK
        || kz_bind_operand(b, node, &json) != NGX_OK)
    {
        return NULL;
    }

    leaf = c->leaf;
    leaf->exact = exact;
    leaf->nvalues = 1;
    leaf->nocase = node->nocase;
    leaf->values[0].type = KZ_VALUE_TEXT;

    text = &leaf->values[0].text;

    if (kz_bind_text(b, &json, text) != NGX_OK) {
        return NULL;
    }

    if (node->type == KZ_QUERY_REGEXP) {
        leaf->type = KZ_LEAF_REGEXP;
        leaf->regexp = kz_regexp_compile(b->pool, text, node->flags,
                                         node->nocase, b->err);

        return (leaf->regexp == NULL) ? NULL : c;
    }

    if (node->type == KZ_QUERY_WILDCARD) {
        leaf->type = KZ_LEAF_WILDCARD;
    }

    return (node->nocase && kz_bind_lower(b, text) != NGX_OK) ? NULL : c;
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


ngx_int_t
kz_match_unmapped(kz_match_t *m, kz_leaf_t *leaf, const kz_json_val_t *v)
{
    ngx_int_t    rc;
    kz_value_t   value;

    switch (v->type) {

    case KZ_JSON_NULL:
        return NGX_OK;

    case KZ_JSON_ARRAY:
    case KZ_JSON_OBJECT:
        if (leaf->type == KZ_LEAF_EXISTS && kz_match_some(v)) {
            leaf->hit = 1;
        }

        return NGX_OK;

    case KZ_JSON_NUMBER:
        value.type = KZ_VALUE_INT;

        if (kz_json_int(v, &value.i) != NGX_OK) {
            value.type = KZ_VALUE_REAL;
            value.d = kz_json_double(v);
        }

        return kz_match_test(leaf, &value);

    default:
        value.type = KZ_VALUE_TEXT;

        if (kz_value_text(v, &m->scratch, &value.text) != NGX_OK) {
            return NGX_ERROR;
        }

        rc = kz_match_test(leaf, &value);

        if (rc != NGX_OK || leaf->exact || leaf->hit
            || v->type != KZ_JSON_STRING)
        {
            return rc;
        }

        return kz_match_words(leaf, &value.text);
    }
}


/* Whether anything in it is not null. */
static ngx_uint_t
kz_match_some(const kz_json_val_t *v)
{
    kz_json_val_t      item;
    kz_json_iter_t     it;
    kz_json_member_t   member;

    if (v->type == KZ_JSON_OBJECT) {
        kz_json_iter(&it, v);

        while (kz_json_next_member(&it, &member) == NGX_OK) {
            if (kz_match_some(&member.val)) {
                return 1;
            }
        }

        return 0;
    }

    if (v->type == KZ_JSON_ARRAY) {
        kz_json_iter(&it, v);

        while (kz_json_next(&it, &item) == NGX_OK) {
            if (kz_match_some(&item)) {
                return 1;
            }
        }

        return 0;
    }

    return v->type != KZ_JSON_NULL;
}


static ngx_int_t
kz_match_words(kz_leaf_t *leaf, const ngx_str_t *text)
{
    kz_words_t   words;
    kz_value_t   value;

    value.type = KZ_VALUE_TEXT;

    kz_words_init(&words, text);

    while (!leaf->hit && kz_words_next(&words) == NGX_OK) {
        value.text = words.word;

        if (kz_match_test(leaf, &value) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
