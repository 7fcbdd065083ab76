#ifndef _KZ_SERVER_STATS_H_INCLUDED_
#define _KZ_SERVER_STATS_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"


/* Actions, for the rows of controller server: kz_api_server_stats.c */
ngx_int_t kz_server_get_stats(kz_req_t *req);
ngx_int_t kz_server_get_last_stats(kz_req_t *req);
ngx_int_t kz_server_get_all_stats(kz_req_t *req);
ngx_int_t kz_server_metrics(kz_req_t *req);


#endif /* _KZ_SERVER_STATS_H_INCLUDED_ */
