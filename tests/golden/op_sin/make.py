import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from op_golden import case, node, noise, write

near = noise(2, 3, low=-0.9, high=0.9)
write(
    __file__,
    [
        *(
            case(op.lower(), node(op, "x"), {"x": noise(2, 3, high=1.4, low=-1.4)}, getattr(torch, op.lower()))
            for op in ("Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh")
        ),
        *(case(op.lower(), node(op, "x"), {"x": near}, getattr(torch, op.lower())) for op in ("Asin", "Acos", "Atanh")),
        case("acosh", node("Acosh", "x"), {"x": noise(2, 3, low=1.2, high=3)}, torch.acosh),
    ],
)
