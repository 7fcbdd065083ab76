# HTTP in the company of nginx's other modules: rewrites, error pages,
# subrequests, bodies that somebody else has read or thrown away.

use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: after a rewrite the new path counts
--- config
location / {
    kuzzle;
}
location /public/ {
    rewrite ^ /_now last;
}
location /api/ {
    rewrite ^/api/(.*)$ /$1 break;
    kuzzle;
}
--- request eval
["GET /public/i/_create", "POST /public/i/_create", "GET /api/_now"]
--- kuzzle_reply
{"status":200,"controller":"server","action":"now"}
{"status":404,"error":{"message":"~/_now"}}
{"status":200,"controller":"server","action":"now"}


=== TEST 2: what a rewrite made of the path is not decoded again
--- config
location / {
    kuzzle;
}
location /api/ {
    rewrite ^/api/(.*)$ /$1 break;
    kuzzle;
}
--- request
GET /api/%2570rivate/_list
--- error_code: 400
--- kuzzle_reply
{"status":400,"error":{"id":"services.storage.index_reserved"},
 "index":"%70rivate"}


=== TEST 3: an error page is a query of its own
--- config
location / {
    kuzzle;
}
location /gone {
    error_page 404 = /_now;
    return 404;
}
--- request
GET /gone
--- kuzzle_reply
{"status":200,"action":"now"}


=== TEST 4: an error page for a body that was thrown away
--- config
location / {
    kuzzle;
}
location /small {
    client_max_body_size 10;
    error_page 413 = /_now;
    kuzzle;
}
--- raw_request eval
"POST /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3000\r\n\r\n" . ("x" x 3000)
--- kuzzle_reply
{"status":200,"action":"now"}
--- error_log
too large body


=== TEST 5: auth_request asks a location of ours, for a request with a body
--- config
location / {
    kuzzle;
}
location = /auth {
    internal;
    rewrite ^ /_now break;
    kuzzle;
}
location = /no {
    internal;
    rewrite ^ /nothing/there/at/all break;
    kuzzle;
}
location /i {
    auth_request /auth;
    kuzzle;
}
location /j {
    auth_request /no;
    kuzzle;
}
--- request eval
["POST /i/_create\n{}", "POST /j/_create\n{}"]
--- error_code eval
[200, 500]
--- kuzzle_reply
{"index":"i","action":"create"}
null
--- error_log
auth request unexpected status: 404


=== TEST 6: auth_request before a WebSocket
--- config
location / {
    auth_request /auth;
    kuzzle;
}
location = /auth {
    internal;
    rewrite ^ /_now break;
    kuzzle;
}
--- ws
open a
a> {"controller":"server","action":"now","requestId":"1"}
a< {"status":200,"room":"1"}


=== TEST 7: a body that mirror has read before, into a file
--- config
location / {
    kuzzle;
}
location /i/c/ {
    mirror /sink;
    client_body_buffer_size 1k;
    kuzzle;
}
location = /sink {
    internal;
    return 204;
}
--- request eval
["POST /i/_create", "PUT /i/c",
 "POST /i/c/x/_create\n{\"a\":\"" . ("x" x 20000) . "\",\"b\":1}",
 "GET /i/c/x"]
--- kuzzle_reply
null
null
{"status":200,"result":{"_id":"x"}}
{"status":200,"result":{"_source":{"b":1}}}


=== TEST 8: limit_except and if belong to the location
--- config
location / {
    kuzzle;
    if ($arg_x) {
        set $y 1;
    }
    limit_except GET {
        allow 127.0.0.1;
        deny all;
    }
}
--- request eval
["POST /i/_create", "POST /j/_create?x=1", "GET /i/_exists"]
--- kuzzle_reply
{"status":200,"index":"i"}
{"status":200,"index":"j"}
{"status":200,"result":true}


=== TEST 9: headers that are not UTF-8 do not break the reply
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- raw_request eval
["POST /i/_create HTTP/1.1\r\nHost: localhost\r\nContent-Type: \xff\xfe\"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"]
--- kuzzle_reply
{"status":400,"id":"network.http.unsupported_content","props":["(not UTF-8)"]}


=== TEST 10: generation 2 keeps the request id of what it refuses
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request
GET /no/such/route/at/all
--- more_headers
X-Kuzzle-Request-Id: mine
--- kuzzle_reply
{"status":404,"requestId":"mine"}
--- response_headers
X-Kuzzle-Request-Id: mine


=== TEST 11: the token is found among other cookies, in any of them
--- request eval
["GET /_now", "GET /_now", "GET /_now"]
--- more_headers eval
["Cookie: xauthToken=1; authToken=abc; z=1",
 "Cookie: authToken=abc\r\nCookie: b=c",
 "Cookie: xauthToken=1; authToken=null"]
--- error_code eval
[401, 401, 200]
