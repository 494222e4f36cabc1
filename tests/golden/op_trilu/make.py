import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

x = noise(2, 4, 5)
write(
    __file__,
    [
        case("upper", node("Trilu", "x"), {"x": x}, torch.triu),
        case("lower", node("Trilu", "xk", upper=0), {"x": x}, lambda x: x.tril(1), constants={"k": np.int64(1)}),
    ],
)
