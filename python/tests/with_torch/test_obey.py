"""What obey.py makes of scores and obedience, by hand."""

from __future__ import annotations

import pytest

from actions import reversals
from obey import best_of, least_score


def test_the_best_of_each_group_counts() -> None:
    cell = [(0.1, True), (0.9, False), (0.5, True), (0.4, False)]
    assert best_of([cell], 2)["share"] == 0.5
    assert best_of([cell], 4)["share"] == 0.0
    assert best_of([cell[2:], cell[2:]], 2)["share"] == 1.0


def test_a_rest_that_fills_no_group_is_left_out() -> None:
    assert best_of([[(0.1, False), (0.2, False), (0.3, True)]], 2)["share"] == 0.0


def test_most_clips_below_the_threshold_do_not_obey() -> None:
    clips = [(0.1, False), (0.2, False), (0.3, True), (0.4, False), (0.5, True), (0.6, True)]
    # Below or at .4 three of four fail; at .5 three of five would be too few.
    assert least_score(clips, 0.7) == {"score": 0.4, "below": pytest.approx(4 / 6, abs=1e-3), "found": 1.0}
    assert least_score([(0.1, True), (0.2, True)]) is None


def test_reversals() -> None:
    assert reversals([0.0, 1.0, 0.0, 1.0], 0.5) == 2
    assert reversals([0.0, 0.1, 0.0, 0.1], 0.5) == 0
