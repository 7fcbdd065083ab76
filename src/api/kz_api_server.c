/*
 * Controller server: the server about itself.  See kz_server.h.
 */

#include "api/kz_router.h"
#include "api/kz_args.h"
#include "api/kz_route.h"
#include "api/kz_server.h"
#include "api/kz_server_stats.h"
#include "core/kz_bus.h"
#include "store/kz_store.h"


#define KZ_SERVER_PING  2000       /* ms for the writer to answer */
#define KZ_SERVER_RED   503        /* the status of a red health */


static ngx_int_t kz_server_now(kz_req_t *req);
static ngx_int_t kz_server_public_api(kz_req_t *req);
static ngx_int_t kz_server_admin_exists(kz_req_t *req);
static ngx_int_t kz_server_health_check(kz_req_t *req);
static ngx_int_t kz_server_health_checked(kz_req_t *req);
static ngx_int_t kz_server_services(kz_req_t *req, ngx_uint_t *mask);
static ngx_uint_t kz_server_service(ngx_str_t *name);
static ngx_int_t kz_server_services_json(kz_req_t *req, kz_json_val_t *list,
    ngx_uint_t *mask);
static ngx_uint_t kz_server_services_text(ngx_str_t *text);
static void kz_server_render(kz_out_t *o, ngx_uint_t generation);
static void kz_server_api_action(kz_out_t *o, const kz_controller_t *c,
    const kz_action_t *a, const kz_route_t **route, ngx_uint_t generation);


/* In the order in which Kuzzle looks at them. */

#define KZ_SERVICE_CACHE    0x01
#define KZ_SERVICE_MEMORY   0x02
#define KZ_SERVICE_STORAGE  0x04

static const char  *kz_server_service_names[] = {
    "internalCache", "memoryStorage", "storageEngine", NULL
};


/* what publicApi and info advertise, rendered once: generation 1 and 2 */

static ngx_str_t  kz_server_apis[2];
static int64_t    kz_server_start;


const kz_action_t  kz_server_actions[] = {

    { "adminExists", kz_server_admin_exists, "", "",
      "GET /_adminExists",
      KZ_V1|KZ_V2 },

    { "capabilities", kz_server_capabilities, "", "",
      "2GET /_capabilities",
      KZ_V2 },

    { "getAllStats", kz_server_get_all_stats, "", "",
      "GET /_getAllStats",
      KZ_V1|KZ_V2 },

    { "getConfig", kz_server_get_config, "", "",
      "GET /_getConfig",
      KZ_V1|KZ_V2 },

    { "getLastStats", kz_server_get_last_stats, "", "",
      "GET /_getLastStats",
      KZ_V1|KZ_V2 },

    { "getStats", kz_server_get_stats, "", "",
      "GET /_getStats,"
      "1-POST /_getStats",
      KZ_V1|KZ_V2 },

    { "healthCheck", kz_server_health_check, "", "",
      "GET /_healthCheck",
      KZ_V1|KZ_V2 },

    { "info", kz_server_info, "", "",
      "GET /,"
      "GET /_serverInfo",
      KZ_V1|KZ_V2 },

    { "metrics", kz_server_metrics, "", "",
      "2GET /_metrics",
      KZ_V2 },

    { "now", kz_server_now, "", "",
      "GET /_now",
      KZ_V1|KZ_V2 },

    { "openapi", kz_server_openapi, "", "",
      "2GET /_openapi",
      KZ_V2|KZ_RAW },

    { "publicApi", kz_server_public_api, "", "",
      "GET /_publicApi",
      KZ_V1|KZ_V2 },

      kz_null_action
};


ngx_int_t
kz_server_init(ngx_cycle_t *cycle)
{
    kz_out_t     o;
    ngx_uint_t   i;
    ngx_time_t  *tp;

    if (kz_server_start == 0) {
        tp = ngx_timeofday();
        kz_server_start = (int64_t) tp->sec * 1000 + tp->msec;
    }

    for (i = 0; i < 2; i++) {
        kz_out_init(&o, cycle->pool, 65536);
        kz_server_render(&o, i + 1);

        if (kz_out_failed(&o)) {
            return NGX_ERROR;
        }

        kz_server_apis[i].data = o.start;
        kz_server_apis[i].len = kz_out_len(&o);
    }

    if (kz_server_info_init(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_openapi_init(cycle);
}


int64_t
kz_server_started(void)
{
    return kz_server_start;
}


ngx_str_t *
kz_server_api(kz_dialect_e dialect)
{
    return &kz_server_apis[dialect == KZ_DIALECT_2];
}


static ngx_int_t
kz_server_now(kz_req_t *req)
{
    kz_out_t  o;

    kz_out_init(&o, req->pool, 32);

    kz_out_lit(&o, "{\"now\":");
    kz_out_int(&o, req->timestamp);
    kz_out_char(&o, '}');

    return kz_result_json(req, &o);
}


static ngx_int_t
kz_server_public_api(kz_req_t *req)
{
    req->result.type = KZ_RESULT_JSON;
    req->result.json = *kz_server_api(req->dialect);

    return NGX_OK;
}


/* There are no users yet, so there is no administrator. */

static ngx_int_t
kz_server_admin_exists(kz_req_t *req)
{
    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "{\"exists\":false}");

    return NGX_OK;
}


ngx_int_t
kz_server_ping(kz_req_t *req, kz_step_pt step)
{
    kz_store_op_t  *op;

    op = kz_store_op(req, KZ_STORE_PING, step);
    if (op == NULL) {
        return NGX_ERROR;
    }

    ngx_str_null(&op->index);
    ngx_str_null(&op->collection);
    ngx_str_null(&op->id);

    op->timeout = ngx_min(kz_conf->store_timeout, KZ_SERVER_PING);

    return kz_store_submit(op);
}


static ngx_int_t
kz_server_health_check(kz_req_t *req)
{
    ngx_uint_t  *mask;

    mask = ngx_palloc(req->pool, sizeof(ngx_uint_t));
    if (mask == NULL || kz_server_services(req, mask) != NGX_OK) {
        return NGX_ERROR;
    }

    req->ctx = mask;

    if (*mask & KZ_SERVICE_STORAGE) {
        return kz_server_ping(req, kz_server_health_checked);
    }

    req->step = kz_server_health_checked;

    return NGX_OK;
}


/*
 * The caches are the shared zone: red when this worker has no place in it.
 * A red one is an error as well, with the result beside it.  Kuzzle: it names
 * the last that is red.
 */

static ngx_int_t
kz_server_health_checked(kz_req_t *req)
{
    size_t        used, peak;
    kz_out_t      o;
    ngx_str_t     down;
    ngx_uint_t    i, n, bit, red, *mask;
    const char  **name;

    mask = req->ctx;
    red = 0;

    if (kz_bus_memory(&used, &peak) != NGX_OK) {
        red |= KZ_SERVICE_CACHE|KZ_SERVICE_MEMORY;
    }

    if (*mask & KZ_SERVICE_STORAGE) {

        if (req->op->status == KZ_STORE_BUSY) {
            return kz_store_fail(req, req->op);
        }

        if (req->op->status != KZ_STORE_OK) {
            red |= KZ_SERVICE_STORAGE;
        }
    }

    red &= *mask;

    kz_out_init(&o, req->pool, 160);

    kz_out_lit(&o, "{\"status\":\"");

    if (red) {
        kz_out_lit(&o, "red");
    } else {
        kz_out_lit(&o, "green");
    }

    kz_out_lit(&o, "\",\"services\":{");

    name = kz_server_service_names;

    for (i = 0, n = 0; name[i]; i++) {
        bit = (ngx_uint_t) 1 << i;

        if (!(*mask & bit)) {
            continue;
        }

        if (n++) {
            kz_out_char(&o, ',');
        }

        kz_out_char(&o, '"');
        kz_out_bytes(&o, name[i], ngx_strlen(name[i]));

        if (red & bit) {
            kz_out_lit(&o, "\":\"red\"");
            down.data = (u_char *) name[i];
            down.len = ngx_strlen(name[i]);
        } else {
            kz_out_lit(&o, "\":\"green\"");
        }
    }

    kz_out_lit(&o, "}}");

    if (red) {
        (void) kz_fail_partly(req, KZ_E_FATAL_SERVICE_UNAVAILABLE,
                              KZ_SERVER_RED, &down);
    }

    return kz_result_json(req, &o);
}


/*
 * Which services to look at.  Kuzzle: names that are not known are ignored,
 * and so is an argument that is neither text nor a list; the text may be the
 * list as JSON, or names with commas between them.
 */

static ngx_int_t
kz_server_services(kz_req_t *req, ngx_uint_t *mask)
{
    kz_arg_t       *arg;
    ngx_str_t       text;
    kz_json_err_t   err;
    kz_json_val_t   v;

    *mask = KZ_SERVICE_CACHE|KZ_SERVICE_MEMORY|KZ_SERVICE_STORAGE;

    arg = kz_req_arg(req, "services", 8);
    if (arg == NULL) {
        return NGX_OK;
    }

    if (arg->val.type == KZ_JSON_ARRAY) {
        return kz_server_services_json(req, &arg->val, mask);
    }

    if (arg->val.type != KZ_JSON_NONE && arg->val.type != KZ_JSON_STRING) {
        return NGX_OK;
    }

    if (kz_arg_string(req, "services", &text) == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (text.len && text.data[0] == '['
        && kz_json_scan(text.data, text.len, req->conf->json_depth, &v, &err)
           == NGX_OK
        && v.type == KZ_JSON_ARRAY)
    {
        return kz_server_services_json(req, &v, mask);
    }

    *mask = kz_server_services_text(&text);

    return NGX_OK;
}


static ngx_int_t
kz_server_services_json(kz_req_t *req, kz_json_val_t *list, ngx_uint_t *mask)
{
    ngx_str_t       name;
    kz_json_val_t   v;
    kz_json_iter_t  it;

    *mask = 0;

    kz_json_iter(&it, list);

    while (kz_json_next(&it, &v) == NGX_OK) {

        if (v.type != KZ_JSON_STRING) {
            continue;
        }

        if (kz_json_string(req->pool, &v, &name) != NGX_OK) {
            return NGX_ERROR;
        }

        *mask |= kz_server_service(&name);
    }

    return NGX_OK;
}


static ngx_uint_t
kz_server_services_text(ngx_str_t *text)
{
    u_char      *p, *last, *end;
    ngx_str_t    name;
    ngx_uint_t   mask;

    mask = 0;
    end = text->data + text->len;

    for (p = text->data; p < end; p = last + 1) {
        last = ngx_strlchr(p, end, ',');
        if (last == NULL) {
            last = end;
        }

        name.data = p;
        name.len = last - p;

        mask |= kz_server_service(&name);
    }

    return mask;
}


static ngx_uint_t
kz_server_service(ngx_str_t *name)
{
    ngx_uint_t    i;
    const char  **known;

    known = kz_server_service_names;

    for (i = 0; known[i]; i++) {
        if (ngx_strlen(known[i]) == name->len
            && ngx_memcmp(known[i], name->data, name->len) == 0)
        {
            return (ngx_uint_t) 1 << i;
        }
    }

    return 0;
}


/*
 * {controller: {action: {controller, action, http: [{url, verb}]}}}
 *
 * The same routes in the same order for both generations: over HTTP the SDKs
 * pick one per action by their own rules, and they ask for this list before
 * they can be told apart.  Which routes are left out: see the rows.
 */

static void
kz_server_render(kz_out_t *o, ngx_uint_t generation)
{
    ngx_uint_t              n;
    const kz_route_t       *list, *end, *r;
    const kz_action_t      *a;
    const kz_controller_t  *c;

    list = kz_route_list(&n);
    end = list + n;

    kz_out_char(o, '{');

    for (c = kz_controllers; c->name; c++) {

        if (c > kz_controllers) {
            kz_out_char(o, ',');
        }

        kz_out_char(o, '"');
        kz_out_bytes(o, c->name, ngx_strlen(c->name));
        kz_out_lit(o, "\":{");

        /* the routes of a controller stand together */

        for (r = list; r < end; r++) {
            if (r->controller->actions == c->actions) {
                break;
            }
        }

        for (a = c->actions; a->name; a++) {
            if (a > c->actions) {
                kz_out_char(o, ',');
            }

            kz_server_api_action(o, c, a, &r, generation);
        }

        kz_out_char(o, '}');
    }

    kz_out_char(o, '}');
}


static void
kz_server_api_action(kz_out_t *o, const kz_controller_t *c,
    const kz_action_t *a, const kz_route_t **route, ngx_uint_t generation)
{
    ngx_uint_t         n, shown;
    const kz_route_t  *r, *end;

    end = kz_route_list(&n) + n;

    kz_out_char(o, '"');
    kz_out_bytes(o, a->name, ngx_strlen(a->name));
    kz_out_lit(o, "\":{\"controller\":\"");
    kz_out_bytes(o, c->name, ngx_strlen(c->name));
    kz_out_lit(o, "\",\"action\":\"");
    kz_out_bytes(o, a->name, ngx_strlen(a->name));
    kz_out_char(o, '"');

    shown = 0;

    for (r = *route; r < end && r->action == a; r++) {

        if (!r->advertised) {
            continue;
        }

        if (shown++) {
            kz_out_char(o, ',');
        } else {
            kz_out_lit(o, ",\"http\":[");
        }

        kz_out_lit(o, "{\"url\":");
        kz_out_json_str(o, &r->url);
        kz_out_lit(o, ",\"verb\":\"");
        kz_out_bytes(o, kz_verb_name(r->verb),
                     ngx_strlen(kz_verb_name(r->verb)));
        kz_out_char(o, '"');

        if (generation == 2) {
            kz_out_lit(o, ",\"path\":");
            kz_out_json_str(o, &r->url);
        }

        kz_out_char(o, '}');
    }

    if (shown) {
        kz_out_char(o, ']');
    }

    kz_out_char(o, '}');

    *route = r;
}
