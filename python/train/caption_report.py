"""What a data set says of its clips: seconds per action, style and source, and whose own words are lost.

    python caption_report.py --data DATASET --manifest MOCAP/manifest.csv --out report.json

A clip's own words are lost where no caption of the segments over a stretch has one of its telling words:
the words of its hand-written captions that are more than gaits, directions and turns.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import defaultdict
from pathlib import Path

import numpy as np

from config import FPS
from wordings import DOERS, PLACES, WHOLE, WITHIN, all_wordings, parted

# Words of gaits, directions and turns, of subjects, and those that tell nothing.
PLAIN = set(
    re.findall(
        r"[a-z]+",
        """
    a about abrupt abruptly accelerates acceleration again ahead along an and angles another arm around as at
    away back backward backwards bearing begins bend body brakes breaks brisk briskly by change changes changing
    circle circles comes curve curves degree degrees different direction directions distance dodges down each
    easy far fast few five foot for forty forward forwards free freely from gentle gets goes going half halt
    halts heads her his in into is it its jog jogger jogging jogs keeps left line long makes making man middle
    moves moving natural ninety normal of on one onto out over pace path pauses person pivot pivots place plants
    quick quickly relaxed repeatedly right roams room round run running runs sharp sharply she side sidesteps
    sideways sizes slightly slow slowly slows somebody someone speed speeds spot stand standing stands start
    starting starts step stepping steps still stop stopping stops straight stride strides sudden suddenly swing
    takes taking the their then there they through time times to turn turning turns until up veers walk walking
    walks warm way weaves while will winding with
""",
    )
)


def telling(captions: list[str]) -> set[str]:
    """The words that say more than gaits, directions and turns."""
    return {word for caption in captions for word in re.findall(r"[a-z]+", caption.lower())} - PLAIN


def subject(source: str) -> str:
    """The performer in a clip's id, as far as the id tells."""
    for pattern in (r"^(mhad__s\d+)", r"^(accad__[A-Za-z]+\d)", r"^(g1moves__[A-Z])", r"^(cmu_c2s__[a-z]+)"):
        if found := re.match(pattern, source):
            return found[1]
    if found := re.match(r"^cmu_\w+?__(?:indian)?(\d+)_", source):
        return f"cmu_{found[1]}"
    return source.split("__")[0]


def covered(clip: dict, kind: str) -> dict[str, float]:
    """Seconds under segments of each value of `kind`."""
    marks: dict[str, np.ndarray] = {}
    for segment in clip["segments"]:
        if value := segment.get(kind):
            row = marks.setdefault(value, np.zeros(clip["frames"], bool))
            row[segment["start"] : segment["start"] + segment["frames"]] = True
    return {value: float(row.sum()) / FPS for value, row in marks.items()}


def own_words(clip: dict, captions: list[str]) -> dict[str, float]:
    """Seconds of one clip under segments, those whose telling words are lost, those of a clip that kept no caption."""
    told = np.zeros(clip["frames"], bool)
    kept = np.zeros(clip["frames"], bool)
    words = telling(captions)
    verbatim = False
    for segment in clip["segments"]:
        at = slice(segment["start"], segment["start"] + segment["frames"])
        told[at] = True
        verbatim |= any(caption in captions for caption in segment["captions"])
        if not words or words & telling(segment["captions"]):
            kept[at] = True
    seconds = float(told.sum()) / FPS
    return {
        "segmented": seconds,
        "words_lost": float((told & ~kept).sum()) / FPS,
        "no_caption_kept": 0.0 if verbatim else seconds,
    }


def report(index: dict, manifest: dict[str, list[str]]) -> dict:
    """All tables, over the train split without mirrored copies, and the subjects of both splits."""
    tables = {kind: defaultdict(float) for kind in ("action", "style", "family")}
    totals: dict[str, float] = defaultdict(float)
    lost: dict[str, float] = {}
    unkept = 0
    clips = [c for c in index["clips"] if not c["mirrored"]]
    train = [c for c in clips if c["split"] == "train"]
    for clip in train:
        own = own_words(clip, manifest.get(clip["source_id"], []))
        for key, value in own.items():
            totals[key] += value
        unkept += own["no_caption_kept"] > 0
        if own["words_lost"] > 0:
            lost[clip["id"]] = round(own["words_lost"], 1)
        for kind in ("action", "style"):
            for value, seconds in covered(clip, kind).items():
                tables[kind][value] += seconds
        tables["family"][clip["family"]] += own["segmented"]
    subjects = {split: {subject(c["source_id"]) for c in clips if c["split"] == split} for split in ("train", "val")}
    return {
        "clips": len(train),
        "clips_that_keep_no_caption": unkept,
        "seconds": {key: round(value, 1) for key, value in totals.items()},
        **{
            f"seconds_per_{kind}": {k: round(v, 1) for k, v in sorted(table.items(), key=lambda i: -i[1])}
            for kind, table in tables.items()
        },
        "subjects_held_out": sorted(subjects["val"] - subjects["train"]),
        "subjects_in_both_splits": sorted(subjects["val"] & subjects["train"]),
        "words_lost_seconds": dict(sorted(lost.items(), key=lambda i: -i[1])),
    }


def prompt_seconds(index: dict, prompts: list[str]) -> dict[str, float]:
    """Seconds of training clip under segments with exactly this caption, without mirrored copies."""
    found = {}
    for prompt in prompts:
        total = 0.0
        for clip in index["clips"]:
            if clip["split"] == "train" and not clip["mirrored"]:
                marks = np.zeros(clip["frames"], bool)
                for s in clip["segments"]:
                    if prompt in s["captions"]:
                        marks[s["start"] : s["start"] + s["frames"]] = True
                total += float(marks.sum()) / FPS
        found[prompt] = round(total, 1)
    return found


def other_words(index: dict) -> dict[str, float]:
    """What `wordings.toml` holds, and for what share of the training captions, by seconds, mirrored ones too."""
    rows = [*WHOLE, *WITHIN]
    seconds: dict[int, float] = defaultdict(float)
    for clip in index["clips"]:
        for segment in clip["segments"] if clip["split"] == "train" else ():
            for caption in segment["captions"]:
                told = parted(caption.lower())
                seconds[len(all_wordings(told[1])) if told else 0] += segment["frames"] / FPS / len(segment["captions"])
    whole = sum(seconds.values())
    return {
        "rows": len(rows),
        "phrases": sum(len(others) for _, others in rows),
        "doers": len(DOERS),
        "places": len(PLACES),
        "share_with_one": round(sum(v for k, v in seconds.items() if k >= 1) / whole, 4),
        "share_with_ten": round(sum(v for k, v in seconds.items() if k >= 10) / whole, 4),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--prompts", type=Path, help="text file, one prompt a line: adds the seconds of data of each")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    with args.manifest.open(encoding="utf-8-sig", newline="") as file:
        manifest = {row["id"]: row["captions"].split("|") for row in csv.DictReader(file)}
    index = json.loads((args.data / "index.json").read_text())
    found = report(index, manifest) | {"other_words": other_words(index)}
    if args.prompts:
        prompts = [line.strip() for line in args.prompts.read_text().splitlines() if line.strip()]
        found["seconds_per_prompt"] = prompt_seconds(index, prompts)
    print(json.dumps({k: v for k, v in found.items() if k != "words_lost_seconds"}))
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
