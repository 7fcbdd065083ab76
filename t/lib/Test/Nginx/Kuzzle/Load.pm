package Test::Nginx::Kuzzle::Load;

# Test::Nginx::Kuzzle::Load: HTTP clients that keep a server busy while
# something happens to it, and remember every answer.
#
#     my $load = Test::Nginx::Kuzzle::Load->new(
#         port => 7512, connections => 8,
#         next => sub { my ($k) = @_; return { method, path, body } or undef },
#         done => sub { my ($request) = @_; ... },
#     );
#     $load->run(0.5);                           # half a second of load
#     $load->run_until(sub { ... }, 5);          # ... until true
#     $load->drain(12);                          # what is asked is answered
#     ask_all($port, \@requests);                # just these; returns them
#
# Each connection is kept alive, asks next() for one request after the other
# and has one in flight.  A connection that ends is made again, for as long as
# it takes.  done() gets the hash of next() with these members added:
#
#     started ended       seconds (Time::HiRes); started with its first byte
#     outcome             "answer", "lost" (the connection ended first; it
#                         may have been carried out), "hung" (no answer within
#                         the limit, connection given up) or "unsent" (drain()
#                         came before any server took a byte of it)
#     status content      of an answer
#
# A request of which nothing was taken by the kernel is sent again elsewhere:
# nobody has seen it.  Nothing else is ever sent twice.
#
#     new():  port connections (8) next done, limit (12: seconds until a
#             request counts as hung)

use strict;
use warnings;

use Errno qw(EAGAIN EINTR EINPROGRESS);
use Exporter 'import';
use IO::Handle ();
use IO::Select;
use Socket qw(PF_INET SOCK_STREAM IPPROTO_TCP TCP_NODELAY MSG_PEEK
    pack_sockaddr_in inet_aton);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(ask_all);

# Seconds between two tries to connect.
my $RetryAfter = 0.02;


sub new {
    my ($class, %o) = @_;

    my $self = bless {
        connections => 8, limit => 12, done => sub { }, count => {}, worst => 0,
        %o,
    }, $class;

    $self->{slots} = [map { { k => $_, again => 0 } }
                      0 .. $self->{connections} - 1];

    return $self;
}


# Sends requests that only read, over eight connections, and returns them with
# their answers; one whose connection ends (a worker that drains) is sent once
# more.  What has no answer after a minute is "unsent" or "hung".

sub ask_all {
    my ($port, @requests) = ($_[0], @{$_[1]});

    my $n = @requests < 8 ? scalar @requests : 8;
    my @left = @requests;

    for my $try (1, 2) {
        my $load = __PACKAGE__->new(port => $port, connections => $n,
            next => sub { shift @left });

        $load->run_all(60);
        $load->drain(0.1);

        @left = grep { ($_->{outcome} || '') eq 'lost' } @requests;
        last if !@left;
    }

    $_->{outcome} ||= 'unsent' for @requests;

    return @requests;
}


# Requests by outcome, and the longest time any of them took.

sub count { return $_[0]{count}{$_[1]} || 0 }

sub worst { $_[0]{worst} }


sub run {
    my ($self, $seconds) = @_;
    $self->run_until(sub { 0 }, $seconds);
}


# Load until the code is true, which is what is returned, or time is up.

sub run_until {
    my ($self, $code, $seconds) = @_;

    my $end = time + $seconds;

    while (1) {
        my $value = $code->();
        return $value if $value || time >= $end;
        $self->_turn(1);
    }
}


# All of it: until next() gives nothing more to any connection.

sub run_all {
    my ($self, $seconds) = @_;

    return $self->run_until(sub {
        !grep { !$_->{over} || $_->{request} } @{$self->{slots}};
    }, $seconds);
}


# Asks for nothing new and waits for what is in flight.  What has no answer
# by then counts as hung.

sub drain {
    my ($self, $seconds) = @_;

    my $end = time + $seconds;

    while (grep { $_->{request} } @{$self->{slots}}) {
        last if time >= $end;
        $self->_turn(0);
    }

    for my $slot (@{$self->{slots}}) {
        $self->_end($slot, $slot->{request}{started} ? 'hung' : 'unsent')
            if $slot->{request};
        $self->_disconnect($slot);
    }
}


# One turn of the loop: at most 20 ms.

sub _turn {
    my ($self, $more) = @_;

    my ($readers, $writers, %by_fd) = (IO::Select->new, IO::Select->new);
    my $now = time;

    for my $slot (@{$self->{slots}}) {
        if (!$slot->{request}) {
            next if !$more || $slot->{over};
            $self->_ask($slot) or next;
        }

        if (!$slot->{sock}) {
            # Sent, or not: without a connection it waits for one.
            next if $now < $slot->{again} || !$self->_connect($slot);
        }

        $by_fd{fileno $slot->{sock}} = $slot;
        $readers->add($slot->{sock});
        $writers->add($slot->{sock}) if $slot->{out} ne '';
    }

    if (!%by_fd) {
        sleep 0.005;

    } else {
        my ($r, $w) = IO::Select->select($readers, $writers, undef, 0.02);

        for my $sock (@{$w || []}) {
            $self->_write($by_fd{fileno $sock});
        }

        for my $sock (@{$r || []}) {
            my $slot = defined fileno $sock ? $by_fd{fileno $sock} : undef;
            $self->_read($slot) if $slot;
        }
    }

    for my $slot (@{$self->{slots}}) {
        my $request = $slot->{request} or next;
        $self->_fail($slot, 'hung') if $request->{started}
            && time - $request->{started} > $self->{limit};
    }
}


sub _ask {
    my ($self, $slot) = @_;

    my $request = $self->{next}->($slot->{k});

    if (!$request) {
        $slot->{over} = 1;
        return 0;
    }

    my $body = defined $request->{body} ? $request->{body} : '';

    $slot->{request} = $request;
    $slot->{out} = "$request->{method} $request->{path} HTTP/1.1\r\n"
        . "Host: localhost\r\n"
        . ($body ne '' ? "Content-Type: application/json\r\n"
           . 'Content-Length: ' . length($body) . "\r\n" : '')
        . ($request->{headers} || '') . "\r\n" . $body;
    $slot->{whole} = length $slot->{out};
    $slot->{in} = '';

    # A connection that the server has closed since takes nothing.
    $self->_disconnect($slot) if $slot->{sock} && _is_over($slot->{sock});

    return 1;
}


sub _is_over {
    my ($sock) = @_;
    my $got = recv $sock, my $byte, 1, MSG_PEEK;
    return defined $got ? $byte eq '' : $! != EAGAIN && $! != EINTR;
}


sub _connect {
    my ($self, $slot) = @_;

    socket my $sock, PF_INET, SOCK_STREAM, 0 or die "socket: $!\n";

    $sock->blocking(0);
    setsockopt $sock, IPPROTO_TCP, TCP_NODELAY, 1;

    if (!connect $sock, pack_sockaddr_in($self->{port},
        inet_aton('127.0.0.1')) and $! != EINPROGRESS)
    {
        $slot->{again} = time + $RetryAfter;
        return 0;
    }

    $slot->{sock} = $sock;
    return 1;
}


sub _disconnect {
    my ($self, $slot) = @_;

    close $slot->{sock} if $slot->{sock};
    $slot->{sock} = undef;
    $slot->{again} = time + $RetryAfter;
}


sub _write {
    my ($self, $slot) = @_;

    return if !$slot || !$slot->{sock};

    local $SIG{PIPE} = 'IGNORE';
    my $n = syswrite $slot->{sock}, $slot->{out};

    if (defined $n) {
        $slot->{request}{started} ||= time;
        substr($slot->{out}, 0, $n) = '';

    } elsif ($! != EAGAIN && $! != EINTR) {
        $self->_fail($slot, 'lost');
    }
}


sub _read {
    my ($self, $slot) = @_;

    return if !$slot->{sock} || !$slot->{request};

    my $n = sysread $slot->{sock}, $slot->{in}, 262144, length $slot->{in};

    return if !defined $n && ($! == EAGAIN || $! == EINTR);
    return $self->_fail($slot, 'lost') if !$n;

    my $end = index $slot->{in}, "\r\n\r\n";
    return if $end < 0;

    my $head = substr $slot->{in}, 0, $end + 2;
    my ($length) = $head =~ /^Content-Length:\s*(\d+)/mi;

    # Kuzzle's answers have a length; nginx's own pages do, too.
    return $self->_fail($slot, 'lost') if !defined $length;
    return if length $slot->{in} < $end + 4 + $length;

    my $request = $slot->{request};

    ($request->{status}) = $head =~ m{\AHTTP/1\.1 (\d{3})};
    $request->{content} = substr $slot->{in}, $end + 4, $length;

    my $close = $head =~ /^Connection:\s*close/mi;

    $self->_disconnect($slot) if $close || $slot->{out} ne '';
    $self->_end($slot, 'answer');
}


# The connection is of no more use.

sub _fail {
    my ($self, $slot, $outcome) = @_;

    $self->_disconnect($slot);

    # Not a byte has left us: it goes by the next connection.
    return if $outcome eq 'lost' && length $slot->{out} == $slot->{whole};

    $self->_end($slot, $outcome);
}


sub _end {
    my ($self, $slot, $outcome) = @_;

    my $request = $slot->{request};

    $slot->{request} = undef;
    $slot->{out} = '';

    $request->{ended} = time;
    $request->{outcome} = $outcome;

    my $took = $request->{started}
             ? $request->{ended} - $request->{started} : 0;

    $self->{worst} = $took if $took > $self->{worst};
    $self->{count}{$outcome}++;
    $self->{count}{$request->{status}}++ if $outcome eq 'answer';

    $self->{done}->($request);
}


1;
