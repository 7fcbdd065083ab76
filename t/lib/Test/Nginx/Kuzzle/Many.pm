package Test::Nginx::Kuzzle::Many;

# Test::Nginx::Kuzzle::Many: writes of many documents in one request, the
# books about what was acknowledged, and what in the store contradicts them.
#
#     my $many = Test::Nginx::Kuzzle::Many->new(port => $port);
#     $many->create;
#     $many->load->run(0.5);             # see Load.pm
#     my @wrong = $many->settle;
#
# Connection k has one batch of documents after the other, each of them goes
# through these states, one request each:
#
#     1  mCreate   s:1
#     2  mReplace  s:2
#     3  mUpdate   s:3
#     4  mDelete   of each third batch
#
# A request without an answer may have been carried out, whole or in part: a
# document of it is in this state or in the one before.  An acknowledged one
# is in no other state than this one.
#
# Options: port, index ("nyc"), collection ("many"), connections (4), size of
# a batch (20), limit (12 s).  The server speaks generation 2.

use strict;
use warnings;

use Test::Nginx::Kuzzle::Json 'json_decode';
use Test::Nginx::Kuzzle::Load 'ask_all';

my @Steps = (undef, ['POST', '_mCreate'], ['PUT', '_mReplace'],
    ['PUT', '_mUpdate'], ['DELETE', '_mDelete']);

# What a document of a state looks like: its s, or undef.
my @Look = (undef, 1, 2, 3, undef);


sub new {
    my ($class, %o) = @_;

    my $self = bless { index => 'nyc', collection => 'many', size => 20,
        connections => 4, limit => 12, number => 0, turn => {}, batches => [],
        wrong => [], acked => 0, refused => 0, lost => 0, %o }, $class;

    $self->{base} = "/$self->{index}/$self->{collection}";
    $self->{load} = Test::Nginx::Kuzzle::Load->new(port => $self->{port},
        connections => $self->{connections}, limit => $self->{limit},
        next => sub { $self->_next(@_) }, done => sub { $self->_done(@_) });

    return $self;
}


sub load { $_[0]{load} }

sub acked { $_[0]{acked} }


sub create {
    my ($self) = @_;

    for (["/$self->{index}/_create", 'POST', ''], [$self->{base}, 'PUT',
        '{"mappings":{"dynamic":"false","properties":{"s":{"type":"integer"},'
        . '"b":{"type":"integer"}}}}'])
    {
        my ($r) = ask_all($self->{port}, [{ method => $_->[1],
            path => $_->[0], body => $_->[2] }]);

        die "$_->[0]: " . ($r->{content} || $r->{outcome}) . "\n"
            if ($r->{status} || 0) != 200;
    }
}


sub _ids {
    my ($self, $batch) = @_;
    return map { "b$batch->{n}-$_" } 1 .. $self->{size};
}


sub _next {
    my ($self, $k) = @_;

    my $batch = $self->{turn}{$k};

    if (!$batch) {
        $batch = { n => $self->{number}++, state => 0, maybe => 0 };
        $self->{turn}{$k} = $batch;
        push @{$self->{batches}}, $batch;
    }

    my $state = $batch->{state} + 1;
    my ($method, $verb) = @{$Steps[$state]};
    my @ids = $self->_ids($batch);
    my $body = $state == 4
        ? '{"ids":[' . join(',', map { qq("$_") } @ids) . ']}'
        : '{"documents":[' . join(',', map { qq({"_id":"$_","body":)
            . qq({"s":$state,"b":$batch->{n}}}) } @ids) . ']}';

    return { method => $method, path => "$self->{base}/$verb",
        body => $body, batch => $batch, state => $state, k => $k };
}


sub _done {
    my ($self, $r) = @_;

    my ($batch, $state) = @$r{qw(batch state)};
    my $over = $state == 4 || ($state == 3 && $batch->{n} % 3);

    if ($r->{outcome} eq 'answer' && $r->{status} == 200) {
        my $result = json_decode($r->{content})->{result};
        my $n = @{$result->{successes} || []};

        push @{$self->{wrong}}, "batch $batch->{n} state $state: $n of "
            . "$self->{size} done: " . substr $r->{content}, 0, 300
            if $n != $self->{size};

        $batch->{state} = $state;
        $self->{acked} += $n;

    } elsif ($r->{outcome} eq 'unsent'
             || ($r->{content} || '')
                =~ /services\.storage\.unavailable|process\.overloaded/)
    {
        $self->{refused}++;
        return;                          # nothing was done: once more

    } else {
        push @{$self->{wrong}}, "batch $batch->{n} state $state: "
            . substr $r->{content}, 0, 300
            if $r->{outcome} eq 'answer'
               && $r->{content} !~ /services\.storage\.no_answer/;

        $batch->{maybe} = $state;
        $self->{lost}++;
        $over = 1;
    }

    delete $self->{turn}{$r->{k}} if $over;
}


# Ends the load and reads all of it again: what is wrong.

sub settle {
    my ($self) = @_;

    $self->{load}->drain($self->{limit});

    my @requests = map { { method => 'POST', path => "$self->{base}/_mGet",
        body => '{"ids":[' . join(',', map { qq("$_") } $self->_ids($_))
                . ']}', batch => $_ } } @{$self->{batches}};
    my (@wrong, %count);

    for my $r (ask_all($self->{port}, \@requests)) {
        my $batch = $r->{batch};
        my $result = ($r->{status} || 0) =~ /^20[06]$/
            ? json_decode($r->{content})->{result} : undef;

        if (!$result) {
            push @wrong, "$r->{outcome} " . ($r->{content} || '');
            next;
        }

        my %is = map { $_->{_id} => $_->{_source}{s} }
                 @{$result->{successes}};
        my %may = map { (defined $Look[$_] ? $Look[$_] : '-') => 1 }
            $batch->{state}, $batch->{maybe} || ();

        for my $id ($self->_ids($batch)) {
            my $look = defined $is{$id} ? $is{$id} : '-';

            $count{$look}++;
            push @wrong, "$id is $look, state $batch->{state}, asked for"
                . " $batch->{maybe}" if !$may{$look};
        }
    }

    for my $s (1, 2, 3) {
        my ($r) = ask_all($self->{port}, [{ method => 'POST',
            path => "$self->{base}/_count",
            body => qq({"query":{"term":{"s":$s}}}) }]);
        my $n = ($r->{content} || '') =~ /"count":(\d+)/ ? $1 : -1;

        push @wrong, "$n are found with s $s, " . ($count{$s} || 0)
            . ' are there' if $n != ($count{$s} || 0);
    }

    push @wrong, @{$self->{wrong}};

    return @wrong > 10 ? @wrong[0 .. 9] : @wrong;
}


1;
