import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

x, t, w = noise(4, 3), np.array([2, 0, 1, 2]), noise(3, seed=1, low=0.5)
y, u = noise(2, 3, 4), np.array([[0, 1, 2, 1], [2, 2, 0, 1]])
tw = torch.tensor(w).double()
LOSS = {"NegativeLogLikelihoodLoss": F.nll_loss, "SoftmaxCrossEntropyLoss": F.cross_entropy}


def both(name, x, t, weighted=False, ignored=None, reduction="mean", dims="shared"):
    """The loss of logarithms and the loss of scores."""
    attributes = {"reduction": reduction} | ({} if ignored is None else {"ignore_index": ignored})
    k = {
        "weight": tw if weighted else None,
        "reduction": reduction,
        "ignore_index": -100 if ignored is None else ignored,
    }
    constants = {"w": w} if weighted else {}
    return [
        case(
            f"{name}_{op[0].lower()}",
            node(op, "xtw" if weighted else "xt", **attributes),
            {"x": x, "t": t},
            lambda x, t, f=f: f(x, t, **k),
            constants=constants,
            dims=dims,
        )
        for op, f in LOSS.items()
    ]


write(
    __file__,
    [
        *both("mean", x, t),
        *both("sum", y, u, reduction="sum", dims="free"),
        *both("none", y, u, reduction="none"),
        *both("weighted", y, u, True),
        *both("weighted_none", y, u, True, reduction="none"),
        *both("ignored", y, u, False, 1),
        *both("ignored_outside", y, np.where(u == 1, -5, u), True, -5, dims="free"),
        case(
            "with_logarithms",
            node("SoftmaxCrossEntropyLoss", "xt", ("y", "l")),
            {"x": y, "t": u},
            lambda x, t: (F.cross_entropy(x, t), x.log_softmax(1)),
            outputs=("y", "l"),
        ),
    ],
)
