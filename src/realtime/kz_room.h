#ifndef _KZ_ROOM_H_INCLUDED_
#define _KZ_ROOM_H_INCLUDED_

/*
 * Private to realtime: who listens to what in this worker.
 *
 *   collection ── filters of its rooms, asked together
 *     room ── filter
 *       channel ── options ── subscription, subscription, ...
 *                                  |
 *   client ── member (one per room, volatile) ── its subscriptions
 *
 * A client is a member of a room once, whatever the number of channels of
 * that room it listens to.  Everything here is freed with the last member.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "core/kz_bus.h"
#include "core/kz_client.h"
#include "realtime/kz_filter.h"
#include "realtime/kz_realtime.h"


/* "-", one digit per option */
#define KZ_SUFFIX_LEN   4
#define KZ_CHANNEL_LEN  (KZ_ROOM_ID_LEN + KZ_SUFFIX_LEN)


typedef struct kz_room_s     kz_room_t;
typedef struct kz_channel_s  kz_channel_t;
typedef struct kz_member_s   kz_member_t;
typedef struct kz_sub_s      kz_sub_t;


typedef struct {
    ngx_str_node_t      node;        /* "index\0collection" */
    ngx_str_t           index;
    ngx_str_t           collection;
    kz_filter_set_t    *set;
    ngx_uint_t          nrooms;
} kz_coll_t;


struct kz_room_s {
    ngx_str_node_t      node;        /* id */
    ngx_pool_t         *pool;        /* of the room itself and its filter */
    kz_coll_t          *coll;
    kz_filter_t        *filter;
    kz_filter_ref_t    *ref;
    kz_channel_t       *channels;
    ngx_queue_t         members;
    ngx_uint_t          nmembers;
    uint64_t            mark;        /* the last change that matched */
    u_char              id[KZ_ROOM_ID_LEN];
};


struct kz_channel_s {
    kz_channel_t       *next;
    ngx_queue_t         subs;
    u_char              scope;       /* KZ_SCOPE_*, ... */
    u_char              users;
    u_char              state;
    u_char              id[KZ_CHANNEL_LEN];
};


struct kz_sub_s {
    ngx_queue_t         queue;       /* in the channel */
    kz_sub_t           *next;        /* of the same member */
    kz_channel_t       *channel;
    kz_member_t        *member;
};


struct kz_member_s {
    ngx_queue_t         rooms;       /* in the client */
    ngx_queue_t         members;     /* in the room */
    kz_client_t        *client;
    kz_room_t          *room;
    kz_sub_t           *subs;
    kz_sub_t            first;       /* most have one only */
    uint32_t            dialect;     /* in which it subscribed */
    uint32_t            vlen;
    u_char              data[];      /* volatile of the first subscribe */
};


/* kz_room.c */

kz_coll_t *kz_coll_find(ngx_str_t *index, ngx_str_t *collection);
kz_room_t *kz_room_find(const u_char *id);

/*
 * A compiled room joins the collection of the request; its pool stays the
 * caller's when this fails.  Close frees it.
 */
ngx_int_t kz_room_open(kz_req_t *req, kz_room_t *room);
void kz_room_close(kz_room_t *room);

/*
 * The channel with these options, created if need be (NULL: no memory, in
 * the shared table perhaps).  *existed: some worker had it already, which is
 * known of channels with user events only.  Drop frees it.
 */
kz_channel_t *kz_channel_get(kz_room_t *room, kz_channel_opts_t *opts,
    ngx_uint_t *existed);
void kz_channel_drop(kz_room_t *room, kz_channel_t *channel);

/* Whether any worker has a channel of the room that asks for user events. */
ngx_uint_t kz_room_watched(kz_room_t *room);


/* kz_room_join.c */

/* Leaves; the last member takes the room with it.  tell: the others are. */
void kz_member_quit(kz_member_t *m, ngx_uint_t tell);

/* kz_client_gone */
void kz_realtime_gone(kz_client_t *c);


/* kz_notify.c */

ngx_int_t kz_notify_init(void);
void kz_notify_exit(void);

/*
 * Somebody entered (KZ_USERS_IN) or left (KZ_USERS_OUT) the room, which has
 * count connections now: told to all workers.  newcomer: a connection id
 * that is not told, or NULL.
 */
ngx_int_t kz_notify_user(kz_member_t *m, ngx_uint_t event, ngx_uint_t count,
    u_char *newcomer);


/* kz_notify_json.c: the texts, without the closing "room":"..."} */

void kz_notify_document1(kz_out_t *o, kz_change_t *c, ngx_uint_t scope);
void kz_notify_document2(kz_out_t *o, kz_change_t *c, ngx_uint_t scope,
    ngx_str_t *node);
void kz_notify_user1(kz_out_t *o, kz_change_t *c);
void kz_notify_user2(kz_out_t *o, kz_change_t *c, ngx_str_t *node);


#endif /* _KZ_ROOM_H_INCLUDED_ */
