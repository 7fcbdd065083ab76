
/*
 * Sort keys: what a document is sorted by when it has several values, or
 * values in nested objects.
 *
 * A key is text, a whole number (dates and booleans, too) or a real one.
 * Distances are real numbers, in the key's unit.
 */

#include "store/kz_match_bind.h"
#include <math.h>


static ngx_int_t kz_bind_sort_field(kz_bind_t *b, kz_query_sort_t *key,
    kz_leaf_t **leaf);
static ngx_int_t kz_bind_sort_mapped(kz_bind_t *b,
    const kz_query_sort_t *key, const kz_field_t *f, kz_leaf_t **leaf);
static ngx_int_t kz_bind_sort_raw(kz_bind_t *b, const kz_query_sort_t *key,
    kz_leaf_t **leaf);
static ngx_int_t kz_bind_sort_missing(kz_bind_t *b, kz_query_sort_t *key,
    const kz_leaf_t *leaf, kz_value_t *missing);
static ngx_int_t kz_match_key_add(kz_leaf_t *leaf, const kz_value_t *v);
static int kz_match_key_cmp(const void *one, const void *two);


ngx_int_t
kz_bind_sort(kz_bind_t *b, ngx_uint_t i)
{
    kz_bind_t                  saved;
    ngx_int_t                  rc;
    kz_leaf_t                 *leaf, *nested;
    kz_query_sort_t           *key;
    const kz_mapping_node_t   *node;

    key = &b->m->keys[i];

    if (key->type == KZ_SORT_SCORE) {
        b->m->scored = 1;
    }

    if (key->type != KZ_SORT_FIELD && key->type != KZ_SORT_GEO) {
        return NGX_OK;
    }

    leaf = NULL;

    if (key->nested.len == 0) {
        rc = kz_bind_sort_field(b, key, &leaf);

    } else {
        node = kz_mapping_nested(b->m->mapping, &key->nested);

        if (node == NULL) {
            kz_bind_bad(b, "[nested] failed to find nested object under path"
                        " [%V]", &key->nested, NULL);
            return NGX_ERROR;
        }

        nested = kz_bind_enter(b, node, &key->nested, &saved);
        if (nested == NULL) {
            return NGX_ERROR;
        }

        nested->nested->mode = KZ_MODE_NONE;
        nested->nested->root = (key->filter != NULL)
                               ? kz_bind_node(b, key->filter)
                               : kz_bind_cond(b, KZ_COND_ALL);

        if (nested->nested->root == NULL) {
            return NGX_ERROR;
        }

        /* the key is the document's: it lasts longer than one object */

        b->paths = &nested->nested->keys;
        b->leaves = saved.leaves;

        rc = kz_bind_sort_field(b, key, &leaf);

        kz_bind_leave(b, &saved);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    b->m->sort[i] = leaf;

    return kz_bind_sort_missing(b, key, leaf, &b->m->missing[i]);
}


static ngx_int_t
kz_bind_sort_field(kz_bind_t *b, kz_query_sort_t *key, kz_leaf_t **leaf)
{
    kz_field_t  *f;

    switch (kz_bind_find(b, &key->field, &f)) {

    case KZ_BIND_FIELD:
        return kz_bind_sort_mapped(b, key, f, leaf);

    case KZ_BIND_NOTHING:

        /* fields of nested objects have no values outside of them */

        if (key->lenient || f != NULL) {
            return NGX_OK;
        }

        break;

    default:  /* KZ_BIND_RAW */

        if (key->type != KZ_SORT_GEO) {
            return kz_bind_sort_raw(b, key, leaf);
        }

        if (key->lenient) {
            return NGX_OK;
        }
    }

    kz_bind_bad(b, (key->type == KZ_SORT_GEO)
                   ? "failed to find mapper for [%V] for geo distance based"
                     " sort"
                   : "No mapping found for [%V] in order to sort on",
                &key->field, NULL);

    return NGX_ERROR;
}


static ngx_int_t
kz_bind_sort_mapped(kz_bind_t *b, const kz_query_sort_t *key,
    const kz_field_t *f, kz_leaf_t **leaf)
{
    kz_match_geo_t  *geo;

    if (key->type == KZ_SORT_GEO) {

        if (f->type != KZ_FIELD_GEO_POINT) {
            kz_bind_bad(b, "failed to create sort: field [%V] is not a"
                        " geo_point field, but of type [%V]", &f->path,
                        &f->type_name);
            return NGX_ERROR;
        }

    } else if (f->type == KZ_FIELD_TEXT || f->type == KZ_FIELD_OPAQUE
               || f->type == KZ_FIELD_GEO_POINT)
    {
        kz_bind_bad(b, (f->type == KZ_FIELD_GEO_POINT)
                       ? "can't sort on geo_point field without using"
                         " specific sorting feature, like geo_distance: [%V]"
                       : "sorting by field [%V] of type [%V] is not"
                         " supported: use a keyword field instead", &f->path,
                    &f->type_name);
        return NGX_ERROR;

    } else if (key->mode >= KZ_MODE_AVG
               && (f->type == KZ_FIELD_KEYWORD || f->type == KZ_FIELD_IP))
    {
        kz_bind_bad(b, "we only support AVG, MEDIAN and SUM on number based"
                    " fields, not on [%V] of type [%V]", &f->path,
                    &f->type_name);
        return NGX_ERROR;
    }

    *leaf = kz_bind_new_leaf(b, KZ_LEAF_SORT, f, &f->source);
    if (*leaf == NULL) {
        return NGX_ERROR;
    }

    (*leaf)->exact = 1;
    (*leaf)->max = key->max;
    (*leaf)->mode = key->mode;

    if (key->type != KZ_SORT_GEO) {
        return NGX_OK;
    }

    geo = ngx_pcalloc(b->pool, sizeof(kz_match_geo_t));
    if (geo == NULL) {
        return NGX_ERROR;
    }

    geo->points = key->points;
    geo->npoints = key->npoints;
    geo->unit = (key->unit > 0) ? key->unit : 1;

    (*leaf)->geo = geo;

    return NGX_OK;
}


static ngx_int_t
kz_bind_sort_raw(kz_bind_t *b, const kz_query_sort_t *key, kz_leaf_t **leaf)
{
    ngx_str_t  source;

    source = key->field;
    (void) kz_bind_alias(&key->field, &source);

    *leaf = kz_bind_new_leaf(b, KZ_LEAF_SORT, NULL, &source);
    if (*leaf == NULL) {
        return NGX_ERROR;
    }

    (*leaf)->exact = 1;
    (*leaf)->max = key->max;
    (*leaf)->mode = key->mode;

    return NGX_OK;
}


static ngx_int_t
kz_bind_sort_missing(kz_bind_t *b, kz_query_sort_t *key,
    const kz_leaf_t *leaf, kz_value_t *missing)
{
    kz_value_t  text;

    /* without a point it is infinitely far away */

    if (key->type == KZ_SORT_GEO) {
        key->first = key->desc;
        return NGX_OK;
    }

    if (key->missing.type == KZ_JSON_NONE || leaf == NULL) {
        return NGX_OK;
    }

    if (leaf->field != NULL) {
        return (kz_bind_value(b, leaf->field, &key->missing, missing, NULL)
                == NGX_OK)
               ? NGX_OK : NGX_ERROR;
    }

    if (kz_bind_raw_value(b, &key->missing, missing, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (missing->type == 0) {
        *missing = text;
    }

    return NGX_OK;
}


/* The least or the greatest of the document's values, or all together. */
ngx_int_t
kz_match_key(kz_leaf_t *leaf, const kz_value_t *v)
{
    size_t      size;
    u_char     *p;
    ngx_int_t   rc;

    if (leaf->mode >= KZ_MODE_AVG) {
        return (v->type == KZ_VALUE_TEXT) ? NGX_OK
                                          : kz_match_key_add(leaf, v);
    }

    if (leaf->hit) {
        rc = kz_value_cmp(v, &leaf->key);

        if ((leaf->mode == KZ_MODE_MAX || (leaf->mode == 0 && leaf->max))
            ? rc <= 0 : rc >= 0)
        {
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


static ngx_int_t
kz_match_key_add(kz_leaf_t *leaf, const kz_value_t *v)
{
    double       d, *keys;
    ngx_uint_t   room;

    d = (v->type == KZ_VALUE_INT) ? (double) v->i : v->d;

    if (!leaf->hit) {
        leaf->hit = 1;
        leaf->key.type = v->type;
        leaf->nkeys = 0;
        leaf->sum = 0;
    }

    if (v->type == KZ_VALUE_REAL) {
        leaf->key.type = KZ_VALUE_REAL;
    }

    leaf->sum += d;

    if (leaf->mode == KZ_MODE_MEDIAN) {

        if (leaf->nkeys == leaf->room) {
            room = leaf->room ? leaf->room * 2 : 16;

            keys = realloc(leaf->all_keys, room * sizeof(double));
            if (keys == NULL) {
                return NGX_ERROR;
            }

            leaf->all_keys = keys;
            leaf->room = room;
        }

        leaf->all_keys[leaf->nkeys] = d;
    }

    leaf->nkeys++;

    return NGX_OK;
}


/* After the last value.  Whole numbers stay whole, as in the original. */
void
kz_match_key_end(kz_leaf_t *leaf)
{
    double      d;
    ngx_uint_t  n;

    if (!leaf->hit || leaf->mode < KZ_MODE_AVG) {
        return;
    }

    n = leaf->nkeys;
    d = leaf->sum;

    if (leaf->mode == KZ_MODE_AVG) {
        d /= n;

    } else if (leaf->mode == KZ_MODE_MEDIAN) {
        qsort(leaf->all_keys, n, sizeof(double), kz_match_key_cmp);

        d = leaf->all_keys[n / 2];

        if (n % 2 == 0) {
            d = (leaf->all_keys[n / 2 - 1] + d) / 2;
        }
    }

    if (leaf->key.type == KZ_VALUE_REAL) {
        leaf->key.d = d;
        return;
    }

    d = floor(d + 0.5);

    if (d >= 9223372036854775808.0) {
        leaf->key.i = INT64_MAX;

    } else if (d < -9223372036854775808.0) {
        leaf->key.i = INT64_MIN;

    } else {
        leaf->key.i = (int64_t) d;
    }
}


static int
kz_match_key_cmp(const void *one, const void *two)
{
    const double  *a = one;
    const double  *b = two;

    return (*a > *b) - (*a < *b);
}
