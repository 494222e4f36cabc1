"""The variational autoencoder of latent models, as diffusers has it."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn


class Decoder(nn.Module):
    """Latents, scaled back, to pictures in −1..1."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.post_quant_conv, self.decoder = vae.post_quant_conv, vae.decoder

    def forward(self, latent: Tensor) -> Tensor:
        """`latent` `[batch, channels, height, width]`."""
        latent = latent if self.post_quant_conv is None else self.post_quant_conv(latent)
        return self.decoder(latent)


def latent_keys(vae: AutoencoderKL, height: int, width: int) -> dict[str, object]:
    """`image` and `latent` of `model.json` for latents of a size."""
    config = vae.config
    factor = 2 ** (len(config.block_out_channels) - 1)
    latent = {"channels": config.latent_channels, "height": height, "width": width, "scale": config.scaling_factor}
    if config.shift_factor is not None:
        latent["shift"] = config.shift_factor
    image = {"channels": config.out_channels, "height": height * factor, "width": width * factor}
    return {"image": image, "latent": latent}


def random_vae(size: str) -> AutoencoderKL:
    """An untrained autoencoder: tiny, or Stable Diffusion's, with pictures eight times as wide as the latents."""
    torch.manual_seed(1)
    channels, layers, groups = ((128, 256, 512, 512), 2, 32) if size == "large" else ((16, 32), 1, 8)
    blocks = len(channels)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * blocks, up_block_types=("UpDecoderBlock2D",) * blocks,
        block_out_channels=channels, layers_per_block=layers, norm_num_groups=groups, latent_channels=4,
    )  # fmt: skip
