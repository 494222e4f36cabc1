"""Write `card.json` for `export.py` from the data set and the report of `evaluate.py`."""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path

from data import MotionData
from prompts import PROMPTS

PER_ACTION = 12
KNOWN_SHARE = 0.75
LICENCE = (
    "MIT OR Apache-2.0; attributions in NOTICE (CMU, ACCAD CC BY 3.0, MHAD BSD-2-Clause, 100STYLE CC BY 4.0, "
    "G1 Moves CC BY 4.0, others)"
)
LIMITS = [
    "one adult body of fixed size; no hands, face or objects",
    "flat ground: no stairs, climbing, sitting on furniture that must be met exactly",
    "1 to 10 seconds; lengths far from those of an action's clips give slow or repeated motion",
    "English; the words it was trained on are few: see known_prompts",
]


def known_prompts(data: MotionData) -> list[str]:
    """The test prompts and the commonest captions of every action."""
    counts: dict[str, Counter] = defaultdict(Counter)
    for s in data.split("train"):
        for caption in s.captions[:2]:
            counts[s.action][caption] += 1
    prompts = [p.text for p in PROMPTS]
    for action in sorted(counts):
        prompts += [caption for caption, _ in counts[action].most_common(PER_ACTION)]
    return list(dict.fromkeys(prompts))


def share(row: dict, protocol: dict) -> float:
    """Of the clips of a prompt at all lengths, how many obeyed."""
    return sum(row["obeyed"].values()) / (protocol["seeds"] * len(row["obeyed"]))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--report", type=Path, help="report of evaluate.py")
    parser.add_argument("--obey", type=Path, help="report of obey.py: its prompts are known or listed as weak by it")
    parser.add_argument("--version", default="0.1.0")
    parser.add_argument("--cfg", type=float, default=1.5)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    data = MotionData(args.data)
    clips = len({s.source for s in data.segments if s.split == "train"})
    card: dict = {
        "version": args.version,
        "licence": LICENCE,
        "data": f"{clips} motion-capture clips of CMU, ACCAD, MHAD, G1 Moves, 100STYLE, Open 3D Engine, Mesh2Motion "
        f"and AnimatedDrawings, retargeted to one body, mirrored, cut into "
        f"{len(data.split('train'))} described segments",
        "defaults": {"cfg": args.cfg, "steps": 20, "sampler": "ddim"},
        "known_prompts": known_prompts(data),
        "limits": list(LIMITS),
        "metrics": {},
    }
    if args.report:
        report = json.loads(args.report.read_text())
        card["metrics"] = {k: v for k, v in report.items() if k != "prompts"}
        weak = [f"{p} ({r['obeyed']:.0%})" for p, r in report["prompts"].items() if r["obeyed"] < 0.9]
        if weak:
            card["limits"].append("obeyed in fewer than 90 % of seeds: " + ", ".join(weak))
    if args.obey:
        obeyed = json.loads(args.obey.read_text())
        if least := obeyed.get("least_text_score"):
            card["defaults"]["least_text_score"] = least["score"]
        card["metrics"]["obey"] = {k: v for k, v in obeyed.items() if k not in ("prompts", "apart", "real")}
        shares = {p: share(r, obeyed["protocol"]) for p, r in obeyed["prompts"].items() if r["obeyed"]}
        good = [p for p, s in shares.items() if s >= KNOWN_SHARE]
        bad = {p: s for p, s in shares.items() if s < KNOWN_SHARE}
        card["known_prompts"] = list(dict.fromkeys(good + [p for p in card["known_prompts"] if p not in bad]))
        card["limits"].append(
            "obeyed in fewer than 75 % of clips of 2, 4, 6 and 8 s: "
            + ", ".join(f"{p} ({s:.0%})" for p, s in bad.items())
        )
    args.out.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps({"prompts": len(card["known_prompts"])}))


if __name__ == "__main__":
    main()
