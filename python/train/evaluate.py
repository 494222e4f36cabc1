"""Measure a model package: prompts obeyed, speeds, skate, jerk, retrieval, nearest training clip.

python evaluate.py --package ../../models/motion-base --data DATASET --seeds 16 --out report.json --sheets DIR
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np

from config import PATCH
from data import MotionData, Segment
from kinematics import joints_from_features, measures
from prompts import PROMPTS, judged
from sampling import Package
from sheet import sheet

GROUP = 32
POSE = slice(0, 67)


def clip_embedding(package: Package, features: np.ndarray) -> np.ndarray:
    """Unit embeddings of `[b, n, 263]`, not normalised."""
    z = ((features - package.mean) / package.std).astype(np.float32)
    return package.embed(z, np.ones(z.shape[:2], np.float32))


def prompt_report(package: Package, args: argparse.Namespace) -> tuple[dict, list[np.ndarray]]:
    """Obedience and quality for each prompt, and all clips of features."""
    rows, clips, embeddings, owners = {}, [], [], []
    _, texts = package.encode([p.text for p in PROMPTS])
    for number, prompt in enumerate(PROMPTS):
        features = package.sample([prompt.text] * args.seeds, prompt.frames, args.steps, args.cfg, 1000 + number)
        joints = [joints_from_features(f) for f in features]
        found = [judged(j) for j in joints]
        mean = {k: round(float(np.mean([m[k] for m in found])), 3) for k in found[0]}
        rows[prompt.text] = {"obeyed": float(np.mean([prompt.obeys(m) for m in found]))} | mean
        print(json.dumps({prompt.text: {k: rows[prompt.text][k] for k in SHOWN}}), flush=True)
        clips += list(features)
        embeddings.append(clip_embedding(package, features))
        owners += [number] * len(features)
        if args.sheets:
            args.sheets.mkdir(parents=True, exist_ok=True)
            count = min(args.per_sheet, len(joints))
            sheet(joints[:count], [f"{prompt.text} #{i}" for i in range(count)], args.sheets / f"{number:02}.png")
    scores = np.concatenate(embeddings) @ texts.T
    rank = (scores > scores[np.arange(len(owners)), owners][:, None]).sum(1)
    summary = {
        "obeyed": float(np.mean([r["obeyed"] for r in rows.values()])),
        "skate": float(np.mean([r["skate"] for r in rows.values()])),
        "jerk": float(np.mean([r["jerk"] for r in rows.values()])),
        "bone_std_mm": float(np.mean([r["bone_std_mm"] for r in rows.values()])),
        "prompt_in_top3_of_24": float((rank < 3).mean()),
    }
    return {"summary": summary, "prompts": rows}, clips


SHOWN = ("obeyed", "forward", "leftward", "turn_left_deg", "skate", "jerk", "bone_std_mm")


def real_measures(data: MotionData, segments: list[Segment]) -> dict[str, float]:
    """Skate and jerk of real clips."""
    found = [measures(joints_from_features(np.asarray(data.features[s.start : s.start + s.frames]))) for s in segments]
    return {k: float(np.mean([m[k] for m in found])) for k in ("skate", "jerk", "bone_std_mm")}


def retrieval(package: Package, data: MotionData, args: argparse.Namespace) -> dict[str, float]:
    """R-precision (top 3 among 32 captions) of samples for validation captions, and of the real clips."""
    segments = data.split("val")
    random.Random(0).shuffle(segments)
    hits = {"real_top3": 0, "samples_top3": 0}
    total = 0
    for g in range(0, len(segments) - GROUP + 1, GROUP):
        group = segments[g : g + GROUP]
        captions = [s.captions[0] for s in group]
        _, texts = package.encode(captions)
        for i, segment in enumerate(group):
            frames = min(segment.frames, 120) // PATCH * PATCH
            start = segment.start + (segment.frames - frames) // 2
            real = np.asarray(data.features[start : start + frames])
            made = package.sample([captions[i]], frames, args.steps, args.cfg, g + i)[0]
            for name, clip in (("real_top3", real), ("samples_top3", made)):
                best = (clip_embedding(package, clip[None]) @ texts.T)[0].argsort()[::-1][:3]
                hits[name] += any(captions[b] == captions[i] for b in best)
            total += 1
    return {k: v / max(total, 1) for k, v in hits.items()} | {"clips": total}


def nearest(data: MotionData, clips: list[np.ndarray]) -> float:
    """Median over clips of the distance to the nearest training window: root mean square z-score of
    root channels and positions, every eighth frame."""
    train = [s for s in data.split("train") if s.frames >= 40]
    found = []
    for clip in clips:
        frames = min(len(clip), 40)
        q = ((clip[:frames:8] - data.mean) / data.std)[:, POSE].ravel()
        starts = np.concatenate([np.arange(s.start, s.start + s.frames - frames + 1, 4) for s in train])
        rows = np.unique(starts)[:, None] + np.arange(0, frames, 8)
        bank = ((data.features[rows][:, :, POSE] - data.mean[POSE]) / data.std[POSE]).reshape(len(rows), -1)
        found.append(float(np.sqrt(((bank - q) ** 2).mean(1).min())))
    return float(np.median(found))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--cfg", type=float, default=1.5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--per-sheet", type=int, default=3)
    args = parser.parse_args()
    package = Package(args.package)
    report, clips = prompt_report(package, args)
    report["protocol"] = {"seeds": args.seeds, "steps": args.steps, "cfg": args.cfg, "sampler": "ddim"}
    if args.data:
        data = MotionData(args.data)
        report["val_real"] = real_measures(data, data.split("val"))
        report["train_real"] = real_measures(data, random.Random(0).sample(data.split("train"), 500))
        report["retrieval"] = retrieval(package, data, args)
        some = random.Random(0).sample(clips, min(32, len(clips)))
        real = [np.asarray(data.features[s.start : s.start + s.frames]) for s in data.split("val") if s.frames >= 40]
        report["nearest_train"] = {"samples": nearest(data, some), "val_real": nearest(data, real[:32])}
    print(json.dumps({k: v for k, v in report.items() if k != "prompts"}))
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
