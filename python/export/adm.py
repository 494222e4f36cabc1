"""A checkpoint of OpenAI's guided-diffusion (ADM, Dhariwal and Nichol 2021) as a model package.

    pip install torch==2.15.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1
    PYTHONPATH=CHECKOUT_OF_GUIDED_DIFFUSION python adm.py 64x64_diffusion.pt --out adm-64 --licence "…" \\
        --attention_resolutions 32,16,8 --class_cond True --dropout 0.1 --image_size 64 --learn_sigma True \\
        --noise_schedule cosine --num_channels 192 --num_head_channels 64 --num_res_blocks 3 --resblock_updown True \\
        --use_new_attention_order True --use_scale_shift_norm True
    PYTHONPATH=… python adm.py --random --image_size 64 --class_cond True --learn_sigma True --out random-adm …

The code is yours: nothing of guided-diffusion is here, and `--image_size` and the flags after it are those of its own
scripts, as its README gives them for every checkpoint. The learnt half of the output, the variance, is dropped.
Class-conditional checkpoints know no null class.
"""

from __future__ import annotations

import argparse
import inspect

import torch
from guided_diffusion import script_util, unet
from torch import Tensor, nn

from package import Networks, arguments, parsed, save


class Denoiser(nn.Module):
    """A U-Net under the package's names."""

    def __init__(self, model: nn.Module, time_scale: float) -> None:
        super().__init__()
        self.model, self.time_scale = model, time_scale

    def forward(self, x_t: Tensor, timestep: Tensor, label: Tensor | None = None) -> Tensor:
        """`x_t` `[batch, 3, height, width]`, `timestep` `[batch]`, `label` `[batch]` i64."""
        return self.model(x_t, timestep * self.time_scale, label)[:, : x_t.shape[1]]


def options() -> argparse.ArgumentParser:
    """The command line: ours, and guided-diffusion's own flags."""
    parser = arguments(__doc__, "checkpoint, a .pt file")
    script_util.add_dict_to_argparser(parser, script_util.model_and_diffusion_defaults())
    return parser


def schedule_keys(args: argparse.Namespace) -> dict[str, object]:
    """`prediction` and `schedule` of guided-diffusion's flags."""
    steps = args.diffusion_steps
    if args.noise_schedule not in ("linear", "cosine"):
        raise SystemExit(f"noise_schedule {args.noise_schedule}: expected linear or cosine")
    spec: dict[str, object] = {"kind": args.noise_schedule, "train_steps": steps}
    if args.noise_schedule == "linear":
        # guided-diffusion stretches Ho et al.'s betas of 1000 steps
        spec |= {"beta_start": 1e-4 * 1000 / steps, "beta_end": 0.02 * 1000 / steps}
    return {"prediction": "x0" if args.predict_xstart else "epsilon", "schedule": spec}


def load(args: argparse.Namespace) -> Networks:
    """The network and its keys of `model.json`."""
    # recomputing activations for training has no place in a graph
    unet.checkpoint = lambda function, inputs, *_: function(*inputs)
    wanted = inspect.signature(script_util.create_model).parameters
    flags = {key: value for key, value in vars(args).items() if key in wanted}
    torch.manual_seed(0)
    model = script_util.create_model(**flags | {"use_fp16": False})
    if args.random:
        # the last convolutions start at zero, where every comparison would hold
        for p in model.parameters():
            if not p.any():
                nn.init.normal_(p, std=0.02)
    else:
        model.load_state_dict(torch.load(args.source, map_location="cpu", weights_only=True))
    side, time_scale = args.image_size, 1000 / args.diffusion_steps if args.rescale_timesteps else 1.0
    keys = schedule_keys(args) | {"image": {"channels": 3, "height": side, "width": side}}
    if args.class_cond:
        keys["classes"] = {"count": model.num_classes}
    return Networks(denoiser=Denoiser(model, time_scale), size=[3, side, side], keys=keys)


if __name__ == "__main__":
    arguments_given = parsed(options())
    save(load(arguments_given), arguments_given)
