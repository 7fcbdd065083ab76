package Test::Nginx::Kuzzle::Receive;

# Test::Nginx::Kuzzle::Receive: the half of the script language that waits for
# something and judges it: "a< ...", "a! ...", "http ...".  A base class of
# Test::Nginx::Kuzzle::Script, which documents the language.
#
# Every method dies with what is wrong; the script adds the line.

use strict;
use warnings;

use Time::HiRes 'time';

use Test::Nginx::Http qw(build_request parse_response);
use Test::Nginx::Kuzzle::Json qw(json_mismatch_text json_decode json_path);
use Test::Nginx::Kuzzle::WS;


# The next event of the client, all clients being kept alive meanwhile.

sub _next_event {
    my ($self, $client, $end) = @_;

    while (1) {
        my $left = $end - time;
        my $event = $client->next_event($left > 0.05 ? 0.05
            : $left > 0 ? $left : 0);

        return $event if $event || $left <= 0 || !$client->is_open;
        $_->poll for grep { $_ != $client } values %{$self->{clients}};
    }
}


sub _receive {
    my ($self, $name, $rest, $anywhere) = @_;

    return $self->_await_call($name, $rest) if $self->{calls}{$name};

    my $client = $self->_client($name);
    my %o = $self->_options(\$rest, qw(in));
    my $test = $self->_expectation($rest);
    my $control = $rest =~ /\Ap[io]ng\b/;
    my $end = time + $self->_wait($o{in});
    my (@passed, @kept, @wrong);

    while (my $event = $self->_next_event($client, $end)) {
        @wrong = $test->($event);
        if (!@wrong) {
            $client->unread(@kept);
            return;
        }

        # Pings and pongs may come between messages, and are kept for a line
        # that waits for them.
        push @kept, $event;
        next if $event->{type} =~ /\Ap[io]ng\z/ && !$control;

        push @passed, $event;
        last if !$anywhere && !$control;
        last if $event->{type} =~ /\A(?:eof|reset|violation)\z/;
    }

    $client->unread(@kept);
    die 'nothing arrived within ' . $self->_wait($o{in}) . " s\n" if !@passed;
    die join "\n  ", @wrong, 'arrived:', map({ _show($_) } @passed), '';
}


sub _receive_any { $_[0]->_receive($_[1], $_[2], 1) }


sub _show {
    my ($e) = @_;

    my $text = defined $e->{payload} ? $e->{payload} : '';
    $text = "$e->{code} $e->{reason}" if $e->{type} eq 'close';
    $text =~ s/([^\x20-\x7e])/sprintf '\x%02x', ord $1/ge;
    $text = substr($text, 0, 1000) . '...' if length $text > 1000;

    return "$e->{type} $text";
}


# The text after "a<" as a function: event -> list of what does not match.

sub _expectation {
    my ($self, $text) = @_;

    if ($text =~ /\A(eof|gone)\z/) {
        my $re = $1 eq 'eof' ? qr/\Aeof\z/ : qr/\A(?:eof|reset)\z/;
        return sub { $_[0]{type} =~ $re ? () : "expected: $text" };
    }

    if ($text =~ m{\Aclose(?:\s+(\d+))?(?:\s+/(.*)/)?\z}s) {
        my ($code, $reason) = ($1, $2);
        return sub {
            $_[0]{type} eq 'close'
                && (!defined $code || $_[0]{code} == $code)
                && (!defined $reason || $_[0]{reason} =~ /$reason/)
                ? () : "expected: $text";
        };
    }

    if ($text =~ /\A(ping|pong|text|bin)(?:\s+(.*))?\z/s) {
        my ($type, $want) = ($1 eq 'bin' ? 'binary' : $1, $2);
        $want = $self->_payload($want) if defined $want;
        return sub {
            $_[0]{type} eq $type
                && (!defined $want || $_[0]{payload} eq $want)
                ? () : "expected: $text";
        };
    }

    if ($text =~ m{\A/(.*)/\z}s) {
        my $re = qr/$1/s;
        return sub {
            $_[0]{type} =~ /text|binary/ && $_[0]{payload} =~ $re
                ? () : "expected: $text";
        };
    }

    my ($json, $captures) = _split_captures($text);
    json_decode($json);    # dies early when the script is wrong

    return sub {
        my ($event) = @_;
        return 'expected a message' if $event->{type} !~ /text|binary/;
        return $self->_match($json, $captures, $event->{payload});
    };
}


# "{...} {a=x.y, b=z}": the JSON and the captures.

sub _split_captures {
    my ($text) = @_;

    my $one = qr/\s*\w+\s*=\s*[\w.\-]+\s*/;
    return ($text, {}) if $text !~ s/\s+\{($one(?:,$one)*)\}\z//;

    return ($text, { map { /(\w+)\s*=\s*(\S+)/ ? ($1 => $2) : () }
                     split /,/, $1 });
}


sub _match {
    my ($self, $json, $captures, $payload) = @_;

    my @wrong = json_mismatch_text($json, $payload);
    return @wrong if @wrong;

    my $data = json_decode($payload);

    for my $name (keys %$captures) {
        my ($value, $found) = json_path($data, $captures->{$name});
        return "no $captures->{$name} in the message" if !$found;
        $self->{vars}{$name} = $value;
    }

    return;
}


sub _silence {
    my ($self, $name, $seconds) = @_;

    my $client = $self->_client($name);
    my $end = time + (defined $seconds ? $seconds : 0.3);

    while (my $event = $self->_next_event($client, $end)) {
        next if $event->{type} =~ /\Ap[io]ng\z/;
        die 'expected nothing, arrived: ' . _show($event) . "\n";
    }
}


sub _http {
    my ($self, $text) = @_;

    my $as = $text =~ s/\Aas\s+(\w+)\s+// ? $1 : undef;
    my %o = $self->_options(\$text, qw(header port timeout));
    my $expected = $text =~ s/\s+=>\s*(.*)\z//s ? $1 : '';
    my ($method, $url, $body) = $text =~ /\A(\S+)\s+(\S+)\s*(.*)\z/s
        or die "expected: http METHOD URL [BODY] [=> ...]\n";

    my $headers = join '', map { "$_\r\n" } @{$o{header}};
    $headers = "Content-Type: application/json\r\n$headers"
        if $body ne '' && $headers !~ /^Content-Type:/mi;

    my $call = Test::Nginx::Kuzzle::WS->dial(
        port => $o{port} || $self->{port},
        timeout => $self->_wait($o{timeout}));

    $call->send_raw(build_request($headers, 'close', "$method $url\n$body"));
    $call->{is_head} = $method eq 'HEAD';

    $self->{calls}{defined $as ? $as : ''} = $call;
    $self->_await_call('', $expected) if !defined $as;
}


# Reads the response of a call: "[STATUS|any] [{subset} [{captures}]]".

sub _await_call {
    my ($self, $name, $text) = @_;

    my $call = delete $self->{calls}{$name};
    my %o = $self->_options(\$text, qw(in));
    my $wait = $self->_wait($o{in});

    my $raw = $call->read_all($wait);
    my ($res) = parse_response($raw, $call->{is_head});
    $call->disconnect;

    die "no response within $wait s or before the end\n" if !$res;
    return if $text =~ s/\Aany\b\s*// && $text eq '';

    my $status = $text =~ s/\A(\d{3})\b\s*// ? $1 : undef;
    my ($json, $captures) = _split_captures($text);

    if (!defined $status) {
        my $data = $json ne '' ? json_decode($json) : {};
        $status = ref $data eq 'HASH' ? $data->{status} : undef;
        $status = 200 if !defined $status || $status !~ /\A\d+\z/;
    }

    die 'status ' . $res->code . ", expected $status\n  " . $res->content
        . "\n" if $res->code != $status;

    my @wrong = $json eq '' ? ()
              : $self->_match($json, $captures, $res->content);
    die join "\n  ", @wrong, 'arrived:', $res->content, '' if @wrong;
}


1;
