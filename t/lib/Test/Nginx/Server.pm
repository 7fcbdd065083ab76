package Test::Nginx::Server;

# Test::Nginx::Server: one nginx under test, from configuration to exit.
#
#     my $server = Test::Nginx::Server->new(%settings);
#     $server->prepare($block);         # clean root, nginx.conf, user files
#     $server->start($block) or ...;    # true when it serves
#     $server->reload;
#     my @problems = $server->stop;     # empty after a clean exit
#
# nginx is our direct child ("daemon off") in a process group of its own and
# is waited on, so neither start nor stop needs a fixed sleep, an exit code
# is never lost, and a process left behind is found (it is still in the
# group).  The server root is a temporary directory per .t file:
#
#     <root>/conf/nginx.conf  logs/{error,access}.log  html/  tmp/
#
# Environment:
#     TEST_NGINX_BINARY       the nginx to run
#     TEST_NGINX_PORT         port instead of a free one
#     TEST_NGINX_SERVROOT     directory instead of a temporary one
#     TEST_NGINX_KEEP=1       leave the directory behind (name is printed)
#     TEST_NGINX_LOG_LEVEL    error_log level, default info
#     TEST_NGINX_USE_VALGRIND run under valgrind: one process, no master
#     TEST_NGINX_STOP_TIMEOUT seconds from SIGQUIT to SIGTERM, default 5

use strict;
use warnings;

use File::Basename 'dirname';
use File::Path qw(make_path remove_tree);
use File::Spec ();
use File::Temp ();
use IO::Socket::INET;
use POSIX qw(:sys_wait_h setpgid);
use Time::HiRes 'time';

use Test::Nginx::Process qw(group_pids worker_pids is_listening reload_master
    wait_for);

# Stacks of what valgrind finds lost in any nginx: 8 bytes of environment, the
# connection array of a process without a master (the packaged binary does
# not name ngx_event_process_init), the first pool after a wrong conf, what
# compiles regular expressions.
my @KnownLosses = (
    qr/ngx_alloc .*\n.*: ngx_set_environment /,
    qr/ngx_alloc .*\n.*: ngx_event_process_init /,
    qr/ngx_alloc \(in (\S+)\)\n.*: \?\?\? \(in \1\)\n.*ngx_single_process_cyc/,
    qr/ngx_create_pool .*\n.*: main /,
    qr/pcre2_compile_context_create_8 .*\n.*: ngx_regex_compile /,
);


# Settings: workers, master (bool), log_level, env (list of names),
# root_location (bool), keep (names in the root that prepare() leaves).

sub new {
    my ($class, %settings) = @_;

    my $valgrind = $ENV{TEST_NGINX_USE_VALGRIND};

    my $self = bless {
        workers => 1, master => 1, root_location => 1, env => [], keep => [],
        log_level => $ENV{TEST_NGINX_LOG_LEVEL} || 'info',
        binary => _find_binary(),
        valgrind => $valgrind,
        slow => $valgrind ? 10 : 1,
        ports => {},
        owner => $$,
        %settings,
    }, $class;

    $self->{root} = $self->_make_root;
    $self->{port} = $ENV{TEST_NGINX_PORT} || free_port();

    return $self;
}


sub root { $_[0]{root} }

sub port { $_[0]{port} }

sub pid { $_[0]{pid} }

sub error_log { return _read_file("$_[0]{root}/logs/error.log") }

sub access_log { return _read_file("$_[0]{root}/logs/access.log") }


# The number of workers the next start will have, 0 without a master.

sub expected_workers {
    my ($self) = @_;
    return $self->{valgrind} || !$self->{master} ? 0 : $self->{workers};
}


sub _find_binary {
    my $binary = $ENV{TEST_NGINX_BINARY} || 'nginx';

    if ($binary !~ m{/}) {
        ($binary) = grep { -x } map { "$_/$binary" }
                    split(/:/, $ENV{PATH} || ''), qw(/usr/sbin /usr/bin);
    }

    # Absolute, as nginx started by a bare name cannot upgrade itself.
    die "nginx not found, set TEST_NGINX_BINARY\n" if !defined $binary;

    return File::Spec->rel2abs($binary);
}


sub _make_root {
    my ($self) = @_;

    my $root = $ENV{TEST_NGINX_SERVROOT};

    if (!defined $root) {
        my $base = File::Temp::tempdir("nginx-test-$$-XXXXXX", TMPDIR => 1);
        chmod 0755, $base;
        $self->{base} = $base;
        $root = "$base/servroot-$$";
    }

    make_path($root);

    if ($> == 0) {
        # Workers are not root: they must get through to the root's files.
        for (my $dir = $root; $dir ne '/'; $dir = dirname($dir)) {
            die "workers cannot enter $dir (mode), set TMPDIR\n"
                if !((stat $dir)[2] & 0001);
        }
    }

    return $root;
}


# A port nobody listens on.  Below the range that the kernel gives to
# outgoing connections, so that no client can take it between two blocks.

sub free_port {
    for (1 .. 200) {
        my $port = 10000 + int rand 22000;
        my $sock = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $port, Proto => 'tcp', Listen => 1) or next;
        close $sock;
        return $port;
    }

    die "no free port found\n";
}


# A further port by number, the same one at every call.

sub extra_port {
    my ($self, $n) = @_;
    return $self->{ports}{$n} ||= free_port();
}


# Replaces $ServerPort, $ServerRoot, $HtmlDir, $TEST_NGINX_RAND_PORT_<n> and
# $TEST_NGINX_<NAME> of the environment.  Other variables are nginx's.

sub expand {
    my ($self, $text) = @_;

    my %own = (
        ServerPort => $self->{port}, ServerPortForClient => $self->{port},
        ServerRoot => $self->{root}, HtmlDir => "$self->{root}/html",
        TEST_NGINX_PORT => $self->{port},
        TEST_NGINX_SERVER_PORT => $self->{port},
        TEST_NGINX_SERVER_ROOT => $self->{root},
        TEST_NGINX_SERVROOT => $self->{root},
        TEST_NGINX_HTML_DIR => "$self->{root}/html",
        TEST_NGINX_NGINX_BINARY => $self->{binary},
    );

    $text =~ s{\$(?:\{(TEST_NGINX_\w+)\}
                  |(TEST_NGINX_\w+|ServerPortForClient|ServerPort|ServerRoot
                   |HtmlDir)\b)}{
        my $name = defined $1 ? $1 : $2;
        defined $own{$name} ? $own{$name}
        : $name =~ /^TEST_NGINX_RAND_PORT_(\d+)$/ ? $self->extra_port($1)
        : defined $ENV{$name} ? $ENV{$name}
        : die "environment variable $name is not set\n";
    }gex;

    return $text;
}


# Empties the root and writes everything the block asks for.

sub prepare {
    my ($self, $block) = @_;

    my $root = $self->{root};
    my %keep = map { $_ => 1 } @{$self->{keep}};

    opendir my $dir, $root or die "$root: $!\n";
    remove_tree(map { "$root/$_" } grep { !/^\.\.?$/ && !$keep{$_} }
        readdir $dir);
    make_path(map { "$root/$_" } qw(conf logs html tmp));

    _write_file("$root/html/index.html", "<html><head><title>It works!"
        . "</title></head><body>It works!</body></html>");
    $self->_write_user_files($block->user_files);

    _write_file("$root/conf/nginx.conf", $self->_config($block));
}


# user_files: ">>> name" lines, each followed by the content; or, through
# "eval", a list of [name, content] pairs.

sub _write_user_files {
    my ($self, $files) = @_;

    return if !defined $files;

    my @list = ref $files ? map { [@$_] } @$files
             : map { [/\A(\S+)[^\n]*\n?(.*)\z/s] }
               grep { /\S/ } split /^>>> +/m, $files;

    for my $file (@list) {
        my $path = $file->[0] =~ m{^/} ? $file->[0]
                 : "$self->{root}/html/$file->[0]";

        make_path(dirname($path));
        _write_file($path, $file->[1]);
    }
}


sub _config {
    my ($self, $block) = @_;

    my %s = map {
        my $text = $block->value($_);
        $_ => defined $text ? $text : '';
    } qw(main_config http_config config post_main_config);

    my $single = $self->{valgrind} || !$self->{master};
    my $workers = $single ? 1 : $self->{workers};
    my $master = $single ? 'off' : 'on';
    my $level = $block->value('log_level') || $self->{log_level};
    chomp $level;

    my $user = '';
    if ($> == 0) {
        my ($name, $gid) = (getpwnam 'nobody')[0, 3];
        $user = "user $name " . (getgrgid $gid)[0] . ';';
    }

    my $env = join "\n", map { "env $_;" } @{$self->{env}};
    my $temp = join "\n    ", map { "${_}_temp_path tmp/$_;" }
        qw(client_body proxy fastcgi uwsgi scgi);

    my $location = '';
    if ($self->{root_location} && $s{config} !~ m{location\s+/\s*\{}) {
        $location = "location / { root html; index index.html; }";
    }

    return <<"EOC";
daemon off;
master_process $master;
worker_processes $workers;
$user
pid logs/nginx.pid;
error_log logs/error.log $level;
$env

$s{main_config}

events {
    worker_connections 1024;
}

http {
    access_log logs/access.log;
    default_type text/plain;
    keepalive_timeout 68;
    $temp

$s{http_config}

    server {
        listen 127.0.0.1:$self->{port};
        server_name localhost;

$s{config}
        $location
    }
}

$s{post_main_config}
EOC
}


# Starts nginx.  True when it serves; false when it ended (then exit_status
# holds what waitpid said) or did not come up in time.

sub start {
    my ($self, %o) = @_;

    my $root = $self->{root};
    my @command = ($self->{binary}, '-p', "$root/", '-c', 'conf/nginx.conf',
        '-e', 'logs/error.log');

    unshift @command, $self->_valgrind_command if $self->{valgrind};

    my $pid = fork;
    die "fork: $!\n" if !defined $pid;

    if ($pid == 0) {
        setpgid(0, 0);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$root/logs/stdout.log";
        open STDERR, '>&', \*STDOUT;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE QUIT);
        exec @command or POSIX::_exit(127);
    }

    setpgid($pid, $pid);    # whoever comes first
    $self->{pid} = $self->{group} = $pid;
    $self->{exit_status} = undef;

    my $ready = wait_for(($o{timeout} || 10) * $self->{slow}, sub {
        $self->_reap || $self->_is_serving;
    });

    return defined $self->{exit_status} ? 0 : $ready;
}


sub _valgrind_command {
    my ($self) = @_;

    my @more = $self->{valgrind} eq '1' ? () : split ' ', $self->{valgrind};

    return ('valgrind', '--tool=memcheck', '--leak-check=full',
        '--keep-debuginfo=yes', '--num-callers=40',
        "--log-file=$self->{root}/logs/valgrind.log", @more);
}


# Has the child ended?  Never blocks.

sub _reap {
    my ($self) = @_;

    return 1 if defined $self->{exit_status};
    return 0 if waitpid($self->{pid}, WNOHANG) != $self->{pid};

    $self->{exit_status} = $?;
    return 1;
}


# The pid file comes after all init_module handlers, the titles after all
# init_process handlers.

sub _is_serving {
    my ($self) = @_;

    my $pid = _read_file("$self->{root}/logs/nginx.pid");
    return 0 if $pid !~ /^\Q$self->{pid}\E\s/;
    return 0 if !is_listening($self->{port});

    my $expected = $self->expected_workers;
    my @workers = $expected ? worker_pids($self->{pid}) : ();

    return @workers >= $expected;
}


sub is_running {
    my ($self) = @_;
    return $self->{pid} && !$self->_reap;
}


# Waits until nginx ends by itself; true when it did.

sub wait_exit {
    my ($self, $seconds) = @_;
    return wait_for($seconds * $self->{slow}, sub { $self->_reap });
}


# True when a full set of new workers is in service.

sub reload {
    my ($self) = @_;
    return reload_master($self->{pid}, $self->expected_workers);
}


# Ends nginx by one signal (QUIT, TERM or KILL: then its workers must follow
# by themselves) and starts it again on the same files.

sub restart {
    my ($self, $signal) = @_;

    kill $signal => $self->{pid};

    die "nginx does not end after SIG$signal\n" if !$self->wait_exit(10);
    die "processes outlived nginx: @{[group_pids($self->{group})]}\n"
        if !wait_for(5 * $self->{slow}, sub { !group_pids($self->{group}) });

    unlink "$self->{root}/logs/nginx.pid";
    $self->start or die "nginx does not start again\n" . $self->error_log;
}


# Stops nginx: SIGQUIT, SIGTERM, SIGKILL, each with its time.  Returns what
# went wrong, one line per problem.

sub stop {
    my ($self) = @_;

    return if !$self->{pid};

    my @problems;
    my $patience = $ENV{TEST_NGINX_STOP_TIMEOUT} || 5;
    my @steps = ([QUIT => $patience], [TERM => 2], [KILL => 2]);

    while (!$self->_reap) {
        my ($signal, $seconds) = @{shift @steps || last};

        last if $self->_signal_and_wait($signal, $seconds);
        push @problems, "nginx did not end within $seconds s of SIG$signal";
    }

    my $status = defined $self->{exit_status} ? $self->{exit_status} : 0;
    my ($code, $signal) = ($status >> 8, $status & 127);

    push @problems, "nginx was ended by signal $signal" if $signal;
    push @problems, "nginx exited with code $code" if $code;
    push @problems, $self->_end_leftovers;
    push @problems, $self->_valgrind_problems if $self->{valgrind};
    push @problems, map { "sanitizer: $_" }
        grep { /ERROR: \w+Sanitizer|: runtime error: / }
        split /\n/, _read_file("$self->{root}/logs/stdout.log");

    $self->{pid} = undef;

    return @problems;
}


# A lone process (no master) may miss a signal that comes just before it goes
# to sleep in epoll_wait(): there it is sent again and again.

sub _signal_and_wait {
    my ($self, $signal, $seconds) = @_;

    my $all = $seconds * $self->{slow};
    my $each = $self->expected_workers ? $all : 0.5;
    my $end = time + $all;

    do {
        kill $signal => $self->{pid};
        return 1 if wait_for($each, sub { $self->_reap });
    } while (time < $end);

    return 0;
}


# Members of our process group that outlive the master.

sub _end_leftovers {
    my ($self) = @_;

    my @left;

    return if wait_for(2, sub { !(@left = group_pids($self->{group})) });

    my @problems = map {
        "process $_ (" . Test::Nginx::Process::process_title($_)
        . ") outlived nginx"
    } @left;

    kill KILL => @left;
    wait_for(2, sub { !group_pids($self->{group}) });

    return @problems;
}


# Lost blocks, other than nginx's own, and invalid accesses.

sub _valgrind_problems {
    my ($self) = @_;

    my $report = _read_file("$self->{root}/logs/valgrind.log");
    $report =~ s/^==\d+== ?//mg;

    my @problems;

    while ($report =~ /^((?:[\d,]+[ ]\(([\d,]+)[ ]direct|([\d,]+)[ ]bytes)
                        .*definitely[ ]lost.*\n)((?:[ ]+(?:at|by)[ ].*\n)+)/gmx)
    {
        my ($line, $stack) = ($1, $4);
        next if grep { $stack =~ $_ } @KnownLosses;
        push @problems, "valgrind: $line$stack";
    }

    while ($report =~ /^((?:Invalid|Conditional[ ]jump|Use[ ]of[ ]uninit
                        |Syscall[ ]param|Mismatched|Source[ ]and|Process
                        [ ]terminating).*\n(?:[ ]+(?:at|by)[ ].*\n)*)/gmx)
    {
        push @problems, "valgrind: $1";
    }

    return @problems;
}


# Called at the end of the file, also after die() or a signal.

sub cleanup {
    my ($self) = @_;

    return if $$ != $self->{owner};

    if ($self->{pid}) {
        kill KILL => -$self->{group};
        waitpid $self->{pid}, 0 if !defined $self->{exit_status};
        $self->{pid} = undef;
    }

    my $dir = defined $self->{base} ? $self->{base}
            : defined $ENV{TEST_NGINX_SERVROOT} ? undef : $self->{root};
    return if !defined $dir;

    if ($ENV{TEST_NGINX_KEEP}) {
        print STDERR "# kept: $self->{root}\n";
        return;
    }

    remove_tree($dir);
}


sub _read_file {
    my ($path) = @_;
    open my $fh, '<', $path or return '';
    local $/;
    my $text = <$fh>;
    return defined $text ? $text : '';
}


sub _write_file {
    my ($path, $text) = @_;
    open my $fh, '>', $path or die "$path: $!\n";
    print {$fh} $text;
    close $fh or die "$path: $!\n";
}


1;
