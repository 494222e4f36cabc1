"""A CLIP of transformers as a package of towers that `kinograd image --text-model FOLDER` steers with.

    pip install torch==2.15.0 transformers==5.23.0 onnx==1.23.2 onnxruntime==1.31.1
    python clip.py MODEL_FOLDER_OR_NAME --side 64 --out my-clip --licence "…"
    python clip.py --random --side 64 --out random-clip     # untrained towers, to try the path

`--side` is the side of the diffusion model's images. They are made larger and normalised inside the exported image
tower, so that the gradient goes through both.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn
from transformers import AutoTokenizer, CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
TOLERANCE = 1e-3


class ImageTower(nn.Module):
    """Images in −1..1 of the diffusion model's size to unit vectors."""

    def __init__(self, clip: CLIPModel) -> None:
        super().__init__()
        self.tower, self.projection = clip.vision_model, clip.visual_projection
        self.side = clip.config.vision_config.image_size
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(STD)[:, None, None])

    def forward(self, image: Tensor) -> Tensor:
        """`[batch, 3, height, width]`."""
        x = F.interpolate(image, size=(self.side, self.side), mode="bilinear", align_corners=False)
        x = ((x + 1) / 2 - self.mean) / self.std
        e = self.projection(self.tower(pixel_values=x).pooler_output)
        return e / (e.square().sum(1, keepdim=True) + 1e-12).sqrt()


class TextTower(nn.Module):
    """Token ids to unit vectors."""

    def __init__(self, clip: CLIPModel) -> None:
        super().__init__()
        self.tower, self.projection = clip.text_model, clip.text_projection

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> tuple[Tensor, Tensor]:
        """`token_ids` `[batch, tokens]` i64, `token_mask` alike, 1 = real; the vector twice, by both names."""
        e = self.projection(self.tower(input_ids=token_ids, attention_mask=token_mask).pooler_output)
        e = e / (e.square().sum(1, keepdim=True) + 1e-12).sqrt()
        return e * 1.0, e


def random_clip() -> tuple[CLIPModel, Tokenizer]:
    """Untrained towers of the usual architecture, small, and a tokenizer of single letters."""
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=24, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    vision = CLIPVisionConfig(
        hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=2, image_size=64, patch_size=16
    )
    config = CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=24)
    letters = {"[PAD]": 0, "[START]": 1, "[END]": 2, "[UNK]": 3}
    letters |= {c: i for i, c in enumerate("abcdefghijklmnopqrstuvwxyz", start=4)}
    tokenizer = Tokenizer(models.WordLevel(letters, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = TemplateProcessing(
        single="[START] $A [END]", special_tokens=[("[START]", 1), ("[END]", 2)]
    )
    return CLIPModel._from_config(config, attn_implementation="eager"), tokenizer


def export(module: nn.Module, inputs: tuple[Tensor, ...], names: list[str], outputs: list[str], path: Path) -> float:
    """Write a tower and compare it with PyTorch at batch 1."""
    torch.onnx.export(
        module,
        inputs,
        str(path),
        dynamo=True,
        dynamic_shapes=tuple({0: "batch"} for _ in inputs),
        external_data=False,
        verbose=False,
        input_names=names,
        output_names=outputs,
    )
    with torch.no_grad():
        expected = module(*(x[:1] for x in inputs))
    expected = expected if isinstance(expected, tuple) else (expected,)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    got = session.run(None, {n: x[:1].numpy() for n, x in zip(names, inputs, strict=True)})
    worst = max(float(np.abs(a - b.numpy()).max()) for a, b in zip(got, expected, strict=True))
    if not worst < TOLERANCE:
        raise SystemExit(f"{path.name} differs from PyTorch by {worst:.2e}")
    return worst


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", help="model: a folder or a name on the hub")
    parser.add_argument("--random", action="store_true", help="untrained towers instead")
    parser.add_argument("--side", type=int, required=True, help="side of the diffusion model's images")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--licence", default="")
    parser.add_argument("--data", default="")
    args = parser.parse_args()
    if bool(args.source) == args.random:
        parser.error("give a model or --random")
    args.out.mkdir(parents=True, exist_ok=True)
    if args.random:
        clip, tokenizer = random_clip()
        tokenizer.save(str(args.out / "tokenizer.json"))
    else:
        clip = CLIPModel.from_pretrained(args.source, attn_implementation="eager")
        AutoTokenizer.from_pretrained(args.source).save_pretrained(args.out / "tokenizer")
        shutil.move(args.out / "tokenizer" / "tokenizer.json", args.out / "tokenizer.json")
        shutil.rmtree(args.out / "tokenizer")
    clip = clip.eval()
    tokens, width = clip.config.text_config.max_position_embeddings, clip.config.projection_dim
    image = torch.rand(2, 3, args.side, args.side) * 2 - 1
    worst = export(ImageTower(clip).eval(), (image,), ["image"], ["unit"], args.out / "image.onnx")
    ids = torch.full((2, tokens), clip.config.text_config.pad_token_id or 0)
    ids[:, 0], ids[:, 1], ids[:, 2] = clip.config.text_config.bos_token_id, 5, clip.config.text_config.eos_token_id
    mask = torch.zeros(2, tokens)
    mask[:, :3] = 1
    worst = max(
        worst,
        export(
            TextTower(clip).eval(),
            (ids, mask),
            ["token_ids", "token_mask"],
            ["condition_unit", "unit"],
            args.out / "text.onnx",
        ),
    )
    files = {"image_embedding": "image.onnx", "text_encoder": "text.onnx", "tokenizer": "tokenizer.json"}
    # inside, the exporter has names of its own, `embedding` among them
    ports = {
        "image_embedding": {"outputs": {"embedding": "unit"}},
        "text_encoder": {"outputs": {"embedding": "unit", "condition": "condition_unit"}},
    }
    manifest = {
        "schema": 1,
        "name": args.out.name,
        "version": "0.1.0",
        "kind": "embedding",
        "files": {
            role: {"path": file, "sha256": hashlib.sha256((args.out / file).read_bytes()).hexdigest()}
            | ports.get(role, {})
            for role, file in files.items()
        },
        "image": {"channels": 3, "height": args.side, "width": args.side},
        "conditioning": {"dims": width, "max_tokens": tokens, "embedding_dims": width},
        "licence": args.licence,
        "data": args.data,
    }
    (args.out / "model.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps({"out": str(args.out), "max_difference": worst}))


if __name__ == "__main__":
    main()
