import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

x = noise(4, 5)
write(
    __file__,
    [
        case(
            "one", node("Gather", "xi", axis=1), {"x": x}, lambda x: x[:, 2], constants={"i": np.int64(2)}, dims="fixed"
        ),
        case(
            "last", node("Gather", "xi", axis=0), {"x": x}, lambda x: x[-1], constants={"i": np.int64(-1)}, dims="fixed"
        ),
        case(
            "run",
            node("Gather", "xi", axis=1),
            {"x": x},
            lambda x: x[:, 1:4],
            constants={"i": np.array([1, 2, 3])},
            dims="fixed",
        ),
        case("repeated", node("Gather", "xi", axis=0), {"x": x, "i": np.array([[0, 2], [2, 3]])}, lambda x, i: x[i]),
        case(
            "repeated_columns", node("Gather", "xi", axis=1), {"x": x, "i": np.array([4, 0, 4])}, lambda x, i: x[:, i]
        ),
        case("negative", node("Gather", "xi", axis=0), {"x": x, "i": np.array([-1, 1])}, lambda x, i: x[i]),
        case(
            "unbound",
            [node("Gather", "xi", "u"), node("Gather", "xj", "v"), node("Mul", "uv")],
            {"x": noise(2, 3)},
            lambda x: x[0] * x[1],
            constants={"i": np.int64(0), "j": np.int64(1)},
            dims="fixed",
        ),
    ],
)
