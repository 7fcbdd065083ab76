
/*
 * Binding a query to a mapping: what each clause means for the type of its
 * field.  Evaluation: kz_match.c.
 *
 * Differences between a clause and what is tested:
 *
 *   a date given as a day          is a range of milliseconds
 *   match on a text field          is a test of its words
 *   exists on an object            is any of its fields
 *   a value of an unmapped field   is tried as number and as text
 *   dis_max, boosting              are a bool with another score
 */

#include "store/kz_match_bind.h"
#include "store/kz_match_text.h"


static ngx_int_t kz_bind_roots(kz_bind_t *b, const kz_query_t *q);
static ngx_int_t kz_bind_prepare(kz_bind_t *b, kz_leaf_t *leaves,
    kz_match_path_t *paths);
static kz_cond_t *kz_bind_bool(kz_bind_t *b, const kz_query_node_t *node);
static kz_cond_t *kz_bind_list(kz_bind_t *b, const kz_query_node_t *node,
    ngx_int_t *rc);
static kz_cond_t *kz_bind_ids(kz_bind_t *b, const kz_query_node_t *node);
static kz_cond_t *kz_bind_leaf(kz_bind_t *b, const kz_query_node_t *node);
static kz_cond_t *kz_bind_pattern(kz_bind_t *b,
    const kz_query_node_t *node);
static kz_cond_t *kz_bind_missing(kz_bind_t *b,
    const kz_query_node_t *node);
static kz_cond_t *kz_bind_object(kz_bind_t *b, const kz_query_node_t *node);


kz_match_t *
kz_match_create(ngx_pool_t *pool, const kz_query_t *q,
    const kz_mapping_t *mapping, kz_mapping_err_t *err)
{
    kz_bind_t        b;
    kz_match_t      *m;
    struct timeval   tv;

    err->status = KZ_STORE_FAILED;
    ngx_str_set(&err->detail, "no memory");

    m = ngx_pcalloc(pool, sizeof(kz_match_t));
    if (m == NULL) {
        return NULL;
    }

    ngx_memzero(&b, sizeof(kz_bind_t));

    b.pool = pool;
    b.m = m;
    b.err = err;
    b.paths = &m->paths;
    b.leaves = &m->leaves;

    ngx_gettimeofday(&tv);
    b.now = (int64_t) tv.tv_sec * 1000 + tv.tv_usec / 1000;

    m->mapping = mapping;
    m->nclauses = q->nclauses;
    m->keys = q->sort;
    m->nsort = q->nsort;

    if (kz_bind_roots(&b, q) != NGX_OK
        || kz_bind_prepare(&b, m->leaves, m->paths) != NGX_OK)
    {
        kz_match_free(m);
        return NULL;
    }

    return m;
}


static ngx_int_t
kz_bind_roots(kz_bind_t *b, const kz_query_t *q)
{
    ngx_uint_t   i;
    kz_match_t  *m;

    m = b->m;

    m->root = kz_bind_node(b, q->root);
    if (m->root == NULL) {
        return NGX_ERROR;
    }

    if (q->post != NULL) {
        m->post = kz_bind_node(b, q->post);

        if (m->post == NULL) {
            return NGX_ERROR;
        }
    }

    m->sort = ngx_pcalloc(b->pool, (m->nsort + 1) * sizeof(kz_leaf_t *));
    m->missing = ngx_pcalloc(b->pool, (m->nsort + 1) * sizeof(kz_value_t));

    if (m->sort == NULL || m->missing == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < m->nsort; i++) {
        if (kz_bind_sort(b, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* Leaves that are asked word by word are moved: the last step. */
static ngx_int_t
kz_bind_prepare(kz_bind_t *b, kz_leaf_t *leaves, kz_match_path_t *paths)
{
    kz_leaf_t  *leaf;

    for (leaf = leaves; leaf != NULL; leaf = leaf->all) {

        if (leaf->nested != NULL
            && kz_bind_prepare(b, leaf->nested->leaves, leaf->nested->paths)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return (paths == NULL) ? NGX_OK : kz_text_prepare(b, paths);
}


kz_cond_t *
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
    case KZ_QUERY_DIS_MAX:
    case KZ_QUERY_BOOSTING:
        c = kz_bind_bool(b, node);
        break;

    case KZ_QUERY_IDS:
        c = kz_bind_ids(b, node);
        break;

    case KZ_QUERY_NESTED:
        return kz_bind_nested(b, node);

    default:
        if (node->pattern || kz_text_cmp(&node->field, &id) != 0) {
            return kz_bind_leaf(b, node);
        }

        if (node->type == KZ_QUERY_TERMS || node->type == KZ_QUERY_MATCH
            || node->type == KZ_QUERY_PHRASE)
        {
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

    if (node->type == KZ_QUERY_BOOSTING) {
        c->less = kz_bind_list(b, node->none, &rc);
        c->lessen = node->factor;
        b->m->scored = 1;

    } else {
        c->none = kz_bind_list(b, node->none, &rc);
    }

    c->minimum = node->minimum;

    if (node->type == KZ_QUERY_DIS_MAX) {
        c->minimum = 1;
        c->best = 1;
        c->tie = node->factor;
    }

    if (!node->scored) {
        c->factor = node->boost;
    }

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

    if (node->text.data != NULL) {
        c->ids[0] = node->text;
        c->nids = 1;

        return c;
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
    kz_cond_t   *c;
    kz_field_t  *f;

    if (node->pattern) {
        return kz_bind_pattern(b, node);
    }

    switch (kz_bind_find(b, &node->field, &f)) {

    case KZ_BIND_FIELD:

        if (node->type == KZ_QUERY_EXISTS && !f->indexed) {
            c = kz_bind_test(b, KZ_LEAF_EXISTS, NULL, &f->source);
            break;
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
        c = kz_bind_missing(b, node);
        break;

    default:
        return kz_bind_unmapped(b, node);
    }

    if (c != NULL && node->scored) {
        c->boost = node->boost;
    }

    return c;
}


/*
 * A field with wildcards stands for all the mapping has of that name, values
 * that do not fit left out; the best one scores.
 */
static kz_cond_t *
kz_bind_pattern(kz_bind_t *b, const kz_query_node_t *node)
{
    kz_cond_t               *c, *one;
    ngx_uint_t               i, n;
    kz_query_node_t          single;
    const kz_field_t        *f;

    c = kz_bind_cond(b, KZ_COND_BOOL);
    if (c == NULL) {
        return NULL;
    }

    c->minimum = 1;
    c->best = 1;
    c->tie = node->factor;

    n = 0;

    for (i = 0; i < b->m->mapping->nfields; i++) {
        f = &b->m->mapping->fields[i];

        if (!f->indexed || f->type == KZ_FIELD_GEO_POINT
            || !kz_field_seen(f, b->nested)
            || !kz_wildcard_match(&node->field, &f->path))
        {
            continue;
        }

        n += !f->common;

        single = *node;
        single.pattern = 0;
        single.lenient = 1;
        single.field = f->path;
        single.next = NULL;

        one = kz_bind_field(b, &single, f);
        if (one == NULL) {
            return NULL;
        }

        one->next = c->any;
        c->any = one;
    }

    if (n == 0 && !b->m->mapping->given && b->nested == NULL) {
        kz_bind_bad(b, "no field of the mapping matches [%V]: patterns are"
                    " supported for mapped fields only", &node->field, NULL);
        return NULL;
    }

    b->m->scored |= node->scored;

    return c;
}


/* Not there, or not seen from here. */
static kz_cond_t *
kz_bind_missing(kz_bind_t *b, const kz_query_node_t *node)
{
    switch (node->type) {

    case KZ_QUERY_EXISTS:
        return kz_bind_object(b, node);

    case KZ_QUERY_GEO_BOX:
    case KZ_QUERY_GEO_DISTANCE:
    case KZ_QUERY_GEO_POLYGON:

        if (!node->ignore
            && kz_mapping_field(b->m->mapping, &node->field) == NULL)
        {
            kz_bind_bad(b, "failed to find geo field [%V]", &node->field,
                        NULL);
            return NULL;
        }

        /* fall through */

    default:
        return kz_bind_cond(b, KZ_COND_NONE);
    }
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
               != 0
            || !kz_field_seen(f, b->nested))
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
