/*
 * Entering and leaving rooms: from a subscribe's filter to the room and the
 * channel, from a client to its memberships and back.
 */

#include "realtime/kz_room.h"
#include "core/kz_stat.h"

#include <openssl/sha.h>


#define KZ_ROOM_POOL  1024


static kz_room_t *kz_room_compile(kz_req_t *req);
static ngx_int_t kz_room_refuse(kz_req_t *req, kz_filter_err_t *err);
static ngx_int_t kz_room_identify(kz_req_t *req, kz_room_t *room);
static kz_member_t *kz_member_find(kz_client_t *c, kz_room_t *room);
static kz_member_t *kz_member_create(kz_req_t *req, kz_room_t *room);
static ngx_int_t kz_member_enter(kz_req_t *req, kz_room_t *room,
    kz_channel_opts_t *opts, kz_channel_t **channel);
static void kz_member_leave(kz_member_t *m, ngx_uint_t tell);
static ngx_int_t kz_member_listen(kz_member_t *m, kz_channel_opts_t *opts,
    kz_channel_t **channel, ngx_uint_t *existed);


ngx_int_t
kz_realtime_join(kz_req_t *req, kz_channel_opts_t *opts, ngx_str_t *id,
    ngx_str_t *name)
{
    kz_room_t     *room, *known;
    ngx_uint_t     existed;
    kz_client_t   *c;
    kz_member_t   *m;
    kz_channel_t  *channel;

    c = req->client;

    if (c == NULL || c->closed) {
        return kz_fail(req, KZ_E_PROCESS_CONNECTION_DROPPED, 0);
    }

    if (kz_bus_deaf()) {
        return kz_fail(req, KZ_E_REALTIME_UNAVAILABLE, 0);
    }

    id->len = KZ_ROOM_ID_LEN;
    name->len = KZ_CHANNEL_LEN;
    id->data = ngx_pnalloc(req->pool, KZ_ROOM_ID_LEN);
    name->data = ngx_pnalloc(req->pool, KZ_CHANNEL_LEN);

    if (id->data == NULL || name->data == NULL) {
        return NGX_ERROR;
    }

    room = kz_room_compile(req);
    if (room == NULL) {
        return NGX_ERROR;
    }

    known = kz_room_find(room->id);

    if (known) {
        ngx_destroy_pool(room->pool);
        room = known;

    } else if (kz_room_open(req, room) != NGX_OK) {
        ngx_destroy_pool(room->pool);
        return NGX_ERROR;
    }

    m = kz_member_find(c, room);

    if (m) {

        /* the same again, or another channel of it: nobody entered */

        if (kz_member_listen(m, opts, &channel, &existed) != NGX_OK) {
            return kz_fail(req, KZ_E_PROCESS_OVERLOADED, 0);
        }

    } else if (kz_member_enter(req, room, opts, &channel) != NGX_OK) {

        if (room->nmembers == 0) {
            kz_room_close(room);
        }

        return NGX_ERROR;
    }

    ngx_memcpy(id->data, room->id, KZ_ROOM_ID_LEN);
    ngx_memcpy(name->data, channel->id, KZ_CHANNEL_LEN);

    return NGX_OK;
}


ngx_int_t
kz_realtime_leave(kz_client_t *c, ngx_str_t *id, kz_req_t *req)
{
    kz_room_t    *room;
    kz_member_t  *m;

    (void) req;

    if (id->len != KZ_ROOM_ID_LEN) {
        return NGX_DECLINED;
    }

    room = kz_room_find(id->data);
    if (room == NULL) {
        return NGX_DECLINED;
    }

    m = kz_member_find(c, room);
    if (m == NULL) {
        return NGX_DECLINED;
    }

    kz_member_quit(m, 1);

    return NGX_OK;
}


ngx_uint_t
kz_realtime_count(ngx_str_t *id)
{
    if (id->len != KZ_ROOM_ID_LEN) {
        return 0;
    }

    return kz_bus_room_count(id->data);
}


void
kz_realtime_gone(kz_client_t *c)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&c->rooms)) {
        q = ngx_queue_head(&c->rooms);
        kz_member_quit(ngx_queue_data(q, kz_member_t, rooms), 1);
    }
}


/* A room that is known to nobody yet: filter and id, in a pool of its own. */

static kz_room_t *
kz_room_compile(kz_req_t *req)
{
    kz_room_t           *room;
    ngx_pool_t          *pool;
    kz_filter_err_t      err;
    kz_filter_limits_t   limits;

    static ngx_str_t  body = ngx_string("body");
    static ngx_str_t  object = ngx_string("object");

    if (req->body.type != KZ_JSON_NONE && req->body.type != KZ_JSON_OBJECT) {
        (void) kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &body, &object);
        return NULL;
    }

    pool = ngx_create_pool(KZ_ROOM_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    room = ngx_pcalloc(pool, sizeof(kz_room_t));
    if (room == NULL) {
        goto failed;
    }

    room->pool = pool;
    ngx_queue_init(&room->members);

    ngx_memzero(&err, sizeof(kz_filter_err_t));

    limits.max_conditions = kz_conf->filter_conditions;
    limits.max_minterms = kz_conf->filter_minterms;
    limits.max_depth = req->conf->json_depth;

    if (kz_filter_compile(pool, &req->body, &limits, &room->filter, &err)
        != NGX_OK)
    {
        (void) kz_room_refuse(req, &err);
        goto failed;
    }

    if (kz_room_identify(req, room) != NGX_OK) {
        goto failed;
    }

    return room;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


/* The texts of the error live in the room's pool, which is given up. */

static ngx_int_t
kz_room_refuse(kz_req_t *req, kz_filter_err_t *err)
{
    ngx_str_t  max, received, text;

    switch (err->fault) {

    case KZ_FILTER_TOO_COMPLEX:

        max.data = ngx_pnalloc(req->pool, 2 * NGX_INT_T_LEN);
        if (max.data == NULL) {
            return NGX_ERROR;
        }

        max.len = ngx_sprintf(max.data, "%ui", err->limit) - max.data;
        received.data = max.data + max.len;
        received.len = ngx_sprintf(received.data, "%ui", err->received)
                       - received.data;

        return kz_fail(req, KZ_E_REALTIME_TOO_MANY_TERMS, 2, &max, &received);

    case KZ_FILTER_SYNTAX:

        text = (req->dialect == KZ_DIALECT_1) ? err->message1 : err->message2;

        text.data = ngx_pstrdup(req->pool, &text);
        if (text.data == NULL) {
            return NGX_ERROR;
        }

        if (req->dialect == KZ_DIALECT_1) {

            /* the text may be longer than kz_fail_text() would take */

            (void) kz_fail_text(req, 400, "");
            req->fail_text = text;

            return NGX_ERROR;
        }

        return kz_fail(req, KZ_E_ASSERT_KONCORDE_DSL_ERROR, 1, &text);

    default: /* KZ_FILTER_NO_MEMORY */
        return NGX_ERROR;
    }
}


static ngx_int_t
kz_room_identify(kz_req_t *req, kz_room_t *room)
{
    u_char     *p, *last;
    size_t      len;
    u_char      sum[SHA256_DIGEST_LENGTH];
    ngx_str_t  *text;

    text = kz_filter_text(room->filter);

    len = req->index.len + 1 + req->collection.len + 1 + text->len;

    p = ngx_pnalloc(req->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = ngx_cpymem(p, req->index.data, req->index.len);
    *last++ = '\0';
    last = ngx_cpymem(last, req->collection.data, req->collection.len);
    *last++ = '\0';
    last = ngx_cpymem(last, text->data, text->len);

    SHA256(p, last - p, sum);

    ngx_hex_dump(room->id, sum, KZ_ROOM_ID_LEN / 2);

    return NGX_OK;
}


/* Through the shorter of the two lists. */

static kz_member_t *
kz_member_find(kz_client_t *c, kz_room_t *room)
{
    ngx_queue_t  *q;
    kz_member_t  *m;

    if (c->nrooms < room->nmembers) {

        for (q = ngx_queue_head(&c->rooms);
             q != ngx_queue_sentinel(&c->rooms);
             q = ngx_queue_next(q))
        {
            m = ngx_queue_data(q, kz_member_t, rooms);

            if (m->room == room) {
                return m;
            }
        }

        return NULL;
    }

    for (q = ngx_queue_head(&room->members);
         q != ngx_queue_sentinel(&room->members);
         q = ngx_queue_next(q))
    {
        m = ngx_queue_data(q, kz_member_t, members);

        if (m->client == c) {
            return m;
        }
    }

    return NULL;
}


/* The client of the request becomes a member, counted and announced. */

static ngx_int_t
kz_member_enter(kz_req_t *req, kz_room_t *room, kz_channel_opts_t *opts,
    kz_channel_t **channel)
{
    ngx_int_t     rc;
    ngx_uint_t    count, watched, existed;
    kz_client_t  *c;
    kz_member_t  *m;

    c = req->client;

    if (c->conf->subscriptions && c->nrooms >= c->conf->subscriptions) {
        return kz_fail(req, KZ_E_REALTIME_TOO_MANY_ROOMS, 0);
    }

    m = kz_member_create(req, room);
    if (m == NULL) {
        return NGX_ERROR;
    }

    rc = kz_bus_room(room->id, 1, &count);

    if (rc != NGX_OK) {
        ngx_free(m);

        return kz_fail(req, rc == NGX_DECLINED
                            ? KZ_E_REALTIME_TOO_MANY_ROOMS
                            : KZ_E_PROCESS_OVERLOADED, 0);
    }

    ngx_queue_insert_tail(&c->rooms, &m->rooms);
    c->nrooms++;
    kz_stat->gauges.subscriptions++;

    ngx_queue_insert_tail(&room->members, &m->members);
    room->nmembers++;

    /*
     * Kuzzle: who is told is looked up before the newcomer's channel is
     * made, and delivered after it joined.
     */

    watched = kz_room_watched(room);

    if (kz_member_listen(m, opts, channel, &existed) != NGX_OK
        || (watched && kz_notify_user(m, KZ_USERS_IN, count,
                                      existed ? NULL : kz_client_id(c))
                       != NGX_OK))
    {
        kz_member_leave(m, 0);

        return kz_fail(req, KZ_E_PROCESS_OVERLOADED, 0);
    }

    return NGX_OK;
}


static kz_member_t *
kz_member_create(kz_req_t *req, kz_room_t *room)
{
    size_t        len;
    kz_member_t  *m;

    len = 0;

    if (req->volatile_.type == KZ_JSON_OBJECT) {
        len = req->volatile_.raw.len;
    }

    m = ngx_alloc(sizeof(kz_member_t) + len, ngx_cycle->log);
    if (m == NULL) {
        return NULL;
    }

    m->client = req->client;
    m->room = room;
    m->subs = NULL;
    m->first.channel = NULL;
    m->dialect = req->dialect;
    m->vlen = (uint32_t) len;

    if (len) {
        ngx_memcpy(m->data, req->volatile_.raw.data, len);
    }

    return m;
}


/* Leaves, and the last member takes the room with it. */

void
kz_member_quit(kz_member_t *m, ngx_uint_t tell)
{
    kz_room_t  *room;

    room = m->room;

    kz_member_leave(m, tell);

    if (room->nmembers == 0) {
        kz_room_close(room);
    }
}


/* Leaves all channels and the room.  tell: the others are told. */

static void
kz_member_leave(kz_member_t *m, ngx_uint_t tell)
{
    kz_sub_t      *sub, *next;
    kz_room_t     *room;
    ngx_uint_t     count;
    kz_channel_t  *channel;

    room = m->room;

    for (sub = m->subs; sub; sub = next) {
        next = sub->next;
        channel = sub->channel;

        ngx_queue_remove(&sub->queue);

        if (ngx_queue_empty(&channel->subs)) {
            kz_channel_drop(room, channel);
        }

        if (sub != &m->first) {
            ngx_free(sub);
        }
    }

    ngx_queue_remove(&m->rooms);
    m->client->nrooms--;
    kz_stat->gauges.subscriptions--;

    ngx_queue_remove(&m->members);
    room->nmembers--;

    (void) kz_bus_room(room->id, -1, &count);

    if (tell && count && kz_room_watched(room)
        && kz_notify_user(m, KZ_USERS_OUT, count, NULL) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "kuzzle: nobody could be told that a client left "
                      "room %*s", (size_t) KZ_ROOM_ID_LEN, room->id);
    }

    ngx_free(m);
}


/*
 * Subscribes the member to the channel, created if need be.  *existed: some
 * worker had it already (known of channels with user events only).
 */

static ngx_int_t
kz_member_listen(kz_member_t *m, kz_channel_opts_t *opts,
    kz_channel_t **channel, ngx_uint_t *existed)
{
    kz_sub_t      *sub;
    kz_channel_t  *ch;

    ch = kz_channel_get(m->room, opts, existed);
    if (ch == NULL) {
        return NGX_ERROR;
    }

    *channel = ch;

    for (sub = m->subs; sub; sub = sub->next) {
        if (sub->channel == ch) {
            return NGX_OK;
        }
    }

    if (m->subs == NULL) {
        sub = &m->first;

    } else {
        sub = ngx_alloc(sizeof(kz_sub_t), ngx_cycle->log);
        if (sub == NULL) {
            if (ngx_queue_empty(&ch->subs)) {
                kz_channel_drop(m->room, ch);
            }

            return NGX_ERROR;
        }
    }

    sub->channel = ch;
    sub->member = m;
    sub->next = m->subs;
    m->subs = sub;

    ngx_queue_insert_tail(&ch->subs, &sub->queue);

    return NGX_OK;
}
