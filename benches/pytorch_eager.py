"""A whole guided run of PyTorch eager beside Kinograd: same weights, steps, guidance and loss, taking turns.

    python benches/pytorch_eager.py --package models/motion-base --kinograd target/release/kinograd

Prints the median and the spread of the sampling time of both. Needs what python/train needs.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python" / "train"))

from config import FEATURES, FPS, TRAIN_STEPS, TrainConfig
from losses import cosine_alpha_bar
from networks import Networks, load_package, text_buffers
from sampling import trailing
from tokens import TextBatcher

PROMPT = "a person walks forward"
SECONDS = 4.0
TARGET = (2.0, 3.0)
OBSTACLE = (1.0, 1.5, 0.5)
MARGIN_M, BARRIER_WEIGHT, CAP = 0.2, 10.0, 0.1


def root_path(features: Tensor) -> Tensor:
    """`[b, n, 263]`, not normalised → root on the ground `[b, n, 2]` as (x, z)."""
    half = torch.cumsum(features[:, :, 0], 1) - features[:, :, 0]
    step = torch.nn.functional.pad(features[:, :-1, 1:3], (0, 0, 1, 0))
    c, s = torch.cos(2 * half), torch.sin(2 * half)
    world = torch.stack([c * step[..., 0] - s * step[..., 1], s * step[..., 0] + c * step[..., 1]], -1)
    return torch.cumsum(world, 1)


def goal_loss(path: Tensor) -> Tensor:
    """Squared distance from the target at the end plus a squared hinge around the obstacle, `[b]`."""
    target = ((path[:, -1] - torch.tensor(TARGET)) ** 2).sum(-1)
    x, z, radius = OBSTACLE
    inside = radius + MARGIN_M - (path - torch.tensor([x, z])).norm(dim=-1)
    return target + BARRIER_WEIGHT * (inside.clamp(min=0) ** 2).sum(-1)


class Eager:
    """The package's denoiser in PyTorch."""

    def __init__(self, folder: Path) -> None:
        self.networks = Networks(TrainConfig(), *text_buffers(folder)).eval()
        load_package(self.networks, folder)
        for parameter in self.networks.parameters():
            parameter.requires_grad_(False)
        constants = np.load(folder / "constants.npz")
        self.mean, self.std = (torch.from_numpy(constants[name]) for name in ("mean", "std"))
        ids, mask = TextBatcher(folder / "tokenizer.json")([PROMPT])
        condition = self.networks.condition(ids, mask)
        self.both = torch.cat([condition, self.networks.null[None]])

    def predict(self, x: Tensor, level: int, cfg: float) -> Tensor:
        """x̂0 with classifier-free guidance as one batch of two."""
        t = torch.full((2,), float(level))
        out = self.networks.denoiser(torch.cat([x, x]), t, self.both, torch.ones(2, x.shape[1]))
        return out[1:] + cfg * (out[:1] - out[1:])

    def sample(self, steps: int, cfg: float, guided: bool, seed: int) -> Tensor:
        """DDIM with the capped Polyak step; `[1, frames, 263]`, normalised."""
        torch.manual_seed(seed)
        x = torch.randn(1, round(SECONDS * FPS), FEATURES)
        bars = cosine_alpha_bar()
        levels = trailing(steps)
        for i, level in enumerate(levels):
            a, b = bars[level], bars[levels[i + 1]] if i + 1 < steps else 1.0
            x = x.detach().requires_grad_(guided)
            x0 = self.predict(x, level, cfg)
            if guided:
                loss = goal_loss(root_path(x0 * self.std + self.mean))
                gradient = torch.autograd.grad(loss.sum(), x)[0]
            with torch.no_grad():
                noise = (x - math.sqrt(a) * x0) / math.sqrt(1 - a)
                x_next = math.sqrt(b) * x0 + math.sqrt(1 - b) * noise
                if guided:
                    norm = gradient.norm().clamp(min=1e-12)
                    sigma = math.sqrt(max(0.0, (1 - b) / (1 - a) * (1 - a / b)))
                    longest = CAP * math.sqrt(x.numel()) * sigma
                    x_next = x_next - gradient / norm * min(float(noise.norm() / norm), longest)
            x = x_next
        return x.detach()


def kinograd(args: argparse.Namespace) -> dict[str, float]:
    """Seconds of sampling by case, of one run on ONNX Runtime."""
    command = [args.kinograd, "eval", "speed", "--json", "-q", "--runs", "1", "--batch", "1"]
    command += ["--method", "polyak-capped", "--in-process"]
    command += ["--steps", str(args.steps), "--model", str(args.package), "--threads", str(args.threads)]
    document = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    rows = [row for row in document["rows"] if row["engine"].startswith("ONNX Runtime")]
    if not rows:
        raise SystemExit("kinograd found no ONNX Runtime: run `kinograd runtime install` first")
    return {row["case"]: row["sampling_seconds"]["median"] for row in rows}


def main() -> None:
    """Take turns, then compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--kinograd", required=True)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as each chooses")
    args = parser.parse_args()
    assert TRAIN_STEPS == 1000
    if args.threads:
        torch.set_num_threads(args.threads)
    eager = Eager(args.package)
    cfg = json.loads((args.package / "model.json").read_text())["defaults"]["cfg"]
    times: dict[str, dict[str, list[float]]] = {"plain": {}, "guided": {}}
    for run in range(args.runs + 1):
        ours = kinograd(args)
        for case in times:
            started = time.perf_counter()
            eager.sample(args.steps, cfg, case == "guided", run)
            theirs = time.perf_counter() - started
            if run > 0:  # the first run warms both up
                times[case].setdefault("pytorch", []).append(theirs)
                times[case].setdefault("kinograd", []).append(ours[case])
    for case, both in times.items():
        median = {name: statistics.median(values) for name, values in both.items()}
        for name, values in both.items():
            print(f"{case:8} {name:9} {median[name]:.3f} s ({min(values):.3f} to {max(values):.3f})")
        print(f"{case:8} pytorch / kinograd: {median['pytorch'] / median['kinograd']:.2f}")


if __name__ == "__main__":
    main()
