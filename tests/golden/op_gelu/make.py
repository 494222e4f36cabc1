import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch.nn.functional as F

from op_golden import case, node, noise, write

x = noise(3, 4, low=-4, high=4)
write(
    __file__,
    [
        case("exact", node("Gelu", "x"), {"x": x}, F.gelu),
        case("tanh", node("Gelu", "x", approximate="tanh"), {"x": x}, lambda x: F.gelu(x, approximate="tanh")),
    ],
)
