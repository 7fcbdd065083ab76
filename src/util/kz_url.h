#ifndef _KZ_URL_H_INCLUDED_
#define _KZ_URL_H_INCLUDED_

/*
 * Paths and query strings, taken apart: bytes in, decoded text out.  A form
 * body (application/x-www-form-urlencoded) has the form of a query string.
 *
 * Decoding never makes a text longer, so who has as many bytes as the input
 * has room for all parts of it, one after the other.
 */

#include <ngx_config.h>
#include <ngx_core.h>


/* What is left to be read. */

typedef struct {
    u_char    *pos;
    u_char    *end;
} kz_url_t;


/*
 * Decodes percent escapes; dst has room for src->len bytes and may be
 * src->data.  plus: "+" is a space.  NGX_ERROR: a bad escape, or not UTF-8.
 */
ngx_int_t kz_url_unescape(u_char *dst, const ngx_str_t *src, ngx_uint_t plus,
    ngx_str_t *out);

/*
 * The next name=value of a query string, decoded into dst (advanced).  Empty
 * pairs ("&&") are skipped; a name without "=" has an empty value.
 *
 * NGX_OK, NGX_DONE at the end, NGX_ERROR: a bad escape, or not UTF-8.
 */
ngx_int_t kz_url_next_arg(kz_url_t *u, u_char **dst, ngx_str_t *name,
    ngx_str_t *value);

/*
 * The next part of a path, decoded into dst (advanced) unless raw; empty
 * parts ("//") are skipped.
 *
 * NGX_OK, NGX_DONE at the end, NGX_ERROR: a bad escape, not UTF-8, or a dot
 * segment: what a server in front has made of the path would not be what it
 * says.
 */
ngx_int_t kz_url_next_part(kz_url_t *u, u_char **dst, ngx_uint_t raw,
    ngx_str_t *part);

ngx_int_t kz_url_utf8(const ngx_str_t *s);


#endif /* _KZ_URL_H_INCLUDED_ */
