"""The drawings: rendered, augmented, and told by what is seen."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import Tensor

import needs
from image.data import Augmentation, augment, caption, colour_names, hue_matrices, on_white
from image.prepare import Drawing, render

HEART = '<path fill="#e0202a" d="M16 28 4 15a7 7 0 0 1 12-8 7 7 0 0 1 12 8z"/>'
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 32 32">'


@pytest.fixture(scope="module")
def heart() -> tuple[Tensor, Tensor]:
    """Colours and alpha of a red heart."""
    needs.require("resvg_py", "resvg")
    pixels = render(Drawing("heart", "own", "Symbols", f"{HEAD}{HEART}</svg>"))
    rgba = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / 255
    return rgba[:, :3], rgba[:, 3:]


def test_a_heart_is_red_on_white(heart: tuple[Tensor, Tensor]) -> None:
    colour, alpha = heart
    assert colour_names(colour, alpha) == ["red"]
    image = on_white(colour, alpha)
    assert image.shape == (1, 3, 64, 64)
    assert (image[0, :, 0, 0] == 1).all()
    assert alpha.mean() > 0.2


def test_nothing_is_no_picture() -> None:
    needs.require("resvg_py", "resvg")
    assert render(Drawing("none", "own", "Symbols", f"{HEAD}</svg>")) is None


def test_no_augmentation_changes_nothing(heart: tuple[Tensor, Tensor]) -> None:
    colour, alpha = heart
    same, same_alpha, turned = augment(colour, alpha, torch.tensor([False]), Augmentation())
    torch.testing.assert_close(same, colour, rtol=0, atol=1e-6)
    assert torch.equal(same_alpha, alpha)
    assert not turned.any()


def test_hue_turns_keep_grey_and_lengths() -> None:
    m = hue_matrices(torch.tensor([0.3, 2.0]))
    torch.testing.assert_close(m @ m.transpose(1, 2), torch.eye(3).expand(2, 3, 3), rtol=0, atol=1e-6)
    torch.testing.assert_close(m @ torch.ones(3), torch.ones(2, 3), rtol=0, atol=1e-6)


def test_a_turned_hue_is_named_by_what_is_seen(heart: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(0)
    colour, alpha = (t.expand(64, -1, -1, -1) for t in heart)
    turned, alpha, which = augment(colour, alpha, torch.zeros(64, dtype=torch.bool), Augmentation(hue_share=1.0))
    assert which.all()
    assert {"green", "blue"} <= set(colour_names(turned, alpha))
    rng = random.Random(1)
    told = [caption(["red heart", "love"], "blue", True, rng).split() for _ in range(50)]
    assert not any("red" in words for words in told)
