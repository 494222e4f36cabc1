import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

h = noise(2, 3).astype(np.float16)
write(
    __file__,
    [
        case(
            "double",
            [node("Cast", "x", "d", to=11), node("Mul", "dd", "e"), node("Cast", "e", to=1)],
            {"x": noise(2, 3)},
            lambda x: x * x,
        ),
        case(
            "half_weights",
            [node("Cast", "w", "v", to=1), node("MatMul", "xv")],
            {"x": noise(4, 2)},
            lambda x: x @ torch.tensor(h).double(),
            constants={"w": h},
        ),
        case(
            "through_integers",
            [node("Cast", "x", "i", to=7), node("Cast", "i", "f", to=1), node("Mul", "xf")],
            {"x": noise(2, 3)},
            lambda x: x * x.detach().trunc(),
        ),
    ],
)
