"""A CLIP of transformers as a package of towers that `kinograd image --text-model FOLDER` steers with.

    pip install torch==2.15.0 transformers==5.23.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1
    python clip.py MODEL_FOLDER_OR_NAME --side 64 --out my-clip --licence "…"
    python clip.py --random --side 64 --out random-clip     # untrained towers, to try the path

`--side` is the side of the diffusion model's images. They are made larger and normalised inside the exported image
tower, so that the gradient goes through both.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn
from transformers import AutoTokenizer, CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

from package import arguments, export, parsed, report, write

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def unit(e: Tensor) -> Tensor:
    """Rows of length 1."""
    return e / (e.square().sum(1, keepdim=True) + 1e-12).sqrt()


class Seen(nn.Module):
    """Images in −1..1 as a tower wants them: of its size and normalised."""

    def __init__(self, side: int, mean: tuple[float, ...] = MEAN, std: tuple[float, ...] = STD) -> None:
        super().__init__()
        self.side = side
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("std", torch.tensor(std)[:, None, None])

    def forward(self, image: Tensor) -> Tensor:
        """`[batch, 3, height, width]`."""
        x = F.interpolate(image, size=(self.side, self.side), mode="bilinear", align_corners=False)
        return ((x + 1) / 2 - self.mean) / self.std


class ImageTower(nn.Module):
    """Images in −1..1 of the diffusion model's size to unit vectors."""

    def __init__(self, clip: CLIPModel) -> None:
        super().__init__()
        self.tower, self.projection = clip.vision_model, clip.visual_projection
        self.seen = Seen(clip.config.vision_config.image_size)

    def forward(self, image: Tensor) -> Tensor:
        """`[batch, 3, height, width]`."""
        return unit(self.projection(self.tower(pixel_values=self.seen(image)).pooler_output))


class TextTower(nn.Module):
    """Token ids to unit vectors."""

    def __init__(self, clip: CLIPModel) -> None:
        super().__init__()
        self.tower, self.projection = clip.text_model, clip.text_projection

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> tuple[Tensor, Tensor]:
        """`token_ids` `[batch, tokens]` i64, `token_mask` alike, 1 = real; the vector twice, by both names."""
        e = unit(self.projection(self.tower(input_ids=token_ids, attention_mask=token_mask).pooler_output))
        return e * 1.0, e


def letters_tokenizer() -> Tokenizer:
    """Single letters between a start and an end, for untrained networks."""
    letters = {"[PAD]": 0, "[START]": 1, "[END]": 2, "[UNK]": 3}
    letters |= {c: i for i, c in enumerate("abcdefghijklmnopqrstuvwxyz", start=4)}
    tokenizer = Tokenizer(models.WordLevel(letters, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = TemplateProcessing(
        single="[START] $A [END]", special_tokens=[("[START]", 1), ("[END]", 2)]
    )
    return tokenizer


def tokenizer_of(source: str, **where: str) -> tuple[Tokenizer, int]:
    """The makers' tokenizer, and the id that they pad with."""
    theirs = AutoTokenizer.from_pretrained(source, **where)
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        return Tokenizer.from_file(str(Path(folder) / "tokenizer.json")), theirs.pad_token_id


def random_clip() -> CLIPModel:
    """Untrained towers of the usual architecture, small."""
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=24, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    vision = CLIPVisionConfig(
        hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=2, image_size=64, patch_size=16
    )
    config = CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=24)
    return CLIPModel._from_config(config, attn_implementation="eager")


def save_towers(
    args: argparse.Namespace, image: nn.Module, text: nn.Module, tokenizer: Tokenizer, ids: Tensor, mask: Tensor
) -> None:
    """A package of towers; `ids` and `mask` `[2, tokens]` are a text of full padding to try them on."""
    out, side = args.out, args.side
    tokenizer.save(str(out / "tokenizer.json"))
    pictures = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    # inside, the exporter has names of its own, `embedding` among them
    names = ["condition_unit", "unit"]
    differences = {
        "image_embedding": export(image, (pictures,), ["image"], ["unit"], out / "image.onnx", args.half),
        "text_encoder": export(text, (ids, mask), ["token_ids", "token_mask"], names, out / "text.onnx", args.half),
    }
    with torch.no_grad():
        width = text(ids, mask)[1].shape[1]
    ports = {
        "image_embedding": {"outputs": {"embedding": "unit"}},
        "text_encoder": {"outputs": {"embedding": "unit", "condition": "condition_unit"}},
    }
    files = {"image_embedding": "image.onnx", "text_encoder": "text.onnx", "tokenizer": "tokenizer.json"}
    write(
        out, "embedding", files, ports, image={"channels": 3, "height": side, "width": side},
        conditioning={"dims": width, "max_tokens": ids.shape[1], "embedding_dims": width},
        licence=args.licence, data=args.data,
    )  # fmt: skip
    report(out, differences)


def main() -> None:
    """Command line."""
    parser = arguments(__doc__, "model: a folder or a name on the hub")
    parser.add_argument("--side", type=int, required=True, help="side of the diffusion model's images")
    args = parsed(parser)
    if args.random:
        clip, tokenizer = random_clip(), letters_tokenizer()
    else:
        clip = CLIPModel.from_pretrained(args.source, attn_implementation="eager")
        tokenizer = tokenizer_of(args.source)[0]
    config = clip.eval().config.text_config
    ids = torch.full((2, config.max_position_embeddings), config.pad_token_id or 0)
    ids[:, 0], ids[:, 1], ids[:, 2] = config.bos_token_id, 5, config.eos_token_id
    mask = torch.zeros(ids.shape)
    mask[:, :3] = 1
    save_towers(args, ImageTower(clip).eval(), TextTower(clip).eval(), tokenizer, ids, mask)


if __name__ == "__main__":
    main()
