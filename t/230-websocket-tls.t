# WebSocket over TLS, with node as the client.

use strict;
use warnings;

use File::Temp 'tempdir';
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;

my $clients = "$FindBin::Bin/clients";
my $dir = tempdir(CLEANUP => 1);

BEGIN {
    my $clients = "$FindBin::Bin/clients";

    plan(skip_all => 'openssl is missing')
        if system('openssl version >/dev/null 2>&1') != 0;
    plan(skip_all => 'node with the package ws is missing')
        if system("cd $clients && node -e 'require(\"ws\")' 2>/dev/null") != 0;
}

use Test::Nginx::Kuzzle;

system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1"
    . " -nodes -days 2 -subj /CN=localhost -keyout $dir/key.pem"
    . " -out $dir/cert.pem >/dev/null 2>&1") == 0
    or die "no certificate\n";

# The same locations on a second port, with TLS.

add_block_preprocessor(sub {
    my ($block) = @_;
    my $http = defined $block->http_config ? $block->http_config : '';

    $block->set_value('http_config', $http . <<"END");
server {
    listen 127.0.0.1:\$TEST_NGINX_RAND_PORT_1 ssl;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate $dir/cert.pem;
    ssl_certificate_key $dir/key.pem;
    location / {
        kuzzle;
    }
}
END
});

# A section "tls" runs a part of clients/tls.js.

Test::Nginx::Socket::add_block_action(tls => sub {
    my ($block, $server) = @_;

    my $output = join ' ', 'node', "$clients/tls.js", $server->extra_port(1),
        $block->tls =~ s/\s+//gr, master_pid(), '2>&1';
    $output = qx($output);

    ok($? == 0 && $output =~ /^1\.\.\d+$/m, $block->name . ' - tls')
        or diag($output);
});

run_tests();

__DATA__

=== TEST 1: an answer, a notification, an orderly end, with TLS 1.2 and 1.3
--- tls: messages


=== TEST 2: frames in the record of the handshake, in the next, byte by byte
--- tls: first


=== TEST 3: messages of many records, a reader that comes late
--- http_config
kuzzle_send_queue 20m;
--- tls: large


=== TEST 4: ends: close frame, violation, reset, half a handshake
--- tls: ends


=== TEST 5: heartbeat
--- http_config
kuzzle_heartbeat 300ms;
--- tls: heartbeat


=== TEST 6: a reload: served until kuzzle_drain is over, then 1001
--- http_config
kuzzle_drain 1500ms;
--- needs_master
--- tls: reload
