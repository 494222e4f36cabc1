"""Whole guided trajectories, stated in NumPy from the papers' formulas.

    pip install numpy==2.4.6 && python make.py

Data is Gaussian, so x̂0 and its Jacobian J are closed forms; the loss is ‖A x̂0 − y‖² per sample.
Sampler: DDIM, eta 0, on the cosine schedule of 1000 steps. References: Chung et al. 2022 (DPS),
Yu et al. 2023 (FreeDoM), He et al. 2023 (MPGD), Shen et al. 2024 (Polyak step, normalised gradient).
"""

import numpy as np

TRAIN, STEPS, BATCH, N = 1000, 12, 2, 6
rng = np.random.default_rng(11)
mean = rng.normal(size=N)
factor = rng.normal(size=(N, N)) * 0.5
covariance = factor @ factor.T + 0.1 * np.eye(N)
A = rng.normal(size=(2, N))
y = rng.normal(size=(BATCH, 2)) * 2
draws = rng.normal(size=(40, BATCH, 3, 2)).astype(np.float32)


def share(t):
    return np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2


betas = np.array([min(1 - share((i + 1) / TRAIN) / share(i / TRAIN), 0.999) for i in range(TRAIN)])
alpha_bars = np.cumprod(1 - betas)
timesteps = np.round(np.arange(TRAIN, 0, -TRAIN / STEPS)).astype(int) - 1


def linearize(x, ab):
    """x̂0 = E[x0 | x_t] and J, for x_t = √ᾱ x0 + √(1 − ᾱ) ε."""
    J = np.sqrt(ab) * covariance @ np.linalg.inv(ab * covariance + (1 - ab) * np.eye(N))
    return mean + (x - np.sqrt(ab) * mean) @ J.T, J


def ddim(x, x0, ab, ab_prev):
    eps = (x - np.sqrt(ab) * x0) / np.sqrt(1 - ab)
    return np.sqrt(ab_prev) * x0 + np.sqrt(1 - ab_prev) * eps, eps


def run(method, scale, interval=(0, np.inf), visits=1, window=(0, np.inf), max_move=None):
    path, taken = [], 1
    x = draws[0].reshape(BATCH, N).astype(np.float64)
    for i, t in enumerate(timesteps):
        ab = alpha_bars[t]
        ab_prev = alpha_bars[timesteps[i + 1]] if i + 1 < STEPS else 1.0
        times = visits if window[0] <= t <= window[1] else 1
        for visit in range(times):
            x0, J = linearize(x, ab)
            following, eps = ddim(x, x0, ab, ab_prev)
            if interval[0] <= t <= interval[1]:
                for b in range(BATCH):
                    residual = A @ x0[b] - y[b]
                    v = 2 * A.T @ residual  # ∂‖r‖²/∂x̂0
                    g = J.T @ v  # ∂‖r‖²/∂x_t
                    norm = np.linalg.norm
                    posterior_std = np.sqrt((1 - ab_prev) / (1 - ab) * (1 - ab / ab_prev))
                    if method == "dps":  # ∇‖r‖
                        move = scale * J.T @ A.T @ residual / norm(residual)
                    elif method == "freedom":
                        move = scale * np.sqrt(ab) * g
                    elif method == "mpgd":  # edit x̂0, noise again with the same ε
                        edited = x0[b] - scale * v
                        move = following[b] - (np.sqrt(ab_prev) * edited + np.sqrt(1 - ab_prev) * eps[b])
                    elif method == "polyak":
                        move = scale * norm(eps[b]) / norm(g) ** 2 * g
                    elif method == "polyak-capped":
                        length = min(norm(eps[b]) / norm(g), 0.1 * np.sqrt(N) * posterior_std)
                        move = scale * length * g / norm(g)
                    elif method == "normalized":
                        move = scale * g / norm(g)
                    if max_move is not None and norm(move) > max_move * np.sqrt(N):
                        move *= max_move * np.sqrt(N) / norm(move)
                    following[b] -= move
            path.append(following.reshape(BATCH, 3, 2).copy())
            x = following
            if visit + 1 < times:
                beta = ab / ab_prev
                x = np.sqrt(beta) * x + np.sqrt(1 - beta) * draws[taken].reshape(BATCH, N)
                taken += 1
    return np.stack(path)


out = dict(mean=mean, covariance=covariance, A=A, y=y, draws=draws)
out["none"] = run("dps", 0.0)
for method, scale in [
    ("dps", 0.3),
    ("freedom", 0.05),
    ("mpgd", 0.04),
    ("polyak", 0.03),
    ("polyak-capped", 1.5),
    ("normalized", 0.15),
]:
    # The printed Polyak step has no bound: where J or the loss vanishes it throws the sample away.
    out[method] = run(method, scale, interval=(200, 900) if method == "polyak" else (0, np.inf))
    out[method + "_scale"] = np.array([scale])
out["interval"] = run("dps", 0.3, interval=(200, 700))
out["max_move"] = run("freedom", 0.5, max_move=0.05)
out["time_travel"] = run("freedom", 0.05, visits=3, window=(300, 800))
np.savez("io.npz", **out)
for key, value in out.items():
    print(key, value.shape)


def loss(path):
    return ((path[-1].reshape(BATCH, N) @ A.T - y) ** 2).sum(1)


print({key: loss(value) for key, value in out.items() if value.ndim == 4 and key != "draws"})
