
/*
 * Removing fields from JSON text.  See the header.
 *
 * The paths are sorted by their keys, so those that begin alike are
 * neighbours: on the way down a document each level narrows the range by
 * binary search, and one pass serves any number of paths.
 */

#include "util/kz_json_drop.h"
#include "util/kz_out.h"

#include <stdlib.h>


#define KZ_JSON_DROP_DEPTH  64         /* keys of a path; longer: ignored */


typedef struct {
    ngx_str_t         text;            /* decoded, whole */
    ngx_str_t        *key;
    ngx_uint_t        nkeys;
} kz_json_drop_path_t;


typedef struct {
    ngx_pool_t           *pool;
    kz_json_drop_path_t  *path;
    ngx_uint_t            n;
    kz_out_t              out;
} kz_json_drop_t;


static ngx_int_t kz_json_drop_paths(kz_json_drop_t *d,
    const kz_json_val_t *paths);
static ngx_int_t kz_json_drop_split(ngx_pool_t *pool,
    kz_json_drop_path_t *p);
static u_char *kz_json_drop_bracket(u_char *p, u_char *end, ngx_str_t *key);
static ngx_int_t kz_json_drop_literal(kz_json_drop_t *d,
    const kz_json_val_t *obj);
static void kz_json_drop_value(kz_json_drop_t *d, const kz_json_val_t *v,
    ngx_uint_t lo, ngx_uint_t hi, ngx_uint_t depth);
static void kz_json_drop_object(kz_json_drop_t *d, const kz_json_val_t *v,
    ngx_uint_t lo, ngx_uint_t hi, ngx_uint_t depth);
static void kz_json_drop_array(kz_json_drop_t *d, const kz_json_val_t *v,
    ngx_uint_t lo, ngx_uint_t hi, ngx_uint_t depth);
static ngx_uint_t kz_json_drop_bound(kz_json_drop_t *d, const ngx_str_t *key,
    ngx_uint_t lo, ngx_uint_t hi, ngx_uint_t depth, ngx_uint_t after);
static ngx_uint_t kz_json_drop_ends(kz_json_drop_t *d, ngx_uint_t lo,
    ngx_uint_t hi, ngx_uint_t depth);
static int kz_json_drop_cmp(const ngx_str_t *one, const ngx_str_t *two);
static int ngx_libc_cdecl kz_json_drop_cmp_text(const void *one,
    const void *two);
static int ngx_libc_cdecl kz_json_drop_cmp_keys(const void *one,
    const void *two);


ngx_int_t
kz_json_drop(ngx_pool_t *pool, const kz_json_val_t *obj,
    const kz_json_val_t *paths, ngx_str_t *out)
{
    kz_json_drop_t  d;

    d.pool = pool;

    if (kz_json_drop_paths(&d, paths) != NGX_OK
        || kz_json_drop_literal(&d, obj) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (d.n > 1) {
        qsort(d.path, d.n, sizeof(kz_json_drop_path_t),
              kz_json_drop_cmp_keys);
    }

    kz_out_init(&d.out, pool, obj->raw.len);
    kz_json_drop_value(&d, obj, 0, d.n, 0);

    if (kz_out_failed(&d.out)) {
        return NGX_ERROR;
    }

    out->data = d.out.start;
    out->len = kz_out_len(&d.out);

    return NGX_OK;
}


static ngx_int_t
kz_json_drop_paths(kz_json_drop_t *d, const kz_json_val_t *paths)
{
    ngx_uint_t            n;
    kz_json_val_t         v;
    kz_json_iter_t        it;
    kz_json_drop_path_t  *p;

    n = 0;
    kz_json_iter(&it, paths);

    while (kz_json_next(&it, &v) == NGX_OK) {
        n++;
    }

    d->n = 0;
    d->path = ngx_palloc(d->pool, (n + 1) * sizeof(kz_json_drop_path_t));

    if (d->path == NULL) {
        return NGX_ERROR;
    }

    kz_json_iter(&it, paths);

    while (kz_json_next(&it, &v) == NGX_OK) {

        if (v.type != KZ_JSON_STRING) {
            continue;
        }

        p = &d->path[d->n];

        if (kz_json_string(d->pool, &v, &p->text) != NGX_OK
            || kz_json_drop_split(d->pool, p) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (p->nkeys <= KZ_JSON_DROP_DEPTH) {
            d->n++;
        }
    }

    return NGX_OK;
}


/* The keys of a path: slices of its text. */

static ngx_int_t
kz_json_drop_split(ngx_pool_t *pool, kz_json_drop_path_t *p)
{
    u_char      *s, *end, *start;
    ngx_uint_t   max;

    s = p->text.data;
    end = s + p->text.len;
    max = 1;

    for (start = s; start < end && max <= KZ_JSON_DROP_DEPTH; start++) {
        max += (*start == '.' || *start == '[');
    }

    p->nkeys = 0;
    p->key = ngx_palloc(pool, (max + 1) * sizeof(ngx_str_t));

    if (p->key == NULL) {
        return NGX_ERROR;
    }

    for ( ;; ) {
        start = s;

        while (s < end && *s != '.' && *s != '[') {
            s++;
        }

        /* "a[0].b": between a bracket and a dot there is no key */

        if (s > start || s == p->text.data || s == end || s[-1] == '.') {

            if (!(s == start && s < end && *s == '[')) {
                p->key[p->nkeys].data = start;
                p->key[p->nkeys++].len = s - start;
            }
        }

        while (s < end && *s == '[' && p->nkeys <= KZ_JSON_DROP_DEPTH) {
            s = kz_json_drop_bracket(s + 1, end, &p->key[p->nkeys++]);
        }

        if (s == end || p->nkeys > KZ_JSON_DROP_DEPTH) {
            return NGX_OK;
        }

        if (*s == '.') {
            s++;
        }
    }
}


/* What is in the brackets, quoted or not; returns the end of them. */

static u_char *
kz_json_drop_bracket(u_char *p, u_char *end, ngx_str_t *key)
{
    u_char  close;

    close = ']';

    if (p < end && (*p == '"' || *p == '\'')) {
        close = *p++;
    }

    key->data = p;

    while (p < end && *p != close) {
        p++;
    }

    key->len = p - key->data;

    while (p < end && *p != ']') {
        p++;
    }

    return p < end ? p + 1 : end;
}


/* Paths that are the key of a root member: they mean that one. */

static ngx_int_t
kz_json_drop_literal(kz_json_drop_t *d, const kz_json_val_t *obj)
{
    kz_json_iter_t        it;
    kz_json_member_t      m;
    kz_json_drop_path_t   key, *p;

    if (d->n == 0) {
        return NGX_OK;
    }

    qsort(d->path, d->n, sizeof(kz_json_drop_path_t), kz_json_drop_cmp_text);

    kz_json_iter(&it, obj);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        key.text = m.key;

        if (m.escaped) {
            key.text.data = ngx_pnalloc(d->pool, m.key.len);

            if (key.text.data == NULL) {
                return NGX_ERROR;
            }

            key.text.len = kz_json_unescape(key.text.data, m.key.data,
                                            m.key.len)
                           - key.text.data;
        }

        p = bsearch(&key, d->path, d->n, sizeof(kz_json_drop_path_t),
                    kz_json_drop_cmp_text);

        if (p) {
            p->key[0] = p->text;
            p->nkeys = 1;
        }
    }

    return NGX_OK;
}


/* The value, without what the paths lo .. hi - 1 mean below it. */

static void
kz_json_drop_value(kz_json_drop_t *d, const kz_json_val_t *v, ngx_uint_t lo,
    ngx_uint_t hi, ngx_uint_t depth)
{
    if (lo < hi && v->type == KZ_JSON_OBJECT) {
        kz_json_drop_object(d, v, lo, hi, depth);

    } else if (lo < hi && v->type == KZ_JSON_ARRAY) {
        kz_json_drop_array(d, v, lo, hi, depth);

    } else {
        kz_out_str(&d->out, &v->raw);
    }
}


static void
kz_json_drop_object(kz_json_drop_t *d, const kz_json_val_t *v, ngx_uint_t lo,
    ngx_uint_t hi, ngx_uint_t depth)
{
    u_char            *p;
    ngx_str_t          key;
    ngx_uint_t         n, from, to;
    kz_json_iter_t     it;
    kz_json_member_t   m;

    n = 0;
    kz_out_char(&d->out, '{');
    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        key = m.key;

        if (m.escaped) {
            p = ngx_pnalloc(d->pool, m.key.len);

            if (p == NULL) {
                d->out.failed = 1;
                return;
            }

            key.data = p;
            key.len = kz_json_unescape(p, m.key.data, m.key.len) - p;
        }

        from = kz_json_drop_bound(d, &key, lo, hi, depth, 0);
        to = kz_json_drop_bound(d, &key, from, hi, depth, 1);

        if (kz_json_drop_ends(d, from, to, depth)) {
            continue;
        }

        if (n++) {
            kz_out_char(&d->out, ',');
        }

        kz_out_char(&d->out, '"');
        kz_out_str(&d->out, &m.key);
        kz_out_lit(&d->out, "\":");
        kz_json_drop_value(d, &m.val, from, to, depth + 1);
    }

    kz_out_char(&d->out, '}');
}


static void
kz_json_drop_array(kz_json_drop_t *d, const kz_json_val_t *v, ngx_uint_t lo,
    ngx_uint_t hi, ngx_uint_t depth)
{
    u_char          number[NGX_INT_T_LEN];
    ngx_str_t       key;
    ngx_uint_t      n, from, to;
    kz_json_val_t   e;
    kz_json_iter_t  it;

    n = 0;
    key.data = number;
    kz_out_char(&d->out, '[');
    kz_json_iter(&it, v);

    while (kz_json_next(&it, &e) == NGX_OK) {

        key.len = ngx_sprintf(number, "%ui", n) - number;

        if (n++) {
            kz_out_char(&d->out, ',');
        }

        from = kz_json_drop_bound(d, &key, lo, hi, depth, 0);
        to = kz_json_drop_bound(d, &key, from, hi, depth, 1);

        if (kz_json_drop_ends(d, from, to, depth)) {
            kz_out_lit(&d->out, "null");
            continue;
        }

        kz_json_drop_value(d, &e, from, to, depth + 1);
    }

    kz_out_char(&d->out, ']');
}


/*
 * The first path of the range whose key at that depth is not before this
 * one, or (after) is behind it.  Paths of a range have more keys than depth.
 */

static ngx_uint_t
kz_json_drop_bound(kz_json_drop_t *d, const ngx_str_t *key, ngx_uint_t lo,
    ngx_uint_t hi, ngx_uint_t depth, ngx_uint_t after)
{
    int         cmp;
    ngx_uint_t  mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        cmp = kz_json_drop_cmp(&d->path[mid].key[depth], key);

        if (cmp < 0 || (after && cmp == 0)) {
            lo = mid + 1;

        } else {
            hi = mid;
        }
    }

    return lo;
}


/* Whether one of them ends here: the shortest comes first. */

static ngx_uint_t
kz_json_drop_ends(kz_json_drop_t *d, ngx_uint_t lo, ngx_uint_t hi,
    ngx_uint_t depth)
{
    return lo < hi && d->path[lo].nkeys == depth + 1;
}


static int
kz_json_drop_cmp(const ngx_str_t *one, const ngx_str_t *two)
{
    int  rc;

    rc = ngx_memcmp(one->data, two->data, ngx_min(one->len, two->len));

    if (rc) {
        return rc;
    }

    return (one->len > two->len) - (one->len < two->len);
}


static int ngx_libc_cdecl
kz_json_drop_cmp_text(const void *one, const void *two)
{
    const kz_json_drop_path_t  *a = one;
    const kz_json_drop_path_t  *b = two;

    return kz_json_drop_cmp(&a->text, &b->text);
}


static int ngx_libc_cdecl
kz_json_drop_cmp_keys(const void *one, const void *two)
{
    int                         rc;
    ngx_uint_t                  i;
    const kz_json_drop_path_t  *a = one;
    const kz_json_drop_path_t  *b = two;

    for (i = 0; i < a->nkeys && i < b->nkeys; i++) {
        rc = kz_json_drop_cmp(&a->key[i], &b->key[i]);

        if (rc) {
            return rc;
        }
    }

    return (a->nkeys > b->nkeys) - (a->nkeys < b->nkeys);
}
