"""Networks of the kinds that guidance differentiates, with random weights; for models.py and the benchmark."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def timestep_embedding(t: Tensor, width: int) -> Tensor:
    """Sines and cosines of a noise level, `[b, width]`."""
    half = width // 2
    rates = torch.exp(-math.log(1e4) * torch.arange(half, dtype=t.dtype, device=t.device) / half)
    angles = t[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], -1)


class MotionEncoder(nn.Module):
    """A motion denoiser after MDM (Tevet et al. 2022): a condition token, then frames; 17.9 M parameters."""

    def __init__(self, frames: int = 196, features: int = 263, width: int = 512, layers: int = 8) -> None:
        super().__init__()
        self.width = width
        self.enter = nn.Linear(features, width)
        self.time = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
        self.text = nn.Linear(512, width)
        self.position = nn.Parameter(torch.randn(1, frames + 1, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, 4, 1024, 0.1, "gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.leave = nn.Linear(width, features)
        # The layers are copies of one.
        for weight in self.encoder.parameters():
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)

    def forward(self, x: Tensor, level: Tensor, condition: Tensor) -> Tensor:
        token = self.time(timestep_embedding(level, self.width)) + self.text(condition)
        sequence = torch.cat([token[:, None], self.enter(x)], 1) + self.position[:, : x.shape[1] + 1]
        return self.leave(self.encoder(sequence)[:, 1:])


class DitBlock(nn.Module):
    """A block with adaptive layer normalisation (Peebles and Xie 2022)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width))
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(c)[:, None].chunk(6, -1)
        h = self.norm1(x) * (1 + scale1) + shift1
        q, k, v = self.qkv(h).reshape(x.shape[0], x.shape[1], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        h = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        x = x + gate1 * self.out(h)
        return x + gate2 * self.mlp(self.norm2(x) * (1 + scale2) + shift2)


class Dit(nn.Module):
    """A latent diffusion transformer: 4 × 32 × 32 in patches of 2."""

    def __init__(self, width: int = 384, depth: int = 6, heads: int = 6) -> None:
        super().__init__()
        self.width = width
        self.enter = nn.Conv2d(4, width, 2, 2)
        self.position = nn.Parameter(torch.randn(1, 256, width) * 0.02)
        self.time = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        self.label = nn.Embedding(10, width)
        self.blocks = nn.ModuleList(DitBlock(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.leave = nn.Linear(width, 16)

    def forward(self, x: Tensor, level: Tensor, label: Tensor) -> Tensor:
        h = self.enter(x).flatten(2).transpose(1, 2) + self.position
        c = self.time(timestep_embedding(level, 256)) + self.label(label)
        for block in self.blocks:
            h = block(h, c)
        h = self.leave(self.norm(h)).reshape(-1, 16, 16, 2, 2, 4)
        return torch.einsum("bhwpqc->bchpwq", h).reshape(-1, 4, 32, 32)


class Bottleneck(nn.Module):
    """A residual block whose stride is an average pool, as in CLIP's ResNets (Radford et al. 2021)."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width_in, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
            nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width),
        )  # fmt: skip
        self.skip = nn.Identity()
        if stride > 1 or width_in != 4 * width:
            self.skip = nn.Sequential(
                nn.AvgPool2d(stride), nn.Conv2d(width_in, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.body(x) + self.skip(x))


class ClipResNet(nn.Module):
    """CLIP's image tower of the ResNet kind: three-layer stem, average pools, attention pooling."""

    def __init__(self, width: int = 32, blocks: tuple[int, ...] = (2, 2, 2, 2), size: int = 96) -> None:
        super().__init__()
        stem: list[nn.Module] = []
        for before, after, stride in ((3, width // 2, 2), (width // 2, width // 2, 1), (width // 2, width, 1)):
            stem += [nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.stem = nn.Sequential(*stem, nn.AvgPool2d(2))
        layers, last = [], width
        for stage, count in enumerate(blocks):
            for block in range(count):
                layers.append(Bottleneck(last, width << stage, 2 if stage and not block else 1))
                last = 4 * (width << stage)
        self.layers = nn.Sequential(*layers)
        self.position = nn.Parameter(torch.randn((size // 32) ** 2 + 1, last) * last**-0.5)
        self.pool = nn.MultiheadAttention(last, last // 64, batch_first=True)
        self.leave = nn.Linear(last, 256)

    def forward(self, x: Tensor) -> Tensor:
        h = self.layers(self.stem(x)).flatten(2).transpose(1, 2)
        h = torch.cat([h.mean(1, keepdim=True), h], 1) + self.position
        h = self.pool(h[:, :1], h, h, need_weights=False)[0][:, 0]
        return F.normalize(self.leave(h), dim=-1)


def conv_bn(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, normalisation, rectification."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()
    )


class Segmenter(nn.Module):
    """Two paths, attention refinement and feature fusion, after BiSeNet (Yu et al. 2018)."""

    def __init__(self, classes: int = 19) -> None:
        super().__init__()
        self.spatial = nn.Sequential(conv_bn(3, 32, 7, 2), conv_bn(32, 32, 3, 2), conv_bn(32, 64, 3, 2))
        self.stem = nn.Sequential(conv_bn(3, 32, 7, 2), nn.MaxPool2d(3, 2, 1), conv_bn(32, 64, 3, 2))
        self.down16, self.down32 = conv_bn(64, 96, 3, 2), conv_bn(96, 128, 3, 2)
        self.refine16 = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(96, 96, 1), nn.Sigmoid())
        self.refine32 = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(128, 128, 1), nn.Sigmoid())
        self.narrow = conv_bn(128, 96, 1)
        self.fuse = conv_bn(64 + 96, 96, 1)
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(96, 96, 1), nn.ReLU(), nn.Conv2d(96, 96, 1), nn.Sigmoid()
        )
        self.leave = nn.Sequential(conv_bn(96, 64), nn.Conv2d(64, classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        a16 = self.down16(self.stem(x))
        a32 = self.down32(a16)
        a32 = self.narrow(a32 * self.refine32(a32))
        up = F.interpolate(a32, scale_factor=2.0, mode="nearest") + a16 * self.refine16(a16)
        up = F.interpolate(up, scale_factor=2.0, mode="bilinear", align_corners=False)
        h = self.fuse(torch.cat([self.spatial(x), up], 1))
        h = h + h * self.weigh(h)
        return F.interpolate(self.leave(h), scale_factor=8.0, mode="bilinear", align_corners=True)


class TemporalBlock(nn.Module):
    """Two convolutions over time with group normalisation and Mish (Janner et al. 2022)."""

    def __init__(self, before: int, after: int, level: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(before, after, 5, padding=2), nn.GroupNorm(8, after), nn.Mish())
        self.second = nn.Sequential(nn.Conv1d(after, after, 5, padding=2), nn.GroupNorm(8, after), nn.Mish())
        self.time = nn.Sequential(nn.Mish(), nn.Linear(level, after))
        self.skip = nn.Conv1d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.second(self.first(x) + self.time(t)[:, :, None]) + self.skip(x)


class TemporalUnet(nn.Module):
    """A 1-D U-Net over trajectories `[b, 64, 24]`."""

    def __init__(self, features: int = 24, width: int = 64) -> None:
        super().__init__()
        self.width = width
        self.time = nn.Sequential(nn.Linear(width, 4 * width), nn.Mish(), nn.Linear(4 * width, width))
        widths = [features, width, 2 * width, 4 * width]
        self.down = nn.ModuleList(TemporalBlock(a, b, width) for a, b in itertools.pairwise(widths))
        self.shrink = nn.ModuleList(nn.Conv1d(b, b, 3, 2, 1) for b in widths[1:-1])
        self.middle = TemporalBlock(widths[-1], widths[-1], width)
        self.up = nn.ModuleList(TemporalBlock(2 * b, a, width) for a, b in itertools.pairwise(widths))
        self.grow = nn.ModuleList(nn.ConvTranspose1d(a, a, 4, 2, 1) for a in widths[1:-1])
        self.leave = nn.Sequential(
            nn.Conv1d(width, width, 5, padding=2), nn.GroupNorm(8, width), nn.Mish(), nn.Conv1d(width, features, 1)
        )

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        t = self.time(timestep_embedding(level, self.width))
        h, kept = x.transpose(1, 2), []
        for at, block in enumerate(self.down):
            h = block(h, t)
            kept.append(h)
            if at < len(self.shrink):
                h = self.shrink[at](h)
        h = self.middle(h, t)
        for at in reversed(range(len(self.up))):
            h = self.grow[at](self.up[at](torch.cat([h, kept[at + 1]], 1), t))
        return self.leave(h).transpose(1, 2)


class Wrapped(nn.Module):
    """A library's network behind a function of tensors."""

    def __init__(self, network: nn.Module, call: Callable[..., Tensor]) -> None:
        super().__init__()
        self.network, self.call = network, call

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.call(self.network, *inputs)


@dataclass(frozen=True)
class Entry:
    """How to build a network and its inputs; the first input is differentiated."""

    build: Callable[[], nn.Module]
    inputs: Callable[[int], tuple[Tensor, ...]]
    names: tuple[str, ...]


def _unet() -> nn.Module:
    from diffusers import UNet2DModel

    network = UNet2DModel(
        sample_size=32, in_channels=3, out_channels=3, layers_per_block=2, block_out_channels=(64, 128, 128),
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"), norm_num_groups=32,
    )  # fmt: skip
    return Wrapped(network, lambda net, x, level: net(x, level, return_dict=False)[0])


def _vae() -> nn.Module:
    from diffusers import AutoencoderKL

    network = AutoencoderKL(
        block_out_channels=(64, 128, 128), layers_per_block=1, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 3, up_block_types=("UpDecoderBlock2D",) * 3,
    )  # fmt: skip
    del network.encoder, network.quant_conv
    return Wrapped(network, lambda net, z: net.decode(z, return_dict=False)[0])


def _clip_vit() -> nn.Module:
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(
        hidden_size=384, intermediate_size=1536, num_hidden_layers=8, num_attention_heads=6,
        image_size=128, patch_size=16, projection_dim=256, attn_implementation="eager",
    )  # fmt: skip
    network = CLIPVisionModelWithProjection(config)
    return Wrapped(network, lambda net, x: net(pixel_values=x, return_dict=False)[0])


def _vision(name: str) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        import torchvision

        return getattr(torchvision.models, name)(weights=None)

    return build


def _image(size: int, channels: int = 3) -> Callable[[int], tuple[Tensor, ...]]:
    return lambda batch: (torch.randn(batch, channels, size, size),)


def _level(batch: int) -> Tensor:
    return torch.linspace(50.0, 700.0, batch) if batch > 1 else torch.tensor([321.0])


ZOO = {
    "motion_encoder": Entry(
        MotionEncoder, lambda b: (torch.randn(b, 196, 263), _level(b), torch.randn(b, 512)), ("x", "level", "condition")
    ),
    "dit": Entry(Dit, lambda b: (torch.randn(b, 4, 32, 32), _level(b), torch.arange(b) % 10), ("x", "level", "label")),
    "unet": Entry(_unet, lambda b: (torch.randn(b, 3, 32, 32), _level(b)), ("x", "level")),
    "vae_decoder": Entry(_vae, _image(16, 4), ("x",)),
    "clip_vit": Entry(_clip_vit, _image(128), ("x",)),
    "clip_resnet": Entry(ClipResNet, _image(96), ("x",)),
    "segmenter": Entry(Segmenter, _image(128), ("x",)),
    "mobilenet_v3": Entry(_vision("mobilenet_v3_small"), _image(128), ("x",)),
    "efficientnet_b0": Entry(_vision("efficientnet_b0"), _image(128), ("x",)),
    "temporal_unet": Entry(TemporalUnet, lambda b: (torch.randn(b, 64, 24), _level(b)), ("x", "level")),
}


def build(name: str, seed: int = 3) -> nn.Module:
    """The network in evaluation mode; weights and running statistics follow from the seed."""
    torch.manual_seed(seed)
    network = ZOO[name].build().eval().requires_grad_(False)
    normalisations = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if normalisations:
        # Statistics of real activations, as training leaves them: else signals die out over the layers.
        for module in normalisations:
            module.momentum = 1.0
        with torch.no_grad():
            network.train()(*ZOO[name].inputs(8))
        network.eval()
    torch.backends.mha.set_fastpath_enabled(False)
    return network


def inputs(name: str, batch: int, seed: int = 4) -> tuple[Tensor, ...]:
    """Inputs of the network."""
    torch.manual_seed(seed)
    return ZOO[name].inputs(batch)


def export(
    network: nn.Module, example: tuple[Tensor, ...], names: tuple[str, ...], path, opset: int = 18, legacy: bool = False
) -> None:
    """Writes the model with a free batch; `example` needs a batch above 1."""
    dynamo = not legacy
    common = {"input_names": list(names), "output_names": ["y"], "opset_version": opset}
    if dynamo:
        batch = torch.export.Dim("batch", min=1, max=64)
        shapes = tuple({0: batch} for _ in example)
        if isinstance(network, Wrapped):
            shapes = (shapes,)
        torch.onnx.export(
            network,
            example,
            str(path),
            dynamo=True,
            dynamic_shapes=shapes,
            external_data=False,
            verbose=False,
            **common,
        )
    else:
        axes = {name: {0: "batch"} for name in [*names, "y"]}
        torch.onnx.export(network, example, str(path), dynamo=False, dynamic_axes=axes, **common)
