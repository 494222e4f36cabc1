import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

write(
    __file__,
    [
        case("plain", node("Swish", "x"), {"x": noise(2, 3)}, F.silu, opset=24),
        case(
            "alpha", node("Swish", "x", alpha=1.7), {"x": noise(2, 3)}, lambda x: x * torch.sigmoid(1.7 * x), opset=24
        ),
    ],
)
