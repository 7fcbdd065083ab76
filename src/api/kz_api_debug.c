/*
 * Controller debug: the inspector of node.  There is none here; the answers
 * are those of a Kuzzle 2 whose setting that allows it is off, as it is when
 * nobody touched it.
 */

#include "api/kz_router.h"
#include "api/kz_args.h"
#include "api/kz_server.h"


static ngx_int_t kz_debug_denied(kz_req_t *req);
static ngx_int_t kz_debug_post(kz_req_t *req);
static ngx_int_t kz_debug_add_listener(kz_req_t *req);
static ngx_int_t kz_debug_remove_listener(kz_req_t *req);
static ngx_int_t kz_debug_listener(kz_req_t *req, const char *name);
static ngx_int_t kz_debug_node_version(kz_req_t *req);


const kz_action_t  kz_debug_actions[] = {

    { "addListener", kz_debug_add_listener, "", "",
      NULL,
      KZ_V2 },

    { "disable", kz_debug_denied, "", "",
      "2POST /debug/_disable",
      KZ_V2 },

    { "enable", kz_debug_denied, "", "",
      "2POST /debug/_enable",
      KZ_V2 },

    { "nodeVersion", kz_debug_node_version, "", "",
      "2GET /debug/_nodeVersion",
      KZ_V2 },

    { "post", kz_debug_post, "b", "b",
      "2POST /debug/_post",
      KZ_V2 },

    { "removeListener", kz_debug_remove_listener, "", "",
      NULL,
      KZ_V2 },

      kz_null_action
};


static ngx_int_t
kz_debug_denied(kz_req_t *req)
{
    return kz_fail(req, KZ_E_DEBUGGER_NATIVE_DEBUG_PROTOCOL_USAGE_DENIED, 0);
}


/* Kuzzle: the arguments are looked at before the setting is. */

static ngx_int_t
kz_debug_post(kz_req_t *req)
{
    ngx_str_t      name, type;
    kz_json_val_t  v;

    if (kz_body_string(req, "method", &name) != NGX_OK) {
        return NGX_ERROR;
    }

    if (kz_json_get(&req->body, "params", 6, &v) == NGX_OK
        && v.type != KZ_JSON_NULL && v.type != KZ_JSON_OBJECT)
    {
        ngx_str_set(&name, "body.params");
        ngx_str_set(&type, "object");

        return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &name, &type);
    }

    return kz_debug_denied(req);
}


static ngx_int_t
kz_debug_add_listener(kz_req_t *req)
{
    return kz_debug_listener(req, "debug:addListener");
}


static ngx_int_t
kz_debug_remove_listener(kz_req_t *req)
{
    return kz_debug_listener(req, "debug:removeListener");
}


/* Kuzzle: the protocol comes first, and must be WebSocket. */

static ngx_int_t
kz_debug_listener(kz_req_t *req, const char *name)
{
    ngx_str_t  action, event;

    if (req->proto->name.len != sizeof("websocket") - 1
        || ngx_memcmp(req->proto->name.data, "websocket",
                      sizeof("websocket") - 1) != 0)
    {
        action.data = (u_char *) name;
        action.len = ngx_strlen(name);

        return kz_fail(req, KZ_E_ASSERT_UNSUPPORTED_PROTOCOL, 2,
                       &req->proto->name, &action);
    }

    if (req->body.type == KZ_JSON_NONE) {
        return kz_fail(req, KZ_E_ASSERT_BODY_REQUIRED, 0);
    }

    if (kz_body_string(req, "event", &event) != NGX_OK) {
        return NGX_ERROR;
    }

    return kz_debug_denied(req);
}


static ngx_int_t
kz_debug_node_version(kz_req_t *req)
{
    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "\"" KZ_SERVER_NODE "\"");

    return NGX_OK;
}
