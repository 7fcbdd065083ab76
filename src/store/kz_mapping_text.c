
/*
 * Mappings as text: printing one, and merging a change into one.
 */

#include "store/kz_mapping_node.h"


static void kz_mapping_print_level(const kz_mapping_node_t *node,
    ngx_uint_t how, ngx_uint_t comma, kz_out_t *out);
static void kz_mapping_print_children(const kz_mapping_node_t *node,
    const char *name, ngx_uint_t how, ngx_uint_t comma, kz_out_t *out);
static ngx_int_t kz_mapping_merge_level(ngx_pool_t *pool,
    kz_mapping_node_t *dst, const kz_mapping_node_t *src,
    kz_mapping_err_t *err);
static ngx_int_t kz_mapping_merge_node(ngx_pool_t *pool,
    kz_mapping_node_t *dst, const kz_mapping_node_t *src,
    kz_mapping_err_t *err);
static kz_mapping_node_t *kz_mapping_child(ngx_pool_t *pool,
    kz_mapping_node_t *dst, const kz_mapping_node_t *src);
static ngx_int_t kz_mapping_conflict(kz_mapping_err_t *err,
    const kz_mapping_node_t *node);


static const char  *kz_dynamic_names[] = {
    "", "\"true\"", "\"false\"", "\"strict\""
};


/* Parameters that decide what is in the index: they cannot change. */

static const char  *kz_mapping_fixed[] = {
    "type", "format", "scaling_factor", "index", "normalizer", "null_value",
    "analyzer", "enabled", NULL
};


void
kz_mapping_print(const kz_mapping_t *m, ngx_uint_t how, kz_out_t *out)
{
    const char  *dynamic;

    dynamic = kz_dynamic_names[(how == KZ_MAPPING_SHOWN) ? m->dynamic
                                                         : m->root->dynamic];
    kz_out_char(out, '{');

    if (dynamic[0] != '\0') {
        kz_out_lit(out, "\"dynamic\":");
        kz_out_bytes(out, dynamic, ngx_strlen(dynamic));
    }

    kz_mapping_print_level(m->root, how, dynamic[0] != '\0', out);

    kz_out_char(out, '}');
}


/* What stands between a node's braces; the root's dynamic was printed. */
static void
kz_mapping_print_level(const kz_mapping_node_t *node, ngx_uint_t how,
    ngx_uint_t comma, kz_out_t *out)
{
    ngx_uint_t  i;

    for (i = 0; i < node->nparams; i++) {

        if (comma) {
            kz_out_char(out, ',');
        }

        comma = 1;

        kz_out_json_str(out, &node->params[i].name);
        kz_out_char(out, ':');
        kz_out_str(out, &node->params[i].raw);
    }

    if (node->parent != NULL && node->dynamic != KZ_DYNAMIC_UNSET) {

        if (comma) {
            kz_out_char(out, ',');
        }

        comma = 1;

        kz_out_lit(out, "\"dynamic\":");
        kz_out_bytes(out, kz_dynamic_names[node->dynamic],
                     ngx_strlen(kz_dynamic_names[node->dynamic]));
    }

    if (node->props || node->parent == NULL) {
        kz_mapping_print_children(node, "properties", how, comma, out);
        comma = 1;
    }

    if (node->multi != NULL) {
        kz_mapping_print_children(node->multi, "fields", how, comma, out);
    }
}


static void
kz_mapping_print_children(const kz_mapping_node_t *node, const char *name,
    ngx_uint_t how, ngx_uint_t comma, kz_out_t *out)
{
    const kz_mapping_node_t  *child;

    if (comma) {
        kz_out_char(out, ',');
    }

    kz_out_json(out, (const u_char *) name, ngx_strlen(name));
    kz_out_lit(out, ":{");

    comma = 0;

    for (child = node->first; child != NULL; child = child->next) {

        if (child->open || (how == KZ_MAPPING_STORED && child->common)) {
            continue;
        }

        if (comma) {
            kz_out_char(out, ',');
        }

        comma = 1;

        kz_out_json_str(out, &child->name);
        kz_out_lit(out, ":{");
        kz_mapping_print_level(child, how, 0, out);
        kz_out_char(out, '}');
    }

    kz_out_char(out, '}');
}


kz_mapping_t *
kz_mapping_dup(const kz_mapping_t *m, kz_mapping_err_t *err)
{
    kz_out_t       out;
    ngx_pool_t    *pool;
    kz_dialect_e   dialect;
    kz_mapping_t  *dup;

    pool = ngx_create_pool(4096, m->pool->log);
    if (pool == NULL) {
        kz_mapping_refuse(err, KZ_STORE_FAILED, "no memory");
        return NULL;
    }

    kz_out_init(&out, pool, 4096);
    kz_mapping_print(m, KZ_MAPPING_STORED, &out);

    dialect = (m->dynamic == KZ_DYNAMIC_TRUE) ? KZ_DIALECT_1 : KZ_DIALECT_2;

    if (kz_out_failed(&out)) {
        kz_mapping_refuse(err, KZ_STORE_FAILED, "no memory");
        dup = NULL;

    } else {
        dup = kz_mapping_compile_with(out.start, kz_out_len(&out),
                                      &m->settings, dialect, m->pool->log,
                                      err);
    }

    ngx_destroy_pool(pool);

    return dup;
}


ngx_int_t
kz_mapping_merge(const kz_mapping_t *m, u_char *text, size_t len,
    ngx_pool_t *pool, ngx_str_t *out, kz_mapping_err_t *err)
{
    kz_out_t       before, after;
    ngx_int_t      rc;
    kz_mapping_t  *dst, *src;

    rc = NGX_ERROR;

    src = kz_mapping_compile_with(text, len, &m->settings, KZ_DIALECT_2,
                                  m->pool->log, err);
    if (src == NULL) {
        return NGX_ERROR;
    }

    dst = kz_mapping_dup(m, err);
    if (dst == NULL) {
        goto done;
    }

    kz_out_init(&before, pool, 4096);
    kz_mapping_print(m, KZ_MAPPING_STORED, &before);

    kz_mapping_refuse(err, KZ_STORE_FAILED, "no memory");

    if (src->root->dynamic != KZ_DYNAMIC_UNSET) {
        dst->root->dynamic = src->root->dynamic;
    }

    if (kz_mapping_merge_level(dst->pool, dst->root, src->root, err)
        != NGX_OK)
    {
        goto done;
    }

    kz_out_init(&after, pool, 4096);
    kz_mapping_print(dst, KZ_MAPPING_STORED, &after);

    if (kz_out_failed(&before) || kz_out_failed(&after)) {
        goto done;
    }

    out->data = after.start;
    out->len = kz_out_len(&after);

    rc = (out->len == kz_out_len(&before)
          && ngx_memcmp(out->data, before.start, out->len) == 0)
         ? NGX_DECLINED : NGX_OK;

done:

    if (dst != NULL) {
        kz_mapping_free(dst);
    }

    kz_mapping_free(src);

    return rc;
}


/* Parameters and children of src go into dst, which has the same type. */
static ngx_int_t
kz_mapping_merge_level(ngx_pool_t *pool, kz_mapping_node_t *dst,
    const kz_mapping_node_t *src, kz_mapping_err_t *err)
{
    ngx_uint_t           i;
    kz_mapping_node_t   *child;

    for (i = 0; i < src->nparams; i++) {
        if (kz_mapping_set(pool, dst, &src->params[i].name,
                           &src->params[i].raw)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    dst->props |= src->props;

    for (child = src->first; child != NULL; child = child->next) {

        if (!child->common
            && kz_mapping_merge_node(pool, dst, child, err) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (src->multi == NULL) {
        return NGX_OK;
    }

    if (dst->multi == NULL) {
        dst->multi = ngx_pcalloc(pool, sizeof(kz_mapping_node_t));
        if (dst->multi == NULL) {
            return NGX_ERROR;
        }

        dst->multi->parent = dst->parent;
        dst->multi->name = dst->name;
    }

    for (child = src->multi->first; child != NULL; child = child->next) {
        if (kz_mapping_merge_node(pool, dst->multi, child, err) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_mapping_merge_node(ngx_pool_t *pool, kz_mapping_node_t *parent,
    const kz_mapping_node_t *src, kz_mapping_err_t *err)
{
    ngx_uint_t           i;
    kz_mapping_node_t   *dst;
    kz_mapping_param_t  *a, *b;

    dst = kz_mapping_find(parent, src->name.data, src->name.len);

    if (dst == NULL) {
        dst = kz_mapping_child(pool, parent, src);
        if (dst == NULL) {
            return NGX_ERROR;
        }

        return kz_mapping_merge_level(pool, dst, src, err);
    }

    if ((dst->type == KZ_FIELD_OBJECT || dst->type == KZ_FIELD_NESTED
         || src->type == KZ_FIELD_OBJECT || src->type == KZ_FIELD_NESTED)
        && dst->type != src->type)
    {
        return kz_mapping_conflict(err, src);
    }

    for (i = 0; kz_mapping_fixed[i] != NULL; i++) {
        a = kz_mapping_param(dst, kz_mapping_fixed[i]);
        b = kz_mapping_param(src, kz_mapping_fixed[i]);

        /* "type":"object" may be left out */

        if (b == NULL
            || (i == 0 && (src->type == KZ_FIELD_OBJECT)))
        {
            continue;
        }

        if (a == NULL || a->raw.len != b->raw.len
            || ngx_memcmp(a->raw.data, b->raw.data, a->raw.len) != 0)
        {
            return kz_mapping_conflict(err, src);
        }
    }

    if (src->dynamic != KZ_DYNAMIC_UNSET) {
        dst->dynamic = src->dynamic;
    }

    return kz_mapping_merge_level(pool, dst, src, err);
}


/* An empty child like src. */
static kz_mapping_node_t *
kz_mapping_child(ngx_pool_t *pool, kz_mapping_node_t *dst,
    const kz_mapping_node_t *src)
{
    kz_mapping_node_t  *child;

    child = kz_mapping_add(pool, dst, src->name.data, src->name.len);
    if (child == NULL) {
        return NULL;
    }

    child->type = src->type;
    child->dynamic = src->dynamic;
    child->enabled = src->enabled;

    return child;
}


static ngx_int_t
kz_mapping_conflict(kz_mapping_err_t *err, const kz_mapping_node_t *node)
{
    u_char     buf[KZ_MAPPING_ERR_LEN];
    ngx_str_t  path;

    path = kz_mapping_path(node, buf);

    kz_mapping_refuse(err, KZ_STORE_MAPPING_CONFLICT, "%V", &path);

    return NGX_ERROR;
}
