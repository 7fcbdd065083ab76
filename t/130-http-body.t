# Request bodies: Content-Encoding, limits, who has read them before us, slow
# and lying senders.  Forms: 131-http-form.t.

use Test::Nginx::Kuzzle;

use Compress::Zlib ();
use Test::Nginx::Http ();

# "gzip" and "deflate" of a text, by zlib.

sub gz {
    return Compress::Zlib::memGzip($_[0]);
}

sub zl {
    return Compress::Zlib::compress($_[0]);
}

# A request for "document:create", its body as it is.

sub post {
    my ($headers, $body, $url) = @_;

    $url ||= '/i/c/_create';

    return "POST $url HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        . join('', map { "$_\r\n" } split /\n/, $headers)
        . 'Content-Length: ' . length($body) . "\r\n\r\n" . $body;
}

sub chunked {
    my ($headers, @chunks) = @_;

    return ("POST /i/c/_create HTTP/1.1\r\nHost: localhost\r\n"
        . "Connection: close\r\n$headers\r\nTransfer-Encoding: chunked\r\n\r\n",
        map({ sprintf("%x\r\n%s\r\n", length, $_) } @chunks), "0\r\n\r\n");
}

# What an index or collection that is not there answers: the body was read.

our $Got = '{"status":412,"action":"create","collection":"c"}';

# A document of about so many bytes that zlib cannot make much smaller.

sub noise {
    my ($len) = @_;

    my ($x, $text) = (1, '');

    while (length $text < $len) {
        $x = ($x * 1103515245 + 12345) % 2147483648;
        $text .= sprintf '%x', $x;
    }

    return "{\"a\":\"$text\"}";
}

# "curl" is a list of [body, encoding, regex of "body [status version]"]; each
# body is sent over HTTP/2, to the second port.

Test::Nginx::Socket::add_block_action(curl => sub {
    my ($block, $server) = @_;

    my $url = 'http://127.0.0.1:' . $server->extra_port(1) . '/i/c/_create';
    my $file = server_root() . '/body';
    my $options = $block->curl_options || '';
    my $i = 0;

    for my $test (@{$block->curl}) {
        my ($body, $encoding, $re) = @$test;

        open my $fh, '>', $file or die $!;
        binmode $fh;
        print $fh $body;
        close $fh;

        my $command = join ' ', 'curl -sS --max-time 10',
            "--http2-prior-knowledge -w ' [%{http_code} %{http_version}]'",
            $options, "--data-binary \@$file",
            "-H 'Content-Type: application/json'",
            "-H 'Content-Encoding: $encoding' $url";

        my $got = `$command 2>&1`;

        like($got, $re, $block->name . ' - ' . ++$i);
    }
});

# "bombs: N" sends "bomb" N times and sees how far the memory of the workers
# grew: not beyond "bombs_kb".

sub rss {
    my $sum = 0;

    for my $pid (worker_pids()) {
        open my $fh, '<', "/proc/$pid/status" or next;
        /^VmHWM:\s+(\d+)/ and $sum += $1 while <$fh>;
    }

    return $sum;
}

Test::Nginx::Socket::add_block_action(bombs => sub {
    my ($block, $server) = @_;

    my ($before, %codes);

    for my $round (0 .. $block->bombs) {

        # the first ones are what requests of that size cost a worker
        $before = rss() if $round == 8;

        my $socket = Test::Nginx::Http::connect_to('127.0.0.1',
            $server->port, 5);
        my $answer = '';

        print $socket $block->bomb;
        1 while sysread $socket, $answer, 65536, length $answer;

        $codes{ $answer =~ m{^HTTP/1.1 (\d+)} ? $1 : 'none' }++;
    }

    my $grown = rss() - $before;

    is(join(' ', sort keys %codes), '413', $block->name . ' - all refused');
    # a sanitizer keeps what was freed
    return if $ENV{KZ_SLOW} || $ENV{TEST_NGINX_USE_VALGRIND};

    Test::More::cmp_ok($grown, '<', $block->bombs_kb, $block->name . ' - memory is flat');
});

run_tests();

__DATA__

=== TEST 1: an encoded body
--- raw_request eval
::post("Content-Encoding: gzip", ::gz('{"a":1}'), '/i/_create')
--- kuzzle_reply
{"status":200,"action":"create","index":"i"}


=== TEST 2: what was encoded is what is stored
--- request eval
["POST /i/_create", "PUT /i/c", ["POST /i/c/a/_create\n", ::gz('{"a":1}')],
 ["POST /i/c/b/_create\n", ::zl('{"b":2}')],
 ["POST /i/c/c/_create\n", ::zl(::gz('{"c":3}'))],
 ["POST /i/c/d/_create\n", ::gz(::zl(::gz('{"d":4}')))],
 ["POST /i/c/e/_create\n", ::gz('{"e":5}')],
 "GET /i/c/a", "GET /i/c/b", "GET /i/c/c", "GET /i/c/d", "GET /i/c/e"]
--- more_headers eval
["A: b", "A: b", "Content-Encoding: gzip", "Content-Encoding: Deflate",
 "Content-Encoding: gzip, deflate", "content-encoding: gzip,deflate ,\tGZIP",
 "Content-Encoding: identity, gzip,,", map { "A: b" } 1 .. 5]
--- kuzzle_reply
null null null null null null null
{"result":{"_source":{"a":1}}}
{"result":{"_source":{"b":2}}}
{"result":{"_source":{"c":3}}}
{"result":{"_source":{"d":4}}}
{"result":{"_source":{"e":5}}}


=== TEST 3: identity and an empty list are no encoding
--- request eval
["POST /i/c/_create\n{\"a\":1}", "POST /i/c/_create\n{\"a\":1}",
 "POST /i/c/_create\n{\"a\":1}"]
--- more_headers eval
["Content-Encoding: identity", "Content-Encoding:", "Content-Encoding: , ,"]
--- kuzzle_error
412 services.storage.unknown_index_collection
412 services.storage.unknown_index_collection
412 services.storage.unknown_index_collection


=== TEST 4: four layers are too many, in both generations, bare
--- config
location / {
    kuzzle;
}
location /two {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["POST /i/c/_create\nx", "POST /two/c/_create\nx"]
--- more_headers eval
[("Content-Encoding: gzip,gzip,gzip,gzip") x 2]
--- error_code eval
[400, 400]
--- response_body eval
['{"message":"Too many encodings.","status":400,"id":"network.http.too_many_encodings","code":50397187}',
 '{"code":50397187,"id":"network.http.too_many_encodings","message":"Too many encodings.","props":[],"status":400}']


=== TEST 5: how many is a setting
--- config
location / {
    kuzzle;
    kuzzle_max_encoding_layers 1;
}
--- request eval
[["POST /i/c/_create\n", ::gz('{}')], ["POST /i/c/_create\n", ::gz(::gz('{}'))],
 ["POST /i/c/_create\n", ::gz('{}')]]
--- more_headers eval
["Content-Encoding: gzip", "Content-Encoding: gzip, gzip",
 "Content-Encoding: identity, gzip"]
--- error_code eval
[412, 400, 400]
--- kuzzle_reply
{"status":412}
{"id":"network.http.too_many_encodings"}
{"id":"network.http.too_many_encodings"}


=== TEST 6: two headers are one list
--- raw_request eval
::post("Content-Encoding: gzip\nContent-Encoding: deflate",
       ::zl(::gz('{"a":1}')))
--- error_code: 412
--- kuzzle_reply eval: $::Got


=== TEST 7: together they may be too many
--- raw_request eval
::post("Content-Encoding: gzip, gzip\nContent-Encoding: gzip, gzip", 'x')
--- error_code: 400
--- response_body_like: too_many_encodings


=== TEST 8: an unknown encoding is refused by name, in lower case
--- config
location / {
    kuzzle;
}
location /two {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["POST /i/c/_create\nx", "POST /two/c/_create\nx"]
--- more_headers eval
["Content-Encoding: gzip, BR", "Content-Encoding: x-gzip"]
--- error_code eval
[400, 400]
--- response_body eval
['{"message":"Unsupported compression algorithm \"br\".","status":400,"id":"network.http.unsupported_compression","code":50397188}',
 '{"code":50397188,"id":"network.http.unsupported_compression","message":"Unsupported compression algorithm \"x-gzip\".","props":["x-gzip"],"status":400}']


=== TEST 9: an unknown encoding is refused before the body is there
--- raw_request eval
"POST /i/c/_create HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: br\r\nContent-Length: 1000\r\n\r\n"
--- error_code: 400
--- response_body_like: algorithm ..br..


=== TEST 10: a name that is not UTF-8 does not break the reply
--- raw_request eval
::post("Content-Encoding: \xff\"", 'x')
--- error_code: 400
--- kuzzle_reply
{"id":"network.http.unsupported_compression","message":"~not UTF-8"}


=== TEST 11: compression switched off
--- config
location / {
    kuzzle;
    kuzzle_compression off;
}
--- request eval
["POST /i/c/_create\nx", "POST /i/c/_create\nx",
 "POST /i/c/_create\n{\"a\":1}"]
--- more_headers eval
["Content-Encoding: gzip", "Content-Encoding: br", "Content-Encoding: identity"]
--- error_code eval
[400, 400, 412]
--- kuzzle_reply
{"id":"network.http.compression_disabled","code":50397189,"message":"Compression support is disabled.","-":["action"]}
{"id":"network.http.unsupported_compression"}
{"status":412}


=== TEST 12: no gzip at all, as generation 1 says it and as 2 does
--- config
location / {
    kuzzle;
}
location /two {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["POST /i/c/_create\nnot gzip at all", "POST /two/c/_create\nnot gzip at all",
 "POST /two/c/_create\nnot zlib at all"]
--- more_headers eval
["Content-Encoding: gzip", "Content-Encoding: gzip",
 "Content-Encoding: deflate"]
--- error_code eval
[400, 400, 400]
--- response_body eval
['{"message":"Caught an unexpected HTTP error: %s","status":400,"id":"network.http.unexpected_error","code":50397186}',
 ('{"code":50397186,"id":"network.http.unexpected_error","message":"Caught an unexpected HTTP error: incorrect header check","props":["incorrect header check"],"status":400}') x 2]
--- error_log
malformed encoded body: incorrect header check


=== TEST 13: truncated, with garbage behind, with a wrong sum
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
[["POST /i/c/_create\n", substr(::gz('{"a":1}'), 0, 15)],
 ["POST /i/c/_create\n", ::gz('{"a":1}') . 'garbage, more of it'],
 ["POST /i/c/_create\n", ::gz('{"a":1}') . 'x'],
 ["POST /i/c/_create\n", substr(::gz('{"a":1}'), 0, -8) . 'xxxxxxxx'],
 ["POST /i/c/_create\n", ::zl('{"a":1}') . 'x'],
 ["POST /i/c/_create\n", ::zl(substr(::gz('{"a":1}'), 0, 15))]]
--- more_headers eval
[("Content-Encoding: gzip") x 4, "Content-Encoding: deflate",
 "Content-Encoding: gzip, deflate"]
--- error_code eval
[(400) x 6]
--- kuzzle_reply
{"id":"network.http.unexpected_error","props":["unexpected end of file"]}
{"id":"network.http.unexpected_error","props":["incorrect header check"]}
{"id":"network.http.unexpected_error","props":["unexpected end of file"]}
{"id":"network.http.unexpected_error","props":["incorrect data check"]}
{"id":"network.http.unexpected_error","props":["data after the end of the stream"]}
{"id":"network.http.unexpected_error","props":["unexpected end of file"]}


=== TEST 14: members that follow one another, and padding
--- request eval
["POST /i/_create", "PUT /i/c",
 ["POST /i/c/a/_create\n", ::gz('{"a"') . ::gz(':1}')],
 ["POST /i/c/b/_create\n", ::gz('{"b":2}') . "\0" x 600],
 "GET /i/c/a", "GET /i/c/b"]
--- more_headers eval
["A: b", "A: b", ("Content-Encoding: gzip") x 2, "A: b", "A: b"]
--- kuzzle_reply
null null null null
{"result":{"_source":{"a":1}}}
{"result":{"_source":{"b":2}}}


=== TEST 15: after an encoded body was refused the connection goes on
--- pipelined_requests eval
["POST /i/c/_create\nnot gzip at all", "POST /i/c/_create\n" . ::gz('{"a":1}')]
--- more_headers
Content-Encoding: gzip
--- error_code eval
[400, 412]


=== TEST 16: a bomb is refused
--- request eval
[["POST /i/c/_create\n", ::gz('[' . '0,' x 4000000 . '0]')],
 ["POST /i/c/_create\n", ::gz(::gz('[' . '0,' x 10000000 . '0]'))],
 ["POST /i/c/_create\n", ::gz('{"a":"' . 'x' x (1048576 - 8) . '"}')],
 ["POST /i/c/_create\n", ::gz('{"a":"' . 'x' x (1048576 - 7) . '"}')]]
--- more_headers eval
["Content-Encoding: gzip", "Content-Encoding: gzip, gzip",
 ("Content-Encoding: gzip") x 2]
--- error_code eval
[413, 413, 412, 413]
--- kuzzle_reply
{"id":"network.http.request_too_large","status":413,"-":["action"]}
{"id":"network.http.request_too_large","status":413}
{"action":"create"}
{"id":"network.http.request_too_large"}


=== TEST 17: and memory stays flat
--- config
location / {
    kuzzle;
    kuzzle_max_request_size 4m;
}
--- bomb eval
my $b = ::gz("\0" x 100_000_000);
my $g = ::gz($b);
::post("Content-Encoding: gzip, gzip", $g)
--- bombs: 40
--- bombs_kb: 1000


=== TEST 18: a large body, decoded in many turns
--- config
location / {
    kuzzle;
    kuzzle_max_request_size 4m;
}
--- raw_request eval
::post("Content-Encoding: gzip, gzip", ::gz(::gz('{"a":"' . 'x' x 4000000 . '"}')))
--- error_code: 412
--- kuzzle_reply eval: $::Got


=== TEST 19: a client that leaves in the middle of it
--- config
location / {
    kuzzle;
    kuzzle_max_request_size 4m;
}
--- raw_request eval
substr(::post("Content-Encoding: gzip", ::gz('{"a":"' . 'x' x 4000000 . '"}')), 0, -9)
--- abort
--- timeout: 0.2
--- ignore_response
--- no_error_log
[alert]


=== TEST 20: an encoded body, byte by byte
--- raw_request eval
[map { $_ } split //, ::post("Content-Encoding: gzip", ::gz('{"a":1}'))]
--- raw_request_middle_delay: 0.002
--- error_code: 412
--- kuzzle_reply eval: $::Got


=== TEST 21: chunked and encoded
--- raw_request eval
[::chunked("Content-Encoding: gzip", unpack '(a5)*', ::gz('{"a":[1,2,3]}'))]
--- raw_request_middle_delay: 0.01
--- error_code: 412
--- kuzzle_reply eval: $::Got


=== TEST 22: chunked and cut: the last chunk comes, the last bytes do not
--- raw_request eval
[::chunked("Content-Encoding: gzip", substr ::gz('{"a":[1,2,3]}'), 0, 20)]
--- error_code: 400
--- response_body_like: unexpected_error


=== TEST 23: a chunked body of nothing, encoded or not
--- raw_request eval
[::chunked("Content-Encoding: gzip, gzip")]
--- error_code: 400
--- kuzzle_reply
{"error":{"id":"api.assert.body_required"}}


=== TEST 24: the encoded bytes count, too
--- config
location / {
    kuzzle;
    kuzzle_max_request_size 1k;
}
--- raw_request eval
[::chunked("Content-Encoding: gzip", (::gz('')) x 100)]
--- error_code: 413
--- response_body_like: request_too_large


=== TEST 25: Content-Length over the limit is refused at once
--- config
location / {
    kuzzle;
    kuzzle_max_request_size 1k;
}
location /two {
    kuzzle;
    kuzzle_api 2;
    kuzzle_max_request_size 1k;
}
--- raw_request eval
"POST /two/c/_create HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Encoding: br\r\nContent-Type: a/b\r\nContent-Length: 1025\r\n\r\n"
--- error_code: 413
--- response_body: {"code":50397185,"id":"network.http.request_too_large","message":"Maximum HTTP request size exceeded.","props":[],"status":413}


=== TEST 26: the route and the SDK decide the generation of an early refusal
--- request eval
["POST /i/c/_create\nx", "POST /i/c/_upsert\nx"]
--- more_headers eval
["Content-Encoding: br\nX-Kuzzle-Volatile: {\"sdkName\":\"js\@7.0.0\"}",
 "Content-Encoding: br"]
--- error_code eval
[400, 400]
--- kuzzle_reply
{"id":"network.http.unsupported_compression","props":["br"]}
{"id":"network.http.unsupported_compression"}


=== TEST 27: a body that mirror has read before, into a file, is decoded
--- config
location / {
    kuzzle;
}
location /i/c/ {
    mirror /sink;
    client_body_buffer_size 1k;
    client_body_in_file_only clean;
    kuzzle;
}
location = /sink {
    internal;
    return 204;
}
--- request eval
["POST /i/_create", "PUT /i/c",
 ["POST /i/c/x/_create\n", ::gz(join ',', '{"a":[0', map({ rand } 1 .. 20000), '0],"b":1}')],
 "POST /i/c/y/_create\n{\"c\":\"" . ("x" x 20000) . "\",\"b\":2}",
 "GET /i/c/x", "GET /i/c/y"]
--- more_headers eval
["A: b", "A: b", "Content-Encoding: gzip", ("A: b") x 3]
--- kuzzle_reply
null null null null
{"status":200,"result":{"_source":{"b":1}}}
{"status":200,"result":{"_source":{"b":2}}}


=== TEST 28: behind auth_request
--- config
location / {
    auth_request /auth;
    kuzzle;
}
location = /auth {
    internal;
    return 204;
}
--- request eval
[["POST /i/c/_create\n", ::gz('{"a":1}')], "POST /i/c/_create\nx"]
--- more_headers
Content-Encoding: gzip
--- error_code eval
[412, 400]


=== TEST 29: Content-Length longer than the body: no answer, nothing is done
--- raw_request eval
"POST /i/_create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{}"
--- abort
--- timeout: 0.2
--- ignore_response
--- error_log
client prematurely closed connection
--- no_error_log
[alert]


=== TEST 30: Content-Length shorter than the body: what is left is no request
--- raw_request eval
"POST /i/c/_create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n{\"a\":1}"
--- error_code: 400
--- kuzzle_reply
{"error":{"id":"network.http.body_parse_failed"}}


=== TEST 31: two lengths
--- raw_request eval
"POST /i/_create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}"
--- error_code: 400
--- response_body_like: 400 Bad Request


=== TEST 32: a length and chunks
--- raw_request eval
"POST /i/_create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
--- error_code: 400
--- response_body_like: 400 Bad Request


=== TEST 33: a length that is none
--- raw_request eval
"POST /i/_create HTTP/1.1\r\nHost: localhost\r\nContent-Length: -2\r\n\r\n{}"
--- error_code: 400
--- response_body_like: 400 Bad Request


=== TEST 34: a chunk that is none
--- raw_request eval
"POST /i/c/_create HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n"
--- error_code: 400
--- response_body_like: 400 Bad Request


=== TEST 35: a sender that stops is not waited for
--- config
location / {
    kuzzle;
    client_body_timeout 300ms;
}
--- raw_request eval
"POST /i/_create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{}"
--- error_code:


=== TEST 36: a slow sender is
--- config
location / {
    kuzzle;
    client_body_timeout 500ms;
}
--- raw_request eval
["POST /i/_create HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 6\r\n\r\n", split //, "{    }"]
--- raw_request_middle_delay: 0.15
--- kuzzle_reply
{"status":200,"index":"i"}


=== TEST 37: a flood of headers is nginx's to refuse
--- raw_request eval
"POST /i/_create HTTP/1.1\r\nHost: localhost\r\n" . join('', map { "X-Header-$_: $_\r\n" } 1 .. 10000) . "Content-Length: 2\r\n\r\n{}"
--- error_code: 400
--- response_body_like: Request Header Or Cookie Too Large


=== TEST 38: two hundred headers are none
--- raw_request eval
"POST /i/_create HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" . join('', map { "X$_: $_\r\n" } 1 .. 200) . "Content-Length: 2\r\n\r\n{}"
--- kuzzle_reply
{"status":200,"index":"i"}


=== TEST 39: of two content types the first one counts
--- raw_request eval
::post("Content-Type: application/json\nContent-Type: text/plain", '{"a":1}')
--- error_code: 412
--- kuzzle_reply eval: $::Got


=== TEST 40: an unknown type is refused before the body is there
--- config
location / {
    kuzzle;
}
location /two {
    kuzzle;
    kuzzle_api 2;
}
--- raw_request eval
"POST /two/c/_create HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain; charset=latin1\r\nContent-Length: 1000\r\n\r\n"
--- error_code: 400
--- response_body: {"code":50397192,"id":"network.http.unsupported_content","message":"Invalid request content-type. Expected \"application/json\", got: \"text/plain; charset=latin1\".","props":["text/plain; charset=latin1"],"status":400}


=== TEST 41: a charset other than UTF-8 is refused in generation 2
--- config
location / {
    kuzzle;
}
location /two {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["POST /two/c/_create\na=b", "POST /two/c/_create\n{\"a\":1}",
 "POST /i/c/_create\n{\"a\":1}", "POST /two/c/_create\n{\"a\":1}"]
--- more_headers eval
["Content-Type: application/x-www-form-urlencoded; charset=ISO-8859-1",
 "Content-Type: application/json; charset=latin1",
 "Content-Type: application/json; charset=latin1",
 "Content-Type: application/json; charset=\"UTF-8\""]
--- error_code eval
[400, 400, 412, 412]
--- kuzzle_reply
{"id":"network.http.unsupported_charset","props":["iso-8859-1"]}
{"id":"network.http.unsupported_charset","props":["latin1"]}
{"status":412}
{"status":412}


=== TEST 42: a client that expects 100 is refused without it
--- raw_request eval
"POST /i/c/_create HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Encoding: br\r\nContent-Length: 1000\r\n\r\n"
--- error_code: 400
--- response_body_like: unsupported_compression


=== TEST 43: HTTP/2, all encodings, bodies of all sizes
--- config
listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 http2;
location / {
    kuzzle;
    kuzzle_max_request_size 4m;
}
--- curl eval
[[::gz('{"a":1}'), 'gzip', qr/"status":412.*\[412 2\]/],
 [::zl('{"a":1}'), 'deflate', qr/"status":412.*\[412 2\]/],
 ['{"a":1}', 'identity', qr/"status":412.*\[412 2\]/],
 [::gz(::noise(1000000)), 'gzip', qr/"status":412.*\[412 2\]/],
 [::noise(1000000), 'identity', qr/"status":412.*\[412 2\]/],
 [::gz(::gz(' ' x 8000000)), 'gzip, gzip', qr/request_too_large.*\[413 2\]/],
 [substr(::gz('{"a":1}'), 0, 15), 'gzip', qr/unexpected_error.*\[400 2\]/]]


=== TEST 44: HTTP/2 without a length
--- config
listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1 http2;
location / {
    kuzzle;
}
--- curl_options: -H Content-Length:
--- curl eval
[[::gz('{"a":1}'), 'gzip', qr/"status":412.*\[412 2\]/],
 [::gz(::noise(200000)), 'gzip', qr/"status":412.*\[412 2\]/],
 [::noise(200000), 'identity', qr/"status":412.*\[412 2\]/],
 [::noise(1100000), 'identity', qr/request_too_large.*\[413 2\]/]]
