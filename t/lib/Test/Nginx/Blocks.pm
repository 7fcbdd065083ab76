package Test::Nginx::Blocks;

# Test::Nginx::Blocks: the data format of .t files.
#
# A .t file keeps its blocks after __DATA__:
#
#     === TEST 1: what this block shows
#     free text, ignored
#     --- config
#     location /t { return 200 "hi"; }
#     --- request: GET /t
#     --- response_body chomp
#     hi
#     --- SKIP
#
# A section is either one line ("--- name: value") or all lines up to the
# next "---" or "===" at the start of a line.  Words between the name and
# the colon or the end of the line are filters, applied from left to right
# after the two that every section gets ("norm": line ends, "trim": blank
# lines before and after go, the last newline stays; "-trim" switches it off).
#
#     my @blocks = parse_blocks($text);       # objects, file order
#     $block->name; $block->request;          # undef when absent
#     $block->set_value(request => 'GET /');  # for preprocessors
#
# Filters run once, when the block is about to run, so that "eval" code
# sees what was set up before run_tests().

use strict;
use warnings;

use Exporter 'import';
use JSON::PP ();

our @EXPORT_OK = qw(parse_blocks add_filter filter_value);


# The named filters.  Each gets the value and an optional "=argument".

my %Filters = (
    norm => sub {
        my ($v) = @_;
        $v =~ s/\r\n?/\n/g;
        return $v;
    },

    trim => sub {
        my ($v) = @_;
        $v =~ s/\A(?:[ \t]*\n)+//;
        $v =~ s/(?<=\n)\s*\z//;
        return $v;
    },

    eval => sub {
        my ($code) = @_;
        my $value = eval "package main; no strict; no warnings; $code";
        die "eval filter: $@" if $@;
        return $value;
    },

    chomp         => sub { my ($v) = @_; chomp $v; $v },
    chop          => sub { my ($v) = @_; chop $v; $v },
    lc            => sub { lc $_[0] },
    uc            => sub { uc $_[0] },
    length        => sub { length $_[0] },
    quote         => sub { quotemeta $_[0] },
    unchomp       => sub { "$_[0]\n" },
    append        => sub { $_[0] . _unescape($_[1]) },
    join          => sub { ref $_[0] ? join(_unescape($_[1]), @{$_[0]})
                                     : $_[0] },
    lines         => sub { [$_[0] =~ /^(.*\n?)/gm] },
    array         => sub { ref $_[0] eq 'ARRAY' ? $_[0] : [$_[0]] },
    base64_decode => sub { require MIME::Base64;
                           MIME::Base64::decode_base64($_[0]) },
    base64_encode => sub { require MIME::Base64;
                           MIME::Base64::encode_base64($_[0]) },
    hex_decode    => sub { my ($v) = @_; $v =~ s/\s+//g; pack('H*', $v) },
    json_sort     => \&_json_sort,
);


# Adds or replaces a filter: add_filter(name => sub { my ($value, $arg) ... }).

sub add_filter {
    my ($name, $code) = @_;
    $Filters{$name} = $code;
}


# Runs one filter; a name that is not known here may be a function of main.

sub filter_value {
    my ($name, $value) = @_;

    my $arg = $name =~ s/=(.*)//s ? $1 : '';
    my $code = $Filters{$name} || main->can($name)
        or die "unknown filter \"$name\"\n";

    return $code->($value, $arg);
}


# Parses the text after __DATA__; dies with a message on a malformed file.

sub parse_blocks {
    my ($text) = @_;

    my (@blocks, $seq);

    $text =~ s/\r\n/\n/g;

    for my $hunk ($text =~ /^(===.*?)(?=^===|\z)/msg) {
        my $block = _parse_block($hunk);
        $block->{_seq} = ++$seq;
        push @blocks, $block;
    }

    die "no test blocks found\n" if !@blocks;

    return @blocks;
}


sub _parse_block {
    my ($hunk) = @_;

    my ($name) = $hunk =~ /\A===[ \t]*(.*?)[ \t]*(?:\n|\z)/;
    $name = 'unnamed' if $name eq '';

    my $block = bless {
        _name => $name, _values => {}, _filters => {}, _order => [],
    }, 'Test::Nginx::Block';

    # The first part is the title and the description.
    my (undef, @parts) = split /^--- +(\w+) *([^\n]*)(?:\n|\z)/m, $hunk,
        -1;

    while (@parts) {
        my ($section, $head, $value) = splice @parts, 0, 3;
        $value = '' if !defined $value;

        if ($head =~ /\A(.*?)\s*:(?:\s+(.*?))?\s*\z/s) {
            my ($filters, $inline) = ($1, $2);

            die "$name: extra lines after one-line section \"$section\"\n"
                if $value =~ /\S/;

            ($head, $value) = ($filters, defined $inline ? $inline : '');
        }

        die "$name: section \"$section\" is there twice\n"
            if exists $block->{_values}{$section};

        # A data line that must start with "---" or "===" is escaped by "\".
        $value =~ s/^\\(---|===)/$1/mg;

        push @{$block->{_order}}, $section;
        $block->{_values}{$section} = $value;
        $block->{_filters}{$section} = [split ' ', $head];
    }

    return $block;
}


sub _unescape {
    my ($arg) = @_;
    $arg =~ s/\\n/\n/g;
    $arg =~ s/\\t/\t/g;
    return $arg;
}


# Canonical JSON: sorted members, no blanks; text that is not JSON stays.

sub _json_sort {
    my ($text) = @_;

    my $json = JSON::PP->new->utf8->canonical->allow_nonref;
    my $data = eval { $json->decode($text) };

    return $@ ? $text : $json->encode($data);
}


package Test::Nginx::Block;

our $AUTOLOAD;


sub name { $_[0]{_name} }

sub seq_num { $_[0]{_seq} }


# Names of the sections in file order.

sub sections { @{$_[0]{_order}} }


sub has_section {
    my ($self, $section) = @_;
    return exists $self->{_values}{$section};
}


# The value of a section, undef when the block has none of that name.

sub value {
    my ($self, $section) = @_;
    return $self->{_values}{$section};
}


sub set_value {
    my ($self, $section, $value) = @_;

    if (!exists $self->{_values}{$section}) {
        push @{$self->{_order}}, $section;
        $self->{_filters}{$section} = [];
    }

    $self->{_values}{$section} = $value;
}


# Runs the filters of all sections, once.  Dies naming block and section.

sub run_filters {
    my ($self) = @_;

    return if $self->{_filtered}++;

    for my $section ($self->sections) {
        my @filters = @{$self->{_filters}{$section}};

        my %off = map { /^-(.+)/ ? ($1 => 1) : () } @filters;
        my @names = (grep({ !$off{$_} } qw(norm trim)),
                     grep({ !/^-/ } @filters));

        for my $filter (@names) {
            my $value = eval {
                Test::Nginx::Blocks::filter_value($filter,
                    $self->{_values}{$section});
            };
            die "$self->{_name}: section \"$section\": $@" if $@;

            $self->{_values}{$section} = $value;
        }
    }
}


# Any other method name is a section name.

sub AUTOLOAD {
    my ($self) = @_;

    my $section = $AUTOLOAD =~ s/.*:://r;
    return if $section eq 'DESTROY';

    die "no such class method: $AUTOLOAD" if !ref $self;

    return $self->{_values}{$section};
}


1;
