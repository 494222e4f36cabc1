"""Gradients of whole models, exported by torch, against torch.autograd in float64.

    cargo build --release -p onnx-grad --example gradient
    python tests/onnx_suite/models.py [NAME ..] [--half] [--legacy]

The error is max |difference| / max |gradient|. Beside it stand the error of torch's own gradient in
the precision of the model, which is the noise that any second evaluation has, and, to judge both by,
how far the exact gradient moves when the input is rounded otherwise.
"""

from __future__ import annotations

import argparse
import copy
import logging
import math
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch

import zoo
from common import RefusedError, derive_files, run_pair, run_session, session

TOLERANCE = {torch.float32: 1e-5, torch.float16: 5e-3}
# Half a unit in the last place, relative.
ROUNDING = {torch.float32: 2.0**-24.5, torch.float16: 2.0**-11.5}
# Where torch's own error exceeds the tolerance, an error may be this many times that.
NOISE_FACTOR = 2.0


def autograd(network: torch.nn.Module, inputs: tuple[torch.Tensor, ...], cotangent: torch.Tensor) -> np.ndarray:
    """The gradient by the first input."""
    x = inputs[0].clone().requires_grad_(True)
    y = network(x, *inputs[1:])
    return torch.autograd.grad(y, x, cotangent)[0].numpy()


def moved_by_rounding(
    network: torch.nn.Module, inputs: tuple[torch.Tensor, ...], cotangent: torch.Tensor, size: float, exact: np.ndarray
) -> float:
    """How far the gradient moves at inputs that differ by noise of this relative size; the most of three."""
    worst = 0.0
    for seed in range(3):
        torch.manual_seed(seed)
        noisy = tuple(x * (1 + size * torch.randn_like(x)) if x.is_floating_point() else x for x in inputs)
        worst = max(worst, distance(autograd(network, noisy, cotangent), exact))
    return worst


def cast(inputs: tuple[torch.Tensor, ...], kind: torch.dtype) -> tuple[torch.Tensor, ...]:
    """Float inputs in another precision."""
    return tuple(x.to(kind) if x.is_floating_point() else x for x in inputs)


def saved_megabytes(
    forward: onnx.ModelProto, backward: onnx.ModelProto, feeds: dict[str, np.ndarray], kept: dict[str, np.ndarray]
) -> float:
    """What the pair passes from one graph to the other."""
    taken = {value.name for value in backward.graph.input}
    return sum(array.nbytes for name, array in kept.items() if name in taken and name not in feeds) / 1e6


def distance(a: np.ndarray, truth: np.ndarray) -> float:
    """max |difference| / max |gradient|."""
    return float(np.abs(a.astype(np.float64) - truth).max() / np.abs(truth).max())


def check(name: str, kind: torch.dtype, batch: int, legacy: bool, opset: int) -> tuple[dict[str, str], bool]:
    """A row of the table, and whether the errors are within the tolerance."""
    network = zoo.build(name).to(kind)
    inputs = cast(zoo.inputs(name, batch), kind)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        zoo.export(network, inputs, zoo.ZOO[name].names, folder / "model.onnx", opset, legacy)
        started = time.perf_counter()
        derive_files(folder / "model.onnx", ["y"], ["x"], folder)
        seconds = time.perf_counter() - started
        parts = {part: onnx.load(folder / f"{part}.onnx") for part in ("model", "joint", "forward", "backward")}
        feeds = {key: value.numpy() for key, value in zip(zoo.ZOO[name].names, inputs, strict=True)}
        with torch.no_grad():
            y = network(*inputs)
        torch.manual_seed(9)
        cotangent = torch.randn(y.shape)
        if kind == torch.float16:
            # What loss scaling does: half precision has no numbers below 6e-8.
            wide = copy.deepcopy(network).float()
            size = np.abs(autograd(wide, cast(inputs, torch.float32), cotangent)).max()
            cotangent *= 2.0 ** round(math.log2(1.0 / float(size)))
        cotangent = cotangent.to(kind)
        feeds["y_cotangent"] = cotangent.numpy()
        run = {part: session(folder / f"{part}.onnx") for part in ("joint", "forward", "backward")}
        joint = run_session(run["joint"], feeds)["x_gradient"]
        kept = run_session(run["forward"], feeds)
        split = run_pair(lambda _: kept, lambda all_feeds: run_session(run["backward"], all_feeds), feeds)["x_gradient"]
    noise_of = autograd(network, inputs, cotangent)
    wide_inputs = cast(inputs, torch.float64)
    exact = autograd(network.double(), wide_inputs, cotangent.double())
    rounding = moved_by_rounding(network, wide_inputs, cotangent.double(), ROUNDING[kind], exact)
    errors = [distance(joint, exact), distance(split, exact)]
    noise = distance(noise_of, exact)
    allowed = max(TOLERANCE[kind], NOISE_FACTOR * noise)
    row = {
        "model": name,
        "parameters": f"{sum(p.numel() for p in network.parameters()) / 1e6:.1f} M",
        "nodes": str(len(parts["model"].graph.node)),
        "joint": str(len(parts["joint"].graph.node)),
        "backward": str(len(parts["backward"].graph.node)),
        "saved MB": f"{saved_megabytes(parts['forward'], parts['backward'], feeds, kept):.1f}",
        "model MB": f"{parts['model'].ByteSize() / 1e6:.0f}",
        "derive s": f"{seconds:.2f}",
        "joint error": f"{errors[0]:.1e}",
        "pair error": f"{errors[1]:.1e}",
        "torch's": f"{noise:.1e}",
        "rounded x": f"{rounding:.1e}",
    }
    return row, max(errors) <= allowed


def table(rows: list[dict[str, str]]) -> str:
    """Markdown."""
    keys = list(rows[0])
    lines = ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    return "\n".join(lines + ["| " + " | ".join(row[key] for key in keys) + " |" for row in rows])


def main() -> int:
    """Prints the table; 1 where a model was refused or is off."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*zoo.ZOO, []])
    parser.add_argument("--half", action="store_true", help="weights and activations in float16")
    parser.add_argument("--legacy", action="store_true", help="export by tracing instead of torch.export")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--opset", type=int, default=18)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    kind = torch.float16 if args.half else torch.float32
    rows, bad = [], []
    for name in args.names or zoo.ZOO:
        try:
            row, good = check(name, kind, args.batch, args.legacy, args.opset)
        except RefusedError as error:
            bad.append(f"{name}: refused: {error}")
            continue
        except Exception:  # one model must not hide the others
            bad.append(f"{name}: {traceback.format_exc(limit=-2)[-1200:]}")
            continue
        rows.append(row)
        if not good:
            bad.append(f"{name}: outside the tolerance: {row}")
    if rows:
        print(table(rows))
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
