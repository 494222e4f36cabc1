"""What is in `with_torch` needs PyTorch: where there is none, the folder is skipped before a file of it is read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

import needs


class WithTorch(pytest.Dir):
    """The tests of that folder."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """None without PyTorch."""
        needs.require("torch", "torch")
        return super().collect()


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The folder that has a need."""
    return WithTorch.from_parent(parent, path=path) if path.name == "with_torch" else None
