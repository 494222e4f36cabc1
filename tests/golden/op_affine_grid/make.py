import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch.nn.functional as F

from op_golden import case, node, noise, write

t2, t3 = noise(2, 2, 3), noise(2, 3, 4)


def grid(name, theta, size, align, dims="shared", **k):
    return case(
        name,
        node("AffineGrid", "ts", align_corners=align),
        {"t": theta},
        lambda t: F.affine_grid(t, size, bool(align)),
        constants={"s": np.array(size)},
        dims=dims,
        fixed="t",
    )


write(
    __file__,
    [
        grid("image", t2, [2, 3, 4, 5], 0),
        grid("image_corners", t2, [2, 3, 4, 5], 1, "fixed"),
        grid("volume", t3, [2, 1, 2, 3, 4], 0),
        case(
            "dynamic_size",
            node("AffineGrid", "ts"),
            {"t": t2, "s": np.array([2, 3, 4, 5])},
            lambda t, s: F.affine_grid(t, [2, 3, 4, 5], False),
            wanted=["t"],
            fixed="ts",
        ),
    ],
)
