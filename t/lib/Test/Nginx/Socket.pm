package Test::Nginx::Socket;

# Test::Nginx::Socket: runs the blocks of a .t file against nginx.
#
# A compatible subset of the upstream module of this name (same functions,
# same sections, pure Perl on core modules): the same .t files run on both.
#
#     use Test::Nginx::Socket 'no_plan';     # or: plan tests => N
#     run_tests();
#     __DATA__
#     === TEST 1: a location answers
#     --- config
#     location /t { return 200 "hi"; }
#     --- request
#     GET /t
#     --- response_body chomp
#     hi
#
# Sections by module: configuration and files in Server.pm (main_config,
# http_config, config, post_main_config, user_files, log_level), requests in
# Http.pm, checks in Checks.pm, the data format and its filters in Blocks.pm.
# Here: timeout and wait (seconds), abort (a timeout is expected),
# ignore_response, must_die (nginx must refuse to start, the value is its exit
# code), skip_nginx "N: < 1.22.0", skip_eval "N: perl", init (Perl code), ONLY,
# SKIP, LAST, kills (processes get killed: their exit is no failure).
#
# Differences from upstream, all deliberate:
#   - nginx is a direct child and waited on: a block costs about 0.1 s; after
#     it, an unclean exit or a process left behind is a failure;
#   - blocks run in file order, TEST_NGINX_SHUFFLE=1 (or =seed) shuffles;
#   - error_log is at level info, TEST_NGINX_LOG_LEVEL changes that;
#   - without a plan the file ends with done_testing;
#   - extras for other modules: add_block_action(), server(), fatal_log().
#
# Environment, besides Server.pm's: TEST_NGINX_TIMEOUT (seconds), KZ_WORKERS=n
# (workers of every block), KZ_RELOAD=1 (a reload between the requests).

use strict;
use warnings;

use List::Util 'shuffle';
use Test::More ();
use Time::HiRes qw(sleep time);

use Test::Nginx::Blocks 'parse_blocks';
use Test::Nginx::Checks qw(check_response check_logs check_shutdown_logs
    fatal_lines is_string add_body_check);
use Test::Nginx::Http qw(build_requests exchange parse_response);
use Test::Nginx::Server;

our $VERSION = '0.29';

our ($ServerPort, $ServerRoot);

our @EXPORT = qw(
    plan run_tests blocks repeat_each no_shuffle no_long_string
    no_root_location no_nginx_manager log_level timeout
    workers worker_connections master_on master_off master_process_enabled
    env_to_nginx add_block_preprocessor add_response_body_check
    add_cleanup_handler bail_out is_str
    server_port server_port_for_client server_addr server_name server_root
    html_dir
    ok is isnt like unlike is_deeply pass fail diag note skip done_testing
    $ServerPort $ServerRoot
);

my ($Server, @Blocks, @Preprocessors, @Cleanup, %Actions, @FatalLog);
my ($RepeatEach, $Shuffle, $Timeout) = (1, 1, 5);

$Timeout = $ENV{TEST_NGINX_TIMEOUT} if $ENV{TEST_NGINX_TIMEOUT};

*is_str = *is_str = \&is_string;

# Upstream re-exports Test::More, so do we.
for my $name (qw(ok is isnt like unlike is_deeply pass fail diag note skip
    plan done_testing))
{
    no strict 'refs';
    *{$name} = \&{"Test::More::$name"};
}


# Exports into the caller, and starts the plan like Test::More does: the
# arguments are "no_plan", "tests => N" or "skip_all => why".

sub import {
    my ($class, @plan) = @_;

    my $caller = caller;

    _init();

    no strict 'refs';
    for my $symbol (@EXPORT) {
        if ($symbol =~ /^\$(.+)/) {
            *{"${caller}::$1"} = \${$1};
        } else {
            *{"${caller}::$symbol"} = \&{$symbol};
        }
    }

    strict->import;
    warnings->import;

    # "no_plan" would only hide the end of the run from done_testing.
    Test::More::plan(@plan) if @plan && $plan[0] ne 'no_plan';
}


sub _init {
    return if $Server;

    $Server = Test::Nginx::Server->new;
    ($ServerPort, $ServerRoot) = ($Server->port, $Server->root);

    $Server->{workers} = $ENV{KZ_WORKERS} if $ENV{KZ_WORKERS};

    # Evaluated sections may use these, as $ENV{...} or by expansion.
    $ENV{TEST_NGINX_SERVER_PORT} = $ServerPort;
    $ENV{TEST_NGINX_SERVER_ROOT} = $ServerRoot;
    $ENV{TEST_NGINX_HTML_DIR} = html_dir();

    # So that END stops nginx, also when nobody reads our output any more.
    $SIG{$_} = sub { exit 1 } for qw(INT TERM HUP PIPE);
}


END {
    # Stopping nginx and unlinking files must not touch our exit code.
    local ($?, $!, $@);

    for my $handler (@Cleanup) {
        eval { $handler->(); 1 } or warn $@;
    }

    $Server->cleanup if $Server;
}


# Settings of the file.  Each returns the present value; most set it.

sub repeat_each {
    $RepeatEach = $_[0] if @_;
    return $RepeatEach;
}

sub timeout {
    $Timeout = $_[0] if @_;
    return $Timeout;
}

sub log_level {
    $Server->{log_level} = $_[0] if @_ && !$ENV{TEST_NGINX_LOG_LEVEL};
    return $Server->{log_level};
}

sub workers {
    $Server->{workers} = $_[0] if @_ && !$ENV{KZ_WORKERS};
    return $Server->{workers};
}

sub master_process_enabled {
    $Server->{master} = $_[0] if @_;
    return $Server->{master};
}

sub master_on { master_process_enabled(1) }

sub master_off { master_process_enabled(0) }

sub no_shuffle { $Shuffle = 0 }

sub no_long_string { $Test::Nginx::Checks::NoLongString = 1 }

sub no_root_location { $Server->{root_location} = 0 }

sub env_to_nginx { push @{$Server->{env}}, @_ }

sub add_block_preprocessor { push @Preprocessors, $_[0] }

sub add_response_body_check { add_body_check($_[0]) }

sub add_cleanup_handler { unshift @Cleanup, $_[0] }

sub bail_out { Test::More::BAIL_OUT(join ' ', @_) }

sub server_port { $Server->port }

sub server_port_for_client { $Server->port }

sub server_addr { '127.0.0.1' }

sub server_name { 'localhost' }

sub server_root { $Server->root }

sub html_dir { $Server->root . '/html' }

# Nothing to set in this harness, there for files written for upstream.

sub worker_connections { 1024 }

sub no_nginx_manager { }


# Extras.  The running server, with pid(), reload(), expand(), error_log()...

sub server { $Server }


# Names in the server root that are left alone between blocks.

sub keep_in_root { push @{$Server->{keep}}, @_ }


# For blocks with this section, calls $code->($block, $server) while nginx
# runs, after the requests (a block with an action needs no request).

sub add_block_action {
    my ($section, $code) = @_;
    $Actions{$section} = $code;
}


# Patterns that no line of error.log may match in any block, looked at after
# nginx has ended.  A code reference gets the block and returns patterns.

sub fatal_log { push @FatalLog, @_ }


# All blocks of the file that shall run.

sub blocks {
    if (!@Blocks) {
        my $text = do {
            no strict 'refs';
            local $/;
            my $fh = \*{'main::DATA'};
            readline $fh;
        };

        bail_out("no __DATA__ in $0") if !defined $text;

        @Blocks = eval { parse_blocks($text) } or bail_out("$0: $@");
        @Blocks = _selected(@Blocks);
    }

    return wantarray ? @Blocks : scalar @Blocks;
}


sub _selected {
    my (@blocks) = @_;

    if (my @only = grep { $_->has_section('ONLY') } @blocks) {
        Test::More::diag('running only: ', join ', ', map { $_->name } @only);
        return @only;
    }

    my @selected;

    for my $block (@blocks) {
        push @selected, $block if !$block->has_section('SKIP');
        last if $block->has_section('LAST');
    }

    return @selected;
}


sub run_tests {
    my @run = blocks();

    if (my $seed = $Shuffle && $ENV{TEST_NGINX_SHUFFLE}) {
        $seed = int rand 1e6 if $seed eq '1';
        Test::More::diag("TEST_NGINX_SHUFFLE=$seed");
        srand $seed;
        @run = _shuffled(@run);
    }

    for my $block (@run) {
        my $began = time;

        # An error in a block fails that block and not the file.
        if (!eval { _run_block($block); 1 }) {
            my $error = $@;
            Test::More::fail($block->name . " - $error");
            $Server->stop;
        }

        Test::More::note(sprintf '%s: %.3f s', $block->name, time - $began);
    }

    Test::More::done_testing() if !Test::More->builder->has_plan;
}


# A block that builds on the one before it (keep_data) stays behind it.

sub _shuffled {
    my (@blocks) = @_;

    my @groups;

    for my $block (@blocks) {
        if (@groups && $block->has_section('keep_data')) {
            push @{$groups[-1]}, $block;
        } else {
            push @groups, [$block];
        }
    }

    return map { @$_ } shuffle @groups;
}


sub _run_block {
    my ($block) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    # Sections first, so that a preprocessor sees the values.
    $block->run_filters;
    $_->($block) for @Preprocessors;

    my ($count, $why) = _skip($block);
    if ($count) {
        Test::More->builder->skip($block->name . " - $why") for 1 .. $count;
        return;
    }

    _eval_code($block->init) if defined $block->init;
    _expand($block);

    $Server->prepare($block);

    if (!$Server->start) {
        return _dead_on_start($block);
    }

    if (defined $block->must_die) {
        return _check_death($block);
    }

    for my $repetition (0 .. $RepeatEach - 1) {
        _run_requests($block, $repetition);

        for my $section (grep { $Actions{$_} } $block->sections) {
            $Actions{$section}->($block, $Server);
        }

        sleep $block->wait if $block->wait;
        check_logs($block, $Server, $repetition);
    }

    _finish($block);
}


sub _eval_code {
    my ($code) = @_;
    my $value = eval "package main; no strict; $code";
    die $@ if $@;
    return $value;
}


# The sections skip_nginx ("2: < 1.22.0") and skip_eval ("2: perl code").
# Returns how many tests to skip, and why.

sub _skip {
    my ($block) = @_;

    if (defined(my $spec = $block->skip_nginx)) {
        my ($n, $op, $want) = $spec =~ /^\s*(\d+):\s*([<>]=?)\s*([\d.]+)/
            or die "bad skip_nginx\n";

        my $order = _version(_nginx_version()) <=> _version($want);
        my $hit = $op eq '<' ? $order < 0 : $op eq '<=' ? $order <= 0
                : $op eq '>' ? $order > 0 : $order >= 0;
        return ($n, "nginx version $op $want") if $hit;
    }

    if (defined(my $spec = $block->skip_eval)) {
        my ($n, $code) = $spec =~ /^\s*(\d+)\s*:\s*(.*)/s
            or die "bad skip_eval\n";
        return ($n, 'skip_eval') if _eval_code($code);
    }

    return 0;
}


sub _nginx_version {
    my $text = `$Server->{binary} -v 2>&1`;
    return $text =~ m{/([\d.]+)} ? $1 : '0';
}


sub _version {
    my ($major, $minor, $patch) = split /\./, $_[0];
    return ($major || 0) * 1e6 + ($minor || 0) * 1e3 + ($patch || 0);
}


# Variables in all sections, also in those made of lists.

sub _expand {
    my ($block) = @_;

    my $walk;
    $walk = sub {
        my ($v) = @_;
        return ref $v eq 'ARRAY' ? [map { $walk->($_) } @$v]
             : ref $v eq 'HASH' ? { map { $_ => $walk->($v->{$_}) } keys %$v }
             : ref $v || !defined $v ? $v
             : $Server->expand($v);
    };

    $block->set_value($_, $walk->($block->value($_))) for $block->sections;
}


sub _run_requests {
    my ($block, $repetition) = @_;

    my @requests = build_requests($block);

    if (!@requests) {
        die "no request\n" if !grep { $Actions{$_} } $block->sections;
        return;
    }

    my $several = @requests > 1 || $requests[0]{count} > 1;
    my $index = 0;

    for my $request (@requests) {
        my $got = _send($block, $request);

        if (!defined $block->ignore_response) {
            my $raw = $got->{raw};

            for my $n (0 .. $request->{count} - 1) {
                my ($res, $left) = parse_response($raw, $request->{head}[$n]);
                $raw = $res ? $left : '';

                _check_one($block, $res, $got,
                    { index => $index + $n, array => $several }, $repetition);
            }

            if ($raw ne '' && !defined $block->raw_request) {
                Test::More::diag($block->name . ' - extra bytes after the'
                    . " response: $raw");
            }
        }

        $index += $request->{count};

        if ($request != $requests[-1]) {
            sleep $block->wait if $block->wait;
            _reload_between($block) if $ENV{KZ_RELOAD};
        }
    }
}


sub _send {
    my ($block, $request) = @_;

    my $name = $block->name;
    my $timeout = $block->timeout;

    if (defined $timeout) {
        my ($n, $unit) = $timeout =~ /^\s*([\d.]+)\s*(ms|s|)\s*$/
            or die "bad timeout\n";
        $timeout = $unit eq 'ms' ? $n / 1000 : $n;
    }

    my $got = exchange($request, addr => server_addr(),
        port => $Server->port,
        timeout => defined $timeout ? $timeout
                 : $Timeout * $Server->{slow});

    die "cannot connect: $!\n" if !$got;

    if ($got->{end} eq 'timeout' && !defined $block->abort) {
        Test::More::fail("$name - client socket timed out");
    }

    return $got;
}


sub _check_one {
    my ($block, $res, $got, $at, $repetition) = @_;

    my $name = $block->name;

    if (!$res) {
        my $code = $block->error_code;

        # "error_code: " with no value: the server closes without a word.
        if (defined $code && !ref $code && $code =~ /^\s*$/) {
            Test::More::is($got->{raw}, '', "$name - no response");
            return;
        }

        Test::More::fail("$name - no response (request $at->{index},"
            . " connection: $got->{end})");
        return;
    }

    if ($res->{partial} && $res->{partial} !~ /ends with the connection/
        && !defined $block->abort)
    {
        Test::More::fail("$name - $res->{partial}");
    }

    check_response($block, $res, $at, $repetition);
}


sub _reload_between {
    my ($block) = @_;

    return if !$Server->expected_workers || !$Server->is_running;
    return if $Server->reload;

    Test::More::fail($block->name . ' - no new workers after a reload');
}


# nginx did not come up.

sub _dead_on_start {
    my ($block) = @_;

    my $name = $block->name;

    return _check_death($block) if defined $block->must_die;

    Test::More::fail("$name - nginx does not start");
    Test::More::diag(join '', grep { !/\[(?:notice|info|debug)\]/ }
        split /^/m, $Server->error_log);

    $Server->stop;
}


sub _check_death {
    my ($block) = @_;

    my $name = $block->name;
    my $code = $block->must_die =~ /(\d+)/ ? $1 : undef;

    # It may have been up for a moment.
    if (!$Server->wait_exit(1)) {
        Test::More::fail("$name - nginx did not die as expected");
        $Server->stop;
        return;
    }

    if (defined $code) {
        Test::More::is($Server->{exit_status} >> 8, $code,
            "$name - nginx died with the expected exit code");
    } else {
        Test::More::pass("$name - nginx died");
    }

    check_logs($block, $Server);

    my @problems = grep { !/^nginx exited with code/ } $Server->stop;
    Test::More::fail("$name - $_") for @problems;
}


# Stops nginx and looks at how it ended.

sub _finish {
    my ($block) = @_;

    my $name = $block->name;
    my @problems = $Server->stop;

    if (defined $block->kills) {
        @problems = grep { !/^nginx (?:was ended|exited)/ } @problems;
    }

    check_shutdown_logs($block, $Server);

    my @patterns = map { ref $_ eq 'CODE' ? $_->($block) : $_ } @FatalLog;
    push @problems, map { "in error.log: $_" }
        fatal_lines($block, $Server->error_log, @patterns);

    Test::More::fail("$name - $_") for @problems;
}


1;
