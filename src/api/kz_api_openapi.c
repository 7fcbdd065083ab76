/*
 * The API as an OpenAPI 3.1 document, made from the action rows: every route,
 * what stands in its path, whether it has a body, which envelope comes back.
 *
 * Four texts: for each generation (the envelopes differ) JSON, and the same
 * as YAML.  They are rendered before the workers are forked, and shared.
 */

#include "api/kz_router.h"
#include "api/kz_args.h"
#include "api/kz_route.h"
#include "api/kz_server.h"
#include "util/kz_yaml.h"


typedef enum {
    KZ_OPENAPI_JSON = 0,
    KZ_OPENAPI_YAML,
    KZ_OPENAPI_FORMATS
} kz_openapi_format_e;


static ngx_int_t kz_openapi_render(ngx_cycle_t *cycle, kz_dialect_e dialect,
    ngx_uint_t routes, ngx_str_t *texts);
static void kz_openapi_head(kz_out_t *o, kz_dialect_e dialect);
static void kz_openapi_tags(kz_out_t *o);
static void kz_openapi_paths(kz_out_t *o);
static ngx_uint_t kz_openapi_same(const kz_route_t *a, const kz_route_t *b);
static void kz_openapi_url(kz_out_t *o, const kz_route_t *r);
static void kz_openapi_operation(kz_out_t *o, const kz_route_t *r);
static void kz_openapi_name(kz_out_t *o, const char *s);
static void kz_openapi_parameters(kz_out_t *o);
static void kz_openapi_components(kz_out_t *o, kz_dialect_e dialect);
static ngx_int_t kz_openapi_answer(kz_req_t *req, ngx_str_t *text,
    kz_openapi_format_e format);


/* by generation, and the one of an application that has no routes */

static ngx_str_t  kz_openapi_kuzzle[2][KZ_OPENAPI_FORMATS];
static ngx_str_t  kz_openapi_app[2][KZ_OPENAPI_FORMATS];


#define KZ_OPENAPI_REF(kind, name)                                            \
    "{\"$ref\":\"#/components/" kind "/" name "\"}"

#define KZ_OPENAPI_CONTENT(schema)                                            \
    "\"content\":{\"application/json\":{\"schema\":"                          \
    KZ_OPENAPI_REF("schemas", schema) "}}"

#define KZ_OPENAPI_BODY                                                       \
    "\"content\":{\"application/json\":{\"schema\":{"                         \
    "\"type\":[\"object\",\"array\"]}},"                                      \
    "\"application/x-www-form-urlencoded\":{\"schema\":{"                     \
    "\"type\":\"object\"}},"                                                  \
    "\"multipart/form-data\":{\"schema\":{\"type\":\"object\"}}}"


static const char  kz_openapi_responses[] =
    "\"responses\":{"
    "\"Reply\":{\"description\":\"The action's result\","
    KZ_OPENAPI_CONTENT("Reply") "},"
    "\"Raw\":{\"description\":\"The result without an envelope\","
    "\"content\":{\"application/json\":{},\"application/yaml\":{}}},"
    "\"Error\":{\"description\":\"Why the query was refused\","
    KZ_OPENAPI_CONTENT("Refusal") "},"
    "\"NotImplemented\":{\"description\":\"Not implemented by this server\","
    KZ_OPENAPI_CONTENT("Refusal") "}}";

static const char  kz_openapi_bodies[] =
    "\"requestBodies\":{"
    "\"Body\":{\"required\":true," KZ_OPENAPI_BODY "},"
    "\"OptionalBody\":{\"required\":false," KZ_OPENAPI_BODY "}}";

static const char  kz_openapi_schemas_1[] =
    "\"schemas\":{"
    "\"Reply\":{\"type\":\"object\",\"required\":[\"requestId\",\"status\","
    "\"error\",\"controller\",\"action\",\"collection\",\"index\","
    "\"volatile\",\"result\"],\"properties\":{"
    "\"requestId\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\"},"
    "\"error\":{\"anyOf\":[" KZ_OPENAPI_REF("schemas", "Error")
    ",{\"type\":\"null\"}]},"
    "\"controller\":{\"type\":[\"string\",\"null\"]},"
    "\"action\":{\"type\":[\"string\",\"null\"]},"
    "\"collection\":{\"type\":[\"string\",\"null\"]},"
    "\"index\":{\"type\":[\"string\",\"null\"]},"
    "\"volatile\":{\"type\":[\"object\",\"null\"]},"
    "\"result\":{}}},"
    "\"Error\":{\"type\":\"object\",\"required\":[\"message\",\"status\"],"
    "\"properties\":{\"message\":{\"type\":\"string\"},"
    "\"status\":{\"type\":\"integer\"},\"id\":{\"type\":\"string\"},"
    "\"code\":{\"type\":\"integer\"}}},"
    "\"Refusal\":{\"anyOf\":[" KZ_OPENAPI_REF("schemas", "Reply") ","
    KZ_OPENAPI_REF("schemas", "Error") "]}}";

static const char  kz_openapi_schemas_2[] =
    "\"schemas\":{"
    "\"Reply\":{\"type\":\"object\",\"required\":[\"action\",\"controller\","
    "\"error\",\"headers\",\"requestId\",\"status\",\"volatile\"],"
    "\"properties\":{"
    "\"action\":{\"type\":[\"string\",\"null\"]},"
    "\"collection\":{\"type\":\"string\"},"
    "\"controller\":{\"type\":[\"string\",\"null\"]},"
    "\"error\":{\"anyOf\":[" KZ_OPENAPI_REF("schemas", "Error")
    ",{\"type\":\"null\"}]},"
    "\"headers\":{\"type\":\"object\"},"
    "\"index\":{\"type\":\"string\"},"
    "\"node\":{\"type\":\"string\"},"
    "\"requestId\":{\"type\":\"string\"},"
    "\"result\":{},"
    "\"status\":{\"type\":\"integer\"},"
    "\"volatile\":{\"type\":[\"object\",\"null\"]}}},"
    "\"Error\":{\"type\":\"object\",\"required\":[\"message\",\"status\"],"
    "\"properties\":{\"code\":{\"type\":\"integer\"},"
    "\"id\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},"
    "\"props\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
    "\"status\":{\"type\":\"integer\"}}},"
    "\"Refusal\":{\"anyOf\":[" KZ_OPENAPI_REF("schemas", "Reply") ","
    KZ_OPENAPI_REF("schemas", "Error") "]}}";


ngx_int_t
kz_openapi_init(ngx_cycle_t *cycle)
{
    ngx_uint_t    i;
    kz_dialect_e  d;

    for (i = 0; i < 2; i++) {
        d = i ? KZ_DIALECT_2 : KZ_DIALECT_1;

        if (kz_openapi_render(cycle, d, 1, kz_openapi_kuzzle[i]) != NGX_OK
            || kz_openapi_render(cycle, d, 0, kz_openapi_app[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
kz_openapi_render(ngx_cycle_t *cycle, kz_dialect_e dialect,
    ngx_uint_t routes, ngx_str_t *texts)
{
    kz_out_t       o;
    kz_json_err_t  err;
    kz_json_val_t  v;

    kz_out_init(&o, cycle->pool, routes ? 131072 : 4096);

    kz_openapi_head(&o, dialect);

    if (routes) {
        kz_openapi_tags(&o);
        kz_openapi_paths(&o);
    } else {
        kz_out_lit(&o, ",\"paths\":{}");
    }

    kz_openapi_components(&o, dialect);
    kz_out_char(&o, '}');

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    texts[KZ_OPENAPI_JSON].data = o.start;
    texts[KZ_OPENAPI_JSON].len = kz_out_len(&o);

    if (kz_json_scan(texts[KZ_OPENAPI_JSON].data,
                     texts[KZ_OPENAPI_JSON].len, 32, &v, &err) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "kuzzle: the OpenAPI document is not JSON at %uz",
                      err.offset);
        return NGX_ERROR;
    }

    kz_out_init(&o, cycle->pool, texts[KZ_OPENAPI_JSON].len * 2);
    kz_yaml(&o, &v);

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    texts[KZ_OPENAPI_YAML].data = o.start;
    texts[KZ_OPENAPI_YAML].len = kz_out_len(&o);

    return NGX_OK;
}


static void
kz_openapi_head(kz_out_t *o, kz_dialect_e dialect)
{
    kz_out_lit(o, "{\"openapi\":\"3.1.0\",\"info\":{"
                  "\"title\":\"Kuzzle API\","
                  "\"description\":\"The HTTP routes of ngx_kuzzle "
                  KZ_VERSION "\",\"version\":\"");

    if (dialect == KZ_DIALECT_2) {
        kz_out_lit(o, KZ_SERVER_VERSION_2);
    } else {
        kz_out_lit(o, KZ_SERVER_VERSION_1);
    }

    kz_out_lit(o, "\"}");
}


/* Controllers with routes, in the order of these. */

static void
kz_openapi_tags(kz_out_t *o)
{
    ngx_uint_t         i, n;
    const kz_route_t  *list;

    list = kz_route_list(&n);

    kz_out_lit(o, ",\"tags\":[");

    for (i = 0; i < n; i++) {

        if (i && list[i].controller == list[i - 1].controller) {
            continue;
        }

        if (i) {
            kz_out_char(o, ',');
        }

        kz_out_lit(o, "{\"name\":\"");
        kz_openapi_name(o, list[i].controller->name);
        kz_out_lit(o, "\"}");
    }

    kz_out_char(o, ']');
}


/* A path stands where its first route does, with all its verbs. */

static void
kz_openapi_paths(kz_out_t *o)
{
    ngx_uint_t         i, j, n, verbs;
    const kz_route_t  *list;

    list = kz_route_list(&n);

    kz_out_lit(o, ",\"paths\":{");

    for (i = 0; i < n; i++) {

        for (j = 0; j < i; j++) {
            if (kz_openapi_same(&list[i], &list[j])) {
                break;
            }
        }

        if (j < i) {
            continue;
        }

        if (i) {
            kz_out_char(o, ',');
        }

        kz_openapi_url(o, &list[i]);
        kz_out_lit(o, ":{");

        for (j = i, verbs = 0; j < n; j++) {

            if (!kz_openapi_same(&list[i], &list[j])) {
                continue;
            }

            if (verbs++) {
                kz_out_char(o, ',');
            }

            kz_openapi_operation(o, &list[j]);
        }

        kz_out_char(o, '}');
    }

    kz_out_char(o, '}');
}


static ngx_uint_t
kz_openapi_same(const kz_route_t *a, const kz_route_t *b)
{
    return a->url.len == b->url.len
           && ngx_memcmp(a->url.data, b->url.data, a->url.len) == 0;
}


/* "/:index/_create" -> "/{index}/_create" */

static void
kz_openapi_url(kz_out_t *o, const kz_route_t *r)
{
    size_t      i;
    u_char      c;
    ngx_uint_t  open;

    open = 0;

    kz_out_char(o, '"');

    for (i = 0; i < r->url.len; i++) {
        c = r->url.data[i];

        if (c == ':' && r->url.data[i - 1] == '/') {
            kz_out_char(o, '{');
            open = 1;
            continue;
        }

        if (c == '/' && open) {
            kz_out_char(o, '}');
            open = 0;
        }

        kz_out_char(o, c);
    }

    if (open) {
        kz_out_char(o, '}');
    }

    kz_out_char(o, '"');
}


/* Routes of one action stand together: the second is called "name_2". */

static void
kz_openapi_operation(kz_out_t *o, const kz_route_t *r)
{
    u_char             *p, verb[8];
    ngx_uint_t          i, nth, total, body;
    const char         *name;
    const kz_route_t   *list;
    const kz_action_t  *a;

    a = r->action;
    list = kz_route_list(&total);

    for (nth = 1; &r[1 - (ngx_int_t) nth] > list && r[-(ngx_int_t) nth].action
         == a; nth++)
    {
        /* void */
    }

    name = kz_verb_name(r->verb);

    for (p = verb; *name; name++) {
        *p++ = ngx_tolower(*name);
    }

    kz_out_char(o, '"');
    kz_out_bytes(o, verb, p - verb);
    kz_out_lit(o, "\":{\"operationId\":\"");
    kz_openapi_name(o, r->controller->name);
    kz_out_char(o, '_');
    kz_openapi_name(o, a->name);

    if (nth > 1) {
        kz_out_char(o, '_');
        kz_out_int(o, nth);
    }

    kz_out_lit(o, "\",\"summary\":\"");
    kz_openapi_name(o, r->controller->name);
    kz_out_char(o, ':');
    kz_openapi_name(o, a->name);
    kz_out_lit(o, "\",\"tags\":[\"");
    kz_openapi_name(o, r->controller->name);
    kz_out_lit(o, "\"],\"parameters\":[");

    for (i = 0; i < r->nparams; i++) {
        kz_out_lit(o, "{\"$ref\":\"#/components/parameters/");
        kz_out_str(o, &r->params[i]);
        kz_out_lit(o, "\"},");
    }

    kz_out_lit(o, KZ_OPENAPI_REF("parameters", "pretty") "]");

    body = (strchr(a->needs1, 'b') || strchr(a->needs2, 'b'));

    if (body) {
        kz_out_lit(o, ",\"requestBody\":"
                      KZ_OPENAPI_REF("requestBodies", "Body"));

    } else if (r->verb != KZ_VERB_GET && r->verb != KZ_VERB_DELETE) {
        kz_out_lit(o, ",\"requestBody\":"
                      KZ_OPENAPI_REF("requestBodies", "OptionalBody"));
    }

    kz_out_lit(o, ",\"responses\":{");

    if (a->run == NULL) {
        kz_out_lit(o, "\"501\":"
                      KZ_OPENAPI_REF("responses", "NotImplemented"));

    } else if (a->flags & KZ_RAW) {
        kz_out_lit(o, "\"200\":" KZ_OPENAPI_REF("responses", "Raw"));

    } else {
        kz_out_lit(o, "\"200\":" KZ_OPENAPI_REF("responses", "Reply"));
    }

    kz_out_lit(o, ",\"default\":" KZ_OPENAPI_REF("responses", "Error") "}}");
}


static void
kz_openapi_name(kz_out_t *o, const char *s)
{
    kz_out_bytes(o, s, ngx_strlen(s));
}


/* One of a kind for every name that stands in a path. */

static void
kz_openapi_parameters(kz_out_t *o)
{
    ngx_str_t         *seen[64], *name;
    ngx_uint_t         i, j, k, n, nseen;
    const kz_route_t  *list;

    list = kz_route_list(&n);
    nseen = 0;

    kz_out_lit(o, "\"parameters\":{\"pretty\":{\"name\":\"pretty\","
                  "\"in\":\"query\",\"description\":\"Indents the reply\","
                  "\"allowEmptyValue\":true,"
                  "\"schema\":{\"type\":\"string\"}}");

    for (i = 0; i < n; i++) {
        for (j = 0; j < list[i].nparams; j++) {

            name = (ngx_str_t *) &list[i].params[j];

            for (k = 0; k < nseen; k++) {
                if (seen[k]->len == name->len
                    && ngx_memcmp(seen[k]->data, name->data, name->len) == 0)
                {
                    break;
                }
            }

            if (k < nseen || nseen == 64) {
                continue;
            }

            seen[nseen++] = name;

            kz_out_lit(o, ",\"");
            kz_out_str(o, name);
            kz_out_lit(o, "\":{\"name\":\"");
            kz_out_str(o, name);
            kz_out_lit(o, "\",\"in\":\"path\",\"required\":true,"
                          "\"schema\":{\"type\":\"string\"}}");
        }
    }

    kz_out_char(o, '}');
}


static void
kz_openapi_components(kz_out_t *o, kz_dialect_e dialect)
{
    kz_out_lit(o, ",\"components\":{");
    kz_openapi_parameters(o);
    kz_out_char(o, ',');
    kz_out_lit(o, kz_openapi_bodies);
    kz_out_char(o, ',');
    kz_out_lit(o, kz_openapi_responses);
    kz_out_char(o, ',');

    if (dialect == KZ_DIALECT_2) {
        kz_out_lit(o, kz_openapi_schemas_2);
    } else {
        kz_out_lit(o, kz_openapi_schemas_1);
    }

    kz_out_char(o, '}');
}


/* Kuzzle: "app" is the application's own API; there is no application. */

ngx_int_t
kz_server_openapi(kz_req_t *req)
{
    ngx_str_t             format, scope, words;
    ngx_uint_t            g;
    kz_openapi_format_e   f;

    g = (req->dialect == KZ_DIALECT_2);

    ngx_str_set(&format, "json");
    ngx_str_set(&scope, "kuzzle");

    if (kz_arg_string(req, "format", &format) == NGX_ERROR
        || kz_arg_string(req, "scope", &scope) == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if (format.len == 4 && ngx_memcmp(format.data, "json", 4) == 0) {
        f = KZ_OPENAPI_JSON;

    } else if (format.len == 4 && ngx_memcmp(format.data, "yaml", 4) == 0) {
        f = KZ_OPENAPI_YAML;

    } else {
        ngx_str_set(&words, "json,yaml");

        return kz_fail(req, KZ_E_ASSERT_UNEXPECTED_ARGUMENT, 2, &format,
                       &words);
    }

    if (scope.len == 6 && ngx_memcmp(scope.data, "kuzzle", 6) == 0) {
        return kz_openapi_answer(req, &kz_openapi_kuzzle[g][f], f);
    }

    if (scope.len == 3 && ngx_memcmp(scope.data, "app", 3) == 0) {
        return kz_openapi_answer(req, &kz_openapi_app[g][f], f);
    }

    ngx_str_set(&words, "kuzzle,app");

    return kz_fail(req, KZ_E_ASSERT_UNEXPECTED_ARGUMENT, 2, &scope, &words);
}


ngx_int_t
kz_server_swagger_json(kz_req_t *req)
{
    return kz_openapi_answer(req, &kz_openapi_kuzzle[0][KZ_OPENAPI_JSON],
                             KZ_OPENAPI_JSON);
}


ngx_int_t
kz_server_swagger_yaml(kz_req_t *req)
{
    return kz_openapi_answer(req, &kz_openapi_kuzzle[0][KZ_OPENAPI_YAML],
                             KZ_OPENAPI_YAML);
}


static ngx_int_t
kz_openapi_answer(kz_req_t *req, ngx_str_t *text, kz_openapi_format_e format)
{
    req->result.type = KZ_RESULT_RAW;
    req->result.json = *text;

    if (format == KZ_OPENAPI_YAML) {
        ngx_str_set(&req->raw_type, "application/yaml");
    } else {
        ngx_str_set(&req->raw_type, "application/json");
    }

    return NGX_OK;
}
