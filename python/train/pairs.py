"""Cosines of 40 pairs of prompts that differ in one word: what a text encoder keeps apart.

    python pairs.py --package ../../models/motion-base --out before.json
    python pairs.py --package PACKAGE --before before.json

The condition's cosine is taken from the mean of all prompts here, which every prompt shares; the embedding's as it is.
Ten pairs of the same meaning stand beside them: those should stay near 1.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from sampling import Package

APART = (
    ("a person kicks with the left leg", "a person kicks with the right leg"),
    ("a person punches with the left hand", "a person punches with the right hand"),
    ("a person waves with the left hand", "a person waves with the right hand"),
    ("a person waves with the right hand", "a person waves with both hands"),
    ("a person throws a left jab", "a person throws a right jab"),
    ("a person throws a left hook", "a person throws a left uppercut"),
    ("a person blocks high with the left arm", "a person blocks low with the left arm"),
    ("a person walks and turns left", "a person walks and turns right"),
    ("a person turns left", "a person turns around"),
    ("a person steps sideways to the left", "a person steps sideways to the right"),
    ("a person walks in a clockwise circle", "a person walks in a counterclockwise circle"),
    ("a person kicks once", "a person kicks twice"),
    ("a person jumps once", "a person jumps three times"),
    ("a person kicks twice with the right leg", "a person kicks three times with the right leg"),
    ("a person walks forward", "a person walks backwards"),
    ("a person walks slowly", "a person walks quickly"),
    ("a person walks forward", "a person runs forward"),
    ("a person jogs forward", "a person runs forward"),
    ("a person walks", "a zombie walks"),
    ("a person walks", "a person walks angrily"),
    ("a person walks", "a person walks happily"),
    ("a person walks", "a person walks in a rush"),
    ("a person walks", "a person walks stealthily"),
    ("a person walks", "a person walks carrying a box"),
    ("a person walks angrily", "a person walks happily"),
    ("a zombie walks", "a person walks stealthily"),
    ("a person claps their hands", "a person waves with both hands"),
    ("a person throws a ball", "a person waves with the right hand"),
    ("a person throws a ball", "a person throws a punch"),
    ("a person swings a sword", "a person claps their hands"),
    ("a person looks around", "a person stands still"),
    ("a person waits", "a person stands still"),
    ("a person sits down", "a person stands up"),
    ("a person sits down", "a person crouches down"),
    ("a person walks and stops", "a person stands and then walks"),
    ("a person walks, then sits down", "a person stands up, then walks"),
    ("a person kicks and then punches", "a person punches and then kicks"),
    ("a person crawls forward", "a person crawls backward"),
    ("a person dances", "a person does jumping jacks"),
    ("a person does a front kick", "a person does a roundhouse kick"),
)
ALIKE = (
    ("a person walks forward", "A person walks forward."),
    ("a person waves", "A PERSON WAVES!"),
    ("a person walks forward", "someone walks forward"),
    ("a person walks", "walking"),
    ("a person jumps", "someone is jumping"),
    ("a person kicks with the right leg", "a person kicks with their right foot"),
    ("a person kicks twice", "a person kicks two times"),
    ("a zombie walks", "a person walks like a zombie"),
    ("a person sits down", "someone takes a seat"),
    ("a person stops walking", "a person walks and stops"),
)


def cosines(package: Package, pairs: tuple[tuple[str, str], ...]) -> dict[str, list[float]]:
    """Cosine of the conditions and of the embeddings of each pair."""
    texts = list(dict.fromkeys(t for pair in APART + ALIKE for t in pair))
    # One text a run: batches of other lengths give the same numbers only up to rounding.
    rows = [package.encode([t]) for t in texts]
    condition = np.concatenate([r[0] for r in rows])
    condition = condition - condition.mean(0)
    condition /= np.linalg.norm(condition, axis=1, keepdims=True)
    embedding = np.concatenate([r[1] for r in rows])
    at = {t: i for i, t in enumerate(texts)}
    return {f"{a} | {b}": [round(float(v[at[a]] @ v[at[b]]), 3) for v in (condition, embedding)] for a, b in pairs}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    package = Package(args.package)
    found = {"apart": cosines(package, APART), "alike": cosines(package, ALIKE)}
    for name, rows in list(found.items()):
        found[f"mean_{name}"] = [round(float(m), 3) for m in np.mean(list(rows.values()), 0)]
    before = json.loads(args.before.read_text()) if args.before else None
    print("| pair | condition | embedding |\n|---|---|---|")
    for name in ("apart", "alike"):
        for pair, values in [*found[name].items(), (f"mean, {name}", found[f"mean_{name}"])]:
            old = (before[f"mean_{name}"] if pair.startswith("mean") else before[name][pair]) if before else None
            cells = [(f"{old[i]:.2f} → " if old else "") + f"{v:.2f}" for i, v in enumerate(values)]
            print(f"| {pair.replace(' | ', ' / ')} | {cells[0]} | {cells[1]} |")
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
