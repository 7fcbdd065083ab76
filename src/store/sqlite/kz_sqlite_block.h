#ifndef _KZ_SQLITE_BLOCK_H_INCLUDED_
#define _KZ_SQLITE_BLOCK_H_INCLUDED_

/*
 * A block of postings: the (value, row) pairs of one field that follow each
 * other in a segment, packed into the blob of one row
 *
 *     t<col>(s, f, v, r, n, p)      s segment, f field
 *
 * whose key (v, r) is the first pair and whose n their number.  Pure.
 *
 *     p      ::= rows ( 0 value rows )*
 *     rows   ::= varint(row - base) varint(difference to the last one)*
 *     value  ::= 1 varint(zigzag(difference to the last whole number))
 *              | 2 8 bytes of a double, as this machine has them
 *              | 3 varint(bytes shared with the last text) varint(others)
 *                  others
 *
 * base is the first row of the segment.  Values ascend as kz_value_cmp()
 * says, which is also SQLite's order; rows of a value ascend.  A block is
 * closed before it would not fit a page of the tree four times.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "store/kz_mapping.h"


#define KZ_BLOCK_SIZE  900            /* of the first text and the blob */
#define KZ_BLOCK_ROOM  1024           /* what a writer's blob may take */


/* A text of its own; malloc's. */

typedef struct {
    u_char               *data;
    size_t                size;
} kz_block_text_t;


typedef struct {
    int64_t               base;
    ngx_uint_t            n;          /* 0: empty */
    kz_value_t            first;      /* the key; its text in key */
    int64_t               r;
    kz_value_t            last;       /* its text in text */
    int64_t               last_r;
    int64_t               last_i;     /* whole number */
    size_t                last_len;   /* of the last text, in text */
    kz_block_text_t       key;
    kz_block_text_t       text;
    size_t                len;
    u_char                p[KZ_BLOCK_ROOM];
} kz_block_writer_t;


typedef struct {
    const u_char         *p;
    const u_char         *end;
    int64_t               base;
    kz_value_t            v;          /* the current pair; text in text */
    int64_t               r;
    int64_t               last_i;
    size_t                last_len;
    kz_block_text_t       text;
    unsigned              begun:1;
    unsigned              fresh:1;    /* v is not that of the pair before */
} kz_block_iter_t;


/* An empty block; what it has allocated is kept. */
void kz_block_begin(kz_block_writer_t *w, int64_t base);

/*
 * Adds a pair greater than the last one.  NGX_OK; NGX_DECLINED: it is full,
 * store it and begin another; NGX_ERROR: no memory.
 */
ngx_int_t kz_block_add(kz_block_writer_t *w, const kz_value_t *v, int64_t r);
void kz_block_free(kz_block_writer_t *w);

/*
 * Begins to read: v is the key's value (copied), the blob must stay.  The
 * iterator is zeroed before its first use, and keeps what it has allocated.
 * NGX_OK, or NGX_ERROR: no memory.
 */
ngx_int_t kz_block_iter(kz_block_iter_t *it, int64_t base,
    const kz_value_t *v, const u_char *p, size_t len);

/* NGX_OK: it->v and it->r; NGX_DONE; NGX_ERROR: damaged, or no memory. */
ngx_int_t kz_block_next(kz_block_iter_t *it);
void kz_block_iter_free(kz_block_iter_t *it);

/* A copy of v whose text lies in t.  NGX_ERROR: no memory. */
ngx_int_t kz_block_copy(kz_block_text_t *t, kz_value_t *dst,
    const kz_value_t *v);


#endif /* _KZ_SQLITE_BLOCK_H_INCLUDED_ */
