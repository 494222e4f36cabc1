import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

write(
    __file__,
    [
        case("plain", node("Sigmoid", "x"), {"x": noise(2, 3)}, torch.sigmoid),
        case("silu", [node("Sigmoid", "x", "s"), node("Mul", "xs")], {"x": noise(2, 3)}, F.silu),
    ],
)
