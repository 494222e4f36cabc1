import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

write(
    __file__,
    [
        case("identity", node("Identity", "x"), {"x": noise(2, 3)}, lambda x: x * 1),
        case("dropout", node("Dropout", "x"), {"x": noise(2, 3)}, lambda x: x * 1),
    ],
)
