#ifndef _KZ_HTTP_H_INCLUDED_
#define _KZ_HTTP_H_INCLUDED_

/*
 * HTTP.
 *
 *     kz_http.c          content handler, life of a request
 *     kz_http_body.c     reads the body, decodes its Content-Encoding
 *     kz_http_query.c    headers and route: a request becomes a query
 *     kz_http_url.c      path and query string
 *     kz_http_cookie.c   the token in a cookie
 *     kz_http_own.c      routes that are no actions
 *     kz_http_legacy.c   everything below /api/1.0
 *     kz_http_content.c  JSON, forms: what a body says
 *     kz_http_reply.c    status, headers, encoding of the reply
 *     kz_http_deflate.c  compresses it, a large one bit by bit
 *     kz_http_vars.c     variables
 *     kz_http_conf.c     settings of a location
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "core/kz_req.h"
#include "api/kz_route.h"
#include "util/kz_deflate.h"
#include "util/kz_url.h"


/* At most one part more than any route has. */

#define KZ_HTTP_MAX_PARTS  (KZ_ROUTE_MAX_PARTS + 1)


/* The headers nginx has no field for; data == NULL: absent. */

typedef struct {
    ngx_str_t            volatile_;
    ngx_str_t            request_id;
    ngx_str_t            bearer;           /* Authorization's token */
    ngx_str_t            query_jwt;        /* jwt of the query string */
    ngx_str_t            cookie;           /* authToken's value */
    ngx_str_t            encoding;         /* Content-Encoding */
    kz_accept_t          accept;           /* Accept-Encoding */
    ngx_str_t            origin;
    unsigned             bad_cookie:1;
} kz_http_in_t;


/*
 * For variables; as long-lived as the HTTP request.  Before the content
 * handler runs, the request may have a context of this alone.
 */

typedef struct {
    ngx_str_t            controller;
    ngx_str_t            action;
    ngx_str_t            index;
    ngx_str_t            collection;
    ngx_str_t            id;
    ngx_str_t            user;
    ngx_str_t            error;
    ngx_str_t            request_id;
    ngx_uint_t           status;
    ngx_msec_t           elapsed;
    u_char              *uri;              /* the route was found for */
    u_char              *args;
    unsigned             answered:1;       /* it is what the query was */
} kz_http_vars_t;


typedef struct kz_http_decode_s  kz_http_decode_t;

typedef struct {
    kz_http_vars_t       vars;             /* has to be the first */
    ngx_http_request_t  *r;
    kz_client_t          client;
    kz_req_t            *req;          /* until it is answered */
    kz_http_in_t         in;

    u_char              *body;         /* decoded, in the query's pool */
    size_t               body_len;
    size_t               body_size;
    kz_http_decode_t    *decode;       /* of an encoded body, or NULL */

    kz_route_kind_e      own;          /* a route that is no action */

    ngx_chain_t          stream_out;   /* the part that is being sent */
    ngx_buf_t            stream_buf;

    unsigned             streams:1;    /* headers, and parts, have been sent */
    unsigned             stream_wait:1;    /* parked for the client */
    unsigned             event:1;      /* the content handler has returned */
    unsigned             head:1;       /* HEAD /: headers only */
    unsigned             says_identity:1;  /* Content-Encoding in any case */
    unsigned             vary_origin:1;
} kz_http_ctx_t;


extern ngx_module_t      ngx_http_kuzzle_module;
extern const kz_proto_t  kz_http_proto;


/* kz_http.c */

/* The content handler of a location with "kuzzle". */
ngx_int_t ngx_http_kuzzle_handler(ngx_http_request_t *r);

/* Whether the request wants to become a WebSocket. */
ngx_uint_t kz_http_upgrades(ngx_http_request_t *r);

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

kz_verb_e kz_http_verb(ngx_http_request_t *r);

/* Replies with an empty result: NGX_DONE. */
ngx_int_t kz_http_answer(kz_http_ctx_t *ctx);

/* Refuses: no such route, or no route can have the verb. */
ngx_int_t kz_http_not_found(kz_http_ctx_t *ctx);


/* kz_http_cookie.c */

/* The token of a Cookie header: in->cookie, or in->bad_cookie. */
void kz_http_cookie(const ngx_str_t *header, kz_http_in_t *in);


/* kz_http_own.c */

/* Takes the body for the whole query. */
ngx_int_t kz_http_whole_query(kz_http_ctx_t *ctx);

/* Begins to answer a route that is no action; as kz_http_query() does. */
ngx_int_t kz_http_own(kz_http_ctx_t *ctx);


/* kz_http_legacy.c */

/* Whether clients of before 1.0 are served, and the path is theirs. */
ngx_uint_t kz_http_is_legacy(const kz_loc_conf_t *conf,
    const ngx_str_t *parts, ngx_uint_t n);

/* Fills in the envelope of their query; as kz_http_query() does. */
ngx_int_t kz_http_legacy(kz_http_ctx_t *ctx, ngx_str_t *parts, ngx_uint_t n);


/* kz_http_content.c */

/*
 * The body becomes req->body.  NGX_ERROR: refused, the reply says why.
 */
ngx_int_t kz_http_content(kz_http_ctx_t *ctx);

/*
 * Before the body is read: whether either generation takes what its
 * Content-Type says.  If not, kz_http_content_refuse() is due; it returns
 * NGX_ERROR.
 */
ngx_uint_t kz_http_content_known(kz_http_ctx_t *ctx);
ngx_int_t kz_http_content_refuse(kz_http_ctx_t *ctx);


/* kz_http_url.c */

/*
 * The decoded parts of the path, KZ_HTTP_MAX_PARTS at most.  NGX_DECLINED:
 * malformed.
 */
ngx_int_t kz_http_parts(ngx_http_request_t *r, ngx_pool_t *pool,
    ngx_str_t *parts, ngx_uint_t *n);

/* The same for a query; NGX_ERROR: the reply says why. */
ngx_int_t kz_http_path(kz_http_ctx_t *ctx, ngx_str_t *parts, ngx_uint_t *n);

/* The arguments of the query string. */
ngx_int_t kz_http_args(kz_http_ctx_t *ctx);

/* One argument, of the query string or a placeholder. */
ngx_int_t kz_http_arg(kz_http_ctx_t *ctx, const ngx_str_t *name,
    ngx_str_t *text);

/* A message is JSON: what it echoes of a header or a URL must be UTF-8. */
ngx_str_t kz_http_echo(ngx_str_t *s);


/* kz_http_reply.c */

/* kz_proto_t's reply. */
void kz_http_reply(kz_req_t *req);

/* All its headers but those of its coding; req->status is set by the caller. */
ngx_int_t kz_http_headers(kz_http_ctx_t *ctx, kz_req_t *req);

/*
 * The rest of a reply: Content-Encoding and what depends on it, all headers,
 * the body, which out has len bytes of (NULL: none).  Returns what
 * ngx_http_finalize_request() is to be told.
 */
ngx_int_t kz_http_send(kz_http_ctx_t *ctx, kz_coding_e coding,
    ngx_chain_t *out, off_t len);

/* A body as a chain of one, cl.  NULL: it is empty, or no memory. */
ngx_chain_t *kz_http_chain(kz_http_ctx_t *ctx, ngx_chain_t *cl,
    ngx_str_t *body);


/*
 * Generation 2 refuses what comes from a page of another origin than those
 * that are configured.  NGX_ERROR: it is one, the reply says so.
 */
ngx_int_t kz_http_origin(kz_http_ctx_t *ctx);


/* kz_http_stream.c */

/* kz_proto_t's stream. */
ngx_int_t kz_http_stream(kz_req_t *req, ngx_str_t *part);

/* The end of it: what ngx_http_finalize_request() is to be told. */
ngx_int_t kz_http_stream_end(kz_http_ctx_t *ctx);


/* kz_http_deflate.c */

/* Whether a body of that length is compressed at once. */
ngx_uint_t kz_http_deflate_small(kz_http_ctx_t *ctx, size_t len);

/*
 * Compresses a body that short; *body is replaced, the old one freed.
 * NGX_ERROR: nothing has changed.
 */
ngx_int_t kz_http_deflate(kz_http_ctx_t *ctx, kz_coding_e coding,
    ngx_str_t *body);

/*
 * Compresses a longer one, which lies in the pool of the HTTP request and is
 * taken over.  All other headers must be there.
 *
 * NGX_OK     done: *len bytes in *out
 * NGX_AGAIN  it takes longer: it will be sent, and the request finalized
 * NGX_ERROR  the body is as it was
 */
ngx_int_t kz_http_deflate_start(kz_http_ctx_t *ctx, kz_coding_e coding,
    const ngx_str_t *body, ngx_chain_t **out, off_t *len);


/* kz_http_vars.c */

ngx_int_t kz_http_add_variables(ngx_conf_t *cf);

/* The query's reply is ready: from now on variables are about that. */
void kz_http_vars_set(kz_http_ctx_t *ctx, kz_req_t *req);


/* kz_http_status.c */

/* kuzzle_status */
char *kz_http_set_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* kz_http_conf.c */

/* kuzzle_allow_origin * | origin ... */
char *kz_http_set_origins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

void *kz_http_create_loc_conf(ngx_conf_t *cf);
char *kz_http_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);


#endif /* _KZ_HTTP_H_INCLUDED_ */
