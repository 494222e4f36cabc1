"""A copy of a model that computes in float64, to take finite differences of."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

NARROW = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}
# Attributes that name an element type.
TYPE_ATTRIBUTES = {
    "to",
    "dtype",
    "stash_type",
    "softmax_precision",
    "output_dtype",
    "qk_matmul_precision",
    "softmax_compute_precision",
}


def _fixed_inputs(node: NodeProto, opset: int) -> set[str]:
    """Inputs that the op's schema wants as float32, whatever the rest is."""
    try:
        schema = onnx.defs.get_schema(node.op_type, opset, node.domain)
    except onnx.defs.SchemaError:
        return set()
    return {
        name
        for name, formal in zip(node.input, schema.inputs, strict=False)
        if name and formal.type_str == "tensor(float)"
    }


def _tensor(tensor: TensorProto) -> TensorProto:
    if tensor.data_type not in NARROW:
        return tensor
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name)


def _node(node: NodeProto, opset: int) -> None:
    for attribute in node.attribute:
        if attribute.type == AttributeProto.TENSOR:
            attribute.t.CopyFrom(_tensor(attribute.t))
        elif attribute.type == AttributeProto.GRAPH:
            _graph(attribute.g, opset)
        elif attribute.name in TYPE_ATTRIBUTES and attribute.i in NARROW:
            attribute.i = TensorProto.DOUBLE
    if node.op_type == "Constant":
        for attribute in list(node.attribute):
            if attribute.name in ("value_float", "value_floats"):
                value = attribute.f if attribute.name == "value_float" else list(attribute.floats)
                made = helper.make_attribute("value", numpy_helper.from_array(np.array(value, np.float64)))
                node.attribute.remove(attribute)
                node.attribute.append(made)
    if node.op_type in ("EyeLike", "ConstantOfShape") and not node.attribute and node.op_type == "ConstantOfShape":
        node.attribute.append(helper.make_attribute("value", numpy_helper.from_array(np.zeros(1))))


def _graph(graph: GraphProto, opset: int) -> set[str]:
    fixed = {name for node in graph.node for name in _fixed_inputs(node, opset)}
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.name not in fixed and value.type.tensor_type.elem_type in NARROW:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for initializer in graph.initializer:
        if initializer.name not in fixed:
            initializer.CopyFrom(_tensor(initializer))
    for node in graph.node:
        _node(node, opset)
    return fixed


def doubled(model: ModelProto) -> tuple[ModelProto, set[str]]:
    """The model in float64, and the inputs that had to stay float32."""
    copy = ModelProto()
    copy.CopyFrom(model)
    opset = next((entry.version for entry in copy.opset_import if not entry.domain), 1)
    return copy, _graph(copy.graph, opset)
