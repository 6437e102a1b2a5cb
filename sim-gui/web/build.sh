#!/bin/bash
# Builds the window as a web page: static files in target/web, to be served by anything.
#
#   sim-gui/web/build.sh && python3 -m http.server --directory target/web
#
# Needs the WebAssembly target (rustup target add wasm32-unknown-unknown) and wasm-bindgen of the
# version in Cargo.lock; the latter is installed when it is missing. Fails when the page would
# travel as more than 3 MB.
set -euo pipefail
cd "$(dirname "$0")/../.."

limit=3000000
out="${1:-target/web}"
tools="${STAMPEDE_TOOLS:-$PWD/target/tools}"
version=$(grep -A1 '^name = "wasm-bindgen"$' Cargo.lock | sed -n 's/^version = "\(.*\)"$/\1/p')

if ! rustup target list --installed 2>/dev/null | grep -q '^wasm32-unknown-unknown$'; then
    rustup target add wasm32-unknown-unknown
fi
bindgen="$tools/bin/wasm-bindgen"
if ! "$bindgen" --version 2>/dev/null | grep -q " $version\$"; then
    cargo install wasm-bindgen-cli --version "$version" --root "$tools"
fi

cargo build --target wasm32-unknown-unknown --profile web -p sim-gui --bin sim-gui
built="${CARGO_TARGET_DIR:-target}/wasm32-unknown-unknown/web/sim-gui.wasm"

rm -rf "$out"
mkdir -p "$out"
"$bindgen" "$built" --out-dir "$out" --out-name stampede --target web --no-typescript
cp sim-gui/web/index.html "$out/"

size=$(cat "$out"/* | gzip -9 | wc -c)
echo "the page is in $out: $size bytes when compressed"
if [ "$size" -gt "$limit" ]; then
    echo "that is more than $limit" >&2
    exit 1
fi
