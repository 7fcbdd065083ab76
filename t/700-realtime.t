# Controller realtime: subscriptions, notifications, counts, over two workers.

use Test::Nginx::Kuzzle;

our $start = <<'END';
http POST /nyc/_create
http PUT /nyc/taxi
http PUT /nyc/bus
open a
open b apart=a
END

add_block_preprocessor(sub {
    my ($block) = @_;
    my $ws = $block->ws;
    return unless defined $ws;
    $ws =~ s/^START\n/$main::start/;
    $ws =~ s/^(\w+) subscribes ?(\{.*?\})?(?: with (.*?))?(?: as (\w+))?$/
        subscribe($1, $2, $3, $4)/gme;
    $block->set_value('ws', $ws);
});

# "a subscribes FILTER with OPTIONS as x": $x_room and $x_channel

sub subscribe {
    my ($client, $filter, $options, $name) = @_;
    $filter ||= '{}';
    $options = $options ? ",$options" : '';
    my $take = $name ? " {${name}_room=result.roomId,"
        . " ${name}_channel=result.channel}" : '';
    return qq($client> {"controller":"realtime","action":"subscribe",)
        . qq("index":"nyc","collection":"taxi","body":$filter,)
        . qq("requestId":"sub"$options}\n)
        . qq($client< {"room":"sub","status":200}$take);
}

run_tests();

__DATA__

=== TEST 1: a document written through one worker notifies a client of the other (1)
--- ws
START
a subscribes {"equals":{"city":"Paris"}} as s
b> {"controller":"document","action":"create","index":"nyc","collection":"taxi","_id":"t1","body":{"city":"Paris"},"requestId":"w1","volatile":{"from":"b"}}
b< {"room":"w1","status":200}
a< {"type":"document","action":"create","controller":"document","scope":"in",
 "state":"done","status":200,"requestId":"w1","index":"nyc","collection":"taxi",
 "protocol":"websocket","timestamp":"*number","volatile":{"from":"b"},
 "room":"$s_channel","result":{"_id":"t1","_source":{"city":"Paris",
 "_kuzzle_info":{"author":"-1","active":true}},"_meta":{"active":true}},
 "-":["event","node"]}
b! 0.1


=== TEST 2: the same in generation 2
--- ws
START
a subscribes {"equals":{"city":"Paris"}} with "volatile":{"sdkName":"js@7.0.0"} as s
http POST /nyc/taxi/t1/_create {"city":"Paris"}
a< {"type":"document","action":"create","controller":"document","scope":"in",
 "event":"write","status":200,"requestId":"*string","protocol":"http",
 "volatile":null,"room":"$s_channel","result":{"_id":"t1","_version":1,
 "_source":{"city":"Paris","_kuzzle_info":{"author":"-1","-":["active"]}},
 "-":["_meta"]},"-":["state"]}


=== TEST 3: what does not match does not arrive: other value, collection, index
--- ws
START
http POST /other/_create
http PUT /other/taxi
a subscribes {"equals":{"city":"Paris"}}
http POST /nyc/taxi/_create {"city":"London"}
http POST /nyc/bus/_create {"city":"Paris"}
http POST /other/taxi/_create {"city":"Paris"}
http POST /nyc/taxi/_create {"town":"Paris"}
a! 0.3
http POST /nyc/taxi/last/_create {"city":"Paris"}
a< {"result":{"_id":"last"}}


=== TEST 4: entering and leaving the scope by update and replace, leaving by delete
--- ws
START
a subscribes {"range":{"n":{"gt":10}}}
http POST /nyc/taxi/t/_create {"n":1}
a! 0.1
http PUT /nyc/taxi/t/_update {"n":11}
a< {"action":"update","scope":"in","result":{"_id":"t","_source":{"n":11},"_updatedFields":["n"]}}
http PUT /nyc/taxi/t/_update {"m":1}
a< {"action":"update","scope":"in","result":{"_updatedFields":["m"]}}
http PUT /nyc/taxi/t/_update {"n":2}
a< {"action":"update","scope":"out","result":{"_id":"t","-":["_source"]}}
http PUT /nyc/taxi/t/_update {"n":3}
a! 0.1
http PUT /nyc/taxi/t {"n":20}
a< {"action":"replace","scope":"in"}
http PUT /nyc/taxi/t/_replace {"n":0}
a< {"action":"replace","scope":"out"}
http PUT /nyc/taxi/t {"n":30}
a< {"scope":"in"}
http DELETE /nyc/taxi/t
a< {"action":"delete","scope":"out","result":{"_id":"t","_meta":{"active":false},"-":["_source"]}}


=== TEST 5: leaving in generation 2 brings the document
--- ws
START
a subscribes {"range":{"n":{"gt":10}}} with "volatile":{"sdkName":"js@7"}
http POST /nyc/taxi/t/_create {"n":11}
a< {"scope":"in"}
http PUT /nyc/taxi/t/_update {"n":1,"x":{"y":2}}
a< {"action":"update","scope":"out","event":"write","result":{"_id":"t","_source":{"n":1,"x":{"y":2}}}}
http PUT /nyc/taxi/t {"n":12}
a< {"scope":"in"}
http DELETE /nyc/taxi/t
a< {"action":"delete","scope":"out","event":"delete","result":{"_id":"t","_source":{"n":12}}}


=== TEST 6: scope and the channel: in, out, none
--- ws
START
a subscribes {"exists":"n"} with "scope":"in" as in
a subscribes {"exists":"n"} with "scope":"out" as out
a subscribes {"exists":"n"} with "scope":"none" as none
http POST /nyc/taxi/t/_create {"n":1}
a< {"scope":"in","room":"$in_channel"}
a! 0.1
http DELETE /nyc/taxi/t
a< {"scope":"out","room":"$out_channel"}
a! 0.1


=== TEST 7: the same filter, written otherwise, is the same room, in both workers
--- ws
START
a subscribes {"and":[{"equals":{"a":1}},{"exists":"b"}]} as x
a subscribes {"and":[{"exists":{"field":"b"}},{"equals":{"a":1.0}}]} as y
b subscribes {"not":{"or":[{"missing":"b"},{"not":{"equals":{"a":1}}}]}} as z
b> {"controller":"realtime","action":"count","body":{"roomId":"$x_room"},"requestId":"c"}
b< {"result":{"count":2}}
b> {"controller":"realtime","action":"count","body":{"roomId":"$y_room"},"requestId":"c"}
b< {"result":{"count":2}}
b> {"controller":"realtime","action":"count","body":{"roomId":"$z_room"},"requestId":"c"}
b< {"result":{"count":2}}


=== TEST 8: one notification, however often one subscribes to the same channel
--- ws
START
a subscribes {"exists":"n"} as x
a subscribes {"exists":"n"} as y
a> {"controller":"realtime","action":"count","body":{"roomId":"$x_room"},"requestId":"c"}
a< {"result":{"count":1}}
http POST /nyc/taxi/t/_create {"n":1}
a< {"room":"$x_channel"}
a! 0.2


=== TEST 9: unsubscribe: a text in 1.x, an object in 2.x; nothing arrives after
--- ws
START
a subscribes {} as x
b subscribes {} with "volatile":{"sdkName":"js@7"} as y
a> {"controller":"realtime","action":"unsubscribe","body":{"roomId":"$x_room"},"requestId":"u"}
a< {"status":200,"result":"$x_room"}
b> {"controller":"realtime","action":"unsubscribe","body":{"roomId":"$y_room"},"requestId":"u"}
b< {"status":200,"result":{"roomId":"$y_room"}}
http POST /nyc/taxi/t/_create {"n":1}
a! 0.2
b! 0.1
a> {"controller":"realtime","action":"unsubscribe","body":{"roomId":"$x_room"},"requestId":"u"}
a< {"status":412,"error":{"id":"core.realtime.not_subscribed"}}
a> {"controller":"realtime","action":"count","body":{"roomId":"$x_room"},"requestId":"c"}
a< {"status":404,"error":{"id":"core.realtime.room_not_found"}}
b> {"controller":"realtime","action":"count","body":{"roomId":"$x_room"},"requestId":"c"}
b< {"status":200,"result":{"count":0}}


=== TEST 10: publish, from HTTP and from a socket, with and without an id
--- ws
START
a subscribes {"equals":{"n":1}}
http POST /nyc/taxi/_publish {"n":1} => {"result":{"published":true}}
a< {"type":"document","action":"publish","controller":"realtime","scope":"in",
 "protocol":"http","result":{"_id":null,"_source":{"n":1,"_kuzzle_info":{"author":"-1","createdAt":"*number"}}}}
b> {"controller":"realtime","action":"publish","index":"nyc","collection":"taxi","_id":"pid","body":{"n":1},"requestId":"p","volatile":{"v":1}}
b< {"result":{"published":true}}
a< {"action":"publish","volatile":{"v":1},"result":{"_id":"pid"}}
http POST /nyc/taxi/_publish {"n":2}
a! 0.2
http GET /nyc/taxi/pid/_exists => {"result":false}


=== TEST 11: publish in generation 2, seen by both generations
--- ws
START
a subscribes {}
b subscribes {} with "volatile":{"sdkName":"js@7"}
b> {"controller":"realtime","action":"publish","index":"nyc","collection":"taxi","body":{"n":1},"requestId":"p"}
a< {"action":"publish","state":"done","-":["event"]}
b<~ {"room":"p","result":{"published":true}}
b<~ {"action":"publish","event":"publish","-":["state"]}


=== TEST 12: order per document is kept
--- ws
START
a subscribes {}
times 30 b> {"controller":"document","action":"createOrReplace","index":"nyc","collection":"taxi","_id":"x","body":{"n":$i},"requestId":"r$i"}
times 30 a< {"requestId":"r$i","result":{"_source":{"n":$i}}}


=== TEST 13: silent writes are silent
--- ws
START
a subscribes {}
http POST /nyc/taxi/t/_create?silent {"n":1}
a! 0.2
http PUT /nyc/taxi/t {"n":2}
a< {"action":"replace"}


=== TEST 14: users: who enters, who leaves, with the subscriber's volatile
--- ws
START
a subscribes {} with "users":"all" as s
b subscribes {} with "volatile":{"who":"b"}
a< {"type":"user","user":"in","action":"subscribe","controller":"realtime",
 "room":"$s_channel","result":{"count":2},"volatile":{"who":"b"},"-":["requestId"]}
b> {"controller":"realtime","action":"unsubscribe","body":{"roomId":"$s_room"},"requestId":"u"}
b< {"room":"u"}
a< {"type":"user","user":"out","action":"unsubscribe","result":{"count":1},"volatile":{"who":"b"}}
b subscribes {} with "volatile":{"who":"b2"}
a< {"user":"in","result":{"count":2}}
drop b
a< {"user":"out","result":{"count":1},"volatile":{"who":"b2"}}


=== TEST 15: bad options and filters, in each generation's words
--- ws
START
a> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{},"scope":"some","requestId":"1"}
a< {"status":400,"error":{"id":"core.realtime.invalid_scope"}}
a> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{},"users":"some","requestId":"1"}
a< {"status":400,"error":{"id":"core.realtime.invalid_users"}}
a> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{},"state":"some","requestId":"1"}
a< {"status":400,"error":{"id":"core.realtime.invalid_state"}}
a> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{"nothere":{"a":1}},"requestId":"1"}
a< {"status":400,"error":{"message":"Unknown DSL keyword: nothere","-":["id","code"]}}
b> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{"nothere":{"a":1}},"requestId":"1","volatile":{"sdkName":"js@7"}}
b< {"status":400,"error":{"id":"api.assert.koncorde_dsl_error","message":"\"nothere\": unknown keyword"}}
b> {"controller":"realtime","action":"subscribe","index":"nyc","body":{},"requestId":"1"}
b< {"status":400,"error":{"message":"Missing argument \"collection\"."}}
b> {"controller":"realtime","action":"unsubscribe","body":{},"requestId":"1"}
b< {"status":400,"error":{"message":"Missing argument \"body.roomId\"."}}
b> {"controller":"realtime","action":"unsubscribe","requestId":"1"}
b< {"status":400,"error":{"id":"api.assert.body_required"}}


=== TEST 16: filters: in, ids, exists, missing, range, and, or, not, bool
--- ws
START
a subscribes {"in":{"c":["x","y"]}} as in
a subscribes {"ids":{"values":["doc"]}} as ids
a subscribes {"missing":"c"} as missing
a subscribes {"bool":{"must":[{"exists":"c"}],"must_not":[{"equals":{"c":"x"}}]}} as bool
a subscribes {"exists":"t[\"q\"]"} as array
http POST /nyc/taxi/_publish {"c":"x"}
a< {"room":"$in_channel"}
a! 0.1
http POST /nyc/taxi/_publish {"c":"z"}
a< {"room":"$bool_channel"}
a! 0.1
http POST /nyc/taxi/_publish {"n":1}
a< {"room":"$missing_channel"}
a! 0.1
http POST /nyc/taxi/_publish {"c":"x","t":["p","q"]}
a<~ {"room":"$array_channel"}
a<~ {"room":"$in_channel"}
a! 0.1
http POST /nyc/taxi/doc/_create {"c":"x"}
a<~ {"room":"$ids_channel"}
a<~ {"room":"$in_channel"}
a! 0.1


=== TEST 17: a killed worker's clients leave the counts; the others go on
--- kills
--- ws
START
a subscribes {} as s
b subscribes {}
a> {"controller":"realtime","action":"count","body":{"roomId":"$s_room"},"requestId":"c"}
a< {"result":{"count":2}}
kill worker of b
b<gone
workers
sleep 0.2
a> {"controller":"realtime","action":"count","body":{"roomId":"$s_room"},"requestId":"c"}
a< {"result":{"count":1}}
times 10 http POST /nyc/taxi/_publish {"n":$i}
times 10 a< {"action":"publish","result":{"_source":{"n":$i}}}
open c apart=a
c subscribes {}
times 10 a> {"controller":"realtime","action":"publish","index":"nyc","collection":"taxi","body":{"n":$i},"requestId":"p"}
times 10 c< {"action":"publish","result":{"_source":{"n":$i}}}


=== TEST 18: across a reload old and new workers hear each other, then 1001
--- http_config
kuzzle_drain 1500ms;
--- ws
START
a subscribes {} as s
b subscribes {}
reload
open c
c subscribes {}
c> {"controller":"realtime","action":"count","body":{"roomId":"$s_room"},"requestId":"c"}
c< {"result":{"count":3}}
http POST /nyc/taxi/t1/_create {"n":1}
a< {"result":{"_id":"t1"}}
b< {"result":{"_id":"t1"}}
c< {"result":{"_id":"t1"}}
a> {"controller":"document","action":"create","index":"nyc","collection":"taxi","_id":"t2","body":{},"requestId":"w"}
a<~ {"room":"w","status":200}
a<~ {"result":{"_id":"t2"},"type":"document"}
b< {"result":{"_id":"t2"}}
c< {"result":{"_id":"t2"}}
a> {"controller":"realtime","action":"publish","index":"nyc","collection":"taxi","body":{"p":1},"requestId":"p"}
c< {"action":"publish"}
b< {"action":"publish"}
a<~ {"room":"p"}
a<~ {"action":"publish","type":"document"}
a<close 1001
b<close 1001
sleep 0.3
c> {"controller":"realtime","action":"count","body":{"roomId":"$s_room"},"requestId":"c"}
c< {"result":{"count":1}}
