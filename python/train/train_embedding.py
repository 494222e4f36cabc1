"""Train the text-motion embedding: two towers, InfoNCE without false negatives.

Pairs of the same narrow action and style, or with the same words, are not used as negatives of one another, unless
their captions say another side, number or pace. What is said of a side comes with its mirror image in the same batch.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import random
import re
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from batches import Batch, collate, fixed_batches
from config import TrainConfig
from data import Item, MotionData, Sampler, drawn
from judge import Judge, new_judge
from kinematics import mirrored
from networks import Networks, learn_words, load_package, package_constants, text_buffers
from stitch import Stitcher
from text import known_words, other_side
from tokens import TextBatcher

BATCH = 96
LONGEST = 120  # frames in validation
OPPOSED = (
    {"left": "left", "right": "right"},
    {"once": "1", "twice": "2", "two": "2", "three": "3"},
    {"slowly": "slow", "slow": "slow", "unhurriedly": "slow", "quickly": "quick", "fast": "quick", "briskly": "quick"},
)
# classes whose members show different things
BROAD = (
    "other",
    "dance",
    "sport",
    "fight",
    "carry",
    "floor",
    "acrobatics",
    "transition",
    "stop_start",
    "crouch",
    "jump",
)


def towers(networks: Networks | Judge, texts: TextBatcher, batch: Batch) -> tuple[Tensor, Tensor]:
    """Unit text and motion vectors of a batch."""
    ids, token_mask = texts(batch.captions)
    text = F.normalize(networks.embed_text(ids, token_mask).float(), dim=1)
    return text, networks.embed_motion(batch.features, batch.mask).float()


def said(caption: str) -> list[set[str]]:
    """What a caption says of side, number and pace."""
    words = re.findall(r"[a-z]+", caption.lower())
    return [{axis[w] for w in words if w in axis} for axis in OPPOSED]


def opposed(a: list[set[str]], b: list[set[str]]) -> bool:
    """Whether two captions say different things on one of the axes."""
    return any(x and y and not x & y for x, y in zip(a, b, strict=True))


def contrastive_loss(text: Tensor, motion: Tensor, scale: Tensor, batch: Batch) -> Tensor:
    """Symmetric InfoNCE; false negatives are left out."""
    logits = text @ motion.T * scale
    actions, captions = np.array(batch.actions), np.array(batch.captions)
    words = np.array([" ".join(sorted(s.captions)) for s in batch.segments])
    styles = np.array([s.style for s in batch.segments])
    narrow = ~np.isin(actions, BROAD)
    same = (actions[:, None] == actions[None]) & narrow[:, None] & (styles[:, None] == styles[None])
    same |= words[:, None] == words[None]
    axes = [said(caption) for caption in captions]
    same &= ~np.array([[opposed(a, b) for b in axes] for a in axes])
    same |= captions[:, None] == captions[None]
    np.fill_diagonal(same, False)
    logits = logits.masked_fill(torch.from_numpy(same), -1e4)
    target = torch.arange(len(actions))
    return 0.5 * (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target))


def draw(data: MotionData, sampler: Sampler, stitcher: Stitcher, rng: random.Random, config: TrainConfig) -> Batch:
    """A batch as the denoiser's training draws it, and the mirror images of half of those that name a side."""
    items = [drawn(data, stitcher, segment, config, rng) for segment in sampler.draw(rng, BATCH)]
    for item in list(items):
        other = other_side(item.caption)
        if other != item.caption and rng.random() < 0.5:
            at = item.segment.start + item.start
            shown = item.features if item.features is not None else np.array(data.features[at : at + item.frames])
            items.append(Item(item.segment, item.start, item.frames, other, mirrored(shown)))
    return collate(data, items)


@torch.no_grad()
def side_precision(networks: Networks | Judge, data: MotionData, texts: TextBatcher) -> dict[str, float]:
    """Share of validation clips with a side that are nearer to their caption than to its mirrored words."""
    segments = [s for s in data.split("val") if other_side(s.captions[0]) != s.captions[0]]
    right = total = 0
    for batch in fixed_batches(data, segments, 64, LONGEST):
        text, motion = towers(networks, texts, batch)
        batch.captions = [other_side(caption) for caption in batch.captions]
        other, _ = towers(networks, texts, batch)
        right += int(((text * motion).sum(1) > (other * motion).sum(1)).sum())
        total += len(motion)
    return {"side_precision": right / max(total, 1), "sided_clips": total}


@torch.no_grad()
def r_precision(networks: Networks | Judge, data: MotionData, texts: TextBatcher, group: int = 32) -> dict[str, float]:
    """Share of validation clips whose own caption is among the nearest of 32; equal captions count as own."""
    segments = data.split("val")
    random.Random(0).shuffle(segments)
    text, motion, words = [], [], []
    for batch in fixed_batches(data, segments, 64, LONGEST):
        t, m = towers(networks, texts, batch)
        text.append(t)
        motion.append(m)
        words += batch.captions
    t, m = torch.cat(text), torch.cat(motion)
    order = torch.randperm(len(words), generator=torch.Generator().manual_seed(0)).tolist()
    hits = {1: 0, 3: 0}
    total = 0
    for i in range(0, len(order) - group + 1, group):
        rows = order[i : i + group]
        scores = m[rows] @ t[rows].T
        for k, row in enumerate(rows):
            best = scores[k].argsort(descending=True)[:3].tolist()
            right = [words[rows[j]] == words[row] for j in best]
            hits[1] += right[0]
            hits[3] += any(right)
            total += 1
    return {f"r_precision_top{k}": v / max(total, 1) for k, v in hits.items()} | {"clips": total}


def measured(networks: Networks | Judge, data: MotionData, texts: TextBatcher) -> dict[str, float]:
    """What the log says of the held-out clips."""
    return r_precision(networks, data, texts) | side_precision(networks, data, texts)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--init-from", type=Path)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--judge", action="store_true", help="the networks of judge.py, on clean clips; needs --table")
    args = parser.parse_args()
    config = TrainConfig(seed=args.seed)
    torch.manual_seed(args.seed)
    data = MotionData(args.data, package_constants(args.init_from) if args.init_from else None)
    texts = TextBatcher(args.tokenizer)
    if args.judge:
        known = known_words(texts.tokenizer, [c for s in data.segments for c in s.captions])
        networks = new_judge(np.load(args.table), known)
    elif args.init_from:
        networks = Networks(config, *text_buffers(args.init_from))
        load_package(networks, args.init_from)
        learn_words(
            networks, torch.from_numpy(known_words(texts.tokenizer, [c for s in data.segments for c in s.captions]))
        )
    else:
        known = known_words(texts.tokenizer, [c for s in data.segments for c in s.captions])
        networks = Networks(config, torch.from_numpy(np.load(args.table)), torch.from_numpy(known))
    own = {n: p for n, p in networks.named_parameters() if n.startswith(("embed_", "temperature"))}
    ema = copy.deepcopy(networks).eval()
    shadow = [p for n, p in ema.named_parameters() if n in own]
    optimizer = torch.optim.AdamW(own.values(), lr=args.lr, weight_decay=0.05, fused=True)
    sampler, stitcher = Sampler(data.split("train"), config), data.stitcher()
    rng = random.Random(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    log = (args.out / "log.jsonl").open("a", buffering=1)
    networks.train()
    begun, step, losses = time.monotonic(), 0, []
    while (progress := (time.monotonic() - begun) / (60 * args.minutes)) < 1:
        batch = draw(data, sampler, stitcher, rng, config)
        if not args.judge:  # half-denoised clips are judged too when the embedding guides a sampler
            sigma = 0.5 * torch.rand(len(batch.captions), 1, 1).square()
            batch.features += sigma * torch.randn(batch.features.shape)
        with torch.autocast("cpu", torch.bfloat16):
            text, motion = towers(networks, texts, batch)
        loss = contrastive_loss(text, motion, networks.temperature.exp().clamp(max=50), batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(own.values()), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = args.lr * min(1, (step + 1) / 50) * (0.02 + 0.49 * (1 + math.cos(math.pi * progress)))
        optimizer.step()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(shadow, list(own.values()), 1 - min(0.99, (1 + step) / (10 + step)))
        losses.append(loss.item())
        if step % 100 == 0:
            line = {"step": step, "minutes": (time.monotonic() - begun) / 60, "loss": float(np.mean(losses))}
            log.write(json.dumps(line | measured(ema, data, texts)) + "\n")
            losses.clear()
    log.write(json.dumps({"step": step, "final": True} | measured(ema, data, texts)) + "\n")
    state = {"ema": ema.state_dict(), "config": config.to_dict(), "step": step}
    torch.save(state, args.out / "embedding.tmp")
    os.replace(args.out / "embedding.tmp", args.out / "embedding.pt")


if __name__ == "__main__":
    main()
