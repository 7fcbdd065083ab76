/*
 * Controller debug.  The debugger of 2.x: known to the router, not implemented.
 */

#include "api/kz_router.h"


const kz_action_t  kz_debug_actions[] = {

    { "addListener", NULL, "", "",
      NULL,
      KZ_V2 },

    { "disable", NULL, "", "",
      "2POST /debug/_disable",
      KZ_V2 },

    { "enable", NULL, "", "",
      "2POST /debug/_enable",
      KZ_V2 },

    { "nodeVersion", NULL, "", "",
      "2GET /debug/_nodeVersion",
      KZ_V2 },

    { "post", NULL, "", "",
      "2POST /debug/_post",
      KZ_V2 },

    { "removeListener", NULL, "", "",
      NULL,
      KZ_V2 },

      kz_null_action
};
