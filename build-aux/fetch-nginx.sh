#!/bin/sh
# Fetches nginx's sources, of the version Debian packages, into DIR/nginx:
# for static and sanitizer builds.  Uses package lists of its own, so that the
# machine's stay as they are.
#
# usage: fetch-nginx.sh DIR

set -eu

dir=$1
[ -x "$dir/nginx/configure" ] && exit 0

mkdir -p "$dir/apt/parts" "$dir/apt/lists/partial"
dir=$(cd "$dir" && pwd)

for list in /etc/apt/sources.list.d/*.sources; do
    [ -f "$list" ] || continue
    sed 's/^Types:.*/Types: deb-src/' "$list" \
        > "$dir/apt/parts/$(basename "$list")"
done
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$list" ] || continue
    sed -n 's/^deb /deb-src /p' "$list" > "$dir/apt/parts/$(basename "$list")"
done

apt_get() {
    apt-get -q -o Dir::Etc::sourcelist=/dev/null \
        -o Dir::Etc::sourceparts="$dir/apt/parts" \
        -o Dir::State::lists="$dir/apt/lists" \
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
        -o APT::Sandbox::User=root "$@"
}

cd "$dir"
apt_get update > apt/log 2>&1 || true
apt_get source --download-only --tar-only nginx >> apt/log 2>&1 \
    || { cat apt/log >&2; exit 1; }

mkdir -p nginx.tmp
tar -xzf nginx_*.orig.tar.gz -C nginx.tmp --strip-components=1
mv nginx.tmp nginx
