import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

a, b = noise(2, 3, 4), noise(3, 1, seed=1)
write(
    __file__,
    [
        case("broadcast", node("Mul", "ab"), {"a": a, "b": b}, lambda a, b: a * b),
        case("unknown_broadcast", node("Mul", "ab"), {"a": b, "b": a}, lambda a, b: a * b, dims="free"),
        case("square", node("Mul", "aa"), {"a": a}, lambda a: a * a),
        case("constant", node("Mul", "ab"), {"a": a}, lambda a: a * 0.25, constants={"b": np.float32(0.25)}),
    ],
)
