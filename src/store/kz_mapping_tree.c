
/*
 * The tree behind a mapping: nodes with parameters as they were written, and
 * children that are found by name through a small hash table.
 */

#include "store/kz_mapping_node.h"


void
kz_mapping_refuse(kz_mapping_err_t *err, kz_store_status_e status,
    const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(err->text, err->text + KZ_MAPPING_ERR_LEN, fmt, args);
    va_end(args);

    err->status = status;
    err->detail.data = err->text;
    err->detail.len = p - err->text;
}


/* FNV-1a */
static ngx_inline ngx_uint_t
kz_mapping_hash(const u_char *p, size_t len)
{
    uint32_t  h;

    for (h = 2166136261u; len > 0; len--) {
        h = (h ^ *p++) * 16777619u;
    }

    return h ^ (h >> 15);
}


kz_mapping_node_t *
kz_mapping_find(const kz_mapping_node_t *parent, const u_char *name,
    size_t len)
{
    ngx_uint_t           i;
    kz_mapping_node_t   *node;

    if (parent->mask == 0) {
        return NULL;
    }

    for (i = kz_mapping_hash(name, len); /* void */ ; i++) {

        node = parent->table[i & parent->mask];

        if (node == NULL
            || (node->name.len == len
                && ngx_memcmp(node->name.data, name, len) == 0))
        {
            return node;
        }
    }
}


static ngx_int_t
kz_mapping_grow(ngx_pool_t *pool, kz_mapping_node_t *parent)
{
    ngx_uint_t           i, mask;
    kz_mapping_node_t   *node, **table;

    if (parent->n * 2 < parent->mask) {
        return NGX_OK;
    }

    mask = (parent->mask == 0) ? 7 : parent->mask * 2 + 1;

    table = ngx_pcalloc(pool, (mask + 1) * sizeof(kz_mapping_node_t *));
    if (table == NULL) {
        return NGX_ERROR;
    }

    for (node = parent->first; node != NULL; node = node->next) {
        i = kz_mapping_hash(node->name.data, node->name.len);

        while (table[i & mask] != NULL) {
            i++;
        }

        table[i & mask] = node;
    }

    parent->table = table;
    parent->mask = mask;

    return NGX_OK;
}


kz_mapping_node_t *
kz_mapping_add(ngx_pool_t *pool, kz_mapping_node_t *parent,
    const u_char *name, size_t len)
{
    ngx_uint_t           i;
    kz_mapping_node_t   *node;

    node = kz_mapping_find(parent, name, len);

    if (node != NULL) {

        /* a repeated key: the last one wins, in the first one's place */

        node->type = KZ_FIELD_OBJECT;
        node->params = NULL;
        node->nparams = 0;
        node->first = NULL;
        node->last = NULL;
        node->multi = NULL;
        node->table = NULL;
        node->mask = 0;
        node->n = 0;
        node->enabled = 1;
        node->props = 0;

        return node;
    }

    if (kz_mapping_grow(pool, parent) != NGX_OK) {
        return NULL;
    }

    node = ngx_pcalloc(pool, sizeof(kz_mapping_node_t));
    if (node == NULL) {
        return NULL;
    }

    node->name.len = len;
    node->name.data = ngx_pnalloc(pool, len + 1);
    if (node->name.data == NULL) {
        return NULL;
    }

    ngx_memcpy(node->name.data, name, len);

    node->parent = parent;
    node->common = parent->common;
    node->enabled = 1;
    node->slot = parent->n++;

    if (parent->last == NULL) {
        parent->first = node;

    } else {
        parent->last->next = node;
    }

    parent->last = node;

    for (i = kz_mapping_hash(name, len);
         parent->table[i & parent->mask] != NULL;
         i++)
    {
        /* void */
    }

    parent->table[i & parent->mask] = node;

    return node;
}


kz_mapping_param_t *
kz_mapping_param(const kz_mapping_node_t *node, const char *name)
{
    ngx_uint_t  i;

    for (i = 0; i < node->nparams; i++) {
        if (node->params[i].name.len == ngx_strlen(name)
            && ngx_memcmp(node->params[i].name.data, name,
                          node->params[i].name.len)
               == 0)
        {
            return &node->params[i];
        }
    }

    return NULL;
}


ngx_int_t
kz_mapping_set(ngx_pool_t *pool, kz_mapping_node_t *node,
    const ngx_str_t *name, const ngx_str_t *raw)
{
    ngx_uint_t           i;
    kz_mapping_param_t  *params;

    for (i = 0; i < node->nparams; i++) {
        if (node->params[i].name.len == name->len
            && ngx_memcmp(node->params[i].name.data, name->data, name->len)
               == 0)
        {
            node->params[i].raw = *raw;
            return NGX_OK;
        }
    }

    if (node->nparams % 4 == 0) {
        params = ngx_palloc(pool,
                            (node->nparams + 4) * sizeof(kz_mapping_param_t));
        if (params == NULL) {
            return NGX_ERROR;
        }

        if (node->nparams != 0) {
            ngx_memcpy(params, node->params,
                       node->nparams * sizeof(kz_mapping_param_t));
        }

        node->params = params;
    }

    node->params[node->nparams].name = *name;
    node->params[node->nparams].raw = *raw;
    node->nparams++;

    return NGX_OK;
}


ngx_str_t
kz_mapping_path(const kz_mapping_node_t *node, u_char *dst)
{
    size_t                     len, n;
    u_char                    *p;
    ngx_str_t                  path;
    const kz_mapping_node_t   *up;

    len = 0;

    for (up = node; up->parent != NULL; up = up->parent) {
        len += up->name.len + (up != node);
    }

    path.data = dst;
    path.len = ngx_min(len, KZ_MAPPING_ERR_LEN);

    /* from the last name to the first; what lies beyond the end is cut */

    p = dst + len;

    for (up = node; up->parent != NULL; up = up->parent) {

        if (up != node) {
            p--;

            if ((size_t) (p - dst) < path.len) {
                *p = '.';
            }
        }

        p -= up->name.len;

        if ((size_t) (p - dst) < path.len) {
            n = ngx_min(up->name.len, path.len - (p - dst));
            ngx_memcpy(p, up->name.data, n);
        }
    }

    return path;
}
