import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch.nn.functional as F

from op_golden import case, node, noise, write

x = noise(2, 5, 3, 2)
write(
    __file__,
    [
        case(
            "odd",
            node("LRN", "x", size=3, alpha=0.3, beta=0.7, bias=1.5),
            {"x": x},
            lambda x: F.local_response_norm(x, 3, 0.3, 0.7, 1.5),
            dims="fixed",
        ),
        case("default", node("LRN", "x", size=5), {"x": x}, lambda x: F.local_response_norm(x, 5), fixed="x"),
    ],
)
