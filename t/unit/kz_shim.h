#ifndef _KZ_SHIM_H_INCLUDED_
#define _KZ_SHIM_H_INCLUDED_

/*
 * What pure code needs of nginx, for programs that are not nginx: see
 * kz_shim.c.
 */

#include <ngx_config.h>
#include <ngx_core.h>


/* A log that swallows everything; KZ_SHIM_LOG=1 prints to stderr. */
extern ngx_log_t   kz_shim_log;

/* How many messages of level [warn] and above were logged. */
extern ngx_uint_t  kz_shim_logged;

/*
 * Memory runs out after this many more allocations, from pools or not.
 * Negative (the default): never.
 */
extern ngx_int_t   kz_shim_allocations;

ngx_pool_t *kz_shim_pool(void);

/*
 * A copy in memory of its own, exactly as long as the text: a sanitizer sees
 * the first byte read behind it.  To be given back with free().
 */
u_char *kz_shim_copy(const void *p, size_t len);


#endif /* _KZ_SHIM_H_INCLUDED_ */
