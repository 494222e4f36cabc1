"""Rests go on and stretches join without tearing the body."""

from __future__ import annotations

import random

import numpy as np
import pytest

import needs
import stitch
from data import MotionData
from kinematics import joints_from_features
from motions import swaying


def longest_step(features: np.ndarray) -> float:
    """The farthest that a joint moves from frame to frame."""
    return float(np.linalg.norm(np.diff(joints_from_features(features), axis=0), axis=-1).max())


def test_backwards_twice() -> None:
    f = swaying(60)
    twice = stitch.backwards(stitch.backwards(f))
    np.testing.assert_allclose(twice[:-2, :259], f[:-2, :259], atol=1e-6)


@pytest.mark.parametrize(("a", "b"), [(3, 50), (10, 40), (0, 57)])
def test_backwards_is_the_same_place(a: int, b: int) -> None:
    # The second witness: joints in the world, by another decoder.
    f = swaying(60)
    j, back = joints_from_features(f), joints_from_features(stitch.backwards(f))[::-1]
    distances = np.linalg.norm(j[a] - j[b], axis=-1), np.linalg.norm(back[a] - back[b], axis=-1)
    np.testing.assert_allclose(*distances, atol=1e-5)


def test_a_rest_goes_on() -> None:
    f = swaying(30)
    long = stitch.gone_on(f, 100)
    assert len(long) == 100
    assert longest_step(long) <= longest_step(f) + 1e-5


def test_joined() -> None:
    a, b = swaying(40), swaying(50)
    out = stitch.joined(a, b)
    assert len(out) == 40 + 50 - stitch.OVERLAP
    np.testing.assert_array_equal(out[:20], a[:20])
    np.testing.assert_array_equal(out[60:], b[60 - 40 + stitch.OVERLAP :])
    np.testing.assert_allclose(stitch.with_velocities(out), out, atol=1e-6)


def test_a_gait_goes_on() -> None:
    t = np.arange(60)[:, None]
    f = np.tile(swaying(1), (60, 1))
    f[:, 2] = 0.1
    f[:, 4:67] += 0.05 * np.sin(2 * np.pi * t / 20 + np.arange(63))
    f = stitch.with_velocities(f)
    long = stitch.goes_on(f, 150)
    assert len(long) == 150
    assert longest_step(long) <= 1.05 * longest_step(f)


def test_what_is_no_gait_does_not_go_on() -> None:
    t = np.arange(60)[:, None]
    f = np.tile(swaying(1), (60, 1))
    f[:, 4:67] += 0.05 * np.sin(2 * np.pi * t / 20 + np.arange(63)) + 0.05 * t
    np.testing.assert_array_equal(stitch.goes_on(f, 150), f)


def test_captions() -> None:
    assert stitch.counted("a person kicks with the left leg") == "a person kicks twice with the left leg"
    told = stitch.told("a person kicks", "walks", None, random.Random(0))
    assert told.startswith("a person walks")
    assert told.endswith("kicks")
    assert stitch.told("stand up", "stands", None, random.Random(0)) == "stand up"


def test_real_velocities() -> None:
    """`stitch.py`'s arithmetic against the velocities that a data set was built with."""
    data = MotionData(needs.dataset())
    for clip in random.Random(0).sample(data.clips, 20):
        f = np.array(data.features[clip["offset"] : clip["offset"] + clip["frames"]])
        np.testing.assert_allclose(stitch.with_velocities(f), f, atol=1e-5)
