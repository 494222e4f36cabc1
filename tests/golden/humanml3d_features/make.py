"""The published HumanML3D features of a synthetic clip, stated in NumPy.

Definition: Guo et al. 2022, `motion_representation.py` (process_file) and `skeleton.py`
(inverse_kinematics_np with smooth_forward=True). Written from the definition, with quaternions
replaced by angles and matrices where the two are equal.

Run with: python make.py  (numpy 2.4.6)
"""

import numpy as np

PARENTS = [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19]
OFFSETS = np.array(
    [
        [0.0, 0.955, 0.0],
        [0.085, -0.085, 0.0],
        [-0.085, -0.085, 0.0],
        [0.0, 0.115, -0.01],
        [0.0, -0.415, 0.0],
        [0.0, -0.415, 0.0],
        [0.0, 0.135, 0.0],
        [0.0, -0.395, -0.01],
        [0.0, -0.395, -0.01],
        [0.0, 0.06, 0.0],
        [0.0, -0.045, 0.13],
        [0.0, -0.045, 0.13],
        [0.0, 0.205, 0.0],
        [0.065, 0.12, 0.0],
        [-0.065, 0.12, 0.0],
        [0.0, 0.1, 0.035],
        [0.115, 0.015, 0.0],
        [-0.115, 0.015, 0.0],
        [0.265, 0.0, 0.0],
        [-0.265, 0.0, 0.0],
        [0.25, 0.0, 0.0],
        [-0.25, 0.0, 0.0],
    ]
)
RIGHT_HIP, LEFT_HIP, RIGHT_SHOULDER, LEFT_SHOULDER = 2, 1, 17, 16
LEFT_FOOT, RIGHT_FOOT = [7, 10], [8, 11]
UP = np.array([0.0, 1.0, 0.0])


def quaternion_multiply(a, b):
    """Hamilton product, [..., 4] as (w, x, y, z)."""
    w = a[..., 0] * b[..., 0] - (a[..., 1:] * b[..., 1:]).sum(-1)
    v = a[..., :1] * b[..., 1:] + b[..., :1] * a[..., 1:] + np.cross(a[..., 1:], b[..., 1:])
    return np.concatenate([w[..., None], v], -1)


def conjugate(q):
    return q * np.array([1.0, -1.0, -1.0, -1.0])


def rotate(q, v):
    q = np.broadcast_to(q, (*v.shape[:-1], 4))
    pure = np.concatenate([np.zeros((*v.shape[:-1], 1)), v], -1)
    return quaternion_multiply(quaternion_multiply(q, pure), conjugate(q))[..., 1:]


def quaternion_between(u, v):
    """The rotation that turns u to v (both unit length)."""
    q = np.concatenate([1.0 + (u * v).sum(-1, keepdims=True), np.cross(u, v)], -1)
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def gaussian_filter(values, sigma):
    radius = int(4.0 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights /= weights.sum()
    padded = np.pad(values, ((radius, radius), (0, 0)), mode="edge")
    return np.stack([np.convolve(column, weights, "valid") for column in padded.T], -1)


def published_features(joints, threshold=0.002):
    """[N, 22, 3] joints, metres -> [N - 1, 263]; the rotation columns are zero here.

    io.npz leaves them out: [N - 1, 137].
    """
    joints = joints.copy()
    joints[..., 1] -= joints[..., 1].min()
    joints -= joints[0, 0] * np.array([1.0, 0.0, 1.0])
    across = joints[0, RIGHT_HIP] - joints[0, LEFT_HIP]
    across = unit(across + joints[0, RIGHT_SHOULDER] - joints[0, LEFT_SHOULDER])
    forward = unit(np.cross(UP, across))
    joints = rotate(quaternion_between(forward, np.array([0.0, 0.0, 1.0])), joints)

    def contacts(feet):
        moved = ((joints[1:, feet] - joints[:-1, feet]) ** 2).sum(-1)
        return (moved < threshold).astype(float)

    # In inverse_kinematics_np the first two face joints change their names: hips count reversed.
    across = joints[:, LEFT_HIP] - joints[:, RIGHT_HIP]
    across = unit(across + joints[:, RIGHT_SHOULDER] - joints[:, LEFT_SHOULDER])
    forward = unit(gaussian_filter(np.cross(UP, across), 20.0))
    root = quaternion_between(forward, np.array([0.0, 0.0, 1.0]))
    root[0] = [1.0, 0.0, 0.0, 0.0]

    velocity = rotate(root[1:], joints[1:, 0] - joints[:-1, 0])
    turn = quaternion_multiply(root[1:], conjugate(root[:-1]))
    yaw_velocity = np.arcsin(np.clip(turn[:, 2:3], -1.0, 1.0))
    local = joints.copy()
    local[..., [0, 2]] -= joints[:, :1, [0, 2]]
    local = rotate(root[:, None], local)
    local_velocity = rotate(root[:-1, None], joints[1:] - joints[:-1])
    n = len(joints) - 1
    return np.concatenate(
        [
            yaw_velocity,
            velocity[:, [0, 2]],
            joints[:-1, 0, 1:2],
            local[:-1, 1:].reshape(n, -1),
            np.zeros((n, 126)),
            local_velocity.reshape(n, -1),
            contacts(LEFT_FOOT),
            contacts(RIGHT_FOOT),
        ],
        -1,
    )


def recovered_joints(features):
    """recover_from_ric: [F, 263] -> [F, 22, 3]."""
    angle = np.concatenate([[0.0], np.cumsum(features[:-1, 0])])
    root = np.stack([np.cos(angle), 0 * angle, np.sin(angle), 0 * angle], -1)
    step = np.zeros((len(features), 3))
    step[1:, [0, 2]] = features[:-1, 1:3]
    position = np.cumsum(rotate(conjugate(root), step), 0)
    position[:, 1] = features[:, 3]
    local = features[:, 4:67].reshape(-1, 21, 3)
    joints = rotate(conjugate(root)[:, None], local)
    joints[..., [0, 2]] += position[:, None, [0, 2]]
    return np.concatenate([position[:, None], joints], 1)


def clip(frames, total_turn, seed):
    """A body that walks along a bend with all joints swinging: root, quaternions, joints."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / 20.0
    phase = rng.uniform(0, 2 * np.pi, (22, 3))
    reach = rng.uniform(0.05, 0.35, (22, 3))
    reach[0] *= 0.3
    rate = rng.uniform(0.5, 1.5, (22, 3))
    vector = reach * np.sin(2 * np.pi * rate * time[:, None, None] + phase)
    angle = np.linalg.norm(vector, axis=-1, keepdims=True)
    local = np.concatenate([np.cos(angle / 2), vector / np.maximum(angle, 1e-12) * np.sin(angle / 2)], -1)
    yaw = 0.7 + total_turn * time / time[-1] + 0.1 * np.sin(3.0 * time)
    heading = np.stack([np.cos(yaw / 2), 0 * yaw, np.sin(yaw / 2), 0 * yaw], -1)
    local[:, 0] = quaternion_multiply(heading, local[:, 0])
    # Rounded, so that a file of single precision holds them.
    local = local.astype(np.float32).astype(np.float64)
    local /= np.linalg.norm(local, axis=-1, keepdims=True)
    root = np.zeros((frames, 3))
    root[:, 0] = 2.0 + np.cumsum(np.sin(yaw)) * 1.2 / 20
    root[:, 1] = 0.95 + 0.03 * np.sin(9.0 * time)
    root[:, 2] = -1.0 + np.cumsum(np.cos(yaw)) * 1.2 / 20
    world = np.zeros((frames, 22, 4))
    joints = np.zeros((frames, 22, 3))
    for j in range(22):
        if j == 0:
            world[:, 0], joints[:, 0] = local[:, 0], root
        else:
            p = PARENTS[j]
            world[:, j] = quaternion_multiply(world[:, p], local[:, j])
            joints[:, j] = joints[:, p] + rotate(world[:, p], np.broadcast_to(OFFSETS[j], (frames, 3)))
    return root, local, joints


if __name__ == "__main__":
    root, local, joints = clip(40, 1.2, 1)
    bend = published_features(joints)
    out = {
        "bend_root": root,
        "bend_rotations_wxyz": local,
        "bend_features": np.delete(bend, slice(67, 193), 1),
        "bend_recovered": recovered_joints(bend),
    }
    # The heading crosses 180 degrees here: root columns and recovered pelvis only.
    root, local, joints = clip(90, -4.6, 2)
    around = published_features(joints)
    out |= {
        "around_root": root,
        "around_rotations_wxyz": local.astype(np.float32),
        "around_root_features": around[:, :4],
        "around_recovered_pelvis": recovered_joints(around)[:, 0],
    }
    np.savez("io.npz", **out)
