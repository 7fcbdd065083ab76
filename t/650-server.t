# The controllers server, cluster and debug, in both generations, over HTTP
# and WebSocket.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Nginx::Kuzzle;

# Below "/one/" and "/two/" are the two generations, "/" finds out.

add_block_preprocessor(sub {
    my ($block) = @_;

    return if $block->config =~ /kuzzle_api/;

    $block->set_value('config', join '', "location / { kuzzle; }\n", map {
        "location /$_->[0]/ { kuzzle; kuzzle_api $_->[1];"
        . " rewrite ^/$_->[0](/.*) \$1 break; }\n" } ['one', 1], ['two', 2]);
});

run_tests();

__DATA__

=== TEST 1: info of generation 1 has its members, and ours
--- ws
http GET /one/ => 200 {"status":200,"error":null,"controller":"server","action":"info",
  "result":{"serverInfo":{
    "kuzzle":{"version":"1.12.0","server":{"name":"ngx_kuzzle","version":"~^\\d+\\.\\d+\\.\\d+$","nginx":"~^1\\."},
      "api":{"routes":{"server":{"info":{"controller":"server","action":"info","http":[{"url":"/","verb":"GET","-":["path"]},"..."]}}}},
      "nodeVersion":"none","memoryUsed":"*number","uptime":"~^\\d+\\.\\d{3}s$","plugins":{},
      "system":{"memory":{"total":"*number","free":"*number"},
        "cpus":[{"model":"*string","speed":"*number","times":{"user":"*number","nice":"*number","sys":"*number","idle":"*number","irq":"*number"}},"..."]},
      "-":["application"]},
    "services":{
      "internalCache":{"type":"shared memory","version":"*string","mode":"standalone","memoryUsed":"~^[\\d.]+[BKMGT]$","memoryPeak":"~^[\\d.]+[BKMGT]$"},
      "memoryStorage":{"type":"*string","version":"*string","mode":"standalone","memoryUsed":"*string","memoryPeak":"*string"},
      "storageEngine":{"type":"sqlite","version":"~^3\\.","status":"green","nodes":{"count":{"total":1}},"spaceUsed":"~^[\\d.]+[kmgt]?b$","lucene":null},
      "-":["publicStorage","internalStorage"]}}}}
http GET /one/_serverInfo => 200 {"result":{"serverInfo":{"kuzzle":{"version":"1.12.0"}}}}


=== TEST 2: info of generation 2
--- ws
http GET /two/ => 200 {"status":200,"error":null,
  "result":{"serverInfo":{
    "kuzzle":{"version":"2.56.0","server":{"name":"ngx_kuzzle"},"application":{"name":"ngx_kuzzle"},
      "api":{"routes":{"server":{"info":{"http":[{"url":"/","verb":"GET","path":"/"},"..."]}}}},
      "nodeVersion":"none","uptime":"~s$","plugins":{}},
    "services":{
      "internalCache":{"mode":"standalone"},"memoryStorage":{"mode":"standalone"},
      "internalStorage":{"type":"sqlite","status":"green"},
      "publicStorage":{"type":"sqlite","status":"green","spaceUsed":"*string"},
      "-":["storageEngine"]}}}}
open a path=/two/
a> {"controller":"server","action":"info","requestId":"i"}
a< {"status":200,"requestId":"i","room":"i","result":{"serverInfo":{"kuzzle":{"version":"2.56.0"}}}}
open b path=/one/
b> {"controller":"server","action":"info","requestId":"i"}
b< {"status":200,"room":"i","result":{"serverInfo":{"kuzzle":{"version":"1.12.0"}}}}


=== TEST 3: the space that is used follows the store
--- ws
http POST /two/nyc/_create => 200
http PUT /two/nyc/taxi => 200
http GET /two/ => 200 {"result":{"serverInfo":{"services":{"publicStorage":{"spaceUsed":"~^[\\d.]+kb$"}}}}}
times 4 http POST /two/nyc/taxi/_create {"text":"<<repeat:900000:x>>"} => 200
sleep 5.2
http GET /two/ => 200 {"result":{"serverInfo":{"services":{"publicStorage":{"spaceUsed":"~^[\\d.]+mb$"}}}}}
--- timeout: 20


=== TEST 4: uptime goes on over a reload
--- ws
http GET /one/ => 200 {"result":{"serverInfo":{"kuzzle":{"uptime":"~^0\\.|^1\\."}}}}
http GET /cluster/_status => 200 {"result":{"activeNodes":1}} {born=result.nodes.0.birthdate}
sleep 2.1
reload
http GET /one/ => 200 {"result":{"serverInfo":{"kuzzle":{"uptime":"~^[2-9]\\.\\d"}}}}
http GET /cluster/_status => 200 {"result":{"nodes":[{"birthdate":"$born"}]}}


=== TEST 5: now, adminExists
--- ws
http GET /one/_now => 200 {"result":{"now":"*number"},"volatile":null}
http GET /two/_now => 200 {"result":{"now":"*number"}}
http GET /one/_adminExists => 200 {"result":{"exists":false}}
http GET /two/_adminExists => 200 {"result":{"exists":false}}
open a
a> {"controller":"server","action":"adminExists"}
a< {"status":200,"result":{"exists":false}}


=== TEST 6: a healthy server
--- ws
http GET /one/_healthCheck => 200 {"status":200,"error":null,"result":{"status":"green","services":{"internalCache":"green","memoryStorage":"green","storageEngine":"green"}}}
http GET /two/_healthCheck => 200 {"status":200,"error":null,"result":{"status":"green","services":{"internalCache":"green","memoryStorage":"green","storageEngine":"green"}}}
open a
a> {"controller":"server","action":"healthCheck"}
a< {"status":200,"result":{"status":"green","services":{"storageEngine":"green"}}}


=== TEST 7: the services that are asked for; names nobody knows are ignored
--- ws
http GET /two/_healthCheck?services=storageEngine => 200 {"result":{"status":"green","services":{"storageEngine":"green","-":["internalCache","memoryStorage"]}}}
http GET /two/_healthCheck?services=memoryStorage,internalCache,nope => 200 {"result":{"services":{"internalCache":"green","memoryStorage":"green","-":["storageEngine","nope"]}}}
http GET /two/_healthCheck?services=["storageEngine","x",7] => 200 {"result":{"services":{"storageEngine":"green","-":["internalCache","memoryStorage","x"]}}}
http GET /two/_healthCheck?services=["storageEngine" => 200 {"result":{"status":"green","services":{"-":["storageEngine"]}}}
http GET /two/_healthCheck?services= => 200 {"result":{"status":"green","services":{"-":["storageEngine","internalCache","memoryStorage"]}}}
open a path=/two/
a> {"controller":"server","action":"healthCheck","services":["internalCache"]}
a< {"status":200,"result":{"services":{"internalCache":"green","-":["storageEngine","memoryStorage"]}}}
a> {"controller":"server","action":"healthCheck","services":"memoryStorage"}
a< {"status":200,"result":{"services":{"memoryStorage":"green","-":["storageEngine"]}}}
a> {"controller":"server","action":"healthCheck","services":7}
a< {"status":200,"result":{"services":{"memoryStorage":"green","storageEngine":"green"}}}


=== TEST 8: a writer that does not answer is red, in time, with its result
--- kuzzle_config
    store_timeout 1s;
--- ws
http GET /two/_healthCheck => 200
open a path=/two/
open b path=/one/
stop writer
http GET /two/_healthCheck => 503 {"status":503,"error":{"code":2,"id":"core.fatal.service_unavailable","message":"Service unavailable: storageEngine.","props":["storageEngine"],"status":503},
  "result":{"status":"red","services":{"internalCache":"green","memoryStorage":"green","storageEngine":"red"}}}
http GET /one/_healthCheck => 503 {"status":503,"error":{"message":"Service unavailable: storageEngine.","status":503,"id":"core.fatal.service_unavailable","code":2,"-":["props"]},
  "result":{"status":"red","services":{"storageEngine":"red"}}}
a> {"controller":"server","action":"healthCheck","requestId":"h"}
a< {"status":503,"requestId":"h","room":"h","error":{"id":"core.fatal.service_unavailable","status":503},"result":{"status":"red"}}
b> {"controller":"server","action":"healthCheck"}
b< {"status":503,"error":{"id":"core.fatal.service_unavailable","status":503},"result":{"status":"red","services":{"storageEngine":"red"}}}
http GET /two/_healthCheck?services=internalCache => 200 {"result":{"status":"green","services":{"-":["storageEngine"]}}}
http GET /two/_now => 200
http GET /two/ => 200 {"result":{"serverInfo":{"services":{"publicStorage":{"status":"red"}}}}}
cont writer
http GET /two/_healthCheck => 200 {"result":{"status":"green"}}
a> {"controller":"server","action":"healthCheck"}
a< {"status":200,"result":{"status":"green"}}
http POST /two/nyc/_create => 200
--- timeout: 20


=== TEST 9: a writer that was killed has a successor: green again
--- kills
--- ws
http GET /two/_healthCheck => 200
kill writer
writer
http GET /two/_healthCheck => 200 {"result":{"status":"green"}}
http POST /two/nyc/_create => 200


=== TEST 10: health checks are answered in a heap, and do not disturb writes
--- ws
open a path=/two/
http POST /two/nyc/_create => 200
http PUT /two/nyc/taxi => 200
times 50 a> {"controller":"server","action":"healthCheck","requestId":"h$i"}
a> {"controller":"document","action":"create","index":"nyc","collection":"taxi","body":{"a":1},"requestId":"d"}
a<~ {"requestId":"d","status":200}
times 50 a<~ {"requestId":"h$i","status":200,"result":{"status":"green"}}


=== TEST 11: getConfig of generation 1: our settings in Kuzzle's shape
--- config
location / {
    kuzzle;
    kuzzle_api 1;
    kuzzle_max_request_size 2m;
    kuzzle_max_form_file_size 300k;
    kuzzle_max_encoding_layers 2;
    kuzzle_compression off;
    kuzzle_max_pending 77;
    kuzzle_heartbeat 30s;
}
--- kuzzle_config
    documents_fetch_count 123;
    subscription_conditions 17;
    subscription_minterms 5;
    subscription_rooms 99;
    store_pending 2222;
    stats_ttl 1800s;
    stats_interval 5s;
--- ws
http GET /_getConfig => 200 {"status":200,"result":{
  "limits":{"concurrentRequests":77,"documentsFetchCount":123,"documentsWriteCount":200,"requestsBufferSize":2222,"subscriptionConditionsCount":17,"subscriptionMinterms":5,"subscriptionRooms":99},
  "plugins":{},
  "server":{"maxRequestSize":"2MB","protocols":{"http":{"enabled":true,"maxFormFileSize":"300KB","maxEncodingLayers":2,"allowCompression":false},"mqtt":{"enabled":false},"socketio":{"enabled":false},"websocket":{"enabled":true,"heartbeat":30000}},"-":["strictSdkVersion"]},
  "services":{"db":{"aliases":["storageEngine"],"backend":"sqlite","dynamic":true,"commonMapping":{"_kuzzle_info":{"properties":{"active":{"type":"boolean"}}}}},"internalCache":{"backend":"*string"}},
  "stats":{"ttl":1800,"statsInterval":5},
  "validation":{},"version":"1.12.0",
  "-":["http","security","cluster","application"]}}


=== TEST 12: getConfig of generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
    kuzzle_allow_origin http://a.example http://b.example;
    kuzzle_cookie_authentication off;
}
--- ws
http GET /_getConfig => 200 {"status":200,"result":{
  "http":{"accessControlAllowOrigin":["http://a.example","http://b.example"],"cookieAuthentication":false,"accessControlAllowOriginUseRegExp":false,"-":["routes"]},
  "limits":{"documentsFetchCount":10000,"documentsWriteCount":200,"subscriptionConditionsCount":100},
  "application":{},"plugins":{},
  "server":{"maxRequestSize":"1MB","protocols":{"http":{"maxFormFileSize":1048576,"additionalContentTypes":[]},"websocket":{"rateLimit":0},"-":["socketio"]},"strictSdkVersion":false},
  "services":{"storageEngine":{"backend":"sqlite","commonMapping":{"dynamic":false,"properties":{"_kuzzle_info":"*object"}}}},
  "stats":{"enabled":true,"ttl":3600,"statsInterval":10},
  "cluster":{"enabled":false},"version":"2.56.0","-":["security"]}}
open a
a> {"controller":"server","action":"getConfig"}
a< {"status":200,"result":{"version":"2.56.0","http":{"accessControlAllowOrigin":["http://a.example","..."]}}}


=== TEST 13: getConfig names no path
--- request eval
["GET /two/_getConfig", "GET /one/_getConfig"]
--- response_body_unlike eval
[quotemeta($ENV{TEST_NGINX_DATA_DIR}) . '|"(?:\.{0,2}/|[^"]*/(?:var|tmp|etc)/)', quotemeta($ENV{TEST_NGINX_DATA_DIR})]


=== TEST 14: capabilities
--- ws
http GET /_capabilities => 200 {"action":"capabilities","status":200,"result":{
  "limits":{"documentsFetchCount":10000},"plugins":{},
  "routes":{"document":{"create":{"http":[{"path":"*string","url":"*string","verb":"POST"},"..."]}}},
  "services":{"internalCache":{"backend":"*string","version":"*string"},"memoryStorage":{"backend":"*string"},"storageEngine":{"backend":"sqlite","version":"~^3\\."}},
  "version":"2.56.0"}}
open a
a> {"controller":"server","action":"capabilities"}
a< {"status":200,"result":{"version":"2.56.0"}}


=== TEST 15: publicApi: both generations, the name of the memory storage twice
--- ws
http GET /one/_publicApi => 200 {"result":{"ms":{"append":"*object"},"memoryStorage":{"append":"*object"},"server":{"now":{"http":[{"url":"/_now","verb":"GET","-":["path"]}]}}}}
http GET /two/_publicApi => 200 {"result":{"server":{"now":{"http":[{"url":"/_now","verb":"GET","path":"/_now"}]}}}}
open a
a> {"controller":"server","action":"publicApi"}
a< {"status":200,"result":{"server":{"publicApi":"*object"}}}


=== TEST 16: the cluster is one node
--- kuzzle_config
    node knode-only-one-1;
--- ws
http GET /cluster/_status => 200 {"action":"status","controller":"cluster","status":200,"result":{
  "activeNodes":1,
  "activity":[{"address":"~^\\d+\\.\\d+\\.\\d+\\.\\d+$","date":"~^20\\d\\d-[01]\\d-[0-3]\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$","event":"joined","id":"knode-only-one-1","-":["reason"]}],
  "nodes":[{"address":"*string","birthdate":"~^20\\d\\d-.*Z$","id":"knode-only-one-1"}]}}
open a
a> {"controller":"cluster","action":"status"}
a< {"status":200,"result":{"activeNodes":1,"nodes":[{"id":"knode-only-one-1"}]}}
a> {"controller":"cluster","action":"leave"}
a< {"status":404,"error":{"id":"api.process.action_not_found"}}


=== TEST 17: debug over HTTP: the version as text, the rest is denied
--- ws
http GET /debug/_nodeVersion => 200 {"status":200,"result":"none"}
http POST /debug/_enable => 412 {"status":412,"result":null,"error":{"status":412,"id":"core.debugger.native_debug_protocol_usage_denied","code":327684,"message":"Usage of the native debug protocol is not allowed","props":[]}}
http POST /debug/_disable => 412 {"error":{"id":"core.debugger.native_debug_protocol_usage_denied"}}
http POST /debug/_post {"method":"Debugger.enable"} => 412 {"error":{"id":"core.debugger.native_debug_protocol_usage_denied"}}
http POST /debug/_post {"method":"Debugger.enable","params":{"a":1}} => 412 {"error":{"id":"core.debugger.native_debug_protocol_usage_denied"}}
http POST /debug/_post => 400 {"error":{"id":"api.assert.body_required"}}
http POST /debug/_post {} => 400 {"error":{"id":"api.assert.missing_argument","props":["body.method"]}}
http POST /debug/_post {"method":7} => 400 {"error":{"id":"api.assert.invalid_type"}}
http POST /debug/_post {"method":"x","params":[]} => 400 {"error":{"id":"api.assert.invalid_type","props":["body.params","object"]}}


=== TEST 18: debug over WebSocket
--- ws
open a path=/two/
a> {"controller":"debug","action":"nodeVersion"}
a< {"status":200,"result":"none"}
a> {"controller":"debug","action":"enable"}
a< {"status":412,"error":{"id":"core.debugger.native_debug_protocol_usage_denied"}}
a> {"controller":"debug","action":"disable"}
a< {"status":412,"error":{"id":"core.debugger.native_debug_protocol_usage_denied"}}
a> {"controller":"debug","action":"post","body":{"method":"Runtime.enable"}}
a< {"status":412,"error":{"id":"core.debugger.native_debug_protocol_usage_denied"}}
a> {"controller":"debug","action":"addListener","body":{"event":"*"}}
a< {"status":412,"error":{"id":"core.debugger.native_debug_protocol_usage_denied"}}
a> {"controller":"debug","action":"removeListener","body":{"event":"*"}}
a< {"status":412,"error":{"id":"core.debugger.native_debug_protocol_usage_denied"}}
a> {"controller":"debug","action":"addListener"}
a< {"status":400,"error":{"id":"api.assert.body_required"}}
a> {"controller":"debug","action":"removeListener","body":{}}
a< {"status":400,"error":{"id":"api.assert.missing_argument","props":["body.event"]}}
a> {"controller":"debug","action":"addListener","body":{"event":[]}}
a< {"status":400,"error":{"id":"api.assert.invalid_type"}}
a! 0.3


=== TEST 19: what only 2.x has answers as 2.x when nobody says which it is
--- ws
open a
a> {"controller":"cluster","action":"status"}
a< {"node":"*string","headers":{},"status":200}
http GET /debug/_nodeVersion => 200 {"node":"*string","headers":{},"-":["index"]}
http GET /one/debug/_nodeVersion => 200 {"result":"none","index":null,"-":["node"]}
