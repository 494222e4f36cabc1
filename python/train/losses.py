"""The diffusion schedule and the training loss on x̂0."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from config import FPS, TRAIN_STEPS, LossConfig
from kinematics import PARENTS

ROOT = slice(0, 4)
POSITIONS = slice(4, 67)
ROTATIONS = slice(67, 193)
VELOCITIES = slice(193, 259)
CONTACTS = slice(259, 263)
OUTLIER = 5.0
SMALLEST_SCALE = 0.1  # of a channel's spread; smaller ones would drown the other terms
BONE_SCALE = 0.01  # metres
SLOWEST = 0.1 / FPS  # metres per frame; what stands still has no quick frames
PARTS = 4  # of a clip, whose mean root motion the text decides
LIMBS = ((20, 21), (7, 8))  # left and right wrist, left and right ankle
FEET = (7, 10, 8, 11)  # order of the contact channels: left ankle, left toe, right ankle, right toe


def cosine_alpha_bar() -> np.ndarray:
    """`[1000]` cumulative alphas of the cosine schedule (Nichol and Dhariwal 2021), betas capped at .999."""

    def f(x: float) -> float:
        return math.cos((x + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - f((i + 1) / TRAIN_STEPS) / f(i / TRAIN_STEPS), 0.999) for i in range(TRAIN_STEPS)]
    return np.cumprod(1 - np.array(betas, np.float64))


def local_joints(features: Tensor) -> Tensor:
    """The 22 joints `[b, n, 22, 3]` in the root's heading frame, metres; `features` `[b, n, 263]`, not normalised."""
    b, n, _ = features.shape
    root = torch.zeros(b, n, 1, 3, dtype=features.dtype, device=features.device)
    root[..., 1] = features[:, :, 3:4]
    return torch.cat([root, features[:, :, POSITIONS].reshape(b, n, 21, 3)], 2)


def limb_sides(local: Tensor, mask: Tensor) -> Tensor:
    """`[b, 4]`: how much more the left hand and foot do than the right ones, in quarters of a metre.

    For each of `LIMBS` the difference of the spreads of the two places, and of their greatest heights; a mirrored
    clip has the opposite sign. `local` `[b, n, 22, 3]` metres, `mask` `[b, n]`.
    """
    inside = mask[:, :, None, None]
    count = mask.sum(1).clamp(min=1.0)[:, None, None]
    joints = local[:, :, [j for pair in LIMBS for j in pair]]
    mean = (joints * inside).sum(1) / count
    spread = (((joints - mean[:, None]) * inside).square().sum((1, 3)) / count[:, :, 0]).sqrt()
    height = joints[..., 1].masked_fill(mask[:, :, None] == 0, -1.0).amax(1)
    sides = torch.cat([spread[:, 0::2] - spread[:, 1::2], height[:, 0::2] - height[:, 1::2]], 1)
    return (4 * sides).clamp(-4, 4)


def bone_lengths(local: Tensor) -> Tensor:
    """`[b, n, 21]` metres, of `local_joints`."""
    return (local[:, :, 1:] - local[:, :, PARENTS[1:]]).square().sum(-1).add(1e-12).sqrt()


def part_means(values: Tensor, mask: Tensor, parts: int) -> Tensor:
    """Means over equal parts of each clip's length: `[b, n, c]`, `mask` `[b, n]` → `[b, parts, c]`."""
    count = mask.sum(1, keepdim=True)
    part = (torch.arange(values.shape[1], device=values.device) * parts / count).long()
    inside = torch.nn.functional.one_hot(part.clamp(max=parts - 1), parts) * mask[:, :, None]
    return (inside.transpose(1, 2) @ values) / inside.sum(1)[:, :, None].clamp(min=1.0)


def yaw_rotate(vectors: Tensor, angle: Tensor) -> Tensor:
    """Rotate `[..., j, 3]` about Y by `angle` `[...]`."""
    c, s = angle.cos()[..., None], angle.sin()[..., None]
    x, y, z = vectors.unbind(-1)
    return torch.stack([c * x + s * z, y, -s * x + c * z], -1)


def joint_displacements(features: Tensor) -> Tensor:
    """Displacement of the 22 joints between successive frames in the heading frame of the earlier one.

    `features` `[b, n, 263]`, not normalised → `[b, n-1, 22, 3]`, metres per frame.
    """
    b, n, _ = features.shape
    local = local_joints(features)
    turn = 2 * features[:, :-1, 0]  # the first channel is half the yaw step
    step = torch.zeros(b, n - 1, 1, 3, dtype=features.dtype, device=features.device)
    step[..., 0], step[..., 2] = features[:, :-1, 1:2], features[:, :-1, 2:3]
    return yaw_rotate(local[:, 1:] + step, -turn) - local[:, :-1]


def robust_scale(differences: Tensor) -> Tensor:
    """Root mean square per channel `[n, c]` → `[c]`; the seams between clips are cut off."""
    limit = differences.abs().quantile(0.99, 0)
    return differences.clamp(-limit, limit).square().mean(0).sqrt().clamp(min=SMALLEST_SCALE)


class MotionLoss:
    """Weighted x0 error plus errors of differences, velocities, bone lengths, the root's course, and foot slip."""

    def __init__(self, config: LossConfig, mean: Tensor, std: Tensor, train: Tensor) -> None:
        """`train` `[n, 263]`: normalised training features, for the scale of the differences."""
        self.config, self.mean, self.std = config, mean, std
        weights = torch.ones(263)
        weights[ROOT], weights[POSITIONS] = config.root, config.position
        weights[ROTATIONS], weights[VELOCITIES] = config.rotation, config.velocity
        weights[CONTACTS] = config.contact
        self.weights = weights / weights.sum()
        first = train[1:, :67] - train[:-1, :67]
        second = first[1:] - first[:-1]
        self.first_scale, self.second_scale = robust_scale(first), robust_scale(second)
        self.position_weights = weights[:67] / weights[:67].sum()
        self.alpha_bar = torch.from_numpy(cosine_alpha_bar())

    def sample_weights(self, t: Tensor) -> Tensor:
        """`[b]` weights by signal-to-noise ratio."""
        a = self.alpha_bar[t]
        c = self.config
        return (a / (1 - a)).pow(c.snr_power).clamp(c.snr_min, c.snr_max).float()

    def by_speed(self, x0: Tensor, mask: Tensor, pair: Tensor, triple: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The masks weighted by how fast each frame is in its clip, and the clip's frames `[b]`.

        The weights `1 + quick * (speed / mean - 1)` lie between 0.5 and 3 and have mean 1 in each clip.
        """
        count = mask.sum(1)
        k = self.config.quick
        if k == 0:
            return mask, pair, triple, count
        velocity = x0[:, :, VELOCITIES] * self.std[VELOCITIES] + self.mean[VELOCITIES]
        speed = velocity.unflatten(-1, (22, 3)).norm(dim=-1).mean(-1) * mask
        usual = speed.sum(1, keepdim=True) / count[:, None].clamp(min=1.0) + SLOWEST
        weight = (1 + k * (speed / usual - 1)).clamp(0.5, 3.0) * mask
        weight = weight * (count / weight.sum(1).clamp(min=1e-6))[:, None]
        return weight, pair * weight[:, 1:], triple * weight[:, 2:], count

    def terms(self, predicted: Tensor, x0: Tensor, mask: Tensor, t: Tensor) -> dict[str, Tensor]:
        """Per-sample terms `[b]`; `predicted`, `x0` `[b, n, 263]` normalised, `mask` `[b, n]`, levels `t` `[b]`."""
        c = self.config
        # In noise x̂0 is a mean over gait phases, whose feet rest in the body: slip would then stop the root.
        clear = self.alpha_bar[t].square().float()
        count = mask.sum(1)
        pair = mask[:, 1:] * mask[:, :-1]
        triple = pair[:, 1:] * pair[:, :-1]
        error = predicted - x0
        d1 = error[:, 1:, :67] - error[:, :-1, :67]
        d2 = ((d1[:, 1:] - d1[:, :-1]) / self.second_scale).clamp(-OUTLIER, OUTLIER)
        d1 = (d1 / self.first_scale).clamp(-OUTLIER, OUTLIER)
        w = self.position_weights
        mask, pair, triple, count = self.by_speed(x0, mask, pair, triple)

        def over(values: Tensor, where: Tensor, total: Tensor) -> Tensor:
            return (values * where).sum(1) / total.clamp(min=1.0)

        moved = joint_displacements(predicted * self.std + self.mean)
        velocity = predicted[:, :-1, VELOCITIES] * self.std[VELOCITIES] + self.mean[VELOCITIES]
        gap = (moved.flatten(2) - velocity) / self.std[VELOCITIES]
        true = local_joints(x0 * self.std + self.mean)
        stretch = (bone_lengths(local_joints(predicted * self.std + self.mean)) - bone_lengths(true)) / BONE_SCALE
        contact = (x0[:, :-1, CONTACTS] * self.std[CONTACTS] + self.mean[CONTACTS]).clamp(0, 1)
        speed2 = (moved[:, :, FEET, :][..., [0, 2]] * FPS).square().sum(-1)
        return {
            "x0": over((error.square() * self.weights).sum(-1), mask, count),
            "d1": c.first_difference * over((d1.square() * w).sum(-1), pair, count),
            "d2": c.second_difference * over((d2.square() * w).sum(-1), triple, count),
            "consistency": c.consistency * over(gap.square().mean(-1), pair, count),
            "bone": c.bone * clear * over(stretch.square().clamp(max=OUTLIER**2).mean(-1), mask, count),
            "course": c.course * part_means(error[:, :, ROOT], mask, PARTS).square().mean((1, 2)),
            "slip": c.slip * clear * over((speed2 * contact).mean(-1), pair, count),
        }
