package Test::Nginx::Kuzzle::WS;

# Test::Nginx::Kuzzle::WS: a WebSocket client for tests (RFC 6455).
#
# It is strict about what the server sends and lets a test send anything.
#
#     my $bytes = encode_frame(opcode => 1, payload => 'hi');
#     my $frame = decode_frame(\$buffer);    # undef: needs more bytes
#
#     my $c = Test::Nginx::Kuzzle::WS->connect(port => 7512, path => '/');
#     $c->send_text('{}');  $c->send_raw("\x81");
#     my $e = $c->next_event(2);             # undef after two seconds
#
# Events: { type, payload, ... } with type text, binary, ping, pong, close
# (code, reason), eof, reset, or violation (what the server did wrong).
# Pings and close frames are answered at once, as a browser does, unless
# the client was made with auto => 0.

use strict;
use warnings;

use Digest::SHA 'sha1_base64';
use Encode ();
use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use MIME::Base64 'encode_base64';
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes 'time';

our @EXPORT_OK = qw(encode_frame decode_frame frame_violation accept_key);

use constant GUID => '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

use constant {
    OP_CONT => 0, OP_TEXT => 1, OP_BINARY => 2,
    OP_CLOSE => 8, OP_PING => 9, OP_PONG => 10,
};


# One frame.  Options: opcode (1), fin (1), rsv (0..7), payload (""), mask
# (1: a random key, 0: none, or four bytes), len (a length to announce that
# is not the payload's), wide (2 or 8: a longer length field than needed).

sub encode_frame {
    my (%o) = (opcode => OP_TEXT, fin => 1, rsv => 0, mask => 1,
        payload => '', @_);

    my $payload = $o{payload};
    my $len = defined $o{len} ? $o{len} : length $payload;
    my $wide = $o{wide} || ($len < 126 ? 0 : $len < 65536 ? 2 : 8);
    my $bit = $o{mask} ? 0x80 : 0;

    my $head = pack 'C', ($o{fin} ? 0x80 : 0) | $o{rsv} << 4 | $o{opcode};

    $head .= $wide == 0 ? pack('C', $bit | $len)
           : $wide == 2 ? pack('Cn', $bit | 126, $len)
           : pack('CQ>', $bit | 127, $len);

    return $head . $payload if !$o{mask};

    my $key = length $o{mask} == 4 ? $o{mask} : pack 'N', int rand 2 ** 32;

    return $head . $key . _mask($payload, $key);
}


sub _mask {
    my ($bytes, $key) = @_;
    my $pad = $key x (length($bytes) / 4 + 1);
    return $bytes ^ substr $pad, 0, length $bytes;
}


# Takes one whole frame off the buffer: { fin, rsv, opcode, mask, payload }.

sub decode_frame {
    my ($buffer) = @_;

    return if length $$buffer < 2;

    my ($b0, $b1) = unpack 'CC', $$buffer;
    my ($len, $at) = ($b1 & 0x7f, 2);

    if ($len >= 126) {
        my ($size, $format) = $len == 126 ? (2, 'n') : (8, 'Q>');
        return if length $$buffer < 2 + $size;
        $len = unpack $format, substr $$buffer, 2, $size;
        $at += $size;
    }

    my $masked = $b1 & 0x80;
    my $key = '';

    return if length $$buffer < $at + ($masked ? 4 : 0) + $len;

    if ($masked) {
        $key = substr $$buffer, $at, 4;
        $at += 4;
    }

    my $payload = substr $$buffer, $at, $len;
    $payload = _mask($payload, $key) if $masked;
    substr($$buffer, 0, $at + $len) = '';

    return { fin => $b0 >> 7, rsv => $b0 >> 4 & 7, opcode => $b0 & 15,
             mask => $masked ? 1 : 0, payload => $payload };
}


# What a server's frame does wrong (RFC 6455, 5.1 to 5.5), undef if nothing.
# $open tells whether a fragmented message is being received.

sub frame_violation {
    my ($f, $open) = @_;

    my $op = $f->{opcode};

    return 'a masked frame' if $f->{mask};
    return "reserved bits $f->{rsv}" if $f->{rsv};
    return "reserved opcode $op" if $op > 10 || $op > 2 && $op < 8;

    if ($op >= OP_CLOSE) {
        return 'a fragmented control frame' if !$f->{fin};
        return 'a control frame over 125 bytes' if length $f->{payload} > 125;
        return 'a close frame of one byte'
            if $op == OP_CLOSE && length $f->{payload} == 1;
        return;
    }

    return 'a continuation of nothing' if $op == OP_CONT && !$open;
    return 'a new message inside a message' if $op != OP_CONT && $open;
    return;
}


sub accept_key {
    my ($key) = @_;
    return sha1_base64($key . GUID) . '=';
}


# A TCP connection without a handshake, for bytes of any kind.  Options:
# addr, port, timeout.

sub dial {
    my $class = shift;
    my %o = (addr => '127.0.0.1', timeout => 5, @_);

    my $sock = IO::Socket::INET->new(PeerAddr => $o{addr},
        PeerPort => $o{port}, Proto => 'tcp', Timeout => $o{timeout})
        or die "cannot connect to $o{addr}:$o{port}: $!\n";

    setsockopt $sock, IPPROTO_TCP, TCP_NODELAY, 1;
    $sock->blocking(0);

    return bless {
        sock => $sock, in => '', events => [], auto => 1, status => 0,
        timeout => $o{timeout}, local_port => $sock->sockport,
    }, $class;
}


# All bytes up to the end of the stream or until time is up.

sub read_all {
    my ($self, $timeout) = @_;

    my $end = time + $timeout;

    while ((my $left = $end - time) > 0) {
        last if $self->_read($left);
    }

    return $self->{in};
}


# Connects and does the handshake.  Options: those of dial() and path,
# headers (list of "Name: value" lines; one that is set here replaces ours,
# "Name:" removes it), early (bytes sent in one packet with the handshake),
# auto.  Dies when there is no HTTP answer.  $c->status is 101 when the
# socket is open; any other status is for the caller to judge.

sub connect {
    my $class = shift;
    my %o = (path => '/', auto => 1, early => '', headers => [], @_);

    my $self = $class->dial(%o);

    $self->{auto} = $o{auto};
    $self->_handshake(\%o);

    return $self;
}


sub _handshake {
    my ($self, $o) = @_;

    my $key = encode_base64(pack('N4', map { int rand 2 ** 32 } 1 .. 4), '');

    my %own = map { /^([^:]+):/ ? (lc $1 => 1) : () } @{$o->{headers}};
    my @lines = (
        "Host: localhost:$o->{port}", 'Upgrade: websocket',
        'Connection: Upgrade', "Sec-WebSocket-Key: $key",
        'Sec-WebSocket-Version: 13',
    );

    @lines = grep { /^([^:]+):/ && !$own{lc $1} } @lines;
    push @lines, grep { !/^[^:]+:\s*$/ } @{$o->{headers}};

    $self->send_raw(join("\r\n", "GET $o->{path} HTTP/1.1", @lines, '', '')
        . $o->{early});

    my $end = time + $o->{timeout};

    while (1) {
        if ($self->{in} =~ s/\A(.*?\r\n)\r\n//s) {
            $self->{head} = $1;
            last;
        }

        my $left = $end - time;
        die "no answer to the handshake\n" if $left <= 0;
        die "connection closed in the handshake\n"
            if $self->_read($left);
    }

    ($self->{status}) = $self->{head} =~ m{\AHTTP/1\.1 (\d{3})};
    $self->{status} ||= 0;
    $self->{ended} = $self->{status} != 101;

    return if $self->{ended} || $own{'sec-websocket-key'};

    my ($accept) = $self->{head} =~ /^Sec-WebSocket-Accept:\s*(\S+)/mi;
    die "wrong Sec-WebSocket-Accept\n"
        if !defined $accept || $accept ne accept_key($key);
}


sub status { $_[0]{status} }

sub head { $_[0]{head} }

sub local_port { $_[0]{local_port} }

sub is_open { defined $_[0]{sock} && !$_[0]{ended} }


# Writes bytes as they are.  False when the peer has gone (which a test may
# want: the next event tells how).

sub send_raw {
    my ($self, $bytes) = @_;

    return 0 if !$self->{sock};

    local $SIG{PIPE} = 'IGNORE';
    my $select = IO::Select->new($self->{sock});
    my $end = time + $self->{timeout};

    while (length $bytes) {
        my $n = syswrite $self->{sock}, $bytes;

        if (defined $n) {
            substr($bytes, 0, $n) = '';
            next;
        }

        return 0 if !$!{EAGAIN} && !$!{EINTR};

        # Both sides may be full: take what has come before waiting.
        $self->_fill(0);
        die "cannot write for $self->{timeout} s\n" if time > $end;
        $select->can_write(0.05);
    }

    return 1;
}


sub send_frame {
    my ($self, %o) = @_;
    return $self->send_raw(encode_frame(%o));
}

sub send_text { $_[0]->send_frame(payload => $_[1]) }


sub send_close {
    my ($self, $code, $reason) = @_;

    $self->{close_sent} = 1;
    return $self->send_frame(opcode => OP_CLOSE, payload => defined $code
        ? pack('n', $code) . (defined $reason ? $reason : '') : '');
}


# The end of our sending side; the socket can still be read.

sub half_close { shutdown $_[0]{sock}, 1 if $_[0]{sock} }


# Closes without a word; with $reset the peer gets a RST.

sub disconnect {
    my ($self, $reset) = @_;

    return if !$self->{sock};

    setsockopt $self->{sock}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
        if $reset;
    close $self->{sock};
    $self->{sock} = undef;
}


# The next event within $timeout seconds, undef when there is none.

sub next_event {
    my ($self, $timeout) = @_;

    my $end = time + $timeout;

    while (!@{$self->{events}}) {
        my $left = $end - time;
        return if !$self->is_open || $left <= 0;
        $self->_fill($left);
    }

    return shift @{$self->{events}};
}


# Puts events back, before all others.

sub unread { my $self = shift; unshift @{$self->{events}}, @_ }


# Reads what has come without waiting: keeps pings answered.

sub poll { $_[0]->_fill(0) if $_[0]->is_open }


# Reads once; "eof", "reset" or nothing.

sub _read {
    my ($self, $timeout) = @_;

    return if !IO::Select->new($self->{sock})->can_read($timeout);

    my $n = sysread $self->{sock}, $self->{in}, 262144, length $self->{in};

    return $n ? undef : 'eof' if defined $n;
    return if $!{EAGAIN} || $!{EINTR};
    return 'reset';
}


sub _fill {
    my ($self, $timeout) = @_;

    return if $self->{ended};

    my $end = length $self->{in} && $self->_take_frames ? undef
            : $self->_read($timeout);

    $self->_take_frames;

    if ($end) {
        $self->{ended} = 1;
        push @{$self->{events}}, { type => 'violation',
            payload => 'the stream ends inside a frame' }
            if length $self->{in};
        push @{$self->{events}}, { type => $end };
    }
}


# Whole frames in the buffer become events; true when there was one.

sub _take_frames {
    my ($self) = @_;

    my $count = 0;

    while (my $frame = decode_frame(\$self->{in})) {
        $count++;

        my $wrong = frame_violation($frame, defined $self->{message});

        if ($wrong) {
            push @{$self->{events}}, { type => 'violation',
                payload => $wrong };
            next;
        }

        $self->_take_frame($frame);
    }

    return $count;
}


sub _take_frame {
    my ($self, $f) = @_;

    my $op = $f->{opcode};

    return $self->_take_control($f) if $op >= OP_CLOSE;

    if ($op != OP_CONT) {
        $self->{message} = { type => $op == OP_TEXT ? 'text' : 'binary',
            payload => '', frames => 0 };
    }

    my $message = $self->{message};
    $message->{payload} .= $f->{payload};
    $message->{frames}++;

    return if !$f->{fin};

    $self->{message} = undef;

    if ($message->{type} eq 'text' && !_is_utf8($message->{payload})) {
        $message = { type => 'violation', payload => 'text is not UTF-8' };
    }

    push @{$self->{events}}, $message;
}


sub _take_control {
    my ($self, $f) = @_;

    my $payload = $f->{payload};

    if ($f->{opcode} == OP_PING) {
        $self->send_frame(opcode => OP_PONG, payload => $payload)
            if $self->{auto};
        push @{$self->{events}}, { type => 'ping', payload => $payload };
        return;
    }

    if ($f->{opcode} == OP_PONG) {
        push @{$self->{events}}, { type => 'pong', payload => $payload };
        return;
    }

    my ($code, $reason) = length $payload ? unpack 'na*', $payload
                        : (1005, '');

    if ($self->{auto} && !$self->{close_sent}) {
        $self->{close_sent} = 1;
        $self->send_frame(opcode => OP_CLOSE,
            payload => substr $payload, 0, 2);
    }

    push @{$self->{events}}, { type => 'close', code => $code,
        reason => $reason, payload => $payload };
}


sub _is_utf8 {
    my ($bytes) = @_;
    return eval { Encode::decode('UTF-8', $bytes, Encode::FB_CROAK); 1 };
}


1;
