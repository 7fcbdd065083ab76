package Test::Nginx::Http;

# Test::Nginx::Http: requests of a block, the bytes on the wire, responses.
#
#     my @reqs = build_requests($block);        # what the sections ask for
#     my $got  = exchange($req, %options);      # { raw, end }
#     my ($res, $left) = parse_response($raw, $is_head);
#
# A request is { packets => [{ value, delay_before }...], count, head }:
# count is the number of responses to wait for (more than one when
# pipelined), head a list with a true value for each HEAD among them.
#
# Sections read here: request, raw_request, raw_request_middle_delay,
# pipelined_requests, more_headers.  A request is a string
# "METHOD URL [VERSION]\nbody" or, through "eval", an array of such strings;
# each may again be an array of packets (strings or { value, delay_before }),
# sent as separate writes.  Host, Connection and Content-Length are added
# where more_headers does not set them.  As in the upstream tool, blanks
# around the body are not part of it; use packets or raw_request for those.

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(build_requests build_request exchange connect_to
    parse_response);


# All requests of the block, in order.

sub build_requests {
    my ($block) = @_;

    my $raw = $block->raw_request;

    if (defined $raw) {
        my $delay = $block->raw_request_middle_delay;
        my @packets = map { { value => $_, delay_before => $delay || 0 } }
                      ref $raw ? @$raw : $raw;

        $packets[0]{delay_before} = 0;
        return { packets => \@packets, count => 1,
                 head => [$packets[0]{value} =~ /\A\s*HEAD\s/ ? 1 : 0] };
    }

    my $pipelined = $block->pipelined_requests;

    if (defined $pipelined) {
        die "pipelined_requests must be an array\n"
            if ref $pipelined ne 'ARRAY';

        return _pipeline($block, @$pipelined);
    }

    my $request = $block->request;
    return if !defined $request;

    my @list = ref $request eq 'ARRAY' ? @$request : ($request);
    my $i = 0;

    return map { _single($block, $_, $i++) } @list;
}


sub _single {
    my ($block, $request, $i) = @_;

    my @packets = map { ref $_ eq 'HASH' ? { %$_ } : { value => $_ } }
                  ref $request eq 'ARRAY' ? @$request : ($request);

    if (!ref $request) {
        # Comment lines before the request line.
        $packets[0]{value} =~ s/\A(?:\s*#[^\n]*\n|\s+)+//;
    }

    my @values = build_request(_headers($block, $i), 'close',
        map { $_->{value} } @packets);

    $packets[$_]{value} = $values[$_] for 0 .. $#packets;

    return { packets => \@packets, count => 1,
             head => [$values[0] =~ /\A\s*HEAD\s/ ? 1 : 0] };
}


sub _pipeline {
    my ($block, @requests) = @_;

    my ($bytes, @head) = ('');

    for my $i (0 .. $#requests) {
        my $last = $i == $#requests ? 'close' : 'keep-alive';

        $bytes .= (build_request(_headers($block, $i), $last,
            $requests[$i]))[0];
        push @head, $requests[$i] =~ /\A\s*HEAD\s/ ? 1 : 0;
    }

    return { packets => [{ value => $bytes }], count => scalar @requests,
             head => \@head };
}


# The more_headers of request number $i, without comment lines.

sub _headers {
    my ($block, $i) = @_;

    my $headers = $block->more_headers;

    if (ref $headers eq 'ARRAY') {
        $headers = $headers->[$i];
        die "more_headers lacks data for request $i\n" if !defined $headers;
    }

    return join '', map { "$_\r\n" } grep { /\S/ && !/^\s*#/ }
                    split /\r?\n/, defined $headers ? $headers : '';
}


# Puts the headers between the request line and the body, and returns as
# many packets as came in: packet borders stay where they were in the text.

sub build_request {
    my ($headers, $connection, @packets) = @_;

    my $text = join '', @packets;
    my ($line) = $text =~ /\A([^\n]*)/;
    my $body = substr $text, length $line;
    my $skip = $body =~ s/\A\n// ? 1 : 0;

    my ($method, $url, $version, $rest) = split ' ', $line;

    die "empty request\n" if !defined $method;
    die "request line \"$line\" is not \"METHOD [URL [VERSION]]\"\n"
        if defined $rest;

    $url = '/' if !defined $url;
    $version = 'HTTP/1.1' if !defined $version;

    $body =~ s/\A\s+|\s+\z//g if @packets == 1;

    my $head = "$method $url $version\r\n";

    $head .= "Host: localhost\r\n" if $headers !~ /^Host:/mi;
    $head .= "Connection: $connection\r\n" if $headers !~ /^Connection:/mi;
    $head .= $headers;

    if ($body ne '' && $headers !~ /^(?:Content-Length|Transfer-Encoding):/mi)
    {
        $head .= 'Content-Length: ' . length($body) . "\r\n";
    }

    $head .= "\r\n";

    return $head . $body if @packets == 1;

    # Where an offset of the old text lies in the new one.
    my $move = sub {
        my ($at) = @_;
        return $at if $at <= length $line;
        return length($head) + $at - length($line) - $skip;
    };

    my ($new, $from, $at, @out) = ($head . $body, 0, 0);

    for my $packet (@packets) {
        $at += length $packet;
        my $to = $at == length $text ? length $new : $move->($at);
        push @out, substr $new, $from, $to - $from;
        $from = $to;
    }

    return @out;
}


# A connected TCP socket, or undef with $! set.

sub connect_to {
    my ($addr, $port, $timeout) = @_;

    return IO::Socket::INET->new(PeerAddr => $addr, PeerPort => $port,
        Proto => 'tcp', Timeout => $timeout || 3);
}


# Sends the packets and reads what comes back.  Options: addr, port, timeout
# (seconds of silence allowed).  Returns { raw => bytes, end => 'eof',
# 'reset', 'complete' (all responses are there and the server keeps the
# connection) or 'timeout' }, or undef when the connect fails.

sub exchange {
    my ($req, %o) = @_;

    my $sock = connect_to($o{addr}, $o{port}, $o{timeout}) or return;
    local $SIG{PIPE} = 'IGNORE';

    my $raw = '';
    my $end = _send_packets($sock, $req, $o{timeout}, \$raw);

    # Once everything has come, a short silence means keep-alive.
    my $select = IO::Select->new($sock);

    while (!$end) {
        my $done = _is_complete($raw, $req);
        my $wait = $done && $o{timeout} > 0.1 ? 0.1 : $o{timeout};

        if (!$select->can_read($wait)) {
            $end = $done ? 'complete' : 'timeout';
            last;
        }

        $end = _read_some($sock, \$raw);
    }

    close $sock;

    return { raw => $raw, end => $end };
}


# A server that answers before it has read everything must not block us:
# read while writing.

sub _send_packets {
    my ($sock, $req, $timeout, $raw) = @_;

    my $select = IO::Select->new($sock);
    $sock->blocking(0);

    for my $packet (@{$req->{packets}}) {
        sleep $packet->{delay_before} if $packet->{delay_before};

        my $bytes = $packet->{value};

        while (length $bytes) {
            my ($r, $w) = IO::Select->select($select, $select, undef,
                $timeout);

            return 'timeout' if !$w;

            if (@$r) {
                my $end = _read_some($sock, $raw);
                return $end if $end;
            }

            if (@$w) {
                my $n = syswrite $sock, $bytes;
                if (!defined $n) {
                    next if $!{EAGAIN} || $!{EINTR};
                    last;    # the answer may already be there: go and read
                }
                substr($bytes, 0, $n) = '';
            }
        }
    }

    return;
}


sub _read_some {
    my ($sock, $raw) = @_;

    my $n = sysread $sock, $$raw, 65536, length $$raw;

    return $n ? undef : 'eof' if defined $n;
    return if $!{EAGAIN} || $!{EINTR};
    return 'reset';
}


sub _is_complete {
    my ($raw, $req) = @_;

    for my $i (0 .. $req->{count} - 1) {
        my ($res, $left) = parse_response($raw, $req->{head}[$i]);

        return 0 if !$res || $res->{partial};
        return 1 if $res->code == 101;
        $raw = $left;
    }

    return 1;
}


# Parses one response.  Returns the response and the bytes after it; nothing
# when there is no complete header.  $res->{partial} tells why a body is not
# complete ("" when it is); a body without a length ends with the input and
# is always partial, as only the caller knows about the end of the stream.

sub parse_response {
    my ($raw, $is_head) = @_;

    my ($res, $left);

    do {
        $raw =~ m{\A(HTTP/(\d\.\d)[ ](\d{3})(?:[ ]([^\r\n]*))?\r\n
                     (?:[^\r\n]+\r\n)*)\r\n}x
            or return;
        my ($head, $version, $code, $reason) = ($1, $2, $3, $4);
        $left = substr $raw, length($head) + 2;

        my (undef, @lines) = split /\r\n/, $head;
        my @headers = map { [split /:[ \t]*/, $_, 2] } @lines;

        $res = bless {
            code => $code, reason => $reason, version => $version,
            raw_headers => $head, headers => \@headers, partial => '',
            content => '',
        }, 'Test::Nginx::Response';

        $raw = $left;

    # Interim responses (100 Continue) are not the answer.
    } while ($res->{code} < 200 && $res->{code} != 101);

    if ($is_head || $res->{code} =~ /^(?:101|204|304)$/) {
        return ($res, $left);
    }

    my $length = $res->header('Content-Length');

    if (lc($res->header('Transfer-Encoding') || '') eq 'chunked') {
        ($res->{content}, $left, $res->{partial}) = _dechunk($left);

    } elsif (defined $length && $length =~ /^\d+$/) {
        $res->{content} = substr $left, 0, $length;
        $res->{partial} = 'body truncated' if length $left < $length;
        $left = length $left > $length ? substr($left, $length) : '';

    } else {
        ($res->{content}, $left) = ($left, '');
        $res->{partial} = 'body ends with the connection';
    }

    return ($res, $left);
}


sub _dechunk {
    my ($raw) = @_;

    my $body = '';

    while ($raw =~ /\G([0-9A-Fa-f]+)[ \t]*(?:;[^\r\n]*)?\r\n/gc) {
        my $size = hex $1;

        if ($size == 0) {
            $raw =~ /\G(?:[^\r\n]+\r\n)*\r\n/gc
                or return ($body, '', 'no end after the last chunk');
            return ($body, substr($raw, pos $raw), '');
        }

        my $at = pos $raw;
        return ($body, '', 'chunk truncated') if length $raw < $at + $size + 2;

        $body .= substr $raw, $at, $size;
        return ($body, '', 'no CRLF after a chunk')
            if substr($raw, $at + $size, 2) ne "\r\n";

        pos($raw) = $at + $size + 2;
    }

    return ($body, '', 'no chunk size where one is due');
}


package Test::Nginx::Response;

sub code { $_[0]{code} }

sub content { $_[0]{content} }

sub raw_headers { $_[0]{raw_headers} }


# All values of the header joined by ", ", undef when it is absent.

sub header {
    my ($self, $name) = @_;

    my @values = map { $_->[1] } grep { lc $_->[0] eq lc $name }
                 @{$self->{headers}};

    return @values ? join(', ', map { defined $_ ? $_ : '' } @values) : undef;
}


1;
