"""Makes goldens again, in a copy, and compares them with what is stored.

    pip install -r requirements.txt && pip install --no-deps k-diffusion==0.1.1.post1
    python check.py [NAME ..] [--jobs N]      # all folders unless some are named, or have requirements of their own

Floats may differ by `TOLERANCE` of the largest in their array, as another processor rounds sums otherwise. All else is
equal to the byte, but for the hashes in `model.json` of files with such numbers. Exits 1 where something differs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOLERANCE = 1e-5
# What the programs import, or write beside their own folder.
SHARED = ("python", "assets/clips")


def files_of(folder: Path) -> dict[str, Path]:
    """What a program has written, by its path in the folder."""
    written = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix not in (".py", ".pyc"))
    written = (p for p in written if p.name != "requirements.txt")
    return {str(p.relative_to(folder)): p for p in written}


def without_hashes(value: object) -> object:
    """JSON without the hashes of files."""
    if isinstance(value, dict):
        return {k: without_hashes(v) for k, v in value.items() if k != "sha256"}
    return [without_hashes(v) for v in value] if isinstance(value, list) else value


def distance(made: np.ndarray, stored: np.ndarray) -> float:
    """The largest difference relative to the largest number; infinite where more than numbers differ."""
    if made.shape != stored.shape or made.dtype != stored.dtype:
        return np.inf
    if not np.issubdtype(stored.dtype, np.floating):
        return 0.0 if np.array_equal(made, stored) else np.inf
    finite = np.isfinite(stored)
    if not np.array_equal(made[~finite], stored[~finite], equal_nan=True) or not np.isfinite(made[finite]).all():
        return np.inf
    if not finite.any():
        return 0.0
    made, stored = made[finite].astype(np.float64), stored[finite].astype(np.float64)
    return float(np.abs(made - stored).max()) / max(float(np.abs(stored).max()), np.finfo(np.float32).tiny)


def difference(made: Path, stored: Path) -> tuple[float, str]:
    """How far a file is from the stored one, and where."""
    if made.read_bytes() == stored.read_bytes():
        return 0.0, ""
    if stored.name == "model.json":
        same = without_hashes(json.loads(made.read_text())) == without_hashes(json.loads(stored.read_text()))
        return (0.0, "") if same else (np.inf, stored.name)
    if stored.suffix != ".npz":
        return np.inf, stored.name
    a, b = np.load(made), np.load(stored)
    if set(a.files) != set(b.files):
        return np.inf, f"{stored.name}: arrays {sorted(set(a.files) ^ set(b.files))}"
    return max((distance(a[name], b[name]), f"{stored.name}: {name}") for name in b.files)


def check(copy: Path, name: str) -> str | None:
    """Runs one program in the copy; what is wrong, if anything."""
    folder, stored = copy / "tests" / "golden" / name, files_of(HERE / name)
    for path in files_of(folder).values():
        path.unlink()
    started = time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    run = [sys.executable, "-W", "ignore", "make.py"]
    done = subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"make.py ended with {done.returncode}: {done.stderr.strip()[-600:]}"
    made = files_of(folder)
    if set(made) != set(stored):
        return f"files {sorted(set(made) ^ set(stored))}"
    worst, where = max(difference(made[file], path) for file, path in stored.items())
    if worst > TOLERANCE:
        return f"{where} differs by {worst:.1e}"
    print(f"{name}: {len(stored)} files, largest difference {worst:.1e}, {time.perf_counter() - started:.1f} s")
    return None


def main() -> int:
    """1 where a golden is not what its program makes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="folders here; all with a make.py by default")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    every = sorted(p.parent for p in HERE.glob("*/make.py"))
    names = args.names or [folder.name for folder in every if not (folder / "requirements.txt").exists()]
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch)
        shutil.copytree(HERE, copy / "tests" / "golden", ignore=shutil.ignore_patterns("__pycache__"))
        for shared in SHARED:
            shutil.copytree(ROOT / shared, copy / shared, ignore=shutil.ignore_patterns("__pycache__"))
        with ThreadPoolExecutor(args.jobs) as pool:
            wrong = {
                n: fault for n, fault in zip(names, pool.map(lambda n: check(copy, n), names), strict=True) if fault
            }
        clips = files_of(ROOT / "assets/clips")
        for file, path in clips.items():
            if (copy / "assets/clips" / file).read_bytes() != path.read_bytes():
                wrong[f"assets/clips/{file}"] = "differs"
    for name, fault in wrong.items():
        print(f"WRONG {name}: {fault}")
    print(f"{len(names)} folders, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
