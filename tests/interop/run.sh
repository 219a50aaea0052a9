#!/usr/bin/env bash
# The official clients against the emulator server and beside our client; see README.md.
#
# $PYTHON is the interpreter of a virtual environment, $INTEROP_DIR the folder for what is installed; both
# have defaults under target/. What is missing is installed from the package registries; nothing else needs
# a network.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
cd "$root"

target="${CARGO_TARGET_DIR:-$root/target}"
folder="${INTEROP_DIR:-$target/interop}"
python="${PYTHON:-$folder/venv/bin/python}"
mkdir -p "$folder"
install_python() {
    if [ ! -x "$python" ]; then
        python3 -m venv "$folder/venv" || return 1
        python="$folder/venv/bin/python"
    fi
    "$python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
}
install_node() {
    if [ -n "${CI:-}" ] && ! command -v npm >/dev/null && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq nodejs npm
    fi
    command -v node >/dev/null && command -v npm >/dev/null || return 1
    mkdir -p "$folder/node"
    cp "$here/package.json" "$folder/node/package.json"
    npm install --prefix "$folder/node" --no-package-lock --no-audit --no-fund --ignore-scripts --silent
}
# 77 says "skipped": what is not there can not be compared with.
install_python || exit 77
modules=()
if install_node; then
    modules=(--modules "$folder/node/node_modules")
else
    echo "interop: skipped ali-oss, because node or npm is missing or its packages are out of reach"
fi

"${CARGO:-cargo}" build --quiet -p oss-sim --bin interop
PYTHONDONTWRITEBYTECODE=1 "$python" "$here/main.py" "$target/debug/interop" "${modules[@]}" "$@"
