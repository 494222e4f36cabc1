import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

x, z = noise(2, 6, 1), noise(2, 6, 2)


def parts(f):
    """The transform of real or complex numbers in pairs."""

    def g(x):
        x = torch.view_as_complex(x) if x.shape[-1] == 2 else x[..., 0]
        return torch.view_as_real(f(x))

    return g


def length(n):
    return {"n": np.array(n)}


write(
    __file__,
    [
        case("real", node("DFT", "x"), {"x": x}, parts(lambda x: torch.fft.fft(x))),
        case("complex", node("DFT", "x"), {"x": z}, parts(lambda x: torch.fft.fft(x)), fixed="x"),
        case("half", node("DFT", "x", onesided=1), {"x": x}, parts(lambda x: torch.fft.rfft(x))),
        case(
            "half_odd",
            node("DFT", "x", onesided=1),
            {"x": noise(2, 5, 1)},
            parts(lambda x: torch.fft.rfft(x)),
            dims="fixed",
        ),
        case("longer", node("DFT", "xn"), {"x": x}, parts(lambda x: torch.fft.fft(x, 9)), constants=length(9)),
        case(
            "shorter",
            node("DFT", "xn", onesided=1),
            {"x": x},
            parts(lambda x: torch.fft.rfft(x, 4)),
            constants=length(4),
            dims="fixed",
        ),
        case("inverse", node("DFT", "x", inverse=1), {"x": z}, parts(lambda x: torch.fft.ifft(x)), fixed="x"),
        case(
            "inverse_longer",
            node("DFT", "xn", inverse=1),
            {"x": z},
            parts(lambda x: torch.fft.ifft(x, 8)),
            constants=length(8),
            dims="fixed",
        ),
        case(
            "first_axis",
            node("DFT", ["x", "", "a"]),
            {"x": noise(4, 3, 1)},
            parts(lambda x: torch.fft.fft(x, dim=0)),
            constants={"a": np.array(0)},
        ),
        case(
            "old", node("DFT", "x", axis=0), {"x": noise(4, 3, 1)}, parts(lambda x: torch.fft.fft(x, dim=0)), opset=17
        ),
    ],
)
