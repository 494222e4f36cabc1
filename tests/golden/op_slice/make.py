import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

x = noise(3, 7)


def cut(s, e, a, p):
    return {k: np.array(v, np.int64) for k, v in zip("seap", (s, e, a, p), strict=True)}


def flipped(x):
    return x.flip(1)


big = 2**62
write(
    __file__,
    [
        case(
            "front",
            node("Slice", "xse" + "a"),
            {"x": x},
            lambda x: x[:, 2:],
            constants={k: v for k, v in cut([2], [big], [1], [1]).items() if k != "p"},
        ),
        case("back", node("Slice", "xseap"), {"x": x}, lambda x: x[:, :-2], constants=cut([0], [-2], [-1], [1])),
        case(
            "both_axes",
            node("Slice", "xseap"),
            {"x": x},
            lambda x: x[1:, 1:-1],
            constants=cut([1, 1], [big, -1], [0, 1], [1, 1]),
        ),
        case("tail", node("Slice", "xseap"), {"x": x}, lambda x: x[:, -3:], constants=cut([-3], [big], [1], [1])),
        case("first", node("Slice", "xseap"), {"x": x}, lambda x: x[:, :1], constants=cut([0], [1], [1], [1])),
        case("clamped", node("Slice", "xseap"), {"x": x}, lambda x: x[:, 1:], constants=cut([1], [100], [1], [1])),
        case(
            "stepped",
            node("Slice", "xseap"),
            {"x": x},
            lambda x: x[:, 1:6:2],
            constants=cut([1], [6], [1], [2]),
            dims="fixed",
        ),
        case(
            "flipped", node("Slice", "xseap"), {"x": x}, flipped, constants=cut([-1], [-big], [1], [-1]), dims="fixed"
        ),
        case(
            "flipped_steps",
            node("Slice", "xseap"),
            {"x": x},
            lambda x: x.flip(1)[:, 1::3],
            constants=cut([-2], [-big], [1], [-3]),
            dims="fixed",
        ),
        case(
            "from_shape",
            [node("Shape", "r", "e", start=0, end=1), node("Slice", "xsea")],
            {"x": x, "r": noise(5, seed=3)},
            lambda x, r: x[:, :5],
            constants={"s": np.array([0]), "a": np.array([1])},
            wanted=["x"],
        ),
        case(
            "stepped_free", node("Slice", "xseap"), {"x": x}, lambda x: x[:, 1:6:2], constants=cut([1], [6], [1], [2])
        ),
        case(
            "flipped_free",
            node("Slice", "xseap"),
            {"x": x},
            lambda x: x.flip(1)[:2, 1::3],
            constants=cut([-2, 0], [-big, 2], [1, 0], [-3, 1]),
        ),
        case(
            "dynamic_steps",
            node("Slice", "xseap"),
            {"x": x, "p": np.array([2, 3])},
            lambda x, p: x[::2, 1:6:3],
            constants={k: v for k, v in cut([0, 1], [big, 6], [0, 1], [0, 0]).items() if k != "p"},
            wanted=["x"],
            fixed="p",
        ),
        case(
            "dynamic_bounds",
            node("Slice", "xse"),
            {"x": x, "s": np.array([-2]), "e": np.array([100])},
            lambda x, s, e: x[-2:],
            wanted=["x"],
            fixed="se",
        ),
        case(
            "dynamic_all",
            node("Slice", "xseap"),
            {"x": x, "s": np.array([6]), "e": np.array([-6]), "p": np.array([-2])},
            lambda x, s, e, p: x[:, [6, 4, 2]],
            constants={"a": np.array([1])},
            wanted=["x"],
            fixed="sep",
        ),
    ],
)
