import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

x, s, b = noise(2, 3, 8), noise(8, seed=1), noise(8, seed=2)
ones = np.ones(8, np.float32)
write(
    __file__,
    [
        case(
            "plain", node("LayerNormalization", "xs"), {"x": x}, lambda x: F.layer_norm(x, (8,)), constants={"s": ones}
        ),
        case(
            "zero_bias",
            node("LayerNormalization", "xsb", epsilon=1e-3),
            {"x": x},
            lambda x: F.layer_norm(x, (8,), eps=1e-3),
            constants={"s": ones, "b": 0 * ones},
        ),
        case(
            "affine",
            node("LayerNormalization", "xsb"),
            {"x": x},
            lambda x: F.layer_norm(x, (8,), torch.tensor(s).double(), torch.tensor(b).double()),
            constants={"s": s, "b": b},
        ),
        case(
            "all",
            node("LayerNormalization", "xsb"),
            {"x": x, "s": s, "b": b},
            lambda x, s, b: F.layer_norm(x, (8,), s, b),
            dims="fixed",
        ),
        case(
            "two_axes",
            node("LayerNormalization", "xs", axis=1),
            {"x": noise(2, 3, 4), "s": noise(3, 4, seed=1)},
            lambda x, s: F.layer_norm(x, (3, 4), s),
            dims="fixed",
        ),
    ],
)
