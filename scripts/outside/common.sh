# Sourced first by each outside check: the program under test, the tools, a folder to work in.
#
# A check is an executable in this folder; its second line says what it proves. It exits 0 if that holds, 77 if its
# tools are not there (its last line says which), anything else if it fails. This file is not executable, so it
# is none.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

# What scripts/outside-tools installs comes before what the machine has.
tools=${BROWNOUT_TOOLS:-$root/target/outside}
export PATH="$tools/python/bin:$tools/node/node_modules/.bin:$PATH"
export NODE_PATH="$tools/node/node_modules"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# REASON: ends the check as left out.
left_out() {
    echo "$*"
    exit 77
}

# COMMAND PACKAGE: without it there is nothing to check with.
need() { command -v "$1" >/dev/null || left_out "$1 is not installed (package $2)"; }

# MODULE..: the same for Python.
need_python() {
    need python3 python3
    local module
    for module in "$@"; do
        python3 -c "import $module" 2>/dev/null || left_out "Python has no $module (package $module)"
    done
}

# MODULE..: the same for Node.
need_node() {
    need node nodejs
    local module
    for module in "$@"; do
        node -e "require('$module')" 2>/dev/null || left_out "Node has no $module (package $module)"
    done
}

# The program: $BROWNOUT, or built now. Call `need` first: nothing is built for a check that is left out.
brownout() {
    if [[ -z "${BROWNOUT:-}" ]]; then
        (cd "$root" && cargo build --quiet --release --locked)
        BROWNOUT=${CARGO_TARGET_DIR:-$root/target}/release/brownout
    fi
    "$BROWNOUT" "$@"
}
