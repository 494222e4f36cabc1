import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch.nn.functional as F

from op_golden import case, node, noise, write

write(
    __file__,
    [
        case("softplus", node("Softplus", "x"), {"x": noise(2, 3)}, F.softplus),
        case("mish", node("Mish", "x"), {"x": noise(2, 3)}, F.mish),
        case("softsign", node("Softsign", "x"), {"x": noise(2, 3)}, F.softsign),
    ],
)
