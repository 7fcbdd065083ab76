/*
 * Controller auth.  There are no users yet: everybody is anonymous, and may
 * do everything, as in Kuzzle before the first administrator is created.
 */

#include "api/kz_router.h"
#include "api/kz_args.h"


static ngx_int_t kz_auth_check_token(kz_req_t *req);
static ngx_int_t kz_auth_get_current_user(kz_req_t *req);


const kz_action_t  kz_auth_actions[] = {

    { "checkRights", NULL, "", "",
      "2POST /_checkRights",
      KZ_V2 },

    { "checkToken", kz_auth_check_token, "", "",
      "POST /_checkToken",
      KZ_V1|KZ_V2 },

    { "createApiKey", NULL, "", "",
      "2POST /api-keys/_create",
      KZ_V2 },

    { "createMyCredentials", NULL, "", "",
      "2POST /_me/credentials/:strategy/_create,"
      "-POST /credentials/:strategy/_me/_create",
      KZ_V1|KZ_V2 },

    { "createToken", NULL, "", "",
      "2POST /_createToken",
      KZ_V2 },

    { "credentialsExist", NULL, "", "",
      "2GET /_me/credentials/:strategy/_exists,"
      "-GET /credentials/:strategy/_me/_exists",
      KZ_V1|KZ_V2 },

    { "deleteApiKey", NULL, "", "",
      "2DELETE /api-keys/:_id",
      KZ_V2 },

    { "deleteMyCredentials", NULL, "", "",
      "2DELETE /_me/credentials/:strategy,"
      "-DELETE /credentials/:strategy/_me",
      KZ_V1|KZ_V2 },

    { "getCurrentUser", kz_auth_get_current_user, "", "",
      "2GET /_me,"
      "-GET /users/_me",
      KZ_V1|KZ_V2 },

    { "getMyCredentials", NULL, "", "",
      "2GET /_me/credentials/:strategy,"
      "-GET /credentials/:strategy/_me",
      KZ_V1|KZ_V2 },

    { "getMyRights", NULL, "", "",
      "2GET /_me/_rights,"
      "-GET /users/_me/_rights",
      KZ_V1|KZ_V2 },

    { "getStrategies", NULL, "", "",
      "GET /strategies",
      KZ_V1|KZ_V2 },

    { "login", NULL, "", "",
      "GET /_login/:strategy,"
      "POST /_login/:strategy",
      KZ_V1|KZ_V2 },

    { "logout", NULL, "", "",
      "POST /_logout",
      KZ_V1|KZ_V2 },

    { "refreshToken", NULL, "", "",
      "POST /_refreshToken",
      KZ_V1|KZ_V2 },

    { "searchApiKeys", NULL, "", "",
      "2POST /api-keys/_search",
      KZ_V2 },

    { "updateMyCredentials", NULL, "", "",
      "2PUT /_me/credentials/:strategy/_update,"
      "-PUT /credentials/:strategy/_me/_update",
      KZ_V1|KZ_V2 },

    { "updateSelf", NULL, "", "",
      "2PUT /_me,"
      "-PUT /_updateSelf",
      KZ_V1|KZ_V2 },

    { "validateMyCredentials", NULL, "", "",
      "2POST /_me/credentials/:strategy/_validate,"
      "-POST /credentials/:strategy/_me/_validate",
      KZ_V1|KZ_V2 },

      kz_null_action
};


/*
 * Kuzzle: 2.x answers for the anonymous user when no token is given; 1.x
 * wants one.
 */

static ngx_int_t
kz_auth_check_token(kz_req_t *req)
{
    ngx_int_t       rc;
    kz_json_val_t   v;

    req->result.type = KZ_RESULT_JSON;

    if (req->dialect == KZ_DIALECT_2) {

        rc = NGX_DECLINED;

        if (req->body.type == KZ_JSON_OBJECT) {
            rc = kz_json_get(&req->body, "token", 5, &v);
        }

        if (rc != NGX_OK || v.type == KZ_JSON_NULL) {
            ngx_str_set(&req->result.json,
                        "{\"valid\":true,\"expiresAt\":-1,\"kuid\":\"-1\"}");
            return NGX_OK;
        }

    } else {
        ngx_str_t  token;

        if (kz_body_string(req, "token", &token) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    /* no token can be valid yet */

    ngx_str_set(&req->result.json,
                "{\"valid\":false,\"state\":\"Invalid token.\"}");

    return NGX_OK;
}


static ngx_int_t
kz_auth_get_current_user(kz_req_t *req)
{
    req->result.type = KZ_RESULT_USER;

    return NGX_OK;
}
