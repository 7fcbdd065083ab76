/*
 * Controller admin.  Administration of the whole server: known to the
 * router, not implemented.
 */

#include "api/kz_router.h"


const kz_action_t  kz_admin_actions[] = {

    { "dump", NULL, "", "",
      "POST /admin/_dump",
      KZ_V1|KZ_V2 },

    { "loadFixtures", NULL, "", "",
      "POST /admin/_loadFixtures",
      KZ_V1|KZ_V2 },

    { "loadMappings", NULL, "", "",
      "POST /admin/_loadMappings",
      KZ_V1|KZ_V2 },

    { "loadSecurities", NULL, "", "",
      "POST /admin/_loadSecurities",
      KZ_V1|KZ_V2 },

    { "refreshIndexCache", NULL, "", "",
      "2POST /admin/_refreshIndexCache",
      KZ_V2 },

    { "resetCache", NULL, "", "",
      "POST /admin/_resetCache",
      KZ_V1|KZ_V2 },

    { "resetDatabase", NULL, "", "",
      "POST /admin/_resetDatabase",
      KZ_V1|KZ_V2 },

    { "resetKuzzleData", NULL, "", "",
      "POST /admin/_resetKuzzleData",
      KZ_V1 },

    { "resetSecurity", NULL, "", "",
      "POST /admin/_resetSecurity",
      KZ_V1|KZ_V2 },

    { "shutdown", NULL, "", "",
      "POST /admin/_shutdown",
      KZ_V1|KZ_V2 },

      kz_null_action
};
