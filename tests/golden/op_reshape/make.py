import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

x = noise(2, 3, 4)
write(
    __file__,
    [
        case("free", node("Reshape", "xs"), {"x": x}, lambda x: x.reshape(2, 12), constants={"s": np.array([0, -1])}),
        case(
            "fixed",
            node("Reshape", "xs"),
            {"x": x},
            lambda x: x.reshape(6, 4),
            constants={"s": np.array([6, 4])},
            dims="fixed",
        ),
        case(
            "merged_and_free",
            node("Reshape", "xs"),
            {"x": x},
            lambda x: x.reshape(3, 8),
            constants={"s": np.array([-1, 8])},
        ),
        case("flatten", node("Flatten", "x", axis=2), {"x": x}, lambda x: x.reshape(6, 4)),
        case("flatten_all", node("Flatten", "x", axis=0), {"x": x}, lambda x: x.reshape(1, 24)),
    ],
)
