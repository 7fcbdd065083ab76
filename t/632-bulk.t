# Controller bulk, both generations.

use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: write keeps documents as they are
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/_write?_id=w {"a":1} => {"result":{"_id":"w","_version":1,
 "result":"created","created":true,"_source":{"a":1,"-":["_kuzzle_info"]},"-":["_meta"]}}
http POST /nyc/taxi/_write?_id=w {"_kuzzle_info":{"author":"me","createdAt":3},"b":2}
 => {"result":{"_version":2,"created":false,"result":"updated","_source":{"b":2,
 "_kuzzle_info":{"author":"me","createdAt":3,"-":["updatedAt"]}},"_meta":{"author":"me"}}}
http GET /nyc/taxi/w => {"result":{"_source":{"b":2,"_kuzzle_info":{"author":"me"},"-":["a"]}}}
http POST /nyc/taxi/_write?_id=x {"_kuzzle_info":{"active":false,"deletedAt":7}}
 => {"result":{"_source":{"_kuzzle_info":{"active":false,"deletedAt":7}},"_meta":{"active":false}}}
http POST /nyc/taxi/_write?_id=e {"_kuzzle_info":{}} => {"result":{"_source":{"_kuzzle_info":{}}}}
http POST /nyc/taxi/_write?_id=s {"_kuzzle_info":3} => 400
http GET /nyc/taxi/s/_exists => {"result":false}
http PUT /nyc/taxi/w/_update {"c":1} => 200
http GET /nyc/taxi/w => {"result":{"_source":{"b":2,"c":1,"_kuzzle_info":{"author":"me","createdAt":3,"updater":"-1"}}}}
http POST /nyc/taxi/_write?_id=_no {} => 400 {"error":{"id":"api.assert.invalid_id"}}


=== TEST 2: write and mWrite announce only when they are told to
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
open b
open a apart=b
a> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{},"requestId":"s"}
a< {"status":200}
b> {"controller":"bulk","action":"write","index":"nyc","collection":"taxi","_id":"w","requestId":"1","body":{"n":1}}
b< {"status":200}
b> {"controller":"bulk","action":"mWrite","index":"nyc","collection":"taxi","requestId":"2","body":{"documents":[{"_id":"w","body":{"n":1}}]}}
b< {"status":200}
b> {"controller":"bulk","action":"import","index":"nyc","collection":"taxi","requestId":"3","body":{"bulkData":[{"index":{"_id":"w"}},{"n":4}]}}
b< {"status":200}
a! 0.2
b> {"controller":"bulk","action":"write","index":"nyc","collection":"taxi","_id":"w","notify":true,"requestId":"4","body":{"n":1}}
b< {"status":200}
a< {"requestId":"4","action":"replace","result":{"_id":"w"}}
b> {"controller":"bulk","action":"mWrite","index":"nyc","collection":"taxi","notify":true,"requestId":"5","body":{"documents":[{"_id":"v","body":{"n":1}}]}}
b< {"status":200}
a< {"requestId":"5","action":"create","result":{"_id":"v"}}
a! 0.2


=== TEST 3: mWrite in both shapes; 2.x has no limit
--- config
location / {
    kuzzle;
    kuzzle_api 1;
}
location /two/ {
    kuzzle;
    kuzzle_api 2;
    rewrite ^/two(/.*)$ $1 break;
}
--- kuzzle_config
documents_write_count 1;
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/_mWrite {"documents":[{"_id":"a","body":{"n":1}},{"_id":"b","body":{}}]} => 413
http POST /nyc/taxi/_mWrite {"documents":[{"_id":"a","body":{"n":1}},{"_id":"b"}]} => 206 {
 "error":{"id":"services.storage.import_failed","count":1,"errors":[{"reason":"bad format"}]},
 "result":{"total":1,"hits":[{"_id":"a","_source":{"n":1,"-":["_kuzzle_info"]},"created":true,"status":201,"-":["_meta"]}]}}
http POST /two/nyc/taxi/_mWrite {"documents":[{"_id":"a","body":{"n":2}},{"_id":"b","body":{}},{"_id":"c"}]} => 200 {
 "result":{"errors":[{"document":{"_id":"c"},"status":400}],
 "successes":[{"_id":"a","_source":{"n":2},"_version":2},{"_id":"b","_version":1}]}}
http POST /nyc/taxi/_mWrite {} => 400 {"error":{"message":"Missing argument \"body.documents\"."}}


=== TEST 4: import in the shape of 1.x, into several collections
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/bus
http POST /_bulk {"bulkData":[
 {"index":{"_index":"nyc","_type":"taxi","_id":"a"}},{"n":1},
 {"create":{"_index":"nyc","_type":"bus","_id":"a"}},{"n":2},
 {"create":{"_index":"nyc","_type":"taxi","_id":"a"}},{"n":3},
 {"update":{"_index":"nyc","_type":"taxi","_id":"a"}},{"doc":{"m":1}},
 {"update":{"_index":"nyc","_type":"taxi","_id":"no"}},{"doc":{"m":1}},
 {"update":{"_index":"nyc","_type":"taxi","_id":"up"}},{"doc":{"m":1},"upsert":{"u":1}},
 {"delete":{"_index":"nyc","_type":"bus","_id":"a"}},
 {"index":{"_index":"nyc","_type":"bus"}},{"n":9}]}
 => 206 {"error":{"id":"services.storage.import_failed","count":2},"result":{"errors":true,"items":[
 {"index":{"_index":"nyc","_type":"taxi","_id":"a","_version":1,"result":"created","created":true,"status":201}},
 {"create":{"_type":"bus","_id":"a","status":201}},
 {"create":{"_type":"taxi","_id":"a","status":400,"error":{"type":"version_conflict_engine_exception"}}},
 {"update":{"_id":"a","_version":2,"result":"updated","status":200}},
 {"update":{"_id":"no","status":404,"error":{"type":"document_missing_exception"}}},
 {"update":{"_id":"up","_version":1,"status":201}},
 {"delete":{"_type":"bus","_id":"a","result":"deleted","status":200}},
 {"index":{"_type":"bus","_id":"~^[-\\w]{20}$"}}],
 "partialErrors":[{"create":{"_id":"a"}},{"update":{"_id":"no"}}]}}
http GET /nyc/taxi/a => {"result":{"_source":{"n":1,"m":1,"_kuzzle_info":{"author":"-1","updater":"-1"}}}}
http GET /nyc/taxi/up => {"result":{"_source":{"u":1,"-":["m"],"_kuzzle_info":{"updater":"-1","-":["author"]}}}}
http GET /nyc/bus/a/_exists => {"result":false}
http POST /nyc/bus/_count => {"result":{"count":1}}
http POST /nyc/_bulk {"bulkData":[{"index":{"_type":"taxi","_id":"q"}},{"n":1},{"index":{"_type":"none"}},{}]}
 => 412 {"error":{"id":"services.storage.unknown_index_collection"}}
http GET /nyc/taxi/q/_exists => {"result":false}
http POST /_bulk {"bulkData":[{"index":{"_index":"%kuzzle","_type":"taxi"}},{"n":1}]} => 400 {"error":{"id":"services.storage.index_protected"}}
http POST /_bulk {} => 400 {"error":{"message":"Missing argument \"body.bulkData\"."}}
http POST /_bulk {"bulkData":[{"index":{}},{"n":1}]} => 400 {"error":{"id":"api.assert.missing_argument"}}


=== TEST 5: import in the shape of 2.x
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/_bulk {"bulkData":[{"index":{"_id":"a","_index":"other"}},{"n":1},
 {"create":{"_id":"a"}},{"n":3},{"delete":{"_id":"no"}}]}
 => 200 {"error":null,"result":{"successes":[{"index":{"_id":"a","status":201,"-":["_index"]}}],
 "errors":[{"create":{"_id":"a","status":400,"_source":{"n":3},"error":{"type":"*string","reason":"*string"}}},
 {"delete":{"_id":"no","status":404}}]}}
http POST /nyc/taxi/_bulk?strict {"bulkData":[{"create":{"_id":"a"}},{"n":3},{"index":{"_id":"b"}},{}]}
 => 400 {"error":{"id":"api.process.incomplete_multiple_request","count":1}}
http GET /nyc/taxi/b/_exists => {"result":true}
http POST /nyc/taxi/_bulk {"bulkData":[{"frob":{}},{}]} => 400 {"error":{
 "id":"services.storage.unexpected_bad_request",
 "message":"Malformed action/metadata line [1], expected one of [create, delete, index, update] but found [frob]"}}
http POST /nyc/taxi/_bulk {"bulkData":[{"index":{"_id":"z"}}]} => 400
http POST /nyc/taxi/_bulk {"bulkData":[{"update":{"_id":"a"}},{"script":{"source":"1"}}]} => 400 {"error":{"id":"services.storage.invalid_query_keyword"}}
http POST /nyc/taxi/_bulk {"bulkData":[1]} => 400
http POST /nyc/taxi/_bulk {"bulkData":[]} => {"result":{"errors":[],"successes":[]}}


=== TEST 6: updateByQuery and deleteByQuery, silent and without a limit
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- kuzzle_config
documents_write_count 1;
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/a {"n":1}
http PUT /nyc/taxi/b {"n":2}
http PUT /nyc/taxi/c {"n":3}
open a
a> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{},"requestId":"s"}
a< {"status":200}
http PATCH /nyc/taxi/_bulk/_query {"query":{"range":{"n":{"gte":2}}},"changes":{"o":{"p":1}}} => {"result":{"updated":2}}
http GET /nyc/taxi/b => {"result":{"_version":2,"_source":{"n":2,"o":{"p":1},"_kuzzle_info":{"author":"-1"}}}}
http PATCH /nyc/taxi/_bulk/_query {"query":{"match_all":{}},"changes":{"o":{"q":1}}} => {"result":{"updated":3}}
http GET /nyc/taxi/b => {"result":{"_version":3,"_source":{"o":{"p":1,"q":1}}}}
http DELETE /nyc/taxi/_bulk/_query {"query":{"range":{"n":{"gte":2}}}} => {"result":{"deleted":2}}
http DELETE /nyc/taxi/_bulk/_query {"query":{"range":{"n":{"gte":2}}}} => {"result":{"deleted":0}}
http POST /nyc/taxi/_count => {"result":{"count":1}}
http DELETE /nyc/taxi/_bulk/_query {} => 400 {"error":{"id":"api.assert.missing_argument","props":["body.query"]}}
a! 0.2


=== TEST 7: more documents than fit into a page, each once
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws eval
my $lines = join ',', map { qq({"index":{"_id":"d$_"}},{"n":$_}) } 1 .. 12000;
my $raw = qq({"query":{"range":{"n":{"gt":500}}},"changes":{"k":1}});

<<"END";
http POST /nyc/_create
http PUT /nyc/taxi {"mappings":{"properties":{"n":{"type":"integer"},"k":{"type":"integer"}}}}
http POST /nyc/taxi/_bulk {"bulkData":[$lines]} => {"result":{"errors":[]}}
http PATCH /nyc/taxi/_bulk/_query $raw => {"result":{"updated":11500}}
http POST /nyc/taxi/_count {"query":{"term":{"k":1}}} => {"result":{"count":11500}}
http GET /nyc/taxi/d12000 => {"result":{"_version":2}}
http GET /nyc/taxi/d500 => {"result":{"_version":1}}
http PATCH /nyc/taxi/_bulk/_query {"query":{"match_all":{}},"changes":{"k":2}} => {"result":{"updated":12000}}
http GET /nyc/taxi/d12000 => {"result":{"_version":3}}
http DELETE /nyc/taxi/_bulk/_query {"query":{"range":{"n":{"gt":500}}}} => {"result":{"deleted":11500}}
http POST /nyc/taxi/_count => {"result":{"count":500}}
END
