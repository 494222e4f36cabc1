"""Obstacles round objects."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from figures import turned
from kinograd_blender.core.errors import KinogradError
from kinograd_blender.core.shapes import Shape, shape_of
from kinograd_blender.core.stage import Stage

CUBE = np.array(list(itertools.product([-0.5, 0.5], repeat=3)))


def world(turn: np.ndarray, size: tuple[float, float, float], place: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn * np.array(size), place
    return matrix


def corners(shape: dict) -> np.ndarray:
    """Corners of a box on the ground (x, z); a turn about +Y takes +Z towards +X."""
    yaw, (a, b) = math.radians(shape["yaw_deg"]), shape["half_extents_m"][:: len(shape["half_extents_m"]) - 1]
    cos, sin = math.cos(yaw), math.sin(yaw)
    offsets = [[x * cos + z * sin, z * cos - x * sin] for x in (-a, a) for z in (-b, b)]
    return np.array(shape["center_m"])[[0, -1]] + np.array(offsets)


@pytest.mark.parametrize("up", [0, 1, 2])
@pytest.mark.parametrize("yaw", [0.0, 0.4, 2.0, -1.0])
def test_a_box_has_the_corners_of_an_upright_object(up: int, yaw: float) -> None:
    # The object's own axis `up` is upright.
    stand = [turned(1, -math.pi / 2), turned(0, math.pi / 2), np.eye(3)][up]
    matrix = world(turned(2, yaw) @ stand, (0.6, 1.0, 2.0), (3.0, -1.0, 0.5))
    stage = Stage(0.5, 0.1)
    for kind in (Shape.BOX, Shape.BOX_IN_SPACE):
        shape = shape_of("crate", kind, CUBE, matrix, stage)
        expected = stage.ground(CUBE @ matrix[:3, :3].T + matrix[:3, 3])
        distances = np.linalg.norm(corners(shape)[:, None] - expected[None], axis=-1)
        assert distances.min(axis=1).max() < 1e-9
        assert distances.min(axis=0).max() < 1e-9
    size = 0.5 * [0.6, 1.0, 2.0][up]
    assert shape["half_extents_m"][1] == pytest.approx(size / 2)
    assert shape["center_m"][1] == pytest.approx(0.2)


def test_a_tilted_object_has_a_box_along_the_world() -> None:
    matrix = world(turned(0, 0.6), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    shape = shape_of("crate", Shape.BOX, CUBE, matrix, Stage())
    assert shape["yaw_deg"] == 0.0
    reach = (math.cos(0.6) + math.sin(0.6)) / 2
    assert shape["half_extents_m"] == pytest.approx([0.5, reach])


def test_a_cylinder_is_round_all_vertices() -> None:
    shape = shape_of("crate", Shape.CYLINDER, CUBE, world(turned(2, 0.3), (2.0, 1.0, 1.0), (1.0, 2.0, 0.0)), Stage(0.1))
    assert shape["kind"] == "circle"
    assert shape["center_m"] == pytest.approx([0.1, -0.2])
    assert shape["radius_m"] == pytest.approx(0.1 * math.hypot(1.0, 0.5))


def test_objects_without_size_are_refused() -> None:
    for vertices, words in [
        (np.zeros((0, 3)), "no vertices"),
        (np.zeros((3, 3)), "no size"),
        (CUBE * np.nan, "no numbers"),
    ]:
        with pytest.raises(KinogradError, match=f"“crate”.*{words}"):
            shape_of("crate", Shape.BOX, vertices, np.eye(4), Stage())
