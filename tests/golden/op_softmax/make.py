import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

x = noise(2, 3, 5)
write(
    __file__,
    [
        case("last", node("Softmax", "x"), {"x": x}, lambda x: x.softmax(-1)),
        case("middle", node("Softmax", "x", axis=1), {"x": x}, lambda x: x.softmax(1)),
        case("log", node("LogSoftmax", "x", axis=-2), {"x": x}, lambda x: x.log_softmax(-2)),
    ],
)
