#ifndef _KZ_ARGS_H_INCLUDED_
#define _KZ_ARGS_H_INCLUDED_

/*
 * Arguments as Kuzzle reads them: from the query string they are text and a
 * flag is true by being there; in JSON they are typed.  Each returns NGX_OK,
 * NGX_DECLINED when the argument is absent (or null), or NGX_ERROR when it
 * was refused and the reply says why.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"


ngx_int_t kz_arg_string(kz_req_t *req, const char *name, ngx_str_t *s);
ngx_int_t kz_arg_int(kz_req_t *req, const char *name, int64_t *n);
ngx_int_t kz_arg_flag(kz_req_t *req, const char *name, ngx_uint_t *flag);

/*
 * "scroll": how long, in ms.  Kuzzle: 2.x has an upper limit of a minute, and
 * refuses what is no text.
 */
ngx_int_t kz_arg_scroll(kz_req_t *req, int64_t *ms);

/* A string member of the body; absent: refused as "body.<name>" missing. */
ngx_int_t kz_body_string(kz_req_t *req, const char *name, ngx_str_t *s);

/* Refuses: missing argument of that name. */
ngx_int_t kz_arg_missing(kz_req_t *req, const char *name);


#endif /* _KZ_ARGS_H_INCLUDED_ */
