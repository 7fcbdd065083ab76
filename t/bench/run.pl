#!/usr/bin/perl

# The bench: what this module costs, beside bare nginx and the bare kernel.
#
#     run.pl [--module build/ngx_kuzzle_module.so] [--quick] [--runs 3]
#            [--time 1.2] [--docs 5000] [--only http,create,...] [--dir DIR]
#
# Starts one nginx with one worker on loopback, in a temporary directory
# (below --dir: choose a disk there), with the API on one port and "return
# 200" answers of the same size and with the same headers on another.  Each
# figure is the median of --runs runs, in which the compared things take
# turns; a ratio is the median of the ratios of neighbouring runs.  Nothing
# is written outside the temporary directory, and no figure makes it fail:
# the exit code tells only whether everything could be measured.
#
# The environment variable NGINX_BIN names another nginx binary, KZ_BUILD the
# directory with the module and bench/kzload ("make bench" sets it); without
# it kzload is built into the temporary directory.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use FindBin;
use Getopt::Long;
use IO::Socket::INET;
use JSON::PP;
use POSIX qw(WNOHANG);
use Time::HiRes qw(time sleep);

use lib $FindBin::RealBin;
use Results qw(median figure ms cpu ratio flaws table
    free_port children title slurp spew);

my $here = dirname(abs_path($0));
my $nginx = $ENV{NGINX_BIN} || '/usr/sbin/nginx';

my $build = $ENV{KZ_BUILD} || "$here/../../build";

my %opt = (module => "$build/ngx_kuzzle_module.so", runs => 3, time => 1.2,
           docs => 5000, dir => $ENV{TMPDIR} || '/tmp', subscribers => 1000);

GetOptions(\%opt, 'module=s', 'quick', 'runs=i', 'time=f', 'docs=i',
           'only=s', 'dir=s', 'subscribers=i')
    && !@ARGV && $opt{runs} > 0 && $opt{docs} > 0
    or die "usage: see the head of $0\n";

$opt{time} = 0.4 if $opt{quick};

my @sections = (
    [ 'http',   'HTTP against "return 200" in the same worker', \&http ],
    [ 'body',   'POST with a body against an echo of it',       \&bodies ],
    [ 'gzip',   'Compressed replies against nginx\'s filter',   \&gzip ],
    [ 'search', 'Search, a page of ten hits',                   \&searches ],
    [ 'ws',     'WebSocket round trips (server:now)',           \&ws ],
    [ 'fanout', 'Publish to many subscribers',                  \&fanout ],
    [ 'paced',  'Publish at a fixed rate',                      \&paced ],
    [ 'create', 'Durable creates over HTTP',                    \&creates ],
    [ 'overload', 'Ten times the capacity',                    \&overloads ],
);

my (%only, $dir, $kzload, $master, @pids, %writer, $port, $ref_port, @ids);
my ($gzip_port, $echo);

%only = map { $_ => 1 } split /,/, $opt{only} if $opt{only};

for my $name (keys %only) {
    die "run.pl: no section \"$name\"\n"
        if !grep { $_->[0] eq $name } @sections;
}

$SIG{INT} = $SIG{TERM} = sub { exit 1 };

END {
    my $code = $?;
    stop() if $master;
    $? = $code;
}

exit bench();


sub bench {
    my $failed = 0;

    prepare();

    for my $section (@sections) {
        my ($name, $title, $run) = @$section;

        next if %only && !$only{$name};

        print "\n$title\n\n";

        if (!eval { $run->(); 1 }) {
            print "  NOT MEASURED: $@";
            $failed = 1;
        }
    }

    report_log();

    return $failed;
}


# Setting up.

sub prepare {
    my $module = abs_path($opt{module});

    die "run.pl: no module $opt{module}; run make first\n"
        if !$module || !-f $module;

    $opt{module} = $module;
    $dir = tempdir('kzbench.XXXXXX', DIR => $opt{dir}, CLEANUP => 1);
    $kzload = "$build/bench/kzload";

    # a worker that is not root must get at its data

    chmod 0755, $dir;
    mkdir "$dir/$_" or die "run.pl: $dir/$_: $!\n" for qw(conf logs data);
    chmod 0777, "$dir/data";

    # "make bench" has built it; elsewhere the tree stays as it is

    if (!$ENV{KZ_BUILD}) {
        $kzload = "$dir/kzload";

        system("make -s -C '$here' BUILD='$dir' >&2") == 0
            or die "run.pl: kzload was not built\n";
    }

    ($port, $ref_port) = (free_port(), free_port());
    $gzip_port = free_port();

    # without it the comparison with an echo is left out, and no other

    $echo = ($ENV{KZ_BUILD} ? "$build/bench" : $dir)
            . '/ngx_http_echo_body_module.so';

    system("make -s -C '$here' BUILD='$dir' echo >&2")
        if !$ENV{KZ_BUILD} && (!%only || $only{body});

    print_machine();
    start();
    load_documents();

    # the answers are known now, so nginx can imitate them

    my %refs = (
        now => answer(get('/_now')),
        get => answer(get("/nyc/taxi/$ids[0]")),
    );

    stop();
    start(%refs);
}


sub print_machine {
    my $load = slurp('/proc/loadavg');
    my $cpus = () = slurp('/proc/cpuinfo') =~ /^processor/mg;
    my $version = `$nginx -v 2>&1`;

    $version =~ s/^nginx version: //;
    chomp $version;

    my $sync = sync_time();

    printf "%s, %d CPUs, load %s; fdatasync of 4 KiB in %s: p50 %.2f ms,"
           . " p99 %.2f ms\n"
           . "medians of %d runs of %.1f s; CPU: microseconds of all server"
           . " processes per operation\n",
           $version, $cpus, (split ' ', $load)[0], $opt{dir},
           $sync->{p50_us} / 1000, $sync->{p99_us} / 1000, $opt{runs},
           $opt{time};
}


sub start {
    my %refs = @_;

    spew("$dir/conf/nginx.conf", configuration(%refs));

    $master = fork;
    die "run.pl: fork: $!\n" if !defined $master;

    if ($master == 0) {
        exec $nginx, '-p', $dir, '-c', 'conf/nginx.conf', '-e',
             'logs/error.log' or POSIX::_exit(127);
    }

    my $until = time + 10;

    for ( ;; ) {
        if (waitpid($master, WNOHANG) == $master) {
            undef $master;
            die "run.pl: nginx did not start:\n" . slurp("$dir/logs/error.log");
        }

        my $answer = eval { get('/_now') };

        last if $answer && $answer->{status} == 200;

        die "run.pl: no 200 from /_now: "
            . ($answer ? $answer->{body} : 'no answer') . "\n"
            if time > $until;

        sleep 0.05;
    }

    @pids = children($master);
    %writer = map { $_ => 1 } grep { title($_) !~ /worker process/ } @pids;
}


sub stop {
    my $until = time + 10;

    kill 'QUIT', $master;

    while (waitpid($master, WNOHANG) == 0) {
        kill 'KILL', children($master), $master if time > $until;
        sleep 0.02;
    }

    undef $master;
}


sub configuration {
    my %refs = @_;

    my $user = $> == 0 ? 'user root;' : '';
    my $temp = join ' ', map { "${_}_temp_path temp_$_;" }
               qw(client_body proxy fastcgi uwsgi scgi);

    my $locations = join '', map { reference($_, $refs{$_}) } sort keys %refs;
    my $load = '';

    if (-f $echo) {
        $load = "load_module $echo;";
        $locations .= "        location = /echo { echo_body; }\n";
    }

    return <<"END";
daemon off;
$user
worker_processes 1;
worker_rlimit_nofile 20000;
pid logs/nginx.pid;
error_log logs/error.log warn;
load_module $opt{module};
$load

events { worker_connections 8192; }

kuzzle { data $dir/data; }

http {
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    $temp

    server {
        listen 127.0.0.1:$port backlog=4096;
        location / { kuzzle; }
    }

    server {
        listen 127.0.0.1:$ref_port backlog=4096;
        default_type application/json;
$locations
    }

    server {
        listen 127.0.0.1:$gzip_port backlog=4096;
        default_type application/json;

        gzip on;
        gzip_types application/json;
        gzip_min_length 1;
        gzip_comp_level 1;

        location / { kuzzle; kuzzle_compression off; }

        location /files/ {
            root $dir;
            open_file_cache max=10;
            access_log off;
        }
    }
}
END
}


# A location that answers with as many headers and bytes as the API did.

sub reference {
    my ($name, $answer) = @_;

    my $length = length $answer->{body};
    my $headers = '';

    for my $header (@{ $answer->{headers} }) {
        my ($key, $value) = @$header;

        $value =~ s/(["\\\$])/x/g;
        $headers .= "            add_header $key \"$value\";\n";
    }

    # nginx takes at most 4 KB in one word of its configuration

    die "run.pl: the answer $name is too long to be imitated\n"
        if $length > 4000;

    my $body = '"' . 'x' x ($length - 2) . '"';

    return "        location = /$name {\n$headers"
           . "            return 200 '$body';\n        }\n";
}


# What of an answer has to be imitated: nginx itself sends the other headers.

sub answer {
    my ($reply) = @_;

    die "run.pl: got $reply->{status}: $reply->{body}\n"
        if $reply->{status} != 200;

    my @headers = grep {
        $_->[0] !~ /^(server|date|connection|keep-alive|content-type
                      |content-length|transfer-encoding)$/ix
    } @{ $reply->{headers} };

    return { headers => \@headers, body => $reply->{body} };
}


sub load_documents {
    my $base = "http://127.0.0.1:$port/nyc/taxi";

    my $mapping = '{"mappings":{"properties":{'
                  . '"medallion":{"type":"keyword"},'
                  . '"license":{"type":"keyword"},'
                  . '"passenger_count":{"type":"integer"}}}}';

    answer(request('POST', '/nyc/_create', ''));
    answer(request('PUT', '/nyc/taxi', $mapping));

    system("'$here/taxi.pl' --count $opt{docs} > '$dir/trips'") == 0
        or die "run.pl: taxi.pl failed\n";

    my $begin = time;

    system("'$here/load.pl' --base $base --acked '$dir/ids' --connections 16"
           . " --quiet '$dir/trips' > '$dir/load.out'") == 0
        or die 'run.pl: load.pl failed: ' . slurp("$dir/load.out");

    printf "%d documents of %d bytes loaded in %.1f s\n", $opt{docs},
           (-s "$dir/trips") / $opt{docs}, time - $begin;

    @ids = split /\n/, slurp("$dir/ids");

    spew("$dir/gets", join '', map { "GET /nyc/taxi/$_\n" } @ids);
}


# The sections.

sub http {
    my @rows = (
        [ 'GET /_now', 'now', [ '--path', '/_now' ], 1.6 ],
        [ 'get by id', 'get', [ '--requests', "$dir/gets" ], 3.5 ],
    );

    my @table = ([ '', 'conn.', 'per s', 'p50 us', 'p99 us', 'CPU us',
                   'r.200 per s', 'CPU us', 'rate x', 'CPU x', 'target' ]);

    for my $row (@rows) {
        my ($title, $name, $args, $target) = @$row;

        for my $n (1, 64) {
            my @mine = ('http', '--port', $port, '-c', $n, @$args);
            my @other = ('http', '--port', $ref_port, '-c', $n, '--path',
                         "/$name");

            my ($a, $b) = alternate(\@mine, \@other);

            push @table, [
                $title . flaws($a), $n, figure($a, 'rate'),
                figure($a, 'p50_us'), figure($a, 'p99_us'), cpu($a),
                figure($b, 'rate'), cpu($b), ratio($a, $b, 'rate'),
                ratio($a, $b, 'server_cpu_us_per_op'), "<= $target",
            ];
        }
    }

    table(@table);

    print <<END;

  r.200: "return 200" with a body and headers of the same size.  The CPU
  ratio is the one that counts: the generator saturates before nginx does.
END
}


# A query that does next to nothing, but has a body to be read and parsed.

sub bodies {
    my $query = '{"controller":"server","action":"now","volatile":{"a":"';

    $query .= 'x' x (200 - 3 - length $query) . '"}}';

    die "no $echo\n" if !-f $echo;

    answer(request('POST', '/_query', $query));

    my @table = ([ '', 'conn.', 'per s', 'p50 us', 'p99 us', 'CPU us',
                   'echo per s', 'CPU us', 'rate x', 'CPU x', 'target' ]);

    for my $n (1, 64) {
        my ($a, $b) = alternate(
            [ 'http', '--port', $port, '-c', $n, '--path', '/_query',
              '--body', $query ],
            [ 'http', '--port', $ref_port, '-c', $n, '--path', '/echo',
              '--body', $query ]);

        push @table, [
            'POST /_query' . flaws($a) . flaws($b), $n, figure($a, 'rate'),
            figure($a, 'p50_us'), figure($a, 'p99_us'), cpu($a),
            figure($b, 'rate'), cpu($b), ratio($a, $b, 'rate'),
            ratio($a, $b, 'server_cpu_us_per_op'), '<= 1.7',
        ];
    }

    table(@table);

    printf "\n  server:now in a body of %d bytes; echo: a handler that answers"
           . " it.\n", length $query;
}


# The same documents by the same action, compressed by us and by nginx's
# filter behind us; and a file of the same bytes through that filter alone.

sub gzip {
    my @table = ([ '', 'bytes', 'per s', 'CPU us', 'filter per s', 'bytes',
                   'CPU us', 'CPU x', 'target', 'file CPU us', 'CPU x' ]);

    my @trips = split /\n/, slurp("$dir/trips");
    my @accept = ('--header', 'Accept-Encoding: gzip');

    mkdir "$dir/files";

    answer(request('PUT', '/nyc/big', '{"mappings":{"dynamic":"false",'
                   . '"properties":{}}}'));

    for my $row ([ '1 KB', 1000 ], [ '8 KB', 8000 ], [ '100 KB', 100_000 ],
                 [ '400 KB', 400_000 ])
    {
        my ($title, $size) = @$row;
        my ($n, $length) = (0, 400);

        $length += 1 + length $trips[$n++ % @trips]
            while $length < $size;

        my $body = '{"trips":[' . join(',', @trips[map { $_ % @trips }
                                                  1 .. ($n || 1)]) . ']}';

        answer(request('PUT', "/nyc/big/b$size", $body));

        my $path = "/nyc/big/b$size";
        my $reply = answer(get($path));

        spew("$dir/files/b$size", $reply->{body});

        my @load = ('-c', 64, @accept, '--path');

        my ($a, $b) = alternate([ 'http', '--port', $port, @load, $path ],
                                [ 'http', '--port', $gzip_port, @load, $path ]);
        my ($c) = alternate([ 'http', '--port', $gzip_port, @load,
                              "/files/b$size" ]);

        push @table, [
            $title . flaws($a) . flaws($b) . flaws($c),
            figure($a, 'bytes_per_op'), figure($a, 'rate'), cpu($a),
            figure($b, 'rate'), figure($b, 'bytes_per_op'), cpu($b),
            ratio($a, $b, 'server_cpu_us_per_op'), '<= 1.10',
            cpu($c), ratio($a, $c, 'server_cpu_us_per_op'),
        ];
    }

    table(@table);

    print <<END;

  document:get at level 1, 64 connections, compressed by us; filter: the same
  with kuzzle_compression off and nginx's gzip on; file: a static file of the
  same bytes through nginx's gzip.
END
}


sub searches {
    my @rows = (
        [ 'term medallion', { medallion => field('medallion') } ],
        [ 'term passenger_count', { passenger_count => 5 } ],
    );

    my @table = ([ '', 'hits', 'conn.', 'per s', 'p50 us', 'p99 us',
                   'CPU us', 'bytes' ]);

    for my $row (@rows) {
        my ($title, $term) = @$row;

        my $body = encode_json({ query => { term => $term } });
        my $reply = request('POST', '/nyc/taxi/_search?size=10', $body);

        die "got $reply->{status}: $reply->{body}\n"
            if $reply->{status} != 200;

        my $total = decode_json($reply->{body})->{result}{total};

        for my $n (1, 16) {
            my ($a) = alternate([ 'http', '--port', $port, '-c', $n,
                                  '--path', '/nyc/taxi/_search?size=10',
                                  '--body', $body ]);

            push @table, [ $title . flaws($a), $total, $n,
                           figure($a, 'rate'), figure($a, 'p50_us'),
                           figure($a, 'p99_us'), cpu($a),
                           figure($a, 'bytes_per_op') ];
        }
    }

    table(@table);
}


sub ws {
    my @table = ([ '', 'per s', 'p50 us', 'p99 us', 'CPU us' ]);

    for my $shape ([ 1, 1 ], [ 1, 64 ], [ 64, 1 ]) {
        my ($n, $w) = @$shape;

        my ($a) = alternate([ 'ws-rtt', '--port', $port, '-c', $n,
                              '-w', $w ]);

        push @table, [ "$n x $w in flight" . flaws($a), figure($a, 'rate'),
                       figure($a, 'p50_us'), figure($a, 'p99_us'), cpu($a) ];
    }

    table(@table);
}


# The body makes notifications of about 500 bytes.

sub publish {
    return '{"controller":"realtime","action":"publish","index":"nyc",'
           . '"collection":"taxi","requestId":"p{n}","body":{"seq":{n},'
           . '"text":"' . 'x' x 180 . '"}}';
}


sub fanout {
    my @table = ([ 'in flight', 'deliveries/s', 'p50 ms', 'p99 ms', 'CPU us',
                   'floor/s', 'CPU us', 'rate x', 'CPU x', 'bytes' ]);

    my $size = 500;

    for my $w (1, 4, 16) {
        my @mine = ('ws-fanout', '--port', $port, '-s', $opt{subscribers},
                    '-w', $w, '--publish', publish());
        my @other = ('floor', '-s', $opt{subscribers}, '--frames', $w,
                     '--size', \$size);

        my ($a, $b) = alternate(\@mine, \@other, sub {
            $size = int $_[0]{bytes_per_delivery};
        });

        $_->{server_cpu_us_per_op} = $_->{writer_cpu_us_per_op} for @$b;

        push @table, [
            $w . flaws($a), figure($a, 'rate'), ms($a, 'p50_us'),
            ms($a, 'p99_us'), cpu($a), figure($b, 'rate'), cpu($b),
            ratio($a, $b, 'rate'), ratio($a, $b, 'server_cpu_us_per_op'),
            $size,
        ];
    }

    table(@table);

    print <<END;

  $opt{subscribers} subscribers; a publish is done when all have it.  floor: a
  bare C loop that writes frames of this size to as many sockets, as many of
  them in one writev as publishes are in flight.
END
}


sub paced {
    my @table = ([ '', 'deliveries/s', 'p50 ms', 'p99 ms', 'CPU us',
                   'CPU share' ]);

    for my $rate (10, 100) {
        my ($a) = alternate([ 'ws-fanout', '--port', $port, '-s',
                              $opt{subscribers}, '--rate', $rate,
                              '--publish', publish(), '-d',
                              2 * $opt{time} ]);

        push @table, [ "$rate publishes/s" . flaws($a), figure($a, 'rate'),
                       ms($a, 'p50_us'), ms($a, 'p99_us'), cpu($a),
                       sprintf '%.0f %%', 100 * median($a, 'server_cpu') ];
    }

    table(@table);

    print "\n  $opt{subscribers} subscribers; time from publish to arrival.\n";
}


sub creates {
    my @table = ([ 'mapped fields', 'conn.', 'creates/s', 'p50 ms', 'p99 ms',
                   'fdatasync', 'per fdatasync', 'CPU us', 'worker',
                   'writer', 'target' ]);

    answer(request('PUT', '/nyc/few', '{"mappings":{"dynamic":"false",'
                   . '"properties":{"medallion":{"type":"keyword"},'
                   . '"license":{"type":"keyword"},'
                   . '"passenger_count":{"type":"integer"}}}}'));

    for my $row ([ 'three', 'few', 1 ], [ 'three', 'few', 64 ],
                 [ 'all', 'taxi', 1 ], [ 'all', 'taxi', 64 ])
    {
        my ($title, $collection, $n) = @$row;
        my (@a, @sync);

        for (1 .. $opt{runs}) {
            push @sync, sync_time();
            push @a, kzload('http', '--port', $port, '-c', $n, '--path',
                            "/nyc/$collection/_create", '--body-lines',
                            "$dir/trips", '-d', 1.5 * $opt{time});
        }

        my $per = median([ map {
            { x => $a[$_]{rate} * $sync[$_]{p50_us} / 1e6 }
        } 0 .. $#a ], 'x');

        push @table, [
            $title . flaws(\@a), $n, figure(\@a, 'rate'),
            ms(\@a, 'p50_us'), ms(\@a, 'p99_us'), ms(\@sync, 'p50_us'),
            sprintf('%.2f', $per), cpu(\@a), process_cpu(\@a, 0),
            process_cpu(\@a, 1), $n == 64 ? '>= 5000/s' : '-',
        ];
    }

    table(@table);

    print <<END;

  An answer means the document is on disk.  mapped fields: what a create
  costs depends on how many fields are indexed; the same trips go into a
  collection that maps three of them and into one that maps all (20 and
  more).  fdatasync: p50 in ms of 4 KiB in the same file system, just before;
  the target holds where it is 0.20.  per fdatasync: creates in that time.
END
}


# One run each: what a machine with two processors gives is told apart from
# what the server does by the generator's share.

sub overloads {
    my @rows = (
        [ 'search and sort', 16, '--path', '/nyc/taxi/_search?size=10',
          '--body', '{"query":{"range":{"total_amount":{"gte":5}}},'
                    . '"sort":[{"total_amount":"desc"}]}' ],
        [ 'create, 100 postings', 128, '--path', '/nyc/tags/_create',
          '--body', '{"tags":[' . join(',', ('{r%1000000}') x 100) . ']}' ],
    );

    my @table = ([ '', 'peak/s', 'offered/s', 'goodput/s', 'ratio', 'p50 ms',
                   'p99 ms', '503/s', 'p99 ms', 'back ms', 'RSS MB', 'grown',
                   'CPU', 'own' ]);

    answer(request('PUT', '/nyc/tags', '{"mappings":{"properties":{'
                   . '"tags":{"type":"integer"}}}}'));

    my ($worker) = grep { !$writer{$_} } @pids;
    my ($writer) = keys %writer;

    for my $row (@rows) {
        my ($title, $peak, @request) = @$row;

        open my $out, '-|', "$here/overload.pl", '--kzload', $kzload,
            '--port', $port, '--worker', $worker, '--writer', $writer,
            '--time', 2 * $opt{time}, '--peak', $peak, '--sockets', 4000,
            '--', @request or die "overload.pl: $!\n";

        my $text = do { local $/; <$out> };

        close $out or die "overload.pl failed\n";

        my $r = decode_json($text);
        my $bad = $r->{other} + $r->{broken} + $r->{lost} + $r->{unsent};

        push @table, [
            $title . ($bad ? " ($bad not answered!)" : ''),
            (map { sprintf '%.0f', $r->{$_} } qw(peak offered goodput)),
            sprintf('%.2f', $r->{ratio}),
            (map { sprintf '%.0f', $r->{$_} }
                 qw(p50_ms p99_ms refused refused_p99_ms recovery_ms)),
            (map { sprintf '%.1f', $r->{$_} } qw(rss_mb rss_grown_mb)),
            (map { sprintf '%.2f', $r->{$_} } qw(server_cpu own_cpu)),
        ];
    }

    table(@table);

    print <<END;

  peak: closed loop.  Then requests arrive at ten times that rate whether they
  are answered or not; the target is a ratio of 0.80.  ratio: to the peaks
  before and after.  503: refusals, at once.  back: of the requests after the
  load, when the last one was refused.  RSS of the worker after two such
  loads, and what the second one added.  CPU of the server, own: of the
  generator, which takes its share of the same processors.
END
}


# Running kzload.

# Runs the command lines in turn, --runs times, and returns a list of results
# for each.  A reference in a command line is read just before it is run.

sub alternate {
    my ($mine, $other, $after) = @_;
    my (@a, @b);

    for (1 .. $opt{runs}) {
        push @a, kzload(@$mine);
        $after->($a[-1]) if $after;

        push @b, kzload(map { ref $_ ? $$_ : $_ } @$other) if $other;
    }

    return (\@a, \@b);
}


sub kzload {
    my ($command, @args) = @_;

    my @measure = $command =~ /^f/ ? () : ('--pid', join ',', @pids);
    my @line = ($kzload, $command, '-d', $opt{time}, '--warmup',
                $opt{quick} ? 0.15 : 0.3, '--json', @measure, @args);

    open my $out, '-|', @line or die "$kzload: $!\n";

    my $text = do { local $/; <$out> };

    # 1 without a result means that it said why

    if (!close $out && $text !~ /^\{/) {
        die "kzload $command failed\n";
    }

    return decode_json($text);
}


sub sync_time {
    return kzload('fdatasync', '--dir', $dir, '-d', 0.3);
}


# The CPU time of the writer processes (1) or of the workers (0).

sub process_cpu {
    my ($runs, $writer) = @_;

    my @sums = map {
        my ($run, $sum) = ($_, 0);

        for my $pid (@pids) {
            $sum += $run->{"cpu_us_per_op_$pid"} // 0
                if !!$writer{$pid} == !!$writer;
        }

        { x => $sum };
    } @$runs;

    return sprintf '%.2f', median(\@sums, 'x');
}


sub report_log {
    my @lines = grep { /\[(alert|crit|emerg|error)\]/ }
                split /\n/, slurp("$dir/logs/error.log");

    return if !@lines;

    print "\nThe error log has ", scalar @lines, " lines; the first:\n";
    print "  $_\n" for @lines[0 .. (@lines > 5 ? 4 : $#lines)];
}


sub get {
    return request('GET', $_[0]);
}


sub request {
    my ($method, $path, $body) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                       PeerPort => $port, Timeout => 2)
        or die "connect: $@\n";

    my $head = "$method $path HTTP/1.1\r\nHost: 127.0.0.1:$port\r\n"
               . "Connection: close\r\n";

    if (defined $body && length $body) {
        $head .= "Content-Type: application/json\r\n"
                 . 'Content-Length: ' . length($body) . "\r\n";
    }

    print $socket "$head\r\n", $body // '';

    my $text = '';

    eval {
        local $SIG{ALRM} = sub { die "no answer to $method $path\n" };

        alarm 10;
        $text = do { local $/; <$socket> } // '';
        alarm 0;
        1;
    } or die $@;

    my ($top, $rest) = split /\r\n\r\n/, $text, 2;

    die "no answer to $method $path\n" if !defined $rest;

    my ($line, @headers) = split /\r\n/, $top;

    if (grep { /^transfer-encoding:\s*chunked/i } @headers) {
        my $whole = '';

        while ($rest =~ s/^([0-9a-f]+)\r\n//i && hex $1) {
            $whole .= substr $rest, 0, hex $1;
            substr($rest, 0, 2 + hex $1) = '';
        }

        $rest = $whole;
    }

    return {
        status  => (split ' ', $line)[1],
        headers => [ map { [ split /:\s*/, $_, 2 ] } @headers ],
        body    => $rest,
    };
}


# A value that some document has in a field.

sub field {
    my ($name) = @_;

    my ($value) = slurp("$dir/trips") =~ /"$name":"([^"]+)"/;

    return $value;
}
