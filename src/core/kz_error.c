/*
 * The table of user-visible errors.
 */

#include "core/kz_error.h"


static const kz_error_def_t  kz_error_defs[] = {

    { NULL, 0, 500, NULL, NULL },

#define KZ_ERROR(name, id, code, status, msg1, msg2)                          \
    { id, code, status, msg1, msg2 },
#include "core/kz_error_table.h"
#undef KZ_ERROR
};


const kz_error_def_t *
kz_error_def(kz_error_e e)
{
    return &kz_error_defs[e < KZ_E_MAX ? e : KZ_E_NONE];
}
