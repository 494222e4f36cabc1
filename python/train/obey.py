"""Whether a package does what short prompts say, at several lengths, by tests that a wrong clip fails.

    python obey.py --package ../../models/motion-base --seeds 8 --out before.json
    python obey.py --package PACKAGE --seeds 8 --out after.json --before before.json

Sampling is deterministic DDIM without any clean-up afterwards, with the same noise for every package.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from actions import (
    LEFT,
    RIGHT,
    SHOULDERS,
    WRISTS,
    claps,
    jumps,
    kicks,
    punches,
    rests,
    sits,
    stands_up,
    throws,
    waves,
)
from config import FPS, PATCH
from data import MotionData
from kinematics import facing, joints_from_features, measures
from sampling import Package

LENGTHS_SECS = (2, 4, 6, 8)
Test = Callable[[np.ndarray], bool]


def moving(low: float, high: float, turn: float = 60.0) -> Test:
    """Speed along the heading in m/s within limits, turning less than `turn` degrees."""
    return lambda j: low <= (m := measures(j))["forward"] <= high and abs(m["turn_left_deg"]) < turn


def turning(low: float, high: float = 400.0) -> Test:
    """Degrees to the left within limits."""
    return lambda j: low <= measures(j)["turn_left_deg"] <= high


def aside(sign: int) -> Test:
    """Stepping to a side (1: left) without turning."""
    return lambda j: (m := measures(j))["leftward"] * sign > max(0.15, abs(m["forward"]))


def speeds(j: np.ndarray) -> tuple[float, float]:
    """Ground speed over the first and the last 0.75 s."""
    v = np.linalg.norm(np.diff(j[:, 0][:, [0, 2]], axis=0), axis=1) * FPS
    return float(v[:15].mean()), float(v[-15:].mean())


def still(j: np.ndarray) -> bool:
    """Neither the body nor the hands move."""
    m = measures(j)
    return m["speed"] < 0.15 and m["hand_speed"] < 1.5


def arms_ahead(j: np.ndarray) -> bool:
    """Walking with an arm or both stretched out in front for most of the clip."""
    f = facing(j)
    reach = [((j[:, WRISTS[s]] - j[:, SHOULDERS[s]])[:, [0, 2]] * f).sum(1) for s in (LEFT, RIGHT)]
    return bool(np.median(np.maximum(*reach)) > 0.3 and measures(j)["speed"] > 0.15)


def only(count: Callable[[np.ndarray, int], int], side: int, at_least: int = 1) -> Test:
    """On the named side at least so often, on the other side less often."""
    return lambda j: count(j, side) >= at_least and count(j, 1 - side) < count(j, side)


TESTS: dict[str, Test] = {
    "a person walks forward": moving(0.7, 1.7),
    "a person walks slowly": moving(0.2, 1.05),
    "a person walks backwards": lambda j: measures(j)["forward"] < -0.25,
    "a person jogs forward": moving(1.3, 3.5),
    "a person runs forward": moving(2.3, 5.5),
    "a person walks and turns left": turning(30),
    "a person walks and turns right": lambda j: measures(j)["turn_left_deg"] < -30,
    "a person turns around": lambda j: abs(measures(j)["turn_left_deg"]) > 120,
    "a person steps sideways to the left": aside(1),
    "a person steps sideways to the right": aside(-1),
    "a person walks forward and stops": lambda j: speeds(j)[0] > 0.4 and speeds(j)[1] < 0.3,
    "a person stands and then starts walking": lambda j: speeds(j)[0] < 0.35 and speeds(j)[1] > 0.5,
    "a person stands still": still,
    "a person kicks with the right leg": only(kicks, RIGHT),
    "a person kicks with the left leg": only(kicks, LEFT),
    "a person kicks twice with the right leg": lambda j: kicks(j, RIGHT) == 2 and kicks(j, LEFT) == 0,
    "a person punches with the right hand": only(punches, RIGHT),
    "a person punches with the left hand": only(punches, LEFT),
    "a person throws a punch": lambda j: punches(j, LEFT) + punches(j, RIGHT) >= 1,
    "a person waves with the right hand": lambda j: waves(j, RIGHT) >= 3 and rests(j, LEFT),
    "a person waves with the left hand": lambda j: waves(j, LEFT) >= 3 and rests(j, RIGHT),
    "a person waves with both hands": lambda j: min(waves(j, LEFT), waves(j, RIGHT)) >= 3,
    "a person claps their hands": lambda j: claps(j) >= 3,
    "a person throws a ball": throws,
    "a person sits down": sits,
    "a person stands up": stands_up,
    "a person jumps": lambda j: jumps(j) >= 1,
    "a person crouches down": lambda j: float(j[:, 0, 1].min()) < 0.7 < float(j[:5, 0, 1].mean()),
    "a person stands, then kicks with the left leg": lambda j: speeds(j)[0] < 0.4 and only(kicks, LEFT)(j),
    "a zombie walks": arms_ahead,
}
# Styles and gestures that differ from a plain one: the distance between their sets, not a test of each clip.
PAIRS = (
    ("a zombie walks", "a person walks forward"),
    ("a person walks angrily", "a person walks forward"),
    ("a person walks happily", "a person walks forward"),
    ("a person walks in a rush", "a person walks forward"),
    ("a person walks stealthily", "a person walks forward"),
    ("a person walks angrily", "a person walks happily"),
    ("a person claps their hands", "a person waves with both hands"),
    ("a person throws a ball", "a person waves with the right hand"),
    ("a person blocks high with the left arm", "a person throws a left jab"),
    ("a person looks around", "a person stands still"),
)


def interval(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z, p = 1.96, hits / total
    centre = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return centre - half, centre + half


def samples(package: Package, prompt: str, secs: float, args: argparse.Namespace) -> np.ndarray:
    """Features of all seeds `[seeds, frames, 263]`; the noise depends on the prompt and the length alone."""
    frames = int(secs * FPS) // PATCH * PATCH
    seed = zlib.crc32(f"{prompt} {frames}".encode())
    return package.sample([prompt] * args.seeds, frames, args.steps, args.cfg, seed)


def text_scores(package: Package, prompt: str, features: np.ndarray) -> np.ndarray:
    """Cosines `[seeds]` between a prompt and clips `[seeds, frames, 263]`, by the package's own embedding."""
    normalised = ((features - package.mean) / package.std).astype(np.float32)
    rows = package.embed(normalised, np.ones(normalised.shape[:2], np.float32))
    return rows @ package.encode([prompt])[1][0]


def best_of(cells: list[list[tuple[float, bool]]], draws: int) -> dict[str, float]:
    """Share obeyed if of each `draws` clips of a prompt and length the one with the best score is kept.

    `cells`: score and obedience of the clips of each prompt and length.
    """
    kept = [
        max(cell[i : i + draws], key=lambda clip: clip[0])[1]
        for cell in cells
        for i in range(0, len(cell) - draws + 1, draws)
    ]
    low, high = interval(sum(kept), len(kept))
    return {"share": round(sum(kept) / len(kept), 3), "low": round(low, 3), "high": round(high, 3)}


def least_score(clips: list[tuple[float, bool]], wrong: float = 0.7) -> dict[str, float] | None:
    """The highest score below which at least a share `wrong` of the clips do not obey; none where there is none.

    `below`: the share of all clips below it; `found`: the share of the clips that do not obey.
    """
    ordered = sorted(clips)
    failures = np.cumsum([not obeyed for _, obeyed in ordered])
    good = np.flatnonzero(failures >= wrong * np.arange(1, len(ordered) + 1))
    if not len(good):
        return None
    last = int(good[-1])
    return {
        "score": round(ordered[last][0], 3),
        "below": round((last + 1) / len(ordered), 3),
        "found": round(float(failures[last] / max(failures[-1], 1)), 3),
    }


def pose_profile(joints: np.ndarray) -> np.ndarray:
    """Mean and spread of the joints about the root, in the heading frame, of one clip: `[132]` metres."""
    f = facing(joints)
    left = np.stack([f[:, 1], -f[:, 0]], 1)
    d = joints - joints[:, :1] * np.array([1, 0, 1])
    local = np.stack([(d[..., [0, 2]] * left[:, None]).sum(-1), d[..., 1], (d[..., [0, 2]] * f[:, None]).sum(-1)], -1)
    return np.concatenate([local.mean(0).ravel(), local.std(0).ravel()])


def apart(a: list[np.ndarray], b: list[np.ndarray]) -> dict[str, float]:
    """Distance between the means of two sets of profiles, cm per joint, and over the spread within the sets."""
    x, y = np.array(a), np.array(b)
    joints = x.shape[1] // 3
    distance = float(np.linalg.norm(x.mean(0) - y.mean(0)) / math.sqrt(joints))
    within = float(np.sqrt((x.var(0).sum() + y.var(0).sum()) / 2 / joints))
    return {"cm": round(100 * distance, 2), "over_spread": round(distance / max(within, 1e-9), 2)}


def report(package: Package, args: argparse.Namespace) -> dict:
    """Shares obeyed per prompt and length, jerk, arm swing and skate per prompt, distances of pairs."""
    rows: dict[str, dict] = {}
    profiles: dict[str, list[np.ndarray]] = {}
    cells: list[list[tuple[float, bool]]] = []
    scored: list[tuple[float, bool]] = []
    for prompt in dict.fromkeys([*TESTS, *(p for pair in PAIRS for p in pair)]):
        row: dict = {"obeyed": {}}
        found: list[dict] = []
        for secs in args.lengths if prompt in TESTS else set(args.lengths) & {4}:
            features = samples(package, prompt, secs, args)
            clips = [joints_from_features(f) for f in features]
            measured = [quality(j) for j in clips]
            if prompt in TESTS:
                obeyed = [bool(TESTS[prompt](j)) for j in clips]
                row["obeyed"][f"{secs:g}"] = sum(obeyed)
                scores = [float(s) for s in text_scores(package, prompt, features)]
                scored += zip(scores, obeyed, strict=True)
                cells.append([(s - m["skate"], o) for s, m, o in zip(scores, measured, obeyed, strict=True)])
            found += measured
            if secs == 4:
                profiles[prompt] = [pose_profile(j) for j in clips]
        if not found:  # only the pairs' clips of 4 s have no test
            continue
        row |= {key: round(float(np.mean([f[key] for f in found])), 3) for key in found[0]}
        rows[prompt] = row
        print(json.dumps({prompt: row}), flush=True)
    distances = {f"{a} | {b}": apart(profiles[a], profiles[b]) for a, b in PAIRS if a in profiles and b in profiles}
    hits = {p: sum(r["obeyed"].values()) for p, r in rows.items() if p in TESTS}
    total = len(hits) * len(args.lengths) * args.seeds
    low, high = interval(sum(hits.values()), total)
    by_length = {
        f"{secs:g}": round(sum(rows[p]["obeyed"][f"{secs:g}"] for p in hits) / (len(hits) * args.seeds), 3)
        for secs in args.lengths
    }
    return {
        "protocol": {"seeds": args.seeds, "steps": args.steps, "cfg": args.cfg, "lengths_secs": list(args.lengths)},
        "obeyed": {"share": round(sum(hits.values()) / total, 3), "low": round(low, 3), "high": round(high, 3)},
        "obeyed_by_length": by_length,
        "obeyed_best_of": {str(draws): best_of(cells, draws) for draws in (2, 4) if draws <= args.seeds},
        "least_text_score": least_score(scored),
        "prompts": rows,
        "apart": distances,
    }


def real_shares(data: MotionData) -> dict[str, str]:
    """How many of up to 30 training segments with just this caption pass its test: what the test itself misses."""
    found = {}
    for prompt, test in TESTS.items():
        segments = [s for s in data.split("train") if prompt in s.captions and s.frames >= 24]
        random.Random(0).shuffle(segments)
        clips = [joints_from_features(np.asarray(data.window_raw(s))) for s in segments[:30]]
        found[prompt] = f"{sum(bool(test(j)) for j in clips)} of {len(clips)}"
    return found


def quality(joints: np.ndarray) -> dict[str, float]:
    """Jerk, the swing of the hands, skate, and the fastest turn of the heading in one frame."""
    m = measures(joints)
    hands = joints[:, list(WRISTS)] - joints[:, :1]
    f = facing(joints)
    turn = np.abs(np.diff(np.unwrap(np.arctan2(f[:, 0], f[:, 1]))))
    return {
        "jerk": m["jerk"],
        "hand_swing_m": float(hands.std(0).sum(-1).mean()),
        "skate": m["skate"],
        "turn_deg_per_frame": float(np.degrees(turn.max())),
    }


def table(after: dict, before: dict | None) -> str:
    """Markdown: hits of each prompt at each length, before → after."""
    seeds = after["protocol"]["seeds"]
    lengths = [f"{s:g}" for s in after["protocol"]["lengths_secs"]]
    lines = [f"| prompt, hits of {seeds} | " + " | ".join(f"{s} s" for s in lengths) + " |", "|---" * 5 + "|"]
    for prompt, row in after["prompts"].items():
        if row["obeyed"]:
            old = before["prompts"][prompt]["obeyed"] if before else None
            cells = [(f"{old[s]} → " if old else "") + str(row["obeyed"][s]) for s in lengths]
            lines.append(f"| {prompt} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--cfg", type=float, default=2.0)
    parser.add_argument("--lengths", type=float, nargs="+", default=LENGTHS_SECS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, help="data set: tests its own clips too")
    parser.add_argument("--before", type=Path, help="report of another package, to compare with")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    found = report(Package(args.package, args.threads), args)
    if args.data:
        found["real"] = real_shares(MotionData(args.data))
    print(table(found, json.loads(args.before.read_text()) if args.before else None))
    print(json.dumps({k: v for k, v in found.items() if k != "prompts"}))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
