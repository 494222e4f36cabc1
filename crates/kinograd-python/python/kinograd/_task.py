"""Tasks: all that is asked for, in the one JSON form that every part of Kinograd reads."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kinograd import _kinograd
from kinograd._errors import TaskError


@dataclass
class Prompt:
    """What the person does in a part of the clip, seconds; the whole clip where nothing is said."""

    text: str
    from_secs: float | None = None
    to_secs: float | None = None


@dataclass
class NetworkLoss:
    """An ONNX network whose score is made small, with its weight."""

    onnx: str | os.PathLike[str]
    weight: float = 1.0


@dataclass
class Sampling:
    """How clips are drawn. What is `None` is left to the model's package."""

    seed: int | None = None
    count: int | None = None
    best_of: int | None = None
    steps: int | None = None
    sampler: str | None = None
    cfg: float | None = None


@dataclass
class GuidanceSettings:
    """How goals steer: the method, its strength, the weight of the text loss, and when it acts."""

    method: str | None = None
    scale: float | None = None
    text: float | None = None
    schedule: Mapping[str, Any] | None = None


@dataclass
class OutputSettings:
    """How clips are finished: frames per second, feet held still, the character that they are made for."""

    fps: float | None = None
    foot_lock: bool | None = None
    rig: str | os.PathLike[str] | Mapping[str, Any] | None = None


@dataclass
class Task:
    """All that is asked for. Goals and obstacles are dicts in the form that `assets/scenes` has.

    `prompts` is one prompt for the whole clip, or several, each with its part. Nothing is checked before
    `kinograd.check` or `Model.generate`.
    """

    prompts: str | Sequence[str | Prompt | Mapping[str, Any]]
    duration_secs: float = 6.0
    goals: Sequence[Mapping[str, Any]] = ()
    obstacles: Sequence[Mapping[str, Any]] = ()
    losses: Sequence[NetworkLoss | Mapping[str, Any]] = ()
    sampling: Sampling = field(default_factory=Sampling)
    guidance: GuidanceSettings = field(default_factory=GuidanceSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    optimization: Mapping[str, Any] | None = None
    model: str | None = None
    name: str | None = None
    description: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The task in its JSON form. What is not said is left out."""
        prompts = [self.prompts] if isinstance(self.prompts, str) else list(self.prompts)
        document: dict[str, Any] = _plain(dataclasses.replace(self, prompts=[_prompt(prompt) for prompt in prompts]))
        return document


TaskLike: TypeAlias = Task | Mapping[str, Any] | str


def _prompt(prompt: str | Prompt | Mapping[str, Any]) -> Prompt | Mapping[str, Any]:
    return Prompt(prompt) if isinstance(prompt, str) else prompt


def _plain(value: Any) -> Any:
    """A value as JSON has it: dataclasses as objects without what is None or empty, paths as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {entry.name: _plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
        return {name: field for name, field in fields.items() if field is not None and field != {} and field != []}
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, str | bytes):
        return value
    # NumPy's arrays and numbers, too.
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Sequence):
        return [_plain(entry) for entry in value]
    return value


def task_json(task: TaskLike) -> str:
    """A task of any form as JSON text. Raises `TaskError` for what JSON cannot hold."""
    if isinstance(task, str):
        return task
    if not isinstance(task, Task | Mapping):
        raise TaskError("", f"a task is a Task, a dict or JSON text, not {type(task).__name__}")
    document = task.to_dict() if isinstance(task, Task) else _plain(task)
    try:
        return json.dumps(document, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise TaskError("", f"it is no JSON: {error}") from error


def task_dict(task: TaskLike) -> dict[str, Any]:
    """A task of any form as a dict."""
    try:
        document = json.loads(task_json(task))
    except ValueError as error:
        raise TaskError("", f"it is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise TaskError("", f"a task is a JSON object, not {type(document).__name__}")
    return document


def check(task: TaskLike) -> dict[str, Any]:
    """The task as it is understood, with the defaults of its fields.

    Raises `TaskError` with the path of the field that is at fault.
    """
    document: dict[str, Any] = json.loads(_kinograd.check_task(task_json(task)))
    return document
