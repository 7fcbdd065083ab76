# 10,000 taxi trips are loaded by several connections while processes of nginx
# are killed at random: every acknowledged one is there afterwards.  So are
# the documents of requests that write many.

use Test::Nginx::Kuzzle;
use Test::Nginx::Kuzzle::Crash;
use Test::Nginx::Kuzzle::Many;
use Test::Nginx::Kuzzle::Taxi;
use Test::Nginx::Process qw(wait_for worker_pids writer_pid);

my $seed = $ENV{KZ_SEED} || time % 1_000_000;

Test::Nginx::Socket::add_block_action(taxi => \&taxi);
Test::Nginx::Socket::add_block_action(many => \&many);

run_tests();


# "worker writer master all": what is killed, one after the other, at random
# points of the load.

sub taxi {
    my ($block, $server) = @_;

    my $name = $block->name;
    my @kills = split ' ', $block->taxi;
    my $count = 10_000;
    my $taxi = Test::Nginx::Kuzzle::Taxi->new(server => $server,
        data => data_dir(), seed => $seed);
    my @wrong;

    srand $seed;
    note("KZ_SEED=$seed");

    $taxi->create;
    $taxi->start($count);

    for my $i (0 .. $#kills) {
        my $share = ($i + rand) / (@kills + 1);

        $taxi->await(int $share * $count);
        push @wrong, map { "after kill of $kills[$i]: $_" }
            kill_and_start($server, $kills[$i], $taxi);
    }

    my $sum = $taxi->finish;
    my $text = "sent $sum->{sent}, acknowledged $sum->{acked}, no answer"
        . " $sum->{unanswered}, refused $sum->{refused}";

    ok(!@wrong, "$name - files") or diag(join "\n", @wrong);
    is($sum->{sent}, $count, "$name - all were sent");
    is($sum->{refused}, 0, "$name - none was refused: $text")
        or diag($sum->{first_error});
    ok($sum->{unanswered} <= 8 * @kills, "$name - few had no answer");

    @wrong = $taxi->missing;
    ok(!@wrong, "$name - what was acknowledged is there")
        or diag(join "\n", @wrong);

    @wrong = $taxi->wrong_counts;
    ok(!@wrong, "$name - and is found by its terms")
        or diag(join "\n", @wrong);
}


# Returns what is wrong with the files that the dead left behind.

sub kill_and_start {
    my ($server, $who, $taxi) = @_;

    my $master = $server->pid;
    my @workers = worker_pids($master);
    my $pid = $who eq 'worker' ? $workers[rand @workers]
            : $who eq 'writer' ? writer_pid($master) : $master;

    $who eq 'all' ? kill_group($server) : kill(KILL => $pid);

    if ($pid != $master) {
        wait_for(5, sub {
            my $now = writer_pid($master);
            $now && $now != $pid && worker_pids($master) == @workers;
        }) or die "no new $who\n";
        return;
    }

    await_gone($server, 5) or die "processes outlive their master\n";

    my @wrong = $taxi ? $taxi->wrong_files : ();
    start_again($server);

    return @wrong;
}

# Creates, replacements, updates and deletes of 20 documents at a time.

sub many {
    my ($block, $server) = @_;

    my $name = $block->name;
    my $many = Test::Nginx::Kuzzle::Many->new(port => $server->port);
    my @wrong;

    $many->create;

    for my $who (split ' ', $block->many) {
        my $more = $many->acked + 20 * (5 + int rand 30);

        $many->load->run_until(sub { $many->acked >= $more }, 10)
            or push @wrong, 'nothing is acknowledged';
        push @wrong, map { "after kill of $who: $_" }
            kill_and_start($server, $who);
    }

    $many->load->run(0.3);
    push @wrong, $many->settle, Test::Nginx::Kuzzle::Crash::unsound(
        $server, data_dir());

    ok(!@wrong, "$name - " . $many->acked . " acknowledged, $many->{lost}"
        . " requests without an answer, $many->{refused} refused")
        or diag(join "\n", @wrong);
}

__DATA__

=== TEST 1: a worker, the writer, the master, all at once
--- kills
--- taxi: worker writer master all


=== TEST 2: writes of many documents
--- config
    location / {
        kuzzle;
        kuzzle_api 2;
    }
--- kills
--- many: worker writer all writer master
