import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

x = noise(2, 3, 4)
s, b, m, v = noise(3, seed=1), noise(3, seed=2), noise(3, seed=3), noise(3, seed=4, low=0.5)
tensor = [torch.tensor(t).double() for t in (m, v)]
write(
    __file__,
    [
        case(
            "affine",
            node("BatchNormalization", "xsbmv"),
            {"x": x, "s": s, "b": b},
            lambda x, s, b: F.batch_norm(x, *tensor, s, b),
            constants={"m": m, "v": v},
        ),
        case(
            "images",
            node("BatchNormalization", "xsbmv", epsilon=0.01),
            {"x": noise(2, 3, 4, 2)},
            lambda x: F.batch_norm(x, *tensor, torch.tensor(s).double(), torch.tensor(b).double(), eps=0.01),
            constants={"s": s, "b": b, "m": m, "v": v},
        ),
        case(
            "statistics",
            node("BatchNormalization", "xsbmv"),
            {"x": noise(2, 3, 4, 2), "s": s, "b": b, "m": m, "v": v},
            lambda x, s, b, m, v: (
                (x - m[:, None, None]) / (v[:, None, None] + 1e-5).sqrt() * s[:, None, None] + b[:, None, None]
            ),
        ),
    ],
)
