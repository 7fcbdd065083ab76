# Clients of before 1.0: REST below /api/1.0, the old controllers over
# WebSocket, the reply in their envelope.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Nginx::Kuzzle;

our (@requests, @replies);

{
    open my $fh, '<', 't/data/routes-legacy.tsv' or die $!;
    <$fh>;
    while (<$fh>) {
        my ($verb, $path, $controller, $action) = split /\t/;
        next if "$verb $path" eq 'GET /';      # the greeting is older

        my $url = $path =~ s{/_:action\z}{/_update}r =~ s{:(\w+)}{the$1}gr;
        $action = 'update' if $action eq '(from path)';
        push @requests, "$verb /api/1.0$url";
        # true or false has no room for the rest
        push(@replies, { status => 200 }), next
            if $action eq 'getAutoRefresh';

        push @replies, { result => {
            controller => $controller, action => $action,
            $path =~ /:index/ ? (index => 'theindex') : (),
            $path =~ /:collection/ ? (collection => 'thecollection') : () } };
    }
}

add_block_preprocessor(sub {
    my ($block) = @_;
    return unless $block->name =~ /every row/;
    $block->set_value('request', [@main::requests]);
    $block->set_value('kuzzle_reply', [@main::replies]);
    $block->set_value('error_code_like', [map { qr/^\d+$/ } @main::requests]);
});

run_tests();

__DATA__

=== TEST 1: every row of the table resolves to its controller and action
--- request eval
[]
--- kuzzle_reply eval
[]


=== TEST 2: the greeting, on every port, exactly
--- request eval
["GET /api/1.0", "GET /api/1.0/", "GET /api//1.0"]
--- response_body eval
['{"error":null,"result":"Hello from Kuzzle :)","status":200}',
 '{"error":null,"result":"Hello from Kuzzle :)","status":200}',
 '{"error":null,"result":"Hello from Kuzzle :)","status":200}']
--- response_headers eval
["Content-Type: application/json", "", ""]


=== TEST 3: an index may be called api; a location may speak 1.x only
--- config
location / {
    kuzzle;
}
location /1/ {
    rewrite ^/1/(.*) /$1 break;
    kuzzle;
    kuzzle_api 1;
}
--- request eval
["POST /api/_create", "PUT /api/c", "GET /api/c/_exists", "GET /api/_list",
 "POST /1/api/_create", "GET /1/api/1.0", "GET /1/api/1.0/_exists",
 "GET /api/1.00", "POST /api/1.0"]
--- error_code eval
[200, 200, 200, 200, 400, 200, 200, 200, 404]
--- kuzzle_reply
null
null
{"result":true}
{"controller":"collection"}
null
{"controller":"document","action":"search","collection":"1.0"}
{"controller":"collection","action":"exists","result":false}
{"controller":"document","collection":"1.00"}
{"error":{"id":"network.http.url_not_found"},"result":{"metadata":{}}}


=== TEST 4: a document is written and read, with the reply of the time
--- request eval
["PUT /api/1.0/nyc", "PUT /api/1.0/nyc/taxi",
 "PUT /api/1.0/nyc/taxi/a\n{\"name\":\"x\"}",
 "GET /api/1.0/nyc/taxi/a",
 "PUT /api/1.0/nyc/taxi/a/_update\n{\"age\":1}",
 "PUT /api/1.0/nyc/taxi/b/_create\n{\"name\":\"y\"}",
 "POST /api/1.0/nyc/taxi/_create\n{\"name\":\"z\"}",
 "PUT /api/1.0/nyc/taxi/b/_replace\n{\"age\":2}",
 "DELETE /api/1.0/nyc/taxi/b",
 "GET /api/1.0/nyc/taxi/b",
 "DELETE /api/1.0/nyc"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 200, 200, 200, 404, 200]
--- kuzzle_reply
{"error":null,"status":200,"result":{"acknowledged":true,"controller":"admin","action":"createIndex","index":"nyc","metadata":{}}}
{"status":200,"result":{"controller":"write","action":"createCollection"}}
{"error":null,"status":200,"result":{"_id":"a","_index":"nyc","_type":"taxi","_version":1,"_source":{"name":"x"},"created":true,"action":"createOrReplace","controller":"write","collection":"taxi","index":"nyc","metadata":{},"requestId":"*string"},"-":["requestId","controller","volatile","node"]}
{"result":{"_id":"a","_source":{"name":"x"},"action":"get","controller":"read"}}
{"result":{"_id":"a","action":"update"}}
{"result":{"_id":"b","action":"create","created":true}}
{"result":{"_source":{"name":"z"}}}
{"result":{"_id":"b","action":"replace"}}
{"result":{"_id":"b","action":"delete"}}
{"status":404,"error":{"status":404,"message":"*string","id":"services.storage.not_found"},"result":{"action":"get","controller":"read","requestId":"*string"}}
{"result":{"action":"deleteIndex"}}


=== TEST 5: the envelope of 0.8.1 and later
--- config
location / {
    kuzzle;
    kuzzle_legacy_envelope flat;
}
--- request eval
["GET /api/1.0/_now", "GET /api/1.0/nyc/taxi/a"]
--- error_code eval
[200, 412]
--- response_body_like eval
[qr/^\{"status":200,"error":null,"requestId":"[-0-9a-f]{36}","controller":"read","action":"now","collection":null,"index":null,"metadata":\{\},"result":\{"now":\d{13}\}\}$/,
 qr/^\{"status":412,"error":\{"message":.*\},"requestId":".*","controller":"read","action":"get","collection":"taxi","index":"nyc","metadata":\{\},"result":null\}$/]


=== TEST 6: the query string and other placeholders go into the body
--- request eval
["PUT /api/1.0/nyc", "PUT /api/1.0/nyc/taxi",
 "POST /api/1.0/nyc/taxi/_create?color=red&a%22b=c%22d\n{\"color\":\"blue\",\"n\":1}",
 "POST /api/1.0/nyc/taxi/_create?_id=fromurl\n{\"n\":2}",
 "POST /api/1.0/nyc/taxi/_create\n{\"n\":3,\"_id\":\"frombody\"}",
 "POST /api/1.0/nyc/taxi/_create?n=4",
 "GET /api/1.0/nyc/taxi/frombody",
 "GET /api/1.0/nyc/_listCollections/stored",
 "GET /api/1.0/nyc/_listCollections"]
--- kuzzle_reply
null
null
{"result":{"_source":{"color":"red","n":1,"a\"b":"c\"d"}}}
{"result":{"_id":"fromurl","_source":{"n":2,"-":["_id"]}}}
{"result":{"_id":"frombody","_source":{"n":3,"-":["_id"]}}}
{"result":{"_source":{"n":"4"}}}
{"result":{"_source":{"n":3}}}
{"result":{"type":"stored","collections":[{"name":"taxi"}]}}
{"result":{"type":"all","collections":[{"name":"taxi"}]}}


=== TEST 7: searches: query and filter, from and size wherever they stand
--- request eval
["PUT /api/1.0/i", "PUT /api/1.0/i/c",
 "PUT /api/1.0/i/c/1\n{\"n\":1,\"t\":\"a\"}", "PUT /api/1.0/i/c/2\n{\"n\":2,\"t\":\"a\"}",
 "PUT /api/1.0/i/c/3\n{\"n\":3,\"t\":\"b\"}",
 "POST /api/1.0/i/c/_search\n{\"query\":{\"range\":{\"n\":{\"gt\":1}}},\"filter\":{\"term\":{\"n\":2}}}",
 "POST /api/1.0/i/c/_search\n{\"filter\":{\"range\":{\"n\":{\"gte\":2}}},\"sort\":[{\"n\":\"desc\"}],\"from\":0,\"size\":1}",
 "POST /api/1.0/i/c/_search?from=1&size=1\n{\"sort\":[\"n\"]}",
 "POST /api/1.0/i/c/_count\n{\"filter\":{\"term\":{\"n\":3}}}",
 "POST /api/1.0/i/c/_search"]
--- kuzzle_reply
null
null
null
null
null
{"result":{"total":1,"hits":[{"_id":"2"}]}}
{"result":{"total":2,"hits":[{"_id":"3"}]}}
{"result":{"total":3,"hits":[{"_id":"2"}]}}
{"result":{"count":1}}
{"result":{"total":3}}


=== TEST 8: JSON in UTF-8 and nothing else
--- request eval
["POST /api/1.0/i/c/_create\n{\"a\":1}", "POST /api/1.0/i/c/_create\n{\"a\":1}",
 "POST /api/1.0/i/c/_create\n{\"a\":1}", "POST /api/1.0/i/c/_create\n{\"a\":"]
--- more_headers eval
["Content-Type: application/x-www-form-urlencoded",
 "Content-Type: application/json; charset=latin1",
 "Content-Type: application/json; charset=utf-8", "A: b"]
--- kuzzle_reply
{"status":400,"error":{"message":"~^Invalid request content-type"}}
{"status":400,"error":{"message":"~^Invalid request content-type"}}
{"status":412,"error":{"id":"services.storage.unknown_index_collection"}}
{"status":400,"error":{"id":"network.http.body_parse_failed"},"result":{"action":"create"}}


=== TEST 9: actions without an heir, unknown ones, unknown paths
--- request eval
["POST /api/1.0/ms/_multi", "PUT /api/1.0/users/joe\n{}", "GET /api/1.0/ms/_ping",
 "PUT /api/1.0/i/c/a/_nope\n{}", "PUT /api/1.0/i/c/a/update\n{}",
 "PUT /api/1.0/i/c/a/_delete", "GET /api/1.0/nope/nope/nope/nope",
 "GET /api/1.0/a/b/c/d/e/f/g/h", "PATCH /api/1.0/_now", "HEAD /api/1.0"]
--- error_code eval
[501, 501, 501, 404, 404, 412, 404, 404, 404, 404]
--- kuzzle_reply
{"error":{"id":"api.process.not_implemented","message":"~\"ms\":\"multi\""},"result":{"controller":"ms","action":"multi"}}
{"error":{"message":"~\"security\":\"createOrReplaceUser\""}}
{"error":{"message":"~\"ms\":\"ping\""}}
{"error":{"id":"api.process.action_not_found","message":"~nope"},"result":{"controller":"write","action":"nope"}}
{"error":{"id":"network.http.url_not_found"}}
{"result":{"controller":"write","action":"delete"}}
{"error":{"id":"network.http.url_not_found"}}
null
null
null


=== TEST 10: outside the prefix, and the token of the header
--- request eval
["GET /api/_serverInfo", "GET /api/1.0/_now", "GET /api/1.0/_now"]
--- more_headers eval
["A: b", "Authorization: Bearer x", "Authorization: Basic x"]
--- error_code eval
[200, 401, 200]
--- kuzzle_reply
{"result":{"serverInfo":{"kuzzle":{}},"controller":"read","action":"serverInfo"}}
{"error":{"id":"security.token.invalid"}}
{"result":{"now":"*number"}}


=== TEST 11: over WebSocket, as kuzzle-sdk 2 puts it
--- ws
open a
open b
a> {"controller":"admin","action":"createIndex","index":"i","metadata":{},"requestId":"1"}
a< {"error":null,"status":200,"room":"1","result":{"controller":"admin","requestId":"1"}}
a> {"controller":"write","action":"createCollection","index":"i","collection":"c","metadata":{"a":1},"requestId":"2"}
a< {"status":200,"room":"2","result":{"metadata":{"a":1}}}
a> {"controller":"subscribe","action":"on","index":"i","collection":"c","body":{},"scope":"ALL","state":"Done","users":"NONE","metadata":{},"requestId":"3"}
a< {"status":200,"room":"3","result":{"roomId":"*string","channel":"*string","scope":"all","state":"done"}}
b> {"controller":"write","action":"publish","index":"i","collection":"c","body":{"x":1},"metadata":{"m":1}}
b< {"status":200,"result":{"published":true}}
a< {"result":{"_source":{"x":1}},"scope":"in","volatile":{"m":1}}
b> {"controller":"subscribe","action":"count","body":{"roomId":"none"}}
b< {"status":404,"error":{"id":"core.realtime.room_not_found"}}
b> {"controller":"read","action":"listIndexes","metadata":{}}
b< {"result":{"indexes":["i"]}}


=== TEST 12: over WebSocket, searches at the root, ids in the body, tokens in headers
--- ws
open a
a> {"controller":"admin","action":"createIndex","index":"i","metadata":{}}
a< {"status":200}
a> {"controller":"write","action":"createCollection","index":"i","collection":"c"}
a< {"status":200}
a> {"controller":"write","action":"createOrReplace","index":"i","collection":"c","body":{"_id":"x","n":1}}
a< {"status":200,"result":{"_id":"x","_source":{"n":1,"-":["_id"]}}}
a> {"controller":"read","action":"search","index":"i","collection":"c","query":{"match_all":{}},"filter":{"term":{"n":1}},"size":1,"clientId":"me","metadata":{"q":1}}
a< {"status":200,"result":{"total":1,"metadata":{"q":1}}}
a> {"controller":"read","action":"search","index":"i","collection":"c","body":{"query":{"term":{"n":2}}}}
a< {"status":200,"result":{"total":0}}
a> {"controller":"read","action":"now","headers":{"authorization":"Bearer x"}}
a< {"status":401,"error":{"id":"security.token.invalid"}}
a> {"controller":"auth","action":"getCurrentUser","headers":{"authorization":"Bearer x"}}
a< {"status":401,"-":["requestId"],"result":{"controller":"auth"}}
a> {"controller":"read","action":"nope"}
a< {"status":404,"error":{"id":"api.process.action_not_found"}}


=== TEST 13: what is no legacy query
--- config
location / {
    kuzzle;
}
location /1 {
    kuzzle;
    kuzzle_api 1;
}
--- ws
open a
open b path=/1
a> {"controller":"server","action":"now","metadata":{"a":1}}
a< {"controller":"server","volatile":null,"-":["metadata"]}
a> {"controller":"admin","action":"createIndex","index":"i"}
a< {"status":404,"controller":"admin"}
a> {"controller":"admin","action":"createIndex","index":"i","metadata":{},"volatile":{}}
a< {"status":404,"controller":"admin"}
a> {"controller":"write","action":"now","volatile":{"sdkName":"js@7.0.0"}}
a< {"status":404,"error":{"id":"api.process.controller_not_found"},"node":"*string"}
b> {"controller":"read","action":"now"}
b< {"status":404,"error":{"id":"api.process.controller_not_found"},"controller":"read"}
b> {"controller":"read","action":"now","headers":{"authorization":"Bearer x"}}
b< {"status":404}


=== TEST 14: the ready server block for the port of the time
--- config eval
my $block = do { local $/; open my $fh, '<', 'conf/kuzzle-legacy.conf' or die $!; <$fh> };
$block =~ s/.*?server \{//s;
$block =~ s/^\s*listen .*?;$//mg;
$block =~ s/\}\s*\z//;
$block
--- request eval
["GET /api/1.0", "GET /api/1.0/_now", "GET /api/_serverInfo", "GET /other"]
--- error_code eval
[200, 200, 200, 404]
--- response_body_like eval
[qr/^\{"error":null,"result":"Hello from Kuzzle :\)","status":200\}$/, "now", "serverInfo", ""]


=== TEST 15: a message that is cut holds no half character
--- request eval
["POST /api/1.0/i/c/_create\n{}", "POST /api/1.0/i/c/_create\n{}"]
--- more_headers eval
[map { "Content-Type: application/json; charset=$_" . "\xc3\xa9" x 700 } '', 'a']
--- error_code eval
[400, 400]
--- response_body_like eval
[(qr/charset=a?(?:\xc3\xa9){400,}"/) x 2]
