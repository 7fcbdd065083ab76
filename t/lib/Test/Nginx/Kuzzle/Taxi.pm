package Test::Nginx::Kuzzle::Taxi;

# Test::Nginx::Kuzzle::Taxi: loads taxi trips in the background, with
# t/bench/taxi.pl and t/bench/load.pl, while the caller breaks things, and
# compares what is there with what was acknowledged.
#
#     my $taxi = Test::Nginx::Kuzzle::Taxi->new(server => $server);
#     $taxi->create;                     # index and collection
#     $taxi->start(10_000);            # so many more trips
#     $taxi->await(2500);              # until so many are acknowledged
#     ...
#     my $sum = $taxi->finish;         # the loader's last line
#     my @wrong = ($taxi->missing, $taxi->wrong_counts);
#     push @wrong, $taxi->wrong_files; # only while nginx is down
#
# Options: server (Test::Nginx::Server), data (its data directory), seed (1),
# connections (8).

use strict;
use warnings;

use Cwd 'abs_path';
use File::Basename 'dirname';
use File::Copy 'copy';
use File::Temp 'tempdir';
use POSIX ':sys_wait_h';

use Test::Nginx::Kuzzle::Json 'json_decode';
use Test::Nginx::Kuzzle::Load 'ask_all';
use Test::Nginx::Process 'wait_for';

my $Bench = abs_path(dirname(__FILE__) . '/../../../..') . '/bench';
my $Path = '/nyc/trips';

my $Mapping = '{"dynamic":"false","properties":{"trip_id":{"type":"keyword"},'
    . '"pickup_zone":{"type":"keyword"},"payment_type":{"type":"integer"},'
    . '"passenger_count":{"type":"integer"},'
    . '"total_amount":{"type":"double"},"name":{"type":"text"},'
    . '"tpep_pickup_datetime":{"type":"date"}}}';


sub new {
    my ($class, %o) = @_;

    my $dir = tempdir('kuzzle-taxi-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    return bless { seed => 1, connections => 8, dir => $dir, trips => 0,
        files => 0, acked => "$dir/acked", owner => $$, %o }, $class;
}


sub create {
    my ($self) = @_;

    for (['POST', '/nyc/_create'], ['PUT', $Path, $Mapping]) {
        my ($r) = ask_all($self->{server}->port,
            [{ method => $_->[0], path => $_->[1], body => $_->[2] }]);

        die "$_->[0] $_->[1]: $r->{outcome} " . ($r->{content} || '') . "\n"
            if ($r->{status} || 0) != 200;
    }
}


sub _base {
    my ($self) = @_;
    return 'http://127.0.0.1:' . $self->{server}->port . $Path;
}


# Loads the next trips in a process of its own.

sub start {
    my ($self, $count) = @_;

    my $file = "$self->{dir}/trips-" . ++$self->{files};
    my $first = $self->{trips} + 1;

    _system("$^X $Bench/taxi.pl --count $count --first $first"
        . " --seed $self->{seed} > $file");
    $self->{trips} += $count;

    my $pid = fork;
    die "fork: $!\n" if !defined $pid;

    if ($pid == 0) {
        open STDOUT, '>', "$self->{dir}/summary";
        open STDERR, '>', "$self->{dir}/errors";
        exec $^X, "$Bench/load.pl", '--base', $self->_base, '--acked',
            $self->{acked}, '--connections', $self->{connections},
            '--id-field', 'trip_id', '--retry', 30, '--timeout', 12, $file
            or POSIX::_exit(127);
    }

    $self->{pid} = $pid;
}


sub _system {
    my ($command) = @_;
    system('/bin/sh', '-c', $command) == 0 or die "$command: $?\n";
}


# Acknowledged so far, over all loads.

sub acked {
    my ($self) = @_;

    # The loader writes lines of one length: "trip-0000001\n".
    return int((-s $self->{acked} || 0) / 13);
}


# True when so many are acknowledged, false when the loader ended before.

sub await {
    my ($self, $n, $seconds) = @_;

    wait_for($seconds || 30, sub {
        $self->acked >= $n || $self->_ended;
    });

    return $self->acked >= $n;
}


sub _ended {
    my ($self) = @_;

    return 1 if !$self->{pid};
    return 0 if waitpid($self->{pid}, WNOHANG) != $self->{pid};

    $self->{pid} = 0;
    return 1;
}


# Waits for the loader; what it counted: sent acked refused unanswered.

sub finish {
    my ($self, $seconds) = @_;

    if (!wait_for($seconds || 60, sub { $self->_ended })) {
        kill KILL => $self->{pid};
        die "the loader does not end\n";
    }

    my $text = _slurp("$self->{dir}/summary");
    my %sum = $text =~ /(\w+)=(\d+)/g;

    die 'the loader failed: ' . _slurp("$self->{dir}/errors") . "\n"
        if !defined $sum{acked};

    $sum{first_error} = _slurp("$self->{dir}/errors");

    return \%sum;
}


sub _slurp {
    my ($path) = @_;
    open my $fh, '<', $path or return '';
    local $/;
    my $text = <$fh>;
    return defined $text ? $text : '';
}


# Acknowledged trips that are not there, or not as they were sent.

sub missing {
    my ($self) = @_;

    my $out = "$self->{dir}/verified";
    my $base = $self->_base;

    system "$^X $Bench/load.pl --base $base --acked $self->{acked} --verify"
        . " --id-field trip_id --connections $self->{connections}"
        . " > $out 2>&1";

    return if $? == 0 && $self->acked;

    my @lines = split /\n/, _slurp($out);
    return (@lines > 10 ? @lines[0 .. 8] : (), $lines[-1] || 'no output');
}


# Every trip that is there must be found by its terms, and nothing else.

sub wrong_counts {
    my ($self) = @_;

    my %acked = map { ($_ => 1) } split /\n/, _slurp($self->{acked});
    my @trips = map { split /\n/, _slurp("$self->{dir}/trips-$_") }
                1 .. $self->{files};
    my $port = $self->{server}->port;
    my (@there, @open);

    for my $trip (@trips) {
        my ($id) = $trip =~ /"trip_id":\s*"([^"]+)"/;
        push @{$acked{$id} ? \@there : \@open}, [$id, $trip];
    }

    # Those without an answer: there or not.
    my @get = map { { method => 'GET', path => "$Path/$_->[0]",
                      trip => $_ } } @open;
    push @there, map { $_->{trip} } grep { ($_->{status} || 0) == 200 }
        ask_all($port, \@get);

    my @wrong;
    my @counts = map { { method => 'POST', path => "$Path/_count",
        body => $_->[0], want => $_->[1] } } _expected_counts(@there);

    for my $r (ask_all($port, \@counts)) {
        my $got = ($r->{status} || 0) == 200
                ? json_decode($r->{content})->{result}{count} : undef;

        push @wrong, 'count ' . substr($r->{body}, 0, 80) . ': '
            . (defined $got ? $got : $r->{content} || $r->{outcome})
            . ", expected $r->{want}"
            if !defined $got || $got != $r->{want};
    }

    return @wrong > 10 ? @wrong[0 .. 9] : @wrong;
}


sub _expected_counts {
    my (@there) = @_;

    my @list = (['', scalar @there]);
    my (%by, $dear);

    for my $trip (@there) {
        for my $field (qw(pickup_zone payment_type passenger_count)) {
            my ($value) = $trip->[1] =~ /"$field":\s*("[^"]*"|\d+)/;
            $by{qq("$field":$value)}++;
        }
        my ($sum) = $trip->[1] =~ /"total_amount":\s*([\d.]+)/;
        $dear++ if $sum >= 20;
    }

    push @list, map { [qq({"query":{"term":{$_}}}), $by{$_}] } sort keys %by;
    push @list, ['{"query":{"range":{"total_amount":{"gte":20}}}}',
                 $dear || 0];

    # Each one by its own name, in pieces.
    while (my @piece = splice @there, 0, 500) {
        my $ids = join ',', map { qq("$_->[0]") } @piece;
        push @list, [qq({"query":{"terms":{"trip_id":[$ids]}}}),
                     scalar @piece];
    }

    return @list;
}


# Asks SQLite's own tool about a copy of all files, as they are now: whether
# each is sound, and whether documents and postings belong to each other.
# undef when there is no such tool.

sub wrong_files {
    my ($self) = @_;

    return if !has_sqlite();

    my $copy = tempdir('kuzzle-files-XXXXXX', TMPDIR => 1, CLEANUP => 1);

    for (glob "$self->{data}/*.db $self->{data}/*.db-wal") {
        copy($_, $copy) or die "$_: $!\n";
    }

    my @wrong;

    for my $file (glob "$copy/*.db") {
        my $name = $file =~ s{.*/}{}r;
        my $said = _sqlite($file, 'PRAGMA integrity_check');

        push @wrong, "$name: $said" if $said ne 'ok';
        next if $name eq 'kuzzle.db';

        push @wrong, map { "$name: $_" } _wrong_postings($file);
    }

    unlink glob "$copy/*";
    rmdir $copy;

    return @wrong;
}


sub has_sqlite { return _sqlite(':memory:', 'SELECT 1') eq '1' }


sub _sqlite {
    my ($file, $sql) = @_;

    my $said = `sqlite3 '$file' "$sql" 2>&1`;
    chomp $said if defined $said;

    return defined $said ? $said : '';
}


# Every document that a segment covers has a posting for trip_id, no other
# row has one unless it is gone, and no row is in two segments.  Documents
# above the last segment have none yet: searches read their text.

sub _wrong_postings {
    my ($file) = @_;

    my @wrong;

    for my $c (split ' ', _sqlite($file, 'SELECT id FROM col')) {
        my ($hi, %docs, %gone, %posted) = (0);

        for (split /\n/, _sqlite($file, 'SELECT lo, hi FROM seg'
                                 . " WHERE col = $c AND state = 1 ORDER BY lo"))
        {
            my ($lo, $last) = split /\|/;
            push @wrong, "rows $hi and $lo are neighbours" if $lo != $hi + 1;
            $hi = $last;
        }

        $docs{$_} = 1 for split /\n/,
            _sqlite($file, "SELECT r FROM d$c WHERE r <= $hi");
        $gone{$_} = 1 for split /\n/, _sqlite($file, "SELECT r FROM x$c");

        for (split /\n/, _sqlite($file, "SELECT lo, hex(p) FROM t$c"
            . ' JOIN seg USING(s) WHERE state = 1'
            . " AND col = $c AND f = (SELECT id FROM fld"
            . " WHERE col = $c AND path = 'trip_id')"))
        {
            my ($lo, $hex) = split /\|/;
            $posted{$_}++ for _rows($lo, pack 'H*', $hex);
        }

        my $orphans = grep { !$docs{$_} && !$gone{$_} } keys %posted;
        my $bare = grep { !$posted{$_} } keys %docs;
        my $twice = grep { $_ > 1 } values %posted;

        push @wrong, "postings without a document: $orphans" if $orphans;
        push @wrong, "documents without a posting: $bare" if $bare;
        push @wrong, "documents in two segments: $twice" if $twice;
    }

    return @wrong;
}


# The rows of a block of postings whose values are texts or whole numbers; see
# src/store/sqlite/kz_sqlite_block.h.

sub _rows {
    my ($base, $p) = @_;

    my ($at, $row, @rows) = (0);

    my $number = sub {
        my ($n, $shift) = (0, 0);

        for ( ;; ) {
            my $c = ord substr $p, $at++, 1;
            $n |= ($c & 0x7f) << $shift;
            return $n if $c < 0x80;
            $shift += 7;
        }
    };

    while ($at < length $p) {
        my $n = $number->();

        if (defined $row && $n == 0) {
            my $type = ord substr $p, $at++, 1;

            if ($type == 3) {
                $number->();
                my $others = $number->();
                $at += $others;

            } elsif ($type == 1) {
                $number->();

            } else {
                $at += 8;
            }

            $row = $base + $number->();

        } else {
            $row = defined $row ? $row + $n : $base + $n;
        }

        push @rows, $row;
    }

    return @rows;
}


sub DESTROY {
    my ($self) = @_;

    if ($self->{pid} && $self->{owner} == $$) {
        local $?;
        kill KILL => $self->{pid};
        waitpid $self->{pid}, 0;
    }
}


1;
