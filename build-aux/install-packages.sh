#!/bin/sh
# Installs the Debian packages named that are not there; nothing when all are.

set -u

missing=
for package; do
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)
    [ "$status" = 'install ok installed' ] || missing="$missing $package"
done

[ -n "$missing" ] || exit 0

echo "installing:$missing"

if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo >/dev/null 2>&1; then
    sudo='sudo -E'
else
    echo "These packages are missing; install them as root:" >&2
    echo "  apt-get install$missing" >&2
    exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$sudo apt-get update -q >/dev/null \
    || echo 'apt-get update failed; trying with the lists there are' >&2
# shellcheck disable=SC2086
$sudo apt-get install -q -y --no-install-recommends $missing >/dev/null \
    || { echo "apt-get could not install:$missing" >&2; exit 1; }
