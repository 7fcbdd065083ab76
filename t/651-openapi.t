# server:openapi: the document by itself (t/clients/openapi.js looks inside
# with a validator), its arguments, raw over every protocol.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Nginx::Kuzzle;

Test::Nginx::Socket::add_block_action(node => sub {
    my ($block, $server) = @_;

    my ($file, @args) = split ' ', $block->node;
    my $output = qx(node $FindBin::Bin/clients/$file @{[$server->port]} @args 2>&1);

    ok($? == 0 && $output =~ /^1\.\.\d+$/m, $block->name . " - $file @args")
        or diag($output);
});

run_tests();

__DATA__

=== TEST 1: valid for a validator, the same in JSON and YAML, complete
--- node: openapi.js


=== TEST 2: the documents of 1.x at their old places
--- node: openapi.js swagger


=== TEST 3: raw, with a type of its own
--- request eval
["GET /_openapi", "GET /_openapi?format=yaml", "GET /_openapi?format=json&scope=kuzzle"]
--- response_body_like eval
['\A\{"openapi":"3\.1\.0","info":\{', '\Aopenapi: "3\.1\.0"\ninfo:\n  title: "', '\A\{"openapi":"3\.1\.0"']
--- response_headers_like eval
["Content-Type: application/json", "Content-Type: application/yaml", "Content-Type: application/json"]


=== TEST 4: what is not known is refused, and named
--- request eval
["GET /_openapi?format=xml", "GET /_openapi?scope=all", "GET /_openapi?format=json%0d%0aX-Evil:%201"]
--- kuzzle_error
400 api.assert.unexpected_argument ~^Unexpected argument "xml" \(accepted arguments: json,yaml\)
400 api.assert.unexpected_argument ~^Unexpected argument "all" \(accepted arguments: kuzzle,app\)
400 api.assert.unexpected_argument
--- response_headers eval
["X-Evil: ", "X-Evil: ", "X-Evil: "]


=== TEST 5: over WebSocket the document replaces the envelope
--- ws
open a
a> {"controller":"server","action":"openapi"}
a< {"openapi":"3.1.0","info":{"version":"2.56.0"},"paths":{"/_now":{"get":{"operationId":"server_now","tags":["server"]}}},"-":["requestId","status","room"]}
a> {"controller":"server","action":"openapi","format":"yaml"}
a< /^openapi: "3\.1\.0"\n/
a> {"controller":"server","action":"openapi","format":7,"requestId":"r"}
a< {"requestId":"r","status":400,"result":null,"error":{"id":"api.assert.invalid_type"}}
a> {"controller":"server","action":"openapi","scope":"none","requestId":"s"}
a< {"requestId":"s","status":400,"error":{"id":"api.assert.unexpected_argument","props":["none","kuzzle,app"]}}
a> {"controller":"server","action":"now","requestId":"t"}
a< {"requestId":"t","status":200}


=== TEST 6: what is not implemented says so in the document
--- request
GET /_openapi
--- response_body_like eval
qr/"operationId":"ms_append"[^}]*.{0,300}"501":\{"\$ref":"#\/components\/responses\/NotImplemented"\}/


=== TEST 7: a reload renders it again
--- ws
http GET /_openapi => 200 {"openapi":"3.1.0"}
reload
http GET /_openapi => 200 {"openapi":"3.1.0","info":{"title":"Kuzzle API"}}
