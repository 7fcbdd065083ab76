/*
 * Controller ms, the memory store, a row per Redis command: known to the
 * router, not implemented.  A table, hence its length.
 */

#include "api/kz_router.h"


const kz_action_t  kz_ms_actions[] = {

    { "append", NULL, "", "",
      "POST /ms/_append/:_id",
      KZ_V1|KZ_V2 },

    { "bgrewriteaof", NULL, "", "",
      "POST /ms/_bgrewriteaof",
      KZ_V1|KZ_V2 },

    { "bgsave", NULL, "", "",
      "POST /ms/_bgsave",
      KZ_V1|KZ_V2 },

    { "bitcount", NULL, "", "",
      "GET /ms/_bitcount/:_id",
      KZ_V1|KZ_V2 },

    { "bitop", NULL, "", "",
      "POST /ms/_bitop/:_id",
      KZ_V1|KZ_V2 },

    { "bitpos", NULL, "", "",
      "GET /ms/_bitpos/:_id",
      KZ_V1|KZ_V2 },

    { "dbsize", NULL, "", "",
      "GET /ms/_dbsize",
      KZ_V1|KZ_V2 },

    { "decr", NULL, "", "",
      "POST /ms/_decr/:_id",
      KZ_V1|KZ_V2 },

    { "decrby", NULL, "", "",
      "POST /ms/_decrby/:_id",
      KZ_V1|KZ_V2 },

    { "del", NULL, "", "",
      "DELETE /ms",
      KZ_V1|KZ_V2 },

    { "exists", NULL, "", "",
      "GET /ms/_exists",
      KZ_V1|KZ_V2 },

    { "expire", NULL, "", "",
      "POST /ms/_expire/:_id",
      KZ_V1|KZ_V2 },

    { "expireat", NULL, "", "",
      "POST /ms/_expireat/:_id",
      KZ_V1|KZ_V2 },

    { "flushdb", NULL, "", "",
      "POST /ms/_flushdb",
      KZ_V1|KZ_V2 },

    { "geoadd", NULL, "", "",
      "POST /ms/_geoadd/:_id",
      KZ_V1|KZ_V2 },

    { "geodist", NULL, "", "",
      "GET /ms/_geodist/:_id/:member1/:member2",
      KZ_V1|KZ_V2 },

    { "geohash", NULL, "", "",
      "GET /ms/_geohash/:_id",
      KZ_V1|KZ_V2 },

    { "geopos", NULL, "", "",
      "GET /ms/_geopos/:_id",
      KZ_V1|KZ_V2 },

    { "georadius", NULL, "", "",
      "GET /ms/_georadius/:_id",
      KZ_V1|KZ_V2 },

    { "georadiusbymember", NULL, "", "",
      "GET /ms/_georadiusbymember/:_id",
      KZ_V1|KZ_V2 },

    { "get", NULL, "", "",
      "GET /ms/:_id",
      KZ_V1|KZ_V2 },

    { "getbit", NULL, "", "",
      "GET /ms/_getbit/:_id",
      KZ_V1|KZ_V2 },

    { "getrange", NULL, "", "",
      "GET /ms/_getrange/:_id",
      KZ_V1|KZ_V2 },

    { "getset", NULL, "", "",
      "POST /ms/_getset/:_id",
      KZ_V1|KZ_V2 },

    { "hdel", NULL, "", "",
      "DELETE /ms/_hdel/:_id",
      KZ_V1|KZ_V2 },

    { "hexists", NULL, "", "",
      "GET /ms/_hexists/:_id/:field",
      KZ_V1|KZ_V2 },

    { "hget", NULL, "", "",
      "GET /ms/_hget/:_id/:field",
      KZ_V1|KZ_V2 },

    { "hgetall", NULL, "", "",
      "GET /ms/_hgetall/:_id",
      KZ_V1|KZ_V2 },

    { "hincrby", NULL, "", "",
      "POST /ms/_hincrby/:_id",
      KZ_V1|KZ_V2 },

    { "hincrbyfloat", NULL, "", "",
      "POST /ms/_hincrbyfloat/:_id",
      KZ_V1|KZ_V2 },

    { "hkeys", NULL, "", "",
      "GET /ms/_hkeys/:_id",
      KZ_V1|KZ_V2 },

    { "hlen", NULL, "", "",
      "GET /ms/_hlen/:_id",
      KZ_V1|KZ_V2 },

    { "hmget", NULL, "", "",
      "GET /ms/_hmget/:_id",
      KZ_V1|KZ_V2 },

    { "hmset", NULL, "", "",
      "POST /ms/_hmset/:_id",
      KZ_V1|KZ_V2 },

    { "hscan", NULL, "", "",
      "GET /ms/_hscan/:_id",
      KZ_V1|KZ_V2 },

    { "hset", NULL, "", "",
      "POST /ms/_hset/:_id",
      KZ_V1|KZ_V2 },

    { "hsetnx", NULL, "", "",
      "POST /ms/_hsetnx/:_id",
      KZ_V1|KZ_V2 },

    { "hstrlen", NULL, "", "",
      "GET /ms/_hstrlen/:_id/:field",
      KZ_V1|KZ_V2 },

    { "hvals", NULL, "", "",
      "GET /ms/_hvals/:_id",
      KZ_V1|KZ_V2 },

    { "incr", NULL, "", "",
      "POST /ms/_incr/:_id",
      KZ_V1|KZ_V2 },

    { "incrby", NULL, "", "",
      "POST /ms/_incrby/:_id",
      KZ_V1|KZ_V2 },

    { "incrbyfloat", NULL, "", "",
      "POST /ms/_incrbyfloat/:_id",
      KZ_V1|KZ_V2 },

    { "keys", NULL, "", "",
      "GET /ms/_keys/:pattern",
      KZ_V1|KZ_V2 },

    { "lindex", NULL, "", "",
      "GET /ms/_lindex/:_id/:idx",
      KZ_V1|KZ_V2 },

    { "linsert", NULL, "", "",
      "POST /ms/_linsert/:_id",
      KZ_V1|KZ_V2 },

    { "llen", NULL, "", "",
      "GET /ms/_llen/:_id",
      KZ_V1|KZ_V2 },

    { "lpop", NULL, "", "",
      "POST /ms/_lpop/:_id",
      KZ_V1|KZ_V2 },

    { "lpush", NULL, "", "",
      "POST /ms/_lpush/:_id",
      KZ_V1|KZ_V2 },

    { "lpushx", NULL, "", "",
      "POST /ms/_lpushx/:_id",
      KZ_V1|KZ_V2 },

    { "lrange", NULL, "", "",
      "GET /ms/_lrange/:_id",
      KZ_V1|KZ_V2 },

    { "lrem", NULL, "", "",
      "DELETE /ms/_lrem/:_id",
      KZ_V1|KZ_V2 },

    { "lset", NULL, "", "",
      "POST /ms/_lset/:_id",
      KZ_V1|KZ_V2 },

    { "ltrim", NULL, "", "",
      "POST /ms/_ltrim/:_id",
      KZ_V1|KZ_V2 },

    { "mexecute", NULL, "", "",
      "2POST /ms/_mexecute",
      KZ_V2 },

    { "mget", NULL, "", "",
      "GET /ms/_mget",
      KZ_V1|KZ_V2 },

    { "mset", NULL, "", "",
      "POST /ms/_mset",
      KZ_V1|KZ_V2 },

    { "msetnx", NULL, "", "",
      "POST /ms/_msetnx",
      KZ_V1|KZ_V2 },

    { "object", NULL, "", "",
      "GET /ms/_object/:_id",
      KZ_V1|KZ_V2 },

    { "persist", NULL, "", "",
      "POST /ms/_persist/:_id",
      KZ_V1|KZ_V2 },

    { "pexpire", NULL, "", "",
      "POST /ms/_pexpire/:_id",
      KZ_V1|KZ_V2 },

    { "pexpireat", NULL, "", "",
      "POST /ms/_pexpireat/:_id",
      KZ_V1|KZ_V2 },

    { "pfadd", NULL, "", "",
      "POST /ms/_pfadd/:_id",
      KZ_V1|KZ_V2 },

    { "pfcount", NULL, "", "",
      "GET /ms/_pfcount",
      KZ_V1|KZ_V2 },

    { "pfmerge", NULL, "", "",
      "POST /ms/_pfmerge/:_id",
      KZ_V1|KZ_V2 },

    { "ping", NULL, "", "",
      "GET /ms/_ping",
      KZ_V1|KZ_V2 },

    { "psetex", NULL, "", "",
      "POST /ms/_psetex/:_id",
      KZ_V1|KZ_V2 },

    { "pttl", NULL, "", "",
      "GET /ms/_pttl/:_id",
      KZ_V1|KZ_V2 },

    { "randomkey", NULL, "", "",
      "GET /ms/_randomkey",
      KZ_V1|KZ_V2 },

    { "rename", NULL, "", "",
      "POST /ms/_rename/:_id",
      KZ_V1|KZ_V2 },

    { "renamenx", NULL, "", "",
      "POST /ms/_renamenx/:_id",
      KZ_V1|KZ_V2 },

    { "rpop", NULL, "", "",
      "POST /ms/_rpop/:_id",
      KZ_V1|KZ_V2 },

    { "rpoplpush", NULL, "", "",
      "POST /ms/_rpoplpush",
      KZ_V1|KZ_V2 },

    { "rpush", NULL, "", "",
      "POST /ms/_rpush/:_id",
      KZ_V1|KZ_V2 },

    { "rpushx", NULL, "", "",
      "POST /ms/_rpushx/:_id",
      KZ_V1|KZ_V2 },

    { "sadd", NULL, "", "",
      "POST /ms/_sadd/:_id",
      KZ_V1|KZ_V2 },

    { "scan", NULL, "", "",
      "GET /ms/_scan",
      KZ_V1|KZ_V2 },

    { "scard", NULL, "", "",
      "GET /ms/_scard/:_id",
      KZ_V1|KZ_V2 },

    { "sdiff", NULL, "", "",
      "GET /ms/_sdiff/:_id",
      KZ_V1|KZ_V2 },

    { "sdiffstore", NULL, "", "",
      "POST /ms/_sdiffstore/:_id",
      KZ_V1|KZ_V2 },

    { "set", NULL, "", "",
      "POST /ms/_set/:_id",
      KZ_V1|KZ_V2 },

    { "setex", NULL, "", "",
      "POST /ms/_setex/:_id",
      KZ_V1|KZ_V2 },

    { "setnx", NULL, "", "",
      "POST /ms/_setnx/:_id",
      KZ_V1|KZ_V2 },

    { "sinter", NULL, "", "",
      "GET /ms/_sinter",
      KZ_V1|KZ_V2 },

    { "sinterstore", NULL, "", "",
      "POST /ms/_sinterstore",
      KZ_V1|KZ_V2 },

    { "sismember", NULL, "", "",
      "GET /ms/_sismember/:_id/:member",
      KZ_V1|KZ_V2 },

    { "smembers", NULL, "", "",
      "GET /ms/_smembers/:_id",
      KZ_V1|KZ_V2 },

    { "smove", NULL, "", "",
      "POST /ms/_smove/:_id",
      KZ_V1|KZ_V2 },

    { "sort", NULL, "", "",
      "POST /ms/_sort/:_id",
      KZ_V1|KZ_V2 },

    { "spop", NULL, "", "",
      "POST /ms/_spop/:_id",
      KZ_V1|KZ_V2 },

    { "srandmember", NULL, "", "",
      "GET /ms/_srandmember/:_id",
      KZ_V1|KZ_V2 },

    { "srem", NULL, "", "",
      "DELETE /ms/_srem/:_id",
      KZ_V1|KZ_V2 },

    { "sscan", NULL, "", "",
      "GET /ms/_sscan/:_id",
      KZ_V1|KZ_V2 },

    { "strlen", NULL, "", "",
      "GET /ms/_strlen/:_id",
      KZ_V1|KZ_V2 },

    { "sunion", NULL, "", "",
      "GET /ms/_sunion",
      KZ_V1|KZ_V2 },

    { "sunionstore", NULL, "", "",
      "POST /ms/_sunionstore",
      KZ_V1|KZ_V2 },

    { "time", NULL, "", "",
      "GET /ms/_time",
      KZ_V1|KZ_V2 },

    { "touch", NULL, "", "",
      "POST /ms/_touch",
      KZ_V1|KZ_V2 },

    { "ttl", NULL, "", "",
      "GET /ms/_ttl/:_id",
      KZ_V1|KZ_V2 },

    { "type", NULL, "", "",
      "GET /ms/_type/:_id",
      KZ_V1|KZ_V2 },

    { "zadd", NULL, "", "",
      "POST /ms/_zadd/:_id",
      KZ_V1|KZ_V2 },

    { "zcard", NULL, "", "",
      "GET /ms/_zcard/:_id",
      KZ_V1|KZ_V2 },

    { "zcount", NULL, "", "",
      "GET /ms/_zcount/:_id",
      KZ_V1|KZ_V2 },

    { "zincrby", NULL, "", "",
      "POST /ms/_zincrby/:_id",
      KZ_V1|KZ_V2 },

    { "zinterstore", NULL, "", "",
      "POST /ms/_zinterstore/:_id",
      KZ_V1|KZ_V2 },

    { "zlexcount", NULL, "", "",
      "GET /ms/_zlexcount/:_id",
      KZ_V1|KZ_V2 },

    { "zrange", NULL, "", "",
      "GET /ms/_zrange/:_id",
      KZ_V1|KZ_V2 },

    { "zrangebylex", NULL, "", "",
      "GET /ms/_zrangebylex/:_id",
      KZ_V1|KZ_V2 },

    { "zrangebyscore", NULL, "", "",
      "GET /ms/_zrangebyscore/:_id",
      KZ_V1|KZ_V2 },

    { "zrank", NULL, "", "",
      "GET /ms/_zrank/:_id/:member",
      KZ_V1|KZ_V2 },

    { "zrem", NULL, "", "",
      "DELETE /ms/_zrem/:_id",
      KZ_V1|KZ_V2 },

    { "zremrangebylex", NULL, "", "",
      "DELETE /ms/_zremrangebylex/:_id",
      KZ_V1|KZ_V2 },

    { "zremrangebyrank", NULL, "", "",
      "DELETE /ms/_zremrangebyrank/:_id",
      KZ_V1|KZ_V2 },

    { "zremrangebyscore", NULL, "", "",
      "DELETE /ms/_zremrangebyscore/:_id",
      KZ_V1|KZ_V2 },

    { "zrevrange", NULL, "", "",
      "GET /ms/_zrevrange/:_id",
      KZ_V1|KZ_V2 },

    { "zrevrangebylex", NULL, "", "",
      "GET /ms/_zrevrangebylex/:_id",
      KZ_V1|KZ_V2 },

    { "zrevrangebyscore", NULL, "", "",
      "GET /ms/_zrevrangebyscore/:_id",
      KZ_V1|KZ_V2 },

    { "zrevrank", NULL, "", "",
      "GET /ms/_zrevrank/:_id/:member",
      KZ_V1|KZ_V2 },

    { "zscan", NULL, "", "",
      "GET /ms/_zscan/:_id",
      KZ_V1|KZ_V2 },

    { "zscore", NULL, "", "",
      "GET /ms/_zscore/:_id/:member",
      KZ_V1|KZ_V2 },

    { "zunionstore", NULL, "", "",
      "POST /ms/_zunionstore/:_id",
      KZ_V1|KZ_V2 },

      kz_null_action
};
