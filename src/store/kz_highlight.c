
/*
 * What of a hit's texts is to be highlighted: options, fields, and which of
 * the query's leaves mark their words.
 *
 *   kz_highlight_doc.c    the words of a document
 *   kz_highlight_text.c   fragments of its texts
 */

#include "store/kz_highlight_text.h"
#include "store/kz_match_text.h"


static ngx_int_t kz_highlight_options(kz_highlight_t *h,
    const kz_json_val_t *spec, kz_highlight_opt_t *opt, kz_match_t **m,
    ngx_uint_t top);
static ngx_int_t kz_highlight_tag(kz_highlight_t *h, const kz_json_val_t *v,
    ngx_str_t *tag);
static ngx_int_t kz_highlight_number(kz_highlight_t *h, const ngx_str_t *key,
    const kz_json_val_t *v, ngx_uint_t *n);
static ngx_int_t kz_highlight_query(kz_highlight_t *h,
    const kz_json_val_t *v, kz_match_t **m);
static ngx_int_t kz_highlight_fields(kz_highlight_t *h,
    const kz_json_val_t *list, const kz_highlight_opt_t *opt, kz_match_t *m);
static ngx_int_t kz_highlight_named(kz_highlight_t *h,
    const kz_json_member_t *member, const kz_highlight_opt_t *opt,
    kz_match_t *m);
static ngx_int_t kz_highlight_add(kz_highlight_t *h, const ngx_str_t *name,
    const kz_field_t *field, const kz_highlight_opt_t *opt, kz_match_t *m);
static void kz_highlight_leaves(kz_highlight_field_t *f, const kz_cond_t *c,
    kz_leaf_t **leaves, ngx_uint_t *n);
static ngx_uint_t kz_highlight_takes(const kz_highlight_field_t *f,
    const kz_leaf_t *leaf);
static kz_match_path_t *kz_highlight_path(kz_match_path_t *root,
    const ngx_str_t *name);


#define kz_highlight_is(s, l)                                                 \
    ((s)->len == sizeof(l) - 1 && ngx_memcmp((s)->data, l, sizeof(l) - 1) == 0)


kz_highlight_t *
kz_highlight_create(ngx_pool_t *pool, const kz_json_val_t *spec,
    kz_match_t *m, kz_mapping_err_t *err)
{
    kz_json_val_t        fields;
    kz_highlight_t      *h;
    kz_highlight_opt_t   opt;

    kz_mapping_refuse(err, KZ_STORE_FAILED, "no memory");

    h = ngx_pcalloc(pool, sizeof(kz_highlight_t));
    if (h == NULL) {
        return NULL;
    }

    h->pool = pool;
    h->m = m;
    h->err = err;
    h->last = &h->fields;

    ngx_memzero(&opt, sizeof(kz_highlight_opt_t));
    ngx_str_set(&opt.pre, "<em>");
    ngx_str_set(&opt.post, "</em>");
    opt.size = 100;
    opt.number = 5;
    opt.same = 1;

    if (spec->type != KZ_JSON_OBJECT) {
        kz_mapping_refuse(err, KZ_STORE_BAD_QUERY,
                          "[highlight] must be an object");
        return NULL;
    }

    if (kz_json_get(spec, "fields", 6, &fields) != NGX_OK) {
        kz_mapping_refuse(err, KZ_STORE_BAD_QUERY,
                          "[highlight] needs [fields]");
        return NULL;
    }

    if (kz_highlight_options(h, spec, &opt, &m, 1) != NGX_OK
        || kz_highlight_fields(h, &fields, &opt, m) != NGX_OK)
    {
        kz_highlight_free(h);
        return NULL;
    }

    return h;
}


void
kz_highlight_free(kz_highlight_t *h)
{
    while (h->nown > 0) {
        kz_match_free(h->own[--h->nown]);
    }
}


static ngx_int_t
kz_highlight_options(kz_highlight_t *h, const kz_json_val_t *spec,
    kz_highlight_opt_t *opt, kz_match_t **m, ngx_uint_t top)
{
    ngx_int_t          rc;
    ngx_str_t          key, text;
    kz_json_iter_t     it;
    kz_json_member_t   member;

    kz_json_iter(&it, spec);

    while (kz_json_next_member(&it, &member) == NGX_OK) {
        key = member.key;
        text = member.val.raw;
        rc = NGX_OK;

        if (kz_highlight_is(&key, "pre_tags")) {
            rc = kz_highlight_tag(h, &member.val, &opt->pre);

        } else if (kz_highlight_is(&key, "post_tags")) {
            rc = kz_highlight_tag(h, &member.val, &opt->post);

        } else if (kz_highlight_is(&key, "fragment_size")) {
            rc = kz_highlight_number(h, &key, &member.val, &opt->size);

        } else if (kz_highlight_is(&key, "number_of_fragments")) {
            rc = kz_highlight_number(h, &key, &member.val, &opt->number);

        } else if (kz_highlight_is(&key, "no_match_size")) {
            rc = kz_highlight_number(h, &key, &member.val, &opt->no_match);

        } else if (kz_highlight_is(&key, "require_field_match")
                   && (member.val.type == KZ_JSON_TRUE
                       || member.val.type == KZ_JSON_FALSE))
        {
            opt->same = (member.val.type == KZ_JSON_TRUE);

        } else if (kz_highlight_is(&key, "order")
                   && (kz_highlight_is(&text, "\"score\"")
                       || kz_highlight_is(&text, "\"none\"")))
        {
            opt->by_score = kz_highlight_is(&text, "\"score\"");

        } else if (kz_highlight_is(&key, "encoder") && top
                   && (kz_highlight_is(&text, "\"html\"")
                       || kz_highlight_is(&text, "\"default\"")))
        {
            opt->html = kz_highlight_is(&text, "\"html\"");

        } else if (kz_highlight_is(&key, "highlight_query")) {
            rc = kz_highlight_query(h, &member.val, m);

        } else if ((kz_highlight_is(&key, "type")
                    && (kz_highlight_is(&text, "\"unified\"")
                        || kz_highlight_is(&text, "\"plain\"")
                        || kz_highlight_is(&text, "\"fvh\"")))
                   || (kz_highlight_is(&key, "boundary_scanner")
                       && kz_highlight_is(&text, "\"sentence\""))
                   || (kz_highlight_is(&key, "fragmenter")
                       && (kz_highlight_is(&text, "\"span\"")
                           || kz_highlight_is(&text, "\"simple\"")))
                   || (top && kz_highlight_is(&key, "fields"))
                   || kz_highlight_is(&key, "force_source"))
        {
            continue;

        } else {
            key.len = ngx_min(key.len, 64);
            text.len = ngx_min(text.len, 64);

            kz_mapping_refuse(h->err, KZ_STORE_BAD_QUERY,
                              "[highlight]: [%V] [%V] is not supported",
                              &key, &text);
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    /* a fragment of no size is the whole text, as the original has it */

    if (opt->size == 0) {
        opt->size = NGX_MAX_INT32_VALUE;
    }

    return NGX_OK;
}


/* A text, or an array: its first one. */
static ngx_int_t
kz_highlight_tag(kz_highlight_t *h, const kz_json_val_t *v, ngx_str_t *tag)
{
    kz_json_val_t    item;
    kz_json_iter_t   it;

    item = *v;

    if (v->type == KZ_JSON_ARRAY) {
        kz_json_iter(&it, v);

        if (kz_json_next(&it, &item) != NGX_OK) {
            item.type = KZ_JSON_NONE;
        }
    }

    if (item.type != KZ_JSON_STRING) {
        kz_mapping_refuse(h->err, KZ_STORE_BAD_QUERY, "[highlight]:"
                          " [pre_tags] and [post_tags] are lists of texts");
        return NGX_ERROR;
    }

    return kz_json_string(h->pool, &item, tag);
}


static ngx_int_t
kz_highlight_number(kz_highlight_t *h, const ngx_str_t *key,
    const kz_json_val_t *v, ngx_uint_t *n)
{
    int64_t  value;

    if (v->type != KZ_JSON_NUMBER || kz_json_int(v, &value) != NGX_OK
        || value < 0 || value > NGX_MAX_INT32_VALUE)
    {
        kz_mapping_refuse(h->err, KZ_STORE_BAD_QUERY,
                          "[highlight]: [%V] must be a number", key);
        return NGX_ERROR;
    }

    *n = (ngx_uint_t) value;

    return NGX_OK;
}


static ngx_int_t
kz_highlight_query(kz_highlight_t *h, const kz_json_val_t *v, kz_match_t **m)
{
    u_char         *p;
    size_t          len;
    kz_query_t     *q;
    kz_json_val_t   body;

    len = sizeof("{\"query\":}") - 1 + v->raw.len;

    p = ngx_pnalloc(h->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body.type = KZ_JSON_OBJECT;
    body.escaped = 0;
    body.raw.data = p;
    body.raw.len = len;

    p = ngx_cpymem(p, "{\"query\":", sizeof("{\"query\":") - 1);
    p = ngx_cpymem(p, v->raw.data, v->raw.len);
    *p = '}';

    if (h->nown == KZ_HIGHLIGHT_FIELDS) {
        kz_mapping_refuse(h->err, KZ_STORE_BAD_QUERY, "[highlight]: too many"
                          " [highlight_query]");
        return NGX_ERROR;
    }

    q = kz_query_parse(h->pool, &body, 1, h->err);
    if (q == NULL) {
        return NGX_ERROR;
    }

    *m = kz_match_create(h->pool, q, h->m->mapping, h->err);
    if (*m == NULL) {
        return NGX_ERROR;
    }

    h->own[h->nown++] = *m;

    return NGX_OK;
}


/* {"a": {}, "b*": {}}, or an array of such objects. */
static ngx_int_t
kz_highlight_fields(kz_highlight_t *h, const kz_json_val_t *list,
    const kz_highlight_opt_t *opt, kz_match_t *m)
{
    kz_json_val_t      item;
    kz_json_iter_t     it;
    kz_json_member_t   member;

    kz_json_iter(&it, list);

    if (list->type == KZ_JSON_ARRAY) {

        while (kz_json_next(&it, &item) == NGX_OK) {
            if (item.type != KZ_JSON_OBJECT
                || kz_highlight_fields(h, &item, opt, m) != NGX_OK)
            {
                if (item.type != KZ_JSON_OBJECT) {
                    kz_mapping_refuse(h->err, KZ_STORE_BAD_QUERY,
                                      "[highlight.fields] is an array of"
                                      " objects");
                }

                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    if (list->type != KZ_JSON_OBJECT) {
        kz_mapping_refuse(h->err, KZ_STORE_BAD_QUERY,
                          "[highlight.fields] must be an object");
        return NGX_ERROR;
    }

    while (kz_json_next_member(&it, &member) == NGX_OK) {
        if (kz_highlight_named(h, &member, opt, m) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_highlight_named(kz_highlight_t *h, const kz_json_member_t *member,
    const kz_highlight_opt_t *opt, kz_match_t *m)
{
    ngx_str_t             name;
    ngx_uint_t            i;
    kz_json_val_t         v;
    const kz_field_t     *f;
    kz_highlight_opt_t    own;

    v.type = KZ_JSON_STRING;
    v.escaped = member->escaped;
    v.raw.data = member->key.data - 1;
    v.raw.len = member->key.len + 2;

    if (kz_json_string(h->pool, &v, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    own = *opt;

    if (member->val.type != KZ_JSON_OBJECT
        || kz_highlight_options(h, &member->val, &own, &m, 0) != NGX_OK)
    {
        if (member->val.type != KZ_JSON_OBJECT) {
            name.len = ngx_min(name.len, 128);
            kz_mapping_refuse(h->err, KZ_STORE_BAD_QUERY,
                              "[highlight.fields.%V] must be an object",
                              &name);
        }

        return NGX_ERROR;
    }

    if (ngx_strlchr(name.data, name.data + name.len, '*') == NULL) {

        f = kz_mapping_field(h->m->mapping, &name);

        if (f == NULL && h->m->mapping->given) {
            return NGX_OK;
        }

        return kz_highlight_add(h, &name, f, &own, m);
    }

    for (i = 0; i < h->m->mapping->nfields; i++) {
        f = &h->m->mapping->fields[i];

        if ((f->type == KZ_FIELD_TEXT || f->type == KZ_FIELD_KEYWORD)
            && kz_wildcard_match(&name, &f->path)
            && kz_highlight_add(h, &f->path, f, &own, m) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_highlight_add(kz_highlight_t *h, const ngx_str_t *name,
    const kz_field_t *field, const kz_highlight_opt_t *opt, kz_match_t *m)
{
    ngx_uint_t             n;
    kz_highlight_field_t  *f;

    if (field != NULL && field->type != KZ_FIELD_TEXT
        && field->type != KZ_FIELD_KEYWORD)
    {
        return NGX_OK;
    }

    if (h->nfields++ == KZ_HIGHLIGHT_FIELDS) {
        kz_mapping_refuse(h->err, KZ_STORE_BAD_QUERY,
                          "[highlight.fields]: more than %d fields",
                          KZ_HIGHLIGHT_FIELDS);
        return NGX_ERROR;
    }

    f = ngx_pcalloc(h->pool, sizeof(kz_highlight_field_t));
    if (f == NULL) {
        return NGX_ERROR;
    }

    f->name = *name;
    f->field = field;
    f->m = m;
    f->opt = *opt;

    if (field == NULL && m->paths != NULL) {
        f->path = kz_highlight_path(m->paths, name);
    }

    n = 0;
    kz_highlight_leaves(f, m->root, NULL, &n);

    f->leaves = ngx_palloc(h->pool, (n + 1) * sizeof(kz_leaf_t *));
    if (f->leaves == NULL) {
        return NGX_ERROR;
    }

    kz_highlight_leaves(f, m->root, f->leaves, &f->n);

    *h->last = f;
    h->last = &f->next;

    return NGX_OK;
}


/* Leaves of conditions that let a document match, not of must_not. */
static void
kz_highlight_leaves(kz_highlight_field_t *f, const kz_cond_t *c,
    kz_leaf_t **leaves, ngx_uint_t *n)
{
    const kz_cond_t  *child;

    if (c->type == KZ_COND_LEAF || c->type == KZ_COND_TEST) {

        if (kz_highlight_takes(f, c->leaf)) {
            if (leaves != NULL) {
                leaves[*n] = c->leaf;
            }

            (*n)++;
        }

        return;
    }

    if (c->type == KZ_COND_NESTED) {
        if (c->leaf->nested->root != NULL) {
            kz_highlight_leaves(f, c->leaf->nested->root, leaves, n);
        }

        return;
    }

    if (c->type != KZ_COND_BOOL) {
        return;
    }

    for (child = c->all; child != NULL; child = child->next) {
        kz_highlight_leaves(f, child, leaves, n);
    }

    for (child = c->any; child != NULL; child = child->next) {
        kz_highlight_leaves(f, child, leaves, n);
    }
}


static ngx_uint_t
kz_highlight_takes(const kz_highlight_field_t *f, const kz_leaf_t *leaf)
{
    kz_leaf_ref_t  *l;
    kz_text_ref_t  *t;

    if (leaf->part) {
        return 0;
    }

    switch (leaf->type) {

    case KZ_LEAF_VALUES:
    case KZ_LEAF_PREFIX:
    case KZ_LEAF_WILDCARD:
    case KZ_LEAF_REGEXP:
        break;

    case KZ_LEAF_FUZZY:
    case KZ_LEAF_PHRASE:
        if (leaf->words == NULL
            || (leaf->type == KZ_LEAF_PHRASE && leaf->words->scan == NULL))
        {
            return 0;
        }

        break;

    default:
        return 0;
    }

    if (!f->opt.same) {
        return 1;
    }

    if (f->field != NULL || leaf->field != NULL) {
        return leaf->field == f->field;
    }

    if (f->path == NULL) {
        return 0;
    }

    for (l = f->path->leaves; l != NULL; l = l->next) {
        if (l->leaf == leaf) {
            return 1;
        }
    }

    for (t = f->path->texts; t != NULL; t = t->next) {

        for (l = t->scan->asked; l != NULL; l = l->next) {
            if (l->leaf == leaf) {
                return 1;
            }
        }

        for (l = t->scan->leaves; l != NULL; l = l->next) {
            if (l->leaf == leaf) {
                return 1;
            }
        }
    }

    return 0;
}


static kz_match_path_t *
kz_highlight_path(kz_match_path_t *root, const ngx_str_t *name)
{
    u_char           *p, *dot, *end;
    kz_match_path_t  *path;

    p = name->data;
    end = p + name->len;

    while (p <= end) {
        dot = ngx_strlchr(p, end, '.');

        if (dot == NULL) {
            dot = end;
        }

        for (path = root->first; path != NULL; path = path->next) {
            if (path->name.len == (size_t) (dot - p)
                && ngx_memcmp(path->name.data, p, dot - p) == 0)
            {
                break;
            }
        }

        if (path == NULL) {
            return NULL;
        }

        root = path;
        p = dot + 1;
    }

    return root;
}
