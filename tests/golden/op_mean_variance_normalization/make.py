import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write

x = noise(2, 3, 4, 5)


def normal(x, axes):
    return (x - x.mean(axes, keepdim=True)) / (x.std(axes, correction=0, keepdim=True) + 1e-9)


write(
    __file__,
    [
        case("default", node("MeanVarianceNormalization", "x"), {"x": x}, lambda x: normal(x, (0, 2, 3))),
        case(
            "axes",
            node("MeanVarianceNormalization", "x", axes=[1, -1]),
            {"x": x},
            lambda x: normal(x, (1, 3)),
            dims="free",
        ),
    ],
)
