/*
 * server:getConfig: our settings as Kuzzle's configuration has them.  Only
 * what is true here, no secret, no path; without the parts that Kuzzle
 * leaves out as well ("security", and in 1.x "http").
 */

#include "api/kz_router.h"
#include "api/kz_server.h"
#include "core/kz_conf.h"
#include "store/kz_store.h"


static void kz_config_http(kz_req_t *req, kz_out_t *o);
static void kz_config_server(kz_req_t *req, kz_out_t *o);
static void kz_config_services(kz_req_t *req, kz_out_t *o);
static void kz_config_stats(kz_req_t *req, kz_out_t *o);
static void kz_config_int(kz_out_t *o, const char *name, int64_t n);
static void kz_config_bool(kz_out_t *o, ngx_uint_t yes);
static void kz_config_size(kz_out_t *o, size_t size);


#define KZ_CONFIG_INFO_1                                                      \
    "{\"_kuzzle_info\":{\"properties\":{\"active\":{\"type\":\"boolean\"},"   \
    "\"author\":{\"type\":\"keyword\"},\"createdAt\":{\"type\":\"date\"},"    \
    "\"updatedAt\":{\"type\":\"date\"},\"updater\":{\"type\":\"keyword\"},"   \
    "\"deletedAt\":{\"type\":\"date\"}}}}"

#define KZ_CONFIG_INFO_2                                                      \
    "{\"dynamic\":false,\"properties\":{\"_kuzzle_info\":{\"properties\":{"   \
    "\"author\":{\"type\":\"keyword\"},\"createdAt\":{\"type\":\"date\"},"    \
    "\"updater\":{\"type\":\"keyword\"},\"updatedAt\":{\"type\":\"date\"}"    \
    "}}}}"


ngx_int_t
kz_server_get_config(kz_req_t *req)
{
    kz_out_t  o;

    kz_out_init(&o, req->pool, 2048);

    kz_out_char(&o, '{');

    if (req->dialect == KZ_DIALECT_2) {
        kz_config_http(req, &o);
        kz_out_char(&o, ',');
    }

    kz_out_lit(&o, "\"limits\":");
    kz_server_limits(req, &o);

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(&o, ",\"application\":{}");
    }

    kz_out_lit(&o, ",\"plugins\":{},");
    kz_config_server(req, &o);
    kz_out_char(&o, ',');
    kz_config_services(req, &o);
    kz_out_char(&o, ',');
    kz_config_stats(req, &o);

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(&o, ",\"cluster\":{\"enabled\":false,\"minimumNodes\":1}");
    }

    kz_out_lit(&o, ",\"validation\":{},\"version\":\"");

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(&o, KZ_SERVER_VERSION_2);
    } else {
        kz_out_lit(&o, KZ_SERVER_VERSION_1);
    }

    kz_out_lit(&o, "\"}");

    return kz_result_json(req, &o);
}


/*
 * How many queries may be under way is counted per client, and what waits
 * for the store per worker.
 */

void
kz_server_limits(kz_req_t *req, kz_out_t *o)
{
    kz_out_char(o, '{');
    kz_config_int(o, "concurrentRequests", req->conf->pending);
    kz_out_char(o, ',');
    kz_config_int(o, "documentsFetchCount", kz_conf->fetch_count);
    kz_out_char(o, ',');
    kz_config_int(o, "documentsWriteCount", kz_conf->write_count);
    kz_out_char(o, ',');
    kz_config_int(o, "requestsBufferSize", kz_conf->store_pending);
    kz_out_char(o, ',');
    kz_config_int(o, "subscriptionConditionsCount",
                  kz_conf->filter_conditions);
    kz_out_char(o, ',');
    kz_config_int(o, "subscriptionMinterms", kz_conf->filter_minterms);
    kz_out_char(o, ',');
    kz_config_int(o, "subscriptionRooms", kz_conf->rooms);
    kz_out_char(o, '}');
}


static void
kz_config_http(kz_req_t *req, kz_out_t *o)
{
    ngx_str_t   *origin;
    ngx_uint_t   i;

    kz_out_lit(o, "\"http\":{\"accessControlAllowOrigin\":[");

    if (req->conf->origins == NULL) {
        kz_out_lit(o, "\"*\"");

    } else {
        origin = req->conf->origins->elts;

        for (i = 0; i < req->conf->origins->nelts; i++) {
            if (i) {
                kz_out_char(o, ',');
            }

            kz_out_json_str(o, &origin[i]);
        }
    }

    kz_out_lit(o, "],\"accessControlAllowOriginUseRegExp\":false,"
                  "\"cookieAuthentication\":");
    kz_config_bool(o, req->conf->cookies);
    kz_out_char(o, '}');
}


static void
kz_config_server(kz_req_t *req, kz_out_t *o)
{
    ngx_uint_t      two;
    kz_loc_conf_t  *conf = req->conf;

    two = (req->dialect == KZ_DIALECT_2);

    kz_out_lit(o, "\"server\":{\"maxRequestSize\":");
    kz_config_size(o, conf->body_max);

    kz_out_lit(o, ",\"protocols\":{\"http\":{\"enabled\":true,");
    kz_config_int(o, "maxEncodingLayers", conf->encoding_layers);
    kz_out_lit(o, ",\"allowCompression\":");
    kz_config_bool(o, conf->compression);
    kz_out_lit(o, ",\"maxFormFileSize\":");

    /* Kuzzle: a number in 2.x, text before */

    if (two) {
        kz_out_int(o, conf->form_file_max);
        kz_out_lit(o, ",\"additionalContentTypes\":[]");

    } else {
        kz_config_size(o, conf->form_file_max);
    }

    kz_out_lit(o, "},\"mqtt\":{\"enabled\":false}");

    if (!two) {
        kz_out_lit(o, ",\"socketio\":{\"enabled\":false}");
    }

    kz_out_lit(o, ",\"websocket\":{\"enabled\":true,");

    if (two) {
        kz_out_lit(o, "\"compression\":false,\"rateLimit\":0,"
                      "\"realtimeNotifications\":true,"
                      "\"sendPingsAutomatically\":");
        kz_config_bool(o, conf->heartbeat != 0);
        kz_out_char(o, ',');
    }

    kz_config_int(o, "heartbeat", conf->heartbeat);
    kz_out_lit(o, "}}");

    if (two) {
        kz_out_lit(o, ",\"strictSdkVersion\":false");
    }

    kz_out_char(o, '}');
}


static void
kz_config_services(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "\"services\":{\"internalCache\":{"
                  "\"backend\":\"shared memory\"},"
                  "\"memoryStorage\":{\"backend\":\"shared memory\"},");

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(o, "\"storageEngine\":{");
    } else {
        kz_out_lit(o, "\"db\":{");
    }

    kz_out_lit(o, "\"aliases\":[\"storageEngine\"],\"backend\":\"");
    kz_out_bytes(o, kz_store_engine(), ngx_strlen(kz_store_engine()));
    kz_out_lit(o, "\",\"commonMapping\":");

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(o, KZ_CONFIG_INFO_2 "}}");
    } else {
        kz_out_lit(o, KZ_CONFIG_INFO_1 ",\"dynamic\":true}}");
    }
}


static void
kz_config_stats(kz_req_t *req, kz_out_t *o)
{
    kz_out_lit(o, "\"stats\":{");

    if (req->dialect == KZ_DIALECT_2) {
        kz_out_lit(o, "\"enabled\":true,");
    }

    kz_config_int(o, "ttl", kz_conf->stats_ttl / 1000);
    kz_out_char(o, ',');
    kz_config_int(o, "statsInterval", kz_conf->stats_interval / 1000);
    kz_out_char(o, '}');
}


static void
kz_config_int(kz_out_t *o, const char *name, int64_t n)
{
    kz_out_char(o, '"');
    kz_out_bytes(o, name, ngx_strlen(name));
    kz_out_lit(o, "\":");
    kz_out_int(o, n);
}


static void
kz_config_bool(kz_out_t *o, ngx_uint_t yes)
{
    if (yes) {
        kz_out_lit(o, "true");
    } else {
        kz_out_lit(o, "false");
    }
}


/* "1MB", "512KB", "1000B" */

static void
kz_config_size(kz_out_t *o, size_t size)
{
    kz_out_char(o, '"');

    if (size && size % (1024 * 1024) == 0) {
        kz_out_int(o, size / 1024 / 1024);
        kz_out_lit(o, "MB\"");

    } else if (size && size % 1024 == 0) {
        kz_out_int(o, size / 1024);
        kz_out_lit(o, "KB\"");

    } else {
        kz_out_int(o, size);
        kz_out_lit(o, "B\"");
    }
}
