import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from op_golden import case, node, noise, write

write(__file__, [case("plain", node("Log", "x"), {"x": noise(2, 3, low=0.2)}, torch.log)])
