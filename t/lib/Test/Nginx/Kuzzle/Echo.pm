package Test::Nginx::Kuzzle::Echo;

# Test::Nginx::Kuzzle::Echo: a WebSocket server to test the harness with.
#
#     $ENV{TEST_NGINX_ECHO_PORT} = start_echo();   # ends with the test
#
# It echoes messages and does what some of them say: PING sends a ping,
# "CLOSE 4001" a close frame, END ends the stream, FRAGMENTS sends a message
# in two frames with a ping between them, MASKED sends what no server may.

use strict;
use warnings;

use Exporter 'import';
use IO::Handle;
use IO::Socket::INET;

use Test::Nginx::Kuzzle::WS qw(encode_frame decode_frame accept_key);

our @EXPORT_OK = qw(start_echo);

my $EchoPid;


END {
    if ($EchoPid) {
        local $?;
        kill KILL => -$EchoPid;
        waitpid $EchoPid, 0;
    }
}


# Returns the port.

sub start_echo {
    my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
        Proto => 'tcp') or die "echo: $!";

    $EchoPid = fork;
    die "fork: $!" if !defined $EchoPid;

    if ($EchoPid) {
        setpgrp $EchoPid, $EchoPid;
        return $server->sockport;
    }

    setpgrp 0, 0;
    $SIG{CHLD} = 'IGNORE';

    while (1) {
        my $client = $server->accept or next;
        my $pid = fork;
        close $client, next if $pid;
        eval { _serve($client) };
        kill KILL => $$;    # no END blocks of the test in here
    }
}


sub _serve {
    my ($client) = @_;

    $client->autoflush(1);
    my ($in, $message) = ('', '');

    until ($in =~ /\r\n\r\n/) {
        sysread $client, $in, 65536, length $in or return;
    }
    (my $head, $in) = split /\r\n\r\n/, $in, 2;
    my ($key) = $head =~ /^Sec-WebSocket-Key: (\S+)/mi;
    if (!defined $key) {
        print {$client} "HTTP/1.1 400 Bad\r\nContent-Length: 3\r\n\r\nbad";
        return;
    }

    print {$client} "HTTP/1.1 101 Ok\r\nUpgrade: websocket\r\n"
        . "Connection: upgrade\r\nSec-WebSocket-Accept: "
        . accept_key($key) . "\r\n\r\n";

    my $send = sub { print {$client} encode_frame(mask => 0, @_) };

    # A close with bytes unread would reset the connection.
    my $leave = sub {
        shutdown $client, 1;
        1 while sysread $client, $in, 65536;
    };

    while (1) {
        my $f = decode_frame(\$in);

        if (!$f) {
            sysread $client, $in, 65536, length $in or return;
            next;
        }

        if (!$f->{mask} || $f->{rsv}) {
            $send->(opcode => 8, payload => pack 'na*', 1002, 'protocol');
            return $leave->();
        }

        if ($f->{opcode} >= 8) {
            $send->(opcode => 10, payload => $f->{payload})
                if $f->{opcode} == 9;
            next if $f->{opcode} != 8;
            $send->(opcode => 8, payload => $f->{payload});
            return $leave->();
        }

        $message .= $f->{payload};
        next if !$f->{fin};
        my $text = $message;
        $message = '';

        if ($text eq 'PING') {
            $send->(opcode => 9, payload => 'are you there');
        } elsif ($text =~ /^CLOSE (\d+)/) {
            $send->(opcode => 8, payload => pack 'na*', $1, 'as told');
            return $leave->();
        } elsif ($text eq 'END') {
            return;
        } elsif ($text eq 'FRAGMENTS') {
            $send->(payload => '{"frag":', fin => 0);
            $send->(opcode => 9, payload => 'between');
            $send->(opcode => 0, payload => '"ments"}');
        } elsif ($text eq 'MASKED') {
            $send->(payload => 'x', mask => 1);
        } else {
            $send->(payload => $text);
        }
    }
}


1;
