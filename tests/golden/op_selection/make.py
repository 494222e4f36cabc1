import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

x = noise(3, 4)
rows = np.array([True, False, True])
parts = np.array([[2, 1], [0, 3], [2, 1], [2, 2]], np.float32)
few = np.array([[2, 1, 2], [-1, 1, 0]], np.float32)
write(
    __file__,
    [
        case("compress", node("Compress", "xc", axis=0), {"x": x}, lambda x: x[[0, 2]], constants={"c": rows}),
        case(
            "compress_short",
            [node("Cast", "c", "b", to=9), node("Compress", "xb", axis=1)],
            {"x": x, "c": rows.astype(np.int64)},
            lambda x, c: x[:, [0, 2]],
        ),
        case(
            "compress_all",
            node("Compress", "xc"),
            {"x": x},
            lambda x: x.flatten()[[1, 4, 5]],
            constants={"c": np.array([False, True, False, False, True, True])},
        ),
        case("unique", node("Unique", "x"), {"x": few}, lambda x: x.flatten()[[3, 5, 1, 0]]),
        case(
            "unique_rows",
            node("Unique", "x", ("y", "", "", "n"), axis=0, sorted=0),
            {"x": parts},
            lambda x: x[[0, 1, 3]],
        ),
        case(
            "one_hot",
            node("OneHot", "idv"),
            {"i": np.array([[0, 2], [-1, 5]]), "v": np.array([0.5, 2], np.float32)},
            lambda i, v: v[0] + (v[1] - v[0]) * torch.tensor([[[1, 0, 0], [0, 0, 1]], [[0, 0, 1], [0, 0, 0]]]),
            constants={"d": np.array([3])},
            wanted=["v"],
        ),
        case(
            "one_hot_front",
            node("OneHot", "idv", axis=0),
            {"i": np.array([0, 2]), "v": np.array([0.5, 2], np.float32)},
            lambda i, v: v[0] + (v[1] - v[0]) * torch.tensor([[1, 0], [0, 0], [0, 1]]),
            constants={"d": np.array(3)},
            wanted=["v"],
        ),
        case(
            "range",
            node("Range", "sed"),
            {"s": np.float32(1.5), "d": np.float32(0.3)},
            lambda s, d: s + d * torch.arange(5),
            constants={"e": np.float32(2.9)},
        ),
    ],
)
