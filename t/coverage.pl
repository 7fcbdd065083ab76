#!/usr/bin/perl
#
# Prints which API actions are implemented: the rows of src/api/kz_api_*.c
# against the list of all actions (t/data/actions.tsv).
#
#     t/coverage.pl            the table
#     t/coverage.pl --list     "controller action 0|1" a line, for tests

use strict;
use warnings;
use FindBin;

chdir "$FindBin::Bin/.." or die;

my (%implemented, %known, @order);

for my $file (glob 'src/api/kz_api_*.c') {
    my ($controller) = $file =~ /kz_api_(\w+)\.c/ or next;
    open my $fh, '<', $file or die "$file: $!\n";
    while (<$fh>) {
        next unless /^    \{ "(\w+)", (\w+),/;
        $implemented{"$controller $1"} = $2 ne 'NULL' ? 1 : 0;
    }
}

open my $fh, '<', 't/data/actions.tsv' or die "t/data/actions.tsv: $!\n";
<$fh>;
while (<$fh>) {
    my ($controller, $action) = split /\t/;
    push @order, $controller unless $known{$controller};
    push @{ $known{$controller} }, $action;
}

my ($done, $all) = (0, 0);

for my $controller (@order) {
    my (@yes, @no);
    for my $action (@{ $known{$controller} }) {
        my $state = $implemented{"$controller $action"};
        die "$controller:$action has no row\n" unless defined $state;
        if (@ARGV && $ARGV[0] eq '--list') {
            print "$controller $action $state\n";
        }
        $state ? push @yes, $action : push @no, $action;
    }
    $done += @yes;
    $all += @yes + @no;
    next if @ARGV;
    printf "%-11s %3d of %3d\n", $controller, scalar @yes, @yes + @no;
    print wrapped('  yes', @yes), wrapped('  no ', @no);
}

printf "%-11s %3d of %3d\n", 'total', $done, $all unless @ARGV;


sub wrapped {
    my ($head, @words) = @_;
    return '' unless @words;
    my ($text, $line) = ('', "$head ");
    for my $word (@words) {
        if (length("$line $word") > 78) {
            $text .= "$line\n";
            $line = ' ' x (length($head) + 1);
        }
        $line .= " $word";
    }
    return "$text$line\n";
}
