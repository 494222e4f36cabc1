import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

write(
    __file__,
    [
        case("floor", [node("Floor", "x", "f"), node("Sub", "xf")], {"x": noise(2, 3)}, lambda x: x - x.floor()),
        case(
            "compare",
            [node("Greater", "xz", "c"), node("Cast", "c", "m", to=1), node("Mul", "xm")],
            {"x": noise(2, 3)},
            lambda x: x * (x > 0),
            constants={"z": np.float32(0)},
        ),
        case("sign", [node("Sign", "x", "s"), node("Mul", "xs")], {"x": noise(2, 3)}, lambda x: x * x.sign()),
        case(
            "shape",
            [
                node("Shape", "x", "s"),
                node("Cast", "s", "f", to=1),
                node("ReduceProd", "f", "n", keepdims=0),
                node("Div", "xn"),
            ],
            {"x": noise(2, 3)},
            lambda x: x / 6,
        ),
        case(
            "argmax",
            [node("ArgMax", "x", "i", axis=1), node("Cast", "i", "f", to=1), node("Mul", "xf")],
            {"x": noise(2, 3)},
            lambda x: x * x.argmax(1, keepdim=True),
        ),
    ],
)
