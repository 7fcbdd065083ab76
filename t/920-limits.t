# Many indexes within bounded descriptors and threads; files and directories
# that cannot be used; two servers on one data directory.

use Test::Nginx::Kuzzle;
use Test::Nginx::Kuzzle::Crash;
use Test::Nginx::Kuzzle::Json 'json_decode';
use Test::Nginx::Kuzzle::Ledger;
use Test::Nginx::Kuzzle::Load 'ask_all';
use Test::Nginx::Kuzzle::WS;
use Test::Nginx::Process qw(wait_for worker_pids writer_pid);
use Test::Nginx::Server;

Test::Nginx::Socket::add_block_action(calls => sub {
    my ($block, $server) = @_;
    my ($function) = $block->calls =~ /(\w+)/;
    no strict 'refs';
    &{"main::$function"}($block->name, $server);
});

run_tests();


# Descriptors and threads of a process.

sub usage {
    my ($pid) = @_;
    my @fds = glob "/proc/$pid/fd/*";
    my @tasks = glob "/proc/$pid/task/*";
    return { fds => scalar @fds, tasks => scalar @tasks };
}


sub five_hundred {
    my ($name, $server) = @_;

    my @all = 1 .. 500;
    my $port = $server->port;
    my @pids = (worker_pids($server->pid), writer_pid($server->pid));
    my %before = map { $_ => usage($_) } @pids;
    my %ask = (
        'are created' => sub { ['POST', "/i$_[0]/_create"] },
        'get a collection' => sub { ['PUT', "/i$_[0]/c",
            '{"properties":{"n":{"type":"integer"}}}'] },
        'get a document' => sub { ['POST', "/i$_[0]/c/d/_create",
            qq({"n":$_[0]})] },
        'are read' => sub { ['GET', "/i$_[0]/c/d"] },
        'are searched' => sub { ['POST', "/i$_[0]/c/_search",
            qq({"query":{"term":{"n":$_[0]}}})] },
    );

    for my $what ('are created', 'get a collection', 'get a document',
                  'are read', 'are searched', 'are read', 'are searched')
    {
        my @r = ask_all($port, [map {
            my ($method, $path, $body) = @{$ask{$what}->($_)};
            { method => $method, path => $path, body => $body, i => $_ }
        } @all]);

        my @bad = grep {
            ($_->{status} || 0) != 200
            || $what =~ /read|searched/ && $_->{content} !~ /"n":$_->{i}\b/
        } @r;

        ok(!@bad, "$name - 500 indexes $what") or diag(scalar(@bad),
            " failed, $bad[0]{path}: ", $bad[0]{content} || $bad[0]{outcome});
    }

    my ($list) = ask_all($port, [{ method => 'GET', path => '/_list' }]);
    my $names = json_decode($list->{content})->{result}{indexes};
    is(scalar @$names, 500, "$name - 500 indexes are listed");

    # A file in use has three descriptors: itself, its log, the shared index.
    # The writer and its checkpointer each have a connection, a worker has
    # one for gets and one for searches.
    my $bound = 16 * 3 * 2 + 16;

    for my $pid (@pids) {
        my $now = usage($pid);
        my $title = Test::Nginx::Process::process_title($pid);
        my $grown = $now->{fds} - $before{$pid}{fds};
        my $more = $now->{tasks} - $before{$pid}{tasks};

        ok($grown <= $bound, "$name - $title: $grown more descriptors");
        ok($more <= 4, "$name - $title: $more more threads");
    }
}


# The directory cannot be written to for a while.

sub unwritable {
    my ($name, $server) = @_;

    my $dir = data_dir();
    my ($mode, $uid, $gid) = (stat $dir)[2, 4, 5];
    my $port = $server->port;
    my $ask = sub {
        my ($method, $path, $body) = @_;
        my ($r) = ask_all($port, [{ method => $method, path => $path,
                                    body => $body }]);
        return $r->{status} . ' ' . ($r->{content} =~ /"id":"([\w.]+)"/
                                     ? $1 : 'ok');
    };

    is($ask->(POST => '/one/_create'), '200 ok', "$name - before");
    is($ask->(PUT => '/one/c'), '200 ok', "$name - before");

    chown $>, -1, $dir;
    chmod 0555, $dir;

    is($ask->(POST => '/two/_create'), '500 services.storage.failed',
        "$name - a new index");
    is($ask->(POST => '/one/c/d/_create', '{"n":1}'), '200 ok',
        "$name - an index that is open");

    chown $uid, $gid, $dir;
    chmod $mode & 07777, $dir;

    is($ask->(POST => '/two/_create'), '200 ok', "$name - again");
    is($ask->(GET => '/one/c/d'), '200 ok', "$name - nothing is lost");
}


# Bytes of the first page of an index file, found by the index's name.

sub patch {
    my ($index, $at, $bytes) = @_;

    my $dir = data_dir();

    for my $file (glob "$dir/i*.db") {
        open my $fh, '+<', $file or die "$file: $!";
        local $/;
        my $content = <$fh>;

        # Each index has a collection of its own name.
        next if $content !~ /\Q$index-docs\E/;

        seek $fh, $at, 0;
        print $fh $bytes;
        close $fh;
        return;
    }

    die "no file of $index\n";
}


# A subscriber must hear of a document written through its own server, unless
# the server says that it could not be written: an empty list, or what is wrong.

sub deaf {
    my ($port, $index) = @_;

    ask_all($port, [{ method => 'PUT', path => "/$index/ears" }]);

    my $ws = Test::Nginx::Kuzzle::WS->connect(port => $port, timeout => 3);

    $ws->send_text(qq({"controller":"realtime","action":"subscribe",)
        . qq("index":"$index","collection":"ears","body":{}}));
    my $answer = $ws->next_event(3) or return 'no answer to the subscription';

    # Refused, and why: nobody believes that he hears.
    return if $answer->{payload} =~ /"status":503.*core\.realtime\.unavailable/;

    my ($r) = ask_all($port, [{ method => 'POST', body => '{}',
        path => "/$index/ears/_create" }]);
    my $event = $ws->next_event(1);

    $ws->disconnect;

    return if ($r->{status} || 0) == 503
              && $r->{content} =~ /services\.storage\.unavailable/;
    return "$r->{outcome} $r->{content}" if ($r->{status} || 0) != 200;
    return if $event && $event->{payload} =~ /"type":"document"/;
    return 'a document was written and its subscriber not told';
}


# Another nginx, with its own port, on the same data.

sub two_servers {
    my ($name, $server) = @_;

    my $root = $server->root;
    my $second = Test::Nginx::Server->new(workers => 2, root_location => 0);
    my $other = $second->root;

    # Also when this test dies half way.
    add_cleanup_handler(sub { $second->cleanup });

    mkdir "$other/$_" for qw(conf logs html tmp);

    my $conf = do {
        open my $fh, '<', "$root/conf/nginx.conf" or die "nginx.conf: $!";
        local $/;
        <$fh>;
    };
    my ($from, $to) = ($server->port, $second->port);
    $conf =~ s/127\.0\.0\.1:$from\b/127.0.0.1:$to/;

    open my $fh, '>', "$other/conf/nginx.conf" or die "nginx.conf: $!";
    print $fh $conf;
    close $fh;

    my $one = Test::Nginx::Kuzzle::Ledger->new(port => $from,
        index => 'one', limit => 4);
    my $two = Test::Nginx::Kuzzle::Ledger->new(port => $to,
        index => 'two', limit => 4);

    $one->create;
    $one->load->run(0.2);
    $second->start or die "no second server\n" . $second->error_log;

    # The second one serves, or it says that it cannot.
    my $serves = eval { $two->create; 1 };
    my $why = $@;

    ok($serves || $why =~ /services\.storage\.unavailable/,
        "$name - the second serves or says why not") or diag($why);

    for (1 .. 10) {
        $one->load->run(0.03);
        $two->load->run(0.03) if $serves;
    }

    my @wrong = map { "first: $_" } deaf($from, 'one');
    push @wrong, map { "second: $_" } deaf($to, 'two') if $serves;
    ok(!@wrong, "$name - subscribers hear") or diag(join "\n", @wrong);

    # The second ends while the first works on.
    @wrong = $serves ? map { "second: $_" } $two->settle : ();
    my @problems = $second->stop;

    ok(!@problems, "$name - the second ends") or diag(@problems);

    $one->load->run(0.3);
    push @wrong, map { "first: $_" } $one->settle;

    ok(!@wrong, "$name - nothing is lost or applied twice")
        or diag(join "\n", @wrong);

    my @fatal = grep { /\[(?:alert|crit|emerg)\]/ } split /^/m,
        $second->error_log;
    ok(!@fatal, "$name - nothing bad in the log") or diag(@fatal);
}

__DATA__

=== TEST 1: 500 indexes
--- kuzzle_config
    open_files 16;
--- calls: five_hundred


=== TEST 2: a data directory that cannot be made
--- main_config
kuzzle {
    data /dev/null/kuzzle;
}
--- must_die
--- error_log eval
qr{data directory "/dev/null/kuzzle" cannot be made.* in .*nginx\.conf:\d+}
--- shutdown_error_log eval
qr/emerg/


=== TEST 3: a data directory that cannot be written to for a while
--- calls: unwritable
--- shutdown_error_log eval
qr/writing to index "two" .* failed/


=== TEST 4: the lock cannot be opened: the log says so, writes get a named 503
--- kuzzle_config
    store_timeout 1s;
--- init
mkdir main::data_dir() . '/writer.lock';
--- ws
http POST /nyc/_create => 503 {"error":{"id":"services.storage.unavailable"}}
http GET / => 200
--- shutdown_error_log eval
qr/open\(".*writer\.lock"\) failed, nothing can be stored/


=== TEST 5: three indexes, for the tests below
--- ws
http POST /good/_create
http PUT /good/good-docs
http PUT /good/good-docs/d {"n":1}
http POST /newer/_create
http PUT /newer/newer-docs
http PUT /newer/newer-docs/d {"n":1}
http POST /broken/_create
http PUT /broken/broken-docs
http PUT /broken/broken-docs/d {"n":1}


=== TEST 6: files of a newer schema and damaged ones are named; others serve
--- keep_data
--- init
main::patch('newer', 60, pack 'N', 99);
main::patch('broken', 0, 'x' x 100);
--- ws
http GET /newer/newer-docs/d => 500 {"error":{"id":"services.storage.failed","message":"~written by a newer version \\(schema 99"}}
http PUT /newer/newer-docs/e {"n":2} => 500 {"error":{"id":"services.storage.failed","message":"~written by a newer version \\(schema 99"}}
http GET /broken/broken-docs/d => 500 {"error":{"id":"services.storage.failed","message":"~not a database"}}
http PUT /broken/broken-docs/e {"n":2} => 500 {"error":{"id":"services.storage.failed","message":"~not a database"}}
http POST /newer/newer-docs/_search {} => 500 {"error":{"id":"services.storage.failed"}}
http GET /good/good-docs/d => {"result":{"_source":{"n":1}}}
http PUT /good/good-docs/d {"n":2}
http POST /good/good-docs/_count => {"result":{"count":1}}
http POST /another/_create
http PUT /another/another-docs
http GET /_list => {"result":{"indexes":["another","broken","good","newer"]}}
--- shutdown_error_log eval
[qr/index "newer" .*newer version/, qr/index "broken" .*not a database/]


=== TEST 7: a catalogue of a newer schema: everything is refused, nothing written
--- keep_data
--- init
my $file = main::data_dir() . '/kuzzle.db';
open my $fh, '+<', $file or die "$file: $!";
seek $fh, 60, 0;
print $fh pack 'N', 99;
close $fh;
--- ws
http GET /good/good-docs/d => 500 {"error":{"id":"services.storage.failed","message":"~newer version"}}
http PUT /good/good-docs/d {"n":3} => 500 {"error":{"id":"services.storage.failed","message":"~newer version"}}
http DELETE /good/good-docs/d => 500 {"error":{"id":"services.storage.failed","message":"~newer version"}}
http GET / => 200
--- shutdown_error_log eval
[qr/catalogue ".*kuzzle\.db" cannot be used: .*newer version/,
 qr/writing to index "good" .* failed: written by a newer version/]


=== TEST 8: and with the right one all is there again
--- keep_data
--- init
my $file = main::data_dir() . '/kuzzle.db';
open my $fh, '+<', $file or die "$file: $!";
seek $fh, 60, 0;
print $fh pack 'N', 1;
close $fh;
main::patch('newer', 60, pack 'N', 1);
--- ws
http GET /good/good-docs/d => {"result":{"_version":2,"_source":{"n":2}}}
http GET /newer/newer-docs/d => {"result":{"_version":1,"_source":{"n":1}}}


=== TEST 9: two servers on one data directory
--- calls: two_servers
--- kuzzle_config
    store_timeout 2s;
