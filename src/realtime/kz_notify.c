/*
 * From what arrives on the bus to the sockets: which rooms match, one text
 * per channel and generation, one wire message per protocol, one reference
 * per subscriber.
 *
 * Scope: a document is "in" for the rooms its new version matches and "out"
 * for those that only its old version matched; old and new travel together,
 * so nothing has to be remembered.  A published message is always "in".
 *
 * Nothing in here changes rooms or members: protocols close clients later.
 */

#include "realtime/kz_room.h"
#include "core/kz_stat.h"


#define KZ_NOTIFY_POOL    16384
#define KZ_NOTIFY_HITS    64
#define KZ_NOTIFY_PROTOS  8
#define KZ_NOTIFY_TEXT    1024       /* a first guess, beside the sources */

/* "room":"<channel>"} */
#define KZ_NOTIFY_TAIL    (KZ_CHANNEL_LEN + sizeof("\"room\":\"\"}"))


typedef struct {
    kz_room_t         *room;
    ngx_uint_t         scope;
} kz_notify_hit_t;


/* An open text (see kz_notify_json.c), made on first use. */

typedef struct {
    kz_out_t           out;
    size_t             len;
    ngx_uint_t         ready;
} kz_notify_text_t;


/* One channel's message for one protocol and generation. */

typedef struct {
    const kz_proto_t  *proto;
    uint32_t           dialect;
    kz_message_t      *message;
} kz_notify_wire_t;


typedef struct {
    kz_change_t       *change;
    ngx_uint_t         scope;        /* of a document; 0: a user event */
    u_char            *newcomer;
    kz_notify_text_t   texts[2];     /* generation 1, 2 */
} kz_notify_t;


static void kz_notify_on_change(u_char *payload, size_t len);
static void kz_notify_on_user(u_char *payload, size_t len);
static void kz_notify_match(kz_coll_t *coll, ngx_str_t *source,
    ngx_str_t *id, ngx_uint_t scope);
static void kz_notify_hit(void *owner, void *data);
static void kz_notify_cast(kz_notify_t *n, kz_channel_t *ch);
static kz_message_t *kz_notify_message(kz_notify_t *n, kz_channel_t *ch,
    const kz_proto_t *proto, uint32_t dialect);
static kz_notify_text_t *kz_notify_text(kz_notify_t *n, uint32_t dialect);


static ngx_pool_t       *kz_notify_pool;
static kz_notify_hit_t  *kz_notify_hits;
static ngx_uint_t        kz_notify_nhits;
static ngx_uint_t        kz_notify_size;
static uint64_t          kz_notify_serial;      /* of changes: room->mark */


ngx_int_t
kz_notify_init(void)
{
    kz_notify_pool = ngx_create_pool(KZ_NOTIFY_POOL, ngx_cycle->log);
    if (kz_notify_pool == NULL) {
        return NGX_ERROR;
    }

    kz_bus_handler(KZ_BUS_CHANGE, kz_notify_on_change);
    kz_bus_handler(KZ_BUS_PUBLISH, kz_notify_on_change);
    kz_bus_handler(KZ_BUS_USER, kz_notify_on_user);

    return NGX_OK;
}


void
kz_notify_exit(void)
{
    if (kz_notify_pool) {
        ngx_destroy_pool(kz_notify_pool);
        kz_notify_pool = NULL;
    }

    if (kz_notify_hits) {
        ngx_free(kz_notify_hits);
        kz_notify_hits = NULL;
        kz_notify_size = 0;
    }
}


ngx_int_t
kz_realtime_publish(kz_change_t *message)
{
    u_char     *p;
    size_t      len;
    ngx_int_t   rc;

    if (!kz_bus_listened(&message->index, &message->collection)) {
        return NGX_OK;
    }

    len = kz_change_len(message);

    p = ngx_alloc(len, ngx_cycle->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) kz_change_write(p, message);

    rc = kz_bus_send(KZ_BUS_PUBLISH, p, len);

    ngx_free(p);

    return rc;
}


ngx_int_t
kz_notify_user(kz_member_t *m, ngx_uint_t event, ngx_uint_t count,
    u_char *newcomer)
{
    u_char       *p;
    size_t        len;
    ngx_int_t     rc;
    ngx_time_t   *tp;
    kz_change_t   c;

    ngx_memzero(&c, sizeof(kz_change_t));

    tp = ngx_timeofday();

    c.kind = (event == KZ_USERS_IN) ? KZ_CHANGE_CREATE : KZ_CHANGE_DELETE;
    c.version = count;
    c.timestamp = (int64_t) tp->sec * 1000 + tp->msec;
    c.index = m->room->coll->index;
    c.collection = m->room->coll->collection;
    c.id.len = KZ_ROOM_ID_LEN;
    c.id.data = m->room->id;
    c.volatile_.len = m->vlen;
    c.volatile_.data = m->data;
    c.protocol = m->client->proto->name;

    if (newcomer) {
        c.user.len = sizeof(m->client->id);
        c.user.data = newcomer;
    }

    len = kz_change_len(&c);

    p = ngx_alloc(len, ngx_cycle->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) kz_change_write(p, &c);

    rc = kz_bus_send(KZ_BUS_USER, p, len);

    ngx_free(p);

    return rc;
}


static void
kz_notify_on_change(u_char *payload, size_t len)
{
    kz_coll_t        *coll;
    ngx_uint_t        i;
    kz_change_t       change;
    kz_notify_t      *n, in, out;
    kz_channel_t     *ch;
    kz_notify_hit_t  *hit;

    if (kz_change_read(&change, payload, len) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "kuzzle: a change of %uz bytes makes no sense", len);
        return;
    }

    coll = kz_coll_find(&change.index, &change.collection);
    if (coll == NULL) {
        return;
    }

    kz_notify_serial++;
    kz_notify_nhits = 0;

    kz_notify_match(coll, &change.new_source, &change.id, KZ_SCOPE_IN);
    kz_notify_match(coll, &change.old_source, &change.id, KZ_SCOPE_OUT);

    if (kz_notify_nhits == 0) {
        return;
    }

    ngx_memzero(&in, sizeof(kz_notify_t));
    ngx_memzero(&out, sizeof(kz_notify_t));

    in.change = &change;
    in.scope = KZ_SCOPE_IN;
    out.change = &change;
    out.scope = KZ_SCOPE_OUT;

    for (i = 0; i < kz_notify_nhits; i++) {
        hit = &kz_notify_hits[i];
        n = (hit->scope == KZ_SCOPE_IN) ? &in : &out;

        for (ch = hit->room->channels; ch; ch = ch->next) {

            if ((ch->scope & hit->scope) && (ch->state & KZ_STATE_DONE)) {
                kz_notify_cast(n, ch);
            }
        }
    }

    ngx_reset_pool(kz_notify_pool);
}


static void
kz_notify_match(kz_coll_t *coll, ngx_str_t *source, ngx_str_t *id,
    ngx_uint_t scope)
{
    kz_json_val_t  doc;

    if (source->len == 0) {
        return;
    }

    kz_json_value(source->data, source->data + source->len, &doc);

    if (doc.type == KZ_JSON_OBJECT) {
        kz_filter_set_match(coll->set, &doc, id, kz_notify_hit, &scope);
    }
}


static void
kz_notify_hit(void *owner, void *data)
{
    kz_room_t        *room = owner;
    ngx_uint_t       *scope = data;

    ngx_uint_t        size;
    kz_notify_hit_t  *hits;

    /* the old version comes second: what both match is no "out" */

    if (room->mark == kz_notify_serial) {
        return;
    }

    if (kz_notify_nhits == kz_notify_size) {

        size = kz_notify_size ? 2 * kz_notify_size : KZ_NOTIFY_HITS;

        hits = ngx_alloc(size * sizeof(kz_notify_hit_t), ngx_cycle->log);
        if (hits == NULL) {
            kz_bus_lost();
            return;
        }

        if (kz_notify_hits) {
            ngx_memcpy(hits, kz_notify_hits,
                       kz_notify_nhits * sizeof(kz_notify_hit_t));
            ngx_free(kz_notify_hits);
        }

        kz_notify_hits = hits;
        kz_notify_size = size;
    }

    room->mark = kz_notify_serial;

    kz_notify_hits[kz_notify_nhits].room = room;
    kz_notify_hits[kz_notify_nhits].scope = *scope;
    kz_notify_nhits++;
}


static void
kz_notify_on_user(u_char *payload, size_t len)
{
    kz_room_t     *room;
    ngx_uint_t     event;
    kz_change_t    change;
    kz_notify_t    n;
    kz_channel_t  *ch;

    if (kz_change_read(&change, payload, len) != NGX_OK
        || change.id.len != KZ_ROOM_ID_LEN)
    {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "kuzzle: a user event of %uz bytes makes no sense",
                      len);
        return;
    }

    room = kz_room_find(change.id.data);
    if (room == NULL) {
        return;
    }

    ngx_memzero(&n, sizeof(kz_notify_t));

    n.change = &change;

    if (change.user.len == sizeof(((kz_client_t *) 0)->id)) {
        n.newcomer = change.user.data;
    }

    event = (change.kind == KZ_CHANGE_CREATE) ? KZ_USERS_IN : KZ_USERS_OUT;

    for (ch = room->channels; ch; ch = ch->next) {
        if (ch->users & event) {
            kz_notify_cast(&n, ch);
        }
    }

    ngx_reset_pool(kz_notify_pool);
}


/* To all subscribers of the channel. */

static void
kz_notify_cast(kz_notify_t *n, kz_channel_t *ch)
{
    kz_sub_t          *sub;
    ngx_uint_t         i, nwires;
    kz_client_t       *c;
    kz_member_t       *m;
    ngx_queue_t       *q;
    kz_notify_wire_t  *w, wires[KZ_NOTIFY_PROTOS];

    nwires = 0;

    for (q = ngx_queue_head(&ch->subs);
         q != ngx_queue_sentinel(&ch->subs);
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, kz_sub_t, queue);
        m = sub->member;
        c = m->client;

        if (n->newcomer && c->id_set
            && ngx_memcmp(c->id, n->newcomer, sizeof(c->id)) == 0)
        {
            continue;
        }

        for (i = 0; i < nwires; i++) {
            if (wires[i].proto == c->proto && wires[i].dialect == m->dialect)
            {
                break;
            }
        }

        w = &wires[i];

        if (i == nwires) {

            if (nwires == KZ_NOTIFY_PROTOS) {
                w = &wires[--nwires];
                kz_message_release(w->message);
            }

            w->message = kz_notify_message(n, ch, c->proto, m->dialect);

            if (w->message == NULL) {
                kz_bus_lost();
                break;
            }

            w->proto = c->proto;
            w->dialect = m->dialect;
            nwires++;
        }

        c->proto->send(c, w->message);
        kz_stat->notifications++;
    }

    for (i = 0; i < nwires; i++) {
        kz_message_release(wires[i].message);
    }
}


static kz_message_t *
kz_notify_message(kz_notify_t *n, kz_channel_t *ch, const kz_proto_t *proto,
    uint32_t dialect)
{
    kz_out_t          *o;
    kz_notify_text_t  *text;

    text = kz_notify_text(n, dialect);
    if (text == NULL) {
        return NULL;
    }

    /* the same text for every channel, but for its end */

    o = &text->out;
    o->pos = o->start + text->len;

    kz_out_lit(o, "\"room\":\"");
    kz_out_bytes(o, ch->id, KZ_CHANNEL_LEN);
    kz_out_lit(o, "\"}");

    if (kz_out_failed(o)) {
        return NULL;
    }

    return proto->encode(o->start, kz_out_len(o), ngx_cycle->log);
}


static kz_notify_text_t *
kz_notify_text(kz_notify_t *n, uint32_t dialect)
{
    kz_change_t       *c;
    kz_notify_text_t  *text;

    c = n->change;
    text = &n->texts[dialect == KZ_DIALECT_2];

    if (text->ready) {
        return text;
    }

    kz_out_init(&text->out, kz_notify_pool,
                KZ_NOTIFY_TEXT + c->new_source.len + c->old_source.len
                + c->volatile_.len);

    if (n->scope && dialect == KZ_DIALECT_2) {
        kz_notify_document2(&text->out, c, n->scope, &kz_conf->node);

    } else if (n->scope) {
        kz_notify_document1(&text->out, c, n->scope);

    } else if (dialect == KZ_DIALECT_2) {
        kz_notify_user2(&text->out, c, &kz_conf->node);

    } else {
        kz_notify_user1(&text->out, c);
    }

    /* room for the end, so that the text does not move any more */

    if (kz_out_room(&text->out, KZ_NOTIFY_TAIL) != NGX_OK
        || kz_out_failed(&text->out))
    {
        return NULL;
    }

    text->len = kz_out_len(&text->out);
    text->ready = 1;

    return text;
}
