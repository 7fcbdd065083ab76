# "make install" into an empty root, and a stock nginx.conf that uses it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use File::Path 'make_path';
use File::Temp 'tempdir';
use IO::Socket::INET;
use Test::Nginx::Server;
use Time::HiRes qw(sleep time);

my $nginx = '/usr/sbin/nginx';
plan skip_all => 'needs the Debian layout of nginx'
    unless -x $nginx && -d '/etc/nginx/modules-enabled';

my $root = tempdir('kuzzle-install.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $root;

my $build = $ENV{KZ_UNIT_DIR} ? $ENV{KZ_UNIT_DIR} =~ s{/unit$}{}r : 'build';
my $make = qx(make -s BUILD=\$(cd $build && pwd) install DESTDIR=$root 2>&1);
is($?, 0, 'make install') or diag($make);

my ($modules) = qx($nginx -V 2>&1) =~ /--modules-path=(\S+)/;
my $so = "$root$modules/ngx_kuzzle_module.so";
my $conf = "$root/etc/nginx/modules-enabled/60-mod-kuzzle.conf";

ok(-f $so, 'the module is in the modules directory');
ok(-f $conf, 'its load_module line is beside the others');

my @others = glob '/etc/nginx/modules-enabled/*.conf';
my @sorted = sort map { s{.*/}{}r } @others, $conf;
my ($stream) = grep { $sorted[$_] =~ /mod-stream\.conf/ } 0 .. $#sorted;
my ($ours) = grep { $sorted[$_] =~ /kuzzle/ } 0 .. $#sorted;
ok(!defined $stream || $ours > $stream, 'it sorts after the stream module');

# Debian's own nginx.conf with nothing changed but the paths it writes to

my $port = Test::Nginx::Server::free_port();
make_path(map { "$root/$_" } qw(prefix/modules log tmp sites conf.d data));

symlink $_, "$root/prefix/modules/" . s{.*/}{}r
    for grep { !/kuzzle/ } glob "$modules/*.so";
symlink $so, "$root/prefix/modules/ngx_kuzzle_module.so";
symlink readlink($_) || $_, "$root/etc/nginx/modules-enabled/" . s{.*/}{}r
    for grep { !/kuzzle/ } @others;

open my $fh, '<', '/etc/nginx/nginx.conf' or die $!;
my $stock = do { local $/; <$fh> };
$stock =~ s{/run/nginx\.pid}{$root/nginx.pid};
$stock =~ s{/var/log/nginx}{$root/log}g;
$stock =~ s{/etc/nginx/modules-enabled}{$root/etc/nginx/modules-enabled}g;
$stock =~ s{/etc/nginx/sites-enabled}{$root/sites}g;
$stock =~ s{/etc/nginx/conf\.d}{$root/conf.d}g;
$stock =~ s{^user .*}{}m if $> != 0;
$stock =~ s{^user .*}{user nobody nogroup;}m if $> == 0;
my $temp = join '', map { "    ${_}_temp_path $root/tmp/$_;\n" }
    qw(client_body proxy fastcgi uwsgi scgi);
$stock =~ s/^(http \{\n)/$1$temp/m;

spew("$root/nginx.conf", "$stock\nkuzzle { data $root/data/kuzzle; }\n");
spew("$root/conf.d/kuzzle.conf", <<"END");
server {
    listen 127.0.0.1:$port;
    location / { kuzzle; }
}
END
chown((getpwnam 'nobody')[2, 3], "$root/data") if $> == 0;

my @command = ($nginx, '-p', "$root/prefix/", '-c', "$root/nginx.conf",
    '-e', "$root/log/error.log", '-g', 'daemon off;');

my $test = qx(@command[0 .. 6] -t 2>&1);
like($test, qr/test is successful/, 'nginx -t') or diag($test);

my $pid = fork;
if (!$pid) {
    exec @command;
    die $!;
}

my $reply = '';
for (my $end = time + 5; time < $end && $reply !~ /200 OK/; sleep 0.05) {
    $reply = qx(curl -s -i -m 3 http://127.0.0.1:$port/_now);
}
like($reply, qr/200 OK.*"now":\d+/s, 'it answers')
    or diag(slurp("$root/log/error.log"));

my $created = qx(curl -s -m 5 -X POST http://127.0.0.1:$port/nyc/_create);
like($created, qr/"acknowledged":true/, 'and stores')
    or diag($created, slurp("$root/log/error.log"));

kill QUIT => $pid;
waitpid $pid, 0;
is($?, 0, 'clean exit');

unlike(slurp("$root/log/error.log"), qr/\[(alert|emerg|crit)\]/, 'clean log');

done_testing();

sub slurp {
    open my $fh, '<', $_[0] or return "$_[0]: $!";
    local $/;
    return scalar <$fh>;
}

sub spew {
    open my $fh, '>', $_[0] or die "$_[0]: $!";
    print $fh $_[1];
    close $fh or die $!;
}
