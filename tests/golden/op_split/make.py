import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

x = noise(2, 6)
write(
    __file__,
    [
        case("equal", node("Split", "x", "yz", axis=1, num_outputs=2), {"x": x}, lambda x: x.split(3, 1), outputs="yz"),
        case(
            "sizes",
            node("Split", "xs", "yzw", axis=-1),
            {"x": x},
            lambda x: x.split([1, 2, 3], 1),
            outputs="yzw",
            constants={"s": np.array([1, 2, 3])},
        ),
        case(
            "one_used",
            node("Split", "xs", "uy", axis=1),
            {"x": x},
            lambda x: x[:, 2:],
            constants={"s": np.array([2, 4])},
            dims="fixed",
        ),
    ],
)
