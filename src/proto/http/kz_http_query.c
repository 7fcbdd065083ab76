/*
 * From an HTTP request to a query: headers, route, placeholders.
 *
 * Later wins: the header, the query string, the placeholders; with a token
 * it is the other way round in 2.x.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"


static ngx_int_t kz_http_envelope(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_volatile(kz_http_ctx_t *ctx, ngx_str_t *text);
static void kz_http_authorization(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_token(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_route(kz_http_ctx_t *ctx, ngx_str_t *parts,
    ngx_uint_t n);


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

    if (req->dialect == KZ_DIALECT_2 && in->request_id.len
        && req->request_id.data == NULL)
    {
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

        return kz_http_answer(ctx);
    }

    if (kz_http_path(ctx, parts, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (r->method == NGX_HTTP_HEAD && n == 0) {
        kz_dialect_detect(req);
        ctx->head = 1;

        return NGX_DONE;
    }

    if (kz_http_is_legacy(ctx->client.conf, parts, n)) {
        return kz_http_legacy(ctx, parts, n);
    }

    if (kz_http_route(ctx, parts, n) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_dialect_detect(req);

    if (ctx->body_len && kz_http_content(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->own == KZ_ROUTE_QUERY && kz_http_whole_query(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_http_origin(ctx) != NGX_OK || kz_http_token(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return ctx->own == KZ_ROUTE_ACTION ? NGX_OK : kz_http_own(ctx);
}


ngx_int_t
kz_http_answer(kz_http_ctx_t *ctx)
{
    ctx->req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&ctx->req->result.json, "{}");

    return NGX_DONE;
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
                kz_http_cookie(&h[i].value, in);
            }
            break;

        case 15:
            if (kz_http_key(&h[i], "Accept-Encoding")) {
                kz_accept_add(&in->accept, &h[i].value);
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
                if (kz_url_utf8(&h[i].value) == NGX_OK) {
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
 * "Authorization: Bearer <token>"; other schemes are not ours.  Which of the
 * tokens counts depends on the generation, and the generation perhaps on the
 * tokens: for now it is the one that says most.
 */

static void
kz_http_authorization(kz_http_ctx_t *ctx)
{
    kz_req_t         *req = ctx->req;
    kz_http_in_t     *in = &ctx->in;
    ngx_table_elt_t  *h;

    in->query_jwt = req->jwt;

    h = ctx->r->headers_in.authorization;

    if (h && h->value.len > 7
        && ngx_strncasecmp(h->value.data, (u_char *) "Bearer ", 7) == 0)
    {
        in->bearer.data = h->value.data + 7;
        in->bearer.len = h->value.len - 7;
        req->jwt = in->bearer;
    }

    /* "null" is how a logout is put */

    if (!ctx->client.conf->cookies
        || (in->cookie.len == 4
            && ngx_strncmp(in->cookie.data, "null", 4) == 0))
    {
        ngx_str_null(&in->cookie);
        in->bad_cookie = 0;
    }

    if (in->cookie.len) {

        /* only a server of generation 2 gives it */

        req->dialect = KZ_DIALECT_2;
    }
}


static ngx_int_t
kz_http_token(kz_http_ctx_t *ctx)
{
    ngx_str_t      why;
    kz_req_t      *req = ctx->req;
    kz_http_in_t  *in = &ctx->in;

    if (in->bearer.data == NULL && in->query_jwt.data == NULL
        && in->cookie.len == 0 && !in->bad_cookie)
    {
        return NGX_OK;
    }

    if (req->dialect == KZ_DIALECT_1) {

        /* Kuzzle: 1.x knows the scheme in this case only */

        if (in->query_jwt.data) {
            req->jwt = in->query_jwt;

        } else if (in->bearer.data
                   && ngx_strncmp(in->bearer.data - 7, "Bearer ", 7) != 0)
        {
            ngx_str_null(&req->jwt);
        }

        return NGX_OK;
    }

    if (in->bad_cookie) {
        return kz_fail(req, KZ_E_COOKIE_INVALID, 0);
    }

    if (in->cookie.len == 0) {
        return NGX_OK;
    }

    if (req->jwt.len) {
        ngx_str_set(&why, "Both token and cookie are present, could not "
                          "decide which one to use");

        return kz_fail(req, KZ_E_TOKEN_VERIFICATION_ERROR, 1, &why);
    }

    req->jwt = in->cookie;

    return NGX_OK;
}


/* KZ_VERB_MAX: no route has it. */

kz_verb_e
kz_http_verb(ngx_http_request_t *r)
{
    switch (r->method) {

    case NGX_HTTP_GET:
        return KZ_VERB_GET;

    case NGX_HTTP_POST:
        return KZ_VERB_POST;

    case NGX_HTTP_PUT:
        return KZ_VERB_PUT;

    case NGX_HTTP_PATCH:
        return KZ_VERB_PATCH;

    case NGX_HTTP_DELETE:
        return KZ_VERB_DELETE;

    default:
        return KZ_VERB_MAX;
    }
}


static ngx_int_t
kz_http_route(kz_http_ctx_t *ctx, ngx_str_t *parts, ngx_uint_t n)
{
    kz_verb_e          verb;
    ngx_uint_t         i;
    const kz_route_t  *route;
    ngx_str_t          values[KZ_ROUTE_MAX_PARTS];
    kz_req_t          *req = ctx->req;

    verb = kz_http_verb(ctx->r);

    route = verb != KZ_VERB_MAX && n <= KZ_ROUTE_MAX_PARTS
            ? kz_route_find(verb, parts, n, values) : NULL;

    if (route == NULL) {
        return kz_http_not_found(ctx);
    }

    if (route->generation) {
        req->dialect = route->generation;
    }

    if (route->kind != KZ_ROUTE_ACTION) {
        ctx->own = route->kind;
        return NGX_OK;
    }

    req->action = route->action;
    req->controller.data = (u_char *) route->controller->name;
    req->controller.len = ngx_strlen(route->controller->name);
    req->action_name.data = (u_char *) route->action->name;
    req->action_name.len = ngx_strlen(route->action->name);

    for (i = 0; i < route->nparams; i++) {
        if (kz_http_arg(ctx, &route->params[i], &values[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/*
 * Kuzzle: HEAD is a verb, but only HEAD / is a route.  The message has the
 * path without the query string and without one slash at its end.
 */

ngx_int_t
kz_http_not_found(kz_http_ctx_t *ctx)
{
    u_char              *mark;
    ngx_str_t            url;
    ngx_http_request_t  *r = ctx->r;

    kz_dialect_detect(ctx->req);

    if (kz_http_verb(r) == KZ_VERB_MAX && r->method != NGX_HTTP_HEAD) {
        return kz_fail(ctx->req, KZ_E_HTTP_UNSUPPORTED_VERB, 1,
                       &r->method_name);
    }

    url = r->valid_unparsed_uri ? r->unparsed_uri : r->uri;

    if (r->valid_unparsed_uri) {
        mark = ngx_strlchr(url.data, url.data + url.len, '?');
        url.len = mark ? (size_t) (mark - url.data) : url.len;
    }

    if (url.len && url.data[url.len - 1] == '/') {
        url.len--;
    }

    url = kz_http_echo(&url);

    return kz_fail(ctx->req, KZ_E_HTTP_URL_NOT_FOUND, 1, &url);
}
