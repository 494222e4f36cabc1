"""A data set is refused with the name of the clip that is at fault, and what it holds is drawn in balance."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from config import FEATURES, MAX_FRAMES, MIN_FRAMES, PATCH, TrainConfig
from data import Sampler, Segment, choose_window, drawn
from motions import clip_of, load, swaying

EVEN = {"walk": 1.0, "kick": 1.0}
STANDING = np.zeros((40, FEATURES), np.float32)


def segment(**changes: object) -> Segment:
    """A segment of 100 frames."""
    plain = Segment("c", "c", "train", False, 0, 100, "walk", ("a person walks",), True, family="f")
    return replace(plain, **changes)


def shares(segments: list[Segment], key: Callable[[Segment], str], **config: object) -> dict[str, float]:
    """How likely it is that a segment with each key is drawn."""
    weights = Sampler(segments, replace(TrainConfig(), emphasis=EVEN, **config)).weights
    total: Counter = Counter()
    for s, weight in zip(segments, weights, strict=True):
        total[key(s)] += weight / sum(weights)
    return dict(total)


def test_a_good_clip_is_taken(tmp_path: Path) -> None:
    assert len(load(tmp_path, [clip_of()], STANDING).segments) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"action": "yodel"}, "unknown action 'yodel'"),
        ({"captions": []}, "a caption is empty"),
        ({"captions": ["a person kicks", " . "]}, "a caption is empty"),
        ({"frames": 1}, "no motion"),
        ({"split": "training"}, "unknown split"),
        ({"start": 20}, "ends after the clip"),
    ],
)
def test_a_bad_clip_is_refused(tmp_path: Path, changes: dict, words: str) -> None:
    with pytest.raises(SystemExit, match=f"clip take7: .*{words}"):
        load(tmp_path, [clip_of(id="take7", **changes)], STANDING)


def test_features_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    features = STANDING.copy()
    features[17, 3] = np.nan
    with pytest.raises(SystemExit, match="clip c: a feature is not finite"):
        load(tmp_path, [clip_of()], features)


def test_validation_leaves_mirrored_copies_out(tmp_path: Path) -> None:
    clips = [clip_of(id=f"{split}{m}", split=split, mirrored=m) for split in ("train", "val") for m in (False, True)]
    data = load(tmp_path, clips, STANDING)
    assert [s.clip for s in data.split("train")] == ["trainFalse", "trainTrue"]
    assert [s.clip for s in data.split("val")] == ["valFalse"]


@pytest.mark.parametrize(("balance", "ratio"), [(0.0, 1.0), (0.5, 4.0), (1.0, 16.0)])
def test_an_action_counts_by_a_power_of_its_frames(balance: float, ratio: float) -> None:
    segments = [segment(frames=400), *(segment(frames=25, action="kick") for _ in range(16))]
    segments += [segment(frames=400, captions=(f"walk {i}",)) for i in range(15)]
    got = shares(segments, lambda s: s.action, balance=balance)
    assert got["walk"] / got["kick"] == pytest.approx(ratio)


def test_an_emphasised_action_is_drawn_oftener() -> None:
    segments = [segment(), segment(action="kick")]
    weights = Sampler(segments, replace(TrainConfig(), emphasis={"kick": 3.0, "walk": 1.0})).weights
    assert weights[1] / weights[0] == pytest.approx(3.0)


def test_a_large_source_does_not_speak_for_all() -> None:
    segments = [segment(frames=900, family="large"), segment(frames=100, family="small")]
    got = shares(segments, lambda s: s.family, balance_source=0.5)
    assert got["large"] / got["small"] == pytest.approx(3.0)


def test_what_has_no_style_counts_for_more() -> None:
    segments = [segment(), segment(style="drunk")]
    got = shares(segments, lambda s: s.style, plain=3.0)
    assert got[""] / got["drunk"] == pytest.approx(3.0)


def test_what_is_said_rarely_comes_oftener() -> None:
    segments = [*(segment(captions=("often",)) for _ in range(4)), segment(captions=("once",))]
    got = shares(segments, lambda s: s.captions[0])
    assert got["often"] / got["once"] == pytest.approx(2.0)


def test_draws_follow_the_weights() -> None:
    sampler = Sampler([segment(), segment(action="kick")], replace(TrainConfig(), emphasis={"kick": 3.0, "walk": 1.0}))
    count = Counter(s.action for s in sampler.draw(random.Random(0), 4000))
    # four standard deviations of a binomial
    assert count["kick"] == pytest.approx(3000, abs=4 * (4000 * 0.75 * 0.25) ** 0.5)


@pytest.mark.parametrize("croppable", [False, True])
@pytest.mark.parametrize("length", [MIN_FRAMES, 37, 203, 900])
def test_a_window_lies_in_its_segment(croppable: bool, length: int) -> None:
    rng = random.Random(length)
    s = segment(frames=length, croppable=croppable)
    for _ in range(100):
        start, frames = choose_window(s, rng)
        assert 0 <= start <= length - frames
        assert frames % PATCH == 0
        assert MIN_FRAMES <= frames <= MAX_FRAMES
        assert croppable or frames == min(length, MAX_FRAMES) // PATCH * PATCH


@pytest.mark.parametrize("action", ["kick", "walk", "dance"])
def test_what_is_drawn_is_whole_patches(tmp_path: Path, action: str) -> None:
    data = load(tmp_path, [clip_of(action=action, frames=120, croppable=True)], swaying(120))
    rng, stitcher = random.Random(0), data.stitcher()
    config = replace(TrainConfig(), stitch=1.0, go_on=1.0)
    for _ in range(30):
        item = drawn(data, stitcher, data.segments[0], config, rng)
        assert item.frames % PATCH == 0
        assert item.frames <= MAX_FRAMES
        assert item.features is None or item.features.shape == (item.frames, FEATURES)
