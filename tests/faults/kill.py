"""Kills commands at random moments and looks at what they leave."""

import signal
import sys
import time

from common import ROOT, Scratch, arguments, randomness, run, seconds_since, start, temporaries

WALK = ["generate", "a person walks", "--seconds", "2", "--steps", "4", "--runtime", "builtin"]


def sure(condition, message):
    """Fails with a message."""
    if not condition:
        raise AssertionError(message)


def commands(folder):
    """Each command with the outputs that have to be whole, and how they are read."""
    package = ROOT / "models" / "emoji-seg"
    return [
        (["convert", "walk.npz", "out.glb"], "out.glb"),
        (["convert", "walk.npz", "out.bvh"], "out.bvh"),
        (["render", "walk.npz", "-o", "out.gif", "--size", "160x90"], "out.gif"),
        (["models", "add", package, "--name", "mine", "--into", folder / "into"], "into/mine"),
        ([*WALK, "-o", "made.glb"], "made.glb"),
    ]


def whole(folder, output, cache):
    """Reads an output, where it is there."""
    path = folder / output
    if not path.exists():
        return
    if output.startswith("into"):
        done = run(["models", "show", path], folder, cache)
    elif output.endswith(".gif"):
        sure(path.read_bytes()[-1:] == b";", f"{output} is cut")
        return
    else:
        done = run(["convert", path, "again.npz"], folder, cache)
    sure(done.returncode == 0, f"{output} is half written: {done.stderr.decode()}")


def main():
    options = arguments(__doc__, 40)
    chance = randomness(options.seed)
    slowest = 0.0
    with Scratch() as folder:
        cache = folder / "cache"
        (folder / "into").mkdir()
        made = run([*WALK, "-o", "walk.npz"], folder, cache)
        sure(made.returncode == 0, made.stderr.decode())
        usual, known = {}, set()
        for index in range(options.rounds):
            args, output = chance.choice(commands(folder))
            key = tuple(map(str, args))
            if key not in usual:
                started = time.monotonic()
                done = run(args, folder, cache)
                sure(done.returncode == 0, done.stderr.decode())
                usual[key] = seconds_since(started)
            if output.startswith("into"):
                for path in sorted((folder / output).rglob("*"), reverse=True):
                    path.unlink() if not path.is_dir() else path.rmdir()
                (folder / output).rmdir() if (folder / output).exists() else None
            else:
                (folder / output).unlink(missing_ok=True)
            child = start(args, folder, cache)
            time.sleep(chance.random() * 1.1 * usual[key])
            gentle = index % 2 == 0
            before = time.monotonic()
            child.send_signal(signal.SIGTERM if gentle else signal.SIGKILL)
            code = child.wait(timeout=20)
            slowest = max(slowest, seconds_since(before)) if gentle else slowest
            sure(code in (0, 1, -signal.SIGTERM, -signal.SIGKILL), f"{args}: exit {code}")
            sure(slowest < 2.5, f"{args}: {slowest:.1f} s after the signal")
            whole(folder, output, cache)
            if gentle and code in (0, 1):
                # What an earlier kill left is swept by the next that writes there.
                new = set(temporaries(folder)) - known
                sure(not new, f"{args} leaves {new}")
            known = set(temporaries(folder))
        # The next run in each folder sweeps what killed ones left.
        (folder / "again.npz").unlink(missing_ok=True)
        run(["convert", "walk.npz", "again.npz"], folder, cache)
        run([*WALK, "-o", "made.glb"], folder, cache)
        run(["models", "add", ROOT / "models/emoji-seg", "--name", "z", "--into", folder / "into"], folder, cache)
        left = [name for name in temporaries(folder) if not name.startswith("cache")]
        sure(not left, f"stale: {left}")
    print(f"kill.py: {options.rounds} kills, the slowest end after SIGTERM {slowest:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
