"""Gradients of ONNX models, run by ONNX Runtime's own package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kinograd
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = np.random.default_rng(1).standard_normal((3, 4))


@pytest.fixture
def network() -> bytes:
    """y = tanh(x · w), double."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Tanh", ["h"], ["y"])]
    x = helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["batch", 3])
    y = helper.make_tensor_value_info("y", TensorProto.DOUBLE, ["batch", 4])
    graph = helper.make_graph(nodes, "network", [x], [y], [numpy_helper.from_array(WEIGHTS, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def run(graph: bytes | None, names: list[str], feed: dict[str, Any]) -> list[Any]:
    assert graph is not None
    return list(onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(names, feed))


def test_it_is_the_gradient(network: bytes, tmp_path: Path) -> None:
    gradient = kinograd.grad(network, weights=True)
    assert list(gradient.cotangents) == ["y"]
    x, v = np.random.default_rng(2).standard_normal((5, 3)), np.random.default_rng(3).standard_normal((5, 4))
    names = [gradient.gradients["w"]]
    feed: dict[str, Any] = {"x": x, gradient.cotangents["y"]: v}
    (on_w,) = run(gradient.model, names, feed)
    slope = v * (1 - np.tanh(x @ WEIGHTS) ** 2)
    assert np.allclose(on_w, x.T @ slope, atol=1e-12)
    by_x = kinograd.grad(network)
    (on_x,) = run(by_x.model, [by_x.gradients["x"]], feed)
    assert np.allclose(on_x, slope @ WEIGHTS.T, atol=1e-12)
    # Central differences of the model itself.
    step, direction = 1e-6, np.random.default_rng(4).standard_normal(x.shape)
    above, below = (run(network, ["y"], {"x": x + sign * step * direction})[0] for sign in (1, -1))
    assert ((above - below) * v).sum() / (2 * step) == pytest.approx((on_x * direction).sum(), rel=1e-6)
    (tmp_path / "network.onnx").write_bytes(network)
    assert kinograd.grad(tmp_path / "network.onnx").model == by_x.model
    assert sorted(file.name for file in tmp_path.iterdir()) == ["network.onnx"]


def test_two_graphs(network: bytes) -> None:
    gradient = kinograd.grad(network, inputs=["x"], outputs=["y"], split=True)
    assert gradient.model is None
    assert gradient.forward
    assert gradient.backward
    kept = [output.name for output in onnx.load_from_string(gradient.forward).graph.output]
    x, v = np.ones((2, 3)), np.ones((2, 4))
    values = dict(zip(kept, run(gradient.forward, kept, {"x": x}), strict=True))
    feed = {**values, "x": x, gradient.cotangents["y"]: v}
    takes = [given.name for given in onnx.load_from_string(gradient.backward).graph.input]
    (on_x,) = run(gradient.backward, [gradient.gradients["x"]], {name: feed[name] for name in takes})
    slope = v * (1 - np.tanh(x @ WEIGHTS) ** 2)
    assert np.allclose(on_x, slope @ WEIGHTS.T, atol=1e-12)


def test_what_has_no_gradient(network: bytes, tmp_path: Path) -> None:
    with pytest.raises(kinograd.GradientError, match=r"model\.onnx"):
        kinograd.grad(b"no model")
    with pytest.raises(kinograd.GradientError, match=r"none\.onnx"):
        kinograd.grad(tmp_path / "none.onnx")
    with pytest.raises(kinograd.GradientError, match="nothing"):
        kinograd.grad(network, inputs=["nothing"])
    with pytest.raises(kinograd.GradientError, match="a list of names"):
        kinograd.grad(network, inputs="x")
