#!/bin/sh
# Brings Debian's Chromium, with fonts for Chinese, where that is possible: as root, with apt-get.
# Never fails the run: the tests themselves say which peers were missing.
set -u

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then
        exit 0
    fi
done
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Chromium is not installed; the browser tests will be reported as missing." >&2
    exit 0
fi

echo "Installing Chromium for the browser tests."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install --yes --no-install-recommends \
        chromium fonts-noto-cjk fonts-noto-color-emoji; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "Chromium could not be installed; the browser tests will be reported as missing." >&2
fi
exit 0
