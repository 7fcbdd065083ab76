# kuzzle_log: a line per query and per end of a session.

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);

use Test::Nginx::Kuzzle;

# A section "kuzzle_log" has a pattern for each line of logs/kuzzle.log, which
# has to have as many; "lines" runs Perl code, for what happens to files.

Test::Nginx::Socket::add_block_action(kuzzle_log => sub {
    my ($block, $server) = @_;

    my @want = grep { /\S/ } split /\n/, $block->kuzzle_log;
    my @got = await_lines('kuzzle.log', scalar @want);

    is(@got, @want, $block->name . ' - as many lines')
        or return diag(join "\n", @got);

    for my $i (0 .. $#want) {
        like($got[$i], qr/\A$want[$i]\z/, $block->name . " - line $i");
    }
});

Test::Nginx::Socket::add_block_action(lines => sub {
    my ($block, $server) = @_;
    eval "no strict; " . $block->lines . "\n1" or fail($block->name . " $@");
});


sub lines {
    my ($name) = @_;
    open my $fh, '<', server_root() . "/logs/$name" or return;
    chomp(my @lines = <$fh>);
    return @lines;
}


sub await_lines {
    my ($name, $n, $seconds) = @_;

    my $end = time + ($seconds || 3);

    while (time < $end) {
        my @lines = lines($name);
        return @lines if @lines >= $n;
        sleep 0.02;
    }

    return lines($name);
}


sub get {
    my ($uri) = @_;

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => server_port()) or die "connect: $!";
    print {$sock} "GET $uri HTTP/1.0\r\n\r\n";
    local $/;
    return scalar <$sock>;
}


sub signal { kill $_[0], master_pid() or die "kill: $!" }


run_tests();

__DATA__

=== TEST 1: a line per query of HTTP, also of those that are refused
--- http_config
kuzzle_log logs/kuzzle.log;
--- request eval
["GET /_now", "GET /nyc/taxi/nobody", "GET /no/such/route/at/all",
 "OPTIONS /x", "POST /nyc/taxi/_create\n{\"a\":", "POST /_query\n{\"a\":"]
--- error_code eval
[200, 412, 404, 200, 400, 400]
--- kuzzle_log
127\.0\.0\.1 "-1" \[\d\d/\w{3}/\d{4}:[\d:]{8} [-+]\d{4}\] "http server:now -/-/-" 200 \d+\.\d{3} - "[-0-9a-f]{36}" -
127\.0\.0\.1 "-1" \[.*\] "http document:get nyc/taxi/nobody" 412 \d+\.\d{3} services.storage.unknown_index "[-0-9a-f]{36}" -
.* "http -:- -/-/-" 404 .* network.http.url_not_found "[-0-9a-f]{36}" -
.* "http -:- -/-/-" 200 .* - "[-0-9a-f]{36}" -
.* "http document:create nyc/taxi/-" 400 .* network.http.body_parse_failed "[-0-9a-f]{36}" -
.* "http -:- -/-/-" 400 .* network.http.body_parse_failed "-" -


=== TEST 2: a line per query of a WebSocket and one for its end
--- http_config
kuzzle_log logs/kuzzle.log;
--- ws
open a
a> {"controller":"server","action":"now","requestId":"one"}
a< {"status":200}
a> {"controller":"nobody","action":"nothing","requestId":"two"}
a< {"status":404}
a> {"p":1}
a< {"p":2}
a> not json
a< {"status":400}
close a
--- kuzzle_log
127\.0\.0\.1 "-1" \[.*\] "websocket server:now -/-/-" 200 \d+\.\d{3} - "one" [-0-9a-f]{36}
.* "websocket nobody:nothing -/-/-" 404 \d+\.\d{3} api.process.controller_not_found "two" [-0-9a-f]{36}
.* "websocket -:- -/-/-" 400 .* network.websocket.unexpected_error "-" [-0-9a-f]{36}
127\.0\.0\.1 "-" \[.*\] "websocket -:- session end" 1000 \d+\.\d{3} "closed by the client" queries=3 in=\d{3} out=\d{3,4} [-0-9a-f]{36}


=== TEST 3: all lines of a session have its id, another session another one
--- http_config
kuzzle_log_format ids '$kuzzle_event $kuzzle_session';
kuzzle_log logs/kuzzle.log ids;
--- ws
open a
open b
a> {"controller":"server","action":"now"}
a< {"status":200}
b> {"controller":"server","action":"now"}
b< {"status":200}
close a
close b
--- lines
my @l = await_lines('kuzzle.log', 4);
my %seen;
/^(\w+) ([-0-9a-f]{36})$/ and push @{$seen{$2}}, $1 for @l;
is(join(' ', map { join ',', @$_ } values %seen),
   'query,session query,session', 'two sessions');


=== TEST 4: why sessions end
--- http_config
kuzzle_log_format end '$kuzzle_event' session
    '$kuzzle_code $kuzzle_reason $kuzzle_queries $kuzzle_status';
kuzzle_log logs/kuzzle.log end;
kuzzle_max_request_size 1k;
--- ws
open a
a> close 4321 bye
a<close 4321
a<eof
open b
b> raw hex:8800
b<close 1002
drop b
sleep 0.1
open c
c> close
c<close 1005
c<eof
open d
drop d
sleep 0.1
open e
e> <<repeat:2000:x>>
e<close 1009
drop e
--- kuzzle_log
4321 closed by the client 0 -
1002 .*mask.* 0 -
1005 closed by the client 0 -
1006 connection lost 0 -
1009 .+ 0 -


=== TEST 5: a silent peer, a reload
--- http_config
kuzzle_log_format end '-' session '$kuzzle_code $kuzzle_reason';
kuzzle_log logs/kuzzle.log end;
kuzzle_heartbeat 150ms;
kuzzle_drain 100ms;
--- ws
open a auto=0
a<ping
a<gone
open b
reload
b<close 1001
b<eof
--- kuzzle_log
1006 silent
1001 server is going away


=== TEST 6: bytes are those of the socket, from the handshake to the end
--- http_config
kuzzle_log_format end '-' session '$kuzzle_bytes_in $kuzzle_bytes_out';
kuzzle_log logs/kuzzle.log end;
--- ws
open a + hello
a< {"status":400}
a> ping abcd
a<pong abcd
close a
--- lines
# hello in 11 bytes, ping 10, close 8; pong 6, close 4, and an answer
my ($in, $out) = (await_lines('kuzzle.log', 2))[1] =~ /^(\d+) (\d+)$/;
is($in, 11 + 10 + 8, 'in');
cmp_ok($out, '>', 100, 'out');


=== TEST 7: a client that leaves before its answer: 499, once
--- http_config
kuzzle_log_format short '$kuzzle_event $kuzzle_controller:$kuzzle_action $kuzzle_status';
kuzzle_log logs/kuzzle.log short;
--- ws
http POST /i/_create {} => 200
open a
stop writer
a> {"controller":"index","action":"create","index":"j"}
sleep 0.1
drop a
sleep 0.2
cont writer
http GET /i/_exists => 200
--- kills
--- kuzzle_log
query index:create 200
query index:create 499
session -:- -
query index:exists 200


=== TEST 8: off, inherited, replaced, two logs, if
--- http_config
kuzzle_log_format a 'a $kuzzle_action';
kuzzle_log_format b 'b $kuzzle_action';
kuzzle_log logs/kuzzle.log a;
--- config
location / {
    kuzzle;
}
location /_serverInfo {
    kuzzle;
    kuzzle_log off;
}
location /_now {
    kuzzle;
    if ($arg_quiet) {
        kuzzle_log off;
    }
}
location /i/ {
    kuzzle;
    kuzzle_log logs/kuzzle.log b;
    kuzzle_log logs/kuzzle.log a;
}
--- request eval
["GET /_healthCheck", "GET /_serverInfo", "GET /_now", "GET /_now?quiet=1",
 "POST /i/_create"]
--- error_code_like eval
['200|501', '200', '200', '200', '200']
--- kuzzle_log
a healthCheck
a now
b create
a create


=== TEST 9: without the directive there is no log
--- request
GET /_now
--- kuzzle_reply
{"status":200}
--- lines
ok(! -e server_root() . '/logs/kuzzle.log', 'no file');


=== TEST 10: what others write stays on its line and in its field
--- http_config
kuzzle_log_format plain '"$kuzzle_id" "$kuzzle_request_id" "$kuzzle_controller"';
kuzzle_log_format object escape=json
    '{"id":"$kuzzle_id","request":"$kuzzle_request_id",'
    '"controller":"$kuzzle_controller","status":$kuzzle_status,'
    '"index":"$kuzzle_index"}' session '{}';
kuzzle_log logs/kuzzle.log plain;
kuzzle_log logs/json.log object;
--- request eval
["GET /i/c/a%0a127.0.0.1%20%22-1%22%5c%00", "GET /i/c/%c3%a9%7f%1b[31m"]
--- error_code eval
[400, 412]
--- ws
open a
a> {"controller":"x\"\n\r\u0000\u001b","action":"y","requestId":"\\\"\n","_id":"\u00e9"}
a< {"status":404}
close a
--- lines
my @l = await_lines('kuzzle.log', 3);
is($l[0], '"\xC3\xA9\x7F\x1B[31m" "' . ($l[0] =~ /" "([-\w]{36})"/)[0]
   . '" "document"', 'of a URL');
is($l[1], '"\xC3\xA9" "\x5C\x22\x0A" "x\x22\x0A\x0D\x00\x1B"', 'of JSON');
is($l[2], '"-" "-" "-"', 'nothing');
my @j = await_lines('json.log', 3);
my @v = map { json_decode($_) } @j;
is($v[0]{id}, "\x{e9}\x7f\x1b[31m", 'json: id');
is($v[1]{controller}, "x\"\n\r\0\x1b", 'json: controller');
is($v[1]{request}, "\\\"\n", 'json: request id');
is($v[1]{index}, '', 'json: nothing');
is($v[1]{status}, 404, 'json: status');


=== TEST 11: of a long value 1024 bytes, without half a character
--- http_config
kuzzle_log_format id '$kuzzle_request_id';
kuzzle_log_format object escape=json '"$kuzzle_request_id"' session '1';
kuzzle_log logs/kuzzle.log id;
kuzzle_log logs/json.log object;
--- ws
open a
a> {"controller":"server","action":"now","requestId":"<<repeat:1024:x>>"}
a< {"status":200}
a> {"controller":"server","action":"now","requestId":"<<repeat:1025:x>>"}
a< {"status":200}
a> {"controller":"server","action":"now","requestId":"x<<repeat:2000:é>>"}
a< {"status":200}
a> {"controller":"server","action":"now","requestId":"<<repeat:5000:\n>>"}
a< {"status":200}
--- lines
my @l = await_lines('kuzzle.log', 4);
is(length $l[0], 1024, 'as it is');
is(length $l[1], 1024, 'cut');
is($l[2], 'x' . '\xC3\xA9' x 511, 'between characters');
is($l[3], '\x0A' x 1024, 'escaped');
my @j = await_lines('json.log', 4);
is(length json_decode("[$j[2]]")->[0], 512, 'json');


=== TEST 12: no token, no password, no body
--- http_config
kuzzle_log logs/kuzzle.log;
kuzzle_log_format all '$connection $kuzzle_action $kuzzle_bytes_in $kuzzle_bytes_out $kuzzle_code $kuzzle_collection $kuzzle_controller $kuzzle_error $kuzzle_event $kuzzle_id $kuzzle_index $kuzzle_protocol $kuzzle_queries $kuzzle_reason $kuzzle_request_id $kuzzle_session $kuzzle_status $kuzzle_time $kuzzle_user $msec $pid $remote_addr $time_iso8601 ${time_local}';
kuzzle_log logs/all.log all;
--- request eval
["POST /_login/local\n{\"username\":\"u\",\"password\":\"SECRET\"}",
 "GET /_now?jwt=SECRET", "GET /_now"]
--- more_headers
Authorization: Bearer SECRET
Cookie: authToken=SECRET
X-Kuzzle-Volatile: {"a":"SECRET"}
--- error_code_like eval
['^(401|500|501)$', '^(401|500)$', '^(401|500)$']
--- ws
open a
a> {"controller":"auth","action":"login","strategy":"local","body":{"password":"SECRET"},"jwt":"SECRET"}
a< {"status":401}
a> close 1000 SECRET
a<close 1000
a<eof
--- lines
my @l = (await_lines('kuzzle.log', 5), await_lines('all.log', 5));
is(@l, 10, 'lines');
ok(!grep(/SECRET/, @l), 'no secret');
like($l[5], qr/^\d+ \S+ - - - - \S+ \S+ query - - http - - \S+ - \d+ \d+\.\d{3} -1 \d+\.\d{3} \d+ 127\.0\.0\.1 \d{4}-\d\d-\d\dT[\d:]{8}[-+]\d\d:\d\d \d\d\/\w{3}\/.*/,
   'all tokens');


=== TEST 13: an unknown name is an error that names it
--- http_config
kuzzle_log_format wrong '$remote_addr $kuzzle_password';
--- must_die: 1
--- error_log
"kuzzle_log_format" knows no "$kuzzle_password"


=== TEST 14: so is a dollar without a name
--- http_config
kuzzle_log_format wrong '$remote_addr ${pid';
--- must_die: 1
--- error_log
"$" without a name


=== TEST 15: so is an unknown format
--- http_config
kuzzle_log logs/kuzzle.log nobody;
--- must_die: 1
--- error_log
unknown kuzzle_log_format "nobody"


=== TEST 16: so is a format of a name that is taken
--- http_config
kuzzle_log_format kuzzle 'x';
--- must_die: 1
--- error_log
duplicate kuzzle_log_format "kuzzle"


=== TEST 17: so is off among others
--- http_config
kuzzle_log logs/kuzzle.log;
kuzzle_log off;
--- must_die: 1
--- error_log
"kuzzle_log" directive off stands alone


=== TEST 18: so is a path with a variable
--- http_config
kuzzle_log logs/$host.log;
--- must_die: 1
--- error_log
needs the path of a file


=== TEST 19: so is a buffer of two sizes
--- http_config
kuzzle_log logs/kuzzle.log kuzzle buffer=8k;
kuzzle_log logs/kuzzle.log kuzzle buffer=4k;
--- must_die: 1
--- error_log
is a log with another buffer already


=== TEST 20: so is an access log's buffer of another size
--- http_config
kuzzle_log logs/kuzzle.log kuzzle buffer=8k;
access_log logs/kuzzle.log combined buffer=4k;
--- must_die: 1
--- error_log
conflicting parameters


=== TEST 21: so are an escape nobody knows, a wrong size, a wrong time
--- http_config
kuzzle_log_format x escape=none '$pid';
--- must_die: 1
--- error_log
unknown "escape=none"


=== TEST 22: flush without buffer
--- http_config
kuzzle_log logs/kuzzle.log kuzzle flush=1s;
--- must_die: 1
--- error_log
flush= without a buffer=


=== TEST 23: a wrong size
--- http_config
kuzzle_log logs/kuzzle.log kuzzle buffer=x;
--- must_die: 1
--- error_log
invalid parameter "buffer=x"


=== TEST 24: a buffer is written when it is full, and when nginx ends
--- http_config
kuzzle_log_format id '$kuzzle_id';
kuzzle_log logs/kuzzle.log id buffer=100;
--- lines
get("/i/c/$_" . 'x' x 28) for 0 .. 2;
is(lines('kuzzle.log'), 0, 'buffered');
get("/i/c/" . 'y' x 300) for 1 .. 2;
my @l = await_lines('kuzzle.log', 2);
ok(@l >= 2, 'the long ones are written');
kill QUIT => worker_pids();
@l = await_lines('kuzzle.log', 5);
is(@l, 5, 'all are, when the workers end');
--- kills


=== TEST 25: a buffer is written after the time of flush
--- http_config
kuzzle_log logs/kuzzle.log kuzzle buffer=64k flush=300ms;
--- lines
get('/_now');
sleep 0.05;
is(lines('kuzzle.log'), 0, 'buffered');
is(await_lines('kuzzle.log', 1), 1, 'written');
get('/_now');
is(await_lines('kuzzle.log', 2), 2, 'and again');


=== TEST 26: a buffer survives a reload, also with a timer
--- http_config
kuzzle_log logs/kuzzle.log kuzzle buffer=64k flush=10m;
--- lines
get('/_now') for 1 .. 3;
is(lines('kuzzle.log'), 0, 'buffered');
ok(Test::Nginx::Socket::server()->reload, 'reload');
is(await_lines('kuzzle.log', 3), 3, 'written');
get('/_now');
is(lines('kuzzle.log'), 3, 'buffered again');
--- needs_master


=== TEST 27: SIGUSR1: what was buffered goes to the old file, the rest to the new
--- http_config
kuzzle_log_format action '$kuzzle_action';
kuzzle_log logs/kuzzle.log action buffer=64k;
kuzzle_log logs/direct.log action;
--- lines
my $logs = server_root() . '/logs';
get('/_now');
rename "$logs/$_.log", "$logs/$_.old" for qw(kuzzle direct);
signal('USR1');
is(await_lines('kuzzle.old', 1), 1, 'the buffer is in the old file');
for (1 .. 100) { last if -e "$logs/direct.log"; sleep 0.02 }
sleep 0.3;
get('/_serverInfo');
is((await_lines('direct.log', 1))[0], 'info', 'the new file');
is(join(' ', lines('direct.old')), 'now', 'and nothing more in the old one');
is(lines('kuzzle.log'), 0, 'buffered again');
--- needs_master


=== TEST 28: a full disk is said once, and requests go on
--- http_config
kuzzle_log /dev/full;
--- lines
like(get('/_now'), qr/"status":200/, 'answered') for 1 .. 5;
sleep 1.1;
like(get('/_now'), qr/"status":200/, 'answered') for 1 .. 5;
my @said = grep { m{write\(\) to "/dev/full"} } lines('error.log');
my $workers = (() = worker_pids()) || 1;
ok(@said >= 1 && @said <= $workers, 'said once by each worker');


=== TEST 29: one file for us and for the access log, with one buffer
--- http_config
access_log logs/kuzzle.log combined buffer=8k;
kuzzle_log logs/kuzzle.log kuzzle buffer=8k;
--- lines
get('/_now');
is(lines('kuzzle.log'), 0, 'buffered');
ok(Test::Nginx::Socket::server()->reload, 'reload');
my @l = await_lines('kuzzle.log', 2);
is(@l, 2, 'two lines');
like($l[0], qr/"http server:now/, 'ours');
like($l[1], qr/"GET \/_now HTTP/, 'theirs');
--- needs_master


=== TEST 30: the address is the one realip has found, also in a WebSocket
--- http_config
set_real_ip_from 127.0.0.1;
real_ip_header X-Forwarded-For;
kuzzle_log_format address '$remote_addr $kuzzle_event' ;
kuzzle_log logs/kuzzle.log address;
--- ws
http header="X-Forwarded-For: 192.0.2.7" GET /_now => 200
open a header="X-Forwarded-For: 2001:db8::1"
a> {"controller":"server","action":"now"}
a< {"status":200}
close a
open b
b> {"controller":"server","action":"now"}
b< {"status":200}
close b
--- kuzzle_log
192\.0\.2\.7 query
2001:db8::1 query
2001:db8::1 session
127\.0\.0\.1 query
127\.0\.0\.1 session


=== TEST 31: times are in seconds, with milliseconds
--- http_config
kuzzle_log_format time '$kuzzle_time' session '$kuzzle_time';
kuzzle_log logs/kuzzle.log time;
--- ws
open a
stop writer
a> {"controller":"index","action":"create","index":"j"}
sleep 0.3
cont writer
a< {"status":200}
sleep 0.4
close a
--- kills
--- kuzzle_log
0\.[345]\d\d
(?:0\.[789]|1\.)\d+
