# What counts as implemented does not answer "not implemented", everything
# else does, by name (t/coverage.pl has the list).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::Nginx::Kuzzle;

our $script = "open a\n";
my $known = 0;

for (split /\n/, qx($^X $FindBin::Bin/coverage.pl --list)) {
    my ($controller, $action, $implemented) = split;
    $known++;
    my $query = qq({"controller":"$controller","action":"$action",)
        . qq("index":"nyc","collection":"taxi","_id":"x","body":{},)
        . qq("requestId":"$controller:$action"});
    my $reply = "$controller:$action" eq 'server:openapi'
        ? '{"openapi":"*string"}'               # without an envelope
        : "$controller:$action" eq 'document:export'
        ? qq({"requestId":"$controller:$action","status":500,"error":{)
          . '"id":"api.assert.unsupported_protocol"}}'
        : $implemented
        ? qq({"requestId":"$controller:$action","status":"~^(200|4..)\$"})
        : qq({"requestId":"$controller:$action","status":501,"error":{)
          . qq("id":"api.process.not_implemented","code":33685744,)
          . qq("message":"~\\"$controller\\":\\"$action\\""}});
    $script .= "a> $query\na< $reply\n";
}

die "only $known actions are known\n" if $known != 283;

add_block_preprocessor(sub {
    my ($block) = @_;
    $block->set_value('ws', $main::script) if $block->name =~ /every action/;
});

run_tests();

__DATA__

=== TEST 1: every action of the API is known; those counted as done are
--- ws
close a


=== TEST 2: an unknown controller, an unknown action
--- ws
open a
a> {"controller":"nope","action":"now","requestId":"1"}
a< {"status":404,"error":{"id":"api.process.controller_not_found"},"room":"1"}
a> {"controller":"server","action":"nope","requestId":"2"}
a< {"status":404,"error":{"id":"api.process.action_not_found","message":"Controller action \"nope\" not found."}}
a> {"controller":"server","action":"nope","requestId":"3","volatile":{"sdkName":"js@7"}}
a< {"status":404,"error":{"message":"API action \"server\":\"nope\" not found"}}
a> {"action":"nope","requestId":"4","volatile":{"sdkName":"js@6"}}
a< {"status":404,"error":{"id":"api.process.controller_not_found","message":"API controller \"null\" not found."}}
a> {"action":"nope","requestId":"4","volatile":{"sdkName":"js@7"}}
a< {"status":400,"error":{"id":"api.assert.missing_argument"}}
