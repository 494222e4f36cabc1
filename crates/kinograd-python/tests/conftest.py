"""What the tests share: the model that the repository brings, and the command that its clips are held against."""

from __future__ import annotations

import os
from pathlib import Path

import kinograd
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
PACKAGE = REPOSITORY / "models" / "motion-base"


@pytest.fixture(scope="session")
def model() -> kinograd.Model:
    """The model on the installed ONNX Runtime."""
    return kinograd.Model(PACKAGE)


@pytest.fixture(scope="session")
def command() -> Path:
    """The command `kinograd` of the same commit."""
    path = Path(os.environ.get("KINOGRAD_BINARY") or REPOSITORY / "target" / "release" / "kinograd")
    assert path.is_file(), "KINOGRAD_BINARY is to be the command `kinograd`, built"
    return path


@pytest.fixture
def task() -> kinograd.Task:
    """A short walk to a place, of a few steps."""
    return kinograd.Task(
        "a person walks forward",
        duration_secs=2,
        goals=[{"kind": "root_target", "position_m": [0.3, 1.5]}],
        sampling=kinograd.Sampling(seed=7, steps=5),
    )
