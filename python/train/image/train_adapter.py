"""Teach a trained denoiser to take a text, without changing what it does without one.

    python -m image.train_adapter --denoiser runs/denoiser/last.pt --towers runs/clip/last.pt --data emoji.npz \\
        --out runs/adapter --minutes 90

Only the adapter's weights are trained; the denoiser's stay as they are. The text comes as the embedding of the
towers' text tower, which stays as it is too.
"""

from __future__ import annotations

import random
from pathlib import Path

import torch
from torch import Tensor, nn

from image.data import caption, colour_names, on_white
from image.networks import DenoiserSizes, ImageDenoiser, Towers, TowersSizes
from image.run import arguments
from image.train_denoiser import DenoiserRun
from tokens import TextBatcher

SPREAD = 0.3
"""Noise on the embedding, its length against the embedding's own: names that are near stay near."""


def towers_of(path: Path) -> Towers:
    """The towers of a checkpoint, as they are."""
    state = torch.load(path, weights_only=False)
    ema = state["ema"]
    towers = Towers(TowersSizes.from_dict(state["sizes"]), ema["text.table"], ema["text.known"])
    towers.load_state_dict(ema)
    return towers.eval().requires_grad_(False)


class AdapterRun(DenoiserRun):
    """One run and its state."""

    def network(self) -> nn.Module:
        """The denoiser with an adapter; only that learns."""
        super().network()
        self.rng = random.Random(self.args.seed)
        self.texts = TextBatcher(self.args.text_from / "tokenizer.json")
        self.towers = towers_of(self.args.towers)
        model = ImageDenoiser(DenoiserSizes(), self.towers.sizes.text.out)
        state = torch.load(self.args.denoiser, weights_only=False)["ema"]
        state = {name: weight for name, weight in state.items() if not name.startswith("text.")}
        strange = model.load_state_dict(state, strict=False)
        if strange.unexpected_keys or any(not name.startswith("text.") for name in strange.missing_keys):
            raise SystemExit(f"{self.args.denoiser} is of another network: {strange}")
        model.requires_grad_(False)
        model.text.requires_grad_(True)
        return model

    def sizes(self) -> dict:
        """Of denoiser and adapter."""
        return super().sizes() | {"text": self.towers.sizes.text.out}

    @torch.no_grad()
    def embedded(self, said: list[str]) -> Tensor:
        """Unit rows."""
        return self.towers.embed_text(*self.texts(said))

    def losses(self) -> dict[str, Tensor]:
        """Of x̂0, told what the drawing shows."""
        colour, alpha, turned, index = self.drawings()
        names = self.pictures.name[index].tolist()
        said = [
            caption(self.pictures.captions[n], word, t, self.rng)
            for n, word, t in zip(names, colour_names(colour, alpha), turned.tolist(), strict=True)
        ]
        text = self.embedded(said)
        text = text + SPREAD * torch.randn_like(text) / text.shape[1] ** 0.5
        return self.errors(on_white(colour, alpha), nn.functional.normalize(text, dim=1))

    def validate(self) -> dict[str, float]:
        """As the denoiser's, with the name told and without."""
        x0, index, generator = self.sample()
        told = self.embedded([self.pictures.captions[n][0] for n in self.pictures.name[index].tolist()])
        start = generator.get_state()
        without = self.errors_at(x0, generator, "mse", torch.zeros_like(told))
        return without | self.errors_at(x0, generator.set_state(start), "told_mse", told)


def main() -> None:
    """Command line."""
    parser = arguments(__doc__, minutes=90)
    parser.add_argument("--denoiser", type=Path, required=True, help="checkpoint of image.train_denoiser")
    parser.add_argument("--towers", type=Path, required=True, help="checkpoint of image.train_towers")
    parser.add_argument("--text-from", type=Path, default=Path("../../models/motion-base"))
    AdapterRun(parser.parse_args()).run()


if __name__ == "__main__":
    main()
