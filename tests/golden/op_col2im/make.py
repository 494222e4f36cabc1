import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch.nn.functional as F

from op_golden import case, node, noise, write


def fold(name, x, image, block, f, **k):
    return case(name, node("Col2Im", "xib", **k), {"x": x}, f, constants={"i": np.array(image), "b": np.array(block)})


write(
    __file__,
    [
        fold("tiles", noise(2, 12, 6), [4, 6], [2, 2], lambda x: F.fold(x, (4, 6), 2, stride=2), strides=[2, 2]),
        fold(
            "padded",
            noise(1, 18, 12),
            [5, 6],
            [3, 3],
            lambda x: F.fold(x, (5, 6), 3, dilation=(1, 2), padding=1, stride=(2, 1)),
            strides=[2, 1],
            dilations=[1, 2],
            pads=[1, 1, 1, 1],
        ),
    ],
)
