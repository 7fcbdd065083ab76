
/*
 * New JSON text out of old: without white space (kz_json_compact), and the
 * merge of a partial document into a stored one (kz_json_merge).
 *
 * A merge never makes text longer than its two inputs together, so the
 * result is allocated once.  Each object is laid out as a list of entries,
 * one for each different key:
 *
 *     old      {"a":1,"b":{"x":1},"a":2}
 *     changes  {"c":3,"b":{"y":2}}
 *     entries   a: 2        b: {"x":1} + {"y":2}      c: 3
 *
 * Repeated keys are found by sorting, not by comparing all with all: one
 * hostile document must not hold the event loop.  The entries of all objects
 * that are open lie in one growing list, those of the innermost at its end.
 */

#include "util/kz_json_scan.h"
#include "util/kz_json_lex.h"

#include <stdlib.h>


/* up to this many entries comparing all with all is cheaper than sorting */
#define KZ_JSON_MERGE_FEW  12


typedef struct {
    ngx_str_t       key;          /* decoded */
    ngx_str_t       raw;          /* as written, without the quotes */
    ngx_uint_t      order;
    kz_json_val_t   old;          /* the last one, KZ_JSON_NONE: absent */
    kz_json_val_t   change;       /* the last one, KZ_JSON_NONE: absent */
} kz_json_entry_t;


typedef struct {
    ngx_pool_t       *pool;       /* for decoded keys, and the list */
    kz_json_entry_t  *entry;
    ngx_uint_t        n;
    ngx_uint_t        size;
    u_char           *pos;        /* of the output */
} kz_json_merge_t;


static ngx_int_t kz_json_merge_value(kz_json_merge_t *ctx,
    const kz_json_val_t *old, const kz_json_val_t *change);
static ngx_int_t kz_json_merge_array(kz_json_merge_t *ctx,
    const kz_json_val_t *v);
static ngx_int_t kz_json_merge_object(kz_json_merge_t *ctx,
    const kz_json_val_t *old, const kz_json_val_t *change);
static ngx_int_t kz_json_merge_collect(kz_json_merge_t *ctx,
    const kz_json_val_t *v, ngx_uint_t change);
static kz_json_entry_t *kz_json_merge_entry(kz_json_merge_t *ctx);
static void kz_json_merge_few(kz_json_merge_t *ctx, ngx_uint_t first);
static void kz_json_merge_many(kz_json_merge_t *ctx, ngx_uint_t first);
static void kz_json_merge_join(kz_json_entry_t *first,
    kz_json_entry_t *later);
static int ngx_libc_cdecl kz_json_merge_cmp_key(const void *one,
    const void *two);
static int ngx_libc_cdecl kz_json_merge_cmp_order(const void *one,
    const void *two);


u_char *
kz_json_compact(u_char *dst, const u_char *src, size_t len)
{
    u_char      *p, *run, *end;
    ngx_uint_t   escaped;

    p = (u_char *) src;
    end = p + len;

    while (p < end) {
        p = kz_json_space(p, end);
        run = p;

        while (p < end && *p > ' ') {

            if (*p == '"') {
                p = kz_json_string_end(p + 1, end, &escaped);

                if (p == end) {
                    break;
                }
            }

            p++;
        }

        if (dst != run) {
            ngx_memmove(dst, run, p - run);
        }

        dst += p - run;

        if (p == run && p < end) {
            p++;            /* a control character: the text is not JSON */
        }
    }

    return dst;
}


ngx_int_t
kz_json_merge(ngx_pool_t *pool, const kz_json_val_t *old,
    const kz_json_val_t *changes, ngx_str_t *out)
{
    ngx_int_t        rc;
    kz_json_merge_t  ctx;

    out->data = ngx_pnalloc(pool, old->raw.len + changes->raw.len);

    if (out->data == NULL) {
        return NGX_ERROR;
    }

    /* what is needed on the way goes away with its own pool */

    ngx_memzero(&ctx, sizeof(kz_json_merge_t));

    ctx.pos = out->data;
    ctx.pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, pool->log);

    if (ctx.pool == NULL) {
        return NGX_ERROR;
    }

    rc = kz_json_merge_value(&ctx, old, changes);

    ngx_destroy_pool(ctx.pool);

    out->len = ctx.pos - out->data;

    return rc;
}


/* Writes what comes out of the two; one of them may be KZ_JSON_NONE. */
static ngx_int_t
kz_json_merge_value(kz_json_merge_t *ctx, const kz_json_val_t *old,
    const kz_json_val_t *change)
{
    const kz_json_val_t  *v;

    if (old->type == KZ_JSON_OBJECT && change->type == KZ_JSON_OBJECT) {
        return kz_json_merge_object(ctx, old, change);
    }

    v = (change->type == KZ_JSON_NONE) ? old : change;

    switch (v->type) {

    case KZ_JSON_OBJECT:
        return kz_json_merge_object(ctx, v, NULL);

    case KZ_JSON_ARRAY:
        return kz_json_merge_array(ctx, v);

    default:
        ctx->pos = ngx_cpymem(ctx->pos, v->raw.data, v->raw.len);
        return NGX_OK;
    }
}


static ngx_int_t
kz_json_merge_array(kz_json_merge_t *ctx, const kz_json_val_t *v)
{
    ngx_uint_t       n;
    kz_json_val_t    element;
    kz_json_iter_t   it;

    static const kz_json_val_t  none;

    *ctx->pos++ = '[';

    kz_json_iter(&it, v);

    for (n = 0; kz_json_next(&it, &element) == NGX_OK; n++) {
        if (n > 0) {
            *ctx->pos++ = ',';
        }

        if (kz_json_merge_value(ctx, &element, &none) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    *ctx->pos++ = ']';

    return NGX_OK;
}


/* change is NULL when old only has to be written without repeated keys. */
static ngx_int_t
kz_json_merge_object(kz_json_merge_t *ctx, const kz_json_val_t *old,
    const kz_json_val_t *change)
{
    ngx_uint_t       i, n, first, last;
    kz_json_entry_t  e;

    first = ctx->n;

    if (kz_json_merge_collect(ctx, old, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    if (change != NULL && kz_json_merge_collect(ctx, change, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->n - first <= KZ_JSON_MERGE_FEW) {
        kz_json_merge_few(ctx, first);

    } else {
        kz_json_merge_many(ctx, first);
    }

    last = ctx->n;
    n = 0;

    *ctx->pos++ = '{';

    for (i = first; i < last; i++) {

        /* a copy: the list may move while the value is written */
        e = ctx->entry[i];

        if (n++ > 0) {
            *ctx->pos++ = ',';
        }

        *ctx->pos++ = '"';
        ctx->pos = ngx_cpymem(ctx->pos, e.raw.data, e.raw.len);
        *ctx->pos++ = '"';
        *ctx->pos++ = ':';

        if (kz_json_merge_value(ctx, &e.old, &e.change) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    *ctx->pos++ = '}';

    ctx->n = first;

    return NGX_OK;
}


/* Appends the members of an object to the list, repeated ones included. */
static ngx_int_t
kz_json_merge_collect(kz_json_merge_t *ctx, const kz_json_val_t *v,
    ngx_uint_t change)
{
    kz_json_iter_t     it;
    kz_json_entry_t   *e;
    kz_json_member_t   m;

    kz_json_iter(&it, v);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        e = kz_json_merge_entry(ctx);

        if (e == NULL) {
            return NGX_ERROR;
        }

        e->raw = m.key;
        e->key = m.key;

        if (m.escaped) {
            e->key.data = ngx_pnalloc(ctx->pool, m.key.len);

            if (e->key.data == NULL) {
                return NGX_ERROR;
            }

            e->key.len = kz_json_unescape(e->key.data, m.key.data, m.key.len)
                         - e->key.data;
        }

        e->old.type = KZ_JSON_NONE;
        e->change.type = KZ_JSON_NONE;

        if (change) {
            e->change = m.val;

        } else {
            e->old = m.val;
        }
    }

    return NGX_OK;
}


static kz_json_entry_t *
kz_json_merge_entry(kz_json_merge_t *ctx)
{
    ngx_uint_t        size;
    kz_json_entry_t  *entry;

    if (ctx->n == ctx->size) {
        size = ctx->size ? 2 * ctx->size : 16;

        entry = ngx_palloc(ctx->pool, size * sizeof(kz_json_entry_t));

        if (entry == NULL) {
            return NULL;
        }

        if (ctx->n > 0) {
            ngx_memcpy(entry, ctx->entry, ctx->n * sizeof(kz_json_entry_t));
            (void) ngx_pfree(ctx->pool, ctx->entry);
        }

        ctx->entry = entry;
        ctx->size = size;
    }

    entry = &ctx->entry[ctx->n];
    entry->order = ctx->n++;

    return entry;
}


/* Leaves one entry a key, from the given one on, in order of appearance. */
static void
kz_json_merge_few(kz_json_merge_t *ctx, ngx_uint_t first)
{
    ngx_uint_t        i, j, last;
    kz_json_entry_t  *e;

    e = ctx->entry;
    last = first;

    for (i = first; i < ctx->n; i++) {

        for (j = first; j < last; j++) {
            if (e[i].key.len == e[j].key.len
                && ngx_memcmp(e[i].key.data, e[j].key.data, e[i].key.len)
                   == 0)
            {
                break;
            }
        }

        if (j < last) {
            kz_json_merge_join(&e[j], &e[i]);
            continue;
        }

        if (i != last) {
            e[last] = e[i];
        }

        last++;
    }

    ctx->n = last;
}


/* The same for an object of any size. */
static void
kz_json_merge_many(kz_json_merge_t *ctx, ngx_uint_t first)
{
    ngx_uint_t        i, last;
    kz_json_entry_t  *e;

    e = ctx->entry;
    last = first;

    ngx_qsort(&e[first], ctx->n - first, sizeof(kz_json_entry_t),
              kz_json_merge_cmp_key);

    for (i = first + 1; i < ctx->n; i++) {

        if (e[i].key.len == e[last].key.len
            && ngx_memcmp(e[i].key.data, e[last].key.data, e[i].key.len)
               == 0)
        {
            kz_json_merge_join(&e[last], &e[i]);
            continue;
        }

        last++;

        if (i != last) {
            e[last] = e[i];
        }
    }

    ctx->n = last + 1;

    ngx_qsort(&e[first], ctx->n - first, sizeof(kz_json_entry_t),
              kz_json_merge_cmp_order);
}


/* A repeated key: what came later wins, the place is that of the first. */
static void
kz_json_merge_join(kz_json_entry_t *first, kz_json_entry_t *later)
{
    if (later->old.type != KZ_JSON_NONE) {
        first->old = later->old;
    }

    if (later->change.type != KZ_JSON_NONE) {
        first->change = later->change;
    }
}


static int ngx_libc_cdecl
kz_json_merge_cmp_key(const void *one, const void *two)
{
    int                     rc;
    const kz_json_entry_t  *a = one, *b = two;

    if (a->key.len != b->key.len) {
        return (a->key.len < b->key.len) ? -1 : 1;
    }

    rc = ngx_memcmp(a->key.data, b->key.data, a->key.len);

    return (rc != 0) ? rc : kz_json_merge_cmp_order(one, two);
}


static int ngx_libc_cdecl
kz_json_merge_cmp_order(const void *one, const void *two)
{
    const kz_json_entry_t  *a = one, *b = two;

    return (a->order < b->order) ? -1 : (a->order > b->order);
}
