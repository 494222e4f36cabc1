"""Train an image and a text tower contrastively on drawings and their names and keywords.

    python -m image.train_towers --kind conv --data emoji.npz --out runs/clip --minutes 20
    python -m image.train_towers --kind patches --seed 1 --data emoji.npz --out runs/judge --minutes 20

The token table and the tokenizer are those of the package `motion-base` (`--text-from`).
"""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from image.data import Augmentation, augment, caption, colour_names, on_white
from image.networks import PatchTowerSizes, Towers, TowersSizes
from image.run import Run, arguments
from networks import text_buffers
from text import known_words
from tokens import TextBatcher

AUGMENTATION = Augmentation(hue_share=0.25, shift=0.12, scale=0.2, turn_deg=10)
WORDS = (
    "thing",
    "a picture of a drawing of an emoji of",
    "red orange brown yellow green blue purple pink black white gray",
)
PER_NAME = 2
"""Drawings of one name in a batch, from different sets where there are."""


def spoilt(image: Tensor) -> Tensor:
    """Blur, noise and missing patches, so that half-finished pictures are judged too."""
    b = len(image)
    kind = torch.rand(b)
    small = F.interpolate(F.avg_pool2d(image, 4), scale_factor=4, mode="bilinear", align_corners=False)
    mild = F.interpolate(F.avg_pool2d(image, 2), scale_factor=2, mode="bilinear", align_corners=False)
    pick = kind[:, None, None, None]
    image = torch.where(pick < 0.15, small, torch.where(pick < 0.35, mild, image))
    image = image + torch.randn_like(image) * (torch.rand(b, 1, 1, 1) * 0.4 * (kind > 0.7)[:, None, None, None])
    side = image.shape[-1]
    row, col = torch.randint(0, side, (b, 1)), torch.randint(0, side, (b, 1))
    at = torch.arange(side)
    hole = ((at - row).abs() < side // 8)[:, :, None] & ((at - col).abs() < side // 8)[:, None, :]
    hole &= (torch.rand(b) < 0.3)[:, None, None]
    return torch.where(hole[:, None], torch.ones(()), image)


class TowersRun(Run):
    """One run and its state."""

    def network(self) -> Towers:
        """Both towers."""
        self.rng = random.Random(self.args.seed)
        self.texts = TextBatcher(self.args.text_from / "tokenizer.json")
        table, _ = text_buffers(self.args.text_from)
        learnt = [t for c in self.pictures.captions for t in c]
        known = torch.from_numpy(known_words(self.texts.tokenizer, [*learnt, *WORDS]))
        self.pictures_of: dict[int, list[int]] = defaultdict(list)
        for i, name in enumerate(self.pictures.name.tolist()):
            self.pictures_of[name].append(i)
        held = self.pictures.held_out
        self.train_names = [n for n in self.pictures_of if not held[n]]
        self.val_names = [n for n in self.pictures_of if held[n]]
        return Towers(self.tower_sizes(), table, known)

    def tower_sizes(self) -> TowersSizes:
        """Of the kind that was asked for."""
        return TowersSizes() if self.args.kind == "conv" else TowersSizes(conv=None, patches=PatchTowerSizes())

    def sizes(self) -> dict:
        """Of both towers."""
        return self.tower_sizes().to_dict()

    def batch(self) -> tuple[Tensor, list[str], Tensor]:
        """Pictures, one caption each, and the index of each one's name."""
        names = self.rng.sample(self.train_names, self.args.batch // PER_NAME)
        index = torch.tensor([i for n in names for i in self.rng.sample(self.pictures_of[n] * 2, PER_NAME)])
        colour, alpha = self.pictures.batch(index)
        colour, alpha, turned = augment(colour, alpha, ~self.pictures.sided[index], AUGMENTATION)
        name = self.pictures.name[index]
        said = [
            caption(self.pictures.captions[n], word, t, self.rng)
            for n, word, t in zip(name.tolist(), colour_names(colour, alpha), turned.tolist(), strict=True)
        ]
        return spoilt(on_white(colour, alpha)).contiguous(memory_format=torch.channels_last), said, name

    def losses(self) -> dict[str, Tensor]:
        """The symmetric InfoNCE; pictures of one name are no negatives of one another."""
        image, said, name = self.batch()
        ids, mask = self.texts(said)
        with torch.autocast("cpu", torch.bfloat16):
            pictures = self.model.image(image).float()
            texts = self.model.embed_text(ids, mask).float()
        logits = pictures @ texts.T * self.model.temperature.exp().clamp(max=40)
        same = name[:, None] == name[None]
        same |= torch.from_numpy(np.array(said)[:, None] == np.array(said)[None])
        logits = logits.masked_fill(same & ~torch.eye(len(name), dtype=torch.bool), -1e4)
        target = torch.arange(len(name))
        return {"loss": (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2}

    def validate(self) -> dict[str, float]:
        """Retrieval on names that were held out: of a picture's name among all names, and among the held-out ones."""
        model = self.ema
        names = list(range(len(self.pictures.names)))
        vectors = []
        for start in range(0, len(names), 128):
            ids, mask = self.texts([self.pictures.captions[n][0] for n in names[start : start + 128]])
            vectors.append(model.embed_text(ids, mask))
        texts = torch.cat(vectors)
        index = torch.tensor([i for n in self.val_names for i in self.pictures_of[n]])
        images = on_white(*self.pictures.batch(index))
        pictures = torch.cat([model.image(part) for part in images.split(64)])
        truth = self.pictures.name[index]
        result = {}
        held = torch.tensor(self.val_names)
        for label, candidates in (("all", torch.tensor(names)), ("held", held)):
            scores = pictures @ texts[candidates].T
            own = (pictures * texts[truth]).sum(1, keepdim=True)
            rank = (scores > own).sum(1)
            for k in (1, 10):
                result[f"recall{k}_{label}"] = (rank < k).float().mean().item()
        back = texts[held] @ pictures.T
        best = back.topk(10, dim=1).indices
        result["text_recall10_held"] = (truth[best] == held[:, None]).any(1).float().mean().item()
        return result | {"names": len(names), "held": len(held), "pictures": len(index)}


def main() -> None:
    """Command line."""
    parser = arguments(__doc__, minutes=20, batch=128)
    parser.add_argument("--kind", choices=("conv", "patches"), required=True)
    parser.add_argument("--text-from", type=Path, default=Path("../../models/motion-base"))
    TowersRun(parser.parse_args()).run()


if __name__ == "__main__":
    main()
