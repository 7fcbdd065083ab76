# Controllers index and collection, both generations.

use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: create, exists, list, delete (1)
--- request eval
["POST /nyc/_create", "GET /nyc/_exists", "GET /nope/_exists", "GET /_list",
 "DELETE /nyc", "GET /nyc/_exists", "GET /_list"]
--- kuzzle_reply
{"status":200,"result":{"acknowledged":true,"shards_acknowledged":true,"index":"nyc"}}
{"result":true}
{"result":false}
{"result":{"indexes":["nyc"]}}
{"result":{"acknowledged":true}}
{"result":false}
{"result":{"indexes":[]}}


=== TEST 2: create has no result in generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request
POST /nyc/_create
--- kuzzle_reply
{"status":200,"error":null,"index":"nyc","-":["result"]}


=== TEST 3: creating it twice
--- config
location / {
    kuzzle;
}
--- request eval
["POST /nyc/_create", "POST /nyc/_create", "GET /_me", "POST /nyc/_create"]
--- more_headers eval
["A: b", "A: b", "A: b", "X-Kuzzle-Volatile: {\"sdkName\":\"js\@7\"}"]
--- error_code eval
[200, 400, 200, 412]
--- kuzzle_error
-
400 services.storage.unexpected_bad_request
-
412 services.storage.index_already_exists


=== TEST 4: deleting what is not there
--- request
DELETE /nyc
--- kuzzle_error: 412 services.storage.unknown_index ~"nyc"" does not exist


=== TEST 5: names that are refused (2)
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["POST /a%20b/_create", "POST /UP/_create", "POST /_all/_create",
 "POST /a%2Fb/_create", "POST /" . ("a" x 127) . "/_create",
 "POST /a%22b/_create"]
--- kuzzle_error
400 services.storage.invalid_index_name ~"a b"
400 services.storage.invalid_index_name
400 services.storage.invalid_index_name
400 services.storage.invalid_index_name
400 services.storage.invalid_index_name
400 services.storage.invalid_index_name


=== TEST 6: collections: create, exists, list, in their index only
--- request eval
["POST /nyc/_create", "PUT /nyc/taxi", "PUT /nyc/bus", "GET /nyc/taxi/_exists",
 "GET /nyc/tram/_exists", "GET /nyc/_list", "GET /nyc/_list?from=1&size=1"]
--- kuzzle_reply
{}
{"result":{"acknowledged":true}}
{}
{"result":true}
{"result":false}
{"result":{"type":"all","collections":[{"name":"bus","type":"stored"},{"name":"taxi","type":"stored"}],"-":["from","size"]}}
{"result":{"collections":[{"name":"taxi","type":"stored"}],"from":1,"size":1}}


=== TEST 7: a collection needs its index (1), or makes it (2)
--- request eval
["PUT /nyc/taxi", "PUT /nyc/taxi", "GET /_list"]
--- more_headers eval
["A: b", "X-Kuzzle-Volatile: {\"sdkName\":\"js\@7\"}", "A: b"]
--- error_code eval
[412, 200, 200]
--- kuzzle_reply
{"error":{"id":"services.storage.unknown_index"}}
{"result":{"acknowledged":true}}
{"result":{"indexes":["nyc"]}}


=== TEST 8: the mapping comes back, nested (1) or flat (2), _kuzzle_info on demand
--- request eval
["POST /nyc/_create",
 'PUT /nyc/open' . "\n" . '{"dynamic":"true","properties":{"name":{"type":"keyword"},"age":{"type":"integer"}}}',
 "GET /nyc/open/_mapping", "GET /nyc/open/_mapping?includeKuzzleMeta=true",
 "GET /nyc/open/_mapping"]
--- more_headers eval
["A: b", "A: b", "A: b", "A: b", "X-Kuzzle-Volatile: {\"sdkName\":\"js\@7\"}"]
--- kuzzle_reply
{}
{}
{"result":{"nyc":{"mappings":{"open":{"dynamic":"true","_meta":{},
 "properties":{"name":{"type":"keyword"},"age":{"type":"integer"},"-":["_kuzzle_info"]}}}}}}
{"result":{"nyc":{"mappings":{"open":{"properties":{"_kuzzle_info":{"properties":{
 "active":{"type":"boolean"},"author":{"type":"keyword"},"createdAt":{"type":"date"}}}}}}}}}
{"result":{"dynamic":"true","properties":{"name":{"type":"keyword"}},"-":["nyc"]}}


=== TEST 9: the default of dynamic is the creator's generation's
--- request eval
["POST /nyc/_create", "PUT /nyc/one", "PUT /nyc/two", "GET /nyc/one/_mapping",
 "GET /nyc/two/_mapping"]
--- more_headers eval
["A: b", "A: b", "X-Kuzzle-Volatile: {\"sdkName\":\"js\@7\"}", "A: b", "A: b"]
--- kuzzle_reply
{}
{}
{}
{"result":{"nyc":{"mappings":{"one":{"dynamic":"true"}}}}}
{"result":{"nyc":{"mappings":{"two":{"dynamic":"false"}}}}}


=== TEST 10: a bad mapping is refused: root key, type
--- request eval
["POST /nyc/_create", 'PUT /nyc/open' . "\n" . '{"propertees":{}}',
 'PUT /nyc/open' . "\n" . '{"properties":{"a":{"type":"nonsense"}}}',
 "GET /nyc/open/_exists"]
--- error_code eval
[200, 400, 400, 200]
--- kuzzle_reply
{}
{"error":{"id":"services.storage.invalid_mapping","message":"~propertees"}}
{"error":{"id":"services.storage.invalid_mapping_type"}}
{"result":false}


=== TEST 11: a field's type cannot change, new fields may be added
--- request eval
["POST /nyc/_create",
 'PUT /nyc/open' . "\n" . '{"properties":{"a":{"type":"keyword"}}}',
 'PUT /nyc/open' . "\n" . '{"properties":{"a":{"type":"integer"}}}',
 'PUT /nyc/open' . "\n" . '{"properties":{"b":{"type":"integer"}}}',
 "GET /nyc/open/_mapping"]
--- error_code eval
[200, 200, 400, 200, 200]
--- kuzzle_reply
{}
{}
{"error":{"id":"services.storage.cannot_change_mapping"}}
{}
{"result":{"nyc":{"mappings":{"open":{"properties":{"a":{"type":"keyword"},"b":{"type":"integer"}}}}}}}


=== TEST 12: the mapping of what is not there
--- request eval
["POST /nyc/_create", "GET /nyc/none/_mapping", "GET /nyc/none/_mapping"]
--- more_headers eval
["A: b", "A: b", "X-Kuzzle-Volatile: {\"sdkName\":\"js\@7\"}"]
--- error_code eval
[200, 404, 412]
--- kuzzle_error
-
404 services.storage.unexpected_not_found
412 services.storage.unknown_collection ~"nyc":"none"


=== TEST 13: an index that is deleted and made again is empty
--- request eval
["POST /nyc/_create", "PUT /nyc/taxi", "POST /nyc/taxi/x/_create\n{}",
 "GET /nyc/taxi/x", "DELETE /nyc", "POST /nyc/_create", "GET /nyc/_list",
 "PUT /nyc/taxi", "GET /nyc/taxi/x"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 200, 200, 404]
--- kuzzle_reply
{}
{}
{}
{"result":{"found":true}}
{}
{}
{"result":{"collections":[]}}
{}
{"error":{"id":"~not_found"}}


=== TEST 14: refresh, and refresh of what is not there
--- request eval
["POST /nyc/_create", "POST /nyc/_refresh", "POST /none/_refresh"]
--- error_code eval
[200, 200, 412]
--- kuzzle_reply
{}
{"result":{"_shards":{"failed":0}}}
{"error":{"id":"services.storage.unknown_index"}}


=== TEST 15: everything survives a restart
--- ws
http POST /nyc/_create
http PUT /nyc/taxi {"properties":{"n":{"type":"integer"}}}
http POST /nyc/taxi/x/_create {"n":1}
restart
http GET /nyc/taxi/x => {"result":{"_version":1,"_source":{"n":1}}}
http GET /nyc/_list => {"result":{"collections":[{"name":"taxi","type":"stored"}]}}


=== TEST 16: mDelete: those that exist; what is missing (1), or not (2)
--- request eval
["POST /a/_create", "POST /b/_create", "POST /c/_create",
 'DELETE /_mdelete' . "\n" . '{"indexes":["b","none","a",1]}', "GET /_list",
 "DELETE /_mdelete\n{}", "DELETE /_mdelete\n{}"]
--- more_headers eval
["A: b", "A: b", "A: b", "A: b", "A: b", "A: b", "X-Kuzzle-Volatile: {\"sdkName\":\"js\@7\"}"]
--- error_code eval
[200, 200, 200, 200, 200, 400, 200]
--- kuzzle_reply
{}
{}
{}
{"result":{"deleted":["a","b"]}}
{"result":{"indexes":["c"]}}
{"error":{"id":"api.assert.missing_argument","message":"Missing argument \"body.indexes\"."}}
{"result":{"deleted":[]}}


=== TEST 17: autoRefresh is kept with the index
--- request eval
["POST /nyc/_create", "GET /nyc/_autoRefresh", 'POST /nyc/_autoRefresh' . "\n" . '{"autoRefresh":true}',
 "GET /nyc/_autoRefresh", 'POST /nyc/_autoRefresh' . "\n" . '{"autoRefresh":1}',
 'POST /none/_autoRefresh' . "\n" . '{"autoRefresh":true}', "DELETE /nyc", "POST /nyc/_create",
 "GET /nyc/_autoRefresh", "POST /_refreshInternal"]
--- error_code eval
[200, 200, 200, 200, 400, 412, 200, 200, 200, 200]
--- kuzzle_reply
{}
{"result":false}
{"result":{"response":true}}
{"result":true}
{"error":{"id":"api.assert.invalid_type"}}
{"error":{"id":"services.storage.unknown_index"}}
{}
{}
{"result":false}
{"result":{"acknowledged":true}}


=== TEST 18: stats and countCollection
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["POST /empty/_create", "PUT /nyc/taxi", "PUT /nyc/bus", "POST /nyc/taxi/x/_create\n{}",
 "GET /_list?countCollection", "GET /_storageStats"]
--- kuzzle_reply
{}
{}
{}
{}
{"result":{"indexes":["empty","nyc"],"collections":{"empty":0,"nyc":2}}}
{"result":{"indexes":[{"name":"nyc","collections":[{"name":"bus","documentCount":0},{"name":"taxi","documentCount":1}]}]}}
