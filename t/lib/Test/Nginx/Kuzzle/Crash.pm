package Test::Nginx::Kuzzle::Crash;

# Test::Nginx::Kuzzle::Crash: the "load" section: what happens to nginx while
# clients write (see Ledger.pm).
#
#     use Test::Nginx::Kuzzle;
#     use Test::Nginx::Kuzzle::Crash;
#     run_tests();
#     __DATA__
#     === TEST 1: the writer is killed
#     --- kills
#     --- load
#     run 0.3
#     kill writer
#     await writer
#     run 0.3
#     no errors
#
# A line is one of:
#
#     set connections=8 pad=0 limit=12    before anything else
#     run 0.5               load for half a second
#     writes 100            ... until so many more writes are acknowledged
#     kill writer [TERM]    signal, default KILL, to "writer", "worker N",
#                           "master" or "all" (the whole process group)
#     stop writer | cont    SIGSTOP | SIGCONT to whoever was stopped
#     reload                SIGHUP
#     await workers         load until as many workers as at the start serve,
#     await writer          ... a writer that was not signalled is there,
#     await gone            ... no process is left; the port must be free then
#     await drained         ... no worker is shutting down any more
#     start                 nginx again, on the same files
#     seen ID               so far some answer had this error id, or was "lost"
#     no ID                 ... none had
#     no errors             no error and no lost request so far
#     no refusals           no error; requests may be lost
#     quiet                 waits for what is in flight, and goes on
#     times 9: LINE; LINE   these lines, so often
#
# "limit" is the time after which a request hangs: store_timeout and 2 s.  The
# end of the section always stops the load and compares all documents with
# what was acknowledged.
#
# Such a block waits up to 10 s for each "await".  Exports kill_group() and
# start_again(), which other crash tests use.

use strict;
use warnings;

use Exporter ();
use Test::More ();

use Test::Nginx::Kuzzle::Ledger;
use Test::Nginx::Process qw(child_pids group_pids is_listening
    old_worker_pids wait_for worker_pids writer_pid);

my $Patience = 10;


sub import {
    my ($class) = @_;

    my $caller = caller;

    Test::More::plan(skip_all => 'needs this harness and a master process')
        if $ENV{KZ_UPSTREAM} || $ENV{TEST_NGINX_USE_VALGRIND};

    Test::Nginx::Socket::add_block_action(load => \&_run);

    no strict 'refs';
    *{"${caller}::$_"} = \&{$_} for qw(start_again kill_group await_gone);
}


# All processes of the server at once.

sub kill_group {
    my ($server) = @_;
    kill KILL => -$server->{group};
}


# True when no process is left and nobody listens.

sub await_gone {
    my ($server, $seconds) = @_;

    return wait_for($seconds, sub { _gone($server) });
}


# The leader of a process may be a zombie while its other threads still hold
# the sockets.

sub _gone {
    my ($server) = @_;
    return $server->_reap && !group_pids($server->{group})
        && !is_listening($server->port);
}


# Ends the server and looks at its files: what SQLite's integrity_check says,
# and postings that are not those of the documents (t/unit/test_postings.c).

sub unsound {
    my ($server, $data) = @_;

    my @wrong = $server->stop;
    my $check = ($ENV{KZ_UNIT_DIR} || 'build/unit') . '/test_postings';

    for my $file (glob "$data/*.db") {
        my $text = `sqlite3 '$file' 'PRAGMA integrity_check' 2>&1`;
        push @wrong, "$file: $text" if $text ne "ok\n";
    }

    if (-x $check) {
        my $text = `$check '$data' 2>&1`;
        push @wrong, $text if $?;

    } else {
        Test::More::note("$check is not there: postings not compared");
    }

    return @wrong;
}


# Starts a server that has ended, on the same files.

sub start_again {
    my ($server) = @_;

    die "the port is not free\n" if is_listening($server->port);

    unlink $server->root . '/logs/nginx.pid';
    $server->start or die "nginx does not start again\n" . $server->error_log;
}


sub _run {
    my ($block, $server) = @_;

    my $self = bless { server => $server, signalled => {},
        workers => scalar(worker_pids($server->pid)) }, __PACKAGE__;
    my ($number, $line) = (0, '');

    my $done = eval {
        for (split /\n/, $block->load) {
            $number++;
            $line = $_;
            $self->_line($line) if $line =~ /\S/ && $line !~ /^\s*#/;
        }
        1;
    };

    my @wrong = $done ? () : "line $number: $line\n  $@";
    my $ledger = $self->{ledger};

    kill CONT => @{$self->{stopped} || []};

    push @wrong, $ledger->settle if $server->is_running;

    Test::More::note(join ', ', $block->name, map({ "$_: "
        . $ledger->seen($_) } sort keys %{$ledger->{ids}}),
        sprintf 'worst: %.2f s', $ledger->load->worst);

    Test::More::ok(!@wrong, $block->name . ' - load')
        or Test::More::diag(join "\n", @wrong);
}


sub _ledger {
    my ($self) = @_;

    if (!$self->{ledger}) {
        $self->{ledger} = Test::Nginx::Kuzzle::Ledger->new(
            port => $self->{server}->port, %{$self->{options} || {}});
        $self->{ledger}->create;
    }

    return $self->{ledger};
}


sub _line {
    my ($self, $line) = @_;

    my ($verb, @args) = split ' ', $line;
    my $method = "_do_$verb";

    die "not a command\n" if !$self->can($method);

    $self->_ledger if $verb ne 'set';
    $self->$method(@args);
}


sub _do_set {
    my ($self, @args) = @_;

    die "too late\n" if $self->{ledger};
    $self->{options} = { map { split /=/, $_, 2 } @args };
}


sub _do_run { $_[0]->_ledger->load->run($_[1]) }


sub _do_writes {
    my ($self, $n) = @_;

    my $ledger = $self->_ledger;
    my $want = $ledger->seen('acked') + $n;

    $self->_until(sub { $ledger->seen('acked') >= $want },
        "$n more writes are not acknowledged");
}


sub _until {
    my ($self, $code, $error) = @_;

    $self->_ledger->load->run_until($code, $Patience) or die "$error\n";
}


sub _do_kill {
    my ($self, @who) = @_;

    my $signal = @who > 1 && $who[-1] =~ /\A[A-Z]+\z/ ? pop @who : 'KILL';

    $self->_signal($signal, @who);
}


sub _do_stop { my $self = shift; $self->_signal('STOP', @_) }

sub _do_cont { kill CONT => splice @{$_[0]{stopped}} }


sub _signal {
    my ($self, $signal, $who, $n) = @_;

    my $server = $self->{server};
    my $master = $server->pid;

    return kill_group($server) if $who eq 'all';

    my $pid = $who eq 'master' ? $master
            : $who eq 'writer' ? writer_pid($master)
            : $who eq 'worker' ? (worker_pids($master))[$n] : undef;

    die "there is no such process\n" if !$pid;

    push @{$self->{stopped}}, $pid if $signal eq 'STOP';
    $self->{signalled}{$pid} = 1 if $signal ne 'STOP';
    kill $signal => $pid or die "kill: $!\n";
}


sub _do_reload {
    my ($self) = @_;

    my $master = $self->{server}->pid;

    $self->{signalled}{$_} = 1 for child_pids($master);
    kill HUP => $master;
}


sub _do_await {
    my ($self, $what) = @_;

    my $server = $self->{server};
    my $master = $server->pid;
    my $old = $self->{signalled};

    my %test = (
        workers => sub {
            my @now = grep { !$old->{$_} } worker_pids($master);
            return @now >= $self->{workers};
        },
        writer => sub {
            my $pid = writer_pid($master);
            return $pid && !$old->{$pid};
        },
        drained => sub {
            return !old_worker_pids($master)
                && !grep { $old->{$_} } child_pids($master);
        },
        gone => sub { _gone($server) },
    );

    die "not known\n" if !$test{$what};

    $self->_until($test{$what}, "not within $Patience s");
}


sub _do_times {
    my ($self, $n, @words) = @_;

    my @lines = split /\s*;\s*/, join ' ', @words;

    for (1 .. $n =~ s/://r) {
        $self->_line($_) for @lines;
    }
}


sub _do_start { start_again($_[0]{server}) }

sub _do_quiet { $_[0]->_ledger->load->drain($_[0]->_ledger->{limit}) }


sub _do_seen {
    my ($self, $id) = @_;
    die "not seen\n" if !$self->_ledger->seen($id);
}


sub _do_no {
    my ($self, $id) = @_;

    my $ledger = $self->_ledger;
    my @seen = $id eq 'errors' || $id eq 'refusals'
        ? grep { $_ ne 'acked' && ($id eq 'errors' || $_ ne 'lost') }
          keys %{$ledger->{ids}}
        : grep { $_ eq $id } keys %{$ledger->{ids}};

    die join(', ', map { "$_: " . $ledger->seen($_) } @seen) . "\n" if @seen;
}


1;
