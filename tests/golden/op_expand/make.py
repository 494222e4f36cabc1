import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

write(
    __file__,
    [
        case("row", node("Expand", "xs"), {"x": noise(3)}, lambda x: x.expand(2, 3), constants={"s": np.array([2, 3])}),
        case(
            "inner",
            node("Expand", "xs"),
            {"x": noise(2, 1, 4)},
            lambda x: x.expand(2, 3, 4),
            constants={"s": np.array([3, 1])},
        ),
        case(
            "like",
            [node("Shape", "r", "s"), node("Expand", "xs")],
            {"x": noise(3, 1), "r": noise(2, 3, 4)},
            lambda x, r: x.expand(2, 3, 4),
            wanted=["x"],
        ),
    ],
)
