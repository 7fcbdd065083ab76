#ifndef _KZ_INFLATE_H_INCLUDED_
#define _KZ_INFLATE_H_INCLUDED_

/*
 * Content codings undone (RFC 9110, 8.4): bytes in, bytes out, in pieces of
 * any size and in turns of bounded work.
 *
 *     input -> layer -> 8 KB -> layer -> 8 KB -> ... layer -> caller's room
 *
 * "gzip" is any number of members (RFC 1952, 2.2), "deflate" is a zlib
 * stream (RFC 9110, 8.4.1.2).  Zero bytes may follow either, as padding;
 * anything else there is refused.  A layer costs about 50 KB of memory,
 * whatever it decodes.
 */

#include <ngx_config.h>
#include <ngx_core.h>


#define KZ_INFLATE_MAX_LAYERS  16


typedef enum {
    KZ_INFLATE_GZIP = 0,
    KZ_INFLATE_ZLIB
} kz_inflate_coding_e;


typedef struct {
    kz_inflate_coding_e   codings[KZ_INFLATE_MAX_LAYERS];
    ngx_uint_t            n;         /* in the order of decoding */
    ngx_str_t             unknown;   /* a slice of the list */
} kz_inflate_list_t;


typedef struct {
    u_char               *pos;       /* input: moves */
    u_char               *end;
    u_char               *out;       /* room for output: moves */
    u_char               *out_end;
    unsigned              last:1;    /* nothing comes after this input */
} kz_inflate_io_t;


typedef struct kz_inflate_layer_s  kz_inflate_layer_t;

typedef struct {
    ngx_pool_t           *pool;
    kz_inflate_layer_t   *layers;
    ngx_uint_t            n;
    size_t                max;       /* bytes a layer may produce */
    ssize_t               budget;    /* work left in this turn, set by the
                                        caller; a byte of output is one */
    const char           *what;      /* the reason of an NGX_ERROR, ASCII */
} kz_inflate_t;


/*
 * Reads a list of codings.  They were applied in that order, so the last one
 * comes first in list->codings; "identity" counts as one of max, but is left
 * out.
 *
 * NGX_OK; NGX_DECLINED: more than max; NGX_ERROR: list->unknown is none of
 * them, and list->n come before it.
 */
ngx_int_t kz_inflate_list(kz_inflate_list_t *list, ngx_str_t *text,
    ngx_uint_t max);

/* list->n is at least 1.  NULL: no memory. */
kz_inflate_t *kz_inflate_create(ngx_pool_t *pool,
    const kz_inflate_list_t *list, size_t max);

/*
 * NGX_OK        with io->last: the end, everything has been decoded
 * NGX_AGAIN     all input was taken, more is needed
 * NGX_BUSY      the room, or the budget, is used up
 * NGX_DECLINED  a layer produced more than max bytes; to see that, the
 *               caller's room must reach max + 1
 * NGX_ERROR     z->what says what is wrong with the input; NULL: no memory
 */
ngx_int_t kz_inflate_run(kz_inflate_t *z, kz_inflate_io_t *io);

/* Gives the memory back before the pool does. */
void kz_inflate_free(kz_inflate_t *z);


#endif /* _KZ_INFLATE_H_INCLUDED_ */
