import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch.nn.functional as F

from op_golden import case, node, noise, write

x2, g2 = noise(2, 3, 4, 5), noise(2, 3, 2, 2, seed=1, low=-1.4, high=1.4)
x3, g3 = noise(1, 2, 3, 4, 5), noise(1, 2, 2, 3, 3, seed=1, low=-1.4, high=1.4)
OLD = {"linear": "bilinear", "nearest": "nearest", "cubic": "bicubic"}


def sample(name, x, grid, mode, padding, align, opset=20, dims="shared"):
    def f(x, g):
        return F.grid_sample(x, g, OLD[mode], padding, bool(align))

    given = OLD[mode] if opset < 20 else mode
    wanted = ["x"] if mode == "nearest" else None
    attributes = {"mode": given, "padding_mode": padding, "align_corners": align}
    return case(
        name,
        node("GridSample", "xg", **attributes),
        {"x": x, "g": grid},
        f,
        opset=opset,
        dims=dims,
        wanted=wanted,
        fixed="g",
    )


write(
    __file__,
    [
        *(
            sample(f"{mode}_{padding}_{align}", x2, g2, mode, padding, align)
            for mode in OLD
            for padding in ("zeros", "border", "reflection")
            for align in (0, 1)
        ),
        *(
            sample(f"volume_{mode}_{padding}", x3, g3, mode, padding, 0)
            for mode in ("linear", "nearest")
            for padding in ("zeros", "reflection")
        ),
        sample("linear_16", x2, g2, "linear", "zeros", 0, 16, "free"),
        sample("cubic_16", x2, g2, "cubic", "border", 1, 16, "fixed"),
    ],
)
