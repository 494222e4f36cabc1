import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from op_golden import case, node, noise, write

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
    ],
)
