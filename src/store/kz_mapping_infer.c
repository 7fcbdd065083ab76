
/*
 * The fields that dynamic "true" adds for a document.
 */

#include "store/kz_mapping_node.h"


typedef struct {
    kz_mapping_t         *m;         /* a copy, private */
    kz_mapping_err_t     *err;
    ngx_uint_t            count;     /* nodes that were added */
    ngx_uint_t            fields;    /* of those, the ones with a type */
    kz_scratch_t          text;
} kz_infer_t;


static ngx_int_t kz_infer_object(kz_infer_t *x, kz_mapping_node_t *node,
    const kz_json_val_t *v, ngx_uint_t depth);
static kz_mapping_node_t *kz_infer_node(kz_infer_t *x,
    kz_mapping_node_t *node, const ngx_str_t *name);
static ngx_int_t kz_infer_dotted(kz_infer_t *x, kz_mapping_node_t *node,
    const ngx_str_t *name, const kz_json_val_t *v, ngx_uint_t depth);
static ngx_int_t kz_infer_value(kz_infer_t *x, kz_mapping_node_t *node,
    const kz_json_val_t *v, ngx_uint_t depth);
static ngx_int_t kz_infer_type(kz_infer_t *x, kz_mapping_node_t *node,
    const kz_json_val_t *v);


ngx_int_t
kz_mapping_infer(const kz_mapping_t *m, const kz_json_val_t *doc,
    ngx_pool_t *pool, ngx_str_t *out, kz_mapping_err_t *err)
{
    kz_out_t     text;
    ngx_int_t    rc;
    kz_infer_t   x;

    ngx_memzero(&x, sizeof(kz_infer_t));

    x.err = err;

    x.m = kz_mapping_dup(m, err);
    if (x.m == NULL) {
        return NGX_ERROR;
    }

    kz_mapping_refuse(err, KZ_STORE_FAILED, "no memory");

    rc = kz_infer_object(&x, x.m->root, doc, 0);

    if (rc == NGX_OK && x.fields == 0) {
        rc = NGX_DECLINED;
    }

    if (rc == NGX_OK) {
        kz_out_init(&text, pool, 4096);
        kz_mapping_print(x.m, KZ_MAPPING_STORED, &text);

        out->data = text.start;
        out->len = kz_out_len(&text);

        rc = kz_out_failed(&text) ? NGX_ERROR : NGX_OK;
    }

    kz_scratch_free(&x.text);
    kz_mapping_free(x.m);

    return rc;
}


static ngx_int_t
kz_infer_object(kz_infer_t *x, kz_mapping_node_t *node,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_str_t            name;
    kz_json_val_t        value;
    kz_json_iter_t       it;
    kz_json_member_t     member;
    kz_mapping_node_t   *child;

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &member) == NGX_OK) {

        if (kz_walk_key(&x->text, &member, &name) != NGX_OK) {
            return NGX_ERROR;
        }

        child = kz_mapping_find(node, name.data, name.len);

        if (child == NULL) {

            if (member.val.type == KZ_JSON_NULL) {
                continue;
            }

            if (ngx_strlchr(name.data, name.data + name.len, '.') != NULL) {

                if (kz_infer_dotted(x, node, &name, &member.val, depth)
                    != NGX_OK)
                {
                    return NGX_ERROR;
                }

                continue;
            }

            if (node->rule != KZ_DYNAMIC_TRUE) {
                continue;
            }

            child = kz_infer_node(x, node, &name);
            if (child == NULL) {
                return NGX_ERROR;
            }
        }

        child->value = member.val;
    }

    for (child = node->first; child != NULL; child = child->next) {

        value = child->value;
        child->value.type = KZ_JSON_NONE;

        if (value.type != KZ_JSON_NONE
            && kz_infer_value(x, child, &value, depth) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A new node; it has no type before a value shows one. */
static kz_mapping_node_t *
kz_infer_node(kz_infer_t *x, kz_mapping_node_t *node, const ngx_str_t *name)
{
    kz_mapping_node_t  *child;

    if (name->len == 0) {
        kz_mapping_refuse(x->err, KZ_STORE_BAD_DOCUMENT,
                          "field name cannot be an empty string");
        return NULL;
    }

    if (x->m->nfields + x->count++ >= KZ_MAPPING_MAX_FIELDS) {
        kz_mapping_refuse(x->err, KZ_STORE_BAD_DOCUMENT,
                          "Limit of total fields [%d] has been exceeded",
                          KZ_MAPPING_MAX_FIELDS);
        return NULL;
    }

    child = kz_mapping_add(x->m->pool, node, name->data, name->len);

    if (child != NULL) {
        child->open = 1;
        child->rule = node->rule;
    }

    return child;
}


/* {"a.b": 1} is {"a": {"b": 1}}. */
static ngx_int_t
kz_infer_dotted(kz_infer_t *x, kz_mapping_node_t *node,
    const ngx_str_t *name, const kz_json_val_t *v, ngx_uint_t depth)
{
    u_char              *p, *dot, *end;
    ngx_str_t            part, copy;
    kz_mapping_node_t   *child;

    /* the name may lie in the scratch */

    copy.len = name->len;
    copy.data = ngx_pstrdup(x->m->pool, (ngx_str_t *) name);
    if (copy.data == NULL) {
        return NGX_ERROR;
    }

    p = copy.data;
    end = p + copy.len;

    for ( ;; ) {
        dot = ngx_strlchr(p, end, '.');

        part.data = p;
        part.len = ((dot == NULL) ? end : dot) - p;

        child = kz_mapping_find(node, part.data, part.len);

        if (child == NULL) {

            if (node->rule != KZ_DYNAMIC_TRUE) {
                return NGX_OK;
            }

            child = kz_infer_node(x, node, &part);
            if (child == NULL) {
                return NGX_ERROR;
            }
        }

        if (dot == NULL) {
            return kz_infer_value(x, child, v, depth);
        }

        if (++depth > KZ_MAPPING_MAX_DEPTH) {
            kz_mapping_refuse(x->err, KZ_STORE_BAD_DOCUMENT,
                              "Limit of mapping depth [%d] has been exceeded",
                              KZ_MAPPING_MAX_DEPTH);
            return NGX_ERROR;
        }

        if (child->open) {
            child->open = 0;
            child->props = 1;
            x->fields++;
        }

        if (!kz_mapping_is_object(child) || !child->enabled) {
            return NGX_OK;
        }

        node = child;
        p = dot + 1;
    }
}


static ngx_int_t
kz_infer_value(kz_infer_t *x, kz_mapping_node_t *node,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    kz_json_val_t    value;
    kz_json_iter_t   it;

    if (!node->enabled || v->type == KZ_JSON_NULL
        || !kz_mapping_is_object(node))
    {
        return NGX_OK;
    }

    if (v->type == KZ_JSON_ARRAY) {

        kz_json_iter(&it, v);

        while (kz_json_next(&it, &value) == NGX_OK) {
            if (kz_infer_value(x, node, &value, depth) != NGX_OK) {
                return NGX_ERROR;
            }
        }

        return NGX_OK;
    }

    if (v->type != KZ_JSON_OBJECT) {
        return node->open ? kz_infer_type(x, node, v) : NGX_OK;
    }

    if (depth + 1 > KZ_MAPPING_MAX_DEPTH) {
        kz_mapping_refuse(x->err, KZ_STORE_BAD_DOCUMENT,
                          "Limit of mapping depth [%d] has been exceeded",
                          KZ_MAPPING_MAX_DEPTH);
        return NGX_ERROR;
    }

    if (node->open) {
        node->open = 0;
        node->props = 1;
        x->fields++;
    }

    return kz_infer_object(x, node, v, depth + 1);
}


static ngx_int_t
kz_infer_type(kz_infer_t *x, kz_mapping_node_t *node, const kz_json_val_t *v)
{
    size_t       i;
    ngx_str_t    raw, text;
    ngx_str_t   *name;

    static ngx_str_t  type = ngx_string("type");
    static ngx_str_t  ignore_above = ngx_string("ignore_above");
    static ngx_str_t  limit = ngx_string("256");
    static ngx_str_t  keyword = ngx_string("keyword");
    static ngx_str_t  names[] = {
        ngx_string("\"boolean\""), ngx_string("\"long\""),
        ngx_string("\"float\""), ngx_string("\"date\""),
        ngx_string("\"text\""), ngx_string("\"keyword\"")
    };

    raw = v->raw;

    switch (v->type) {

    case KZ_JSON_TRUE:
    case KZ_JSON_FALSE:
        name = &names[0];
        node->type = KZ_FIELD_BOOLEAN;
        break;

    case KZ_JSON_NUMBER:
        name = &names[1];
        node->type = KZ_FIELD_LONG;

        for (i = 0; i < raw.len; i++) {
            if (raw.data[i] == '.' || (raw.data[i] | 0x20) == 'e') {
                name = &names[2];
                node->type = KZ_FIELD_FLOAT;
            }
        }

        break;

    default:
        if (kz_value_text(v, &x->text, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_date_looks(text.data, text.len)) {
            name = &names[3];
            node->type = KZ_FIELD_DATE;
            break;
        }

        name = &names[4];
        node->type = KZ_FIELD_TEXT;

        node->multi = ngx_pcalloc(x->m->pool, sizeof(kz_mapping_node_t));
        if (node->multi == NULL) {
            return NGX_ERROR;
        }

        node->multi->parent = node->parent;
        node->multi->name = node->name;

        x->count++;
    }

    node->open = 0;
    x->fields++;

    if (kz_mapping_set(x->m->pool, node, &type, name) != NGX_OK) {
        return NGX_ERROR;
    }

    if (node->multi == NULL) {
        return NGX_OK;
    }

    node = kz_mapping_add(x->m->pool, node->multi, keyword.data,
                          keyword.len);

    if (node == NULL
        || kz_mapping_set(x->m->pool, node, &type, &names[5]) != NGX_OK
        || kz_mapping_set(x->m->pool, node, &ignore_above, &limit) != NGX_OK)
    {
        return NGX_ERROR;
    }

    node->type = KZ_FIELD_KEYWORD;

    return NGX_OK;
}
