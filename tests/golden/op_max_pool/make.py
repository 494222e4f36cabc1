import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

x1, x2, x3 = noise(2, 3, 10), noise(2, 3, 7, 8), noise(1, 2, 4, 5, 6)
tied = np.round(noise(2, 3, 6, 6))


def pool(name, x, f, dims="shared", opset=20, **attributes):
    """One output."""
    return case(name, node("MaxPool", "x", **attributes), {"x": x}, f, dims=dims, opset=opset)


image = noise(2, 3, 3, 4)
small = noise(1, 2, 2, 2)
index = np.array([[[[1, 2], [8, 15]], [[16, 19], [26, 29]]]])
write(
    __file__,
    [
        pool("line", x1, lambda x: F.max_pool1d(x, 2, 2), kernel_shape=[2], strides=[2]),
        pool("overlapping", x2, lambda x: F.max_pool2d(x, 3, 2, 1), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4),
        pool(
            "overlapping_13",
            x2,
            lambda x: F.max_pool2d(x, 3, 2, 1),
            kernel_shape=[3, 3],
            strides=[2, 2],
            pads=[1] * 4,
            opset=13,
        ),
        pool("fixed", x2, lambda x: F.max_pool2d(x, (2, 3), (3, 2)), "fixed", kernel_shape=[2, 3], strides=[3, 2]),
        pool("tied", tied, lambda x: F.max_pool2d(x, 2, 2), kernel_shape=[2, 2], strides=[2, 2]),
        pool("tied_overlapping", tied, lambda x: F.max_pool2d(x, 3, 1, 1), "free", kernel_shape=[3, 3], pads=[1] * 4),
        pool("dilated", x2, lambda x: F.max_pool2d(x, 2, 1, 0, (2, 3)), kernel_shape=[2, 2], dilations=[2, 3]),
        pool(
            "ceil",
            x2,
            lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True),
            "free",
            kernel_shape=[3, 3],
            strides=[2, 2],
            ceil_mode=1,
        ),
        pool(
            "ceil_fixed",
            x2,
            lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
            "fixed",
            kernel_shape=[3, 3],
            strides=[2, 2],
            pads=[1] * 4,
            ceil_mode=1,
        ),
        pool(
            "same",
            x1,
            lambda x: F.max_pool1d(F.pad(x, (1, 1), value=-9.0), 3, 3),
            kernel_shape=[3],
            strides=[3],
            auto_pad="SAME_UPPER",
        ),
        pool("volume", x3, lambda x: F.max_pool3d(x, 2, (1, 2, 2)), kernel_shape=[2, 2, 2], strides=[1, 2, 2]),
        pool("large", noise(1, 2, 11, 9), lambda x: F.max_pool2d(x, 7, 1, 3), kernel_shape=[7, 7], pads=[3] * 4),
        pool(
            "large_13",
            noise(1, 2, 11, 9),
            lambda x: F.max_pool2d(x, 7, 2, 3),
            kernel_shape=[7, 7],
            strides=[2, 2],
            pads=[3] * 4,
            opset=13,
        ),
        pool(
            "columns_first",
            noise(1, 2, 11, 9),
            lambda x: F.max_pool2d(x, 7, 1, 3),
            kernel_shape=[7, 7],
            pads=[3] * 4,
            storage_order=1,
        ),
        pool("rows", image, lambda x: F.max_pool2d(x, (1, 2)), kernel_shape=[1, 2], strides=[1, 2]),
        case(
            "unpool",
            node("MaxUnpool", "xi", kernel_shape=[2, 2], strides=[2, 2]),
            {"x": small, "i": index},
            lambda x, i: torch.zeros(32, dtype=x.dtype).index_put((i.flatten(),), x.flatten()).reshape(1, 2, 4, 4),
        ),
        case(
            "unpool_shape",
            node("MaxUnpool", "xis", kernel_shape=[2, 2], strides=[2, 2]),
            {"x": small, "i": index},
            lambda x, i: torch.zeros(50, dtype=x.dtype).index_put((i.flatten(),), x.flatten()).reshape(1, 2, 5, 5),
            constants={"s": np.array([1, 2, 5, 5])},
        ),
    ],
)
