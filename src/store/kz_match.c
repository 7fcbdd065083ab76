
/*
 * Evaluation of a bound query over one document: see kz_match.h.  Binding:
 * kz_match_bind.c.
 */

#include "store/kz_match_bind.h"
#include "store/kz_match_text.h"
#include "util/kz_word.h"


static ngx_int_t kz_match_dotted(kz_match_t *m, kz_match_path_t *path,
    const kz_json_member_t *member);
static ngx_int_t kz_match_value(kz_match_t *m, kz_match_path_t *path,
    const kz_json_val_t *v);
static ngx_int_t kz_match_plain(kz_match_t *m, kz_match_path_t *path,
    const kz_json_val_t *v);
static ngx_int_t kz_match_leaf(kz_match_t *m, kz_leaf_t *leaf,
    const kz_json_val_t *v);
static ngx_int_t kz_match_text(kz_leaf_t *leaf, const ngx_str_t *text);
static ngx_int_t kz_match_range(const kz_leaf_t *leaf, const kz_value_t *v);
static ngx_uint_t kz_match_among(const kz_leaf_t *leaf,
    const kz_value_t *v);
static ngx_uint_t kz_match_bool(const kz_cond_t *c, const ngx_str_t *id,
    double *score);
static ngx_uint_t kz_match_ids(const kz_cond_t *c, const ngx_str_t *id);
static void kz_match_free_leaves(kz_leaf_t *leaf);


ngx_int_t
kz_match_doc(kz_match_t *m, const ngx_str_t *id, const ngx_str_t *src,
    double *score)
{
    ngx_uint_t       i;
    kz_json_val_t    doc;

    *score = 0;

    m->id = id;

    kz_match_reset(m->leaves);

    if (m->paths != NULL) {
        kz_json_value(src->data, src->data + src->len, &doc);

        kz_text_begin(m, m->paths);

        if (doc.type == KZ_JSON_OBJECT
            && kz_match_object(m, m->paths, &doc) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (kz_text_end(m, m->paths) != NGX_OK) {
            return NGX_ERROR;
        }

        for (i = 0; i < m->nsort; i++) {
            if (m->sort[i] != NULL) {
                kz_match_key_end(m->sort[i]);
            }
        }
    }

    return kz_match_cond(m->root, id, score) ? NGX_OK : NGX_DECLINED;
}


ngx_uint_t
kz_match_post(kz_match_t *m, const ngx_str_t *id)
{
    double  score;

    score = 0;

    return m->post == NULL || kz_match_cond(m->post, id, &score);
}


void
kz_match_reset(kz_leaf_t *leaves)
{
    kz_leaf_t  *leaf;

    for (leaf = leaves; leaf != NULL; leaf = leaf->all) {
        leaf->hit = 0;
        leaf->score = 0;
    }
}


/*
 * The last one of repeated keys counts, hence the two steps.  A path is in
 * use once at a time, so its own memory serves.
 */
ngx_int_t
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


/* Points may be arrays: their leaves get the value as it is. */
static ngx_int_t
kz_match_value(kz_match_t *m, kz_match_path_t *path, const kz_json_val_t *v)
{
    kz_leaf_ref_t  *ref;

    for (ref = path->leaves; ref != NULL; ref = ref->next) {

        if (ref->leaf->field != NULL
            && ref->leaf->field->type == KZ_FIELD_GEO_POINT
            && kz_match_points(ref->leaf, v) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return kz_match_plain(m, path, v);
}


static ngx_int_t
kz_match_plain(kz_match_t *m, kz_match_path_t *path, const kz_json_val_t *v)
{
    ngx_int_t         rc;
    kz_leaf_t        *leaf;
    kz_json_val_t     item;
    kz_leaf_ref_t    *ref;
    kz_json_iter_t    it;

    if (v->type == KZ_JSON_ARRAY) {

        kz_json_iter(&it, v);

        while (kz_json_next(&it, &item) == NGX_OK) {
            if (kz_match_plain(m, path, &item) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    if (path->texts != NULL && kz_json_is_scalar(v)
        && kz_text_value(m, path, v) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (ref = path->leaves; ref != NULL; ref = ref->next) {
        leaf = ref->leaf;

        if (leaf->type == KZ_LEAF_NESTED) {
            rc = kz_match_nested(m, leaf, v);

        } else if (leaf->hit && leaf->type != KZ_LEAF_SORT) {

            /* one value that holds is enough, but for a sort key */

            continue;

        } else if (leaf->field == NULL) {
            rc = kz_match_unmapped(m, leaf, v);

        } else if (leaf->field->type == KZ_FIELD_GEO_POINT) {
            continue;

        } else {
            rc = kz_match_leaf(m, leaf, v);
        }

        if (rc != NGX_OK) {
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

    /* a text's leaves about words are not here: kz_match_text.c */

    /* what is too long for the index is not found in the text either */

    if (value.type == KZ_VALUE_TEXT
        && (!kz_value_indexed(f, &value.text)
            || value.text.len > KZ_MAPPING_MAX_KEYWORD))
    {
        return NGX_OK;
    }

    return kz_match_test(leaf, &value);
}


ngx_int_t
kz_match_test(kz_leaf_t *leaf, const kz_value_t *v)
{
    u_char      *p;
    size_t       size;
    kz_value_t   lower;

    switch (leaf->type) {

    case KZ_LEAF_EXISTS:
        leaf->hit = 1;
        return NGX_OK;

    case KZ_LEAF_SORT:
        return kz_match_key(leaf, v);

    case KZ_LEAF_RANGE:
        leaf->hit = kz_match_range(leaf, v);
        return NGX_OK;

    default:
        break;
    }

    if (leaf->nocase && v->type == KZ_VALUE_TEXT) {
        size = KZ_LOWER_ROOM(v->text.len);

        if (size > leaf->size) {
            p = realloc(leaf->buf, size);
            if (p == NULL) {
                return NGX_ERROR;
            }

            leaf->buf = p;
            leaf->size = size;
        }

        lower.type = KZ_VALUE_TEXT;
        lower.text.data = leaf->buf;
        lower.text.len = kz_lower(leaf->buf, v->text.data, v->text.len)
                         - leaf->buf;
        v = &lower;
    }

    if (leaf->type == KZ_LEAF_VALUES) {
        leaf->hit = kz_match_among(leaf, v);
        return NGX_OK;
    }

    return (v->type == KZ_VALUE_TEXT) ? kz_match_text(leaf, &v->text)
                                      : NGX_OK;
}


/* What only texts are tested for. */
static ngx_int_t
kz_match_text(kz_leaf_t *leaf, const ngx_str_t *text)
{
    ngx_str_t  *prefix;

    switch (leaf->type) {

    case KZ_LEAF_PREFIX:
        prefix = &leaf->values[0].text;

        leaf->hit = (text->len >= prefix->len
                     && (prefix->len == 0
                         || ngx_memcmp(text->data, prefix->data, prefix->len)
                            == 0));
        return NGX_OK;

    case KZ_LEAF_WILDCARD:
        leaf->hit = kz_wildcard_match(&leaf->values[0].text, text);
        return NGX_OK;

    case KZ_LEAF_REGEXP:
        leaf->hit = kz_regexp_match(leaf->regexp, text);
        return NGX_OK;

    case KZ_LEAF_FUZZY:
        leaf->hit = kz_text_fuzzy(leaf, text);
        return NGX_OK;

    default:
        return NGX_OK;
    }
}


static ngx_uint_t
kz_match_among(const kz_leaf_t *leaf, const kz_value_t *v)
{
    ngx_int_t    rc;
    ngx_uint_t   a, b, i;

    a = 0;
    b = leaf->nvalues;

    while (a < b) {
        i = (a + b) / 2;
        rc = kz_value_cmp(v, &leaf->values[i]);

        if (rc == 0) {
            return 1;
        }

        if (rc < 0) {
            b = i;

        } else {
            a = i + 1;
        }
    }

    return 0;
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


ngx_uint_t
kz_match_cond(const kz_cond_t *c, const ngx_str_t *id, double *score)
{
    switch (c->type) {

    case KZ_COND_ALL:
        break;

    case KZ_COND_LEAF:
    case KZ_COND_TEST:

        if (!c->leaf->hit) {
            return 0;
        }

        *score += c->boost * (c->leaf->weighs ? c->leaf->score : 1);
        return 1;

    case KZ_COND_NESTED:

        if (!c->leaf->hit) {
            return 0;
        }

        *score += c->boost * c->leaf->score;
        return 1;

    case KZ_COND_BOOL:

        if (!kz_match_bool(c, id, score)) {
            return 0;
        }

        break;

    case KZ_COND_IDS:

        if (!kz_match_ids(c, id)) {
            return 0;
        }

        break;

    default:  /* KZ_COND_NONE */
        return 0;
    }

    *score += c->boost;

    return 1;
}


static ngx_uint_t
kz_match_ids(const kz_cond_t *c, const ngx_str_t *id)
{
    ngx_int_t    rc;
    ngx_uint_t   a, b, i;

    a = 0;
    b = c->nids;

    while (a < b) {
        i = (a + b) / 2;
        rc = kz_text_cmp(id, &c->ids[i]);

        if (rc == 0) {
            return 1;
        }

        if (rc < 0) {
            b = i;

        } else {
            a = i + 1;
        }
    }

    return 0;
}


static ngx_uint_t
kz_match_bool(const kz_cond_t *c, const ngx_str_t *id, double *score)
{
    double              sum, one, best;
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
    best = 0;

    for (child = c->any; child != NULL; child = child->next) {
        one = 0;

        if (!kz_match_cond(child, id, &one)) {
            continue;
        }

        n++;

        if (!c->best) {
            sum += one;

        } else if (one > best) {
            sum += best * c->tie;
            best = one;

        } else {
            sum += one * c->tie;
        }
    }

    if (n < c->minimum) {
        return 0;
    }

    sum += best;

    for (child = c->less; child != NULL; child = child->next) {
        one = 0;

        if (kz_match_cond(child, id, &one)) {
            sum *= c->lessen;
        }
    }

    *score += sum * c->factor;

    return 1;
}


void
kz_match_free(kz_match_t *m)
{
    kz_match_free_leaves(m->leaves);
    kz_text_free(m);
    kz_scratch_free(&m->scratch);
}


static void
kz_match_free_leaves(kz_leaf_t *leaf)
{
    for ( /* void */ ; leaf != NULL; leaf = leaf->all) {

        if (leaf->nested != NULL) {
            kz_match_free_leaves(leaf->nested->leaves);
        }

        free(leaf->buf);
        leaf->buf = NULL;
        leaf->size = 0;

        free(leaf->all_keys);
        leaf->all_keys = NULL;
        leaf->room = 0;
    }
}
