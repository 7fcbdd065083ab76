/*
 * Controller realtime: subscriptions and messages.
 */

#include "api/kz_router.h"
#include "api/kz_args.h"
#include "api/kz_specs.h"
#include "realtime/kz_realtime.h"
#include "util/kz_utf8.h"


typedef struct {
    const char   *name;
    ngx_uint_t    value;
} kz_realtime_enum_t;


static ngx_int_t kz_realtime_subscribe(kz_req_t *req);
static ngx_int_t kz_realtime_unsubscribe(kz_req_t *req);
static ngx_int_t kz_realtime_count_room(kz_req_t *req);
static ngx_int_t kz_realtime_send(kz_req_t *req);
static ngx_int_t kz_realtime_checked(kz_req_t *req);
static ngx_int_t kz_realtime_option(kz_req_t *req, const char *name,
    const kz_realtime_enum_t *values, kz_error_e error, ngx_uint_t *value);
static ngx_int_t kz_realtime_message(kz_req_t *req, ngx_str_t *source);
static ngx_int_t kz_realtime_name(kz_req_t *req, const char *name,
    ngx_str_t *s);
static ngx_int_t kz_realtime_text(kz_req_t *req, const char *name,
    ngx_str_t *s);


static const kz_realtime_enum_t  kz_realtime_scopes[] = {
    { "all", KZ_SCOPE_ALL },
    { "in", KZ_SCOPE_IN },
    { "out", KZ_SCOPE_OUT },
    { "none", 0 },
    { NULL, 0 }
};

static const kz_realtime_enum_t  kz_realtime_users[] = {
    { "all", KZ_USERS_IN|KZ_USERS_OUT },
    { "in", KZ_USERS_IN },
    { "out", KZ_USERS_OUT },
    { "none", 0 },
    { NULL, 0 }
};

static const kz_realtime_enum_t  kz_realtime_states[] = {
    { "all", KZ_STATE_DONE|KZ_STATE_PENDING },
    { "done", KZ_STATE_DONE },
    { "pending", KZ_STATE_PENDING },
    { NULL, 0 }
};


const kz_action_t  kz_realtime_actions[] = {

    { "count", kz_realtime_count_room, "b", "b",
      NULL,
      KZ_V1|KZ_V2 },

    { "join", NULL, "b", "b",
      NULL,
      KZ_V1|KZ_V2|KZ_SESSION },

    { "list", NULL, "", "",
      "GET /_listSubscriptions",
      KZ_V1|KZ_V2 },

    { "publish", kz_realtime_send, "bic", "bic",
      "POST /:index/:collection/_publish",
      KZ_V1|KZ_V2 },

    { "subscribe", kz_realtime_subscribe, "icb", "icb",
      NULL,
      KZ_V1|KZ_V2|KZ_SESSION },

    { "unsubscribe", kz_realtime_unsubscribe, "b", "b",
      NULL,
      KZ_V1|KZ_V2|KZ_SESSION },

    { "validate", kz_specs_validate, "bic", "bic",
      NULL,
      KZ_V1|KZ_V2 },

      kz_null_action
};


static ngx_int_t
kz_realtime_subscribe(kz_req_t *req)
{
    kz_out_t           o;
    ngx_str_t          room, channel;
    kz_channel_opts_t  opts;

    opts.scope = KZ_SCOPE_ALL;
    opts.users = 0;
    opts.state = KZ_STATE_DONE;

    if (kz_realtime_option(req, "scope", kz_realtime_scopes,
                           KZ_E_REALTIME_INVALID_SCOPE, &opts.scope)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_realtime_option(req, "users", kz_realtime_users,
                           KZ_E_REALTIME_INVALID_USERS, &opts.users)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* Kuzzle: 2.x knows no states and ignores the argument */

    if (req->dialect == KZ_DIALECT_1
        && kz_realtime_option(req, "state", kz_realtime_states,
                              KZ_E_REALTIME_INVALID_STATE, &opts.state)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_realtime_name(req, "index", &req->index) != NGX_OK
        || kz_realtime_name(req, "collection", &req->collection) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (kz_realtime_join(req, &opts, &room, &channel) != NGX_OK) {
        return NGX_ERROR;
    }

    /* both are hexadecimal digits and dashes */

    kz_out_init(&o, req->pool, 128);
    kz_out_lit(&o, "{\"roomId\":\"");
    kz_out_str(&o, &room);
    kz_out_lit(&o, "\",\"channel\":\"");
    kz_out_str(&o, &channel);
    kz_out_lit(&o, "\"}");

    return kz_result_json(req, &o);
}


/* An argument that is one of a few names; absent: *value stays. */

static ngx_int_t
kz_realtime_option(kz_req_t *req, const char *name,
    const kz_realtime_enum_t *values, kz_error_e error, ngx_uint_t *value)
{
    ngx_str_t   s;
    ngx_int_t   rc;

    rc = kz_arg_string(req, name, &s);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    for ( /* void */ ; values->name; values++) {

        if (ngx_strlen(values->name) == s.len
            && ngx_memcmp(values->name, s.data, s.len) == 0)
        {
            *value = values->value;
            return NGX_OK;
        }
    }

    return kz_fail(req, error, 0);
}


static ngx_int_t
kz_realtime_unsubscribe(kz_req_t *req)
{
    kz_out_t   o;
    ngx_str_t  room, client;

    if (kz_body_string(req, "roomId", &room) != NGX_OK) {
        return NGX_ERROR;
    }

    if (req->client == NULL) {
        return kz_fail(req, KZ_E_PROCESS_CONNECTION_DROPPED, 0);
    }

    if (kz_realtime_leave(req->client, &room, req) != NGX_OK) {

        client.len = sizeof(req->client->id);
        client.data = ngx_pnalloc(req->pool, client.len);
        if (client.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(client.data, kz_client_id(req->client), client.len);

        return kz_fail(req, KZ_E_REALTIME_NOT_SUBSCRIBED, 2, &client, &room);
    }

    kz_out_init(&o, req->pool, room.len + 2);
    kz_out_json_str(&o, &room);

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    req->result.type = KZ_RESULT_LEFT;
    req->result.json.data = o.start;
    req->result.json.len = kz_out_len(&o);

    return NGX_OK;
}


static ngx_int_t
kz_realtime_count_room(kz_req_t *req)
{
    u_char      *p;
    ngx_str_t    room;
    ngx_uint_t   n;

    if (kz_body_string(req, "roomId", &room) != NGX_OK) {
        return NGX_ERROR;
    }

    n = kz_realtime_count(&room);

    /* Kuzzle: 2.x counts nobody in a room that is not there */

    if (n == 0 && req->dialect == KZ_DIALECT_1) {
        return kz_fail(req, KZ_E_REALTIME_ROOM_NOT_FOUND, 1, &room);
    }

    p = ngx_pnalloc(req->pool, sizeof("{\"count\":}") + NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    req->result.type = KZ_RESULT_JSON;
    req->result.json.data = p;
    req->result.json.len = ngx_sprintf(p, "{\"count\":%ui}", n) - p;

    return NGX_OK;
}


/* realtime:publish */

static ngx_int_t
kz_realtime_send(kz_req_t *req)
{
    if (kz_realtime_name(req, "index", &req->index) != NGX_OK
        || kz_realtime_name(req, "collection", &req->collection) != NGX_OK
        || kz_realtime_text(req, "_id", &req->id) != NGX_OK
        || kz_realtime_text(req, "requestId", &req->request_id) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return kz_specs_message(req, kz_realtime_checked);
}


static ngx_int_t
kz_realtime_checked(kz_req_t *req)
{
    kz_change_t  c;

    ngx_memzero(&c, sizeof(kz_change_t));

    if (kz_realtime_message(req, &c.new_source) != NGX_OK) {
        return NGX_ERROR;
    }

    c.kind = KZ_CHANGE_PUBLISH;
    c.timestamp = req->timestamp;
    c.index = req->index;
    c.collection = req->collection;
    c.id = req->id;
    c.request_id = req->request_id;
    c.controller = req->controller;
    c.action = req->action_name;
    c.protocol = req->proto->name;
    c.user = req->user;

    if (req->volatile_.type == KZ_JSON_OBJECT) {
        c.volatile_ = req->volatile_.raw;
    }

    if (kz_realtime_publish(&c) != NGX_OK) {
        return kz_fail(req, KZ_E_PROCESS_OVERLOADED, 0);
    }

    req->result.type = KZ_RESULT_JSON;
    ngx_str_set(&req->result.json, "{\"published\":true}");

    return NGX_OK;
}


/*
 * The body with "_kuzzle_info" as its last member, in place of one that was
 * there: who sent it is not the sender's to say.
 */

static ngx_int_t
kz_realtime_message(kz_req_t *req, ngx_str_t *source)
{
    kz_out_t          o;
    ngx_time_t       *tp;
    kz_json_iter_t    it;
    kz_json_member_t  m;

    static ngx_str_t  body = ngx_string("body");
    static ngx_str_t  object = ngx_string("object");

    if (req->body.type != KZ_JSON_OBJECT) {
        return kz_fail(req, KZ_E_ASSERT_INVALID_TYPE, 2, &body, &object);
    }

    kz_out_init(&o, req->pool, req->body.raw.len + 96 + req->user.len);
    kz_out_char(&o, '{');

    kz_json_iter(&it, &req->body);

    while (kz_json_next_member(&it, &m) == NGX_OK) {

        if (kz_json_key_is(&m, "_kuzzle_info", sizeof("_kuzzle_info") - 1)
            == NGX_OK)
        {
            continue;
        }

        kz_out_char(&o, '"');
        kz_out_str(&o, &m.key);
        kz_out_lit(&o, "\":");
        kz_out_str(&o, &m.val.raw);
        kz_out_char(&o, ',');
    }

    tp = ngx_timeofday();

    kz_out_lit(&o, "\"_kuzzle_info\":{\"author\":");
    kz_out_json_str(&o, &req->user);
    kz_out_lit(&o, ",\"createdAt\":");
    kz_out_int(&o, (int64_t) tp->sec * 1000 + tp->msec);
    kz_out_lit(&o, "}}");

    if (kz_out_failed(&o)) {
        return NGX_ERROR;
    }

    source->data = o.start;
    source->len = kz_out_len(&o);

    return NGX_OK;
}


/*
 * An index or a collection; neither has to exist.  Rooms are found by
 * "index\0collection": a zero inside would make two of them one.
 */

static ngx_int_t
kz_realtime_name(kz_req_t *req, const char *name, ngx_str_t *s)
{
    ngx_str_t  n, text;

    if (ngx_strlchr(s->data, s->data + s->len, '\0') == NULL) {
        return kz_realtime_text(req, name, s);
    }

    n.data = (u_char *) name;
    n.len = ngx_strlen(name);
    ngx_str_set(&text, "text without zero bytes");

    return kz_fail(req, KZ_E_ASSERT_INVALID_ARGUMENT, 2, &n, &text);
}


/*
 * What comes from a URL or a header may be any bytes; in a notification it
 * would break the frames of everybody who listens.
 */

static ngx_int_t
kz_realtime_text(kz_req_t *req, const char *name, ngx_str_t *s)
{
    uint32_t   state;
    ngx_str_t  n, text;

    state = KZ_UTF8_START;

    if (s->len == 0
        || (kz_utf8_check(&state, s->data, s->len) == NGX_OK
            && state == KZ_UTF8_START))
    {
        return NGX_OK;
    }

    n.data = (u_char *) name;
    n.len = ngx_strlen(name);
    ngx_str_set(&text, "UTF-8 text");

    /* the reply would echo it */

    ngx_str_null(s);

    return kz_fail(req, KZ_E_ASSERT_INVALID_ARGUMENT, 2, &n, &text);
}
