# Unmodified clients: kuzzle-sdk 2, 5, 6 and 7, a plain WebSocket.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Test::Nginx::Kuzzle;

# A section "node" runs a program of t/clients: "<file> <arguments>".

Test::Nginx::Socket::add_block_action(node => sub {
    my ($block, $server) = @_;

    my ($file, @args) = split ' ', $block->node;
    my $output = qx(node $FindBin::Bin/clients/$file @{[$server->port]} @args 2>&1);

    ok($? == 0 && $output =~ /^1\.\.\d+$/m, $block->name . " - $file @args")
        or diag($output);
});

run_tests();

__DATA__

=== TEST 1: kuzzle-sdk 7 over WebSocket
--- node: sdk-ws.js 7


=== TEST 2: kuzzle-sdk 6 over WebSocket
--- node: sdk-ws.js 6


=== TEST 3: kuzzle-sdk 5 over WebSocket
--- node: sdk-5.js


=== TEST 4: kuzzle-sdk 7 over HTTP
--- node: sdk-http.js 7


=== TEST 5: kuzzle-sdk 6 over HTTP
--- node: sdk-http.js 6


=== TEST 6: a plain WebSocket
--- node: ws.js


=== TEST 7: kuzzle-sdk 2, from before 1.0, over WebSocket
--- node: sdk-2/main.js
