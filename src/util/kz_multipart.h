#ifndef _KZ_MULTIPART_H_INCLUDED_
#define _KZ_MULTIPART_H_INCLUDED_

/*
 * multipart/form-data (RFC 7578, RFC 2046 5.1): a whole body becomes the
 * fields of a form.
 *
 *     preamble CRLF
 *     --boundary CRLF
 *     Content-Disposition: form-data; name="a" CRLF
 *     CRLF
 *     value CRLF
 *     --boundary--
 *     epilogue
 *
 * What a part contains is a value, also when it is a multipart itself.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "util/kz_form.h"


#define KZ_MULTIPART_MAX_BOUNDARY  256
#define KZ_MULTIPART_MAX_HEADERS   8192


/*
 * The boundary that a Content-Type names.  NGX_OK; NGX_ERROR: f->what, or no
 * memory.
 */
ngx_int_t kz_multipart_boundary(kz_form_t *f, ngx_str_t *type,
    ngx_str_t *boundary);

/*
 * Adds the parts of the body to the form; they refer to the body.
 *
 * Kuzzle: what a file is depends on the generation.  1: a part that has a
 * filename or is an application/octet-stream; its encoding is the transfer
 * encoding it names (the bytes stay as they are), its type comes without
 * parameters, its name without a path.  2: a part whose filename is not
 * empty; its encoding is the content type it names.
 *
 * NGX_OK; NGX_DECLINED: too much, f->file_too_large: a file of more than
 * file_max bytes; NGX_ERROR: f->what says what is wrong, NULL: no memory.
 */
ngx_int_t kz_multipart_parse(kz_form_t *f, ngx_str_t *boundary, u_char *body,
    size_t len, size_t file_max);


#endif /* _KZ_MULTIPART_H_INCLUDED_ */
