#ifndef _KZ_REALTIME_H_INCLUDED_
#define _KZ_REALTIME_H_INCLUDED_

/*
 * The door of realtime: rooms of this worker's clients, notifications to
 * them.  A room is an index, a collection and a filter; a channel is a room
 * with notification options (scope, users, state).  Filters are compiled to
 * a canonical form (kz_filter.h): the same meaning gives the same room id in
 * every worker.  Filters by themselves are for others to use, too.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_req.h"
#include "core/kz_change.h"
#include "realtime/kz_filter.h"


#define KZ_SCOPE_IN     0x01
#define KZ_SCOPE_OUT    0x02
#define KZ_SCOPE_ALL    0x03

#define KZ_USERS_IN     0x01
#define KZ_USERS_OUT    0x02

#define KZ_STATE_DONE     0x01
#define KZ_STATE_PENDING  0x02


typedef struct {
    ngx_uint_t       scope;
    ngx_uint_t       users;
    ngx_uint_t       state;
} kz_channel_opts_t;


/*
 * Joins the client of the request to the room of req->index,
 * req->collection and the filter in req->body (none, or {}: everything).
 * room and channel are allocated from the request's pool.  NGX_OK, also when
 * it was a member already (same ids); NGX_ERROR: refused, the reply says why.
 */
ngx_int_t kz_realtime_join(kz_req_t *req, kz_channel_opts_t *opts,
    ngx_str_t *room, ngx_str_t *channel);

/* Leaves all channels of the room; NGX_DECLINED: not a member. */
ngx_int_t kz_realtime_leave(kz_client_t *c, ngx_str_t *room,
    kz_req_t *req);

/* Connections in the room, over all workers; 0: there is no such room. */
ngx_uint_t kz_realtime_count(ngx_str_t *room);

/* Sends a message to all rooms it matches, in all workers. */
ngx_int_t kz_realtime_publish(kz_change_t *message);

/*
 * Appends ,"_updatedFields":[...] for the changes of an update: their root
 * keys, or the dotted paths of their leaves.
 */
void kz_realtime_updated(kz_out_t *o, ngx_str_t *changes,
    ngx_uint_t leaves);

ngx_int_t kz_realtime_init_process(ngx_cycle_t *cycle);
void kz_realtime_exit_process(void);


#endif /* _KZ_REALTIME_H_INCLUDED_ */
