# query_string, simple_query_string, multi_match and Koncorde filters.

use Test::Nginx::Kuzzle;

our $fill = <<'END';
http POST /nyc/_create
http PUT /nyc/taxi {"properties":{"title":{"type":"text"},"body":{"type":"text"},"city":{"type":"keyword"},"n":{"type":"integer"},"at":{"type":"date"},"where":{"type":"geo_point"},"tags":{"type":"keyword"}}}
http PUT /nyc/taxi/a {"title":"The quick brown fox","body":"jumps over","city":"Paris","n":1,"at":"2020-01-01T00:00:00Z","where":{"lat":48.85,"lon":2.35},"tags":["x","y"]}
http PUT /nyc/taxi/b {"title":"A lazy brown dog","body":"sleeps, quick","city":"London","n":2,"at":"2021-01-01T00:00:00Z","where":{"lat":51.5,"lon":-0.12},"tags":["y"]}
http PUT /nyc/taxi/c {"title":"Red fox","body":"runs","city":"Porto","n":3,"at":"2022-01-01T00:00:00Z"}
END

add_block_preprocessor(sub {
    my ($block) = @_;
    my $ws = $block->ws;
    return unless defined $ws && $ws =~ /^FILL/;
    $ws =~ s/^FILL\n/$main::fill/;
    $ws =~ s/^QS "(.*)" =(.*)$/found('_search', q({"sort":"_id","query":{"query_string":{"query":").$1.q("}}}), $2)/gme;
    $ws =~ s/^SQS "(.*)" =(.*)$/found('_search', q({"sort":"_id","query":{"simple_query_string":{"query":").$1.q(","fields":["title","body"]}}}), $2)/gme;
    $ws =~ s/^FIND (.*) =(.*)$/found('_search', qq({"sort":"_id","query":$1}), $2)/gme;
    $ws =~ s/^KON (.*) =(.*)$/found('_search?lang=koncorde', qq({"sort":"_id","query":$1}), $2)/gme;
    $block->set_value('ws', $ws);
});

# the hits, by their ids

sub found {
    my ($action, $body, $ids) = @_;
    my @ids = split ' ', $ids;
    my $n = @ids;
    my $hits = join ',', map { qq({"_id":"$_"}) } @ids;
    return qq(http POST /nyc/taxi/$action $body => {"result":{"total":$n,"hits":[$hits]}});
}

run_tests();

__DATA__

=== TEST 1: query_string looks everywhere unless told where
--- ws
FILL
QS "fox" = a c
QS "quick" = a b
QS "title:quick" = a
QS "Paris" = a
QS "paris" =
QS "2" = b
QS "*" = a b c
QS "nothing" =
QS "" =


=== TEST 2: query_string: operators act on their neighbours
--- ws
FILL
QS "title:fox AND title:brown" = a
QS "title:(fox brown)" = a b c
QS "title:fox AND NOT title:red" = a
QS "+title:brown -title:fox" = b
QS "title:red OR title:lazy AND body:sleeps" = b
QS "NOT title:fox" = b
QS "title:(+brown +dog) || title:red" = b c


=== TEST 3: query_string: phrases, wildcards, patterns, likeness
--- ws
FILL
QS "title:\"brown fox\"" = a
QS "title:\"fox brown\"" =
QS "title:\"quick fox\"~1" = a
QS "title:BRO*" = a b
QS "city:P*" = a c
QS "city:p*" =
QS "city:P?rto" = c
QS "title:*azy" = b
QS "city:/P(aris|orto)/" = a c
QS "title:fax~1" = a c
QS "title:fux~" = a c


=== TEST 4: query_string: ranges and existence
--- ws
FILL
QS "n:[1 TO 2]" = a b
QS "n:{1 TO 3}" = b
QS "n:>=2" = b c
QS "n:(>1 AND <3)" = b
QS "at:[2021-01-01 TO *]" = b c
QS "_exists_:tags" = a b
QS "-_exists_:where" = c
QS "_id:b" = b


=== TEST 5: what is no query_string is refused, and where
--- ws
FILL
http POST /nyc/taxi/_search {"query":{"query_string":{"query":"title:(fox"}}} => {"status":400,"error":{"message":"~Failed to parse query .title:.fox.*query.query_string"}}
http POST /nyc/taxi/_search {"query":{"query_string":{"query":"n:abc","lenient":false}}} => {"status":400}
FIND {"query_string":{"query":"n:abc"}} =
http POST /nyc/taxi/_search {"query":{"query_string":{"query":"a","nope":1}}} => {"status":400,"error":{"message":"~nope.* is not supported"}}
http POST /nyc/taxi/_search {"query":{"query_string":{"query":"*x","allow_leading_wildcard":false}}} => {"status":400}
FIND {"query_string":{"query":"abc","default_field":"n","lenient":true}} =
FIND {"query_string":{"query":"quick dog","fields":["title^2","body"],"default_operator":"AND"}} = b
FIND {"query_string":{"query":"quick fox runs","default_field":"title","minimum_should_match":2}} = a


=== TEST 6: simple_query_string is never wrong
--- ws
FILL
SQS "fox" = a c
SQS "fox + quick" = a
SQS "quick | red" = a b c
SQS "brown + -fox" = b
SQS "(fox + quick) | red" = a c
SQS "\"brown fox\"" = a
SQS "bro*" = a b
SQS "fax~1" = a c
SQS "((fox" = a c
SQS "\"fox" = a c
SQS "()" =


=== TEST 7: multi_match
--- ws
FILL
FIND {"multi_match":{"query":"quick","fields":["title","body"]}} = a b
FIND {"multi_match":{"query":"quick","fields":["ti*"]}} = a
FIND {"multi_match":{"query":"quick dog","fields":["title","body"],"operator":"and"}} =
FIND {"multi_match":{"query":"quick dog","fields":["title","body"],"operator":"and","type":"cross_fields"}} = b
FIND {"multi_match":{"query":"brown fox","fields":["title","body"],"type":"phrase"}} = a
FIND {"multi_match":{"query":"brown f","fields":["title","body"],"type":"phrase_prefix"}} = a
FIND {"multi_match":{"query":"quikc","fields":["title","body"],"fuzziness":"AUTO"}} = a b
http POST /nyc/taxi/_search {"query":{"multi_match":{"query":"x","type":"nope"}}} => {"status":400}


=== TEST 8: Koncorde filters as queries
--- ws
FILL
KON {} = a b c
KON {"equals":{"city":"Paris"}} = a
KON {"in":{"city":["Paris","Porto"]}} = a c
KON {"ids":{"values":["a","c","nope"]}} = a c
KON {"exists":"tags"} = a b
KON {"exists":"tags[\"x\"]"} = a
KON {"missing":"where"} = c
KON {"range":{"n":{"gt":1,"lte":3}}} = b c
KON {"not":{"equals":{"n":1}}} = b c
KON {"and":[{"exists":"tags"},{"not":{"equals":{"tags":"x"}}}]} = b
KON {"or":[{"equals":{"n":1}},{"equals":{"n":3}}]} = a c
KON {"bool":{"must":[{"exists":"n"}],"must_not":[{"equals":{"n":2}}],"should":[{"equals":{"city":"Porto"}},{"equals":{"city":"London"}}]}} = c
KON {"regexp":{"city":"^P.r"}} = a c
KON {"regexp":{"city":"o"}} = b c
KON {"regexp":{"city":{"value":"PARIS","flags":"i"}}} = a
KON {"geoDistance":{"where":[48.85,2.35],"distance":"10km"}} = a
KON {"geoDistanceRange":{"where":{"lat":48.85,"lon":2.35},"from":"10km","to":"1000km"}} = b
KON {"geoBoundingBox":{"where":{"top":52,"left":-1,"bottom":51,"right":1}}} = b
KON {"geoPolygon":{"where":{"points":[[48,2],[48,3],[49.5,3],[49.5,2]]}}} = a
KON {"nothing":true} =
http POST /nyc/taxi/_count?lang=koncorde {"query":{"exists":"tags"}} => {"result":{"count":2}}


=== TEST 9: filters that are refused
--- ws
FILL
http POST /nyc/taxi/_search?lang=koncorde {"query":{"match":{"a":1}}} => {"status":400,"error":{"id":"api.assert.koncorde_restricted_keyword"}}
http POST /nyc/taxi/_search?lang=koncorde {"query":{"nothere":{"a":1}}} => {"status":400,"error":{"id":"api.assert.koncorde_dsl_error"}}
http POST /nyc/taxi/_search?lang=koncorde {"query":{"equals":{"n":null}}} => {"status":400,"error":{"id":"services.koncorde.elastic_translation_error"}}
http POST /nyc/taxi/_search?lang=klingon {"query":{}} => {"status":400,"error":{"id":"api.assert.invalid_argument"}}
http POST /nyc/taxi/_search {"query":{"equals":{"n":1}}} => {"status":400}
