# Every row of the route tables resolves to its action and placeholders, and
# what server:publicApi advertises suits the SDKs that choose from it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Nginx::Kuzzle;

our (@requests, @replies, @codes, %seen);

for my $generation (1, 2) {
    open my $fh, '<', "t/data/routes-v$generation.tsv" or die $!;
    <$fh>;
    while (<$fh>) {
        my ($verb, $path, $controller, $action) = split /\t/;
        $controller = 'ms' if $controller eq 'memoryStorage';
        my $url = $path =~ s{:(\w+)}{value($1)}ger;
        next if $seen{"$generation $verb $url"}++;
        push @requests, "$verb $url";
        my %expect = (controller => $controller, action => $action);
        $expect{index} = 'an-index' if $path =~ m{:index\b};
        $expect{collection} = 'a-collection' if $path =~ m{:collection\b};
        push @replies, \%expect;
    }
}

sub value {
    my ($name) = @_;
    return { index => 'an-index', collection => 'a-collection' }->{$name}
        || "the$name";
}

add_block_preprocessor(sub {
    my ($block) = @_;
    return unless $block->name =~ /552/;
    $block->set_value('request', [@main::requests]);
    $block->set_value('kuzzle_reply', [@main::replies]);
    $block->set_value('error_code_like', [map { qr/^\d+$/ } @main::requests]);
});

run_tests();

__DATA__

=== TEST 1: all of the 552 rows
--- request eval
[]
--- kuzzle_reply eval
[]


=== TEST 2: a literal part wins over a placeholder, and there is no way back
--- request
GET /users/x/y
--- kuzzle_error: 404 network.http.url_not_found


=== TEST 3: empty parts and a trailing slash do not count
--- request
GET //_now//
--- kuzzle_reply
{"controller":"server","action":"now","status":200}


=== TEST 4: paths are case sensitive
--- request
GET /_NOW
--- kuzzle_error: 404 network.http.url_not_found ~API URL not found: /_NOW\.


=== TEST 5: a known action that is not there yet says so, by name
--- request
GET /ms/_ping
--- kuzzle_error: 501 api.process.not_implemented ~"ms":"ping"


=== TEST 6: publicApi has both names of the memory store
--- request
GET /_publicApi
--- kuzzle_reply
{"result":{"ms":{"get":{"http":[{"url":"/ms/:_id","verb":"GET"}]}},
 "memoryStorage":{"get":{"controller":"memoryStorage",
  "http":[{"url":"/ms/:_id","verb":"GET"}]}},
 "realtime":{"subscribe":{"-":["http"]}}}}
