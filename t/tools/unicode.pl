#!/usr/bin/perl
#
# Writes src/util/kz_unicode_table.h: classes for finding words, lower case,
# and what asciifolding makes of a letter, from Perl's copy of the Unicode
# character database.
#
#     t/tools/unicode.pl > src/util/kz_unicode_table.h

use strict;
use warnings;
use Unicode::UCD qw(prop_invmap);
use Unicode::Normalize;
use feature 'unicode_strings';

my $max = 0x1ffff;

sub spread {
    my ($property, $name) = @_;
    my ($list, $map, $format) = prop_invmap($property);
    my %of;
    for my $i (0 .. $#$list) {
        my $to = $i < $#$list ? $list->[$i + 1] - 1 : 0x10ffff;
        my $v = ref $map->[$i] ? $map->[$i] : $map->[$i];
        next unless $name->{$v};
        for my $c ($list->[$i] .. $to) {
            $of{$c} = $name->{$v};
        }
    }
    return \%of;
}

my $class = spread('Word_Break', {
    ALetter => 'LETTER', ExtPict_LE => 'LETTER', Hebrew_Letter => 'HEBREW',
    Numeric => 'NUMERIC', Katakana => 'KATAKANA',
    ExtendNumLet => 'EXTENDNUMLET', Extend => 'EXTEND', Format => 'EXTEND',
    ZWJ => 'ZWJ', MidLetter => 'MIDLETTER', MidNum => 'MIDNUM',
    MidNumLet => 'MIDNUMLET', Single_Quote => 'SINGLE',
    Double_Quote => 'DOUBLE', Regional_Indicator => 'REGIONAL',
    ExtPict_XX => 'PICTURE',
});

for my $c (0 .. 0x3ffff) {
    next if $class->{$c} && $class->{$c} ne 'PICTURE';
    my $s = chr $c;
    if ($s =~ /\p{Script=Hiragana}/) {
        $class->{$c} = 'HIRAGANA';
    } elsif ($s =~ /\p{Script=Han}/) {
        $class->{$c} = 'IDEOGRAPH';
    } elsif ($s =~ /\p{Line_Break=Complex_Context}/) {
        $class->{$c} = 'COMPLEX';
    }
}

# digits, # and * start no picture
delete $class->{$_} for grep { $class->{$_} && $class->{$_} eq 'PICTURE' }
    0 .. 0xff;

print <<'EOF';
/*
 * Made by t/tools/unicode.pl; hence its length.
 */


EOF

print "static const kz_word_range_t  kz_word_ranges[] = {\n";
my ($from, $last, $name);
for my $c ((sort { $a <=> $b } keys %$class), -1) {
    if (defined $name
        && ($c < 0 || $c != $last + 1 || $class->{$c} ne $name))
    {
        printf "    { 0x%05x, 0x%05x, KZ_WORD_%s },\n", $from, $last, $name;
        undef $name;
    }
    last if $c < 0;
    ($from, $name) = ($c, $class->{$c}) unless defined $name;
    $last = $c;
}
print "};\n\n\n";

# lower case: runs of one distance, every character or every second one

my %lower;
for my $c (0x80 .. $max) {
    next if $c >= 0xd800 && $c <= 0xdfff;
    my $l = lc chr $c;
    $lower{$c} = ord($l) - $c if length $l == 1 && ord($l) != $c;
}
$lower{0x130} = 0x69 - 0x130;

print "static const kz_lower_range_t  kz_lower_ranges[] = {\n";
my @todo = sort { $a <=> $b } keys %lower;
while (@todo) {
    my $c = shift @todo;
    my $d = $lower{$c};
    my ($end, $step) = ($c, 1);
    if (@todo && $lower{$todo[0]} == $d
        && ($todo[0] == $c + 1 || $todo[0] == $c + 2))
    {
        $step = $todo[0] - $c;
        while (@todo && $todo[0] == $end + $step && $lower{$todo[0]} == $d) {
            $end = shift @todo;
        }
    }
    printf "    { 0x%05x, 0x%05x, %d, %d },\n", $c, $end, $step, $d;
}
print "};\n\n\n";

# asciifolding: letters that decompose to ASCII ones, and the usual others

my %fold = (
    0xc6 => 'AE', 0xe6 => 'ae', 0xd0 => 'D', 0xf0 => 'd', 0xd8 => 'O',
    0xf8 => 'o', 0xde => 'TH', 0xfe => 'th', 0xdf => 'ss', 0x1e9e => 'SS',
    0x110 => 'D', 0x111 => 'd', 0x126 => 'H', 0x127 => 'h', 0x131 => 'i',
    0x138 => 'q', 0x141 => 'L', 0x142 => 'l', 0x14a => 'N', 0x14b => 'n',
    0x152 => 'OE', 0x153 => 'oe', 0x166 => 'T', 0x167 => 't',
    0x2018 => "'", 0x2019 => "'", 0x201c => '"', 0x201d => '"',
    0x2010 => '-', 0x2011 => '-', 0x2012 => '-', 0x2013 => '-',
    0x2014 => '-', 0xab => '"', 0xbb => '"',
);
for my $c (0x80 .. 0x24ff, 0xfb00 .. 0xfb06, 0xff01 .. 0xff5e) {
    next if $fold{$c};
    my $d = NFKD(chr $c);
    $d =~ s/\p{Mn}+//g;
    $fold{$c} = $d if $d =~ /^[A-Za-z0-9]{1,3}$/;
}
print "static const kz_fold_t  kz_folds[] = {\n";
for my $c (sort { $a <=> $b } keys %fold) {
    my $s = $fold{$c};
    $s =~ s/(["\\])/\\$1/g;
    printf "    { 0x%05x, \"%s\" },\n", $c, $s;
}
print "};\n";
