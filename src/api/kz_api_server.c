/*
 * Controller server: the server about itself.
 */

#include "api/kz_router.h"
#include "api/kz_route.h"
#include "api/kz_server.h"

#include <sys/sysinfo.h>


#define KZ_SERVER_VERSION_1  "1.12.0"
#define KZ_SERVER_VERSION_2  "2.56.0"


static ngx_int_t kz_server_now(kz_req_t *req);
static ngx_int_t kz_server_info(kz_req_t *req);
static ngx_int_t kz_server_public_api(kz_req_t *req);
static ngx_int_t kz_server_admin_exists(kz_req_t *req);
static void kz_server_api(kz_out_t *o, ngx_uint_t generation);
static void kz_server_api_action(kz_out_t *o, const kz_controller_t *c,
    const kz_action_t *a, const kz_route_t **route, ngx_uint_t generation);
static size_t kz_server_resident(void);


/* what publicApi and info advertise, rendered once: generation 1 and 2 */

static ngx_str_t  kz_server_apis[2];
static time_t     kz_server_started;


const kz_action_t  kz_server_actions[] = {

    { "adminExists", kz_server_admin_exists, "", "",
      "GET /_adminExists",
      KZ_V1|KZ_V2 },

    { "capabilities", NULL, "", "",
      "2GET /_capabilities",
      KZ_V2 },

    { "getAllStats", NULL, "", "",
      "GET /_getAllStats",
      KZ_V1|KZ_V2 },

    { "getConfig", NULL, "", "",
      "GET /_getConfig",
      KZ_V1|KZ_V2 },

    { "getLastStats", NULL, "", "",
      "GET /_getLastStats",
      KZ_V1|KZ_V2 },

    { "getStats", NULL, "", "",
      "GET /_getStats,"
      "1-POST /_getStats",
      KZ_V1|KZ_V2 },

    { "healthCheck", NULL, "", "",
      "GET /_healthCheck",
      KZ_V1|KZ_V2 },

    { "info", kz_server_info, "", "",
      "GET /,"
      "GET /_serverInfo",
      KZ_V1|KZ_V2 },

    { "metrics", NULL, "", "",
      "2GET /_metrics",
      KZ_V2 },

    { "now", kz_server_now, "", "",
      "GET /_now",
      KZ_V1|KZ_V2 },

    { "openapi", NULL, "", "",
      "2GET /_openapi",
      KZ_V2 },

    { "publicApi", kz_server_public_api, "", "",
      "GET /_publicApi",
      KZ_V1|KZ_V2 },

      kz_null_action
};


ngx_int_t
kz_server_init(ngx_cycle_t *cycle)
{
    kz_out_t    o;
    ngx_uint_t  i;

    kz_server_started = ngx_time();

    for (i = 0; i < 2; i++) {
        kz_out_init(&o, cycle->pool, 65536);
        kz_server_api(&o, i + 1);

        if (kz_out_failed(&o)) {
            return NGX_ERROR;
        }

        kz_server_apis[i].data = o.start;
        kz_server_apis[i].len = kz_out_len(&o);
    }

    return NGX_OK;
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
    req->result.json = kz_server_apis[req->dialect == KZ_DIALECT_2];

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


static ngx_int_t
kz_server_info(kz_req_t *req)
{
    kz_out_t         o;
    ngx_int_t        i;
    ngx_str_t       *api;
    struct sysinfo   si;

    api = &kz_server_apis[req->dialect == KZ_DIALECT_2];

    kz_out_init(&o, req->pool, api->len + 2048);

    kz_out_lit(&o, "{\"serverInfo\":{\"kuzzle\":{\"version\":\"");

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(&o, KZ_SERVER_VERSION_2);
    } else {
        kz_out_lit(&o, KZ_SERVER_VERSION_1);
    }

    kz_out_lit(&o, "\",\"server\":{\"name\":\"ngx_kuzzle\",\"version\":\""
                   KZ_VERSION "\",\"nginx\":\"" NGINX_VERSION "\"}"
                   ",\"api\":{\"routes\":");
    kz_out_str(&o, api);

    /* Kuzzle: nodeVersion and uptime are text */

    kz_out_lit(&o, "},\"nodeVersion\":\"none\",\"memoryUsed\":");
    kz_out_int(&o, kz_server_resident());
    kz_out_lit(&o, ",\"uptime\":\"");
    kz_out_int(&o, ngx_time() - kz_server_started);
    kz_out_lit(&o, "s\",\"plugins\":{},\"system\":{\"memory\":{");

    ngx_memzero(&si, sizeof(struct sysinfo));
    (void) sysinfo(&si);

    kz_out_lit(&o, "\"total\":");
    kz_out_int(&o, (int64_t) si.totalram * si.mem_unit);
    kz_out_lit(&o, ",\"free\":");
    kz_out_int(&o, (int64_t) si.freeram * si.mem_unit);
    kz_out_lit(&o, "},\"cpus\":[");

    for (i = 0; i < ngx_ncpu; i++) {
        if (i) {
            kz_out_char(&o, ',');
        }

        kz_out_lit(&o, "{}");
    }

    kz_out_lit(&o, "]}},\"services\":{\"storageEngine\":"
                   "{\"type\":\"sqlite\"}}}}");

    return kz_result_json(req, &o);
}


/* statm is made up by the kernel: reading it touches no disk */

static size_t
kz_server_resident(void)
{
    int      fd;
    char    *p;
    ssize_t  n;
    char     text[128];

    fd = open("/proc/self/statm", O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }

    n = read(fd, text, sizeof(text) - 1);
    (void) close(fd);

    if (n <= 0) {
        return 0;
    }

    text[n] = '\0';
    p = strchr(text, ' ');

    return p ? strtoul(p + 1, NULL, 10) * ngx_pagesize : 0;
}


/*
 * {controller: {action: {controller, action, http: [{url, verb}]}}}
 *
 * The same routes in the same order for both generations: over HTTP the SDKs
 * pick one per action by their own rules, and they ask for this list before
 * they can be told apart.  Which routes are left out: see the rows.
 */

static void
kz_server_api(kz_out_t *o, ngx_uint_t generation)
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
