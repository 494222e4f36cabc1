"""The server's answer: a binary glTF 2.0 file with `MMCP_motion`."""

import json
import struct
from dataclasses import dataclass, field

import numpy as np

from . import rotations
from .errors import KinogradError

MAGIC, JSON_CHUNK, BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
FLOAT = 5126
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}


@dataclass(frozen=True)
class Clip:
    """One sample. `rotations` `[frames, joints, 4]` (w, x, y, z) are local to the parent, from the rest pose along the
    axes of the world; `root_m` `[frames, 3]` is the root's place in the world, metres, Y up.
    """

    fps: float
    joints: tuple[str, ...]
    rotations: np.ndarray
    root_m: np.ndarray

    def resampled(self, fps: float, frames: int) -> "Clip":
        """So many frames at another rate; the last pose stays where the clip ends before."""
        if abs(fps - self.fps) < 1e-6 and frames == len(self.root_m):
            return self
        at = np.minimum(np.arange(frames) * (self.fps / fps), len(self.root_m) - 1)
        below = np.floor(at).astype(int)
        above = np.minimum(below + 1, len(self.root_m) - 1)
        share = at - below
        turned = rotations.slerp(self.rotations[below], self.rotations[above], share[:, None])
        root = self.root_m[below] * (1.0 - share[:, None]) + self.root_m[above] * share[:, None]
        return Clip(fps, self.joints, rotations.continuous(turned), root)


@dataclass(frozen=True)
class Answer:
    """Clips, and which of the skeleton's joints stand for those of the model's body."""

    clips: tuple[Clip, ...]
    model: str = ""
    parts: dict[str, str] = field(default_factory=dict)


def read(data: bytes) -> Answer:
    """Reads an answer.

    Raises `KinogradError` that says what is wrong with it.
    """
    try:
        document, binary = _chunks(data)
        return _answer(document, binary)
    except KinogradError:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error) as error:
        raise KinogradError(f"the server's answer is no clip that can be read: {error!r}") from error


def _chunks(data: bytes) -> tuple[dict, bytes]:
    if len(data) < 12 or struct.unpack_from("<II", data) != (MAGIC, 2):
        raise KinogradError("the server's answer is no binary glTF 2.0")
    document, binary, at = None, b"", 12
    while at + 8 <= len(data):
        length, kind = struct.unpack_from("<II", data, at)
        chunk = data[at + 8 : at + 8 + length]
        if len(chunk) != length:
            raise KinogradError("the server's answer ends in the middle")
        if kind == JSON_CHUNK and document is None:
            document = json.loads(chunk)
        elif kind == BINARY_CHUNK:
            binary = chunk
        at += 8 + length
    if not isinstance(document, dict):
        raise KinogradError("the server's answer has no JSON inside")
    return document, binary


def _answer(document: dict, binary: bytes) -> Answer:
    motion = document.get("extensions", {}).get("MMCP_motion")
    if motion is None:
        raise KinogradError("the server's answer has no MMCP_motion")
    fps = float(motion["fps"])
    if not 0.0 < fps < 1e5:
        raise KinogradError(f"the server's answer has {fps} frames a second")
    clips = tuple(_clip(document, binary, animation, fps) for animation in document["animations"])
    if not clips:
        raise KinogradError("the server's answer has no clip")
    parts = motion.get("canonical_to_request", {})
    return Answer(clips, str(motion.get("model", "")), {str(part): str(joint) for part, joint in parts.items()})


def _clip(document: dict, binary: bytes, animation: dict, fps: float) -> Clip:
    nodes = document["nodes"]
    turned: dict[int, np.ndarray] = {}
    root = None
    for channel in animation["channels"]:
        sampler = animation["samplers"][channel["sampler"]]
        values = _accessor(document, binary, sampler["output"])
        node, path = channel["target"]["node"], channel["target"]["path"]
        if path == "rotation":
            turned[node] = values
        elif path == "translation":
            if root is not None:
                raise KinogradError("the server's answer moves more than the root")
            root = values
    if root is None or not turned:
        raise KinogradError("the server's answer has a clip without rotations or without a way of the root")
    order = sorted(turned)
    if any(len(turned[node]) != len(root) for node in order):
        raise KinogradError("the server's answer has channels of different lengths")
    xyzw = np.stack([turned[node] for node in order], axis=1)
    quaternions = rotations.normalized(xyzw[..., [3, 0, 1, 2]])
    if not (np.isfinite(quaternions).all() and np.isfinite(root).all()):
        raise KinogradError("the server's answer holds numbers that are none")
    names = tuple(str(nodes[node]["name"]) for node in order)
    return Clip(fps, names, rotations.continuous(quaternions), root)


def _accessor(document: dict, binary: bytes, index: int) -> np.ndarray:
    accessor = document["accessors"][index]
    view = document["bufferViews"][accessor["bufferView"]]
    width = WIDTHS[accessor["type"]]
    if accessor["componentType"] != FLOAT or "byteStride" in view or view.get("buffer", 0) != 0:
        raise KinogradError("the server's answer has numbers in a form that is not read")
    offset = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    count = int(accessor["count"])
    if count < 1 or offset < 0 or offset + 4 * width * count > len(binary):
        raise KinogradError("the server's answer has numbers outside its data")
    return np.frombuffer(binary, "<f4", width * count, offset).reshape(count, width).astype(np.float64)
