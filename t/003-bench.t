#!/usr/bin/perl

# The tools of the bench measure what they say: tried without the module,
# against stock nginx and a small WebSocket server of our own.
#
#     prove t/003-bench.t

use strict;
use warnings;

use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha1_base64);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);

my $here = dirname(abs_path($0)) . "/bench";
my $nginx = $ENV{NGINX_BIN} || '/usr/sbin/nginx';
my $dir = tempdir('kzbench.XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $kzload = "$dir/kzload";
my $main = $$;
my @started;

END {
    if ($$ == $main) {
        my $code = $?;

        for my $pid (@started) {
            kill 'TERM', $pid;
            waitpid $pid, 0;
        }

        $? = $code;
    }
}

chmod 0755, $dir;

is(system("make -s -C '$here' BUILD='$dir' >&2"), 0, 'kzload builds');

trips();
http();
loader();
websocket();
kernel();

done_testing();


sub trips {
    my $trips = `'$here/taxi.pl' --count 1000`;
    my @docs = map { decode_json($_) } split /\n/, $trips;
    my %ids = map { $_->{trip_id} => 1 } @docs;

    is(@docs, 1000, 'taxi.pl makes as many documents as asked for');
    is(keys %ids, 1000, 'no trip twice');
    is(md5_hex($trips), 'd612196bc8c11826167e0c28ae61d9be',
       'the documents are the same everywhere');
    isnt(`'$here/taxi.pl' --count 1000 --seed 2`, $trips,
         'another seed, other documents');

    my @strange = grep {
        $_->{total_amount} < $_->{fare_amount} || $_->{trip_distance} <= 0
        || abs($_->{pickup_location}{lat} - 40.75) > 0.2
        || $_->{tpep_dropoff_datetime} le $_->{tpep_pickup_datetime}
    } @docs;

    is(@strange, 0, 'fares, places and times make sense');

    spew("$dir/trips", $trips);
}


sub http {
    my $port = nginx();
    my $base = "--port $port --json";

    my $r = kzload("http $base -c 4 -n 500 --path /ok");

    is($r->{ops}, 500, 'http: -n ends after as many requests');
    is($r->{non2xx}, 0, 'http: no errors');
    is($r->{code}, 0, 'http: exit code 0');

    $r = kzload("http $base -c 2 -n 50 --path '/nobody/{n}'", '2>/dev/null');
    is($r->{non2xx}, 50, 'http: answers that are not 2xx are counted');

    $r = kzload("http $base -c 2 -n 20 --path /big");
    cmp_ok($r->{bytes_per_op}, '>', 80000, 'http: chunked answers');
    is($r->{ops}, 20, 'http: each of them is one answer');

    $r = kzload("http $base -n 20 --path /close");
    is($r->{reconnects}, 20, 'http: connections that the server closes');

    $r = kzload("http $base -n 20 --path /echo --body '{\"n\":{n}}'");
    is($r->{non2xx}, 0, 'http: bodies');

    spew("$dir/requests", "GET /ok\nGET /nobody/1\nPOST /echo {\"a\":1}\n");

    $r = kzload("http $base -n 30 --requests $dir/requests", '2>/dev/null');
    is($r->{non2xx}, 10, 'http: a file of requests, in turn');

    my $begin = time;

    $r = kzload("http $base -d 0.5 --warmup 0.1 --path /ok --pid $$");
    cmp_ok(abs(time - $begin - 0.6), '<', 0.4, 'http: ends in time');
    cmp_ok(abs($r->{elapsed_s} - 0.5), '<', 0.1, 'http: without the warmup');
    ok(exists $r->{server_cpu_us_per_op}, 'http: CPU of another process');

    $r = kzload('http --port ' . free_port() . ' -d 1', '2>/dev/null');
    is($r->{code}, 1, 'http: nobody listens');
}


sub loader {
    my $port = nginx();
    my $load = "'$here/load.pl' --base http://127.0.0.1:$port/nyc/taxi"
               . " --acked $dir/ids";

    like(`$load $dir/trips`,
         qr/^sent=1000 acked=1000 refused=0 unanswered=0$/m,
         'load.pl: all documents');

    my @ids = split /\n/, slurp("$dir/ids");
    is(@ids, 1000, 'load.pl: all acknowledged ids');

    like(`$load --verify`, qr/^verified=1000 missing=0 failed=0$/m,
         'load.pl: all are there');
    is($?, 0, 'load.pl: exit code 0');

    spew("$dir/ids", "$ids[0]\ngone-1\n$ids[1]\ncut off");

    like(`$load --verify`, qr/^missing gone-1\nverified=2 missing=1 failed=0$/m,
         'load.pl: a missing one is named, an unfinished line left out');
    is($? >> 8, 1, 'load.pl: exit code 1');

    unlink "$dir/ids";

    my $stop = fork // die "fork: $!";

    if ($stop == 0) {
        sleep 0.1;
        kill 'KILL', $started[-1];
        POSIX::_exit(0);
    }

    my ($trips, $begin) = (slurp("$dir/trips"), time);

    spew("$dir/many", $trips x 200);

    my ($sent, $acked) = `$load $dir/many` =~ /^sent=(\d+) acked=(\d+)/m;

    is($? >> 8, 3, 'load.pl: exit code 3 when the server dies');
    cmp_ok(time - $begin, '<', 5, 'load.pl: ends then');
    is(scalar(() = slurp("$dir/ids") =~ /\n/g), $acked,
       'load.pl: each acknowledged id is on record');
    cmp_ok($sent - $acked, '<=', 4, 'load.pl: at most one a connection lost');

    waitpid $stop, 0;
}


sub websocket {
    my $port = ws_server(undef);

    my $r = kzload("ws-rtt --port $port -c 3 -w 5 -d 0.5 --json");

    cmp_ok($r->{ops}, '>', 100, 'ws-rtt: round trips');
    is($r->{errors} + $r->{closed}, 0, 'ws-rtt: no errors');

    $r = kzload("ws-rtt --port $port -d 0.3 --query '{\"action\":\"bad\"}'"
                . ' --json', '2>/dev/null');
    cmp_ok($r->{errors}, '>', 0, 'ws-rtt: errors are counted');

    $r = kzload("ws-fanout --port $port -s 20 -w 3 -d 0.5 --json");
    is($r->{lost}, 0, 'ws-fanout: nothing is lost');
    cmp_ok($r->{checked}, '>', 10, 'ws-fanout: the order is checked');
    is($r->{code}, 0, 'ws-fanout: exit code 0');

    $r = kzload("ws-fanout --port $port -s 5 --rate 50 --warmup 0 -d 1"
                . ' --json');
    cmp_ok(abs($r->{rate} - 250), '<', 30, 'ws-fanout: paced');

    $port = ws_server(1);

    $r = kzload("ws-fanout --port $port -s 10 --rate 50 -d 0.5 --json",
                '2>/dev/null');
    cmp_ok($r->{lost}, '>', 0, 'ws-fanout: a delivery that was left out');
    is($r->{code}, 1, 'ws-fanout: exit code 1');

    $port = ws_server(0);

    like(`$kzload ws-fanout --port $port -s 10 --rate 50 -d 0.5 2>&1`,
         qr/subscriber 0 got message 3 in place of 2/,
         'ws-fanout: a gap on the subscriber that is checked');
}


sub kernel {
    my $r = kzload('floor -s 20 --frames 4 -d 0.3 --json');

    cmp_ok($r->{writer_cpu_us_per_op}, '>', 0, 'floor');

    $r = kzload("fdatasync --dir $dir -n 5 --json");
    is($r->{ops}, 5, 'fdatasync');
}


# Servers.

sub nginx {
    my $port = free_port();
    my $temp = join ' ', map { "${_}_temp_path temp_$_;" }
               qw(client_body proxy fastcgi uwsgi scgi);

    mkdir "$dir/$_" for qw(logs conf www);
    spew("$dir/www/big", 'xy' x 20000);
    spew("$dir/conf/nginx.conf", <<"END");
daemon off;
master_process off;
pid logs/nginx.pid;
error_log logs/error.log;
events { }
http {
    access_log off;
    keepalive_requests 1000000;
    $temp
    server {
        listen 127.0.0.1:$port;
        location = /ok { return 200 '{"ok":true}'; }
        location = /echo { return 200 '{"ok":true}'; }
        location = /close { keepalive_timeout 0; return 200 'x'; }
        location = /big {
            sub_filter_types *;
            sub_filter x xxx;
            sub_filter_once off;
            root $dir/www;
        }
        location = /nyc/taxi/_create { return 200 '{"_id":"\$request_id"}'; }
        location ~ ^/nyc/taxi/gone { return 404; }
        location ~ ^/nyc/taxi/(?<id>.*) { return 200 '{"_id":"\$id"}'; }
    }
}
END

    start(sub {
        exec $nginx, '-p', $dir, '-c', 'conf/nginx.conf', '-e',
             'logs/error.log' or POSIX::_exit(127);
    });

    return listening($port);
}


# Answers queries and fans publishes out; every third one misses the
# subscriber number $lossy.

sub ws_server {
    my ($lossy) = @_;

    my $listen = IO::Socket::INET->new(Listen => 100,
                                       LocalAddr => '127.0.0.1') or die $@;

    start(sub { ws_loop($listen, $lossy); POSIX::_exit(0) });

    return $listen->sockport;
}


sub ws_loop {
    my ($listen, $lossy) = @_;

    my $select = IO::Select->new($listen);
    my (%in, @subs, $n);

    $SIG{PIPE} = 'IGNORE';

    for ( ;; ) {
        for my $socket ($select->can_read) {

            if ($socket == $listen) {
                $select->add($listen->accept);
                next;
            }

            if (!sysread $socket, $in{$socket}, 65536,
                         length($in{$socket} // ''))
            {
                $select->remove($socket);
                delete $in{$socket};
                @subs = grep { $_ != $socket } @subs;
                close $socket;
                next;
            }

            if ($in{$socket} =~ s/\AGET .*?Key: (\S+).*?\r\n\r\n//s) {
                my $accept = sha1_base64(
                    $1 . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11') . '=';

                syswrite $socket, "HTTP/1.1 101 Switching Protocols\r\n"
                    . "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                    . "Sec-WebSocket-Accept: $accept\r\n\r\n";
            }

            while (defined(my $text = ws_frame(\$in{$socket}))) {
                my $query = decode_json($text);

                if ($query->{action} eq 'subscribe') {
                    push @subs, $socket;

                } elsif ($query->{action} eq 'publish') {
                    my @to = @subs;

                    splice @to, $lossy, 1
                        if defined $lossy && ++$n % 3 == 0;

                    ws_send($_, encode_json({ body => $query->{body} }))
                        for @to;
                }

                ws_send($socket, $query->{action} eq 'bad'
                                 ? '{"status":400}' : '{"status":200}');
            }
        }
    }
}


sub ws_frame {
    my ($in) = @_;

    return undef if length $$in < 6;

    my $len = ord(substr $$in, 1, 1) & 0x7f;
    my $head = 2;

    if ($len == 126) {
        $len = unpack 'n', substr $$in, 2, 2;
        $head = 4;
    }

    return undef if length $$in < $head + 4 + $len;

    my $mask = substr $$in, $head, 4;
    my $text = substr $$in, $head + 4, $len;

    substr($$in, 0, $head + 4 + $len) = '';

    return $text ^ substr $mask x ($len / 4 + 1), 0, $len;
}


sub ws_send {
    my ($socket, $text) = @_;

    syswrite $socket, pack('CC', 0x81, length $text) . $text;
}


# Small things.

sub kzload {
    my ($args, $more) = @_;

    my $text = `$kzload $args @{[ $more // '' ]}`;
    my $code = $? >> 8;

    my $result = $text =~ /^\{/ ? decode_json($text) : {};

    $result->{code} = $code;

    return $result;
}


sub start {
    my ($run) = @_;

    my $pid = fork // die "fork: $!";

    $run->() if $pid == 0;

    push @started, $pid;
}


sub listening {
    my ($port) = @_;

    for (1 .. 200) {
        return $port if IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                              PeerPort => $port);
        sleep 0.02;
    }

    die 'nginx did not start: ' . slurp("$dir/logs/error.log");
}


sub free_port {
    my $socket = IO::Socket::INET->new(Listen => 1,
                                       LocalAddr => '127.0.0.1') or die $@;

    return $socket->sockport;
}


sub slurp {
    my ($file) = @_;

    open my $f, '<', $file or die "$file: $!\n";

    local $/;

    return <$f> // '';
}


sub spew {
    my ($file, $text) = @_;

    open my $f, '>', $file or die "$file: $!\n";
    print $f $text;
    close $f or die "$file: $!\n";
}
