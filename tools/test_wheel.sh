#!/usr/bin/env bash
# Tests a wheel twice: alone in a clean environment, where only its declared dependencies are, and with every tool of .tools/pyvenv.
#
#   tools/test_wheel.sh WHEEL [pytest options]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
wheel=$(realpath "$1")
shift
python=$root/.tools/pyvenv/bin/python
clean=$root/.tools/clean-venv
pip=(-m pip --quiet --disable-pip-version-check --no-input install)

"$("$python" -c 'import sys; print(sys._base_executable)')" -m venv --clear "$clean"
"$clean/bin/python" "${pip[@]}" "$wheel" </dev/null
# Not in the checkout, so that nothing but the wheel can be imported.
cd "$clean"
bin/python "$root/python/tests/clean_environment.py"

"$python" "${pip[@]}" --force-reinstall --no-deps "$wheel" </dev/null
cd "$root"
if "$python" -c 'import torch' 2>/dev/null; then
  exec "$python" -m pytest -q "$@"
elif [ -n "${CI:-}" ]; then
  echo "test_wheel: torch is missing, see tools/setup.sh python" >&2
  exit 1
fi
echo "test_wheel: no torch, vollo_torch is NOT tested (Debian package python3-torch)" >&2
exec "$python" -m pytest -q --ignore-glob='*/test_torch*' --ignore-glob='*/test_example*' "$@"
