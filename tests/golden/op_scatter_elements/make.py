import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

x, u = noise(3, 4), noise(2, 3, seed=4)
j = np.array([[0, 2, 1], [3, 1, 0]])
k = np.array([[0, 2, 0], [3, 3, 3]])
tied = np.concatenate([x[:2, :1], u[:, 1:]], 1)
rows = noise(2, 4, seed=5)


def reduced(name):
    return lambda x, k, u: x.scatter_reduce(1, k, u, name)


def updated(x, u, at):
    return torch.stack([torch.cat([row[:a], part, row[a + 2 :]]) for row, part, a in zip(x, u, at, strict=True)])


def circular(x, u, at):
    return torch.stack(
        [
            torch.cat([row[:a], part, row[a + 2 :]]) if a < 4 else torch.cat([part[1:], row[1:4], part[:1]])
            for row, part, a in zip(x, u, at, strict=True)
        ]
    )


cache, new = noise(2, 5, 3), noise(2, 2, 3, seed=1)
write(
    __file__,
    [
        case(
            "scatter",
            node("ScatterElements", "xju", axis=1),
            {"x": x, "j": j, "u": u},
            lambda x, j, u: x.scatter(1, j, u),
        ),
        case(
            "scatter_add",
            node("ScatterElements", "xju", axis=1, reduction="add"),
            {"x": x, "j": j, "u": u},
            lambda x, j, u: x.scatter_add(1, j, u),
        ),
        case(
            "scatter_nd",
            node("ScatterND", "xju"),
            {"x": x, "j": np.array([[2], [0]]), "u": rows},
            lambda x, j, u: x.index_copy(0, j[:, 0], u),
        ),
        case(
            "scatter_max",
            node("ScatterElements", "xku", axis=1, reduction="max"),
            {"x": x, "k": k, "u": u},
            reduced("amax"),
        ),
        case(
            "scatter_min_tied",
            node("ScatterElements", "xku", axis=1, reduction="min"),
            {"x": x, "k": k, "u": tied},
            reduced("amin"),
        ),
        case(
            "scatter_mul",
            node("ScatterElements", "xku", axis=1, reduction="mul"),
            {"x": x, "k": k, "u": u},
            reduced("prod"),
        ),
        case(
            "scatter_nd_add",
            node("ScatterND", "xju", reduction="add"),
            {"x": x, "j": np.array([[2], [2]]), "u": rows},
            lambda x, j, u: x.index_add(0, j[:, 0], u),
        ),
        case(
            "scatter_nd_max",
            node("ScatterND", "xju", reduction="max"),
            {"x": x, "j": np.array([[2], [0]]), "u": rows},
            lambda x, j, u: x.index_reduce(0, j[:, 0], u, "amax"),
        ),
        case(
            "tensor_scatter",
            node("TensorScatter", "xua", axis=1),
            {"x": cache, "u": new, "a": np.array([1, 3])},
            updated,
            opset=24,
            wanted=["x", "u"],
        ),
        case(
            "tensor_scatter_circular",
            node("TensorScatter", "xua", axis=1, mode="circular"),
            {"x": cache, "u": new, "a": np.array([1, 4])},
            circular,
            opset=24,
            wanted=["x", "u"],
        ),
        case(
            "tensor_scatter_front",
            node("TensorScatter", "xu", axis=1),
            {"x": cache, "u": new},
            lambda x, u: torch.cat([u, x[:, 2:]], 1),
            opset=24,
        ),
    ],
)
