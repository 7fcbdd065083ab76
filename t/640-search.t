# document:search and count.

use Test::Nginx::Kuzzle;

our $fill = <<'END';
http POST /nyc/_create
http PUT /nyc/taxi $mapping
http PUT /nyc/taxi/a {"city":"Paris","n":1,"price":10.5,"tags":["x","y"],"at":"2020-01-01T00:00:00Z","on":true}
http PUT /nyc/taxi/b {"city":"London","n":2,"price":20,"tags":["y"],"at":"2021-01-01T00:00:00Z","on":false}
http PUT /nyc/taxi/c {"city":"Paris","n":3,"price":5,"tags":[],"at":"2022-01-01T00:00:00Z","nested":{"deep":"v"}}
http PUT /nyc/taxi/d {"city":"Rome","n":4,"price":20}
END

our $mapped = '{"properties":{"city":{"type":"keyword"},"n":{"type":"integer"},'
    . '"price":{"type":"double"},"tags":{"type":"keyword"},'
    . '"at":{"type":"date"},"on":{"type":"boolean"},'
    . '"nested":{"properties":{"deep":{"type":"keyword"}}}}}';

add_block_preprocessor(sub {
    my ($block) = @_;
    my $ws = $block->ws;
    return unless defined $ws && $ws =~ /^FILL/;
    $ws =~ s/^FILL mapped\n/$main::fill =~ s{\$mapping}{$main::mapped}r/e;
    $ws =~ s/^FILL none\n/$main::fill =~ s{ \$mapping}{}r/e;
    $ws =~ s/^FIND (.*) =(.*)$/found($1, $2)/gme;
    $block->set_value('ws', $ws);
});

# "FIND query = ids": the hits, in this order unless it is "a|b"

sub found {
    my ($query, $ids) = @_;
    my @ids = split ' ', $ids;
    my $n = @ids;
    my $hits = join ',', map { qq({"_id":"$_"}) } @ids;
    return qq(http POST /nyc/taxi/_search $query => {"result":{"total":$n,"hits":[$hits]}});
}

run_tests();

__DATA__

=== TEST 1: everything, in the order of insertion
--- ws
FILL mapped
FIND {} = a b c d
FIND {"query":{"match_all":{}}} = a b c d
FIND {"query":{}} = a b c d
http POST /nyc/taxi/_count => {"result":{"count":4}}


=== TEST 2: term and terms, arrays included
--- ws
FILL mapped
FIND {"query":{"term":{"city":"Paris"}}} = a c
FIND {"query":{"term":{"city":{"value":"Paris"}}}} = a c
FIND {"query":{"term":{"city":"paris"}}} =
FIND {"query":{"term":{"n":2}}} = b
FIND {"query":{"term":{"tags":"y"}}} = a b
FIND {"query":{"terms":{"city":["Rome","London"]}}} = b d
FIND {"query":{"terms":{"tags":["x","y"]}}} = a b
FIND {"query":{"term":{"on":true}}} = a
FIND {"query":{"term":{"nested.deep":"v"}}} = c
http POST /nyc/taxi/_count {"query":{"term":{"city":"Paris"}}} => {"result":{"count":2}}


=== TEST 3: range: numbers and dates, open and closed
--- ws
FILL mapped
FIND {"query":{"range":{"n":{"gte":2,"lt":4}}}} = b c
FIND {"query":{"range":{"n":{"gt":2}}}} = c d
FIND {"query":{"range":{"price":{"lte":10.5}}}} = a c
FIND {"query":{"range":{"at":{"gte":"2021-01-01"}}}} = b c
FIND {"query":{"range":{"city":{"gte":"M","lt":"Q"}}}} = a c


=== TEST 4: exists, ids, bool
--- ws
FILL mapped
FIND {"query":{"exists":{"field":"at"}}} = a b c
FIND {"query":{"ids":{"values":["d","a","none"]}}} = a d
FIND {"query":{"bool":{"must":[{"term":{"city":"Paris"}}],"must_not":[{"term":{"n":1}}]}}} = c
FIND {"query":{"bool":{"should":[{"term":{"n":1}},{"term":{"n":4}}]}}} = a d
FIND {"query":{"bool":{"filter":{"range":{"n":{"gte":3}}},"must_not":{"exists":{"field":"at"}}}}} = d


=== TEST 5: sort, from, size
--- ws
FILL mapped
FIND {"sort":["n"]} = a b c d
FIND {"sort":[{"n":"desc"}]} = d c b a
FIND {"sort":[{"price":{"order":"desc"}},{"n":"desc"}]} = d b a c
FIND {"sort":{"at":"asc"}} = a b c d
http POST /nyc/taxi/_search?from=1&size=2 {"sort":["n"]}
 => {"result":{"total":4,"hits":[{"_id":"b","sort":[2],"_score":null},{"_id":"c"}]}}
http POST /nyc/taxi/_search {"sort":["n"],"from":3,"size":5} => {"result":{"total":4,"hits":[{"_id":"d"}]}}
http POST /nyc/taxi/_search?size=0 {} => {"result":{"total":4,"hits":[]}}


=== TEST 6: the same on a collection made without a mapping
--- ws
FILL none
FIND {"query":{"match_all":{}}} = a b c d
FIND {"query":{"term":{"city.keyword":"Paris"}}} = a c
FIND {"query":{"term":{"city":"paris"}}} = a c
FIND {"query":{"term":{"n":2}}} = b
FIND {"query":{"terms":{"n":[1,4]}}} = a d
FIND {"query":{"range":{"n":{"gte":2,"lt":4}}}} = b c
FIND {"query":{"range":{"at":{"gte":"2021-01-01"}}}} = b c
FIND {"query":{"term":{"on":true}}} = a
FIND {"sort":[{"n":"desc"}]} = d c b a
FIND {"sort":[{"price":"asc"},{"n":"asc"}]} = c a b d


=== TEST 7: and when generation 2 made it
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
FILL none
FIND {"query":{"match_all":{}}} = a b c d
FIND {"query":{"term":{"city":"Paris"}}} = a c
FIND {"query":{"term":{"n":2}}} = b
FIND {"query":{"range":{"n":{"gte":2,"lt":4}}}} = b c
FIND {"sort":[{"n":"desc"}]} = d c b a


=== TEST 8: an explicit dynamic false hides what is not mapped
--- ws
http POST /nyc/_create
http PUT /nyc/taxi {"dynamic":"false","properties":{"a":{"type":"integer"}}}
http PUT /nyc/taxi/x {"a":1,"b":1}
http POST /nyc/taxi/_search {"query":{"term":{"a":1}}} => {"result":{"total":1}}
http POST /nyc/taxi/_search {"query":{"term":{"b":1}}} => {"result":{"total":0}}


=== TEST 9: updates and deletes are seen at once
--- ws
FILL mapped
http PUT /nyc/taxi/a/_update {"city":"Rome"}
FIND {"query":{"term":{"city":"Paris"}}} = c
FIND {"query":{"term":{"city":"Rome"}}} = a d
http DELETE /nyc/taxi/d
FIND {"query":{"term":{"city":"Rome"}}} = a
http PUT /nyc/taxi/c {"city":"Oslo"}
FIND {"query":{"term":{"city":"Paris"}}} =
FIND {"query":{"exists":{"field":"n"}}} = a b


=== TEST 10: what is not supported is named, with its place
--- ws
FILL mapped
http POST /nyc/taxi/_search {"query":{"nonsense":{}}} => 400 {"error":{"message":"~nonsense"}}
http POST /nyc/taxi/_search {"query":{"bool":{"must":[{"term":{"a":1}},{"geo_shape":{}}]}}}
 => 400 {"error":{"message":"~geo_shape.*must"}}
http POST /nyc/taxi/_search {"aggregations":{"a":{"klingon":{"field":"n"}}}} => 400 {"error":{"message":"~klingon"}}
http POST /nyc/taxi/_search {"nothere":1} => 400 {"error":{"message":"~nothere"}}
http POST /nyc/taxi/_search?lang=klingon {} => 400 {"error":{"id":"api.assert.invalid_argument"}}


=== TEST 11: an unknown root key in generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
FILL mapped
http POST /nyc/taxi/_search {"nothere":1} => 400 {"error":{"id":"services.storage.invalid_search_query","props":["nothere"]}}
http POST /nyc/taxi/_search {"size":1} => {"result":{"hits":[{"_id":"a","_score":1,"index":"nyc","collection":"taxi","-":["_index","sort"]}],"total":4}}
http GET /nyc/taxi/_search?searchBody=%7B%22query%22%3A%7B%22term%22%3A%7B%22n%22%3A2%7D%7D%7D => {"result":{"total":1}}
http GET /nyc/taxi/_search?searchBody=nonsense => 400


=== TEST 12: too many results asked for
--- ws
FILL mapped
http POST /nyc/taxi/_search?size=10001 {} => 413 {"error":{"id":"services.storage.get_limit_exceeded"}}


=== TEST 13: searching what is not there
--- ws
http POST /nyc/none/_search {} => 412 {"error":{"id":"services.storage.unknown_index"}}
