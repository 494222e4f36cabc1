import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

x, y = noise(2, 3), noise(2, 4, 5)


def pad(name, x, pads, f, dims="shared", inputs="xp", **attributes):
    """With constant pads."""
    return case(name, node("Pad", inputs, **attributes), {"x": x}, f, constants={"p": np.array(pads)}, dims=dims)


def wrap(x):
    return torch.cat([x[..., -2:], x, x[..., :4]], -1)


def wrap_around(x):
    """Further than one length."""
    return x[..., torch.arange(-7, x.shape[-1] + 12) % x.shape[-1]]


write(
    __file__,
    [
        pad("both", x, [0, 1, 3, 2], lambda x: F.pad(x, (1, 2, 0, 3))),
        case(
            "value",
            node("Pad", "xpv"),
            {"x": x, "v": np.float32(5)},
            lambda x, v: F.pad(x - v, (1, 0)) + v,
            constants={"p": np.array([0, 1, 0, 0])},
        ),
        case(
            "axes",
            node("Pad", ["x", "p", "", "a"]),
            {"x": x},
            lambda x: F.pad(x, (2, 1)),
            constants={"p": np.array([2, 1]), "a": np.array([-1])},
        ),
        pad("cropped", noise(2, 5), [0, -1, 0, 2], lambda x: F.pad(x, (-1, 2))),
        case(
            "dynamic",
            node("Pad", "xp"),
            {"x": y, "p": np.array([0, 1, -2, 0, 3, 1])},
            lambda x, p: F.pad(x, (-2, 1, 1, 3)),
            wanted=["x"],
            fixed="p",
        ),
        case(
            "dynamic_axes",
            node("Pad", ["x", "p", "v", "a"]),
            {"x": y, "p": np.array([1, 2]), "v": np.float32(3)},
            lambda x, p, v: F.pad(x - v, (0, 0, 1, 2)) + v,
            wanted=["x", "v"],
            fixed="p",
            constants={"a": np.array([1])},
        ),
        pad(
            "reflect",
            y,
            [0, 2, 1, 0, 0, 3],
            lambda x: F.pad(F.pad(x, (1, 3), mode="reflect").transpose(1, 2), (2, 0), mode="reflect").transpose(1, 2),
            mode="reflect",
        ),
        pad(
            "reflect_fixed", y, [0, 0, 4, 0, 0, 4], lambda x: F.pad(x, (4, 4), mode="reflect"), "fixed", mode="reflect"
        ),
        pad(
            "edge",
            y,
            [0, 0, 2, 0, 1, 0],
            lambda x: torch.cat([F.pad(x, (2, 0), mode="replicate"), F.pad(x, (2, 0), mode="replicate")[:, -1:]], 1),
            "free",
            mode="edge",
        ),
        pad("wrap", y, [0, 0, 2, 0, 0, 4], wrap, mode="wrap"),
        pad("wrap_around", y, [0, 0, 7, 0, 0, 12], wrap_around, mode="wrap"),
        pad("wrap_around_fixed", y, [0, 0, 7, 0, 0, 12], wrap_around, "fixed", mode="wrap"),
        pad("wrap_fixed", y, [0, 0, 2, 0, 0, 4], wrap, "fixed", mode="wrap"),
        pad("edge_cropped", y, [0, 0, 2, 0, 0, -1], lambda x: F.pad(x, (2, -1), mode="replicate"), mode="edge"),
        case(
            "reflect_dynamic",
            node("Pad", "xp", mode="reflect"),
            {"x": y, "p": np.array([0, 0, 2, 0, 0, 3])},
            lambda x, p: F.pad(x, (2, 3), mode="reflect"),
            wanted=["x"],
            fixed="p",
        ),
    ],
)
