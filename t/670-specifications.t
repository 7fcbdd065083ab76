# Validation specifications: stored, found, removed, applied to documents and
# messages, in all workers.

use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: specifications are stored, read, removed; none is a 404
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http GET /nyc/taxi/_specifications => 404 {"error":{
 "id":"validation.assert.not_found",
 "message":"No specifications defined for index nyc and collection taxi"}}
http DELETE /nyc/taxi/_specifications => {"result":{"acknowledged":true}}
http PUT /nyc/taxi/_specifications {"strict":true,"fields":{"n":{"type":"integer"}}}
 => {"result":{"strict":true,"fields":{"n":{"type":"integer"}}}}
http GET /nyc/taxi/_specifications => {"result":{"index":"nyc",
 "collection":"taxi","validation":{"strict":true,
 "fields":{"n":{"type":"integer"}}},"-":["_kuzzle_info"]}}
http DELETE /nyc/taxi/_specifications => {"result":{"acknowledged":true}}
http GET /nyc/taxi/_specifications => 404
http POST /nyc/taxi/_create {"m":1}


=== TEST 2: specifications that are wrong are refused with all there is
--- ws
http PUT /nyc/spec/_specifications {"nyc":{"spec":{"strict":true}}}
 => 400 {"error":{"id":"validation.assert.invalid_specifications",
 "message":"~nyc.spec. contains unexpected properties .allowed: strict,fields,validators"}}
http PUT /nyc/spec/_specifications {"fields":{"a":{},"b":{"type":"x"}}}
 => 400 {"error":{"message":"Errors occured with the provided specifications:\nMissing property \"type\" in field \"nyc.spec.a\".\n\t- In \"nyc.spec.b\": unknown type \"x\"."}}
http GET /nyc/spec/_specifications => 404
http POST /nyc/spec/_validateSpecifications {"nyc":{"spec":{"strict":true}}}
 => {"result":{"valid":false,"details":["The object \"nyc.spec\" contains unexpected properties (allowed: strict,fields,validators)."],
 "description":"Some errors with provided specifications."}}
http POST /nyc/spec/_validateSpecifications {"strict":true,"fields":{"name":{"mandatory":true,"type":"string"},"age":{"type":"integer","typeOptions":{"range":{"min":0,"max":150}}}}}
 => {"result":{"valid":true,"-":["details"]}}
http POST /zz/zz/_validateSpecifications {} => {"result":{"valid":true}}
http PUT /nyc/spec/_specifications {"validators":[{"nope":{}}]}
 => 400 {"error":{"message":"~Invalid filters validator"}}
http PUT /nyc/spec/_specifications {"validators":{}} => 400


=== TEST 3: 1.x takes the specifications of many collections
--- ws
http PUT /_specifications {} => {"result":{}}
http POST /_validateSpecifications {} => {"result":{"valid":true}}
http PUT /_specifications {"nyc":{"a":{"strict":true},"b":{}},"rome":{"a":{}}}
 => {"result":{"nyc":{"a":{"strict":true}}}}
http GET /nyc/a/_specifications => {"result":{"validation":{"strict":true}}}
http GET /rome/a/_specifications => {"result":{"index":"rome"}}
http PUT /_specifications {"nyc":{"a":{"strict":1},"c":{}}} => 400
http GET /nyc/c/_specifications => 404
http PUT /_specifications {"nyc":5} => 400


=== TEST 4: 2.x needs index and collection
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
open a
a> {"controller":"collection","action":"validateSpecifications"}
a< {"status":400,"error":{"id":"api.assert.missing_argument","message":"~index"}}
a> {"controller":"collection","action":"updateSpecifications","index":"i","collection":"c"}
a< {"status":400,"error":{"id":"api.assert.body_required"}}
a> {"controller":"realtime","action":"validate"}
a< {"status":400,"error":{"id":"api.assert.body_required"}}
http PUT /nyc/none/_specifications {"strict":true} => {"result":{"strict":true}}
http GET /nyc/none/_specifications => {"result":{"validation":{"strict":true}}}


=== TEST 5: searching them
--- ws
http POST /validations/_search {} => 400 {"error":{"message":"query malformed, empty clause found"}}
http PUT /_specifications {"nyc":{"a":{},"b":{}},"rome":{"a":{}}}
http POST /validations/_search {"query":{"match_all":{}}} => {"result":{"total":3}}
http POST /validations/_search {"query":{"term":{"index":"rome"}}} => {"result":{
 "total":1,"hits":[{"_id":"rome#a","_source":{"index":"rome","collection":"a","validation":{},"-":["_kuzzle_info"]},"_score":"*number"}]}}
http POST /validations/_search?size=1 {"query":{"match_all":{}}} => {"result":{"total":3,"hits":["*"]}}


=== TEST 6: searching them, 2.x: no query finds all, nothing stored finds none
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /validations/_search {} => {"result":{"hits":[],"total":0}}
http PUT /nyc/a/_specifications {}
http POST /validations/_search {} => {"result":{"total":1}}


=== TEST 7: the index they live in is nobody's
--- ws
http PUT /nyc/a/_specifications {}
http GET /_list => {"result":{"indexes":[]}}
open a
a> {"controller":"document","action":"get","index":"%kuzzle","collection":"validations","_id":"nyc#a"}
a< {"status":400,"error":{"id":"services.storage.index_reserved"}}
a> {"controller":"document","action":"search","index":"%kuzzle","collection":"validations","body":{}}
a< {"status":400,"error":{"id":"services.storage.index_reserved"}}
a> {"controller":"document","action":"createOrReplace","index":"%kuzzle","collection":"validations","_id":"x","body":{}}
a< {"status":400,"error":{"id":"services.storage.index_reserved"}}
a> {"controller":"document","action":"delete","index":"%kuzzle","collection":"validations","_id":"nyc#a"}
a< {"status":400}
a> {"controller":"index","action":"delete","index":"%kuzzle"}
a< {"status":400}
a> {"controller":"index","action":"create","index":"%kuzzle"}
a< {"status":400,"error":{"id":"services.storage.index_reserved"}}
a> {"controller":"collection","action":"list","index":"%kuzzle","volatile":{"sdkName":"js@7.0.0"}}
a< {"status":400}
http GET /nyc/a/_specifications


=== TEST 8: create, createOrReplace, replace: the first failure, by its path
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/_specifications {"strict":true,"fields":{
 "name":{"type":"string","mandatory":true},"age":{"type":"integer","typeOptions":{"range":{"min":0,"max":150}}},
 "at":{"type":"object"},"at/zip":{"type":"string"}}}
http POST /nyc/taxi/t1/_create {"age":1} => 400 {"error":{"id":"validation.check.failed_field",
 "message":"Validation failed. Field \"name\": The field is mandatory."}}
http POST /nyc/taxi/t1/_create {"name":"x","x":1} => 400 {"error":{"id":"validation.check.failed_document"}}
http POST /nyc/taxi/t1/_create {"name":"x","at":{"zip":5}} => 400 {"error":{"message":"~Field \"at\\.zip\""}}
http POST /nyc/taxi/t1/_create {"name":"x","at":{"zap":5}} => 400 {"error":{"message":"~Field \"at\""}}
http GET /nyc/taxi/t1/_exists => {"result":false}
http POST /nyc/taxi/t1/_create {"name":"x","age":150}
http PUT /nyc/taxi/t1 {"name":"x","age":151} => 400 {"error":{"id":"validation.check.failed_field"}}
http PUT /nyc/taxi/t1/_replace {"name":7} => 400 {"error":{"id":"validation.check.failed_field"}}
http PUT /nyc/taxi/t1 {"name":"y","age":2}
http PUT /nyc/taxi/t1/_replace {"name":"z"}
http GET /nyc/taxi/t1 => {"result":{"_version":3,"_source":{"name":"z","-":["age"]}}}


=== TEST 9: update is checked as merged, and keeps what it does not say
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t0/_create {"age":1}
http PUT /nyc/taxi/_specifications {"strict":true,"fields":{"name":{"type":"string","mandatory":true},"age":{"type":"integer"}},
 "validators":[{"range":{"age":{"lt":10}}}]}
http PUT /nyc/taxi/t0/_update {"age":2} => 400 {"error":{"message":"~\"name\""}}
http PUT /nyc/taxi/t0/_update {"name":"a"} => {"result":{"_version":2}}
http PUT /nyc/taxi/t0/_update {"age":2} => {"result":{"_version":3}}
http PUT /nyc/taxi/t0/_update {"age":"x"} => 400
http PUT /nyc/taxi/t0/_update {"name":null} => 400
http PUT /nyc/taxi/t0/_update {"age":11} => 400 {"error":{"id":"validation.check.failed_document"}}
http PUT /nyc/taxi/t0/_update {"other":11} => 400 {"error":{"id":"validation.check.failed_document"}}
http PUT /nyc/taxi/none/_update {"age":1} => 404 {"error":{"id":"services.storage.not_found"}}
http GET /nyc/taxi/t0 => {"result":{"_version":3,"_source":{"name":"a","age":2}}}


=== TEST 10: default values are stored; in an update for null only
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/_specifications {"fields":{
 "name":{"type":"string","mandatory":true,"defaultValue":"none"},
 "zero":{"type":"integer","mandatory":true,"defaultValue":0},
 "o":{"type":"object"},"o/x":{"type":"anything","defaultValue":{"y":[1]}}}}
http POST /nyc/taxi/t1/_create {"o":{}} => {"result":{"_source":{"name":"none","o":{"x":{"y":[1]}},"-":["zero"]}}}
http POST /nyc/taxi/t2/_create {"name":"b"} => {"result":{"_source":{"name":"b","-":["o","zero"]}}}
http PUT /nyc/taxi/t2/_update {"k":1}
http GET /nyc/taxi/t2 => {"result":{"_source":{"name":"b","k":1}}}
http PUT /nyc/taxi/t2/_update {"name":null}
http GET /nyc/taxi/t2 => {"result":{"_source":{"name":"none","k":1,"-":["o"]}}}


=== TEST 11: document:validate tells everything
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/_validate {"a":1} => {"result":{"valid":true,"errorMessages":{}}}
http PUT /nyc/taxi/_specifications {"fields":{"n":{"type":"integer"},"s":{"type":"string","mandatory":true},
 "o":{"type":"object","typeOptions":{"strict":true}},"o/b":{"type":"boolean"},"p":{"type":"object"},"p/q":{"type":"email"}},
 "validators":[{"exists":{"field":"z"}}]}
http POST /nyc/taxi/_validate {"n":"x","o":{"c":1},"p":{"q":"no"}} => {"result":{"valid":false,"errorMessages":{
 "documentScope":["The document does not match validation filters."],
 "fieldScope":{"children":{"n":{"messages":["*string"],"-":["children"]},"s":{"messages":["The field is mandatory."]},
 "o":{"messages":["*string"]},"p":{"children":{"q":{"messages":["*string"]}},"-":["messages"]}}}}}}
http POST /nyc/taxi/_validate {"s":"a","z":1} => {"result":{"valid":true,"errorMessages":{"-":["fieldScope","documentScope"]}}}
open a
a> {"controller":"realtime","action":"validate","index":"nyc","collection":"taxi","body":{"s":"a","z":1}}
a< {"status":200,"result":{"valid":true}}
http POST /nyc/taxi/_count => {"result":{"count":0}}


=== TEST 12: messages are checked too, and get their default values
--- ws
http PUT /nyc/taxi/_specifications {"fields":{"n":{"type":"integer"},"d":{"type":"string","defaultValue":"x"}}}
open a
open b apart=a
a> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{}}
a< {"status":200}
b> {"controller":"realtime","action":"publish","index":"nyc","collection":"taxi","body":{"n":"x"}}
b< {"status":400,"error":{"id":"validation.check.failed_field"}}
b> {"controller":"realtime","action":"publish","index":"nyc","collection":"taxi","body":{"n":1}}
b< {"status":200,"result":{"published":true}}
a< {"action":"publish","result":{"_source":{"n":1,"d":"x"}}}
a! 0.1


=== TEST 13: what one worker was told the other enforces at once
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
open a
open b apart=a
a> {"controller":"document","action":"create","index":"nyc","collection":"taxi","body":{"n":"x"}}
a< {"status":200}
b> {"controller":"document","action":"create","index":"nyc","collection":"taxi","body":{"n":"x"}}
b< {"status":200}
times 20 a> {"controller":"collection","action":"updateSpecifications","index":"nyc","collection":"taxi","body":{"fields":{"n":{"type":"integer"}}}}
times 20 a< {"status":200}
b> {"controller":"document","action":"create","index":"nyc","collection":"taxi","body":{"n":"x"}}
b< {"status":400,"error":{"id":"validation.check.failed_field"}}
b> {"controller":"collection","action":"deleteSpecifications","index":"nyc","collection":"taxi"}
b< {"status":200}
a> {"controller":"document","action":"create","index":"nyc","collection":"taxi","body":{"n":"x"}}
a< {"status":200}
b> {"controller":"collection","action":"updateSpecifications","index":"nyc","collection":"taxi","body":{"strict":true}}
b< {"status":200}
a> {"controller":"document","action":"create","index":"nyc","collection":"taxi","body":{"n":"x"}}
a< {"status":400}
a> {"controller":"document","action":"create","index":"nyc","collection":"taxi","body":{}}
a< {"status":200}


=== TEST 14: an index takes its specifications with it, others stay
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /_specifications {"nyc":{"taxi":{"strict":true},"b":{}},"nyc2":{"a":{}}}
http POST /nyc/taxi/_create {"a":1} => 400
http DELETE /nyc
http GET /nyc/taxi/_specifications => 404
http GET /nyc/b/_specifications => 404
http GET /nyc2/a/_specifications
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/_create {"a":1}


=== TEST 15: they survive a restart and a killed writer
--- kills
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/_specifications {"strict":true}
http POST /nyc/taxi/_create {"a":1} => 400
kill writer
writer
http POST /nyc/taxi/_create {"a":1} => 400
restart
http POST /nyc/taxi/_create {"a":1} => 400
http POST /nyc/taxi/_create {}


=== TEST 16: updates of one document race, none is lost, all are checked
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/_specifications {"fields":{"a":{"type":"integer"}},
 "validators":[{"or":[{"missing":{"field":"k1"}},{"missing":{"field":"k2"}}]}]}
http POST /nyc/taxi/t1/_create {"a":0}
open a
open b apart=a
times 20 a> {"controller":"document","action":"update","index":"nyc","collection":"taxi","_id":"t1","body":{"a$i":1},"retryOnConflict":5}
times 20 b> {"controller":"document","action":"update","index":"nyc","collection":"taxi","_id":"t1","body":{"b$i":1}}
times 20 a< {"status":200}
times 20 b< {"status":200}
http GET /nyc/taxi/t1 => {"result":{"_version":41,"_source":{"a0":1,"a19":1,"b0":1,"b19":1}}}
a> {"controller":"document","action":"update","index":"nyc","collection":"taxi","_id":"t1","body":{"k1":1}}
b> {"controller":"document","action":"update","index":"nyc","collection":"taxi","_id":"t1","body":{"k2":1}}
a<~ {}
b<~ {}
http GET /nyc/taxi/t1 => {"result":{"_version":42}}


=== TEST 17: specifications in pages, and through no other door
--- ws
open a
http POST /si/_create
http PUT /si/one
http PUT /si/two
http PUT /si/one/_specifications {"strict":false,"fields":{}} => 200
http PUT /si/two/_specifications {"strict":false,"fields":{}} => 200
a> {"controller":"collection","action":"searchSpecifications","body":{"query":{"match_all":{}}},"size":1,"scroll":"1m","requestId":"1"}
a< {"status":200,"result":{"total":2,"scrollId":"*string"}} {s=result.scrollId}
a> {"controller":"document","action":"scroll","scrollId":"$s","requestId":"2"}
a< {"status":404,"error":{"id":"services.storage.unknown_scroll_id"}}
a> {"controller":"collection","action":"scrollSpecifications","scrollId":"nope","requestId":"3"}
a< {"status":404,"error":{"id":"services.storage.unknown_scroll_id"}}
a> {"controller":"collection","action":"searchSpecifications","body":{"query":{"match_all":{}}},"size":1,"scroll":"1m","requestId":"4"}
a< {"status":200,"result":{"total":2,"scrollId":"*string"}} {s=result.scrollId}
a> {"controller":"collection","action":"scrollSpecifications","scrollId":"$s","requestId":"5"}
a< {"status":200,"result":{"total":2,"hits":[{"_source":{"index":"si"}}]}}
