"""Train the denoiser and its text tower on a data set of `kinograd dataset build`.

The learning rate is held, then falls to nothing at the end of the wall-clock budget `--minutes`, so that a
run always ends annealed. The run resumes from `--out/last.pt` if that is there. Log: `--out/log.jsonl`.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from batches import Batch, fixed_batches, training_batches
from config import TRAIN_STEPS, TrainConfig
from data import MotionData
from losses import PARTS, MotionLoss, limb_sides, local_joints, part_means
from networks import (
    PROBE_ACTIONS,
    PROBE_LIMBS,
    PROBE_MOTION,
    Networks,
    learn_words,
    load_package,
    package_constants,
    text_buffers,
)
from optimizer import HybridOptimizer
from text import SIDE, known_words, other_side
from tokens import TextBatcher

VAL_LEVELS = (50, 250, 450, 650, 800, 900, 960, 990)


class Trainer:
    """Holds the run's state and advances it step by step."""

    def __init__(self, args: argparse.Namespace, config: TrainConfig) -> None:
        self.args, self.config = args, config
        torch.manual_seed(config.seed)
        self.stored = args.out / "last.pt"
        begin = self.stored if self.stored.exists() else args.init_from
        state = None
        if begin is not None and begin.is_file():
            state = torch.load(begin, weights_only=False, map_location="cpu")
            constants, table, known = state, state["table"], state["known"]
        elif begin is not None:
            constants = package_constants(begin)
            table, known = text_buffers(begin)
        self.data = MotionData(args.data, constants if begin is not None else None)
        self.texts = TextBatcher(args.tokenizer)
        captions = [c for s in self.data.segments for c in s.captions]
        words = torch.from_numpy(known_words(self.texts.tokenizer, captions))
        if begin is None:
            table, known = torch.from_numpy(np.load(args.table)), words
        self.networks = Networks(config, table, known)
        if begin is not None and state is None:
            load_package(self.networks, begin)
        elif state is not None:
            self.networks.load_state_dict(state["model"])
        if begin is not None and begin != self.stored:
            learn_words(self.networks, words)
        self.ema = copy.deepcopy(self.networks).eval()
        mean, std = torch.from_numpy(self.data.mean), torch.from_numpy(self.data.std)
        train = np.asarray(self.data.features[:60000]) - self.data.mean
        self.loss = MotionLoss(config.loss, mean, std, torch.from_numpy(train / self.data.std).float())
        self.optimizer = HybridOptimizer(self.networks, config)
        names = sorted({s.action for s in self.data.segments})
        if len(names) > PROBE_ACTIONS:
            raise SystemExit(f"the data set has {len(names)} actions, the probe holds {PROBE_ACTIONS}")
        self.actions = {name: i for i, name in enumerate(names)}
        if args.compile:
            self.networks.denoiser.compile(dynamic=True)
            self.loss.terms = torch.compile(self.loss.terms, dynamic=True)
        self.step, self.elapsed = 0, 0.0

    def progress(self) -> float:
        """Share of the wall-clock budget that is used, 0 to 1."""
        return min(1.0, self.elapsed / (60 * self.config.minutes))

    def learning_rate(self) -> float:
        """As a share of the peak: linear warm-up by steps, hold, linear decay by wall clock to 1 %."""
        warm = min(1.0, (self.step + 1) / self.config.warmup_steps)
        falling = (1 - self.progress()) / (1 - self.config.hold) if self.config.hold < 1 else 1.0
        return warm * min(1.0, 0.01 + 0.99 * falling)

    def noised(self, x0: Tensor, t: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """x_t at integer levels `t` `[b]`."""
        a = self.loss.alpha_bar[t].float()[:, None, None]
        noise = torch.randn(x0.shape, generator=generator)
        return a.sqrt() * x0 + (1 - a).sqrt() * noise

    def draw_levels(self, count: int) -> Tensor:
        """Stratified levels, most of them noisy: there the text decides, elsewhere x_t tells nearly all."""
        c = self.config
        u = (torch.randperm(count) + torch.rand(count)) / count
        clear = u / (1 - c.noisy_share) * c.noisy_from
        noisy = c.noisy_from + (u - (1 - c.noisy_share)) / c.noisy_share * (TRAIN_STEPS - c.noisy_from)
        return torch.where(u < 1 - c.noisy_share, clear, noisy).long().clamp(0, TRAIN_STEPS - 1)

    def probe_losses(self, probe: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Can action, root motion of each quarter, spread of its height and busier side be read off the condition?"""
        actions = torch.tensor([self.actions[a] for a in batch.actions])
        count = batch.mask.sum(1, keepdim=True)
        root = batch.features[:, :, :4]
        means = part_means(root, batch.mask, PARTS)
        height = root[:, :, 3] - (root[:, :, 3] * batch.mask).sum(1, keepdim=True) / count
        spread = ((height * batch.mask).square().sum(1, keepdim=True) / count).sqrt()
        wanted = torch.cat([means.flatten(1), spread], 1).clamp(-4, 4)
        motion = probe[:, PROBE_ACTIONS : PROBE_ACTIONS + PROBE_MOTION]
        local = local_joints(batch.features * self.loss.std + self.loss.mean)
        limbs = F.mse_loss(probe[:, -PROBE_LIMBS:], limb_sides(local, batch.mask))
        return {
            "action": self.config.loss.action * F.cross_entropy(probe[:, :PROBE_ACTIONS], actions),
            "motion": self.config.loss.motion * F.mse_loss(motion, wanted),
            "limb": self.config.loss.limb * limbs,
        }

    def side_loss(self, captions: list[str], told: Tensor) -> dict[str, Tensor]:
        """How alike are the conditions of what differs in its side alone? `told` `[b, d]`, of the captions."""
        rows = [i for i, caption in enumerate(captions) if SIDE.search(caption)]
        if not rows:
            return {}
        with torch.autocast("cpu", torch.bfloat16):
            others = self.networks.text(*self.texts([other_side(captions[i]) for i in rows]))
        # From the mean of the batch, which every text shares.
        mean = told.mean(0).detach()
        cosine = F.cosine_similarity((told[rows] - mean).float(), (others - mean).float())
        c = self.config.loss
        return {"side": c.side * F.relu(cosine - c.side_cosine).mean()}

    def train_step(self, batch: Batch) -> dict[str, float]:
        """One optimizer step; returns the mean terms."""
        b = batch.features.shape[0]
        t = self.draw_levels(b)
        ids, token_mask = self.texts(batch.captions)
        dropped = (torch.rand(b) < self.config.drop_text).float()
        x_t = self.noised(batch.features, t)
        with torch.autocast("cpu", torch.bfloat16):
            told = self.networks.text(ids, token_mask)
            probe = self.networks.probe(told).float()
            condition = self.networks.mixed(told, token_mask, dropped)
            predicted = self.networks.denoiser(x_t, t.float(), condition, batch.mask)
        terms = self.loss.terms(predicted.float(), batch.features, batch.mask, t)
        weights = self.loss.sample_weights(t)
        probes = self.probe_losses(probe, batch) | self.side_loss(batch.captions, told)
        loss = (sum(terms.values()) * weights).mean() + sum(probes.values())
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.optimizer.parameters, self.config.clip)
        if torch.isfinite(norm):
            self.optimizer.step(self.learning_rate())
        else:
            self.optimizer.clear()
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            targets = [p for n, p in self.ema.named_parameters() if not n.startswith(("embed_", "temperature"))]
            torch._foreach_lerp_(targets, self.optimizer.parameters, 1 - decay)
        self.step += 1
        means = {k: v.mean().item() for k, v in (terms | probes).items()}
        return {"loss": loss.item(), "grad": norm.item()} | means

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean squared error of the EMA's x̂0 on held-out clips at fixed levels and noise."""
        generator = torch.Generator().manual_seed(1)
        sums: dict[str, float] = defaultdict(float)
        total = 0.0
        for batch in fixed_batches(self.data, self.data.split("val"), 16, 120):
            ids, token_mask = self.texts(batch.captions)
            condition = self.ema.condition(ids, token_mask)
            for level in VAL_LEVELS:
                t = torch.full((len(batch.captions),), level)
                x_t = self.noised(batch.features, t, generator)
                with torch.autocast("cpu", torch.bfloat16):
                    x0 = self.ema.denoiser(x_t, t.float(), condition, batch.mask).float()
                error = (x0 - batch.features).square() * batch.mask[:, :, None]
                sums["val"] += error.mean(-1).sum().item()
                sums["val_positions"] += error[:, :, :67].mean(-1).sum().item()
                sums[f"val_{level}"] += error.mean(-1).sum().item() * len(VAL_LEVELS)
                total += batch.mask.sum().item()
        return {k: v / max(total, 1.0) for k, v in sums.items()}

    def save(self) -> None:
        """Write the checkpoint, atomically."""
        state = {
            "config": self.config.to_dict(),
            "model": self.networks.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "elapsed": self.elapsed,
            "table": self.networks.text.table,
            "known": self.networks.text.known,
            "mean": self.data.mean,
            "std": self.data.std,
            "tokenizer": str(self.args.tokenizer),
            "recipe": self.config.recipe(),
            "digest": self.data.digest,
        }
        torch.save(state, self.args.out / "last.tmp")
        os.replace(self.args.out / "last.tmp", self.stored)

    def resume(self) -> None:
        """Continue from the last checkpoint, if any."""
        if self.stored.exists():
            state = torch.load(self.stored, weights_only=False, map_location="cpu")
            refuse_other_run(state, self.config.recipe(), self.data.digest, self.stored)
            self.networks.load_state_dict(state["model"])
            self.ema.load_state_dict(state["ema"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.elapsed = state["step"], state["elapsed"]

    def run(self) -> None:
        """Train until the budget is used."""
        self.args.out.mkdir(parents=True, exist_ok=True)
        self.resume()
        log = (self.args.out / "log.jsonl").open("a", buffering=1)
        batches = training_batches(self.data, self.config, self.config.seed + self.step)
        window: dict[str, list[float]] = defaultdict(list)
        saved = validated = self.elapsed
        if self.step == 0 and self.args.init_from:
            log.write(json.dumps({"step": 0, "minutes": 0.0} | self.validate()) + "\n")
        last = time.monotonic()
        self.networks.train()
        while self.progress() < 1 and (not self.args.steps or self.step < self.args.steps):
            for k, v in self.train_step(next(batches)).items():
                window[k].append(v)
            now = time.monotonic()
            self.elapsed += now - last
            last = now
            done = self.progress() >= 1
            if self.step % 20 == 0:
                line = {"step": self.step, "minutes": round(self.elapsed / 60, 2), "lr": self.learning_rate()}
                line |= {k: round(float(np.mean(v)), 5) for k, v in window.items()}
                log.write(json.dumps(line) + "\n")
                window.clear()
            if self.elapsed - validated > 60 * self.args.validate_minutes or done:
                log.write(
                    json.dumps({"step": self.step, "minutes": round(self.elapsed / 60, 2)} | self.validate()) + "\n"
                )
                validated = self.elapsed
            if self.elapsed - saved > 60 * self.args.save_minutes or done:
                self.save()
                saved = self.elapsed
        self.save()


def refuse_other_run(state: dict, recipe: dict, digest: str, stored: Path) -> None:
    """End, with the setting's name, where a checkpoint is of another recipe or another data set."""
    if (old := state.get("digest")) != digest:
        raise SystemExit(f"{stored} was trained on another data set ({old}, not {digest}); choose another --out")
    before = state.get("recipe", {})
    for key in sorted(set(before) | set(recipe)):
        if before.get(key) != recipe.get(key):
            values = f"{before.get(key)}, not {recipe.get(key)}"
            raise SystemExit(f"{stored} was trained with another {key}: {values}; choose another --out")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of kinograd dataset build")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--table", type=Path, help="table.npy of distill_text.py")
    parser.add_argument("--init-from", type=Path, help="model package, or checkpoint of another run, to start from")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--steps", type=int, help="stop after so many steps")
    parser.add_argument("--lr", type=float)
    parser.add_argument("--muon-lr", type=float, help="0 trains all with AdamW")
    parser.add_argument("--text-lr", type=float)
    parser.add_argument("--hold", type=float, help="share of the budget before the learning rate falls")
    parser.add_argument("--drop-path", type=float)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--compile", action="store_true", help="torch.compile: slow at first, faster then; needs g++")
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save-minutes", type=float, default=3)
    parser.add_argument("--validate-minutes", type=float, default=5)
    args = parser.parse_args()
    if not args.table and not args.init_from:
        parser.error("give --table or --init-from")
    config = TrainConfig(minutes=args.minutes, seed=args.seed)
    config.lr = args.lr or config.lr
    config.muon_lr = config.muon_lr if args.muon_lr is None else args.muon_lr
    config.text_lr = args.text_lr or config.text_lr
    config.hold = config.hold if args.hold is None else args.hold
    if args.drop_path is not None:
        config.denoiser.drop_path = args.drop_path
    if args.threads:
        torch.set_num_threads(args.threads)
    config.tokens_per_step = args.tokens or config.tokens_per_step
    Trainer(args, config).run()


if __name__ == "__main__":
    main()
