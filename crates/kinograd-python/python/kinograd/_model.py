"""Model packages, and clips made with them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from kinograd import _kinograd
from kinograd._clip import Clip
from kinograd._errors import KinogradWarning
from kinograd._losses import WeightedLoss, sum_of
from kinograd._task import TaskLike, task_dict, task_json

# The oldest ONNX Runtime that has the functions which are called.
OLDEST_RUNTIME = (1, 24)


class ProgressBar(Protocol):
    """What is used of a bar of tqdm."""

    n: Any
    total: Any

    def update(self, n: Any = ..., /) -> Any:
        """Adds steps that were done."""

    def refresh(self) -> Any:
        """Draws the bar."""


class Model:
    """A model package on an engine.

    `folder` is a package's name or the path of its folder (with a separator in it); `motion-base` if it is not given,
    looked for as the command line does. `engine` is `auto`, `onnxruntime` or `built-in`; `provider` is `auto`, `cpu`,
    `cuda` or `tensorrt`; `threads` is the number of processor threads, 0 for one per core.

    `onnx_runtime` is the path of ONNX Runtime's library or of its folder. If it is not given, it is that of
    `ORT_DYLIB_PATH`, of the installed package `onnxruntime`, or the one that the command line finds; the built-in
    engine where there is none.

    Any thread may call it; runs of one model are done one after the other.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        engine: str = "auto",
        provider: str = "auto",
        onnx_runtime: str | os.PathLike[str] | None = None,
        threads: int = 0,
    ) -> None:
        library = onnx_runtime
        if library is None and engine != "built-in" and not os.environ.get("ORT_DYLIB_PATH"):
            library = installed_onnx_runtime()
        name = None if folder is None else os.fspath(folder)
        if isinstance(folder, os.PathLike) and name is not None and not {os.sep, os.altsep} & set(name):
            # A path, not a name.
            name = os.path.join(".", name)
        self._model = _kinograd.Model(name, engine, provider, library, threads)

    @property
    def info(self) -> dict[str, Any]:
        """What the package says of itself (`package`) and which engine runs it (`engine`)."""
        info: dict[str, Any] = json.loads(self._model.info_json)
        return info

    def generate(
        self,
        task: TaskLike,
        *,
        rig: str | os.PathLike[str] | None = None,
        losses: Iterable[WeightedLoss] = (),
        rewards: Iterable[WeightedLoss] = (),
        progress: Callable[[int, int], object] | ProgressBar | None = None,
    ) -> list[Clip]:
        """Makes the task's clips.

        `rig` is the character's file, in place of `output.rig` of the task. `losses` are made small beside the task's
        goals and `rewards` large: functions of joints `[batch, frames, 22, 3]`, float64, metres, that return values
        `[batch]` and their gradient on the joints; each alone or as `(weight, function)`. They see our body, also where
        a clip is made for a character, and every number is finite.

        `progress` is called with the steps that are done and their number, or is a bar of tqdm. What it raises ends
        the run, as Ctrl-C does, within a step.

        Raises `TaskError` for a task that cannot be, `ModelError` where a network fails. Warnings are
        `KinogradWarning`.
        """
        if rig is not None:
            document = task_dict(task)
            output = document.setdefault("output", {})
            if isinstance(output, dict):
                output["rig"] = os.fspath(rig)
            task = document
        report = reporting(progress) if progress is not None else None
        clips = self._model.generate(task_json(task), report, sum_of(losses, rewards))
        return [Clip(clip) for clip in clips]

    def __repr__(self) -> str:
        package, engine = self.info["package"], self.info["engine"]
        return f"<kinograd.Model {package['name']} {package['version']} on {engine['name']} {engine['version']}>"


def reporting(progress: Callable[[int, int], object] | ProgressBar) -> Callable[[int, int], object]:
    """A function of steps done and in all that moves a bar; a function is one already."""
    if callable(progress):
        return progress
    bar = progress

    def report(done: int, total: int) -> None:
        if bar.total != total:
            bar.total = total
            bar.refresh()
        bar.update(done - bar.n)

    return report


def installed_onnx_runtime() -> Path | None:
    """The folder of the library that the installed package `onnxruntime` brings, without importing it."""
    try:
        spec = importlib.util.find_spec("onnxruntime")
    except (ImportError, ValueError):
        return None
    folders = [Path(folder) / "capi" for folder in (spec.submodule_search_locations or [])] if spec else []
    for folder in folders:
        names = [entry.name.lower() for entry in folder.iterdir()] if folder.is_dir() else []
        if any(name.startswith("libonnxruntime.") or name == "onnxruntime.dll" for name in names):
            return folder if is_new_enough() else None
    return None


def is_new_enough() -> bool:
    """Whether the installed `onnxruntime` has the functions which are called; what has no version is tried."""
    for package in ("onnxruntime", "onnxruntime-gpu"):
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
        if numbers >= OLDEST_RUNTIME:
            return True
        oldest = ".".join(map(str, OLDEST_RUNTIME))
        message = f"the installed {package} {version} is older than {oldest} and is not taken"
        warnings.warn(message, KinogradWarning, stacklevel=4)
        return False
    return True
