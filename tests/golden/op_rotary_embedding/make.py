import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch

from op_golden import case, node, noise, write


def rotate(x, cos, sin, interleaved, turned=None):
    """x: [batch, heads, length, size] as complex pairs times cos + i sin."""
    turned = turned or x.shape[-1]
    head, rest = x[..., :turned], x[..., turned:]
    pairs = head.unflatten(-1, (-1, 2)) if interleaved else head.unflatten(-1, (2, -1)).mT
    out = torch.view_as_real(torch.view_as_complex(pairs.contiguous()) * torch.complex(cos, sin)[:, None])
    return torch.cat([(out if interleaved else out.mT).flatten(-2), rest], -1)


def flat(x, heads, *args):
    return rotate(x.unflatten(-1, (heads, -1)).transpose(1, 2), *args).transpose(1, 2).flatten(2)


places = np.array([[0, 1, 2, 3], [3, 4, 5, 8]])
tables = {"c": noise(9, 2), "s": noise(9, 2, seed=1)}
rows = {"c": noise(2, 4, 2), "s": noise(2, 4, 2, seed=1)}
ms = {"domain": "com.microsoft"}
cases = []
for i in (0, 1):
    cases += [
        case(
            f"heads_{i}",
            node("RotaryEmbedding", "xcsp", interleaved=i),
            {"x": noise(2, 3, 4, 4)} | tables | {"p": places},
            lambda x, c, s, p, i=i: rotate(x, c[p], s[p], i),
            opset=23,
            dims="fixed",
        ),
        case(
            f"flat_{i}",
            node("RotaryEmbedding", "xcs", interleaved=i, num_heads=3),
            {"x": noise(2, 4, 12)} | rows,
            lambda x, c, s, i=i: flat(x, 3, c, s, i),
            opset=23,
            dims="fixed",
        ),
        case(
            f"part_{i}",
            node("RotaryEmbedding", "xcs", interleaved=i, num_heads=2, rotary_embedding_dim=4),
            {"x": noise(2, 4, 12)} | rows,
            lambda x, c, s, i=i: flat(x, 2, c, s, i, 4),
            opset=23,
            dims="fixed",
        ),
    ]
write(__file__, cases)
