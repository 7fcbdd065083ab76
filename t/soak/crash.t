# Many kills (KZ_KILLS, 80 of each kind of load) at random points, of a
# worker, the writer, the master, everything at once, with reloads and stops
# in between.  KZ_SEED repeats a run as far as chance goes.

use Test::Nginx::Kuzzle;
use Test::Nginx::Kuzzle::Crash;
use Test::Nginx::Kuzzle::Many;
use Test::Nginx::Kuzzle::Taxi;
use Test::Nginx::Process qw(wait_for worker_pids writer_pid);

our $kills = $ENV{KZ_KILLS} || 80;
our $seed = $ENV{KZ_SEED} || time % 1_000_000;

Test::Nginx::Socket::add_block_action(taxi => \&taxi);
Test::Nginx::Socket::add_block_action(many => \&many);

add_block_preprocessor(sub {
    my ($block) = @_;
    my $config = "location / {\n    kuzzle;\n    kuzzle_api 2;\n}\n";
    $block->set_value('config', $config);
});

srand $seed;
note("KZ_SEED=$seed KZ_KILLS=$kills");

run_tests();


# Lines for the "load" section.

sub random_load {
    my @kinds = (
        ('kill writer; await writer') x 4,
        ('kill worker 0; await workers', 'kill worker 1; await workers') x 2,
        ('kill master; await gone; start') x 2,
        ('kill all; await gone; start') x 2,
        'kill master TERM; await gone; start',
        'kill master QUIT; await gone; start',
        'reload; await workers',
        'reload; run 0.01; kill writer; await workers; await writer',
        'reload; run 0.01; kill master; await gone; start',
        'stop writer; run 0.2; cont',
        'stop writer; run 0.1; kill writer; await writer',
    );

    my @lines = ('set connections=16');

    for (1 .. $kills) {
        my $run = sprintf '%.3f', rand 0.15;
        push @lines, 'writes ' . int(1 + rand 60), "run $run",
            split /; /, $kinds[rand @kinds];
    }

    return join "\n", @lines, 'writes 50', 'no refusals', '';
}


# The taxi trips: two kills to each thousand, all of it compared every ten.

sub taxi {
    my ($block, $server) = @_;

    my $name = $block->name;
    my $taxi = Test::Nginx::Kuzzle::Taxi->new(server => $server,
        data => data_dir(), seed => $seed);
    my ($done, @wrong) = (0);

    $taxi->create;

    while ($done < $kills && !@wrong) {
        my $before = $taxi->acked;
        $taxi->start(1000);

        for my $share (0, 0.5) {
            $taxi->await($before + int 1000 * ($share + rand 0.4));
            push @wrong, kill_and_start($server, $taxi);
            $done++;
        }

        my $sum = $taxi->finish;
        push @wrong, "after $done kills: $sum->{first_error}"
            if $sum->{refused};

        next if $done % 10 && $done < $kills;
        push @wrong, map { "after $done kills: $_" } $taxi->missing,
            $taxi->wrong_counts;
    }

    ok(!@wrong, "$name - $done kills, " . $taxi->acked . ' acknowledged')
        or diag(join "\n", @wrong);
}


# Requests that write many documents; the files are compared at the end.

sub many {
    my ($block, $server) = @_;

    my $name = $block->name;
    my $many = Test::Nginx::Kuzzle::Many->new(port => $server->port);
    my @wrong;

    $many->create;

    for my $done (1 .. $kills) {
        my $more = $many->acked + 20 * int 1 + rand 30;

        $many->load->run_until(sub { $many->acked >= $more }, 10)
            or push @wrong, 'nothing is acknowledged';
        push @wrong, map { "after $done kills: $_" } kill_and_start($server);
        last if @wrong;
    }

    $many->load->run(0.3);
    push @wrong, $many->settle, Test::Nginx::Kuzzle::Crash::unsound(
        $server, data_dir());

    ok(!@wrong, "$name - $kills kills, " . $many->acked . ' acknowledged')
        or diag(join "\n", @wrong);
}


sub kill_and_start {
    my ($server, $taxi) = @_;

    my $master = $server->pid;
    my $who = (qw(worker writer master all))[rand 4];
    my @workers = worker_pids($master);
    my $pid = $who eq 'worker' ? $workers[rand @workers]
            : $who eq 'writer' ? writer_pid($master) : $master;

    $who eq 'all' ? kill_group($server) : kill(KILL => $pid);

    if ($pid != $master) {
        wait_for(5, sub {
            my $now = writer_pid($master);
            $now && $now != $pid && worker_pids($master) == @workers;
        }) or return "no new $who";
        return;
    }

    await_gone($server, 5) or return 'processes outlive their master';

    my @wrong = $taxi ? $taxi->wrong_files : ();
    start_again($server);

    return @wrong;
}

__DATA__

=== TEST 1: versions and refusals
--- kills
--- load eval: main::random_load()


=== TEST 2: taxi trips
--- kills
--- taxi: 1


=== TEST 3: writes of many documents
--- kills
--- many: 1
