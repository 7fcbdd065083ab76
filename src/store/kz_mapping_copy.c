
/*
 * copy_to: the values of a field are those of others, too.  And which fields
 * are seen from where, nested objects being documents of their own.
 */

#include "store/kz_mapping_node.h"


static ngx_int_t kz_copies_level(kz_mapping_t *m, kz_mapping_node_t *node,
    kz_mapping_err_t *err);
static ngx_int_t kz_copies_node(kz_mapping_t *m, kz_mapping_node_t *node,
    const kz_json_val_t *v, kz_mapping_err_t *err);
static ngx_int_t kz_copies_add(kz_mapping_t *m, kz_mapping_node_t *node,
    kz_field_t *f);
static ngx_uint_t kz_copies_inside(const kz_mapping_node_t *nested,
    const kz_mapping_node_t *target);


ngx_int_t
kz_mapping_copies(kz_mapping_t *m, kz_mapping_err_t *err)
{
    return kz_copies_level(m, m->root, err);
}


static ngx_int_t
kz_copies_level(kz_mapping_t *m, kz_mapping_node_t *node,
    kz_mapping_err_t *err)
{
    kz_json_val_t        v, item;
    kz_json_iter_t       it;
    kz_mapping_node_t   *child;
    kz_mapping_param_t  *param;

    for (child = node->first; child != NULL; child = child->next) {

        if (kz_mapping_is_object(child)) {

            if (child->enabled
                && kz_copies_level(m, child, err) != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;
        }

        param = kz_mapping_param(child, "copy_to");

        if (param == NULL) {
            continue;
        }

        kz_json_value(param->raw.data, param->raw.data + param->raw.len, &v);

        if (v.type != KZ_JSON_ARRAY) {
            if (kz_copies_node(m, child, &v, err) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        kz_json_iter(&it, &v);

        while (kz_json_next(&it, &item) == NGX_OK) {
            if (kz_copies_node(m, child, &item, err) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* One target, with its multi-fields. */
static ngx_int_t
kz_copies_node(kz_mapping_t *m, kz_mapping_node_t *node,
    const kz_json_val_t *v, kz_mapping_err_t *err)
{
    ngx_str_t     path;
    ngx_uint_t    i;
    kz_field_t   *f;

    if (v->type != KZ_JSON_STRING) {
        kz_mapping_refuse(err, KZ_STORE_BAD_MAPPING, "properties.%V.copy_to"
                          "\n It must be the name of a field, or an array of"
                          " names.", &node->field->path);
        return NGX_ERROR;
    }

    if (kz_json_string(m->pool, v, &path) != NGX_OK) {
        kz_mapping_refuse(err, KZ_STORE_FAILED, "no memory");
        return NGX_ERROR;
    }

    f = kz_mapping_field(m, &path);

    if (f == NULL || f->multi || f->common || f == node->field
        || !kz_copies_inside(f->nested, node->field->nested))
    {
        path.len = ngx_min(path.len, 128);

        kz_mapping_refuse(err, KZ_STORE_BAD_MAPPING, "properties.%V.copy_to"
                          "\n [%V] must be another field of the mapping, and"
                          " not in other nested objects.",
                          &node->field->path, &path);
        return NGX_ERROR;
    }

    for (i = 0; i < m->nfields; i++) {

        if ((m->fields[i].path.len != f->path.len
             || ngx_memcmp(m->fields[i].path.data, f->path.data,
                           f->path.len) != 0)
            && (!m->fields[i].multi
                || m->fields[i].source.len != f->path.len
                || ngx_memcmp(m->fields[i].source.data, f->path.data,
                              f->path.len) != 0))
        {
            continue;
        }

        if (kz_copies_add(m, node, &m->fields[i]) != NGX_OK) {
            kz_mapping_refuse(err, KZ_STORE_FAILED, "no memory");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_copies_add(kz_mapping_t *m, kz_mapping_node_t *node, kz_field_t *f)
{
    ngx_str_t    *source;
    kz_field_t  **target;

    if (node->copy_to == NULL) {
        node->copy_to = ngx_array_create(m->pool, 2, sizeof(kz_field_t *));
        if (node->copy_to == NULL) {
            return NGX_ERROR;
        }
    }

    if (f->copies == NULL) {
        f->copies = ngx_array_create(m->pool, 2, sizeof(ngx_str_t));
        if (f->copies == NULL) {
            return NGX_ERROR;
        }
    }

    target = ngx_array_push(node->copy_to);
    source = ngx_array_push(f->copies);

    if (target == NULL || source == NULL) {
        return NGX_ERROR;
    }

    *target = f;
    *source = node->field->path;

    return NGX_OK;
}


/* Whether target is the nested field or inside of it; NULL: the root. */
static ngx_uint_t
kz_copies_inside(const kz_mapping_node_t *nested,
    const kz_mapping_node_t *target)
{
    if (nested == NULL) {
        return 1;
    }

    for ( /* void */ ; target != NULL; target = target->parent) {
        if (target == nested) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
kz_field_seen(const kz_field_t *f, const kz_mapping_node_t *nested)
{
    const kz_mapping_node_t  *at, *up;

    for (at = f->nested; at != nested; at = up) {

        if (at == NULL) {
            return 0;
        }

        if (at->in_root && nested == NULL) {
            return 1;
        }

        if (!at->in_parent) {
            return 0;
        }

        up = at->parent;

        while (up != NULL && up->type != KZ_FIELD_NESTED) {
            up = up->parent;
        }
    }

    return 1;
}


const kz_mapping_node_t *
kz_mapping_nested(const kz_mapping_t *m, const ngx_str_t *path)
{
    u_char                    *p, *dot, *end;
    const kz_mapping_node_t   *node;

    node = m->root;
    p = path->data;
    end = p + path->len;

    while (p <= end) {
        dot = ngx_strlchr(p, end, '.');

        if (dot == NULL) {
            dot = end;
        }

        node = kz_mapping_find(node, p, dot - p);

        if (node == NULL || !node->enabled) {
            return NULL;
        }

        p = dot + 1;
    }

    return (node->type == KZ_FIELD_NESTED) ? node : NULL;
}
