"""Kills `kinograd batch` at random moments, starts it again, and counts what is there."""

import hashlib
import json
import signal
import sys
import tarfile
import time

from common import Scratch, arguments, randomness, run, start, temporaries

TASKS = 6
SWEEP = {
    "schema": "kinograd.sweep/1",
    "task": {"prompts": [{"text": "a person walks"}], "duration_secs": 1, "sampling": {"steps": 2}},
    "axes": {"/sampling/seed": {"from": 0, "to": TASKS}},
}


def command(out, shard="0/1"):
    """A batch whose parts are closed after every clip or two, so that kills fall between them too."""
    parts = ["--part-megabytes", "1", "--shard", shard]
    return ["batch", "sweep.json", "-o", out, "--formats", "npz,glb,json", "--runtime", "builtin", *parts]


def samples(folder):
    """The hash of every file of every sample; fails where one is twice, torn or named by nothing."""
    found, named = {}, set()
    for path in sorted(folder.glob("*.json")):
        manifest = json.loads(path.read_text())
        named.add(path.name)
        for key in ("tar", "index"):
            part = manifest[key]
            assert hashlib.sha256((folder / part["path"]).read_bytes()).hexdigest() == part["sha256"], part
            named.add(part["path"])
        with tarfile.open(folder / manifest["tar"]["path"]) as archive:
            for member in archive:
                assert member.name not in found, f"{member.name} is twice"
                found[member.name] = hashlib.sha256(archive.extractfile(member).read()).hexdigest()
    there = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    return found, there - named


def main():
    options = arguments(__doc__, 40)
    chance = randomness(options.seed)
    kills = batches = 0
    with Scratch() as folder:
        cache = folder / "cache"
        (folder / "sweep.json").write_text(json.dumps(SWEEP))
        started = time.monotonic()
        done = run(command("whole"), folder, cache)
        assert done.returncode == 0, done.stderr.decode()
        usual = time.monotonic() - started
        expected, stray = samples(folder / "whole")
        assert len(expected) == 3 * TASKS, expected
        assert not stray, stray
        while kills < options.rounds:
            out = f"killed-{batches}"
            batches += 1
            for _ in range(4):
                child = start(command(out), folder, cache)
                time.sleep(chance.random() * usual)
                child.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
                child.wait(timeout=20)
                kills += 1
            done = run(command(out), folder, cache)
            assert done.returncode == 0, done.stderr.decode()
            found, stray = samples(folder / out)
            assert found == expected, f"{out}: {sorted(set(expected) ^ set(found))} differ"
            assert not stray, f"{out}: {stray}"
            left = temporaries(folder / out)
            assert not left, f"{out}: {left}"
    print(f"batch.py: {kills} kills in {batches} batches, no sample lost, doubled or torn")


if __name__ == "__main__":
    sys.exit(main())
