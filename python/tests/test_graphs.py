"""Exported graphs tell nothing of the machine that wrote them, and half precision changes them little."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphs import in_half, parts_with_notes, without_traces

ROOT = Path(__file__).resolve().parents[2]
STORED = sorted(p for folder in ("models", "tests/golden") for p in (ROOT / folder).rglob("*.onnx"))
SECRET = "/home/someone/code/network.py"
FOLDER = re.compile(rb"/(home|root|Users|tmp|usr|opt|mnt|work)/[\w.-]+")


def branching() -> onnx.ModelProto:
    """`x W` where a flag says so, else `x`; with initializers, branches and a value between."""
    weight = numpy_helper.from_array(np.random.default_rng(0).normal(size=(64, 48)).astype(np.float32), "w")
    bias = numpy_helper.from_array(np.ones(48, np.float32), "b")
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    then = helper.make_graph([helper.make_node("Add", ["m", "b"], ["y"])], "then", [], [y], [bias])
    otherwise = helper.make_graph([helper.make_node("Identity", ["m"], ["y"])], "else", [], [y])
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("If", ["flag"], ["out"], then_branch=then, else_branch=otherwise),
    ]
    graph = helper.make_graph(
        nodes,
        "branching",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64]),
            helper.make_tensor_value_info("flag", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 48])],
        [weight],
        value_info=[helper.make_tensor_value_info("m", TensorProto.FLOAT, ["n", 48])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def run(model: onnx.ModelProto) -> np.ndarray:
    """Its output for seeded rows."""
    x = np.random.default_rng(1).normal(size=(5, 64)).astype(np.float32)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x, "flag": np.array(True)})[0]


def test_no_note_stays() -> None:
    model, clean = branching(), branching().SerializeToString()
    graph = model.graph
    [branch] = [a.g for a in graph.node[1].attribute if a.name == "then_branch"]
    parts = [model, graph.node[0], graph.node[1], graph.value_info[0], graph.input[0], graph.output[0]]
    parts += [graph.initializer[0], branch.node[0], branch.output[0], branch.initializer[0]]
    for part in parts:
        part.doc_string = SECRET
        part.metadata_props.add(key="stack_trace", value=SECRET)
    assert model.SerializeToString().count(SECRET.encode()) == 2 * len(parts)
    assert without_traces(model).SerializeToString() == clean


def test_half_weights_are_half_as_large_and_nearly_the_same() -> None:
    whole, half = branching(), in_half(branching())
    onnx.checker.check_model(half, full_check=True)
    kinds = {i.name: i.data_type for i in half.graph.initializer}
    assert kinds == {"w_half": TensorProto.FLOAT16}
    assert half.ByteSize() < 0.6 * whole.ByteSize()
    # 64 products, each rounded at half a unit of 2⁻¹¹
    assert np.abs(run(half) - run(whole)).max() < 64**0.5 * 4 * 2**-11


def test_small_weights_stay_whole() -> None:
    model = branching()
    del model.graph.initializer[:]
    model.graph.initializer.append(numpy_helper.from_array(np.ones((64, 16), np.float32), "w"))
    assert in_half(model).graph.initializer[0].data_type == TensorProto.FLOAT


@pytest.mark.parametrize("path", STORED, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_stored_graph_names_no_folder(path: Path) -> None:
    model = onnx.load(path)
    notes = [p.key for part in parts_with_notes(model.graph) for p in part.metadata_props]
    assert notes == []
    assert FOLDER.search(text_of(model)) is None


def text_of(model: onnx.ModelProto) -> bytes:
    """All of a model but the numbers of its weights."""
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
    return model.SerializeToString()
