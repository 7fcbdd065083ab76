# The variables $kuzzle_*: what is known from the URL, what after the answer,
# and where there is nothing.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use Test::Nginx::Kuzzle;

# Every block has a log format "v" with all variables.  A section "vars" has
# a pattern for each line of logs/vars.log; "curl" runs curl, a line each:
# options and URL, "=>", version, status, and a pattern of the body.

add_block_preprocessor(sub {
    my ($block) = @_;
    my $http = defined $block->http_config ? $block->http_config : '';

    $block->set_value('http_config', <<'END' . $http);
log_format v '$kuzzle_protocol $kuzzle_controller:$kuzzle_action '
    '$kuzzle_index/$kuzzle_collection/$kuzzle_id $kuzzle_user $kuzzle_status '
    '$kuzzle_error $kuzzle_request_id $kuzzle_time';
access_log logs/vars.log v;
END
});

Test::Nginx::Socket::add_block_action(vars => sub {
    my ($block, $server) = @_;

    my @want = grep { /\S/ } split /\n/, $block->vars;
    my @got;

    for (1 .. 150) {
        open my $fh, '<', server_root() . '/logs/vars.log' or last;
        chomp(@got = <$fh>);
        last if @got >= @want;
        sleep 0.02;
    }

    is(@got, @want, $block->name . ' - as many lines')
        or return diag(join "\n", @got);

    for my $i (0 .. $#want) {
        like($got[$i], qr/\A$want[$i]\z/, $block->name . " - line $i");
    }
});

Test::Nginx::Socket::add_block_action(curl => sub {
    my ($block) = @_;

    for my $line (grep { /\S/ } split /\n/, $block->curl) {
        my ($args, $version, $status, $re) =
            $line =~ /^(.*?)\s+=>\s+(\S+)\s+(\d+)(?:\s+(.*))?$/
            or die "curl: $line";
        my $got = qx(curl -sk --max-time 10 -w '\\n%{http_version} %{http_code}' $args 2>&1);

        like($got, qr/\n\Q$version $status\E\z/, $block->name . " - $args");
        like($got, qr/$re/s, $block->name . " - body of $args")
            if defined $re;
    }
});


run_tests();

__DATA__

=== TEST 1: all of them, after an answer
--- request eval
["GET /_now", "POST /nyc/_create", "PUT /nyc/taxi",
 "POST /nyc/taxi/one/_create\n{}", "GET /nyc/taxi/two"]
--- error_code eval
[200, 200, 200, 200, 404]
--- vars
http server:now -/-/- -1 200 - [-\w]{36} \d+\.\d{3}
http index:create nyc/-/- -1 200 - [-\w]{36} \d+\.\d{3}
http collection:create nyc/taxi/- -1 200 - [-\w]{36} \d+\.\d{3}
http document:create nyc/taxi/one -1 200 - [-\w]{36} \d+\.\d{3}
http document:get nyc/taxi/two -1 404 services.storage.not_found [-\w]{36} \d+\.\d{3}


=== TEST 2: headers of the response see what was answered
--- config
location / {
    kuzzle;
    add_header X-Status $kuzzle_status always;
    add_header X-Error $kuzzle_error always;
    add_header X-Query $kuzzle_controller:$kuzzle_action always;
    add_header X-Time $kuzzle_time always;
}
--- request eval
["GET /_now", "GET /nyc/taxi/nobody", "GET /no/such/route/at/all"]
--- error_code eval
[200, 412, 404]
--- response_headers eval
["X-Status: 200\nX-Query: server:now\nX-Error: ",
 "X-Status: 412\nX-Query: document:get\nX-Error: services.storage.unknown_index",
 "X-Status: 404\nX-Query: :\nX-Error: network.http.url_not_found"]


=== TEST 3: the request id is the client's in generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request
GET /_now
--- more_headers
X-Kuzzle-Request-Id: my id
--- kuzzle_reply
{"requestId":"my id"}
--- vars
http server:now -/-/- -1 200 - my id \d+\.\d{3}


=== TEST 4: limit_req by action: only writes are limited, each action for itself
--- http_config
map $kuzzle_action $limited {
    ~^(create|delete)$ $kuzzle_action;
    default "";
}
limit_req_zone $limited zone=writes:1m rate=1r/m;
--- config
location / {
    kuzzle;
    limit_req zone=writes;
    limit_req_status 429;
}
--- request eval
["POST /i/_create", "POST /j/_create", "GET /_now", "GET /_now",
 "DELETE /i", "DELETE /i", "GET /i/_exists"]
--- error_code eval
[200, 429, 200, 200, 200, 429, 200]
--- vars
http index:create i/-/- -1 200 - \S+ \S+
http index:create j/-/- - - - - -
http server:now -/-/- -1 200 - \S+ \S+
http server:now -/-/- -1 200 - \S+ \S+
http index:delete i/-/- -1 200 - \S+ \S+
http index:delete i/-/- - - - - -
http index:exists i/-/- -1 200 - \S+ \S+


=== TEST 5: limit_req by action alone
--- http_config
limit_req_zone $kuzzle_action zone=actions:1m rate=1r/m;
--- config
location / {
    kuzzle;
    limit_req zone=actions;
}
--- request eval
["GET /_now", "GET /_now", "GET /i/_exists", "GET /i/_exists",
 "GET /no/such/route/at/all", "GET /no/such/route/at/all"]
--- error_code eval
[200, 503, 200, 503, 404, 404]


=== TEST 6: limit_req by index, wherever the URL has it
--- http_config
limit_req_zone $kuzzle_index zone=indexes:1m rate=1r/m;
--- config
location / {
    kuzzle;
    limit_req zone=indexes;
}
--- request eval
["GET /i/_exists", "GET /_now?index=i", "GET /_now?a=b&index=%69",
 "GET /j%2Fk/_exists", "GET /_now?index=j/k", "GET /_now?index=x&index=y",
 "GET /_now?index=x", "GET /%69/_exists?index=other"]
--- error_code eval
[200, 503, 503, 200, 503, 200, 200, 503]


=== TEST 7: in a condition of the location, before any body is read
--- config
location / {
    kuzzle;
    if ($kuzzle_action = delete) {
        return 403;
    }
}
--- request eval
["POST /i/_create", "DELETE /i", "GET /i/_exists"]
--- error_code eval
[200, 403, 200]
--- response_body_like eval
["index", "403 Forbidden", "true"]


=== TEST 8: after a rewrite it is the new URL
--- http_config
limit_req_zone $kuzzle_action zone=actions:1m rate=1r/m;
--- config
location / {
    kuzzle;
    limit_req zone=actions;
}
location /public/ {
    kuzzle;
    set $before $kuzzle_controller:$kuzzle_action;
    rewrite ^ /_now last;
}
location /here/ {
    kuzzle;
    set $before $kuzzle_controller:$kuzzle_action;
    rewrite ^ /_now?index=x break;
    add_header X-Before $before always;
    add_header X-After $kuzzle_controller:$kuzzle_action;
    add_header X-Index $kuzzle_index;
}
--- request eval
["GET /public/a/b", "GET /_now", "GET /here/a/b"]
--- error_code eval
[200, 503, 200]
--- response_headers eval
["", "", "X-Before: document:get\nX-After: server:now\nX-Index: x"]


=== TEST 9: nothing elsewhere
--- config
location / {
    kuzzle;
}
location /static/ {
    return 200 "a=$kuzzle_action c=$kuzzle_controller s=$kuzzle_status p=$kuzzle_protocol t=$kuzzle_time u=$kuzzle_user";
}
--- request
GET /static/a/b
--- response_body chomp
a= c= s= p= t= u=
--- vars
- -:- -/-/- - - - - -


=== TEST 10: nothing in the server's own conditions, where there is no location
--- config
set $early "<$kuzzle_action>";
location / {
    kuzzle;
    add_header X-Early $early;
}
--- request
GET /_now
--- response_headers
X-Early: <>


=== TEST 11: nothing without kuzzle anywhere
--- config
location / {
    return 200 "<$kuzzle_action$kuzzle_status$kuzzle_protocol>";
}
--- request
GET /a/b/c
--- response_body chomp
<>


=== TEST 12: an error page, a named location, a redirect
--- config
location / {
    kuzzle;
    error_page 403 = @page;
    if ($arg_deny) {
        return 403;
    }
}
location @page {
    return 200 "<$kuzzle_action$kuzzle_status>";
}
location /away {
    error_page 404 = /_now;
    return 404;
}
--- request eval
["GET /_now?deny=1", "GET /away"]
--- response_body_like eval
["^<>\$", '"action":"now"']
--- vars
- -:- -/-/- - - - - -
http server:now -/-/- -1 200 - \S+ \S+


=== TEST 13: a subrequest has its own, its parent none of them
--- config
location = /index.html {
    root html;
    auth_request /auth;
    auth_request_set $asked $kuzzle_action;
    auth_request_set $said $kuzzle_status;
    add_header X-Asked $asked;
    add_header X-Said $said;
    add_header X-Own "<$kuzzle_action>";
}
location = /t {
    auth_request /auth;
    try_files /nothing @ok;
}
location @ok {
    kuzzle;
    rewrite ^ /_serverInfo break;
}
location = /auth {
    internal;
    rewrite ^ /_now break;
    kuzzle;
}
--- request eval
["GET /t", "GET /index.html"]
--- error_code eval
[200, 200]
--- response_headers eval
["", "X-Asked: now\nX-Said: 200\nX-Own: <>"]
--- vars
http server:info -/-/- -1 200 - \S+ \S+
- -:- -/-/- - - - - -


=== TEST 14: what nginx answers itself has a URL, but no answer of ours
--- config
location / {
    kuzzle;
    client_max_body_size 5;
}
--- request
POST /i/c/x/_create
{"a":"longer"}
--- error_code: 413
--- vars
http document:create i/c/x - - - - -


=== TEST 15: a client that does not send its body, one that does not wait
--- config
location / {
    kuzzle;
    client_body_timeout 200ms;
}
--- raw_request eval
"POST /i/c/x/_create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"
--- ignore_response
--- timeout: 2
--- vars
http document:create i/c/x - - - - -


=== TEST 16: a handshake has a protocol and nothing else
--- ws
open a path=/nyc/taxi
a> {"controller":"server","action":"now"}
a< {"status":200}
close a
--- vars
websocket -:- -/-/- - - - - -


=== TEST 17: a handshake that is refused
--- ws
open a status=400 path=/nyc/taxi header="Sec-WebSocket-Key: x"
--- vars
websocket -:- -/-/- - - - - -


=== TEST 18: line ends and zeros in a value do not become headers
--- config
location / {
    kuzzle;
    add_header X-Id "$kuzzle_id|$kuzzle_request_id" always;
    add_header X-Last end always;
    kuzzle_api 2;
}
--- request eval
["GET /i/c/a%0d%0aX-Evil:%20yes%7f%c3%a9", "GET /i/c/_search?_id=%00%0a"]
--- error_code_like eval
["4\\d\\d", "4\\d\\d"]
--- raw_response_headers_like eval
["X-Id: a%0D%0AX-Evil: yes%7F\xc3\xa9\\|[-\\w]{36}\r\nX-Last: end",
 "X-Id: %00%0A\\|[-\\w]{36}\r\nX-Last: end"]
--- raw_response_headers_unlike eval
["\nX-Evil", "\0"]


=== TEST 19: a malformed URL has none
--- http_config
limit_req_zone $kuzzle_action zone=actions:1m rate=1r/m;
--- config
location / {
    kuzzle;
    limit_req zone=actions;
}
--- request eval
["GET /i/c/%ff", "GET /i/c/%ff", "GET /_now?a=%ff", "GET /_now?a=%ff"]
--- error_code eval
[400, 400, 400, 400]
--- vars
http -:- -/-/- -1 400 network.http.unexpected_error \S+ \S+
http -:- -/-/- -1 400 network.http.unexpected_error \S+ \S+
http -:- -/-/- -1 400 network.http.unexpected_error \S+ \S+
http -:- -/-/- -1 400 network.http.unexpected_error \S+ \S+


=== TEST 20: verbs that are none of ours
--- request eval
["OPTIONS /_now", "HEAD /", "HEAD /_now"]
--- error_code eval
[200, 200, 404]
--- vars
http -:- -/-/- -1 200 - \S+ \S+
http -:- -/-/- -1 200 - \S+ \S+
http -:- -/-/- -1 404 \S+ \S+ \S+


=== TEST 21: HTTP/2
--- http_config
limit_req_zone $kuzzle_action zone=actions:1m rate=1r/m;
server {
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 http2;
    location / {
        kuzzle;
        limit_req zone=actions;
        add_header X-Status $kuzzle_status always;
    }
}
--- curl
-i --http2-prior-knowledge http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/_now => 2 200 x-status: 200.*"action":"now"
-i --http2-prior-knowledge http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/_now => 2 503 503 Service
-i --http2-prior-knowledge http://127.0.0.1:$TEST_NGINX_RAND_PORT_1/i/_exists => 2 200 x-status: 200
--- vars
http server:now -/-/- -1 200 - \S+ \S+
http server:now -/-/- - - - - -
http index:exists i/-/- -1 200 - \S+ \S+


=== TEST 22: what only the body says is known with the answer
--- config
location / {
    kuzzle;
    set $early "<$kuzzle_controller:$kuzzle_action>";
    add_header X-Early $early;
    add_header X-Late $kuzzle_controller:$kuzzle_action/$kuzzle_index;
}
--- request
POST /_query
{"controller":"index","action":"exists","index":"i"}
--- response_headers
X-Early: <:>
X-Late: index:exists/i


=== TEST 23: routes of before 1.0 have the names of then
--- config
location / {
    kuzzle;
    set $early "$kuzzle_controller:$kuzzle_action $kuzzle_index/$kuzzle_collection/$kuzzle_id";
    add_header X-Early $early always;
    add_header X-Late "$kuzzle_controller:$kuzzle_action $kuzzle_index/$kuzzle_collection/$kuzzle_id" always;
}
--- request eval
["GET /api/1.0/i/c/x", "GET /api/1.0/_now", "PUT /api/1.0/i/c",
 "GET /api/1.0/no/such/route/at/all/ever/seen/here/by/any", "GET /api/1.0"]
--- error_code_like eval
["4..", "200", "4..", "404", "200"]
--- response_headers eval
["X-Early: read:get i/c/x\nX-Late: read:get i/c/x",
 "X-Early: read:now //\nX-Late: read:now //",
 "X-Early: write:createCollection i/c/\nX-Late: write:createCollection i/c/",
 "X-Early: : //\nX-Late: : //",
 "X-Early: : //\nX-Late: : //"]


=== TEST 24: the server's own routes have no names
--- config
location / {
    kuzzle;
    set $early "<$kuzzle_controller:$kuzzle_action>";
    add_header X-Early $early;
}
--- request eval
["GET /_ready", "GET /_healthcheck", "GET /swagger.json"]
--- error_code eval
[200, 200, 200]
--- response_headers eval
["X-Early: <:>", "X-Early: <:>", "X-Early: <:>"]
