#!/usr/bin/perl

# How a server bears ten times what it can do, for one kind of request.
#
#     overload.pl --kzload FILE --port 7512 --worker PID [--factor 10]
#                 [--time 3] [--peak 16] [--sockets 1000] -- REQUEST...
#
# REQUEST is what kzload takes: --path, --body, --body-lines, --requests.
# First as many connections as --peak ask one thing after the other: what they
# get is the capacity.  Then requests arrive at --factor times that rate, with
# no regard to the answers, and at a fifth of it when that is over; all of it
# twice, as the first time a process may grow to the size it needs.
#
# Prints one line of JSON:
#
#     peak peak_p99_ms     answers per second of the closed loop
#     goodput ratio        2xx per second under overload; by the peak, mean of
#                          both
#     p50_ms p99_ms        of the 2xx, from the time they were due
#     refused refused_p99_ms     503 per second
#     other broken unsent lost   no 2xx and no 503, no whole answer, no
#                          socket free within a second, no answer at all
#     own_cpu server_cpu   processors used while overloaded
#     sockets              that the generator needed
#     recovery_ms          after the load: the last one due that was refused
#     slow_ms              ... or that took over 100 ms
#     rss_mb rss_grown_mb  of the worker: after both, and by the second time

use strict;
use warnings;

use Getopt::Long;
use JSON::PP;
use Time::HiRes qw(sleep);

my %opt = (factor => 10, time => 3, peak => 16, sockets => 1000,
           kzload => 'kzload');

GetOptions(\%opt, 'kzload=s', 'port=i', 'worker=i', 'factor=f', 'time=f',
           'peak=i', 'sockets=i', 'writer=i')
    && $opt{port} && $opt{worker} && @ARGV
    or die "usage: see the head of $0\n";

my @request = @ARGV;

print JSON::PP->new->canonical->encode(measure()), "\n";


sub measure {
    my (@peaks, @loads, $rss);

    for my $time (1, 2) {
        push @peaks, peak();
        $rss = rss();

        push @loads, kzload('http-open', '-c', $opt{sockets}, '--warmup',
                            $opt{time} / 2, '--rate',
                            1 + int $opt{factor} * $peaks[-1]{rate}, '--then',
                            1 + int $peaks[-1]{rate} / 5);
        sleep 0.2;
    }

    my $grown = rss() - $rss;

    push @peaks, peak();

    # a machine has its moods: each load against what was before and after

    my $ratio = mean(map {
        $loads[$_]{rate} / mean(map { $_->{rate} } @peaks[$_, $_ + 1])
    } 0, 1);

    my ($peak, $load) = ($peaks[1], $loads[1]);
    my $ms = sub { sprintf '%.2f', ($_[0]{$_[1]} || 0) / 1000 };

    my %result = (
        peak => mean(map { $_->{rate} } @peaks),
        peak_p99_ms => $ms->($peak, 'p99_us'),
        goodput => $load->{rate}, ratio => $ratio,
        p50_ms => $ms->($load, 'p50_us'), p99_ms => $ms->($load, 'p99_us'),
        refused => $load->{refused_rate},
        refused_p99_ms => $ms->($load, 'refused_p99_us'),
        recovery_ms => $load->{refused_until_ms},
        slow_ms => $load->{slow_until_ms},
        rss_mb => rss(), rss_grown_mb => $grown,
        map { $_ => $load->{$_} }
            qw(offered other broken unsent lost sockets own_cpu server_cpu
               then_ok then_refused lag_p99_us),
    );

    $_ += 0 for values %result;

    return \%result;
}


sub peak {
    my $peak = kzload('http', '-c', $opt{peak}, '--warmup', $opt{time} / 4);

    # a moment's refusal may come from others on the machine

    die "overload.pl: the closed loop was refused\n"
        if $peak->{non2xx} > $peak->{ops} / 10;

    $peak->{rate} *= 1 - $peak->{non2xx} / $peak->{ops} if $peak->{ops};

    return $peak;
}


sub mean {
    my $sum = 0;

    $sum += $_ for @_;

    return $sum / @_;
}


sub kzload {
    my ($command, @args) = @_;

    my $pids = join ',', grep { $_ } @opt{qw(worker writer)};
    my @line = ($opt{kzload}, $command, '--json', '--port', $opt{port},
                '-d', $opt{time}, '--pid', $pids, @args, @request);

    open my $out, '-|', @line or die "$opt{kzload}: $!\n";

    my $text = do { local $/; <$out> };

    if (!close $out && $text !~ /^\{/) {
        die "kzload $command failed\n";
    }

    return decode_json($text);
}


# The worker's resident memory in MB.

sub rss {
    open my $f, '<', "/proc/$opt{worker}/status"
        or die "overload.pl: no process $opt{worker}\n";

    my ($kb) = join('', <$f>) =~ /^VmRSS:\s+(\d+) kB/m;

    return $kb / 1024;
}
