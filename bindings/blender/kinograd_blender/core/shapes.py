"""Objects of the scene as obstacles of `x_kinograd`."""

import enum
import math

import numpy as np

from .errors import KinogradError
from .stage import Stage

# An axis of an object whose cosine to the vertical is above this counts as upright.
UPRIGHT = 0.9999


class Shape(enum.Enum):
    """How an object's bounds are taken; the value is the name in the interface."""

    CYLINDER = "CYLINDER"
    BOX = "BOX"
    BOX_IN_SPACE = "BOX_IN_SPACE"


def shape_of(name: str, kind: Shape, vertices: np.ndarray, world: np.ndarray, stage: Stage) -> dict:
    """A shape round an object.

    `vertices` `[count, 3]` in the object's own space, `world` `[4, 4]` its place. A box has the object's own axes where
    one of them is upright, else the world's. Raises `KinogradError` for an object without vertices or without size.
    """
    if len(vertices) == 0:
        raise KinogradError(f"obstacle “{name}” has no vertices")
    places = stage.metres(vertices @ world[:3, :3].T + world[:3, 3])
    if not np.isfinite(places).all():
        raise KinogradError(f"obstacle “{name}” has vertices at places that are no numbers")
    yaw = 0.0 if kind is Shape.CYLINDER else _yaw(world[:3, :3])
    cos, sin = math.cos(yaw), math.sin(yaw)
    # Columns: the box's own axes in the world, a turn about +Y.
    axes = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    own = places @ axes
    low, high = own.min(axis=0), own.max(axis=0)
    half = (high - low) / 2
    if max(half[0], half[2]) <= 0.0:
        raise KinogradError(f"obstacle “{name}” has no size on the ground")
    center = axes @ ((low + high) / 2)
    if kind is Shape.CYLINDER:
        radius = np.linalg.norm((places - center)[:, [0, 2]], axis=1).max()
        return {"kind": "circle", "center_m": _floats(center[[0, 2]]), "radius_m": float(radius)}
    half = np.maximum(half, 1e-3)
    if kind is Shape.BOX:
        return {
            "kind": "box",
            "center_m": _floats(center[[0, 2]]),
            "half_extents_m": _floats(half[[0, 2]]),
            "yaw_deg": math.degrees(yaw),
        }
    return {
        "kind": "box_3d",
        "center_m": _floats(center),
        "half_extents_m": _floats(half),
        "yaw_deg": math.degrees(yaw),
    }


def _yaw(linear: np.ndarray) -> float:
    """The turn of an object about the vertical, radians, where one of its axes is upright; else 0."""
    lengths = np.linalg.norm(linear, axis=0)
    if lengths.min() <= 1e-12:
        return 0.0
    axes = linear / lengths
    upright = int(np.argmax(np.abs(axes[2])))
    if abs(axes[2, upright]) < UPRIGHT:
        return 0.0
    x, y, _ = axes[:, (upright + 1) % 3]
    return math.atan2(y, x)


def _floats(numbers: np.ndarray) -> list[float]:
    return [float(number) for number in numbers]
