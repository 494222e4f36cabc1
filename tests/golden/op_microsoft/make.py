import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "op_rotary_embedding"))

import numpy as np
import torch
import torch.nn.functional as F

from op_golden import case, node, noise, write


def ms(op, inputs, outputs=("y",), **attributes):
    return node(op, inputs, outputs, "com.microsoft", **attributes)


def as_i32(name):
    return node("Cast", [name], [f"{name}_i32"], to=6)


def heads(x, n=2):
    return x.unflatten(-1, (n, -1)).transpose(1, 2)


def joined(x):
    return x.transpose(1, 2).flatten(2)


def attend(q, k, v, bias=None, scale=None):
    return joined(F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=scale))


def fused_attention(x, w, b, sizes=(6, 6, 6), **k):
    return attend(*[heads(part) for part in (x @ w + b).split(list(sizes), -1)], **k)


def filtered(keep):
    return torch.where(keep, 0.0, -10000.0).double()


def rms(x, g):
    return x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * g


def rotated(x, p, c, s):
    a, b = x[..., :2], x[..., 2:]
    c, s = c[p][:, None], s[p][:, None]
    return torch.cat([a * c - b * s, a * s + b * c], -1)


x, row = noise(2, 4, 6), noise(6)
skip = {"x": x, "s": noise(2, 4, 6, seed=1), "g": noise(6, seed=1), "b": noise(6, seed=2), "c": noise(6, seed=3)}
own = {"x": x, "w": noise(6, 18, low=-0.5, high=0.5), "b": noise(18)}
qkv = {"q": x, "k": noise(2, 5, 6, seed=1), "v": noise(2, 5, 6, seed=2)}
past = {"pk": noise(2, 2, 3, 3), "pv": noise(2, 2, 3, 3, seed=1)}
mask = np.array([[1, 1, 0, 1, 1], [1, 1, 1, 0, 0]])
image = {"x": noise(2, 3, 5, 5), "w": noise(4, 3, 3, 3), "b": noise(4)}
ids = np.array([[0, 1, 4, 4], [2, 1, 0, 3]])
later = torch.ones(4, 4).triu(1).bool()
write(
    __file__,
    [
        case("Gelu", ms("Gelu", "x"), {"x": x}, F.gelu),
        case("FastGelu", ms("FastGelu", "xb"), {"x": x, "b": row}, lambda x, b: F.gelu(x + b, approximate="tanh")),
        case("BiasGelu", ms("BiasGelu", "xb"), {"x": x, "b": row}, lambda x, b: F.gelu(x + b), opset=17),
        case("QuickGelu", ms("QuickGelu", "x", alpha=1.3), {"x": x}, lambda x: x * torch.sigmoid(1.3 * x)),
        case(
            "FusedMatMul",
            ms("FusedMatMul", "ab", transA=1, transB=1, alpha=0.3),
            {"a": noise(2, 5, 4), "b": noise(3, 5)},
            lambda a, b: 0.3 * a.mT @ b.mT,
        ),
        case(
            "FusedMatMul_batch",
            ms("FusedMatMul", "ab", transBatchA=1, transBatchB=1, transB=1),
            {"a": noise(4, 2, 5), "b": noise(3, 2, 5)},
            lambda a, b: a.transpose(0, 1) @ b.transpose(0, 1).mT,
        ),
        case(
            "FusedGemm",
            ms("FusedGemm", "abc", transB=1, alpha=0.5, beta=2.0, activation="LeakyRelu", activation_alpha=0.2),
            {"a": noise(4, 5), "b": noise(3, 5), "c": noise(3)},
            lambda a, b, c: F.leaky_relu(0.5 * a @ b.T + 2 * c, 0.2),
        ),
        case(
            "FusedConv",
            ms("FusedConv", "xwb", activation="Relu", pads=[1, 1, 1, 1], strides=[2, 1]),
            image,
            lambda x, w, b: F.relu(F.conv2d(x, w, b, (2, 1), 1)),
            dims="fixed",
        ),
        case(
            "FusedConv_sum",
            ms("FusedConv", "xwbz", activation="HardSigmoid", activation_params=[0.1, 0.4], pads=[1, 1, 1, 1]),
            image | {"z": noise(2, 4, 5, 5)},
            lambda x, w, b, z: torch.clip(0.1 * (F.conv2d(x, w, b, 1, 1) + z) + 0.4, 0, 1),
            dims="fixed",
        ),
        case(
            "SkipLayerNormalization",
            [ms("SkipLayerNormalization", "xsgbc", ["n", "", "", "t"], epsilon=1e-5), node("Mul", "nt")],
            skip,
            lambda x, s, g, b, c: F.layer_norm(x + s + c, (6,), g, b) * (x + s + c),
        ),
        case(
            "SkipLayerNormalization_16",
            ms("SkipLayerNormalization", "xsgb", epsilon=1e-5),
            {"x": x, "s": noise(4, 6), "g": row, "b": row},
            lambda x, s, g, b: F.layer_norm(x + s, (6,), g, b),
            opset=16,
        ),
        case(
            "SkipSimplifiedLayerNormalization",
            [ms("SkipSimplifiedLayerNormalization", "xsgc", ["n", "", "", "t"], epsilon=1e-5), node("Mul", "nt")],
            {k: skip[k] for k in "xsgc"},
            lambda x, s, g, c: rms(x + s + c, g) * (x + s + c),
        ),
        case(
            "SimplifiedLayerNormalization",
            node("SimplifiedLayerNormalization", "xg", axis=-1, epsilon=1e-5),
            {"x": x, "g": row},
            rms,
        ),
        case(
            "EmbedLayerNormalization",
            [
                as_i32("i"),
                as_i32("t"),
                ms("EmbedLayerNormalization", ["i_i32", "t_i32", "W", "P", "S", "g", "b"], ["y", "m"], epsilon=1e-5),
            ],
            {"i": ids, "t": ids % 2, "W": noise(5, 6), "P": noise(7, 6), "S": noise(2, 6), "g": row, "b": row},
            lambda i, t, W, P, S, g, b: F.layer_norm(W[i] + P[:4] + S[t], (6,), g, b),
            dims="fixed",
        ),
        case("Attention", ms("Attention", "xwb", num_heads=2), own, fused_attention, fixed="wb"),
        case(
            "Attention_mask",
            [as_i32("m"), ms("Attention", ["x", "w", "b", "m_i32"], num_heads=2)],
            own | {"m": mask[:, :4]},
            lambda x, w, b, m: fused_attention(x, w, b, bias=filtered(m[:, None, None] == 1)),
            dims="fixed",
        ),
        case(
            "Attention_lengths",
            [as_i32("m"), ms("Attention", ["x", "w", "b", "m_i32"], num_heads=2)],
            own | {"m": np.array([2, 4])},
            lambda x, w, b, m: fused_attention(x, w, b, bias=filtered(torch.arange(4) < m[:, None, None, None])),
            dims="fixed",
        ),
        case(
            "Attention_causal",
            ms("Attention", "xwb", num_heads=2, unidirectional=1, scale=0.4),
            own,
            lambda x, w, b: fused_attention(
                x, w, b, bias=torch.zeros(4, 4).double().masked_fill(later, -torch.inf), scale=0.4
            ),
            dims="fixed",
        ),
        case(
            "Attention_sizes",
            ms("Attention", ["x", "w", "b", "", "", "a"], num_heads=2, qkv_hidden_sizes=[4, 4, 8]),
            {"x": x, "w": noise(6, 16), "b": noise(16), "a": noise(2, 2, 4, 4)},
            lambda x, w, b, a: fused_attention(x, w, b, (4, 4, 8), bias=a),
            dims="fixed",
        ),
        case(
            "MultiHeadAttention",
            ms("MultiHeadAttention", "qkvb", num_heads=2),
            qkv | {"b": noise(18)},
            lambda q, k, v, b: attend(*[heads(p + c) for p, c in zip((q, k, v), b.split(6), strict=True)]),
            fixed="b",
        ),
        case(
            "MultiHeadAttention_mask",
            [as_i32("m"), ms("MultiHeadAttention", ["q", "k", "v", "", "m_i32", "a"], num_heads=2)],
            qkv | {"m": mask, "a": noise(1, 2, 4, 5)},
            lambda q, k, v, m, a: attend(heads(q), heads(k), heads(v), filtered(m[:, None, None] == 1) + a),
            dims="fixed",
        ),
        case(
            "MultiHeadAttention_past",
            ms("MultiHeadAttention", ["q", "k", "v", "", "", "", "pk", "pv"], ["y", "nk", "nv"], num_heads=2),
            {"q": x, "k": noise(2, 4, 6, seed=1), "v": noise(2, 4, 6, seed=2)} | past,
            lambda q, k, v, pk, pv: (lambda nk, nv: (attend(heads(q), nk, nv), nk, nv))(
                torch.cat([pk, heads(k)], 2), torch.cat([pv, heads(v)], 2)
            ),
            outputs=("y", "nk", "nv"),
            dims="fixed",
        ),
        case(
            "MultiHeadAttention_heads",
            ms("MultiHeadAttention", "qkv", num_heads=2),
            {"q": x, "k": noise(2, 2, 5, 3), "v": noise(2, 2, 5, 3, seed=1)},
            lambda q, k, v: attend(heads(q), k, v),
            dims="fixed",
        ),
        case(
            "RotaryEmbedding",
            ms("RotaryEmbedding", "xpcs"),
            {
                "x": noise(2, 3, 4, 4),
                "p": np.array([[0, 1, 2, 3], [3, 4, 5, 8]]),
                "c": noise(9, 2),
                "s": noise(9, 2, seed=1),
            },
            rotated,
            dims="fixed",
        ),
        case(
            "RotaryEmbedding_offset",
            ms("RotaryEmbedding", "xpcs"),
            {"x": noise(2, 4, 12), "p": np.array([2]), "c": noise(9, 2), "s": noise(9, 2, seed=1)},
            lambda x, p, c, s: joined(rotated(heads(x, 3), (p + torch.arange(4))[None], c, s)),
            dims="fixed",
        ),
    ],
)
