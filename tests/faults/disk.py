"""A full and a read-only file system, for outputs and for the cache."""

import os
import subprocess
import sys

from common import ROOT, Scratch, arguments, run

WALK = ["generate", "a person walks", "--seconds", "2", "--steps", "2", "--target", "0.5,1.5"]


def mounted(path, *options):
    """A small tmpfs, where that is allowed."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", ",".join(["size=256k", *options]), "none", str(path)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def filled(path):
    """Fills a file system to its last byte."""
    with open(path / "filler", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def main():
    arguments(__doc__, 1)
    engine = [] if os.environ.get("ORT_DYLIB_PATH") else ["--runtime", "builtin"]
    checks = 0
    with Scratch() as folder:
        full, fixed = folder / "full", folder / "fixed"
        if not mounted(full):
            print("disk.py: left out, no tmpfs can be mounted here")
            return 0
        try:
            if not mounted(fixed, "ro"):
                raise AssertionError("no read-only tmpfs")
            filled(full)
            for cache in [full / "cache", full, fixed / "cache"]:
                done = run([*WALK, *engine, "-o", "out.glb"], folder, cache, timeout=120)
                if done.returncode != 0:
                    raise AssertionError(f"cache {cache}: {done.stderr.decode()}")
                checks += 1
            for output in [full / "out.glb", full / "out.npz", full / "out.bvh", fixed / "out.glb"]:
                done = run(["convert", "out.glb", output], folder, folder / "cache")
                if done.returncode != 1 or output.exists():
                    raise AssertionError(f"{output}: exit {done.returncode}")
                checks += 1
            package = ROOT / "models" / "emoji-seg"
            add = ["models", "add", package, "--name", "mine", "--into", full]
            done = run(add, folder, folder / "cache")
            if done.returncode != 1 or sorted(os.listdir(full)) not in (["filler"], ["cache", "filler"]):
                raise AssertionError(f"models add: {done.returncode}, {os.listdir(full)}")
            checks += 1
        finally:
            subprocess.run(["umount", str(full)], check=False)
            subprocess.run(["umount", str(fixed)], check=False, capture_output=True)
    print(f"disk.py: {checks} runs on full and read-only file systems")
    return 0


if __name__ == "__main__":
    sys.exit(main())
