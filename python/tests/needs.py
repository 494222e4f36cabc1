"""Tests that need what a machine may lack, by the rule of `kinograd-testkit`."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import NoReturn

import pytest


def skip(need: str, reason: str) -> NoReturn:
    """Leave a test out for want of `need`. Where `CI` is set it fails, unless `KINOGRAD_MAY_SKIP` names the need."""
    if os.environ.get("CI") and need not in os.environ.get("KINOGRAD_MAY_SKIP", "").split(","):
        pytest.fail(f"CI lacks {need}: {reason}", pytrace=False)
    pytest.skip(f"for want of {need}: {reason}")


def require(module: str, need: str) -> None:
    """Skip for want of `need` where the module is not installed."""
    if importlib.util.find_spec(module) is None:
        skip(need, f"the module {module} is not installed")


def dataset() -> Path:
    """The data set that `KINOGRAD_DATASET` names."""
    folder = os.environ.get("KINOGRAD_DATASET")
    if not folder:
        skip("dataset", "KINOGRAD_DATASET names no folder of `kinograd dataset build`")
    return Path(folder)
