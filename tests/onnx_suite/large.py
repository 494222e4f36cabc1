"""A model of more than 2 GiB, with its weights in a file of their own, against a small twin.

    cargo build --release -p onnx-grad --example gradient
    python tests/onnx_suite/large.py [--folder FOLDER]

The weights are zero outside their first rows and columns, so that a network of that part alone
computes the same. Takes 9 GB of disk, 7 GB of memory and some minutes: not part of CI.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from common import BINARY, run_session, session

WIDTH, PART, LAYERS = 4096, 32, 33
BYTES = 4 * WIDTH * WIDTH
# What deriving may hold: the weights, and for the pair the transposed ones.
MOST_BYTES = 2.3 * LAYERS * BYTES


def blocks() -> list[np.ndarray]:
    """The parts of the weights that are not zero."""
    random = np.random.default_rng(1)
    return [random.normal(0, 1.2 / PART**0.5, (PART, PART)).astype(np.float32) for _ in range(LAYERS)]


def network(weights: list[TensorProto], width: int) -> onnx.ModelProto:
    """tanh(… tanh(x w₀) … w₃₂)."""
    nodes = []
    for at in range(LAYERS):
        nodes.append(helper.make_node("MatMul", ["x" if at == 0 else f"h{at}", f"w{at}"], [f"product{at}"]))
        nodes.append(helper.make_node("Tanh", [f"product{at}"], ["y" if at == LAYERS - 1 else f"h{at + 1}"]))
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "large", info[:1], info[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def write_large(folder: Path) -> Path:
    """The model; its data file is sparse."""
    weights = []
    with (folder / "weights.bin").open("wb") as file:
        file.truncate(LAYERS * BYTES)
        for at, block in enumerate(blocks()):
            for row in range(PART):
                file.seek(at * BYTES + row * WIDTH * 4)
                file.write(block[row].tobytes())
            tensor = TensorProto(
                name=f"w{at}", data_type=TensorProto.FLOAT, dims=[WIDTH, WIDTH], data_location=TensorProto.EXTERNAL
            )
            for key, value in (("location", "weights.bin"), ("offset", at * BYTES), ("length", BYTES)):
                tensor.external_data.add(key=key, value=str(value))
            weights.append(tensor)
    path = folder / "model.onnx"
    path.write_bytes(network(weights, WIDTH).SerializeToString())
    return path


def derive(model: Path, folder: Path) -> int:
    """Writes the gradient graphs; the most bytes that the process held."""
    started = time.perf_counter()
    process = subprocess.Popen([str(BINARY), str(model), "y", "x", str(folder)], stdout=subprocess.PIPE, text=True)
    log = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"deriving from {model} ended with {status}")
    spent = ", ".join(line for line in log.splitlines() if line.endswith(" s"))
    seconds = time.perf_counter() - started
    print(f"derived and written in {seconds:.0f} s ({spent}), at most {usage.ru_maxrss / 1e6:.2f} GB")
    return usage.ru_maxrss * 1024


def gradients(folder: Path, feeds: dict[str, np.ndarray]) -> dict[str, dict[str, np.ndarray]]:
    """What the joint graph and the pair return, one session at a time."""
    joint = run_session(session(folder / "joint.onnx"), feeds)
    kept = run_session(session(folder / "forward.onnx"), feeds)
    back = run_session(session(folder / "backward.onnx"), {**feeds, **kept})
    return {"joint": joint, "pair": {"y": kept["y"], **back}}


def main() -> int:
    """1 where anything is off."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to work; removed afterwards")
    args = parser.parse_args()
    random = np.random.default_rng(2)
    x, v = (random.normal(size=(2, PART)).astype(np.float32) for _ in range(2))
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        small, large = Path(name) / "small", Path(name) / "large"
        small.mkdir()
        large.mkdir()
        twin = network([onnx.numpy_helper.from_array(block, f"w{at}") for at, block in enumerate(blocks())], PART)
        (small / "model.onnx").write_bytes(twin.SerializeToString())
        derive(small / "model.onnx", small)
        expected = gradients(small, {"x": x, "y_cotangent": v})
        held = derive(write_large(large), large)
        for part in ("joint", "forward", "backward"):
            sizes = [(large / f"{part}.onnx{end}").stat().st_size for end in ("", ".data")]
            print(f"{part}: {sizes[0] / 1e6:.2f} MB and {sizes[1] / 1e9:.2f} GB of data")
        wide = {name: np.pad(part, ((0, 0), (0, WIDTH - PART))) for name, part in (("x", x), ("y_cotangent", v))}
        found = gradients(large, wide)
    bad = held > MOST_BYTES
    for route, tensors in expected.items():
        for name, truth in tensors.items():
            if name not in ("y", "x_gradient"):
                continue
            got = found[route][name]
            error = float(np.abs(got - wide(truth)).max() / np.abs(truth).max())
            bad |= not error < 1e-5
            print(f"{route} {name}: off by {error:.1e} of the largest {np.abs(truth).max():.1e}")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
