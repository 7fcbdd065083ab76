
/*
 * Evaluation of a bound query over one document: see kz_match.h.  Binding:
 * kz_match_bind.c.
 */

#include "store/kz_match.h"


static ngx_int_t kz_match_object(kz_match_t *m, kz_match_path_t *path,
    const kz_json_val_t *v);
static ngx_int_t kz_match_dotted(kz_match_t *m, kz_match_path_t *path,
    const kz_json_member_t *member);
static ngx_int_t kz_match_value(kz_match_t *m, kz_match_path_t *path,
    const kz_json_val_t *v);
static ngx_int_t kz_match_leaf(kz_match_t *m, kz_leaf_t *leaf,
    const kz_json_val_t *v);
static ngx_int_t kz_match_unmapped(kz_match_t *m, kz_leaf_t *leaf,
    const kz_json_val_t *v);
static ngx_int_t kz_match_words(kz_leaf_t *leaf, const ngx_str_t *text);
static ngx_int_t kz_match_test(kz_leaf_t *leaf, const kz_value_t *v);
static ngx_int_t kz_match_range(const kz_leaf_t *leaf, const kz_value_t *v);
static ngx_int_t kz_match_key(kz_leaf_t *leaf, const kz_value_t *v);
static ngx_uint_t kz_match_cond(const kz_cond_t *c, const ngx_str_t *id,
    double *score);
static ngx_uint_t kz_match_bool(const kz_cond_t *c, const ngx_str_t *id,
    double *score);


ngx_int_t
kz_match_doc(kz_match_t *m, const ngx_str_t *id, const ngx_str_t *src,
    double *score)
{
    kz_leaf_t       *leaf;
    kz_json_val_t    doc;

    *score = 0;

    for (leaf = m->leaves; leaf != NULL; leaf = leaf->all) {
        leaf->hit = 0;
    }

    if (m->paths != NULL) {
        kz_json_value(src->data, src->data + src->len, &doc);

        if (doc.type == KZ_JSON_OBJECT
            && kz_match_object(m, m->paths, &doc) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return kz_match_cond(m->root, id, score) ? NGX_OK : NGX_DECLINED;
}


/*
 * The last one of repeated keys counts, hence the two steps.  A path is in
 * use once at a time, so its own memory serves.
 */
static ngx_int_t
kz_match_object(kz_match_t *m, kz_match_path_t *path, const kz_json_val_t *v)
{
    kz_json_iter_t      it;
    kz_json_member_t    member;
    kz_match_path_t    *child;

    for (child = path->first; child != NULL; child = child->next) {
        child->value.type = KZ_JSON_NONE;
    }

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &member) == NGX_OK) {

        for (child = path->first; child != NULL; child = child->next) {

            if (kz_json_key_is(&member, (char *) child->name.data,
                               child->name.len)
                == NGX_OK)
            {
                child->value = member.val;
                break;
            }
        }

        if (child == NULL && kz_match_dotted(m, path, &member) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    for (child = path->first; child != NULL; child = child->next) {

        if (child->value.type != KZ_JSON_NONE
            && kz_match_value(m, child, &child->value) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* {"a.b": 1} is {"a": {"b": 1}}. */
static ngx_int_t
kz_match_dotted(kz_match_t *m, kz_match_path_t *path,
    const kz_json_member_t *member)
{
    u_char           *p, *dot, *end;
    ngx_str_t         key;
    kz_json_val_t     name;

    key = member->key;

    if (member->escaped) {
        name.type = KZ_JSON_STRING;
        name.escaped = 1;
        name.raw.data = key.data - 1;
        name.raw.len = key.len + 2;

        if (kz_value_text(&name, &m->scratch, &key) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    p = key.data;
    end = p + key.len;

    if (ngx_strlchr(p, end, '.') == NULL) {
        return NGX_OK;
    }

    for ( ;; ) {
        dot = ngx_strlchr(p, end, '.');

        if (dot == NULL) {
            dot = end;
        }

        for (path = path->first; path != NULL; path = path->next) {
            if (path->name.len == (size_t) (dot - p)
                && ngx_memcmp(path->name.data, p, dot - p) == 0)
            {
                break;
            }
        }

        if (path == NULL) {
            return NGX_OK;
        }

        if (dot == end) {
            return kz_match_value(m, path, &member->val);
        }

        p = dot + 1;
    }
}


static ngx_int_t
kz_match_value(kz_match_t *m, kz_match_path_t *path, const kz_json_val_t *v)
{
    kz_leaf_t         *leaf;
    kz_json_val_t      item;
    kz_json_iter_t     it;

    if (v->type == KZ_JSON_ARRAY) {

        kz_json_iter(&it, v);

        while (kz_json_next(&it, &item) == NGX_OK) {
            if (kz_match_value(m, path, &item) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    for (leaf = path->leaves; leaf != NULL; leaf = leaf->next) {

        /* one value that holds is enough, but for a sort key */

        if (leaf->hit && leaf->type != KZ_LEAF_SORT) {
            continue;
        }

        if ((leaf->field != NULL ? kz_match_leaf(m, leaf, v)
                                 : kz_match_unmapped(m, leaf, v))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (v->type == KZ_JSON_OBJECT && path->first != NULL) {
        return kz_match_object(m, path, v);
    }

    return NGX_OK;
}


static ngx_int_t
kz_match_leaf(kz_match_t *m, kz_leaf_t *leaf, const kz_json_val_t *v)
{
    ngx_int_t           rc;
    kz_value_t          value;
    const kz_field_t   *f;

    f = leaf->field;

    rc = kz_value_read(f, v, &m->scratch, &value, NULL);

    if (rc != NGX_OK) {
        return (rc == NGX_ABORT) ? NGX_ERROR : NGX_OK;
    }

    if (f->type == KZ_FIELD_TEXT) {
        return kz_match_words(leaf, &value.text);
    }

    /* what is too long for the index is not found in the text either */

    if (value.type == KZ_VALUE_TEXT
        && (!kz_value_indexed(f, &value.text)
            || value.text.len > KZ_MAPPING_MAX_KEYWORD))
    {
        return NGX_OK;
    }

    return kz_match_test(leaf, &value);
}


/* A field the mapping does not know: by the type of its JSON. */
static ngx_int_t
kz_match_unmapped(kz_match_t *m, kz_leaf_t *leaf, const kz_json_val_t *v)
{
    ngx_int_t          rc;
    kz_value_t         value;
    kz_json_iter_t     it;
    kz_json_member_t   member;

    switch (v->type) {

    case KZ_JSON_NULL:
        return NGX_OK;

    case KZ_JSON_OBJECT:
        if (leaf->type == KZ_LEAF_EXISTS) {
            kz_json_iter(&it, v);

            if (kz_json_next_member(&it, &member) == NGX_OK) {
                leaf->hit = 1;
            }
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


static ngx_int_t
kz_match_test(kz_leaf_t *leaf, const kz_value_t *v)
{
    ngx_int_t    rc;
    ngx_str_t   *prefix;
    ngx_uint_t   a, b, i;

    switch (leaf->type) {

    case KZ_LEAF_EXISTS:
        leaf->hit = 1;
        return NGX_OK;

    case KZ_LEAF_SORT:
        return kz_match_key(leaf, v);

    case KZ_LEAF_RANGE:
        leaf->hit = kz_match_range(leaf, v);
        return NGX_OK;

    case KZ_LEAF_PREFIX:
        prefix = &leaf->values[0].text;

        leaf->hit = (v->type == KZ_VALUE_TEXT && v->text.len >= prefix->len
                     && ngx_memcmp(v->text.data, prefix->data, prefix->len)
                        == 0);
        return NGX_OK;

    default:  /* KZ_LEAF_VALUES */
        break;
    }

    a = 0;
    b = leaf->nvalues;

    while (a < b) {
        i = (a + b) / 2;
        rc = kz_value_cmp(v, &leaf->values[i]);

        if (rc == 0) {
            leaf->hit = 1;
            return NGX_OK;
        }

        if (rc < 0) {
            b = i;

        } else {
            a = i + 1;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_match_range(const kz_leaf_t *leaf, const kz_value_t *v)
{
    ngx_int_t          rc;
    ngx_uint_t         text;
    const kz_value_t  *bound;

    text = (v->type == KZ_VALUE_TEXT);

    bound = &leaf->lower;

    if (bound->type != 0) {
        rc = kz_value_cmp(v, bound);

        if ((bound->type == KZ_VALUE_TEXT) != text || rc < 0
            || (rc == 0 && !leaf->lower_in))
        {
            return 0;
        }
    }

    bound = &leaf->upper;

    if (bound->type != 0) {
        rc = kz_value_cmp(v, bound);

        if ((bound->type == KZ_VALUE_TEXT) != text || rc > 0
            || (rc == 0 && !leaf->upper_in))
        {
            return 0;
        }
    }

    return 1;
}


/* The least or the greatest of the document's values. */
static ngx_int_t
kz_match_key(kz_leaf_t *leaf, const kz_value_t *v)
{
    size_t      size;
    u_char     *p;
    ngx_int_t   rc;

    if (leaf->hit) {
        rc = kz_value_cmp(v, &leaf->key);

        if (leaf->max ? rc <= 0 : rc >= 0) {
            return NGX_OK;
        }
    }

    leaf->hit = 1;
    leaf->key = *v;

    if (v->type != KZ_VALUE_TEXT) {
        return NGX_OK;
    }

    if (v->text.len > leaf->size) {
        size = ngx_max(v->text.len, 64);

        p = realloc(leaf->buf, size);
        if (p == NULL) {
            return NGX_ERROR;
        }

        leaf->buf = p;
        leaf->size = size;
    }

    if (v->text.len != 0) {
        ngx_memcpy(leaf->buf, v->text.data, v->text.len);
    }

    leaf->key.text.data = leaf->buf;

    return NGX_OK;
}


static ngx_uint_t
kz_match_cond(const kz_cond_t *c, const ngx_str_t *id, double *score)
{
    ngx_int_t    rc;
    ngx_uint_t   a, b, i, hit;

    switch (c->type) {

    case KZ_COND_ALL:
        hit = 1;
        break;

    case KZ_COND_LEAF:
        hit = c->leaf->hit;
        break;

    case KZ_COND_BOOL:
        hit = kz_match_bool(c, id, score);
        break;

    case KZ_COND_IDS:
        hit = 0;
        a = 0;
        b = c->nids;

        while (a < b) {
            i = (a + b) / 2;
            rc = kz_text_cmp(id, &c->ids[i]);

            if (rc == 0) {
                hit = 1;
                break;
            }

            if (rc < 0) {
                b = i;

            } else {
                a = i + 1;
            }
        }

        break;

    default:  /* KZ_COND_NONE */
        return 0;
    }

    if (hit) {
        *score += c->boost;
    }

    return hit;
}


static ngx_uint_t
kz_match_bool(const kz_cond_t *c, const ngx_str_t *id, double *score)
{
    double              sum;
    ngx_uint_t          n;
    const kz_cond_t    *child;

    sum = 0;

    for (child = c->none; child != NULL; child = child->next) {
        if (kz_match_cond(child, id, &sum)) {
            return 0;
        }
    }

    sum = 0;

    for (child = c->all; child != NULL; child = child->next) {
        if (!kz_match_cond(child, id, &sum)) {
            return 0;
        }
    }

    n = 0;

    for (child = c->any; child != NULL; child = child->next) {
        n += kz_match_cond(child, id, &sum);
    }

    if (n < c->minimum) {
        return 0;
    }

    *score += sum;

    return 1;
}


void
kz_match_free(kz_match_t *m)
{
    kz_leaf_t  *leaf;

    for (leaf = m->leaves; leaf != NULL; leaf = leaf->all) {
        free(leaf->buf);
        leaf->buf = NULL;
        leaf->size = 0;
    }

    kz_scratch_free(&m->scratch);
}
