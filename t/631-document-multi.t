# Controller document: many documents at once, writes by query, upsert,
# deleteFields; both generations.

use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: mCreate in the shape of 1.x; an id that is there is refused alone
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t1/_create {"n":1}
http POST /nyc/taxi/_mCreate {"documents":[{"_id":"t1","body":{"n":2}},
 {"_id":"t2","body":{"n":3}},{"body":{"n":4}},{"_id":"t5","body":"x"}]}
 => 206 {"status":206,"error":{"id":"services.storage.incomplete_create",
 "message":"Couldn't create all the requested documents: %s","count":2,
 "errors":[{"document":{"_id":"t5","body":"x"},"reason":"bad format"},
 {"document":{"_id":"t1","_source":{"n":2,"_kuzzle_info":{"author":"-1",
 "updatedAt":null,"active":true}}},"reason":"document already exists"}]},
 "result":{"total":2,"hits":[{"_id":"t2","_source":{"n":3,"_kuzzle_info":
 {"author":"-1","createdAt":"*number","updatedAt":null,"active":true}},
 "_index":"nyc","_type":"taxi","_version":1,"result":"created","created":true,
 "status":201,"_meta":{"author":"-1","active":true}},
 {"_id":"~^[-\\w]{20}$","_source":{"n":4}}]}}
http GET /nyc/taxi/t1 => {"result":{"_version":1,"_source":{"n":1}}}
http POST /nyc/taxi/_count => {"result":{"count":3}}


=== TEST 2: mCreate in the shape of 2.x, and strict
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t1/_create {"n":1}
http POST /nyc/taxi/_mCreate {"documents":[{"_id":"t1","body":{"n":2}},
 {"_id":"t2","body":{"n":3,"_kuzzle_info":{"author":"me"}}},{"_id":"t3"}]}
 => 200 {"error":null,"result":{"errors":[
 {"document":{"_id":"t3"},"reason":"document body must be an object","status":400},
 {"document":{"_id":"t1","body":{"n":2}},"reason":"document already exists","status":400}],
 "successes":[{"_id":"t2","_source":{"n":3,"_kuzzle_info":{"author":"-1"}},
 "_version":1,"created":true,"result":"created","status":201,"-":["_index"]}]}}
http POST /nyc/taxi/_mCreate?strict {"documents":[{"_id":"t1","body":{"n":2}},
 {"_id":"t4","body":{"n":3}}]} => 400 {"error":{
 "id":"api.process.incomplete_multiple_request","count":1,"props":["mCreate"],
 "errors":[{"document":{"_id":"t1"},"reason":"document already exists"}]},
 "result":null}
http GET /nyc/taxi/t4/_exists => {"result":true}
http POST /nyc/taxi/_mCreate {"documents":[]}
 => {"result":{"errors":[],"successes":[]}}


=== TEST 3: mCreateOrReplace, mReplace, mUpdate
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t1/_create {"a":{"b":1},"c":1}
http PUT /nyc/taxi/_mUpdate {"documents":[{"_id":"t1","body":{"a":{"d":2}}},
 {"_id":"no","body":{"x":1}},{"body":{"x":1}}]} => 206 {"error":{"count":2,"errors":[
 {"document":{"_source":{"x":1}},"reason":"a document ID is required"},
 {"_id":"no","_source":{"x":1},"_index":"nyc","_type":"taxi","status":404,
 "error":{"type":"document_missing_exception",
 "reason":"[taxi][no]: document missing"}}]},"result":{"total":1,"hits":[
 {"_id":"t1","_version":2,"result":"updated","status":200,
 "_source":{"a":{"b":1,"d":2},"c":1,"_kuzzle_info":{"updater":"-1"}},
 "get":{"found":true,"_source":{"c":1}}}]}}
http PUT /nyc/taxi/_mCreateOrReplace {"documents":[{"_id":"t1","body":{"z":1}},
 {"_id":"t2","body":{"z":2}}]} => 200 {"error":null,"result":{"total":2,"hits":[
 {"_id":"t1","_version":3,"created":false,"status":200,"_source":{"z":1,
 "_kuzzle_info":{"updatedAt":null},"-":["c"]}},{"_id":"t2","_version":1,
 "created":true,"status":201}]}}
http PUT /nyc/taxi/_mReplace {"documents":[{"_id":"t1","body":{"y":1}},
 {"_id":"no","body":{"y":2}},{"body":{}}]} => 206 {"error":{"count":2,"errors":[
 {"reason":"a document ID is required"},
 {"document":{"_id":"no"},"reason":"cannot replace a non-existing document (use mCreateOrReplace if you need to create non-existing documents)"}]},
 "result":{"total":1,"hits":[{"_id":"t1","_version":4}]}}
http GET /nyc/taxi/no/_exists => {"result":false}
http POST /nyc/taxi/_mGet {"ids":["t1","no"]} => 206 {"error":{
 "id":"services.storage.incomplete_fetch","errors":["no"],"count":1},
 "result":{"hits":[{"_id":"t1","found":true,"_source":{"y":1},"_meta":{"author":"-1"}},
 {"_id":"no","found":false}],"total":2}}
http DELETE /nyc/taxi/_mDelete {"ids":["t1","no",3]} => 206 {"error":{
 "id":"services.storage.incomplete_delete","count":2,"errors":[
 {"id":3,"reason":"the document ID must be a string"},{"_id":"no","status":404}]},
 "result":["t1"]}
http GET /nyc/taxi/t1/_exists => {"result":false}


=== TEST 4: mUpdate, mReplace, mDelete, mGet, mExists in the shape of 2.x
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t1/_create {"a":{"b":1},"c":1}
http PUT /nyc/taxi/_mUpdate {"documents":[{"_id":"t1","body":{"a":{"d":2},"e":1}},
 {"_id":"no","body":{"x":1}},{"body":{"x":1}}]} => 200 {"error":null,"result":{
 "errors":[{"document":{"body":{"x":1,"-":["_kuzzle_info"]}},"reason":"document _id must be a string","status":400},
 {"document":{"_id":"no","body":{"x":1,"_kuzzle_info":{"updater":"-1"}}},"reason":"document not found","status":404}],
 "successes":[{"_id":"t1","_version":2,"status":200,"_updatedFields":["a.d","e"],
 "_source":{"a":{"b":1,"d":2},"c":1,"e":1}}]}}
http PUT /nyc/taxi/_mReplace {"documents":[{"_id":"no","body":{"x":1}},{"_id":"t1","body":{"x":1}}]}
 => {"result":{"errors":[{"document":{"_id":"no"},"reason":"document not found","status":404}],
 "successes":[{"_id":"t1","_version":3}]}}
http POST /nyc/taxi/_mGet {"ids":["t1","no"]} => 200 {"error":null,"result":{
 "errors":["no"],"successes":[{"_id":"t1","_source":{"x":1},"_version":3,"-":["found"]}]}}
http GET /nyc/taxi/_mGet?ids=t1,no&strict => 400 {"error":{
 "id":"api.process.incomplete_multiple_request","errors":["no"],"count":1}}
http GET /nyc/taxi/_mGet?ids=["t1"] => {"result":{"successes":[{"_id":"t1"}]}}
http POST /nyc/taxi/_mExists {"ids":["t1","no"]} => {"result":{"errors":["no"],"successes":["t1"]}}
http DELETE /nyc/taxi/_mDelete {"ids":["no","t1"]} => {"result":{"successes":["t1"],
 "errors":[{"_id":"no","reason":"document not found","status":404}]}}


=== TEST 5: limits are looked at before anything is written
--- kuzzle_config
documents_write_count 2;
documents_fetch_count 2;
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/_mCreate {"documents":[{"_id":"a","body":{}},{"_id":"b","body":{}},{"_id":"c","body":{}}]}
 => 413 {"error":{"id":"services.storage.write_limit_exceeded"}}
http POST /nyc/taxi/_count => {"result":{"count":0}}
http POST /nyc/taxi/_mCreate {"documents":[{"_id":"a","body":{}},{"_id":"b","body":{}},{"_id":"c"}]}
 => 206 {"result":{"total":2}}
http POST /nyc/taxi/_mGet {"ids":["a","b","c"]} => 413 {"error":{"id":"services.storage.get_limit_exceeded"}}
http DELETE /nyc/taxi/_mDelete {"ids":["a","b","c"]} => 413 {"error":{"id":"services.storage.write_limit_exceeded"}}
http GET /nyc/taxi/a/_exists => {"result":true}


=== TEST 6: limits of writes by query, generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- kuzzle_config
documents_write_count 2;
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/a {"n":1}
http PUT /nyc/taxi/b {"n":2}
http PUT /nyc/taxi/c {"n":3}
http PUT /nyc/taxi/_query {"query":{},"changes":{"x":1}} => 413 {"error":{"id":"services.storage.write_limit_exceeded"}}
http DELETE /nyc/taxi/_query {} => 413 {"error":{"id":"services.storage.write_limit_exceeded"}}
http POST /nyc/taxi/_count {"query":{"exists":{"field":"x"}}} => {"result":{"count":0}}
http POST /nyc/taxi/_count => {"result":{"count":3}}
http PUT /nyc/taxi/_query {"query":{"range":{"n":{"gt":1}}},"changes":{"x":1}}
 => {"result":{"errors":[],"successes":[{"_id":"b","_version":2,"status":200,"-":["_source"]},{"_id":"c"}]}}
http PUT /nyc/taxi/_query?source {"query":{"ids":{"values":["a"]}},"changes":{"x":2}}
 => {"result":{"successes":[{"_id":"a","_source":{"n":1,"x":2}}]}}
http PUT /nyc/taxi/_query {"query":{"ids":{"values":["zz"]}},"changes":{"x":2}}
 => {"result":{"errors":[],"successes":[]}}
http DELETE /nyc/taxi/_query?source {"query":{"range":{"n":{"gt":2}}}}
 => {"result":{"ids":["c"],"documents":[{"_id":"c","_source":{"n":3,"x":1}}]}}
http DELETE /nyc/taxi/_query {} => {"result":{"ids":["~^[ab]$","~^[ab]$"],"documents":[{"_id":"~^[ab]$","-":["_source"]},{"_id":"~^[ab]$"}]}}
http POST /nyc/taxi/_count => {"result":{"count":0}}
http PUT /nyc/taxi/_query {"query":{}} => 400 {"error":{"id":"api.assert.missing_argument","props":["body.changes"]}}
http PUT /nyc/taxi/_query {"query":{"nonsense":1},"changes":{}} => 400


=== TEST 7: 1.x deletes by query without a limit
--- kuzzle_config
documents_write_count 2;
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/a {"n":1}
http PUT /nyc/taxi/b {"n":2}
http PUT /nyc/taxi/c {"n":3}
http DELETE /nyc/taxi/_query {} => 400 {"error":{"id":"api.assert.missing_argument"}}
http DELETE /nyc/taxi/_query {"query":{"match_all":{}}} => {"result":{"ids":["a","b","c"],"-":["documents"]}}
http POST /nyc/taxi/_count => {"result":{"count":0}}


=== TEST 8: upsert and mUpsert
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/u1/_upsert {} => 400 {"error":{"id":"api.assert.missing_argument","props":["body.changes"]}}
http POST /nyc/taxi/u1/_upsert {"changes":{"a":{"x":1}},"default":{"a":{"y":2},"b":1}}
 => {"result":{"_id":"u1","_version":1,"created":true,"-":["_source"]}}
http GET /nyc/taxi/u1 => {"result":{"_source":{"a":{"x":1,"-":["y"]},"b":1,
 "_kuzzle_info":{"author":"-1","createdAt":"*number","-":["updatedAt"]}}}}
http POST /nyc/taxi/u1/_upsert?source {"changes":{"a":{"z":1}},"default":{"c":1}}
 => {"result":{"_id":"u1","_version":2,"created":false,"_source":{"a":{"x":1,"z":1},"b":1,"-":["c"],
 "_kuzzle_info":{"author":"-1","updater":"-1"}}}}
http POST /nyc/taxi/_mUpsert {"documents":[{"_id":"u1","changes":{"w":1}},
 {"_id":"u2","changes":{"a":1},"default":{"b":1}},{"changes":{}},{"_id":"u3","changes":1},
 {"_id":"u4","changes":{},"default":3}]} => {"result":{"errors":[
 {"reason":"document _id must be a string","status":400},
 {"document":{"_id":"u3","changes":1},"reason":"document changes must be an object"},
 {"reason":"document default must be an object"}],"successes":[
 {"_id":"u1","_version":3,"created":false,"status":200,"_updatedFields":["w"]},
 {"_id":"u2","_version":1,"created":true,"status":201,"_source":{"a":1,"b":1},"-":["_updatedFields"]}]}}


=== TEST 9: deleteFields removes paths, an element becomes null
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/t {"a":{"b":[{"c":1,"d":2},5],"e":1},"x.y":1,"x":{"y":2},"k":{"l":1},"z":1}
http DELETE /nyc/taxi/t/_fields {"fields":["a.b[0].c","a['b'][1]","x.y","none.at.all","k.l","a.e.f"]}
 => {"result":{"_id":"t","_version":2,"-":["_source"]}}
http GET /nyc/taxi/t => {"result":{"_source":{"a":{"b":[{"d":2,"-":["c"]},null],"e":1},
 "x":{"y":2},"k":{"-":["l"]},"z":1,"-":["x.y"],"_kuzzle_info":{"author":"-1","updater":"-1"}}}}
http DELETE /nyc/taxi/t/_fields?source {"fields":["x.y"]} => {"result":{"_source":{"x":{"-":["y"]}}}}
http DELETE /nyc/taxi/no/_fields {"fields":["z"]} => 404 {"error":{"id":"services.storage.not_found","props":["no","nyc","taxi"]}}
http DELETE /nyc/taxi/t/_fields {} => 400 {"error":{"id":"api.assert.missing_argument","props":["body.fields"]}}
http DELETE /nyc/taxi/t/_fields {"fields":"z"} => 400 {"error":{"id":"api.assert.invalid_type"}}


=== TEST 10: each of many is announced once, what was refused is not
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/t1 {"n":1}
open b
open a apart=b
a> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{"exists":{"field":"n"}},"requestId":"s"}
a< {"status":200}
b> {"controller":"document","action":"mCreate","index":"nyc","collection":"taxi","requestId":"m1","body":{"documents":[{"_id":"t1","body":{"n":9}},{"_id":"t2","body":{"n":2}},{"_id":"t3","body":{"n":3}},{"_id":"t4","body":{"m":3}}]}}
b< {"status":206}
a< {"requestId":"m1","action":"create","scope":"in","result":{"_id":"t2"}}
a< {"requestId":"m1","action":"create","scope":"in","result":{"_id":"t3"}}
a! 0.2
b> {"controller":"document","action":"mUpdate","index":"nyc","collection":"taxi","requestId":"m2","body":{"documents":[{"_id":"t2","body":{"k":{"l":1}}},{"_id":"none","body":{"n":2}}]}}
b< {"status":206}
a< {"requestId":"m2","action":"mUpdate","scope":"in","result":{"_id":"t2","_updatedFields":["k"]}}
a! 0.2
b> {"controller":"document","action":"mDelete","index":"nyc","collection":"taxi","requestId":"m3","body":{"ids":["t2","none","t3"]}}
b< {"status":206}
a< {"requestId":"m3","action":"delete","scope":"out","result":{"_id":"t2"}}
a< {"requestId":"m3","action":"delete","scope":"out","result":{"_id":"t3"}}
a! 0.2
b> {"controller":"document","action":"mCreate","index":"nyc","collection":"taxi","silent":true,"requestId":"m4","body":{"documents":[{"_id":"t5","body":{"n":9}}]}}
b< {"status":200}
a! 0.2


=== TEST 11: upsert, deleteFields and writes by query are announced
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
open b
open a apart=b
a> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{},"requestId":"s"}
a< {"status":200}
b> {"controller":"document","action":"upsert","index":"nyc","collection":"taxi","_id":"u","requestId":"1","body":{"changes":{"n":1}}}
b< {"status":200,"result":{"created":true}}
a< {"requestId":"1","action":"create","event":"write","result":{"_id":"u","_source":{"n":1}}}
b> {"controller":"document","action":"upsert","index":"nyc","collection":"taxi","_id":"u","requestId":"2","body":{"changes":{"m":{"k":1}}}}
b< {"status":200,"result":{"created":false}}
a< {"requestId":"2","action":"update","result":{"_id":"u","_updatedFields":["m.k"]}}
b> {"controller":"document","action":"deleteFields","index":"nyc","collection":"taxi","_id":"u","requestId":"3","body":{"fields":["m"]}}
b< {"status":200}
a< {"requestId":"3","action":"update","result":{"_id":"u","_source":{"n":1,"-":["m"]},"-":["_updatedFields"]}}
b> {"controller":"document","action":"updateByQuery","index":"nyc","collection":"taxi","requestId":"4","body":{"query":{},"changes":{"q":1}}}
b< {"status":200}
a< {"requestId":"4","action":"update","result":{"_id":"u","_updatedFields":["q"]}}
b> {"controller":"document","action":"updateByQuery","index":"nyc","collection":"taxi","silent":true,"requestId":"5","body":{"query":{},"changes":{"q":2}}}
b< {"status":200}
a! 0.2
b> {"controller":"document","action":"deleteByQuery","index":"nyc","collection":"taxi","requestId":"6","body":{}}
b< {"status":200}
a< {"requestId":"6","action":"delete","event":"delete","scope":"out","result":{"_id":"u"}}
a! 0.2


=== TEST 12: 1.x goes on with the version of a deleted document, 2.x does not
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
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/t {"n":1}
http PUT /nyc/taxi/t {"n":2}
http DELETE /nyc/taxi/t => {"result":{"_version":3}}
http POST /nyc/taxi/t/_create {"n":3} => {"result":{"created":true,"result":"created","_version":4}}
http DELETE /nyc/taxi/_mDelete {"ids":["t"]}
http POST /two/nyc/taxi/t/_create {"n":3} => {"result":{"_version":1}}
http DELETE /two/nyc/taxi/t
http POST /nyc/taxi/o/_create {"n":3} => {"result":{"_version":1}}


=== TEST 13: an entry that the mapping refuses leaves its neighbours alone
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http PUT /nyc/taxi {"mappings":{"dynamic":"strict","properties":{"n":{"type":"integer"}}}}
http POST /nyc/taxi/_mCreate {"documents":[{"_id":"a","body":{"n":1}},{"_id":"b","body":{"n":"x"}},{"_id":"c","body":{"o":1}},{"_id":"d","body":{"n":2}}]}
 => {"result":{"errors":[{"document":{"_id":"b"},"status":400},
 {"document":{"_id":"c"},"reason":"mapping set to strict, dynamic introduction of [o] within [_doc] is not allowed","status":400}],
 "successes":[{"_id":"a"},{"_id":"d"}]}}
http POST /nyc/taxi/_search {"query":{"range":{"n":{"gte":1}}}} => {"result":{"total":2}}


=== TEST 14: refused: no collection, no array, _routing, _source
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/none/_mCreate {"documents":[{"body":{}}]} => 412 {"error":{"id":"services.storage.unknown_collection"}}
http POST /nyc/taxi/_mCreate {} => 400 {"error":{"id":"api.assert.missing_argument","props":["body.documents"]}}
http POST /nyc/taxi/_mCreate {"documents":{}} => 400 {"error":{"id":"api.assert.invalid_type"}}
http POST /nyc/taxi/_mCreate {"documents":[{"_id":"a","body":{}},{"body":{"_routing":1}}]} => 400 {"error":{"id":"services.storage.no_routing"}}
http POST /nyc/taxi/_mCreate {"documents":[{"_id":"a","body":{}},{"_source":{}}]} => 400 {"error":{"id":"api.assert.unexpected_argument"}}
http POST /nyc/taxi/_count => {"result":{"count":0}}
