import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

x, s = noise(2, 3, 4), noise(3, 1, seed=1, low=0.1)
write(
    __file__,
    [
        case("leaky_relu", node("LeakyRelu", "x", alpha=0.2), {"x": x}, lambda x: F.leaky_relu(x, 0.2)),
        case("prelu", node("PRelu", "xs"), {"x": x, "s": s}, lambda x, s: torch.where(x > 0, x, s * x)),
        case("thresholded_relu", node("ThresholdedRelu", "x", alpha=0.5), {"x": x}, lambda x: F.threshold(x, 0.5, 0)),
        case("elu", node("Elu", "x", alpha=1.5), {"x": x}, lambda x: F.elu(x, 1.5)),
        case("selu", node("Selu", "x"), {"x": x}, F.selu),
        case("celu", node("Celu", "x", alpha=0.7), {"x": x}, lambda x: F.celu(x, 0.7)),
    ],
)
