"""Train the unconditional image denoiser.

python -m image.train_denoiser --data emoji.npz --out runs/denoiser --minutes 80
"""

from __future__ import annotations

from dataclasses import asdict

import torch
from torch import Tensor, nn

from config import TRAIN_STEPS
from image.data import Augmentation, augment, on_white
from image.networks import DenoiserSizes, ImageDenoiser
from image.run import Run, arguments
from losses import cosine_alpha_bar

AUGMENTATION = Augmentation(hue_share=0.2, shift=0.04, scale=0.06)
VAL_LEVELS = (100, 300, 500, 700, 900)
WEIGHT_MAX = 5.0
DULL = 0.35
"""How often lettered and symbol drawings are drawn, against 1 for all others."""


def noised(x0: Tensor, t: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """x_t (Ho et al. 2020, eq. 4)."""
    a = alpha_bar[t][:, None, None, None]
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


class DenoiserRun(Run):
    """One run and its state."""

    ema_decay = 0.998

    def network(self) -> nn.Module:
        """The denoiser."""
        self.alpha_bar = torch.from_numpy(cosine_alpha_bar()).float()
        dull = torch.from_numpy(self.pictures.category == "Symbols") | self.pictures.sided
        self.weights = torch.where(dull, DULL, 1.0)
        return ImageDenoiser(DenoiserSizes())

    def sizes(self) -> dict:
        """Of the denoiser."""
        return asdict(DenoiserSizes())

    def levels(self, b: int) -> Tensor:
        """One level from each of `b` equal parts: less spread between batches."""
        return ((torch.arange(b) + torch.rand(b)) / b * TRAIN_STEPS).long().clamp(max=TRAIN_STEPS - 1)

    def drawings(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Colours, alpha and whose hue was turned, of a batch, and its places among the pictures."""
        index = torch.multinomial(self.weights, self.args.batch, replacement=True)
        colour, alpha = self.pictures.batch(index)
        return *augment(colour, alpha, ~self.pictures.sided[index], AUGMENTATION), index

    def errors(self, x0: Tensor, *told: Tensor) -> dict[str, Tensor]:
        """The weighted error of x̂0, and the plain one."""
        x0 = x0.contiguous(memory_format=torch.channels_last)
        t = self.levels(len(x0))
        x_t = noised(x0, t, torch.randn_like(x0), self.alpha_bar)
        with torch.autocast("cpu", torch.bfloat16):
            predicted = self.model(x_t, t.float(), *told).float()
        error = (predicted - x0).square().mean((1, 2, 3))
        snr = self.alpha_bar[t] / (1 - self.alpha_bar[t])
        return {"loss": (error * snr.sqrt().clamp(1.0, WEIGHT_MAX)).mean(), "error": error.mean()}

    def losses(self) -> dict[str, Tensor]:
        """Of x̂0."""
        colour, alpha, _, _ = self.drawings()
        return self.errors(on_white(colour, alpha))

    def sample(self) -> tuple[Tensor, Tensor, torch.Generator]:
        """Drawings to validate with, their places, and the generator for the noise; of those that were trained on."""
        generator = torch.Generator().manual_seed(1)
        index = torch.randperm(len(self.pictures.name), generator=generator)[:64]
        x0 = on_white(*self.pictures.batch(index)).contiguous(memory_format=torch.channels_last)
        return x0, index, generator

    def validate(self) -> dict[str, float]:
        """Mean squared error of the average's x̂0 at fixed levels and noise."""
        x0, _, generator = self.sample()
        return self.errors_at(x0, generator, "mse")

    def errors_at(self, x0: Tensor, generator: torch.Generator, name: str, *told: Tensor) -> dict[str, float]:
        """Mean squared error of the average's x̂0 at fixed levels."""
        result = {}
        for level in VAL_LEVELS:
            t = torch.full((len(x0),), level)
            x_t = noised(x0, t, torch.randn(x0.shape, generator=generator), self.alpha_bar)
            with torch.autocast("cpu", torch.bfloat16):
                result[f"{name}_{level}"] = (self.ema(x_t, t.float(), *told).float() - x0).square().mean().item()
        return result


if __name__ == "__main__":
    DenoiserRun(arguments(__doc__, minutes=80, save_minutes=5).parse_args()).run()
