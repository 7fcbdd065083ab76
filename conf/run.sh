#!/bin/bash
#
# Runs nginx with the module in the foreground, with a prefix of its own:
# nothing below /etc/nginx is read or written.  Called by "make run".
#
#     PORT WORKERS DATA API   as in the README
#     LISTEN                  an address to listen on instead of loopback

set -e
ulimit -n "$(ulimit -Hn)"

prefix=$(mktemp -d "${TMPDIR:-/tmp}/kuzzle-run.XXXXXX")
trap 'rm -rf "$prefix"' EXIT
chmod 755 "$prefix"
mkdir -p "$prefix/logs" "$prefix/tmp"

mkdir -p "$DATA"
DATA=$(cd "$DATA" && pwd)

case $WORKERS in
    auto|[1-9]*) ;;
    *) echo "WORKERS=$WORKERS: a number or auto is needed" >&2; exit 1 ;;
esac

if [ -n "$LISTEN" ]; then
    listen="listen $LISTEN:$PORT;"
    shown=$LISTEN
else
    listen="listen 127.0.0.1:$PORT;"
    shown=localhost
    # Node tries ::1 first for "localhost"
    if grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; then
        listen="$listen listen [::1]:$PORT;"
    fi
fi

user=
if [ "$(id -u)" = 0 ]; then
    user='user root;'
fi

stream=
modules=$("$NGINX_BIN" -V 2>&1 | grep -o -- '--modules-path=[^ ]*' | cut -d= -f2)
if [ -e "$modules/ngx_stream_module.so" ]; then
    stream="load_module $modules/ngx_stream_module.so;"
fi

cat > "$prefix/nginx.conf" <<EOF
$stream
load_module $MODULE;
$user
daemon off;
worker_processes $WORKERS;
pid logs/nginx.pid;
error_log stderr notice;
events { worker_connections 16384; }
kuzzle { data "$DATA"; }
http {
    access_log off;
    kuzzle_drain 2s;
    kuzzle_shutdown on;
    client_body_temp_path tmp/body;
    proxy_temp_path tmp/proxy;
    fastcgi_temp_path tmp/fastcgi;
    uwsgi_temp_path tmp/uwsgi;
    scgi_temp_path tmp/scgi;
    server {
        $listen
        kuzzle_api $API;
        location / { kuzzle; }
    }
}
EOF

echo "kuzzle: http://$shown:$PORT/ (data in $DATA); Ctrl-C ends it"

"$NGINX_BIN" -p "$prefix/" -c nginx.conf -e stderr &
pid=$!
trap 'kill -TERM $pid 2>/dev/null' INT TERM

rc=0
while kill -0 $pid 2>/dev/null; do
    wait $pid && rc=0 || rc=$?
done

exit $rc
