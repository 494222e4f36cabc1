"""Train the foreground mask of a picture; the truth is the drawing's alpha.

python -m image.train_segmenter --data emoji.npz --out runs/segmenter --minutes 8
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from image.data import Augmentation, augment, on_white
from image.networks import Segmenter
from image.run import Run, arguments
from image.train_towers import spoilt

AUGMENTATION = Augmentation(hue_share=0.4, shift=0.12, scale=0.2, turn_deg=20)


class SegmenterRun(Run):
    """One run and its state."""

    def network(self) -> Segmenter:
        """The segmenter."""
        held = self.pictures.held_out[self.pictures.name]
        self.train_index, self.val_index = (~held).nonzero()[:, 0], held.nonzero()[:, 0]
        return Segmenter()

    def losses(self) -> dict[str, Tensor]:
        """The cross-entropy."""
        index = self.train_index[torch.randint(len(self.train_index), (self.args.batch,))]
        colour, alpha = self.pictures.batch(index)
        colour, alpha, _ = augment(colour, alpha, ~self.pictures.sided[index], AUGMENTATION)
        image = spoilt(on_white(colour, alpha)).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.model(image).float()
        return {"loss": F.binary_cross_entropy_with_logits(logits, alpha.clamp(0, 1))}

    def validate(self) -> dict[str, float]:
        """Mean intersection over union on the drawings of held-out names."""
        colour, alpha = self.pictures.batch(self.val_index)
        logits: Tensor = torch.cat([self.ema(part) for part in on_white(colour, alpha).split(64)])
        guess, truth = logits > 0, alpha > 0.5
        ratio = (guess & truth).sum((1, 2, 3)) / (guess | truth).sum((1, 2, 3)).clamp(min=1)
        return {"iou_held": ratio.mean().item(), "pictures": len(ratio)}


if __name__ == "__main__":
    SegmenterRun(arguments(__doc__, minutes=8, save_minutes=2).parse_args()).run()
