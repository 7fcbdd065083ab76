#ifndef _KZ_HTTP_H_INCLUDED_
#define _KZ_HTTP_H_INCLUDED_

/*
 * HTTP.
 *
 *     kz_http.c          content handler, life of a request
 *     kz_http_body.c     reads the body, decodes its Content-Encoding
 *     kz_http_query.c    headers and route: a request becomes a query
 *     kz_http_url.c      path and query string
 *     kz_http_content.c  JSON, forms: what a body says
 *     kz_http_reply.c    status, headers, encoding of the reply
 *     kz_http_vars.c     variables
 *     kz_http_conf.c     settings of a location
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/kz_req.h"
#include "api/kz_route.h"


/* At most one part more than any route has. */

#define KZ_HTTP_MAX_PARTS  (KZ_ROUTE_MAX_PARTS + 1)


/* The headers nginx has no field for; data == NULL: absent. */

typedef struct {
    ngx_str_t            volatile_;
    ngx_str_t            request_id;
    ngx_str_t            cookie;           /* authToken's value */
    ngx_str_t            encoding;         /* Content-Encoding */
    ngx_str_t            accept_encoding;
    ngx_str_t            origin;
} kz_http_in_t;


typedef struct {
    ngx_http_request_t  *r;
    kz_client_t          client;
    kz_req_t            *req;          /* until it is answered */
    kz_http_in_t         in;

    u_char              *body;         /* decoded, in the query's pool */
    size_t               body_len;
    size_t               body_size;

    /* for variables, valid as long as the request */
    ngx_str_t            controller;
    ngx_str_t            action;
    ngx_uint_t           status;

    unsigned             event:1;      /* the content handler has returned */
    unsigned             head:1;       /* HEAD /: headers only */
} kz_http_ctx_t;


extern ngx_module_t      ngx_http_kuzzle_module;
extern const kz_proto_t  kz_http_proto;


/* kz_http.c */

/* The content handler of a location with "kuzzle". */
ngx_int_t ngx_http_kuzzle_handler(ngx_http_request_t *r);

/* The body is there: makes the query and runs it. */
void kz_http_run(kz_http_ctx_t *ctx);


/* kz_http_body.c */

/* Reads the body, if there is one, then kz_http_run(); what nginx expects. */
ngx_int_t kz_http_body_start(kz_http_ctx_t *ctx);


/* kz_http_query.c */

/* One pass over the headers, before the body is read: ctx->in. */
void kz_http_headers_in(kz_http_ctx_t *ctx);

/*
 * Fills in the query's envelope from method, URL, headers and body.
 * NGX_OK: to be run; NGX_DONE: the reply is ready (OPTIONS, HEAD);
 * NGX_ERROR: refused, the reply says why.
 */
ngx_int_t kz_http_query(kz_http_ctx_t *ctx);


/* kz_http_content.c */

/*
 * The body becomes req->body.  NGX_ERROR: refused, the reply says why.
 */
ngx_int_t kz_http_content(kz_http_ctx_t *ctx);


/* kz_http_url.c */

/*
 * Decodes a percent-encoded part of a URL; dst has room for src->len bytes.
 * plus: "+" is a space.  NGX_ERROR: a bad escape, or not UTF-8.
 */
ngx_int_t kz_http_unescape(u_char *dst, ngx_str_t *src, ngx_uint_t plus,
    ngx_str_t *out);

/* The decoded parts of the path, KZ_HTTP_MAX_PARTS at most. */
ngx_int_t kz_http_path(kz_http_ctx_t *ctx, ngx_str_t *parts, ngx_uint_t *n);

/* The arguments of the query string. */
ngx_int_t kz_http_args(kz_http_ctx_t *ctx);

/* One argument, of the query string or a placeholder. */
ngx_int_t kz_http_arg(kz_http_ctx_t *ctx, ngx_str_t *name, ngx_str_t *text);

ngx_int_t kz_http_utf8(ngx_str_t *s);

/* A message is JSON: what it echoes of a header or a URL must be UTF-8. */
ngx_str_t kz_http_echo(ngx_str_t *s);


/* kz_http_reply.c */

/* kz_proto_t's reply. */
void kz_http_reply(kz_req_t *req);


/* kz_http_vars.c */

ngx_int_t kz_http_add_variables(ngx_conf_t *cf);


/* kz_http_conf.c */

/* kuzzle_allow_origin * | origin ... */
char *kz_http_set_origins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

void *kz_http_create_loc_conf(ngx_conf_t *cf);
char *kz_http_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);


#endif /* _KZ_HTTP_H_INCLUDED_ */
