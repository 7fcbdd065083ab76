package Test::Nginx::Kuzzle::Json;

# Test::Nginx::Kuzzle::Json: is this JSON a superset of that one?
#
#     my @wrong = json_mismatch($expected, $actual);   # decoded values
#     my @wrong = json_mismatch_text($want, $got);     # texts
#
# Returns a line per difference, naming the path, or an empty list.
#
#   object   the expected members must be there and match; others are ignored
#   "-"      in an expected object: list of members that must be absent
#   array    same length, element by element, unless the last expected
#            element is "...": then the actual array may be longer
#   "*"      any value, null too; "*string", "*number", "*bool", "*object",
#            "*array" any value of that type
#   "~re"    a string or number matching the Perl regex re (unanchored)
#   "=text"  exactly text (for texts that begin with *, ~ or =)
#   others   equal in type and value: 1 is not "1", 1 equals 1.0
#
#     my $value = json_path($data, 'result.hits.0._id');

use strict;
use warnings;

use B ();
use Exporter 'import';
use JSON::PP ();

our @EXPORT_OK = qw(json_mismatch json_mismatch_text json_path json_type
    json_decode json_decode_all json_encode);

my $Codec = JSON::PP->new->utf8->allow_nonref->canonical;


# Dies with the reason when the text is not one JSON value.

sub json_decode {
    my ($text) = @_;
    my $data = eval { $Codec->decode($text) };
    die "not JSON: " . _short($text) . ' (' . $@ =~ s/ at \S+ line.*//sr
        . ")\n" if $@;
    return $data;
}


# All JSON values of a text, one after the other.

sub json_decode_all {
    my ($text) = @_;

    my @values;

    while ($text =~ /\S/) {
        $text =~ s/\A\s+//;
        my ($value, $used) = eval { $Codec->decode_prefix($text) };
        die 'expected JSON is wrong: ' . _short($text) . " ($@)\n" if $@;
        push @values, $value;
        $text = substr $text, $used;
    }

    return @values;
}


sub json_encode { return $Codec->encode($_[0]) }


sub json_type {
    my ($v) = @_;

    return 'null' if !defined $v;
    return 'bool' if JSON::PP::is_bool($v);
    return 'object' if ref $v eq 'HASH';
    return 'array' if ref $v eq 'ARRAY';

    my $flags = B::svref_2object(\$v)->FLAGS;
    return 'string' if $flags & B::SVf_POK;
    return $flags & (B::SVf_IOK | B::SVf_NOK) ? 'number' : 'string';
}


sub json_mismatch_text {
    my ($want, $got) = @_;

    my $expected = json_decode($want);
    my $actual = eval { json_decode($got) };
    return "$@" if $@;

    return json_mismatch($expected, $actual);
}


sub json_mismatch {
    my ($want, $got, $path) = @_;

    $path = '' if !defined $path;

    my $at = $path eq '' ? 'the value' : $path;
    my ($wt, $gt) = (json_type($want), json_type($got));

    if ($wt eq 'string' && $want =~ /\A[*~=]/) {
        return _mismatch_pattern($want, $got, $gt, $at);
    }

    if ($wt ne $gt) {
        return "$at: expected $wt " . _short($want) . ", got $gt "
            . _short($got);
    }

    return _mismatch_object($want, $got, $path) if $wt eq 'object';
    return _mismatch_array($want, $got, $path) if $wt eq 'array';

    my $same = $wt eq 'null' ? 1
             : $wt eq 'bool' ? !$want == !$got
             : $wt eq 'number' ? $want == $got : $want eq $got;

    return $same ? () : "$at: expected " . _short($want) . ', got '
        . _short($got);
}


sub _mismatch_pattern {
    my ($want, $got, $type, $at) = @_;

    my ($kind, $rest) = $want =~ /\A(.)(.*)\z/s;
    my $scalar = $type eq 'string' || $type eq 'number';

    my $good = $kind eq '*'
             ? $rest eq '' || $rest eq $type
             : $kind eq '~'
             ? $scalar && $got =~ /$rest/
             : $type eq 'string' && $got eq $rest;

    return $good ? () : "$at: expected " . _short($want) . ', got '
        . _short($got);
}


sub _mismatch_object {
    my ($want, $got, $path) = @_;

    my @wrong;

    for my $key (sort keys %$want) {
        my $at = $path eq '' ? $key : "$path.$key";

        if ($key eq '-' && ref $want->{$key} eq 'ARRAY') {
            push @wrong, map { "$path: member \"$_\" must be absent" }
                         grep { exists $got->{$_} } @{$want->{$key}};
            next;
        }

        push @wrong, exists $got->{$key}
            ? json_mismatch($want->{$key}, $got->{$key}, $at)
            : "$at: is missing";
    }

    return @wrong;
}


sub _mismatch_array {
    my ($want, $got, $path) = @_;

    my @want = @$want;
    my $open = @want && json_type($want[-1]) eq 'string'
               && $want[-1] eq '...';
    pop @want if $open;

    my $at = $path eq '' ? 'the array' : $path;

    if ($open ? @$got < @want : @$got != @want) {
        return "$at: expected " . @want . ($open ? ' or more' : '')
            . ' elements, got ' . @$got . ': ' . _short($got);
    }

    return map {
        json_mismatch($want[$_], $got->[$_], $path eq '' ? $_ : "$path.$_")
    } 0 .. $#want;
}


# Walks "a.b.0.c"; the value and whether it is there.

sub json_path {
    my ($data, $path) = @_;

    for my $key (split /\./, $path) {
        if (ref $data eq 'HASH' && exists $data->{$key}) {
            $data = $data->{$key};

        } elsif (ref $data eq 'ARRAY' && $key =~ /^-?\d+$/
                 && exists $data->[$key])
        {
            $data = $data->[$key];

        } else {
            return wantarray ? (undef, 0) : undef;
        }
    }

    return wantarray ? ($data, 1) : $data;
}


# A value or text for a message: not longer than a line or two.

sub _short {
    my ($v) = @_;
    my $text = defined $v && !ref $v && json_type($v) eq 'string' ? "\"$v\""
             : json_encode($v);
    return length $text > 300 ? substr($text, 0, 300) . '...' : $text;
}


1;
