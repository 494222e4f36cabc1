import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from op_golden import case, node, noise, write

c = noise(2, 3, seed=5) > 0
write(__file__, [
    case("plain", node("Where", "cab"), {"c": c, "a": noise(2, 3), "b": noise(2, 3, seed=1)}, torch.where),
    case("broadcast", node("Where", "cab"), {"c": c, "a": noise(3), "b": noise(4, 1, 1, seed=1)}, torch.where),
])
