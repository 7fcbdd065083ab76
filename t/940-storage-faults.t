# A disk that is full for a while, a data directory that is read only, files
# that are damaged or cut off: errors that say so, nothing lost, all else
# serves on; and a reload in the midst of it.

use Test::Nginx::Kuzzle;
use Test::Nginx::Kuzzle::Crash;
use Test::Nginx::Kuzzle::Json 'json_decode';
use Test::Nginx::Kuzzle::Load 'ask_all';
use Test::Nginx::Process qw(wait_for worker_pids);

use File::Temp 'tempdir';

my $tmp = tempdir('kuzzle-faults-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $flag = "$tmp/full";

# The others of nginx's users must see the flag.

chmod 0755, $tmp;

Test::Nginx::Socket::add_block_action(calls => sub {
    my ($block, $server) = @_;
    my ($function) = $block->calls =~ /(\w+)/;
    no strict 'refs';
    &{"main::$function"}($block->name, $server);
});

add_block_preprocessor(sub {
    my ($block) = @_;

    delete $ENV{LD_PRELOAD};
    unlink $flag;

    $ENV{LD_PRELOAD} = shim() if $block->full_disk;
});

run_tests();


sub shim {
    my $so = "$tmp/full_disk.so";

    if (!-e $so) {
        system('cc', '-shared', '-fPIC', '-DFLAG="' . $flag . '"',
            '-DDATA="' . data_dir() . '/"', '-o', $so,
            't/tools/full_disk.c', '-ldl') == 0
            or die "t/tools/full_disk.c is not compiled\n";
    }

    return $so;
}


sub full {
    my ($how) = @_;

    open my $fh, '>', $flag or die "$flag: $!";
    print $fh $how;
    close $fh;
}


# Its status and the id of its error, or its content.

sub ask {
    my ($server, $method, $path, $body) = @_;

    my ($r) = ask_all($server->port, [{ method => $method, path => $path,
                                        body => $body }]);

    return "$r->{outcome}" if $r->{outcome} ne 'answer';
    return "$r->{status} " . ($r->{content} =~ /"id":"([a-z]+\.[\w.]+)"/
                              ? $1 : $r->{content});
}


sub count {
    my ($server, $path) = @_;
    return ask($server, POST => "$path/_count") =~ /"count":(\d+)/ ? $1 : '-';
}


# Documents of an index that a copy of its file holds, and what SQLite thinks
# of it.

sub sound {
    my ($server) = @_;

    my @wrong;

    for my $file (glob data_dir() . '/*.db') {
        my $text = `sqlite3 -readonly '$file' 'PRAGMA integrity_check' 2>&1`;
        push @wrong, "$file: $text" if $text ne "ok\n";
    }

    return @wrong;
}


sub reload {
    my ($server) = @_;

    my %old = map { $_ => 1 } worker_pids($server->pid);

    kill HUP => $server->pid;
    wait_for(10, sub {
        my @now = worker_pids($server->pid);
        @now >= 2 && !grep { $old{$_} } @now;
    }) or die "no new workers\n";
}


# Writes while the disk becomes full and has room again.

sub disk {
    my ($name, $server) = @_;

    is(ask($server, POST => '/nyc/_create') =~ /^200/, 1, "$name - before");
    ask($server, PUT => '/nyc/c', '{"properties":{"n":{"type":"integer"},'
        . '"t":{"type":"text"}}}');
    ask($server, PUT => '/nyc/c/old', '{"n":-1}');

    for my $how ('', 'half') {
        my $what = $how ? 'room for the half of it' : 'no room at all';
        my ($n, %state, %said) = (0);
        my $load = Test::Nginx::Kuzzle::Load->new(port => $server->port,
            connections => 8,
            next => sub {
                $n++;
                return { method => 'POST', path => "/nyc/c/$how$n/_create",
                    id => "$how$n", body => qq({"n":$n,"t":")
                        . 'word ' x 200 . '"}' };
            },
            done => sub {
                my ($r) = @_;
                my $status = $r->{status} || $r->{outcome};
                $state{$r->{id}} = $status;
                $said{$r->{content}}++ if $status ne 200;
            });

        $load->run(0.3);
        full($how);
        $load->run(0.5);

        like(ask($server, PUT => '/nyc/c/more', '{"n":1}'),
            qr/^(?:507|503|500) services\.storage\.\w+$/, "$name - $what");
        is(ask($server, GET => '/nyc/c/old') =~ /"n":-1/, 1,
            "$name - $what: reads go on");
        isnt(count($server, '/nyc/c'), '-', "$name - $what: searches too");
        like(ask($server, GET => '/_now'), qr/^200/, "$name - $what: /_now");

        unlink $flag;
        $load->run(0.5);
        $load->drain(10);

        my @bad = grep { $_ !~ /disk is full|disk I\/O error|unavailable/ }
                  keys %said;
        ok(!@bad, "$name - $what: the error says it") or diag($bad[0]);

        my @ids = sort keys %state;
        my @wrong;

        for my $r (ask_all($server->port, [map { { method => 'GET',
            path => "/nyc/c/$_", id => $_ } } @ids]))
        {
            my $want = $state{$r->{id}};

            push @wrong, "$r->{id} was answered with $want and is $r->{status}"
                if $want eq 200 ? $r->{status} != 200
                 : $want =~ /^5/ ? $r->{status} != 404 : 0;
        }

        my $failed = grep { $_ ne 200 } values %state;
        my $acked = @ids - $failed;

        ok(!@wrong, "$name - $what: $acked stored, $failed refused, as said")
            or diag(join "\n", splice @wrong, 0, 10);
        ok($failed > 0, "$name - $what: some were refused");
        like(ask($server, PUT => '/nyc/c/after', '{"n":1}'), qr/^200/,
            "$name - $what: written to again");
    }

    reload($server);
    like(ask($server, PUT => '/nyc/c/after', '{"n":2}'), qr/^200/,
        "$name - after a reload");

    my @wrong = sound($server);
    ok(!@wrong, "$name - the files are sound") or diag(@wrong);
}


# A new index, a new collection and a dump have no room either.

sub other_writes {
    my ($name, $server) = @_;

    ask($server, POST => '/nyc/_create');
    ask($server, PUT => '/nyc/c');
    full('');

    for (['POST', '/two/_create'], ['PUT', '/nyc/d'], ['PUT', '/nyc/c/x', '{}'],
         ['DELETE', '/nyc/c/_truncate'])
    {
        like(ask($server, @$_), qr/^50\d services\.storage\.\w+$/,
            "$name - $_->[1]");
    }

    unlink $flag;

    like(ask($server, POST => '/two/_create'), qr/^200/, "$name - with room");
    like(ask($server, PUT => '/nyc/d'), qr/^200/, "$name - with room");
    like(ask($server, PUT => '/two/c'), qr/^200/, "$name - with room");
    like(ask($server, PUT => '/two/c/x', '{"n":1}'), qr/^200/,
        "$name - with room");
    is(count($server, '/two/c'), 1, "$name - and it is there");

    my @wrong = sound($server);
    ok(!@wrong, "$name - the files are sound") or diag(@wrong);
}


# Three indexes with enough in them that a file has a middle.

sub fill {
    my ($name, $server) = @_;

    for my $index (qw(one two three)) {
        ask($server, POST => "/$index/_create");
        ask($server, PUT => "/$index/$index-docs",
            '{"properties":{"n":{"type":"integer"},"k":{"type":"keyword"}}}');

        my @r = ask_all($server->port, [map { { method => 'POST',
            path => "/$index/$index-docs/d$_/_create",
            body => qq({"n":$_,"k":"k$_","pad":") . 'x' x 500 . '"}' } }
            1 .. 1500]);
        my @bad = grep { ($_->{status} || 0) != 200 } @r;

        ok(!@bad, "$name - $index") or diag($bad[0]{content});
    }
}


sub file_of {
    my ($index) = @_;

    my $dir = data_dir();
    my $n = `sqlite3 -readonly '$dir/kuzzle.db' "SELECT file FROM idx WHERE name = '$index'"`;
    chomp $n;

    # What is in the log goes into the file.
    system("sqlite3 '$dir/i$n.db' 'PRAGMA wal_checkpoint(TRUNCATE)'"
        . ' > /dev/null');

    return "$dir/i$n.db";
}


sub damage {
    my ($index) = @_;

    my $file = file_of($index);
    my $size = -s $file;

    open my $fh, '+<', $file or die "$file: $!";
    seek $fh, 8192, 0;
    print $fh pack 'C*', map { ($_ * 7919) % 256 } 1 .. $size - 16384;
    close $fh;
}


sub cut {
    my ($index) = @_;

    my $file = file_of($index);
    truncate $file, int((-s $file) / 8192 / 3) * 4096 + 100 or die "$file: $!";
}


# "one" is damaged, "two" cut off; "three" and everything else works.

sub damaged {
    my ($name, $server) = @_;

    for my $turn ('at once', 'after a reload') {
        for my $index (qw(one two)) {
            my $c = "/$index/$index-docs";
            my $search = '{"query":{"term":{"pad":"y"}}}';

            like(ask($server, POST => "$c/_search", $search),
                qr/^500 services\.storage\.failed/,
                "$name - $index: a search, $turn");
            like(ask($server, PUT => "$c/new-$$", '{"n":1}'),
                qr/^(?:500 services\.storage\.failed|200 )/,
                "$name - $index: a write, $turn");

            my %said;
            $said{$_->{status} || $_->{outcome}}++ for ask_all($server->port,
                [map { { method => 'GET', path => "$c/d$_" } } 1 .. 50]);
            ok(!grep({ !/^(?:200|404|500)$/ } keys %said),
                "$name - $index: gets are answered, $turn")
                or diag(join ' ', %said);
        }

        is(count($server, '/three/three-docs'), 1500 + ($turn ne 'at once'),
            "$name - the third has all, $turn");
        like(ask($server, PUT => '/three/three-docs/more', '{"n":1}'),
            qr/^200/, "$name - the third is written to, $turn");
        like(ask($server, GET => '/_now'), qr/^200/, "$name - /_now, $turn");
        like(ask($server, GET => '/_list'), qr/one.*three.*two/s,
            "$name - all are listed, $turn");

        reload($server);
    }

    like(ask($server, DELETE => '/one'), qr/^200/,
        "$name - a damaged one can be deleted");
    like(ask($server, POST => '/one/_create'), qr/^200/,
        "$name - and made again");
    like(ask($server, PUT => '/one/c'), qr/^200/, "$name - with collections");
    like(ask($server, PUT => '/one/c/d', '{}'), qr/^200/,
        "$name - and documents");
}


sub catalogue {
    my ($name, $server) = @_;

    for my $turn ('at once', 'after a reload') {
        like(ask($server, GET => '/three/three-docs/d1'),
            qr/^500 services\.storage\.failed/, "$name - a get, $turn");
        like(ask($server, PUT => '/three/three-docs/d1', '{}'),
            qr/^50\d services\.storage\.\w+/, "$name - a write, $turn");
        like(ask($server, GET => '/_now'), qr/^200/, "$name - /_now, $turn");
        reload($server);
    }
}


sub read_only {
    my ($name, $server) = @_;

    like(ask($server, GET => '/three/three-docs/d1'),
        qr/^(?:200 .*"n":1\b|500 services\.storage\.failed)/s,
        "$name - a get says what it is");
    like(ask($server, PUT => '/three/three-docs/d1', '{"n":5}'),
        qr/^50\d services\.storage\.\w+/, "$name - a write is refused");
    like(ask($server, POST => '/four/_create'),
        qr/^50\d services\.storage\.\w+/, "$name - an index is refused");
    like(ask($server, GET => '/_now'), qr/^200/, "$name - /_now");
}

__DATA__

=== TEST 1: a full disk
--- full_disk: 1
--- calls: disk
--- shutdown_error_log eval
qr/failed/


=== TEST 2: a full disk and other writes
--- full_disk: 1
--- calls: other_writes
--- shutdown_error_log eval
qr/failed/


=== TEST 3: three indexes for the tests below
--- calls: fill


=== TEST 4: one is damaged in the middle, another one cut off
--- keep_data
--- init
main::damage('one');
main::cut('two');
--- calls: damaged
--- shutdown_error_log eval
qr/failed|malformed/


=== TEST 5: the catalogue is damaged
--- keep_data
--- init
my $file = main::data_dir() . '/kuzzle.db';
rename $file, "$file.good" or die "$file: $!";
rename "$file-wal", "$file-wal.good";
unlink "$file-shm";
open my $fh, '>', $file or die "$file: $!";
print $fh 'not a database ' x 2000;
close $fh;
chmod 0666, $file;
--- calls: catalogue
--- shutdown_error_log eval
qr/failed|not a database/


=== TEST 6: it is put back, nothing is lost
--- keep_data
--- init
my $file = main::data_dir() . '/kuzzle.db';
unlink "$file-wal", "$file-shm";
rename "$file.good", $file or die "$file: $!";
rename "$file-wal.good", "$file-wal";
--- ws
http GET /three/three-docs/d1 => {"result":{"_source":{"n":1}}}
http GET /one/c/d => 200
http POST /three/three-docs/_count => {"result":{"count":1501}}


=== TEST 7: files and directory are read only
--- keep_data
--- init
my $dir = main::data_dir();
chown $>, -1, $dir, glob "$dir/*";
chmod 0444, grep { -f } glob "$dir/*";
chmod 0555, $dir;
--- calls: read_only
--- shutdown_error_log eval
qr/./


=== TEST 8: and writable again
--- keep_data
--- init
my $dir = main::data_dir();
chmod 0777, $dir;
chmod 0666, grep { -f } glob "$dir/*";
--- ws
http GET /three/three-docs/d1 => {"result":{"_source":{"n":1}}}
http PUT /three/three-docs/d1 {"n":6}
http GET /three/three-docs/d1 => {"result":{"_source":{"n":6}}}
