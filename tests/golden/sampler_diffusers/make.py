"""Whole sampling trajectories of diffusers with a closed-form denoiser.

    pip install torch==2.15.0 diffusers==0.35.2 numpy && python make.py

The denoiser is E[x0 | x_t] for data N(mean, covariance); the schedulers get it as a
`prediction_type="sample"` model. Noise is recorded and replayed.
"""

import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler

TRAIN, D, BATCH = 1000, 4, 2
rng = np.random.default_rng(7)
mean = np.array([0.5, -1.0, 2.0, 0.0])
factor = rng.normal(size=(D, D)) * 0.6
covariance = factor @ factor.T + 0.05 * np.eye(D)
mean_t, covariance_t = torch.tensor(mean), torch.tensor(covariance)


def denoise(x, alpha_bar):
    system = alpha_bar * covariance_t + (1 - alpha_bar) * torch.eye(D, dtype=torch.float64)
    jacobian = alpha_bar**0.5 * torch.linalg.solve(system, covariance_t)
    return mean_t + (x - alpha_bar**0.5 * mean_t) @ jacobian.T


def common(schedule):
    betas = dict(cosine=dict(beta_schedule="squaredcos_cap_v2"), linear=dict(beta_schedule="linear"))[schedule]
    return dict(num_train_timesteps=TRAIN, prediction_type="sample", **betas)


def in_float64(scheduler):
    # diffusers keeps its tables in float32: redo them from the same betas, so that the two
    # implementations are compared and not the table's rounding.
    betas = {
        "linear": torch.linspace(scheduler.config.beta_start, scheduler.config.beta_end, TRAIN, dtype=torch.float64),
        "squaredcos_cap_v2": None,
    }[scheduler.config.beta_schedule]
    if betas is None:
        from diffusers.schedulers.scheduling_ddim import betas_for_alpha_bar

        single = betas_for_alpha_bar(TRAIN)

        def share(t):
            return np.cos((t + 0.008) / 1.008 * np.pi / 2) ** 2

        betas = torch.tensor(
            [min(1 - share((i + 1) / TRAIN) / share(i / TRAIN), 0.999) for i in range(TRAIN)], dtype=torch.float64
        )
        assert torch.allclose(single.double(), betas, atol=1e-6)
    scheduler.betas = betas
    scheduler.alphas = 1 - betas
    scheduler.alphas_cumprod = torch.cumprod(scheduler.alphas, 0)
    scheduler.one = torch.tensor(1.0, dtype=torch.float64)
    if hasattr(scheduler, "final_alpha_cumprod"):
        scheduler.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)
    if hasattr(scheduler, "alpha_t"):
        scheduler.alpha_t = scheduler.alphas_cumprod**0.5
        scheduler.sigma_t = (1 - scheduler.alphas_cumprod) ** 0.5
        scheduler.lambda_t = scheduler.alpha_t.log() - scheduler.sigma_t.log()
        scheduler.sigmas = ((1 - scheduler.alphas_cumprod) / scheduler.alphas_cumprod) ** 0.5
    return scheduler


def walk(scheduler, steps, draws, name, **step_options):
    scheduler = in_float64(scheduler)
    scheduler.set_timesteps(steps)
    x = torch.tensor(draws[0])
    taken, path, timesteps = 1, [], []
    for t in scheduler.timesteps:
        alpha_bar = scheduler.alphas_cumprod[int(t)]
        options = dict(step_options)
        if name.startswith("ddim") and options.get("eta", 0) > 0:
            options["variance_noise"] = torch.tensor(draws[taken])
            taken += 1
        if name.startswith("ddpm"):
            # The scheduler draws its noise itself: hand it the recorded draw.
            import diffusers.schedulers.scheduling_ddpm as module

            draw = torch.tensor(draws[taken % len(draws)])
            taken += int(t) > 0
            module.randn_tensor = lambda *_, draw=draw, **__: draw
        x = scheduler.step(denoise(x, alpha_bar), t, x, **options).prev_sample
        path.append(x.numpy())
        timesteps.append(float(t))
    return np.stack(path), np.array(timesteps)


out = dict(mean=mean, covariance=covariance)
draws = rng.normal(size=(30, BATCH, 1, D)).astype(np.float32).astype(np.float64)
out["draws"] = draws.astype(np.float32)
for schedule in ["cosine", "linear"]:
    for spacing in ["trailing", "leading"]:
        for eta in [0.0, 0.7]:
            scheduler = DDIMScheduler(
                **common(schedule), clip_sample=False, set_alpha_to_one=True, timestep_spacing=spacing
            )
            name = f"ddim_{schedule}_{spacing}_{int(eta * 10)}"
            out[name], out[name + "_t"] = walk(scheduler, 10, draws, name, eta=eta)
    scheduler = DDPMScheduler(
        **common(schedule), clip_sample=False, variance_type="fixed_small", timestep_spacing="leading"
    )
    out[f"ddpm_{schedule}"], out[f"ddpm_{schedule}_t"] = walk(scheduler, 20, draws, "ddpm")
    for steps in [8, 20]:
        scheduler = DPMSolverMultistepScheduler(
            **common(schedule), solver_order=2, algorithm_type="dpmsolver++", timestep_spacing="trailing"
        )
        name = f"dpmpp_{schedule}_{steps}"
        out[name], out[name + "_t"] = walk(scheduler, steps, draws, name)
np.savez("io.npz", **out)
for key, value in out.items():
    print(key, value.shape)
