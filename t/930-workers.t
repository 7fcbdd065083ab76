# Several workers, subscribers on all of them, publishers and writers
# everywhere, while workers and the writer are killed and nginx is reloaded at
# random: every subscriber gets each notification exactly once, in order.

use Test::Nginx::Kuzzle;
use Test::Nginx::Kuzzle::Crash;
use Test::Nginx::Kuzzle::Json 'json_decode';
use Test::Nginx::Kuzzle::Load 'ask_all';
use Test::Nginx::Kuzzle::WS;
use Test::Nginx::Process qw(child_pids owner_of worker_pids writer_pid);
use Time::HiRes qw(sleep time);

my $seed = $ENV{KZ_SEED} || time % 1_000_000;

add_block_preprocessor(sub { workers($_[0]->processes) });

Test::Nginx::Socket::add_block_action(chaos => \&chaos);

run_tests();


# The model.  Everything sent has a number, n.  A subscriber has sessions, one
# after the other; each must get what was acknowledged while it was there:
# from its subscription until shortly before its connection ended.

sub chaos {
    my ($block, $server) = @_;

    my ($seconds) = $block->chaos =~ /([\d.]+)/;
    my $name = $block->name;
    my $m = { server => $server, port => $server->port, n => 0, sent => {},
        wrong => [], sessions => [], subscribers => [], kills => 0 };

    srand $seed;
    note("KZ_SEED=$seed");

    for (['POST', '/nyc/_create'], ['PUT', '/nyc/taxi']) {
        ask_all($m->{port}, [{ method => $_->[0], path => $_->[1] }]);
    }

    $m->{subscribers}[$_] = subscriber($m, $_) for 0 .. 7;

    my $end = time + $seconds;
    my $next = time + 0.7;

    while (time < $end) {
        say_something($m) for 0 .. rand 10;
        read_all($m);

        if (time > $next && time < $end - 1) {
            disturb($m);
            $next = time + 0.4 + rand 0.8;
        }
    }

    # Quiet: everything on its way arrives.
    my $quiet = time + 0.7;
    while (time < $quiet) {
        read_all($m);
        sleep 0.01;
    }

    judge($m, $_) for @{$m->{sessions}};
    judge_order($m);

    my $got = 0;
    $got += keys %{$_->{got}} for @{$m->{sessions}};

    ok(!@{$m->{wrong}}, "$name - $m->{n} sent, $got received, $m->{kills}"
        . " disturbances, " . @{$m->{sessions}} . " sessions")
        or diag(join "\n", grep { defined } @{$m->{wrong}}[0 .. 9]);

    $_->{ws}->disconnect for @{$m->{sessions}};
}


# Connects and subscribes: even ones to everything, odd ones to even numbers.

sub subscriber {
    my ($m, $i) = @_;

    my $session = { i => $i, got => {}, order => [], half => $i % 2,
        until => 0 };
    my $filter = $session->{half} ? '{"equals":{"half":true}}' : '{}';

    for my $try (1 .. 50) {
        my $done = eval {
            my $ws = $session->{ws} = Test::Nginx::Kuzzle::WS->connect(
                port => $m->{port}, timeout => 3);

            die "no 101\n" if $ws->status != 101;

            $ws->send_text('{"controller":"realtime","action":"subscribe",'
                . qq("index":"nyc","collection":"taxi","body":$filter,)
                . '"requestId":"sub"}');

            my $event = $ws->next_event(3);
            die "not subscribed\n"
                if !$event || ($event->{payload} || '') !~ /"status":200/;
            1;
        };

        last if $done;
        die $@ if $try == 50;
        sleep 0.05;
    }

    my @pids = child_pids($m->{server}->pid);

    $session->{from} = $m->{n};
    $session->{pid} = owner_of(\@pids, $m->{port},
        $session->{ws}->local_port) || 0;

    push @{$m->{sessions}}, $session;
    return $session;
}


# A document or a message, through HTTP or a subscriber's own socket.

sub say_something {
    my ($m) = @_;

    my $n = ++$m->{n};
    my $half = $n % 2 ? 'false' : 'true';
    my $body = qq({"n":$n,"half":$half});
    my $sent = $m->{sent}{$n} = { n => $n, kind => rand() < 0.5 ? 'publish'
        : 'create', half => $n % 2 == 0 };

    if (rand() < 0.4) {
        my $s = $m->{subscribers}[rand @{$m->{subscribers}}];
        my ($controller, $id) = $sent->{kind} eq 'publish'
            ? ('realtime', '') : ('document', qq("_id":"d$n",));

        $sent->{by} = $s->{ws};
        $s->{ws}->send_text(qq({"controller":"$controller",)
            . qq("action":"$sent->{kind}","index":"nyc","collection":"taxi",)
            . qq($id"body":$body,"requestId":"r$n"}));
        return;
    }

    my $path = $sent->{kind} eq 'publish' ? '/nyc/taxi/_publish'
             : "/nyc/taxi/d$n/_create";
    my $r = once($m->{port}, $path, $body);

    acknowledged($m, $n) if $r->{outcome} eq 'answer' && $r->{status} == 200;
    push @{$m->{wrong}}, "$sent->{kind} $n: $r->{content}"
        if $r->{outcome} eq 'answer' && $r->{status} != 200;
}


# Not ask_all(): what may be carried out twice must be sent once.

sub once {
    my ($port, $path, $body) = @_;

    my @left = { method => 'POST', path => $path, body => $body };
    my $r = $left[0];
    my $load = Test::Nginx::Kuzzle::Load->new(port => $port,
        connections => 1, next => sub { shift @left });

    $load->run_all(12);
    $load->drain(0.1);

    return $r;
}


sub acknowledged {
    my ($m, $n) = @_;
    $m->{sent}{$n}{acked} = time;
}


sub read_all {
    my ($m) = @_;

    for my $s (@{$m->{subscribers}}) {
        my $now = time;

        $s->{ws}->poll;

        while (my $event = $s->{ws}->next_event(0)) {
            take($m, $s, $event);
        }

        # Until then, at least, it was there.
        $s->{until} = $now if $s->{ws}->is_open;
    }

    for my $s (@{$m->{subscribers}}) {
        $s = subscriber($m, $s->{i}) if !$s->{ws}->is_open;
    }
}


sub take {
    my ($m, $s, $event) = @_;

    if ($event->{type} eq 'close') {
        push @{$m->{wrong}}, "subscriber $s->{i} was closed with"
            . " $event->{code} $event->{reason}" if $event->{code} != 1001;
        return;
    }

    return if $event->{type} ne 'text';

    my $data = json_decode($event->{payload});

    if (($data->{requestId} || '') =~ /\Ar(\d+)\z/
        && defined $data->{room} && $data->{room} eq $data->{requestId})
    {
        my $n = $1;

        return acknowledged($m, $n) if $data->{status} == 200;
        push @{$m->{wrong}}, "$m->{sent}{$n}{kind} $n: $event->{payload}";
        return;
    }

    my $n = $data->{result}{_source}{n};

    if (!defined $n) {
        push @{$m->{wrong}}, "unexpected: $event->{payload}";
        return;
    }

    push @{$m->{wrong}}, "subscriber $s->{i} got $n twice"
        if $s->{got}{$n}++;
    push @{$m->{wrong}}, "subscriber $s->{i} got $n, which it did not ask for"
        if $s->{half} && $n % 2;
    push @{$s->{order}}, $n;
}


sub disturb {
    my ($m) = @_;

    my $master = $m->{server}->pid;
    my @workers = worker_pids($master);
    my $what = (qw(worker worker writer writer reload))[rand 5];

    $m->{kills}++;

    # While workers start or drain, one of them must be left to take over.
    return if $what eq 'worker' && @workers < 2;

    my $pid = $what eq 'worker' ? $workers[rand @workers]
            : $what eq 'writer' ? writer_pid($master) : $master;

    if ($what eq 'worker') {
        $_->{killed} = 1 for grep { $_->{pid} == $pid } @{$m->{sessions}};
    }

    kill $what eq 'reload' ? 'HUP' : 'KILL', $pid if $pid;
}


# Whether this session got what it should.  One that has ended may miss what
# was acknowledged in the last moments before its end was seen; one on a
# killed worker also what was on its way then.

sub judge {
    my ($m, $s) = @_;

    my $margin = $s->{killed} ? 1 : $s->{ws}->is_open ? 0 : 0.3;

    for my $n (sort { $a <=> $b } keys %{$m->{sent}}) {
        my $sent = $m->{sent}{$n};

        next if !$sent->{acked} || $n <= $s->{from} || $s->{got}{$n};
        next if $s->{half} && !$sent->{half};
        next if $sent->{acked} > $s->{until} - $margin;

        push @{$m->{wrong}}, "subscriber $s->{i} (process $s->{pid}) did not"
            . " get $sent->{kind} $n";
    }
}


# What one client sends one after the other arrives in that order; documents
# arrive in the order of their commits, the same for all.

sub judge_order {
    my ($m) = @_;

    my %place;

    for my $s (@{$m->{sessions}}) {
        my %last;

        for my $n (@{$s->{order}}) {
            my $sent = $m->{sent}{$n};

            # A message over HTTP may go through any worker.
            next if !$sent->{by} && $sent->{kind} eq 'publish';

            my $stream = "$sent->{kind} of " . ($sent->{by} || 'http');
            my $last = $last{$stream} || 0;

            push @{$m->{wrong}}, "subscriber $s->{i} got $n after $last,"
                . " $stream" if $n < $last;
            $last{$stream} = $n;
        }

        my @creates = grep { $m->{sent}{$_}{kind} eq 'create' } @{$s->{order}};

        for my $i (1 .. $#creates) {
            my ($a, $b) = @creates[$i - 1, $i];

            push @{$m->{wrong}}, "creates $a and $b came in both orders"
                if $place{"$b $a"};
            $place{"$a $b"} = 1;
        }
    }
}

__DATA__

=== TEST 1: two workers
--- processes: 2
--- kills
--- http_config
kuzzle_drain 1s;
--- chaos: 9


=== TEST 2: four workers
--- processes: 4
--- kills
--- http_config
kuzzle_drain 1s;
--- chaos: 9
