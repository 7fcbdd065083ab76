/*
 * From an HTTP request to a query: headers, route, placeholders.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"


static ngx_int_t kz_http_envelope(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_volatile(kz_http_ctx_t *ctx, ngx_str_t *text);
static void kz_http_authorization(kz_http_ctx_t *ctx);
static void kz_http_cookie(ngx_str_t *header, ngx_str_t *token);
static ngx_int_t kz_http_route(kz_http_ctx_t *ctx, ngx_str_t *parts,
    ngx_uint_t n);
static ngx_int_t kz_http_param(kz_http_ctx_t *ctx, const ngx_str_t *name,
    ngx_str_t *value);
static ngx_int_t kz_http_not_found(kz_http_ctx_t *ctx);


#define kz_http_key(h, s)                                                     \
    ((h)->key.len == sizeof(s) - 1                                            \
     && ngx_strncasecmp((h)->key.data, (u_char *) s, sizeof(s) - 1) == 0)


ngx_int_t
kz_http_query(kz_http_ctx_t *ctx)
{
    ngx_int_t      rc;
    kz_http_in_t  *in = &ctx->in;
    kz_req_t      *req = ctx->req;

    req->from_url = 1;

    rc = kz_http_envelope(ctx);

    if (req->dialect == KZ_DIALECT_2 && in->request_id.len) {

        /* the operation may need it when the HTTP request is gone */

        req->request_id.data = ngx_pstrdup(req->pool, &in->request_id);
        if (req->request_id.data == NULL) {
            return NGX_ERROR;
        }

        req->request_id.len = in->request_id.len;
    }

    return rc;
}


static ngx_int_t
kz_http_envelope(kz_http_ctx_t *ctx)
{
    ngx_uint_t           n;
    ngx_str_t            parts[KZ_HTTP_MAX_PARTS];
    kz_req_t            *req = ctx->req;
    kz_http_in_t        *in = &ctx->in;
    ngx_http_request_t  *r = ctx->r;

    if (in->volatile_.len
        && kz_http_volatile(ctx, &in->volatile_) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_http_args(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_http_authorization(ctx);

    if (r->method == NGX_HTTP_OPTIONS) {
        kz_dialect_detect(req);
        req->result.type = KZ_RESULT_JSON;
        ngx_str_set(&req->result.json, "{}");

        return NGX_DONE;
    }

    if (kz_http_path(ctx, parts, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (r->method == NGX_HTTP_HEAD && n == 0) {
        kz_dialect_detect(req);
        ctx->head = 1;

        return NGX_DONE;
    }

    if (kz_http_route(ctx, parts, n) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_dialect_detect(req);

    if (ctx->body_len == 0) {
        return NGX_OK;
    }

    return kz_http_content(ctx);
}


/* One pass over the headers nginx has no field for. */

void
kz_http_headers_in(kz_http_ctx_t *ctx)
{
    ngx_uint_t           i;
    ngx_list_part_t     *part;
    kz_http_in_t        *in = &ctx->in;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r = ctx->r;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        switch (h[i].key.len) {

        case 6:
            if (kz_http_key(&h[i], "Origin")) {
                in->origin = h[i].value;

            } else if (kz_http_key(&h[i], "Cookie")) {
                kz_http_cookie(&h[i].value, &in->cookie);
            }
            break;

        case 15:
            if (kz_http_key(&h[i], "Accept-Encoding")) {
                in->accept_encoding = h[i].value;
            }
            break;

        case 16:
            if (kz_http_key(&h[i], "Content-Encoding")) {
                in->encoding = h[i].value;
            }
            break;

        case 17:
            if (kz_http_key(&h[i], "X-Kuzzle-Volatile")) {
                in->volatile_ = h[i].value;
            }
            break;

        case 19:
            if (kz_http_key(&h[i], "X-Kuzzle-Request-Id")) {
                if (kz_http_utf8(&h[i].value) == NGX_OK) {
                    in->request_id = h[i].value;
                }
            }
            break;
        }
    }
}


static ngx_int_t
kz_http_volatile(kz_http_ctx_t *ctx, ngx_str_t *text)
{
    u_char         *p;
    ngx_str_t       what;
    kz_json_err_t   err;
    kz_json_val_t   v;
    kz_req_t       *req = ctx->req;

    p = ngx_pnalloc(req->pool, text->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, text->data, text->len);

    if (kz_json_scan(p, text->len, req->conf->json_depth, &v, &err)
        != NGX_OK)
    {
        kz_dialect_detect(req);

        return kz_fail(req, KZ_E_HTTP_VOLATILE_PARSE_FAILED, 1,
                       kz_req_json_error(req, &err));
    }

    if (v.type == KZ_JSON_NULL) {
        return NGX_OK;
    }

    if (v.type != KZ_JSON_OBJECT) {
        kz_dialect_detect(req);

        ngx_str_set(&what, "not an object");

        return kz_fail(req, KZ_E_HTTP_VOLATILE_PARSE_FAILED, 1, &what);
    }

    v.raw.len = kz_json_compact(v.raw.data, v.raw.data, v.raw.len)
                - v.raw.data;
    req->volatile_ = v;

    return NGX_OK;
}


/*
 * "Authorization: Bearer <token>"; other schemes are not ours.  Or the cookie
 * authToken, where "null" stands for none.
 */

static void
kz_http_authorization(kz_http_ctx_t *ctx)
{
    kz_http_in_t     *in = &ctx->in;
    ngx_table_elt_t  *h;

    h = ctx->r->headers_in.authorization;

    if (h && h->value.len > 7
        && ngx_strncasecmp(h->value.data, (u_char *) "Bearer ", 7) == 0)
    {
        ctx->req->jwt.data = h->value.data + 7;
        ctx->req->jwt.len = h->value.len - 7;

        return;
    }

    if (in->cookie.len == 0
        || (in->cookie.len == 4
            && ngx_strncmp(in->cookie.data, "null", 4) == 0))
    {
        return;
    }

    ctx->req->jwt = in->cookie;
}


static void
kz_http_cookie(ngx_str_t *header, ngx_str_t *token)
{
    u_char  *p, *start, *end, *last;

    start = header->data;
    last = start + header->len;

    for (p = start; /* void */ ; p += sizeof("authToken=") - 1) {

        p = ngx_strlcasestrn(p, last, (u_char *) "authToken=",
                             sizeof("authToken=") - 2);
        if (p == NULL) {
            return;
        }

        if (p == start || p[-1] == ' ' || p[-1] == ';') {
            break;
        }
    }

    p += sizeof("authToken=") - 1;

    end = ngx_strlchr(p, last, ';');
    if (end == NULL) {
        end = last;
    }

    token->data = p;
    token->len = end - p;
}


static ngx_int_t
kz_http_route(kz_http_ctx_t *ctx, ngx_str_t *parts, ngx_uint_t n)
{
    kz_verb_e            verb;
    ngx_uint_t           i;
    const kz_route_t    *route;
    ngx_str_t            values[KZ_ROUTE_MAX_PARTS];
    kz_req_t            *req = ctx->req;
    ngx_http_request_t  *r = ctx->r;

    switch (r->method) {

    case NGX_HTTP_GET:
        verb = KZ_VERB_GET;
        break;

    case NGX_HTTP_POST:
        verb = KZ_VERB_POST;
        break;

    case NGX_HTTP_PUT:
        verb = KZ_VERB_PUT;
        break;

    case NGX_HTTP_PATCH:
        verb = KZ_VERB_PATCH;
        break;

    case NGX_HTTP_DELETE:
        verb = KZ_VERB_DELETE;
        break;

    case NGX_HTTP_HEAD:

        /* Kuzzle: only HEAD / is a route */

        return kz_http_not_found(ctx);

    default:
        kz_dialect_detect(req);
        return kz_fail(req, KZ_E_HTTP_UNSUPPORTED_VERB, 1, &r->method_name);
    }

    route = n <= KZ_ROUTE_MAX_PARTS ? kz_route_find(verb, parts, n, values)
                                    : NULL;
    if (route == NULL) {
        return kz_http_not_found(ctx);
    }

    req->action = route->action;
    req->controller.data = (u_char *) route->controller->name;
    req->controller.len = ngx_strlen(route->controller->name);
    req->action_name.data = (u_char *) route->action->name;
    req->action_name.len = ngx_strlen(route->action->name);
    req->dialect = route->generation;

    for (i = 0; i < route->nparams; i++) {
        if (kz_http_param(ctx, &route->params[i], &values[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_http_param(kz_http_ctx_t *ctx, const ngx_str_t *name, ngx_str_t *value)
{
    ngx_str_t  n;

    n = *name;

    return kz_http_arg(ctx, &n, value);
}


static ngx_int_t
kz_http_not_found(kz_http_ctx_t *ctx)
{
    ngx_str_t            url;
    ngx_http_request_t  *r = ctx->r;

    kz_dialect_detect(ctx->req);

    url = kz_http_echo(r->valid_unparsed_uri ? &r->unparsed_uri : &r->uri);

    return kz_fail(ctx->req, KZ_E_HTTP_URL_NOT_FOUND, 1, &url);
}
