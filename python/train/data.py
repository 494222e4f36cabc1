"""The data set of `kinograd dataset build`, what is refused of it, and how its segments are drawn."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from config import ACTIONS, FEATURES, MAX_FRAMES, MIN_FRAMES, PATCH, TrainConfig
from facts import paced, with_facts
from stitch import GAITS, JOINED, Stitcher, Stretch, goes_on
from text import reword

SUBJECTS = r"^(?:a person|someone|the person) "
STOPS = re.compile(SUBJECTS + r"walks(?: forward)?(?: and stops|,? (?:and )?then stands still)$")
STARTS = re.compile(
    SUBJECTS + r"(?:stands(?: still)?,? (?:and )?then (?:starts walking|walks)|starts walking)(?: forward)?$"
)
WALKS = re.compile(r"^a person walks(?: forward)?$")
MIN_STD = 1e-3
LARGEST = 12.0
PACED = ("walk", "walk_backward", "sidestep_left", "sidestep_right", "turn_left", "turn_right")


@dataclass(frozen=True)
class Segment:
    """A described stretch of one clip; `start` counts frames of `features.npy`."""

    clip: str
    source: str
    split: str
    mirrored: bool
    start: int
    frames: int
    action: str
    captions: tuple[str, ...]
    croppable: bool
    style: str = ""
    family: str = ""


@dataclass
class Item:
    """A window of a segment and its caption; `features` where it was made longer, `[frames, 263]`."""

    segment: Segment
    start: int
    frames: int
    caption: str
    features: np.ndarray | None = None


class MotionData:
    """Features in memory and the list of usable segments."""

    def __init__(self, folder: Path, constants: Mapping[str, np.ndarray] | None = None) -> None:
        """`constants`: `mean` and `std` of a model that goes on; its weights fit its own, not the data set's."""
        self.features = np.load(folder / "features.npy", mmap_mode="r")
        given = constants or {k: np.load(folder / f"{k}.npy") for k in ("mean", "std")}
        self.mean = given["mean"].astype(np.float32)
        self.std = np.maximum(given["std"].astype(np.float32), MIN_STD)
        if self.features.shape[1] != FEATURES:
            raise SystemExit(f"features.npy: expected {FEATURES} columns, got {self.features.shape[1]}")
        self.segments: list[Segment] = []
        index = (folder / "index.json").read_bytes()
        self.digest = hashlib.sha256(index).hexdigest()[:16]
        self.clips = json.loads(index)["clips"]
        for clip in self.clips:
            self._check(clip)
            for s in clip["segments"]:
                if s["frames"] >= MIN_FRAMES:
                    self.segments.append(
                        Segment(
                            clip["id"],
                            clip["source_id"],
                            clip["split"],
                            clip["mirrored"],
                            clip["offset"] + s["start"],
                            s["frames"],
                            s["action"],
                            tuple(s["captions"]),
                            s["croppable"],
                            s.get("style") or "",
                            clip["family"],
                        )
                    )

    def _check(self, clip: dict) -> None:
        """Refuse, with its name, a clip that cannot be learnt from."""
        name = clip["id"]
        if clip["split"] not in ("train", "val", "test"):
            raise SystemExit(f"clip {name}: unknown split {clip['split']!r}")
        if clip["frames"] < 2:
            raise SystemExit(f"clip {name}: {clip['frames']} frame is no motion")
        if not np.isfinite(self.features[clip["offset"] : clip["offset"] + clip["frames"]]).all():
            raise SystemExit(f"clip {name}: a feature is not finite")
        for s in clip["segments"]:
            if s["action"] not in ACTIONS:
                raise SystemExit(f"clip {name}: unknown action {s['action']!r}")
            if not s["captions"] or not all(re.search(r"[A-Za-z]", c) for c in s["captions"]):
                raise SystemExit(f"clip {name}: a caption is empty")
            if s["start"] + s["frames"] > clip["frames"]:
                raise SystemExit(f"clip {name}: a segment ends after the clip")

    def split(self, name: str) -> list[Segment]:
        """Segments of `train` or `val`; validation leaves the mirrored copies out."""
        return [s for s in self.segments if s.split == name and (name == "train" or not s.mirrored)]

    def window(self, segment: Segment, start: int, frames: int) -> np.ndarray:
        """Normalised features of part of a segment."""
        at = segment.start + start
        z = (np.asarray(self.features[at : at + frames]) - self.mean) / self.std
        return z.clip(-LARGEST, LARGEST)  # heading flips of acrobatics

    def window_raw(self, segment: Segment) -> np.ndarray:
        """Features of a whole segment, not normalised."""
        return np.asarray(self.features[segment.start : segment.start + segment.frames])

    def normalised(self, features: np.ndarray) -> np.ndarray:
        """As `window`, of features that were made."""
        return ((features - self.mean) / self.std).clip(-LARGEST, LARGEST)

    def stitcher(self) -> Stitcher:
        """What actions of the train split are joined to."""
        clips = [(c["offset"], c["frames"]) for c in self.clips if c["split"] == "train"]
        walks = []
        for s in self.split("train"):
            if s.action == "stop_start" and not s.style and 30 <= s.frames <= 100:
                if re.search(r"walks forward and stops", s.captions[0]):
                    walks.append(Stretch(s.start, s.frames, "walks"))
                elif re.search(r"starts walking forward", s.captions[0]):
                    walks.append(Stretch(s.start, s.frames, "then walks"))
        gaits = [
            (s.start, s.frames)
            for s in self.split("train")
            if s.action == "walk" and not s.style and s.croppable and WALKS.match(s.captions[0])
        ]
        return Stitcher(self.features, clips, walks, gaits)


def choose_window(segment: Segment, rng: random.Random) -> tuple[int, int]:
    """A start and a length, a multiple of the patch: a random crop where the captions hold for it."""
    limit = min(segment.frames, MAX_FRAMES) // PATCH
    if segment.croppable:
        shortest = min(limit, (MIN_FRAMES if rng.random() < 0.15 else 2 * MIN_FRAMES) // PATCH)
        frames = PATCH * rng.randint(shortest, limit)
        return rng.randint(0, segment.frames - frames), frames
    frames = PATCH * limit
    return rng.randint(0, segment.frames - frames), frames


class Sampler:
    """Draws segments balanced by action: an action's share is its frames to the power `balance`, times its emphasis.

    Within an action each pair of source and style counts by its frames to the power `balance_source`, so that one
    large source does not speak for all; within those what is said rarely comes oftener: a first caption's share is
    the root of its frames.
    """

    def __init__(self, segments: list[Segment], config: TrainConfig) -> None:
        self.segments = segments
        said: dict[tuple, float] = defaultdict(float)
        frames: dict[str, float] = defaultdict(float)
        frames_of: dict[tuple, float] = defaultdict(float)
        for s in segments:
            said[self.group(s), s.captions[0]] += s.frames
            frames[s.action] += s.frames
            frames_of[self.group(s)] += s.frames
        evened = [s.frames / said[self.group(s), s.captions[0]] ** 0.5 for s in segments]
        weight_of: dict[tuple, float] = defaultdict(float)
        for s, w in zip(segments, evened, strict=True):
            weight_of[self.group(s)] += w
        shares: dict[str, float] = defaultdict(float)
        counts = {
            g: count**config.balance_source * (config.styles.get(g[2], 1.0) if g[2] else config.plain)
            for g, count in frames_of.items()
        }
        for group, count in counts.items():
            shares[group[0]] += count
        self.weights = []
        for s, w in zip(segments, evened, strict=True):
            group = self.group(s)
            action = config.emphasis.get(s.action, 1.0) * frames[s.action] ** config.balance
            self.weights.append(action * counts[group] / shares[s.action] * w / weight_of[group])

    @staticmethod
    def group(s: Segment) -> tuple[str, str, str]:
        """Action, source and style."""
        return s.action, s.family, s.style

    def draw(self, rng: random.Random, count: int) -> list[Segment]:
        """`count` segments with replacement."""
        return rng.choices(self.segments, self.weights, k=count)


def drawn(data: MotionData, stitcher: Stitcher, segment: Segment, config: TrainConfig, rng: random.Random) -> Item:
    """A window of a segment, at times joined to what may come before and after, and one of its captions reworded."""
    start, frames = choose_window(segment, rng)
    caption = rng.choice(segment.captions)
    at = segment.start + start
    shown = np.array(data.features[at : at + frames])
    made = made_of(shown, caption, segment, stitcher, config, rng)
    if made is not None:
        shown, caption = made
        shown = shown[: min(len(shown), MAX_FRAMES) // PATCH * PATCH]
    caption = reword(with_facts(shown, caption, segment.action, rng), rng)
    return Item(segment, start, len(shown), caption, None if made is None else shown)


def made_of(
    f: np.ndarray, caption: str, segment: Segment, stitcher: Stitcher, config: TrainConfig, rng: random.Random
) -> tuple[np.ndarray, str] | None:
    """What is made of a window `[n, 263]`, by the segment's action and by chance, and its caption; none: it stays."""
    action, plain = segment.action, not segment.style
    if action == "stop_start" and plain and rng.random() < config.start_stop:
        if STOPS.match(caption):
            return stitcher.stops(f, rng), caption
        if STARTS.match(caption):
            return stitcher.starts(f, rng), caption
    pacing = action in PACED and plain and segment.croppable and rng.random() < config.paced
    if pacing and (found := paced(f, caption, rng)) is not None:
        return found
    if action in JOINED and len(f) <= 130 and plain and rng.random() < config.stitch:
        return stitcher.longer(f, caption, action, rng)
    if action in GAITS and segment.croppable and 40 <= len(f) <= 140 and rng.random() < config.go_on:
        return goes_on(f, PATCH * rng.randint(len(f) // PATCH, MAX_FRAMES // PATCH)), caption
    return None
