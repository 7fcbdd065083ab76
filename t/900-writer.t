# The writer, the workers and the master are killed, stopped and replaced
# while clients write: no acknowledged write is lost, none is applied twice,
# no request waits for ever.

use Test::Nginx::Kuzzle;
use Test::Nginx::Kuzzle::Crash;

add_block_preprocessor(sub {
    my ($block) = @_;
    my $config = "location / {\n    kuzzle;\n    kuzzle_api 2;\n}\n";
    $block->set_value('config', $config);
});

run_tests();

__DATA__

=== TEST 1: a writer that is killed is replaced, and nobody notices
--- kills
--- load
set connections=16
writes 100
times 20: kill writer; await writer; writes 50
no errors


=== TEST 2: a worker that is killed takes only its own requests with it
--- kills
--- load
writes 100
kill worker 0
await workers
writes 100
kill worker 1
await workers
writes 100
no refusals


=== TEST 3: a reload under load, three times
--- load
writes 100
reload
await workers
writes 100
await drained
reload
await workers
writes 100
reload
await workers
await drained
writes 100
no refusals


=== TEST 4: a writer that does not answer: a named 503 in time, then all is well
--- kuzzle_config
    store_timeout 1s;
--- load
set limit=3
writes 100
stop writer
run 2.5
seen services.storage.no_answer
cont
writes 100
no lost
no hung


=== TEST 5: more than the writer's socket holds: some was never sent, and says so
--- kuzzle_config
    store_timeout 1s;
--- load
set limit=3 connections=24 pad=60000
writes 50
stop writer
run 2.5
seen services.storage.no_answer
seen services.storage.unavailable
cont
writes 50
no lost
no hung


=== TEST 6: no writer at all: nothing is written, the clients know it
--- kills
--- kuzzle_config
    store_timeout 1s;
--- load
set limit=3
writes 100
stop master
kill writer
run 2.5
seen services.storage.unavailable
cont
await writer
writes 100
no lost
no hung


=== TEST 7: a stopped writer is killed
--- kills
--- load
writes 100
stop writer
run 0.5
kill writer
await writer
writes 100
no errors


=== TEST 8: a reload while the writer is stopped
--- load
writes 100
stop writer
reload
await workers
run 0.5
cont
await writer
writes 100
await drained
writes 100
no refusals


=== TEST 9: the master is killed: its processes follow, the port is free
--- kills
--- load
writes 100
kill master
await gone
start
writes 100
no refusals


=== TEST 10: the master is killed in the middle of a reload
--- kills
--- load
times 6: writes 30; reload; run 0.01; kill master; await gone; start
writes 100
no refusals


=== TEST 11: everything is killed at once
--- kills
--- load
writes 100
kill all
await gone
start
writes 100
kill all
await gone
start
writes 100
no refusals


=== TEST 12: a quick stop
--- kills
--- load
writes 100
kill master TERM
await gone
start
writes 100
no refusals


=== TEST 13: an orderly stop answers what it has taken
--- kills
--- load
writes 100
kill master QUIT
await gone
start
writes 100
no refusals


=== TEST 14: the orderly stop of a server whose writer is stopped
--- kills
--- kuzzle_config
    store_timeout 1s;
--- load
set limit=3
writes 100
stop writer
run 0.1
kill master QUIT
run 2.5
cont
await gone
start
writes 100
no hung


=== TEST 15: committed, but the worker did not take the answers in time
--- kills
--- load
set connections=32 pad=60000
writes 50
times 6: stop worker 0; run 0.15; kill writer; await writer; cont; writes 40; quiet
no errors


=== TEST 16: the same, and the writer leaves in an orderly way
--- load
set connections=32 pad=60000
writes 50
times 2: stop worker 0; run 0.1; reload; run 0.8; cont; await workers; writes 40
await drained
writes 40
no refusals


=== TEST 17: the master is killed while sockets are open: they get 1001
--- kills
--- http_config
kuzzle_drain 300ms;
--- ws
open a
open b apart=a
a> {"controller":"server","action":"now","requestId":"1"}
a< {"status":200}
kill master
a<close 1001
b<close 1001
a<eof
b<eof
