"""Losses on joints and headings, stated in torch; gradients by torch.autograd.

    pip install torch==2.15.0 numpy==2.4.6 && python make.py

Joints are [frames, 22, 3] in metres, Y up; a heading turns +Z to (sin, cos) on the ground (x, z).
Sources: OmniControl (Xie et al. 2024) for joint targets, CHOMP (Zucker et al. 2013) for the cost of
signed distances, Shen et al. 2024 for the sigmoid; the others are stated here.
"""

import numpy as np
import torch

rng = np.random.default_rng(17)
F, J, FPS = 7, 22, 20.0
joints = rng.normal(size=(F, J, 3)) * 0.4
joints[:, :, 1] += 0.3
joints[:, [7, 8, 10, 11], 1] = np.abs(rng.normal(size=(F, 4))) * 0.06
headings = np.cumsum(rng.normal(size=F) * 0.3)
other = rng.normal(size=(4, 2)) * 0.5
path = rng.normal(size=(5, 2))
pose = rng.normal(size=(J, 3)) * 0.5
key = rng.normal(size=(2, J, 3)) * 0.5

p = torch.tensor(joints, requires_grad=True)
h = torch.tensor(headings, requires_grad=True)


def t(x):
    return torch.tensor(x, dtype=torch.float64)


def local(frame):
    """The body's own view: ground offset from the root turned back by the heading."""
    c, s = torch.cos(h[frame]), torch.sin(h[frame])
    dx, dz = p[frame, :, 0] - p[frame, 0, 0], p[frame, :, 2] - p[frame, 0, 2]
    return torch.stack([dx * c - dz * s, p[frame, :, 1], dx * s + dz * c], dim=-1)


def barrier(kind, d):
    if kind == "sigmoid":
        return 100 * torch.sigmoid(-50 * d)
    if kind == "hinge":
        return 7 * (-d).clamp(min=0)
    if kind == "squared":
        return 7 * (-d).clamp(min=0) ** 2
    reach = 0.3
    return 5 * torch.where(
        d < 0, reach / 2 - d, torch.where(d < reach, (reach - d) ** 2 / (2 * reach), torch.zeros_like(d))
    )


def sphere(x):
    return (x - t([0.1, 0.3, 0.0])).norm(dim=-1) - 0.4


def capsule(x):
    a, b = t([-0.4, 0.0]), t([0.5, 0.3])
    g = x[..., [0, 2]]
    share = (((g - a) @ (b - a)) / ((b - a) @ (b - a))).clamp(0, 1)
    return (g - a - share[..., None] * (b - a)).norm(dim=-1) - 0.2


def speed():
    return (p[1:, 0][:, [0, 2]] - p[:-1, 0][:, [0, 2]]).norm(dim=-1) * FPS


def facing_point():
    d = t([0.9, -0.4]) - p[:, 0][:, [0, 2]]
    d = d / d.norm(dim=-1, keepdim=True)
    return (1 - torch.sin(h) * d[:, 0] - torch.cos(h) * d[:, 1]).mean()


def no_skate():
    feet, limits = [7, 10, 8, 11], t([0.1, 0.05, 0.1, 0.05])
    w = torch.sigmoid((limits - p[:, feet, 1]) / 0.01)
    v2 = ((p[1:, feet][..., [0, 2]] - p[:-1, feet][..., [0, 2]]) ** 2).sum(-1) * FPS**2
    return (w[1:] * w[:-1] * v2).mean()


def contact():
    x = p[2:6, 11]
    ground = x[:, [0, 2]]
    return ((x[:, 1] - 0.015) ** 2).mean() + ((ground - ground.mean(0)) ** 2).sum(-1).mean()


def smooth(order):
    d = torch.diff(p, n=order, dim=0) * FPS**order
    return (d**2).sum(-1).mean()


def loop(in_place):
    def square(gap):
        return (gap**2).sum(-1).mean()

    value = square(local(F - 1) - local(0)) + square(local(F - 1) - local(F - 2) - local(1) + local(0))
    return value + in_place * ((p[-1, 0] - p[0, 0])[[0, 2]] ** 2).sum()


def person():
    o = t(np.concatenate([other, np.repeat(other[-1:], F - 4, axis=0)]))
    d = (p[:, 0][:, [0, 2]] - o).norm(dim=-1)
    return ((d - 0.9).clamp(min=0) ** 2 + (0.6 - d).clamp(min=0) ** 2).mean()


hands = [20, 21]
losses = {
    "joint_world": ((p[3, 20] - t([0.2, 1.0, -0.3])) ** 2).sum(),
    "joint_masked": (p[-1, 15, 1] - 1.4) ** 2,
    "joint_offset": ((p[2, 21] - p[2, 15] - t([0.1, 0.0, 0.2])) ** 2).sum(),
    "joint_body": ((local(4)[20] - t([0.3, 0.9, 0.2])) ** 2).sum(),
    "keyframes": ((p[1] - t(key[0])) ** 2).sum(-1).mean() + ((p[5] - t(key[1])) ** 2).sum(-1).mean(),
    "trajectory": ((p[1:6, 0][:, [0, 2]] - t(path)) ** 2).sum(-1).mean(),
    "sphere_sigmoid": barrier("sigmoid", sphere(p[:, hands])).sum(),
    "sphere_hinge": barrier("hinge", sphere(p[:, hands]) - 0.1).sum(),
    "sphere_squared": barrier("squared", sphere(p[:, hands]) - 0.1).mean(0).sum(),
    "sphere_chomp": barrier("chomp", sphere(p[:, hands])).sum(),
    "capsule_chomp": barrier("chomp", capsule(p[:, [0]])).sum(),
    "keep_in": barrier("squared", -sphere(p[:, hands]) - 0.05).sum(),
    "facing_heading": (1 - torch.cos(h[2:5] - 0.7)).mean(),
    "facing_point": facing_point(),
    "speed": ((speed() - 1.3) ** 2).mean(),
    "no_skate": no_skate(),
    "foot_contact": contact(),
    "ground": ((0.1 - p[..., 1]).clamp(min=0) ** 2).sum(1).mean(),
    "acceleration": smooth(2),
    "jerk": smooth(3),
    "pose": torch.stack([((local(f) - t(pose)) ** 2).sum(-1).mean() for f in range(1, 4)]).mean(),
    "loop": loop(0.0),
    "loop_in_place": loop(1.0),
    "person": person(),
    "jump_height": 0.955 - 0.02 * (torch.logsumexp(p[:, 0, 1] / 0.02, 0) - np.log(F)),
    "joint_height": -p[2:6, hands, 1].mean(),
    "forward_distance": p[0, 0, 2] - p[-1, 0, 2],
}
out = dict(joints=joints, headings=headings, other=other, path=path, pose_m=pose, key=key)
for name, loss in losses.items():
    grads = torch.autograd.grad(loss, (p, h), allow_unused=True, retain_graph=True)
    out[name] = np.array([loss.item()])
    out[name + "_joints"] = np.zeros_like(joints) if grads[0] is None else grads[0].numpy()
    out[name + "_headings"] = np.zeros_like(headings) if grads[1] is None else grads[1].numpy()
    print(name, loss.item())
np.savez("io.npz", **out)
