
/*
 * Documents against a mapping: checking one and emitting its values, and
 * finding the fields that dynamic "true" adds.
 *
 * No tree of the document is built.  A repeated key counts with its last
 * value only, so each object is read in two steps: first the values of its
 * mapped members are put into slots, then the slots are worked off.  Slots
 * of nested objects lie on one growing stack.
 */

#include "store/kz_mapping_node.h"
#include "util/kz_utf8.h"


typedef struct {
    const kz_mapping_t   *m;
    kz_mapping_emit_pt    emit;
    void                 *ctx;
    kz_mapping_err_t     *err;
    kz_json_val_t        *slots;
    ngx_uint_t            top;
    ngx_uint_t            size;
    kz_scratch_t          text;
    kz_scratch_t          key;
    unsigned              lenient:1;
    unsigned              unknown:1;
} kz_walk_t;


typedef struct {
    kz_mapping_t         *m;         /* a copy, private */
    kz_mapping_err_t     *err;
    ngx_uint_t            count;     /* nodes that were added */
    ngx_uint_t            fields;    /* of those, the ones with a type */
    kz_scratch_t          text;
} kz_infer_t;


static ngx_int_t kz_walk_object(kz_walk_t *w, const kz_mapping_node_t *node,
    const kz_json_val_t *v);
static ngx_int_t kz_walk_unknown(kz_walk_t *w, const kz_mapping_node_t *node,
    const ngx_str_t *name, const kz_json_val_t *v);
static ngx_int_t kz_walk_value(kz_walk_t *w, const kz_mapping_node_t *node,
    const kz_json_val_t *v);
static ngx_int_t kz_walk_leaf(kz_walk_t *w, const kz_mapping_node_t *node,
    const kz_json_val_t *v);
static ngx_int_t kz_walk_field(kz_walk_t *w, const kz_field_t *f,
    const kz_json_val_t *v);
static ngx_int_t kz_walk_exact(kz_walk_t *w, const kz_field_t *f,
    const kz_value_t *v);
static ngx_int_t kz_walk_slots(kz_walk_t *w, ngx_uint_t n);
static ngx_int_t kz_walk_key(kz_scratch_t *scratch,
    const kz_json_member_t *member, ngx_str_t *name);
static ngx_int_t kz_walk_memory(kz_mapping_err_t *err);
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
kz_mapping_walk(const kz_mapping_t *m, const kz_json_val_t *doc,
    ngx_uint_t flags, kz_mapping_emit_pt emit, void *ctx,
    kz_mapping_err_t *err)
{
    ngx_int_t     rc;
    ngx_str_t     out;
    kz_walk_t     w;
    ngx_pool_t   *pool;

    ngx_memzero(&w, sizeof(kz_walk_t));

    w.m = m;
    w.emit = emit;
    w.ctx = ctx;
    w.err = err;
    w.lenient = (flags & KZ_WALK_LENIENT) != 0;

    rc = kz_walk_object(&w, m->root, doc);

    free(w.slots);
    kz_scratch_free(&w.text);
    kz_scratch_free(&w.key);

    if (rc != NGX_OK || !w.unknown) {
        return rc;
    }

    /* the unknown ones may all be null, or repeated and null at last */

    pool = ngx_create_pool(4096, m->pool->log);
    if (pool == NULL) {
        return kz_walk_memory(err);
    }

    rc = kz_mapping_infer(m, doc, pool, &out, err);

    ngx_destroy_pool(pool);

    if (rc == NGX_OK) {
        return NGX_DECLINED;
    }

    return (rc == NGX_DECLINED) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
kz_walk_object(kz_walk_t *w, const kz_mapping_node_t *node,
    const kz_json_val_t *v)
{
    ngx_int_t                  rc;
    ngx_str_t                  name;
    ngx_uint_t                 base;
    kz_json_val_t              value;
    kz_json_iter_t             it;
    kz_json_member_t           member;
    const kz_mapping_node_t   *child;

    if (node->n == 0 && node->rule == KZ_DYNAMIC_FALSE) {
        return NGX_OK;
    }

    base = w->top;

    if (kz_walk_slots(w, node->n) != NGX_OK) {
        return kz_walk_memory(w->err);
    }

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &member) == NGX_OK) {

        if (kz_walk_key(&w->key, &member, &name) != NGX_OK) {
            return kz_walk_memory(w->err);
        }

        child = kz_mapping_find(node, name.data, name.len);

        if (child != NULL) {
            w->slots[base + child->slot] = member.val;
            continue;
        }

        rc = kz_walk_unknown(w, node, &name, &member.val);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    for (child = node->first; child != NULL; child = child->next) {

        /* the stack may have moved */

        value = w->slots[base + child->slot];

        if (value.type == KZ_JSON_NONE) {
            continue;
        }

        rc = kz_walk_value(w, child, &value);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    w->top = base;

    return NGX_OK;
}


/* A member without a node of its name: "a.b" may mean one further down. */
static ngx_int_t
kz_walk_unknown(kz_walk_t *w, const kz_mapping_node_t *node,
    const ngx_str_t *name, const kz_json_val_t *v)
{
    u_char                    *p, *dot, *end, path[KZ_MAPPING_ERR_LEN];
    ngx_str_t                  where;
    const kz_mapping_node_t   *child;

    p = name->data;
    end = p + name->len;
    child = node;

    while (child->type == KZ_FIELD_OBJECT && child->enabled) {

        dot = ngx_strlchr(p, end, '.');

        if (dot == NULL) {
            dot = end;
        }

        node = child;
        child = kz_mapping_find(node, p, dot - p);

        if (child == NULL) {
            break;
        }

        if (dot == end) {
            return kz_walk_value(w, child, v);
        }

        p = dot + 1;
    }

    if (child != NULL || w->lenient || node->rule == KZ_DYNAMIC_FALSE) {
        return NGX_OK;
    }

    if (node->rule == KZ_DYNAMIC_TRUE) {
        w->unknown = 1;
        return NGX_OK;
    }

    where = kz_mapping_path(node, path);

    kz_mapping_refuse(w->err, KZ_STORE_STRICT, "%V%s%*s", &where,
                      (where.len != 0) ? "." : "",
                      ngx_min((size_t) (end - p), 256), p);

    return NGX_ERROR;
}


static ngx_int_t
kz_walk_value(kz_walk_t *w, const kz_mapping_node_t *node,
    const kz_json_val_t *v)
{
    u_char           path[KZ_MAPPING_ERR_LEN];
    ngx_int_t        rc;
    ngx_str_t        where;
    kz_json_val_t    value;
    kz_json_iter_t   it;

    if (!node->enabled || node->type == KZ_FIELD_NESTED
        || node->type == KZ_FIELD_OPAQUE)
    {
        return NGX_OK;
    }

    if (v->type == KZ_JSON_ARRAY) {

        kz_json_iter(&it, v);

        while (kz_json_next(&it, &value) == NGX_OK) {
            rc = kz_walk_value(w, node, &value);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        return NGX_OK;
    }

    if (node->type != KZ_FIELD_OBJECT) {
        return kz_walk_leaf(w, node, v);
    }

    if (v->type == KZ_JSON_OBJECT) {
        return kz_walk_object(w, node, v);
    }

    if (v->type == KZ_JSON_NULL || w->lenient) {
        return NGX_OK;
    }

    where = kz_mapping_path(node, path);

    kz_mapping_refuse(w->err, KZ_STORE_BAD_DOCUMENT,
                      "object mapping for [%V] tried to parse field [%V]"
                      " as object, but found a concrete value",
                      &where, &where);

    return NGX_ERROR;
}


static ngx_int_t
kz_walk_leaf(kz_walk_t *w, const kz_mapping_node_t *node,
    const kz_json_val_t *v)
{
    ngx_int_t                  rc;
    const kz_mapping_node_t   *child;

    rc = kz_walk_field(w, node->field, v);

    if (rc != NGX_OK || node->multi == NULL) {
        return rc;
    }

    for (child = node->multi->first; child != NULL; child = child->next) {

        if (child->type == KZ_FIELD_OPAQUE) {
            continue;
        }

        rc = kz_walk_field(w, child->field, v);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_walk_field(kz_walk_t *w, const kz_field_t *f, const kz_json_val_t *v)
{
    ngx_int_t    rc;
    kz_words_t   words;
    kz_value_t   value;

    rc = kz_value_read(f, v, &w->text, &value, NULL);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc == NGX_ABORT) {
        return kz_walk_memory(w->err);
    }

    if (rc != NGX_OK) {

        if (w->lenient || f->malformed) {
            return NGX_OK;
        }

        kz_mapping_refuse(w->err, KZ_STORE_BAD_DOCUMENT,
                          "failed to parse field [%V] of type [%V]",
                          &f->path, &f->type_name);
        return NGX_ERROR;
    }

    if (!f->indexed) {
        return NGX_OK;
    }

    if (f->type != KZ_FIELD_TEXT) {
        return kz_walk_exact(w, f, &value);
    }

    if (w->emit == NULL) {
        return NGX_OK;
    }

    kz_words_init(&words, &value.text);

    while (kz_words_next(&words) == NGX_OK) {
        value.text = words.word;

        rc = w->emit(w->ctx, f, &value);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/* Anything but words; long texts are left out, or refused. */
static ngx_int_t
kz_walk_exact(kz_walk_t *w, const kz_field_t *f, const kz_value_t *v)
{
    if (v->type == KZ_VALUE_TEXT && !w->lenient) {

        if (!kz_value_indexed(f, &v->text)) {
            return NGX_OK;
        }

        if (v->text.len > KZ_MAPPING_MAX_KEYWORD) {
            kz_mapping_refuse(w->err, KZ_STORE_BAD_DOCUMENT,
                              "Document contains at least one immense term"
                              " in field=\"%V\" (whose UTF8 encoding is"
                              " longer than the max length %d)",
                              &f->path, KZ_MAPPING_MAX_KEYWORD);
            return NGX_ERROR;
        }
    }

    return (w->emit != NULL) ? w->emit(w->ctx, f, v) : NGX_OK;
}


static ngx_int_t
kz_walk_slots(kz_walk_t *w, ngx_uint_t n)
{
    ngx_uint_t      i, size;
    kz_json_val_t  *slots;

    if (w->top + n > w->size) {
        size = ngx_max(w->size * 2, w->top + n + 32);

        slots = realloc(w->slots, size * sizeof(kz_json_val_t));
        if (slots == NULL) {
            return NGX_ERROR;
        }

        w->slots = slots;
        w->size = size;
    }

    for (i = w->top; i < w->top + n; i++) {
        w->slots[i].type = KZ_JSON_NONE;
    }

    w->top += n;

    return NGX_OK;
}


static ngx_int_t
kz_walk_key(kz_scratch_t *scratch, const kz_json_member_t *member,
    ngx_str_t *name)
{
    u_char  *p;

    *name = member->key;

    if (!member->escaped) {
        return NGX_OK;
    }

    p = kz_scratch_room(scratch, name->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    name->len = kz_json_unescape(p, name->data, name->len) - p;
    name->data = p;

    return NGX_OK;
}


static ngx_int_t
kz_walk_memory(kz_mapping_err_t *err)
{
    kz_mapping_refuse(err, KZ_STORE_FAILED, "no memory");

    return NGX_ERROR;
}


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

        if (child->type != KZ_FIELD_OBJECT || !child->enabled) {
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
        || node->type != KZ_FIELD_OBJECT)
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
