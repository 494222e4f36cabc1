import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

x = noise(2, 3)
write(
    __file__,
    [
        case("both", node("Tile", "xr"), {"x": x}, lambda x: x.repeat(2, 3), constants={"r": np.array([2, 3])}),
        case("one", node("Tile", "xr"), {"x": x}, lambda x: x.repeat(1, 4), constants={"r": np.array([1, 4])}),
    ],
)
