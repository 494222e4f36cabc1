"""Batches of windows of similar lengths."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from config import FEATURES, MAX_FRAMES, PATCH, TrainConfig
from data import Item, MotionData, Sampler, Segment, drawn

BUCKET = 5 * PATCH


@dataclass
class Batch:
    """Normalised features `[b, frames, 263]`, mask `[b, frames]`, and what they show."""

    features: Tensor
    mask: Tensor
    captions: list[str]
    actions: list[str]
    segments: list[Segment]


def collate(data: MotionData, items: list[Item]) -> Batch:
    """Pad items to a common length, a multiple of `BUCKET`."""
    longest = max(item.frames for item in items)
    width = -(-longest // BUCKET) * BUCKET
    features = np.zeros((len(items), width, FEATURES), np.float32)
    mask = np.zeros((len(items), width), np.float32)
    for i, item in enumerate(items):
        made = item.features is not None
        shown = data.normalised(item.features) if made else data.window(item.segment, item.start, item.frames)
        features[i, : item.frames] = shown
        mask[i, : item.frames] = 1
    return Batch(
        torch.from_numpy(features),
        torch.from_numpy(mask),
        [item.caption for item in items],
        [item.segment.action for item in items],
        [item.segment for item in items],
    )


def training_batches(data: MotionData, config: TrainConfig, seed: int) -> Iterator[Batch]:
    """Endless batches of similar lengths with about `config.tokens_per_step` patches each."""
    rng = random.Random(seed)
    tokens = config.tokens_per_step
    sampler = Sampler(data.split("train"), config)
    stitcher = data.stitcher()
    while True:
        pool = [drawn(data, stitcher, segment, config, rng) for segment in sampler.draw(rng, 1024)]
        buckets: dict[int, list] = defaultdict(list)
        for item in pool:
            buckets[-(-item.frames // BUCKET)].append(item)
        groups = []
        for bucket, items in buckets.items():
            size = max(1, tokens // (bucket * BUCKET // PATCH))
            groups += [items[i : i + size] for i in range(0, len(items), size)]
        rng.shuffle(groups)
        # a short rest group would waste a step: keep it with the probability of its fill
        for group in groups:
            full = max(1, tokens // (-(-group[0].frames // BUCKET) * BUCKET // PATCH))
            if rng.random() < len(group) / full:
                yield collate(data, group)


def fixed_batches(data: MotionData, segments: list[Segment], size: int, longest: int = MAX_FRAMES) -> list[Batch]:
    """One centred window of every segment, sorted by length; the same on every call."""
    items = []
    for s in segments:
        frames = min(s.frames, longest) // PATCH * PATCH
        items.append(Item(s, (s.frames - frames) // 2, frames, s.captions[0]))
    items.sort(key=lambda item: item.frames)
    return [collate(data, items[i : i + size]) for i in range(0, len(items), size)]
