# Controller collection: settings, changes of the mapping, emptying, deleting;
# over two workers.

use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: settings: what a collection begins with, both forms, values as text
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["PUT /nyc/bare", "GET /nyc/bare/_settings",
 'PUT /nyc/a' . "\n" . '{"settings":{"index":{"number_of_shards":3,"refresh_interval":"5s"}},"mappings":{"properties":{"n":{"type":"integer"}}}}',
 "GET /nyc/a/_settings",
 'PUT /nyc/b' . "\n" . '{"settings":{"index.number_of_replicas":0,"x.y":true,"list":[1,"a"]}}',
 "GET /nyc/b/_settings", "GET /nyc/a/_mapping", "GET /nyc/none/_settings"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 200, 412]
--- kuzzle_reply
{"result":{"acknowledged":true}}
{"result":{"number_of_shards":"1","number_of_replicas":"1","provided_name":"&nyc.bare"}}
{}
{"result":{"number_of_shards":"3","refresh_interval":"5s","-":["index"]}}
{}
{"result":{"number_of_shards":"1","number_of_replicas":"0","x":{"y":"true"},"list":["1","a"]}}
{"result":{"properties":{"n":{"type":"integer"}}}}
{"error":{"id":"services.storage.unknown_collection"}}


=== TEST 2: what settings may not be
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
['PUT /nyc/a' . "\n" . '{"settings":{"uuid":"x"}}', "GET /nyc/a/_exists",
 'PUT /nyc/a' . "\n" . '{"settings":{"a":1,"a.b":2}}',
 'PUT /nyc/a' . "\n" . '{"settings":[]}',
 'PUT /nyc/a' . "\n" . '{"settings":{"blocks.write":"perhaps"}}',
 "PUT /nyc/a",
 'POST /nyc/a' . "\n" . '{"settings":{"number_of_shards":2}}',
 'POST /nyc/a' . "\n" . '{"settings":{"number_of_shards":1}}']
--- error_code eval
[400, 200, 400, 400, 400, 200, 400, 200]
--- kuzzle_reply
{"error":{"id":"services.storage.unexpected_bad_request"}}
{"result":false}
{"error":{"id":"services.storage.unexpected_bad_request"}}
{"error":{"id":"services.storage.unexpected_bad_request"}}
{"error":{"id":"services.storage.unexpected_bad_request"}}
{}
{"error":{"id":"services.storage.unexpected_bad_request"}}
{"result":null}


=== TEST 3: index.blocks.write refuses documents until it is false
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["PUT /nyc/taxi", "POST /nyc/taxi/x/_create\n{}",
 'POST /nyc/taxi' . "\n" . '{"settings":{"index.blocks.write":true}}',
 "POST /nyc/taxi/y/_create\n{}", "DELETE /nyc/taxi/x",
 'POST /nyc/taxi/_mCreate' . "\n" . '{"documents":[{"_id":"z","body":{}}]}',
 "GET /nyc/taxi/x", "GET /nyc/taxi/_settings",
 'POST /nyc/taxi' . "\n" . '{"settings":{"blocks":{"write":"false"}}}',
 "POST /nyc/taxi/y/_create\n{}", "POST /nyc/taxi/_count"]
--- error_code eval
[200, 200, 200, 500, 500, 200, 200, 200, 200, 200, 200]
--- kuzzle_reply
{}
{}
{"result":null}
{"error":{"id":"services.storage.unexpected_error"}}
{"error":{"id":"services.storage.unexpected_error"}}
{"result":{"successes":[]}}
{"result":{"_id":"x"}}
{"result":{"blocks":{"write":"true"}}}
{}
{}
{"result":{"count":2}}


=== TEST 4: update: settings and mapping, both or none of them
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
['PUT /nyc/taxi' . "\n" . '{"mappings":{"properties":{"a":{"type":"keyword"}}}}',
 'POST /nyc/taxi' . "\n" . '{"settings":{"one":1},"mappings":{"properties":{"a":{"type":"integer"}}}}',
 "GET /nyc/taxi/_settings",
 'POST /nyc/taxi' . "\n" . '{"settings":{"one":1},"mappings":{"properties":{"b":{"type":"integer"}}}}',
 "GET /nyc/taxi/_settings", "GET /nyc/taxi/_mapping",
 'POST /nyc/none' . "\n{}", 'POST /none/none' . "\n{}",
 'POST /nyc/taxi' . "\n" . '{"settings":{"one":null}}', "GET /nyc/taxi/_settings"]
--- error_code eval
[200, 400, 200, 200, 200, 200, 412, 412, 200, 200]
--- kuzzle_reply
{}
{"error":{"id":"services.storage.cannot_change_mapping"}}
{"result":{"number_of_shards":"1","-":["one"]}}
{"result":null}
{"result":{"one":"1"}}
{"result":{"properties":{"a":{"type":"keyword"},"b":{"type":"integer"}}}}
{"error":{"id":"services.storage.unknown_collection"}}
{"error":{"id":"services.storage.unknown_collection"}}
{}
{"result":{"-":["one"]}}


=== TEST 5: updateMapping, both shapes
--- config
location / {
    kuzzle;
}
--- request eval
["POST /nyc/_create", "PUT /nyc/taxi",
 'PUT /nyc/taxi/_mapping' . "\n" . '{"properties":{"a":{"type":"keyword"}}}',
 'PUT /nyc/taxi/_mapping' . "\n" . '{"properties":{"b":{"type":"keyword"}}}',
 'PUT /nyc/none/_mapping' . "\n" . '{"properties":{}}',
 'PUT /none/none/_mapping' . "\n" . '{"properties":{}}']
--- more_headers eval
["A: b", "A: b", "A: b", "X-Kuzzle-Volatile: {\"sdkName\":\"js\@7\"}", "A: b", "A: b"]
--- error_code eval
[200, 200, 200, 200, 404, 412]
--- kuzzle_reply
{}
{}
{"result":{"acknowledged":true}}
{"result":{"dynamic":"true","properties":{"a":{"type":"keyword"},"b":{"type":"keyword"}},"-":["acknowledged"]}}
{"error":{"id":"services.storage.unexpected_not_found","message":"type[[none]] missing: nyc"}}
{"error":{"id":"services.storage.unknown_index"}}


=== TEST 6: stored documents are found under a new mapping; dynamic learns from them
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
['PUT /nyc/taxi' . "\n" . '{"mappings":{"dynamic":"false"}}',
 'POST /nyc/taxi/x/_create' . "\n" . '{"city":"Rome","n":3}',
 'POST /nyc/taxi/_search' . "\n" . '{"query":{"match":{"city":"rome"}}}',
 'POST /nyc/taxi' . "\n" . '{"mappings":{"dynamic":"true"}}',
 "GET /nyc/taxi/_mapping",
 'POST /nyc/taxi/_search' . "\n" . '{"query":{"match":{"city":"rome"}}}',
 'POST /nyc/taxi?reindexCollection' . "\n" . '{"mappings":{}}',
 'POST /nyc/taxi/_search' . "\n" . '{"query":{"range":{"n":{"gte":3}}}}']
--- kuzzle_reply
{}
{}
{"result":{"total":0}}
{"result":null}
{"result":{"dynamic":"true","properties":{"city":{"type":"text"},"n":{"type":"long"}}}}
{"result":{"total":1}}
{}
{"result":{"total":1}}


=== TEST 7: an analyzer of the settings, for a mapping in the same update
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
['PUT /nyc/taxi' . "\n" . '{"settings":{"analysis":{"normalizer":{"low":{"type":"custom","filter":["lowercase"]}}}},
 "mappings":{"properties":{"a":{"type":"keyword","normalizer":"low"}}}}',
 'POST /nyc/taxi/x/_create' . "\n" . '{"a":"ROME","b":"Two Words"}',
 'POST /nyc/taxi/_search' . "\n" . '{"query":{"term":{"a":"rome"}}}',
 'PUT /nyc/other' . "\n" . '{"mappings":{"properties":{"a":{"type":"keyword","normalizer":"low"}}}}',
 'POST /nyc/taxi' . "\n" . '{"settings":{"analysis":{"analyzer":{"whole":{"type":"custom","tokenizer":"keyword"}}}},
 "mappings":{"properties":{"b":{"type":"text","analyzer":"whole"}}}}',
 'POST /nyc/taxi/_search' . "\n" . '{"query":{"term":{"b":"Two Words"}}}',
 'POST /nyc/taxi/_search' . "\n" . '{"query":{"match":{"b":"Two"}}}',
 'POST /nyc/taxi/_search' . "\n" . '{"query":{"term":{"a":"rome"}}}']
--- error_code eval
[200, 200, 200, 400, 200, 200, 200, 200]
--- kuzzle_reply
{}
{}
{"result":{"total":1}}
{}
{}
{"result":{"total":1}}
{"result":{"total":0}}
{"result":{"total":1}}


=== TEST 8: truncate keeps mapping and settings, and nothing else
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
['PUT /nyc/taxi' . "\n" . '{"settings":{"one":1},"mappings":{"properties":{"a":{"type":"keyword"}}}}',
 "PUT /nyc/bus", 'POST /nyc/bus/y/_create' . "\n" . '{"a":"1"}',
 'POST /nyc/taxi/x/_create' . "\n" . '{"a":"1"}', "DELETE /nyc/taxi/_truncate",
 "POST /nyc/taxi/_count", "GET /nyc/taxi/x", "GET /nyc/taxi/_settings",
 "GET /nyc/taxi/_mapping", 'POST /nyc/taxi/x/_create' . "\n" . '{"a":"2"}',
 'POST /nyc/taxi/_search' . "\n" . '{"query":{"exists":{"field":"a"}}}',
 "GET /nyc/bus/y", "DELETE /nyc/none/_truncate", "DELETE /none/none/_truncate"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 404, 200, 200, 200, 200, 200, 412, 412]
--- kuzzle_reply
{}
{}
{}
{}
{"result":{"acknowledged":true}}
{"result":{"count":0}}
{}
{"result":{"one":"1"}}
{"result":{"properties":{"a":{"type":"keyword"}}}}
{"result":{"_version":1}}
{"result":{"total":1}}
{"result":{"_id":"y"}}
{"error":{"id":"services.storage.unknown_collection"}}
{"error":{"id":"services.storage.unknown_collection"}}


=== TEST 9: delete, with its specifications; the index stays
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["PUT /nyc/taxi", 'PUT /nyc/taxi/_specifications' . "\n" . '{"strict":true,"fields":{}}',
 "POST /nyc/taxi/x/_create\n{}", "DELETE /nyc/taxi", "GET /nyc/taxi/_exists",
 "GET /nyc/_list", "GET /nyc/taxi/x", "GET /nyc/taxi/_specifications",
 "DELETE /nyc/taxi", "PUT /nyc/taxi", 'POST /nyc/taxi/x/_create' . "\n" . '{"free":1}']
--- error_code eval
[200, 200, 200, 200, 200, 200, 412, 404, 412, 200, 200]
--- kuzzle_reply
{}
{}
{}
{"result":null}
{"result":false}
{"result":{"collections":[]}}
{"error":{"id":"services.storage.unknown_collection"}}
{"error":{"id":"validation.assert.not_found"}}
{"error":{"id":"services.storage.unknown_collection"}}
{}
{"result":{"_version":1}}


=== TEST 10: refresh
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["PUT /nyc/taxi", "POST /nyc/taxi/_refresh", "POST /nyc/none/_refresh"]
--- error_code eval
[200, 200, 412]
--- kuzzle_reply
{}
{"result":null}
{"error":{"id":"services.storage.unknown_collection"}}


=== TEST 11: the other worker sees it at once
--- ws
open a
open b apart=a
a> {"controller":"collection","action":"create","index":"nyc","collection":"taxi","volatile":{"sdkName":"js@7"}}
a< {"status":200}
b> {"controller":"collection","action":"update","index":"nyc","collection":"taxi","body":{"settings":{"blocks.write":true}},"volatile":{"sdkName":"js@7"}}
b< {"status":200}
a> {"controller":"collection","action":"getSettings","index":"nyc","collection":"taxi","volatile":{"sdkName":"js@7"}}
a< {"result":{"blocks":{"write":"true"}}}
a> {"controller":"document","action":"create","index":"nyc","collection":"taxi","_id":"x","body":{},"volatile":{"sdkName":"js@7"}}
a< {"status":500}
a> {"controller":"collection","action":"update","index":"nyc","collection":"taxi","body":{"settings":{"blocks.write":false}},"volatile":{"sdkName":"js@7"}}
a< {"status":200}
b> {"controller":"document","action":"create","index":"nyc","collection":"taxi","_id":"x","body":{},"volatile":{"sdkName":"js@7"}}
b< {"status":200}
a> {"controller":"collection","action":"truncate","index":"nyc","collection":"taxi","volatile":{"sdkName":"js@7"}}
a< {"status":200}
b> {"controller":"document","action":"count","index":"nyc","collection":"taxi","volatile":{"sdkName":"js@7"}}
b< {"result":{"count":0}}
b> {"controller":"collection","action":"delete","index":"nyc","collection":"taxi","volatile":{"sdkName":"js@7"}}
b< {"status":200}
a> {"controller":"collection","action":"exists","index":"nyc","collection":"taxi","volatile":{"sdkName":"js@7"}}
a< {"result":false}
