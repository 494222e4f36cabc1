"""A pixel-space U-Net of diffusers as a model package that `kinograd image --model FOLDER` runs.

    pip install torch==2.15.0 diffusers==0.35.2 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1
    python diffusers_unet.py PIPELINE_FOLDER_OR_NAME --out my-model --licence "…"
    python diffusers_unet.py --random --scheduler flow --out random     # an untrained network, to try the path

A pipeline folder holds `unet/` and `scheduler/`. Noise, clean sample, v and flow as prediction. Networks with classes
take `kinograd image --class N`; `--null-class N` says which of them means none, where the training had one.
"""

from __future__ import annotations

import argparse

import torch
from diffusers import DDPMScheduler, FlowMatchEulerDiscreteScheduler, UNet2DModel
from torch import Tensor, nn

from package import Networks, arguments, parsed, save, schedule


class Denoiser(nn.Module):
    """A U-Net under the package's names."""

    def __init__(self, unet: UNet2DModel) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, x_t: Tensor, timestep: Tensor, label: Tensor | None = None) -> Tensor:
        """`x_t` `[batch, channels, height, width]`, `timestep` `[batch]`, `label` `[batch]` i64."""
        # the learnt variance of Nichol and Dhariwal 2021 is not used
        return self.unet(x_t, timestep, class_labels=label, return_dict=False)[0][:, : x_t.shape[1]]


def random_unet(args: argparse.Namespace) -> UNet2DModel:
    """An untrained network of the usual architecture: small, or of 114 million weights, that of Ho et al. 2020."""
    torch.manual_seed(0)
    classes = {"num_class_embeds": 11} if args.classes else {}
    if args.random == "large":
        down = ("DownBlock2D",) * 4 + ("AttnDownBlock2D", "DownBlock2D")
        up = ("UpBlock2D", "AttnUpBlock2D") + ("UpBlock2D",) * 4
        return UNet2DModel(
            sample_size=64, block_out_channels=(128, 128, 256, 256, 512, 512), down_block_types=down, up_block_types=up,
            layers_per_block=2, **classes,
        )  # fmt: skip
    return UNet2DModel(
        sample_size=32, layers_per_block=1, block_out_channels=(32, 64), norm_num_groups=8,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"), **classes,
    )  # fmt: skip


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = arguments(__doc__, "pipeline: a folder or a name on the hub")
    parser.add_argument("--null-class", type=int, help="the class that means none")
    parser.add_argument("--scheduler", choices=("linear", "flow"), default="linear", help="of a --random network")
    parser.add_argument("--classes", action="store_true", help="a --random network with classes")
    return parser


def load(args: argparse.Namespace) -> Networks:
    """The networks and their keys of `model.json`, from a folder or, where there is a network, the hub."""
    if args.random:
        unet = random_unet(args)
        flows = args.scheduler == "flow"
        config = (FlowMatchEulerDiscreteScheduler(shift=3.0) if flows else DDPMScheduler()).config
        args.null_class = 10 if args.classes and args.null_class is None else args.null_class
    else:
        unet = UNet2DModel.from_pretrained(args.source, subfolder="unet")
        config = DDPMScheduler.load_config(args.source, subfolder="scheduler")
    if unet.config.in_channels not in (1, 3):
        raise SystemExit(f"the network makes {unet.config.in_channels} channels, not grey nor red, green and blue")
    side = unet.config.sample_size
    height, width = (side, side) if isinstance(side, int) else side
    keys = schedule(config) | {"image": {"channels": unet.config.in_channels, "height": height, "width": width}}
    if unet.config.num_class_embeds:
        count, null = unet.config.num_class_embeds, args.null_class
        # a null class at the end is none of the classes
        keys["classes"] = {"count": count - (null == count - 1)} | ({} if null is None else {"null": null})
    return Networks(denoiser=Denoiser(unet), size=[unet.config.in_channels, height, width], keys=keys)


if __name__ == "__main__":
    arguments_given = parsed(options())
    save(load(arguments_given), arguments_given)
