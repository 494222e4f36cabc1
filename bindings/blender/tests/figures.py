"""Small things to test with."""

from __future__ import annotations

import json
import struct

import numpy as np
from kinograd_blender.core import rotations
from kinograd_blender.core.rig import Rig
from kinograd_blender.core.stage import Stage

# name, parent, head: a body in Blender's axes, Z up, facing −Y, metres.
BODY = [
    ("hips", -1, (0.0, 0.0, 0.95)),
    ("thigh.L", 0, (0.1, 0.0, 0.9)),
    ("foot.L", 1, (0.1, 0.02, 0.1)),
    ("thigh.R", 0, (-0.1, 0.0, 0.9)),
    ("foot.R", 3, (-0.1, 0.02, 0.1)),
    ("spine", 0, (0.0, 0.0, 1.2)),
    ("hand.L", 5, (0.7, 0.0, 1.4)),
]


def random_rotations(count: int, seed: int = 0) -> np.ndarray:
    """Unit quaternions `[count, 4]`."""
    return rotations.normalized(np.random.default_rng(seed).normal(size=(count, 4)))


def turned(axis: int, radians: float) -> np.ndarray:
    """A rotation matrix about an axis of Blender's world."""
    q = np.zeros(4)
    q[0], q[1 + axis] = np.cos(radians / 2), np.sin(radians / 2)
    return rotations.matrices(q)


def rig(world: np.ndarray | None = None, stage: Stage | None = None, scale: float = 1.0, inherits: bool = True) -> Rig:
    """The body with bones whose own axes point anywhere; `scale`: how much larger its own space is."""
    return Rig(
        name="Hero",
        bones=tuple(name for name, _, _ in BODY),
        parents=tuple(parent for _, parent, _ in BODY),
        heads=np.array([head for _, _, head in BODY]) * scale,
        axes=rotations.matrices(random_rotations(len(BODY), 5)),
        inherits_rotation=(True, *[inherits] * (len(BODY) - 1)),
        world=np.eye(4) if world is None else world,
        stage=stage or Stage(),
    )


def glb(document: dict, binary: bytes) -> bytes:
    """A binary glTF file."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<III", 0x46546C67, 2, 12 + len(body)) + body


def answer(names: list[str], quaternions: np.ndarray, root_m: np.ndarray, fps: float = 30.0) -> tuple[dict, bytes]:
    """Document and data of an answer with one clip; `quaternions` `[frames, joints, 4]` w, x, y, z."""
    frames = len(root_m)
    parts = [quaternions[:, joint][:, [1, 2, 3, 0]] for joint in range(len(names))] + [root_m]
    binary, views, accessors = b"", [], []
    for part in parts:
        data = part.astype("<f4").tobytes()
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(data)})
        kind = "VEC4" if part.shape[1] == 4 else "VEC3"
        accessors.append({"bufferView": len(views) - 1, "componentType": 5126, "count": frames, "type": kind})
        binary += data
    channels = [
        {"sampler": at, "target": {"node": at % len(names), "path": "rotation" if at < len(names) else "translation"}}
        for at in range(len(parts))
    ]
    document = {
        "asset": {"version": "2.0"},
        "nodes": [{"name": name} for name in names],
        "animations": [{"channels": channels, "samplers": [{"output": at} for at in range(len(parts))]}],
        "accessors": accessors,
        "bufferViews": views,
        "extensions": {"MMCP_motion": {"fps": fps, "model": "walker", "canonical_to_request": {"pelvis": names[0]}}},
    }
    return document, binary
