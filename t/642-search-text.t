# Full text: analysis, match, phrases, relevance, highlight.

use Test::Nginx::Kuzzle;

our $fill = <<'END';
http POST /nyc/_create
http PUT /nyc/taxi {"properties":{"t":{"type":"text"},"s":{"type":"text","analyzer":"stop"},"k":{"type":"keyword","normalizer":"lowercase"}}}
http PUT /nyc/taxi/a {"t":"The quick brown fox","s":"end of the day","k":"New York"}
http PUT /nyc/taxi/b {"t":"Quick foxes and quick dogs","k":"NEW YORK"}
http PUT /nyc/taxi/c {"t":["un été","à la mer"],"k":"x"}
http PUT /nyc/taxi/d {"t":"中文 and a dog, a very long story about one dog"}
http PUT /nyc/taxi/e {"t":"dog"}
END

add_block_preprocessor(sub {
    my ($block) = @_;
    my $ws = $block->ws;
    return unless defined $ws && $ws =~ /^FILL/;
    $ws =~ s/^FILL\n/$main::fill/e;
    $ws =~ s/^FIND (.*) =(.*)$/found($1, $2)/gme;
    $block->set_value('ws', $ws);
});

# "FIND clause = ids": the hits, in this order

sub found {
    my ($query, $ids) = @_;
    my @ids = split ' ', $ids;
    my $n = @ids;
    my $hits = join ',', map { qq({"_id":"$_"}) } @ids;
    return qq(http POST /nyc/taxi/_search {"query":$query} => {"result":{"total":$n,"hits":[$hits]}});
}

run_tests();

__DATA__

=== TEST 1: match: words, lower case, accents, ideographs
--- ws
FILL
FIND {"match":{"t":"FOX"}} = a
FIND {"match":{"t":"été"}} = c
FIND {"match":{"t":"ete"}} =
FIND {"match":{"t":"文"}} = d
FIND {"match":{"t":{"query":"quick dogs","operator":"and"}}} = b
FIND {"match":{"t":{"query":"quick brown fox dogs","minimum_should_match":"75%"}}} = a
FIND {"match":{"t":{"query":"quikc","fuzziness":"AUTO"}}} = b a
FIND {"match":{"k":"new YORK"}} = a b


=== TEST 2: phrases
--- ws
FILL
FIND {"match_phrase":{"t":"quick brown"}} = a
FIND {"match_phrase":{"t":"brown quick"}} =
FIND {"match_phrase":{"t":{"query":"quick fox","slop":1}}} = a
FIND {"match_phrase":{"t":"été à"}} =
FIND {"match_phrase":{"s":"end of a day"}} = a
FIND {"match_phrase_prefix":{"t":"quick fo"}} = b


=== TEST 3: relevance: shorter texts, rarer words, more occurrences
--- ws
FILL
FIND {"match":{"t":"dog"}} = e d
FIND {"match":{"t":"quick"}} = b a
FIND {"match":{"t":"brown quick"}} = a b
FIND {"bool":{"filter":{"match":{"t":"dog"}}}} = d e


=== TEST 4: highlight, generation 1 and 2
--- ws
FILL
http POST /nyc/taxi/_search {"query":{"match":{"t":"quick"}},"highlight":{"fields":{"t":{}}}} => {"result":{"hits":[{"_id":"b","highlight":{"t":["<em>Quick</em> foxes and <em>quick</em> dogs"]}},{"_id":"a","highlight":{"t":["The <em>quick</em> brown fox"]}}]}}
http POST /nyc/taxi/_search {"query":{"match":{"t":"quick"}},"highlight":{"zzz":1,"fields":{}}} => {"status":400}


=== TEST 5: what is not there is refused by its name
--- ws
FILL
http PUT /nyc/bad {"properties":{"t":{"type":"text","analyzer":"english"}}} => {"status":400}
http PUT /nyc/bad {"properties":{"t":{"type":"keyword","normalizer":"zzz"}}} => {"status":400}
http POST /nyc/taxi/_search {"query":{"match":{"t":{"query":"a","analyzer":"zzz"}}}} => {"status":400}
