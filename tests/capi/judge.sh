#!/usr/bin/env bash
# The C library as its users get it: installed by cargo-c, found by pkg-config and CMake, its programs under sanitizers
# and valgrind.
#   judge.sh FOLDER   where the installation and the programs go
#   KINOGRAD_PREFIX   an installation of the library that is there already: then nothing is built
# Needs cargo-c, cc, c++, pkg-config, cmake and valgrind.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
prefix=${KINOGRAD_PREFIX:-$folder/prefix}
examples=$root/examples/capi
character=$root/assets/characters/small.glb
clip=$root/assets/clips/walk_mixamo_cm.bvh
rm -rf "$folder/build"

if [ -z "${KINOGRAD_PREFIX:-}" ]; then
  rm -rf "$prefix"
  (cd "$root" && cargo cinstall --release -p kinograd-capi --prefix "$prefix" --libdir "$prefix/lib" --target-dir "$folder/target")
fi
(cd "$prefix" && find . -type f -o -type l) | sort
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib KINOGRAD_MODELS=$root/models
# The built-in engine on every machine: no ONNX Runtime is in this cache.
export KINOGRAD_CACHE=$folder/cache
unset ORT_DYLIB_PATH
cd "$folder"

# compile PREFIX-OF-THE-PROGRAMS FLAG... : the examples by plain compilers, every warning an error.
compile() {
  local name=$1
  shift
  local strict=(-Wall -Wextra -Wpedantic -Werror -g "$@") found
  read -ra found <<<"$(pkg-config --cflags --libs kinograd)"
  cc -std=c99 "${strict[@]}" "$examples/walk.c" "${found[@]}" -o "$name-walk"
  cc -std=c99 "${strict[@]}" "$examples/game_loop.c" "${found[@]}" -o "$name-game_loop"
  cc -std=c99 "${strict[@]}" "$examples/convert.c" "${found[@]}" -o "$name-convert"
  c++ -std=c++17 "${strict[@]}" "$examples/walk.cpp" "${found[@]}" -o "$name-walk_cpp"
}

echo "pkg-config: $(pkg-config --modversion kinograd)"
compile plain

echo "CMake:"
cmake -S "$examples" -B build -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build build --parallel 2
rm -f walk.glb on_rig.glb
build/walk_cpp "$character"
build/walk
test -s walk.glb
test -s on_rig.glb

echo "address, leak and undefined-behaviour sanitizers:"
compile sanitized -fsanitize=address,undefined -fno-sanitize-recover=all
./sanitized-game_loop
./sanitized-walk
./sanitized-convert "$clip" "$character" out.glb
./sanitized-walk_cpp "$character"

echo "valgrind:"
for program in "convert $clip $character out.glb" game_loop walk "walk_cpp $character"; do
  # What threads of a pool hold at the end is reachable; what nobody holds is lost.
  # shellcheck disable=SC2086
  valgrind --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --error-exitcode=9 \
    --log-file=valgrind.txt ./plain-$program || { cat valgrind.txt; exit 1; }
  grep -E 'definitely lost|no leaks|ERROR SUMMARY' valgrind.txt | sed "s/^==[0-9]*==/  ${program%% *}:/"
done
