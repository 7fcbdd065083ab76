# From an HTTP request to a query: headers, tokens, cookies, POST /_query, and
# which generation it is.

use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: a token in the header: 1.x knows "Bearer" in this case only
--- config
location / {
    kuzzle;
}
location /2/ {
    rewrite ^/2/(.*) /$1 break;
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["GET /_now", "GET /_now", "GET /_now", "GET /_now", "GET /2/_now",
 "GET /2/_now", "GET /2/_now"]
--- more_headers eval
["Authorization: Bearer abc", "Authorization: bearer abc",
 "Authorization: Basic abc", "Authorization: Bearer",
 "Authorization: BEARER abc", "Authorization: Basic abc", "A: b"]
--- error_code eval
[401, 200, 200, 200, 401, 200, 200]
--- kuzzle_error
401 security.token.invalid
-
-
-
401 security.token.invalid
-
-


=== TEST 2: a token in the query string beats the header in 1.x, not in 2.x
--- config
location / {
    kuzzle;
}
location /2/ {
    rewrite ^/2/(.*) /$1 break;
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["GET /_now?jwt=", "GET /_now?jwt=x", "GET /2/_now?jwt=", "GET /2/_now?jwt=x"]
--- more_headers eval
["Authorization: Bearer abc", "A: b", "Authorization: Bearer abc", "A: b"]
--- error_code eval
[200, 401, 401, 401]


=== TEST 3: a cookie is a token, of generation 2 only
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
location /1/ {
    rewrite ^/1/(.*) /$1 break;
    kuzzle;
    kuzzle_api 1;
}
location /off/ {
    rewrite ^/off/(.*) /$1 break;
    kuzzle;
    kuzzle_api 2;
    kuzzle_cookie_authentication off;
}
location /auto/ {
    rewrite ^/auto/(.*) /$1 break;
    kuzzle;
}
--- request eval
["GET /_now", "GET /_now", "GET /_now", "GET /1/_now", "GET /off/_now",
 "GET /auto/_now", "GET /auto/_now", "GET /_now", "GET /_now"]
--- more_headers eval
["Cookie: a=b; authToken=x", "Cookie: authToken=null",
 "Cookie: xauthToken=x; authtoken=y; a=authToken=z", "Cookie: authToken=x",
 "Cookie: authToken=x", "Cookie: authToken=x",
 "Cookie: authToken=x\nX-Kuzzle-Volatile: {\"sdkVersion\":\"6.2.8\"}",
 "Cookie: authToken=\"x\"", "Cookie: authToken="]
--- error_code eval
[401, 200, 200, 200, 200, 401, 200, 401, 200]
--- kuzzle_error
401 security.token.invalid
-
-
-
-
401 security.token.invalid
-
401 security.token.invalid
-


=== TEST 4: a cookie and a token together, a cookie that can be no token
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["GET /_now", "GET /_now?jwt=x", "GET /_now", "GET /_now"]
--- more_headers eval
["Authorization: Bearer a\nCookie: authToken=x", "Cookie: authToken=x",
 "Cookie: authToken=a b", "Authorization: Bearer a\nCookie: authToken=null"]
--- error_code eval
[500, 500, 401, 401]
--- kuzzle_error
500 security.token.verification_error ~Both token and cookie
500 security.token.verification_error
401 security.cookie.invalid
401 security.token.invalid


=== TEST 5: an unreadable body comes before a token that is none
--- request eval
["POST /nyc/taxi/_create\n{", "GET /nope/nope/nope/nope/nope"]
--- more_headers eval
["Authorization: Bearer a", "Authorization: Bearer a"]
--- error_code eval
[400, 404]


=== TEST 6: X-Kuzzle-Request-Id is for generation 2, requestId in a URL for none
--- config
location / {
    kuzzle;
}
location /2/ {
    rewrite ^/2/(.*) /$1 break;
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["GET /_now", "GET /2/_now", "GET /2/_now?requestId=b", "GET /_now?requestId=b"]
--- more_headers
X-Kuzzle-Request-Id: a
--- kuzzle_reply
{"requestId":"~^[-0-9a-f]{36}$"}
{"requestId":"a"}
{"requestId":"a"}
{"requestId":"~^[-0-9a-f]{36}$"}


=== TEST 7: POST /_query: the body is the query, of generation 2
--- request eval
["POST /_query\n{\"controller\":\"server\",\"action\":\"now\",\"requestId\":\"r\",\"volatile\":{\"a\":1}}",
 "POST /_query\n{\"controller\":\"index\",\"action\":\"create\",\"index\":\"i\"}",
 "POST /_query\n{\"controller\":\"index\",\"action\":\"exists\",\"index\":\"i\"}",
 "POST /_query?index=other&controller=server\n{\"controller\":\"collection\",\"action\":\"list\",\"index\":\"i\"}"]
--- more_headers
X-Kuzzle-Request-Id: header
--- kuzzle_reply
{"requestId":"r","volatile":{"a":1},"controller":"server","action":"now","node":"*string","-":["room"]}
{"requestId":"header","status":200,"index":"i"}
{"result":true}
{"index":"i","result":{"collections":[]}}


=== TEST 8: POST /_query: what is no query
--- request eval
["POST /_query", "POST /_query\n{}", "POST /_query\n{\"controller\":\"server\"}",
 "POST /_query\n[1]", "POST /_query\n{", "POST /_query\n{\"controller\":1}",
 "POST /_query\n{\"controller\":\"realtime\",\"action\":\"subscribe\",\"index\":\"i\",\"collection\":\"c\",\"body\":{}}",
 "POST /_query\n{\"controller\":\"nope\",\"action\":\"now\"}"]
--- error_code eval
[400, 400, 400, 500, 400, 400, 500, 404]
--- kuzzle_reply
{"error":{"id":"api.assert.missing_argument","message":"~controller"}}
{"error":{"id":"api.assert.missing_argument","message":"~controller"}}
{"error":{"id":"api.assert.missing_argument","message":"~action"}}
{"error":{"message":"~non-null object"}}
{"id":"network.http.body_parse_failed","-":["requestId"]}
{"error":{"message":"Attribute controller must be of type \"string\""},"controller":null}
{"error":{"id":"api.assert.unsupported_protocol"}}
{"error":{"id":"api.process.controller_not_found"}}


=== TEST 9: POST /_query: the token of the body, else that of the header
--- request eval
["POST /_query\n{\"controller\":\"server\",\"action\":\"now\",\"jwt\":\"\"}",
 "POST /_query\n{\"controller\":\"server\",\"action\":\"now\"}",
 "POST /_query\n{\"controller\":\"server\",\"action\":\"now\",\"jwt\":null}"]
--- more_headers
authorization: bearer x
--- error_code eval
[200, 401, 401]


=== TEST 10: targets, or index and collection; text, when an action asks
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
open a
a> {"controller":"document","action":"search","index":"i","targets":[]}
a< {"status":400,"error":{"id":"api.assert.mutually_exclusive"}}
a> {"controller":"document","action":"search","collection":"i","targets":[]}
a< {"status":400,"error":{"id":"api.assert.mutually_exclusive"}}
a> {"controller":"server","action":"now","targets":null,"index":"i"}
a< {"status":200}
a> {"controller":"server","action":"now","index":1,"_id":{}}
a< {"status":200}
a> {"controller":"index","action":"exists","index":1}
a< {"status":400,"error":{"id":"api.assert.invalid_type","message":"~\"index\".*string"}}
a> {"controller":"document","action":"get","index":"i","collection":"c","_id":1}
a< {"status":400,"error":{"id":"api.assert.invalid_type","message":"~\"_id\""}}
a> {"action":"now","targets":[],"index":"i"}
a< {"status":400,"error":{"id":"api.assert.missing_argument"}}


=== TEST 11: in 1.x targets are an argument as any other, an index is text
--- ws
open a
a> {"controller":"server","action":"now","targets":[],"index":"i"}
a< {"status":200}
a> {"controller":"server","action":"now","index":1}
a< {"status":400,"error":{"message":"Attribute index must be of type \"string\""}}
a> {"controller":"nope","action":"now","index":null,"_id":null,"volatile":null}
a< {"status":404,"error":{"id":"api.process.controller_not_found"}}


=== TEST 12: what tells the generation
--- request eval
["GET /_now", "GET /_now", "GET /_now?cookieAuth", "GET /_me", "GET /users/_me",
 "GET /_now", "GET /_me", "GET /_now"]
--- more_headers eval
["X-Kuzzle-Volatile: {\"sdkName\":\"java\@3.0.0\"}",
 "X-Kuzzle-Volatile: {\"sdkName\":\"java\@2.9.0\"}", "A: b", "A: b", "A: b",
 "Authorization: Bearer kauth-x",
 "X-Kuzzle-Volatile: {\"sdkVersion\":\"6.0.0\"}",
 "Authorization: Bearer kapikey-x"]
--- error_code eval
[200, 200, 200, 200, 200, 401, 200, 401]
--- kuzzle_reply
{"node":"*string"}
{"-":["node"]}
{"node":"*string"}
{"node":"*string"}
{"-":["node"]}
{"node":"*string"}
{"-":["node"]}
{"node":"*string"}


=== TEST 13: kuzzle_api is the last word
--- config
location / {
    kuzzle;
    kuzzle_api 1;
}
--- request eval
["GET /_me", "GET /_now", "POST /_query\n{\"controller\":\"server\",\"action\":\"now\"}"]
--- more_headers
X-Kuzzle-Volatile: {"sdkName":"js@7.17.1"}
--- kuzzle_reply
{"-":["node"],"error":null}
{"-":["node"]}
{"-":["node"],"error":null}


=== TEST 14: over HTTP a connection remembers nothing, a session does
--- pipelined_requests eval
["GET /_me", "GET /_now"]
--- kuzzle_reply
{"node":"*string"}
{"-":["node"]}
--- ws
open a
a> {"controller":"server","action":"now"}
a< {"-":["node"]}
a> {"controller":"server","action":"now","volatile":{"sdkName":"js@7.0.0"}}
a< {"node":"*string"}
a> {"controller":"server","action":"now"}
a< {"node":"*string"}
a> {"controller":"server","action":"now","cookieAuth":false,"volatile":{"sdkVersion":"6.0.0"}}
a< {"-":["node"]}


=== TEST 15: arguments of the URL: the placeholder wins, the last of several
--- request eval
["PUT /i", "POST /i/_create", "PUT /i/c", "GET /i/_exists?index=other",
 "GET /i/_list?type=realtime&type=stored", "GET /i/c/_search?size=1.5",
 "GET /i/c/_search?a=1&&=&b&c=%zz"]
--- error_code eval
[404, 200, 200, 200, 200, 400, 400]
--- kuzzle_reply
null
null
null
{"result":true,"index":"i"}
{"result":{"type":"stored","collections":[{"name":"c"}]}}
{"error":{"id":"api.assert.invalid_type"}}
{"error":{"message":"~malformed query string"}}


=== TEST 16: a body on GET counts, and more than searchBody
--- request eval
["POST /i/_create", "PUT /i/c", "POST /i/c/1/_create\n{\"a\":1}",
 "GET /i/c/_search?searchBody=%7B%22query%22:%7B%22ids%22:%7B%22values%22:%5B%22x%22%5D%7D%7D%7D",
 "GET /i/c/_search?searchBody=%7B%22query%22:%7B%22ids%22:%7B%22values%22:%5B%22x%22%5D%7D%7D%7D\n{\"query\":{\"ids\":{\"values\":[\"1\"]}}}"]
--- kuzzle_reply
null
null
null
{"result":{"total":0}}
{"result":{"total":1}}
