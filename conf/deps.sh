#!/bin/bash
#
# Installs the Debian packages that are missing, with sudo when not root.
#
#     conf/deps.sh build|test

set -e

build='nginx nginx-dev libnginx-mod-stream gcc make libc6-dev
       libsqlite3-dev libssl-dev libpcre2-dev zlib1g-dev'
test='libjansson-dev perl curl sqlite3 nodejs npm valgrind clang
      libclang-rt-14-dev openssl python3 python3-prometheus-client'

want=$build
if [ "$1" = test ]; then
    want=$test
fi

missing=
for p in $want; do
    # a node or clang from elsewhere does as well
    case $p in
    nodejs) command -v node >/dev/null && continue ;;
    npm|clang|perl|curl|openssl) command -v "$p" >/dev/null && continue ;;
    esac
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null \
        | grep -q 'install ok installed' || missing="$missing $p"
done

[ -z "$missing" ] && exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
    sudo=sudo
fi

echo "installing:$missing"

export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq || true

# the package would start a server of its own on port 80; it is not needed
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
    $sudo chmod +x $policy
    made=1
fi

rc=0
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null || rc=$?

if [ -n "$made" ]; then
    $sudo rm -f $policy
fi

exit $rc
