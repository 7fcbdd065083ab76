# kuzzle_status: what Prometheus reads, and whether the numbers are right,
# over workers, reloads and killed workers.

use FindBin;
use IPC::Open2;
use Test::Nginx::Kuzzle;
use Test::Nginx::Kuzzle::Load 'ask_all';
use Test::Nginx::Kuzzle::WS;
use Test::Nginx::Process qw(child_pids owner_of worker_pids);
use Time::HiRes qw(sleep time);

# Blocks that say nothing else.

add_block_preprocessor(sub {
    my ($block) = @_;
    $block->set_value('config', <<'END') if $block->config !~ /kuzzle_status/;
location / {
    kuzzle;
}
location = /metrics {
    kuzzle_status;
}
END
});

# A section "counts" names a function below.

Test::Nginx::Socket::add_block_action(counts => sub {
    my ($block, $server) = @_;
    my ($function) = $block->counts =~ /(\w+)/;
    no strict 'refs';
    &{"main::$function"}($block->name, $server);
});

run_tests();


# The metrics, as a reference parser sees them: { name => { labels => n } },
# labels as "a=1,b=2" in alphabetical order.

sub metrics {
    my ($server) = @_;

    my ($r) = ask_all($server->port, [{ method => 'GET',
        path => '/metrics' }]);
    die "no metrics: $r->{outcome}\n" if ($r->{status} || 0) != 200;

    my $pid = open2(my $out, my $in,
        '/usr/bin/python3', "$FindBin::Bin/prometheus.py");
    print $in $r->{content};
    close $in;
    my $json = do { local $/; <$out> };
    waitpid $pid, 0;
    die "the parser refuses:\n$r->{content}\n" if $?;

    my %m;
    my $parsed = json_decode($json);
    for my $sample (@{$parsed->{samples}}) {
        my ($name, $labels, $n) = @$sample;
        $m{$name}{join ',', map { "$_=$labels->{$_}" } sort keys %$labels}
            = $n;
    }
    $m{types} = $parsed->{types};
    return \%m;
}


# Requests of an action, over all statuses unless one is given.

sub requests {
    my ($m, $protocol, $action, $status) = @_;

    my ($c, $a) = split /:/, $action;
    my $sum = 0;
    for my $labels (keys %{$m->{kuzzle_requests_total}}) {
        $sum += $m->{kuzzle_requests_total}{$labels}
            if $labels =~ /^action=$a,controller=$c,protocol=$protocol,/
                && (!$status || $labels =~ /,status=$status$/);
    }
    return $sum;
}


sub ask {
    my ($server, $n, $method, $path, $body) = @_;

    return ask_all($server->port, [map { { method => $method, path => $path,
        body => $body } } 1 .. $n]);
}


sub socket_on {
    my ($server) = @_;

    my $ws = Test::Nginx::Kuzzle::WS->connect(port => $server->port,
        timeout => 3);
    die "no 101\n" if $ws->status != 101;
    return $ws;
}


sub query {
    my ($ws, $json) = @_;

    $ws->send_text($json);
    for (;;) {
        my $e = $ws->next_event(5) or die "no answer\n";
        die "closed\n" if $e->{type} ne 'text';
        return $e->{payload} if $e->{payload} =~ /"requestId"/;
    }
}


sub sums {
    my ($name, $server) = @_;

    my $none = metrics($server);
    is_deeply([values %{$none->{kuzzle_build_info}}], [1],
        "$name - build info");
    is(requests($none, 'http', '\w+:\w+'), 0, "$name - the page itself is"
        . ' no request');

    ask($server, 30, 'GET', '/_now');
    ask($server, 5, 'GET', '/_listen');
    ask($server, 1, 'POST', '/nyc/_create');
    ask($server, 1, 'PUT', '/nyc/taxi');
    ask($server, 4, 'GET', '/nyc/taxi/nobody');
    ask($server, 7, 'POST', '/nyc/taxi/_create', '{"a":1}');
    my @ws = map { socket_on($server) } 1 .. 4;
    query($_, '{"controller":"server","action":"now"}') for @ws, @ws;
    query($ws[0], '{"controller":"realtime","action":"subscribe",'
        . '"index":"nyc","collection":"taxi","body":{}}');
    query($ws[1], '{"controller":"realtime","action":"subscribe",'
        . '"index":"nyc","collection":"taxi","body":{}}');
    query($ws[1], '{"controller":"realtime","action":"subscribe",'
        . '"index":"nyc","collection":"taxi","users":"all",'
        . '"body":{"exists":"a"}}');
    ask($server, 3, 'POST', '/nyc/taxi/_publish', '{"b":1}');

    my $m = metrics($server);

    is(requests($m, 'http', 'server:now', 200), 30, "$name - GET /_now");
    is(requests($m, 'http', 'document:get', 404), 4, "$name - not found");
    is(requests($m, 'http', 'document:create', 200), 7, "$name - created");
    is(requests($m, 'http', 'unknown:unknown', 404), 5, "$name - no route");
    is(requests($m, 'websocket', 'server:now', 200), 8, "$name - WebSocket");
    is(requests($m, 'http', '\w+:\w+'), 51, "$name - all of HTTP");

    my $d = $m->{kuzzle_request_duration_seconds_count};
    is($d->{'controller=server,protocol=http'}, 30, "$name - durations");
    is($d->{'controller=document,protocol=http'}, 11, "$name - of documents");

    my $s = $m->{kuzzle_store_operations_total};
    is($s->{'operation=document_get,result=not_found'}, 4, "$name - reads");
    is($s->{'operation=document_create,result=ok'}, 7, "$name - writes");
    is($m->{kuzzle_store_duration_seconds_count}{'operation=document_create'},
        7, "$name - and how long they took");
    is($m->{kuzzle_store_pending}{"kind=$_"}, 0, "$name - no $_ is pending")
        for 'read', 'write';
    is($m->{kuzzle_writer_operations_total}{''} >= 7, 1, "$name - commits");
    is($m->{kuzzle_writer_queue_operations}{''}, 0, "$name - no queue");

    is($m->{kuzzle_connections}{'protocol=websocket'}, 4, "$name - sockets");
    is($m->{kuzzle_connections}{'protocol=http'}, 0, "$name - no request");
    is($m->{kuzzle_connections_accepted_total}{'protocol=websocket'}, 4,
        "$name - sockets were opened");
    is($m->{kuzzle_received_messages_total}{'protocol=websocket'}, 11,
        "$name - messages in");
    ok($m->{kuzzle_received_bytes_total}{'protocol=websocket'} > 11 * 40,
        "$name - bytes in");
    ok($m->{kuzzle_sent_bytes_total}{'protocol=websocket'} > 11 * 100,
        "$name - bytes out");
    is($m->{kuzzle_realtime_rooms}{''}, 2, "$name - two rooms");
    is($m->{kuzzle_realtime_subscriptions}{''}, 3, "$name - of three");
    ok($m->{kuzzle_realtime_filters}{''} >= 2, "$name - filters");
    ok($m->{kuzzle_bus_records_total}{''} >= 3, "$name - bus");
    is((grep { $_ } values %{$m->{kuzzle_worker_up}}), 2, "$name - workers");

    # A user event may have been on its way when the sockets read on.
    ok($m->{kuzzle_realtime_notifications_total}{''} >= 6,
        "$name - three messages to two");

    close_all(@ws);
    my $left = until_metric($server, sub {
        $_[0]{kuzzle_connections}{'protocol=websocket'} == 0
    });
    is($left->{kuzzle_realtime_rooms}{''}, 0, "$name - no room is left");
    is($left->{$_}{''}, 0, "$name - no $_")
        for 'kuzzle_realtime_subscriptions', 'kuzzle_realtime_filters';
    is($left->{kuzzle_connections_accepted_total}{'protocol=websocket'}, 4,
        "$name - but opened they were");
}


sub close_all {
    $_->disconnect for @_;
}


sub until_metric {
    my ($server, $true) = @_;

    my $m;
    my $end = time + 5;
    do {
        sleep 0.05 if $m;
        $m = metrics($server);
    } until $true->($m) || time > $end;
    return $m;
}


# Nothing counted is lost or counted twice when generations change and
# workers are killed; what a worker had open goes with it.

sub survives {
    my ($name, $server) = @_;

    my ($now, $ws, @seen) = (0, 0);

    my $check = sub {
        my ($what) = @_;
        my $m = metrics($server);
        is(requests($m, 'http', 'server:now'), $now, "$name - HTTP, $what");
        is(requests($m, 'websocket', 'server:now'), $ws,
            "$name - WebSocket, $what");
        return $m;
    };

    my $work = sub {
        my @ws = map { socket_on($server) } 1 .. 4;
        query($_, '{"controller":"server","action":"now"}') for @ws;
        ask($server, 40, 'GET', '/_now');
        $now += 40;
        $ws += 4;
        return @ws;
    };

    my @first = $work->();
    $check->('at first');

    my @old = worker_pids($server->pid);
    $server->reload;
    wait_until(sub { my @new = worker_pids($server->pid);
        @new >= 2 && !grep { my $p = $_; grep { $_ == $p } @old }
            @new[-2, -1] });
    my @second = $work->();
    $check->('after a reload, both generations at work');

    # the old generation's sockets still count where they are
    query($_, '{"controller":"server","action":"now"}') for @first;
    $ws += 4;
    $check->('the old generation went on');

    for my $round (1 .. 3) {
        my @pids = worker_pids($server->pid);
        my $pid = owner_of([child_pids($server->pid)], $server->port,
            $second[0]->local_port);
        kill KILL => $pid;
        wait_until(sub { my @p = worker_pids($server->pid);
            @p >= @pids && !grep { $_ == $pid } @p });

        my $m = $check->("after kill $round");
        @second = grep { is_alive($_) } @second;

        my $open = @second + grep { is_alive($_) } @first;
        is($m->{kuzzle_connections}{'protocol=websocket'}, $open,
            "$name - $open sockets are open after kill $round");
        $ws += $open;

        push @second, $work->();
        $check->("at work after kill $round");
    }

    my @rest = (@first, @second);
    $server->reload;
    close_all(@rest);

    my $m = until_metric($server, sub {
        $_[0]{kuzzle_connections}{'protocol=websocket'} == 0
        && 2 == grep { $_ } values %{$_[0]{kuzzle_worker_up}}
    });
    $m = $check->('at the end');
    is($m->{kuzzle_requests_ongoing}{"protocol=$_"}, 0,
        "$name - nothing is at work over $_") for 'http', 'websocket';
}


sub is_alive {
    my ($ws) = @_;

    return eval {
        query($ws, '{"controller":"server","action":"now"}') =~ /"now"/
    };
}


sub wait_until {
    my ($true) = @_;

    my $end = time + 8;
    sleep 0.02 until $true->() || time > $end;
}


# Names that clients make up do not become series, in no protocol.

sub unknown {
    my ($name, $server) = @_;

    ask($server, 3, 'GET', '/_now');
    my $before = metrics($server);
    my $ws = socket_on($server);

    for my $i (1 .. 50) {
        query($ws, qq({"controller":"c$i\\"\\n","action":"a$i"}));
        query($ws, qq({"controller":"server","action":"a$i"}));
        ask($server, 1, 'POST', '/_query',
            qq({"controller":"h$i","action":"b$i"}));
        ask($server, 1, 'GET', "/no/such/route/$i");
    }

    my $after = metrics($server);
    my @new = grep { !exists $before->{kuzzle_requests_total}{$_} }
        keys %{$after->{kuzzle_requests_total}};

    ok(@new > 0 && @new <= 4, "$name - " . scalar(@new) . ' new series')
        or diag(join "\n", @new);
    is((grep { !/^action=unknown,controller=unknown,/ } @new), 0,
        "$name - all of them unknown");
    is(requests($after, 'websocket', 'unknown:unknown'), 100,
        "$name - counted all the same");
    $ws->disconnect;
}


# A client that goes away leaves nothing behind.

sub abandoned {
    my ($name, $server) = @_;

    for (1 .. 20) {
        my $s = IO::Socket::INET->new(PeerPort => $server->port,
            PeerAddr => '127.0.0.1') or die;
        print $s "POST /nyc/taxi/_create HTTP/1.1\r\nHost: a\r\n"
            . "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
        close $s;
    }

    my $m = until_metric($server, sub {
        !$_[0]{kuzzle_requests_ongoing}{'protocol=http'}
    });
    is($m->{kuzzle_requests_ongoing}{'protocol=http'} || 0, 0,
        "$name - no request is left");
}

__DATA__

=== TEST 1: requests, connections, rooms and store operations add up
--- counts: sums


=== TEST 2: totals survive reloads and killed workers, nothing counts twice
--- kills
--- http_config
kuzzle_drain 30s;
--- counts: survives


=== TEST 3: unknown controllers and actions do not make series
--- counts: unknown


=== TEST 4: requests whose body never came
--- counts: abandoned


=== TEST 5: the type, and every line in the format
--- request
GET /metrics
--- response_headers
Content-Type: text/plain; version=0.0.4
--- response_body_like eval
qr/\A(?:# HELP kuzzle_\w+ [^\n]+\n# TYPE kuzzle_\w+ (?:gauge|counter|histogram)\n(?:kuzzle_\w+(?:\{[^}]+\})? [-+.\d]+\n)*)+\z/


=== TEST 6: HEAD has the headers only
--- request
HEAD /metrics
--- response_headers
Content-Type: text/plain; version=0.0.4
--- response_body:


=== TEST 7: other methods are not allowed
--- request eval
["POST /metrics\n{}", "PUT /metrics", "DELETE /metrics", "OPTIONS /metrics"]
--- error_code eval
[405, 405, 405, 405]


=== TEST 8: behind allow and deny
--- config
location / {
    kuzzle;
}
location = /mine {
    allow 127.0.0.1;
    deny all;
    kuzzle_status;
}
location = /others {
    deny all;
    kuzzle_status;
}
--- request eval
["GET /mine", "GET /others"]
--- error_code eval
[200, 403]
--- error_log
access forbidden by rule


=== TEST 9: without Kuzzle there is only what runs
--- no_kuzzle_block
--- config
location = /metrics {
    kuzzle_status;
}
--- request
GET /metrics
--- response_body_like eval
qr/\A# HELP kuzzle_build_info [^\n]+\n# TYPE kuzzle_build_info gauge\nkuzzle_build_info\{version="[^"]+",nginx="[^"]+"\} 1\n\z/


=== TEST 10: not twice, not beside another handler
--- config
location / {
    kuzzle;
    kuzzle_status;
}
--- must_die
--- error_log
"kuzzle_status" directive is in a location that has a handler
