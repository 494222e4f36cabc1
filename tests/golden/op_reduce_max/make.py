import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

x = noise(2, 3, 4)
tie = np.array([[1, 3, 3], [2, 2, 2]], np.float32)
axis = {"a": np.array([1], np.int64)}
write(
    __file__,
    [
        case("max", node("ReduceMax", "xa"), {"x": x}, lambda x: x.amax(1, keepdim=True), constants=axis),
        case("min", node("ReduceMin", "xa", keepdims=0), {"x": x}, lambda x: x.amin(1), constants=axis),
        case("tie", node("ReduceMax", "xa", keepdims=0), {"x": tie}, lambda x: x.amax(1), constants=axis),
    ],
)
