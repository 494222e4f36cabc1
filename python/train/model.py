"""The networks. Every operation has a plain ONNX counterpart in `export_graphs.py`."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from config import FEATURES, MAX_FRAMES, MAX_TOKENS, PATCH, DenoiserConfig, EmbeddingConfig, TextConfig

MAX_PATCHES = MAX_FRAMES // PATCH
MASKED = -1e4


def sinusoid(positions: Tensor, width: int, longest: float) -> Tensor:
    """Sines and cosines of `positions` `[n]` at `width / 2` frequencies: `[n, width]`."""
    freqs = torch.exp(-math.log(longest) * torch.arange(width // 2, device=positions.device) / (width // 2))
    angles = positions[:, None] * freqs
    return torch.cat([angles.sin(), angles.cos()], 1)


def attention(qkv: Tensor, heads: int, bias: Tensor) -> Tensor:
    """Softmax attention; `qkv` `[b, n, 3 d]`, `bias` broadcast to `[b, heads, n, n]`."""
    b, n, d3 = qkv.shape
    q, k, v = qkv.view(b, n, 3, heads, d3 // 3 // heads).permute(2, 0, 3, 1, 4)
    scores = q @ k.transpose(-1, -2) * (d3 // 3 // heads) ** -0.5 + bias
    return (scores.float().softmax(-1).to(v.dtype) @ v).transpose(1, 2).reshape(b, n, d3 // 3)


def drop_path(branch: Tensor, rate: float, training: bool) -> Tensor:
    """Drop the whole branch for a random share of the samples."""
    if not training or rate == 0:
        return branch
    keep = (torch.rand(branch.shape[0], 1, 1, device=branch.device) >= rate).to(branch.dtype) / (1 - rate)
    return branch * keep


class PlainBlock(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, width: int, heads: int, drop: float = 0.1) -> None:
        super().__init__()
        self.heads, self.drop = heads, drop
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """`x` `[b, n, d]`, `bias` `[b, 1, 1, n]`."""
        x = x + drop_path(self.proj(attention(self.qkv(self.norm1(x)), self.heads, bias)), self.drop, self.training)
        return x + drop_path(self.down(F.silu(self.up(self.norm2(x)))), self.drop, self.training)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of `x` `[b, n, d]` where `mask` `[b, n]` is 1; zero where it is nowhere 1."""
    return (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1.0)


class TextTower(nn.Module):
    """Static token vectors, a learnt correction for known pieces, two transformer layers, a mean."""

    def __init__(self, config: TextConfig, table: Tensor, known: Tensor) -> None:
        """`table` `[vocab, table_dims]`; `known` `[vocab]`: row of the correction, 0 = none."""
        super().__init__()
        self.register_buffer("table", table.float())
        self.register_buffer("known", known.long())
        self.correction = nn.Parameter(torch.zeros(int(known.max()) + 1, config.table_dims))
        self.inp = nn.Linear(config.table_dims, config.width)
        self.position = nn.Parameter(0.5 * sinusoid(torch.arange(MAX_TOKENS).float(), config.width, 100.0))
        self.blocks = nn.ModuleList(PlainBlock(config.width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, config.out)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """`ids` `[b, n]`, `mask` `[b, n]` → `[b, out]`."""
        rows = self.known[ids]
        if self.training:  # unseen words have no correction: learn to do without it too
            rows = rows * (torch.rand(rows.shape, device=rows.device) > 0.2)
        gate = (rows > 0).float()[:, :, None]
        x = self.inp(self.table[ids] + self.correction[rows] * gate) + self.position[: ids.shape[1]]
        bias = ((1 - mask) * MASKED)[:, None, None, :]
        for block in self.blocks:
            x = block(x, bias)
        return self.out(masked_mean(self.norm(x), mask))


class AdaBlock(nn.Module):
    """AdaLN-zero transformer block (Peebles and Xie 2023)."""

    def __init__(self, c: DenoiserConfig) -> None:
        super().__init__()
        self.heads, self.drop = c.heads, c.drop_path
        self.modulation = nn.Linear(c.width, 6 * c.width)
        self.qkv, self.proj = nn.Linear(c.width, 3 * c.width), nn.Linear(c.width, c.width)
        self.up, self.down = nn.Linear(c.width, c.hidden), nn.Linear(c.hidden, c.width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, cond: Tensor, bias: Tensor) -> Tensor:
        """`x` `[b, n, d]`, `cond` `[b, d]`, `bias` `[b, heads, n, n]`."""
        s1, b1, g1, s2, b2, g2 = self.modulation(cond)[:, None, :].chunk(6, -1)
        h = F.layer_norm(x, x.shape[-1:]) * (1 + s1) + b1
        x = x + drop_path(g1 * self.proj(attention(self.qkv(h), self.heads, bias)), self.drop, self.training)
        h = F.layer_norm(x, x.shape[-1:]) * (1 + s2) + b2
        return x + drop_path(g2 * self.down(F.silu(self.up(h))), self.drop, self.training)


def course_basis(frames: Tensor, n: int, count: int) -> Tensor:
    """`cos(π k u)`, k = 1 to `count`, at the patches' centres u between a clip's start (0) and end (1).

    `frames` `[b]`: the clips' lengths → `[b, n, count]`.
    """
    u = (torch.arange(n, device=frames.device) + 0.5) * PATCH / frames[:, None]
    return (u[:, :, None] * (math.pi * torch.arange(1, count + 1, device=frames.device))).cos()


class Denoiser(nn.Module):
    """x0-prediction from patches of frames; each output patch also sees its two neighbours' tokens.

    The condition enters by AdaLN, and as a course: slow waves over the clip's length, added to the tokens. In
    noise the tokens alone hardly tell where in the clip they are, so that what comes first would be lost.
    """

    def __init__(self, c: DenoiserConfig, condition_dims: int) -> None:
        super().__init__()
        self.width = c.width
        self.inp = nn.Linear(PATCH * FEATURES, c.width)
        self.position = nn.Parameter(0.5 * sinusoid(torch.arange(MAX_PATCHES).float(), c.width, 200.0))
        self.relative = nn.Parameter(torch.zeros(c.heads, 2 * MAX_PATCHES - 1))
        self.time1, self.time2 = nn.Linear(c.width, c.width), nn.Linear(c.width, c.width)
        self.length = nn.Linear(c.width, c.width)
        self.condition = nn.Linear(condition_dims, c.width)
        self.course = nn.Linear(c.width, c.course * c.width)
        self.blocks = nn.ModuleList(AdaBlock(c) for _ in range(c.blocks))
        self.modulation = nn.Linear(c.width, 2 * c.width)
        self.out = nn.Linear(3 * c.width, PATCH * FEATURES)
        for layer in (self.course, self.modulation, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        index = torch.arange(MAX_PATCHES)
        self.register_buffer("offset", index[None, :] - index[:, None] + MAX_PATCHES - 1, persistent=False)

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Tensor, frame_mask: Tensor) -> Tensor:
        """`x_t` `[b, frames, 263]`, `timestep` `[b]`, `condition` `[b, d]`, `frame_mask` `[b, frames]`."""
        b, frames, _ = x_t.shape
        n = frames // PATCH
        mask = frame_mask.reshape(b, n, PATCH)[:, :, 0]
        x = self.inp((x_t * frame_mask[:, :, None]).reshape(b, n, PATCH * FEATURES)) + self.position[:n]
        cond = self.time2(F.silu(self.time1(sinusoid(timestep, self.width, 1e4))))
        lengths = frame_mask.sum(1)
        cond = cond + self.length(sinusoid(lengths, self.width, 1e3)) + self.condition(condition)
        cond = F.silu(cond)
        course = self.course(cond).view(b, -1, self.width)
        x = x + course_basis(lengths, n, course.shape[1]) @ course.float()
        bias = self.relative[:, self.offset[:n, :n]][None] + ((1 - mask) * MASKED)[:, None, None, :]
        for block in self.blocks:
            x = block(x, cond, bias)
        shift, scale = self.modulation(cond)[:, None, :].chunk(2, -1)
        x = (F.layer_norm(x, x.shape[-1:]) * (1 + scale) + shift) * mask[:, :, None]
        zero = x[:, :1] * 0.0
        x = torch.cat([torch.cat([zero, x[:, :-1]], 1), x, torch.cat([x[:, 1:], zero], 1)], -1)
        return self.out(x).reshape(b, frames, FEATURES)


class MotionTower(nn.Module):
    """Normalised features to a unit vector (Petrovich et al. 2023, without the decoder)."""

    def __init__(self, c: EmbeddingConfig) -> None:
        super().__init__()
        self.inp = nn.Linear(PATCH * FEATURES, c.width)
        self.position = nn.Parameter(0.5 * sinusoid(torch.arange(MAX_PATCHES).float(), c.width, 200.0))
        self.blocks = nn.ModuleList(PlainBlock(c.width, c.heads) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.width)
        self.out = nn.Linear(c.width, c.out)

    def forward(self, features: Tensor, frame_mask: Tensor) -> Tensor:
        """`features` `[b, frames, 263]`, `frame_mask` `[b, frames]` → unit `[b, out]`."""
        b, frames, _ = features.shape
        n = frames // PATCH
        mask = frame_mask.reshape(b, n, PATCH)[:, :, 0]
        x = self.inp((features * frame_mask[:, :, None]).reshape(b, n, PATCH * FEATURES)) + self.position[:n]
        bias = ((1 - mask) * MASKED)[:, None, None, :]
        for block in self.blocks:
            x = block(x, bias)
        return unit(self.out(masked_mean(self.norm(x), mask)))


def unit(x: Tensor) -> Tensor:
    """Rows of length 1."""
    return x / (x.square().sum(1, keepdim=True) + 1e-12).sqrt()
