
/*
 * Many documents in one frame: items, and what became of them.  Each is a
 * fixed struct with the lengths of its strings, and the strings behind it.
 */

#include "store/sqlite/kz_sqlite_wire.h"


typedef struct {
    uint32_t         kind;
    uint32_t         flags;
    uint32_t         len[KZ_WIRE_ITEM_STRINGS];
} kz_wire_item_fixed_t;


typedef struct {
    uint64_t         version;
    uint32_t         status;
    uint32_t         flags;
    uint32_t         len[KZ_WIRE_DONE_STRINGS];
} kz_wire_item_done_fixed_t;


static size_t kz_wire_item_sum(const ngx_str_t *s, ngx_uint_t n);
static u_char *kz_wire_item_strings(u_char *dst, const ngx_str_t *s,
    ngx_uint_t n);
static ngx_int_t kz_wire_item_slices(ngx_str_t *s, const uint32_t *len,
    ngx_uint_t n, u_char **p, u_char *end);


static size_t
kz_wire_item_sum(const ngx_str_t *s, ngx_uint_t n)
{
    size_t      sum;
    ngx_uint_t  i;

    sum = 0;

    for (i = 0; i < n; i++) {
        sum += s[i].len;
    }

    return sum;
}


static u_char *
kz_wire_item_strings(u_char *dst, const ngx_str_t *s, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (s[i].len) {
            dst = ngx_cpymem(dst, s[i].data, s[i].len);
        }
    }

    return dst;
}


static ngx_int_t
kz_wire_item_slices(ngx_str_t *s, const uint32_t *len, ngx_uint_t n,
    u_char **p, u_char *end)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {

        if (len[i] > (size_t) (end - *p)) {
            return NGX_ERROR;
        }

        s[i].data = *p;
        s[i].len = len[i];
        *p += len[i];
    }

    return NGX_OK;
}


size_t
kz_wire_item_len(const kz_wire_item_t *item)
{
    return sizeof(kz_wire_item_fixed_t)
           + kz_wire_item_sum(&item->id, KZ_WIRE_ITEM_STRINGS);
}


u_char *
kz_wire_item_write(u_char *dst, const kz_wire_item_t *item)
{
    ngx_uint_t            i;
    kz_wire_item_fixed_t  fixed;

    fixed.kind = item->kind;
    fixed.flags = item->flags;

    for (i = 0; i < KZ_WIRE_ITEM_STRINGS; i++) {
        fixed.len[i] = (uint32_t) (&item->id)[i].len;
    }

    dst = ngx_cpymem(dst, &fixed, sizeof(kz_wire_item_fixed_t));

    return kz_wire_item_strings(dst, &item->id, KZ_WIRE_ITEM_STRINGS);
}


ngx_int_t
kz_wire_item_read(kz_wire_item_t *item, u_char **p, u_char *end)
{
    kz_wire_item_fixed_t  fixed;

    if (*p == end) {
        return NGX_DONE;
    }

    if ((size_t) (end - *p) < sizeof(kz_wire_item_fixed_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&fixed, *p, sizeof(kz_wire_item_fixed_t));
    *p += sizeof(kz_wire_item_fixed_t);

    item->kind = fixed.kind;
    item->flags = fixed.flags;

    return kz_wire_item_slices(&item->id, fixed.len, KZ_WIRE_ITEM_STRINGS, p,
                               end);
}


size_t
kz_wire_item_done_len(const kz_wire_item_done_t *r)
{
    return sizeof(kz_wire_item_done_fixed_t)
           + kz_wire_item_sum(&r->detail, KZ_WIRE_DONE_STRINGS);
}


u_char *
kz_wire_item_done_write(u_char *dst, const kz_wire_item_done_t *r)
{
    ngx_uint_t                 i;
    kz_wire_item_done_fixed_t  fixed;

    ngx_memzero(&fixed, sizeof(kz_wire_item_done_fixed_t));

    fixed.version = r->version;
    fixed.status = r->status;
    fixed.flags = r->flags;

    for (i = 0; i < KZ_WIRE_DONE_STRINGS; i++) {
        fixed.len[i] = (uint32_t) (&r->detail)[i].len;
    }

    dst = ngx_cpymem(dst, &fixed, sizeof(kz_wire_item_done_fixed_t));

    return kz_wire_item_strings(dst, &r->detail, KZ_WIRE_DONE_STRINGS);
}


ngx_int_t
kz_wire_item_done_read(kz_wire_item_done_t *r, u_char **p, u_char *end)
{
    kz_wire_item_done_fixed_t  fixed;

    if (*p == end) {
        return NGX_DONE;
    }

    if ((size_t) (end - *p) < sizeof(kz_wire_item_done_fixed_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&fixed, *p, sizeof(kz_wire_item_done_fixed_t));
    *p += sizeof(kz_wire_item_done_fixed_t);

    r->version = fixed.version;
    r->status = fixed.status;
    r->flags = fixed.flags;

    return kz_wire_item_slices(&r->detail, fixed.len, KZ_WIRE_DONE_STRINGS, p,
                               end);
}
