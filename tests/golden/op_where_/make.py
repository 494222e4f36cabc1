import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

c = (noise(2, 3, seed=5) > 0).astype(np.int64)
nodes = [node("Cast", "c", "t", to=9), node("Where", "tab")]
write(
    __file__,
    [
        case(
            "plain",
            nodes,
            {"c": c, "a": noise(2, 3), "b": noise(2, 3, seed=1)},
            lambda c, a, b: torch.where(c.bool(), a, b),
        ),
        case(
            "broadcast",
            nodes,
            {"c": c, "a": noise(3), "b": noise(4, 1, 1, seed=1)},
            lambda c, a, b: torch.where(c.bool(), a, b),
        ),
    ],
)
