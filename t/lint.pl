#!/usr/bin/perl
#
# What a compiler does not check: layers, names, lines, sizes, and that every
# directive is in the manual.
#
#     t/lint.pl [module.so]

use strict;
use warnings;
use FindBin;

chdir "$FindBin::Bin/.." or die;

my $faults = 0;

sub fault {
    print "@_\n";
    $faults++;
}

my %rank = (util => 0, core => 1, store => 2, cache => 2, security => 3,
    realtime => 3, api => 4, proto => 5);

my @files = split /\n/, `git ls-files --cached --others --exclude-standard`;
my @c = grep { /\.[ch]$/ && -f } @files;

# tables and generated lists may be longer; they say so on top
my $max_file = 900;
my $max_function = 120;

for my $file (@c) {
    open my $fh, '<', $file or die "$file: $!\n";
    my @lines = <$fh>;
    my ($layer) = $file =~ m{^src/(\w+)/};
    my ($start, $name);

    for my $i (0 .. $#lines) {
        my $n = $i + 1;
        local $_ = $lines[$i];
        chomp;

        fault("$file:$n: tab") if /\t/;
        fault("$file:$n: trailing blank") if /\s$/;
        fault("$file:$n: longer than 80 columns") if length > 80;

        if ($layer && /^#include "(\w+)\/([\w\/]+\.h)"/) {
            my ($to, $header) = ($1, $2);
            if (!defined $rank{$to}) {
                fault("$file:$n: unknown layer $to");
            } elsif ($to ne $layer && $rank{$to} >= $rank{$layer}) {
                fault("$file:$n: $layer may not include $to");
            } elsif ($to ne $layer && $to =~ /^(store|cache|security|realtime)$/
                     && $header ne "kz_$to.h")
            {
                fault("$file:$n: kz_$to.h is the only door of $to");
            }
        }

        if ($file =~ m{^(src/|ngx_)} && /^(\w+)\(.*/ && $i
            && $lines[$i - 1] =~ /^\w/)
        {
            $name = $1;
        }
        if (/^\{/) {
            $start = $n;
        }
        if (/^\}/ && defined $start) {
            if (defined $name && $n - $start > $max_function) {
                fault("$file:$start: $name() has " . ($n - $start) . ' lines');
            }
            undef $start;
            undef $name;
        }
    }

    if (@lines > $max_file
        && join('', @lines[0 .. 20]) !~ /hence its length/)
    {
        fault("$file: " . @lines . ' lines');
    }
}

# file names are unique

my %seen;
for my $file (grep { m{^src/} } @c) {
    my ($base) = $file =~ m{([^/]+)$};
    fault("$file: also $seen{$base}") if $seen{$base};
    $seen{$base} = $file;
}

# every directive is in the manual, and nothing else

my ($block, %directive, %documented) = ('');
open my $fh, '<', 'ngx_kuzzle_module.c' or die;
while (<$fh>) {
    $block = $1 if /ngx_command_t\s+(\w+)\[\]/;
    if ($block =~ /commands/ && /ngx_string\("(\w+)"\)/) {
        $directive{$1} = 1;
    }
    $block = '' if /^};/;
}
open $fh, '<', 'docs/directives.md' or die "docs/directives.md: $!\n";
while (<$fh>) {
    $documented{$1} = 1 if /^### `?(\w+)/;
}
for (sort keys %directive) {
    fault("directive $_ is not in docs/directives.md") unless $documented{$_};
}
for (sort keys %documented) {
    fault("docs/directives.md has $_, which is none") unless $directive{$_};
}

# exported symbols carry a prefix

if (@ARGV && -f $ARGV[0]) {
    for (split /\n/, `nm -D --defined-only $ARGV[0]`) {
        my (undef, undef, $symbol) = split;
        next if $symbol =~ /^(kz_|ngx_(http_|stream_)?kuzzle)/;
        next if $symbol =~ /^ngx_(modules|module_names|module_order)$/;
        fault("exported symbol $symbol has no prefix");
    }
}

print $faults ? "$faults faults\n" : "lint: clean\n";
exit($faults ? 1 : 0);
