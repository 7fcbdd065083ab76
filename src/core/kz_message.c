/*
 * Reference-counted messages.  See kz_message.h.
 */

#include "core/kz_message.h"


kz_message_t *
kz_message_create(size_t len, ngx_log_t *log)
{
    kz_message_t  *m;

    m = ngx_alloc(sizeof(kz_message_t) + len, log);
    if (m == NULL) {
        return NULL;
    }

    m->refs = 1;
    m->len = len;

    return m;
}


void
kz_message_release(kz_message_t *m)
{
    if (--m->refs == 0) {
        ngx_free(m);
    }
}
