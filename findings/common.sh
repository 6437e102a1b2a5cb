# shellcheck shell=bash
# Helpers of the scripts in this folder. A script sources this file first.
#
# What a script promises:
#   exit 0  the behaviour in its header was seen again
#   exit 1  something else was seen ("CHANGED"): the finding no longer holds
#   exit 2  it could not be run here ("CANNOT RUN"), nothing is said about it
#
# Everything is installed and written under one temporary folder, servers
# listen on 127.0.0.1 only, and both are gone when the script ends.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")
pids=()

cleanup() {
    local pid
    for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
    for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '%s\n' "$*"; }
cannot() { printf 'CANNOT RUN: %s\n' "$*" >&2; exit 2; }

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || cannot "$tool is not installed"
    done
}

# pip_install NAME==VERSION ...   into a virtual environment of this run
pip_install() {
    need python3
    python3 -m venv "$work/venv" >"$work/venv.log" 2>&1 || cannot "python3 has no venv module"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@" \
        >"$work/pip.log" 2>&1 || cannot "pip could not install $*"
    python="$work/venv/bin/python"
}

# npm_install NAME@VERSION ...   into a folder of this run
npm_install() {
    need node npm
    mkdir -p "$work/npm"
    (cd "$work/npm" && printf '{"private":true}\n' >package.json &&
        npm install --silent --no-audit --no-fund --ignore-scripts "$@") \
        >"$work/npm.log" 2>&1 || cannot "npm could not install $*"
}

# deb_unpack PACKAGE=VERSION SUITE   Debian's package, unpacked into a folder of this run; nothing is installed
deb_unpack() {
    need apt-get dpkg
    local folder="$work/deb" site
    mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
    # shellcheck disable=SC2016
    site=$(apt-get indextargets --format '$(SITE)' | grep -v security | head -n 1)
    [ -n "$site" ] || cannot "apt has no sources here"
    say "deb $site $2 main" >"$folder/sources.list"
    {
        say "Dir::Etc::sourcelist \"$folder/sources.list\";" 'Dir::Etc::sourceparts "-";'
        say "Dir::State::lists \"$folder/lists\";" "Dir::Cache \"$folder/cache\";"
    } >"$folder/apt.conf"
    (
        cd "$folder"
        export APT_CONFIG="$folder/apt.conf"
        apt-get -qq update
        apt-get -qq download "$1"
        dpkg -x ./*.deb .
    ) >"$work/deb.log" 2>&1 || cannot "apt could not fetch $1"
}

# installed_file PATTERN   the first file of the virtual environment like that
installed_file() {
    local found
    found=$(find "$work/venv" -type f -path "$1" | head -n 1)
    [ -n "$found" ] || cannot "no file like $1 in the installed package"
    printf '%s\n' "$found"
}

# free_ports N   N ports that nobody listens on just now, on one line
free_ports() {
    python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in held])
PY
}

# start LOG COMMAND ...   in the background; its pid is in $started
start() {
    local log=$1
    shift
    "$@" >"$work/$log" 2>"$work/$log.err" &
    started=$!
    pids+=("$started")
}

stop() { kill "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }

# wait_port PORT   until something listens there, 20 seconds at most
wait_port() {
    local i
    for ((i = 0; i < 200; i++)); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return 0; fi
        sleep 0.1
    done
    cannot "nothing listens on port $1 after 20 seconds: $(tail -n 3 "$work"/*.err 2>/dev/null)"
}

# backend LOG NAME:PORT[:DELAY[:STATUS]] ...   see backend.py
backend() {
    local log=$1 spec port
    shift
    start "$log" "${python:-python3}" -u "$here/backend.py" "$@"
    for spec in "$@"; do
        [[ $spec == --* ]] && continue
        port=${spec#*:}
        wait_port "${port%%:*}"
    done
}
