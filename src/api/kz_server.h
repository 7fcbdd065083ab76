#ifndef _KZ_SERVER_H_INCLUDED_
#define _KZ_SERVER_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>


#define KZ_VERSION  "0.1.0"


/* Renders what publicApi and info advertise; after kz_route_init(). */
ngx_int_t kz_server_init(ngx_cycle_t *cycle);


#endif /* _KZ_SERVER_H_INCLUDED_ */
