import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

a, b = noise(2, 3, 4), noise(3, 1, seed=1, low=0.5)
write(
    __file__,
    [
        case("broadcast", node("Div", "ab"), {"a": a, "b": b}, lambda a, b: a / b),
        case("constant", node("Div", "ab"), {"a": a}, lambda a: a / 4, constants={"b": np.float32(4)}),
        case("of_constant", node("Div", "ba"), {"a": b}, lambda a: 4 / a, constants={"b": np.float32(4)}),
    ],
)
