#!/usr/bin/perl

# Loads a file of JSON lines into a collection, one document per request over
# several keep-alive connections, and notes what the server has acknowledged.
#
#     load.pl --base http://127.0.0.1:7512/nyc/taxi --acked ids trips.jsonl
#     load.pl --base http://127.0.0.1:7512/nyc/taxi --acked ids --verify
#
#   --base URL          the collection
#   --acked FILE        each acknowledged id, one per line, written (and
#                       flushed) before the next answer is read; appended to
#   --connections N     4
#   --id-field F        the document's own field F is its id; without it the
#                       server makes ids up
#   --retry SECONDS     0; how long to try to reach a server that went away.
#                       A request without an answer is never sent again: it
#                       may have been carried out
#   --timeout SECONDS   10; nothing may take longer
#   --verify            get each acknowledged document; --id-field: and see
#                       that the field is in it
#   --quiet             only the summary
#
# Without a file name the documents come from stdin.  The ids also go to
# stdout when --acked is not given.  The last line of the output is
#
#     sent=N acked=N refused=N unanswered=N
#     verified=N missing=N failed=N
#
# refused: answered, but not with 200; unanswered: the connection ended first.
# Exit code: 0 all is well; 1 something was refused, is missing or failed;
# 2 wrong usage; 3 the server went away.

use strict;
use warnings;

use Errno qw(EAGAIN EINTR EINPROGRESS);
use Getopt::Long;
use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time sleep);

my %opt = (connections => 4, retry => 0, timeout => 10);

GetOptions(\%opt, 'base=s', 'acked=s', 'connections|c=i', 'id-field=s',
           'retry=f', 'timeout=f', 'verify', 'quiet')
    && $opt{base} && (!$opt{verify} || $opt{acked}) && @ARGV <= 1
    or usage();

my ($host, $port, $path) =
    $opt{base} =~ m{^http://([^/:]+)(?::(\d+))?(/.*?)/?$} or usage();

$port ||= 80;

$SIG{PIPE} = 'IGNORE';

my %sum = map { $_ => 0 } qw(sent acked refused unanswered verified missing
                             failed);
my ($gone, $input, $acked);

exit($opt{verify} ? verify() : load());


sub usage {
    print STDERR "usage: load.pl --base http://HOST[:PORT]/INDEX/COLLECTION"
                 . " [--acked FILE] [options] [FILE]\n"
                 . "       load.pl --base ... --acked FILE --verify\n";
    exit 2;
}


sub load {
    if (@ARGV) {
        open $input, '<', $ARGV[0] or fatal("$ARGV[0]: $!");

    } else {
        $input = \*STDIN;
    }

    if ($opt{acked}) {
        open $acked, '>>', $opt{acked} or fatal("$opt{acked}: $!");

    } else {
        $acked = \*STDOUT;
    }

    $acked->autoflush(1);

    run(\&next_document, \&document_answered);

    print "sent=$sum{sent} acked=$sum{acked} refused=$sum{refused}"
          . " unanswered=$sum{unanswered}\n";

    return $sum{refused} ? 1 : $gone || $sum{unanswered} ? 3 : 0;
}


# The next request as { text }, or undef at the end of the input.

sub next_document {
    my $line;

    do {
        $line = <$input>;
        return undef if !defined $line;

        $line =~ s/\s+\z//;
    } while ($line eq '');

    my $uri = "$path/_create";
    my $id;

    if (defined $opt{'id-field'}) {
        ($id) = $line =~ /"\Q$opt{'id-field'}\E":\s*"([^"\\]+)"/;

        fatal("no \"$opt{'id-field'}\" in $line") if !defined $id;

        $uri = "$path/" . escape($id) . '/_create';
    }

    $sum{sent}++;

    return {
        text => "POST $uri HTTP/1.1\r\nHost: $host:$port\r\n"
                . "Content-Type: application/json\r\n"
                . 'Content-Length: ' . length($line) . "\r\n\r\n$line",
    };
}


sub document_answered {
    my ($request, $status, $body) = @_;

    if (!defined $status) {
        $sum{unanswered}++;
        return;
    }

    if ($status != 200 || $body !~ /"_id":\s*"([^"\\]+)"/) {
        warn "load.pl: refused with $status: $body\n"
            if $sum{refused}++ == 0 && !$opt{quiet};
        return;
    }

    $sum{acked}++;
    print $acked "$1\n" or fatal("cannot write: $!");
}


sub verify {
    open $input, '<', $opt{acked} or fatal("$opt{acked}: $!");

    run(\&next_id, \&id_answered);

    print "verified=$sum{verified} missing=$sum{missing}"
          . " failed=$sum{failed}\n";

    return $gone ? 3 : $sum{missing} || $sum{failed} ? 1 : 0;
}


sub next_id {
    my $id = <$input>;

    # a line without its end: the loader was killed while it wrote

    return undef if !defined $id || $id !~ /\n\z/;

    chomp $id;

    return {
        id   => $id,
        text => "GET $path/" . escape($id) . " HTTP/1.1\r\n"
                . "Host: $host:$port\r\n\r\n",
    };
}


sub id_answered {
    my ($request, $status, $body) = @_;

    my $id = $request->{id};

    if (!defined $status) {
        $sum{failed}++;

    } elsif ($status == 404) {
        print "missing $id\n" if !$opt{quiet};
        $sum{missing}++;

    } elsif ($status != 200 || $body !~ /"_id":\s*"\Q$id\E"/
             || defined $opt{'id-field'}
                && $body !~ /"\Q$opt{'id-field'}\E":\s*"\Q$id\E"/)
    {
        print "failed $id: $status $body\n" if !$opt{quiet};
        $sum{failed}++;

    } else {
        $sum{verified}++;
    }
}


sub escape {
    my ($s) = @_;

    $s =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;

    return $s;
}


sub fatal {
    print STDERR "load.pl: $_[0]\n";
    exit 2;
}


# The event loop.  $next gives a request or undef, $answered gets a request
# with its status and body, or without them when there was no answer.
#
# The server counts as away from the moment a connection fails or ends until
# the next answer; after --retry seconds of that nothing new is asked for.

sub run {
    my ($next, $answered) = @_;

    my $select_r = IO::Select->new;
    my $select_w = IO::Select->new;
    my (%conn, @unsent, $over);
    my $away = 0;

    my $more = sub { !$gone && (!$over || @unsent) };

    my $drop = sub {
        my ($c, $failed) = @_;

        $select_r->remove($c->{socket});
        $select_w->remove($c->{socket});
        delete $conn{fileno $c->{socket}};
        close $c->{socket};

        $away ||= time if $failed;

        return if !$c->{request};

        # what was never sent may be sent on another connection

        if ($c->{out} eq $c->{request}{text}) {
            push @unsent, $c->{request};

        } else {
            $answered->($c->{request});
        }
    };

    my $start = sub {
        my ($c) = @_;

        $c->{request} = $more->() ? shift @unsent // $next->() : undef;

        if (!defined $c->{request}) {
            $over = 1;
            return $drop->($c);
        }

        $c->{out} = $c->{request}{text};
        $c->{in} = '';
        $c->{since} = time;

        $select_w->add($c->{socket});
    };

    for ( ;; ) {

        while ($more->() && keys %conn < $opt{connections}) {
            my $socket = connection();

            if (!$socket) {
                $away ||= time;
                last;
            }

            my $c = $conn{fileno $socket} = { socket => $socket };

            $select_r->add($socket);
            $start->($c);
        }

        if ($away && $more->() && time - $away >= $opt{retry}) {
            $gone = 1;
        }

        if (!%conn) {
            last if !$more->();

            sleep 0.05;
            next;
        }

        my ($r, $w) = IO::Select->select($select_r, $select_w, undef, 0.1);

        for my $socket (@{ $w || [] }) {
            my $c = $conn{fileno($socket) // -1} or next;

            output($c) or $drop->($c, 1), next;
            $select_w->remove($socket) if $c->{out} eq '';
        }

        for my $socket (@{ $r || [] }) {
            my $c = $conn{fileno($socket) // -1} or next;

            my ($status, $body, $close) = input($c);

            if (!defined $status) {
                $drop->($c, 1) if $close;
                next;
            }

            $away = 0;
            $answered->(delete $c->{request}, $status, $body);

            $close ? $drop->($c) : $start->($c);
        }

        for my $c (values %conn) {
            $drop->($c, 1) if time - $c->{since} > $opt{timeout};
        }
    }

    # what no connection would take any more

    $sum{sent} -= @unsent;
}


sub connection {
    my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port,
                                       Proto => 'tcp', Timeout => 2)
        or return undef;

    $socket->blocking(0);

    return $socket;
}


# Sends what it can; false: the connection is dead.

sub output {
    my ($c) = @_;

    my $n = syswrite $c->{socket}, $c->{out};

    return $! == EAGAIN || $! == EINTR if !defined $n;

    substr($c->{out}, 0, $n) = '';

    return 1;
}


# Reads what is there; returns status, body and "close" of a whole answer,
# (undef, undef, 1) when the connection ended, nothing when more must come.

sub input {
    my ($c) = @_;

    my $n = sysread $c->{socket}, $c->{in}, 65536, length $c->{in};

    if (!defined $n) {
        return if $! == EAGAIN || $! == EINTR;
        return (undef, undef, 1);
    }

    return (undef, undef, 1) if $n == 0;

    my $end = index $c->{in}, "\r\n\r\n";
    return if $end < 0;

    my $head = substr $c->{in}, 0, $end + 2;
    my $body = substr $c->{in}, $end + 4;

    my ($status) = $head =~ m{^HTTP/1\.\d (\d{3})};
    my $close = $head =~ /^Connection:\s*close/mi;

    return (undef, undef, 1) if !defined $status;

    if ($head =~ /^Content-Length:\s*(\d+)/mi) {
        return if length $body < $1;

    } elsif ($head =~ /^Transfer-Encoding:\s*chunked/mi) {
        $body = unchunk($body);
        return if !defined $body;

    } else {
        $close = 1;
    }

    return ($status, $body, $close);
}


sub unchunk {
    my ($text) = @_;

    my $body = '';

    while ($text =~ s/^([0-9a-fA-F]+)[^\n]*\n//) {
        my $size = hex $1;

        return $body if $size == 0 && $text =~ /^\r\n/;
        return undef if length $text < $size + 2;

        $body .= substr $text, 0, $size;
        substr($text, 0, $size + 2) = '';
    }

    return undef;
}
