"""A thin writer of ONNX graphs: one method per operation, fp16 storage of large weights.

Graphs are written by hand rather than traced, so that their operations are few, named and free of
shape arithmetic; gradients and small engines then have little to support.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

OPSET = 17
HALF_FROM = 1024
END = np.iinfo(np.int64).max


def assign(parameter: Tensor, array: np.ndarray) -> None:
    """Overwrite a parameter with a stored array."""
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.array(array, np.float32)))


class GraphBuilder:
    """Collects nodes and initializers; values are passed around by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.scope: list[str] = []
        self.origins: dict[str, Callable[[np.ndarray], None]] = {}
        self._seen: dict[str, int] = {}

    def _unique(self, base: str) -> str:
        full = "/".join([*self.scope, base])
        count = self._seen.get(full, 0)
        self._seen[full] = count + 1
        return full if count == 0 else f"{full}_{count}"

    def input(self, name: str, shape: Sequence[int | str], dtype: int = TensorProto.FLOAT) -> str:
        """Declare a graph input."""
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, value: str, name: str, shape: Sequence[int | str]) -> None:
        """Declare `value` as the graph output `name`."""
        self.nodes.append(helper.make_node("Identity", [value], [name], name=f"out/{name}"))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def raw(self, array: np.ndarray, name: str) -> str:
        """An initializer, stored as it is."""
        full = self._unique(name)
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), full))
        return full

    def ints(self, *values: int) -> str:
        """A 1-D int64 constant."""
        return self.raw(np.array(values, np.int64), "shape")

    def scalar(self, value: float) -> str:
        """A 0-D f32 constant."""
        return self.raw(np.array(value, np.float32), "scalar")

    def weight(self, tensor: Tensor, name: str, load: Callable[[np.ndarray], None] | None = None) -> str:
        """A weight: fp16 with a Cast where large, f32 otherwise. `load` takes the stored array back."""
        array = tensor.detach().float().cpu().numpy()
        half = array.size >= HALF_FROM
        stored = self.raw(array.astype(np.float16 if half else np.float32), name)
        self.origins[stored] = load or (lambda a: assign(tensor, a))
        return self.op("Cast", stored, to=TensorProto.FLOAT) if half else stored

    def vector(self, tensor: Tensor, name: str, offset: np.ndarray | float = 0.0) -> str:
        """A bias or scale in f32, with `offset` added in the graph only."""
        stored = self.raw(tensor.detach().float().cpu().numpy() + np.float32(offset), name)
        self.origins[stored] = lambda a: assign(tensor, a - offset)
        return stored

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: object) -> str:
        """Add a node with one output."""
        return self.ops(kind, *inputs, outputs=outputs, **attributes)[0]

    def ops(self, kind: str, *inputs: str, outputs: int, **attributes: object) -> list[str]:
        """Add a node with several outputs."""
        name = self._unique(kind)
        names = [name] if outputs == 1 else [f"{name}.{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=name, **attributes))
        return names

    def linear(self, x: str, layer: nn.Linear, name: str, add_to_bias: np.ndarray | None = None) -> str:
        """`x Wᵀ + b`, or `x Wᵀ` where the layer has no bias, as MatMul with a 2-D weight and Add."""
        matrix = self.weight(layer.weight.T, f"{name}.weight", lambda a: assign(layer.weight, a.T))
        product = self.op("MatMul", x, matrix)
        if layer.bias is None:
            return product
        offset = 0.0 if add_to_bias is None else add_to_bias
        return self.op("Add", product, self.vector(layer.bias, f"{name}.bias", offset))

    def layer_norm(self, x: str, width: int, layer: nn.LayerNorm | None = None) -> str:
        """LayerNormalization over the last axis, with or without affine parameters."""
        if layer is None:
            return self.op("LayerNormalization", x, self.raw(np.ones(width, np.float32), "one"), axis=-1, epsilon=1e-5)
        scale, shift = self.vector(layer.weight, "scale"), self.vector(layer.bias, "shift")
        return self.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=layer.eps)

    def silu(self, x: str) -> str:
        """`x · sigmoid(x)`."""
        return self.op("Mul", x, self.op("Sigmoid", x))

    def reshape(self, x: str, *shape: int) -> str:
        """Reshape; 0 copies a dimension, -1 infers one."""
        return self.op("Reshape", x, self.ints(*shape))

    def slice(self, x: str, axis: int, start: int, end: int | str) -> str:
        """`x[start:end]` along one axis; `end` may be a value."""
        stop = end if isinstance(end, str) else self.ints(end)
        return self.op("Slice", x, self.ints(start), stop, self.ints(axis))

    def attention(self, qkv: str, heads: int, width: int, bias: str) -> str:
        """Softmax attention from a joint projection `[b, n, 3 width]`."""
        q, k, v = self.ops("Split", qkv, self.ints(width, width, width), outputs=3, axis=-1)
        head = width // heads
        q = self.op("Transpose", self.reshape(q, 0, 0, heads, head), perm=[0, 2, 1, 3])
        k = self.op("Transpose", self.reshape(k, 0, 0, heads, head), perm=[0, 2, 3, 1])
        v = self.op("Transpose", self.reshape(v, 0, 0, heads, head), perm=[0, 2, 1, 3])
        scores = self.op("Mul", self.op("MatMul", q, k), self.scalar(head**-0.5))
        weights = self.op("Softmax", self.op("Add", scores, bias), axis=-1)
        mixed = self.op("Transpose", self.op("MatMul", weights, v), perm=[0, 2, 1, 3])
        return self.reshape(mixed, 0, 0, width)

    def model(self) -> onnx.ModelProto:
        """The checked model."""
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="kinograd")
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        return model
