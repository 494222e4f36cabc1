"""Damages the cache between runs: the clip stays the same to the byte."""

import os
import shutil
import sys

from common import Scratch, arguments, randomness, run

GUIDED = ["generate", "a person walks", "--seconds", "2", "--steps", "2", "--threads", "1"]
GUIDED += ["--target", "0.5,1.5", "--method", "dps", "-o", "out.npz"]


def damage(chance, path, others):
    """One change of a file."""
    data = bytearray(path.read_bytes())
    kind = chance.choice(["flip", "cut", "swap", "empty", "longer", "remove", "folder", "link"])
    if kind == "flip" and data:
        for _ in range(chance.choice([1, 1, 8])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
    elif kind == "cut":
        path.write_bytes(data[: chance.randrange(len(data) + 1)])
    elif kind == "swap":
        shutil.copyfile(chance.choice(others), path.with_suffix(".swapped"))
        os.replace(path.with_suffix(".swapped"), path)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "longer":
        path.write_bytes(bytes(data) + b"more")
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "link":
        path.unlink()
        path.symlink_to("/dev/zero")
    else:
        path.unlink()
    return kind


def main():
    options = arguments(__doc__, 20)
    chance = randomness(options.seed)
    more = []
    if os.environ.get("ORT_DYLIB_PATH"):
        engine = "ONNX Runtime"
    else:
        engine, more = "the built-in engine", ["--runtime", "builtin"]
    made = 0
    with Scratch() as folder:
        cache = folder / "cache"
        first = run([*GUIDED, *more], folder, cache, timeout=120)
        if first.returncode != 0:
            raise AssertionError(first.stderr.decode())
        run([*GUIDED, *more], folder, cache)
        expected = (folder / "out.npz").read_bytes()
        sound = folder / "sound"
        shutil.copytree(cache, sound)
        while made < options.rounds:
            shutil.rmtree(cache, ignore_errors=True)
            shutil.copytree(sound, cache)
            files = [path for path in cache.rglob("*") if path.is_file()]
            kinds = []
            for path in chance.sample(files, min(len(files), chance.choice([1, 1, 2, 3]))):
                kinds.append((damage(chance, path, files), path.name))
                made += 1
            (folder / "out.npz").unlink(missing_ok=True)
            done = run([*GUIDED, *more], folder, cache, timeout=120)
            if done.returncode != 0:
                raise AssertionError(f"{kinds}: exit {done.returncode}: {done.stderr.decode()}")
            if (folder / "out.npz").read_bytes() != expected:
                raise AssertionError(f"{kinds}: another clip")
    print(f"cache.py: {made} files of the cache damaged, on {engine}: the same bytes each time")


if __name__ == "__main__":
    sys.exit(main())
