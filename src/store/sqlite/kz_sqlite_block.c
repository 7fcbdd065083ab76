
/*
 * Blocks of postings: see the header.
 */

#include "store/sqlite/kz_sqlite_block.h"
#include "store/kz_mapping_node.h"


#define KZ_BLOCK_VARINT  10           /* bytes at most */

#define kz_block_zigzag(i)                                                    \
    (((uint64_t) (i) << 1) ^ (uint64_t) ((int64_t) (i) >> 63))
#define kz_block_unzigzag(n)                                                  \
    ((int64_t) (((n) >> 1) ^ (~((n) & 1) + 1)))


static ngx_int_t kz_block_room(kz_block_text_t *t, size_t size);
static u_char *kz_block_put(u_char *p, uint64_t n);
static ngx_int_t kz_block_take(kz_block_iter_t *it, uint64_t *n);
static u_char *kz_block_put_value(kz_block_writer_t *w, u_char *p,
    const kz_value_t *v);
static ngx_int_t kz_block_take_value(kz_block_iter_t *it);
static ngx_int_t kz_block_take_text(kz_block_iter_t *it);


static ngx_int_t
kz_block_room(kz_block_text_t *t, size_t size)
{
    u_char  *p;

    if (t->data != NULL && size <= t->size) {
        return NGX_OK;
    }

    size = ngx_max(size, 64);
    size += size / 2;

    p = realloc(t->data, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    t->data = p;
    t->size = size;

    return NGX_OK;
}


ngx_int_t
kz_block_copy(kz_block_text_t *t, kz_value_t *dst, const kz_value_t *v)
{
    *dst = *v;

    if (v->type != KZ_VALUE_TEXT) {
        return NGX_OK;
    }

    if (kz_block_room(t, v->text.len) != NGX_OK) {
        return NGX_ERROR;
    }

    if (v->text.len != 0) {
        ngx_memmove(t->data, v->text.data, v->text.len);
    }

    dst->text.data = t->data;

    return NGX_OK;
}


static u_char *
kz_block_put(u_char *p, uint64_t n)
{
    while (n > 0x7f) {
        *p++ = (u_char) (n | 0x80);
        n >>= 7;
    }

    *p++ = (u_char) n;

    return p;
}


static ngx_int_t
kz_block_take(kz_block_iter_t *it, uint64_t *n)
{
    u_char    c;
    uint64_t  sum;
    unsigned  shift;

    sum = 0;

    for (shift = 0; shift < 64 && it->p < it->end; shift += 7) {
        c = *it->p++;
        sum |= (uint64_t) (c & 0x7f) << shift;

        if ((c & 0x80) == 0) {
            *n = sum;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


void
kz_block_begin(kz_block_writer_t *w, int64_t base)
{
    w->base = base;
    w->n = 0;
    w->len = 0;
    w->last_i = 0;
    w->last_len = 0;
}


ngx_int_t
kz_block_add(kz_block_writer_t *w, const kz_value_t *v, int64_t r)
{
    u_char  *p;
    size_t   need;

    p = w->p + w->len;

    if (w->n == 0) {

        if (kz_block_copy(&w->key, &w->first, v) != NGX_OK
            || kz_block_copy(&w->text, &w->last, v) != NGX_OK)
        {
            return NGX_ERROR;
        }

        w->r = r;

        if (v->type == KZ_VALUE_TEXT) {
            w->last_len = v->text.len;

        } else if (v->type == KZ_VALUE_INT) {
            w->last_i = v->i;
        }

        p = kz_block_put(p, (uint64_t) (r - w->base));
        goto added;
    }

    need = w->len + KZ_BLOCK_VARINT
           + (w->first.type == KZ_VALUE_TEXT ? w->first.text.len : 0);

    if (need > KZ_BLOCK_SIZE) {
        return NGX_DECLINED;
    }

    if (kz_value_cmp(v, &w->last) == 0) {
        p = kz_block_put(p, (uint64_t) (r - w->last_r));
        goto added;
    }

    need += 2 + 2 * KZ_BLOCK_VARINT
            + (v->type == KZ_VALUE_TEXT ? v->text.len : 8);

    if (need > KZ_BLOCK_SIZE) {
        return NGX_DECLINED;
    }

    *p++ = 0;
    p = kz_block_put_value(w, p, v);

    if (kz_block_copy(&w->text, &w->last, v) != NGX_OK) {
        return NGX_ERROR;
    }

    p = kz_block_put(p, (uint64_t) (r - w->base));

added:

    w->last_r = r;
    w->len = p - w->p;
    w->n++;

    return NGX_OK;
}


static u_char *
kz_block_put_value(kz_block_writer_t *w, u_char *p, const kz_value_t *v)
{
    size_t  shared, max;

    *p++ = (u_char) v->type;

    switch (v->type) {

    case KZ_VALUE_INT:
        p = kz_block_put(p, kz_block_zigzag((int64_t) ((uint64_t) v->i
                                            - (uint64_t) w->last_i)));
        w->last_i = v->i;
        return p;

    case KZ_VALUE_REAL:
        return ngx_cpymem(p, &v->d, sizeof(double));

    default:
        break;
    }

    max = ngx_min(w->last_len, v->text.len);

    for (shared = 0; shared < max; shared++) {
        if (w->text.data[shared] != v->text.data[shared]) {
            break;
        }
    }

    p = kz_block_put(p, shared);
    p = kz_block_put(p, v->text.len - shared);
    p = ngx_cpymem(p, v->text.data + shared, v->text.len - shared);

    w->last_len = v->text.len;

    return p;
}


void
kz_block_free(kz_block_writer_t *w)
{
    free(w->key.data);
    free(w->text.data);

    ngx_memzero(&w->key, sizeof(kz_block_text_t));
    ngx_memzero(&w->text, sizeof(kz_block_text_t));
}


ngx_int_t
kz_block_iter(kz_block_iter_t *it, int64_t base, const kz_value_t *v,
    const u_char *p, size_t len)
{
    it->p = p;
    it->end = p + len;
    it->base = base;
    it->begun = 0;
    it->fresh = 0;
    it->last_i = (v->type == KZ_VALUE_INT) ? v->i : 0;
    it->last_len = (v->type == KZ_VALUE_TEXT) ? v->text.len : 0;

    return kz_block_copy(&it->text, &it->v, v);
}


ngx_int_t
kz_block_next(kz_block_iter_t *it)
{
    uint64_t  n;

    if (it->p == it->end) {
        return NGX_DONE;
    }

    if (kz_block_take(it, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!it->begun) {
        it->begun = 1;
        it->fresh = 1;

    } else if (n == 0) {

        it->fresh = 1;

        if (kz_block_take_value(it) != NGX_OK
            || kz_block_take(it, &n) != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else {
        it->fresh = 0;
        it->r = (int64_t) ((uint64_t) it->r + n);

        return NGX_OK;
    }

    it->r = (int64_t) ((uint64_t) it->base + n);

    return NGX_OK;
}


static ngx_int_t
kz_block_take_value(kz_block_iter_t *it)
{
    uint64_t  n;

    if (it->p == it->end) {
        return NGX_ERROR;
    }

    it->v.type = *it->p++;

    switch (it->v.type) {

    case KZ_VALUE_INT:
        if (kz_block_take(it, &n) != NGX_OK) {
            return NGX_ERROR;
        }

        it->v.i = (int64_t) ((uint64_t) it->last_i
                             + (uint64_t) kz_block_unzigzag(n));
        it->last_i = it->v.i;

        return NGX_OK;

    case KZ_VALUE_REAL:
        if (it->end - it->p < (ssize_t) sizeof(double)) {
            return NGX_ERROR;
        }

        ngx_memcpy(&it->v.d, it->p, sizeof(double));
        it->p += sizeof(double);

        return NGX_OK;

    case KZ_VALUE_TEXT:
        return kz_block_take_text(it);

    default:
        return NGX_ERROR;
    }
}


static ngx_int_t
kz_block_take_text(kz_block_iter_t *it)
{
    uint64_t  shared, others;

    if (kz_block_take(it, &shared) != NGX_OK
        || kz_block_take(it, &others) != NGX_OK
        || shared > it->last_len
        || others > (uint64_t) (it->end - it->p)
        || kz_block_room(&it->text, shared + others) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(it->text.data + shared, it->p, others);
    it->p += others;

    it->last_len = shared + others;
    it->v.text.data = it->text.data;
    it->v.text.len = shared + others;

    return NGX_OK;
}


void
kz_block_iter_free(kz_block_iter_t *it)
{
    free(it->text.data);
    ngx_memzero(it, sizeof(kz_block_iter_t));
}
