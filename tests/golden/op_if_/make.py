import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from onnx import TensorProto, helper

from op_golden import case, node, noise, write


def body(nodes, output):
    return helper.make_graph(nodes, output, [], [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)])


def branch(condition, yes, no, output="y"):
    return node("If", [condition], [output], then_branch=yes, else_branch=no)


tanh = body([node("Mul", "xw", "a"), node("Tanh", "a", "p")], "p")
product = body([node("MatMul", "xm", "q")], "q")
inner = body(
    [
        branch("d", body([node("Add", "hw", "r")], "r"), body([node("Identity", "x", "s")], "s"), "t"),
        node("Mul", "tx", "u"),
    ],
    "u",
)
tensors = {"x": noise(3, 4), "w": noise(3, 4, seed=1), "m": noise(4, 4)}
cases = []
for c in (0, 1):
    flag = {"c": np.array(c)}
    nodes = [node("Cast", "c", ["cb"], to=9), branch("cb", tanh, product, "z"), node("Mul", "zx")]
    cases.append(
        case(
            f"branch_{c}",
            nodes,
            tensors | flag,
            lambda x, w, m, c: (torch.tanh(x * w) if c else x @ m) * x + 0 * (w.sum() + m.sum()),
        )
    )
    for d in (0, 1):
        nodes = [
            node("Cast", "c", ["cb"], to=9),
            node("Cast", "e", "d", to=9),
            node("Mul", "xx", "h"),
            branch("cb", inner, body([node("Exp", "x", "v")], "v")),
        ]
        cases.append(
            case(
                f"nested_{c}{d}",
                nodes,
                {k: tensors[k] for k in "xw"} | flag | {"e": np.array(d)},
                lambda x, w, c, d: ((x * x + w if d else x) * x if c else torch.exp(x)) + 0 * w,
            )
        )
write(__file__, cases)
