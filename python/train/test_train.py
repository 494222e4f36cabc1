"""What training refuses, and that joined motion is motion. Run: python -m unittest test_train

`KINOGRAD_DATASET=folder` also checks the arithmetic of `stitch.py` on real clips, against velocities that the
data set was built with.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

import stitch
from config import FEATURES, LossConfig, TrainConfig
from data import MotionData
from kinematics import joints_from_features
from losses import MotionLoss, limb_sides
from text import other_side, plain_ends, reword, without_ends
from train import refuse_other_run

SEGMENT = {"start": 0, "frames": 30, "action": "kick", "captions": ["a person kicks"], "croppable": False}
TOKENIZER = Path(__file__).parent / "../../models/motion-base/tokenizer.json"


def clip_of(**changes: object) -> dict:
    """A clip of 40 frames with one segment; `changes` go to the clip or, where it has the key, to the segment."""
    clip = {"id": "c", "source_id": "c", "family": "f", "split": "train", "mirrored": False, "offset": 0, "frames": 40}
    segment = SEGMENT | {k: v for k, v in changes.items() if k in SEGMENT and k != "frames"}
    return clip | {k: v for k, v in changes.items() if k in clip} | {"segments": [segment]}


def swaying(frames: int) -> np.ndarray:
    """Features of a body that turns, drifts and swings, with velocities that fit."""
    t = np.arange(frames)[:, None] / 20
    f = np.zeros((frames, FEATURES), np.float32)
    f[:, :1] = 0.01 * np.sin(t)
    f[:, 1:3] = 0.02 * np.cos(t + np.array([0, 1]))
    f[:, 3] = 0.9
    f[:, 4:67] = np.linspace(-0.5, 1.2, 63) + 0.1 * np.sin(2 * t + np.arange(63))
    return stitch.with_velocities(f)


class BadData(unittest.TestCase):
    """A data set is refused with the name of the clip that is at fault."""

    def load(self, clip: dict, features: np.ndarray | None = None) -> MotionData:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            np.save(folder / "features.npy", np.zeros((40, FEATURES), np.float32) if features is None else features)
            np.save(folder / "mean.npy", np.zeros(FEATURES, np.float32))
            np.save(folder / "std.npy", np.ones(FEATURES, np.float32))
            (folder / "index.json").write_text(json.dumps({"clips": [clip]}))
            return MotionData(folder)

    def test_good(self) -> None:
        self.assertEqual(len(self.load(clip_of()).segments), 1)

    def test_refused(self) -> None:
        for changes, words in (
            ({"action": "yodel"}, "unknown action 'yodel'"),
            ({"captions": []}, "a caption is empty"),
            ({"captions": ["a person kicks", " . "]}, "a caption is empty"),
            ({"frames": 1}, "no motion"),
            ({"split": "training"}, "unknown split"),
            ({"start": 20}, "ends after the clip"),
        ):
            with self.assertRaisesRegex(SystemExit, f"clip take7: .*{words}"):
                self.load(clip_of(id="take7", **changes))

    def test_not_finite(self) -> None:
        features = np.zeros((40, FEATURES), np.float32)
        features[17, 3] = np.nan
        with self.assertRaisesRegex(SystemExit, "clip c: a feature is not finite"):
            self.load(clip_of(), features)

    def test_another_recipe(self) -> None:
        recipe = TrainConfig().recipe()
        refuse_other_run({"recipe": recipe, "digest": "a"}, recipe, "a", Path("last.pt"))
        with self.assertRaisesRegex(SystemExit, "another lr: 0.5"):
            refuse_other_run({"recipe": recipe | {"lr": 0.5}, "digest": "a"}, recipe, "a", Path("last.pt"))
        with self.assertRaisesRegex(SystemExit, "another data set"):
            refuse_other_run({"recipe": recipe, "digest": "b"}, recipe, "a", Path("last.pt"))


class Joining(unittest.TestCase):
    """Rests go on and stretches join without tearing the body."""

    def test_backwards_twice(self) -> None:
        f = swaying(60)
        twice = stitch.backwards(stitch.backwards(f))
        np.testing.assert_allclose(twice[:-2, :259], f[:-2, :259], atol=1e-6)

    def test_backwards_is_the_same_place(self) -> None:
        # The second witness: joints in the world, by another decoder.
        f = swaying(60)
        j, back = joints_from_features(f), joints_from_features(stitch.backwards(f))[::-1]
        for a, b in ((3, 50), (10, 40), (0, 57)):
            distance = np.linalg.norm(j[a] - j[b], axis=-1), np.linalg.norm(back[a] - back[b], axis=-1)
            np.testing.assert_allclose(*distance, atol=1e-5)

    def test_a_rest_goes_on(self) -> None:
        f = swaying(30)
        long = joints_from_features(stitch.gone_on(f, 100))
        self.assertEqual(len(long), 100)
        step = np.linalg.norm(np.diff(joints_from_features(f), axis=0), axis=-1).max()
        self.assertLessEqual(np.linalg.norm(np.diff(long, axis=0), axis=-1).max(), step + 1e-5)

    def test_joined(self) -> None:
        a, b = swaying(40), swaying(50)
        out = stitch.joined(a, b)
        self.assertEqual(len(out), 40 + 50 - stitch.OVERLAP)
        np.testing.assert_array_equal(out[:20], a[:20])
        np.testing.assert_array_equal(out[60:], b[60 - 40 + stitch.OVERLAP :])
        np.testing.assert_allclose(stitch.with_velocities(out), out, atol=1e-6)

    def test_a_gait_goes_on(self) -> None:
        t = np.arange(60)[:, None]
        f = np.tile(swaying(1), (60, 1))
        f[:, 2] = 0.1
        f[:, 4:67] += 0.05 * np.sin(2 * np.pi * t / 20 + np.arange(63))
        f = stitch.with_velocities(f)
        long = stitch.goes_on(f, 150)
        self.assertEqual(len(long), 150)
        step = np.linalg.norm(np.diff(joints_from_features(f), axis=0), axis=-1).max()
        self.assertLessEqual(np.linalg.norm(np.diff(joints_from_features(long), axis=0), axis=-1).max(), 1.05 * step)
        f[:, 4:67] += 0.05 * t
        np.testing.assert_array_equal(stitch.goes_on(f, 150), f)

    def test_captions(self) -> None:
        self.assertEqual(stitch.counted("a person kicks with the left leg"), "a person kicks twice with the left leg")
        told = stitch.told("a person kicks", "walks", None, random.Random(0))
        self.assertTrue(told.startswith("a person walks") and told.endswith("kicks"), told)
        self.assertEqual(stitch.told("stand up", "stands", None, random.Random(0)), "stand up")

    def test_real_velocities(self) -> None:
        if not (folder := os.environ.get("KINOGRAD_DATASET")):
            self.skipTest("KINOGRAD_DATASET is not set")
        data = MotionData(Path(folder))
        for clip in random.Random(0).sample(data.clips, 20):
            f = np.array(data.features[clip["offset"] : clip["offset"] + clip["frames"]])
            np.testing.assert_allclose(stitch.with_velocities(f), f, atol=1e-5)


class Words(unittest.TestCase):
    """Ends and case of a prompt change nothing."""

    def test_ends(self) -> None:
        self.assertEqual(plain_ends(" a person walks?! "), "a person walks")
        tokenizer = without_ends(TOKENIZER)
        ids = tokenizer.encode("a person walks").ids
        for text in ("A person walks.", "A PERSON WALKS!", "a person walks ...", " a person walks "):
            self.assertEqual(tokenizer.encode(text).ids, ids, text)
        self.assertNotEqual(tokenizer.encode("a person, walks").ids, ids)

    def test_other_side(self) -> None:
        for text, other in (
            ("kicks with the Left leg, turns right", "kicks with the right leg, turns left"),
            ("a counter-clockwise circle", "a clockwise circle"),
            ("an upright bright person", "an upright bright person"),
        ):
            self.assertEqual(other_side(text), other)

    def test_reworded_captions_keep_their_second_verb(self) -> None:
        rng = random.Random(0)
        for _ in range(200):
            self.assertNotIn("is lifts", reword("someone lifts a knee and stands", rng))


class Loss(unittest.TestCase):
    """Quick frames count more; each clip as a whole counts the same."""

    def test_weights(self) -> None:
        loss = MotionLoss(LossConfig(), torch.zeros(FEATURES), torch.ones(FEATURES), torch.randn(100, FEATURES))
        x0 = torch.zeros(1, 40, FEATURES)
        x0[:, 10:15, 193:259] = 0.1
        mask = torch.ones(1, 40)
        mask[:, 36:] = 0
        weight, *_ = loss.by_speed(x0, mask, mask[:, 1:], mask[:, 2:])
        self.assertAlmostEqual(weight.sum().item(), 36, places=3)
        self.assertGreater(weight[0, 12].item(), 2 * weight[0, 30].item())
        self.assertEqual(weight[0, 37].item(), 0)


    def test_limbs_of_a_mirrored_clip(self) -> None:
        local = torch.randn(2, 30, 22, 3)
        mask = torch.ones(2, 30)
        mask[1, 20:] = 0
        swap = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20]
        mirrored = local[:, :, swap] * torch.tensor([-1.0, 1.0, 1.0])
        torch.testing.assert_close(limb_sides(mirrored, mask), -limb_sides(local, mask))
        local[0, :, 20] = 0
        local[0, :, 21, 1] = torch.linspace(0, 1, 30)
        self.assertLess(limb_sides(local, mask)[0, 0].item(), -1)
        torch.testing.assert_close(limb_sides(local[1:, :20], mask[1:, :20]), limb_sides(local, mask)[1:])


if __name__ == "__main__":
    unittest.main()
