"""How near prompts are to the nearest known one: of actions that the data lack, and of what a package can do.

    python known.py --package ../../models/motion-base

The actions that the data lack are those of `reports/unseen.txt`. The others are the held-out and the reworded prompts
of `kinograd eval model`. `defaults.least_known_score` of a package lies between.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import numpy as np

from sampling import Package

HERE = Path(__file__).resolve().parent
PROMPTS = HERE.parents[1] / "crates" / "kinograd-eval" / "src" / "prompts"
THRESHOLDS = (0.74, 0.78, 0.8, 0.82, 0.84, 0.86, 0.88, 0.9)


def lists() -> dict[str, list[str]]:
    """The prompts by list."""
    held_out = (file.read_text() for file in sorted((PROMPTS / "held_out").glob("*.rs")))
    reworded = (PROMPTS / "reworded.rs").read_text()
    return {
        "unseen": (HERE / "reports" / "unseen.txt").read_text().splitlines(),
        "held-out": [text for file in held_out for text in re.findall(r'prompt: "([^"]+)"', file)],
        "reworded": re.findall(r'"([A-Z][^"]+\.)"', reworded),
    }


def nearest(package: Package, prompts: list[str]) -> np.ndarray:
    """Cosine of each prompt's embedding to that of the nearest known one, `[prompts]`."""
    _, known = package.encode(package.description["known_prompts"])
    _, own = package.encode(prompts)
    return (own @ known.T).max(1)


def main() -> None:
    """Command line: a table of the share of each list below several thresholds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--package", type=Path, required=True)
    package = Package(parser.parse_args().package)
    said = package.description["defaults"].get("least_known_score")
    thresholds = sorted({*THRESHOLDS, *([said] if said else [])})
    print("| list | prompts | " + " | ".join(f"below {t:g}" for t in thresholds) + " |")
    print("|---" * (2 + len(thresholds)) + "|")
    for name, prompts in lists().items():
        scores = nearest(package, prompts)
        shares = " | ".join(f"{np.mean(scores < t):.0%}" for t in thresholds)
        print(f"| {name} | {len(prompts)} | {shares} |")
    print(json.dumps({"least_known_score": said}))


if __name__ == "__main__":
    main()
