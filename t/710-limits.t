# The limits of realtime and of the store: refused at once, by name, and the
# rest goes on.

use Test::Nginx::Kuzzle;

our $start = <<'END';
http POST /nyc/_create
http PUT /nyc/taxi
open a
END

add_block_preprocessor(sub {
    my ($block) = @_;
    my $ws = $block->ws;
    return unless defined $ws;
    $ws =~ s/^START\n/$main::start/;
    $ws =~ s/^(\w+) subscribes (\{.*\})$/$1> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":$2,"requestId":"s"}/gm;
    $block->set_value('ws', $ws);
});

run_tests();

__DATA__

=== TEST 1: rooms of one client: the next is refused, a known one is not
--- config
location / {
    kuzzle;
    kuzzle_max_subscriptions 2;
}
--- ws
START
a subscribes {"equals":{"n":1}}
a< {"status":200} {room=result.roomId}
a subscribes {"equals":{"n":2}}
a< {"status":200}
a subscribes {"equals":{"n":3}}
a< {"status":413,"error":{"id":"core.realtime.too_many_rooms"}}
a subscribes {"equals":{"n":1}}
a< {"status":200}
http POST /nyc/taxi/_publish {"n":3}
a! 0.1
http POST /nyc/taxi/_publish {"n":2}
a< {"result":{"_source":{"n":2}}}
a> {"controller":"realtime","action":"unsubscribe","body":{"roomId":"$room"},"requestId":"u"}
a< {"status":200}
a subscribes {"equals":{"n":3}}
a< {"status":200}
open b
b subscribes {"equals":{"n":4}}
b< {"status":200}


=== TEST 2: rooms of the whole server, over all workers
--- kuzzle_config
    subscription_rooms 2;
--- ws
START
open b apart=a
a subscribes {"equals":{"n":1}}
a< {"status":200}
b subscribes {"equals":{"n":2}}
b< {"status":200}
b subscribes {"equals":{"n":3}}
b< {"status":413,"error":{"id":"core.realtime.too_many_rooms"}}
b subscribes {"equals":{"n":1}}
b< {"status":200}
close a
b> {"controller":"server","action":"now","requestId":"n"}
b< {"status":200}
b subscribes {"equals":{"n":2}}
b< {"status":200}


=== TEST 3: conditions and minterms of a filter
--- kuzzle_config
    subscription_conditions 3;
    subscription_minterms 2;
--- ws
START
a subscribes {"and":[{"exists":"a"},{"exists":"b"},{"exists":"c"}]}
a< {"status":200}
a subscribes {"and":[{"exists":"a"},{"exists":"b"},{"exists":"c"},{"exists":"d"}]}
a< {"status":"~^4","error":{"message":"~[Cc]ondition|maximum"}}
a subscribes {"or":[{"exists":"a"},{"exists":"b"},{"exists":"c"}]}
a< {"status":413,"error":{"id":"core.realtime.too_many_terms"}}


=== TEST 4: operations in flight: 503 at once, and service afterwards
--- kuzzle_config
    store_pending 3;
--- ws
START
stop writer
times 5 a> {"controller":"document","action":"create","index":"nyc","collection":"taxi","body":{},"requestId":"c$i"}
a<~ in=1 {"requestId":"c3","status":503,"error":{"id":"api.process.overloaded"}}
a<~ in=1 {"requestId":"c4","status":503,"error":{"id":"api.process.overloaded"}}
cont writer
a<~ {"requestId":"c0","status":200}
a<~ {"requestId":"c1","status":200}
a<~ {"requestId":"c2","status":200}
http POST /nyc/taxi/_count => {"result":{"count":3}}


=== TEST 5: a search over its time budget is ended, and says so
--- kuzzle_config
    query_timeout 1ms;
--- ws
http POST /nyc/_create
http PUT /nyc/taxi {"dynamic":"true"}
times 20 http POST /nyc/taxi/_create {"s":"<<repeat:450000:x >>"}
http POST /nyc/taxi/_count {"query":{"bool":{"must_not":[{"match":{"s":"y"}}]}}}
 => 504 {"error":{"id":"services.storage.query_timeout"}}
http POST /nyc/taxi/_search {"query":{"bool":{"must_not":[{"term":{"s":"y"}}]}}}
 => 504 {"error":{"id":"services.storage.query_timeout"}}
http GET /_now
http POST /nyc/taxi/_create {"n":1}
