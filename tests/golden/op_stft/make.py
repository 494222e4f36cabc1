import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

signal, window = noise(2, 23, 1), noise(8, seed=3, low=0.2, high=1.5)


def stft(step, onesided=True):
    """torch.stft of real signals, without centring."""

    def f(x, w=None):
        w = torch.tensor(window, dtype=torch.float64) if w is None else w
        y = torch.stft(x[..., 0], 8, step, window=w, center=False, onesided=onesided, return_complex=True)
        return torch.view_as_real(y.transpose(1, 2))

    return f


step = {"s": np.array(3)}
whole = {"n": np.array(8)}
write(
    __file__,
    [
        case("window", node("STFT", "xsw"), {"x": signal, "w": window}, stft(3), constants=step),
        case("fixed", node("STFT", "xsw"), {"x": signal, "w": window}, stft(3), constants=step, dims="fixed"),
        case("old", node("STFT", "xsw"), {"x": signal, "w": window}, stft(3), constants=step, opset=17),
        case(
            "both_sides",
            node("STFT", "xsw", onesided=0),
            {"x": signal},
            stft(3, onesided=False),
            constants=step | {"w": window},
        ),
        case(
            "length",
            node("STFT", ["x", "s", "", "n"]),
            {"x": signal},
            lambda x: stft(5)(x, torch.ones(8, dtype=torch.float64)),
            constants={"s": np.array(5)} | whole,
        ),
    ],
)
