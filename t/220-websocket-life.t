# WebSocket: how sockets live and end.  Slow and silent peers, peers that
# leave, reload, quit, killed workers, back-pressure.

use Test::Nginx::Kuzzle;

our %macro = (
    NOW => '{"controller":"server","action":"now","requestId":"n"}',
    CREATE => '{"controller":"document","action":"create","index":"nyc",'
        . '"collection":"taxi","body":{"n":$i},"requestId":"c$i"}',
    SUBSCRIBE => '{"controller":"realtime","action":"subscribe",'
        . '"index":"nyc","collection":"taxi","body":{},"requestId":"s"}',
);

add_block_preprocessor(sub {
    my ($block) = @_;
    my $ws = $block->ws;
    return unless defined $ws;
    $ws =~ s/^START\n/http POST \/nyc\/_create\nhttp PUT \/nyc\/taxi\n/m;
    $ws =~ s/\b(NOW|CREATE|SUBSCRIBE)\b/$main::macro{$1}/g;
    $block->set_value('ws', $ws);
});

run_tests();

__DATA__

=== TEST 1: a slow reader is closed with the reason, the others go on
--- http_config
kuzzle_send_queue 1m;
--- ws
START
open slow
slow> SUBSCRIBE
slow< {"status":200}
open b
b> SUBSCRIBE
b< {"status":200}
times 4 http POST /nyc/taxi/_publish {"n":$i,"x":"<<repeat:900000:x>>"}
times 4 b< /"_source":\{"n":$i,"x"/
times 4 http POST /nyc/taxi/_publish {"n":$i,"x":"<<repeat:900000:x>>"}
times 4 b< /"_source":\{"n":$i,"x"/
log /websocket client is too slow, \d+ bytes owed.*client: 127\.0\.0\.1/
slow<~ close 1011 /client is too slow/
slow<~ eof
b> NOW
b< {"status":200}
http POST /nyc/taxi/_publish {"n":"last"}
b< {"result":{"_source":{"n":"last"}}}


=== TEST 2: a client that asks for more than it reads is served at its own pace
--- http_config
kuzzle_send_queue 200k;
kuzzle_max_pending 2;
--- ws
START
http PUT /nyc/taxi/big {"x":"<<repeat:50000:x>>"}
open a
times 100 a> {"controller":"document","action":"get","index":"nyc","collection":"taxi","_id":"big","requestId":"g$i"}
a> {"p":1}
http GET /_now
times 100 a<~ /"room":"g$i"/
a< text {"p":2}


=== TEST 3: an answer larger than the send queue arrives whole
--- http_config
kuzzle_send_queue 10k;
--- ws
START
http PUT /nyc/taxi/big {"x":"<<repeat:1000000:x>>"}
open a
a> {"controller":"document","action":"get","index":"nyc","collection":"taxi","_id":"big","requestId":"g"}
a< {"room":"g","status":200,"result":{"_source":{"x":"~x{30000}$"}}}
a> NOW
a< {"status":200}


=== TEST 4: a silent peer is pinged, one that does not answer is dropped
--- http_config
kuzzle_heartbeat 300ms;
--- ws
open a auto=0
open b
a! 0.15
a<ping
a<gone
log /websocket peer has been silent for \d+ ms/
sleep 0.8
b<ping
b> NOW
b< {"status":200}


=== TEST 5: any sign of life will do, and who talks is not pinged
--- http_config
kuzzle_heartbeat 500ms;
--- ws
open a auto=0
sleep 0.3
a> pong
sleep 0.3
a> ping x
a<pong x
sleep 0.3
a> NOW
a< {"status":200}
a<ping
a> NOW
a< {"status":200}
a<ping
a<gone


=== TEST 6: a peer that takes nothing is dropped after kuzzle_send_timeout
--- http_config
kuzzle_send_timeout 400ms;
kuzzle_send_queue 20m;
--- ws
START
http PUT /nyc/taxi/big {"x":"<<repeat:1000000:x>>"}
open a
open b
times 10 a> {"controller":"document","action":"get","index":"nyc","collection":"taxi","_id":"big","requestId":"g"}
log /websocket peer takes nothing, \d+ bytes owed/
b> NOW
b< {"status":200}


=== TEST 7: a client that ends its stream with queries in flight: what was accepted is done
--- ws
START
open b
open a
stop writer
times 30 a> CREATE
fin a
a<gone
b> NOW
b< {"status":200}
cont writer
http POST /nyc/taxi/last/_create {}
http POST /nyc/taxi/_count => {"result":{"count":31}}


=== TEST 8: clients that leave with a reset, queries in flight: the workers live
--- ws
START
times 10 open a$i
times 10 a$i> CREATE
times 10 a$i> {"controller":"document","action":"search","index":"nyc","collection":"taxi","body":{},"requestId":"s"}
times 10 a$i> SUBSCRIBE
times 10 drop a$i
open b
b> NOW
b< {"status":200}
b> SUBSCRIBE
b< {"status":200} {room=result.roomId}
sleep 0.1
b> {"controller":"realtime","action":"count","body":{"roomId":"$room"},"requestId":"c"}
b<~ {"room":"c","result":{"count":1}}


=== TEST 9: a reload: open sockets are served until kuzzle_drain is over, then 1001
--- http_config
kuzzle_drain 1s;
--- ws
START
times 10 open a$i
times 10 a$i> NOW
times 10 a$i< {"status":200}
reload
open b
times 10 a$i> CREATE
times 10 a$i< {"status":200,"room":"c$i"}
times 10 a$i<close 1001 /going away/
times 10 a$i<eof
b> NOW
b< {"status":200}
http POST /nyc/taxi/_count => {"result":{"count":10}}


=== TEST 10: two reloads at once
--- http_config
kuzzle_drain 800ms;
--- ws
open a
reload
open b
reload
open c
a> NOW
a< {"status":200}
b> NOW
b< {"status":200}
a<close 1001
b<close 1001
c> NOW
c< {"status":200}


=== TEST 11: kuzzle_drain 0: 1001 at once
--- http_config
kuzzle_drain 0;
--- ws
open a
open b
reload
a< in=0.7 close 1001
a<eof
b<close 1001
open c
c> NOW
c< {"status":200}


=== TEST 12: a peer that does not answer the close frame is cut off
--- http_config
kuzzle_drain 0;
--- ws
open a auto=0
reload
a<close 1001
a! 1
a<eof


=== TEST 13: worker_shutdown_timeout ends the drain
--- main_config
worker_shutdown_timeout 600ms;
--- http_config
kuzzle_drain 1h;
--- ws
open a
reload
a> NOW
a< {"status":200}
a! 0.2
a<close 1001
a<gone
open b
b> NOW
b< {"status":200}


=== TEST 14: quit: the same drain; afterwards the port is free
--- http_config
kuzzle_drain 200ms;
--- ws
START
open a
times 1 a> CREATE
a< {"status":200}
restart QUIT
a<close 1001
http POST /nyc/taxi/_count => {"result":{"count":1}}
open b
b> NOW
b< {"status":200}


=== TEST 15: terminate: no drain, no alert
--- http_config
kuzzle_drain 1h;
--- ws
open a
a> SUBSCRIBE
a< {"status":"*number"}
restart TERM
a<~ gone
open b
b> NOW
b< {"status":200}


=== TEST 16: a killed worker takes its sockets with it, not the others
--- kills
--- ws
START
open a
open b apart=a
b> SUBSCRIBE
b< {"status":200}
kill worker of a
a<gone
b> NOW
b< {"status":200}
workers
http POST /nyc/taxi/_publish {"n":1}
b< {"result":{"_source":{"n":1}}}
open c apart=b
c> NOW
c< {"status":200}


=== TEST 17: no more than kuzzle_max_pending queries are taken, the rest waits its turn
--- http_config
kuzzle_max_pending 4;
--- ws
START
open a
open b
stop writer
times 20 a> CREATE
a> {"p":1}
b> {"p":1}
b< text {"p":2}
a! 0.3
cont writer
times 20 a<~ {"status":200,"room":"c$i"}
a< text {"p":2}
http POST /nyc/taxi/_count => {"result":{"count":20}}


=== TEST 18: below that limit a ping overtakes what waits for the writer
--- ws
START
open a
stop writer
times 20 a> CREATE
a> {"p":1}
a< text {"p":2}
a! 0.2
cont writer
times 20 a<~ {"status":200,"room":"c$i"}


=== TEST 19: a socket that closes while its writes wait ends in order
--- ws
START
open a
stop writer
times 5 a> CREATE
close a
cont writer
http POST /nyc/taxi/last/_create {}
http POST /nyc/taxi/_count => {"result":{"count":6}}


=== TEST 20: a reload with a socket whose peer does not read
--- http_config
kuzzle_drain 300ms;
kuzzle_send_queue 20m;
--- ws
START
http PUT /nyc/taxi/big {"x":"<<repeat:1000000:x>>"}
open a
times 10 a> {"controller":"document","action":"get","index":"nyc","collection":"taxi","_id":"big","requestId":"g"}
reload
open b
b> NOW
b< {"status":200}
log /worker process \d+ exited with code 0/


=== TEST 21: large answers that were asked for do not make a client too slow
--- ws
START
http PUT /nyc/taxi/big {"x":"<<repeat:1000000:x>>"}
open a
times 12 a> {"controller":"document","action":"get","index":"nyc","collection":"taxi","_id":"big","requestId":"g$i"}
sleep 0.5
times 12 a<~ in=9 {"status":200,"requestId":"g$i"}
