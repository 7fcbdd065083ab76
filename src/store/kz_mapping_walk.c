
/*
 * Documents against a mapping: checking one and emitting its values.
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
    kz_analyze_t          analyze;
    unsigned              lenient:1;
    unsigned              unknown:1;
} kz_walk_t;


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
static ngx_int_t kz_walk_words(kz_walk_t *w, const kz_field_t *f,
    const kz_value_t *v);
static ngx_int_t kz_walk_word(void *data, const kz_token_t *token);
static ngx_int_t kz_walk_exact(kz_walk_t *w, const kz_field_t *f,
    const kz_value_t *v);
static ngx_int_t kz_walk_points(kz_walk_t *w, const kz_field_t *f,
    const kz_json_val_t *v);
static ngx_int_t kz_walk_point(void *ctx, const kz_geo_point_t *p);
static ngx_int_t kz_walk_malformed(kz_walk_t *w, const kz_field_t *f);
static ngx_int_t kz_walk_slots(kz_walk_t *w, ngx_uint_t n);
static ngx_int_t kz_walk_memory(kz_mapping_err_t *err);


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
    kz_analyze_free(&w.analyze);

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

    while (kz_mapping_is_object(child) && child->enabled) {

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

    if (!node->enabled) {
        return NGX_OK;
    }

    if (node->type == KZ_FIELD_GEO_POINT) {
        return kz_walk_leaf(w, node, v);
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

    if (!kz_mapping_is_object(node)) {
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
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    kz_field_t                **f;
    const kz_mapping_node_t    *child;

    rc = kz_walk_field(w, node->field, v);

    if (rc != NGX_OK) {
        return rc;
    }

    if (node->multi != NULL) {

        for (child = node->multi->first; child; child = child->next) {
            rc = kz_walk_field(w, child->field, v);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    if (node->copy_to == NULL || v->type == KZ_JSON_NULL) {
        return NGX_OK;
    }

    f = node->copy_to->elts;

    for (i = 0; i < node->copy_to->nelts; i++) {
        rc = kz_walk_field(w, f[i], v);

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
    kz_value_t   value;

    if (f->type == KZ_FIELD_OPAQUE) {
        return NGX_OK;
    }

    if (f->type == KZ_FIELD_GEO_POINT) {
        return kz_walk_points(w, f, v);
    }

    rc = kz_value_read(f, v, &w->text, &value, NULL);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc == NGX_ABORT) {
        return kz_walk_memory(w->err);
    }

    if (rc != NGX_OK) {
        return kz_walk_malformed(w, f);
    }

    if (!f->indexed) {
        return NGX_OK;
    }

    if (f->type != KZ_FIELD_TEXT) {
        return kz_walk_exact(w, f, &value);
    }

    return kz_walk_words(w, f, &value);
}


typedef struct {
    kz_walk_t         *w;
    const kz_field_t  *f;
    ngx_int_t          rc;
} kz_walk_words_t;


static ngx_int_t
kz_walk_words(kz_walk_t *w, const kz_field_t *f, const kz_value_t *v)
{
    ngx_int_t         rc;
    kz_walk_words_t   ctx;

    /* without anybody to tell, only a word that is too long matters */

    if (w->emit == NULL && v->text.len <= KZ_MAPPING_MAX_KEYWORD) {
        return NGX_OK;
    }

    ctx.w = w;
    ctx.f = f;
    ctx.rc = NGX_OK;

    rc = kz_analyze(f->analyzer, &w->analyze, &v->text, kz_walk_word, &ctx);

    return (rc == NGX_ERROR && ctx.rc == NGX_OK) ? kz_walk_memory(w->err)
                                                 : rc;
}


static ngx_int_t
kz_walk_word(void *data, const kz_token_t *token)
{
    kz_value_t        v;
    kz_walk_words_t  *ctx = data;

    v.type = KZ_VALUE_TEXT;
    v.text = token->text;

    ctx->rc = kz_walk_exact(ctx->w, ctx->f, &v);

    return ctx->rc;
}


static ngx_int_t
kz_walk_malformed(kz_walk_t *w, const kz_field_t *f)
{
    if (w->lenient || f->malformed) {
        return NGX_OK;
    }

    kz_mapping_refuse(w->err, KZ_STORE_BAD_DOCUMENT,
                      "failed to parse field [%V] of type [%V]",
                      &f->path, &f->type_name);

    return NGX_ERROR;
}


typedef struct {
    kz_walk_t         *w;
    const kz_field_t  *f;
} kz_walk_points_t;


static ngx_int_t
kz_walk_points(kz_walk_t *w, const kz_field_t *f, const kz_json_val_t *v)
{
    ngx_int_t          rc;
    kz_walk_points_t   ctx;

    ctx.w = w;
    ctx.f = f;

    rc = kz_value_points(f, v, kz_walk_point, &ctx);

    return (rc == NGX_DECLINED) ? kz_walk_malformed(w, f) : rc;
}


static ngx_int_t
kz_walk_point(void *data, const kz_geo_point_t *p)
{
    kz_value_t         v;
    kz_walk_points_t  *ctx = data;

    if (!ctx->f->indexed || ctx->w->emit == NULL) {
        return NGX_OK;
    }

    v.type = KZ_VALUE_INT;
    v.i = kz_value_geo_key(p);

    return ctx->w->emit(ctx->w->ctx, ctx->f, &v);
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


ngx_int_t
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
