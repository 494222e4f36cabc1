"""Tiny denoisers of clips as exporters write them; onnx 1.23.2.

All compute x0 = tanh(w x_t + mean(condition) + 0.001 timestep), times the mask where there is one.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

FEATURES, DIMS = 263, 256
FOLDER = Path(__file__).parent
DTYPES = {T.FLOAT: np.float32, T.FLOAT16: np.float16, T.DOUBLE: np.float64}


def write(
    name,
    b="b",
    t="t",
    kind=T.FLOAT,
    time=T.FLOAT,
    times=("b",),
    mask=T.FLOAT,
    mdm=False,
    inner=None,
    extra=False,
    external=False,
):
    dtype = DTYPES[kind]
    stored = {
        "w": np.linspace(-0.5, 0.5, FEATURES).astype(dtype),
        "k": np.array(0.001, dtype),
        "one": np.array([1]),
        "two": np.array([2]),
        "column": np.array([-1, 1, 1]),
        "row": np.array([-1, inner or 1, FEATURES]),
    }
    x, nodes = "x_t", []

    def node(op, inputs, output, **attributes):
        nodes.append(h.make_node(op, inputs, [output], **attributes))
        return output

    if mdm:
        x = node("Transpose", [node("Squeeze", [x, "two"], "xs")], "xt", perm=[0, 2, 1])
    if inner:
        x = node("Reshape", [x, "row"], "xr")
    scaled = node("Mul", [x, "w"], "scaled")
    text = node("Unsqueeze", [node("ReduceMean", ["condition"], "mean", axes=[1]), "one"], "text")
    late = node("Mul", [node("Cast", ["timestep"], "tf", to=kind), "k"], "late")
    late = node("Reshape", [late, "column"], "late_column")
    y = node("Tanh", [node("Add", [node("Add", [scaled, text], "sum"), late], "z")], "y")
    if mask:
        flat = node("Flatten", ["frame_mask"], "flat")
        wide = node("Unsqueeze", [node("Cast", [flat], "mf", to=kind), "two"], "wide")
        y = node("Mul", [y, wide], "masked")
    if mdm:
        y = node("Unsqueeze", [node("Transpose", [y], "yt", perm=[0, 2, 1]), "two"], "yu")
    node("Identity", [y], "x0")
    shape = [b, FEATURES, 1, t] if mdm else [b, t, FEATURES]
    port = h.make_tensor_value_info
    inputs = [port("x_t", kind, shape), port("timestep", time, list(times)), port("condition", kind, [b, DIMS])]
    if mask:
        inputs.append(port("frame_mask", mask, [b, 1, 1, t] if mdm else [b, t]))
    if extra:
        inputs.append(port("y_lengths", T.INT32, [b]))
    tensors = [numpy_helper.from_array(array, key) for key, array in stored.items()]
    graph = h.make_graph(nodes, name, inputs, [port("x0", kind, shape)], tensors)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path = FOLDER / f"{name}.onnx"
    if external:
        location = f"{name}.onnx.data"
        (FOLDER / location).unlink(missing_ok=True)
        onnx.save(model, path, save_as_external_data=True, location=location, size_threshold=0)
    else:
        onnx.save(model, path)


if __name__ == "__main__":
    write("external", external=True)
    write("int64", time=T.INT64, mask=T.BOOL)
    write("int32_scalar", time=T.INT32, times=())
    write("half", kind=T.FLOAT16, time=T.FLOAT16)
    write("double", kind=T.DOUBLE, time=T.INT64, mask=T.UINT8)
    write("one_time", times=(1,))
    write("batch_of_1", b=1, times=(1,))
    write("batch_of_2", b=2, times=())
    write("length_60", t=60)
    write("length_60_without_mask", t=60, mask=None)
    write("mdm", mdm=True, time=T.INT64, mask=None)
    write("mdm_196_of_1", mdm=True, b=1, t=196, times=(1,), time=T.INT64, mask=T.BOOL)
    write("refused_inside", inner=40)
    write("refused_extra", extra=True)
    write("refused_length_10", t=10)
    write("refused_batches", b=2, times=(3,))
