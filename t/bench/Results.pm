package Results;

# What the bench makes of the results of kzload, and small things that need
# nothing of it.  "Runs" are lists of what kzload printed; a figure is the
# median of them.

use strict;
use warnings;

use Exporter 'import';
use IO::Socket::INET;

our @EXPORT_OK = qw(median figure ms cpu ratio flaws table
    free_port children title slurp spew);


sub median {
    my ($runs, $key) = @_;

    my @x = sort { $a <=> $b } map { $_->{$key} // 0 } @$runs;

    return @x % 2 ? $x[$#x / 2] : ($x[@x / 2 - 1] + $x[@x / 2]) / 2;
}


sub figure {
    my ($runs, $key) = @_;

    return sprintf '%.0f', median($runs, $key);
}


sub ms {
    my ($runs, $key) = @_;

    return sprintf '%.2f', median($runs, $key) / 1000;
}


sub cpu {
    my ($runs) = @_;

    return sprintf '%.2f', median($runs, 'server_cpu_us_per_op');
}


sub ratio {
    my ($a, $b, $key) = @_;

    my @ratios = map {
        { x => $b->[$_]{$key} ? $a->[$_]{$key} / $b->[$_]{$key} : 0 }
    } 0 .. $#$a;

    return sprintf '%.2f', median(\@ratios, 'x');
}


# A remark on what went wrong in any of the runs.

sub flaws {
    my ($runs) = @_;
    my @flaws;

    for my $key (qw(non2xx broken errors closed lost overrun)) {
        my $sum = 0;

        $sum += $_->{$key} // 0 for @$runs;
        push @flaws, "$sum $key" if $sum;
    }

    return @flaws ? ' (' . join(', ', @flaws) . '!)' : '';
}


# The first column is text, the others are numbers.

sub table {
    my @rows = @_;
    my @width;

    for my $row (@rows) {
        for my $i (0 .. $#$row) {
            my $n = length $row->[$i];
            $width[$i] = $n if !$width[$i] || $n > $width[$i];
        }
    }

    for my $row (@rows) {
        my @cells = map {
            sprintf $_ == 0 ? '%-*s' : '%*s', $width[$_], $row->[$_]
        } 0 .. $#$row;

        print '  ', join('  ', @cells), "\n";
    }
}


# Small things.

sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die "run.pl: no free port: $@\n";

    return $socket->sockport;
}


sub children {
    my ($parent) = @_;
    my @list;

    for my $stat (glob '/proc/[0-9]*/stat') {
        my $text = eval { slurp($stat) } // '';

        # behind the name, which may hold anything: the state, the parent

        push @list, $1 if $text =~ /^(\d+) \(.*\) \S (\d+) /s
                          && $2 == $parent;
    }

    return @list;
}


sub title {
    my ($pid) = @_;

    return eval { slurp("/proc/$pid/cmdline") } // '';
}


sub slurp {
    my ($file) = @_;

    open my $f, '<', $file or die "$file: $!\n";

    local $/;

    return <$f> // '';
}


sub spew {
    my ($file, $text) = @_;

    open my $f, '>', $file or die "$file: $!\n";
    print $f $text;
    close $f or die "$file: $!\n";
}


1;
