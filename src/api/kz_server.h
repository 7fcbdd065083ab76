#ifndef _KZ_SERVER_H_INCLUDED_
#define _KZ_SERVER_H_INCLUDED_

/*
 * What the controllers server, cluster and debug share, and what the module
 * and the protocols need of them.
 *
 *   kz_api_server.c         rows, health, the API's description (publicApi)
 *   kz_api_server_info.c    info, capabilities: what runs here
 *   kz_api_server_config.c  getConfig: our settings in Kuzzle's words
 *   kz_api_openapi.c        the same API as an OpenAPI document
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"


#define KZ_VERSION  "0.1.0"

/* The version of node: there is none. */
#define KZ_SERVER_NODE  "none"

/* The Kuzzle whose API it is: consoles and command lines look at these. */

#define KZ_SERVER_VERSION_1  "1.12.0"
#define KZ_SERVER_VERSION_2  "2.56.0"

#define kz_server_version(req)                                                \
    ((req)->dialect == KZ_DIALECT_2 ? KZ_SERVER_VERSION_2                     \
                                    : KZ_SERVER_VERSION_1)


/*
 * init_module, after kz_route_init(): renders what publicApi, info and
 * openapi answer, in the cycle's pool, before the workers are forked.
 */
ngx_int_t kz_server_init(ngx_cycle_t *cycle);
ngx_int_t kz_server_info_init(ngx_cycle_t *cycle);
ngx_int_t kz_openapi_init(ngx_cycle_t *cycle);

/* When this nginx was started (a reload is no start): epoch, ms. */
int64_t kz_server_started(void);

/* What publicApi answers, JSON text; lives as long as the cycle. */
ngx_str_t *kz_server_api(kz_dialect_e dialect);

/*
 * Steps: the answer is the OpenAPI document of generation 1, raw.  For
 * GET /swagger.json and /swagger.yml.
 */
ngx_int_t kz_server_swagger_json(kz_req_t *req);
ngx_int_t kz_server_swagger_yaml(kz_req_t *req);

/* Actions, for the rows. */
ngx_int_t kz_server_info(kz_req_t *req);
ngx_int_t kz_server_capabilities(kz_req_t *req);
ngx_int_t kz_server_get_config(kz_req_t *req);
ngx_int_t kz_server_openapi(kz_req_t *req);

/*
 * An operation that finds out whether the writer answers; step runs when it
 * is known: op->status is KZ_STORE_OK when it does.
 */
ngx_int_t kz_server_ping(kz_req_t *req, kz_step_pt step);

/* The object "limits": kz_api_server_config.c */
void kz_server_limits(kz_req_t *req, kz_out_t *o);


#endif /* _KZ_SERVER_H_INCLUDED_ */
