
/*
 * An interval tree: finds the ranges that contain a number in the time it
 * takes to go down the tree and to name them.
 *
 * An AVL tree by lower bound; each node knows the highest upper bound of its
 * subtree, which is where a search turns back.  Its height is less than 1.45
 * log2(n), so recursion is bounded by KZ_FILTER_SPAN_HEIGHT for any number
 * of nodes that fits into memory.  Nodes are their users'.
 */

#include "realtime/kz_filter_int.h"


/* Any order will do among equal bounds, as long as it is one. */
static ngx_uint_t
kz_filter_span_less(const kz_filter_span_t *one, const kz_filter_span_t *two)
{
    if (one->range.low != two->range.low) {
        return one->range.low < two->range.low;
    }

    return (uintptr_t) one < (uintptr_t) two;
}


static ngx_int_t
kz_filter_span_height(const kz_filter_span_t *s)
{
    return (s != NULL) ? (ngx_int_t) s->height : 0;
}


static void
kz_filter_span_max(kz_filter_span_t *s, const kz_filter_span_t *child)
{
    if (child == NULL) {
        return;
    }

    if (child->max > s->max) {
        s->max = child->max;
        s->open = child->open;

    } else if (child->max == s->max) {
        s->open &= child->open;
    }
}


/* Height and maximum, from those of the children. */
static void
kz_filter_span_update(kz_filter_span_t *s)
{
    s->height = 1 + ngx_max(kz_filter_span_height(s->left),
                            kz_filter_span_height(s->right));

    s->max = s->range.high;
    s->open = s->range.below;

    kz_filter_span_max(s, s->left);
    kz_filter_span_max(s, s->right);
}


static kz_filter_span_t *
kz_filter_span_rotate_right(kz_filter_span_t *s)
{
    kz_filter_span_t  *top;

    top = s->left;
    s->left = top->right;
    top->right = s;

    kz_filter_span_update(s);
    kz_filter_span_update(top);

    return top;
}


static kz_filter_span_t *
kz_filter_span_rotate_left(kz_filter_span_t *s)
{
    kz_filter_span_t  *top;

    top = s->right;
    s->right = top->left;
    top->left = s;

    kz_filter_span_update(s);
    kz_filter_span_update(top);

    return top;
}


static kz_filter_span_t *
kz_filter_span_balance(kz_filter_span_t *s)
{
    ngx_int_t  lean;

    kz_filter_span_update(s);

    lean = kz_filter_span_height(s->left) - kz_filter_span_height(s->right);

    if (lean > 1) {
        if (kz_filter_span_height(s->left->left)
            < kz_filter_span_height(s->left->right))
        {
            s->left = kz_filter_span_rotate_left(s->left);
        }

        return kz_filter_span_rotate_right(s);
    }

    if (lean < -1) {
        if (kz_filter_span_height(s->right->right)
            < kz_filter_span_height(s->right->left))
        {
            s->right = kz_filter_span_rotate_right(s->right);
        }

        return kz_filter_span_rotate_left(s);
    }

    return s;
}


static kz_filter_span_t *
kz_filter_span_put(kz_filter_span_t *root, kz_filter_span_t *span)
{
    if (root == NULL) {
        return span;
    }

    if (kz_filter_span_less(span, root)) {
        root->left = kz_filter_span_put(root->left, span);

    } else {
        root->right = kz_filter_span_put(root->right, span);
    }

    return kz_filter_span_balance(root);
}


void
kz_filter_span_insert(kz_filter_span_t **root, kz_filter_span_t *span)
{
    span->left = NULL;
    span->right = NULL;

    kz_filter_span_update(span);

    *root = kz_filter_span_put(*root, span);
}


/* Takes the leftmost node out of a subtree. */
static kz_filter_span_t *
kz_filter_span_first(kz_filter_span_t *root, kz_filter_span_t **first)
{
    if (root->left == NULL) {
        *first = root;
        return root->right;
    }

    root->left = kz_filter_span_first(root->left, first);

    return kz_filter_span_balance(root);
}


static kz_filter_span_t *
kz_filter_span_take(kz_filter_span_t *root, kz_filter_span_t *span)
{
    kz_filter_span_t  *top, *right;

    if (root == NULL) {
        return NULL;
    }

    if (root != span) {
        if (kz_filter_span_less(span, root)) {
            root->left = kz_filter_span_take(root->left, span);

        } else {
            root->right = kz_filter_span_take(root->right, span);
        }

        return kz_filter_span_balance(root);
    }

    if (span->left == NULL) {
        return span->right;
    }

    if (span->right == NULL) {
        return span->left;
    }

    right = kz_filter_span_first(span->right, &top);

    top->left = span->left;
    top->right = right;

    return kz_filter_span_balance(top);
}


void
kz_filter_span_remove(kz_filter_span_t **root, kz_filter_span_t *span)
{
    *root = kz_filter_span_take(*root, span);
}


void
kz_filter_span_find(kz_filter_span_t *root, double num,
    kz_filter_span_pt found, void *data)
{
    ngx_uint_t         n;
    kz_filter_span_t  *s, *stack[KZ_FILTER_SPAN_HEIGHT];

    n = 0;
    s = root;

    for ( ;; ) {

        if (s == NULL || (s->open ? num >= s->max : num > s->max)) {

            if (n == 0) {
                return;
            }

            s = stack[--n];
            continue;
        }

        if (num < s->range.low) {
            s = s->left;
            continue;
        }

        if (kz_filter_in_range(&s->range, num)) {
            found(s, data);
        }

        if (s->right != NULL) {
            stack[n++] = s->right;
        }

        s = s->left;
    }
}
