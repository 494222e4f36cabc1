import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

DO = {3: F.conv_transpose1d, 4: F.conv_transpose2d, 5: F.conv_transpose3d}


def up(x, w, b=None, **k):
    return DO[x.dim()](x, w, b, **k)


w1, w2, w3 = noise(3, 4, 3, seed=1), noise(3, 2, 3, 2, seed=1), noise(3, 2, 2, 1, 3, seed=1)
u1, u2 = torch.tensor(w1).double(), torch.tensor(w2).double()
x1, x2, x3 = noise(2, 3, 9), noise(2, 3, 7, 8), noise(2, 3, 4, 2, 5)
group = noise(6, 2, 3, seed=1)


def both(name, x, w, f, dims="shared", **attributes):
    """The gradients of data and kernel."""
    return case(name, node("ConvTranspose", "xw", **attributes), {"x": x, "w": w}, f, dims=dims, fixed="w")


write(
    __file__,
    [
        case(
            "line",
            node("ConvTranspose", "xwb", strides=[2], pads=[1, 1]),
            {"x": x1, "b": noise(4)},
            lambda x, b: up(x, u1, b, stride=2, padding=1),
            constants={"w": w1},
        ),
        case(
            "image",
            node("ConvTranspose", "xw", strides=[2, 2], output_padding=[1, 1]),
            {"x": x2},
            lambda x: up(x, u2, stride=2, output_padding=1),
            constants={"w": w2},
        ),
        case(
            "output_shape",
            node("ConvTranspose", "xw", strides=[2], output_shape=[18]),
            {"x": x1},
            lambda x: up(x, u1, stride=2)[..., 1:],
            constants={"w": w1},
            dims="fixed",
        ),
        case(
            "output_shape_upper",
            node("ConvTranspose", "xw", strides=[2, 3], output_shape=[14, 22], auto_pad="SAME_UPPER"),
            {"x": x2},
            lambda x: up(x, u2, stride=(2, 3))[..., :14, :22],
            constants={"w": w2},
            dims="fixed",
        ),
        case(
            "same_upper",
            node("ConvTranspose", "xw", strides=[2], auto_pad="SAME_UPPER"),
            {"x": x1},
            lambda x: up(x, u1, stride=2)[..., :-1],
            constants={"w": w1},
        ),
        case(
            "same_lower",
            node("ConvTranspose", "xw", strides=[2], auto_pad="SAME_LOWER"),
            {"x": x1},
            lambda x: up(x, u1, stride=2)[..., 1:],
            constants={"w": w1},
        ),
        both("kernel", x1, w1, lambda x, w: up(x, w, stride=2, padding=1), pads=[1, 1], strides=[2]),
        both(
            "kernel_padded",
            x2,
            w2,
            lambda x, w: up(x, w, stride=(3, 1), dilation=(2, 1), output_padding=(2, 0)),
            dilations=[2, 1],
            strides=[3, 1],
            output_padding=[2, 0],
        ),
        both("kernel_groups", noise(2, 6, 5), group, lambda x, w: up(x, w, groups=3, stride=2), group=3, strides=[2]),
        both("kernel_volume", x3, w3, lambda x, w: up(x, w, stride=(2, 1, 1)), "free", strides=[2, 1, 1]),
    ],
)
