"""A pixel-space U-Net of diffusers as a model package that `kinograd image --model FOLDER` runs.

    pip install torch==2.15.0 diffusers==0.35.2 onnx==1.23.2 onnxruntime==1.31.1
    python diffusers_unet.py PIPELINE_FOLDER_OR_NAME --out my-model --licence "…"
    python diffusers_unet.py --random --out random        # an untrained network, to try the path

A pipeline folder holds `unet/` and `scheduler/`. Networks with classes become one class's network (`--class`).
Noise, clean sample and v as prediction, linear and cosine schedules. Latent models are refused: their U-Net makes
no pixels.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import Tensor, nn

PREDICTIONS = {"epsilon": "epsilon", "sample": "x0", "v_prediction": "v"}
SCHEDULES = {"linear": "linear", "squaredcos_cap_v2": "cosine"}
TOLERANCE = 1e-3


class Denoiser(nn.Module):
    """A U-Net with its class fixed, under the package's names."""

    def __init__(self, unet: UNet2DModel, label: int | None) -> None:
        super().__init__()
        self.unet, self.label = unet, label

    def forward(self, x_t: Tensor, timestep: Tensor) -> Tensor:
        """`x_t` `[batch, channels, height, width]`, `timestep` `[batch]`."""
        classes = None if self.label is None else torch.full_like(timestep, self.label, dtype=torch.long)
        # the learnt variance of Nichol and Dhariwal 2021 is not used
        return self.unet(x_t, timestep, class_labels=classes, return_dict=False)[0][:, : x_t.shape[1]]


def random_pipeline() -> tuple[UNet2DModel, DDPMScheduler]:
    """An untrained network of the usual architecture, small."""
    torch.manual_seed(0)
    unet = UNet2DModel(
        sample_size=32, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
    )  # fmt: skip
    return unet, DDPMScheduler(num_train_timesteps=1000, beta_schedule="linear")


def load_pipeline(source: str) -> tuple[UNet2DModel, DDPMScheduler]:
    """From a folder or, where there is a network, the hub."""
    return UNet2DModel.from_pretrained(source, subfolder="unet"), DDPMScheduler.from_pretrained(
        source, subfolder="scheduler"
    )


def description(args: argparse.Namespace, unet: UNet2DModel, scheduler: DDPMScheduler, sha256: str) -> dict:
    """The contents of `model.json`."""
    config = scheduler.config
    if config.beta_schedule not in SCHEDULES:
        raise SystemExit(f"schedule {config.beta_schedule}: expected one of {list(SCHEDULES)}")
    schedule = {"kind": SCHEDULES[config.beta_schedule], "train_steps": config.num_train_timesteps}
    if schedule["kind"] == "linear":
        schedule |= {"beta_start": config.beta_start, "beta_end": config.beta_end}
    side = unet.config.sample_size
    height, width = (side, side) if isinstance(side, int) else side
    return {
        "schema": 1,
        "name": args.out.name,
        "version": "0.1.0",
        "kind": "image",
        "files": {"denoiser": {"path": "denoiser.onnx", "sha256": sha256}},
        "prediction": PREDICTIONS[config.prediction_type],
        "schedule": schedule,
        "image": {"channels": unet.config.in_channels, "height": height, "width": width},
        "licence": args.licence,
        "data": args.data,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", help="pipeline: a folder or a name on the hub")
    parser.add_argument("--random", action="store_true", help="an untrained network instead")
    parser.add_argument("--class", dest="label", type=int, help="which class a class-conditional network makes")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--licence", default="")
    parser.add_argument("--data", default="")
    args = parser.parse_args()
    if bool(args.source) == args.random:
        parser.error("give a pipeline or --random")
    unet, scheduler = random_pipeline() if args.random else load_pipeline(args.source)
    if unet.config.in_channels != 3:
        raise SystemExit(f"the network makes {unet.config.in_channels} channels, not red, green and blue")
    model = Denoiser(unet.eval(), args.label).eval()
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "denoiser.onnx"
    side = unet.config.sample_size
    x = torch.randn(2, 3, *((side, side) if isinstance(side, int) else side))
    t = torch.tensor([500.0, 20.0])
    names = {"input_names": ["x_t", "timestep"], "output_names": ["x0"]}
    shapes = ({0: "batch"}, {0: "batch"})
    torch.onnx.export(
        model, (x, t), str(path), dynamo=True, dynamic_shapes=shapes, external_data=False, verbose=False, **names
    )
    with torch.no_grad():
        expected = model(x[:1], t[:1]).numpy()
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    got = session.run(None, {"x_t": x[:1].numpy(), "timestep": t[:1].numpy()})[0]
    worst = float(np.abs(got - expected).max())
    if not worst < TOLERANCE:
        raise SystemExit(f"the exported graph differs from PyTorch by {worst:.2e}")
    manifest = description(args, unet, scheduler, hashlib.sha256(path.read_bytes()).hexdigest())
    (args.out / "model.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps({"out": str(args.out), "max_difference": worst, "bytes": path.stat().st_size}))


if __name__ == "__main__":
    main()
