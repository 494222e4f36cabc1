import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

x1, x2, x3 = noise(2, 3, 6), noise(2, 3, 4, 5), noise(1, 2, 2, 3, 4)


def scaled(name, x, scales, f, dims="shared", opset=20, **attributes):
    """With constant scales."""
    scales = np.array([1, 1, *scales], np.float32)
    return case(
        name, node("Resize", ["x", "", "s"], **attributes), {"x": x}, f, constants={"s": scales}, dims=dims, opset=opset
    )


def sized(name, x, sizes, f, dims="shared", opset=20, **attributes):
    """With constant sizes."""
    sizes = np.array([*x.shape[:2], *sizes])
    return case(
        name,
        node("Resize", ["x", "", "", "s"], **attributes),
        {"x": x},
        f,
        constants={"s": sizes},
        dims=dims,
        opset=opset,
    )


def up(x, mode, scale=None, size=None, **k):
    return F.interpolate(x, size=size, scale_factor=scale, mode=mode, **k)


def by_index(x, rows, columns):
    return x[:, :, rows][:, :, :, columns]


def crop(x):
    at = 0.2 * 4 + torch.arange(3.0, dtype=x.dtype) * (0.9 - 0.2) * 4 / 2
    low, t = at.floor().long(), at - at.floor()
    return x[..., low] * (1 - t) + x[..., (low + 1).clamp(max=4)] * t


old = dict(coordinate_transformation_mode="asymmetric", nearest_mode="floor")
corners = dict(coordinate_transformation_mode="align_corners")
half = dict(coordinate_transformation_mode="pytorch_half_pixel")
cubic = dict(mode="cubic", cubic_coeff_a=-0.75)
write(
    __file__,
    [
        scaled("nearest", x2, [2, 2], lambda x: up(x, "nearest", 2), mode="nearest", **old),
        scaled("nearest_13", x2, [2, 3], lambda x: up(x, "nearest", (2, 3)), mode="nearest", opset=13, **old),
        scaled("nearest_half", x2, [3, 2], lambda x: up(x, "nearest", (3, 2)), mode="nearest"),
        scaled("nearest_line", x1, [2], lambda x: up(x, "nearest", 2), mode="nearest", **old),
        scaled("nearest_volume", x3, [2, 1, 2], lambda x: up(x, "nearest", (2, 1, 2)), mode="nearest", **old),
        scaled(
            "nearest_ceil",
            x2,
            [2, 2],
            lambda x: by_index(x, [0, 1, 1, 2, 2, 3, 3, 3], [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="ceil",
        ),
        scaled("nearest_down", x2, [0.5, 0.6], lambda x: up(x, "nearest", (0.5, 0.6)), mode="nearest", **old),
        sized("nearest_size", x2, [7, 3], lambda x: up(x, "nearest", size=(7, 3)), mode="nearest", **old),
        sized(
            "nearest_size_fixed", x2, [8, 10], lambda x: up(x, "nearest", size=(8, 10)), "fixed", mode="nearest", **old
        ),
        scaled("linear", x2, [2, 2], lambda x: up(x, "bilinear", 2), mode="linear"),
        scaled("linear_13", x2, [2, 1.5], lambda x: up(x, "bilinear", (2, 1.5)), mode="linear", opset=13),
        scaled("linear_line", x1, [2], lambda x: up(x, "linear", 2), mode="linear", **half),
        scaled(
            "linear_corners", x2, [2, 2], lambda x: up(x, "bilinear", 2, align_corners=True), mode="linear", **corners
        ),
        sized("linear_size", x2, [9, 3], lambda x: up(x, "bilinear", size=(9, 3)), mode="linear", **half),
        scaled("linear_volume", x3, [2, 2, 2], lambda x: up(x, "trilinear", 2), mode="linear"),
        sized("linear_fixed", x2, [8, 5], lambda x: up(x, "bilinear", size=(8, 5)), "fixed", mode="linear"),
        scaled("cubic", x2, [2, 2], lambda x: up(x, "bicubic", 2), **cubic),
        sized(
            "cubic_corners", x2, [7, 3], lambda x: up(x, "bicubic", size=(7, 3), align_corners=True), **cubic, **corners
        ),
        sized(
            "antialias",
            x2,
            [2, 3],
            lambda x: up(x, "bilinear", size=(2, 3), antialias=True),
            mode="linear",
            antialias=1,
            exclude_outside=1,
        ),
        case(
            "axes",
            node("Resize", ["x", "", "s"], mode="linear", axes=[3, 2]),
            {"x": x2},
            lambda x: up(x, "bilinear", (3, 2)),
            constants={"s": np.array([2, 3], np.float32)},
        ),
        case(
            "size_of_other",
            [node("Shape", "r", "t", start=2), node("Resize", ["x", "", "", "t"], mode="nearest", axes=[2, 3], **old)],
            {"x": x2, "r": noise(2, 3, 8, 11)},
            lambda x, r: up(x, "nearest", size=(8, 11)),
            wanted=["x"],
        ),
        case(
            "size_of_other_linear",
            [node("Shape", "r", "t", start=2), node("Resize", ["x", "", "", "t"], mode="linear", axes=[2, 3])],
            {"x": x2, "r": noise(2, 3, 8, 11)},
            lambda x, r: up(x, "bilinear", size=(8, 11)),
            wanted=["x"],
            dims="free",
        ),
        case(
            "dynamic_scales",
            node("Resize", ["x", "", "s"], mode="linear"),
            {"x": x2, "s": np.array([1, 1, 2, 1.5], np.float32)},
            lambda x, s: up(x, "bilinear", (2, 1.5)),
            wanted=["x"],
        ),
        case(
            "crop",
            node(
                "Resize",
                ["x", "r", "", "s"],
                mode="linear",
                coordinate_transformation_mode="tf_crop_and_resize",
                extrapolation_value=7.0,
            ),
            {"x": x2},
            crop,
            constants={"r": np.array([0, 0, 0, 0.2, 1, 1, 1, 0.9], np.float32), "s": np.array([2, 3, 4, 3])},
        ),
    ],
)
