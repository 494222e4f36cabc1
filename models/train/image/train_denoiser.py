"""Train the unconditional image denoiser.

python -m image.train_denoiser --data emoji.npz --out runs/denoiser --minutes 80
"""

from __future__ import annotations

import argparse
import copy
import json
import os
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from config import TRAIN_STEPS
from image.data import Augmentation, Pictures, augment, on_white
from image.networks import DenoiserSizes, ImageDenoiser
from image.optimizing import Clock, Optimizer, average, share
from losses import cosine_alpha_bar

AUGMENTATION = Augmentation(hue_share=0.2, shift=0.04, scale=0.06)
VAL_LEVELS = (100, 300, 500, 700, 900)
WEIGHT_MAX = 5.0
DULL = 0.35
"""How often lettered and symbol drawings are drawn, against 1 for all others."""


def noised(x0: Tensor, t: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """x_t (Ho et al. 2020, eq. 4)."""
    a = alpha_bar[t][:, None, None, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


class Trainer:
    """One run and its state."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.pictures = Pictures(args.data)
        self.alpha_bar = torch.from_numpy(cosine_alpha_bar()).float()
        torch.manual_seed(args.seed)
        self.sizes = DenoiserSizes()
        self.model = ImageDenoiser(self.sizes).to(memory_format=torch.channels_last)
        self.ema = copy.deepcopy(self.model)
        self.optimizer = Optimizer(self.model, args.lr, args.muon_lr)
        self.step, self.seen, spent = 0, 0, 0.0
        self.stored = args.out / "last.pt"
        if self.stored.exists():
            state = torch.load(self.stored, weights_only=False)
            self.model.load_state_dict(state["model"])
            self.ema.load_state_dict(state["ema"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seen, spent = state["step"], state["seen"], state["minutes"]
        torch.manual_seed(args.seed + self.step)
        self.clock = Clock(args.minutes, spent)
        dull = torch.from_numpy(self.pictures.category == "Symbols") | self.pictures.sided
        self.weights = torch.where(dull, DULL, 1.0)
        self.fast = torch.compile(self.model) if args.compile else self.model

    def batch(self) -> Tensor:
        """Clean pictures `[b, 3, 64, 64]`."""
        index = torch.multinomial(self.weights, self.args.batch, replacement=True)
        colour, alpha = self.pictures.batch(index)
        colour, alpha, _ = augment(colour, alpha, ~self.pictures.sided[index], AUGMENTATION)
        return on_white(colour, alpha).contiguous(memory_format=torch.channels_last)

    def train_step(self) -> dict[str, float]:
        """One update."""
        x0 = self.batch()
        b = len(x0)
        # one level from each of b equal parts: less spread between batches
        t = ((torch.arange(b) + torch.rand(b)) / b * TRAIN_STEPS).long().clamp(max=TRAIN_STEPS - 1)
        x_t = noised(x0, t, torch.randn_like(x0), self.alpha_bar)
        with torch.autocast("cpu", torch.bfloat16):
            predicted = self.fast(x_t, t.float()).float()
        error = (predicted - x0).square().mean((1, 2, 3))
        snr = self.alpha_bar[t] / (1 - self.alpha_bar[t])
        (error * snr.sqrt().clamp(1.0, WEIGHT_MAX)).mean().backward()
        norm = self.optimizer.step(share(self.clock.progress, self.step))
        average(self.ema, self.model, self.args.ema, self.step)
        self.step += 1
        self.seen += b
        return {"error": error.mean().item(), "grad": norm}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean squared error of the average's x̂0 at fixed levels and noise; on drawings that were trained on."""
        generator = torch.Generator().manual_seed(1)
        index = torch.randperm(len(self.pictures.name), generator=generator)[:64]
        x0 = on_white(*self.pictures.batch(index)).contiguous(memory_format=torch.channels_last)
        result = {}
        for level in VAL_LEVELS:
            t = torch.full((len(x0),), level)
            x_t = noised(x0, t, torch.randn(x0.shape, generator=generator), self.alpha_bar)
            with torch.autocast("cpu", torch.bfloat16):
                result[f"mse_{level}"] = round((self.ema(x_t, t.float()).float() - x0).square().mean().item(), 5)
        return result

    def save(self) -> dict[str, float]:
        """Write the checkpoint, atomically; returns its validation."""
        validation = self.validate()
        state = {
            "sizes": asdict(self.sizes),
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seen": self.seen,
            "minutes": self.clock.spent,
            "batch": self.args.batch,
            "seed": self.args.seed,
            "validation": validation,
        }
        torch.save(state, self.args.out / "last.tmp")
        os.replace(self.args.out / "last.tmp", self.stored)
        return validation

    def run(self) -> None:
        """Train until the budget is used or a file named `stop` lies in the folder."""
        log = (self.args.out / "log.jsonl").open("a", buffering=1)
        window: dict[str, list[float]] = defaultdict(list)
        saved = self.clock.spent
        stop = self.args.out / "stop"
        while self.clock.progress < 1 and not stop.exists():
            for key, value in self.train_step().items():
                window[key].append(value)
            if self.step % 50 == 0:
                line = {"step": self.step, "seen": self.seen, "minutes": round(self.clock.spent, 2)}
                log.write(json.dumps(line | {k: round(float(np.mean(v)), 5) for k, v in window.items()}) + "\n")
                window.clear()
            if self.clock.spent - saved > self.args.save_minutes:
                log.write(json.dumps({"step": self.step} | self.save()) + "\n")
                saved = self.clock.spent
        log.write(json.dumps({"step": self.step} | self.save()) + "\n")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="file of image.prepare")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=80, help="budget in core-minutes, earlier runs included")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--muon-lr", type=float, default=2e-3)
    parser.add_argument("--ema", type=float, default=0.998)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-minutes", type=float, default=5)
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    Trainer(args).run()


if __name__ == "__main__":
    main()
