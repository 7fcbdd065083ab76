# server:getStats, getLastStats, getAllStats, metrics.

use Test::Nginx::Kuzzle;
use Test::Nginx::Kuzzle::Load 'ask_all';
use Test::Nginx::Process qw(worker_pids);
use Time::HiRes qw(sleep time);

# A section "counts" names a function below.

Test::Nginx::Socket::add_block_action(counts => sub {
    my ($block, $server) = @_;
    my ($function) = $block->counts =~ /(\w+)/;
    no strict 'refs';
    &{"main::$function"}($block->name, $server);
});

run_tests();


sub get {
    my ($server, $path, $method, $body) = @_;

    my ($r) = ask_all($server->port, [{ method => $method || 'GET',
        path => $path, body => $body }]);
    return json_decode($r->{content});
}


sub hits { return @{get(@_)->{result}{hits}} }


# Of a list of frames.

sub sum {
    my ($kind, $protocol, @frames) = @_;

    my $sum = 0;
    $sum += $_->{$kind}{$protocol} || 0 for @frames;
    return $sum;
}


# One frame an interval, over all workers; each request is in one of them.

sub frames {
    my ($name, $server) = @_;

    my $done = 0;
    my $end = time + 2.6;

    while (time < $end) {
        ask_all($server->port, [(map { { method => 'GET',
            path => '/_now' } } 1 .. 10), { method => 'GET',
            path => '/nope' }]);
        $done++;
        sleep 0.05;
    }

    sleep 0.7;
    my @frames = hits($server, '/_getAllStats');

    is(sum('completedRequests', 'http', @frames), 10 * $done,
        "$name - every completed request is in one frame");
    is(sum('failedRequests', 'http', @frames), $done,
        "$name - and every failed one");
    ok(@frames >= 5 && @frames <= 7, "$name - " . @frames
        . ' frames in 3.3 s');

    my @gaps = map { $frames[$_]{timestamp} - $frames[$_ - 1]{timestamp} }
        1 .. $#frames;
    is((grep { $_ < 350 || $_ > 900 } @gaps), 0, "$name - regular ones")
        or diag("@gaps");

    my $last = get($server, '/_getLastStats')->{result};
    ok($last->{timestamp} >= $frames[-1]{timestamp},
        "$name - the last one");

    # inclusive, at both ends, in numbers and dates
    my ($from, $to) = ($frames[1]{timestamp}, $frames[3]{timestamp});
    my @some = hits($server, "/_getStats?startTime=$from&stopTime=$to");
    is_deeply(\@some, [@frames[1 .. 3]], "$name - from one to another");

    @some = hits($server, '/_getStats?startTime=' . iso($from)
        . '&stopTime=' . iso($to));
    is_deeply(\@some, [@frames[1 .. 3]], "$name - the same as dates");

    @some = hits($server, '/_getStats', 'POST',
        qq({"startTime":$from,"stopTime":$to}));
    is_deeply(\@some, [@frames[1 .. 3]], "$name - the same in a body");

    is(scalar(hits($server, '/_getStats?stopTime=' . ($from - 1))), 1,
        "$name - until just before the second");
    my $r = get($server, '/_getStats?stopTime=1')->{result};
    is_deeply($r, { hits => [], total => 0 }, "$name - none is that old");
}


sub iso {
    my ($ms) = @_;

    my @t = gmtime int($ms / 1000);
    return sprintf '%d-%02d-%02dT%02d:%02d:%02d.%03dZ', $t[5] + 1900,
        $t[4] + 1, @t[3, 2, 1, 0], $ms % 1000;
}


# They are kept for stats_ttl, over a reload and a killed worker.

sub kept {
    my ($name, $server) = @_;

    ask_all($server->port, [map { { method => 'GET', path => '/_now' } }
        1 .. 25]);
    sleep 0.5;

    my @before = hits($server, '/_getAllStats');
    is(sum('completedRequests', 'http', @before), 25, "$name - at first");

    $server->reload;
    kill KILL => (worker_pids($server->pid))[0];
    sleep 0.6;

    my @after = hits($server, '/_getAllStats');
    is_deeply([@after[0 .. $#before]], \@before,
        "$name - a reload and a killed worker");
    is(sum('completedRequests', 'http', @after[@before .. $#after]), 1,
        "$name - and nothing was counted again");

    sleep 2;
    my @late = hits($server, '/_getAllStats');
    ok($late[0]{timestamp} > $before[-1]{timestamp},
        "$name - until their time is over");
    ok(@late >= 6 && @late <= 12, "$name - " . @late . ' are kept');
}

__DATA__

=== TEST 1: before the first frame: the one that runs, generation 1
--- request eval
["GET /nope", "GET /_now", "GET /_getLastStats", "GET /_getStats", "GET /_getAllStats"]
--- kuzzle_reply
{"status":404}
null
{"result":{"connections":{"http":1},"ongoingRequests":{"http":1},"completedRequests":{"http":1},"failedRequests":{"http":1},"timestamp":"*number"}}
{"result":{"hits":[{"completedRequests":{"http":2}}],"total":1}}
{"result":{"hits":[{"completedRequests":{"http":3}}],"total":1}}


=== TEST 2: members in the order of generation 1
--- request
GET /_getAllStats
--- response_body_like eval
qr/"result":\{"hits":\[\{"connections":\{"http":1\},"ongoingRequests":\{"http":1\},"completedRequests":\{\},"failedRequests":\{\},"timestamp":\d{13}\}\],"total":1\}\}$/


=== TEST 3: and of generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- request
GET /_getLastStats
--- response_body_like eval
qr/"result":\{"timestamp":\d{13},"completedRequests":\{\},"connections":\{"http":1\},"failedRequests":\{\},"ongoingRequests":\{"http":1\}\},"status":200/


=== TEST 4: times that are none are refused
--- request eval
["GET /_getStats?startTime=yesterday", "GET /_getStats?stopTime=2020-13-01",
 "GET /_getStats?startTime=1&stopTime=0x10", "GET /_getStats?startTime=2020-01-01T25:00"]
--- kuzzle_error
400 api.assert.invalid_argument ~startTime
400 api.assert.invalid_argument ~stopTime
400 api.assert.invalid_argument ~stopTime
400 api.assert.invalid_argument ~startTime


=== TEST 5: nothing starts in the future
--- request eval
["GET /_getStats?startTime=99999999999999", "GET /_getStats?startTime=9999-01-01",
 "GET /_getStats?startTime=2020-01-01T00:00:00%2B02:00", "GET /_getStats?startTime="]
--- kuzzle_reply
{"result":{"hits":[],"total":0}}
{"result":{"hits":[],"total":0}}
{"result":{"total":1}}
{"result":{"total":1}}


=== TEST 6: over WebSocket the times are members of the query
--- ws
open a
a> {"controller":"server","action":"getStats","startTime":99999999999999}
a< {"status":200,"result":{"hits":[],"total":0}}
a> {"controller":"server","action":"getStats","startTime":"x"}
a< {"status":400,"error":{"id":"api.assert.invalid_argument"}}
a> {"controller":"server","action":"getLastStats"}
a< {"result":{"connections":{"websocket":1},"ongoingRequests":{"websocket":1},"completedRequests":{"websocket":1},"failedRequests":{"websocket":1}}}


=== TEST 7: metrics
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- ws
http GET /_metrics => 200 {"result":{"api":{"concurrentRequests":1,"pendingRequests":0},"network":{"connections":{"http":1}},"realtime":{"rooms":0,"subscriptions":0}}}
http POST /nyc/_create
http PUT /nyc/taxi
open a
open b apart=a
a> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{}}
a< {"status":200}
b> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{},"users":"all"}
b< {"status":200}
b> {"controller":"realtime","action":"subscribe","index":"nyc","collection":"taxi","body":{"exists":"a"}}
b< {"status":200}
http GET /_metrics => 200 {"result":{"network":{"connections":{"http":1,"websocket":2}},"realtime":{"rooms":2,"subscriptions":3}}}
close b
close a
sleep 0.2
http GET /_metrics => 200 {"result":{"network":{"connections":{"http":1}},"realtime":{"rooms":0,"subscriptions":0}}}


=== TEST 8: frames
--- kuzzle_config
    stats_interval 500ms;
--- counts: frames


=== TEST 9: frames are kept
--- kills
--- kuzzle_config
    stats_interval 200ms;
    stats_ttl 2s;
--- counts: kept


=== TEST 10: an interval that would be all there is to do
--- kuzzle_config
    stats_interval 10ms;
--- must_die
--- error_log
"stats_interval" must be at least 100ms
