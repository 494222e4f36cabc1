"""Quaternions against matrices."""

from __future__ import annotations

import numpy as np
from figures import random_rotations
from kinograd_blender.core import rotations


def test_products_are_those_of_matrices() -> None:
    a, b = random_rotations(50, 1), random_rotations(50, 2)
    product = rotations.matrices(rotations.multiply(a, b))
    np.testing.assert_allclose(product, rotations.matrices(a) @ rotations.matrices(b), atol=1e-12)
    inverse = rotations.matrices(rotations.conjugate(a))
    np.testing.assert_allclose(inverse, np.swapaxes(rotations.matrices(a), 1, 2), atol=1e-12)


def test_matrices_and_back() -> None:
    half_turns = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    q = np.concatenate([random_rotations(200, 3), half_turns])
    back = rotations.from_matrices(rotations.matrices(q))
    np.testing.assert_allclose(np.abs(np.sum(q * back, axis=-1)), 1.0, atol=1e-12)
    assert (back[:, 0] >= 0.0).all()


def test_other_axes() -> None:
    q, axes = random_rotations(20, 4), rotations.matrices(random_rotations(1, 5)[0])
    seen = rotations.matrices(rotations.in_axes(q, axes))
    np.testing.assert_allclose(seen, axes @ rotations.matrices(q) @ axes.T, atol=1e-12)


def test_slerp_turns_evenly_by_the_shorter_way() -> None:
    a = np.array([1.0, 0.0, 0.0, 0.0])
    b = -np.array([np.cos(0.6), np.sin(0.6), 0.0, 0.0])
    q = rotations.slerp(np.tile(a, (5, 1)), np.tile(b, (5, 1)), np.linspace(0.0, 1.0, 5))
    expected = np.stack([np.cos(0.6 * np.linspace(0, 1, 5)), np.sin(0.6 * np.linspace(0, 1, 5))], axis=-1)
    np.testing.assert_allclose(q[:, :2], expected, atol=1e-12)
    np.testing.assert_allclose(rotations.slerp(a, a, np.array(0.3)), a, atol=1e-12)


def test_signs_follow_the_frame_before() -> None:
    q = random_rotations(1, 6).repeat(6, axis=0)[:, None] * np.array([1, -1, -1, 1, -1, 1.0])[:, None, None]
    np.testing.assert_allclose(rotations.continuous(q), q[:1].repeat(6, axis=0))
