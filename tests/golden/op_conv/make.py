import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

DO = {3: F.conv1d, 4: F.conv2d, 5: F.conv3d}


def conv(x, w, b=None, **k):
    return DO[x.dim()](x, w, b, **k)


w1, w2, w3, b = noise(4, 3, 3, seed=1), noise(4, 3, 3, 2, seed=1), noise(2, 3, 2, 1, 3, seed=1), noise(4, seed=2)
t1, t2, tb = (torch.tensor(t).double() for t in (w1, w2, b))
pairs = noise(6, 2, 2, 3, seed=1)
group, deep = noise(6, 2, 3, seed=1), noise(6, 1, 3, 3, seed=1)
x1, x2, x3 = noise(2, 3, 9), noise(2, 3, 7, 8), noise(2, 3, 4, 2, 5)


def both(name, x, w, f, dims="shared", **attributes):
    """The gradients of data and kernel."""
    return case(name, node("Conv", "xw", **attributes), {"x": x, "w": w}, f, dims=dims, fixed="w")


write(
    __file__,
    [
        case(
            "line",
            node("Conv", "xwb", pads=[1, 1]),
            {"x": x1, "b": b},
            lambda x, b: conv(x, t1, b, padding=1),
            constants={"w": w1},
        ),
        case(
            "strided",
            node("Conv", "xwb", strides=[2], pads=[1, 1]),
            {"x": noise(2, 3, 10)},
            lambda x: conv(x, t1, tb, stride=2, padding=1),
            constants={"w": w1, "b": b},
        ),
        case(
            "strided_fixed",
            node("Conv", "xw", strides=[3]),
            {"x": noise(2, 3, 10)},
            lambda x: conv(x, t1, stride=3),
            constants={"w": w1},
            dims="fixed",
        ),
        case(
            "dilated",
            node("Conv", "xw", dilations=[2], pads=[2, 0]),
            {"x": x1},
            lambda x: conv(F.pad(x, (2, 0)), t1, dilation=2),
            constants={"w": w1},
        ),
        case(
            "groups",
            node("Conv", "xw", group=3),
            {"x": noise(2, 6, 9)},
            lambda x: conv(x, torch.tensor(group).double(), groups=3),
            constants={"w": group},
        ),
        case(
            "image",
            node("Conv", "xw", strides=[2, 1], pads=[1, 0, 1, 1]),
            {"x": x2},
            lambda x: conv(F.pad(x, (0, 1, 1, 1)), t2, stride=(2, 1)),
            constants={"w": w2},
        ),
        case(
            "same",
            node("Conv", "xw", auto_pad="SAME_UPPER"),
            {"x": x1},
            lambda x: conv(x, t1, padding=1),
            constants={"w": w1},
        ),
        case(
            "same_strided",
            node("Conv", "xw", auto_pad="SAME_UPPER", strides=[3]),
            {"x": noise(2, 3, 11)},
            lambda x: conv(F.pad(x, (0, 1)), t1, stride=3),
            constants={"w": w1},
        ),
        case(
            "same_lower",
            node("Conv", "xw", auto_pad="SAME_LOWER", strides=[2, 2]),
            {"x": x2},
            lambda x: conv(F.pad(x, (0, 0, 1, 1)), t2, stride=2),
            constants={"w": w2},
            dims="free",
        ),
        both("kernel", x1, w1, lambda x, w: conv(x, w, padding=1), pads=[1, 1]),
        both(
            "kernel_strided",
            noise(2, 3, 12),
            w1,
            lambda x, w: conv(x, w, stride=4, padding=1),
            pads=[1, 1],
            strides=[4],
        ),
        both(
            "kernel_strided_fixed",
            noise(2, 3, 12),
            w1,
            lambda x, w: conv(x, w, stride=4, padding=1),
            "fixed",
            pads=[1, 1],
            strides=[4],
        ),
        both(
            "kernel_dilated",
            x2,
            w2,
            lambda x, w: conv(F.pad(x, (0, 1, 2, 1)), w, dilation=(2, 3), stride=(1, 2)),
            "free",
            dilations=[2, 3],
            strides=[1, 2],
            pads=[2, 0, 1, 1],
        ),
        both("kernel_groups", noise(2, 6, 9), group, lambda x, w: conv(x, w, groups=3), group=3),
        both(
            "kernel_depthwise",
            noise(1, 6, 5, 6),
            deep,
            lambda x, w: conv(x, w, groups=6, padding=1, stride=2),
            group=6,
            pads=[1] * 4,
            strides=[2, 2],
        ),
        both("kernel_volume", x3, w3, lambda x, w: conv(x, w, padding=(0, 0, 1)), pads=[0, 0, 1] * 2),
        both("kernel_point", x2, noise(4, 3, 1, 1, seed=1), lambda x, w: conv(x, w)),
        both(
            "kernel_same",
            noise(2, 3, 11),
            w1,
            lambda x, w: conv(F.pad(x, (0, 1)), w, stride=3),
            auto_pad="SAME_UPPER",
            strides=[3],
        ),
        both("kernel_valid", x1, w1, lambda x, w: conv(x, w), auto_pad="VALID"),
        case(
            "image_groups",
            node("Conv", "xw", group=2, dilations=[1, 2], pads=[0, 2, 1, 4]),
            {"x": noise(2, 4, 5, 6)},
            lambda x: conv(F.pad(x, (2, 4, 0, 1)), torch.tensor(pairs).double(), groups=2, dilation=(1, 2)),
            constants={"w": pairs},
            dims="free",
            fixed="x",
        ),
        case(
            "image_free",
            node("Conv", "xwb", pads=[1, 0, 1, 1]),
            {"x": x2},
            lambda x: conv(F.pad(x, (0, 1, 1, 1)), t2, tb),
            constants={"w": w2, "b": b},
        ),
        case(
            "image_wide_pads",
            node("Conv", "xw", pads=[3, 0, 3, 0]),
            {"x": x2},
            lambda x: conv(F.pad(x, (0, 0, 3, 3)), t2),
            constants={"w": w2},
        ),
        case(
            "image_point",
            node("Conv", "xw"),
            {"x": x2},
            lambda x: conv(x, t2[:, :, :1, :1]),
            constants={"w": w2[:, :, :1, :1].copy()},
        ),
    ],
)
