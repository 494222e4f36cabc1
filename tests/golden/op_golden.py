"""Writes the goldens of one op: small ONNX models with PyTorch's gradients (numpy 2.4, onnx 1.23, torch 2.15).

`io.npz` holds, per case, `case|model|onnx` (the file's bytes) and the tensors
`case|input|name`, `case|output|name`, `case|cotangent|name`, `case|gradient|name`. References are computed in f64.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

FORMAT = {
    np.dtype(np.float32): TensorProto.FLOAT,
    np.dtype(np.int64): TensorProto.INT64,
    np.dtype(np.bool_): TensorProto.BOOL,
}


def noise(*shape, seed=0, low=-2.0, high=2.0):
    """Uniform floats that no two cases share by accident."""
    rng = np.random.default_rng([seed, *shape])
    return rng.uniform(low, high, shape).astype(np.float32)


def node(op, inputs, outputs=("y",), domain="", **attributes):
    """One node."""
    return helper.make_node(
        op, list(inputs), list(outputs), name=f"{op}_{'_'.join(outputs)}", domain=domain, **attributes
    )


def case(name, nodes, inputs, f, *, constants=None, wanted=None, outputs=("y",), opset=20, dims="shared", fixed=()):
    """A case: `f` states the outputs in PyTorch, given the inputs in order.

    `dims`: "shared" gives equal lengths one symbol, "free" gives every dimension its own, "fixed" none.
    `fixed` names inputs whose lengths are stored whatever `dims` says.
    """
    nodes = nodes if isinstance(nodes, list) else [nodes]
    tensors = {}
    for key, value in inputs.items():
        array = np.asarray(value)
        is_float = np.issubdtype(array.dtype, np.floating)
        tensors[key] = torch.tensor(array, dtype=torch.float64 if is_float else None)
    wanted = list(wanted or [key for key, t in tensors.items() if t.is_floating_point()])
    for key in wanted:
        tensors[key].requires_grad_(True)
    results = f(*tensors.values())
    results = list(results) if isinstance(results, (tuple, list)) else [results]
    cotangents = [torch.tensor(noise(*r.shape, seed=91 + i), dtype=torch.float64) for i, r in enumerate(results)]
    gradients = torch.autograd.grad(results, [tensors[key] for key in wanted], cotangents, allow_unused=True)

    def shape(key, array):
        if key in fixed:
            return list(array.shape)
        symbol = {"shared": lambda i, n: f"n{n}", "free": lambda i, n: f"{key}_{i}", "fixed": lambda i, n: n}[dims]
        return [n if n == 1 and dims == "shared" else symbol(i, n) for i, n in enumerate(array.shape)]

    infos = [
        helper.make_tensor_value_info(k, FORMAT[np.asarray(v).dtype], shape(k, np.asarray(v)))
        for k, v in inputs.items()
    ]
    declared = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
    stored = [onnx.numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()]
    graph = helper.make_graph(nodes, name, infos, declared, stored)
    domains = {"": opset} | {n.domain: 1 for n in nodes if n.domain}
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid(d, v) for d, v in domains.items()], ir_version=10
    )
    arrays = {f"{name}|model|onnx": np.frombuffer(model.SerializeToString(), np.uint8)}
    arrays |= {f"{name}|input|{k}": np.asarray(v) for k, v in inputs.items()}
    for o, r, c in zip(outputs, results, cotangents, strict=True):
        arrays[f"{name}|output|{o}"] = r.detach().numpy().astype(np.float32)
        arrays[f"{name}|cotangent|{o}"] = c.numpy().astype(np.float32)
    for k, g in zip(wanted, gradients, strict=True):
        assert g is not None, (name, k)
        arrays[f"{name}|gradient|{k}"] = g.numpy().astype(np.float32)
    return arrays


def write(file, cases):
    """Write `io.npz` beside `file`."""
    arrays = {}
    for one in cases:
        assert not arrays.keys() & one.keys()
        arrays |= one
    path = Path(file).parent / "io.npz"
    np.savez_compressed(path, **arrays)
    size = path.stat().st_size
    assert size < 200_000, size
    print(f"{path.parent.name}: {len(cases)} cases, {size} bytes", file=sys.stderr)
