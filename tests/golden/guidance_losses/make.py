"""Losses on a ground path, stated in torch from Shen et al. 2024 (arXiv 2403.12404), eq. 8, and its
variants; gradients by torch.autograd.

    pip install torch==2.15.0 numpy==2.4.6 && python make.py
"""

import numpy as np
import torch

rng = np.random.default_rng(3)
frames = 30
path = np.cumsum(rng.normal(size=(frames, 2)) * 0.05 + [0.03, 0.06], axis=0)
circles = np.array([[0.4, 0.8, 0.45], [1.0, 1.5, 0.3]])
target = np.array([1.5, 2.0])
waypoints = np.array([[5, 0.3, 0.1], [20, -0.4, 1.0], [29, 1.5, 2.0]])

p = torch.tensor(path, requires_grad=True)
out = dict(path=path, circles=circles, target=target, waypoint_rows=waypoints)


def distance(radius_extra=0.0):
    return torch.stack([(p - torch.tensor(c[:2])).norm(dim=1) - c[2] - radius_extra for c in circles])


losses = {
    "target_last": ((p[-1] - torch.tensor(target)) ** 2).sum(),
    "target_12": ((p[12] - torch.tensor(target)) ** 2).sum(),
    "waypoints": sum(((p[int(f)] - torch.tensor([x, z])) ** 2).sum() for f, x, z in waypoints),
    "sigmoid_sum": (100 * torch.sigmoid(-50 * distance())).sum(),
    "sigmoid_mean_margin": (100 * torch.sigmoid(-50 * distance(0.2))).mean(dim=1).sum(),
    "hinge": (7 * (-distance(0.1)).clamp(min=0)).sum(),
    "squared_hinge": (7 * (-distance(0.1)).clamp(min=0) ** 2).mean(dim=1).sum(),
}
for name, loss in losses.items():
    out[name] = np.array([loss.item()])
    out[name + "_grad"] = torch.autograd.grad(loss, p)[0].numpy()
    print(name, loss.item())
np.savez("io.npz", **out)
