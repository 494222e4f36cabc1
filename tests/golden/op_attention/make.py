import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write


def attend(q, k, v, **k_args):
    return F.scaled_dot_product_attention(q, k, v, **k_args)


def attend_in_full(q, k, v, bias=0.0, cap=0.0):
    """Y and the four kinds of scores; key heads serve groups of query heads, queries without a key give 0."""
    group = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
    products = q @ k.mT / q.shape[-1] ** 0.5
    capped = cap * torch.tanh(products / cap) if cap else products
    biased = capped + bias
    p = torch.nan_to_num(torch.softmax(torch.where((biased == -torch.inf).all(-1, keepdim=True), 0.0, biased), -1))
    p = torch.where((biased == -torch.inf).all(-1, keepdim=True), 0.0, p)
    return p @ v, (products, capped, biased, p)


def causal(q, k, offset):
    allowed = torch.arange(k)[None] <= torch.arange(q)[:, None] + offset
    return torch.where(allowed, 0.0, -torch.inf).double()


def heads(x, n):
    return x.unflatten(-1, (n, -1)).transpose(1, 2)


q, k, v = noise(2, 3, 4, 5), noise(2, 3, 6, 5, seed=1), noise(2, 3, 6, 7, seed=2)
b = noise(4, 6, seed=3)
m = (b > -1).astype(np.int64)
flat = {"q": noise(2, 4, 6), "k": noise(2, 5, 6, seed=1), "v": noise(2, 5, 9, seed=2)}
gq, gk, gv = noise(2, 4, 3, 5, seed=4), noise(2, 2, 6, 5, seed=5), noise(2, 2, 6, 7, seed=6)
past_k, past_v = noise(2, 2, 4, 5, seed=7), noise(2, 2, 4, 7, seed=8)
few = {"q": gq, "k": gk, "v": gv}
blind = np.array([[1, 0, 1, 1, 0, 1], [0] * 6, [0, 0, 1, 0, 0, 0]], dtype=np.int64)
lengths = np.array([3, 6])
past = {"pk": past_k, "pv": past_v}


def after(p, x):
    return torch.cat([p, x], 2)


write(
    __file__,
    [
        case(
            "groups", node("Attention", "qkv"), few, lambda q, k, v: attend_in_full(q, k, v)[0], opset=23, dims="fixed"
        ),
        case(
            "groups_flat",
            node("Attention", "qkv", q_num_heads=4, kv_num_heads=2),
            {"q": noise(2, 3, 20), "k": noise(2, 6, 10), "v": noise(2, 6, 14)},
            lambda q, k, v: attend_in_full(heads(q, 4), heads(k, 2), heads(v, 2))[0].transpose(1, 2).flatten(2),
            opset=23,
            dims="fixed",
        ),
        case(
            "softcap",
            node("Attention", "qkvb", softcap=1.5),
            few | {"b": noise(3, 6)},
            lambda q, k, v, b: attend_in_full(q, k, v, b, 1.5)[0],
            opset=23,
            fixed="qkv",
        ),
        case(
            "blind",
            [node("Cast", "m", "t", to=9), node("Attention", "qkvt")],
            few | {"m": blind},
            lambda q, k, v, m: attend_in_full(q, k, v, torch.where(m == 1, 0.0, -torch.inf))[0],
            opset=24,
            dims="fixed",
        ),
        case(
            "past",
            node("Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "nk", "nv"]),
            few | past,
            lambda q, k, v, pk, pv: (attend_in_full(q, after(pk, k), after(pv, v))[0], after(pk, k), after(pv, v)),
            outputs=("y", "nk", "nv"),
            opset=23,
            dims="fixed",
        ),
        case(
            "past_causal",
            node("Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "nk", "nv"], is_causal=1),
            few | past,
            lambda q, k, v, pk, pv: (
                attend_in_full(q, after(pk, k), after(pv, v), causal(3, 10, 4))[0],
                after(pk, k),
                after(pv, v),
            ),
            outputs=("y", "nk", "nv"),
            opset=23,
            dims="fixed",
        ),
        case(
            "lengths",
            node("Attention", ["q", "k", "v", "", "", "", "l"]),
            few | {"l": lengths},
            lambda q, k, v, lengths: attend_in_full(
                q, k, v, torch.where(torch.arange(6) < lengths[:, None, None, None], 0.0, -torch.inf)
            )[0],
            opset=24,
            dims="fixed",
        ),
        *[
            case(
                f"scores_{mode}",
                node("Attention", "qkvb", ["y", "", "", "s"], softcap=2.0, qk_matmul_output_mode=mode),
                few | {"b": noise(3, 6)},
                lambda q, k, v, b, mode=mode: (lambda y, s: (y, s[mode]))(*attend_in_full(q, k, v, b, 2.0)),
                outputs="ys",
                opset=23,
                dims="fixed",
                wanted="qkv" if mode < 2 else None,
            )
            for mode in range(4)
        ],
        case("heads", node("Attention", "qkv"), {"q": q, "k": k, "v": v}, attend, opset=23, dims="fixed"),
        case(
            "bias",
            node("Attention", "qkvb", scale=0.3),
            {"q": q, "k": k, "v": v, "b": b},
            lambda q, k, v, b: attend(q, k, v, attn_mask=b, scale=0.3),
            opset=23,
        ),
        case(
            "mask",
            [node("Cast", "m", "t", to=9), node("Attention", "qkvt")],
            {"q": q, "k": k, "v": v, "m": m},
            lambda q, k, v, m: attend(q, k, v, attn_mask=m.bool()),
            opset=23,
            dims="fixed",
        ),
        case(
            "causal",
            node("Attention", "qkv", is_causal=1),
            {"q": q, "k": k, "v": v},
            lambda q, k, v: attend(q, k, v, is_causal=True),
            opset=23,
            dims="fixed",
        ),
        case(
            "flat",
            node("Attention", "qkv", q_num_heads=3, kv_num_heads=3),
            flat,
            lambda q, k, v: attend(heads(q, 3), heads(k, 3), heads(v, 3)).transpose(1, 2).flatten(2),
            opset=23,
            dims="fixed",
        ),
    ],
)
