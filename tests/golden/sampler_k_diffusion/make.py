"""Whole trajectories of k-diffusion's Heun and DPM-Solver++(2M) with a closed-form denoiser.

    pip install torch==2.15.0 numpy && pip install --no-deps k-diffusion==0.1.1.post1 && python make.py

Only `sampling.py` is loaded; what the package imports for training is replaced by empty modules.
"""

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import torch

root = Path(importlib.util.find_spec("k_diffusion").submodule_search_locations[0])
package = types.ModuleType("k_diffusion")
package.__path__ = [str(root)]
sys.modules["k_diffusion"] = package
for name, attributes in {
    "torchdiffeq": ["odeint"],
    "torchsde": [],
    "scipy": ["integrate"],
    "k_diffusion.utils": [],
}.items():
    module = types.ModuleType(name)
    for attribute in attributes:
        setattr(module, attribute, None)
    sys.modules[name] = module
sys.modules["k_diffusion.utils"].append_dims = lambda x, n: x[(...,) + (None,) * (n - x.ndim)]
package.utils = sys.modules["k_diffusion.utils"]
spec = importlib.util.spec_from_file_location("k_diffusion.sampling", root / "sampling.py")
sampling = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sampling)

D, BATCH = 4, 2
rng = np.random.default_rng(8)
mean = np.array([0.5, -1.0, 2.0, 0.0])
factor = rng.normal(size=(D, D)) * 0.6
covariance = factor @ factor.T + 0.05 * np.eye(D)


def denoise(y, sigma):
    """E[x0 | y] for y = x0 + sigma noise."""
    gain = covariance @ np.linalg.inv(covariance + float(sigma[0]) ** 2 * np.eye(D))
    return torch.tensor(mean) + (y - torch.tensor(mean)) @ torch.tensor(gain).T


sigmas = sampling.get_sigmas_karras(12, 0.02, 30.0).double()
# k-diffusion works on y = x/√ᾱ: its start is the replayed draw for x, scaled.
draw = rng.normal(size=(1, BATCH, 1, D)).astype(np.float32)
start = torch.tensor(draw[0].astype(np.float64)) * (1 + sigmas[0] ** 2) ** 0.5
out = dict(mean=mean, covariance=covariance, sigmas=sigmas.numpy(), draws=draw)
for name, sampler in [("heun", sampling.sample_heun), ("dpmpp_2m", sampling.sample_dpmpp_2m)]:
    path = []
    end = sampler(denoise, start, sigmas, callback=lambda info, path=path: path.append(info["x"]), disable=True)
    states = torch.stack([*path[1:], end])
    # Back to x = √ᾱ y.
    out[name] = (states / (1 + sigmas[1:, None, None, None] ** 2) ** 0.5).numpy()
np.savez("io.npz", **out)
for key, value in out.items():
    print(key, value.shape)
