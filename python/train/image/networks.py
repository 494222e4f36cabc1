"""The image networks. Every operation has a plain ONNX counterpart in `export_graphs.py`.

All activations are SiLU and all pooling is by means or strided convolutions, so that gradients with respect to the
picture are smooth.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from config import TextConfig
from model import PlainBlock, TextTower, unit

GROUPS = 8


@dataclass
class DenoiserSizes:
    """Channels at a half, a quarter and an eighth of the side, and blocks at each."""

    channels: tuple[int, ...] = (32, 96, 192)
    blocks: tuple[int, ...] = (1, 2, 2)
    middle: int = 3
    heads: int = 6
    time: int = 192


@dataclass
class ConvTowerSizes:
    """Channels at a quarter, an eighth and a sixteenth of the side."""

    channels: tuple[int, ...] = (48, 96, 192)
    blocks: tuple[int, ...] = (1, 2, 2)


@dataclass
class PatchTowerSizes:
    """A transformer over patches."""

    patch: int = 8
    width: int = 160
    layers: int = 5
    heads: int = 5


@dataclass
class TowersSizes:
    """An image and a text tower; exactly one of `conv` and `patches` is set."""

    conv: ConvTowerSizes | None = field(default_factory=ConvTowerSizes)
    patches: PatchTowerSizes | None = None
    text: TextConfig = field(default_factory=lambda: TextConfig(out=128))

    def to_dict(self) -> dict:
        """As plain values."""
        return asdict(self)

    @staticmethod
    def from_dict(d: dict) -> TowersSizes:
        """The inverse of `to_dict`."""
        conv = ConvTowerSizes(**d["conv"]) if d["conv"] else None
        patches = PatchTowerSizes(**d["patches"]) if d["patches"] else None
        return TowersSizes(conv, patches, TextConfig(**d["text"]))


def zero(layer: nn.Module) -> nn.Module:
    """The layer, starting at zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class ResBlock(nn.Module):
    """Two convolutions; the time, where given, scales and shifts between them."""

    def __init__(self, channels: int, time: int = 0) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(GROUPS, channels), nn.GroupNorm(GROUPS, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = zero(nn.Conv2d(channels, channels, 3, padding=1))
        self.time = zero(nn.Linear(time, 2 * channels)) if time else None

    def forward(self, x: Tensor, time: Tensor | None = None, more: Tensor | None = None) -> Tensor:
        """`x` `[b, c, h, w]`, `time` `[b, d]`, `more` `[b, 2 c]`: added to what the time makes."""
        h = self.norm2(self.conv1(F.silu(self.norm1(x))))
        if self.time is not None:
            modulation = self.time(time) if more is None else self.time(time) + more
            scale, shift = modulation[:, :, None, None].chunk(2, 1)
            h = h * (1 + scale) + shift
        return x + self.conv2(F.silu(h))


class SelfAttention(nn.Module):
    """Attention among all places of a small map."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.qkv, self.proj = nn.Linear(channels, 3 * channels), zero(nn.Linear(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """`[b, c, h, w]`."""
        b, c, h, w = x.shape
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        q, k, v = self.qkv(tokens).view(b, h * w, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, h * w, c)
        return x + self.proj(mixed).transpose(1, 2).view(b, c, h, w)


class TextAdapter(nn.Module):
    """What a text's embedding adds to a denoiser that was trained without texts.

    It scales and shifts in every block and draws a rough plan on the coarsest maps, both more or less according to
    the time. Nothing in it has a bias: of the zero embedding it adds exactly nothing.
    """

    def __init__(self, s: DenoiserSizes, blocks: list[int], embedding: int, side: int) -> None:
        """`blocks`: the channels of every block in turn; `side`: of the coarsest maps."""
        super().__init__()
        width, plan = 128, 16
        self.amplify = embedding**0.5
        self.side, self.planes = side, plan
        self.inp = nn.Linear(embedding, width, bias=False)
        self.gate = zero(nn.Linear(s.time, width))
        self.modulation = nn.ModuleList(nn.Linear(width, 2 * c, bias=False) for c in blocks)
        self.plan = nn.Linear(embedding, plan * side * side, bias=False)
        self.plan_gate = zero(nn.Linear(s.time, plan))
        self.place = nn.Conv2d(plan, s.channels[-1], 1, bias=False)
        for layer in (*self.modulation, self.place):
            nn.init.zeros_(layer.weight)

    def forward(self, text: Tensor, time: Tensor) -> tuple[list[Tensor], Tensor]:
        """`text` `[b, e]`, `time` `[b, d]` → `[b, 2 c]` of every block, and `[b, c, side, side]`."""
        text = text * self.amplify
        hidden = F.silu(self.inp(text)) * (1 + self.gate(time))
        plan = self.plan(text).view(-1, self.planes, self.side, self.side)
        plan = self.place(plan * (1 + self.plan_gate(time))[:, :, None, None])
        return [layer(hidden) for layer in self.modulation], plan


class ImageDenoiser(nn.Module):
    """x0-prediction: a U-Net whose finest maps have half the picture's side."""

    def __init__(self, s: DenoiserSizes, text: int = 0, side: int = 64) -> None:
        """`text`: how long the embedding of a text is, where it takes one."""
        super().__init__()
        a, b, c = s.channels
        self.width = s.time
        self.time1, self.time2 = nn.Linear(s.time, s.time), nn.Linear(s.time, s.time)
        self.inp = nn.Conv2d(12, a, 3, padding=1)
        self.down = nn.ModuleList(
            nn.ModuleList(ResBlock(w, s.time) for _ in range(n)) for w, n in zip(s.channels, s.blocks, strict=True)
        )
        self.shrink = nn.ModuleList([nn.Conv2d(a, b, 2, 2), nn.Conv2d(b, c, 2, 2)])
        self.middle = nn.ModuleList(ResBlock(c, s.time) for _ in range(s.middle))
        self.mixing = nn.ModuleList(SelfAttention(c, s.heads) for _ in range(s.middle))
        self.grow = nn.ModuleList([nn.Conv2d(b, 4 * a, 1), nn.Conv2d(c, 4 * b, 1)])
        self.join = nn.ModuleList([nn.Conv2d(2 * a, a, 1), nn.Conv2d(2 * b, b, 1)])
        self.up = nn.ModuleList(
            nn.ModuleList(ResBlock(w, s.time) for _ in range(n))
            for w, n in zip(s.channels[:2], s.blocks[:2], strict=True)
        )
        self.norm = nn.GroupNorm(GROUPS, a)
        self.out = zero(nn.Conv2d(a, 12, 3, padding=1))
        self.text = (
            TextAdapter(s, [block.conv1.out_channels for block in self.blocks()], text, side // 8) if text else None
        )

    def blocks(self) -> list[ResBlock]:
        """In the order in which they run."""
        down = [block for blocks in self.down for block in blocks]
        return [*down, *self.middle, *(block for level in (1, 0) for block in self.up[level])]

    def forward(self, x_t: Tensor, timestep: Tensor, text: Tensor | None = None) -> Tensor:
        """`x_t` `[b, 3, h, w]` with sides divisible by 8, `timestep` `[b]`, `text` `[b, e]` → x̂0."""
        frequencies = torch.exp(-math.log(1e4) * torch.arange(self.width // 2) / (self.width // 2))
        angles = timestep[:, None] * frequencies
        time = self.time2(F.silu(self.time1(torch.cat([angles.sin(), angles.cos()], 1))))
        time = F.silu(time)
        told, plan = self.text(text, time) if self.text is not None else (len(self.blocks()) * [None], None)
        more = iter(told)
        h = self.inp(F.pixel_unshuffle(x_t, 2))
        kept = []
        for level, blocks in enumerate(self.down):
            for block in blocks:
                h = block(h, time, next(more))
            if level < 2:
                kept.append(h)
                h = self.shrink[level](h)
        if plan is not None:
            h = h + plan
        for block, mixing in zip(self.middle, self.mixing, strict=True):
            h = mixing(block(h, time, next(more)))
        for level in (1, 0):
            h = F.pixel_shuffle(self.grow[level](h), 2)
            h = self.join[level](torch.cat([h, kept[level]], 1))
            for block in self.up[level]:
                h = block(h, time, next(more))
        return F.pixel_shuffle(self.out(F.silu(self.norm(h))), 2)


class Segmenter(nn.Module):
    """Logits of the foreground; a U-Net like the denoiser's, without time."""

    def __init__(self, channels: tuple[int, int, int] = (24, 48, 96)) -> None:
        super().__init__()
        a, b, c = channels
        self.inp = nn.Conv2d(12, a, 3, padding=1)
        self.down = nn.ModuleList([ResBlock(a), ResBlock(b), ResBlock(c)])
        self.shrink = nn.ModuleList([nn.Conv2d(a, b, 2, 2), nn.Conv2d(b, c, 2, 2)])
        self.middle = ResBlock(c)
        self.grow = nn.ModuleList([nn.Conv2d(b, 4 * a, 1), nn.Conv2d(c, 4 * b, 1)])
        self.join = nn.ModuleList([nn.Conv2d(2 * a, a, 1), nn.Conv2d(2 * b, b, 1)])
        self.up = nn.ModuleList([ResBlock(a), ResBlock(b)])
        self.norm = nn.GroupNorm(GROUPS, a)
        self.out = nn.Conv2d(a, 4, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """`image` `[b, 3, h, w]` in −1..1 → logits `[b, 1, h, w]`."""
        h = self.down[0](self.inp(F.pixel_unshuffle(image, 2)))
        kept = [h]
        h = self.down[1](self.shrink[0](h))
        kept.append(h)
        h = self.middle(self.down[2](self.shrink[1](h)))
        for level in (1, 0):
            h = self.join[level](torch.cat([F.pixel_shuffle(self.grow[level](h), 2), kept[level]], 1))
            h = self.up[level](h)
        return F.pixel_shuffle(self.out(F.silu(self.norm(h))), 2)


class ConvTower(nn.Module):
    """Picture to unit vector by convolutions and a mean."""

    def __init__(self, s: ConvTowerSizes, out: int) -> None:
        super().__init__()
        self.inp = nn.Conv2d(48, s.channels[0], 3, padding=1)
        self.stages = nn.ModuleList(
            nn.ModuleList(ResBlock(w) for _ in range(n)) for w, n in zip(s.channels, s.blocks, strict=True)
        )
        self.shrink = nn.ModuleList(nn.Conv2d(w, v, 2, 2) for w, v in zip(s.channels, s.channels[1:], strict=False))
        self.norm = nn.GroupNorm(GROUPS, s.channels[-1])
        self.out = nn.Linear(s.channels[-1], out)

    def forward(self, image: Tensor) -> Tensor:
        """`image` `[b, 3, 64, 64]` in −1..1 → unit `[b, out]`."""
        h = self.inp(F.pixel_unshuffle(image, 4))
        for level, blocks in enumerate(self.stages):
            for block in blocks:
                h = block(h)
            if level < len(self.shrink):
                h = self.shrink[level](h)
        return unit(self.out(F.silu(self.norm(h)).mean((2, 3))).float())


class PatchTower(nn.Module):
    """Picture to unit vector by a transformer over patches and a mean."""

    def __init__(self, s: PatchTowerSizes, out: int, side: int = 64) -> None:
        super().__init__()
        self.patch = s.patch
        self.inp = nn.Linear(3 * s.patch**2, s.width)
        self.position = nn.Parameter(0.02 * torch.randn((side // s.patch) ** 2, s.width))
        self.blocks = nn.ModuleList(PlainBlock(s.width, s.heads) for _ in range(s.layers))
        self.norm = nn.LayerNorm(s.width)
        self.out = nn.Linear(s.width, out)

    def forward(self, image: Tensor) -> Tensor:
        """`image` `[b, 3, 64, 64]` in −1..1 → unit `[b, out]`."""
        x = self.inp(F.pixel_unshuffle(image, self.patch).flatten(2).transpose(1, 2)) + self.position
        bias = torch.zeros(1, 1, 1, 1)
        for block in self.blocks:
            x = block(x, bias)
        return unit(self.out(self.norm(x).mean(1)).float())


class Towers(nn.Module):
    """Image and text towers that share a space."""

    def __init__(self, s: TowersSizes, table: Tensor, known: Tensor) -> None:
        super().__init__()
        self.sizes = s
        self.image = ConvTower(s.conv, s.text.out) if s.conv else PatchTower(s.patches, s.text.out)
        self.text = TextTower(s.text, table, known)
        self.temperature = nn.Parameter(torch.tensor(2.6))

    def embed_text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Unit `[b, out]`."""
        return unit(self.text(ids, mask).float())
