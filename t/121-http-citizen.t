# Behind nginx's own doors: limits, access, authentication, error pages, TLS,
# HTTP/2, proxies, filters.  Every door lets somebody in and somebody not.

use strict;
use warnings;

use File::Temp 'tempdir';
use Test::More;
use Time::HiRes qw(sleep time);

use Test::Nginx::Kuzzle;

# A section "curl" runs curl, a line each: options and URL, "=>", version,
# status and a pattern of what came.  $dir has a certificate and a password
# file (u, secret).

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;

system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    . " -nodes -days 2 -subj /CN=localhost -keyout $dir/key.pem"
    . " -out $dir/cert.pem >/dev/null 2>&1") == 0
    or die "no certificate\n";

open my $fh, '>', "$dir/users" or die;
print {$fh} 'u:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/', "\n";
close $fh;

open $fh, '>', "$dir/body" or die;
print {$fh} '{"a":"' . 'x' x 100_000 . '","b":1}';
close $fh;

$ENV{TEST_NGINX_DIR} = $dir;

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

# A section "file" has a name in logs/, then patterns of its lines.

Test::Nginx::Socket::add_block_action(file => sub {
    my ($block) = @_;
    my ($name, @want) = grep { /\S/ } split /\n/, $block->file;
    my @got;

    for (1 .. 150) {
        open my $fh, '<', server_root() . "/logs/$name" or last;
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


run_tests();

__DATA__

=== TEST 1: limit_req by address, with a burst, a location without it
--- http_config
limit_req_zone $binary_remote_addr zone=all:1m rate=1r/m;
--- config
location / {
    kuzzle;
}
location /_now {
    limit_req zone=all burst=2 nodelay;
    kuzzle;
}
--- request eval
["GET /_now", "GET /_now", "GET /_now", "GET /_now", "GET /_serverInfo"]
--- error_code eval
[200, 200, 200, 503, 200]
--- error_log
limiting requests


=== TEST 2: limit_req before a handshake
--- http_config
limit_req_zone $binary_remote_addr zone=all:1m rate=1r/m;
--- config
location / {
    limit_req zone=all;
    kuzzle;
}
--- ws
open a
open b status=503
a> {"controller":"server","action":"now"}
a< {"status":200}
a> {"controller":"server","action":"now"}
a< {"status":200}


=== TEST 3: limit_conn counts queries that wait; a WebSocket only until its 101
--- http_config
limit_conn_zone $server_name zone=conns:1m;
--- config
location / {
    limit_conn conns 1;
    kuzzle;
}
--- ws
stop writer
http as h POST /i/_create {}
sleep 0.2
http GET /_now => 503
open a status=503
cont writer
h< 200
http GET /_now => 200
open a
open b
http GET /_now => 200
a> {"controller":"server","action":"now"}
a< {"status":200}
b> {"controller":"server","action":"now"}
b< {"status":200}
--- kills
--- error_log
limiting connections


=== TEST 4: kuzzle_max_connections counts WebSockets, of each worker; requests pass
--- config
location / {
    kuzzle;
    kuzzle_max_connections 1;
}
location /more {
    kuzzle;
    kuzzle_max_connections 2;
}
--- ws
open a worker=0
open b worker=0 status=503
open b worker=0 path=/more
open c worker=0 path=/more status=503
open d worker=1
times 3 http GET /_now => 200
a> {"controller":"server","action":"now"}
a< {"status":200}
--- error_log
no more than 1 websockets


=== TEST 5: allow and deny
--- config
location / {
    allow 127.0.0.1;
    deny all;
    kuzzle;
}
location /_serverInfo {
    deny 127.0.0.1;
    allow all;
    kuzzle;
}
--- ws
http GET /_now => 200
http GET /_serverInfo => 403
open a
a> {"controller":"server","action":"now"}
a< {"status":200}
open b path=/_serverInfo status=403
--- error_log
access forbidden by rule


=== TEST 6: auth_basic; the header is nginx's, no token
--- config
location / {
    auth_basic "kuzzle";
    auth_basic_user_file $TEST_NGINX_DIR/users;
    kuzzle;
}
--- ws
http GET /_now => 401
http header="Authorization: Basic dTpzZWNyZXQ=" GET /_now => 200 {"action":"now"}
http header="Authorization: Basic dTp3cm9uZw==" GET /_now => 401
open a status=401
open a header="Authorization: Basic dTpzZWNyZXQ="
a> {"controller":"server","action":"now"}
a< {"status":200}
--- error_log
password mismatch


=== TEST 7: auth_request lets in, refuses, and hides the location it asks
--- config
location / {
    auth_request /door;
    kuzzle;
}
location = /door {
    internal;
    if ($http_x_key = "open") {
        return 204;
    }
    return 403;
}
--- ws
http GET /_now => 403
http header="X-Key: open" GET /_now => 200 {"action":"now"}
http header="X-Key: open" POST /i/_create {"a":1} => 200 {"index":"i"}
http POST /j/_create {"a":1} => 403
http header="X-Key: open" GET /j/_exists => 200 {"result":false}
open a status=403
open a header="X-Key: open"
a> {"controller":"server","action":"now"}
a< {"status":200}


=== TEST 8: satisfy any: the address or the password
--- config
location / {
    satisfy any;
    allow 192.0.2.1;
    deny all;
    auth_basic "kuzzle";
    auth_basic_user_file $TEST_NGINX_DIR/users;
    kuzzle;
}
location /_serverInfo {
    satisfy any;
    allow 127.0.0.1;
    deny all;
    auth_basic "kuzzle";
    auth_basic_user_file $TEST_NGINX_DIR/users;
    kuzzle;
}
location /_publicApi {
    satisfy all;
    allow 127.0.0.1;
    deny all;
    auth_basic "kuzzle";
    auth_basic_user_file $TEST_NGINX_DIR/users;
    kuzzle;
}
--- ws
http GET /_now => 401
http header="Authorization: Basic dTpzZWNyZXQ=" GET /_now => 200
http GET /_serverInfo => 200
http GET /_publicApi => 401
http header="Authorization: Basic dTpzZWNyZXQ=" GET /_publicApi => 200


=== TEST 9: limit_except: reading for all, writing for nobody
--- config
location / {
    kuzzle;
    limit_except GET {
        deny all;
    }
}
--- ws
http GET /_now => 200 {"action":"now"}
http POST /i/_create {} => 403
http DELETE /i => 403
http GET /i/_exists => 200 {"result":false}
open a
a> {"controller":"index","action":"create","index":"i"}
a< {"status":200}
--- error_log
access forbidden by rule


=== TEST 10: error_page is for nginx's errors; ours are answers
--- config
location / {
    kuzzle;
    error_page 403 404 412 = /page;
    location /_serverInfo {
        deny all;
        kuzzle;
    }
}
location = /page {
    return 200 "a page";
}
--- request eval
["GET /_serverInfo", "GET /i/c/nobody", "GET /no/such/route/at/all"]
--- error_code eval
[200, 412, 404]
--- response_body_like eval
["^a page\$", "unknown_index", "url_not_found"]
--- error_log
access forbidden by rule


=== TEST 11: an internal location is there for redirects only
--- config
location /hidden/ {
    internal;
    rewrite ^/hidden/(.*)$ /$1 break;
    kuzzle;
}
location / {
    kuzzle;
}
location /shown {
    rewrite ^ /hidden/_now last;
}
--- ws
http GET /hidden/_now => 404
open a path=/hidden/x status=404
http GET /shown => 200 {"action":"now"}


=== TEST 12: a named location, with a body
--- config
location / {
    root html;
    try_files $uri @kuzzle;
}
location @kuzzle {
    kuzzle;
}
--- ws
http POST /i/_create {} => 200 {"index":"i"}
http PUT /i/c => 200
http POST /i/c/x/_create {"a":1} => 200 {"result":{"_id":"x"}}
http GET /i/c/x => 200 {"result":{"_source":{"a":1}}}
http GET /index.html => 200
open a path=/socket
a> {"controller":"server","action":"now"}
a< {"status":200}


=== TEST 13: TLS and HTTP/2, by ALPN and by prior knowledge, with bodies
--- http_config
limit_req_zone $kuzzle_controller$kuzzle_action zone=z:1m rate=1r/m;
server {
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 ssl http2;
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_2 http2;
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_3 ssl;
    ssl_certificate $TEST_NGINX_DIR/cert.pem;
    ssl_certificate_key $TEST_NGINX_DIR/key.pem;
    location / {
        kuzzle;
    }
    location /_serverInfo {
        kuzzle;
        limit_req zone=z;
    }
    location /_publicApi {
        deny all;
    }
}
--- curl
https://127.0.0.1:$TEST_NGINX_RAND_PORT_1/_now => 2 200 "action":"now"
--http1.1 https://127.0.0.1:$TEST_NGINX_RAND_PORT_1/_now => 1.1 200 "action":"now"
https://127.0.0.1:$TEST_NGINX_RAND_PORT_3/_now => 1.1 200 "action":"now"
--http2-prior-knowledge http://127.0.0.1:$TEST_NGINX_RAND_PORT_2/_now => 2 200 "action":"now"
-X POST https://127.0.0.1:$TEST_NGINX_RAND_PORT_1/i/_create => 2 200 "index":"i"
-X PUT https://127.0.0.1:$TEST_NGINX_RAND_PORT_1/i/c => 2 200
-H 'Content-Type: application/json' --data-binary @$TEST_NGINX_DIR/body https://127.0.0.1:$TEST_NGINX_RAND_PORT_1/i/c/a/_create => 2 200 "_id":"a"
-H 'Content-Type: application/json' --http2-prior-knowledge -X POST -T - http://127.0.0.1:$TEST_NGINX_RAND_PORT_2/i/c/b/_create < $TEST_NGINX_DIR/body => 2 200 "_id":"b"
--http2-prior-knowledge http://127.0.0.1:$TEST_NGINX_RAND_PORT_2/i/c/b => 2 200 x{60000}.*"b":1
-H 'Content-Type: application/json' --http2-prior-knowledge --data-binary @$TEST_NGINX_DIR/key.pem http://127.0.0.1:$TEST_NGINX_RAND_PORT_2/i/c/c/_create => 2 400 body_parse_failed
https://127.0.0.1:$TEST_NGINX_RAND_PORT_1/_serverInfo => 2 200
https://127.0.0.1:$TEST_NGINX_RAND_PORT_1/_serverInfo => 2 503
https://127.0.0.1:$TEST_NGINX_RAND_PORT_1/_publicApi => 2 403
--- error_log
access forbidden by rule
limiting requests


=== TEST 14: realip: who is behind a trusted proxy is limited, and logged
--- http_config
set_real_ip_from 127.0.0.1;
real_ip_header X-Forwarded-For;
real_ip_recursive on;
limit_req_zone $binary_remote_addr zone=z:1m rate=1r/m;
log_format addr '$remote_addr $kuzzle_action';
access_log logs/addr.log addr;
--- config
location / {
    deny 192.0.2.66;
    limit_req zone=z;
    kuzzle;
}
--- ws
http header="X-Forwarded-For: 192.0.2.1" GET /_now => 200
http header="X-Forwarded-For: 192.0.2.1" GET /_now => 503
http header="X-Forwarded-For: 192.0.2.2" GET /_now => 200
http header="X-Forwarded-For: 192.0.2.66" GET /_now => 403
--- file
addr.log
192\.0\.2\.1 now
192\.0\.2\.1 now
192\.0\.2\.2 now
192\.0\.2\.66 now
--- error_log
access forbidden by rule
limiting requests


=== TEST 15: a proxy in front: HTTP and WebSocket, the client's address
--- http_config
kuzzle_log_format addr '$remote_addr $kuzzle_event $kuzzle_protocol';
server {
    listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Forwarded-For;
    kuzzle_log logs/back.log addr;
    location / {
        kuzzle;
    }
}
upstream back {
    server 127.0.0.1:$TEST_NGINX_RAND_PORT_1;
    keepalive 4;
}
map $http_upgrade $connection_upgrade {
    default upgrade;
    '' '';
}
--- config
location / {
    proxy_pass http://back;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_set_header X-Forwarded-For "192.0.2.9";
}
--- ws
http POST /i/_create {} => 200 {"index":"i"}
http GET /i%2Fj/_exists => 200 {"index":"i/j"}
open a
open b
a> {"controller":"realtime","action":"subscribe","index":"i","collection":"c","body":{}}
a< {"status":200} {ch=result.channel}
b> {"controller":"realtime","action":"publish","index":"i","collection":"c","body":{"x":1}}
b< {"status":200}
a< {"room":"$ch","result":{"_source":{"x":1}}}
close a
close b
--- file
back.log
192\.0\.2\.9 query http
192\.0\.2\.9 query http
192\.0\.2\.9 query websocket
192\.0\.2\.9 query websocket
192\.0\.2\.9 session websocket
192\.0\.2\.9 session websocket


=== TEST 16: mirror: of a request, and of a handshake, which does not hurt
--- config
location / {
    mirror /sink;
    kuzzle;
}
location = /sink {
    internal;
    return 204;
}
--- ws
http POST /i/_create {} => 200 {"index":"i"}
open a + {"controller":"server","action":"now","requestId":"early"}
a< {"status":200,"room":"early"}
a> {"controller":"server","action":"now"}
a< {"status":200}
open b status=400 header="Sec-WebSocket-Key: x"


=== TEST 17: a WebSocket begins when a slow mirror has ended
--- config
location / {
    mirror /sink;
    mirror /sink2;
    kuzzle;
}
location = /sink {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_PORT/slow/m/_create;
    proxy_method POST;
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
}
location = /sink2 {
    internal;
    return 500;
}
location /slow/ {
    rewrite ^/slow/(.*)$ /$1 break;
    kuzzle;
}
--- ws
stop writer
open a + {"controller":"server","action":"now","requestId":"early"}
open b
a> {"controller":"server","action":"now","requestId":"second"}
a! 0.4
drop b
cont writer
a< {"status":200,"room":"early"}
a< {"status":200,"room":"second"}
a> {"controller":"server","action":"now"}
a< {"status":200}
http GET /m/_exists => 200 {"result":true}
open c
close c
--- kills


=== TEST 18: a mirror that nobody answers
--- config
location / {
    mirror /sink;
    kuzzle;
}
location = /sink {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_9;
}
--- ws
open a
a> {"controller":"server","action":"now"}
a< {"status":200}
close a
http GET /_now => 200
--- error_log
Connection refused


=== TEST 19: a reload while a handshake waits for a mirror
--- http_config
kuzzle_drain 100ms;
--- config
location / {
    mirror /sink;
    kuzzle;
}
location = /sink {
    internal;
    proxy_pass http://127.0.0.1:$TEST_NGINX_PORT/slow/m/_create;
    proxy_method POST;
    proxy_pass_request_headers off;
    proxy_pass_request_body off;
    proxy_read_timeout 1s;
}
location /slow/ {
    rewrite ^/slow/(.*)$ /$1 break;
    kuzzle;
}
--- ws
stop writer
open a
a! 0.2
cont writer
reload
a<close 1001
a<eof
--- kills


=== TEST 20: sub_filter changes an answer, gzip and chunks do not break it
--- config
location / {
    kuzzle;
    sub_filter_types application/json;
    sub_filter '"now"' '"then, and much longer than it was"';
}
location /_serverInfo {
    kuzzle;
    kuzzle_compression off;
    gzip on;
    gzip_min_length 1;
    gzip_types application/json;
}
location /_publicApi {
    kuzzle;
    kuzzle_compression on;
    gzip on;
    gzip_min_length 1;
    gzip_types application/json;
}
--- curl
http://127.0.0.1:$TEST_NGINX_PORT/_now => 1.1 200 then, and much longer than it was
-i --compressed http://127.0.0.1:$TEST_NGINX_PORT/_serverInfo => 1.1 200 Content-Encoding: gzip.*"action":"info"
-i http://127.0.0.1:$TEST_NGINX_PORT/_serverInfo => 1.1 200 "action":"info"
-i --compressed http://127.0.0.1:$TEST_NGINX_PORT/_publicApi => 1.1 200 Content-Encoding: gzip.*"action":"publicApi"


=== TEST 21: an answer inside a page: ssi
--- config
location / {
    kuzzle;
}
location = /page.html {
    root html;
    ssi on;
    ssi_types text/plain;
}
--- user_files
>>> page.html
<b><!--# include virtual="/_now" --></b><i><!--# include virtual="/i/c/nobody" --></i><!--# echo var="kuzzle_action" -->
--- request
GET /page.html
--- response_body_like
^<b>\{.*"action":"now".*\}</b><i>\{.*unknown_index.*\}</i>\(none\)


=== TEST 22: a client_max_body_size of nginx's, a header that is too large
--- config
location / {
    kuzzle;
    client_max_body_size 20;
}
--- raw_request eval
["GET /_now HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: " . ("x" x 40000) . "\r\n\r\n"]
--- error_code: 400
--- response_body_like: Request Header Or Cookie Too Large


=== TEST 23: post_action and a log of the subrequest do not touch the answer
--- config
location / {
    kuzzle;
    post_action /after;
}
location = /after {
    internal;
    log_subrequest on;
    rewrite ^ /_serverInfo break;
    kuzzle;
}
--- request
GET /_now
--- kuzzle_reply
{"action":"now"}
