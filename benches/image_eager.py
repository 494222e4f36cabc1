"""Processor time of a sampling step: `kinograd image` beside PyTorch, eager and compiled, on the same weights.

    pip install -r ../python/train/requirements.txt
    python image_eager.py --kinograd ../target/release/kinograd --runtime LIBONNXRUNTIME --compile

The weights are those of `models/emoji-64` and `models/emoji-clip`. A step is one sampling step of the whole batch; a
guided one runs the denoiser and the image tower forward and backward, in PyTorch without gradients of weights.
Kinograd's number is the difference between a long and a short run, divided by the steps between them, so that its
start is left out; PyTorch's is the median of single steps. They take turns, and the table holds medians over the
rounds. Processor time instead of wall time, and one thread, so that a busy machine disturbs less; on an idle one both
are alike. Kinograd samples 8 pictures at a time: 16 are two calls.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import numpy_helper
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "train"))

from image.export import SIDE
from image.export_graphs import denoiser_graph, image_graph
from image.networks import ConvTower, ConvTowerSizes, DenoiserSizes, ImageDenoiser

MODELS = Path(__file__).resolve().parents[1] / "models"
SHORT, LONG, TORCH_STEPS = 4, 14, 5
EMBEDDING = 128
TOLERANCE = 1e-3

Step = Callable[[Tensor, Tensor], Tensor]


def load(module: nn.Module, graph: Callable, path: Path) -> nn.Module:
    """The module with the weights of a package's graph, checked against ONNX Runtime."""
    stored = {i.name: numpy_helper.to_array(i) for i in onnx.load(path).graph.initializer}
    for name, assign in graph(module, SIDE).origins.items():
        assign(stored[name])
    module.eval().requires_grad_(False)
    x, t = torch.randn(2, 3, SIDE, SIDE), torch.tensor([500.0, 500.0])
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = [x, t][: len(session.get_inputs())]
    got = session.run(None, {i.name: f.numpy() for i, f in zip(session.get_inputs(), feeds, strict=True)})[0]
    worst = float(np.abs(got - module(*feeds).numpy()).max())
    if not worst < TOLERANCE:
        raise SystemExit(f"{path} differs from PyTorch by {worst:.1e}")
    return module


def steps_of(denoiser: nn.Module, tower: nn.Module, compiled: bool) -> dict[str, Step]:
    """A plain and a guided step."""
    text = nn.functional.normalize(torch.randn(1, EMBEDDING), dim=1)

    def loss(x_t: Tensor, t: Tensor) -> Tensor:
        return (1 - tower(denoiser(x_t, t)) @ text.T).sum()

    if compiled:
        denoiser_, loss_ = torch.compile(denoiser), torch.compile(loss)
    else:
        denoiser_, loss_ = denoiser, loss

    def plain(x_t: Tensor, t: Tensor) -> Tensor:
        with torch.no_grad():
            return denoiser_(x_t, t)

    def guided(x_t: Tensor, t: Tensor) -> Tensor:
        x_t = x_t.clone().requires_grad_()
        return torch.autograd.grad(loss_(x_t, t), x_t)[0]

    return {"plain": plain, "guided": guided}


def torch_seconds(step: Step, batch: int) -> float:
    """Median processor time of a step."""
    x, t = torch.randn(batch, 3, SIDE, SIDE), torch.full((batch,), 500.0)
    step(x, t)
    times = []
    for _ in range(TORCH_STEPS):
        start = time.process_time()
        step(x, t)
        times.append(time.process_time() - start)
    return statistics.median(times)


def kinograd_seconds(args: argparse.Namespace, batch: int, kind: str) -> tuple[float, float]:
    """Processor time of a step, and peak memory in MiB."""
    spent, peak = {}, 0.0
    command = [args.kinograd, "image", "a red heart", "--n", str(batch), "--threads", "1", "--json", "-q"]
    command += ["--augment", "0", "--judge", "none", "--runtime", args.runtime]
    command += ["--method", "freedom" if kind == "guided" else "none"]
    environment = os.environ | {"RAYON_NUM_THREADS": "1", "KINOGRAD_MODELS": str(MODELS)}
    for steps in (SHORT, LONG):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run([*command, "--steps", str(steps)], check=True, capture_output=True, env=environment)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent[steps] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        peak = json.loads(run.stdout)["peak_memory_mb"]
    return (spent[LONG] - spent[SHORT]) / (LONG - SHORT), peak


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinograd", required=True)
    parser.add_argument("--runtime", required=True, help="ONNX Runtime's library, or builtin")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="also torch.compile")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    denoiser = load(ImageDenoiser(DenoiserSizes()), denoiser_graph, MODELS / "emoji-64" / "denoiser.onnx")
    tower = load(ConvTower(ConvTowerSizes(), EMBEDDING), image_graph, MODELS / "emoji-clip" / "image.onnx")
    routes = {"eager": steps_of(denoiser, tower, False)}
    if args.compile:
        routes["compiled"] = steps_of(denoiser, tower, True)
    kinograd_seconds(args, 1, "guided")  # the first run derives the gradient
    names = list(routes)
    print("| batch | step | " + " | ".join(f"PyTorch {n}, ms" for n in names) + " | kinograd, ms | ", end="")
    print(" | ".join(f"faster than {n}" for n in names) + " | kinograd's peak, MiB |")
    print("|" + "---|" * (4 + 2 * len(names)))
    for batch in args.batches:
        for kind in ("plain", "guided"):
            times: dict[str, list[float]] = {n: [] for n in [*names, "kinograd"]}
            for _ in range(args.rounds):
                for name in names:
                    times[name].append(torch_seconds(routes[name][kind], batch))
                own, peak = kinograd_seconds(args, batch, kind)
                times["kinograd"].append(own)
            ms = {n: 1e3 * statistics.median(t) for n, t in times.items()}
            ratios = {
                n: statistics.median(a / b for a, b in zip(times[n], times["kinograd"], strict=True)) for n in names
            }
            cells = [f"{ms[n]:.0f}" for n in times] + [f"{ratios[n]:.2f}" for n in names] + [f"{peak:.0f}"]
            print(f"| {batch} | {kind} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
