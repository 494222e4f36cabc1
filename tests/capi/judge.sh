#!/usr/bin/env bash
# The C library as its users get it: installed by cargo-c, found by pkg-config and CMake, its programs under valgrind.
#   judge.sh FOLDER   where the installation and the programs go
#   KINOGRAD_PROFILE  how the library is built (release)
# Needs cargo-c, cc, c++, pkg-config, cmake and valgrind.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
prefix=$folder/prefix
examples=$root/examples/capi
rm -rf "$prefix" "$folder/build"

(cd "$root" && cargo cinstall --profile "${KINOGRAD_PROFILE:-release}" -p kinograd-capi --prefix "$prefix" --libdir "$prefix/lib" --target-dir "$folder/target")
(cd "$prefix" && find . -type f -o -type l) | sort
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib KINOGRAD_MODELS=$root/models
# The built-in engine on every machine: no ONNX Runtime is in this cache.
export KINOGRAD_CACHE=$folder/cache
unset ORT_DYLIB_PATH

flags=$(pkg-config --cflags --libs kinograd)
echo "pkg-config: $(pkg-config --modversion kinograd)"
strict="-Wall -Wextra -Wpedantic -Werror -g"
# shellcheck disable=SC2086
{
  cc -std=c99 $strict "$examples/walk.c" $flags -o "$folder/walk"
  cc -std=c99 $strict "$examples/game_loop.c" $flags -o "$folder/game_loop"
  c++ -std=c++17 $strict "$examples/walk.cpp" $flags -o "$folder/walk_cpp"
}

echo "CMake:"
cmake -S "$examples" -B "$folder/build" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$folder/build" --parallel 2
(cd "$folder" && build/walk_cpp "$root/assets/characters/small.glb" && build/walk && test -s walk.glb && test -s on_rig.glb)

echo "valgrind:"
cd "$folder"
for program in game_loop walk "walk_cpp $root/assets/characters/small.glb"; do
  # Memory that threads of a pool still hold at the end is reachable; what nobody holds is lost.
  # shellcheck disable=SC2086
  valgrind --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --error-exitcode=9 \
    --log-file="$folder/valgrind.txt" "$folder/"$program || { cat "$folder/valgrind.txt"; exit 1; }
  grep -E 'definitely lost|no leaks|ERROR SUMMARY' "$folder/valgrind.txt" | sed "s/^==[0-9]*==/  ${program%% *}:/"
done
