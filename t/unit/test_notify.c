/*
 * realtime/kz_notify_json.c: the texts of notifications, compared with what
 * servers of both generations sent.
 *
 * sources: realtime/kz_notify_json.c
 */

#include "realtime/kz_room.h"
#include "kz_shim.h"
#include "tap.h"


#define INFO1  "{\"author\":\"-1\",\"createdAt\":1795353658541,"              \
               "\"updatedAt\":null,\"updater\":null"

#define INFO   INFO1 "}"

#define META   INFO1 ",\"active\":true,\"deletedAt\":null}"


static ngx_pool_t  *pool;
static ngx_str_t    nobody;


static void
change(kz_change_t *c, ngx_uint_t kind, const char *action)
{
    ngx_memzero(c, sizeof(kz_change_t));

    c->kind = kind;
    c->version = 1;
    c->timestamp = 1795353658541;
    ngx_str_set(&c->index, "nyc");
    ngx_str_set(&c->collection, "rt");
    ngx_str_set(&c->id, "r2");
    ngx_str_set(&c->request_id, "g364");
    ngx_str_set(&c->controller, "document");
    c->action.data = (u_char *) action;
    c->action.len = strlen(action);
    ngx_str_set(&c->protocol, "websocket");
    ngx_str_set(&c->user, "-1");
}


static void
is1(kz_change_t *c, ngx_uint_t scope, const char *want, const char *name)
{
    kz_out_t  o;

    kz_out_init(&o, pool, 16);
    kz_notify_document1(&o, c, scope);
    is_text(o.start, kz_out_len(&o), want, name);
}


static void
is2(kz_change_t *c, ngx_uint_t scope, const char *want, const char *name)
{
    kz_out_t  o;

    kz_out_init(&o, pool, 16);
    kz_notify_document2(&o, c, scope, &nobody);
    is_text(o.start, kz_out_len(&o), want, name);
}


#define HEAD1(action)                                                         \
    "{\"status\":200,\"requestId\":\"g364\",\"timestamp\":1795353658541,"     \
    "\"volatile\":null,\"index\":\"nyc\",\"collection\":\"rt\","              \
    "\"controller\":\"document\",\"action\":\"" action "\","                  \
    "\"protocol\":\"websocket\","

#define TAIL2(event)                                                          \
    ",\"event\":\"" event "\",\"requestId\":\"g364\","                        \
    "\"timestamp\":1795353658541,\"volatile\":null,\"index\":\"nyc\","        \
    "\"collection\":\"rt\",\"controller\":\"document\","                      \
    "\"protocol\":\"websocket\","


static void
test_create(void)
{
    kz_change_t  c;

    change(&c, KZ_CHANGE_CREATE, "create");
    ngx_str_set(&c.new_source,
                "{\"name\":\"y\",\"age\":2,\"_kuzzle_info\":" INFO "}");

    is1(&c, KZ_SCOPE_IN, HEAD1("create")
        "\"scope\":\"in\",\"state\":\"done\",\"result\":{\"_meta\":" META ","
        "\"_source\":{\"name\":\"y\",\"age\":2,\"_kuzzle_info\":" META "},"
        "\"_id\":\"r2\"},\"type\":\"document\",",
        "create, 1.x");

    is2(&c, KZ_SCOPE_IN, "{\"type\":\"document\",\"status\":200,"
        "\"action\":\"create\",\"scope\":\"in\",\"result\":{\"_id\":\"r2\","
        "\"_source\":{\"name\":\"y\",\"age\":2,\"_kuzzle_info\":" INFO "},"
        "\"_version\":1}" TAIL2("write"),
        "create, 2.x");

    ngx_str_set(&nobody, "n\"1");

    is2(&c, KZ_SCOPE_IN, "{\"type\":\"document\",\"status\":200,"
        "\"action\":\"create\",\"scope\":\"in\",\"result\":{\"_id\":\"r2\","
        "\"_source\":{\"name\":\"y\",\"age\":2,\"_kuzzle_info\":" INFO "},"
        "\"_version\":1},\"node\":\"n\\\"1\"" TAIL2("write"),
        "with the name of the node");

    ngx_str_null(&nobody);
}


/* An _kuzzle_info of any kind, at any place. */

static void
test_info(void)
{
    kz_change_t  c;

    change(&c, KZ_CHANGE_REPLACE, "createOrReplace");
    ngx_str_set(&c.new_source, "{\"a\":1}");

    is1(&c, KZ_SCOPE_IN, HEAD1("replace")
        "\"scope\":\"in\",\"state\":\"done\",\"result\":{\"_meta\":{},"
        "\"_source\":{\"a\":1},\"_id\":\"r2\"},\"type\":\"document\",",
        "no _kuzzle_info");

    ngx_str_set(&c.new_source, "{\"_kuzzle_info\":{},\"a\":1}");

    is1(&c, KZ_SCOPE_IN, HEAD1("replace")
        "\"scope\":\"in\",\"state\":\"done\",\"result\":{"
        "\"_meta\":{\"active\":true,\"deletedAt\":null},"
        "\"_source\":{\"_kuzzle_info\":{\"active\":true,\"deletedAt\":null},"
        "\"a\":1},\"_id\":\"r2\"},\"type\":\"document\",",
        "an empty _kuzzle_info, first");

    ngx_str_set(&c.new_source, "{\"_kuzzle_info\":null}");

    is1(&c, KZ_SCOPE_IN, HEAD1("replace")
        "\"scope\":\"in\",\"state\":\"done\",\"result\":{\"_meta\":{},"
        "\"_source\":{\"_kuzzle_info\":null},\"_id\":\"r2\"},"
        "\"type\":\"document\",",
        "an _kuzzle_info that is no object");
}


static void
test_update(void)
{
    kz_change_t  c;

    change(&c, KZ_CHANGE_UPDATE, "update");
    ngx_str_set(&c.old_source, "{\"age\":2}");
    ngx_str_set(&c.new_source, "{\"age\":33}");
    ngx_str_set(&c.changes, "{\"age\":33,\"a\":{\"b\":{\"c\":1,\"d\":[{}]},"
                "\"e\":{},\"_kuzzle_info\":1},\"_kuzzle_info\":{\"x\":1}}");

    is1(&c, KZ_SCOPE_IN, HEAD1("update")
        "\"scope\":\"in\",\"state\":\"done\",\"result\":{\"_meta\":{},"
        "\"_id\":\"r2\",\"_source\":{\"age\":33},"
        "\"_updatedFields\":[\"age\",\"a\"]},\"type\":\"document\",",
        "update, 1.x");

    is2(&c, KZ_SCOPE_IN, "{\"type\":\"document\",\"status\":200,"
        "\"action\":\"update\",\"scope\":\"in\",\"result\":{\"_id\":\"r2\","
        "\"_source\":{\"age\":33},\"_updatedFields\":[\"age\",\"a.b.c\","
        "\"a.b.d\",\"a._kuzzle_info\"]}" TAIL2("write"),
        "update, 2.x");

    is1(&c, KZ_SCOPE_OUT, HEAD1("update")
        "\"scope\":\"out\",\"state\":\"done\",\"result\":{\"_id\":\"r2\"},"
        "\"type\":\"document\",",
        "update, no longer matching, 1.x");

    is2(&c, KZ_SCOPE_OUT, "{\"type\":\"document\",\"status\":200,"
        "\"action\":\"update\",\"scope\":\"out\",\"result\":{\"_id\":\"r2\","
        "\"_source\":{\"age\":33}}" TAIL2("write"),
        "update, no longer matching, 2.x");

    c.action.data = (u_char *) "mUpdate";
    c.action.len = 7;

    is1(&c, KZ_SCOPE_OUT, HEAD1("mUpdate")
        "\"scope\":\"out\",\"state\":\"done\",\"result\":{\"_id\":\"r2\"},"
        "\"type\":\"document\",",
        "1.x names the multi-document action");
}


/* Long keys above many leaves: falls back to the root keys. */

static void
test_update_hostile(void)
{
    char         *p, *body;
    kz_out_t      o;
    ngx_uint_t    i;
    kz_change_t   c;

    change(&c, KZ_CHANGE_UPDATE, "update");
    ngx_str_set(&c.new_source, "{}");

    body = malloc(400000);
    p = body + sprintf(body, "{\"k");
    memset(p, 'k', 100000);
    p += 100000;
    p += sprintf(p, "\":{\"x\":0");

    for (i = 0; i < 10000; i++) {
        p += sprintf(p, ",\"%u\":1", (unsigned) i);
    }

    p += sprintf(p, "},\"z\":1}");

    c.changes.data = (u_char *) body;
    c.changes.len = p - body;

    kz_out_init(&o, pool, 16);
    kz_notify_document2(&o, &c, KZ_SCOPE_IN, &nobody);

    ok(!kz_out_failed(&o) && kz_out_len(&o) < 110000,
       "paths stay in proportion");
    ok(memmem(o.start, kz_out_len(&o), "kkk\",\"z\"]}", 9) != NULL,
       "and give way to root keys");

    free(body);

    /* deep */

    body = malloc(10000);
    p = body;

    for (i = 0; i < 500; i++) {
        p += sprintf(p, "{\"a\":");
    }

    p += sprintf(p, "1");

    for (i = 0; i < 500; i++) {
        *p++ = '}';
    }

    c.changes.data = (u_char *) body;
    c.changes.len = p - body;

    kz_out_init(&o, pool, 16);
    kz_notify_document2(&o, &c, KZ_SCOPE_IN, &nobody);
    ok(!kz_out_failed(&o) && kz_out_len(&o) < 1000, "depth is bounded");

    free(body);
}


static void
test_delete(void)
{
    kz_change_t  c;

    change(&c, KZ_CHANGE_DELETE, "deleteByQuery");
    ngx_str_set(&c.old_source, "{\"n\":1,\"_kuzzle_info\":" INFO "}");

    is1(&c, KZ_SCOPE_OUT, HEAD1("delete")
        "\"scope\":\"out\",\"state\":\"done\",\"result\":{\"_meta\":" INFO1
        ",\"active\":false,\"deletedAt\":1795353658541},\"_id\":\"r2\"},"
        "\"type\":\"document\",",
        "delete, 1.x");

    is2(&c, KZ_SCOPE_OUT, "{\"type\":\"document\",\"status\":200,"
        "\"action\":\"delete\",\"scope\":\"out\",\"result\":{\"_id\":\"r2\","
        "\"_source\":{\"n\":1,\"_kuzzle_info\":" INFO "}}"
        TAIL2("delete"),
        "delete, 2.x");
}


static void
test_publish(void)
{
    kz_change_t  c;

    change(&c, KZ_CHANGE_PUBLISH, "publish");
    ngx_str_set(&c.new_source, "{\"age\":99,\"_kuzzle_info\":{}}");
    ngx_str_set(&c.volatile_, "{\"v\":1}");
    ngx_str_set(&c.controller, "realtime");
    ngx_str_null(&c.id);
    ngx_str_null(&c.request_id);

    is1(&c, KZ_SCOPE_IN,
        "{\"status\":200,\"requestId\":null,\"timestamp\":1795353658541,"
        "\"volatile\":{\"v\":1},\"index\":\"nyc\",\"collection\":\"rt\","
        "\"controller\":\"realtime\",\"action\":\"publish\","
        "\"protocol\":\"websocket\",\"scope\":\"in\",\"state\":\"done\","
        "\"result\":{\"_source\":{\"age\":99,\"_kuzzle_info\":{}},"
        "\"_id\":null},\"type\":\"document\",",
        "publish without an id, 1.x");

    is2(&c, KZ_SCOPE_IN, "{\"type\":\"document\",\"status\":200,"
        "\"action\":\"publish\",\"scope\":\"in\",\"result\":{"
        "\"_source\":{\"age\":99,\"_kuzzle_info\":{}}},"
        "\"event\":\"publish\",\"requestId\":null,"
        "\"timestamp\":1795353658541,\"volatile\":{\"v\":1},"
        "\"index\":\"nyc\",\"collection\":\"rt\","
        "\"controller\":\"realtime\",\"protocol\":\"websocket\",",
        "publish without an id, 2.x");
}


static void
test_user(void)
{
    kz_out_t     o;
    kz_change_t  c;

    change(&c, KZ_CHANGE_CREATE, "");
    c.version = 2;

    kz_out_init(&o, pool, 16);
    kz_notify_user1(&o, &c);
    is_text(o.start, kz_out_len(&o),
        "{\"status\":200,\"timestamp\":1795353658541,\"volatile\":null,"
        "\"index\":\"nyc\",\"collection\":\"rt\","
        "\"controller\":\"realtime\",\"action\":\"subscribe\","
        "\"protocol\":\"websocket\",\"user\":\"in\","
        "\"result\":{\"count\":2},\"type\":\"user\",",
        "somebody enters, 1.x");

    kz_out_init(&o, pool, 16);
    kz_notify_user2(&o, &c, &nobody);
    is_text(o.start, kz_out_len(&o),
        "{\"type\":\"user\",\"status\":200,\"user\":\"in\","
        "\"result\":{\"count\":2},\"timestamp\":1795353658541,"
        "\"volatile\":null,\"index\":\"nyc\",\"collection\":\"rt\","
        "\"controller\":\"realtime\",\"action\":\"subscribe\","
        "\"protocol\":\"websocket\",",
        "somebody enters, 2.x");

    c.kind = KZ_CHANGE_DELETE;
    ngx_str_set(&c.volatile_, "{\"who\":\"c\"}");

    kz_out_init(&o, pool, 16);
    kz_notify_user1(&o, &c);
    is_text(o.start, kz_out_len(&o),
        "{\"status\":200,\"timestamp\":1795353658541,"
        "\"volatile\":{\"who\":\"c\"},\"index\":\"nyc\","
        "\"collection\":\"rt\",\"controller\":\"realtime\","
        "\"action\":\"unsubscribe\",\"protocol\":\"websocket\","
        "\"user\":\"out\",\"result\":{\"count\":2},\"type\":\"user\",",
        "somebody leaves, 1.x");

    kz_out_init(&o, pool, 16);
    kz_notify_user2(&o, &c, &nobody);
    is_text(o.start, kz_out_len(&o),
        "{\"type\":\"user\",\"status\":200,\"user\":\"out\","
        "\"result\":{\"count\":2},\"timestamp\":1795353658541,"
        "\"volatile\":{\"who\":\"c\"},\"index\":\"nyc\","
        "\"collection\":\"rt\",\"controller\":\"realtime\","
        "\"action\":\"unsubscribe\",\"protocol\":null,",
        "somebody leaves, 2.x");
}


int
main(void)
{
    pool = kz_shim_pool();

    test_create();
    test_info();
    test_update();
    test_update_hostile();
    test_delete();
    test_publish();
    test_user();

    ngx_destroy_pool(pool);

    return tap_done();
}
