import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

x = noise(2, 3, 4, 5)
write(
    __file__,
    [
        case("image", node("GlobalAveragePool", "x"), {"x": x}, lambda x: x.mean((2, 3), keepdim=True)),
        case("max", node("GlobalMaxPool", "x"), {"x": x}, lambda x: x.amax((2, 3), keepdim=True)),
        case("norm", node("GlobalLpPool", "x"), {"x": x}, lambda x: x.norm(dim=(2, 3), keepdim=True)),
        case(
            "norm_3",
            node("GlobalLpPool", "x", p=3),
            {"x": x},
            lambda x: x.abs().pow(3).sum((2, 3), keepdim=True).pow(1 / 3),
        ),
    ],
)
