import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

x = noise(3, 6)
k = np.array([4])
write(
    __file__,
    [
        case("last", node("TopK", "xk", ("y", "i")), {"x": x}, lambda x: x.topk(4).values, constants={"k": k}),
        case(
            "first_axis",
            node("TopK", "xk", ("y", "i"), axis=0, largest=0),
            {"x": x},
            lambda x: x.topk(2, 0, False).values,
            constants={"k": np.array([2])},
        ),
        case(
            "dynamic",
            node("TopK", "xk", ("y", "i"), sorted=1),
            {"x": x, "k": k},
            lambda x, k: x.topk(4).values,
            opset=13,
        ),
        case(
            "sorted",
            [node("Shape", "x", "n", start=1), node("TopK", "xn", ("y", "i"), largest=0)],
            {"x": x},
            lambda x: x.sort(-1).values,
        ),
    ],
)
