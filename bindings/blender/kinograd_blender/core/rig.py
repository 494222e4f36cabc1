"""An armature as the protocol's skeleton, its poses as keyframes, and clips as keys of its bones.

The protocol's rotations are local to the parent and measured from the rest pose along the axes of the world. A bone of
Blender turns in the axes of its own rest pose. Both are one rotation seen from other axes.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

from . import rotations
from .errors import KinogradError
from .gltf import Clip
from .stage import Y_UP, Stage

# How much a scale may differ between axes, and the axes from right angles.
EVEN = 1e-3
# A bone that is farther than this from its place in its parent has been moved, of the rig's size.
MOVED = 1e-3


@dataclass(frozen=True)
class Rig:
    """The bones of an armature that hang on its root, parents first.

    `heads` `[bones, 3]` and `axes` `[bones, 3, 3]` are those of the rest pose in the armature's own space, a bone's
    axes as columns. `world` `[4, 4]` is the armature's place in Blender's world.
    """

    name: str
    bones: tuple[str, ...]
    parents: tuple[int, ...]
    heads: np.ndarray
    axes: np.ndarray
    inherits_rotation: tuple[bool, ...]
    world: np.ndarray
    stage: Stage

    def __post_init__(self) -> None:
        if not self.bones:
            raise KinogradError(f"armature “{self.name}” has no bones")
        linear = self.world[:3, :3]
        lengths = np.linalg.norm(linear, axis=0)
        if not np.all(np.isfinite(self.world)) or lengths.min() <= 1e-9:
            raise KinogradError(f"armature “{self.name}” has a scale of 0")
        even = np.allclose(linear.T @ linear, np.eye(3) * lengths[0] ** 2, atol=EVEN * lengths[0] ** 2)
        if not even or np.linalg.det(linear) < 0.0:
            raise KinogradError(f"armature “{self.name}” is scaled unevenly or mirrored: apply its scale")

    @property
    def turn(self) -> np.ndarray:
        """The armature's rotation in Blender's world, `[3, 3]`."""
        linear = self.world[:3, :3]
        return linear / np.linalg.norm(linear, axis=0)

    def in_world(self, points: np.ndarray) -> np.ndarray:
        """Points of the armature's space in Blender's world."""
        return points @ self.world[:3, :3].T + self.world[:3, 3]

    def places_m(self) -> np.ndarray:
        """Heads of the bones at rest, metres from the floor, Y up, `[bones, 3]`."""
        return self.stage.metres(self.in_world(self.heads))

    def skeleton(self) -> dict:
        """The protocol's skeleton: the rest pose as it stands in the world."""
        places = self.places_m()
        joints = []
        for bone, (name, parent) in enumerate(zip(self.bones, self.parents, strict=True)):
            offset = places[bone] - places[parent] if parent >= 0 else places[bone]
            joints.append(
                {
                    "name": name,
                    "parent": self.bones[parent] if parent >= 0 else None,
                    "rest_translation": [float(length) for length in offset],
                    "rest_rotation": [0.0, 0.0, 0.0, 1.0],
                }
            )
        return {"joints": joints, "coordinate_system": "right_handed_y_up", "units": "meters"}

    def start(self) -> tuple[list[float], float]:
        """Where the rest pose stands, (x, z) in metres, and its heading, radians about +Y: 0 faces +Z."""
        places = self.places_m()
        return [float(places[0, 0]), float(places[0, 2])], self.heading()

    def heading(self) -> float:
        """Which way the rest pose faces: square to the line through bones of the left and the right.

        Where no names have sides, the armature faces −Y of its own space, turned about Z as the object is.
        """
        places = self.places_m()
        index = {name: bone for bone, name in enumerate(self.bones)}
        pairs = [(bone, index[right]) for name, bone in index.items() if (right := right_of(name)) in index]
        left = sum((places[bone] - places[other] for bone, other in pairs), np.zeros(3))
        if math.hypot(left[0], left[2]) > 1e-6:
            return math.atan2(-left[2], left[0])
        w, _, _, z = rotations.from_matrices(self.turn)
        return 2.0 * math.atan2(z, w)

    def keyframe(self, frame: int, pose: np.ndarray) -> dict:
        """The protocol's keyframe of a pose: the bones' matrices `[bones, 4, 4]` in the armature's space."""
        linear = pose[:, :3, :3] / np.linalg.norm(pose[:, :3, :3], axis=1, keepdims=True)
        # From the rest pose, in the axes of the world.
        turned = rotations.from_matrices(linear @ np.swapaxes(self.axes, 1, 2))
        turned = rotations.in_axes(turned, Y_UP @ self.turn)
        local = turned.copy()
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                local[bone] = rotations.multiply(rotations.conjugate(turned[parent]), turned[bone])
        root = self.in_world(pose[0, :3, 3] + self._shift(pose))
        return {
            "type": "pose_keyframe",
            "frame": frame,
            "root_position": [float(length) for length in self.stage.metres(root)],
            "joint_rotations": {
                name: [float(q[1]), float(q[2]), float(q[3]), float(q[0])]
                for name, q in zip(self.bones, local, strict=True)
            },
        }

    def _shift(self, pose: np.ndarray) -> np.ndarray:
        """How far a bone that carries most of the body has been moved: the protocol's root moves in its place."""
        size = float(np.ptp(self.heads, axis=0).max())
        carried = np.ones(len(self.bones), dtype=int)
        for bone in reversed(range(1, len(self.bones))):
            carried[self.parents[bone]] += carried[bone]
        shift = np.zeros(3)
        for bone, parent in enumerate(self.parents):
            if parent < 0 or 2 * carried[bone] < len(self.bones):
                continue
            rest = self.axes[parent].T @ (self.heads[bone] - self.heads[parent])
            linear = pose[parent, :3, :3] / np.linalg.norm(pose[parent, :3, :3], axis=0)
            moved = pose[bone, :3, 3] - pose[parent, :3, 3] - linear @ rest
            if np.linalg.norm(moved) > MOVED * size:
                shift = shift + moved
        return shift

    def keys(self, clip: Clip) -> "Keys":
        """A clip as keys: each bone's rotation in the axes of its rest pose, and the root's way in its own."""
        index = {name: joint for joint, name in enumerate(clip.joints)}
        missing = [name for name in self.bones if name not in index]
        if missing:
            raise KinogradError(f"the answer has no joint “{missing[0]}” of armature “{self.name}”")
        local = clip.rotations[:, [index[name] for name in self.bones]]
        turned = np.empty_like(local)
        for bone, parent in enumerate(self.parents):
            above = turned[:, parent] if parent >= 0 else None
            turned[:, bone] = local[:, bone] if above is None else rotations.multiply(above, local[:, bone])
        keys = {}
        from_world = (Y_UP @ self.turn).T
        for bone, name in enumerate(self.bones):
            own = local if self.inherits_rotation[bone] else turned
            keys[name] = rotations.in_axes(own[:, bone], self.axes[bone].T @ from_world)
        inverse = np.linalg.inv(self.world)
        heads = self.stage.scene(clip.root_m) @ inverse[:3, :3].T + inverse[:3, 3]
        return Keys(self.bones[0], keys, (heads - self.heads[0]) @ self.axes[0])


@dataclass(frozen=True)
class Keys:
    """One key a frame. `rotations`: bone to quaternions `[frames, 4]`; `root_location` `[frames, 3]`."""

    root: str
    rotations: dict[str, np.ndarray]
    root_location: np.ndarray


# Marks of the left side in names, and those of the right in their place.
SIDES = [
    (r"left", "right"),
    (r"Left", "Right"),
    (r"LEFT", "RIGHT"),
    (r"(?<![A-Za-z])l(?![A-Za-z])", "r"),
    (r"(?<![A-Za-z])L(?![A-Za-z])", "R"),
    (r"^l(?=[A-Z])", "r"),
    (r"^L(?=[A-Z])", "R"),
]


def right_of(name: str) -> str | None:
    """The name that a bone of the left has on the right; `None` where it has no mark of the left."""
    for left, right in SIDES:
        other, count = re.subn(left, right, name)
        if count:
            return other
    return None
