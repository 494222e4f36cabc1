"""A latent text-to-image model as Stable Diffusion 1 and 2 are (Rombach et al. 2022), of diffusers, as a model package.

    pip install torch==2.15.0 diffusers==0.35.2 transformers==5.23.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1
    python latent_diffusion.py PIPELINE_FOLDER_OR_NAME --half --out my-ldm --licence "…"
    python latent_diffusion.py --random large --out random       # untrained networks, to try the path
    kinograd image "a red bus" --model my-ldm --cfg 7.5 -o bus.png

A pipeline folder holds `unet/`, `vae/`, `text_encoder/`, `tokenizer/` and `scheduler/`. Graphs end at 2 GiB: larger
networks need `--half`. Models that are told more than a prompt's hidden states (SDXL, Stable Diffusion 3) are refused.
"""

from __future__ import annotations

import argparse

import torch
from diffusers import AutoencoderKL, DDIMScheduler, FlowMatchEulerDiscreteScheduler, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from clip import letters_tokenizer, tokenizer_of
from latent import Decoder, latent_keys, random_vae
from package import Networks, arguments, parsed, save, schedule


class Denoiser(nn.Module):
    """A U-Net under the package's names."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x_t: Tensor, timestep: Tensor, states: Tensor) -> Tensor:
        """`x_t` `[batch, channels, height, width]`, `timestep` `[batch]`, `states` `[batch, tokens, dims]`."""
        return self.unet(x_t, timestep, encoder_hidden_states=states, return_dict=False)[0]


class Encoder(nn.Module):
    """Token ids to hidden states, padded as the makers pad."""

    def __init__(self, text: CLIPTextModel, pad: int) -> None:
        super().__init__()
        self.text, self.pad = text, pad

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        """`token_ids` `[batch, tokens]` i64, `token_mask` alike, 1 = real."""
        ids = torch.where(token_mask > 0.5, token_ids, torch.full_like(token_ids, self.pad))
        return self.text(input_ids=ids).last_hidden_state * 1.0


def random_networks(size: str) -> tuple[UNet2DConditionModel, AutoencoderKL, CLIPTextModel]:
    """Untrained: tiny, or a U-Net of 246 million weights with Stable Diffusion's autoencoder and text encoder."""
    torch.manual_seed(0)
    if size == "large":
        text = CLIPTextConfig(
            hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, bos_token_id=1,
            eos_token_id=2, pad_token_id=0,
        )  # fmt: skip
        unet = UNet2DConditionModel(
            sample_size=16, block_out_channels=(192, 384, 576, 576), cross_attention_dim=768, attention_head_dim=8,
            norm_num_groups=32,
        )  # fmt: skip
    else:
        text = CLIPTextConfig(
            vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=24, bos_token_id=1, eos_token_id=2, pad_token_id=0,
        )  # fmt: skip
        unet = UNet2DConditionModel(
            sample_size=16, block_out_channels=(32, 64), down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), cross_attention_dim=32, attention_head_dim=8,
            layers_per_block=1, norm_num_groups=8,
        )  # fmt: skip
    return unet, random_vae(size), CLIPTextModel._from_config(text, attn_implementation="eager")


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = arguments(__doc__, "pipeline: a folder or a name on the hub")
    parser.add_argument("--scheduler", choices=("scaled_linear", "flow"), default="scaled_linear")
    parser.add_argument("--side", type=int, help="side of the pictures, where it is not the makers'")
    return parser


def load(args: argparse.Namespace) -> Networks:
    """The networks and their keys of `model.json`."""
    if args.random:
        unet, vae, text = random_networks(args.random)
        tokenizer, pad = letters_tokenizer(), 0
        betas = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
        flows = args.scheduler == "flow"
        config = (FlowMatchEulerDiscreteScheduler(shift=3.0) if flows else DDIMScheduler(**betas)).config
    else:
        unet = UNet2DConditionModel.from_pretrained(args.source, subfolder="unet")
        vae = AutoencoderKL.from_pretrained(args.source, subfolder="vae")
        text = CLIPTextModel.from_pretrained(args.source, subfolder="text_encoder", attn_implementation="eager")
        config = DDIMScheduler.load_config(args.source, subfolder="scheduler")
        tokenizer, pad = tokenizer_of(args.source, subfolder="tokenizer")
    if unet.config.addition_embed_type or unet.config.class_embed_type:
        raise SystemExit("the network is told more than a prompt's hidden states, which packages do not hold")
    factor = 2 ** (len(vae.config.block_out_channels) - 1)
    side = args.side // factor if args.side else unet.config.sample_size
    tokens, dims = text.config.max_position_embeddings, text.config.hidden_size
    keys = schedule(config) | latent_keys(vae, side, side)
    keys |= {"conditioning": {"dims": dims, "max_tokens": tokens}, "defaults": {"cfg": 7.5}}
    return Networks(
        denoiser=Denoiser(unet), decoder=Decoder(vae), encoder=Encoder(text, pad), tokenizer=tokenizer,
        size=[unet.config.in_channels, side, side], keys=keys,
    )  # fmt: skip


if __name__ == "__main__":
    arguments_given = parsed(options())
    save(load(arguments_given), arguments_given)
