"""What the fault scripts share: arguments, the program, and folders that are kept where something fails."""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def arguments(description, rounds):
    """The options of every script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def program():
    """The command, `KINOGRAD` or that of a release build."""
    return os.environ.get("KINOGRAD", str(ROOT / "target/release/kinograd"))


def environment(cache, **more):
    """The environment of a run that shares nothing with the user."""
    own = {
        **os.environ,
        "KINOGRAD_MODELS": str(ROOT / "models"),
        "KINOGRAD_CACHE": str(cache),
        "NO_COLOR": "1",
    }
    return {**own, **more}


def run(args, folder, cache, timeout=60, **more):
    """Runs the command to its end."""
    return subprocess.run(
        [program(), *map(str, args)],
        cwd=folder,
        env=environment(cache, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


def start(args, folder, cache):
    """Starts the command."""
    return subprocess.Popen(
        [program(), *map(str, args)],
        cwd=folder,
        env=environment(cache),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class Scratch:
    """A folder that is removed, but for a fault."""

    def __enter__(self):
        self.path = Path(tempfile.mkdtemp(prefix="kinograd-faults-"))
        return self.path

    def __exit__(self, kind, error, trace):
        if kind is None:
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            print(f"fault: {error}; kept in {self.path}", file=sys.stderr)
        return False


def temporaries(folder):
    """Temporary files and folders below a folder."""
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob(".kinograd-*.tmp"))


def seconds_since(started):
    """Seconds, for messages."""
    return time.monotonic() - started


def randomness(seed):
    """Numbers that are the same for the same seed."""
    return random.Random(seed)
