package Test::Nginx::Kuzzle;

# Test::Nginx::Kuzzle: blocks that talk to a Kuzzle in nginx.
#
#     use Test::Nginx::Kuzzle;
#     run_tests();
#     __DATA__
#     === TEST 1: a missing document is a 404 that names the id
#     --- request
#     GET /nyc/taxi/nobody
#     --- kuzzle_error: 404 services.storage.not_found
#     === TEST 2: two clients on two workers
#     --- ws
#     open a
#     open b apart=a
#     a> {"controller":"server","action":"now"}
#     a< {"status":200,"result":{"now":"*number"}}
#     b! 0.2
#
# Everything of Test::Nginx::Socket is there too.  Each block gets: a master,
# two workers, load_module lines, "kuzzle { data ...; }" with a fresh data
# directory, and "location / { kuzzle; }" when it has no config section.
#
# Our sections:
#     kuzzle_reply     JSON that the response must be a superset of (language:
#                      Kuzzle/Json.pm); several requests: one JSON value each,
#                      null to leave one out.  A "status" in it is the expected
#                      HTTP status, unless there is an error_code section
#     kuzzle_error     "404 error.id" or "404 error.id ~regex of the message",
#                      "-" for any id; a line per request, "-" alone for none
#     ws               a conversation of WebSocket and HTTP clients with
#                      process control (language: Kuzzle/Script.pm)
#     kuzzle_config    goes into the kuzzle { } block
#     no_kuzzle        neither load_module nor kuzzle { }: a bare nginx
#     no_kuzzle_block  load_module only (so does a main_config with its own
#                      kuzzle { } block)
#     keep_data        the data directory of the block before is used again
#     kills            processes get killed: "exited on signal" is no failure
#     needs_master     skipped in valgrind mode (known by itself for ws)
#
# After each block error.log must have no [emerg], [alert] or [crit], no open
# socket left and no process ended by a signal, unless error_log or
# shutdown_error_log announces the line.
#
# Environment: TEST_NGINX_MODULE (default build/ngx_kuzzle_module.so),
# TEST_NGINX_STREAM_MODULE (default Debian's),
# KZ_WORKERS, KZ_RELOAD=1 (a reload between the requests, and before a ws
# conversation), KZ_UPSTREAM=1 (the upstream Test::Nginx::Socket found in the
# library path is used and not ours); more in Socket.pm and Server.pm.
# $TEST_NGINX_DATA_DIR in a section is the data directory.

use strict;
use warnings;

use Cwd 'abs_path';
use File::Basename 'dirname';
use File::Path qw(make_path remove_tree);
use Test::More ();

use Test::Nginx::Kuzzle::Json qw(json_decode json_decode_all json_mismatch
    json_mismatch_text);
use Test::Nginx::Kuzzle::Script;
use Test::Nginx::Process ();

my $LibDir = abs_path(dirname(__FILE__) . '/../..');
my $RepoDir = dirname(dirname($LibDir));
my $Socket = 'Test::Nginx::Socket';

my $StreamModule = $ENV{TEST_NGINX_STREAM_MODULE}
    || '/usr/lib/nginx/modules/ngx_stream_module.so';
my ($Upstream, $SetUp);


# Imports Test::Nginx::Socket into the caller; arguments are those of plan().

sub import {
    my ($class, @plan) = @_;

    my $caller = caller;

    _load_socket();

    # Upstream has no other way to do without a plan.
    @plan = 'no_plan' if $Upstream && !@plan;

    eval "package $caller; $Socket->import(\@plan); 1" or die $@;

    _set_up() if !$SetUp++;

    no strict 'refs';
    *{"${caller}::$_"} = \&{$_}
        for qw(master_pid worker_pids writer_pid data_dir
               json_mismatch json_mismatch_text json_decode);

    strict->import;
    warnings->import;
}


sub _load_socket {
    $Upstream = $ENV{KZ_UPSTREAM} ? 1 : 0;

    local @INC = grep { ref || (abs_path($_) || '') ne $LibDir } @INC
        if $Upstream;

    require Test::Nginx::Socket;
}


sub _set_up {
    $Socket->can('master_on')->();
    $Socket->can('workers')->(2);
    $Socket->can('no_root_location')->();
    $Socket->can('log_level')->($ENV{TEST_NGINX_LOG_LEVEL} || 'info');
    $Socket->can('add_block_preprocessor')->(\&_preprocess);
    $Socket->can('add_response_body_check')->(\&_check_body);

    # Upstream empties the whole server root before each block.
    $ENV{TEST_NGINX_DATA_DIR} = _root() . ($Upstream ? '-data' : '/data');

    return if $Upstream;

    Test::Nginx::Socket::keep_in_root('data');
    Test::Nginx::Socket::fatal_log(\&_fatal_patterns);
    Test::Nginx::Socket::add_block_action(ws => \&_run_script);
}


sub _root { return $Socket->can('server_root')->() }

sub data_dir { return $ENV{TEST_NGINX_DATA_DIR} }


# Pids of the nginx that runs now; both harnesses have it in the pid file.

sub master_pid {
    open my $fh, '<', _root() . '/logs/nginx.pid' or return;
    my ($pid) = (<$fh> || '') =~ /(\d+)/;
    return $pid;
}

sub worker_pids { return Test::Nginx::Process::worker_pids(master_pid()) }

sub writer_pid { return Test::Nginx::Process::writer_pid(master_pid()) }


sub _preprocess {
    my ($block) = @_;

    _configure($block) if !defined $block->no_kuzzle;
    _fresh_data() if !defined $block->keep_data;

    _set_error_code($block);

    if ($ENV{TEST_NGINX_USE_VALGRIND} && !defined $block->skip_eval
        && (defined $block->needs_master || defined $block->kills
            || defined $block->ws
               && Test::Nginx::Kuzzle::Script::needs_master($block->ws)))
    {
        $block->set_value('skip_eval', '1: 1');
    }

    _prepare_upstream($block) if $Upstream;
}


sub _configure {
    my ($block) = @_;

    my $main = defined $block->main_config ? $block->main_config : '';
    my $module = $ENV{TEST_NGINX_MODULE}
              || "$RepoDir/build/ngx_kuzzle_module.so";
    my $config = '';

    $config .= "load_module $StreamModule;\n" if -e $StreamModule;
    $config .= "load_module $module;\n";

    if (!defined $block->no_kuzzle_block && $main !~ /^\s*kuzzle\s*\{/m) {
        my $own = defined $block->kuzzle_config ? $block->kuzzle_config : '';
        $config .= "kuzzle {\n    data " . data_dir() . ";\n$own}\n";
    }

    $block->set_value('main_config', $config . $main);

    if (!defined $block->config && !defined $block->no_kuzzle_block) {
        $block->set_value('config', "location / {\n    kuzzle;\n}\n");
    }
}


# Workers that are not root must be able to write there.

sub _fresh_data {
    my $dir = data_dir();

    remove_tree($dir);
    make_path($dir);

    chown((getpwnam 'nobody')[2, 3], $dir) if $> == 0;
}


# The expected HTTP status follows from kuzzle_error or kuzzle_reply.

sub _set_error_code {
    my ($block) = @_;

    return if defined $block->error_code || defined $block->error_code_like;
    return if !defined $block->kuzzle_error && !defined $block->kuzzle_reply;

    my $requests = defined $block->pipelined_requests
                 ? $block->pipelined_requests : $block->request;
    my $n = ref $requests eq 'ARRAY' ? @$requests : 1;

    my @codes = map {
        my $error = _expected_error($block, $_);
        my $reply = _expected_reply($block, $_);

        $error ? $error->{status}
        : ref $reply eq 'HASH' && defined $reply->{status}
          && $reply->{status} =~ /\A\d+\z/ ? $reply->{status} : 200;
    } 0 .. $n - 1;

    $block->set_value('error_code', @codes > 1 ? \@codes : $codes[0]);
}


# What kuzzle_reply says about request $i, decoded; undef when nothing.

sub _expected_reply {
    my ($block, $i) = @_;

    my $section = $block->kuzzle_reply;
    return if !defined $section;

    if (ref $section eq 'ARRAY') {
        my $value = $section->[$i];
        return !defined $value || ref $value ? $value : json_decode($value);
    }

    return (json_decode_all($section))[$i];
}


# What kuzzle_error says: { status, id, message }, undef when nothing.

sub _expected_error {
    my ($block, $i) = @_;

    my $section = $block->kuzzle_error;
    return if !defined $section;

    my @lines = ref $section ? @$section : grep { /\S/ } split /\n/, $section;
    my $line = $lines[$i];

    return if !defined $line || $line =~ /\A\s*(?:-\s*)?\z/;

    my ($status, $id, $message) =
        $line =~ /\A\s*(\d{3})\s+(\S+)(?:\s+~(.*?))?\s*\z/
        or die "kuzzle_error: cannot read \"$line\"\n";

    return { status => $status, id => $id eq '-' ? undef : $id,
             message => $message };
}


sub _check_body {
    my ($block, $body, $i, $repetition, $dry_run) = @_;

    return if $dry_run;

    if ($Upstream && defined $block->ws) {
        return _run_script($block);
    }

    if (my $error = _expected_error($block, $i)) {
        my $expected = { status => 0 + $error->{status}, result => undef,
            error => { status => 0 + $error->{status} } };

        $expected->{error}{id} = "=$error->{id}" if defined $error->{id};
        $expected->{error}{message} = "~$error->{message}"
            if defined $error->{message};

        _is_superset($block, 'kuzzle_error', $expected, $body);
    }

    my $reply = _expected_reply($block, $i);
    _is_superset($block, 'kuzzle_reply', $reply, $body) if defined $reply;
}


sub _is_superset {
    my ($block, $what, $expected, $body) = @_;

    my $actual = eval { json_decode($body) };
    my @wrong = $@ ? "$@" : json_mismatch($expected, $actual);

    Test::More::ok(!@wrong, $block->name . " - $what")
        or Test::More::diag(join "\n", @wrong, "response: $body");
}


sub _run_script {
    my ($block, $server) = @_;

    $server->reload if $server && $ENV{KZ_RELOAD} && $server->expected_workers;

    my $script = Test::Nginx::Kuzzle::Script->new(
        port => $Socket->can('server_port')->(),
        root => _root(),
        master => \&master_pid,
        error_log => sub {
            open my $fh, '<', _root() . '/logs/error.log' or return '';
            local $/;
            return scalar <$fh>;
        },
        restart => $server ? sub { $server->restart($_[0]) } : undef,
        slow => $ENV{TEST_NGINX_USE_VALGRIND} ? 10 : 1,
    );

    my $error = $script->run($block->ws);

    Test::More::ok(!defined $error, $block->name . ' - ws')
        or Test::More::diag($error);
}


# A killed process is logged as an alert.

sub _fatal_patterns {
    my ($block) = @_;

    my @always = (qr/\[emerg\]/, qr/\[crit\]/, qr/open socket/);

    return (@always, qr/\[alert\](?!.*exited on signal)/)
        if defined $block->kills;

    return (@always, qr/\[alert\]/, qr/exited on signal/);
}


# Upstream knows neither blocks without a request nor our log check.

sub _prepare_upstream {
    my ($block) = @_;

    if (defined $block->ws && !defined $block->request) {
        $block->set_value('request', 'GET /');
        $block->set_value('error_code_like', '^\d+$');
    }

    if (!defined $block->no_error_log && !defined $block->must_die) {
        $block->set_value('no_error_log', [_fatal_patterns($block)]);
    }
}


1;
