#!/usr/bin/perl

# The unit tests of the pure layers: runs the programs that "make" left in
# KZ_UNIT_DIR (build/unit), each as a subtest made of its own TAP.

use strict;
use warnings;

use Test::More;

my $dir = $ENV{KZ_UNIT_DIR} || 'build/unit';
my @programs = sort grep { -f && -x } glob "$dir/test_*";

plan skip_all => "no programs in $dir" if !@programs;
plan tests => scalar @programs;


sub run_program {
    my ($program) = @_;
    my ($planned, $count, $passed) = (undef, 0, 1);

    open my $out, '-|', $program or die "cannot run $program: $!\n";

    while (my $line = <$out>) {
        chomp $line;

        if ($line =~ /^(not )?ok \d+(?: - (.*))?$/) {
            $count++;
            $passed = ok(!$1, $2);

        } elsif ($line =~ /^1\.\.(\d+)$/) {
            $planned = $1;

        } elsif ($line =~ /^Bail out!/) {
            fail($line);

        } elsif ($line =~ /^#\s?(.*)/) {
            $passed ? note($1) : diag($1);
        }
    }

    close $out;

    my $status = $?;

    is($status, 0, 'it ended well');
    is($count, $planned, 'and ran all it had planned');
}


for my $program (@programs) {
    my ($name) = $program =~ m{([^/]+)$};

    subtest $name => sub { run_program($program) };
}
