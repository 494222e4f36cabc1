import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch.nn.functional as F
from op_golden import case, node, noise, write

def attend(q, k, v, **k_args):
    return F.scaled_dot_product_attention(q, k, v, **k_args)


def heads(x, n):
    return x.unflatten(-1, (n, -1)).transpose(1, 2)


q, k, v = noise(2, 3, 4, 5), noise(2, 3, 6, 5, seed=1), noise(2, 3, 6, 7, seed=2)
b = noise(4, 6, seed=3)
m = (b > -1).astype(np.int64)
flat = {"q": noise(2, 4, 6), "k": noise(2, 5, 6, seed=1), "v": noise(2, 5, 9, seed=2)}
write(__file__, [
    case("heads", node("Attention", "qkv"), {"q": q, "k": k, "v": v}, attend, opset=23, dims="fixed"),
    case("bias", node("Attention", "qkvb", scale=0.3), {"q": q, "k": k, "v": v, "b": b}, lambda q, k, v, b: attend(q, k, v, attn_mask=b, scale=0.3), opset=23),
    case("mask", [node("Cast", "m", "t", to=9), node("Attention", "qkvt")], {"q": q, "k": k, "v": v, "m": m}, lambda q, k, v, m: attend(q, k, v, attn_mask=m.bool()), opset=23, dims="fixed"),
    case("causal", node("Attention", "qkv", is_causal=1), {"q": q, "k": k, "v": v}, lambda q, k, v: attend(q, k, v, is_causal=True), opset=23, dims="fixed"),
    case("flat", node("Attention", "qkv", q_num_heads=3, kv_num_heads=3), flat, lambda q, k, v: attend(heads(q, 3), heads(k, 3), heads(v, 3)).transpose(1, 2).flatten(2), opset=23, dims="fixed"),
])
