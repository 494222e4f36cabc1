import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

x = noise(2, 3, 4)
write(
    __file__,
    [
        case("cycle", node("Transpose", "x", perm=[1, 2, 0]), {"x": x}, lambda x: x.permute(1, 2, 0)),
        case("reverse", node("Transpose", "x"), {"x": x}, lambda x: x.permute(2, 1, 0)),
        case(
            "of_product",
            [node("MatMul", "ab", "c"), node("Transpose", "c", perm=[0, 2, 1])],
            {"a": x, "b": noise(2, 4, 5)},
            lambda a, b: (a @ b).mT,
        ),
    ],
)
