"""The file of `prepare.py` in memory; views of it, augmented so that the names stay true."""

from __future__ import annotations

import json
import math
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

COLOURS = ("red", "orange", "brown", "yellow", "green", "blue", "purple", "pink", "black", "white", "gray")
COLOUR_WORD = re.compile(r"\b(" + "|".join((*COLOURS, "grey")) + r")\b ?")
SIDED = re.compile(r"\b(left|right|arrow|button|letter|clock|thirty|keycap|input|pointing|clockwise|number|digit)\b")
ARTICLES = ("", "", "a ", "the ", "a picture of a ", "a drawing of a ", "an emoji of a ")
DOMINANT = 0.55
GREY_AXIS = torch.full((3,), 3**-0.5)


class Pictures:
    """`rgba` `[n, 4, 64, 64]` in 0..1 with its names and captions."""

    def __init__(self, path: Path) -> None:
        stored = np.load(path)
        self.rgba = torch.from_numpy(stored["rgba"]).permute(0, 3, 1, 2).contiguous()
        self.name = torch.from_numpy(stored["name"]).long()
        self.source = torch.from_numpy(stored["source"]).long()
        self.category = stored["category"]
        self.names: list[str] = stored["names"].tolist()
        self.held_out = torch.from_numpy(stored["held_out"])
        self.captions: list[list[str]] = json.loads(str(stored["captions"]))
        sided = torch.tensor([bool(SIDED.search(" ".join(c[:2]))) for c in self.captions])
        self.sided = sided[self.name] | torch.from_numpy(self.category == "Symbols")

    def batch(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Colours `[b, 3, 64, 64]` in 0..1 and alpha `[b, 1, 64, 64]`."""
        rgba = self.rgba[index].float() / 255
        return rgba[:, :3], rgba[:, 3:]


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes of a drawing."""

    hue_share: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    turn_deg: float = 0.0


def hue_matrices(angles: Tensor) -> Tensor:
    """Rotations `[b, 3, 3]` of RGB about the grey axis (Rodrigues); grey, black and white stay."""
    x, y, z = GREY_AXIS.tolist()
    cross = torch.tensor([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    outer = GREY_AXIS[:, None] * GREY_AXIS[None]
    c, s = angles.cos()[:, None, None], angles.sin()[:, None, None]
    return c * torch.eye(3) + s * cross + (1 - c) * outer


def augment(colour: Tensor, alpha: Tensor, flip: Tensor, a: Augmentation) -> tuple[Tensor, Tensor, Tensor]:
    """Changed colours and alpha, and which samples `[b]` had their hue turned. `flip` `[b]`: may be mirrored."""
    b = len(colour)
    turned = torch.rand(b) < a.hue_share
    angles = torch.where(turned, torch.rand(b) * 1.6 * math.pi + 0.2 * math.pi, torch.zeros(b))
    colour = torch.einsum("bij,bjhw->bihw", hue_matrices(angles), colour).clamp(0, 1)
    mirrored = flip & (torch.rand(b) < 0.5)
    scale = (torch.rand(b) * 2 - 1) * a.scale + 1
    turn = (torch.rand(b) * 2 - 1) * math.radians(a.turn_deg)
    shift = (torch.rand(b, 2) * 2 - 1) * a.shift
    sign = torch.where(mirrored, -1.0, 1.0)
    theta = torch.zeros(b, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = turn.cos() * sign / scale, -turn.sin() / scale
    theta[:, 1, 0], theta[:, 1, 1] = turn.sin() * sign / scale, turn.cos() / scale
    theta[:, :, 2] = shift
    if a.shift == a.scale == a.turn_deg == 0:
        both = torch.cat([colour, alpha], 1)
        both = torch.where(mirrored[:, None, None, None], both.flip(3), both)
        return both[:, :3], both[:, 3:], turned
    # premultiplied: what is transparent must not bleed into the edges
    both = torch.cat([colour * alpha, alpha], 1)
    grid = F.affine_grid(theta, list(both.shape), align_corners=False)
    both = F.grid_sample(both, grid, align_corners=False)
    return both[:, :3] / both[:, 3:].clamp(min=1e-4), both[:, 3:], turned


def on_white(colour: Tensor, alpha: Tensor) -> Tensor:
    """`[b, 3, h, w]` in −1..1 over a white background."""
    return (colour * alpha + 1 - alpha).clamp(0, 1) * 2 - 1


def colour_names(colour: Tensor, alpha: Tensor) -> list[str | None]:
    """The word for each drawing's colour where one colour holds most of it."""
    r, g, b = colour.unbind(1)
    value, low = colour.max(1).values, colour.min(1).values
    chroma = value - low
    safe = chroma.clamp(min=1e-6)
    hue = torch.where(value == r, ((g - b) / safe) % 6, torch.where(value == g, (b - r) / safe + 2, (r - g) / safe + 4))
    hue = hue * 60
    saturation = chroma / value.clamp(min=1e-6)
    grey = (saturation < 0.18) | (value < 0.15)
    dark = value < 0.62
    pick = torch.full(hue.shape, COLOURS.index("gray"))

    def put(name: str, where: Tensor) -> None:
        pick[where] = COLOURS.index(name)

    put("black", grey & (value < 0.35))
    put("white", grey & (value > 0.85))
    lit = ~grey
    put("red", lit & ((hue < 14) | (hue >= 345)))
    put("orange", lit & (hue >= 14) & (hue < 40))
    put("brown", lit & (hue < 45) & (hue >= 8) & dark)
    put("yellow", lit & (hue >= 40) & (hue < 66))
    put("green", lit & (hue >= 66) & (hue < 165))
    put("blue", lit & (hue >= 165) & (hue < 255))
    put("purple", lit & (hue >= 255) & (hue < 300))
    put("pink", lit & (hue >= 300) & (hue < 345))
    put("pink", lit & ((hue < 20) | (hue >= 330)) & (saturation < 0.5) & (value > 0.7))
    weight = (alpha[:, 0] > 0.5).float()
    names: list[str | None] = []
    for row, inside in zip(pick.flatten(1), weight.flatten(1), strict=True):
        counts = torch.bincount(row, weights=inside, minlength=len(COLOURS))
        best = int(counts.argmax())
        names.append(COLOURS[best] if counts[best] > DOMINANT * inside.sum() else None)
    return names


def caption(texts: list[str], colour: str | None, turned: bool, rng: random.Random) -> str:
    """One way to say what a drawing shows; the colour's word where it is known and true."""
    if rng.random() < 0.65:
        text = texts[0] if rng.random() < 0.7 else rng.choice(texts[:2])
    else:
        text = " ".join(rng.sample(texts, min(len(texts), rng.randint(1, 3))))
    if turned:
        text = COLOUR_WORD.sub("", text).strip() or "thing"
    if colour is not None and not COLOUR_WORD.search(text) and rng.random() < (0.7 if turned else 0.3):
        text = f"{colour} {text}"
    return rng.choice(ARTICLES) + text
