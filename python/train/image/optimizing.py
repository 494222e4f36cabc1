"""Muon for convolutions and matrices, AdamW for the rest, an average of the weights, and a clock."""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor, nn

from optimizer import orthogonalised

SMALLEST = 16
ROWS = ("correction", "position")
"""Tables whose rows mean separate things: not matrices for Muon."""


class Optimizer:
    """Both optimizers; every weight of at least 16×16 seen as a matrix goes to Muon (Jordan et al. 2024)."""

    def __init__(self, module: nn.Module, lr: float, muon_lr: float, weight_decay: float = 0.01) -> None:
        named = [(n, p) for n, p in module.named_parameters() if p.requires_grad]
        self.matrices = [
            p for n, p in named if p.ndim >= 2 and min(p.shape[0], p[0].numel()) >= SMALLEST and not n.endswith(ROWS)
        ]
        taken = {id(p) for p in self.matrices}
        self.rest = [p for _, p in named if id(p) not in taken]
        self.buffers = [torch.zeros_like(p) for p in self.matrices]
        self.lr, self.muon_lr, self.weight_decay = lr, muon_lr, weight_decay
        self.adam = torch.optim.AdamW(self.rest, lr=lr, betas=(0.9, 0.99), weight_decay=0.0, fused=True)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All of them."""
        return [*self.matrices, *self.rest]

    @torch.no_grad()
    def step(self, share: float) -> float:
        """One update at `share` of the peak rates; returns the gradient's norm and forgets the gradient."""
        norm = float(nn.utils.clip_grad_norm_(self.parameters, 1.0))
        if math.isfinite(norm):
            groups: dict[torch.Size, list[tuple[nn.Parameter, Tensor, bool]]] = {}
            for p, buffer in zip(self.matrices, self.buffers, strict=True):
                buffer.lerp_(p.grad, 0.05)
                update = p.grad.lerp(buffer, 0.95).reshape(p.shape[0], -1)
                tall = update.shape[0] > update.shape[1]
                update = update.T if tall else update
                groups.setdefault(update.shape, []).append((p, update, tall))
            for shape, items in groups.items():
                updates = orthogonalised(torch.stack([u for _, u, _ in items])) * (0.2 * max(shape) ** 0.5)
                for (p, _, tall), update in zip(items, updates, strict=True):
                    part = (update.T if tall else update).reshape(p.shape)
                    rate = self.muon_lr * share
                    p.mul_(1 - rate * self.weight_decay).add_(part, alpha=-rate)
            for group in self.adam.param_groups:
                group["lr"] = self.lr * share
            self.adam.step()
        for p in self.parameters:
            p.grad = None
        return norm

    def state_dict(self) -> dict:
        """For checkpoints."""
        return {"adam": self.adam.state_dict(), "muon": self.buffers}

    def load_state_dict(self, state: dict) -> None:
        """From checkpoints."""
        self.adam.load_state_dict(state["adam"])
        for buffer, stored in zip(self.buffers, state["muon"], strict=True):
            buffer.copy_(stored)


@torch.no_grad()
def average(ema: nn.Module, module: nn.Module, decay: float, step: int) -> None:
    """Move `ema` towards `module`; faster in the first steps."""
    decay = min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(ema.parameters()), list(module.parameters()), 1 - decay)


def share(progress: float, step: int, warmup: int = 100, hold: float = 0.6) -> float:
    """Of the peak learning rate: warm-up, constant, then down to a fiftieth."""
    rise = min(1.0, (step + 1) / warmup)
    fall = 1.0 if progress < hold else max(0.02, (1 - progress) / (1 - hold))
    return rise * fall


class Clock:
    """Processor time of this process, and a budget of it: a busy machine slows a run but does not shorten it."""

    def __init__(self, minutes: float, spent_minutes: float = 0.0) -> None:
        self.minutes, self.before, self.start = minutes, spent_minutes, time.process_time()

    @property
    def spent(self) -> float:
        """Core-minutes so far, earlier runs included."""
        return self.before + (time.process_time() - self.start) / 60

    @property
    def progress(self) -> float:
        """Share of the budget that is spent."""
        return self.spent / self.minutes
