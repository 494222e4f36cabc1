"""Whole guided trajectories of the wider catalogue, stated in NumPy from the papers' formulas.

    pip install numpy==2.4.6 && python make.py

Data is Gaussian, so x̂0 and its Jacobian J are closed forms; the loss is ‖A x̂0 − y‖² per sample.
Sampler: DDIM on the cosine schedule of 1000 steps, eta 0; for DSG eta 1. References: Song et al. 2023
(LGD-MC), Bansal et al. 2023 (UGD), Ye et al. 2024 (TFG), Yang et al. 2024 (DSG), Belardi et al. 2026
(AdamDPS), Xie et al. 2024 (OmniControl), Dhariwal & Nichol 2021 (classifier guidance), Wang et al. 2022
and ProjFlow 2026 (linear constraints), Guo et al. 2024 (gradient guidance), Karunratanakul et al. 2024
(DNO).
"""

import numpy as np

TRAIN, STEPS, BATCH, N = 1000, 10, 2, 6
rng = np.random.default_rng(29)
mean = rng.normal(size=N)
factor = rng.normal(size=(N, N)) * 0.5
covariance = factor @ factor.T + 0.1 * np.eye(N)
A = rng.normal(size=(2, N))
y = rng.normal(size=(BATCH, 2)) * 2
draws = rng.normal(size=(30, BATCH, N)).astype(np.float32)  # of the sampler and of noising back
smoothing = rng.normal(size=(120, BATCH, N)).astype(np.float32)  # of Monte Carlo
direction = rng.normal(size=N)  # of gradient guidance and the classifier
norm = np.linalg.norm


def share(t):
    return np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2


betas = np.array([min(1 - share((i + 1) / TRAIN) / share(i / TRAIN), 0.999) for i in range(TRAIN)])
alpha_bars = np.cumprod(1 - betas)
timesteps = np.round(np.arange(TRAIN, 0, -TRAIN / STEPS)).astype(int) - 1
LATE = (0, 700)  # leaves out the steps where 1/√ᾱ is huge


def linearize(x, ab):
    J = np.sqrt(ab) * covariance @ np.linalg.inv(ab * covariance + (1 - ab) * np.eye(N))
    return mean + (x - np.sqrt(ab) * mean) @ J.T, J


def loss_grad(x0, b):
    residual = A @ x0 - y[b]
    return residual @ residual, 2 * A.T @ residual


def smoothed_grad(x0, b, radius, xi):
    """∇ of −log 1/n Σ exp(−L(x̂0 + r ξ))."""
    values, grads = zip(*(loss_grad(x0 + radius * n[b], b) for n in xi), strict=True)
    weight = np.exp(-(np.array(values) - min(values)))
    return (weight / weight.sum()) @ np.array(grads)


def run(method, p, interval=LATE, eta=0.0, recurrences=1):
    """One trajectory; `method(state)` edits x0, eps (before the step) or the move after it."""
    path, taken, used, memory = [], 1, [0], {}
    x = draws[0].astype(np.float64)

    def xi(count):
        used[0] += count
        return smoothing[used[0] - count : used[0]].astype(np.float64)

    for i, t in enumerate(timesteps):
        ab = alpha_bars[t]
        abp = alpha_bars[timesteps[i + 1]] if i + 1 < STEPS else 1.0
        alpha = ab / abp
        std = np.sqrt((1 - abp) / (1 - ab) * (1 - alpha))
        on = interval[0] <= t <= interval[1]
        visits = recurrences if on else 1
        for visit in range(visits):
            x0, J = linearize(x, ab)
            eps = (x - np.sqrt(ab) * x0) / np.sqrt(1 - ab)
            move, replaced = np.zeros_like(x), None
            step = np.sqrt(abp) * x0 + np.sqrt(1 - abp - (eta * std) ** 2) * eps
            noise = np.zeros_like(x)
            if eta * std > 0:
                noise = eta * std * draws[taken].astype(np.float64)
                taken += 1
            if on and method == "lgd-mc":
                r = np.sqrt(1 - ab)
                n = xi(p["draws"])
                for b in range(BATCH):
                    move[b] = -p["scale"] * J.T @ smoothed_grad(x0[b], b, r, n)
            if on and method == "ugd":
                hat = eps.copy()
                for b in range(BATCH):
                    hat[b] += p["forward"] * np.sqrt(1 - ab) * J.T @ loss_grad(x0[b], b)[1]
                    z = x0[b].copy()
                    for _ in range(p["m"]):
                        z -= p["backward"] * loss_grad(z, b)[1]
                    hat[b] -= np.sqrt(ab / (1 - ab)) * (z - x0[b])
                step = np.sqrt(abp) * (x - np.sqrt(1 - ab) * hat) / np.sqrt(ab) + np.sqrt(1 - abp) * hat
            if on and method == "tfg":
                rho, mu, sigma = p["rho"] * alpha, p["mu"] * (1 - alpha), p["sigma"] * np.sqrt(1 - ab)
                n = xi(p["draws"])
                delta_t = np.stack([-rho * J.T @ smoothed_grad(x0[b], b, sigma, n) for b in range(BATCH)])
                z = x0.copy()
                for _ in range(p["iterations"]):
                    n = xi(p["draws"])
                    z = np.stack([z[b] - mu * smoothed_grad(z[b], b, sigma, n) for b in range(BATCH)])
                move = delta_t / np.sqrt(alpha) + np.sqrt(abp) * (z - x0)
            if on and method == "adam-dps":
                g = np.stack([J.T @ loss_grad(x0[b], b)[1] for b in range(BATCH)])
                memory.setdefault("m", 0.0), memory.setdefault("v", 0.0), memory.setdefault("k", 0)
                memory["m"] = 0.9 * memory["m"] + 0.1 * g
                memory["v"] = 0.999 * memory["v"] + 0.001 * g * g
                memory["k"] += 1
                hat_m = memory["m"] / (1 - 0.9 ** memory["k"])
                hat_v = memory["v"] / (1 - 0.999 ** memory["k"])
                move = -p["scale"] * hat_m / (np.sqrt(hat_v) + 1e-8) / np.sqrt(alpha)
            if on and method == "dsg" and std > 0:
                mu_t = np.sqrt(alpha) * (1 - abp) / (1 - ab) * x + np.sqrt(abp) * (1 - alpha) / (1 - ab) * x0
                replaced = mu_t.copy()
                for b in range(BATCH):
                    g = J.T @ loss_grad(x0[b], b)[1]
                    best = -np.sqrt(N) * std * g / norm(g)
                    m = noise[b] + p["weight"] * (best - noise[b])
                    replaced[b] += np.sqrt(N) * std * m / norm(m)
            if on and method == "mean":
                mu_t = np.sqrt(alpha) * (1 - abp) / (1 - ab) * x + np.sqrt(abp) * (1 - alpha) / (1 - ab) * x0
                z = mu_t.copy()
                for _ in range(10):
                    z = np.stack([z[b] - p["scale"] * max(std**2, 0.01) * loss_grad(z[b], b)[1] for b in range(BATCH)])
                move = z - mu_t
            if on and method == "classifier":
                # log p_t(y | x_t) = −(cᵀx_t − y)²/(2 (1 + 1 − ᾱ)): a classifier that knows its noise.
                log_grad = np.stack([-(x[b] @ direction - y[b, 0]) / (2 - ab) * direction for b in range(BATCH)])
                hat = eps - p["scale"] * np.sqrt(1 - ab) * log_grad
                step = np.sqrt(abp) * (x - np.sqrt(1 - ab) * hat) / np.sqrt(ab) + np.sqrt(1 - abp) * hat
            if on and method == "linear":
                weight = np.diag(1 / p["metric"])
                gain = weight @ A.T @ np.linalg.inv(A @ weight @ A.T + p["noise"] * np.eye(2))
                move = np.sqrt(abp) * np.stack([gain @ (y[b] - A @ x0[b]) for b in range(BATCH)])
            if on and method in ("gradient-naive", "gradient-look-ahead"):
                a, h, g = np.sqrt(ab), 1 - ab, direction
                score = -eps / np.sqrt(h)
                for b in range(BATCH):
                    gap = p["value"] - g @ x0[b]
                    if method == "gradient-naive":
                        score[b] += a / (0.01 + h * g @ g) * gap * g
                    else:
                        through = J.T @ g  # ∇_{x_t} gᵀx̂0, so −β ∇(y − gᵀx̂0)² = 2β gap through
                        score[b] += 2 * (a * a / 2) / (a * a * 0.01 + h * through @ through) * gap * through
                hat = -np.sqrt(h) * score
                step = np.sqrt(abp) * (x - np.sqrt(1 - ab) * hat) / np.sqrt(ab) + np.sqrt(1 - abp) * hat
            following = step + noise + move if replaced is None else replaced
            path.append(following.reshape(BATCH, 3, 2).copy())
            x = following
            if visit + 1 < visits:
                x = np.sqrt(alpha) * x + np.sqrt(1 - alpha) * draws[taken]
                taken += 1
    return np.stack(path)


def dno(iterations, rate):
    """Adam on x_T through the DDIM chain with a unit-norm gradient."""
    x_start = draws[0].astype(np.float64)
    m, v, trace = 0.0, 0.0, []
    for k in range(1, iterations + 1):
        x, through = x_start, np.eye(N)
        for i, t in enumerate(timesteps):
            ab = alpha_bars[t]
            abp = alpha_bars[timesteps[i + 1]] if i + 1 < STEPS else 1.0
            x0, J = linearize(x, ab)
            keep = np.sqrt((1 - abp) / (1 - ab))
            x = np.sqrt(abp) * x0 + keep * (x - np.sqrt(ab) * x0)
            through = ((np.sqrt(abp) - keep * np.sqrt(ab)) * J + keep * np.eye(N)) @ through
        g = np.stack([through.T @ loss_grad(x[b], b)[1] for b in range(BATCH)])
        g /= norm(g, axis=1, keepdims=True)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x_start = x_start - rate * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
        trace.append(x_start.reshape(BATCH, 3, 2))
    return np.stack(trace)


out = dict(
    mean=mean,
    covariance=covariance,
    A=A,
    y=y,
    direction=direction,
    draws=draws.reshape(-1, BATCH, 3, 2),
    smoothing=smoothing.reshape(-1, BATCH, 3, 2),
)
out["lgd-mc"] = run("lgd-mc", dict(scale=0.05, draws=4))
out["ugd"] = run("ugd", dict(forward=0.05, m=3, backward=0.04))
out["ugd_recurrent"] = run("ugd", dict(forward=0.05, m=1, backward=0.04), recurrences=2)
out["tfg"] = run("tfg", dict(rho=0.1, mu=0.08, sigma=0.2, draws=2, iterations=3), recurrences=2)
out["adam-dps"] = run("adam-dps", dict(scale=0.05))
out["dsg"] = run("dsg", dict(weight=0.4), eta=1.0)
out["mean-guidance"] = run("mean", dict(scale=0.05))
out["classifier"] = run("classifier", dict(scale=1.5))
out["metric"] = np.array([1.0, 2.0, 0.5, 1.0, 4.0, 1.0])
out["linear"] = run("linear", dict(metric=out["metric"], noise=0.1))
out["linear_exact"] = run("linear", dict(metric=np.ones(N), noise=0.0))
out["gradient-naive"] = run("gradient-naive", dict(value=1.5), interval=(0, np.inf))
out["gradient-look-ahead"] = run("gradient-look-ahead", dict(value=1.5), interval=(0, np.inf))
out["dno"] = dno(6, 0.05)
np.savez("io.npz", **out)
for key, value in out.items():
    print(key, value.shape, float(np.abs(value).max()))
