# "make run", as a new user would: it serves, on loopback only, and ends with
# SIGINT and SIGTERM; what it stored is there the next time.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use File::Temp 'tempdir';
use IO::Socket::INET;
use Test::Nginx::Server;
use Time::HiRes qw(sleep time);

my $data = tempdir('kuzzle-data.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $port = Test::Nginx::Server::free_port();
my $build = $ENV{KZ_UNIT_DIR} ? $ENV{KZ_UNIT_DIR} =~ s{/unit$}{}r : 'build';

$build = qx(cd $build && pwd);
chomp $build;

# make hands its variables down; those of an outer make are not ours
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};

for my $signal (qw(INT TERM)) {

    my $pid = fork;
    if (!$pid) {
        setpgrp;
        open STDOUT, '>', "$data/log";
        open STDERR, '>&', \*STDOUT;
        exec 'make', '-s', "BUILD=$build", 'run', "PORT=$port",
            "DATA=$data/d", 'WORKERS=2', 'API=2';
        die $!;
    }

    my $reply = '';
    for (my $end = time + 60; time < $end && $reply !~ /200 OK/; sleep 0.1) {
        $reply = qx(curl -s -i -m 3 http://localhost:$port/_now);
    }
    like($reply, qr/200 OK.*"node":/s, "make run serves, in generation 2")
        or diag(qx(cat $data/log));

    if ($signal eq 'INT') {
        like(qx(curl -s -X POST http://localhost:$port/nyc/_create),
            qr/"status":200/, 'it stores');

        my @listening = listening($port);
        ok(@listening > 0 && !grep({ !/^(127\.0\.0\.1|::1)$/ } @listening),
            "it listens on loopback only (@listening)");
    } else {
        like(qx(curl -s http://localhost:$port/_list), qr/"nyc"/,
            'what was stored is there again');
    }

    # Ctrl-C reaches the whole group, a service manager only the child
    kill $signal => $signal eq 'INT' ? -$pid : $pid;
    my $ended = 0;
    for (my $end = time + 15; time < $end; sleep 0.05) {
        last if $ended = waitpid($pid, 1) == $pid;
    }
    ok($ended, "SIG$signal ends it");

    for (my $end = time + 5; time < $end && listening($port); sleep 0.05) { }
    is(join(' ', listening($port)), '', 'the port is free');
    unlike(qx(cat $data/log), qr/\[(alert|emerg|crit)\]/, 'clean log')
        or diag(qx(cat $data/log));
}

done_testing();


# The addresses somebody listens on with this port.

sub listening {
    my ($port) = @_;
    my $hex = sprintf '%04X', $port;
    my @found;
    for my $file ('/proc/net/tcp', '/proc/net/tcp6') {
        open my $fh, '<', $file or next;
        while (<$fh>) {
            my (undef, $local, undef, $state) = split;
            next unless defined $state && $state eq '0A';
            next unless $local =~ /^(\w+):$hex$/;
            push @found, $1 eq '0100007F' ? '127.0.0.1'
                : $1 eq '00000000000000000000000001000000' ? '::1' : $1;
        }
    }
    return @found;
}
