import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write

x = noise(2, 6, 5)
s, b = noise(6, seed=1), noise(6, seed=2)
g = noise(3, seed=1)
write(
    __file__,
    [
        case(
            "per_channel",
            node("GroupNormalization", "xsb", num_groups=3),
            {"x": x, "s": s, "b": b},
            lambda x, s, b: F.group_norm(x, 3, s, b),
            opset=21,
        ),
        case(
            "per_group",
            node("GroupNormalization", "xsb", num_groups=3),
            {"x": x},
            lambda x: F.group_norm(x, 3) * torch.tensor(g).double().repeat_interleave(2)[:, None],
            constants={"s": g, "b": 0 * g},
            opset=18,
            dims="fixed",
        ),
        case(
            "images",
            node("GroupNormalization", "xsb", num_groups=2),
            {"x": noise(2, 6, 4, 3)},
            lambda x: F.group_norm(x, 2, torch.tensor(s).double()),
            constants={"s": s, "b": 0 * b},
            opset=21,
        ),
        case(
            "instance",
            node("InstanceNormalization", "xsb"),
            {"x": noise(2, 6, 4, 3)},
            lambda x: F.instance_norm(x) * torch.tensor(s).double()[:, None, None],
            constants={"s": s, "b": 0 * b},
        ),
        case(
            "instance_affine",
            node("InstanceNormalization", "xsb"),
            {"x": x, "s": s, "b": b},
            lambda x, s, b: F.instance_norm(x) * s[:, None] + b[:, None],
        ),
        case(
            "per_group_affine",
            node("GroupNormalization", "xsb", num_groups=3),
            {"x": x, "s": g, "b": noise(3, seed=5)},
            lambda x, s, b: F.group_norm(x, 3) * s.repeat_interleave(2)[:, None] + b.repeat_interleave(2)[:, None],
            opset=18,
            dims="fixed",
        ),
    ],
)
