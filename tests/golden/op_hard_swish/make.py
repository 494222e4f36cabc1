import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch.nn.functional as F

from op_golden import case, node, noise, write

x = noise(4, 5, low=-5, high=5)
write(
    __file__,
    [
        case("hard_sigmoid", node("HardSigmoid", "x", alpha=1 / 6, beta=0.5), {"x": x}, F.hardsigmoid),
        case("hard_swish", node("HardSwish", "x"), {"x": x}, F.hardswish),
    ],
)
