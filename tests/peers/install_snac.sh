#!/bin/sh
# Brings snac2, a small fediverse server, out of Debian's backports into .venv, where that is
# possible: from the mirrors that this machine's own package sources name. It is unpacked, not
# installed: no service starts and nothing outside of .venv changes.
# Never fails the run: the tests themselves say which peers were missing.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
home="$root/.venv/snac2"
if command -v snac >/dev/null 2>&1 || "$home/usr/bin/snac" 2>&1 | grep -q '^snac '; then
    exit 0
fi
sorry() {
    echo "snac2 $1; the fediverse tests will be reported as missing." >&2
    exit 0
}
for tool in apt-get dpkg-deb awk; do
    command -v "$tool" >/dev/null 2>&1 || sorry "is not installed and there is no $tool to get it"
done
[ -r /etc/os-release ] && . /etc/os-release
[ -n "${VERSION_CODENAME:-}" ] || sorry "cannot be had: this system names no release"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/sources" "$tmp/lists/partial" "$tmp/cache/archives/partial"
# The stanzas, and the lines, of the release's own archive, once more for its backports.
suite="$VERSION_CODENAME-backports"
for file in /etc/apt/sources.list.d/*.sources; do
    [ -r "$file" ] || continue
    awk -v release="$VERSION_CODENAME" -v suite="$suite" '
        BEGIN { RS = ""; FS = "\n" }
        {
            stanza = ""; wanted = 0
            for (i = 1; i <= NF; i++) {
                line = $i
                if (line ~ /^Suites:/) {
                    count = split(line, words, /[ \t]+/)
                    for (j = 2; j <= count; j++) if (words[j] == release) wanted = 1
                    line = "Suites: " release " " suite
                }
                stanza = stanza line "\n"
            }
            if (wanted) printf "%s\n", stanza
        }' "$file" >>"$tmp/sources/own.sources"
done
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -r "$file" ] || continue
    awk -v release="$VERSION_CODENAME" -v suite="$suite" '
        $1 == "deb" {
            for (i = 2; i <= NF; i++) if ($i == release) { print; $i = suite; print; next }
        }' "$file" >>"$tmp/sources/own.list"
done

echo "Getting snac2 for the fediverse tests."
apt() {
    apt-get -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$tmp/sources" \
        -o "Dir::State::lists=$tmp/lists" -o "Dir::Cache=$tmp/cache" "$@"
}
# apt's own helper user must be able to write there.
chmod 755 "$tmp"
if ! { apt update && cd "$tmp" && apt download snac2; } >"$tmp/log" 2>&1; then
    tail -n 3 "$tmp/log" >&2
    sorry "could not be downloaded"
fi
rm -rf "$home"
mkdir -p "$home"
dpkg-deb -x "$tmp"/snac2_*.deb "$home" || sorry "could not be unpacked"
"$home/usr/bin/snac" 2>&1 | grep -q '^snac ' || sorry "does not run here"
exit 0
