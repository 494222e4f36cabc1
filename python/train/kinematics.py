"""Features to joints, and the measures of single clips. Y up, metres, 20 fps; joints `[frames, 22, 3]`."""

from __future__ import annotations

import numpy as np

from config import FPS

FEET = (10, 11)
# The joint on the other side of each.
OTHER_SIDE = np.array([0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20])
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)


def joints_from_features(features: np.ndarray) -> np.ndarray:
    """`[n, 263]`, not normalised → `[n, 22, 3]` (recover_from_ric of HumanML3D)."""
    n = features.shape[0]
    half = np.concatenate([[0.0], np.cumsum(features[:-1, 0], dtype=np.float64)])
    c, s = np.cos(2 * half), np.sin(2 * half)

    def to_world(v: np.ndarray, c: np.ndarray, s: np.ndarray) -> np.ndarray:
        return np.stack([c * v[..., 0] - s * v[..., 2], v[..., 1], s * v[..., 0] + c * v[..., 2]], -1)

    step = np.zeros((n, 3))
    step[1:, 0], step[1:, 2] = features[:-1, 1], features[:-1, 2]
    root = np.cumsum(to_world(step, c, s), 0)
    root[:, 1] = features[:, 3]
    local = to_world(features[:, 4:67].reshape(n, 21, 3), c[:, None], s[:, None])
    local[..., 0] += root[:, None, 0]
    local[..., 2] += root[:, None, 2]
    return np.concatenate([root[:, None], local], 1)


def mirrored(features: np.ndarray) -> np.ndarray:
    """`[n, 263]`, not normalised, with left and right exchanged: the clip seen in a mirror."""
    out = features.copy()
    out[:, :2] *= -1
    positions = features[:, 4:67].reshape(-1, 21, 3)[:, OTHER_SIDE[1:] - 1] * np.array([-1, 1, 1], features.dtype)
    # Rotations as two columns: M R M with M = diag(-1, 1, 1).
    signs = np.array([1, -1, -1, -1, 1, 1], features.dtype)
    rotations = features[:, 67:193].reshape(-1, 21, 6)[:, OTHER_SIDE[1:] - 1] * signs
    velocities = features[:, 193:259].reshape(-1, 22, 3)[:, OTHER_SIDE] * np.array([-1, 1, 1], features.dtype)
    out[:, 4:67], out[:, 67:193] = positions.reshape(-1, 63), rotations.reshape(-1, 126)
    out[:, 193:259], out[:, 259:] = velocities.reshape(-1, 66), features[:, [261, 262, 259, 260]]
    return out


def facing(joints: np.ndarray) -> np.ndarray:
    """Unit heading on the ground `[n, 2]` as (x, z), from hips and shoulders."""
    across = joints[:, 1] - joints[:, 2] + joints[:, 16] - joints[:, 17]
    ahead = np.stack([-across[:, 2], across[:, 0]], -1)
    return ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)


def measures(joints: np.ndarray) -> dict[str, float]:
    """Speeds in m/s along and across the heading, turn in degrees, heights, skate, jerk, bone spread."""
    root = joints[:, 0][:, [0, 2]]
    v = np.diff(root, axis=0) * FPS
    f = facing(joints)
    left = np.stack([f[:, 1], -f[:, 0]], -1)
    yaw = np.unwrap(np.arctan2(f[:, 0], f[:, 1]))
    bones = np.stack([np.linalg.norm(joints[:, j] - joints[:, p], axis=1) for j, p in enumerate(PARENTS) if p >= 0])
    path_yaw = np.unwrap(np.arctan2(v[:, 0], v[:, 1]))
    return {
        "speed": float(np.linalg.norm(v, axis=1).mean()),
        "forward": float((v * f[:-1]).sum(1).mean()),
        "leftward": float((v * left[:-1]).sum(1).mean()),
        "turn_left_deg": float(np.degrees(yaw[-1] - yaw[0])),
        "path_turn_deg": float(np.degrees(path_yaw[-1] - path_yaw[0])) if len(v) > 1 else 0.0,
        "root_min": float(joints[:, 0, 1].min()),
        "root_max": float(joints[:, 0, 1].max()),
        "root_end": float(joints[-5:, 0, 1].mean()),
        "root_start": float(joints[:5, 0, 1].mean()),
        "lowest": float(joints[:, :, 1].min()),
        "foot_max": float(joints[:, [10, 11], 1].min(1).max()),
        "left_foot_max": float(joints[:, [7, 10], 1].max()),
        "right_foot_max": float(joints[:, [8, 11], 1].max()),
        "hand_max": float(joints[:, [20, 21], 1].max()),
        "hand_speed": float(np.linalg.norm(np.diff(joints[:, [20, 21]] - joints[:, :1], axis=0), axis=-1).max() * FPS),
        "skate": skate_ratio(joints),
        "jerk": float(np.linalg.norm(np.diff(joints, 3, axis=0), axis=-1).mean() * FPS**3),
        "bone_std_mm": float(bones.std(1).mean() * 1e3),
    }


def skate_ratio(joints: np.ndarray) -> float:
    """Share of frames where a toe is below 5 cm in two adjacent frames and slides above 0.5 m/s,
    its five-frame average too (GMD's measure)."""
    slides = np.zeros(len(joints) - 1, bool)
    kernel = np.ones(5) / 5
    for foot in FEET:
        low = joints[:, foot, 1] < 0.05
        speed = np.linalg.norm(np.diff(joints[:, foot][:, [0, 2]], axis=0), axis=1) * FPS
        slides |= low[1:] & low[:-1] & (speed > 0.5) & (np.convolve(speed, kernel, "same") > 0.5)
    return float(slides.mean())
