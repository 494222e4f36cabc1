"""The native part. What is for users is in `kinograd`."""

import os
from collections.abc import Callable
from typing import Any, final

import numpy as np
import numpy.typing as npt

__version__: str

def run_command(words: list[str]) -> int: ...

@final
class Model:
    def __new__(
        cls,
        folder: str | None,
        engine: str,
        provider: str,
        library: str | os.PathLike[str] | None,
        threads: int,
    ) -> Model: ...
    @property
    def info_json(self) -> str: ...
    def generate(
        self,
        task: str,
        progress: Callable[[int, int], object] | None,
        loss: Callable[[npt.NDArray[np.float64]], Any] | None,
    ) -> list[Clip]: ...

@final
class Clip:
    @property
    def joints(self) -> npt.NDArray[np.float32]: ...
    @property
    def rotations(self) -> npt.NDArray[np.float64]: ...
    @property
    def root(self) -> npt.NDArray[np.float64]: ...
    @property
    def contacts(self) -> npt.NDArray[np.bool_]: ...
    @property
    def features(self) -> npt.NDArray[np.float32] | None: ...
    @property
    def parents(self) -> npt.NDArray[np.int64]: ...
    @property
    def joint_names(self) -> list[str]: ...
    @property
    def fps(self) -> float: ...
    @property
    def duration_secs(self) -> float: ...
    @property
    def seed(self) -> int | None: ...
    @property
    def loops(self) -> bool: ...
    @property
    def record_json(self) -> str: ...
    @property
    def report_json(self) -> str: ...
    def resampled(self, fps: float) -> Clip: ...
    def retarget(self, rig: Rig, travel: str) -> Clip: ...
    def save(
        self,
        path: str | os.PathLike[str],
        fps: float | None,
        unit_to_metre: float,
        root_motion: str | None,
        joint_names: str | None,
        rest_pose: str | None,
    ) -> None: ...
    def encode(
        self,
        format: str,
        fps: float | None,
        unit_to_metre: float,
        root_motion: str | None,
        joint_names: str | None,
        rest_pose: str | None,
    ) -> bytes: ...
    def __len__(self) -> int: ...

@final
class Rig:
    def __new__(cls, file: str | os.PathLike[str], mapping: str | os.PathLike[str] | None = None) -> Rig: ...
    @property
    def report_json(self) -> str: ...

def read(path: str | os.PathLike[str]) -> Clip: ...
def check_task(json: str) -> str: ...
def differentiate(
    model: str | os.PathLike[str],
    path: str | os.PathLike[str],
    inputs: list[str],
    outputs: list[str],
    weights: bool,
    split: bool,
) -> str: ...
