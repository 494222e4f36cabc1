import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch.nn.functional as F
from op_golden import case, node, noise, write

x = noise(2, 3)
write(__file__, [
    case("both", node("Pad", "xp"), {"x": x}, lambda x: F.pad(x, (1, 2, 0, 3)), constants={"p": np.array([0, 1, 3, 2])}),
    case("value", node("Pad", "xpv"), {"x": x}, lambda x: F.pad(x, (1, 0), value=5), constants={"p": np.array([0, 1, 0, 0]), "v": np.float32(5)}),
    case("axes", node("Pad", ["x", "p", "", "a"]), {"x": x}, lambda x: F.pad(x, (2, 1)), constants={"p": np.array([2, 1]), "a": np.array([-1])}),
    case("cropped", node("Pad", "xp"), {"x": noise(2, 5)}, lambda x: F.pad(x, (-1, 2)), constants={"p": np.array([0, -1, 0, 2])}),
])
