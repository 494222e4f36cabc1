"""Networks that score clips by their joints [batch, frames, 22, 3] in metres, two of one meaning.

    pip install onnx==1.23.2 numpy==2.4.6
    python make.py

low_hands.onnx and low_left_hand.onnx: how far both wrists, and the left one, are below 2 m in the mean, m.
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

HERE = Path(__file__).parent
WRISTS = {"low_hands": [20, 21], "low_left_hand": [20]}

for name, joints in WRISTS.items():
    arrays = {
        "joints_of_hands": np.array(joints, np.int64),
        "up": np.array(1, np.int64),
        "axes": np.array([1, 2], np.int64),
        "above": np.array(2, np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["joints", "joints_of_hands"], ["hands"], axis=2),
        helper.make_node("Gather", ["hands", "up"], ["height"], axis=3),
        helper.make_node("ReduceMean", ["height", "axes"], ["mean"], keepdims=0),
        helper.make_node("Sub", ["above", "mean"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("joints", TensorProto.FLOAT, ["batch", "frames", 22, 3])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["batch"])],
        [numpy_helper.from_array(array, key) for key, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    checker.check_model(model, full_check=True)
    save(model, HERE / f"{name}.onnx")
