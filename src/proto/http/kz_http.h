#ifndef _KZ_HTTP_H_INCLUDED_
#define _KZ_HTTP_H_INCLUDED_

/*
 * HTTP: a request is turned into a query (kz_http_query.c), its reply into
 * a response (kz_http.c).
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/kz_req.h"
#include "api/kz_route.h"


typedef struct {
    ngx_http_request_t  *r;
    kz_client_t          client;
    kz_req_t            *req;          /* until it is answered */

    u_char              *body;         /* in the query's pool */
    size_t               body_len;
    size_t               body_size;

    /* for log variables, valid as long as the request */
    ngx_str_t            controller;
    ngx_str_t            action;
    ngx_uint_t           status;

    ngx_str_t            origin;       /* the header, when there was one */
    unsigned             event:1;      /* the content handler has returned */
    unsigned             head:1;       /* HEAD /: headers only */
} kz_http_ctx_t;


extern ngx_module_t      ngx_http_kuzzle_module;
extern const kz_proto_t  kz_http_proto;


/* The content handler of a location with "kuzzle". */
ngx_int_t ngx_http_kuzzle_handler(ngx_http_request_t *r);

/*
 * Fills in the query's envelope from method, URL, headers and body.
 * NGX_OK: to be run; NGX_DONE: the reply is ready (OPTIONS, HEAD);
 * NGX_ERROR: refused, the reply says why.
 */
ngx_int_t kz_http_query(kz_http_ctx_t *ctx);

/*
 * Decodes a percent-encoded part of a URL; dst has room for src->len bytes.
 * plus: "+" is a space.  NGX_ERROR: a bad escape, or not UTF-8.
 */
ngx_int_t kz_http_unescape(u_char *dst, ngx_str_t *src, ngx_uint_t plus,
    ngx_str_t *out);


#endif /* _KZ_HTTP_H_INCLUDED_ */
