# What real Kuzzle servers of both generations answered, played again.
#
# t/data/golden-v1.jsonl and golden-v2.jsonl hold a request and its answer a
# line, in an order in which they can be played; lines with "setup" make what
# the others presuppose and are not compared.  Compared are status, headers of
# Kuzzle, the order of the members of envelope, error and notification, and
# all values, except those that differ from run to run: ids that were made,
# times, rooms, versions over 1, scores, totals, shards.

use Test::Nginx::Kuzzle;

use JSON::PP ();

use Test::Nginx::Http qw(parse_response);
use Test::Nginx::Kuzzle::Json qw(json_type);
use Test::Nginx::Kuzzle::WS;

my $Codec = JSON::PP->new->utf8->allow_nonref->canonical;

# What is different on purpose: generation, line, place, why.  A place is a
# path into the answer, "headers.x" or "status"; one that ends in * means all
# below it.

my @Known = (
    [1, qr/openapi|document:get _search/, '*',
     'routes that only 2.x has are served in every generation: one tree'],
    [1, qr/bad type value/, 'error.message', 'a text of the storage engine'],
    [1, qr/index:create/, 'result.index',
     'the answer of the storage engine, whose later versions name the index'],
    [1, qr/server:getConfig/, 'result.*', 'other settings: t/650-server.t'],
    [1, qr/document:count \(no args\)/, 'error.*',
     'Kuzzle lets the engine stumble; we name the missing argument'],
    [1, qr/document:mUpdate strict/, 'error.errors.0.error.index_uuid',
     'the storage engine has names for indexes of its own'],
    [1, qr/document:mUpdate\z/, 'error.errors.1.error.index_uuid', 'the same'],
    [2, qr/./, 'node',
     'Kuzzle 2 documents it; the recorded server had no name to give'],
    [2, qr/notif|ws-close/, 'message.node', 'the same'],
    [2, qr/bad type value/, 'error.*', 'a text of the storage engine'],
    [2, qr/getCurrentUser anonymous/, 'result.strategies',
     'Kuzzle answers [[]], a slip: there are none'],
    [2, qr/openapi-yaml/, 'body', 'a text of its own: t/651-openapi.t'],
    [2, qr/cluster:status/, 'result.activity.0.id', 'another name'],
    [2, qr/cluster:status/, 'result.nodes.0.id', 'another name'],
    [2, qr/server:getConfig/, 'result.*', 'other settings: t/650-server.t'],
    [2, qr/checkToken/, 'result.expiresAt',
     'Kuzzle 2 means -1 for "never"; the recorded server said null'],
);


# "golden: 1" in a block plays the lines of that generation.

Test::Nginx::Socket::add_block_action(golden => sub {
    my ($block, $server) = @_;

    my $generation = $block->golden + 0;
    my (%client, %used);

    open my $fh, '<', "t/data/golden-v$generation.jsonl" or die $!;

    while (my $line = <$fh>) {
        my $sample = $Codec->decode($line);

        my @wrong = eval { play($sample, $server->port, \%client) };
        @wrong = ($@) if $@;

        next if $sample->{setup} && !@wrong;

        @wrong = grep { !known($generation, $sample->{name}, $_, \%used) }
                 @wrong;

        ok(!@wrong, "$generation: $sample->{name}")
            or diag("line $.", map { "\n  $_" } @wrong);
    }

    $_->disconnect for grep { $_ } values %client;

    for my $i (grep { $Known[$_][0] == $generation } 0 .. $#Known) {
        ok($used{$i}, "$generation: still different: $Known[$i][2],"
            . " $Known[$i][3]");
    }
});


sub known {
    my ($generation, $name, $wrong, $used) = @_;

    my ($path) = $wrong =~ /\A(\S+): /;
    return 0 if !defined $path;

    for my $i (0 .. $#Known) {
        my ($g, $re, $place) = @{$Known[$i]};

        next if $g != $generation || $name !~ $re
                || $path !~ ($place =~ /\A(.*)\*\z/ ? qr/\A\Q$1\E/
                             : qr/\A\Q$place\E\z/);
        $used->{$i} = 1;
        return 1;
    }

    return 0;
}


# Sends the request; returns a list of "path: what differs".

sub play {
    my ($sample, $port, $client) = @_;

    my @wrong;

    if ($sample->{request} && ref $sample->{request} eq 'HASH'
        && $sample->{request}{close})
    {
        $client->{ $sample->{request}{close} }->send_close(1000);

    } elsif ($sample->{transport} eq 'http') {
        @wrong = play_http($sample, $port);

    } else {
        @wrong = play_ws($sample, connection($sample, $port, $client));
    }

    return @wrong if !$sample->{message};

    my $event = next_message($client->{a})
        or return (@wrong, 'message: there is none');
    my $got = $Codec->decode($event);

    return (@wrong,
        order('message', $sample->{message_keys}, $event),
        differences('message', $sample->{message}, $got));
}


sub connection {
    my ($sample, $port, $client) = @_;

    my $name = $sample->{conn} || 'w';
    return $client->{$name} ||= Test::Nginx::Kuzzle::WS->connect(
        port => $port, timeout => 5);
}


sub play_http {
    my ($sample, $port) = @_;

    my $r = $sample->{request};
    my $body = !exists $r->{body} ? ''
             : ref $r->{body} ? $Codec->encode($r->{body}) : $r->{body};

    my $socket = Test::Nginx::Kuzzle::WS->dial(port => $port);

    $socket->send_raw(join "\r\n", "$r->{method} $r->{path} HTTP/1.1",
        'Host: localhost', 'Connection: close',
        (map { "$_: $r->{headers}{$_}" } sort keys %{$r->{headers}}),
        ($body ne '' ? 'Content-Length: ' . length $body : ()), '', $body);

    my ($res) = parse_response($socket->read_all(5), $r->{method} eq 'HEAD');
    return 'status: no response' if !$res;

    if ($sample->{setup}) {
        return $res->code == 200 ? ()
             : 'status: ' . $res->code . ' in the setup ' . $res->content;
    }

    my @wrong;

    push @wrong, 'status: ' . $res->code . ", not $sample->{status}"
        if $res->code != $sample->{status};

    push @wrong, headers($sample->{headers}, $res);

    return @wrong if $r->{method} eq 'HEAD';
    return (@wrong, answer($sample, $res->content));
}


# Kuzzle's own headers.  An id that is made is there, or is not.

sub headers {
    my ($want, $res) = @_;

    my %got = map { lc $_ => scalar $res->header($_) }
        grep { defined $res->header($_) }
        (keys %$want, qw(Access-Control-Allow-Origin X-Kuzzle-Request-Id
            X-Kuzzle-Node Access-Control-Allow-Credentials Vary));

    for my $headers ($want, \%got) {
        for my $name (qw(x-kuzzle-request-id x-kuzzle-node)) {
            $headers->{$name} = '(some)' if defined $headers->{$name};
        }
    }

    return differences('headers', $want, \%got);
}


sub play_ws {
    my ($sample, $socket) = @_;

    my $r = $sample->{request};
    $socket->send_text(ref $r ? $Codec->encode($r) : $r);

    my $text = next_message($socket);
    return 'message: no answer' if !defined $text;
    return if $sample->{setup} && $text =~ /"status":200/;
    return answer($sample, $text);
}


# The next message; that the others joined was not recorded.

sub next_message {
    my ($socket) = @_;

    while (my $event = $socket->next_event(3)) {
        next if $event->{type} eq 'ping' || $event->{payload} =~ /"user":"in"/;
        return $event->{payload} if $event->{type} eq 'text';
        return;
    }

    return;
}


sub answer {
    my ($sample, $text) = @_;

    my $got = eval { $Codec->decode($text) };
    return "body: not JSON: $text" if $@;

    my @wrong = differences('', $sample->{body}, $got);

    push @wrong, order('body', $sample->{keys}, $text) if $sample->{keys};
    push @wrong, order('error', $sample->{error_keys}, $1)
        if $sample->{error_keys} && $text =~ /"error":(\{.*)/s;

    return @wrong;
}


# The members of the object in front of the text, in order; those that are
# on one side only are reported by their values.

sub order {
    my ($path, $want, $text) = @_;

    my ($depth, $name, @got) = (0);

    while ($text =~ /\G\s*("(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+)/gc) {
        my $token = $1;
        if ($token =~ /\A[{\[]/) {
            $depth++;
        } elsif ($token =~ /\A[}\]]/) {
            last if --$depth == 0;
        } elsif ($depth == 1 && $token eq ':') {
            push @got, substr $name, 1, -1;
        }
        $name = $token;
    }

    my %want = map { $_ => 1 } @$want;
    my %got = map { $_ => 1 } @got;
    my $is = join ',', grep { $want{$_} } @got;
    my $should = join ',', grep { $got{$_} } @$want;

    return $is eq $should ? () : "$path-order: $is, not $should";
}


my %Varies = map { $_ => 1 } qw(timestamp createdAt updatedAt deletedAt now
    _score max_score took roomId channel total _shards sort address date
    birthdate);


sub differences {
    my ($path, $want, $got) = @_;

    my ($name) = $path =~ /([^.]*)\z/;
    my ($is, $should) = (json_type($got), json_type($want));

    return "$path: $is, not $should: " . $Codec->encode($got) . ', not '
        . $Codec->encode($want) if $is ne $should;

    return if $Varies{$name} || $should eq 'null' || varies($name, $want);

    my $at = $path eq '' ? '' : "$path.";

    if ($should eq 'object') {
        my %all = (%$want, %$got);
        return map {
            !exists $got->{$_} ? "$at$_: is missing, should be "
                . $Codec->encode($want->{$_})
            : !exists $want->{$_} ? "$at$_: should not be, is "
                . $Codec->encode($got->{$_})
            : differences("$at$_", $want->{$_}, $got->{$_});
        } sort keys %all;
    }

    if ($should eq 'array') {
        # Of hits one is enough: there are others here than there were.
        my $n = $name eq 'hits' && @$want ? 1 : @$want;
        return "$path: " . @$got . ' elements, not ' . @$want
            if $name eq 'hits' ? @$got < $n : @$got != $n;
        return map { differences("$at$_", $want->[$_], $got->[$_]) }
               0 .. $n - 1;
    }

    return $Codec->encode($want) eq $Codec->encode($got) ? ()
         : "$path: " . $Codec->encode($got) . ', not '
           . $Codec->encode($want);
}


# Ids that were made and versions that have a history.

sub varies {
    my ($name, $want) = @_;

    return $name =~ /\A(?:requestId|room)\z/ && $want =~ /\A[-\da-f]{32,}\z/
        || $name eq '_id' && $want =~ /\A[-\w]{20}\z/
        || $name eq '_version' && $want > 1;
}


run_tests();

__DATA__

=== TEST 1: generation 1
--- config
location / {
    kuzzle;
    kuzzle_api 1;
}
--- golden: 1


=== TEST 2: generation 2
--- config
location / {
    kuzzle;
    kuzzle_api 2;
}
--- golden: 2
