/*
 * From an HTTP request to a query: route, placeholders, query string,
 * headers, body.
 *
 * The path is taken undecoded from the request line and split before it is
 * decoded, so that "%2F" stays inside an id.  nginx chose the location by
 * the decoded path: what would make the two differ (dot segments, also
 * encoded ones) is refused.  After a rewrite, and in a subrequest, the path
 * is the one nginx has come to, not the client's.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"
#include "util/kz_utf8.h"


#define KZ_HTTP_MAX_PARTS  (KZ_ROUTE_MAX_PARTS + 1)


typedef struct {
    ngx_str_t    volatile_;
    ngx_str_t    request_id;
    ngx_str_t    cookie;       /* authToken's value */
    ngx_str_t    encoding;
} kz_http_in_t;


static void kz_http_headers_in(kz_http_ctx_t *ctx, kz_http_in_t *in);
static ngx_int_t kz_http_envelope(kz_http_ctx_t *ctx, kz_http_in_t *in);
static ngx_int_t kz_http_volatile(kz_http_ctx_t *ctx, ngx_str_t *text);
static void kz_http_authorization(kz_http_ctx_t *ctx, kz_http_in_t *in);
static void kz_http_cookie(ngx_str_t *header, ngx_str_t *token);
static ngx_int_t kz_http_path(kz_http_ctx_t *ctx, ngx_str_t *parts,
    ngx_uint_t *n);
static ngx_int_t kz_http_part(kz_http_ctx_t *ctx, u_char *dst,
    ngx_str_t *raw, ngx_str_t *out);
static ngx_int_t kz_http_utf8(ngx_str_t *s);
static ngx_str_t kz_http_echo(ngx_str_t *s);
static ngx_uint_t kz_http_dots(ngx_str_t *part);
static ngx_int_t kz_http_args(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_arg(kz_http_ctx_t *ctx, ngx_str_t *name,
    ngx_str_t *text);
static ngx_int_t kz_http_route(kz_http_ctx_t *ctx, ngx_str_t *parts,
    ngx_uint_t n);
static ngx_int_t kz_http_param(kz_http_ctx_t *ctx, const ngx_str_t *name,
    ngx_str_t *value);
static ngx_int_t kz_http_content(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_body(kz_http_ctx_t *ctx, ngx_str_t *encoding);
static ngx_int_t kz_http_not_found(kz_http_ctx_t *ctx);


#define kz_http_key(h, s)                                                     \
    ((h)->key.len == sizeof(s) - 1                                            \
     && ngx_strncasecmp((h)->key.data, (u_char *) s, sizeof(s) - 1) == 0)


ngx_int_t
kz_http_query(kz_http_ctx_t *ctx)
{
    ngx_int_t      rc;
    kz_http_in_t   in;
    kz_req_t      *req = ctx->req;

    req->from_url = 1;

    ngx_memzero(&in, sizeof(kz_http_in_t));

    kz_http_headers_in(ctx, &in);

    rc = kz_http_envelope(ctx, &in);

    if (req->dialect == KZ_DIALECT_2 && in.request_id.len) {

        /* the operation may need it when the HTTP request is gone */

        req->request_id.data = ngx_pstrdup(req->pool, &in.request_id);
        if (req->request_id.data == NULL) {
            return NGX_ERROR;
        }

        req->request_id.len = in.request_id.len;
    }

    return rc;
}


static ngx_int_t
kz_http_envelope(kz_http_ctx_t *ctx, kz_http_in_t *in)
{
    ngx_uint_t           n;
    ngx_str_t            parts[KZ_HTTP_MAX_PARTS];
    kz_req_t            *req = ctx->req;
    ngx_http_request_t  *r = ctx->r;

    if (in->volatile_.len
        && kz_http_volatile(ctx, &in->volatile_) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_http_args(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    kz_http_authorization(ctx, in);

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

    if (kz_http_content(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_http_body(ctx, &in->encoding);
}


/* One pass over the headers nginx has no field for. */

static void
kz_http_headers_in(kz_http_ctx_t *ctx, kz_http_in_t *in)
{
    ngx_uint_t           i;
    ngx_list_part_t     *part;
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
                ctx->origin = h[i].value;

            } else if (kz_http_key(&h[i], "Cookie")) {
                kz_http_cookie(&h[i].value, &in->cookie);
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
kz_http_authorization(kz_http_ctx_t *ctx, kz_http_in_t *in)
{
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


ngx_int_t
kz_http_unescape(u_char *dst, ngx_str_t *src, ngx_uint_t plus,
    ngx_str_t *out)
{
    u_char     *p, *d, *end;
    ngx_int_t   n;

    d = dst;
    end = src->data + src->len;

    for (p = src->data; p < end; p++) {

        if (*p == '%') {

            if (end - p < 3) {
                return NGX_ERROR;
            }

            n = ngx_hextoi(p + 1, 2);

            if (n == NGX_ERROR) {
                return NGX_ERROR;
            }

            *d++ = (u_char) n;
            p += 2;

        } else if (*p == '+' && plus) {
            *d++ = ' ';

        } else {
            *d++ = *p;
        }
    }

    out->data = dst;
    out->len = d - dst;

    return kz_http_utf8(out);
}


static ngx_int_t
kz_http_utf8(ngx_str_t *s)
{
    uint32_t  state;

    state = KZ_UTF8_START;

    if (kz_utf8_check(&state, s->data, s->len) != NGX_OK
        || state != KZ_UTF8_START)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* A message is JSON: what it echoes of a header or a URL must be UTF-8. */

static ngx_str_t
kz_http_echo(ngx_str_t *s)
{
    static ngx_str_t  unknown = ngx_string("(not UTF-8)");

    return kz_http_utf8(s) == NGX_OK ? *s : unknown;
}


/* The decoded parts of the path; at most one more than any route has. */

static ngx_int_t
kz_http_path(kz_http_ctx_t *ctx, ngx_str_t *parts, ngx_uint_t *n)
{
    u_char              *p, *end, *last, *dst;
    ngx_str_t            raw, what;
    kz_req_t            *req = ctx->req;
    ngx_http_request_t  *r = ctx->r;

    p = r->uri.data;
    end = p + r->uri.len;

    if (r->valid_unparsed_uri) {
        p = r->unparsed_uri.data;
        end = p + r->unparsed_uri.len;

        last = ngx_strlchr(p, end, '?');
        if (last) {
            end = last;
        }

        last = ngx_strlchr(p, end, '#');
        if (last) {
            end = last;
        }
    }

    dst = ngx_pnalloc(req->pool, end - p + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    *n = 0;

    while (p < end) {

        if (*p == '/') {
            p++;
            continue;
        }

        last = ngx_strlchr(p, end, '/');
        if (last == NULL) {
            last = end;
        }

        if (*n == KZ_HTTP_MAX_PARTS) {
            return NGX_OK;
        }

        raw.data = p;
        raw.len = last - p;

        if (kz_http_part(ctx, dst, &raw, &parts[*n]) != NGX_OK
            || kz_http_dots(&parts[*n]))
        {
            kz_dialect_detect(req);
            ngx_str_set(&what, "malformed URI");

            return kz_fail(req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &what);
        }

        dst += parts[*n].len;
        (*n)++;
        p = last;
    }

    return NGX_OK;
}


/* What nginx made of the path is decoded already. */

static ngx_int_t
kz_http_part(kz_http_ctx_t *ctx, u_char *dst, ngx_str_t *raw, ngx_str_t *out)
{
    if (ctx->r->valid_unparsed_uri) {
        return kz_http_unescape(dst, raw, 0, out);
    }

    out->data = dst;
    out->len = raw->len;
    ngx_memcpy(dst, raw->data, raw->len);

    return kz_http_utf8(out);
}


/* Whether "." or ".." stands alone in it, between slashes if it has any. */

static ngx_uint_t
kz_http_dots(ngx_str_t *part)
{
    u_char  *p, *end, *last;

    end = part->data + part->len;

    for (p = part->data; p < end; p = last + 1) {
        last = ngx_strlchr(p, end, '/');
        if (last == NULL) {
            last = end;
        }

        if (last - p <= 2 && last > p && p[0] == '.'
            && (last - p == 1 || p[1] == '.'))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
kz_http_args(kz_http_ctx_t *ctx)
{
    u_char     *p, *end, *last, *eq, *dst;
    ngx_str_t   name, text, raw, what;
    kz_req_t   *req = ctx->req;

    p = ctx->r->args.data;
    end = p + ctx->r->args.len;

    if (ctx->r->args.len == 0) {
        return NGX_OK;
    }

    dst = ngx_pnalloc(req->pool, ctx->r->args.len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    for ( /* void */ ; p < end; p = last + 1) {

        last = ngx_strlchr(p, end, '&');
        if (last == NULL) {
            last = end;
        }

        if (last == p) {
            continue;
        }

        eq = ngx_strlchr(p, last, '=');

        raw.data = p;
        raw.len = (eq ? eq : last) - p;

        if (kz_http_unescape(dst, &raw, 1, &name) != NGX_OK) {
            goto malformed;
        }

        dst += name.len;

        raw.data = eq ? eq + 1 : last;
        raw.len = last - raw.data;

        if (kz_http_unescape(dst, &raw, 1, &text) != NGX_OK) {
            goto malformed;
        }

        dst += text.len;

        if (kz_http_arg(ctx, &name, &text) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;

malformed:

    kz_dialect_detect(req);
    ngx_str_set(&what, "malformed query string");

    return kz_fail(req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &what);
}


/*
 * Controller and action come from the route only, the request's id from its
 * header only, whatever the query string says.
 */

static ngx_int_t
kz_http_arg(kz_http_ctx_t *ctx, ngx_str_t *name, ngx_str_t *text)
{
    kz_arg_t  *arg;
    ngx_str_t  what;
    kz_req_t  *req = ctx->req;

#define kz_http_name_is(s)                                                    \
    (name->len == sizeof(s) - 1                                               \
     && ngx_memcmp(name->data, s, sizeof(s) - 1) == 0)

    if (kz_http_name_is("controller") || kz_http_name_is("action")
        || kz_http_name_is("requestId") || kz_http_name_is("body")
        || kz_http_name_is("volatile"))
    {
        return NGX_OK;
    }

    if (kz_http_name_is("index")) {
        req->index = *text;
        return NGX_OK;
    }

    if (kz_http_name_is("collection")) {
        req->collection = *text;
        return NGX_OK;
    }

    if (kz_http_name_is("_id")) {
        req->id = *text;
        return NGX_OK;
    }

    if (kz_http_name_is("jwt")) {
        req->jwt = *text;
        return NGX_OK;
    }

    if (req->nargs == KZ_REQ_MAX_ARGS) {
        kz_dialect_detect(req);
        ngx_str_set(&what, "too many arguments in the query string");

        return kz_fail(req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &what);
    }

    if (req->args == NULL) {
        req->args = ngx_palloc(req->pool,
                               KZ_REQ_MAX_ARGS * sizeof(kz_arg_t));
        if (req->args == NULL) {
            return NGX_ERROR;
        }
    }

    arg = &req->args[req->nargs++];

    ngx_memzero(arg, sizeof(kz_arg_t));
    arg->name = *name;
    arg->text = *text;

    return NGX_OK;
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


/* application/json, in UTF-8, or nothing said. */

static ngx_int_t
kz_http_content(kz_http_ctx_t *ctx)
{
    u_char           *p;
    ngx_str_t         type, text;
    ngx_table_elt_t  *h;
    kz_req_t         *req = ctx->req;

    h = ctx->r->headers_in.content_type;

    if (h == NULL || h->value.len == 0) {
        return NGX_OK;
    }

    type = h->value;

    p = ngx_strlchr(type.data, type.data + type.len, ';');
    if (p) {
        type.len = p - type.data;
    }

    while (type.len && type.data[type.len - 1] == ' ') {
        type.len--;
    }

    if (type.len != sizeof("application/json") - 1
        || ngx_strncasecmp(type.data, (u_char *) "application/json",
                           type.len)
           != 0)
    {
        req->bare = 1;
        type = kz_http_echo(&type);

        if (req->dialect == KZ_DIALECT_2) {
            return kz_fail(req, KZ_E_HTTP_UNSUPPORTED_CONTENT, 1, &type);
        }

        text.data = ngx_pnalloc(req->pool, type.len + 64);
        if (text.data == NULL) {
            return NGX_ERROR;
        }

        text.len = ngx_sprintf(text.data, "Unsupported content type: %V",
                               &type)
                   - text.data;

        return kz_fail(req, KZ_E_HTTP_UNEXPECTED_ERROR, 1, &text);
    }

    if (p == NULL || req->dialect == KZ_DIALECT_1) {
        return NGX_OK;
    }

    type.data = p;
    type.len = h->value.data + h->value.len - p;

    p = ngx_strlcasestrn(type.data, type.data + type.len,
                         (u_char *) "charset=", sizeof("charset=") - 2);
    if (p == NULL) {
        return NGX_OK;
    }

    p += sizeof("charset=") - 1;

    text.data = p;
    text.len = type.data + type.len - p;

    p = ngx_strlchr(text.data, text.data + text.len, ';');
    if (p) {
        text.len = p - text.data;
    }

    if (text.len > 2 && text.data[0] == '"'
        && text.data[text.len - 1] == '"')
    {
        text.data++;
        text.len -= 2;
    }

    if (text.len == 5
        && ngx_strncasecmp(text.data, (u_char *) "utf-8", 5) == 0)
    {
        return NGX_OK;
    }

    req->bare = 1;
    text = kz_http_echo(&text);

    return kz_fail(req, KZ_E_HTTP_UNSUPPORTED_CHARSET, 1, &text);
}


static ngx_int_t
kz_http_body(kz_http_ctx_t *ctx, ngx_str_t *encoding)
{
    ngx_str_t        what;
    kz_json_err_t    err;
    kz_json_val_t    v;
    kz_req_t        *req = ctx->req;

    if (encoding->len
        && (encoding->len != 8
            || ngx_strncasecmp(encoding->data, (u_char *) "identity", 8)
               != 0))
    {
        req->bare = 1;
        what = kz_http_echo(encoding);

        return kz_fail(req, KZ_E_HTTP_UNSUPPORTED_COMPRESSION, 1, &what);
    }

    if (kz_json_scan(ctx->body, ctx->body_len, req->conf->json_depth, &v,
                     &err)
        != NGX_OK)
    {
        /* Kuzzle: 2.x refuses it before there is an envelope */

        req->bare = (req->dialect == KZ_DIALECT_2);

        return kz_fail(req, KZ_E_HTTP_BODY_PARSE_FAILED, 1,
                       kz_req_json_error(req, &err));
    }

    switch (v.type) {

    case KZ_JSON_NULL:
        return NGX_OK;

    case KZ_JSON_OBJECT:
        break;

    case KZ_JSON_ARRAY:
        if (req->dialect == KZ_DIALECT_2) {
            break;
        }

        /* fall through */

    default:
        ngx_str_set(&what, "Attribute body must be of type \"object\"");
        return kz_fail(req, KZ_E_HTTP_BODY_PARSE_FAILED, 1, &what);
    }

    v.raw.len = kz_json_compact(v.raw.data, v.raw.data, v.raw.len)
                - v.raw.data;
    req->body = v;

    return NGX_OK;
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
