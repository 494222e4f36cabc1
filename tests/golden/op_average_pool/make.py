import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

x1, x2 = noise(2, 3, 10), noise(2, 3, 7, 8)


def pool(name, x, f, dims="shared", op="AveragePool", opset=20, **attributes):
    """One output."""
    return case(name, node(op, "x", **attributes), {"x": x}, f, dims=dims, opset=opset)


def outside(x, pads, kernel, strides):
    """The mean over what lies inside."""
    ones = torch.ones_like(x)
    return F.avg_pool2d(F.pad(x, pads), kernel, strides) / F.avg_pool2d(F.pad(ones, pads), kernel, strides)


def norm(x, p, *window):
    kernel = window[0]
    return (F.avg_pool2d(x.abs() ** p, *window) * kernel * kernel) ** (1 / p)


write(
    __file__,
    [
        pool("line", x1, lambda x: F.avg_pool1d(x, 2, 2), kernel_shape=[2], strides=[2]),
        pool("tiles", x2, lambda x: F.avg_pool2d(x, (2, 3)), kernel_shape=[2, 3], strides=[2, 3]),
        pool("tiles_fixed", x2, lambda x: F.avg_pool2d(x, (2, 3)), "fixed", kernel_shape=[2, 3], strides=[2, 3]),
        pool("overlapping", x2, lambda x: F.avg_pool2d(x, 3, 2), "free", kernel_shape=[3, 3], strides=[2, 2]),
        pool(
            "counted",
            x2,
            lambda x: F.avg_pool2d(x, 3, 2, 1),
            kernel_shape=[3, 3],
            strides=[2, 2],
            pads=[1] * 4,
            count_include_pad=1,
        ),
        pool(
            "uncounted",
            x2,
            lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
            kernel_shape=[3, 3],
            strides=[2, 2],
            pads=[1] * 4,
        ),
        pool("uneven", x2, lambda x: outside(x, (0, 1, 1, 0), 2, 1), kernel_shape=[2, 2], pads=[1, 0, 0, 1]),
        pool(
            "ceil",
            x2,
            lambda x: F.avg_pool2d(x, 3, 2, ceil_mode=True),
            "free",
            kernel_shape=[3, 3],
            strides=[2, 2],
            ceil_mode=1,
        ),
        pool(
            "ceil_counted",
            x2,
            lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True),
            "fixed",
            kernel_shape=[3, 3],
            strides=[2, 2],
            pads=[1] * 4,
            ceil_mode=1,
            count_include_pad=1,
        ),
        pool(
            "same",
            x2,
            lambda x: outside(x, (0, 1, 1, 1), 3, (1, 3)),
            "free",
            kernel_shape=[3, 3],
            strides=[1, 3],
            auto_pad="SAME_UPPER",
        ),
        pool("norm", x2, lambda x: norm(x, 2, 2, 2), op="LpPool", kernel_shape=[2, 2], strides=[2, 2]),
        pool(
            "norm_3",
            x2,
            lambda x: norm(F.pad(x, (1, 1, 1, 1)), 3, 3, 2),
            op="LpPool",
            kernel_shape=[3, 3],
            strides=[2, 2],
            pads=[1] * 4,
            p=3,
        ),
        pool("norm_1", x2, lambda x: norm(x, 1, 2, 1), op="LpPool", kernel_shape=[2, 2], p=1),
    ],
)
