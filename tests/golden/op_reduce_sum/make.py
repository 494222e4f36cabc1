import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from torch.nn.functional import max_pool2d

from op_golden import case, node, noise, write

x = noise(2, 3, 4)
axis = {"a": np.array([1], np.int64)}
both = {"a": np.array([0, -1], np.int64)}
write(
    __file__,
    [
        case("sum", node("ReduceSum", "xa"), {"x": x}, lambda x: x.sum(1, keepdim=True), constants=axis),
        case("sum_dropped", node("ReduceSum", "xa", keepdims=0), {"x": x}, lambda x: x.sum((0, 2)), constants=both),
        case("sum_all", node("ReduceSum", "x", keepdims=0), {"x": x}, lambda x: x.sum()),
        case("sum_none", node("ReduceSum", "x", noop_with_empty_axes=1), {"x": x}, lambda x: x * 1),
        case("mean", node("ReduceMean", "xa"), {"x": x}, lambda x: x.mean(1, keepdim=True), constants=axis),
        case("mean_dropped", node("ReduceMean", "xa", keepdims=0), {"x": x}, lambda x: x.mean((0, 2)), constants=both),
        case("mean_old", node("ReduceMean", "x", axes=[1], keepdims=0), {"x": x}, lambda x: x.mean(1), opset=17),
        case(
            "mean_halved",
            [
                node("MaxPool", "x", "p", kernel_shape=[2, 2], strides=[2, 2]),
                node("ReduceMean", "pa", keepdims=0),
            ],
            {"x": noise(2, 3, 7, 5)},
            lambda x: max_pool2d(x, 2).mean((2, 3)),
            constants={"a": np.array([2, 3])},
            dims="free",
        ),
        case(
            "sum_square",
            node("ReduceSumSquare", "xa", keepdims=0),
            {"x": x},
            lambda x: x.square().sum((0, 2)),
            constants=both,
        ),
        case("l2", node("ReduceL2", "xa"), {"x": x}, lambda x: x.norm(dim=1, keepdim=True), constants=axis),
        case("l1", node("ReduceL1", "xa", keepdims=0), {"x": x}, lambda x: x.abs().sum(1), constants=axis),
        case(
            "log_sum_exp", node("ReduceLogSumExp", "xa", keepdims=0), {"x": x}, lambda x: x.logsumexp(1), constants=axis
        ),
        case(
            "prod",
            node("ReduceProd", "xa", keepdims=0),
            {"x": noise(2, 3, 4, low=0.5)},
            lambda x: x.prod(1),
            constants=axis,
        ),
        case(
            "log_sum",
            node("ReduceLogSum", "xa"),
            {"x": noise(2, 3, 4, low=0.5)},
            lambda x: x.sum(1, keepdim=True).log(),
            constants=axis,
        ),
        case(
            "prod_zeros",
            node("ReduceProd", "xa", keepdims=0),
            {"x": np.array([[0, 2, 3], [0, 0, 5], [4, 2, 1]], np.float32)},
            lambda x: x.prod(1),
            constants=axis,
        ),
        case(
            "prod_all",
            node("ReduceProd", "x", axes=[0, 1]),
            {"x": np.array([[0, 2, 3], [4, 2, 1]], np.float32)},
            lambda x: x.flatten().prod().reshape(1, 1),
            opset=13,
        ),
    ],
)
