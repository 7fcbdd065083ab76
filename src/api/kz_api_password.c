/*
 * Controller kuzzle-plugin-auth-passport-local/password, of the one plugin
 * that is part of every Kuzzle 2.  Forgotten passwords: known to the router,
 * not implemented.
 */

#include "api/kz_router.h"


#define KZ_PASSWORD  "/_plugin/kuzzle-plugin-auth-passport-local/password"


const kz_action_t  kz_password_actions[] = {

    { "getResetPasswordToken", NULL, "", "",
      "2GET " KZ_PASSWORD "/resetToken/:_id",
      KZ_V2 },

    { "reset", NULL, "", "",
      "2POST " KZ_PASSWORD "/reset",
      KZ_V2 },

      kz_null_action
};
