"""The data set of `kinograd dataset build` and the batches drawn from it."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from config import FEATURES, MAX_FRAMES, MIN_FRAMES, PATCH, TrainConfig
from text import reword

BUCKET = 5 * PATCH
MIN_STD = 1e-3
LARGEST = 12.0


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


@dataclass
class Batch:
    """Normalised features `[b, frames, 263]`, mask `[b, frames]`, and what they show."""

    features: Tensor
    mask: Tensor
    captions: list[str]
    actions: list[str]
    segments: list[Segment]


class MotionData:
    """Features in memory and the list of usable segments."""

    def __init__(self, folder: Path) -> None:
        self.features = np.load(folder / "features.npy", mmap_mode="r")
        self.mean = np.load(folder / "mean.npy").astype(np.float32)
        self.std = np.maximum(np.load(folder / "std.npy").astype(np.float32), MIN_STD)
        if self.features.shape[1] != FEATURES:
            raise SystemExit(f"features.npy: expected {FEATURES} columns, got {self.features.shape[1]}")
        self.segments: list[Segment] = []
        for clip in json.loads((folder / "index.json").read_text())["clips"]:
            for s in clip["segments"]:
                if s["frames"] >= MIN_FRAMES and s["captions"]:
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
                        )
                    )

    def split(self, name: str) -> list[Segment]:
        """Segments of `train` or `val`; validation leaves the mirrored copies out."""
        return [s for s in self.segments if s.split == name and (name == "train" or not s.mirrored)]

    def window(self, segment: Segment, start: int, frames: int) -> np.ndarray:
        """Normalised features of part of a segment."""
        at = segment.start + start
        z = (np.asarray(self.features[at : at + frames]) - self.mean) / self.std
        return z.clip(-LARGEST, LARGEST)  # heading flips of acrobatics

    def collate(self, items: list[tuple[Segment, int, int, str]]) -> Batch:
        """Pad (segment, start, frames, caption) items to a common length, a multiple of `BUCKET`."""
        longest = max(frames for _, _, frames, _ in items)
        width = -(-longest // BUCKET) * BUCKET
        features = np.zeros((len(items), width, FEATURES), np.float32)
        mask = np.zeros((len(items), width), np.float32)
        for i, (segment, start, frames, _) in enumerate(items):
            features[i, :frames] = self.window(segment, start, frames)
            mask[i, :frames] = 1
        return Batch(
            torch.from_numpy(features),
            torch.from_numpy(mask),
            [caption for *_, caption in items],
            [segment.action for segment, *_ in items],
            [segment for segment, *_ in items],
        )


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

    Within an action what is said rarely comes oftener: a first caption's share is the root of its frames.
    """

    def __init__(self, segments: list[Segment], balance: float, emphasis: dict[str, float]) -> None:
        self.segments = segments
        said: dict[tuple[str, str], float] = defaultdict(float)
        for s in segments:
            said[s.action, s.captions[0]] += s.frames
        evened = [s.frames / said[s.action, s.captions[0]] ** 0.5 for s in segments]
        frames: dict[str, float] = defaultdict(float)
        weights: dict[str, float] = defaultdict(float)
        for s, w in zip(segments, evened, strict=True):
            frames[s.action] += s.frames
            weights[s.action] += w
        share = {a: emphasis.get(a, 1.0) * frames[a] ** balance / weights[a] for a in frames}
        self.weights = [w * share[s.action] for s, w in zip(segments, evened, strict=True)]

    def draw(self, rng: random.Random, count: int) -> list[Segment]:
        """`count` segments with replacement."""
        return rng.choices(self.segments, self.weights, k=count)


def training_batches(data: MotionData, config: TrainConfig, seed: int) -> Iterator[Batch]:
    """Endless batches of similar lengths with about `config.tokens_per_step` patches each."""
    rng = random.Random(seed)
    tokens = config.tokens_per_step
    sampler = Sampler(data.split("train"), config.balance, config.emphasis)
    while True:
        pool = []
        for segment in sampler.draw(rng, 1024):
            start, frames = choose_window(segment, rng)
            pool.append((segment, start, frames, reword(rng.choice(segment.captions), rng)))
        buckets: dict[int, list] = defaultdict(list)
        for item in pool:
            buckets[-(-item[2] // BUCKET)].append(item)
        groups = []
        for bucket, items in buckets.items():
            size = max(1, tokens // (bucket * BUCKET // PATCH))
            groups += [items[i : i + size] for i in range(0, len(items), size)]
        rng.shuffle(groups)
        # a short rest group would waste a step: keep it with the probability of its fill
        for group in groups:
            full = max(1, tokens // (-(-group[0][2] // BUCKET) * BUCKET // PATCH))
            if rng.random() < len(group) / full:
                yield data.collate(group)


def fixed_batches(data: MotionData, segments: list[Segment], size: int, longest: int = MAX_FRAMES) -> list[Batch]:
    """One centred window of every segment, sorted by length; the same on every call."""
    items = []
    for s in segments:
        frames = min(s.frames, longest) // PATCH * PATCH
        items.append((s, (s.frames - frames) // 2, frames, s.captions[0]))
    items.sort(key=lambda item: item[2])
    return [data.collate(items[i : i + size]) for i in range(0, len(items), size)]
