"""Facts of a window against what was said of its clip; paces, mirrors and starts of walking."""

from __future__ import annotations

import random

import numpy as np
import pytest

import facts
import stitch
from kinematics import OTHER_SIDE, joints_from_features, mirrored
from motions import swaying

WALK_M_PER_FRAME = 0.06


def fixed(monkeypatch: pytest.MonkeyPatch, left: int, right: int) -> None:
    """Whatever the joints, so many actions of each side are found."""
    count = {facts.LEFT: left, facts.RIGHT: right}
    counts = {name: (lambda _, side: count[side], limb) for name, (_, limb) in facts.COUNTS.items()}
    monkeypatch.setattr(facts, "COUNTS", counts)


def said(caption: str, action: str) -> set[str]:
    """All that is ever said of a window."""
    f = swaying(30)
    return {facts.with_facts(f, caption, action, random.Random(seed)) for seed in range(40)}


def test_a_side_that_is_not_shown_is_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed(monkeypatch, 2, 2)
    assert said("a person punches with the right hand", "punch") == {"a person punches"}
    fixed(monkeypatch, 0, 6)
    assert said("a person punches with the right hand", "punch") == {"a person punches with the right hand"}


def test_what_is_shown_is_said_at_times(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed(monkeypatch, 2, 0)
    kicks = {"a person kicks", "a person kicks with the left leg", "a person kicks twice with the left leg"}
    assert said("a person kicks", "kick") == kicks
    assert said("a person kicks three times with the left leg", "kick") == {
        "a person kicks with the left leg",
        "a person kicks twice with the left leg",
    }


def test_other_actions_and_orders_keep_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed(monkeypatch, 1, 1)
    for caption, action in (
        ("a person waves with the right hand", "wave"),
        ("a person kicks with the right leg and then stands", "kick"),
        ("a person throws several punches with the right hand", "punch"),
    ):
        assert said(caption, action) == {caption}


def walking(frames: int) -> np.ndarray:
    """Features of a body that goes straight ahead."""
    f = swaying(frames)
    f[:, :2], f[:, 2] = 0, WALK_M_PER_FRAME
    return stitch.with_velocities(f)


def test_a_pace_changes_time_and_no_place() -> None:
    f = walking(81)
    slow = facts.at_pace(f, 0.5)
    assert len(slow) == 161
    np.testing.assert_allclose(joints_from_features(slow)[::2], joints_from_features(f), atol=1e-4)


def test_only_what_says_no_pace_gets_one() -> None:
    found = [facts.paced(walking(60), "a person walks forward", random.Random(seed)) for seed in range(30)]
    speeds = {caption: np.hypot(f[:, 1], f[:, 2]).mean() * 20 for f, caption in filter(None, found)}
    assert speeds["a person walks forward slowly"] < 0.9
    assert speeds["a person walks forward quickly"] > 1.4
    assert facts.paced(walking(60), "a person walks in a rush", random.Random(0)) is None


def test_a_walk_that_would_be_too_short_keeps_its_pace() -> None:
    # 20 frames are the least: sped up they are fewer.
    found = [facts.paced(walking(20), "a person walks forward", random.Random(seed)) for seed in range(60)]
    assert {caption for _, caption in filter(None, found)} == {"a person walks forward slowly"}


def test_a_mirror_image_is_that_of_the_joints() -> None:
    # The second witness: joints in the world, by the decoder.
    f = swaying(60)
    j = joints_from_features(f)[:, OTHER_SIDE] * np.array([-1, 1, 1])
    np.testing.assert_allclose(joints_from_features(mirrored(f)), j, atol=1e-5)
    np.testing.assert_array_equal(mirrored(mirrored(f)), f)
    np.testing.assert_allclose(stitch.with_velocities(mirrored(f)), mirrored(f), atol=1e-6)


def test_starts_and_stops_are_made_longer() -> None:
    stand = walking(1)[[0] * 40]
    stand[:, 1:3] = 0
    rows = np.concatenate([stitch.with_velocities(stand), walking(60)])
    maker = stitch.Stitcher(rows, [(0, 100)], [], [(40, 60)])
    start, stop = rows[16:64], stitch.backwards(rows[16:64])
    for made in (maker.starts(start, random.Random(1)), maker.stops(stop, random.Random(1))):
        assert len(made) >= len(start)
        assert len(made) <= 200
        steps = [np.linalg.norm(np.diff(joints_from_features(f), axis=0), axis=-1).max() for f in (made, rows)]
        assert steps[0] <= 1.2 * steps[1]
