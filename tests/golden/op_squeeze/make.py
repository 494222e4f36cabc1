import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

x = noise(2, 1, 3, 1)
axes = {"a": np.array([1, -1], np.int64)}
write(
    __file__,
    [
        case("squeeze", node("Squeeze", "xa"), {"x": x}, lambda x: x[:, 0, :, 0], constants=axes),
        case("squeeze_all", node("Squeeze", "x"), {"x": x}, lambda x: x.squeeze(), dims="fixed"),
        case("unsqueeze", node("Unsqueeze", "xa"), {"x": noise(2, 3)}, lambda x: x[:, None, :, None], constants=axes),
    ],
)
