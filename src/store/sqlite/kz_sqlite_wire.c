
/*
 * Frames between the workers and the writer process.
 *
 * An operation and a result are a fixed struct with the lengths of their
 * strings, and the strings behind it, without gaps.
 */

#include "store/sqlite/kz_sqlite_wire.h"


typedef struct {
    uint64_t         seq;
    uint64_t         acked;
    int64_t          deadline;
    int64_t          timestamp;
    uint64_t         if_version;
    uint32_t         kind;
    uint32_t         dialect;
    uint32_t         flags;
    uint32_t         len[KZ_WIRE_OP_STRINGS];
} kz_wire_op_fixed_t;


typedef struct {
    uint64_t         seq;
    uint64_t         version;
    uint32_t         status;
    uint32_t         flags;
    uint32_t         len[KZ_WIRE_RESULT_STRINGS];
} kz_wire_result_fixed_t;


static size_t kz_wire_sum(const ngx_str_t *s, ngx_uint_t n);
static u_char *kz_wire_head(u_char *dst, kz_wire_type_e type, size_t len);
static u_char *kz_wire_strings(u_char *dst, const ngx_str_t *s,
    ngx_uint_t n);
static ngx_int_t kz_wire_slices(ngx_str_t *s, const uint32_t *len,
    const size_t *max, ngx_uint_t n, u_char *p, u_char *end);


static const size_t  kz_wire_op_max[KZ_WIRE_OP_STRINGS] = {
    KZ_WIRE_NAME_MAX,                  /* index */
    KZ_WIRE_NAME_MAX,                  /* collection */
    KZ_WIRE_ID_MAX,                    /* id */
    KZ_WIRE_FRAME_MAX,                 /* body */
    KZ_WIRE_FRAME_MAX,                 /* request id */
    KZ_WIRE_FRAME_MAX,                 /* volatile */
    KZ_WIRE_WORD_MAX,                  /* controller */
    KZ_WIRE_WORD_MAX,                  /* action */
    KZ_WIRE_WORD_MAX,                  /* protocol */
    KZ_WIRE_WORD_MAX,                  /* user */
    KZ_WIRE_FRAME_MAX                  /* settings */
};


static const size_t  kz_wire_result_max[KZ_WIRE_RESULT_STRINGS] = {
    KZ_WIRE_FRAME_MAX,
    KZ_WIRE_ID_MAX,
    KZ_WIRE_FRAME_MAX,
    KZ_WIRE_FRAME_MAX
};


ngx_int_t
kz_wire_frame(u_char *p, size_t len, kz_wire_frame_t *f)
{
    uint32_t  head[2];

    if (len < KZ_WIRE_HEAD) {
        return NGX_AGAIN;
    }

    ngx_memcpy(head, p, KZ_WIRE_HEAD);

    if (head[0] > KZ_WIRE_FRAME_MAX
        || head[1] == 0 || head[1] >= KZ_WIRE_MAX)
    {
        return NGX_ERROR;
    }

    if (len - KZ_WIRE_HEAD < head[0]) {
        return NGX_AGAIN;
    }

    f->type = head[1];
    f->payload = p + KZ_WIRE_HEAD;
    f->len = head[0];
    f->total = KZ_WIRE_HEAD + f->len;

    return NGX_OK;
}


static size_t
kz_wire_sum(const ngx_str_t *s, ngx_uint_t n)
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
kz_wire_head(u_char *dst, kz_wire_type_e type, size_t len)
{
    uint32_t  head[2];

    head[0] = (uint32_t) len;
    head[1] = type;

    return ngx_cpymem(dst, head, KZ_WIRE_HEAD);
}


static u_char *
kz_wire_strings(u_char *dst, const ngx_str_t *s, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (s[i].len) {
            dst = ngx_cpymem(dst, s[i].data, s[i].len);
        }
    }

    return dst;
}


/* The strings must fill the payload exactly. */

static ngx_int_t
kz_wire_slices(ngx_str_t *s, const uint32_t *len, const size_t *max,
    ngx_uint_t n, u_char *p, u_char *end)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {

        if (len[i] > max[i] || len[i] > (size_t) (end - p)) {
            return NGX_ERROR;
        }

        s[i].data = p;
        s[i].len = len[i];
        p += len[i];
    }

    return p == end ? NGX_OK : NGX_ERROR;
}


size_t
kz_wire_op_len(const kz_wire_op_t *op)
{
    return KZ_WIRE_HEAD + sizeof(kz_wire_op_fixed_t)
           + kz_wire_sum(&op->index, KZ_WIRE_OP_STRINGS);
}


u_char *
kz_wire_op_write(u_char *dst, const kz_wire_op_t *op)
{
    ngx_uint_t           i;
    kz_wire_op_fixed_t   fixed;

    ngx_memzero(&fixed, sizeof(kz_wire_op_fixed_t));

    fixed.seq = op->seq;
    fixed.acked = op->acked;
    fixed.deadline = op->deadline;
    fixed.timestamp = op->timestamp;
    fixed.if_version = op->if_version;
    fixed.kind = op->kind;
    fixed.dialect = op->dialect;
    fixed.flags = op->flags;

    for (i = 0; i < KZ_WIRE_OP_STRINGS; i++) {
        fixed.len[i] = (uint32_t) (&op->index)[i].len;
    }

    dst = kz_wire_head(dst, KZ_WIRE_OP, kz_wire_op_len(op) - KZ_WIRE_HEAD);
    dst = ngx_cpymem(dst, &fixed, sizeof(kz_wire_op_fixed_t));

    return kz_wire_strings(dst, &op->index, KZ_WIRE_OP_STRINGS);
}


void
kz_wire_op_stamp(u_char *frame, uint64_t acked, ngx_uint_t retry)
{
    kz_wire_op_fixed_t  fixed;

    ngx_memcpy(&fixed, frame + KZ_WIRE_HEAD, sizeof(kz_wire_op_fixed_t));

    fixed.acked = acked;

    if (retry) {
        fixed.flags |= KZ_WIRE_RETRY;
    }

    ngx_memcpy(frame + KZ_WIRE_HEAD, &fixed, sizeof(kz_wire_op_fixed_t));
}


ngx_int_t
kz_wire_op_read(kz_wire_op_t *op, u_char *p, size_t len)
{
    kz_wire_op_fixed_t  fixed;

    if (len < sizeof(kz_wire_op_fixed_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&fixed, p, sizeof(kz_wire_op_fixed_t));

    op->seq = fixed.seq;
    op->acked = fixed.acked;
    op->deadline = fixed.deadline;
    op->timestamp = fixed.timestamp;
    op->if_version = fixed.if_version;
    op->kind = fixed.kind;
    op->dialect = fixed.dialect;
    op->flags = fixed.flags;

    if (op->seq == 0 || op->acked >= op->seq) {
        return NGX_ERROR;
    }

    return kz_wire_slices(&op->index, fixed.len, kz_wire_op_max,
                          KZ_WIRE_OP_STRINGS,
                          p + sizeof(kz_wire_op_fixed_t), p + len);
}


size_t
kz_wire_result_len(const kz_wire_result_t *r)
{
    return KZ_WIRE_HEAD + sizeof(kz_wire_result_fixed_t)
           + kz_wire_sum(&r->detail, KZ_WIRE_RESULT_STRINGS);
}


u_char *
kz_wire_result_write(u_char *dst, const kz_wire_result_t *r)
{
    ngx_uint_t              i;
    kz_wire_result_fixed_t  fixed;

    ngx_memzero(&fixed, sizeof(kz_wire_result_fixed_t));

    fixed.seq = r->seq;
    fixed.version = r->version;
    fixed.status = r->status;
    fixed.flags = r->flags;

    for (i = 0; i < KZ_WIRE_RESULT_STRINGS; i++) {
        fixed.len[i] = (uint32_t) (&r->detail)[i].len;
    }

    dst = kz_wire_head(dst, KZ_WIRE_RESULT,
                       kz_wire_result_len(r) - KZ_WIRE_HEAD);
    dst = ngx_cpymem(dst, &fixed, sizeof(kz_wire_result_fixed_t));

    return kz_wire_strings(dst, &r->detail, KZ_WIRE_RESULT_STRINGS);
}


ngx_int_t
kz_wire_result_read(kz_wire_result_t *r, u_char *p, size_t len)
{
    kz_wire_result_fixed_t  fixed;

    if (len < sizeof(kz_wire_result_fixed_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&fixed, p, sizeof(kz_wire_result_fixed_t));

    r->seq = fixed.seq;
    r->version = fixed.version;
    r->status = fixed.status;
    r->flags = fixed.flags;

    return kz_wire_slices(&r->detail, fixed.len, kz_wire_result_max,
                          KZ_WIRE_RESULT_STRINGS,
                          p + sizeof(kz_wire_result_fixed_t), p + len);
}


u_char *
kz_wire_hello_write(u_char *dst, const kz_wire_hello_t *h)
{
    dst = kz_wire_head(dst, KZ_WIRE_HELLO, sizeof(kz_wire_hello_t));

    return ngx_cpymem(dst, h, sizeof(kz_wire_hello_t));
}


ngx_int_t
kz_wire_hello_read(kz_wire_hello_t *h, u_char *p, size_t len)
{
    if (len != sizeof(kz_wire_hello_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(h, p, sizeof(kz_wire_hello_t));

    if (h->version != KZ_WIRE_VERSION || h->session == 0) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


u_char *
kz_wire_leaving_write(u_char *dst, const kz_wire_leaving_t *l)
{
    dst = kz_wire_head(dst, KZ_WIRE_LEAVING, sizeof(kz_wire_leaving_t));

    return ngx_cpymem(dst, l, sizeof(kz_wire_leaving_t));
}


ngx_int_t
kz_wire_leaving_read(kz_wire_leaving_t *l, u_char *p, size_t len)
{
    if (len != sizeof(kz_wire_leaving_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(l, p, sizeof(kz_wire_leaving_t));

    return NGX_OK;
}


u_char *
kz_wire_bus_write(u_char *dst, kz_wire_type_e type, uint64_t bus)
{
    kz_wire_bus_t  b;

    b.bus = bus;
    dst = kz_wire_head(dst, type, sizeof(kz_wire_bus_t));

    return ngx_cpymem(dst, &b, sizeof(kz_wire_bus_t));
}


ngx_int_t
kz_wire_bus_read(uint64_t *bus, u_char *p, size_t len)
{
    kz_wire_bus_t  b;

    if (len != sizeof(kz_wire_bus_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&b, p, sizeof(kz_wire_bus_t));
    *bus = b.bus;

    return NGX_OK;
}


u_char *
kz_wire_word_write(u_char *dst, kz_wire_type_e type)
{
    return kz_wire_head(dst, type, 0);
}
