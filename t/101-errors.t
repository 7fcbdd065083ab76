# The table of errors in the source against the lists of both generations.

use strict;
use warnings;
use Test::More;

my %table;

{
    local $/;
    open my $fh, '<', 'src/core/kz_error_table.h' or die $!;
    my $text = <$fh>;
    $text =~ s{/\*.*?\*/}{}gs;
    my $string = qr/"(?:[^"\\]|\\.)*"/;
    while ($text =~ /KZ_ERROR\((\w+),\s*((?:$string\s*)+),\s*(\d+),\s*(\d+),
                     \s*((?:$string\s*)+),\s*(NULL|(?:$string\s*)+)\)/gx)
    {
        my ($id, $code, $status, $m1, $m2) = (join_c($2), $3, $4, join_c($5),
            $6 eq 'NULL' ? undef : join_c($6));
        ok(!$table{$id}, "$id stands once") if $table{$id};
        $table{$id} = { code => $code, status => $status, m1 => $m1,
            m2 => defined $m2 ? $m2 : $m1 };
    }
}

sub join_c {
    my ($c) = @_;
    my $s = join '', map { s/^"|"$//gr } $c =~ /"(?:[^"\\]|\\.)*"/g;
    $s =~ s/\\n/\n/g;
    $s =~ s/\\(.)/$1/g;
    return $s;
}

my %both;

for my $generation (1, 2) {
    open my $fh, '<', "t/data/errors-v$generation.tsv" or die $!;
    my ($n, @wrong) = (0);
    while (<$fh>) {
        chomp;
        my ($kind, $id, $code, undef, undef, $status, $message) = split /\t/;
        next unless $kind eq 'error';
        $n++;
        $both{$id}++;
        $message =~ s/\\n/\n/g;
        my $e = $table{$id};
        if (!$e) {
            push @wrong, "$id is missing";
        } elsif ($e->{code} != $code || $e->{status} != $status) {
            push @wrong, "$id: $e->{code} $e->{status}, not $code $status";
        } elsif ($e->{"m$generation"} ne $message) {
            push @wrong, "$id: \"" . $e->{"m$generation"} . "\"";
        }
    }
    ok($n > 150, "generation $generation: $n errors listed");
    ok(!@wrong, "generation $generation: the table agrees")
        or diag(join "\n", @wrong);
}

my @own = grep { !$both{$_} } sort keys %table;
is("@own", 'api.process.not_implemented core.realtime.unavailable '
    . 'services.storage.failed '
    . 'services.storage.no_answer services.storage.query_timeout '
    . 'services.storage.unavailable', 'our own errors are these');

my %code;
$code{ $table{$_}{code} }++ for keys %table;
my @twice = grep { $code{ $table{$_}{code} } > 1 } @own;
is("@twice", '', 'our own codes are used once');

done_testing();
