package Test::Nginx::Kuzzle::Control;

# Test::Nginx::Kuzzle::Control: the half of the script language that deals
# with nginx's processes: on which worker a connection sits, signals, reload,
# restart, the log.  A base class of Test::Nginx::Kuzzle::Script, which
# documents the language.
#
# Every method dies with what is wrong; the script adds the line.

use strict;
use warnings;

use Test::Nginx::Process qw(child_pids is_alive is_stopped owner_of wait_for
    worker_pids writer_pid writer_pids reload_master);


# Connects until the right worker has accepted.  The workers that are not
# wanted get a SIGSTOP if luck alone does not do it, as an idle kernel tends
# to wake always the same one.

sub _connect_to_worker {
    my ($self, $connect, $o) = @_;

    my @workers = worker_pids($self->{master}->());
    my $wanted = defined $o->{apart}
        ? do { my $other = $self->_worker_of($o->{apart});
               sub { $_[0] != $other } }
        : do { my $pid = $workers[$o->{worker}]
                   || die "there is no worker $o->{worker}\n";
               sub { $_[0] == $pid } };

    my ($found, @others, @stopped, $error);

    for my $try (1 .. 20) {
        if ($try == 4) {
            @stopped = grep { !$wanted->($_) } @workers;
            kill STOP => @stopped;

            # A wake-up must not go to one that is about to stop.
            wait_for(1, sub { !grep { !is_stopped($_) } @stopped });
        }

        my $client = eval { $connect->() };
        $error = $@;
        next if !$client;

        my $pid = $self->_owner($client, $o->{port});

        if (defined $pid && $wanted->($pid)) {
            $found = $client;
            last;
        }
        push @others, $client;
    }

    kill CONT => @stopped if @stopped;
    $_->disconnect for @others;

    return $found || die "no connection reached the worker $error\n";
}


sub _owner {
    my ($self, $client, $port) = @_;

    my @pids = child_pids($self->{master}->());
    return owner_of(\@pids, $port || $self->{port}, $client->local_port);
}


sub _worker_of {
    my ($self, $name) = @_;
    return $self->_owner($self->_client($name))
        || die "cannot tell on which worker $name sits\n";
}


sub _compare_workers {
    my ($self, $how, $a, $b) = @_;

    my ($one, $two) = map { $self->_worker_of($_) } $a, $b;

    die "$a sits on worker process $one, $b on $two\n"
        if ($one == $two) != ($how eq 'same');
}


sub _pid_of {
    my ($self, $who) = @_;

    my $master = $self->{master}->();

    # After a reload the old one still serves for a moment.
    wait_for($self->_wait, sub { my @all = writer_pids($master); @all < 2 })
        if $who eq 'writer';

    my $pid = $who eq 'master' ? $master
            : $who eq 'writer' ? writer_pid($master)
            : $who =~ /of\s+(\w+)/ ? $self->_worker_of($1)
            : $who =~ /(\d+)/ ? (worker_pids($master))[$1] : undef;

    return $pid || die "there is no $who\n";
}


sub _signal {
    my ($self, $verb, $who, $name) = @_;

    my $pid = $self->_pid_of($who);
    my $signal = $verb eq 'stop' ? 'STOP' : $verb eq 'cont' ? 'CONT'
               : defined $name ? $name : 'KILL';

    kill $signal => $pid or die "kill $pid: $!\n";

    # Its other threads may still run for a moment.
    die "process $pid does not stop\n" if $signal eq 'STOP'
        && !wait_for($self->_wait, sub { is_stopped($pid) });

    if ($signal =~ /\A(?:KILL|QUIT|TERM|SEGV|ABRT)\z/) {
        $self->{killed}{$pid} = 1;
        die "process $pid does not end\n"
            if !wait_for($self->_wait, sub { !is_alive($pid) });
    }
}


sub _await_workers {
    my ($self, $n) = @_;

    $n = $self->{workers} if !defined $n;

    die "there are not $n workers\n" if !wait_for($self->_wait(5), sub {
        my @now = worker_pids($self->{master}->());
        return @now == $n && !grep { $self->{killed}{$_} } @now;
    });
}


sub _await_writer {
    my ($self) = @_;

    die "there is no writer\n" if !wait_for($self->_wait(5), sub {
        my $pid = writer_pid($self->{master}->());
        return $pid && !$self->{killed}{$pid};
    });
}


sub _reload {
    my ($self) = @_;

    reload_master($self->{master}->(), $self->{workers})
        or die "no new workers after a reload\n";
}


sub _restart {
    my ($self, $signal) = @_;

    die "this harness cannot restart nginx\n" if !$self->{restart};
    $self->{restart}->(defined $signal ? $signal : 'QUIT');
}


sub _await_log {
    my ($self, $re) = @_;

    die "no such line in error.log\n" if !wait_for($self->_wait, sub {
        $self->{error_log}->() =~ /$re/m;
    }, 0.01);
}


1;
