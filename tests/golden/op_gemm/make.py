import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

a, b, c = noise(3, 4), noise(4, 5), noise(5)
write(
    __file__,
    [
        case("plain", node("Gemm", "abc"), {"a": a, "b": b, "c": c}, lambda a, b, c: a @ b + c),
        case(
            "scaled",
            node("Gemm", "abc", alpha=0.5, beta=2.0),
            {"a": a, "b": b, "c": noise(3, 1)},
            lambda a, b, c: 0.5 * a @ b + 2 * c,
        ),
        case("right", node("Gemm", "abc", transB=1), {"a": a, "b": noise(5, 4), "c": c}, lambda a, b, c: a @ b.T + c),
        case("left", node("Gemm", "ab", transA=1), {"a": noise(4, 3), "b": b}, lambda a, b: a.T @ b),
        case(
            "both",
            node("Gemm", "ab", transA=1, transB=1, alpha=1.5),
            {"a": noise(4, 3), "b": noise(5, 4)},
            lambda a, b: 1.5 * a.T @ b.T,
        ),
    ],
)
