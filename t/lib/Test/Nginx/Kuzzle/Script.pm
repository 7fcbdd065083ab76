package Test::Nginx::Kuzzle::Script;

# Test::Nginx::Kuzzle::Script: the language of the "ws" section.  A script is
# a conversation of any number of clients with nginx, line by line; the first
# line that does not come true ends it.
#
#   open a                      WebSocket client a; options: path=/x port=N
#                               header="Name: value" protocol=p timeout=S auto=0
#                               (pings unanswered) status=400 (no 101) worker=N
#                               (sits on worker N) apart=b (not on b's worker)
#   open a + {"x":1}            ... with a first message in the same packet
#   a> {"action":"now"}         text message; anything but the words below
#   a> frag=5 {...}             ... in frames of 5 bytes (bytes=1: writes)
#   a> text T | bin T           text or binary message with payload T
#   a> ping T | pong T | close 1000 T
#   a> frame opcode=9 fin=1 rsv=0 mask=0 len=N wide=8 payload=T
#   a> raw hex:8100             bytes past the codec
#   a< {"status":200}           next message of a is a superset (see Json.pm)
#   a< {"status":200} {room=result.roomId, ch=result.channel}
#                               ... and these become $room and $ch
#   a<~ {...}                   ... not the next one, but one of those to come;
#                               the others stay, in order
#   a< in=9 {...}               ... within 9 seconds (default 3)
#   a< text T | bin T | /re/    next message is exactly T, or matches
#   a<close 1009                close frame with this code (and /reason/)
#   a<eof | a<gone | a<ping T | a<pong T   end of stream | any end | ...
#   a! 0.3                      nothing arrives for 0.3 s (pings may)
#   close a | fin a | drop a    close 1000 and wait for the end | our end of
#                               the stream | RST
#   same a b | apart a b        the two sit on one worker | on two
#   http POST /x/_create {"a":1} => 200 {"error":null} {id=result._id}
#                               a request; default: 200, or the status in {};
#                               "=> any" for no check; header="N: v" port=N
#                               may stand before the method
#   http as h GET /x            ... sent only; its response: "h< 503 {...}"
#   kill worker 0 [TERM]        signal (default KILL) to "worker N", "worker of
#   stop writer | cont writer   a", "writer" or "master"; STOP; CONT
#   workers [N] | writer        wait until N workers (default: as at the
#                               start) | a writer other than a killed one serve
#   reload | restart [KILL]     SIGHUP and new workers | stop (default QUIT)
#                               and start with the same files
#   log /re/                    wait for a line in error.log
#   set x=text | sleep 0.1
#   times 9 c$i> {"n":$i}       any line, with $i from 0
#
# T may be "hex:00ff"; inside any line <<repeat:70000:x>> and <<hex:ff>> expand,
# $name and ${name} are variables ($port, $root are set); those unknown stay.
# Blank lines and lines starting with # are skipped, a line that starts with a
# blank continues the line before.

use strict;
use warnings;

use parent qw(Test::Nginx::Kuzzle::Receive Test::Nginx::Kuzzle::Control);

use List::Util 'min';
use Time::HiRes qw(sleep time);

use Test::Nginx::Kuzzle::Json qw(json_encode json_type);
use Test::Nginx::Kuzzle::WS 'encode_frame';
use Test::Nginx::Process 'worker_pids';

# Pattern of a line and the method that gets its groups.

my @Verbs = (
    [qr/^(\w+)>\s*(.*)$/s, '_send'],
    [qr/^(\w+)<~\s*(.*)$/s, '_receive_any'],
    [qr/^(\w+)<\s*(.*)$/s, '_receive'],
    [qr/^(\w+)!\s*([\d.]+)?$/, '_silence'],
    [qr/^open\s+(\w+)\s*(.*)$/s, '_open'],
    [qr/^close\s+(\w+)$/, '_close'],
    [qr/^drop\s+(\w+)$/, '_drop'],
    [qr/^fin\s+(\w+)$/, '_fin'],
    [qr/^(same|apart)\s+(\w+)\s+(\w+)$/, '_compare_workers'],
    [qr/^http\s+(.*)$/s, '_http'],
    [qr/^(kill|stop|cont)\s+(worker\s+of\s+\w+|worker\s+\d+|writer|master)
        (?:\s+(\w+))?$/x, '_signal'],
    [qr/^workers(?:\s+(\d+))?$/, '_await_workers'],
    [qr/^writer$/, '_await_writer'],
    [qr/^reload$/, '_reload'],
    [qr/^restart(?:\s+(\w+))?$/, '_restart'],
    [qr{^log\s+/(.*)/$}s, '_await_log'],
    [qr/^set\s+(\w+)=(.*)$/s, '_set'],
    [qr/^sleep\s+([\d.]+)$/, '_pause'],
);


# Needed: port, root, master (code: pid), error_log (code: text).  Optional:
# restart (code, gets the signal's name), timeout (3), slow (1: a factor for
# all waiting).

sub new {
    my ($class, %o) = @_;

    my $self = bless { timeout => 3, slow => 1, clients => {}, calls => {},
        killed => {}, %o }, $class;

    $self->{vars} = { port => $o{port}, root => $o{root} };
    return $self;
}


# Does the script need a master process, which valgrind mode lacks?

sub needs_master {
    my ($text) = @_;
    return $text =~ /^\s*(?:times\s+\d+\s+)?(?:kill|stop|cont|workers|writer
                     |reload|restart|same|apart)\b
                    |^\s*open.*\b(?:worker|apart)=/mx;
}


# Runs the script.  Returns undef, or what went wrong, with the line.

sub run {
    my ($self, $text) = @_;

    my ($line, $number, @lines) = ('', 0);

    for my $part (split /\n/, $text) {
        $number++;
        next if $part =~ /^\s*(?:#.*)?$/;

        if ($part =~ /^\s+(.*)/ && @lines) {
            $lines[-1][1] .= " $1";
        } else {
            push @lines, [$number, $part =~ s/^\s+//r];
        }
    }

    # With a live master the number of workers to expect is known.
    my $master = $self->{master}->();
    $self->{workers} = $master ? scalar(worker_pids($master)) : 0;

    my $error;

    for my $entry (@lines) {
        ($number, $line) = @$entry;
        $line =~ s/\s+\z//;

        if (!eval { $self->_line($line); 1 }) {
            $error = "line $number: $line\n  $@";
            last;
        }
    }

    $error = $self->_violations if !defined $error;
    $_->disconnect for values %{$self->{clients}};

    return $error;
}


sub _line {
    my ($self, $line) = @_;

    if ($line =~ /^times\s+(\d+)\s+(.+)$/s) {
        my ($n, $inner) = ($1, $2);

        for my $i (0 .. $n - 1) {
            local $self->{vars}{i} = $i;
            $self->_line($inner);
        }
        return;
    }

    $line = $self->_expand($line);

    for my $verb (@Verbs) {
        if (my @args = $line =~ $verb->[0]) {
            # A pattern without groups returns (1).
            my $method = $verb->[1];
            return $self->$method($#+ ? @args : ());
        }
    }

    die "not a command\n";
}


# Variables (as they stand between quotes in JSON) and the << >> macros.

sub _expand {
    my ($self, $line) = @_;

    $line =~ s{\$(?:\{(\w+)\}|(\w+))}{
        my $name = defined $1 ? $1 : $2;
        exists $self->{vars}{$name} ? _as_text($self->{vars}{$name}) : $&;
    }ge;

    $line =~ s/<<repeat:(\d+):(.*?)>>/$2 x $1/gse;
    $line =~ s/<<hex:([0-9a-fA-F ]*)>>/_hex($1)/ge;

    return $line;
}


sub _as_text {
    my ($value) = @_;

    my $json = json_encode($value);
    return json_type($value) eq 'string' ? $json =~ s/\A"|"\z//gr : $json;
}


sub _hex {
    my ($digits) = @_;
    $digits =~ s/\s+//g;
    return pack 'H*', $digits;
}


sub _payload {
    my ($self, $text) = @_;
    return $text =~ /\Ahex:([0-9a-fA-F\s]*)\z/ ? _hex($1) : $text;
}


# Takes "name=value" and name="va lue" off the front, for the names given.

sub _options {
    my ($self, $text, @names) = @_;

    my %o = (header => []);
    my $names = join '|', @names;

    while ($$text =~ s/\A\s*($names)=(?:"([^"]*)"|(\S*))(?:\s+|\z)//) {
        my ($name, $value) = ($1, defined $2 ? $2 : $3);

        if ($name eq 'header') {
            push @{$o{header}}, $value;
        } else {
            $o{$name} = $value;
        }
    }

    return %o;
}


sub _client {
    my ($self, $name) = @_;
    return $self->{clients}{$name} || die "no client \"$name\"\n";
}


sub _wait { $_[0]{slow} * (defined $_[1] ? $_[1] : $_[0]{timeout}) }


# Sleeping, while the clients go on answering pings.

sub _pause {
    my ($self, $seconds) = @_;

    my $end = time + $seconds;

    while ((my $left = $end - time) > 0) {
        sleep min(0.05, $left);
        $_->poll for values %{$self->{clients}};
    }
}


sub _drop { $_[0]->_client($_[1])->disconnect(1) }

sub _fin { $_[0]->_client($_[1])->half_close }

sub _set { $_[0]{vars}{$_[1]} = $_[2] }


sub _open {
    my ($self, $name, $rest) = @_;

    my %o = $self->_options(\$rest, qw(path port header protocol timeout
        auto status worker apart));

    my $early = $rest =~ s/\A\+\s*(.+)\z//s ? $1 : '';
    die "cannot read \"$rest\"\n" if $rest ne '';

    push @{$o{header}}, "Sec-WebSocket-Protocol: $o{protocol}"
        if defined $o{protocol};

    my $connect = sub {
        Test::Nginx::Kuzzle::WS->connect(
            port => $o{port} || $self->{port}, headers => $o{header},
            path => defined $o{path} ? $o{path} : '/',
            auto => defined $o{auto} ? $o{auto} : 1,
            early => $early eq '' ? ''
                   : encode_frame(payload => $self->_payload($early)),
            timeout => $self->_wait($o{timeout}));
    };

    my $client = defined $o{worker} || defined $o{apart}
               ? $self->_connect_to_worker($connect, \%o) : $connect->();
    my $want = $o{status} || 101;

    die "handshake answered " . $client->status . ", expected $want\n"
        . $client->head if $client->status != $want;

    $self->{clients}{$name}->disconnect if $self->{clients}{$name};
    $self->{clients}{$name} = $client;
}


sub _send {
    my ($self, $name, $rest) = @_;

    my $client = $self->_client($name);
    my %cut = $self->_options(\$rest, qw(frag bytes));

    if ($rest =~ /\A(text|bin|ping|pong|close|raw|frame)(?:\s+(.*))?\z/s) {
        my ($kind, $arg) = ($1, defined $2 ? $2 : '');
        return $self->_send_kind($client, $kind, $arg, \%cut);
    }

    _send_message($client, 1, $rest, \%cut);
}


sub _send_kind {
    my ($self, $client, $kind, $arg, $cut) = @_;

    my %opcode = (text => 1, bin => 2, ping => 9, pong => 10);

    if ($opcode{$kind}) {
        my $payload = $self->_payload($arg);
        _send_message($client, $opcode{$kind}, $payload, $cut);

    } elsif ($kind eq 'raw') {
        _send_bytes($client, $self->_payload($arg), $cut);

    } elsif ($kind eq 'close') {
        my ($code, $reason) = $arg =~ /\A(\d+)?\s*(.*)\z/s;
        $client->send_close($code, $reason);

    } else {
        _send_bytes($client, $self->_frame($arg), $cut);
    }
}


# "opcode=9 fin=1 ... payload=T" as bytes; payload comes last.

sub _frame {
    my ($self, $text) = @_;

    my ($head, $payload) = split /\bpayload=/, $text, 2;
    my %o = $self->_options(\$head, qw(opcode fin rsv mask len wide));

    delete $o{header};
    die "cannot read \"$head\"\n" if $head =~ /\S/;

    $o{mask} = _hex($1) if ($o{mask} || '') =~ /\Ahex:(\w{8})\z/;
    $o{payload} = $self->_payload($payload) if defined $payload;

    return encode_frame(%o);
}


sub _send_message {
    my ($client, $opcode, $payload, $cut) = @_;

    my @parts = $cut->{frag} ? unpack "(a$cut->{frag})*", $payload
              : ($payload);
    @parts = ('') if !@parts;

    for my $i (0 .. $#parts) {
        _send_bytes($client, encode_frame(payload => $parts[$i],
            opcode => $i == 0 ? $opcode : 0, fin => $i == $#parts), $cut);
    }
}


# A peer that has gone is seen by what is received, not here.

sub _send_bytes {
    my ($client, $bytes, $cut) = @_;

    return $client->send_raw($bytes) if !$cut->{bytes};

    for my $part (unpack "(a$cut->{bytes})*", $bytes) {
        $client->send_raw($part) or return;
        sleep 0.002;
    }
}


sub _close {
    my ($self, $name) = @_;

    my $client = $self->_client($name);
    my $end = time + $self->_wait;

    $client->send_close(1000);

    while (my $event = $self->_next_event($client, $end)) {
        return $client->disconnect if $event->{type} eq 'eof';
    }

    die "the server does not end the connection\n";
}


# What a server must never send is a failure also where nobody looked.

sub _violations {
    my ($self) = @_;

    for my $name (sort keys %{$self->{clients}}) {
        my $client = $self->{clients}{$name};

        while (my $event = $client->next_event(0)) {
            return "client $name got $event->{payload}"
                if $event->{type} eq 'violation';
        }
    }

    return;
}


1;
