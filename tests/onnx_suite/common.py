"""Deriving gradients with the `gradient` example, and running graphs in ONNX Runtime."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("KINOGRAD_GRADIENT", ROOT / "target/release/examples/gradient"))
DERIVE_LIMIT_SECS = 120

ort.set_default_logger_severity(4)


class RefusedError(Exception):
    """`onnx-grad` returned an error; the message says why."""


class CrashedError(Exception):
    """`onnx-grad` panicked or did not return."""


@dataclass
class Derived:
    """The graphs of one request, and what the example printed about them."""

    joint: onnx.ModelProto
    forward: onnx.ModelProto
    backward: onnx.ModelProto
    log: list[str] = field(default_factory=list)

    def seconds(self, what: str) -> float:
        """How long `joint` or `split` took to derive."""
        return next(float(line.split()[1]) for line in self.log if line.startswith(what + " "))


def derive_files(model: Path, outputs: list[str], inputs: list[str], folder: Path) -> list[str]:
    """Writes joint.onnx, forward.onnx and backward.onnx to the folder; returns the log."""
    command = [str(BINARY), str(model), ",".join(outputs), ",".join(inputs), str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DERIVE_LIMIT_SECS, check=False)
    except subprocess.TimeoutExpired as error:
        raise CrashedError(f"no answer in {DERIVE_LIMIT_SECS} s") from error
    if done.returncode == 1:
        raise RefusedError(done.stderr.strip().removeprefix("Error: ").strip('"').replace('\\"', '"'))
    if done.returncode != 0:
        raise CrashedError(done.stderr.strip()[:400])
    return done.stdout.splitlines()


def derive(model: onnx.ModelProto, outputs: list[str], inputs: list[str]) -> Derived:
    """The gradient graphs of a small model."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        log = derive_files(folder / "model.onnx", outputs, inputs, folder)
        read = [
            onnx.load_model_from_string((folder / f"{part}.onnx").read_bytes())
            for part in ("joint", "forward", "backward")
        ]
        return Derived(*read, log)


def session(model: onnx.ModelProto | Path, threads: int = 1) -> ort.InferenceSession:
    """A session on the CPU with a fixed number of threads."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def run_session(opened: ort.InferenceSession, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Runs with those feeds that the graph takes; outputs by name."""
    taken = {node.name: feeds[node.name] for node in opened.get_inputs()}
    names = [node.name for node in opened.get_outputs()]
    return dict(zip(names, opened.run(names, taken), strict=True))


def run_pair(forward, backward, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Runs a split pair, given how to run each; `feeds` holds the inputs and the cotangents."""
    kept = forward(feeds)
    return backward({**feeds, **kept})
