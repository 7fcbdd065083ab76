/*
 * A change as a run of bytes: a head of fixed size (numbers, then the length
 * of every string), then the strings, one behind the other.
 *
 *     [file seq version timestamp kind flags][len 0 .. 11][string 0 .. 11]
 *
 * It never leaves the machine: native byte order.
 */

#include "core/kz_change.h"


typedef struct {
    uint64_t     file;
    uint64_t     seq;
    uint64_t     version;
    int64_t      timestamp;
    uint32_t     kind;
    uint32_t     flags;
    uint32_t     len[KZ_CHANGE_STRINGS];
} kz_change_head_t;


/* In the order they travel. */

static const size_t  kz_change_strings[KZ_CHANGE_STRINGS] = {
    offsetof(kz_change_t, index),
    offsetof(kz_change_t, collection),
    offsetof(kz_change_t, id),
    offsetof(kz_change_t, old_source),
    offsetof(kz_change_t, new_source),
    offsetof(kz_change_t, changes),
    offsetof(kz_change_t, request_id),
    offsetof(kz_change_t, volatile_),
    offsetof(kz_change_t, controller),
    offsetof(kz_change_t, action),
    offsetof(kz_change_t, protocol),
    offsetof(kz_change_t, user)
};


#define kz_change_string(c, i)                                                \
    ((ngx_str_t *) ((u_char *) (c) + kz_change_strings[i]))


size_t
kz_change_len(const kz_change_t *c)
{
    size_t      len;
    ngx_uint_t  i;

    len = sizeof(kz_change_head_t);

    for (i = 0; i < KZ_CHANGE_STRINGS; i++) {
        len += kz_change_string(c, i)->len;
    }

    return len;
}


u_char *
kz_change_write(u_char *dst, const kz_change_t *c)
{
    ngx_str_t         *s;
    ngx_uint_t         i;
    kz_change_head_t   head;

    head.file = c->file;
    head.seq = c->seq;
    head.version = c->version;
    head.timestamp = c->timestamp;
    head.kind = c->kind;
    head.flags = c->flags;

    for (i = 0; i < KZ_CHANGE_STRINGS; i++) {
        head.len[i] = (uint32_t) kz_change_string(c, i)->len;
    }

    dst = ngx_cpymem(dst, &head, sizeof(kz_change_head_t));

    for (i = 0; i < KZ_CHANGE_STRINGS; i++) {
        s = kz_change_string(c, i);

        if (s->len) {
            dst = ngx_cpymem(dst, s->data, s->len);
        }
    }

    return dst;
}


ngx_int_t
kz_change_read(kz_change_t *c, u_char *p, size_t len)
{
    ngx_str_t         *s;
    ngx_uint_t         i;
    kz_change_head_t   head;

    if (len < sizeof(kz_change_head_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&head, p, sizeof(kz_change_head_t));

    if (head.kind < KZ_CHANGE_CREATE || head.kind > KZ_CHANGE_PUBLISH) {
        return NGX_ERROR;
    }

    c->file = head.file;
    c->seq = head.seq;
    c->version = head.version;
    c->timestamp = head.timestamp;
    c->kind = head.kind;
    c->flags = head.flags;

    p += sizeof(kz_change_head_t);
    len -= sizeof(kz_change_head_t);

    for (i = 0; i < KZ_CHANGE_STRINGS; i++) {

        if (head.len[i] > len) {
            return NGX_ERROR;
        }

        s = kz_change_string(c, i);
        s->len = head.len[i];
        s->data = p;

        p += s->len;
        len -= s->len;
    }

    return len ? NGX_ERROR : NGX_OK;
}
