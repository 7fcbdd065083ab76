# More work than the server can do: what it takes on it does, in time, the
# rest is refused at once, and when the load has gone nothing of it is left.
# The long version with figures: t/bench/run.pl --only overload.

use Test::Nginx::Kuzzle;
use Test::Nginx::Kuzzle::Json 'json_decode';
use Test::Nginx::Kuzzle::Load 'ask_all';
use Test::Nginx::Process qw(wait_for worker_pids writer_pid);
use Cwd 'abs_path';
use File::Basename 'dirname';
use File::Temp 'tempdir';

my $bench = dirname(abs_path(__FILE__)) . '/bench';
my $kzload = $ENV{KZ_KZLOAD};
my $temp;

Test::Nginx::Socket::add_block_action(calls => sub {
    my ($block, $server) = @_;
    my ($function, @args) = split ' ', $block->calls;
    no strict 'refs';
    &{"main::$function"}($block->name, $server, @args);
});

add_block_preprocessor(sub {
    workers($_[0]->name =~ /two workers/ ? 2 : 1);
});

# An overload of a valgrind is of no interest.
if ($ENV{TEST_NGINX_USE_VALGRIND}) {
    plan(skip_all => 'not under valgrind');
}

if (!$kzload) {
    $temp = tempdir('kzload.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    $kzload = "$temp/kzload";
    system("make -s -C '$bench' BUILD='$temp' >&2") == 0
        or bail_out('kzload was not built');
}

run_tests();


sub fill {
    my ($port, $n) = @_;

    ask_all($port, [{ method => 'POST', path => '/nyc/_create' }]);
    ask_all($port, [{ method => 'PUT', path => '/nyc/taxi',
        body => '{"properties":'
            . '{"n":{"type":"integer"},"tags":{"type":"integer"}}}' }]);

    my @r = ask_all($port, [map { { method => 'POST',
        path => '/nyc/taxi/_create',
        body => qq({"n":$_,"m":$_,"text":") . 'x' x 300 . '"}' } } 1 .. $n]);

    return !grep { ($_->{status} || 0) != 200 } @r;
}


sub overload {
    my ($server, @args) = @_;

    my ($worker) = worker_pids($server->pid);

    open my $out, '-|', "$bench/overload.pl", '--kzload', $kzload, '--port',
        $server->port, '--worker', $worker, '--sockets', 700, @args
        or die "$bench/overload.pl: $!\n";

    my $text = do { local $/; <$out> };

    return close $out ? json_decode($text) : undef;
}


# Bounds that hold on a busy machine: a server without a gate has a p99 that
# grows with the time, and answers nothing in time.

sub judge {
    my ($name, $r, $wait) = @_;

    return fail("$name - measured") if !$r;

    note(join ' ', map { "$_=$r->{$_}" } sort keys %$r);

    ok($r->{ratio} > 0.4, "$name - goodput");
    ok($r->{refused} > $r->{goodput}, "$name - the rest is refused");
    ok($r->{p99_ms} < $wait + 1000, "$name - in time");
    is($r->{other} + $r->{broken} + $r->{lost}, 0,
        "$name - all are answered, with 200 or 503");
    ok($r->{recovery_ms} < 1900 && $r->{then_ok} > $r->{then_refused},
        "$name - recovers");
    ok($r->{rss_grown_mb} < 16, "$name - no memory is left behind");
}


# Creates are too cheap for this: a generator on the same machine cannot ask
# for ten times as many (t/bench/overload.pl tries).

sub searches {
    my ($name, $server) = @_;

    ok(fill($server->port, 4000), "$name - documents");

    my $body = '{"query":{"range":{"m":{"gte":1}}},'
        . '"sort":[{"n":"desc"}]}';

    judge($name, overload($server, '--time', 1, '--peak', 8, '--',
        '--path', '/nyc/taxi/_search?size=1', '--body', $body), 500);
}


# A writer that stands still: writes beyond the floor are refused as soon as
# the queue has not moved for the time, those inside are answered when it goes
# on, reads go on all the while.

sub stopped {
    my ($name, $server) = @_;

    fill($server->port, 1);

    my $port = $server->port;
    my $writer = writer_pid($server->pid);
    my (@early, @late);
    my $load = sub {
        my ($list, $n) = @_;
        my $i = 0;
        return Test::Nginx::Kuzzle::Load->new(port => $port,
            connections => $n, next => sub {
                return if $i >= $n;
                return { method => 'POST', path => '/nyc/taxi/_create',
                    body => '{"i":' . $i++ . '}' };
            }, done => sub { push @$list, $_[0] });
    };

    kill STOP => $writer;

    my $first = $load->(\@early, 80);
    $first->run(0.7);
    is(scalar @early, 0, "$name - 80 writes wait");

    my $second = $load->(\@late, 30);
    $second->run_until(sub { @late == 30 }, 2);

    my @refused = grep { ($_->{status} || 0) == 503
        && $_->{content} =~ /"id":"api\.process\.overloaded"/ } @late;
    my ($worst) = sort { $b <=> $a }
        map { $_->{ended} - $_->{started} } @refused;

    is(scalar @refused, 30, "$name - 30 more are refused");
    ok(@refused && $worst < 0.5, "$name - at once");

    my ($read) = ask_all($port, [{ method => 'POST',
        path => '/nyc/taxi/_count', body => '{}' }]);
    is($read->{status}, 200, "$name - reads go on");

    kill CONT => $writer;

    $first->run_until(sub { @early == 80 }, 5);
    is(scalar(grep { ($_->{status} || 0) == 200 } @early), 80,
        "$name - those inside are written");

    my ($write) = ask_all($port, [{ method => 'POST',
        path => '/nyc/taxi/_create', body => '{}' }]);
    is($write->{status}, 200, "$name - the gate is open again");
}


# The bodies of operations in flight are bounded by bytes.

sub bytes {
    my ($name, $server) = @_;

    fill($server->port, 1);

    my $port = $server->port;
    my $writer = writer_pid($server->pid);
    my @done;
    my $load = Test::Nginx::Kuzzle::Load->new(port => $port,
        connections => 6,
        next => sub { my $n = shift; return { method => 'POST',
            path => '/nyc/taxi/_create',
            body => '{"t":"' . 'x' x 400_000 . '"}' } if $n >= 0; },
        done => sub { push @done, $_[0] });

    kill STOP => $writer;

    # 400 kB each: two fit into a megabyte
    $load->run_until(sub { @done >= 4 }, 3);

    is(scalar(grep { ($_->{status} || 0) == 503
        && $_->{content} =~ /overloaded/ } @done), scalar @done,
        "$name - refused");
    ok(@done >= 4, "$name - what does not fit");

    my ($small) = ask_all($port, [{ method => 'GET',
        path => '/nyc/taxi/_mapping' }]);
    is($small->{status}, 200, "$name - what has no body does");

    @done = ();
    kill CONT => $writer;
    $load->run_until(sub { grep { ($_->{status} || 0) == 200 } @done }, 5);
    ok((grep { ($_->{status} || 0) == 200 } @done),
        "$name - and the others are written");
    $load->drain(5);
}


# nginx's own limit: clients that say nothing take all connections.

sub sockets {
    my ($name, $server) = @_;

    my (@socks, $answer);

    for (1 .. 1100) {
        my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $server->port, Timeout => 2) or last;
        push @socks, $sock;
    }

    ok(wait_for(5, sub {
        $server->error_log =~ /worker_connections are not enough/
    }), "$name - nginx says so");

    close $_ for @socks;

    ok(wait_for(5, sub {
        ($answer) = ask_all($server->port, [{ method => 'GET',
            path => '/_now' }]);
        return ($answer->{status} || 0) == 200;
    }, 0.1), "$name - and serves when they have gone");
}


__DATA__

=== TEST 1: ten times too many searches
--- kuzzle_config
    store_wait 500ms;
--- calls: searches


=== TEST 2: a writer that stands still
--- kuzzle_config
    store_wait 500ms;
--- calls: stopped


=== TEST 3: bytes in flight
--- kuzzle_config
    store_pending_size 1m;
--- calls: bytes


=== TEST 4: more sockets than worker_connections
--- calls: sockets
--- error_log
worker_connections are not enough
