# The reply over HTTP: its headers in both generations, its coding, indented
# JSON, origins.

use Test::Nginx::Kuzzle;

use Compress::Zlib ();
use IO::Socket::INET;
use JSON::PP ();
use Test::Nginx::Http ();
use Time::HiRes qw(time sleep);


# For response_body_filters: what must be of one format, and nothing behind
# it.

sub gunzip {
    my ($text) = @_;
    return inflate($text, 16 + Compress::Zlib::MAX_WBITS());
}

sub unzlib {
    my ($text) = @_;
    return inflate($text, Compress::Zlib::MAX_WBITS());
}

sub inflate {
    my ($text, $bits) = @_;

    my ($z) = Compress::Zlib::inflateInit(-WindowBits => $bits);
    my ($out, $status) = $z->inflate($text);

    return "not compressed as it should be: $status"
        if $status != Compress::Zlib::Z_STREAM_END();
    return 'bytes behind the end' if length $text;
    return $out;
}


Test::Nginx::Socket::add_block_action(calls => sub {
    my ($block, $server) = @_;
    my ($function) = $block->calls =~ /(\w+)/;
    no strict 'refs';
    &{"main::$function"}($block->name, $server->port, $server);
});

run_tests();


# One request on a connection of its own; status, headers (a hash of lower
# case names) and body.

sub ask {
    my ($port, $method, $path, $headers, $body) = @_;

    my $head = join '', map { "$_\r\n" } @{$headers || []};
    $head .= "Content-Type: application/json\r\nContent-Length: "
             . length($body) . "\r\n" if defined $body;

    my $got = Test::Nginx::Http::exchange({
        packets => [{ value => "$method $path HTTP/1.1\r\nHost: localhost\r\n"
                               . "Connection: close\r\n$head\r\n"
                               . ($body // '') }],
        count => 1, head => [$method eq 'HEAD'],
    }, addr => '127.0.0.1', port => $port, timeout => 20);

    my ($top, $rest) = split /\r\n\r\n/, $got->{raw}, 2;
    my ($line, @lines) = split /\r\n/, $top;
    my %h;

    for (@lines) {
        my ($key, $value) = split /:\s*/, $_, 2;
        push @{$h{lc $key}}, $value;
    }

    return { status => (split ' ', $line)[1], body => $rest,
             headers => { map { $_ => join ' | ', @{$h{$_}} } keys %h } };
}


# Documents of some hundred bytes each: a search for all of them is large.

sub fill {
    my ($port, $n) = @_;

    ask($port, 'POST', '/i/_create', [], '');
    ask($port, 'PUT', '/i/c', [], '{}');

    my $text = join ' ', map { $_ * 7919 % 9973 } 1 .. 900;

    for my $i (1 .. $n) {
        my $r = ask($port, 'POST', "/i/c/d$i/_create", [],
                    qq({"n":$i,"text":"$i $text"}));
        die $r->{body} if $r->{status} != 200;
    }
}


# The same search plain and in both codings.

sub large {
    my ($name, $port) = @_;

    fill($port, 200);

    my @search = ('POST', '/i/c/_search?size=10000');
    my $plain = ask($port, @search, [], '{}');
    my $want = members($plain->{body});

    Test::More::cmp_ok(length $plain->{body}, '>', 600_000,
                       "$name - it is large");
    is($plain->{headers}{'content-encoding'}, undef, "$name - plain");

    for my $level (1, 5, 9) {
        for my $coding ('gzip', 'deflate') {

            my @r = map {
                ask($port, 'POST', "/level$level/i/c/_search?size=10000",
                    ["Accept-Encoding: $coding"], '{}')
            } 1 .. 2;

            for my $r (@r) {
                my $text = $coding eq 'gzip' ? gunzip($r->{body})
                                             : unzlib($r->{body});

                is($r->{headers}{'content-encoding'}, $coding,
                   "$name - $coding, level $level");
                is($r->{headers}{'content-length'}, length $r->{body},
                   "$name - its length");
                ok($want eq members($text), "$name - the same answer");
            }
        }
    }
}


# What does not differ from one search to the next.

sub members {
    my ($text) = @_;
    $text =~ s/"requestId":"[^"]*"|"took":\d+//g;
    return $text;
}


# Many at a time, of which some leave; the others and a small one are served.

sub leaving {
    my ($name, $port, $server) = @_;

    fill($port, 300);

    my $request = "POST /level9/i/c/_search?size=10000 HTTP/1.1\r\n"
                  . "Host: localhost\r\nAccept-Encoding: gzip\r\n"
                  . "Content-Length: 2\r\nContent-Type: application/json\r\n"
                  . "Connection: close\r\n\r\n{}";
    my @sockets;

    for (1 .. 40) {
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")
            or die $!;
        print $s $request;
        push @sockets, $s;
    }

    for my $wait (0.01, 0.03, 0.05) {
        sleep $wait;
        close $_ for splice @sockets, 0, 10;
    }

    my $begin = time;
    my $small = ask($port, 'GET', '/_now');

    is($small->{status}, 200, "$name - a small request in between");
    Test::More::cmp_ok(time - $begin, '<', 0.5, "$name - is served at once");

    for my $s (@sockets) {
        my $text = do { local $/; <$s> };
        my ($top, $body) = split /\r\n\r\n/, $text, 2;

        my $answer = eval { JSON::PP::decode_json(gunzip($body)) };
        is($answer && $answer->{result}{total}, 300,
           "$name - who stayed is answered");
    }
}


# A worker told to end compresses what it has begun.

sub ending {
    my ($name, $port, $server) = @_;

    fill($port, 300);

    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") or die $!;

    print $s "POST /level9/i/c/_search?size=10000 HTTP/1.1\r\n"
             . "Host: localhost\r\nAccept-Encoding: gzip\r\n"
             . "Content-Length: 2\r\nContent-Type: application/json\r\n"
             . "Connection: close\r\n\r\n{}";
    sleep 0.02;
    kill 'HUP', $server->pid;

    my $text = do { local $/; <$s> };
    my ($top, $body) = split /\r\n\r\n/, $text // '', 2;
    my $answer = eval { JSON::PP::decode_json(gunzip($body)) };

    is($answer && $answer->{result}{total}, 300, "$name - answered");
}


# Twelve megabytes, to a client that takes its time.

sub huge {
    my ($name, $port) = @_;

    ask($port, 'POST', '/i/_create', [], '');
    ask($port, 'PUT', '/i/c', [], '{}');

    my $text = join '', map { sprintf '%08x', $_ * 2654435761 % 2**32 }
               1 .. 60_000;

    for my $i (1 .. 25) {
        my $r = ask($port, 'POST', "/i/c/d$i/_create", [],
                    qq({"n":$i,"text":"$text"}));
        die $r->{body} if $r->{status} != 200;
    }

    for my $header ([], ['Accept-Encoding: gzip']) {
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")
            or die $!;

        print $s join "\r\n", 'POST /i/c/_search?size=100 HTTP/1.1',
            'Host: localhost', @$header, 'Content-Length: 2',
            'Content-Type: application/json', 'Connection: close', '', '{}';

        sleep 0.5;

        my $got = '';
        while (sysread $s, $got, 262_144, length $got) {
            sleep 0.01;
        }

        my ($top, $body) = split /\r\n\r\n/, $got, 2;
        my ($length) = $top =~ /Content-Length: (\d+)/;

        is($length, length $body, "$name - all that was announced came");

        $body = gunzip($body) if @$header;
        Test::More::cmp_ok(length $body, '>', 12_000_000,
                           "$name - and is large");

        my $answer = eval { JSON::PP::decode_json($body) };
        is($answer && $answer->{result}{hits}[24]{_source}{text}, $text,
           "$name - and right");
    }
}


# HTTP/2, as curl speaks it.

sub http2 {
    my ($name, $port) = @_;

    my $curl = "curl -s --max-time 20 --http2-prior-knowledge -o out -D -"
               . " -H 'Origin: http://a.b'";
    my $url = "http://127.0.0.1:$ENV{TEST_NGINX_PORT2}";
    my $dir = server_root();

    fill($port, 40);

    my %unpack = (gzip => \&gunzip, deflate => \&unzlib,
                  identity => sub { $_[0] });

    for my $api (1, 2) {
        for my $coding (sort keys %unpack) {
            for my $path ('/_now', '/i/c/_search?size=100') {

                my $body = $path =~ /search/
                         ? "-X POST -d '{}' -H 'Content-Type:"
                           . " application/json'" : '';
                my $to = "'$url/api$api$path'"
                         . " -H 'accept-encoding: $coding'";
                my $head = `cd $dir && $curl $body $to`;

                open my $fh, '<', "$dir/out" or die $!;
                binmode $fh;
                my $text = do { local $/; <$fh> };

                my $answer = eval {
                    JSON::PP::decode_json($unpack{$coding}->($text))
                };

                my $what = "$name - generation $api, $coding, $path";

                like($head, qr/^HTTP\/2 200/, $what);
                is($answer && $answer->{status}, 200, "$what: the answer");

                my ($got) = $head =~ /^content-encoding: (\w+)/m;
                is($got, $coding eq 'identity' && $api == 1 ? undef
                         : $coding, "$what: content-encoding");

                my ($length) = $head =~ /^content-length: (\d+)/m;
                is($length, length $text, "$what: its length");
            }
        }
    }

    my $head = `cd $dir && $curl -I -H 'accept-encoding: gzip' $url/api2/`;
    like($head, qr/^HTTP\/2 200/, "$name - HEAD");
}


# Streams that are reset while their reply is being compressed.

sub http2_reset {
    my ($name, $port) = @_;

    my $url = "http://127.0.0.1:$ENV{TEST_NGINX_PORT2}/level9/i/c/_search";

    fill($port, 300);

    for my $limit (0.02, 0.05, 0.08) {
        system "curl -s --max-time $limit --http2-prior-knowledge -o /dev/null"
               . " -X POST -d '{}' -H 'Content-Type: application/json'"
               . " -H 'accept-encoding: gzip' '$url?size=10000' ";
    }

    my $r = ask($port, 'POST', '/level9/i/c/_search?size=10000',
                ['Accept-Encoding: gzip'], '{}');
    my $answer = eval { JSON::PP::decode_json(gunzip($r->{body})) };

    is($answer && $answer->{result}{total}, 300, "$name - it goes on");
}


BEGIN {
    my $socket = IO::Socket::INET->new(Listen => 1,
                                       LocalAddr => '127.0.0.1') or die $@;
    $ENV{TEST_NGINX_PORT2} = $socket->sockport;
}

__DATA__

=== TEST 1: the headers of generation 1, all of them
--- request
GET /_now
--- more_headers
Accept-Encoding: br
Origin: http://example.org
--- raw_response_headers_like eval
qr/^HTTP\/1.1 200 OK\r
Server: [^\r]*\r
Date: [^\r]*\r
Content-Type: application\/json\r
Content-Length: \d+\r
Connection: [-a-z]+\r
Accept-Encoding: gzip,deflate,identity\r
Access-Control-Allow-Methods: GET,POST,PUT,DELETE,OPTIONS,HEAD\r
Access-Control-Allow-Headers: Content-Type, Access-Control-Allow-Headers, Authorization, X-Requested-With, Content-Encoding, Content-Length, X-Kuzzle-Volatile\r
Access-Control-Allow-Origin: \*\r\n(?:\r\n)?$/


=== TEST 2: the headers of generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request
GET /_now
--- more_headers
Origin: http://example.org
X-Kuzzle-Request-Id: r-1
--- raw_response_headers_like eval
qr/^HTTP\/1.1 200 OK\r
Server: [^\r]*\r
Date: [^\r]*\r
Content-Type: application\/json\r
Content-Length: \d+\r
Connection: [-a-z]+\r
Accept-Encoding: gzip,deflate,identity\r
Access-Control-Allow-Headers: Content-Type, Access-Control-Allow-Headers, Authorization, X-Requested-With, Content-Encoding, Content-Length, X-Kuzzle-Volatile\r
Access-Control-Allow-Methods: GET,POST,PUT,PATCH,DELETE,OPTIONS,HEAD\r
Access-Control-Allow-Origin: http:\/\/example.org\r
Access-Control-Allow-Credentials: true\r
X-Kuzzle-Request-Id: r-1\r
X-Kuzzle-Node: knode-ngx-kuzzle\r
Content-Encoding: identity\r
Vary: Origin\r\n(?:\r\n)?$/


=== TEST 3: a bare error of generation 1 has other lists
--- request eval
"POST /i/_create\n{}"
--- more_headers
Content-Type: text/plain
Origin: http://example.org
--- error_code: 400
--- raw_response_headers_like eval
qr/^HTTP\/1.1 400 Bad Request\r
Server: [^\r]*\r
Date: [^\r]*\r
Content-Type: application\/json\r
Content-Length: \d+\r
Connection: [-a-z]+\r
Access-Control-Allow-Methods: GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS\r
Access-Control-Allow-Headers: Content-Type,Access-Control-Allow-Headers,Authorization,X-Requested-With,Content-Length,Content-Encoding,X-Kuzzle-Volatile\r
Access-Control-Allow-Origin: \*\r\n(?:\r\n)?$/


=== TEST 4: a bare error of generation 2 has fewer headers
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
"POST /i/_create\n{}"
--- more_headers
Content-Type: text/plain
--- error_code: 400
--- raw_response_headers_like eval
qr/^HTTP\/1.1 400 Bad Request\r
Server: [^\r]*\r
Date: [^\r]*\r
Content-Type: application\/json\r
Content-Length: \d+\r
Connection: [-a-z]+\r
Access-Control-Allow-Headers: Content-Type, Access-Control-Allow-Headers, Authorization, X-Requested-With, Content-Encoding, Content-Length, X-Kuzzle-Volatile\r
Access-Control-Allow-Methods: GET,POST,PUT,PATCH,DELETE,OPTIONS,HEAD\r\n(?:\r\n)?$/


=== TEST 5: an id from a body cannot make headers
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
[map { "POST /_query\n{\"controller\":\"server\",\"action\":\"now\",\"requestId\":\"$_\"}" }
 "a\\r\\nX-Evil: yes", "mine"]
--- kuzzle_reply
{"requestId":"a\r\nX-Evil: yes","status":200}
{"requestId":"mine"}
--- response_headers eval
["!X-Evil\n!X-Kuzzle-Request-Id", "X-Kuzzle-Request-Id: mine"]


=== TEST 6: no credentials where there are no cookies
--- config
location / {
    kuzzle;
    kuzzle_api 2;
    kuzzle_cookie_authentication off;
}
--- request
GET /_now
--- response_headers
!Access-Control-Allow-Credentials


=== TEST 7: gzip
--- request
GET /_now
--- more_headers
Accept-Encoding: gzip
--- response_headers
Content-Encoding: gzip
Vary: Accept-Encoding
--- response_body_filters eval
\&main::gunzip
--- kuzzle_reply
{"status":200,"action":"now"}


=== TEST 8: deflate is zlib's format
--- request
GET /_now
--- more_headers
Accept-Encoding: deflate
--- response_headers
Content-Encoding: deflate
--- response_body_filters eval
\&main::unzlib
--- kuzzle_reply
{"status":200,"action":"now"}


=== TEST 9: the weights count
--- request eval
[("GET /_now") x 12]
--- more_headers eval
["Accept-Encoding: gzip;q=0.5, deflate;q=0.6",
 "Accept-Encoding: deflate, gzip",
 "Accept-Encoding: gzip;q=0.5, identity",
 "Accept-Encoding: gzip;q=0",
 "Accept-Encoding: *",
 "Accept-Encoding: *;q=0",
 "Accept-Encoding: gzip;q=0, *;q=0.1",
 "Accept-Encoding: br, zstd",
 "Accept-Encoding: deflate\r\nAccept-Encoding: gzip",
 "Accept-Encoding: gzip;q=1.5",
 "Accept-Encoding:",
 "Accept-Encoding: gzip;q=0.001"]
--- response_headers eval
["Content-Encoding: deflate", "Content-Encoding: gzip",
 "!Content-Encoding", "!Content-Encoding", "Content-Encoding: gzip",
 "!Content-Encoding", "Content-Encoding: deflate", "!Content-Encoding",
 "Content-Encoding: gzip", "!Content-Encoding", "!Content-Encoding",
 "Content-Encoding: gzip"]


=== TEST 10: generation 2 names every coding, and what the reply varies by
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
[("GET /_now") x 3]
--- more_headers eval
["Accept-Encoding: gzip\r\nOrigin: http://a.b", "Accept-Encoding: br",
 "Accept-Encoding: deflate"]
--- response_headers eval
["Content-Encoding: gzip\nVary: Origin, Accept-Encoding",
 "Content-Encoding: identity\n!Vary",
 "Content-Encoding: deflate\nVary: Accept-Encoding"]


=== TEST 11: too short, or not wanted
--- config
location / {
    kuzzle;
    kuzzle_compression_min_length 10k;
}
location /off {
    rewrite ^/off(.*) $1 break;
    kuzzle;
    kuzzle_compression off;
}
--- request eval
["GET /_now", "GET /_publicApi", "GET /_now", "GET /off/_publicApi"]
--- more_headers eval
["Accept-Encoding: gzip", "Accept-Encoding: gzip",
 "Accept-Encoding: gzip, identity;q=0", "Accept-Encoding: gzip"]
--- response_headers eval
["!Content-Encoding", "Content-Encoding: gzip", "Content-Encoding: gzip",
 "!Content-Encoding"]


=== TEST 12: errors are compressed, bare or not
--- request eval
["GET /nothing/here/at/all", "POST /i/_create\n{}"]
--- more_headers eval
["Accept-Encoding: gzip",
 "Accept-Encoding: gzip\r\nContent-Type: text/plain"]
--- error_code eval
[404, 400]
--- response_headers eval
["Content-Encoding: gzip", "Content-Encoding: gzip"]
--- response_body_filters eval
\&main::gunzip
--- kuzzle_reply
{"status":404,"error":{"id":"network.http.url_not_found"}}
{"status":400}


=== TEST 13: nginx's gzip does not compress what is compressed
--- http_config
gzip on;
gzip_types application/json;
gzip_min_length 1;
gzip_vary on;
--- config
location / {
    kuzzle;
}
location /two {
    rewrite ^/two(.*) $1 break;
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["GET /_publicApi", "GET /_publicApi", "GET /two/_now"]
--- more_headers eval
["Accept-Encoding: gzip", "Accept-Encoding: deflate",
 "Accept-Encoding: identity, gzip;q=0.1"]
--- response_headers eval
["Content-Encoding: gzip", "Content-Encoding: deflate",
 "Content-Encoding: identity"]
--- response_body_filters eval
[[\&main::gunzip], [\&main::unzlib], [sub { $_[0] }]]
--- response_body_like eval
[("^\{.*\}\$") x 3]


=== TEST 14: nginx's gzip does it where ours is off, in both generations
--- http_config
gzip on;
gzip_types application/json;
gzip_min_length 1;
--- config
location / {
    kuzzle;
    kuzzle_compression off;
}
location /two {
    rewrite ^/two(.*) $1 break;
    kuzzle;
    kuzzle_api 2;
    kuzzle_compression off;
}
--- request eval
["GET /_now", "GET /two/_now"]
--- more_headers
Accept-Encoding: gzip
--- response_headers eval
["Content-Encoding: gzip", "Content-Encoding: gzip"]
--- response_body_filters eval
\&main::gunzip
--- kuzzle_reply
{"action":"now"}
{"action":"now"}


=== TEST 15: nginx's gunzip, for a client that it does not trust with gzip
--- http_config
gunzip on;
gzip_http_version 1.1;
--- raw_request eval
"GET /_now HTTP/1.0\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n"
--- response_headers
!Content-Encoding
--- kuzzle_reply
{"action":"now"}


=== TEST 16: a subrequest is not compressed, what it goes into may be
--- config
location / {
    kuzzle;
}
location /page {
    default_type application/json;
    ssi on;
    ssi_types application/json;
    gzip on;
    gzip_types application/json;
    gzip_min_length 1;
    return 200 '[<!--# include virtual="/_now" -->]';
}
--- request
GET /page
--- more_headers
Accept-Encoding: gzip
--- response_headers
Content-Encoding: gzip
--- response_body_filters eval
\&main::gunzip
--- kuzzle_reply
[{"action":"now"}]


=== TEST 17: HEAD
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["HEAD /", "HEAD /none"]
--- more_headers
Accept-Encoding: gzip
--- error_code eval
[200, 404]
--- response_headers eval
["Content-Encoding: identity\nContent-Type: application/json",
 "Content-Encoding: gzip"]
--- response_body eval
["", ""]


=== TEST 18: pretty, whatever its value
--- config
location / {
    kuzzle;
}
--- request eval
["OPTIONS /?pretty", "OPTIONS /?pretty=false", "OPTIONS /?a=1&%70retty=&b",
 "OPTIONS /?prettyx", "OPTIONS /?x=pretty", "OPTIONS /?Pretty"]
--- response_body_like eval
my $p = '^\{\n  "requestId": "[-0-9a-f]+",\n  "status": 200,\n  "error": null,\n  "controller": null,\n  "action": null,\n  "collection": null,\n  "index": null,\n  "volatile": null,\n  "result": \{\}\n\}$';
my $c = '^\{"requestId":"[-0-9a-f]+","status":200,"error":null,"controller":null,"action":null,"collection":null,"index":null,"volatile":null,"result":\{\}\}$';
[$p, $p, $p, $c, $c, $c]


=== TEST 19: pretty errors, also bare ones and of what could not be read
--- config
location / {
    kuzzle;
    kuzzle_api 2;
    kuzzle_max_request_size 1k;
}
--- request eval
["POST /i/_create?pretty\n{}",
 "POST /i/_create?pretty\n" . ("x" x 2000),
 "GET /_now?%zz&pretty"]
--- more_headers eval
["Content-Type: text/plain", "Content-Type: application/json", ""]
--- error_code eval
[400, 413, 400]
--- response_body_like eval
['^\{\n  "code": 50397192,\n  "id": "network.http.unsupported_content",\n  "message": "[^\n]+",\n  "props": \[\n    "text/plain"\n  \],\n  "status": 400\n\}$',
 '^\{\n  "code": \d+,\n  "id": "network.http.request_too_large",\n  "message": "[^\n]+",\n  "props": \[\],\n  "status": 413\n\}$',
 '^\{\n  "action": null,\n']


=== TEST 20: pretty and compressed
--- request
OPTIONS /?pretty
--- more_headers
Accept-Encoding: gzip
--- response_body_filters eval
\&main::gunzip
--- response_body_like
^\{\n  "requestId"


=== TEST 21: what would grow without measure stays as it is
--- request eval
["POST /i/_create", "PUT /i/c",
 "POST /i/c/x/_create\n{\"a\":" . ("[" x 120) . join(",", ("[]") x 30000) . ("]" x 120) . "}",
 "GET /i/c/x?pretty",
 "POST /i/c/y/_create\n{\"a\":" . ("[" x 20) . join(",", ("[]") x 3000) . ("]" x 20) . "}",
 "GET /i/c/y?pretty"]
--- response_body_like eval
["", "", "", '^\{"requestId"', "", '^\{\n  "requestId"']


=== TEST 22: origins, generation 1
--- config
kuzzle_allow_origin http://a.b https://c.d:8080;
location / {
    kuzzle;
}
--- request eval
[("GET /_now") x 4]
--- more_headers eval
["Origin: https://c.d:8080", "Origin: http://a.b.evil", "Origin: null", ""]
--- response_headers eval
["Access-Control-Allow-Origin: https://c.d:8080\nVary: Origin",
 ("!Access-Control-Allow-Origin\nVary: Origin") x 3]


=== TEST 23: origins, generation 2: others are refused, after the route
--- config
kuzzle_allow_origin http://a.b;
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["GET /_now", "GET /_now", "GET /_now", "GET /no/such/route/here",
 "OPTIONS /_now", "POST /i/_create\n{"]
--- more_headers eval
["Origin: http://a.b", "", "Origin: http://evil", "Origin: http://evil",
 "Origin: http://evil", "Origin: http://evil"]
--- error_code eval
[200, 200, 401, 404, 200, 400]
--- kuzzle_error
-
-
401 api.process.unauthorized_origin ~The origin "http://evil" is not authorized.
404 network.http.url_not_found
-
-
--- response_headers eval
["Access-Control-Allow-Origin: http://a.b",
 ("!Access-Control-Allow-Origin") x 5]


=== TEST 24: origins of a WebSocket
--- config
kuzzle_allow_origin http://a.b;
location / {
    kuzzle;
}
--- raw_request eval
"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://evil\r\n\r\n"
--- error_code: 403


=== TEST 25: a WebSocket of an origin that may
--- config
kuzzle_allow_origin http://a.b;
location / {
    kuzzle;
}
--- raw_request eval
"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://a.b\r\n\r\n"
--- error_code: 101
--- ignore_response


=== TEST 26: large replies, at every level
--- config
location / {
    kuzzle;
}
location /level1 {
    rewrite ^/level1(.*) $1 break;
    kuzzle;
    kuzzle_compression_level 1;
}
location /level5 {
    rewrite ^/level5(.*) $1 break;
    kuzzle;
    kuzzle_compression_level 5;
}
location /level9 {
    rewrite ^/level9(.*) $1 break;
    kuzzle;
    kuzzle_compression_level 9;
}
--- calls: large


=== TEST 27: clients that leave while their reply is compressed
--- config
location / {
    kuzzle;
}
location /level9 {
    rewrite ^/level9(.*) $1 break;
    kuzzle;
    kuzzle_compression_level 9;
}
--- calls: leaving


=== TEST 28: a reload while a reply is compressed
--- config
location / {
    kuzzle;
}
location /level9 {
    rewrite ^/level9(.*) $1 break;
    kuzzle;
    kuzzle_compression_level 9;
}
--- calls: ending
--- needs_master


=== TEST 29: twelve megabytes to a slow reader
--- config
location / {
    kuzzle;
}
--- calls: huge


=== TEST 30: HTTP/2, in every coding
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_PORT2 http2;
    location /api1/ {
        rewrite ^/api1(.*) $1 break;
        kuzzle;
        kuzzle_api 1;
    }
    location /api2/ {
        rewrite ^/api2(.*) $1 break;
        kuzzle;
        kuzzle_api 2;
    }
}
--- calls: http2


=== TEST 31: HTTP/2 streams that are reset while they are compressed
--- http_config
server {
    listen 127.0.0.1:$TEST_NGINX_PORT2 http2;
    location /level9 {
        rewrite ^/level9(.*) $1 break;
        kuzzle;
        kuzzle_compression_level 9;
    }
}
--- config
location / {
    kuzzle;
}
location /level9 {
    rewrite ^/level9(.*) $1 break;
    kuzzle;
    kuzzle_compression_level 9;
}
--- calls: http2_reset


=== TEST 32: conditional requests are answered as if they were none
--- config
location / {
    kuzzle;
}
location = /metrics {
    kuzzle_status;
}
--- request eval
["POST /nyc/_create", "PUT /nyc/taxi", "POST /nyc/taxi/x/_create\n{}",
 "GET /nyc/taxi/x", "DELETE /nyc/taxi/x", "GET /metrics", "GET /api/1.0"]
--- more_headers
If-Match: "x"
If-None-Match: *
If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT
If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT
--- error_code eval
[200, 200, 200, 200, 200, 200, 200]
