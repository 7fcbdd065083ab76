#!/bin/bash
#
# The suite under AddressSanitizer and UndefinedBehaviorSanitizer.
#
# nginx itself is built from Debian's source of the installed version, with
# every pool allocation a malloc of its own (NGX_DEBUG_PALLOC), so that an
# overrun inside a pool is seen.  When the source cannot be had, the module
# alone is built with the sanitizers and loaded into the installed nginx.
#
#     t/sanitize.sh [t/file.t ...]

set -e
cd "$(dirname "$0")/.."

top=$PWD
out=${BUILD:-$top/build}/sanitize
mkdir -p "$out"

flags='-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined
       -fno-sanitize=alignment,nonnull-attribute,pointer-overflow
       -DNGX_DEBUG_PALLOC=1 -Wno-error'
flags=$(echo $flags)

version=$(/usr/sbin/nginx -v 2>&1 | sed 's|.*/\([0-9.]*\).*|\1|')
tarball=$out/nginx_$version.orig.tar.gz

fetch() {
    mkdir -p "$out/apt/lists/partial" "$out/apt/sources"
    for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$f" ] && sed -n 's/^deb /deb-src /p' "$f" \
            > "$out/apt/sources/$(basename "$f")"
    done
    for f in /etc/apt/sources.list.d/*.sources; do
        [ -f "$f" ] && sed 's/^Types:.*/Types: deb-src/' "$f" \
            > "$out/apt/sources/$(basename "$f")"
    done
    local o="-o Dir::Etc::sourcelist=/dev/null
             -o Dir::Etc::sourceparts=$out/apt/sources
             -o Dir::State::lists=$out/apt/lists"
    apt-get $o update -qq || return 1
    # the archive may have replaced the packaging, the tarball is what counts
    (cd "$out" && apt-get $o source --download-only nginx) || true
    [ -f "$tarball" ]
}

if [ ! -x "$out/nginx/objs/nginx" ] && { [ -f "$tarball" ] || fetch; }; then
    rm -rf "$out/nginx"
    mkdir "$out/nginx"
    tar -xzf "$tarball" -C "$out/nginx" --strip-components 1
    (cd "$out/nginx" && ./configure --with-compat --with-debug --with-threads \
        --with-http_ssl_module --with-http_v2_module --with-stream=dynamic \
        --with-http_auth_request_module --with-http_realip_module \
        --with-http_gunzip_module --with-http_sub_module \
        --with-cc-opt="$flags" --with-ld-opt='-fsanitize=address,undefined' \
        --add-dynamic-module="$top" > configure.log)
fi

# UBSan speaks of nginx's own habits too: only what is in src/ counts
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=0:log_path=$out/ubsan
export ASAN_OPTIONS=detect_odr_violation=0:detect_leaks=0:abort_on_error=1
export KZ_SLOW=4
rm -f "$out"/ubsan.*

if [ -f "$out/nginx/objs/Makefile" ]; then
    make -s -C "$out/nginx" -j2 build modules > "$out/build.log" 2>&1 \
        || { tail -50 "$out/build.log"; exit 1; }
    export TEST_NGINX_BINARY=$out/nginx/objs/nginx
    export TEST_NGINX_MODULE=$out/nginx/objs/ngx_kuzzle_module.so
    export TEST_NGINX_STREAM_MODULE=$out/nginx/objs/ngx_stream_module.so
else
    echo 'no source of nginx: sanitizing the module alone'
    make -s BUILD="$out/module" CFLAGS_KZ="$flags -fPIC" LDFLAGS_KZ=-lasan
    export TEST_NGINX_MODULE=$out/module/ngx_kuzzle_module.so
    export LD_PRELOAD=$(gcc -print-file-name=libasan.so)
fi

make -s -C t/unit OBJS="${BUILD:-$top/build}/objs" BUILD="$out/unit" sanitize

# what has its own binary, or measures the installed one, is left out
tests=("$@")
if [ ${#tests[@]} = 0 ]; then
    tests=($(ls t/*.t | grep -v -e 020-install -e 030-run -e 000-unit))
fi

rc=0
prove -It/lib "${tests[@]}" || rc=$?

if grep -l "$top/src" "$out"/ubsan.* 2>/dev/null; then
    grep -h 'runtime error' "$out"/ubsan.* | grep "$top" | sort | uniq -c
    rc=1
fi

exit $rc
