"""The gradient of any ONNX model."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kinograd import _kinograd
from kinograd._errors import GradientError


@dataclass(frozen=True)
class Gradient:
    """ONNX graphs that compute Jᵀv, for any engine to run.

    `model` takes the model's inputs and a cotangent for each output that is differentiated (`cotangents`: output to the
    graph's input), and returns the gradients (`gradients`: the model's input or weight to the graph's output). Of two
    graphs (`split=True`) `forward` computes the outputs and what `backward` needs, and `model` is `None`.
    """

    model: bytes | None
    forward: bytes | None
    backward: bytes | None
    cotangents: dict[str, str]
    gradients: dict[str, str]


def grad(
    model: str | os.PathLike[str] | bytes,
    *,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    weights: bool = False,
    split: bool = False,
) -> Gradient:
    """Derives v ↦ Jᵀv of an ONNX model, given as a path or as its bytes, as `kinograd grad` does.

    By default of the first output that holds floats by the first input that does. With `weights` gradients by all
    weights are returned, too.

    Raises `GradientError` with the node that has no gradient, or the file that is no model.
    """
    for name, names in (("inputs", inputs), ("outputs", outputs)):
        if isinstance(names, str):
            raise GradientError(f"{name}: a list of names was expected, got a text")
    with tempfile.TemporaryDirectory(prefix="kinograd-") as temporary:
        folder = Path(temporary)
        if isinstance(model, bytes):
            path = folder / "model.onnx"
            path.write_bytes(model)
        else:
            path = Path(model)
        written = folder / "written"
        written.mkdir()
        made = json.loads(
            _kinograd.differentiate(path, written / "gradient.onnx", list(inputs), list(outputs), weights, split)
        )
        graphs = [Path(file).read_bytes() for file in made["files"]]
    return Gradient(
        model=None if split else graphs[0],
        forward=graphs[0] if split else None,
        backward=graphs[1] if split else None,
        cotangents={entry["output"]: entry["name"] for entry in made["cotangents"]},
        gradients={entry["of"]: entry["name"] for entry in made["gradients"]},
    )
