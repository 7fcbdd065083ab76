/*
 * Controller cluster.  Cluster state: known to the router, not implemented.
 */

#include "api/kz_router.h"


const kz_action_t  kz_cluster_actions[] = {

    { "status", NULL, "", "",
      "2GET /cluster/_status",
      KZ_V2 },

      kz_null_action
};
