"""What is done to a graph after the exporter: its notes left out, its weights stored in 16 bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from google.protobuf.message import Message
from onnx import AttributeProto, TensorProto, helper, numpy_helper


def parts_with_notes(graph: onnx.GraphProto | onnx.FunctionProto) -> Iterator[Message]:
    """What in a graph or function may have notes on the code behind it, in subgraphs too."""
    yield from graph.value_info
    if isinstance(graph, onnx.GraphProto):
        yield from (*graph.input, *graph.output, *graph.initializer)
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            inner = [attribute.g] if attribute.type == AttributeProto.GRAPH else attribute.graphs
            for subgraph in inner:
                yield from parts_with_notes(subgraph)


def without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without what the exporter notes of your code: its lines and the folders that it lies in."""
    del model.metadata_props[:]
    model.ClearField("doc_string")
    for graph in (model.graph, *model.functions):
        for part in parts_with_notes(graph):
            del part.metadata_props[:]
            part.ClearField("doc_string")
    return model


def in_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Float weights of more than 1024 numbers stored in 16 bits, each followed by a cast to 32."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= 1024:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    return model
