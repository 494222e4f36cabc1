"""Clips: arrays, files, characters, and a view in notebooks."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import numpy.typing as npt

from kinograd import _kinograd, _view


class Clip:
    """A skeleton that moves. It does not change; its arrays are made once and cannot be written to."""

    def __init__(self, clip: _kinograd.Clip) -> None:
        self._clip = clip

    @property
    def joints(self) -> npt.NDArray[np.float32]:
        """Places of the joints in the world, `[frames, joints, 3]`, metres, Y up."""
        return self._clip.joints

    @property
    def rotations(self) -> npt.NDArray[np.float64]:
        """Rotation of each joint's frame in its parent's, `[frames, joints, 4]`: quaternions x, y, z, w. The root's is
        in the world."""
        return self._clip.rotations

    @property
    def root(self) -> npt.NDArray[np.float64]:
        """Place of the root in the world, `[frames, 3]`, metres."""
        return self._clip.root

    @property
    def contacts(self) -> npt.NDArray[np.bool_]:
        """What stands on the ground, `[frames, 4]`: left ankle, left toe, right ankle, right toe."""
        return self._clip.contacts

    @property
    def features(self) -> npt.NDArray[np.float32] | None:
        """HumanML3D's features before clean-up, `[frames, 263]`, not normalised; `None` where no model made the clip or
        it has another frame rate."""
        return self._clip.features

    @property
    def joint_names(self) -> list[str]:
        """Names of the joints."""
        return self._clip.joint_names

    @property
    def parents(self) -> npt.NDArray[np.int64]:
        """Parent of each joint, `[joints]`; -1 for the root. Parents come before their children."""
        return self._clip.parents

    @property
    def fps(self) -> float:
        """Frames per second."""
        return self._clip.fps

    @property
    def duration_secs(self) -> float:
        """Seconds: a frame lasts 1 / fps."""
        return self._clip.duration_secs

    @property
    def seed(self) -> int | None:
        """The clip's own seed: a task for one clip with this seed gives the same clip."""
        return self._clip.seed

    @property
    def loops(self) -> bool:
        """Whether the clip can be played again from its end, from where the body is then."""
        return self._clip.loops

    @property
    def record(self) -> dict[str, Any]:
        """How the clip came to be: its task, the models' hashes, the engine."""
        record: dict[str, Any] = json.loads(self._clip.record_json)
        return record

    @property
    def report(self) -> dict[str, Any] | None:
        """What was measured of a generated clip: distances from its goals, sliding of the feet, the text's score."""
        report: dict[str, Any] | None = json.loads(self._clip.report_json)
        return report

    def resampled(self, fps: float) -> Clip:
        """The clip at another frame rate."""
        return Clip(self._clip.resampled(fps))

    def retarget(self, rig: Rig | str | os.PathLike[str], *, travel: str = "scaled") -> Clip:
        """The clip on a character: saved as GLB it has the character's mesh.

        `travel` is `scaled`, in proportion to the character's legs, or `kept`.
        """
        rig = rig if isinstance(rig, Rig) else Rig(rig)
        return Clip(self._clip.retarget(rig._rig, travel))

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        fps: float | None = None,
        unit_to_metre: float = 1.0,
        root_motion: str | None = None,
        joint_names: str | None = None,
        rest_pose: str | None = None,
    ) -> None:
        """Writes a .glb, .fbx, .bvh or .npz, a sheet of poses as .png, or the report as .json, whole or not at all.

        `root_motion` is `keep`, `extract` or `in-place`; `joint_names` are `ours`, `mixamo`, `ue5`, `unity` or `vrm`;
        `rest_pose` is `t` or `a`; `unit_to_metre` is the unit of a format that has none. Raises `FileError`.
        """
        self._clip.save(path, fps, unit_to_metre, root_motion, joint_names, rest_pose)

    def to_bytes(
        self,
        format: str,
        *,
        fps: float | None = None,
        unit_to_metre: float = 1.0,
        root_motion: str | None = None,
        joint_names: str | None = None,
        rest_pose: str | None = None,
    ) -> bytes:
        """The bytes of the file that `save` writes, by an extension such as `glb`."""
        return self._clip.encode(format, fps, unit_to_metre, root_motion, joint_names, rest_pose)

    def __len__(self) -> int:
        return len(self._clip)

    def __repr__(self) -> str:
        frames, joints = len(self), len(self.joint_names)
        return f"<kinograd.Clip of {self.duration_secs:g} s: {frames} frames at {self.fps:g} fps, {joints} joints>"

    def _repr_html_(self) -> str:
        return _view.html(self.joints, self.parents.tolist(), self.fps)


class Rig:
    """A character from a GLB, VRM, FBX or BVH, or a clip as NPZ.

    `mapping` is a file that says which joints are which, where their names do not tell.
    """

    def __init__(self, file: str | os.PathLike[str], mapping: str | os.PathLike[str] | None = None) -> None:
        self._rig = _kinograd.Rig(file, mapping)

    @property
    def report(self) -> dict[str, Any]:
        """What was found in the file: number of joints, scale, which joint is which part of the body, doubts."""
        report: dict[str, Any] = json.loads(self._rig.report_json)
        return report

    def __repr__(self) -> str:
        return repr(self._rig)


def read(path: str | os.PathLike[str]) -> Clip:
    """Reads a clip: a .glb, .vrm, .fbx, .bvh, .npz or .npy. Metres with Y up, whatever the file has."""
    return Clip(_kinograd.read(path))
