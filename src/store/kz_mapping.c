
/*
 * Compiling a mapping: the JSON text becomes a tree of nodes, every
 * parameter kept as it was written, and the leaves become the fields.
 *
 * What is checked here is what the original's two layers refuse: Kuzzle the
 * keys of an object that has properties, the engine unknown types and
 * parameters.  Types and parameters the engine knows and this store cannot
 * search by are kept, such fields are only not searchable; types that would
 * change what is found elsewhere (alias, join, percolator) or whose values
 * are more than one (ranges) are refused as unknown ones are.
 */

#include "store/kz_mapping_node.h"


#define KZ_MAPPING_JSON_DEPTH  128


typedef struct {
    kz_mapping_t         *m;
    kz_mapping_err_t     *err;
    ngx_uint_t            count;     /* nodes, against the limit */
} kz_mapping_build_t;


static ngx_int_t kz_mapping_level(kz_mapping_build_t *b,
    kz_mapping_node_t *node, const kz_json_val_t *v, ngx_uint_t depth);
static ngx_int_t kz_mapping_properties(kz_mapping_build_t *b,
    kz_mapping_node_t *node, const kz_json_val_t *v, ngx_uint_t depth);
static ngx_int_t kz_mapping_multi(kz_mapping_build_t *b,
    kz_mapping_node_t *node, const kz_json_val_t *v);
static ngx_int_t kz_mapping_leaf(kz_mapping_build_t *b,
    kz_mapping_node_t *node, const kz_json_val_t *v);
static ngx_int_t kz_mapping_check_param(kz_mapping_build_t *b,
    kz_mapping_node_t *node, const ngx_str_t *name, const kz_json_val_t *v);
static ngx_int_t kz_mapping_dynamic(kz_mapping_build_t *b,
    kz_mapping_node_t *node, const kz_json_val_t *v);
static ngx_int_t kz_mapping_settings(kz_mapping_t *m,
    const ngx_str_t *settings, kz_mapping_err_t *err);
static ngx_int_t kz_mapping_common(kz_mapping_build_t *b);
static ngx_int_t kz_mapping_boolean(kz_mapping_build_t *b,
    kz_mapping_node_t *node, const ngx_str_t *name, const kz_json_val_t *v);
static void kz_mapping_unsupported(kz_mapping_build_t *b,
    kz_mapping_node_t *node, const ngx_str_t *name, const kz_json_val_t *v);
static void kz_mapping_bad(kz_mapping_build_t *b, kz_mapping_node_t *node,
    const ngx_str_t *name, const char *why);
static ngx_int_t kz_mapping_name(kz_mapping_build_t *b,
    const kz_json_member_t *member, ngx_str_t *name);


#define kz_mapping_is(s, l)                                                   \
    ((s)->len == sizeof(l) - 1 && ngx_memcmp((s)->data, l, sizeof(l) - 1) == 0)


static const struct {
    ngx_str_t         name;
    kz_field_type_e   type;
} kz_field_types[] = {
    { ngx_string("text"), KZ_FIELD_TEXT },
    { ngx_string("keyword"), KZ_FIELD_KEYWORD },
    { ngx_string("long"), KZ_FIELD_LONG },
    { ngx_string("integer"), KZ_FIELD_INTEGER },
    { ngx_string("short"), KZ_FIELD_SHORT },
    { ngx_string("byte"), KZ_FIELD_BYTE },
    { ngx_string("double"), KZ_FIELD_DOUBLE },
    { ngx_string("float"), KZ_FIELD_FLOAT },
    { ngx_string("half_float"), KZ_FIELD_HALF_FLOAT },
    { ngx_string("scaled_float"), KZ_FIELD_SCALED_FLOAT },
    { ngx_string("boolean"), KZ_FIELD_BOOLEAN },
    { ngx_string("date"), KZ_FIELD_DATE },
    { ngx_string("object"), KZ_FIELD_OBJECT },
    { ngx_string("nested"), KZ_FIELD_NESTED },
    { ngx_string("geo_point"), KZ_FIELD_GEO_POINT },
    { ngx_string("ip"), KZ_FIELD_IP },
    { ngx_string("wildcard"), KZ_FIELD_KEYWORD },
    { ngx_string("geo_shape"), KZ_FIELD_OPAQUE },
    { ngx_string("point"), KZ_FIELD_OPAQUE },
    { ngx_string("shape"), KZ_FIELD_OPAQUE },
    { ngx_string("binary"), KZ_FIELD_OPAQUE },
    { ngx_string("completion"), KZ_FIELD_OPAQUE },
    { ngx_string("date_nanos"), KZ_FIELD_OPAQUE },
    { ngx_string("unsigned_long"), KZ_FIELD_OPAQUE },
    { ngx_string("constant_keyword"), KZ_FIELD_OPAQUE },
    { ngx_string("flattened"), KZ_FIELD_OPAQUE },
    { ngx_string("token_count"), KZ_FIELD_OPAQUE },
    { ngx_string("rank_feature"), KZ_FIELD_OPAQUE },
    { ngx_string("rank_features"), KZ_FIELD_OPAQUE },
    { ngx_string("dense_vector"), KZ_FIELD_OPAQUE },
    { ngx_string("search_as_you_type"), KZ_FIELD_OPAQUE },
    { ngx_string("histogram"), KZ_FIELD_OPAQUE },
    { ngx_string("version"), KZ_FIELD_OPAQUE },
    { ngx_string("murmur3"), KZ_FIELD_OPAQUE },
    { ngx_string("match_only_text"), KZ_FIELD_OPAQUE },
    { ngx_null_string, KZ_FIELD_OBJECT }
};


/* Parameters of a searchable leaf or of an object: accepted, most of them
 * without an effect here. */

static const char  *kz_mapping_params[] = {
    "type", "index", "store", "doc_values", "null_value", "ignore_above",
    "ignore_malformed", "coerce", "format", "locale", "boost", "norms",
    "similarity", "analyzer", "search_analyzer", "search_quote_analyzer",
    "normalizer", "index_options", "term_vector", "position_increment_gap",
    "eager_global_ordinals", "fielddata", "fielddata_frequency_filter",
    "scaling_factor", "meta", "_meta", "split_queries_on_whitespace",
    "index_prefixes", "index_phrases", "enabled", "include_in_all",
    "copy_to", "include_in_parent", "include_in_root", "subobjects",
    "time_series_dimension", "time_series_metric", "ignore_z_value",
    "fields", "precision_step", NULL
};


static const ngx_str_t  kz_mapping_common_text = ngx_string(
    "{\"dynamic\":\"false\",\"properties\":{"
    "\"author\":{\"type\":\"keyword\"},"
    "\"createdAt\":{\"type\":\"date\"},"
    "\"updatedAt\":{\"type\":\"date\"},"
    "\"updater\":{\"type\":\"keyword\"}}}");


ngx_int_t
kz_field_type(const ngx_str_t *name, kz_field_type_e *type)
{
    ngx_uint_t  i;

    for (i = 0; kz_field_types[i].name.len != 0; i++) {
        if (kz_field_types[i].name.len == name->len
            && ngx_memcmp(kz_field_types[i].name.data, name->data, name->len)
               == 0)
        {
            *type = kz_field_types[i].type;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


kz_mapping_t *
kz_mapping_compile(u_char *text, size_t len, kz_dialect_e dialect,
    ngx_log_t *log, kz_mapping_err_t *err)
{
    return kz_mapping_compile_with(text, len, NULL, dialect, log, err);
}


kz_mapping_t *
kz_mapping_compile_with(u_char *text, size_t len, const ngx_str_t *settings,
    kz_dialect_e dialect, ngx_log_t *log, kz_mapping_err_t *err)
{
    u_char              *copy;
    ngx_pool_t          *pool;
    kz_mapping_t        *m;
    kz_json_err_t        json;
    kz_json_val_t        v;
    kz_mapping_build_t   b;

    pool = ngx_create_pool(4096, log);
    if (pool == NULL) {
        kz_mapping_refuse(err, KZ_STORE_FAILED, "no memory");
        return NULL;
    }

    kz_mapping_refuse(err, KZ_STORE_FAILED, "no memory");

    m = ngx_pcalloc(pool, sizeof(kz_mapping_t));
    if (m == NULL) {
        goto failed;
    }

    m->pool = pool;

    m->root = ngx_pcalloc(pool, sizeof(kz_mapping_node_t));
    if (m->root == NULL) {
        goto failed;
    }

    m->root->enabled = 1;
    m->dynamic = (dialect == KZ_DIALECT_1) ? KZ_DYNAMIC_TRUE
                                           : KZ_DYNAMIC_FALSE;

    b.m = m;
    b.err = err;
    b.count = 0;

    if (len != 0) {
        if (kz_json_scan(text, len, KZ_MAPPING_JSON_DEPTH, &v, &json)
            != NGX_OK)
        {
            kz_mapping_refuse(err, KZ_STORE_BAD_MAPPING,
                              "\n %s at position %uz",
                              json.what, json.offset);
            goto failed;
        }

        if (v.type != KZ_JSON_OBJECT) {
            kz_mapping_refuse(err, KZ_STORE_BAD_MAPPING,
                              "\n It must be an object.");
            goto failed;
        }

        copy = ngx_pnalloc(pool, v.raw.len);
        if (copy == NULL) {
            goto failed;
        }

        v.raw.len = kz_json_compact(copy, v.raw.data, v.raw.len) - copy;
        v.raw.data = copy;

        if (kz_mapping_level(&b, m->root, &v, 0) != NGX_OK) {
            goto failed;
        }

        if (m->root->dynamic != KZ_DYNAMIC_UNSET) {
            m->given = 1;
            m->dynamic = m->root->dynamic;
        }
    }

    if (kz_mapping_settings(m, settings, err) != NGX_OK
        || kz_mapping_common(&b) != NGX_OK
        || kz_mapping_finish(m, err) != NGX_OK)
    {
        goto failed;
    }

    return m;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


void
kz_mapping_free(kz_mapping_t *m)
{
    ngx_destroy_pool(m->pool);
}


/* The analyzers; a copy of the text, which they point into. */
static ngx_int_t
kz_mapping_settings(kz_mapping_t *m, const ngx_str_t *settings,
    kz_mapping_err_t *err)
{
    u_char          why[KZ_ANALYSIS_ERR_LEN];
    kz_json_err_t   json;
    kz_json_val_t   v;

    v.type = KZ_JSON_NONE;

    if (settings != NULL && settings->len != 0) {

        m->settings.len = settings->len;
        m->settings.data = ngx_pstrdup(m->pool, (ngx_str_t *) settings);

        if (m->settings.data == NULL) {
            return NGX_ERROR;
        }

        if (kz_json_scan(m->settings.data, m->settings.len,
                         KZ_MAPPING_JSON_DEPTH, &v, &json)
            != NGX_OK)
        {
            kz_mapping_refuse(err, KZ_STORE_BAD_DOCUMENT,
                              "settings: %s at position %uz", json.what,
                              json.offset);
            return NGX_ERROR;
        }
    }

    m->analysis = kz_analysis_create(m->pool, &v, why);

    if (m->analysis == NULL && why[0] != '\0') {
        kz_mapping_refuse(err, KZ_STORE_BAD_DOCUMENT, "%s", why);
    }

    return (m->analysis == NULL) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
kz_mapping_common(kz_mapping_build_t *b)
{
    kz_json_val_t        v;
    kz_mapping_node_t   *node;

    node = kz_mapping_add(b->m->pool, b->m->root, (u_char *) "_kuzzle_info",
                          sizeof("_kuzzle_info") - 1);
    if (node == NULL) {
        return NGX_ERROR;
    }

    node->common = 1;

    node->props = 1;

    v.raw = kz_mapping_common_text;
    v.type = KZ_JSON_OBJECT;
    v.escaped = 0;

    return kz_mapping_level(b, node, &v, 1);
}


/* An object of the mapping: the root, or a field with properties. */
static ngx_int_t
kz_mapping_level(kz_mapping_build_t *b, kz_mapping_node_t *node,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_str_t          name;
    kz_json_iter_t     it;
    kz_json_member_t   member;

    if (depth > KZ_MAPPING_MAX_DEPTH) {
        kz_mapping_bad(b, node, NULL,
                       " It has too many levels of objects.");
        return NGX_ERROR;
    }

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &member) == NGX_OK) {

        if (kz_mapping_name(b, &member, &name) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_mapping_is(&name, "properties")) {
            if (kz_mapping_properties(b, node, &member.val, depth)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;
        }

        if (kz_mapping_is(&name, "dynamic")) {
            if (kz_mapping_dynamic(b, node, &member.val) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (kz_mapping_check_param(b, node, &name, &member.val) != NGX_OK
            || kz_mapping_set(b->m->pool, node, &name, &member.val.raw)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_mapping_properties(kz_mapping_build_t *b, kz_mapping_node_t *node,
    const kz_json_val_t *v, ngx_uint_t depth)
{
    ngx_str_t            name;
    kz_json_val_t        inner;
    kz_json_iter_t       it;
    kz_json_member_t     member;
    kz_mapping_node_t   *child;

    static ngx_str_t  properties = ngx_string("properties");

    if (v->type != KZ_JSON_OBJECT) {
        kz_mapping_bad(b, node, &properties, " It must be an object.");
        return NGX_ERROR;
    }

    /* "properties" twice: what the first one held is forgotten */

    node->first = NULL;
    node->last = NULL;
    node->table = NULL;
    node->mask = 0;
    node->n = 0;

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &member) == NGX_OK) {

        if (kz_mapping_name(b, &member, &name) != NGX_OK) {
            return NGX_ERROR;
        }

        /* Kuzzle: the common fields replace what a client says of them */

        if (node->parent == NULL && kz_mapping_is(&name, "_kuzzle_info")) {
            continue;
        }

        if (name.len == 0 || ngx_strlchr(name.data, name.data + name.len,
                                         '.') != NULL)
        {
            kz_mapping_bad(b, node, &name,
                           " A field's name may neither be empty nor hold"
                           " a full stop.");
            return NGX_ERROR;
        }

        if (++b->count > KZ_MAPPING_MAX_FIELDS) {
            kz_mapping_bad(b, node, &name, " Limit of total fields [1000]"
                           " has been exceeded.");
            return NGX_ERROR;
        }

        child = kz_mapping_add(b->m->pool, node, name.data, name.len);
        if (child == NULL) {
            return NGX_ERROR;
        }

        if (member.val.type != KZ_JSON_OBJECT) {
            kz_mapping_bad(b, child, NULL, " It must be an object.");
            return NGX_ERROR;
        }

        child->props = (kz_json_get(&member.val, "properties",
                                    sizeof("properties") - 1, &inner)
                        == NGX_OK);

        if (child->props
            && kz_mapping_level(b, child, &member.val, depth + 1) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (kz_mapping_leaf(b, child, &member.val) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * What a field with and without properties has in common: its type, and
 * parameters.  Those of a level with properties were read already.
 */
static ngx_int_t
kz_mapping_leaf(kz_mapping_build_t *b, kz_mapping_node_t *node,
    const kz_json_val_t *v)
{
    u_char               path[KZ_MAPPING_ERR_LEN];
    ngx_str_t            name, type, where;
    kz_json_val_t        value;
    kz_json_iter_t       it;
    kz_json_member_t     member;

    node->type = KZ_FIELD_OBJECT;

    if (kz_json_get(v, "type", sizeof("type") - 1, &value) == NGX_OK) {

        if (value.type != KZ_JSON_STRING
            || kz_json_string(b->m->pool, &value, &type) != NGX_OK
            || kz_field_type(&type, &node->type) != NGX_OK)
        {
            where = kz_mapping_path(node, path);
            type = value.raw;

            if (value.type == KZ_JSON_STRING) {
                type.data++;
                type.len -= 2;
            }

            type.len = ngx_min(type.len, 64);

            kz_mapping_refuse(b->err, KZ_STORE_BAD_TYPE, "%V\n%V", &where,
                              &type);
            return NGX_ERROR;
        }
    }

    if (node->props) {
        if (node->type != KZ_FIELD_OBJECT && node->type != KZ_FIELD_NESTED) {
            kz_mapping_bad(b, node, NULL, " Only objects have properties.");
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &member) == NGX_OK) {

        if (kz_mapping_name(b, &member, &name) != NGX_OK) {
            return NGX_ERROR;
        }

        if (kz_mapping_is(&name, "fields")) {
            if (kz_mapping_multi(b, node, &member.val) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (kz_mapping_is(&name, "dynamic")
            && (node->type == KZ_FIELD_OBJECT
                || node->type == KZ_FIELD_NESTED))
        {
            if (kz_mapping_dynamic(b, node, &member.val) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (kz_mapping_check_param(b, node, &name, &member.val) != NGX_OK
            || kz_mapping_set(b->m->pool, node, &name, &member.val.raw)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (kz_mapping_param(node, "type") == NULL
        && kz_mapping_param(node, "enabled") == NULL)
    {
        kz_mapping_bad(b, node, NULL, " No type is specified.");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* "fields": the same values, indexed in other ways. */
static ngx_int_t
kz_mapping_multi(kz_mapping_build_t *b, kz_mapping_node_t *node,
    const kz_json_val_t *v)
{
    ngx_str_t            name;
    kz_json_iter_t       it;
    kz_json_member_t     member;
    kz_mapping_node_t   *child;

    static ngx_str_t  fields = ngx_string("fields");

    if (v->type != KZ_JSON_OBJECT) {
        kz_mapping_bad(b, node, &fields, " It must be an object.");
        return NGX_ERROR;
    }

    node->multi = ngx_pcalloc(b->m->pool, sizeof(kz_mapping_node_t));
    if (node->multi == NULL) {
        return NGX_ERROR;
    }

    /* a nameless node between: its children are named after this one */

    node->multi->parent = node->parent;
    node->multi->name = node->name;
    node->multi->common = node->common;

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &member) == NGX_OK) {

        if (kz_mapping_name(b, &member, &name) != NGX_OK) {
            return NGX_ERROR;
        }

        if (++b->count > KZ_MAPPING_MAX_FIELDS) {
            kz_mapping_bad(b, node, &name, " Limit of total fields [1000]"
                           " has been exceeded.");
            return NGX_ERROR;
        }

        child = kz_mapping_add(b->m->pool, node->multi, name.data, name.len);
        if (child == NULL) {
            return NGX_ERROR;
        }

        if (name.len == 0 || member.val.type != KZ_JSON_OBJECT
            || ngx_strlchr(name.data, name.data + name.len, '.') != NULL
            || kz_json_get(&member.val, "fields", sizeof("fields") - 1,
                           &member.val)
               == NGX_OK)
        {
            kz_mapping_bad(b, child, NULL, " It must be a field's"
                           " definition, without fields of its own.");
            return NGX_ERROR;
        }

        if (kz_mapping_leaf(b, child, &member.val) != NGX_OK) {
            return NGX_ERROR;
        }

        if (child->type == KZ_FIELD_OBJECT || child->type == KZ_FIELD_NESTED)
        {
            kz_mapping_bad(b, child, NULL, " It cannot be an object.");
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_mapping_check_param(kz_mapping_build_t *b, kz_mapping_node_t *node,
    const ngx_str_t *name, const kz_json_val_t *v)
{
    ngx_uint_t  i;

    /* Kuzzle: the keys of a level that has properties, and of the root */

    if (node->parent == NULL || node->props) {

        if (kz_mapping_is(name, "dynamic_templates")) {
            if (v->type == KZ_JSON_ARRAY && v->raw.len == 2) {
                return NGX_OK;
            }

            kz_mapping_bad(b, node, name,
                           " Dynamic templates are not supported.");
            return NGX_ERROR;
        }

        if (kz_mapping_is(name, "_meta")
            || (node->parent != NULL && kz_mapping_is(name, "type")))
        {
            return NGX_OK;
        }

        if (node->parent == NULL) {
            kz_mapping_bad(b, node, name, "");
            return NGX_ERROR;
        }
    }

    if (node->type == KZ_FIELD_OPAQUE) {
        return NGX_OK;
    }

    for (i = 0; kz_mapping_params[i] != NULL; i++) {
        if (name->len == ngx_strlen(kz_mapping_params[i])
            && ngx_memcmp(name->data, kz_mapping_params[i], name->len) == 0)
        {
            break;
        }
    }

    if (kz_mapping_params[i] == NULL) {

        if (node->props) {
            kz_mapping_bad(b, node, name, "");

        } else {
            kz_mapping_unsupported(b, node, name, v);
        }

        return NGX_ERROR;
    }

    if (kz_mapping_is(name, "include_in_parent")
        || kz_mapping_is(name, "include_in_root")
        || kz_mapping_is(name, "index")
        || kz_mapping_is(name, "enabled"))
    {
        return kz_mapping_boolean(b, node, name, v);
    }

    return NGX_OK;
}


/* Values that decide what is found: nothing is guessed. */
static ngx_int_t
kz_mapping_boolean(kz_mapping_build_t *b, kz_mapping_node_t *node,
    const ngx_str_t *name, const kz_json_val_t *v)
{
    ngx_uint_t  i;

    static const char  *words[] = {
        "true", "false", "\"true\"", "\"false\"", "\"no\"",
        "\"analyzed\"", "\"not_analyzed\"", NULL
    };

    for (i = 0; words[i] != NULL; i++) {
        if (v->raw.len == ngx_strlen(words[i])
            && ngx_memcmp(v->raw.data, words[i], v->raw.len) == 0)
        {
            return NGX_OK;
        }
    }

    kz_mapping_bad(b, node, name,
                   " It should be one of \"true\", \"false\".");

    return NGX_ERROR;
}


/* In the engine's words. */
static void
kz_mapping_unsupported(kz_mapping_build_t *b, kz_mapping_node_t *node,
    const ngx_str_t *name, const kz_json_val_t *v)
{
    ngx_str_t  key, value;

    key = *name;
    key.len = ngx_min(key.len, 64);

    value = v->raw;

    if (v->type == KZ_JSON_STRING) {
        value.data++;
        value.len -= 2;
    }

    value.len = ngx_min(value.len, 64);

    kz_mapping_refuse(b->err, KZ_STORE_BAD_DOCUMENT,
                      "Mapping definition for [%*s] has unsupported"
                      " parameters:  [%V : %V]",
                      ngx_min(node->name.len, 128), node->name.data, &key,
                      &value);
}


static ngx_int_t
kz_mapping_dynamic(kz_mapping_build_t *b, kz_mapping_node_t *node,
    const kz_json_val_t *v)
{
    ngx_str_t  text;

    static ngx_str_t  dynamic = ngx_string("dynamic");

    text = v->raw;

    if (v->type == KZ_JSON_STRING) {
        text.data++;
        text.len -= 2;
    }

    if (kz_mapping_is(&text, "true")) {
        node->dynamic = KZ_DYNAMIC_TRUE;
        return NGX_OK;
    }

    if (kz_mapping_is(&text, "false")) {
        node->dynamic = KZ_DYNAMIC_FALSE;
        return NGX_OK;
    }

    if (kz_mapping_is(&text, "strict")) {
        node->dynamic = KZ_DYNAMIC_STRICT;
        return NGX_OK;
    }

    kz_mapping_bad(b, node, &dynamic,
                   " It should be one of \"true\", \"false\", \"strict\".");

    return NGX_ERROR;
}


/* BAD_MAPPING with the property's place as Kuzzle writes it. */
static void
kz_mapping_bad(kz_mapping_build_t *b, kz_mapping_node_t *node,
    const ngx_str_t *name, const char *why)
{
    u_char     *p, *end, buf[KZ_MAPPING_ERR_LEN];
    ngx_str_t   path;

    path = kz_mapping_path(node, buf);
    path.len = ngx_min(path.len, KZ_MAPPING_ERR_LEN / 2);

    end = b->err->text + KZ_MAPPING_ERR_LEN;

    p = ngx_slprintf(b->err->text, end, "%s%V",
                     (path.len != 0) ? "properties." : "", &path);

    if (name != NULL) {
        p = ngx_slprintf(p, end, "%s%*s", (path.len != 0) ? "." : "",
                         ngx_min(name->len, 128), name->data);
    }

    /* the separator of the two arguments must be the only one */

    for (end = p, p = b->err->text; p < end; p++) {
        if (*p < ' ') {
            *p = ' ';
        }
    }

    p = ngx_slprintf(end, b->err->text + KZ_MAPPING_ERR_LEN, "\n%s", why);

    b->err->status = KZ_STORE_BAD_MAPPING;
    b->err->detail.data = b->err->text;
    b->err->detail.len = p - b->err->text;
}


static ngx_int_t
kz_mapping_name(kz_mapping_build_t *b, const kz_json_member_t *member,
    ngx_str_t *name)
{
    u_char  *p;

    *name = member->key;

    if (!member->escaped) {
        return NGX_OK;
    }

    p = ngx_pnalloc(b->m->pool, name->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name->len = kz_json_unescape(p, name->data, name->len) - p;
    name->data = p;

    return NGX_OK;
}
