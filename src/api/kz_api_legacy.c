/*
 * The API before 1.0: controllers write, read, subscribe, an admin of many
 * duties, REST below /api/1.0.  A row an action: its names, the 1.x action
 * that does it now ("=": of the same names), the members of its body that are
 * arguments since ("*": all of them; "name=text": with a default), its routes.
 *
 * An action that has no heir any more answers 501, by name: it was no slip of
 * the one who asks.
 */

#include "api/kz_legacy.h"
#include "api/kz_router.h"


#define KZ_LEGACY_MAX  256


static const kz_action_t *kz_legacy_heir(const kz_legacy_row_t *row);
static ngx_uint_t kz_legacy_same(const char *name, const u_char *s,
    size_t len);


const kz_legacy_row_t  kz_legacy_rows[] = {

    { "admin", "adminExists", "server:adminExists", NULL,
      "GET /_adminExists" },
    { "admin", "createFirstAdmin", "security:createFirstAdmin", NULL,
      "POST /_createFirstAdmin" },
    { "admin", "createIndex", "index:create", NULL, "PUT /:index" },
    { "admin", "deleteCollection", "collection:delete", NULL,
      "DELETE /:index/:collection" },
    { "admin", "deleteIndex", "index:delete", NULL, "DELETE /:index" },
    { "admin", "deleteIndexes", "index:mDelete", NULL,
      "DELETE /_deleteIndexes" },
    { "admin", "getAllStats", "server:getAllStats", NULL,
      "GET /_getAllStats" },
    { "admin", "getAutoRefresh", "index:getAutoRefresh", NULL,
      "GET /:index/_autoRefresh" },
    { "admin", "getConfig", "server:getConfig", NULL, "GET /_getConfig" },
    { "admin", "getLastStats", "server:getLastStats", NULL,
      "GET /_getLastStats" },
    { "admin", "getMapping", "collection:getMapping", NULL,
      "GET /:index/:collection/_mapping" },
    { "admin", "getStats", "server:getStats", "startTime stopTime",
      "POST /_getStats" },
    { "admin", "refreshIndex", "index:refresh", NULL,
      "POST /:index/_refresh" },
    { "admin", "setAutoRefresh", "index:setAutoRefresh", NULL,
      "POST /:index/_autoRefresh" },
    { "admin", "truncateCollection", "collection:truncate", NULL,
      "DELETE /:index/:collection/_truncate" },
    { "admin", "updateMapping", "collection:updateMapping", NULL,
      "PUT /:index/:collection/_mapping" },

    { "auth", "checkToken", "=", NULL, "POST /_checkToken" },
    { "auth", "getCurrentUser", "=", NULL, "GET /users/_me" },
    { "auth", "getMyRights", "=", NULL, "GET /users/_me/_rights" },
    { "auth", "login", "=", "strategy=local expiresIn",
      "GET /_login/:strategy,"
      "POST /_login,"
      "POST /_login/:strategy" },
    { "auth", "logout", "=", NULL, "GET /_logout" },
    { "auth", "updateSelf", "=", NULL, "PUT /_updateSelf" },

    { "bulk", "import", "=", NULL,
      "POST /_bulk,"
      "POST /:index/_bulk,"
      "POST /:index/:collection/_bulk" },

    { "ms", "append", "=", NULL, "POST /ms/_append/:id" },
    { "ms", "bgrewriteaof", "=", NULL, "POST /ms/_bgrewriteaof" },
    { "ms", "bgsave", "=", NULL, "POST /ms/_bgsave" },
    { "ms", "bitop", "=", NULL,
      "POST /ms/_bitop/:operation/:destkey/:key,"
      "POST /ms/_bitop/:operation/:destkey" },
    { "ms", "bitpos", "=", "*", "GET /ms/_bitpos/:id/:bit" },
    { "ms", "blpop", "=", NULL,
      "POST /ms/_blpop,"
      "POST /ms/_blpop/:id" },
    { "ms", "brpop", "=", NULL,
      "POST /ms/_brpop,"
      "POST /ms/_brpop/:id" },
    { "ms", "brpoplpush", "=", NULL, "POST /ms/_brpoplpush" },
    { "ms", "dbsize", "=", "*", "GET /ms/_dbsize" },
    { "ms", "decr", "=", NULL, "POST /ms/_decr/:id" },
    { "ms", "decrby", "=", NULL, "POST /ms/_decrby/:id" },
    { "ms", "del", "=", NULL,
      "DELETE /ms/:id,"
      "DELETE /ms" },
    { "ms", "discard", "=", NULL, "POST /ms/_discard" },
    { "ms", "dump", "=", "*", "GET /ms/_dump/:id" },
    { "ms", "exec", "=", NULL, "POST /ms/_exec" },
    { "ms", "exists", "=", "*", "GET /ms/_exists/:id" },
    { "ms", "expire", "=", NULL, "POST /ms/_expire/:id" },
    { "ms", "expireat", "=", NULL, "POST /ms/_expireat/:id" },
    { "ms", "flushdb", "=", NULL, "POST /ms/_flushdb" },
    { "ms", "geoadd", "=", NULL, "POST /ms/_geoadd/:id" },
    { "ms", "geodist", "=", "*", "GET /ms/_goedist/:id/:member1/:member2" },
    { "ms", "geohash", "=", "*", "GET /ms/_geohash/:id/:member" },
    { "ms", "geopos", "=", "*", "GET /ms/_geopos/:id/:member" },
    { "ms", "georadius", "=", "*", "GET /ms/_georadius/:id" },
    { "ms", "georadiusbymember", "=", "*", "GET /ms/_georadiusbymember/:id" },
    { "ms", "get", "=", "*", "GET /ms/:id" },
    { "ms", "getbit", "=", "*", "GET /ms/_getbit/:id/:offset" },
    { "ms", "getrange", "=", "*", "GET /ms/_getrange/:id/:start/:end" },
    { "ms", "getset", "=", NULL, "POST /ms/_getset/:id" },
    { "ms", "hdel", "=", NULL, "DELETE /ms/_hdel/:id" },
    { "ms", "hget", "=", "*", "GET /ms/_hget/:id/:field" },
    { "ms", "hgetall", "=", "*", "GET /ms/_hgetall/:id" },
    { "ms", "hincrby", "=", NULL, "POST /ms/_hincrby/:id" },
    { "ms", "hincrbyfloat", "=", NULL, "POST /ms/_hincrbyfloat/:id" },
    { "ms", "hkeys", "=", "*", "GET /ms/_hkeys/:id" },
    { "ms", "hlen", "=", "*", "GET /ms/_hlen/:id" },
    { "ms", "hmget", "=", "*", "GET /ms/_hmget/:id/:field" },
    { "ms", "hmset", "=", NULL, "POST /ms/_hmset/:id" },
    { "ms", "hset", "=", NULL, "POST /ms/_hset/:id" },
    { "ms", "hsetnx", "=", NULL, "POST /ms/_hsetnx/:id" },
    { "ms", "hstrlen", "=", "*", "GET /ms/_hstrlen/:id/:field" },
    { "ms", "hvals", "=", "*", "GET /ms/_hvals/:id" },
    { "ms", "incr", "=", NULL, "POST /ms/_incr/:id" },
    { "ms", "incrby", "=", NULL, "POST /ms/_incrby/:id" },
    { "ms", "incrbyfloat", "=", NULL, "POST /ms/_incrbyfloat/:id" },
    { "ms", "info", "=", "*",
      "GET /ms/_info/:section,"
      "GET /ms/_info" },
    { "ms", "keys", "=", "*", "GET /ms/_keys/:pattern" },
    { "ms", "lastsave", "=", "*", "GET /ms/_lastsave" },
    { "ms", "lindex", "=", "*", "GET /ms/_lindex/:id/:idx" },
    { "ms", "linsert", "=", NULL, "POST /ms/_linsert/:id" },
    { "ms", "llen", "=", "*", "GET /ms/_llen/:id" },
    { "ms", "lpop", "=", NULL, "POST /ms/_lpop/:id" },
    { "ms", "lpush", "=", NULL, "POST /ms/_lpush/:id" },
    { "ms", "lpushx", "=", NULL, "POST /ms/_lpushx/:id" },
    { "ms", "lrange", "=", "*", "GET /ms/_lrange/:id/:start/:stop" },
    { "ms", "lrem", "=", NULL, "DELETE /ms/_lrem/:id" },
    { "ms", "lset", "=", NULL, "POST /ms/_lset/:id" },
    { "ms", "ltrim", "=", NULL, "POST /ms/_ltrim/:id" },
    { "ms", "mget", "=", "*",
      "GET /ms/_mget/:id,"
      "GET /ms/_mget" },
    { "ms", "mset", "=", NULL,
      "POST /ms/_mset/:id,"
      "POST /ms/_mset" },
    { "ms", "msetnx", "=", NULL, "POST /ms/_msetnx" },
    { "ms", "multi", "=", NULL, "POST /ms/_multi" },
    { "ms", "object", "=", "*", "GET /ms/_object" },
    { "ms", "persist", "=", NULL, "POST /ms/_persist/:id" },
    { "ms", "pexpire", "=", NULL, "POST /ms/_pexpire/:id" },
    { "ms", "pexpireat", "=", NULL, "POST /ms/_pexpireat/:id" },
    { "ms", "pfadd", "=", NULL, "POST /ms/_pfadd/:id" },
    { "ms", "pfcount", "=", "*",
      "GET /ms/_pfcount/:id,"
      "GET /ms/_pfcount" },
    { "ms", "pfmerge", "=", NULL, "POST /ms/_pfmerge" },
    { "ms", "ping", "=", "*", "GET /ms/_ping" },
    { "ms", "psetex", "=", NULL,
      "POST /ms/_psetex/:id,"
      "POST /ms/_psetex" },
    { "ms", "pttl", "=", "*", "GET /ms/_pttl/:id" },
    { "ms", "publish", "=", NULL, "POST /ms/_publish/:channel" },
    { "ms", "randomkey", "=", "*", "GET /ms/_randomkey" },
    { "ms", "rename", "=", NULL, "POST /ms/_rename/:id" },
    { "ms", "renamenx", "=", NULL, "POST /ms/_renamenx/:id" },
    { "ms", "restore", "=", NULL, "POST /ms/_restore/:id" },
    { "ms", "rpop", "=", NULL, "POST /ms/_rpop/:id" },
    { "ms", "rpoplpush", "=", NULL, "POST /ms/_rpoplpush" },
    { "ms", "rpush", "=", NULL, "POST /ms/_rpush/:id" },
    { "ms", "rpushx", "=", NULL, "POST /ms/_rpushx/:id" },
    { "ms", "sadd", "=", NULL, "POST /ms/_sadd/:id" },
    { "ms", "save", "=", NULL, "POST /ms/_save" },
    { "ms", "scard", "=", "*", "GET /ms/_scard/:id" },
    { "ms", "sdiff", "=", "*", "GET /ms/_sdiff/:id" },
    { "ms", "sdiffstore", "=", NULL,
      "POST /ms/_sdiffstore/:id,"
      "POST /ms/_sdiffstore" },
    { "ms", "set", "=", NULL, "POST /ms/:id" },
    { "ms", "setbit", "=", NULL, "POST /ms/_setbit/:id" },
    { "ms", "setex", "=", NULL, "POST /ms/_setex/:id" },
    { "ms", "setnx", "=", NULL, "POST /ms/_setnx/:id" },
    { "ms", "setrange", "=", NULL, "POST /ms/_setrange/:id" },
    { "ms", "sinter", "=", "*", "GET /ms/_sinter/:id" },
    { "ms", "sinterstore", "=", NULL, "POST /ms/_sinterstore/:id" },
    { "ms", "sismember", "=", "*", "GET /ms/_sismember/:id/:member" },
    { "ms", "smembers", "=", "*", "GET /ms/_smembers/:id" },
    { "ms", "smove", "=", NULL,
      "POST /ms/_smove/:id,"
      "POST /ms/_smove" },
    { "ms", "sort", "=", NULL, "POST /ms/_sort/:id" },
    { "ms", "spop", "=", NULL, "POST /ms/_spop/:id" },
    { "ms", "srandmember", "=", "*",
      "GET /ms/_srandmember/:id/:count,"
      "GET /ms/_srandmember/:id" },
    { "ms", "srem", "=", NULL, "DELETE /ms/_srem/:id" },
    { "ms", "strlen", "=", "*", "GET /ms/_strlen/:id" },
    { "ms", "sunion", "=", NULL, "POST /ms/_sunion/:id" },
    { "ms", "sunionstore", "=", NULL, "POST /ms/_sunionstore/:id" },
    { "ms", "time", "=", "*", "GET /ms/_time" },
    { "ms", "ttl", "=", "*", "GET /ms/_ttl/:id" },
    { "ms", "type", "=", "*", "GET /ms/_type/:id" },
    { "ms", "zadd", "=", NULL, "POST /ms/_zadd/:id" },
    { "ms", "zcard", "=", "*", "GET /ms/_zcard/:id" },
    { "ms", "zcount", "=", "*", "GET /ms/_zcount/:id/:min/:max" },
    { "ms", "zincrby", "=", NULL, "POST /ms/_zincrby/:id" },
    { "ms", "zinterstore", "=", NULL, "POST /ms/_zinterstore" },
    { "ms", "zlexcount", "=", "*", "GET /ms/_zlexcount/:id/:min/:max" },
    { "ms", "zrange", "=", "*", "GET /ms/_zrange/:id/:start/:stop" },
    { "ms", "zrangebylex", "=", "*", "GET /ms/_zrangebylex/:id/:min/:max" },
    { "ms", "zrangebyscore", "=", "*",
      "GET /ms/_zrangebyscore/:id/:min/:max" },
    { "ms", "zrank", "=", "*", "GET /ms/_zrank/:id/:member" },
    { "ms", "zrem", "=", NULL, "DELETE /ms/_zrem/:id" },
    { "ms", "zremrangebylex", "=", NULL, "DELETE /ms/_zremrangebylex/:id" },
    { "ms", "zremrangebyscore", "=", NULL,
      "DELETE /ms/_zremrangebyscore/:id" },
    { "ms", "zrevrange", "=", "*", "GET /ms/_zrevrange/:id/:start/:stop" },
    { "ms", "zrevrangebylex", "=", "*",
      "GET /ms/_zrevrangebylex/:id/:min/:max" },
    { "ms", "zrevrangebyscore", "=", "*",
      "GET /ms/_zrevrangebyscore/:id/:max/:min" },
    { "ms", "zrevrank", "=", "*", "GET /ms/_zrevrank/:id/:member" },
    { "ms", "zscore", "=", "*", "GET /ms/_zscore/:id/:member" },
    { "ms", "zunionstore", "=", NULL, "POST /ms/_zunionstore" },

    { "read", "count", "document:count", NULL,
      "POST /:index/:collection/_count" },
    { "read", "get", "document:get", NULL, "GET /:index/:collection/:id" },
    { "read", "listCollections", "collection:list", "type from size",
      "GET /:index/_listCollections,"
      "GET /:index/_listCollections/:type" },
    { "read", "listIndexes", "index:list", NULL, "GET /_listIndexes" },
    { "read", "now", "server:now", NULL, "GET /_now" },
    { "read", "search", "document:search", "from size scroll",
      "POST /:index/:collection/_search" },
    { "read", "serverInfo", "server:info", NULL, NULL },

    { "security", "createOrReplaceProfile", "=", NULL,
      "PUT /profiles/:id,"
      "PUT /profiles/:id/_createOrReplace" },
    { "security", "createOrReplaceRole", "=", NULL,
      "PUT /roles/:id,"
      "PUT /roles/:id/_createOrReplace" },
    { "security", "createOrReplaceUser", "=", NULL, "PUT /users/:id" },
    { "security", "createProfile", "=", NULL, "POST /profiles/_create" },
    { "security", "createRole", "=", NULL, "POST /roles/_create" },
    { "security", "createUser", "=", NULL, "POST /users/_create" },
    { "security", "deleteProfile", "=", NULL, "DELETE /profiles/:id" },
    { "security", "deleteRole", "=", NULL, "DELETE /roles/:id" },
    { "security", "deleteUser", "=", NULL, "DELETE /users/:id" },
    { "security", "getProfile", "=", NULL, "GET /profiles/:id" },
    { "security", "getProfileRights", "=", NULL,
      "GET /profiles/:id/_rights" },
    { "security", "getRole", "=", NULL, "GET /roles/:id" },
    { "security", "getUser", "=", NULL, "GET /users/:id" },
    { "security", "getUserRights", "=", NULL, "GET /users/:id/_rights" },
    { "security", "mGetProfiles", "=", NULL, "POST /profiles/_mget" },
    { "security", "mGetRoles", "=", NULL, "POST /roles/_mget" },
    { "security", "searchProfiles", "=", "from size scroll",
      "POST /profiles/_search" },
    { "security", "searchRoles", "=", "from size scroll",
      "POST /roles/_search" },
    { "security", "searchUsers", "=", "from size scroll",
      "POST /users/_search" },
    { "security", "updateProfile", "=", NULL, "POST /profiles/:id" },
    { "security", "updateRole", "=", NULL, "POST /roles/:id" },
    { "security", "updateUser", "=", NULL, "POST /users/:id" },

    { "subscribe", "count", "realtime:count", NULL, NULL },
    { "subscribe", "join", "realtime:join", NULL, NULL },
    { "subscribe", "list", "realtime:list", NULL, "GET /_listSubscriptions" },
    { "subscribe", "off", "realtime:unsubscribe", NULL, NULL },
    { "subscribe", "on", "realtime:subscribe", NULL, NULL },

    { "write", "", NULL, NULL, "PUT /:index/:collection/:id/:action" },
    { "write", "create", "document:create", NULL,
      "POST /:index/:collection/_create" },
    { "write", "createCollection", "collection:create", NULL,
      "PUT /:index/:collection" },
    { "write", "createOrReplace", "document:createOrReplace", NULL,
      "PUT /:index/:collection/:id" },
    { "write", "delete", "document:delete", NULL,
      "DELETE /:index/:collection/:id" },
    { "write", "deleteByQuery", "document:deleteByQuery", NULL,
      "DELETE /:index/:collection/_query" },
    { "write", "publish", "realtime:publish", NULL,
      "POST /:index/:collection" },
    { "write", "replace", "document:replace", NULL, NULL },
    { "write", "update", "document:update", NULL, NULL },

    { NULL, NULL, NULL, NULL, NULL }
};


static const kz_action_t   kz_legacy_gone = {
    "legacy", NULL, "", "", NULL, KZ_V1
};

static const kz_action_t  *kz_legacy_heirs[KZ_LEGACY_MAX];


ngx_int_t
kz_legacy_init(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    for (i = 0; kz_legacy_rows[i].controller; i++) {

        if (i == KZ_LEGACY_MAX) {
            ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                          "kuzzle: too many legacy actions");
            return NGX_ERROR;
        }

        kz_legacy_heirs[i] = kz_legacy_heir(&kz_legacy_rows[i]);
    }

    return NGX_OK;
}


static const kz_action_t *
kz_legacy_heir(const kz_legacy_row_t *row)
{
    char               *p;
    ngx_str_t           c, a;
    ngx_uint_t          known;
    const kz_action_t  *action;

    if (row->heir == NULL) {
        return &kz_legacy_gone;
    }

    c.data = (u_char *) row->controller;
    a.data = (u_char *) row->name;
    c.len = ngx_strlen(c.data);

    p = strchr(row->heir, ':');

    if (p) {
        c.data = (u_char *) row->heir;
        c.len = p - row->heir;
        a.data = (u_char *) p + 1;
    }

    a.len = ngx_strlen(a.data);

    action = kz_router_find(&c, &a, &known);

    return action ? action : &kz_legacy_gone;
}


const kz_action_t *
kz_legacy_action(const kz_legacy_row_t *row)
{
    return kz_legacy_heirs[row - kz_legacy_rows];
}


const kz_legacy_row_t *
kz_legacy_find(ngx_str_t *controller, ngx_str_t *action)
{
    const kz_legacy_row_t  *row;

    for (row = kz_legacy_rows; row->controller; row++) {
        if (action->len
            && kz_legacy_same(row->controller, controller->data,
                              controller->len)
            && kz_legacy_same(row->name, action->data, action->len))
        {
            return row;
        }
    }

    return NULL;
}


static ngx_uint_t
kz_legacy_same(const char *name, const u_char *s, size_t len)
{
    return ngx_strlen(name) == len && ngx_memcmp(name, s, len) == 0;
}
