#!/bin/bash
# Set this machine up; make calls it and remembers what is done.
#
#   setup.sh system verilator|icarus|test   the compilers and libraries that make needs, through apt
#   setup.sh python                         .venv, with the packages of both lists of requirements
#
# PYTHON names the interpreter that .venv is made from: one of those for which the pins have wheels.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
pythons="3.11, 3.12, 3.13 or 3.14"
unserved="sys.exit(not (3, 11) <= sys.version_info < (3, 15))"

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

check_python() {
    command -v "$python" >/dev/null ||
        fail "Verbatim needs Python $pythons: there is no '$python' on PATH (PYTHON=... names another)."
    "$python" -c "import sys; $unserved" ||
        fail "Verbatim needs Python $pythons: '$python' is $("$python" -V) (PYTHON=... names another)."
}

has_header() {
    g++ -E -x c++ - <<<"#include <$1>" >/dev/null 2>&1
}

# cocotb loads the interpreter into the simulator, from a file that Debian packs apart.
has_libpython() {
    "$python" -c '
import pathlib, sys, sysconfig
folder, name = map(sysconfig.get_config_var, ("LIBDIR", "INSTSONAME"))
sys.exit(not pathlib.Path(folder, name).exists())'
}

# The packages, one a line, that a simulator (or "test", for all of them) needs and that are not here.
missing_packages() {
    local version
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    command -v g++ >/dev/null || echo g++
    command -v make >/dev/null || echo make
    perl -MPod::Usage -e 1 2>/dev/null || echo perl
    has_header zlib.h || echo zlib1g-dev
    has_header lz4.h || echo liblz4-dev
    "$python" -c 'import ensurepip' 2>/dev/null || echo "python$version-venv"
    has_libpython || echo "libpython$version"
    if [ "$1" != verilator ]; then
        command -v iverilog >/dev/null || echo iverilog
    fi
    if [ "$1" = test ]; then
        command -v ccache >/dev/null || echo ccache
        command -v chromium >/dev/null || echo chromium
        command -v tclsh >/dev/null || echo tcl
    fi
}

set_up_system() {
    local missing as_root=()
    check_python
    missing=$(missing_packages "$1" | paste -sd ' ')
    [ -n "$missing" ] || return 0

    if [ "$(id -u)" != 0 ]; then
        as_root=(sudo)
        sudo -n true 2>/dev/null || as_root=(none)
    fi
    if [ "${as_root[*]}" = none ] || ! command -v apt-get >/dev/null; then
        fail "Some system packages are missing. Install them, then run make again:

    sudo apt-get update && sudo apt-get install -y $missing"
    fi

    echo "Installing $missing"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    "${apt[@]}" update
    # shellcheck disable=SC2086  # one word a package
    "${apt[@]}" install -y --no-install-recommends $missing </dev/null

    missing=$(missing_packages "$1" | paste -sd ' ')
    [ -z "$missing" ] || fail "Still missing after their installation: $missing"
}

# A .venv that works is kept, also one made by hand. One whose set-up was cut short is made anew.
set_up_python() {
    check_python
    if [ -e .venv/unfinished ] ||
        ! .venv/bin/python -c "import pip, sys; $unserved" 2>/dev/null; then
        "$python" -m venv --clear .venv
    fi
    touch .venv/unfinished
    .venv/bin/python -m pip install --disable-pip-version-check --requirement requirements.txt
    .venv/bin/python -m pip install --disable-pip-version-check --no-deps --requirement requirements-alone.txt
    [ -n "$(.venv/bin/python -m find_libpython)" ] ||
        fail "cocotb needs Python as a shared library, which $(.venv/bin/python -V) comes without: build it with --enable-shared, or name another by PYTHON=... after 'make distclean'."
    rm .venv/unfinished
}

case "$*" in
    "system verilator" | "system icarus" | "system test") set_up_system "$2" ;;
    python) set_up_python ;;
    *) fail "usage: $0 system verilator|icarus|test, or $0 python" ;;
esac
