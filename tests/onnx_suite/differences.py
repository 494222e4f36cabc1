"""Central finite differences of a model, and where they can be trusted.

An element counts where the differences at a step h and at h/2 agree: at a jump or a kink they do
not, or the one-sided slopes stay apart as h shrinks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Feeds = dict[str, np.ndarray]


@dataclass(frozen=True)
class Step:
    """How differences are taken for one precision of evaluation."""

    size: float
    # Relative rounding of one evaluation.
    rounding: float
    # Largest disagreement of h and h/2, relative to the largest slope.
    agreement: float


STEPS = {
    # Powers of 2, so that x ± h is exact even in a kernel that computes in float32 inside.
    "float64": Step(2.0**-17, 1e-15, 1e-4),
    "float32": Step(2.0**-7, 3e-7, 2e-2),
}


@dataclass
class Slopes:
    """Slopes of `<u, y>` along some elements or directions of one input."""

    directions: list[np.ndarray | int]
    values: np.ndarray
    trusted: np.ndarray

    @property
    def share(self) -> float:
        """Share of the slopes that can be trusted; 1 where there are none."""
        return float(self.trusted.mean()) if len(self.values) else 1.0


def _value(evaluate: Callable[[Feeds], Feeds], feeds: Feeds, cotangents: Feeds) -> tuple[float, float]:
    outputs = evaluate(feeds)
    total = size = 0.0
    for name, cotangent in cotangents.items():
        output = np.asarray(outputs[name], dtype=np.float64)
        if output.shape != cotangent.shape:
            raise ValueError("the shape of an output depends on this input")
        # ONNX Runtime writes the lowest float where the specification has an infinity.
        if not np.isfinite(output).all() or np.abs(output).max(initial=0.0) > 1e30:
            raise ValueError("outputs that are not finite")
        terms = output * cotangent
        total += float(terms.sum())
        size += float(np.abs(terms).sum())
    return total, size


def slopes(
    evaluate: Callable[[Feeds], Feeds],
    feeds: Feeds,
    name: str,
    cotangents: Feeds,
    step: Step,
    most: int,
    seed: int,
    budget_secs: float = 1.0,
) -> Slopes:
    """Slopes along elements of input `name`; beyond `most` elements a random choice and 3 directions."""
    x = np.asarray(feeds[name], dtype=np.float64)
    random = np.random.default_rng(seed)
    started = time.perf_counter()
    middle, size = _value(evaluate, feeds, cotangents)
    each = max(time.perf_counter() - started, 1e-5)
    most = int(np.clip(budget_secs / (4 * each), 6, most))
    directions: list[np.ndarray | int] = list(range(x.size))
    if x.size > most:
        directions = sorted(random.choice(x.size, most, replace=False).tolist())
        directions += [random.standard_normal(x.shape) / np.sqrt(x.size) * 2 for _ in range(3)]
    fine, coarse, bend = [], [], []
    for direction in directions:
        if isinstance(direction, int):
            offset = np.zeros(x.size)
            offset[direction] = 2.0 ** np.ceil(np.log2(max(1.0, abs(x.reshape(-1)[direction]))))
            offset = offset.reshape(x.shape)
        else:
            offset = direction
        ends = {}
        for scale in (1.0, -1.0, 0.5, -0.5):
            moved = (x + scale * step.size * offset).astype(feeds[name].dtype)
            ends[scale] = _value(evaluate, {**feeds, name: moved}, cotangents)[0]
        if isinstance(direction, int):
            length = float(offset.reshape(-1)[direction])
            # The step that rounding of the input left of the wanted one.
            at = x.reshape(-1)[direction]
            kind = feeds[name].dtype.type
            whole = float(kind(at + step.size * length)) - float(kind(at - step.size * length))
            half = float(kind(at + step.size * length / 2)) - float(kind(at - step.size * length / 2))
        else:
            whole, half = 2 * step.size, step.size
        coarse.append((ends[1.0] - ends[-1.0]) / whole)
        fine.append((ends[0.5] - ends[-0.5]) / half)
        bend.append(((ends[1.0] + ends[-1.0] - 2 * middle) / whole, (ends[0.5] + ends[-0.5] - 2 * middle) / half))
    coarse, fine = np.array(coarse), np.array(fine)
    bend = np.array(bend).reshape(-1, 2)
    noise = 8 * step.rounding * size / step.size
    # Jumps give slopes of any size, which must not excuse others.
    steady = np.abs(coarse - fine) <= step.agreement * np.abs(fine) + noise
    largest = max(float(np.abs(fine[steady]).max(initial=0.0)), 1e-3)
    allowed = step.agreement * largest + noise
    agree = np.abs(coarse - fine) <= allowed
    # One-sided slopes of a smooth function come together in proportion to h.
    kink = (np.abs(bend[:, 1]) > 0.7 * np.abs(bend[:, 0])) & (np.abs(bend[:, 1]) > allowed)
    return Slopes(directions, (4 * fine - coarse) / 3, agree & ~kink)


def along(gradient: np.ndarray, found: Slopes) -> np.ndarray:
    """What a gradient says about the same slopes."""
    flat = np.asarray(gradient, dtype=np.float64)
    out = [
        flat.reshape(-1)[direction] if isinstance(direction, int) else float((flat * direction).sum())
        for direction in found.directions
    ]
    return np.array(out, dtype=np.float64)
