#ifndef _KZ_SHUTDOWN_H_INCLUDED_
#define _KZ_SHUTDOWN_H_INCLUDED_

/*
 * Ending nginx from inside a worker, as "nginx -s quit" does.
 */

#include <ngx_config.h>
#include <ngx_core.h>


/* init_module.  NGX_ERROR: the reason was logged. */
ngx_int_t kz_shutdown_init(ngx_cycle_t *cycle);

/* NGX_OK: on its way; NGX_ERROR: it cannot be done. */
ngx_int_t kz_shutdown(void);


#endif /* _KZ_SHUTDOWN_H_INCLUDED_ */
