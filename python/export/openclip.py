"""A pair of towers of open_clip as a package that `kinograd image --text-model FOLDER` steers with: ViT or ResNet.

    pip install torch==2.15.0 open_clip_torch==3.3.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.31.1
    python openclip.py ViT-B-32 --weights laion2b_s34b_b79k --side 64 --out my-clip --licence "…"
    python openclip.py RN50 --weights FILE.pt --side 256 --out my-clip
    python openclip.py RN50 --random --side 64 --out random-clip      # untrained towers, to try the path

Models with open_clip's own byte-pair tokenizer; its merges are written as a `tokenizer.json`.
"""

from __future__ import annotations

import open_clip
import torch
from open_clip.tokenizer import SimpleTokenizer
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn

from clip import Seen, save_towers, unit
from package import arguments

# open_clip's, without the special tokens, which no prompt should hold
PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""
SAMPLES = ["a red heart", "It's  a DOG's life, isn't it?", "naïve café №42", "x" * 40, "two\ncats & 3 dogs!!"]


class ImageTower(nn.Module):
    """Images in −1..1 of the diffusion model's size to unit vectors."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.visual = model.visual
        side = model.visual.image_size
        mean, std = (getattr(model.visual, f"image_{name}", None) for name in ("mean", "std"))
        own = (mean, std) if mean and std else ()
        self.seen = Seen(side if isinstance(side, int) else side[0], *own)

    def forward(self, image: Tensor) -> Tensor:
        """`[batch, 3, height, width]`."""
        return unit(self.visual(self.seen(image)))


class TextTower(nn.Module):
    """Token ids to unit vectors."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> tuple[Tensor, Tensor]:
        """`token_ids` `[batch, tokens]` i64, `token_mask` alike, 1 = real; the vector twice, by both names."""
        # what follows the end is zero, as open_clip pads
        e = unit(self.model.encode_text(token_ids * token_mask.long()))
        return e * 1.0, e


def tokenizer_of(theirs: SimpleTokenizer) -> Tokenizer:
    """Their merges for the tokenizers crate, checked on some texts."""
    merges = sorted(theirs.bpe_ranks, key=theirs.bpe_ranks.get)
    bpe = models.BPE(vocab=theirs.encoder, merges=merges, end_of_word_suffix="</w>", continuing_subword_prefix="")
    tokenizer = Tokenizer(bpe)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    start, end = "<start_of_text>", "<end_of_text>"
    ends = [(start, theirs.sot_token_id), (end, theirs.eot_token_id)]
    tokenizer.post_processor = TemplateProcessing(single=f"{start} $A {end}", special_tokens=ends)
    for text in SAMPLES:
        expected = [theirs.sot_token_id, *theirs.encode(text), theirs.eot_token_id]
        if tokenizer.encode(text).ids != expected:
            raise SystemExit(f"the tokenizer reads `{text}` as {tokenizer.encode(text).tokens}, open_clip otherwise")
    return tokenizer


def main() -> None:
    """Command line."""
    parser = arguments(__doc__, "architecture: ViT-B-32, RN50 and so on")
    parser.add_argument("--weights", help="open_clip's name of them, or a file")
    parser.add_argument("--side", type=int, required=True, help="side of the diffusion model's images")
    args = parser.parse_args()
    if not args.source or bool(args.weights) == bool(args.random):
        parser.error("give an architecture, and --weights or --random")
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    model = open_clip.create_model(args.source, pretrained=args.weights).eval()
    theirs = open_clip.get_tokenizer(args.source)
    if not isinstance(theirs, SimpleTokenizer):
        raise SystemExit(f"{args.source} has the tokenizer {type(theirs).__name__}, not open_clip's byte pairs")
    ids = theirs(["a red heart", "a dog"])
    mask = (ids != 0).float()
    save_towers(args, ImageTower(model).eval(), TextTower(model).eval(), tokenizer_of(theirs), ids, mask)


if __name__ == "__main__":
    main()
