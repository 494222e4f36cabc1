import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from op_golden import case, node, noise, write

x = noise(2, 3)
x[0, 0] = 0
write(__file__, [case("plain", node("Abs", "x"), {"x": x}, torch.abs)])
