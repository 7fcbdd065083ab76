# document:export: JSON lines and CSV, in parts.

use Test::Nginx::Kuzzle;

our $fill = <<'END';
http POST /nyc/_create
http PUT /nyc/taxi {"properties":{"city":{"type":"keyword"},"n":{"type":"integer"},"o":{"properties":{"x":{"type":"integer"},"y":{"type":"keyword"}}},"tags":{"type":"keyword"}}}
http PUT /nyc/taxi/a {"city":"Paris","n":1,"o":{"x":1,"y":"z"},"tags":["p","q"]}
http PUT /nyc/taxi/b {"city":"a,\"b\"\nc","n":2.50,"o":{"x":null}}
http PUT /nyc/taxi/c {"n":7}
END

add_block_preprocessor(sub {
    my ($block) = @_;
    my $ws = $block->ws;
    return unless defined $ws;
    $ws =~ s/^FILL\n/$main::fill/me;
    $block->set_value('ws', $ws);
    $block->set_value('keep_data', '') if $block->name =~ /kept/;
});

our $config = <<'END';
location / {
    kuzzle;
    kuzzle_api 2;
}
END

run_tests();

__DATA__

=== TEST 1: fill
--- config eval: $::config
--- ws
FILL


=== TEST 2: JSON lines, kept
--- config eval: $::config
--- keep_data
--- request
GET /nyc/taxi/_export
--- response_headers
Content-Type: html/text
Content-Disposition: attachment; filename="nyc-taxi.jsonl"
Transfer-Encoding: chunked
--- response_body_like chop
^\{"collection":"taxi","index":"nyc","type":"collection"\}
\{"_id":"a","body":\{"city":"Paris","n":1,"o":\{"x":1,"y":"z"\},"tags":\["p","q"\],"_kuzzle_info":\{[^}]*\}\}\}
\{"_id":"b","body":\{[^\n]*\}\}
\{"_id":"c","body":\{[^\n]*\}\}
$


=== TEST 3: CSV of all mapped fields, page by page, kept
--- config eval: $::config
--- keep_data
--- request
GET /nyc/taxi/_export?format=csv&size=1
--- response_headers
Content-Type: text/csv
Content-Disposition: attachment; filename="nyc-taxi.csv"
--- response_body
_id,city,n,o.x,o.y,tags
a,Paris,1,1,z,[OBJECT]
b,"a,""b""
c",2.50,,,
c,,7,,,


=== TEST 4: fields, names, separator, query as texts, kept
--- config eval: $::config
--- keep_data
--- request
GET /nyc/taxi/_export?format=csv&separator=;&fields=["n","_id","o"]&fieldsName={"_id":"I","n":"N;"}&query={"ids":{"values":["a","b"]}}
--- response_body
I;"N;";o
a;1;[OBJECT]
b;2.50;[OBJECT]


=== TEST 5: the same as a body, kept
--- config eval: $::config
--- keep_data
--- request
POST /nyc/taxi/_export?format=csv
{"query":{"term":{"city":"Paris"}},"fields":["o.y","nothere"]}
--- more_headers
Content-Type: application/json
--- response_body
_id,o.y,nothere
a,z,


=== TEST 6: collapse: one page, kept
--- config eval: $::config
--- keep_data
--- request
POST /nyc/taxi/_export?format=csv
{"collapse":{"field":"city"},"fields":["n"]}
--- more_headers
Content-Type: application/json
--- response_body
_id,n
a,1
b,2.50
c,7


=== TEST 7: an error after the beginning is a text, kept
--- config eval: $::config
--- keep_data
--- request
GET /nyc/none/_export
--- response_body chop
{"collection":"none","index":"nyc","type":"collection"}
PreconditionError: The collection "nyc":"none" does not exist.


=== TEST 8: arguments that are wrong, other protocols, kept
--- config eval: $::config
--- keep_data
--- ws
http GET /nyc/taxi/_export?format=xml => 400 {"error":{"id":"api.assert.invalid_argument"}}
http GET /nyc/taxi/_export?query=nonsense => 400 {"error":{"id":"api.assert.invalid_type"}}
http GET /nyc/taxi/_export?fields={} => 400 {"error":{"id":"api.assert.invalid_type"}}
http GET /nyc/taxi/_export?fields=[1] => 400 {"error":{"id":"api.assert.invalid_type"}}
open a
a> {"controller":"document","action":"export","index":"nyc","collection":"taxi"}
a< {"status":500,"error":{"id":"api.assert.unsupported_protocol","props":["websocket","document:export"]}}


=== TEST 9: fill with large documents
--- config eval: $::config
--- ws
http POST /nyc/_create
http PUT /nyc/big {"properties":{"t":{"type":"keyword","ignore_above":10}}}
times 20 http PUT /nyc/big/d$i {"t":"<<repeat:400000:x>>"}


=== TEST 10: more than a socket holds goes out in parts, kept
--- config eval: $::config
--- keep_data
--- request
GET /nyc/big/_export?format=csv&size=2
--- response_body eval
"_id,t\n" . join '', map { "d$_," . 'x' x 400000 . "\n" } 0 .. 19


=== TEST 11: the same to HTTP/1.0: up to the end of the connection, kept
--- config eval: $::config
--- keep_data
--- request
GET /nyc/big/_export?format=csv&size=3 HTTP/1.0
--- response_headers
! Transfer-Encoding
--- response_body eval
"_id,t\n" . join '', map { "d$_," . 'x' x 400000 . "\n" } 0 .. 19


=== TEST 12: a client that leaves is missed by nobody, kept
--- config eval: $::config
--- keep_data
--- raw_request eval
"GET /nyc/big/_export?format=csv&size=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
--- timeout: 0.001
--- abort
--- ignore_response
