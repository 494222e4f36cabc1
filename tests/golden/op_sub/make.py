import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

write(
    __file__,
    [
        case("broadcast", node("Sub", "ab"), {"a": noise(2, 3), "b": noise(3, seed=1)}, lambda a, b: a - b),
        case(
            "unknown_broadcast",
            node("Sub", "ab"),
            {"a": noise(1, 3), "b": noise(2, 1, seed=1)},
            lambda a, b: a - b,
            dims="free",
        ),
    ],
)
