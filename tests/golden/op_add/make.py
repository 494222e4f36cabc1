import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

a, b, c = noise(2, 3, 4), noise(3, 1, seed=1), noise(4, seed=2)
write(
    __file__,
    [
        case("equal", node("Add", "ab"), {"a": a, "b": noise(2, 3, 4, seed=1)}, lambda a, b: a + b),
        case("broadcast", node("Add", "ab"), {"a": a, "b": b}, lambda a, b: a + b),
        case("unknown_broadcast", node("Add", "ab"), {"a": a, "b": b}, lambda a, b: a + b, dims="free"),
        case("both_broadcast", node("Add", "ab"), {"a": noise(1, 4), "b": b}, lambda a, b: a + b),
        case("twice", node("Add", "aa"), {"a": a}, lambda a: a + a),
        case("sum", node("Sum", "abc"), {"a": a, "b": b, "c": c}, lambda a, b, c: a + b + c),
    ],
)
