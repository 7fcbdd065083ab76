# document:search: every clause, over mappings with types of all kinds.

use Test::Nginx::Kuzzle;

our $fill = <<'END';
http POST /nyc/_create
http PUT /nyc/taxi {"dynamic":"false","properties":{"k":{"type":"keyword","copy_to":"all"},"t":{"type":"text","copy_to":["all"]},"all":{"type":"text"},"n":{"type":"integer"},"d":{"type":"date"},"ip":{"type":"ip"},"g":{"type":"geo_point"},"x":{"type":"keyword","index":false},"c":{"type":"nested","properties":{"who":{"type":"keyword"},"stars":{"type":"integer"}}}}}
http PUT /nyc/taxi/a {"k":"Red","t":"the quick fox","n":1,"d":"2018-01-31","ip":"10.0.0.1","g":{"lat":48.85,"lon":2.35},"c":[{"who":"ann","stars":1},{"who":"bob","stars":5}]}
http PUT /nyc/taxi/b {"k":"reddish","t":"a lazy dog","n":2,"d":"2018-02-01","ip":"10.0.1.1","g":[-0.12,51.5],"c":[{"who":"ann","stars":5}]}
http PUT /nyc/taxi/c {"k":"Blue","t":"foxes","n":3,"d":"2018-02-28T23:59:59Z","ip":"::1","g":"40.7,-74","c":{"who":"cyd","stars":3}}
http PUT /nyc/taxi/d {"n":[1,9]}
END

add_block_preprocessor(sub {
    my ($block) = @_;
    my $ws = $block->ws;
    return unless defined $ws && $ws =~ /^FILL/;
    $ws =~ s/^FILL\n/$main::fill/;
    $ws =~ s/^FIND (.*) =(.*)$/found($1, $2)/gme;
    $ws =~ s/^BAD (.*) ~ (.*)$/http POST \/nyc\/taxi\/_search {"query":$1} => 400 {"error":{"message":"~$2"}}/gm;
    $block->set_value('ws', $ws);
});

sub found {
    my ($query, $ids) = @_;
    my @ids = split ' ', $ids;
    my $n = @ids;
    my $hits = join ',', map { qq({"_id":"$_"}) } @ids;
    my $body = $query =~ /^\{"(?:query|sort)"/ ? $query : qq({"query":$query});
    return qq(http POST /nyc/taxi/_search $body => {"result":{"total":$n,"hits":[$hits]}});
}

run_tests();

__DATA__

=== TEST 1: prefix, wildcard, regexp, fuzzy
--- ws
FILL
FIND {"prefix":{"k":"red"}} = b
FIND {"prefix":{"k":{"value":"red","case_insensitive":true}}} = a b
FIND {"wildcard":{"k":"R?d"}} = a
FIND {"wildcard":{"k":{"value":"*E*","case_insensitive":true}}} = a b c
FIND {"wildcard":{"t":"fox*"}} = a c
FIND {"regexp":{"k":"[rR]ed.*"}} = a b
FIND {"regexp":{"k":"red"}} =
FIND {"regexp":{"k":{"value":"(Red|Blue)","flags":"NONE"}}} = a c
FIND {"fuzzy":{"k":"Rad"}} = a
FIND {"fuzzy":{"k":{"value":"Rad","fuzziness":0}}} =
FIND {"term":{"k":{"value":"RED","case_insensitive":true}}} = a


=== TEST 2: regexps that are refused, or would explode elsewhere
--- ws
FILL
BAD {"regexp":{"k":"~a"}} ~ ~.*not supported
BAD {"regexp":{"k":"a&b"}} ~ &.*not supported
BAD {"regexp":{"k":"((a{900}){900}){900}"}} ~ complex
BAD {"regexp":{"k":"(a"}} ~ expected
BAD {"regexp":{"n":"1"}} ~ Can only use regexp queries
http PUT /nyc/taxi/e {"k":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}
FIND {"regexp":{"k":"(a|aa|a*)*b"}} =
FIND {"regexp":{"k":"(a|aa|a*)*"}} = e


=== TEST 3: dates: math, rounding, formats, zones
--- ws
FILL
FIND {"range":{"d":{"gte":"2018-02-15||/M","lte":"2018-02-15||/M"}}} = b c
FIND {"range":{"d":{"gt":"2018-01-15||/M"}}} = b c
FIND {"range":{"d":{"lt":"2018-02-15||/M"}}} = a
FIND {"range":{"d":{"gte":"2018-01-31||+1d"}}} = b c
FIND {"range":{"d":{"gte":"01/02/2018","format":"dd/MM/yyyy"}}} = b c
FIND {"range":{"d":{"gte":"2018-03-01T00:00:00","time_zone":"+01:00"}}} = c
FIND {"range":{"d":{"gt":"now-1d/d"}}} =
FIND {"term":{"d":"2018-02"}} = b
BAD {"range":{"d":{"gte":"now-1q"}}} ~ failed to parse date field
BAD {"range":{"d":{"gte":1,"time_zone":"Mars"}}} ~ time_zone


=== TEST 4: addresses
--- ws
FILL
FIND {"term":{"ip":"10.0.0.1"}} = a
FIND {"term":{"ip":"10.0.0.0/23"}} = a b
FIND {"terms":{"ip":["::1","10.0.1.0/24"]}} = b c
FIND {"range":{"ip":{"gt":"10.0.0.1","lte":"10.255.255.255"}}} = b
FIND {"exists":{"field":"ip"}} = a b c
BAD {"term":{"ip":"10.0.0"}} ~ IP string literal
http PUT /nyc/taxi/e {"ip":"somewhere"} => 400


=== TEST 5: points
--- ws
FILL
FIND {"geo_bounding_box":{"g":{"top_left":{"lat":52,"lon":-1},"bottom_right":{"lat":48,"lon":3}}}} = a b
FIND {"geo_bounding_box":{"g":{"wkt":"BBOX (-75, -73, 41, 40)"}}} = c
FIND {"geo_bounding_box":{"g":{"top":60,"left":170,"bottom":0,"right":-1}}} = c
FIND {"geo_distance":{"distance":"10km","g":[2.3,48.8]}} = a
FIND {"geo_distance":{"distance":"400","unit":"km","g":"51.5,-0.12"}} = a b
FIND {"geo_polygon":{"g":{"points":[[-1,50],[1,50],[0,53]]}}} = b
FIND {"exists":{"field":"g"}} = a b c
BAD {"geo_distance":{"distance":"1km","k":[1,2]}} ~ geo_point
BAD {"geo_distance":{"distance":"1km","zz":[1,2]}} ~ failed to find geo field
BAD {"term":{"g":"1,2"}} ~ geometry queries
http PUT /nyc/taxi/e {"g":{"lat":91,"lon":0}} => 400


=== TEST 6: nested objects are matched one by one, and from inside only
--- ws
FILL
FIND {"term":{"c.who":"ann"}} =
FIND {"nested":{"path":"c","query":{"term":{"c.who":"ann"}}}} = a b
FIND {"nested":{"path":"c","query":{"bool":{"must":[{"term":{"c.who":"ann"}},{"term":{"c.stars":5}}]}}}} = b
FIND {"bool":{"filter":[{"term":{"n":1}},{"nested":{"path":"c","query":{"range":{"c.stars":{"gte":5}}}}}]}} = a
FIND {"bool":{"must_not":{"nested":{"path":"c","query":{"match_all":{}}}}}} = d
FIND {"nested":{"path":"c","query":{"term":{"k":"Red"}}}} =
FIND {"exists":{"field":"c"}} =
BAD {"nested":{"path":"k","query":{"match_all":{}}}} ~ failed to find nested object
BAD {"nested":{"path":"c","query":{"match_all":{}},"inner_hits":{}}} ~ inner_hits


=== TEST 7: what a field is copied to finds it, also after an update
--- ws
FILL
FIND {"match":{"all":"red"}} = a
FIND {"match":{"all":{"query":"red fox","operator":"and"}}} = a
http PUT /nyc/taxi/a/_update {"k":"Green"}
FIND {"match":{"all":"red"}} =
FIND {"match":{"all":"green"}} = a
http GET /nyc/taxi/a => {"result":{"_source":{"-":["all"]}}}


=== TEST 8: bool, dis_max, boosting, constant_score
--- ws
FILL
FIND {"bool":{"should":[{"term":{"n":1}},{"term":{"k":"Red"}},{"term":{"k":"Blue"}}],"minimum_should_match":2}} = a
FIND {"bool":{"should":[{"term":{"n":1}},{"term":{"k":"Red"}},{"term":{"k":"Blue"}}],"minimum_should_match":"-2"}} = a c d
FIND {"bool":{"should":[{"term":{"n":1}},{"term":{"k":"Red"}},{"term":{"k":"Blue"}}],"minimum_should_match":"2<75%"}} = a
FIND {"dis_max":{"queries":[{"term":{"n":1}},{"term":{"n":{"value":2,"boost":3}}}]}} = b a d
FIND {"boosting":{"positive":{"range":{"n":{"lte":2}}},"negative":{"term":{"k":"Red"}},"negative_boost":0.1}} = b d a
FIND {"bool":{"should":[{"constant_score":{"filter":{"term":{"n":3}},"boost":7}},{"match_all":{}}]}} = c a b d


=== TEST 9: what cannot be answered is refused by its name
--- ws
FILL
BAD {"function_score":{}} ~ function_score
BAD {"bool":{"must":{"script":{}}}} ~ script.*query.bool.must
BAD {"more_like_this":{}} ~ more_like_this
BAD {"has_child":{}} ~ has_child
BAD {"geo_shape":{}} ~ geo_shape
BAD {"terms":{"k":{"index":"a","id":"b","path":"c"}}} ~ looking terms up
BAD {"term":{"x":"y"}} ~ not indexed
BAD {"term":{"n":"many"}} ~ not a value for field
FIND {"match":{"n":{"query":"many","lenient":true}}} =


=== TEST 10: types and parameters of mappings
--- ws
FILL
http PUT /nyc/t1 {"properties":{"a":{"type":"integer_range"}}} => 400 {"error":{"message":"~integer_range"}}
http PUT /nyc/t2 {"properties":{"a":{"type":"percolator"}}} => 400 {"error":{"message":"~percolator"}}
http PUT /nyc/t3 {"properties":{"a":{"type":"alias","path":"b"}}} => 400 {"error":{"message":"~alias"}}
http PUT /nyc/t4 {"properties":{"a":{"type":"keyword","foo":1}}} => 400 {"error":{"message":"~unsupported parameters:.*foo"}}
http PUT /nyc/t5 {"properties":{"a":{"type":"keyword","copy_to":"zz"}}} => 400 {"error":{"message":"~copy_to"}}
http PUT /nyc/t6 {"properties":{"a":{"type":"geo_shape"},"b":{"type":"binary"},"c":{"type":"completion"}}} => 200
http PUT /nyc/t6/x {"a":{"type":"point","coordinates":[1,2]},"b":"aGk=","c":["x"]} => 200


=== TEST 11: sort keys: modes, distances, nested objects
--- ws
FILL
FIND {"sort":[{"n":{"order":"desc","mode":"avg"}},{"k":"asc"}]} = d c b a
FIND {"sort":[{"n":{"order":"asc","mode":"sum"}}]} = a b c d
FIND {"query":{"exists":{"field":"g"}},"sort":[{"_geo_distance":{"g":[0,51],"order":"asc","unit":"km"}}]} = b a c
FIND {"query":{"exists":{"field":"ip"}},"sort":[{"c.stars":{"order":"desc","nested":{"path":"c","filter":{"term":{"c.who":"ann"}}}}},{"n":"asc"}]} = b a c
