import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch.nn.functional as F

from op_golden import case, node, noise, write

x, y = noise(2, 8, 3, 2), noise(2, 3, 4, 6)
write(
    __file__,
    [
        case(
            "crd",
            node("DepthToSpace", "x", blocksize=2, mode="CRD"),
            {"x": x},
            lambda x: F.pixel_shuffle(x, 2),
            dims="free",
        ),
        case(
            "dcr",
            node("DepthToSpace", "x", blocksize=2),
            {"x": x},
            lambda x: F.pixel_shuffle(x.reshape(2, 4, 2, 3, 2).transpose(1, 2).reshape(2, 8, 3, 2), 2),
        ),
        case(
            "crd_fixed",
            node("DepthToSpace", "x", blocksize=2, mode="CRD"),
            {"x": x},
            lambda x: F.pixel_shuffle(x, 2),
            dims="fixed",
        ),
        case(
            "to_depth",
            node("SpaceToDepth", "x", blocksize=2),
            {"x": y},
            lambda x: F.pixel_unshuffle(x, 2).reshape(2, 3, 4, 2, 3).transpose(1, 2).reshape(2, 12, 2, 3),
        ),
    ],
)
