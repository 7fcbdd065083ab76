package Test::Nginx::Kuzzle::Ledger;

# Test::Nginx::Kuzzle::Ledger: writes documents, keeps the books about what
# was acknowledged, and says what in the store contradicts them.
#
#     my $ledger = Test::Nginx::Kuzzle::Ledger->new(port => 7512, %options);
#     $ledger->create;                  # index and collection
#     $ledger->load->run(0.5);          # see Load.pm
#     my @wrong = $ledger->settle;      # quiet, and everything read again
#
# Connection k goes round and round, each with documents of its own:
#
#     create  d-k-i {"n":i,"k":"wk"}    acknowledged: there, version 1
#     put     c-k   {"n":i,"k":"wk"}    a counter: its version is the number
#                                       of puts acknowledged, at most plus
#                                       those that may have been carried out
#     get     c-k                       not older than acknowledged
#     update  d-k-i {"m":i}             version 2, "m" is there
#     delete  d-k-i (each third)        gone
#
# A request that got no answer, or 503 services.storage.no_answer, may have
# been carried out; its document is left alone from then on, except counters.
# One refused with services.storage.unavailable must never take effect.  No id
# is created twice, so "already exists" means that a write was applied twice.
#
# settle() also asks each kind of index for the same documents: whatever a get
# finds must be found by the terms in it, and nothing else.
#
# Options: port, index ("nyc"), collection ("load"), connections (8), limit
# (seconds until a request hangs, 12), pad (bytes to make documents larger).

use strict;
use warnings;

use Test::Nginx::Kuzzle::Json 'json_decode';
use Test::Nginx::Kuzzle::Load 'ask_all';

# Statuses of a write: what its document may look like.
use constant { DONE => 'done', REFUSED => 'refused', UNKNOWN => 'unknown' };

my $MaxWrong = 10;


sub new {
    my ($class, %o) = @_;

    my $self = bless {
        index => 'nyc', collection => 'load', connections => 8, limit => 12,
        pad => 0, docs => {}, wrong => [], ids => {}, turn => {}, queue => {},
        %o,
    }, $class;

    $self->{base} = "/$self->{index}/$self->{collection}";
    $self->{tail} = $self->{pad} ? ',"pad":"' . 'x' x $self->{pad} . '"' : '';

    $self->{load} = Test::Nginx::Kuzzle::Load->new(
        port => $self->{port}, connections => $self->{connections},
        limit => $self->{limit},
        next => sub { $self->_next(@_) },
        done => sub { $self->_done(@_) });

    return $self;
}


sub load { $_[0]{load} }

# Answers that carry this error id, "lost", "hung", and writes acknowledged.

sub seen { return $_[0]{ids}{$_[1]} || 0 }


# Makes index and collection; dies when that fails.

sub create {
    my ($self) = @_;

    my $mapping = '{"dynamic":"false","properties":{"n":{"type":"integer"},'
        . '"m":{"type":"integer"},"k":{"type":"keyword"}}}';

    for (["POST", "/$self->{index}/_create", ''],
         ['PUT', $self->{base}, $mapping])
    {
        my $r = $self->_ask(@$_);
        die "$_->[0] $_->[1]: $r->{outcome} " . ($r->{content} || '') . "\n"
            if ($r->{status} || 0) != 200;
    }
}


# One request and its answer.

sub _ask {
    my ($self, $method, $path, $body) = @_;

    return (ask_all($self->{port}, [{ method => $method, path => $path,
        body => $body }]))[0];
}


sub _next {
    my ($self, $k) = @_;

    my $queue = $self->{queue}{$k} ||= [];

    if (!@$queue) {
        my $i = $self->{turn}{$k}++;
        @$queue = map { [$_, $i] } qw(create put get update),
                  $i % 3 ? () : 'delete';
    }

    while (my $step = shift @$queue) {
        my $request = $self->_request($k, @$step);
        return $request if $request;
    }

    return $self->_next($k);
}


sub _request {
    my ($self, $k, $what, $i) = @_;

    my $id = $what eq 'put' || $what eq 'get' ? "c-$k" : "d-$k-$i";
    my $doc = $self->{docs}{$id} ||= { k => $k, n => $i, ok => 0, may => 0,
        counter => $id =~ /^c/ ? 1 : 0 };

    return if $what ne 'create' && !$doc->{counter} && !$doc->{sure};
    return if $what eq 'get' && !$doc->{ok};

    my $full = qq({"n":$i,"k":"w$k"$self->{tail}});

    my ($method, $rest, $body) =
          $what eq 'create' ? ('POST', '/_create', $full)
        : $what eq 'put'    ? ('PUT', '', $full)
        : $what eq 'update' ? ('PUT', '/_update', qq({"m":$i}))
        : $what eq 'delete' ? ('DELETE', '', undef) : ('GET', '', undef);

    return { method => $method, path => "$self->{base}/$id$rest",
        body => $body, what => $what, id => $id, n => $i, doc => $doc,
        low => $doc->{ok} };
}


sub _say {
    my ($self, $text) = @_;
    push @{$self->{wrong}}, $text if @{$self->{wrong}} < $MaxWrong;
}


sub _done {
    my ($self, $r) = @_;

    my $outcome = $self->_judge($r);
    my ($doc, $what) = @$r{qw(doc what)};

    $self->{ids}{$r->{outcome}}++ if $r->{outcome} ne 'answer';

    if ($r->{outcome} eq 'hung') {
        $self->_say(sprintf '%s %s has no answer after %.1f s', $what,
            $r->{id}, $r->{ended} - $r->{started});
    }

    return if $what eq 'get';

    $self->{ids}{acked}++ if $outcome eq DONE;

    if ($doc->{counter}) {
        $doc->{$outcome eq DONE ? 'ok' : 'may'}++ if $outcome ne REFUSED;
        $doc->{n} = $r->{n} if $outcome eq DONE;
        push @{$doc->{maybe}}, $r->{n} if $outcome eq UNKNOWN;
        push @{$doc->{never}}, $r->{n} if $outcome eq REFUSED;
        return;
    }

    $doc->{sure} = $outcome eq DONE && $what ne 'delete';
    push @{$doc->{writes}}, [$what, $outcome];
}


# What an answer says about its request, and whether it may say so.

sub _judge {
    my ($self, $r) = @_;

    return REFUSED if $r->{outcome} eq 'unsent';
    return UNKNOWN if $r->{outcome} ne 'answer';

    my ($doc, $what, $text) = @$r{qw(doc what content)};

    if ($r->{status} != 200) {
        my ($id) = $text =~ /"id":"((?:api|services|core)[\w.]+)"/;
        $id = "status $r->{status}" if !defined $id;

        $self->{ids}{$id}++;

        if ($r->{status} == 503 && $what ne 'get') {
            return UNKNOWN if $id eq 'services.storage.no_answer';
            return REFUSED if $id eq 'services.storage.unavailable'
                              || $id eq 'api.process.overloaded';
        }

        $self->_say("$what $r->{id}: $r->{status} $text");
        return UNKNOWN;
    }

    my ($version) = $text =~ /"_version":(\d+)/;
    my ($id) = $text =~ /"_id":"([^"]*)"/;

    $self->_say("$what $r->{id} was answered for another document: $text")
        if !defined $id || $id ne $r->{id};

    my ($low, $high) = $what eq 'create' ? (1, 1)
        : $what eq 'update' ? (2, 2)
        : $what eq 'delete' ? (0, 0)
        : $what eq 'put' ? ($doc->{ok} + 1, $doc->{ok} + 1 + $doc->{may})
        : ($r->{low}, $doc->{ok} + $doc->{may});

    if ($high && (!defined $version || $version < $low || $version > $high)) {
        $self->_say("$what $r->{id}: version not between $low and $high:"
            . " $text");
    }

    return DONE;
}


# Ends the load, reads all of it again, and returns what is wrong, at most
# ten lines of it.

sub settle {
    my ($self) = @_;

    my $load = $self->{load};
    $load->drain($self->{limit});

    $self->_say(sprintf 'a request took %.1f s', $load->worst)
        if $load->worst > $self->{limit};

    $self->_verify if @{$self->{wrong}} < $MaxWrong;

    return @{$self->{wrong}};
}


sub _verify {
    my ($self) = @_;

    my $docs = $self->{docs};
    my @requests = map { { method => 'GET', path => "$self->{base}/$_",
                           id => $_ } } sort keys %$docs;
    my %there;

    for my $r (ask_all($self->{port}, \@requests)) {
        my $id = $r->{id};

        if (($r->{status} || 0) !~ /\A(?:200|404)\z/) {
            $self->_say("get $id: $r->{outcome} " . ($r->{content} || ''));
            next;
        }

        my $found = $r->{status} == 200 ? $r->{content} : undef;
        my $wrong = $docs->{$id}{counter}
            ? _wrong_counter($docs->{$id}, $found)
            : _wrong_document($docs->{$id}, $found);

        $self->_say("$id $wrong"
            . (defined $found ? ": " . substr $found, 0, 300 : ''))
            if $wrong;

        $there{$id} = $found if defined $found;
    }

    $self->_verify_search(\%there);
}


sub _wrong_counter {
    my ($doc, $found) = @_;

    my ($ok, $may) = @$doc{qw(ok may)};

    if (!defined $found) {
        return $ok ? "was acknowledged $ok times and is missing" : undef;
    }

    my ($version) = $found =~ /"_version":(\d+)/;
    my ($n) = $found =~ /"n":(\d+)/;

    return "has version $version after $ok acknowledged writes and $may"
        . ' others' if $version < $ok || $version > $ok + $may;

    return "has the content of a write that was refused"
        if grep { $n == $_ } @{$doc->{never} || []};

    return "has n=$n, last acknowledged was $doc->{n}"
        if $ok && !grep { $n == $_ } $doc->{n}, @{$doc->{maybe} || []};

    return;
}


sub _wrong_document {
    my ($doc, $found) = @_;

    # What the writes, in their order, leave: possible versions, 0 for none.
    my %possible = (0 => 1);

    for my $write (@{$doc->{writes} || []}) {
        my ($what, $outcome) = @$write;
        my $next = $what eq 'create' ? 1 : $what eq 'update' ? 2 : 0;

        next if $outcome eq REFUSED;
        %possible = () if $outcome eq DONE;
        $possible{$next} = 1;
    }

    my $history = join ', ', map { "$_->[0] $_->[1]" } @{$doc->{writes}};

    if (!defined $found) {
        return $possible{0} ? undef : "is missing ($history)";
    }

    my ($version) = $found =~ /"_version":(\d+)/;
    my ($n) = $found =~ /"n":(\d+)/;
    my ($m) = $found =~ /"m":(\d+)/;

    return "must not be there ($history)" if !grep { $_ } keys %possible;
    return "has version $version ($history)" if !$possible{$version};
    return "has the wrong content" if $n != $doc->{n}
                                     || defined $m != ($version == 2);
    return;
}


# Each document is found by its terms, and the terms find nothing else.

sub _verify_search {
    my ($self, $there) = @_;

    my %count = map { ("w$_" => 0) } 0 .. $self->{connections} - 1;
    my $updated = 0;

    for my $text (values %$there) {
        my ($k) = $text =~ /"k":"(\w+)"/;
        $count{$k}++;
        $updated++ if $text =~ /"m":\d/;
    }

    my @counts = (
        ['', scalar keys %$there],
        ['{"query":{"exists":{"field":"m"}}}', $updated],
        map({ [qq({"query":{"term":{"k":"$_"}}}), $count{$_}] } keys %count),
        map { my $text = $there->{$_};
              my ($n) = $text =~ /"n":(\d+)/;
              my ($k) = $text =~ /"k":"(\w+)"/;
              [qq({"query":{"bool":{"must":[{"term":{"k":"$k"}},)
               . qq({"term":{"n":$n}},{"ids":{"values":["$_"]}}]}}}), 1] }
            grep { defined } (sort keys %$there)[0 .. 199],
    );

    my @requests = map { { method => 'POST', path => "$self->{base}/_count",
        body => $_->[0], want => $_->[1] } } @counts;

    for my $r (ask_all($self->{port}, \@requests)) {
        my $got = ($r->{status} || 0) == 200
                ? json_decode($r->{content})->{result}{count} : undef;

        $self->_say("count $r->{body}: " . ($r->{content} || $r->{outcome})
            . ", expected $r->{want}")
            if !defined $got || $got != $r->{want};
    }
}


1;
