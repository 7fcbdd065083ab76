#ifndef _KZ_NO_SCROLL_H_INCLUDED_
#define _KZ_NO_SCROLL_H_INCLUDED_

/*
 * What a search needs of the rest of nginx and of the store, for tests
 * whose searches are no scrolls.  Included once by a program.
 */

#include "store/sqlite/kz_sqlite_search.h"


kz_scroll_file_t *
kz_scroll_open(kz_scroll_t *s, uint64_t file, int64_t col)
{
    (void) s;
    (void) file;
    (void) col;

    return NULL;
}


ngx_int_t
kz_scroll_add(kz_scroll_file_t *f, const ngx_str_t *id,
    const ngx_str_t *sort, double score, ngx_uint_t shown)
{
    (void) f;
    (void) id;
    (void) sort;
    (void) score;
    (void) shown;

    return NGX_ERROR;
}


ngx_int_t
kz_scroll_close(kz_scroll_file_t *f, ngx_uint_t keep)
{
    (void) f;
    (void) keep;

    return NGX_ERROR;
}


/* Collapse looks its groups up with it. */

uint32_t
ngx_murmur_hash2(u_char *data, size_t len)
{
    uint32_t  h = 2166136261u;

    while (len--) {
        h = (h ^ *data++) * 16777619u;
    }

    return h;
}


/* As in nginx; filled before main(). */

static uint32_t   crc32_short[16];
uint32_t         *ngx_crc32_table_short = crc32_short;
uint32_t          ngx_crc32_table256[256];


static void __attribute__((constructor))
crc32_fill(void)
{
    uint32_t  i, j, c;

    for (i = 0; i < 256; i++) {
        for (c = i, j = 0; j < 8; j++) {
            c = (c >> 1) ^ ((c & 1) ? 0xedb88320u : 0);
        }

        ngx_crc32_table256[i] = c;
    }

    for (i = 0; i < 16; i++) {
        crc32_short[i] = ngx_crc32_table256[i << 4];
    }
}


#endif /* _KZ_NO_SCROLL_H_INCLUDED_ */
