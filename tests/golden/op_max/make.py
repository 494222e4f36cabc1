import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

a, b, c = noise(2, 3), noise(3, seed=1), noise(2, 1, seed=2)
tie = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
write(
    __file__,
    [
        case("max", node("Max", "ab"), {"a": a, "b": b}, torch.maximum),
        case("min", node("Min", "ab"), {"a": a, "b": b}, torch.minimum),
        case(
            "three", node("Max", "abc"), {"a": a, "b": b, "c": c}, lambda a, b, c: torch.maximum(torch.maximum(a, b), c)
        ),
        case("tie", node("Max", "ab"), {"a": tie, "b": tie[:1]}, torch.maximum),
    ],
)
