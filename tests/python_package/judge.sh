#!/usr/bin/env bash
# The Python package as its users get it: a wheel that maturin builds, in a fresh environment.
#   judge.sh PYTHON COMMAND   a Python that has maturin, and the command `kinograd` that clips are held against
#   KINOGRAD_WHEEL            a wheel that is there already: then nothing is built
# Needs cargo, Python 3.10 or later with venv, and a network for PyPI.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
crate=$root/crates/kinograd-python
maturin=$1
export KINOGRAD_BINARY=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

wheel=${KINOGRAD_WHEEL:-}
if [ -z "$wheel" ]; then
  cargo clippy --release -p kinograd-python --all-targets -- -D warnings
  "$maturin" -m maturin build --release --manifest-path "$crate/Cargo.toml" -i "$maturin" -o "$folder/wheels"
  wheel=$(echo "$folder"/wheels/*.whl)
fi
[[ $wheel == *-cp310-abi3-* ]] || { echo "$wheel is not for every CPython from 3.10 on" >&2; exit 1; }
ls -l "$wheel"
python3 -m venv "$folder/venv"
python=$folder/venv/bin/python
"$python" -m pip install -q --disable-pip-version-check "$wheel" -r "$root/tests/python_package/requirements.txt"

# Not in the crate's folder: there `kinograd` would be the sources.
cd "$folder"
mkdir home && ln -s "$root/models" models
"$python" -m pytest -q -c "$crate/pyproject.toml" --rootdir "$crate" -p no:cacheprovider "$crate/tests"
"$python" -m mypy --config-file "$crate/pyproject.toml" -p kinograd
"$python" -m mypy --config-file "$crate/pyproject.toml" "$crate/tests"
for example in "$root"/examples/python/*.py; do
  "$python" -m mypy --config-file "$crate/pyproject.toml" "$example"
  echo "$ python $(basename "$example")"
  "$python" "$example"
done
test -s walk.glb
