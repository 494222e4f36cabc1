"""Seconds of processor time a step: `kinograd image` beside PyTorch eager on the same weights.

    pip install -r ../models/train/requirements.txt
    python image_eager.py --kinograd ../target/release/kinograd --runtime LIBONNXRUNTIME --batches 1 8

The networks are those of `models/train/image` at full size with random weights: speed does not depend on training.
A step is one sampling step; a guided one runs the denoiser and the image tower forward and backward. Kinograd's
number is the difference between a long and a short run, divided by the steps between them, so that its start is
left out; PyTorch's is the median of single steps. Processor time instead of wall time, and one thread, so that a
busy machine disturbs less; on an idle one both are alike.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
TRAIN = HERE.parent / "models" / "train"
sys.path.insert(0, str(TRAIN))

from image import export  # noqa: E402
from image.networks import DenoiserSizes, ImageDenoiser, Towers, TowersSizes  # noqa: E402
from networks import text_buffers  # noqa: E402

SHORT, LONG, TORCH_STEPS = 4, 16, 7


def packages(folder: Path) -> tuple[ImageDenoiser, Towers]:
    """Untrained networks and their packages."""
    torch.manual_seed(0)
    denoiser = ImageDenoiser(DenoiserSizes()).eval()
    base = HERE.parent / "models" / "motion-base"
    towers = Towers(TowersSizes(), *text_buffers(base)).eval()
    with torch.no_grad():
        for p in [*denoiser.parameters(), *towers.image.parameters()]:
            p.add_(torch.randn_like(p) * 0.01)
    for name, keys in {
        "denoiser": lambda out: export.denoiser(denoiser, out, export.SIDE),
        "towers": lambda out: export.towers(towers, base / "tokenizer.json", out, export.SIDE),
    }.items():
        out = folder / name
        out.mkdir()
        export.describe(out, keys(out)[0], {}, export.SIDE)
    return denoiser, towers


def torch_step(denoiser: ImageDenoiser, towers: Towers, batch: int, guided: bool) -> float:
    """Median processor time of a step."""
    x = torch.randn(batch, 3, export.SIDE, export.SIDE)
    t = torch.full((batch,), 500.0)
    text = torch.nn.functional.normalize(torch.randn(1, 128), dim=1)
    times = []
    for _ in range(TORCH_STEPS):
        start = time.process_time()
        if guided:
            x_t = x.clone().requires_grad_()
            loss = 1 - towers.image(denoiser(x_t, t)) @ text.T
            torch.autograd.grad(loss.sum(), x_t)
        else:
            with torch.no_grad():
                denoiser(x, t)
        times.append(time.process_time() - start)
    return statistics.median(times)


def kinograd_step(args: argparse.Namespace, folder: Path, batch: int, guided: bool) -> tuple[float, float]:
    """Processor time of a step, and peak memory in MiB."""
    spent, peak = {}, 0.0
    command = [args.kinograd, "image", "heart", "--n", str(batch), "--threads", "1", "--json", "-q"]
    command += ["--model", str(folder / "denoiser"), "--text-model", str(folder / "towers"), "--judge", "none"]
    command += ["--runtime", args.runtime, "--method", "freedom" if guided else "none"]
    environment = os.environ | {"RAYON_NUM_THREADS": "1", "KINOGRAD_CACHE": str(folder / "cache")}
    for steps in (SHORT, SHORT, LONG):  # the first run derives the gradient
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
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8], help="at most 8: more are split")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print("| batch | step | PyTorch eager, ms | kinograd, ms | times faster | kinograd's peak, MiB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        denoiser, towers = packages(folder)
        for batch in args.batches:
            for guided in (False, True):
                eager = torch_step(denoiser, towers, batch, guided)
                own, peak = kinograd_step(args, folder, batch, guided)
                kind = "guided" if guided else "plain"
                row = f"| {batch} | {kind} | {1e3 * eager:.0f} | {1e3 * own:.0f} | {eager / own:.2f} | {peak:.0f} |"
                print(row, flush=True)


if __name__ == "__main__":
    main()
