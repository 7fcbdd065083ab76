#ifndef _KZ_OUT_H_INCLUDED_
#define _KZ_OUT_H_INCLUDED_

/*
 * A growing byte buffer in a pool, for everything that is assembled from
 * slices.  A failed allocation is remembered: callers append without looking
 * and ask kz_out_failed() once, at the end.
 */

#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_pool_t  *pool;
    u_char      *start;
    u_char      *pos;          /* the next byte goes here */
    u_char      *end;
    unsigned     failed:1;
} kz_out_t;


/* size is a first guess, not a limit. */
void kz_out_init(kz_out_t *o, ngx_pool_t *pool, size_t size);

/* Makes room for n more bytes at o->pos; NGX_ERROR: no memory. */
ngx_int_t kz_out_room(kz_out_t *o, size_t n);

void kz_out_bytes(kz_out_t *o, const void *p, size_t n);
void kz_out_int(kz_out_t *o, int64_t n);

/* Quoted and escaped by RFC 8259; the bytes are valid UTF-8. */
void kz_out_json(kz_out_t *o, const u_char *p, size_t n);

#define kz_out_str(o, s)       kz_out_bytes(o, (s)->data, (s)->len)
#define kz_out_lit(o, s)       kz_out_const(o, s, sizeof(s) - 1)
#define kz_out_json_str(o, s)  kz_out_json(o, (s)->data, (s)->len)
#define kz_out_len(o)          ((size_t) ((o)->pos - (o)->start))
#define kz_out_failed(o)       ((o)->failed)


static ngx_inline void
kz_out_char(kz_out_t *o, u_char c)
{
    if (o->pos < o->end || kz_out_room(o, 1) == NGX_OK) {
        *o->pos++ = c;
    }
}


/* n is known to the compiler, which then has no need of a call. */

static ngx_inline void
kz_out_const(kz_out_t *o, const void *p, size_t n)
{
    if ((size_t) (o->end - o->pos) < n) {
        kz_out_bytes(o, p, n);
        return;
    }

    o->pos = ngx_cpymem(o->pos, p, n);
}


#endif /* _KZ_OUT_H_INCLUDED_ */
