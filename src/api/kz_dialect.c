/*
 * Generations 1 and 2 of the API: which one a query speaks, and how its
 * reply is written in it.  The members of an envelope stand in the order the
 * original servers use.
 */

#include "api/kz_dialect.h"
#include "api/kz_router.h"


typedef struct {
    const char   *name;
    size_t        len;
    ngx_int_t     major;      /* from this version on it speaks 2.x */
} kz_dialect_sdk_t;


static kz_dialect_e kz_dialect_of_query(kz_req_t *req);
static kz_dialect_e kz_dialect_of_sdk(kz_json_val_t *name);
static void kz_dialect_render_1(kz_req_t *req, kz_out_t *o);
static void kz_dialect_render_2(kz_req_t *req, kz_out_t *o);
static void kz_dialect_reduced(kz_req_t *req, kz_out_t *o, ngx_uint_t room);
static void kz_dialect_headers(kz_req_t *req, kz_out_t *o);
static void kz_dialect_id(kz_req_t *req, kz_out_t *o);
static void kz_dialect_string(kz_out_t *o, ngx_str_t *s);
static void kz_dialect_errors(kz_req_t *req, kz_out_t *o);
static void kz_dialect_message(kz_req_t *req, kz_out_t *o);
static void kz_dialect_message_text(kz_req_t *req, kz_out_t *o);


static const kz_dialect_sdk_t  kz_dialect_sdks[] = {
    { "js", 2, 7 },
    { "csharp", 6, 2 },
    { "cpp", 3, 2 },
    { "java", 4, 3 },
    { "android", 7, 5 },
    { "go", 2, 3 },
    { "php", 3, 4 },
    { NULL, 0, 0 }
};


void
kz_dialect_detect(kz_req_t *req)
{
    kz_dialect_e   d;
    kz_client_t   *c;

    if (req->conf->api != KZ_DIALECT_AUTO) {
        req->dialect = req->conf->api;
        return;
    }

    c = req->client;
    d = kz_dialect_of_query(req);

    if (d == KZ_DIALECT_AUTO) {
        d = c->dialect != KZ_DIALECT_AUTO ? c->dialect : KZ_DIALECT_1;

    } else if (c->proto->flags & KZ_PROTO_SESSION) {
        c->dialect = d;
    }

    req->dialect = d;
}


static kz_dialect_e
kz_dialect_of_query(kz_req_t *req)
{
    ngx_uint_t          known;
    kz_json_val_t       v;
    const kz_action_t  *a;

    if (req->volatile_.type == KZ_JSON_OBJECT) {

        if (kz_json_get(&req->volatile_, "sdkName", 7, &v) == NGX_OK
            && v.type == KZ_JSON_STRING)
        {
            return kz_dialect_of_sdk(&v);
        }

        if (kz_json_get(&req->volatile_, "sdkVersion", 10, &v) == NGX_OK
            && v.type == KZ_JSON_STRING)
        {
            return KZ_DIALECT_1;
        }
    }

    if (req->jwt.len > 6
        && (ngx_strncmp(req->jwt.data, "kauth-", 6) == 0
            || (req->jwt.len > 8
                && ngx_strncmp(req->jwt.data, "kapikey-", 8) == 0)))
    {
        return KZ_DIALECT_2;
    }

    if (req->dialect != KZ_DIALECT_AUTO) {

        /* what the protocol saw: a route of one generation only, a cookie */

        return req->dialect;
    }

    if (kz_req_arg(req, "cookieAuth", 10)) {
        return KZ_DIALECT_2;
    }

    a = req->action;

    if (a == NULL && req->controller.data && req->action_name.data) {
        a = kz_router_find(&req->controller, &req->action_name, &known);
    }

    if (a && (a->flags & (KZ_V1|KZ_V2)) == KZ_V1) {
        return KZ_DIALECT_1;
    }

    if (a && (a->flags & (KZ_V1|KZ_V2)) == KZ_V2) {
        return KZ_DIALECT_2;
    }

    return KZ_DIALECT_AUTO;
}


/* "js@7.17.1-beta.1": the whole number after the @ counts. */

static kz_dialect_e
kz_dialect_of_sdk(kz_json_val_t *name)
{
    u_char                  *p, *end, *at;
    ngx_int_t                major;
    const kz_dialect_sdk_t  *sdk;

    p = name->raw.data + 1;
    end = name->raw.data + name->raw.len - 1;

    at = ngx_strlchr(p, end, '@');

    if (at == NULL) {
        return KZ_DIALECT_1;
    }

    for (sdk = kz_dialect_sdks; sdk->name; sdk++) {
        if (sdk->len == (size_t) (at - p)
            && ngx_strncmp(p, sdk->name, sdk->len) == 0)
        {
            break;
        }
    }

    if (sdk->name == NULL) {
        return KZ_DIALECT_1;
    }

    major = 0;

    for (p = at + 1; p < end && *p >= '0' && *p <= '9' && major < 1000; p++) {
        major = major * 10 + (*p - '0');
    }

    return major >= sdk->major ? KZ_DIALECT_2 : KZ_DIALECT_1;
}


void
kz_dialect_render(kz_req_t *req, kz_out_t *o, ngx_uint_t room)
{
    if (req->bare && req->failed) {
        kz_dialect_error(req, o);
        return;
    }

    if (req->result.type == KZ_RESULT_RAW && !req->failed) {
        kz_out_str(o, &req->result.json);
        return;
    }

    if (req->legacy) {
        kz_dialect_legacy(req, o, room);
        return;
    }

    if (req->request_id.data == NULL) {

        /* refused before it was a query: nothing to tell a room from */

        if (kz_req_name(req) != NGX_OK) {
            o->failed = 1;
            return;
        }

        room = room && req->odd_id.len;
    }

    if (req->reduced && req->failed) {

        if (req->dialect == KZ_DIALECT_1) {
            kz_dialect_reduced(req, o, room);
            return;
        }

        room = 0;
    }

    kz_out_char(o, '{');

    if (req->dialect == KZ_DIALECT_2) {
        kz_dialect_render_2(req, o);

    } else {
        kz_dialect_render_1(req, o);
    }

    if (room) {
        kz_out_lit(o, ",\"room\":");
        kz_dialect_id(req, o);
    }

    kz_out_char(o, '}');
}


static void
kz_dialect_render_1(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "\"requestId\":");
    kz_dialect_id(req, o);

    kz_out_lit(o, ",\"status\":");
    kz_out_int(o, req->status);

    kz_out_lit(o, ",\"error\":");
    if (req->failed) {
        kz_dialect_error(req, o);
    } else {
        kz_out_lit(o, "null");
    }

    kz_out_lit(o, ",\"controller\":");
    kz_dialect_string(o, &req->controller);

    kz_out_lit(o, ",\"action\":");
    kz_dialect_string(o, &req->action_name);

    kz_out_lit(o, ",\"collection\":");
    kz_dialect_string(o, &req->collection);

    kz_out_lit(o, ",\"index\":");
    kz_dialect_string(o, &req->index);

    kz_out_lit(o, ",\"volatile\":");
    if (req->volatile_.type == KZ_JSON_OBJECT) {
        kz_out_str(o, &req->volatile_.raw);
    } else {
        kz_out_lit(o, "null");
    }

    kz_out_lit(o, ",\"result\":");
    if (kz_req_has_result(req)) {
        kz_dialect_result(req, o);
    } else {
        kz_out_lit(o, "null");
    }
}


static void
kz_dialect_render_2(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "\"action\":");
    kz_dialect_string(o, &req->action_name);

    if (req->collection.data) {
        kz_out_lit(o, ",\"collection\":");
        kz_out_json_str(o, &req->collection);
    }

    kz_out_lit(o, ",\"controller\":");
    kz_dialect_string(o, &req->controller);

    kz_out_lit(o, ",\"error\":");
    if (req->failed) {
        kz_dialect_error(req, o);
    } else {
        kz_out_lit(o, "null");
    }

    kz_dialect_headers(req, o);

    if (req->index.data) {
        kz_out_lit(o, ",\"index\":");
        kz_out_json_str(o, &req->index);
    }

    if (kz_conf->node.len) {
        kz_out_lit(o, ",\"node\":");
        kz_out_json_str(o, &kz_conf->node);
    }

    kz_out_lit(o, ",\"requestId\":");
    kz_dialect_id(req, o);

    if (!kz_req_has_result(req)) {
        kz_out_lit(o, ",\"result\":null");

    } else if (req->result.type != KZ_RESULT_ABSENT
               && req->result.type != KZ_RESULT_INDEX_CREATED)
    {
        kz_out_lit(o, ",\"result\":");
        kz_dialect_result(req, o);
    }

    kz_out_lit(o, ",\"status\":");
    kz_out_int(o, req->status);

    kz_out_lit(o, ",\"volatile\":");
    if (req->volatile_.type == KZ_JSON_OBJECT) {
        kz_out_str(o, &req->volatile_.raw);
    } else {
        kz_out_lit(o, "null");
    }
}


/* What the action set, but no cookies: they are the browser's business. */

static void
kz_dialect_headers(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t    i, n;
    kz_header_t  *h;

    kz_out_lit(o, ",\"headers\":{");

    if (req->headers) {
        h = req->headers->elts;

        for (i = 0, n = 0; i < req->headers->nelts; i++) {

            if (kz_req_header_hidden(&h[i])) {
                continue;
            }

            if (n++) {
                kz_out_char(o, ',');
            }

            kz_out_json_str(o, &h[i].name);
            kz_out_char(o, ':');
            kz_out_json_str(o, &h[i].value);
        }
    }

    kz_out_char(o, '}');
}


/* Kuzzle: an id that is no string is refused, and echoed as it came. */

static void
kz_dialect_id(kz_req_t *req, kz_out_t *o)
{
    if (req->odd_id.len) {
        kz_out_str(o, &req->odd_id);
        return;
    }

    kz_out_json_str(o, &req->request_id);
}


/* Kuzzle: 1.x refuses what is not a query with these three members only. */

static void
kz_dialect_reduced(kz_req_t *req, kz_out_t *o, ngx_uint_t room)
{
    kz_out_char(o, '{');

    if (room) {
        kz_out_lit(o, "\"room\":");
        kz_dialect_id(req, o);
        kz_out_char(o, ',');
    }

    kz_out_lit(o, "\"status\":");
    kz_out_int(o, req->status);
    kz_out_lit(o, ",\"error\":{\"message\":");
    kz_dialect_message(req, o);
    kz_out_lit(o, "}}");
}


static void
kz_dialect_string(kz_out_t *o, ngx_str_t *s)
{
    if (s->data == NULL) {
        kz_out_lit(o, "null");
        return;
    }

    kz_out_json_str(o, s);
}


void
kz_dialect_error(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t             i;
    const kz_error_def_t  *def;

    def = kz_error_def(req->error);

    if (req->dialect == KZ_DIALECT_2) {

        kz_out_char(o, '{');

        if (def->id) {
            kz_out_lit(o, "\"code\":");
            kz_out_int(o, def->code);
            kz_out_lit(o, ",\"id\":\"");
            kz_out_bytes(o, def->id, ngx_strlen(def->id));
            kz_out_lit(o, "\",");
        }

        kz_out_lit(o, "\"message\":");
        kz_dialect_message(req, o);

        if (def->id) {
            kz_out_lit(o, ",\"props\":[");

            for (i = 0; i < req->nfail_args; i++) {
                if (i) {
                    kz_out_char(o, ',');
                }

                kz_out_json_str(o, &req->fail_args[i]);
            }

            kz_out_char(o, ']');
        }

        kz_out_lit(o, ",\"status\":");
        kz_out_int(o, req->status);
        kz_dialect_errors(req, o);
        kz_out_char(o, '}');

        return;
    }

    kz_out_lit(o, "{\"message\":");
    kz_dialect_message(req, o);
    kz_out_lit(o, ",\"status\":");
    kz_out_int(o, req->status);

    if (def->id) {
        kz_out_lit(o, ",\"id\":\"");
        kz_out_bytes(o, def->id, ngx_strlen(def->id));
        kz_out_lit(o, "\",\"code\":");
        kz_out_int(o, def->code);
    }

    kz_dialect_errors(req, o);
    kz_out_char(o, '}');
}


/* What went wrong with each of many.  Kuzzle: in either order. */

static void
kz_dialect_errors(kz_req_t *req, kz_out_t *o)
{
    if (req->nerrors == 0) {
        return;
    }

    if (!req->partial) {
        kz_out_lit(o, ",\"count\":");
        kz_out_int(o, req->nerrors);
    }

    kz_out_lit(o, ",\"errors\":");
    kz_out_str(o, &req->errors);

    if (req->partial) {
        kz_out_lit(o, ",\"count\":");
        kz_out_int(o, req->nerrors);
    }
}


/* The message as a JSON string. */

static void
kz_dialect_message(kz_req_t *req, kz_out_t *o)
{
    kz_out_t  text;

    if (req->error == KZ_E_NONE) {
        kz_out_json_str(o, &req->fail_text);
        return;
    }

    kz_out_init(&text, req->pool, 128);
    kz_dialect_message_text(req, &text);

    if (kz_out_failed(&text)) {
        o->failed = 1;
        return;
    }

    kz_out_json(o, text.start, kz_out_len(&text));
}


static void
kz_dialect_message_text(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t             n;
    const char            *p, *arg;
    const kz_error_def_t  *def;

    def = kz_error_def(req->error);

    p = def->message1;

    if (req->dialect == KZ_DIALECT_2 && def->message2) {
        p = def->message2;
    }

    for (n = 0; /* void */ ; n++) {
        arg = strstr(p, "%s");

        if (arg == NULL || n == req->nfail_args) {
            kz_out_bytes(o, p, ngx_strlen(p));
            break;
        }

        kz_out_bytes(o, p, arg - p);
        kz_out_str(o, &req->fail_args[n]);
        p = arg + 2;
    }

    if (req->dialect == KZ_DIALECT_2) {
        return;
    }

    /* Kuzzle: what the text has no place for follows it (util.format()) */

    for ( /* void */ ; n < req->nfail_args; n++) {
        kz_out_char(o, ' ');
        kz_out_str(o, &req->fail_args[n]);
    }
}
