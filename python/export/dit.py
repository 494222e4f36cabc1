"""A DiT (Peebles and Xie 2022) of diffusers as a model package: class-conditional, in the latents of a VAE.

    pip install torch==2.15.0 diffusers==0.35.2 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1
    python dit.py PIPELINE_FOLDER_OR_NAME --out my-dit --licence "…"
    python dit.py --random large --out random       # an untrained network, to try the path
    kinograd image --model my-dit --class "golden retriever" --cfg 4 -o dog.png

A pipeline folder holds `transformer/`, `vae/` and `scheduler/`, and the classes' names in `model_index.json`. The
learnt half of the output, the variance of Nichol and Dhariwal 2021, is dropped. A transformer trained as a rectified
flow (SiT) has a `FlowMatchEulerDiscreteScheduler`; diffusers' sign, noise − x0, is expected.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiTTransformer2DModel, FlowMatchEulerDiscreteScheduler
from torch import Tensor, nn

from latent import Decoder, latent_keys, random_vae
from package import Networks, arguments, parsed, save, schedule


class Denoiser(nn.Module):
    """A transformer under the package's names."""

    def __init__(self, transformer: DiTTransformer2DModel) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, x_t: Tensor, timestep: Tensor, label: Tensor) -> Tensor:
        """`x_t` `[batch, channels, height, width]`, `timestep` `[batch]`, `label` `[batch]` i64."""
        out = self.transformer(x_t, timestep=timestep, class_labels=label, return_dict=False)[0]
        return out[:, : x_t.shape[1]]


def random_dit(size: str) -> DiTTransformer2DModel:
    """An untrained transformer: tiny, or DiT-B/2 of 130 million weights."""
    torch.manual_seed(0)
    if size == "large":
        dit = DiTTransformer2DModel(num_attention_heads=12, attention_head_dim=64, num_layers=12, sample_size=32)
    else:
        dit = DiTTransformer2DModel(
            num_attention_heads=2, attention_head_dim=16, num_layers=2, sample_size=8, num_embeds_ada_norm=10,
            norm_num_groups=8,
        )  # fmt: skip
    # the makers start the modulation and the last layer at zero, where every comparison would hold
    for p in dit.parameters():
        if not p.any():
            torch.nn.init.normal_(p, std=0.02)
    return dit


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = arguments(__doc__, "pipeline: a folder or a name on the hub")
    parser.add_argument("--scheduler", choices=("linear", "flow"), default="linear", help="of a --random network")
    return parser


def class_names(source: str) -> list[str]:
    """In the order of the classes, where the pipeline says."""
    path = Path(source) / "model_index.json"
    labels = json.loads(path.read_text()).get("id2label", {}) if path.exists() else {}
    return [labels[str(index)] for index in range(len(labels))]


def load(args: argparse.Namespace) -> Networks:
    """The networks and their keys of `model.json`."""
    names: list[str] = []
    if args.random:
        dit, vae = random_dit(args.random), random_vae(args.random)
        flows = args.scheduler == "flow"
        config = (FlowMatchEulerDiscreteScheduler(shift=1.0) if flows else DDIMScheduler()).config
    else:
        dit = DiTTransformer2DModel.from_pretrained(args.source, subfolder="transformer")
        vae = AutoencoderKL.from_pretrained(args.source, subfolder="vae")
        config, names = DDIMScheduler.load_config(args.source, subfolder="scheduler"), class_names(args.source)
    side, count = dit.config.sample_size, dit.config.num_embeds_ada_norm
    keys = schedule(config) | latent_keys(vae, side, side)
    # the embedding has one class more, which stands for none
    keys["classes"] = {"count": count, "null": count} | ({"names": names} if len(names) == count else {})
    keys["defaults"] = {"cfg": 4.0}
    size = [dit.config.in_channels, side, side]
    return Networks(denoiser=Denoiser(dit), decoder=Decoder(vae), size=size, keys=keys)


if __name__ == "__main__":
    arguments_given = parsed(options())
    save(load(arguments_given), arguments_given)
