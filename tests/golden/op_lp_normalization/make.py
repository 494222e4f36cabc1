import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

x = noise(2, 3, 4)
write(
    __file__,
    [
        case("l2", node("LpNormalization", "x", axis=-1, p=2), {"x": x}, lambda x: x / x.norm(dim=-1, keepdim=True)),
        case("l1", node("LpNormalization", "x", axis=1, p=1), {"x": x}, lambda x: x / x.abs().sum(1, keepdim=True)),
    ],
)
