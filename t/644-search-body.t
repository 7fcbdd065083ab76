# What stands around the query: aggregations, _source, search_after, collapse,
# post_filter, min_score, and the pages of a scroll.

use Test::Nginx::Kuzzle;

our $fill = <<'END';
http POST /nyc/_create
http PUT /nyc/taxi {"properties":{"city":{"type":"keyword"},"n":{"type":"integer"},"price":{"type":"double"},"at":{"type":"date"},"where":{"type":"geo_point"},"t":{"type":"text"},"o":{"properties":{"x":{"type":"integer"},"y":{"type":"integer"}}},"legs":{"type":"nested","properties":{"km":{"type":"integer"}}}}}
http PUT /nyc/taxi/a {"city":"Paris","n":1,"price":10.5,"at":"2020-01-01T00:00:00Z","where":{"lat":48.85,"lon":2.35},"t":"red car","o":{"x":1,"y":2},"legs":[{"km":1},{"km":5}]}
http PUT /nyc/taxi/b {"city":"London","n":2,"price":20,"at":"2020-02-10T00:00:00Z","where":{"lat":51.5,"lon":-0.12},"t":"red red red","o":{"x":3}}
http PUT /nyc/taxi/c {"city":"Paris","n":3,"price":5,"at":"2021-01-05T00:00:00Z","where":{"lat":48.9,"lon":2.4},"t":"blue car","legs":[{"km":7}]}
http PUT /nyc/taxi/d {"city":"Rome","n":4,"price":20,"t":"a long story about one red car and a lot more"}
http PUT /nyc/taxi/e {"n":5}
END

add_block_preprocessor(sub {
    my ($block) = @_;
    my $ws = $block->ws;
    return unless defined $ws && $ws =~ /FILL/;
    $ws =~ s/^FILL\n/$main::fill/me;
    $ws =~ s/^FIND (.*) =(.*)$/found($1, $2)/gme;
    $ws =~ s/^AGG (.*) = (.*)$/http POST \/nyc\/taxi\/_search {"size":0,"aggs":{"x":$1}} => {"result":{"aggregations":{"x":$2}}}/gm;
    $ws =~ s/^NO (.*) = (.*)$/http POST \/nyc\/taxi\/_search $1 => 400 {"error":{"message":"~$2"}}/gm;
    $block->set_value('ws', $ws);
});

# "FIND body = ids": the hits, in this order

sub found {
    my ($query, $ids) = @_;
    my $hits = join ',', map { qq({"_id":"$_"}) } split ' ', $ids;
    return qq(http POST /nyc/taxi/_search $query => {"result":{"hits":[$hits]}});
}

run_tests();

__DATA__

=== TEST 1: aggregations into buckets
--- ws
FILL
AGG {"terms":{"field":"city"}} = {"buckets":[{"key":"Paris","doc_count":2},{"key":"London","doc_count":1},{"key":"Rome","doc_count":1}],"sum_other_doc_count":0}
AGG {"terms":{"field":"city","size":1}} = {"buckets":[{"key":"Paris","doc_count":2}],"sum_other_doc_count":2}
AGG {"terms":{"field":"city","order":{"_key":"desc"}},"aggs":{"m":{"avg":{"field":"price"}}}} = {"buckets":[{"key":"Rome","m":{"value":20}},{"key":"Paris","m":{"value":7.75}},{"key":"London"}]}
AGG {"range":{"field":"n","ranges":[{"to":2},{"from":2,"to":4},{"from":4}]}} = {"buckets":[{"doc_count":1},{"doc_count":2},{"doc_count":2}]}
AGG {"date_range":{"field":"at","ranges":[{"to":"2020-02-01"},{"from":"2020-02-01"}]}} = {"buckets":[{"doc_count":1},{"doc_count":2}]}
AGG {"histogram":{"field":"price","interval":10}} = {"buckets":[{"key":0,"doc_count":1},{"key":10,"doc_count":1},{"key":20,"doc_count":2}]}
AGG {"date_histogram":{"field":"at","interval":"year"}} = {"buckets":[{"key_as_string":"2020-01-01T00:00:00.000Z","doc_count":2},{"doc_count":1}]}
AGG {"filter":{"term":{"city":"Paris"}},"aggs":{"s":{"sum":{"field":"n"}}}} = {"doc_count":2,"s":{"value":4}}
AGG {"filters":{"filters":{"p":{"term":{"city":"Paris"}},"r":{"term":{"city":"Rome"}}}}} = {"buckets":{"p":{"doc_count":2},"r":{"doc_count":1}}}
AGG {"missing":{"field":"city"}} = {"doc_count":1}
AGG {"nested":{"path":"legs"},"aggs":{"k":{"max":{"field":"legs.km"}}}} = {"doc_count":3,"k":{"value":7}}
AGG {"geo_distance":{"field":"where","origin":{"lat":48.85,"lon":2.35},"unit":"km","ranges":[{"to":50},{"from":50}]}} = {"buckets":[{"doc_count":2},{"doc_count":1}]}


=== TEST 2: aggregations into figures
--- ws
FILL
AGG {"cardinality":{"field":"city"}} = {"value":3}
AGG {"min":{"field":"n"}} = {"value":1}
AGG {"max":{"field":"n"}} = {"value":5}
AGG {"avg":{"field":"n"}} = {"value":3}
AGG {"sum":{"field":"n"}} = {"value":15}
AGG {"stats":{"field":"n"}} = {"count":5,"min":1,"max":5,"avg":3,"sum":15}
AGG {"extended_stats":{"field":"n"}} = {"count":5,"sum_of_squares":55,"variance":2}
AGG {"value_count":{"field":"city"}} = {"value":4}
AGG {"percentiles":{"field":"n","percents":[50]}} = {"values":{"50.0":3}}
AGG {"top_hits":{"size":1}} = {"hits":{"total":"*","hits":[{"_id":"a"}]}}
AGG {"max":{"field":"nothere"}} = {"value":null}


=== TEST 3: what aggregations do not know is named
--- ws
FILL
NO {"aggs":{"x":{"klingon":{}}}} = klingon
NO {"aggs":{"x":{"terms":{"field":"city","klingon":1}}}} = klingon
NO {"aggs":{"x":{"max":{"field":"n"}}},"aggregations":{"y":{"max":{"field":"n"}}}} = .


=== TEST 4: aggregations see the query, not the page and not post_filter
--- ws
FILL
http POST /nyc/taxi/_search {"size":1,"query":{"range":{"n":{"lte":3}}},"post_filter":{"term":{"city":"London"}},"aggs":{"x":{"terms":{"field":"city"}}}}
 => {"result":{"total":1,"hits":[{"_id":"b"}],"aggregations":{"x":{"buckets":[{"key":"Paris","doc_count":2},{"key":"London","doc_count":1}]}}}}
FIND {"post_filter":{"term":{"city":"Paris"}}} = a c
FIND {"query":{"term":{"n":1}},"post_filter":{"term":{"city":"Rome"}}} =
NO {"post_filter":{"klingon":{}}} = klingon


=== TEST 5: _source
--- ws
FILL
http POST /nyc/taxi/_search {"query":{"term":{"n":1}},"_source":false} => {"result":{"hits":[{"_id":"a","-":["_source"]}]}}
http POST /nyc/taxi/_search {"query":{"term":{"n":1}},"_source":true} => {"result":{"hits":[{"_source":{"city":"Paris","n":1}}]}}
http POST /nyc/taxi/_search {"query":{"term":{"n":1}},"_source":"city"} => {"result":{"hits":[{"_source":{"city":"Paris","-":["n","o","_kuzzle_info"]}}]}}
http POST /nyc/taxi/_search {"query":{"term":{"n":1}},"_source":["n","o.x"]} => {"result":{"hits":[{"_source":{"n":1,"o":{"x":1,"-":["y"]},"-":["city"]}}]}}
http POST /nyc/taxi/_search {"query":{"term":{"n":1}},"_source":"o.*"} => {"result":{"hits":[{"_source":{"o":{"x":1,"y":2},"-":["city","n"]}}]}}
http POST /nyc/taxi/_search {"query":{"term":{"n":1}},"_source":{"includes":["o","n"],"excludes":["o.y"]}} => {"result":{"hits":[{"_source":{"n":1,"o":{"x":1,"-":["y"]},"-":["city"]}}]}}
http POST /nyc/taxi/_search {"query":{"term":{"n":1}},"_source":["nothere"]} => {"result":{"hits":[{"_id":"a","_source":{"-":["city","n"]}}]}}
NO {"_source":1} = _source
NO {"_source":{"klingon":[]}} = _source


=== TEST 6: search_after
--- ws
FILL
FIND {"sort":["n"],"search_after":[2]} = c d e
FIND {"sort":["n"],"search_after":[2],"size":1} = c
FIND {"sort":[{"price":"desc"},"n"],"search_after":[20,2],"size":2} = d a
FIND {"sort":[{"n":"desc"}],"search_after":[1]} =
FIND {"sort":["at"],"search_after":["2020-01-15"],"size":2} = b c
http POST /nyc/taxi/_search {"sort":["n"],"search_after":[4]} => {"result":{"total":5,"hits":[{"_id":"e"}]}}
NO {"search_after":[2]} = [Ss]ort
NO {"sort":["n"],"search_after":[2,3]} = search_after
NO {"sort":["n"],"search_after":[{}]} = search_after
NO {"sort":["n"],"search_after":"x"} = search_after


=== TEST 7: collapse
--- ws
FILL
FIND {"sort":[{"n":"desc"}],"collapse":{"field":"city"}} = e d c b
FIND {"sort":["n"],"collapse":{"field":"city"}} = a b d e
FIND {"sort":["n"],"collapse":{"field":"city"},"from":1,"size":2} = b d
http POST /nyc/taxi/_search {"sort":["n"],"collapse":{"field":"city"}} => {"result":{"total":5}}
NO {"collapse":{"field":"t"}} = .
NO {"collapse":{"klingon":"t"}} = .


=== TEST 8: min_score
--- ws
FILL
FIND {"query":{"match":{"t":"red"}}} = b a d
http POST /nyc/taxi/_search {"query":{"match":{"t":"red"}},"size":1} => {"result":{"max_score":"*number"}} {top=result.max_score}
http POST /nyc/taxi/_search {"query":{"match":{"t":"red"}},"min_score":0.43} => {"result":{"total":2,"hits":[{"_id":"b"},{"_id":"a"}]}}
FIND {"query":{"match":{"t":"red"}},"min_score":100} =
NO {"min_score":"x"} = min_score


=== TEST 9: sort values: shown in 1.x
--- ws
FILL
http POST /nyc/taxi/_search {"sort":[{"price":"desc"},"city","n"]}
 => {"result":{"max_score":null,"hits":[{"_id":"b","_score":null,"sort":[20,"London",2]},
 {"sort":[20,"Rome",4]},{"sort":[10.5,"Paris",1]},{},{"_id":"e","sort":["*","*",5]}]}}
http POST /nyc/taxi/_search {} => {"result":{"hits":[{"-":["sort"]},"..."]}}


=== TEST 10: sort values: not shown in generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
FILL
http POST /nyc/taxi/_search {"sort":["n"],"size":1} => {"result":{"total":5,"hits":[{"_id":"a","-":["sort"]}]}}
http POST /nyc/taxi/_search {"size":0,"aggs":{"x":{"max":{"field":"n"}}}} => {"result":{"total":5,"hits":[],"aggregations":{"x":{"value":5}}}}


=== TEST 11: limits of size and from
--- ws
FILL
http POST /nyc/taxi/_search?size=10001 {} => 413 {"error":{"id":"services.storage.get_limit_exceeded"}}
http POST /nyc/taxi/_search {"size":10001} => 413 {"error":{"id":"services.storage.get_limit_exceeded"}}
http POST /nyc/taxi/_search {"from":9991,"size":10} => 400 {"error":{"message":"~Result window is too large"}}
http POST /nyc/taxi/_search {"from":9990,"size":10} => {"result":{"total":5,"hits":[]}}
http POST /nyc/taxi/_search {"from":4,"size":9000} => {"result":{"hits":[{"_id":"e"}]}}
NO {"from":-1} = from
NO {"size":"x"} = size
NO {"size":1e400} = size


=== TEST 12: scroll of 1.x: pages, and empty ones at the end
--- ws
FILL
http POST /nyc/taxi/_search?scroll=1h&size=2 {"sort":["n"]}
 => {"result":{"total":5,"hits":[{"_id":"a","sort":[1]},{"_id":"b"}],"_scroll_id":"*string","-":["remaining"]}} {id=result.scrollId}
http GET /_scroll/$id => {"result":{"total":5,"scrollId":"$id","_scroll_id":"$id","hits":[{"_index":"nyc","_type":"taxi","_id":"c","sort":[3]},{"_id":"d"}]}}
http GET /_scroll/$id?scroll=10m => {"result":{"hits":[{"_id":"e"}]}}
http GET /_scroll/$id => {"result":{"total":5,"hits":[]}}
http GET /_scroll/$id => {"result":{"total":5,"hits":[]}}


=== TEST 13: scroll of generation 2: the cursor goes with the last page
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
FILL
http POST /nyc/taxi/_search?scroll=1m&size=2 {"sort":["n"],"_source":["n"]}
 => {"result":{"total":5,"remaining":3,"hits":[{"_id":"a"},{"_id":"b"}],"-":["_scroll_id"]}} {id=result.scrollId}
http GET /_scroll/$id => {"result":{"total":5,"remaining":1,"scrollId":"$id","hits":[{"_id":"c","index":"nyc","collection":"taxi","_source":{"n":3,"-":["city","t"]}},{"_id":"d"}]}}
http GET /_scroll/$id?scroll=30s => {"result":{"remaining":0,"hits":[{"_id":"e"}]}}
http GET /_scroll/$id => 404 {"error":{"id":"services.storage.unknown_scroll_id"}}


=== TEST 14: how long a scroll lives
--- ws
FILL
http POST /nyc/taxi/_search?scroll=1m {} => 200
http POST /nyc/taxi/_search?scroll=100d {} => 200
http POST /nyc/taxi/_search?scroll=1.5%20hours {} => 200
http POST /nyc/taxi/_search?scroll=60 {} => 400
http POST /nyc/taxi/_search?scroll= {} => 400
http POST /nyc/taxi/_search?scroll=klingon {} => 400
http POST /nyc/taxi/_search?scroll=-1m {} => 400
http POST /nyc/taxi/_search?scroll=1e9m {} => 400
http GET /_scroll/badid => 404 {"error":{"id":"services.storage.unknown_scroll_id"}}
http GET /_scroll/0123456789abcdef0123456789abcdef => 404 {"error":{"id":"services.storage.unknown_scroll_id"}}
http GET /_scroll/x%2fkuzzle.db => 404 {"error":{"id":"services.storage.unknown_scroll_id"}}
http GET /_scroll/..%2fkuzzle.db => 400


=== TEST 15: in generation 2 a minute at most
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
FILL
http POST /nyc/taxi/_search?scroll=1m {} => 200
http POST /nyc/taxi/_search?scroll=61s {} => 400 {"error":{"id":"services.storage.scroll_duration_too_great","props":["61s"]}}
http POST /nyc/taxi/_search?scroll=60 {} => 400
http POST /nyc/taxi/_search?scroll=klingon {} => 400
http GET /_scroll/0123456789abcdef0123456789abcdef?scroll=2m => 400 {"error":{"id":"services.storage.scroll_duration_too_great"}}
http POST /_query {"controller":"document","action":"search","index":"nyc","collection":"taxi","scroll":60,"body":{}} => 400 {"error":{"id":"api.assert.invalid_type"}}
http POST /_query {"controller":"document","action":"scroll"} => 400 {"error":{"id":"api.assert.missing_argument"}}


=== TEST 16: the other worker goes on in generation 2, and documents are as they are then
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
FILL
open a worker=0
open b apart=a
a> {"controller":"document","action":"search","index":"nyc","collection":"taxi","scroll":"1m","size":1,"body":{"sort":["n"]}}
a< {"status":200,"result":{"remaining":4,"hits":[{"_id":"a"}]}} {id=result.scrollId}
http DELETE /nyc/taxi/b
http PUT /nyc/taxi/c/_update {"n":33}
http PUT /nyc/taxi/f {"n":2}
b> {"controller":"document","action":"scroll","scrollId":"$id"}
b< {"status":200,"result":{"remaining":3,"hits":[]}}
b> {"controller":"document","action":"scroll","scrollId":"$id"}
b< {"status":200,"result":{"remaining":2,"hits":[{"_id":"c","_source":{"n":33}}]}}
a> {"controller":"document","action":"scroll","scrollId":"$id"}
a< {"status":200,"result":{"remaining":1,"hits":[{"_id":"d"}]}}
b> {"controller":"document","action":"scroll","scrollId":"$id"}
b< {"status":200,"result":{"remaining":0,"hits":[{"_id":"e"}]}}
a> {"controller":"document","action":"scroll","scrollId":"$id"}
a< {"status":404}


=== TEST 17: a scroll is over when its time is; aggregations come with its first page
--- ws
FILL
http POST /nyc/taxi/_search?scroll=1ms&size=1 {"aggs":{"x":{"max":{"field":"n"}}}} => {"result":{"aggregations":{"x":{"value":5}}}} {id=result.scrollId}
sleep 0.05
http GET /_scroll/$id => 404 {"error":{"id":"services.storage.unknown_scroll_id"}}
http POST /nyc/taxi/_search?scroll=1m&size=1 {} => {"result":{"hits":[{"_id":"a"}]}} {id=result.scrollId}
http POST /nyc/taxi/_search?scroll=1ms&size=1 {} => 200
sleep 0.05
http POST /nyc/taxi/_search?scroll=1m&size=1 {} => 200
http GET /_scroll/$id => {"result":{"hits":[{"_id":"b"}],"-":["aggregations"]}}


=== TEST 18: an empty scroll, and one of an index that goes, in generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
FILL
http POST /nyc/taxi/_search?scroll=1m {"query":{"term":{"n":99}}} => {"result":{"total":0,"hits":[]}}
http POST /nyc/taxi/_search?scroll=1m&size=2 {"sort":["n"]} => {"result":{"remaining":3}} {id=result.scrollId}
http DELETE /nyc
http GET /_scroll/$id => {"result":{"hits":[],"total":5}}


=== TEST 19: targets of several indexes in generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
FILL
http PUT /nyc/bus {"properties":{"city":{"type":"keyword"},"n":{"type":"integer"},"t":{"type":"text"}}}
http PUT /nyc/bus/p {"city":"Paris","n":2,"t":"red"}
http POST /sfo/_create
http PUT /sfo/taxi {"properties":{"n":{"type":"double"},"city":{"type":"keyword"},"t":{"type":"text"}}}
http PUT /sfo/taxi/q {"n":2.5,"city":"Oslo"}
http PUT /sfo/taxi/r {"n":0.5,"city":"Paris"}
open a
a> {"controller":"document","action":"search","targets":[{"index":"nyc","collections":["taxi","bus"]},{"index":"sfo","collections":["taxi"]}],"body":{"sort":["n"]}}
a< {"status":200,"result":{"total":8,"hits":[{"_id":"r","index":"sfo","collection":"taxi"},{"_id":"a","index":"nyc","collection":"taxi"},{"_id":"b"},{"_id":"p","index":"nyc","collection":"bus"},{"_id":"q"},{"_id":"c"},{"_id":"d"},{"_id":"e"}]}}
a> {"controller":"document","action":"search","targets":[{"index":"nyc","collections":["taxi","bus"]},{"index":"sfo","collections":["taxi"]}],"from":1,"size":2,"body":{"sort":[{"n":"desc"}],"aggs":{"x":{"terms":{"field":"city"}},"m":{"min":{"field":"n"}}}}}
a< {"status":200,"result":{"total":8,"hits":[{"_id":"d"},{"_id":"c"}],"aggregations":{"m":{"value":0.5},"x":{"buckets":[{"key":"Paris","doc_count":4},"..."]}}}}
a> {"controller":"document","action":"search","targets":[{"index":"nyc","collections":["taxi","bus"]}],"body":{"query":{"match":{"t":"red"}}}}
a< {"status":200,"result":{"total":4,"hits":[{},{},{},{}]}}
a> {"controller":"document","action":"search","targets":[{"index":"nyc","collections":["taxi","taxi"]}],"size":3,"body":{}}
a< {"status":200,"result":{"total":5,"hits":[{"_id":"a"},{"_id":"b"},{"_id":"c"}]}}
a> {"controller":"document","action":"search","targets":[{"index":"nyc","collections":["taxi","bus"]},{"index":"sfo","collections":["taxi"]}],"body":{"sort":["n"],"search_after":[2]}}
a< {"status":200,"result":{"hits":[{"_id":"q"},{"_id":"c"},{"_id":"d"},{"_id":"e"}]}}


=== TEST 20: targets that are wrong in generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
FILL
open a
a> {"controller":"document","action":"search","body":{}}
a< {"status":400,"error":{"id":"api.assert.missing_argument","message":"~index.*collection.*targets"}}
a> {"controller":"document","action":"search","index":"nyc","body":{}}
a< {"status":400,"error":{"id":"api.assert.missing_argument","props":["collection"]}}
a> {"controller":"document","action":"search","collection":"taxi","body":{}}
a< {"status":400,"error":{"id":"api.assert.missing_argument","props":["index"]}}
a> {"controller":"document","action":"search","index":"nyc","targets":[{"index":"nyc","collections":["taxi"]}],"body":{}}
a< {"status":400,"error":{"id":"api.assert.mutually_exclusive"}}
a> {"controller":"document","action":"search","targets":{},"body":{}}
a< {"status":400,"error":{"id":"api.assert.invalid_type"}}
a> {"controller":"document","action":"search","targets":[],"body":{}}
a< {"status":400,"error":{"id":"api.assert.empty_argument"}}
a> {"controller":"document","action":"search","targets":[{"collections":["taxi"]}],"body":{}}
a< {"status":400,"error":{"id":"api.assert.missing_argument","props":["targets[0].index"]}}
a> {"controller":"document","action":"search","targets":[{"index":"nyc"}],"body":{}}
a< {"status":400,"error":{"id":"api.assert.missing_argument","props":["targets[0].collections"]}}
a> {"controller":"document","action":"search","targets":[{"index":"nyc","collections":[]}],"body":{}}
a< {"status":400,"error":{"id":"api.assert.empty_argument"}}
a> {"controller":"document","action":"search","targets":[{"index":"nyc","collections":["t*"]}],"body":{}}
a< {"status":400,"error":{"id":"services.storage.invalid_target_format"}}
a> {"controller":"document","action":"search","targets":[{"index":"_all","collections":["taxi"]}],"body":{}}
a< {"status":400,"error":{"id":"services.storage.invalid_target_format"}}
a> {"controller":"document","action":"search","targets":[{"index":"nyc","collections":["taxi","none"]}],"body":{}}
a< {"status":412,"error":{"id":"services.storage.unknown_collection","props":["nyc","none"]}}
a> {"controller":"document","action":"search","targets":[{"index":"%kuzzle","collections":["x"]}],"body":{}}
a< {"status":"~^4"}
a> {"controller":"document","action":"search","scroll":"1m","targets":[{"index":"nyc","collections":["taxi"]}],"body":{}}
a< {"status":400,"error":{"message":"~scroll"}}
a> {"controller":"document","action":"search","targets":[{"index":"nyc","collections":["taxi"]}],"body":{"collapse":{"field":"city"}}}
a< {"status":400,"error":{"message":"~collapse"}}
a> {"controller":"document","action":"search","targets":[{"index":"nyc","collections":["taxi"]}],"body":{"query":{"klingon":{}}}}
a< {"status":400}
http POST /nyc,sfo/taxi/_search {} => 400 {"error":{"id":"services.storage.invalid_multi_index_collection_usage"}}
http POST /nyc/t*/_search {} => 400 {"error":{"id":"services.storage.invalid_multi_index_collection_usage"}}
