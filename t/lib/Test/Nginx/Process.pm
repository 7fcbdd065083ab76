package Test::Nginx::Process;

# Test::Nginx::Process: who is who among the processes of one nginx.
#
# Everything is read from /proc, so it works on any nginx whose master's pid
# is known.  A worker is known by its title, which nginx sets when
# init_process of all modules is done: a process in worker_pids() serves.
#
#     worker_pids($master)     workers in service, by pid (= by age)
#     old_worker_pids($master) workers that are shutting down
#     writer_pid($master)      the process titled "kuzzle writer"
#     owner_of($pids, $port, $peer_port)   who holds a TCP connection
#     reload_master($master, $n)   SIGHUP, true when $n new workers serve
#     wait_for($seconds, sub { ... })      polls until true

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(child_pids group_pids worker_pids old_worker_pids
    writer_pid writer_pids process_title is_alive is_stopped owner_of
    is_listening reload_master wait_for);


# Calls the code every few ms until it returns true or time is up; returns
# its last value.

sub wait_for {
    my ($seconds, $code, $step) = @_;

    my $end = time() + $seconds;

    while (1) {
        my $value = $code->();
        return $value if $value || time() >= $end;
        sleep($step || 0.004);
    }
}


sub _slurp {
    my ($path) = @_;
    open my $fh, '<', $path or return;
    local $/;
    return scalar <$fh>;
}


# (state, parent, process group) of a process, nothing when it is gone.

sub _stat {
    my ($pid) = @_;

    my $stat = _slurp("/proc/$pid/stat");
    return if !defined $stat;

    # The name in parentheses may contain anything.
    return $stat =~ /\A.*\) (\S) (\d+) (\d+)/s;
}


sub _all_pids {
    opendir my $dir, '/proc' or die "/proc: $!";
    return grep { /^\d+$/ } readdir $dir;
}


# A zombie counts as gone: its parent may be slow to reap it.

sub is_alive {
    my ($pid) = @_;
    my ($state) = _stat($pid) or return 0;
    return $state !~ /[ZX]/;
}


sub is_stopped {
    my ($pid) = @_;
    my ($state) = _stat($pid) or return 0;
    return $state eq 'T';
}


sub process_title {
    my ($pid) = @_;

    my $title = _slurp("/proc/$pid/cmdline");
    return '' if !defined $title;

    $title =~ tr/\0/ /;
    $title =~ s/\s+\z//;
    return $title;
}


sub child_pids {
    my ($parent) = @_;

    my $list = _slurp("/proc/$parent/task/$parent/children");

    # The file needs a kernel option; the long way always works.
    my @pids = defined $list ? split ' ', $list
             : grep { my (undef, $p) = _stat($_); $p && $p == $parent }
               _all_pids();

    return sort { $a <=> $b } grep { is_alive($_) } @pids;
}


# Living members of a process group.

sub group_pids {
    my ($group) = @_;

    return grep {
        my ($state, undef, $pgrp) = _stat($_);
        defined $pgrp && $pgrp == $group && $state !~ /[ZX]/;
    } _all_pids();
}


sub _titled {
    my ($master, $pattern) = @_;
    return grep { process_title($_) =~ $pattern } child_pids($master);
}


sub worker_pids { return _titled($_[0], qr/: worker process$/) }

sub old_worker_pids { return _titled($_[0], qr/: worker process is shutting/) }

sub writer_pids { return _titled($_[0], qr/kuzzle writer/) }

sub writer_pid { return (writer_pids($_[0]))[-1] }


# SIGHUP; true when $count new workers are in service.  The old ones may
# still be there, serving what they have.

sub reload_master {
    my ($master, $count) = @_;

    my %old = map { $_ => 1 } worker_pids($master);

    kill HUP => $master;

    return wait_for(10, sub {
        my @now = grep { !$old{$_} } worker_pids($master);
        return @now == $count && !grep { $old{$_} } worker_pids($master);
    });
}


# Is there a listening socket on this TCP port?  Asked without connecting,
# so that the server under test never sees a stray connection.

sub is_listening {
    my ($port) = @_;

    my $hex = sprintf '%04X', $port;

    for my $table (qw(tcp tcp6)) {
        my $rows = _slurp("/proc/net/$table");
        return 1 if defined $rows
                    && $rows =~ /: \w+:$hex \w+:\w+ 0A /;
    }

    return 0;
}


# Which of the processes holds the server's end of the connection from
# $peer_port to $port?  undef when none does (not accepted yet).

sub owner_of {
    my ($pids, $port, $peer_port) = @_;

    my $pair = sprintf ':%04X \w+:%04X', $port, $peer_port;
    my $inode;

    for my $table (qw(tcp tcp6)) {
        my $rows = _slurp("/proc/net/$table");
        next if !defined $rows;

        # Not anchored: with thousands of rows perl would take seconds.
        ($inode) = $rows =~ /: \w+$pair (?:\S+ +){6}(\d+)/ and last;
    }

    return if !$inode;

    for my $pid (@$pids) {
        opendir my $dir, "/proc/$pid/fd" or next;

        for my $fd (readdir $dir) {
            my $link = readlink "/proc/$pid/fd/$fd";
            return $pid if defined $link && $link eq "socket:[$inode]";
        }
    }

    return;
}


1;
