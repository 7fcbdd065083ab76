/*
 * Controller security.  Users, profiles, roles, credentials: known to the
 * router, not implemented.
 */

#include "api/kz_router.h"


const kz_action_t  kz_security_actions[] = {

    { "checkRights", NULL, "", "",
      "2POST /_checkRights/:userId",
      KZ_V2 },

    { "createApiKey", NULL, "", "",
      "2POST /users/:userId/api-keys/_create",
      KZ_V2 },

    { "createCredentials", NULL, "", "",
      "POST /credentials/:strategy/:_id/_create",
      KZ_V1|KZ_V2 },

    { "createFirstAdmin", NULL, "", "",
      "POST /_createFirstAdmin/:_id,"
      "POST /_createFirstAdmin,"
      "1-POST /:_id/_createFirstAdmin",
      KZ_V1|KZ_V2 },

    { "createOrReplaceProfile", NULL, "", "",
      "PUT /profiles/:_id",
      KZ_V1|KZ_V2 },

    { "createOrReplaceRole", NULL, "", "",
      "PUT /roles/:_id",
      KZ_V1|KZ_V2 },

    { "createProfile", NULL, "", "",
      "POST /profiles/:_id/_create",
      KZ_V1|KZ_V2 },

    { "createRestrictedUser", NULL, "", "",
      "POST /users/_createRestricted,"
      "POST /users/:_id/_createRestricted",
      KZ_V1|KZ_V2 },

    { "createRole", NULL, "", "",
      "POST /roles/:_id/_create",
      KZ_V1|KZ_V2 },

    { "createUser", NULL, "", "",
      "POST /users/_create,"
      "POST /users/:_id/_create",
      KZ_V1|KZ_V2 },

    { "deleteApiKey", NULL, "", "",
      "2DELETE /users/:userId/api-keys/:_id",
      KZ_V2 },

    { "deleteCredentials", NULL, "", "",
      "DELETE /credentials/:strategy/:_id",
      KZ_V1|KZ_V2 },

    { "deleteProfile", NULL, "", "",
      "DELETE /profiles/:_id",
      KZ_V1|KZ_V2 },

    { "deleteRole", NULL, "", "",
      "DELETE /roles/:_id",
      KZ_V1|KZ_V2 },

    { "deleteUser", NULL, "", "",
      "DELETE /users/:_id",
      KZ_V1|KZ_V2 },

    { "getAllCredentialFields", NULL, "", "",
      "GET /credentials/_fields",
      KZ_V1|KZ_V2 },

    { "getCredentialFields", NULL, "", "",
      "GET /credentials/:strategy/_fields",
      KZ_V1|KZ_V2 },

    { "getCredentials", NULL, "", "",
      "GET /credentials/:strategy/:_id",
      KZ_V1|KZ_V2 },

    { "getCredentialsById", NULL, "", "",
      "GET /credentials/:strategy/:_id/_byId",
      KZ_V1|KZ_V2 },

    { "getProfile", NULL, "", "",
      "GET /profiles/:_id",
      KZ_V1|KZ_V2 },

    { "getProfileMapping", NULL, "", "",
      "GET /profiles/_mapping",
      KZ_V1|KZ_V2 },

    { "getProfileRights", NULL, "", "",
      "GET /profiles/:_id/_rights",
      KZ_V1|KZ_V2 },

    { "getRole", NULL, "", "",
      "GET /roles/:_id",
      KZ_V1|KZ_V2 },

    { "getRoleMapping", NULL, "", "",
      "GET /roles/_mapping",
      KZ_V1|KZ_V2 },

    { "getUser", NULL, "", "",
      "GET /users/:_id",
      KZ_V1|KZ_V2 },

    { "getUserMapping", NULL, "", "",
      "GET /users/_mapping",
      KZ_V1|KZ_V2 },

    { "getUserRights", NULL, "", "",
      "GET /users/:_id/_rights",
      KZ_V1|KZ_V2 },

    { "getUserStrategies", NULL, "", "",
      "2GET /users/:_id/_strategies",
      KZ_V2 },

    { "hasCredentials", NULL, "", "",
      "GET /credentials/:strategy/:_id/_exists",
      KZ_V1|KZ_V2 },

    { "mDeleteProfiles", NULL, "", "",
      "POST /profiles/_mDelete",
      KZ_V1|KZ_V2 },

    { "mDeleteRoles", NULL, "", "",
      "POST /roles/_mDelete",
      KZ_V1|KZ_V2 },

    { "mDeleteUsers", NULL, "", "",
      "POST /users/_mDelete",
      KZ_V1|KZ_V2 },

    { "mGetProfiles", NULL, "", "",
      "POST /profiles/_mGet",
      KZ_V1|KZ_V2 },

    { "mGetRoles", NULL, "", "",
      "POST /roles/_mGet",
      KZ_V1|KZ_V2 },

    { "mGetUsers", NULL, "", "",
      "2GET /users/_mGet,"
      "2POST /users/_mGet",
      KZ_V2 },

    { "refresh", NULL, "", "",
      "2POST /_security/:collection/_refresh",
      KZ_V2 },

    { "replaceUser", NULL, "", "",
      "PUT /users/:_id/_replace",
      KZ_V1|KZ_V2 },

    { "restrictDefaultRights", NULL, "", "",
      "2POST /_restrictDefaultRights",
      KZ_V2 },

    { "revokeTokens", NULL, "", "",
      "DELETE /users/:_id/tokens",
      KZ_V1|KZ_V2 },

    { "scrollProfiles", NULL, "", "",
      "GET /profiles/_scroll/:scrollId",
      KZ_V1|KZ_V2 },

    { "scrollUsers", NULL, "", "",
      "GET /users/_scroll/:scrollId",
      KZ_V1|KZ_V2 },

    { "searchApiKeys", NULL, "", "",
      "2POST /users/:userId/api-keys/_search",
      KZ_V2 },

    { "searchProfiles", NULL, "", "",
      "POST /profiles/_search",
      KZ_V1|KZ_V2 },

    { "searchRoles", NULL, "", "",
      "POST /roles/_search",
      KZ_V1|KZ_V2 },

    { "searchUsers", NULL, "", "",
      "POST /users/_search",
      KZ_V1|KZ_V2 },

    { "searchUsersByCredentials", NULL, "", "",
      "2POST /credentials/:strategy/users/_search",
      KZ_V2 },

    { "updateCredentials", NULL, "", "",
      "PUT /credentials/:strategy/:_id/_update",
      KZ_V1|KZ_V2 },

    { "updateProfile", NULL, "", "",
      "PUT /profiles/:_id/_update",
      KZ_V1|KZ_V2 },

    { "updateProfileMapping", NULL, "", "",
      "PUT /profiles/_mapping",
      KZ_V1|KZ_V2 },

    { "updateRole", NULL, "", "",
      "PUT /roles/:_id/_update",
      KZ_V1|KZ_V2 },

    { "updateRoleMapping", NULL, "", "",
      "PUT /roles/_mapping",
      KZ_V1|KZ_V2 },

    { "updateUser", NULL, "", "",
      "PUT /users/:_id/_update",
      KZ_V1|KZ_V2 },

    { "updateUserMapping", NULL, "", "",
      "PUT /users/_mapping",
      KZ_V1|KZ_V2 },

    { "upsertUser", NULL, "", "",
      "2POST /users/:_id/_upsert",
      KZ_V2 },

    { "validateCredentials", NULL, "", "",
      "POST /credentials/:strategy/:_id/_validate",
      KZ_V1|KZ_V2 },

      kz_null_action
};
