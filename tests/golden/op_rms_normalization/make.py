import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from op_golden import case, node, noise, write


def rms(x, s, eps=1e-5):
    return x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * s


write(
    __file__,
    [
        case("plain", node("RMSNormalization", "xs"), {"x": noise(2, 3, 8), "s": noise(8, seed=1)}, rms, opset=23),
        case(
            "epsilon",
            node("RMSNormalization", "xs", epsilon=0.1),
            {"x": noise(2, 8), "s": noise(8, seed=1)},
            lambda x, s: rms(x, s, 0.1),
            opset=23,
        ),
    ],
)
