/*
 * Collections, rooms and channels of this worker, and the life of it all.
 * See kz_room.h for the shape; who is in them: kz_room_join.c.
 *
 * A room's id is a hash of what it means (index, collection, canonical
 * filter), so every worker gives it the same one; how many connections it
 * has in all of them is counted in shared memory (kz_bus_room).  There, too,
 * is kept which channels with user events exist anywhere: Kuzzle tells a
 * newcomer of itself when its channel was there already, wherever.
 */

#include "realtime/kz_room.h"
#include "core/kz_stat.h"


#define KZ_ROOM_WATCHED  "fff"        /* no suffix of a channel */


static void kz_realtime_lost(void);
static kz_coll_t *kz_coll_get(ngx_str_t *index, ngx_str_t *collection);
static void kz_coll_drop(kz_coll_t *coll);
static ngx_str_t *kz_coll_key(ngx_str_t *index, ngx_str_t *collection);
static ngx_int_t kz_channel_watch(kz_channel_t *channel, ngx_int_t delta,
    ngx_uint_t *existed);


static ngx_rbtree_t       kz_colls;
static ngx_rbtree_node_t  kz_colls_sentinel;
static ngx_rbtree_t       kz_rooms;
static ngx_rbtree_node_t  kz_rooms_sentinel;
static ngx_str_t          kz_coll_scratch;      /* kz_coll_key() */
static size_t             kz_coll_room;


ngx_int_t
kz_realtime_init_process(ngx_cycle_t *cycle)
{
    (void) cycle;

    ngx_rbtree_init(&kz_colls, &kz_colls_sentinel,
                    ngx_str_rbtree_insert_value);
    ngx_rbtree_init(&kz_rooms, &kz_rooms_sentinel,
                    ngx_str_rbtree_insert_value);

    if (kz_notify_init() != NGX_OK) {
        return NGX_ERROR;
    }

    kz_client_gone = kz_realtime_gone;
    kz_bus_lost = kz_realtime_lost;

    return NGX_OK;
}


/* The sockets are closed: what is left belongs to nobody any more. */

void
kz_realtime_exit_process(void)
{
    kz_room_t  *room;

    if (kz_rooms.root == NULL) {
        return;
    }

    while (kz_rooms.root != kz_rooms.sentinel) {
        room = (kz_room_t *) kz_rooms.root;

        kz_member_quit(ngx_queue_data(ngx_queue_head(&room->members),
                                      kz_member_t, members), 0);
    }

    if (kz_coll_scratch.data) {
        ngx_free(kz_coll_scratch.data);
        ngx_str_null(&kz_coll_scratch);
        kz_coll_room = 0;
    }

    kz_notify_exit();
}


/*
 * Something that may have concerned any room did not arrive.  The clients
 * are told the one way that makes every SDK look again: the connection ends,
 * they come back and subscribe.
 */

static void
kz_realtime_lost(void)
{
    ngx_uint_t          n;
    kz_room_t          *room;
    ngx_queue_t        *q;
    kz_client_t        *c;
    kz_member_t        *m;
    ngx_rbtree_node_t  *node;

    if (kz_rooms.root == kz_rooms.sentinel) {
        return;
    }

    n = 0;

    for (node = ngx_rbtree_min(kz_rooms.root, kz_rooms.sentinel);
         node;
         node = ngx_rbtree_next(&kz_rooms, node))
    {
        room = (kz_room_t *) node;

        for (q = ngx_queue_head(&room->members);
             q != ngx_queue_sentinel(&room->members);
             q = ngx_queue_next(q))
        {
            m = ngx_queue_data(q, kz_member_t, members);
            c = m->client;

            /* once a client: with the first of its rooms */

            if (ngx_queue_head(&c->rooms) == &m->rooms) {
                c->proto->close(c, KZ_CLOSE_LOST);
                n++;
            }
        }
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "kuzzle: notifications were lost, closing %ui realtime "
                  "clients of this worker: they have to reconnect", n);
}


kz_room_t *
kz_room_find(const u_char *id)
{
    ngx_str_t  s;

    s.len = KZ_ROOM_ID_LEN;
    s.data = (u_char *) id;

    return (kz_room_t *) ngx_str_rbtree_lookup(&kz_rooms, &s,
                                     ngx_murmur_hash2(s.data, s.len));
}


ngx_int_t
kz_room_open(kz_req_t *req, kz_room_t *room)
{
    kz_coll_t  *coll;

    coll = kz_coll_get(&req->index, &req->collection);
    if (coll == NULL) {
        return NGX_ERROR;
    }

    room->ref = kz_filter_set_add(coll->set, room->filter, room);

    if (room->ref == NULL) {
        if (coll->nrooms == 0) {
            kz_coll_drop(coll);
        }

        return NGX_ERROR;
    }

    room->coll = coll;
    coll->nrooms++;

    room->node.str.len = KZ_ROOM_ID_LEN;
    room->node.str.data = room->id;
    room->node.node.key = ngx_murmur_hash2(room->id, KZ_ROOM_ID_LEN);

    ngx_rbtree_insert(&kz_rooms, &room->node.node);

    kz_stat->gauges.filters++;

    kz_bus_listen(&coll->index, &coll->collection, 1);

    return NGX_OK;
}


void
kz_room_close(kz_room_t *room)
{
    kz_coll_t  *coll;

    coll = room->coll;

    kz_stat->gauges.filters--;

    kz_bus_listen(&coll->index, &coll->collection, -1);

    ngx_rbtree_delete(&kz_rooms, &room->node.node);
    kz_filter_set_remove(coll->set, room->ref);

    if (--coll->nrooms == 0) {
        kz_coll_drop(coll);
    }

    ngx_destroy_pool(room->pool);
}


ngx_uint_t
kz_room_watched(kz_room_t *room)
{
    u_char  key[KZ_ROOM_ID_LEN];

    ngx_memcpy(key, room->id, KZ_ROOM_ID_LEN);
    ngx_memcpy(key + KZ_ROOM_ID_LEN - 3, KZ_ROOM_WATCHED, 3);

    return kz_bus_room_count(key) != 0;
}


/* Valid until the next call; NULL: no memory. */

static ngx_str_t *
kz_coll_key(ngx_str_t *index, ngx_str_t *collection)
{
    u_char  *p;
    size_t   len;

    len = index->len + 1 + collection->len;

    if (len > kz_coll_room) {
        p = ngx_alloc(2 * len, ngx_cycle->log);
        if (p == NULL) {
            return NULL;
        }

        if (kz_coll_scratch.data) {
            ngx_free(kz_coll_scratch.data);
        }

        kz_coll_scratch.data = p;
        kz_coll_room = 2 * len;
    }

    p = ngx_cpymem(kz_coll_scratch.data, index->data, index->len);
    *p++ = '\0';
    ngx_memcpy(p, collection->data, collection->len);

    kz_coll_scratch.len = len;

    return &kz_coll_scratch;
}


kz_coll_t *
kz_coll_find(ngx_str_t *index, ngx_str_t *collection)
{
    ngx_str_t  *key;

    if (kz_colls.root == kz_colls.sentinel) {
        return NULL;
    }

    key = kz_coll_key(index, collection);
    if (key == NULL) {
        return NULL;
    }

    return (kz_coll_t *) ngx_str_rbtree_lookup(&kz_colls, key,
                                     ngx_murmur_hash2(key->data, key->len));
}


static kz_coll_t *
kz_coll_get(ngx_str_t *index, ngx_str_t *collection)
{
    u_char     *p;
    ngx_str_t  *key;
    kz_coll_t  *coll;

    coll = kz_coll_find(index, collection);
    if (coll) {
        return coll;
    }

    key = kz_coll_key(index, collection);
    if (key == NULL) {
        return NULL;
    }

    coll = ngx_calloc(sizeof(kz_coll_t) + key->len, ngx_cycle->log);
    if (coll == NULL) {
        return NULL;
    }

    coll->set = kz_filter_set_create(ngx_cycle->log);
    if (coll->set == NULL) {
        ngx_free(coll);
        return NULL;
    }

    p = (u_char *) (coll + 1);
    ngx_memcpy(p, key->data, key->len);

    coll->node.str.len = key->len;
    coll->node.str.data = p;
    coll->node.node.key = ngx_murmur_hash2(p, key->len);

    coll->index.len = index->len;
    coll->index.data = p;
    coll->collection.len = collection->len;
    coll->collection.data = p + index->len + 1;

    ngx_rbtree_insert(&kz_colls, &coll->node.node);

    return coll;
}


static void
kz_coll_drop(kz_coll_t *coll)
{
    ngx_rbtree_delete(&kz_colls, &coll->node.node);
    kz_filter_set_destroy(coll->set);
    ngx_free(coll);
}


kz_channel_t *
kz_channel_get(kz_room_t *room, kz_channel_opts_t *opts, ngx_uint_t *existed)
{
    u_char        *p;
    kz_channel_t  *ch;

    for (ch = room->channels; ch; ch = ch->next) {

        if (ch->scope == opts->scope && ch->users == opts->users
            && ch->state == opts->state)
        {
            *existed = 1;
            return ch;
        }
    }

    ch = ngx_alloc(sizeof(kz_channel_t), ngx_cycle->log);
    if (ch == NULL) {
        return NULL;
    }

    ch->scope = opts->scope;
    ch->users = opts->users;
    ch->state = opts->state;
    ngx_queue_init(&ch->subs);

    p = ngx_cpymem(ch->id, room->id, KZ_ROOM_ID_LEN);
    *p++ = '-';
    *p++ = '0' + ch->scope;
    *p++ = '0' + ch->users;
    *p = '0' + ch->state;

    *existed = 0;

    if (ch->users && kz_channel_watch(ch, 1, existed) != NGX_OK) {
        ngx_free(ch);
        return NULL;
    }

    ch->next = room->channels;
    room->channels = ch;

    return ch;
}


void
kz_channel_drop(kz_room_t *room, kz_channel_t *channel)
{
    ngx_uint_t      existed;
    kz_channel_t  **ch;

    for (ch = &room->channels; *ch != channel; ch = &(*ch)->next) {
        /* void */
    }

    *ch = channel->next;

    if (channel->users) {
        (void) kz_channel_watch(channel, -1, &existed);
    }

    ngx_free(channel);
}


/*
 * In the table of rooms all workers share: this worker has (or no longer
 * has) the channel, and one more with user events.  The keys are the room's
 * id with three characters replaced, which no other room's id will equal.
 */

static ngx_int_t
kz_channel_watch(kz_channel_t *channel, ngx_int_t delta, ngx_uint_t *existed)
{
    u_char      key[KZ_ROOM_ID_LEN];
    ngx_uint_t  count;

    ngx_memcpy(key, channel->id, KZ_ROOM_ID_LEN - 3);
    ngx_memcpy(key + KZ_ROOM_ID_LEN - 3, KZ_ROOM_WATCHED, 3);

    if (kz_bus_watch(key, delta, &count) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memcpy(key + KZ_ROOM_ID_LEN - 3, channel->id + KZ_CHANNEL_LEN - 3, 3);

    if (kz_bus_watch(key, delta, &count) != NGX_OK) {

        if (delta > 0) {
            ngx_memcpy(key + KZ_ROOM_ID_LEN - 3, KZ_ROOM_WATCHED, 3);
            (void) kz_bus_watch(key, -delta, &count);
        }

        return NGX_ERROR;
    }

    *existed = (delta > 0 && count > 1);

    return NGX_OK;
}
