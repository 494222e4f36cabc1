import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write

x, i = noise(3, 4), np.array([[0, 2, 1], [2, 2, 0]])
nd = np.array([[0, 1], [2, 3], [0, 1]])
write(
    __file__,
    [
        case("elements", node("GatherElements", "xi", axis=0), {"x": x, "i": i}, lambda x, i: x.gather(0, i)),
        case("nd", node("GatherND", "xi"), {"x": x, "i": nd}, lambda x, i: x[i[:, 0], i[:, 1]], fixed="i"),
        case(
            "nd_rows", node("GatherND", "xi"), {"x": x, "i": np.array([[1], [1]])}, lambda x, i: x[i[:, 0]], fixed="i"
        ),
        case(
            "nd_last",
            node("GatherND", "xi", batch_dims=1),
            {"x": noise(2, 3, 4), "i": np.array([[[0], [-1]], [[1], [1]]])},
            lambda x, i: torch.stack([x[0][i[0, :, 0]], x[1][i[1, :, 0]]]),
            fixed="i",
        ),
        case(
            "nd_batches",
            node("GatherND", "xi", batch_dims=2),
            {"x": noise(2, 2, 3), "i": np.array([[[0], [-1]], [[1], [1]]])},
            lambda x, i: x.gather(2, i % 3)[..., 0],
            fixed="i",
        ),
        case(
            "elements_13",
            node("GatherElements", "xi", axis=1),
            {"x": x, "i": np.array([[0, 2, 1], [-1, 2, 0], [3, 3, 3]])},
            lambda x, i: x.gather(1, i % 4),
            opset=13,
        ),
        case(
            "nd_pairs",
            node("GatherND", "xi"),
            {"x": noise(3, 2, 4), "i": np.array([[[2, 1], [0, 0]], [[2, 1], [2, 1]]])},
            lambda x, i: x[i[..., 0], i[..., 1]],
            fixed="i",
        ),
    ],
)
