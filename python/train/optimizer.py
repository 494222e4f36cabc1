"""Muon for the blocks' matrices, AdamW for everything else."""

from __future__ import annotations

import re

import torch
from torch import Tensor, nn

from config import TrainConfig

BLOCK_MATRIX = re.compile(r"denoiser\.blocks\.\d+\.(qkv|proj|up|down)\.weight")
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


def orthogonalised(g: Tensor) -> Tensor:
    """Newton-Schulz iteration towards `U Vᵀ` of a batch `[k, m, n]` with m ≤ n (Jordan et al. 2024)."""
    a, b, c = COEFFICIENTS
    x = (g / (g.norm(dim=(1, 2), keepdim=True) + 1e-7)).bfloat16()
    for _ in range(ITERATIONS):
        gram = x @ x.transpose(1, 2)
        x = a * x + torch.baddbmm(b * gram, gram, gram, alpha=c) @ x
    return x.float()


class Muon:
    """Momentum, orthogonalised; the step's root mean square matches AdamW's (Liu et al. 2025)."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, weight_decay: float, momentum: float = 0.95) -> None:
        self.parameters, self.lr, self.weight_decay, self.momentum = parameters, lr, weight_decay, momentum
        self.buffers = [torch.zeros_like(p) for p in parameters]

    @staticmethod
    def _square(x: Tensor) -> Tensor:
        """A stack of matrices at least as wide as high: joint projections are split, tall ones turned."""
        high, wide = x.shape
        if high == 3 * wide:
            return x.view(3, wide, wide)
        return (x.T if high > wide else x)[None]

    @torch.no_grad()
    def step(self) -> None:
        """One update from the gradients."""
        groups: dict[torch.Size, list[tuple[nn.Parameter, Tensor]]] = {}
        for p, buffer in zip(self.parameters, self.buffers, strict=True):
            if p.grad is None:
                continue
            buffer.lerp_(p.grad, 1 - self.momentum)
            update = self._square(p.grad.lerp(buffer, self.momentum))
            groups.setdefault(update.shape[1:], []).append((p, update))
        for shape, items in groups.items():
            updates = orthogonalised(torch.cat([u for _, u in items])) * (0.2 * max(shape) ** 0.5)
            at = 0
            for p, u in items:
                part = updates[at : at + u.shape[0]]
                at += u.shape[0]
                tall = u.shape[0] == 1 and p.shape[0] > p.shape[1]
                part = part[0].T if tall else part.reshape(p.shape)
                p.mul_(1 - self.lr * self.weight_decay).add_(part, alpha=-self.lr)


class HybridOptimizer:
    """Both optimizers behind one door; learning rates are set as a share of their peaks."""

    def __init__(self, networks: nn.Module, config: TrainConfig) -> None:
        """Takes all parameters but the embedding's."""
        named = [(n, p) for n, p in networks.named_parameters() if not n.startswith(("embed_", "temperature"))]
        use = config.muon_lr > 0
        matrices = [p for n, p in named if use and BLOCK_MATRIX.fullmatch(n)]
        taken = {id(p) for p in matrices}
        rest = [p for _, p in named if id(p) not in taken]
        self.parameters = [p for _, p in named]
        self.muon_lr = config.muon_lr
        self.muon = Muon(matrices, config.muon_lr, config.weight_decay)
        text = {id(p) for n, p in named if n.startswith("text.")}
        groups = [
            {"params": [p for p in rest if id(p) not in text and p.ndim >= 2], "peak": config.lr},
            {"params": [p for p in rest if id(p) not in text and p.ndim < 2], "peak": config.lr, "weight_decay": 0.0},
            {"params": [p for p in rest if id(p) in text and p.ndim >= 2], "peak": config.text_lr},
            {"params": [p for p in rest if id(p) in text and p.ndim < 2], "peak": config.text_lr, "weight_decay": 0.0},
        ]
        self.adam = torch.optim.AdamW(
            groups, lr=config.lr, betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True
        )

    def step(self, share: float) -> None:
        """One update at `share` of the peak learning rates; clears the gradients."""
        for group in self.adam.param_groups:
            group["lr"] = group["peak"] * share
        self.muon.lr = self.muon_lr * share
        self.muon.step()
        self.adam.step()
        self.clear()

    def clear(self) -> None:
        """Forget the gradients."""
        for p in self.parameters:
            p.grad = None

    def state_dict(self) -> dict:
        """For checkpoints."""
        return {"adam": self.adam.state_dict(), "muon": self.muon.buffers}

    def load_state_dict(self, state: dict) -> None:
        """From checkpoints; learning rates stay those of the configuration."""
        peaks = [group["peak"] for group in self.adam.param_groups]
        self.adam.load_state_dict(state["adam"])
        for group, peak in zip(self.adam.param_groups, peaks, strict=True):
            group["peak"] = peak
        for buffer, stored in zip(self.muon.buffers, state["muon"], strict=True):
            buffer.copy_(stored)
