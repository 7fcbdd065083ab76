#ifndef _KZ_ERROR_H_INCLUDED_
#define _KZ_ERROR_H_INCLUDED_

/*
 * The errors users can see: one table (kz_error_table.h) of ids, codes,
 * statuses and the messages of both API generations.
 */

#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    KZ_E_NONE = 0,          /* a message without id and code: a text of ours */

#define KZ_ERROR(name, id, code, status, msg1, msg2)  KZ_E_ ## name,
#include "core/kz_error_table.h"
#undef KZ_ERROR

    KZ_E_MAX
} kz_error_e;


typedef struct {
    const char   *id;
    ngx_int_t     code;
    ngx_uint_t    status;
    const char   *message1;      /* generation 1; "%s" takes an argument */
    const char   *message2;      /* generation 2 */
} kz_error_def_t;


/* Never NULL; KZ_E_NONE gives an entry with NULL id. */
const kz_error_def_t *kz_error_def(kz_error_e e);


#endif /* _KZ_ERROR_H_INCLUDED_ */
