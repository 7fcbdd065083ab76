/*
 * Controller bulk.  Bulk writes: known to the router, not implemented.
 */

#include "api/kz_router.h"


const kz_action_t  kz_bulk_actions[] = {

    { "deleteByQuery", NULL, "", "",
      "2DELETE /:index/:collection/_bulk/_query",
      KZ_V2 },

    { "import", NULL, "", "",
      "POST /:index/:collection/_bulk,"
      "1-POST /_bulk,"
      "1-POST /:index/_bulk",
      KZ_V1|KZ_V2 },

    { "mWrite", NULL, "", "",
      "POST /:index/:collection/_mWrite",
      KZ_V1|KZ_V2 },

    { "updateByQuery", NULL, "", "",
      "2PATCH /:index/:collection/_bulk/_query",
      KZ_V2 },

    { "write", NULL, "", "",
      "POST /:index/:collection/_write",
      KZ_V1|KZ_V2 },

      kz_null_action
};
