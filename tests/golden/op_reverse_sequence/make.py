import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

x, lengths = noise(4, 3, 2), np.array([3, 1, 4])


def turned(x, lengths):
    return torch.stack([torch.cat([x[:n, at].flip(0), x[n:, at]]) for at, n in enumerate(lengths)], 1)


write(
    __file__,
    [
        case("time_first", node("ReverseSequence", "xn", time_axis=0, batch_axis=1), {"x": x, "n": lengths}, turned),
        case(
            "batch_first",
            node("ReverseSequence", "xn", time_axis=1, batch_axis=0),
            {"x": noise(3, 4), "n": lengths},
            lambda x, n: turned(x.T, n).T,
        ),
    ],
)
