"""Train the foreground mask of a picture; the truth is the drawing's alpha.

python -m image.train_segmenter --data emoji.npz --out runs/segmenter --minutes 8
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from image.data import Augmentation, Pictures, augment, on_white
from image.networks import Segmenter
from image.optimizing import Clock, Optimizer, share
from image.train_towers import spoilt

AUGMENTATION = Augmentation(hue_share=0.4, shift=0.12, scale=0.2, turn_deg=20)


class Trainer:
    """One run and its state."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.pictures = Pictures(args.data)
        torch.manual_seed(args.seed)
        self.model = Segmenter().to(memory_format=torch.channels_last)
        self.optimizer = Optimizer(self.model, args.lr, args.muon_lr)
        self.step, spent = 0, 0.0
        self.stored = args.out / "last.pt"
        if self.stored.exists():
            state = torch.load(self.stored, weights_only=False)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, spent = state["step"], state["minutes"]
        torch.manual_seed(args.seed + self.step)
        self.clock = Clock(args.minutes, spent)
        held = self.pictures.held_out[self.pictures.name]
        self.train_index, self.val_index = (~held).nonzero()[:, 0], held.nonzero()[:, 0]

    def train_step(self) -> float:
        """One update of the cross-entropy."""
        index = self.train_index[torch.randint(len(self.train_index), (self.args.batch,))]
        colour, alpha = self.pictures.batch(index)
        colour, alpha, _ = augment(colour, alpha, ~self.pictures.sided[index], AUGMENTATION)
        image = spoilt(on_white(colour, alpha)).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.model(image).float()
        loss = F.binary_cross_entropy_with_logits(logits, alpha.clamp(0, 1))
        loss.backward()
        self.optimizer.step(share(self.clock.progress, self.step))
        self.step += 1
        return loss.item()

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Mean intersection over union on the drawings of held-out names."""
        colour, alpha = self.pictures.batch(self.val_index)
        logits: Tensor = torch.cat([self.model(part) for part in on_white(colour, alpha).split(64)])
        guess, truth = logits > 0, alpha > 0.5
        ratio = (guess & truth).sum((1, 2, 3)) / (guess | truth).sum((1, 2, 3)).clamp(min=1)
        return {"iou_held": round(ratio.mean().item(), 4), "pictures": len(ratio)}

    def save(self) -> dict[str, float]:
        """Write the checkpoint, atomically; returns its validation."""
        validation = self.validate()
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
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
        saved = self.clock.spent
        stop = self.args.out / "stop"
        while self.clock.progress < 1 and not stop.exists():
            loss = self.train_step()
            if self.step % 50 == 0:
                line = {"step": self.step, "minutes": round(self.clock.spent, 2), "loss": round(loss, 5)}
                log.write(json.dumps(line) + "\n")
            if self.clock.spent - saved > self.args.save_minutes:
                log.write(json.dumps({"step": self.step} | self.save()) + "\n")
                saved = self.clock.spent
        log.write(json.dumps({"step": self.step} | self.save()) + "\n")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="file of image.prepare")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8, help="budget in core-minutes, earlier runs included")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--muon-lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-minutes", type=float, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    Trainer(args).run()


if __name__ == "__main__":
    main()
