/*
 * realtime/: rooms, channels and who is told what.  The bus is played by a
 * queue, the other workers by numbers; the protocol keeps what it was given.
 *
 * sources: core/kz_change.c core/kz_client.c core/kz_error.c
 * sources: core/kz_message.c core/kz_req.c
 * sources: realtime/kz_filter.c realtime/kz_filter_canon.c
 * sources: realtime/kz_filter_check.c realtime/kz_filter_kind.c
 * sources: realtime/kz_filter_leaf.c realtime/kz_filter_match.c
 * sources: realtime/kz_filter_parse.c realtime/kz_filter_run.c
 * sources: realtime/kz_filter_set.c realtime/kz_filter_simplify.c
 * sources: realtime/kz_filter_span.c realtime/kz_filter_trie.c
 * sources: realtime/kz_notify.c realtime/kz_notify_json.c
 * sources: realtime/kz_room.c realtime/kz_room_join.c
 * sources: core/kz_stat.c
 * libs: -lcrypto
 */

#include "realtime/kz_room.h"
#include "kz_shim.h"
#include "tap.h"


#define KEYS     64
#define HELD     64
#define INBOX    16


static kz_main_conf_t  conf;
static kz_loc_conf_t   loc;
static ngx_pool_t     *pool;          /* of the requests */


/* The bus */

typedef struct {
    u_char       id[KZ_ROOM_ID_LEN];
    ngx_int_t    mine;
    ngx_int_t    others;
} bus_key_t;


typedef struct {
    kz_bus_type_e  type;
    u_char        *data;
    size_t         len;
} bus_held_t;


kz_main_conf_t            *kz_conf = &conf;
void                     (*kz_bus_lost)(void);

static kz_bus_handler_pt   handlers[KZ_BUS_MAX];
static bus_key_t           keys[KEYS];
static bus_held_t          held[HELD];
static ngx_uint_t          nheld;
static ngx_int_t           hints;
static ngx_int_t           bus_rc;


void
kz_bus_handler(kz_bus_type_e type, kz_bus_handler_pt handler)
{
    handlers[type] = handler;
}


ngx_int_t
kz_bus_send(kz_bus_type_e type, u_char *payload, size_t len)
{
    if (nheld == HELD || bus_rc != NGX_OK) {
        return NGX_ERROR;
    }

    held[nheld].type = type;
    held[nheld].data = kz_shim_copy(payload, len);
    held[nheld++].len = len;

    return NGX_OK;
}


static void
deliver(void)
{
    ngx_uint_t  i;

    for (i = 0; i < nheld; i++) {
        handlers[held[i].type](held[i].data, held[i].len);
        free(held[i].data);
    }

    nheld = 0;
}


ngx_uint_t
kz_bus_deaf(void)
{
    return 0;
}


void
kz_bus_listen(ngx_str_t *index, ngx_str_t *collection, ngx_int_t delta)
{
    (void) index;
    (void) collection;

    hints += delta;
}


ngx_uint_t
kz_bus_listened(ngx_str_t *index, ngx_str_t *collection)
{
    (void) index;
    (void) collection;

    return hints > 0;
}


static bus_key_t *
bus_key(const u_char *id)
{
    ngx_uint_t  i;

    static u_char  none[KZ_ROOM_ID_LEN];

    for (i = 0; i < KEYS; i++) {

        if (ngx_memcmp(keys[i].id, id, KZ_ROOM_ID_LEN) == 0
            || ngx_memcmp(keys[i].id, none, KZ_ROOM_ID_LEN) == 0)
        {
            ngx_memcpy(keys[i].id, id, KZ_ROOM_ID_LEN);
            return &keys[i];
        }
    }

    abort();
}


ngx_int_t
kz_bus_room(const u_char *room, ngx_int_t delta, ngx_uint_t *count)
{
    if (delta > 0 && bus_rc != NGX_OK) {
        return bus_rc;
    }

    bus_key(room)->mine += delta;
    *count = bus_key(room)->mine + bus_key(room)->others;

    return NGX_OK;
}


ngx_int_t
kz_bus_watch(const u_char *key, ngx_int_t delta, ngx_uint_t *count)
{
    return kz_bus_room(key, delta, count);
}


ngx_uint_t
kz_bus_room_count(const u_char *room)
{
    return bus_key(room)->mine + bus_key(room)->others;
}


static ngx_int_t
bus_mine(void)
{
    ngx_int_t   n;
    ngx_uint_t  i;

    for (n = 0, i = 0; i < KEYS; i++) {
        n += keys[i].mine;
    }

    return n;
}


/* nginx's trees: a chain will do */

void
ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    node->left = tree->sentinel;
    node->right = tree->root;
    tree->root = node;
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    ngx_rbtree_node_t  **n;

    for (n = &tree->root; *n != node; n = &(*n)->right) { /* void */ }

    *n = node->right;
}


ngx_rbtree_node_t *
ngx_rbtree_next(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
    return node->right == tree->sentinel ? NULL : node->right;
}


void
ngx_str_rbtree_insert_value(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    (void) temp;
    (void) node;
    (void) sentinel;
}


ngx_str_node_t *
ngx_str_rbtree_lookup(ngx_rbtree_t *tree, ngx_str_t *name, uint32_t hash)
{
    ngx_str_node_t     *s;
    ngx_rbtree_node_t  *n;

    for (n = tree->root; n != tree->sentinel; n = n->right) {
        s = (ngx_str_node_t *) n;

        if (n->key == hash && s->str.len == name->len
            && ngx_memcmp(s->str.data, name->data, name->len) == 0)
        {
            return s;
        }
    }

    return NULL;
}


uint32_t
ngx_murmur_hash2(u_char *data, size_t len)
{
    uint32_t  h;

    for (h = 0; len; len--) {
        h = h * 31 + *data++;
    }

    return h;
}


u_char *
ngx_hex_dump(u_char *dst, u_char *src, size_t len)
{
    static u_char  hex[] = "0123456789abcdef";

    while (len--) {
        *dst++ = hex[*src >> 4];
        *dst++ = hex[*src++ & 15];
    }

    return dst;
}


/* The protocol */

typedef struct {
    kz_client_t     client;
    kz_message_t   *inbox[INBOX];
    ngx_uint_t      n;
    ngx_uint_t      closed;
} peer_t;


static ngx_uint_t  encoded;


static kz_message_t *
encode(const u_char *payload, size_t len, ngx_log_t *log)
{
    kz_message_t  *m;

    m = kz_message_create(len, log);

    if (m) {
        ngx_memcpy(m->data, payload, len);
    }

    encoded++;

    return m;
}


static void
deliver_to(kz_client_t *c, kz_message_t *m)
{
    peer_t  *p = c->session;

    if (p->n < INBOX) {
        p->inbox[p->n++] = kz_message_retain(m);
    }
}


static void
close_client(kz_client_t *c, kz_close_e reason)
{
    peer_t  *p = c->session;

    p->closed += (reason == KZ_CLOSE_LOST);
}


static const kz_proto_t  proto = {
    ngx_string("websocket"), NULL, encode, deliver_to, close_client,
    NULL, KZ_PROTO_REALTIME|KZ_PROTO_SESSION, NULL
};


static void
empty(peer_t *p)
{
    while (p->n) {
        kz_message_release(p->inbox[--p->n]);
    }
}


static peer_t *
peer(void)
{
    peer_t  *p;

    p = calloc(1, sizeof(peer_t));
    kz_client_init(&p->client, &proto, p, &loc, &kz_shim_log);

    return p;
}


static void
bye(peer_t *p)
{
    empty(p);
    kz_client_close(&p->client);
    free(p);
}


/* Requests */

static void
request(kz_req_t *req, peer_t *p, kz_dialect_e dialect, const char *body,
    const char *volatile_)
{
    kz_json_err_t  err;

    ngx_memzero(req, sizeof(kz_req_t));

    req->pool = pool;
    req->client = &p->client;
    req->proto = &proto;
    req->conf = &loc;
    req->log = &kz_shim_log;
    req->dialect = dialect;
    ngx_str_set(&req->index, "nyc");
    ngx_str_set(&req->collection, "rt");

    if (kz_json_scan((u_char *) body, strlen(body), 100, &req->body, &err)
        != NGX_OK)
    {
        abort();
    }

    if (volatile_) {
        req->volatile_.type = KZ_JSON_OBJECT;
        req->volatile_.raw.data = (u_char *) volatile_;
        req->volatile_.raw.len = strlen(volatile_);
    }
}


static kz_req_t   req;
static ngx_str_t  room, channel;

static ngx_int_t
subscribe(peer_t *p, kz_dialect_e dialect, const char *body,
    ngx_uint_t scope, ngx_uint_t users, const char *volatile_)
{
    kz_channel_opts_t  opts;

    request(&req, p, dialect, body, volatile_);

    opts.scope = scope;
    opts.users = users;
    opts.state = KZ_STATE_DONE;

    return kz_realtime_join(&req, &opts, &room, &channel);
}


static void
write_document(ngx_uint_t kind, const char *old, const char *new)
{
    u_char       *p;
    kz_change_t   c;

    ngx_memzero(&c, sizeof(kz_change_t));

    c.kind = kind;
    c.version = 1;
    c.timestamp = 1;
    ngx_str_set(&c.index, "nyc");
    ngx_str_set(&c.collection, "rt");
    ngx_str_set(&c.id, "d1");
    ngx_str_set(&c.controller, "document");
    ngx_str_set(&c.action, "x");
    ngx_str_set(&c.protocol, "http");
    c.old_source.data = (u_char *) old;
    c.old_source.len = strlen(old);
    c.new_source.data = (u_char *) new;
    c.new_source.len = strlen(new);

    p = malloc(kz_change_len(&c));
    kz_change_write(p, &c);
    handlers[KZ_BUS_CHANGE](p, kz_change_len(&c));
    free(p);
}


static int
has(peer_t *p, ngx_uint_t i, const char *text)
{
    return i < p->n
           && memmem(p->inbox[i]->data, p->inbox[i]->len, text,
                     strlen(text)) != NULL;
}


static void
test_ids(void)
{
    u_char    first[KZ_CHANNEL_LEN], *r;
    peer_t   *a, *b;

    a = peer();
    b = peer();

    is_int(subscribe(a, KZ_DIALECT_1, "{}", KZ_SCOPE_ALL, 0, NULL), NGX_OK,
           "subscribed");
    is_int(room.len, 32, "room id");
    ok(channel.len > 33 && channel.data[32] == '-'
       && memcmp(room.data, channel.data, 32) == 0, "channel id");

    r = room.data;
    memcpy(first, channel.data, KZ_CHANNEL_LEN);

    subscribe(a, KZ_DIALECT_1, "{}", KZ_SCOPE_ALL, 0, NULL);
    is_bytes(channel.data, channel.len, first, KZ_CHANNEL_LEN, "the same");
    is_int(a->client.nrooms, 1, "once a room");
    is_int(kz_realtime_count(&room), 1, "counted once");

    subscribe(a, KZ_DIALECT_1, "{}", KZ_SCOPE_IN, 0, NULL);
    ok(memcmp(channel.data, first, KZ_CHANNEL_LEN) != 0
       && memcmp(room.data, r, 32) == 0, "another channel of the room");
    is_int(a->client.nrooms, 1, "is no other room");

    subscribe(b, KZ_DIALECT_2,
              "{\"and\":[{\"equals\":{\"a\":1}},{\"exists\":\"b\"}]}",
              KZ_SCOPE_ALL, 0, NULL);
    ok(memcmp(room.data, r, 32) != 0, "another filter, another room");
    r = room.data;
    subscribe(a, KZ_DIALECT_2,
              "{\"and\":[{\"exists\":\"b\"},{\"equals\":{\"a\":1}}]}",
              KZ_SCOPE_ALL, 0, NULL);
    is_bytes(room.data, 32, r, 32, "the same meaning, the same room");
    is_int(kz_realtime_count(&room), 2, "two connections");
    is_int(hints, 2, "two rooms are hinted at");

    ok(kz_realtime_leave(&b->client, &room, &req) == NGX_OK
       && kz_realtime_count(&room) == 1, "left");
    is_int(kz_realtime_leave(&b->client, &room, &req), NGX_DECLINED,
           "not twice");

    bye(a);
    bye(b);
    is_int(hints, 0, "no hints are left");
    is_int(bus_mine(), 0, "no rooms are left");
}


static void
test_scopes(void)
{
    peer_t  *all, *in, *out, *none;

    static const char  *filter = "{\"range\":{\"age\":{\"gte\":10}}}";

    all = peer();
    in = peer();
    out = peer();
    none = peer();

    subscribe(all, KZ_DIALECT_1, filter, KZ_SCOPE_ALL, 0, NULL);
    subscribe(in, KZ_DIALECT_1, filter, KZ_SCOPE_IN, 0, NULL);
    subscribe(out, KZ_DIALECT_2, filter, KZ_SCOPE_OUT, 0, NULL);
    subscribe(none, KZ_DIALECT_2, filter, 0, 0, NULL);

    write_document(KZ_CHANGE_CREATE, "", "{\"age\":1}");
    is_int(all->n + in->n + out->n, 0, "no match, nothing");

    write_document(KZ_CHANGE_UPDATE, "{\"age\":1}", "{\"age\":10}");
    ok(all->n == 1 && in->n == 1 && out->n == 0, "enters");
    ok(has(all, 0, "\"scope\":\"in\"") && has(all, 0, "\"age\":10"), "in");

    write_document(KZ_CHANGE_REPLACE, "{\"age\":10}", "{\"age\":11}");
    ok(all->n == 2 && in->n == 2 && out->n == 0, "stays");

    write_document(KZ_CHANGE_UPDATE, "{\"age\":11}", "{\"age\":9}");
    ok(all->n == 3 && in->n == 2 && out->n == 1, "leaves");
    ok(has(all, 2, "\"scope\":\"out\"")
       && has(all, 2, "\"result\":{\"_id\":\"d1\"}"), "out, 1.x");
    ok(has(out, 0, "\"scope\":\"out\"") && has(out, 0, "{\"age\":9}"),
       "out, 2.x");

    write_document(KZ_CHANGE_DELETE, "{\"age\":9}", "");
    write_document(KZ_CHANGE_DELETE, "{\"age\":12}", "");
    ok(all->n == 4 && in->n == 2 && out->n == 2, "deleted");
    ok(has(out, 1, "\"event\":\"delete\""), "a delete that matched");
    is_int(none->n, 0, "scope none");

    bye(all);
    bye(in);
    bye(out);
    bye(none);
}


/* One encoding per channel and generation, the channel's name in it. */

static void
test_fan_out(void)
{
    peer_t      *p[20];
    char         text[64];
    ngx_uint_t   i, good;

    for (i = 0; i < 20; i++) {
        p[i] = peer();
        subscribe(p[i], i % 2 ? KZ_DIALECT_1 : KZ_DIALECT_2, "{}",
                  KZ_SCOPE_ALL, 0, NULL);
    }

    sprintf(text, "\"room\":\"%.*s\"}", (int) channel.len, channel.data);

    encoded = 0;
    write_document(KZ_CHANGE_CREATE, "", "{\"age\":1}");
    is_int(encoded, 2, "twice for both generations");

    for (good = 0, i = 0; i < 20; i++) {
        good += (p[i]->n == 1 && has(p[i], 0, text)
                 && has(p[i], 0, "\"state\":\"done\"") == (int) (i % 2));
    }

    is_int(good, 20, "everybody gets it in its own");

    for (i = 0; i < 20; i++) {
        bye(p[i]);
    }
}


static void
test_users(void)
{
    peer_t   *a, *b, *c;
    u_char    key[KZ_ROOM_ID_LEN];

    a = peer();
    b = peer();
    c = peer();

    subscribe(a, KZ_DIALECT_1, "{}", KZ_SCOPE_ALL, KZ_USERS_IN|KZ_USERS_OUT,
              "{\"who\":\"a\"}");
    deliver();
    is_int(a->n, 0, "the first one is not told of itself");

    subscribe(b, KZ_DIALECT_2, "{}", KZ_SCOPE_ALL, KZ_USERS_IN,
              "{\"who\":\"b\"}");
    deliver();
    ok(a->n == 1 && has(a, 0, "\"user\":\"in\"")
       && has(a, 0, "\"count\":2") && has(a, 0, "{\"who\":\"b\"}"),
       "a newcomer is announced");
    is_int(b->n, 0, "in a channel of its own it is not told of itself");

    subscribe(b, KZ_DIALECT_2, "{}", KZ_SCOPE_ALL, KZ_USERS_IN, NULL);
    subscribe(b, KZ_DIALECT_2, "{}", KZ_SCOPE_IN, 0, NULL);
    deliver();
    is_int(a->n + b->n, 1, "nobody enters twice");

    subscribe(c, KZ_DIALECT_2, "{}", KZ_SCOPE_ALL, KZ_USERS_IN, NULL);
    deliver();
    ok(c->n == 1 && has(c, 0, "\"count\":3"),
       "a newcomer to a channel that is there is told of itself");
    ok(a->n == 2 && b->n == 1, "and so are the others");

    /* the first of its volatiles counts */

    kz_realtime_leave(&b->client, &room, &req);
    deliver();
    ok(a->n == 3 && has(a, 2, "\"user\":\"out\"")
       && has(a, 2, "\"count\":2") && has(a, 2, "{\"who\":\"b\"}")
       && has(a, 2, "\"protocol\":\"websocket\""),
       "somebody leaves all channels at once");
    is_int(c->n, 1, "not everybody wants to know");

    bye(c);
    deliver();
    ok(a->n == 4 && has(a, 3, "\"volatile\":null"), "a socket closes");

    /* the channel exists, but in another worker */

    memcpy(key, room.data, KZ_ROOM_ID_LEN);
    c = peer();
    memcpy(key + 29, "323", 3);
    key[29] = channel.data[33];
    key[30] = channel.data[34];
    key[31] = channel.data[35];
    bus_key(key)->others = 1;

    subscribe(c, KZ_DIALECT_1, "{}", KZ_SCOPE_ALL, KZ_USERS_IN, NULL);
    deliver();
    is_int(c->n, 1, "told of itself when another worker has the channel");
    bus_key(key)->others = 0;

    bye(a);
    bye(b);
    bye(c);
    deliver();
    is_int(bus_mine(), 0, "nothing is left in the shared table");

    a = peer();
    subscribe(a, KZ_DIALECT_1, "{}", KZ_SCOPE_ALL, 0, NULL);
    is_int(nheld, 0, "who has no listeners is not announced");
    bye(a);
}


static void
test_refused(void)
{
    peer_t  *a;

    a = peer();

    is_int(subscribe(a, KZ_DIALECT_1, "{\"nothere\":{\"a\":1}}",
                     KZ_SCOPE_ALL, 0, NULL), NGX_ERROR, "unknown keyword");
    ok(req.error == KZ_E_NONE && req.status == 400, "1.x: no id");
    is_str(&req.fail_text, "Unknown DSL keyword: nothere", "1.x: words");

    subscribe(a, KZ_DIALECT_2,
              "{\"range\":{\"age\":{\"gte\":10,\"lte\":1}}}",
              KZ_SCOPE_ALL, 0, NULL);
    is_int(req.error, KZ_E_ASSERT_KONCORDE_DSL_ERROR, "2.x: id");
    is_str(&req.fail_args[0], "\"range.age\": lower boundary must be "
           "strictly inferior to the upper one", "2.x: words");

    conf.filter_conditions = 2;
    subscribe(a, KZ_DIALECT_1,
              "{\"and\":[{\"exists\":\"a\"},{\"exists\":\"b\"},"
              "{\"exists\":\"c\"}]}", KZ_SCOPE_ALL, 0, NULL);
    is_int(req.error, KZ_E_REALTIME_TOO_MANY_TERMS, "too many terms");
    is_str(&req.fail_args[0], "2", "so many are allowed");
    is_str(&req.fail_args[1], "3", "so many were given");
    conf.filter_conditions = 0;

    subscribe(a, KZ_DIALECT_2, "[]", KZ_SCOPE_ALL, 0, NULL);
    is_int(req.error, KZ_E_ASSERT_INVALID_TYPE, "an array is no filter");

    loc.subscriptions = 1;
    is_int(subscribe(a, KZ_DIALECT_1, "{}", KZ_SCOPE_ALL, 0, NULL), NGX_OK,
           "up to the limit");
    subscribe(a, KZ_DIALECT_1, "{\"exists\":\"a\"}", KZ_SCOPE_ALL, 0, NULL);
    is_int(req.error, KZ_E_REALTIME_TOO_MANY_ROOMS, "rooms of a socket");
    is_int(subscribe(a, KZ_DIALECT_1, "{}", KZ_SCOPE_IN, 0, NULL), NGX_OK,
           "a channel more is no room more");
    loc.subscriptions = 0;

    bus_rc = NGX_DECLINED;
    subscribe(a, KZ_DIALECT_1, "{\"exists\":\"a\"}", KZ_SCOPE_ALL, 0, NULL);
    is_int(req.error, KZ_E_REALTIME_TOO_MANY_ROOMS, "rooms of all");

    bus_rc = NGX_ERROR;
    subscribe(a, KZ_DIALECT_1, "{\"exists\":\"a\"}", KZ_SCOPE_ALL, 0, NULL);
    is_int(req.error, KZ_E_PROCESS_OVERLOADED, "the zone is full");
    bus_rc = NGX_OK;

    a->client.closed = 1;
    is_int(subscribe(a, KZ_DIALECT_1, "{\"exists\":\"a\"}", KZ_SCOPE_ALL, 0,
                     NULL), NGX_ERROR, "a client that has gone");
    a->client.closed = 0;

    is_int(a->client.nrooms, 1, "one room in the end");
    is_int(hints, 1, "and one hint");

    bye(a);
}


/* Out of memory anywhere: refused, and nothing is left behind. */

static void
test_memory(void)
{
    peer_t     *a;
    ngx_int_t   i, rc;

    a = peer();

    for (i = 0, rc = NGX_ERROR; rc != NGX_OK && i < 1000; i++) {
        kz_shim_allocations = i;
        rc = subscribe(a, KZ_DIALECT_1, "{\"equals\":{\"a\":1}}",
                       KZ_SCOPE_ALL, KZ_USERS_IN, "{}");
        kz_shim_allocations = -1;

        if (rc != NGX_OK && (a->client.nrooms || hints || bus_mine())) {
            break;
        }
    }

    ok(rc == NGX_OK && i > 5, "refused %d times, then joined", (int) i - 1);

    kz_shim_allocations = 0;
    write_document(KZ_CHANGE_CREATE, "", "{\"a\":1}");
    kz_shim_allocations = -1;
    ok(a->closed == 1 || a->n == 1, "no notification is lost silently");

    bye(a);
    deliver();
}


static void
test_lost(void)
{
    peer_t  *a, *b, *c;

    a = peer();
    b = peer();
    c = peer();

    subscribe(a, KZ_DIALECT_1, "{}", KZ_SCOPE_ALL, 0, NULL);
    subscribe(a, KZ_DIALECT_1, "{\"exists\":\"a\"}", KZ_SCOPE_ALL, 0, NULL);
    subscribe(b, KZ_DIALECT_1, "{}", KZ_SCOPE_ALL, 0, NULL);

    kz_bus_lost();

    ok(a->closed == 1 && b->closed == 1, "every client of a room, once");
    is_int(c->closed, 0, "others stay");

    bye(b);
    bye(c);

    empty(a);
    kz_realtime_exit_process();
    is_int(a->client.nrooms, 0, "the end of the process empties rooms");
    is_int(bus_mine(), 0, "all of them");
    bye(a);
}


int
main(void)
{
    ngx_cycle_t  cycle;

    ngx_memzero(&cycle, sizeof(ngx_cycle_t));

    pool = kz_shim_pool();
    loc.json_depth = 100;

    is_int(kz_realtime_init_process(&cycle), NGX_OK, "started");

    test_ids();
    test_scopes();
    test_fan_out();
    test_users();
    test_refused();
    test_memory();
    test_lost();

    ngx_destroy_pool(pool);

    return tap_done();
}
