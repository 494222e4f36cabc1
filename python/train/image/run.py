"""What all trainings of image networks share: arguments, budget, checkpoints and the log."""

from __future__ import annotations

import argparse
import copy
import json
import os
from abc import ABC, abstractmethod
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

from image.data import Pictures
from image.optimizing import Clock, Optimizer, average, share

LOG_STEPS = 50


def arguments(
    description: str | None, minutes: float, batch: int = 32, save_minutes: float = 4
) -> argparse.ArgumentParser:
    """The options that every run has; the numbers are defaults."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="file of image.prepare")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=minutes, help="budget in core-minutes, earlier runs included")
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--muon-lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-minutes", type=float, default=save_minutes)
    return parser


class Run(ABC):
    """One training: the network, the average of its weights, and where it has come to.

    A run whose folder has a checkpoint goes on from it.
    """

    ema_decay = 0.997

    def __init__(self, args: argparse.Namespace) -> None:
        torch.set_num_threads(args.threads)
        args.out.mkdir(parents=True, exist_ok=True)
        self.args = args
        self.pictures = Pictures(args.data)
        torch.manual_seed(args.seed)
        self.model = self.network().to(memory_format=torch.channels_last)
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

    @abstractmethod
    def network(self) -> nn.Module:
        """What is trained, at its start. `self.pictures` is there, and torch is seeded."""

    @abstractmethod
    def losses(self) -> dict[str, torch.Tensor]:
        """Of one batch; the first is minimised."""

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Measures of the average's weights."""

    def sizes(self) -> dict:
        """What `image.export` needs to build the network."""
        return {}

    def train_step(self) -> dict[str, float]:
        """One update."""
        losses = self.losses()
        next(iter(losses.values())).backward()
        norm = self.optimizer.step(share(self.clock.progress, self.step))
        average(self.ema, self.model, self.ema_decay, self.step)
        self.step += 1
        self.seen += self.args.batch
        return {name: loss.item() for name, loss in losses.items()} | {"grad": norm}

    def save(self) -> dict[str, float]:
        """Write the checkpoint, atomically; returns its validation."""
        self.ema.eval()
        with torch.no_grad():
            validation = {name: round(value, 5) for name, value in self.validate().items()}
        state = {
            "sizes": self.sizes(),
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
        self.model.train()
        while self.clock.progress < 1 and not stop.exists():
            for key, value in self.train_step().items():
                window[key].append(value)
            if self.step % LOG_STEPS == 0:
                line = {"step": self.step, "seen": self.seen, "minutes": round(self.clock.spent, 2)}
                log.write(json.dumps(line | {k: round(float(np.mean(v)), 5) for k, v in window.items()}) + "\n")
                window.clear()
            if self.clock.spent - saved > self.args.save_minutes:
                log.write(json.dumps({"step": self.step} | self.save()) + "\n")
                saved = self.clock.spent
        log.write(json.dumps({"step": self.step} | self.save()) + "\n")
