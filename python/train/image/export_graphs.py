"""The networks of `networks.py` as ONNX graphs; names and layout follow ARCHITECTURE.md."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto
from torch import Tensor, nn

from export_graphs import plain_block, sinusoid, unit
from export_graphs import tower as text_tower
from image.networks import ConvTower, ImageDenoiser, PatchTower, ResBlock, Segmenter, SelfAttention, TextAdapter, Towers
from onnx_builder import GraphBuilder, assign


def conv(g: GraphBuilder, x: str, layer: nn.Conv2d, name: str, inputs: np.ndarray | None = None) -> str:
    """A convolution; `inputs` reorders its input channels as the graph has them."""
    order = np.arange(layer.in_channels) if inputs is None else inputs
    back = np.argsort(order)
    weight = g.weight(layer.weight[:, order.copy()], f"{name}.weight", lambda a: assign(layer.weight, a[:, back]))
    bias = [] if layer.bias is None else [g.vector(layer.bias, f"{name}.bias")]
    pad = layer.padding[0]
    return g.op(
        "Conv",
        x,
        weight,
        *bias,
        kernel_shape=list(layer.kernel_size),
        strides=list(layer.stride),
        pads=[pad] * 4,
    )


def unshuffled(channels: int, factor: int) -> np.ndarray:
    """Torch's channel for each channel of `SpaceToDepth`, which puts the place before the colour."""
    return np.arange(channels * factor**2).reshape(channels, factor**2).T.reshape(-1)


def patches(g: GraphBuilder, x: str, layer: nn.Conv2d, factor: int) -> str:
    """`layer(pixel_unshuffle(x, factor))`."""
    order = unshuffled(layer.in_channels // factor**2, factor)
    return conv(g, g.op("SpaceToDepth", x, blocksize=factor), layer, "inp", order)


def pixels(g: GraphBuilder, x: str) -> str:
    """`pixel_shuffle(x, 2)`."""
    return g.op("DepthToSpace", x, blocksize=2, mode="CRD")


def group_norm(g: GraphBuilder, x: str, layer: nn.GroupNorm, side: int) -> str:
    """Normalised groups of channels, then a scale and a shift each."""
    groups, c = layer.num_groups, layer.num_channels
    one = g.raw(np.ones(groups, np.float32), "one")
    none = g.raw(np.zeros(groups, np.float32), "none")
    h = g.op("InstanceNormalization", g.reshape(x, 0, groups, -1), one, none, epsilon=layer.eps)
    h = g.reshape(h, 0, c, side, side)
    scale, shift = (
        g.op("Reshape", g.vector(v, n), g.ints(c, 1, 1)) for v, n in ((layer.weight, "scale"), (layer.bias, "shift"))
    )
    return g.op("Add", g.op("Mul", h, scale), shift)


def res_block(
    g: GraphBuilder, x: str, block: ResBlock, side: int, time: str | None = None, more: str | None = None
) -> str:
    """`ResBlock.forward`; the `1 +` of the scale is folded into the bias."""
    h = conv(g, g.silu(group_norm(g, x, block.norm1, side)), block.conv1, "conv1")
    h = group_norm(g, h, block.norm2, side)
    if time is not None:
        c = block.conv1.out_channels
        one = np.concatenate([np.ones(c, np.float32), np.zeros(c, np.float32)])
        modulation = g.linear(time, block.time, "time", one)
        if more is not None:
            modulation = g.op("Add", modulation, more)
        modulation = g.reshape(modulation, 0, 2 * c, 1, 1)
        scale, shift = g.ops("Split", modulation, g.ints(c, c), outputs=2, axis=1)
        h = g.op("Add", g.op("Mul", h, scale), shift)
    return g.op("Add", x, conv(g, g.silu(h), block.conv2, "conv2"))


def attention(g: GraphBuilder, x: str, block: SelfAttention, side: int) -> str:
    """`SelfAttention.forward`."""
    c = block.proj.in_features
    tokens = g.reshape(group_norm(g, x, block.norm, side), 0, c, side * side)
    tokens = g.op("Transpose", tokens, perm=[0, 2, 1])
    mixed = g.attention(g.linear(tokens, block.qkv, "qkv"), block.heads, c, g.scalar(0.0))
    out = g.op("Transpose", g.linear(mixed, block.proj, "proj"), perm=[0, 2, 1])
    return g.op("Add", x, g.reshape(out, 0, c, side, side))


class Scoped:
    """Names what is added within."""

    def __init__(self, g: GraphBuilder, name: str) -> None:
        self.g, self.name = g, name

    def __enter__(self) -> None:
        self.g.scope.append(self.name)

    def __exit__(self, *_: object) -> None:
        self.g.scope.pop()


def ones(layer: nn.Linear) -> np.ndarray:
    """What makes `linear` `1 +` its value."""
    return np.ones(layer.out_features, np.float32)


def text_adapter(g: GraphBuilder, m: TextAdapter, condition: str, time: str) -> tuple[list[str], str]:
    """`TextAdapter.forward` of a condition `[batch, 1, e]`."""
    text = g.op("Mul", g.reshape(condition, 0, m.inp.in_features), g.scalar(m.amplify))
    gate = g.linear(time, m.gate, "gate", ones(m.gate))
    hidden = g.op("Mul", g.silu(g.linear(text, m.inp, "inp")), gate)
    plan = g.reshape(g.linear(text, m.plan, "plan"), 0, m.planes, m.side, m.side)
    gate = g.reshape(g.linear(time, m.plan_gate, "plan_gate", ones(m.plan_gate)), 0, m.planes, 1, 1)
    plan = conv(g, g.op("Mul", plan, gate), m.place, "place")
    return [g.linear(hidden, layer, f"modulation{i}") for i, layer in enumerate(m.modulation)], plan


def denoiser_graph(m: ImageDenoiser, side: int) -> GraphBuilder:
    """`ImageDenoiser.forward`; a text comes as `condition`, one vector in a row of one."""
    g = GraphBuilder("image_denoiser")
    x_t = g.input("x_t", ["batch", 3, side, side])
    timestep = g.input("timestep", ["batch"])
    with Scoped(g, "time"):
        column = g.op("Unsqueeze", timestep, g.ints(1))
        time = g.silu(g.linear(sinusoid(g, column, m.width, 1e4), m.time1, "time1"))
        time = g.silu(g.linear(time, m.time2, "time2"))
    told, plan = len(m.blocks()) * [None], None
    if m.text is not None:
        condition = g.input("condition", ["batch", 1, m.text.inp.in_features])
        with Scoped(g, "text"):
            told, plan = text_adapter(g, m.text, condition, time)
    more = iter(told)
    sides = [side // 2, side // 4, side // 8]
    h = patches(g, x_t, m.inp, 2)
    kept = []
    for level, blocks in enumerate(m.down):
        for i, block in enumerate(blocks):
            with Scoped(g, f"down{level}.{i}"):
                h = res_block(g, h, block, sides[level], time, next(more))
        if level < 2:
            kept.append(h)
            h = conv(g, h, m.shrink[level], f"shrink{level}")
    if plan is not None:
        h = g.op("Add", h, plan)
    for i, (block, mixing) in enumerate(zip(m.middle, m.mixing, strict=True)):
        with Scoped(g, f"middle{i}"):
            h = attention(g, res_block(g, h, block, sides[2], time, next(more)), mixing, sides[2])
    for level in (1, 0):
        h = pixels(g, conv(g, h, m.grow[level], f"grow{level}"))
        h = conv(g, g.op("Concat", h, kept[level], axis=1), m.join[level], f"join{level}")
        for i, block in enumerate(m.up[level]):
            with Scoped(g, f"up{level}.{i}"):
                h = res_block(g, h, block, sides[level], time, next(more))
    with Scoped(g, "head"):
        h = conv(g, g.silu(group_norm(g, h, m.norm, sides[0])), m.out, "out")
    g.output(pixels(g, h), "x0", ["batch", 3, side, side])
    return g


def segmenter_graph(m: Segmenter, side: int) -> GraphBuilder:
    """`Segmenter.forward`."""
    g = GraphBuilder("segmenter")
    sides = [side // 2, side // 4, side // 8]
    image = g.input("image", ["batch", 3, side, side])
    h = patches(g, image, m.inp, 2)
    kept = []
    for level, block in enumerate(m.down):
        with Scoped(g, f"down{level}"):
            h = res_block(g, h, block, sides[level])
        if level < 2:
            kept.append(h)
            h = conv(g, h, m.shrink[level], f"shrink{level}")
    with Scoped(g, "middle"):
        h = res_block(g, h, m.middle, sides[2])
    for level in (1, 0):
        h = pixels(g, conv(g, h, m.grow[level], f"grow{level}"))
        h = conv(g, g.op("Concat", h, kept[level], axis=1), m.join[level], f"join{level}")
        with Scoped(g, f"up{level}"):
            h = res_block(g, h, m.up[level], sides[level])
    with Scoped(g, "head"):
        h = conv(g, g.silu(group_norm(g, h, m.norm, sides[0])), m.out, "out")
    g.output(pixels(g, h), "logits", ["batch", 1, side, side])
    return g


def conv_tower(g: GraphBuilder, m: ConvTower, image: str, side: int) -> str:
    """`ConvTower.forward`, before the unit length."""
    h = patches(g, image, m.inp, 4)
    side //= 4
    for level, blocks in enumerate(m.stages):
        for i, block in enumerate(blocks):
            with Scoped(g, f"stage{level}.{i}"):
                h = res_block(g, h, block, side)
        if level < len(m.shrink):
            h = conv(g, h, m.shrink[level], f"shrink{level}")
            side //= 2
    h = g.silu(group_norm(g, h, m.norm, side))
    return g.linear(g.op("ReduceMean", h, axes=[2, 3], keepdims=0), m.out, "out")


def patch_tower(g: GraphBuilder, m: PatchTower, image: str, side: int) -> str:
    """`PatchTower.forward`, before the unit length."""
    count = (side // m.patch) ** 2
    order = unshuffled(3, m.patch)
    tokens = g.reshape(g.op("SpaceToDepth", image, blocksize=m.patch), 0, 3 * m.patch**2, count)
    tokens = g.op("Transpose", tokens, perm=[0, 2, 1])
    back = np.argsort(order)
    weight = g.weight(
        m.inp.weight[:, order.copy()].T,
        "inp.weight",
        lambda a: assign(m.inp.weight, np.ascontiguousarray(a.T)[:, back]),
    )
    x = g.op("Add", g.op("MatMul", tokens, weight), g.vector(m.inp.bias, "inp.bias"))
    x = g.op("Add", x, g.weight(m.position, "position"))
    for i, block in enumerate(m.blocks):
        with Scoped(g, f"block{i}"):
            x = plain_block(g, x, block, g.scalar(0.0))
    x = g.layer_norm(x, m.norm.weight.numel(), m.norm)
    return g.linear(g.op("ReduceMean", x, axes=[1], keepdims=0), m.out, "out")


def image_graph(m: ConvTower | PatchTower, side: int) -> GraphBuilder:
    """An image tower: unit vectors."""
    g = GraphBuilder("image_embedding")
    image = g.input("image", ["batch", 3, side, side])
    build = conv_tower if isinstance(m, ConvTower) else patch_tower
    e = unit(g, build(g, m, image, side))
    g.output(e, "embedding", ["batch", m.out.out_features])
    return g


def text_graph(m: Towers) -> GraphBuilder:
    """The text tower; what a conditional model would take, `condition`, is the embedding too."""
    g = GraphBuilder("text_encoder")
    ids = g.input("token_ids", ["batch", "tokens"], TensorProto.INT64)
    mask = g.input("token_mask", ["batch", "tokens"])
    table: Tensor = m.text.table
    e = unit(g, text_tower(g, m.text, g.raw(table.numpy().astype(np.float16), "table"), ids, mask))
    width = m.text.out.out_features
    g.output(e, "condition", ["batch", width])
    g.output(e, "embedding", ["batch", width])
    return g
