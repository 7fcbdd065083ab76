# Controller document: single documents, both generations.

use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: create, get, exists, delete in the shape of 1.x
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t1/_create {"name":"Sirkis","n":1}
 => {"result":{"_index":"nyc","_type":"taxi","_id":"t1","_version":1,
 "result":"created","created":true,"_source":{"name":"Sirkis","n":1,
 "_kuzzle_info":{"author":"-1","createdAt":"*number","updatedAt":null,
 "updater":null,"active":true,"deletedAt":null}},
 "_meta":{"author":"-1","active":true}}}
http GET /nyc/taxi/t1 => {"result":{"found":true,"_version":1,
 "_source":{"name":"Sirkis"},"_meta":{"author":"-1"},"-":["created","result"]}}
http GET /nyc/taxi/t1/_exists => {"result":true}
http DELETE /nyc/taxi/t1 => {"result":{"_id":"t1","_version":2,
 "result":"updated","-":["_source"]}}
http GET /nyc/taxi/t1/_exists => {"result":false}
http GET /nyc/taxi/t1 => 404 {"error":{"id":"~not_found"}}
http DELETE /nyc/taxi/t1 => 404 {"error":{"id":"~not_found"}}


=== TEST 2: the same in the shape of 2.x
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t1/_create {"name":"Sirkis"}
 => {"result":{"_id":"t1","_version":1,"_source":{"name":"Sirkis",
 "_kuzzle_info":{"author":"-1","updater":null,"-":["active","deletedAt"]}},
 "-":["_index","_meta","created","_shards"]}}
http GET /nyc/taxi/t1 => {"result":{"_id":"t1","_version":1,"-":["found","_meta"]}}
http DELETE /nyc/taxi/t1 => {"result":{"_id":"t1","-":["_source","_version"]}}
http POST /nyc/taxi/t2/_create {"n":1}
http DELETE /nyc/taxi/t2?source => {"result":{"_id":"t2","_source":{"n":1}}}
http GET /nyc/taxi/t1 => 404 {"error":{"id":"services.storage.not_found",
 "message":"Document \"t1\" not found in \"nyc\":\"taxi\".",
 "props":["t1","nyc","taxi"]}}


=== TEST 3: an id is made when none is given; two are different
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/_create {"n":1} => {"result":{"_id":"~^[-\\w]{20}$"}} {a=result._id}
http POST /nyc/taxi/_create {"n":2} => {"result":{"_id":"*string"}} {b=result._id}
http GET /nyc/taxi/$a => {"result":{"_source":{"n":1}}}
http GET /nyc/taxi/$b => {"result":{"_source":{"n":2}}}


=== TEST 4: creating over an existing id changes nothing
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t1/_create {"n":1}
http POST /nyc/taxi/t1/_create {"n":2} => 400 {"error":{"id":"services.storage.document_already_exists"}}
http GET /nyc/taxi/t1 => {"result":{"_version":1,"_source":{"n":1}}}


=== TEST 5: createOrReplace and replace
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/taxi/t1 {"n":1} => {"result":{"created":true,"result":"created",
 "_version":1,"_source":{"_kuzzle_info":{"updater":"-1","updatedAt":"*number"}}}}
http PUT /nyc/taxi/t1 {"m":2} => {"result":{"created":false,"result":"updated",
 "_version":2,"_source":{"m":2,"-":["n"]}}}
http PUT /nyc/taxi/t1/_replace {"k":3} => {"result":{"_version":3,"_source":{"k":3,"-":["m"]}}}
http PUT /nyc/taxi/none/_replace {"k":3} => 404 {"error":{"id":"services.storage.not_found"}}
http GET /nyc/taxi/none/_exists => {"result":false}


=== TEST 6: update merges objects, replaces arrays and scalars, keeps the rest
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t1/_create {"a":{"b":1,"c":[1,2]},"d":1.10,"e":12345678901234567890}
http PUT /nyc/taxi/t1/_update {"a":{"c":[3],"f":{"g":1}},"d":null}
 => {"result":{"_id":"t1","_version":2,"_source":{"a":{"c":[3],"f":{"g":1}},"d":null,
 "_kuzzle_info":{"updater":"-1","updatedAt":"*number"},"-":["e"]}}}
http PUT /nyc/taxi/t1/_update?source {"h":1}
 => {"result":{"_version":3,"_source":{"a":{"b":1,"c":[3],"f":{"g":1}},"d":null,"h":1}}}
http PUT /nyc/taxi/none/_update {"h":1} => 404 {"error":{"id":"services.storage.not_found"}}
open a
a> {"controller":"document","action":"get","index":"nyc","collection":"taxi","_id":"t1","requestId":"r"}
a< /"e":12345678901234567890/


=== TEST 7: numbers are stored as they were written
--- ws
http POST /nyc/_create
http PUT /nyc/taxi {"dynamic":"false"}
http POST /nyc/taxi/t1/_create { "a" : 1.10 , "b" : 1e400 , "c" : 0.1 }
open a
a> {"controller":"document","action":"get","index":"nyc","collection":"taxi","_id":"t1","requestId":"r"}
a< /"_source":\{"a":1\.10,"b":1e400,"c":0\.1,"_kuzzle_info"/


=== TEST 8: a client's _kuzzle_info is not believed
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t1/_create {"_kuzzle_info":{"author":"me"},"a":1}
 => {"result":{"_source":{"a":1,"_kuzzle_info":{"author":"-1"}}}}
http PUT /nyc/taxi/t1/_update {"_kuzzle_info":{"author":"me"}}
http GET /nyc/taxi/t1 => {"result":{"_source":{"a":1,"_kuzzle_info":{"author":"-1","updater":"-1"}}}}


=== TEST 9: repeated keys: the last wins wherever one looks
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/t1/_create {"a":1,"a":2} => {"result":{"_source":{"a":2}}}
open a
a> {"controller":"document","controller":"server","action":"get","action":"now","requestId":"1","requestId":"2"}
a< {"requestId":"2","room":"2","controller":"server","action":"now","status":200}
a> {"controller":"document","action":"get","index":"no","index":"nyc","collection":"no","collection":"taxi","_id":"no","_id":"t1","requestId":"3"}
a< {"index":"nyc","collection":"taxi","result":{"_id":"t1"}}
a> {"controller":"document","action":"count","index":"nyc","collection":"taxi","body":{"query":{"term":{"a":1}},"query":{"term":{"a":2,"a":2}}},"requestId":"4"}
a< {"result":{"count":1}}


=== TEST 10: an unknown index or collection
--- ws
http POST /nyc/_create
http POST /nyc/none/_create {} => 412 {"error":{"id":"services.storage.unknown_index_collection"}}
http POST /none/none/_create {} => 412 {"error":{"id":"services.storage.unknown_index_collection"}}
http GET /nyc/none/x => 404 {"error":{"id":"services.storage.unexpected_not_found"}}
http PUT /nyc/none/x header="X-Kuzzle-Volatile: {\"sdkName\":\"js@7\"}" {} => any


=== TEST 11: the same in generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http POST /nyc/_create
http POST /nyc/none/_create {} => 412 {"error":{"id":"services.storage.unknown_collection","props":["nyc","none"]}}
http GET /nyc/none/x => 412 {"error":{"id":"services.storage.unknown_collection"}}
http DELETE /nyc/none/x => 412 {"error":{"id":"services.storage.unknown_collection"}}


=== TEST 12: ids: an underscore (1), too long, with a slash, with any text
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/_x/_create {} => 400 {"error":{"id":"api.assert.invalid_id"}}
http POST /nyc/taxi/<<repeat:600:i>>/_create {} => 400 {"error":{"id":"services.storage.unexpected_bad_request"}}
http POST /nyc/taxi/a%2Fb/_create {"n":1} => {"result":{"_id":"a/b"}}
http GET /nyc/taxi/a%2Fb => {"result":{"_id":"a/b","_source":{"n":1}}}
http POST /nyc/taxi/%C3%A9%22%5C%20x/_create {"n":2} => {"status":200}
http GET /nyc/taxi/%C3%A9%22%5C%20x => {"result":{"_source":{"n":2}}}


=== TEST 13: missing arguments are named, in each generation's order
--- ws
open a
a> {"controller":"document","action":"create","requestId":"1"}
a< {"status":400,"error":{"id":"api.assert.body_required"}}
a> {"controller":"document","action":"create","requestId":"2","volatile":{"sdkName":"js@7"}}
a< {"status":400,"error":{"id":"api.assert.missing_argument","message":"Missing argument \"index\"."}}
a> {"controller":"document","action":"get","index":"nyc","collection":"taxi","requestId":"3"}
a< {"status":400,"error":{"message":"Missing argument \"_id\"."}}


=== TEST 14: a strict mapping refuses unknown fields, a typed one wrong values
--- ws
http POST /nyc/_create
http PUT /nyc/strict {"dynamic":"strict","properties":{"ok":{"type":"keyword"}}}
http POST /nyc/strict/_create {"ok":"x"}
http POST /nyc/strict/_create {"ok":"x","no":1} => 400 {"error":{"message":"~no"}}
http PUT /nyc/typed {"properties":{"age":{"type":"integer"}}}
http POST /nyc/typed/_create {"age":"abc"} => 400
 {"error":{"id":"services.storage.unexpected_bad_request","message":"~failed to parse.*age"}}
http POST /nyc/typed/_count => {"result":{"count":0}}


=== TEST 15: a write through one worker is seen through the other at once
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
open a
open b apart=a
times 50 a> {"controller":"document","action":"createOrReplace","index":"nyc","collection":"taxi","_id":"x","body":{"n":1},"requestId":"r"}
times 50 a< {"status":200}
b> {"controller":"document","action":"get","index":"nyc","collection":"taxi","_id":"x","requestId":"g"}
b< {"result":{"_version":50}}


=== TEST 16: refresh takes the values Kuzzle takes (1)
--- ws
http POST /nyc/_create
http PUT /nyc/taxi
http POST /nyc/taxi/_create?refresh=wait_for {} => 200
http POST /nyc/taxi/_create?refresh=maybe {} => 400 {"error":{"id":"services.storage.invalid_argument"}}


=== TEST 17: a document as large as a request may be
--- ws
http POST /nyc/_create
http PUT /nyc/taxi {"dynamic":"false"}
http PUT /nyc/taxi/big {"a":"<<repeat:1000000:x>>"}
http GET /nyc/taxi/big => {"result":{"_version":1}}
http PUT /nyc/taxi/big/_update {"n":1} => {"result":{"_version":2}}
