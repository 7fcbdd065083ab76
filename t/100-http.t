# HTTP: envelope, headers, bodies, methods, bad input.

use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: the envelope of generation 1 has its nine members
--- request
GET /_now
--- response_body_like eval
qr/^\{"requestId":"[-0-9a-f]{36}","status":200,"error":null,"controller":"server","action":"now","collection":null,"index":null,"volatile":null,"result":\{"now":\d{13}\}\}$/
--- response_headers
Content-Type: application/json
Access-Control-Allow-Origin: *
Access-Control-Allow-Methods: GET,POST,PUT,DELETE,OPTIONS,HEAD
X-Kuzzle-Request-Id:


=== TEST 2: the envelope of generation 2 is in alphabetical order
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request
GET /_now
--- more_headers
Origin: http://example.org
X-Kuzzle-Request-Id: mine
--- response_body_like eval
qr/^\{"action":"now","controller":"server","error":null,"headers":\{\},"node":"[^"]+","requestId":"mine","result":\{"now":\d{13}\},"status":200,"volatile":null\}$/
--- response_headers
Access-Control-Allow-Origin: http://example.org
Access-Control-Allow-Credentials: true
Vary: Origin
X-Kuzzle-Request-Id: mine


=== TEST 3: without an Origin generation 2 allows none
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request
GET /_now
--- response_headers
Access-Control-Allow-Origin:


=== TEST 4: the SDK's own words choose the generation
--- request eval
["GET /_now", "GET /_now", "GET /_now"]
--- more_headers eval
["X-Kuzzle-Volatile: {\"sdkName\":\"js\@7.17.1-beta.1\"}",
 "X-Kuzzle-Volatile: {\"sdkName\":\"js\@10.0.0\"}",
 "X-Kuzzle-Volatile: {\"sdkVersion\":\"6.2.8\"}"]
--- kuzzle_reply
{"volatile":{"sdkName":"js@7.17.1-beta.1"},"node":"*string"}
{"volatile":{"sdkName":"js@10.0.0"},"node":"*string"}
{"volatile":{"sdkVersion":"6.2.8"},"-":["node"]}


=== TEST 5: a route of one generation speaks it; the connection does not remember
--- request eval
["GET /_me", "GET /_now"]
--- kuzzle_reply
{"node":"*string","result":{"_id":"-1","strategies":[]}}
{"-":["node"]}


=== TEST 6: pipelined requests are all answered, in order
--- pipelined_requests eval
["GET /_now", "GET /_adminExists", "GET /nope"]
--- kuzzle_reply
{"action":"now"}
{"action":"adminExists","result":{"exists":false}}
{"status":404}


=== TEST 7: HEAD / is a route, other HEADs are not
--- request eval
["HEAD /", "HEAD /_now"]
--- error_code eval
[200, 404]
--- response_body eval
["", ""]


=== TEST 8: OPTIONS is answered on every path
--- request
OPTIONS /a/b/c/d/e/f/g/h/i/j
--- kuzzle_reply
{"status":200,"error":null,"result":{},"controller":null}


=== TEST 9: other methods are refused by name
--- request
PROPFIND /
--- kuzzle_error: 400 network.http.unsupported_verb ~"PROPFIND"


=== TEST 10: malformed JSON, in the envelope (1) or bare (2)
--- config
location / {
    kuzzle;
}
location /two {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["POST /nyc/taxi/_create\n{\"a\":", "POST /two/taxi/_create\n{\"a\":"]
--- error_code eval
[400, 400]
--- kuzzle_reply
{"error":{"id":"network.http.body_parse_failed","status":400},"action":"create"}
{"id":"network.http.body_parse_failed","status":400,"-":["action","requestId"]}


=== TEST 11: an array or a scalar is no body
--- request eval
["POST /nyc/taxi/_create\n[1]", "POST /nyc/taxi/_create\n42"]
--- kuzzle_error
400 network.http.body_parse_failed ~must be of type "object"
400 network.http.body_parse_failed ~must be of type "object"


=== TEST 12: null is no body
--- request
POST /nyc/taxi/_create
null
--- kuzzle_error: 400 api.assert.body_required


=== TEST 13: other content types are refused bare
--- request
POST /nyc/taxi/_create
{"a":1}
--- more_headers
Content-Type: text/plain
--- error_code: 400
--- kuzzle_reply
{"id":"network.http.unexpected_error","message":"~text/plain","-":["action"]}


=== TEST 14: a body over the limit is refused with Kuzzle's error
--- config
location / {
    kuzzle;
    kuzzle_max_request_size 1k;
}
--- request eval
"POST /nyc/taxi/_create\n{\"a\":\"" . ("x" x 2000) . "\"}"
--- error_code: 413
--- kuzzle_reply
{"id":"network.http.request_too_large","status":413}


=== TEST 15: a chunked body over the limit too
--- config
location / {
    kuzzle;
    kuzzle_max_request_size 1k;
}
--- raw_request eval
"POST /nyc/taxi/_create HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" . ("x" x 2048) . "\r\n0\r\n\r\n"
--- error_code: 413
--- response_body_like: request_too_large


=== TEST 16: a chunked body within the limit, byte by byte
--- raw_request eval
["POST /i/_create HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
 "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "1\r\n}\r\n", "0\r\n\r\n"]
--- raw_request_middle_delay: 0.05
--- kuzzle_reply
{"status":200,"action":"create","index":"i"}


=== TEST 17: a smaller limit of nginx's own stays in force
--- config
location / {
    kuzzle;
    client_max_body_size 10;
}
--- request
POST /nyc/taxi/_create
{"a":"more than ten bytes"}
--- error_code: 413
--- response_body_like: Request Entity Too Large


=== TEST 18: 10,000 nested brackets are an error, not a crash
--- request eval
"POST /nyc/taxi/_create\n" . ("[" x 10000) . ("]" x 10000)
--- kuzzle_error: 400 network.http.body_parse_failed


=== TEST 19: invalid UTF-8 in a body, in a path, in a query string
--- request eval
["POST /nyc/taxi/_create\n{\"a\":\"\xff\"}", "GET /nyc/taxi/%ff",
 "GET /nyc/taxi/x?a=%ff"]
--- kuzzle_error
400 network.http.body_parse_failed
400 network.http.unexpected_error ~malformed URI
400 network.http.unexpected_error ~malformed query string


=== TEST 20: dot segments are refused, also encoded ones inside an id
--- raw_request eval
["GET /nyc/taxi/x%2F..%2F..%2Fsecret HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"]
--- error_code: 400
--- response_body_like: malformed URI


=== TEST 21: X-Kuzzle-Volatile is echoed, bad JSON in it is refused
--- request eval
["GET /_now", "GET /_now", "GET /_now"]
--- more_headers eval
["X-Kuzzle-Volatile: { \"a\" : [ 1 ] }", "X-Kuzzle-Volatile: {\"a\":",
 "X-Kuzzle-Volatile: 42"]
--- error_code eval
[200, 400, 400]
--- kuzzle_reply
{"volatile":{"a":[1]}}
{"error":{"id":"network.http.volatile_parse_failed"}}
{"error":{"id":"network.http.volatile_parse_failed"}}


=== TEST 22: a token that cannot be verified is never anonymous service
--- request eval
["GET /_now", "GET /_now", "GET /_now?jwt=x", "GET /_now", "GET /_now"]
--- more_headers eval
["Authorization: Bearer abc", "Authorization: Basic abc", "A: b",
 "Cookie: a=b; authToken=x", "Cookie: authToken=null"]
--- error_code eval
[401, 200, 401, 401, 200]
--- kuzzle_error
401 security.token.invalid
-
401 security.token.invalid
401 security.token.invalid
-


=== TEST 23: controller and action of the query string are ignored
--- request
GET /_now?controller=index&action=list
--- kuzzle_reply
{"controller":"server","action":"now"}


=== TEST 24: encodings that are not known are refused by name
--- request
POST /nyc/taxi/_create
{"a":1}
--- more_headers
Content-Encoding: br
--- error_code: 400
--- kuzzle_reply
{"id":"network.http.unsupported_compression"}


=== TEST 25: a client that leaves before its body is complete
--- raw_request eval
"POST /nyc/taxi/_create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"a\""
--- abort
--- timeout: 0.2
--- ignore_response
--- no_error_log
[alert]


=== TEST 26: a body of 256 KB does not go through a temporary file
--- request eval
"POST /nope/nope/_create\n{\"a\":\"" . ("x" x 262144) . "\"}"
--- error_code: 412
--- no_error_log
temporary file
