"""What each door asks of a user for the same clip: to walk to a place on a character, as a GLB.

    python tests/doors/measure.py KINOGRAD LIBRARIES [--python PYTHON] [--runs N]

KINOGRAD is the command, LIBRARIES the folder of libkinograd_capi.so; PYTHON has the package kinograd. Prints a Markdown
table: lines of the user's program (without blanks, comments and lines of braces alone), what the door takes on disk
without model and ONNX Runtime, seconds from the start of the process (of the request where a server runs) until the
file is written, median and range, and the largest resident memory. A door whose tools are not here is left out and
named.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CHARACTER = ROOT / "assets" / "characters" / "small.glb"
sys.path.insert(0, str(HERE.parent / "mmcp"))


def lines(name):
    text = (HERE / name).read_text().splitlines()
    code = [line.strip() for line in text]
    return sum(bool(line.strip("{}();")) and not line.startswith(("#!", "//", "# ")) for line in code)


def run(command, folder, environment):
    """Seconds and MB of a process that writes `door.glb`."""
    clip = folder / "door.glb"
    clip.unlink(missing_ok=True)
    started = time.monotonic()
    with open(folder / "said.txt", "w") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status or clip.read_bytes()[:4] != b"glTF":
        raise SystemExit(f"{command}: {(folder / 'said.txt').read_text()}")
    return seconds, usage.ru_maxrss / 1024


def size(*paths):
    files = [f for p in map(Path, paths) for f in ([p] if p.is_file() else p.rglob("*")) if f.is_file()]
    return sum(f.stat().st_size for f in files) / 1e6


def turned(rotation, place):
    """A place turned by a quaternion x, y, z, w."""
    x, y, z, w = rotation
    a, b, c = place
    s, t, u = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    return [a + w * s + y * u - z * t, b + w * t + z * s - x * u, c + w * u + x * t - y * s]


def product(p, q):
    (a, b, c, d), (x, y, z, w) = p, q
    return [d * x + a * w + b * z - c * y, d * y - a * z + b * w + c * x, d * z + a * y - b * x + c * w,
            d * w - a * x - b * y - c * z]  # fmt: skip


def skeleton():
    """The character's joints as the protocol has them, offsets in the world's axes, from the nodes of its skin."""
    data = CHARACTER.read_bytes()
    document = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    nodes, joints = document["nodes"], document["skins"][0]["joints"]
    parents = {child: index for index, node in enumerate(nodes) for child in node.get("children", [])}

    def turn(index):
        own = nodes[index].get("rotation", [0, 0, 0, 1])
        return own if index not in parents else product(turn(parents[index]), own)

    def depth(index):
        return 0 if index not in parents else 1 + depth(parents[index])

    rows = []
    for index in sorted(joints, key=depth):
        above = parents.get(index)
        place = nodes[index].get("translation", [0.0, 0.0, 0.0])
        rows.append({
            "name": nodes[index]["name"],
            "parent": nodes[above]["name"] if above in joints else None,
            "rest_translation": place if above is None else turned(turn(above), place),
            "rest_rotation": [0.0, 0.0, 0.0, 1.0],
        })  # fmt: skip
    return {"joints": rows, "coordinate_system": "right_handed_y_up", "units": "meters"}


class Doors:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.kinograd = Path(args.kinograd).resolve()
        self.libraries = Path(args.libraries).resolve()
        self.environment = {
            **os.environ,
            "KINOGRAD_MODELS": str(ROOT / "models"),
            "LD_LIBRARY_PATH": str(self.libraries),
        }
        self.rows, self.missing = [], []

    def row(self, name, lines_of, disk_mb, runs, memory_mb):
        median, least, most = statistics.median(runs), min(runs), max(runs)
        self.rows.append(
            f"| {name} | {lines_of} | {disk_mb:.1f} MB | {median:.2f} s ({least:.2f}–{most:.2f}) | {memory_mb:.0f} MB |"
        )

    def measure(self, name, source, disk_mb, command):
        run(command, self.folder, self.environment)  # files in the system's memory, graphs in the cache
        runs = [run(command, self.folder, self.environment) for _ in range(self.args.runs)]
        self.row(name, lines(source), disk_mb, [seconds for seconds, _ in runs], max(memory for _, memory in runs))

    def command(self):
        words = (
            f"{self.kinograd} generate 'a person walks forward' --seconds 4 --target 0.5,3 --rig hero.glb -o door.glb"
        )
        self.measure("command line", "door.sh", size(self.kinograd), ["sh", "-c", f"exec {words}"])

    def compiled(self, name, source, compiler, flags):
        library = self.libraries / "libkinograd_capi.so"
        if not (shutil.which(compiler) and library.is_file()):
            self.missing.append(name)
            return
        program = self.folder / f"door-{source.rsplit('.')[1]}"
        include = ROOT / "crates" / "kinograd-capi" / "include"
        link = [f"-I{include}", f"-L{self.libraries}", "-lkinograd_capi"]
        subprocess.run([compiler, *flags, HERE / source, *link, "-o", program], check=True)
        self.measure(name, source, size(library), [program])

    def c_sharp(self):
        library = self.libraries / "libkinograd_capi.so"
        if not (shutil.which("mcs") and shutil.which("mono") and library.is_file()):
            self.missing.append("C#")
            return
        files = sorted((ROOT / "bindings" / "csharp" / "Kinograd").rglob("*.cs"))
        assembly, program = self.folder / "Kinograd.dll", self.folder / "Door.exe"
        subprocess.run(["mcs", "-unsafe", "-target:library", f"-out:{assembly}", *files], check=True)
        subprocess.run(["mcs", f"-r:{assembly}", f"-out:{program}", HERE / "Door.cs"], check=True)
        self.measure("C# (Mono)", "Door.cs", size(library, assembly), ["mono", program])

    def python(self):
        python = self.args.python
        found = python and subprocess.run(
            [python, "-c", "import kinograd; print(kinograd.__path__[0])"],
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if not found or found.returncode:
            self.missing.append("Python")
            return
        self.measure("Python", "door.py", size(found.stdout.strip()), [python, HERE / "door.py"])

    def server(self):
        from served import Served

        (self.folder / "hero.py").write_text(f"skeleton = {skeleton()!r}\n")
        os.environ["KINOGRAD_MODELS"] = self.environment["KINOGRAD_MODELS"]
        with Served([str(self.kinograd)]) as served:
            environment = {**os.environ, "KINOGRAD_URL": served.url, "PYTHONPATH": str(self.folder)}
            command = [sys.executable, HERE / "door_server.py"]
            run(command, self.folder, environment)
            runs = [run(command, self.folder, environment)[0] for _ in range(self.args.runs)]
            self.row("server (a request)", lines("door_server.py"), size(self.kinograd), runs, served.resident_mb())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinograd")
    parser.add_argument("libraries")
    parser.add_argument("--python")
    parser.add_argument("--runs", type=int, default=5)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(CHARACTER, Path(folder) / "hero.glb")
        doors = Doors(parser.parse_args(), Path(folder))
        doors.command()
        doors.compiled("C", "door.c", "cc", [])
        doors.compiled("C++", "door.cpp", "c++", ["-std=c++17"])
        doors.c_sharp()
        doors.python()
        doors.server()
    print("| door | lines | on disk | to the first clip | memory |\n|---|---|---|---|---|")
    print("\n".join(doors.rows))
    if doors.missing:
        print(f"not measured, as its tools are not here: {', '.join(doors.missing)}")


if __name__ == "__main__":
    main()
