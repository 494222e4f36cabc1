import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

# Lengths of these are no single symbol: every second element, flattened.
halved = [
    node("MaxPool", "i", "p", kernel_shape=[2, 2], strides=[2, 2]),
    node("Reshape", "pt", "f"),
    node("Concat", "fjf", axis=1),
]
image = noise(2, 1, 7, 5, seed=3)


def pooled(i, j):
    flat = torch.nn.functional.max_pool2d(i, 2).flatten(1)
    return torch.cat([flat, j, flat], 1)


a, b, c = noise(2, 3), noise(2, 4, seed=1), noise(2, 1, seed=2)
write(
    __file__,
    [
        case(
            "fixed", node("Concat", "abc", axis=1), {"a": a, "b": b, "c": c}, lambda *x: torch.cat(x, 1), dims="fixed"
        ),
        case("free", node("Concat", "abc", axis=-1), {"a": a, "b": b, "c": c}, lambda *x: torch.cat(x, 1)),
        case("some", node("Concat", "abc", axis=1), {"a": a, "b": b, "c": c}, lambda *x: torch.cat(x, 1), wanted=["b"]),
        case("twice", node("Concat", "aba", axis=1), {"a": a, "b": b}, lambda a, b: torch.cat([a, b, a], 1)),
        case(
            "halved",
            halved,
            {"i": image, "j": noise(2, 3, seed=4)},
            pooled,
            constants={"t": np.array([0, -1])},
            dims="free",
        ),
    ],
)
