package Test::Nginx::Checks;

# Test::Nginx::Checks: what a block says about responses and logs, as
# assertions (Test::More) whose names start with the block's title.
#
#     check_response($block, $res, \%at);   # one call per response
#     check_logs($block, $server);          # once, while nginx runs
#     check_shutdown_logs($block, $server); # once, after it ended
#     my @bad = fatal_lines($block, $log, @patterns);
#
# %at: { index => number of the request, array => are there several }.
# Where there are several requests, every per-response section is an array.
#
# Sections: error_code, error_code_like, response_headers(_like),
# raw_response_headers_like/_unlike, response_body(_like/_unlike),
# response_body_filters, error_log, no_error_log, grep_error_log(_out),
# shutdown_error_log, no_shutdown_error_log, access_log, no_access_log.
#
# A worker may write its log line after its response: what must be there is
# polled for LOG_PATIENCE seconds, what must not is looked at afterwards.

use strict;
use warnings;

use Exporter 'import';
use Test::More ();

use Test::Nginx::Blocks 'filter_value';
use Test::Nginx::Process 'wait_for';

our @EXPORT_OK = qw(check_response check_logs check_shutdown_logs
    fatal_lines is_string pick add_body_check);

use constant LOG_PATIENCE => 0.5;

our $NoLongString = 0;
our $Response;

my @BodyChecks;


# Further checks of every response: $code->($block, $body, $index,
# $repetition, $dry_run); the response itself is in $Response.

sub add_body_check { push @BodyChecks, $_[0] }


# The value for this request out of a section that may be an array.

sub pick {
    my ($block, $section, $at) = @_;

    my $value = $block->value($section);

    if (ref $value eq 'ARRAY') {
        return $value->[$at->{index}];
    }

    if ($at->{array} && defined $value) {
        die "section \"$section\" must be an array: there are several"
            . " requests\n";
    }

    return $value;
}


# Equality that shows where long strings begin to differ.

sub is_string {
    my ($got, $expected, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return Test::More::is($got, $expected, $name)
        if $NoLongString || !defined $got || !defined $expected
           || $got eq $expected || length($got) + length($expected) < 200;

    Test::More::fail($name);

    my $at = 0;
    $at++ while $at < length $got && $at < length $expected
                && substr($got, $at, 1) eq substr($expected, $at, 1);
    my $from = $at > 20 ? $at - 20 : 0;

    Test::More::diag(sprintf "%8s: %s (%d bytes)\n%8s: %s (%d bytes)\n"
        . "strings differ at offset %d",
        'got', _show(substr $got, $from, 80), length $got,
        'expected', _show(substr $expected, $from, 80), length $expected,
        $at);

    return 0;
}


sub _show {
    my ($text) = @_;

    $text =~ s/\n\z//;
    $text =~ s/([\\"])/\\$1/g;
    $text =~ s/\n/\\n/g;
    $text =~ s/\r/\\r/g;
    $text =~ s/([^\x20-\x7e])/sprintf '\x{%02x}', ord $1/ge;

    return "\"$text\"";
}


sub check_response {
    my ($block, $res, $at, $repetition) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    local $Response = $res;

    _check_code($block, $res, $at);
    _check_headers($block, $res, $at);
    _filter_body($block, $res, $at);
    _check_body($block, $res, $at);

    $_->($block, $res->content, $at->{index}, $repetition || 0, undef)
        for @BodyChecks;
}


sub _check_code {
    my ($block, $res, $at) = @_;

    my $name = $block->name . ' - status code ok';
    my $like = pick($block, 'error_code_like', $at);

    if (defined $like) {
        chomp $like if !ref $like;
        Test::More::like($res->code, qr/$like/sm, $name);
        return;
    }

    my $code = pick($block, 'error_code', $at);
    $code = 200 if !defined $code;
    $code =~ s/\s+//g;

    Test::More::is($res->code, $code, $name)
        or Test::More::diag('body: ' . _show(substr $res->content, 0, 400));
}


sub _check_headers {
    my ($block, $res, $at) = @_;

    my $name = $block->name;
    my $raw = $res->raw_headers;

    my $like = pick($block, 'raw_response_headers_like', $at);
    if (defined $like) {
        chomp $like if !ref $like;
        Test::More::like($raw, qr/$like/s, "$name - raw resp headers like");
    }

    my $unlike = pick($block, 'raw_response_headers_unlike', $at);
    if (defined $unlike) {
        chomp $unlike if !ref $unlike;
        Test::More::unlike($raw, qr/$unlike/s,
            "$name - raw resp headers unlike");
    }

    for my $line (_header_lines(pick($block, 'response_headers', $at))) {
        my ($key, $value) = @$line;

        if (!defined $value) {
            Test::More::unlike($raw, qr/^\s*\Q$key\E\s*:/mi,
                "$name - header $key not present in the raw headers");
            next;
        }

        my $actual = $res->header($key);
        Test::More::is(defined $actual ? $actual : '', $value,
            "$name - header $key ok");
    }

    for my $line (_header_lines(pick($block, 'response_headers_like', $at)))
    {
        my ($key, $value) = @$line;
        my $actual = $res->header($key);
        Test::More::like(defined $actual ? $actual : '',
            defined $value ? qr/^$value$/ : qr/^$/,
            "$name - header $key like ok");
    }
}


# "Name: value" lines; "!Name" says that the header must be absent.

sub _header_lines {
    my ($text) = @_;

    return if !defined $text;

    return map {
        /^\s*!\s*(\S+)/ ? [$1, undef]
        : /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/ ? [$1, $2]
        : die "bad header line \"$_\"\n"
    } grep { /\S/ } split /\n/, $text;
}


sub _filter_body {
    my ($block, $res, $at) = @_;

    my $filters = $block->response_body_filters;
    return if !defined $filters;

    $filters = [split ' ', $filters] if !ref $filters;
    $filters = [$filters] if ref $filters ne 'ARRAY';
    $filters = $filters->[$at->{index}] if ref $filters->[0] eq 'ARRAY';

    for my $filter (@$filters) {
        $res->{content} = ref $filter ? $filter->($res->{content})
                        : filter_value($filter, $res->{content});
    }
}


sub _check_body {
    my ($block, $res, $at) = @_;

    my $name = $block->name;
    my $body = $res->content;

    my $expected = pick($block, 'response_body', $at);
    if (ref $expected) {
        Test::More::like($body, $expected, "$name - response_body like");

    } elsif (defined $expected) {
        is_string($body, $expected,
            "$name - response_body - response is expected");
    }

    my $like = pick($block, 'response_body_like', $at);
    if (defined $like) {
        chomp $like if !ref $like;
        Test::More::like($body, qr/$like/s, "$name - response_body_like");
    }

    my $unlike = pick($block, 'response_body_unlike', $at);
    if (defined $unlike) {
        chomp $unlike if !ref $unlike;
        Test::More::unlike($body, qr/$unlike/s,
            "$name - response_body_unlike");
    }
}


# The patterns of a log section: lines of text are literals, qr// and lists
# come through "eval".

sub _patterns {
    my ($value) = @_;

    return if !defined $value;

    my @list = ref $value eq 'ARRAY' ? @$value
             : ref $value ? ($value)
             : split /\n+/, $value;

    return grep { defined && $_ ne '' } @list;
}


sub _regex {
    my ($pattern) = @_;
    return ref $pattern ? $pattern : qr/\Q$pattern\E/;
}


sub _must_match {
    my ($block, $section, $file, $read) = @_;

    for my $pattern (_patterns($block->value($section))) {
        my $re = _regex($pattern);

        my $found = wait_for(LOG_PATIENCE, sub {
            grep { /$re/ } split /^/m, $read->();
        }, 0.01);

        Test::More::ok($found, $block->name
            . " - pattern \"$pattern\" matches a line in $file");
    }
}


sub _must_not_match {
    my ($block, $section, $file, $read) = @_;

    my @patterns = _patterns($block->value($section)) or return;
    my @lines = split /^/m, $read->();

    for my $pattern (@patterns) {
        my $re = _regex($pattern);
        my @bad = grep { /$re/ } @lines;

        Test::More::ok(!@bad, $block->name
            . " - pattern \"$pattern\" does not match a line in $file")
            or Test::More::diag(@bad > 10 ? @bad[0 .. 9] : @bad);
    }
}


sub check_logs {
    my ($block, $server, $repetition) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $error_log = sub { $server->error_log };
    my $access_log = sub { $server->access_log };

    _check_grep($block, $error_log, $repetition || 0);
    _must_match($block, 'error_log', 'error.log', $error_log);
    _must_match($block, 'access_log', 'access.log', $access_log);
    _must_not_match($block, 'no_error_log', 'error.log', $error_log);
    _must_not_match($block, 'no_access_log', 'access.log', $access_log);
}


sub check_shutdown_logs {
    my ($block, $server) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $error_log = sub { $server->error_log };

    _must_match($block, 'shutdown_error_log', 'error.log', $error_log);
    _must_not_match($block, 'no_shutdown_error_log', 'error.log',
        $error_log);
}


# grep_error_log: what the pattern matches, line by line, must be exactly
# grep_error_log_out.

sub _check_grep {
    my ($block, $read, $repetition) = @_;

    my $pattern = $block->grep_error_log;
    return if !defined $pattern;

    my $expected = $block->grep_error_log_out;
    $expected = $expected->[$repetition] if ref $expected eq 'ARRAY';
    die "grep_error_log without grep_error_log_out\n" if !defined $expected;

    chomp $pattern if !ref $pattern;
    my $re = _regex($pattern);
    my $out;

    wait_for(LOG_PATIENCE, sub {
        $out = join '', map { /($re)/ ? "$1\n" : () } split /\n/, $read->();
        return ref $expected ? $out =~ $expected : $out eq $expected;
    }, 0.01);

    my $name = $block->name . ' - grep_error_log_out';

    return Test::More::like($out, $expected, $name) if ref $expected;
    return is_string($out, $expected, $name);
}


# The lines that match one of the patterns and that the block does not
# announce in its error_log or shutdown_error_log section.

sub fatal_lines {
    my ($block, $log, @patterns) = @_;

    my @known = map { _regex($_) } map { _patterns($block->value($_)) }
                qw(error_log shutdown_error_log);

    return grep {
        my $line = $_;
        grep({ $line =~ $_ } @patterns) && !grep({ $line =~ $_ } @known);
    } split /^/m, $log;
}


1;
