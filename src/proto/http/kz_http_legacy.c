/*
 * REST of before 1.0, below /api/1.0: placeholders and the query string are
 * members of the body, ":id" is the document's.
 */

#include "proto/http/kz_http.h"
#include "api/kz_dialect.h"


static ngx_int_t kz_http_legacy_hello(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_legacy_info(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_legacy_route(kz_http_ctx_t *ctx, ngx_str_t *parts,
    ngx_uint_t n, const kz_legacy_row_t **row);
static ngx_int_t kz_http_legacy_param(kz_http_ctx_t *ctx,
    const ngx_str_t *name, ngx_str_t *value);
static void kz_http_legacy_names(kz_req_t *req, const char *controller,
    const char *action);
static ngx_int_t kz_http_legacy_type(kz_http_ctx_t *ctx);
static ngx_int_t kz_http_legacy_merge(kz_req_t *req);


#define kz_http_part_is(p, s)                                                 \
    ((p)->len == sizeof(s) - 1 && ngx_memcmp((p)->data, s, sizeof(s) - 1) == 0)


/*
 * An index may be called "api", and in 1.x it is reached as any other: the
 * version decides.
 */

ngx_uint_t
kz_http_is_legacy(const kz_loc_conf_t *conf, const ngx_str_t *parts,
    ngx_uint_t n)
{
    return n >= 2
           && kz_http_part_is(&parts[0], "api")
           && conf->api == KZ_DIALECT_AUTO
           && (kz_http_part_is(&parts[1], "1.0")
               || (n == 2 && kz_http_part_is(&parts[1], "_serverInfo")));
}


ngx_int_t
kz_http_legacy(kz_http_ctx_t *ctx, ngx_str_t *parts, ngx_uint_t n)
{
    kz_req_t               *req = ctx->req;
    const kz_legacy_row_t  *row = NULL;

    req->legacy = 1;
    req->dialect = KZ_DIALECT_1;
    req->jwt = ctx->in.bearer;

    if (n == 2 && ctx->r->method == NGX_HTTP_GET) {
        return kz_http_part_is(&parts[1], "1.0") ? kz_http_legacy_hello(ctx)
                                                 : kz_http_legacy_info(ctx);
    }

    if (kz_http_legacy_route(ctx, parts + 2, n - 2, &row) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->body_len
        && (kz_http_legacy_type(ctx) != NGX_OK
            || kz_http_content(ctx) != NGX_OK))
    {
        return NGX_ERROR;
    }

    if (req->nargs && kz_http_legacy_merge(req) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_legacy_change(req, row);
}


static ngx_int_t
kz_http_legacy_hello(kz_http_ctx_t *ctx)
{
    ctx->req->result.type = KZ_RESULT_RAW;
    ngx_str_set(&ctx->req->result.json,
                "{\"error\":null,\"result\":\"Hello from Kuzzle :)\","
                "\"status\":200}");

    return NGX_DONE;
}


static ngx_int_t
kz_http_legacy_info(kz_http_ctx_t *ctx)
{
    kz_req_t  *req = ctx->req;

    kz_http_legacy_names(req, "read", "serverInfo");

    return kz_legacy_change(req, kz_legacy_find(&req->controller,
                                                &req->action_name));
}


static ngx_int_t
kz_http_legacy_route(kz_http_ctx_t *ctx, ngx_str_t *parts, ngx_uint_t n,
    const kz_legacy_row_t **row)
{
    kz_verb_e          verb;
    ngx_uint_t         i;
    const kz_route_t  *route;
    ngx_str_t          values[KZ_ROUTE_MAX_PARTS];
    kz_req_t          *req = ctx->req;

    verb = kz_http_verb(ctx->r);

    route = verb != KZ_VERB_MAX && n
            ? kz_route_find_legacy(verb, parts, n, values) : NULL;

    if (route == NULL) {
        return kz_http_not_found(ctx);
    }

    *row = route->legacy;
    kz_http_legacy_names(req, (*row)->controller, (*row)->name);

    for (i = 0; i < route->nparams; i++) {
        if (kz_http_legacy_param(ctx, &route->params[i], &values[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (req->action_name.len) {
        return NGX_OK;
    }

    /* /:index/:collection/:id/_:action */

    req->action_name = values[route->nparams - 1];

    if (req->action_name.len < 2 || req->action_name.data[0] != '_') {
        ngx_str_null(&req->controller);
        ngx_str_null(&req->action_name);

        return kz_http_not_found(ctx);
    }

    req->action_name.data++;
    req->action_name.len--;

    *row = kz_legacy_find(&req->controller, &req->action_name);

    return NGX_OK;
}


static void
kz_http_legacy_names(kz_req_t *req, const char *controller,
    const char *action)
{
    req->controller.data = (u_char *) controller;
    req->controller.len = ngx_strlen(controller);
    req->action_name.data = (u_char *) action;
    req->action_name.len = ngx_strlen(action);
}


static ngx_int_t
kz_http_legacy_param(kz_http_ctx_t *ctx, const ngx_str_t *name,
    ngx_str_t *value)
{
    static const ngx_str_t  id = ngx_string("_id");

    if (kz_http_part_is(name, "id")) {
        name = &id;
    }

    return kz_http_arg(ctx, name, value);
}


/* JSON in UTF-8 and nothing else. */

static ngx_int_t
kz_http_legacy_type(kz_http_ctx_t *ctx)
{
    u_char           *p, *end;
    ngx_str_t         type;
    ngx_table_elt_t  *h;

    h = ctx->r->headers_in.content_type;

    if (h == NULL || h->value.len == 0) {
        return NGX_OK;
    }

    p = h->value.data;
    end = p + h->value.len;

    if (h->value.len >= sizeof("application/json") - 1
        && ngx_strncasecmp(p, (u_char *) "application/json",
                           sizeof("application/json") - 1)
           == 0)
    {
        p = ngx_strlcasestrn(p, end, (u_char *) "charset=",
                             sizeof("charset=") - 2);
        if (p == NULL) {
            return NGX_OK;
        }

        p += sizeof("charset=") - 1;

        if (p < end && *p == '"') {
            p++;
        }

        if (end - p >= 5 && ngx_strncasecmp(p, (u_char *) "utf-8", 5) == 0) {
            return NGX_OK;
        }
    }

    type = kz_http_echo(&h->value);

    return kz_fail_text(ctx->req, 400, "Invalid request content-type. "
                        "Expected \"application/json\" in utf-8, got: \"%V\"",
                        &type);
}


/* Arguments of the URL become members of the body. */

static ngx_int_t
kz_http_legacy_merge(kz_req_t *req)
{
    kz_out_t    o;
    ngx_uint_t  i;

    kz_out_init(&o, req->pool, req->body.raw.len + 256);

    if (req->body.type == KZ_JSON_OBJECT && req->body.raw.len > 2) {
        kz_out_bytes(&o, req->body.raw.data, req->body.raw.len - 1);
        kz_out_char(&o, ',');

    } else {
        kz_out_char(&o, '{');
    }

    for (i = 0; i < req->nargs; i++) {
        if (i) {
            kz_out_char(&o, ',');
        }

        kz_out_json_str(&o, &req->args[i].name);
        kz_out_char(&o, ':');
        kz_out_json_str(&o, &req->args[i].text);
    }

    kz_out_char(&o, '}');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    req->nargs = 0;
    req->body.type = KZ_JSON_OBJECT;
    req->body.escaped = 0;
    req->body.raw.data = o.start;
    req->body.raw.len = kz_out_len(&o);

    return NGX_OK;
}
