import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from onnx import TensorProto, helper

from op_golden import case, node, noise, write


def info(name, kind=TensorProto.FLOAT, dims=None):
    return helper.make_tensor_value_info(name, kind, dims)


def body(nodes, inputs, outputs):
    return helper.make_graph(nodes, "body", inputs, outputs)


def looped(nodes, carried, outputs):
    """A Loop's body: `i` counts, `go` is the condition."""
    inputs = [info("i", TensorProto.INT64, []), info("go", TensorProto.BOOL, [])] + [info(v) for v in carried]
    return body(nodes, inputs, [info(outputs[0], TensorProto.BOOL, [])] + [info(v) for v in outputs[1:]])


def rnn(h, xs, W, U):
    outs = []
    for x in xs:
        h = torch.tanh(h @ W + x @ U)
        outs.append(h * x)
    return h, outs


cell = body(
    [
        node("MatMul", "hW", "a"),
        node("MatMul", "xU", "b"),
        node("Add", "ab", "c"),
        node("Tanh", "c", "n"),
        node("Mul", "nx", "o"),
    ],
    [info("h"), info("x")],
    [info("n"), info("o")],
)
weights = {"W": noise(4, 4, low=-0.5, high=0.5), "U": noise(4, 4, seed=1, low=-0.5, high=0.5)}
start = {"k": noise(2, 4)}


def scan(**attributes):
    return node("Scan", ["k", "X"], ["y", "z"], body=cell, num_scan_inputs=1, **attributes)


wave = looped(
    [
        node("Cast", "i", "f", to=1),
        node("Mul", "vw", "a"),
        node("Add", "af", "b"),
        node("Sin", "b", "n"),
        node("Identity", ["go"], "t"),
        node("Mul", "nv", "o"),
    ],
    ["v"],
    ["t", "n", "o"],
)
growth = looped(
    [node("Mul", "vw", "n"), node("ReduceSum", "n", "s", keepdims=0), node("Less", ["s", "top"], "t")],
    ["v"],
    ["t", "n"],
)


def waves(v, w, n):
    outs = []
    for i in range(int(n)):
        u = torch.sin(v * w + i)
        outs.append(u * v)
        v = u
    return v, torch.stack(outs)


def grown(v, w):
    while v.sum() < 20:
        v = v * w
    return v


then = helper.make_graph([node("Mul", "vw", "p")], "then", [], [info("p")])
other = helper.make_graph([node("Sin", "v", "q")], "else", [], [info("q")])
mixed = looped(
    [
        node("Mod", ["i", "two"], "m"),
        node("Cast", "m", "c", to=9),
        node("If", "c", "n", then_branch=then, else_branch=other),
        node("Identity", ["go"], "t"),
    ],
    ["v"],
    ["t", "n"],
)


def alternate(v, w, n):
    for i in range(int(n)):
        v = v * w if i % 2 else torch.sin(v)
    return v


counts = {"N": np.array(4)}
write(
    __file__,
    [
        case(
            "scan",
            scan(),
            start | {"X": noise(5, 2, 4)} | weights,
            lambda k, X, W, U: (lambda h, o: (h, torch.stack(o)))(*rnn(k, X, W, U)),
            outputs="yz",
        ),
        case(
            "scan_backwards",
            scan(scan_input_directions=[1], scan_output_directions=[0]),
            start | {"X": noise(5, 2, 4)} | weights,
            lambda k, X, W, U: (lambda h, o: (h, torch.stack(o)))(*rnn(k, X.flip(0), W, U)),
            outputs="yz",
        ),
        case(
            "scan_axes",
            scan(scan_input_axes=[1], scan_output_axes=[2], scan_output_directions=[1]),
            start | {"X": noise(2, 5, 4)} | weights,
            lambda k, X, W, U: (lambda h, o: (h, torch.stack(o[::-1], 2)))(*rnn(k, X.unbind(1), W, U)),
            outputs="yz",
        ),
        case(
            "loop",
            node("Loop", ["N", "", "u"], ["y", "z"], body=wave),
            {"u": noise(3), "w": noise(3, seed=1)} | counts,
            waves,
            outputs="yz",
        ),
        case(
            "while",
            node("Loop", ["", "yes", "u"], "y", body=growth),
            {"u": noise(3, low=0.5), "w": noise(3, low=1.1, high=1.5)},
            grown,
            constants={"yes": np.array(True), "top": np.array(20, np.float32)},
        ),
        case(
            "branch_inside",
            node("Loop", ["N", "", "u"], "y", body=mixed),
            {"u": noise(3), "w": noise(3, seed=1)} | counts,
            alternate,
            constants={"two": np.array(2)},
        ),
    ],
)
