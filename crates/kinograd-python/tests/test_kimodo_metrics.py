"""The example's measures on bodies whose feet do what is known."""

from __future__ import annotations

import runpy
from typing import Any

import numpy as np
import pytest

from conftest import REPOSITORY

EXAMPLE: dict[str, Any] = runpy.run_path(str(REPOSITORY / "examples" / "python" / "kimodo_metrics.py"))
FPS, FRAMES = 20.0, 41


def measured(speed: float, height: float, contacts: bool) -> dict[str, float]:
    """Of a body all of whose joints are `height` above the floor and move along +X at `speed` m/s."""
    joints = np.zeros((FRAMES, 22, 3))
    joints[:, :, 0] = speed * np.arange(FRAMES)[:, None] / FPS
    joints[:, :, 1] = height
    metrics: dict[str, float] = EXAMPLE["kimodo_metrics"](joints, np.full((FRAMES, 4), contacts), FPS)
    return metrics


def test_a_body_that_slides_on_the_floor_skates_at_its_speed() -> None:
    found = measured(0.5, 0.0, contacts=True)
    for name in ("foot_skate_from_height", "foot_skate_from_pred_contacts", "foot_skate_max_vel"):
        assert found[name] == pytest.approx(0.5)
    assert found["foot_skate_ratio"] == 1.0
    # No foot that fast is told to be in contact.
    assert found["foot_contact_consistency"] == 0.0


def test_one_that_stands_or_flies_does_not() -> None:
    assert measured(0.0, 0.0, contacts=True) == {
        "foot_skate_from_height": 0.0,
        "foot_skate_from_pred_contacts": 0.0,
        "foot_skate_max_vel": 0.0,
        "foot_skate_ratio": 0.0,
        "foot_contact_consistency": 1.0,
    }
    flying = measured(3.0, 1.0, contacts=False)
    assert flying["foot_skate_from_height"] == flying["foot_skate_ratio"] == 0.0
    assert flying["foot_contact_consistency"] == 1.0


def test_half_a_clip_in_contact_counts_half() -> None:
    slow = measured(0.1, 0.0, contacts=True)
    assert slow["foot_skate_from_height"] == pytest.approx(0.1)
    assert slow["foot_skate_ratio"] == 0.0
    assert slow["foot_contact_consistency"] == 1.0
