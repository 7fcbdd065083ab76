
/*
 * The last step of compiling a mapping: the leaves of the tree become an
 * array of fields, with what their parameters mean for indexing.
 */

#include "store/kz_mapping_node.h"


static void kz_mapping_count(kz_mapping_node_t *node, kz_dynamic_e rule,
    ngx_uint_t *n);
static ngx_int_t kz_mapping_collect(kz_mapping_t *m, kz_mapping_node_t *node,
    kz_field_t *source, kz_mapping_err_t *err);
static ngx_int_t kz_mapping_one(kz_mapping_t *m, kz_mapping_node_t *node,
    kz_field_t *source, kz_mapping_err_t *err);
static ngx_int_t kz_mapping_meaning(kz_mapping_t *m,
    kz_mapping_node_t *node, kz_field_t *f, kz_mapping_err_t *err);
static ngx_int_t kz_mapping_analyzers(kz_mapping_t *m,
    kz_mapping_node_t *node, kz_field_t *f, kz_mapping_err_t *err);
static ngx_int_t kz_mapping_text_param(kz_mapping_t *m,
    kz_mapping_node_t *node, const char *name, ngx_str_t *text);
static ngx_uint_t kz_mapping_flag(const kz_mapping_node_t *node,
    const char *name, ngx_uint_t def);
static int kz_field_cmp(const void *one, const void *two);


#define kz_str_is(s, l)                                                       \
    ((s)->len == sizeof(l) - 1 && ngx_memcmp((s)->data, l, sizeof(l) - 1) == 0)


ngx_int_t
kz_mapping_finish(kz_mapping_t *m, kz_mapping_err_t *err)
{
    ngx_uint_t  i, n;

    n = 0;
    kz_mapping_count(m->root, m->dynamic, &n);

    m->fields = ngx_pcalloc(m->pool, (n + 1) * sizeof(kz_field_t));
    m->by_path = ngx_pcalloc(m->pool, (n + 1) * sizeof(kz_field_t *));

    if (m->fields == NULL || m->by_path == NULL
        || kz_mapping_collect(m, m->root, NULL, err) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < m->nfields; i++) {
        m->by_path[i] = &m->fields[i];
    }

    qsort(m->by_path, m->nfields, sizeof(kz_field_t *), kz_field_cmp);

    return kz_mapping_copies(m, err);
}


kz_field_t *
kz_mapping_field(const kz_mapping_t *m, const ngx_str_t *path)
{
    ngx_int_t    rc;
    ngx_uint_t   a, b, i;

    a = 0;
    b = m->nfields;

    while (a < b) {
        i = (a + b) / 2;

        rc = ngx_memn2cmp(path->data, m->by_path[i]->path.data, path->len,
                          m->by_path[i]->path.len);
        if (rc == 0) {
            return m->by_path[i];
        }

        if (rc < 0) {
            b = i;

        } else {
            a = i + 1;
        }
    }

    return NULL;
}


static int
kz_field_cmp(const void *one, const void *two)
{
    const kz_field_t *const  *a = one;
    const kz_field_t *const  *b = two;

    return (int) ngx_memn2cmp((*a)->path.data, (*b)->path.data,
                              (*a)->path.len, (*b)->path.len);
}


/* Rules are handed down; the number of leaves is an upper bound. */
static void
kz_mapping_count(kz_mapping_node_t *node, kz_dynamic_e rule, ngx_uint_t *n)
{
    kz_mapping_node_t  *child;

    node->rule = (node->dynamic != KZ_DYNAMIC_UNSET) ? node->dynamic : rule;

    if (node->parent != NULL) {
        node->enabled = kz_mapping_flag(node, "enabled", 1);
        node->in_parent = kz_mapping_flag(node, "include_in_parent", 0);
        node->in_root = kz_mapping_flag(node, "include_in_root", 0);
    }

    (*n)++;

    for (child = node->first; child != NULL; child = child->next) {
        kz_mapping_count(child, node->rule, n);
    }

    if (node->multi != NULL) {
        for (child = node->multi->first; child != NULL; child = child->next) {
            (*n)++;
        }
    }
}


static ngx_int_t
kz_mapping_collect(kz_mapping_t *m, kz_mapping_node_t *node,
    kz_field_t *source, kz_mapping_err_t *err)
{
    kz_mapping_node_t  *child;

    for (child = node->first; child != NULL; child = child->next) {

        if (child->type == KZ_FIELD_OBJECT
            || child->type == KZ_FIELD_NESTED)
        {
            if (!child->enabled) {
                continue;
            }

            if (kz_mapping_collect(m, child, NULL, err) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (kz_mapping_one(m, child, source, err) != NGX_OK) {
            return NGX_ERROR;
        }

        if (child->multi != NULL
            && kz_mapping_collect(m, child->multi, child->field, err)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* A leaf; source is the field it is a multi-field of, or NULL. */
static ngx_int_t
kz_mapping_one(kz_mapping_t *m, kz_mapping_node_t *node, kz_field_t *source,
    kz_mapping_err_t *err)
{
    u_char               *p;
    size_t                len;
    kz_field_t           *f;
    kz_mapping_node_t    *up;

    f = &m->fields[m->nfields];

    f->n = m->nfields++;
    f->type = node->type;
    f->common = node->common;
    f->multi = (source != NULL);

    len = 0;

    for (up = node; up->parent != NULL; up = up->parent) {
        len += up->name.len + (up != node);
    }

    f->path.data = ngx_pnalloc(m->pool, len + 1);
    if (f->path.data == NULL) {
        return NGX_ERROR;
    }

    f->path.len = len;

    p = f->path.data + len;

    for (up = node; up->parent != NULL; up = up->parent) {

        if (up != node) {
            *--p = '.';
        }

        p -= up->name.len;
        ngx_memcpy(p, up->name.data, up->name.len);
    }

    f->source = (source != NULL) ? source->path : f->path;

    for (up = node->parent; up != NULL; up = up->parent) {
        if (up->type == KZ_FIELD_NESTED) {
            f->nested = up;
            break;
        }
    }

    node->field = f;

    if (kz_mapping_text_param(m, node, "type", &f->type_name) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return kz_mapping_meaning(m, node, f, err);
}


static ngx_int_t
kz_mapping_meaning(kz_mapping_t *m, kz_mapping_node_t *node, kz_field_t *f,
    kz_mapping_err_t *err)
{
    int64_t              n;
    ngx_int_t            rc;
    ngx_str_t            text;
    kz_json_val_t        v;
    kz_mapping_param_t  *param;

    f->malformed = kz_mapping_flag(node, "ignore_malformed", 0);

    param = kz_mapping_param(node, "ignore_above");

    if (param != NULL) {
        kz_json_value(param->raw.data, param->raw.data + param->raw.len, &v);

        if (v.type != KZ_JSON_NUMBER || kz_json_int(&v, &n) != NGX_OK
            || n < 1)
        {
            goto bad;
        }

        f->ignore_above = (ngx_uint_t) n;
    }

    param = kz_mapping_param(node, "null_value");

    if (param != NULL) {
        kz_json_value(param->raw.data, param->raw.data + param->raw.len,
                      &f->null_value);
    }

    if (f->type == KZ_FIELD_SCALED_FLOAT) {
        param = kz_mapping_param(node, "scaling_factor");

        if (param == NULL) {
            kz_mapping_refuse(err, KZ_STORE_BAD_MAPPING,
                              "properties.%V.scaling_factor\n"
                              " It is required.", &f->path);
            return NGX_ERROR;
        }

        kz_json_value(param->raw.data, param->raw.data + param->raw.len, &v);

        f->scaling = (v.type == KZ_JSON_NUMBER) ? kz_json_double(&v) : 0;

        if (!(f->scaling > 0 && f->scaling < 1e100)) {
            goto bad;
        }
    }

    if (f->type == KZ_FIELD_DATE
        && kz_mapping_text_param(m, node, "format", &text) == NGX_OK)
    {
        rc = kz_date_formats(m->pool, &text, &f->formats);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            f->type = KZ_FIELD_OPAQUE;
        }
    }

    if ((f->type == KZ_FIELD_KEYWORD || f->type == KZ_FIELD_TEXT)
        && kz_mapping_analyzers(m, node, f, err) != NGX_OK)
    {
        return NGX_ERROR;
    }

    node->type = f->type;

    f->indexed = (f->type != KZ_FIELD_OPAQUE
                  && kz_mapping_flag(node, "index", 1));

    return NGX_OK;

bad:

    kz_mapping_refuse(err, KZ_STORE_BAD_MAPPING,
                      "properties.%V.%V\n The value is not allowed.",
                      &f->path, &param->name);

    return NGX_ERROR;
}


/* What a text is cut into, what an exact text is brought to. */
static ngx_int_t
kz_mapping_analyzers(kz_mapping_t *m, kz_mapping_node_t *node, kz_field_t *f,
    kz_mapping_err_t *err)
{
    int64_t               n;
    u_char                why[KZ_ANALYSIS_ERR_LEN];
    ngx_int_t             rc;
    ngx_str_t             text;
    ngx_uint_t            i;
    kz_json_val_t         v;
    const kz_analyzer_t  *z;
    kz_mapping_param_t   *param;

    static const struct {
        const char       *name;
        kz_field_type_e   type;
    } params[] = {
        { "analyzer", KZ_FIELD_TEXT },
        { "search_analyzer", KZ_FIELD_TEXT },
        { "search_quote_analyzer", KZ_FIELD_TEXT },
        { "normalizer", KZ_FIELD_KEYWORD }
    };

    f->gap = 100;

    if (f->type == KZ_FIELD_TEXT) {
        f->analyzer = kz_analysis_standard();
        f->search_analyzer = f->analyzer;
    }

    for (i = 0; i < sizeof(params) / sizeof(params[0]); i++) {

        if (params[i].type != f->type) {
            continue;
        }

        rc = kz_mapping_text_param(m, node, params[i].name, &text);

        if (rc == NGX_DECLINED) {
            continue;
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        z = (f->type == KZ_FIELD_TEXT)
            ? kz_analysis_analyzer(m->analysis, m->pool, &text, why)
            : kz_analysis_normalizer(m->analysis, m->pool, &text, why);

        if (z == NULL) {
            if (why[0] != '\0') {
                kz_mapping_refuse(err, KZ_STORE_BAD_DOCUMENT,
                                  "Failed to parse mapping: %s for field"
                                  " [%V]", why, &f->path);
            }

            return NGX_ERROR;
        }

        switch (i) {

        case 0:
            f->analyzer = z;
            f->search_analyzer = z;
            break;

        case 1:
            f->search_analyzer = z;
            break;

        case 2:
            if (z != f->search_analyzer) {
                kz_mapping_refuse(err, KZ_STORE_BAD_DOCUMENT,
                                  "search_quote_analyzer of field [%V] is"
                                  " not supported", &f->path);
                return NGX_ERROR;
            }

            break;

        default:
            f->normalizer = z;
        }
    }

    param = kz_mapping_param(node, "position_increment_gap");

    if (param == NULL) {
        return NGX_OK;
    }

    kz_json_value(param->raw.data, param->raw.data + param->raw.len, &v);

    if (v.type != KZ_JSON_NUMBER || kz_json_int(&v, &n) != NGX_OK || n < 0
        || n > 1000000)
    {
        kz_mapping_refuse(err, KZ_STORE_BAD_MAPPING,
                          "properties.%V.%V\n The value is not allowed.",
                          &f->path, &param->name);
        return NGX_ERROR;
    }

    f->gap = (uint32_t) n;

    return NGX_OK;
}


/* NGX_DECLINED: there is no such parameter, or it is not a text. */
static ngx_int_t
kz_mapping_text_param(kz_mapping_t *m, kz_mapping_node_t *node,
    const char *name, ngx_str_t *text)
{
    kz_json_val_t        v;
    kz_mapping_param_t  *param;

    param = kz_mapping_param(node, name);

    if (param == NULL || param->raw.len < 2 || param->raw.data[0] != '"') {
        return NGX_DECLINED;
    }

    kz_json_value(param->raw.data, param->raw.data + param->raw.len, &v);

    return kz_json_string(m->pool, &v, text);
}


static ngx_uint_t
kz_mapping_flag(const kz_mapping_node_t *node, const char *name,
    ngx_uint_t def)
{
    kz_mapping_param_t  *param;

    param = kz_mapping_param(node, name);

    if (param == NULL) {
        return def;
    }

    if (kz_str_is(&param->raw, "true") || kz_str_is(&param->raw, "\"true\""))
    {
        return 1;
    }

    if (kz_str_is(&param->raw, "false")
        || kz_str_is(&param->raw, "\"false\"")
        || kz_str_is(&param->raw, "\"no\""))
    {
        return 0;
    }

    return def;
}
