#ifndef _KZ_MESSAGE_H_INCLUDED_
#define _KZ_MESSAGE_H_INCLUDED_

/*
 * A reference-counted run of bytes, ready for the wire.  One notification
 * for a thousand subscribers of a channel is encoded once per protocol and
 * queued a thousand times.  One process only, no locks.
 */

#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_uint_t   refs;
    size_t       len;
    u_char       data[];
} kz_message_t;


/* One reference, len bytes to be filled; NULL: no memory. */
kz_message_t *kz_message_create(size_t len, ngx_log_t *log);

void kz_message_release(kz_message_t *m);

static ngx_inline kz_message_t *
kz_message_retain(kz_message_t *m)
{
    m->refs++;
    return m;
}


#endif /* _KZ_MESSAGE_H_INCLUDED_ */
