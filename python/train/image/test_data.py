"""The data step, without downloads: `python -m unittest image.test_data` in `python/train`."""

from __future__ import annotations

import random
import unittest

import numpy as np
import torch

from image.data import Augmentation, augment, caption, colour_names, hue_matrices, on_white
from image.prepare import Drawing, code, held_out, is_plain, render, squashed, words

HEART = '<path fill="#e0202a" d="M16 28 4 15a7 7 0 0 1 12-8 7 7 0 0 1 12 8z"/>'
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 32 32">'


def heart() -> tuple[torch.Tensor, torch.Tensor]:
    """Colours and alpha of a red heart."""
    pixels = render(Drawing("heart", "own", "Symbols", f"{HEAD}{HEART}</svg>"))
    rgba = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / 255
    return rgba[:, :3], rgba[:, 3:]


class Names(unittest.TestCase):
    """Names and code points."""

    def test_code_points(self) -> None:
        self.assertEqual(code("2764-fe0f"), "2764")
        self.assertTrue(is_plain("1f436"))
        self.assertFalse(is_plain("1f44d-1f3fd"))
        self.assertFalse(is_plain("1f468-200d-1f52c"))

    def test_spellings_meet(self) -> None:
        self.assertEqual(squashed("alarm-clock"), squashed("alarmclock"))
        self.assertEqual(words("red_heart"), "red heart")

    def test_the_split_depends_on_the_name_alone(self) -> None:
        share = np.mean([held_out(f"name {i}") for i in range(4000)])
        self.assertAlmostEqual(float(share), 0.05, delta=0.015)


class Pictures(unittest.TestCase):
    """Rendering and augmentation."""

    def test_a_heart_is_red_on_white(self) -> None:
        colour, alpha = heart()
        self.assertEqual(colour_names(colour, alpha), ["red"])
        image = on_white(colour, alpha)
        self.assertEqual(tuple(image.shape), (1, 3, 64, 64))
        self.assertTrue((image[0, :, 0, 0] == 1).all())
        self.assertGreater(float(alpha.mean()), 0.2)

    def test_nothing_is_no_picture(self) -> None:
        self.assertIsNone(render(Drawing("none", "own", "Symbols", f"{HEAD}</svg>")))

    def test_no_augmentation_changes_nothing(self) -> None:
        colour, alpha = heart()
        same, same_alpha, turned = augment(colour, alpha, torch.tensor([False]), Augmentation())
        self.assertTrue(torch.allclose(same, colour, atol=1e-6))
        self.assertTrue(torch.equal(same_alpha, alpha))
        self.assertFalse(turned.any())

    def test_hue_turns_keep_grey_and_lengths(self) -> None:
        m = hue_matrices(torch.tensor([0.3, 2.0]))
        self.assertTrue(torch.allclose(m @ m.transpose(1, 2), torch.eye(3).expand(2, 3, 3), atol=1e-6))
        self.assertTrue(torch.allclose(m @ torch.ones(3), torch.ones(2, 3), atol=1e-6))

    def test_a_turned_hue_is_named_by_what_is_seen(self) -> None:
        torch.manual_seed(0)
        colour, alpha = (t.expand(64, -1, -1, -1) for t in heart())
        turned, alpha, which = augment(colour, alpha, torch.zeros(64, dtype=torch.bool), Augmentation(hue_share=1.0))
        self.assertTrue(which.all())
        names = set(colour_names(turned, alpha))
        self.assertTrue({"green", "blue"} <= names, names)
        rng = random.Random(1)
        for _ in range(50):
            self.assertNotIn("red", caption(["red heart", "love"], "blue", True, rng).split())


if __name__ == "__main__":
    unittest.main()
