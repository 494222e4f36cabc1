#!/usr/bin/env bash
# The C# binding and the Unity package by Mono: compiled with every warning an error, run against the real library.
#   judge.sh FOLDER LIBRARIES KINOGRAD   where assemblies go; where libkinograd_capi.so is; the command
# Needs mcs and mono (Debian: mono-mcs mono-runtime), which it installs where apt-get is there and may, and python3.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
libraries=$(cd "$2" && pwd)
binary=$(realpath "$3")
if ! command -v mcs >/dev/null || ! command -v mono >/dev/null; then
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || { echo "needs mcs and mono" >&2; exit 1; }
  apt-get update -q >/dev/null
  apt-get install -y -q --no-install-recommends mono-mcs mono-runtime >/dev/null
fi
mono --version | head -n 1

# compile NAME KIND FLAG... : C# 7.2, the newest below 7.3 that Mono's compiler knows by name.
compile() {
  local name=$1 kind=$2
  shift 2
  mcs -langversion:7.2 -warnaserror -warn:4 -debug -target:"$kind" -lib:"$folder/bin" "$@" \
    -out:"$folder/bin/$name.$([ "$kind" = exe ] && echo exe || echo dll)"
}
sources() { find "$@" -name '*.cs' | sort; }

rm -rf "$folder/bin" "$folder/scratch" "$folder/package"
mkdir -p "$folder/bin" "$folder/scratch"
csharp=$root/bindings/csharp
unity=$root/bindings/unity

# The package as its users get it: what is compiled here is what Unity would compile.
python3 "$unity/pack.py" "$folder/package" \
  --library "x86_64-unknown-linux-gnu=$libraries/libkinograd_capi.so" --model "$root/models/motion-base"
python3 "$unity/tests/package.py" "$folder/package"/*.tgz
tar -C "$folder/package" -xzf "$folder/package"/*.tgz
package=$folder/package/package

echo "C#:"
# -doc makes a public member without documentation an error.
mapfile -t files < <(sources "$csharp/Kinograd")
compile Kinograd library -unsafe -doc:"$folder/bin/Kinograd.xml" "${files[@]}"
mapfile -t files < <(sources "$csharp/tests")
compile Kinograd.Tests exe -r:Kinograd.dll "${files[@]}"

echo "the Unity package, with declarations in Unity's place:"
compile UnityStubs library "$unity/tests/UnityStubs.cs"
mkdir -p "$folder/bin/unity"
mapfile -t files < <(sources "$package/Runtime")
compile unity/Kinograd library -unsafe -doc:"$folder/bin/unity/Kinograd.xml" -r:UnityStubs.dll "${files[@]}"
mapfile -t files < <(sources "$package/Editor")
# The fields of a window are set by Unity.
compile unity/Kinograd.Editor library -nowarn:649 -r:UnityStubs.dll -r:unity/Kinograd.dll "${files[@]}"
for sample in "$package"/Samples~/*/; do
  mapfile -t files < <(sources "$sample")
  compile "unity/$(basename "$sample")" library -nowarn:649 -r:UnityStubs.dll -r:unity/Kinograd.dll "${files[@]}"
done
compile unity/Kinograd.UnityTests exe -r:UnityStubs.dll -r:unity/Kinograd.dll \
  "$csharp/tests/Runner.cs" "$csharp/tests/Files.cs" "$unity/tests/HumanoidTests.cs"
cp "$folder/bin/UnityStubs.dll" "$folder/bin/unity/"

export LD_LIBRARY_PATH=$libraries KINOGRAD_MODELS=$root/models KINOGRAD_REPOSITORY=$root
export KINOGRAD_SCRATCH=$folder/scratch KINOGRAD_BINARY=$binary
# The built-in engine on every machine: no ONNX Runtime is in this cache.
export KINOGRAD_CACHE=$folder/cache
unset ORT_DYLIB_PATH
cd "$folder"
mono --debug bin/Kinograd.Tests.exe
mono --debug bin/unity/Kinograd.UnityTests.exe

echo "the guide's programs:"
python3 "$root/tests/csharp/guide.py" "$root/docs/csharp.md" "$folder/bin/guide"
for program in "$folder"/bin/guide/*.cs; do
  name=$(basename "$program" .cs)
  compile "guide/$name" exe -r:Kinograd.dll "$program"
  cp bin/Kinograd.dll bin/guide/
  (cd scratch && mono --debug "../bin/guide/$name.exe")
done
