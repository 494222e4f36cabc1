"""Correlation of noise with itself along time, by scale, as the code of DNO (Karunratanakul et al. 2024) has it.

    pip install torch numpy==2.4.6
    python make.py

The function is `noise_regularize_1d` of that code, stated anew, for lengths that are powers of two, where it pads
nothing; gradients by torch.autograd in float64.
"""

from pathlib import Path

import numpy as np
import torch

CHANNELS = 5


def regularize(noise: torch.Tensor, stop_at: int = 2) -> torch.Tensor:
    """`noise` `[1, channels, 1, size]`."""
    loss, size = torch.zeros((), dtype=noise.dtype), noise.shape[3]
    while True:
        loss = loss + (noise * torch.roll(noise, shifts=1, dims=3)).mean(dim=[1, 2, 3]).pow(2).sum()
        if size <= stop_at:
            return loss
        noise = noise.reshape(1, noise.shape[1], 1, size // 2, 2).mean(4)
        size //= 2


rng = np.random.default_rng(7)
out = {}
for frames in (2, 8, 32):
    # smoothed a little, so that there is something to find
    noise = rng.standard_normal((frames, CHANNELS)) + 0.6 * rng.standard_normal((1, CHANNELS))
    x = torch.tensor(noise, requires_grad=True)
    value = regularize(x.T[None, :, None, :])
    value.backward()
    out |= {f"noise_{frames}": noise, f"value_{frames}": np.array([value.item()]), f"gradient_{frames}": x.grad.numpy()}
np.savez(Path(__file__).parent / "io.npz", **out)
