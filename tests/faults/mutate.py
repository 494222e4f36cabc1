"""Damaged files through the command line: exit 0 or 1, within 20 s and 2 GB."""

import os
import resource
import subprocess
import sys
from pathlib import Path

from common import ROOT, Scratch, arguments, environment, program, randomness, run

NUMBERS = [b"0", b"-1", b"1e308", b"nan", b"4294967295", b"99999999999999999999", b"1e-300"]
TIMEOUT_SECS = 20
MOST_BYTES = 2 << 30


def mutated(chance, data):
    """A file with one to six changes."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice([1, 4, 64, 4096]))
        kind = chance.randrange(6)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = data[at:end] * chance.choice([1, 3, 1000])
        elif kind == 3:
            data[at : at + 4] = chance.choice([b"\xff" * 4, b"\0" * 4, b"\xff\xff\xff\x7f"])
        elif kind == 4:
            while at < len(data) and not chr(data[at]).isdigit():
                at += 1
            end = at
            while end < len(data) and (chr(data[end]).isdigit() or data[end] in b".-e"):
                end += 1
            data[at:end] = chance.choice(NUMBERS)
        else:
            data[at:end] = os.urandom(0) + bytes(chance.randrange(256) for _ in range(end - at))
        del data[4 << 20 :]
    return bytes(data)


def sources(folder, cache):
    """Sound files and how each is read."""
    walk = ["generate", "a person walks", "--seconds", "2", "--steps", "2", "--runtime", "builtin"]
    made = run([*walk, "-o", "a.glb", "-o", "a.bvh", "-o", "a.npz"], folder, cache)
    if made.returncode != 0:
        raise AssertionError(made.stderr.decode())
    sheet = run(["convert", "a.npz", "a.png"], folder, cache)
    if sheet.returncode != 0:
        raise AssertionError(sheet.stderr.decode())
    found = []
    for name in ["a.glb", "a.bvh", "a.npz"]:
        found.append((folder / name, lambda path: ["convert", path, "out.glb"]))
        found.append((folder / name, lambda path: ["render", path, "-o", "out.png"]))
    found.append((folder / "a.glb", lambda path: [*walk[:1], "--from", path, *walk[4:], "-o", "o.glb"]))
    for scene in sorted((ROOT / "assets/scenes").glob("*.json")):
        found.append((scene, lambda path: ["generate", "--task", path, *walk[4:], "-o", "o.glb"]))
    found.append((ROOT / "models/motion-base/model.json", lambda path: ["models", "show", path]))
    for path in sorted((ROOT / "fuzz/corpus").iterdir()):
        if path.suffix in (".glb", ".bvh", ".npz"):
            found.append((path, lambda path: ["convert", path, "out.glb"]))
    return found


def limit():
    """Kills a process that takes more than its share, so that the machine lives."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main():
    options = arguments(__doc__, 60)
    chance = randomness(options.seed)
    codes, largest = {}, 0
    with Scratch() as folder:
        cache = folder / "cache"
        known = sources(folder, cache)
        for _ in range(options.rounds):
            source, args = chance.choice(known)
            name = "model.json" if source.name.endswith("model.json") else f"in{source.suffix}"
            path = folder / "damaged" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(mutated(chance, source.read_bytes()))
            child = subprocess.Popen(
                [program(), *map(str, args(Path("damaged") / name))],
                cwd=folder,
                env=environment(cache),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                preexec_fn=limit,
            )
            try:
                _, words = child.communicate(timeout=TIMEOUT_SECS)
            except subprocess.TimeoutExpired as error:
                child.kill()
                raise AssertionError(f"{source.name}: over {TIMEOUT_SECS} s") from error
            if child.returncode not in (0, 1) or b"panicked" in words:
                raise AssertionError(f"{source.name}: exit {child.returncode}: {words.decode()}")
            codes[child.returncode] = codes.get(child.returncode, 0) + 1
            (folder / "out.glb").unlink(missing_ok=True)
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        if largest > MOST_BYTES:
            raise AssertionError(f"{largest >> 20} MiB were used")
    print(f"mutate.py: {options.rounds} damaged files, exit codes {codes}, at most {largest >> 20} MiB")


if __name__ == "__main__":
    sys.exit(main())
