#ifndef _KZ_DEFLATE_H_INCLUDED_
#define _KZ_DEFLATE_H_INCLUDED_

/*
 * Content codings of a reply: which one a client wants, and compressing.
 *
 *     kz_accept_add(&accept, value);              each Accept-Encoding
 *     coding = kz_accept_coding(&accept, &must);
 *
 *     d = kz_deflate_get(coding, level, size);    the length of the whole
 *     while (kz_deflate_run(d, ...) == NGX_AGAIN) { more room }
 *     kz_deflate_put(d);
 *
 * A compressor of zlib is up to 256 KB of tables.  Those that are put back
 * are kept, a few of each size, so that a reply costs a reset and no
 * allocation.  All of them are raw: header and trailer of gzip (RFC 1952) and
 * zlib (RFC 1950) are written here, which lets both share them.
 *
 * One thread only.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <zlib.h>


typedef enum {
    KZ_CODING_IDENTITY = 0,
    KZ_CODING_GZIP,
    KZ_CODING_DEFLATE          /* zlib's format: RFC 9110, 8.4.1.2 */
} kz_coding_e;


/* Weights in thousandths and one more; 0: not named. */

typedef struct {
    ngx_uint_t       gzip;
    ngx_uint_t       deflate;
    ngx_uint_t       identity;
    ngx_uint_t       any;              /* "*" */
} kz_accept_t;


typedef struct kz_deflate_s  kz_deflate_t;


/*
 * Reads one Accept-Encoding header (RFC 9110, 12.5.3) into a, which was
 * zeroed before the first.  A member that is not well-formed is left out.
 */
void kz_accept_add(kz_accept_t *a, const ngx_str_t *value);

/*
 * The coding of the highest weight; of equal ones gzip, deflate, identity.
 * *must: identity was refused, and a coding found.
 */
kz_coding_e kz_accept_coding(const kz_accept_t *a, ngx_uint_t *must);


/*
 * A compressor (gzip or deflate) for size bytes, level 1 to 9.  NULL: no
 * memory.
 */
kz_deflate_t *kz_deflate_get(kz_coding_e coding, ngx_int_t level,
    size_t size);

/*
 * Compresses [*in, last) to [*out, end) and moves both pointers on.  finish:
 * nothing follows what is at last.
 *
 * NGX_OK     all of it was taken; with finish: and the end is written
 * NGX_AGAIN  out is full
 * NGX_ERROR  zlib failed
 */
ngx_int_t kz_deflate_run(kz_deflate_t *d, u_char **in, u_char *last,
    u_char **out, u_char *end, ngx_uint_t finish);

/* Takes a compressor back, whatever its state. */
void kz_deflate_put(kz_deflate_t *d);

/* Frees what is kept. */
void kz_deflate_exit(void);


#endif /* _KZ_DEFLATE_H_INCLUDED_ */
