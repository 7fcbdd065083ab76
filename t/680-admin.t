# Controller admin.

use Test::Nginx::Kuzzle;

run_tests();

__DATA__

=== TEST 1: loadMappings makes indexes and collections, and merges
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
['POST /admin/_loadMappings' . "\n" . '{"nyc":{"taxi":{"properties":{"a":{"type":"keyword"}}},"bus":{"mappings":{},"settings":{"one":1}}},"empty":{}}',
 "GET /_list", "GET /nyc/_list", "GET /nyc/bus/_settings",
 'POST /admin/_loadMappings' . "\n" . '{"nyc":{"taxi":{"properties":{"b":{"type":"keyword"}}}}}',
 "GET /nyc/taxi/_mapping",
 'POST /admin/_loadMappings' . "\n" . '{"nyc":{"taxi":{"properties":{"a":{"type":"integer"}}}}}',
 'POST /admin/_loadMappings' . "\n" . '{"nyc":[]}', "POST /admin/_loadMappings"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 400, 400, 400]
--- kuzzle_reply
{"result":{"acknowledge":true}}
{"result":{"indexes":["empty","nyc"]}}
{"result":{"collections":[{"name":"bus"},{"name":"taxi"}]}}
{"result":{"one":"1"}}
{"result":{"acknowledge":true}}
{"result":{"properties":{"a":{"type":"keyword"},"b":{"type":"keyword"}}}}
{"error":{"id":"services.storage.cannot_change_mapping"}}
{"error":{"id":"api.assert.invalid_type"}}
{"error":{"id":"api.assert.body_required"}}


=== TEST 2: loadFixtures: bulk lines, in order, up to the first failure
--- config
location / {
    kuzzle;
}
--- request eval
["POST /nyc/_create", "PUT /nyc/a", "PUT /nyc/b",
 'POST /admin/_loadFixtures' . "\n" . '{"nyc":{"a":[{"index":{"_id":"1"}},{"n":1},{"create":{"_id":"2"}},{"n":2}]}}',
 "GET /nyc/a/2",
 'POST /admin/_loadFixtures' . "\n" . '{"nyc":{"a":[{"create":{"_id":"1"}},{"n":1}],"b":[{"index":{"_id":"1"}},{}]}}',
 "GET /nyc/b/1",
 'POST /admin/_loadFixtures' . "\n" . '{"nyc":{"none":[{"index":{"_id":"1"}},{}]}}']
--- error_code eval
[200, 200, 200, 200, 200, 206, 404, 412]
--- kuzzle_reply
{}
{}
{}
{"result":{"acknowledge":true}}
{"result":{"_source":{"n":2}}}
{"error":{"id":"services.storage.import_failed"}}
{}
{"error":{}}


=== TEST 3: resetDatabase drops all, resetCache knows two names
--- config
location / {
    kuzzle;
}
--- request eval
["POST /a/_create", "POST /b/_create", "POST /admin/_resetDatabase", "GET /_list",
 "POST /admin/_resetCache", "POST /admin/_resetCache?database=internalCache",
 "POST /admin/_resetCache?database=memoryStorage", "POST /admin/_resetCache?database=x",
 "POST /admin/_resetKuzzleData"]
--- error_code eval
[200, 200, 200, 200, 400, 200, 200, 404, 200]
--- kuzzle_reply
{}
{}
{"result":{"acknowledge":true}}
{"result":{"indexes":[]}}
{"error":{"id":"api.assert.missing_argument"}}
{"result":{"acknowledge":true}}
{"result":{"acknowledge":true}}
{"error":{"id":"services.cache.database_not_found"}}
{"result":{"acknowledge":true}}


=== TEST 4: dump: where, and how it may be called
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request eval
["PUT /nyc/taxi", "POST /admin/_dump?suffix=one", "POST /admin/_dump?suffix=..%2Fx",
 "POST /admin/_dump?suffix=", "POST /admin/_dump"]
--- error_code eval
[200, 200, 400, 400, 200]
--- kuzzle_reply
{}
{"result":{"acknowledge":true}}
{"error":{"id":"api.assert.invalid_argument"}}
{"error":{"id":"api.assert.invalid_argument"}}
{"result":{"acknowledge":true}}


=== TEST 5: shutdown is refused unless it is configured
--- config
location / {
    kuzzle;
}
--- request
POST /admin/_shutdown
--- error_code: 403
--- response_body_like: kuzzle_shutdown on
