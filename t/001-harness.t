# The harness tests itself: its pure parts, then nginx without our module.
# A WebSocket echo server in Perl behind proxy_pass is the peer for the
# conversations, so that clients sit on real workers.

use strict;
use warnings;

use FindBin;
use File::Temp 'tempdir';
use Test::More;

use Test::Nginx::Blocks 'parse_blocks';
use Test::Nginx::Http qw(build_requests build_request parse_response);
use Test::Nginx::Kuzzle::Echo 'start_echo';
use Test::Nginx::Kuzzle::Json qw(json_mismatch_text json_path json_decode);
use Test::Nginx::Kuzzle::Script;
use Test::Nginx::Kuzzle::WS qw(encode_frame decode_frame frame_violation
    accept_key);

use Test::Nginx::Kuzzle;

$ENV{TEST_NGINX_ECHO_PORT} = start_echo();

subtest 'block parser' => \&test_blocks;
subtest 'requests' => \&test_requests;
subtest 'responses' => \&test_responses;
subtest 'JSON subset' => \&test_json;
subtest 'WebSocket frames' => \&test_frames;
subtest 'default configuration' => \&test_defaults;
subtest 'a failure is a failure' => \&test_failures
    if !$ENV{TEST_NGINX_USE_VALGRIND};

run_tests();


sub test_blocks {
    my ($one, $two) = parse_blocks(<<'EOT');
ignored
=== TEST 1: first
a description
--- config

  location / { }

--- request: GET /t
--- list eval
[1, "two"]
--- body chomp
\--- not a section
--- upper chomp uc -trim

x

--- flag
=== second
--- empty:
--- port eval: 6 * 7
EOT

    $_->run_filters for $one, $two;

    is $one->name, 'TEST 1: first', 'name';
    is $one->config, "  location / { }\n", 'trim keeps one newline';
    is $one->request, 'GET /t', 'one line section';
    is_deeply $one->list, [1, 'two'], 'eval';
    is $one->body, '--- not a section', 'escaped line, chomp';
    is $one->upper, "\nX\n", 'filters in order, -trim';
    is $one->flag, '', 'a flag is an empty section';
    is $one->nothing, undef, 'absent section';
    is $two->empty, '', 'empty one line section';
    is $two->port, 42, 'filter on a one line section';
    is_deeply [$two->sections], [qw(empty port)], 'sections in order';

    my ($bad) = parse_blocks("=== x\n--- a eval\n1 +\n");
    ok !eval { $bad->run_filters; 1 }, 'eval that does not compile';
    like $@, qr/^x: section "a"/, '... names block and section';

    ok !eval { parse_blocks("=== x\n--- a: 1\n2\n"); 1 }, 'extra lines';
    ok !eval { parse_blocks("=== x\n--- a\n--- a\n"); 1 }, 'section twice';
    ok !eval { parse_blocks("nothing\n"); 1 }, 'no blocks';
}


sub test_requests {
    my ($text) = build_request('', 'close', "POST /x\n{\"a\":1}\n");
    is $text, "POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        . "Content-Length: 7\r\n\r\n{\"a\":1}", 'headers are added';

    ($text) = build_request("Host: a\r\nTransfer-Encoding: chunked\r\n",
        'close', "PUT / HTTP/1.0\nx");
    is $text, "PUT / HTTP/1.0\r\nConnection: close\r\nHost: a\r\n"
        . "Transfer-Encoding: chunked\r\n\r\nx", 'given headers win';

    my @packets = build_request('', 'close', "PO", "ST /x\nab", "cd");
    is scalar @packets, 3, 'as many packets as before';
    is $packets[0], 'PO', 'a border in the request line';
    like $packets[1], qr{^ST /x HTTP/1.1\r\n.*\r\n\r\nab\z}s, 'headers';
    is $packets[2], 'cd', 'a border in the body';
    like $packets[1], qr/Content-Length: 4\r/, 'length of the whole body';

    my ($block) = parse_blocks(<<'EOT');
=== x
--- pipelined_requests eval
["GET /1", "HEAD /2"]
--- more_headers
X-A: 1
# comment
EOT
    $block->run_filters;
    my ($request) = build_requests($block);
    is_deeply $request->{head}, [0, 1], 'HEAD is known';
    like $request->{packets}[0]{value}, qr{^GET[ ]/1[ ]HTTP/1.1\r\nHost:.*
        Connection:[ ]keep-alive\r\nX-A:[ ]1\r\n\r\nHEAD[ ]/2[ ].*
        Connection:[ ]close\r\n}sx, 'pipeline in one packet';
}


sub test_responses {
    my ($res, $left) = parse_response("HTTP/1.1 100 Continue\r\n\r\n"
        . "HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nContent-Length: 2\r\n\r\nhiHTTP");
    is $res->code, 200, 'interim response is skipped';
    is $res->header('A'), '1, 2', 'repeated header';
    is_deeply [$res->content, $left, $res->{partial}], ['hi', 'HTTP', ''],
        'Content-Length';

    my $chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    ($res, $left) = parse_response("${chunked}3\r\nabc\r\n2;x\r\nde\r\n0\r\n"
        . "\r\nrest");
    is_deeply [$res->content, $left, $res->{partial}], ['abcde', 'rest', ''],
        'chunks';

    ($res) = parse_response("${chunked}3\r\nab");
    like $res->{partial}, qr/chunk/, 'truncated chunk';

    ($res) = parse_response("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
    like $res->{partial}, qr/truncated/, 'truncated body';

    ($res, $left) = parse_response("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n"
        . "\r\n", 1);
    is $res->{partial}, '', 'HEAD has no body';

    ($res, $left) = parse_response("HTTP/1.1 204 No Content\r\n\r\nHTTP");
    is $left, 'HTTP', 'no headers, no body';

    is_deeply [parse_response("HTTP/1.1 200 OK\r\nA: 1\r\n")], [],
        'incomplete header';
}


sub test_json {
    my $same = sub {
        my ($want, $got, $name) = @_;
        is join("\n", json_mismatch_text($want, $got)), '', $name;
    };
    my $differs = sub {
        my ($want, $got, $re, $name) = @_;
        like join("\n", json_mismatch_text($want, $got)), $re, $name;
    };

    $same->('{"a":1}', '{"b":2,"a":1.0}', 'others are ignored');
    $same->('{"a":[{"b":1}]}', '{"a":[{"b":1,"c":2}]}', 'subset in arrays');
    $same->('[1,"..."]', '[1,2,3]', 'open array');
    $same->('["..."]', '[]', 'open array of nothing');
    $same->('{"a":"*"}', '{"a":null}', '* is anything');
    $same->('{"a":"*number","b":"*string"}', '{"a":3,"b":"x"}', 'types');
    $same->('{"a":"~^x+$"}', '{"a":"xx"}', 'regex');
    $same->('{"a":"=*"}', '{"a":"*"}', 'literal');
    $same->('{"a":1,"-":["c"]}', '{"a":1}', 'absent member');
    $same->('{"a":true,"b":null}', '{"a":true,"b":null}', 'literals');
    $same->('"\u00e9"', '"' . "\xc3\xa9" . '"', 'UTF-8');

    $differs->('{"a":1}', '{"a":"1"}', qr/^a: expected number/, 'type');
    $differs->('{"a":"1"}', '{"a":1}', qr/^a: expected string/, 'type back');
    $differs->('{"a":{"b":1}}', '{"a":{"b":2}}', qr/^a\.b:/, 'path');
    $differs->('{"a":1}', '{}', qr/^a: is missing/, 'missing');
    $differs->('{"a":null}', '{}', qr/^a: is missing/, 'null is not absent');
    $differs->('{"a":false}', '{"a":0}', qr/^a: expected bool/, 'bool');
    $differs->('[1]', '[1,2]', qr/expected 1 elements, got 2/, 'longer');
    $differs->('[1,2,"..."]', '[1]', qr/2 or more/, 'too short');
    $differs->('{"-":["c"]}', '{"c":null}', qr/"c" must be absent/, 'absent');
    $differs->('{"a":"~^x$"}', '{"a":"y"}', qr/^a:/, 'regex');
    $differs->('{"a":"*bool"}', '{"a":1}', qr/^a:/, 'wrong type');
    $differs->('{"a":1}', '{"a":1', qr/not JSON/, 'broken JSON');

    my $data = json_decode('{"a":{"b":[{"c":7}]}}');
    is json_path($data, 'a.b.0.c'), 7, 'path';
    is_deeply [json_path($data, 'a.x')], [undef, 0], 'path to nothing';
}


sub test_frames {
    # RFC 6455, 5.7 and 1.3.
    is unpack('H*', encode_frame(payload => 'Hello', mask => 0)),
        '810548656c6c6f', 'unmasked text';
    is unpack('H*', encode_frame(payload => 'Hello',
        mask => pack 'H*', '37fa213d')), '818537fa213d7f9f4d5158',
        'masked text';
    is accept_key('dGhlIHNhbXBsZSBub25jZQ=='),
        's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 'accept key';

    for my $size (0, 1, 125, 126, 65535, 65536) {
        my $bytes = encode_frame(payload => 'x' x $size, opcode => 2);
        my $cut = substr $bytes, 0, -1;
        is decode_frame(\$cut), undef, "$size bytes: one short";
        $bytes .= 'next';
        my $frame = decode_frame(\$bytes);
        is length $frame->{payload}, $size, "$size bytes";
        is $bytes, 'next', '... and not more';
    }

    my $odd = encode_frame(opcode => 9, fin => 0, rsv => 5, wide => 8,
        payload => 'p', mask => 0);
    is unpack('H*', $odd), '59' . '7f' . '0000000000000001' . '70',
        'odd frame';

    my $says = sub { frame_violation({ fin => 1, rsv => 0, opcode => 1,
        mask => 0, payload => '', @_ }, 0) || '' };
    is $says->(), '', 'a good frame';
    like $says->(mask => 1), qr/masked/, 'masked';
    like $says->(rsv => 4), qr/reserved bits/, 'rsv';
    like $says->(opcode => 3), qr/reserved opcode/, 'opcode';
    like $says->(opcode => 9, fin => 0), qr/fragmented/, 'control';
    like $says->(opcode => 9, payload => 'x' x 126), qr/125/, 'long control';
    like $says->(opcode => 8, payload => 'x'), qr/one byte/, 'short close';
    like $says->(opcode => 0), qr/continuation/, 'continuation';

    ok Test::Nginx::Kuzzle::Script::needs_master("open a worker=1\n"),
        'a script that needs a master';
    ok !Test::Nginx::Kuzzle::Script::needs_master("a> {\"kill\":1}\n"),
        '... and one that does not';
}


# What a block gets without saying so.

sub test_defaults {
    my @blocks = parse_blocks(<<'EOT');
=== a block that says nothing
--- request: GET /
=== one with everything
--- main_config
env FOO;
--- kuzzle_config
limit 5;
--- config
location /x { }
=== only the module
--- no_kuzzle_block
=== its own kuzzle block
--- main_config
kuzzle {
    data /x;
}
EOT

    $_->run_filters, Test::Nginx::Kuzzle::_configure($_) for @blocks;
    my @main = map { $_->main_config } @blocks;

    like $main[0], qr/load_module\ [^;]*ngx_kuzzle_module\.so;
        \s+kuzzle\ \{\s+data\ \S+\/data;\s+\}/x, 'module and data directory';
    like $blocks[0]->config, qr/location \/ \{\s+kuzzle;/, 'location';
    like $main[1], qr/data \S+;\nlimit 5;\n\}\nenv FOO;/, 'all is added';
    is $blocks[1]->config, "location /x { }\n", 'config is left alone';
    unlike $main[2], qr/kuzzle \{/, 'no_kuzzle_block';
    is scalar(() = $main[3] =~ /kuzzle \{/g), 1, 'one kuzzle block';
}


# Blocks that must fail, run in a file of their own.

sub test_failures {
    my $dir = tempdir(CLEANUP => 1);
    my %expected;

    open my $fh, '>', "$dir/bad.t" or die $!;
    print {$fh} "use Test::Nginx::Kuzzle;\nrun_tests();\n__DATA__\n";

    my $n = 0;
    my $add = sub {
        my ($re, $sections) = @_;
        $n++;
        $expected{$n} = $re;
        $sections = "--- config\nlocation / { return 200 '{\"a\":1}'; }\n"
            . $sections if $sections !~ /^--- config/;
        $sections .= "--- request: GET /\n" if $sections !~ /^--- (?:ws|requ)/m;
        print {$fh} "=== BAD $n:\n--- no_kuzzle\n$sections";
    };

    my $proxy = "--- config\nlocation / {\nproxy_pass http://127.0.0.1:"
        . "\$TEST_NGINX_ECHO_PORT; proxy_http_version 1.1; proxy_set_header"
        . " Upgrade websocket; proxy_set_header Connection upgrade; }\n";

    $add->(qr/status code ok/, "--- error_code: 404\n");
    $add->(qr/response_body/, "--- response_body: x\n");
    $add->(qr/response_body_like/, "--- response_body_like: x\n");
    $add->(qr/response_body_unlike/, "--- response_body_unlike: a\n");
    $add->(qr/header X ok/, "--- response_headers\nX: y\n");
    $add->(qr/not present/, "--- response_headers\n!Server\n");
    $add->(qr/matches a line in error.log/, "--- error_log: nowhere\n");
    $add->(qr/does not match a line in error/, "--- no_error_log: notice\n");
    $add->(qr/grep_error_log_out/, "--- grep_error_log eval: qr/worker/\n"
        . "--- grep_error_log_out eval: qr/never/\n");
    $add->(qr/did not die/, "--- must_die\n");
    $add->(qr/nginx does not start/, "--- config: nonsense;\n");
    $add->(qr/kuzzle_reply/, "--- kuzzle_reply: {\"a\":2}\n");
    $add->(qr/kuzzle_error/, "--- kuzzle_error: 200 some.id\n");
    $add->(qr/timed out/, "--- raw_request: GET\n--- timeout: 0.1\n");
    $add->(qr/in error.log: .*exited on signal 9/, "--- ws\nkill worker 0\n"
        . "workers\n");
    $add->(qr/ended by signal 9/, "--- ws\nkill worker 0\nkill master\n"
        . "--- request: GET /\n");
    $add->(qr/- ws\n/, "$proxy--- ws\nopen a\na> {\"x\":1}\na< {\"x\":2}\n");
    $add->(qr/- ws\n/, "$proxy--- ws\nopen a\na> {\"x\":1}\na! 0.2\n");
    $add->(qr/- ws\n/, "$proxy--- ws\nopen a\na> MASKED\nsleep 0.2\n");
    $add->(qr/- ws\n/, "$proxy--- ws\nopen a\na< in=0.1 {}\n");
    $add->(qr/- ws\n/, "$proxy--- ws\nnonsense\n");
    $add->(qr/- ws\n/, "$proxy--- ws\nopen a worker=0\nopen b apart=a\n"
        . "same a b\n");
    $add->(qr/no request/, "--- ONLYNOT: x\n--- request eval: undef\n");
    close $fh;

    my @args = ("-I$FindBin::Bin/lib", "$dir/bad.t");
    my $pid = open my $out, '-|';
    die "fork: $!" if !defined $pid;
    if (!$pid) {
        open STDERR, '>', '/dev/null';
        delete @ENV{qw(TEST_NGINX_SERVROOT TEST_NGINX_PORT)};
        exec $^X, @args or POSIX::_exit(127);
    }
    my $text = do { local $/; <$out> };
    close $out;

    isnt $?, 0, 'the exit code tells';

    for my $i (1 .. $n) {
        my @failed = $text =~ /^(not ok \d+ - BAD $i:.*\n)/mg;
        like join('', @failed), $expected{$i}, "block $i fails";
    }
}


__DATA__

=== TEST 1: a location answers with a body and headers
--- no_kuzzle
--- config
location /t {
    add_header X-A $arg_a;
    return 200 "$request_method $http_x_b $request_uri\n";
}
--- request
GET /t?a=5
--- more_headers
X-B: b
--- response_body
GET b /t?a=5
--- response_headers
X-A: 5
!X-C
--- response_headers_like
Server: nginx/[\d.]+
--- raw_response_headers_like: Content-Length: \d+
--- raw_response_headers_unlike: chunked



=== TEST 2: several requests, in packets too
--- no_kuzzle
--- config
location /t { return 200 "$request_method"; }
location /u { return 404 "no"; }
--- request eval
["POST /t
abc", "GET /u HTTP/1.0", ["GE", { value => "T /t\n", delay_before => 0.01 }]]
--- error_code eval
[200, 404, 200]
--- response_body eval
["POST", "no", qr/^G/]



=== TEST 3: pipelined requests
--- no_kuzzle
--- config
location /t { return 200 "$request_uri"; }
--- pipelined_requests eval
["GET /t/1", "HEAD /t/2", "GET /t/3"]
--- response_body eval
["/t/1", "", "/t/3"]



=== TEST 4: a raw request with a pause, and what the server keeps to itself
--- no_kuzzle
--- config
location /t { return 444; }
--- raw_request eval
["GET /t HT", "TP/1.0\r\n\r\n"]
--- raw_request_middle_delay: 0.02
--- error_code:



=== TEST 5: nginx must refuse this configuration
--- no_kuzzle
--- config
location /t { nonsense; }
--- must_die: 1
--- error_log
unknown directive "nonsense"
nginx.conf:
--- no_error_log
[alert]



=== TEST 6: files of the user, variables, patterns, logs
--- no_kuzzle
--- user_files
>>> a/b.txt
here is $ServerPort
>>> c.txt
see
--- config
location /a/ { root $TEST_NGINX_HTML_DIR; }
location /none/ { root html; }
location = /port { return 200 "$server_port $TEST_NGINX_SERVER_PORT"; }
--- request eval
["GET /a/b.txt", "GET /none/x", "GET /port"]
--- error_code_like eval
[200, "^4", qr/200/]
--- response_body_like eval
["here is $ServerPort", "Not Found", "^(\\d+) \\1\$"]
--- error_log eval
[qr/\[error\].*none/, "No such file"]
--- grep_error_log eval
qr/open\(\) ".*?\w+"/
--- grep_error_log_out eval
qr{^open\(\) ".*/html/none/x"\n$}
--- access_log
GET /a/b.txt
--- no_access_log
POST



=== TEST 7: the default location and the files in it
--- no_kuzzle
--- config
location = /x { return 204; }
location / { root html; index index.html; }
--- request: GET /
--- response_body_like: It works



=== TEST 8: no answer in time, as announced
--- no_kuzzle
--- config
location / { return 200 x; }
--- raw_request: GET /
--- timeout: 100ms
--- abort
--- ignore_response



=== TEST 9: skipped by version
--- no_kuzzle
--- skip_nginx: 2: > 0.1.0
--- config
nonsense;



=== TEST 10: skipped by code
--- no_kuzzle
--- skip_eval: 1: 1 + 1 == 2
--- config
nonsense;



=== TEST 11: response filters, json_sort
--- no_kuzzle
--- config
location / { return 200 '{"b": 1, "a": [ 2 ]}'; }
--- request: GET /
--- response_body_filters: json_sort
--- response_body json_sort chomp
{"a":[2],
 "b":1}



=== TEST 12: replies as a JSON subset
--- no_kuzzle
--- config
set $ok '"status":200,"error":null';
set $bad '{"id":"a.b.c","message":"no x","status":404}';
location /ok { return 200 '{$ok,"result":{"n":1,"l":[1,2]}}'; }
location /bad { return 404 '{"status":404,"error":$bad,"result":null}'; }
--- request eval
["GET /ok", "GET /bad", "GET /ok"]
--- kuzzle_reply
{"error":null, "result":{"n":"*number", "l":[1,"..."], "-":["m"]}}
{"status":404}
null
--- kuzzle_error
-
404 a.b.c ~no \w
-



=== TEST 13: two clients on two workers
--- no_kuzzle
--- http_config
proxy_http_version 1.1;
proxy_set_header Upgrade websocket;
proxy_set_header Connection upgrade;
proxy_set_header Sec-WebSocket-Key $http_sec_websocket_key;
--- config
location / { proxy_pass http://127.0.0.1:$TEST_NGINX_ECHO_PORT; }
--- ws
open a worker=0
open b worker=1
open c worker=0
open d apart=a
apart a b
same a c
apart c d
a> {"x":1,"l":["a"],"s":"q\"uote"}
a< {"x":1} {first=l.0, s=s, all=l}
b! 0.05
b> {"y":"$first$first","s":"$s","l":$all}
b< {"y":"aa",
    "s":"q\"uote","l":["a"]}
# out of order
a> {"n":1}
a> {"n":2}
a<~ {"n":2}
a< {"n":1}
times 3 a> {"n":$i}
times 3 a< {"n":$i}
close a
close b



=== TEST 14: frames of all kinds
--- no_kuzzle
--- config
location /x { return 200 '{"hello":"$arg_who $http_x_a"}'; }
location /p { return 404 "$request_method $content_length"; }
--- ws
open a port=$TEST_NGINX_ECHO_PORT
open b port=$TEST_NGINX_ECHO_PORT + {"early":1}
b< {"early":1}
a> frag=2 {"fragments":1}
a< text {"fragments":1}
a> bytes=1 {"bytes":1}
a< /^\{"bytes"/
a> {"big":"<<repeat:70000:x>>"}
a< {"big":"<<repeat:70000:x>>"}
a> FRAGMENTS
a< {"frag":"ments"}
a<ping between
a> ping hello
a<pong hello
a> PING
a<ping are you there
a> raw hex:8180 01020304
a< text
a> frame opcode=1 fin=0 payload={"x":
a> frame opcode=0 fin=1 mask=hex:00000000 payload=2}
a< {"x":2}
a> frame opcode=1 mask=0 payload=x
a<close 1002 /proto/
a<eof
b> CLOSE 4001
b<close 4001
b<eof
open c port=$TEST_NGINX_ECHO_PORT
c> END
c<gone
open d port=$TEST_NGINX_ECHO_PORT status=400 header="Sec-WebSocket-Key:"
open e port=$TEST_NGINX_ECHO_PORT auto=0
e> PING
e<ping
e! 0.05
drop e
set who=me
http header="X-A: v" GET /x?who=$who => 200 {"hello":"me v"} {h=hello}
http as later POST /p {"a":1}
http GET /x => any
later< 404
http GET /x?who=$port => {"hello":"~^\\d+ $"}



=== TEST 15: reload, killed workers, restart
--- no_kuzzle
--- kills
--- config
location / { return 200 "{}"; }
--- ws
reload
http GET / => {}
kill worker 0
workers
http GET / => {}
log /exited on signal 9/
restart
http GET / => {}
restart TERM
workers
http GET / => {}



=== TEST 16: a file kept from block to block
--- no_kuzzle
--- init
open my $fh, '>', data_dir() . '/mark' or die $!;
print $fh 'kept';
close $fh;
chmod 0644, data_dir() . '/mark';
--- config
location / { root $TEST_NGINX_DATA_DIR; }
--- request: GET /mark
--- response_body chomp
kept



=== TEST 17: ... is still there
--- no_kuzzle
--- keep_data
--- config
location / { root $TEST_NGINX_DATA_DIR; }
--- request: GET /mark
--- response_body chomp
kept



=== TEST 18: ... and is gone
--- no_kuzzle
--- config
location / { root $TEST_NGINX_DATA_DIR; }
--- request: GET /mark
--- error_code: 404
