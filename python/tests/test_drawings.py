"""Names and code points of the drawings."""

from __future__ import annotations

import numpy as np
import pytest

from image.prepare import code, held_out, is_plain, squashed, words


def test_a_code_point_has_no_variant() -> None:
    assert code("2764-fe0f") == "2764"


@pytest.mark.parametrize(("point", "plain"), [("1f436", True), ("1f44d-1f3fd", False), ("1f468-200d-1f52c", False)])
def test_skin_tones_and_families_are_not_plain(point: str, plain: bool) -> None:
    assert is_plain(point) is plain


def test_spellings_meet() -> None:
    assert squashed("alarm-clock") == squashed("alarmclock")
    assert words("red_heart") == "red heart"


def test_the_split_depends_on_the_name_alone() -> None:
    share = np.mean([held_out(f"name {i}") for i in range(4000)])
    # four standard deviations of one in twenty
    assert share == pytest.approx(0.05, abs=0.014)
