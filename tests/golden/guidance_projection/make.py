"""A whole trajectory of path projection, stated in NumPy: Jacobian of the path by finite differences,
minimum-norm change by the pseudo-inverse.

    pip install numpy==2.4.6 && python make.py

Data is white noise of variance 0.3, so x̂0 = j x_t with a known number j. DDIM, eta 0, 8 steps on the
cosine schedule. Root path of HumanML3D features: heading −2 Σ f, velocities turned by the heading of
the next frame.
"""

import numpy as np

TRAIN, STEPS, FRAMES, FEATURES = 1000, 8, 24, 263
VARIANCE, STD, TURN_WEIGHT, LENGTH = 0.3, 0.02, 0.1, 5
WAYPOINTS = [(10, np.array([0.25, 0.5])), (FRAMES - 1, np.array([-0.2, 1.0]))]
rng = np.random.default_rng(21)
mean = np.zeros(FEATURES)
mean[2] = 0.05
draw = rng.normal(size=(FRAMES, FEATURES)).astype(np.float32)


def share(t):
    return np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2


betas = np.array([min(1 - share((i + 1) / TRAIN) / share(i / TRAIN), 0.999) for i in range(TRAIN)])
alpha_bars = np.cumprod(1 - betas)
timesteps = np.round(np.arange(TRAIN, 0, -TRAIN / STEPS)).astype(int) - 1


def path(root):
    """`root` `[frames, 3]`, normalised, to the ground path `[frames, 2]`."""
    f, x, z = (root * STD + mean[:3]).T
    p = np.zeros((FRAMES, 2))
    heading = 0.0
    for t in range(1, FRAMES):
        heading -= 2 * f[t - 1]
        c, s = np.cos(heading), np.sin(heading)
        p[t] = p[t - 1] + [c * x[t - 1] + s * z[t - 1], -s * x[t - 1] + c * z[t - 1]]
    return p


def at_waypoints(root):
    p = path(root)
    return np.concatenate([p[frame] for frame, _ in WAYPOINTS])


def smoothing():
    """`B = (I + L² DᵀD)⁻¹` over frames, D the differences of neighbours; the last frame leads beyond the clip."""
    differences = np.diff(np.eye(FRAMES - 1), axis=0)
    b = np.eye(FRAMES)
    b[:-1, :-1] = np.linalg.inv(np.eye(FRAMES - 1) + LENGTH**2 * differences.T @ differences)
    return b


def project(root):
    """The least δᵀ K⁻¹ δ that takes the path through the waypoints, K = W B Bᵀ."""
    goal = np.concatenate([point for _, point in WAYPOINTS])
    half = np.kron(smoothing(), np.diag(np.sqrt([TURN_WEIGHT, 1.0, 1.0])))
    delta = np.zeros(root.size)
    for _ in range(12):
        here = root + delta.reshape(root.shape)
        gap = goal - at_waypoints(here)
        if np.abs(gap).max() < 1e-3:
            break
        jacobian = np.zeros((len(goal), root.size))
        for i in range(root.size):
            step = np.zeros(root.size)
            step[i] = 1e-5
            step = step.reshape(root.shape)
            jacobian[:, i] = (at_waypoints(here + step) - at_waypoints(here - step)) / 2e-5
        delta = half @ (np.linalg.pinv(jacobian @ half) @ (gap + jacobian @ delta))
    return delta.reshape(root.shape), np.linalg.solve(half @ half.T, delta).reshape(root.shape)


def run(cap, edit_from):
    x = draw.astype(np.float64)
    states = []
    for i, t in enumerate(timesteps):
        ab, ab_next = alpha_bars[t], alpha_bars[timesteps[i + 1]] if i + 1 < STEPS else 1.0
        j = np.sqrt(ab) * VARIANCE / (ab * VARIANCE + 1 - ab)
        x0 = j * x
        eps = (x - np.sqrt(ab) * x0) / np.sqrt(1 - ab)
        delta, covector = project(x0[:, :3])
        posterior_std = np.sqrt((1 - ab_next) / (1 - ab) * (1 - ab / ab_next))
        if ab >= edit_from or i + 1 == STEPS:
            x0[:, :3] += delta
        following = np.sqrt(ab_next) * x0 + np.sqrt(1 - ab_next) * eps
        g = j * covector
        length = min((delta * covector).sum() / np.linalg.norm(g), cap * np.sqrt(x.size) * posterior_std)
        following[:, :3] += length * g / np.linalg.norm(g)
        x = following
        states.append(x[:, :3].copy())
    print(cap, edit_from, at_waypoints(x[:, :3]))
    return np.stack(states)


np.savez(
    "io.npz", draw=draw[None, None], mean=mean, capped=run(0.003, 0.9), network=run(1.0, 2.0), edited=run(0.003, 0.1)
)
