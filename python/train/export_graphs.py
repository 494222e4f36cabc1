"""The networks of `model.py` as ONNX graphs; names and layout follow ARCHITECTURE.md."""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto
from torch import Tensor

from config import FEATURES, PATCH
from model import MASKED, MAX_PATCHES, AdaBlock, Denoiser, MotionTower, PlainBlock, TextTower
from onnx_builder import END, GraphBuilder, assign


def frequencies(width: int, longest: float) -> np.ndarray:
    """The frequencies of `model.sinusoid`."""
    return np.exp(-math.log(longest) * np.arange(width // 2) / (width // 2)).astype(np.float32)


def sinusoid(g: GraphBuilder, column: str, width: int, longest: float) -> str:
    """`column` `[b, 1]` → `[b, width]`."""
    angles = g.op("Mul", column, g.raw(frequencies(width, longest), "frequencies"))
    return g.op("Concat", g.op("Sin", angles), g.op("Cos", angles), axis=-1)


def patches(g: GraphBuilder, features: str, frame_mask: str) -> tuple[str, str, str, str]:
    """Masked patches `[b, n, 4·263]`, their mask `[b, n, 1]`, the attention bias and `n`."""
    column = g.op("Unsqueeze", frame_mask, g.ints(2))
    x = g.reshape(g.op("Mul", features, column), 0, -1, PATCH * FEATURES)
    mask = g.slice(g.reshape(frame_mask, 0, -1, PATCH), 2, 0, 1)
    return x, mask, key_bias(g, g.reshape(mask, 0, 1, 1, -1)), length(g, mask)


def key_bias(g: GraphBuilder, mask: str) -> str:
    """0 where the mask is 1, very negative where it is 0."""
    return g.op("Mul", g.op("Sub", g.scalar(1.0), mask), g.scalar(MASKED))


def length(g: GraphBuilder, x: str) -> str:
    """The size of axis 1, as a 1-D value."""
    return g.slice(g.op("Shape", x), 0, 1, 2)


def plain_block(g: GraphBuilder, x: str, block: PlainBlock, bias: str) -> str:
    """`PlainBlock.forward`."""
    width = block.proj.in_features
    h = g.linear(g.layer_norm(x, width, block.norm1), block.qkv, "qkv")
    x = g.op("Add", x, g.linear(g.attention(h, block.heads, width, bias), block.proj, "proj"))
    h = g.silu(g.linear(g.layer_norm(x, width, block.norm2), block.up, "up"))
    return g.op("Add", x, g.linear(h, block.down, "down"))


def masked_mean(g: GraphBuilder, x: str, mask: str) -> str:
    """`x` `[b, n, d]`, `mask` `[b, n, 1]` → `[b, d]`."""
    total = g.op("ReduceSum", g.op("Mul", x, mask), g.ints(1), keepdims=0)
    count = g.op("ReduceSum", mask, g.ints(1), keepdims=0)
    return g.op("Div", total, g.op("Max", count, g.scalar(1.0)))


def unit(g: GraphBuilder, x: str) -> str:
    """Rows of length 1."""
    square = g.op("ReduceSum", g.op("Mul", x, x), g.ints(1), keepdims=1)
    return g.op("Div", x, g.op("Sqrt", g.op("Add", square, g.scalar(1e-12))))


def ada_block(g: GraphBuilder, x: str, block: AdaBlock, cond: str, bias: str) -> str:
    """`AdaBlock.forward`; the `1 +` of the scales is folded into the modulation's bias."""
    d = block.proj.in_features
    one = np.zeros(6 * d, np.float32)
    one[:d] = one[3 * d : 4 * d] = 1
    modulation = g.op("Unsqueeze", g.linear(cond, block.modulation, "modulation", one), g.ints(1))
    s1, b1, g1, s2, b2, g2 = g.ops("Split", modulation, g.ints(*[d] * 6), outputs=6, axis=-1)
    h = g.op("Add", g.op("Mul", g.layer_norm(x, d), s1), b1)
    h = g.linear(g.attention(g.linear(h, block.qkv, "qkv"), block.heads, d, bias), block.proj, "proj")
    x = g.op("Add", x, g.op("Mul", h, g1))
    h = g.op("Add", g.op("Mul", g.layer_norm(x, d), s2), b2)
    h = g.linear(g.silu(g.linear(h, block.up, "up")), block.down, "down")
    return g.op("Add", x, g.op("Mul", h, g2))


def load_relative(m: Denoiser, stored: np.ndarray) -> None:
    """The relative bias back from its expanded form `[1, heads, n, n]`."""
    table = np.concatenate([stored[0, :, -1, :], stored[0, :, 0, 1:]], axis=-1)
    assign(m.relative, table)


def course(g: GraphBuilder, m: Denoiser, cond: str, frames: str, n: str) -> str:
    """The slow waves of `Denoiser.forward`; `frames` `[b, 1]`."""
    count = m.course.out_features // m.width
    centres = (np.arange(MAX_PATCHES, dtype=np.float32)[None] + 0.5) * PATCH
    u = g.op("Div", g.slice(g.raw(centres, "centres"), 1, 0, n), frames)
    waves = np.pi * np.arange(1, count + 1, dtype=np.float32)
    basis = g.op("Cos", g.op("Mul", g.op("Unsqueeze", u, g.ints(2)), g.raw(waves, "waves")))
    return g.op("MatMul", basis, g.reshape(g.linear(cond, m.course, "course"), 0, count, m.width))


def denoiser_graph(m: Denoiser) -> GraphBuilder:
    """`Denoiser.forward`."""
    g = GraphBuilder("denoiser")
    d = m.width
    x_t = g.input("x_t", ["batch", "frames", FEATURES])
    timestep = g.input("timestep", ["batch"])
    condition = g.input("condition", ["batch", m.condition.in_features])
    frame_mask = g.input("frame_mask", ["batch", "frames"])
    g.scope = ["embed"]
    x, mask, bias, n = patches(g, x_t, frame_mask)
    x = g.op("Add", g.linear(x, m.inp, "inp"), g.slice(g.weight(m.position, "position"), 0, 0, n))
    relative = g.weight(m.relative[:, m.offset][None], "relative", lambda a: load_relative(m, a))
    bias = g.op("Add", g.slice(g.slice(relative, 2, 0, n), 3, 0, n), bias)
    g.scope = ["cond"]
    t = g.silu(g.linear(sinusoid(g, g.op("Unsqueeze", timestep, g.ints(1)), d, 1e4), m.time1, "time1"))
    frames = g.op("ReduceSum", frame_mask, g.ints(1), keepdims=1)
    cond = g.op("Add", g.linear(t, m.time2, "time2"), g.linear(sinusoid(g, frames, d, 1e3), m.length, "length"))
    cond = g.silu(g.op("Add", cond, g.linear(condition, m.condition, "condition")))
    x = g.op("Add", x, course(g, m, cond, frames, n))
    for i, block in enumerate(m.blocks):
        g.scope = [f"block{i}"]
        x = ada_block(g, x, block, cond, bias)
    g.scope = ["head"]
    one = np.concatenate([np.zeros(d, np.float32), np.ones(d, np.float32)])
    modulation = g.op("Unsqueeze", g.linear(cond, m.modulation, "modulation", one), g.ints(1))
    shift, scale = g.ops("Split", modulation, g.ints(d, d), outputs=2, axis=-1)
    x = g.op("Mul", g.op("Add", g.op("Mul", g.layer_norm(x, d), scale), shift), mask)
    zero = g.op("Mul", g.slice(x, 1, 0, 1), g.scalar(0.0))
    before = g.op("Concat", zero, g.slice(x, 1, 0, -1), axis=1)
    after = g.op("Concat", g.slice(x, 1, 1, END), zero, axis=1)
    x = g.linear(g.op("Concat", before, x, after, axis=-1), m.out, "out")
    g.scope = []
    g.output(g.reshape(x, 0, -1, FEATURES), "x0", ["batch", "frames", FEATURES])
    return g


def tower(g: GraphBuilder, m: TextTower, table: str, ids: str, mask: str) -> str:
    """`TextTower.forward` in evaluation mode; the table is shared between towers."""
    correction = m.correction.detach().clone()
    correction[0] = 0  # unknown pieces
    rows = g.op("Gather", g.raw(m.known.numpy().astype(np.int32), "known"), ids)
    x = g.op("Cast", g.op("Gather", table, ids), to=TensorProto.FLOAT)
    x = g.op("Add", x, g.op("Gather", g.weight(correction, "correction", lambda a: assign(m.correction, a)), rows))
    position = g.slice(g.weight(m.position, "position"), 0, 0, length(g, ids))
    x = g.op("Add", g.linear(x, m.inp, "inp"), position)
    bias = key_bias(g, g.reshape(mask, 0, 1, 1, -1))
    for i, block in enumerate(m.blocks):
        g.scope.append(f"block{i}")
        x = plain_block(g, x, block, bias)
        g.scope.pop()
    pooled = masked_mean(g, g.layer_norm(x, m.norm.weight.numel(), m.norm), g.op("Unsqueeze", mask, g.ints(2)))
    return g.linear(pooled, m.out, "out")


def text_graph(condition: TextTower, null: Tensor, embedding: TextTower) -> GraphBuilder:
    """Both text towers; a text without tokens gives the null condition."""
    g = GraphBuilder("text_encoder")
    ids = g.input("token_ids", ["batch", "tokens"], TensorProto.INT64)
    mask = g.input("token_mask", ["batch", "tokens"])
    table = g.raw(condition.table.numpy().astype(np.float16), "table")
    g.scope = ["condition_tower"]
    c = tower(g, condition, table, ids, mask)
    some = g.op("Min", g.op("ReduceSum", mask, g.ints(1), keepdims=1), g.scalar(1.0))
    none = g.op("Mul", g.op("Sub", g.scalar(1.0), some), g.vector(null, "null"))
    c = g.op("Add", g.op("Mul", c, some), none)
    g.scope = ["embedding_tower"]
    e = unit(g, tower(g, embedding, table, ids, mask))
    g.scope = []
    g.output(c, "condition", ["batch", condition.out.out_features])
    g.output(e, "embedding", ["batch", embedding.out.out_features])
    return g


def motion_graph(m: MotionTower) -> GraphBuilder:
    """`MotionTower.forward`."""
    g = GraphBuilder("motion_embedding")
    features = g.input("features", ["batch", "frames", FEATURES])
    frame_mask = g.input("frame_mask", ["batch", "frames"])
    x, mask, bias, n = patches(g, features, frame_mask)
    x = g.op("Add", g.linear(x, m.inp, "inp"), g.slice(g.weight(m.position, "position"), 0, 0, n))
    for i, block in enumerate(m.blocks):
        g.scope = [f"block{i}"]
        x = plain_block(g, x, block, bias)
    g.scope = ["head"]
    x = masked_mean(g, g.layer_norm(x, m.norm.weight.numel(), m.norm), mask)
    e = unit(g, g.linear(x, m.out, "out"))
    g.scope = []
    g.output(e, "embedding", ["batch", m.out.out_features])
    return g
