
/*
 * Settings of collections.
 *
 * What is given may write a path with dots, as nested objects, or as both;
 * it is taken apart into leaves, these are sorted, and written again as
 * nested objects.  Values stay as they were given, so that analyzers read
 * numbers as numbers.
 */

#include "store/kz_settings.h"


#define KZ_SETTINGS_PARTS   16         /* of a path */
#define KZ_SETTINGS_PATH    512
#define KZ_SETTINGS_LEAVES  4096
#define KZ_SETTINGS_LEN     (1024 * 1024)
#define KZ_SETTINGS_DEPTH   64


typedef struct {
    ngx_str_t        path;             /* decoded, with dots */
    ngx_str_t        value;            /* JSON */
    ngx_uint_t       n;                /* of those that came: the last wins */
} kz_setting_t;


typedef struct {
    ngx_pool_t      *pool;
    ngx_array_t      leaves;           /* of kz_setting_t */
    ngx_uint_t       own;              /* those that were stored */
    ngx_uint_t       creates;
    u_char          *err;
} kz_settings_t;


static ngx_int_t kz_settings_leaves(kz_settings_t *s,
    const kz_json_val_t *obj, const ngx_str_t *prefix);
static ngx_int_t kz_settings_leaf(kz_settings_t *s, const ngx_str_t *prefix,
    const ngx_str_t *key, const kz_json_val_t *v);
static ngx_int_t kz_settings_check(kz_settings_t *s);
static ngx_int_t kz_settings_check_one(kz_settings_t *s, kz_setting_t *one);
static kz_setting_t *kz_settings_stored(kz_settings_t *s,
    const ngx_str_t *path);
static ngx_int_t kz_settings_write(kz_settings_t *s, kz_out_t *o);
static ngx_uint_t kz_settings_split(const ngx_str_t *path,
    ngx_str_t *parts);
static ngx_uint_t kz_settings_same(const ngx_str_t *a, const ngx_str_t *b);
static ngx_uint_t kz_settings_equal(const ngx_str_t *a, const ngx_str_t *b);
static ngx_uint_t kz_settings_is(const ngx_str_t *s, const char *word);
static int ngx_libc_cdecl kz_settings_order(const void *one,
    const void *two);
static ngx_int_t kz_settings_refuse(kz_settings_t *s, const char *fmt,
    const ngx_str_t *arg);
static void kz_settings_value(const kz_json_val_t *v, kz_out_t *o);


ngx_int_t
kz_settings_merge(ngx_pool_t *pool, const ngx_str_t *stored,
    const kz_json_val_t *given, ngx_uint_t creates, ngx_str_t *out,
    u_char *err)
{
    kz_out_t        o;
    ngx_str_t       none;
    kz_json_val_t   v;
    kz_settings_t   s;
    kz_json_err_t   json;

    *err = '\0';
    ngx_str_null(&none);

    s.pool = pool;
    s.err = err;
    s.own = 0;
    s.creates = creates;

    if (ngx_array_init(&s.leaves, pool, 16, sizeof(kz_setting_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (given->type != KZ_JSON_OBJECT) {
        return kz_settings_refuse(&s, "the settings must be an object%V",
                                  &none);
    }

    if (stored->len) {

        if (kz_json_scan(stored->data, stored->len, KZ_SETTINGS_DEPTH, &v,
                         &json)
            != NGX_OK
            || kz_settings_leaves(&s, &v, &none) != NGX_OK)
        {
            return NGX_ERROR;
        }

        s.own = s.leaves.nelts;
    }

    if (kz_settings_leaves(&s, given, &none) != NGX_OK
        || kz_settings_check(&s) != NGX_OK)
    {
        return NGX_ERROR;
    }

    kz_out_init(&o, pool, 512);

    if (kz_settings_write(&s, &o) != NGX_OK || kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    out->data = o.start;
    out->len = kz_out_len(&o);

    if (out->len > KZ_SETTINGS_LEN) {
        return kz_settings_refuse(&s, "the settings are too long%V", &none);
    }

    return kz_settings_same(out, stored) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
kz_settings_leaves(kz_settings_t *s, const kz_json_val_t *obj,
    const ngx_str_t *prefix)
{
    ngx_str_t          key, path;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    kz_json_iter(&it, obj);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (kz_json_key(s->pool, &m, &key) != NGX_OK) {
            return NGX_ERROR;
        }

        /* Kuzzle: with the prefix "index", or without it */

        if (prefix->len == 0) {

            if (kz_settings_is(&key, "index")) {
                key.len = 0;

            } else if (key.len > 6
                       && ngx_strncmp(key.data, "index.", 6) == 0)
            {
                key.data += 6;
                key.len -= 6;
            }
        }

        if (kz_settings_leaf(s, prefix, &key, &m.val) != NGX_OK) {
            return NGX_ERROR;
        }

        if (m.val.type != KZ_JSON_OBJECT) {
            continue;
        }

        path = ((kz_setting_t *) s->leaves.elts)[--s->leaves.nelts].path;

        if (kz_settings_leaves(s, &m.val, &path) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_settings_leaf(kz_settings_t *s, const ngx_str_t *prefix,
    const ngx_str_t *key, const kz_json_val_t *v)
{
    u_char        *p;
    ngx_str_t      parts[KZ_SETTINGS_PARTS];
    ngx_uint_t     n;
    kz_setting_t  *leaf;

    n = s->leaves.nelts;

    leaf = ngx_array_push(&s->leaves);
    if (leaf == NULL) {
        return NGX_ERROR;
    }

    leaf->n = n;
    leaf->value = v->raw;
    leaf->path.len = prefix->len + 1 + key->len;

    p = ngx_pnalloc(s->pool, leaf->path.len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    leaf->path.data = p;

    if (prefix->len) {
        p = ngx_cpymem(p, prefix->data, prefix->len);
        *p++ = '.';
    }

    leaf->path.len = ngx_cpymem(p, key->data, key->len) - leaf->path.data;

    if (leaf->path.len == 0 && v->type == KZ_JSON_OBJECT) {
        return NGX_OK;
    }

    if (n == KZ_SETTINGS_LEAVES || leaf->path.len > KZ_SETTINGS_PATH
        || kz_settings_split(&leaf->path, parts) == 0)
    {
        return kz_settings_refuse(s, "unknown setting [index.%V]",
                                  &leaf->path);
    }

    return NGX_OK;
}


static ngx_int_t
kz_settings_check(kz_settings_t *s)
{
    ngx_uint_t     i;
    kz_setting_t  *leaves;

    leaves = s->leaves.elts;

    for (i = s->own; i < s->leaves.nelts; i++) {
        if (kz_settings_check_one(s, &leaves[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_settings_check_one(kz_settings_t *s, kz_setting_t *one)
{
    kz_setting_t  *was;

    if (kz_settings_is(&one->path, "creation_date")
        || kz_settings_is(&one->path, "provided_name")
        || kz_settings_is(&one->path, "uuid"))
    {
        return kz_settings_refuse(s, "private index setting [index.%V] can "
                                  "not be set explicitly", &one->path);
    }

    if (!s->creates && kz_settings_is(&one->path, "number_of_shards")) {
        was = kz_settings_stored(s, &one->path);

        if (was == NULL || !kz_settings_equal(&was->value, &one->value)) {
            return kz_settings_refuse(s, "final setting [index.%V], not "
                                      "updateable", &one->path);
        }

        one->value = was->value;
    }

    if (kz_settings_is(&one->path, "blocks.write")
        && !kz_settings_is(&one->value, "true")
        && !kz_settings_is(&one->value, "false")
        && !kz_settings_is(&one->value, "null")
        && !kz_settings_is(&one->value, "\"true\"")
        && !kz_settings_is(&one->value, "\"false\""))
    {
        return kz_settings_refuse(s, "Failed to parse the value of "
                                  "[index.%V]: only [true] or [false] are "
                                  "allowed.", &one->path);
    }

    return NGX_OK;
}


static kz_setting_t *
kz_settings_stored(kz_settings_t *s, const ngx_str_t *path)
{
    ngx_uint_t     i;
    kz_setting_t  *leaves;

    leaves = s->leaves.elts;

    for (i = 0; i < s->own; i++) {
        if (kz_settings_same(&leaves[i].path, path)) {
            return &leaves[i];
        }
    }

    return NULL;
}


/* Sorted, so that what goes into one object stands together. */

static ngx_int_t
kz_settings_write(kz_settings_t *s, kz_out_t *o)
{
    ngx_str_t      parts[2][KZ_SETTINGS_PARTS], *cur, *prev;
    ngx_uint_t     i, k, n, nprev, common;
    kz_setting_t  *leaves;

    leaves = s->leaves.elts;

    if (s->leaves.nelts > 1) {
        ngx_qsort(leaves, s->leaves.nelts, sizeof(kz_setting_t),
                  kz_settings_order);
    }

    kz_out_char(o, '{');

    cur = parts[0];
    prev = parts[1];
    nprev = 0;

    for (i = 0; i < s->leaves.nelts; i++) {

        if ((i + 1 < s->leaves.nelts
             && kz_settings_same(&leaves[i].path, &leaves[i + 1].path))
            || kz_settings_is(&leaves[i].value, "null"))
        {
            continue;
        }

        n = kz_settings_split(&leaves[i].path, cur);

        for (common = 0; common < n && common < nprev; common++) {
            if (!kz_settings_same(&cur[common], &prev[common])) {
                break;
            }
        }

        if (nprev && common == nprev) {
            return kz_settings_refuse(s, "a setting and an object have one "
                                      "name: [index.%V]", &leaves[i].path);
        }

        for (k = nprev; k > common + 1; k--) {
            kz_out_char(o, '}');
        }

        if (nprev) {
            kz_out_char(o, ',');
        }

        for (k = common; k < n; k++) {
            kz_out_json_str(o, &cur[k]);
            kz_out_char(o, ':');

            if (k + 1 < n) {
                kz_out_char(o, '{');
            }
        }

        kz_out_str(o, &leaves[i].value);

        cur = prev;
        prev = (cur == parts[0]) ? parts[1] : parts[0];
        nprev = n;
    }

    for (k = nprev; k > 1; k--) {
        kz_out_char(o, '}');
    }

    kz_out_char(o, '}');

    return NGX_OK;
}


/* The number of parts; 0: that is no path. */

static ngx_uint_t
kz_settings_split(const ngx_str_t *path, ngx_str_t *parts)
{
    u_char      *p, *last, *dot;
    ngx_uint_t   n;

    p = path->data;
    last = p + path->len;

    for (n = 0; n < KZ_SETTINGS_PARTS; /* void */ ) {

        dot = ngx_strlchr(p, last, '.');

        parts[n].data = p;
        parts[n].len = (dot ? dot : last) - p;

        if (parts[n++].len == 0) {
            return 0;
        }

        if (dot == NULL) {
            return n;
        }

        p = dot + 1;
    }

    return 0;
}


static ngx_uint_t
kz_settings_same(const ngx_str_t *a, const ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}


/* 1 and "1" are the same. */

static ngx_uint_t
kz_settings_equal(const ngx_str_t *a, const ngx_str_t *b)
{
    ngx_str_t  x, y;

    x = *a;
    y = *b;

    if (x.len > 1 && x.data[0] == '"') {
        x.data++;
        x.len -= 2;
    }

    if (y.len > 1 && y.data[0] == '"') {
        y.data++;
        y.len -= 2;
    }

    return kz_settings_same(&x, &y);
}


static ngx_uint_t
kz_settings_is(const ngx_str_t *s, const char *word)
{
    return s->len == ngx_strlen(word)
           && ngx_memcmp(s->data, word, s->len) == 0;
}


/* By paths, a dot before every other byte; then as they came. */

static int ngx_libc_cdecl
kz_settings_order(const void *one, const void *two)
{
    u_char               x, y;
    size_t               i, len;
    const kz_setting_t  *a = one;
    const kz_setting_t  *b = two;

    len = ngx_min(a->path.len, b->path.len);

    for (i = 0; i < len; i++) {
        x = a->path.data[i];
        y = b->path.data[i];

        if (x != y) {
            x = (x == '.') ? 0 : x;
            y = (y == '.') ? 0 : y;

            return (int) x - (int) y;
        }
    }

    if (a->path.len != b->path.len) {
        return a->path.len < b->path.len ? -1 : 1;
    }

    return a->n < b->n ? -1 : 1;
}


static ngx_int_t
kz_settings_refuse(kz_settings_t *s, const char *fmt, const ngx_str_t *arg)
{
    ngx_str_t  part;

    part = *arg;
    part.len = ngx_min(part.len, KZ_SETTINGS_ERR_LEN / 2);

    *ngx_snprintf(s->err, KZ_SETTINGS_ERR_LEN - 1, fmt, &part) = '\0';

    return NGX_ERROR;
}


void
kz_settings_print(const ngx_str_t *stored, kz_out_t *o)
{
    kz_json_val_t  v;

    v.type = KZ_JSON_NONE;

    if (stored->len) {
        kz_json_value(stored->data, stored->data + stored->len, &v);
    }

    if (v.type != KZ_JSON_OBJECT) {
        kz_out_lit(o, "{}");
        return;
    }

    kz_settings_value(&v, o);
}


/* No deeper than what was scanned to be stored. */

static void
kz_settings_value(const kz_json_val_t *v, kz_out_t *o)
{
    ngx_uint_t         n;
    kz_json_val_t      el;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    n = 0;

    switch (v->type) {

    case KZ_JSON_OBJECT:
        kz_out_char(o, '{');
        kz_json_iter(&it, v);

        while (kz_json_next_member(&it, &m) == NGX_OK) {

            if (n++) {
                kz_out_char(o, ',');
            }

            kz_out_char(o, '"');
            kz_out_str(o, &m.key);
            kz_out_lit(o, "\":");
            kz_settings_value(&m.val, o);
        }

        kz_out_char(o, '}');
        return;

    case KZ_JSON_ARRAY:
        kz_out_char(o, '[');
        kz_json_iter(&it, v);

        while (kz_json_next(&it, &el) == NGX_OK) {

            if (n++) {
                kz_out_char(o, ',');
            }

            kz_settings_value(&el, o);
        }

        kz_out_char(o, ']');
        return;

    case KZ_JSON_STRING:
    case KZ_JSON_NULL:
        kz_out_str(o, &v->raw);
        return;

    default:
        kz_out_char(o, '"');
        kz_out_str(o, &v->raw);
        kz_out_char(o, '"');
    }
}


ngx_uint_t
kz_settings_blocked(const ngx_str_t *stored)
{
    ngx_str_t      path;
    kz_json_val_t  obj, v;

    if (stored->len == 0) {
        return 0;
    }

    kz_json_value(stored->data, stored->data + stored->len, &obj);
    ngx_str_set(&path, "blocks.write");

    if (obj.type != KZ_JSON_OBJECT || kz_json_path(&obj, &path, &v) != NGX_OK)
    {
        return 0;
    }

    return v.type == KZ_JSON_TRUE
           || kz_json_string_is(&v, (u_char *) "true", 4) == NGX_OK;
}
