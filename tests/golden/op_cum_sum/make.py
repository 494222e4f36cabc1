import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from op_golden import case, node, noise, write

x = noise(2, 4)
axis = {"a": np.int64(1)}
write(
    __file__,
    [
        case("plain", node("CumSum", "xa"), {"x": x}, lambda x: x.cumsum(1), constants=axis),
        case("exclusive", node("CumSum", "xa", exclusive=1), {"x": x}, lambda x: x.cumsum(1) - x, constants=axis),
        case(
            "reverse", node("CumSum", "xa", reverse=1), {"x": x}, lambda x: x.flip(1).cumsum(1).flip(1), constants=axis
        ),
    ],
)
