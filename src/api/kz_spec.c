
/*
 * Specifications are compiled: the fields one by one, then the tree they
 * form, then the filter of the validators.  What is wrong is collected.
 */

#include "api/kz_spec_int.h"


#define KZ_SPEC_BUCKETS       1024     /* of the paths; a power of two */
#define KZ_SPEC_FILTER_DEPTH  128


static void kz_spec_read_fields(kz_spec_compiler_t *c,
    const kz_json_val_t *fields);
static kz_spec_field_t *kz_spec_field(kz_spec_compiler_t *c,
    const kz_json_member_t *m);
static ngx_int_t kz_spec_split(kz_spec_compiler_t *c, kz_spec_field_t *f);
static kz_spec_field_t *kz_spec_find(kz_spec_compiler_t *c,
    const u_char *path, size_t len);
static void kz_spec_read_field(kz_spec_compiler_t *c, kz_spec_field_t *f);
static void kz_spec_read_type(kz_spec_compiler_t *c, kz_spec_field_t *f);
static ngx_uint_t kz_spec_flag(kz_spec_compiler_t *c,
    const kz_json_val_t *object, const char *key, const ngx_str_t *path);
static void kz_spec_tree(kz_spec_compiler_t *c);
static void kz_spec_parent(kz_spec_compiler_t *c, kz_spec_field_t *f);
static void kz_spec_levels(kz_spec_compiler_t *c);
static void kz_spec_level(kz_spec_compiler_t *c, kz_spec_level_t *level);
static void kz_spec_place_in(kz_spec_level_t *level, kz_spec_field_t *f);
static ngx_uint_t kz_spec_truthy(const kz_json_val_t *v);
static void kz_spec_read_validators(kz_spec_compiler_t *c,
    const kz_json_val_t *v);


ngx_int_t
kz_spec_compile(ngx_pool_t *pool, const ngx_str_t *name,
    const kz_json_val_t *v, kz_spec_t **spec, ngx_array_t *errors)
{
    u_char              *copy;
    ngx_str_t           *place;
    kz_json_val_t        root, part;
    kz_spec_compiler_t   c;

    ngx_memzero(&c, sizeof(kz_spec_compiler_t));

    c.pool = pool;
    c.name = *name;
    c.errors = errors;
    c.spec = ngx_pcalloc(pool, sizeof(kz_spec_t));
    c.paths = ngx_pcalloc(pool, KZ_SPEC_BUCKETS * sizeof(kz_spec_field_t *));
    copy = ngx_pnalloc(pool, v->raw.len + 1);

    if (c.spec == NULL || c.paths == NULL || copy == NULL
        || ngx_array_init(&c.fields, pool, 16, sizeof(kz_spec_field_t *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(copy, v->raw.data, v->raw.len);
    kz_json_value(copy, copy + v->raw.len, &root);

    place = kz_spec_place(&c, NULL, NULL);

    if (root.type != KZ_JSON_OBJECT) {
        kz_spec_wrong(&c, place, "object");

    } else {
        (void) kz_spec_allowed(&c, place, &root, "strict,fields,validators");

        c.spec->root.strict = kz_spec_flag(&c, &root, "strict", NULL);

        if (kz_json_get(&root, "fields", 6, &part) == NGX_OK) {
            kz_spec_read_fields(&c, &part);
        }

        if (!c.wrong && !c.failed) {
            kz_spec_tree(&c);
        }

        if (!c.failed
            && kz_json_get(&root, "validators", 10, &part) == NGX_OK)
        {
            kz_spec_read_validators(&c, &part);
        }

        if (!c.wrong && !c.failed) {
            kz_spec_levels(&c);
        }
    }

    if (c.failed) {
        return NGX_ERROR;
    }

    *spec = c.spec;

    return c.wrong ? NGX_DECLINED : NGX_OK;
}


void
kz_spec_error(kz_spec_compiler_t *c, kz_error_e e, ngx_uint_t n, ...)
{
    va_list      args;
    kz_out_t     o;
    ngx_str_t   *text, *arg;
    const char  *p;

    kz_out_init(&o, c->pool, 128);

    va_start(args, n);

    for (p = kz_error_def(e)->message1; *p; p++) {

        if (p[0] == '%' && p[1] == 's' && n) {
            arg = va_arg(args, ngx_str_t *);
            kz_out_str(&o, arg);
            p++;
            n--;
            continue;
        }

        kz_out_char(&o, *p);
    }

    va_end(args);

    text = kz_out_failed(&o) ? NULL : ngx_array_push(c->errors);

    if (text == NULL) {
        c->failed = 1;
        return;
    }

    text->data = o.start;
    text->len = kz_out_len(&o);
    c->wrong = 1;
}


ngx_str_t *
kz_spec_place(kz_spec_compiler_t *c, const ngx_str_t *path, const char *more)
{
    kz_out_t    o;
    ngx_str_t  *s;

    static ngx_str_t  none = ngx_null_string;

    s = ngx_palloc(c->pool, sizeof(ngx_str_t));

    kz_out_init(&o, c->pool, 64);
    kz_out_str(&o, &c->name);

    if (path != NULL) {
        kz_out_char(&o, '.');
        kz_out_str(&o, path);
    }

    if (more != NULL) {
        kz_out_char(&o, '.');
        kz_out_bytes(&o, more, ngx_strlen(more));
    }

    if (s == NULL || kz_out_failed(&o)) {
        c->failed = 1;
        return &none;
    }

    s->data = o.start;
    s->len = kz_out_len(&o);

    return s;
}


void
kz_spec_wrong(kz_spec_compiler_t *c, ngx_str_t *place, const char *expected)
{
    ngx_str_t  type;

    type.data = (u_char *) expected;
    type.len = ngx_strlen(expected);

    kz_spec_error(c, KZ_E_VALIDATION_ASSERT_INVALID_TYPE, 2, place, &type);
}


ngx_uint_t
kz_spec_allowed(kz_spec_compiler_t *c, ngx_str_t *place,
    const kz_json_val_t *object, const char *names)
{
    size_t             len;
    ngx_str_t          all;
    const char        *p;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    kz_json_iter(&it, object);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        for (p = names; *p; p += len + (p[len] == ',')) {
            len = strcspn(p, ",");

            if (kz_json_key_is(&m, p, len) == NGX_OK) {
                break;
            }
        }

        if (*p == '\0') {
            all.data = (u_char *) names;
            all.len = ngx_strlen(names);

            kz_spec_error(c, KZ_E_VALIDATION_ASSERT_UNEXPECTED_PROPERTIES, 2,
                          place, &all);
            return 0;
        }
    }

    return 1;
}


ngx_int_t
kz_spec_text(kz_spec_compiler_t *c, const kz_json_val_t *v, ngx_str_t *s)
{
    if (kz_json_string(c->pool, v, s) != NGX_OK) {
        c->failed = 1;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
kz_spec_flag(kz_spec_compiler_t *c, const kz_json_val_t *object,
    const char *key, const ngx_str_t *path)
{
    kz_json_val_t  v;

    if (kz_json_get(object, key, ngx_strlen(key), &v) != NGX_OK) {
        return 0;
    }

    if (v.type != KZ_JSON_TRUE && v.type != KZ_JSON_FALSE) {
        kz_spec_wrong(c, kz_spec_place(c, path, key), "boolean");
    }

    return v.type == KZ_JSON_TRUE;
}


static void
kz_spec_read_fields(kz_spec_compiler_t *c, const kz_json_val_t *fields)
{
    ngx_uint_t         i;
    ngx_str_t         *text;
    kz_json_iter_t     it;
    kz_json_member_t   m;
    kz_spec_field_t  **list;

    if (fields->type != KZ_JSON_OBJECT) {
        kz_spec_wrong(c, kz_spec_place(c, NULL, "fields"), "object");
        return;
    }

    kz_json_iter(&it, fields);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (kz_spec_field(c, &m) == NULL) {
            c->failed = 1;
            return;
        }

        if (c->fields.nelts > KZ_SPEC_MAX_FIELDS) {
            text = ngx_array_push(c->errors);
            if (text == NULL) {
                c->failed = 1;
                return;
            }

            ngx_str_set(text, "Specifications have at most 1000 fields.");
            c->wrong = 1;

            return;
        }
    }

    list = c->fields.elts;

    for (i = 0; i < c->fields.nelts && !c->failed; i++) {
        list[i]->number = i;
        kz_spec_read_field(c, list[i]);
    }
}


/* A path that comes again replaces the one before, in its place. */

static kz_spec_field_t *
kz_spec_field(kz_spec_compiler_t *c, const kz_json_member_t *m)
{
    uint32_t           hash;
    ngx_str_t          path;
    kz_spec_field_t   *f, **slot;

    path = m->key;

    if (m->escaped) {
        path.data = ngx_pnalloc(c->pool, m->key.len);
        if (path.data == NULL) {
            return NULL;
        }

        path.len = kz_json_unescape(path.data, m->key.data, m->key.len)
                   - path.data;
    }

    f = kz_spec_find(c, path.data, path.len);

    if (f != NULL) {
        f->spec = m->val;
        return f;
    }

    slot = ngx_array_push(&c->fields);
    f = ngx_pcalloc(c->pool, sizeof(kz_spec_field_t));

    if (slot == NULL || f == NULL) {
        return NULL;
    }

    *slot = f;

    f->path = path;
    f->spec = m->val;

    hash = kz_spec_hash(path.data, path.len) & (KZ_SPEC_BUCKETS - 1);
    f->next = c->paths[hash];
    c->paths[hash] = f;

    return kz_spec_split(c, f) == NGX_OK ? f : NULL;
}


static ngx_int_t
kz_spec_split(kz_spec_compiler_t *c, kz_spec_field_t *f)
{
    size_t  i;

    f->name = f->path;
    f->depth = 1;
    f->dots.len = f->path.len;
    f->dots.data = ngx_pnalloc(c->pool, f->path.len + 1);

    if (f->dots.data == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < f->path.len; i++) {
        f->dots.data[i] = f->path.data[i];

        if (f->path.data[i] == '/') {
            f->dots.data[i] = '.';
            f->depth++;
            f->name.data = f->path.data + i + 1;
            f->name.len = f->path.len - i - 1;
        }
    }

    f->hash = kz_spec_hash(f->name.data, f->name.len);

    return NGX_OK;
}


static kz_spec_field_t *
kz_spec_find(kz_spec_compiler_t *c, const u_char *path, size_t len)
{
    uint32_t          hash;
    kz_spec_field_t  *f;

    hash = kz_spec_hash(path, len) & (KZ_SPEC_BUCKETS - 1);

    for (f = c->paths[hash]; f != NULL; f = f->next) {
        if (f->path.len == len && ngx_memcmp(f->path.data, path, len) == 0) {
            return f;
        }
    }

    return NULL;
}


static void
kz_spec_read_field(kz_spec_compiler_t *c, kz_spec_field_t *f)
{
    ngx_str_t      *place;
    kz_json_val_t   v;

    place = kz_spec_place(c, &f->path, NULL);

    f->min_count = -1;
    f->max_count = -1;

    if (f->spec.type != KZ_JSON_OBJECT) {
        kz_spec_wrong(c, place, "object");
        return;
    }

    if (!kz_spec_allowed(c, place, &f->spec, "mandatory,type,defaultValue,"
                         "description,multivalued,typeOptions"))
    {
        return;
    }

    f->mandatory = kz_spec_flag(c, &f->spec, "mandatory", &f->path);

    if (kz_json_get(&f->spec, "description", 11, &v) == NGX_OK
        && v.type != KZ_JSON_STRING)
    {
        kz_spec_wrong(c, kz_spec_place(c, &f->path, "description"),
                      "string");
    }

    if (kz_json_get(&f->spec, "defaultValue", 12, &v) == NGX_OK) {
        f->fallback = v;
    }

    if (kz_json_get(&f->spec, "multivalued", 11, &v) == NGX_OK) {
        kz_spec_read_multi(c, f, &v);
    }

    kz_spec_read_type(c, f);
}


static void
kz_spec_read_type(kz_spec_compiler_t *c, kz_spec_field_t *f)
{
    ngx_str_t       s, *place;
    kz_json_val_t   v;

    place = kz_spec_place(c, &f->path, NULL);

    if (kz_json_get(&f->spec, "type", 4, &v) != NGX_OK) {
        kz_spec_error(c, KZ_E_VALIDATION_ASSERT_MISSING_TYPE, 1, place);
        return;
    }

    s = v.raw;

    if (v.type == KZ_JSON_STRING) {
        if (kz_spec_text(c, &v, &s) != NGX_OK) {
            return;
        }

        f->type = kz_spec_type(&s);
    }

    if (f->type == NULL) {
        kz_spec_error(c, KZ_E_VALIDATION_ASSERT_UNKNOWN_TYPE, 2, place, &s);
        return;
    }

    ngx_memzero(&v, sizeof(kz_json_val_t));

    if (kz_json_get(&f->spec, "typeOptions", 11, &v) == NGX_OK) {

        place = kz_spec_place(c, &f->path, "typeOptions");

        if (v.type != KZ_JSON_OBJECT) {
            kz_spec_wrong(c, place, "object");
            return;
        }

        if (!kz_spec_allowed(c, place, &v, f->type->options)) {
            return;
        }
    }

    if (f->type->read != NULL) {
        f->type->read(c, f, &v);
    }
}


/* Every field gets its parent; fields without one are refused. */

static void
kz_spec_tree(kz_spec_compiler_t *c)
{
    u_char             depths[KZ_SPEC_MAX_DEPTH + 1];
    ngx_uint_t         i, max;
    kz_spec_field_t  **list;

    list = c->fields.elts;
    max = 0;
    ngx_memzero(depths, sizeof(depths));

    for (i = 0; i < c->fields.nelts; i++) {

        if (list[i]->depth > KZ_SPEC_MAX_DEPTH) {
            kz_spec_error(c, KZ_E_VALIDATION_ASSERT_MISSING_PARENT, 1,
                          &list[i]->path);
            return;
        }

        depths[list[i]->depth] = 1;
        max = ngx_max(max, list[i]->depth);
    }

    for (i = 1; i < max; i++) {
        if (!depths[i]) {
            kz_spec_error(c, KZ_E_VALIDATION_ASSERT_MISSING_NESTED_SPEC, 0);
            return;
        }
    }

    for (i = 0; i < c->fields.nelts && !c->failed; i++) {
        if (list[i]->depth > 1) {
            kz_spec_parent(c, list[i]);
        }
    }
}


static void
kz_spec_parent(kz_spec_compiler_t *c, kz_spec_field_t *f)
{
    ngx_str_t         type, *place;
    kz_spec_field_t  *parent;

    place = kz_spec_place(c, &f->path, NULL);
    parent = kz_spec_find(c, f->path.data, f->path.len - f->name.len - 1);

    if (parent == NULL) {
        kz_spec_error(c, KZ_E_VALIDATION_ASSERT_MISSING_PARENT, 1, place);
        return;
    }

    if (!parent->type->object) {
        type.data = (u_char *) parent->type->name;
        type.len = ngx_strlen(parent->type->name);

        kz_spec_error(c, KZ_E_VALIDATION_ASSERT_UNEXPECTED_CHILDREN, 1,
                      &type);
        return;
    }

    f->parent = parent;
}


/* Parents before their children: by depth. */

static void
kz_spec_levels(kz_spec_compiler_t *c)
{
    ngx_uint_t         i, depth, left;
    kz_spec_level_t   *level;
    kz_spec_field_t   *f, **list;

    list = c->fields.elts;
    c->spec->nfields = c->fields.nelts;

    for (i = 0; i < c->fields.nelts; i++) {
        f = list[i];
        level = f->parent ? &f->parent->level : &c->spec->root;
        f->place = level->n++;
    }

    c->spec->root.number = c->spec->nlevels++;
    kz_spec_level(c, &c->spec->root);

    for (i = 0; i < c->fields.nelts; i++) {
        f = list[i];
        f->level.number = c->spec->nlevels++;

        if (f->type->object && !c->failed) {
            kz_spec_level(c, &f->level);
        }
    }

    if (c->failed) {
        return;
    }

    left = c->fields.nelts;

    for (depth = 1; left; depth++) {

        for (i = 0; i < c->fields.nelts; i++) {
            f = list[i];

            if (f->depth != depth) {
                continue;
            }

            left--;
            level = f->parent ? &f->parent->level : &c->spec->root;

            f->level.strict = f->strict_given ? f->strict : level->strict;
            kz_spec_place_in(level, f);
            c->spec->root.fills |= level->fills;
        }
    }
}


static void
kz_spec_level(kz_spec_compiler_t *c, kz_spec_level_t *level)
{
    level->nwords = (level->n + 63) / 64;
    level->mask = 1;

    while (level->mask < level->n) {
        level->mask *= 2;
    }

    level->fields = ngx_pcalloc(c->pool, (level->n + 1)
                                         * sizeof(kz_spec_field_t *));
    level->buckets = ngx_pcalloc(c->pool, level->mask
                                          * sizeof(kz_spec_field_t *));
    level->mandatory = ngx_pcalloc(c->pool, (level->nwords + 1)
                                            * sizeof(uint64_t));
    level->defaults = ngx_pcalloc(c->pool, (level->nwords + 1)
                                           * sizeof(uint64_t));

    if (level->fields == NULL || level->buckets == NULL
        || level->mandatory == NULL || level->defaults == NULL)
    {
        c->failed = 1;
    }

    level->mask--;
}


static void
kz_spec_place_in(kz_spec_level_t *level, kz_spec_field_t *f)
{
    kz_spec_field_t  *up, **bucket;

    level->fields[f->place] = f;

    bucket = &level->buckets[f->hash & level->mask];
    f->next = *bucket;
    *bucket = f;

    if (f->mandatory && f->fallback.type == KZ_JSON_NONE) {
        kz_spec_set(level->mandatory, f->place);
    }

    if (kz_spec_truthy(&f->fallback)) {
        kz_spec_set(level->defaults, f->place);
        level->fills = 1;

        for (up = f->parent; up != NULL && up->parent != NULL;
             up = up->parent)
        {
            up->parent->level.fills = 1;
        }
    }
}


/* Kuzzle: other default values make a field optional and are not written. */

static ngx_uint_t
kz_spec_truthy(const kz_json_val_t *v)
{
    switch (v->type) {

    case KZ_JSON_NONE:
    case KZ_JSON_NULL:
    case KZ_JSON_FALSE:
        return 0;

    case KZ_JSON_STRING:
        return v->raw.len > 2;

    case KZ_JSON_NUMBER:
        return kz_json_double(v) != 0;

    default:
        return 1;
    }
}


/* They are joined by "and", so the filter says what is wrong with them. */

static void
kz_spec_read_validators(kz_spec_compiler_t *c, const kz_json_val_t *v)
{
    kz_out_t             o;
    ngx_int_t            rc;
    kz_json_err_t        jerr;
    kz_json_val_t        body;
    kz_filter_err_t      err;
    kz_filter_limits_t   limits;

    kz_out_init(&o, c->pool, v->raw.len + 16);
    kz_out_lit(&o, "{\"and\":");
    kz_out_str(&o, &v->raw);
    kz_out_char(&o, '}');

    if (kz_out_failed(&o)) {
        c->failed = 1;
        return;
    }

    ngx_memzero(&err, sizeof(kz_filter_err_t));
    ngx_memzero(&limits, sizeof(kz_filter_limits_t));
    limits.max_depth = KZ_SPEC_FILTER_DEPTH;

    if (kz_json_scan(o.start, kz_out_len(&o), KZ_SPEC_FILTER_DEPTH, &body,
                     &jerr)
        != NGX_OK)
    {
        ngx_str_set(&err.message2, "too deep");
        rc = NGX_ERROR;

    } else {
        rc = kz_filter_compile(c->pool, &body, &limits, &c->spec->filter,
                               &err);

        if (rc != NGX_OK && err.fault == KZ_FILTER_NO_MEMORY) {
            c->failed = 1;
            return;
        }

        if (rc != NGX_OK && err.fault == KZ_FILTER_TOO_COMPLEX) {
            ngx_str_set(&err.message2, "too complex");
        }
    }

    if (rc != NGX_OK) {
        kz_spec_error(c, KZ_E_VALIDATION_ASSERT_INVALID_FILTERS, 1,
                      &err.message2);
    }
}
