
/*
 * Binding, the part below the clauses: fields as the mapping knows them,
 * values as fields have them, leaves on the tree of paths.
 */

#include "store/kz_match_bind.h"
#include "store/kz_date.h"
#include "util/kz_word.h"


static ngx_int_t kz_bind_hang(kz_bind_t *b, kz_leaf_t *leaf,
    const ngx_str_t *path);
static ngx_int_t kz_bind_read(kz_bind_t *b, const kz_field_t *f,
    const kz_json_val_t *json, kz_scratch_t *scratch, kz_value_t *v,
    int64_t *last);
static void kz_bind_wrong(kz_bind_t *b, const kz_field_t *f,
    const kz_json_val_t *json);
static ngx_uint_t kz_bind_around(kz_bind_t *b,
    const kz_mapping_node_t *node);


kz_bind_e
kz_bind_find(kz_bind_t *b, const ngx_str_t *path, kz_field_t **f)
{
    u_char                    *p, *dot, *end;
    const kz_mapping_node_t   *node;

    *f = kz_mapping_field(b->m->mapping, path);

    if (*f != NULL) {
        return kz_field_seen(*f, b->nested) ? KZ_BIND_FIELD
                                            : KZ_BIND_NOTHING;
    }

    if (b->m->mapping->given) {
        return KZ_BIND_NOTHING;
    }

    /* what the mapping keeps away from searches stays so */

    node = b->m->mapping->root;
    p = path->data;
    end = p + path->len;

    while (p <= end) {
        dot = ngx_strlchr(p, end, '.');

        if (dot == NULL) {
            dot = end;
        }

        node = kz_mapping_find(node, p, dot - p);

        if (node == NULL) {
            break;
        }

        if (!node->enabled || node->common
            || (node->type == KZ_FIELD_NESTED && !kz_bind_around(b, node)))
        {
            return KZ_BIND_NOTHING;
        }

        if (node == b->nested) {
            return (dot == end) ? KZ_BIND_NOTHING : KZ_BIND_RAW;
        }

        p = dot + 1;
    }

    return (b->nested == NULL) ? KZ_BIND_RAW : KZ_BIND_NOTHING;
}


/* Whether the node is the nested field the binding is inside of, or holds
 * it. */
static ngx_uint_t
kz_bind_around(kz_bind_t *b, const kz_mapping_node_t *node)
{
    const kz_mapping_node_t  *up;

    for (up = b->nested; up != NULL; up = up->parent) {
        if (up == node) {
            return 1;
        }
    }

    return 0;
}


/* "name.keyword" of an unmapped field is "name" as a whole. */
ngx_uint_t
kz_bind_alias(const ngx_str_t *path, ngx_str_t *source)
{
    size_t  n;

    n = sizeof(".keyword") - 1;

    if (path->len <= n
        || ngx_memcmp(path->data + path->len - n, ".keyword", n) != 0)
    {
        return 0;
    }

    source->data = path->data;
    source->len = path->len - n;

    return 1;
}


kz_cond_t *
kz_bind_cond(kz_bind_t *b, kz_cond_type_e type)
{
    kz_cond_t  *c;

    c = ngx_pcalloc(b->pool, sizeof(kz_cond_t));

    if (c != NULL) {
        c->type = type;
        c->factor = 1;
    }

    return c;
}


kz_cond_t *
kz_bind_either(kz_bind_t *b, kz_cond_t *one, kz_cond_t *two)
{
    kz_cond_t  *c;

    c = kz_bind_cond(b, KZ_COND_BOOL);

    if (c != NULL) {
        c->minimum = 1;
        c->any = one;
        one->next = two;
    }

    return c;
}


/* A condition that is one leaf; path == NULL: the field's own. */
kz_cond_t *
kz_bind_test(kz_bind_t *b, kz_leaf_type_e type, const kz_field_t *f,
    const ngx_str_t *path)
{
    kz_cond_t  *c;

    c = kz_bind_cond(b, KZ_COND_LEAF);
    if (c == NULL) {
        return NULL;
    }

    c->leaf = kz_bind_new_leaf(b, type, f, path ? path : &f->source);

    return (c->leaf == NULL) ? NULL : c;
}


kz_leaf_t *
kz_bind_new_leaf(kz_bind_t *b, kz_leaf_type_e type, const kz_field_t *f,
    const ngx_str_t *path)
{
    ngx_str_t    *copy;
    kz_leaf_t    *leaf;
    ngx_uint_t    i;

    leaf = ngx_pcalloc(b->pool, sizeof(kz_leaf_t));
    if (leaf == NULL) {
        return NULL;
    }

    leaf->type = type;
    leaf->field = f;
    leaf->all = *b->leaves;
    *b->leaves = leaf;

    if (kz_bind_hang(b, leaf, path) != NGX_OK) {
        return NULL;
    }

    if (f == NULL || f->copies == NULL) {
        return leaf;
    }

    copy = f->copies->elts;

    for (i = 0; i < f->copies->nelts; i++) {
        if (kz_bind_hang(b, leaf, &copy[i]) != NGX_OK) {
            return NULL;
        }
    }

    return leaf;
}


static ngx_int_t
kz_bind_hang(kz_bind_t *b, kz_leaf_t *leaf, const ngx_str_t *path)
{
    u_char            *p, *dot, *end;
    kz_leaf_ref_t     *ref;
    kz_match_path_t   *node, *child;

    if (*b->paths == NULL) {
        *b->paths = ngx_pcalloc(b->pool, sizeof(kz_match_path_t));
        if (*b->paths == NULL) {
            return NGX_ERROR;
        }
    }

    node = *b->paths;
    p = path->data + ngx_min(b->strip, path->len);
    end = path->data + path->len;

    while (p <= end) {
        dot = ngx_strlchr(p, end, '.');

        if (dot == NULL) {
            dot = end;
        }

        for (child = node->first; child != NULL; child = child->next) {
            if (child->name.len == (size_t) (dot - p)
                && ngx_memcmp(child->name.data, p, dot - p) == 0)
            {
                break;
            }
        }

        if (child == NULL) {
            child = ngx_pcalloc(b->pool, sizeof(kz_match_path_t));
            if (child == NULL) {
                return NGX_ERROR;
            }

            child->name.data = p;
            child->name.len = dot - p;
            child->next = node->first;
            node->first = child;
        }

        node = child;
        p = dot + 1;
    }

    ref = ngx_palloc(b->pool, sizeof(kz_leaf_ref_t));
    if (ref == NULL) {
        return NGX_ERROR;
    }

    ref->leaf = leaf;
    ref->next = node->leaves;
    node->leaves = ref;

    return NGX_OK;
}


ngx_int_t
kz_bind_room(kz_bind_t *b, kz_leaf_t *leaf, ngx_uint_t n)
{
    leaf->values = ngx_pcalloc(b->pool, (n + 1) * sizeof(kz_value_t));

    return (leaf->values == NULL) ? NGX_ERROR : NGX_OK;
}


/*
 * Numbers are not cut to the field's range here: a search for 1.5 in whole
 * numbers finds nothing, from 1.5 on it starts with 2.
 */
ngx_int_t
kz_bind_value(kz_bind_t *b, const kz_field_t *f, const kz_json_val_t *json,
    kz_value_t *v, int64_t *last)
{
    ngx_int_t       rc;
    ngx_str_t       text;
    kz_scratch_t    scratch;

    ngx_memzero(&scratch, sizeof(kz_scratch_t));
    ngx_memzero(v, sizeof(kz_value_t));

    rc = kz_bind_read(b, f, json, &scratch, v, last);

    if (rc == NGX_OK && v->type == KZ_VALUE_TEXT) {
        text = v->text;

        v->text.data = ngx_pnalloc(b->pool, text.len + 1);

        if (v->text.data == NULL) {
            rc = NGX_ABORT;

        } else if (text.len != 0) {
            ngx_memcpy(v->text.data, text.data, text.len);
        }
    }

    kz_scratch_free(&scratch);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_ABORT) {
        return NGX_ERROR;
    }

    kz_bind_wrong(b, f, json);

    return NGX_DECLINED;
}


static ngx_int_t
kz_bind_read(kz_bind_t *b, const kz_field_t *f, const kz_json_val_t *json,
    kz_scratch_t *scratch, kz_value_t *v, int64_t *last)
{
    ngx_int_t      rc;
    ngx_str_t      text;
    kz_value_t     whole;
    kz_field_t     loose;

    loose = *f;
    loose.null_value.type = KZ_JSON_NONE;

    switch (f->type) {

    case KZ_FIELD_LONG:
    case KZ_FIELD_INTEGER:
    case KZ_FIELD_SHORT:
    case KZ_FIELD_BYTE:
        loose.type = KZ_FIELD_DOUBLE;
        break;

    default:
        break;
    }

    rc = kz_value_read(&loose, json, scratch, v, last);

    /* whole numbers of more digits than a double has */

    if (rc == NGX_OK && loose.type != f->type) {
        loose.type = KZ_FIELD_LONG;

        if (kz_value_read(&loose, json, scratch, &whole, NULL) == NGX_OK
            && (double) whole.i == v->d)
        {
            *v = whole;
        }
    }

    if (rc != NGX_ERROR || f->type != KZ_FIELD_DATE
        || json->type != KZ_JSON_STRING)
    {
        return rc;
    }

    if (kz_value_text(json, scratch, &text) != NGX_OK) {
        return NGX_ABORT;
    }

    v->type = KZ_VALUE_INT;

    if (kz_date_math(f->formats, text.data, text.len, b->now, 0, 0, &v->i)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (last != NULL
        && kz_date_math(f->formats, text.data, text.len, b->now, 1, 0, last)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* In the engine's manner. */
static void
kz_bind_wrong(kz_bind_t *b, const kz_field_t *f, const kz_json_val_t *json)
{
    ngx_str_t  text;

    text = json->raw;

    if (json->type == KZ_JSON_STRING) {
        text.data++;
        text.len -= 2;
    }

    text.len = ngx_min(text.len, 64);

    switch (f->type) {

    case KZ_FIELD_IP:
        kz_mapping_refuse(b->err, KZ_STORE_BAD_QUERY, "failed to create"
                          " query: '%V' is not an IP string literal. (field"
                          " [%V])", &text, &f->path);
        return;

    case KZ_FIELD_BOOLEAN:
        kz_mapping_refuse(b->err, KZ_STORE_BAD_QUERY, "failed to create"
                          " query: Can't parse boolean value [%V], expected"
                          " [true] or [false] (field [%V])", &text, &f->path);
        return;

    case KZ_FIELD_DATE:
        kz_mapping_refuse(b->err, KZ_STORE_BAD_QUERY, "failed to parse date"
                          " field [%V] (field [%V])", &text, &f->path);
        return;

    default:
        text = json->raw;
        text.len = ngx_min(text.len, 64);

        kz_mapping_refuse(b->err, KZ_STORE_BAD_QUERY,
                          "failed to create query: %V is not a value for"
                          " field [%V] of type [%V]", &text, &f->path,
                          &f->type_name);
    }
}


ngx_int_t
kz_bind_operand(kz_bind_t *b, const kz_query_node_t *node, kz_json_val_t *v)
{
    kz_out_t  o;

    if (node->text.data == NULL && node->nvalues != 0) {
        *v = node->values[0];
        return NGX_OK;
    }

    kz_out_init(&o, b->pool, node->text.len + 16);
    kz_out_json(&o, node->text.data, node->text.len);

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    kz_json_value(o.start, o.pos, v);

    return NGX_OK;
}


/* A value for an unmapped field; number->type is 0 when it is none. */
ngx_int_t
kz_bind_raw_value(kz_bind_t *b, const kz_json_val_t *json,
    kz_value_t *number, kz_value_t *text)
{
    kz_field_t      f;
    kz_scratch_t    scratch;

    ngx_memzero(number, sizeof(kz_value_t));
    ngx_memzero(text, sizeof(kz_value_t));

    text->type = KZ_VALUE_TEXT;

    if (kz_bind_text(b, json, &text->text) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&f, sizeof(kz_field_t));
    ngx_memzero(&scratch, sizeof(kz_scratch_t));

    f.type = KZ_FIELD_DOUBLE;

    if (json->type == KZ_JSON_NUMBER
        && kz_json_int(json, &number->i) == NGX_OK)
    {
        number->type = KZ_VALUE_INT;

    } else if (kz_value_read(&f, json, &scratch, number, NULL) != NGX_OK) {
        number->type = 0;
    }

    kz_scratch_free(&scratch);

    return NGX_OK;
}


ngx_int_t
kz_bind_text(kz_bind_t *b, const kz_json_val_t *json, ngx_str_t *text)
{
    if (json->type != KZ_JSON_STRING) {
        *text = json->raw;
        return NGX_OK;
    }

    return kz_json_string(b->pool, json, text);
}


ngx_int_t
kz_bind_lower(kz_bind_t *b, ngx_str_t *text)
{
    u_char  *p;

    p = ngx_pnalloc(b->pool, KZ_LOWER_ROOM(text->len));
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->len = kz_lower(p, text->data, text->len) - p;
    text->data = p;

    return NGX_OK;
}


void
kz_bind_bad(kz_bind_t *b, const char *fmt, const ngx_str_t *one,
    const ngx_str_t *two)
{
    ngx_str_t  path;

    path = *one;
    path.len = ngx_min(path.len, 256);

    kz_mapping_refuse(b->err, KZ_STORE_BAD_QUERY, fmt, &path, two);
}


int
kz_bind_cmp(const void *one, const void *two)
{
    return (int) kz_value_cmp(one, two);
}


int
kz_bind_text_cmp(const void *one, const void *two)
{
    return (int) kz_text_cmp(one, two);
}
