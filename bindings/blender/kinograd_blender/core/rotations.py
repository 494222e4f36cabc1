"""Quaternions as arrays `[…, 4]` of w, x, y, z, as Blender has them."""

import numpy as np


def normalized(q: np.ndarray) -> np.ndarray:
    """Quaternions of length 1; the identity where there is no length."""
    length = np.linalg.norm(q, axis=-1, keepdims=True)
    return np.where(length > 1e-12, q / np.maximum(length, 1e-12), [1.0, 0.0, 0.0, 0.0])


def conjugate(q: np.ndarray) -> np.ndarray:
    """The inverse of unit quaternions."""
    return q * np.array([1.0, -1.0, -1.0, -1.0])


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rotation `b`, then `a`."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def in_axes(q: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """The same rotations seen from other axes: M q M⁻¹ for a rotation matrix `axes` `[3, 3]`."""
    return np.concatenate([q[..., :1], q[..., 1:] @ axes.T], axis=-1)


def matrices(q: np.ndarray) -> np.ndarray:
    """Rotation matrices `[…, 3, 3]` of unit quaternions."""
    w, x, y, z = np.moveaxis(q, -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def from_matrices(m: np.ndarray) -> np.ndarray:
    """Unit quaternions of rotation matrices `[…, 3, 3]`, with w ≥ 0.

    The largest of the four is taken from the diagonal and the others from it (Shepperd 1978).
    """
    diagonal = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    trace = sum(diagonal)
    squares = np.stack([trace, *(2 * d - trace for d in diagonal)], axis=-1) + 1.0
    # Each row is 4 q times one of its numbers: w, x, y, z.
    wx, wy, wz = (m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1])
    xy, xz, yz = (m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1])
    s = np.moveaxis(squares, -1, 0)
    rows = np.stack(
        [
            np.stack(row, axis=-1)
            for row in ([s[0], wx, wy, wz], [wx, s[1], xy, xz], [wy, xy, s[2], yz], [wz, xz, yz, s[3]])
        ],
        axis=-2,
    )
    largest = np.argmax(squares, axis=-1)
    q = np.take_along_axis(rows, largest[..., None, None], axis=-2)[..., 0, :]
    q = normalized(q)
    return np.where(q[..., :1] < 0.0, -q, q)


def continuous(q: np.ndarray) -> np.ndarray:
    """Of the two quaternions of each rotation in `[frames, …, 4]`, the one nearer to the frame before."""
    dots = np.sum(q[1:] * q[:-1], axis=-1)
    signs = np.cumprod(np.where(dots < 0.0, -1.0, 1.0), axis=0)
    return np.concatenate([q[:1], q[1:] * signs[..., None]])


def slerp(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """From `a` to `b` by the shorter way; `share` `[…]` from 0 to 1."""
    dot = np.sum(a * b, axis=-1, keepdims=True)
    b, dot = np.where(dot < 0.0, -b, b), np.abs(dot)
    angle = np.arccos(np.clip(dot, 0.0, 1.0))
    sine = np.sin(angle)
    share = np.asarray(share)[..., None]
    near = sine < 1e-6
    safe = np.where(near, 1.0, sine)
    first = np.where(near, 1.0 - share, np.sin((1.0 - share) * angle) / safe)
    second = np.where(near, share, np.sin(share * angle) / safe)
    return normalized(first * a + second * b)
