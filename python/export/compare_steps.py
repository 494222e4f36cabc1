"""Walks a package by kinograd and its networks by PyTorch and diffusers' schedulers, and compares every step.

    python dit.py --random --out random-dit
    python compare_steps.py dit random-dit --random --class 3 --cfg 4 --kinograd ../../target/release/kinograd

The first argument is the script that wrote the package, the second the package; the script's own arguments follow. Both
sides start from the same x_T and take DDIM's steps (η = 0; of a flow Euler's) without guidance and with that of DPS
(Chung et al. 2022, algorithm 1: x −= s ∇‖residual‖) towards pictures of one grey, through decoder and classifier-free
pair. Prints the largest difference of x̂0, and of which size x̂0 is, step by step.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from torch import Tensor, nn

from package import Networks, export

GREY = 0.3
BETAS = {"cosine": "squaredcos_cap_v2", "linear": "linear", "scaled_linear": "scaled_linear"}
PREDICTIONS = {"x0": "sample", "epsilon": "epsilon", "v": "v_prediction"}
DEFAULTS = {"linear": (1e-4, 0.02), "scaled_linear": (0.00085, 0.012), "cosine": (1e-4, 0.02)}


class Grey(nn.Module):
    """The reward whose loss is the squared distance from grey."""

    def forward(self, image: Tensor) -> Tensor:
        """`[batch, 3, height, width]` → `[batch]`."""
        return -(image - GREY).square().flatten(1).sum(1)


def scheduler_of(manifest: dict, steps: int) -> DDIMScheduler | FlowMatchEulerDiscreteScheduler:
    """The scheduler of diffusers that a `model.json` describes, its steps set."""
    spec = manifest["schedule"]
    if spec["kind"] == "flow":
        flow = FlowMatchEulerDiscreteScheduler(num_train_timesteps=spec["train_steps"], shift=spec.get("shift", 1.0))
        flow.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps))
        return flow
    start, end = DEFAULTS[spec["kind"]]
    ddim = DDIMScheduler(
        num_train_timesteps=spec["train_steps"], beta_schedule=BETAS[spec["kind"]],
        beta_start=spec.get("beta_start", start), beta_end=spec.get("beta_end", end),
        prediction_type=PREDICTIONS[manifest["prediction"]], timestep_spacing="trailing", clip_sample=False,
        set_alpha_to_one=True,
    )  # fmt: skip
    ddim.set_timesteps(steps)
    return ddim


def walk(
    scheduler: DDIMScheduler | FlowMatchEulerDiscreteScheduler,
    predict: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    picture: Callable[[Tensor], Tensor],
    scale: float = 0.0,
) -> Tensor:
    """x̂0 of every step from x_T `x`, guided where `scale` is not 0.

    `predict(sample, timestep)` is the network with its conditions, `picture(x̂0)` what the loss sees.
    """
    path, flows = [], isinstance(scheduler, FlowMatchEulerDiscreteScheduler)
    for i, t in enumerate(scheduler.timesteps):
        x = x.detach().requires_grad_(scale != 0)
        out = predict(x, t)
        after = scheduler.step(out.detach(), t, x.detach()).prev_sample
        if flows:
            sigma = scheduler.sigmas[i]
            x0 = x - sigma * out
        else:
            x0 = estimate(scheduler, x, out, t)
        if scale:
            squares = -Grey()(picture(x0))
            gradient = torch.autograd.grad(squares.sqrt().sum(), x)[0]
            if flows:
                # by and on the variance-preserving sample, which a flow's is a multiple of
                for s in (sigma, scheduler.sigmas[i + 1]):
                    gradient = gradient * ((1 - s) ** 2 + s**2).sqrt()
            after = after - scale * gradient
        path.append(x0.detach())
        x = after
    return torch.stack(path)


def estimate(scheduler: DDIMScheduler, x: Tensor, out: Tensor, t: Tensor) -> Tensor:
    """x̂0 of a network's output."""
    signal = scheduler.alphas_cumprod[t].sqrt()
    noise = (1 - scheduler.alphas_cumprod[t]).sqrt()
    kind = scheduler.config.prediction_type
    if kind == "sample":
        return out
    return (x - noise * out) / signal if kind == "epsilon" else signal * x - noise * out


def conditions(networks: Networks, args: argparse.Namespace) -> list[list[Tensor]]:
    """What the denoiser is told beside the noise, and what in its null part."""
    told: list[list[Tensor]] = [[], []]
    if classes := networks.keys.get("classes"):
        null = classes.get("null")
        told[0].append(torch.tensor([null if args.label is None else args.label]))
        told[1].append(torch.tensor([args.label if null is None else null]))
    if networks.encoder is not None:
        tokens = networks.keys["conditioning"]["max_tokens"]
        for part, text in zip(told, (args.prompt, ""), strict=True):
            ids, mask = torch.zeros(1, tokens, dtype=torch.long), torch.zeros(1, tokens)
            own = networks.tokenizer.encode(text).ids[:tokens]
            ids[0, : len(own)], mask[0, : len(own)] = torch.tensor(own), 1
            with torch.no_grad():
                part.append(networks.encoder(ids, mask))
    return told


def by_torch(networks: Networks, manifest: dict, x: Tensor, args: argparse.Namespace, scale: float) -> Tensor:
    """x̂0 of every step."""
    told, null = conditions(networks, args)
    latent, continuous = manifest.get("latent"), manifest["schedule"].get("time") == "continuous"
    cfg = args.cfg if args.cfg is not None else manifest.get("defaults", {}).get("cfg", 1.0)

    def predict(x: Tensor, t: Tensor) -> Tensor:
        time = (t / manifest["schedule"]["train_steps"] if continuous else t).float().expand(len(x))
        if cfg == 1.0 or not told:
            return networks.denoiser(x, time, *told)
        both = [torch.cat(pair) for pair in zip(told, null, strict=True)]
        a, b = networks.denoiser(torch.cat([x, x]), torch.cat([time, time]), *both).chunk(2)
        return b + cfg * (a - b)

    def picture(x0: Tensor) -> Tensor:
        return x0 if latent is None else networks.decoder(x0 / latent["scale"] + latent.get("shift", 0.0))

    return walk(scheduler_of(manifest, args.steps), predict, x, picture, scale)


def by_kinograd(args: argparse.Namespace, folder: Path, more: list[str]) -> Tensor:
    """x̂0 of every step."""
    capi = Path(ort.__file__).parent / "capi"
    runtime = [str(path) for path in sorted(capi.glob("libonnxruntime.so.*"))[:1]]
    command = [args.kinograd, "image", "-q", "--model", str(args.package), "--noise", str(folder / "x.npy")]
    command += [f"--runtime={path}" for path in runtime]
    command += ["--steps", str(args.steps), "--save-steps", str(folder / "steps.npz"), *more]
    command += [] if args.label is None else ["--class", str(args.label)]
    command += [] if args.cfg is None else ["--cfg", str(args.cfg)]
    command += [args.prompt] if args.prompt else []
    subprocess.run(command, check=True)
    return torch.from_numpy(np.load(folder / "steps.npz")["x0"])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", help="the script that wrote the package")
    parser.add_argument("package", type=Path)
    parser.add_argument("--kinograd", default="kinograd", help="the program")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--scale", type=float, default=1.0, help="of DPS")
    parser.add_argument("--class", dest="label", type=int)
    parser.add_argument("--prompt", default="")
    parser.add_argument("--cfg", type=float)
    args, own = parser.parse_known_args()
    script = importlib.import_module(args.script)
    networks = script.load(script.options().parse_args([*own, "--out", str(args.package)]))
    for module in (networks.denoiser, networks.decoder, networks.encoder):
        if module is not None:
            module.eval().requires_grad_(False)
    manifest = json.loads((args.package / "model.json").read_text())
    if manifest["schedule"]["train_steps"] % args.steps:
        # diffusers' DDIM then steps to another timestep than the one that it takes next
        parser.error(f"--steps {args.steps} does not divide the {manifest['schedule']['train_steps']} training steps")
    x = torch.randn(1, *networks.size, generator=torch.Generator().manual_seed(1))
    image = manifest["image"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        np.save(folder / "x.npy", x.numpy())
        pictures = torch.zeros(2, image["channels"], image["height"], image["width"])
        export(Grey(), (pictures,), ["image"], ["reward"], folder / "grey.onnx", tolerance=10.0)
        guided = ["--method", "dps", "--guidance-scale", str(args.scale), "--augment", "0"]
        guided += ["--reward", str(folder / "grey.onnx")]
        for name, scale, more in (("plain", 0.0, ["--method", "none"]), ("guided", args.scale, guided)):
            started = time.perf_counter()
            expected = by_torch(networks, manifest, x, args, scale)
            between = time.perf_counter()
            got = by_kinograd(args, folder, more)
            seconds = [round(between - started, 2), round(time.perf_counter() - between, 2)]
            difference = [float(f"{(a - b).abs().max():.2e}") for a, b in zip(got, expected, strict=True)]
            size = [float(f"{b.abs().max():.3g}") for b in expected]
            record = {"walk": name, "max_difference": difference, "max_x0": size, "torch_s_kinograd_s": seconds}
            print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
