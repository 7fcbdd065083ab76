
/*
 * Nested objects: each is matched by itself, as if it were a document.
 */

#include "store/kz_match_bind.h"
#include "store/kz_match_text.h"


static ngx_int_t kz_match_nested_one(kz_match_t *m, kz_leaf_t *leaf,
    const kz_json_val_t *v);


kz_cond_t *
kz_bind_nested(kz_bind_t *b, const kz_query_node_t *node)
{
    kz_bind_t                  saved;
    kz_cond_t                 *c;
    kz_leaf_t                 *leaf;
    const kz_mapping_node_t   *nested, *up;

    nested = kz_mapping_nested(b->m->mapping, &node->field);

    for (up = nested; up != NULL && up != b->nested; up = up->parent) {
        /* void */
    }

    if (nested == NULL || up != b->nested) {

        if (node->ignore) {
            return kz_bind_cond(b, KZ_COND_NONE);
        }

        kz_bind_bad(b, "[nested] failed to find nested object under path"
                    " [%V]", &node->field, NULL);
        return NULL;
    }

    /* inside of these objects already */

    if (nested == b->nested) {
        return kz_bind_node(b, node->all);
    }

    c = kz_bind_cond(b, KZ_COND_NESTED);
    leaf = kz_bind_enter(b, nested, &node->field, &saved);

    if (c == NULL || leaf == NULL) {
        return NULL;
    }

    leaf->nested->mode = node->mode;
    leaf->nested->root = kz_bind_node(b, node->all);

    kz_bind_leave(b, &saved);

    if (leaf->nested->root == NULL) {
        return NULL;
    }

    c->leaf = leaf;
    c->boost = node->boost;

    if (node->mode != KZ_MODE_NONE) {
        b->m->scored = 1;
    }

    return c;
}


kz_leaf_t *
kz_bind_enter(kz_bind_t *b, const kz_mapping_node_t *nested,
    const ngx_str_t *path, kz_bind_t *saved)
{
    kz_leaf_t  *leaf;

    *saved = *b;

    leaf = kz_bind_new_leaf(b, KZ_LEAF_NESTED, NULL, path);
    if (leaf == NULL) {
        return NULL;
    }

    leaf->nested = ngx_pcalloc(b->pool, sizeof(kz_nested_t));
    if (leaf->nested == NULL) {
        return NULL;
    }

    b->nested = nested;
    b->strip = path->len + 1;
    b->paths = &leaf->nested->paths;
    b->leaves = &leaf->nested->leaves;

    return leaf;
}


void
kz_bind_leave(kz_bind_t *b, const kz_bind_t *saved)
{
    b->nested = saved->nested;
    b->strip = saved->strip;
    b->paths = saved->paths;
    b->leaves = saved->leaves;
}


/* An object of the field; arrays were taken apart. */
ngx_int_t
kz_match_nested(kz_match_t *m, kz_leaf_t *leaf, const kz_json_val_t *v)
{
    if (v->type != KZ_JSON_OBJECT) {
        return NGX_OK;
    }

    return kz_match_nested_one(m, leaf, v);
}


static ngx_int_t
kz_match_nested_one(kz_match_t *m, kz_leaf_t *leaf, const kz_json_val_t *v)
{
    double         score;
    kz_nested_t   *n;

    static ngx_str_t  none = ngx_null_string;

    n = leaf->nested;

    kz_match_reset(n->leaves);

    if (n->paths != NULL) {
        kz_text_begin(m, n->paths);

        if (kz_match_object(m, n->paths, v) != NGX_OK
            || kz_text_end(m, n->paths) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    score = 0;

    if (!kz_match_cond(n->root, (m->id != NULL) ? m->id : &none, &score)) {
        return NGX_OK;
    }

    if (n->keys != NULL) {
        return kz_match_object(m, n->keys, v);
    }

    if (leaf->hit) {
        n->best = (n->mode == KZ_MODE_MIN) ? ngx_min(n->best, score)
                                           : ngx_max(n->best, score);
        n->sum += score;
        n->n++;

    } else {
        leaf->hit = 1;
        n->best = score;
        n->sum = score;
        n->n = 1;
    }

    switch (n->mode) {

    case KZ_MODE_NONE:
        leaf->score = 0;
        break;

    case KZ_MODE_SUM:
        leaf->score = n->sum;
        break;

    case KZ_MODE_MIN:
    case KZ_MODE_MAX:
        leaf->score = n->best;
        break;

    default:  /* KZ_MODE_AVG */
        leaf->score = n->sum / n->n;
    }

    return NGX_OK;
}
