import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch.nn.functional as F

from op_golden import case, node, noise, write

x = noise(3, 7, 4)
write(
    __file__,
    [
        case(
            "crop", node("CenterCropPad", "xn", axes=[1]), {"x": x}, lambda x: x[:, 1:5], constants={"n": np.array([4])}
        ),
        case(
            "pad",
            node("CenterCropPad", "xn", axes=[1]),
            {"x": x},
            lambda x: F.pad(x, (0, 0, 1, 2)),
            constants={"n": np.array([10])},
        ),
        case(
            "both",
            node("CenterCropPad", "xn"),
            {"x": x, "n": np.array([2, 8, 7])},
            lambda x, n: F.pad(x[:2], (1, 2, 0, 1)),
            fixed="n",
        ),
    ],
)
